package order

import (
	"context"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"tradecredit/internal/db"
	"tradecredit/internal/id"
	"tradecredit/internal/page"
)

// Stored is an order with what the database knows about it.
type Stored struct {
	Order
	MerchantID string
	Created    time.Time
	Updated    time.Time
}

const (
	insertOrder db.SQL = `INSERT INTO orders (merchant_id, id, unique_id, organisation_id, user_id, status, currency,
			total_amount, offer_id, deferred_payment_id, body, shown, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', '', $9, $10, $11, $11) ON CONFLICT (merchant_id, unique_id) DO NOTHING`
	updateOrder db.SQL = `UPDATE orders SET unique_id = $3, organisation_id = $4, user_id = $5, status = $6, currency = $7,
			total_amount = $8, body = $9, shown = $10, updated_at = $11
		WHERE merchant_id = $1 AND id = $2`
	deleteOrder db.SQL = `DELETE FROM orders WHERE merchant_id = $1 AND id = $2`
	setOffer    db.SQL = `UPDATE orders SET offer_id = $3 WHERE merchant_id = $1 AND id = $2`
	setDeferred db.SQL = `UPDATE orders SET deferred_payment_id = $3 WHERE merchant_id = $1 AND id = $2`

	selectOrder db.SQL = `SELECT merchant_id, id, offer_id, deferred_payment_id, body, created_at, updated_at
		FROM orders WHERE merchant_id = $1 AND id = $2`
	lockOrder db.SQL = `SELECT merchant_id, id, offer_id, deferred_payment_id, body, created_at, updated_at
		FROM orders WHERE merchant_id = $1 AND id = $2 FOR UPDATE`
	selectByUniqueID db.SQL = `SELECT merchant_id, id, offer_id, deferred_payment_id, body, created_at, updated_at
		FROM orders WHERE merchant_id = $1 AND unique_id = $2`
	selectNewest db.SQL = `SELECT merchant_id, id, offer_id, deferred_payment_id, body, created_at, updated_at
		FROM orders WHERE merchant_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3`
	selectOldest db.SQL = `SELECT merchant_id, id, offer_id, deferred_payment_id, body, created_at, updated_at
		FROM orders WHERE merchant_id = $1 ORDER BY created_at, id LIMIT $2 OFFSET $3`
	countOrders db.SQL = `SELECT count(*) FROM orders WHERE merchant_id = $1`

	selectOffers db.SQL = `SELECT o.id, o.offer_id FROM unnest($1::text[], $2::text[]) AS u(m, i)
		JOIN orders o ON o.merchant_id = u.m AND o.id = u.i`
	orderExists  db.SQL = `SELECT EXISTS (SELECT 1 FROM orders WHERE merchant_id = $1 AND id = $2)`
	orderIDTaken db.SQL = `SELECT EXISTS (SELECT 1 FROM orders WHERE merchant_id = $1 AND unique_id = $2 AND id <> $3)`
	hasPayments  db.SQL = `SELECT EXISTS (SELECT 1 FROM orders
		WHERE merchant_id = $1 AND organisation_id = $2 AND (offer_id <> '' OR deferred_payment_id <> ''))`
	countOfUser db.SQL = `SELECT count(*) FROM orders WHERE merchant_id = $1 AND user_id = $2`
)

func scanStored(r db.Rows) (Stored, error) {
	var s Stored
	var offer, deferred, body string
	var created, updated int64
	if err := r.Scan(&s.MerchantID, &s.ID, &offer, &deferred, &body, &created, &updated); err != nil {
		return s, err
	}
	s.PaymentOffer, s.DeferredPayment = offer, deferred
	s.Created, s.Updated = db.Time(created), db.Time(updated)
	return s, json.Unmarshal([]byte(body), &s.Order)
}

// one returns the order that q finds by a merchant and a text of the caller's.
// Text that no column can hold finds nothing.
func one(ctx context.Context, tx *db.Tx, q db.SQL, merchantID, text string) (Stored, error) {
	if !storable(text) {
		return Stored{}, db.ErrNoRows
	}
	return db.One(ctx, tx, q, []any{merchantID, text}, scanStored)
}

func storable(text string) bool { return utf8.ValidString(text) && !strings.ContainsRune(text, 0) }

// Get returns an order of the merchant, or db.ErrNoRows.
func Get(ctx context.Context, tx *db.Tx, merchantID, orderID string) (Stored, error) {
	return one(ctx, tx, selectOrder, merchantID, orderID)
}

// Lock is Get and keeps others from changing the order until tx ends.
func Lock(ctx context.Context, tx *db.Tx, merchantID, orderID string) (Stored, error) {
	return one(ctx, tx, lockOrder, merchantID, orderID)
}

