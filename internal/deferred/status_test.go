package deferred

import (
	"errors"
	"testing"
)

func TestStatusAfterEvents(t *testing.T) {
	t.Parallel()
	cap400, all := command(ActionCapture, 400), command(ActionCaptureRemaining, 0)
	for _, c := range []struct {
		name     string
		commands []Command
		v2, v1   Status
	}{
		{"nothing", nil, StatusAccepted, StatusAccepted},
		{"part voided", []Command{command(ActionVoid, 400)}, StatusAccepted, StatusAccepted},
		{"part captured", []Command{cap400}, StatusPartCaptured, StatusPartFulfilled},
		{"part captured and refunded", []Command{cap400, command(ActionRefund, 400)}, StatusPartCaptured, StatusPartFulfilled},
		{"part captured, rest voided", []Command{cap400, command(ActionVoidRemaining, 0)}, StatusCaptured, StatusFulfilled},
		{"part captured, rest expired", []Command{cap400, command(ActionExpiry, 0)}, StatusCaptured, StatusFulfilled},
		{"all captured", []Command{all}, StatusCaptured, StatusFulfilled},
		{"part refunded", []Command{all, command(ActionRefund, 400)}, StatusCaptured, StatusFulfilled},
		{"all refunded", []Command{all, command(ActionRefund, 1000)}, StatusRefunded, StatusReversed},
		{"part captured and refunded, rest expired", []Command{cap400, command(ActionRefund, 400), command(ActionExpiry, 0)}, StatusRefunded, StatusReversed},
		{"all voided", []Command{command(ActionVoid, 400), command(ActionVoidRemaining, 0)}, StatusVoided, StatusCancelled},
		{"part voided, rest expired", []Command{command(ActionVoid, 400), command(ActionExpiry, 0)}, StatusExpired, StatusCancelled},
		{"all clawed back", []Command{all, command(ActionClawback, 1000)}, StatusCaptured, StatusFulfilled},
		{"part clawed back, rest refunded", []Command{all, command(ActionClawback, 1), command(ActionRefund, 999)}, StatusCaptured, StatusFulfilled},
		{"captured after a void", []Command{command(ActionVoidRemaining, 0), command(ActionCapture, 1)}, StatusCaptured, StatusFulfilled},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			over := Settings{Overcaptures: true}
			if s, _ := do(t, accepted(t, 1000, 1000, 0), over, c.commands...); s.Status != c.v2 {
				t.Errorf("v2: %s, want %s", s.Status, c.v2)
			}
			s := accepted(t, 1000, 1000, 0)
			for _, cmd := range c.commands {
				cmd.Version = V1
				s, _ = do(t, s, over, cmd)
			}
			if s.Status != c.v1 {
				t.Errorf("v1: %s, want %s", s.Status, c.v1)
			}
		})
	}
}

func TestOurOwnEventsDoNotDecideTheVersion(t *testing.T) {
	t.Parallel()
	over := Settings{Overcaptures: true}
	s, _ := do(t, accepted(t, 1000, 1000, 0), over, legacy(ActionExpiry, 0))
	if s.Status != StatusExpired || s.Version != VersionNone {
		t.Errorf("expired first: %s, version %q", s.Status, s.Version)
	}
	s, _ = do(t, s, over, legacy(ActionCapture, 10), command(ActionClawback, 10))
	if s.Status != StatusFulfilled || s.Version != V1 {
		t.Errorf("then captured the old way: %s, version %q", s.Status, s.Version)
	}
}

func TestReview(t *testing.T) {
	t.Parallel()
	open := map[Status]bool{StatusPendingReview: true, StatusCustomerActionRequired: true, StatusPendingPayment: true}
	decided := map[Status]bool{StatusAccepted: true, StatusRejected: true, StatusPendingReview: true, StatusCustomerActionRequired: true}
	for _, from := range Statuses() {
		for _, outcome := range append(Statuses(), "unheard of") {
			s := State{Status: from, OrderTotal: 5}
			got, err := Review(s, outcome)
			if want := open[from] && decided[outcome]; (err == nil) != want {
				t.Errorf("%s to %s: %v", from, outcome, err)
			}
			if err != nil {
				if !errors.Is(err, ErrReview) || got != s {
					t.Errorf("%s to %s: %v, %+v", from, outcome, err, got)
				}
				continue
			}
			if s.Status = outcome; got != s {
				t.Errorf("%s to %s: %+v", from, outcome, got)
			}
		}
	}
}

func TestRejectionDetails(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, code := range []string{RejectedInsufficientFunds, RejectedFraud, RejectedIdentityNotVerified, RejectedPaymentFailed, RejectedCreditLimitExceeded, RejectedCustomerActionTimeout, RejectedOther} {
		detail := RejectionDetail(code)
		if detail == "" || seen[detail] {
			t.Errorf("%s: %q", code, detail)
		}
		seen[detail] = true
	}
	if got := RejectionDetail(RejectedInsufficientFunds); got != "Insufficient funds" {
		t.Errorf("%q", got)
	}
}
