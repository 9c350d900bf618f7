package bnpl_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/app"
	"tradecredit/internal/app/apptest"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/merchant"
)

const merchantLimits = "/v1/payment/merchant_limits"

func merchantLimit(currency, gbp, eur, usd, active string) string {
	return fmt.Sprintf(`{"currency": %q, "limits": {"GBP": %s, "EUR": %s, "USD": %s}, "is_active": %s}`, currency, gbp, eur, usd, active)
}

// TestMerchantLimits follows the examples of the document, for a company and for
// the default.
func TestMerchantLimits(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := s.Merchant(merchant.BNPL)
		company := merchantLimits + "/company/" + find(c, "Hokodo Ltd")
		for _, path := range []string{company, merchantLimits + "/default"} {
			c.Do("GET", path+"/", nil).Want(404, `{"detail": "Not found."}`)
			c.Do("DELETE", path+"/", nil).Want(404, `{"detail": "Not found."}`)
			euros := merchantLimit("EUR", "877", "1000", "1156", "true")
			c.Do("PUT", path+"/", `{"currency": "EUR", "is_active": true, "limit": 1000}`).Want(200, euros)
			c.Do("GET", path, nil).Want(200, euros)
			pounds := merchantLimit("GBP", "200000", "227946", "263710", "false")
			c.Do("PUT", path, `{"currency": "GBP", "is_active": false, "limit": 200000}`).Want(200, pounds)
			c.Do("PUT", path, `{"currency": "GBP", "limit": "200000"}`).Want(200, strings.Replace(pounds, "false", "true", 1))
			c.Do("PUT", path, `{"currency": "GBP", "limit": 200000, "is_active": false}`).WantStatus(200)
			c.Do("PUT", path, `{}`).Want(400, `{"currency": ["This field is required."], "limit": ["This field is required."]}`)
			c.Do("PUT", path, `{"currency": "JPY", "limit": -1, "is_active": "x"}`).Want(400,
				`{"currency": ["\"JPY\" is not a valid choice."], "limit": ["Ensure this value is greater than or equal to 0."], "is_active": ["Must be a valid boolean."]}`)
			c.Do("PUT", path, `{"currency": "EUR", "limit": 9223372036854775807}`).WantStatus(400)
			c.Do("POST", path, `{}`).WantStatus(405)
			c.Do("GET", path, nil).Want(200, pounds)
			c.Do("DELETE", path, nil).Want(200, pounds)
			c.Do("GET", path, nil).WantStatus(404)
		}
		unknown := merchantLimits + "/company/co-zzzzzzzzzzzzzzzzzzzzzz"
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			c.Do(method, unknown, `{"currency": "EUR", "limit": 1000}`).WantStatus(404)
		}
		// One merchant's limits are nobody else's.
		c.Do("PUT", company, `{"currency": "EUR", "limit": 1000}`).WantStatus(200)
		s.Merchant(merchant.BNPL).Do("GET", company, nil).WantStatus(404)
		c.Do("PATCH", "/v1/sandbox/merchant", `{"merchant_limits": false}`).WantStatus(200)
		for _, method := range []string{"GET", "PUT", "DELETE"} {
			c.Do(method, company, `{"currency": "EUR", "limit": 1000}`).WantStatus(403)
		}
	})
}

// TestMerchantLimitsWithoutRates: production has no rates until an operator
// imports them. What is not known is null.
func TestMerchantLimitsWithoutRates(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := apptest.Start(t, d, func(c *app.Config) { c.Environment = merchant.Production })
		c := s.Merchant(merchant.BNPL)
		c.Configure(func(m *merchant.Merchant) { m.Settings.MerchantLimits = true })
		c.Do("PUT", merchantLimits+"/default", `{"currency": "GBP", "limit": 1000}`).Want(200, merchantLimit("GBP", "1000", "null", "null", "true"))
	})
}

// figures are what an order's plans say of their split: each once.
func figures(t *testing.T, shop *apptest.Shop, total int64) string {
	t.Helper()
	out, _ := plansOf(shop, total)
	return out
}

func plansOf(shop *apptest.Shop, total int64) (said, firstPlan string) {
	var o struct {
		Plans []struct {
			ID, Status  string
			Protected   int64 `json:"protected_amount"`
			Unprotected int64 `json:"unprotected_amount"`
			Reason      *struct{ Code string }
		} `json:"offered_payment_plans"`
	}
	body := shop.OfferBody(shop.Order(total))
	shop.Do("POST", "/v1/payment/offers", body).WantStatus(201).Decode(&o)
	seen := map[string]bool{}
	for _, p := range o.Plans {
		text := fmt.Sprintf("%s %d + %d", p.Status, p.Protected, p.Unprotected)
		if !seen[text] {
			seen[text] = true
			said += text + "\n"
		}
	}
	return strings.TrimSpace(said), o.Plans[0].ID
}

