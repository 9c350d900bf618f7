package bnpl

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/api"
	"tradecredit/internal/api/apitest"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/event"
	"tradecredit/internal/id"
	"tradecredit/internal/merchant"
	"tradecredit/internal/order"
	"tradecredit/internal/party"
)

// Identifiers of the reference document.
const (
	docOrder        = "order-yQKxbtCg9aTS5JYnsRVA9B"
	docOrganisation = "org-ypTaHiLv5kgqSn4TzCr7xb"
	docUser         = "user-nNqgg5AFymQMumaU7EdrLa"
	docCompany      = "co-Toq88Ko9RKoukP9AagxJoM"
	docOffer        = "offr-bqRyHAGaFrDEN8JNjXJirp"
	docDeferred     = "defpay-8BvTZ9T6K5gj6LeSqvfqzm"
)

// shop is a merchant with an organisation and a user, named as in the document.
type shop struct {
	*apitest.Client
	t            *testing.T
	server       *apitest.Server
	organisation party.Organisation
	user         party.User
}

func orderServer(t *testing.T, d *db.DB, a *API) *apitest.Server {
	t.Helper()
	if a.Parties == nil {
		a.Parties = &party.Service{}
	}
	if a.Orders == nil {
		a.Orders = &order.Service{}
	}
	return apitest.New(t, d, func(c *api.Config) {
		c.Routes = a.orderRoutes()
		c.References = api.References{
			id.Organisation: a.Parties.OrganisationExists,
			id.User:         a.Parties.UserExists,
		}
		c.Taken = a.orderTaken()
	})
}

func newShop(t *testing.T, server *apitest.Server) *shop {
	t.Helper()
	s := &shop{Client: server.Merchant(merchant.BNPL), t: t, server: server}
	s.write(func(ctx context.Context, tx *db.Tx) (err error) {
		var parties party.Service
		m, now := s.Merchant.ID, apitest.Start
		s.organisation, _, err = parties.PutOrganisation(ctx, tx, m, "team", now, func(o *party.OrganisationDetails, _ bool) error {
			o.UniqueID, o.Registered, o.Name = "team", time.Date(2022, 6, 1, 14, 37, 12, 0, time.UTC), "Organisation name"
			o.CompanyID = docCompany
			return nil
		})
		if err != nil {
			return err
		}
		s.user, _, err = parties.PutUser(ctx, tx, m, "a_mail@example.com", now, func(u *party.UserDetails, _ bool) ([]party.Grant, error) {
			u.Email, u.Name, u.Phone = "a_mail@example.com", "A name", "+44123456789"
			u.Registered = time.Date(2018, 7, 1, 12, 12, 12, 0, time.UTC)
			return []party.Grant{{OrganisationID: s.organisation.ID, Role: party.Member}}, nil
		})
		return err
	})
	s.Bind(docOrganisation, s.organisation.ID)
	s.Bind(docUser, s.user.ID)
	return s
}

func (s *shop) write(fn func(ctx context.Context, tx *db.Tx) error) {
	s.t.Helper()
	ctx := context.Background()
	if err := s.server.DB.Write(ctx, func(tx *db.Tx) error { return fn(ctx, tx) }); err != nil {
		s.t.Fatal(err)
	}
}

// events are the merchant's events in their order.
func (s *shop) events() (out []event.Event) {
	s.t.Helper()
	s.write(func(ctx context.Context, tx *db.Tx) error {
		if _, err := event.Chain(ctx, tx, s.Merchant.ID, 1000); err != nil {
			return err
		}
		all, err := event.Feed(ctx, tx, s.Merchant.ID, 0, 1000)
		for _, e := range all {
			if strings.HasPrefix(e.Type, "order.") {
				out = append(out, e)
			}
		}
		return err
	})
	return out
}

