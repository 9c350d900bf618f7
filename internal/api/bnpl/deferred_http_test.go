package bnpl_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/api/apitest"
	"tradecredit/internal/app/apptest"
)

// event is a post-sale event as the document shows it, clawback included.
func event(kind string, amount int, metadata, changes string) string {
	names := []string{"authorisation", "protected_captures", "unprotected_captures", "refunds", "voided_authorisation", "expired_authorisation", "clawback"}
	figures := strings.Fields(changes)
	var parts []string
	for i, name := range names {
		parts = append(parts, fmt.Sprintf("%q: %s", name, figures[i]))
	}
	return fmt.Sprintf(`{"created": "2026-03-02T09:30:00Z", "type": %q, "amount": %d, "currency": "GBP", "metadata": %s, "changes": {%s,
		"customer_fee": {"authorisation": 0, "captures": 0, "refunds": 0, "voided_authorisation": 0, "expired_authorisation": 0}}}`,
		kind, amount, metadata, strings.Join(parts, ", "))
}

const (
	docPayment = "defpay-bqRyGIGaORKiK8bhMVPirp"
	docPlan    = "ppln-gJdDHAGaFrDLDvJNXJirdx"
	docOrder   = "order-dTHo9Q2idffT7CMPCVjztA"
)

// shown is a deferred payment: the document's object with what else real traffic
// carries. figures are the seven balances.
func shown(number, status, figures, owed, outstanding, next, payments, rejection, events string) string {
	f := strings.Fields(figures)
	return fmt.Sprintf(`{
		"url": "https://api.example/v1/payment/deferred_payments/%s", "id": "%s", "number": "%s", "created": "2026-03-02T09:30:00Z",
		"payment_plan": "%s", "order": "%s", "rejection_reason": %s, "status": "%s", "currency": "GBP",
		"authorisation": %s, "protected_captures": %s, "unprotected_captures": %s, "refunds": %s,
		"voided_authorisation": %s, "expired_authorisation": %s, "clawback": %s,
		"repayment_info": {"status": "unpaid", "outstanding_amount": %s, "currency": "GBP"},
		"outstanding_balance": {"amount": %s, "currency": "GBP"}, "next_payment_date": %s, "payments": %s, "events": [%s]
	}`, docPayment, docPayment, number, docPlan, docOrder, rejection, status, f[0], f[1], f[2], f[3], f[4], f[5], f[6], owed, outstanding, next, payments, events)
}

