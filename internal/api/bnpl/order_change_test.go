package bnpl

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/api"
	"tradecredit/internal/api/apitest"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/merchant"
	"tradecredit/internal/order"
)

// changed is shownDraft after a change, with the same order of keys.
func changed(t *testing.T, body string, changes ...string) string {
	t.Helper()
	for i := 0; i < len(changes); i += 2 {
		if strings.Count(body, changes[i]) != 1 {
			t.Fatalf("%q stands %d times in the body", changes[i], strings.Count(body, changes[i]))
		}
		body = strings.Replace(body, changes[i], changes[i+1], 1)
	}
	return body
}

func TestPartOfAnOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, orderServer(t, d, &API{}))
		s.Do("POST", "/v1/payment/orders", draftOrder).Want(201, shownDraft)
		path := "/v1/payment/orders/" + docOrder
		want := changed(t, shownDraft, `"city": "London"`, `"city": "Leeds"`)
		s.Do("PATCH", path, `{"customer": {"delivery_address": {"city": "Leeds"}}}`).Want(200, want)
		s.Do("PATCH", path+"/", `{"customer": {"invoice_address": {"city": "Leeds", "name": ""}}}`).Want(400,
			`{"invoice_address": {"name": ["This field may not be blank."]}}`)
		s.Do("PATCH", path, `{"customer": {"invoice_address": {"city": "Leeds"}}}`).Want(400,
			`{"invoice_address": {"name": ["This field is required."], "address_line1": ["This field is required."],
			"postcode": ["This field is required."], "country": ["This field is required."]}}`)
		s.Do("GET", path, nil).Want(200, want)
		s.Do("PATCH", path, `{"customer": {"type": "guest", "invoice_address": `+sentAddress+`}, "due_date": "2018-05-25"}`).Want(200,
			changed(t, want, `"type": "registered"`, `"type": "guest"`, `"due_date": null`, `"due_date": "2018-05-25"`,
				`"email": ""}`, `"email": ""}, "invoice_address": `+shownAddress))
		s.Do("PATCH", path, `{"customer": {"type": "registered", "invoice_address": null}, "due_date": null}`).Want(200, want)
		for body, refusal := range map[string]string{
			`{"customer": null}`:            `{"customer": ["This field may not be null."]}`,
			`{"order_date": null}`:          `{"order_date": ["This field may not be null."]}`,
			`{"unique_id": ""}`:             `{"unique_id": ["This field may not be blank."]}`,
			`{"customer": {"user": "xyz"}}`: `{"user": ["Bad prefix. Expected a UUID prefixed by \"user\", but got xyz."]}`,
			`{"total_amount": 13000}`:       `{"total_amount": ["Sum of items total_amount [12000] does not match order total_amount [13000]."]}`,
			`{"tax_amount": 12001}`:         `{"tax_amount": ["Order tax_amount [12001] is larger than total_amount [12000]."]}`,
			`{"items": null}`:               `{"items": ["This field may not be null."]}`,
			`{"items": [{"item_id": "1"}], "status": "x"}`: `{"status": ["\"x\" is not a valid choice."], "items": [{"type": ["This field is required."],
				"description": ["This field is required."], "quantity": ["This field is required."],
				"unit_price": ["This field is required."], "tax_rate": ["This field is required."],
				"total_amount": ["This field is required."], "tax_amount": ["This field is required."]}]}`,
		} {
			s.Do("PATCH", path, body).Want(400, refusal)
		}
		s.Do("GET", path, nil).Want(200, want)
	})
}

func TestItemsAreReplacedAsAWhole(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, orderServer(t, d, &API{}))
		path := "/v1/payment/orders/" + s.create()
		const chair = `{"item_id": "3", "type": "product", "description": "Chair", "quantity": 3, "unit_price": "333.33", "tax_rate": 0,
			"total_amount": 1000, "tax_amount": 0}`
		const discount = `{"item_id": "4", "type": "discount", "description": "10 %", "quantity": 1, "unit_price": -100, "tax_rate": 0,
			"total_amount": -100, "tax_amount": 0}`
		s.Do("PATCH", path, `{"items": [`+chair+`]}`).Want(400,
			`{"total_amount": ["Sum of items total_amount [1000] does not match order total_amount [12000]."]}`)
		s.Do("PATCH", path, `{"items": [`+chair+`, {"item_id": "4"}]}`).Want(400,
			`{"items": [{}, {"type": ["This field is required."], "description": ["This field is required."],
			"quantity": ["This field is required."], "unit_price": ["This field is required."], "tax_rate": ["This field is required."],
			"total_amount": ["This field is required."], "tax_amount": ["This field is required."]}]}`)
		got := s.Do("PATCH", path, `{"items": [`+chair+`, `+discount+`], "total_amount": 900, "tax_amount": 0}`).WantStatus(200)
		for field, want := range map[string]string{
			"total_amount": "900", "items.0.item_id": `"3"`, "items.0.unit_price": `"333.33"`, "items.0.quantity": `"3.000"`,
			"items.1.unit_price": "-100", "items.1.total_amount": "-100", "items.1.metadata": "{}", "items.0.fulfilled_quantity": `"0.000"`,
		} {
			if at(t, got.Body, field) != want {
				t.Errorf("%s: %s, want %s", field, at(t, got.Body, field), want)
			}
		}
		s.Do("PATCH", path, `{"items": []}`).WantStatus(200)
		s.Do("PATCH", path, `{"total_amount": 5}`).WantStatus(200)
	})
}

