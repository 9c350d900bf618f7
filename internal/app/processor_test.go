package app_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"tradecredit/internal/app"
	"tradecredit/internal/app/apptest"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

// fakeStripe answers like Stripe, as far as charges by job need it: the first
// answer to an idempotency key is the answer to it for ever.
type fakeStripe struct {
	mu      sync.Mutex
	answers map[string]map[string]any
	intents []map[string]any
	// silent are charges whose answers get lost on the way, after the money moved.
	silent int
	calls  int
	// before, when set, is called with what is about to be answered to a charge.
	before func(intent map[string]any)
}

func (f *fakeStripe) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	f.mu.Lock()
	defer f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if r.Method == http.MethodGet {
		found := []map[string]any{}
		for _, i := range f.intents {
			if strings.Contains(r.Form.Get("query"), i["metadata"].(map[string]any)["tradecredit_charge"].(string)) {
				found = append(found, i)
			}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"object": "list", "data": found})
		return
	}
	f.calls++
	body := f.charge(r)
	if f.before != nil {
		f.before(body)
	}
	if f.silent > 0 {
		f.silent--
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = conn.Close()
		}
		return
	}
	if body["error"] != nil {
		w.WriteHeader(http.StatusPaymentRequired)
	}
	_ = json.NewEncoder(w).Encode(body)
}

func (f *fakeStripe) charge(r *http.Request) map[string]any {
	key := r.Header.Get("Idempotency-Key")
	if body, ok := f.answers[key]; ok {
		return body
	}
	if r.Form.Get("payment_method") == "pm_declined" {
		f.answers[key] = map[string]any{"error": map[string]any{"type": "card_error", "code": "card_declined", "message": "No."}}
		return f.answers[key]
	}
	intent := map[string]any{
		"id": fmt.Sprintf("pi_%d", len(f.intents)+1), "object": "payment_intent", "status": "succeeded", "amount": 1, "currency": "gbp",
		"metadata": map[string]any{"tradecredit_charge": r.Form.Get("metadata[tradecredit_charge]")},
	}
	f.intents = append(f.intents, intent)
	f.answers[key] = intent
	return intent
}

const hookSecret = "whsec_test"

// hook sends an event of Stripe's, signed.
func hook(t *testing.T, s *apptest.Shop, secret, event, kind, object string) *http.Response {
	t.Helper()
	at := s.Server.Clock.Now().Unix()
	body := fmt.Sprintf(`{"id":%q,"object":"event","type":%q,"created":%d,"livemode":false,"data":{"object":%s}}`, event, kind, at, object)
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "%d.%s", at, body)
	request, err := http.NewRequest(http.MethodPost, s.URL("/v1/processor/stripe/webhook"), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Stripe-Signature", fmt.Sprintf("t=%d,v1=%s", at, hex.EncodeToString(mac.Sum(nil))))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = answer.Body.Close() })
	return answer
}

