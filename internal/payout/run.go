package payout

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/id"
	"tradecredit/internal/job"
	"tradecredit/internal/ledger"
	"tradecredit/internal/merchant"
	"tradecredit/internal/money"
)

// RunDue makes the payout that is due, and schedules the next run as long as
// anything is left to be paid.
func (s *Service) RunDue(ctx context.Context, tx *db.Tx, d job.Due) error {
	m, err := merchant.Get(ctx, tx, d.MerchantID)
	if err != nil {
		return err
	}
	currency, date, _ := strings.Cut(d.ObjectID, "/")
	day, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return fmt.Errorf("payout: a run of %q", d.ObjectID)
	}
	t, err := TimetableOf(ctx, tx, m, currency)
	if err != nil {
		return err
	}
	if !t.OnOrAfter(day).Equal(day) {
		// The settings or the calendar have changed since.
		job.ScheduleOnce(tx, running(m.ID, currency, t.OnOrAfter(d.Now)), m.Offset)
		return nil
	}
	// A run that comes late pays on the day on which it comes.
	payDay := day
	if late := midnight(d.Now); late.After(day) {
		payDay = t.Days.OnOrAfter(late)
	}
	if _, err := s.Run(ctx, tx, m, currency, payDay, d.Now); err != nil {
		return err
	}
	var left bool
	if err := tx.Get(ctx, anyUnpaid, []any{m.ID, currency}, &left); err != nil || !left {
		return err
	}
	job.ScheduleOnce(tx, running(m.ID, currency, t.Next(payDay)), m.Offset)
	return nil
}

// Run makes the payout of a merchant and currency on a date, of all items that are
// due by then. It returns nil when there is nothing to pay, or when there is a
// payout of that day already. now is the merchant's time.
func (s *Service) Run(ctx context.Context, tx *db.Tx, m merchant.Merchant, currency string, payDay, now time.Time) (*Payout, error) {
	var done bool
	if err := tx.Get(ctx, runToday, []any{m.ID, currency, dayOf(payDay)}, &done); err != nil || done {
		return nil, err
	}
	terms, unpaid, err := termsOf(ctx, tx, m, currency)
	if err != nil {
		return nil, err
	}
	t, err := TimetableOf(ctx, tx, m, currency)
	if err != nil {
		return nil, err
	}
	p := Payout{
		MerchantID: m.ID, ID: id.New(id.Payout), Currency: currency, Date: payDay, State: Ready,
		Structure: terms.Structure, Minimum: terms.Minimum(unpaid), Created: now,
	}
	marked, err := tx.Exec(ctx, markDue, m.ID, currency, dayOf(t.Cutoff(payDay)), m.Settings.InvoiceRequired, p.ID, dayOf(payDay))
	if err != nil {
		return nil, err
	}
	adjustments, err := Pending(ctx, tx, m.ID, currency)
	if err != nil {
		return nil, err
	}
	var due Sums
	for _, a := range adjustments {
		if due.Adjustments, err = money.CheckedAdd(due.Adjustments, a.Amount); err != nil {
			return nil, err
		}
	}
	// What a merchant owes waits until there is something to take it from.
	if marked == 0 && due.Adjustments <= 0 {
		return nil, nil
	}
	if err := s.settle(ctx, tx, &p, terms, due); err != nil {
		return nil, err
	}
	if p.Count == 0 && len(adjustments) == 0 {
		return nil, nil // everything is withheld
	}
	take(tx, adjustments, p)
	carry(tx, p)
	return &p, s.write(ctx, tx, m, &p, now)
}

// take makes adjustments part of a payout.
func take(tx *db.Tx, adjustments []Adjustment, p Payout) {
	merchants, ids, payouts := make([]string, len(adjustments)), make([]string, len(adjustments)), make([]string, len(adjustments))
	for i, a := range adjustments {
		merchants[i], ids[i], payouts[i] = p.MerchantID, a.ID, p.ID
	}
	tx.QueueMany(takeAdjustments, merchants, ids, payouts)
}

// RunNow makes the payouts of a merchant in all currencies today, whatever its
// weekday. On a day that is no business day they are dated to the next one. now is
// the merchant's time.
func (s *Service) RunNow(ctx context.Context, tx *db.Tx, m merchant.Merchant, now time.Time) ([]Payout, error) {
	currencies := map[string]int64{}
	for _, q := range []db.SQL{unpaidSums, pendingSums} {
		found, err := balances(ctx, tx, q, m.ID)
		if err != nil {
			return nil, err
		}
		maps.Copy(currencies, found)
	}
	var out []Payout
	for _, currency := range slices.Sorted(maps.Keys(currencies)) {
		t, err := TimetableOf(ctx, tx, m, currency)
		if err != nil {
			return nil, err
		}
		p, err := s.Run(ctx, tx, m, currency, t.Days.OnOrAfter(now), now)
		if err != nil {
			return nil, err
		}
		if p != nil {
			out = append(out, *p)
		}
	}
	return out, nil
}

