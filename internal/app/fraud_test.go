package app_test

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"tradecredit/internal/app/apptest"
	"tradecredit/internal/db"
	"tradecredit/internal/fraud"
	"tradecredit/internal/merchant"
)

// strict lets the rules of production decide for everybody.
func strict(t *testing.T, s *apptest.Server, change func(text string) string) {
	t.Helper()
	r, err := fraud.Default(merchant.Production)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		if r, err = fraud.Parse([]byte(change(r.Source))); err != nil {
			t.Fatal(err)
		}
	}
	err = s.DB.Write(context.Background(), func(tx *db.Tx) error {
		fraud.Load(tx, "", r, fraud.FromOperator, s.Clock.Now())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// accepted takes the first plan of an order and returns the status of what comes of
// it.
func accepted(shop *apptest.Shop, order string) (id, status string) {
	var p struct{ ID, Status string }
	shop.Accept(shop.Offer(order).Plans[0].ID, "invoice").WantStatus(http.StatusCreated).Decode(&p)
	return p.ID, p.Status
}

// TestFraudDecides holds an ordinary purchase and a crafted one against the rules of
// production.
func TestFraudDecides(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		strict(t, s, nil)
		shop := s.Shop(apptest.Buyer{Email: "jane@buyer.example"})
		if _, status := accepted(shop, shop.Order(50_000)); status != "accepted" {
			t.Errorf("an ordinary purchase is %s", status)
		}
		odd := s.ShopOf(shop.Client, apptest.Buyer{Email: "x12@mailinator.com"})
		body := odd.OrderBody(50_000)
		address := body["customer"].(map[string]any)["delivery_address"].(map[string]string)
		abroad := map[string]string{}
		for k, v := range address {
			abroad[k] = v
		}
		abroad["country"], abroad["phone"] = "US", "+1 202 555 0100"
		body["customer"].(map[string]any)["delivery_address"] = abroad
		payment, status := accepted(odd, odd.Do("POST", "/v1/payment/orders", body).WantStatus(201).ID())
		if status != "pending_review" {
			t.Errorf("a purchase with an address to throw away, sent overseas, is %s", status)
		}
		odd.Do("POST", "/v1/sandbox/deferred_payments/"+payment+"/review", map[string]string{"outcome": "rejected"}).WantStatus(200)
		s.Clean()
	})
}

// TestFraudPatternsWin: what the reference documents for tests holds whatever the
// rules say.
func TestFraudPatternsWin(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		strict(t, s, nil)
		client := s.Merchant(merchant.BNPL)
		for pattern, want := range map[string]string{
			"dp_fraud_accepted": "accepted", "dp_fraud_rejected": "rejected", "dp_fraud_pending_review": "pending_review",
			"dp_fraud_customer_action_required": "customer_action_required",
		} {
			shop := s.ShopOf(client, apptest.Buyer{Email: "x+paymentplan_offered_" + pattern + "@mailinator.com"})
			if _, status := accepted(shop, shop.Order(50_000)); status != want {
				t.Errorf("%s: %s", pattern, status)
			}
		}
		// paymentplan_… says nothing about fraud.
		shop := s.ShopOf(client, apptest.Buyer{Email: "x+paymentplan_offered@mailinator.com"})
		if _, status := accepted(shop, shop.Order(50_000)); status != "pending_review" {
			t.Errorf("paymentplan_offered: %s", status)
		}
	})
}

// TestFraudCountsAtOnce: of many purchases of a company at once exactly as many are
// accepted as may be.
func TestFraudCountsAtOnce(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		strict(t, s, func(string) string {
			return `name: counting
version: "1"
thresholds: {customer_action_required: 10, pending_review: 10, rejected: 20}
documents: [identity]
signals:
  - {signal: velocity, of: company, hours: 1, more_than: 4, points: 10}
`
		})
		shop := s.Shop(apptest.Buyer{})
		var plans []string
		for range 9 {
			plans = append(plans, shop.Offer(shop.Order(1_000)).Plans[0].ID)
		}
		var mu sync.Mutex
		var clients sync.WaitGroup
		count := map[string]int{}
		for _, plan := range plans {
			clients.Add(1)
			go func() {
				defer clients.Done()
				var p struct{ Status string }
				shop.Accept(plan, "invoice").Decode(&p)
				mu.Lock()
				defer mu.Unlock()
				count[p.Status]++
			}()
		}
		clients.Wait()
		if fmt.Sprint(count) != "map[accepted:4 pending_review:5]" {
			t.Errorf("%v", count)
		}
		s.Clean()
	})
}

// TestSandboxIsGenerous: with the rules that a sandbox comes with, anything goes.
func TestSandboxIsGenerous(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{Email: "x@mailinator.com"})
		for range 30 {
			if _, status := accepted(shop, shop.Order(1_000)); status != "accepted" {
				t.Fatal(status)
			}
		}
	})
}
