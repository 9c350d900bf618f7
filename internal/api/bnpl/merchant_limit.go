package bnpl

import (
	"net/http"

	"tradecredit/internal/api"
	"tradecredit/internal/apierr"
	"tradecredit/internal/credit"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
)

// MerchantLimit is what a merchant lends a buyer at its own risk, as the API shows
// it.
type MerchantLimit struct {
	Currency string              `json:"currency" doc:"Currency the limit was set in (ISO 4217 code)"`
	Limits   MerchantLimitShares `json:"limits" doc:"Total limits, provided in various currencies; null where no exchange rate is known"`
	IsActive bool                `json:"is_active" doc:"If false, this limit does not apply"`
}

// MerchantLimitShares are a limit in every currency that limits are set in.
type MerchantLimitShares struct {
	GBP *int64 `json:"GBP" doc:"Total limit expressed in GBP, in minor units (pence)"`
	EUR *int64 `json:"EUR" doc:"Total limit expressed in EUR, in minor units (cents)"`
	USD *int64 `json:"USD" doc:"Total limit expressed in USD, in minor units (cents)"`
}

var merchantLimitForm = form.New("MerchantLimitRequest",
	form.Choice("currency", credit.Currencies(), form.Doc("Currency the limit applies to (ISO 4217 code)."), form.Example("EUR")),
	form.Integer("limit", form.MinValue(0), form.MaxValue(maxAmount), form.Doc("The limit, in minor units of the currency."), form.Example(1000)),
	form.Boolean("is_active", form.Default(true), form.Doc("If false, this limit does not apply.")),
)

const merchantLimitTag = "Merchant limits"

// merchantLimitRoutes is the table of the limits that merchants set.
func (a *API) merchantLimitRoutes() []api.Route {
	const path = "/v1/payment/merchant_limits"
	const precedence = " The limit of a buyer itself comes before the default; one that is not active counts as if it were not there."
	var out []api.Route
	for _, kind := range []struct{ path, what string }{
		{path + "/company/{company}", "the merchant limit of a company"},
		{path + "/default", "the default merchant limit"},
	} {
		out = append(out,
			api.Route{
				Method: http.MethodGet, Path: kind.path, Tag: merchantLimitTag, Summary: "View " + kind.what,
				Response: MerchantLimit{}, Status: 200, Errors: []int{403, 404}, Read: a.viewMerchantLimit,
			},
			api.Route{
				Method: http.MethodPut, Path: kind.path, Tag: merchantLimitTag, Summary: "Set " + kind.what,
				Doc:  "Tops your buyers' credit limits up, at your own risk." + precedence,
				Body: merchantLimitForm, Response: MerchantLimit{}, Status: 200, Errors: []int{400, 403, 404}, Write: a.setMerchantLimit,
			},
			api.Route{
				Method: http.MethodDelete, Path: kind.path, Tag: merchantLimitTag, Summary: "Delete " + kind.what,
				Doc:      "Answers with the limit as it was.",
				Response: MerchantLimit{}, Status: 200, Errors: []int{403, 404}, Write: a.deleteMerchantLimit,
			},
		)
	}
	return out
}

// limitedCompany is the company that a request is about, "" for the default. It
// refuses merchants that give no limits, and companies that they do not know.
func (a *API) limitedCompany(c *api.Call, tx *db.Tx) (string, error) {
	if !c.Merchant.Settings.MerchantLimits {
		return "", apierr.Forbidden()
	}
	companyID := c.Path("company")
	if companyID == "" {
		return "", nil
	}
	_, err := FindCompany(a.view(c), tx, c.Merchant.ID, companyID)
	return companyID, err
}

func (a *API) viewMerchantLimit(c *api.Call, tx *db.Tx) (*api.Response, error) {
	companyID, err := a.limitedCompany(c, tx)
	if err != nil {
		return nil, err
	}
	l, err := credit.GetMerchantLimit(c, tx, c.Merchant.ID, companyID)
	if err != nil {
		return nil, err
	}
	return showMerchantLimit(c, tx, l)
}

func (a *API) setMerchantLimit(c *api.Call, tx *db.Tx) (*api.Response, error) {
	companyID, err := a.limitedCompany(c, tx)
	if err != nil {
		return nil, err
	}
	v, err := c.Decode(tx)
	if err != nil {
		return nil, err
	}
	l := credit.MerchantLimit{CompanyID: companyID, Currency: v.String("currency"), Amount: v.Int("limit"), Active: v.Bool("is_active")}
	credit.SetMerchantLimit(tx, c.Merchant.ID, l)
	return showMerchantLimit(c, tx, l)
}

func (a *API) deleteMerchantLimit(c *api.Call, tx *db.Tx) (*api.Response, error) {
	companyID, err := a.limitedCompany(c, tx)
	if err != nil {
		return nil, err
	}
	l, err := credit.DeleteMerchantLimit(c, tx, c.Merchant.ID, companyID)
	if err != nil {
		return nil, err
	}
	return showMerchantLimit(c, tx, l)
}

func showMerchantLimit(c *api.Call, tx *db.Tx, l credit.MerchantLimit) (*api.Response, error) {
	in, err := credit.Show(c, tx, l, c.Now)
	if err != nil {
		return nil, err
	}
	limits := MerchantLimitShares{GBP: in["GBP"], EUR: in["EUR"], USD: in["USD"]}
	return api.OK(MerchantLimit{Currency: l.Currency, Limits: limits, IsActive: l.Active}), nil
}
