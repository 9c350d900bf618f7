package bnpl_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/api/apitest"
	"tradecredit/internal/app/apptest"
	"tradecredit/internal/merchant"
)

const endpoints = "/v1/webhook_endpoints"

func TestWebhookEndpoints(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := s.Merchant("bnpl")
		made := c.Do("POST", endpoints, `{"url": "https://merchant.example/n?a=1&b=2", "authorization": "Bearer x", "events": ["order.*", "offer.created"]}`).WantStatus(201)
		id, secret := made.ID(), made.Text("secret")
		shown := fmt.Sprintf(`{"id": %q, "url": "https://merchant.example/n?a=1&b=2", "authorization": "Bearer x", "events": ["order.*", "offer.created"],
			"active": true, "created": "2026-03-02T09:30:00Z"}`, id)
		made.Want(201, strings.TrimSuffix(shown, "}")+fmt.Sprintf(`, "secret": %q}`, secret))
		if !strings.HasPrefix(id, "whe-") || !strings.HasPrefix(secret, "whsec_") {
			t.Errorf("id %s, secret %s", id, secret)
		}
		path := endpoints + "/" + id
		// The secret is shown once.
		c.Do("GET", path, nil).Want(200, shown)
		c.Do("GET", endpoints, nil).Want(200, `{"count": 1, "next": null, "previous": null, "results": [`+shown+`]}`)
		c.Do("PATCH", path, `{}`).Want(200, shown)
		rotated := c.Do("POST", path+"/rotate_secret", nil).WantStatus(200).Text("secret")
		if rotated == secret || !strings.HasPrefix(rotated, "whsec_") {
			t.Errorf("%s was rotated to %s", secret, rotated)
		}
		changed := strings.NewReplacer(`"active": true`, `"active": false`, `["order.*", "offer.created"]`, `[]`, "merchant.example/n", "merchant.example/m").Replace(shown)
		c.Do("PATCH", path, `{"active": false, "events": [], "url": "https://merchant.example/m?a=1&b=2", "id": "x", "secret": "y"}`).Want(200, changed)
		c.Do("PUT", path, `{}`).WantStatus(405)
		const badURL, badEvent = `{"url": ["Enter a valid URL."]}`, `{"events": ["Expected an event type or a pattern such as \"order.*\"."]}`
		for body, want := range map[string]string{
			`{}`:                                      `{"url": ["This field is required."]}`,
			`{"url": ""}`:                             `{"url": ["This field may not be blank."]}`,
			`{"url": "ftp://merchant.example/"}`:      badURL,
			`{"url": "javascript:alert(1)"}`:          badURL,
			`{"url": "https:///n"}`:                   badURL,
			`{"url": "merchant.example"}`:             badURL,
			`{"url": "https://merchant.example/a b"}`: badURL,
			`{"url": "https://merchant.example/` + strings.Repeat("x", 2000) + `"}`:          `{"url": ["Ensure this field has no more than 2000 characters."]}`,
			`{"url": "https://merchant.example/", "events": ["or der"]}`:                     badEvent,
			`{"url": "https://merchant.example/", "events": "order.*"}`:                      `{"events": ["Expected a list of items but got type \"str\"."]}`,
			`{"url": "https://merchant.example/", "authorization": "a\u000db: c"}`:           `{"authorization": ["Enter a valid header value."]}`,
			`{"url": "https://merchant.example/", "active": "perhaps", "authorization": []}`: `{"authorization": ["Not a valid string."], "active": ["Must be a valid boolean."]}`,
		} {
			c.Do("POST", endpoints, body).Want(400, want)
		}
		c.Do("PATCH", path, `{"url": "x"}`).Want(400, badURL)
		other := s.Merchant("bnpl")
		for method, path := range map[string]string{"GET": path, "PATCH": path, "DELETE": path, "POST": path + "/rotate_secret"} {
			other.Do(method, path, `{"url": "x"}`).Want(404, `{"detail": "Not found."}`)
		}
		c.Do("DELETE", path, nil).Want(204, "")
		c.Do("GET", path, nil).WantStatus(404)
		c.Do("DELETE", path, nil).WantStatus(404)
	})
}

