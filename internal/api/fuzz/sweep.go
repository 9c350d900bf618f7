package fuzz

import (
	"net/url"
	"strings"
)

// critical are the JSON values that break servers most, one for each way. The
// empty text stands for leaving the key out.
var critical = []string{
	"", "null", `""`, `"\u0000"`, `"a\u0000b"`, `"\ud800"`, `"a\udfff"`, "\"\xff\"", `"'"`, `"\\"`, `"%"`, `"` + strings.Repeat("a", 20000) + `"`,
	"-1", "0", "1.5", "1e999999999", "9223372036854775807", "9223372036854775808", "99999999999999999999999999", `"NaN"`,
	"true", "[]", "{}", "[null]", "[{}]", `{"a":[]}`, `"9999-12-31T23:59:59.999999-14:00"`, `"0000-00-00"`, `"10000-01-01"`, `"user-1"`,
}

// criticalTargets are the same for queries, the first of them for paths, encoded.
var criticalTargets = []string{
	"order-%00", "%FF", "%ED%A0%80", "%27", "order-NU9UH2MoWwzcgLV2mGUigZ", "order-1", "..", strings.Repeat("a", 5000), // in paths as well
	"", "%00", "%25", "%5C", "-1", "0", "9223372036854775807", "9223372036854775808", "a,b..c,",
}

// blow is one change of one seed.
type blow struct {
	seed  Request
	where place
	at    int // which value, segment or parameter
	what  string
}

type place int

const (
	inBody place = iota
	inPath
	inQuery
)

// sweep lists every critical value at every place of every seed, shuffled.
func (m *mutator) sweep(seeds []Request) []blow {
	var out []blow
	add := func(seed Request, where place, n int, values []string) {
		for at := range n {
			for _, what := range values {
				out = append(out, blow{seed, where, at, what})
			}
		}
	}
	for _, seed := range seeds {
		if v, ok := parseTree(seed.Body); ok {
			add(seed, inBody, len(v.all()), critical)
		}
		path, _, _ := strings.Cut(seed.Target, "?")
		add(seed, inPath, strings.Count(path, "/"), criticalTargets[:8])
		if seed.Method == "GET" {
			add(seed, inQuery, m.documented, criticalTargets)
		}
	}
	m.rnd.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// strike makes the request of a blow.
func (m *mutator) strike(b blow) Request {
	r := b.seed.clone()
	r.Target = string(m.bind([]byte(r.Target)))
	r.Body = m.refresh(m.bind(r.Body))
	switch b.where {
	case inBody:
		if v, ok := parseTree(r.Body); ok {
			all := v.all()
			replace(v, all[min(b.at, len(all)-1)], b.what)
			r.Body = v.text()
		}
	case inPath:
		path, query, has := strings.Cut(r.Target, "?")
		segments := strings.Split(path, "/")
		segments[min(b.at+1, len(segments)-1)] = b.what
		r.Target = strings.Join(segments, "/")
		if has {
			r.Target += "?" + query
		}
	case inQuery:
		joint := "?"
		if strings.Contains(r.Target, "?") {
			joint = "&"
		}
		name := m.queries[b.at]
		if !strings.Contains(name, "%") {
			name = url.QueryEscape(name)
		}
		r.Target += joint + name + "=" + b.what
	}
	return r
}

// replace puts another value in the place of one, or leaves its key out.
func replace(root, old *value, with string) {
	if with != "" {
		*old = *leaf(with)
		return
	}
	root.walk(func(v *value) {
		for i, p := range v.members {
			if p.value == old {
				v.members = append(v.members[:i:i], v.members[i+1:]...)
				return
			}
		}
	})
}
