package app_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/app/apptest"
)

// owing is what tests look at of how a deferred payment is repaid.
type owing struct {
	Status        string
	Order         string
	RepaymentInfo struct {
		Status            string
		OutstandingAmount int64 `json:"outstanding_amount"`
	} `json:"repayment_info"`
	NextPaymentDate *string `json:"next_payment_date"`
	Payments        []struct {
		ID, Type, Method, Status string
		Amount                   int64
	}
	ScheduledPayments []struct {
		Date, Status string
		Amount       int64
		PaidAmount   int64 `json:"paid_amount"`
	} `json:"scheduled_payments"`
}

// standing sums up how a payment stands: its status, the order's, what is
// outstanding, when the next payment is due, and the payments so far.
func standing(s *apptest.Shop, payment string) string {
	var o owing
	s.Do("GET", apptest.PaymentPath(payment), nil).WantStatus(200).Decode(&o)
	order := s.Do("GET", "/v1/payment/orders/"+o.Order, nil).WantStatus(200).Text("status")
	next := "-"
	if o.NextPaymentDate != nil {
		next = *o.NextPaymentDate
	}
	out := fmt.Sprintf("%s, order %s, %s %d next %s", o.Status, order, o.RepaymentInfo.Status, o.RepaymentInfo.OutstandingAmount, next)
	for _, p := range o.Payments {
		out += fmt.Sprintf("; %s %s %s %d", p.Type, p.Method, p.Status, p.Amount)
	}
	return out
}

func repay(s *apptest.Shop, payment string, amount int64, outcome string, status int) {
	s.Do("POST", "/v1/sandbox/deferred_payments/"+payment+"/repayments", map[string]any{"amount": amount, "outcome": outcome}).WantStatus(status)
}

func act(s *apptest.Shop, payment, action string, amount int64) {
	body := map[string]any{"amount": amount}
	s.Do("POST", apptest.PaymentPath(payment)+"/"+action, body).WantStatus(201)
}

func is(t *testing.T, s *apptest.Shop, payment, want string) {
	t.Helper()
	if diff := cmp.Diff(want, standing(s, payment)); diff != "" {
		t.Error(diff)
	}
}

// TestRepaidByInvoice follows a payment by bank transfer over partial payments, a
// refund of what was paid, and an overpayment.
func TestRepaidByInvoice(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Shop(apptest.Buyer{})
		p := s.Payment(100_000)
		is(t, s, p, "accepted, order unpaid, unpaid 0 next -")
		act(s, p, "capture", 60_000)
		is(t, s, p, "part_captured, order unpaid, unpaid 60000 next 2026-04-01")
		repay(s, p, 5_000, "failed", 201)
		is(t, s, p, "part_captured, order unpaid, unpaid 60000 next 2026-04-01; payment bank_transfer failed 5000")
		p2 := s.Payment(50_000)
		repay(s, p2, 0, "settled", 400)
		repay(s, "defpay-none", 10, "settled", 404)

		repay(s, p, 25_000, "settled", 201)
		paid := "; payment bank_transfer failed 5000; payment bank_transfer settled 25000"
		is(t, s, p, "part_captured, order partially_paid, partially_paid 35000 next 2026-04-01"+paid)
		act(s, p, "void", 40_000)
		is(t, s, p, "captured, order partially_paid, partially_paid 35000 next 2026-04-01"+paid)
		// More is refunded than is still owed: the rest goes back.
		act(s, p, "refund", 40_000)
		paid += "; customer_refund bank_transfer settled 5000"
		is(t, s, p, "captured, order paid, paid 0 next -"+paid)
		server.Clean()
		act(s, p, "refund", 20_000)
		paid += "; customer_refund bank_transfer settled 20000"
		is(t, s, p, "refunded, order cancelled, paid 0 next -"+paid)

		act(s, p2, "capture", 50_000)
		repay(s, p2, 70_000, "settled", 201)
		is(t, s, p2, "captured, order paid, paid 0 next -; payment bank_transfer settled 70000")
		if ran := s.Advance(100 * apptest.Day); ran["repayment.due"] > 4 {
			t.Errorf("%v: what is closed is not looked at", ran)
		}
		server.Clean()
	})
}

