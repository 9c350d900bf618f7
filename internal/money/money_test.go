package money

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// edgy draws 64-bit numbers with a taste for the ends of the range.
func edgy() *rapid.Generator[int64] {
	return rapid.OneOf(
		rapid.Int64(),
		rapid.Int64Range(-1000, 1000),
		rapid.SampledFrom([]int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64 - 1, math.MaxInt64}),
	)
}

// sameAs fails unless got (or its error) is what the exact result demands.
func sameAs(t *rapid.T, name string, exact *big.Int, got int64, err error) {
	if !exact.IsInt64() {
		if !errors.Is(err, ErrOverflow) {
			t.Fatalf("%s: exact result %s, got %d, %v; want ErrOverflow", name, exact, got, err)
		}
		return
	}
	if err != nil || got != exact.Int64() {
		t.Fatalf("%s: exact result %s, got %d, %v", name, exact, got, err)
	}
}

func TestCheckedArithmeticAgreesWithBigIntegers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := edgy().Draw(t, "a"), edgy().Draw(t, "b")
		x, y := big.NewInt(a), big.NewInt(b)
		got, err := CheckedAdd(a, b)
		sameAs(t, "add", new(big.Int).Add(x, y), got, err)
		got, err = CheckedSub(a, b)
		sameAs(t, "sub", new(big.Int).Sub(x, y), got, err)
		got, err = CheckedMul(a, b)
		sameAs(t, "mul", new(big.Int).Mul(x, y), got, err)
		got, err = CheckedNeg(a)
		sameAs(t, "neg", new(big.Int).Neg(x), got, err)
	})
}

func TestSumNeedsOnlyItsResultToFit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(edgy(), 0, 12).Draw(t, "values")
		exact := new(big.Int)
		for _, v := range values {
			exact.Add(exact, big.NewInt(v))
		}
		got, err := Sum(values...)
		sameAs(t, "sum", exact, got, err)
	})
}

func TestMulDivRoundsHalfAwayFromZero(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := edgy().Draw(t, "a"), edgy().Draw(t, "b"), edgy().Draw(t, "c")
		got, err := MulDiv(a, b, c)
		down, downErr := MulDivDown(a, b, c)
		if c == 0 {
			if !errors.Is(err, ErrDivision) || !errors.Is(downErr, ErrDivision) {
				t.Fatalf("division by zero: %v, %v", err, downErr)
			}
			return
		}
		product := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
		quotient, rest := new(big.Int).QuoRem(product, big.NewInt(c), new(big.Int))
		sameAs(t, "down", quotient, down, downErr)

		twice := new(big.Int).Mul(rest, big.NewInt(2))
		nearest := new(big.Int).Set(quotient)
		if twice.CmpAbs(big.NewInt(c)) >= 0 {
			nearest.Add(nearest, big.NewInt(int64(product.Sign()*big.NewInt(c).Sign())))
		}
		sameAs(t, "nearest", nearest, got, err)
	})
}

func TestAmountArithmetic(t *testing.T) {
	t.Parallel()
	pound, euro := Amount{100, "GBP"}, Amount{100, "EUR"}
	sum, err := pound.Add(Amount{23, "GBP"})
	if err != nil || sum != (Amount{123, "GBP"}) {
		t.Errorf("add: %v, %v", sum, err)
	}
	diff, err := pound.Sub(Amount{123, "GBP"})
	if err != nil || diff != (Amount{-23, "GBP"}) {
		t.Errorf("sub: %v, %v", diff, err)
	}
	if neg, err := pound.Neg(); err != nil || neg != (Amount{-100, "GBP"}) {
		t.Errorf("neg: %v, %v", neg, err)
	}
	if _, err := pound.Add(euro); !errors.Is(err, ErrCurrency) {
		t.Errorf("pounds and euros: %v", err)
	}
	if _, err := (Amount{math.MaxInt64, "GBP"}).Add(pound); !errors.Is(err, ErrOverflow) {
		t.Errorf("add beyond the range: %v", err)
	}
	if _, err := (Amount{math.MinInt64, "GBP"}).Neg(); !errors.Is(err, ErrOverflow) {
		t.Errorf("neg beyond the range: %v", err)
	}
}

func TestAllocateExamples(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		total   int64
		weights []int64
		want    []int64
	}{
		{100, []int64{1, 1, 1}, []int64{34, 33, 33}},
		{2, []int64{25, 25, 25, 25}, []int64{2, 0, 0, 0}},
		{-100, []int64{1, 1, 1}, []int64{-34, -33, -33}},
		{100, []int64{0, 1, 2}, []int64{0, 34, 66}},
		{7, []int64{0, 0}, []int64{7, 0}},
		{7, []int64{-3, 1}, []int64{0, 7}},
		{0, []int64{1, 2}, []int64{0, 0}},
		{5, nil, nil},
	} {
		if diff := cmp.Diff(c.want, Allocate(c.total, c.weights)); diff != "" {
			t.Errorf("Allocate(%d, %v): %s", c.total, c.weights, diff)
		}
	}
}

func TestAllocateNeverLosesAUnit(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total := edgy().Draw(t, "total")
		weights := rapid.SliceOfN(edgy(), 1, 12).Draw(t, "weights")
		parts := Allocate(total, weights)
		if sum, err := Sum(parts...); err != nil || sum != total || len(parts) != len(weights) {
			t.Fatalf("parts %v of %d sum to %d, %v", parts, total, sum, err)
		}
	})
}

