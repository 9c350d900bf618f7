package bnpl_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/app/apptest"
)

// chairs are the items of the reference document's order.
const (
	chair    = `{"item_id": "1", "type": "product", "description": "Super ergonomic chair", "metadata": {"color": "black"}, "reference": "702.611.50", "category": "Furniture > Chairs", "supplier_id": "7363", "supplier_name": "", "quantity": "10.000", "unit_price": 1000, "tax_rate": "20.00", "total_amount": 10000, "tax_amount": 2000`
	delivery = `{"item_id": "2", "type": "shipping", "description": "Delivery fee", "metadata": {}, "reference": "", "category": "", "supplier_id": "", "supplier_name": "", "quantity": "1.000", "unit_price": 2000, "tax_rate": "20.00", "total_amount": 2000, "tax_amount": 400`
	gesture  = `{"item_id": "99", "type": "discount", "description": "Discount following our email conversation", "metadata": {}, "reference": "", "category": "", "supplier_id": "", "supplier_name": "", "quantity": "1.000", "unit_price": -120, "tax_rate": "20.00", "total_amount": -120, "tax_amount": -20`
)

// The bodies of the reference document.
const (
	fulfilBody = `{"items": [
		{"item_id": "1", "quantity": "10.000", "total_amount": 10000, "tax_amount": 2000, "shipping_id": "DX49581904385", "shipping_provider": "Postal service"},
		{"item_id": "2", "quantity": "1.000", "total_amount": 2000, "tax_amount": 400, "shipping_id": "DX49581904385", "shipping_provider": "Postal service"}]}`
	deliveryBody = `{"items": [{"item_id": "2", "quantity": "1", "total_amount": 2000, "tax_amount": 400}]}`
	discountBody = `{"items": [{"item_id": "99", "description": "Discount following our email conversation", "quantity": "1.000",
		"unit_price": -120, "tax_rate": "20.00", "total_amount": -120, "tax_amount": -20}]}`
)

// soldShop has an order of chairs that was sold on credit.
type soldShop struct {
	*apptest.Shop
	order, payment string
}

func sold(s *apptest.Server) soldShop {
	shop := s.Shop(apptest.Buyer{})
	body := shop.OrderBody(12000)
	body["tax_amount"] = 2000
	body["items"] = []any{raw(chair + "}"), raw(delivery + "}")}
	order := shop.Do("POST", "/v1/payment/orders", body).WantStatus(201).ID()
	return soldShop{shop, order, shop.Accept(shop.Offer(order).Plans[0].ID, "invoice").WantStatus(201).ID()}
}

type raw string

func (r raw) MarshalJSON() ([]byte, error) { return []byte(r), nil }

func (s soldShop) path(action string) string { return "/v1/payment/orders/" + s.order + "/" + action }

// after is an item with what happened to it, in the order of an answer.
func after(item, fulfilled, fulfilment, cancelled, cancellation, returned, returns string) string {
	return fmt.Sprintf(`%s, "fulfilled_quantity": %q, "fulfillment_info": %s, "cancelled_quantity": %q, "cancelled_info": %s, "returned_quantity": %q, "returned_info": %s}`,
		item, fulfilled, fulfilment, cancelled, cancellation, returned, returns)
}

func shipment(quantity string, total, tax int) string {
	return fmt.Sprintf(`[{"quantity": %q, "total_amount": %d, "tax_amount": %d, "shipping_id": "DX49581904385", "shipping_provider": "Postal service", "shipping_date": "2026-03-02"}]`,
		quantity, total, tax)
}

const (
	untouched    = `, "fulfilled_quantity": "0.000", "fulfillment_info": null, "cancelled_quantity": "0.000", "cancelled_info": null, "returned_quantity": "0.000", "returned_info": null}`
	deliveryInfo = `[{"quantity": "1.000", "total_amount": 2000, "tax_amount": 400}]`
)

// wantItems does what a request says, and demands the items and the totals of the
// answer; the order shows the same from then on.
func (s soldShop) wantItems(t *testing.T, action, body string, total, tax int64, items ...string) {
	t.Helper()
	got := s.Do("PUT", s.path(action), body).WantStatus(200)
	var shown, want struct {
		Total int64 `json:"total_amount"`
		Tax   int64 `json:"tax_amount"`
		Items []map[string]any
	}
	got.Decode(&shown)
	if err := json.Unmarshal([]byte(`{"items": [`+strings.Join(items, ",")+`]}`), &want); err != nil {
		t.Fatal(err)
	}
	want.Total, want.Tax = total, tax
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Error(diff)
	}
	s.Do("GET", "/v1/payment/orders/"+s.order, nil).Want(200, string(got.Body))
}