// hooks are a service whose offers and deferred payments are only noted.
type hooks struct {
	expired []string
	locked  bool
	fail    error
}

func (h *hooks) service() *order.Service {
	return &order.Service{
		OfferChanged: func(_ context.Context, _ *db.Tx, m merchant.Merchant, now time.Time, orderID, offerID string) error {
			h.expired = append(h.expired, fmt.Sprint(m.Name, " ", now.Format(time.Kitchen), " ", orderID, " ", offerID))
			return h.fail
		},
		Locked: func(_ context.Context, _ *db.Tx, _, deferredPaymentID string) (bool, error) {
			if deferredPaymentID != docDeferred {
				return false, errors.New("asked about " + deferredPaymentID)
			}
			return h.locked, h.fail
		},
	}
}

func TestChangesOfAnOrderWithAnOffer(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := &hooks{}
		s := newShop(t, orderServer(t, d, &API{Orders: h.service()}))
		orderID := s.create()
		path := "/v1/payment/orders/" + orderID
		s.Do("PATCH", path, `{"status": "pending"}`).WantStatus(200)
		if len(h.expired) > 0 {
			t.Fatalf("no offer, but %v", h.expired)
		}
		s.write(func(_ context.Context, tx *db.Tx) error {
			order.SetOffer(tx, s.Merchant.ID, orderID, docOffer)
			return nil
		})
		for _, c := range []struct {
			body    string
			expires bool
		}{
			{`{"unique_id": "other"}`, false},
			{`{"metadata": {"a": 1}}`, false},
			{`{"po_number": "7"}`, false},
			{`{"status": "pending", "tax_amount": "2000"}`, false},
			{`{"items": ` + at(t, []byte(draftOrder), "items") + `}`, false},
			{`{"status": "draft"}`, true},
			{`{"customer": {"delivery_address": {"region": "x"}}}`, true},
			{`{"customer": {"invoice_address": ` + sentAddress + `}}`, true},
			{`{"tax_amount": 1999}`, true},
			{`{"metadata": {"a": 2}, "due_date": "2018-05-25"}`, true},
		} {
			body, expires := c.body, c.expires
			h.expired = nil
			got := s.Do("PATCH", path, body).WantStatus(200)
			if expires && len(h.expired) != 1 || !expires && len(h.expired) > 0 {
				t.Errorf("%s: %v", body, h.expired)
			}
			if expires && len(h.expired) == 1 && h.expired[0] != "Shop 9:30AM "+orderID+" "+docOffer {
				t.Errorf("%s: %v", body, h.expired)
			}
			if at(t, got.Body, "payment_offer") != `"`+docOffer+`"` {
				t.Errorf("%s: the offer is %s", body, at(t, got.Body, "payment_offer"))
			}
		}
		before := s.Do("GET", path, nil)
		h.fail = errors.New("no")
		s.Do("PATCH", path, `{"status": "cancelled"}`).WantStatus(500)
		if diff := cmp.Diff(string(before.Body), string(s.Do("GET", path, nil).Body)); diff != "" {
			t.Error("half a change: " + diff)
		}
	})
}

