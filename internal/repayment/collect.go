package repayment

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"tradecredit/internal/calendar"
	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/event"
	"tradecredit/internal/id"
	"tradecredit/internal/job"
	"tradecredit/internal/merchant"
	"tradecredit/internal/offer"
	"tradecredit/internal/order"
	"tradecredit/internal/processor"
)

// The kinds of the jobs that ask a processor for money, or to give it back.
const (
	ChargeKind = "repayment.charge"
	RefundKind = "repayment.refund"
)

// collect asks for what is due by card or direct debit.
func (s *Service) collect(ctx context.Context, tx *db.Tx, v *view) error {
	due := v.schedule.Due(v.today)
	if v.state.NextDate == "" {
		due = 0 // what was written off is not asked for
	}
	if err := v.tryAgain(ctx, tx); err != nil {
		return err
	}
	collectable := v.state.Method == offer.MethodCard || v.state.Method == offer.MethodDirectDebit
	switch {
	case due == 0 || !collectable || !s.collects(v.state.Method) || v.held() || v.state.Collecting != "",
		v.state.Attempts >= v.m.Settings.CollectionAttempts,
		v.state.RetryOn != "" && date(v.state.RetryOn).After(v.today):
		return nil
	}
	byFile := s.File && v.state.Method == offer.MethodDirectDebit
	if byFile {
		// Without a mandate the buyer pays as by invoice, and is reminded to.
		_, err := mandateFor(ctx, tx, v.m.ID, v.p.OrganisationID, v.p.Currency)
		if gone, err := missing(err); gone || err != nil {
			return err
		}
	}
	r := Repayment{
		MerchantID: v.m.ID, ID: id.New(id.Repayment), PaymentID: v.p.ID, OrganisationID: v.p.OrganisationID,
		Type: TypePayment, Method: v.method(), Status: StatusPending, Currency: v.p.Currency, Amount: due,
		DueDate: v.state.NextDate, Attempt: v.state.Attempts + 1, Origin: OriginProcessor, Created: v.now,
	}
	if byFile {
		r.Origin = OriginBank
	}
	insert(tx, r)
	v.state.Collecting, v.state.RetryOn = r.ID, ""
	saveState(tx, v.state)
	if byFile {
		return nil
	}
	if !s.Immediate {
		return s.enqueue(tx, ChargeKind, r)
	}
	result, err := s.Processor.Charge(ctx, s.chargeOf(v.p, v.state, r))
	if err != nil {
		result = processor.Result{Outcome: processor.Failed, Code: "no_answer", Message: "The processor did not answer."}
	}
	if err := s.outcome(ctx, tx, v.m, r, result, v.now); err != nil {
		return err
	}
	p, err := deferred.Get(ctx, tx, v.m.ID, v.p.ID)
	if err != nil {
		return err
	}
	return v.again(ctx, tx, p)
}

// tryAgain gives a debt whose attempts are used up new ones when another instalment
// has fallen due since the last of them.
func (v *view) tryAgain(ctx context.Context, tx *db.Tx) error {
	if v.state.Attempts < v.m.Settings.CollectionAttempts {
		return nil
	}
	all, err := Of(ctx, tx, v.m.ID, v.p.ID)
	if err != nil {
		return err
	}
	var last time.Time
	for _, r := range all {
		if r.Type == TypePayment && r.Attempt > 0 {
			last = day(r.Created)
		}
	}
	if v.schedule.newest(v.today).After(last) {
		v.state.Attempts, v.state.RetryOn = 0, ""
	}
	return nil
}

// method is how the oldest open part is collected: an upfront part that cannot be
// debited is paid by card.
func (v *view) method() string {
	next, _ := v.schedule.Next()
	for _, sp := range v.plan.ScheduledPayments {
		if next.Upfront && sp.DueDateConfig.Upfront && sp.PaymentMethod != nil {
			return sp.PaymentMethod.Type
		}
	}
	return v.state.Method
}

// collects tells whether anybody can be asked for money in this way.
func (s *Service) collects(method string) bool {
	return s.Processor != nil || s.File && method == offer.MethodDirectDebit
}

func (s *Service) chargeOf(p deferred.Payment, state State, r Repayment) processor.Charge {
	return processor.Charge{
		ID: r.ID, Amount: r.Amount, Currency: r.Currency, Method: r.Method, Token: state.Token,
		CustomerReference: p.OrganisationID, Description: p.Number, StatementDescriptor: p.Number, OffSession: true,
	}
}