// settle works out the figures of a payout whose items are marked, and takes the
// mark off those that are withheld.
func (s *Service) settle(ctx context.Context, tx *db.Tx, p *Payout, terms Terms, due Sums) error {
	args := []any{p.MerchantID, dayOf(p.Date), p.ID}
	if err := tx.Get(ctx, sumMarked, args, &p.Count, &due.Items, &due.Fees); err != nil {
		return err
	}
	w, err := NewWithholding(terms, p.Minimum.Actual, due)
	if err != nil {
		return err
	}
	const some = 1000
	for before := "~"; !w.Enough(); {
		page, err := db.All(ctx, tx, newestMarked, append(args, before, some), func(r db.Rows) (i Item, err error) {
			err = r.Scan(&i.ID, &i.Amount, &i.Fees)
			return i, err
		})
		if err != nil {
			return err
		}
		var merchants, held []string
		for _, i := range page {
			before = i.ID
			if w.Take(i.Amount, i.Fees) {
				merchants, held = append(merchants, p.MerchantID), append(held, i.ID)
			}
		}
		tx.QueueMany(unmark, merchants, held)
		p.Count -= int64(len(held))
		if len(page) < some {
			break
		}
	}
	p.Figures, err = w.Figures()
	return err
}

// termsOf are the terms of a merchant and what its buyers have not paid. That is
// added up only if the terms ask for it.
func termsOf(ctx context.Context, tx *db.Tx, m merchant.Merchant, currency string) (t Terms, unpaid int64, err error) {
	t = Terms{Structure: m.Settings.PayoutStructure, Fixed: m.Settings.MinimumBalance.Fixed}
	if t.Relative, err = money.ParsePercent(m.Settings.MinimumBalance.Relative); err != nil || t.Relative.IsZero() {
		return t, 0, err
	}
	const some = 500
	for after := ""; ; {
		page, err := deferred.After(ctx, tx, m.ID, after, some)
		if err != nil {
			return t, 0, err
		}
		for _, p := range page {
			after = p.ID
			if p.Currency != currency || !p.Status.Active() {
				continue
			}
			if unpaid, err = money.CheckedAdd(unpaid, p.Unpaid()); err != nil {
				return t, 0, err
			}
		}
		if len(page) < some {
			return t, unpaid, nil
		}
	}
}

// carry leaves what a merchant owes for the next payout: an adjustment that brings
// this one to zero, and its counterpart. They sum to zero and move nothing in the
// ledger.
func carry(tx *db.Tx, p Payout) {
	if p.Carried == 0 {
		return
	}
	a := Adjustment{
		MerchantID: p.MerchantID, ID: id.New(id.PayoutAdjustment), Type: CarriedToNext, Currency: p.Currency,
		NetAmount: p.Carried, Amount: p.Carried, CarriedBy: p.ID, PayoutID: p.ID, Created: p.Created,
	}
	addAdjustment(tx, a)
	a.ID, a.Type, a.PayoutID = id.New(id.PayoutAdjustment), CarriedFromLast, ""
	a.NetAmount, a.Amount = -p.Carried, -p.Carried
	addAdjustment(tx, a)
}

// write stores a new payout, in the books as well. In the sandbox it is paid at
// once; elsewhere the bank has to be told, unless there is nothing to pay.
func (s *Service) write(ctx context.Context, tx *db.Tx, m merchant.Merchant, p *Payout, now time.Time) (err error) {
	if p.Reference, err = s.reference(ctx, tx); err != nil {
		return err
	}
	paid := p.Amount == 0 || m.Environment == merchant.Sandbox
	if paid {
		p.State = Paid
	}
	insert(tx, *p)
	eventID := id.New(id.Event)
	err = ledger.Post(tx, ledger.Transaction{
		MerchantID: p.MerchantID, ID: eventID, ObjectID: p.ID, Currency: p.Currency, At: now, Entries: Booked(*p),
	})
	if err != nil {
		return err
	}
	if err := record(tx, *p, eventID, "created", now); err != nil || !paid {
		return err
	}
	return record(tx, *p, id.New(id.Event), "paid", now)
}

// Booked is what the ledger holds about a payout: what was owed to the merchant is
// not any more, and goes out as money or is earned as fees. Fees that are not
// taken off the payout are owed to the lender.
func Booked(p Payout) []ledger.Entry {
	if p.State == Returned {
		return nil
	}
	entries := []ledger.Entry{
		{Account: deferred.AccountMerchantPayable, Amount: p.ItemsAmount - p.Withheld + p.AdjustmentsAmount},
		{Account: deferred.AccountCash, Amount: -p.Amount},
		{Account: AccountFees, Amount: -p.Fees},
	}
	if p.Structure != structureNetOfFees {
		entries = append(entries, ledger.Entry{Account: AccountFeesOwed, Amount: p.Fees})
	}
	return entries
}

// reference makes one that no payout has. The unique index has the last word.
func (s *Service) reference(ctx context.Context, tx *db.Tx) (string, error) {
	prefix := s.Prefix
	if prefix == "" {
		prefix = "TC"
	}
	for {
		reference := id.Number(prefix)
		var n int64
		if err := tx.Get(ctx, taken, []any{reference}, &n); err != nil || n == 0 {
			return reference, err
		}
	}
}

// Adjust enters an adjustment, which the next payout of its currency takes in. It
// fails with the error of Check. now is the merchant's time.
func (s *Service) Adjust(tx *db.Tx, m merchant.Merchant, a Adjustment, now time.Time) (Adjustment, error) {
	if err := a.Check(); err != nil {
		return a, err
	}
	a.MerchantID, a.ID, a.Created = m.ID, id.New(id.PayoutAdjustment), now
	addAdjustment(tx, a)
	job.ScheduleOnce(tx, planned(m.ID, a.Currency, now), m.Offset)
	return a, ledger.Post(tx, ledger.Transaction{
		MerchantID: m.ID, ID: a.ID, ObjectID: a.ID, Currency: a.Currency, At: now,
		Entries: []ledger.Entry{
			{Account: deferred.AccountMerchantPayable, Amount: -a.Amount}, {Account: AccountAdjustments, Amount: a.Amount},
		},
	})
}
