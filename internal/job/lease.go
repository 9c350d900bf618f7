package job

import (
	"context"
	"time"

	"tradecredit/internal/db"
)

const (
	renewJobs db.SQL = `UPDATE jobs SET run_at = u.r
		FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[]) AS u(i, a, r, b)
		WHERE jobs.id = u.i AND jobs.attempt = u.a AND jobs.lease_by = u.b`
	releaseJobs db.SQL = `UPDATE jobs SET run_at = u.r, lease_by = '', attempt = jobs.attempt - 1
		FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[]) AS u(i, a, r, b)
		WHERE jobs.id = u.i AND jobs.attempt = u.a AND jobs.lease_by = u.b`
)

// hold notes that attempts at jobs are under way.
func (q *Queue) hold(jobs []Job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, j := range jobs {
		q.held[j.ID] = j.Attempt
	}
}

// drop notes that an attempt is over. When what came of it could not be stored,
// the job is tried again once its lease has run out.
func (q *Queue) drop(j Job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.held[j.ID] == j.Attempt {
		delete(q.held, j.ID)
	}
}

// keepLeases renews the leases of the attempts under way until ctx ends, so that
// a lease can be short, and the jobs of a node that was killed wait a short time
// only, however long an attempt may take.
func (q *Queue) keepLeases(ctx context.Context) {
	tick := time.NewTicker(q.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := q.setHeld(ctx, renewJobs, q.clock.Now().Add(q.Lease)); err != nil && ctx.Err() == nil {
			q.log.Error("renewing leases", "error", err)
		}
	}
}

// release lets other nodes take the jobs whose attempts were not awaited.
func (q *Queue) release(ctx context.Context) error {
	return q.setHeld(ctx, releaseJobs, q.clock.Now())
}

// setHeld changes the jobs that this node holds. One that it lost meanwhile stays
// as it is.
func (q *Queue) setHeld(ctx context.Context, change db.SQL, runAt time.Time) error {
	ids, attempts, at, by := q.columns(runAt)
	if len(ids) == 0 {
		return nil
	}
	return q.db.Write(ctx, func(tx *db.Tx) error {
		tx.QueueMany(change, ids, attempts, at, by)
		return nil
	})
}

func (q *Queue) columns(runAt time.Time) (ids []string, attempts, at []int64, by []string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for id, attempt := range q.held {
		ids, attempts = append(ids, id), append(attempts, int64(attempt))
		at, by = append(at, db.Micros(runAt)), append(by, q.node)
	}
	return ids, attempts, at, by
}
