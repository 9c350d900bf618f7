package bnpl

import (
	"encoding/json"
	"errors"
	"net/http"

	"tradecredit/internal/api"
	"tradecredit/internal/apierr"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
	"tradecredit/internal/id"
	"tradecredit/internal/mail"
	"tradecredit/internal/offer"
	"tradecredit/internal/order"
	"tradecredit/internal/page"
	"tradecredit/internal/webhook"
)

// Offer is a set of payment plans for one order.
type Offer struct {
	URL      string     `json:"url" doc:"API endpoint to access the offer"`
	ID       string     `json:"id" doc:"API unique identifier of the offer"`
	Order    any        `json:"order" ref:"order" doc:"Identifier of the order; the order itself when expanded"`
	Plans    []Plan     `json:"offered_payment_plans" doc:"Payment plans to show to the customer"`
	URLs     offer.URLs `json:"urls" doc:"Redirection and callback URLs"`
	Locale   string     `json:"locale" doc:"Language and region of the customer"`
	Metadata api.Raw    `json:"metadata" doc:"What was sent with the offer, unchanged"`
}

// Plan is one payment plan of an offer. Amounts are in minor units.
type Plan struct {
	ID                         string                   `json:"id" doc:"API unique identifier of the payment plan"`
	Name                       string                   `json:"name"`
	Template                   string                   `json:"template" doc:"Template the plan was made from"`
	Currency                   string                   `json:"currency"`
	ProtectedAmount            int64                    `json:"protected_amount" doc:"Part that is protected against non-payment, in minor units"`
	UnprotectedAmount          int64                    `json:"unprotected_amount" doc:"Part that is not, in minor units"`
	ScheduledPayments          []offer.ScheduledPayment `json:"scheduled_payments" doc:"What the customer pays, and when"`
	RelativeTo                 string                   `json:"payment_terms_relative_to" enum:"order_creation,first_capture,every_capture"`
	MerchantFee                Money                    `json:"merchant_fee"`
	CustomerFee                offer.PlanFee            `json:"customer_fee"`
	CustomerPercentageDiscount string                   `json:"customer_percentage_discount"`
	CustomerDiscount           Money                    `json:"customer_discount"`
	ValidUntil                 api.Time                 `json:"valid_until"`
	PaymentURL                 string                   `json:"payment_url" doc:"Page on which the customer applies for this plan"`
	Status                     string                   `json:"status" enum:"offered,accepted,declined,expired,cancelled"`
	RejectionReason            *RejectionReason         `json:"rejection_reason"`
	HasUpfrontPayment          bool                     `json:"has_upfront_payment"`
}

// Money is an amount in minor units with its currency.
type Money struct {
	Currency string `json:"currency"`
	Amount   int64  `json:"amount"`
}

// RejectionReason says why credit is not offered.
type RejectionReason struct {
	Code   string         `json:"code"`
	Detail string         `json:"detail" doc:"A sentence that may be shown to the customer"`
	Params map[string]any `json:"params" doc:"What was filled into the sentence"`
}

// address is where the customer is sent to; blank for a page the shop lacks.
func address(name, doc string) form.Field {
	return form.URL(name, form.Max(2000), form.Blank(), form.Doc(doc), form.Example("https://merchant.example/"+name))
}

var urlsForm = form.New("OfferURLs",
	address("success", "Where the customer goes after success"),
	address("failure", "Where the customer goes after a rejection"),
	address("cancel", "Where the customer goes after cancelling"),
	address("notification", "Where notifications about this offer are sent"),
	address("merchant_terms", "Terms and conditions of the platform"),
)

var offerForm = form.New("NewOffer",
	form.Ref("order", string(id.Order), form.Doc("The order to make an offer for")),
	form.Object("urls", urlsForm, form.Doc("Redirection and callback URLs")),
	form.Char("locale", form.Optional(), form.Blank(), form.Max(20), form.Doc("Language and region of the customer, such as en-gb"), form.Example("en-gb")),
	form.JSON("metadata", form.Optional(), form.Null(), form.Check(metadataSize), form.Doc("Anything of yours, echoed unchanged, 16 KB at most")),
)

