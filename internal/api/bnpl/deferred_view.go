package bnpl

import (
	"time"

	"tradecredit/internal/api"
	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/offer"
	"tradecredit/internal/order"
	"tradecredit/internal/repayment"
)

func (a *API) expandDeferred(v View, tx *db.Tx, d deferred.Payment, e api.Expand) (DeferredPayment, error) {
	out, err := a.showDeferreds(v, tx, []deferred.Payment{d}, e)
	if err != nil {
		return DeferredPayment{}, err
	}
	return out[0], nil
}

// showDeferreds shows deferred payments of the merchant. However many there are, it
// reads their events, plans and repayments once each.
func (a *API) showDeferreds(v View, tx *db.Tx, found []deferred.Payment, e api.Expand) ([]DeferredPayment, error) {
	ids, plans := make([]string, len(found)), make([]string, len(found))
	for i, d := range found {
		ids[i], plans[i] = d.ID, d.PlanID
	}
	entries, err := deferred.EntriesOfMany(v, tx, v.Merchant.ID, ids)
	if err != nil {
		return nil, err
	}
	planOf, err := offer.PlansByID(v, tx, v.Merchant.ID, plans)
	if err != nil {
		return nil, err
	}
	paid, err := repayment.OfMany(v, tx, v.Merchant.ID, ids)
	if err != nil {
		return nil, err
	}
	out := make([]DeferredPayment, len(found))
	for i, d := range found {
		out[i] = a.showDeferred(v, d, planOf[d.PlanID], entries[d.ID], paid[d.ID])
		if e.Has("payment_plan") {
			out[i].PaymentPlan = a.showPlan(v, planOf[d.PlanID])
		}
		if e.Has("order") {
			if out[i].Order, err = a.orderByID(v, tx, d.OrderID, e.Under("order")); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// showDeferred is a deferred payment with its events and with what the buyer pays.
func (a *API) showDeferred(v View, d deferred.Payment, plan offer.Plan, entries []deferred.Entry, paid []repayment.Repayment) DeferredPayment {
	out := DeferredPayment{
		URL: v.PublicURL + "/v1/payment/deferred_payments/" + d.ID, ID: d.ID, Number: d.Number, Created: api.Time(d.Created),
		PaymentPlan: d.PlanID, Order: d.OrderID, Status: string(d.Status), Currency: d.Currency,
		Authorisation: d.Authorisation, ProtectedCaptures: d.ProtectedCaptures, UnprotectedCaptures: d.UnprotectedCaptures,
		Refunds: d.Refunds, VoidedAuthorisation: d.VoidedAuthorisation, ExpiredAuthorisation: d.ExpiredAuthorisation, Clawback: d.Clawback,
		RepaymentInfo:      RepaymentInfo{Status: repaymentStatus(d.State), OutstandingAmount: d.Outstanding(), Currency: d.Currency},
		OutstandingBalance: OutstandingMoney{Currency: d.Currency},
		Events:             make([]PostSaleEvent, len(entries)),
	}
	if d.EventCount > 0 || len(paid) > 0 {
		outstanding := d.Outstanding()
		out.OutstandingBalance.Amount, out.Payments = &outstanding, showRepayments(paid)
	}
	if d.RejectionCode != "" {
		out.RejectionReason = &Rejection{d.RejectionCode, deferred.RejectionDetail(d.RejectionCode)}
	}
	schedule := repayment.Build(plan, entries, d.State).Without(d.WrittenOff)
	if next, ok := schedule.Next(); ok && (next.Upfront || d.Outstanding() > 0) {
		day := next.Date.Format(time.DateOnly)
		out.NextPaymentDate = &day
	}
	for i, e := range entries {
		out.Events[i] = ShowEntry(d, e)
	}
	return out
}

// repaymentStatus sums up what the buyer has paid of what is owed.
func repaymentStatus(s deferred.State) string {
	switch {
	case s.Owed() > 0 || s.Refunds > 0:
		return paidStatus(s.Repaid, s.Unpaid())
	case s.Repaid > 0:
		// Paid upfront for what is not captured yet.
		return order.StatusPartiallyPaid
	}
	return order.StatusUnpaid
}

func paidStatus(paid, open int64) string {
	switch {
	case open <= 0:
		return order.StatusPaid
	case paid > 0:
		return order.StatusPartiallyPaid
	}
	return order.StatusUnpaid
}

func showRepayments(paid []repayment.Repayment) []Payment {
	out := make([]Payment, len(paid))
	for i, r := range paid {
		out[i] = showRepayment(r)
	}
	return out
}

func showRepayment(r repayment.Repayment) Payment {
	at := r.Created
	if r.Settled != nil {
		at = *r.Settled
	}
	return Payment{
		ID: r.ID, Type: r.Type, Method: r.Method, Date: at.Format(time.DateOnly), Amount: r.Amount, Currency: r.Currency, Status: r.Status,
	}
}

// Repayment is money that came from a buyer, or went back to it, in full.
type Repayment struct {
	Payment
	DeferredPayment string   `json:"deferred_payment"`
	AppliedAmount   int64    `json:"applied_amount" doc:"The part that paid a debt, in minor units; the rest of a settled payment is the buyer's credit"`
	Reference       string   `json:"reference" doc:"The bank's or the processor's"`
	FailureCode     string   `json:"failure_code" doc:"Why it failed or was returned"`
	FailureMessage  string   `json:"failure_message"`
	Created         api.Time `json:"created"`
}

// ShowRepayment is a repayment in full.
func ShowRepayment(r repayment.Repayment) Repayment {
	return Repayment{
		Payment: showRepayment(r), DeferredPayment: r.PaymentID, AppliedAmount: r.Applied, Reference: r.Reference,
		FailureCode: r.Code, FailureMessage: r.Message, Created: api.Time(r.Created),
	}
}

// RepaymentSchedule is what the buyer pays when.
type RepaymentSchedule struct {
	DeferredPayment   string       `json:"deferred_payment"`
	Currency          string       `json:"currency"`
	ScheduledPayments []Instalment `json:"scheduled_payments"`
}

func (a *API) viewSchedule(c *api.Call, tx *db.Tx) (*api.Response, error) {
	d, err := deferred.Get(c, tx, c.Merchant.ID, c.Path("deferred_payment"))
	if err != nil {
		return nil, err
	}
	entries, err := deferred.Entries(c, tx, d.MerchantID, d.ID)
	if err != nil {
		return nil, err
	}
	plan, err := offer.FindPlan(c, tx, d.PlanID)
	if err != nil {
		return nil, err
	}
	out := RepaymentSchedule{DeferredPayment: d.ID, Currency: d.Currency, ScheduledPayments: []Instalment{}}
	for _, i := range repayment.Build(plan.Plan, entries, d.State) {
		out.ScheduledPayments = append(out.ScheduledPayments, Instalment{
			Date: i.Date.Format(time.DateOnly), Amount: i.Amount, PaidAmount: i.Paid, Currency: d.Currency, Status: paidStatus(i.Paid, i.Open()),
		})
	}
	return api.OK(out), nil
}
