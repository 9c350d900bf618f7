package deferred

import (
	"context"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/ledger"
)

// Payment is a deferred payment as it is stored.
type Payment struct {
	State
	MerchantID string
	ID         string
	// Number is for people: P-7WR2-PR6S.
	Number         string
	OrderID        string
	PlanID         string
	OrganisationID string
	CompanyID      string
	Currency       string
	PaymentMethod  string
	// RejectionCode is set when the payment was rejected.
	RejectionCode string
	// Terms is what the plan's due dates count from (payment_terms_relative_to).
	Terms string
	// Invoiced is whether the order's invoice is there.
	Invoiced bool
	// EventCount is how many post-sale events there are; it numbers the next one.
	EventCount int64
	Created    time.Time
}

// Entry is a post-sale event as it is stored.
type Entry struct {
	Event
	MerchantID string
	PaymentID  string
	// N numbers the events of a payment from 1.
	N  int64
	ID string
	// Metadata is the merchant's, as JSON, unchanged.
	Metadata []byte
	Created  time.Time
}

// Accounts of the ledger that deferred payments move.
const (
	AccountMerchantPayable   = "merchant_payable"
	AccountCustomerFees      = "customer_fees"
	AccountCustomerDiscounts = "customer_discounts"
	AccountClawback          = "clawback"
	AccountCash              = "cash"
	AccountBadDebt           = "bad_debt"
)

// ReceivableAccount is what the members of an organisation owe.
func ReceivableAccount(organisationID string) string { return "buyer_receivable:" + organisationID }

// Booked is the balances of the ledger that follow from a state: what was captured
// is owed by the buyer and to the merchant, the customer fee is earned, the
// discount given, what was clawed back is owed to the merchant again as far as
// the buyer pays it, and what the buyer paid or will not pay is no receivable any
// more. They are what the transactions of the payment must sum to.
func Booked(p Payment) []ledger.Entry {
	return []ledger.Entry{
		{Account: ReceivableAccount(p.OrganisationID), Amount: p.Owed() - p.Repaid - p.WrittenOff},
		{Account: AccountMerchantPayable, Amount: -p.ForMerchant()},
		{Account: AccountClawback, Amount: p.PassedOn() - p.Clawback},
		{Account: AccountCustomerFees, Amount: -p.CustomerFee.Captures},
		{Account: AccountCustomerDiscounts, Amount: p.Discount()},
		{Account: AccountCash, Amount: p.Repaid},
		{Account: AccountBadDebt, Amount: p.WrittenOff},
	}
}

// Book is the ledger transaction of a change: the difference of what is booked
// after and before it. id is that of the event that made the change.
func Book(before, after Payment, id string, at time.Time) ledger.Transaction {
	entries := Booked(after)
	for i, e := range Booked(before) {
		entries[i].Amount -= e.Amount
	}
	return ledger.Transaction{
		MerchantID: after.MerchantID, ID: id, ObjectID: after.ID, Currency: after.Currency, At: at, Entries: entries,
	}
}

// Happening is a change of a payment's figures: a post-sale event, or money that
// came or went (then Entry has no Type).
type Happening struct {
	Before, After Payment
	Entry         Entry
	// ID and Kind are those of the event in the log.
	ID, Kind string
	Now      time.Time
}

// Follower does what follows from changes, in their transaction.
type Follower func(ctx context.Context, tx *db.Tx, happened []Happening) error