// wantPayment demands the status of the payment and four of its balances.
func (s soldShop) wantPayment(t *testing.T, status string, authorisation, captures, refunds, voided int64) {
	t.Helper()
	var got struct {
		Status                 string
		Authorisation, Refunds int64
		Captures               int64 `json:"protected_captures"`
		Voided                 int64 `json:"voided_authorisation"`
	}
	s.Do("GET", apptest.PaymentPath(s.payment), nil).WantStatus(200).Decode(&got)
	if got.Status != status || [4]int64{got.Authorisation, got.Captures, got.Refunds, got.Voided} != [4]int64{authorisation, captures, refunds, voided} {
		t.Errorf("the payment is %+v, want %s %d %d %d %d", got, status, authorisation, captures, refunds, voided)
	}
}

// TestFulfilment follows the examples of the reference document.
func TestFulfilment(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := sold(s)
		shop.wantItems(t, "fulfill", fulfilBody, 12000, 2000,
			after(chair, "10.000", shipment("10.000", 10000, 2000), "0.000", "null", "0.000", "null"),
			after(delivery, "1.000", shipment("1.000", 2000, 400), "0.000", "null", "0.000", "null"))
		shop.wantPayment(t, "fulfilled", 0, 12000, 0, 0)
		shop.wantItems(t, "discount", discountBody, 11880, 1980,
			after(chair, "10.000", shipment("10.000", 10000, 2000), "0.000", "null", "0.000", "null"),
			after(delivery, "1.000", shipment("1.000", 2000, 400), "0.000", "null", "0.000", "null"),
			gesture+untouched)
		shop.wantPayment(t, "fulfilled", 0, 11880, 120, 0)
		shop.wantItems(t, "return", deliveryBody, 11880, 1980,
			after(chair, "10.000", shipment("10.000", 10000, 2000), "0.000", "null", "0.000", "null"),
			after(delivery, "1.000", shipment("1.000", 2000, 400), "0.000", "null", "1.000", deliveryInfo),
			gesture+untouched)
		shop.wantPayment(t, "fulfilled", 0, 9880, 2120, 0)
		shop.Do("PUT", shop.path("return"), `{}`).WantStatus(200)
		shop.wantPayment(t, "reversed", 0, 0, 12000, 0)

		// The merchant's own identifier can still change, even in a request that
		// sends all of the order again.
		body := shop.OrderBody(12000)
		body["total_amount"], body["tax_amount"], body["status"] = 11880, 1980, "cancelled"
		body["items"] = []any{raw(chair + "}"), raw(delivery + "}"), raw(gesture + "}")}
		renamed := shop.Do("PUT", "/v1/payment/orders/"+shop.order, body).WantStatus(200)
		if !strings.Contains(string(renamed.Body), "DX49581904385") {
			t.Errorf("what was shipped is forgotten: %s", renamed.Body)
		}
		s.Clean()
	})
}

// TestCancellation is the document's example, and all of the rest at once.
func TestCancellation(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := sold(s)
		cancelled := after(delivery, "0.000", "null", "1.000", deliveryInfo, "0.000", "null")
		shop.wantItems(t, "cancel", deliveryBody, 12000, 2000, chair+untouched, cancelled)
		shop.wantPayment(t, "accepted", 10000, 0, 0, 2000)
		// The examples send PATCH.
		shop.Do("PATCH", shop.path("fulfill"), `{"items": [{"item_id": "1", "quantity": 4, "total_amount": 4000, "tax_amount": 800, "shipping_date": "2026-02-27"}]}`).WantStatus(200)
		shop.wantPayment(t, "part_fulfilled", 6000, 4000, 0, 2000)
		shop.wantItems(t, "cancel", "", 12000, 2000,
			after(chair, "4.000", `[{"quantity": "4.000", "total_amount": 4000, "tax_amount": 800, "shipping_date": "2026-02-27"}]`,
				"6.000", `[{"quantity": "6.000", "total_amount": 6000, "tax_amount": 1200}]`, "0.000", "null"), cancelled)
		shop.wantPayment(t, "fulfilled", 0, 4000, 0, 8000)
		// Nothing is left: nothing happens.
		before := shop.Do("GET", "/v1/events?limit=100", nil).WantStatus(200)
		shop.Do("PUT", shop.path("cancel"), `{}`).WantStatus(200)
		shop.Do("PUT", shop.path("fulfill"), `{}`).WantStatus(200)
		shop.Do("GET", "/v1/events?limit=100", nil).Want(200, string(before.Body))

		other := sold(s)
		other.Do("PUT", other.path("discount"), discountBody).WantStatus(200)
		other.wantPayment(t, "accepted", 11880, 0, 0, 120)
		other.Do("PUT", other.path("cancel"), `{}`).WantStatus(200)
		other.wantPayment(t, "cancelled", 0, 0, 0, 12000)
		s.Clean()
	})
}