// keys are the names in a JSON object, sorted.
func keys(t *testing.T, body []byte, path ...string) (names []string) {
	t.Helper()
	for _, name := range path {
		var in map[string]json.RawMessage
		if err := json.Unmarshal(body, &in); err != nil {
			t.Fatalf("%v: %v in %s", path, err, body)
		}
		body = in[name]
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(body, &object); err != nil {
		t.Fatalf("%v: %v in %s", path, err, body)
	}
	for name := range object {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// TestNotification holds a notification against the document: its keys, what is
// expanded in it, and addresses without a host.
func TestNotification(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		receiver := apptest.NewReceiver(t)
		shop := s.Shop(apptest.Buyer{})
		shop.Set(map[string]any{"webhook_authorization": "Basic abc"})
		order := shop.Order(1000)
		body := shop.OfferBody(order)
		body["urls"].(map[string]string)["notification"] = receiver.URL + "/hook?a=1&b=%20"
		var offer apptest.Offer
		shop.Do("POST", "/v1/payment/offers", body).WantStatus(201).Decode(&offer)
		payment := shop.Accept(offer.Plans[0].ID, "invoice").WantStatus(201).ID()
		shop.Do("POST", apptest.PaymentPath(payment)+"/capture", `{"amount": 200, "metadata": {"note": "Capturing 1000 worth of bonbons"}}`).WantStatus(201)
		n, _ := receiver.Until("deferred_payment.capture")
		if n.URI != "/hook?a=1&b=%20" || n.Header.Get("Authorization") != "Basic abc" || n.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %v", n.URI, n.Header)
		}
		for _, name := range []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"} {
			if n.Header.Get(name) == "" {
				t.Errorf("no header %s", name)
			}
		}
		if diff := cmp.Diff([]string{"created", "data"}, keys(t, n.Body)); diff != "" {
			t.Error(diff)
		}
		for path, want := range map[string]string{
			"data": "order",
			"data order": "created currency customer deferred_payment due_date id invoice_date items metadata order_date paid_date pay_method " +
				"payment_offer po_number status tax_amount total_amount unique_id",
			"data order customer":              "billing_address delivery_address invoice_address organisation type user",
			"data order customer user":         "email id name phone registered type unique_id",
			"data order customer organisation": "company id name registered unique_id users",
			"data order payment_offer":         "id locale metadata offered_payment_plans order url urls",
			"data order deferred_payment": "authorisation clawback created currency events expired_authorisation id next_payment_date number order " +
				"outstanding_balance payment_plan payments protected_captures refunds rejection_reason repayment_info status unprotected_captures url voided_authorisation",
			"data order deferred_payment payment_plan": "currency customer_discount customer_fee customer_percentage_discount has_upfront_payment id merchant_fee name " +
				"payment_terms_relative_to payment_url protected_amount rejection_reason scheduled_payments status template unprotected_amount valid_until",
		} {
			if diff := cmp.Diff(want, strings.Join(keys(t, n.Body, strings.Fields(path)...), " ")); diff != "" {
				t.Errorf("%s: %s", path, diff)
			}
		}
		var got struct {
			Created string
			Data    struct {
				Order struct {
					ID, Status string
					Offer      struct{ URL string } `json:"payment_offer"`
					Payment    struct {
						URL  string
						Plan struct {
							URL string `json:"payment_url"`
						} `json:"payment_plan"`
						Events []struct{ Type string }
					} `json:"deferred_payment"`
					Customer struct{ Organisation struct{ Users []string } }
				}
			}
		}
		if err := json.Unmarshal(n.Body, &got); err != nil {
			t.Fatal(err)
		}
		o := got.Data.Order
		if o.ID != order || o.Status != "unpaid" || o.Offer.URL != "/v1/payment/offers/"+offer.ID || o.Payment.URL != "/v1/payment/deferred_payments/"+payment ||
			o.Payment.Plan.URL != offer.Plans[0].PaymentURL || len(o.Payment.Events) != 1 || !slices.Equal(o.Customer.Organisation.Users, []string{shop.User}) {
			t.Errorf("%s", n.Body)
		}
		if got.Created != "2026-03-02T09:30:00Z" {
			t.Errorf("created %s", got.Created)
		}
	})
}

