// Package page reads limit and offset and writes the envelope of lists, as the
// recorded application does.
package page

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"sort"
	"strconv"
	"strings"
	"unicode"
)

// The bounds of a page.
const (
	DefaultLimit = 25
	MaxLimit     = 100
)

// Page is the part of a list that is asked for.
type Page struct {
	Limit  int
	Offset int
	// Oldest is true when the oldest come first: ordering=created.
	Oldest bool
}

// Parse reads limit, offset and ordering. It never fails: what cannot be used is
// replaced by the default.
func Parse(q url.Values) Page {
	p := Page{Limit: DefaultLimit}
	if n, ok := pythonInt(last(q["limit"])); ok && n > 0 {
		p.Limit = min(n, MaxLimit)
	}
	if n, ok := pythonInt(last(q["offset"])); ok && n > 0 {
		p.Offset = n
	}
	for _, field := range strings.Split(last(q["ordering"]), ",") {
		switch strings.TrimSpace(field) {
		case "created":
			p.Oldest = true
			return p
		case "-created":
			return p
		}
	}
	return p
}

func last(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// pythonInt reads an integer as Python's int does: spaces around it, a sign,
// single underscores between digits, decimal digits of any script.
func pythonInt(s string) (int, bool) {
	s = strings.TrimSpace(s)
	negative := strings.HasPrefix(s, "-")
	if negative || strings.HasPrefix(s, "+") {
		s = s[1:]
	}
	n, digit := 0, false
	for _, r := range s {
		switch {
		case r == '_' && digit:
			digit = false
		case unicode.Is(unicode.Nd, r):
			digit = true
			if n > (math.MaxInt32-9)/10 {
				return math.MaxInt32, !negative
			}
			n = n*10 + digitValue(r)
		default:
			return 0, false
		}
	}
	if negative {
		n = -n
	}
	return n, digit
}

// digitValue is the value of a decimal digit: the digits of every script stand
// together in runs of ten that begin with zero.
func digitValue(r rune) int {
	for _, rng := range unicode.Nd.R16 {
		if rune(rng.Lo) <= r && r <= rune(rng.Hi) {
			return int(r-rune(rng.Lo)) % 10
		}
	}
	for _, rng := range unicode.Nd.R32 {
		if rune(rng.Lo) <= r && r <= rune(rng.Hi) {
			return int(r-rune(rng.Lo)) % 10
		}
	}
	return 0
}

// List is the envelope of every list.
type List[T any] struct {
	Count    int64   `json:"count" doc:"How many objects there are in all"`
	Next     *string `json:"next" doc:"Address of the next page"`
	Previous *string `json:"previous" doc:"Address of the page before"`
	Results  []T     `json:"results"`
}

// New puts one page of results into its envelope. The links are built from the
// address as it was asked for.
func New[T any](r *http.Request, p Page, count int64, results []T) List[T] {
	l := List[T]{Count: count, Results: results}
	if l.Results == nil {
		l.Results = []T{}
	}
	if int64(p.Offset)+int64(p.Limit) < count {
		l.Next = link(r, p.Limit, p.Offset+p.Limit)
	}
	if p.Offset > 0 {
		l.Previous = link(r, p.Limit, p.Offset-p.Limit)
	}
	return l
}

// Append writes the envelope around results that are JSON already: each writes
// itself to the end of what it is given.
func Append(r *http.Request, p Page, count int64, results []func([]byte) []byte) []byte {
	l := New[struct{}](r, p, count, nil)
	b := append([]byte(`{"count":`), strconv.FormatInt(count, 10)...)
	b = appendLink(append(b, `,"next":`...), l.Next)
	b = appendLink(append(b, `,"previous":`...), l.Previous)
	b = append(b, `,"results":[`...)
	for i, write := range results {
		if i > 0 {
			b = append(b, ',')
		}
		b = write(b)
	}
	return append(b, "]}"...)
}

// appendLink writes a link: an address, in which nothing needs escaping but a
// quotation mark of a strange Host.
func appendLink(b []byte, link *string) []byte {
	if link == nil {
		return append(b, "null"...)
	}
	text, err := json.Marshal(*link)
	if err != nil {
		return append(b, "null"...)
	}
	return append(b, bytes.ReplaceAll(text, []byte(`\u0026`), []byte("&"))...)
}

// link is the requested address with another offset. An offset of zero is left
// out; parameters are sorted by name.
func link(r *http.Request, limit, offset int) *string {
	q := r.URL.Query()
	q.Set("limit", strconv.Itoa(limit))
	q.Del("offset")
	if offset > 0 {
		q.Set("offset", strconv.Itoa(offset))
	}
	names := make([]string, 0, len(q))
	for name := range q {
		names = append(names, name)
	}
	sort.Strings(names)
	var parts []string
	for _, name := range names {
		for _, v := range q[name] {
			parts = append(parts, url.QueryEscape(name)+"="+url.QueryEscape(v))
		}
	}
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	s := scheme + "://" + r.Host + r.URL.EscapedPath() + "?" + strings.Join(parts, "&")
	return &s
}
