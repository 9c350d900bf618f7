// Package payout pays merchants: every change of a deferred payment's figures
// becomes an item, and a weekly run per merchant and currency makes a payout of
// the items that are due, of adjustments and fees.
//
// The rules stand in rules.go and timetable.go. follow.go makes items, run.go
// makes payouts, send.go brings them to the bank.
package payout

import (
	"time"

	"tradecredit/internal/bankfile"
	"tradecredit/internal/money"
)

// The types of items: what happened to the order.
const (
	Fulfillment  = "fulfillment"
	Cancellation = "cancellation"
	Return       = "return"
	Discount     = "discount"
	Reversal     = "reversal"
	Settlement   = "settlement"
	Chargeback   = "chargeback"
	OtherItem    = "other"
)

// The statuses of items.
const (
	StatusScheduled = "scheduled"
	StatusPaid      = "paid"
	StatusAwaiting  = "awaiting_document"
)

// State says how far a payout is. Merchants see those that are sent or paid.
type State string

// The states of payouts.
const (
	// Ready payouts wait for the file to the bank.
	Ready State = "ready"
	// Sent ones are in a file, and Paid ones the bank has carried out; nothing has
	// to be sent of a payout of zero.
	Sent State = "sent"
	Paid State = "paid"
	// Returned ones the bank could not carry out; their items wait for the next
	// payout.
	Returned State = "returned"
)

// The types of adjustments.
const (
	BalancingItem      = "balancing_item"
	MinimumFee         = "minimum_fee"
	CreditReviewFee    = "credit_review_fee"
	CarriedToNext      = "balance_carried_to_next_payout"
	CarriedFromLast    = "balance_carried_from_last_payout"
	FeeDiscount        = "fee_discount"
	FXFee              = "fx_fee"
	OtherAdjustment    = "other"
	structureNetOfFees = "net_of_fees"
)

// AdjustmentTypes are those that an operator may enter; balances are carried over
// by the runs alone.
var AdjustmentTypes = []string{BalancingItem, MinimumFee, CreditReviewFee, FeeDiscount, FXFee, OtherAdjustment}

// Accounts of the ledger that payouts move, besides those of deferred payments.
const (
	// AccountFees is what the lender has earned of merchants' fees.
	AccountFees = "merchant_fees"
	// AccountFeesOwed are fees that were not taken off a payout and are to be
	// invoiced.
	AccountFeesOwed = "merchant_fees_receivable"
	// AccountAdjustments is what adjustments cost the lender.
	AccountAdjustments = "payout_adjustments"
)

// Item is one change of what a merchant is to be paid. Amounts are in minor units.
type Item struct {
	MerchantID string
	ID         string
	PaymentID  string
	OrderID    string
	// EventN is the number of the post-sale event, 0 for money of the buyer's.
	EventN   int64
	Type     string
	Currency string
	// Amount is before Fees.
	Amount int64
	Fees   int64
	// Awaiting is whether the order's invoice is missing; it matters as long as the
	// merchant has to send one.
	Awaiting bool
	// Created is a date of the merchant, midnight UTC.
	Created time.Time
	// PayoutID is that of the payout which the item is part of, or "". PaidOn and
	// State are that payout's.
	PayoutID string
	PaidOn   time.Time
	State    State
}

// Paid tells whether the money of the item is on its way to the merchant.
func (i Item) Paid() bool { return i.State == Sent || i.State == Paid }

// Status is what a merchant is told. required is whether it has to send invoices.
func (i Item) Status(required bool) string {
	switch {
	case i.Paid():
		return StatusPaid
	case i.Awaiting && required && i.PayoutID == "":
		return StatusAwaiting
	}
	return StatusScheduled
}

// Adjustment raises or lowers a payout. Amounts are in minor units; Amount is
// NetAmount with tax.
type Adjustment struct {
	MerchantID string
	ID         string
	Type       string
	Currency   string
	NetAmount  int64
	TaxRate    money.Percent
	Amount     int64
	Note       string
	// CarriedBy is the payout that carried a balance over, or "".
	CarriedBy string
	// PayoutID is that of the payout which the adjustment is part of, or "".
	PayoutID string
	Created  time.Time
}

// Payout is one payment to a merchant. Amounts are in minor units.
type Payout struct {
	MerchantID string
	ID         string
	// Reference is for people and bank statements: TC-7WR2-PR6S.
	Reference string
	Currency  string
	// Date is midnight UTC of the merchant's day on which it was made.
	Date      time.Time
	State     State
	Structure string
	// Count is how many items are part of it.
	Count int64
	Figures
	Minimum Minimum
	// FileID is that of the file in which it was sent, or "".
	FileID string
	// Reason is why the bank returned it.
	Reason  string
	Created time.Time
}

// Account is where a merchant is paid in a currency, or from where the lender
// pays.
type Account struct {
	Currency string
	// Country is that of the bank; it decides on business days for currencies
	// without a calendar of their own.
	Country string
	bankfile.Account
}

// File is a file for the bank as it was made. Total is in minor units.
type File struct {
	ID       string
	Date     time.Time
	Currency string
	// N numbers the files of a day and currency from 1.
	N       int64
	Payouts int64
	Total   int64
	Content string
	Created time.Time
}

// dayOf counts the days since 1970 of the date that t has in UTC; dateOf is its
// inverse, at midnight UTC.
func dayOf(t time.Time) int64 { return t.UTC().Truncate(24*time.Hour).Unix() / 86400 }

func dateOf(day int64) time.Time { return time.Unix(day*86400, 0).UTC() }

// midnight is the beginning of the day of t in UTC.
func midnight(t time.Time) time.Time { return dateOf(dayOf(t)) }
