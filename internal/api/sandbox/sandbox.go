// Package sandbox is the control API of the sandbox: it lets an integrator, or a
// test, play the buyer, the operator and time. It does not exist in production.
package sandbox

import (
	"net/http"
	"slices"

	"tradecredit/internal/api"
	"tradecredit/internal/api/bnpl"
	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/form"
	"tradecredit/internal/job"
	"tradecredit/internal/repayment"
	"tradecredit/internal/webhook"
)

// API is the control API with the services that do its work.
type API struct {
	DB         *db.DB
	BNPL       *bnpl.API
	Deferred   *deferred.Service
	Repayments *repayment.Service
	Webhooks   *webhook.Service
	Queue      *job.Queue
}

const tag = "Sandbox control"

// Routes is the table of the control API.
func (a *API) Routes() []api.Route {
	return slices.Concat(a.clockRoutes(), a.actorRoutes(), a.repaymentRoutes(), a.collectionRoutes(), a.statementRoutes(), a.merchantRoutes(), a.outboxRoutes())
}

var acceptForm = form.New("AcceptPlan",
	form.Choice("payment_method", []string{"card", "direct_debit", "invoice"}, form.Doc("How the buyer pays")),
	form.Char("token", form.Optional(), form.Blank(), form.Max(200), form.Doc("Card number, card token or mandate; charged when a payment falls due. A card that works when absent"), form.Example("tok_visa")),
)

var reviewForm = form.New("ReviewDeferredPayment",
	form.Choice("outcome", []string{"accepted", "rejected", "customer_action_required"}, form.Doc("What the operator decides")),
)

var clawbackForm = form.New("Clawback",
	form.Integer("amount", form.MinValue(1), form.Doc("Amount taken back from the merchant, in minor units")),
	form.Char("reason", form.Optional(), form.Blank(), form.Max(1000), form.Doc("Kept with the event")),
)

func change(name string) form.Field {
	return form.Integer(name, form.Optional(), form.Doc("Change in minor units; 0 when absent"))
}

var adjustmentForm = form.New("Adjustment",
	form.Object("changes", form.New("AdjustmentChanges",
		change("authorisation"), change("protected_captures"), change("unprotected_captures"), change("refunds"),
		change("voided_authorisation"), change("expired_authorisation"), change("clawback"),
	), form.Doc("Changes that sum to zero")),
)

// actorRoutes play the buyer and the operator.
func (a *API) actorRoutes() []api.Route {
	const payment = "/v1/sandbox/deferred_payments/{deferred_payment}"
	return []api.Route{
		{
			Method: http.MethodPost, Path: "/v1/sandbox/payment_plans/{plan}/accept", Tag: tag, Summary: "Accept a payment plan",
			Doc:  "What the buyer does on the hosted page.",
			Body: acceptForm, Response: bnpl.DeferredPayment{}, Status: 201, Errors: []int{404, 409}, Write: a.accept,
		},
		{
			Method: http.MethodPost, Path: payment + "/review", Tag: tag, Summary: "Decide on a deferred payment under review",
			Body: reviewForm, Response: bnpl.DeferredPayment{}, Status: 200, Errors: []int{404, 409}, Write: a.review,
		},
		{
			Method: http.MethodPost, Path: payment + "/clawback", Tag: tag, Summary: "Take an amount back from the merchant",
			Body: clawbackForm, Response: bnpl.PostSaleEvent{}, Status: 201, Errors: []int{404, 409}, Write: a.clawback,
		},
		{
			Method: http.MethodPost, Path: payment + "/adjustment", Tag: tag, Summary: "Adjust the figures of a deferred payment",
			Body: adjustmentForm, Response: bnpl.PostSaleEvent{}, Status: 201, Errors: []int{404, 409}, Write: a.adjust,
		},
	}
}

func (a *API) accept(c *api.Call, tx *db.Tx) (*api.Response, error) {
	if _, err := a.Deferred.Plan(c, tx, c.Merchant.ID, c.Path("plan")); err != nil {
		return nil, err
	}
	v, err := c.Decode(tx)
	if err != nil {
		return nil, err
	}
	p, created, err := a.Deferred.Accept(c, tx, c.Merchant, c.Now, c.Path("plan"), v.String("payment_method"))
	if err != nil {
		return nil, err
	}
	if !created {
		return nil, deferred.ErrPlanTaken()
	}
	if token := v.String("token"); token != "" && p.Status != deferred.StatusRejected {
		a.Repayments.SetToken(tx, p, token)
	}
	out, err := a.BNPL.DeferredOf(c, tx, p)
	if err != nil {
		return nil, err
	}
	r := api.Created(out)
	r.Location = out.URL
	return r, nil
}

func (a *API) review(c *api.Call, tx *db.Tx) (*api.Response, error) {
	paymentID := c.Path("deferred_payment")
	if _, err := deferred.Get(c, tx, c.Merchant.ID, paymentID); err != nil {
		return nil, err
	}
	v, err := c.Decode(tx)
	if err != nil {
		return nil, err
	}
	p, err := a.Deferred.Review(c, tx, c.Merchant, c.Now, paymentID, deferred.Status(v.String("outcome")))
	if err != nil {
		return nil, err
	}
	out, err := a.BNPL.DeferredOf(c, tx, p)
	return api.OK(out), err
}

func (a *API) clawback(c *api.Call, tx *db.Tx) (*api.Response, error) {
	return a.perform(c, tx, func(v *form.Values) (deferred.Command, []byte, error) {
		command := deferred.Command{Action: deferred.ActionClawback, Amount: v.Int("amount")}
		if v.String("reason") == "" {
			return command, nil, nil
		}
		metadata, err := api.Encode(map[string]string{"reason": v.String("reason")})
		return command, metadata, err
	})
}

func (a *API) adjust(c *api.Call, tx *db.Tx) (*api.Response, error) {
	return a.perform(c, tx, func(v *form.Values) (deferred.Command, []byte, error) {
		ch := v.Object("changes")
		return deferred.Command{Action: deferred.ActionAdjustment, Changes: deferred.Changes{
			Authorisation: ch.Int("authorisation"), ProtectedCaptures: ch.Int("protected_captures"),
			UnprotectedCaptures: ch.Int("unprotected_captures"), Refunds: ch.Int("refunds"),
			VoidedAuthorisation: ch.Int("voided_authorisation"), ExpiredAuthorisation: ch.Int("expired_authorisation"),
			Clawback: ch.Int("clawback"),
		}}, nil, nil
	})
}

// perform makes an operator's event on a deferred payment.
func (a *API) perform(c *api.Call, tx *db.Tx, read func(v *form.Values) (deferred.Command, []byte, error)) (*api.Response, error) {
	paymentID := c.Path("deferred_payment")
	if _, err := deferred.Get(c, tx, c.Merchant.ID, paymentID); err != nil {
		return nil, err
	}
	v, err := c.Decode(tx)
	if err != nil {
		return nil, err
	}
	command, metadata, err := read(v)
	if err != nil {
		return nil, err
	}
	p, e, err := a.Deferred.Perform(c, tx, deferred.Request{
		MerchantID: c.Merchant.ID, PaymentID: paymentID, Command: command, Metadata: metadata,
	}, c.Now)
	if err != nil {
		return nil, err
	}
	return api.Created(bnpl.ShowEntry(p, e)), nil
}
