package company

import "strings"

const maxNumber = 40

// NumberKey returns a registration number as it is compared: letters and digits
// only, in upper case, without the country's code in front, without leading
// zeros (also behind a prefix of letters: SC001234 is SC1234). French numbers
// that contain the SIREN (SIRET, VAT number, "RCS Paris …") become the SIREN. It
// is empty when nothing is left.
func NumberKey(country, number string) string {
	var b strings.Builder
	for _, r := range number {
		switch {
		case b.Len() == maxNumber:
		case r >= '0' && r <= '9' || r >= 'A' && r <= 'Z':
			b.WriteRune(r)
		case r >= 'a' && r <= 'z':
			b.WriteRune(r - 'a' + 'A')
		}
	}
	key := b.String()
	if rest, ok := strings.CutPrefix(key, country); ok && digits(rest) >= 5 {
		key = rest
	}
	if country == "FR" {
		key = siren(key)
	}
	return trimZeros(key)
}

func digits(s string) (n int) {
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			n++
		}
	}
	return n
}

// siren finds the nine digits of a SIREN in the longer numbers made from it.
func siren(key string) string {
	tail := len(key)
	for tail > 0 && key[tail-1] >= '0' && key[tail-1] <= '9' {
		tail--
	}
	d := key[tail:]
	switch {
	case len(d) == 14 && tail == 0: // SIRET: SIREN and the number of the establishment
		return d[:9]
	case len(key) == 11 && len(d) >= 9: // VAT: two characters and the SIREN
		return key[2:]
	case len(d) == 9: // RCS and the town
		return d
	}
	return key
}

func trimZeros(key string) string {
	letters := 0
	for letters < len(key) && (key[letters] < '0' || key[letters] > '9') {
		letters++
	}
	rest := strings.TrimLeft(key[letters:], "0")
	return key[:letters] + rest
}
