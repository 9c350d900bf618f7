package checkout

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"tradecredit/internal/deferred"
	"tradecredit/internal/merchant"
	"tradecredit/internal/offer"
	"tradecredit/internal/order"
	"tradecredit/internal/web/pay"
)

// page shows a subject in the state it is in.
func (h *Handler) page(s subject, r *http.Request) pay.Page {
	p := pay.Page{
		State: s.state(r.URL.Query().Get("confirmed") != ""), Locale: s.offer.Locale,
		TestMode: s.merchant.Environment == merchant.Sandbox, Now: s.now,
		Seller: pay.Seller{Name: s.merchant.Name}, Lender: h.Lender, Company: s.buyer.Buyer.Name,
		Order: showOrder(s.order),
		Links: pay.Links{
			Self: r.URL.RequestURI(), Success: s.offer.URLs.Success, Failure: s.offer.URLs.Failure,
			Cancel: s.offer.URLs.Cancel, MerchantTerms: s.offer.URLs.MerchantTerms,
		},
	}
	if p.Locale == "" {
		p.Locale = "en-gb"
	}
	for _, plan := range s.offer.Plans {
		shown := showPlan(plan)
		p.Plans = append(p.Plans, shown)
		if p.Reason == nil {
			p.Reason = shown.Declined
		}
	}
	for _, d := range s.sent {
		p.Received = append(p.Received, d.File.Name)
	}
	if s.payment != nil {
		p.Result = s.result(p.Plans, h.Lender)
		if s.payment.Status == deferred.StatusRejected {
			p.Reason = &pay.Reason{Code: s.payment.RejectionCode, Detail: deferred.RejectionDetail(s.payment.RejectionCode)}
		}
	}
	if s.next != "" {
		p.Links.NewOffer = Prefix + s.next + "?key=" + h.Links.Sign(s.next)
	}
	if p.State == pay.OrderChanged {
		p.Change = &pay.OrderChange{NewTotal: s.order.TotalAmount, OldTotal: offeredTotal(s.offer)}
	}
	return p
}

// offeredTotal is the order's total at the time of an offer: what its first plan
// asked for, without the fee.
func offeredTotal(o offer.Stored) int64 {
	if len(o.Plans) == 0 {
		return 0
	}
	var sum int64
	for _, sp := range o.Plans[0].ScheduledPayments {
		sum += sp.Amount - sp.CustomerFee.Amount
	}
	return sum
}

// state finds out which form the page takes. confirmed is set right after the
// buyer's own confirmation.
func (s subject) state(confirmed bool) pay.State {
	if s.payment != nil && s.takenHere() {
		return resultState(s.payment.Status, confirmed)
	}
	if s.payment != nil && s.payment.Status != deferred.StatusRejected {
		return pay.AlreadyConfirmed
	}
	count := map[string]int{}
	for _, p := range s.offer.Plans {
		if p.LapsedAt(s.now) {
			p.Status = offer.StatusExpired
		}
		count[p.Status]++
	}
	switch {
	case count[offer.StatusOffered] > 0:
		return pay.Offered
	case count[offer.StatusCancelled] > 0:
		return pay.Cancelled
	case s.order.PaymentOffer != s.offer.ID || count[offer.StatusExpired] > 0 && s.now.Before(s.offer.ValidUntil):
		return pay.OrderChanged
	case count[offer.StatusExpired] > 0:
		return pay.Expired
	}
	return pay.Declined
}

// takenHere tells whether the order's payment came from this offer.
func (s subject) takenHere() bool {
	for _, p := range s.offer.Plans {
		if p.ID == s.payment.PlanID {
			return true
		}
	}
	return false
}

func resultState(status deferred.Status, confirmed bool) pay.State {
	switch status {
	case deferred.StatusPendingReview:
		return pay.PendingReview
	case deferred.StatusCustomerActionRequired:
		return pay.ActionRequired
	case deferred.StatusPendingPayment:
		return pay.PendingPayment
	case deferred.StatusRejected:
		return pay.Rejected
	case deferred.StatusAccepted:
		if confirmed {
			return pay.Accepted
		}
	}
	return pay.AlreadyConfirmed
}

func (s subject) result(plans []pay.Plan, lender pay.Lender) *pay.Result {
	r := &pay.Result{Status: string(s.payment.Status), Number: s.payment.Number, Method: pay.Method(s.payment.PaymentMethod)}
	for i := range plans {
		if plans[i].ID == s.payment.PlanID {
			r.Plan = &plans[i]
		}
	}
	if s.payment.Status == deferred.StatusPendingPayment && r.Plan != nil {
		r.Transfer = &pay.Transfer{AccountName: lender.Name, Reference: s.payment.Number}
		for _, in := range r.Plan.Instalments {
			if in.Upfront {
				r.Transfer.Amount += in.Amount
			}
		}
	}
	return r
}

func showOrder(o order.Stored) *pay.Order {
	out := &pay.Order{Reference: o.UniqueID, PONumber: o.PONumber, Currency: o.Currency, Total: o.TotalAmount}
	if o.TaxAmount != nil {
		out.Tax = *o.TaxAmount
	}
	for _, i := range o.Items {
		out.Items = append(out.Items, pay.Item{Description: i.Description, Quantity: plainQuantity(i.Quantity), Total: i.TotalAmount})
	}
	if a := o.Customer.DeliveryAddress; a != nil {
		var parts []string
		for _, part := range []string{a.Name, a.CompanyName, a.AddressLine1, a.AddressLine2, a.AddressLine3, a.City, a.Region, a.Postcode, a.Country} {
			if part != "" {
				parts = append(parts, part)
			}
		}
		out.Delivery = strings.Join(parts, ", ")
	}
	return out
}

// plainQuantity is a quantity without needless zeros.
func plainQuantity(q string) string {
	if !strings.Contains(q, ".") {
		return q
	}
	return strings.TrimSuffix(strings.TrimRight(q, "0"), ".")
}

func showPlan(p offer.Plan) pay.Plan {
	out := pay.Plan{
		ID: p.ID, RelativeTo: pay.RelativeTo(p.RelativeTo), Fee: p.CustomerFee.Amount, FeePercent: p.CustomerFee.Percentage.String(),
		Discount: p.CustomerDiscount.Minor, DiscountPercent: p.CustomerPercentageDiscount.String(), ValidUntil: p.ValidUntil,
	}
	for _, sp := range p.ScheduledPayments {
		// A date that cannot be read would be a plan we stored wrongly; it shows as
		// the first day of all rather than hiding the page.
		date, _ := time.Parse(time.DateOnly, sp.Date)
		out.Instalments = append(out.Instalments, pay.Instalment{
			Date: date, Amount: sp.DiscountedAmount, Upfront: sp.DueDateConfig.Upfront,
			AfterDays: sp.DueDateConfig.DueAfterDays, EndOfMonths: sp.DueDateConfig.DueEndOfMonths,
		})
	}
	for _, m := range offer.Methods() {
		if deferred.Allows(p, m) {
			out.Methods = append(out.Methods, pay.Method(m))
		}
	}
	if r := p.RejectionReason; r != nil {
		out.Declined = &pay.Reason{Code: r.Code, Detail: r.Detail, Params: map[string]string{}}
		for name, v := range r.Params {
			out.Declined.Params[name] = fmt.Sprint(v)
		}
	}
	return out
}
