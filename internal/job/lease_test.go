package job_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/job"
)

const (
	countJobs db.SQL = `SELECT count(*) FROM jobs`
	countHeld db.SQL = `SELECT count(*) FROM jobs WHERE lease_by <> ''`
)

func count(t *testing.T, d *db.DB, q db.SQL) (n int64) {
	t.Helper()
	err := d.Read(context.Background(), func(tx *db.Tx) error { return tx.Get(context.Background(), q, nil, &n) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// enqueue writes one job.
func enqueue(t *testing.T, d *db.DB) {
	t.Helper()
	err := d.Write(context.Background(), func(tx *db.Tx) error {
		job.Enqueue(tx, job.Job{MerchantID: "m", Kind: "call", Payload: []byte("{}")}, clock.System{}.Now())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// run runs a queue until stop is called, which waits for its end.
func run(t *testing.T, d *db.DB, f job.Func, change func(q *job.Queue)) (stop func()) {
	t.Helper()
	q := job.New(d, clock.System{}, slog.New(slog.DiscardHandler))
	q.HandleJob("call", f)
	if change != nil {
		change(q)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Add(1)
	go func() {
		defer running.Done()
		q.Run(ctx)
	}()
	stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
	})
	t.Cleanup(stop)
	return stop
}

// TestLongAttemptKeepsItsJob lets an attempt take many times the lease: no other
// node makes a second one meanwhile.
func TestLongAttemptKeepsItsJob(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const lease = 300 * time.Millisecond
		var attempts atomic.Int64
		began, end := make(chan struct{}, 8), make(chan struct{})
		finish := sync.OnceFunc(func() { close(end) })
		call := func(_ context.Context, _ job.Job) job.Outcome {
			attempts.Add(1)
			began <- struct{}{}
			<-end
			return job.Outcome{}
		}
		short := func(q *job.Queue) { q.Lease = lease }
		stops := []func(){run(t, d, call, short), run(t, d, call, short)}
		t.Cleanup(finish)
		enqueue(t, d)
		<-began
		select {
		case <-began:
			t.Error("a second attempt was made beside the first")
		case <-time.After(5 * lease):
		}
		finish()
		for _, stop := range stops {
			stop()
		}
		if n := count(t, d, countJobs); n != 0 || attempts.Load() != 1 {
			t.Errorf("%d attempts, %d jobs left", attempts.Load(), n)
		}
	})
}

// TestStoppedQueueReleasesItsJobs stops a queue whose attempt does not end: it
// does not wait for ever, another node takes the job at once, and what comes of
// the first attempt later changes nothing.
func TestStoppedQueueReleasesItsJobs(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		began, end, recorded := make(chan struct{}), make(chan struct{}), make(chan int, 2)
		finish := sync.OnceFunc(func() { close(end) })
		hang := func(_ context.Context, j job.Job) job.Outcome {
			close(began)
			<-end
			return job.Outcome{Record: func(context.Context, *db.Tx) error {
				recorded <- -j.Attempt
				return nil
			}}
		}
		stop := run(t, d, hang, func(q *job.Queue) { q.Grace = 50 * time.Millisecond })
		t.Cleanup(finish)
		enqueue(t, d)
		<-began
		stop()
		if n := count(t, d, countHeld); n != 0 {
			t.Fatalf("%d jobs are held", n)
		}
		run(t, d, func(_ context.Context, j job.Job) job.Outcome {
			return job.Outcome{Record: func(context.Context, *db.Tx) error {
				recorded <- j.Attempt
				return nil
			}}
		}, nil)
		if n := <-recorded; n != 1 {
			t.Errorf("attempt %d was recorded", n)
		}
		finish()
		select {
		case n := <-recorded:
			t.Errorf("attempt %d was recorded, too", n)
		case <-time.After(100 * time.Millisecond):
		}
	})
}
