package underwriting

import (
	"slices"

	"cel.dev/cel-go/common/types"
)

// Explanation is a decision made again, rule by rule.
type Explanation struct {
	Policy    string `json:"policy"`
	Outcome   string `json:"outcome"`
	Reason    string `json:"reason"`
	Detail    string `json:"detail"`
	Limit     int64  `json:"limit"`
	Available int64  `json:"available"`
	LimitRule string `json:"limit_rule"`
	// Marked is set for a company of the sandbox that is always declined.
	Marked bool            `json:"marked"`
	Rules  []ExplainedRule `json:"rules"`
	// Changes are what would have turned the decision, each one value of one fact
	// or parameter. Those that suffice alone come first.
	Changes []Change `json:"changes"`
}

// ExplainedRule is what a rule came to, and on what.
type ExplainedRule struct {
	Rule   string `json:"rule"`
	Code   string `json:"code"`
	Scope  Scope  `json:"applies_to"`
	Plan   *int   `json:"plan,omitempty"`
	Result string `json:"result"`
	When   string `json:"when"`
	// Values are those of the facts and parameters that the condition names.
	Values map[string]any `json:"values"`
	Detail string         `json:"detail,omitempty"`
	Error  string         `json:"error,omitempty"`
}

// Change is the nearest value of a fact or a parameter with which a rule would
// have passed. Facts that follow from others, such as a score, are changed by
// themselves.
type Change struct {
	Rule string `json:"rule"`
	Name string `json:"name"`
	From any    `json:"from"`
	To   any    `json:"to"`
	// Enough tells that with this alone something would have been offered.
	Enough bool `json:"enough"`
}

// Explain makes a decision again and tells why, and what would have turned it.
func (p *Policy) Explain(c Case) (Explanation, error) {
	v, err := p.Decide(c, nil)
	if err != nil {
		return Explanation{}, err
	}
	out := Explanation{
		Policy: p.String(), Outcome: OutcomeOffered, Limit: v.Limit, Available: v.Available, LimitRule: v.LimitRule,
		Marked: v.Bypassed, Rules: []ExplainedRule{}, Changes: []Change{},
	}
	reason := v.Declined()
	if reason != nil {
		out.Outcome, out.Reason, out.Detail = OutcomeDeclined, reason.Code, reason.Detail
	}
	for _, o := range v.outcomes {
		out.Rules = append(out.Rules, p.explained(c, v, o))
	}
	if reason != nil && !v.Bypassed {
		out.Changes = p.changes(c, v)
	}
	return out, nil
}

// stage is the scope in which a rule was evaluated.
func (p *Policy) stage(c Case, v Verdict, o ruleOutcome, instead map[string]any) *scope {
	more := Facts{"exposure.limit": v.Limit, "exposure.available": v.Available}
	if o.plan >= 0 {
		more = c.Plans[o.plan].with(more)
	}
	return &scope{facts: c.Facts, params: p.parameters, more: more, instead: instead}
}

func (p *Policy) explained(c Case, v Verdict, o ruleOutcome) ExplainedRule {
	out := ExplainedRule{
		Rule: o.rule.name, Code: o.rule.code, Scope: o.rule.scope, Result: o.result.String(),
		When: o.rule.when.source, Values: map[string]any{},
	}
	if o.plan >= 0 {
		n := o.plan
		out.Plan = &n
	}
	s := p.stage(c, v, o, nil)
	for _, name := range o.rule.when.names {
		if value, ok := plainValue(s, name); ok {
			out.Values[name] = value
		}
	}
	if o.reason != nil {
		out.Detail = o.reason.Detail
	}
	if o.err != nil {
		out.Error = o.err.Error()
	}
	return out
}

// plainValue is what a name stands for, as Go and JSON know it.
func plainValue(s *scope, name string) (any, bool) {
	v, _ := s.ResolveName(name)
	switch v := v.(type) {
	case *types.Err:
		return nil, false
	case Decimal:
		return v, true
	case interface{ Value() any }:
		return v.Value(), true
	}
	return v, true
}

