package apptest

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"

	"tradecredit/internal/api/apitest"
	"tradecredit/internal/merchant"
)

// Shop is a merchant with a buyer.
type Shop struct {
	*apitest.Client
	Server *Server
	// Company, Organisation and User are the buyer's identifiers.
	Company, Organisation, User string

	orders *atomic.Int64
}

// Buyer says who buys.
type Buyer struct {
	// Company is the name of a sandbox company; "" is Hokodo Ltd.
	Company string
	// Email is the user's address; "" is one that bypasses nothing.
	Email string
}

// Shop creates a merchant and its buyer.
func (s *Server) Shop(b Buyer) *Shop {
	s.t.Helper()
	return s.ShopOf(s.Merchant(merchant.BNPL), b)
}

// ShopOf gives a merchant one more buyer.
func (s *Server) ShopOf(c *apitest.Client, b Buyer) *Shop {
	s.t.Helper()
	if b.Company == "" {
		b.Company = "Hokodo Ltd"
	}
	if b.Email == "" {
		b.Email = "jane@buyer.example"
	}
	shop := &Shop{Client: c, Server: s, orders: &atomic.Int64{}}
	var found struct{ Matches []struct{ ID string } }
	c.Do("POST", "/v1/companies/search", map[string]string{"name": b.Company, "country": "GB"}).WantStatus(200).Decode(&found)
	if len(found.Matches) == 0 {
		s.t.Fatalf("there is no company %s", b.Company)
	}
	shop.Company = found.Matches[0].ID
	shop.Organisation = c.Do("POST", "/v1/organisations", map[string]any{
		"unique_id": "org of " + b.Email, "registered": "2017-06-01T14:37:12Z", "company": shop.Company,
	}).WantStatus(201).ID()
	shop.User = c.Do("POST", "/v1/users", map[string]any{
		"name": "Jane Doe", "email": b.Email, "registered": "2017-06-01T14:37:12Z",
		"organisations": []map[string]string{{"id": shop.Organisation, "role": "member"}},
	}).WantStatus(201).ID()
	return shop
}

// For returns the shop for a subtest, which then is the one that fails.
func (s *Shop) For(t testing.TB) *Shop {
	other := *s
	other.Client = s.Client.For(t)
	return &other
}

// OrderBody is the body of a new order of the buyer.
func (s *Shop) OrderBody(total int64) map[string]any {
	address := map[string]string{
		"name": "Jane Doe", "address_line1": "1 Station Street", "city": "London", "postcode": "SE11 6NQ", "country": "GB",
	}
	return map[string]any{
		"unique_id": fmt.Sprintf("order %d of %s", s.orders.Add(1), s.User),
		"customer": map[string]any{
			"type": "registered", "organisation": s.Organisation, "user": s.User,
			"delivery_address": address, "invoice_address": address,
		},
		"status": "draft", "currency": "GBP", "total_amount": total, "tax_amount": total / 6, "order_date": "2026-03-02",
		"items": []map[string]any{{
			"item_id": "1", "type": "product", "description": "Chair", "quantity": "1.000", "unit_price": total,
			"tax_rate": "20.00", "total_amount": total, "tax_amount": total / 6,
		}},
	}
}

// Order creates an order and returns its identifier.
func (s *Shop) Order(total int64) string {
	return s.Do("POST", "/v1/payment/orders", s.OrderBody(total)).WantStatus(201).ID()
}

// OfferBody is the body of a request for an offer.
func (s *Shop) OfferBody(order string) map[string]any {
	return map[string]any{
		"order": order,
		"urls": map[string]string{
			"success": "https://merchant.example/payment/ok", "failure": "https://merchant.example/checkout",
			"cancel": "https://merchant.example/cancel", "notification": "", "merchant_terms": "https://merchant.example/terms",
		},
		"locale": "en-gb", "metadata": map[string]any{},
	}
}

// Offer is what tests look at of an offer.
type Offer struct {
	ID    string
	Order string
	Plans []Plan `json:"offered_payment_plans"`
}

// Plan is what tests look at of a payment plan.
type Plan struct {
	ID         string
	Name       string
	Template   string
	Status     string
	PaymentURL string `json:"payment_url"`
	ValidUntil string `json:"valid_until"`
	Rejection  *struct {
		Code   string
		Detail string
		Params map[string]any
	} `json:"rejection_reason"`
	ScheduledPayments []struct {
		Date   string
		Amount int64
		Method *struct{ Type string } `json:"payment_method"`
	} `json:"scheduled_payments"`
}

// Offer requests an offer for an order.
func (s *Shop) Offer(order string) Offer {
	var o Offer
	s.Do("POST", "/v1/payment/offers", s.OfferBody(order)).WantStatus(201).Decode(&o)
	return o
}

// OfferAgain views an offer.
func (s *Shop) OfferAgain(offerID string) Offer {
	var o Offer
	s.Do("GET", "/v1/payment/offers/"+offerID, nil).WantStatus(200).Decode(&o)
	return o
}

// Accept is the answer to taking a plan as the buyer does.
func (s *Shop) Accept(plan, method string) *apitest.Response {
	return s.Do("POST", "/v1/sandbox/payment_plans/"+plan+"/accept", map[string]string{"payment_method": method})
}

// Payment takes an order all the way to a deferred payment of its first plan and
// returns its identifier.
func (s *Shop) Payment(total int64) string {
	return s.Accept(s.Offer(s.Order(total)).Plans[0].ID, "invoice").WantStatus(http.StatusCreated).ID()
}

// PaymentPath is the path of a deferred payment.
func PaymentPath(id string) string { return "/v1/payment/deferred_payments/" + id }

// Advance moves the merchant's clock and returns what was done on the way.
func (s *Shop) Advance(seconds int64) map[string]int {
	var moved struct{ Ran map[string]int }
	s.Do("POST", "/v1/sandbox/clock", map[string]int64{"advance_seconds": seconds}).WantStatus(200).Decode(&moved)
	return moved.Ran
}

// Set changes settings of the merchant.
func (s *Shop) Set(settings map[string]any) {
	s.Do("PATCH", "/v1/sandbox/merchant", settings).WantStatus(200)
}

// Day is a day in seconds.
const Day = 24 * 3600
