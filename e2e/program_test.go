package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"testing"

	"tradecredit/internal/api"
	"tradecredit/internal/app"
	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
)

// TestPurchases plays buyers in a browser against the real program: one for every end that a purchase can come to.
func TestPurchases(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	shop := startProgram(t)
	for name, c := range map[string]struct {
		pattern string
		env     []string
		prepare func(t *testing.T, order, offer string)
	}{
		"accepted":        {"dp_fraud_accepted", []string{"EXPECT=accepted", "RETURN_URL=" + "https://shop.example/success", "DOUBLE=1"}, nil},
		"pending review":  {"dp_fraud_pending_review", []string{"EXPECT=pending_review"}, nil},
		"action required": {"dp_fraud_customer_action_required", []string{"EXPECT=customer_action_required"}, nil},
		"rejected":        {"dp_fraud_rejected", []string{"EXPECT=rejected"}, nil},
		"partly offered":  {"paymentplan_partly_offered", []string{"EXPECT=accepted", "RETURN_URL=" + "https://shop.example/success"}, nil},
		"declined":        {"paymentplan_declined", []string{"EXPECT=declined"}, nil},
		"order changed": {"", []string{"EXPECT=order_changed"}, func(t *testing.T, order, _ string) {
			shop.call(t, "PATCH", "/v1/payment/orders/"+order, map[string]any{"order_date": "2026-01-02"})
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			order, offer, link := shop.offer(t, c.pattern)
			if c.prepare != nil {
				c.prepare(t, order, offer)
			}
			node(t, append(c.env, "PLAN_URL="+link), "journey.mjs")
		})
	}
}

// program is the real program with one shop.
type program struct {
	url  string
	keys *app.Keys
}

func startProgram(t *testing.T) *program {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := app.Config{Listen: l.Addr().String(), DataDir: t.TempDir(), Environment: merchant.Sandbox, Limits: api.DefaultLimits()}
	o, err := c.Database()
	if err != nil {
		t.Fatal(err)
	}
	d, err := db.Open(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	p := &program{url: "http://" + c.Listen}
	if p.keys, err = app.Prepare(ctx, c, d, clock.System{}.Now()); err != nil {
		t.Fatal(err)
	}
	a, err := app.New(ctx, c, d, clock.System{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error)
	go func() { served <- a.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
		d.Close()
	})
	return p
}

// call sends a request of the shop and returns the answer, which must be a success.
func (p *program) call(t *testing.T, method, path string, body any) map[string]any {
	t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), method, p.url+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Token "+p.keys.SecretKey)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(answer.Body).Decode(&out); err != nil || answer.StatusCode >= 300 {
		t.Fatalf("%s %s: %d %v %v", method, path, answer.StatusCode, out, err)
	}
	return out
}

// offer makes an order of a buyer whose address carries a pattern, and returns it with its offer and the link to the
// first plan.
func (p *program) offer(t *testing.T, pattern string) (order, offer, link string) {
	t.Helper()
	unique := fmt.Sprintf("%s-%d", t.Name(), len(pattern))
	found := p.call(t, "POST", "/v1/companies/search", map[string]any{"country": "GB", "reg_number": "11215527"})
	company := found["matches"].([]any)[0].(map[string]any)["id"]
	org := p.call(t, "POST", "/v1/organisations", map[string]any{"unique_id": unique, "registered": "2020-01-01", "company": company})
	user := p.call(t, "POST", "/v1/users", map[string]any{
		"name": "Jo", "email": "jo+" + pattern + "@buyer.example", "registered": "2020-01-01",
		"organisations": []any{map[string]any{"id": org["id"], "role": "member"}},
	})
	address := map[string]any{"name": "Jo", "address_line1": "1 High Street", "city": "London", "postcode": "E1 1AA", "country": "GB"}
	o := p.call(t, "POST", "/v1/payment/orders", map[string]any{
		"unique_id": unique, "status": "draft", "currency": "GBP", "total_amount": 12000, "tax_amount": 2000, "order_date": "2026-01-01",
		"customer": map[string]any{"type": "registered", "organisation": org["id"], "user": user["id"], "delivery_address": address, "invoice_address": address},
		"items":    []any{map[string]any{"item_id": "1", "type": "product", "description": "Chair", "quantity": "1", "unit_price": 12000, "tax_rate": "20.00", "total_amount": 12000, "tax_amount": 2000}},
	})
	urls := map[string]any{}
	for _, name := range []string{"success", "failure", "cancel", "notification", "merchant_terms"} {
		urls[name] = "https://shop.example/" + name
	}
	made := p.call(t, "POST", "/v1/payment/offers", map[string]any{"order": o["id"], "urls": urls})
	plan := made["offered_payment_plans"].([]any)[0].(map[string]any)
	return o["id"].(string), made["id"].(string), plan["payment_url"].(string)
}
