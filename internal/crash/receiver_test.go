package crash

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"
)

// notified is one notification that arrived.
type notified struct {
	eventID  string
	sequence int64
	order    string
}

// receiver is a merchant's server that takes notifications.
type receiver struct {
	*httptest.Server
	// answer, when set, says how a notification is answered. It is called in the
	// handler and may wait. It is set before the first arrives.
	answer func(n notified) (status int)

	mu      sync.Mutex
	arrived []notified
	changed *sync.Cond
}

func newReceiver(t testing.TB) *receiver {
	r := &receiver{}
	r.changed = sync.NewCond(&r.mu)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		var body struct {
			Data struct {
				Order struct {
					ID string `json:"id"`
				} `json:"order"`
			} `json:"data"`
		}
		if err := json.NewDecoder(q.Body).Decode(&body); err != nil {
			// The program was killed while it sent.
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		sequence, err := strconv.ParseInt(q.Header.Get("Tradecredit-Event-Sequence"), 10, 64)
		if err != nil {
			t.Error(err)
		}
		n := notified{q.Header.Get("Webhook-Id"), sequence, body.Data.Order.ID}
		status := http.StatusOK
		r.note(n)
		if r.answer != nil {
			status = r.answer(n)
		}
		w.WriteHeader(status)
	}))
	t.Cleanup(r.Server.Close)
	return r
}

func (r *receiver) note(n notified) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.arrived = append(r.arrived, n)
	r.changed.Broadcast()
}

// all is what has arrived so far.
func (r *receiver) all() []notified {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]notified(nil), r.arrived...)
}

// await waits until everything in want has arrived, and reports what has not
// when that takes too long.
func (r *receiver) await(t testing.TB, want map[string]logged) {
	t.Helper()
	late := false
	timer := time.AfterFunc(patience, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		late = true
		r.changed.Broadcast()
	})
	defer timer.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	missing := map[string]logged{}
	for id, e := range want {
		missing[id] = e
	}
	for seen := 0; ; {
		for ; seen < len(r.arrived); seen++ {
			delete(missing, r.arrived[seen].eventID)
		}
		if len(missing) == 0 {
			return
		}
		if late {
			t.Fatalf("%d of %d events were never told of: %v", len(missing), len(want), missing)
		}
		r.changed.Wait()
	}
}

// inOrder demands that the notifications of every order arrived in the order of
// its events, whatever was sent twice.
func inOrder(t testing.TB, arrived []notified) {
	t.Helper()
	last := map[string]notified{}
	for _, n := range arrived {
		if before := last[n.order]; n.sequence < before.sequence {
			t.Errorf("order %s: event %d came after event %d", n.order, n.sequence, before.sequence)
		}
		last[n.order] = n
	}
}
