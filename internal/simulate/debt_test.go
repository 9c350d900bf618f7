package simulate

import (
	"fmt"
	"slices"
	"time"
)

// What a debt is before it is accepted, and instead.
const (
	inReview       = "pending_review"
	actionRequired = "customer_action_required"
	awaitsUpfront  = "pending_payment"
	rejected       = "rejected"
)

// buckets are the figures of a deferred payment, in minor units.
type buckets struct {
	Authorisation int64 `json:"authorisation"`
	Protected     int64 `json:"protected_captures"`
	Unprotected   int64 `json:"unprotected_captures"`
	Refunds       int64 `json:"refunds"`
	Voided        int64 `json:"voided_authorisation"`
	Expired       int64 `json:"expired_authorisation"`
	Clawback      int64 `json:"clawback"`
}

// fees are where the customer fee stands.
type fees struct{ authorisation, captures, refunds, released int64 }

// move is a change of what the buyer has to pay; a capture begins a part of the
// debt of its own.
type move struct {
	day     time.Time
	capture bool
	amount  int64
}

// paymentOf is money that came from a buyer or went back.
type paymentOf struct {
	id             string
	kind, method   string
	status         string
	amount, use    int64 // use is the part that paid this debt
	back           *paymentOf
	credit         *credit // that it was paid from
	debt           *debt
	manual, refund bool
	day            time.Time
}

// credit is what a buyer has paid without owing it.
type credit struct {
	amount, used int64
	origin       *paymentOf
}

func (c *credit) left() int64 { return c.amount - c.used }

// debt is a deferred payment.
type debt struct {
	buckets
	fee     fees
	id      string
	order   string
	plan    agreement
	covered int64 // the plan's protected amount
	buyer   *buyer
	shop    *shop

	method, token string
	early         string // "" once it is accepted
	legacy        bool
	touched       bool // by the merchant
	created       time.Time
	expires       time.Time // zero for never
	timeout       time.Time
	invoiced      bool

	moves        []move
	payments     []*paymentOf
	repaid, lost int64
	events       int
	returned     bool // a payment was, once, or the debt was: it may not be asked for again
	wokenAt      time.Time

	// What is known of attempts to collect.
	attempts  int64
	retry     time.Time
	attempted time.Time // the due day
	lastTry   time.Time

	goods goods
}

func (d *debt) financed() int64 { return d.Protected + d.Unprotected + d.Clawback }

func (d *debt) discount() int64 {
	return portion(d.plan.discount, min(d.financed(), d.plan.total), d.plan.total)
}

// owed is what the buyer has to pay for what was captured, paid or not.
func (d *debt) owed() int64 { return d.financed() + d.fee.captures - d.discount() }

// owedAtMost is what the buyer owes once all that is authorised is captured.
func (d *debt) owedAtMost() int64 {
	if d.Authorisation <= 0 || d.early == rejected {
		return d.owed()
	}
	all := d.financed() + d.Authorisation
	return all + d.fee.captures + d.fee.authorisation - portion(d.plan.discount, min(all, d.plan.total), d.plan.total)
}

func (d *debt) unpaid() int64      { return max(0, d.owed()-d.repaid) }
func (d *debt) outstanding() int64 { return max(0, d.owed()-d.repaid-d.lost) }

// forMerchant is what the merchant is to be paid before fees: what was captured,
// and what the buyer has paid of what was clawed back.
func (d *debt) forMerchant() int64 {
	passedOn := min(d.Clawback, max(0, d.repaid-(d.owed()-d.Clawback)))
	return d.Protected + d.Unprotected + passedOn
}

func (d *debt) merchantFee() int64 { return portion(d.plan.cost, d.financed(), d.plan.total) }

// inUse is the part of the lender's limit for the buyer that the debt uses.
func (d *debt) inUse() int64 {
	if d.early == rejected {
		return 0
	}
	open := min(max(0, d.Authorisation), max(0, d.covered-d.Protected))
	return max(0, d.Protected+open-d.repaid-d.discount())
}

func (d *debt) active() bool { return d.early == "" }

// status is the name of the state.
func (d *debt) status() string {
	if !d.active() {
		return d.early
	}
	names := []string{"part_captured", "captured", "refunded", "expired", "voided"}
	if d.legacy && d.touched {
		names = []string{"part_fulfilled", "fulfilled", "reversed", "cancelled", "cancelled"}
	}
	ever := d.financed() > 0 || d.Refunds > 0
	switch {
	case d.Authorisation > 0 && ever:
		return names[0]
	case d.Authorisation > 0:
		return "accepted"
	case d.financed() > 0:
		return names[1]
	case ever:
		return names[2]
	case d.Expired > 0:
		return names[3]
	}
	return names[4]
}