// create makes the documented draft order and returns its id.
func (s *shop) create(changes ...string) string {
	s.t.Helper()
	return s.Do("POST", "/v1/payment/orders", edited(s.t, draftOrder, changes...)).WantStatus(201).ID()
}

// edited is a JSON object with keys replaced: pairs of a dotted path and the
// JSON of its value, "" for none.
func edited(t *testing.T, body string, changes ...string) string {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(body), &object); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(changes); i += 2 {
		at, path := any(object), strings.Split(changes[i], ".")
		for _, key := range path[:len(path)-1] {
			if list, ok := at.([]any); ok {
				var n int
				fmt.Sscan(key, &n)
				at = list[n]
				continue
			}
			at = at.(map[string]any)[key]
		}
		parent, last := at.(map[string]any), path[len(path)-1]
		if changes[i+1] == "" {
			delete(parent, last)
			continue
		}
		parent[last] = json.RawMessage(changes[i+1])
	}
	out, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

const sentAddress = `{"name": "John Smith", "address_line1": "1 Station Street", "address_line2": "Flat B",
	"city": "London", "postcode": "SE11 6NQ", "country": "GB"}`

const shownAddress = `{"name": "John Smith", "company_name": "", "address_line1": "1 Station Street", "address_line2": "Flat B",
	"address_line3": "", "city": "London", "region": "", "postcode": "SE11 6NQ", "country": "GB", "phone": "", "email": ""}`

// draftOrder is the document's new order of a registered user.
const draftOrder = `{
  "unique_id": "48b0ce9a-f8a3-4dff-be56-26af747b3d98",
  "customer": {
    "type": "registered",
    "organisation": "` + docOrganisation + `",
    "user": "` + docUser + `",
    "delivery_address": ` + sentAddress + `
  },
  "status": "draft", "currency": "GBP", "total_amount": 12000, "tax_amount": 2000, "order_date": "2018-04-25",
  "items": [
    {
      "item_id": "1", "type": "product", "description": "Super ergonomic chair",
      "metadata": {"color": "black", "name": "Karmus", "variant": "M"},
      "reference": "702.611.50", "category": "Furniture > Chairs", "supplier_id": "7363",
      "quantity": "10.000", "unit_price": 1000, "tax_rate": "20.00", "total_amount": 10000, "tax_amount": 2000,
      "fulfilled_quantity": 0, "fulfillment_info": null, "cancelled_quantity": 0, "cancelled_info": null,
      "returned_quantity": 0, "returned_info": null
    },
    {
      "item_id": "2", "type": "shipping", "description": "Delivery fee",
      "quantity": "1.000", "unit_price": 2000, "tax_rate": "20.00", "total_amount": 2000, "tax_amount": 400,
      "fulfilled_quantity": 0, "fulfillment_info": null, "cancelled_quantity": 0, "cancelled_info": null,
      "returned_quantity": 0, "returned_info": null
    }
  ],
  "metadata": {
    "customer_id": "2055b445-3d95-4d2f-bd80-3e336217905f",
    "checkout_id": "c0185e68-89aa-42d5-93e9-476d01d4c97f"
  }
}`

// shownDraft is the answer to it. Quantities are decimals and an absent
// pay_method is unknown, where the document's own examples differ among
// themselves.
var shownDraft = shownOrder(docOrder, "48b0ce9a-f8a3-4dff-be56-26af747b3d98")

