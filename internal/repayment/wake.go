package repayment

import (
	"context"
	"errors"
	"slices"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/job"
	"tradecredit/internal/merchant"
	"tradecredit/internal/offer"
)

// view is a deferred payment with all that its schedule follows from.
type view struct {
	m        merchant.Merchant
	p        deferred.Payment
	plan     offer.Plan
	schedule Schedule
	captured bool
	// lastCapture is the day of the newest capture.
	lastCapture time.Time
	state       State
	lateWas     string // LateSince as it was stored
	now         time.Time
	today       time.Time
	// changed is set after a change from outside: what is overdue is looked at once more.
	changed bool
	// broken is what the buyer had promised and not paid by the day.
	broken int64
}

// look reads what the schedule of a payment follows from. The payment is locked.
// It returns db.ErrNoRows for one whose repayment never began.
func look(ctx context.Context, tx *db.Tx, m merchant.Merchant, p deferred.Payment, now time.Time) (view, error) {
	v := view{m: m, p: p, now: now, today: day(now)}
	var err error
	if v.state, err = StateOf(ctx, tx, m.ID, p.ID); err != nil {
		return v, err
	}
	v.lateWas = v.state.LateSince
	plan, err := offer.FindPlan(ctx, tx, p.PlanID)
	if err != nil {
		return v, err
	}
	entries, err := deferred.Entries(ctx, tx, m.ID, p.ID)
	if err != nil {
		return v, err
	}
	v.plan, v.schedule, v.captured = plan.Plan, Build(plan.Plan, entries, p.State).Without(p.WrittenOff), len(tranchesOf(entries, p.State)) > 0
	if tranches := tranchesOf(entries, p.State); len(tranches) > 0 {
		v.lastCapture = tranches[len(tranches)-1].day
	}
	return v, nil
}

// Wake is what is due when something of a payment may be: money is asked for, what
// is late is said to be, the buyer is reminded, a hopeless debt is written off.
func (s *Service) Wake(ctx context.Context, tx *db.Tx, d job.Due) error {
	m, err := merchant.Get(ctx, tx, d.MerchantID)
	if err != nil {
		return err
	}
	p, err := s.Deferred.LockBehindOrder(ctx, tx, m.ID, d.ObjectID)
	if gone, err := missing(err); gone || err != nil {
		return err
	}
	v, err := look(ctx, tx, m, p, d.Now)
	if gone, err := missing(err); gone || err != nil {
		return err
	}
	for _, step := range []func(context.Context, *db.Tx, *view) error{s.useCredits, s.collect, s.remind, s.giveUp} {
		v.note()
		if err := step(ctx, tx, &v); err != nil {
			return err
		}
	}
	v.note()
	return v.save(tx)
}

// refresh works out again how things stand after a change, and when to look next.
// change is applied to the stored state first.
func (s *Service) refresh(ctx context.Context, tx *db.Tx, m merchant.Merchant, p deferred.Payment, now time.Time, change func(*State)) error {
	v, err := look(ctx, tx, m, p, now)
	if gone, err := missing(err); gone || err != nil {
		return err
	}
	v.changed = true
	if change != nil {
		change(&v.state)
	}
	v.note()
	if err := v.disputed(ctx, tx); err != nil {
		return err
	}
	if err := v.save(tx); err != nil {
		return err
	}
	return s.refundTooMuch(ctx, tx, m, p, now)
}

// note brings the state up to date with the schedule.
func (v *view) note() {
	next, open := v.schedule.Next()
	if v.p.Outstanding() == 0 && !next.Upfront {
		// What was written off is not asked for any more.
		open = false
	}
	before := v.state.NextDate
	v.state.NextDate, v.state.LateSince = "", ""
	if open {
		v.state.NextDate = dateText(next.Date)
		if next.Date.Before(v.today) {
			v.state.LateSince = v.state.NextDate
		}
	}
	if v.state.NextDate != before {
		v.state.Attempts, v.state.RetryOn = 0, ""
	}
	if v.state.PausedUntil != "" && date(v.state.PausedUntil).Before(v.today) {
		v.state.PausedUntil = ""
	}
	if v.state.PromisedOn != "" && (!open || date(v.state.PromisedOn).Before(v.today)) {
		if open {
			v.broken = v.state.PromisedAmount
		}
		v.state.PromisedOn, v.state.PromisedAmount = "", 0
	}
	switch {
	case !open && v.p.Authorisation <= 0 && v.p.Status.Active(), v.p.Status == deferred.StatusRejected:
		v.state.Status = StateClosed
	case v.state.LateSince != "":
		v.state.Status = StateLate
	default:
		v.state.Status = StateOpen
	}
}

