package bnpl_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/api/apitest"
	"tradecredit/internal/app/apptest"
)

// plan is a payment plan as the document shows it. The amounts are those of one
// payment.
func plan(name, payments, fee, upfront string) string {
	return `{
		"id": "ppln-` + strings.Repeat(name, 22)[:22] + `", "name": "` + planNames[name] + `", "template": "pptemp-` + strings.Repeat(name, 22)[:22] + `",
		"currency": "GBP", "protected_amount": 12001, "unprotected_amount": 0,
		"scheduled_payments": [` + payments + `],
		"payment_terms_relative_to": "order_creation",
		"merchant_fee": {"currency": "GBP", "amount": ` + fee + `},
		"customer_fee": {"currency": "GBP", "percentage": "0.00", "amount": 0},
		"customer_percentage_discount": "0.00", "customer_discount": {"currency": "GBP", "amount": 0},
		"valid_until": "2026-03-09T09:30:00Z", "payment_url": "URL-` + name + `",
		"status": "offered", "rejection_reason": null, "has_upfront_payment": ` + upfront + `
	}`
}

var planNames = map[string]string{"a": "30d", "b": "60d", "c": "30d + upfront", "d": "4xEOM"}

func payment(date string, amount int, methods, days, months, percentage, upfront string) string {
	allowed := `{"type": "` + strings.Join(strings.Fields(methods), `"}, {"type": "`) + `"}`
	return fmt.Sprintf(`{"date": %q, "amount": %d, "discounted_amount": %d, "customer_fee": {"percentage": "0.00", "amount": 0},
		"allowed_payment_methods": [%s], "payment_method": null,
		"due_date_config": {"due_after_nb_days": %s, "due_end_of_nb_months": %s, "amount_percentage": %q, "is_upfront_payment": %s}}`,
		date, amount, amount, allowed, days, months, percentage, upfront)
}

// offered is the answer to a request for an offer of 120.01 pounds, byte for
// byte: the document's shape, the plans that every sandbox merchant starts with.
// The remainders of the instalments go to the first.
func offered(order string, got []byte) string {
	const all = "card direct_debit invoice"
	body := `{
		"url": "https://api.example/v1/payment/offers/offr-aaaaaaaaaaaaaaaaaaaaaa", "id": "offr-aaaaaaaaaaaaaaaaaaaaaa", "order": "` + order + `",
		"offered_payment_plans": [` + strings.Join([]string{
		plan("a", payment("2026-04-01", 12001, all, "30", "null", "100.0", "false"), "120", "false"),
		plan("b", payment("2026-05-01", 12001, all, "60", "null", "100.0", "false"), "240", "false"),
		plan("c", payment("2026-03-02", 3601, "card invoice", "null", "null", "30.0", "true")+","+
			payment("2026-04-01", 8400, all, "30", "null", "70.0", "false"), "120", "true"),
		plan("d", payment("2026-03-31", 3001, all, "null", "0", "25.0", "false")+","+payment("2026-04-30", 3000, all, "null", "1", "25.0", "false")+","+
			payment("2026-05-31", 3000, all, "null", "2", "25.0", "false")+","+payment("2026-06-30", 3000, all, "null", "3", "25.0", "false"), "240", "false"),
	}, ",") + `],
		"urls": {"success": "https://merchant.example/payment/ok", "failure": "https://merchant.example/checkout", "cancel": "https://merchant.example/cancel",
			"notification": "", "merchant_terms": "https://merchant.example/terms"},
		"locale": "en-gb", "metadata": {"a": [1, "<&>"]}
	}`
	// Links carry a key that nobody can foresee.
	for i, p := range strings.Split(string(got), `"payment_url":"`)[1:] {
		body = strings.Replace(body, "URL-"+string("abcd"[i]), p[:strings.IndexByte(p, '"')], 1)
	}
	return body
}

