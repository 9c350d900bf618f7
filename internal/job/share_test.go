package job_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/job"
)

// TestNodesShareDueRows lets several nodes work off what is due: each row is done
// by one of them, once, though nothing else would keep a handler from doing its
// work twice.
func TestNodesShareDueRows(t *testing.T) {
	t.Parallel()
	dbtest.EachOptions(t, func(t *testing.T, o db.Options) {
		const rows, nodes = 40, 3
		first := open(t, o)
		past := clock.System{}.Now().Add(-time.Hour)
		err := first.Write(context.Background(), func(tx *db.Tx) error {
			for i := range rows {
				job.Schedule(tx, job.Due{MerchantID: "m", Kind: "once", ObjectID: fmt.Sprint(i), At: past}, 0)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		times, all := map[string]int{}, make(chan struct{})
		done := func(object string) {
			mu.Lock()
			defer mu.Unlock()
			if times[object]++; len(times) == rows && times[object] == 1 {
				close(all)
			}
		}
		ctx, stop := context.WithCancel(context.Background())
		var running sync.WaitGroup
		for range nodes {
			q := job.New(open(t, o), clock.System{}, slog.New(slog.DiscardHandler))
			q.HandleDue("once", func(_ context.Context, tx *db.Tx, d job.Due) error {
				tx.AfterCommit(func() { done(d.ObjectID) })
				return nil
			})
			running.Add(1)
			go func() {
				defer running.Done()
				q.Run(ctx)
			}()
		}
		<-all
		stop()
		running.Wait()
		for object, n := range times {
			if n != 1 {
				t.Errorf("%s was done %d times", object, n)
			}
		}
	})
}

func open(t *testing.T, o db.Options) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}
