package deferred

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// accepted is a fresh deferred payment; it fails the test if there cannot be
// one.
func accepted(t testing.TB, total, protected, fee int64) State {
	t.Helper()
	s, err := New(total, protected, fee, StatusAccepted)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// do decides on a command and applies what comes of it; the test fails if it
// is refused.
func do(t testing.TB, s State, set Settings, commands ...Command) (State, Event) {
	t.Helper()
	var last Event
	for _, c := range commands {
		e, err := Decide(s, set, c)
		if err != nil {
			t.Fatalf("%+v on %+v: %v", c, s, err)
		}
		s, last = s.Apply(e), e
		if err := CheckInvariants(s); err != nil {
			t.Fatalf("after %+v: %v", c, err)
		}
	}
	return s, last
}

func command(action Action, amount int64) Command { return Command{Action: action, Amount: amount} }

func legacy(action Action, amount int64) Command {
	return Command{Action: action, Amount: amount, Version: V1}
}

func TestEventsOfTheDocuments(t *testing.T) {
	t.Parallel()
	fresh := accepted(t, 150_000, 150_000, 0)
	shipped, _ := do(t, fresh, Settings{}, command(ActionCapture, 100_000))
	for name, c := range map[string]struct {
		from    State
		command Command
		want    Event
	}{
		"capture": {fresh, command(ActionCapture, 100_000),
			Event{Type: "capture", Amount: 100_000, Changes: Changes{Authorisation: -100_000, ProtectedCaptures: 100_000}, Version: V2}},
		"capture_remaining": {fresh, command(ActionCaptureRemaining, 0),
			Event{Type: "capture", Amount: 150_000, Changes: Changes{Authorisation: -150_000, ProtectedCaptures: 150_000}, Version: V2}},
		"refund": {shipped, command(ActionRefund, 30_000),
			Event{Type: "refund", Amount: 30_000, Changes: Changes{ProtectedCaptures: -30_000, Refunds: 30_000}, Version: V2}},
		"void": {shipped, command(ActionVoid, 5000),
			Event{Type: "void", Amount: 5000, Changes: Changes{Authorisation: -5000, VoidedAuthorisation: 5000}, Version: V2}},
		"void_remaining": {shipped, command(ActionVoidRemaining, 0),
			Event{Type: "void", Amount: 50_000, Changes: Changes{Authorisation: -50_000, VoidedAuthorisation: 50_000}, Version: V2}},
		"expiry": {shipped, command(ActionExpiry, 0),
			Event{Type: "expiry", Amount: 50_000, Changes: Changes{Authorisation: -50_000, ExpiredAuthorisation: 50_000}}},
		"clawback": {shipped, command(ActionClawback, 60_000),
			Event{Type: "clawback", Amount: 60_000, Changes: Changes{ProtectedCaptures: -60_000, Clawback: 60_000}}},
		"adjustment": {shipped, Command{Action: ActionAdjustment, Changes: Changes{Authorisation: 10, ProtectedCaptures: -10}},
			Event{Type: "adjustment", Amount: 10, Changes: Changes{Authorisation: 10, ProtectedCaptures: -10}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, got := do(t, c.from, Settings{}, c.command)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestProtection(t *testing.T) {
	t.Parallel()
	over := Settings{Overcaptures: true}
	for name, c := range map[string]struct {
		protected int64
		commands  []Command
		want      Balances
	}{
		"protected first, then not": {600, []Command{command(ActionCapture, 500), command(ActionCapture, 300)},
			Balances{Authorisation: 200, ProtectedCaptures: 600, UnprotectedCaptures: 200}},
		"refund of the unprotected first": {600, []Command{command(ActionCapture, 800), command(ActionRefund, 250)},
			Balances{Authorisation: 200, ProtectedCaptures: 550, Refunds: 250}},
		"captured again after a refund": {600, []Command{command(ActionCapture, 700), command(ActionRefund, 400), command(ActionCapture, 300)},
			Balances{ProtectedCaptures: 600, Refunds: 400}},
		"above the authorisation is unprotected": {1000, []Command{command(ActionCapture, 1200)},
			Balances{Authorisation: -200, ProtectedCaptures: 1000, UnprotectedCaptures: 200}},
		"even where cover is left": {1004, []Command{command(ActionCapture, 1004)},
			Balances{Authorisation: -4, ProtectedCaptures: 1000, UnprotectedCaptures: 4}},
		"even where a refund gave cover back": {1000, []Command{command(ActionCapture, 1000), command(ActionRefund, 100), command(ActionCapture, 100)},
			Balances{Authorisation: -100, ProtectedCaptures: 900, UnprotectedCaptures: 100, Refunds: 100}},
		"after expiry": {1000, []Command{command(ActionCapture, 400), command(ActionExpiry, 0), command(ActionCapture, 50)},
			Balances{Authorisation: -50, ProtectedCaptures: 400, UnprotectedCaptures: 50, ExpiredAuthorisation: 600}},
		"after a void": {1000, []Command{command(ActionVoidRemaining, 0), command(ActionCapture, 50)},
			Balances{Authorisation: -50, UnprotectedCaptures: 50, VoidedAuthorisation: 1000}},
		"clawback of the unprotected first": {600, []Command{command(ActionCaptureRemaining, 0), command(ActionClawback, 500)},
			Balances{ProtectedCaptures: 500, Clawback: 500}},
		"nothing protected": {0, []Command{command(ActionCaptureRemaining, 0)},
			Balances{UnprotectedCaptures: 1000}},
		"an expiry taken back by hand": {1000, []Command{
			command(ActionExpiry, 0),
			{Action: ActionAdjustment, Changes: Changes{Authorisation: 300, ExpiredAuthorisation: -300}},
			command(ActionCapture, 300),
		}, Balances{ProtectedCaptures: 300, ExpiredAuthorisation: 700}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, _ := do(t, accepted(t, 1000, c.protected, 0), over, c.commands...)
			if diff := cmp.Diff(c.want, s.Balances); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// refusal is the sentence of a field error, or the name of another one.
func refusal(err error) string {
	var field *FieldError
	switch {
	case errors.As(err, &field):
		return field.Field + ": " + field.Sentence
	case errors.Is(err, ErrNothingToDo):
		return "nothing to do"
	case errors.Is(err, ErrNotActive):
		return "not active"
	case errors.Is(err, ErrMixedVersions):
		return "mixed"
	}
	return fmt.Sprint(err)
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	over := Settings{Overcaptures: true}
	low := "amount: Ensure this value is greater than or equal to 1."
	high := func(most int64) string {
		return fmt.Sprintf("amount: Ensure this value is less than or equal to %d.", most)
	}
	fresh := accepted(t, 50_000, 50_000, 0)
	part, _ := do(t, fresh, Settings{}, command(ActionCapture, 20_000))
	done, _ := do(t, part, Settings{}, command(ActionVoidRemaining, 0))
	debt, _ := do(t, done, over, command(ActionCapture, 7))
	v1, _ := do(t, fresh, Settings{}, legacy(ActionCapture, 20_000))
	for _, c := range []struct {
		name    string
		from    State
		set     Settings
		command Command
		want    string
	}{
		{"capture nothing", fresh, Settings{}, command(ActionCapture, 0), low},
		{"capture less than nothing", fresh, over, command(ActionCapture, math.MinInt64), low},
		{"capture too much", fresh, Settings{}, command(ActionCapture, 50_001), high(50_000)},
		{"capture what remains, and one", part, Settings{}, command(ActionCapture, 30_001), high(30_000)},
		{"capture after all is done", done, Settings{}, command(ActionCapture, 1), high(0)},
		{"capture after an overcapture, no longer allowed", debt, Settings{}, command(ActionCapture, 1), high(0)},
		{"overcapture beyond 64 bits", part, over, command(ActionCapture, math.MaxInt64), high(30_000 + mostOver)},
		{"capture_remaining of nothing", done, over, command(ActionCaptureRemaining, 0), "nothing to do"},
		{"capture_remaining of a debt", debt, over, command(ActionCaptureRemaining, 0), "nothing to do"},
		{"refund nothing", part, Settings{}, command(ActionRefund, 0), low},
		{"refund what was not captured", fresh, Settings{}, command(ActionRefund, 1), high(0)},
		{"refund too much", part, Settings{}, command(ActionRefund, 20_001), high(20_000)},
		{"void nothing", part, Settings{}, command(ActionVoid, -1), low},
		{"void too much", part, Settings{}, command(ActionVoid, 30_001), high(30_000)},
		{"void a debt", debt, Settings{}, command(ActionVoid, 1), high(0)},
		{"void_remaining of nothing", done, Settings{}, command(ActionVoidRemaining, 0), "nothing to do"},
		{"expiry of nothing", done, Settings{}, command(ActionExpiry, 0), "nothing to do"},
		{"clawback of nothing", part, Settings{}, command(ActionClawback, 0), low},
		{"clawback too much", part, Settings{}, command(ActionClawback, 20_001), high(20_000)},
		{"legacy after capture", part, Settings{}, legacy(ActionVoid, 1), "mixed"},
		{"legacy when nothing remains", done, Settings{}, legacy(ActionVoidRemaining, 0), "mixed"},
		{"capture after legacy", v1, Settings{}, command(ActionCapture, 1), "mixed"},
		{"no such action", done, Settings{}, command("pay", 1), `deferred: no action "pay"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			e, err := Decide(c.from, c.set, c.command)
			if refusal(err) != c.want || e != (Event{}) {
				t.Errorf("%q, %+v; want %q", refusal(err), e, c.want)
			}
		})
	}
}

func TestOnlyAcceptedPaymentsAct(t *testing.T) {
	t.Parallel()
	for _, status := range []Status{StatusPendingReview, StatusCustomerActionRequired, StatusPendingPayment, StatusRejected} {
		s, err := New(1000, 1000, 0, status)
		if err != nil {
			t.Fatal(err)
		}
		for _, action := range []Action{ActionCapture, ActionCaptureRemaining, ActionRefund, ActionVoid, ActionVoidRemaining, ActionExpiry, ActionClawback, ActionAdjustment} {
			_, err := Decide(s, Settings{Overcaptures: true}, command(action, 1))
			var conflict *ConflictError
			want := fmt.Sprintf("This action is not possible while the deferred payment is %s.", status)
			if !errors.Is(err, ErrNotActive) || !errors.As(err, &conflict) || conflict.Detail != want {
				t.Errorf("%s of a payment that is %s: %v", action, status, err)
			}
		}
	}
	if (Status("unheard of")).Active() {
		t.Error("an unknown status is active")
	}
}

func TestAdjustmentsKeepTheInvariants(t *testing.T) {
	t.Parallel()
	s, _ := do(t, accepted(t, 1000, 600, 10), Settings{}, command(ActionCapture, 500))
	for name, c := range map[string]struct {
		changes Changes
		fee     FeeChanges
		want    string
	}{
		"nothing":        {Changes{}, FeeChanges{}, "changes: The changes must move the amount of the event, at least 1."},
		"out of nowhere": {Changes{Refunds: 1}, FeeChanges{}, "changes: The changes must sum to zero."},
		"fee from nowhere": {Changes{Refunds: 1, Authorisation: -1}, FeeChanges{Refunds: 1},
			"changes: The changes of customer_fee must sum to zero."},
		"refunds below zero":    {Changes{Refunds: -1, Authorisation: 1}, FeeChanges{}, "changes: refunds can not be below zero."},
		"more than is captured": {Changes{ProtectedCaptures: -501, Clawback: 501}, FeeChanges{}, "changes: protected_captures can not be below zero."},
		"beyond the cover":      {Changes{Authorisation: -101, ProtectedCaptures: 101}, FeeChanges{}, "changes: protected_captures can not be above the protected amount of the plan, 600."},
		"fee below zero": {Changes{Refunds: 1, Authorisation: -1}, FeeChanges{Refunds: 6, Authorisation: -6},
			"changes: customer_fee can not be below zero."},
		"gains beyond 64 bits": {Changes{Refunds: math.MaxInt64, Clawback: math.MaxInt64, Authorisation: 2}, FeeChanges{}, "changes: The changes are too large."},
		"a balance beyond":     {Changes{ProtectedCaptures: math.MaxInt64, Authorisation: -math.MaxInt64}, FeeChanges{}, "changes: The changes are too large."},
		"too much debt": {Changes{Refunds: math.MaxInt64, Authorisation: -math.MaxInt64}, FeeChanges{},
			"changes: The balances are too large."},
		"allowed":            {Changes{Authorisation: -100, ProtectedCaptures: 100}, FeeChanges{Authorisation: -1, Captures: 1}, "<nil>"},
		"allowed, to a debt": {Changes{Authorisation: -600, UnprotectedCaptures: 600}, FeeChanges{}, "<nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := Adjust(s, c.changes, c.fee)
			if refusal(err) != c.want {
				t.Errorf("%q; want %q", refusal(err), c.want)
			}
			if err == nil {
				if err := CheckInvariants(s.Apply(e)); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestCheckInvariantsFindsEveryMistake(t *testing.T) {
	t.Parallel()
	sound, _ := do(t, accepted(t, 1000, 600, 10), Settings{}, command(ActionCapture, 800), command(ActionRefund, 300))
	for name, mistake := range map[string]func(*State){
		"a unit lost":             func(s *State) { s.Refunds-- },
		"a unit gained":           func(s *State) { s.Authorisation++ },
		"below zero":              func(s *State) { s.Clawback--; s.Refunds++ },
		"cover exceeded":          func(s *State) { s.ProtectedAmount = 499 },
		"a fee unit lost":         func(s *State) { s.CustomerFee.Captures-- },
		"a fee below zero":        func(s *State) { s.CustomerFee.VoidedAuthorisation--; s.CustomerFee.Captures++ },
		"another total":           func(s *State) { s.OrderTotal++ },
		"no total":                func(s *State) { *s = State{Status: StatusVoided} },
		"another status":          func(s *State) { s.Status = StatusCaptured },
		"the other version's":     func(s *State) { s.Version = V1 },
		"an unknown version":      func(s *State) { s.Version = "v3" },
		"pending, with a capture": func(s *State) { s.Status = StatusPendingReview },
		"negative cover":          func(s *State) { s.ProtectedAmount = -1 },
	} {
		s := sound
		mistake(&s)
		var broken *InvariantError
		if err := CheckInvariants(s); !errors.As(err, &broken) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := CheckInvariants(sound); err != nil {
		t.Error(err)
	}
}

func TestCustomerFeeFollowsTheOrder(t *testing.T) {
	t.Parallel()
	// A third of a unit of fee for each unit of the order: roundings must
	// neither add up nor lose anything.
	s := accepted(t, 300, 300, 100)
	for n := int64(1); n <= 240; n++ {
		s, _ = do(t, s, Settings{}, command(ActionCapture, 1))
		if want := 100 - (300-n+1)/3; s.CustomerFee.Captures-want < -1 || s.CustomerFee.Captures-want > 1 {
			t.Fatalf("%d captured: fee %+v", n, s.CustomerFee)
		}
	}
	for n := int64(1); n <= 120; n++ {
		s, _ = do(t, s, Settings{}, command(ActionRefund, 1))
		if off := s.CustomerFee.Refunds*3 - n; off < -3 || off > 3 {
			t.Fatalf("%d refunded: fee %+v", n, s.CustomerFee)
		}
	}
	s, _ = do(t, s, Settings{Overcaptures: true}, command(ActionVoid, 30), command(ActionExpiry, 0), command(ActionCapture, 500))
	want := FeeBalances{Captures: 40, Refunds: 40, VoidedAuthorisation: 10, ExpiredAuthorisation: 10}
	if diff := cmp.Diff(want, s.CustomerFee); diff != "" {
		t.Error(diff)
	}
	s, _ = do(t, s, Settings{}, command(ActionRefund, s.ProtectedCaptures+s.UnprotectedCaptures))
	want.Captures, want.Refunds = 0, 80
	if diff := cmp.Diff(want, s.CustomerFee); diff != "" {
		t.Errorf("all refunded: %s", diff)
	}
}

func TestStoredStateAndEventComeBack(t *testing.T) {
	t.Parallel()
	s, e := do(t, accepted(t, 1000, 600, 10), Settings{}, command(ActionCapture, 800), command(ActionRefund, 300))
	body, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var back State
	if err := json.Unmarshal(body, &back); err != nil || back != s {
		t.Errorf("%s: %+v, %v", body, back, err)
	}
	if body, err = json.Marshal(e); err != nil {
		t.Fatal(err)
	}
	var event Event
	if err := json.Unmarshal(body, &event); err != nil || event != e {
		t.Errorf("%s: %+v, %v", body, event, err)
	}
}
