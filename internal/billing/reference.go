package billing

import (
	"regexp"
	"strconv"
	"strings"
)

// CreditorReference is a number as a creditor reference of ISO 11649: RF, two
// check digits, and the number without separators. Banks carry it unchanged, and
// refuse most slips of the pen.
func CreditorReference(number string) string {
	body := compact(number)
	return "RF" + checkDigits(body) + body
}

// FormatReference writes a reference in groups of four, as it is printed.
func FormatReference(reference string) string {
	var out strings.Builder
	for i, r := range reference {
		if i > 0 && i%4 == 0 {
			out.WriteByte(' ')
		}
		out.WriteRune(r)
	}
	return out.String()
}

// ValidReference tells whether a creditor reference has the right form and check
// digits.
func ValidReference(reference string) bool {
	reference = compact(reference)
	if len(reference) < 5 || len(reference) > 25 || !strings.HasPrefix(reference, "RF") {
		return false
	}
	return mod97(reference[4:]+reference[:4]) == 1
}

// checkDigits are those of ISO 7064 (mod 97-10) for the body of a reference.
func checkDigits(body string) string {
	digits := strconv.Itoa(98 - mod97(body+"RF00"))
	return strings.Repeat("0", 2-len(digits)) + digits
}

// mod97 is the remainder of a text read as a number, in which letters count from
// ten. It is -1 when another character stands in it.
func mod97(text string) int {
	sum := 0
	for _, r := range text {
		switch {
		case r >= '0' && r <= '9':
			sum = (sum*10 + int(r-'0')) % 97
		case r >= 'A' && r <= 'Z':
			sum = (sum*100 + int(r-'A') + 10) % 97
		default:
			return -1
		}
	}
	return sum
}

// compact is a reference in capitals, without what people write into it for the
// eye.
func compact(text string) string {
	return strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' || r == '\u00a0' {
			return -1
		}
		return r
	}, text))
}

// In the text of a transfer, a reference may be grouped, and stand among other
// words.
var (
	referenceIn = regexp.MustCompile(`(?i)\bRF[ ]?\d\d[ ]?S(?:[- ]?[2-9A-HJ-NP-Z]){8}\b`)
	numberIn    = regexp.MustCompile(`(?i)\bS[- ]?[2-9A-HJ-NP-Z]{4}[- ]?[2-9A-HJ-NP-Z]{4}\b`)
)

// NumbersIn are the numbers of statements that the text of a transfer names, in
// the order in which they stand there, each once: by references whose check
// digits fit, or else by the numbers themselves.
func NumbersIn(text string) []string {
	var out []string
	add := func(body string) {
		body = compact(body)
		number := body[:1] + "-" + body[1:5] + "-" + body[5:]
		for _, n := range out {
			if n == number {
				return
			}
		}
		out = append(out, number)
	}
	for _, found := range referenceIn.FindAllString(text, -1) {
		if ValidReference(found) {
			add(compact(found)[4:])
		}
	}
	if len(out) > 0 {
		return out
	}
	for _, found := range numberIn.FindAllString(referenceIn.ReplaceAllString(text, " "), -1) {
		add(found)
	}
	return out
}
