// Package apitest drives the API over real HTTP in tests.
//
// A Client speaks for one merchant. Bodies of the reference documents may be
// used as they stand: an identifier that stands in an expected answer is bound to
// the one that really came, and from then on replaced in what is sent and
// demanded in what comes back.
package apitest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tradecredit/internal/api"
	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
)

// Start is the time at which a server's clock stands at first.
var Start = time.Date(2026, time.March, 2, 9, 30, 0, 0, time.UTC)

// Clock stands still until it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now implements clock.Clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock forward.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Server is the API on one database.
type Server struct {
	t     testing.TB
	http  *httptest.Server
	DB    *db.DB
	Clock *Clock
}

// New starts an API. wire adds the routes and whatever else is under test to a
// configuration that has a database, a clock, a log and generous limits.
func New(t testing.TB, d *db.DB, wire func(c *api.Config)) *Server {
	t.Helper()
	s := &Server{t: t, DB: d, Clock: NewClock()}
	c := api.Config{
		DB: d, Clock: s.Clock, Log: slog.New(slog.NewTextHandler(testLog{t}, nil)), PublicURL: "https://api.example",
		Limits: api.Limits{
			SecretPerSecond: 1e6, SecretBurst: 1e6, PublicPerSecond: 1e6,
			PublicSearchesPerMinute: 1e6, AnonymousPerMinute: 1e6,
		},
	}
	wire(&c)
	handler, err := api.New(c)
	if err != nil {
		t.Fatal(err)
	}
	s.serve(handler)
	return s
}

// Over drives a handler that was put together elsewhere, on this database and
// this clock.
func Over(t testing.TB, d *db.DB, k *Clock, handler http.Handler) *Server {
	t.Helper()
	s := &Server{t: t, DB: d, Clock: k}
	s.serve(handler)
	return s
}

// NewClock returns a clock that stands at Start.
func NewClock() *Clock { return &Clock{now: Start} }

// serve listens. Redirects are not followed: tests look at them.
func (s *Server) serve(handler http.Handler) {
	s.http = httptest.NewServer(handler)
	s.t.Cleanup(s.http.Close)
	s.http.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
}

// testLog shows what the server logs, which is only ever its own faults.
type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// Merchant creates a sandbox merchant and returns a client with its secret key.
func (s *Server) Merchant(profile merchant.Profile) *Client {
	s.t.Helper()
	var made merchant.Created
	err := s.DB.Write(context.Background(), func(tx *db.Tx) (err error) {
		made, err = merchant.Create(tx, merchant.New{
			Name: "Shop", Profile: profile, Environment: merchant.Sandbox,
		}, s.Clock.Now())
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.Client(made)
}

// Client returns a client with the secret key of a merchant.
func (s *Server) Client(made merchant.Created) *Client {
	c := &Client{server: s, t: s.t, Merchant: made, header: http.Header{}, names: &names{}}
	return c.With("Authorization", "Token "+made.SecretKey)
}

// For returns the client for a subtest, which then is the one that fails.
func (c *Client) For(t testing.TB) *Client {
	other := *c
	other.t = t
	return &other
}

// Client sends the requests of one merchant.
type Client struct {
	server   *Server
	t        testing.TB
	Merchant merchant.Created
	header   http.Header
	names    *names
}

// With returns a client that sends one more header; an empty value removes it.
func (c *Client) With(name, value string) *Client {
	other := *c
	other.header = c.header.Clone()
	other.header.Del(name)
	if value != "" {
		other.header.Set(name, value)
	}
	return &other
}

// Bind lets an identifier of the documents stand for a real one.
func (c *Client) Bind(documented, real string) { c.names.bind(documented, real) }

// URL is the address of a path on the server, as links in answers have it.
func (c *Client) URL(path string) string { return c.server.http.URL + path }

// Configure changes the merchant as an operator would.
func (c *Client) Configure(change func(m *merchant.Merchant)) {
	c.t.Helper()
	ctx := context.Background()
	err := c.server.DB.Write(ctx, func(tx *db.Tx) error {
		m, err := merchant.Lock(ctx, tx, c.Merchant.ID)
		if err != nil {
			return err
		}
		change(&m)
		return merchant.Save(tx, m)
	})
	if err != nil {
		c.t.Fatal(err)
	}
	// What the server remembers of the merchant is forgotten after a moment.
	c.server.Clock.Advance(time.Minute)
}

// Do sends a request and reads the answer. A body that is a string is sent as it
// is, nil sends none, anything else is sent as JSON.
func (c *Client) Do(method, path string, body any) *Response {
	c.t.Helper()
	var text string
	switch b := body.(type) {
	case nil:
	case string:
		text = b
	default:
		encoded, err := json.Marshal(b)
		if err != nil {
			c.t.Fatal(err)
		}
		text = string(encoded)
	}
	text, path = c.names.replace(text), c.names.replace(path)
	request, err := http.NewRequest(method, c.server.http.URL+path, strings.NewReader(text))
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header = c.header.Clone()
	if text != "" && request.Header.Get("Content-Type") == "" {
		request.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.server.http.Client().Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return &Response{
		Status: answer.StatusCode, Header: answer.Header, Body: got,
		client: c, request: method + " " + path,
	}
}

// Response is an answer.
type Response struct {
	Status int
	Header http.Header
	Body   []byte

	client  *Client
	request string
}

// Want demands a status and a body, byte for byte after the white space of the
// expected one is taken out. "" is no body at all.
func (r *Response) Want(status int, body string) *Response {
	r.client.t.Helper()
	r.WantStatus(status)
	want := body
	if body != "" {
		var b bytes.Buffer
		if err := json.Compact(&b, []byte(body)); err != nil {
			r.client.t.Fatalf("the expected body is not JSON: %v\n%s", err, body)
		}
		want = b.String()
	}
	if err := r.client.names.match(want, string(r.Body)); err != nil {
		r.client.t.Fatalf("%s: %v\n got %s\nwant %s", r.request, err, r.Body, want)
	}
	return r
}

// WantStatus demands a status alone.
func (r *Response) WantStatus(status int) *Response {
	r.client.t.Helper()
	if r.Status != status {
		r.client.t.Fatalf("%s: status %d, want %d\n%s", r.request, r.Status, status, r.Body)
	}
	return r
}

// Decode reads the body into v.
func (r *Response) Decode(v any) {
	r.client.t.Helper()
	if err := json.Unmarshal(r.Body, v); err != nil {
		r.client.t.Fatalf("%s: %v\n%s", r.request, err, r.Body)
	}
}

// Text returns a key of the body that is a string.
func (r *Response) Text(key string) string {
	r.client.t.Helper()
	var object map[string]any
	r.Decode(&object)
	s, ok := object[key].(string)
	if !ok {
		r.client.t.Fatalf("%s: %q is no string\n%s", r.request, key, r.Body)
	}
	return s
}

// ID returns the identifier of the object in the body.
func (r *Response) ID() string {
	r.client.t.Helper()
	return r.Text("id")
}
