package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/job"
	"tradecredit/internal/merchant"
)

// verify checks a Standard Webhooks signature as a receiver would, and returns
// how many of the header's signatures fit the secret.
func verify(t *testing.T, s seen, secret string) (fitting int) {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(secret[len("whsec_"):])
	if err != nil {
		t.Fatal(err)
	}
	var signed bytes.Buffer
	fmt.Fprintf(&signed, "%s.%s.%s", s.header.Get("webhook-id"), s.header.Get("webhook-timestamp"), s.body)
	mac := hmac.New(sha256.New, key)
	mac.Write(signed.Bytes())
	for _, part := range strings.Split(s.header.Get("webhook-signature"), " ") {
		version, value, _ := strings.Cut(part, ",")
		sum, err := base64.StdEncoding.DecodeString(value)
		if version == "v1" && err == nil && hmac.Equal(sum, mac.Sum(nil)) {
			fitting++
		}
	}
	return fitting
}

func TestRequest(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		h := newHouse(t, d, merchant.Sandbox)
		h.merchant.Settings.WebhookAuthorization = "Token of-the-merchant"
		var offerSecret string
		h.write(func(tx *db.Tx) (err error) {
			offerSecret, err = h.OfferSecret(ctx, tx, h.merchant.ID)
			if err == nil {
				err = merchant.Save(tx, h.merchant)
			}
			return err
		})
		r := newReceiver(t, ok)
		const query = "?b=%2f&a=1;2&&c=d+e%20f&é=%C3%A9&"
		e := h.endpoint(Input{URL: r.URL + "/all" + query, Authorization: "Basic of-the-endpoint"})
		h.payloads.set(func(p *fakePayloads) { p.urls["order-1"] = r.URL + "/own" + query })
		h.happen("order.created", "order-1")
		h.run(h.Service)
		ds := h.await("both deliveries", all(2, Delivered))
		for i, s := range r.requests() {
			secret, authorization, path := e.Secret, "Basic of-the-endpoint", "/all"
			if strings.HasPrefix(s.uri, "/own") {
				secret, authorization, path = offerSecret, "Token of-the-merchant", "/own"
			}
			if s.uri != path+query {
				t.Errorf("the query became %q", s.uri)
			}
			if verify(t, s, secret) != 1 {
				t.Errorf("request %d: the signature does not fit", i)
			}
			for name, want := range map[string]string{
				"Authorization": authorization, "Content-Type": "application/json", "User-Agent": "Tradecredit-Webhook/1",
				"Webhook-Id": ds[0].EventID, "Tradecredit-Event-Type": "order.created", "Tradecredit-Event-Sequence": "1",
			} {
				if got := s.header.Get(name); got != want {
					t.Errorf("%s: %q, not %q", name, got, want)
				}
			}
			if s.body != string(ds[0].RequestBody) {
				t.Errorf("the body became %q", s.body)
			}
		}
		if a := ds[0].Attempts; len(a) != 1 || a[0].Error != nil || *a[0].StatusCode != 204 {
			t.Errorf("attempts: %+v", a)
		}
	})
}

func TestRotatedSecretsSign(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		h := newHouse(t, d, merchant.Sandbox)
		r := newReceiver(t, ok)
		before := h.endpoint(Input{URL: r.URL + "/all"})
		h.payloads.set(func(p *fakePayloads) { p.urls["order-1"] = r.URL + "/own" })
		var after NewEndpoint
		var ownBefore, ownAfter string
		h.write(func(tx *db.Tx) (err error) {
			if after, err = h.Rotate(ctx, tx, h.merchant.ID, before.ID); err != nil {
				return err
			}
			if ownBefore, err = h.OfferSecret(ctx, tx, h.merchant.ID); err != nil {
				return err
			}
			ownAfter, err = h.RotateOfferSecret(ctx, tx, h.merchant.ID)
			return err
		})
		h.happen("order.created", "order-1")
		h.run(h.Service)
		h.await("both deliveries", all(2, Delivered))
		for _, s := range r.requests() {
			secrets := []string{before.Secret, after.Secret}
			if s.uri == "/own" {
				secrets = []string{ownBefore, ownAfter}
			}
			if secrets[0] == secrets[1] || verify(t, s, secrets[0]) != 1 || verify(t, s, secrets[1]) != 1 {
				t.Errorf("%s: signatures %q", s.uri, s.header.Get("webhook-signature"))
			}
		}
		h.Service = h.node(movedClock{25 * time.Hour}, merchant.Sandbox)
		c, err := loadOne(h, h.deliveries()[0])
		if err != nil {
			t.Fatal(err)
		}
		header, err := c.keys.header("evt", h.clock.Now(), nil)
		if err != nil || strings.Contains(header, " ") {
			t.Errorf("a day after the rotation: %q, %v", header, err)
		}
	})
}

