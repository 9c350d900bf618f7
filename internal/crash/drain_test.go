package crash

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/deferred"
)

// drainLimit is how long the program may take to stop.
const drainLimit = 20 * time.Second

// TestDrain stops a node in the midst of requests and of a notification that
// fails: the requests are answered, nobody new is served, and what is left to do
// is done at once by the next node.
func TestDrain(t *testing.T) {
	t.Parallel()
	dbtest.EachOptions(t, func(t *testing.T, o db.Options) {
		d, config := open(t, o), nodeOn(t, o)
		// So long that whoever waits for a lease to run out is noticed.
		config.Lease = 10 * patience
		made := stock(t, d)
		first := start(t, config).mustBeReady()
		s := newShop(t, newClient(first.url, made.SecretKey))
		held, answerHeld := holdFirst(t)
		s.must(t, 201, "/v1/webhook_endpoints", "", object{"url": held.URL})
		payment := s.payment(t, "drained", 10_000)
		held.awaitFirst(t)

		unlock := hold(t, d, made.ID, payment)
		answers, under := s.captureSlowly(t, payment, 4)
		for range 4 {
			<-under
		}
		begun := time.Now()
		first.terminate()
		refused(t, first.url)
		select {
		case <-first.exited:
			t.Fatal("the node did not wait for its requests")
		case a := <-answers:
			t.Fatalf("answered %v while the payment was locked", a)
		default:
		}
		answerHeld()
		unlock()
		for range 4 {
			if a := <-answers; a.status != http.StatusCreated {
				t.Errorf("a request under way was answered %v", a)
			}
		}
		if code, took := first.wait(), time.Since(begun); code != 0 || took > drainLimit {
			t.Errorf("the node ended with %d after %s", code, took)
		}
		if err := first.complained(); err != nil {
			t.Error(err)
		}
		if n := count(t, d, countHeld); n != 0 {
			t.Errorf("%d jobs are still held by a node that has ended", n)
		}

		s.client = s.at(start(t, config).mustBeReady().url)
		s.takenOver(t, d, held)
		if p := s.view(t, payment); p.ProtectedCaptures != 400 || len(p.Events) != 4 {
			t.Errorf("after the restart: %+v", p)
		}
		verify(t, d)
	})
}

// takenOver demands that what a stopped node left to do is done by the next.
func (s *shop) takenOver(t *testing.T, d *db.DB, held *receiver) {
	t.Helper()
	idle(t, d)
	want := map[string]logged{}
	for _, e := range feed(t, s.client) {
		if ofOrder(e) {
			want[e.ID] = e
		}
	}
	held.await(t, want)
	inOrder(t, held.all())
}

// holdFirst is a receiver that lets its first notification wait until refuse is
// called, and then refuses it.
func holdFirst(t *testing.T) (r *receiver, refuse func()) {
	r = newReceiver(t)
	waits := make(chan struct{})
	refuse = sync.OnceFunc(func() { close(waits) })
	t.Cleanup(refuse)
	first := make(chan struct{}, 1)
	first <- struct{}{}
	r.answer = func(notified) int {
		select {
		case <-first:
			<-waits
			return http.StatusInternalServerError
		default:
			return http.StatusOK
		}
	}
	return r, refuse
}

// awaitFirst waits until anything has arrived.
func (r *receiver) awaitFirst(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.arrived) == 0 {
		r.changed.Wait()
	}
}

// hold locks a payment until unlock is called, so that requests for it stay under
// way.
func hold(t *testing.T, d *db.DB, merchantID, payment string) (unlock func()) {
	t.Helper()
	locked, free, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- d.Write(context.Background(), func(tx *db.Tx) error {
			_, err := deferred.Lock(context.Background(), tx, merchantID, payment)
			close(locked)
			<-free
			return err
		})
	}()
	<-locked
	unlock = sync.OnceFunc(func() {
		close(free)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(unlock)
	return unlock
}

// captureSlowly sends captures of 100 and returns where their answers come, and a
// signal for each that the program has begun to read it.
func (s *shop) captureSlowly(t *testing.T, payment string, n int) (answers chan answer, under chan struct{}) {
	answers, under = make(chan answer, n), make(chan struct{}, n)
	for i := range n {
		body := fmt.Sprintf(`{"amount":100,"metadata":%d}`, i)
		trace := &httptrace.ClientTrace{Got100Continue: func() { under <- struct{}{} }}
		ctx := httptrace.WithClientTrace(context.Background(), trace)
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+actionPath(payment, "capture"), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Token "+s.key)
		r.Header.Set("Content-Type", "application/json")
		// The server asks for the body once it has taken the request up.
		r.Header.Set("Expect", "100-continue")
		go func() {
			got, err := (&http.Transport{ExpectContinueTimeout: patience}).RoundTrip(r)
			if err != nil {
				t.Error(err)
				answers <- answer{}
				return
			}
			_ = got.Body.Close()
			answers <- answer{status: got.StatusCode}
		}()
	}
	return answers, under
}

// refused waits until nobody can connect any more.
func refused(t *testing.T, url string) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for late := time.After(patience); ; {
		c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			return
		}
		_ = c.Close()
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("the node still takes connections")
		}
	}
}
