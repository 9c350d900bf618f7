package pdf

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func info() Info {
	return Info{Title: "A title", Author: "A house", Language: "en-GB", Created: time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC), Head: "head", Foot: "foot"}
}

// everything uses every part.
func everything(rows int) func(d *Document) {
	return func(d *Document) {
		d.Masthead("A house", "at a place")
		d.Title("A title")
		d.Columns(Block{Label: "to", Lines: []string{"Ἀθηνᾶ Łódź Брашно", strings.Repeat("long", 60)}}, Block{Label: "for", Lines: []string{"中文"}})
		d.Panels(Panel{Heading: "Left", Rows: []Row{{Name: "a", Value: "1"}, {Name: "sum", Value: "1", Strong: true}}, Note: "note"}, Panel{Heading: "Right"})
		d.Section("A table", 20)
		t := Table{Columns: []Column{{Heading: "What", Width: 3}, {Heading: "How much", Width: 1, Right: true}}, Carried: "continued", Last: []string{"sum", "1"}}
		for i := range rows {
			t.Rows = append(t.Rows, []string{fmt.Sprint("row ", i), fmt.Sprint(i)})
		}
		d.Table(t)
		d.Paragraph(strings.Repeat("words and words ", 400))
	}
}

// TestMake: the same content makes the same bytes, on as many pages as it takes.
func TestMake(t *testing.T) {
	t.Parallel()
	for _, rows := range []int{0, 1, 500} {
		first, err := Make(info(), everything(rows))
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			again, err := Make(info(), everything(rows))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(first, again) {
				t.Fatalf("%d rows: other bytes the second time", rows)
			}
		}
		for _, part := range []string{"%PDF-", "/Lang (en-GB)", "/Title"} {
			if !bytes.Contains(first, []byte(part)) {
				t.Errorf("no %s in the file", part)
			}
		}
		pages := bytes.Count(first, []byte("/Type /Page\n"))
		if least := 1 + rows/60; pages < least {
			t.Errorf("%d rows on %d pages", rows, pages)
		}
	}
}

// TestAnyText: no text breaks the layout, and no line is wider than it may be.
func TestAnyText(t *testing.T) {
	t.Parallel()
	d, err := make1(info(), 1, func(*Document) {})
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		d.f.SetFont(family, "", 9)
		w := rapid.Float64Range(10, 100).Draw(t, "width")
		lines := d.wrap(text, w)
		if len(lines) == 0 {
			t.Fatal("no line")
		}
		for _, l := range lines {
			if d.f.GetStringWidth(l) > w {
				t.Fatalf("%q is %f wide of %f", l, d.f.GetStringWidth(l), w)
			}
		}
		shown := strings.Join(strings.Fields(d.shown(text)), "")
		if got := strings.Join(strings.Fields(strings.Join(lines, "")), ""); got != shown {
			t.Fatalf("%q became %q", shown, got)
		}
		for _, r := range shown {
			if !d.has(r) {
				t.Fatalf("%q cannot be shown", r)
			}
		}
	})
}

func TestShown(t *testing.T) {
	t.Parallel()
	d, err := make1(info(), 1, func(*Document) {})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"Žluťoučký kůň":       "Žluťoučký kůň",
		"e\u0301":             "é",
		"Ἀθηνᾶ":               "Αθηνα",
		"中文":                  "??",
		"a\tb\nc":             "a b c",
		"\u202egnp.exe":       "gnp.exe",
		"−1,234.50 € £ ₺ · –": "−1,234.50 € £ ? · –",
	} {
		if got := d.shown(text); got != want {
			t.Errorf("%q is shown as %q, want %q", text, got, want)
		}
	}
}

func TestCoverage(t *testing.T) {
	t.Parallel()
	for _, broken := range [][]byte{nil, []byte("abc"), bytes.Repeat([]byte{0xff}, 100), make([]byte, 100)} {
		if _, err := coverageOf(broken); err == nil {
			t.Errorf("%x has characters", broken)
		}
	}
}
