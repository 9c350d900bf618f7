package deferred

import (
	"time"

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
	AccountMerchantPayable = "merchant_payable"
	AccountCustomerFees    = "customer_fees"
	AccountClawback        = "clawback"
)

// ReceivableAccount is what the members of an organisation owe.
func ReceivableAccount(organisationID string) string { return "buyer_receivable:" + organisationID }

// Book is the ledger transaction of an event: what is captured is owed by the
// buyer and to the merchant, the customer fee is owed by the buyer and earned,
// and a clawback is taken from what is owed to the merchant.
func Book(p Payment, e Entry) ledger.Transaction {
	captured := e.Changes.ProtectedCaptures + e.Changes.UnprotectedCaptures
	fee := e.CustomerFee.Captures
	return ledger.Transaction{
		MerchantID: p.MerchantID, ID: e.ID, ObjectID: p.ID, Currency: p.Currency, At: e.Created,
		Entries: []ledger.Entry{
			{Account: ReceivableAccount(p.OrganisationID), Amount: captured + e.Changes.Clawback + fee},
			{Account: AccountMerchantPayable, Amount: -captured},
			{Account: AccountClawback, Amount: -e.Changes.Clawback},
			{Account: AccountCustomerFees, Amount: -fee},
		},
	}
}

// Booked is the balances of the ledger that follow from a state, by account. They are what the
// transactions of all its events must sum to.
func Booked(p Payment) map[string]int64 {
	captured := p.ProtectedCaptures + p.UnprotectedCaptures
	return map[string]int64{
		ReceivableAccount(p.OrganisationID): captured + p.Clawback + p.CustomerFee.Captures,
		AccountMerchantPayable:              -captured,
		AccountClawback:                     -p.Clawback,
		AccountCustomerFees:                 -p.CustomerFee.Captures,
	}
}
