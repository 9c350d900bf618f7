package form

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// documented is a body as the reference document prints it: without -- after the
// last boundary.
const documented = "--X\r\nContent-Disposition: form-data; name=\"doc_type\"\r\n\r\ninvoice\r\n" +
	"--X\r\nContent-Disposition: form-data; name=\"metadata\"\r\nContent-Type: application/json\r\n\r\n{\"a\":1}\r\n" +
	"--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"invoice.pdf\"\r\nContent-Type: application/pdf\r\n\r\n%PDF\r\n--X"

func keepAll(_ string, u *Upload, content io.Reader) (err error) {
	u.Content, err = io.ReadAll(content)
	return err
}

func TestReadParts(t *testing.T) {
	t.Parallel()
	good := Parts{
		Text: map[string][]string{"doc_type": {"invoice"}, "metadata": {`{"a":1}`}},
		Files: map[string][]*Upload{"file": {{
			Filename: "invoice.pdf", ContentType: "application/pdf", Content: []byte("%PDF"),
		}}},
	}
	none := Parts{Text: map[string][]string{}, Files: map[string][]*Upload{}}
	one := func(disposition, content string) string {
		return "--X\r\nContent-Disposition: " + disposition + "\r\n\r\n" + content + "\r\n--X--\r\n"
	}
	text := func(name, content string) Parts {
		return Parts{Text: map[string][]string{name: {content}}, Files: none.Files}
	}
	for _, c := range []struct {
		name, body, boundary string
		want                 Parts
		err                  string
	}{
		{"as documented", documented, "X", good, ""},
		{"closed", documented + "--\r\n", "X", good, ""},
		{"with a foreword", "to be ignored\r\n" + documented, "X", good, ""},
		{"empty", "", "X", none, ""},
		{"another boundary", documented, "Y", none, ""},
		{"no boundary", documented, "", none, "Multipart form parse error - Invalid boundary in multipart: None"},
		{"a bad boundary", documented, "\x00", none, "Multipart form parse error - Invalid boundary in multipart: \x00"},
		{"a bad heading", "--X\r\nbad\r\n\r\nx\r\n--X--", "X", none, "Multipart form parse error - The heading of a part could not be read."},
		{"a text that is cut off", "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb", "X", text("a", "b"), ""},
		{"a file that is cut off", documented[:len(documented)-5], "X", none, "Multipart form parse error - A file ends before its boundary."},
		{"no name", one("form-data", "x"), "X", none, ""},
		{"no form data", one(`attachment; name="a"`, "x"), "X", none, ""},
		{"an empty file name", one(`form-data; name="a"; filename=""`, "x"), "X", text("a", "x"), ""},
		{"too much text", one(`form-data; name="a"`, strings.Repeat("x", maxTexts+1)), "X", none, "Multipart form parse error - The fields have more than 1048576 bytes."},
		{"too many parts", strings.Repeat("--X\r\nContent-Disposition: form-data\r\n\r\n\r\n", maxParts+1) + "--X--", "X", none,
			"Multipart form parse error - There are more than 1000 parts."},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := ReadParts(iotest.HalfReader(strings.NewReader(c.body)), c.boundary, keepAll)
			var bad *ParseError
			if errors.As(err, &bad) != (c.err != "") || bad != nil && bad.Detail != c.err {
				t.Fatalf("the error is %v, want %q", err, c.err)
			}
			if diff := cmp.Diff(c.want, got); err == nil && diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadPartsFaults(t *testing.T) {
	t.Parallel()
	gone := errors.New("the client is gone")
	for at := range documented {
		body := io.MultiReader(strings.NewReader(documented[:at]), iotest.ErrReader(gone))
		if _, err := ReadParts(body, "X", keepAll); !errors.Is(err, gone) {
			t.Fatalf("after %d bytes the error is %v", at, err)
		}
	}
	full := errors.New("no space left")
	got, err := ReadParts(strings.NewReader(documented), "X", func(string, *Upload, io.Reader) error { return full })
	if !errors.Is(err, full) || len(got.Files["file"]) != 1 {
		t.Errorf("the error of the keeper became %v; %d files are listed", err, len(got.Files["file"]))
	}
}

func TestCleanFilename(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"invoice.pdf": "invoice.pdf", `C:\papers\invoice.pdf`: "invoice.pdf", "../../etc/passwd": "passwd", "..": "", "a/": "",
		"Rechnung für März.pdf": "Rechnung für März.pdf", "a\r\nb\x00.pdf": "ab.pdf", "exe\u202efdp.pdf": "exefdp.pdf", " x ": "x", "\xff": "\ufffd",
	} {
		if got := CleanFilename(in); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func FuzzReadParts(f *testing.F) {
	f.Add(documented, "X")
	f.Fuzz(func(t *testing.T, body, boundary string) {
		_, err := ReadParts(strings.NewReader(body), boundary, keepAll)
		var bad *ParseError
		if err != nil && !errors.As(err, &bad) {
			t.Errorf("%v", err)
		}
	})
}
