package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"tradecredit/internal/api/fuzz"
	"tradecredit/internal/app/apptest"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

// TestDocument: the document of the whole program is sound.
func TestDocument(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		fuzz.Sound(t, apptest.Start(t, d, nil).App.Document)
	})
}

// TestHostileRequests: no request makes the whole program answer 500, leak what
// is inside it, answer what its document does not describe, or unbalance the
// books.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := apptest.Start(t, d, nil)
		document, err := fuzz.NewDocument(s.App.Document)
		if err != nil {
			t.Fatal(err)
		}
		shop := s.Shop(apptest.Buyer{})
		f := &seeder{server: s, shop: shop}
		fuzz.Run(t, fuzz.Options{
			Handler: s.App.Handler, Seeds: f.seeds(), Reseed: f.seeds, Key: shop.Merchant.SecretKey, Document: document,
		})
		s.Clean()
	})
}

// seeder makes good requests to start from, each time for a new buyer: the
// fuzzer deletes what it finds.
type seeder struct {
	server *apptest.Server
	shop   *apptest.Shop
	round  int
	out    []fuzz.Request
}

func (f *seeder) add(method, target string, body any) {
	text := ""
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			panic(err)
		}
		text = string(b)
	}
	f.out = append(f.out, fuzz.JSON(method, target, text))
}

func (f *seeder) seeds() []fuzz.Request {
	f.round++
	f.out = nil
	shop := f.server.ShopOf(f.shop.Client, apptest.Buyer{Email: fmt.Sprintf("jane%d@buyer.example", f.round)})
	f.add("POST", "/v1/payment/orders", shop.OrderBody(12000))
	order := shop.Order(12000)
	f.add("POST", "/v1/payment/offers", shop.OfferBody(order))
	offer := shop.Offer(order)
	f.add("GET", "/v1/payment/offers/"+offer.ID+"?expand=order", nil)
	f.add("GET", "/v1/payment/orders/"+order+"?expand=customer,payment_offer,deferred_payment", nil)
	f.add("POST", "/v1/sandbox/payment_plans/"+offer.Plans[0].ID+"/accept", map[string]string{"payment_method": "invoice"})
	documents := fuzz.Request{
		Method: "POST", Target: "/v1/payment/orders/" + order + "/documents",
		Header: http.Header{"Content-Type": {"multipart/form-data; boundary=X"}},
		Body: []byte("--X\r\nContent-Disposition: form-data; name=\"doc_type\"\r\n\r\ninvoice\r\n" +
			"--X\r\nContent-Disposition: form-data; name=\"amount\"\r\n\r\n12000\r\n" +
			"--X\r\nContent-Disposition: form-data; name=\"metadata\"\r\nContent-Type: application/json\r\n\r\n{\"a\": 1}\r\n" +
			"--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"invoice.pdf\"\r\n\r\n%PDF-1.7\n\r\n--X--\r\n"),
	}
	f.out = append(f.out, documents)
	f.add("GET", documents.Target, nil)
	id := shop.Payment(12000)
	pay := apptest.PaymentPath(id)
	f.add("GET", pay+"?expand=order,payment_plan", nil)
	for _, what := range []string{"capture", "refund", "void"} {
		for _, method := range []string{"POST", "PUT"} {
			f.add(method, pay+"/"+what, map[string]any{"amount": 100, "metadata": map[string]any{"a": 1}})
		}
	}
	f.add("POST", pay+"/capture_remaining", map[string]any{"metadata": map[string]any{}})
	f.add("POST", pay+"/void_remaining", nil)
	control := "/v1/sandbox/deferred_payments/" + id
	f.add("POST", control+"/clawback", map[string]any{"amount": 10, "reason": "unpaid"})
	f.add("POST", control+"/adjustment", map[string]any{"changes": map[string]any{"authorisation": -5, "voided_authorisation": 5}})
	review := f.server.ShopOf(f.shop.Client, apptest.Buyer{Email: fmt.Sprintf("joe%d+dp_fraud_pending_review@buyer.example", f.round)})
	f.add("POST", "/v1/sandbox/deferred_payments/"+review.Payment(12000)+"/review", map[string]any{"outcome": "accepted"})
	f.add("GET", "/v1/events?after=1&limit=3", nil)
	f.add("POST", "/v1/webhook_endpoints", map[string]any{"url": "https://shop.example/hook?a=1&b=2", "events": []string{"order.*"}})
	f.add("PATCH", "/v1/sandbox/merchant", map[string]any{"overcaptures": true, "minimum_balance": map[string]any{"fixed": 1}})
	f.add("GET", "/v1/sandbox/clock", nil)
	return f.out
}