func TestDeferredPayment(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		order := shop.Order(100000)
		plan := shop.Offer(order).Plans[0].ID
		shop.Bind(docPlan, plan)
		shop.Bind(docOrder, order)
		made := shop.Accept(plan, "invoice").WantStatus(201)
		number := made.Text("number")
		made.Want(201, shown(number, "accepted", "100000 0 0 0 0 0 0", "0", "null", "null", "null", "null", ""))
		if !strings.HasPrefix(number, "P-") || len(number) != 11 {
			t.Errorf("the number is %s", number)
		}
		path := apptest.PaymentPath(made.ID())
		if got := made.Header.Get("Location"); got != "https://api.example"+path {
			t.Errorf("Location is %s", got)
		}
		capture := event("capture", 60000, `{"reference": "Bobs burger patties"}`, "-60000 60000 0 0 0 0 0")
		refund := event("refund", 10000, `{"reference": "Bobs burger patties"}`, "0 -10000 0 10000 0 0 0")
		void := event("void", 15000, `{"reference": "Bobs burger patties"}`, "-15000 0 0 0 15000 0 0")
		shop.Do("POST", path+"/capture", `{"amount": 60000, "metadata": {"reference": "Bobs burger patties"}}`).Want(201, capture)
		shop.Do("POST", path+"/refund", `{"amount": 10000, "metadata": {"reference": "Bobs burger patties"}}`).Want(201, refund)
		shop.Do("POST", path+"/void", `{"amount": 15000, "metadata": {"reference": "Bobs burger patties"}}`).Want(201, void)
		want := shown(number, "part_captured", "25000 50000 0 10000 15000 0 0", "50000", "50000", `"2026-04-01"`, "[]", "null",
			capture+","+refund+","+void)
		shop.Do("GET", path, nil).Want(200, want)
		list := `{"count": 1, "next": null, "previous": null, "results": [` + want + `]}`
		shop.Do("GET", "/v1/payment/deferred_payments", nil).Want(200, list)
		shop.Do("GET", "/v1/payment/deferred_payments?status=part_captured&order="+order, nil).Want(200, list)
		shop.Do("GET", "/v1/payment/deferred_payments?status=part_captured", nil).Want(200, list)
		const none = `{"count": 0, "next": null, "previous": null, "results": []}`
		shop.Do("GET", "/v1/payment/deferred_payments?status=accepted&order="+order, nil).Want(200, none)
		shop.Do("GET", "/v1/payment/deferred_payments?status=accepted&ordering=created", nil).Want(200, none)
		shop.Do("GET", "/v1/payment/deferred_payments?status=zzz", nil).
			Want(400, `{"status": ["Select a valid choice. zzz is not one of the available choices."]}`)

		var expanded struct {
			Plan  struct{ ID, Status string } `json:"payment_plan"`
			Order struct {
				ID    string
				Offer struct{ ID string } `json:"payment_offer"`
			}
		}
		shop.Do("GET", path+"?expand=payment_plan,order.payment_offer", nil).WantStatus(200).Decode(&expanded)
		if expanded.Plan.ID != plan || expanded.Plan.Status != "accepted" || expanded.Order.ID != order || expanded.Order.Offer.ID == "" {
			t.Errorf("%+v", expanded)
		}
		other := s.Shop(apptest.Buyer{})
		other.Do("GET", path, nil).Want(404, `{"detail": "Not found."}`)
		other.Do("POST", path+"/capture", `{"amount": 1}`).Want(404, `{"detail": "Not found."}`)
		other.Do("POST", path+"/capture", `{"amount": "x"}`).Want(404, `{"detail": "Not found."}`)
		other.Do("GET", "/v1/payment/deferred_payments", nil).Want(200, none)
		s.Clean()
	})
}

func TestAccept(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		order := shop.Order(10000)
		offer := shop.Offer(order)
		upfront := offer.Plans[2]
		shop.Accept(upfront.ID, "cash").Want(400, `{"payment_method": ["\"cash\" is not a valid choice."]}`)
		shop.Do("POST", "/v1/sandbox/payment_plans/"+upfront.ID+"/accept", nil).Want(400, `{"payment_method": ["This field is required."]}`)
		shop.Accept("ppln-x", "card").Want(404, `{"detail": "Not found."}`)
		s.Shop(apptest.Buyer{}).Accept(upfront.ID, "card").Want(404, `{"detail": "Not found."}`)
		made := shop.Accept(upfront.ID, "direct_debit").WantStatus(201)
		if got := made.Text("status"); got != "accepted" {
			t.Errorf("the payment is %s", got)
		}
		shop.Accept(upfront.ID, "direct_debit").Want(409, `{"detail": "The payment plan can't be accepted, it is accepted."}`)
		shop.Accept(offer.Plans[0].ID, "card").WantStatus(409)
		offer = shop.OfferAgain(offer.ID)
		wantStatuses(t, offer, "cancelled", "cancelled", "accepted", "cancelled")
		// The upfront part cannot be debited, so a card pays it.
		for i, want := range []string{"card", "direct_debit"} {
			if got := offer.Plans[2].ScheduledPayments[i].Method; got == nil || got.Type != want {
				t.Errorf("part %d is paid by %v, want %s", i, got, want)
			}
		}
		if offer.Plans[0].ScheduledPayments[0].Method != nil {
			t.Error("a plan that was not taken has a payment method")
		}
		if got := shop.Do("GET", "/v1/payment/orders/"+order, nil).Text("status"); got != "unpaid" && got != "partially_paid" {
			// The card may have been charged already.
			t.Errorf("the order is %s", got)
		}
		s.Clean()
	})
}

func TestPendingPayment(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		order := shop.Order(10000)
		made := shop.Accept(shop.Offer(order).Plans[2].ID, "invoice").WantStatus(201)
		if got := made.Text("status"); got != "pending_payment" {
			t.Errorf("the payment is %s", got)
		}
		if got := shop.Do("GET", "/v1/payment/orders/"+order, nil).Text("status"); got != "draft" {
			t.Errorf("the order is %s", got)
		}
		path := apptest.PaymentPath(made.ID())
		shop.Do("POST", path+"/capture", `{"amount": 1}`).
			Want(409, `{"detail": "This action is not possible while the deferred payment is pending_payment."}`)
		// It waits for money, not for a decision.
		shop.Do("POST", "/v1/sandbox/deferred_payments/"+made.ID()+"/review", `{"outcome": "accepted"}`).WantStatus(409)
	})
}

