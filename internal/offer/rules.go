// Package offer holds payment plans: the templates a merchant sells on, the
// plans made from them for one order, and the offer that carries the plans.
package offer

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"tradecredit/internal/money"
)

// The states of a payment plan.
const (
	StatusOffered   = "offered"
	StatusAccepted  = "accepted"
	StatusDeclined  = "declined"
	StatusExpired   = "expired"
	StatusCancelled = "cancelled"
)

// PlanStatuses returns every status of a payment plan.
func PlanStatuses() []string {
	return []string{StatusOffered, StatusAccepted, StatusDeclined, StatusExpired, StatusCancelled}
}

// What the due dates of a plan count from (payment_terms_relative_to).
const (
	RelativeToOrderCreation = "order_creation"
	RelativeToFirstCapture  = "first_capture"
	RelativeToEveryCapture  = "every_capture"
)

// RelativeTos returns every payment_terms_relative_to.
func RelativeTos() []string {
	return []string{RelativeToOrderCreation, RelativeToFirstCapture, RelativeToEveryCapture}
}

// The ways to pay an instalment. An invoice is paid by bank transfer.
const (
	MethodCard        = "card"
	MethodDirectDebit = "direct_debit"
	MethodInvoice     = "invoice"
)

// Methods returns every payment method.
func Methods() []string { return []string{MethodCard, MethodDirectDebit, MethodInvoice} }

// DefaultValidityDays is how long an offer stands when nothing else is set.
const DefaultValidityDays = 7

// Bounds of a due rule: far beyond any credit term sold, near enough that no
// date leaves the calendar.
const (
	maxDueDays   = 3650
	maxDueMonths = 120
)

// Template is a merchant's pattern for payment plans.
type Template struct {
	ID           string            `json:"id"` // pptemp-…
	Name         string            `json:"name"`
	Installments []InstallmentRule `json:"installments"`
	RelativeTo   string            `json:"payment_terms_relative_to"`

	MerchantFee      MerchantFee   `json:"merchant_fee"`
	CustomerFee      money.Percent `json:"customer_fee_percentage"`      // added to what the buyer pays
	CustomerDiscount money.Percent `json:"customer_percentage_discount"` // taken off the order

	Methods   []string `json:"payment_methods"`      // for instalments that name none
	Countries []string `json:"countries"`            // of buyers; empty: all
	MinAmount int64    `json:"min_amount"`           // minor units of the order
	MaxAmount int64    `json:"max_amount,omitempty"` // minor units; 0: no maximum
}

// MerchantFee is what a plan costs the merchant: a percentage of the order
// plus a fixed sum in minor units of its currency.
type MerchantFee struct {
	Percentage money.Percent `json:"percentage"`
	Fixed      int64         `json:"fixed"`
}

// InstallmentRule says when a part of the order is due, and which part.
// Exactly one of the two due rules is set; neither when paid upfront.
type InstallmentRule struct {
	DueAfterDays   *int          `json:"due_after_nb_days"`
	DueEndOfMonths *int          `json:"due_end_of_nb_months"` // last day of the n-th month from now; 0: this month
	Percentage     money.Percent `json:"amount_percentage"`
	Upfront        bool          `json:"is_upfront_payment"`
	Methods        []string      `json:"payment_methods,omitempty"`
}

// DefaultTemplates returns what a sandbox merchant starts with. Ids are given
// by who stores them.
func DefaultTemplates() []Template {
	return []Template{
		template("30d", "1.00", after(30, "100")),
		template("60d", "2.00", after(60, "100")),
		template("30d + upfront", "1.00", upfront("30"), after(30, "70")),
		template("4xEOM", "2.00", endOfMonth(0, "25"), endOfMonth(1, "25"), endOfMonth(2, "25"), endOfMonth(3, "25")),
	}
}

func template(name, merchantFee string, rules ...InstallmentRule) Template {
	return Template{
		Name:         name,
		Installments: rules,
		RelativeTo:   RelativeToOrderCreation,
		MerchantFee:  MerchantFee{Percentage: money.MustPercent(merchantFee)},
		Methods:      Methods(),
		Countries:    []string{},
	}
}

func after(days int, percentage string) InstallmentRule {
	return InstallmentRule{DueAfterDays: &days, Percentage: money.MustPercent(percentage)}
}

func endOfMonth(months int, percentage string) InstallmentRule {
	return InstallmentRule{DueEndOfMonths: &months, Percentage: money.MustPercent(percentage)}
}

// upfront: a direct debit takes days to collect, so it is no way to pay now.
func upfront(percentage string) InstallmentRule {
	return InstallmentRule{Upfront: true, Percentage: money.MustPercent(percentage), Methods: []string{MethodCard, MethodInvoice}}
}

