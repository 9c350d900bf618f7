package bnpl_test

import (
	"fmt"
	"strings"
	"testing"

	"tradecredit/internal/api/apitest"
	"tradecredit/internal/app/apptest"
	"tradecredit/internal/merchant"
)

const (
	docCompany = "co-74cgmhG9U79oTWGEW4jeDW"
	limits     = "/v1/payment/credit_limits"
)

// eligible is the answer of the document for a company that gets credit.
func eligible(currency string, available, inUse, amount int64) string {
	return fmt.Sprintf(`{"company": %q, "status": "eligible", "rejection_reason": null, "credit_limit":
		{"currency": %q, "amount_available": %d, "amount_in_use": %d, "amount": %d}, "credit_actions": []}`,
		docCompany, currency, available, inUse, amount)
}

// find returns the identifier of a sandbox company.
func find(c *apitest.Client, name string) string {
	var found struct{ Matches []struct{ ID string } }
	c.Do("POST", "/v1/companies/search", map[string]string{"name": name, "country": "GB"}).WantStatus(200).Decode(&found)
	return found.Matches[0].ID
}

// TestCreditLimit follows the examples of the document.
func TestCreditLimit(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := s.Merchant(merchant.BNPL)
		c.Bind(docCompany, find(c, "Hokodo Ltd"))
		path := limits + "/company/" + docCompany
		c.Do("POST", path, `{"currency": "GBP"}`).Want(200, eligible("GBP", 10000000, 0, 10000000))
		// The limit of 100,000 pounds, in euros by default.
		inEuros := eligible("EUR", 11397310, 0, 11397310)
		c.Do("POST", path+"/", nil).Want(200, inEuros)
		c.Do("POST", path, `{}`).Want(200, inEuros)
		c.Do("POST", path, `{"currency": "EUR"}`).Want(200, inEuros)

		const reason = `{"code": "buyer-country", "detail": %q, "params": {"debtor_country": "Ireland"}}`
		const declined = `{"company": %q, "status": "declined", "rejection_reason": ` + reason + `, "credit_limit":
			{"currency": "GBP", "amount_available": null, "amount_in_use": 0, "amount": null}, "credit_actions": ["no_action_possible"]}`
		refused := find(c, "Buyer-Country Ltd")
		english := "We're currently unable to provide payment plans to Buyers domiciled in Ireland."
		c.Do("POST", limits+"/company/"+refused, `{"currency": "GBP"}`).Want(200, fmt.Sprintf(declined, refused, english))
		french := c.With("Accept-Language", "fr-FR,fr;q=0.9").Do("POST", limits+"/company/"+refused, `{"currency": "GBP"}`).WantStatus(200)
		if text := string(french.Body); strings.Contains(text, english) || !strings.Contains(text, "Ireland") {
			t.Errorf("in French: %s", text)
		}
		c.Do("GET", limits+"/company/"+refused, nil).Want(200, fmt.Sprintf(
			`{"company": %q, "status": "declined", "current_credit_limit": null, "credit_limit_history": []}`, refused))

		c.Do("POST", path, `{"currency": "GBX"}`).Want(400, `{"currency": ["\"GBX\" is not a valid choice."]}`)
		c.Do("POST", path, `{"currency": null}`).Want(400, `{"currency": ["This field may not be null."]}`)
		c.Do("POST", path, `[]`).WantStatus(400)
		for _, unknown := range []string{"co-zzzzzzzzzzzzzzzzzzzzzz", "org-zzzzzzzzzzzzzzzzzzzzzz", "x"} {
			c.Do("POST", limits+"/company/"+unknown, `{}`).WantStatus(404)
			c.Do("GET", limits+"/company/"+unknown, nil).WantStatus(404)
		}
		c.With("Authorization", "").Do("POST", path, `{}`).WantStatus(401)
	})
}

// TestCreditLimitOfOtherCurrency: a currency that is not financed is a reason, and
// no fault.
func TestCreditLimitOfOtherCurrency(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := s.Merchant(merchant.BNPL)
		c.Bind(docCompany, find(c, "Hokodo Ltd"))
		c.Do("POST", limits+"/company/"+docCompany, `{"currency": "JPY"}`).Want(200, `{"company": "`+docCompany+`", "status": "declined",
			"rejection_reason": {"code": "invoice-currency", "detail": "We don't currently insure invoices in the currency JPY.", "params": {"tx_currency": "JPY"}},
			"credit_limit": {"currency": "JPY", "amount_available": null, "amount_in_use": 0, "amount": null}, "credit_actions": ["no_action_possible"]}`)
	})
}

// wantInUse demands what a company has in use, in pounds of its limit of 100,000.
func wantInUse(t *testing.T, c *apitest.Client, company string, want int64) {
	t.Helper()
	var got struct {
		Limit struct {
			Available int64 `json:"amount_available"`
			InUse     int64 `json:"amount_in_use"`
			Amount    int64
		} `json:"credit_limit"`
	}
	c.Do("POST", limits+"/company/"+company, `{"currency": "GBP"}`).WantStatus(200).Decode(&got)
	if got.Limit.InUse != want || got.Limit.Available != 10000000-want || got.Limit.Amount != 10000000 {
		t.Errorf("in use: %+v, want %d", got.Limit, want)
	}
}

