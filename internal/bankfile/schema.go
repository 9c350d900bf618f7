package bankfile

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

// A schema is written as text, one type a line:
//
//	Name = first:Type second:Type? third:Type* fourth:Type+ fifth:Type{3}
//
// is a sequence, in which the marks say how often an element may come, and a line
// with | instead of = is a choice of one. Types that no line names are simple ones
// (schematypes.go) or Any, which is not looked into.

// member is an element in a type, most times at most; most 0 is without end.
type member struct {
	name, kind  string
	least, most int
}

type complexType struct {
	choice  bool
	members []member
}

type schema map[string]complexType

// parseSchema reads a schema of this package. A schema that is wrong is found by
// the tests, which read all of them.
func parseSchema(text string) (schema, error) {
	s := schema{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if len(fields) < 3 || fields[1] != "=" && fields[1] != "|" || s[fields[0]].members != nil {
			return nil, fmt.Errorf("bankfile: schema line %q", line)
		}
		t := complexType{choice: fields[1] == "|"}
		for _, f := range fields[2:] {
			m, err := parseMember(f)
			if err != nil {
				return nil, err
			}
			t.members = append(t.members, m)
		}
		s[fields[0]] = t
	}
	for name, t := range s {
		for _, m := range t.members {
			if _, complex := s[m.kind]; !complex && simpleTypes[m.kind] == nil && m.kind != "Any" && m.kind != "Amount" && m.kind != "Payable" {
				return nil, fmt.Errorf("bankfile: schema type %s: %s has no type %s", name, m.name, m.kind)
			}
		}
	}
	return s, nil
}

func parseMember(f string) (member, error) {
	name, kind, ok := strings.Cut(f, ":")
	m := member{name: name, least: 1, most: 1}
	if bare, times, counted := strings.Cut(kind, "{"); counted {
		m.least = 0
		kind = bare
		if _, err := fmt.Sscanf(times, "%d}", &m.most); err != nil {
			return m, fmt.Errorf("bankfile: schema member %q", f)
		}
	}
	switch {
	case strings.HasSuffix(kind, "?"):
		m.least = 0
	case strings.HasSuffix(kind, "*"):
		m.least, m.most = 0, 0
	case strings.HasSuffix(kind, "+"):
		m.most = 0
	}
	m.kind = strings.TrimRight(kind, "?*+")
	if !ok || m.name == "" || m.kind == "" {
		return m, fmt.Errorf("bankfile: schema member %q", f)
	}
	return m, nil
}

// schemas by the name of the message.
var schemas = map[string]func() (schema, error){
	"pain.001.001.09": sync.OnceValues(func() (schema, error) { return parseSchema(pain001v09 + painCommon) }),
	"pain.001.001.03": sync.OnceValues(func() (schema, error) { return parseSchema(pain001v03 + painCommonOld) }),
	"pain.008.001.08": sync.OnceValues(func() (schema, error) { return parseSchema(pain008v08 + painCommon) }),
	"camt.053.001.08": sync.OnceValues(func() (schema, error) { return parseSchema(camt053v08) }),
}

// SchemaError says where a file breaks the rules of its message.
type SchemaError struct {
	// Path are the elements from the root, such as Document/CstmrCdtTrfInitn/GrpHdr.
	Path   string
	Reason string
}

// Error implements error.
func (e *SchemaError) Error() string { return e.Path + ": " + e.Reason }

// Validate holds a file against the rules of its message: order and number of
// elements, lengths, patterns, codes and digits as the schema of ISO 20022 has
// them; for pain messages also the characters and lengths of the SEPA guidelines,
// and that numbers and control sums at both levels are those of the payments. It
// knows pain.001.001.03 and .09, pain.008.001.08 and camt.053.001.08. It returns a
// SchemaError for the first thing that is wrong.
func Validate(r io.Reader) error {
	v := &validator{d: newDecoder(r)}
	for {
		token, err := v.d.Token()
		if err == io.EOF {
			return errors.New("bankfile: this is no XML: it is empty")
		}
		if err != nil {
			return err
		}
		if start, ok := token.(xml.StartElement); ok {
			if err := v.root(start); err != nil {
				return err
			}
			break
		}
	}
	for {
		token, err := v.d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if _, ok := token.(xml.StartElement); ok {
			return v.fail("something follows the document")
		}
	}
}

type validator struct {
	d         *decoder
	schema    schema
	namespace string
	path      []string
	control   *control
}

func (v *validator) fail(format string, args ...any) error {
	return &SchemaError{Path: strings.Join(v.path, "/"), Reason: fmt.Sprintf(format, args...)}
}

