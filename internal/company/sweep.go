package company

import (
	"context"
	"errors"

	"tradecredit/internal/db"
)

// What is removed in one transaction.
const sweptAtOnce = 2_000

const (
	selectOld       db.SQL = `SELECT id FROM company_segments WHERE source = $1 AND state = 'old' ORDER BY id`
	selectLast      db.SQL = `SELECT n FROM companies WHERE n >= $1 AND n < $2 ORDER BY n DESC LIMIT 1`
	deleteCompanies db.SQL = `DELETE FROM companies WHERE n >= $1 AND n < $2`
	deleteWords     db.SQL = `DELETE FROM company_words WHERE segment = $1 AND (country, word) IN (
		SELECT country, word FROM company_words WHERE segment = $1 ORDER BY country, word LIMIT 2000)`
	deleteSegment db.SQL = `DELETE FROM company_segments WHERE id = $1 AND state = 'old'`
)

// sweep removes the segments of a source that were replaced or given up, in
// small transactions. It may be stopped at any point and run again.
func sweep(ctx context.Context, d *db.DB, source Source) error {
	var old []int64
	err := d.Read(ctx, func(tx *db.Tx) (err error) {
		old, err = db.All(ctx, tx, selectOld, []any{string(source)}, func(r db.Rows) (n int64, err error) {
			err = r.Scan(&n)
			return n, err
		})
		return err
	})
	if err != nil {
		return err
	}
	for _, segment := range old {
		if err := sweepSegment(ctx, d, segment); err != nil {
			return err
		}
	}
	return nil
}

func sweepSegment(ctx context.Context, d *db.DB, segment int64) error {
	first, end := segment<<placeBits, (segment+1)<<placeBits
	var last int64
	err := d.Read(ctx, func(tx *db.Tx) error { return tx.Get(ctx, selectLast, []any{first, end}, &last) })
	if errors.Is(err, db.ErrNoRows) {
		last = first - 1
	} else if err != nil {
		return err
	}
	for n := first; n <= last; n += sweptAtOnce {
		if _, err := remove(ctx, d, deleteCompanies, n, n+sweptAtOnce); err != nil {
			return err
		}
	}
	for {
		deleted, err := remove(ctx, d, deleteWords, segment)
		if err != nil {
			return err
		}
		if deleted == 0 {
			break
		}
	}
	_, err = remove(ctx, d, deleteSegment, segment)
	return err
}

func remove(ctx context.Context, d *db.DB, q db.SQL, args ...any) (n int64, err error) {
	err = d.Write(ctx, func(tx *db.Tx) error {
		n, err = tx.Exec(ctx, q, args...)
		return err
	})
	return n, err
}
