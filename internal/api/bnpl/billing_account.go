package bnpl

import (
	"net/http"
	"slices"
	"strings"

	"tradecredit/internal/api"
	"tradecredit/internal/apierr"
	"tradecredit/internal/billing"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
	"tradecredit/internal/id"
	"tradecredit/internal/merchant"
	"tradecredit/internal/page"
)

// BillingAccount says for which organisations statements of account are made, how
// often, and who gets them.
type BillingAccount struct {
	ID            string        `json:"id" doc:"API unique identifier for the billing account"`
	Active        bool          `json:"active" doc:"If the billing account is active"`
	Created       api.Time      `json:"created"`
	Modified      api.Time      `json:"modified"`
	Deactivated   *api.Time     `json:"deactivated" doc:"When it was deactivated; null while it is active"`
	Organisations []string      `json:"organisations" doc:"Identifiers of the organisations"`
	Emails        BillingEmails `json:"emails" doc:"Email addresses that are sent the statements"`
	PaymentTerms  string        `json:"payment_terms" enum:"7d,14d,1m" doc:"The billing period"`
}

// BillingEmails are who gets statements.
type BillingEmails struct {
	To []string `json:"to"`
	Cc []string `json:"cc"`
}

func billingAccountObject(a billing.Account) BillingAccount {
	out := BillingAccount{
		ID: a.ID, Active: a.Active(), Created: api.Time(a.Created), Modified: api.Time(a.Modified), Organisations: a.Organisations,
		Emails: BillingEmails{To: a.Emails.To, Cc: a.Emails.Cc}, PaymentTerms: a.Terms,
	}
	if a.Deactivated != nil {
		at := api.Time(*a.Deactivated)
		out.Deactivated = &at
	}
	return out
}

// The most addresses and organisations that an account has.
const (
	maxBillingEmails        = 50
	maxBillingOrganisations = 200
)

var billingEmailsForm = form.New("BillingEmails",
	form.List("to", form.Email("to", form.Max(254)), form.MaxItems(maxBillingEmails), form.Doc("Who statements are sent to. May be empty."),
		form.Example([]string{"invoices@restaurant.com"})),
	form.List("cc", form.Email("cc", form.Max(254)), form.MaxItems(maxBillingEmails), form.Doc("Who gets a copy. May be empty."),
		form.Example([]string{"secondary@restaurant.com"})),
)

// newBillingAccountForm is the form of a new account of a merchant that is set up
// for some payment terms.
func newBillingAccountForm(terms []string) *form.Form {
	return form.New("BillingAccount",
		form.Refs("organisations", string(id.Organisation), form.NonEmpty(), form.MaxItems(maxBillingOrganisations),
			form.Doc("The organisations whose purchases go onto the statements. Each can be in one active billing account only."),
			form.Example([]string{"org-idcPJRZJJiQ7prk4yHYQY6TK"})),
		form.Object("emails", billingEmailsForm, form.Flatten(), form.Doc("Email addresses that will be sent the statements")),
		form.Choice("payment_terms", merchant.BillingPeriods, form.Example("1m"),
			form.Check(func(v form.Value) []string {
				if slices.Contains(terms, v.Text()) {
					return nil
				}
				return []string{"You don't have billing account terms set up for period '" + v.Text() + "'"}
			}),
			form.Doc("The billing period: 7 days, 14 days or a month, from the day on which the account is created.")),
	)
}

var (
	billingAccountForm  = newBillingAccountForm(merchant.BillingPeriods)
	billingAccountPatch = form.New("BillingAccountChange",
		form.Object("emails", billingEmailsForm, form.Flatten(), form.Doc("Replaces both lists of addresses")),
		form.Boolean("active", form.Doc("`false` deactivates the account, for ever"), form.Example(false)),
	)
)

const billingTag = "Billing accounts"

func (a *API) billingAccountRoutes() []api.Route {
	const collection, item = "/v1/payment/billing_accounts", "/v1/payment/billing_accounts/{billing_account}"
	query := []api.Param{
		{Name: "active", Doc: "`true` or `false`."},
		{Name: "organisation", Doc: "Identifier of an organisation."},
		{Name: "payment_terms", Doc: "`7d`, `14d` or `1m`."},
		{Name: "ordering", Doc: "`created`, `modified` or `deactivated`, with `-` before it for the latest first. The default is `-created`."},
	}
	return []api.Route{
		{
			Method: http.MethodPost, Path: collection, Tag: billingTag, Summary: "Create a billing account",
			Doc:  "The first billing period begins on the same day. What happened to the organisations' deferred payments before is on no statement.",
			Body: billingAccountForm, Response: BillingAccount{}, Status: http.StatusCreated,
			Errors: []int{http.StatusBadRequest}, Write: a.createBillingAccount,
		},
		{
			Method: http.MethodGet, Path: collection, Tag: billingTag, Summary: "List billing accounts", Query: query,
			Response: page.List[BillingAccount]{}, Status: http.StatusOK, Errors: []int{http.StatusBadRequest}, Read: a.listBillingAccounts,
		},
		{
			Method: http.MethodGet, Path: collection + "/company/{company}", Tag: billingTag, Summary: "List the billing accounts of a company", Query: query,
			Response: page.List[BillingAccount]{}, Status: http.StatusOK, Errors: []int{http.StatusBadRequest, http.StatusNotFound}, Read: a.listBillingAccounts,
		},
		{
			Method: http.MethodGet, Path: collection + "/organisation/{organisation}", Tag: billingTag, Summary: "List the billing accounts of an organisation", Query: query,
			Response: page.List[BillingAccount]{}, Status: http.StatusOK, Errors: []int{http.StatusBadRequest, http.StatusNotFound}, Read: a.listBillingAccounts,
		},
		{
			Method: http.MethodGet, Path: item, Tag: billingTag, Summary: "View a billing account",
			Response: BillingAccount{}, Status: http.StatusOK, Errors: []int{http.StatusNotFound}, Read: a.getBillingAccount,
		},
		{
			Method: http.MethodPatch, Path: item, Tag: billingTag, Summary: "Modify or deactivate a billing account",
			Doc: "The addresses are replaced as a whole. A deactivated account makes no new statements, is read-only and can not be activated again; " +
				"its open statement is closed and sent on its day as usual.",
			Body: billingAccountPatch, Response: BillingAccount{}, Status: http.StatusOK,
			Errors: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict}, Write: a.changeBillingAccount,
		},
	}
}

