package money

import (
	"errors"
	"fmt"
)

// ErrCurrency: two amounts of different currencies met.
var ErrCurrency = errors.New("money: different currencies")

// Amount is a sum of money in minor units (pence, cents) of one currency.
// The zero value has no currency and goes with no other amount.
type Amount struct {
	Minor    int64  `json:"amount"`
	Currency string `json:"currency"`
}

// Add returns a + b. It fails with ErrCurrency or ErrOverflow.
func (a Amount) Add(b Amount) (Amount, error) { return a.combine(b, CheckedAdd) }

// Sub returns a - b. It fails with ErrCurrency or ErrOverflow.
func (a Amount) Sub(b Amount) (Amount, error) { return a.combine(b, CheckedSub) }

// Neg returns -a. It fails with ErrOverflow.
func (a Amount) Neg() (Amount, error) {
	minor, err := CheckedNeg(a.Minor)
	if err != nil {
		return Amount{}, err
	}
	return Amount{Minor: minor, Currency: a.Currency}, nil
}

// IsZero reports whether the amount is nothing, of whatever currency.
func (a Amount) IsZero() bool { return a.Minor == 0 }

// String is for logs and test output: minor units, then the currency.
func (a Amount) String() string { return fmt.Sprintf("%d %s", a.Minor, a.Currency) }

func (a Amount) combine(b Amount, op func(int64, int64) (int64, error)) (Amount, error) {
	if a.Currency != b.Currency {
		return Amount{}, fmt.Errorf("%w: %q and %q", ErrCurrency, a.Currency, b.Currency)
	}
	minor, err := op(a.Minor, b.Minor)
	if err != nil {
		return Amount{}, err
	}
	return Amount{Minor: minor, Currency: a.Currency}, nil
}
