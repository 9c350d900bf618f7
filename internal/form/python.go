package form

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// This file holds what the recorded messages and values owe to Python: its
// texts of values, its white space and its digits.

func formatInt(n int64) string { return strconv.FormatInt(n, 10) }

func parseInt64(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// floatLiteral returns the float of a JSON literal.
func floatLiteral(literal string) Value {
	f, err := strconv.ParseFloat(literal, 64)
	return Value{kind: KindFloat, text: literal, huge: err != nil || math.IsInf(f, 0)}
}

// pythonFloat returns repr() of the float with that literal.
func pythonFloat(literal string) string {
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil && !math.IsInf(f, 0) {
		return literal
	}
	return floatText(f)
}

// floatText returns repr(f): the shortest text that reads back as f, with an
// exponent below 1e-4 and from 1e16 on.
func floatText(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case math.IsNaN(f):
		return "nan"
	}
	size := math.Abs(f)
	if size != 0 && (size < 1e-4 || size >= 1e16) {
		return strconv.FormatFloat(f, 'e', -1, 64)
	}
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// typeName returns the name of v's Python type.
func typeName(v Value) string {
	switch v.kind {
	case KindBool:
		return "bool"
	case KindInt:
		return "int"
	case KindFloat:
		return "float"
	case KindString:
		return "str"
	case KindList:
		return "list"
	case KindObject:
		return "dict"
	default:
		return "NoneType"
	}
}

// pythonText returns str(v).
func pythonText(v Value) string {
	if v.kind == KindString || v.kind == KindInt {
		return v.text
	}
	return string(appendRepr(nil, v))
}

// appendRepr appends repr(v).
func appendRepr(to []byte, v Value) []byte {
	switch v.kind {
	case KindBool:
		if v.yes {
			return append(to, "True"...)
		}
		return append(to, "False"...)
	case KindInt:
		return append(to, v.text...)
	case KindFloat:
		return append(to, pythonFloat(v.text)...)
	case KindString:
		return appendStringRepr(to, v.text)
	case KindList:
		to = append(to, '[')
		for i := range v.list {
			if i > 0 {
				to = append(to, ", "...)
			}
			to = appendRepr(to, v.list[i])
		}
		return append(to, ']')
	case KindObject:
		to = append(to, '{')
		for i := 0; i < len(v.list); i += 2 {
			if i > 0 {
				to = append(to, ", "...)
			}
			to = append(appendRepr(to, v.list[i]), ": "...)
			to = appendRepr(to, v.list[i+1])
		}
		return append(to, '}')
	default:
		return append(to, "None"...)
	}
}

func appendStringRepr(to []byte, s string) []byte {
	quote := byte('\'')
	if strings.IndexByte(s, '\'') >= 0 && strings.IndexByte(s, '"') < 0 {
		quote = '"'
	}
	to = append(to, quote)
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if half, ok := surrogateAt(s[i:]); ok {
			r, size = half, 3
		}
		switch {
		case r == '\\' || r == rune(quote):
			to = append(to, '\\', byte(r))
		case r == '\n':
			to = append(to, `\n`...)
		case r == '\r':
			to = append(to, `\r`...)
		case r == '\t':
			to = append(to, `\t`...)
		case unicode.IsPrint(r):
			to = append(to, s[i:i+size]...)
		case r < 0x100:
			to = appendHex(append(to, `\x`...), r, 2)
		case r < 0x10000:
			to = appendHex(append(to, `\u`...), r, 4)
		default:
			to = appendHex(append(to, `\U`...), r, 8)
		}
		i += size
	}
	return append(to, quote)
}

func appendHex(to []byte, r rune, width int) []byte {
	for shift := 4 * (width - 1); shift >= 0; shift -= 4 {
		to = append(to, "0123456789abcdef"[r>>shift&15])
	}
	return to
}

// isSpace reports whether Python's str.isspace and str.strip count r as white
// space.
func isSpace(r rune) bool {
	return 0x1C <= r && r <= 0x1F || unicode.IsSpace(r)
}

// trim returns s.strip().
func trim(s string) string {
	if s == "" || plain(s[0]) && plain(s[len(s)-1]) {
		return s
	}
	return strings.TrimFunc(s, isSpace)
}

func plain(c byte) bool { return ' ' < c && c < utf8.RuneSelf }

// asciiDigits returns s with every decimal digit of any script as 0 to 9.
func asciiDigits(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return strings.Map(asciiDigit, s)
		}
	}
	return s
}

// asciiDigit uses that Unicode keeps the ten digits of a script together, in
// order, and that the zero follows something that is not a digit or is the
// digit nine of another run.
func asciiDigit(r rune) rune {
	if r < utf8.RuneSelf || !unicode.Is(unicode.Nd, r) {
		return r
	}
	for _, run := range unicode.Nd.R16 {
		if rune(run.Lo) <= r && r <= rune(run.Hi) {
			return '0' + (r-rune(run.Lo))%10
		}
	}
	for _, run := range unicode.Nd.R32 {
		if rune(run.Lo) <= r && r <= rune(run.Hi) {
			return '0' + (r-rune(run.Lo))%10
		}
	}
	return r
}

// pythonInt reads s as int(s) does, which unlike str.strip does not trim U+001C
// to U+001F, and returns the literal without sign noise,
// leading zeros and underscores.
func pythonInt(s string) (literal string, ok bool) {
	s = asciiDigits(strings.TrimSpace(s))
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	if !digitGroups(s) {
		return "", false
	}
	s = strings.TrimLeft(strings.ReplaceAll(s, "_", ""), "0")
	switch {
	case s == "":
		return "0", true
	case negative:
		return "-" + s, true
	}
	return s, true
}

// digitGroups reports whether s is digits, with single underscores between them.
func digitGroups(s string) bool {
	digit := false
	for i := 0; i < len(s); i++ {
		switch {
		case '0' <= s[i] && s[i] <= '9':
			digit = true
		case s[i] == '_' && digit:
			digit = false
		default:
			return false
		}
	}
	return digit
}

// textLength returns len(s) in code points; half a surrogate pair counts as one.
func textLength(v Value) int {
	n := utf8.RuneCountInString(v.text)
	if !v.lone {
		return n
	}
	for i := 0; i < len(v.text); i++ {
		if _, ok := surrogateAt(v.text[i:]); ok {
			n -= 2
		}
	}
	return n
}

// appendString appends s as JSON: unescaped but for quotes, backslashes,
// controls and the two line separators. Half a surrogate pair becomes U+FFFD.
func appendString(to []byte, s string) []byte {
	to = append(to, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		size := 1
		replacement := ""
		if c < utf8.RuneSelf {
			replacement = escapeASCII(c)
		} else {
			var r rune
			r, size = utf8.DecodeRuneInString(s[i:])
			switch _, half := surrogateAt(s[i:]); {
			case half:
				replacement, size = "\ufffd", 3
			case r == utf8.RuneError && size == 1:
				replacement = "\ufffd"
			case r == '\u2028':
				replacement = `\u2028`
			case r == '\u2029':
				replacement = `\u2029`
			}
		}
		if replacement != "" {
			to = append(append(to, s[start:i]...), replacement...)
			start = i + size
		}
		i += size
	}
	return append(append(to, s[start:]...), '"')
}

func escapeASCII(c byte) string {
	switch c {
	case '"':
		return `\"`
	case '\\':
		return `\\`
	case '\n':
		return `\n`
	case '\r':
		return `\r`
	case '\t':
		return `\t`
	case '\b':
		return `\b`
	case '\f':
		return `\f`
	}
	return string(appendHex([]byte(`\u`), rune(c), 4))
}
