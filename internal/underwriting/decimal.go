package underwriting

import (
	"encoding/json"
	"fmt"
	"reflect"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"github.com/govalues/decimal"
)

// Decimal is an exact decimal number of up to 19 digits, as expressions of a
// policy use it. Sums, differences and products are exact: one that does not fit
// is an error. A quotient is rounded to 19 digits, a half to the even digit.
type Decimal struct{ decimal.Decimal }

// decimalType is what an expression calls the type of a Decimal.
var decimalType = types.NewOpaqueType("decimal").WithTraits(traits.AdderType | traits.SubtractorType |
	traits.MultiplierType | traits.DividerType | traits.NegatorType | traits.ComparerType)

// ParseDecimal reads a plain decimal number such as "-0.25".
func ParseDecimal(text string) (Decimal, error) {
	d, err := decimal.Parse(text)
	if err != nil {
		return Decimal{}, fmt.Errorf("%q is no decimal number of up to 19 digits", text)
	}
	if exact, err := decimal.ParseExact(text, d.Scale()); err != nil || exact.Cmp(d) != 0 {
		return Decimal{}, fmt.Errorf("%q has more than 19 digits", text)
	}
	return Decimal{d}, nil
}

// whole is an integer as a decimal.
func whole(v int64) (Decimal, error) {
	d, err := decimal.New(v, 0)
	return Decimal{d}, err
}

// add, sub, mul and quo are the arithmetic of expressions and scores.
func (d Decimal) add(e Decimal) (Decimal, error) {
	r, err := d.Decimal.AddExact(e.Decimal, max(d.Scale(), e.Scale()))
	return Decimal{r}, err
}

func (d Decimal) sub(e Decimal) (Decimal, error) {
	r, err := d.Decimal.SubExact(e.Decimal, max(d.Scale(), e.Scale()))
	return Decimal{r}, err
}

func (d Decimal) mul(e Decimal) (Decimal, error) {
	if d.Scale()+e.Scale() > decimal.MaxScale {
		d, e = Decimal{d.Trim(0)}, Decimal{e.Trim(0)}
	}
	if d.Scale()+e.Scale() > decimal.MaxScale {
		return Decimal{}, errOutOfRange
	}
	r, err := d.Decimal.MulExact(e.Decimal, d.Scale()+e.Scale())
	return Decimal{r}, err
}

func (d Decimal) quo(e Decimal) (Decimal, error) {
	r, err := d.Decimal.Quo(e.Decimal)
	return Decimal{r}, err
}

// MarshalJSON writes the number as a text, so that no reader makes a float of it.
func (d Decimal) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON is the inverse of MarshalJSON.
func (d *Decimal) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	parsed, err := ParseDecimal(text)
	*d = parsed
	return err
}

// ConvertToNative implements ref.Val.
func (d Decimal) ConvertToNative(t reflect.Type) (any, error) {
	if t == reflect.TypeFor[Decimal]() {
		return d, nil
	}
	return nil, fmt.Errorf("a decimal is no %v", t)
}

// ConvertToType implements ref.Val.
func (d Decimal) ConvertToType(t ref.Type) ref.Val {
	switch t.TypeName() {
	case decimalType.TypeName():
		return d
	case types.StringType.TypeName():
		return types.String(d.String())
	}
	return types.NewErr("a decimal is no %s", t.TypeName())
}

// Equal implements ref.Val.
func (d Decimal) Equal(other ref.Val) ref.Val {
	o, ok := other.(Decimal)
	return types.Bool(ok && d.Cmp(o.Decimal) == 0)
}

// Type implements ref.Val.
func (d Decimal) Type() ref.Type { return decimalType }

// Value implements ref.Val.
func (d Decimal) Value() any { return d }

// with applies an operation to two decimals of an expression.
func (d Decimal) with(other ref.Val, op func(a, b Decimal) (Decimal, error)) ref.Val {
	o, ok := other.(Decimal)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	r, err := op(d, o)
	if err != nil {
		return types.NewErr("decimals: %v", err)
	}
	return r
}

// Add implements traits.Adder.
func (d Decimal) Add(other ref.Val) ref.Val { return d.with(other, Decimal.add) }

// Subtract implements traits.Subtractor.
func (d Decimal) Subtract(other ref.Val) ref.Val { return d.with(other, Decimal.sub) }

// Multiply implements traits.Multiplier.
func (d Decimal) Multiply(other ref.Val) ref.Val { return d.with(other, Decimal.mul) }

// Divide implements traits.Divider.
func (d Decimal) Divide(other ref.Val) ref.Val { return d.with(other, Decimal.quo) }

// Negate implements traits.Negater.
func (d Decimal) Negate() ref.Val { return Decimal{d.Neg()} }

// Compare implements traits.Comparer.
func (d Decimal) Compare(other ref.Val) ref.Val {
	o, ok := other.(Decimal)
	if !ok {
		return types.MaybeNoSuchOverloadErr(other)
	}
	return types.Int(d.Cmp(o.Decimal))
}
