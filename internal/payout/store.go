package payout

import (
	"context"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/money"
	"tradecredit/internal/page"
)

const (
	insertItems db.SQL = `INSERT INTO payout_items (merchant_id, id, deferred_payment_id, order_id, event_n, type, currency,
			amount, fees, awaiting, created_day)
		SELECT u.m, u.i, u.d, u.o, u.n, u.t, u.c, u.a, u.f, u.w, u.y
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::bigint[],
			$9::bigint[], $10::boolean[], $11::bigint[]) AS u(m, i, d, o, n, t, c, a, f, w, y)`
	arrived db.SQL = `UPDATE payout_items SET awaiting = FALSE WHERE merchant_id = $1 AND order_id = $2 AND awaiting = TRUE`
	markDue db.SQL = `UPDATE payout_items SET payout_id = $5, paid_day = $6
		WHERE merchant_id = $1 AND currency = $2 AND payout_id = '' AND created_day <= $3
			AND (awaiting = FALSE OR $4::boolean = FALSE)`
	sumMarked db.SQL = `SELECT count(*), CAST(COALESCE(SUM(amount), 0) AS BIGINT), CAST(COALESCE(SUM(fees), 0) AS BIGINT)
		FROM payout_items WHERE merchant_id = $1 AND paid_day = $2 AND payout_id = $3 AND payout_id <> ''`
	newestMarked db.SQL = `SELECT id, amount, fees FROM payout_items
		WHERE merchant_id = $1 AND paid_day = $2 AND payout_id = $3 AND payout_id <> '' AND id < $4 ORDER BY id DESC LIMIT $5`
	unmark db.SQL = `UPDATE payout_items SET payout_id = '', paid_day = 0
		FROM unnest($1::text[], $2::text[]) AS u(m, i) WHERE merchant_id = u.m AND id = u.i`
	unmarkAll db.SQL = `UPDATE payout_items SET payout_id = '', paid_day = 0
		WHERE merchant_id = $1 AND paid_day = $2 AND payout_id = $3 AND payout_id <> ''`
	anyUnpaid        db.SQL = `SELECT EXISTS (SELECT 1 FROM payout_items WHERE merchant_id = $1 AND currency = $2 AND payout_id = '')`
	unpaidCurrencies db.SQL = `SELECT DISTINCT currency FROM payout_items WHERE merchant_id = $1 AND payout_id = ''`

	itemColumns = `i.merchant_id, i.id, i.deferred_payment_id, i.order_id, i.event_n, i.type, i.currency, i.amount, i.fees,
		i.awaiting, i.created_day, i.payout_id, i.paid_day, COALESCE(p.state, '')`
	itemJoin          = ` LEFT JOIN payouts p ON p.merchant_id = i.merchant_id AND p.id = i.payout_id`
	selectItem db.SQL = `SELECT ` + itemColumns + ` FROM payout_items i` + itemJoin + `
		WHERE i.merchant_id = $1 AND i.id = $2`
	newestItems db.SQL = `SELECT ` + itemColumns + ` FROM payout_items i` + itemJoin + `
		WHERE i.merchant_id = $1 ORDER BY i.id DESC LIMIT $2 OFFSET $3`
	oldestItems db.SQL = `SELECT ` + itemColumns + ` FROM payout_items i` + itemJoin + `
		WHERE i.merchant_id = $1 ORDER BY i.id LIMIT $2 OFFSET $3`
	countItems   db.SQL = `SELECT count(*) FROM payout_items WHERE merchant_id = $1`
	itemsOfOrder db.SQL = `SELECT ` + itemColumns + ` FROM payout_items i` + itemJoin + `
		WHERE i.merchant_id = $1 AND i.order_id = $2 ORDER BY i.id`
	paidItems db.SQL = `SELECT ` + itemColumns + ` FROM payout_items i
			JOIN payouts p ON p.merchant_id = i.merchant_id AND p.id = i.payout_id
		WHERE i.merchant_id = $1 AND i.payout_id <> '' AND i.paid_day BETWEEN $2 AND $3 AND p.state IN ('sent', 'paid')
		ORDER BY i.paid_day DESC, i.id DESC LIMIT $4 OFFSET $5`
	countPaidItems db.SQL = `SELECT count(*) FROM payout_items i
			JOIN payouts p ON p.merchant_id = i.merchant_id AND p.id = i.payout_id
		WHERE i.merchant_id = $1 AND i.payout_id <> '' AND i.paid_day BETWEEN $2 AND $3 AND p.state IN ('sent', 'paid')`
	itemsOfPayouts db.SQL = `SELECT ` + itemColumns + `
		FROM unnest($1::text[], $2::bigint[], $3::text[]) AS u(m, d, o)
			JOIN payout_items i ON i.merchant_id = u.m AND i.paid_day = u.d AND i.payout_id <> '' AND i.payout_id = u.o
			JOIN payouts p ON p.merchant_id = i.merchant_id AND p.id = i.payout_id
		ORDER BY i.id`
	// linesOfPayout adds what the merchant knows an item by: the order's unique_id
	// and what it sent with the event.
	linesOfPayout db.SQL = `SELECT ` + itemColumns + `, COALESCE(o.unique_id, ''), COALESCE(e.metadata, '')
		FROM payout_items i` + itemJoin + `
			LEFT JOIN orders o ON o.merchant_id = i.merchant_id AND o.id = i.order_id
			LEFT JOIN deferred_payment_events e ON e.merchant_id = i.merchant_id AND e.deferred_payment_id = i.deferred_payment_id
				AND e.n = i.event_n
		WHERE i.merchant_id = $1 AND i.paid_day = $2 AND i.payout_id = $3 AND i.payout_id <> '' AND i.id > $4
		ORDER BY i.id LIMIT $5`
	sumsOfPayments db.SQL = `SELECT i.deferred_payment_id, CAST(SUM(i.amount) AS BIGINT), CAST(SUM(i.fees) AS BIGINT)
		FROM unnest($1::text[], $2::text[], $3::text[]) AS u(m, o, d)
			JOIN payout_items i ON i.merchant_id = u.m AND i.order_id = u.o AND i.deferred_payment_id = u.d
		GROUP BY i.deferred_payment_id`
	unpaidSums db.SQL = `SELECT currency, CAST(SUM(amount) AS BIGINT) FROM payout_items
		WHERE merchant_id = $1 AND payout_id = '' GROUP BY currency`
)

