package bnpl

import (
	"net/http"

	"tradecredit/internal/api"
	"tradecredit/internal/bankfile"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
	"tradecredit/internal/id"
	"tradecredit/internal/page"
	"tradecredit/internal/repayment"
)

// Mandate is the permission of a buyer to debit its account.
type Mandate struct {
	ID            string   `json:"id"`
	Organisation  string   `json:"organisation"`
	Reference     string   `json:"reference" doc:"Unique reference of the mandate, shown on the buyer's account"`
	Scheme        string   `json:"scheme" enum:"CORE,B2B,BACS"`
	Holder        string   `json:"holder" doc:"Name of the account's holder"`
	IBAN          string   `json:"iban"`
	BIC           string   `json:"bic"`
	SortCode      string   `json:"sort_code"`
	AccountNumber string   `json:"account_number"`
	SignedOn      string   `json:"signed_on" doc:"Date of the signature"`
	Status        string   `json:"status" enum:"active,cancelled"`
	Created       api.Time `json:"created"`
}

var mandateForm = form.New("Mandate",
	form.Ref("organisation", string(id.Organisation), form.Doc("The organisation that is debited")),
	form.Char("reference", form.Optional(), form.Blank(), form.Max(35), form.Doc("Unlike that of every other mandate; one is made when it is absent")),
	form.Choice("scheme", repayment.Schemes, form.Doc("CORE or B2B for accounts in euro, BACS for accounts in the United Kingdom")),
	form.Char("holder", form.Max(140), form.Doc("Name of the account's holder")),
	form.Char("iban", form.Optional(), form.Blank(), form.Max(42), form.Doc("For CORE and B2B")),
	form.Char("bic", form.Optional(), form.Blank(), form.Max(11)),
	form.Char("sort_code", form.Optional(), form.Blank(), form.Max(8), form.Doc("For BACS")),
	form.Char("account_number", form.Optional(), form.Blank(), form.Max(8), form.Doc("For BACS")),
	form.Date("signed_on", form.Doc("Date of the signature")),
)

// mandateRoutes is the table of mandates for direct debits.
func (a *API) mandateRoutes() []api.Route {
	const path, tag = "/v1/payment/mandates", "Mandates"
	return []api.Route{
		{
			Method: http.MethodPost, Path: path, Tag: tag, Summary: "Register a mandate",
			Doc:  "The buyer's permission to debit its account, where direct debits go to the bank in files. Its account is debited for deferred payments with `payment_method` `direct_debit`.",
			Body: mandateForm, Response: Mandate{}, Status: 201, Write: a.createMandate,
		},
		{
			Method: http.MethodGet, Path: path, Tag: tag, Summary: "List mandates",
			Response: page.List[Mandate]{}, Status: 200, Read: a.listMandates,
		},
		{
			Method: http.MethodGet, Path: path + "/{mandate}", Tag: tag, Summary: "View a mandate",
			Response: Mandate{}, Status: 200, Errors: []int{404}, Read: a.viewMandate,
		},
		{
			Method: http.MethodPost, Path: path + "/{mandate}/cancel", Tag: tag, Summary: "Cancel a mandate",
			Response: Mandate{}, Status: 200, Errors: []int{404, 409}, Write: a.cancelMandate,
		},
	}
}

func showMandate(m repayment.Mandate) Mandate {
	return Mandate{
		ID: m.ID, Organisation: m.OrganisationID, Reference: m.Reference, Scheme: m.Scheme, Holder: m.Account.Name, IBAN: m.Account.IBAN,
		BIC: m.Account.BIC, SortCode: m.Account.SortCode, AccountNumber: m.Account.AccountNumber, SignedOn: m.SignedOn,
		Status: m.Status, Created: api.Time(m.Created),
	}
}

func (a *API) createMandate(c *api.Call, tx *db.Tx) (*api.Response, error) {
	v, err := c.Decode(tx)
	if err != nil {
		return nil, err
	}
	m, err := a.Repayments.AddMandate(c, tx, c.Merchant, repayment.Mandate{
		OrganisationID: v.String("organisation"), Reference: v.String("reference"), Scheme: v.String("scheme"), SignedOn: v.String("signed_on"),
		Account: bankfile.Account{
			Name: v.String("holder"), IBAN: v.String("iban"), BIC: v.String("bic"), SortCode: v.String("sort_code"), AccountNumber: v.String("account_number"),
		},
	}, c.Now)
	if err != nil {
		return nil, err
	}
	return api.Created(showMandate(m)), nil
}

func (a *API) listMandates(c *api.Call, tx *db.Tx) (*api.Response, error) {
	p := c.Page()
	found, n, err := repayment.Mandates(c, tx, c.Merchant.ID, p.Limit, p.Offset)
	if err != nil {
		return nil, err
	}
	out := make([]Mandate, len(found))
	for i, m := range found {
		out[i] = showMandate(m)
	}
	return api.OK(page.New(c.Request, p, n, out)), nil
}

func (a *API) viewMandate(c *api.Call, tx *db.Tx) (*api.Response, error) {
	m, err := repayment.GetMandate(c, tx, c.Merchant.ID, c.Path("mandate"))
	if err != nil {
		return nil, err
	}
	return api.OK(showMandate(m)), nil
}

func (a *API) cancelMandate(c *api.Call, tx *db.Tx) (*api.Response, error) {
	m, err := a.Repayments.CancelMandate(c, tx, c.Merchant, c.Path("mandate"))
	if err != nil {
		return nil, err
	}
	return api.OK(showMandate(m)), nil
}

// CollectionState is how a deferred payment is collected.
type CollectionState struct {
	DeferredPayment string  `json:"deferred_payment"`
	Status          string  `json:"status" enum:"open,late,closed"`
	NextDate        *string `json:"next_date" doc:"Due date of the oldest part that is not paid"`
	LateSince       *string `json:"late_since" doc:"Due date that passed first without payment"`
	Attempts        int64   `json:"attempts" doc:"Failed attempts to collect what is due"`
	PausedUntil     *string `json:"paused_until"`
	PromisedOn      *string `json:"promised_on"`
	PromisedAmount  int64   `json:"promised_amount" doc:"What is left of the promise, in minor units"`
	Disputed        bool    `json:"disputed"`
}

// ShowState is how a deferred payment is collected.
func ShowState(s repayment.State) CollectionState {
	return CollectionState{
		DeferredPayment: s.PaymentID, Status: s.Status, NextDate: orNull(s.NextDate), LateSince: orNull(s.LateSince), Attempts: s.Attempts,
		PausedUntil: orNull(s.PausedUntil), PromisedOn: orNull(s.PromisedOn), PromisedAmount: s.PromisedAmount, Disputed: s.Disputed,
	}
}
