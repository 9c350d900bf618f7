package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// start is the time of the first test of each queue.
var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// hand is a clock that is moved by hand.
type hand struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hand) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hand) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

func newQueue(d *db.DB, c clock.Clock) *Queue { return New(d, c, slog.New(slog.DiscardHandler)) }

func write(t *testing.T, d *db.DB, f func(tx *db.Tx)) {
	t.Helper()
	err := d.Write(context.Background(), func(tx *db.Tx) error {
		f(tx)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestAdvanceDue: what is due happens in the order of its due time, each at its
// own time, together with what it schedules; what fails is parked with its
// reason.
func TestAdvanceDue(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		q := newQueue(d, &hand{now: start})
		var seen []string
		q.HandleDue("tick", func(_ context.Context, tx *db.Tx, due Due) error {
			seen = append(seen, fmt.Sprintf("%s at %s", due.ObjectID, due.Now.Sub(start)))
			if due.ObjectID == "a" && due.Now.Sub(start) < 3*time.Hour {
				Schedule(tx, Due{MerchantID: "m", Kind: "tick", ObjectID: "a", At: due.At.Add(time.Hour)}, 0)
			}
			if due.ObjectID == "b" {
				// Time does not go back for what was due before it was thought of.
				Schedule(tx, Due{MerchantID: "m", Kind: "tick", ObjectID: "afterthought", At: start}, 0)
			}
			return nil
		})
		q.HandleDue("broken", func(context.Context, *db.Tx, Due) error { return errors.New("out of order") })
		write(t, d, func(tx *db.Tx) {
			for object, after := range map[string]time.Duration{"a": time.Hour, "b": 90 * time.Minute, "late": -time.Hour, "far": 9 * time.Hour} {
				Schedule(tx, Due{MerchantID: "m", Kind: "tick", ObjectID: object, At: start.Add(after)}, 0)
			}
			Schedule(tx, Due{MerchantID: "m", Kind: "tick", ObjectID: "gone", At: start}, 0)
			Cancel(tx, "m", "tick", "gone")
			Schedule(tx, Due{MerchantID: "m", Kind: "broken", ObjectID: "x", At: start}, 0)
			Schedule(tx, Due{MerchantID: "other", Kind: "tick", ObjectID: "theirs", At: start}, 0)
		})
		ran, err := q.AdvanceDue(ctx, "m", start, start.Add(8*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"late at 0s", "a at 1h0m0s", "b at 1h30m0s", "afterthought at 1h30m0s", "a at 2h0m0s", "a at 3h0m0s"}, seen); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff(map[string]int{"tick": 6}, ran); diff != "" {
			t.Error(diff)
		}
		err = d.Read(ctx, func(tx *db.Tx) error {
			parked, err := ListParked(ctx, tx, 10)
			if err == nil && (len(parked) != 1 || parked[0].Reason != "out of order" || parked[0].ObjectID != "x") {
				t.Errorf("parked: %+v", parked)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// TestDueByTheWorker: a merchant's time is real time plus its offset, and a due
// row that fails is tried again later.
func TestDueByTheWorker(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		c := &hand{now: start}
		q := newQueue(d, c)
		fail, done := true, 0
		q.HandleDue("tick", func(_ context.Context, _ *db.Tx, due Due) error {
			if fail {
				return errors.New("not now")
			}
			done++
			if want := c.Now().Add(24 * time.Hour); !due.Now.Equal(want) {
				t.Errorf("the merchant's time is %s, not %s", due.Now, want)
			}
			return nil
		})
		day := 24 * time.Hour
		write(t, d, func(tx *db.Tx) {
			due := Due{MerchantID: "m", Kind: "tick", ObjectID: "a", At: start.Add(day + time.Minute)}
			Schedule(tx, due, day)
			ScheduleOnce(tx, Due{MerchantID: "m", Kind: "tick", ObjectID: "a", At: start}, 0)
		})
		step := func(want bool) {
			t.Helper()
			due, _, err := q.waiting(ctx)
			if err != nil {
				t.Fatal(err)
			}
			done, err := q.runDue(ctx, due)
			if err != nil || done > 0 != want {
				t.Fatalf("done %v, %v", done, err)
			}
		}
		step(false)
		c.move(2 * time.Minute)
		step(true)
		step(false) // put off
		fail = false
		c.move(2 * time.Minute)
		step(true)
		if done != 1 {
			t.Errorf("done %d times", done)
		}
	})
}

// TestLanes: jobs of a lane are done one at a time in their order, also when one
// has to be repeated; other lanes do not wait.
func TestLanes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, stop := context.WithCancel(context.Background())
		q := newQueue(d, clock.System{})
		var mu sync.Mutex
		order, running := map[string][]string{}, map[string]int{}
		all := make(chan struct{})
		q.HandleJob("call", func(_ context.Context, j Job) Outcome {
			mu.Lock()
			running[j.Lane]++
			if running[j.Lane] > 1 {
				t.Errorf("two jobs of lane %s at once", j.Lane)
			}
			mu.Unlock()
			defer func() {
				mu.Lock()
				running[j.Lane]--
				mu.Unlock()
			}()
			if j.Attempt == 1 {
				return Outcome{RetryAt: clock.System{}.Now()}
			}
			return Outcome{Record: func(context.Context, *db.Tx) error {
				mu.Lock()
				defer mu.Unlock()
				order[j.Lane] = append(order[j.Lane], string(j.Payload))
				if len(order["a"]) == 5 && len(order["b"]) == 5 {
					close(all)
				}
				return nil
			}}
		})
		now := clock.System{}.Now()
		write(t, d, func(tx *db.Tx) {
			for i := range 5 {
				for _, lane := range []string{"a", "b"} {
					Enqueue(tx, Job{ID: fmt.Sprintf("job-%s%d", lane, i), MerchantID: "m", Kind: "call", Lane: lane, Payload: fmt.Appendf(nil, "%d", i)}, now)
				}
			}
		})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			q.Run(ctx)
		}()
		<-all
		stop()
		<-ended
		for lane, got := range order {
			if !slices.Equal(got, []string{"0", "1", "2", "3", "4"}) {
				t.Errorf("lane %s: %v", lane, got)
			}
		}
	})
}

// TestLostLease: a node that lost its lease stores nothing; the next one does.
func TestLostLease(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		c := &hand{now: start}
		first, second := newQueue(d, c), newQueue(d, c)
		stored := map[*Queue]int{}
		for _, q := range []*Queue{first, second} {
			q.HandleJob("call", func(context.Context, Job) Outcome {
				return Outcome{Record: func(context.Context, *db.Tx) error { stored[q]++; return nil }}
			})
		}
		write(t, d, func(tx *db.Tx) { Enqueue(tx, Job{MerchantID: "m", Kind: "call", Payload: []byte("{}")}, start) })
		claim := func(q *Queue) []Job {
			t.Helper()
			jobs, err := q.claim(ctx, 5)
			if err != nil {
				t.Fatal(err)
			}
			return jobs
		}
		held := claim(first)
		if len(held) != 1 || len(claim(second)) != 0 {
			t.Fatal("a job under lease is claimed again")
		}
		c.move(first.Lease + time.Second)
		taken := claim(second)
		if len(taken) != 1 || taken[0].Attempt != 2 || taken[0].ID != held[0].ID {
			t.Fatalf("after the lease: %+v", taken)
		}
		first.attempt(ctx, held[0])
		second.attempt(ctx, taken[0])
		if stored[first] != 0 || stored[second] != 1 {
			t.Errorf("stored %d and %d times", stored[first], stored[second])
		}
		c.move(time.Hour)
		if jobs := claim(first); len(jobs) != 0 {
			t.Errorf("a finished job is claimed again: %+v", jobs)
		}
	})
}