// offerRoutes is the table of offers and payment plans.
func (a *API) offerRoutes() []api.Route {
	const path, tag = "/v1/payment/offers", "Payment offers"
	return []api.Route{
		{
			Method: http.MethodPost, Path: path, Tag: tag, Summary: "Request a new offer",
			Doc:  "Makes payment plans for an order. An earlier offer for the same order expires.",
			Body: offerForm, Response: Offer{}, Status: 201, Errors: []int{409}, Write: a.createOffer,
		},
		{
			Method: http.MethodGet, Path: path, Tag: tag, Summary: "List offers", Expand: []string{"order"},
			Query: []api.Param{orderFilter, createdOrdering}, Errors: []int{400},
			Response: page.List[Offer]{}, Status: 200, Read: a.listOffers,
		},
		{
			Method: http.MethodGet, Path: path + "/{offer}", Tag: tag, Summary: "View an offer", Expand: []string{"order"},
			Response: Offer{}, Status: 200, Errors: []int{404}, Read: a.viewOffer,
		},
		{
			Method: http.MethodDelete, Path: path + "/{offer}", Tag: tag, Summary: "Delete an offer",
			Doc: "An offer that was accepted can't be deleted.", Status: 204, Errors: []int{404, 409}, Write: a.deleteOffer,
		},
		{
			Method: http.MethodGet, Path: "/v1/payment/payment_plans/{plan}", Tag: tag, Summary: "View a payment plan",
			Response: Plan{}, Status: 200, Errors: []int{404}, Read: a.viewPlan,
		},
		{
			Method: http.MethodPut, Path: "/v1/payment/payment_plans/{plan}/send_offer_email", Tag: tag,
			Summary: "Mail an offer to the customer", Doc: "Sends the user of the order a link to this payment plan, which must be offered.",
			Response: Detail{}, Status: 200, Errors: []int{400, 404}, Write: a.sendOfferEmail,
		},
	}
}

// Detail is an answer that is one sentence.
type Detail struct {
	Detail string `json:"detail"`
}

func (a *API) createOffer(c *api.Call, tx *db.Tx) (*api.Response, error) {
	v, err := c.Decode(tx)
	if err != nil {
		return nil, err
	}
	u := v.Object("urls")
	if err := a.checkURLs(c, u); err != nil {
		return nil, err
	}
	o, err := a.Offers.Create(c, tx, c.Merchant, c.Now, offer.Input{
		OrderID: v.String("order"), Locale: v.String("locale"), Metadata: metadataOf(v),
		URLs: offer.URLs{
			Success: u.String("success"), Failure: u.String("failure"), Cancel: u.String("cancel"),
			Notification: u.String("notification"), MerchantTerms: u.String("merchant_terms"),
		},
	})
	if err != nil {
		return nil, err
	}
	out := a.showOffer(a.view(c), o)
	r := api.Created(out)
	r.Location = out.URL
	return r, nil
}

// checkURLs refuses addresses that cannot be called or led to: in production
// those without https.
func (a *API) checkURLs(c *api.Call, urls *form.Values) error {
	wrong := &form.Errors{}
	for _, name := range []string{"success", "failure", "cancel", "notification", "merchant_terms"} {
		if raw := urls.String(name); raw != "" {
			if problem := webhook.URLProblem(raw, c.Merchant.Environment); problem != "" {
				wrong.Add(name, problem)
			}
		}
	}
	if wrong.Empty() {
		return nil
	}
	bad := &form.Errors{}
	bad.AddNested("urls", wrong)
	return apierr.Invalid(bad)
}

// metadataOf is what was sent as metadata: {} when it was not sent at all.
func metadataOf(v *form.Values) json.RawMessage {
	if !v.Has("metadata") {
		return json.RawMessage("{}")
	}
	return v.Raw("metadata").JSON()
}

func (a *API) listOffers(c *api.Call, tx *db.Tx) (*api.Response, error) {
	p := c.Page()
	orderID, err := a.filteredOrder(c, tx)
	if err != nil {
		return nil, err
	}
	var found []offer.Stored
	var n int64
	if orderID == "" {
		found, n, err = offer.List(c, tx, c.Merchant.ID, p)
	} else {
		found, n, err = offer.ListOfOrder(c, tx, c.Merchant.ID, orderID, p)
	}
	if err != nil {
		return nil, err
	}
	out := make([]Offer, len(found))
	for i, o := range found {
		if out[i], err = a.expandOffer(a.view(c), tx, o, c.Expand()); err != nil {
			return nil, err
		}
	}
	return api.OK(page.New(c.Request, p, n, out)), nil
}

// The query parameters of lists of what belongs to orders.
var (
	orderFilter     = api.Param{Name: "order", Doc: "Only those of this order, newest first."}
	createdOrdering = api.Param{Name: "ordering", Doc: "`created` or `-created`, the default."}
)

// filteredOrder is the order that ?order= names, "" for none. One that the
// merchant does not have is a 400, as it is with every filter by an object.
func (a *API) filteredOrder(c *api.Call, tx *db.Tx) (string, error) {
	orderID := c.Query("order")
	if orderID == "" {
		return "", nil
	}
	found, err := order.Exists(c, tx, c.Merchant.ID, orderID)
	if err == nil && !found {
		err = apierr.Field("order", "Select a valid choice. That choice is not one of the available choices.")
	}
	return orderID, err
}

func (a *API) viewPlan(c *api.Call, tx *db.Tx) (*api.Response, error) {
	p, err := a.Deferred.Plan(c, tx, c.Merchant.ID, c.Path("plan"))
	if err != nil {
		return nil, err
	}
	return api.OK(a.showPlan(a.view(c), p.Plan)), nil
}

func (a *API) viewOffer(c *api.Call, tx *db.Tx) (*api.Response, error) {
	o, err := offer.Get(c, tx, c.Merchant.ID, c.Path("offer"))
	if err != nil {
		return nil, err
	}
	out, err := a.expandOffer(a.view(c), tx, o, c.Expand())
	return api.OK(out), err
}

