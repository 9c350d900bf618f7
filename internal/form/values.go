package form

import (
	"fmt"
	"time"
)

// Values are the decoded fields of one object. The getters panic on a name the
// form does not declare, or when the field is of another type: both are
// programming errors. For a field that is absent or null they return the zero
// value.
type Values struct {
	form  *Form
	slots []slot
}

type state uint8

const (
	absent state = iota
	null
	present
)

// result is a checked value: its normalised JSON, and what JSON cannot hold:
// a time.Time, an *Upload, or the *Values and []*Values whose JSON is written
// only when it is asked for.
type result struct {
	value Value
	typed any
}

// json returns the normalised JSON.
func (r result) json() Value {
	switch typed := r.typed.(type) {
	case *Values:
		return typed.raw()
	case []*Values:
		items := make([]Value, len(typed))
		for i, item := range typed {
			if item != nil {
				items[i] = item.raw()
			}
		}
		return ListValue(items...)
	}
	return r.value
}

type slot struct {
	state state
	result
}

func (v *Values) slot(name string) *slot {
	i := v.form.index(name)
	if i < 0 {
		panic(fmt.Sprintf("form %s: no field %q", v.form.Name, name))
	}
	return &v.slots[i]
}

// Form returns the form the values were decoded with.
func (v *Values) Form() *Form { return v.form }

// Has reports whether the field was given, null included, or has a default.
func (v *Values) Has(name string) bool { return v.slot(name).state != absent }

// Null reports whether the field was given as null.
func (v *Values) Null(name string) bool { return v.slot(name).state == null }

// Raw returns the normalised JSON of the field.
func (v *Values) Raw(name string) Value { return v.slot(name).json() }

// String returns a field of text: a string, choice, date, decimal, id …
func (v *Values) String(name string) string {
	s := v.slot(name)
	if s.state == present && s.value.kind != KindString {
		panic(fmt.Sprintf("form %s: field %q is not text", v.form.Name, name))
	}
	return s.value.text
}

// StringPtr is String, with nil when the field is absent or null.
func (v *Values) StringPtr(name string) *string {
	if v.slot(name).state != present {
		return nil
	}
	s := v.String(name)
	return &s
}

// Int returns an integer field.
func (v *Values) Int(name string) int64 {
	s := v.slot(name)
	if s.state != present {
		return 0
	}
	n, ok := s.value.Int()
	if !ok {
		panic(fmt.Sprintf("form %s: field %q is not an integer", v.form.Name, name))
	}
	return n
}

// IntPtr is Int, with nil when the field is absent or null.
func (v *Values) IntPtr(name string) *int64 {
	if v.slot(name).state != present {
		return nil
	}
	n := v.Int(name)
	return &n
}

// Bool returns a boolean field.
func (v *Values) Bool(name string) bool {
	s := v.slot(name)
	if s.state == present && s.value.kind != KindBool {
		panic(fmt.Sprintf("form %s: field %q is not a boolean", v.form.Name, name))
	}
	return s.value.Bool()
}

// BoolPtr is Bool, with nil when the field is absent or null.
func (v *Values) BoolPtr(name string) *bool {
	if v.slot(name).state != present {
		return nil
	}
	b := v.Bool(name)
	return &b
}

// Decimal returns a decimal field as text with exactly its number of places.
func (v *Values) Decimal(name string) string { return v.String(name) }

// Date returns a date field as "2006-01-02".
func (v *Values) Date(name string) string { return v.String(name) }

// Time returns a datetime field, in UTC with microseconds.
func (v *Values) Time(name string) time.Time {
	s := v.slot(name)
	if s.state != present {
		return time.Time{}
	}
	t, ok := s.typed.(time.Time)
	if !ok {
		panic(fmt.Sprintf("form %s: field %q is not a datetime", v.form.Name, name))
	}
	return t
}

// TimePtr is Time, with nil when the field is absent or null.
func (v *Values) TimePtr(name string) *time.Time {
	if v.slot(name).state != present {
		return nil
	}
	t := v.Time(name)
	return &t
}

// Object returns the values of a nested object, nil when absent or null.
func (v *Values) Object(name string) *Values {
	s := v.slot(name)
	if s.state != present {
		return nil
	}
	nested, ok := s.typed.(*Values)
	if !ok {
		panic(fmt.Sprintf("form %s: field %q is not an object", v.form.Name, name))
	}
	return nested
}

// Objects returns the values of a list of objects. The entry of a null item
// that the form allows is nil.
func (v *Values) Objects(name string) []*Values {
	s := v.slot(name)
	if s.state != present {
		return nil
	}
	nested, ok := s.typed.([]*Values)
	if !ok {
		panic(fmt.Sprintf("form %s: field %q is not a list of objects", v.form.Name, name))
	}
	return nested
}

// File returns an uploaded file, nil when absent or null.
func (v *Values) File(name string) *Upload {
	s := v.slot(name)
	if s.state == present && s.value.kind != KindFile {
		panic(fmt.Sprintf("form %s: field %q is not a file", v.form.Name, name))
	}
	return s.value.file
}

// Strings returns a list of text: values, choices or ids. A null item is "".
func (v *Values) Strings(name string) []string {
	s := v.slot(name)
	if s.state != present {
		return nil
	}
	if s.value.kind != KindList {
		panic(fmt.Sprintf("form %s: field %q is not a list", v.form.Name, name))
	}
	texts := make([]string, len(s.value.list))
	for i := range s.value.list {
		texts[i] = s.value.list[i].text
	}
	return texts
}

// Ints returns a list of integers. A null item is 0.
func (v *Values) Ints(name string) []int64 {
	s := v.slot(name)
	if s.state != present {
		return nil
	}
	if s.value.kind != KindList {
		panic(fmt.Sprintf("form %s: field %q is not a list", v.form.Name, name))
	}
	numbers := make([]int64, len(s.value.list))
	for i := range s.value.list {
		numbers[i], _ = s.value.list[i].Int()
	}
	return numbers
}

// JSON renders the fields that are there, in the order of the form.
func (v *Values) JSON() []byte { return v.raw().JSON() }

// raw returns the normalised object.
func (v *Values) raw() Value {
	members := make([]Member, 0, len(v.slots))
	for i := range v.slots {
		if v.slots[i].state != absent {
			members = append(members, Member{Key: v.form.Fields[i].name, Value: v.slots[i].json()})
		}
	}
	return ObjectValue(members...)
}
