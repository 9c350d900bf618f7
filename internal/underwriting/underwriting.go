// Package underwriting decides which orders are offered credit, up to which
// amount, and which accepted plans want a second look.
//
// The rules are data: a policy in a language of whole numbers and exact decimals
// (policy.go, expression.go), applied to facts (facts.go, gather.go). Every
// decision is kept with what it was made on (record.go), so that it can be made
// again, explained (explain.go) and compared with what another policy would have
// decided (replay.go).
package underwriting

import (
	"context"
	"time"

	"tradecredit/internal/company"
	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
)

// Buyer is what is known of who wants to buy. All of it may be missing.
type Buyer struct {
	CompanyID string
	Name      string
	Country   string
	Status    string
	LegalForm string
	// Incorporated is the day of incorporation, nil when it is unknown.
	Incorporated *time.Time
	// Limit is the credit limit in minor units of LimitCurrency, or of any currency
	// when that is empty; nil is the engine's default.
	Limit         *int64
	LimitCurrency string
	// RejectionCode, when set, is the reason for which this (sandbox) company is
	// always declined.
	RejectionCode string
	// RejectionParams fill its sentence, before what the engine knows itself.
	RejectionParams map[string]string
	// Email is the address of the user who orders.
	Email string

	// Number is the company's number in its own register, LEIs are its legal
	// entity identifiers.
	Number string
	LEIs   []string
	// The registered office.
	Address, Postcode, City string
	// Sectors are codes of the national classification.
	Sectors []string
	// Size is MICRO, SMALL, MEDIUM or LARGE.
	Size string
	// AccountsType is the kind of accounts last filed; AccountsMadeUpTo and
	// AccountsDue are dates (YYYY-MM-DD) of the latest ones and of the next.
	AccountsType, AccountsMadeUpTo, AccountsDue string
	Financials                                  *company.Financials
}

// Application is an order that asks for credit. Amounts are in minor units.
type Application struct {
	Merchant merchant.Merchant
	Buyer    Buyer
	Currency string
	Amount   int64
	// InUse is what the buyer's company has in use of its limit.
	InUse int64
	Now   time.Time

	// The objects that the decision is about. An application with a plan is one
	// for a plan that the buyer has accepted.
	OrganisationID, OrderID, OfferID, PlanID string
	Order                                    OrderTerms
	// Plans are those that might be offered, in the order of Assessment.Plans.
	Plans []PlanTerms
}

// Assessment is the decision on an application.
type Assessment struct {
	// Reason is why nothing is offered; nil when something is.
	Reason *Reason
	// Plans has, for each plan of the application, why it is not offered though
	// others may be; nil for those that are.
	Plans []*Reason
	// Limit is the buyer's limit, Available what is left of it.
	Limit     int64
	Available int64
	// OnlyFirst offers the first plan and declines the others.
	OnlyFirst bool
	// Bypassed is set when a sandbox pattern decided, so that no limit counts.
	Bypassed bool
	// Decision is the identifier of the record, dec-…; empty when none was kept.
	Decision string
}

// ReasonOf is why a plan is not offered: the reason for all of them, or its own.
func (a Assessment) ReasonOf(plan int) *Reason {
	if a.Reason == nil && plan < len(a.Plans) {
		return a.Plans[plan]
	}
	return a.Reason
}

// Outcome is the decision on a plan that a buyer has accepted. The values are
// statuses of deferred payments.
type Outcome string

// The outcomes.
const (
	Accepted               Outcome = "accepted"
	PendingReview          Outcome = "pending_review"
	CustomerActionRequired Outcome = "customer_action_required"
	Rejected               Outcome = "rejected"
)

// Engine is the seam behind which decisions are made.
type Engine interface {
	// Assess decides what an application is offered.
	Assess(ctx context.Context, tx *db.Tx, a Application) (Assessment, error)
	// Review decides on an accepted plan. code is the rejection code of a deferred
	// payment when it is rejected.
	Review(ctx context.Context, tx *db.Tx, a Application) (outcome Outcome, code string, err error)
}