func loadOne(h *house, d Delivery) (c call, err error) {
	err = h.db.Read(context.Background(), func(tx *db.Tx) error {
		c, err = h.load(context.Background(), tx, d.MerchantID, d.ID)
		return err
	})
	return c, err
}

// raw answers with what write puts on the wire, and resets the connection.
func raw(write func(c net.Conn)) answer {
	return func(_ int, _ seen, w http.ResponseWriter, _ *http.Request) {
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		write(c)
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close()
	}
}

// drip writes text again and again, slowly, until the other side hangs up.
func drip(text string) answer {
	return raw(func(c net.Conn) {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; i++ {
			if _, err := c.Write([]byte{text[i%len(text)]}); err != nil {
				return
			}
			<-tick.C
		}
	})
}

// stall answers nothing until the caller hangs up.
func stall(_ int, _ seen, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func TestFailedAttemptsAreRepeated(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		first answer
		code  int
		error string
	}{
		{"500", status(500), 500, "the answer was 500"},
		{"404", status(404), 404, "the answer was 404"},
		{"redirect", func(_ int, _ seen, w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		}, 302, "the answer was 302"},
		{"redirect to nowhere", func(_ int, _ seen, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", ":%zz")
			w.WriteHeader(http.StatusPermanentRedirect)
		}, 308, "the answer was 308"},
		{"stall", stall, 0, "no answer within 500ms"},
		{"slow drip", drip("HTTP/1.1 200 OK\r\nX-A: b"), 0, "no answer within 500ms"},
		{"reset", raw(func(net.Conn) {}), 0, "the connection was closed without an answer"},
		{"reset in the answer", raw(func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Le") }), 0, ""},
		{"nonsense", raw(func(c net.Conn) { fmt.Fprint(c, "nonsense\r\n\r\n") }), 0, ""},
		{"endless header", raw(func(c net.Conn) {
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\nX-A: ")
			for range 100 {
				_, _ = c.Write(bytes.Repeat([]byte("a"), 4096))
			}
		}), 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				h := newHouse(t, d, merchant.Sandbox)
				h.Timeout = 500 * time.Millisecond
				h.Short = Retries{0, 0, 0, 0, 0, 0, 0, 0}
				r := newReceiver(t, firstThen(c.first))
				h.endpoint(Input{URL: r.URL})
				h.happen("order.created", "order-1")
				h.run(h.Service)
				got := h.await("the delivery", all(1, Delivered))[0]
				first, last := got.Attempts[0], got.Attempts[len(got.Attempts)-1]
				if last.Error != nil || last.StatusCode == nil || *last.StatusCode != 200 {
					t.Errorf("the last attempt: %+v", last)
				}
				if (first.StatusCode == nil) != (c.code == 0) || first.StatusCode != nil && *first.StatusCode != c.code {
					t.Errorf("the first attempt's status: %v", first.StatusCode)
				}
				if first.Error == nil || c.error != "" && *first.Error != c.error {
					t.Errorf("the first attempt's error: %v", *first.Error)
				}
				requests := r.requests()
				if len(requests) != len(got.Attempts) {
					t.Errorf("%d requests, %d attempts", len(requests), len(got.Attempts))
				}
				for _, s := range requests {
					if s.uri != "/" || s.body != requests[0].body || s.header.Get("webhook-id") != got.EventID {
						t.Errorf("an attempt differs: %+v", s)
					}
				}
			})
		})
	}
}

// TestLongAnswers: a success counts when its status has arrived, and little of
// what follows is read.
func TestLongAnswers(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]answer{
		"cut off": raw(func(c net.Conn) { fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc") }),
		"endless": raw(func(c net.Conn) {
			fmt.Fprint(c, "HTTP/1.1 200 OK\r\n\r\n")
			for {
				if _, err := c.Write(make([]byte, 64<<10)); err != nil {
					return
				}
			}
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				h := newHouse(t, d, merchant.Sandbox)
				r := newReceiver(t, a)
				h.endpoint(Input{URL: r.URL})
				h.happen("order.created", "order-1")
				h.run(h.Service)
				if got := h.await("the delivery", all(1, Delivered))[0]; len(got.Attempts) != 1 {
					t.Errorf("%+v", got.Attempts)
				}
			})
		})
	}
}

