package simulate

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// seen is a deferred payment as the API shows it.
type seen struct {
	ID       string
	Status   string
	Currency string
	buckets
	Info struct {
		Status      string
		Outstanding int64 `json:"outstanding_amount"`
	} `json:"repayment_info"`
	Balance  struct{ Amount *int64 } `json:"outstanding_balance"`
	Next     *string                 `json:"next_payment_date"`
	Payments []seenPayment
	Events   []struct {
		Created time.Time
		Type    string
	}
}

type seenPayment struct {
	ID, Type, Method, Date, Status string
	Amount                         int64
}

type list[T any] struct {
	Count   int
	Results []T
}

// all reads a whole list, the oldest first.
func all[T any](s *shop, path string) (out []T) {
	s.w.t.Helper()
	for {
		var page list[T]
		s.get(fmt.Sprintf("%slimit=100&offset=%d", path, len(out)), &page)
		out = append(out, page.Results...)
		if len(out) >= page.Count || len(page.Results) == 0 {
			slices.Reverse(out)
			return out
		}
	}
}

// happening is something that came by itself while the clock moved.
type happening struct {
	at   time.Time
	rank int // of those at one moment: payouts come first, losses last
	id   string
	do   func()
}

// until moves the clock, lets the books follow, and compares.
func (s *shop) until(now time.Time) {
	s.w.t.Helper()
	from := s.now
	s.post(200, "/v1/sandbox/clock", object{"now": now.Format(time.RFC3339)})
	s.now = now
	shown := all[seen](s, "/v1/payment/deferred_payments?")
	found := map[string]seen{}
	for _, p := range shown {
		found[p.ID] = p
	}
	if len(found) != len(s.debts) {
		s.fail("%d deferred payments, want %d", len(found), len(s.debts))
	}
	var happened []happening
	for midnight := dayOf(from).AddDate(0, 0, 1); !midnight.After(now); midnight = midnight.AddDate(0, 0, 1) {
		happened = append(happened, happening{at: midnight, do: func() { s.payOut(midnight) }})
		for _, d := range s.debts {
			happened = append(happened, happening{at: midnight, rank: 2, do: func() { d.tooLate(midnight) }})
		}
	}
	for _, d := range s.debts {
		happened = append(happened, s.collected(d, found[d.id], from)...)
	}
	slices.SortStableFunc(happened, func(a, b happening) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.rank, b.rank), cmp.Compare(a.id, b.id))
	})
	for _, h := range append(happened, happening{at: now, do: func() {}}) {
		s.passUntil(h.at)
		h.do()
	}
	for _, d := range s.debts {
		d.compare(found[d.id])
		d.alive()
	}
	s.comparePayouts()
}

// passUntil lets what has its time happen to the debts: authorisations expire, and
// who does not pay upfront or send what is asked for is rejected.
func (s *shop) passUntil(now time.Time) {
	due := func(t time.Time) bool { return !t.IsZero() && !t.After(now) }
	for _, d := range s.debts {
		if at := d.timeout; due(at) {
			s.w.did["timeout"]++
			d.reject(at)
		}
		if at := d.expires; due(at) {
			d.expires = time.Time{}
			if d.Authorisation > 0 {
				s.w.did["expiry"]++
				d.release(at, d.Authorisation, &d.Expired)
			}
		}
	}
}

// tooLate gives up what is overdue for as long as the merchant waits. What should
// have been paid upfront is overdue from the newest capture on.
func (d *debt) tooLate(midnight time.Time) {
	days := d.shop.settings.writeOff
	if days == 0 || d.early == rejected {
		return
	}
	captures, _ := d.left()
	var late int64
	for _, i := range d.asked() {
		due := i.day
		if n := len(captures); i.upfront && n > 0 && captures[n-1].After(due) {
			due = captures[n-1]
		}
		if !due.AddDate(0, 0, int(days)).After(midnight) {
			late += i.open()
		}
	}
	if amount := min(d.outstanding(), late); amount > 0 {
		d.shop.w.did["write-off"]++
		d.lost += amount
		d.wokenAt = midnight
		d.giveBack(midnight)
	}
}