// TestTopUp: a merchant's own limit goes on top of the lender's 100,000 pounds.
func TestTopUp(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		set := func(path, body string) { shop.Do("PUT", merchantLimits+path, body).WantStatus(200) }
		want := func(total int64, text string) {
			t.Helper()
			if diff := cmp.Diff(text, figures(t, shop, total)); diff != "" {
				t.Errorf("an order of %d: %s", total, diff)
			}
		}
		own := "/company/" + shop.Company
		want(10000001, "declined 10000001 + 0")
		set("/default", `{"currency": "GBP", "limit": 1000}`)
		want(10000000, "offered 10000000 + 0")
		want(10001000, "offered 10000000 + 1000")
		want(10001001, "declined 10001001 + 0")
		set(own, `{"currency": "EUR", "limit": 10000}`) // 87.74 pounds
		want(10008774, "offered 10000000 + 8774")
		want(10008775, "declined 10008775 + 0")
		set(own, `{"currency": "EUR", "limit": 10000, "is_active": false}`)
		want(10001000, "offered 10000000 + 1000")
		shop.Set(map[string]any{"merchant_limits": false})
		want(10001000, "declined 10001000 + 0")
		shop.Set(map[string]any{"merchant_limits": true})
		set(own, `{"currency": "GBP", "limit": 50000}`)

		// Both parts are reserved with the acceptance, and used first by what was
		// protected.
		_, plan := plansOf(shop, 10030000)
		other, same := plansOf(shop, 10030000)
		if other != "offered 10000000 + 30000" {
			t.Error(other)
		}
		path := apptest.PaymentPath(shop.Accept(plan, "invoice").WantStatus(201).ID())
		wantInUse(t, shop.Client, shop.Company, 10000000)
		refused := shop.Accept(same, "invoice").WantStatus(201)
		if got := refused.Text("status"); got != "rejected" {
			t.Errorf("the second payment is %s", got)
		}
		want(20000, "offered 0 + 20000")
		want(20001, "declined 20001 + 0")
		shop.Do("POST", path+"/capture", `{"amount": 10010000}`).WantStatus(201)
		want(20000, "offered 0 + 20000")
		shop.Do("POST", path+"/void_remaining", `{}`).WantStatus(201)
		want(40000, "offered 0 + 40000")
		shop.Do("POST", path+"/refund", `{"amount": 10010000}`).WantStatus(201)
		want(10050000, "offered 10000000 + 50000")
		s.Clean()
	})
}

// TestTopUpReplacesNoOtherReason: a merchant's limit is for what the lender's does
// not cover, and for nothing else.
func TestTopUpReplacesNoOtherReason(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := s.Merchant(merchant.BNPL)
		c.Do("PUT", merchantLimits+"/default", `{"currency": "GBP", "limit": 100000}`).WantStatus(200)
		for name, want := range map[string]string{
			"Buyer-Sector Ltd": "declined 5000 + 0",
			// The lender gives this one nothing at all, so the merchant lends it all.
			"Buyer-Limit Ltd": "offered 0 + 5000",
		} {
			shop := s.ShopOf(c, apptest.Buyer{Company: name, Email: strings.Fields(name)[0] + "@buyer.example"})
			said, plan := plansOf(shop, 5000)
			if said != want {
				t.Errorf("%s: %s", name, said)
			}
			if strings.HasPrefix(said, "offered") {
				if got := shop.Accept(plan, "invoice").WantStatus(201).Text("status"); got != "accepted" {
					t.Errorf("%s: the payment is %s", name, got)
				}
			}
		}
		s.Clean()
	})
}

// TestAcceptTogether: many buyers of one company, at two merchants and in two
// currencies, never get more than there is.
func TestAcceptTogether(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		type taken struct {
			shop *apptest.Shop
			plan string
		}
		var plans []taken
		for n, currency := range []string{"GBP", "EUR"} {
			shop := s.Shop(apptest.Buyer{Email: fmt.Sprintf("jane%d@buyer.example", n)})
			for range 5 {
				body := shop.OrderBody(3000000)
				body["currency"] = currency
				order := shop.Do("POST", "/v1/payment/orders", body).WantStatus(201).ID()
				plans = append(plans, taken{shop, shop.Offer(order).Plans[0].ID})
			}
		}
		var clients sync.WaitGroup
		statuses := make([]string, len(plans))
		for i, p := range plans {
			clients.Add(1)
			go func() {
				defer clients.Done()
				statuses[i] = p.shop.Accept(p.plan, "invoice").Text("status")
			}()
		}
		clients.Wait()
		var pence int64
		for i, status := range statuses {
			switch {
			case status != "accepted":
			case i < 5:
				pence += 3000000
			default:
				pence += 2632200 // 30,000.00 euros at 0.8774
			}
		}
		if pence > 10000000 || pence < 10000000-3000000 {
			t.Errorf("%d pence were promised: %q", pence, statuses)
		}
		wantInUse(t, plans[0].shop.Client, plans[0].shop.Company, pence)
		s.Clean()
	})
}

// TestLimitsOfSoleTraders: a business in no register has limits like a company,
// with the merchant that described it.
func TestLimitsOfSoleTraders(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		trader := map[string]string{"owner": shop.User, "unique_id": "1", "date_of_birth": "1969-12-31"}
		for _, name := range strings.Fields(`trading_name trading_address trading_address_city trading_address_postcode proprietor_name
			proprietor_address_line1 proprietor_address_line2 proprietor_address_city proprietor_address_postcode`) {
			trader[name] = "x"
		}
		trader["trading_address_country"], trader["proprietor_address_country"] = "GB", "GB"
		company := shop.Do("POST", "/v1/soletraders", trader).WantStatus(201).ID()
		path := merchantLimits + "/company/" + company
		shop.Do("PUT", path, `{"currency": "EUR", "limit": 1000}`).Want(200, merchantLimit("EUR", "877", "1000", "1156", "true"))
		if got := shop.Do("POST", limits+"/company/"+company, `{"currency": "GBP"}`).WantStatus(200).Text("status"); got != "eligible" {
			t.Errorf("the sole trader is %s", got)
		}
		other := s.Merchant(merchant.BNPL)
		other.Do("PUT", path, `{"currency": "EUR", "limit": 1000}`).WantStatus(404)
		other.Do("POST", limits+"/company/"+company, `{"currency": "GBP"}`).WantStatus(404)
	})
}
