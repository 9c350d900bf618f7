package sandbox_test

import (
	"fmt"
	"strings"
	"testing"

	"tradecredit/internal/app/apptest"
)

func TestMerchantSettings(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := s.Merchant("bnpl")
		const path = "/v1/sandbox/merchant"
		settings := func(overcaptures, days, weekday, structure, balance string) string {
			return fmt.Sprintf(`{"id": %q, "name": "Shop", "profile": "bnpl", "overcaptures": %s, "merchant_limits": true, "sole_traders": true,
				"expiry_days": %s, "payout_weekday": %q, "payout_structure": %q, "minimum_balance": %s,
				"invoice_required": true, "payout_delay_days": 0, "customer_action_days": 14, "upfront_days": 14,
				"dunning_days": [-3, 1, 7, 14, 30], "collection_attempts": 3, "collection_gap_days": 3, "write_off_days": null,
				"statement_due_days": 14, "billing_terms": ["7d", "14d", "1m"], "offer_valid_days": 7, "webhook_retries": "short", "webhook_authorization": ""}`,
				c.Merchant.ID, overcaptures, days, weekday, structure, balance)
		}
		fresh := settings("false", "28", "thursday", "net_of_fees", `{"fixed": 0, "relative": "0.00"}`)
		c.Do("GET", path, nil).Want(200, fresh)
		c.Do("PATCH", path, nil).Want(200, fresh)
		changed := settings("true", "null", "monday", "gross_of_fees", `{"fixed": 0, "relative": "2.50"}`)
		c.Do("PATCH", path, `{"overcaptures": true, "expiry_days": null, "payout_weekday": "monday", "payout_structure": "gross_of_fees",
			"minimum_balance": {"relative": "2.5"}, "id": "x", "unknown": 1}`).Want(200, changed)
		c.Do("GET", path, nil).Want(200, changed)
		for body, want := range map[string]string{
			`{"expiry_days": 0}`:                          `{"expiry_days": ["Ensure this value is greater than or equal to 1."]}`,
			`{"payout_weekday": "Someday"}`:               `{"payout_weekday": ["\"Someday\" is not a valid choice."]}`,
			`{"dunning_days": [1, 1000]}`:                 `{"dunning_days": {"1": ["Ensure this value is less than or equal to 720."]}}`,
			`{"billing_terms": ["7d", "2m"]}`:             `{"billing_terms": {"1": ["\"2m\" is not a valid choice."]}}`,
			`{"overcaptures": null}`:                      `{"overcaptures": ["This field may not be null."]}`,
			`{"profile": "x", "overcaptures": 2}`:         `{"profile": ["\"x\" is not a valid choice."], "overcaptures": ["Must be a valid boolean."]}`,
			`{"minimum_balance": {"relative": "100.01"}}`: `{"minimum_balance": {"relative": ["Ensure this value is less than or equal to 100."]}}`,
			`{"webhook_authorization": "a\u000ab: c"}`:    `{"webhook_authorization": ["Enter a valid header value."]}`,
		} {
			c.Do("PATCH", path, body).Want(400, want)
		}
		c.Do("GET", path, nil).Want(200, changed)
		c.Do("PATCH", path, `{"dunning_days": [2, 9], "billing_terms": ["1m"], "write_off_days": 90, "collection_attempts": 1}`).WantStatus(200)
		c.Do("PATCH", path, `{"profile": "insurance"}`).WantStatus(200)
		if got := c.Do("GET", "/v1/me", nil).Text("profile"); got != "insurance" {
			t.Errorf("the profile is %s", got)
		}
		if strings.Contains(string(s.Merchant("bnpl").Do("GET", path, nil).Body), "monday") {
			t.Error("another merchant was changed")
		}
	})
}