func TestChangesOfAnOrderWithADeferredPayment(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := &hooks{locked: true}
		s := newShop(t, orderServer(t, d, &API{Orders: h.service()}))
		orderID := s.create()
		path := "/v1/payment/orders/" + orderID
		s.write(func(_ context.Context, tx *db.Tx) error {
			order.SetOffer(tx, s.Merchant.ID, orderID, docOffer)
			order.SetDeferredPayment(tx, s.Merchant.ID, orderID, docDeferred)
			return nil
		})
		before := len(s.events())
		s.Do("PATCH", path, `{"status": "paid", "metadata": {}, "unique_id": "x"}`).Want(409, `{"detail":
			"This order has a deferred payment, only its unique_id can be changed. The request also changes: status, metadata."}`)
		s.Do("PATCH", path, `{"po_number": "7"}`).WantStatus(409)
		s.Do("PATCH", path, `{"status": "new"}`).WantStatus(400)
		s.Do("DELETE", path, nil).Want(409, `{"detail": "This order can not be deleted: it has a deferred payment."}`)
		got := s.Do("PATCH", path, `{"unique_id": "x", "status": "draft", "total_amount": "12000"}`).WantStatus(200)
		if at(t, got.Body, "unique_id") != `"x"` || at(t, got.Body, "deferred_payment") != `"`+docDeferred+`"` {
			t.Errorf("%s", got.Body)
		}
		if len(s.events()) != before+1 || len(h.expired) > 0 {
			t.Errorf("%d events, expired %v", len(s.events())-before, h.expired)
		}
		h.locked = false
		s.Do("PATCH", path, `{"po_number": "7", "status": "pending"}`).WantStatus(200)
		if len(h.expired) != 1 {
			t.Errorf("expired %v", h.expired)
		}
		s.Do("DELETE", path, nil).WantStatus(409)
	})
}

func TestWithoutHooksADeferredPaymentLocks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, orderServer(t, d, &API{}))
		orderID := s.create()
		s.write(func(_ context.Context, tx *db.Tx) error {
			order.SetDeferredPayment(tx, s.Merchant.ID, orderID, docDeferred)
			return nil
		})
		s.Do("PATCH", "/v1/payment/orders/"+orderID, `{"status": "paid"}`).WantStatus(409)
	})
}

func TestDeletedOrdersExpireTheirOffer(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := &hooks{}
		s := newShop(t, orderServer(t, d, &API{Orders: h.service()}))
		orderID := s.create()
		s.write(func(_ context.Context, tx *db.Tx) error {
			order.SetOffer(tx, s.Merchant.ID, orderID, docOffer)
			return nil
		})
		s.Do("DELETE", "/v1/payment/orders/"+orderID, `{broken`).Want(204, "")
		if len(h.expired) != 1 || !strings.HasSuffix(h.expired[0], orderID+" "+docOffer) {
			t.Errorf("expired %v", h.expired)
		}
		s.create()
	})
}

const (
	shownCompany      = `{"id": "` + docCompany + `", "name": "Hokodo Ltd"}`
	shownUser         = `{"id": "` + docUser + `", "email": "a_mail@example.com", "unique_id": "", "name": "A name", "phone": "+44123456789", "registered": "2018-07-01T12:12:12Z", "type": "registered"}`
	organisationStart = `{"id": "` + docOrganisation + `", "unique_id": "team", "registered": "2022-06-01T14:37:12Z", "name": "Organisation name", "company": `
	organisationEnd   = `, "users": ["` + docUser + `"]}`
)

// expanding is an API whose companies, offers and deferred payments show
// themselves with the names that are expanded in them.
func expanding() *API {
	named := func(objectID string, e api.Expand) (any, error) {
		inside := []string{}
		for name := range e {
			inside = append(inside, name)
		}
		return map[string]any{"id": objectID, "inside": inside}, nil
	}
	return &API{
		CompanyObject: func(_ View, _ *db.Tx, companyID string) (any, error) {
			return json.RawMessage(strings.Replace(shownCompany, docCompany, companyID, 1)), nil
		},
		OfferObject:    func(_ View, _ *db.Tx, offerID string, e api.Expand) (any, error) { return named(offerID, e) },
		DeferredObject: func(_ View, _ *db.Tx, deferredID string, e api.Expand) (any, error) { return named(deferredID, e) },
	}
}

