// Package pay renders the hosted plan page at /plans/{ppln}: plain view models in, HTML out. It knows no service and
// no database; the HTTP handler fills a Page and calls Renderer.Render.
package pay

import "time"

// State names one form of the page. Every state has one heading, one explanation and at most one main action.
type State string

// The states of the page.
const (
	Offered          State = "offered"                  // plans to choose from, some of them perhaps declined
	Declined         State = "declined"                 // no plan of the offer is available
	Expired          State = "expired"                  // the offer is past its valid_until
	Cancelled        State = "cancelled"                // the seller withdrew the offer
	OrderChanged     State = "order_changed"            // the order changed, so the offer expired
	AlreadyConfirmed State = "already_confirmed"        // the order has a deferred payment already
	UnknownLink      State = "unknown_link"             // no such plan; answer it with 404 and show nothing of anybody
	Accepted         State = "accepted"                 // result: deferred payment accepted
	PendingReview    State = "pending_review"           // result: a person looks at it
	ActionRequired   State = "customer_action_required" // result: the buyer must send something
	PendingPayment   State = "pending_payment"          // result: waiting for the upfront part by bank transfer
	Rejected         State = "rejected"                 // result: refused
	Failure          State = "failure"                  // something broke; nothing is confirmed
)

// Page is everything one rendering needs. Which parts must be filled depends on State; Render says what is missing.
// All text may come from strangers: it is escaped, and URLs other than http, https and mailto are made harmless.
type Page struct {
	State     State
	Locale    string // RFC 1766, such as "en-gb"; a language without copy is shown in English
	TestMode  bool   // shows the test banner
	Now       time.Time
	Seller    Seller
	Lender    Lender
	Company   string   // the buyer's company
	Order     *Order   // nil only for UnknownLink and Failure
	Plans     []Plan   // Offered: all plans of the offer in the merchant's order
	Form      Form     // Offered
	Upload    *Upload  // ActionRequired: nil when files are sent in another way
	Received  []string // PendingReview: names of the files that the buyer has sent
	Reason    *Reason
	SoftCheck bool         // the data provider confirms that its check leaves no trace in the company's credit file
	NextSteps []string     // credit_actions of the contract, for Declined and Rejected
	Change    *OrderChange // OrderChanged
	Result    *Result      // Accepted, PendingReview, ActionRequired, PendingPayment, AlreadyConfirmed
	Links     Links
	RequestID string // Failure
}

// Seller is the merchant as buyers know it.
type Seller struct {
	Name string
}

// Lender is who gives the credit and answers questions, shown at the foot of every page.
type Lender struct {
	Name          string
	Register      string // register and number, as a phrase
	HelpEmail     string
	HelpPhone     string
	TermsURL      string
	PrivacyURL    string
	ComplaintsURL string
}

// Links are where the buttons lead. An empty link leaves its button out.
type Links struct {
	Self          string // the page's own address, for "Try again"
	Success       string
	Failure       string // the shop's page for paying in another way
	Cancel        string
	NewOffer      string
	MerchantTerms string
}

// Order is what is bought. Amounts are in minor units of Currency and include tax.
type Order struct {
	Reference string
	PONumber  string
	Currency  string // ISO 4217
	Total     int64
	Tax       int64 // shown when above zero
	Items     []Item
	Delivery  string // one line; empty when the order has none
}

// Item is one line of the order; discounts have a negative Total.
type Item struct {
	Description string
	Quantity    string // a decimal as the merchant sent it; empty is not shown
	Total       int64
}

// RelativeTo is the event from which due dates count, named as payment_terms_relative_to in the contract.
type RelativeTo string

// The events due dates count from.
const (
	OrderCreation RelativeTo = "order_creation"
	FirstCapture  RelativeTo = "first_capture"
	EveryCapture  RelativeTo = "every_capture"
)

// Method is a payment method, named as in the contract.
type Method string

// The payment methods.
const (
	Invoice     Method = "invoice"
	DirectDebit Method = "direct_debit"
	Card        Method = "card"
)

// Plan is one payment plan of the offer. Amounts are in minor units of the order's currency.
type Plan struct {
	ID              string
	Title           string // empty: a title is made from the schedule, which is what buyers understand best
	RelativeTo      RelativeTo
	Instalments     []Instalment // in order of their due dates; what the buyer pays, fee and discount included
	Fee             int64        // contained in the instalments
	FeePercent      string       // decimal string such as "1.20"
	Discount        int64
	DiscountPercent string
	Methods         []Method // what the buyer may choose from
	ValidUntil      time.Time
	Declined        *Reason // not nil: the plan is shown, disabled, with this reason
}

// Instalment is one scheduled payment.
type Instalment struct {
	Date        time.Time // UTC date; a forecast unless due dates count from the order's creation
	Amount      int64
	Upfront     bool // paid at confirmation
	AfterDays   *int // due_after_nb_days
	EndOfMonths *int // due_end_of_nb_months
}

// Reason is a rejection_reason of the contract. Buyers see it through buyerReason only.
type Reason struct {
	Code   string
	Detail string
	Params map[string]string
}

// OrderChange says how an order differs from the one the offer was made for, in minor units. Zeroes say nothing
// about the amounts.
type OrderChange struct {
	OldTotal, NewTotal int64
}

// Result is the deferred payment as the buyer sees it.
type Result struct {
	Status   string // deferred payment status of the contract
	Number   string // P-XXXX-XXXX
	Plan     *Plan
	Method   Method
	Email    string // where mail about it goes; empty when none is sent
	Tasks    []Task
	Transfer *Transfer
}

// Task is one thing the buyer must send.
type Task struct {
	Kind  string // bank_statements, financial_statements, proof_of_identity, director_confirmation, company_details; others are "another document"
	State TaskState
	URL   string // where to send it; empty when by e-mail
}

// TaskState is how far a task is.
type TaskState string

// The states of a task.
const (
	TaskToDo     TaskState = "to_do"
	TaskSent     TaskState = "sent"
	TaskAccepted TaskState = "accepted"
)

// Transfer is the bank transfer that starts an order, amount in minor units. Empty lines are left out.
type Transfer struct {
	Amount        int64
	AccountName   string
	SortCode      string
	AccountNumber string
	IBAN          string
	BIC           string
	Reference     string
}
