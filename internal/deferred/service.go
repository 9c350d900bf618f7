package deferred

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/credit"
	"tradecredit/internal/db"
	"tradecredit/internal/event"
	"tradecredit/internal/id"
	"tradecredit/internal/job"
	"tradecredit/internal/merchant"
	"tradecredit/internal/offer"
	"tradecredit/internal/order"
	"tradecredit/internal/underwriting"
)

// ExpiryKind is the kind of the due row that releases what was never captured.
const ExpiryKind = "deferred_payment.expiry"

// Service makes deferred payments of accepted plans.
type Service struct {
	Engine underwriting.Engine
	// Customer looks up who is behind an order.
	Customer func(ctx context.Context, tx *db.Tx, merchantID, organisationID, userID string) (offer.Buyer, error)
	// Follow does what follows from changes of figures, Entered what follows from
	// a new status before the sale is final or when it becomes so. Both may be nil.
	Follow  Follower
	Entered func(ctx context.Context, tx *db.Tx, m merchant.Merchant, p Payment, now time.Time) error
	// Decided does what follows when a payment that waited is accepted, rejected or
	// sent back. It may be nil.
	Decided func(ctx context.Context, tx *db.Tx, m merchant.Merchant, before, after Payment, now time.Time) error
}

// Accept is what happens when the buyer confirms a plan: the limit is reserved
// and a deferred payment exists. A plan that was taken already answers with its
// payment and created false. It returns db.ErrNoRows for a plan the merchant does
// not have, a 409 for one that is not offered (any more), and a 400 for a payment
// method that the plan does not allow.
func (s *Service) Accept(ctx context.Context, tx *db.Tx, m merchant.Merchant, now time.Time, planID, method string) (p Payment, created bool, err error) {
	found, err := s.Plan(ctx, tx, m.ID, planID)
	if err != nil {
		return p, false, err
	}
	// First the order, then its offer, then the plan, as everywhere: a change of
	// the order, the end of an offer and its acceptance come one after the other.
	o, err := order.Lock(ctx, tx, m.ID, found.OrderID)
	if err != nil {
		return p, false, err
	}
	// The plans of a deleted offer say themselves that they were cancelled.
	if _, err := offer.Lock(ctx, tx, m.ID, found.OfferID); err != nil && !errors.Is(err, db.ErrNoRows) {
		return p, false, err
	}
	plan, err := offer.LockPlan(ctx, tx, m.ID, planID)
	if err != nil {
		return p, false, err
	}
	if p, err := OfPlan(ctx, tx, m.ID, planID); !errors.Is(err, db.ErrNoRows) {
		return p, false, err
	}
	if o.DeferredPayment != "" {
		locked, err := Locked(ctx, tx, m.ID, o.DeferredPayment)
		if err != nil {
			return p, false, err
		}
		if locked {
			return p, false, apierr.Conflict("The payment plan can't be accepted, the order already has a deferred payment.")
		}
	}
	if !plan.AcceptableAt(now) {
		return p, false, apierr.Conflict(fmt.Sprintf("The payment plan can't be accepted, it is %s.", shownStatus(plan.Plan, now)))
	}
	if !Allows(plan.Plan, method) {
		return p, false, apierr.Field("payment_method", fmt.Sprintf("%q is not a valid choice.", method))
	}
	p, err = s.create(ctx, tx, m, now, o, plan, method)
	return p, true, err
}

// Plan returns a plan of a merchant, or db.ErrNoRows.
func (s *Service) Plan(ctx context.Context, tx *db.Tx, merchantID, planID string) (offer.StoredPlan, error) {
	p, err := offer.FindPlan(ctx, tx, planID)
	if err == nil && p.MerchantID != merchantID {
		err = db.ErrNoRows
	}
	return p, err
}

// ErrPlanTaken is the 409 for a plan that has its deferred payment already.
func ErrPlanTaken() error {
	return apierr.Conflict("The payment plan can't be accepted, it is accepted.")
}

// shownStatus is the status of a plan, whose end may not have been noted yet.
func shownStatus(p offer.Plan, now time.Time) string {
	if p.LapsedAt(now) {
		return offer.StatusExpired
	}
	return p.Status
}

