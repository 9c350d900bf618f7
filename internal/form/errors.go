package form

import (
	"bytes"
	"encoding/json"
)

// nonField is the key of errors that belong to an object as a whole.
const nonField = "non_field_errors"

// Errors are the validation errors of one object, in the order of its fields.
// It renders as the body of a 400 answer. The nil *Errors is empty.
type Errors struct {
	entries []entry
}

type entry struct {
	field  string
	detail *detail
}

// detail is what is wrong with one value. Exactly one of its members is used.
type detail struct {
	messages []string  // ["…","…"]
	object   *Errors   // {"a":["…"]}
	items    []*detail // [{},{"a":["…"]}]; nil stands for a good item
	raw      []byte    // any other JSON
}

func messages(m ...string) *detail { return &detail{messages: m} }

// FieldError returns the errors of one field.
func FieldError(field string, messages ...string) *Errors {
	e := &Errors{}
	e.Add(field, messages...)
	return e
}

// NonField returns an error of the object as a whole, under `non_field_errors`.
func NonField(messages ...string) *Errors { return FieldError(nonField, messages...) }

// Add appends messages to those of a field.
func (e *Errors) Add(field string, messages ...string) {
	if len(messages) == 0 {
		return
	}
	if d := e.find(field); d != nil && d.messages != nil {
		d.messages = append(d.messages[:len(d.messages):len(d.messages)], messages...)
		return
	}
	e.set(field, &detail{messages: append([]string(nil), messages...)})
}

// AddNested puts the errors of a nested object under field. Empty errors add
// nothing.
func (e *Errors) AddNested(field string, nested *Errors) {
	if nested.Empty() {
		return
	}
	if d := e.find(field); d != nil && d.object != nil {
		d.object.Merge(nested)
		return
	}
	e.set(field, &detail{object: nested})
}

// AddItems puts the errors of a list of objects under field: one entry for each
// item, empty or nil for a good one. When all are good nothing is added.
func (e *Errors) AddItems(field string, items []*Errors) {
	bad := false
	details := make([]*detail, len(items))
	for i, item := range items {
		if !item.Empty() {
			details[i] = &detail{object: item}
			bad = true
		}
	}
	if bad {
		e.set(field, &detail{items: details})
	}
}

// AddRaw puts any JSON under field, for the few bodies that are not lists of
// sentences. v must be marshalable; nil adds nothing.
func (e *Errors) AddRaw(field string, v any) {
	if v == nil {
		return
	}
	e.set(field, &detail{raw: marshalRaw(v)})
}

// Merge adds the errors of other on the same level; messages of a field that
// both have are joined.
func (e *Errors) Merge(other *Errors) {
	if other == nil {
		return
	}
	for _, x := range other.entries {
		switch {
		case x.detail.messages != nil:
			e.Add(x.field, x.detail.messages...)
		case x.detail.object != nil:
			e.AddNested(x.field, x.detail.object)
		default:
			e.set(x.field, x.detail)
		}
	}
}

// Has reports whether field has an error.
func (e *Errors) Has(field string) bool { return e != nil && e.find(field) != nil }

// Messages returns the sentences recorded directly under field.
func (e *Errors) Messages(field string) []string {
	if e == nil {
		return nil
	}
	if d := e.find(field); d != nil {
		return d.messages
	}
	return nil
}

// Empty reports whether nothing is wrong.
func (e *Errors) Empty() bool { return e == nil || len(e.entries) == 0 }

// Err returns e as an error, nil when nothing is wrong.
func (e *Errors) Err() error {
	if e.Empty() {
		return nil
	}
	return e
}

// Error renders the errors as JSON, so that a use case can return them.
func (e *Errors) Error() string { return string(e.JSON()) }

// MarshalJSON renders the errors. An encoder that escapes HTML escapes the
// result again; JSON is exact.
func (e *Errors) MarshalJSON() ([]byte, error) { return e.JSON(), nil }

// JSON renders the errors as the body of the answer.
func (e *Errors) JSON() []byte { return e.append(nil) }

func (e *Errors) find(field string) *detail {
	for i := range e.entries {
		if e.entries[i].field == field {
			return e.entries[i].detail
		}
	}
	return nil
}

func (e *Errors) set(field string, d *detail) {
	for i := range e.entries {
		if e.entries[i].field == field {
			e.entries[i].detail = d
			return
		}
	}
	e.entries = append(e.entries, entry{field: field, detail: d})
}

// push is set for a field that has no error yet.
func (e *Errors) push(field string, d *detail) {
	e.entries = append(e.entries, entry{field: field, detail: d})
}

func (e *Errors) append(to []byte) []byte {
	to = append(to, '{')
	if e != nil {
		for i, x := range e.entries {
			if i > 0 {
				to = append(to, ',')
			}
			to = appendString(to, x.field)
			to = append(to, ':')
			to = x.detail.append(to)
		}
	}
	return append(to, '}')
}

func (d *detail) append(to []byte) []byte {
	switch {
	case d == nil:
		return append(to, "{}"...)
	case d.raw != nil:
		return append(to, d.raw...)
	case d.object != nil:
		return d.object.append(to)
	case d.items != nil:
		to = append(to, '[')
		for i, item := range d.items {
			if i > 0 {
				to = append(to, ',')
			}
			to = item.append(to)
		}
		return append(to, ']')
	}
	to = append(to, '[')
	for i, m := range d.messages {
		if i > 0 {
			to = append(to, ',')
		}
		to = appendString(to, m)
	}
	return append(to, ']')
}

// marshalRaw renders v without HTML escapes. A value that cannot be marshalled
// is a programming error.
func marshalRaw(v any) []byte {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic("form: error detail cannot be marshalled: " + err.Error())
	}
	return bytes.TrimRight(buffer.Bytes(), "\n")
}
