package order

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/db"
	"tradecredit/internal/event"
	"tradecredit/internal/form"
	"tradecredit/internal/id"
	"tradecredit/internal/merchant"
)

// The events of an order.
const (
	EventCreated = "order.created"
	EventUpdated = "order.updated"
	EventDeleted = "order.deleted"
)

// UniqueIDTaken is the sentence for a unique_id that another order has.
const UniqueIDTaken = "order with this Unique identifier on platform already exists."

// Service is what can be done with orders. Its fields are set once by the
// program; offers and deferred payments stand above orders and are reached
// through them.
type Service struct {
	// OfferChanged expires the offer of an order that has changed. It is called
	// again when the order changes again, so an offer that has ended already is
	// left alone. Nil does nothing.
	OfferChanged func(ctx context.Context, tx *db.Tx, m merchant.Merchant, now time.Time, orderID, offerID string) error
	// Locked tells whether a deferred payment keeps its order from changing. With
	// nil every deferred payment does.
	Locked func(ctx context.Context, tx *db.Tx, merchantID, deferredPaymentID string) (bool, error)
}

// Create stores a new order; its id is made here. Figures that do not fit and a
// unique_id that is taken are a 400.
func (s *Service) Create(ctx context.Context, tx *db.Tx, m merchant.Merchant, o Order, now time.Time) (Stored, error) {
	if err := refuseAmounts(o); err != nil {
		return Stored{}, err
	}
	o.ID, o.PaymentOffer, o.DeferredPayment = id.New(id.Order), "", ""
	stored := Stored{Order: o.normalised(), MerchantID: m.ID, Created: now, Updated: now}
	fresh, err := insert(ctx, tx, stored)
	if err != nil {
		return Stored{}, err
	}
	if !fresh {
		return Stored{}, apierr.Field("unique_id", UniqueIDTaken)
	}
	return stored, stored.record(tx, EventCreated, now)
}

// Update replaces an order that tx holds locked by another version of it. A
// change that affects the terms expires the order's offer; with a deferred
// payment in place only unique_id may change, anything else is a 409. Nothing
// happens when nothing is different.
func (s *Service) Update(ctx context.Context, tx *db.Tx, m merchant.Merchant, before Stored, after Order, now time.Time) (Stored, error) {
	if err := refuseAmounts(after); err != nil {
		return Stored{}, err
	}
	next := before
	next.Order, next.Updated = after.normalised(), now
	changed := ChangedFields(before.Order, next.Order)
	if len(changed) == 0 {
		return before, nil
	}
	if err := s.refuseLocked(ctx, tx, before, changed); err != nil {
		return Stored{}, err
	}
	if !slices.Contains(changed, "items") {
		// The same lines sent again know nothing of what was shipped since.
		next.Items = before.Items
	}
	free, err := update(ctx, tx, next)
	if err != nil {
		return Stored{}, err
	}
	if !free {
		return Stored{}, apierr.Field("unique_id", UniqueIDTaken)
	}
	if err := next.record(tx, EventUpdated, now); err != nil {
		return Stored{}, err
	}
	if ExpiresOffer(changed) {
		err = s.expireOffer(ctx, tx, m, next, now)
	}
	return next, err
}

// Delete removes an order that tx holds locked, and expires its offer. An order
// that a deferred payment was made for stays: 409.
func (s *Service) Delete(ctx context.Context, tx *db.Tx, m merchant.Merchant, o Stored, now time.Time) error {
	if o.DeferredPayment != "" {
		return apierr.Conflict("This order can not be deleted: it has a deferred payment.")
	}
	if err := s.expireOffer(ctx, tx, m, o, now); err != nil {
		return err
	}
	tx.Queue(deleteOrder, o.MerchantID, o.ID)
	return o.record(tx, EventDeleted, now)
}

// SetStatus moves an order to another status and records it. Nothing happens
// when the order has it already. It returns db.ErrNoRows when there is no such
// order.
func SetStatus(ctx context.Context, tx *db.Tx, m merchant.Merchant, orderID, status string, now time.Time) error {
	o, err := Lock(ctx, tx, m.ID, orderID)
	if err != nil || o.Status == status {
		return err
	}
	o.Status, o.Updated = status, now
	if _, err := update(ctx, tx, o); err != nil {
		return err
	}
	return o.record(tx, EventUpdated, now)
}

// SaveMoved stores an order that tx holds locked after goods of it were moved, or
// a discount was given, and records it.
func SaveMoved(ctx context.Context, tx *db.Tx, o Stored, now time.Time) error {
	o.Updated = now
	if _, err := update(ctx, tx, o); err != nil {
		return err
	}
	return o.record(tx, EventUpdated, now)
}

func (s *Service) expireOffer(ctx context.Context, tx *db.Tx, m merchant.Merchant, o Stored, now time.Time) error {
	if o.PaymentOffer == "" || s.OfferChanged == nil {
		return nil
	}
	return s.OfferChanged(ctx, tx, m, now, o.ID, o.PaymentOffer)
}

// refuseLocked is a 409 when a deferred payment forbids one of the changes.
func (s *Service) refuseLocked(ctx context.Context, tx *db.Tx, o Stored, changed []string) error {
	forbidden := Locked(changed)
	if o.DeferredPayment == "" || len(forbidden) == 0 {
		return nil
	}
	if s.Locked != nil {
		locked, err := s.Locked(ctx, tx, o.MerchantID, o.DeferredPayment)
		if err != nil || !locked {
			return err
		}
	}
	return apierr.Conflict(fmt.Sprintf(
		"This order has a deferred payment, only its unique_id can be changed. The request also changes: %s.",
		strings.Join(forbidden, ", ")))
}

// record appends an event with the order as it is now.
func (s Stored) record(tx *db.Tx, what string, now time.Time) error {
	data, err := db.JSON(s.Wire(""))
	if err != nil {
		return err
	}
	event.Append(tx, event.Event{
		MerchantID: s.MerchantID, Type: what, ObjectID: s.ID, RootID: s.ID, Data: data, Created: now,
	})
	return nil
}

// normalised is the order with the decimals of its items in their stored form.
func (o Order) normalised() Order {
	items := make([]Item, len(o.Items))
	for n, item := range o.Items {
		items[n] = item.Normalised()
	}
	o.Items = items
	return o
}

// refuseAmounts is a 400 when the figures of an order do not fit together.
func refuseAmounts(o Order) error {
	problems := CheckAmounts(o)
	if len(problems) == 0 {
		return nil
	}
	bad := &form.Errors{}
	bad.AddRaw("items", ItemErrors(problems, len(o.Items)))
	for _, p := range problems {
		if p.Item < 0 {
			bad.Add(p.Field, p.Sentence)
		}
	}
	return apierr.Invalid(bad)
}

// ItemErrors is the error body for those problems that belong to items: an
// object for each item of the order, empty for a good one, whose sentences are
// not lists. It is nil when all items are right.
func ItemErrors(problems []Problem, items int) any {
	var out []map[string]string
	for _, p := range problems {
		if p.Item < 0 {
			continue
		}
		if out == nil {
			out = make([]map[string]string, items)
			for n := range out {
				out[n] = map[string]string{}
			}
		}
		out[p.Item][p.Field] = p.Sentence
	}
	if out == nil {
		return nil
	}
	return out
}
