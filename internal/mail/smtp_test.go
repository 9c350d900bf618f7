package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"net"
	"net/http/httptest"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/job"
)

// letter is a mail as the server got it.
type letter struct {
	from string
	to   []string
	data []byte
}

// postOffice is a mail server. answer is asked before a letter is taken; n
// counts the attempts from 1.
type postOffice struct {
	*SMTP
	t       *testing.T
	answer  func(n int) error
	mu      sync.Mutex
	n       int
	letters chan letter
}

func (p *postOffice) NewSession(*smtp.Conn) (smtp.Session, error) { return &visit{office: p}, nil }

type visit struct {
	office *postOffice
	known  bool
	letter letter
}

func (v *visit) AuthMechanisms() []string { return []string{sasl.Plain} }

func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "shop" || password != "s3cret" {
			return smtp.ErrAuthFailed
		}
		v.known = true
		return nil
	}), nil
}

func (v *visit) Mail(from string, _ *smtp.MailOptions) error {
	if v.office.User != "" && !v.known {
		return smtp.ErrAuthRequired
	}
	v.letter.from = from
	return nil
}

func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "unknown@") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
	}
	v.letter.to = append(v.letter.to, to)
	return nil
}

func (v *visit) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	v.letter.data = data
	p := v.office
	p.mu.Lock()
	p.n++
	n := p.n
	p.mu.Unlock()
	p.letters <- v.letter
	if p.answer != nil {
		return p.answer(n)
	}
	return nil
}

func (v *visit) Reset()        { v.letter = letter{} }
func (v *visit) Logout() error { return nil }

