package bnpl

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"tradecredit/internal/api"
	"tradecredit/internal/apierr"
	"tradecredit/internal/billing"
	"tradecredit/internal/db"
	"tradecredit/internal/page"
)

// Statement is a statement of account: one currency in one period of a billing
// account. Amounts are in minor units, above zero for what the buyer owes.
type Statement struct {
	ID             string          `json:"id"`
	BillingAccount string          `json:"billing_account" doc:"Identifier of the billing account"`
	Number         *string         `json:"number" doc:"Identifier for people; null while the statement is open" example:"S-7WR2-PR6S"`
	Reference      *string         `json:"reference" doc:"What a transfer names to pay the statement (ISO 11649); null while it is open" example:"RF62S7WR2PR6S"`
	Status         string          `json:"status" enum:"open,closed,partially_paid,paid,overdue"`
	Currency       string          `json:"currency"`
	PeriodStart    string          `json:"period_start" doc:"First day of the period"`
	PeriodEnd      string          `json:"period_end" doc:"Last day of the period"`
	CloseDate      string          `json:"close_date" doc:"The day on which the statement is made and sent: the one after the period"`
	DueDate        *string         `json:"due_date" doc:"Until when it is to be paid; null while the statement is open"`
	Opening        int64           `json:"opening_balance" doc:"What the statement before closed with"`
	Captures       int64           `json:"captures"`
	Refunds        int64           `json:"refunds" doc:"Zero or below"`
	Fees           int64           `json:"fees"`
	Discounts      int64           `json:"discounts" doc:"Below zero for what is given"`
	Payments       int64           `json:"payments" doc:"Below zero for what came in"`
	Adjustments    int64           `json:"adjustments" doc:"Corrections and debts that were given up"`
	Closing        int64           `json:"closing_balance" doc:"The sum of all of these"`
	AmountDue      int64           `json:"amount_due" doc:"What is to be paid by one transfer: the closing balance without what is in favour of the buyer"`
	Remaining      int64           `json:"remaining_amount" doc:"What of it is still to be paid"`
	Created        api.Time        `json:"created"`
	Closed         *api.Time       `json:"closed"`
	Lines          []StatementLine `json:"lines,omitempty" doc:"What happened in the period; only when a single statement is viewed"`
	Items          []StatementItem `json:"items,omitempty" doc:"What is asked for, by deferred payment; only when a single, closed statement is viewed"`
}

// StatementLine is one thing that changed what the buyer owes.
type StatementLine struct {
	Created         api.Time `json:"created"`
	Type            string   `json:"type" enum:"capture,refund,fee,discount,payment,payment_returned,customer_refund,adjustment,write_off"`
	DeferredPayment string   `json:"deferred_payment"`
	Number          string   `json:"number" doc:"That of the deferred payment"`
	Order           string   `json:"order"`
	Organisation    string   `json:"organisation"`
	Amount          int64    `json:"amount" doc:"Minor units; above zero when more is owed"`
}

// StatementItem is what a statement asks for of one deferred payment.
type StatementItem struct {
	DeferredPayment string  `json:"deferred_payment"`
	Number          string  `json:"number" doc:"That of the deferred payment"`
	DueDate         *string `json:"due_date" doc:"When the next part of it fell due as of the close"`
	Amount          int64   `json:"amount" doc:"Minor units; below zero for what is in favour of the buyer"`
	Remaining       int64   `json:"remaining_amount" doc:"What of it is still to be paid, in minor units"`
}

func statementObject(s billing.Statement) Statement {
	out := Statement{
		ID: s.ID, BillingAccount: s.AccountID, Number: orNull(s.Number), Reference: orNull(s.Reference()), Status: s.Status,
		Currency: s.Currency, PeriodStart: s.Period.Start.Format(time.DateOnly), PeriodEnd: s.Period.Last().Format(time.DateOnly),
		CloseDate: s.Period.Close.Format(time.DateOnly), DueDate: orNull(s.DueDate), Opening: s.Opening, Captures: s.Captures,
		Refunds: s.Refunds, Fees: s.Fees, Discounts: s.Discounts, Payments: s.Payments, Adjustments: s.Adjustments, Closing: s.Closing,
		AmountDue: s.AmountDue, Remaining: s.Remaining, Created: api.Time(s.Created),
	}
	if s.Closed != nil {
		at := api.Time(*s.Closed)
		out.Closed = &at
	}
	return out
}

const statementTag = "Statements"

