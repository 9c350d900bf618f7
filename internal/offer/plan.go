package offer

import (
	"errors"
	"slices"
	"time"

	"tradecredit/internal/money"
)

// ErrOrderTotal: there is nothing to pay in instalments.
var ErrOrderTotal = errors.New("offer: the order total is not above zero")

// ErrLimit: the plan needs more than the limits have left.
var ErrLimit = errors.New("offer: beyond the buyer's limits")

// dateLayout is how dates are stored and written.
const dateLayout = "2006-01-02"

// Plan is a payment plan made for one order, in the shape of the document's
// payment plan object. Amounts are in minor units of Currency.
type Plan struct {
	ID                         string             `json:"id"` // ppln-…
	Name                       string             `json:"name"`
	Template                   string             `json:"template"`
	Currency                   string             `json:"currency"`
	ProtectedAmount            int64              `json:"protected_amount"`
	UnprotectedAmount          int64              `json:"unprotected_amount"`
	ScheduledPayments          []ScheduledPayment `json:"scheduled_payments"`
	RelativeTo                 string             `json:"payment_terms_relative_to"`
	MerchantFee                money.Amount       `json:"merchant_fee"`
	CustomerFee                PlanFee            `json:"customer_fee"`
	CustomerPercentageDiscount money.Percent      `json:"customer_percentage_discount"`
	CustomerDiscount           money.Amount       `json:"customer_discount"`
	ValidUntil                 time.Time          `json:"valid_until"`
	Status                     string             `json:"status"`
	RejectionReason            *RejectionReason   `json:"rejection_reason"`
	HasUpfrontPayment          bool               `json:"has_upfront_payment"`
}

// PlanFee is what the whole plan costs the buyer; it is part of the scheduled
// amounts.
type PlanFee struct {
	Currency   string        `json:"currency"`
	Percentage money.Percent `json:"percentage"`
	Amount     int64         `json:"amount"`
}

// ScheduledPayment is one instalment. Amount includes the customer fee;
// DiscountedAmount is what is left of it after the discount.
type ScheduledPayment struct {
	Date                  string        `json:"date"` // YYYY-MM-DD
	Amount                int64         `json:"amount"`
	DiscountedAmount      int64         `json:"discounted_amount"`
	CustomerFee           PaymentFee    `json:"customer_fee"`
	AllowedPaymentMethods []Method      `json:"allowed_payment_methods"`
	PaymentMethod         *Method       `json:"payment_method"` // nil before acceptance
	DueDateConfig         DueDateConfig `json:"due_date_config"`
}

// PaymentFee is an instalment's part of the customer fee.
type PaymentFee struct {
	Percentage money.Percent `json:"percentage"`
	Amount     int64         `json:"amount"`
}

// Method is a way to pay.
type Method struct {
	Type string `json:"type"`
}

// DueDateConfig is the rule an instalment was made by, kept so that its date
// can be worked out again.
type DueDateConfig struct {
	DueAfterDays     *int    `json:"due_after_nb_days"`
	DueEndOfMonths   *int    `json:"due_end_of_nb_months"`
	AmountPercentage *string `json:"amount_percentage"` // "25.0"; nil on plans from before it was kept
	Upfront          bool    `json:"is_upfront_payment"`
}

// RejectionReason says why a plan was declined.
type RejectionReason struct {
	Code   string         `json:"code"`
	Detail string         `json:"detail"`
	Params map[string]any `json:"params"`
}

// Terms is what BuildPlan needs to know of the order. Amounts and limits are
// in minor units of Currency. Of BaseDate, the day from which due dates count,
// only the calendar date in its own zone is used.
type Terms struct {
	OrderTotal       int64
	Currency         string
	BaseDate         time.Time
	ProtectedLimit   int64 // what is left of the lender's limit
	UnprotectedLimit int64 // what is left of the merchant's own limit on top
}

