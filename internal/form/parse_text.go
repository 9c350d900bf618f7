package form

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// string reads a string whose opening quote is at the cursor.
func (p *parser) string() Value {
	opening := p.at
	start := opening + 1
	for i := start; i < len(p.text); i++ {
		switch c := p.text[i]; {
		case c == '"':
			p.at = i + 1
			return Value{kind: KindString, text: p.text[start:i]}
		case c == '\\':
			return p.escaped(opening, i)
		case c < 0x20:
			p.fail("Invalid control character at", i)
			return Value{}
		}
	}
	p.fail("Unterminated string starting at", opening)
	return Value{}
}

// escaped reads a string that has an escape, the first of them at offset at.
func (p *parser) escaped(opening, at int) Value {
	var b strings.Builder
	b.WriteString(p.text[opening+1 : at])
	v := Value{kind: KindString}
	for at < len(p.text) {
		switch c := p.text[at]; {
		case c == '"':
			p.at = at + 1
			v.text = b.String()
			return v
		case c == '\\':
			next, lone := p.escape(&b, opening, at)
			if p.err != nil {
				return Value{}
			}
			at, v.lone = next, v.lone || lone
		case c < 0x20:
			p.fail("Invalid control character at", at)
			return Value{}
		default:
			b.WriteByte(c)
			at++
		}
	}
	p.fail("Unterminated string starting at", opening)
	return Value{}
}

// escape reads the escape at offset at into b and returns the offset after it,
// and whether it is half of a surrogate pair.
func (p *parser) escape(b *strings.Builder, opening, at int) (next int, lone bool) {
	if at+1 >= len(p.text) {
		p.fail("Unterminated string starting at", opening)
		return 0, false
	}
	if p.text[at+1] == 'u' {
		return p.unicodeEscape(b, at)
	}
	const names, meanings = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	i := strings.IndexByte(names, p.text[at+1])
	if i < 0 {
		p.fail(`Invalid \escape`, at)
		return 0, false
	}
	b.WriteByte(meanings[i])
	return at + 2, false
}

func (p *parser) unicodeEscape(b *strings.Builder, at int) (next int, lone bool) {
	r, ok := p.hex4(at + 2)
	if !ok {
		return 0, false
	}
	at += 6
	if isHigh(r) && strings.HasPrefix(p.text[at:], `\u`) {
		low, ok := p.hex4(at + 2)
		if !ok {
			return 0, false
		}
		if isLow(low) {
			b.WriteRune((r-0xD800)<<10 | (low - 0xDC00) + 0x10000)
			return at + 6, false
		}
	}
	if isHigh(r) || isLow(r) {
		writeSurrogate(b, r)
		return at, true
	}
	b.WriteRune(r)
	return at, false
}

// hex4 reads four hexadecimal digits; something must follow them.
func (p *parser) hex4(at int) (r rune, ok bool) {
	if at+4 < len(p.text) {
		ok = true
		for _, c := range []byte(p.text[at : at+4]) {
			digit := hexDigit(c)
			ok = ok && digit >= 0
			r = r<<4 | rune(digit&15)
		}
	}
	if !ok {
		p.fail(`Invalid \uXXXX escape`, at-1)
	}
	return r, ok
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func isHigh(r rune) bool { return 0xD800 <= r && r <= 0xDBFF }

func isLow(r rune) bool { return 0xDC00 <= r && r <= 0xDFFF }

// writeSurrogate writes half of a surrogate pair as three bytes, the way UTF-8
// would if it allowed it. surrogateAt reads it back.
func writeSurrogate(b *strings.Builder, r rune) {
	b.WriteByte(0xE0 | byte(r>>12))
	b.WriteByte(0x80 | byte(r>>6)&0x3F)
	b.WriteByte(0x80 | byte(r)&0x3F)
}

// surrogateAt returns the half surrogate pair at the start of s, if there is one.
func surrogateAt(s string) (rune, bool) {
	if len(s) >= 3 && s[0] == 0xED && s[1]&0xE0 == 0xA0 && s[2]&0xC0 == 0x80 {
		return 0xD000 | rune(s[1]&0x3F)<<6 | rune(s[2]&0x3F), true
	}
	return 0, false
}

// firstSurrogate returns the first half surrogate pair in s.
func firstSurrogate(s string) (rune, bool) {
	for i := strings.IndexByte(s, 0xED); i >= 0 && i < len(s); i++ {
		if r, ok := surrogateAt(s[i:]); ok {
			return r, true
		}
	}
	return 0, false
}

// utf8Problem describes the first byte sequence of body that is not UTF-8 in
// the words of CPython's decoder.
func utf8Problem(body []byte) string {
	at := 0
	for at < len(body) {
		r, size := utf8.DecodeRune(body[at:])
		if r == utf8.RuneError && size <= 1 {
			break
		}
		at += size
	}
	length, reason := badSequence(body[at:])
	if length == 1 {
		return fmt.Sprintf("'utf-8' codec can't decode byte 0x%02x in position %d: %s", body[at], at, reason)
	}
	return fmt.Sprintf("'utf-8' codec can't decode bytes in position %d-%d: %s", at, at+length-1, reason)
}

// badSequence returns how many of the first bytes of s belong to the sequence
// that is not UTF-8, and why it is not.
func badSequence(s []byte) (length int, reason string) {
	need, low, high := 0, byte(0x80), byte(0xBF)
	switch c := s[0]; {
	case c < 0xC2 || c > 0xF4:
		return 1, "invalid start byte"
	case c < 0xE0:
		need = 1
	case c < 0xF0:
		need = 2
	default:
		need = 3
	}
	switch s[0] {
	case 0xE0:
		low = 0xA0
	case 0xED:
		high = 0x9F
	case 0xF0:
		low = 0x90
	case 0xF4:
		high = 0x8F
	}
	for i := 1; i <= need; i++ {
		if i == len(s) {
			return i, "unexpected end of data"
		}
		if s[i] < low || s[i] > high {
			return i, "invalid continuation byte"
		}
		low, high = 0x80, 0xBF
	}
	return 1, "invalid start byte"
}
