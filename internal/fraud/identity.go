package fraud

import (
	"hash/crc32"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"tradecredit/internal/order"
	"tradecredit/internal/secret"
)

// Identifier is something that a buyer is recognised by, as it is stored: hashed
// under a secret, so that the table alone tells nobody's address.
type Identifier struct {
	Of   string
	Hash string
}

// Hash makes the identifier of a kind. The value is brought into one form first;
// one that says nothing gives false. country, alpha-2, is that of the company, for
// phone numbers written as within it.
func Hash(key secret.Key, of, value, country string) (Identifier, bool) {
	switch of {
	case OfEmail:
		value = emailKey(value)
	case OfDomain:
		value = domain(value)
	case OfPhone:
		value = phoneKey(value, country)
	default:
		value = strings.TrimSpace(value)
	}
	if value == "" {
		return Identifier{}, false
	}
	return Identifier{Of: of, Hash: key.Sign("fraud " + of + " " + value)}, true
}

// slots is how many locks there are.
const slots = 4096

// slot is the lock of an identifier. A few share one, which costs a wait at worst.
func (i Identifier) slot() int64 { return int64(crc32.ChecksumIEEE([]byte(i.Of+" "+i.Hash)) % slots) }

// emailKey is an address in lower case, without what follows a plus: one person
// can have any number of those.
func emailKey(email string) string {
	email = strings.ToLower(strings.TrimSpace(email))
	at := strings.LastIndexByte(email, '@')
	if at < 1 || at == len(email)-1 {
		return ""
	}
	local, _, _ := strings.Cut(email[:at], "+")
	if local == "" {
		local = email[:at]
	}
	return local + email[at:]
}

// domain is that of an address, or a domain itself.
func domain(email string) string {
	email = strings.ToLower(strings.TrimSpace(email))
	return strings.Trim(email[strings.LastIndexByte(email, '@')+1:], ". ")
}

// callingCodes are the codes of countries, as the ITU gives them out.
var callingCodes = map[string]string{
	"AT": "43", "BE": "32", "BG": "359", "CH": "41", "CY": "357", "CZ": "420", "DE": "49", "DK": "45", "EE": "372",
	"ES": "34", "FI": "358", "FR": "33", "GB": "44", "GR": "30", "HR": "385", "HU": "36", "IE": "353", "IT": "39",
	"LT": "370", "LU": "352", "LV": "371", "MT": "356", "NL": "31", "NO": "47", "PL": "48", "PT": "351", "RO": "40",
	"SE": "46", "SI": "386", "SK": "421", "US": "1",
}

// phoneKey is a number in its international form, digits only; empty for what has
// fewer than six.
func phoneKey(phone, country string) string {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ReplaceAll(phone, "(0)", ""))
	if len(digits) < 6 {
		return ""
	}
	switch {
	case international(phone):
		return strings.TrimPrefix(digits, "00")
	case callingCodes[country] != "":
		return callingCodes[country] + strings.TrimPrefix(digits, "0")
	}
	return digits
}

func international(phone string) bool {
	phone = strings.TrimSpace(phone)
	return strings.HasPrefix(phone, "+") || strings.HasPrefix(phone, "00")
}

// callingCode is that of a number; empty for one written as within a country, and
// "other" for a code that is not known here.
func callingCode(phone string) string {
	if !international(phone) {
		return ""
	}
	key := phoneKey(phone, "")
	if key == "" {
		return ""
	}
	for _, code := range callingCodes {
		// No code is the beginning of another.
		if strings.HasPrefix(key, code) {
			return code
		}
	}
	return "other"
}

// addressKey is the place of an address: country, postcode, and street without
// anything that is written one way or the other.
func addressKey(a *order.Address) string {
	if a == nil {
		return ""
	}
	postcode, street := letters(a.Postcode), letters(a.AddressLine1)
	if postcode == "" || street == "" {
		return ""
	}
	return strings.ToUpper(a.Country) + " " + postcode + " " + street
}

// letters are the letters and digits of a text, small.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// empty words of companies' names say nothing about whose domain it is.
var emptyWords = []string{
	"ltd", "limited", "plc", "llp", "inc", "corp", "company", "the", "and", "group", "holding", "holdings", "services",
	"international", "gmbh", "ohg", "sarl", "sas", "sasu", "eurl", "srl", "spa", "societe", "france", "deutschland",
	"iberica", "espana", "italia", "europe", "trading", "solutions", "unlimited", "cooperative",
}

// nameFits tells whether a domain has a word of a company's name, its first letters
// together, or all of it.
func nameFits(name, domain string) bool {
	label := letters(strings.TrimSuffix(domain, domain[strings.LastIndexByte(domain, '.')+1:]))
	name = strings.ToLower(plainLetters(name))
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	initials, telling := "", 0
	for _, w := range words {
		if slices.Contains(emptyWords, w) {
			continue
		}
		telling++
		initials += string([]rune(w)[:1])
		if len(w) >= 3 && strings.Contains(label, w) {
			return true
		}
	}
	whole := letters(name)
	return telling == 0 || len(initials) > 1 && strings.Contains(label, initials) || whole != "" && strings.Contains(label, whole)
}

// plainLetters takes the accents off.
func plainLetters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, norm.NFKD.String(strings.ToValidUTF8(s, " ")))
}