// ErrTemplate: a template that no plan can be made from. The wrapping error
// says why.
var ErrTemplate = errors.New("offer: bad plan template")

// Validate reports the first thing wrong with a template, wrapping
// ErrTemplate; nil for a sound one.
func (t Template) Validate() error {
	switch {
	case t.Name == "":
		return bad("no name")
	case !slices.Contains(RelativeTos(), t.RelativeTo):
		return bad("payment_terms_relative_to %q is not known", t.RelativeTo)
	case len(t.Installments) == 0:
		return bad("no instalments")
	case t.CustomerFee.Hundredths() < 0 || t.CustomerDiscount.Hundredths() < 0 || t.MerchantFee.Percentage.Hundredths() < 0 || t.MerchantFee.Fixed < 0:
		return bad("fees and discounts are not below zero")
	case t.MinAmount < 0 || t.MaxAmount < 0 || t.MaxAmount != 0 && t.MaxAmount < t.MinAmount:
		return bad("the amounts are no range")
	}
	var sum int64
	for n, rule := range t.Installments {
		if err := rule.validate(t.methods(rule)); err != nil {
			return fmt.Errorf("instalment %d: %w", n+1, err)
		}
		sum += rule.Percentage.Hundredths()
	}
	if sum != money.MustPercent("100").Hundredths() {
		return bad("the percentages sum to %s", money.FormatFixed(sum, 2))
	}
	return nil
}

func (r InstallmentRule) validate(methods []string) error {
	if r.Percentage.Hundredths() <= 0 {
		return bad("amount_percentage is not above zero")
	}
	if len(methods) == 0 || slices.ContainsFunc(methods, func(m string) bool { return !slices.Contains(Methods(), m) }) {
		return bad("payment methods %v", methods)
	}
	days, months := r.DueAfterDays, r.DueEndOfMonths
	switch {
	case r.Upfront && (days != nil || months != nil):
		return bad("paid upfront, and due later")
	case !r.Upfront && (days == nil) == (months == nil):
		return bad("needs one of due_after_nb_days and due_end_of_nb_months")
	case days != nil && (*days < 0 || *days > maxDueDays):
		return bad("due_after_nb_days is not from 0 to %d", maxDueDays)
	case months != nil && (*months < 0 || *months > maxDueMonths):
		return bad("due_end_of_nb_months is not from 0 to %d", maxDueMonths)
	}
	return nil
}

func bad(format string, values ...any) error {
	return fmt.Errorf("%w: %s", ErrTemplate, fmt.Sprintf(format, values...))
}

func (t Template) methods(r InstallmentRule) []string {
	if len(r.Methods) > 0 {
		return r.Methods
	}
	return t.Methods
}

// Serves reports whether the template is meant for an order of that total
// (minor units) by a buyer of that country.
func (t Template) Serves(country string, orderTotal int64) bool {
	return (len(t.Countries) == 0 || slices.Contains(t.Countries, country)) &&
		orderTotal >= t.MinAmount && (t.MaxAmount == 0 || orderTotal <= t.MaxAmount)
}

// Offer is a set of payment plans for one order. The fields without a JSON
// name live in key columns beside the stored body.
type Offer struct {
	ID       string          `json:"-"` // offr-…
	Order    string          `json:"-"` // order-…
	Plans    []Plan          `json:"offered_payment_plans"`
	URLs     URLs            `json:"urls"`
	Locale   string          `json:"locale"`
	Metadata json.RawMessage `json:"metadata,omitempty"` // echoed unchanged
}

// URLs are the merchant's addresses to send the buyer, or news, to.
type URLs struct {
	Success       string `json:"success"`
	Failure       string `json:"failure"`
	Cancel        string `json:"cancel"`
	Notification  string `json:"notification"`
	MerchantTerms string `json:"merchant_terms"`
}

// ValidUntil returns when an offer made at that time ends: days times 24
// hours later, whatever the clocks on the wall do in between.
func ValidUntil(made time.Time, days int) time.Time {
	return made.Add(time.Duration(days) * 24 * time.Hour)
}

// AcceptableAt reports whether the buyer can take the plan at that time: it
// is offered, and its validity has not ended.
func (p Plan) AcceptableAt(now time.Time) bool {
	return p.Status == StatusOffered && now.Before(p.ValidUntil)
}

// LapsedAt reports whether the plan is still called offered though its
// validity has ended, so that it must become expired.
func (p Plan) LapsedAt(now time.Time) bool {
	return p.Status == StatusOffered && !now.Before(p.ValidUntil)
}
