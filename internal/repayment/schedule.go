// Package repayment is how buyers pay what they owe: when which part is due, what
// has come in, what is late, and what is done about it.
//
// A schedule is never stored. It follows from the plan, the post-sale events and
// what was paid, and is worked out again wherever it is needed.
package repayment

import (
	"cmp"
	"slices"
	"time"

	"tradecredit/internal/deferred"
	"tradecredit/internal/money"
	"tradecredit/internal/offer"
)

// Instalment is a part of a debt with the day on which it is due. Amounts are in
// minor units.
type Instalment struct {
	// Date is the due date, midnight UTC.
	Date   time.Time
	Amount int64
	Paid   int64
	// Upfront is set for what is paid before anything is captured.
	Upfront bool
}

// Open is what is not paid yet.
func (i Instalment) Open() int64 { return i.Amount - i.Paid }

// Schedule is the instalments of a deferred payment, by date.
type Schedule []Instalment

// tranche is what a capture has added to what the buyer owes, as far as it was not
// refunded.
type tranche struct {
	day    time.Time
	amount int64
}

// Build works out the schedule of a deferred payment.
//
// Every capture is a tranche with the plan's instalments, dated by the plan's
// terms: from the order, from the first capture, or from the capture itself. No
// part is due before the day of its capture. A tranche is what the capture added
// to what is owed, with its part of the customer fee and of the discount, so that
// nothing that happens later changes what was due before. Refunds are taken from
// the newest tranche first: what falls due last goes first. What is paid upfront
// pays the oldest captures. What was paid fills the instalments from the oldest on.
func Build(plan offer.Plan, entries []deferred.Entry, s deferred.State) Schedule {
	var out Schedule
	rest := s.Owed()
	var rules []offer.ScheduledPayment
	for _, sp := range plan.ScheduledPayments {
		if !sp.DueDateConfig.Upfront {
			rules = append(rules, sp)
		}
	}
	if upfront := min(s.Upfront, s.OwedAtMost()); upfront > 0 && s.Status != deferred.StatusRejected {
		if len(rules) == 0 {
			// Everything is paid upfront, overcaptures and late captures too.
			upfront = max(upfront, rest)
		}
		out = append(out, Instalment{Date: upfrontDate(plan), Amount: upfront, Upfront: true})
		rest = max(0, rest-upfront)
	}
	tranches := tranchesOf(entries, s)
	if rest > 0 && len(rules) > 0 {
		// What is paid upfront pays the oldest captures.
		covered := s.Owed() - rest
		for _, t := range tranches {
			part := min(covered, t.amount)
			covered -= part
			out = append(out, instalments(plan, rules, t, tranches[0].day, t.amount-part)...)
		}
	}
	return out.merged().filled(s.Repaid)
}

func upfrontDate(plan offer.Plan) time.Time {
	for _, sp := range plan.ScheduledPayments {
		if sp.DueDateConfig.Upfront {
			return date(sp.Date)
		}
	}
	return time.Time{}
}

// tranchesOf are the captures that are left, oldest first, with what each of them
// added to what the buyer owes: its part of the customer fee and of the discount
// is that of the moment, so that no later event changes what was due before.
func tranchesOf(entries []deferred.Entry, s deferred.State) []tranche {
	var out []tranche
	replay := deferred.State{OrderTotal: s.OrderTotal, CustomerDiscountSum: s.CustomerDiscountSum}
	for _, e := range entries {
		before := replay.Owed()
		replay.ProtectedCaptures += e.Changes.ProtectedCaptures
		replay.UnprotectedCaptures += e.Changes.UnprotectedCaptures
		replay.Clawback += e.Changes.Clawback
		replay.CustomerFee.Captures += e.CustomerFee.Captures
		change := replay.Owed() - before
		if e.Changes.ProtectedCaptures+e.Changes.UnprotectedCaptures+e.Changes.Clawback > 0 {
			out = append(out, tranche{day: day(e.Created), amount: change})
		}
		for i := len(out) - 1; i >= 0 && change < 0; i-- {
			taken := min(out[i].amount, -change)
			out[i].amount -= taken
			change += taken
		}
	}
	return out
}