func TestOffer(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		order := shop.Order(12001)
		body := shop.OfferBody(order)
		body["metadata"] = map[string]any{"a": []any{1, "<&>"}}
		made := shop.Do("POST", "/v1/payment/offers", body)
		made.Want(201, offered(order, made.Body))
		var offer apptest.Offer
		made.Decode(&offer)
		if got, want := made.Header.Get("Location"), "https://api.example/v1/payment/offers/"+offer.ID; got != want {
			t.Errorf("Location is %q, want %q", got, want)
		}
		for _, p := range offer.Plans {
			if want := "https://api.example/plans/" + p.ID + "?key="; !strings.HasPrefix(p.PaymentURL, want) {
				t.Errorf("payment_url is %q, want %s…", p.PaymentURL, want)
			}
		}
		path := "/v1/payment/offers/" + offer.ID
		shop.Do("GET", path, nil).Want(200, string(made.Body))
		shop.Do("GET", path+"/", nil).Want(200, string(made.Body))
		// The old spelling of the prefix is read.
		shop.Do("GET", strings.Replace(path, "offr-", "offer-", 1), nil).Want(200, string(made.Body))
		list := `{"count": 1, "next": null, "previous": null, "results": [` + string(made.Body) + `]}`
		shop.Do("GET", "/v1/payment/offers", nil).Want(200, list)
		shop.Do("GET", "/v1/payment/offers?order="+order, nil).Want(200, list)
		shop.Do("GET", "/v1/payment/offers?order=order-x", nil).
			Want(400, `{"order": ["Select a valid choice. That choice is not one of the available choices."]}`)
		expanded := shop.Do("GET", path+"?expand=order,nothing", nil).WantStatus(200)
		object := shop.Do("GET", "/v1/payment/orders/"+order, nil).WantStatus(200)
		want := strings.Replace(string(made.Body), `"order":"`+order+`"`, `"order":`+string(object.Body), 1)
		expanded.Want(200, want)
		shop.Do("GET", "/v1/payment/payment_plans/"+offer.Plans[1].ID, nil).WantStatus(200)
		// Writes expand nothing.
		shop.Do("POST", "/v1/payment/offers?expand=order", shop.OfferBody(order)).WantStatus(201).Text("order")
		other := s.Shop(apptest.Buyer{})
		other.Do("GET", path, nil).Want(404, `{"detail": "Not found."}`)
		other.Do("DELETE", path, nil).Want(404, `{"detail": "Not found."}`)
		other.Do("GET", "/v1/payment/payment_plans/"+offer.Plans[1].ID, nil).Want(404, `{"detail": "Not found."}`)
		other.Do("GET", "/v1/payment/offers", nil).Want(200, `{"count": 0, "next": null, "previous": null, "results": []}`)
	})
}

func TestOfferPages(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		var made []string
		for range 3 {
			made = append(made, shop.Offer(shop.Order(100)).ID)
		}
		page := func(query string) (ids []string, next, previous *string) {
			var list struct {
				Count          int
				Next, Previous *string
				Results        []struct{ ID string }
			}
			shop.Do("GET", "/v1/payment/offers"+query, nil).WantStatus(200).Decode(&list)
			for _, r := range list.Results {
				ids = append(ids, r.ID)
			}
			if list.Count != 3 {
				t.Errorf("%s: count is %d", query, list.Count)
			}
			return ids, list.Next, list.Previous
		}
		ids, next, previous := page("?limit=2")
		if diff := cmp.Diff([]string{made[2], made[1]}, ids); diff != "" {
			t.Error(diff)
		}
		if want := shop.URL("/v1/payment/offers?limit=2&offset=2"); next == nil || *next != want || previous != nil {
			t.Errorf("next %v, previous %v", next, previous)
		}
		ids, next, previous = page("/?offset=2&limit=2")
		if want := shop.URL("/v1/payment/offers/?limit=2"); previous == nil || *previous != want || next != nil || len(ids) != 1 {
			t.Errorf("next %v, previous %v, %v", next, previous, ids)
		}
		if ids, _, _ = page("?ordering=created"); ids[0] != made[0] {
			t.Errorf("the oldest is not first: %v", ids)
		}
		page("?limit=x&offset=-1&ordering=nothing")
	})
}

