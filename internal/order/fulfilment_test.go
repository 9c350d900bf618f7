package order

import (
	"encoding/json"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// sold is the documented order with a discount of its own.
func sold() Order {
	o := documented()
	o.Items = append(o.Items, Item{
		ItemID: "3", Type: ItemDiscount, Quantity: "1.000", UnitPrice: "-600", TaxRate: "20.00", TotalAmount: -600, TaxAmount: -100,
	})
	o.TotalAmount = 11400
	return o.normalised()
}

func line(itemID, quantity string, total, tax int64) Line {
	return Line{ItemID: itemID, Movement: Movement{Quantity: quantity, TotalAmount: total, TaxAmount: tax}}
}

const day = "2026-03-02"

// mustMove moves goods and demands an amount.
func mustMove(t *testing.T, o Order, m Move, lines []Line, want int64) Order {
	t.Helper()
	before, _ := json.Marshal(o)
	next, amount, problems := MoveGoods(o, m, lines, day)
	if len(problems) > 0 || amount != want {
		t.Fatalf("%s: moved %d, want %d: %v", m, amount, want, problems)
	}
	if after, _ := json.Marshal(o); string(before) != string(after) {
		t.Fatalf("the order that was passed in has changed:\n%s\n%s", before, after)
	}
	if problems := CheckAmounts(next); len(problems) > 0 {
		t.Fatal(problems)
	}
	return next
}

func TestMoveGoods(t *testing.T) {
	t.Parallel()
	shipped := line("1", "4", 4000, 667)
	shipped.ShippingID, shipped.ShippingProvider = "DX49581904385", "Postal service"
	o := mustMove(t, sold(), Shipped, []Line{shipped, line("3", "0.5", -300, -50)}, 3700)
	dated := line("1", "1", 1000, 0)
	dated.ShippingDate = "2026-02-27"
	o = mustMove(t, o, Shipped, []Line{dated}, 1000)
	o = mustMove(t, o, Cancelled, []Line{line("1", "2.000", 2000, 333)}, 2000)
	o = mustMove(t, o, Returned, []Line{shipped}, 4000)
	want := sold().Items[0]
	want.FulfilledQuantity, want.CancelledQuantity, want.ReturnedQuantity = "5.000", "2.000", "4.000"
	want.FulfillmentInfo = []Movement{
		{"4.000", 4000, 667, "DX49581904385", "Postal service", day},
		{"1.000", 1000, 0, "", "", "2026-02-27"},
	}
	want.CancelledInfo = []Movement{{Quantity: "2.000", TotalAmount: 2000, TaxAmount: 333}}
	want.ReturnedInfo = []Movement{{Quantity: "4.000", TotalAmount: 4000, TaxAmount: 667}}
	if diff := cmp.Diff(want, o.Items[0]); diff != "" {
		t.Error(diff)
	}
	o = mustMove(t, o, Shipped, nil, 3000+2000-300)
	if got := o.Items[2].FulfillmentInfo[1]; got != (Movement{"0.500", -300, -50, "", "", day}) {
		t.Errorf("the rest of the discount is %+v", got)
	}
	if again := mustMove(t, o, Shipped, nil, 0); !cmp.Equal(again, o) {
		t.Error("nothing was left, and something changed")
	}
	o = mustMove(t, o, Returned, nil, 11400-2000-4000)
	mustMove(t, o, Cancelled, nil, 0)
}

// TestLastTakesTheRest moves an item in parts whose roundings do not add up to it.
func TestLastTakesTheRest(t *testing.T) {
	t.Parallel()
	thirds := Order{TotalAmount: 100, Items: []Item{Item{ItemID: "1", Quantity: "3", UnitPrice: "33.33333", TotalAmount: 100}.Normalised()}}
	for range 2 {
		thirds = mustMove(t, thirds, Shipped, []Line{line("1", "1", 33, 0)}, 33)
	}
	mustMove(t, thirds, Shipped, []Line{line("1", "1", 33, 0)}, 34)

	halves := Order{TotalAmount: 2, Items: []Item{Item{ItemID: "1", Quantity: "4", UnitPrice: "0.5", TotalAmount: 2}.Normalised()}}
	for _, want := range []int64{1, 1, 0, 0} {
		halves = mustMove(t, halves, Shipped, []Line{line("1", "1", 1, 0)}, want)
	}
	// What came to nothing when it was shipped comes to nothing when it is returned.
	mustMove(t, halves, Returned, nil, 2)

	// A line of no goods may be a unit off too, which is not to be left over.
	none := Order{TotalAmount: 1, Items: []Item{Item{ItemID: "1", Quantity: "0", UnitPrice: "5", TotalAmount: 1}.Normalised()}}
	mustMove(t, mustMove(t, none, Shipped, nil, 1), Shipped, nil, 0)
}

func TestSharedItemID(t *testing.T) {
	t.Parallel()
	o := documented().normalised()
	o.Items[1].ItemID = "1"
	o.Items[0], o.Items[1] = o.Items[1], o.Items[0]
	o = mustMove(t, o, Shipped, []Line{line("1", "10", 10000, 0)}, 10000)
	if o.Items[0].FulfilledQuantity != "0.000" || o.Items[1].FulfilledQuantity != "10.000" {
		t.Errorf("shipped %s and %s", o.Items[0].FulfilledQuantity, o.Items[1].FulfilledQuantity)
	}
}

func TestMoveGoodsRefuses(t *testing.T) {
	t.Parallel()
	part := mustMove(t, sold(), Shipped, []Line{line("1", "4", 4000, 0)}, 4000)
	discounted, _, problems := GiveDiscount(part, []Item{discount("99", -120)})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for name, c := range map[string]struct {
		move  Move
		lines []Line
		want  []Problem
	}{
		"unknown item": {Shipped, []Line{line("1", "1", 1000, 0), line("7", "1", 1, 0)}, []Problem{{1, "item_id", "Item 7 is not in the order."}}},
		"discount after the sale": {Shipped, []Line{line("99", "1", -120, 0)},
			[]Problem{{0, "item_id", "Item 99 is a discount after the sale, which needs no further action."}}},
		"nothing": {Cancelled, []Line{line("1", "0.000", 0, 0)}, []Problem{{0, "quantity", "Ensure this value is greater than 0."}}},
		"too many": {Shipped, []Line{line("1", "7", 7000, 0)},
			[]Problem{{0, "quantity", "Item 1 quantity [7.000] is more than there is left to fulfil [6.000]."}}},
		"too many in two lines": {Cancelled, []Line{line("1", "4", 4000, 0), line("1", "4", 4000, 0)},
			[]Problem{{1, "quantity", "Item 1 quantity [4.000] is more than there is left to cancel [2.000]."}}},
		"not shipped": {Returned, []Line{line("1", "4.001", 4001, 0), line("2", "1", 2000, 0)}, []Problem{
			{0, "quantity", "Item 1 quantity [4.001] is more than there is left to return [4.000]."},
			{1, "quantity", "Item 2 quantity [1.000] is more than there is left to return [0.000]."},
		}},
		"another price": {Shipped, []Line{line("1", "2", 2002, 0), line("1", "2", 1999, 0)},
			[]Problem{{0, "total_amount", "Item 1 unit_price [1000] and quantity [2.000] does not match total_amount [2002]."}}},
		"more tax than amount": {Shipped, []Line{line("1", "2", 2000, 2001)}, []Problem{{0, "tax_amount", "Item 1 tax_amount [2001] is not a part of total_amount [2000]."}}},
		"tax below zero":       {Shipped, []Line{line("1", "2", 2000, -1)}, []Problem{{0, "tax_amount", "Item 1 tax_amount [-1] is not a part of total_amount [2000]."}}},
		"a discount alone": {Shipped, []Line{line("3", "1", -600, -100)},
			[]Problem{{-1, "items", "Sum of items total_amount [-600] is below zero: a discount goes together with the items it is for."}}},
	} {
		_, _, got := MoveGoods(discounted, c.move, c.lines, day)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func discount(itemID string, total int64) Item {
	return Item{ItemID: itemID, Description: "Discount", Quantity: "1", UnitPrice: strconv.FormatInt(total, 10), TaxRate: "20", TotalAmount: total, TaxAmount: total / 6}
}

func TestGiveDiscount(t *testing.T) {
	t.Parallel()
	before := documented().normalised()
	o, amount, problems := GiveDiscount(before, []Item{discount("99", -120), discount("100", -60)})
	if len(problems) > 0 || amount != 180 || o.TotalAmount != 11820 || *o.TaxAmount != 1970 || len(o.Items) != 4 || len(before.Items) != 2 {
		t.Fatalf("%d, %+v, %v", amount, o, problems)
	}
	if got := o.Items[2]; got.Type != ItemDiscount || !got.AfterSale || got.Quantity != "1.000" || got.FulfilledQuantity != "0.000" {
		t.Errorf("%+v", got)
	}
	if problems := CheckAmounts(o); len(problems) > 0 {
		t.Error(problems)
	}
	if o = mustMove(t, o, Shipped, nil, 12000); o.Items[2].FulfillmentInfo != nil {
		t.Error("the discount was shipped")
	}
	wrong, large := discount("5", -100), discount("6", -12001)
	wrong.TotalAmount = -102
	taxed := discount("7", -100)
	taxed.TaxAmount = 1
	heavy := discount("8", -3000)
	heavy.TaxAmount = -3000
	for name, c := range map[string]struct {
		line Item
		want Problem
	}{
		"taken":        {discount("1", -1), Problem{1, "item_id", "Item 1 is in the order already."}},
		"twice":        {discount("4", -1), Problem{1, "item_id", "Item 4 is in the order already."}},
		"a surcharge":  {discount("5", 1), Problem{1, "total_amount", "Ensure this value is less than or equal to -1."}},
		"wrong price":  {wrong, Problem{1, "total_amount", "Item 5 unit_price [-100] and quantity [1.000] does not match total_amount [-102]."}},
		"tax":          {taxed, Problem{1, "tax_amount", "Item 7 tax_amount [1] is not a part of total_amount [-100]."}},
		"too large":    {large, Problem{-1, "items", "The discount is larger than the order's total_amount [12000]."}},
		"too much tax": {heavy, Problem{-1, "items", "The tax_amount of the discount is larger than the order's [2000]."}},
	} {
		if _, _, got := GiveDiscount(before, []Item{discount("4", -1), c.line}); !cmp.Equal(got, []Problem{c.want}) {
			t.Errorf("%s: %v", name, got)
		}
	}
	// All but a little goes, and the tax stays.
	most := discount("9", -11000)
	most.TaxAmount = 0
	if _, _, got := GiveDiscount(before, []Item{most}); len(got) != 1 || got[0].Sentence != "Order tax_amount [2000] is larger than total_amount [1000]." {
		t.Errorf("%v", got)
	}
}
