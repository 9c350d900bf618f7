package deferred

import (
	"tradecredit/internal/credit"
	"tradecredit/internal/money"
	"tradecredit/internal/order"
)

// All figures here follow from a state alone, in minor units.

// Owed is what the buyer has to pay for what was captured, whether paid already
// or not: captures and their part of the customer fee, less their part of the
// discount. What was clawed back from the merchant is still owed by the buyer.
func (s State) Owed() int64 {
	return s.financed() + s.CustomerFee.Captures - s.Discount()
}

// financed is what has been captured and not refunded.
func (s State) financed() int64 {
	return s.ProtectedCaptures + s.UnprotectedCaptures + s.Clawback
}

// Discount is the part of the plan's discount that the captures have earned.
// Overcaptures earn none, for none was agreed.
func (s State) Discount() int64 {
	return share(s.CustomerDiscountSum, min(s.financed(), s.OrderTotal), s.OrderTotal)
}

// OwedAtMost is what the buyer will owe when all that is authorised is captured.
func (s State) OwedAtMost() int64 {
	if s.Authorisation <= 0 || !s.Status.Active() && s.Status == StatusRejected {
		return s.Owed()
	}
	s.UnprotectedCaptures += s.Authorisation
	s.CustomerFee.Captures += s.CustomerFee.Authorisation
	return s.Owed()
}

// Unpaid is what the buyer owes and has not paid; what was written off is still
// unpaid.
func (s State) Unpaid() int64 { return max(0, s.Owed()-s.Repaid) }

// Outstanding is what the buyer is still expected to pay for what was captured.
func (s State) Outstanding() int64 { return max(0, s.Owed()-s.Repaid-s.WrittenOff) }

// Refundable is what the buyer has paid and cannot come to owe any more: what
// must be given back.
func (s State) Refundable() int64 {
	if s.Status == StatusRejected {
		return s.Repaid
	}
	return max(0, s.Repaid-s.OwedAtMost())
}

// PassedOn is what the buyer has paid of what was clawed back from the merchant:
// it is the merchant's. The lender's part is paid first.
func (s State) PassedOn() int64 {
	return min(s.Clawback, max(0, s.Repaid-(s.Owed()-s.Clawback)))
}

// MerchantFee is what the merchant owes for what was captured, in the proportion
// of the plan's fee to the order. Refunds give their part back, a clawback does
// not. Overcaptures cost as much as captures.
func (s State) MerchantFee() int64 {
	fee, err := money.MulDiv(s.MerchantFeeSum, s.financed(), s.OrderTotal)
	if err != nil {
		return s.MerchantFeeSum
	}
	return fee
}

// ForMerchant is what is to be paid to the merchant, before fees.
func (s State) ForMerchant() int64 {
	return s.ProtectedCaptures + s.UnprotectedCaptures + s.PassedOn()
}

// protectable is the part of the authorisation that would be captured under
// protection.
func (s State) protectable() int64 {
	return min(max(0, s.Authorisation), max(0, s.ProtectedAmount-s.ProtectedCaptures))
}

// Exposure is the part of the lender's limit for the buyer that a deferred
// payment has in use: what is captured under protection and not paid, and what is
// authorised and would be. Payments that were rejected use nothing.
//
// What the buyer pays is taken off the lender's risk first. So no capture, not
// even one above the authorisation, ever takes more of the limit.
func (s State) Exposure() int64 {
	if s.Status == StatusRejected {
		return 0
	}
	return max(0, s.ProtectedCaptures+s.protectable()-s.Repaid-s.Discount())
}

// UnprotectedExposure is the part of the merchant's own limit for the buyer that
// a deferred payment has in use. What was clawed back has become the merchant's
// loss already and uses nothing.
func (s State) UnprotectedExposure() int64 {
	if s.Status == StatusRejected {
		return 0
	}
	paid := max(0, s.Repaid+s.Discount()-s.ProtectedCaptures-s.protectable())
	authorised := max(0, s.Authorisation) - s.protectable()
	return max(0, s.UnprotectedCaptures+authorised-paid)
}

// Exposures is what a payment has in use of each limit.
func (p Payment) Exposures() map[credit.Key]int64 {
	return map[credit.Key]int64{
		{CompanyID: p.CompanyID, Currency: p.Currency}:                           p.Exposure(),
		{MerchantID: p.MerchantID, CompanyID: p.CompanyID, Currency: p.Currency}: p.UnprotectedExposure(),
	}
}

// moved is what the exposures of a payment changed by.
func moved(before, after Payment) map[credit.Key]int64 {
	out := after.Exposures()
	for k, v := range before.Exposures() {
		out[k] -= v
	}
	return out
}

// OrderStatus is the status of the order behind a deferred payment: paid when
// everything that was and can be captured is paid, cancelled when nothing was or
// nothing is left of it. It is "" while the payment is not accepted.
func OrderStatus(s State) string {
	switch {
	case !s.Status.Active():
		return ""
	case s.Authorisation <= 0 && s.financed() == 0:
		return order.StatusCancelled
	case s.Authorisation <= 0 && s.Unpaid() == 0:
		return order.StatusPaid
	case s.Repaid > 0:
		return order.StatusPartiallyPaid
	}
	return order.StatusUnpaid
}