func (a *API) createBillingAccount(c *api.Call, tx *db.Tx) (*api.Response, error) {
	v, err := c.DecodeAs(tx, newBillingAccountForm(c.Merchant.Settings.BillingTerms))
	if err != nil {
		return nil, err
	}
	account, err := a.Billing.CreateAccount(c, tx, c.Merchant, billing.Account{
		Organisations: v.Strings("organisations"), Emails: billingEmails(v.Object("emails")), Terms: v.String("payment_terms"),
	}, c.Now)
	if err != nil {
		return nil, err
	}
	return api.Created(billingAccountObject(account)), nil
}

// billingEmails reads both lists; one that is absent is empty.
func billingEmails(v *form.Values) billing.Emails {
	e := billing.Emails{To: []string{}, Cc: []string{}}
	e.To = append(e.To, v.Strings("to")...)
	e.Cc = append(e.Cc, v.Strings("cc")...)
	return e
}

// billingFilter reads the filters and the ordering of a list.
func (a *API) billingFilter(c *api.Call, tx *db.Tx) (billing.Filter, error) {
	f := billing.Filter{
		OrganisationID: c.Path("organisation"), CompanyID: c.Path("company"), Terms: c.Query("payment_terms"), OrderBy: "created", Descending: true,
	}
	switch active := strings.ToLower(c.Query("active")); active {
	case "true", "false":
		f.Active = active
	}
	if f.Terms != "" && !slices.Contains(merchant.BillingPeriods, f.Terms) {
		return f, apierr.Field("payment_terms", "Select a valid choice. "+f.Terms+" is not one of the available choices.")
	}
	for _, field := range strings.Split(c.Query("ordering"), ",") {
		name, descending := strings.CutPrefix(strings.TrimSpace(field), "-")
		if slices.Contains(billing.Orderings, name) {
			f.OrderBy, f.Descending = name, descending
			break
		}
	}
	if err := a.billingOwner(c, tx, f); err != nil {
		return f, err
	}
	if o := c.Query("organisation"); o != "" && f.OrganisationID == "" {
		found, err := a.Parties.OrganisationExists(c, tx, c.Merchant.ID, o)
		if err != nil {
			return f, err
		}
		if !found {
			return f, apierr.Field("organisation", "Select a valid choice. That choice is not one of the available choices.")
		}
		f.OrganisationID = o
	}
	return f, nil
}

// billingOwner is a 404 when the organisation or company in the path does not
// exist.
func (a *API) billingOwner(c *api.Call, tx *db.Tx, f billing.Filter) error {
	if f.CompanyID != "" {
		_, err := FindCompany(a.view(c), tx, c.Merchant.ID, f.CompanyID)
		return err
	}
	if f.OrganisationID == "" {
		return nil
	}
	found, err := a.Parties.OrganisationExists(c, tx, c.Merchant.ID, f.OrganisationID)
	if err == nil && !found {
		err = db.ErrNoRows
	}
	return err
}

func (a *API) listBillingAccounts(c *api.Call, tx *db.Tx) (*api.Response, error) {
	f, err := a.billingFilter(c, tx)
	if err != nil {
		return nil, err
	}
	p := c.Page()
	found, n, err := a.Billing.ListAccounts(c, tx, c.Merchant.ID, f, p)
	if err != nil {
		return nil, err
	}
	out := make([]BillingAccount, len(found))
	for i, account := range found {
		out[i] = billingAccountObject(account)
	}
	return api.OK(page.New(c.Request, p, n, out)), nil
}

func (a *API) getBillingAccount(c *api.Call, tx *db.Tx) (*api.Response, error) {
	account, err := a.Billing.GetAccount(c, tx, c.Merchant.ID, c.Path("billing_account"))
	if err != nil {
		return nil, err
	}
	return api.OK(billingAccountObject(account)), nil
}

func (a *API) changeBillingAccount(c *api.Call, tx *db.Tx) (*api.Response, error) {
	account, err := a.Billing.ChangeAccount(c, tx, c.Merchant, c.Path("billing_account"), func() (billing.Change, error) {
		var change billing.Change
		v, err := c.Decode(tx)
		if err != nil {
			return change, err
		}
		if v.Has("emails") {
			emails := billingEmails(v.Object("emails"))
			change.Emails = &emails
		}
		change.Active = v.BoolPtr("active")
		return change, nil
	}, c.Now)
	if err != nil {
		return nil, err
	}
	return api.OK(billingAccountObject(account)), nil
}