// TestNotificationsOf is which events are told to an offer's own address, and in
// which order; news of a replaced offer goes to the address that it named.
func TestNotificationsOf(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		old, receiver := apptest.NewReceiver(t), apptest.NewReceiver(t)
		shop := s.Shop(apptest.Buyer{})
		order := shop.Order(1000)
		request := func(address string) (o apptest.Offer) {
			body := shop.OfferBody(order)
			body["urls"].(map[string]string)["notification"] = address
			shop.Do("POST", "/v1/payment/offers", body).WantStatus(201).Decode(&o)
			return o
		}
		request(old.URL)
		offer := request(receiver.URL)
		// Whether the order's own creation is told depends on how soon there is an
		// address.
		early := func(eventType string) bool { return eventType == "order.created" }
		_, types := old.Until("offer.expired")
		if diff := cmp.Diff([]string{"offer.created", "offer.expired"}, slices.DeleteFunc(types, early)); diff != "" {
			t.Error(diff)
		}
		payment := shop.Accept(offer.Plans[0].ID, "invoice").WantStatus(201).ID()
		shop.Do("POST", apptest.PaymentPath(payment)+"/capture", `{"amount": 200}`).WantStatus(201)
		shop.Do("POST", apptest.PaymentPath(payment)+"/refund", `{"amount": 100}`).WantStatus(201)
		shop.Do("POST", apptest.PaymentPath(payment)+"/void", `{"amount": 100}`).WantStatus(201)
		shop.Do("PATCH", "/v1/payment/orders/"+order, `{"unique_id": "renamed"}`).WantStatus(200)
		shop.Advance(28 * apptest.Day)
		shop.Do("POST", "/v1/sandbox/deferred_payments/"+payment+"/clawback", `{"amount": 10}`).WantStatus(201)
		last, types := receiver.Until("deferred_payment.clawback")
		want := []string{
			"offer.created", "offer.changed", "deferred_payment.created", "order.updated", "deferred_payment.capture",
			"deferred_payment.refund", "deferred_payment.void", "order.updated", "deferred_payment.expiry", "deferred_payment.clawback",
		}
		if diff := cmp.Diff(want, slices.DeleteFunc(types, early)); diff != "" {
			t.Error(diff)
		}
		if !strings.Contains(string(last.Body), `"unique_id":"renamed"`) {
			t.Errorf("later notifications show the old identifier: %s", last.Body)
		}
		// A deleted offer tells the address it named.
		order = shop.Order(500)
		deleted := request(old.URL)
		shop.Do("DELETE", "/v1/payment/offers/"+deleted.ID, nil).WantStatus(204)
		old.Until("offer.changed")
	})
}

