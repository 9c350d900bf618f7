package processor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestStripeOutcomes(t *testing.T) {
	t.Parallel()
	for method, want := range map[string]Result{
		"pm_good":          {Outcome: Succeeded},
		"tok_visa":         {Outcome: Succeeded},
		"pm_debit":         {Outcome: Pending},
		"pm_declined":      {Outcome: Declined, Code: "card_declined", Message: "It did not go."},
		"pm_stolen":        {Outcome: Declined, Code: "card_declined", Message: "It did not go."},
		"pm_poor":          {Outcome: Declined, Code: "insufficient_funds", Message: "It did not go."},
		"pm_expired":       {Outcome: Declined, Code: "expired_card", Message: "It did not go."},
		"pm_secure_absent": {Outcome: ActionRequired, Code: "authentication_required", Message: "It did not go."},
		"pm_secure": {
			Outcome: ActionRequired, Code: "authentication_required",
			Message: "The bank asks the buyer to confirm the payment.", ActionURL: "https://bank.example/3ds",
		},
	} {
		f := newFake(t)
		s := f.client(t)
		want.Reference = "pi_1"
		got, err := s.Charge(t.Context(), card("c-1", method))
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v", method, got, err)
		}
		for _, id := range []string{"c-1", "pi_1"} {
			found, ok, err := s.Lookup(t.Context(), id)
			if err != nil || !ok || found != want {
				t.Errorf("%s, %s looked up: %+v, %v, %v", method, id, found, ok, err)
			}
		}
		if _, ok, err := s.Lookup(t.Context(), "pi_9"); ok || err != nil {
			t.Errorf("an unknown intent: %v, %v", ok, err)
		}
	}
}