// BuildPlan makes the plan of a template for an order. The instalments are
// percentages of the order, cut to whole units, the remainder added to the
// first; each carries its part of the customer fee.
//
// protected_amount and unprotected_amount sum to what the buyer owes: order
// plus customer fee (the document shows 100400 for an order of 100000 with a
// fee of 0.40 %). A discount does not reduce them: captures count the order's
// full value, and a full capture shall be protected. The lender's limit is
// used before the merchant's.
//
// When both limits together do not suffice, the result is ErrLimit together
// with the plan as declined, its amount shown as protected, as the document
// shows declined plans. Other errors, without a plan: ErrTemplate,
// ErrOrderTotal, money.ErrOverflow.
//
// Id, validity and rejection reason are the caller's to set.
func BuildPlan(t Template, terms Terms) (Plan, error) {
	if err := t.Validate(); err != nil {
		return Plan{}, err
	}
	if terms.OrderTotal <= 0 {
		return Plan{}, ErrOrderTotal
	}
	fee, discount := t.CustomerFee.Of(terms.OrderTotal), t.CustomerDiscount.Of(terms.OrderTotal)
	owed, err := money.CheckedAdd(terms.OrderTotal, fee)
	if err != nil {
		return Plan{}, err
	}
	merchantFee, err := money.CheckedAdd(t.MerchantFee.Percentage.Of(terms.OrderTotal), t.MerchantFee.Fixed)
	if err != nil {
		return Plan{}, err
	}
	plan := Plan{
		Name:                       t.Name,
		Template:                   t.ID,
		Currency:                   terms.Currency,
		ScheduledPayments:          schedule(t, terms, fee, discount),
		RelativeTo:                 t.RelativeTo,
		MerchantFee:                money.Amount{Minor: merchantFee, Currency: terms.Currency},
		CustomerFee:                PlanFee{Currency: terms.Currency, Percentage: t.CustomerFee, Amount: fee},
		CustomerPercentageDiscount: t.CustomerDiscount,
		CustomerDiscount:           money.Amount{Minor: discount, Currency: terms.Currency},
		Status:                     StatusOffered,
		HasUpfrontPayment:          slices.ContainsFunc(t.Installments, func(r InstallmentRule) bool { return r.Upfront }),
	}
	plan.ProtectedAmount, plan.UnprotectedAmount, err = split(owed, terms)
	if err != nil {
		plan.Status = StatusDeclined
	}
	return plan, err
}

// split divides what is owed between the two limits. A limit below zero (one
// that was lowered under what is in use) has nothing left.
func split(owed int64, terms Terms) (protected, unprotected int64, err error) {
	protected = min(owed, max(terms.ProtectedLimit, 0))
	unprotected = owed - protected
	if unprotected > max(terms.UnprotectedLimit, 0) {
		return owed, 0, ErrLimit
	}
	return protected, unprotected, nil
}

// schedule lays out the instalments. No sum can overflow here: their parts
// sum to figures that BuildPlan has seen to fit.
func schedule(t Template, terms Terms, fee, discount int64) []ScheduledPayment {
	weights := make([]int64, len(t.Installments))
	for n, rule := range t.Installments {
		weights[n] = rule.Percentage.Hundredths()
	}
	parts := money.Allocate(terms.OrderTotal, weights)
	fees := money.Allocate(fee, parts)
	discounts := capped(money.Allocate(discount, parts), parts)

	payments := make([]ScheduledPayment, len(t.Installments))
	for n, rule := range t.Installments {
		percentage := rule.Percentage.Short()
		config := DueDateConfig{DueAfterDays: rule.DueAfterDays, DueEndOfMonths: rule.DueEndOfMonths, AmountPercentage: &percentage, Upfront: rule.Upfront}
		payments[n] = ScheduledPayment{
			Date:                  DueDate(terms.BaseDate, config).Format(dateLayout),
			Amount:                parts[n] + fees[n],
			DiscountedAmount:      parts[n] + fees[n] - discounts[n],
			CustomerFee:           PaymentFee{Percentage: t.CustomerFee, Amount: fees[n]},
			AllowedPaymentMethods: asMethods(t.methods(rule)),
			DueDateConfig:         config,
		}
	}
	return payments
}

// capped hands what is more than a part's bound on to the next one. With a
// very large discount on a very small order the remainder, which goes to the
// first instalment, could otherwise be more than that instalment.
func capped(parts, bounds []int64) []int64 {
	var over int64
	for n := range parts {
		parts[n] += over
		over = max(parts[n]-bounds[n], 0)
		parts[n] -= over
	}
	return parts
}

func asMethods(types []string) []Method {
	methods := make([]Method, len(types))
	for n, t := range types {
		methods[n] = Method{Type: t}
	}
	return methods
}

// DueDate works out when an instalment is due, counted from the calendar date
// of base: that day when paid upfront, so many days later, or the last day of
// the month that many months on (0: of the same month). It is midnight UTC.
func DueDate(base time.Time, config DueDateConfig) time.Time {
	year, month, day := base.Date()
	switch {
	case config.Upfront:
	case config.DueAfterDays != nil:
		day += *config.DueAfterDays
	case config.DueEndOfMonths != nil:
		// Day 0 of a month is the last day of the one before.
		month, day = month+time.Month(*config.DueEndOfMonths)+1, 0
	}
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// Redate returns the schedule with its dates counted from the day of the
// first capture. What is paid upfront keeps its date, and so does everything
// when the terms count from the order's creation. For every_capture these are
// the dates of the first capture's part. The given plan is left as it is.
func (p Plan) Redate(firstCapture time.Time) []ScheduledPayment {
	payments := slices.Clone(p.ScheduledPayments)
	if p.RelativeTo == RelativeToOrderCreation {
		return payments
	}
	for n := range payments {
		if config := payments[n].DueDateConfig; !config.Upfront {
			payments[n].Date = DueDate(firstCapture, config).Format(dateLayout)
		}
	}
	return payments
}
