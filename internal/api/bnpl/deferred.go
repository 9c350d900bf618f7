package bnpl

import (
	"errors"
	"fmt"
	"net/http"
	"slices"

	"tradecredit/internal/api"
	"tradecredit/internal/apierr"
	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/form"
	"tradecredit/internal/idempotency"
	"tradecredit/internal/page"
)

// DeferredPayment is what a buyer has agreed to pay later. Amounts are in minor
// units.
type DeferredPayment struct {
	URL                  string           `json:"url" doc:"API endpoint to access the deferred payment"`
	ID                   string           `json:"id" doc:"API unique identifier of the deferred payment"`
	Number               string           `json:"number" doc:"Identifier for people" example:"P-7WR2-PR6S"`
	Created              api.Time         `json:"created"`
	PaymentPlan          any              `json:"payment_plan" ref:"ppln" doc:"Identifier of the payment plan; the plan itself when expanded"`
	Order                any              `json:"order" ref:"order" doc:"Identifier of the order; the order itself when expanded"`
	RejectionReason      *Rejection       `json:"rejection_reason"`
	Status               string           `json:"status" enum:"accepted,pending_review,customer_action_required,rejected,pending_payment,part_captured,captured,refunded,voided,expired,part_fulfilled,fulfilled,reversed,cancelled"`
	Currency             string           `json:"currency"`
	Authorisation        int64            `json:"authorisation" doc:"Amount that can still be captured, in minor units; negative after overcaptures"`
	ProtectedCaptures    int64            `json:"protected_captures" doc:"Amount the buyer owes under protection, in minor units"`
	UnprotectedCaptures  int64            `json:"unprotected_captures" doc:"Amount the buyer owes without protection, in minor units"`
	Refunds              int64            `json:"refunds" doc:"Amount that is not owed any more, in minor units"`
	VoidedAuthorisation  int64            `json:"voided_authorisation" doc:"Authorisation released by the merchant, in minor units"`
	ExpiredAuthorisation int64            `json:"expired_authorisation" doc:"Authorisation released by time, in minor units"`
	Clawback             int64            `json:"clawback" doc:"Amount taken back from the merchant, in minor units"`
	RepaymentInfo        RepaymentInfo    `json:"repayment_info"`
	OutstandingBalance   OutstandingMoney `json:"outstanding_balance"`
	NextPaymentDate      *string          `json:"next_payment_date" doc:"When the next payment of the buyer is due; null before anything is captured"`
	Payments             []Payment        `json:"payments" nullable:"true" doc:"What the buyer has paid and got back, oldest first; null before anything is captured or paid"`
	Events               []PostSaleEvent  `json:"events" doc:"Post-sale events, oldest first"`
}

// Rejection says why a deferred payment was rejected.
type Rejection struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// RepaymentInfo sums up what the buyer still owes.
type RepaymentInfo struct {
	Status            string `json:"status" enum:"unpaid,partially_paid,paid"`
	OutstandingAmount int64  `json:"outstanding_amount" doc:"Minor units"`
	Currency          string `json:"currency"`
}

// OutstandingMoney is what the buyer owes; null before anything is captured.
type OutstandingMoney struct {
	Amount   *int64 `json:"amount" doc:"Minor units"`
	Currency string `json:"currency"`
}

// Payment is one payment of the buyer, or one that went back.
type Payment struct {
	ID       string `json:"id" example:"rpmt-2JZqVS6RvckCprLA98Vwi4"`
	Type     string `json:"type" enum:"payment,customer_refund"`
	Method   string `json:"method" enum:"card,direct_debit,bank_transfer,buyer_credit,other"`
	Date     string `json:"date" doc:"When it was settled, or made while it is not"`
	Amount   int64  `json:"amount" doc:"Minor units"`
	Currency string `json:"currency"`
	Status   string `json:"status" enum:"pending,settled,failed,returned"`
}

// Instalment is a part of what the buyer owes.
type Instalment struct {
	Date       string `json:"date" doc:"When it is due"`
	Amount     int64  `json:"amount" doc:"Minor units"`
	PaidAmount int64  `json:"paid_amount" doc:"Minor units"`
	Currency   string `json:"currency"`
	Status     string `json:"status" enum:"unpaid,partially_paid,paid"`
}

// PostSaleEvent is an entry in the ledger of a deferred payment.
type PostSaleEvent struct {
	Created  api.Time `json:"created"`
	Type     string   `json:"type" enum:"capture,refund,void,expiry,clawback,adjustment"`
	Amount   int64    `json:"amount" doc:"Money moved, in minor units"`
	Currency string   `json:"currency"`
	Metadata api.Raw  `json:"metadata" doc:"What was sent with the request, unchanged"`
	Changes  Changes  `json:"changes" doc:"What the event changed; the changes sum to zero"`
}

