package form

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep lists and objects may be nested in a body.
const maxDepth = 200

// maxIntDigits is the longest integer literal the recorded application reads.
const maxIntDigits = 4300

// ParseError says why a body is not JSON. Detail is the `detail` of the answer,
// a 400.
type ParseError struct{ Detail string }

// Error returns Detail.
func (e *ParseError) Error() string { return e.Detail }

// Parse reads a JSON body as CPython's json module does: duplicate keys take
// the last value, NaN and Infinity are refused, and a *ParseError carries that
// module's sentence with line, column and character counted in code points.
// An empty body is {}. A body nested more than 200 levels deep is refused.
// Half a surrogate pair parses; the fields refuse it.
func Parse(body []byte) (Value, error) {
	if len(body) == 0 {
		return Value{kind: KindObject}, nil
	}
	if !utf8.Valid(body) {
		return Value{}, parseError(utf8Problem(body))
	}
	p := parser{text: string(body)}
	if strings.HasPrefix(p.text, "\ufeff") {
		p.fail("Unexpected UTF-8 BOM (decode using utf-8-sig)", 0)
		return Value{}, p.err
	}
	p.space()
	v := p.value(0)
	if p.err == nil {
		p.space()
		if p.at < len(p.text) {
			p.fail("Extra data", p.at)
		}
	}
	if p.err != nil {
		return Value{}, p.err
	}
	return v, nil
}

func parseError(sentence string) *ParseError {
	return &ParseError{Detail: "JSON parse error - " + sentence}
}

// parser walks over text, which is valid UTF-8. After a failure err is set and
// everything returns.
type parser struct {
	text string
	at   int // byte offset
	err  error
}

// fail records a problem at a byte offset.
func (p *parser) fail(problem string, at int) {
	if p.err != nil {
		return
	}
	before := p.text[:at]
	line := 1 + strings.Count(before, "\n")
	column := 1 + utf8.RuneCountInString(before[1+strings.LastIndexByte(before, '\n'):])
	p.err = parseError(fmt.Sprintf("%s: line %d column %d (char %d)",
		problem, line, column, utf8.RuneCountInString(before)))
}

func (p *parser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// peek returns the byte at the cursor, 0 at the end.
func (p *parser) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *parser) value(depth int) Value {
	switch c := p.peek(); {
	case c == '"':
		return p.string()
	case c == '{' || c == '[':
		if depth >= maxDepth {
			p.fail(fmt.Sprintf("More than %d levels of nesting", maxDepth), p.at)
			return Value{}
		}
		if c == '{' {
			return p.object(depth + 1)
		}
		return p.array(depth + 1)
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	}
	return p.word()
}

func (p *parser) word() Value {
	rest := p.text[p.at:]
	switch {
	case strings.HasPrefix(rest, "null"):
		p.at += 4
		return Value{}
	case strings.HasPrefix(rest, "true"):
		p.at += 4
		return BoolValue(true)
	case strings.HasPrefix(rest, "false"):
		p.at += 5
		return BoolValue(false)
	case strings.HasPrefix(rest, "NaN"):
		return p.constant("NaN")
	case strings.HasPrefix(rest, "Infinity"):
		return p.constant("Infinity")
	}
	p.fail("Expecting value", p.at)
	return Value{}
}

// constant refuses a number that JavaScript has and JSON has not.
func (p *parser) constant(name string) Value {
	p.err = parseError("Out of range float values are not JSON compliant: '" + name + "'")
	return Value{}
}

