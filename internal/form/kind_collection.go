package form

import "strconv"

const emptyList = "This list may not be empty."

func notList(v Value) string {
	return `Expected a list of items but got type "` + typeName(v) + `".`
}

func tooMany(n int) string {
	return "Ensure this field has no more than " + strconv.Itoa(n) + " elements."
}

func tooFew(n int) string {
	return "Ensure this field has at least " + strconv.Itoa(n) + " elements."
}

// storable refuses what JSON text or a database cannot hold.
func storable(v Value) *detail {
	if v.huge {
		return messages(badJSON)
	}
	if v.lone {
		return messages(loneSentence(v))
	}
	return nil
}

// loneSentence names the first half surrogate pair inside v.
func loneSentence(v Value) string {
	if sentence := surrogateSentence(v.text); sentence != "" {
		return sentence
	}
	for i := range v.list {
		if v.list[i].lone {
			return loneSentence(v.list[i])
		}
	}
	return badJSON
}

type jsonKind struct{ common }

func (jsonKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	return result{value: in}, storable(in)
}

type dictKind struct {
	common
	child *Field // nil: any value
}

func (k dictKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	if in.kind != KindObject {
		return result{}, messages(`Expected a dictionary of items but got type "` + typeName(in) + `".`)
	}
	if len(in.list) == 0 && f.nonEmpty {
		return result{}, messages("This dictionary may not be empty.")
	}
	if k.child == nil {
		return result{value: in}, storable(in)
	}
	out := Value{kind: KindObject, list: make([]Value, 0, len(in.list))}
	var bad *Errors
	for i := 0; i < len(in.list); i += 2 {
		key := in.list[i]
		if key.lone {
			return result{}, messages(surrogateSentence(key.text))
		}
		var s slot
		if wrong := k.child.check(d, in.list[i+1], &s); wrong != nil {
			if bad == nil {
				bad = &Errors{}
			}
			bad.push(key.text, wrong)
		}
		out.list = append(out.list, key, s.json())
	}
	if bad != nil {
		return result{}, &detail{object: bad}
	}
	return result{value: out}, nil
}

type listKind struct {
	common
	child *Field
}

func (k listKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	if in.kind != KindList {
		return result{}, messages(notList(in))
	}
	if len(in.list) == 0 && f.nonEmpty {
		return result{}, messages(emptyList)
	}
	out := make([]Value, len(in.list))
	var bad *Errors
	for i := range in.list {
		var s slot
		if wrong := k.child.check(d, in.list[i], &s); wrong != nil {
			if bad == nil {
				bad = &Errors{}
			}
			bad.push(strconv.Itoa(i), wrong)
		}
		out[i] = s.json()
	}
	if bad != nil {
		return result{}, &detail{object: bad}
	}
	if f.maxItems > 0 && len(out) > f.maxItems {
		return result{}, messages(tooMany(f.maxItems))
	}
	if len(out) < f.minItems {
		return result{}, messages(tooFew(f.minItems))
	}
	return result{value: ListValue(out...)}, nil
}

type objectKind struct {
	common
	form *Form
}

func (k objectKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	values, bad := k.form.decode(d, in)
	if bad != nil {
		return result{}, &detail{object: bad}
	}
	if d.err != nil {
		return result{}, nil
	}
	return result{typed: values}, nil
}

type objectsKind struct {
	common
	form *Form
}

func (k objectsKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	if in.kind != KindList {
		return result{}, &detail{object: NonField(notList(in))}
	}
	if wrong := f.itemCount(len(in.list)); wrong != "" {
		return result{}, &detail{object: NonField(wrong)}
	}
	typed := make([]*Values, len(in.list))
	var bad []*detail
	for i := range in.list {
		wrong := k.item(d, f, in.list[i], &typed[i])
		if d.err != nil {
			return result{}, nil
		}
		if wrong != nil {
			if bad == nil {
				bad = make([]*detail, len(in.list))
			}
			bad[i] = wrong
		}
	}
	if bad != nil {
		return result{}, &detail{items: bad}
	}
	return result{typed: typed}, nil
}

// itemCount returns what is wrong with the number of objects in a list.
func (f *Field) itemCount(n int) string {
	switch {
	case n == 0 && f.nonEmpty:
		return emptyList
	case f.maxItems > 0 && n > f.maxItems:
		return tooMany(f.maxItems)
	case n < f.minItems:
		return tooFew(f.minItems)
	}
	return ""
}

func (k objectsKind) item(d *decoding, f *Field, in Value, typed **Values) *detail {
	if in.kind == KindNull {
		if f.null {
			return nil
		}
		return messages(notNull)
	}
	values, bad := k.form.decode(d, in)
	if bad != nil {
		return &detail{object: bad}
	}
	if d.err != nil {
		return nil
	}
	*typed = values
	return nil
}
