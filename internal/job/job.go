package job

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/id"
)

// Job is a call to the outside world that is to be made.
type Job struct {
	// ID stays the same over all attempts: it is the other side's idempotency key.
	ID         string
	MerchantID string
	Kind       string
	Payload    json.RawMessage
	// Lane, when set, names a queue of the merchant whose jobs are done one at a
	// time in the order of their IDs.
	Lane string
	// RunAt is the real time before which the job is not begun.
	RunAt time.Time
	// Attempt counts from 1.
	Attempt int
}

// Outcome is what came of one attempt at a job.
type Outcome struct {
	// RetryAt, when set, is the real time of the next attempt; else the job is
	// done.
	RetryAt time.Time
	// Park, when set, gives the job up and says why.
	Park string
	// Record stores what was learned, in the transaction that ends the attempt.
	Record func(ctx context.Context, tx *db.Tx) error
}

// Func makes one attempt. No transaction is open meanwhile.
type Func func(ctx context.Context, j Job) Outcome

// The settings of a new queue.
const (
	defaultLease = 15 * time.Second
	defaultGrace = 15 * time.Second
	// defaultWorkers on PostgreSQL: while one waits for its commit the others
	// work, and the commits of several wait for the disk together.
	defaultWorkers = 8
)

const (
	claimable db.SQL = `SELECT id, merchant_id, kind, payload, lane, run_at, attempt FROM jobs
		WHERE run_at <= $1 AND head ORDER BY run_at LIMIT $2 FOR UPDATE SKIP LOCKED`
	claimJobs db.SQL = `UPDATE jobs SET attempt = u.a, run_at = u.r, lease_by = u.b
		FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[]) AS u(i, a, r, b) WHERE jobs.id = u.i`
	finishJob  db.SQL = `DELETE FROM jobs WHERE id = $1 AND attempt = $2 AND lease_by = $3`
	retryJob   db.SQL = `UPDATE jobs SET run_at = $4, lease_by = '' WHERE id = $1 AND attempt = $2 AND lease_by = $3`
	parkJob    db.SQL = `UPDATE jobs SET parked = $4, lease_by = '', head = FALSE WHERE id = $1 AND attempt = $2 AND lease_by = $3`
	soonest    db.SQL = `SELECT MIN(run_at) FROM jobs WHERE head`
	parkedJobs db.SQL = `SELECT merchant_id, kind, id, run_at, parked FROM jobs
		WHERE parked <> '' ORDER BY merchant_id, run_at LIMIT $1`
)

// Queue runs what waits in the database. Several nodes may run one each on the
// same database.
type Queue struct {
	// Lease is how long the jobs of a node that was killed wait for another. A
	// node that lives renews its leases, however long its attempts take.
	Lease time.Duration
	// Grace is how long a node that is asked to stop waits for its attempts; it
	// gives up the jobs of those that take longer. Both are set before Run.
	Grace time.Duration
	// Workers is how many due rows a node does side by side, those of one object
	// one after the other. SQLite has one writer and one worker. Set before Run.
	Workers int

	db    *db.DB
	clock clock.Clock
	log   *slog.Logger
	node  string
	due   map[string]DueFunc
	jobs  map[string]Func
	// before runs at the start of every round, for work that is found by
	// looking, such as events that are to be chained.
	before []func(context.Context) (bool, error)
	wake   chan struct{}
	// held are the jobs whose attempts are under way, with the number of the
	// attempt.
	mu   sync.Mutex
	held map[string]int
}

// New returns a queue that handles nothing yet.
func New(d *db.DB, c clock.Clock, log *slog.Logger) *Queue {
	workers := 1
	if d.Engine() == db.Postgres {
		workers = defaultWorkers
	}
	return &Queue{
		Lease: defaultLease, Grace: defaultGrace, Workers: workers, db: d, clock: c, log: log, node: id.New("node"),
		due: map[string]DueFunc{}, jobs: map[string]Func{}, wake: make(chan struct{}, 1), held: map[string]int{},
	}
}

// HandleDue says what is done with due rows of a kind. All handlers are set
// before Run.
func (q *Queue) HandleDue(kind string, f DueFunc) { q.due[kind] = f }

// HandleJob says how jobs of a kind are done.
func (q *Queue) HandleJob(kind string, f Func) { q.jobs[kind] = f }

// HandleRound adds work that is looked for in every round. f reports whether it
// found any.
func (q *Queue) HandleRound(f func(context.Context) (bool, error)) { q.before = append(q.before, f) }

// Enqueue writes a job with the commit of tx and returns its ID, which is made
// when it is empty.
func Enqueue(tx *db.Tx, j Job, now time.Time) string {
	if j.ID == "" {
		j.ID = id.New(id.Job)
	}
	if j.RunAt.IsZero() {
		j.RunAt = now
	}
	enterLane(tx, j.MerchantID, j.Lane)
	tx.Queue(insertJob, j.ID, j.MerchantID, j.Kind, string(j.Payload), j.Lane, db.Micros(j.RunAt), db.Micros(now))
	return j.ID
}

// Wake lets a round begin at once. It never blocks.
func (q *Queue) Wake() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// poll bounds how long work of another node, or work that became due, waits.
const poll = 250 * time.Millisecond

// pace is the pause between rounds while there is work. Under load a round then
// finds much to do at once, in place of a little many times: its commits wait
// for the same disk as those of the requests.
const pace = 25 * time.Millisecond

// dueEach is how many due rows one round does.
const dueEach = 400

// width is how many jobs a node makes attempts at side by side.
const width = 16