func scanItem(r db.Rows) (Item, error) {
	var i Item
	created, paid, into := i.scan()
	err := r.Scan(into...)
	i.dates(*created, *paid)
	return i, err
}

// scan is where the columns of an item go; its dates go into days.
func (i *Item) scan() (created, paid *int64, into []any) {
	created, paid = new(int64), new(int64)
	return created, paid, []any{
		&i.MerchantID, &i.ID, &i.PaymentID, &i.OrderID, &i.EventN, &i.Type, &i.Currency, &i.Amount, &i.Fees,
		&i.Awaiting, created, &i.PayoutID, paid, &i.State,
	}
}

func (i *Item) dates(created, paid int64) {
	i.Created = dateOf(created)
	if i.PayoutID != "" {
		i.PaidOn = dateOf(paid)
	}
}

func addItems(tx *db.Tx, items []Item) {
	n := len(items)
	texts := make([][]string, 6)
	numbers := make([][]int64, 4)
	for i := range texts {
		texts[i] = make([]string, n)
	}
	for i := range numbers {
		numbers[i] = make([]int64, n)
	}
	awaiting := make([]bool, n)
	for k, i := range items {
		for c, v := range []string{i.MerchantID, i.ID, i.PaymentID, i.OrderID, i.Type, i.Currency} {
			texts[c][k] = v
		}
		for c, v := range []int64{i.EventN, i.Amount, i.Fees, dayOf(i.Created)} {
			numbers[c][k] = v
		}
		awaiting[k] = i.Awaiting
	}
	tx.QueueMany(insertItems, texts[0], texts[1], texts[2], texts[3], numbers[0], texts[4], texts[5], numbers[1], numbers[2],
		awaiting, numbers[3])
}

// GetItem returns an item, or db.ErrNoRows.
func GetItem(ctx context.Context, tx *db.Tx, merchantID, itemID string) (Item, error) {
	return db.One(ctx, tx, selectItem, []any{merchantID, itemID}, scanItem)
}

// Range narrows a list to payouts made between two dates, both included. A zero
// date is no bound.
type Range struct{ From, To time.Time }

func (r Range) empty() bool { return r.From.IsZero() && r.To.IsZero() }

func (r Range) days() (from, to int64) {
	from, to = 0, 1<<40
	if !r.From.IsZero() {
		from = dayOf(r.From)
	}
	if !r.To.IsZero() {
		to = dayOf(r.To)
	}
	return from, to
}

func (r Range) has(t time.Time) bool {
	from, to := r.days()
	return !t.IsZero() && dayOf(t) >= from && dayOf(t) <= to
}

// ListItems returns a page of a merchant's items, newest first, and how many there
// are in all. With a range these are only items that were paid.
func ListItems(ctx context.Context, tx *db.Tx, merchantID string, r Range, p page.Page) ([]Item, int64, error) {
	list, count, args := newestItems, countItems, []any{merchantID}
	switch {
	case !r.empty():
		from, to := r.days()
		list, count, args = paidItems, countPaidItems, append(args, from, to)
	case p.Oldest:
		list = oldestItems
	}
	var n int64
	if err := tx.Get(ctx, count, args, &n); err != nil {
		return nil, 0, err
	}
	found, err := db.All(ctx, tx, list, append(args, p.Limit, p.Offset), scanItem)
	return found, n, err
}

