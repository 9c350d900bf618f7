package app

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tradecredit/internal/closing"
	"tradecredit/internal/db"
	"tradecredit/internal/job"
)

// The close of a day is begun by one due row of the platform, in real time: a
// merchant's clock that is moved by years must not close every day of them. What
// takes long is a job, which holds no transaction and is taken over by another
// node when this one dies.
const (
	closeKind    = "daily_close"
	closeJobKind = "daily_close.run"
)

// closeAfter is how long after midnight UTC days are closed.
const closeAfter = 5 * time.Minute

func closeDue(now time.Time) job.Due {
	at := now.UTC().Truncate(24 * time.Hour).Add(closeAfter)
	if !at.After(now) {
		at = at.Add(24 * time.Hour)
	}
	return job.Due{Kind: closeKind, ObjectID: "platform", At: at}
}

// closeRun is the payload of the job.
type closeRun struct {
	// At is the real time that the close is about, however late it is made.
	At time.Time `json:"at"`
}

// closeDays closes the days of all merchants.
func (a *App) closeDays(ctx context.Context) error {
	s := &closing.Service{DB: a.DB, Clock: a.clock}
	a.Queue.HandleDue(closeKind, func(_ context.Context, tx *db.Tx, d job.Due) error {
		payload, err := json.Marshal(closeRun{At: d.Now})
		if err != nil {
			return err
		}
		job.Enqueue(tx, job.Job{Kind: closeJobKind, Payload: payload}, a.clock.Now())
		job.Schedule(tx, closeDue(a.clock.Now()), 0)
		return nil
	})
	a.Queue.HandleJob(closeJobKind, func(ctx context.Context, j job.Job) job.Outcome { return a.closeOnce(ctx, s, j) })
	return a.DB.Write(ctx, func(tx *db.Tx) error {
		job.ScheduleOnce(tx, closeDue(a.clock.Now()), 0)
		return nil
	})
}

// maxCloses is how often a close that fails goes on before it is given up.
const maxCloses = 8

func (a *App) closeOnce(ctx context.Context, s *closing.Service, j job.Job) job.Outcome {
	var run closeRun
	if err := json.Unmarshal(j.Payload, &run); err != nil {
		return job.Outcome{Park: err.Error()}
	}
	start := a.clock.Now()
	sum, err := s.Close(ctx, closing.Request{At: run.At}, func(p closing.Progress) {
		if p.Closed != nil && p.Closed.Differences > 0 {
			a.log.Error("the ledger differs from the books", "merchant", p.MerchantID,
				"day", p.Closed.Day.Format(time.DateOnly), "objects", p.Closed.Differences)
		}
	})
	if err == nil {
		a.log.Info("daily close", "merchants", sum.Merchants, "already", sum.Already, "payments", sum.Payments,
			"differences", sum.Differences, "took", a.clock.Now().Sub(start))
		return job.Outcome{}
	}
	err = fmt.Errorf("daily close: %w", err)
	if j.Attempt >= maxCloses {
		return job.Outcome{Park: err.Error()}
	}
	a.log.Error("daily close", "error", err)
	return job.Outcome{RetryAt: a.clock.Now().Add(time.Minute << j.Attempt)}
}