// Changes are what an event did to a deferred payment, in minor units.
type Changes struct {
	Authorisation        int64       `json:"authorisation"`
	ProtectedCaptures    int64       `json:"protected_captures"`
	UnprotectedCaptures  int64       `json:"unprotected_captures"`
	Refunds              int64       `json:"refunds"`
	VoidedAuthorisation  int64       `json:"voided_authorisation"`
	ExpiredAuthorisation int64       `json:"expired_authorisation"`
	Clawback             int64       `json:"clawback"`
	CustomerFee          CustomerFee `json:"customer_fee" doc:"What the event changed of the customer fee"`
}

// CustomerFee is what an event did to the customer fee, in minor units.
type CustomerFee struct {
	Authorisation        int64 `json:"authorisation"`
	Captures             int64 `json:"captures"`
	Refunds              int64 `json:"refunds"`
	VoidedAuthorisation  int64 `json:"voided_authorisation"`
	ExpiredAuthorisation int64 `json:"expired_authorisation"`
}

// metadataSize bounds metadata.
func metadataSize(v form.Value) []string {
	const most = 16 << 10
	if len(v.JSON()) > most {
		return []string{fmt.Sprintf("Ensure this value has at most %d bytes.", most)}
	}
	return nil
}

var eventMetadata = form.JSON("metadata", form.Optional(), form.Null(), form.Check(metadataSize),
	form.Doc("Anything of yours, kept with the event and echoed unchanged, 16 KB at most"))

var amountForm = form.New("PostSaleAmount",
	form.Integer("amount", form.MinValue(1), form.Doc("Amount in minor units, tax included"), form.Example(10000)),
	eventMetadata,
)

var remainingForm = form.New("PostSaleRemaining", eventMetadata)

// postSale are the actions of a merchant on a deferred payment.
var postSale = []struct {
	name, summary, doc string
	action             deferred.Action
	body               *form.Form
}{
	{"capture", "Capture an amount", "Goods have been shipped or services provided: the amount is now due. Protected captures come first.", deferred.ActionCapture, amountForm},
	{"capture_remaining", "Capture all the remaining authorisation", "With nothing left to capture the answer is a 200 without content.", deferred.ActionCaptureRemaining, remainingForm},
	{"refund", "Refund an amount", "The customer owes less than was captured. Unprotected captures are refunded first.", deferred.ActionRefund, amountForm},
	{"void", "Void an amount", "Part of the order was cancelled and will not be captured.", deferred.ActionVoid, amountForm},
	{"void_remaining", "Void all the remaining authorisation", "With nothing left to void the answer is a 200 without content.", deferred.ActionVoidRemaining, remainingForm},
}

// deferredRoutes is the table of deferred payments.
func (a *API) deferredRoutes() []api.Route {
	const path, tag = "/v1/payment/deferred_payments", "Deferred payments"
	expand := []string{"order", "payment_plan"}
	routes := []api.Route{
		{
			Method: http.MethodGet, Path: path, Tag: tag, Summary: "List deferred payments", Expand: expand,
			Query:    []api.Param{orderFilter, {Name: "status", Doc: "Only those in this status."}, createdOrdering},
			Errors:   []int{400},
			Response: page.List[DeferredPayment]{}, Status: 200, Read: a.listDeferred,
		},
		{
			Method: http.MethodGet, Path: path + "/{deferred_payment}", Tag: tag, Summary: "View a deferred payment", Expand: expand,
			Response: DeferredPayment{}, Status: 200, Errors: []int{404}, Read: a.viewDeferred,
		},
		{
			Method: http.MethodGet, Path: path + "/{deferred_payment}/schedule", Tag: tag, Summary: "View what the buyer pays when",
			Doc:      "Worked out again after every capture, refund and payment.",
			Response: RepaymentSchedule{}, Status: 200, Errors: []int{404}, Read: a.viewSchedule,
		},
	}
	for _, p := range postSale {
		for _, method := range []string{http.MethodPost, http.MethodPut} {
			r := api.Route{
				Method: method, Path: path + "/{deferred_payment}/" + p.name, Tag: "Post-sale actions", Summary: p.summary, Doc: p.doc,
				Body: p.body, Response: PostSaleEvent{}, Status: 201, Errors: []int{404, 409},
				Serve: func(c *api.Call) (*api.Answer, error) { return a.act(c, p.action) },
			}
			if p.body == remainingForm {
				r.Also = []int{200}
			}
			routes = append(routes, r)
		}
	}
	return routes
}

