package form

import (
	"math"
	"math/big"
	"strconv"
	"strings"
)

const (
	notInteger = "A valid integer is required."
	notNumber  = "A valid number is required."
	tooLong    = "String value too large."

	// maxNumberText is the longest text read as a number.
	maxNumberText = 1000
)

type integerKind struct{ common }

func (integerKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	if n, ok := in.Int(); ok {
		return result{value: in}, f.within(n)
	}
	switch in.kind {
	case KindInt, KindString:
	case KindFloat:
		in = StringValue(pythonFloat(in.text))
	default:
		return result{}, messages(notInteger)
	}
	if in.kind == KindString && textLength(in) > maxNumberText {
		return result{}, messages(tooLong)
	}
	literal, ok := pythonInt(withoutZeroFraction(in.text))
	if !ok {
		return result{}, messages(notInteger)
	}
	n, ok := parseInt64(literal)
	if !ok {
		return result{}, f.beyond(literal)
	}
	return result{value: IntValue(n)}, f.within(n)
}

// withoutZeroFraction cuts a final "." and the zeros after it.
func withoutZeroFraction(s string) string {
	whole := strings.TrimRight(strings.TrimRightFunc(s, isSpace), "0")
	if strings.HasSuffix(whole, ".") {
		return whole[:len(whole)-1]
	}
	return s
}

func (f *Field) within(n int64) *detail {
	switch {
	case f.maxValue != nil && n > *f.maxValue:
		return messages(atMost(*f.maxValue))
	case f.minValue != nil && n < *f.minValue:
		return messages(atLeast(*f.minValue))
	}
	return nil
}

// beyond reports a number that int64 cannot hold: by the bound it breaks, if
// the field has that bound.
func (f *Field) beyond(literal string) *detail {
	negative := strings.HasPrefix(literal, "-")
	switch {
	case !negative && f.maxValue != nil:
		return messages(atMost(*f.maxValue))
	case negative && f.minValue != nil:
		return messages(atLeast(*f.minValue))
	}
	return messages(notInteger)
}

func atMost(n int64) string {
	return "Ensure this value is less than or equal to " + formatInt(n) + "."
}

func atLeast(n int64) string {
	return "Ensure this value is greater than or equal to " + formatInt(n) + "."
}

type floatKind struct{ common }

func (floatKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	switch in.kind {
	case KindBool:
		text := "0"
		if in.yes {
			text = "1"
		}
		in = Value{kind: KindFloat, text: text}
	case KindInt, KindFloat:
	case KindString:
		if textLength(in) > maxNumberText {
			return result{}, messages(tooLong)
		}
		text, ok := floatDigits(in.text)
		if !ok {
			return result{}, messages(notNumber)
		}
		in.text = text
	default:
		return result{}, messages(notNumber)
	}
	n, err := strconv.ParseFloat(in.text, 64)
	if err != nil || math.IsInf(n, 0) || math.IsNaN(n) {
		return result{}, messages(notNumber)
	}
	if f.maxValue != nil && n > float64(*f.maxValue) {
		return result{}, messages(atMost(*f.maxValue))
	}
	if f.minValue != nil && n < float64(*f.minValue) {
		return result{}, messages(atLeast(*f.minValue))
	}
	return result{value: Value{kind: KindFloat, text: floatText(n)}}, nil
}

