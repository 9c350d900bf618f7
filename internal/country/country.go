// Package country knows the countries of ISO 3166-1 by their codes and English
// names, and which of them buyers may come from.
package country

import (
	"sort"
	"strings"
	"sync"

	"github.com/biter777/countries"
)

// Country is a country with its two-letter code.
type Country struct {
	Code string `json:"code" doc:"ISO 3166-1 alpha-2"`
	Name string `json:"name" doc:"English name"`
}

// buyers are the countries whose companies can be identified and therefore sold
// to on credit.
var buyers = []string{"GB", "FR", "DE", "ES", "IT", "NL", "BE", "IE", "AT", "PT", "LU"}

type index struct {
	byInput map[string]string
	names   map[string]string
}

// load builds the index once: every lookup afterwards is one map access.
var load = sync.OnceValue(func() index {
	x := index{byInput: map[string]string{}, names: map[string]string{}}
	for _, c := range countries.All() {
		code := c.Alpha2()
		if len(code) != 2 || c.Alpha3() == "" {
			continue
		}
		x.names[code] = c.String()
		x.byInput[code] = code
		x.byInput[c.Alpha3()] = code
		x.byInput[strings.ToUpper(c.String())] = code
		if n := int64(c); n > 0 && n < 1000 {
			x.byInput[pad(n)] = code
		}
	}
	for name, code := range map[string]string{
		"UNITED KINGDOM": "GB", "GREAT BRITAIN": "GB", "UNITED STATES": "US", "USA": "US",
		"UNITED STATES OF AMERICA": "US", "RUSSIA": "RU", "CZECH REPUBLIC": "CZ", "SOUTH KOREA": "KR",
		"IVORY COAST": "CI", "COTE D'IVOIRE": "CI", "CÔTE D'IVOIRE": "CI", "THE NETHERLANDS": "NL",
	} {
		x.byInput[name] = code
	}
	x.names["GB"], x.names["US"] = "United Kingdom", "United States"
	return x
})

func pad(n int64) string {
	s := []byte{byte('0' + n/100%10), byte('0' + n/10%10), byte('0' + n%10)}
	return string(s)
}

// Lookup turns a code (two letters, three letters or three digits) or an English
// name, in any case, into the two-letter code.
func Lookup(input string) (string, bool) {
	code, ok := load().byInput[strings.ToUpper(input)]
	return code, ok
}

// Name is the English name of a country, or the code itself when it is unknown.
func Name(code string) string {
	if n, ok := load().names[code]; ok {
		return n
	}
	return code
}

// Buyers lists the countries that buyers may come from, by name.
func Buyers() []Country { return list(buyers) }

func list(codes []string) []Country {
	out := make([]Country, len(codes))
	for i, c := range codes {
		out[i] = Country{Code: c, Name: Name(c)}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

// IsBuyer tells whether buyers may come from a country.
func IsBuyer(code string) bool {
	for _, c := range buyers {
		if c == code {
			return true
		}
	}
	return false
}
