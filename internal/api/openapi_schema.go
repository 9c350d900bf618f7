package api

import (
	"encoding"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// described is a type that writes its own JSON and says what it looks like, as a
// JSON Schema.
type described interface{ JSONSchema() map[string]any }

var (
	timeType      = reflect.TypeFor[time.Time]()
	apiTimeType   = reflect.TypeFor[Time]()
	numberType    = reflect.TypeFor[json.Number]()
	describedType = reflect.TypeFor[described]()
	jsonType      = reflect.TypeFor[json.Marshaler]()
	textType      = reflect.TypeFor[encoding.TextMarshaler]()
)

// schemas are the named schemas of a document: the structs of answers, the forms
// of requests, the bodies of errors.
type schemas struct {
	types map[string]reflect.Type // the struct behind a name
	names map[reflect.Type]string
	forms map[string]object
	// expands are the fields, by schema and name, that hold an identifier or the
	// object itself.
	expands map[[2]string]bool
	built   map[string]object
	errors  object
	samples samples
	// addresses are examples of where the objects of a schema are.
	addresses map[string]string
}

func newSchemas() *schemas {
	return &schemas{
		types: map[string]reflect.Type{}, names: map[reflect.Type]string{}, forms: map[string]object{},
		expands: map[[2]string]bool{}, built: map[string]object{}, errors: errorSchemas(), samples: samples{},
		addresses: map[string]string{},
	}
}

// components are all named schemas, sorted.
func (s *schemas) components() object {
	out := object{}
	for _, name := range slices.Sorted(maps.Keys(s.built)) {
		out.set(name, s.built[name])
	}
	return out
}

func (s *schemas) component(name string) object { return s.built[name] }

// build makes the schemas of all that was declared.
func (s *schemas) build() error {
	for _, e := range s.errors {
		s.built[e.name] = e.value.(object)
	}
	for name, t := range s.types {
		s.built[name] = s.structure(t)
		if strings.HasPrefix(t.Name(), "List[") && packageName(t) == "page" {
			s.onlyPage(s.built[name])
		}
	}
	for name, o := range s.forms {
		if s.built[name] != nil {
			return fmt.Errorf("the form and the type %s have one name", name)
		}
		s.built[name] = o
	}
	return nil
}

// declare names the structs within the type of a value.
func (s *schemas) declare(v any) {
	if v != nil {
		s.declareType(reflect.TypeOf(v))
	}
}

func (s *schemas) declareType(t reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		s.declareType(t.Elem())
	case reflect.Struct:
		if s.names[t] != "" || ownJSON(t) {
			return
		}
		if t.Name() != "" {
			name := s.free(t)
			s.names[t] = name
			if s.types[name] == nil {
				s.types[name] = t
			}
		}
		for _, f := range fields(t) {
			s.declareType(f.Type)
		}
	}
}

// free is the name of a type. Two types of one structure share it; of others the
// later one carries its package in front.
func (s *schemas) free(t reflect.Type) string {
	name := typeName(t)
	for _, candidate := range []string{name, camel(packageName(t)) + name} {
		other := s.types[candidate]
		if s.errors.get(candidate) == nil && (other == nil || sameFields(other, t)) {
			return candidate
		}
	}
	return camel(t.PkgPath()) + name
}

// sameFields tells whether two structs are encoded alike.
func sameFields(a, b reflect.Type) bool {
	x, y := fields(a), fields(b)
	return slices.EqualFunc(x, y, func(f, g reflect.StructField) bool {
		return f.Name == g.Name && f.Type == g.Type && f.Tag == g.Tag
	})
}

func packageName(t reflect.Type) string {
	return t.PkgPath()[strings.LastIndexByte(t.PkgPath(), '/')+1:]
}