// Allows tells whether a plan's later payments can be made by a method.
func Allows(p offer.Plan, method string) bool {
	for _, sp := range p.ScheduledPayments {
		if sp.DueDateConfig.Upfront && len(p.ScheduledPayments) > 1 {
			continue
		}
		if !slices.Contains(sp.AllowedPaymentMethods, offer.Method{Type: method}) {
			return false
		}
	}
	return true
}

func (s *Service) create(ctx context.Context, tx *db.Tx, m merchant.Merchant, now time.Time, o order.Stored, plan offer.StoredPlan, method string) (Payment, error) {
	buyer, err := s.Customer(ctx, tx, m.ID, o.Customer.Organisation, o.Customer.User)
	if err != nil {
		return Payment{}, err
	}
	status, code, err := s.decide(ctx, tx, m, now, o, plan, buyer.Buyer, method)
	if err != nil {
		return Payment{}, err
	}
	state, err := New(o.TotalAmount, plan.ProtectedAmount, plan.CustomerFee.Amount, status)
	if err != nil {
		return Payment{}, err
	}
	p := Payment{
		State: state, MerchantID: m.ID, ID: id.New(id.DeferredPayment), OrderID: o.ID, PlanID: plan.ID,
		OrganisationID: o.Customer.Organisation, CompanyID: buyer.CompanyID, Currency: o.Currency,
		PaymentMethod: method, RejectionCode: code, Terms: plan.RelativeTo, Created: now,
	}
	p.CustomerDiscountSum, p.MerchantFeeSum = plan.CustomerDiscount.Minor, plan.MerchantFee.Minor
	for _, sp := range plan.ScheduledPayments {
		if sp.DueDateConfig.Upfront {
			p.Upfront += sp.DiscountedAmount
		}
	}
	if p.Number, err = freeNumber(ctx, tx); err != nil {
		return Payment{}, err
	}
	insert(tx, p)
	order.SetDeferredPayment(tx, m.ID, o.ID, p.ID)
	if err := s.settle(ctx, tx, m, plan, p, now); err != nil {
		return Payment{}, err
	}
	event.Append(tx, happened(p, "created", now))
	return p, s.entered(ctx, tx, m, p, now)
}

// decide asks the engine and reserves the limits: the plan's protected amount of
// the lender's, the rest of the order of the merchant's own. An offer that stands
// is kept, so no other reason counts any more.
func (s *Service) decide(ctx context.Context, tx *db.Tx, m merchant.Merchant, now time.Time, o order.Stored, plan offer.StoredPlan, b underwriting.Buyer, method string) (Status, string, error) {
	standing, err := credit.Assess(ctx, tx, s.Engine, underwriting.Application{
		Merchant: m, Buyer: b, Currency: o.Currency, Amount: o.TotalAmount, Now: now,
		OrganisationID: o.Customer.Organisation, OrderID: o.ID, OfferID: plan.OfferID, PlanID: plan.ID,
		Order: offer.OrderTerms(o.Order), Plans: []underwriting.PlanTerms{plan.PlanTerms()},
	})
	if err != nil {
		return "", "", err
	}
	outcome, code, err := s.Engine.Review(ctx, tx, standing.Application)
	if err != nil || outcome == underwriting.Rejected {
		return StatusRejected, code, err
	}
	protected := min(o.TotalAmount, plan.ProtectedAmount)
	reservation := credit.Request{
		CompanyID: b.CompanyID, MerchantID: m.ID, Currency: o.Currency,
		Protected: protected, Unprotected: o.TotalAmount - protected, Day: now,
	}
	reservation.Limit, reservation.MerchantLimit = standing.Ceilings()
	if err := credit.Reserve(ctx, tx, reservation); errors.Is(err, credit.ErrExceeded) {
		return StatusRejected, RejectedCreditLimitExceeded, nil
	} else if err != nil {
		return "", "", err
	}
	status := Status(outcome)
	if status == StatusAccepted && plan.HasUpfrontPayment && method == offer.MethodInvoice {
		// The upfront part comes by bank transfer, so it is not there yet.
		status = StatusPendingPayment
	}
	return status, "", nil
}

