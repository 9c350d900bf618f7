package event

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

const (
	tamper db.SQL = `UPDATE events SET data = '{}' WHERE merchant_id = $1
		AND id = (SELECT event_id FROM event_sequence WHERE merchant_id = $1 AND seq = $2)`
	removeOf db.SQL = `DELETE FROM event_sequence WHERE merchant_id = $1 AND seq = $2`
)

func inTx(t *testing.T, d *db.DB, f func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	ctx := context.Background()
	if err := d.Write(ctx, func(tx *db.Tx) error { return f(ctx, tx) }); err != nil {
		t.Fatal(err)
	}
}

func happen(m, object string, n int) Event {
	return Event{
		MerchantID: m, Type: "thing.changed", ObjectID: object, RootID: object,
		Data: fmt.Appendf(nil, `{"n":%d}`, n), Created: time.Date(2026, 3, 1, 12, 0, n, 0, time.UTC),
	}
}

// TestChain: concurrent writers, concurrent chainers: every event gets a number,
// without gaps, and the events of one object keep their order.
func TestChain(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const writers, each = 4, 25
		var wg sync.WaitGroup
		for w := range writers {
			wg.Add(2)
			go func() {
				defer wg.Done()
				for n := range each {
					inTx(t, d, func(_ context.Context, tx *db.Tx) error {
						Append(tx, happen("m", fmt.Sprint(w), n), happen("other", "x", n))
						return nil
					})
				}
			}()
			go func() {
				defer wg.Done()
				for range each {
					inTx(t, d, func(ctx context.Context, tx *db.Tx) error {
						_, err := Chain(ctx, tx, "m", 7)
						return err
					})
				}
			}()
		}
		wg.Wait()
		inTx(t, d, func(ctx context.Context, tx *db.Tx) error {
			_, err := Chain(ctx, tx, "m", 1000)
			return err
		})
		inTx(t, d, func(ctx context.Context, tx *db.Tx) error {
			feed, err := Feed(ctx, tx, "m", 0, 1000)
			if err != nil {
				return err
			}
			last := map[string]time.Time{}
			for i, e := range feed {
				if e.Seq != int64(i+1) {
					t.Errorf("number %d at place %d", e.Seq, i+1)
				}
				if e.Created.Before(last[e.ObjectID]) {
					t.Errorf("the events of %s lost their order", e.ObjectID)
				}
				last[e.ObjectID] = e.Created
			}
			if len(feed) != writers*each {
				t.Errorf("%d events", len(feed))
			}
			waiting, err := Waiting(ctx, tx, 10)
			if err == nil && (len(waiting) != 1 || waiting[0] != "other") {
				t.Errorf("waiting: %v", waiting)
			}
			return err
		})
	})
}

// TestVerify: whoever changes or removes an event is found out.
func TestVerify(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		inTx(t, d, func(ctx context.Context, tx *db.Tx) error {
			for _, m := range []string{"sound", "changed", "removed", "cut"} {
				Append(tx, happen(m, "a", 1), happen(m, "a", 2), happen(m, "a", 3))
				if _, err := Chain(ctx, tx, m, 10); err != nil {
					return err
				}
			}
			tx.Queue(tamper, "changed", 2)
			tx.Queue(removeOf, "removed", 2)
			tx.Queue(removeOf, "cut", 3)
			return nil
		})
		inTx(t, d, func(ctx context.Context, tx *db.Tx) error {
			for m, want := range map[string]string{
				"sound": "", "changed": "does not fit", "removed": "number 3 follows 1", "cut": "ends at number 2", "nobody": "",
			} {
				err := Verify(ctx, tx, m)
				if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
					t.Errorf("%s: %v", m, err)
				}
			}
			return nil
		})
	})
}

// TestBacklog: chaining takes as long for an event as before however many wait,
// also on tables that the server has not analysed. It did not once, when the
// server joined the whole backlog with the whole log for each round: this took
// half a minute.
func TestBacklog(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const backlog, most = 20000, 10 * time.Second
		for n := 0; n < backlog; n += 1000 {
			events := make([]Event, 1000)
			for i := range events {
				events[i] = happen("m", fmt.Sprint(n), i%60)
			}
			inTx(t, d, func(_ context.Context, tx *db.Tx) error {
				Append(tx, events...)
				return nil
			})
		}
		ctx, cancel := context.WithTimeout(context.Background(), most)
		defer cancel()
		for chained := 0; chained < backlog; {
			err := d.Write(ctx, func(tx *db.Tx) error {
				events, err := Chain(ctx, tx, "m", 500)
				chained += len(events)
				return err
			})
			if err != nil {
				t.Fatalf("after %d events: %v", chained, err)
			}
		}
		if err := ctx.Err(); err != nil {
			t.Errorf("chaining %d events took longer than %s", backlog, most)
		}
	})
}
