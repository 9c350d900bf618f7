package repayment

import "time"

// The types of a repayment.
const (
	TypePayment = "payment"
	// TypeCustomerRefund is money that goes back to the buyer.
	TypeCustomerRefund = "customer_refund"
)

// The states of a repayment.
const (
	StatusPending = "pending"
	StatusSettled = "settled"
	StatusFailed  = "failed"
	// StatusReturned is a payment that was settled and taken back by the buyer or
	// the bank: a chargeback.
	StatusReturned = "returned"
)

// MethodBankTransfer is the way in which an invoice is paid; the others are the
// payment methods of plans.
const MethodBankTransfer = "bank_transfer"

// Repayment is money that came from a buyer or went back to it, or was asked for.
type Repayment struct {
	MerchantID     string
	ID             string
	PaymentID      string // the deferred payment
	OrganisationID string
	Type           string
	Method         string
	Status         string
	Currency       string
	Amount         int64 // minor units
	// Applied is the part of it that paid a debt, or paid money back; the rest of
	// a payment became the buyer's credit.
	Applied int64
	// DueDate is the due date it was asked for, "" when nobody asked.
	DueDate string
	// Attempt numbers the attempts to collect what was due on that date.
	Attempt int64
	// ChargeID is, of a customer refund, the payment that is given back.
	ChargeID string
	// Reference is the provider's or the bank's, Code and Message why it failed.
	Reference, Code, Message string
	// Origin says who reported it: sandbox, processor, bank, statement, operator.
	Origin  string
	Created time.Time
	Settled *time.Time
}

// The states of how a deferred payment is repaid.
const (
	StateOpen = "open"
	StateLate = "late"
	// StateClosed is when nothing is owed and nothing can come to be owed.
	StateClosed = "closed"
)

// State is what is known of how a deferred payment is repaid, beside its figures.
// Dates are texts such as 2026-11-20, "" for none.
type State struct {
	MerchantID     string
	PaymentID      string
	OrganisationID string
	// CompanyID is only known of a new one.
	CompanyID string
	Currency  string
	// Method and Token are what is charged when something falls due.
	Method, Token string
	Status        string
	// NextDate is the due date of the oldest part that is not paid, as of the last
	// look; LateSince the due date that passed first without payment.
	NextDate, LateSince string
	// Attempts counts failed attempts to collect what is due; RetryOn is the day of
	// the next one.
	Attempts int64
	RetryOn  string
	// Collecting is the ID of the repayment whose outcome is not known yet.
	Collecting string
	// DunnedFor and DunnedDay are the due date of the last reminder and its day,
	// counted from that date.
	DunnedFor string
	DunnedDay int64
	// PausedUntil is until when nothing is collected and nobody is written to;
	// PromisedOn is the day on which the buyer said it would pay PromisedAmount.
	PausedUntil    string
	PromisedOn     string
	PromisedAmount int64
	// Disputed is set while the buyer contests the debt: it is left alone.
	Disputed bool
}
