package bnpl_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tradecredit/internal/api/apitest"
	"tradecredit/internal/app"
	"tradecredit/internal/app/apptest"
	"tradecredit/internal/blob"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

const pdf = "%PDF-1.7\n1 0 obj\n"

// part is one field of a body; with a name it is a file.
type part struct{ field, content, filename string }

func file(name, content string) part { return part{"file", content, name} }

// attach posts a document to an order.
func attach(t *testing.T, c *apitest.Client, order string, parts ...part) *apitest.Response {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, p := range parts {
		header := textproto.MIMEHeader{}
		disposition := fmt.Sprintf("form-data; name=%q", p.field)
		if p.filename != "" {
			disposition += fmt.Sprintf("; filename=\"%s\"", p.filename)
		}
		header.Set("Content-Disposition", disposition)
		out, err := w.CreatePart(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(out, p.content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return c.With("Content-Type", w.FormDataContentType()).Do("POST", "/v1/payment/orders/"+order+"/documents", b.String())
}

type orderDocument struct {
	ID, Order, Description, File string
	DocType                      string `json:"doc_type"`
	Amount                       *int64
	Metadata                     json.RawMessage
}

// download follows a link as anybody can.
func download(s *apptest.Shop, link string) *apitest.Response {
	return s.With("Authorization", "").Do("GET", strings.TrimPrefix(link, apptest.PublicURL), nil)
}

func TestOrderDocument(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		order := shop.Order(10000)
		var made, again orderDocument
		attach(t, shop.Client, order, part{"doc_type", "invoice", ""}, part{"description", "Invoice sent to customer", ""}, part{"amount", "10000", ""},
			part{"metadata", `{"unique_id": "some_unique_id"}`, ""}, file("Rechnung für 5%.pdf", pdf)).WantStatus(201).Decode(&made)
		path := "/v1/payment/orders/" + order + "/documents/" + made.ID
		shop.Do("GET", path, nil).Want(200, fmt.Sprintf(`{"id":%q,"order":%q,"doc_type":"invoice","description":"Invoice sent to customer","amount":10000,
			"metadata":{"unique_id":"some_unique_id"},"file":%q}`, made.ID, order, made.File))
		got := download(shop, made.File).WantStatus(200)
		for name, want := range map[string]string{
			"Content-Type": "application/pdf", "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Content-Length": "17",
			"Content-Disposition": `attachment; filename="Rechnung f_r 5_.pdf"; filename*=utf-8''Rechnung%20f%C3%BCr%205%25.pdf`,
		} {
			if got.Header.Get(name) != want {
				t.Errorf("%s is %q, want %q", name, got.Header.Get(name), want)
			}
		}
		if string(got.Body) != pdf {
			t.Errorf("the file is %q", got.Body)
		}

		// A link expires, a new one is made with every answer.
		s.Clock.Advance(time.Hour)
		download(shop, made.File).Want(404, `{"detail":"Not found."}`)
		shop.Do("GET", path, nil).WantStatus(200).Decode(&again)
		download(shop, again.File).WantStatus(200)
		download(shop, again.File[:len(again.File)-1]).WantStatus(404)
		shop.With("Authorization", "").Do("POST", strings.TrimPrefix(again.File, apptest.PublicURL), nil).WantStatus(405)

		var list struct {
			Count   int
			Results []orderDocument
		}
		second := attach(t, shop.Client, order, file("note.txt", "left at the door\n")).WantStatus(201)
		var plain orderDocument
		if second.Decode(&plain); plain.DocType != "other" || plain.Description != "" || plain.Amount != nil || string(plain.Metadata) != "{}" {
			t.Errorf("without fields the document is %s", second.Body)
		}
		shop.Do("GET", "/v1/payment/orders/"+order+"/documents?limit=1", nil).WantStatus(200).Decode(&list)
		if list.Count != 2 || len(list.Results) != 1 || list.Results[0].ID != plain.ID {
			t.Errorf("the list is %+v", list)
		}
		// Nobody else's, and not of another order.
		other := s.Shop(apptest.Buyer{})
		other.Do("GET", path, nil).WantStatus(404)
		other.Do("GET", "/v1/payment/orders/"+order+"/documents", nil).WantStatus(404)
		attach(t, other.Client, order, file("a.pdf", pdf)).Want(404, `{"detail":"Not found."}`)
		shop.Do("GET", strings.Replace(path, order, shop.Order(500), 1), nil).Want(404, `{"detail":"Not found."}`)

		var feed struct {
			Results []struct {
				Type string
				Root string          `json:"root"`
				Data json.RawMessage `json:"data"`
			}
		}
		shop.Do("GET", "/v1/events?limit=100", nil).WantStatus(200).Decode(&feed)
		var told []string
		for _, e := range feed.Results {
			if e.Type == "order.document_created" {
				told = append(told, string(e.Data))
			}
		}
		if len(told) != 2 || !strings.Contains(told[0], made.ID) || strings.Contains(told[0], "http") {
			t.Errorf("the events tell of %q", told)
		}
		s.Clean()
	})
}

func TestOrderDocumentRefused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		dir := filepath.Join(t.TempDir(), "papers")
		s := apptest.Start(t, d, func(c *app.Config) { c.Documents.Dir, c.Documents.MaxSize = dir, 100_000 })
		shop := s.Shop(apptest.Buyer{})
		order := shop.Order(10000)
		for name, c := range map[string]struct {
			parts []part
			want  string
		}{
			"nothing":   {nil, `{"file":["No file was submitted."]}`},
			"no name":   {[]part{{"file", pdf, ""}}, `{"file":["The submitted data was not a file. Check the encoding type on the form."]}`},
			"empty":     {[]part{file("a.pdf", "")}, `{"file":["The submitted file is empty."]}`},
			"too large": {[]part{file("a.pdf", pdf+strings.Repeat("x", 100_000))}, `{"file":["The file is larger than 100000 bytes."]}`},
			"a page": {[]part{file("a.pdf", "<html>")},
				`{"file":["Files of the type text/html are not accepted. Send a PDF, an image, plain text, CSV, XML or an Office document."]}`},
			"long name": {[]part{file(strings.Repeat("a", 256), pdf)}, `{"file":["Ensure this filename has at most 255 characters (it has 256)."]}`},
			"fields": {[]part{{"doc_type", "Invoice", ""}, {"amount", "1.5", ""}, file("a.pdf", pdf)},
				`{"doc_type":["\"Invoice\" is not a valid choice."],"amount":["A valid integer is required."]}`},
			"metadata": {[]part{{"metadata", `"` + strings.Repeat("x", 16<<10) + `"`, ""}, file("a.pdf", pdf)},
				`{"metadata":["Ensure this field has no more than 16384 bytes (it has 16386)."]}`},
		} {
			t.Log(name)
			attach(t, shop.Client, order, c.parts...).Want(400, c.want)
		}
		attach(t, shop.Client, "order-x", file("a.pdf", pdf)).WantStatus(404)
		path := "/v1/payment/orders/" + order + "/documents"
		shop.Do("POST", path, `{"file":"x"}`).Want(415, `{"detail":"Unsupported media type \"application/json\" in request."}`)
		shop.With("Content-Type", "multipart/form-data; boundary=X").Do("POST", path, "--X\r\nmad").
			Want(400, `{"detail":"Multipart form parse error - The heading of a part could not be read."}`)
		shop.With("Authorization", "Token "+shop.Merchant.PublicKey).Do("POST", path, nil).WantStatus(403)

		// Nothing of all that is left on the disk.
		var left []string
		err := filepath.WalkDir(dir, func(name string, e os.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				left = append(left, name)
			}
			return err
		})
		if err != nil || len(left) > 0 {
			t.Errorf("%q are left, %v", left, err)
		}
		shop.Do("GET", path, nil).Want(200, `{"count":0,"next":null,"previous":null,"results":[]}`)
		// As the documentation writes metadata: a text stands for itself.
		var made orderDocument
		attach(t, shop.Client, order, part{"metadata", "<invoice_metadata>", ""}, file("a.pdf", pdf)).WantStatus(201).Decode(&made)
		if string(made.Metadata) != `"<invoice_metadata>"` {
			t.Errorf("metadata is %s", made.Metadata)
		}
		s.Clean()
	})
}