func TestDeliveries(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		receiver := apptest.NewReceiver(t)
		shop := s.Shop(apptest.Buyer{})
		made := shop.Do("POST", endpoints, map[string]any{"url": receiver.URL + "/all", "authorization": "Token t", "events": []string{"order.created"}}).WantStatus(201)
		order := shop.Order(1000)
		shop.Do("PATCH", "/v1/payment/orders/"+order, `{"po_number": "1"}`).WantStatus(200) // not asked for
		n := receiver.Next()
		if n.Header.Get("Tradecredit-Event-Type") != "order.created" || n.Header.Get("Authorization") != "Token t" {
			t.Errorf("%v", n.Header)
		}
		const path = "/v1/sandbox/webhook_deliveries"
		type delivery struct {
			ID, URL, Status string
			EventType       string `json:"event_type"`
			ObjectID        string `json:"object_id"`
			Attempts        []struct {
				At         string
				StatusCode *int `json:"status_code"`
				Error      *string
			}
			Body json.RawMessage `json:"request_body"`
		}
		latest := func(wait func(d delivery) bool) (d delivery) {
			t.Helper()
			apptest.Eventually(t, func() error {
				var list struct {
					Count   int
					Results []delivery
				}
				shop.Do("GET", path+"?limit=1", nil).WantStatus(200).Decode(&list)
				if len(list.Results) == 0 || !wait(list.Results[0]) {
					return fmt.Errorf("%d deliveries, the latest is not as expected", list.Count)
				}
				d = list.Results[0]
				return nil
			})
			return d
		}
		d := latest(func(d delivery) bool { return d.Status == "delivered" })
		if d.EventType != "order.created" || d.ObjectID != order || d.URL != receiver.URL+"/all" || len(d.Attempts) != 1 || *d.Attempts[0].StatusCode != 200 ||
			d.Attempts[0].Error != nil || d.Attempts[0].At != "2026-03-02T09:30:00Z" || string(d.Body) != string(n.Body) {
			t.Errorf("%+v", d)
		}
		one := shop.Do("GET", path+"/"+d.ID, nil).WantStatus(200)
		if diff := cmp.Diff("attempts created event_type id object_id request_body sequence status url", strings.Join(keys(t, one.Body), " ")); diff != "" {
			t.Error(diff)
		}
		shop.Do("POST", path+"/"+d.ID+"/replay", nil).WantStatus(200)
		again := receiver.Next()
		if string(again.Body) != string(n.Body) || again.Header.Get("Webhook-Id") != n.Header.Get("Webhook-Id") {
			t.Error("a replay is another notification")
		}
		latest(func(d delivery) bool { return len(d.Attempts) == 2 && d.Status == "delivered" })

		// Refused, it is tried after 0, 2 and 4 seconds and then given up.
		receiver.Answer(500)
		shop.Order(2000)
		for i, pause := range []time.Duration{0, 0, 2 * time.Second, 4 * time.Second} {
			s.Clock.Advance(pause)
			receiver.Next()
			latest(func(d delivery) bool { return len(d.Attempts) > i })
		}
		d = latest(func(d delivery) bool { return d.Status == "failed" })
		if len(d.Attempts) != 4 || *d.Attempts[3].StatusCode != 500 || d.Attempts[3].Error == nil {
			t.Errorf("%+v", d)
		}
		receiver.Answer(204)
		shop.Do("POST", path+"/"+d.ID+"/replay", nil).WantStatus(200)
		receiver.Next()
		latest(func(d delivery) bool { return d.Status == "delivered" })

		shop.Do("GET", path+"/whd-x", nil).WantStatus(404)
		shop.Do("POST", path+"/whd-x/replay", nil).WantStatus(404)
		other := s.Merchant("bnpl")
		other.Do("GET", path, nil).Want(200, `{"count": 0, "next": null, "previous": null, "results": []}`)
		other.Do("POST", path+"/"+d.ID+"/replay", nil).WantStatus(404)
		shop.Do("DELETE", endpoints+"/"+made.ID(), nil).WantStatus(204)
		shop.Do("POST", path+"/"+d.ID+"/replay", nil).WantStatus(409)
	})
}

// TestNotificationSecret: the secret of offers' own addresses is the same until
// it is rotated, and nobody else's.
func TestNotificationSecret(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c, other := s.Merchant(merchant.BNPL), s.Merchant(merchant.BNPL)
		secret := func(c *apitest.Client, method, path string) string {
			t.Helper()
			r := c.Do(method, path, nil)
			var out struct{ Secret string }
			if err := json.Unmarshal(r.Body, &out); err != nil || r.Status != 200 || !strings.HasPrefix(out.Secret, "whsec_") {
				t.Fatalf("%s %s: %d %s", method, path, r.Status, r.Body)
			}
			return out.Secret
		}
		const path = "/v1/notification_secret"
		first := secret(c, "GET", path)
		if secret(c, "GET", path) != first || secret(other, "GET", path) == first {
			t.Error("the secret is not one's own")
		}
		rotated := secret(c, "POST", path+"/rotate")
		if rotated == first || secret(c, "GET", path) != rotated {
			t.Error("rotation does not change the secret")
		}
	})
}
