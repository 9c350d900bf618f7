// Package money holds integer minor units, exact percentages and the currency
// table. Nothing in it uses a float; everything that can overflow says so.
package money

import (
	"errors"
	"math"
	"math/bits"
)

// ErrOverflow: a result does not fit into 64 bits.
var ErrOverflow = errors.New("money: amount out of range")

// ErrDivision: a division by zero was asked for.
var ErrDivision = errors.New("money: division by zero")

// CheckedAdd returns a + b, or ErrOverflow.
func CheckedAdd(a, b int64) (int64, error) {
	sum := a + b
	if (sum > a) != (b > 0) && b != 0 {
		return 0, ErrOverflow
	}
	return sum, nil
}

// CheckedSub returns a - b, or ErrOverflow.
func CheckedSub(a, b int64) (int64, error) {
	diff := a - b
	if (diff < a) != (b > 0) && b != 0 {
		return 0, ErrOverflow
	}
	return diff, nil
}

// CheckedNeg returns -a, or ErrOverflow for the one number that has no
// counterpart.
func CheckedNeg(a int64) (int64, error) {
	if a == math.MinInt64 {
		return 0, ErrOverflow
	}
	return -a, nil
}

// CheckedMul returns a * b, or ErrOverflow.
func CheckedMul(a, b int64) (int64, error) {
	return MulDiv(a, b, 1)
}

// Sum adds any number of values. Only the final sum has to fit into 64 bits:
// intermediate sums are kept in 128, so the order of the values is of no
// consequence.
func Sum(values ...int64) (int64, error) {
	var hi, lo, carry uint64
	for _, v := range values {
		lo, carry = bits.Add64(lo, uint64(v), 0)
		hi, _ = bits.Add64(hi, uint64(v>>63), carry)
	}
	sum := int64(lo)
	if hi != uint64(sum>>63) {
		return 0, ErrOverflow
	}
	return sum, nil
}

// MulDiv returns a × b ÷ c, rounded to the nearest whole number; a half is
// rounded away from zero (1.5 → 2, -1.5 → -2), so that a discount rounds
// like the price it is taken from. The product may be larger than 64 bits.
func MulDiv(a, b, c int64) (int64, error) {
	q, r, negative, err := mulDiv(a, b, c)
	if err != nil {
		return 0, err
	}
	if d := magnitude(c); r >= d-r {
		q++
	}
	return signed(q, negative)
}

// MulDivDown is MulDiv with the fraction cut off (towards zero).
func MulDivDown(a, b, c int64) (int64, error) {
	q, _, negative, err := mulDiv(a, b, c)
	if err != nil {
		return 0, err
	}
	return signed(q, negative)
}

func mulDiv(a, b, c int64) (q, r uint64, negative bool, err error) {
	if c == 0 {
		return 0, 0, false, ErrDivision
	}
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	d := magnitude(c)
	if hi >= d {
		return 0, 0, false, ErrOverflow
	}
	q, r = bits.Div64(hi, lo, d)
	if q == math.MaxUint64 { // rounding up would wrap
		return 0, 0, false, ErrOverflow
	}
	return q, r, (a < 0) != (b < 0) != (c < 0), nil
}

// magnitude returns |v|; the smallest int64 has one too, as a uint64.
func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

func signed(q uint64, negative bool) (int64, error) {
	switch {
	case negative && q <= 1<<63:
		return int64(-q), nil
	case !negative && q <= math.MaxInt64:
		return int64(q), nil
	}
	return 0, ErrOverflow
}