// changes finds, for every rule that did not pass, the nearest values with which
// it would have. Rules of plans matter only when no plan is offered; then those of
// the first one are looked at.
func (p *Policy) changes(c Case, v Verdict) (out []Change) {
	if x, ok := p.amount(c, v); ok {
		out = append(out, x)
	}
	for _, o := range v.outcomes {
		if o.result != Declined && o.result != Failed || o.plan > 0 || o.plan == 0 && v.Reason != nil {
			continue
		}
		names := slices.Clone(o.rule.when.names)
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			if x, ok := p.change(c, v, o, name); ok && !slices.ContainsFunc(out, func(y Change) bool { return x.Name == y.Name && y.Enough }) {
				out = append(out, x)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Change) int {
		if a.Enough == b.Enough {
			return 0
		}
		if a.Enough {
			return -1
		}
		return 1
	})
	return out
}

// amount finds the largest amount of the order for which something would have
// been offered.
func (p *Policy) amount(c Case, v Verdict) (Change, bool) {
	const name = "order.amount"
	from, ok := c.Facts[name].(int64)
	offered := func(n int64) bool { return p.offers(c, map[string]any{name: n}) }
	if !ok || from < 2 || !offered(1) {
		return Change{}, false
	}
	low, high := int64(1), from // offered at low, not at high
	for high-low > 1 {
		if middle := low + (high-low)/2; offered(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	rule := ""
	for _, o := range v.outcomes {
		if o.result == Declined && slices.Contains(o.rule.when.names, name) {
			rule = o.rule.name
			break
		}
	}
	return Change{Rule: rule, Name: name, From: from, To: low, Enough: true}, true
}

// offers tells whether anything is offered with other values.
func (p *Policy) offers(c Case, instead map[string]any) bool {
	v, err := p.decide(c, &scope{facts: c.Facts, params: p.parameters, instead: instead})
	return err == nil && v.Declined() == nil
}

// change finds the value of a name, nearest to what it was, with which a rule
// would have passed.
func (p *Policy) change(c Case, v Verdict, o ruleOutcome, name string) (Change, bool) {
	now, ok := plainValue(p.stage(c, v, o, nil), name)
	if !ok {
		return Change{}, false
	}
	passes := func(value any) bool {
		fires, err := o.rule.when.evaluate(p.stage(c, v, o, map[string]any{name: value}))
		return err == nil && fires == false
	}
	var to any
	switch now := now.(type) {
	case bool:
		if !passes(!now) {
			return Change{}, false
		}
		to = !now
	case int64:
		n, found := nearest(now, func(n int64) bool { return passes(n) })
		if !found {
			return Change{}, false
		}
		to = n
	default:
		return Change{}, false
	}
	return Change{Rule: o.rule.name, Name: name, From: now, To: to, Enough: p.offers(c, map[string]any{name: to})}, true
}

// nearest is the value nearest to from for which ok holds, on either side. It
// supposes that ok changes once on the way there.
func nearest(from int64, ok func(int64) bool) (int64, bool) {
	down, hasDown := outward(from, -1, ok)
	up, hasUp := outward(from, 1, ok)
	switch {
	case !hasDown:
		return up, hasUp
	case !hasUp || from-down <= up-from:
		return down, true
	}
	return up, true
}

// outward goes away from a value in growing steps until ok holds, and then back
// to where it began to.
func outward(from, sign int64, ok func(int64) bool) (int64, bool) {
	for step := int64(1); step > 0; step *= 2 { // until it overflows
		n := from + sign*step
		if (n > from) != (sign > 0) {
			return 0, false
		}
		if !ok(n) {
			continue
		}
		bad, good := from+sign*(step/2), n
		for (good-bad)*sign > 1 {
			if middle := bad + (good-bad)/2; ok(middle) {
				good = middle
			} else {
				bad = middle
			}
		}
		return good, true
	}
	return 0, false
}
