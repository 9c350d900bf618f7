package deferred

import (
	"context"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/credit"
	"tradecredit/internal/db"
	"tradecredit/internal/event"
	"tradecredit/internal/ledger"
	"tradecredit/internal/merchant"
	"tradecredit/internal/money"
	"tradecredit/internal/order"
)

// Settlement is money that came from the buyer or went back to it, or that was
// given up. Amounts are changes, in minor units.
type Settlement struct {
	PaymentID string
	// ID is that of the event in the log and of the transaction in the ledger: the
	// same settlement cannot be booked twice.
	ID string
	// What is the last part of the event's type: "repayment", "repayment_returned",
	// "customer_refund", "written_off".
	What       string
	Repaid     int64
	WrittenOff int64
}

// ApplySettlement is the state after money came or went, or why it cannot: no
// figure may fall below zero, no more may be paid than can come to be owed, and no
// more may be written off than is owed and unpaid.
func ApplySettlement(s State, repaid, writtenOff int64) (State, error) {
	var err error
	if s.Repaid, err = money.CheckedAdd(s.Repaid, repaid); err != nil {
		return s, err
	}
	if s.WrittenOff, err = money.CheckedAdd(s.WrittenOff, writtenOff); err != nil {
		return s, err
	}
	switch {
	case s.Repaid < 0:
		return s, &FieldError{Field: "amount", Sentence: "More can not be given back than was paid."}
	case s.WrittenOff < 0:
		return s, &FieldError{Field: "amount", Sentence: "More can not be recovered than was written off."}
	case repaid > 0 && s.Repaid > s.OwedAtMost():
		return s, &FieldError{Field: "amount", Sentence: "More can not be paid than is owed."}
	case writtenOff > 0 && s.WrittenOff > s.Unpaid():
		return s, &FieldError{Field: "amount", Sentence: "More can not be written off than is unpaid."}
	}
	if s.Status == StatusPendingPayment && s.Repaid >= s.Upfront {
		s.Status = StatusAccepted
	}
	return s, nil
}

// Settle books money that came or went: the payment, the ledger, the limits, the
// order's status and the log, all in tx. A payment that waits for its upfront part
// is accepted when that is complete. It returns db.ErrNoRows for a payment that
// does not exist and a 400 when the amount cannot be.
func (s *Service) Settle(ctx context.Context, tx *db.Tx, m merchant.Merchant, in Settlement, now time.Time) (Payment, error) {
	before, err := s.LockBehindOrder(ctx, tx, m.ID, in.PaymentID)
	if err != nil {
		return before, err
	}
	after := before
	if after.State, err = ApplySettlement(before.State, in.Repaid, in.WrittenOff); err != nil {
		return before, Refusal(err)
	}
	if in.Repaid > 0 && before.Status == StatusRejected {
		return before, apierr.Conflict("A deferred payment that is rejected can not be paid.")
	}
	tx.Queue(updateSettled, after.MerchantID, after.ID, after.Repaid, after.WrittenOff, string(after.Status), after.RejectionCode)
	if err := ledger.Post(tx, Book(before, after, in.ID, now)); err != nil {
		return before, err
	}
	credit.Move(tx, moved(before, after))
	e := happened(after, in.What, now)
	e.ID = in.ID
	event.Append(tx, e)
	if before.Status == StatusPendingPayment && after.Status == StatusAccepted {
		event.Append(tx, happened(after, "status_changed", now))
		if err := s.entered(ctx, tx, m, after, now); err != nil {
			return before, err
		}
		if s.Decided != nil {
			if err := s.Decided(ctx, tx, m, before, after, now); err != nil {
				return before, err
			}
		}
	}
	if status := OrderStatus(after.State); status != "" && status != OrderStatus(before.State) {
		if err := order.SetStatus(ctx, tx, m, after.OrderID, status, now); err != nil {
			return before, err
		}
	}
	if s.Follow == nil {
		return after, nil
	}
	return after, s.Follow(ctx, tx, []Happening{{Before: before, After: after, ID: in.ID, Kind: e.Type, Now: now}})
}

// SetInvoiced notes that the invoice of an order is there.
func SetInvoiced(tx *db.Tx, merchantID, orderID string) {
	tx.Queue(updateInvoiced, merchantID, orderID)
}
