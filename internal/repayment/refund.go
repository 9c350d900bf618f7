package repayment

import (
	"context"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/id"
	"tradecredit/internal/ledger"
	"tradecredit/internal/merchant"
	"tradecredit/internal/processor"
)

// Repaid is what a deferred payment's repayments have paid of it, less what was
// given back.
func Repaid(all []Repayment) (sum int64) {
	for _, r := range all {
		switch {
		case r.Type == TypePayment && (r.Status == StatusSettled || r.Status == StatusReturned):
			sum += r.Applied
		case r.Type == TypeCustomerRefund && r.Status == StatusSettled:
			sum -= r.Applied
		}
	}
	return sum
}

// Back is a part of a payment that goes back to the buyer, the way it came.
type Back struct {
	Charge Repayment
	Amount int64
}

// GiveBack spreads an amount over the payments it came with, the newest first: what
// was paid last was paid too much. A payment gives back no more than it brought
// and has not given back already. The rest, if any, is what no payment accounts
// for.
func GiveBack(all []Repayment, amount int64) (out []Back, rest int64) {
	gone := map[string]int64{}
	for _, r := range all {
		if r.Type == TypeCustomerRefund && r.Status != StatusFailed {
			gone[r.ChargeID] += r.Amount
		}
	}
	for i := len(all) - 1; i >= 0 && amount > 0; i-- {
		r := all[i]
		if r.Type != TypePayment || r.Status != StatusSettled {
			continue
		}
		if part := min(amount, r.Applied-gone[r.ID]); part > 0 {
			out = append(out, Back{Charge: r, Amount: part})
			amount -= part
		}
	}
	return out, amount
}

// refundTooMuch gives back what the buyer has paid and cannot come to owe any
// more.
func (s *Service) refundTooMuch(ctx context.Context, tx *db.Tx, m merchant.Merchant, p deferred.Payment, now time.Time) error {
	if p.Refundable() == 0 {
		return nil
	}
	// Several events of a payment are committed together: what the first of them
	// gave back is not given back for the next one again.
	p, err := deferred.Lock(ctx, tx, m.ID, p.ID)
	if err != nil {
		return err
	}
	amount := p.Refundable()
	all, err := Of(ctx, tx, m.ID, p.ID)
	if err != nil {
		return err
	}
	for _, r := range all {
		if r.Type == TypeCustomerRefund && r.Status == StatusPending {
			amount -= r.Amount
		}
	}
	if amount <= 0 {
		return nil
	}
	parts, _ := GiveBack(all, amount)
	for _, part := range parts {
		r := Repayment{
			MerchantID: m.ID, ID: id.New(id.Repayment), PaymentID: p.ID, OrganisationID: p.OrganisationID,
			Type: TypeCustomerRefund, Method: part.Charge.Method, Status: StatusPending, Currency: p.Currency,
			Amount: part.Amount, ChargeID: part.Charge.ID, Reference: part.Charge.Reference, Origin: part.Charge.Origin, Created: now,
		}
		insert(tx, r)
		if err := s.giveBack(ctx, tx, m, r, now); err != nil {
			return err
		}
	}
	return nil
}

// giveBack sends money back: at once in the sandbox, by a job where a processor
// took it, and with the next bank file otherwise.
func (s *Service) giveBack(ctx context.Context, tx *db.Tx, m merchant.Merchant, r Repayment, now time.Time) error {
	switch {
	case r.Origin == OriginCredit:
		if err := s.restore(ctx, tx, m.ID, r.Reference, r.ID, r.Amount, now); err != nil {
			return err
		}
		return s.refundOutcome(ctx, tx, m, r, processor.Result{Outcome: processor.Succeeded, Reference: r.Reference}, now)
	case s.Immediate:
		return s.refundOutcome(ctx, tx, m, r, processor.Result{Outcome: processor.Succeeded, Reference: "sandbox_" + r.ID}, now)
	case r.Origin == OriginProcessor:
		return s.enqueue(tx, RefundKind, r)
	}
	return nil
}

func refundOf(r Repayment) processor.Refund {
	return processor.Refund{ID: r.ID, ChargeID: r.ChargeID, ChargeReference: r.Reference, Amount: r.Amount, Currency: r.Currency}
}

// refundOutcome stores what came of sending money back.
func (s *Service) refundOutcome(ctx context.Context, tx *db.Tx, m merchant.Merchant, r Repayment, result processor.Result, now time.Time) error {
	switch result.Outcome {
	case processor.Pending:
		return nil
	case processor.Succeeded:
		return s.refunded(ctx, tx, m, r, result.Reference, now)
	}
	p, err := s.Deferred.LockBehindOrder(ctx, tx, m.ID, r.PaymentID)
	if err != nil {
		return err
	}
	r.Status, r.Code, r.Message, r.Settled = StatusFailed, result.Code, result.Message, &now
	update(tx, r)
	return announce(tx, p, r, "deferred_payment.customer_refund_failed", now)
}

// refunded books money that went back to the buyer.
func (s *Service) refunded(ctx context.Context, tx *db.Tx, m merchant.Merchant, r Repayment, reference string, now time.Time) error {
	p, err := s.Deferred.LockBehindOrder(ctx, tx, m.ID, r.PaymentID)
	if err != nil {
		return err
	}
	r.Status, r.Applied, r.Reference, r.Settled = StatusSettled, min(r.Amount, p.Repaid), reference, &now
	update(tx, r)
	if lost := r.Amount - r.Applied; lost > 0 {
		// The payment was taken back while its refund was on the way.
		if err := ledger.Post(tx, lose(r, lost, now)); err != nil {
			return err
		}
	}
	if r.Applied > 0 {
		if p, err = s.Deferred.Settle(ctx, tx, m, deferred.Settlement{
			PaymentID: r.PaymentID, ID: id.New(id.Event), What: "customer_refund", Repaid: -r.Applied,
		}, now); err != nil {
			return err
		}
	}
	if err := s.notify(ctx, tx, m, p, r, NoticeRefunded, now); err != nil {
		return err
	}
	v, err := look(ctx, tx, m, p, now)
	if gone, err := missing(err); gone || err != nil {
		return err
	}
	v.note()
	return v.save(tx)
}
