package fuzz_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/api"
	"tradecredit/internal/api/fuzz"
	"tradecredit/internal/apierr"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/form"
	"tradecredit/internal/id"
	"tradecredit/internal/merchant"
	"tradecredit/internal/page"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

type chair struct {
	ID       string  `json:"id"`
	Name     string  `json:"name"`
	Price    int64   `json:"price"`
	Next     *string `json:"next"`
	Metadata api.Raw `json:"metadata"`
}

// shop sells chairs and keeps them in memory.
type shop struct {
	mu     sync.Mutex
	chairs []chair
}

var chairForm = form.New("Chair",
	form.Char("name", form.Max(40), form.Example("Windsor")),
	form.Integer("price", form.MinValue(0), form.MaxValue(1<<40), form.Example(1200)),
	form.Objects("legs", form.New("Leg", form.Char("wood", form.Example("oak"))), form.Optional()),
	form.JSON("metadata", form.Optional(), form.Null(), form.Example(map[string]any{"a": 1})),
)

func (s *shop) routes() []api.Route {
	const tag, all, one = "Chairs", "/v1/chairs", "/v1/chairs/{order}"
	return []api.Route{
		{Method: http.MethodPost, Path: all, Tag: tag, Summary: "Make a chair", Body: chairForm, Response: chair{}, Status: 201, Write: s.create},
		{Method: http.MethodGet, Path: all, Tag: tag, Summary: "List chairs", Response: page.List[chair]{}, Status: 200, Read: s.list},
		{Method: http.MethodGet, Path: one, Tag: tag, Summary: "View a chair", Response: chair{}, Status: 200, Read: s.view},
		{Method: http.MethodPatch, Path: one, Tag: tag, Summary: "Change a chair", Body: chairForm, Response: chair{}, Status: 200, Write: s.change},
		{
			Method: http.MethodPost, Path: one + "/photo", Tag: tag, Summary: "Add a photo", Files: noFiles{}, Response: chair{}, Status: 200,
			Body: form.New("Photo", form.File("file")), Write: s.view,
		},
	}
}