// TestStripe charges by jobs: an answer that got lost is looked up and charged
// once, a refusal is tried again until the attempts are used up, and a dispute
// takes the money back once.
func TestStripe(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		fake := &fakeStripe{answers: map[string]map[string]any{}}
		provider := httptest.NewServer(fake)
		t.Cleanup(provider.Close)
		server := apptest.Start(t, d, func(c *app.Config) {
			c.Stripe = app.StripeConfig{Key: "sk_test_1", URL: provider.URL, WebhookSecret: hookSecret}
		})
		s := server.Shop(apptest.Buyer{})
		take := func(amount int64, token string) string {
			plan := s.Offer(s.Order(amount)).Plans[0].ID
			p := s.Do("POST", "/v1/sandbox/payment_plans/"+plan+"/accept", map[string]string{"payment_method": "card", "token": token}).WantStatus(201).ID()
			act(s, p, "capture", amount)
			return p
		}
		becomes := func(payment, want string) {
			t.Helper()
			apptest.Eventually(t, func() error {
				server.Clock.Advance(31 * 60 * 1e9) // jobs wait in real time
				server.App.Queue.Wake()
				if got := standing(s, payment); got != want {
					return fmt.Errorf("got  %s\nwant %s", got, want)
				}
				return nil
			})
		}
		fake.silent = 1
		p := take(80_00, "pm_good")
		s.Advance(30 * apptest.Day)
		becomes(p, "captured, order paid, paid 0 next -; payment card settled 8000")
		fake.mu.Lock()
		if len(fake.intents) != 1 {
			t.Errorf("%d charges, want one", len(fake.intents))
		}
		fake.mu.Unlock()
		server.Clean()

		dispute := `{"id":"dp_1","object":"dispute","amount":8000,"currency":"gbp","status":"needs_response","reason":"fraudulent",
			"payment_intent":{"id":"pi_1","object":"payment_intent","metadata":{}}}`
		if r := hook(t, s, "whsec_wrong", "evt_0", "charge.dispute.created", dispute); r.StatusCode != 400 {
			t.Errorf("a wrong signature: %d", r.StatusCode)
		}
		for i, event := range []string{"evt_1", "evt_1", "evt_2"} {
			kind := "charge.dispute.created"
			if event == "evt_2" {
				kind = "charge.dispute.funds_withdrawn"
			}
			if r := hook(t, s, hookSecret, event, kind, dispute); r.StatusCode != 200 {
				t.Errorf("report %d: %d", i, r.StatusCode)
			}
		}
		is(t, s, p, "captured, order unpaid, unpaid 8000 next 2026-04-01; payment card returned 8000")
		server.Clean()

		bad := take(30_00, "pm_declined")
		failed := "; payment card failed 3000"
		s.Advance(30 * apptest.Day)
		for n := 1; n <= 3; n++ {
			becomes(bad, "captured, order unpaid, unpaid 3000 next 2026-05-01"+strings.Repeat(failed, n))
			s.Advance(6 * apptest.Day)
		}
		s.Advance(60 * apptest.Day)
		is(t, s, bad, "captured, order unpaid, unpaid 3000 next 2026-05-01"+strings.Repeat(failed, 3))
		if subjects := mailsTo(s); !strings.Contains(subjects, "Final notice: 30.00 GBP") {
			t.Errorf("nobody was reminded at last:\n%s", subjects)
		}
		server.Clean()
	})
}

// TestStripeTellsFirst: the news of a charge comes before the answer to it, as it
// often does. The money is booked once.
func TestStripeTellsFirst(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		fake := &fakeStripe{answers: map[string]map[string]any{}}
		provider := httptest.NewServer(fake)
		t.Cleanup(provider.Close)
		server := apptest.Start(t, d, func(c *app.Config) {
			c.Stripe = app.StripeConfig{Key: "sk_test_1", URL: provider.URL, WebhookSecret: hookSecret}
		})
		s := server.Shop(apptest.Buyer{})
		answered := make(chan struct{})
		fake.before = func(intent map[string]any) {
			defer close(answered)
			object, err := json.Marshal(intent)
			if err != nil {
				t.Error(err)
				return
			}
			if r := hook(t, s, hookSecret, "evt_1", "payment_intent.succeeded", string(object)); r.StatusCode != 200 {
				t.Errorf("the news: %d", r.StatusCode)
			}
		}
		plan := s.Offer(s.Order(80_00)).Plans[0].ID
		p := s.Do("POST", "/v1/sandbox/payment_plans/"+plan+"/accept", `{"payment_method": "card", "token": "pm_good"}`).WantStatus(201).ID()
		act(s, p, "capture", 80_00)
		s.Advance(30 * apptest.Day)
		<-answered
		// The job ends after the answer; then nothing of it is left.
		apptest.Eventually(t, func() error {
			var left int64
			err := d.Read(t.Context(), func(tx *db.Tx) error {
				return tx.Get(t.Context(), "SELECT count(*) FROM jobs WHERE kind = 'repayment.charge'", nil, &left)
			})
			if err == nil && left > 0 {
				err = fmt.Errorf("%d charges under way", left)
			}
			return err
		})
		is(t, s, p, "captured, order paid, paid 0 next -; payment card settled 8000")
		server.Clean()
	})
}

// mailsTo are the subjects of the mails in the outbox, oldest first.
func mailsTo(s *apptest.Shop) string {
	var out struct{ Results []struct{ Subject string } }
	s.Do("GET", "/v1/sandbox/emails?limit=100", nil).WantStatus(200).Decode(&out)
	var subjects []string
	for i := len(out.Results) - 1; i >= 0; i-- {
		subjects = append(subjects, out.Results[i].Subject)
	}
	return strings.Join(subjects, "\n")
}
