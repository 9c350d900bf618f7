package form

import "fmt"

// Form declares a request body.
type Form struct {
	// Name names the form in the schema.
	Name string
	// Fields are checked, and their errors listed, in this order.
	Fields []Field
	// Validate looks at the object as a whole. It runs only when no field
	// failed. It may be nil.
	Validate func(v *Values) *Errors
}

// New declares a form. Two fields of the same name, and a default its own field
// refuses, are programming errors and panic.
func New(name string, fields ...Field) *Form {
	seen := make(map[string]bool, len(fields))
	for i := range fields {
		if seen[fields[i].name] {
			panic(fmt.Sprintf("form %s: field %s is declared twice", name, fields[i].name))
		}
		seen[fields[i].name] = true
	}
	return &Form{Name: name, Fields: fields}
}

// With returns the form with an object-level check.
func (f *Form) With(validate func(v *Values) *Errors) *Form {
	changed := *f
	changed.Validate = validate
	return &changed
}

func (f *Form) index(name string) int {
	for i := range f.Fields {
		if f.Fields[i].name == name {
			return i
		}
	}
	return -1
}

// Mode says how missing fields are treated.
type Mode int

// The modes of decoding.
const (
	// Full is POST and PUT: required fields must be there, defaults apply.
	Full Mode = iota
	// Partial is PATCH: a missing field is never an error, at any depth, and
	// defaults are not applied.
	Partial
)

// Resolver answers the questions a form asks about what is already stored. A
// nil Resolver answers that everything exists and nothing is taken.
type Resolver interface {
	// Exists reports whether an object with that prefix and full id
	// ("user-…") can be seen by the caller.
	Exists(prefix, id string) (bool, error)
	// Taken reports whether another object already has this value; name is
	// the name given to Unique.
	Taken(name, value string) (bool, error)
}

// Decode checks body and returns its values, or what is wrong with it. The
// error is internal: it comes from the Resolver alone.
func (f *Form) Decode(body Value, mode Mode, r Resolver) (*Values, *Errors, error) {
	d := decoding{mode: mode, resolver: r}
	values, bad := f.decode(&d, body)
	if d.err != nil {
		return nil, nil, d.err
	}
	if bad != nil {
		return nil, bad, nil
	}
	return values, nil, nil
}
