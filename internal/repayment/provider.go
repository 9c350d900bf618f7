package repayment

import (
	"context"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/id"
	"tradecredit/internal/merchant"
	"tradecredit/internal/processor"
)

const (
	insertEvent db.SQL = `INSERT INTO processor_events (id, type, created_at) VALUES ($1, $2, $3)
		ON CONFLICT (id) DO NOTHING`
	processedByID db.SQL = `SELECT ` + repaymentColumns + ` FROM repayments WHERE id = $1 AND origin = 'processor'`
	processedAs   db.SQL = `SELECT ` + repaymentColumns + ` FROM repayments
		WHERE reference = $1 AND origin = 'processor' AND type = 'payment' ORDER BY created_at, id`
)

// Take books what the processor reports, once however often it comes. It returns
// false for a report that was taken before or is about nothing of ours.
func (s *Service) Take(ctx context.Context, tx *db.Tx, e processor.Event) (bool, error) {
	n, err := tx.Exec(ctx, insertEvent, e.ID, e.Type, db.Micros(s.Clock.Now()))
	if err != nil || n == 0 || e.Kind == processor.Ignored {
		return false, err
	}
	var found Repayment
	switch {
	case e.RefundID != "":
		found, err = db.One(ctx, tx, processedByID, []any{e.RefundID}, scanRepayment)
	case e.RefundReference != "":
		return false, nil // made by hand at the processor's
	case e.ChargeID != "":
		found, err = db.One(ctx, tx, processedByID, []any{e.ChargeID}, scanRepayment)
	default:
		found, err = db.One(ctx, tx, processedAs, []any{e.ChargeReference}, scanRepayment)
	}
	if gone, err := missing(err); gone || err != nil {
		return false, err
	}
	m, err := merchant.Get(ctx, tx, found.MerchantID)
	if err != nil {
		return false, err
	}
	if _, err := s.Deferred.LockBehindOrder(ctx, tx, m.ID, found.PaymentID); err != nil {
		return false, err
	}
	r, err := Lock(ctx, tx, m.ID, found.ID)
	if err != nil {
		return false, err
	}
	return true, s.reported(ctx, tx, m, r, e, m.Now(s.Clock.Now()))
}

// reported books one report about a locked repayment. What came before the
// outcome was known, or in another order than it happened, ends up the same.
func (s *Service) reported(ctx context.Context, tx *db.Tx, m merchant.Merchant, r Repayment, e processor.Event, now time.Time) error {
	switch e.Kind {
	case processor.ChargeSucceeded:
		if r.Status == StatusPending || r.Status == StatusFailed {
			return s.outcome(ctx, tx, m, r, e.Result, now)
		}
	case processor.ChargeFailed:
		if r.Status == StatusPending {
			return s.outcome(ctx, tx, m, r, e.Result, now)
		}
	case processor.ChargeDisputed:
		return s.chargedBack(ctx, tx, m, r, e, now)
	case processor.DisputeWon:
		_, err := s.Record(ctx, tx, m, Report{
			PaymentID: r.PaymentID, Amount: e.Amount, Method: r.Method, Settled: true, Reference: e.DisputeReference, Origin: OriginProcessor,
		}, now)
		return err
	case processor.RefundDone:
		if r.Status == StatusPending || r.Status == StatusFailed {
			return s.refundOutcome(ctx, tx, m, r, e.Result, now)
		}
	case processor.RefundFailed:
		if r.Status == StatusPending {
			return s.refundOutcome(ctx, tx, m, r, e.Result, now)
		}
		if r.Status == StatusSettled {
			// It came back from the buyer's bank: the buyer is still owed it.
			r.ID = id.New(id.Event)
			return credit(tx, r, r.Amount, now)
		}
	}
	return nil
}

// chargedBack takes a payment back as far as the bank did.
func (s *Service) chargedBack(ctx context.Context, tx *db.Tx, m merchant.Merchant, r Repayment, e processor.Event, now time.Time) error {
	if r.Status != StatusSettled {
		return nil // of one dispute there are two reports
	}
	kept := r.Amount - e.Amount
	if _, err := s.Return(ctx, tx, m, r.ID, "chargeback", "The payment was disputed: "+e.Result.Code+".", now); err != nil {
		return err
	}
	if kept <= 0 {
		return nil
	}
	_, err := s.Record(ctx, tx, m, Report{
		PaymentID: r.PaymentID, Amount: kept, Method: r.Method, Settled: true, Reference: r.Reference, Origin: OriginProcessor,
	}, now)
	return err
}