// ItemsOfOrder returns a page of the items of an order, newest first, and how many
// there are in all.
func ItemsOfOrder(ctx context.Context, tx *db.Tx, merchantID, orderID string, r Range, p page.Page) ([]Item, int64, error) {
	all, err := db.All(ctx, tx, itemsOfOrder, []any{merchantID, orderID}, scanItem)
	if err != nil {
		return nil, 0, err
	}
	var out []Item
	for _, i := range all {
		if r.empty() || i.Paid() && r.has(i.PaidOn) {
			out = append(out, i)
		}
	}
	if !p.Oldest {
		for a, b := 0, len(out)-1; a < b; a, b = a+1, b-1 {
			out[a], out[b] = out[b], out[a]
		}
	}
	n := len(out)
	return out[min(p.Offset, n):min(p.Offset+p.Limit, n)], int64(n), nil
}

// SumsOfPayments returns what the items of deferred payments sum to. The columns
// are those of the payments: merchant, order and identifier.
func SumsOfPayments(ctx context.Context, tx *db.Tx, merchants, orders, payments []string) (map[string]Figure, error) {
	out := map[string]Figure{}
	read := func(r db.Rows) error {
		for r.Next() {
			var paymentID string
			var f Figure
			if err := r.Scan(&paymentID, &f.Amount, &f.Fees); err != nil {
				return err
			}
			out[paymentID] = f
		}
		return nil
	}
	for _, args := range tx.Split(merchants, orders, payments) {
		tx.QueueQuery(sumsOfPayments, read, args...)
	}
	return out, tx.Flush(ctx)
}

const (
	insertAdjustment db.SQL = `INSERT INTO payout_adjustments (merchant_id, id, type, currency, net_amount, tax_rate, amount, note,
		carried_by, payout_id, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
	adjustmentColumns         = `a.merchant_id, a.id, a.type, a.currency, a.net_amount, a.tax_rate, a.amount, a.note, a.carried_by, a.payout_id, a.created_at`
	pendingAdjustments db.SQL = `SELECT ` + adjustmentColumns + ` FROM payout_adjustments a
		WHERE a.merchant_id = $1 AND a.currency = $2 AND a.payout_id = '' ORDER BY a.id FOR UPDATE`
	adjustmentsOfPayouts db.SQL = `SELECT ` + adjustmentColumns + ` FROM unnest($1::text[], $2::text[]) AS u(m, o)
		JOIN payout_adjustments a ON a.merchant_id = u.m AND a.payout_id = u.o ORDER BY a.id`
	listAdjustments db.SQL = `SELECT ` + adjustmentColumns + ` FROM payout_adjustments a
		WHERE a.merchant_id = $1 AND a.id > $2 ORDER BY a.id LIMIT $3`
	// Only those that were counted are taken: others may be entered meanwhile.
	takeAdjustments db.SQL = `UPDATE payout_adjustments SET payout_id = u.p FROM unnest($1::text[], $2::text[], $3::text[]) AS u(m, i, p)
		WHERE payout_adjustments.merchant_id = u.m AND payout_adjustments.id = u.i AND payout_adjustments.payout_id = ''`
	releaseAdjustments db.SQL = `UPDATE payout_adjustments SET payout_id = '' WHERE merchant_id = $1 AND payout_id = $2`
	pendingSums        db.SQL = `SELECT currency, CAST(SUM(amount) AS BIGINT) FROM payout_adjustments
		WHERE merchant_id = $1 AND payout_id = '' GROUP BY currency`
)

func scanAdjustment(r db.Rows) (Adjustment, error) {
	var a Adjustment
	var rate, created int64
	err := r.Scan(&a.MerchantID, &a.ID, &a.Type, &a.Currency, &a.NetAmount, &rate, &a.Amount, &a.Note, &a.CarriedBy, &a.PayoutID, &created)
	if err != nil {
		return a, err
	}
	a.Created = db.Time(created)
	a.TaxRate, err = money.NewPercent(rate)
	return a, err
}

func addAdjustment(tx *db.Tx, a Adjustment) {
	tx.Queue(insertAdjustment, a.MerchantID, a.ID, a.Type, a.Currency, a.NetAmount, a.TaxRate.Hundredths(), a.Amount, a.Note,
		a.CarriedBy, a.PayoutID, db.Micros(a.Created))
}

// Pending returns the adjustments that wait for a payout.
func Pending(ctx context.Context, tx *db.Tx, merchantID, currency string) ([]Adjustment, error) {
	return db.All(ctx, tx, pendingAdjustments, []any{merchantID, currency}, scanAdjustment)
}

// balances reads sums by currency.
func balances(ctx context.Context, tx *db.Tx, q db.SQL, merchantID string) (map[string]int64, error) {
	out := map[string]int64{}
	_, err := db.All(ctx, tx, q, []any{merchantID}, func(r db.Rows) (struct{}, error) {
		var currency string
		var sum int64
		err := r.Scan(&currency, &sum)
		out[currency] = sum
		return struct{}{}, err
	})
	return out, err
}
