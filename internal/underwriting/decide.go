package underwriting

import (
	"errors"
	"fmt"
	"strings"
)

// Case is all that a decision is made on: what a record keeps, so that the
// decision can be made again.
type Case struct {
	Facts Facts `json:"facts"`
	// Plans are the facts of each plan, on top of Facts.
	Plans []Facts `json:"plans,omitempty"`
	// Rejection is what a company of the sandbox is always declined with.
	Rejection *Marked `json:"rejection,omitempty"`
}

// Marked is the reason that a company of the sandbox carries.
type Marked struct {
	Code   string         `json:"code"`
	Params map[string]any `json:"params,omitempty"`
}

// Result is what a rule came to.
type Result byte

// The results of a rule.
const (
	Passed   Result = '.'
	Declined Result = 'D'
	// Failed rules could not be evaluated; they decline, as nobody knows what they
	// would have said.
	Failed Result = 'E'
	// Unseen rules need a fact that was not looked at when the decision was made.
	// They decide nothing.
	Unseen Result = '?'
)

// String says it in a word.
func (r Result) String() string {
	switch r {
	case Passed:
		return "passed"
	case Declined:
		return "declined"
	case Failed:
		return "failed"
	}
	return "unseen"
}

// Outcome of one rule, with its reason when it declines.
type ruleOutcome struct {
	rule   *rule
	plan   int // -1 for rules about the buyer or the order
	result Result
	reason *Reason
	err    error
}

// Verdict is a decision with everything that led to it.
type Verdict struct {
	Limit     int64
	Available int64
	// LimitRule is the rule that made the limit, "default" for none.
	LimitRule string
	// Reason declines every plan, Plans those with a reason of their own.
	Reason *Reason
	Plans  []*Reason
	// Bypassed is set when no rule was asked, because the company is a marked one
	// of the sandbox.
	Bypassed bool

	outcomes []ruleOutcome
}

// Declined tells whether nothing at all is offered, and why.
func (v Verdict) Declined() *Reason {
	if v.Reason != nil || len(v.Plans) == 0 {
		return v.Reason
	}
	for _, r := range v.Plans {
		if r == nil {
			return nil
		}
	}
	return v.Plans[0]
}

// Decide applies the policy to a case. It asks every rule, also after one has
// declined. lookUp finds facts that are not in the case and may be nil; what it
// finds is added to the case. The error is one of lookUp.
func (p *Policy) Decide(c Case, lookUp func(name string) (any, bool, error)) (Verdict, error) {
	return p.decide(c, &scope{facts: c.Facts, params: p.parameters, lookUp: lookUp})
}

func (p *Policy) decide(c Case, s *scope) (Verdict, error) {
	v := Verdict{Plans: make([]*Reason, len(c.Plans))}
	var err error
	if v.Limit, v.LimitRule, err = p.limit(s); err != nil {
		return v, err
	}
	v.Available = max(0, v.Limit-max(0, s.int("exposure.in_use")))
	if c.Rejection != nil {
		v.Reason, v.Bypassed = NewReason(c.Rejection.Code, c.Rejection.Params), true
		return v, nil
	}
	known := Facts{"exposure.limit": v.Limit, "exposure.available": v.Available}
	v.outcomes = make([]ruleOutcome, 0, len(p.rules)+len(c.Plans)*4)
	s.more = known
	for i := range p.rules {
		if r := &p.rules[i]; r.scope != OfPlan {
			if err := v.ask(r, -1, s); err != nil {
				return v, err
			}
		}
	}
	for n, plan := range c.Plans {
		s.more = plan.with(known)
		for i := range p.rules {
			if r := &p.rules[i]; r.scope == OfPlan {
				if err := v.ask(r, n, s); err != nil {
					return v, err
				}
			}
		}
	}
	return v, nil
}

// ask evaluates a rule. The first that declines gives the reason.
func (v *Verdict) ask(r *rule, plan int, s *scope) error {
	o := ruleOutcome{rule: r, plan: plan, result: Passed}
	fires, err := r.when.evaluate(s)
	if err == nil && fires == true {
		o.result = Declined
		o.reason, err = r.reason(s)
	}
	switch {
	case s.failed != nil:
		return s.failed
	case errors.Is(err, errNotLookedAt):
		o.result, o.err, o.reason = Unseen, err, nil
	case err != nil:
		o.result, o.err, o.reason = Failed, err, NewReason(BuyerProfile, nil)
	}
	v.outcomes = append(v.outcomes, o)
	switch {
	case o.reason == nil:
	case plan < 0 && v.Reason == nil:
		v.Reason = o.reason
	case plan >= 0 && v.Plans[plan] == nil:
		v.Plans[plan] = o.reason
	}
	return nil
}

// reason fills the sentence of a rule.
func (r *rule) reason(s *scope) (*Reason, error) {
	params := make(map[string]any, len(r.params))
	for name, e := range r.params {
		v, err := e.evaluate(s)
		if err != nil {
			return nil, fmt.Errorf("parameter %s: %w", name, err)
		}
		if d, ok := v.(Decimal); ok {
			v = d.String()
		}
		params[name] = v
	}
	return NewReason(r.code, params), nil
}

// limit is the limit of the first rule that applies, within the maximum. A limit
// that cannot be worked out is none. The error is one of a lookup.
func (p *Policy) limit(s *scope) (int64, string, error) {
	e, name := p.limits.otherwise, "default"
	for _, r := range p.limits.rules {
		applies, err := r.when.evaluate(s)
		if s.failed != nil {
			return 0, "", s.failed
		}
		if err != nil {
			return 0, r.name, nil
		}
		if applies == true {
			e, name = r.limit, r.name
			break
		}
	}
	amount, err := e.evaluate(s)
	if err == nil && p.limits.hasMaximum {
		var most any
		if most, err = p.limits.maximum.evaluate(s); err == nil {
			amount = min(amount.(int64), most.(int64))
		}
	}
	if s.failed != nil {
		return 0, "", s.failed
	}
	if err != nil {
		return 0, name, nil
	}
	return max(0, amount.(int64)), name, nil
}

// pattern writes the results of rules in the order of the policy, one character
// each: those about buyer and order, and those of every plan.
func (v Verdict) pattern() (first string, plans []string) {
	var b strings.Builder
	texts := make([]strings.Builder, len(v.Plans))
	for _, o := range v.outcomes {
		if o.plan < 0 {
			b.WriteByte(byte(o.result))
		} else {
			texts[o.plan].WriteByte(byte(o.result))
		}
	}
	for i := range texts {
		plans = append(plans, texts[i].String())
	}
	return b.String(), plans
}
