package sandbox

import (
	"net/http"

	"tradecredit/internal/api"
	"tradecredit/internal/api/bnpl"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
	"tradecredit/internal/id"
)

// StatementTransfer is how one transfer was spread over what a statement asks for.
type StatementTransfer struct {
	Allocations []StatementAllocation `json:"allocations"`
	Rest        int64                 `json:"rest" doc:"What nothing was found for, in minor units"`
	Statement   bnpl.Statement        `json:"statement"`
}

// StatementAllocation is the part of a transfer that paid a deferred payment.
type StatementAllocation struct {
	DeferredPayment string `json:"deferred_payment"`
	Amount          int64  `json:"amount" doc:"Minor units"`
}

var transferForm = form.New("StatementTransfer",
	form.Integer("amount", form.MinValue(1), form.Doc("What the buyer transfers, in minor units")),
)

// statementRoutes play the buyer who pays a statement.
func (a *API) statementRoutes() []api.Route {
	return []api.Route{{
		Method: http.MethodPost, Path: "/v1/sandbox/statements/{statement}/transfer", Tag: tag, Summary: "Pay a statement by one transfer",
		Doc:  "What the buyer's bank transfer with the reference of the statement does: it pays the deferred payments on it, the oldest due first.",
		Body: transferForm, Response: StatementTransfer{}, Status: 200, Errors: []int{400, 404, 409}, Write: a.transfer,
	}}
}

func (a *API) transfer(c *api.Call, tx *db.Tx) (*api.Response, error) {
	statementID := c.Path("statement")
	if _, err := a.BNPL.Billing.GetStatement(c, tx, c.Merchant.ID, statementID); err != nil {
		return nil, err
	}
	v, err := c.Decode(tx)
	if err != nil {
		return nil, err
	}
	done, rest, err := a.BNPL.Billing.Pay(c, tx, c.Merchant, statementID, v.Int("amount"), "sandbox "+id.New(id.Event), c.Now)
	if err != nil {
		return nil, err
	}
	d, err := a.BNPL.Billing.Details(c, tx, c.Merchant.ID, statementID)
	if err != nil {
		return nil, err
	}
	out := StatementTransfer{Allocations: []StatementAllocation{}, Rest: rest, Statement: bnpl.ShowStatement(d)}
	for _, p := range done {
		out.Allocations = append(out.Allocations, StatementAllocation{p.DeferredPaymentID, p.Amount})
	}
	return api.OK(out), nil
}