func TestExpandedOrders(t *testing.T) {
	t.Parallel()
	full := organisationStart + shownCompany + organisationEnd
	plain := organisationStart + `"` + docCompany + `"` + organisationEnd
	organisationID, userID := `"organisation": "`+docOrganisation+`"`, `"user": "`+docUser+`"`
	paid := changed(t, shownDraft, `"payment_offer": null`, `"payment_offer": "`+docOffer+`"`,
		`"deferred_payment": null`, `"deferred_payment": "`+docDeferred+`"`)
	cases := map[string][]string{
		"customer":                              {organisationID, `"organisation": ` + full, userID, `"user": ` + shownUser},
		"customer.organisation":                 {organisationID, `"organisation": ` + plain},
		"customer.organisation.company":         {organisationID, `"organisation": ` + full},
		"customer.user":                         {userID, `"user": ` + shownUser},
		"payment_offer":                         {`"` + docOffer + `"`, `{"id": "` + docOffer + `", "inside": []}`},
		"deferred_payment":                      {`"` + docDeferred + `"`, `{"id": "` + docDeferred + `", "inside": []}`},
		"deferred_payment.payment_plan":         {`"` + docDeferred + `"`, `{"id": "` + docDeferred + `", "inside": ["payment_plan"]}`},
		"customer.user,unknown, payment_offer,": {userID, `"user": ` + shownUser},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, orderServer(t, d, expanding()))
		s.Do("POST", "/v1/payment/orders?expand=customer", draftOrder).Want(201, shownDraft)
		path := "/v1/payment/orders/" + docOrder
		s.Do("GET", path+"?expand=payment_offer,deferred_payment", nil).Want(200, shownDraft)
		s.write(func(ctx context.Context, tx *db.Tx) error {
			o, err := order.Find(ctx, tx, s.Merchant.ID, "48b0ce9a-f8a3-4dff-be56-26af747b3d98")
			order.SetOffer(tx, s.Merchant.ID, o.ID, docOffer)
			order.SetDeferredPayment(tx, s.Merchant.ID, o.ID, docDeferred)
			return err
		})
		for names, changes := range cases {
			want := changed(t, paid, changes...)
			query := "?expand=" + strings.ReplaceAll(names, " ", "%20")
			s.Do("GET", path+query, nil).Want(200, want)
			s.Do("GET", "/v1/payment/orders"+query, nil).Want(200, `{"count":1,"next":null,"previous":null,"results":[`+want+`]}`)
		}
		s.Do("PATCH", path+"?expand=customer", `{}`).Want(200, paid)
	})
}

// TestPartiesThatAreGone keeps orders readable whose organisation was deleted.
func TestPartiesThatAreGone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := expanding()
		s := newShop(t, orderServer(t, d, a))
		s.Do("POST", "/v1/payment/orders", draftOrder).Want(201, shownDraft)
		s.write(func(ctx context.Context, tx *db.Tx) error {
			if err := a.Parties.DeleteOrganisation(ctx, tx, s.Merchant.ID, s.organisation.ID, apitest.Start); err != nil {
				return err
			}
			return a.Parties.DeleteUser(ctx, tx, s.Merchant.ID, s.user.ID, apitest.Start)
		})
		s.Do("GET", "/v1/payment/orders/"+docOrder+"?expand=customer", nil).Want(200, shownDraft)
	})
}

func TestNotifiedOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		a := expanding()
		s := newShop(t, orderServer(t, d, a))
		orderID := s.Do("POST", "/v1/payment/orders", paidOrder).Want(201, shownPaid("directdebit")).ID()
		s.write(func(_ context.Context, tx *db.Tx) error {
			order.SetOffer(tx, s.Merchant.ID, orderID, docOffer)
			order.SetDeferredPayment(tx, s.Merchant.ID, orderID, docDeferred)
			return nil
		})
		ctx := context.Background()
		err := d.Read(ctx, func(tx *db.Tx) error {
			v := View{Context: ctx, Merchant: s.Merchant.Merchant, Now: apitest.Start}
			object, err := a.NotifiedOrder(v, tx, orderID)
			if err != nil {
				return err
			}
			got, err := api.Encode(object)
			if err != nil {
				return err
			}
			for field, want := range map[string]string{
				"url": "", "id": `"` + orderID + `"`, "created": `"2026-03-02T09:30:00Z"`,
				"customer.organisation.company": `"` + docCompany + `"`, "customer.organisation.users.0": `"` + s.user.ID + `"`,
				"customer.user.type": `"registered"`, "customer.billing_address": at(t, got, "customer.invoice_address"),
				"payment_offer.id": `"` + docOffer + `"`, "payment_offer.inside": "[]",
				"deferred_payment.id": `"` + docDeferred + `"`, "deferred_payment.inside": `["payment_plan"]`,
				"customer.invoice_address.city": `"London"`,
			} {
				if at(t, got, field) != want {
					t.Errorf("%s: %s, want %s", field, at(t, got, field), want)
				}
			}
			if _, err := a.NotifiedOrder(v, tx, "order-gone"); !errors.Is(err, db.ErrNoRows) {
				t.Errorf("an order that is gone: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}
