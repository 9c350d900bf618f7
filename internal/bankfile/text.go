package bankfile

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Most characters of texts in SEPA files (EPC217-08 and the implementation
// guidelines of the schemes).
const (
	maxName       = 70
	maxRemittance = 140
	maxID         = 35
)

// spelled are letters and signs that are written as others. The order of business
// is that of EPC217-08: German umlauts in two letters, accents dropped, Greek and
// Bulgarian by sound.
var spelled = map[rune]string{
	'ä': "ae", 'ö': "oe", 'ü': "ue", 'Ä': "Ae", 'Ö': "Oe", 'Ü': "Ue", 'ß': "ss", 'ẞ': "SS",
	'æ': "ae", 'Æ': "AE", 'œ': "oe", 'Œ': "OE", 'ø': "o", 'Ø': "O", 'ł': "l", 'Ł': "L", 'đ': "d", 'Đ': "D",
	'ð': "d", 'Ð': "D", 'þ': "th", 'Þ': "TH", 'ı': "i", 'ħ': "h", 'Ħ': "H", 'ŋ': "n", 'Ŋ': "N",
	'&': "+", '_': "-", '–': "-", '—': "-", '‐': "-", '‑': "-", '’': "'", '‘': "'", '`': "'", '´': "'",
	'"': "'", '“': "'", '”': "'", '„': "'", '«': "'", '»': "'", '[': "(", '{': "(", '<': "(", ']': ")", '}': ")", '>': ")",
	';': ",", '!': ".", '…': "...", '\\': "/", '|': "/", '⁄': "/", '€': "EUR", '£': "GBP", '@': "(at)", 'ª': "a", 'º': "o",

	'α': "a", 'β': "v", 'γ': "g", 'δ': "d", 'ε': "e", 'ζ': "z", 'η': "i", 'θ': "th", 'ι': "i", 'κ': "k",
	'λ': "l", 'μ': "m", 'ν': "n", 'ξ': "x", 'ο': "o", 'π': "p", 'ρ': "r", 'σ': "s", 'ς': "s", 'τ': "t",
	'υ': "y", 'φ': "f", 'χ': "ch", 'ψ': "ps", 'ω': "o",
	'Α': "A", 'Β': "V", 'Γ': "G", 'Δ': "D", 'Ε': "E", 'Ζ': "Z", 'Η': "I", 'Θ': "TH", 'Ι': "I", 'Κ': "K",
	'Λ': "L", 'Μ': "M", 'Ν': "N", 'Ξ': "X", 'Ο': "O", 'Π': "P", 'Ρ': "R", 'Σ': "S", 'Τ': "T", 'Υ': "Y",
	'Φ': "F", 'Χ': "CH", 'Ψ': "PS", 'Ω': "O",

	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'д': "d", 'е': "e", 'ж': "zh", 'з': "z", 'и': "i", 'й': "y",
	'к': "k", 'л': "l", 'м': "m", 'н': "n", 'о': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t", 'у': "u",
	'ф': "f", 'х': "h", 'ц': "ts", 'ч': "ch", 'ш': "sh", 'щ': "sht", 'ъ': "a", 'ь': "y", 'ю': "yu", 'я': "ya",
	'А': "A", 'Б': "B", 'В': "V", 'Г': "G", 'Д': "D", 'Е': "E", 'Ж': "ZH", 'З': "Z", 'И': "I", 'Й': "Y",
	'К': "K", 'Л': "L", 'М': "M", 'Н': "N", 'О': "O", 'П': "P", 'Р': "R", 'С': "S", 'Т': "T", 'У': "U",
	'Ф': "F", 'Х': "H", 'Ц': "TS", 'Ч': "CH", 'Ш': "SH", 'Щ': "SHT", 'Ъ': "A", 'Ь': "Y", 'Ю': "YU", 'Я': "YA",
}

// inSEPA tells whether SEPA files may carry a character.
func inSEPA(r rune) bool {
	return r < utf8.RuneSelf && (isAlphanumeric(r) || strings.ContainsRune(" /-?:().,'+", r))
}

// inBacs tells whether Bacs files may carry a character.
func inBacs(r rune) bool {
	return r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(" .&/-", r)
}

func isAlphanumeric(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
}

// readable tells whether a text has anything left to read.
func readable(s string) bool { return strings.IndexFunc(s, isAlphanumeric) >= 0 }

// SEPAText writes a text in the characters that SEPA files carry and cuts it after
// most of them: ä becomes ae, é e, ß ss, & a plus. What has no counterpart becomes
// a full stop, white space one space.
func SEPAText(s string, most int) string {
	var b strings.Builder
	for _, r := range norm.NFC.String(s) {
		spell(&b, r)
	}
	return cut(b.String(), most)
}

// spell writes one character.
func spell(b *strings.Builder, r rune) {
	if to, ok := spelled[r]; ok {
		b.WriteString(to)
		return
	}
	switch {
	case inSEPA(r):
		b.WriteRune(r)
		return
	case unicode.IsSpace(r) || unicode.IsControl(r):
		b.WriteByte(' ')
		return
	case unicode.IsMark(r):
		return
	}
	for i, part := range norm.NFKD.String(string(r)) {
		to, ok := spelled[part]
		switch {
		case ok:
			b.WriteString(to)
		case inSEPA(part):
			b.WriteRune(part)
		case unicode.IsMark(part):
		case i == 0:
			b.WriteByte('.')
		}
	}
}

// cut makes one space of several, and ends a text after most characters. A text
// neither begins nor ends with a slash and has no two of them in a row.
func cut(s string, most int) string {
	s = strings.Join(strings.Fields(s), " ")
	for strings.Contains(s, "//") {
		s = strings.ReplaceAll(s, "//", "/")
	}
	s = strings.TrimLeft(s, "/ ")
	if len(s) > most {
		s = s[:most]
	}
	return strings.TrimRight(s, "/ ")
}

func sepaName(s string) string { return SEPAText(s, maxName) }

// bacsText writes a text in the characters that Bacs files carry.
func bacsText(s string, most int) string {
	// What SEPA has no & for, Bacs has.
	const and = "+"
	s = strings.ToUpper(SEPAText(s, len(s)*4+8))
	s = strings.Map(func(r rune) rune {
		switch {
		case string(r) == and:
			return '&'
		case inBacs(r):
			return r
		case r == '(' || r == ')' || r == ',' || r == '\'' || r == ':' || r == '?':
			return ' '
		}
		return '.'
	}, s)
	return cut(s, most)
}

func bacsName(s string) string { return bacsText(s, 18) }

// checkID tells what is wrong with an identifier, which is never changed: who
// reads it back must find it again.
func checkID(field, id string, most int) error {
	switch {
	case id == "":
		return wrong(field, "is missing")
	case len(id) > most:
		return wrong(field, "is longer than %d characters", most)
	case strings.IndexFunc(id, func(r rune) bool { return !inSEPA(r) }) >= 0:
		return wrong(field, "has characters that SEPA files do not carry")
	case strings.HasPrefix(id, "/") || strings.HasSuffix(id, "/") || strings.Contains(id, "//"):
		return wrong(field, "begins or ends with a slash or has two in a row")
	case strings.TrimSpace(id) != id || strings.Contains(id, "  "):
		return wrong(field, "has spaces in front, at its end or several in a row")
	}
	return nil
}
