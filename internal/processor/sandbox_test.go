package processor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
)

func card(id, token string) Charge {
	return Charge{ID: id, Amount: 1250, Currency: "EUR", Method: Card, Token: token}
}

func TestSandboxTokens(t *testing.T) {
	t.Parallel()
	s := NewSandbox(time.Hour)
	for token, want := range map[string]Outcome{
		"":                       Succeeded,
		"4242 4242 4242 4242":    Succeeded,
		"4242424242424242":       Succeeded,
		"tok_visa":               Succeeded,
		"pm_card_visa":           Succeeded,
		"4000 0000 0000 0002":    Declined,
		"4000000000000002":       Declined,
		"tok_chargeDeclined":     Declined,
		"pm_card_chargeDeclined": Declined,
		"4000 0000 0000 3220":    ActionRequired,
		"tok_processorError":     Failed,
	} {
		id := "c-" + fmt.Sprintf("%x", token)
		first, err := s.Charge(t.Context(), card(id, token))
		if err != nil || first.Outcome != want {
			t.Errorf("%q: %+v, %v", token, first, err)
		}
		if want == Declined && first.Code != "card_declined" || want == Failed && !first.Retryable {
			t.Errorf("%q: %+v", token, first)
		}
		again, err := s.Charge(t.Context(), card(id, token))
		if err != nil || again != first {
			t.Errorf("%q again: %+v, %v", token, again, err)
		}
		found, ok, err := s.Lookup(t.Context(), id)
		if err != nil || !ok || found != first {
			t.Errorf("%q, looked up: %+v, %v, %v", token, found, ok, err)
		}
		// Another node, or this one after a restart, answers the same.
		if other, err := NewSandbox(0).Charge(t.Context(), card(id, token)); err != nil || other != first {
			t.Errorf("%q elsewhere: %+v, %v", token, other, err)
		}
		if first.Reference != "" {
			if r, ok, _ := s.Lookup(t.Context(), first.Reference); !ok || r != first {
				t.Errorf("%q by reference: %+v, %v", token, r, ok)
			}
		}
	}
}

func TestSandboxMandates(t *testing.T) {
	t.Parallel()
	s := NewSandbox(0)
	for token, want := range map[string]Result{
		"":                  {Outcome: Succeeded, Reference: "sandbox_1"},
		"MANDATE-17":        {Outcome: Succeeded, Reference: "sandbox_2"},
		"4000000000000002":  {Outcome: Succeeded, Reference: "sandbox_3"},
		"mandate_fail_once": {Outcome: Declined, Reference: "sandbox_4", Code: "insufficient_funds", Message: "The account has insufficient funds."},
	} {
		c := Charge{ID: want.Reference[len("sandbox_"):], Amount: 1, Currency: "GBP", Method: DirectDebit, Token: token}
		if r, err := s.Charge(t.Context(), c); err != nil || r != want {
			t.Errorf("%q: %+v, %v", token, r, err)
		}
	}
}

func TestSandboxNeverAnswers(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, s := range []*Sandbox{NewSandbox(time.Hour), NewSandbox(0)} {
		r, err := s.Charge(ctx, card("x", "tok_timeout"))
		if !errors.Is(err, ErrAmbiguous) || r != (Result{}) {
			t.Errorf("%+v, %v", r, err)
		}
		if Next(r, err, 1) != Lookup {
			t.Errorf("then %s", Next(r, err, 1))
		}
		if r, found, err := s.Lookup(t.Context(), "x"); found || err != nil {
			t.Errorf("looked up: %+v, %v", r, err)
		}
		ctx = t.Context() // the second waits for nothing by itself
	}
}

func TestSandboxRefusesAnotherChargeWithTheSameID(t *testing.T) {
	t.Parallel()
	s := NewSandbox(0)
	if _, err := s.Charge(t.Context(), card("x", "tok_visa")); err != nil {
		t.Fatal(err)
	}
	other := card("x", "tok_visa")
	other.Amount++
	for _, c := range []Charge{other, card("x", "tok_chargeDeclined")} {
		if r, err := s.Charge(t.Context(), c); !errors.Is(err, ErrAmbiguous) {
			t.Errorf("%+v: %+v, %v", c, r, err)
		}
	}
	if r, found, _ := s.Lookup(t.Context(), "x"); !found || r.Outcome != Succeeded {
		t.Errorf("the first is now %+v", r)
	}
}

func TestSandboxRefunds(t *testing.T) {
	t.Parallel()
	s := NewSandbox(0)
	r := Refund{ID: "r", ChargeID: "c", Amount: 5, Currency: "EUR"}
	if _, found, err := s.LookupRefund(t.Context(), r); found || err != nil {
		t.Errorf("before: %v, %v", found, err)
	}
	want := Result{Outcome: Succeeded, Reference: "sandbox_r"}
	if got, err := s.Refund(t.Context(), r); got != want || err != nil {
		t.Errorf("%+v, %v", got, err)
	}
	if got, found, err := s.LookupRefund(t.Context(), r); got != want || !found || err != nil {
		t.Errorf("after: %+v, %v, %v", got, found, err)
	}
	if _, found, _ := s.Lookup(t.Context(), "r"); found {
		t.Error("a refund is no charge")
	}
}

// TestSandboxForgets keeps the memory of a sandbox flat, from many callers at
// once.
func TestSandboxForgets(t *testing.T) {
	t.Parallel()
	s := NewSandbox(0)
	var g sync.WaitGroup
	for caller := range 4 {
		g.Go(func() {
			for i := range sandboxMemory {
				if _, err := s.Charge(t.Context(), card(fmt.Sprintf("%d-%d", caller, i), "")); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	g.Wait()
	if len(s.charges.kept) != sandboxMemory || len(s.charges.ring) != sandboxMemory {
		t.Errorf("%d and %d remembered", len(s.charges.kept), len(s.charges.ring))
	}
	if _, err := s.Charge(t.Context(), card("last", "")); err != nil {
		t.Fatal(err)
	}
	if _, found, _ := s.Lookup(t.Context(), "last"); !found {
		t.Error("the last one is forgotten")
	}
}
