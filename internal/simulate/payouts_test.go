package simulate

import (
	"fmt"
	"slices"
	"time"
)

// item is a change of what a merchant is to be paid.
type item struct {
	debt        *debt
	kind        string
	amount, fee int64
	day         time.Time
	payout      *payout // nil before it is paid
}

// payout is what was foretold, and the payout that came of it.
type payout struct {
	currency                                   string
	day                                        time.Time
	gross                                      bool
	items, adjustments, fees, withheld, amount int64
	fixed, relative                            int64
	parts                                      []*item
	id                                         string
}

// weekdays are the names that settings have.
var weekdays = map[string]time.Weekday{
	"monday": time.Monday, "tuesday": time.Tuesday, "wednesday": time.Wednesday, "thursday": time.Thursday, "friday": time.Friday,
}

// paysOn tells whether a weekly run falls on a day: a run on a holiday is put off
// to the next business day.
func (s *shop) paysOn(currency string, on time.Time) bool {
	for back := range 28 {
		run := on.AddDate(0, 0, -back)
		if run.Weekday() == weekdays[s.settings.weekday] && workdayFrom(currency, run).Equal(on) {
			return true
		}
	}
	return false
}

// cutoff is the last day of what may be paid on a day.
func (s *shop) cutoff(currency string, on time.Time) time.Time {
	last := on.AddDate(0, 0, -1)
	for workdaysAfter(currency, last, s.settings.delay).After(on) {
		last = last.AddDate(0, 0, -1)
	}
	return last
}

func (s *shop) pays(i *item) int64 {
	if s.settings.gross {
		return i.amount
	}
	return i.amount - i.fee
}

// payOut makes the payouts of a day.
func (s *shop) payOut(on time.Time) {
	for _, currency := range currencies {
		if s.paysOn(currency, on) {
			s.run(currency, on)
		}
	}
}

func (s *shop) run(currency string, on time.Time) {
	var due []*item
	last := s.cutoff(currency, on)
	for _, i := range s.items {
		ready := i.debt.invoiced || !s.settings.invoices
		if i.payout == nil && i.debt.buyer.currency == currency && !i.day.After(last) && ready {
			due = append(due, i)
		}
	}
	carried := s.carried[currency]
	if len(due) == 0 {
		return // what the merchant owes waits
	}
	p := &payout{currency: currency, day: on, gross: s.settings.gross, adjustments: carried, fixed: s.settings.fixed}
	left := carried
	for _, i := range due {
		p.items += i.amount
		p.fees += i.fee
		left += s.pays(i)
	}
	p.relative = portion(s.unpaid(currency), s.settings.relative, 10000)
	least := max(p.fixed, p.relative)
	for _, i := range slices.Backward(due) {
		if i.amount > 0 && p.withheld < least && left > 0 && s.pays(i) <= left {
			p.withheld += i.amount
			p.fees -= i.fee
			left -= s.pays(i)
			continue
		}
		p.parts = append(p.parts, i)
	}
	if len(p.parts) == 0 && carried == 0 {
		return // all of it is withheld
	}
	if left < 0 {
		p.adjustments -= left
	}
	s.carried[currency] = min(0, left)
	p.amount = max(0, left)
	for _, i := range p.parts {
		i.payout = p
	}
	s.payouts = append(s.payouts, p)
}

// unpaid is what the buyers have not paid of what they owe.
func (s *shop) unpaid(currency string) (sum int64) {
	for _, d := range s.debts {
		if d.active() && d.buyer.currency == currency {
			sum += d.unpaid()
		}
	}
	return sum
}

func (p *payout) String() string {
	return fmt.Sprintf("%s %s: items %d, adjustments %d, fees %d, withheld %d, amount %d, %d parts",
		p.currency, text(p.day), p.items, p.adjustments, p.fees, p.withheld, p.amount, len(p.parts))
}
