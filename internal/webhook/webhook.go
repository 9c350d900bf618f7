// Package webhook tells merchants what happened: it turns events into
// notifications and delivers each at least once, in order for every order.
//
// Fan-out (fanout.go) numbers new events and writes one delivery row and one job
// for every address that is told of one, in a single transaction. Delivery
// (deliver.go) makes the calls. Nothing that was committed is lost: a delivery
// is pending until it was answered with success or its schedule ran out.
package webhook

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"regexp"
	"strings"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/merchant"
)

// Endpoint is an address that is told of a merchant's events.
type Endpoint struct {
	ID         string
	MerchantID string
	URL        string
	// Authorization, when set, is the Authorization header of every
	// notification. It is a secret of the merchant.
	Authorization string
	// Events filters: exact types, or "prefix.*"; none means every event.
	Events []string
	Active bool
	// Created is in the merchant's time.
	Created time.Time
}

// NewEndpoint is an endpoint with its signing secret, which is shown when it is
// made and never again.
type NewEndpoint struct {
	Endpoint
	Secret string
}

// Status says how far a delivery has come.
type Status string

// The statuses of a delivery.
const (
	Pending   Status = "pending"
	Delivered Status = "delivered"
	Failed    Status = "failed"
)

// Attempt is one call that was made, or could not be made.
type Attempt struct {
	// At is in real time.
	At time.Time `json:"at"`
	// StatusCode is nil when there was no answer.
	StatusCode *int `json:"status_code"`
	// Error is nil when the call succeeded. It holds no secrets.
	Error *string `json:"error"`
}

// Delivery is the notification of one address of one event.
type Delivery struct {
	ID         string
	MerchantID string
	// EventID is sent as webhook-id: the same over all attempts and replays.
	EventID   string
	EventType string
	ObjectID  string
	RootID    string
	// Sequence is the event's number among those of the merchant.
	Sequence int64
	// EndpointID is nil for an address that an offer named.
	EndpointID *string
	URL        string
	// RequestBody is what is sent, byte for byte, on every attempt.
	RequestBody []byte
	Status      Status
	Attempts    []Attempt
	// Created is in the merchant's time.
	Created time.Time

	tries int
	jobID string
}

// Matches tells whether an endpoint with these filters is told of events of a
// type. "deferred_payment.*" stands for every type that begins with
// "deferred_payment.", "*" and an empty list for all.
func Matches(filters []string, eventType string) bool {
	for _, f := range filters {
		if f == eventType || f == "*" {
			return true
		}
		if prefix, ok := strings.CutSuffix(f, "*"); ok && strings.HasSuffix(prefix, ".") && strings.HasPrefix(eventType, prefix) {
			return true
		}
	}
	return len(filters) == 0
}

// maxFilters bounds the filters of one endpoint.
const maxFilters = 100

var filterShape = regexp.MustCompile(`^(\*|[a-z0-9_]+(\.[a-z0-9_]+)*(\.\*)?)$`)

// CheckEvents returns a 400 that names the first filter that is not one.
func CheckEvents(filters []string) error {
	if len(filters) > maxFilters {
		return apierr.Field("events", "Ensure this field has no more than 100 elements.")
	}
	for _, f := range filters {
		if len(f) > 100 || !filterShape.MatchString(f) {
			return apierr.Field("events", `Expected an event type or a pattern such as "order.*".`)
		}
	}
	return nil
}

// maxURL bounds an address, in bytes.
const maxURL = 2000

// URLProblem says what keeps an address from being notified, or "" when nothing
// does. The sandbox takes http and https, production https alone. Where the
// address leads is judged when it is called, not here.
func URLProblem(raw string, env merchant.Environment) string {
	if len(raw) > maxURL {
		return "Ensure this field has no more than 2000 characters."
	}
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.Opaque != "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "Enter a valid URL."
	}
	// What follows goes into the request line as it is.
	for i := range len(raw) {
		if raw[i] <= ' ' || raw[i] == 0x7f {
			return "Enter a valid URL."
		}
	}
	if env == merchant.Production && u.Scheme != "https" {
		return "Enter a URL that begins with https://."
	}
	return ""
}

// target names an address that is told of an event: an endpoint, or the address
// alone.
type target struct {
	endpointID string
	url        string
}

// key tells the target from all others of the merchant in a length that fits
// an index.
func (t target) key() string {
	if t.endpointID != "" {
		return t.endpointID
	}
	sum := sha256.Sum256([]byte(t.url))
	return hex.EncodeToString(sum[:16])
}

// targets picks who is told of an event: the active endpoints that ask for its
// type, and the address that the offer named. An address is told once, and as an
// endpoint if it is one.
func targets(endpoints []Endpoint, eventType, own string) []target {
	var out []target
	told := map[string]bool{"": true}
	for _, e := range endpoints {
		if e.Active && !told[e.URL] && Matches(e.Events, eventType) {
			told[e.URL] = true
			out = append(out, target{endpointID: e.ID, url: e.URL})
		}
	}
	if !told[own] {
		out = append(out, target{url: own})
	}
	return out
}

// Retries is how a delivery is repeated: the pauses before the second and every
// further attempt.
type Retries []time.Duration

// The schedules: the short one of the reference, and one of about three days for
// merchants that ask for it.
var (
	shortRetries = Retries{0, 2 * time.Second, 4 * time.Second}
	longRetries  = append(shortRetries[:3:3],
		30*time.Second, 2*time.Minute, 10*time.Minute, 30*time.Minute,
		time.Hour, 2*time.Hour, 4*time.Hour, 8*time.Hour, 12*time.Hour, 12*time.Hour, 16*time.Hour, 16*time.Hour)
)

// Pause returns how long to wait after the given number of attempts, and false
// when there is no further one.
func (r Retries) Pause(attempts int) (time.Duration, bool) {
	if attempts < 1 || attempts > len(r) {
		return 0, false
	}
	return r[attempts-1], true
}