func TestReview(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{Email: "jane.dp_fraud_pending_review@buyer.example"})
		review := func(payment, outcome string) *apitest.Response {
			return shop.Do("POST", "/v1/sandbox/deferred_payments/"+payment+"/review", map[string]string{"outcome": outcome})
		}
		order := shop.Order(10000)
		first := shop.Accept(shop.Offer(order).Plans[0].ID, "card").WantStatus(201)
		if got := shop.Do("GET", "/v1/payment/orders/"+order, nil).Text("status"); got != "draft" {
			t.Errorf("the order is %s", got)
		}
		id := first.ID()
		review(id, "fine").Want(400, `{"outcome": ["\"fine\" is not a valid choice."]}`)
		review("defpay-x", "accepted").Want(404, `{"detail": "Not found."}`)
		if got := review(id, "customer_action_required").WantStatus(200).Text("status"); got != "customer_action_required" {
			t.Errorf("the payment is %s", got)
		}
		accepted := review(id, "accepted").WantStatus(200)
		shop.Do("GET", apptest.PaymentPath(id), nil).Want(200, string(accepted.Body))
		if got := shop.Do("GET", "/v1/payment/orders/"+order, nil).Text("status"); got != "unpaid" {
			t.Errorf("the order is %s", got)
		}
		review(id, "rejected").Want(409, `{"detail": "A deferred payment that is accepted can not become rejected."}`)
		shop.Do("POST", apptest.PaymentPath(id)+"/capture", `{"amount": 10000}`).WantStatus(201)

		offer := shop.Offer(shop.Order(20000))
		second := shop.Accept(offer.Plans[0].ID, "card").WantStatus(201).ID()
		var got struct {
			Status    string
			Rejection struct{ Code, Detail string } `json:"rejection_reason"`
		}
		review(second, "rejected").WantStatus(200).Decode(&got)
		if got.Status != "rejected" || got.Rejection.Code != "fraud" || got.Rejection.Detail == "" {
			t.Errorf("%+v", got)
		}
		review(second, "accepted").WantStatus(409)
		offer = shop.OfferAgain(offer.ID)
		if offer.Plans[0].Status != "declined" || offer.Plans[0].Rejection.Code != "fraud" {
			t.Errorf("the plan is %s for %+v", offer.Plans[0].Status, offer.Plans[0].Rejection)
		}
		shop.Do("POST", apptest.PaymentPath(second)+"/capture", `{"amount": 1}`).
			Want(409, `{"detail": "This action is not possible while the deferred payment is rejected."}`)
		s.Clean()
	})
}

func TestRejected(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{Email: "jane.dp_fraud_rejected@buyer.example"})
		order := shop.Order(10000)
		plan := shop.Offer(order).Plans[0].ID
		shop.Bind(docPlan, plan)
		shop.Bind(docOrder, order)
		made := shop.Accept(plan, "card").WantStatus(201)
		made.Want(201, shown(made.Text("number"), "rejected", "10000 0 0 0 0 0 0", "0", "null", "null", "null",
			`{"code": "fraud", "detail": "Suspected fraud"}`, ""))
		// The order is free again.
		shop.Do("PATCH", "/v1/payment/orders/"+order, map[string]any{"invoice_date": "2026-03-03"}).WantStatus(200)
		again := shop.Offer(order)
		wantStatuses(t, again, "offered", "offered", "offered", "offered")
		shop.Accept(plan, "card").WantStatus(409)
		s.Clean()
	})
}

