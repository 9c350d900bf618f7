package bnpl

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"tradecredit/internal/api"
	"tradecredit/internal/credit"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
	"tradecredit/internal/id"
	"tradecredit/internal/merchant"
	"tradecredit/internal/money"
	"tradecredit/internal/underwriting"
)

// CreditLimit is what a company may buy on credit, as the API shows it.
type CreditLimit struct {
	Company         string           `json:"company" doc:"API unique identifier for the company"`
	Status          string           `json:"status" enum:"eligible,declined" doc:"Current credit approval status"`
	RejectionReason *RejectionReason `json:"rejection_reason" doc:"If status is declined, details about why, otherwise null"`
	CreditLimit     LimitAmounts     `json:"credit_limit"`
	CreditActions   []string         `json:"credit_actions" doc:"What can be done about the limit; more may be added. One of no_action_possible, email_buyer_support, pay_overdue_deferred_payments, provide_bank_statements, provide_latest_financial_statements, submit_credit_review, await_credit_review_completion"`
}

// LimitAmounts are the amounts of a credit limit.
type LimitAmounts struct {
	Currency        string `json:"currency" doc:"ISO 4217 currency code"`
	AmountAvailable *int64 `json:"amount_available" doc:"Credit limit currently available, in minor units (cents/pence); null when declined"`
	AmountInUse     int64  `json:"amount_in_use" doc:"Credit limit currently in use, in minor units (cents/pence)"`
	Amount          *int64 `json:"amount" doc:"Total credit limit, in minor units (cents/pence); null when declined"`
}

// CreditLimits are the limits of several companies.
type CreditLimits struct {
	Results []CreditLimit `json:"results" doc:"In the order in which the companies were named"`
}

// LegacyCreditLimit is a company's limit in the older form.
type LegacyCreditLimit struct {
	Company string               `json:"company" doc:"API unique identifier of the associated company"`
	Status  string               `json:"status" enum:"eligible,declined" doc:"Current credit approval status"`
	Current *LegacyLimitAmounts  `json:"current_credit_limit" doc:"Current credit limit if approved"`
	History []CreditLimitHistory `json:"credit_limit_history" doc:"The limits as you have seen them, newest first"`
}

// LegacyLimitAmounts are the amounts of a credit limit in the older form.
type LegacyLimitAmounts struct {
	Currency        string `json:"currency" doc:"ISO 4217 currency code"`
	Amount          int64  `json:"amount" doc:"Total credit limit, in minor units"`
	AmountInUse     int64  `json:"amount_in_use" doc:"Credit limit currently in use by deferred payments, in minor units"`
	AmountAvailable int64  `json:"amount_available" doc:"Credit limit currently available, in minor units"`
}

// CreditLimitHistory is a limit that counted for some time.
type CreditLimitHistory struct {
	ValidFrom api.Time  `json:"valid_from"`
	ValidTo   *api.Time `json:"valid_to" doc:"null for the limit that counts now"`
	Currency  string    `json:"currency" doc:"ISO 4217 currency code"`
	Amount    int64     `json:"amount" doc:"Total credit limit, in minor units"`
}

// maxCompanies is how many limits can be asked for at once.
const maxCompanies = 100

var limitCurrency = form.Choice("currency", money.Currencies(), form.Default("EUR"),
	form.Doc("Desired currency for the credit limit, as an ISO 4217 currency code."), form.Example("GBP"))

var (
	creditLimitForm  = form.New("CreditLimitRequest", limitCurrency)
	creditLimitsForm = form.New("CreditLimitsRequest",
		form.Refs("companies", string(id.Company), form.NonEmpty(), form.MaxItems(maxCompanies), form.Doc("Identifiers of at most 100 companies.")),
		limitCurrency,
	)
)

const creditLimitTag = "Credit limits"

// creditLimitRoutes is the table of credit limits.
func (a *API) creditLimitRoutes() []api.Route {
	const path = "/v1/payment/credit_limits"
	const cached = " The answer has an `ETag`; a request with that in `If-None-Match` is answered 304, without a body, for as long as nothing has changed."
	return []api.Route{
		{
			Method: http.MethodPost, Path: path + "/company/{company}", Tag: creditLimitTag, Summary: "Request a company's credit limit",
			Doc: "Tells, before there is any order, whether a company can obtain credit and how much. What is in use in other " +
				"currencies is counted at the latest reference rates." + cached,
			Body: creditLimitForm, Response: CreditLimit{}, Status: 200, Errors: []int{400, 404}, Serve: a.requestCreditLimit,
		},
		{
			Method: http.MethodGet, Path: path + "/company/{company}", Tag: creditLimitTag, Summary: "View a company's credit limit (legacy)",
			Doc:      "The older form, with the history of the limit, in the currency of the company's country." + cached,
			Response: LegacyCreditLimit{}, Status: 200, Errors: []int{404}, Serve: a.viewCreditLimit,
		},
		{
			Method: http.MethodPost, Path: path, Tag: creditLimitTag, Summary: "Request the credit limits of several companies",
			Doc:  "For those who keep the limits of many buyers up to date: one request for up to 100 of them." + cached,
			Body: creditLimitsForm, Response: CreditLimits{}, Status: 200, Errors: []int{400}, Serve: a.requestCreditLimits,
		},
	}
}

