package order

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDocumentedValues keeps what the reference says of a field in step with
// what the field takes.
func TestDocumentedValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of    any
		field string
		want  []string
	}{
		{Wire{}, "Status", Statuses()}, {Wire{}, "PayMethod", PayMethods()},
		{CustomerWire{}, "Type", CustomerTypes()}, {ItemWire{}, "Type", ItemTypes()},
	} {
		f, _ := reflect.TypeOf(c.of).FieldByName(c.field)
		if diff := cmp.Diff(c.want, strings.Split(f.Tag.Get("enum"), ",")); diff != "" {
			t.Errorf("%s: %s", c.field, diff)
		}
	}
}

func TestPriceOnTheWire(t *testing.T) {
	t.Parallel()
	for price, want := range map[string]string{
		"1000": `1000`, "0": `0`, "-500": `-500`, "1000.00000": `1000`, "999.96250": `"999.9625"`, "-0.5": `"-0.5"`,
	} {
		got, err := json.Marshal(Item{UnitPrice: price}.wire().UnitPrice)
		if string(got) != want || err != nil {
			t.Errorf("%s: %s, want %s (%v)", price, got, want, err)
		}
	}
}

func TestMovementsOnTheWire(t *testing.T) {
	t.Parallel()
	w := Item{FulfillmentInfo: []Movement{{Quantity: "1.000", ShippingID: "x"}}, FulfilledQuantity: "1.000"}.wire()
	got, err := json.Marshal([]any{w.FulfilledQuantity, w.FulfillmentInfo, w.CancelledQuantity, w.CancelledInfo})
	want := `["1.000",[{"quantity":"1.000","total_amount":0,"tax_amount":0,"shipping_id":"x"}],"0.000",null]`
	if string(got) != want || err != nil {
		t.Errorf("%s (%v)", got, err)
	}
}
