package money

// currencies lists the supported currencies, alphabetically, with the number
// of decimal places of their minor unit (ISO 4217). Never written to.
var currencies = [...]struct {
	code     string
	exponent int
}{
	{"AUD", 2}, {"BGN", 2}, {"CAD", 2}, {"CDF", 2}, {"CHF", 2}, {"CZK", 2},
	{"DKK", 2}, {"EUR", 2}, {"GBP", 2}, {"GHS", 2}, {"GMD", 2}, {"GNF", 0},
	{"HUF", 2}, {"ISK", 0}, {"JPY", 0}, {"KES", 2}, {"MAD", 2}, {"NGN", 2},
	{"NOK", 2}, {"NZD", 2}, {"PLN", 2}, {"RON", 2}, {"RWF", 0}, {"SEK", 2},
	{"TND", 3}, {"TRY", 2}, {"UGX", 0}, {"USD", 2}, {"XAF", 0}, {"XOF", 0},
	{"ZAR", 2}, {"ZMW", 2},
}

// Exponent returns the number of decimal places of a currency's minor unit:
// 2 for GBP, 0 for XOF. The second result is false for a currency that is
// not supported. Codes are upper case.
func Exponent(code string) (int, bool) {
	for _, c := range currencies {
		if c.code == code {
			return c.exponent, true
		}
	}
	return 0, false
}

// Currencies returns the codes of the supported currencies, alphabetically.
func Currencies() []string {
	codes := make([]string, len(currencies))
	for i, c := range currencies {
		codes[i] = c.code
	}
	return codes
}
