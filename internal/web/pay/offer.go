package pay

import (
	"slices"
	"strconv"
)

// offerView is the form of the Offered page.
type offerView struct {
	Lead         string
	EndsSoon     string
	Plans        []planView // to choose from
	Unavailable  []planView // declined, with the reason
	Company      string
	Delivery     string
	Consent      []part
	Privacy      []part
	Attempt      string
	Terms        bool
	Problems     []problemView
	PlanProblem  string
	TermsProblem string
	ByPlan       bool // copy near the button follows the chosen plan; the style sheet picks it
	Cancel       *action
}

type planView struct {
	Index         int // from 1; part of the ids in the page
	ID            string
	Title         string
	Lead          string
	Fee           string
	FeeTone       string // none, fee or save
	Total         string
	Rows          []row
	MethodField   string
	Methods       []methodView
	MethodProblem string
	Checked       bool
	Button        string
	Reason        string
}

type methodView struct {
	ID, Value, Text, Hint string
	Checked               bool
}

type problemView struct {
	Text, Href string
}

// byPlanLimit is how many plans the style sheet can tell apart (see pay.css); with more, copy near the button does
// not follow the choice.
const byPlanLimit = 8

func (w *words) offer(p Page) *offerView {
	v := &offerView{
		Lead:     w.text("offered.lead", "company", p.Company, "seller", p.Seller.Name),
		EndsSoon: w.endsSoon(p.Now, p.Plans),
		Company:  p.Company, Delivery: p.Order.Delivery,
		Attempt: p.Form.Attempt, Terms: p.Form.Input.Terms,
		Consent: w.consent(p),
	}
	if p.Lender.PrivacyURL != "" {
		link := part{Text: w.text("offered.privacy_link"), URL: p.Lender.PrivacyURL}
		v.Privacy = w.parts("offered.privacy", map[string]part{"privacy": link}, "lender", p.Lender.Name)
	}
	for i, plan := range p.Plans {
		shown := w.planView(p, plan, i+1)
		if plan.Declined != nil {
			v.Unavailable = append(v.Unavailable, shown)
		} else {
			v.Plans = append(v.Plans, shown)
		}
	}
	if len(v.Plans) == 1 {
		v.Lead = w.text("offered.lead_single", "company", p.Company, "seller", p.Seller.Name)
		v.Plans[0].Checked = true
	}
	v.ByPlan = len(v.Plans) > 1 && len(p.Plans) <= byPlanLimit
	if p.Links.Cancel != "" {
		v.Cancel = &action{Text: w.text("offered.cancel", "seller", p.Seller.Name), URL: p.Links.Cancel}
	}
	w.problems(v, p.Form)
	return v
}

// consent is the sentence of the checkbox, with links to the dated terms.
func (w *words) consent(p Page) []part {
	terms := part{Text: w.text("offered.terms"), URL: p.Lender.TermsURL}
	if p.Links.MerchantTerms == "" {
		return w.parts("offered.consent", map[string]part{"terms": terms}, "company", p.Company)
	}
	merchant := part{Text: w.text("offered.merchant_terms", "seller", p.Seller.Name), URL: p.Links.MerchantTerms}
	return w.parts("offered.consent_merchant", map[string]part{"terms": terms, "merchant_terms": merchant}, "company", p.Company)
}

func (w *words) planView(p Page, plan Plan, index int) planView {
	currency := p.Order.Currency
	v := planView{
		Index: index, ID: plan.ID, Title: w.planTitle(plan, currency), Lead: w.planLead(plan, currency),
		Fee: w.feeLine(plan, currency), FeeTone: "none", Total: w.locale.amount(scheduleOf(plan).total, currency),
		Button: w.button(plan, currency), MethodField: methodField(plan.ID),
		Checked: p.Form.Input.Plan != "" && p.Form.Input.Plan == plan.ID,
	}
	if plan.Fee > 0 {
		v.FeeTone = "fee"
	} else if plan.Discount > 0 {
		v.FeeTone = "save"
	}
	if plan.Declined != nil {
		v.Reason = w.buyerReason(plan.Declined, "offered.plan_neutral")
		return v
	}
	if len(plan.Instalments) > 1 || captured(plan.RelativeTo) && len(plan.Instalments) == 1 && plan.Instalments[0].AfterDays == nil {
		v.Rows = w.scheduleRows(plan, currency)
	}
	chosen := p.Form.Input.Method
	if !v.Checked || !slices.Contains(plan.Methods, chosen) {
		chosen = ""
	}
	if chosen == "" && len(plan.Methods) > 0 && (!v.Checked || !slices.Contains(p.Form.Problems, MethodMissing)) {
		chosen = plan.Methods[0]
	}
	for i, method := range plan.Methods {
		v.Methods = append(v.Methods, methodView{
			ID:    "method-" + strconv.Itoa(index) + "-" + strconv.Itoa(i+1),
			Value: string(method), Text: w.text("method." + string(method)),
			Hint: w.text("method." + string(method) + "_hint"), Checked: method == chosen,
		})
	}
	return v
}

// scheduleRows is one row per instalment: when and how much.
func (w *words) scheduleRows(plan Plan, currency string) []row {
	var rows []row
	for _, in := range plan.Instalments {
		rows = append(rows, row{Term: w.dueRule(plan.RelativeTo, in), Value: w.locale.amount(in.Amount, currency), Strong: in.Upfront})
	}
	return rows
}

// problems puts each problem in the summary on top, linked to its field, and at the field.
func (w *words) problems(v *offerView, form Form) {
	if len(v.Plans) == 0 {
		return
	}
	firstPlan := "#plan-" + strconv.Itoa(v.Plans[0].Index)
	for _, problem := range form.Problems {
		text := w.text("problem." + string(problem))
		shown := problemView{Text: text, Href: firstPlan}
		switch problem.field() {
		case FieldPlan:
			v.PlanProblem = text
		case FieldTerms:
			v.TermsProblem = text
			shown.Href = "#terms"
		case FieldMethod:
			for i := range v.Plans {
				if v.Plans[i].Checked && len(v.Plans[i].Methods) > 0 {
					v.Plans[i].MethodProblem = text
					shown.Href = "#" + v.Plans[i].Methods[0].ID
				}
			}
		}
		v.Problems = append(v.Problems, shown)
	}
}
