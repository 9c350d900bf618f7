package crash

import (
	"context"
	"testing"
	"time"

	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/event"
)

const (
	countWaiting db.SQL = `SELECT (SELECT count(*) FROM event_outbox)
		+ (SELECT count(*) FROM jobs) + (SELECT count(*) FROM due WHERE run_at <= $1)`
	countUndelivered db.SQL = `SELECT count(*) FROM webhook_deliveries WHERE status <> 'delivered'`
	countParked      db.SQL = `SELECT (SELECT count(*) FROM jobs WHERE parked <> '') + (SELECT count(*) FROM due WHERE parked <> '')`
	countHeld        db.SQL = `SELECT count(*) FROM jobs WHERE lease_by <> ''`
)

// count runs a statement that counts.
func count(t testing.TB, d *db.DB, q db.SQL, args ...any) (n int64) {
	t.Helper()
	err := d.Read(context.Background(), func(tx *db.Tx) error {
		return tx.Get(context.Background(), q, args, &n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// left is how much work is due: jobs, due rows, and merchants with events that
// nobody has been told of.
func left(t testing.TB, d *db.DB) int64 {
	t.Helper()
	var merchants []string
	err := d.Read(context.Background(), func(tx *db.Tx) (err error) {
		merchants, err = event.Waiting(context.Background(), tx, 1)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return int64(len(merchants)) + count(t, d, countWaiting, db.Micros(clock.System{}.Now()))
}

// idle waits until no work is left that is due, on any node, and demands that
// none was given up.
func idle(t testing.TB, d *db.DB) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for left(t, d) > 0 {
		if n := count(t, d, countParked); n > 0 {
			t.Fatalf("%d pieces of work were given up", n)
		}
		select {
		case <-late:
			t.Fatalf("%d pieces of work are left", left(t, d))
		case <-tick.C:
		}
	}
	if n := count(t, d, countUndelivered); n > 0 {
		t.Errorf("%d notifications were given up", n)
	}
}