func TestOfferRefusals(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		const path, required = "/v1/payment/offers", `["This field is required."]`
		shop.Do("POST", path, nil).Want(400, `{"order": `+required+`, "urls": `+required+`}`)
		shop.Do("POST", path, `{"order": "user-x", "urls": {}}`).Want(400, `{
			"order": ["Bad prefix. Expected a UUID prefixed by \"order\", but got user-x."],
			"urls": {"success": `+required+`, "failure": `+required+`, "cancel": `+required+`, "notification": `+required+`, "merchant_terms": `+required+`}}`)
		strange := s.Shop(apptest.Buyer{}).Order(100)
		shop.Do("POST", path, shop.OfferBody(strange)).Want(400, fmt.Sprintf(`{"order": ["Invalid pk \"%s\" - object does not exist."]}`, strange))

		body := shop.OfferBody(shop.Order(100))
		body["urls"] = map[string]any{"success": "javascript:alert(1)", "failure": "//evil.example", "cancel": nil, "notification": "ftp://merchant.example/", "merchant_terms": "x"}
		body["metadata"] = strings.Repeat("x", 17<<10)
		shop.Do("POST", path, body).Want(400, `{
			"urls": {"success": ["Enter a valid URL."], "failure": ["Enter a valid URL."], "cancel": ["This field may not be null."], "merchant_terms": ["Enter a valid URL."]},
			"metadata": ["Ensure this value has at most 16384 bytes."]}`)
		body = shop.OfferBody(shop.Order(100))
		body["urls"].(map[string]string)["success"] = "ftp://merchant.example/"
		shop.Do("POST", path, body).Want(400, `{"urls": {"success": ["Enter a valid URL."]}}`)

		paid := shop.OrderBody(100)
		paid["status"] = "paid"
		shop.Do("POST", path, shop.OfferBody(shop.Do("POST", "/v1/payment/orders", paid).WantStatus(201).ID())).
			Want(409, `{"detail": "An offer can't be obtained as the order has already been paid."}`)
		incomplete := shop.OrderBody(100)
		delete(incomplete, "items")
		delete(incomplete["customer"].(map[string]any), "invoice_address")
		shop.Do("POST", path, shop.OfferBody(shop.Do("POST", "/v1/payment/orders", incomplete).WantStatus(201).ID())).Want(400,
			`{"invoice_address": `+required+`, "items": `+required+`}`)

		// An order with a deferred payment gets no other offer, whatever the payment
		// waits for; a rejected one does not stand in the way.
		for email, status := range map[string]int{
			"a@buyer.example": 409, "b+dp_fraud_pending_review@buyer.example": 409,
			"c+dp_fraud_customer_action_required@buyer.example": 409, "d+dp_fraud_rejected@buyer.example": 201,
		} {
			buyer := s.Shop(apptest.Buyer{Email: email})
			order := buyer.Order(100)
			buyer.Accept(buyer.Offer(order).Plans[0].ID, "card").WantStatus(201)
			buyer.Do("POST", path, buyer.OfferBody(order)).WantStatus(status)
		}
	})
}

// statuses are those of the plans of an offer.
func statuses(o apptest.Offer) (out []string) {
	for _, p := range o.Plans {
		out = append(out, p.Status)
	}
	return out
}

func wantStatuses(t *testing.T, o apptest.Offer, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, statuses(o)); diff != "" {
		t.Error(diff)
	}
}

