package underwriting

import (
	"context"
	"strings"
	"testing"
	"time"
)

func application(change func(*Application)) Application {
	year := time.Date(2018, 2, 20, 0, 0, 0, 0, time.UTC)
	a := Application{
		Buyer:    Buyer{Country: "GB", Status: "Active", Incorporated: &year, Email: "jo@shop.test"},
		Currency: "GBP", Amount: 10000, Now: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC),
	}
	if change != nil {
		change(&a)
	}
	return a
}

func TestApplications(t *testing.T) {
	t.Parallel()
	limit := int64(20000)
	young := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		change func(*Application)
		code   string
	}{
		"a usual order":          {nil, ""},
		"country":                {func(a *Application) { a.Buyer.Country = "BR" }, "buyer-country"},
		"status":                 {func(a *Application) { a.Buyer.Status = "Dissolved" }, "buyer-status"},
		"age":                    {func(a *Application) { a.Buyer.Incorporated = &young }, "buyer-too-young"},
		"currency":               {func(a *Application) { a.Currency = "XOF" }, "invoice-currency"},
		"size":                   {func(a *Application) { a.Amount = 50_000_001 }, "invoice-too-large"},
		"all of the limit":       {func(a *Application) { a.Buyer.Limit = &limit; a.Amount = 20000 }, ""},
		"more than the limit":    {func(a *Application) { a.Buyer.Limit = &limit; a.Amount = 20001 }, BuyerLimit},
		"more than is left":      {func(a *Application) { a.Buyer.Limit = &limit; a.InUse = 10001 }, BuyerLimit},
		"a marked company":       {func(a *Application) { a.Buyer.RejectionCode = "buyer-sector" }, "buyer-sector"},
		"the pattern is ignored": {func(a *Application) { a.Buyer.Email = "x+paymentplan_declined@shop.test" }, ""},
	} {
		got, err := NewRules().Assess(context.Background(), nil, application(c.change))
		if err != nil {
			t.Fatal(err)
		}
		code := ""
		if got.Reason != nil {
			code = got.Reason.Code
		}
		if code != c.code {
			t.Errorf("%s: %q, want %q", name, code, c.code)
		}
	}
}

func TestSandboxPatterns(t *testing.T) {
	t.Parallel()
	for email, want := range map[string]struct {
		declined, first bool
		outcome         Outcome
	}{
		"jo@shop.test":                                                   {false, false, Accepted},
		"a+paymentplan_offered@shop.test":                                {false, false, Accepted},
		"a_paymentplan_declined_dp_fraud_accepted@shop.test":             {true, false, Accepted},
		"a+paymentplan_partly_offered_dp_fraud_pending_review@shop.test": {false, true, PendingReview},
		"dp_fraud_customer_action_required_fatou@shop.test":              {false, false, CustomerActionRequired},
		"dp_fraud_rejected.paymentplan_offered@shop.test":                {false, false, Rejected},
		"dp_fraud_pending_review-dp_fraud_accepted@shop.test":            {false, false, Accepted},
		"paymentplan_partly_offered_paymentplan_declined@shop.test":      {true, false, Accepted},
	} {
		s := Sandbox{NewRules()}
		a := application(func(a *Application) { a.Buyer.Email = email })
		got, err := s.Assess(context.Background(), nil, a)
		if err != nil {
			t.Fatal(err)
		}
		outcome, _, err := s.Review(context.Background(), nil, a)
		if err != nil || (got.Reason != nil) != want.declined || got.OnlyFirst != want.first || outcome != want.outcome {
			t.Errorf("%s: %+v, %s, %v", email, got, outcome, err)
		}
	}
}

// TestEverySentenceIsFilled holds the parameters against the slots: no code may
// leave one open.
func TestEverySentenceIsFilled(t *testing.T) {
	t.Parallel()
	if len(Codes()) < 40 {
		t.Fatalf("%d codes", len(Codes()))
	}
	a := application(nil)
	for _, code := range Codes() {
		a.Buyer.RejectionCode = code
		r := NewReason(code, marked(a).Params)
		if r.Detail == "" || strings.ContainsAny(r.Detail, "{}") {
			t.Errorf("%s: %q", code, r.Detail)
		}
	}
}