// collected are the payments that the program has asked for by itself.
func (s *shop) collected(d *debt, p seen, from time.Time) (out []happening) {
	for _, shown := range p.Payments {
		if shown.Type != "payment" || slices.ContainsFunc(d.payments, func(k *paymentOf) bool { return k.id == shown.ID }) {
			continue
		}
		at := parse(shown.Date)
		if !at.After(from) {
			at = from
		}
		out = append(out, happening{at: at, rank: 1, id: shown.ID, do: func() { s.collect(d, shown, at) }})
	}
	return out
}

// collect holds a payment that was asked for against what was due.
func (s *shop) collect(d *debt, p seenPayment, at time.Time) {
	today := dayOf(at)
	due := d.dueBy(today)
	made := &paymentOf{id: p.ID, kind: p.Type, method: p.Method, status: p.Status, amount: p.Amount, day: today}
	if p.Method == "buyer_credit" {
		s.spend(d, made, at, due)
		return
	}
	method := d.method
	next, _ := d.next()
	if next.upfront && method == "direct_debit" {
		method = "card"
	}
	declined := method == "card" && d.token == declinedCard || method == "direct_debit" && d.token == failingMandate
	want := "settled"
	if declined {
		want = "failed"
	}
	switch {
	case d.outstanding() == 0 && !next.upfront:
		s.fail("%s: %d was charged on %s, and nothing is outstanding after %d were written off", d.id, p.Amount, text(today), d.lost)
	case d.method == "invoice" || p.Method != method:
		s.fail("%s is paid by %s, and %s was charged: %+v", d.id, d.method, p.Method, p)
	case p.Amount != due:
		s.fail("%s: %d was charged on %s, and %d was due: %+v", d.id, p.Amount, text(today), due, d.schedule())
	case p.Status != want:
		s.fail("%s: the charge is %s, want %s: %+v", d.id, p.Status, want, p)
	case d.buyer.credit() > 0:
		s.fail("%s: %d was charged while the buyer has a credit of %d", d.id, p.Amount, d.buyer.credit())
	}
	if want == "settled" {
		s.w.did["collection"]++
		d.settle(at, made)
		return
	}
	s.w.did["declined"]++
	if !next.day.Equal(d.attempted) || d.attempts >= s.settings.attempts && d.newestDue(today).After(d.lastTry) {
		d.attempts, d.retry, d.attempted = 0, time.Time{}, next.day
	}
	if d.attempts >= s.settings.attempts && d.lost == 0 {
		s.fail("%s: attempt %d of %d", d.id, d.attempts+1, s.settings.attempts)
	}
	if !d.retry.IsZero() && !d.retry.Equal(today) && !d.returned && d.lost == 0 {
		s.fail("%s: charged again on %s, not on %s", d.id, text(today), text(d.retry))
	}
	d.attempts++
	d.lastTry = today
	d.retry = workdaysAfter(buyersDays, today, s.settings.gap)
	d.payments = append(d.payments, made)
}

// spend holds a payment out of the buyer's credit against the credits there are.
func (s *shop) spend(d *debt, p *paymentOf, at time.Time, due int64) {
	for _, c := range d.buyer.credits {
		if c.left() > 0 {
			if want := min(due, c.left()); p.amount != want {
				s.fail("%s: %d of a credit was used, want %d", d.id, p.amount, want)
			}
			s.w.did["credit used"]++
			p.credit = c
			c.used += p.amount
			d.settle(at, p)
			return
		}
	}
	s.fail("%s: %d of a credit was used, and there is none", d.id, p.amount)
}

// credit is what is left of the buyer's credits.
func (b *buyer) credit() (sum int64) {
	for _, c := range b.credits {
		sum += c.left()
	}
	return sum
}

