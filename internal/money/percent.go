package money

import "fmt"

// percentScale is the number of Percent units in one whole: 100 % of 100.
const percentScale = 10_000

// Percent is an exact percentage with two decimal places, from -100.00 to
// 100.00. The zero value is 0.00 %. Bounding it means that a percentage of an
// amount always fits where the amount did.
type Percent struct{ hundredths int64 }

// ParsePercent reads a decimal string such as "19.50" or "30". It fails with
// ErrDecimal (not a decimal, more than two places) or ErrOverflow (beyond
// 100 %).
func ParsePercent(text string) (Percent, error) {
	hundredths, err := ParseFixed(text, 2)
	if err != nil {
		return Percent{}, fmt.Errorf("percentage %q: %w", text, err)
	}
	return NewPercent(hundredths)
}

// NewPercent makes a percentage from hundredths of a percent: NewPercent(1950)
// is 19.50 %. Beyond ±100 % it fails with ErrOverflow.
func NewPercent(hundredths int64) (Percent, error) {
	if hundredths < -percentScale || hundredths > percentScale {
		return Percent{}, fmt.Errorf("percentage beyond 100: %w", ErrOverflow)
	}
	return Percent{hundredths: hundredths}, nil
}

// MustPercent is ParsePercent for constants in the source; it panics on a
// text that is not a percentage.
func MustPercent(text string) Percent {
	p, err := ParsePercent(text)
	if err != nil {
		panic(err)
	}
	return p
}

// Of returns this percentage of an amount in minor units, rounded to the
// nearest unit, a half away from zero.
func (p Percent) Of(minor int64) int64 {
	// |p| ≤ 100 %, so the result is never larger than minor. The one
	// exception, -100 % of the smallest int64, has no counterpart.
	part, err := MulDiv(minor, p.hundredths, percentScale)
	if err != nil {
		return -(minor + 1)
	}
	return part
}

// Hundredths returns the percentage as an integer: 1950 for 19.50 %. It is
// the weight to Allocate with.
func (p Percent) Hundredths() int64 { return p.hundredths }

// IsZero reports whether the percentage is 0.00.
func (p Percent) IsZero() bool { return p.hundredths == 0 }

// String writes two places, as fees and tax rates do on the wire: "0.40".
func (p Percent) String() string { return FormatFixed(p.hundredths, 2) }

// Short writes at least one place and no needless zero, as amount_percentage
// does on the wire: "25.0", "33.33".
func (p Percent) Short() string { return FormatTrimmed(p.hundredths, 2, 1) }

// MarshalText writes the percentage as String does.
func (p Percent) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what ParsePercent reads.
func (p *Percent) UnmarshalText(text []byte) error {
	parsed, err := ParsePercent(string(text))
	if err != nil {
		return err
	}
	*p = parsed
	return nil
}
