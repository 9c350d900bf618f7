package document

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/gabriel-vasile/mimetype"
	"pgregory.net/rapid"

	"tradecredit/internal/secret"
)

// archive is a zip file with these names in it.
func archive(t *testing.T, names ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range names {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(strings.Repeat("<x/>", 500))); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestContentType(t *testing.T) {
	t.Parallel()
	mimetype.SetLimit(sniffed)
	for _, c := range []struct {
		name, content, want string
		ok                  bool
	}{
		{"pdf", "%PDF-1.4\n", "application/pdf", true},
		{"png", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "image/png", true},
		{"jpeg", "\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg", true},
		{"gif", "GIF89a\x01\x00", "image/gif", true},
		{"webp", "RIFF\x24\x00\x00\x00WEBPVP8 ", "image/webp", true},
		{"tiff", "II*\x00\x08\x00\x00\x00", "image/tiff", true},
		{"heic", "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "image/heic", true},
		{"text", "Dear Sirs,\nplease find\n", "text/plain; charset=utf-8", true},
		{"csv", "a,b\n1,2\n3,4\n", "text/csv", true},
		{"xml", `<?xml version="1.0"?><Invoice/>`, "text/xml; charset=utf-8", true},
		{"rtf", `{\rtf1\ansi x}`, "text/rtf", true},
		{"docx", archive(t, "[Content_Types].xml", "_rels/.rels", "word/document.xml"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document", true},
		{"xlsx", archive(t, "[Content_Types].xml", "_rels/.rels", "docProps/app.xml", "docProps/core.xml", "xl/workbook.xml"),
			"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", true},
		{"zip", archive(t, "invoice.pdf"), "application/zip", false},
		{"html", "<html><body>", "text/html; charset=utf-8", false},
		{"html in a text", "  <!DOCTYPE html><script>", "text/html; charset=utf-8", false},
		{"svg", `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`, "image/svg+xml", false},
		{"shell", "#!/bin/sh\nrm -rf /", "text/x-shellscript", false},
		{"windows", "MZ\x90\x00\x03\x00\x00\x00", "application/vnd.microsoft.portable-executable", false},
		{"binary", "\x01\x02\x03\x04\xfe", "application/octet-stream", false},
	} {
		if got, ok := contentType([]byte(c.content)); got != c.want || ok != c.ok {
			t.Errorf("%s: %s, %v, want %s, %v", c.name, got, ok, c.want, c.ok)
		}
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	k := &hand{now: start}
	l := Links{Key: secret.Key("secret"), Clock: k, Life: time.Hour}
	path := l.Path(Document{MerchantID: "mer-1", ID: "odoc-1"})
	read := func(path string) bool {
		m, d, ok := l.Read(path)
		if ok && (m != "mer-1" || d != "odoc-1") {
			t.Errorf("%s leads to %s of %s", path, d, m)
		}
		return ok
	}
	for name, other := range map[string]string{
		"another document":  strings.Replace(path, "odoc-1", "odoc-2", 1),
		"another merchant":  strings.Replace(path, "mer-1", "mer-2", 1),
		"a longer life":     strings.Replace(path, ".17", ".27", 1),
		"no signature":      path[:strings.LastIndexByte(path, '.')+1],
		"nothing":           LinkPrefix,
		"another key":       Links{Key: "other", Clock: k, Life: time.Hour}.Path(Document{MerchantID: "mer-1", ID: "odoc-1"}),
		"a link to a page":  LinkPrefix + "mer-1.odoc-1.9999999999." + l.Key.Sign("mer-1.odoc-1.9999999999"),
		"another prefix":    strings.Replace(path, LinkPrefix, "/papers/", 1),
		"a part more":       LinkPrefix + "a.b.c.9999999999." + l.sign("a.b.c.9999999999"),
		"no number in time": LinkPrefix + "a.b.x." + l.sign("a.b.x"),
	} {
		if other == path || read(other) {
			t.Errorf("%s: %s is followed", name, other)
		}
	}
	if !read(path) {
		t.Errorf("%s is not followed", path)
	}
	k.move(time.Hour - time.Second)
	if !read(path) {
		t.Error("it expired too early")
	}
	k.move(time.Second)
	if read(path) {
		t.Error("it did not expire")
	}
}

// TestForgedLinks: of all changes of a link none leads anywhere.
func TestForgedLinks(t *testing.T) {
	t.Parallel()
	l := Links{Key: secret.Key("secret"), Clock: &hand{now: start}, Life: time.Hour}
	path := l.Path(Document{MerchantID: "mer-1", ID: "odoc-1"})
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.IntRange(0, len(path)-1).Draw(t, "at")
		with := rapid.StringN(0, 4, -1).Draw(t, "with")
		forged := path[:at] + with + path[at+1:]
		if _, _, ok := l.Read(forged); ok && forged != path {
			t.Fatalf("%s is followed", forged)
		}
	})
}
