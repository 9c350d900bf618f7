// Package exchange keeps dated reference rates between currencies and converts
// amounts at them, exactly.
package exchange

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"tradecredit/internal/money"
)

// Base is the currency that rates are quoted against: so much of another for one
// unit of it.
const Base = "EUR"

// places are the decimal places that a rate is kept with. One euro is at most
// some 90 billion of anything.
const places = 8

// one is the rate of the base to itself.
const one = 100_000_000

// Rounding says what becomes of a fraction of a minor unit.
type Rounding int

// Floor is for limits, so that never more is promised than there is; Ceiling is
// for what is in use of them.
const (
	Floor Rounding = iota
	Ceiling
)

// NoRateError is returned when the rate of a currency is not known.
type NoRateError struct{ Currency string }

// Error implements error.
func (e *NoRateError) Error() string {
	return fmt.Sprintf("exchange: no rate for %s is known; see tradecredit rates", e.Currency)
}

// Rate is what one euro cost in a currency on a day.
type Rate struct {
	// Day is midnight UTC.
	Day      time.Time
	Currency string
	// PerEuro has eight decimal places.
	PerEuro int64
	Source  Source
}

// Source says where a rate comes from.
type Source string

// The sources. What an operator has set is not overwritten by an import.
const (
	Illustrative Source = "illustrative"
	Imported     Source = "ecb"
	Operator     Source = "operator"
)

// String is the rate as a decimal number, as in 0.8774.
func (r Rate) String() string { return money.FormatTrimmed(r.PerEuro, places, 0) }

// Parse reads a rate such as 0.8774 of a currency on a day. It returns an error
// that says what is wrong.
func Parse(day time.Time, currency, rate string) (Rate, error) {
	r := Rate{Day: date(number(day)), Currency: currency}
	if _, known := money.Exponent(currency); !known {
		return r, fmt.Errorf("the currency %q is not supported: %s", currency, strings.Join(money.Currencies(), " "))
	}
	if currency == Base {
		return r, fmt.Errorf("rates are what one %s costs; it has none itself", Base)
	}
	var err error
	if r.PerEuro, err = money.ParseFixed(rate, places); err != nil || r.PerEuro <= 0 {
		return r, fmt.Errorf("%q is no rate: a decimal number above zero with at most %d places", rate, places)
	}
	return r, nil
}

// Rates are the rates of one day. The zero value converts nothing but a currency
// into itself. It never changes and may be used by many at once.
type Rates struct {
	perEuro map[string]int64
}

// Of are the given rates, of which each currency has one.
func Of(rates ...Rate) Rates {
	out := Rates{perEuro: make(map[string]int64, len(rates))}
	for _, r := range rates {
		out.perEuro[r.Currency] = r.PerEuro
	}
	return out
}

func (r Rates) of(currency string) (*big.Int, error) {
	v, ok := r.perEuro[currency]
	if currency == Base {
		v, ok = one, true
	}
	if !ok {
		return nil, &NoRateError{currency}
	}
	return big.NewInt(v), nil
}

// Convert turns minor units of one currency into those of another. It is one
// division of whole numbers: nothing is rounded on the way. It returns a
// NoRateError when a rate is not known, and money.ErrOverflow when the result
// does not fit into 64 bits.
func (r Rates) Convert(amount int64, from, to string, rounding Rounding) (int64, error) {
	if from == to {
		return amount, nil
	}
	sell, err := r.of(from)
	if err != nil {
		return 0, err
	}
	buy, err := r.of(to)
	if err != nil {
		return 0, err
	}
	numerator := buy.Mul(buy, minorUnits(to))
	numerator.Mul(numerator, big.NewInt(amount))
	// Div and Mod are Euclidean: the divisor is above zero, so this is the floor.
	q, rest := new(big.Int).DivMod(numerator, sell.Mul(sell, minorUnits(from)), new(big.Int))
	if rounding == Ceiling && rest.Sign() != 0 {
		q.Add(q, big.NewInt(1))
	}
	if !q.IsInt64() {
		return 0, money.ErrOverflow
	}
	return q.Int64(), nil
}

// minorUnits is how many minor units make one of a currency.
func minorUnits(currency string) *big.Int {
	exponent, _ := money.Exponent(currency)
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(exponent)), nil)
}

// number counts the days since 1970 of the date that t has in UTC.
func number(t time.Time) int64 {
	s := t.Unix()
	n := s / 86400
	if s%86400 < 0 {
		n--
	}
	return n
}

// date is the inverse of number.
func date(n int64) time.Time { return time.Unix(n*86400, 0).UTC() }

// foreign are the currencies that have a rate, each once, in order.
func foreign(currencies []string) []string {
	out := slices.Clone(currencies)
	slices.Sort(out)
	out = slices.Compact(out)
	return slices.DeleteFunc(out, func(c string) bool { return c == Base })
}
