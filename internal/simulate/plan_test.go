package simulate

import (
	"slices"
	"time"
)

// part is an instalment of a template: a percentage in hundredths, and when it is
// due. months is -1 where days count, both are -1 for what is paid upfront.
type part struct {
	percent, days, months int64
}

// terms is a template of payment plans as this package knows it. Percentages are
// in hundredths.
type terms struct {
	name                                      string
	from                                      string // payment_terms_relative_to
	parts                                     []part
	merchantFee, fixed, customerFee, discount int64
}

const day = 24 * time.Hour

func in(days, percent int64) part      { return part{percent, days, -1} }
func endOf(months, percent int64) part { return part{percent, -1, months} }
func before(percent int64) part        { return part{percent, -1, -1} }

func (p part) upfront() bool { return p.days < 0 && p.months < 0 }

// due is when a part is due, counted from a day.
func (p part) due(from time.Time) time.Time {
	switch {
	case p.days >= 0:
		return from.AddDate(0, 0, int(p.days))
	case p.months >= 0:
		first := time.Date(from.Year(), from.Month(), 1, 0, 0, 0, 0, time.UTC)
		return first.AddDate(0, int(p.months)+1, -1)
	}
	return from
}

// templates are what the merchants sell on: those of every sandbox merchant, and
// some that make the arithmetic harder.
var templates = []terms{
	{name: "30d", from: "order_creation", parts: []part{in(30, 10000)}, merchantFee: 100},
	{name: "60d", from: "order_creation", parts: []part{in(60, 10000)}, merchantFee: 200},
	{name: "30d + upfront", from: "order_creation", parts: []part{before(3000), in(30, 7000)}, merchantFee: 100},
	{name: "4xEOM", from: "order_creation", parts: []part{endOf(0, 2500), endOf(1, 2500), endOf(2, 2500), endOf(3, 2500)}, merchantFee: 200},
	{name: "thirds", from: "first_capture", parts: []part{in(14, 3333), in(45, 6667)}, merchantFee: 240, fixed: 35, customerFee: 125},
	{name: "months", from: "every_capture", parts: []part{endOf(0, 5000), endOf(1, 2500), in(90, 2500)}, merchantFee: 175, discount: 200},
	{name: "fifth", from: "first_capture", parts: []part{before(2000), in(60, 8000)}, merchantFee: 90, fixed: 10, customerFee: 40, discount: 100},
	{name: "now", from: "order_creation", parts: []part{before(10000)}, merchantFee: 50},
	{name: "week", from: "every_capture", parts: []part{in(7, 10000)}, merchantFee: 310, fixed: 150, customerFee: 333},
}

// portion is total × part ÷ whole, a half rounded up. Nothing is below zero.
func portion(total, part, whole int64) int64 {
	if whole == 0 {
		return 0
	}
	return (2*total*part + whole) / (2 * whole)
}

// spread divides an amount in proportion to weights: each part is cut to whole
// units, and the first that has a weight gets the rest.
func spread(total int64, weights []int64) []int64 {
	var sum int64
	for _, w := range weights {
		sum += w
	}
	out := make([]int64, len(weights))
	rest, first := total, 0
	for i, w := range slices.Backward(weights) {
		if w == 0 {
			continue
		}
		out[i] = total * w / sum
		rest -= out[i]
		first = i
	}
	out[first] += rest
	return out
}

// agreement is what a template makes of an order.
type agreement struct {
	terms
	total, fee, discount, cost int64
	offered                    time.Time // the day
	// amounts are those of the instalments, pay what is left of them after the
	// discount.
	amounts, pay []int64
}

func (t terms) of(total int64, offered time.Time) agreement {
	a := agreement{
		terms: t, total: total, offered: dayOf(offered), fee: portion(total, t.customerFee, 10000),
		discount: portion(total, t.discount, 10000), cost: portion(total, t.merchantFee, 10000) + t.fixed,
	}
	var weights []int64
	for _, p := range t.parts {
		weights = append(weights, p.percent)
	}
	goods := spread(total, weights)
	fees, off := spread(a.fee, goods), spread(a.discount, goods)
	var over int64
	for i := range goods {
		off[i] += over
		over = max(0, off[i]-goods[i])
		off[i] -= over
		a.amounts = append(a.amounts, goods[i]+fees[i])
		a.pay = append(a.pay, goods[i]+fees[i]-off[i])
	}
	return a
}

