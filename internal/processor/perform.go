package processor

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Step is what a job does after an attempt.
type Step string

// The steps after an attempt.
const (
	// Settle: store the result; it is final but for a Pending one, of which the
	// provider will tell more.
	Settle Step = "settle"
	// Retry: nothing was done; make another attempt after Wait.
	Retry Step = "retry"
	// Lookup: it is not known what was done; make another attempt after Wait,
	// which will look first.
	Lookup Step = "lookup"
	// GiveUp: make no more attempts. Without an error, nothing was done and the
	// command can be stored as failed. With one, nobody knows: a person must look,
	// and until then the command is neither done nor failed.
	GiveUp Step = "give_up"
)

// Attempts is how often a command is tried before it is given up.
const Attempts = 8

// Wait is how long to wait after an attempt, counted from 1, before the next. All
// attempts lie within the day for which Stripe remembers idempotency keys, if
// nothing else holds them up, and the last ones are hours apart, longer than
// Stripe's search may lag behind.
func Wait(attempt int) time.Duration {
	waits := [Attempts - 1]time.Duration{
		30 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour,
	}
	return waits[min(max(attempt, 1), len(waits))-1]
}

// Next decides what follows an attempt, counted from 1, from its result and
// error.
func Next(r Result, err error, attempt int) Step {
	again := func(s Step) Step {
		if attempt >= Attempts {
			return GiveUp
		}
		return s
	}
	switch {
	case errors.Is(err, ErrInvalid):
		return GiveUp
	case errors.Is(err, ErrUnreachable):
		return again(Retry)
	case err != nil:
		return again(Lookup)
	case r.Outcome == Failed && r.Retryable:
		return again(Retry)
	}
	switch r.Outcome {
	case Succeeded, Pending, ActionRequired, Declined, Failed:
		return Settle
	}
	return again(Lookup)
}

// Perform makes an attempt at a charge, counted from 1. From the second on it
// looks first for what the earlier ones have done. If there is nothing to be
// found, or nothing that could have moved money, the charge is repeated with the
// same ID, which is the same charge to the provider.
func Perform(ctx context.Context, p Processor, c Charge, attempt int) (Result, error) {
	if err := c.Check(); err != nil {
		return Result{}, err
	}
	return perform(attempt,
		func() (Result, bool, error) { return p.Lookup(ctx, c.ID) },
		func() (Result, error) { return p.Charge(ctx, c) })
}

// PerformRefund makes an attempt at a refund as Perform does at a charge.
func PerformRefund(ctx context.Context, p Processor, r Refund, attempt int) (Result, error) {
	if err := r.Check(); err != nil {
		return Result{}, err
	}
	return perform(attempt,
		func() (Result, bool, error) { return p.LookupRefund(ctx, r) },
		func() (Result, error) { return p.Refund(ctx, r) })
}

func perform(attempt int, look func() (Result, bool, error), act func() (Result, error)) (Result, error) {
	if attempt > 1 {
		r, found, err := look()
		if err != nil {
			return Result{}, fmt.Errorf("%w: looking for an earlier attempt: %w", ErrAmbiguous, err)
		}
		if found && !(r.Outcome == Failed && r.Retryable) {
			return r, nil
		}
	}
	return act()
}
