// Package underwriting decides which orders are offered credit, up to which
// amount, and which accepted plans want a second look.
package underwriting

import (
	"context"
	"strings"
	"time"

	"tradecredit/internal/country"
	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
)

// Buyer is what is known of who wants to buy.
type Buyer struct {
	CompanyID string
	Name      string
	Country   string
	Status    string
	LegalForm string
	// Incorporated is the day of incorporation, nil when it is unknown.
	Incorporated *time.Time
	// Limit is the credit limit in minor units of any currency; nil is the
	// engine's default.
	Limit *int64
	// RejectionCode, when set, is the reason for which this (sandbox) company is
	// always declined.
	RejectionCode string
	// RejectionParams fill its sentence, before what the engine knows itself.
	RejectionParams map[string]string
	// Email is the address of the user who orders.
	Email string
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
}

// Assessment is the decision on an application.
type Assessment struct {
	// Reason is why nothing is offered; nil when something is.
	Reason *Reason
	// Limit is the buyer's limit, Available what is left of it.
	Limit     int64
	Available int64
	// OnlyFirst offers the first plan and declines the others.
	OnlyFirst bool
	// Bypassed is set when a sandbox pattern decided, so that no limit counts.
	Bypassed bool
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

// Simple decides by the company alone: its country, status, age and limit.
type Simple struct {
	// DefaultLimit is the limit of a company of which nothing more is known, in
	// minor units.
	DefaultLimit int64
	// MinYears is how old a company must be.
	MinYears int
	// MaxAmount is the largest order that is decided automatically, in minor units.
	MaxAmount int64
	// Contact is the address shown when an order is too large.
	Contact string
}

// NewSimple returns the engine with its defaults.
func NewSimple() Simple {
	return Simple{DefaultLimit: 2_500_000, MinYears: 1, MaxAmount: 50_000_000, Contact: "support@tradecredit.invalid"}
}

// currencies are those in which orders are financed.
var currencies = map[string]bool{"GBP": true, "EUR": true, "USD": true}

// active are the statuses of companies that trade normally. The second is what
// some registries write.
var active = map[string]bool{"active": true, "act": true}

// Assess implements Engine.
func (e Simple) Assess(_ context.Context, _ *db.Tx, a Application) (Assessment, error) {
	limit := e.DefaultLimit
	if a.Buyer.Limit != nil {
		limit = *a.Buyer.Limit
	}
	out := Assessment{Limit: limit, Available: max(0, limit-a.InUse)}
	out.Reason = e.reason(a, out.Available)
	return out, nil
}

// reason is the first rule that speaks against an application.
func (e Simple) reason(a Application, available int64) *Reason {
	b := a.Buyer
	switch {
	case !country.IsBuyer(b.Country):
		return NewReason(BuyerCountry, map[string]any{"debtor_country": country.Name(b.Country)})
	case b.RejectionCode != "":
		return NewReason(b.RejectionCode, e.parameters(a))
	case !active[strings.ToLower(b.Status)]:
		return NewReason(BuyerStatus, map[string]any{"debtor_status": b.Status})
	case b.Incorporated != nil && b.Incorporated.AddDate(e.MinYears, 0, 0).After(a.Now):
		return NewReason(BuyerTooYoung, map[string]any{"MIN_CREATION_YEARS": e.MinYears})
	case !currencies[a.Currency]:
		return NewReason(InvoiceCurrency, map[string]any{"tx_currency": a.Currency})
	case a.Amount > e.MaxAmount:
		return NewReason(InvoiceTooLarge, map[string]any{"website_email": e.Contact})
	case a.Amount > available:
		return NewReason(BuyerLimit, nil)
	}
	return nil
}

// parameters fill the sentence of whatever code a sandbox company carries.
func (e Simple) parameters(a Application) map[string]any {
	params := map[string]any{
		"debtor_country": country.Name(a.Buyer.Country), "creditor_country": country.Name(a.Buyer.Country),
		"debtor_status": a.Buyer.Status, "creditor_status": a.Buyer.Status, "legal_form": a.Buyer.LegalForm,
		"MIN_CREATION_YEARS": e.MinYears, "MAX_ACCOUNTS_OVERDUE_MONTHS": 3, "MAX_AGE_LATEST_FINANCIALS": 730,
		"accounts_type": "Dormant", "creditor_accounts_type": "Dormant", "public_subdivision": "Jersey",
		"company_size": "micro", "platform_name": a.Merchant.Name, "customer_min_registration_days": 90,
		"OVERDUE_DAYS": 60, "max_term": "30 days", "tx_currency": a.Currency, "debtor_risk_appetite": "0.00",
		"future_dated_limit_days": 30, "today": a.Now.Format(time.DateOnly), "tx_due_date": a.Now.Format(time.DateOnly),
		"website_email": e.Contact, "credit_terms_days": 60, "MAX_CREDIT_TERMS_DAYS": 60,
	}
	for name, value := range a.Buyer.RejectionParams {
		params[name] = value
	}
	return params
}

// Review implements Engine: without a history there is nothing to suspect.
func (e Simple) Review(context.Context, *db.Tx, Application) (Outcome, string, error) {
	return Accepted, "", nil
}

// Sandbox lets a buyer's e-mail address decide, as the reference documents it
// for tests, and asks the engine behind it when the address says nothing. The
// two kinds of pattern are searched for independently; the first of each kind,
// in the documents' order, counts.
type Sandbox struct {
	Engine Engine
}

// planPatterns decide on offers, reviewPatterns on accepted plans.
var planPatterns = []string{"paymentplan_offered", "paymentplan_declined", "paymentplan_partly_offered"}

var reviewPatterns = []struct {
	pattern string
	outcome Outcome
	code    string
}{
	{"dp_fraud_accepted", Accepted, ""},
	{"dp_fraud_rejected", Rejected, "fraud"},
	{"dp_fraud_customer_action_required", CustomerActionRequired, ""},
	{"dp_fraud_pending_review", PendingReview, ""},
}

// Assess implements Engine.
func (s Sandbox) Assess(ctx context.Context, tx *db.Tx, a Application) (Assessment, error) {
	out, err := s.Engine.Assess(ctx, tx, a)
	if err != nil {
		return out, err
	}
	for i, p := range planPatterns {
		if !strings.Contains(a.Buyer.Email, p) {
			continue
		}
		out.Bypassed, out.Reason, out.OnlyFirst = true, nil, i == 2
		if i == 1 {
			out.Reason = NewReason(BuyerProfile, nil)
		}
		return out, nil
	}
	return out, nil
}

// Review implements Engine.
func (s Sandbox) Review(ctx context.Context, tx *db.Tx, a Application) (Outcome, string, error) {
	for _, p := range reviewPatterns {
		if strings.Contains(a.Buyer.Email, p.pattern) {
			return p.outcome, p.code, nil
		}
	}
	return s.Engine.Review(ctx, tx, a)
}
