package fuzz

import (
	"bytes"
	"encoding/json"
	"strings"
)

// value is JSON that need not be well-formed: its leaves are the text that is
// written, its objects may have a key twice.
type value struct {
	literal string
	object  bool
	list    bool
	members []pair // of an object
	items   []*value
}

type pair struct {
	key   string // as it is written, with its quotes
	value *value
}

func leaf(literal string) *value { return &value{literal: literal} }

// parseTree reads a body; ok is false for one that is not JSON.
func parseTree(body []byte) (v *value, ok bool) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	v, err := readValue(d)
	return v, err == nil && !d.More()
}

func readValue(d *json.Decoder) (*value, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	delimiter, ok := t.(json.Delim)
	if !ok {
		return leaf(literal(t)), nil
	}
	v := &value{object: delimiter == '{', list: delimiter == '['}
	for d.More() {
		var key string
		if v.object {
			k, err := d.Token()
			if err != nil {
				return nil, err
			}
			key = literal(k)
		}
		inner, err := readValue(d)
		if err != nil {
			return nil, err
		}
		if v.object {
			v.members = append(v.members, pair{key, inner})
		} else {
			v.items = append(v.items, inner)
		}
	}
	_, err = d.Token()
	return v, err
}

func literal(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(text)
}

func (v *value) write(b *strings.Builder) {
	switch {
	case v.object:
		b.WriteByte('{')
		for i, m := range v.members {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(m.key)
			b.WriteByte(':')
			m.value.write(b)
		}
		b.WriteByte('}')
	case v.list:
		b.WriteByte('[')
		for i, item := range v.items {
			if i > 0 {
				b.WriteByte(',')
			}
			item.write(b)
		}
		b.WriteByte(']')
	default:
		b.WriteString(v.literal)
	}
}

func (v *value) text() []byte {
	var b strings.Builder
	v.write(&b)
	return []byte(b.String())
}

// walk visits every value from the outside in.
func (v *value) walk(visit func(v *value)) {
	visit(v)
	for _, m := range v.members {
		m.value.walk(visit)
	}
	for _, item := range v.items {
		item.walk(visit)
	}
}

// all are the values within v, itself included.
func (v *value) all() []*value {
	var out []*value
	v.walk(func(v *value) { out = append(out, v) })
	return out
}

// clone is a copy that shares nothing.
func (v *value) clone() *value {
	out := *v
	out.members, out.items = nil, nil
	for _, m := range v.members {
		out.members = append(out.members, pair{m.key, m.value.clone()})
	}
	for _, item := range v.items {
		out.items = append(out.items, item.clone())
	}
	return &out
}
