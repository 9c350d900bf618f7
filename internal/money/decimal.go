package money

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// ErrDecimal: the text is not a plain decimal number of so many places.
var ErrDecimal = errors.New("money: not a decimal number of that many places")

// ParseFixed reads a plain decimal ("-12.5": an optional sign, digits, an
// optional fraction) as an integer number of 10^-places: ParseFixed("12.5",
// 3) is 12500. Zeros beyond the last place are allowed, other digits are
// ErrDecimal, as is every other notation. Too large: ErrOverflow.
func ParseFixed(text string, places int) (int64, error) {
	digits, negative := text, false
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		digits, negative = rest, true
	} else {
		digits = strings.TrimPrefix(text, "+")
	}
	whole, fraction, point := strings.Cut(digits, ".")
	if whole == "" || (point && fraction == "") || !allDigits(whole) || !allDigits(fraction) {
		return 0, ErrDecimal
	}
	if len(fraction) > places {
		if strings.Trim(fraction[places:], "0") != "" {
			return 0, ErrDecimal
		}
		fraction = fraction[:places]
	}
	scaled := whole + fraction + strings.Repeat("0", places-len(fraction))
	magnitude, err := strconv.ParseUint(scaled, 10, 64)
	if err != nil || magnitude > math.MaxInt64 {
		return 0, ErrOverflow
	}
	if negative {
		return -int64(magnitude), nil
	}
	return int64(magnitude), nil
}

// FormatFixed writes value × 10^-places with exactly that many places:
// FormatFixed(12500, 3) is "12.500".
func FormatFixed(value int64, places int) string {
	text := strconv.FormatUint(magnitude(value), 10)
	if len(text) <= places {
		text = strings.Repeat("0", places-len(text)+1) + text
	}
	if places > 0 {
		text = text[:len(text)-places] + "." + text[len(text)-places:]
	}
	if value < 0 {
		return "-" + text
	}
	return text
}

// FormatTrimmed is FormatFixed without needless zeros at the end, but with at
// least the given number of places: FormatTrimmed(12500, 3, 1) is "12.5".
func FormatTrimmed(value int64, places, atLeast int) string {
	for places > atLeast && value%10 == 0 {
		value /= 10
		places--
	}
	return FormatFixed(value, places)
}

func allDigits(text string) bool {
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}
