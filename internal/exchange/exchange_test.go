package exchange

import (
	"errors"
	"math"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tradecredit/internal/money"
)

func sandbox(t testing.TB) Rates {
	t.Helper()
	rates, err := Sandbox()
	if err != nil {
		t.Fatal(err)
	}
	return Of(rates...)
}

// TestReferenceExamples converts the amounts of the reference's examples at the
// rates of the sandbox.
func TestReferenceExamples(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		amount   int64
		from, to string
		rounding Rounding
		want     int64
	}{
		{1000, "EUR", "GBP", Floor, 877},
		{1000, "EUR", "USD", Floor, 1156},
		{200000, "GBP", "EUR", Floor, 227946},
		{200000, "GBP", "USD", Floor, 263710},
		{1000, "EUR", "GBP", Ceiling, 878},
		{200000, "GBP", "GBP", Floor, 200000},
		{0, "GBP", "EUR", Ceiling, 0},
		// One euro is 655.957 francs, which have no smaller unit; one dinar is a
		// thousand millimes.
		{100, "EUR", "XOF", Floor, 655},
		{100, "EUR", "XOF", Ceiling, 656},
		{655957, "XOF", "EUR", Floor, 100000},
		{100, "EUR", "TND", Floor, 3400},
		{17900, "JPY", "EUR", Floor, 10000},
		{-1000, "EUR", "GBP", Floor, -878},
		{-1000, "EUR", "GBP", Ceiling, -877},
	} {
		got, err := sandbox(t).Convert(c.amount, c.from, c.to, c.rounding)
		if err != nil || got != c.want {
			t.Errorf("%d %s in %s: %d, %v, want %d", c.amount, c.from, c.to, got, err, c.want)
		}
	}
}

func TestNoRate(t *testing.T) {
	t.Parallel()
	var none *NoRateError
	if _, err := (Rates{}).Convert(1, "EUR", "GBP", Floor); !errors.As(err, &none) || none.Currency != "GBP" {
		t.Errorf("without a rate: %v", err)
	}
	if v, err := (Rates{}).Convert(1, "GBP", "GBP", Floor); v != 1 || err != nil {
		t.Errorf("a currency into itself: %d, %v", v, err)
	}
	if _, err := sandbox(t).Convert(math.MaxInt64, "EUR", "USD", Floor); !errors.Is(err, money.ErrOverflow) {
		t.Errorf("too large: %v", err)
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 11, 20, 18, 0, 0, 0, time.UTC)
	r, err := Parse(day, "GBP", "0.8774")
	if err != nil || r.PerEuro != 87_740_000 || r.String() != "0.8774" || r.Day.Hour() != 0 {
		t.Errorf("%+v %s, %v", r, r, err)
	}
	for _, c := range [][2]string{
		{"EUR", "1"}, {"BRL", "6.1"}, {"gbp", "0.8774"}, {"", "1"}, {"GBP", "0"}, {"GBP", "-1"}, {"GBP", "1e3"},
		{"GBP", "0.877400001"}, {"GBP", ""}, {"GBP", "99999999999999"}, {"GBP", "N/A"},
	} {
		if r, err := Parse(day, c[0], c[1]); err == nil {
			t.Errorf("%q: %+v", c, r)
		}
	}
}

// drawn are arbitrary rates of three currencies with different minor units.
func drawn(t *rapid.T) (Rates, string, string) {
	rate := rapid.OneOf(rapid.Int64Range(1, 1000), rapid.Int64Range(one/1000, one*1000), rapid.Int64Range(1, math.MaxInt64))
	var all []Rate
	names := []string{"EUR", "GBP", "JPY", "TND"}
	for _, c := range names[1:] {
		all = append(all, Rate{Currency: c, PerEuro: rate.Draw(t, c)})
	}
	currency := rapid.SampledFrom(names)
	return Of(all...), currency.Draw(t, "from"), currency.Draw(t, "to")
}

// exact is a conversion by fractions, independent of the one under test.
func exact(r Rates, amount int64, from, to string) *big.Rat {
	value := func(c string) *big.Rat {
		exponent, _ := money.Exponent(c)
		v := int64(one)
		if c != Base {
			v = r.perEuro[c]
		}
		scale := new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(exponent)), nil))
		return scale.Mul(scale, new(big.Rat).SetFrac64(v, one))
	}
	x := new(big.Rat).SetInt64(amount)
	return x.Quo(x.Mul(x, value(to)), value(from))
}

// TestConversion holds conversions against fractions: the floor is the largest
// whole number that is not above the exact value, the ceiling the smallest that is
// not below, and what does not fit is an error and never another number.
func TestConversion(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rates, from, to := drawn(t)
		amount := rapid.Int64().Draw(t, "amount")
		want := exact(rates, amount, from, to)
		for _, rounding := range []Rounding{Floor, Ceiling} {
			got, err := rates.Convert(amount, from, to, rounding)
			if err != nil {
				limit := new(big.Rat).SetInt64(math.MaxInt64 - 1)
				if !errors.Is(err, money.ErrOverflow) || want.Abs(want).Cmp(limit) < 0 {
					t.Fatalf("%d %s in %s: %v, exactly %s", amount, from, to, err, want)
				}
				return
			}
			off := new(big.Rat).Sub(want, new(big.Rat).SetInt64(got))
			if rounding == Ceiling {
				off.Neg(off)
			}
			if off.Sign() < 0 || off.Cmp(new(big.Rat).SetInt64(1)) >= 0 {
				t.Fatalf("%d %s in %s, rounding %d: %d, exactly %s", amount, from, to, rounding, got, want)
			}
		}
	})
}

// TestThereAndBack: nobody gains by converting a limit there and back, or loses
// track of what is in use; and more is never worth less.
func TestThereAndBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		rates, from, to := drawn(t)
		amount := rapid.Int64Range(0, math.MaxInt64).Draw(t, "amount")
		more := rapid.Int64Range(amount, math.MaxInt64).Draw(t, "more")
		for rounding, sign := range map[Rounding]int64{Floor: 1, Ceiling: -1} {
			there, err := rates.Convert(amount, from, to, rounding)
			if err != nil {
				continue
			}
			back, err := rates.Convert(there, to, from, rounding)
			if err == nil && sign*back > sign*amount {
				t.Fatalf("%d %s came back as %d, rounding %d", amount, from, back, rounding)
			}
			if v, err := rates.Convert(more, from, to, rounding); err == nil && v < there {
				t.Fatalf("%d is worth %d and %d only %d", amount, there, more, v)
			}
		}
	})
}