// TestPostSaleInput is what may stand in a request and what may not.
func TestPostSaleInput(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		path := apptest.PaymentPath(shop.Payment(1000))
		const integer, required = "A valid integer is required.", "This field is required."
		for amount, sentence := range map[string]string{
			`0`: "Ensure this value is greater than or equal to 1.", `-1`: "Ensure this value is greater than or equal to 1.",
			`1001`: "Ensure this value is less than or equal to 1000.", `9223372036854775807`: "Ensure this value is less than or equal to 1000.",
			`1.5`: integer, `"1.5"`: integer, `""`: integer, `true`: integer, `[]`: integer, `{}`: integer, `"1e2"`: integer, `NaN`: "",
			`1e400`: "", `null`: "This field may not be null.",
		} {
			r := shop.Do("POST", path+"/capture", `{"amount": `+amount+`}`).WantStatus(400)
			if want := `{"amount":["` + sentence + `"]}`; sentence != "" && string(r.Body) != want {
				t.Errorf("%s: got %s, want %s", amount, r.Body, want)
			}
		}
		for _, amount := range []string{"9223372036854775808", "-9223372036854775809", `"` + strings.Repeat("9", 100) + `"`} {
			shop.Do("POST", path+"/capture", `{"amount": `+amount+`}`).WantStatus(400)
		}
		for _, action := range []string{"capture", "refund", "void"} {
			shop.Do("POST", path+"/"+action, nil).Want(400, `{"amount": ["`+required+`"]}`)
			shop.Do("POST", path+"/"+action, "[]").Want(400, `{"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}`)
		}
		shop.Do("POST", path+"/refund", `{"amount": 1}`).Want(400, `{"amount": ["Ensure this value is less than or equal to 0."]}`)
		shop.Do("POST", path+"/capture", `{"amount": 1, "metadata": "`+strings.Repeat("x", 17000)+`"}`).
			Want(400, `{"metadata": ["Ensure this value has at most 16384 bytes."]}`)
		shop.Do("GET", path, nil).WantStatus(200)

		// Metadata comes back as it was sent, whatever it is.
		for i, metadata := range []string{`"Shipment #1"`, `{"b": 1, "a": [1.0, 12345678901234567890, "<&>\u00e9"]}`, `["a", {"b": null}]`, `""`} {
			sent := fmt.Sprintf(`{"amount": "1%d", "metadata": %s, "created": "x", "unknown": 1}`, i, metadata)
			want := strings.ReplaceAll(metadata, `\u00e9`, "é")
			shop.Do("POST", path+"/capture", sent).Want(201, event("capture", 10+i, want, fmt.Sprintf("-1%d 1%d 0 0 0 0 0", i, i)))
		}
		shop.Do("PUT", path+"/capture", `{"amount": " 10 "}`).Want(201, event("capture", 10, "{}", "-10 10 0 0 0 0 0"))
		shop.Do("PUT", path+"/refund", `{"amount": 10.0}`).Want(201, event("refund", 10, "{}", "0 -10 0 10 0 0 0"))
		shop.Do("PUT", path+"/void", `{"amount": 10, "metadata": null}`).Want(201, event("void", 10, "null", "-10 0 0 0 10 0 0"))
		shop.Do("PUT", path+"/capture_remaining", `{"metadata": "last"}`).Want(201, event("capture", 934, `"last"`, "-934 934 0 0 0 0 0"))
		s.Clean()
	})
}

func TestRemaining(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		for action, want := range map[string]string{
			"capture_remaining": event("capture", 1000, "{}", "-1000 1000 0 0 0 0 0"), "void_remaining": event("void", 1000, "{}", "-1000 0 0 0 1000 0 0"),
		} {
			path := apptest.PaymentPath(shop.Payment(1000))
			shop.Do("POST", path+"/"+action, nil).Want(201, want)
			for _, method := range []string{"POST", "PUT"} {
				for _, again := range []string{"capture_remaining", "void_remaining"} {
					r := shop.Do(method, path+"/"+again, `{"metadata": {"a": 1}}`).Want(200, "")
					if got := r.Header.Get("Content-Type"); got != "" {
						t.Errorf("nothing, with Content-Type %s", got)
					}
				}
			}
		}
		s.Clean()
	})
}

