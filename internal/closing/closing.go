// Package closing adds up, once a day and for every merchant, what is open: the
// deferred payments that are still at work, how old their debts are, what is at
// risk, and whether the ledger says the same.
package closing

import (
	"time"

	"tradecredit/internal/deferred"
)

// Figures is what a close found in one currency. Amounts are in minor units.
type Figures struct {
	Currency string `json:"currency"`
	// Payments counts the open ones, Late those with something overdue.
	Payments int64 `json:"payments"`
	Late     int64 `json:"late"`
	// Authorised is what may still be captured. Where more was captured than was
	// authorised nothing is.
	Authorised          int64 `json:"authorised"`
	ProtectedCaptures   int64 `json:"protected_captures"`
	UnprotectedCaptures int64 `json:"unprotected_captures"`
	Clawback            int64 `json:"clawback"`
	// Owed is captures with fees and without discounts; Owed less Repaid and
	// WrittenOff is Outstanding less Overpaid.
	Owed        int64 `json:"owed"`
	Repaid      int64 `json:"repaid"`
	WrittenOff  int64 `json:"written_off"`
	Outstanding int64 `json:"outstanding"`
	Overpaid    int64 `json:"overpaid"`
	// Ages splits Outstanding by the age of the oldest due date that is open.
	Ages Ages `json:"ages"`
	// The exposures are what is in use of the lender's limits and of the
	// merchant's own.
	ExposureProtected   int64 `json:"exposure_protected"`
	ExposureUnprotected int64 `json:"exposure_unprotected"`
	// Settled is what the books say of payments that are not open any more, such
	// as money that is about to be given back; below zero when buyers are owed.
	Settled         int64 `json:"settled"`
	SettledPayments int64 `json:"settled_payments"`
	// Ledger is the balance of all receivable accounts. Difference is how far it
	// is from Outstanding less Overpaid and Settled, Differences for how many
	// objects it is, and Differing names the first of them.
	Ledger      int64        `json:"ledger"`
	Difference  int64        `json:"difference"`
	Differences int64        `json:"differences"`
	Differing   []Difference `json:"differing"`
	// NextDue is, by day, what is outstanding of the payments of which a part
	// falls due then: the most that can be expected.
	NextDue []DueDay `json:"next_due"`
}

// Ages is an ageing: debts by how many days their oldest open part is overdue.
type Ages struct {
	NotDue Bucket `json:"not_due"`
	// To30 is 1 to 30 days, To60 31 to 60, To90 61 to 90, More above.
	To30 Bucket `json:"overdue_30"`
	To60 Bucket `json:"overdue_60"`
	To90 Bucket `json:"overdue_90"`
	More Bucket `json:"overdue_more"`
}

// Bucket is some payments and what is outstanding of them, in minor units.
type Bucket struct {
	Payments int64 `json:"payments"`
	Amount   int64 `json:"amount"`
}

// Difference is an object of which the ledger says something else than the books.
// Amounts are in minor units.
type Difference struct {
	Object string `json:"object"`
	Books  int64  `json:"books"`
	Ledger int64  `json:"ledger"`
}

// DueDay is a day on which payments have a part that falls due.
type DueDay struct {
	Date     string `json:"date"`
	Payments int64  `json:"payments"`
	// Outstanding is all that is outstanding of them, in minor units, also what
	// falls due later.
	Outstanding int64 `json:"outstanding"`
}

// dueDays is how many days ahead NextDue looks, mostNamed how many differences
// are named.
const (
	dueDays   = 30
	mostNamed = 50
)

// Open is a deferred payment as the close sees it.
type Open struct {
	ID       string
	Currency string
	deferred.State
	// Late is whether something is overdue by what was seen last, NextDate the day
	// of the oldest open part, such as 2026-11-20, "" for none.
	Late     bool
	NextDate string
}

// receivable is what the ledger must say that the buyer owes.
func (o Open) receivable() int64 { return o.Owed() - o.Repaid - o.WrittenOff }

// add counts an open payment on a day, midnight UTC, and holds it against what the
// ledger has of it.
func (f *Figures) add(o Open, day time.Time, ledger int64) {
	f.Payments++
	if o.Late {
		f.Late++
	}
	f.Authorised += max(0, o.Authorisation)
	f.ProtectedCaptures += o.State.ProtectedCaptures
	f.UnprotectedCaptures += o.State.UnprotectedCaptures
	f.Clawback += o.State.Clawback
	f.Owed += o.Owed()
	f.Repaid += o.State.Repaid
	f.WrittenOff += o.State.WrittenOff
	outstanding := o.Outstanding()
	f.Outstanding += outstanding
	f.Overpaid += max(0, -o.receivable())
	f.ExposureProtected += o.Exposure()
	f.ExposureUnprotected += o.UnprotectedExposure()
	f.hold(o.ID, o.receivable(), ledger)
	if outstanding == 0 {
		return
	}
	next, err := time.Parse(time.DateOnly, o.NextDate)
	if err != nil {
		next = day // "" is not due
	}
	b := f.Ages.bucket(days(next, day))
	b.Payments++
	b.Amount += outstanding
	if ahead := days(day, next); ahead >= 1 && ahead <= dueDays {
		f.NextDue[ahead-1].Payments++
		f.NextDue[ahead-1].Outstanding += outstanding
	}
}

// addSettled counts what the books have of a payment that is not open.
func (f *Figures) addSettled(o Open, ledger int64) {
	f.SettledPayments++
	f.Settled += o.receivable()
	f.hold(o.ID, o.receivable(), ledger)
}

// hold compares the books with the ledger.
func (f *Figures) hold(object string, books, ledger int64) {
	f.Ledger += ledger
	if books == ledger {
		return
	}
	f.Difference += ledger - books
	f.Differences++
	if len(f.Differing) < mostNamed {
		f.Differing = append(f.Differing, Difference{object, books, ledger})
	}
}

// bucket is where a debt belongs that is overdue for so many days.
func (a *Ages) bucket(overdue int) *Bucket {
	switch {
	case overdue <= 0:
		return &a.NotDue
	case overdue <= 30:
		return &a.To30
	case overdue <= 60:
		return &a.To60
	case overdue <= 90:
		return &a.To90
	}
	return &a.More
}

// Overdue is what is outstanding of payments with something overdue, in minor
// units.
func (a Ages) Overdue() int64 { return a.To30.Amount + a.To60.Amount + a.To90.Amount + a.More.Amount }

// newFigures are those of nothing.
func newFigures(currency string, day time.Time) *Figures {
	f := &Figures{Currency: currency, Differing: []Difference{}, NextDue: make([]DueDay, dueDays)}
	for i := range f.NextDue {
		f.NextDue[i].Date = day.AddDate(0, 0, i+1).Format(time.DateOnly)
	}
	return f
}

// days is how many days b is after a.
func days(a, b time.Time) int { return int(b.Sub(a) / (24 * time.Hour)) }

// dayOf is the calendar day of a time, midnight UTC.
func dayOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// LastDay is the last day that has ended at a time of the merchant, midnight UTC:
// the one that a close right after midnight is about.
func LastDay(now time.Time) time.Time { return dayOf(now).AddDate(0, 0, -1) }
