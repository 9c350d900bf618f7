package repayment

import (
	"context"
	"fmt"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/merchant"
	"tradecredit/internal/order"
)

// mostPause bounds pauses and promises, in days.
const mostPause = 366

const (
	selectStates db.SQL = `SELECT merchant_id, deferred_payment_id, organisation_id, currency, method, token, status,
		next_date, late_since, attempts, retry_on, collecting, dunned_for, dunned_day, paused_until, promised_on, promised_amount, disputed
		FROM repayment_states WHERE status = $1 AND (merchant_id, deferred_payment_id) > ($2, $3)
		ORDER BY merchant_id, deferred_payment_id LIMIT $4`
	selectStatesOf db.SQL = `SELECT merchant_id, deferred_payment_id, organisation_id, currency, method, token, status,
		next_date, late_since, attempts, retry_on, collecting, dunned_for, dunned_day, paused_until, promised_on, promised_amount, disputed
		FROM repayment_states WHERE status = $1 AND merchant_id = $2 AND deferred_payment_id > $3
		ORDER BY deferred_payment_id LIMIT $4`
)

// States returns up to limit states with a status, of all merchants, after one of
// them. They come by merchant and deferred payment.
func States(ctx context.Context, tx *db.Tx, status string, after State, limit int) ([]State, error) {
	return db.All(ctx, tx, selectStates, []any{status, after.MerchantID, after.PaymentID, limit}, scanState)
}

// StatesOf is States of one merchant.
func StatesOf(ctx context.Context, tx *db.Tx, merchantID, status, after string, limit int) ([]State, error) {
	return db.All(ctx, tx, selectStatesOf, []any{status, merchantID, after, limit}, scanState)
}

// Pause leaves the buyer alone until the end of a day: nothing is collected, and
// nobody is written to. It returns db.ErrNoRows when there is no such payment and a
// 400 for a day that is not ahead.
func (s *Service) Pause(ctx context.Context, tx *db.Tx, m merchant.Merchant, paymentID string, until, now time.Time) (State, error) {
	if err := ahead("until", until, now); err != nil {
		return State{}, err
	}
	return s.alter(ctx, tx, m, paymentID, now, "deferred_payment.collection_paused", func(state *State) error {
		state.PausedUntil = dateText(until)
		return nil
	})
}

// Resume ends a pause and a promise.
func (s *Service) Resume(ctx context.Context, tx *db.Tx, m merchant.Merchant, paymentID string, now time.Time) (State, error) {
	return s.alter(ctx, tx, m, paymentID, now, "deferred_payment.collection_resumed", func(state *State) error {
		if state.PausedUntil == "" && state.PromisedOn == "" {
			return apierr.Conflict("The collection of this deferred payment is not paused.")
		}
		state.PausedUntil, state.PromisedOn, state.PromisedAmount = "", "", 0
		return nil
	})
}

// Promise notes that the buyer said it will pay an amount by a day; zero is all
// that is outstanding then. Until then it is left alone. When less has come, the
// promise is broken: that is an event, and the collection goes on.
func (s *Service) Promise(ctx context.Context, tx *db.Tx, m merchant.Merchant, paymentID string, on time.Time, amount int64, now time.Time) (State, error) {
	if err := ahead("date", on, now); err != nil {
		return State{}, err
	}
	p, err := s.Deferred.LockBehindOrder(ctx, tx, m.ID, paymentID)
	if err != nil {
		return State{}, err
	}
	if amount == 0 {
		amount = p.Outstanding()
	}
	if amount < 1 || amount > p.Outstanding() {
		return State{}, apierr.Field("amount", fmt.Sprintf("Ensure this value is between 1 and %d.", p.Outstanding()))
	}
	return s.alter(ctx, tx, m, paymentID, now, "deferred_payment.payment_promised", func(state *State) error {
		state.PromisedOn, state.PromisedAmount = dateText(on), amount
		return nil
	})
}