// act hands a post-sale action to the committer and waits for its answer.
func (a *API) act(c *api.Call, action deferred.Action) (*api.Answer, error) {
	paymentID := c.Path("deferred_payment")
	// The body is checked without a transaction: it refers to nothing stored.
	v, err := c.Decode(nil)
	if err != nil {
		return nil, a.unlessMissing(c, paymentID, err)
	}
	r := deferred.Request{MerchantID: c.Merchant.ID, PaymentID: paymentID, Command: deferred.Command{Action: action, Version: deferred.V2}}
	if v.Has("metadata") {
		r.Metadata = v.Raw("metadata").JSON()
	}
	if c.Route.Body == amountForm {
		r.Command.Amount = v.Int("amount")
	}
	if key := c.IdempotencyKey(); key != "" {
		if err := api.CheckKey(key); err != nil {
			return nil, err
		}
		r.Key = &idempotency.Request{
			MerchantID: c.Merchant.ID, Key: key, Operation: operation(action), Fingerprint: c.FingerprintAs(http.MethodPost),
		}
		if c.Route.Body == amountForm {
			r.Key.Amount = &r.Command.Amount
		}
	}
	answer, err := a.Committer.Submit(c, r)
	if err != nil {
		return nil, err
	}
	return &api.Answer{Status: answer.Status, Body: answer.Body, Replayed: answer.Replayed}, nil
}

// operation is the type of the event that an action makes: what a repeated key
// is compared by.
func operation(action deferred.Action) string {
	switch action {
	case deferred.ActionCaptureRemaining:
		return deferred.EventCapture
	case deferred.ActionVoidRemaining:
		return deferred.EventVoid
	}
	return string(action)
}

// unlessMissing is err, or a 404 when the payment does not exist: that comes
// before what is wrong with the body.
func (a *API) unlessMissing(c *api.Call, paymentID string, err error) error {
	missing := a.DB.Read(c, func(tx *db.Tx) error {
		_, err := deferred.Get(c, tx, c.Merchant.ID, paymentID)
		return err
	})
	if errors.Is(missing, db.ErrNoRows) {
		return missing
	}
	return err
}

func (a *API) listDeferred(c *api.Call, tx *db.Tx) (*api.Response, error) {
	p := c.Page()
	f, err := a.deferredFilter(c, tx)
	if err != nil {
		return nil, err
	}
	found, n, err := deferred.List(c, tx, c.Merchant.ID, f, p)
	if err != nil {
		return nil, err
	}
	out, err := a.showDeferreds(a.view(c), tx, found, c.Expand())
	if err != nil {
		return nil, err
	}
	return api.OK(page.New(c.Request, p, n, out)), nil
}

// deferredFilter reads the filters of the list.
func (a *API) deferredFilter(c *api.Call, tx *db.Tx) (f deferred.Filter, err error) {
	f.Status = c.Query("status")
	if f.Status != "" && !slices.Contains(deferred.Statuses(), deferred.Status(f.Status)) {
		return f, apierr.Field("status", "Select a valid choice. "+f.Status+" is not one of the available choices.")
	}
	f.OrderID, err = a.filteredOrder(c, tx)
	return f, err
}

func (a *API) viewDeferred(c *api.Call, tx *db.Tx) (*api.Response, error) {
	out, err := a.deferredByID(a.view(c), tx, c.Path("deferred_payment"), c.Expand())
	return api.OK(out), err
}

// deferredByID shows a deferred payment, also where it is expanded inside
// another object.
func (a *API) deferredByID(v View, tx *db.Tx, paymentID string, e api.Expand) (any, error) {
	d, err := deferred.Get(v, tx, v.Merchant.ID, paymentID)
	if err != nil {
		return nil, err
	}
	return a.expandDeferred(v, tx, d, e)
}

// DeferredOf is a deferred payment as the answer to a call that changed it.
func (a *API) DeferredOf(c *api.Call, tx *db.Tx, d deferred.Payment) (DeferredPayment, error) {
	return a.expandDeferred(a.view(c), tx, d, nil)
}

// ShowEntry is one post-sale event.
func ShowEntry(d deferred.Payment, e deferred.Entry) PostSaleEvent {
	return PostSaleEvent{
		Created: api.Time(e.Created), Type: e.Type, Amount: e.Amount, Currency: d.Currency, Metadata: api.Raw(e.Metadata),
		Changes: Changes{
			Authorisation: e.Changes.Authorisation, ProtectedCaptures: e.Changes.ProtectedCaptures,
			UnprotectedCaptures: e.Changes.UnprotectedCaptures, Refunds: e.Changes.Refunds,
			VoidedAuthorisation: e.Changes.VoidedAuthorisation, ExpiredAuthorisation: e.Changes.ExpiredAuthorisation,
			Clawback: e.Changes.Clawback, CustomerFee: CustomerFee(e.CustomerFee),
		},
	}
}

// EncodeEntry is the body of the answer to a post-sale action.
func EncodeEntry(d deferred.Payment, e deferred.Entry) ([]byte, error) {
	return api.Encode(ShowEntry(d, e))
}