func TestOfferEnds(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		order := shop.Order(100)
		first := shop.Offer(order)
		second := shop.Offer(order)
		wantStatuses(t, shop.OfferAgain(first.ID), "expired", "expired", "expired", "expired")
		wantStatuses(t, shop.OfferAgain(second.ID), "offered", "offered", "offered", "offered")
		for _, change := range []map[string]any{
			{"unique_id": "another"}, {"metadata": map[string]any{"a": 1}}, {"po_number": "PO 1"}, {"currency": "GBP"},
		} {
			shop.Do("PATCH", "/v1/payment/orders/"+order, change).WantStatus(200)
		}
		wantStatuses(t, shop.OfferAgain(second.ID), "offered", "offered", "offered", "offered")
		shop.Do("PATCH", "/v1/payment/orders/"+order, map[string]any{"invoice_date": "2026-03-03"}).WantStatus(200)
		wantStatuses(t, shop.OfferAgain(second.ID), "expired", "expired", "expired", "expired")
		shop.Accept(second.Plans[0].ID, "card").Want(409, `{"detail": "The payment plan can't be accepted, it is expired."}`)

		third := shop.Offer(order)
		shop.Advance(7*apptest.Day - 1)
		wantStatuses(t, shop.OfferAgain(third.ID), "offered", "offered", "offered", "offered")
		if diff := cmp.Diff(map[string]int{"offer.expiry": 1}, shop.Advance(1)); diff != "" {
			t.Error(diff)
		}
		wantStatuses(t, shop.OfferAgain(third.ID), "expired", "expired", "expired", "expired")
		shop.Accept(third.Plans[0].ID, "card").Want(409, `{"detail": "The payment plan can't be accepted, it is expired."}`)
		shop.Set(map[string]any{"offer_valid_days": 1})
		if got, want := shop.Offer(order).Plans[0].ValidUntil, "2026-03-10T09:30:00Z"; got != want {
			t.Errorf("valid until %s, want %s", got, want)
		}
	})
}

func TestOfferDelete(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		order := shop.Order(100)
		offer := shop.Offer(order)
		path := "/v1/payment/offers/" + offer.ID
		r := shop.Do("DELETE", path, nil).Want(204, "")
		if r.Header.Get("Content-Type") != "" {
			t.Errorf("a 204 with Content-Type %q", r.Header.Get("Content-Type"))
		}
		const gone = `{"detail": "Not found."}`
		shop.Do("DELETE", path, nil).Want(404, gone)
		shop.Do("GET", path, nil).Want(404, gone)
		shop.Accept(offer.Plans[0].ID, "card").Want(409, `{"detail": "The payment plan can't be accepted, it is cancelled."}`)
		var now struct {
			Offer *string `json:"payment_offer"`
		}
		shop.Do("GET", "/v1/payment/orders/"+order, nil).WantStatus(200).Decode(&now)
		if now.Offer != nil {
			t.Errorf("the order still has the offer %s", *now.Offer)
		}
		taken := shop.Offer(order)
		shop.Accept(taken.Plans[0].ID, "card").WantStatus(201)
		shop.Do("DELETE", "/v1/payment/offers/"+taken.ID, nil).WantStatus(409)

		// The offer of a deleted order has expired and can still be looked at.
		order = shop.Order(200)
		left := shop.Offer(order)
		shop.Do("DELETE", "/v1/payment/orders/"+order, nil).WantStatus(204)
		wantStatuses(t, shop.OfferAgain(left.ID), "expired", "expired", "expired", "expired")
		if got := shop.Do("GET", "/v1/payment/offers/"+left.ID+"?expand=order", nil).WantStatus(200).Text("order"); got != order {
			t.Errorf("the order shows as %s", got)
		}
		shop.Do("GET", "/v1/payment/offers?expand=order", nil).WantStatus(200)
		shop.Do("DELETE", "/v1/payment/offers/"+left.ID, nil).WantStatus(204)
	})
}

