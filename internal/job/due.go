// Package job does later what cannot be done now.
//
// Two kinds of work wait in the database, where no restart can lose them. Due
// rows are changes to our own data at a certain time of a merchant, such as an
// expiry: each is done in one transaction together with its removal. Jobs are
// calls to the outside world, such as a webhook: each is done at least once,
// under a lease, and what came of it is stored afterwards.
package job

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tradecredit/internal/db"
)

// Due is something that must happen at a time of a merchant.
type Due struct {
	MerchantID string
	// Kind says what must happen; one object has at most one due row of a kind.
	Kind     string
	ObjectID string
	// At is when it is due, in the merchant's time.
	At time.Time
	// Now is the merchant's time at which it is being done: At itself while a
	// sandbox clock is moved, the current time otherwise.
	Now time.Time
}

// DueFunc does what is due. It runs in the transaction that removes the due row
// and may schedule the next one.
type DueFunc func(ctx context.Context, tx *db.Tx, d Due) error

const (
	upsertDue db.SQL = `INSERT INTO due (merchant_id, kind, object_id, due_at, clock_offset, run_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (merchant_id, kind, object_id) DO UPDATE
		SET due_at = excluded.due_at, clock_offset = excluded.clock_offset, run_at = excluded.run_at, failures = 0, parked = ''`
	insertDue db.SQL = `INSERT INTO due (merchant_id, kind, object_id, due_at, clock_offset, run_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (merchant_id, kind, object_id) DO NOTHING`
	deleteDue  db.SQL = `DELETE FROM due WHERE merchant_id = $1 AND kind = $2 AND object_id = $3`
	shiftDue   db.SQL = `UPDATE due SET run_at = due_at - $2, clock_offset = $2 WHERE merchant_id = $1`
	waitingDue db.SQL = `SELECT merchant_id, kind, object_id, due_at, clock_offset FROM due
		WHERE run_at <= $1 AND parked = '' ORDER BY run_at LIMIT $2`
	takeDue db.SQL = `SELECT merchant_id, kind, object_id, due_at, clock_offset FROM due
		WHERE merchant_id = $1 AND kind = $2 AND object_id = $3 AND run_at <= $4 AND parked = '' FOR UPDATE SKIP LOCKED`
	nextDueOf db.SQL = `SELECT merchant_id, kind, object_id, due_at, clock_offset FROM due
		WHERE merchant_id = $1 AND due_at <= $2 AND parked = '' ORDER BY due_at, kind, object_id LIMIT 1 FOR UPDATE`
	failDue db.SQL = `UPDATE due SET failures = failures + 1, run_at = $4,
		parked = CASE WHEN failures + 1 >= $5 THEN $6 ELSE '' END
		WHERE merchant_id = $1 AND kind = $2 AND object_id = $3`
	parkDue db.SQL = `UPDATE due SET failures = failures + 1, parked = $4
		WHERE merchant_id = $1 AND kind = $2 AND object_id = $3`
	unparkDue db.SQL = `UPDATE due SET parked = '', failures = 0, run_at = $4
		WHERE merchant_id = $1 AND kind = $2 AND object_id = $3 AND parked <> ''`
	parkedDue db.SQL = `SELECT merchant_id, kind, object_id, due_at, parked FROM due
		WHERE parked <> '' ORDER BY merchant_id, due_at LIMIT $1`
)

// maxFailures is how often a due row is tried before it is parked.
const maxFailures = 8

// Schedule writes a due row with the commit of tx, in place of the one that the
// object has of this kind. offset is how far the merchant's time is ahead of
// real time.
func Schedule(tx *db.Tx, d Due, offset time.Duration) {
	at := db.Micros(d.At)
	tx.Queue(upsertDue, d.MerchantID, d.Kind, d.ObjectID, at, offset.Microseconds(), at-offset.Microseconds())
}

// ScheduleOnce is Schedule that leaves a due row which is there already as it is.
func ScheduleOnce(tx *db.Tx, d Due, offset time.Duration) {
	at := db.Micros(d.At)
	tx.Queue(insertDue, d.MerchantID, d.Kind, d.ObjectID, at, offset.Microseconds(), at-offset.Microseconds())
}

// Cancel removes the due row of a kind that an object has, if any.
func Cancel(tx *db.Tx, merchantID, kind, objectID string) {
	tx.Queue(deleteDue, merchantID, kind, objectID)
}

