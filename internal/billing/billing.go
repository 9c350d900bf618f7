// Package billing keeps billing accounts, and makes the statements of account of
// their buyers: what was captured, refunded and paid in a period, and one sum to
// pay by one transfer.
package billing

import (
	"math"
	"time"

	"tradecredit/internal/bankfile"
)

// Emails are where statements are sent.
type Emails struct {
	To []string `json:"to"`
	Cc []string `json:"cc"`
}

// Account is a billing account.
type Account struct {
	MerchantID string
	ID         string
	// Terms is the billing period (payment_terms): 7d, 14d or 1m.
	Terms         string
	Organisations []string
	Emails        Emails
	// Period numbers the period that is open, from 0.
	Period   int64
	Created  time.Time
	Modified time.Time
	// Deactivated is nil while the account is active.
	Deactivated *time.Time
}

// forever stands for the end of an account that is active, in microseconds.
const forever = math.MaxInt64

// Active tells whether statements go on being made.
func (a Account) Active() bool { return a.Deactivated == nil }

// Current is the period that is open.
func (a Account) Current() Period { return PeriodOf(a.Terms, a.Created, a.Period) }

// The states of a statement.
const (
	StatusOpen          = "open"
	StatusClosed        = "closed"
	StatusPartiallyPaid = "partially_paid"
	StatusPaid          = "paid"
	StatusOverdue       = "overdue"
)

// Statuses are the states of a statement in the order in which it comes into
// them.
var Statuses = []string{StatusOpen, StatusClosed, StatusPartiallyPaid, StatusPaid, StatusOverdue}

// Totals are the sums of a statement, in minor units. What the buyer owes more is
// above zero, what it owes less below.
type Totals struct {
	Opening     int64 `json:"opening"`
	Captures    int64 `json:"captures"`
	Refunds     int64 `json:"refunds"`
	Fees        int64 `json:"fees"`
	Discounts   int64 `json:"discounts"`
	Payments    int64 `json:"payments"`
	Adjustments int64 `json:"adjustments"`
	Closing     int64 `json:"closing"`
}

// Statement is a statement of account: one currency in one billing period of an
// account.
type Statement struct {
	MerchantID string
	ID         string
	AccountID  string
	Currency   string
	Period     Period
	Status     string
	// Number is for people, S-7WR2-PR6S; "" while the statement is open, like the
	// due date.
	Number  string
	DueDate string
	Totals
	// AmountDue is what is to be paid by one transfer, and Remaining what of it
	// still is, in minor units. It is the closing balance without what the buyer has
	// paid too much or in advance for some of its purchases: that is not set off
	// against others.
	AmountDue, Remaining int64
	// PDFHash and CSVHash are the SHA-256 of the files that were sent, in hex.
	PDFHash, CSVHash string
	Created          time.Time
	Closed           *time.Time
	// Document is what the files say beside figures and lines.
	Document Document
}

// Reference is what a transfer names to pay the statement: a creditor reference
// of ISO 11649 made of the number. It is "" while the statement is open.
func (s Statement) Reference() string {
	if s.Number == "" {
		return ""
	}
	return CreditorReference(s.Number)
}

// Document is what the files of a statement say beside figures and lines, as it
// was known when the statement was closed.
type Document struct {
	// Lender is who is paid, Merchant where was bought.
	Lender   string `json:"lender"`
	Register string `json:"register,omitempty"`
	Contact  string `json:"contact,omitempty"`
	Merchant string `json:"merchant"`
	// Buyers are the organisations of the account; the statement is addressed to
	// the first.
	Buyers []Buyer `json:"buyers"`
	// Bank is the account to pay to.
	Bank bankfile.Account `json:"bank"`
	// Orders are the merchant's identifiers of the orders, by ours.
	Orders map[string]string `json:"orders"`
}

// Buyer is an organisation with the name and address of its company.
type Buyer struct {
	OrganisationID string   `json:"organisation"`
	Name           string   `json:"name"`
	Address        []string `json:"address"`
}

// The kinds of lines.
const (
	KindCapture         = "capture"
	KindRefund          = "refund"
	KindFee             = "fee"
	KindDiscount        = "discount"
	KindPayment         = "payment"
	KindPaymentReturned = "payment_returned"
	KindCustomerRefund  = "customer_refund"
	KindAdjustment      = "adjustment"
	KindWriteOff        = "write_off"
)

// Line is one thing that changed what the buyer owes.
type Line struct {
	EventID        string
	Kind           string
	AccountID      string
	OrganisationID string
	PaymentID      string // the deferred payment
	Number         string // its number for people
	OrderID        string
	Currency       string
	// Amount is the change, in minor units: above zero when more is owed.
	Amount int64
	// DebtBefore and DebtAfter are what is owed of the deferred payment around the
	// event. An event may have several lines.
	DebtBefore, DebtAfter int64
	At                    time.Time
}

// Item is what a closed statement asks for of one deferred payment.
type Item struct {
	PaymentID string
	Number    string
	// Order is the merchant's identifier of the order.
	Order string
	// DueDate is the day on which the next part of it falls due as of the close,
	// "" for none.
	DueDate string
	// Balance is in minor units, below zero for what the buyer has paid too much.
	Balance int64
	// Paid is what was paid or given up since the close; it may be more than the
	// balance.
	Paid int64
}

// Open is what is still to be paid of an item, in minor units.
func (i Item) Open() int64 { return max(0, i.Balance-max(0, i.Paid)) }

// Open is how a deferred payment stands now.
type Open struct {
	// Outstanding is what is still expected of the buyer, in minor units.
	Outstanding int64
	// DueDate is when the next part falls due, "" when nothing does.
	DueDate string
}