func TestOfferEmail(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		offer := shop.Offer(shop.Order(100))
		send := func(plan string) *apitest.Response {
			return shop.Do("PUT", "/v1/payment/payment_plans/"+plan+"/send_offer_email", nil)
		}
		send(offer.Plans[1].ID).Want(200, `{"detail": "Payment plan email sent."}`)
		var box struct {
			Count   int
			Results []struct {
				To, Cc              []string
				Subject, Text, HTML string
				Attachments         []any
				Created             string
			}
		}
		shop.Do("GET", "/v1/sandbox/emails", nil).WantStatus(200).Decode(&box)
		if box.Count != 1 {
			t.Fatalf("%d mails", box.Count)
		}
		mail := box.Results[0]
		if diff := cmp.Diff([]string{"jane@buyer.example"}, mail.To); diff != "" || mail.Cc == nil || mail.Attachments == nil || mail.Created != "2026-03-02T09:30:00Z" {
			t.Errorf("%+v", mail)
		}
		if !strings.Contains(mail.Text, offer.Plans[1].PaymentURL) || !strings.Contains(mail.HTML, offer.Plans[1].ID) {
			t.Errorf("the link is not in the mail: %s", mail.Text)
		}
		send("ppln-x").Want(404, `{"detail": "Not found."}`)
		s.Shop(apptest.Buyer{}).Do("PUT", "/v1/payment/payment_plans/"+offer.Plans[1].ID+"/send_offer_email", nil).WantStatus(404)
		shop.Accept(offer.Plans[1].ID, "card").WantStatus(201)
		send(offer.Plans[1].ID).Want(400, `{"detail": "Payment plan is accepted, it can't be sent to the customer."}`)
		send(offer.Plans[0].ID).Want(400, `{"detail": "Payment plan is cancelled, it can't be sent to the customer."}`)

		odd := s.Shop(apptest.Buyer{Email: "\"\u0001\"@buyer.example"})
		plan := odd.Offer(odd.Order(100)).Plans[0].ID
		odd.Do("PUT", "/v1/payment/payment_plans/"+plan+"/send_offer_email", nil).
			Want(400, `{"detail": "The email address of the customer can't be written to."}`)
	})
}

// TestOfferPatterns is the table of the sandbox: what the address of a user
// decides.
func TestOfferPatterns(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		offers := map[string][]string{
			"":                           {"offered", "offered", "offered", "offered"},
			"paymentplan_offered":        {"offered", "offered", "offered", "offered"},
			"paymentplan_declined":       {"declined", "declined", "declined", "declined"},
			"paymentplan_partly_offered": {"offered", "declined", "declined", "declined"},
			"paymentplan_declined.paymentplan_offered": {"offered", "offered", "offered", "offered"},
		}
		payments := map[string]string{
			"":                                    "accepted",
			"dp_fraud_accepted":                   "accepted",
			"dp_fraud_rejected":                   "rejected",
			"dp_fraud_customer_action_required":   "customer_action_required",
			"dp_fraud_pending_review":             "pending_review",
			"dp_fraud_rejected_dp_fraud_accepted": "accepted",
		}
		c := s.Merchant("bnpl")
		for pattern, want := range offers {
			for fraud, status := range payments {
				email := "jane+" + pattern + "_" + fraud + "@buyer.example"
				shop := s.ShopOf(c, apptest.Buyer{Email: email})
				offer := shop.Offer(shop.Order(100))
				if diff := cmp.Diff(want, statuses(offer)); diff != "" {
					t.Errorf("%s: %s", email, diff)
				}
				for _, p := range offer.Plans {
					if (p.Rejection != nil) != (p.Status == "declined") {
						t.Errorf("%s: a plan is %s for %v", email, p.Status, p.Rejection)
					}
				}
				if want[0] == "declined" {
					shop.Accept(offer.Plans[0].ID, "card").Want(409, `{"detail": "The payment plan can't be accepted, it is declined."}`)
					continue
				}
				if got := shop.Accept(offer.Plans[0].ID, "card").WantStatus(201).Text("status"); got != status {
					t.Errorf("%s: the deferred payment is %s, want %s", email, got, status)
				}
			}
		}
		s.Clean()
	})
}