// open starts a server whose certificate is that of httptest, for 127.0.0.1.
func open(t *testing.T, policy TLSPolicy, answer func(n int) error) *postOffice {
	t.Helper()
	web := httptest.NewTLSServer(nil)
	t.Cleanup(web.Close)
	roots := x509.NewCertPool()
	roots.AddCert(web.Certificate())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &postOffice{
		t: t, answer: answer, letters: make(chan letter, 100),
		SMTP: &SMTP{
			Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, From: "Shop & Co <no-reply@shop.example>", TLS: policy,
			config: &tls.Config{RootCAs: roots, ServerName: "127.0.0.1"},
		},
	}
	s := smtp.NewServer(p)
	s.AllowInsecureAuth = true
	s.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	switch policy {
	case StartTLS, OpportunisticTLS:
		s.TLSConfig = &tls.Config{Certificates: web.TLS.Certificates}
	case ImplicitTLS:
		l = tls.NewListener(l, &tls.Config{Certificates: web.TLS.Certificates})
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return p
}

// deliver makes one attempt at a mail, as its job would.
func deliver(t *testing.T, server *SMTP, m Mail) job.Outcome {
	t.Helper()
	m, err := m.checked()
	if err != nil {
		t.Fatal(err)
	}
	return newMailer(t, server).Deliver(context.Background(), jobOf(t, m))
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	for _, policy := range []TLSPolicy{StartTLS, ImplicitTLS, OpportunisticTLS, NoTLS} {
		t.Run(string(policy), func(t *testing.T) {
			t.Parallel()
			p := open(t, policy, nil)
			if policy != NoTLS {
				p.User, p.Password = "shop", "s3cret"
			}
			if out := deliver(t, p.SMTP, Mail{To: []string{"a@b.example"}, Text: "x"}); out.Park != "" || !out.RetryAt.IsZero() {
				t.Fatalf("%+v", out)
			}
			if l := <-p.letters; l.from != "no-reply@shop.example" || strings.Join(l.to, " ") != "a@b.example" {
				t.Errorf("%+v", l)
			}
		})
	}
	t.Run("no TLS where it is demanded", func(t *testing.T) {
		t.Parallel()
		p := open(t, NoTLS, nil)
		p.TLS = StartTLS
		if out := deliver(t, p.SMTP, Mail{To: []string{"a@b.example"}, Text: "x"}); out.RetryAt.IsZero() {
			t.Errorf("%+v", out)
		}
	})
	t.Run("no password without TLS", func(t *testing.T) {
		t.Parallel()
		p := open(t, NoTLS, nil)
		p.User, p.Password = "shop", "s3cret"
		if out := deliver(t, p.SMTP, Mail{To: []string{"a@b.example"}, Text: "x"}); out.RetryAt.IsZero() {
			t.Errorf("%+v", out)
		}
	})
	t.Run("unknown certificate", func(t *testing.T) {
		t.Parallel()
		p := open(t, StartTLS, nil)
		p.config = nil
		if out := deliver(t, p.SMTP, Mail{To: []string{"a@b.example"}, Text: "x"}); out.RetryAt.IsZero() {
			t.Errorf("%+v", out)
		}
	})
	t.Run("wrong password", func(t *testing.T) {
		t.Parallel()
		p := open(t, StartTLS, nil)
		p.User, p.Password = "shop", "wrong"
		if out := deliver(t, p.SMTP, Mail{To: []string{"a@b.example"}, Text: "x"}); out.RetryAt.IsZero() || strings.Contains(out.Park, "wrong") {
			t.Errorf("%+v", out)
		}
	})
}

// TestMessage reads a mail with Go's own parsers.
func TestMessage(t *testing.T) {
	t.Parallel()
	p := open(t, StartTLS, nil)
	text, html := Render("Zahlung für Bestellung 1", []Paragraph{{Text: "Grüße & <mehr>"}})
	deliver(t, p.SMTP, Mail{
		To: []string{"Ann Ångström <ann@b.example>"}, Cc: []string{"c@d.example"},
		Subject: "Zahlung für\r\nBcc: thief@evil.example", Text: text, HTML: html,
		Attachments: []Attachment{
			{Filename: "Rechnung\r\nX-Evil: 1\"; name=x.pdf", ContentType: "application/pdf", Content: []byte("%PDF")},
			{Filename: "x.bin", ContentType: "text/plain\r\nX-Evil: 1", Content: []byte{0, 1, 2}},
			{Filename: "terms <1>", URL: "https://shop.example/terms?a=1&b=2"},
		},
	})
	l := <-p.letters
	if got := strings.Join(l.to, " "); got != "ann@b.example c@d.example" {
		t.Errorf("recipients %q", got)
	}
	m, err := netmail.ReadMessage(bytes.NewReader(l.data))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject != "Zahlung für  Bcc: thief@evil.example" {
		t.Errorf("subject %q, %v", subject, err)
	}
	for _, name := range []string{"Bcc", "X-Evil"} {
		if m.Header.Get(name) != "" {
			t.Errorf("a %s was injected", name)
		}
	}
	if got := m.Header.Get("Message-Id"); got != "<job-1@shop.example>" {
		t.Errorf("message id %q", got)
	}
	if to, err := m.Header.AddressList("To"); err != nil || to[0].Name != "Ann Ångström" {
		t.Errorf("to: %v, %v", to, err)
	}
	if from, err := m.Header.AddressList("From"); err != nil || from[0].Name != "Shop & Co" {
		t.Errorf("from: %v, %v", from, err)
	}
	parts := leaves(t, m.Header.Get("Content-Type"), m.Body)
	var types []string
	for _, p := range parts {
		types = append(types, strings.Split(p.kind, ";")[0])
	}
	if got := strings.Join(types, " "); got != "text/plain text/html application/pdf application/octet-stream" {
		t.Fatalf("parts: %s", got)
	}
	if parts[0].text != text+"\nterms <1>: https://shop.example/terms?a=1&b=2\n" {
		t.Errorf("text: %q", parts[0].text)
	}
	if !strings.Contains(parts[1].text, "Grüße &amp; &lt;mehr&gt;") ||
		!strings.Contains(parts[1].text, `<a href="https://shop.example/terms?a=1&amp;b=2">terms &lt;1&gt;</a>`) {
		t.Errorf("html: %q", parts[1].text)
	}
	if parts[2].text != "JVBERg==" || parts[2].evil || parts[3].evil {
		t.Errorf("attachments: %+v", parts[2:])
	}
}

type leaf struct {
	kind, text string
	evil       bool
}

// leaves collects the innermost parts of a message. multipart undoes the
// quoted-printable encoding by itself.
func leaves(t *testing.T, kind string, body io.Reader) []leaf {
	t.Helper()
	mediaType, params, err := mime.ParseMediaType(kind)
	if err != nil {
		t.Fatalf("%q: %v", kind, err)
	}
	if !strings.HasPrefix(mediaType, "multipart/") {
		data, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		return []leaf{{kind: kind, text: strings.ReplaceAll(string(data), "\r\n", "\n")}}
	}
	var out []leaf
	r := multipart.NewReader(body, params["boundary"])
	for {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		inner := leaves(t, p.Header.Get("Content-Type"), p)
		for i := range inner {
			inner[i].evil = inner[i].evil || p.Header.Get("X-Evil") != ""
			if p.Header.Get("Content-Transfer-Encoding") == "base64" {
				inner[i].text = strings.TrimSpace(inner[i].text)
			}
		}
		out = append(out, inner...)
	}
}

func jobOf(t *testing.T, m Mail) job.Job {
	t.Helper()
	payload, err := json.Marshal(mailJob{Mail: m, Date: time.Unix(1_800_000_000, 0)})
	if err != nil {
		t.Fatal(err)
	}
	return job.Job{ID: "job-1", Kind: Kind, Payload: payload, Attempt: 1}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	temporary := func(int) error { return &smtp.SMTPError{Code: 451, Message: "come back later"} }
	permanent := func(int) error { return &smtp.SMTPError{Code: 554, Message: "never"} }
	for _, c := range []struct {
		name    string
		to      string
		answer  func(int) error
		attempt int
		park    bool
		retry   time.Duration
	}{
		{"taken", "a@b.example", nil, 1, false, 0},
		{"temporary", "a@b.example", temporary, 1, false, time.Minute},
		{"temporary, again", "a@b.example", temporary, 2, false, 5 * time.Minute},
		{"temporary, at last", "a@b.example", temporary, 8, true, 0},
		{"permanent", "a@b.example", permanent, 1, true, 0},
		{"no such mailbox", "unknown@b.example", nil, 1, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := open(t, NoTLS, c.answer)
			m := newMailer(t, p.SMTP)
			now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			m.clock = clock.Fixed(now)
			j := jobOf(t, Mail{To: []string{c.to}, Text: "x"})
			j.Attempt = c.attempt
			out := m.Deliver(context.Background(), j)
			if (out.Park != "") != c.park {
				t.Errorf("parked: %q", out.Park)
			}
			if c.retry == 0 && !out.RetryAt.IsZero() || c.retry != 0 && !out.RetryAt.Equal(now.Add(c.retry)) {
				t.Errorf("again at %v", out.RetryAt)
			}
		})
	}
}

