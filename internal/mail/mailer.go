package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/id"
	"tradecredit/internal/job"
)

// Kind names the jobs of this package.
const Kind = "mail"

// Mailer sends mails.
type Mailer struct {
	// Pauses are how long a mail waits after each attempt that failed. It is
	// parked after the last.
	Pauses []time.Duration
	// Timeout bounds one attempt.
	Timeout time.Duration

	clock  clock.Clock
	log    *slog.Logger
	server *SMTP
}

// New returns a mailer that sends over server, or into the outbox of the sandbox
// when that is nil.
func New(c clock.Clock, log *slog.Logger, server *SMTP) (*Mailer, error) {
	if server != nil {
		if err := server.check(); err != nil {
			return nil, err
		}
	}
	return &Mailer{
		Pauses: []time.Duration{
			time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour, 12 * time.Hour, 24 * time.Hour,
		},
		Timeout: 30 * time.Second,
		clock:   c, log: log, server: server,
	}, nil
}

// Register lets a queue do the sending.
func (m *Mailer) Register(q *job.Queue) { q.HandleJob(Kind, m.Deliver) }

// Send sends a mail with the commit of tx and returns the ID under which it is
// found: of the outbox (eml-…) or of the job. now is the merchant's time.
// It refuses a mail without recipients, or with an address that is not one.
func (m *Mailer) Send(tx *db.Tx, merchantID string, message Mail, now time.Time) (string, error) {
	message, err := message.checked()
	if err != nil {
		return "", err
	}
	if m.server == nil {
		body, err := json.Marshal(message.linked())
		if err != nil {
			return "", err
		}
		key := id.New(id.Email)
		tx.Queue(insertMail, merchantID, key, string(body), db.Micros(now))
		return key, nil
	}
	payload, err := json.Marshal(mailJob{Mail: message, Date: now})
	if err != nil {
		return "", err
	}
	return job.Enqueue(tx, job.Job{MerchantID: merchantID, Kind: Kind, Payload: payload}, m.clock.Now()), nil
}

type mailJob struct {
	Mail Mail      `json:"mail"`
	Date time.Time `json:"date"`
}

// Deliver makes one attempt at sending a mail. It is the handler of jobs of Kind.
//
// The job's ID is the Message-ID of every attempt, so that a mail that was taken
// while its confirmation was lost is recognised by the receiver.
func (m *Mailer) Deliver(ctx context.Context, j job.Job) job.Outcome {
	var p mailJob
	if err := json.Unmarshal(j.Payload, &p); err != nil {
		return job.Outcome{Park: err.Error()}
	}
	if m.server == nil {
		return job.Outcome{Park: "no mail server is set up"}
	}
	ctx, cancel := context.WithTimeout(ctx, m.Timeout)
	defer cancel()
	err := m.server.send(ctx, p.Mail, j.ID, p.Date, m.Timeout)
	var refused *refusedError
	switch {
	case err == nil:
		return job.Outcome{}
	case errors.As(err, &refused):
		return job.Outcome{Park: err.Error()}
	case j.Attempt > len(m.Pauses):
		return job.Outcome{Park: fmt.Sprintf("given up after %d attempts: %v", j.Attempt, err)}
	}
	m.log.Warn("a mail could not be sent", "job", j.ID, "attempt", j.Attempt, "error", err)
	return job.Outcome{RetryAt: m.clock.Now().Add(m.Pauses[max(j.Attempt, 1)-1])}
}

// List returns a page of the outbox of a merchant, newest first.
func List(ctx context.Context, tx *db.Tx, merchantID string, limit, offset int) ([]Sent, error) {
	return db.All(ctx, tx, selectMails, []any{merchantID, limit, offset}, scanMail)
}

// Count returns how many mails are in the outbox of a merchant.
func Count(ctx context.Context, tx *db.Tx, merchantID string) (n int64, err error) {
	err = tx.Get(ctx, countMails, []any{merchantID}, &n)
	return n, err
}
