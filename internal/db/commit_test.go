package db_test

import (
	"context"
	"errors"
	"testing"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

// TestSwallowedErrorIsNoSuccess: after a failed statement PostgreSQL commits
// nothing. Write says so even to a caller that overlooked the error.
func TestSwallowedErrorIsNoSuccess(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		err := d.Write(ctx, func(tx *db.Tx) error {
			if _, err := tx.Exec(ctx, insertEmail, "m", "1", "b", 1); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, insertEmail, "m", "1", "b", 1); !db.IsUnique(err) {
				t.Errorf("a row was inserted twice: %v", err)
			}
			return nil
		})
		// SQLite undoes the failed statement alone.
		want := map[db.Engine]int64{db.SQLite: 1, db.Postgres: 0}[d.Engine()]
		if n := count(t, d); n != want || (err == nil) != (n == 1) {
			t.Errorf("err = %v, rows = %d", err, n)
		}
		if d.Engine() == db.Postgres && !errors.Is(err, db.ErrAborted) {
			t.Errorf("err = %v", err)
		}
	})
}

// TestSnapshot reads twice while others write between.
func TestSnapshot(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		err := d.Snapshot(ctx, func(tx *db.Tx) error {
			var before, after int64
			if err := tx.Get(ctx, countEmails, []any{"m"}, &before); err != nil {
				return err
			}
			err := d.Write(ctx, func(tx *db.Tx) error {
				tx.Queue(insertEmail, "m", "1", "b", 1)
				return nil
			})
			if err != nil {
				return err
			}
			if err := tx.Get(ctx, countEmails, []any{"m"}, &after); err != nil {
				return err
			}
			if before != 0 || after != 0 {
				t.Errorf("%d rows, then %d", before, after)
			}
			return nil
		})
		if err != nil || count(t, d) != 1 {
			t.Errorf("err = %v, rows = %d", err, count(t, d))
		}
	})
}
