package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// step is one step of the story: it acts, checks the answer, and returns what is
// told of it.
type step struct {
	name string
	do   func(context.Context) (text string, facts []Fact, err error)
}

// story is the whole purchase in its order.
func (s *Shop) story() []step {
	s.state = state{run: strings.ToLower(rand.Text()[:10])}
	return []step{
		{"endpoint", s.registerEndpoint},
		{"company", s.findCompany},
		{"organisation", s.createOrganisation},
		{"user", s.createUser},
		{"order", s.createOrder},
		{"offer", s.requestOffer},
		{"acceptance", s.acceptOnPage},
		{"capture", s.capture},
		{"invoice", s.sendInvoice},
		{"refund", s.refund},
		{"void", s.void},
		{"expiry", s.moveClock},
		{"payout", s.payday},
		{"repayment", s.repay},
		{"notifications", s.hearNotifications},
		{"events", s.readEvents},
		{"verify", s.verify},
	}
}

func (s *Shop) registerEndpoint(ctx context.Context) (string, []Fact, error) {
	var endpoint struct{ ID, Secret string }
	_, err := s.call(ctx, http.MethodPost, "/v1/webhook_endpoints", object{"url": s.notifications()}, http.StatusCreated, &endpoint)
	if err != nil {
		return "", nil, err
	}
	s.receiver.trust(endpoint.Secret)
	return "The shop asks to be told of everything that happens, at an address of its own. It gets a secret to check the signatures with.",
		[]Fact{{"webhook_endpoint", endpoint.ID}, {"address", s.notifications()}}, nil
}

// notifications is where the shop is told of what happens: an address of this
// run, with a query string that is kept.
func (s *Shop) notifications() string { return s.receiver.url + "/notifications?run=" + s.state.run }

const buyerCompany, buyerNumber = "Hokodo Ltd", "11215527"

func (s *Shop) findCompany(ctx context.Context) (string, []Fact, error) {
	var found struct {
		Matches []struct {
			ID, Name, Address, Status string
			Identifiers               []struct{ IDType, Value string }
		}
	}
	_, err := s.call(ctx, http.MethodPost, "/v1/companies/search", object{"name": strings.ToLower(buyerCompany), "country": "GB"}, http.StatusOK, &found)
	if err != nil {
		return "", nil, err
	}
	if len(found.Matches) == 0 {
		return "", nil, fmt.Errorf("no company is called %s", buyerCompany)
	}
	c := found.Matches[0]
	number := ""
	for _, i := range c.Identifiers {
		if i.IDType == "reg_number" {
			number = i.Value
		}
	}
	if err := same("the number of the first match", number, buyerNumber); err != nil {
		return "", nil, err
	}
	s.state.companyID = c.ID
	return fmt.Sprintf("A buyer types the name of its company. The first match is %s, number %s, %s (%s).", c.Name, number, c.Address, c.Status),
		[]Fact{{"company", c.ID}}, nil
}

func (s *Shop) createOrganisation(ctx context.Context) (string, []Fact, error) {
	var made struct{ ID, Company string }
	_, err := s.call(ctx, http.MethodPost, "/v1/organisations",
		object{"unique_id": "demo-" + s.state.run, "registered": "2021-06-01T09:00:00Z", "company": s.state.companyID}, http.StatusCreated, &made)
	if err != nil {
		return "", nil, err
	}
	s.state.organisation = made.ID
	return "The shop registers the buyer as an organisation of that company.", []Fact{{"organisation", made.ID}},
		same("its company", made.Company, s.state.companyID)
}

func (s *Shop) createUser(ctx context.Context) (string, []Fact, error) {
	email := "alex.morgan." + s.state.run + "@buyer.example"
	var made struct{ ID, Email string }
	_, err := s.call(ctx, http.MethodPost, "/v1/users", object{
		"name": "Alex Morgan", "email": email, "registered": "2021-06-01",
		"organisations": []object{{"id": s.state.organisation, "role": "member"}},
	}, http.StatusCreated, &made)
	s.state.userID = made.ID
	return "Alex Morgan may buy for that organisation.", []Fact{{"user", made.ID}, {"email", email}}, err
}

// total is what the order costs, in pence.
const total = 12000

