package billing

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"tradecredit/internal/deferred"
	"tradecredit/internal/money"
)

// Period is a billing period: the days from Start on, up to but without Close,
// the day on which its statement is made. Both are midnights UTC.
type Period struct {
	N     int64
	Start time.Time
	Close time.Time
}

// Last is the last day of the period.
func (p Period) Last() time.Time { return p.Close.AddDate(0, 0, -1) }

// PeriodOf is period n, from 0, of an account that was created at a time. Weeks
// are counted from that day. Months begin on the same day of each month, or on its
// last day where it is too short, so that an account of 31 January goes on 28
// February and then on 31 March.
func PeriodOf(terms string, created time.Time, n int64) Period {
	first := day(created)
	return Period{N: n, Start: boundary(terms, first, n), Close: boundary(terms, first, n+1)}
}

func boundary(terms string, first time.Time, n int64) time.Time {
	switch terms {
	case "7d":
		return first.AddDate(0, 0, int(7*n))
	case "14d":
		return first.AddDate(0, 0, int(14*n))
	}
	year, month, d := first.Date()
	// The first of that month, then as far into it as it goes.
	start := time.Date(year, month+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	length := start.AddDate(0, 1, -1).Day()
	return start.AddDate(0, 0, min(d, length)-1)
}

// day is the calendar day of a time, midnight UTC.
func day(t time.Time) time.Time {
	year, month, d := t.UTC().Date()
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

// debt is what is owed of a deferred payment and neither paid nor given up, in
// minor units. It is below zero when more was paid than is owed.
func debt(p deferred.Payment) int64 { return p.Owed() - p.Repaid - p.WrittenOff }

// Lines are what a change of a deferred payment is on a statement. Their amounts
// sum to the change of the debt; there are none when it stays the same, as after a
// clawback, which is between the lender and the merchant.
func Lines(h deferred.Happening) []Line {
	b, a := h.Before, h.After
	financed := a.ProtectedCaptures + a.UnprotectedCaptures + a.Clawback -
		b.ProtectedCaptures - b.UnprotectedCaptures - b.Clawback
	parts := []struct {
		kind   string
		amount int64
	}{
		{goodsKind(h.Entry.Type, financed), financed},
		{KindFee, a.CustomerFee.Captures - b.CustomerFee.Captures},
		{KindDiscount, b.Discount() - a.Discount()},
		{moneyKind(h.Kind, a.Repaid-b.Repaid), b.Repaid - a.Repaid},
		{KindWriteOff, b.WrittenOff - a.WrittenOff},
	}
	var out []Line
	for _, p := range parts {
		if p.amount != 0 {
			out = append(out, Line{
				EventID: h.ID, Kind: p.kind, OrganisationID: a.OrganisationID, PaymentID: a.ID, Number: a.Number,
				OrderID: a.OrderID, Currency: a.Currency, Amount: p.amount, DebtBefore: debt(b), DebtAfter: debt(a), At: h.Now,
			})
		}
	}
	return out
}

// goodsKind names a change of what was captured.
func goodsKind(event string, change int64) string {
	switch {
	case event == deferred.EventCapture && change > 0:
		return KindCapture
	case event == deferred.EventRefund && change < 0:
		return KindRefund
	}
	return KindAdjustment
}

// moneyKind names a change of what was paid.
func moneyKind(event string, change int64) string {
	switch {
	case change > 0:
		return KindPayment
	case strings.HasSuffix(event, ".customer_refund"):
		return KindCustomerRefund
	}
	return KindPaymentReturned
}

// Sum adds lines to an opening balance.
func Sum(opening int64, byKind map[string]int64) (Totals, error) {
	t := Totals{
		Opening: opening, Captures: byKind[KindCapture], Refunds: byKind[KindRefund],
		Fees: byKind[KindFee], Discounts: byKind[KindDiscount],
	}
	parts := []int64{opening}
	for _, kind := range []string{KindPayment, KindPaymentReturned, KindCustomerRefund} {
		t.Payments += byKind[kind]
	}
	for _, kind := range []string{KindAdjustment, KindWriteOff} {
		t.Adjustments += byKind[kind]
	}
	parts = append(parts, t.Captures, t.Refunds, t.Fees, t.Discounts, t.Payments, t.Adjustments)
	for _, p := range parts {
		sum, err := money.CheckedAdd(t.Closing, p)
		if err != nil {
			return t, fmt.Errorf("billing: %w", err)
		}
		t.Closing = sum
	}
	return t, nil
}

// remaining is what is still to be paid of a statement, in minor units.
func remaining(items []Item) (sum int64) {
	for _, i := range items {
		sum += i.Open()
	}
	return sum
}

// statusOf is the state of a closed statement on a day.
func statusOf(s Statement, today time.Time) string {
	switch {
	case s.Remaining == 0:
		return StatusPaid
	case today.Format(time.DateOnly) > s.DueDate:
		return StatusOverdue
	case s.Remaining < s.AmountDue:
		return StatusPartiallyPaid
	}
	return StatusClosed
}

// Allocation is the part of a transfer that pays a deferred payment.
type Allocation struct {
	DeferredPaymentID string
	Amount            int64 // minor units
}

// Claim is what a transfer may pay of one deferred payment: at most Amount, in
// minor units, which was due on a day, or on none ("").
type Claim struct {
	DeferredPaymentID string
	DueDate           string
	Amount            int64
}

// Allocate spreads an amount over claims, the oldest due first and each in full
// before the next. rest is what no claim took.
func Allocate(amount int64, claims []Claim) (out []Allocation, rest int64) {
	rest = max(0, amount)
	claims = slices.Clone(claims)
	slices.SortStableFunc(claims, func(a, b Claim) int {
		return cmp.Or(cmp.Compare(dueRank(a.DueDate), dueRank(b.DueDate)), cmp.Compare(a.DeferredPaymentID, b.DeferredPaymentID))
	})
	for _, c := range claims {
		if part := min(rest, c.Amount); part > 0 {
			out = append(out, Allocation{c.DeferredPaymentID, part})
			rest -= part
		}
	}
	return out, rest
}

// dueRank sorts what is due on no day behind everything else.
func dueRank(date string) string {
	if date == "" {
		return "~"
	}
	return date
}

// claims are what a transfer for a statement may pay: what is open of each item,
// and no more than is still expected of the buyer.
func claims(items []Item, open map[string]Open) []Claim {
	out := make([]Claim, 0, len(items))
	for _, i := range items {
		now := open[i.PaymentID]
		out = append(out, Claim{DeferredPaymentID: i.PaymentID, DueDate: now.DueDate, Amount: min(i.Open(), now.Outstanding)})
	}
	return out
}
