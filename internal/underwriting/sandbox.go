package underwriting

import (
	"context"
	"strings"
	"time"

	"tradecredit/internal/country"
	"tradecredit/internal/db"
)

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

// Assess implements Engine. The record that the engine keeps shows what it would
// have decided without the pattern.
func (s Sandbox) Assess(ctx context.Context, tx *db.Tx, a Application) (Assessment, error) {
	out, err := s.Engine.Assess(ctx, tx, a)
	if err != nil {
		return out, err
	}
	for i, p := range planPatterns {
		if !strings.Contains(a.Buyer.Email, p) {
			continue
		}
		out.Bypassed, out.Reason, out.OnlyFirst, out.Plans = true, nil, i == 2, make([]*Reason, len(a.Plans))
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

// marked is the reason that a company of the sandbox is always declined with,
// with something in every place of its sentence; nil for other companies.
func marked(a Application) *Marked {
	if a.Buyer.RejectionCode == "" {
		return nil
	}
	params := map[string]any{
		"debtor_country": country.Name(a.Buyer.Country), "creditor_country": country.Name(a.Buyer.Country),
		"debtor_status": a.Buyer.Status, "creditor_status": a.Buyer.Status, "legal_form": a.Buyer.LegalForm,
		"MIN_CREATION_YEARS": 1, "MAX_ACCOUNTS_OVERDUE_MONTHS": 3, "MAX_AGE_LATEST_FINANCIALS": 730,
		"accounts_type": "Dormant", "creditor_accounts_type": "Dormant", "public_subdivision": "Jersey",
		"company_size": "micro", "platform_name": a.Merchant.Name, "customer_min_registration_days": 90,
		"OVERDUE_DAYS": 60, "max_term": "30 days", "tx_currency": a.Currency, "debtor_risk_appetite": "0.00",
		"future_dated_limit_days": 30, "today": a.Now.Format(time.DateOnly), "tx_due_date": a.Now.Format(time.DateOnly),
		"website_email": "support@tradecredit.invalid", "credit_terms_days": 60, "MAX_CREDIT_TERMS_DAYS": 60,
	}
	for name, value := range a.Buyer.RejectionParams {
		params[name] = value
	}
	return &Marked{Code: a.Buyer.RejectionCode, Params: NewReason(a.Buyer.RejectionCode, params).Params}
}
