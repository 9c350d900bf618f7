package job

import (
	"context"
	"errors"
	"time"

	"tradecredit/internal/db"
)

const (
	insertJob db.SQL = `INSERT INTO jobs (id, merchant_id, kind, payload, lane, run_at, created_at, head)
		VALUES ($1, $2, $3, $4, $5, $6, $7,
			$5 = '' OR NOT EXISTS (SELECT 1 FROM jobs WHERE merchant_id = $2 AND lane = $5 AND parked = ''))`
	// lockLane makes the row of a lane when it is absent.
	lockLane db.SQL = `INSERT INTO job_lanes (merchant_id, lane) VALUES ($1, $2)
		ON CONFLICT (merchant_id, lane) DO UPDATE SET lane = excluded.lane`
	nextHead db.SQL = `UPDATE jobs SET head = TRUE
		WHERE id = (SELECT MIN(id) FROM jobs WHERE merchant_id = $1 AND lane = $2 AND parked = '')`
	dropLane db.SQL = `DELETE FROM job_lanes WHERE merchant_id = $1 AND lane = $2
		AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.merchant_id = $1 AND j.lane = $2 AND j.parked = '')`
	laneOfParked db.SQL = `SELECT lane FROM jobs WHERE merchant_id = $1 AND kind = $2 AND id = $3 AND parked <> ''`
	unparkJob    db.SQL = `UPDATE jobs SET parked = '', attempt = 0, run_at = $4, head = lane = '' OR NOT EXISTS (
			SELECT 1 FROM jobs e WHERE e.merchant_id = jobs.merchant_id AND e.lane = jobs.lane AND e.parked = '')
		WHERE merchant_id = $1 AND kind = $2 AND id = $3 AND parked <> ''`
)

// enterLane locks a lane of a merchant for a job that is about to be added to it.
// The job becomes its head if there is none.
func enterLane(tx *db.Tx, merchantID, lane string) {
	if lane != "" {
		tx.Queue(lockLane, merchantID, lane)
	}
}

// leaveLane makes the next job of a lane its head, after the head was done or
// given up.
func leaveLane(tx *db.Tx, merchantID, lane string) {
	if lane == "" {
		return
	}
	tx.Queue(lockLane, merchantID, lane)
	tx.Queue(nextHead, merchantID, lane)
	tx.Queue(dropLane, merchantID, lane)
}

// unpark lets a job be tried again that was given up. It reports whether there is
// one.
func unpark(ctx context.Context, tx *db.Tx, p Parked, now time.Time) (bool, error) {
	var lane string
	err := tx.Get(ctx, laneOfParked, []any{p.MerchantID, p.Kind, p.ObjectID}, &lane)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	enterLane(tx, p.MerchantID, lane)
	n, err := tx.Exec(ctx, unparkJob, p.MerchantID, p.Kind, p.ObjectID, db.Micros(now))
	return n > 0, err
}
