package deferred

import (
	"context"
	"errors"
	"time"

	"tradecredit/internal/credit"
	"tradecredit/internal/db"
	"tradecredit/internal/event"
	"tradecredit/internal/job"
	"tradecredit/internal/merchant"
	"tradecredit/internal/order"
)

// TimeoutKind is the kind of the due row that rejects a payment whose buyer did
// not pay the upfront part, or did not send what was asked for.
const TimeoutKind = "deferred_payment.timeout"

// entered does what follows from the status a payment has come into before
// anything was captured.
func (s *Service) entered(ctx context.Context, tx *db.Tx, m merchant.Merchant, p Payment, now time.Time) error {
	job.Cancel(tx, m.ID, TimeoutKind, p.ID)
	switch p.Status {
	case StatusCustomerActionRequired:
		timeout(tx, m, p, now.AddDate(0, 0, int(m.Settings.CustomerActionDays)))
	case StatusPendingPayment:
		timeout(tx, m, p, now.AddDate(0, 0, int(m.Settings.UpfrontDays)))
	case StatusAccepted:
		if days := m.Settings.ExpiryDays; days != nil {
			at := p.Created.AddDate(0, 0, int(*days))
			job.Schedule(tx, job.Due{MerchantID: m.ID, Kind: ExpiryKind, ObjectID: p.ID, At: at}, m.Offset)
		}
		if err := order.SetStatus(ctx, tx, m, p.OrderID, OrderStatus(p.State), now); err != nil {
			return err
		}
	}
	if s.Entered == nil {
		return nil
	}
	return s.Entered(ctx, tx, m, p, now)
}

func timeout(tx *db.Tx, m merchant.Merchant, p Payment, at time.Time) {
	job.Schedule(tx, job.Due{MerchantID: m.ID, Kind: TimeoutKind, ObjectID: p.ID, At: at}, m.Offset)
}

// TimeOut is what is due when a payment has waited too long for its buyer: it is
// rejected, and the limit is free again.
func (s *Service) TimeOut(ctx context.Context, tx *db.Tx, d job.Due) error {
	m, err := merchant.Get(ctx, tx, d.MerchantID)
	if err != nil {
		return err
	}
	p, err := s.LockBehindOrder(ctx, tx, d.MerchantID, d.ObjectID)
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	switch p.Status {
	case StatusCustomerActionRequired:
		_, err = s.reject(ctx, tx, m, p, RejectedCustomerActionTimeout, d.Now)
	case StatusPendingPayment:
		_, err = s.reject(ctx, tx, m, p, RejectedPaymentFailed, d.Now)
	}
	return err
}

// LockBehindOrder locks a payment behind its order, as everywhere where both
// change. It returns db.ErrNoRows for a payment the merchant does not have.
func (s *Service) LockBehindOrder(ctx context.Context, tx *db.Tx, merchantID, paymentID string) (Payment, error) {
	p, err := Get(ctx, tx, merchantID, paymentID)
	if err != nil {
		return p, err
	}
	if _, err := order.Lock(ctx, tx, merchantID, p.OrderID); err != nil {
		return p, err
	}
	return Lock(ctx, tx, merchantID, paymentID)
}

// reject ends a locked payment that was not accepted yet, and says of its plan why
// it came to nothing.
func (s *Service) reject(ctx context.Context, tx *db.Tx, m merchant.Merchant, p Payment, code string, now time.Time) (Payment, error) {
	before := p
	state, err := Review(p.State, StatusRejected)
	if err != nil {
		return p, Refusal(err)
	}
	p.State, p.RejectionCode = state, code
	if err := s.declinePlan(ctx, tx, m, p, now); err != nil {
		return p, err
	}
	return p, s.decided(ctx, tx, m, before, p, now)
}

// decided stores a new status, moves the limit, and does what follows.
func (s *Service) decided(ctx context.Context, tx *db.Tx, m merchant.Merchant, before, after Payment, now time.Time) error {
	tx.Queue(updateDecided, after.MerchantID, after.ID, string(after.Status), after.RejectionCode)
	credit.Move(tx, moved(before, after))
	event.Append(tx, happened(after, "status_changed", now))
	if err := s.entered(ctx, tx, m, after, now); err != nil || s.Decided == nil {
		return err
	}
	return s.Decided(ctx, tx, m, before, after, now)
}