// TestChargeback takes a payment back: the debt is there again, and late.
func TestChargeback(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Shop(apptest.Buyer{})
		p := s.Payment(10_000)
		act(s, p, "capture", 10_000)
		var made struct{ ID string }
		s.Do("POST", "/v1/sandbox/deferred_payments/"+p+"/repayments", `{"amount": 12000, "outcome": "settled"}`).WantStatus(201).Decode(&made)
		is(t, s, p, "captured, order paid, paid 0 next -; payment bank_transfer settled 12000")
		back := "/v1/sandbox/deferred_payments/" + p + "/repayments/" + made.ID + "/return"
		s.Do("POST", back, nil).WantStatus(200)
		s.Do("POST", back, nil).WantStatus(409)
		is(t, s, p, "captured, order unpaid, unpaid 10000 next 2026-04-01; payment bank_transfer returned 12000")
		server.Clean()
	})
}

// TestCharged collects a schedule by card on the sandbox's clock.
func TestCharged(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Shop(apptest.Buyer{})
		take := func(plan int, token string) string {
			chosen := s.Offer(s.Order(40_000)).Plans[plan].ID
			return s.Do("POST", "/v1/sandbox/payment_plans/"+chosen+"/accept", map[string]string{"payment_method": "card", "token": token}).WantStatus(201).ID()
		}
		// Four instalments at the ends of months.
		good, bad, silent := take(3, "4242 4242 4242 4242"), take(0, "tok_chargeDeclined"), take(0, "tok_timeout")
		for _, p := range []string{good, bad, silent} {
			act(s, p, "capture", 40_000)
		}
		is(t, s, good, "captured, order unpaid, unpaid 40000 next 2026-03-31")
		s.Advance(29 * apptest.Day) // to 31 March
		is(t, s, good, "captured, order partially_paid, partially_paid 30000 next 2026-04-30; payment card settled 10000")
		s.Advance(1 * apptest.Day)
		is(t, s, bad, "captured, order unpaid, unpaid 40000 next 2026-04-01; payment card failed 40000")
		// Three business days later is the Tuesday after Easter: 3 and 6 April are holidays.
		s.Advance(6 * apptest.Day)
		is(t, s, bad, "captured, order unpaid, unpaid 40000 next 2026-04-01; payment card failed 40000")
		s.Advance(1 * apptest.Day)
		is(t, s, bad, "captured, order unpaid, unpaid 40000 next 2026-04-01; payment card failed 40000; payment card failed 40000")
		s.Advance(200 * apptest.Day)
		failed := "captured, order unpaid, unpaid 40000 next 2026-04-01; payment card failed 40000; payment card failed 40000; payment card failed 40000"
		is(t, s, bad, failed)
		is(t, s, silent, failed)
		is(t, s, good, "captured, order paid, paid 0 next -; payment card settled 10000; payment card settled 10000; payment card settled 10000; payment card settled 10000")
		server.Clean()
	})
}

// TestChargedForEachInstalment: when the attempts for one instalment are used up,
// the next is tried all the same.
func TestChargedForEachInstalment(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Shop(apptest.Buyer{})
		s.Set(map[string]any{"collection_attempts": 1})
		chosen := s.Offer(s.Order(40_000)).Plans[3].ID
		p := s.Do("POST", "/v1/sandbox/payment_plans/"+chosen+"/accept",
			map[string]string{"payment_method": "card", "token": "tok_chargeDeclined"}).WantStatus(201).ID()
		act(s, p, "capture", 40_000)
		s.Advance(35 * apptest.Day)
		one := "captured, order unpaid, unpaid 40000 next 2026-03-31; payment card failed 10000"
		is(t, s, p, one)
		s.Advance(30 * apptest.Day)
		is(t, s, p, one+"; payment card failed 20000")
		s.Advance(90 * apptest.Day)
		is(t, s, p, one+"; payment card failed 20000; payment card failed 30000; payment card failed 40000")
		server.Clean()
	})
}

