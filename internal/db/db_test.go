package db_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

const (
	insertEmail db.SQL = `INSERT INTO emails (merchant_id, id, body, created_at) VALUES ($1, $2, $3, $4)`
	insertMany  db.SQL = `INSERT INTO emails (merchant_id, id, body, created_at)
		SELECT u.m, u.i, u.b, u.c FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS u(m, i, b, c)`
	updateMany db.SQL = `UPDATE emails SET body = u.b FROM unnest($1::text[], $2::text[]) AS u(i, b)
		WHERE emails.merchant_id = 'm' AND emails.id = u.i`
	countEmails db.SQL = `SELECT count(*) FROM emails WHERE merchant_id = $1`
	lockEmail   db.SQL = `SELECT body, created_at FROM emails WHERE merchant_id = $1 AND id = $2 FOR UPDATE`
	addEmail    db.SQL = `UPDATE emails SET created_at = $3 WHERE merchant_id = $1 AND id = $2`
)

func count(t *testing.T, d *db.DB) (n int64) {
	t.Helper()
	err := d.Read(context.Background(), func(tx *db.Tx) error {
		return tx.Get(context.Background(), countEmails, []any{"m"}, &n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestWriteIsAllOrNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		broken := errors.New("broken")
		err := d.Write(ctx, func(tx *db.Tx) error {
			tx.Queue(insertEmail, "m", "1", "b", 1)
			if _, err := tx.Exec(ctx, insertEmail, "m", "2", "b", 1); err != nil {
				return err
			}
			return broken
		})
		if !errors.Is(err, broken) || count(t, d) != 0 {
			t.Fatalf("err = %v, rows = %d", err, count(t, d))
		}
		ran := false
		err = d.Write(ctx, func(tx *db.Tx) error {
			tx.Queue(insertEmail, "m", "1", "b", 1)
			tx.Queue(insertEmail, "m", "1", "b", 1)
			tx.AfterCommit(func() { ran = true })
			return nil
		})
		if !db.IsUnique(err) || ran || count(t, d) != 0 {
			t.Fatalf("a queued failure: err = %v, ran = %v, rows = %d", err, ran, count(t, d))
		}
	})
}

func TestManyRows(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		err := d.Write(ctx, func(tx *db.Tx) error {
			tx.QueueMany(insertMany, []string{"m", "m"}, []string{"1", "2"}, []string{"a", "b"}, []int64{1, 2})
			tx.QueueMany(insertMany, []string{}, []string{}, []string{}, []int64{})
			n, err := tx.Many(ctx, updateMany, []string{"1", "2", "3"}, []string{"x", "y", "z"})
			if err == nil && n != 2 {
				err = fmt.Errorf("%d rows updated", n)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		err = d.Read(ctx, func(tx *db.Tx) error {
			var body string
			var at int64
			if err := tx.Get(ctx, lockEmailRead, []any{"m", "2"}, &body, &at); err != nil {
				return err
			}
			if body != "y" || at != 2 {
				return fmt.Errorf("got %q, %d", body, at)
			}
			if err := tx.Get(ctx, lockEmailRead, []any{"m", "9"}, &body, &at); !errors.Is(err, db.ErrNoRows) {
				return fmt.Errorf("a missing row: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

const lockEmailRead db.SQL = `SELECT body, created_at FROM emails WHERE merchant_id = $1 AND id = $2`

// TestConcurrentWrites adds to one row from many goroutines: no update is lost.
func TestConcurrentWrites(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		must := func(err error) {
			if err != nil {
				t.Error(err)
			}
		}
		must(d.Write(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, insertEmail, "m", "1", "b", 0)
			return err
		}))
		var wg sync.WaitGroup
		for range 8 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				for range 25 {
					must(d.Write(ctx, func(tx *db.Tx) error {
						var body string
						var n int64
						if err := tx.Get(ctx, lockEmail, []any{"m", "1"}, &body, &n); err != nil {
							return err
						}
						_, err := tx.Exec(ctx, addEmail, "m", "1", n+1)
						return err
					}))
				}
			}()
		}
		wg.Wait()
		must(d.Read(ctx, func(tx *db.Tx) error {
			var body string
			var n int64
			if err := tx.Get(ctx, lockEmailRead, []any{"m", "1"}, &body, &n); err != nil {
				return err
			}
			if n != 200 {
				t.Errorf("%d of 200 additions are left", n)
			}
			return nil
		}))
	})
}

func TestMigrateTwiceAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				if err := d.Migrate(context.Background()); err != nil {
					t.Error(err)
				}
			}()
		}
		wg.Wait()
	})
}
