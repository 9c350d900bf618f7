package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/id"
	"tradecredit/internal/idempotency"
	"tradecredit/internal/merchant"
)

// Config is what a server is made of.
type Config struct {
	DB        *db.DB
	Clock     clock.Clock
	Log       *slog.Logger
	Limits    Limits
	PublicURL string
	Routes    []Route
	// References and Taken answer the questions of forms.
	References References
	Taken      map[string]func(c *Call, tx *db.Tx, value string) (bool, error)
	// Requests keeps requests for later; nil keeps none.
	Requests *RequestLog
	// Wake is called when a change may have made work for the queue.
	Wake func()
	// Fallback answers what no route does, for example hosted pages; nil is a 404.
	Fallback http.Handler
}

// Server answers the API.
type Server struct {
	Config
	router *router
	auth   *authenticator
	limit  *limiter
}

// New returns a server for the routes of c. It fails when two routes contradict
// each other.
func New(c Config) (*Server, error) {
	for _, r := range c.Routes {
		if err := r.check(); err != nil {
			return nil, err
		}
	}
	router, err := newRouter(c.Routes)
	if err != nil {
		return nil, err
	}
	return &Server{
		Config: c, router: router, limit: newLimiter(c.Limits, c.Clock),
		auth: &authenticator{db: c.DB, clock: c.Clock, known: map[string]remembered{}},
	}, nil
}

// check refuses routes that are not fully documented.
func (r *Route) check() error {
	does := 0
	for _, f := range []bool{r.Read != nil, r.Write != nil, r.Serve != nil} {
		if f {
			does++
		}
	}
	if does != 1 || r.Summary == "" || r.Tag == "" || r.Status == 0 || r.Files != nil && (r.Write == nil || r.Body == nil) {
		return fmt.Errorf("the route %s %s is not fully declared", r.Method, r.Path)
	}
	return nil
}

// maxBody bounds a request's body, in bytes.
const maxBody = 4 << 20

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	methods, params := s.router.find(r.URL.Path)
	requestID := id.New(id.Request)
	w.Header().Set("Request-Id", requestID)
	if methods == nil && s.Fallback != nil && !strings.HasPrefix(r.URL.Path, "/v1") {
		s.Fallback.ServeHTTP(w, r)
		return
	}
	r.Method = strings.ToUpper(r.Method)
	defer s.recover(w, r, requestID)
	var merchantID string
	answer, err := s.answer(w.Header(), r, methods, params, &merchantID)
	if err != nil {
		answer = s.refuse(w.Header(), r, requestID, err)
	}
	s.send(w, r, answer)
	s.logged(r, requestID, merchantID, answer.Status)
}

// answer takes a request through the refusals in their order: no route, not
// acceptable, not authenticated, not permitted, too often, no such method. It
// notes in merchantID who called.
func (s *Server) answer(h http.Header, r *http.Request, methods map[string]*Route, params map[string]string, merchantID *string) (*Answer, error) {
	if methods == nil {
		return nil, apierr.NotFound()
	}
	h.Set("Allow", allow(methods))
	route := methods[r.Method]
	if r.Method == http.MethodHead {
		route = methods[http.MethodGet]
	}
	governing := route
	if governing == nil {
		governing = strictest(methods)
	}
	if preflight(h, r, methods) {
		return &Answer{Status: http.StatusNoContent}, nil
	}
	if governing.Access == Open && route != nil {
		return route.Serve(s.call(r, route, params, nil))
	}
	if err := acceptable(r); err != nil {
		return nil, err
	}
	who, err := s.auth.authenticate(r)
	if err != nil {
		return nil, err
	}
	if who != nil {
		*merchantID = who.merchant.ID
	}
	if err := permit(governing, who, r.Header.Get("Origin")); err != nil {
		return nil, err
	}
	if err := s.limit.take(h, governing, who, r); err != nil {
		return nil, err
	}
	if r.Method == http.MethodOptions {
		return describe(methods)
	}
	if route == nil {
		return nil, apierr.Detail(http.StatusMethodNotAllowed, `Method "`+r.Method+`" not allowed.`)
	}
	return s.run(s.call(r, route, params, who))
}

func (s *Server) call(r *http.Request, route *Route, params map[string]string, who *identity) *Call {
	c := &Call{Context: r.Context(), Request: r, Route: route, server: s, params: params, Now: s.Clock.Now()}
	if who != nil {
		c.Merchant = who.merchant
		c.Now = who.merchant.Now(c.Now)
	}
	return c
}

// strictest is a route whose access governs a path when the method is unknown.
func strictest(methods map[string]*Route) *Route {
	var out *Route
	for _, m := range methodOrder {
		if r := methods[m]; r != nil && (out == nil || r.Access < out.Access) {
			out = r
		}
	}
	return out
}

// run reads the body and does the work.
func (s *Server) run(c *Call) (*Answer, error) {
	if c.Route.Files != nil {
		return s.receive(c)
	}
	if c.Request.Method != http.MethodGet && c.Request.Method != http.MethodHead {
		body, err := io.ReadAll(http.MaxBytesReader(nil, c.Request.Body, maxBody))
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return nil, apierr.Detail(http.StatusRequestEntityTooLarge, fmt.Sprintf("The request body is larger than %d bytes.", maxBody))
		}
		if err != nil {
			return nil, apierr.BadRequest("The request body could not be read.")
		}
		c.body = body
	}
	switch {
	case c.Route.Serve != nil:
		return c.Route.Serve(c)
	case c.Route.Read != nil:
		return s.read(c)
	}
	return s.write(c)
}

