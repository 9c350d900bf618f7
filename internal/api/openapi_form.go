package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"tradecredit/internal/form"
)

// formName is the name of the schema of a route's body.
func (s *schemas) formName(r *Route) string {
	if r.Method == http.MethodPatch {
		return camel(r.Body.Name) + "Patch"
	}
	return camel(r.Body.Name) + "Request"
}

// declareForm makes the schema of a route's body. Two forms of one name must be
// the same.
func (s *schemas) declareForm(r *Route) error {
	if r.Body.Name == "" {
		return fmt.Errorf("the form has no name")
	}
	schema := r.Body.Schema()
	if r.Method == http.MethodPatch {
		schema = r.Body.PartialSchema()
	}
	o, ok := ordered(schema, r.Body).(object)
	if !ok {
		return fmt.Errorf("the form %s has no schema", r.Body.Name)
	}
	name := s.formName(r)
	if before := s.forms[name]; before != nil {
		one, err := Encode(before)
		if err != nil {
			return err
		}
		two, err := Encode(o)
		if err != nil {
			return err
		}
		if !bytes.Equal(one, two) {
			return fmt.Errorf("two different forms are called %s", r.Body.Name)
		}
	}
	s.forms[name] = o
	return nil
}

// ordered gives the members of a schema an order for readers: what it is comes
// first, what it consists of last. Properties stand as the form declares them;
// inside nested objects those that are required come first.
func ordered(schema any, f *form.Form) any {
	text, err := json.Marshal(schema)
	if err != nil {
		return nil
	}
	v, err := decodeJSON(text)
	if err != nil {
		return nil
	}
	var first []string
	if f != nil {
		for _, field := range f.Fields {
			first = append(first, field.Name())
		}
	}
	return order(v, first)
}

func decodeJSON(text []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

// keywords come first, in this order.
var keywords = []string{"title", "type", "format", "description", "enum", "default", "examples", "required", "properties"}

func order(v any, properties []string) any {
	switch v := v.(type) {
	case map[string]any:
		out := inOrder(v, keywords)
		if p, ok := v["properties"].(map[string]any); ok {
			if properties == nil {
				for _, name := range asList(v["required"]) {
					properties = append(properties, fmt.Sprint(name))
				}
			}
			out.set("properties", inOrder(p, properties))
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = order(v[i], nil)
		}
		return out
	}
	return v
}

func asList(v any) []any {
	list, _ := v.([]any)
	return list
}

// inOrder turns a map into an object with some members first and the others
// sorted.
func inOrder(m map[string]any, first []string) object {
	out := object{}
	for _, name := range slices.Concat(first, slices.Sorted(maps.Keys(m))) {
		if v, ok := m[name]; ok && out.get(name) == nil {
			out.set(name, order(v, nil))
		}
	}
	return out
}
