package sandbox

import (
	"context"
	"net/http"
	"time"

	"tradecredit/internal/api"
	"tradecredit/internal/api/bnpl"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
	"tradecredit/internal/merchant"
	"tradecredit/internal/repayment"
)

var pauseForm = form.New("PauseCollection",
	form.Date("until", form.Doc("Last day on which the buyer is left alone")),
)

var promiseForm = form.New("PaymentPromise",
	form.Date("date", form.Doc("Day by which the buyer said it will pay")),
	form.Integer("amount", form.Optional(), form.MinValue(1), form.Doc("Amount in minor units; all that is outstanding when absent")),
)

var writeOffForm = form.New("WriteOff",
	form.Integer("amount", form.Optional(), form.MinValue(1), form.Doc("Amount in minor units; all that is outstanding when absent")),
)

// collectionRoutes play the operator who collects debts.
func (a *API) collectionRoutes() []api.Route {
	const payment = "/v1/sandbox/deferred_payments/{deferred_payment}"
	state := bnpl.CollectionState{}
	return []api.Route{
		{
			Method: http.MethodGet, Path: payment + "/collection", Tag: tag, Summary: "View how a deferred payment is collected",
			Response: state, Status: 200, Errors: []int{404}, Read: a.viewCollection,
		},
		{
			Method: http.MethodPost, Path: payment + "/pause", Tag: tag, Summary: "Leave a buyer alone for a while",
			Doc:  "Nothing is collected and nobody is written to until the end of that day.",
			Body: pauseForm, Response: state, Status: 200, Errors: []int{404, 409}, Write: a.pause,
		},
		{
			Method: http.MethodPost, Path: payment + "/resume", Tag: tag, Summary: "End a pause or a promise",
			Response: state, Status: 200, Errors: []int{404, 409}, Write: a.simply((*repayment.Service).Resume),
		},
		{
			Method: http.MethodPost, Path: payment + "/promise", Tag: tag, Summary: "Note that a buyer promised to pay",
			Doc:  "The buyer is left alone until then. When less has come, the promise is broken, and collecting goes on.",
			Body: promiseForm, Response: state, Status: 200, Errors: []int{404, 409}, Write: a.promise,
		},
		{
			Method: http.MethodPost, Path: payment + "/write_off", Tag: tag, Summary: "Give up a debt",
			Body: writeOffForm, Response: bnpl.DeferredPayment{}, Status: 200, Errors: []int{404, 409}, Write: a.writeOff,
		},
		{
			Method: http.MethodPost, Path: payment + "/dispute", Tag: tag, Summary: "Note that a buyer disputes a debt",
			Doc:      "Nothing is collected while the status of the order is `disputed`.",
			Response: state, Status: 200, Errors: []int{404, 409}, Write: a.simply((*repayment.Service).Dispute),
		},
		{
			Method: http.MethodPost, Path: payment + "/undispute", Tag: tag, Summary: "End a dispute",
			Response: state, Status: 200, Errors: []int{404, 409}, Write: a.simply((*repayment.Service).Undispute),
		},
	}
}

func (a *API) viewCollection(c *api.Call, tx *db.Tx) (*api.Response, error) {
	state, err := repayment.StateOf(c, tx, c.Merchant.ID, c.Path("deferred_payment"))
	if err != nil {
		return nil, err
	}
	return api.OK(bnpl.ShowState(state)), nil
}

// simply is an action without a body.
func (a *API) simply(act func(*repayment.Service, context.Context, *db.Tx, merchant.Merchant, string, time.Time) (repayment.State, error)) func(*api.Call, *db.Tx) (*api.Response, error) {
	return func(c *api.Call, tx *db.Tx) (*api.Response, error) {
		state, err := act(a.Repayments, c, tx, c.Merchant, c.Path("deferred_payment"), c.Now)
		if err != nil {
			return nil, err
		}
		return api.OK(bnpl.ShowState(state)), nil
	}
}

func (a *API) pause(c *api.Call, tx *db.Tx) (*api.Response, error) {
	v, err := a.decodeFor(c, tx)
	if err != nil {
		return nil, err
	}
	state, err := a.Repayments.Pause(c, tx, c.Merchant, c.Path("deferred_payment"), dateOf(v, "until"), c.Now)
	if err != nil {
		return nil, err
	}
	return api.OK(bnpl.ShowState(state)), nil
}

func (a *API) promise(c *api.Call, tx *db.Tx) (*api.Response, error) {
	v, err := a.decodeFor(c, tx)
	if err != nil {
		return nil, err
	}
	state, err := a.Repayments.Promise(c, tx, c.Merchant, c.Path("deferred_payment"), dateOf(v, "date"), v.Int("amount"), c.Now)
	if err != nil {
		return nil, err
	}
	return api.OK(bnpl.ShowState(state)), nil
}

func (a *API) writeOff(c *api.Call, tx *db.Tx) (*api.Response, error) {
	v, err := a.decodeFor(c, tx)
	if err != nil {
		return nil, err
	}
	p, err := a.Repayments.WriteOff(c, tx, c.Merchant, c.Path("deferred_payment"), v.Int("amount"), c.Now)
	if err != nil {
		return nil, err
	}
	out, err := a.BNPL.DeferredOf(c, tx, p)
	if err != nil {
		return nil, err
	}
	return api.OK(out), nil
}

// decodeFor reads a body about a deferred payment that is there and collected.
func (a *API) decodeFor(c *api.Call, tx *db.Tx) (*form.Values, error) {
	if _, err := repayment.StateOf(c, tx, c.Merchant.ID, c.Path("deferred_payment")); err != nil {
		return nil, err
	}
	return c.Decode(tx)
}

// dateOf is a date of a form that has checked it.
func dateOf(v *form.Values, name string) time.Time {
	t, err := time.Parse(time.DateOnly, v.String(name))
	if err != nil {
		return time.Time{}
	}
	return t
}
