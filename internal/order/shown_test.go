package order

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tradecredit/internal/db"
)

// TestShownIsTheWire: what is stored for answering is what encoding the order
// anew would give.
func TestShownIsTheWire(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ -~é"\\<>&\x{2028}]{0,12}`)
		o := Order{
			ID: "order-" + rapid.StringMatching(`[2-9A-Za-z]{22}`).Draw(t, "id"), UniqueID: text.Draw(t, "unique"),
			Status: StatusDraft, PayMethod: PayMethodUnknown, Currency: "GBP", TotalAmount: rapid.Int64().Draw(t, "total"),
			PONumber: text.Draw(t, "po"), Metadata: json.RawMessage(`{"payment_offer":null,"deferred_payment":null}`),
			PaymentOffer: rapid.SampledFrom([]string{"", "offr-x"}).Draw(t, "offer"), DeferredPayment: rapid.SampledFrom([]string{"", "defpay-x"}).Draw(t, "deferred"),
			Items: []Item{{ItemID: text.Draw(t, "item"), Quantity: "1", UnitPrice: "1.5", TaxRate: "0", Metadata: json.RawMessage(`null`)}},
		}
		_, middle, err := o.encoded()
		if err != nil {
			t.Fatal(err)
		}
		want, err := db.JSON(o.Wire("https://api.example"))
		if err != nil {
			t.Fatal(err)
		}
		got := Shown{o.ID, o.PaymentOffer, o.DeferredPayment, middle}.AppendJSON(nil, "https://api.example")
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Fatal(diff)
		}
	})
}
