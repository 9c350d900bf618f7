package webhook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/event"
	"tradecredit/internal/job"
	"tradecredit/internal/merchant"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// fakePayloads writes short notifications.
type fakePayloads struct {
	mu     sync.Mutex
	urls   map[string]string // by root
	silent map[string]bool   // by event type
	broken map[string]bool   // by event type
}

func (p *fakePayloads) set(f func(p *fakePayloads)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(p)
}

func (p *fakePayloads) Addresses(_ context.Context, _ *db.Tx, _ merchant.Merchant, events []event.Event) ([]Address, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Address, len(events))
	for i, e := range events {
		out[i] = Address{p.urls[e.RootID], !p.silent[e.Type]}
	}
	return out, nil
}

func (p *fakePayloads) Payload(_ context.Context, _ *db.Tx, _ merchant.Merchant, e event.Event) ([]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken[e.Type] {
		return nil, errors.New("this payload is broken")
	}
	return []byte(fmt.Sprintf(`{"data":{"order":{"id":%q,"note":"& < é"}},"n":%d}`, e.RootID, e.Seq)), nil
}

// movedClock is the real time plus an offset.
type movedClock struct{ ahead time.Duration }

func (c movedClock) Now() time.Time { return clock.System{}.Now().Add(c.ahead) }

// house is a merchant and a service on a database of their own.
type house struct {
	t        *testing.T
	db       *db.DB
	merchant merchant.Merchant
	payloads *fakePayloads
	*Service
}

func newHouse(t *testing.T, d *db.DB, env merchant.Environment) *house {
	t.Helper()
	h := &house{t: t, db: d, payloads: &fakePayloads{urls: map[string]string{}, silent: map[string]bool{}, broken: map[string]bool{}}}
	h.Service = h.node(clock.System{}, env)
	h.write(func(tx *db.Tx) error {
		c, err := merchant.Create(tx, merchant.New{Name: "Shop", Environment: env}, clock.System{}.Now())
		h.merchant = c.Merchant
		return err
	})
	return h
}

// node is a service of another process on the same database.
func (h *house) node(c clock.Clock, env merchant.Environment) *Service {
	s := New(h.db, c, slog.New(slog.DiscardHandler), env, h.payloads)
	s.Timeout = 5 * time.Second
	s.Short = Retries{0, time.Millisecond, time.Millisecond}
	return s
}

func (h *house) write(f func(tx *db.Tx) error) {
	h.t.Helper()
	if err := h.db.Write(context.Background(), f); err != nil {
		h.t.Fatal(err)
	}
}

// happen appends an event of a root.
func (h *house) happen(eventType, root string) {
	h.t.Helper()
	h.write(func(tx *db.Tx) error {
		event.Append(tx, event.Event{
			MerchantID: h.merchant.ID, Type: eventType, ObjectID: "obj-" + root, RootID: root, Data: []byte("{}"), Created: clock.System{}.Now(),
		})
		return nil
	})
}

func (h *house) endpoint(in Input) NewEndpoint {
	h.t.Helper()
	in.Active = true
	var e NewEndpoint
	h.write(func(tx *db.Tx) (err error) {
		e, err = h.Create(context.Background(), tx, h.merchant, in)
		return err
	})
	return e
}

// rounds calls Round until nothing is found.
func (h *house) rounds(s *Service) {
	h.t.Helper()
	for {
		found, err := s.Round(context.Background())
		if err != nil {
			h.t.Fatal(err)
		}
		if !found {
			return
		}
	}
}

// run starts a queue with the service and returns what stops it.
func (h *house) run(s *Service) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	q := job.New(h.db, s.clock, slog.New(slog.DiscardHandler))
	s.Register(q)
	done := make(chan struct{})
	go func() { defer close(done); q.Run(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	h.t.Cleanup(stop)
	return stop
}

// deliveries returns every delivery, oldest first.
func (h *house) deliveries() []Delivery {
	h.t.Helper()
	var out []Delivery
	err := h.db.Read(context.Background(), func(tx *db.Tx) error {
		page, _, err := h.ListDeliveries(context.Background(), tx, h.merchant.ID, 1000, 0)
		for i := range page {
			out = append(out, page[len(page)-1-i])
		}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

// await waits until the deliveries are as ok wants them.
func (h *house) await(what string, ok func([]Delivery) bool) []Delivery {
	h.t.Helper()
	deadline := time.NewTimer(60 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		ds := h.deliveries()
		if ok(ds) {
			return ds
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			h.t.Fatalf("waited in vain for %s: %+v", what, ds)
		}
	}
}

func all(n int, status Status) func([]Delivery) bool {
	return func(ds []Delivery) bool {
		if len(ds) != n {
			return false
		}
		for _, d := range ds {
			if d.Status != status {
				return false
			}
		}
		return true
	}
}

// seen is one request as a receiver saw it.
type seen struct {
	uri    string
	header http.Header
	body   string
}

// receiver answers with what answer says, which sees the number of the request,
// counted from 1.
type receiver struct {
	*httptest.Server
	mu   sync.Mutex
	seen []seen
}

type answer func(n int, s seen, w http.ResponseWriter, r *http.Request)

func ok(_ int, _ seen, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

func status(code int) answer {
	return func(_ int, _ seen, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// firstThen gives one answer to the first request and 200 to the others.
func firstThen(first answer) answer {
	return func(n int, s seen, w http.ResponseWriter, r *http.Request) {
		if n == 1 {
			first(n, s, w, r)
			return
		}
		w.WriteHeader(http.StatusOK)
	}
}

func (r *receiver) handler(a answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		s := seen{uri: q.RequestURI, header: q.Header.Clone(), body: string(body)}
		r.mu.Lock()
		r.seen = append(r.seen, s)
		n := len(r.seen)
		r.mu.Unlock()
		a(n, s, w, q)
	})
}

func newReceiver(t *testing.T, a answer) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(r.handler(a))
	t.Cleanup(r.Server.Close)
	return r
}

func (r *receiver) requests() []seen {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]seen(nil), r.seen...)
}