// TestPostSaleStatus walks through the statuses of the table.
func TestPostSaleStatus(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		for walk, want := range map[string]string{
			"capture 400":                                  "part_captured",
			"capture 400, void 600":                        "captured",
			"capture 1000, refund 999":                     "captured",
			"capture 1000, refund 1000":                    "refunded",
			"capture 400, refund 400":                      "part_captured",
			"capture 400, refund 400, void 600":            "refunded",
			"void 400":                                     "accepted",
			"void 1000":                                    "voided",
			"capture 400, clawback 400":                    "part_captured",
			"capture 1000, clawback 1000":                  "captured",
			"capture 400, expiry":                          "captured",
			"capture 400, refund 400, expiry":              "refunded",
			"expiry":                                       "expired",
			"void 400, expiry":                             "expired",
			"capture 300, capture 300, refund 600, expiry": "refunded",
		} {
			// Of a merchant that it owes for months, the buyer gets no more.
			shop := s.Shop(apptest.Buyer{})
			id := shop.Payment(1000)
			for _, step := range strings.Split(walk, ", ") {
				action, amount, _ := strings.Cut(step, " ")
				switch action {
				case "expiry":
					shop.Advance(28 * apptest.Day)
				case "clawback":
					shop.Do("POST", "/v1/sandbox/deferred_payments/"+id+"/clawback", `{"amount": `+amount+`}`).WantStatus(201)
				default:
					shop.Do("POST", apptest.PaymentPath(id)+"/"+action, `{"amount": `+amount+`}`).WantStatus(201)
				}
			}
			if got := shop.Do("GET", apptest.PaymentPath(id), nil).Text("status"); got != want {
				t.Errorf("%s: %s, want %s", walk, got, want)
			}
		}
		s.Clean()
	})
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		id := shop.Payment(1000)
		path := apptest.PaymentPath(id)
		shop.Do("POST", path+"/capture", `{"amount": 300}`).WantStatus(201)
		shop.Advance(28*apptest.Day - 1)
		if got := shop.Do("GET", path, nil).Text("status"); got != "part_captured" {
			t.Errorf("a second early: %s", got)
		}
		if diff := cmp.Diff(map[string]int{"deferred_payment.expiry": 1}, shop.Advance(3600)); diff != "" {
			t.Error(diff)
		}
		var got struct {
			Status     string
			Expired    int64 `json:"expired_authorisation"`
			Authorised int64 `json:"authorisation"`
			Events     []struct {
				Type, Created string
				Amount        int64
			}
		}
		shop.Do("GET", path, nil).WantStatus(200).Decode(&got)
		if got.Status != "captured" || got.Expired != 700 || got.Authorised != 0 || len(got.Events) != 2 {
			t.Fatalf("%+v", got)
		}
		// The event carries the time at which it was due, not when the clock stopped.
		if e := got.Events[1]; e.Type != "expiry" || e.Amount != 700 || e.Created != "2026-03-30T09:30:00Z" {
			t.Errorf("%+v", e)
		}
		shop.Do("POST", path+"/capture", `{"amount": 1}`).Want(400, `{"amount": ["Ensure this value is less than or equal to 0."]}`)
		shop.Set(map[string]any{"overcaptures": true})
		var late struct {
			Changes map[string]any
		}
		shop.Do("POST", path+"/capture", `{"amount": 50}`).WantStatus(201).Decode(&late)
		if late.Changes["authorisation"] != -50.0 || late.Changes["unprotected_captures"] != 50.0 || late.Changes["protected_captures"] != 0.0 {
			t.Errorf("%v", late.Changes)
		}
		shop.Do("POST", path+"/capture_remaining", nil).Want(200, "")

		shop.Set(map[string]any{"expiry_days": 3})
		short := shop.Payment(1000)
		shop.Set(map[string]any{"expiry_days": nil})
		never := shop.Payment(1000)
		shop.Advance(3 * apptest.Day)
		shop.Advance(3650 * apptest.Day)
		for id, want := range map[string]string{short: "expired", never: "accepted"} {
			if got := shop.Do("GET", apptest.PaymentPath(id), nil).Text("status"); got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
		s.Clean()
	})
}

func TestOvercaptures(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		path := apptest.PaymentPath(shop.Payment(1000))
		shop.Do("POST", path+"/capture", `{"amount": 1001}`).WantStatus(400)
		shop.Set(map[string]any{"overcaptures": true})
		shop.Do("POST", path+"/capture", `{"amount": 1200}`).Want(201, event("capture", 1200, "{}", "-1200 1000 200 0 0 0 0"))
		// Unprotected captures are refunded first.
		shop.Do("POST", path+"/refund", `{"amount": 300}`).Want(201, event("refund", 300, "{}", "0 -100 -200 300 0 0 0"))
		shop.Do("POST", path+"/void", `{"amount": 1}`).WantStatus(400)
		shop.Do("POST", path+"/void_remaining", nil).Want(200, "")
		shop.Do("POST", path+"/capture", `{"amount": 9223372036854775807}`).WantStatus(400)
		shop.Set(map[string]any{"overcaptures": false})
		shop.Do("POST", path+"/capture", `{"amount": 1}`).Want(400, `{"amount": ["Ensure this value is less than or equal to 0."]}`)
		s.Clean()
	})
}

