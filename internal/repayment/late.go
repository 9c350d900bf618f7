package repayment

import (
	"context"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
)

const selectLate db.SQL = `SELECT deferred_payment_id, late_since FROM repayment_states
	WHERE merchant_id = $1 AND company_id = $2 AND status = 'late' ORDER BY late_since LIMIT $3`

// Arrears are the overdue deferred payments of a company with one merchant.
type Arrears struct {
	Payments int64
	// Amount is what is outstanding of them, in minor units, of those in the
	// currency that was asked for.
	Amount int64
	// Days is for how many days the oldest due date has passed.
	Days int64
}

// mostLate bounds how many overdue payments are counted.
const mostLate = 100

// ArrearsOf returns what a company is late with, in a merchant's eyes, on a day.
func ArrearsOf(ctx context.Context, tx *db.Tx, merchantID, companyID, currency string, now time.Time) (Arrears, error) {
	var out Arrears
	type late struct{ payment, since string }
	found, err := db.All(ctx, tx, selectLate, []any{merchantID, companyID, mostLate}, func(r db.Rows) (l late, err error) {
		err = r.Scan(&l.payment, &l.since)
		return l, err
	})
	if err != nil {
		return out, err
	}
	for _, l := range found {
		p, err := deferred.Get(ctx, tx, merchantID, l.payment)
		if err != nil {
			return out, err
		}
		out.Payments++
		out.Days = max(out.Days, int64(day(now).Sub(date(l.since))/(24*time.Hour)))
		if p.Currency == currency {
			out.Amount += p.Outstanding()
		}
	}
	return out, nil
}
