package deferred

import (
	"testing"

	"pgregory.net/rapid"

	"tradecredit/internal/order"
)

// TestFiguresOfAnything walks through post-sale events and money that comes and
// goes, and holds what follows from every state against what must be true of it.
func TestFiguresOfAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(1, 1_000_000).Draw(t, "total")
		s, err := New(total, rapid.Int64Range(0, total).Draw(t, "protected"), rapid.Int64Range(0, total/10).Draw(t, "fee"), StatusAccepted)
		if err != nil {
			t.Fatal(err)
		}
		s.CustomerDiscountSum = rapid.Int64Range(0, total/10).Draw(t, "discount")
		s.MerchantFeeSum = rapid.Int64Range(0, total/10).Draw(t, "merchant fee")
		actions := []Action{
			ActionCapture, ActionCaptureRemaining, ActionRefund, ActionVoid, ActionVoidRemaining, ActionClawback,
			"pay", "give back", "write off",
		}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			action := rapid.SampledFrom(actions).Draw(t, "action")
			amount := rapid.Int64Range(1, total).Draw(t, "amount")
			before := s
			s, err = step(s, action, amount)
			if err != nil && s != before {
				t.Fatalf("%s of %d was refused and changed %+v to %+v", action, amount, before, s)
			}
			check(t, before, s)
		}
	})
}

func step(s State, action Action, amount int64) (State, error) {
	before := s
	var err error
	switch action {
	case "pay":
		s, err = ApplySettlement(s, amount, 0)
	case "give back":
		s, err = ApplySettlement(s, -amount, 0)
	case "write off":
		s, err = ApplySettlement(s, 0, amount)
	default:
		var e Event
		if e, err = Decide(s, Settings{Overcaptures: true}, Command{Action: action, Amount: amount}); err == nil {
			s = s.Apply(e)
		}
	}
	if err != nil {
		return before, err
	}
	return s, nil
}

func check(t *rapid.T, before, s State) {
	var sum int64
	for _, e := range Booked(Payment{State: s}) {
		sum += e.Amount
	}
	captured := s.ProtectedCaptures + s.UnprotectedCaptures + s.Clawback
	switch {
	case sum != 0:
		t.Fatalf("the books are off by %d: %+v", sum, s)
	case s.Owed() < 0 || s.Owed() > captured+s.CustomerFeeSum:
		t.Fatalf("owed are %d: %+v", s.Owed(), s)
	case s.OwedAtMost() < s.Owed():
		t.Fatalf("%d are owed, %d at most: %+v", s.Owed(), s.OwedAtMost(), s)
	case s.Repaid-s.Refundable() > s.OwedAtMost():
		t.Fatalf("%d of %d go back, too little: %+v", s.Refundable(), s.Repaid, s)
	case s.PassedOn() > s.Clawback || s.PassedOn() > 0 && s.Repaid < s.Owed()-s.Clawback:
		t.Fatalf("%d are passed on: %+v", s.PassedOn(), s)
	case s.Exposure() < 0 || s.Exposure() > s.ProtectedAmount || s.UnprotectedExposure() < 0:
		t.Fatalf("%d and %d are in use: %+v", s.Exposure(), s.UnprotectedExposure(), s)
	case s.Exposure()+s.UnprotectedExposure() > s.Unpaid()+max(0, s.Authorisation):
		t.Fatalf("more is in use than can be lost: %+v", s)
	case s.MerchantFee() < 0 || captured == s.OrderTotal && s.MerchantFee() != s.MerchantFeeSum:
		t.Fatalf("the merchant's fee is %d: %+v", s.MerchantFee(), s)
	case captured == 0 && (s.Owed() != 0 || s.MerchantFee() != 0):
		t.Fatalf("nothing is captured and something owed: %+v", s)
	}
	if status := OrderStatus(s); status == order.StatusPaid && s.Unpaid() > 0 || status == order.StatusUnpaid && s.Repaid > 0 {
		t.Fatalf("the order is %s: %+v", status, s)
	}
	if s.Authorisation < before.Authorisation || s.Repaid > before.Repaid {
		// Neither a capture nor a payment takes more of the lender's limit.
		if s.Exposure() > before.Exposure() && s.Refunds == before.Refunds {
			t.Fatalf("%d were in use, now %d: %+v, %+v", before.Exposure(), s.Exposure(), before, s)
		}
	}
}

func TestPassedOn(t *testing.T) {
	t.Parallel()
	s := State{OrderTotal: 100, Balances: Balances{UnprotectedCaptures: 60, Clawback: 40}, Status: StatusCaptured}
	for repaid, want := range map[int64]int64{0: 0, 60: 0, 61: 1, 100: 40, 120: 40} {
		s.Repaid = repaid
		if got := s.PassedOn(); got != want {
			t.Errorf("of %d paid, %d are the merchant's, want %d", repaid, got, want)
		}
	}
}