func TestOperatorEvents(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		id := shop.Payment(1000)
		operate := func(what, body string) *apitest.Response {
			return shop.Do("POST", "/v1/sandbox/deferred_payments/"+id+"/"+what, body)
		}
		operate("clawback", `{"amount": 1}`).Want(400, `{"amount": ["Ensure this value is less than or equal to 0."]}`)
		shop.Do("POST", apptest.PaymentPath(id)+"/capture", `{"amount": 600}`).WantStatus(201)
		operate("clawback", `{"amount": 100, "reason": "unpaid"}`).Want(201, event("clawback", 100, `{"reason": "unpaid"}`, "0 -100 0 0 0 0 100"))
		operate("clawback", `{"amount": 100}`).Want(201, event("clawback", 100, `{}`, "0 -100 0 0 0 0 100"))
		operate("clawback", `{"amount": 0}`).WantStatus(400)
		operate("clawback", `{"amount": 401}`).WantStatus(400)
		operate("adjustment", `{"changes": {"authorisation": -100, "refunds": 100}}`).
			Want(201, event("adjustment", 100, "{}", "-100 0 0 100 0 0 0"))
		operate("adjustment", `{"changes": {"authorisation": -100, "refunds": 50}}`).Want(400, `{"changes": ["The changes must sum to zero."]}`)
		operate("adjustment", `{"changes": {"refunds": -101, "authorisation": 101}}`).Want(400, `{"changes": ["refunds can not be below zero."]}`)
		operate("adjustment", `{"changes": {}}`).WantStatus(400)
		operate("adjustment", `{}`).Want(400, `{"changes": ["This field is required."]}`)
		operate("adjustment", `{"changes": {"refunds": 9223372036854775807, "authorisation": -9223372036854775807}}`).WantStatus(400)
		operate("adjustment", `{"changes": {"refunds": 9223372036854775808, "authorisation": -9223372036854775808}}`).WantStatus(400)
		id = "defpay-x"
		operate("clawback", `{"amount": "x"}`).Want(404, `{"detail": "Not found."}`)
		operate("adjustment", `{}`).Want(404, `{"detail": "Not found."}`)
		s.Clean()
	})
}