// compare holds what is shown of a debt against the books.
func (d *debt) compare(p seen) {
	s := d.shop
	s.w.t.Helper()
	type figures struct {
		buckets
		Status, Repayment, Next string
		Outstanding, Balance    int64
		Events                  int
	}
	got := figures{p.buckets, p.Status, p.Info.Status, "", p.Info.Outstanding, -1, len(p.Events)}
	want := figures{d.buckets, d.status(), d.repaymentStatus(), "", d.outstanding(), -1, d.events}
	if p.Next != nil {
		got.Next = *p.Next
	}
	if next, ok := d.next(); ok && (next.upfront || d.outstanding() > 0) {
		want.Next = text(next.day)
	}
	if p.Balance.Amount != nil {
		got.Balance = *p.Balance.Amount
	}
	if d.events > 0 || len(d.payments) > 0 {
		want.Balance = d.outstanding()
	}
	if got != want {
		s.fail("%s (%s, %s):\n got %+v\nwant %+v\nschedule %+v, repaid %d, lost %d", d.id, d.plan.name, d.method, got, want, d.schedule(), d.repaid, d.lost)
	}
	d.comparePayments(p)
}

// comparePayments holds every payment of the buyer against the books, and gives
// those that went back their identifiers.
func (d *debt) comparePayments(p seen) {
	s := d.shop
	line := func(kind, method, date, status string, amount int64) string {
		return fmt.Sprint(date, " ", kind, " ", method, " ", status, " ", amount)
	}
	var got, want []string
	for _, k := range p.Payments {
		got = append(got, line(k.Type, k.Method, k.Date, k.Status, k.Amount))
	}
	for _, k := range d.payments {
		want = append(want, line(k.kind, k.method, text(k.day), k.status, k.amount))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.fail("%s (%s, %s): the payments are\n %q\nwant\n %q", d.id, d.plan.name, d.method, got, want)
	}
}

// alive demands that what was due yesterday has been asked for.
func (d *debt) alive() {
	s := d.shop
	yesterday := dayOf(s.now).AddDate(0, 0, -1)
	if d.method == "invoice" || d.early != "" || d.returned || d.lost > 0 || d.outstanding() == 0 || d.wokenAt.After(yesterday) {
		return
	}
	late := d.dueBy(yesterday)
	next, _ := d.next()
	charged := d.attempts > 0 && next.day.Equal(d.attempted)
	switch {
	case late == 0:
	case d.token != declinedCard && d.token != failingMandate:
		s.fail("%s (%s, %s): %d is overdue and was not asked for: %+v", d.id, d.plan.name, d.method, late, d.schedule())
	case !charged:
		s.fail("%s (%s, %s): %d is overdue and nobody tried: %+v; %d attempts for %s", d.id, d.plan.name, d.method, late, d.schedule(), d.attempts, text(d.attempted))
	case d.attempts >= s.settings.attempts && d.newestDue(yesterday).After(d.lastTry):
		s.fail("%s: another instalment fell due after attempt %d on %s: %+v", d.id, d.attempts, text(d.lastTry), d.schedule())
	case d.attempts < s.settings.attempts && d.retry.Before(dayOf(s.now)):
		s.fail("%s: attempt %d was due on %s", d.id, d.attempts+1, text(d.retry))
	}
}

// newestDue is the day of the open instalment that fell due last.
func (d *debt) newestDue(on time.Time) (newest time.Time) {
	for _, i := range d.schedule() {
		if i.amount > i.paid && !i.day.After(on) {
			newest = i.day
		}
	}
	return newest
}

// seenPayout is a payout as the API shows it.
type seenPayout struct {
	ID          string
	Date        string `json:"payout_date"`
	Currency    string
	Type        string
	Items       int64 `json:"amount_from_payout_items"`
	Adjustments int64 `json:"amount_from_adjustments"`
	Fees        int64
	Amount      int64
	Minimum     struct {
		Fixed, Relative, Actual int64
		Withheld                int64 `json:"withheld_amount"`
	} `json:"min_balance"`
	Parts []seenItem `json:"items"`
}

// seenItem is a payout item as the API shows it.
type seenItem struct {
	ID, Type, Status, Currency string
	Payment                    string  `json:"deferred_payment"`
	Payout                     *string `json:"payout"`
	Created                    string  `json:"creation_date"`
	Paid                       *string `json:"actual_payout_date"`
	Amount, Fees               int64
}

