package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/google/uuid"

	"tradecredit/internal/form"
	"tradecredit/internal/id"
)

// samples are the examples that forms give, by tag and by name of the field.
// What an answer shows is exemplified by what a request of its family sends.
type samples map[[2]string][]any

// remember takes over the examples of a form.
func (s *schemas) remember(tag string, f *form.Form) {
	o, ok := ordered(f.Schema(), f).(object)
	if ok {
		s.samples.take(tag, o)
	}
}

func (m samples) take(tag string, schema object) {
	for _, p := range properties(schema) {
		property := p.value.(object)
		for _, e := range asList(property.get("examples")) {
			for _, t := range []string{tag, ""} {
				m[[2]string{t, p.name}] = append(m[[2]string{t, p.name}], e)
			}
		}
		m.take(tag, property)
		if items, ok := property.get("items").(object); ok {
			m.take(tag, items)
		}
	}
}

func properties(schema object) object {
	p, _ := schema.get("properties").(object)
	return p
}

// exampler makes examples of schemas: out of what they show themselves, else
// the same for the same field on every run.
type exampler struct {
	schemas *schemas
	tag     string
	// answer is set for what the server says, else it is what a client says.
	answer bool
	// within are the components that the example is inside of.
	within []string
}

func (s *schemas) example(tag string, answer bool) *exampler {
	return &exampler{schemas: s, tag: tag, answer: answer}
}

// of is an example of a schema that stands under a name.
func (e *exampler) of(schema object, name string) any {
	if shown := asList(schema.get("examples")); len(shown) > 0 {
		return shown[0]
	}
	if ref, ok := schema.get("$ref").(string); ok {
		component := ref[strings.LastIndexByte(ref, '/')+1:]
		e.within = append(e.within, component)
		v := e.of(e.schemas.component(component), name)
		e.within = e.within[:len(e.within)-1]
		return v
	}
	for _, list := range []string{"enum", "anyOf"} {
		switch values := schema.get(list).(type) {
		case []string:
			return values[0]
		case []any:
			if o, ok := values[0].(object); ok {
				return e.of(o, name)
			}
			return values[0]
		}
	}
	kind := firstType(schema)
	if v, ok := e.sample(name, kind); ok {
		return v
	}
	switch kind {
	case "object":
		return e.object(schema)
	case "array":
		return e.list(schema, name)
	case "string":
		return e.text(schema, name)
	case "integer", "number":
		if least, ok := schema.get("minimum").(json.Number); ok {
			return least
		}
		return 1
	case "boolean":
		return true
	}
	return object{}
}

// firstType is the type of a schema, null apart.
func firstType(schema object) string {
	switch t := schema.get("type").(type) {
	case string:
		return t
	case []any:
		text, _ := t[0].(string)
		return text
	}
	return ""
}

// alike are the last words of names whose examples serve for each other.
var alike = []string{"amount", "quantity", "rate", "price", "email", "phone", "postcode", "city", "country", "currency"}

// sample borrows the example of a form's field: of that name, or of a name that
// ends alike.
func (e *exampler) sample(name, kind string) (any, bool) {
	if v, ok := e.borrow(name, kind); ok {
		return v, true
	}
	last := name[strings.LastIndexByte(name, '_')+1:]
	if last == name || !slices.Contains(alike, last) {
		return nil, false
	}
	if v, ok := e.borrow(last, kind); ok {
		return v, true
	}
	return e.borrow("total_"+last, kind)
}

// borrow looks first at the forms of the same tag. A status or a type of one
// object says nothing of another's; addresses of objects are their own.
func (e *exampler) borrow(name, kind string) (any, bool) {
	tags := []string{e.tag, ""}
	switch {
	case name == "url" && e.answer:
		return nil, false
	case name == "status" || name == "type":
		tags = tags[:1]
	}
	for _, tag := range tags {
		for _, v := range e.schemas.samples[[2]string{tag, name}] {
			switch v := v.(type) {
			case string:
				if kind == "string" {
					return v, true
				}
			case json.Number:
				whole := !strings.ContainsAny(v.String(), ".eE")
				if kind == "number" || kind == "integer" && whole {
					return v, true
				}
			}
		}
	}
	return nil, false
}

// object has every field that is required and those others for which there is
// something to show.
func (e *exampler) object(schema object) object {
	out := object{}
	required := stringList(schema.get("required"))
	for _, p := range properties(schema) {
		property := p.value.(object)
		must := slices.Contains(required, p.name)
		switch {
		case property.get("readOnly") == true && !e.answer:
		case e.inside(property):
			if must {
				out.set(p.name, emptyOf(property))
			}
		case must || worthShowing(property):
			out.set(p.name, e.of(property, p.name))
		}
	}
	return out
}

// inside tells whether a field would repeat what it stands in.
func (e *exampler) inside(schema object) bool {
	for _, ref := range references(schema) {
		if slices.Contains(e.within, ref) {
			return true
		}
	}
	return false
}

// references are the components that a field refers to.
func references(schema object) []string {
	var out []string
	if ref, ok := schema.get("$ref").(string); ok {
		out = append(out, ref[strings.LastIndexByte(ref, '/')+1:])
	}
	for _, s := range asList(schema.get("anyOf")) {
		out = append(out, references(s.(object))...)
	}
	if items, ok := schema.get("items").(object); ok {
		out = append(out, references(items)...)
	}
	return out
}

// emptyOf is the example of a field that is not looked into.
func emptyOf(schema object) any {
	if firstType(schema) == "array" {
		return []any{}
	}
	for _, s := range asList(schema.get("anyOf")) {
		if firstType(s.(object)) == "string" {
			return "…"
		}
	}
	return nil
}