// failed notes a failed attempt and the business day of the next.
func (s *Service) failed(state *State, m merchant.Merchant, r Repayment, next time.Time) {
	if state.Collecting == r.ID {
		state.Collecting = ""
	}
	if r.Attempt == 0 {
		return // nobody had asked for it
	}
	state.Attempts = max(state.Attempts, r.Attempt)
	state.RetryOn = ""
	if state.Attempts < m.Settings.CollectionAttempts {
		state.RetryOn = dateText(next)
	}
}

// retryDay is the business day of the buyer's country on which a collection is
// tried again.
func (s *Service) retryDay(ctx context.Context, tx *db.Tx, m merchant.Merchant, p deferred.Payment, now time.Time) (time.Time, error) {
	b, err := s.buyer(ctx, tx, p)
	if err != nil {
		return time.Time{}, err
	}
	days, err := calendar.Load(ctx, tx, b.Country)
	if err != nil {
		return time.Time{}, err
	}
	return days.Add(day(now), int(m.Settings.CollectionGapDays)), nil
}

// buyer is who owes a payment.
func (s *Service) buyer(ctx context.Context, tx *db.Tx, p deferred.Payment) (offer.Buyer, error) {
	o, err := order.Get(ctx, tx, p.MerchantID, p.OrderID)
	if err != nil {
		return offer.Buyer{}, err
	}
	return s.Deferred.Customer(ctx, tx, p.MerchantID, p.OrganisationID, o.Customer.User)
}

// outcome stores what came of asking for money. A pending one stays as it is: the
// processor tells later.
func (s *Service) outcome(ctx context.Context, tx *db.Tx, m merchant.Merchant, r Repayment, result processor.Result, now time.Time) error {
	r.Reference = result.Reference
	var err error
	switch result.Outcome {
	case processor.Succeeded:
		_, err = s.settle(ctx, tx, m, r, now)
	case processor.Pending:
		update(tx, r)
	default:
		_, err = s.fail(ctx, tx, m, r, result.Code, result.Message, now)
	}
	return err
}

// work is the payload of the jobs.
type work struct {
	Repayment string `json:"repayment"`
}

func (s *Service) enqueue(tx *db.Tx, kind string, r Repayment) error {
	payload, err := json.Marshal(work{r.ID})
	if err != nil {
		return err
	}
	job.Enqueue(tx, job.Job{MerchantID: r.MerchantID, Kind: kind, Payload: payload}, s.Clock.Now())
	return nil
}

// Register tells the queue who does what is due and who asks the processor.
func (s *Service) Register(q *job.Queue, d *db.DB) {
	q.HandleDue(WakeKind, s.Wake)
	q.HandleJob(ChargeKind, func(ctx context.Context, j job.Job) job.Outcome { return s.perform(ctx, d, j) })
	q.HandleJob(RefundKind, func(ctx context.Context, j job.Job) job.Outcome { return s.perform(ctx, d, j) })
}

// perform makes one attempt at asking the processor. The repayment's ID is the
// processor's idempotency key for ever, so that no attempt moves money twice.
func (s *Service) perform(ctx context.Context, d *db.DB, j job.Job) job.Outcome {
	var w work
	if err := json.Unmarshal(j.Payload, &w); err != nil {
		return job.Outcome{Park: err.Error()}
	}
	var r Repayment
	var p deferred.Payment
	var state State
	err := d.Read(ctx, func(tx *db.Tx) (err error) {
		if r, err = Get(ctx, tx, j.MerchantID, w.Repayment); err != nil {
			return err
		}
		if p, err = deferred.Get(ctx, tx, j.MerchantID, r.PaymentID); err != nil {
			return err
		}
		state, err = StateOf(ctx, tx, j.MerchantID, r.PaymentID)
		return err
	})
	if errors.Is(err, db.ErrNoRows) {
		return job.Outcome{Park: err.Error()}
	}
	if err != nil {
		return job.Outcome{RetryAt: s.Clock.Now().Add(processor.Wait(j.Attempt))}
	}
	if r.Status != StatusPending {
		return job.Outcome{}
	}
	result, err := s.attempt(ctx, p, state, r, j.Attempt)
	switch processor.Next(result, err, j.Attempt) {
	case processor.Retry, processor.Lookup:
		return job.Outcome{RetryAt: s.Clock.Now().Add(processor.Wait(j.Attempt))}
	case processor.GiveUp:
		if err != nil && !errors.Is(err, processor.ErrInvalid) {
			// Nobody knows whether the money moved: a person must look.
			return job.Outcome{Park: err.Error()}
		}
		if err != nil {
			result = processor.Result{Outcome: processor.Failed, Code: "invalid", Message: err.Error()}
		}
	}
	return job.Outcome{Record: func(ctx context.Context, tx *db.Tx) error {
		m, err := merchant.Get(ctx, tx, j.MerchantID)
		if err != nil {
			return err
		}
		if _, err := s.Deferred.LockBehindOrder(ctx, tx, m.ID, r.PaymentID); err != nil {
			return err
		}
		// The processor may have told of the outcome itself while we asked.
		if r, err = Lock(ctx, tx, m.ID, r.ID); err != nil || r.Status != StatusPending {
			return err
		}
		if r.Type == TypeCustomerRefund {
			return s.refundOutcome(ctx, tx, m, r, result, m.Now(s.Clock.Now()))
		}
		return s.outcome(ctx, tx, m, r, result, m.Now(s.Clock.Now()))
	}}
}