func TestAllocateIsProportional(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(-1e15, 1e15).Draw(t, "total")
		weights := rapid.SliceOfN(rapid.Int64Range(1, 10_000), 1, 24).Draw(t, "weights")
		sum, _ := Sum(weights...)
		for i, part := range Allocate(total, weights) {
			share, _ := MulDivDown(total, weights[i], sum)
			distance := int64(magnitude(part - share))
			if i == 0 && distance >= int64(len(weights)) || i > 0 && distance != 0 {
				t.Fatalf("part %d is %d, its share %d", i, part, share)
			}
		}
	})
}

func TestParseFixed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text   string
		places int
		want   int64
		err    error
	}{
		{"10.000", 3, 10_000, nil},
		{"10", 3, 10_000, nil},
		{"-0.5", 2, -50, nil},
		{"+1.25", 2, 125, nil},
		{"1.2500", 2, 125, nil},
		{"007", 0, 7, nil},
		{"1.255", 2, 0, ErrDecimal},
		{"", 2, 0, ErrDecimal},
		{"-", 2, 0, ErrDecimal},
		{".5", 2, 0, ErrDecimal},
		{"5.", 2, 0, ErrDecimal},
		{"1e3", 2, 0, ErrDecimal},
		{"1,5", 2, 0, ErrDecimal},
		{" 1", 2, 0, ErrDecimal},
		{"--1", 2, 0, ErrDecimal},
		{"NaN", 2, 0, ErrDecimal},
		{"१", 2, 0, ErrDecimal},
		{"92233720368547758.07", 2, math.MaxInt64, nil},
		{"92233720368547758.08", 2, 0, ErrOverflow},
		{"99999999999999999999999999", 2, 0, ErrOverflow},
	} {
		got, err := ParseFixed(c.text, c.places)
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("ParseFixed(%q, %d) = %d, %v; want %d, %v", c.text, c.places, got, err, c.want, c.err)
		}
	}
}

func TestFixedRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := edgy().Filter(func(v int64) bool { return v != math.MinInt64 }).Draw(t, "value")
		places := rapid.IntRange(0, 6).Draw(t, "places")
		for _, text := range []string{FormatFixed(value, places), FormatTrimmed(value, places, 0)} {
			if back, err := ParseFixed(text, places); err != nil || back != value {
				t.Fatalf("%d with %d places is %q is %d, %v", value, places, text, back, err)
			}
		}
	})
}

func TestPercent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, full, short string
		of, want          int64
	}{
		{"19.50", "19.50", "19.5", 1000, 195},
		{"0.40", "0.40", "0.4", 100_000, 400},
		{"100", "100.00", "100.0", math.MinInt64, math.MinInt64},
		{"33.33", "33.33", "33.33", 100, 33},
		{"50", "50.00", "50.0", 1, 1},
		{"50", "50.00", "50.0", -1, -1},
		{"-50.0", "-50.00", "-50.0", 1, -1},
		{"0", "0.00", "0.0", math.MaxInt64, 0},
		{"-100", "-100.00", "-100.0", math.MinInt64, math.MaxInt64},
	} {
		p, err := ParsePercent(c.text)
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		if p.String() != c.full || p.Short() != c.short || p.Of(c.of) != c.want {
			t.Errorf("%q: %s, %s, %d of %d; want %s, %s, %d", c.text, p, p.Short(), p.Of(c.of), c.of, c.full, c.short, c.want)
		}
	}
	for _, text := range []string{"", "abc", "1.005", "100.01", "-100.01", "1e1"} {
		if p, err := ParsePercent(text); err == nil {
			t.Errorf("%q was read as %s", text, p)
		}
	}
}

func TestPercentIsTextInJSON(t *testing.T) {
	t.Parallel()
	type fee struct {
		Percentage Percent `json:"percentage"`
	}
	body, err := json.Marshal(fee{MustPercent("0.4")})
	if err != nil || string(body) != `{"percentage":"0.40"}` {
		t.Fatalf("%s, %v", body, err)
	}
	var back fee
	if err := json.Unmarshal(body, &back); err != nil || back.Percentage != MustPercent("0.40") {
		t.Fatalf("%v, %v", back, err)
	}
	if err := json.Unmarshal([]byte(`{"percentage":"ten"}`), &back); !errors.Is(err, ErrDecimal) {
		t.Fatalf("not a number: %v", err)
	}
}

func TestCurrencies(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]int{"GBP": 2, "EUR": 2, "USD": 2, "CHF": 2, "DKK": 2, "SEK": 2, "NOK": 2, "PLN": 2, "XOF": 0, "XAF": 0, "GNF": 0, "JPY": 0} {
		if got, ok := Exponent(code); !ok || got != want {
			t.Errorf("%s: %d, %v", code, got, ok)
		}
	}
	for _, code := range []string{"", "gbp", "XXX"} {
		if _, ok := Exponent(code); ok {
			t.Errorf("%q is a currency", code)
		}
	}
	codes := Currencies()
	for i := 1; i < len(codes); i++ {
		if codes[i-1] >= codes[i] {
			t.Errorf("%s stands before %s", codes[i-1], codes[i])
		}
	}
}