func shownOrder(orderID, uniqueID string) string {
	return `{
  "url": "https://api.example/v1/payment/orders/` + orderID + `",
  "id": "` + orderID + `",
  "unique_id": "` + uniqueID + `",
  "customer": {
    "type": "registered", "organisation": "` + docOrganisation + `", "user": "` + docUser + `",
    "delivery_address": ` + shownAddress + `
  },
  "status": "draft", "pay_method": "unknown", "currency": "GBP", "total_amount": 12000, "tax_amount": 2000,
  "order_date": "2018-04-25", "invoice_date": null, "due_date": null, "paid_date": null,
  "items": [
    {
      "item_id": "1", "type": "product", "description": "Super ergonomic chair",
      "metadata": {"color": "black", "name": "Karmus", "variant": "M"},
      "reference": "702.611.50", "category": "Furniture > Chairs", "supplier_id": "7363", "supplier_name": "",
      "quantity": "10.000", "unit_price": 1000, "tax_rate": "20.00", "total_amount": 10000, "tax_amount": 2000,
      "fulfilled_quantity": "0.000", "fulfillment_info": null, "cancelled_quantity": "0.000", "cancelled_info": null,
      "returned_quantity": "0.000", "returned_info": null
    },
    {
      "item_id": "2", "type": "shipping", "description": "Delivery fee", "metadata": {},
      "reference": "", "category": "", "supplier_id": "", "supplier_name": "",
      "quantity": "1.000", "unit_price": 2000, "tax_rate": "20.00", "total_amount": 2000, "tax_amount": 400,
      "fulfilled_quantity": "0.000", "fulfillment_info": null, "cancelled_quantity": "0.000", "cancelled_info": null,
      "returned_quantity": "0.000", "returned_info": null
    }
  ],
  "metadata": {
    "customer_id": "2055b445-3d95-4d2f-bd80-3e336217905f",
    "checkout_id": "c0185e68-89aa-42d5-93e9-476d01d4c97f"
  },
  "po_number": "", "payment_offer": null, "deferred_payment": null
}`
}

// paidOrder is the document's minimal historical order.
const paidOrder = `{
  "unique_id": "876987-987uinjojna-I8UH98Jnj",
  "customer": {
    "type": "registered", "organisation": "` + docOrganisation + `", "user": "` + docUser + `",
    "delivery_address": ` + sentAddress + `, "invoice_address": ` + sentAddress + `
  },
  "status": "paid", "currency": "GBP", "total_amount": 12000, "tax_amount": 2000,
  "order_date": "2018-04-25", "invoice_date": "2018-04-25", "due_date": "2018-05-25", "paid_date": "2018-06-10",
  "pay_method": "directdebit"
}`

func shownPaid(payMethod string) string {
	return `{
  "url": "https://api.example/v1/payment/orders/` + docOrder + `",
  "id": "` + docOrder + `", "unique_id": "876987-987uinjojna-I8UH98Jnj",
  "customer": {
    "type": "registered", "organisation": "` + docOrganisation + `", "user": "` + docUser + `",
    "delivery_address": ` + shownAddress + `, "invoice_address": ` + shownAddress + `
  },
  "status": "paid", "pay_method": "` + payMethod + `", "currency": "GBP", "total_amount": 12000, "tax_amount": 2000,
  "order_date": "2018-04-25", "invoice_date": "2018-04-25", "due_date": "2018-05-25", "paid_date": "2018-06-10",
  "items": [], "metadata": {}, "po_number": "", "payment_offer": null, "deferred_payment": null
}`
}

