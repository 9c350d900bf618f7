package pay

import (
	"net/url"
	"slices"
)

// Names of the form fields.
const (
	FieldPlan    = "plan"
	FieldMethod  = "payment_method"
	FieldTerms   = "terms"
	FieldAttempt = "attempt"
)

// Form is the state of the form on the Offered page.
type Form struct {
	Attempt  string // token that makes a double confirmation one confirmation; given back in Input.Attempt
	Input    Input  // what to show as chosen; on first sight only Input.Plan, the plan of the link
	Problems []Problem
}

// Input is what a buyer sent.
type Input struct {
	Plan    string
	Method  Method
	Terms   bool
	Attempt string
}

// methodField is the name of the method field of one plan. Radio buttons of one name exclude each other, so each
// plan needs its own name to have its own choice.
func methodField(plan string) string { return FieldMethod + "-" + plan }

// ReadInput reads a posted form. The method comes from the chosen plan's own field, or from a plain payment_method.
func ReadInput(form url.Values) Input {
	plan := form.Get(FieldPlan)
	method := form.Get(methodField(plan))
	if method == "" {
		method = form.Get(FieldMethod)
	}
	return Input{Plan: plan, Method: Method(method), Terms: form.Get(FieldTerms) != "", Attempt: form.Get(FieldAttempt)}
}

// Problem is something the buyer must mend before the order can be confirmed.
type Problem string

// The problems. CheckInput finds the first four; the others are for the handler to report.
const (
	PlanMissing     Problem = "plan_missing"
	PlanUnavailable Problem = "plan_unavailable"
	MethodMissing   Problem = "method_missing"
	TermsMissing    Problem = "terms_missing"
	AttemptInvalid  Problem = "attempt_invalid" // the attempt token is missing, foreign or too old
	PaymentFailed   Problem = "payment_failed"  // the upfront payment was refused
)

// field is the form field a problem belongs to; "" for the form as a whole.
func (p Problem) field() string {
	switch p {
	case PlanMissing, PlanUnavailable:
		return FieldPlan
	case MethodMissing:
		return FieldMethod
	case TermsMissing:
		return FieldTerms
	}
	return ""
}

// CheckInput answers what is wrong with the input for these plans, in the order of the page; nil when it may be
// confirmed. A plan without methods needs no method.
func CheckInput(in Input, plans []Plan) []Problem {
	var problems []Problem
	at := slices.IndexFunc(plans, func(p Plan) bool { return p.ID == in.Plan })
	switch {
	case in.Plan == "":
		problems = append(problems, PlanMissing)
	case at < 0 || plans[at].Declined != nil:
		problems = append(problems, PlanUnavailable)
	case len(plans[at].Methods) > 0 && !slices.Contains(plans[at].Methods, in.Method):
		problems = append(problems, MethodMissing)
	}
	if !in.Terms {
		problems = append(problems, TermsMissing)
	}
	return problems
}
