// Package fulfilment is what happens to the goods of an order after the sale, told
// item by item, and what follows from it for the deferred payment: the legacy order
// endpoints. It stands above orders and deferred payments and changes both in one
// transaction; it stores nothing itself.
package fulfilment

import (
	"context"
	"reflect"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/form"
	"tradecredit/internal/order"
)

// Service does what merchants report. Its fields are set once by the program.
type Service struct {
	Deferred *deferred.Service
}

// Act does what a request says to an order that tx holds locked, at a time of the
// merchant, and returns the order as it is then. It is a 400 when a line is not
// possible, and a 409 when the order has no deferred payment or one that forbids
// it; then nothing has changed. A request to move all that is left, when nothing
// is, changes nothing either.
func (s *Service) Act(ctx context.Context, tx *db.Tx, o order.Stored, r Request, now time.Time) (order.Stored, error) {
	if o.DeferredPayment == "" {
		return o, apierr.Conflict("This action is not possible: the order has no deferred payment.")
	}
	p, err := deferred.Lock(ctx, tx, o.MerchantID, o.DeferredPayment)
	if err != nil {
		return o, err
	}
	d, err := Decide(o.Order, p.State, deferred.Settings{}, r)
	if err != nil {
		return o, deferred.Refusal(err)
	}
	if len(d.Problems) > 0 {
		return o, refusal(d.Problems, max(len(r.Lines), len(r.Discounts)))
	}
	if reflect.DeepEqual(d.Order, o.Order) {
		return o, nil
	}
	after := o
	after.Order = d.Order
	if err := order.SaveMoved(ctx, tx, after, now); err != nil {
		return o, err
	}
	for _, c := range d.Commands {
		if err := s.perform(ctx, tx, p, c, now); err != nil {
			return o, err
		}
	}
	// What follows from the events may have touched the order as well.
	return order.Get(ctx, tx, o.MerchantID, o.ID)
}

func (s *Service) perform(ctx context.Context, tx *db.Tx, p deferred.Payment, c deferred.Command, now time.Time) error {
	_, _, err := s.Deferred.Perform(ctx, tx, deferred.Request{MerchantID: p.MerchantID, PaymentID: p.ID, Command: c}, now)
	return err
}

// refusal is the 400 for problems: those of lines by their place in the list, or
// else what is wrong with all of them together.
func refusal(problems []order.Problem, lines int) error {
	bad := &form.Errors{}
	if items := order.ItemErrors(problems, lines); items != nil {
		bad.AddRaw("items", items)
		return apierr.Invalid(bad)
	}
	for _, p := range problems {
		bad.AddNested("items", form.NonField(p.Sentence))
	}
	return apierr.Invalid(bad)
}