func TestDocumentedOrders(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, orderServer(t, d, &API{}))
		made := s.Do("POST", "/v1/payment/orders/", draftOrder).Want(201, shownDraft)
		if got, want := made.Header.Get("Location"), made.Text("url"); got != want {
			t.Errorf("Location %s, want %s", got, want)
		}
		s.Do("GET", "/v1/payment/orders/"+docOrder, nil).Want(200, shownDraft)
		s.Do("GET", "/v1/payment/orders", nil).Want(200, `{"count":1,"next":null,"previous":null,"results":[`+shownDraft+`]}`)
		s.Do("DELETE", "/v1/payment/orders/"+docOrder, nil).Want(204, "")
		for _, method := range []string{"GET", "PATCH", "PUT", "DELETE"} {
			s.Do(method, "/v1/payment/orders/"+docOrder, nil).Want(404, `{"detail":"Not found."}`)
		}
		s.Do("GET", "/v1/payment/orders", nil).Want(200, `{"count":0,"next":null,"previous":null,"results":[]}`)

		var got []string
		for _, e := range s.events() {
			got = append(got, e.Type)
			want := strings.ReplaceAll(string(made.Body), "https://api.example", "")
			if e.ObjectID != made.ID() || e.RootID != made.ID() || string(e.Data) != want {
				t.Errorf("%s of %s in %s: %s", e.Type, e.ObjectID, e.RootID, e.Data)
			}
		}
		if diff := cmp.Diff([]string{order.EventCreated, order.EventDeleted}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestHistoricalOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, orderServer(t, d, &API{}))
		s.Do("POST", "/v1/payment/orders", paidOrder).Want(201, shownPaid("directdebit"))
		path := "/v1/payment/orders/" + docOrder
		s.Do("PATCH", path, `{"status": "paid", "paid_date": "2018-06-10", "pay_method": "bank"}`).Want(200, shownPaid("bank"))
		s.Do("PATCH", path, `{"pay_method": ""}`).Want(200, shownPaid(""))
		for _, nothing := range []any{nil, `{}`, `{"pay_method": "", "url": 5, "payment_offer": "x", "colour": []}`} {
			s.Do("PATCH", path, nothing).Want(200, shownPaid(""))
		}
		if got := len(s.events()); got != 3 {
			t.Errorf("%d events: nothing that changes nothing is one", got)
		}
		// PUT keeps what it need not name.
		s.Do("PUT", path, edited(t, paidOrder, "pay_method", "", "customer.delivery_address", "")).Want(200, shownPaid(""))
		s.Do("PUT", path, `{"status": "paid"}`).Want(400, `{
			"unique_id": ["This field is required."], "customer": ["This field is required."],
			"currency": ["This field is required."], "total_amount": ["This field is required."],
			"tax_amount": ["This field is required."], "order_date": ["This field is required."]}`)
	})
}

// TestSpellings creates orders in other words and looks at what became of them.
func TestSpellings(t *testing.T) {
	t.Parallel()
	big := `"` + strings.Repeat("x", 16<<10-2) + `"`
	item := func(field, value string) []string { return []string{"items.0." + field, value} }
	cases := []struct {
		name    string
		changes []string
		path    string
		want    string
	}{
		{"amounts as text", []string{"total_amount", `"12000"`, "tax_amount", `" +2_000 "`}, "total_amount", `12000`},
		{"an amount as a float", []string{"total_amount", `12000.0`}, "total_amount", `12000`},
		{"unit_price as text", item("unit_price", `"1000.00000"`), "items.0.unit_price", `1000`},
		{"unit_price with five places", []string{"items.0.unit_price", `"999.96250"`}, "items.0.unit_price", `"999.9625"`},
		{"unit_price as a float", item("unit_price", `1000.05`), "items.0.unit_price", `"1000.05"`},
		{"quantity as a number", item("quantity", `10`), "items.0.quantity", `"10.000"`},
		{"tax_rate as a number", item("tax_rate", `5.5`), "items.0.tax_rate", `"5.50"`},
		{"item_id as a number", item("item_id", `7`), "items.0.item_id", `"7"`},
		{"date without zeros", []string{"order_date", `"2018-4-5"`}, "order_date", `"2018-04-05"`},
		{"country by name", []string{"customer.delivery_address.country", `"united kingdom"`}, "customer.delivery_address.country", `"GB"`},
		{"country by three letters", []string{"customer.delivery_address.country", `"FRA"`}, "customer.delivery_address.country", `"FR"`},
		{"text is trimmed", []string{"po_number", `"  P-45612 "`}, "po_number", `"P-45612"`},
		{"no delivery address", []string{"customer.delivery_address", ""}, "customer.delivery_address", `null`},
		{"null delivery address", []string{"customer.delivery_address", "null"}, "customer.delivery_address", `null`},
		{"guest", []string{"customer.type", `"guest"`}, "customer.type", `"guest"`},
		{"blank pay_method", []string{"pay_method", `""`}, "pay_method", `""`},
		{"no pay_method", nil, "pay_method", `"unknown"`},
		{"no items", []string{"items", "[]"}, "items", `[]`},
		{"no metadata", []string{"metadata", ""}, "metadata", `{}`},
		{"null metadata", []string{"metadata", "null"}, "metadata", `null`},
		{"metadata as text", []string{"metadata", `"Shipment #1"`}, "metadata", `"Shipment #1"`},
		{"metadata as a list", []string{"metadata", `[1, {"a": null}]`}, "metadata", `[1,{"a":null}]`},
		{"metadata keeps its order and letters", []string{"metadata", `{"z":"<b>&\u00e9\ud83d\ude00","a":12345678901234567890}`}, "metadata",
			`{"z":"<b>&é😀","a":12345678901234567890}`},
		{"metadata of 16 KB", []string{"metadata", big}, "metadata", big},
		{"null item metadata", item("metadata", "null"), "items.0.metadata", `null`},
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, orderServer(t, d, &API{}))
		for n, c := range cases {
			body := edited(t, draftOrder, append(c.changes, "unique_id", fmt.Sprintf(`"order %d"`, n))...)
			made := s.Do("POST", "/v1/payment/orders", body).WantStatus(201)
			again := s.Do("GET", "/v1/payment/orders/"+made.ID(), nil).WantStatus(200)
			if diff := cmp.Diff(string(made.Body), string(again.Body)); diff != "" {
				t.Errorf("%s: %s", c.name, diff)
			}
			if c.want != "" && at(t, made.Body, c.path) != c.want {
				t.Errorf("%s: %s, want %s", c.name, at(t, made.Body, c.path), c.want)
			}
		}
	})
}