// Run does what waits until ctx ends. Then it waits for the attempts under way,
// for as long as Grace, and releases those that are not done.
func (q *Queue) Run(ctx context.Context) {
	var attempts sync.WaitGroup
	var keeper sync.WaitGroup
	slots := make(chan struct{}, width)
	keeping, stopKeeping := context.WithCancel(context.WithoutCancel(ctx))
	keeper.Add(1)
	go func() {
		defer keeper.Done()
		q.keepLeases(keeping)
	}()
	q.work(ctx, slots, &attempts)
	finished := make(chan struct{})
	go func() {
		attempts.Wait()
		close(finished)
	}()
	select {
	case <-finished:
	case <-time.After(q.Grace):
	}
	stopKeeping()
	keeper.Wait()
	if err := q.release(context.WithoutCancel(ctx)); err != nil {
		q.log.Error("releasing jobs", "error", err)
	}
}

// work makes one round after the other until ctx ends.
func (q *Queue) work(ctx context.Context, slots chan struct{}, attempts *sync.WaitGroup) {
	timer := time.NewTimer(poll)
	defer timer.Stop()
	for ctx.Err() == nil {
		found, err := q.round(ctx, slots, attempts)
		if err != nil && ctx.Err() == nil {
			q.log.Error("work queue", "error", err)
		}
		pause, wake := poll, q.wake
		if found && err == nil {
			pause, wake = pace, nil
		}
		timer.Reset(pause)
		select {
		case <-ctx.Done():
		case <-wake:
		case <-timer.C:
		}
	}
}

// round looks for work of every sort once and reports whether it found any.
func (q *Queue) round(ctx context.Context, slots chan struct{}, attempts *sync.WaitGroup) (bool, error) {
	found := false
	for _, f := range q.before {
		more, err := f(ctx)
		if err != nil {
			return false, err
		}
		found = found || more
	}
	due, jobsDue, err := q.waiting(ctx)
	if err != nil {
		return false, err
	}
	done, err := q.runDue(ctx, due)
	if err != nil {
		return false, err
	}
	found = found || done > 0
	if !jobsDue {
		return found, nil
	}
	jobs, err := q.claim(ctx, width-len(slots))
	if err != nil {
		return false, err
	}
	for _, j := range jobs {
		slots <- struct{}{}
		attempts.Add(1)
		go func() {
			defer func() { <-slots; attempts.Done(); q.Wake() }()
			q.attempt(context.WithoutCancel(ctx), j)
		}()
	}
	return found || len(jobs) > 0, nil
}

// waiting tells which due rows wait, up to dueEach, and whether jobs do, without
// taking a writer's turn.
func (q *Queue) waiting(ctx context.Context) (due []dueRow, jobs bool, err error) {
	now := db.Micros(q.clock.Now())
	var first *int64
	err = q.db.Read(ctx, func(tx *db.Tx) error {
		if due, err = db.All(ctx, tx, waitingDue, []any{now, dueEach}, scanDue); err != nil {
			return err
		}
		return tx.Get(ctx, soonest, nil, &first)
	})
	return due, first != nil && *first <= now, err
}

// claim takes up to n jobs under a lease.
func (q *Queue) claim(ctx context.Context, n int) (jobs []Job, err error) {
	if n <= 0 {
		return nil, nil
	}
	now := q.clock.Now()
	err = q.db.Write(ctx, func(tx *db.Tx) error {
		jobs, err = db.All(ctx, tx, claimable, []any{db.Micros(now), n}, func(r db.Rows) (Job, error) {
			var j Job
			var payload string
			var run int64
			err := r.Scan(&j.ID, &j.MerchantID, &j.Kind, &payload, &j.Lane, &run, &j.Attempt)
			j.Payload, j.RunAt = json.RawMessage(payload), db.Time(run)
			j.Attempt++
			return j, err
		})
		ids, tries := make([]string, len(jobs)), make([]int64, len(jobs))
		until, by := make([]int64, len(jobs)), make([]string, len(jobs))
		for i, j := range jobs {
			ids[i], tries[i], until[i], by[i] = j.ID, int64(j.Attempt), db.Micros(now.Add(q.Lease)), q.node
		}
		tx.QueueMany(claimJobs, ids, tries, until, by)
		return err
	})
	if err != nil {
		return nil, err
	}
	q.hold(jobs)
	return jobs, nil
}

// attempt makes one attempt and stores what came of it. The store is fenced: a
// node that lost its lease changes nothing.
func (q *Queue) attempt(ctx context.Context, j Job) {
	defer q.drop(j)
	out := Outcome{Park: fmt.Sprintf("nothing handles jobs of kind %q", j.Kind)}
	if handle := q.jobs[j.Kind]; handle != nil {
		out = handle(ctx, j)
	}
	err := q.db.Write(ctx, func(tx *db.Tx) error {
		var n int64
		var err error
		switch {
		case out.Park != "":
			n, err = tx.Exec(ctx, parkJob, j.ID, j.Attempt, q.node, out.Park)
		case !out.RetryAt.IsZero():
			n, err = tx.Exec(ctx, retryJob, j.ID, j.Attempt, q.node, db.Micros(out.RetryAt))
		default:
			n, err = tx.Exec(ctx, finishJob, j.ID, j.Attempt, q.node)
		}
		if err != nil || n == 0 {
			return err
		}
		if out.RetryAt.IsZero() || out.Park != "" {
			leaveLane(tx, j.MerchantID, j.Lane)
		}
		if out.Record == nil {
			return nil
		}
		return out.Record(ctx, tx)
	})
	if err != nil {
		q.log.Error("storing the outcome of a job", "job", j.ID, "kind", j.Kind, "error", err)
	}
}
