package payout

import (
	"fmt"
	"slices"
	"strings"

	"tradecredit/internal/deferred"
	"tradecredit/internal/id"
	"tradecredit/internal/money"
)

// ItemOf is the item that a change makes, or false when it changes nothing of
// what the merchant is to be paid. Its identifier follows from that of the event,
// so that no event can make two.
func ItemOf(h deferred.Happening) (Item, bool) {
	i := Item{
		MerchantID: h.After.MerchantID, PaymentID: h.After.ID, OrderID: h.After.OrderID, Currency: h.After.Currency,
		EventN: h.Entry.N, Awaiting: !h.After.Invoiced, Created: midnight(h.Now),
		Amount: h.After.ForMerchant() - h.Before.ForMerchant(),
		Fees:   h.After.MerchantFee() - h.Before.MerchantFee(),
	}
	_, unique, ok := strings.Cut(h.ID, "-")
	if !ok {
		unique = h.ID
	}
	i.ID = string(id.PayoutItem) + "-" + unique
	i.Type = itemType(h.Entry, i.Amount)
	return i, i.Amount != 0 || i.Fees != 0
}

// itemType names a change of the order, or money of the buyer for what was clawed
// back from the merchant.
func itemType(e deferred.Entry, amount int64) string {
	switch {
	case e.Type == "" && amount < 0:
		return Chargeback
	case e.Type == "":
		return Settlement
	case e.Type == deferred.EventCapture:
		return Fulfillment
	case e.Type == deferred.EventClawback:
		return Reversal
	case e.Type == deferred.EventAdjustment:
		return OtherItem
	case e.Origin == "discount":
		return Discount
	case e.Origin == "cancel" || e.Type == deferred.EventVoid || e.Type == deferred.EventExpiry:
		return Cancellation
	case e.Type == deferred.EventRefund:
		return Return
	}
	return OtherItem
}

// Terms are the merchant's settings that a payout is made under.
type Terms struct {
	// Structure is net_of_fees or gross_of_fees.
	Structure string
	// Fixed is in minor units, Relative in percent of unpaid orders.
	Fixed    int64
	Relative money.Percent
}

// Minimum is the balance that is kept back, in minor units: the larger one of
// Fixed and Relative.
type Minimum struct {
	Fixed, Relative, Actual int64
}

// Minimum is the balance to keep back when buyers have not paid that much.
func (t Terms) Minimum(unpaid int64) Minimum {
	m := Minimum{Fixed: t.Fixed, Relative: t.Relative.Of(max(0, unpaid))}
	m.Actual = max(m.Fixed, m.Relative)
	return m
}

// pays is what an item adds to a payout.
func (t Terms) pays(amount, fees int64) (int64, error) {
	if t.Structure != structureNetOfFees {
		return amount, nil
	}
	return money.CheckedSub(amount, fees)
}

// Sums are what is due, before anything is kept back.
type Sums struct {
	// Items is before Fees.
	Items, Fees int64
	Adjustments int64
}

// Figures are those of a payout, in minor units:
// Amount = ItemsAmount + AdjustmentsAmount - Fees - Withheld, where Fees count
// only net of fees.
type Figures struct {
	// ItemsAmount is of all items that were due, those that are withheld included.
	ItemsAmount       int64
	AdjustmentsAmount int64
	// Fees are those of the items that are paid.
	Fees int64
	// Withheld is of the items that are not.
	Withheld int64
	// Amount is what the bank is to pay, never below zero.
	Amount int64
	// Carried is how much of what the merchant owes is left for the next payout.
	// It is part of AdjustmentsAmount already.
	Carried int64
}

// Withholding decides which items are kept back. They are offered newest first.
//
// An item is kept back as long as the minimum balance is not reached, and only if
// the payout does not fall below zero by that: what the merchant has to give back
// comes out of the balance, not out of a debt.
type Withholding struct {
	terms  Terms
	needed int64
	due    Sums
	left   int64
	amount int64
	fees   int64
}

// NewWithholding starts with what is due and the balance to be kept back. It
// returns an error when the figures do not fit into 64 bits.
func NewWithholding(t Terms, needed int64, due Sums) (*Withholding, error) {
	w := &Withholding{terms: t, needed: needed, due: due}
	items, err := t.pays(due.Items, due.Fees)
	if err == nil {
		w.left, err = money.CheckedAdd(items, due.Adjustments)
	}
	return w, err
}

// Enough tells whether nothing more needs to be kept back.
func (w *Withholding) Enough() bool { return w.amount >= w.needed || w.left <= 0 }

// Take offers an item and tells whether it is kept back.
func (w *Withholding) Take(amount, fees int64) bool {
	pays, err := w.terms.pays(amount, fees)
	if err != nil || amount <= 0 || w.Enough() || pays > w.left {
		return false
	}
	held, err := money.CheckedAdd(w.amount, amount)
	if err != nil {
		return false
	}
	w.amount, w.fees, w.left = held, w.fees+fees, w.left-pays
	return true
}

// Figures are those of the payout. What is below zero is carried over to the next
// payout, so that the amount is zero.
func (w *Withholding) Figures() (Figures, error) {
	f := Figures{ItemsAmount: w.due.Items, Fees: w.due.Fees - w.fees, Withheld: w.amount, Amount: max(0, w.left)}
	var err error
	if w.left < 0 {
		if f.Carried, err = money.CheckedNeg(w.left); err != nil {
			return f, err
		}
	}
	f.AdjustmentsAmount, err = money.CheckedAdd(w.due.Adjustments, f.Carried)
	return f, err
}

// Figure is what Compute looks at of an item.
type Figure struct{ Amount, Fees int64 }

// Compute makes a payout of items, oldest first, and adjustments. It returns which
// of the items are withheld, by their place.
func Compute(items []Figure, adjustments []int64, t Terms, unpaid int64) (Figures, Minimum, []int, error) {
	var due Sums
	amounts, fees := make([]int64, len(items)), make([]int64, len(items))
	for n, i := range items {
		amounts[n], fees[n] = i.Amount, i.Fees
	}
	for target, values := range map[*int64][]int64{&due.Items: amounts, &due.Fees: fees, &due.Adjustments: adjustments} {
		var err error
		if *target, err = money.Sum(values...); err != nil {
			return Figures{}, Minimum{}, nil, err
		}
	}
	minimum := t.Minimum(unpaid)
	w, err := NewWithholding(t, minimum.Actual, due)
	if err != nil {
		return Figures{}, minimum, nil, err
	}
	var held []int
	for n, i := range slices.Backward(items) {
		if w.Take(i.Amount, i.Fees) {
			held = append(held, n)
		}
	}
	f, err := w.Figures()
	return f, minimum, held, err
}

// Check returns an error that says what is wrong with an adjustment an operator
// enters, and fills in its amount: the net amount and the tax on it, a half
// rounded up.
func (a *Adjustment) Check() error {
	if !slices.Contains(AdjustmentTypes, a.Type) {
		return fmt.Errorf("type is one of %s", strings.Join(AdjustmentTypes, ", "))
	}
	if _, ok := money.Exponent(a.Currency); !ok {
		return fmt.Errorf("currency %q is not known", a.Currency)
	}
	if a.NetAmount == 0 {
		return fmt.Errorf("net_amount is zero")
	}
	if a.TaxRate.Hundredths() < 0 {
		return fmt.Errorf("tax_rate is below zero")
	}
	var err error
	a.Amount, err = money.CheckedAdd(a.NetAmount, a.TaxRate.Of(a.NetAmount))
	return err
}
