package crash

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// answer is what a request was answered.
type answer struct {
	status   int
	body     string
	replayed bool
}

func (a answer) String() string { return fmt.Sprintf("%d %s", a.status, a.body) }

// text returns a key of the body that is a string.
func (a answer) text(t testing.TB, key string) string {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(a.body), &object); err != nil {
		t.Fatalf("%v in %v", err, a)
	}
	s, ok := object[key].(string)
	if !ok {
		t.Fatalf("%q is no string in %v", key, a)
	}
	return s
}

// decode reads the body into v.
func (a answer) decode(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(a.body), v); err != nil {
		t.Fatalf("%v in %v", err, a)
	}
}

// client sends the requests of one merchant to one node.
type client struct {
	url  string
	key  string
	http *http.Client
}

func newClient(url, key string) *client {
	return &client{url: url, key: key, http: &http.Client{
		Timeout:   time.Minute,
		Transport: &http.Transport{MaxIdleConnsPerHost: 256},
	}}
}

// at is the same client at another node.
func (c *client) at(url string) *client {
	other := *c
	other.url = url
	return &other
}

// send makes one request. idem is the idempotency key, "" for none. An error is
// that of a connection: nobody knows what became of the request.
func (c *client) send(method, path, idem string, body any) (answer, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return answer{}, err
	}
	if body == nil {
		text = nil
	}
	r, err := http.NewRequest(method, c.url+path, strings.NewReader(string(text)))
	if err != nil {
		return answer{}, err
	}
	// A request that failed is repeated by the test, with its eyes open, and not
	// by the transport.
	r.GetBody = nil
	r.Header.Set("Authorization", "Token "+c.key)
	r.Header.Set("Content-Type", "application/json")
	if idem != "" {
		// As a map key: the transport takes a request with this header for one that
		// may be repeated.
		r.Header["idempotency-key"] = []string{idem}
	}
	got, err := c.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer got.Body.Close()
	read, err := io.ReadAll(got.Body)
	return answer{got.StatusCode, string(read), got.Header.Get("Idempotency-Replayed") == "true"}, err
}

// post sends a POST and reads the answer.
func (c *client) post(t testing.TB, path, idem string, body any) answer {
	t.Helper()
	a, err := c.send(http.MethodPost, path, idem, body)
	if err != nil {
		t.Error(err)
	}
	return a
}

// must is post for a request that has to be answered with this status.
func (c *client) must(t testing.TB, status int, path, idem string, body any) answer {
	t.Helper()
	a := c.post(t, path, idem, body)
	if a.status != status {
		t.Fatalf("POST %s: %v, want %d", path, a, status)
	}
	return a
}

// get reads an object into v.
func (c *client) get(t testing.TB, path string, v any) {
	t.Helper()
	a, err := c.send(http.MethodGet, path, "", nil)
	if err != nil || a.status != http.StatusOK {
		t.Fatalf("GET %s: %v %v", path, a, err)
	}
	a.decode(t, v)
}

// object is a JSON object.
type object map[string]any

// shop is a merchant with a buyer.
type shop struct {
	*client
	organisation, user string
	// notify is the address that offers name for notifications.
	notify string
}

// newShop registers a buyer of the company Hokodo Ltd.
func newShop(t testing.TB, c *client) *shop {
	t.Helper()
	var found struct {
		Matches []struct {
			ID string `json:"id"`
		} `json:"matches"`
	}
	c.must(t, 200, "/v1/companies/search", "", object{"country": "GB", "reg_number": "11215527"}).decode(t, &found)
	if len(found.Matches) == 0 {
		t.Fatal("the sandbox has no Hokodo Ltd")
	}
	s := &shop{client: c}
	s.organisation = c.must(t, 201, "/v1/organisations", "", object{
		"unique_id": "buyer", "registered": "2017-06-01T14:37:12Z", "company": found.Matches[0].ID,
	}).text(t, "id")
	s.user = c.must(t, 201, "/v1/users", "", s.newUser("john@example.com")).text(t, "id")
	return s
}

