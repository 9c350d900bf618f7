package job

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

// work runs one round of due rows.
func work(t *testing.T, q *Queue) int {
	t.Helper()
	due, _, err := q.waiting(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	n, err := q.runDue(context.Background(), due)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestDueRowsOfAnObject: however many workers there are, what is due of one object
// is done in its order.
func TestDueRowsOfAnObject(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := newQueue(d, &hand{now: start})
		q.Workers = 5
		kinds := []string{"c", "a", "d", "b"}
		var mu sync.Mutex
		seen := map[string][]string{}
		for _, kind := range kinds {
			q.HandleDue(kind, func(_ context.Context, tx *db.Tx, due Due) error {
				tx.AfterCommit(func() {
					mu.Lock()
					defer mu.Unlock()
					seen[due.ObjectID] = append(seen[due.ObjectID], due.Kind)
				})
				return nil
			})
		}
		const objects = 12
		write(t, d, func(tx *db.Tx) {
			for object := range objects {
				for i, kind := range kinds {
					Schedule(tx, Due{MerchantID: "m", Kind: kind, ObjectID: fmt.Sprint(object), At: start.Add(time.Duration(i-9) * time.Minute)}, 0)
				}
			}
		})
		if n := work(t, q); n != objects*len(kinds) {
			t.Errorf("%d rows were done", n)
		}
		for object, got := range seen {
			if !slices.Equal(got, kinds) {
				t.Errorf("of %s: %v", object, got)
			}
		}
		if n := work(t, q); n != 0 {
			t.Errorf("%d rows were done twice", n)
		}
	})
}

// TestDueRowsSideBySide: on PostgreSQL one node does several rows at once.
func TestDueRowsSideBySide(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := newQueue(d, &hand{now: start})
		if d.Engine() == db.SQLite {
			if q.Workers != 1 {
				t.Errorf("%d workers wait for one writer", q.Workers)
			}
			return
		}
		var both sync.WaitGroup
		both.Add(2)
		q.HandleDue("tick", func(context.Context, *db.Tx, Due) error {
			both.Done()
			both.Wait() // for ever, if the other waits for this one
			return nil
		})
		first := dueRow{Due: Due{MerchantID: "m", Kind: "tick", ObjectID: "0", At: start}}
		second := first
		for n := 1; second.ObjectID == "0" || len(q.share([]dueRow{first, second})[workerOf(q, first)]) == 2; n++ {
			second.ObjectID = fmt.Sprint(n)
		}
		write(t, d, func(tx *db.Tx) {
			Schedule(tx, first.Due, 0)
			Schedule(tx, second.Due, 0)
		})
		if n := work(t, q); n != 2 {
			t.Errorf("%d rows were done", n)
		}
	})
}

func workerOf(q *Queue, d dueRow) int {
	return slices.IndexFunc(q.share([]dueRow{d}), func(rows []dueRow) bool { return len(rows) == 1 })
}

// TestDuePutOff: a row that is put off, or removed, after it was seen waiting is
// not done; one that fails is put off, and those after it are done.
func TestDuePutOff(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		q := newQueue(d, &hand{now: start})
		q.Workers = 1
		var seen []string
		q.HandleDue("tick", func(_ context.Context, tx *db.Tx, due Due) error {
			switch due.ObjectID {
			case "1":
				Schedule(tx, Due{MerchantID: "m", Kind: "tick", ObjectID: "2", At: start.Add(time.Hour)}, 0)
				Cancel(tx, "m", "tick", "3")
			case "4":
				return errors.New("out of order")
			}
			tx.AfterCommit(func() { seen = append(seen, due.ObjectID) })
			return nil
		})
		write(t, d, func(tx *db.Tx) {
			for n := range 5 {
				Schedule(tx, Due{MerchantID: "m", Kind: "tick", ObjectID: fmt.Sprint(n + 1), At: start.Add(time.Duration(n-9) * time.Minute)}, 0)
			}
		})
		work(t, q)
		if !slices.Equal(seen, []string{"1", "5"}) {
			t.Errorf("done: %v", seen)
		}
	})
}

// TestDueBusy: while another node is at a row, later rows of its object wait and
// those of other objects do not.
func TestDueBusy(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if d.Engine() == db.SQLite {
			return // one writer: nobody can be at a row meanwhile
		}
		q := newQueue(d, &hand{now: start})
		var mu sync.Mutex
		var seen []string
		for _, kind := range []string{"first", "then"} {
			q.HandleDue(kind, func(_ context.Context, _ *db.Tx, due Due) error {
				mu.Lock()
				defer mu.Unlock()
				seen = append(seen, due.ObjectID+" "+due.Kind)
				return nil
			})
		}
		write(t, d, func(tx *db.Tx) {
			for _, object := range []string{"held", "free"} {
				Schedule(tx, Due{MerchantID: "m", Kind: "first", ObjectID: object, At: start.Add(-2 * time.Minute)}, 0)
				Schedule(tx, Due{MerchantID: "m", Kind: "then", ObjectID: object, At: start.Add(-time.Minute)}, 0)
			}
		})
		ctx := context.Background()
		err := d.Write(ctx, func(tx *db.Tx) error {
			if _, err := db.One(ctx, tx, takeDue, []any{"m", "first", "held", db.Micros(start)}, scanDue); err != nil {
				return err
			}
			work(t, q)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(seen, []string{"free first", "free then"}) {
			t.Errorf("done: %v", seen)
		}
		seen = nil
		work(t, q)
		if !slices.Equal(seen, []string{"held first", "held then"}) {
			t.Errorf("done then: %v", seen)
		}
	})
}