func (p *parser) number() Value {
	start := p.at
	if strings.HasPrefix(p.text[start:], "-Infinity") {
		return p.constant("-Infinity")
	}
	at := start
	if p.text[at] == '-' {
		at++
	}
	switch first := digits(p.text, at); {
	case first == at:
		p.fail("Expecting value", start)
		return Value{}
	case p.text[at] == '0':
		at++
	default:
		at = first
	}
	float := false
	if at < len(p.text) && p.text[at] == '.' {
		if end := digits(p.text, at+1); end > at+1 {
			at, float = end, true
		}
	}
	if at < len(p.text) && (p.text[at] == 'e' || p.text[at] == 'E') {
		exponent := at + 1
		if exponent < len(p.text) && (p.text[exponent] == '+' || p.text[exponent] == '-') {
			exponent++
		}
		if end := digits(p.text, exponent); end > exponent {
			at, float = end, true
		}
	}
	p.at = at
	literal := p.text[start:at]
	if float {
		return floatLiteral(literal)
	}
	if n := len(strings.TrimPrefix(literal, "-")); n > maxIntDigits {
		p.err = parseError(fmt.Sprintf("Exceeds the limit (%d digits) for integer string conversion: value has %d digits",
			maxIntDigits, n))
		return Value{}
	}
	if literal == "-0" {
		literal = "0"
	}
	return Value{kind: KindInt, text: literal}
}

// digits returns the offset after the ASCII digits that start at offset at.
func digits(s string, at int) int {
	for at < len(s) && '0' <= s[at] && s[at] <= '9' {
		at++
	}
	return at
}

func (p *parser) array(depth int) Value {
	p.at++
	p.space()
	v := Value{kind: KindList}
	if p.peek() == ']' {
		p.at++
		return v
	}
	for {
		item := p.value(depth)
		if p.err != nil {
			return Value{}
		}
		v.list = append(v.list, item)
		v.lone = v.lone || item.lone
		v.huge = v.huge || item.huge
		p.space()
		switch p.peek() {
		case ']':
			p.at++
			return v
		case ',':
			p.at++
			p.space()
		default:
			p.fail("Expecting ',' delimiter", p.at)
			return Value{}
		}
	}
}

func (p *parser) object(depth int) Value {
	p.at++
	p.space()
	if p.peek() == '}' {
		p.at++
		return Value{kind: KindObject}
	}
	var m members
	for {
		key, value := p.member(depth)
		if p.err != nil {
			return Value{}
		}
		m.set(key, value)
		p.space()
		switch p.peek() {
		case '}':
			p.at++
			return m.object
		case ',':
			p.at++
			p.space()
		default:
			p.fail("Expecting ',' delimiter", p.at)
			return Value{}
		}
	}
}

func (p *parser) member(depth int) (key, value Value) {
	if p.peek() != '"' {
		p.fail("Expecting property name enclosed in double quotes", p.at)
		return
	}
	key = p.string()
	if p.err != nil {
		return
	}
	p.space()
	if p.peek() != ':' {
		p.fail("Expecting ':' delimiter", p.at)
		return
	}
	p.at++
	p.space()
	return key, p.value(depth)
}

// members collects an object. A repeated key keeps its first place and takes
// the last value.
type members struct {
	object Value
	places map[string]int // built once the object is large
}

func (m *members) set(key, value Value) {
	m.object.kind = KindObject
	m.object.lone = m.object.lone || key.lone || value.lone
	m.object.huge = m.object.huge || value.huge
	if at := m.place(key.text); at >= 0 {
		m.object.list[at] = value
		return
	}
	m.object.list = append(m.object.list, key, value)
	if m.places != nil {
		m.places[key.text] = len(m.object.list) - 1
	}
}

func (m *members) place(key string) int {
	const large = 32
	if m.places == nil && len(m.object.list) >= 2*large {
		m.places = make(map[string]int, 4*large)
		for i := 0; i < len(m.object.list); i += 2 {
			m.places[m.object.list[i].text] = i + 1
		}
	}
	if m.places != nil {
		if at, ok := m.places[key]; ok {
			return at
		}
		return -1
	}
	for i := 0; i < len(m.object.list); i += 2 {
		if m.object.list[i].text == key {
			return i + 1
		}
	}
	return -1
}