func TestStripeRequests(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	s := f.client(t)
	for _, c := range []Charge{
		{
			ID: "c-1", Amount: 1250, Currency: "EUR", Method: Card, Token: "pm_1", CustomerReference: "cus_1", OffSession: true,
			Description: "Instalment 1 of 3", StatementDescriptor: "Müller* & Sons, order 1234567890",
		},
		{ID: "c-2", Amount: 3, Currency: "JPY", Method: Card, Token: "tok_visa", CustomerReference: "org-7", ReturnURL: "https://pay.example/back"},
		{ID: "c-3", Amount: 5, Currency: "GBP", Method: DirectDebit, Token: "pm_2", OffSession: true, StatementDescriptor: "Invoice 17"},
		{ID: "c-5", Amount: 5, Currency: "EUR", Method: DirectDebit, Token: "mandate_1"},
		{ID: "c-4", Amount: 5, Currency: "ISK", Method: Card, Token: "pm_2", StatementDescriptor: "123"},
	} {
		if _, err := s.Charge(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	var got []map[string][]string
	for _, form := range f.forms {
		v, err := url.ParseQuery(form)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, v)
	}
	if diff := cmp.Diff([]map[string][]string{
		{
			"amount": {"1250"}, "currency": {"eur"}, "confirm": {"true"}, "off_session": {"true"}, "payment_method": {"pm_1"},
			"payment_method_types[0]": {"card"}, "customer": {"cus_1"}, "description": {"Instalment 1 of 3"},
			"statement_descriptor_suffix": {"Mller & Sons, order 12"}, "metadata[tradecredit_charge]": {"c-1"},
		},
		{"type": {"card"}, "card[token]": {"tok_visa"}},
		{
			"amount": {"3"}, "currency": {"jpy"}, "confirm": {"true"}, "payment_method": {"pm_of_tok_visa"}, "payment_method_types[0]": {"card"},
			"return_url": {"https://pay.example/back"}, "metadata[tradecredit_charge]": {"c-2"}, "metadata[tradecredit_customer]": {"org-7"},
		},
		{
			"amount": {"5"}, "currency": {"gbp"}, "confirm": {"true"}, "off_session": {"true"}, "payment_method": {"pm_2"},
			"payment_method_types[0]": {"bacs_debit"}, "statement_descriptor": {"Invoice 17"}, "metadata[tradecredit_charge]": {"c-3"},
		},
		{
			"amount": {"5"}, "currency": {"eur"}, "confirm": {"true"}, "mandate": {"mandate_1"}, "payment_method": {"pm_debit"},
			"payment_method_types[0]": {"sepa_debit"}, "metadata[tradecredit_charge]": {"c-5"},
		},
		{
			"amount": {"500"}, "currency": {"isk"}, "confirm": {"true"}, "payment_method": {"pm_2"},
			"payment_method_types[0]": {"card"}, "metadata[tradecredit_charge]": {"c-4"},
		},
	}, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"c-1", "c-2:method", "c-2", "c-3", "c-5", "c-4"}, f.keys); diff != "" {
		t.Error(diff)
	}
	for name, c := range map[string]Charge{
		"no token":              {ID: "c", Amount: 1, Currency: "EUR", Method: Card},
		"a debit in dollars":    {ID: "c", Amount: 1, Currency: "USD", Method: DirectDebit, Token: "pm_1"},
		"a debit from a card":   {ID: "c", Amount: 1, Currency: "EUR", Method: DirectDebit, Token: "tok_visa"},
		"a card by mandate":     {ID: "c", Amount: 1, Currency: "EUR", Method: Card, Token: "mandate_1"},
		"an empty mandate":      {ID: "c", Amount: 1, Currency: "EUR", Method: DirectDebit, Token: "mandate_2"},
		"a third decimal place": {ID: "c", Amount: 1001, Currency: "TND", Method: Card, Token: "pm_1"},
	} {
		if r, err := s.Charge(t.Context(), c); !errors.Is(err, ErrInvalid) || len(f.keys) != 6 {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

// answering plays an error of Stripe's that comes before anything is done.
func answering(status int, body map[string]any) fault {
	return func(w http.ResponseWriter, _ *http.Request, _ func() (int, map[string]any)) { reply(w, status, body) }
}

// answeringAfter plays one that comes after it was done.
func answeringAfter(status int, body map[string]any) fault {
	return func(w http.ResponseWriter, _ *http.Request, do func() (int, map[string]any)) {
		do()
		reply(w, status, body)
	}
}

// cutOff does what was asked and breaks the connection instead of answering.
func cutOff(_ http.ResponseWriter, _ *http.Request, do func() (int, map[string]any)) {
	do()
	panic(http.ErrAbortHandler)
}

// garbled does what was asked and answers as a broken proxy would.
func garbled(w http.ResponseWriter, _ *http.Request, do func() (int, map[string]any)) {
	do()
	w.WriteHeader(http.StatusBadGateway)
	_, _ = w.Write([]byte("<h1>Bad gateway</h1>"))
}

// elsewhere does what was asked and points to another address.
func elsewhere(w http.ResponseWriter, r *http.Request, do func() (int, map[string]any)) {
	do()
	http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusTemporaryRedirect)
}

// TestStripeChargesOnce plays the faults, lets a job go on as Next says, and holds
// that the money was collected once, by calls with one key.
func TestStripeChargesOnce(t *testing.T) {
	t.Parallel()
	apiError := refusal("api_error", "")
	for _, c := range []struct {
		name   string
		faults []fault
		blind  bool
		// steps are what Next says after each attempt, calls the number of charges
		// that were sent.
		steps []Step
		calls int
	}{
		{name: "nothing goes wrong", steps: []Step{Settle}, calls: 1},
		{name: "500 before", faults: []fault{answering(500, apiError)}, steps: []Step{Lookup, Settle}, calls: 2},
		{name: "500 after, found", faults: []fault{answeringAfter(500, apiError)}, steps: []Step{Lookup, Settle}, calls: 1},
		{name: "500 after, not found yet", faults: []fault{answeringAfter(500, apiError)}, blind: true, steps: []Step{Lookup, Settle}, calls: 2},
		{name: "cut off", faults: []fault{cutOff}, blind: true, steps: []Step{Lookup, Settle}, calls: 2},
		{name: "cut off twice", faults: []fault{cutOff, cutOff}, blind: true, steps: []Step{Lookup, Lookup, Settle}, calls: 3},
		{name: "garbled", faults: []fault{garbled}, blind: true, steps: []Step{Lookup, Settle}, calls: 2},
		{name: "redirected", faults: []fault{elsewhere}, blind: true, steps: []Step{Lookup, Settle}, calls: 2},
		{
			name: "the same call is under way", faults: []fault{answering(409, refusal("invalid_request_error", "idempotency_key_in_use"))},
			steps: []Step{Lookup, Settle}, calls: 2,
		},
		{
			name: "too many calls", faults: []fault{answering(429, refusal("invalid_request_error", "rate_limit")), answering(429, refusal("invalid_request_error", "lock_timeout"))},
			steps: []Step{Retry, Retry, Settle}, calls: 3,
		},
		{
			name: "the key is not valid yet", faults: []fault{answering(401, refusal("invalid_request_error", "")), answering(403, refusal("invalid_request_error", ""))},
			steps: []Step{Retry, Retry, Settle}, calls: 3,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(t, c.faults...)
			f.blind = c.blind
			s := f.client(t)
			var steps []Step
			var last Result
			for attempt := 1; attempt <= len(c.steps); attempt++ {
				r, err := Perform(t.Context(), s, card("c-1", "pm_good"), attempt)
				if told := fmt.Sprintf("%+v %v", r, err); strings.Contains(told, fakeKey) || strings.Contains(told, "pi_secret") {
					t.Errorf("tells a secret: %s", told)
				}
				steps, last = append(steps, Next(r, err, attempt)), r
			}
			if diff := cmp.Diff(c.steps, steps); diff != "" {
				t.Error(diff)
			}
			if want := (Result{Outcome: Succeeded, Reference: "pi_1"}); last != want {
				t.Errorf("%+v", last)
			}
			if f.charged != 1 || len(f.intents) != 1 {
				t.Errorf("charged %d times, %d payment intents", f.charged, len(f.intents))
			}
			if diff := cmp.Diff(slices.Repeat([]string{"c-1"}, c.calls), f.keys); diff != "" {
				t.Errorf("keys: %s", diff)
			}
			if n := len(slices.Compact(f.forms)); n != 1 {
				t.Errorf("%d different requests with one key", n)
			}
		})
	}
}

// TestStripeTakesTheChargeAndDoesNotAnswer is a time-out after acceptance.
func TestStripeTakesTheChargeAndDoesNotAnswer(t *testing.T) {
	t.Parallel()
	accepted := make(chan struct{})
	f := newFake(t, func(_ http.ResponseWriter, r *http.Request, do func() (int, map[string]any)) {
		do()
		close(accepted)
		<-r.Context().Done()
	})
	s := f.client(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-accepted
		cancel()
	}()
	r, err := Perform(ctx, s, card("c-1", "pm_good"), 1)
	if !errors.Is(err, ErrAmbiguous) || Next(r, err, 1) != Lookup {
		t.Fatalf("%+v, %v", r, err)
	}
	r, err = Perform(t.Context(), s, card("c-1", "pm_good"), 2)
	if err != nil || r.Outcome != Succeeded || f.charged != 1 || len(f.keys) != 1 {
		t.Errorf("%+v, %v; charged %d times by %v", r, err, f.charged, f.keys)
	}
}

func TestStripeHasADeadline(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		<-r.Context().Done()
	}))
	defer server.Close()
	s, err := NewStripe(StripeConfig{Key: fakeKey, BaseURL: server.URL, Timeout: 20 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Charge(t.Context(), card("c-1", "pm_1")); !errors.Is(err, ErrAmbiguous) {
		t.Errorf("a charge: %v", err)
	}
	if _, _, err := s.Lookup(t.Context(), "c-1"); !errors.Is(err, ErrAmbiguous) {
		t.Errorf("a question: %v", err)
	}
}

func TestStripeCannotBeReached(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + l.Addr().String()
	l.Close()
	s, err := NewStripe(StripeConfig{Key: fakeKey, BaseURL: address})
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.Charge(t.Context(), card("c-1", "pm_1"))
	if !errors.Is(err, ErrUnreachable) || Next(r, err, 1) != Retry || strings.Contains(err.Error(), fakeKey) {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestStripeFailsForGood is for requests that Stripe will never take.
func TestStripeFailsForGood(t *testing.T) {
	t.Parallel()
	f := newFake(t, answering(404, refusal("invalid_request_error", "resource_missing")))
	r, err := f.client(t).Charge(t.Context(), card("c-1", "pm_gone"))
	if want := (Result{Outcome: Failed, Code: "resource_missing", Message: "It did not go."}); err != nil || r != want {
		t.Errorf("%+v, %v", r, err)
	}
	if Next(r, err, 1) != Settle {
		t.Errorf("then %s", Next(r, err, 1))
	}
}

// TestStripeKeyOfAnotherCharge is a fault of ours; it says nothing about the first
// charge.
func TestStripeKeyOfAnotherCharge(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	s := f.client(t)
	if _, err := s.Charge(t.Context(), card("c-1", "pm_1")); err != nil {
		t.Fatal(err)
	}
	if r, err := s.Charge(t.Context(), card("c-1", "pm_2")); !errors.Is(err, ErrAmbiguous) || f.charged != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestStripeRefundsOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		faults []fault
		refund Refund
		steps  []Step
		keys   int
	}{
		"by reference":       {refund: Refund{ChargeReference: "pi_1"}, steps: []Step{Settle}, keys: 1},
		"by our ID":          {refund: Refund{ChargeID: "c-1"}, steps: []Step{Settle}, keys: 1},
		"cut off":            {faults: []fault{cutOff}, refund: Refund{ChargeID: "c-1", ChargeReference: "pi_1"}, steps: []Step{Lookup, Settle}, keys: 1},
		"cut off, by our ID": {faults: []fault{cutOff}, refund: Refund{ChargeID: "c-1"}, steps: []Step{Lookup, Settle}, keys: 1},
		"500 before":         {faults: []fault{answering(500, refusal("api_error", ""))}, refund: Refund{ChargeReference: "pi_1"}, steps: []Step{Lookup, Settle}, keys: 2},
	} {
		f := newFake(t)
		s := f.client(t)
		if _, err := s.Charge(t.Context(), card("c-1", "pm_1")); err != nil {
			t.Fatal(err)
		}
		f.keys, f.faults = nil, c.faults
		c.refund.ID, c.refund.Amount, c.refund.Currency = "r-1", 50, "EUR"
		for attempt, want := range c.steps {
			r, err := PerformRefund(t.Context(), s, c.refund, attempt+1)
			if got := Next(r, err, attempt+1); got != want {
				t.Errorf("%s: %s after %+v, %v", name, got, r, err)
			}
			if wanted := (Result{Outcome: Succeeded, Reference: "re_1"}); want == Settle && r != wanted {
				t.Errorf("%s: %+v", name, r)
			}
		}
		if diff := cmp.Diff(slices.Repeat([]string{"r-1"}, c.keys), f.keys); diff != "" || len(f.refunds) != 1 {
			t.Errorf("%s: %d refunds, keys %s", name, len(f.refunds), diff)
		}
	}
}

func TestStripeRefundOfNothing(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	s := f.client(t)
	refund := Refund{ID: "r-1", ChargeID: "c-1", Amount: 1, Currency: "EUR"}
	r, err := s.Refund(t.Context(), refund)
	if err != nil || r.Outcome != Failed || r.Code != "charge_not_found" || !r.Retryable || len(f.keys) > 0 {
		t.Errorf("%+v, %v", r, err)
	}
	if _, found, err := s.LookupRefund(t.Context(), refund); found || err != nil {
		t.Errorf("%v, %v", found, err)
	}
}

// TestStripeFindsTheOneThatMovesMoney is for a charge that was repeated after
// Stripe had forgotten its key.
func TestStripeFindsTheOneThatMovesMoney(t *testing.T) {
	t.Parallel()
	f := newFake(t)
	for i, status := range []string{"canceled", "requires_action", "succeeded", "processing", "requires_confirmation"} {
		f.intents = append(f.intents, map[string]any{
			"id": fmt.Sprintf("pi_%d", i+1), "object": "payment_intent", "status": status, "metadata": map[string]any{chargeKey: "c-1"},
		})
	}
	s := f.client(t)
	for left, want := range map[int]Result{5: {Outcome: Succeeded, Reference: "pi_3"}, 1: {
		Outcome: Failed, Reference: "pi_1", Code: "canceled", Message: "The payment was cancelled at the processor.",
	}} {
		f.mu.Lock()
		all := f.intents
		f.intents = all[:left]
		f.mu.Unlock()
		if r, found, err := s.Lookup(t.Context(), "c-1"); !found || err != nil || r != want {
			t.Errorf("of %d: %+v, %v, %v", left, r, found, err)
		}
		f.mu.Lock()
		f.intents = all
		f.mu.Unlock()
	}
}

func TestStripeConfig(t *testing.T) {
	t.Parallel()
	for _, c := range []StripeConfig{
		{}, {Key: " "}, {Key: "pk_test_x"}, {Key: fakeKey, BaseURL: "api.stripe.com"}, {Key: fakeKey, BaseURL: "ftp://x"},
		{Key: fakeKey, BaseURL: "http://x\x7f"},
	} {
		if _, err := NewStripe(c); err == nil || strings.Contains(err.Error(), fakeKey) {
			t.Errorf("%s: %v", c, err)
		}
	}
	c := StripeConfig{Key: fakeKey}
	s, err := NewStripe(c)
	if err != nil || s.timeout != defaultTimeout {
		t.Errorf("%v", err)
	}
	var text, object bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("x", "config", c)
	slog.New(slog.NewJSONHandler(&object, nil)).Info("x", "config", c)
	for _, told := range []string{fmt.Sprintf("%v %+v %#v %s", c, c, c, c), text.String(), object.String()} {
		if strings.Contains(told, fakeKey) {
			t.Errorf("tells the key: %s", told)
		}
	}
}

func TestStripeAmounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		currency     string
		ours, theirs int64
	}{
		{"EUR", 1250, 1250}, {"JPY", 1250, 1250}, {"XOF", 1, 1}, {"RWF", 7, 7}, {"TND", 1250, 1250}, {"ISK", 5, 500}, {"UGX", 5, 500}, {"HUF", 1250, 1250},
	} {
		if got, err := toStripe(c.ours, c.currency); err != nil || got != c.theirs {
			t.Errorf("%d %s: %d, %v", c.ours, c.currency, got, err)
		}
	}
	for currency, amount := range map[string]int64{"TND": 1251, "ISK": 1 << 62, "XXX": 1} {
		if got, err := toStripe(amount, currency); err == nil {
			t.Errorf("%d %s became %d", amount, currency, got)
		}
	}
	if got, err := fromStripe(550, "ISK"); err == nil {
		t.Errorf("five and a half krónur are %d", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		currency := rapid.SampledFrom([]string{"EUR", "JPY", "TND", "ISK", "UGX"}).Draw(t, "currency")
		amount := rapid.Int64Min(1).Draw(t, "amount")
		theirs, err := toStripe(amount, currency)
		if err != nil {
			return
		}
		if back, err := fromStripe(theirs, currency); err != nil || back != amount {
			t.Fatalf("%d %s became %d and came back as %d, %v", amount, currency, theirs, back, err)
		}
	})
}