// typeName is the name of a type without what only tells Go apart.
func typeName(t reflect.Type) string {
	name, argument, generic := strings.Cut(t.Name(), "[")
	if generic {
		argument = strings.TrimSuffix(argument, "]")
		argument = argument[strings.LastIndexAny(argument, "./")+1:]
		name = strings.TrimSuffix(argument, "Wire") + name
	}
	name = strings.TrimSuffix(name, "Wire")
	if name == "" {
		name = packageName(t)
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

// isList tells whether an answer is a page of a list.
func isList(response any) bool {
	t := reflect.TypeOf(response)
	return t != nil && t.Kind() == reflect.Struct && strings.HasPrefix(t.Name(), "List[") && packageName(t) == "page"
}

// onlyPage lets the example of a list be one that needs no second page.
func (s *schemas) onlyPage(list object) {
	p := properties(list)
	for _, name := range []string{"next", "previous"} {
		if o, ok := p.get(name).(object); ok {
			p.set(name, o.with("format", "uri").with("examples", []any{nil}))
		}
	}
}

// hasURL tells whether an answer shows the address of its object.
func (s *schemas) hasURL(response any) bool {
	t := reflect.TypeOf(response)
	if t == nil || t.Kind() != reflect.Struct {
		return false
	}
	return slices.ContainsFunc(fields(t), func(f reflect.StructField) bool { return jsonName(f) == "url" })
}

// expandable remembers the fields that ?expand= may name. The type of response
// is declared.
func (s *schemas) expandable(response any, names []string) {
	t := reflect.TypeOf(response)
	if isList(response) {
		f, _ := t.FieldByName("Results")
		t = f.Type
	}
	for _, name := range names {
		s.expandField(t, strings.Split(name, "."))
	}
}

func (s *schemas) expandField(t reflect.Type, path []string) {
	for t != nil && (t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice) {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		return
	}
	for _, f := range fields(t) {
		if jsonName(f) != path[0] {
			continue
		}
		if f.Type.Kind() == reflect.Interface {
			s.expands[[2]string{s.names[t], path[0]}] = true
		} else if len(path) > 1 {
			s.expandField(f.Type, path[1:])
		}
	}
}

// of is the schema of a value's type.
func (s *schemas) of(v any) object { return s.schema(reflect.TypeOf(v)) }

func ownJSON(t reflect.Type) bool {
	return t.Implements(describedType) || t.Implements(jsonType) || t.Implements(textType) ||
		reflect.PointerTo(t).Implements(jsonType)
}

func (s *schemas) schema(t reflect.Type) object {
	switch {
	case t.Kind() == reflect.Pointer:
		return nullable(s.schema(t.Elem()))
	case t == timeType || t == apiTimeType:
		return object{{"type", "string"}, {"format", "date-time"}}
	case t == numberType:
		return object{{"type", "number"}}
	case t.Implements(describedType) && t.Kind() != reflect.Interface:
		o, _ := ordered(reflect.Zero(t).Interface().(described).JSONSchema(), nil).(object)
		return o
	case t.Kind() == reflect.Interface || t.Implements(jsonType) || reflect.PointerTo(t).Implements(jsonType):
		return object{}
	case t.Implements(textType):
		return object{{"type", "string"}}
	}
	return s.plain(t)
}

// plain is the schema of a type that encoding/json writes by its kind.
func (s *schemas) plain(t reflect.Type) object {
	switch t.Kind() {
	case reflect.Bool:
		return object{{"type", "boolean"}}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32:
		return object{{"type", "integer"}}
	case reflect.Int64:
		return object{{"type", "integer"}, {"format", "int64"}}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{{"type", "integer"}, {"minimum", 0}}
	case reflect.Float32, reflect.Float64:
		return object{{"type", "number"}}
	case reflect.String:
		return object{{"type", "string"}}
	case reflect.Slice, reflect.Array:
		if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
			return object{{"type", "string"}, {"contentEncoding", "base64"}}
		}
		return object{{"type", "array"}, {"items", s.schema(t.Elem())}}
	case reflect.Map:
		o := object{{"type", "object"}}
		if of := s.schema(t.Elem()); len(of) > 0 {
			o.set("additionalProperties", of)
		}
		return o
	case reflect.Struct:
		if name := s.names[t]; name != "" {
			return reference("schemas", name)
		}
		return s.structure(t)
	}
	return object{}
}

// structure is the schema of a struct: its fields in their order. It leaves room
// for more, so that a client made of it survives a new field.
func (s *schemas) structure(t reflect.Type) object {
	properties, required := object{}, []string{}
	for _, f := range fields(t) {
		name := jsonName(f)
		properties.set(name, s.property(t, f))
		_, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
			required = append(required, name)
		}
	}
	o := object{{"type", "object"}, {"properties", properties}}
	if len(required) > 0 {
		o.set("required", required)
	}
	return o
}

