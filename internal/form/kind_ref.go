package form

import (
	"math/big"
	"strings"
)

// refKind is the id of a stored object: prefix, dash, short UUID.
type refKind struct {
	common
	prefix string
}

func (k refKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	if in.kind == KindString && in.text == "" {
		if f.null {
			return result{}, nil
		}
		return result{}, messages(notNull)
	}
	return k.lookUp(d, f, in)
}

func (k refKind) lookUp(d *decoding, f *Field, in Value) (result, *detail) {
	text := pythonText(in)
	id, ok := k.withPrefix(f, in)
	if !ok {
		return result{}, messages(`Bad prefix. Expected a UUID prefixed by "` + k.prefix + `", but got ` + text + `.`)
	}
	exists := plausible(id[len(k.prefix)+1:])
	if exists && d.resolver != nil {
		var err error
		if exists, err = d.resolver.Exists(k.prefix, id); err != nil {
			d.err = err
			return result{}, nil
		}
	}
	if !exists {
		return result{}, messages(`Invalid pk "` + text + `" - object does not exist.`)
	}
	return result{value: StringValue(id)}, nil
}

// withPrefix returns the id with the field's own prefix.
func (k refKind) withPrefix(f *Field, in Value) (string, bool) {
	if in.kind != KindString {
		return "", false
	}
	prefix, rest, dash := strings.Cut(in.text, "-")
	if !dash {
		return "", false
	}
	if prefix == k.prefix {
		return in.text, true
	}
	for _, alias := range f.alias {
		if prefix == alias {
			return k.prefix + "-" + rest, true
		}
	}
	return "", false
}

// plausible keeps text that can be no id away from the database.
func plausible(id string) bool {
	for i := 0; i < len(id); i++ {
		if !alphanumeric(id[i]) {
			return false
		}
	}
	return 0 < len(id) && len(id) <= 64
}

// refsKind is a list of ids. Only the first bad one is reported.
type refsKind struct{ refKind }

func (k refsKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	items, wrong := iterate(in)
	if wrong != nil {
		return result{}, wrong
	}
	if len(items) == 0 && f.nonEmpty {
		return result{}, messages(emptyList)
	}
	if f.maxItems > 0 && len(items) > f.maxItems {
		return result{}, messages(tooMany(f.maxItems)) // before the database is asked
	}
	out := make([]Value, 0, len(items))
	for _, item := range items {
		r, wrong := k.lookUp(d, f, item)
		if wrong != nil || d.err != nil {
			return result{}, wrong
		}
		out = append(out, r.value)
	}
	return result{value: ListValue(out...)}, nil
}

// iterate returns the items of a list. An object stands for its keys, as it
// does in the recorded application.
func iterate(in Value) ([]Value, *detail) {
	switch in.kind {
	case KindList:
		return in.list, nil
	case KindObject:
		keys := make([]Value, 0, in.Len())
		for i := 0; i < len(in.list); i += 2 {
			keys = append(keys, in.list[i])
		}
		return keys, nil
	}
	return nil, messages(notList(in))
}

type uuidKind struct{ common }

// decode takes any usual spelling of a UUID, and like the recorded application
// an integer or a boolean, which stand for the number the UUID is.
func (uuidKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	var hex string
	switch in.kind {
	case KindString:
		hex = strings.ReplaceAll(strings.ReplaceAll(in.text, "urn:", ""), "uuid:", "")
		hex = strings.ReplaceAll(strings.Trim(hex, "{}"), "-", "")
	case KindInt:
		if n, ok := new(big.Int).SetString(in.text, 10); ok && n.Sign() >= 0 && n.BitLen() <= 128 {
			hex = n.Text(16)
			hex = strings.Repeat("0", 32-len(hex)) + hex
		}
	case KindBool:
		hex = strings.Repeat("0", 32)
		if in.yes {
			hex = hex[1:] + "1"
		}
	}
	if len(hex) != 32 {
		return result{}, messages("Must be a valid UUID.")
	}
	for i := 0; i < len(hex); i++ {
		if hexDigit(hex[i]) < 0 {
			return result{}, messages("Must be a valid UUID.")
		}
	}
	hex = strings.ToLower(hex)
	return result{value: StringValue(hex[:8] + "-" + hex[8:12] + "-" + hex[12:16] + "-" + hex[16:20] + "-" + hex[20:])}, nil
}