// at is the JSON at a dotted path of a body.
func at(t *testing.T, body []byte, path string) string {
	t.Helper()
	for _, key := range strings.Split(path, ".") {
		var object map[string]json.RawMessage
		var list []json.RawMessage
		if json.Unmarshal(body, &list) == nil && body[0] == '[' {
			var n int
			fmt.Sscan(key, &n)
			body = list[n]
			continue
		}
		if err := json.Unmarshal(body, &object); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		body = object[key]
	}
	return string(body)
}

func TestRefusedOrders(t *testing.T) {
	t.Parallel()
	const mismatch = `"Item 1 unit_price [1084] and quantity [10.000] does not match total_amount [13010]."`
	cases := []struct {
		name    string
		changes []string
		want    string
	}{
		{"the documented error", []string{
			"customer.organisation", `"org-AgBGknk7D8KixY2ntbJtmA"`, "customer.user", `"xyz"`,
			"items", `[{"item_id": 1, "type": "product", "description": "Chair", "quantity": "10.000", "unit_price": 1084,
				"tax_rate": "20.00", "total_amount": 13010, "tax_amount": 2000}]`,
		}, `{"organisation": ["Invalid pk \"org-AgBGknk7D8KixY2ntbJtmA\" - object does not exist."],
			"user": ["Bad prefix. Expected a UUID prefixed by \"user\", but got xyz."],
			"items": [{"total_amount": ` + mismatch + `}]}`},
		{"a good item beside a bad one", []string{"items.0.unit_price", "1084", "items.0.total_amount", "13010"},
			`{"items": [{"total_amount": ` + mismatch + `}, {}]}`},
		{"an item that cannot be read hides the sums", []string{"items.0.total_amount", "13010", "items.1.quantity", `"x"`},
			`{"items": [{}, {"quantity": ["A valid number is required."]}]}`},
		{"items that are not the total", []string{"total_amount", "12001"},
			`{"total_amount": ["Sum of items total_amount [12000] does not match order total_amount [12001]."]}`},
		{"tax above the total", []string{"tax_amount", "12001"},
			`{"tax_amount": ["Order tax_amount [12001] is larger than total_amount [12000]."]}`},
		{"nothing negative", []string{"total_amount", "-1", "tax_amount", "-1", "items.0.quantity", "-1", "items.0.tax_rate", "-1"},
			`{"total_amount": ["Ensure this value is greater than or equal to 0."],
			"tax_amount": ["Ensure this value is greater than or equal to 0."],
			"items": [{"quantity": ["Ensure this value is greater than or equal to 0."],
				"tax_rate": ["Ensure this value is greater than or equal to 0."]}, {}]}`},
		{"too large", []string{"total_amount", "9007199254740993", "items.0.total_amount", "99999999999999999999"},
			`{"total_amount": ["Ensure this value is less than or equal to 9007199254740992."],
			"items": [{"total_amount": ["Ensure this value is less than or equal to 9007199254740992."]}, {}]}`},
		{"too many places", []string{"items.0.unit_price", `"1.000000"`, "items.0.quantity", `"1.0000"`},
			`{"items": [{"quantity": ["Ensure that there are no more than 3 decimal places."],
			"unit_price": ["Ensure that there are no more than 5 decimal places."]}, {}]}`},
		{"customer missing", []string{"customer", ""}, `{"customer": ["This field is required."]}`},
		{"customer null", []string{"customer", "null"}, `{"customer": ["This field may not be null."]}`},
		{"customer no object", []string{"customer", `"user"`},
			`{"customer": {"non_field_errors": ["Invalid data. Expected a dictionary, but got str."]}}`},
		{"customer empty", []string{"customer", `{}`},
			`{"type": ["This field is required."], "organisation": ["This field is required."], "user": ["This field is required."]}`},
		{"customer's words", []string{"customer.type", `"vip"`, "customer.organisation", `""`, "customer.user", "5"},
			`{"type": ["\"vip\" is not a valid choice."], "organisation": ["This field may not be null."],
			"user": ["Bad prefix. Expected a UUID prefixed by \"user\", but got 5."]}`},
		{"address", []string{"customer.delivery_address", `{"city": " ", "country": "XX", "email": "x", "phone": null}`},
			`{"delivery_address": {"name": ["This field is required."], "address_line1": ["This field is required."],
			"city": ["This field may not be blank."], "postcode": ["This field is required."],
			"country": ["\"XX\" is not a valid choice."], "phone": ["This field may not be null."], "email": ["Enter a valid email address."]}}`},
		{"words", []string{"unique_id", `" "`, "status", `"new"`, "pay_method", "null", "currency", `"gbp"`, "po_number", "null"},
			`{"unique_id": ["This field may not be blank."], "status": ["\"new\" is not a valid choice."],
			"pay_method": ["This field may not be null."], "currency": ["\"gbp\" is not a valid choice."],
			"po_number": ["This field may not be null."]}`},
		{"dates", []string{"order_date", `"2018-04-25T00:00:00Z"`, "due_date", `""`, "paid_date", `"2018-02-30"`},
			`{"order_date": ["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."],
			"due_date": ["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."],
			"paid_date": ["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."]}`},
	}
	cases = append(cases, []struct {
		name    string
		changes []string
		want    string
	}{
		{"items no list", []string{"items", `{}`},
			`{"items": {"non_field_errors": ["Expected a list of items but got type \"dict\"."]}}`},
		{"items null", []string{"items", "null"}, `{"items": ["This field may not be null."]}`},
		{"an empty item", []string{"items", `[{}, null, 5]`},
			`{"items": [{"item_id": ["This field is required."], "type": ["This field is required."],
			"description": ["This field is required."], "quantity": ["This field is required."],
			"unit_price": ["This field is required."], "tax_rate": ["This field is required."],
			"total_amount": ["This field is required."], "tax_amount": ["This field is required."]},
			["This field may not be null."], {"non_field_errors": ["Invalid data. Expected a dictionary, but got int."]}]}`},
		{"metadata above 16 KB", []string{"metadata", `"` + strings.Repeat("x", 16<<10-1) + `"`},
			`{"metadata": ["Ensure this field has no more than 16384 bytes (it has 16385)."]}`},
		{"half a character in metadata", []string{"metadata", `"\ud800"`},
			`{"metadata": ["Surrogate characters are not allowed: U+D800."]}`},
		{"unique_id too long", []string{"unique_id", `"` + strings.Repeat("é", 256) + `"`},
			`{"unique_id": ["Ensure this field has no more than 255 characters."]}`},
	}...)
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, orderServer(t, d, &API{}))
		for _, c := range cases {
			t.Log(c.name)
			s.Do("POST", "/v1/payment/orders", edited(t, draftOrder, c.changes...)).Want(400, c.want)
		}
		s.Do("POST", "/v1/payment/orders", `[]`).Want(400,
			`{"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}`)
		s.Do("POST", "/v1/payment/orders", `{"unique_id": }`).Want(400,
			`{"detail": "JSON parse error - Expecting value: line 1 column 15 (char 14)"}`)
		if got := s.events(); len(got) != 0 {
			t.Errorf("refused orders left %d events", len(got))
		}
		s.Do("GET", "/v1/payment/orders", nil).Want(200, `{"count":0,"next":null,"previous":null,"results":[]}`)
	})
}