// worthShowing tells whether an optional field has an example anywhere in it.
func worthShowing(schema object) bool {
	if schema.get("examples") != nil {
		return true
	}
	for _, p := range properties(schema) {
		if worthShowing(p.value.(object)) {
			return true
		}
	}
	items, ok := schema.get("items").(object)
	return ok && worthShowing(items)
}

func stringList(v any) []string {
	switch v := v.(type) {
	case []string:
		return v
	case []any:
		out := make([]string, len(v))
		for i := range v {
			out[i], _ = v[i].(string)
		}
		return out
	}
	return nil
}

func (e *exampler) list(schema object, name string) any {
	items, ok := schema.get("items").(object)
	if !ok {
		return []any{}
	}
	name = strings.TrimSuffix(name, "s")
	out := []any{e.of(items, name)}
	if least, ok := schema.get("minItems").(json.Number); ok {
		n, err := strconv.Atoi(least.String())
		for err == nil && len(out) < n {
			out = append(out, out[0])
		}
	}
	return out
}

// text is an example of a string: by its format, by its pattern, by its name.
func (e *exampler) text(schema object, name string) string {
	switch schema.get("format") {
	case "date":
		return "2026-03-02"
	case "date-time":
		return "2026-03-02T09:30:00Z"
	case "email":
		return "jane@example.com"
	case "uri":
		return "https://shop.example.com/" + name
	case "uuid":
		return exampleUUID(name).String()
	case "decimal":
		return "1"
	case "binary":
		return "…"
	}
	if pattern, ok := schema.get("pattern").(string); ok {
		return e.matching(pattern, schema, name)
	}
	return bounded(schema, e.byName(name))
}

// byName is a text for a field of which nothing is known but where it stands.
func (e *exampler) byName(name string) string {
	component := ""
	if len(e.within) > 0 {
		component = e.within[len(e.within)-1]
	}
	if address := e.schemas.addresses[component]; name == "url" && address != "" {
		return address
	}
	if name == "id" && component != "" {
		name = named(component)
	}
	if prefix, ok := prefixOf(name); ok {
		return exampleID(prefix, name)
	}
	switch {
	case name == "url" || strings.HasSuffix(name, "_url"):
		return "https://shop.example.com/" + name
	case strings.HasSuffix(name, "_date"):
		return "2026-03-02"
	case name == "email":
		return "jane@example.com"
	case name == "country":
		return "GB"
	case name == "currency":
		return "GBP"
	case name == "":
		return "text"
	}
	return strings.ReplaceAll(name, "_", " ")
}

// named is what the objects of a component are called: the whole of its name, or
// the first word of it.
func named(component string) string {
	whole := snake(component)
	first, _, _ := strings.Cut(whole, "_")
	if _, ok := prefixOf(whole); !ok {
		if _, ok := prefixOf(first); ok {
			return first
		}
	}
	return whole
}

// address remembers where the objects of a component are, for their urls.
func (s *schemas) address(server string, r *Route) {
	t := reflect.TypeOf(r.Response)
	if r.Method != http.MethodGet || !strings.HasSuffix(r.Path, "}") || t == nil || s.names[t] == "" {
		return
	}
	address := server
	for _, seg := range segments(r.Path) {
		if name, ok := strings.CutPrefix(seg, "{"); ok {
			seg = named(camel(strings.TrimSuffix(name, "}")))
			if prefix, ok := prefixOf(seg); ok {
				seg = exampleID(prefix, seg)
			}
		}
		address += "/" + seg
	}
	s.addresses[s.names[t]] = address
}

// bounded fits a text between the lengths of a schema.
func bounded(schema object, s string) string {
	if least, ok := schema.get("minLength").(json.Number); ok {
		n, err := strconv.Atoi(least.String())
		for err == nil && utf8.RuneCountInString(s) < n {
			s += "x"
		}
	}
	if most, ok := schema.get("maxLength").(json.Number); ok {
		n, err := strconv.Atoi(most.String())
		if r := []rune(s); err == nil && len(r) > n {
			s = string(r[:n])
		}
	}
	return s
}

func snake(s string) string {
	var b strings.Builder
	for i, r := range s {
		if 'A' <= r && r <= 'Z' {
			if i > 0 {
				b.WriteByte('_')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

func exampleUUID(name string) uuid.UUID { return uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)) }

// exampleID is the same identifier for the same name, always.
func exampleID(prefix id.Prefix, name string) string {
	return id.Of(prefix, exampleUUID(string(prefix)+" "+name))
}

// matching is a text that a pattern matches. For the pattern of an identifier it
// looks like one.
func (e *exampler) matching(pattern string, schema object, name string) string {
	if rest, ok := strings.CutPrefix(pattern, "^("); ok && strings.HasSuffix(pattern, ")-[0-9A-Za-z]+$") {
		prefix := rest[:strings.IndexAny(rest, "|)")]
		return exampleID(id.Prefix(prefix), name)
	}
	if plain := bounded(schema, e.byName(name)); matches(pattern, plain) {
		return plain
	}
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return ""
	}
	return match(re.Simplify())
}

func match(re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		for _, wanted := range "aA0" {
			for i := 0; i+1 < len(re.Rune); i += 2 {
				if re.Rune[i] <= wanted && wanted <= re.Rune[i+1] {
					return string(wanted)
				}
			}
		}
		return string(re.Rune[:1])
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "a"
	case syntax.OpConcat:
		var b strings.Builder
		for _, sub := range re.Sub {
			b.WriteString(match(sub))
		}
		return b.String()
	case syntax.OpCapture, syntax.OpPlus, syntax.OpAlternate:
		return match(re.Sub[0])
	}
	return ""
}

func matches(pattern, s string) bool {
	re, err := regexp.Compile(pattern)
	return err == nil && re.MatchString(s)
}