// TestUpfront waits for the upfront part by bank transfer, or takes it by card.
func TestUpfront(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Shop(apptest.Buyer{})
		take := func(method string) string {
			return s.Accept(s.Offer(s.Order(10_000)).Plans[2].ID, method).WantStatus(201).ID()
		}
		p, late, card := take("invoice"), take("invoice"), take("card")
		is(t, s, p, "pending_payment, order draft, unpaid 0 next 2026-03-02")
		repay(s, p, 1_000, "settled", 201)
		is(t, s, p, "pending_payment, order draft, partially_paid 0 next 2026-03-02; payment bank_transfer settled 1000")
		repay(s, p, 2_000, "settled", 201)
		is(t, s, p, "accepted, order partially_paid, partially_paid 0 next -; payment bank_transfer settled 1000; payment bank_transfer settled 2000")
		act(s, p, "capture", 10_000)
		is(t, s, p, "captured, order partially_paid, partially_paid 7000 next 2026-04-01; payment bank_transfer settled 1000; payment bank_transfer settled 2000")
		repay(s, late, 1_000, "settled", 201)
		s.Advance(15 * apptest.Day)
		// Nobody paid the rest: it is rejected, and what came goes back.
		is(t, s, late, "rejected, order draft, unpaid 0 next -; payment bank_transfer settled 1000; customer_refund bank_transfer settled 1000")
		is(t, s, card, "accepted, order partially_paid, partially_paid 0 next -; payment card settled 3000")
		s.Do("POST", apptest.PaymentPath(card)+"/void_remaining", nil).WantStatus(201)
		is(t, s, card, "voided, order cancelled, unpaid 0 next -; payment card settled 3000; customer_refund card settled 3000")
		server.Clean()
	})
}

// TestLateBuyer is offered nothing more by the merchant that it owes.
func TestLateBuyer(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Shop(apptest.Buyer{})
		p := s.Payment(10_000)
		act(s, p, "capture", 10_000)
		limit := "/v1/payment/credit_limits/company/" + s.Company
		ask := func() (status string, actions []string) {
			var got struct {
				Status  string
				Actions []string `json:"credit_actions"`
			}
			s.Do("POST", limit, `{"currency": "GBP"}`).WantStatus(200).Decode(&got)
			return got.Status, got.Actions
		}
		if status, actions := ask(); status != "eligible" || len(actions) != 0 {
			t.Errorf("%s, %v", status, actions)
		}
		s.Advance(32 * apptest.Day)
		if status, actions := ask(); status != "eligible" || len(actions) != 1 || actions[0] != "pay_overdue_deferred_payments" {
			t.Errorf("a little late: %s, %v", status, actions)
		}
		s.Advance(90 * apptest.Day)
		if status, _ := ask(); status != "declined" {
			t.Errorf("very late: %s", status)
		}
		if got := s.Offer(s.Order(5_000)).Plans[0]; got.Rejection == nil || got.Rejection.Code != "buyer-overdue-with-seller" {
			t.Errorf("%+v", got)
		}
		other := server.Shop(apptest.Buyer{Email: "jane@other.example"})
		if got := other.Offer(other.Order(5_000)).Plans[0]; got.Status != "offered" {
			t.Errorf("another merchant: %+v", got)
		}
		repay(s, p, 10_000, "settled", 201)
		if status, actions := ask(); status != "eligible" || len(actions) != 0 {
			t.Errorf("paid: %s, %v", status, actions)
		}
		server.Clean()
	})
}

// TestRefundsAtOnce gives back once what several refunds, committed together, have
// made too much.
func TestRefundsAtOnce(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Shop(apptest.Buyer{})
		p := s.Payment(100_000)
		act(s, p, "capture", 100_000)
		repay(s, p, 100_000, "settled", 201)
		var all sync.WaitGroup
		for range 24 {
			all.Go(func() { act(s, p, "refund", 1_000) })
		}
		all.Wait()
		var o owing
		s.Do("GET", apptest.PaymentPath(p), nil).WantStatus(200).Decode(&o)
		var back int64
		for _, r := range o.Payments {
			if r.Type == "customer_refund" {
				back += r.Amount
			}
		}
		if back != 24_000 || o.RepaymentInfo.OutstandingAmount != 0 {
			t.Errorf("%d went back, and %d are outstanding", back, o.RepaymentInfo.OutstandingAmount)
		}
		server.Clean()
	})
}
