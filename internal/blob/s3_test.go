package blob

import (
	"bufio"
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// bucket is a small store that speaks the part of the S3 API that is needed:
// objects, uploads in parts, and bodies in signed chunks. It looks at who signs
// and that something is signed, not at the signature.
type bucket struct {
	t       *testing.T
	mu      sync.Mutex
	objects map[string]object
	uploads map[string]map[int][]byte
	types   map[string]string
	calls   []string
}

type object struct {
	content     []byte
	contentType string
}

func newBucket(t *testing.T) (*bucket, *httptest.Server) {
	b := &bucket{t: t, objects: map[string]object{}, uploads: map[string]map[int][]byte{}, types: map[string]string{}}
	s := httptest.NewServer(b)
	t.Cleanup(s.Close)
	return b, s
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	auth := r.Header.Get("Authorization")
	if !strings.HasPrefix(auth, "AWS4-HMAC-SHA256 Credential=the-key/") || !strings.Contains(auth, "/eu-test-1/s3/aws4_request") ||
		!strings.Contains(auth, "Signature=") {
		b.fail(w, http.StatusForbidden, "AccessDenied")
		return
	}
	key, ok := strings.CutPrefix(r.URL.Path, "/documents/")
	if !ok {
		b.fail(w, http.StatusNotFound, "NoSuchBucket")
		return
	}
	q := r.URL.Query()
	what := r.Method
	if q.Has("uploads") || q.Has("uploadId") {
		what += " part"
	}
	b.calls = append(b.calls, what)
	body, err := content(r)
	if err != nil {
		b.fail(w, http.StatusBadRequest, "IncompleteBody")
		return
	}
	if q.Has("uploads") || q.Has("uploadId") {
		b.part(w, r, key, body)
		return
	}
	b.whole(w, r, key, body)
}

func (b *bucket) whole(w http.ResponseWriter, r *http.Request, key string, body []byte) {
	switch r.Method {
	case http.MethodPut:
		b.objects[key] = object{body, r.Header.Get("Content-Type")}
		w.Header().Set("ETag", etag(body))
	case http.MethodGet, http.MethodHead:
		o, ok := b.objects[key]
		if !ok {
			b.fail(w, http.StatusNotFound, "NoSuchKey")
			return
		}
		w.Header().Set("ETag", etag(o.content))
		w.Header().Set("Last-Modified", "Mon, 02 Mar 2026 09:30:00 GMT")
		w.Header().Set("Content-Type", o.contentType)
		w.Header().Set("Content-Length", strconv.Itoa(len(o.content)))
		_, _ = w.Write(o.content)
	case http.MethodDelete:
		delete(b.objects, key)
		w.WriteHeader(http.StatusNoContent)
	}
}

func (b *bucket) part(w http.ResponseWriter, r *http.Request, key string, body []byte) {
	q := r.URL.Query()
	upload := q.Get("uploadId")
	switch {
	case r.Method == http.MethodPost && q.Has("uploads"):
		upload = fmt.Sprintf("upload-%d", len(b.types)+1)
		b.uploads[upload], b.types[upload] = map[int][]byte{}, r.Header.Get("Content-Type")
		fmt.Fprintf(w, `<InitiateMultipartUploadResult><Bucket>documents</Bucket><Key>%s</Key><UploadId>%s</UploadId></InitiateMultipartUploadResult>`, key, upload)
	case r.Method == http.MethodPut:
		n, err := strconv.Atoi(q.Get("partNumber"))
		if err != nil || b.uploads[upload] == nil {
			b.fail(w, http.StatusNotFound, "NoSuchUpload")
			return
		}
		b.uploads[upload][n] = body
		w.Header().Set("ETag", etag(body))
	case r.Method == http.MethodPost:
		var all []byte
		for n := 1; n <= len(b.uploads[upload]); n++ {
			all = append(all, b.uploads[upload][n]...)
		}
		b.objects[key] = object{all, b.types[upload]}
		delete(b.uploads, upload)
		fmt.Fprintf(w, `<CompleteMultipartUploadResult><Bucket>documents</Bucket><Key>%s</Key><ETag>%s</ETag></CompleteMultipartUploadResult>`, key, etag(all))
	case r.Method == http.MethodDelete:
		delete(b.uploads, upload)
		w.WriteHeader(http.StatusNoContent)
	}
}

func (b *bucket) fail(w http.ResponseWriter, status int, code string) {
	w.WriteHeader(status)
	out, err := xml.Marshal(struct {
		XMLName struct{} `xml:"Error"`
		Code    string
	}{Code: code})
	if err != nil {
		b.t.Error(err)
	}
	_, _ = w.Write(out)
}

func etag(b []byte) string {
	sum := md5.Sum(b)
	return `"` + hex.EncodeToString(sum[:]) + `"`
}

// content is the body of a request, out of its signed chunks if it has any.
func content(r *http.Request) ([]byte, error) {
	if !strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		return io.ReadAll(r.Body)
	}
	in, out := bufio.NewReader(r.Body), bytes.Buffer{}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, err
		}
		length, signature, ok := strings.Cut(strings.TrimSpace(line), ";chunk-signature=")
		n, err := strconv.ParseInt(length, 16, 64)
		if err != nil || !ok || len(signature) != 64 {
			return nil, fmt.Errorf("a chunk begins with %q", line)
		}
		if n == 0 {
			break
		}
		if _, err := io.CopyN(&out, in, n); err != nil {
			return nil, err
		}
		if _, err := in.Discard(2); err != nil {
			return nil, err
		}
	}
	if want := r.Header.Get("X-Amz-Decoded-Content-Length"); want != strconv.Itoa(out.Len()) {
		return nil, fmt.Errorf("%d bytes came, %s were announced", out.Len(), want)
	}
	return out.Bytes(), nil
}