// upfront is what is paid before anything is captured.
func (a agreement) upfront() (sum int64) {
	for i, p := range a.parts {
		if p.upfront() {
			sum += a.pay[i]
		}
	}
	return sum
}

// instalment is a part of a debt on its day.
type instalment struct {
	day          time.Time
	amount, paid int64
	upfront      bool
}

func (i instalment) open() int64 { return i.amount - i.paid }

// schedule is when the buyer has to pay what: what every capture has added to the
// debt is spread over the plan's instalments, refunds are taken off the newest
// capture, what is paid upfront off the oldest, and payments fill the oldest part
// first.
func (d *debt) schedule() []instalment {
	var out []instalment
	var later []part
	var weights []int64
	for i, p := range d.plan.parts {
		if !p.upfront() {
			later, weights = append(later, p), append(weights, d.plan.pay[i])
		}
	}
	rest := d.owed()
	if upfront := min(d.plan.upfront(), d.owedAtMost()); upfront > 0 && d.early != rejected {
		if len(later) == 0 {
			upfront = max(upfront, rest)
		}
		out = append(out, instalment{day: d.plan.offered, amount: upfront, upfront: true})
		rest = max(0, rest-upfront)
	}
	captures, left := d.left()
	covered := d.owed() - rest
	for i, amount := range left {
		part := min(covered, amount)
		covered -= part
		if len(later) == 0 {
			break
		}
		from := d.plan.offered
		switch d.plan.from {
		case "first_capture":
			from = captures[0]
		case "every_capture":
			from = captures[i]
		}
		for k, value := range spread(amount-part, weights) {
			due := later[k].due(from)
			if due.Before(captures[i]) {
				due = captures[i]
			}
			out = append(out, instalment{day: due, amount: value})
		}
	}
	return filled(merged(out), d.repaid)
}

// left are the days of the captures, and what was not given back of each: the
// newest gives back first.
func (d *debt) left() (days []time.Time, left []int64) {
	for _, m := range d.moves {
		if m.capture {
			days, left = append(days, m.day), append(left, m.amount)
		}
		back := max(0, -m.amount)
		for i := len(left) - 1; i >= 0; i-- {
			taken := min(back, left[i])
			left[i] -= taken
			back -= taken
		}
	}
	return days, left
}

func merged(in []instalment) (out []instalment) {
	slices.SortStableFunc(in, func(a, b instalment) int {
		if c := a.day.Compare(b.day); c != 0 {
			return c
		}
		switch {
		case a.upfront == b.upfront:
			return 0
		case a.upfront:
			return -1
		}
		return 1
	})
	for _, i := range in {
		if n := len(out); n > 0 && out[n-1].day.Equal(i.day) && out[n-1].upfront == i.upfront {
			out[n-1].amount += i.amount
		} else if i.amount != 0 {
			out = append(out, i)
		}
	}
	return out
}

func filled(in []instalment, paid int64) []instalment {
	for i := range in {
		in[i].paid = min(paid, in[i].amount)
		paid -= in[i].paid
	}
	return in
}

// asked is the schedule as far as it is still asked for: what was given up is not,
// the oldest parts first.
func (d *debt) asked() []instalment {
	out, lost := d.schedule(), d.lost
	for i := range out {
		part := min(lost, out[i].open())
		out[i].paid += part
		lost -= part
	}
	return out
}

// dueBy is what is open of all that is due on a day or before.
func (d *debt) dueBy(on time.Time) (sum int64) {
	for _, i := range d.asked() {
		if !i.day.After(on) {
			sum += i.open()
		}
	}
	return sum
}

// next is the oldest instalment that is asked for.
func (d *debt) next() (instalment, bool) {
	for _, i := range d.asked() {
		if i.open() > 0 {
			return i, true
		}
	}
	return instalment{}, false
}