func ahead(field string, d, now time.Time) error {
	switch today := day(now); {
	case !d.After(today):
		return apierr.Field(field, "Ensure this date is in the future.")
	case d.After(today.AddDate(0, 0, mostPause)):
		return apierr.Field(field, fmt.Sprintf("Ensure this date is at most %d days ahead.", mostPause))
	}
	return nil
}

// Dispute holds the collection of a payment until Undispute, and tells so by the
// status of the order. It returns a 409 when nothing is outstanding.
func (s *Service) Dispute(ctx context.Context, tx *db.Tx, m merchant.Merchant, paymentID string, now time.Time) (State, error) {
	p, err := s.Deferred.LockBehindOrder(ctx, tx, m.ID, paymentID)
	if err != nil {
		return State{}, err
	}
	if p.Outstanding() == 0 {
		return State{}, apierr.Conflict("Nothing is outstanding of this deferred payment.")
	}
	return s.alter(ctx, tx, m, paymentID, now, "deferred_payment.disputed", func(state *State) error {
		if state.Disputed {
			return apierr.Conflict("This deferred payment is disputed already.")
		}
		state.Disputed = true
		return nil
	})
}

// Undispute lets the collection go on. It returns a 409 when there is no dispute.
func (s *Service) Undispute(ctx context.Context, tx *db.Tx, m merchant.Merchant, paymentID string, now time.Time) (State, error) {
	p, err := s.Deferred.LockBehindOrder(ctx, tx, m.ID, paymentID)
	if err != nil {
		return State{}, err
	}
	state, err := s.alter(ctx, tx, m, paymentID, now, "deferred_payment.dispute_closed", func(state *State) error {
		if !state.Disputed {
			return apierr.Conflict("This deferred payment is not disputed.")
		}
		state.Disputed = false
		return nil
	})
	if err != nil {
		return state, err
	}
	if status := deferred.OrderStatus(p.State); status != "" {
		err = order.SetStatus(ctx, tx, m, p.OrderID, status, now)
	}
	return state, err
}

// disputed keeps the status of a disputed order, which payments would change; a
// debt that is gone ends the dispute.
func (v *view) disputed(ctx context.Context, tx *db.Tx) error {
	if !v.state.Disputed {
		return nil
	}
	if v.p.Outstanding() == 0 {
		v.state.Disputed = false
		if status := deferred.OrderStatus(v.p.State); status != "" {
			return order.SetStatus(ctx, tx, v.m, v.p.OrderID, status, v.now)
		}
		return nil
	}
	return order.SetStatus(ctx, tx, v.m, v.p.OrderID, order.StatusDisputed, v.now)
}

// alter changes the stored state of a payment and announces it.
func (s *Service) alter(ctx context.Context, tx *db.Tx, m merchant.Merchant, paymentID string, now time.Time, event string, change func(*State) error) (State, error) {
	p, err := s.Deferred.LockBehindOrder(ctx, tx, m.ID, paymentID)
	if err != nil {
		return State{}, err
	}
	v, err := look(ctx, tx, m, p, now)
	if err != nil {
		return State{}, err
	}
	if v.state.Status == StateClosed {
		return v.state, apierr.Conflict("Nothing is to be collected for this deferred payment any more.")
	}
	if err := change(&v.state); err != nil {
		return v.state, err
	}
	v.note()
	if err := v.disputed(ctx, tx); err != nil {
		return v.state, err
	}
	if err := v.save(tx); err != nil {
		return v.state, err
	}
	until := v.state.PausedUntil
	if v.state.PromisedOn != "" {
		until = v.state.PromisedOn
	}
	r := Repayment{
		Type: TypePayment, Method: v.state.Method, Status: v.state.Status, Amount: v.state.PromisedAmount, Currency: p.Currency, DueDate: until,
	}
	return v.state, announce(tx, p, r, event, now)
}

// paid notes what came of a promise.
func (state *State) paid(applied int64) {
	if state.PromisedOn == "" {
		return
	}
	if state.PromisedAmount -= applied; state.PromisedAmount <= 0 {
		state.PromisedOn, state.PromisedAmount = "", 0
	}
}