// Find returns the order with the merchant's own identifier, or db.ErrNoRows.
func Find(ctx context.Context, tx *db.Tx, merchantID, uniqueID string) (Stored, error) {
	return one(ctx, tx, selectByUniqueID, merchantID, uniqueID)
}

// List returns a page of the merchant's orders and how many there are in all.
func List(ctx context.Context, tx *db.Tx, merchantID string, p page.Page) ([]Stored, int64, error) {
	var count int64
	if err := tx.Get(ctx, countOrders, []any{merchantID}, &count); err != nil {
		return nil, 0, err
	}
	q := selectNewest
	if p.Oldest {
		q = selectOldest
	}
	orders, err := db.All(ctx, tx, q, []any{merchantID, p.Limit, p.Offset}, scanStored)
	return orders, count, err
}

// Exists tells whether the merchant has an order with this id.
func Exists(ctx context.Context, tx *db.Tx, merchantID, orderID string) (found bool, err error) {
	if !id.Has(id.Order, orderID) || !storable(orderID) {
		return false, nil
	}
	err = tx.Get(ctx, orderExists, []any{merchantID, orderID}, &found)
	return found, err
}

// Taken tells whether another order of the merchant than exceptID has this
// unique_id. exceptID may be "".
func Taken(ctx context.Context, tx *db.Tx, merchantID, uniqueID, exceptID string) (taken bool, err error) {
	if !storable(exceptID) {
		exceptID = ""
	}
	err = tx.Get(ctx, orderIDTaken, []any{merchantID, uniqueID, exceptID}, &taken)
	return taken, err
}

// OffersOf returns the latest offer, "" for none, of each of the orders that
// exist. An order may be named more than once.
func OffersOf(ctx context.Context, tx *db.Tx, merchantID string, orderIDs []string) (map[string]string, error) {
	out := map[string]string{}
	merchants, ids := db.Distinct(merchantID, orderIDs)
	read := func(r db.Rows) error {
		for r.Next() {
			var orderID, offerID string
			if err := r.Scan(&orderID, &offerID); err != nil {
				return err
			}
			out[orderID] = offerID
		}
		return nil
	}
	for _, args := range tx.Split(merchants, ids) {
		tx.QueueQuery(selectOffers, read, args...)
	}
	return out, tx.Flush(ctx)
}

// HasPayments tells whether any order of an organisation has, or had, an offer
// or a deferred payment.
func HasPayments(ctx context.Context, tx *db.Tx, merchantID, organisationID string) (found bool, err error) {
	err = tx.Get(ctx, hasPayments, []any{merchantID, organisationID}, &found)
	return found, err
}

// CountOfUser returns how many orders a user has made.
func CountOfUser(ctx context.Context, tx *db.Tx, merchantID, userID string) (count int64, err error) {
	err = tx.Get(ctx, countOfUser, []any{merchantID, userID}, &count)
	return count, err
}

// SetOffer puts an offer in place of the order's latest, with the commit of tx.
// "" is none.
func SetOffer(tx *db.Tx, merchantID, orderID, offerID string) {
	tx.Queue(setOffer, merchantID, orderID, offerID)
}

// SetDeferredPayment says what pays for the order, with the commit of tx. "" is
// nothing.
func SetDeferredPayment(tx *db.Tx, merchantID, orderID, deferredID string) {
	tx.Queue(setDeferred, merchantID, orderID, deferredID)
}

// insert writes a new order and reports false when its unique_id is taken.
func insert(ctx context.Context, tx *db.Tx, s Stored) (bool, error) {
	body, shown, err := s.encoded()
	if err != nil {
		return false, err
	}
	n, err := tx.Exec(ctx, insertOrder, s.MerchantID, s.ID, s.UniqueID, s.Customer.Organisation, s.Customer.User,
		s.Status, s.Currency, s.TotalAmount, body, shown, db.Micros(s.Created))
	return n == 1, err
}

// update writes a changed order and reports false when its unique_id is taken.
// After that the transaction is of no more use.
func update(ctx context.Context, tx *db.Tx, s Stored) (bool, error) {
	body, shown, err := s.encoded()
	if err != nil {
		return false, err
	}
	_, err = tx.Exec(ctx, updateOrder, s.MerchantID, s.ID, s.UniqueID, s.Customer.Organisation, s.Customer.User,
		s.Status, s.Currency, s.TotalAmount, body, shown, db.Micros(s.Updated))
	if db.IsUnique(err) {
		return false, nil
	}
	return err == nil, err
}