func TestGivingUpAndReplay(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		h := newHouse(t, d, merchant.Sandbox)
		r := newReceiver(t, func(n int, _ seen, w http.ResponseWriter, _ *http.Request) {
			if n <= 6 {
				w.WriteHeader(http.StatusServiceUnavailable)
			}
		})
		h.endpoint(Input{URL: r.URL})
		h.happen("order.created", "order-1")
		h.run(h.Service)
		failed := h.await("giving up", all(1, Failed))[0]
		if len(failed.Attempts) != 4 || len(r.requests()) != 4 {
			t.Fatalf("%d attempts, %d requests, not 4", len(failed.Attempts), len(r.requests()))
		}
		h.write(func(tx *db.Tx) error {
			again, err := h.Replay(ctx, tx, h.merchant.ID, failed.ID)
			if err == nil && again.Status != Pending {
				t.Errorf("replayed: %+v", again)
			}
			return err
		})
		again := h.await("the replay", all(1, Delivered))[0]
		requests := r.requests()
		if len(again.Attempts) != 7 || requests[6].body != requests[0].body ||
			requests[6].header.Get("webhook-id") != requests[0].header.Get("webhook-id") {
			t.Errorf("attempts %+v", again.Attempts)
		}
		h.write(func(tx *db.Tx) error {
			_, err := h.Replay(ctx, tx, h.merchant.ID, failed.ID)
			return err
		})
		h.await("a second replay", func(ds []Delivery) bool { return ds[0].Status == Delivered && len(ds[0].Attempts) == 8 })
	})
}

// TestReplayOfPending: a replay does not wait for the pause of the schedule it
// replaces.
func TestReplayOfPending(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		h := newHouse(t, d, merchant.Sandbox)
		h.merchant.Settings.WebhookRetries = "long"
		h.write(func(tx *db.Tx) error { return merchant.Save(tx, h.merchant) })
		h.Long = Retries{time.Hour}
		r := newReceiver(t, firstThen(status(500)))
		h.endpoint(Input{URL: r.URL})
		h.happen("order.created", "order-1")
		stop := h.run(h.Service)
		first := h.await("an attempt", func(ds []Delivery) bool { return len(ds) == 1 && len(ds[0].Attempts) == 1 })[0]
		if first.Status != Pending {
			t.Fatalf("%+v", first)
		}
		stop()
		h.write(func(tx *db.Tx) error {
			_, err := h.Replay(ctx, tx, h.merchant.ID, first.ID)
			return err
		})
		replaced := job.Job{ID: first.jobID, MerchantID: h.merchant.ID, Payload: []byte(`{"delivery":"` + first.ID + `"}`)}
		if out := h.Deliver(ctx, replaced); out.Record != nil || len(r.requests()) != 1 {
			t.Errorf("the job that was replaced still delivers: %+v", out)
		}
		stop = h.run(h.Service)
		h.await("the replay", all(1, Delivered))
		stop()
		// Two hours later it is found to have nothing left to do.
		later := h.node(movedClock{2 * time.Hour}, merchant.Sandbox)
		h.happen("order.changed", "order-1")
		h.run(later)
		h.await("the next notification", all(2, Delivered))
		if n := len(r.requests()); n != 3 {
			t.Errorf("%d requests", n)
		}
	})
}

