package sandbox

import (
	"net/http"

	"tradecredit/internal/api"
	"tradecredit/internal/api/bnpl"
	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/form"
	"tradecredit/internal/repayment"
)

var repaymentForm = form.New("Repayment",
	form.Integer("amount", form.MinValue(1), form.Doc("Amount in minor units"), form.Example(10000)),
	form.Choice("outcome", []string{"settled", "failed"}, form.Doc("Whether the money came")),
)

// repaymentRoutes play the buyer's bank.
func (a *API) repaymentRoutes() []api.Route {
	const payment = "/v1/sandbox/deferred_payments/{deferred_payment}"
	return []api.Route{
		{
			Method: http.MethodPost, Path: payment + "/repayments", Tag: tag, Summary: "Report a payment of the buyer",
			Doc:  "As if the bank had reported it. What is more than the buyer can come to owe is kept as the buyer's credit.",
			Body: repaymentForm, Response: bnpl.Repayment{}, Status: 201, Errors: []int{404, 409}, Write: a.repay,
		},
		{
			Method: http.MethodPost, Path: payment + "/repayments/{repayment}/return", Tag: tag, Summary: "Take a payment of the buyer back",
			Doc:      "A chargeback: the buyer, or its bank, has taken a settled payment back.",
			Response: bnpl.Repayment{}, Status: 200, Errors: []int{404, 409}, Write: a.returnRepayment,
		},
	}
}

func (a *API) repay(c *api.Call, tx *db.Tx) (*api.Response, error) {
	paymentID := c.Path("deferred_payment")
	if _, err := deferred.Get(c, tx, c.Merchant.ID, paymentID); err != nil {
		return nil, err
	}
	v, err := c.Decode(tx)
	if err != nil {
		return nil, err
	}
	r, err := a.Repayments.Record(c, tx, c.Merchant, repayment.Report{
		PaymentID: paymentID, Amount: v.Int("amount"), Settled: v.String("outcome") == "settled", Origin: repayment.OriginSandbox,
	}, c.Now)
	if err != nil {
		return nil, err
	}
	return api.Created(bnpl.ShowRepayment(r)), nil
}

func (a *API) returnRepayment(c *api.Call, tx *db.Tx) (*api.Response, error) {
	r, err := repayment.Get(c, tx, c.Merchant.ID, c.Path("repayment"))
	if err == nil && r.PaymentID != c.Path("deferred_payment") {
		err = db.ErrNoRows
	}
	if err != nil {
		return nil, err
	}
	r, err = a.Repayments.Return(c, tx, c.Merchant, r.ID, "chargeback", "The buyer's bank has taken the payment back.", c.Now)
	if err != nil {
		return nil, err
	}
	return api.OK(bnpl.ShowRepayment(r)), nil
}