// Shift moves the due rows of a merchant to a new offset of its clock.
func Shift(tx *db.Tx, merchantID string, offset time.Duration) {
	tx.Queue(shiftDue, merchantID, offset.Microseconds())
}

type dueRow struct {
	Due
	offset time.Duration
}

func scanDue(r db.Rows) (dueRow, error) {
	var d dueRow
	var at, offset int64
	err := r.Scan(&d.MerchantID, &d.Kind, &d.ObjectID, &at, &offset)
	d.At, d.offset = db.Time(at), time.Duration(offset)*time.Microsecond
	return d, err
}

func (q *Queue) do(ctx context.Context, tx *db.Tx, d Due) error {
	handle := q.due[d.Kind]
	if handle == nil {
		return fmt.Errorf("nothing handles due rows of kind %q", d.Kind)
	}
	tx.Queue(deleteDue, d.MerchantID, d.Kind, d.ObjectID)
	return handle(ctx, tx, d)
}

// dueFailed puts a due row off, and parks it with the reason after the last try.
func (q *Queue) dueFailed(ctx context.Context, d Due, now time.Time, cause error) error {
	q.log.Error("due row failed", "merchant", d.MerchantID, "kind", d.Kind, "object", d.ObjectID, "error", cause)
	return q.db.Write(ctx, func(tx *db.Tx) error {
		tx.Queue(failDue, d.MerchantID, d.Kind, d.ObjectID, db.Micros(now.Add(time.Minute)), maxFailures, cause.Error())
		return nil
	})
}

// AdvanceDue does everything that is due for a merchant until a time of its own,
// in the order of the due times, each seeing the time at which it was due. start
// is the merchant's time before. It returns how many of each kind were done.
// What fails is parked with its reason.
func (q *Queue) AdvanceDue(ctx context.Context, merchantID string, start, until time.Time) (map[string]int, error) {
	ran, reached := map[string]int{}, start
	for {
		var current *Due
		err := q.db.Write(ctx, func(tx *db.Tx) error {
			current = nil
			d, err := db.One(ctx, tx, nextDueOf, []any{merchantID, db.Micros(until)}, scanDue)
			if errors.Is(err, db.ErrNoRows) {
				return nil
			}
			if err != nil {
				return err
			}
			d.Now = d.At
			if d.Now.Before(reached) {
				d.Now = reached
			}
			current = &d.Due
			return q.do(ctx, tx, d.Due)
		})
		switch {
		case current == nil:
			return ran, err
		case err != nil && ctx.Err() != nil:
			return ran, err
		case err != nil:
			q.log.Error("due row parked", "merchant", merchantID, "kind", current.Kind, "object", current.ObjectID, "error", err)
			if err := q.park(ctx, *current, err); err != nil {
				return ran, err
			}
		default:
			ran[current.Kind]++
		}
		// Something may schedule what was due already: time does not go back for it.
		reached = current.Now
	}
}

func (q *Queue) park(ctx context.Context, d Due, cause error) error {
	return q.db.Write(ctx, func(tx *db.Tx) error {
		tx.Queue(parkDue, d.MerchantID, d.Kind, d.ObjectID, cause.Error())
		return nil
	})
}

// Parked is work that was given up, with the reason.
type Parked struct {
	MerchantID string    `json:"merchant"`
	Kind       string    `json:"kind"`
	ObjectID   string    `json:"object"`
	At         time.Time `json:"at"`
	Reason     string    `json:"reason"`
}

// ListParked returns up to limit due rows and jobs that were given up.
func ListParked(ctx context.Context, tx *db.Tx, limit int) ([]Parked, error) {
	scan := func(r db.Rows) (Parked, error) {
		var p Parked
		var at int64
		err := r.Scan(&p.MerchantID, &p.Kind, &p.ObjectID, &at, &p.Reason)
		p.At = db.Time(at)
		return p, err
	}
	due, err := db.All(ctx, tx, parkedDue, []any{limit}, scan)
	if err != nil {
		return nil, err
	}
	jobs, err := db.All(ctx, tx, parkedJobs, []any{limit}, scan)
	return append(due, jobs...), err
}

// Retry puts parked work back, to be done at the real time now. object is that of
// a due row, or the ID of a job. It reports whether there was any.
func Retry(ctx context.Context, tx *db.Tx, p Parked, now time.Time) (bool, error) {
	n, err := tx.Exec(ctx, unparkDue, p.MerchantID, p.Kind, p.ObjectID, db.Micros(now))
	if err != nil || n > 0 {
		return n > 0, err
	}
	return unpark(ctx, tx, p, now)
}
