// Package credit keeps what each company has in use of its credit limit, over
// all merchants of the lender.
package credit

import (
	"context"
	"errors"
	"sort"

	"tradecredit/internal/db"
)

// ErrExceeded is returned when a reservation does not fit into the limit.
var ErrExceeded = errors.New("credit: the limit is exceeded")

const (
	selectInUse db.SQL = `SELECT in_use FROM credit_exposures WHERE company_id = $1 AND currency = $2`
	ensureRow   db.SQL = `INSERT INTO credit_exposures (company_id, currency, in_use) VALUES ($1, $2, 0)
		ON CONFLICT (company_id, currency) DO NOTHING`
	lockInUse db.SQL = `SELECT in_use FROM credit_exposures WHERE company_id = $1 AND currency = $2 FOR UPDATE`
	setInUse  db.SQL = `UPDATE credit_exposures SET in_use = $3 WHERE company_id = $1 AND currency = $2`
	addInUse  db.SQL = `UPDATE credit_exposures SET in_use = in_use + u.v
		FROM unnest($1::text[], $2::text[], $3::bigint[]) AS u(c, k, v)
		WHERE credit_exposures.company_id = u.c AND credit_exposures.currency = u.k`
	selectAll db.SQL = `SELECT company_id, currency, in_use FROM credit_exposures
		WHERE (company_id, currency) > ($1, $2) ORDER BY company_id, currency LIMIT $3`
)

// Key names an exposure: a company in a currency.
type Key struct{ CompanyID, Currency string }

// InUse is what a company has in use, in minor units.
func InUse(ctx context.Context, tx *db.Tx, k Key) (int64, error) {
	var v int64
	err := tx.Get(ctx, selectInUse, []any{k.CompanyID, k.Currency}, &v)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	return v, err
}

// Reserve takes amount, in minor units, out of a company's limit. It holds the
// company's row until tx ends, so that two reservations never see the same room.
// It returns ErrExceeded, and takes nothing, when the limit has no room.
func Reserve(ctx context.Context, tx *db.Tx, k Key, amount, limit int64) error {
	if _, err := tx.Exec(ctx, ensureRow, k.CompanyID, k.Currency); err != nil {
		return err
	}
	var inUse int64
	if err := tx.Get(ctx, lockInUse, []any{k.CompanyID, k.Currency}, &inUse); err != nil {
		return err
	}
	if amount > limit-inUse {
		return ErrExceeded
	}
	tx.Queue(setInUse, k.CompanyID, k.Currency, inUse+amount)
	return nil
}

// Move adds amounts to, or takes them from, what companies have in use, with the
// commit of tx. The rows are changed in the order of their keys.
func Move(tx *db.Tx, amounts map[Key]int64) {
	keys := make([]Key, 0, len(amounts))
	for k, v := range amounts {
		if v != 0 {
			keys = append(keys, k)
		}
	}
	sort.Slice(keys, func(i, j int) bool {
		return keys[i].CompanyID < keys[j].CompanyID || keys[i].CompanyID == keys[j].CompanyID && keys[i].Currency < keys[j].Currency
	})
	companies, currencies, values := make([]string, len(keys)), make([]string, len(keys)), make([]int64, len(keys))
	for i, k := range keys {
		companies[i], currencies[i], values[i] = k.CompanyID, k.Currency, amounts[k]
	}
	tx.QueueMany(addInUse, companies, currencies, values)
}

// List calls f for every exposure.
func List(ctx context.Context, tx *db.Tx, f func(Key, int64)) error {
	type row struct {
		Key
		inUse int64
	}
	var last Key
	for {
		rows, err := db.All(ctx, tx, selectAll, []any{last.CompanyID, last.Currency, 1000}, func(r db.Rows) (x row, err error) {
			err = r.Scan(&x.CompanyID, &x.Currency, &x.inUse)
			return x, err
		})
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, x := range rows {
			f(x.Key, x.inUse)
			last = x.Key
		}
	}
}