// TestPostSaleKeys are the rules of idempotency.
func TestPostSaleKeys(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		id, other := shop.Payment(1000), shop.Payment(1000)
		path := apptest.PaymentPath(id)
		keyed := func(key, path, body string) *apitest.Response {
			return shop.With("Idempotency-Key", key).Do("POST", path, body)
		}
		first := keyed("k", path+"/capture", `{"amount": 100, "metadata": {"a": 1, "b": 2}}`).WantStatus(201)
		if first.Header.Get("Idempotency-Replayed") != "" {
			t.Error("the first answer says that it is a replay")
		}
		for _, again := range []*apitest.Response{
			keyed("k", path+"/capture", `{"amount": 100, "metadata": {"a": 1, "b": 2}}`),
			keyed("k", path+"/capture/", `{ "metadata": {"b": 2, "a": 1}, "amount": 100}`),
			shop.With("Itempotency-Key", "k").Do("POST", path+"/capture", `{"amount": 100, "metadata": {"a": 1, "b": 2}}`),
			shop.With("Idempotency-Key", "k").Do("PUT", path+"/capture", `{"amount": 100, "metadata": {"a": 1, "b": 2}}`),
		} {
			again.Want(201, string(first.Body))
			if again.Header.Get("Idempotency-Replayed") != "true" {
				t.Error("a repeated request is not marked")
			}
		}
		duplicate := func(rest string) string { return `{"error": "Duplicate ` + "`Idempotency-Key` [k] " + rest + `"}` }
		const anything = "has been used for another request, the key cannot be used again."
		keyed("k", path+"/void", `{"amount": 100}`).
			Want(400, duplicate("has been used to create a `capture` event, the key cannot be used to create a `void` event."))
		keyed("k", path+"/refund", `{"amount": 100}`).
			Want(400, duplicate("has been used to create a `capture` event, the key cannot be used to create a `refund` event."))
		keyed("k", path+"/void_remaining", `{}`).
			Want(400, duplicate("has been used to create a `capture` event, the key cannot be used to create a `void` event."))
		keyed("k", path+"/capture", `{"amount": 50}`).Want(400, duplicate("cannot be used to create an event with a different `amount`."))
		keyed("k", path+"/capture_remaining", `{}`).Want(400, duplicate("cannot be used to create an event with a different `amount`."))
		keyed("k", path+"/capture", `{"amount": 100}`).Want(400, duplicate(anything))
		keyed("k", apptest.PaymentPath(other)+"/capture", `{"amount": 100, "metadata": {"a": 1, "b": 2}}`).Want(400, duplicate(anything))
		keyed("k", "/v1/payment/offers", `{}`).Want(400, duplicate(anything))
		keyed("k", "/v1/sandbox/deferred_payments/"+id+"/clawback", `{"amount": 100}`).Want(400, duplicate(anything))
		// Keys belong to a merchant, and reads have none.
		strange := s.Shop(apptest.Buyer{})
		strange.With("Idempotency-Key", "k").Do("POST", apptest.PaymentPath(strange.Payment(500))+"/capture", `{"amount": 7}`).WantStatus(201)
		shop.With("Idempotency-Key", "k").Do("GET", path, nil).WantStatus(200)

		// What was refused leaves no key.
		keyed("later", path+"/capture", `{"amount": 901}`).WantStatus(400)
		keyed("later", path+"/capture", `{"amount": "x"}`).WantStatus(400)
		keyed("later", path+"/capture", `{"amount": 900}`).WantStatus(201)
		keyed("none left", path+"/capture_remaining", `{}`).Want(200, "")
		if r := keyed("none left", path+"/capture_remaining", ``).Want(200, ""); r.Header.Get("Idempotency-Replayed") != "true" {
			t.Error("nothing, repeated, is not marked")
		}
		keyed(strings.Repeat("k", 255), path+"/refund", `{"amount": 1}`).WantStatus(201)
		keyed(strings.Repeat("k", 256), path+"/refund", `{"amount": 1}`).WantStatus(400)
		keyed("clé", path+"/refund", `{"amount": 1}`).WantStatus(400)
		s.Clean()
	})
}

// TestKeysElsewhere: whatever makes an object is done once for a key.
func TestKeysElsewhere(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		keyed := shop.With("Idempotency-Key", "order")
		body := shop.OrderBody(100)
		first := keyed.Do("POST", "/v1/payment/orders", body).WantStatus(201)
		again := keyed.Do("POST", "/v1/payment/orders", body).Want(201, string(first.Body))
		if again.Header.Get("Location") != first.Header.Get("Location") || again.Header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("%v", again.Header)
		}
		body["po_number"] = "1"
		keyed.Do("POST", "/v1/payment/orders", body).Want(400,
			`{"error": "Duplicate `+"`Idempotency-Key`"+` [order] has been used for another request, the key cannot be used again."}`)
		offers := shop.With("Idempotency-Key", "offer")
		made := offers.Do("POST", "/v1/payment/offers", shop.OfferBody(first.ID())).WantStatus(201)
		offers.Do("POST", "/v1/payment/offers", shop.OfferBody(first.ID())).Want(201, string(made.Body))
		accepts := shop.With("Idempotency-Key", "accept")
		var offer apptest.Offer
		made.Decode(&offer)
		path := "/v1/sandbox/payment_plans/" + offer.Plans[0].ID + "/accept"
		payment := accepts.Do("POST", path, `{"payment_method": "card"}`).WantStatus(http.StatusCreated)
		accepts.Do("POST", path, `{"payment_method": "card"}`).Want(201, string(payment.Body))
		// A key that was refused once is free.
		keyed = shop.With("Idempotency-Key", "user")
		keyed.Do("POST", "/v1/users", `{}`).WantStatus(400)
		keyed.Do("POST", "/v1/users", `{"name": "A", "email": "a@buyer.example", "registered": "2017-06-01"}`).WantStatus(201)
	})
}
