package fulfilment

import (
	"errors"
	"fmt"

	"tradecredit/internal/deferred"
	"tradecredit/internal/order"
)

// Action is what a merchant says has happened to an order. Its names are those of
// the endpoints, and the origins of the post-sale events that follow.
type Action string

// The actions.
const (
	Fulfill  Action = "fulfill"
	Cancel   Action = "cancel"
	Return   Action = "return"
	Discount Action = "discount"
)

// Request is an action with its input.
type Request struct {
	Action Action
	// Lines are the goods that were shipped, cancelled or returned; nil means all
	// that is left.
	Lines []order.Line
	// Discounts are the new lines of a discount.
	Discounts []order.Item
	// Day is the merchant's day, YYYY-MM-DD: that of shipments that name none.
	Day string
}

// Decision is what becomes of a request: either problems, or the order as it is
// afterwards and what that means for its deferred payment, in this order.
type Decision struct {
	Order    order.Order
	Commands []deferred.Command
	Problems []order.Problem
}

// Decide works out what a request makes of an order and its deferred payment. The
// error is a *deferred.ConflictError: the payment's state forbids any such action.
//
// A shipment captures its amount, a cancellation voids it, a return refunds it. A
// discount takes from what is captured first and from the authorisation then; what
// it took from the authorisation is taken off the next shipments, and off
// cancellations only where nothing else is left. So the authorisation is always
// what is neither shipped nor cancelled, less the discounts that wait for
// shipments, and the last of the goods brings it to zero. A return refunds no more
// than is captured: a discount was given back before.
func Decide(o order.Order, s deferred.State, set deferred.Settings, r Request) (Decision, error) {
	if err := admit(s); err != nil {
		return Decision{}, err
	}
	var d Decision
	var amount int64
	switch r.Action {
	case Fulfill:
		d.Order, amount, d.Problems = order.MoveGoods(o, order.Shipped, r.Lines, r.Day)
		off := min(amount, d.Order.DiscountWaiting)
		d.Order.DiscountWaiting -= off
		d.add(r, deferred.ActionCapture, amount-off)
	case Cancel:
		d.Order, amount, d.Problems = order.MoveGoods(o, order.Cancelled, r.Lines, r.Day)
		off := min(max(amount-authorised(s), 0), d.Order.DiscountWaiting)
		d.Order.DiscountWaiting -= off
		d.add(r, deferred.ActionVoid, amount-off)
	case Return:
		d.Order, amount, d.Problems = order.MoveGoods(o, order.Returned, r.Lines, r.Day)
		d.add(r, deferred.ActionRefund, min(amount, captured(s)))
	case Discount:
		d.Order, amount, d.Problems = order.GiveDiscount(o, r.Discounts)
		refunded := min(amount, captured(s))
		d.Order.DiscountWaiting += amount - refunded
		d.add(r, deferred.ActionRefund, refunded)
		d.add(r, deferred.ActionVoid, amount-refunded)
	default:
		return Decision{}, fmt.Errorf("fulfilment: no action %q", r.Action)
	}
	if len(d.Problems) > 0 {
		return Decision{Problems: d.Problems}, nil
	}
	return d.affordable(s, set, r.Action, amount)
}

// add appends a command unless it is about nothing: goods may cost nothing.
func (d *Decision) add(r Request, action deferred.Action, amount int64) {
	if amount > 0 {
		d.Commands = append(d.Commands, deferred.Command{
			Action: action, Amount: amount, Version: deferred.V1, Origin: string(r.Action),
		})
	}
}

// affordable refuses a decision whose commands the payment does not allow: it has
// less left than the items come to. That is so when a discount of the order was
// left out, or the authorisation has expired.
func (d Decision) affordable(s deferred.State, set deferred.Settings, a Action, amount int64) (Decision, error) {
	left := authorised(s)
	if a == Discount {
		left += captured(s)
	}
	for _, c := range d.Commands {
		e, err := deferred.Decide(s, set, c)
		var field *deferred.FieldError
		if errors.As(err, &field) {
			sentence := fmt.Sprintf("Sum of items total_amount [%d] is more than the deferred payment has left to %s [%d].", amount, a, left)
			return Decision{Problems: []order.Problem{{Item: -1, Field: "items", Sentence: sentence}}}, nil
		}
		if err != nil {
			return Decision{}, err
		}
		s = s.Apply(e)
	}
	return d, nil
}

// admit refuses what no amount would make possible: the payment is not accepted,
// or is handled through the other kind of endpoints.
func admit(s deferred.State) error {
	_, err := deferred.Decide(s, deferred.Settings{}, deferred.Command{Action: deferred.ActionVoidRemaining, Version: deferred.V1})
	var conflict *deferred.ConflictError
	if errors.As(err, &conflict) {
		return conflict
	}
	return nil
}

func authorised(s deferred.State) int64 { return max(s.Authorisation, 0) }

func captured(s deferred.State) int64 { return s.ProtectedCaptures + s.UnprotectedCaptures }
