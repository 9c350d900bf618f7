package repayment

import (
	"context"
	"slices"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/offer"
)

// Reminder is what the buyer is written to about. Amounts are in minor units.
type Reminder struct {
	Payment deferred.Payment
	Buyer   offer.Buyer
	Method  string
	DueDate time.Time
	// Amount is what is open of what is due on that date or was before.
	Amount int64
	// Day counts from the due date; below zero before it.
	Day int64
	Now time.Time
}

// ReminderDay picks the reminder for today: the last one of the merchant's days
// that has come, if it was not sent already for this due date. ok is false when
// nobody is to be written to. A reminder that came due while the program stood
// still is not sent as well as the next.
func ReminderDay(days []int64, due, today time.Time, sentFor string, sentDay int64) (n int64, ok bool) {
	sorted := slices.Sorted(slices.Values(days))
	for _, d := range sorted {
		if due.AddDate(0, 0, int(d)).After(today) {
			break
		}
		if sentFor == dateText(due) && d <= sentDay {
			continue
		}
		n, ok = d, true
	}
	if ok && n < 0 && !due.After(today) {
		// It announces a due date that has come.
		return 0, false
	}
	return n, ok
}

// remind writes to the buyer on the merchant's dunning days.
func (s *Service) remind(ctx context.Context, tx *db.Tx, v *view) error {
	due := date(v.state.NextDate)
	if due.IsZero() || v.held() || s.Remind == nil || v.state.Collecting != "" {
		return nil
	}
	n, ok := ReminderDay(v.m.Settings.DunningDays, due, v.today, v.state.DunnedFor, v.state.DunnedDay)
	if !ok {
		return nil
	}
	amount := v.schedule.Due(v.today)
	if amount == 0 {
		amount = v.schedule.Due(due)
	}
	b, err := s.buyer(ctx, tx, v.p)
	if err != nil {
		return err
	}
	v.state.DunnedFor, v.state.DunnedDay = v.state.NextDate, n
	r := Reminder{Payment: v.p, Buyer: b, Method: v.state.Method, DueDate: due, Amount: amount, Day: n, Now: v.now}
	return s.Remind(ctx, tx, v.m, r)
}
