package pay

import (
	"strings"
	"time"

	"tradecredit/internal/money"
)

// locale is a language with its ways to write amounts and dates. Adding a language is a table in web/locales and
// one of these.
type locale struct {
	tag    string // for <html lang>
	table  table
	amount func(minor int64, currency string) string
	date   func(time.Time) string
	month  func(time.Time) string
}

// localeEnGB is English as written in Great Britain; the table is filled in by NewRenderer.
func localeEnGB(t table) *locale {
	return &locale{
		tag:    "en-GB",
		table:  t,
		amount: amountEnGB,
		date:   func(d time.Time) string { return d.UTC().Format("2 January 2006") },
		month:  func(d time.Time) string { return d.UTC().Format("January 2006") },
	}
}

// currencyEnGB is how a currency is marked in en-GB; others are marked by their ISO code. A mark that ends in a
// letter is parted from the number by a no-break space.
// Source: Unicode CLDR for en-GB, as Intl.NumberFormat writes it; the golden test holds the values.
func currencyEnGB(code string) string {
	switch code {
	case "GBP":
		return "£"
	case "EUR":
		return "€"
	case "USD":
		return "US$"
	case "JPY":
		return "JP¥"
	case "CAD":
		return "CA$"
	case "AUD":
		return "A$"
	case "NZD":
		return "NZ$"
	case "XOF":
		return "F\u202fCFA\u00a0"
	case "XAF":
		return "FCFA\u00a0"
	}
	return code + "\u00a0"
}

// amountEnGB writes an amount in minor units: "£1,234,567.89", "-£20.00". A currency the program does not know is
// written with two decimals.
func amountEnGB(minor int64, currency string) string {
	decimals, known := money.Exponent(currency)
	if !known {
		decimals = 2
	}
	digits, negative := strings.CutPrefix(money.FormatFixed(minor, decimals), "-")
	whole, fraction, hasFraction := strings.Cut(digits, ".")
	number := currencyEnGB(currency) + grouped(whole)
	if hasFraction {
		number += "." + fraction
	}
	if negative {
		return "-" + number
	}
	return number
}

// grouped puts a comma between thousands.
func grouped(digits string) string {
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// percent shortens a decimal string for reading: "1.20" → "1.2", "2.00" → "2". Zero and what is no plain decimal
// are "".
func percent(decimal string) string {
	whole, fraction, _ := strings.Cut(decimal, ".")
	if whole == "" || strings.Trim(whole+fraction, "0123456789") != "" {
		return ""
	}
	fraction = strings.TrimRight(fraction, "0")
	if fraction != "" {
		return whole + "." + fraction
	}
	if strings.Trim(whole, "0") == "" {
		return ""
	}
	return whole
}
