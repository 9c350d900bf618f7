package processor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestNext(t *testing.T) {
	t.Parallel()
	temporary := Result{Outcome: Failed, Retryable: true}
	for _, c := range []struct {
		name    string
		result  Result
		err     error
		attempt int
		want    Step
	}{
		{"succeeded", Result{Outcome: Succeeded}, nil, 1, Settle},
		{"succeeded at last", Result{Outcome: Succeeded}, nil, Attempts, Settle},
		{"pending", Result{Outcome: Pending}, nil, 1, Settle},
		{"asks the buyer", Result{Outcome: ActionRequired}, nil, 1, Settle},
		{"declined", Result{Outcome: Declined}, nil, 3, Settle},
		{"failed for good", Result{Outcome: Failed}, nil, 1, Settle},
		{"failed for now", temporary, nil, 1, Retry},
		{"failed for now, near the end", temporary, nil, Attempts - 1, Retry},
		{"failed for now, at the end", temporary, nil, Attempts, GiveUp},
		{"no outcome", Result{}, nil, 1, Lookup},
		{"unknown outcome", Result{Outcome: "odd"}, nil, Attempts, GiveUp},
		{"ambiguous", Result{}, fmt.Errorf("%w: x", ErrAmbiguous), 1, Lookup},
		{"ambiguous, at the end", Result{}, ErrAmbiguous, Attempts, GiveUp},
		{"an error beats a result", Result{Outcome: Succeeded}, ErrAmbiguous, 1, Lookup},
		{"unreachable", Result{}, fmt.Errorf("%w: x", ErrUnreachable), 1, Retry},
		{"unreachable, at the end", Result{}, ErrUnreachable, Attempts, GiveUp},
		{"invalid", Result{}, fmt.Errorf("%w: x", ErrInvalid), 1, GiveUp},
		{"the process stops", Result{}, context.Canceled, 1, Lookup},
		{"any other error", Result{}, errors.New("x"), 2, Lookup},
	} {
		if got := Next(c.result, c.err, c.attempt); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

func TestWait(t *testing.T) {
	t.Parallel()
	var all, last time.Duration
	for attempt := 1; attempt < Attempts; attempt++ {
		w := Wait(attempt)
		if w <= last {
			t.Errorf("after attempt %d: %s, no longer than before", attempt, w)
		}
		last, all = w, all+w
	}
	if all > 20*time.Hour {
		t.Errorf("the attempts take %s; Stripe remembers a key for 24 hours", all)
	}
	if last <= time.Hour {
		t.Errorf("the last attempt looks after %s; Stripe's search lags behind by an hour", last)
	}
	if Wait(0) != Wait(1) || Wait(Attempts+5) != last {
		t.Error("attempts beside the table")
	}
}

// script is a processor that answers as it is told and writes down its calls.
type script struct {
	found  *Result
	look   error
	result Result
	err    error
	calls  []string
}

func (s *script) Charge(_ context.Context, c Charge) (Result, error) {
	s.calls = append(s.calls, "charge "+c.ID)
	return s.result, s.err
}

func (s *script) Lookup(_ context.Context, id string) (Result, bool, error) {
	s.calls = append(s.calls, "look "+id)
	if s.found == nil {
		return Result{}, false, s.look
	}
	return *s.found, true, s.look
}

func (s *script) Refund(ctx context.Context, r Refund) (Result, error) {
	return s.Charge(ctx, Charge{ID: r.ID})
}

func (s *script) LookupRefund(ctx context.Context, r Refund) (Result, bool, error) {
	return s.Lookup(ctx, r.ID)
}

func TestPerform(t *testing.T) {
	t.Parallel()
	done, open := Result{Outcome: Succeeded}, Result{Outcome: Pending}
	temporary, never := Result{Outcome: Failed, Retryable: true}, Result{Outcome: Failed}
	for _, c := range []struct {
		name    string
		attempt int
		p       script
		want    Result
		err     error
		calls   string
	}{
		{"first", 1, script{found: &open, result: done}, done, nil, "charge x"},
		{"second, nothing found", 2, script{result: done}, done, nil, "look x,charge x"},
		{"second, found done", 2, script{found: &done, err: errors.New("twice")}, done, nil, "look x"},
		{"second, found pending", 2, script{found: &open, err: errors.New("twice")}, open, nil, "look x"},
		{"second, failed for good", 2, script{found: &never, err: errors.New("twice")}, never, nil, "look x"},
		{"second, failed for now", 2, script{found: &temporary, result: done}, done, nil, "look x,charge x"},
		{"cannot look", 3, script{look: errors.New("no answer")}, Result{}, ErrAmbiguous, "look x"},
		{"cannot reach", 3, script{look: ErrUnreachable}, Result{}, ErrUnreachable, "look x"},
		{"ambiguous", 1, script{err: ErrAmbiguous}, Result{}, ErrAmbiguous, "charge x"},
	} {
		charge, refund := c.p, c.p
		r, err := Perform(t.Context(), &charge, Charge{ID: "x", Amount: 1, Currency: "EUR", Method: Card}, c.attempt)
		if r != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %+v, %v", c.name, r, err)
		}
		if got := strings.Join(charge.calls, ","); got != c.calls {
			t.Errorf("%s: %s, want %s", c.name, got, c.calls)
		}
		r, err = PerformRefund(t.Context(), &refund, Refund{ID: "x", ChargeID: "y", Amount: 1, Currency: "EUR"}, c.attempt)
		if r != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s, a refund: %+v, %v", c.name, r, err)
		}
		if diff := cmp.Diff(charge.calls, refund.calls); diff != "" {
			t.Errorf("%s, a refund: %s", c.name, diff)
		}
	}
}

func TestInvalidCommandsAreNotSent(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]Charge{
		"no ID":          {Amount: 1, Currency: "EUR", Method: Card},
		"odd ID":         {ID: "x'y", Amount: 1, Currency: "EUR", Method: Card},
		"long ID":        {ID: strings.Repeat("x", 201), Amount: 1, Currency: "EUR", Method: Card},
		"nothing":        {ID: "x", Currency: "EUR", Method: Card},
		"less":           {ID: "x", Amount: -1, Currency: "EUR", Method: Card},
		"no currency":    {ID: "x", Amount: 1, Method: Card},
		"odd currency":   {ID: "x", Amount: 1, Currency: "eur", Method: Card},
		"no method":      {ID: "x", Amount: 1, Currency: "EUR"},
		"another method": {ID: "x", Amount: 1, Currency: "EUR", Method: "invoice"},
	} {
		p := &script{}
		if _, err := Perform(t.Context(), p, c, 1); !errors.Is(err, ErrInvalid) || len(p.calls) > 0 {
			t.Errorf("%s: %v after %v", name, err, p.calls)
		}
	}
	for name, r := range map[string]Refund{
		"no charge":  {ID: "x", Amount: 1, Currency: "EUR"},
		"odd charge": {ID: "x", ChargeID: "y z", Amount: 1, Currency: "EUR"},
		"nothing":    {ID: "x", ChargeID: "y", Currency: "EUR"},
	} {
		p := &script{}
		if _, err := PerformRefund(t.Context(), p, r, 2); !errors.Is(err, ErrInvalid) || len(p.calls) > 0 {
			t.Errorf("the refund of %s: %v after %v", name, err, p.calls)
		}
	}
}
