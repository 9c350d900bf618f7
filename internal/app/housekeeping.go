package app

import (
	"context"
	"time"

	"tradecredit/internal/api"
	"tradecredit/internal/db"
	"tradecredit/internal/document"
	"tradecredit/internal/fraud"
	"tradecredit/internal/idempotency"
	"tradecredit/internal/job"
)

// housekeepingKind is the kind of the one due row of the platform itself: once a
// day, whatever is older than it must be kept is forgotten. It is a row and not
// a timer, so that frequent restarts do not put it off for ever.
const housekeepingKind = "housekeeping"

func housekeepingAt(at time.Time) job.Due {
	return job.Due{Kind: housekeepingKind, ObjectID: "platform", At: at}
}

// scheduleHousekeeping writes the first due row, if there is none.
func (a *App) scheduleHousekeeping(ctx context.Context) error {
	return a.DB.Write(ctx, func(tx *db.Tx) error {
		job.ScheduleOnce(tx, housekeepingAt(a.clock.Now().Add(time.Hour)), 0)
		return nil
	})
}

func (a *App) housekeep(ctx context.Context, tx *db.Tx, d job.Due) error {
	now := a.clock.Now()
	keys, err := idempotency.Purge(ctx, tx, now)
	if err != nil {
		return err
	}
	requests, err := api.PurgeRequests(ctx, tx, now)
	if err != nil {
		return err
	}
	seen, err := fraud.Purge(ctx, tx, now)
	if err != nil {
		return err
	}
	document.EnqueueSweep(tx, now)
	a.log.Info("housekeeping", "idempotency_keys", keys, "requests", requests, "fraud", seen)
	job.Schedule(tx, housekeepingAt(now.Add(24*time.Hour)), 0)
	return nil
}