func (v *validator) root(start xml.StartElement) error {
	message := strings.TrimPrefix(start.Name.Space, isoNamespace)
	v.namespace = start.Name.Space
	load, ok := schemas[message]
	if !ok || start.Name.Local != "Document" || message == start.Name.Space {
		return v.fail("<%s> of %q is no message that is known", start.Name.Local, start.Name.Space)
	}
	var err error
	if v.schema, err = load(); err != nil {
		return err
	}
	if strings.HasPrefix(message, "pain.") {
		v.control = newControl()
	}
	start.Attr = slices.DeleteFunc(start.Attr, func(a xml.Attr) bool { return a.Name.Local == "xmlns" })
	return v.element(start, "Document")
}

// element checks one element and everything in it.
func (v *validator) element(start xml.StartElement, kind string) error {
	v.path = append(v.path, start.Name.Local)
	defer func() { v.path = v.path[:len(v.path)-1] }()
	v.d.part()
	if start.Name.Space != v.namespace {
		return v.fail("is of another namespace: %q", start.Name.Space)
	}
	if kind == "Any" {
		return v.d.Skip()
	}
	t, complex := v.schema[kind]
	if !complex {
		return v.leaf(start, kind)
	}
	if len(start.Attr) > 0 {
		return v.fail("has an attribute")
	}
	if err := v.content(t); err != nil {
		return err
	}
	return v.control.end(v)
}

// content checks the elements in one of a complex type.
func (v *validator) content(t complexType) error {
	position, times := 0, 0
	for {
		token, err := v.d.Token()
		if err != nil {
			return noEOF(err)
		}
		switch token := token.(type) {
		case xml.CharData:
			if strings.TrimSpace(string(token)) != "" {
				return v.fail("has text between its elements")
			}
		case xml.EndElement:
			return v.complete(t, position, times)
		case xml.StartElement:
			next, err := v.place(t, position, times, token.Name.Local)
			if err != nil {
				return err
			}
			if next != position {
				position, times = next, 0
			}
			times++
			if err := v.element(token, t.members[position].kind); err != nil {
				return err
			}
		}
	}
}

// place finds which member an element is, after so many of the one at position.
func (v *validator) place(t complexType, position, times int, name string) (int, error) {
	i := slices.IndexFunc(t.members, func(m member) bool { return m.name == name })
	switch {
	case i < 0:
		return 0, v.fail("knows no %s", name)
	case t.choice && times > 0:
		return 0, v.fail("is a choice: %s is one too many", name)
	case t.choice:
		return i, nil
	case i < position:
		return 0, v.fail("%s is in the wrong place, after %s", name, t.members[position].name)
	case i == position && t.members[i].most > 0 && times >= t.members[i].most:
		return 0, v.fail("has %s more than %d times", name, t.members[i].most)
	}
	if i > position {
		return i, v.missing(t, position, times, i)
	}
	return i, nil
}

// missing refuses to leave out what must be there, from position to before end.
func (v *validator) missing(t complexType, position, times, end int) error {
	for i := position; i < end; i++ {
		if i == position && times >= t.members[i].least {
			continue
		}
		if t.members[i].least > 0 {
			return v.fail("%s is missing", t.members[i].name)
		}
	}
	return nil
}

func (v *validator) complete(t complexType, position, times int) error {
	if !t.choice {
		return v.missing(t, position, times, len(t.members))
	}
	if times == 0 {
		return v.fail("is empty")
	}
	return nil
}

// leaf checks an element of a simple type.
func (v *validator) leaf(start xml.StartElement, kind string) error {
	text, err := v.text()
	if err != nil {
		return err
	}
	if kind == "Amount" || kind == "Payable" {
		err = checkXMLAmount(start.Attr, text, kind == "Payable")
	} else if err = simpleTypes[kind](text); err == nil && len(start.Attr) > 0 {
		err = errors.New("has an attribute")
	}
	if err != nil {
		return v.fail("%q %s", text, err)
	}
	return v.control.leaf(v, start, text)
}

// text reads the text of an element that has nothing else in it.
func (v *validator) text() (string, error) {
	var b strings.Builder
	for {
		token, err := v.d.Token()
		if err != nil {
			return "", noEOF(err)
		}
		switch token := token.(type) {
		case xml.CharData:
			b.Write(token)
		case xml.StartElement:
			return "", v.fail("has an element %s where there is only text", token.Name.Local)
		case xml.EndElement:
			return b.String(), nil
		}
	}
}
