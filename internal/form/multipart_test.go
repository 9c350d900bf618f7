package form

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMultipart(t *testing.T) {
	t.Parallel()
	f := New("document",
		Choice("doc_type", []string{"invoice", "other"}),
		Char("description", Optional(), Blank()),
		Integer("amount", Optional()),
		Integer("tax", Optional(), Null()),
		JSON("metadata", Optional()),
		Boolean("final"),
		Boolean("shared", Default(true)),
		List("to", Email(""), Optional()),
		Refs("users", "user", Optional()),
		Object("buyer", New("buyer", Char("name")), Optional()),
		File("file", Max(12)),
	)
	invoice := map[string]*Upload{"file": {Filename: "invoice.pdf", Content: []byte("%PDF")}}
	for _, c := range []struct {
		name  string
		text  map[string][]string
		files map[string]*Upload
		mode  Mode
		want  string
	}{
		{"good", map[string][]string{
			"doc_type": {"other", "invoice"}, "description": {""}, "amount": {"5"}, "tax": {""}, "metadata": {`{"a":1}`},
			"final": {"true"}, "to": {"a@b.co", "c@d.co"}, "users[0]": {"user-1"}, "users[1]": {"user-2"}, "buyer.name": {"Ann"},
		}, invoice, Full,
			`{"doc_type":"invoice","description":"","amount":5,"tax":null,"metadata":{"a":1},"final":true,"shared":true,` +
				`"to":["a@b.co","c@d.co"],"users":["user-1","user-2"],"buyer":{"name":"Ann"},"file":null}`},
		{"text for JSON, empty for missing", map[string][]string{"doc_type": {"other"}, "metadata": {"about"}, "amount": {""}}, invoice, Full,
			`{"doc_type":"other","metadata":"about","final":false,"shared":true,"file":null}`},
		{"nothing", nil, nil, Full, `{"doc_type":["This field is required."],"file":["No file was submitted."]}`},
		{"nothing to change", nil, nil, Partial, `{}`},
		{"a text for a file", map[string][]string{"doc_type": {""}, "file": {"x"}}, nil, Full,
			`{"doc_type":["\"\" is not a valid choice."],` +
				`"file":["The submitted data was not a file. Check the encoding type on the form."]}`},
		{"an empty file", nil, map[string]*Upload{"file": {Filename: "a.pdf"}}, Partial, `{"file":["The submitted file is empty."]}`},
		{"a file without a name", nil, map[string]*Upload{"file": {Content: []byte("x")}}, Partial,
			`{"file":["The submitted data was not a file. Check the encoding type on the form."]}`},
		{"a long name", nil, map[string]*Upload{"file": {Filename: "invoice-2.pdf", Content: []byte("x")}}, Partial,
			`{"file":["Ensure this filename has at most 12 characters (it has 13)."]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			values, bad, err := f.Decode(f.Multipart(c.text, c.files, c.mode), c.mode, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := string(bad.JSON())
			if bad == nil {
				got = string(values.JSON())
				if want := c.files["file"]; values.File("file") != want {
					t.Errorf("file is %v", values.File("file"))
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