func (a *API) deleteOffer(c *api.Call, tx *db.Tx) (*api.Response, error) {
	return api.NoContent(), a.Offers.Delete(c, tx, c.Merchant, c.Now, c.Path("offer"))
}

// offerByID shows an offer that is expanded inside another object.
func (a *API) offerByID(v View, tx *db.Tx, offerID string, e api.Expand) (any, error) {
	o, err := offer.Get(v, tx, v.Merchant.ID, offerID)
	if err != nil {
		return nil, err
	}
	return a.expandOffer(v, tx, o, e)
}

func (a *API) expandOffer(v View, tx *db.Tx, o offer.Stored, e api.Expand) (Offer, error) {
	out := a.showOffer(v, o)
	if !e.Has("order") {
		return out, nil
	}
	expanded, err := a.orderByID(v, tx, o.Order, e.Under("order"))
	if errors.Is(err, db.ErrNoRows) {
		return out, nil // the order was deleted; its offer has expired
	}
	out.Order = expanded
	return out, err
}

func (a *API) showOffer(v View, o offer.Stored) Offer {
	out := Offer{
		URL: v.PublicURL + "/v1/payment/offers/" + o.ID, ID: o.ID, Order: o.Order,
		Plans: make([]Plan, len(o.Plans)), URLs: o.URLs, Locale: o.Locale, Metadata: api.Raw(o.Metadata),
	}
	for i, p := range o.Plans {
		out.Plans[i] = a.showPlan(v, p)
	}
	return out
}

func (a *API) showPlan(v View, p offer.Plan) Plan {
	out := Plan{
		ID: p.ID, Name: p.Name, Template: p.Template, Currency: p.Currency,
		ProtectedAmount: p.ProtectedAmount, UnprotectedAmount: p.UnprotectedAmount,
		ScheduledPayments: p.ScheduledPayments, RelativeTo: p.RelativeTo,
		MerchantFee: Money{p.MerchantFee.Currency, p.MerchantFee.Minor}, CustomerFee: p.CustomerFee,
		CustomerPercentageDiscount: p.CustomerPercentageDiscount.String(),
		CustomerDiscount:           Money{p.CustomerDiscount.Currency, p.CustomerDiscount.Minor},
		ValidUntil:                 api.Time(p.ValidUntil), PaymentURL: a.PaymentURL(v, p.ID),
		Status: p.Status, HasUpfrontPayment: p.HasUpfrontPayment,
	}
	if p.LapsedAt(v.Now) {
		out.Status = offer.StatusExpired
	}
	if r := p.RejectionReason; r != nil {
		out.RejectionReason = &RejectionReason{Code: r.Code, Detail: r.Detail, Params: r.Params}
	}
	return out
}

// PaymentURL is the link to the page on which a buyer takes a plan.
func (a *API) PaymentURL(v View, planID string) string {
	return v.PagesURL + "/plans/" + planID + "?key=" + a.Links.Sign(planID)
}

func (a *API) sendOfferEmail(c *api.Call, tx *db.Tx) (*api.Response, error) {
	p, err := a.Deferred.Plan(c, tx, c.Merchant.ID, c.Path("plan"))
	if err != nil {
		return nil, err
	}
	if !p.AcceptableAt(c.Now) {
		status := a.showPlan(a.view(c), p.Plan).Status
		return nil, apierr.BadRequest("Payment plan is " + status + ", it can't be sent to the customer.")
	}
	m, err := a.offerMail(a.view(c), tx, p)
	if err != nil {
		return nil, err
	}
	_, err = a.Mail.Send(tx, c.Merchant.ID, m, c.Now)
	if errors.Is(err, mail.ErrAddress) {
		return nil, apierr.BadRequest("The email address of the customer can't be written to.")
	}
	if err != nil {
		return nil, err
	}
	return api.OK(Detail{"Payment plan email sent."}), nil
}

// offerMail writes the mail with the link to a plan.
func (a *API) offerMail(v View, tx *db.Tx, p offer.StoredPlan) (mail.Mail, error) {
	o, err := a.orderStored(v, tx, p.OrderID)
	if err != nil {
		return mail.Mail{}, err
	}
	buyer, err := a.Offers.Customer(v, tx, v.Merchant.ID, o.Customer.Organisation, o.Customer.User)
	if err != nil {
		return mail.Mail{}, err
	}
	subject := v.Merchant.Name + ": your payment plan for order " + o.UniqueID
	text, html := mail.Render(subject, []mail.Paragraph{
		{Text: "Hello " + buyer.UserName + ","},
		{Text: v.Merchant.Name + " offers you payment terms for order " + o.UniqueID + ": " + p.Name + "."},
		{Text: "You can look at the plan, and confirm it, until " + p.ValidUntil.Format("2 January 2006") + ":",
			LinkURL: a.PaymentURL(v, p.ID), LinkText: "See the payment plan"},
		{Text: "If you did not ask for this, you need not do anything."},
	})
	return mail.Mail{To: []string{buyer.Email}, Subject: subject, Text: text, HTML: html}, nil
}