func (s *Service) attempt(ctx context.Context, p deferred.Payment, state State, r Repayment, attempt int) (processor.Result, error) {
	if r.Type == TypeCustomerRefund {
		return processor.PerformRefund(ctx, s.Processor, refundOf(r), attempt)
	}
	return processor.Perform(ctx, s.Processor, s.chargeOf(p, state, r), attempt)
}

// wakeNow lets a payment be looked at as soon as the queue gets to it.
func (s *Service) wakeNow(ctx context.Context, tx *db.Tx, merchantID, paymentID string, now time.Time) error {
	m, err := merchant.Get(ctx, tx, merchantID)
	if err != nil {
		return err
	}
	wakeAt(tx, m, paymentID, now)
	return nil
}

// Follow does what follows from post-sale events: due dates that count from the
// first capture are set, a payment that was closed is looked at again, and what
// the buyer has paid too much is given back.
func (s *Service) Follow(ctx context.Context, tx *db.Tx, happened []deferred.Happening) error {
	for _, h := range happened {
		if h.Entry.Type == "" {
			continue
		}
		if err := s.follow(ctx, tx, h); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) follow(ctx context.Context, tx *db.Tx, h deferred.Happening) error {
	p := h.After
	first := h.Before.ForMerchant() == 0 && h.Before.Refunds == 0 && h.Before.Clawback == 0 && p.ForMerchant() > 0
	if first && p.Terms != offer.RelativeToOrderCreation {
		if err := redate(ctx, tx, p, h.Now); err != nil {
			return err
		}
	}
	if p.OwedAtMost() > h.Before.OwedAtMost() {
		// What nobody had reckoned with may be due at once.
		if err := s.wakeNow(ctx, tx, p.MerchantID, p.ID, h.Now); err != nil {
			return err
		}
	}
	if p.Refundable() > 0 && p.Refundable() > h.Before.Refundable() {
		m, err := merchant.Get(ctx, tx, p.MerchantID)
		if err != nil {
			return err
		}
		return s.refundTooMuch(ctx, tx, m, p, h.Now)
	}
	return nil
}

// redate stores the dates of a plan that count from the first capture.
func redate(ctx context.Context, tx *db.Tx, p deferred.Payment, now time.Time) error {
	stored, err := offer.LockPlan(ctx, tx, p.MerchantID, p.PlanID)
	if err != nil {
		return err
	}
	stored.Plan.ScheduledPayments = stored.Plan.Redate(now)
	if err := offer.SavePlan(tx, p.MerchantID, stored.Plan); err != nil {
		return err
	}
	data, err := db.JSON(map[string]any{"id": p.ID, "order": p.OrderID, "payment_plan": p.PlanID, "scheduled_payments": stored.Plan.ScheduledPayments})
	if err != nil {
		return err
	}
	event.Append(tx, event.Event{
		MerchantID: p.MerchantID, Type: "deferred_payment.due_dates_changed", ObjectID: p.ID, RootID: p.OrderID, Data: data, Created: now,
	})
	return nil
}

// Clock is the source of real time.
type Clock = clock.Clock
