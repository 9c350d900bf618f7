package deferred

import (
	"errors"
	"fmt"
	"slices"
)

// Status is the state of a deferred payment.
type Status string

// Before the sale is final. Nothing can be captured, refunded or voided yet,
// or any more.
const (
	StatusPendingReview          Status = "pending_review"
	StatusCustomerActionRequired Status = "customer_action_required"
	StatusPendingPayment         Status = "pending_payment" // the upfront part has not arrived
	StatusRejected               Status = "rejected"
)

// After acceptance. The document calls those of the second block post-sale
// version v2, those of the third v1.
const (
	StatusAccepted Status = "accepted"

	StatusPartCaptured Status = "part_captured"
	StatusCaptured     Status = "captured"
	StatusRefunded     Status = "refunded"
	StatusVoided       Status = "voided"
	StatusExpired      Status = "expired"

	StatusPartFulfilled Status = "part_fulfilled"
	StatusFulfilled     Status = "fulfilled"
	StatusReversed      Status = "reversed"
	StatusCancelled     Status = "cancelled"
)

// Statuses returns every status.
func Statuses() []Status {
	return []Status{
		StatusAccepted, StatusPendingReview, StatusCustomerActionRequired, StatusRejected, StatusPendingPayment,
		StatusPartFulfilled, StatusFulfilled, StatusReversed, StatusCancelled,
		StatusPartCaptured, StatusCaptured, StatusRefunded, StatusVoided, StatusExpired,
	}
}

// Active reports whether the payment has been accepted, whatever happened to
// it since: only then there are post-sale actions.
func (s Status) Active() bool { return slices.Contains(Statuses(), s) && !s.early() }

func (s Status) early() bool {
	return s == StatusPendingReview || s == StatusCustomerActionRequired || s == StatusPendingPayment || s == StatusRejected
}

// Version says through which endpoints a deferred payment is handled: the
// first post-sale action of the merchant decides, for ever.
type Version string

// The post-sale versions.
const (
	VersionNone Version = ""   // no action of the merchant yet
	V1          Version = "v1" // legacy order endpoints: fulfill, cancel, return, discount
	V2          Version = "v2" // capture, refund, void
)

// name picks the status of a version; before the first action, v2 is assumed.
func (v Version) name(v1, v2 Status) Status {
	if v == V1 {
		return v1
	}
	return v2
}

// activeStatus works out the status of an accepted deferred payment. It
// depends on the balances alone: what has been captured leaves a trace in
// captures, refunds or clawback for ever. A clawback leaves the payment
// captured.
func activeStatus(b Balances, v Version) Status {
	owedByBuyer := b.ProtectedCaptures > 0 || b.UnprotectedCaptures > 0 || b.Clawback > 0
	everCaptured := owedByBuyer || b.Refunds > 0
	switch {
	case b.Authorisation > 0 && everCaptured:
		return v.name(StatusPartFulfilled, StatusPartCaptured)
	case b.Authorisation > 0:
		return StatusAccepted
	case owedByBuyer:
		return v.name(StatusFulfilled, StatusCaptured)
	case everCaptured:
		return v.name(StatusReversed, StatusRefunded)
	case b.ExpiredAuthorisation > 0:
		return v.name(StatusCancelled, StatusExpired)
	default:
		return v.name(StatusCancelled, StatusVoided)
	}
}

// ErrReview: a decision on a payment that none is due on.
var ErrReview = errors.New("deferred: not under review")

// Review returns the state after a decision on a payment that is
// pending_review, customer_action_required or pending_payment: accepted,
// rejected, or one of the first two again. Everything else is a
// *ConflictError with ErrReview (409). No figure changes: a rejected payment
// keeps its authorisation for the record, but can do nothing with it.
func Review(s State, outcome Status) (State, error) {
	open := s.Status.early() && s.Status != StatusRejected
	decided := outcome == StatusAccepted || outcome.early() && outcome != StatusPendingPayment
	if !open || !decided {
		return s, notReviewed(s.Status, outcome)
	}
	s.Status = outcome
	return s, nil
}

// notReviewed refuses a decision that is not due.
func notReviewed(status, outcome Status) error {
	detail := fmt.Sprintf("A deferred payment that is %s can not become %s.", status, outcome)
	return &ConflictError{Reason: ErrReview, Detail: detail}
}

// The codes of rejection_reason.
const (
	RejectedInsufficientFunds     = "insufficient_funds"
	RejectedFraud                 = "fraud"
	RejectedIdentityNotVerified   = "identity_not_verified"
	RejectedPaymentFailed         = "payment_failed"
	RejectedCreditLimitExceeded   = "credit_limit_exceeded"
	RejectedCustomerActionTimeout = "customer_action_timeout"
	RejectedOther                 = "other"
)

// RejectionDetail returns the English sentence of a rejection code, in the
// document's manner: "Insufficient funds". An unknown code reads as other.
func RejectionDetail(code string) string {
	switch code {
	case RejectedInsufficientFunds:
		return "Insufficient funds"
	case RejectedFraud:
		return "Suspected fraud"
	case RejectedIdentityNotVerified:
		return "Identity not verified"
	case RejectedPaymentFailed:
		return "Payment failed"
	case RejectedCreditLimitExceeded:
		return "Credit limit exceeded"
	case RejectedCustomerActionTimeout:
		return "The requested information was not provided in time"
	}
	return "Other"
}