// save stores the state and the day of the next look, and tells when the debt has
// become overdue.
func (v *view) save(tx *db.Tx) error {
	saveState(tx, v.state)
	if next := v.nextLook(); next.IsZero() {
		job.Cancel(tx, v.m.ID, WakeKind, v.p.ID)
	} else {
		wakeAt(tx, v.m, v.p.ID, next)
	}
	if v.broken > 0 {
		r := Repayment{Type: TypePayment, Method: v.state.Method, Status: v.state.Status, Amount: v.broken, Currency: v.p.Currency, DueDate: v.state.NextDate}
		if err := announce(tx, v.p, r, "deferred_payment.promise_broken", v.now); err != nil {
			return err
		}
	}
	if v.state.LateSince == "" || v.state.LateSince == v.lateWas {
		return nil
	}
	next, _ := v.schedule.Next()
	r := Repayment{Type: TypePayment, Method: v.state.Method, Status: StateLate, Amount: next.Open(), Currency: v.p.Currency, DueDate: v.state.LateSince}
	return announce(tx, v.p, r, "deferred_payment.overdue", v.now)
}

// nextLook is the next day on which something about the payment may change by
// itself; the zero time when nothing will.
func (v *view) nextLook() time.Time {
	if v.state.Status == StateClosed {
		return time.Time{}
	}
	var days []time.Time
	if next := date(v.state.NextDate); !next.IsZero() {
		days = append(days, next, next.AddDate(0, 0, 1))
		for _, d := range v.m.Settings.DunningDays {
			days = append(days, next.AddDate(0, 0, int(d)))
		}
		if after := v.m.Settings.WriteOffDays; after != nil && !v.held() {
			hopeless := next.AddDate(0, 0, int(*after))
			if !hopeless.After(v.today) {
				// A payment was taken back so late that its debt is hopeless at once.
				hopeless = v.today.AddDate(0, 0, 1)
			}
			days = append(days, hopeless)
		}
	}
	for _, i := range v.schedule {
		if i.Open() > 0 {
			days = append(days, i.Date)
		}
	}
	if v.changed && !date(v.state.NextDate).After(v.today) && v.state.NextDate != "" {
		days = append(days, v.today.AddDate(0, 0, 1))
	}
	if v.p.Authorisation > 0 && v.p.Status.Active() {
		// A capture may make something due from here on.
		earliest := EarliestDate(v.plan, v.captured, v.today)
		if !earliest.After(v.today) {
			earliest = v.today.AddDate(0, 0, 1)
		}
		days = append(days, earliest)
		for _, d := range v.m.Settings.DunningDays {
			if d < 0 {
				// The buyer is told before, if by then something is captured.
				days = append(days, earliest.AddDate(0, 0, int(d)))
			}
		}
	}
	for _, text := range []string{v.state.RetryOn, v.state.PausedUntil, v.state.PromisedOn} {
		if d := date(text); !d.IsZero() {
			days = append(days, d, d.AddDate(0, 0, 1))
		}
	}
	days = slices.DeleteFunc(days, func(d time.Time) bool { return !d.After(v.today) })
	if len(days) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(days, time.Time.Compare)
}

// held is whether the buyer is left alone for now.
func (v *view) held() bool {
	return v.state.PausedUntil != "" || v.state.PromisedOn != "" || v.state.Disputed
}

// giveUp writes a debt off that is overdue for too long.
func (s *Service) giveUp(ctx context.Context, tx *db.Tx, v *view) error {
	after := v.m.Settings.WriteOffDays
	if after == nil || v.state.LateSince == "" || v.held() || v.state.Collecting != "" || v.p.Outstanding() == 0 {
		return nil
	}
	// Only what is overdue for that long: the rest of the debt is asked for as before.
	cutoff := v.today.AddDate(0, 0, -int(*after))
	amount := min(v.schedule.overdue(cutoff, v.lastCapture), v.p.Outstanding())
	if amount == 0 {
		return nil
	}
	p, err := s.WriteOff(ctx, tx, v.m, v.p.ID, amount, v.now)
	if err != nil {
		return err
	}
	return v.again(ctx, tx, p)
}

// again looks at the payment once more after a step has changed it.
func (v *view) again(ctx context.Context, tx *db.Tx, p deferred.Payment) error {
	late := v.lateWas
	next, err := look(ctx, tx, v.m, p, v.now)
	if err == nil {
		next.lateWas = late
		*v = next
	}
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	return err
}