func (s *Server) read(c *Call) (answer *Answer, err error) {
	err = s.DB.Read(c, func(tx *db.Tx) error {
		response, err := c.Route.Read(c, tx)
		if err != nil {
			return err
		}
		answer, err = response.encode()
		return err
	})
	return answer, err
}

// write does the work in one transaction with the key of the request, so that a
// repeated request finds either the first answer or nothing.
func (s *Server) write(c *Call) (answer *Answer, err error) {
	err = s.DB.Write(c, func(tx *db.Tx) error {
		if err := s.refresh(c, tx); err != nil {
			return err
		}
		key := c.IdempotencyKey()
		if key == "" || c.Merchant.ID == "" {
			answer, err = s.perform(c, tx)
			return err
		}
		request := idempotency.Request{
			MerchantID: c.Merchant.ID, Key: key,
			Operation: c.Route.Method + " " + c.Route.Path, Fingerprint: c.Fingerprint(),
		}
		if err := CheckKey(key); err != nil {
			return err
		}
		first, err := idempotency.Claim(c, tx, request, s.Clock.Now())
		if err != nil {
			return err
		}
		if first != nil {
			answer = Replay(first)
			return nil
		}
		if answer, err = s.perform(c, tx); err != nil {
			return err
		}
		idempotency.Store(tx, request, idempotency.Answer{Status: answer.Status, Location: answer.Location, Body: answer.Body})
		return nil
	})
	if err == nil {
		s.wake()
	}
	return answer, err
}

// refresh reads the caller's settings and time inside the transaction: what is
// remembered of them may be a moment old.
func (s *Server) refresh(c *Call, tx *db.Tx) error {
	if c.Merchant.ID == "" {
		return nil
	}
	m, err := merchant.Get(c, tx, c.Merchant.ID)
	if err != nil {
		return err
	}
	c.Merchant, c.Now = m, m.Now(s.Clock.Now())
	return nil
}

func (s *Server) perform(c *Call, tx *db.Tx) (*Answer, error) {
	response, err := c.Route.Write(c, tx)
	if err != nil {
		return nil, err
	}
	return response.encode()
}

// CheckKey refuses idempotency keys that cannot be stored.
func CheckKey(key string) error {
	if len(key) > 255 {
		return &apierr.Error{Status: http.StatusBadRequest, Body: map[string]string{
			"error": "The `Idempotency-Key` may have at most 255 characters.",
		}}
	}
	for _, r := range key {
		if r < ' ' || r > '~' {
			return &apierr.Error{Status: http.StatusBadRequest, Body: map[string]string{
				"error": "The `Idempotency-Key` may only have printable ASCII characters.",
			}}
		}
	}
	return nil
}

// Replay is the answer to a repeated request.
func Replay(first *idempotency.Answer) *Answer {
	return &Answer{Status: first.Status, Location: first.Location, Body: first.Body, Replayed: true}
}

func (r *Response) encode() (*Answer, error) {
	a := &Answer{Status: r.Status, Location: r.Location, Body: r.Encoded}
	if r.Body == nil {
		return a, nil
	}
	var err error
	a.Body, err = Encode(r.Body)
	return a, err
}

func (s *Server) wake() {
	if s.Wake != nil {
		s.Wake()
	}
}

// refuse turns an error into its answer and logs what is our own fault.
func (s *Server) refuse(h http.Header, r *http.Request, requestID string, err error) *Answer {
	if errors.Is(err, db.ErrNoRows) {
		err = apierr.NotFound()
	}
	e := apierr.From(err)
	if e.Status >= 500 && !errors.Is(err, context.Canceled) {
		s.Log.Error("request failed", "request", requestID, "method", r.Method, "path", r.URL.Path, "error", err)
	}
	if e.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Token")
	}
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int(e.RetryAfter/time.Second)))
	}
	body, encodeErr := Encode(e.Body)
	if encodeErr != nil {
		s.Log.Error("encoding an error", "request", requestID, "error", encodeErr)
	}
	return &Answer{Status: e.Status, Body: body}
}

func (s *Server) send(w http.ResponseWriter, r *http.Request, a *Answer) {
	h := w.Header()
	for name, values := range a.Header {
		h[name] = values
	}
	if a.Replayed {
		h.Set("Idempotency-Replayed", "true")
	}
	if a.Location != "" {
		h.Set("Location", a.Location)
	}
	if len(a.Body) > 0 {
		kind := a.ContentType
		if kind == "" {
			kind = "application/json"
		}
		h.Set("Content-Type", kind)
	} else {
		h["Content-Type"] = nil
	}
	h.Set("Content-Length", strconv.Itoa(len(a.Body)))
	w.WriteHeader(a.Status)
	if r.Method != http.MethodHead {
		// The client may be gone; there is nobody to tell.
		_, _ = w.Write(a.Body)
	}
}

func (s *Server) recover(w http.ResponseWriter, r *http.Request, requestID string) {
	cause := recover()
	if cause == nil {
		return
	}
	s.Log.Error("request panicked", "request", requestID, "method", r.Method, "path", r.URL.Path,
		"panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
	s.send(w, r, s.refuse(w.Header(), r, requestID, fmt.Errorf("panic: %v", cause)))
}
