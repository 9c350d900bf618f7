package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"tradecredit/internal/api"
	"tradecredit/internal/api/apitest"
	"tradecredit/internal/apierr"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/form"
	"tradecredit/internal/merchant"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// shelf keeps files in memory.
type shelf struct {
	mu   sync.Mutex
	kept []string
	fail error
}

const largest = 2 << 20

func (s *shelf) MaxFile() int64 { return largest }

func (s *shelf) Keep(_ context.Context, u *form.Upload, content io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(content, largest+1))
	if err != nil {
		return err
	}
	if len(b) > largest {
		u.Size, u.Problem = int64(len(b)), "Too large."
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sum := sha256.Sum256(b)
	u.Size, u.SHA256, u.Kept = int64(len(b)), hex.EncodeToString(sum[:]), string(b)
	s.kept = append(s.kept, string(b))
	return s.fail
}

func (s *shelf) Drop(_ context.Context, u *form.Upload) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := slices.Index(s.kept, fmt.Sprint(u.Kept)); at >= 0 {
		s.kept = slices.Delete(s.kept, at, at+1)
	}
}

// holds demands which files are left, and forgets them.
func (s *shelf) holds(t *testing.T, want ...string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.kept, want) {
		t.Errorf("%.100q are left, want %q", s.kept, want)
	}
	s.kept = nil
}

// paper is the answer of the route under test.
type paper struct {
	Title string `json:"title"`
	Text  string `json:"text"`
	N     int    `json:"n"`
}

// paperServer has one route with files. It refuses titles that are "refused" and
// rooms other than 1, and numbers its answers.
func paperServer(t *testing.T, d *db.DB, s *shelf) *apitest.Client {
	var n int
	return apitest.New(t, d, func(c *api.Config) {
		c.Routes = []api.Route{{
			Method: http.MethodPost, Path: "/v1/rooms/{room}/papers", Tag: "Papers", Summary: "Add a paper",
			Body: form.New("Paper", form.File("file", form.Max(20)), form.Char("title", form.Optional())), Response: paper{}, Status: 201,
			Files: s,
			Before: func(c *api.Call, _ *db.Tx) error {
				if c.Path("room") != "1" {
					return db.ErrNoRows
				}
				return nil
			},
			Write: func(c *api.Call, tx *db.Tx) (*api.Response, error) {
				v, err := c.Decode(tx)
				if err != nil {
					return nil, err
				}
				if v.String("title") == "refused" {
					return nil, apierr.Conflict("Refused.")
				}
				n++
				return api.Created(paper{v.String("title"), v.File("file").Kept.(string), n}), nil
			},
		}}
	}).Merchant(merchant.BNPL)
}

// mixed is a multipart body; what begins with @ is a file with that content.
func mixed(t *testing.T, fields ...string) (contentType, body string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(fields); i += 2 {
		name, content, file := fields[i], fields[i+1], false
		if content, file = strings.CutPrefix(content, "@"); file {
			part, err := w.CreateFormFile(name, "a.txt")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(part, content); err != nil {
				t.Fatal(err)
			}
		} else if err := w.WriteField(name, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), b.String()
}

func TestMultipart(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := &shelf{}
		c := paperServer(t, d, s)
		post := func(c *apitest.Client, fields ...string) *apitest.Response {
			t.Helper()
			kind, body := mixed(t, fields...)
			return c.With("Content-Type", kind).Do("POST", "/v1/rooms/1/papers", body)
		}
		post(c, "title", "A", "file", "@one").Want(201, `{"title":"A","text":"one","n":1}`)
		s.holds(t, "one")
		// The last of several counts, and what nobody asked for is passed over.
		post(c, "file", "@one", "other", "@x", "file", "@two", "title", "B").Want(201, `{"title":"B","text":"two","n":2}`)
		s.holds(t, "two")
		for want, fields := range map[string][]string{
			`{"file":["No file was submitted."]}`:                                                  {"title", "A"},
			`{"file":["The submitted data was not a file. Check the encoding type on the form."]}`: {"file", "text"},
			`{"file":["The submitted file is empty."]}`:                                            {"file", "@"},
			`{"title":["This field may not be blank."]}`:                                           {"file", "@one", "title", " "},
			`{"file":["Too large."],"title":["This field may not be blank."]}`:                     {"title", " ", "file", "@" + strings.Repeat("x", largest+1)},
			`{"file":["Too large."]}`:                                                              {"file", "@" + strings.Repeat("x", largest+2<<20)},
			`{"detail":"Multipart form parse error - The fields have more than 1048576 bytes."}`:   {"file", "@one", "title", strings.Repeat("x", 1<<20+1)},
		} {
			post(c, fields...).Want(400, want)
			s.holds(t)
		}
		post(c, "x", "@"+strings.Repeat("x", largest+2<<20)).Want(413, `{"detail":"The request body is larger than 3145728 bytes."}`)
		post(c, "file", "@one", "title", "refused").Want(409, `{"detail":"Refused."}`)
		s.holds(t)

		path := "/v1/rooms/1/papers"
		c.Do("POST", path, nil).Want(400, `{"file":["No file was submitted."]}`)
		c.Do("POST", path, `{"file": "x"}`).Want(415, `{"detail":"Unsupported media type \"application/json\" in request."}`)
		c.With("Content-Type", "multipart/form-data").Do("POST", path, "x").Want(400, `{"detail":"Multipart form parse error - Invalid boundary in multipart: None"}`)
		kind, body := mixed(t, "file", "@one")
		c.With("Content-Type", kind).Do("POST", path, body[:len(body)-90]).Want(400, `{"file":["No file was submitted."]}`)
		c.With("Content-Type", kind).Do("POST", path, body[:len(body)-62]).Want(400, `{"detail":"Multipart form parse error - A file ends before its boundary."}`)
		// No such room comes before a body that cannot be read.
		c.Do("POST", "/v1/rooms/2/papers", `{`).Want(404, `{"detail":"Not found."}`)
		s.fail = errors.New("the shelf is full")
		post(c, "file", "@one").Want(500, `{"error":"Server Error (500)"}`)
		s.holds(t)
	})
}

func TestMultipartIsIdempotent(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := &shelf{}
		c := paperServer(t, d, s).With("Idempotency-Key", "k-1")
		post := func(fields ...string) *apitest.Response {
			t.Helper()
			kind, body := mixed(t, fields...)
			return c.With("Content-Type", kind).Do("POST", "/v1/rooms/1/papers", body)
		}
		// A refused request leaves no key behind.
		post("file", "@one", "title", "refused").WantStatus(409)
		post("title", "A", "file", "@one").Want(201, `{"title":"A","text":"one","n":1}`)
		s.holds(t, "one")
		// Another boundary and another order of the parts are the same request.
		again := post("file", "@one", "title", "A").Want(201, `{"title":"A","text":"one","n":1}`)
		if again.Header.Get("Idempotency-Replayed") != "true" {
			t.Error("the answer is not marked as a replay")
		}
		s.holds(t)
		for _, fields := range [][]string{{"title", "A", "file", "@two"}, {"title", "B", "file", "@one"}} {
			post(fields...).Want(400, `{"error":"Duplicate `+"`Idempotency-Key`"+` [k-1] has been used for another request, the key cannot be used again."}`)
			s.holds(t)
		}
	})
}
