package app

import (
	"context"
	"log/slog"

	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/fraud"
	"tradecredit/internal/job"
	"tradecredit/internal/secret"
	"tradecredit/internal/underwriting"
)

// twofold is an engine of two: one that knows what a buyer can be lent, and one that
// doubts who the buyer is.
type twofold struct {
	underwriting.Engine
	fraud *fraud.Engine
}

// Review implements underwriting.Engine.
func (e twofold) Review(ctx context.Context, tx *db.Tx, a underwriting.Application) (underwriting.Outcome, string, error) {
	return e.fraud.Review(ctx, tx, a)
}

// doubting lets the rules about fraud decide on the plans that buyers accept.
func (a *App) doubting(ctx context.Context, credit underwriting.Engine) (underwriting.Engine, error) {
	now := a.clock.Now()
	err := a.DB.Write(ctx, func(tx *db.Tx) error { return fraud.EnsureDefault(ctx, tx, a.config.Environment, now) })
	if err != nil {
		return nil, err
	}
	key, err := FraudKey(ctx, a.DB)
	if err != nil {
		return nil, err
	}
	return twofold{credit, fraud.NewEngine(key)}, nil
}

// FraudKey is the secret that identifiers of buyers are hashed under.
func FraudKey(ctx context.Context, d *db.DB) (secret.Key, error) {
	return secret.Ensure(ctx, d, fraud.SecretName)
}

// OpenReviews returns what decides on deferred payments under review, for commands
// that serve nobody. Whatever follows from a decision happens in its transaction, or
// waits for a program that serves.
func OpenReviews(ctx context.Context, c Config, d *db.DB, k clock.Clock, log *slog.Logger) (*deferred.Service, error) {
	a := &App{DB: d, config: c, clock: k, log: log, Queue: job.New(d, k, log)}
	s, err := a.services(ctx)
	if err != nil {
		return nil, err
	}
	return s.deferred, nil
}
