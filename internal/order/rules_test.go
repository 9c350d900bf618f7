package order

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func pointer[T any](v T) *T { return &v }

// documented is the order of the reference document, its tax contradiction
// (items 2000 + 400, order 2000) included.
func documented() Order {
	address := &Address{Name: "John Smith", AddressLine1: "1 Station Street", AddressLine2: "Flat B", City: "London", Postcode: "SE11 6NQ", Country: "GB"}
	return Order{
		UniqueID: "876987-987uinjojna-I8UH98Jnj",
		Customer: Customer{Type: "registered", Organisation: "org-ypTaHiLv5kgqSn4TzCr7xb", User: "user-nNqgg5AFymQMumaU7EdrLa", DeliveryAddress: address, InvoiceAddress: address},
		Status:   StatusDraft, PayMethod: PayMethodUnknown, Currency: "GBP",
		TotalAmount: 12000, TaxAmount: pointer(int64(2000)), OrderDate: pointer("2018-04-25"),
		Items: []Item{
			{ItemID: "1", Type: ItemProduct, Quantity: "10.000", UnitPrice: "1000", TaxRate: "20.00", TotalAmount: 10000, TaxAmount: 2000, Metadata: json.RawMessage(`{"color": "black"}`)},
			{ItemID: "2", Type: ItemShipping, Quantity: "1.000", UnitPrice: "2000", TaxRate: "20.00", TotalAmount: 2000, TaxAmount: 400},
		},
	}
}

func TestDocumentedOrdersAreSound(t *testing.T) {
	t.Parallel()
	webhook := Order{TotalAmount: 1000, TaxAmount: pointer(int64(200)), Items: []Item{{ItemID: "0", Quantity: "10.000", UnitPrice: "100", TaxRate: "25.00", TotalAmount: 1000, TaxAmount: 200}}}
	historical := Order{Status: StatusPaid, TotalAmount: 12000, TaxAmount: pointer(int64(2000))}
	for name, o := range map[string]Order{"order": documented(), "webhook": webhook, "historical": historical} {
		if problems := CheckAmounts(o); len(problems) > 0 {
			t.Errorf("%s: %v", name, problems)
		}
	}
}

func TestCheckAmounts(t *testing.T) {
	t.Parallel()
	sum := func(sum, total int64) Problem {
		return Problem{-1, "total_amount", fmt.Sprintf("Sum of items total_amount [%d] does not match order total_amount [%d].", sum, total)}
	}
	for name, c := range map[string]struct {
		change func(*Order)
		want   []Problem
	}{
		"the documented error": {func(o *Order) {
			o.Items[0].UnitPrice, o.Items[0].TotalAmount = "1084", 13010
		}, []Problem{{0, "total_amount", "Item 1 unit_price [1084] and quantity [10.000] does not match total_amount [13010]."}}},
		"the second item, decimals as stored": {func(o *Order) {
			o.Items[1].UnitPrice, o.Items[1].Quantity = "2000.50000", "2"
		}, []Problem{{1, "total_amount", "Item 2 unit_price [2000.5] and quantity [2.000] does not match total_amount [2000]."}}},
		"items do not sum":   {func(o *Order) { o.TotalAmount = 12001 }, []Problem{sum(12000, 12001)}},
		"one unit is let by": {func(o *Order) { o.Items[0].TotalAmount, o.TotalAmount = 10001, 12001 }, nil},
		"two units are not": {func(o *Order) { o.Items[0].TotalAmount, o.TotalAmount = 10002, 12002 },
			[]Problem{{0, "total_amount", "Item 1 unit_price [1000] and quantity [10.000] does not match total_amount [10002]."}}},
		"a discount": {func(o *Order) {
			o.Items = append(o.Items, Item{ItemID: "3", Type: ItemDiscount, Quantity: "1", UnitPrice: "-500", TotalAmount: -500})
			o.TotalAmount = 11500
		}, nil},
		"tax above the total": {func(o *Order) { o.TaxAmount = pointer(int64(12001)) },
			[]Problem{{-1, "tax_amount", "Order tax_amount [12001] is larger than total_amount [12000]."}}},
		"not a number": {func(o *Order) { o.Items[0].Quantity = "ten" },
			[]Problem{{0, "total_amount", "Item 1 unit_price [1000] and quantity [ten] does not match total_amount [10000]."}}},
		"a sum beyond 64 bits": {func(o *Order) {
			huge := Item{ItemID: "9", Quantity: "100000000000.000", UnitPrice: "90000000", TotalAmount: 9_000_000_000_000_000_000}
			o.Items = []Item{huge, huge}
		}, []Problem{{-1, "total_amount", "Sum of items total_amount is too large."}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := documented()
			c.change(&o)
			if diff := cmp.Diff(c.want, CheckAmounts(o)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestItemPriceIsRoundedHalfUp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		quantity, unitPrice string
		want                int64
	}{
		{"10.000", "1000", 10000},
		{"0.500", "1", 1},
		{"0.499", "1", 0},
		{"3.000", "33.33333", 100},
		{"1.500", "-1", -2},
		{"0.333", "1000.50000", 333},
	} {
		got, err := Item{Quantity: c.quantity, UnitPrice: c.unitPrice}.Price()
		if err != nil || got != c.want {
			t.Errorf("%s × %s = %d, %v; want %d", c.quantity, c.unitPrice, got, err, c.want)
		}
	}
}

func TestItemPriceAgreesWithExactFractions(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		quantity := rapid.Int64Range(-1e12, 1e12).Draw(t, "quantity")
		price := rapid.Int64Range(-1e14, 1e14).Draw(t, "price")
		item := Item{Quantity: fixed(quantity, 3), UnitPrice: fixed(price, 5)}
		exact := new(big.Rat).SetFrac(new(big.Int).Mul(big.NewInt(quantity), big.NewInt(price)), big.NewInt(productScale))
		rounded, ok := new(big.Int).SetString(exact.FloatString(0), 10) // rounds halves away from zero
		if !ok {
			t.Fatalf("cannot read %s", exact.FloatString(0))
		}
		got, err := item.Price()
		if !rounded.IsInt64() {
			if err == nil {
				t.Fatalf("%v: no error beyond 64 bits", item)
			}
			return
		}
		if err != nil || got != rounded.Int64() {
			t.Fatalf("%s × %s = %d, %v; want %s", item.Quantity, item.UnitPrice, got, err, rounded)
		}
		for off := int64(-3); off <= 3; off++ {
			item.TotalAmount = got + off
			if want := -1 <= off && off <= 1; got > math.MinInt64+3 && got < math.MaxInt64-3 && item.matches() != want {
				t.Fatalf("off by %d: matches is %v", off, !want)
			}
		}
	})
}

func fixed(value int64, places int) string {
	return new(big.Rat).SetFrac(big.NewInt(value), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(places)), nil)).FloatString(places)
}

