package fuzz

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Request is one request as it goes over the wire.
type Request struct {
	Method string
	// Target is the path with its query, encoded.
	Target string
	// Header needs no Authorization: that of the key is added when none is given.
	Header http.Header
	Body   []byte
}

// JSON is a request with a body of JSON; an empty text is no body.
func JSON(method, target, body string) Request {
	r := Request{Method: method, Target: target, Header: http.Header{}, Body: []byte(body)}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

func (r Request) clone() Request {
	r.Header, r.Body = r.Header.Clone(), slices.Clone(r.Body)
	if r.Header == nil {
		r.Header = http.Header{}
	}
	return r
}

// path is the path of the request as a server decodes it.
func (r Request) path() string {
	u, err := url.ParseRequestURI(r.Target)
	if err != nil {
		return ""
	}
	return u.Path
}

// String shows the request so that it can be sent again.
func (r Request) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", r.Method, shortened(r.Target))
	for name, values := range r.Header {
		for _, v := range values {
			fmt.Fprintf(&b, "%s: %q\n", name, shortened(v))
		}
	}
	if len(r.Body) > 0 {
		fmt.Fprintf(&b, "%q", shortened(string(r.Body)))
	}
	return b.String()
}

func shortened(s string) string {
	if len(s) > 2000 {
		return fmt.Sprintf("%s… (%d bytes)", s[:2000], len(s))
	}
	return s
}

// response is what a request was answered.
type response struct {
	status   int
	header   http.Header
	body     []byte
	panicked string
}

// sendable tells whether net/http would let a request through to a handler at
// all, and makes it ready.
func (r Request) sendable(ctx context.Context, key string) (*http.Request, bool) {
	u, err := url.ParseRequestURI(r.Target)
	if err != nil || !httpguts.ValidHeaderFieldName(r.Method) {
		return nil, false
	}
	out := &http.Request{
		Method: r.Method, URL: u, RequestURI: r.Target, Host: "api.example", RemoteAddr: "192.0.2.1:1234",
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: r.Header.Clone(), Body: io.NopCloser(bytes.NewReader(r.Body)), ContentLength: int64(len(r.Body)),
	}
	for _, values := range out.Header {
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) {
				return nil, false
			}
		}
	}
	if _, given := out.Header["Authorization"]; !given && key != "" {
		out.Header.Set("Authorization", "Token "+key)
	}
	return out.WithContext(ctx), true
}

// send lets a handler answer a request, and survives it when it panics.
func send(h http.Handler, r *http.Request) (out response) {
	w := httptest.NewRecorder()
	defer func() {
		if p := recover(); p != nil {
			out.panicked = fmt.Sprintf("%v\n%s", p, debug.Stack())
		}
	}()
	h.ServeHTTP(w, r)
	return response{status: w.Code, header: w.Header(), body: w.Body.Bytes()}
}

// identifier is anything that looks like an identifier of the API.
var identifier = regexp.MustCompile(`\b[a-z]{2,8}-[0-9A-Za-z]{22}\b`)

// pool holds the identifiers that were seen, the latest of each kind.
type pool struct {
	known  map[string]bool
	kinds  []string
	byKind map[string][]string
}

const poolSize = 48

func newPool() *pool { return &pool{known: map[string]bool{}, byKind: map[string][]string{}} }

func (p *pool) learn(text []byte) {
	for _, found := range identifier.FindAll(text, -1) {
		id := string(found)
		kind, _, _ := strings.Cut(id, "-")
		if p.known[id] {
			continue
		}
		p.known[id] = true
		if p.byKind[kind] == nil {
			p.kinds = append(p.kinds, kind)
		}
		p.byKind[kind] = append(p.byKind[kind], id)
		if n := len(p.byKind[kind]); n > poolSize {
			delete(p.known, p.byKind[kind][0])
			p.byKind[kind] = slices.Clone(p.byKind[kind][1:])
		}
	}
}
