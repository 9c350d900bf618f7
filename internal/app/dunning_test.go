package app_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/app/apptest"
)

// TestDunning writes to the buyer in its language, ever firmer, and not while it
// is left alone.
func TestDunning(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Shop(apptest.Buyer{})
		body := s.OfferBody(s.Order(500_00))
		body["locale"] = "de-AT"
		var o apptest.Offer
		s.Do("POST", "/v1/payment/offers", body).WantStatus(201).Decode(&o)
		p := s.Accept(o.Plans[0].ID, "invoice").WantStatus(201).ID()
		act(s, p, "capture", 500_00)
		s.Advance(28 * apptest.Day) // 30 March, before 1 April
		want := []string{"500,00 GBP für Ihren Einkauf bei Shop sind am 1. April 2026 fällig"}
		same := func() {
			t.Helper()
			if got := mailsTo(s); got != strings.Join(want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
			}
		}
		same()
		var out struct{ Results []struct{ Text, HTML string } }
		s.Do("GET", "/v1/sandbox/emails", nil).WantStatus(200).Decode(&out)
		for _, part := range []string{"Guten Tag Jane Doe,", "IBAN: GB33BUKB20201555555555", "Verwendungszweck " + numberOf(s, p), "https://api.example/plans/"} {
			if !strings.Contains(out.Results[0].Text, part) || !strings.Contains(out.Results[0].HTML, strings.ReplaceAll(part, "&", "&amp;")) {
				t.Errorf("the mail lacks %q:\n%s", part, out.Results[0].Text)
			}
		}
		s.Advance(3 * apptest.Day) // 2 April
		want = append(want, "Ihre Zahlung für Shop war am 1. April 2026 fällig")
		same()
		path := "/v1/sandbox/deferred_payments/" + p
		s.Do("POST", path+"/pause", map[string]string{"until": "2026-04-02"}).Want(400, `{"until": ["Ensure this date is in the future."]}`)
		s.Do("POST", path+"/pause", map[string]string{"until": "2026-04-20"}).WantStatus(200)
		s.Advance(17 * apptest.Day) // 19 April
		same()
		s.Advance(2 * apptest.Day) // 21 April: the last reminder that came due
		want = append(want, "Mahnung: 500,00 GBP für Shop sind überfällig")
		same()

		// A promise that is kept in part only.
		s.Do("POST", path+"/promise", map[string]any{"date": "2026-05-10", "amount": 600_00}).WantStatus(400)
		s.Do("POST", path+"/promise", map[string]any{"date": "2026-05-10", "amount": 300_00}).WantStatus(200)
		repay(s, p, 100_00, "settled", 201)
		s.Advance(18 * apptest.Day) // 9 May
		same()
		if got := s.Do("GET", path+"/collection", nil).WantStatus(200).Text("promised_on"); got != "2026-05-10" {
			t.Errorf("promised for %s", got)
		}
		s.Advance(2 * apptest.Day)
		want = append(want, "Letzte Mahnung: 400,00 GBP für Shop")
		same()
		var events struct{ Results []struct{ Type string } }
		s.Do("GET", "/v1/events?limit=100", nil).WantStatus(200).Decode(&events)
		broken := 0
		for _, e := range events.Results {
			if e.Type == "deferred_payment.promise_broken" {
				broken++
			}
		}
		if broken != 1 {
			t.Errorf("%d promises were broken, want one: %v", broken, events.Results)
		}
		server.Clean()
	})
}

// TestDispute holds a disputed debt back, whatever is paid of it.
func TestDispute(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Shop(apptest.Buyer{})
		p := s.Payment(100_00)
		path := "/v1/sandbox/deferred_payments/" + p
		s.Do("POST", path+"/dispute", nil).WantStatus(409)
		s.Do("POST", "/v1/sandbox/deferred_payments/defpay-none/dispute", nil).WantStatus(404)
		act(s, p, "capture", 100_00)
		s.Do("POST", path+"/dispute", nil).WantStatus(200)
		s.Do("POST", path+"/dispute", nil).WantStatus(409)
		is(t, s, p, "captured, order disputed, unpaid 10000 next 2026-04-01")
		s.Advance(60 * apptest.Day)
		if got := mailsTo(s); got != "" {
			t.Errorf("the buyer was written to: %s", got)
		}
		repay(s, p, 30_00, "settled", 201)
		is(t, s, p, "captured, order disputed, partially_paid 7000 next 2026-04-01; payment bank_transfer settled 3000")
		s.Do("POST", path+"/undispute", nil).WantStatus(200)
		s.Do("POST", path+"/undispute", nil).WantStatus(409)
		is(t, s, p, "captured, order partially_paid, partially_paid 7000 next 2026-04-01; payment bank_transfer settled 3000")
		s.Do("POST", path+"/dispute", nil).WantStatus(200)
		s.Do("POST", path+"/write_off", map[string]int64{"amount": 70_01}).WantStatus(400)
		s.Do("POST", path+"/write_off", nil).WantStatus(200)
		is(t, s, p, "captured, order partially_paid, partially_paid 0 next -; payment bank_transfer settled 3000")
		s.Do("POST", path+"/pause", map[string]string{"until": "2026-06-20"}).WantStatus(409)
		server.Clean()
	})
}

// TestRejectedIsClosed: nobody looks again at a payment that was rejected while it
// waited for its upfront part, and what came of that goes back.
func TestRejectedIsClosed(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Shop(apptest.Buyer{})
		take := func() string { return s.Accept(s.Offer(s.Order(100_00)).Plans[2].ID, "invoice").WantStatus(201).ID() }
		p, q := take(), take()
		is(t, s, p, "pending_payment, order draft, unpaid 0 next 2026-03-02")
		repay(s, p, 10_00, "settled", 201)
		for _, payment := range []string{p, q} {
			if got := s.Do("GET", "/v1/sandbox/deferred_payments/"+payment+"/collection", nil).WantStatus(200).Text("status"); got != "open" {
				t.Errorf("collection is %s", got)
			}
		}
		s.Advance(15 * apptest.Day) // nobody paid in time
		for _, payment := range []string{p, q} {
			if got := s.Do("GET", "/v1/sandbox/deferred_payments/"+payment+"/collection", nil).WantStatus(200).Text("status"); got != "closed" {
				t.Errorf("collection is %s", got)
			}
		}
		server.Clean()
	})
}

// TestNewsOfAReview: who was told to wait is told what came of it.
func TestNewsOfAReview(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Shop(apptest.Buyer{Email: "jane+dp_fraud_customer_action_required@buyer.example"})
		review := func(payment, outcome string) {
			s.Do("POST", "/v1/sandbox/deferred_payments/"+payment+"/review", map[string]string{"outcome": outcome}).WantStatus(200)
		}
		first, second := s.Payment(1000), s.Payment(2000)
		review(first, "accepted")
		review(second, "rejected")
		s.Payment(3000)
		s.Advance(20 * apptest.Day)
		want := strings.Join([]string{
			"We need documents for your purchase from Shop", "We need documents for your purchase from Shop",
			"Your purchase from Shop is confirmed", "Your purchase from Shop is not confirmed",
			"We need documents for your purchase from Shop", "Your purchase from Shop is not confirmed",
		}, "\n")
		if diff := cmp.Diff(want, mailsTo(s)); diff != "" {
			t.Error(diff)
		}
		server.Clean()
	})
}
