// Package assets serves the style sheets of the hosted pages under names that carry a hash of their content,
// so that browsers and proxies may keep them for ever and a new release is seen at once.
package assets

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"tradecredit/web"
)

// Prefix is the path under which a Set is mounted.
const Prefix = "/a/"

// bundles names each served sheet and the source files it is made of. The order matters: layers.css fixes the
// order of the cascade layers and must come first.
var bundles = []bundle{
	{name: "pay", sources: []string{"css/layers.css", "css/tokens.css", "css/base.css", "css/components.css", "css/pay.css"}},
}

type bundle struct {
	name    string
	sources []string
}

// Set is the served style sheets. It does not change after New and may be used by many goroutines.
type Set struct {
	urls  map[string]string // bundle name → path
	files map[string]file   // path → content
}

type file struct {
	body, gzipped []byte
	etag          string
}

// New reads the embedded sources and computes names and compressed copies. The names depend on the content alone,
// so every node of an installation and every call answer the same ones.
func New() (*Set, error) {
	s := &Set{urls: map[string]string{}, files: map[string]file{}}
	for _, b := range bundles {
		var body bytes.Buffer
		for _, source := range b.sources {
			text, err := web.Files.ReadFile(source)
			if err != nil {
				return nil, fmt.Errorf("assets: %w", err)
			}
			body.Write(withoutComments(text))
		}
		packed, err := compress(body.Bytes())
		if err != nil {
			return nil, fmt.Errorf("assets: %s: %w", b.name, err)
		}
		sum := sha256.Sum256(body.Bytes())
		hash := hex.EncodeToString(sum[:])[:16]
		path := Prefix + b.name + "." + hash + ".css"
		s.urls[b.name] = path
		s.files[path] = file{body: body.Bytes(), gzipped: packed, etag: `"` + hash + `"`}
	}
	return s, nil
}

// URL answers the path of a bundle ("pay"), or "" when there is no such bundle.
func (s *Set) URL(name string) string { return s.urls[name] }

// Weight answers the size in bytes of a bundle as a browser fetches it, that is compressed.
func (s *Set) Weight(name string) int { return len(s.files[s.urls[name]].gzipped) }

// ServeHTTP answers GET and HEAD of the paths that URL gives out, and 404 for all others, an old hash included:
// a page of an old release asks the node that rendered it or is reloaded.
func (s *Set) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f, ok := s.files[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/css; charset=utf-8")
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Vary", "Accept-Encoding")
	h.Set("ETag", f.etag)
	if r.Header.Get("If-None-Match") == f.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body := f.body
	if acceptsGzip(r.Header.Values("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		body = f.gzipped
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodGet {
		_, _ = w.Write(body) // the client is gone when this fails; nothing to do
	}
}

// acceptsGzip reads Accept-Encoding as far as it matters here: gzip named, and not with weight zero.
func acceptsGzip(headers []string) bool {
	for _, value := range strings.Split(strings.Join(headers, ","), ",") {
		coding, weight, _ := strings.Cut(strings.TrimSpace(value), ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		digits, isWeight := strings.CutPrefix(strings.ReplaceAll(weight, " ", ""), "q=")
		return !isWeight || strings.Trim(digits, "0.") != ""
	}
	return false
}

// withoutComments drops /* … */: they are for the reader of the sources. Our sheets have no such marks in strings.
func withoutComments(css []byte) []byte {
	var out []byte
	for {
		before, rest, found := bytes.Cut(css, []byte("/*"))
		out = append(out, before...)
		if !found {
			return out
		}
		_, css, _ = bytes.Cut(rest, []byte("*/"))
	}
}

func compress(body []byte) ([]byte, error) {
	var out bytes.Buffer
	zw, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := zw.Write(body); err != nil {
		return nil, err
	}
	if err := zw.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