func TestOrderDocumentIsIdempotent(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		order := shop.Order(10000)
		keyed := shop.With("Idempotency-Key", "doc-1")
		first := attach(t, keyed, order, file("a.pdf", pdf)).WantStatus(201)
		again := attach(t, keyed, order, file("a.pdf", pdf)).WantStatus(201)
		if !bytes.Equal(first.Body, again.Body) || again.Header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("the second answer is %s, the first was %s", again.Body, first.Body)
		}
		attach(t, keyed, order, file("a.pdf", pdf+"more")).WantStatus(400)
		download(shop, first.Text("file")).WantStatus(200)
		var list struct{ Count int }
		shop.Do("GET", "/v1/payment/orders/"+order+"/documents", nil).WantStatus(200).Decode(&list)
		if list.Count != 1 {
			t.Errorf("there are %d documents", list.Count)
		}
	})
}

// TestOrderDocumentInABucket: the program keeps its files in a store of the S3
// API as well as in a directory.
func TestOrderDocumentInABucket(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	objects := map[string][]byte{}
	bucket := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		b, err := io.ReadAll(r.Body)
		if err != nil || !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		w.Header().Set("Last-Modified", "Mon, 02 Mar 2026 09:30:00 GMT")
		w.Header().Set("ETag", `"1"`)
		switch r.Method {
		case http.MethodPut:
			// Out of the one signed chunk that a small file is.
			_, b, _ = bytes.Cut(b, []byte("\r\n"))
			b, _, _ = bytes.Cut(b, []byte("\r\n0;chunk-signature="))
			objects[r.URL.Path] = b
		case http.MethodDelete:
			delete(objects, r.URL.Path)
		default:
			_, _ = w.Write(objects[r.URL.Path])
		}
	}))
	t.Cleanup(bucket.Close)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := apptest.Start(t, d, func(c *app.Config) {
			c.Documents.S3 = &blob.S3Config{Endpoint: bucket.URL, Bucket: "papers", AccessKey: "key", SecretKey: "secret"}
		})
		shop := s.Shop(apptest.Buyer{})
		made := attach(t, shop.Client, shop.Order(10000), file("a.pdf", pdf)).WantStatus(201)
		if got := download(shop, made.Text("file")).WantStatus(200); string(got.Body) != pdf {
			t.Errorf("the file is %q", got.Body)
		}
		attach(t, shop.Client, shop.Order(10000), file("a.pdf", pdf), part{"amount", "x", ""}).WantStatus(400)
	})
	mu.Lock()
	defer mu.Unlock()
	for path := range objects {
		if !strings.HasPrefix(path, "/papers/") {
			t.Errorf("an object is at %s", path)
		}
	}
}
