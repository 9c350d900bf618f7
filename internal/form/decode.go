package form

import "fmt"

// The sentences every field shares.
const (
	required = "This field is required."
	notNull  = "This field may not be null."
	notBlank = "This field may not be blank."
	badJSON  = "Value must be valid JSON."
)

// decoding is the state of one Decode. Once err is set the rest is skipped.
type decoding struct {
	mode     Mode
	resolver Resolver
	err      error
}

func (f *Form) decode(d *decoding, in Value) (*Values, *Errors) {
	switch in.kind {
	case KindNull:
		return nil, NonField("No data provided")
	case KindObject:
	default:
		return nil, NonField("Invalid data. Expected a dictionary, but got " + typeName(in) + ".")
	}
	values := &Values{form: f, slots: make([]slot, len(f.Fields))}
	var bad *Errors
	for i := range f.Fields {
		field := &f.Fields[i]
		if wrong := field.take(d, in, &values.slots[i]); wrong != nil {
			if bad == nil {
				bad = &Errors{}
			}
			field.report(bad, wrong)
		}
		if d.err != nil {
			return nil, nil
		}
	}
	if bad != nil {
		return nil, bad
	}
	if f.Validate != nil {
		if bad := f.Validate(values); !bad.Empty() {
			return nil, bad
		}
	}
	return values, nil
}

// take fills out with the field's value in body.
func (f *Field) take(d *decoding, body Value, out *slot) *detail {
	if f.readOnly {
		return nil
	}
	in, ok := body.Get(f.name)
	switch {
	case ok:
		return f.check(d, in, out)
	case d.mode == Partial:
		return nil
	case f.hasDefault:
		*out = f.fallback
		return nil
	case f.optional:
		return nil
	}
	return messages(f.kind.missing())
}

// check decodes a value that is there.
func (f *Field) check(d *decoding, in Value, out *slot) *detail {
	if in.kind == KindNull {
		if !f.null {
			return messages(notNull)
		}
		out.state = null
		return nil
	}
	r, wrong := f.kind.decode(d, f, in)
	if wrong != nil || d.err != nil {
		return wrong
	}
	if r.value.kind == KindNull && r.typed == nil {
		out.state = null
		return nil
	}
	*out = slot{present, r}
	return f.checkMore(r)
}

// checkMore runs the rules the form adds to the field's own.
func (f *Field) checkMore(r result) *detail {
	var found []string
	for _, check := range f.checks {
		found = append(found, check(r.json())...)
	}
	if len(found) > 0 {
		return messages(found...)
	}
	if f.checkItems == nil {
		return nil
	}
	items, _ := r.typed.([]*Values)
	switch wrong := f.checkItems(items).(type) {
	case nil:
		return nil
	case []string:
		if len(wrong) == 0 {
			return nil
		}
		return messages(wrong...)
	case *Errors:
		if wrong.Empty() {
			return nil
		}
		return &detail{object: wrong}
	default:
		return &detail{raw: marshalRaw(wrong)}
	}
}

// report adds what is wrong with the field to the errors of its object.
func (f *Field) report(bad *Errors, wrong *detail) {
	if !f.flatten || wrong.object == nil {
		bad.set(f.name, wrong)
		return
	}
	own := &Errors{}
	for _, x := range wrong.object.entries {
		if x.field == nonField {
			own.set(x.field, x.detail)
			continue
		}
		bad.Merge(&Errors{entries: []entry{x}})
	}
	bad.AddNested(f.name, own)
}

// setDefault decodes the declared default once. A default the field itself
// refuses is a programming error.
func (f *Field) setDefault() {
	if !f.hasDefault {
		return
	}
	v := valueOf(f.defaultValue)
	if v.kind == KindNull {
		f.fallback = slot{state: null}
		return
	}
	if wrong := f.check(&decoding{}, v, &f.fallback); wrong != nil {
		panic(fmt.Sprintf("form: field %s refuses its default: %s", f.name, wrong.append(nil)))
	}
}

// valueOf turns a Go value of a declaration into JSON.
func valueOf(v any) Value {
	switch v := v.(type) {
	case nil:
		return Value{}
	case Value:
		return v
	case string:
		return StringValue(v)
	case bool:
		return BoolValue(v)
	case int:
		return IntValue(int64(v))
	case int64:
		return IntValue(v)
	default:
		parsed, err := Parse(marshalRaw(v))
		if err != nil {
			panic(fmt.Sprintf("form: %v is no JSON", v))
		}
		return parsed
	}
}