func (a *API) statementRoutes() []api.Route {
	const collection, item = "/v1/payment/statements", "/v1/payment/statements/{statement}"
	files := []int{http.StatusNotFound, http.StatusConflict}
	return []api.Route{
		{
			Method: http.MethodGet, Path: collection, Tag: statementTag, Summary: "List statements",
			Doc: "A statement is there from the first thing that happens in its period, with the figures of the moment until it is closed.",
			Query: []api.Param{
				{Name: "billing_account", Doc: "Identifier of a billing account."},
				{Name: "status", Doc: "`open`, `closed`, `partially_paid`, `paid` or `overdue`."},
				{Name: "ordering", Doc: "`created` or `-created`, the default."},
			},
			Response: page.List[Statement]{}, Status: http.StatusOK, Errors: []int{http.StatusBadRequest}, Read: a.listStatements,
		},
		{
			Method: http.MethodGet, Path: item, Tag: statementTag, Summary: "View a statement",
			Response: Statement{}, Status: http.StatusOK, Errors: []int{http.StatusNotFound}, Read: a.getStatement,
		},
		{
			Method: http.MethodGet, Path: item + "/pdf", Tag: statementTag, Summary: "Download a statement as PDF",
			Doc:      "The file that was sent. A statement that is open has none: 409.",
			Response: "", ContentType: "application/pdf", Status: http.StatusOK, Errors: files, Serve: a.statementPDF,
		},
		{
			Method: http.MethodGet, Path: item + "/csv", Tag: statementTag, Summary: "Download the lines of a statement as CSV",
			Doc:      "The file that was sent. A statement that is open has none: 409.",
			Response: "", ContentType: "text/csv; charset=utf-8", Status: http.StatusOK, Errors: files, Serve: a.statementCSV,
		},
	}
}

func (a *API) listStatements(c *api.Call, tx *db.Tx) (*api.Response, error) {
	f := billing.StatementFilter{AccountID: c.Query("billing_account"), Status: c.Query("status")}
	if f.Status != "" && !slices.Contains(billing.Statuses, f.Status) {
		return nil, apierr.Field("status", "Select a valid choice. "+f.Status+" is not one of the available choices.")
	}
	if f.AccountID != "" {
		_, err := a.Billing.GetAccount(c, tx, c.Merchant.ID, f.AccountID)
		if errors.Is(err, db.ErrNoRows) {
			return nil, apierr.Field("billing_account", "Select a valid choice. That choice is not one of the available choices.")
		}
		if err != nil {
			return nil, err
		}
	}
	p := c.Page()
	found, n, err := a.Billing.ListStatements(c, tx, c.Merchant.ID, f, p)
	if err != nil {
		return nil, err
	}
	out := make([]Statement, len(found))
	for i, s := range found {
		out[i] = statementObject(s)
	}
	return api.OK(page.New(c.Request, p, n, out)), nil
}

func (a *API) getStatement(c *api.Call, tx *db.Tx) (*api.Response, error) {
	d, err := a.Billing.Details(c, tx, c.Merchant.ID, c.Path("statement"))
	if err != nil {
		return nil, err
	}
	return api.OK(ShowStatement(d)), nil
}

// ShowStatement is a statement with its lines and items.
func ShowStatement(d billing.Details) Statement {
	out := statementObject(d.Statement)
	for _, l := range d.Lines {
		out.Lines = append(out.Lines, StatementLine{
			Created: api.Time(l.At), Type: l.Kind, DeferredPayment: l.PaymentID, Number: l.Number, Order: l.OrderID,
			Organisation: l.OrganisationID, Amount: l.Amount,
		})
	}
	for _, i := range d.Items {
		out.Items = append(out.Items, StatementItem{
			DeferredPayment: i.PaymentID, Number: i.Number, DueDate: orNull(i.DueDate), Amount: i.Balance, Remaining: i.Open(),
		})
	}
	return out
}

func (a *API) statementPDF(c *api.Call) (*api.Answer, error) {
	files, err := a.statementFiles(c)
	if err != nil {
		return nil, err
	}
	return file(files.Name+".pdf", "application/pdf", files.PDF), nil
}

func (a *API) statementCSV(c *api.Call) (*api.Answer, error) {
	files, err := a.statementFiles(c)
	if err != nil {
		return nil, err
	}
	return file(files.Name+".csv", "text/csv; charset=utf-8", files.CSV), nil
}

// statementFiles makes the files of a statement, outside of the transaction that
// reads what they are made of.
func (a *API) statementFiles(c *api.Call) (billing.Files, error) {
	var d billing.Details
	err := a.DB.Read(c, func(tx *db.Tx) (err error) {
		d, err = a.Billing.Details(c, tx, c.Merchant.ID, c.Path("statement"))
		return err
	})
	if err != nil {
		return billing.Files{}, err
	}
	files, err := billing.Render(d)
	if errors.Is(err, billing.ErrOpen) {
		return files, apierr.Conflict("The statement is open. Its files are made when it is closed.")
	}
	return files, err
}

// file is a download. Its name is plain ASCII.
func file(name, kind string, body []byte) *api.Answer {
	return &api.Answer{
		Status: http.StatusOK, ContentType: kind, Body: body,
		Header: http.Header{"Content-Disposition": {`attachment; filename="` + name + `"`}, "Cache-Control": {"private, no-store"}},
	}
}
