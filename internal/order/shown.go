package order

import (
	"bytes"
	"context"
	"fmt"

	"tradecredit/internal/db"
	"tradecredit/internal/page"
)

// Shown is an order as it is answered with nothing expanded. Its text was written
// when the order was: reading it back costs nothing but copying, and lists of
// orders are what shops ask for most.
type Shown struct {
	id, offer, deferred string
	middle              string
}

const (
	selectShown db.SQL = `SELECT id, offer_id, deferred_payment_id, shown FROM orders WHERE merchant_id = $1 AND id = $2`
	shownNewest db.SQL = `SELECT id, offer_id, deferred_payment_id, shown
		FROM orders WHERE merchant_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3`
	shownOldest db.SQL = `SELECT id, offer_id, deferred_payment_id, shown
		FROM orders WHERE merchant_id = $1 ORDER BY created_at, id LIMIT $2 OFFSET $3`
)

// The parts of the JSON that are not stored: the address before, and what other
// packages set behind.
const (
	shownStart = `{"url":"`
	shownEnd   = `,"payment_offer":null,"deferred_payment":null}`
)

// encoded is what is stored of an order: itself, and the middle of its answer.
func (o Order) encoded() (body, shown string, err error) {
	own, err := db.JSON(o)
	if err != nil {
		return "", "", err
	}
	o.PaymentOffer, o.DeferredPayment = "", ""
	wire, err := db.JSON(o.Wire(""))
	if err != nil {
		return "", "", err
	}
	middle, ok := bytes.CutPrefix(wire, []byte(shownStart))
	middle, ok2 := bytes.CutSuffix(middle, []byte(shownEnd))
	if !ok || !ok2 {
		return "", "", fmt.Errorf("order: an answer of another form: %s", wire)
	}
	return string(own), string(middle), nil
}

// AppendJSON appends the answer to b. base goes before the path of its url.
func (s Shown) AppendJSON(b []byte, base string) []byte {
	b = append(b, shownStart...)
	b = append(b, base...)
	b = append(b, s.middle...)
	b = append(b, `,"payment_offer":`...)
	b = appendID(b, s.offer)
	b = append(b, `,"deferred_payment":`...)
	return append(appendID(b, s.deferred), '}')
}

func appendID(b []byte, objectID string) []byte {
	if objectID == "" {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = append(b, objectID...)
	return append(b, '"')
}

func scanShown(r db.Rows) (s Shown, err error) {
	err = r.Scan(&s.id, &s.offer, &s.deferred, &s.middle)
	return s, err
}

// GetShown returns the answer for an order of the merchant, or db.ErrNoRows.
func GetShown(ctx context.Context, tx *db.Tx, merchantID, orderID string) (Shown, error) {
	if !storable(orderID) {
		return Shown{}, db.ErrNoRows
	}
	return db.One(ctx, tx, selectShown, []any{merchantID, orderID}, scanShown)
}

// ListShown returns the answers for a page of the merchant's orders, and how
// many orders there are in all.
func ListShown(ctx context.Context, tx *db.Tx, merchantID string, p page.Page) (out []Shown, count int64, err error) {
	q := shownNewest
	if p.Oldest {
		q = shownOldest
	}
	tx.QueueQuery(countOrders, func(r db.Rows) error {
		r.Next()
		return r.Scan(&count)
	}, merchantID)
	tx.QueueQuery(q, func(r db.Rows) error {
		for r.Next() {
			s, err := scanShown(r)
			if err != nil {
				return err
			}
			out = append(out, s)
		}
		return nil
	}, merchantID, p.Limit, p.Offset)
	err = tx.Flush(ctx)
	return out, count, err
}
