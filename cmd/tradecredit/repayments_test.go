package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// owe KEYS METHOD AMOUNT lets a buyer of the merchant with these keys owe an
// amount, and sets NUMBER, PAYMENT and ORGANISATION.
func owe(ts *testscript.TestScript, _ bool, args []string) {
	var keys struct {
		SecretKey string `json:"secret_key"`
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &keys))
	call := func(method, path string, body any, out any) {
		content, err := json.Marshal(body)
		ts.Check(err)
		r, err := http.NewRequest(method, ts.Getenv("URL")+path, bytes.NewReader(content))
		ts.Check(err)
		r.Header.Set("Authorization", "Token "+keys.SecretKey)
		r.Header.Set("Content-Type", "application/json")
		answer, err := http.DefaultClient.Do(r)
		ts.Check(err)
		defer answer.Body.Close()
		var text bytes.Buffer
		_, err = text.ReadFrom(answer.Body)
		ts.Check(err)
		if answer.StatusCode >= 300 {
			ts.Fatalf("%s %s: %s %s", method, path, answer.Status, text.String())
		}
		ts.Check(json.Unmarshal(text.Bytes(), out))
	}
	var found struct{ Matches []struct{ ID string } }
	call("POST", "/v1/companies/search", map[string]string{"name": "Hokodo Ltd", "country": "GB"}, &found)
	var organisation, user, order struct{ ID string }
	call("POST", "/v1/organisations", map[string]any{"unique_id": "buyer-" + args[2], "registered": "2017-06-01T14:37:12Z", "company": found.Matches[0].ID}, &organisation)
	call("POST", "/v1/users", map[string]any{
		"name": "Jane Doe", "email": "jane" + args[2] + "@buyer.example", "registered": "2017-06-01T14:37:12Z",
		"organisations": []map[string]string{{"id": organisation.ID, "role": "member"}},
	}, &user)
	address := map[string]string{
		"name": "Jane Doe", "address_line1": "1 Station Street", "city": "London", "postcode": "SE11 6NQ", "country": "GB",
	}
	amount := json.Number(args[2])
	call("POST", "/v1/payment/orders", map[string]any{
		"unique_id": "order of " + user.ID, "status": "draft", "currency": "GBP", "total_amount": amount, "tax_amount": 0, "order_date": "2026-03-02",
		"customer": map[string]any{
			"type": "registered", "organisation": organisation.ID, "user": user.ID, "delivery_address": address, "invoice_address": address,
		},
		"items": []map[string]any{{
			"item_id": "1", "type": "product", "description": "Chair", "quantity": "1.000", "unit_price": amount, "tax_rate": "0.00",
			"total_amount": amount, "tax_amount": 0,
		}},
	}, &order)
	var offer struct {
		Plans []struct{ ID string } `json:"offered_payment_plans"`
	}
	call("POST", "/v1/payment/offers", map[string]any{
		"order": order.ID, "locale": "en-gb", "metadata": map[string]any{},
		"urls": map[string]string{"success": "https://m.example/a", "failure": "https://m.example/b", "cancel": "https://m.example/c", "notification": "", "merchant_terms": ""},
	}, &offer)
	var payment struct{ ID, Number string }
	call("POST", "/v1/sandbox/payment_plans/"+offer.Plans[0].ID+"/accept", map[string]string{"payment_method": args[1]}, &payment)
	call("POST", fmt.Sprintf("/v1/payment/deferred_payments/%s/capture_remaining", payment.ID), map[string]any{}, &struct{}{})
	ts.Setenv("NUMBER", payment.Number)
	ts.Setenv("WRITTEN", strings.ToLower(strings.ReplaceAll(payment.Number, "-", " ")))
	ts.Setenv("PAYMENT", payment.ID)
	ts.Setenv("ORGANISATION", organisation.ID)
}