func (s *shop) create(c *api.Call, tx *db.Tx) (*api.Response, error) {
	v, err := c.Decode(tx)
	if err != nil {
		return nil, err
	}
	made := chair{ID: id.New(id.Order), Name: v.String("name"), Price: v.Int("price")}
	if v.Has("metadata") {
		made.Metadata = v.Raw("metadata").JSON()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chairs = append(s.chairs, made)
	return api.Created(made), nil
}

func (s *shop) list(c *api.Call, _ *db.Tx) (*api.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := c.Page()
	from := min(p.Offset, len(s.chairs))
	to := min(from+p.Limit, len(s.chairs))
	return api.OK(page.New(c.Request, p, int64(len(s.chairs)), s.chairs[from:to])), nil
}

func (s *shop) find(c *api.Call) (*chair, error) {
	for i := range s.chairs {
		if s.chairs[i].ID == c.Path("order") {
			return &s.chairs[i], nil
		}
	}
	return nil, apierr.NotFound()
}

func (s *shop) view(c *api.Call, _ *db.Tx) (*api.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(c)
	if err != nil {
		return nil, err
	}
	return api.OK(*found), nil
}

func (s *shop) change(c *api.Call, tx *db.Tx) (*api.Response, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(c)
	if err != nil {
		return nil, err
	}
	v, err := c.Decode(tx)
	if err != nil {
		return nil, err
	}
	if v.Has("price") {
		found.Price = v.Int("price")
	}
	return api.OK(*found), nil
}

// start returns the shop's API, its document and a secret key.
func start(t *testing.T) (http.Handler, *fuzz.Document, string) {
	t.Helper()
	d, err := db.Open(t.Context(), dbtest.SQLite(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	routes := (&shop{}).routes()
	handler, err := api.New(api.Config{
		DB: d, Clock: still{}, Log: slog.New(slog.DiscardHandler), Routes: routes, PublicURL: "https://api.example",
		Limits: api.Limits{SecretPerSecond: 1e6, SecretBurst: 1e6, PublicPerSecond: 1e6, PublicSearchesPerMinute: 1e6, AnonymousPerMinute: 1e6},
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := api.OpenAPI(routes, api.Info{Title: "Chairs", Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	fuzz.Sound(t, text)
	document, err := fuzz.NewDocument(text)
	if err != nil {
		t.Fatal(err)
	}
	var made merchant.Created
	err = d.Write(context.Background(), func(tx *db.Tx) (err error) {
		made, err = merchant.Create(tx, merchant.New{Name: "Shop", Environment: merchant.Sandbox, Profile: merchant.BNPL}, still{}.Now())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return handler, document, made.SecretKey
}

type still struct{}

func (still) Now() time.Time { return time.Date(2026, time.March, 2, 9, 30, 0, 0, time.UTC) }

func TestRunOnSoundServer(t *testing.T) {
	t.Parallel()
	handler, document, key := start(t)
	report := fuzz.Run(t, fuzz.Options{Handler: handler, Document: document, Key: key, Requests: 4000})
	for _, operation := range []string{"POST /v1/chairs", "GET /v1/chairs", "GET /v1/chairs/{order}", "PATCH /v1/chairs/{order}"} {
		if report.Succeeded[operation] < 20 {
			t.Errorf("%s succeeded %d times", operation, report.Succeeded[operation])
		}
	}
	for _, status := range []int{200, 201, 400, 401, 404, 405, 406, 415} {
		if report.Statuses[status] == 0 {
			t.Errorf("no answer had the status %d", status)
		}
	}
}

// body reads the body of a request and puts it back.
func body(r *http.Request) string {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return ""
	}
	r.Body = io.NopCloser(bytes.NewReader(text))
	return string(text)
}

// planted are bugs of the sorts that are looked for. Each answers some requests
// itself.
var planted = map[string]struct {
	bug  func(w http.ResponseWriter, r *http.Request) bool
	want string
}{
	"a crash on large numbers": {func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.Contains(body(r), "9223372036854775808") {
			panic("out of range")
		}
		return false
	}, "the handler panicked: out of range"},
	"a 500 on half a surrogate pair": {func(w http.ResponseWriter, r *http.Request) bool {
		return strings.Contains(body(r), `\ud800`) && answer(w, 500, `{"error":"Server Error (500)"}`)
	}, "status 500"},
	"words of the database in an answer": {func(w http.ResponseWriter, r *http.Request) bool {
		return strings.Contains(r.URL.Path, "\x00") && answer(w, 404, `{"detail":"ERROR: SQLSTATE 22021"}`)
	}, `the answer says "SQLSTATE"`},
	"a list that is null": {func(w http.ResponseWriter, r *http.Request) bool {
		return r.Method == http.MethodGet && r.URL.Path == "/v1/chairs" && r.URL.Query().Get("offset") == "9223372036854775808" &&
			answer(w, 200, `{"count":0,"next":null,"previous":null,"results":null}`)
	}, "/results"},
	"a field that nobody described": {func(w http.ResponseWriter, r *http.Request) bool {
		return r.Method == http.MethodPost && r.Header.Get("Accept-Language") != "" &&
			answer(w, 201, `{"id":"order-1","name":"a","price":1,"next":null,"metadata":null,"cost":1}`)
	}, "additional properties 'cost' not allowed"},
	"a status that nobody described": {func(w http.ResponseWriter, r *http.Request) bool {
		return r.URL.Query().Get("limit") == "-1" && answer(w, 422, `{"detail":"No."}`)
	}, "the status 422"},
	"a refusal of another form": {func(w http.ResponseWriter, r *http.Request) bool {
		return r.Header.Get("Idempotency-Key") == "'" && answer(w, 400, `{"message":"No."}`)
	}, "a refusal is neither"},
	"a refusal that is no JSON": {func(w http.ResponseWriter, r *http.Request) bool {
		return r.Method == "NOPE" && answer(w, 405, `<h1>No</h1>`)
	}, "a refusal is no JSON object"},
}

func answer(w http.ResponseWriter, status int, body string) bool {
	w.Header().Set("Request-Id", "req-1")
	w.Header().Set("Allow", "GET")
	w.WriteHeader(status)
	fmt.Fprint(w, body)
	return true
}

func TestExploreFindsPlantedBugs(t *testing.T) {
	t.Parallel()
	for name, p := range planted {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			handler, document, key := start(t)
			buggy := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !p.bug(w, r) {
					handler.ServeHTTP(w, r)
				}
			})
			report := fuzz.Explore(t.Context(), fuzz.Options{Handler: buggy, Document: document, Key: key, Requests: 3000, Seed: 1})
			for _, f := range report.Failures {
				if strings.Contains(f.Fault, p.want) {
					return
				}
			}
			t.Errorf("not found: %v", report.Failures)
		})
	}
}

// TestExploreIsRepeatable: one seed sends one sequence of requests.
func TestExploreIsRepeatable(t *testing.T) {
	t.Parallel()
	record := func(seed uint64) []string {
		var sent []string
		handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			sent = append(sent, fmt.Sprint(r.Method, r.RequestURI, r.Header, body(r)))
			answer(w, 200, `{}`)
		})
		fuzz.Explore(t.Context(), fuzz.Options{
			Handler: handler, Requests: 300, Seed: seed, Key: "k",
			Seeds: []fuzz.Request{fuzz.JSON("POST", "/v1/chairs?a=b", `{"name":"a","user":"user-NU9UH2MoWwzcgLV2mGUigZ","l":[1,2]}`)},
		})
		return sent
	}
	first := record(7)
	if diff := cmp.Diff(first, record(7)); diff != "" {
		t.Error(diff)
	}
	if cmp.Equal(first, record(8)) {
		t.Error("another seed sends the same requests")
	}
}

func TestConform(t *testing.T) {
	t.Parallel()
	_, document, _ := start(t)
	const good = `{"id":"order-1","name":"a","price":1,"next":null,"metadata":{}}`
	for _, c := range []struct {
		method, path string
		status       int
		body         string
		ok           bool
	}{
		{"GET", "/v1/chairs/order-1", 200, good, true},
		{"GET", "/v1/chairs/order-1/?expand=a", 200, good, true},
		{"GET", "/v1/chairs/order-1", 200, `{"id":"order-1"}`, false},
		{"GET", "/v1/chairs/order-1", 200, strings.Replace(good, `1,`, `"1",`, 1), false},
		{"GET", "/v1/chairs/order-1", 200, ``, false},
		{"GET", "/v1/chairs/order-1", 201, good, false},
		{"GET", "/v1/chairs/order-1", 404, `{"detail":"Not found."}`, true},
		{"GET", "/v1/chairs/order-1", 404, `{"error":"Not found."}`, false},
		{"HEAD", "/v1/chairs/order-1", 200, ``, true},
		{"HEAD", "/v1/chairs/order-1", 200, good, false},
		{"GET", "/v1/chairs", 200, `{"count":1,"next":null,"previous":null,"results":[` + good + `]}`, true},
		{"GET", "/v1/chairs", 200, `{"count":1,"next":null,"previous":null,"results":[{}]}`, false},
		{"POST", "/v1/chairs", 400, `{"name":["This field is required."],"legs":[{},{"wood":["No."]}]}`, true},
		{"POST", "/v1/chairs", 400, `{"tags":{"1":["Not a valid string."]}}`, true},
		{"POST", "/v1/chairs", 400, `{"legs":[{"wood":"No."},["This field may not be null."]]}`, true},
		{"POST", "/v1/chairs", 400, `{"name":"No."}`, false},
		{"POST", "/v1/chairs", 400, `{"name":[{"a":1}]}`, false},
		{"PUT", "/v1/chairs", 405, `{"detail":"Method \"PUT\" not allowed."}`, true},
		{"PUT", "/v1/chairs", 200, `{}`, false},
		{"OPTIONS", "/v1/chairs", 200, `{"name":"Chairs"}`, true},
		{"GET", "/v1/tables", 404, `{"detail":"Not found."}`, true},
		{"GET", "/v1/tables", 404, `{"error":"Not found."}`, false},
		{"GET", "/v1/tables", 200, `{}`, false},
		{"POST", "/v1/chairs", 500, `{"error":"Server Error (500)"}`, true},
	} {
		failed := &verdict{TB: t}
		fuzz.Conform(failed, document, c.method, c.path, c.status, []byte(c.body))
		if failed.errors == 0 != c.ok {
			t.Errorf("%s %s %d %s: conforms %v", c.method, c.path, c.status, c.body, !c.ok)
		}
	}
}

// verdict is a test that only counts its errors.
type verdict struct {
	testing.TB
	errors int
}

func (v *verdict) Errorf(string, ...any) { v.errors++ }
func (v *verdict) Error(...any)          { v.errors++ }
func (v *verdict) Helper()               {}

func TestSoundFindsFaults(t *testing.T) {
	t.Parallel()
	text, err := api.OpenAPI((&shop{}).routes(), api.Info{Title: "Chairs", Version: "1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{`"$ref":"#/components/headers/Allow"`, `"$ref":"#/components/headers/Deny"`},
		{`"operationId":"getChairs"`, `"operationId":"postChairs"`},
		{`"name":"order","in":"path"`, `"name":"chair","in":"path"`},
		{`"example":{"name":"Windsor"`, `"example":{"name":5000,"no":"Windsor"`},
		{`"examples":["Windsor"]`, `"examples":[null]`},
		{`"type":"string","description":"What`, `"type":"text","description":"What`},
	} {
		spoilt := strings.Replace(string(text), change[0], change[1], 1)
		if spoilt == string(text) {
			continue
		}
		failed := &verdict{TB: t}
		fuzz.Sound(failed, []byte(spoilt))
		if failed.errors == 0 {
			t.Errorf("%s is found sound", change[1])
		}
	}
}

// BenchmarkExplore tells how many requests a second are sent.
func BenchmarkExplore(b *testing.B) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, `{}`) })
	seed := fuzz.JSON("POST", "/v1/chairs", `{"name":"a","items":[{"a":1},{"b":"c"}]}`)
	b.ResetTimer()
	fuzz.Explore(b.Context(), fuzz.Options{Handler: handler, Requests: b.N, Seed: 1, Seeds: []fuzz.Request{seed}})
}

// noFiles takes files and keeps none.
type noFiles struct{}

func (noFiles) MaxFile() int64                                      { return 1 << 20 }
func (noFiles) Keep(context.Context, *form.Upload, io.Reader) error { return nil }
func (noFiles) Drop(context.Context, *form.Upload)                  {}
