package fuzz

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"mime"
	"net/http"
	"slices"
	"strings"
)

// mutator spoils requests. All chance comes from rnd, so that one seed gives
// one sequence.
type mutator struct {
	rnd  *rand.Rand
	pool *pool
	// queries are names of parameters; the first of them are those of the document.
	queries    []string
	documented int
	fresh      int // numbers values that must not repeat
}

func pick[T any](m *mutator, from []T) T { return from[m.rnd.IntN(len(from))] }

func (m *mutator) chance(percent int) bool { return m.rnd.IntN(100) < percent }

// request makes a request of a seed: sometimes as it is, mostly spoilt in one to
// three places.
func (m *mutator) request(seed Request) Request {
	r := seed.clone()
	r.Target = string(m.bind([]byte(r.Target)))
	r.Body = m.refresh(m.bind(r.Body))
	if m.chance(20) {
		return r
	}
	for range 1 + m.rnd.IntN(3) {
		m.spoil(&r)
	}
	return r
}

// bind puts identifiers that exist in the place of those of a seed.
func (m *mutator) bind(text []byte) []byte {
	return identifier.ReplaceAllFunc(text, func(found []byte) []byte {
		kind, _, _ := strings.Cut(string(found), "-")
		known := m.pool.byKind[kind]
		if len(known) == 0 || m.chance(5) {
			return found
		}
		if m.chance(50) {
			return []byte(known[len(known)-1])
		}
		return []byte(pick(m, known))
	})
}

// refresh gives most bodies a unique_id of their own, or all but the first would
// be refused for it.
func (m *mutator) refresh(body []byte) []byte {
	v, ok := parseTree(body)
	if !ok || m.chance(25) {
		return body
	}
	m.fresh++
	v.walk(func(v *value) {
		for _, p := range v.members {
			if p.key == `"unique_id"` {
				*p.value = *leaf(fmt.Sprintf(`"fuzz-%d"`, m.fresh))
			}
		}
	})
	return v.text()
}

func (m *mutator) spoil(r *Request) {
	n := m.rnd.IntN(100)
	switch {
	case len(r.Body) > 0 && n < 65:
		m.body(r)
	case r.Method == http.MethodGet && n < 55:
		m.query(r)
	case n < 75:
		m.path(r)
	case n < 83:
		m.query(r)
	case n < 95:
		m.header(r)
	case n < 97:
		r.Body = []byte(pick(m, literals))
		r.Header.Set("Content-Type", "application/json")
	default:
		r.Method = pick(m, methods)
	}
}

func (m *mutator) body(r *Request) {
	if kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && kind == "multipart/form-data" {
		m.parts(r, params["boundary"])
		return
	}
	v, ok := parseTree(r.Body)
	if !ok || m.chance(8) {
		r.Body = m.bytes(r.Body)
		return
	}
	m.tree(v)
	r.Body = v.text()
}

// bytes damages a text without looking into it.
func (m *mutator) bytes(body []byte) []byte {
	if len(body) == 0 {
		return []byte(pick(m, literals))
	}
	at := m.rnd.IntN(len(body))
	switch m.rnd.IntN(6) {
	case 0:
		return body[:at]
	case 1:
		return slices.Insert(body, at, byte(m.rnd.IntN(256)))
	case 2:
		return slices.Delete(body, at, at+1)
	case 3:
		body[at] = byte(m.rnd.IntN(256))
		return body
	case 4:
		return append([]byte("\ufeff"), body...)
	}
	return append(body, body...)
}

// parts spoils a multipart body: the content or the heading of one part, or the
// part as a whole.
func (m *mutator) parts(r *Request, boundary string) {
	pieces := bytes.Split(r.Body, []byte("--"+boundary))
	if boundary == "" || len(pieces) < 3 || m.chance(15) {
		r.Body = m.bytes(r.Body)
		return
	}
	at := 1 + m.rnd.IntN(len(pieces)-2)
	heading, content, _ := bytes.Cut(pieces[at], []byte("\r\n\r\n"))
	part := func(heading, content []byte) []byte { return slices.Concat(heading, []byte("\r\n\r\n"), content) }
	switch m.rnd.IntN(5) {
	case 0:
		pieces = slices.Delete(pieces, at, at+1)
	case 1:
		pieces = slices.Insert(pieces, at, pieces[at])
	case 2:
		pieces[at] = part(m.bytes(slices.Clone(heading)), content)
	case 3:
		pieces[at] = part(heading, []byte(m.plainText()+"\r\n"))
	default:
		pieces[at] = part(heading, []byte("\r\n"))
	}
	r.Body = bytes.Join(pieces, []byte("--"+boundary))
}

// plainText is a hostile text as it is, not as JSON writes it.
func (m *mutator) plainText() string {
	if m.chance(5) {
		return strings.Repeat("a", 1<<m.rnd.IntN(17))
	}
	return pick(m, texts)
}

// text is a hostile string of JSON, now and then an identifier of something else
// or a long one.
func (m *mutator) text() string {
	switch n := m.rnd.IntN(100); {
	case n < 12 && len(m.pool.kinds) > 0:
		return `"` + pick(m, m.pool.byKind[pick(m, m.pool.kinds)]) + `"`
	case n < 16:
		return `"` + strings.Repeat(pick(m, []string{"a", "é", " ", "\\u0000", "9", "ﷺ"}), 1<<m.rnd.IntN(16)) + `"`
	}
	if m.chance(25) {
		return pick(m, critical)
	}
	return `"` + pick(m, texts) + `"`
}

