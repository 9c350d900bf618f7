package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
)

// payment is what the demo looks at of a deferred payment.
type payment struct {
	ID, Number, Status string
	figures
}

// figures are the buckets of a deferred payment, in pence. Their sum stays the
// total of the order.
type figures struct {
	Authorisation int64 `json:"authorisation"`
	Protected     int64 `json:"protected_captures"`
	Unprotected   int64 `json:"unprotected_captures"`
	Refunds       int64 `json:"refunds"`
	Voided        int64 `json:"voided_authorisation"`
	Expired       int64 `json:"expired_authorisation"`
	Clawback      int64 `json:"clawback"`
}

// The amounts of the actions after the sale, in pence.
const (
	captured = 8000
	refunded = 1500
	voided   = 2500
	expired  = total - captured - voided
)

const paymentPath = "/v1/payment/deferred_payments/"

func (s *Shop) readPayment(ctx context.Context, id string) error {
	if id == "" {
		return fmt.Errorf("no deferred payment was named")
	}
	s.state.payment = payment{}
	_, err := s.call(ctx, http.MethodGet, paymentPath+id, nil, http.StatusOK, &s.state.payment)
	return err
}

// figures holds the deferred payment against the expected figures.
func (s *Shop) figures(want figures) error {
	return same("the deferred payment's figures", s.state.payment.figures, want)
}

// act makes a post-sale event twice under one idempotency key, as a shop does
// that did not see the first answer, and reads the deferred payment again.
func (s *Shop) act(ctx context.Context, action string, amount int64, want figures) ([]Fact, error) {
	id, key := s.state.payment.ID, rand.Text()
	path, body := paymentPath+id+"/"+action, object{"amount": amount}
	for _, replayed := range []string{"", "true"} {
		var made struct {
			Type   string
			Amount int64
		}
		h, err := s.call(ctx, http.MethodPost, path, body, http.StatusCreated, &made, "Idempotency-Key", key)
		if err != nil {
			return nil, err
		}
		if err := same("Idempotency-Replayed", h.Get("Idempotency-Replayed"), replayed); err != nil {
			return nil, err
		}
		if err := same("the amount of the event", made.Amount, amount); err != nil {
			return nil, err
		}
	}
	if err := s.readPayment(ctx, id); err != nil {
		return nil, err
	}
	p := s.state.payment
	facts := []Fact{{"amount", amount}, {"status", p.Status}, {"authorisation", p.Authorisation}, {"captures", p.Protected + p.Unprotected},
		{"refunds", p.Refunds}, {"voided_authorisation", p.Voided}}
	return facts, s.figures(want)
}

func (s *Shop) capture(ctx context.Context) (string, []Fact, error) {
	facts, err := s.act(ctx, "capture", captured, figures{Authorisation: total - captured, Protected: captured})
	return fmt.Sprintf("Part of the goods is shipped. The shop captures %s; the same request sent again, with the same key, changes nothing.", pounds(captured)), facts, err
}

func (s *Shop) refund(ctx context.Context) (string, []Fact, error) {
	facts, err := s.act(ctx, "refund", refunded, figures{Authorisation: total - captured, Protected: captured - refunded, Refunds: refunded})
	return fmt.Sprintf("A chair comes back. The shop refunds %s.", pounds(refunded)), facts, err
}

func (s *Shop) void(ctx context.Context) (string, []Fact, error) {
	facts, err := s.act(ctx, "void", voided, figures{Authorisation: total - captured - voided, Protected: captured - refunded, Refunds: refunded, Voided: voided})
	return fmt.Sprintf("Something is out of stock. The shop voids %s of what it has not captured.", pounds(voided)), facts, err
}

// days is how far the clock is moved: past the 28 days for which an
// authorisation is good.
const days = 29

func (s *Shop) moveClock(ctx context.Context) (string, []Fact, error) {
	var moved struct {
		Now string
		Ran map[string]int
	}
	_, err := s.call(ctx, http.MethodPost, "/v1/sandbox/clock", object{"advance_seconds": days * 24 * 3600}, http.StatusOK, &moved)
	if err != nil {
		return "", nil, err
	}
	if err := s.readPayment(ctx, s.state.payment.ID); err != nil {
		return "", nil, err
	}
	want := figures{Protected: captured - refunded, Refunds: refunded, Voided: voided, Expired: expired}
	return fmt.Sprintf("The sandbox clock moves on by %d days. After 28 days what was never captured, %s, expires by itself.", days, pounds(expired)),
		[]Fact{{"now", moved.Now}, {"ran", moved.Ran}, {"status", s.state.payment.Status}, {"expired_authorisation", expired}}, s.figures(want)
}
