package mail

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

func newMailer(t *testing.T, server *SMTP) *Mailer {
	t.Helper()
	m, err := New(clock.System{}, slog.New(slog.DiscardHandler), server)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestOutbox(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		m := newMailer(t, nil)
		start := time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)
		err := d.Write(ctx, func(tx *db.Tx) error {
			for i := range 3 {
				mail := Mail{To: []string{fmt.Sprintf("buyer%d@shop.example", i)}, Subject: "Hello\r\nBcc: thief@evil.example", Text: "text", HTML: "<p>html</p>"}
				if i == 2 {
					mail.Cc = []string{"Books <books@shop.example>"}
					mail.Attachments = []Attachment{
						{Filename: "a.txt", ContentType: "text/plain", Content: []byte("abc")},
						{Filename: "b.pdf", ContentType: "application/pdf", URL: "https://shop.example/b.pdf"},
					}
				}
				// The first two at the same time: the order is that of the sending.
				id, err := m.Send(tx, "mer-1", mail, start.Add(time.Duration(i/2)*time.Hour))
				if err != nil || !strings.HasPrefix(id, "eml-") {
					return fmt.Errorf("%q, %w", id, err)
				}
			}
			_, err := m.Send(tx, "mer-2", Mail{To: []string{"other@shop.example"}}, start)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = d.Read(ctx, func(tx *db.Tx) error {
			all, err := List(ctx, tx, "mer-1", 10, 0)
			if err != nil {
				return err
			}
			var to []string
			for _, s := range all {
				to = append(to, s.To...)
			}
			if want := []string{"buyer2@shop.example", "buyer1@shop.example", "buyer0@shop.example"}; cmp.Diff(want, to) != "" {
				t.Errorf("order: %v", to)
			}
			want := Mail{
				To: []string{"buyer2@shop.example"}, Cc: []string{"Books <books@shop.example>"},
				Subject: "Hello  Bcc: thief@evil.example", Text: "text", HTML: "<p>html</p>",
				Attachments: []Attachment{
					{Filename: "a.txt", ContentType: "text/plain", URL: "data:text/plain;base64,YWJj"},
					{Filename: "b.pdf", ContentType: "application/pdf", URL: "https://shop.example/b.pdf"},
				},
			}
			if d := cmp.Diff(want, all[0].Mail); d != "" || !all[0].Created.Equal(start.Add(time.Hour)) {
				t.Errorf("created %v\n%s", all[0].Created, d)
			}
			page, err := List(ctx, tx, "mer-1", 1, 1)
			if err != nil || len(page) != 1 || page[0].ID != all[1].ID {
				t.Errorf("the second page: %+v, %v", page, err)
			}
			n, err := Count(ctx, tx, "mer-1")
			if n != 3 {
				t.Errorf("%d mails", n)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// TestRolledBack: a mail is not sent when what caused it did not happen.
func TestRolledBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		m := newMailer(t, nil)
		_ = d.Write(ctx, func(tx *db.Tx) error {
			_, err := m.Send(tx, "mer-1", Mail{To: []string{"a@shop.example"}}, time.Unix(0, 0))
			if err != nil {
				t.Error(err)
			}
			return fmt.Errorf("something else went wrong")
		})
		err := d.Read(ctx, func(tx *db.Tx) error {
			n, err := Count(ctx, tx, "mer-1")
			if n != 0 {
				t.Errorf("%d mails", n)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestRefusedMails(t *testing.T) {
	t.Parallel()
	to := []string{"buyer@shop.example"}
	for name, m := range map[string]Mail{
		"nobody":                  {},
		"no address":              {To: []string{"nobody"}},
		"empty address":           {To: []string{""}},
		"injection by address":    {To: []string{"a@shop.example\r\nBcc: thief@evil.example"}},
		"injection by name":       {To: []string{"\"a\r\nBcc: thief@evil.example\" <a@shop.example>"}},
		"two addresses in one":    {To: []string{"a@shop.example, thief@evil.example"}},
		"injection by cc":         {To: to, Cc: []string{"a@shop.example\nX: y"}},
		"no content":              {To: to, Attachments: []Attachment{{Filename: "a"}}},
		"a link that runs script": {To: to, Attachments: []Attachment{{Filename: "a", URL: "javascript:alert(1)"}}},
	} {
		if _, err := m.checked(); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	text, html := Render(`Order <1> & "2"`, []Paragraph{
		{Text: "Dear <b>Ann</b>,\nthank you."},
		{LinkURL: "https://pay.example/?a=1&b=2", LinkText: "Choose a plan"},
		{Text: "Or:", LinkURL: "https://pay.example/"},
		{LinkURL: "javascript:alert(1)", LinkText: "never"},
	})
	wantText := "Dear <b>Ann</b>,\nthank you.\n\nChoose a plan: https://pay.example/?a=1&b=2\n\nOr:\n\nhttps://pay.example/\n\nnever: javascript:alert(1)\n"
	if d := cmp.Diff(wantText, text); d != "" {
		t.Error(d)
	}
	for _, part := range []string{
		"<title>Order &lt;1&gt; &amp; &#34;2&#34;</title>", "Dear &lt;b&gt;Ann&lt;/b&gt;,",
		`<a href="https://pay.example/?a=1&amp;b=2" style="color:#1a56db">Choose a plan</a>`, ">https://pay.example/</a>",
	} {
		if !strings.Contains(html, part) {
			t.Errorf("%q is missing in\n%s", part, html)
		}
	}
	if strings.Contains(html, "javascript") || strings.Contains(html, "<b>") {
		t.Errorf("not escaped:\n%s", html)
	}
}
