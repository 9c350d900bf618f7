package apptest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// Notification is what a receiver got.
type Notification struct {
	Header http.Header
	URI    string
	Body   []byte
}

// Receiver is a merchant's server that is told of events.
type Receiver struct {
	URL string

	t        testing.TB
	received chan Notification
	mu       sync.Mutex
	status   int
}

// NewReceiver starts a receiver that answers 200.
func NewReceiver(t testing.TB) *Receiver {
	r := &Receiver{t: t, received: make(chan Notification, 1000), status: http.StatusOK}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	r.URL = server.URL
	return r
}

// ServeHTTP implements http.Handler.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		r.t.Error(err)
	}
	r.received <- Notification{request.Header.Clone(), request.RequestURI, body}
	r.mu.Lock()
	defer r.mu.Unlock()
	w.WriteHeader(r.status)
}

// Answer sets the status of all further answers.
func (r *Receiver) Answer(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.status = status
}

// Next waits for a notification.
func (r *Receiver) Next() Notification {
	r.t.Helper()
	select {
	case n := <-r.received:
		return n
	case <-time.After(patience):
		r.t.Fatal("no notification came")
		return Notification{}
	}
}

// Until waits for the notification of an event of a type, and returns the types
// of those before it as well.
func (r *Receiver) Until(eventType string) (n Notification, types []string) {
	r.t.Helper()
	for {
		n = r.Next()
		types = append(types, n.Header.Get("Tradecredit-Event-Type"))
		if types[len(types)-1] == eventType {
			return n, types
		}
	}
}