func (s *shop) newUser(email string) object {
	return object{
		"name": "John", "email": email, "registered": "2017-06-01",
		"organisations": []object{{"id": s.organisation, "role": "member"}},
	}
}

// newOrder is the body of an order of one item.
func (s *shop) newOrder(uniqueID string, total int64) object {
	address := object{
		"name": "John", "address_line1": "1 Station Street", "city": "London", "postcode": "SE11 6NQ", "country": "GB",
	}
	return object{
		"unique_id": uniqueID, "status": "draft", "currency": "GBP", "total_amount": total, "tax_amount": 0, "order_date": "2026-01-20",
		"customer": object{
			"type": "registered", "organisation": s.organisation, "user": s.user,
			"delivery_address": address, "invoice_address": address,
		},
		"items": []object{{
			"item_id": "1", "type": "product", "description": "Chair", "quantity": "1", "unit_price": total,
			"tax_rate": "0.00", "total_amount": total, "tax_amount": 0,
		}},
	}
}

func (s *shop) newOffer(order string) object {
	return object{"order": order, "locale": "en-gb", "metadata": object{}, "urls": object{
		"success": "", "failure": "", "cancel": "", "notification": s.notify, "merchant_terms": "",
	}}
}

// planOf is the first plan of an offer.
func planOf(t testing.TB, offer answer) string {
	t.Helper()
	var o struct {
		Plans []struct {
			ID     string `json:"id"`
			Status string `json:"status"`
		} `json:"offered_payment_plans"`
	}
	offer.decode(t, &o)
	if len(o.Plans) == 0 || o.Plans[0].Status != "offered" {
		t.Fatalf("nothing was offered: %v", offer)
	}
	return o.Plans[0].ID
}

// offered makes an order and an offer for it, and returns the first plan.
func (s *shop) offered(t testing.TB, uniqueID string, total int64) string {
	t.Helper()
	order := s.must(t, 201, "/v1/payment/orders", "", s.newOrder(uniqueID, total)).text(t, "id")
	return planOf(t, s.must(t, 201, "/v1/payment/offers", "", s.newOffer(order)))
}

// acceptPath is where a plan is accepted.
func acceptPath(plan string) string { return "/v1/sandbox/payment_plans/" + plan + "/accept" }

var byInvoice = object{"payment_method": "invoice"}

// payment makes a deferred payment of an amount.
func (s *shop) payment(t testing.TB, uniqueID string, total int64) string {
	t.Helper()
	return s.must(t, 201, acceptPath(s.offered(t, uniqueID, total)), "", byInvoice).text(t, "id")
}

// actionPath is where an action on a deferred payment is asked for.
func actionPath(payment, action string) string {
	root := "/v1/payment/deferred_payments/"
	if action == "clawback" {
		root = "/v1/sandbox/deferred_payments/"
	}
	return root + payment + "/" + action
}

// deferredPayment is a deferred payment as the API shows it.
type deferredPayment struct {
	ID                   string `json:"id"`
	Status               string `json:"status"`
	Authorisation        int64  `json:"authorisation"`
	ProtectedCaptures    int64  `json:"protected_captures"`
	UnprotectedCaptures  int64  `json:"unprotected_captures"`
	Refunds              int64  `json:"refunds"`
	VoidedAuthorisation  int64  `json:"voided_authorisation"`
	ExpiredAuthorisation int64  `json:"expired_authorisation"`
	Clawback             int64  `json:"clawback"`
	RejectionReason      *struct {
		Code string `json:"code"`
	} `json:"rejection_reason"`
	Events []postSaleEvent `json:"events"`
}

type postSaleEvent struct {
	Type     string          `json:"type"`
	Amount   int64           `json:"amount"`
	Metadata json.RawMessage `json:"metadata"`
}

// view reads a deferred payment.
func (c *client) view(t testing.TB, payment string) (p deferredPayment) {
	t.Helper()
	c.get(t, "/v1/payment/deferred_payments/"+payment, &p)
	return p
}

// sum adds the events of a type.
func (p deferredPayment) sum(kind string) (total int64) {
	for _, e := range p.Events {
		if e.Type == kind {
			total += e.Amount
		}
	}
	return total
}
