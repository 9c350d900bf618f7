package credit

import (
	"strings"

	"tradecredit/internal/underwriting"
)

// Standing is how a buyer stands towards its limits. All amounts are in minor
// units of the application's currency.
type Standing struct {
	Application underwriting.Application
	// Assessment has the lender's limit and what is left of it.
	underwriting.Assessment
	// MerchantLimit is what the merchant lends on top, MerchantInUse what is in use
	// of that.
	MerchantLimit, MerchantInUse int64
}

// Room is what the limits have left for an order, in minor units.
type Room struct {
	// Refused is why nothing is offered whatever the limits have left; nil when
	// they decide.
	Refused *underwriting.Reason
	// Exceeded is what to say when what is left does not suffice.
	Exceeded *underwriting.Reason
	// Protected is left of the lender's limit, Unprotected of the merchant's.
	Protected, Unprotected int64
}

// Room is what the limits leave. Where nothing but the lender's limit speaks
// against an order, the merchant's may stand in for what is missing. A decision of
// the sandbox knows no limit, and neither does a plan that is shown in full only to
// say why it is declined.
func (s Standing) Room() Room {
	limited := s.Reason != nil && s.Reason.Code == underwriting.BuyerLimit
	if s.Bypassed || s.Reason != nil && !limited {
		return Room{Refused: s.Reason, Protected: Unlimited}
	}
	r := Room{
		Exceeded:  underwriting.NewReason(underwriting.BuyerLimit, nil),
		Protected: max(0, s.Available), Unprotected: max(0, s.MerchantLimit-s.MerchantInUse),
	}
	if !limited {
		return r
	}
	r.Exceeded = s.Reason
	if s.Application.Amount <= r.Protected || s.Application.Buyer.RejectionCode == underwriting.BuyerLimit {
		// The lender gives this buyer nothing, for another reason than the sum.
		r.Protected = 0
	}
	return r
}

// Ceilings are the limits that a reservation for the buyer has to keep.
func (s Standing) Ceilings() (lender, merchant int64) {
	if s.Bypassed {
		return Unlimited, Unlimited
	}
	return s.Limit, s.MerchantLimit
}

// What a buyer or its merchant can do about a limit (credit_actions).
const (
	NoActionPossible      = "no_action_possible"
	EmailBuyerSupport     = "email_buyer_support"
	PayOverdue            = "pay_overdue_deferred_payments"
	ProvideBankStatements = "provide_bank_statements"
	ProvideFinancials     = "provide_latest_financial_statements"
	SubmitCreditReview    = "submit_credit_review"
	AwaitCreditReview     = "await_credit_review_completion"
)

// AllActions lists every credit_action.
func AllActions() []string {
	return []string{
		NoActionPossible, EmailBuyerSupport, PayOverdue, ProvideBankStatements, ProvideFinancials,
		SubmitCreditReview, AwaitCreditReview,
	}
}

// remedies are what can be done about a reason by its code. About what a company
// is or where it is, nothing can.
var remedies = map[string]string{
	"buyer-country":             NoActionPossible,
	"buyer-country-subdivision": NoActionPossible,
	"buyer-status":              NoActionPossible,
	"buyer-sector":              NoActionPossible,
	"buyer-size":                NoActionPossible,
	"buyer-company-type":        NoActionPossible,
	"buyer-too-young":           NoActionPossible,
	"common-parent":             NoActionPossible,
	"connected-companies":       NoActionPossible,
	"sector-accum-limit":        NoActionPossible,
	"buyer-no-financials":       ProvideFinancials,
	"buyer-accounts":            ProvideFinancials,
	"buyer-accounts-overdue":    ProvideFinancials,
	"buyer-accounts-too-old":    ProvideFinancials,
	"buyer-uncreditworthy":      ProvideBankStatements,
	"buyer-limit":               SubmitCreditReview,
	"buyer-high-risk":           SubmitCreditReview,
	"buyer-high-risk-long-term": SubmitCreditReview,
	"buyer-risk-appetite":       SubmitCreditReview,
	"buyer-overdue-with-seller": PayOverdue,
}

// Actions are what can be done about a company's limit. code is that of the reason
// for which it is declined, "" when it is not; overdue says that the buyer has
// overdue deferred payments, reviewing that somebody is looking at its limit.
// Reasons that say nothing about their cause are for the buyers' support.
func Actions(code string, overdue, reviewing bool) []string {
	out := []string{}
	if overdue {
		out = append(out, PayOverdue)
	}
	if reviewing {
		return append(out, AwaitCreditReview)
	}
	if code == "" {
		return out
	}
	remedy, known := remedies[code]
	switch {
	case !known && strings.HasPrefix(code, "invoice-"):
		remedy = NoActionPossible // it is the wish that cannot be met, not the buyer
	case !known:
		remedy = EmailBuyerSupport
	}
	if overdue && (remedy == PayOverdue || remedy == NoActionPossible) {
		return out
	}
	return append(out, remedy)
}
