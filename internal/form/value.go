package form

import (
	"slices"
	"strings"
)

// Kind is the JSON type of a Value. Integers and floats are told apart by their
// literal: 1 is an integer, 1.0 and 1e2 are floats.
type Kind uint8

// The kinds of a Value. The zero Value is null.
const (
	KindNull Kind = iota
	KindBool
	KindInt
	KindFloat
	KindString
	KindList
	KindObject
	// KindFile is an uploaded file; JSON has none.
	KindFile
)

// Value is one parsed JSON value. It keeps the order of keys and the literal
// text of numbers. A Value is immutable; its zero value is null.
type Value struct {
	kind Kind
	yes  bool // the value of a KindBool
	// lone is true when this string, or anything inside this list or object,
	// carries half of a surrogate pair. Such text cannot be stored or sent.
	lone bool
	// huge is true when this number, or a number inside, is a float literal
	// beyond the range of a double. It has no JSON form of its own.
	huge bool
	text string  // literal of a number, content of a string
	list []Value // items of a list; key, value, key, value … of an object
	file *Upload
}

// Member is one key of an object and its value.
type Member struct {
	Key   string
	Value Value
}

// StringValue returns a JSON string holding s.
func StringValue(s string) Value { return Value{kind: KindString, text: s} }

// BoolValue returns a JSON true or false.
func BoolValue(b bool) Value { return Value{kind: KindBool, yes: b} }

// IntValue returns a JSON integer.
func IntValue(n int64) Value { return Value{kind: KindInt, text: formatInt(n)} }

// ListValue returns a JSON array of items.
func ListValue(items ...Value) Value {
	v := Value{kind: KindList, list: items}
	for i := range items {
		v.lone = v.lone || items[i].lone
		v.huge = v.huge || items[i].huge
	}
	return v
}

// ObjectValue returns a JSON object with the members in the order given. The
// keys must differ.
func ObjectValue(members ...Member) Value {
	v := Value{kind: KindObject, list: make([]Value, 0, 2*len(members))}
	for _, m := range members {
		v.list = append(v.list, StringValue(m.Key), m.Value)
		v.lone = v.lone || m.Value.lone
		v.huge = v.huge || m.Value.huge
	}
	return v
}

// Kind returns the JSON type of v.
func (v Value) Kind() Kind { return v.kind }

// IsNull reports whether v is null.
func (v Value) IsNull() bool { return v.kind == KindNull }

// Bool returns the value of a JSON boolean, false for anything else.
func (v Value) Bool() bool { return v.kind == KindBool && v.yes }

// Text returns the content of a string or the literal of a number, "" for
// anything else.
func (v Value) Text() string { return v.text }

// Int returns an integer literal as int64; ok is false for other kinds and for
// integers outside int64.
func (v Value) Int() (n int64, ok bool) {
	if v.kind != KindInt {
		return 0, false
	}
	return parseInt64(v.text)
}

// Len returns the number of items of a list or of members of an object.
func (v Value) Len() int {
	if v.kind == KindObject {
		return len(v.list) / 2
	}
	return len(v.list)
}

// Items returns the items of a list, nil for anything else. The slice must not
// be changed.
func (v Value) Items() []Value {
	if v.kind != KindList {
		return nil
	}
	return v.list
}

// Members returns the members of an object in their order, nil for anything else.
func (v Value) Members() []Member {
	if v.kind != KindObject {
		return nil
	}
	members := make([]Member, 0, len(v.list)/2)
	for i := 0; i < len(v.list); i += 2 {
		members = append(members, Member{Key: v.list[i].text, Value: v.list[i+1]})
	}
	return members
}

// Get returns the value of a key of an object. Keys are case-sensitive.
func (v Value) Get(key string) (Value, bool) {
	if v.kind != KindObject {
		return Value{}, false
	}
	for i := 0; i < len(v.list); i += 2 {
		if v.list[i].text == key {
			return v.list[i+1], true
		}
	}
	return Value{}, false
}

// JSON renders v compactly, keys in their order, floats as Python writes them.
func (v Value) JSON() []byte { return v.append(nil, false) }

// Canonical renders v compactly with sorted keys: two bodies that say the same
// have the same canonical text.
func (v Value) Canonical() []byte { return v.append(nil, true) }

// MarshalJSON makes a Value usable inside encoding/json.
func (v Value) MarshalJSON() ([]byte, error) { return v.JSON(), nil }

func (v Value) append(to []byte, sorted bool) []byte {
	switch v.kind {
	case KindBool:
		if v.yes {
			return append(to, "true"...)
		}
		return append(to, "false"...)
	case KindInt:
		return append(to, v.text...)
	case KindFloat:
		return append(to, pythonFloat(v.text)...)
	case KindString:
		return appendString(to, v.text)
	case KindList:
		to = append(to, '[')
		for i := range v.list {
			if i > 0 {
				to = append(to, ',')
			}
			to = v.list[i].append(to, sorted)
		}
		return append(to, ']')
	case KindObject:
		return v.appendObject(to, sorted)
	default:
		return append(to, "null"...)
	}
}

func (v Value) appendObject(to []byte, sorted bool) []byte {
	order := make([]int, 0, len(v.list)/2)
	for i := 0; i < len(v.list); i += 2 {
		order = append(order, i)
	}
	if sorted {
		slices.SortFunc(order, func(a, b int) int { return strings.Compare(v.list[a].text, v.list[b].text) })
	}
	to = append(to, '{')
	for n, i := range order {
		if n > 0 {
			to = append(to, ',')
		}
		to = appendString(to, v.list[i].text)
		to = append(to, ':')
		to = v.list[i+1].append(to, sorted)
	}
	return append(to, '}')
}
