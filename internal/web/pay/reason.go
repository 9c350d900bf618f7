package pay

import "strings"

// reasonKind decides how much of a reason a buyer is told.
type reasonKind int

const (
	neutral reasonKind = iota // risk, fraud, anything unknown: say that, not why
	fixable                   // the buyer can do something about it
	fact                      // a published fact about the company or the order
)

// kindOf lists the codes buyers may be told the reason of. What is not here is neutral: a new code of the
// engines is not shown to buyers until somebody decides that it may be.
func kindOf(code string) reasonKind {
	switch code {
	case "buyer-limit", "buyer-risk-appetite", "invoice-too-large", "buyer-overdue-with-seller",
		"insufficient_funds", "payment_failed", "credit_limit_exceeded", "customer_action_timeout":
		return fixable
	case "buyer-country", "buyer-country-subdivision", "buyer-company-type", "buyer-too-young", "buyer-status",
		"buyer-accounts", "buyer-accounts-overdue", "buyer-accounts-too-old", "buyer-size", "buyer-no-financials",
		"invoice-currency", "invoice-credit-terms":
		return fact
	}
	return neutral
}

// buyerReason is the sentence a buyer sees for a reason. Our own copy is preferred, as the engines' sentences speak
// to the seller; a fact whose parameters are not known falls back to the engine's sentence, and anything else to
// the neutral one.
func (w *words) buyerReason(r *Reason, neutralKey string) string {
	if r == nil {
		return w.text(neutralKey)
	}
	kind := kindOf(r.Code)
	if kind == neutral {
		return w.text(neutralKey)
	}
	var pairs []string
	for name, value := range r.Params {
		pairs = append(pairs, name, value)
	}
	sentence := w.text("reason."+r.Code, pairs...)
	if !strings.Contains(sentence, "{") {
		return sentence
	}
	if kind == fact && r.Detail != "" && !strings.Contains(r.Detail, "{") {
		return r.Detail
	}
	return w.text(neutralKey)
}

// nextStep is one line of "What you can do".
type nextStep struct {
	Before, After string // around the e-mail address
	Email         string
}

// nextSteps turns credit_actions into sentences, and adds a review by a person to every neutral decision.
func (w *words) nextSteps(p Page) []nextStep {
	keys := map[string]string{
		"pay_overdue_deferred_payments":       "step.pay_overdue",
		"provide_bank_statements":             "step.bank_statements",
		"provide_latest_financial_statements": "step.financial_statements",
		"submit_credit_review":                "step.review",
		"email_buyer_support":                 "step.higher_limit",
		"await_credit_review_completion":      "step.await_review",
	}
	var steps []nextStep
	seen := map[string]bool{}
	add := func(key string) {
		before, after, needsEmail := strings.Cut(w.text(key), "{email}")
		if seen[key] || (needsEmail && p.Lender.HelpEmail == "") {
			return
		}
		seen[key] = true
		step := nextStep{Before: before, After: after}
		if needsEmail {
			step.Email = p.Lender.HelpEmail
		}
		steps = append(steps, step)
	}
	if p.Reason != nil {
		switch p.Reason.Code {
		case "buyer-limit", "buyer-risk-appetite", "invoice-too-large", "credit_limit_exceeded":
			add("step.order_less")
		}
	}
	for _, action := range p.NextSteps {
		if key, ok := keys[action]; ok {
			add(key)
		}
	}
	if p.Reason == nil || kindOf(p.Reason.Code) == neutral {
		add("step.review")
	}
	return steps
}