// TestFulfilmentEvents looks at what the feed and repeated requests say.
func TestFulfilmentEvents(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := sold(s)
		var f feed
		shop.Do("GET", "/v1/events?limit=100", nil).WantStatus(200).Decode(&f)
		start := f.Next
		keyed := shop.With("Idempotency-Key", "one")
		part := `{"items": [{"item_id": "1", "quantity": "1", "total_amount": 1000, "tax_amount": 167}]}`
		first := keyed.Do("PUT", shop.path("fulfill"), part).WantStatus(200)
		again := keyed.Do("PUT", shop.path("fulfill"), part)
		if again.Want(200, string(first.Body)); again.Header.Get("Idempotency-Replayed") != "true" {
			t.Error("the answer does not say that it is a repetition")
		}
		keyed.Do("PUT", shop.path("fulfill"), `{}`).
			Want(400, `{"error": "Duplicate `+"`Idempotency-Key`"+` [one] has been used for another request, the key cannot be used again."}`)
		shop.wantPayment(t, "part_fulfilled", 11000, 1000, 0, 0)
		shop.Do("PUT", shop.path("discount"), strings.NewReplacer("-120", "-1200", "-20}", "-200}").Replace(discountBody)).WantStatus(200)
		shop.wantPayment(t, "part_fulfilled", 10800, 0, 1000, 200)
		var types []string
		shop.Do("GET", fmt.Sprintf("/v1/events?limit=100&after=%d", start), nil).WantStatus(200).Decode(&f)
		for _, e := range f.Results {
			types = append(types, e.Type)
		}
		want := []string{"order.updated", "deferred_payment.capture", "order.updated", "deferred_payment.refund", "deferred_payment.void"}
		if diff := cmp.Diff(want, types); diff != "" {
			t.Error(diff)
		}
		// 10800 is left of goods worth 11000.
		shop.Do("PUT", shop.path("fulfill"), `{}`).WantStatus(200)
		shop.wantPayment(t, "fulfilled", 0, 10800, 1000, 200)
		s.Clean()
	})
}

// TestFulfilmentRefusals demands that a request which is refused changes nothing.
func TestFulfilmentRefusals(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := sold(s)
		shop.Do("PUT", shop.path("fulfill"), `{"items": [{"item_id": "1", "quantity": "4", "total_amount": 4000, "tax_amount": 667}]}`).WantStatus(200)
		figures := func() string {
			return string(shop.Do("GET", "/v1/payment/orders/"+shop.order+"?expand=deferred_payment", nil).WantStatus(200).Body) +
				string(shop.Do("GET", "/v1/events?limit=100", nil).WantStatus(200).Body)
		}
		before := figures()
		const required = `["This field is required."]`
		for _, c := range []struct{ action, body, want string }{
			{"fulfill", `{"items": null}`, `{"items": ["This field may not be null."]}`},
			{"fulfill", `{"items": []}`, `{"items": {"non_field_errors": ["This list may not be empty."]}}`},
			{"fulfill", `{"items": {}}`, `{"items": {"non_field_errors": ["Expected a list of items but got type \"dict\"."]}}`},
			{"fulfill", `{"items": [1]}`, `{"items": [{"non_field_errors": ["Invalid data. Expected a dictionary, but got int."]}]}`},
			{"cancel", `{"items": [{}]}`, `{"items": [{"item_id": ` + required + `, "quantity": ` + required + `, "total_amount": ` + required + `, "tax_amount": ` + required + `}]}`},
			{"discount", `{}`, `{"items": ` + required + `}`},
			{"discount", `{"items": [{"item_id": "5", "description": "x", "quantity": 1, "unit_price": 5, "tax_rate": 0, "total_amount": 0, "tax_amount": 1}]}`,
				`{"items": [{"unit_price": ["Ensure this value is less than or equal to 0."], "total_amount": ["Ensure this value is less than or equal to -1."], "tax_amount": ["Ensure this value is less than or equal to 0."]}]}`},
			{"discount", strings.Replace(discountBody, `"99"`, `"2"`, 1), `{"items": [{"item_id": "Item 2 is in the order already."}]}`},
			{"discount", strings.NewReplacer("-120", "-12000", "-20}", "-2000}").Replace(discountBody), ""},
			{"return", deliveryBody, `{"items": [{"quantity": "Item 2 quantity [1.000] is more than there is left to return [0.000]."}]}`},
			{"fulfill", fulfilBody, `{"items": [{"quantity": "Item 1 quantity [10.000] is more than there is left to fulfil [6.000]."}, {}]}`},
			{"cancel", strings.Replace(deliveryBody, "2000", "2002", 1), `{"items": [{"total_amount": "Item 2 unit_price [2000] and quantity [1.000] does not match total_amount [2002]."}]}`},
			{"cancel", strings.Replace(deliveryBody, `"2"`, `"7"`, 1), `{"items": [{"item_id": "Item 7 is not in the order."}]}`},
		} {
			if r := shop.Do("PUT", shop.path(c.action), c.body); c.want != "" {
				r.Want(400, c.want)
			}
		}
		if before == figures() {
			t.Fatal("the one request that is right did nothing")
		}
		before = figures()
		shop.Do("PUT", shop.path("discount"), strings.Replace(discountBody, `"99"`, `"100"`, 1)).
			Want(400, `{"items": {"non_field_errors": ["The discount is larger than the order's total_amount [0]."]}}`)
		shop.Do("PATCH", shop.path("discount"), `{}`).Want(400, `{"items": `+required+`}`)
		shop.Do("PATCH", shop.path("fulfill"), `{"items": [{"item_id": "1"}]}`).
			Want(400, `{"items": [{"quantity": `+required+`, "total_amount": `+required+`, "tax_amount": `+required+`}]}`)
		const gone = `{"detail": "Not found."}`
		for _, action := range []string{"fulfill", "cancel", "return", "discount"} {
			shop.Do("PUT", "/v1/payment/orders/order-x/"+action, `{}`).Want(404, gone)
			s.Shop(apptest.Buyer{}).Do("PUT", shop.path(action), `{"items": 1}`).Want(404, gone)
		}
		// The two kinds of post-sale actions are not mixed.
		shop.Do("POST", apptest.PaymentPath(shop.payment)+"/void_remaining", nil).WantStatus(409)
		if before != figures() {
			t.Error("a request that was refused changed something")
		}
		s.Clean()
	})
}