// orderStatus is the state of the order, "" for one that this debt says nothing of.
func (d *debt) orderStatus() string {
	switch {
	case !d.active():
		return ""
	case d.Authorisation <= 0 && d.financed() == 0:
		return "cancelled"
	case d.Authorisation <= 0 && d.unpaid() == 0:
		return "paid"
	case d.repaid > 0:
		return "partially_paid"
	}
	return "unpaid"
}

// repaymentStatus is repayment_info.status.
func (d *debt) repaymentStatus() string {
	switch {
	case (d.owed() > 0 || d.Refunds > 0) && d.unpaid() == 0:
		return "paid"
	case d.repaid > 0:
		return "partially_paid"
	}
	return "unpaid"
}

// change books what f does to the debt: what the merchant is to be paid changes by
// a payout item, and what the buyer owes by a statement.
func (d *debt) change(at time.Time, kind string, f func()) {
	amount, fee, financed, owed := d.forMerchant(), d.merchantFee(), d.financed(), d.owed()
	f()
	if d.financed() != financed || d.owed() != owed {
		d.moves = append(d.moves, move{dayOf(at), d.financed() > financed, d.owed() - owed})
	}
	d.wokenAt = at
	if _, open := d.next(); !open && d.attempts > 0 {
		// Should the debt come back, it may be tried from the start or not at all.
		d.attempts, d.retry, d.attempted, d.returned = 0, time.Time{}, time.Time{}, true
	}
	amount, fee = d.forMerchant()-amount, d.merchantFee()-fee
	if amount == 0 && fee == 0 {
		return
	}
	if kind == "money" {
		kind = "settlement"
		if amount < 0 {
			kind = "chargeback"
		}
	}
	d.shop.items = append(d.shop.items, &item{debt: d, kind: kind, amount: amount, fee: fee, day: dayOf(at)})
}

// leaving moves the fee that goes with authorisation.
func (d *debt) leaving(amount int64) int64 {
	left := max(d.Authorisation, 0)
	left -= min(amount, left)
	return d.fee.authorisation - min(d.fee.authorisation, portion(d.plan.fee, left, d.plan.total))
}

func (d *debt) capture(at time.Time, amount int64) {
	d.change(at, "fulfillment", func() {
		fee := d.leaving(amount)
		protected := min(amount, max(d.Authorisation, 0), max(0, d.covered-d.Protected))
		d.Authorisation -= amount
		d.Protected += protected
		d.Unprotected += amount - protected
		d.fee.authorisation -= fee
		d.fee.captures += fee
	})
	d.eventDone(at)
}

func (d *debt) refund(at time.Time, amount int64, kind string) {
	d.change(at, kind, func() {
		target := portion(d.fee.captures+d.fee.refunds, d.Refunds+amount, d.financed()+d.Refunds)
		fee := min(max(target-d.fee.refunds, 0), d.fee.captures)
		d.take(amount)
		d.Refunds += amount
		d.fee.captures -= fee
		d.fee.refunds += fee
	})
	d.eventDone(at)
}

// take takes from the captures, from those without protection first.
func (d *debt) take(amount int64) {
	unprotected := min(amount, d.Unprotected)
	d.Unprotected -= unprotected
	d.Protected -= amount - unprotected
}

// release gives up authorisation. to is the bucket.
func (d *debt) release(at time.Time, amount int64, to *int64) {
	d.change(at, "cancellation", func() {
		fee := d.leaving(amount)
		d.Authorisation -= amount
		*to += amount
		d.fee.authorisation -= fee
		d.fee.released += fee
	})
	d.eventDone(at)
}

func (d *debt) clawBack(at time.Time, amount int64) {
	d.change(at, "reversal", func() {
		d.take(amount)
		d.Clawback += amount
	})
	d.eventDone(at)
}

func (d *debt) adjust(at time.Time, from, to *int64, amount int64) {
	d.change(at, "other", func() {
		*from -= amount
		*to += amount
	})
	d.eventDone(at)
}

func (d *debt) eventDone(at time.Time) {
	d.events++
	d.giveBack(at)
}