func TestNormalised(t *testing.T) {
	t.Parallel()
	got := Item{ItemID: "1", Quantity: "2", UnitPrice: "10.50000", TaxRate: "20", ReturnedQuantity: "1.000"}.Normalised()
	want := Item{ItemID: "1", Quantity: "2.000", UnitPrice: "10.5", TaxRate: "20.00", FulfilledQuantity: "0.000", CancelledQuantity: "0.000", ReturnedQuantity: "1.000"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if again := got.Normalised(); !cmp.Equal(got, again) {
		t.Errorf("twice is not once: %+v", again)
	}
}

func TestMissingForOffer(t *testing.T) {
	t.Parallel()
	complete := Buyer{HasCompany: true, UserIsMember: true}
	if missing := MissingForOffer(documented(), complete); len(missing) > 0 {
		t.Errorf("a complete order lacks %v", missing)
	}
	everything := []string{"customer.organisation", "customer.user", "customer.delivery_address", "customer.invoice_address", "currency", "total_amount", "tax_amount", "order_date", "items"}
	if diff := cmp.Diff(everything, MissingForOffer(Order{}, Buyer{})); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"customer.organisation.company", "customer.user"}, MissingForOffer(documented(), Buyer{})); diff != "" {
		t.Error(diff)
	}
	untaxed := documented()
	untaxed.TaxAmount = pointer(int64(0))
	if missing := MissingForOffer(untaxed, complete); len(missing) > 0 {
		t.Errorf("no tax is a tax: %v", missing)
	}
}

func TestChangedFields(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change  func(*Order)
		changed []string
		expires bool
		locked  []string
	}{
		"nothing": {func(*Order) {}, []string{}, false, []string{}},
		"the same in other words": {func(o *Order) {
			o.Items[0].Quantity, o.Items[0].Metadata = "10", json.RawMessage(`{ "color":"black" }`)
			o.Metadata = json.RawMessage("null")
			o.Customer.InvoiceAddress = pointer(*o.Customer.InvoiceAddress)
			o.OrderDate, o.TaxAmount = pointer("2018-04-25"), pointer(int64(2000))
		}, []string{}, false, []string{}},
		"unique_id":    {func(o *Order) { o.UniqueID = "other" }, []string{"unique_id"}, false, []string{}},
		"free to edit": {func(o *Order) { o.PONumber, o.Metadata = "P-1", json.RawMessage(`{}`) }, []string{"metadata", "po_number"}, false, []string{"metadata", "po_number"}},
		"items and total": {func(o *Order) { o.Items, o.TotalAmount = o.Items[:1], 10000 },
			[]string{"total_amount", "items"}, true, []string{"total_amount", "items"}},
		"an address": {func(o *Order) { o.Customer.DeliveryAddress = &Address{} }, []string{"customer"}, true, []string{"customer"}},
		"a date":     {func(o *Order) { o.PaidDate = pointer("2018-05-01") }, []string{"paid_date"}, true, []string{"paid_date"}},
		"shipped":    {func(o *Order) { o.Items[0].FulfilledQuantity = "3.000" }, []string{}, false, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			after := documented()
			c.change(&after)
			changed := ChangedFields(documented(), after)
			if diff := cmp.Diff(c.changed, changed); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.locked, Locked(changed)); diff != "" {
				t.Errorf("locked: %s", diff)
			}
			if ExpiresOffer(changed) != c.expires {
				t.Errorf("expires the offer: %v", !c.expires)
			}
		})
	}
}

func TestStoredOrderComesBack(t *testing.T) {
	t.Parallel()
	o := documented()
	o.Items[0].FulfillmentInfo = []Movement{{Quantity: "1.000", TotalAmount: 1000, ShippingID: "DX"}}
	body, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var back Order
	if err := json.Unmarshal(body, &back); err != nil {
		t.Fatal(err)
	}
	if changed := ChangedFields(o, back); len(changed) > 0 {
		t.Errorf("changed by storing: %v", changed)
	}
	if diff := cmp.Diff(o.Items[0].FulfillmentInfo, back.Items[0].FulfillmentInfo); diff != "" {
		t.Error(diff)
	}
}
