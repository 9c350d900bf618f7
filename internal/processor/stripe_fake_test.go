package processor

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

const fakeKey = "sk_test_do_not_tell"

// fakeStripe keeps payment intents and refunds as Stripe does, as far as the
// tests need: the first answer to an idempotency key is the answer to it for ever.
// Faults are played one call after the other.
type fakeStripe struct {
	t   *testing.T
	url string

	mu      sync.Mutex
	faults  []fault
	intents []map[string]any
	refunds []map[string]any
	answers map[string]answered
	// keys are the idempotency keys of all writing calls, forms their parameters.
	keys  []string
	forms []string
	// blind makes the search find nothing, as if it were behind.
	blind bool
	// charged counts the intents that have collected money.
	charged int
}

type answered struct {
	form   string
	status int
	body   map[string]any
}

// fault answers instead of Stripe. done is what Stripe had done before, if the
// result says so.
type fault func(w http.ResponseWriter, r *http.Request, do func() (int, map[string]any))

func newFake(t *testing.T, faults ...fault) *fakeStripe {
	t.Helper()
	f := &fakeStripe{t: t, faults: faults, answers: map[string]answered{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

func (f *fakeStripe) client(t *testing.T) *Stripe {
	t.Helper()
	s, err := NewStripe(StripeConfig{Key: fakeKey, BaseURL: f.url})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (f *fakeStripe) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "Bearer "+fakeKey {
		f.t.Errorf("%s %s: Authorization %q", r.Method, r.URL.Path, r.Header.Get("Authorization"))
	}
	if err := r.ParseForm(); err != nil {
		f.t.Error(err)
	}
	do := func() (int, map[string]any) { return f.answer(r) }
	if r.Method == http.MethodPost {
		if fault := f.write(r); fault != nil {
			fault(w, r, do)
			return
		}
	}
	status, body := do()
	reply(w, status, body)
}

// write notes a writing call, and returns the fault that is its turn.
func (f *fakeStripe) write(r *http.Request) fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keys = append(f.keys, r.Header.Get("Idempotency-Key"))
	f.forms = append(f.forms, r.PostForm.Encode())
	if len(f.faults) == 0 {
		return nil
	}
	next := f.faults[0]
	f.faults = f.faults[1:]
	return next
}

func reply(w http.ResponseWriter, status int, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

func refusal(kind, code string, more ...string) map[string]any {
	e := map[string]any{"type": kind, "message": "It did not go."}
	if code != "" {
		e["code"] = code
	}
	for i := 0; i+1 < len(more); i += 2 {
		e[more[i]] = more[i+1]
	}
	return map[string]any{"error": e}
}

func (f *fakeStripe) answer(r *http.Request) (int, map[string]any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.Method == http.MethodPost {
		key, form := r.Header.Get("Idempotency-Key"), r.PostForm.Encode()
		if a, ok := f.answers[key]; ok {
			if a.form != form {
				return http.StatusBadRequest, refusal("idempotency_error", "")
			}
			return a.status, a.body
		}
		status, body := f.make(r)
		f.answers[key] = answered{form, status, body}
		return status, body
	}
	switch path := strings.TrimPrefix(r.URL.Path, "/v1/"); {
	case path == "payment_intents/search":
		return http.StatusOK, f.list(f.intents, func(o map[string]any) bool {
			id := o["metadata"].(map[string]any)[chargeKey]
			return !f.blind && r.Form.Get("query") == fmt.Sprintf("metadata['%s']:'%s'", chargeKey, id)
		})
	case path == "refunds":
		return http.StatusOK, f.list(f.refunds, func(o map[string]any) bool { return o["payment_intent"] == r.Form.Get("payment_intent") })
	case path == "mandates/mandate_1":
		return http.StatusOK, map[string]any{"id": "mandate_1", "object": "mandate", "payment_method": "pm_debit"}
	case path == "mandates/mandate_2":
		return http.StatusOK, map[string]any{"id": "mandate_2", "object": "mandate"}
	default:
		for _, i := range f.intents {
			if path == "payment_intents/"+i["id"].(string) {
				return http.StatusOK, i
			}
		}
	}
	return http.StatusNotFound, refusal("invalid_request_error", "resource_missing")
}

func (f *fakeStripe) list(all []map[string]any, fits func(map[string]any) bool) map[string]any {
	found := []map[string]any{}
	for _, o := range all {
		if fits(o) {
			found = append(found, o)
		}
	}
	return map[string]any{"object": "list", "data": found, "has_more": false}
}

// make does what a writing call asks for. The payment method decides.
func (f *fakeStripe) make(r *http.Request) (int, map[string]any) {
	if r.URL.Path == "/v1/payment_methods" {
		return http.StatusOK, map[string]any{"id": "pm_of_" + r.Form.Get("card[token]"), "object": "payment_method"}
	}
	if r.URL.Path == "/v1/refunds" {
		o := map[string]any{
			"id": fmt.Sprintf("re_%d", len(f.refunds)+1), "object": "refund", "status": "succeeded",
			"payment_intent": r.Form.Get("payment_intent"), "metadata": map[string]any{refundKey: r.Form.Get("metadata[" + refundKey + "]")},
		}
		f.refunds = append(f.refunds, o)
		return http.StatusOK, o
	}
	o := map[string]any{
		"id": fmt.Sprintf("pi_%d", len(f.intents)+1), "object": "payment_intent", "client_secret": "pi_secret",
		"metadata": map[string]any{chargeKey: r.Form.Get("metadata[" + chargeKey + "]")},
	}
	f.intents = append(f.intents, o)
	decline := func(code, reason string) (int, map[string]any) {
		body := refusal("card_error", code, "decline_code", reason)
		o["status"], o["last_payment_error"] = "requires_payment_method", body["error"]
		e := refusal("card_error", code, "decline_code", reason)
		e["error"].(map[string]any)["payment_intent"] = map[string]any{"id": o["id"], "object": "payment_intent", "client_secret": "pi_secret"}
		return http.StatusPaymentRequired, e
	}
	switch r.Form.Get("payment_method") {
	case "pm_declined":
		return decline("card_declined", "generic_decline")
	case "pm_stolen":
		return decline("card_declined", "stolen_card")
	case "pm_poor":
		return decline("card_declined", "insufficient_funds")
	case "pm_expired":
		return decline("expired_card", "expired_card")
	case "pm_secure_absent":
		return decline("authentication_required", "authentication_required")
	case "pm_secure":
		o["status"] = "requires_action"
		o["next_action"] = map[string]any{"type": "redirect_to_url", "redirect_to_url": map[string]any{"url": "https://bank.example/3ds"}}
	case "pm_debit":
		o["status"] = "processing"
	default:
		o["status"] = "succeeded"
		f.charged++
	}
	return http.StatusOK, o
}