// settle marks the plan as taken, with the method of its payments.
func (s *Service) settle(ctx context.Context, tx *db.Tx, m merchant.Merchant, plan offer.StoredPlan, p Payment, now time.Time) error {
	plan.Status = offer.StatusAccepted
	if p.Status == StatusRejected {
		plan.Status = offer.StatusDeclined
		plan.RejectionReason = &offer.RejectionReason{
			Code: p.RejectionCode, Detail: RejectionDetail(p.RejectionCode), Params: map[string]any{},
		}
	}
	for i, sp := range plan.ScheduledPayments {
		chosen := offer.Method{Type: p.PaymentMethod}
		if !slices.Contains(sp.AllowedPaymentMethods, chosen) {
			// An upfront part that cannot be paid by the chosen method.
			chosen = sp.AllowedPaymentMethods[0]
		}
		plan.ScheduledPayments[i].PaymentMethod = &chosen
	}
	offers := &offer.Service{}
	return offers.Settle(ctx, tx, m.ID, plan, now)
}

// freeNumber makes a number that no payment has. The unique index has the last
// word.
func freeNumber(ctx context.Context, tx *db.Tx) (string, error) {
	for {
		number := id.Number("P")
		var taken int64
		if err := tx.Get(ctx, numberTaken, []any{number}, &taken); err != nil {
			return "", err
		}
		if taken == 0 {
			return number, nil
		}
	}
}

// happened is the log's event for a change that is not a post-sale event.
func happened(p Payment, what string, now time.Time) event.Event {
	return event.Event{
		MerchantID: p.MerchantID, Type: "deferred_payment." + what,
		ObjectID: p.ID, RootID: p.OrderID, Data: snapshot(p), Created: now,
	}
}

// Review stores the decision on a payment that waits for one. It returns
// db.ErrNoRows for a payment the merchant does not have and a 409 when none is
// due: a payment that waits for money is not decided upon.
func (s *Service) Review(ctx context.Context, tx *db.Tx, m merchant.Merchant, now time.Time, paymentID string, outcome Status) (Payment, error) {
	p, err := s.LockBehindOrder(ctx, tx, m.ID, paymentID)
	if err != nil {
		return p, err
	}
	if p.Status == StatusPendingPayment {
		return p, Refusal(notReviewed(p.Status, outcome))
	}
	if outcome == StatusRejected {
		code := RejectedFraud
		return s.reject(ctx, tx, m, p, code, now)
	}
	before := p
	if p.State, err = Review(p.State, outcome); err != nil {
		return p, Refusal(err)
	}
	return p, s.decided(ctx, tx, m, before, p, now)
}

// declinePlan says of the plan of a rejected payment why it came to nothing.
func (s *Service) declinePlan(ctx context.Context, tx *db.Tx, m merchant.Merchant, p Payment, now time.Time) error {
	plan, err := offer.LockPlan(ctx, tx, m.ID, p.PlanID)
	if err != nil {
		return err
	}
	return s.settle(ctx, tx, m, plan, p, now)
}

// Expire is what is due when the authorisation of a payment ends.
func (s *Service) Expire(ctx context.Context, tx *db.Tx, d job.Due) error {
	_, _, err := s.Perform(ctx, tx, Request{MerchantID: d.MerchantID, PaymentID: d.ObjectID, Command: Command{Action: ActionExpiry}}, d.Now)
	var refused *apierr.Error
	if errors.Is(err, ErrNothingToDo) || errors.Is(err, db.ErrNoRows) || errors.As(err, &refused) {
		return nil
	}
	return err
}

// Perform makes one post-sale event in a transaction of the caller's, at a given
// time of the merchant. It returns ErrNothingToDo when there is nothing to do.
func (s *Service) Perform(ctx context.Context, tx *db.Tx, r Request, now time.Time) (Payment, Entry, error) {
	p, err := Lock(ctx, tx, r.MerchantID, r.PaymentID)
	if err != nil {
		return p, Entry{}, err
	}
	e, err := Decide(p.State, Settings{}, r.Command)
	if err != nil {
		return p, Entry{}, Refusal(err)
	}
	b := &batch{payments: map[paymentKey]*Payment{}, changed: map[paymentKey]bool{}, credit: map[credit.Key]int64{}}
	k := paymentKey{p.MerchantID, p.ID}
	b.payments[k] = &p
	entry := b.apply(k, &p, e, r.Metadata, now)
	return p, entry, b.write(ctx, tx, s.Follow)
}

// Locked tells whether a deferred payment forbids changes of its order. One that
// was rejected does not.
func Locked(ctx context.Context, tx *db.Tx, merchantID, paymentID string) (bool, error) {
	p, err := Get(ctx, tx, merchantID, paymentID)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	return p.Status != StatusRejected, err
}