func TestOfferReasons(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := s.Merchant("bnpl")
		for company, code := range map[string]string{
			"Buyer-Too-Young Ltd": "buyer-too-young", "Buyer-Country Ltd": "buyer-country", "Buyer-Status Ltd": "buyer-status",
			"Buyer-Company-Type Ltd": "buyer-company-type", "Buyer-Uncreditworthy Ltd": "buyer-uncreditworthy", "Buyer-Sector Ltd": "buyer-sector",
			"Buyer-Size Ltd": "buyer-size", "Invoice-Credit-Terms Ltd": "invoice-credit-terms", "Connected-Companies Ltd": "connected-companies",
		} {
			shop := s.ShopOf(c, apptest.Buyer{Company: company, Email: code + "@buyer.example"})
			for _, p := range shop.Offer(shop.Order(100)).Plans {
				if p.Status != "declined" || p.Rejection == nil || p.Rejection.Code != code {
					t.Errorf("%s: %s, %+v", company, p.Status, p.Rejection)
				} else if strings.ContainsAny(p.Rejection.Detail, "{}") || p.Rejection.Params == nil {
					t.Errorf("%s: %+v", company, p.Rejection)
				}
			}
		}
		// Hokodo Ltd has a limit of 100,000 pounds.
		shop := s.ShopOf(c, apptest.Buyer{})
		wantStatuses(t, shop.Offer(shop.Order(10_000_000)), "offered", "offered", "offered", "offered")
		over := shop.Offer(shop.Order(10_000_001))
		wantStatuses(t, over, "declined", "declined", "declined", "declined")
		if got := over.Plans[0].Rejection.Code; got != "buyer-limit" {
			t.Errorf("the code is %s", got)
		}
		shop.Accept(shop.Offer(shop.Order(9_000_000)).Plans[0].ID, "card").WantStatus(201)
		wantStatuses(t, shop.Offer(shop.Order(1_000_001)), "declined", "declined", "declined", "declined")
		wantStatuses(t, shop.Offer(shop.Order(1_000_000)), "offered", "offered", "offered", "offered")
	})
}

// TestLimitAtAcceptance: two offers that each fit into the limit do not both.
func TestLimitAtAcceptance(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		a, b := shop.Offer(shop.Order(6_000_000)), shop.Offer(shop.Order(6_000_000))
		shop.Accept(a.Plans[0].ID, "card").WantStatus(201)
		var got struct {
			Status    string
			Rejection struct{ Code, Detail string } `json:"rejection_reason"`
		}
		shop.Accept(b.Plans[0].ID, "card").WantStatus(201).Decode(&got)
		if got.Status != "rejected" || got.Rejection.Code != "credit_limit_exceeded" || got.Rejection.Detail != "Credit limit exceeded" {
			t.Errorf("%+v", got)
		}
		s.Clean()
	})
}

func TestPlanTemplates(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		const path = "/v1/payment/plan_templates"
		var list struct {
			Count   int
			Results []struct {
				ID, Name string
				Active   bool
			}
		}
		shop.Do("GET", path, nil).WantStatus(200).Decode(&list)
		if list.Count != 4 || list.Results[0].Name != "30d" || !list.Results[0].Active || !strings.HasPrefix(list.Results[0].ID, "pptemp-") {
			t.Fatalf("%+v", list)
		}
		first := path + "/" + list.Results[0].ID
		before := shop.Do("GET", first, nil).WantStatus(200)
		shop.Do("PATCH", first, `{}`).Want(200, string(before.Body))
		shop.Do("PATCH", first, `{"active": "maybe"}`).Want(400, `{"active": ["Must be a valid boolean."]}`)
		shop.Do("PATCH", first, `{"active": false}`).Want(200, strings.Replace(string(before.Body), `"active":true`, `"active":false`, 1))
		offer := shop.Offer(shop.Order(100))
		if len(offer.Plans) != 3 || offer.Plans[0].Name != "60d" {
			t.Errorf("%+v", offer.Plans)
		}
		s.Shop(apptest.Buyer{}).Do("PATCH", first, `{"active": true}`).Want(404, `{"detail": "Not found."}`)
		shop.Do("GET", path+"/pptemp-x", nil).WantStatus(404)
	})
}