// settle books a payment of the buyer that has come.
func (d *debt) settle(at time.Time, p *paymentOf) {
	p.status, p.debt, p.day = "settled", d, dayOf(at)
	p.use = min(p.amount, max(0, d.owedAtMost()-d.repaid))
	if !slices.Contains(d.payments, p) {
		d.payments = append(d.payments, p)
	}
	d.change(at, "money", func() {
		d.lost -= min(d.lost, max(0, p.use-d.outstanding()))
		d.repaid += p.use
	})
	if d.early == awaitsUpfront && d.repaid >= d.plan.upfront() {
		d.accept(at)
	}
	if rest := p.amount - p.use; rest > 0 {
		d.buyer.credits = append(d.buyer.credits, &credit{amount: rest, origin: p})
	}
	d.attempts, d.retry = 0, time.Time{}
	d.giveBack(at)
}

// accept makes the sale final.
func (d *debt) accept(at time.Time) {
	d.early, d.timeout, d.wokenAt = "", time.Time{}, at
	if days := d.shop.settings.expiry; days > 0 {
		d.expires = d.created.AddDate(0, 0, int(days))
		if d.expires.Before(at) {
			d.expires = at
		}
	}
}

// giveBack sends money back that the buyer cannot come to owe: what was paid last
// goes back first.
func (d *debt) giveBack(at time.Time) {
	amount := max(0, d.repaid-d.owedAtMost())
	if d.early == rejected {
		amount = d.repaid
	}
	for _, p := range slices.Backward(slices.Clone(d.payments)) {
		part := min(amount, p.use-d.gone(p))
		if p.refund || p.status != "settled" || part <= 0 {
			continue
		}
		amount -= part
		if p.credit != nil {
			p.credit.used -= part
		}
		back := &paymentOf{kind: "customer_refund", method: p.method, status: "settled", amount: part, use: part, back: p, refund: true, day: dayOf(at)}
		d.payments = append(d.payments, back)
		d.change(at, "money", func() { d.repaid -= part })
	}
}

// gone is what has gone back of a payment.
func (d *debt) gone(p *paymentOf) (sum int64) {
	for _, r := range d.payments {
		if r.back == p {
			sum += r.amount
		}
	}
	return sum
}

// chargeback takes a settled payment back.
func (d *debt) chargeback(at time.Time, p *paymentOf) {
	rest := p.amount - p.use
	p.status = "returned"
	d.returned = true
	if rest > 0 {
		d.buyer.withdraw(at, p, rest)
	}
	back := min(p.use, d.repaid)
	if p.credit != nil {
		// What has gone back into the credit is not paid from it any more.
		back = min(back, p.use-d.gone(p))
	}
	p.use -= back
	if p.credit != nil {
		p.credit.used -= back
	}
	d.change(at, "money", func() { d.repaid -= back })
	d.giveBack(at)
}

// withdraw takes a credit back whose payment was. What it had paid is owed again.
func (b *buyer) withdraw(at time.Time, p *paymentOf, rest int64) {
	for _, c := range b.credits {
		if c.origin != p {
			continue
		}
		for _, used := range slices.Backward(b.paidFrom(c)) {
			if c.left() >= rest {
				break
			}
			used.debt.chargeback(at, used)
		}
		part := min(rest, c.left())
		c.used += part
		rest -= part
	}
}

// paidFrom are the payments that a credit was used for, oldest first.
func (b *buyer) paidFrom(c *credit) (out []*paymentOf) {
	for _, d := range b.shop.debts {
		for _, p := range d.payments {
			if p.credit == c && p.status == "settled" {
				out = append(out, p)
			}
		}
	}
	slices.SortStableFunc(out, func(x, y *paymentOf) int {
		if c := x.day.Compare(y.day); c != 0 {
			return c
		}
		if x.id < y.id {
			return -1
		}
		return 1
	})
	return out
}

// reject ends a debt that was not accepted; what was paid goes back.
func (d *debt) reject(at time.Time) {
	d.early, d.timeout = rejected, time.Time{}
	d.giveBack(at)
}

// String shows the credits.
func (b *buyer) String() string {
	out := ""
	for _, c := range b.credits {
		out += fmt.Sprintf(" [%d of %d from %s", c.left(), c.amount, c.origin.id)
		for _, p := range b.paidFrom(c) {
			out += fmt.Sprintf(", %d to %s by %s", p.use, p.debt.id, p.id)
		}
		out += "]"
	}
	return out
}