func TestEndpointGone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		h := newHouse(t, d, merchant.Sandbox)
		r := newReceiver(t, ok)
		deleted, off := h.endpoint(Input{URL: r.URL + "/1"}), h.endpoint(Input{URL: r.URL + "/2"})
		moved := h.endpoint(Input{URL: r.URL + "/3", Authorization: "old"})
		h.happen("order.created", "order-1")
		h.rounds(h.Service)
		no, to, authorization := false, r.URL+"/4", "new"
		h.write(func(tx *db.Tx) error {
			if err := h.Delete(ctx, tx, h.merchant.ID, deleted.ID); err != nil {
				return err
			}
			if _, err := h.Update(ctx, tx, h.merchant, off.ID, Change{Active: &no}); err != nil {
				return err
			}
			_, err := h.Update(ctx, tx, h.merchant, moved.ID, Change{URL: &to, Authorization: &authorization})
			return err
		})
		h.run(h.Service)
		ds := h.await("the outcomes", func(ds []Delivery) bool {
			return ds[0].Status == Failed && ds[1].Status == Failed && ds[2].Status == Delivered
		})
		if len(ds[0].Attempts) != 1 || len(ds[1].Attempts) != 1 || ds[2].URL != to {
			t.Errorf("%+v", ds)
		}
		if s := r.requests(); len(s) != 1 || s[0].uri != "/4" || s[0].header.Get("Authorization") != "new" {
			t.Errorf("requests: %+v", s)
		}
		err := d.Write(ctx, func(tx *db.Tx) error {
			for i := range 2 {
				_, err := h.Replay(ctx, tx, h.merchant.ID, ds[i].ID)
				wantStatus(t, err, http.StatusConflict)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// TestOrderIsKept lets two nodes deliver to a receiver that refuses every fifth
// request: of each order, no notification comes before an earlier one succeeded.
func TestOrderIsKept(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const roots, each = 4, 6
		h := newHouse(t, d, merchant.Sandbox)
		h.Short = Retries{0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
		other := h.node(movedClock{-3 * time.Second}, merchant.Sandbox)
		other.Short = h.Short
		var mu sync.Mutex
		got := map[string][]int{}
		r := newReceiver(t, func(n int, s seen, w http.ResponseWriter, _ *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			if n%5 == 0 {
				w.WriteHeader(http.StatusBadGateway)
				return
			}
			var root string
			var seq int
			if _, err := fmt.Sscanf(strings.ReplaceAll(s.body, `"`, " "), `{ data :{ order :{ id : %s , note : & < é }}, n :%d}`, &root, &seq); err != nil {
				t.Error(err)
			}
			got[root] = append(got[root], seq)
		})
		h.endpoint(Input{URL: r.URL})
		nodes := []*Service{h.Service, other}
		want := map[string][]int{}
		for i := range each {
			for k := range roots {
				root := fmt.Sprintf("order-%d", k)
				h.happen("order.changed", root)
				want[root] = append(want[root], i*roots+k+1)
			}
			h.rounds(nodes[i%2])
		}
		h.run(h.Service)
		h.run(other)
		h.await("everything", all(roots*each, Delivered))
		mu.Lock()
		defer mu.Unlock()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
	})
}

// TestNothingIsLost: a process ends after the event was committed, or after its
// fan-out; the next one delivers. TestHungNode ends it in the middle of a call.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d, merchant.Sandbox)
		r := newReceiver(t, ok)
		h.endpoint(Input{URL: r.URL})
		h.happen("order.created", "order-1")
		h.rounds(h.node(clock.System{}, merchant.Sandbox))
		h.happen("order.created", "order-2") // not even numbered
		h.run(h.node(clock.System{}, merchant.Sandbox))
		h.await("both deliveries", all(2, Delivered))
	})
}

func TestHungNode(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d, merchant.Sandbox)
		r := newReceiver(t, ok)
		h.endpoint(Input{URL: r.URL})
		h.happen("order.created", "order-1")
		hung, claimed, release := h.node(clock.System{}, merchant.Sandbox), make(chan struct{}), make(chan struct{})
		ctx, cancel := context.WithCancel(context.Background())
		q := job.New(h.db, hung.clock, hung.log)
		q.HandleRound(hung.Round)
		q.HandleJob(KindDelivery, func(context.Context, job.Job) job.Outcome {
			close(claimed)
			<-release
			return job.Outcome{Park: "too late"}
		})
		done := make(chan struct{})
		go func() { defer close(done); q.Run(ctx) }()
		defer func() { cancel(); <-done }()
		<-claimed
		h.run(h.node(movedClock{5 * time.Minute}, merchant.Sandbox))
		h.await("the delivery by another node", all(1, Delivered))
		close(release)
	})
}

// TestRefusedConnection: nobody listens at first.
func TestRefusedConnection(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d, merchant.Sandbox)
		h.Short = make(Retries, 2000)
		for i := range h.Short {
			h.Short[i] = 20 * time.Millisecond
		}
		address, listen := refusing(t)
		h.endpoint(Input{URL: "http://" + address})
		h.happen("order.created", "order-1")
		h.run(h.Service)
		ds := h.await("a refused attempt", func(ds []Delivery) bool { return len(ds) == 1 && len(ds[0].Attempts) > 0 })
		if a := ds[0].Attempts[0]; a.StatusCode != nil || *a.Error != "the connection was refused" {
			t.Errorf("%+v", a)
		}
		r := &receiver{}
		r.Server = &httptest.Server{Listener: listen(), Config: &http.Server{Handler: r.handler(ok)}}
		r.Start()
		defer r.Close()
		h.await("the delivery", all(1, Delivered))
	})
}

// refusing is an address at which connections are refused until listen is called.
// The port is bound all the while, so that nobody else can take it.
func refusing(t *testing.T) (address string, listen func() net.Listener) {
	t.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	socket := os.NewFile(uintptr(fd), "socket")
	t.Cleanup(func() { _ = socket.Close() })
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", bound.(*syscall.SockaddrInet4).Port), func() net.Listener {
		if err := syscall.Listen(fd, 16); err != nil {
			t.Fatal(err)
		}
		l, err := net.FileListener(socket)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
}