// TestFulfilmentConflicts is about orders whose payment forbids any such action.
func TestFulfilmentConflicts(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		const (
			mixed = `{"detail": "Legacy order actions and deferred payment actions can not be combined on one deferred payment."}`
			none  = `{"detail": "This action is not possible: the order has no deferred payment."}`
		)
		shop := sold(s)
		shop.Do("POST", apptest.PaymentPath(shop.payment)+"/capture", `{"amount": 5000}`).WantStatus(201)
		for action, body := range map[string]string{"fulfill": `{}`, "cancel": deliveryBody, "return": `{}`, "discount": discountBody} {
			shop.Do("PUT", shop.path(action), body).Want(409, mixed)
			shop.Do("PUT", "/v1/payment/orders/"+shop.Order(1000)+"/"+action, body).Want(409, none)
		}
		shop.wantPayment(t, "part_captured", 7000, 5000, 0, 0)

		refused := s.Shop(apptest.Buyer{Email: "jane.dp_fraud_rejected@buyer.example"})
		order := refused.Order(1000)
		refused.Accept(refused.Offer(order).Plans[0].ID, "card").WantStatus(201)
		refused.Do("PUT", "/v1/payment/orders/"+order+"/fulfill", `{}`).
			Want(409, `{"detail": "This action is not possible while the deferred payment is rejected."}`)

		late := sold(s)
		late.Advance(28 * apptest.Day)
		late.Do("PUT", late.path("fulfill"), `{}`).
			Want(400, `{"items": {"non_field_errors": ["Sum of items total_amount [12000] is more than the deferred payment has left to fulfill [0]."]}}`)
		s.Clean()
	})
}

// TestFulfilmentsAtOnce sends more shipments than there are goods, all together.
func TestFulfilmentsAtOnce(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := sold(s)
		statuses := make([]int, 8)
		var sent sync.WaitGroup
		for n := range statuses {
			sent.Go(func() {
				statuses[n] = shop.Do("PUT", shop.path("fulfill"), `{"items": [{"item_id": "1", "quantity": "3", "total_amount": 3000, "tax_amount": 500}]}`).Status
			})
		}
		sent.Wait()
		slices.Sort(statuses)
		if diff := cmp.Diff([]int{200, 200, 200, 400, 400, 400, 400, 400}, statuses); diff != "" {
			t.Error(diff)
		}
		shop.wantPayment(t, "part_fulfilled", 3000, 9000, 0, 0)
		s.Clean()
	})
}