// tree spoils one value of a body, or one key.
func (m *mutator) tree(root *value) {
	all := root.all()
	v := pick(m, all)
	for range 3 { // leaves are what most rules are about
		if v.object || v.list {
			v = pick(m, all)
		}
	}
	switch n := m.rnd.IntN(100); {
	case n < 25:
		m.keys(pick(m, all), root)
	case n < 55:
		*v = *leaf(m.text())
	case n < 75:
		*v = *leaf(pick(m, literals))
	case n < 85:
		m.bend(v)
	case n < 90:
		*v = value{list: true, items: []*value{v.clone()}}
	case n < 93:
		*v = value{object: true, members: []pair{{m.text(), v.clone()}}}
	case n < 95:
		m.deep(v)
	default:
		*v = *pick(m, all).clone()
	}
}

// bend changes a value without changing its type.
func (m *mutator) bend(v *value) {
	switch {
	case v.list && len(v.items) > 0:
		item := pick(m, v.items)
		switch m.rnd.IntN(3) {
		case 0:
			v.items = v.items[1:]
		case 1:
			for range 1 << m.rnd.IntN(9) {
				v.items = append(v.items, item)
			}
		default:
			v.items = append(v.items, leaf(pick(m, literals)))
		}
	case strings.HasPrefix(v.literal, `"`):
		inner := strings.TrimSuffix(v.literal[1:], `"`)
		v.literal = `"` + pick(m, []string{
			inner + pick(m, texts), pick(m, texts) + inner, strings.ToUpper(inner), strings.Repeat(inner, 1+m.rnd.IntN(30)),
			" " + inner + " ", pick(m, []string{"user", "org", "order", "offer", "co", "zz"}) + "-" + inner[strings.IndexByte(inner, '-')+1:],
		}) + `"`
	case v.literal != "":
		v.literal = pick(m, []string{
			"-" + v.literal, v.literal + "0", v.literal + "000000000000", v.literal + ".5", v.literal + ".0", v.literal + "e1",
			v.literal + "e9", `"` + v.literal + `"`, `"` + v.literal + `.00"`, "1" + v.literal,
		})
	}
}

// keys drops, repeats, renames or adds a key of an object.
func (m *mutator) keys(v, root *value) {
	for !v.object || len(v.members) == 0 {
		if v == root {
			*v = *leaf(pick(m, literals))
			return
		}
		v = root
	}
	at := m.rnd.IntN(len(v.members))
	p := v.members[at]
	switch m.rnd.IntN(6) {
	case 0, 1:
		v.members = slices.Delete(v.members, at, at+1)
	case 2:
		v.members = append(v.members, pair{p.key, leaf(pick(m, literals))})
	case 3:
		v.members[at].key = pick(m, []string{strings.ToUpper(p.key), m.text(), `"_` + strings.TrimPrefix(p.key, `"`), `""`})
	case 4:
		v.members = append(v.members, pair{m.text(), leaf(pick(m, literals))})
	default:
		other := pick(m, v.members)
		v.members[at].value = other.value.clone()
	}
}

// deep puts a value into hundreds of lists or objects.
func (m *mutator) deep(v *value) {
	depth := 1 << (4 + m.rnd.IntN(12))
	open, end := "[", "]"
	if m.chance(50) {
		open, end = `{"a":`, "}"
	}
	*v = *leaf(strings.Repeat(open, depth) + "1" + strings.Repeat(end, depth))
}

// path spoils the path: a segment, or how the segments are joined.
func (m *mutator) path(r *Request) {
	path, query, has := strings.Cut(r.Target, "?")
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	at := m.rnd.IntN(len(segments))
	switch m.rnd.IntN(8) {
	case 0, 1, 2:
		segments[at] = pick(m, targets)
	case 3:
		if len(m.pool.kinds) > 0 {
			segments[at] = pick(m, m.pool.byKind[pick(m, m.pool.kinds)])
		}
	case 4:
		segments = slices.Insert(segments, at, pick(m, targets))
	case 5:
		segments = slices.Delete(segments, at, at+1)
	case 6:
		segments[at] = pick(m, []string{strings.ToUpper(segments[at]), segments[at] + "%00", segments[at] + ".json", strings.Repeat(segments[at], 200)})
	default:
		segments = append(segments, "")
	}
	r.Target = "/" + strings.Join(segments, "/")
	if has {
		r.Target += "?" + query
	}
}

// query adds one to three parameters.
func (m *mutator) query(r *Request) {
	for range 1 + m.rnd.IntN(3) {
		joint := "?"
		if strings.Contains(r.Target, "?") {
			joint = pick(m, []string{"&", "&", "&", ";", "&&"})
		}
		name := pick(m, m.queries)
		v := pick(m, targets)
		if m.chance(15) && len(m.pool.kinds) > 0 {
			v = pick(m, m.pool.byKind[pick(m, m.pool.kinds)])
		}
		if m.chance(3) {
			v = strings.Repeat(pick(m, []string{"a", "a,", "%00", "customer.", "9"}), 1000)
		}
		r.Target += joint + pick(m, []string{name + "=" + v, name + "=" + v, name + "=" + v, name, name + "=%zz"})
	}
}

func (m *mutator) header(r *Request) {
	name := headerNames[min(m.rnd.IntN(len(headerNames)), m.rnd.IntN(len(headerNames)))]
	v := pick(m, headers[name])
	if m.chance(10) {
		r.Header.Add(name, v)
		return
	}
	r.Header.Set(name, v)
}
