// Package fraud decides on payment plans that buyers have accepted: whether the
// deferred payment is accepted, waits for a review or for papers of the buyer, or
// is rejected.
//
// The rules are data: a list of signals, each with its parameters and points
// (rules.go, signal.go). What they look at is gathered from the order, its buyer
// and what was seen of the same identifiers before, over all merchants
// (gather.go). Every decision is kept with what it was made on, without e-mail
// addresses, phone numbers or streets, so that it can be explained and made again
// with other rules (replay.go).
package fraud

import (
	"slices"
	"time"

	"tradecredit/internal/underwriting"
)

// The kinds of identifiers that are counted and compared.
const (
	OfCompany = "company"
	OfUser    = "user"
	OfEmail   = "email"
	OfDomain  = "email_domain"
	OfPhone   = "phone"
	OfAddress = "address"
)

// Kinds lists the kinds of identifiers.
func Kinds() []string { return []string{OfCompany, OfUser, OfEmail, OfDomain, OfPhone, OfAddress} }

// The lists, in the order in which they count.
const (
	ListDeny   = "deny"
	ListReview = "review"
	ListAllow  = "allow"
)

// Lists names the lists in the order in which they count.
func Lists() []string { return []string{ListDeny, ListReview, ListAllow} }

// Listed says that an identifier of the buyer stands on a list.
type Listed struct {
	List string `json:"list"`
	Of   string `json:"of"`
}

// Window is what was seen of an identifier in a time before the order.
type Window struct {
	// Attempted are all accepted plans that were decided on, Accepted those of them
	// that were let through.
	Attempted int64 `json:"attempted"`
	Accepted  int64 `json:"accepted"`
	// Amounts are those attempted, in minor units by currency.
	Amounts map[string]int64 `json:"amounts,omitempty"`
}

// Inputs are what a decision is made on. What is not known is empty.
type Inputs struct {
	Currency string `json:"currency"`
	Amount   int64  `json:"amount"`
	// Limit is the limit set for the company, in minor units of Currency; nil when
	// none is set.
	Limit *int64 `json:"limit,omitempty"`
	Guest bool   `json:"guest,omitempty"`

	CompanyCountry  string `json:"company_country,omitempty"`
	DeliveryCountry string `json:"delivery_country,omitempty"`
	InvoiceCountry  string `json:"invoice_country,omitempty"`
	// CallingCode is that of the phone number, "44"; empty when the number is
	// written as one within a country.
	CallingCode string `json:"calling_code,omitempty"`

	// Domain is that of the buyer's e-mail address, CompanyDomain that of the
	// address in the register, ColleagueDomains those of the organisation's other
	// users. NameFits tells whether the domain has a word of the company's name.
	Domain           string   `json:"domain,omitempty"`
	CompanyDomain    string   `json:"company_domain,omitempty"`
	ColleagueDomains []string `json:"colleague_domains,omitempty"`
	NameFits         bool     `json:"name_fits,omitempty"`

	// CompanyDays is the company's age, RegisteredDays for how long the user has
	// been registered with the merchant; nil when it is not known.
	CompanyDays    *int64 `json:"company_days,omitempty"`
	RegisteredDays *int64 `json:"registered_days,omitempty"`
	// Earlier are the organisation's deferred payments with the merchant before,
	// among its last orders.
	Earlier int64 `json:"earlier"`
	// Companies is for how many companies the user can order with the merchant.
	Companies int64 `json:"companies"`
	// Declined are the offers that were declined before, by window.
	Declined map[int64]int64 `json:"declined,omitempty"`

	// Seen is, by kind of identifier and hours, what was seen of it before. Only
	// what the rules of the time counted is there.
	Seen map[string]map[int64]Window `json:"seen,omitempty"`
	// Shared is, by kind, how many other companies were seen with the identifier. A
	// kind that the buyer did not show is not there.
	Shared map[string]int64 `json:"shared,omitempty"`
	Listed []Listed         `json:"listed,omitempty"`
}

// listed is the list that counts of those that the buyer stands on.
func (in Inputs) listed() string {
	for _, list := range Lists() {
		if slices.ContainsFunc(in.Listed, func(l Listed) bool { return l.List == list }) {
			return list
		}
	}
	return ""
}

// Fired is a signal that fired, with its points and what it saw.
type Fired struct {
	Name   string         `json:"name"`
	Signal string         `json:"signal"`
	Points int64          `json:"points"`
	Facts  map[string]any `json:"facts,omitempty"`
}

// Verdict is a decision.
type Verdict struct {
	Outcome underwriting.Outcome `json:"outcome"`
	// Score is the sum of the points of what fired.
	Score int64   `json:"score"`
	Fired []Fired `json:"fired"`
	// List decided when it is not empty.
	List string `json:"list,omitempty"`
	// Documents are the kinds that the buyer is asked for when customer_action_required.
	Documents []string `json:"documents,omitempty"`
	// Unseen are signals that look at something that nobody looked at when the
	// inputs were gathered. They do not fire.
	Unseen []string `json:"unseen,omitempty"`
}

// RejectionCode is the code of a deferred payment that is rejected.
const RejectionCode = "fraud"

// Decide applies the rules. It depends on its arguments alone.
func (r *Rules) Decide(in Inputs) Verdict {
	v := Verdict{Outcome: underwriting.Accepted, Fired: []Fired{}, List: in.listed()}
	for _, s := range r.Signals {
		found := kinds[s.Signal].look(r, s, in)
		switch {
		case found.unseen:
			v.Unseen = append(v.Unseen, s.Name)
		case found.fires:
			v.Fired = append(v.Fired, Fired{Name: s.Name, Signal: s.Signal, Points: s.Points, Facts: found.facts})
			v.Score += s.Points
			v.Documents = append(v.Documents, s.Documents...)
		}
	}
	v.Outcome = r.outcome(v.Score, v.List)
	if v.Outcome != underwriting.CustomerActionRequired {
		v.Documents = nil
		return v
	}
	if len(v.Documents) == 0 {
		v.Documents = slices.Clone(r.Documents)
	}
	slices.Sort(v.Documents)
	v.Documents = slices.Compact(v.Documents)
	return v
}

// outcome is what a score and a list come to.
func (r *Rules) outcome(score int64, list string) underwriting.Outcome {
	t := r.Thresholds
	switch {
	case list == ListDeny:
		return underwriting.Rejected
	case list == ListAllow:
		return underwriting.Accepted
	case score >= t.Rejected:
		return underwriting.Rejected
	case score >= t.PendingReview || list == ListReview:
		return underwriting.PendingReview
	case score >= t.CustomerActionRequired:
		return underwriting.CustomerActionRequired
	}
	return underwriting.Accepted
}

// Decision is a decision as it is kept. Amount is in minor units of Currency.
type Decision struct {
	ID           string    `json:"id"`
	Merchant     string    `json:"merchant"`
	Company      string    `json:"company"`
	Organisation string    `json:"organisation"`
	Order        string    `json:"order"`
	Plan         string    `json:"plan"`
	Rules        string    `json:"rules"`
	Amount       int64     `json:"amount"`
	Currency     string    `json:"currency"`
	Inputs       Inputs    `json:"inputs"`
	Verdict      Verdict   `json:"verdict"`
	DecidedAt    time.Time `json:"decided_at"`
}