// instalments dates the parts of one tranche.
func instalments(plan offer.Plan, rules []offer.ScheduledPayment, t tranche, first time.Time, amount int64) Schedule {
	weights := make([]int64, len(rules))
	for i, r := range rules {
		weights[i] = max(r.DiscountedAmount, 0)
	}
	var out Schedule
	for i, part := range money.Allocate(amount, weights) {
		due := date(rules[i].Date)
		switch plan.RelativeTo {
		case offer.RelativeToFirstCapture:
			due = offer.DueDate(first, rules[i].DueDateConfig)
		case offer.RelativeToEveryCapture:
			due = offer.DueDate(t.day, rules[i].DueDateConfig)
		}
		if due.Before(t.day) {
			due = t.day
		}
		out = append(out, Instalment{Date: due, Amount: part})
	}
	return out
}

// merged is the schedule by date, with one instalment a day, and none of nothing.
func (s Schedule) merged() Schedule {
	slices.SortStableFunc(s, func(a, b Instalment) int {
		return cmp.Or(a.Date.Compare(b.Date), cmp.Compare(b2i(b.Upfront), b2i(a.Upfront)))
	})
	out := Schedule{}
	for _, i := range s {
		last := len(out) - 1
		switch {
		case i.Amount == 0:
		case last >= 0 && out[last].Date.Equal(i.Date) && out[last].Upfront == i.Upfront:
			out[last].Amount += i.Amount
		default:
			out = append(out, i)
		}
	}
	return out
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// filled pays the instalments, the oldest first.
func (s Schedule) filled(paid int64) Schedule {
	for i := range s {
		s[i].Paid = min(paid, s[i].Amount)
		paid -= s[i].Paid
	}
	return s
}

// Without is the schedule without what was given up: the oldest parts that are not
// paid are not asked for any more.
func (s Schedule) Without(writtenOff int64) Schedule {
	out := slices.Clone(s)
	for i := range out {
		part := min(writtenOff, out[i].Open())
		out[i].Paid += part
		writtenOff -= part
	}
	return out
}

// Total is the sum of all instalments.
func (s Schedule) Total() (sum int64) {
	for _, i := range s {
		sum += i.Amount
	}
	return sum
}

// Due is what is open of the instalments that are due on a day.
func (s Schedule) Due(on time.Time) (sum int64) {
	for _, i := range s {
		if !i.Date.After(on) {
			sum += i.Open()
		}
	}
	return sum
}

// newest is the due date of the open instalment that fell due last, seen from a
// day; the zero time when none did.
func (s Schedule) newest(on time.Time) (newest time.Time) {
	for _, i := range s {
		if i.Open() > 0 && !i.Date.After(on) {
			newest = i.Date
		}
	}
	return newest
}

// overdue is what is open since a day. What should have been paid upfront counts
// from the newest capture on: before it nobody lost anything.
func (s Schedule) overdue(since, lastCapture time.Time) (sum int64) {
	for _, i := range s {
		due := i.Date
		if i.Upfront && due.Before(lastCapture) {
			due = lastCapture
		}
		if !due.After(since) {
			sum += i.Open()
		}
	}
	return sum
}

// Next is the first instalment that is not paid; ok is false when there is none.
func (s Schedule) Next() (next Instalment, ok bool) {
	for _, i := range s {
		if i.Open() > 0 {
			return i, true
		}
	}
	return Instalment{}, false
}

// EarliestDate is the first day on which something of a payment may fall due that
// is not captured yet, seen from a day. It is never before that day.
func EarliestDate(plan offer.Plan, captured bool, today time.Time) time.Time {
	var out time.Time
	for _, sp := range plan.ScheduledPayments {
		if sp.DueDateConfig.Upfront {
			continue
		}
		due := date(sp.Date)
		if plan.RelativeTo == offer.RelativeToEveryCapture || plan.RelativeTo == offer.RelativeToFirstCapture && !captured {
			due = offer.DueDate(today, sp.DueDateConfig)
		}
		if due.Before(today) {
			due = today
		}
		if out.IsZero() || due.Before(out) {
			out = due
		}
	}
	if out.IsZero() {
		return today
	}
	return out
}

// day is the calendar day of a time, midnight UTC.
func day(t time.Time) time.Time {
	year, month, d := t.UTC().Date()
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

// date reads a day that we have written ourselves; the zero time if it is "".
func date(text string) time.Time {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return time.Time{}
	}
	return t
}

func dateText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}
