package underwriting

import (
	"time"

	"tradecredit/internal/order"
)

// Record is a decision as it is kept. Amounts are in minor units of Currency.
type Record struct {
	ID       string `json:"id"`
	Merchant string `json:"merchant"`
	// Kind is assess for an order that asks for an offer, review for a plan that
	// the buyer has accepted.
	Kind    string `json:"kind"`
	Company string `json:"company"`
	Order   string `json:"order"`
	Offer   string `json:"offer"`
	Plan    string `json:"plan"`
	// Policy is the hash of the policy that decided.
	Policy string `json:"policy"`
	// Outcome is offered or declined; Reason the code, empty when offered.
	Outcome   string    `json:"outcome"`
	Reason    string    `json:"reason"`
	Amount    int64     `json:"amount"`
	Currency  string    `json:"currency"`
	Limit     int64     `json:"limit"`
	Available int64     `json:"available"`
	Case      Case      `json:"inputs"`
	Results   Results   `json:"results"`
	DecidedAt time.Time `json:"decided_at"`
}

// The kinds and outcomes of records.
const (
	KindAssess      = "assess"
	KindReview      = "review"
	OutcomeOffered  = "offered"
	OutcomeDeclined = "declined"
)

// Results are what the rules came to. Rules and Plans have one character for
// every rule in the order of the policy: . for passed, D for declined, E for one
// that could not be evaluated, ? for one that needs a fact which was not looked
// at.
type Results struct {
	// LimitRule made the limit.
	LimitRule string `json:"limit_rule"`
	// Rules are those about the buyer and the order, Plans those about plans, for
	// each plan.
	Rules string   `json:"rules"`
	Plans []string `json:"plans,omitempty"`
	// Found are the rules that did not pass.
	Found []Found `json:"found,omitempty"`
}

// Found is a rule that did not pass.
type Found struct {
	Rule   string         `json:"rule"`
	Code   string         `json:"code"`
	Result string         `json:"result"`
	Plan   *int           `json:"plan,omitempty"`
	Params map[string]any `json:"params,omitempty"`
	Error  string         `json:"error,omitempty"`
}

// results are what is kept of a verdict.
func (v Verdict) results() Results {
	out := Results{LimitRule: v.LimitRule}
	out.Rules, out.Plans = v.pattern()
	for _, o := range v.outcomes {
		if o.result == Passed {
			continue
		}
		f := Found{Rule: o.rule.name, Code: o.rule.code, Result: o.result.String()}
		if o.plan >= 0 {
			n := o.plan
			f.Plan = &n
		}
		if o.reason != nil {
			f.Params = o.reason.Params
		}
		if o.err != nil {
			f.Error = o.err.Error()
		}
		out.Found = append(out.Found, f)
	}
	return out
}

// keep makes the record of a verdict on an application.
func keep(id string, a Application, p *Policy, c Case, v Verdict) Record {
	d := Record{
		ID: id, Merchant: a.Merchant.ID, Kind: KindAssess, Company: a.Buyer.CompanyID, Order: a.OrderID, Offer: a.OfferID,
		Plan: a.PlanID, Policy: p.Hash, Outcome: OutcomeOffered, Amount: a.Amount, Currency: a.Currency,
		Limit: v.Limit, Available: v.Available, Case: c, Results: v.results(), DecidedAt: a.Now,
	}
	if a.PlanID != "" {
		d.Kind = KindReview
	}
	if r := v.Declined(); r != nil {
		d.Outcome, d.Reason = OutcomeDeclined, r.Code
	}
	return d
}

// pastOrder is what counts of an order for the history.
type pastOrder struct {
	Status   string    `json:"-"`
	Currency string    `json:"-"`
	Total    int64     `json:"-"`
	Created  time.Time `json:"-"`
	DueDate  *string   `json:"due_date"`
	PaidDate *string   `json:"paid_date"`
}

// add counts an order. Amounts count in the given currency only.
func (h *History) add(o pastOrder, currency string, today time.Time) {
	h.Orders++
	h.SinceDays = max(h.SinceDays, days(midnight(o.Created), today))
	var due time.Time
	hasDue := false
	if o.DueDate != nil {
		due, hasDue = dated(*o.DueDate)
	}
	switch o.Status {
	case order.StatusPaid:
		h.Paid++
		if o.PaidDate == nil || !hasDue {
			return
		}
		if paid, ok := dated(*o.PaidDate); ok && !paid.After(due) {
			h.PaidInTime++
		}
	case order.StatusUnpaid, order.StatusPartiallyPaid:
		h.Open++
		if late := days(due, today); hasDue && late > 0 {
			h.Overdue++
			h.MaxOverdueDays = max(h.MaxOverdueDays, late)
			if o.Currency == currency {
				h.OverdueAmount += o.Total
			}
		}
	}
}
