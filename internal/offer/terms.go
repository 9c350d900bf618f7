package offer

import (
	"time"

	"tradecredit/internal/order"
	"tradecredit/internal/underwriting"
)

// serving are the templates that plans for an order are made of.
func serving(templates []StoredTemplate, country string, amount int64) (out []StoredTemplate) {
	for _, t := range templates {
		if t.Active && t.Serves(country, amount) {
			out = append(out, t)
		}
	}
	return out
}

// OrderTerms are what underwriting sees of an order beside its amount.
func OrderTerms(o order.Order) underwriting.OrderTerms {
	return underwriting.OrderTerms{OrderDate: o.OrderDate, InvoiceDate: o.InvoiceDate, DueDate: o.DueDate, Items: len(o.Items)}
}

// planTerms are what underwriting sees of the plans that templates would make on
// a day.
func planTerms(templates []StoredTemplate, base time.Time) (out []underwriting.PlanTerms) {
	for _, t := range templates {
		p := underwriting.PlanTerms{Name: t.Name, Instalments: len(t.Installments), Last: base}
		for _, r := range t.Installments {
			p.Upfront = p.Upfront || r.Upfront
			due := DueDate(base, DueDateConfig{DueAfterDays: r.DueAfterDays, DueEndOfMonths: r.DueEndOfMonths, Upfront: r.Upfront})
			if due.After(p.Last) {
				p.Last = due
			}
		}
		out = append(out, p)
	}
	return out
}

// PlanTerms are what underwriting sees of a plan that was made.
func (p Plan) PlanTerms() underwriting.PlanTerms {
	out := underwriting.PlanTerms{Name: p.Name, Instalments: len(p.ScheduledPayments), Upfront: p.HasUpfrontPayment}
	for _, s := range p.ScheduledPayments {
		if due, err := time.Parse(dateLayout, s.Date); err == nil && due.After(out.Last) {
			out.Last = due
		}
	}
	return out
}

// said is a reason in the language of the buyer.
func said(r underwriting.Reason, locale string) *RejectionReason {
	r = r.In(locale)
	return &RejectionReason{Code: r.Code, Detail: r.Detail, Params: r.Params}
}