func (s *Shop) createOrder(ctx context.Context) (string, []Fact, error) {
	orderID, err := s.order(ctx, "order-"+s.state.run)
	s.state.orderID = orderID
	return fmt.Sprintf("Alex Morgan orders ten chairs for £100.00 and their delivery for £20.00, tax included: %s.", pounds(total)),
		[]Fact{{"order", orderID}, {"total_amount", total}}, err
}

// order makes an order under the shop's own number.
func (s *Shop) order(ctx context.Context, uniqueID string) (string, error) {
	var clock struct{ Now time.Time }
	if _, err := s.call(ctx, http.MethodGet, "/v1/sandbox/clock", nil, http.StatusOK, &clock); err != nil {
		return "", err
	}
	address := object{"name": "Alex Morgan", "address_line1": "1 Station Street", "city": "London", "postcode": "SE11 6NQ", "country": "GB"}
	var made struct {
		ID    string
		Total int64 `json:"total_amount"`
	}
	_, err := s.call(ctx, http.MethodPost, "/v1/payment/orders", object{
		"unique_id": uniqueID, "status": "draft", "currency": "GBP", "total_amount": total, "tax_amount": 2000,
		"order_date": clock.Now.Format(time.DateOnly),
		"customer": object{
			"type": "registered", "organisation": s.state.organisation, "user": s.state.userID,
			"delivery_address": address, "invoice_address": address,
		},
		"items": []object{
			{"item_id": "1", "type": "product", "description": "Chair", "quantity": "10.000", "unit_price": 1000, "tax_rate": "20.00", "total_amount": 10000, "tax_amount": 1667},
			{"item_id": "2", "type": "shipping", "description": "Delivery", "quantity": "1", "unit_price": 2000, "tax_rate": "20.00", "total_amount": 2000, "tax_amount": 333},
		},
	}, http.StatusCreated, &made)
	if err != nil {
		return "", err
	}
	return made.ID, same("its total", made.Total, total)
}

// offer is what the demo looks at of an offer.
type offer struct {
	ID    string
	Plans []struct {
		ID, Name, Status string
		PaymentURL       string                  `json:"payment_url"`
		Payments         []struct{ Date string } `json:"scheduled_payments"`
	} `json:"offered_payment_plans"`
}

func (s *Shop) requestOffer(ctx context.Context) (string, []Fact, error) {
	o, err := s.offerFor(ctx, s.state.orderID)
	if err != nil {
		return "", nil, err
	}
	s.state.offer = o
	names := make([]string, len(o.Plans))
	for i, p := range o.Plans {
		names[i] = p.Name
	}
	return fmt.Sprintf("The shop asks for an offer. There are %d payment plans: %s. Each has an address at which the buyer can look at it.", len(names), list(names)),
		[]Fact{{"offer", o.ID}, {"plan", o.Plans[0].ID}, {"payment_url", o.Plans[0].PaymentURL}}, nil
}

// offerFor asks for an offer on an order and wants its first plan to be offered.
func (s *Shop) offerFor(ctx context.Context, orderID string) (o offer, err error) {
	_, err = s.call(ctx, http.MethodPost, "/v1/payment/offers", object{
		"order": orderID, "locale": "en-gb", "metadata": object{},
		"urls": object{
			"success": s.receiver.url + "/thanks", "failure": s.receiver.url + "/basket", "cancel": s.receiver.url + "/basket",
			"notification": s.notifications(), "merchant_terms": s.receiver.url + "/terms",
		},
	}, http.StatusCreated, &o)
	if err != nil {
		return o, err
	}
	if len(o.Plans) == 0 || len(o.Plans[0].Payments) == 0 {
		return o, fmt.Errorf("offer %s has no plans", o.ID)
	}
	return o, same("the first plan's status", o.Plans[0].Status, "offered")
}

func (s *Shop) leaveOfferOpen(ctx context.Context) (string, []Fact, error) {
	orderID, err := s.order(ctx, "open-"+s.state.run)
	if err != nil {
		return "", nil, err
	}
	o, err := s.offerFor(ctx, orderID)
	if err != nil {
		return "", nil, err
	}
	return "A second order waits for you: open its payment page in a browser and confirm it.",
		[]Fact{{"order", orderID}, {"offer", o.ID}, {"payment_url", o.Plans[0].PaymentURL}}, nil
}