// fields are the fields that encoding/json writes, those of embedded structs
// included, in their order.
func fields(t reflect.Type) []reflect.StructField {
	var out []reflect.StructField
	for i := range t.NumField() {
		f := t.Field(i)
		embedded := f.Type
		if embedded.Kind() == reflect.Pointer {
			embedded = embedded.Elem()
		}
		switch {
		case f.Tag.Get("json") == "-":
		case f.Anonymous && embedded.Kind() == reflect.Struct && f.Tag.Get("json") == "":
			for _, inner := range fields(embedded) {
				out = shadow(out, inner)
			}
		case f.IsExported():
			out = shadow(out, f)
		}
	}
	return out
}

// shadow adds a field; one of the same name gives way to the outer one.
func shadow(all []reflect.StructField, f reflect.StructField) []reflect.StructField {
	for i := range all {
		if jsonName(all[i]) == jsonName(f) {
			if len(f.Index) <= len(all[i].Index) {
				all[i] = f
			}
			return all
		}
	}
	return append(all, f)
}

func jsonName(f reflect.StructField) string {
	if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
		return name
	}
	return f.Name
}

// property is the schema of a field with what its tags say: doc, enum, format,
// example, nullable for a list or a map that may be null, and ref for a field
// that holds an identifier or an object.
func (s *schemas) property(t reflect.Type, f reflect.StructField) object {
	o := s.schema(f.Type)
	ref, isRef := f.Tag.Lookup("ref")
	if isRef || f.Type.Kind() == reflect.Interface && s.expands[[2]string{s.names[t], jsonName(f)}] {
		o = s.expandedSchema(ref)
	}
	if f.Tag.Get("nullable") == "true" {
		o = nullable(o)
	}
	if doc := f.Tag.Get("doc"); doc != "" {
		o = o.with("description", doc)
	}
	if list := f.Tag.Get("enum"); list != "" {
		o = withEnum(o, strings.Split(list, ","))
	}
	if format := f.Tag.Get("format"); format != "" {
		o = o.with("format", format)
	}
	if example := f.Tag.Get("example"); example != "" {
		o = o.with("examples", []any{exampleOf(f.Type, example)})
	}
	return o
}

// expandedSchema is that of a field with an identifier, or with the object of a
// named type when it is expanded.
func (s *schemas) expandedSchema(name string) object {
	full := object{{"type", "object"}}
	if s.types[camel(name)] != nil {
		full = reference("schemas", camel(name))
	}
	return object{{"anyOf", []any{object{{"type", "string"}}, full, object{{"type", "null"}}}}}
}

// withEnum lists the values of a text, or of the texts in a list.
func withEnum(o object, values []string) object {
	if items, ok := o.get("items").(object); ok {
		return o.with("items", items.with("enum", values))
	}
	all := make([]any, len(values))
	for i, v := range values {
		all[i] = v
	}
	if _, several := o.get("type").([]any); several {
		all = append(all, nil)
	}
	return o.with("enum", all)
}

// exampleOf reads an example tag: the text itself for texts, JSON otherwise.
func exampleOf(t reflect.Type, text string) any {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() == reflect.String || t == timeType || t == apiTimeType {
		return text
	}
	if v, err := decodeJSON([]byte(text)); err == nil {
		return v
	}
	return text
}

// nullable lets a schema be null as well.
func nullable(o object) object {
	if o.get("$ref") != nil {
		return object{{"anyOf", []any{o, object{{"type", "null"}}}}}
	}
	if kind, ok := o.get("type").(string); ok {
		return o.with("type", []any{kind, "null"})
	}
	return o
}