// TestCreditLimitFollowsPayments: what is in use rises and falls with every step of
// a sale, over all merchants and currencies.
func TestCreditLimitFollowsPayments(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		check := func(want int64) {
			t.Helper()
			wantInUse(t, shop.Client, shop.Company, want)
		}
		check(0)
		first := apptest.PaymentPath(shop.Payment(100000))
		check(100000)
		shop.Do("POST", first+"/capture", `{"amount": 60000}`).WantStatus(201)
		check(100000)
		shop.Do("POST", first+"/refund", `{"amount": 10000}`).WantStatus(201)
		check(90000)
		shop.Do("POST", first+"/void", `{"amount": 15000}`).WantStatus(201)
		check(75000)

		// Another merchant's sale, in euros, counts as well: 1000.00 are 877.40.
		other := s.Shop(apptest.Buyer{Email: "joe@buyer.example"})
		body := other.OrderBody(100000)
		body["currency"] = "EUR"
		order := other.Do("POST", "/v1/payment/orders", body).WantStatus(201).ID()
		other.Accept(other.Offer(order).Plans[0].ID, "invoice").WantStatus(201)
		check(75000 + 87740)

		// What was never captured is released when it expires.
		shop.Advance(29 * apptest.Day)
		check(50000 + 87740)
		other.Advance(29 * apptest.Day)
		check(50000)
		s.Clean()
	})
}

// TestLegacyCreditLimit has the older form, and its history.
func TestLegacyCreditLimit(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		shop.Bind(docCompany, shop.Company)
		path := limits + "/company/" + docCompany
		shop.Payment(99700)
		want := `{"company": "` + docCompany + `", "status": "eligible",
			"current_credit_limit": {"currency": "GBP", "amount": 10000000, "amount_in_use": 99700, "amount_available": 9900300},
			"credit_limit_history": [{"valid_from": "2026-03-02T09:30:00Z", "valid_to": null, "currency": "GBP", "amount": 10000000}]}`
		shop.Do("GET", path, nil).Want(200, want)
		shop.Do("POST", path, nil).WantStatus(200) // in euros, which is not its currency
		shop.Advance(apptest.Day)
		shop.Do("GET", path+"/", nil).Want(200, want)
	})
}

// TestCreditLimitNotModified: whoever has the answer already is told so.
func TestCreditLimitNotModified(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		one, many := limits+"/company/"+shop.Company, map[string]any{"companies": []string{shop.Company}}
		requests := map[string]func(c *apitest.Client) *apitest.Response{
			"POST": func(c *apitest.Client) *apitest.Response { return c.Do("POST", one, nil) },
			"GET":  func(c *apitest.Client) *apitest.Response { return c.Do("GET", one, nil) },
			"bulk": func(c *apitest.Client) *apitest.Response { return c.Do("POST", limits, many) },
		}
		tags := map[string]string{}
		for name, ask := range requests {
			tags[name] = ask(shop.Client).WantStatus(200).Header.Get("ETag")
			if tag := tags[name]; len(tag) != 34 || tag[0] != '"' {
				t.Errorf("%s: the tag is %s", name, tag)
			}
			for _, header := range []string{tags[name], `"other", ` + tags[name], "W/" + tags[name]} {
				r := ask(shop.With("If-None-Match", header)).Want(304, "")
				if r.Header.Get("ETag") != tags[name] {
					t.Errorf("%s: the tag of a 304 is %s", name, r.Header.Get("ETag"))
				}
			}
			ask(shop.With("If-None-Match", `"other"`)).WantStatus(200)
		}
		shop.Payment(1000)
		for name, ask := range requests {
			if tag := ask(shop.With("If-None-Match", tags[name])).WantStatus(200).Header.Get("ETag"); tag == tags[name] {
				t.Errorf("%s: the tag stayed", name)
			}
		}
	})
}

// TestCreditLimits asks for many at once.
func TestCreditLimits(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := s.Merchant(merchant.BNPL)
		first, second := find(c, "Hokodo Ltd"), find(c, "Buyer-No-Financials Ltd")
		var got struct {
			Results []struct {
				Company, Status string
				Actions         []string `json:"credit_actions"`
				Limit           struct {
					Currency string
					Amount   *int64
				} `json:"credit_limit"`
			}
		}
		c.Do("POST", limits, map[string]any{"companies": []string{second, first, second}, "currency": "GBP"}).WantStatus(200).Decode(&got)
		if len(got.Results) != 3 || got.Results[2].Company != second || got.Results[0].Company != second || got.Results[1].Company != first ||
			got.Results[0].Status != "declined" || got.Results[0].Limit.Amount != nil || fmt.Sprint(got.Results[0].Actions) != "[provide_latest_financial_statements]" ||
			got.Results[1].Status != "eligible" || *got.Results[1].Limit.Amount != 10000000 || got.Results[1].Limit.Currency != "GBP" {
			t.Errorf("%+v", got)
		}
		c.Do("POST", limits, `{"companies": []}`).Want(400, `{"companies": ["This list may not be empty."]}`)
		c.Do("POST", limits, `{}`).Want(400, `{"companies": ["This field is required."]}`)
		c.Do("POST", limits, `{"companies": ["co-zzzzzzzzzzzzzzzzzzzzzz"]}`).WantStatus(400)
		hundredOne := make([]string, 101)
		for i := range hundredOne {
			hundredOne[i] = first
		}
		c.Do("POST", limits, map[string]any{"companies": hundredOne}).WantStatus(400)
	})
}
