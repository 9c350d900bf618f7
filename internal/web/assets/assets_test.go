package assets

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func newSet(t *testing.T) *Set {
	t.Helper()
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func get(s *Set, method, path string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w.Result()
}

func TestServesTheSheetForEver(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	path := s.URL("pay")
	if !regexp.MustCompile(`^/a/pay\.[0-9a-f]{16}\.css$`).MatchString(path) {
		t.Fatalf("path is %q", path)
	}
	plain := get(s, "GET", path)
	body, _ := io.ReadAll(plain.Body)
	for name, want := range map[string]string{
		"Content-Type": "text/css; charset=utf-8", "Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding",
	} {
		if got := plain.Header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if !strings.HasPrefix(strings.TrimSpace(string(body)), "@layer tokens, base, components, page;") {
		t.Errorf("begins with %.60q", body)
	}
	packed := get(s, "GET", path, "Accept-Encoding", "br, gzip;q=0.8")
	reader, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	unpacked, _ := io.ReadAll(reader)
	if string(unpacked) != string(body) {
		t.Error("the compressed copy differs")
	}
	if again := get(s, "GET", path, "If-None-Match", plain.Header.Get("ETag")); again.StatusCode != http.StatusNotModified {
		t.Errorf("status %d for a known ETag", again.StatusCode)
	}
	head := get(s, "HEAD", path)
	if rest, _ := io.ReadAll(head.Body); head.StatusCode != 200 || len(rest) > 0 {
		t.Errorf("HEAD: status %d, %d bytes", head.StatusCode, len(rest))
	}
}

func TestRefusesTheRest(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	cases := map[string]struct {
		method, path string
		want         int
	}{
		"old hash":     {"GET", "/a/pay.0000000000000000.css", 404},
		"no hash":      {"GET", "/a/pay.css", 404},
		"source":       {"GET", "/a/css/pay.css", 404},
		"climbing":     {"GET", "/a/../web.go", 404},
		"other method": {"POST", s.URL("pay"), 405},
	}
	for name, c := range cases {
		if got := get(s, c.method, c.path).StatusCode; got != c.want {
			t.Errorf("%s: status %d", name, got)
		}
	}
}

func TestAcceptsGzip(t *testing.T) {
	t.Parallel()
	cases := map[string]bool{"gzip": true, "GZIP": true, "br, gzip": true, "gzip;q=0": false, "gzip; q=0.000": false, "gzip;q=0.1": true, "": false, "br": false, "xgzip": false}
	for header, want := range cases {
		if got := acceptsGzip([]string{header}); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}

// TestSheetIsSelfContained: nothing is fetched from anywhere, and no comment is sent.
func TestSheetIsSelfContained(t *testing.T) {
	t.Parallel()
	s := newSet(t)
	body, _ := io.ReadAll(get(s, "GET", s.URL("pay")).Body)
	for _, mark := range []string{"url(", "@import", "/*", "*/", "http"} {
		if strings.Contains(string(body), mark) {
			t.Errorf("%q in the sheet", mark)
		}
	}
	if open, closed := strings.Count(string(body), "{"), strings.Count(string(body), "}"); open != closed {
		t.Errorf("%d { and %d }", open, closed)
	}
	if weight := s.Weight("pay"); weight > 6000 {
		t.Errorf("the sheet weighs %d bytes compressed", weight)
	}
}

func TestURLOfNoBundle(t *testing.T) {
	t.Parallel()
	if got := newSet(t).URL("dash"); got != "" {
		t.Errorf("got %q", got)
	}
}