func config(endpoint string) S3Config {
	return S3Config{Endpoint: endpoint, Bucket: "documents", Region: "eu-test-1", AccessKey: "the-key", SecretKey: "the-secret"}
}

func TestS3(t *testing.T) {
	t.Parallel()
	b, server := newBucket(t)
	s, err := NewS3(config(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	checkStore(t, s, true)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.objects)+len(b.uploads) > 0 {
		t.Errorf("%d objects and %d uploads are left", len(b.objects), len(b.uploads))
	}
}

// TestS3Requests: a small blob is one request, whether its size is known or not.
func TestS3Requests(t *testing.T) {
	t.Parallel()
	b, server := newBucket(t)
	s, err := NewS3(config(server.URL))
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int64{5, Unknown} {
		if err := s.Put(context.Background(), "a", strings.NewReader("12345"), size, "text/plain"); err != nil {
			t.Fatal(err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if want := []string{"PUT", "PUT"}; !slices.Equal(b.calls, want) {
		t.Errorf("the requests were %q, want %q", b.calls, want)
	}
}

func TestS3Refused(t *testing.T) {
	t.Parallel()
	_, server := newBucket(t)
	c := config(server.URL)
	c.AccessKey = "another"
	s, err := NewS3(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Put(context.Background(), "a", strings.NewReader("1"), 1, ""); err == nil {
		t.Error("a stranger stored something")
	}
	if _, _, err := s.Get(context.Background(), "a"); err == nil {
		t.Error("a stranger read something")
	}
}

func TestS3Config(t *testing.T) {
	t.Parallel()
	good := config("s3.example:9000")
	for name, change := range map[string]func(c *S3Config){
		"no endpoint": func(c *S3Config) { c.Endpoint = "" },
		"a path":      func(c *S3Config) { c.Endpoint = "https://s3.example/documents" },
		"a scheme":    func(c *S3Config) { c.Endpoint = "ftp://s3.example" },
		"no bucket":   func(c *S3Config) { c.Bucket = "" },
		"no key":      func(c *S3Config) { c.AccessKey = "" },
		"no secret":   func(c *S3Config) { c.SecretKey = "" },
	} {
		c := good
		change(&c)
		if _, err := NewS3(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	s, err := NewS3(good)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.client.EndpointURL().String(); got != "https://s3.example:9000" {
		t.Errorf("the endpoint is %s", got)
	}
}