// floatDigits returns the text of a float as Go reads it. Only decimal digits,
// a point and an exponent pass: no hexadecimal, no infinity.
func floatDigits(s string) (string, bool) {
	s = asciiDigits(strings.TrimSpace(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case '0' <= c && c <= '9' || strings.IndexByte("+-.eE", c) >= 0:
		case c == '_' && 0 < i && i < len(s)-1 && isDigit(s[i-1]) && isDigit(s[i+1]):
		default:
			return "", false
		}
	}
	return strings.ReplaceAll(s, "_", ""), s != ""
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// decimalKind accepts at most digits digits, places of them after the point.
type decimalKind struct {
	common
	digits, places int
}

func (k decimalKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	var text string
	switch in.kind {
	case KindString, KindInt, KindFloat:
		text = trim(pythonText(in))
	default:
		return result{}, messages(notNumber)
	}
	if text == "" && f.null {
		return result{}, nil
	}
	if textLength(Value{text: text, lone: in.lone}) > maxNumberText {
		return result{}, messages(tooLong)
	}
	n, ok := readDecimal(text)
	if !ok {
		return result{}, messages(notNumber)
	}
	if wrong := k.precision(n); wrong != nil {
		return result{}, wrong
	}
	normal := n.fixed(k.places)
	if wrong := f.withinDecimal(normal, k.places); wrong != nil {
		return result{}, wrong
	}
	return result{value: StringValue(normal)}, nil
}

// precision reports the first of the three limits that n breaks.
func (k decimalKind) precision(n decimalNumber) *detail {
	total, whole, places := n.size()
	switch {
	case total > k.digits:
		return messages("Ensure that there are no more than " + strconv.Itoa(k.digits) + " digits in total.")
	case places > k.places:
		return messages("Ensure that there are no more than " + strconv.Itoa(k.places) + " decimal places.")
	case whole > k.digits-k.places:
		return messages("Ensure that there are no more than " + strconv.Itoa(k.digits-k.places) +
			" digits before the decimal point.")
	}
	return nil
}

// withinDecimal compares a normalised decimal with the bounds of the field.
func (f *Field) withinDecimal(normal string, places int) *detail {
	if f.maxValue == nil && f.minValue == nil {
		return nil
	}
	n, _ := new(big.Int).SetString(strings.Replace(normal, ".", "", 1), 10)
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)
	if f.maxValue != nil && n.Cmp(new(big.Int).Mul(big.NewInt(*f.maxValue), scale)) > 0 {
		return messages(atMost(*f.maxValue))
	}
	if f.minValue != nil && n.Cmp(new(big.Int).Mul(big.NewInt(*f.minValue), scale)) < 0 {
		return messages(atLeast(*f.minValue))
	}
	return nil
}

// decimalNumber is sign, digits and exponent as they were written: trailing
// zeros count.
type decimalNumber struct {
	negative bool
	digits   string // without leading zeros, "0" for zero
	exponent int
}

// maxExponent bounds the exponent that is read; anything beyond it has too many
// digits for every field.
const maxExponent = 1_000_000_000

// readDecimal reads what Python's Decimal reads, infinities and NaN apart.
func readDecimal(s string) (decimalNumber, bool) {
	s = strings.ReplaceAll(asciiDigits(s), "_", "")
	var n decimalNumber
	if s != "" && (s[0] == '-' || s[0] == '+') {
		n.negative = s[0] == '-'
		s = s[1:]
	}
	end := digits(s, 0)
	whole, fraction := s[:end], ""
	if end < len(s) && s[end] == '.' {
		start := end + 1
		end = digits(s, start)
		fraction = s[start:end]
	}
	if whole == "" && fraction == "" {
		return n, false
	}
	exponent := 0
	if end < len(s) {
		var ok bool
		if exponent, ok = readExponent(s[end:]); !ok {
			return n, false
		}
	}
	n.digits = strings.TrimLeft(whole+fraction, "0")
	if n.digits == "" {
		n.digits = "0"
	}
	n.exponent = exponent - len(fraction)
	return n, true
}

// readExponent reads "e" and a number, clamped to ±maxExponent.
func readExponent(s string) (int, bool) {
	if s[0] != 'e' && s[0] != 'E' {
		return 0, false
	}
	s = s[1:]
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	if s == "" || digits(s, 0) != len(s) {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	if err != nil || n > maxExponent {
		n = maxExponent
	}
	if negative {
		n = -n
	}
	return n, true
}

// size returns how many digits n has in all, before and after the point.
func (n decimalNumber) size() (total, whole, places int) {
	switch count := len(n.digits); {
	case n.exponent >= 0:
		return count + n.exponent, count + n.exponent, 0
	case count > -n.exponent:
		return count, count + n.exponent, -n.exponent
	default:
		return -n.exponent, 0, -n.exponent
	}
}

// fixed writes n with exactly places digits after the point; it has no more.
func (n decimalNumber) fixed(places int) string {
	text := n.digits + strings.Repeat("0", places+n.exponent)
	if short := places + 1 - len(text); short > 0 {
		text = strings.Repeat("0", short) + text
	}
	point := len(text) - places
	whole := strings.TrimLeft(text[:point], "0")
	if whole == "" {
		whole = "0"
	}
	if places > 0 {
		whole += "." + text[point:]
	}
	if n.negative {
		return "-" + whole
	}
	return whole
}
