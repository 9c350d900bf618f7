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

const (
	countHeads db.SQL = `SELECT count(*) FROM jobs WHERE head`
	countLanes db.SQL = `SELECT count(*) FROM job_lanes`
)

// TestOneHeadOfALane: however many jobs wait in a lane, one of them is looked at.
func TestOneHeadOfALane(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		err := d.Write(context.Background(), func(tx *db.Tx) error {
			for i := range 60 {
				lane := []string{"", "a", "b"}[i%3]
				job.Enqueue(tx, job.Job{MerchantID: "m", Kind: "call", Payload: []byte("{}"), Lane: lane}, clock.System{}.Now())
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if heads, lanes := count(t, d, countHeads), count(t, d, countLanes); heads != 22 || lanes != 2 {
			t.Errorf("%d heads, %d lanes", heads, lanes)
		}
	})
}

// TestLanesDoNotStall adds jobs to a few lanes while two nodes take them away,
// give some up and some are tried again: no lane is left without a head.
func TestLanesDoNotStall(t *testing.T) {
	t.Parallel()
	dbtest.EachOptions(t, func(t *testing.T, o db.Options) {
		const writers, each = 4, 60
		d := open(t, o)
		var mu sync.Mutex
		done, all := 0, make(chan struct{})
		settled := func(_ context.Context, tx *db.Tx) error {
			tx.AfterCommit(func() {
				mu.Lock()
				defer mu.Unlock()
				if done++; done == writers*each {
					close(all)
				}
			})
			return nil
		}
		call := func(_ context.Context, j job.Job) job.Outcome {
			switch payload := string(j.Payload); {
			case j.Attempt == 1 && payload == "2":
				return job.Outcome{RetryAt: clock.System{}.Now()}
			case payload == "3":
				return job.Outcome{Park: "not yet", Record: settled}
			}
			return job.Outcome{Record: settled}
		}
		stops := []func(){run(t, d, call, nil), run(t, open(t, o), call, nil)}
		var writing sync.WaitGroup
		for w := range writers {
			writing.Add(1)
			go func() {
				defer writing.Done()
				addJobs(t, d, w, each)
			}()
		}
		writing.Wait()
		<-all
		for _, stop := range stops {
			stop()
		}
		if jobs := count(t, d, countJobs); jobs != writers*each/5 || count(t, d, countHeads) != 0 {
			t.Errorf("%d jobs are left, %d of them heads", jobs, count(t, d, countHeads))
		}
		retryAll(t, d)
	})
}

// addJobs adds jobs to three lanes, one after the other. Every fifth is given up
// when it is tried.
func addJobs(t *testing.T, d *db.DB, writer, n int) {
	for i := range n {
		err := d.Write(context.Background(), func(tx *db.Tx) error {
			job.Enqueue(tx, job.Job{
				MerchantID: "m", Kind: "call", Payload: fmt.Append(nil, i%5), Lane: fmt.Sprint("lane ", (i+writer)%3),
			}, clock.System{}.Now())
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// retryAll puts back what was given up, and demands that it is done and leaves
// no lane behind.
func retryAll(t *testing.T, d *db.DB) {
	t.Helper()
	ctx := context.Background()
	err := d.Write(ctx, func(tx *db.Tx) error {
		parked, err := job.ListParked(ctx, tx, 1000)
		for _, p := range parked {
			if _, err := job.Retry(ctx, tx, p, clock.System{}.Now()); err != nil {
				return err
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	left, empty := count(t, d, countJobs), make(chan struct{})
	q := job.New(d, clock.System{}, slog.New(slog.DiscardHandler))
	var mu sync.Mutex
	q.HandleJob("call", func(context.Context, job.Job) job.Outcome {
		return job.Outcome{Record: func(_ context.Context, tx *db.Tx) error {
			tx.AfterCommit(func() {
				mu.Lock()
				defer mu.Unlock()
				if left--; left == 0 {
					close(empty)
				}
			})
			return nil
		}}
	})
	running, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		q.Run(running)
	}()
	select {
	case <-empty:
	case <-time.After(time.Minute):
		t.Error("the jobs that were put back are not done")
	}
	stop()
	<-ended
	if jobs, lanes := count(t, d, countJobs), count(t, d, countLanes); jobs != 0 || lanes != 0 {
		t.Errorf("%d jobs and %d lanes are left", jobs, lanes)
	}
}