// TestSilentServer: a server that accepts the connection and says nothing.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	m := newMailer(t, &SMTP{Host: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, From: "a@shop.example", TLS: NoTLS})
	m.Timeout = 100 * time.Millisecond
	if out := m.Deliver(context.Background(), jobOf(t, Mail{To: []string{"a@b.example"}})); out.RetryAt.IsZero() {
		t.Errorf("%+v", out)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	good := SMTP{Host: "mail.example", Port: 587, From: "a@shop.example"}
	for name, change := range map[string]func(*SMTP){
		"no host":         func(s *SMTP) { s.Host = "" },
		"no port":         func(s *SMTP) { s.Port = 0 },
		"port too high":   func(s *SMTP) { s.Port = 65536 },
		"no sender":       func(s *SMTP) { s.From = "" },
		"unknown policy":  func(s *SMTP) { s.TLS = "ssl" },
		"sender injected": func(s *SMTP) { s.From = "a@shop.example\r\nBcc: b@c.example" },
	} {
		s := good
		change(&s)
		if _, err := New(clock.System{}, slog.New(slog.DiscardHandler), &s); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
	newMailer(t, &good)
}

// TestQueue drives a mail through a queue and a server that refuses it twice:
// every attempt has the same Message-ID.
func TestQueue(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		p := open(t, NoTLS, func(n int) error {
			if n <= 2 {
				return &smtp.SMTPError{Code: 451, Message: "come back later"}
			}
			return nil
		})
		m := newMailer(t, p.SMTP)
		m.Pauses = []time.Duration{0, 0, 0}
		ctx, cancel := context.WithCancel(context.Background())
		q := job.New(d, clock.System{}, slog.New(slog.DiscardHandler))
		m.Register(q)
		done := make(chan struct{})
		go func() { defer close(done); q.Run(ctx) }()
		defer func() { cancel(); <-done }()
		var id string
		err := d.Write(ctx, func(tx *db.Tx) (err error) {
			id, err = m.Send(tx, "mer-1", Mail{To: []string{"a@b.example"}, Subject: "Hi", Text: "x"}, time.Unix(1_800_000_000, 0))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			l := <-p.letters
			if want := "Message-ID: <" + id + "@shop.example>"; !bytes.Contains(l.data, []byte(want)) {
				t.Errorf("no %q in\n%s", want, l.data)
			}
		}
		cancel()
		<-done
		err = d.Read(context.Background(), func(tx *db.Tx) error {
			var left int
			const count db.SQL = `SELECT count(*) FROM jobs`
			if err := tx.Get(context.Background(), count, nil, &left); err != nil {
				return err
			}
			if left != 0 {
				t.Errorf("%d jobs are left", left)
			}
			n, err := Count(context.Background(), tx, "mer-1")
			if n != 0 {
				t.Error("it is in the outbox as well")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