func TestUniqueID(t *testing.T) {
	t.Parallel()
	const taken = `{"unique_id": ["order with this Unique identifier on platform already exists."]}`
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		server := orderServer(t, d, &API{})
		s, other := newShop(t, server), newShop(t, server)
		first, second := s.create("unique_id", `"a"`), s.create("unique_id", `"b"`)
		other.create("unique_id", `"a"`)
		s.Do("POST", "/v1/payment/orders", edited(t, draftOrder, "unique_id", `" a "`)).Want(400, taken)
		s.Do("PATCH", "/v1/payment/orders/"+second, `{"unique_id": "a"}`).Want(400, taken)
		s.Do("PATCH", "/v1/payment/orders/"+first, `{"unique_id": "a"}`).WantStatus(200)
		s.Do("PUT", "/v1/payment/orders/"+first, edited(t, draftOrder, "unique_id", `"a"`)).WantStatus(200)
		s.Do("PATCH", "/v1/payment/orders/"+first, `{"unique_id": "c"}`).WantStatus(200)
		s.Do("PATCH", "/v1/payment/orders/"+second, `{"unique_id": "a"}`).WantStatus(200)
	})
}

// TestUniqueIDAtTheSameTime has many clients ask for one unique_id at once: one
// gets it, the others get the refusal.
func TestUniqueIDAtTheSameTime(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, orderServer(t, d, &API{}))
		renamed := make([]string, 4)
		for n := range renamed {
			renamed[n] = s.create("unique_id", fmt.Sprintf(`"before %d"`, n))
		}
		const clients = 12
		answers := make([]*apitest.Response, clients)
		var wait sync.WaitGroup
		for n := range clients {
			wait.Go(func() {
				if n < len(renamed) {
					answers[n] = s.Do("PATCH", "/v1/payment/orders/"+renamed[n], `{"unique_id": "same"}`)
					return
				}
				answers[n] = s.Do("POST", "/v1/payment/orders", edited(t, draftOrder, "unique_id", `"same"`))
			})
		}
		wait.Wait()
		good := 0
		for _, a := range answers {
			if a.Status == 200 || a.Status == 201 {
				good++
				continue
			}
			a.Want(400, `{"unique_id": ["order with this Unique identifier on platform already exists."]}`)
		}
		if good != 1 {
			t.Errorf("%d of %d got the same unique_id", good, clients)
		}
	})
}