func (a *API) requestCreditLimit(c *api.Call) (*api.Answer, error) {
	return a.ifChanged(c, func(tx *db.Tx, m merchant.Merchant, now time.Time) (any, error) {
		v, err := c.Decode(tx)
		if err != nil {
			return nil, err
		}
		l, err := a.Limits.Limit(c, tx, m, now, c.Path("company"), v.String("currency"))
		if err != nil {
			return nil, err
		}
		return showLimit(l, c.Locale()), nil
	})
}

func (a *API) requestCreditLimits(c *api.Call) (*api.Answer, error) {
	return a.ifChanged(c, func(tx *db.Tx, m merchant.Merchant, now time.Time) (any, error) {
		v, err := c.Decode(tx)
		if err != nil {
			return nil, err
		}
		found, err := a.Limits.Limits(c, tx, m, now, v.Strings("companies"), v.String("currency"))
		if err != nil {
			return nil, err
		}
		out := CreditLimits{Results: []CreditLimit{}}
		for _, l := range found {
			out.Results = append(out.Results, showLimit(l, c.Locale()))
		}
		return out, nil
	})
}

func (a *API) viewCreditLimit(c *api.Call) (*api.Answer, error) {
	return a.ifChanged(c, func(tx *db.Tx, m merchant.Merchant, now time.Time) (any, error) {
		l, err := a.Limits.Limit(c, tx, m, now, c.Path("company"), "")
		if err != nil {
			return nil, err
		}
		history, err := credit.History(c, tx, m.ID, l.CompanyID, l.Currency)
		if err != nil {
			return nil, err
		}
		out := LegacyCreditLimit{Company: l.CompanyID, Status: "declined", History: []CreditLimitHistory{}}
		if l.Reason == nil {
			out.Status = "eligible"
			out.Current = &LegacyLimitAmounts{Currency: l.Currency, Amount: l.Amount, AmountInUse: l.InUse, AmountAvailable: l.Available}
		}
		for _, p := range history {
			h := CreditLimitHistory{ValidFrom: api.Time(p.From), Currency: p.Currency, Amount: p.Amount}
			if p.To != nil {
				to := api.Time(*p.To)
				h.ValidTo = &to
			}
			out.History = append(out.History, h)
		}
		return out, nil
	})
}

func showLimit(l credit.Limit, locale string) CreditLimit {
	out := CreditLimit{
		Company: l.CompanyID, Status: "eligible", CreditActions: l.Actions,
		CreditLimit: LimitAmounts{Currency: l.Currency, AmountInUse: l.InUse},
	}
	if l.Reason == nil {
		out.CreditLimit.AmountAvailable, out.CreditLimit.Amount = &l.Available, &l.Amount
		return out
	}
	out.Status, out.RejectionReason = "declined", localised(*l.Reason, locale)
	return out
}

// localised is a reason in the language that a caller asks for.
func localised(r underwriting.Reason, locale string) *RejectionReason {
	r = r.In(locale)
	return &RejectionReason{Code: r.Code, Detail: r.Detail, Params: r.Params}
}

// ifChanged answers with what work makes in a transaction, or with a 304 when that
// is what the caller has already. Nothing is created, so a key for idempotency has
// no effect.
func (a *API) ifChanged(c *api.Call, work func(tx *db.Tx, m merchant.Merchant, now time.Time) (any, error)) (*api.Answer, error) {
	var body []byte
	err := a.DB.Write(c, func(tx *db.Tx) error {
		// What the server remembers of the merchant may be a moment old.
		m, err := merchant.Get(c, tx, c.Merchant.ID)
		if err != nil {
			return err
		}
		out, err := work(tx, m, c.Now.Add(m.Offset-c.Merchant.Offset))
		if err != nil {
			return err
		}
		body, err = api.Encode(out)
		return err
	})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	answer := &api.Answer{Status: http.StatusOK, Body: body, Header: http.Header{"Etag": {tag}}}
	if matches(c.Request.Header.Values("If-None-Match"), tag) {
		answer.Status, answer.Body = http.StatusNotModified, nil
	}
	return answer, nil
}

// matches tells whether one of the tags of If-None-Match is that of the answer. A
// proxy that packs answers may have made it a weak one.
func matches(header []string, tag string) bool {
	for _, line := range header {
		for _, t := range strings.Split(line, ",") {
			if t = strings.TrimSpace(t); strings.TrimPrefix(t, "W/") == tag {
				return true
			}
		}
	}
	return false
}