// comparePayouts holds the payouts that are new against those that were foretold.
func (s *shop) comparePayouts() {
	s.w.t.Helper()
	var page list[seenPayout]
	s.get("/v1/payment/payouts?limit=20", &page)
	if page.Count != len(s.payouts) {
		s.fail("there are %d payouts, want %d; the newest: %+v\nforetold: %s", page.Count, len(s.payouts), page.Results[:min(3, len(page.Results))], s.newest())
	}
	for _, shown := range page.Results {
		known := func(p *payout) bool { return p.id == shown.ID }
		if slices.ContainsFunc(s.payouts, known) {
			continue
		}
		i := slices.IndexFunc(s.payouts, func(p *payout) bool {
			return p.id == "" && p.currency == shown.Currency && text(p.day) == shown.Date
		})
		if i < 0 {
			s.fail("a payout that nobody foretold: %+v\nforetold: %s", shown, s.newest())
		}
		s.comparePayout(s.payouts[i], shown)
	}
}

func (s *shop) newest() string { return fmt.Sprint(s.payouts[max(0, len(s.payouts)-3):]) }

func (s *shop) comparePayout(p *payout, shown seenPayout) {
	p.id = shown.ID
	s.w.did["payout"]++
	if p.withheld > 0 {
		s.w.did["withheld"]++
	}
	if p.amount == 0 && s.carried[p.currency] < 0 {
		s.w.did["carried"]++
	}
	kind := "net_of_fees"
	if p.gross {
		kind = "gross_of_fees"
	}
	want := [...]any{kind, p.items, p.adjustments, p.fees, p.withheld, p.amount, p.fixed, p.relative, max(p.fixed, p.relative)}
	got := [...]any{
		shown.Type, shown.Items, shown.Adjustments, shown.Fees, shown.Minimum.Withheld, shown.Amount,
		shown.Minimum.Fixed, shown.Minimum.Relative, shown.Minimum.Actual,
	}
	if got != want {
		s.fail("the payout of %s in %s (structure, items, adjustments, fees, withheld, amount, minimum):\n got %v\nwant %v", shown.Date, shown.Currency, got, want)
	}
	var parts, mine []string
	for _, i := range shown.Parts {
		parts = append(parts, fmt.Sprint(i.Payment, i.Type, i.Amount, i.Fees, i.Created, i.Status))
	}
	for _, i := range p.parts {
		mine = append(mine, fmt.Sprint(i.debt.id, i.kind, i.amount, i.fee, text(i.day), "paid"))
	}
	slices.Sort(parts)
	slices.Sort(mine)
	if !slices.Equal(parts, mine) {
		s.fail("the payout of %s in %s is of\n%q\nwant\n%q", shown.Date, shown.Currency, parts, mine)
	}
}

// audit compares what is not compared after every step: schedules, orders, items,
// limits, statements and credits.
func (s *shop) audit() {
	s.w.t.Helper()
	for _, d := range s.debts {
		d.inspect()
	}
	s.compareItems()
	for _, b := range s.buyers {
		s.compareLimit(b)
		s.compareStatements(b)
	}
	s.total()
}

// inspect compares the schedule and the order of a debt.
func (d *debt) inspect() {
	s := d.shop
	s.w.t.Helper()
	var shown struct {
		Parts []struct {
			Date, Status string
			Amount       int64
			Paid         int64 `json:"paid_amount"`
		} `json:"scheduled_payments"`
	}
	s.get("/v1/payment/deferred_payments/"+d.id+"/schedule", &shown)
	var got, want []string
	for _, p := range shown.Parts {
		got = append(got, fmt.Sprint(p.Date, " ", p.Amount, " ", p.Paid, " ", p.Status))
	}
	for _, i := range d.schedule() {
		status := "unpaid"
		switch {
		case i.open() <= 0:
			status = "paid"
		case i.paid > 0:
			status = "partially_paid"
		}
		want = append(want, fmt.Sprint(text(i.day), " ", i.amount, " ", i.paid, " ", status))
	}
	if !slices.Equal(got, want) {
		s.fail("%s (%s): the schedule is\n%q\nwant\n%q", d.id, d.plan.name, got, want)
	}
	var order struct{ Status string }
	s.get("/v1/payment/orders/"+d.order, &order)
	if want := d.orderStatus(); want != "" && order.Status != want {
		s.fail("%s: the order is %s, want %s", d.id, order.Status, want)
	}
}
