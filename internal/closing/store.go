package closing

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"tradecredit/internal/db"
)

const (
	paymentColumns = `d.id, d.currency, d.status, d.order_total, d.protected_amount,
		d.authorisation, d.protected_captures, d.unprotected_captures, d.clawback, d.fee_captures, d.fee_authorisation,
		d.customer_discount, d.repaid, d.written_off`
	selectOpen db.SQL = `SELECT ` + paymentColumns + `, s.status, s.next_date
		FROM repayment_states s JOIN deferred_payments d ON d.merchant_id = s.merchant_id AND d.id = s.deferred_payment_id
		WHERE s.merchant_id = $1 AND s.deferred_payment_id > $2 AND s.status <> 'closed'
		ORDER BY s.deferred_payment_id LIMIT $3`
	selectPayments db.SQL = `SELECT ` + paymentColumns + `, 'closed', ''
		FROM unnest($1::text[], $2::text[]) AS u(m, i) JOIN deferred_payments d ON d.merchant_id = u.m AND d.id = u.i`
	// Objects whose receivables have come to nothing are left out: they are most.
	selectBooked db.SQL = `SELECT object_id, MIN(currency), MAX(currency), CAST(SUM(amount) AS BIGINT) FROM ledger_entries
		WHERE merchant_id = $1 AND object_id > $2 AND account >= 'buyer_receivable:' AND account < 'buyer_receivable;'
		GROUP BY object_id HAVING SUM(amount) <> 0 ORDER BY object_id LIMIT $3`

	insertRun db.SQL = `INSERT INTO daily_close_runs (merchant_id, day, sealed, payments, differences, closed_at)
		VALUES ($1, $2, FALSE, $3, $4, $5) ON CONFLICT (merchant_id, day) DO NOTHING`
	updateRun db.SQL = `UPDATE daily_close_runs SET payments = $3, differences = $4, closed_at = $5
		WHERE merchant_id = $1 AND day = $2 AND sealed = FALSE`
	sealRuns  db.SQL = `UPDATE daily_close_runs SET sealed = TRUE WHERE merchant_id = $1 AND day < $2 AND sealed = FALSE`
	selectRun db.SQL = `SELECT day, sealed, payments, differences, closed_at FROM daily_close_runs
		WHERE merchant_id = $1 AND day = $2`
	selectLastDay db.SQL = `SELECT day FROM daily_close_runs WHERE merchant_id = $1 ORDER BY day DESC LIMIT 1`

	figureColumns = `currency, payments, late, authorised, protected_captures, unprotected_captures, clawback,
		owed, repaid, written_off, outstanding, overpaid, not_due, overdue_30, overdue_60, overdue_90, overdue_more,
		not_due_payments, overdue_30_payments, overdue_60_payments, overdue_90_payments, overdue_more_payments,
		exposure_protected, exposure_unprotected, settled, settled_payments, ledger, difference, differences, differing, next_due`
	insertFigures db.SQL = `INSERT INTO daily_closes (merchant_id, day, ` + figureColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25,
			$26, $27, $28, $29, $30, $31, $32, $33)`
	deleteFigures db.SQL = `DELETE FROM daily_closes WHERE merchant_id = $1 AND day = $2`
	selectFigures db.SQL = `SELECT ` + figureColumns + ` FROM daily_closes WHERE merchant_id = $1 AND day = $2 ORDER BY currency`
)

func scanOpen(r db.Rows) (Open, error) {
	var o Open
	var state string
	err := r.Scan(&o.ID, &o.Currency, &o.Status, &o.OrderTotal, &o.ProtectedAmount,
		&o.Authorisation, &o.ProtectedCaptures, &o.UnprotectedCaptures, &o.Clawback, &o.CustomerFee.Captures, &o.CustomerFee.Authorisation,
		&o.CustomerDiscountSum, &o.Repaid, &o.WrittenOff, &state, &o.NextDate)
	o.Late = state == "late"
	return o, err
}

// booked is what the ledger has on receivable accounts of one object.
type booked struct {
	object string
	// currency is the first one; there is another when mixed is set.
	currency string
	mixed    bool
	amount   int64
}

func scanBooked(r db.Rows) (booked, error) {
	var b booked
	var last string
	err := r.Scan(&b.object, &b.currency, &last, &b.amount)
	b.mixed = last != b.currency
	return b, err
}

// payments returns those of the given payments of a merchant that exist, by ID.
func payments(ctx context.Context, tx *db.Tx, merchantID string, found []booked) (map[string]Open, error) {
	merchants, ids := make([]string, len(found)), make([]string, len(found))
	for i, b := range found {
		merchants[i], ids[i] = merchantID, b.object
	}
	out := make(map[string]Open, len(found))
	for _, args := range tx.Split(merchants, ids) {
		rows, err := db.All(ctx, tx, selectPayments, args, scanOpen)
		if err != nil {
			return nil, err
		}
		for _, o := range rows {
			out[o.ID] = o
		}
	}
	return out, nil
}

// Close is a day of a merchant that was closed.
type Close struct {
	MerchantID string
	// Day is midnight UTC of the merchant's day.
	Day time.Time
	// Sealed is set once a later day is closed: the figures stay for ever.
	Sealed bool
	// Payments and Differences are those of all currencies.
	Payments, Differences int64
	// At is the merchant's time at which the figures were stored.
	At      time.Time
	Figures []Figures
}

// epochDay counts days from 1970.
func epochDay(day time.Time) int64 { return day.Unix() / (24 * 60 * 60) }

func fromEpochDay(n int64) time.Time { return time.Unix(n*24*60*60, 0).UTC() }

func scanRun(r db.Rows) (Close, error) {
	var c Close
	var day, at int64
	err := r.Scan(&day, &c.Sealed, &c.Payments, &c.Differences, &at)
	c.Day, c.At = fromEpochDay(day), db.Time(at)
	return c, err
}

func scanFigures(r db.Rows) (Figures, error) {
	var f Figures
	var differing, next string
	a := &f.Ages
	err := r.Scan(&f.Currency, &f.Payments, &f.Late, &f.Authorised, &f.ProtectedCaptures, &f.UnprotectedCaptures, &f.Clawback,
		&f.Owed, &f.Repaid, &f.WrittenOff, &f.Outstanding, &f.Overpaid,
		&a.NotDue.Amount, &a.To30.Amount, &a.To60.Amount, &a.To90.Amount, &a.More.Amount,
		&a.NotDue.Payments, &a.To30.Payments, &a.To60.Payments, &a.To90.Payments, &a.More.Payments,
		&f.ExposureProtected, &f.ExposureUnprotected, &f.Settled, &f.SettledPayments, &f.Ledger, &f.Difference, &f.Differences, &differing, &next)
	if err != nil {
		return f, err
	}
	return f, errors.Join(json.Unmarshal([]byte(differing), &f.Differing), json.Unmarshal([]byte(next), &f.NextDue))
}

func queueFigures(tx *db.Tx, merchantID string, day time.Time, f Figures) error {
	differing, err := db.JSON(f.Differing)
	if err != nil {
		return err
	}
	next, err := db.JSON(f.NextDue)
	if err != nil {
		return err
	}
	a := f.Ages
	tx.Queue(insertFigures, merchantID, epochDay(day), f.Currency, f.Payments, f.Late, f.Authorised, f.ProtectedCaptures,
		f.UnprotectedCaptures, f.Clawback, f.Owed, f.Repaid, f.WrittenOff, f.Outstanding, f.Overpaid,
		a.NotDue.Amount, a.To30.Amount, a.To60.Amount, a.To90.Amount, a.More.Amount,
		a.NotDue.Payments, a.To30.Payments, a.To60.Payments, a.To90.Payments, a.More.Payments,
		f.ExposureProtected, f.ExposureUnprotected, f.Settled, f.SettledPayments, f.Ledger, f.Difference, f.Differences,
		string(differing), string(next))
	return nil
}

// Get returns the close of a day of a merchant, or db.ErrNoRows.
func Get(ctx context.Context, tx *db.Tx, merchantID string, day time.Time) (Close, error) {
	c, err := db.One(ctx, tx, selectRun, []any{merchantID, epochDay(day)}, scanRun)
	if err != nil {
		return c, err
	}
	c.MerchantID = merchantID
	c.Figures, err = db.All(ctx, tx, selectFigures, []any{merchantID, epochDay(day)}, scanFigures)
	return c, err
}

// lastDay is the last day of a merchant that was closed; the zero time if there is
// none.
func lastDay(ctx context.Context, tx *db.Tx, merchantID string) (time.Time, error) {
	var n int64
	err := tx.Get(ctx, selectLastDay, []any{merchantID}, &n)
	if errors.Is(err, db.ErrNoRows) {
		return time.Time{}, nil
	}
	return fromEpochDay(n), err
}
