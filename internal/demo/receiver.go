package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"

	"tradecredit/internal/clock"
)

// receiver is the shop's own server: it takes notifications, and buyers who come
// back from the hosted page.
type receiver struct {
	url    string
	server *http.Server
	clock  clock.Clock

	mu     sync.Mutex
	secret string
	// waiting are notifications that nobody has looked at yet.
	waiting []notification
	problem error
	arrived chan struct{}
}

// notification is what the program told the shop.
type notification struct {
	id    string
	event string
	order string
}

// maxNotification bounds what is read of a notification, in bytes.
const maxNotification = 1 << 20

func startReceiver(c clock.Clock) (*receiver, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &receiver{url: "http://" + l.Addr().String(), clock: c, arrived: make(chan struct{}, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /notifications", r.notified)
	mux.HandleFunc("GET /thanks", say("Thank you. The demo shop has your order."))
	mux.HandleFunc("GET /basket", say("You are back in the demo shop; nothing was bought."))
	mux.HandleFunc("GET /terms", say("Terms of the demo shop."))
	r.server = &http.Server{Handler: mux, ReadHeaderTimeout: timeout}
	go func() { _ = r.server.Serve(l) }()
	return r, nil
}

func (r *receiver) close() { _ = r.server.Close() }

// say serves one sentence.
func say(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, text+"\n")
	}
}

// trust sets the secret that notifications are signed with.
func (r *receiver) trust(secret string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secret = secret
}

// notified takes a notification. One that does not fit its signature is refused
// and remembered as the problem of this demo.
func (r *receiver) notified(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(io.LimitReader(req.Body, maxNotification))
	n := notification{id: req.Header.Get("webhook-id"), event: req.Header.Get("Tradecredit-Event-Type")}
	if err == nil {
		err = r.read(req.Header, body, &n)
	}
	r.mu.Lock()
	if err != nil {
		r.problem = fmt.Errorf("a notification of %s: %w", n.event, err)
		w.WriteHeader(http.StatusBadRequest)
	} else {
		r.waiting = append(r.waiting, n)
	}
	r.mu.Unlock()
	select {
	case r.arrived <- struct{}{}:
	default:
	}
}

func (r *receiver) read(h http.Header, body []byte, n *notification) error {
	r.mu.Lock()
	secret := r.secret
	r.mu.Unlock()
	if err := verifySignature(secret, h, body, r.clock.Now()); err != nil {
		return err
	}
	var message struct {
		Data struct {
			Order struct {
				ID string `json:"id"`
			} `json:"order"`
		} `json:"data"`
	}
	err := json.Unmarshal(body, &message)
	n.order = message.Data.Order.ID
	return err
}

// next is the oldest notification that nobody has looked at, after waiting for
// one. It is false when ctx ends first or a notification was not in order.
func (r *receiver) next(ctx context.Context) (notification, bool) {
	for {
		r.mu.Lock()
		problem := r.problem
		if problem == nil && len(r.waiting) > 0 {
			n := r.waiting[0]
			r.waiting = r.waiting[1:]
			r.mu.Unlock()
			return n, true
		}
		r.mu.Unlock()
		if problem != nil {
			return notification{}, false
		}
		select {
		case <-r.arrived:
		case <-ctx.Done():
			return notification{}, false
		}
	}
}

// fault is why next was false.
func (r *receiver) fault(ctx context.Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.problem != nil {
		return r.problem
	}
	return ctx.Err()
}
