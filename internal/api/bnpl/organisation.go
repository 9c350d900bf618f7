package bnpl

import (
	"errors"
	"net/http"

	"tradecredit/internal/api"
	"tradecredit/internal/apierr"
	"tradecredit/internal/country"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
	"tradecredit/internal/id"
	"tradecredit/internal/merchant"
	"tradecredit/internal/page"
	"tradecredit/internal/party"
)

// Organisation is an organisation as a buy-now-pay-later merchant sees one.
type Organisation struct {
	ID         string             `json:"id" doc:"API unique identifier for the organisation"`
	UniqueID   string             `json:"unique_id" doc:"Unique identifier of the organisation on your platform"`
	Registered api.Time           `json:"registered" doc:"When the organisation registered on your platform"`
	Name       string             `json:"name" doc:"Organisation name"`
	Company    any                `json:"company" ref:"company" doc:"API unique identifier of the company, or the company when expanded; null when it is not identified"`
	Users      []OrganisationUser `json:"users" doc:"Users attached to the organisation"`
}

// InsuredOrganisation is an organisation as an insurance merchant sees one.
type InsuredOrganisation struct {
	ID                 string             `json:"id" doc:"API unique identifier for the organisation"`
	UniqueID           string             `json:"unique_id" doc:"Unique identifier of the organisation on your platform"`
	Registered         api.Time           `json:"registered" doc:"When the organisation registered on your platform"`
	Company            any                `json:"company" ref:"company" doc:"API unique identifier of the company, or the company when expanded; null when it is not identified"`
	CompanyName        string             `json:"company_name" doc:"Company name"`
	CompanyRegnum      string             `json:"company_regnum" doc:"Company registration number"`
	CompanyAddress     string             `json:"company_address" doc:"Company address"`
	CompanyPostcode    string             `json:"company_postcode" doc:"Company postal/zip code"`
	CompanyCity        string             `json:"company_city" doc:"Company city"`
	CompanyState       string             `json:"company_state" doc:"Company state"`
	CompanyCountry     string             `json:"company_country" doc:"Company country"`
	HasPurchasedPolicy bool               `json:"has_purchased_policy" doc:"Whether the organisation has ever purchased any policy"`
	Users              []OrganisationUser `json:"users" doc:"Users attached to the organisation"`
}

// Eligibility is the answer to an eligibility check.
type Eligibility struct {
	Type            string `json:"type" enum:"as_creditor" doc:"What was checked"`
	Organisation    string `json:"organisation" doc:"API unique identifier of the organisation"`
	Company         string `json:"company" doc:"API unique identifier of the organisation's company"`
	Status          string `json:"status" enum:"eligible,declined" doc:"Whether the company may be a seller"`
	RejectionReason any    `json:"rejection_reason" doc:"If status is declined, details about why, otherwise null"`
}

// organisationFields are what every organisation has.
func organisationFields(creating bool, opts ...form.Option) []form.Field {
	opts = append(opts, needed(creating), form.Max(maxText), form.Doc("Unique identifier of the organisation on your platform."),
		form.Example("c105b862-f1ba-4197-9d97-57db63196b00"))
	return []form.Field{
		form.Char("unique_id", opts...),
		form.DateTime("registered", needed(creating), form.Doc("When the organisation registered on your platform."),
			form.Example("2017-06-01T14:37:12Z")),
		optionalText("name", "Organisation name."),
		form.Ref("company", string(id.Company), form.Optional(), form.Null(), form.Doc("Identifier of the company.")),
		form.Char("plan_type", form.ReadOnly(), form.Doc("Deprecated: accepted and ignored.")),
	}
}

// organisationForm declares an organisation by its company's identifier.
func organisationForm(name string, creating bool, opts ...form.Option) *form.Form {
	return form.New(name, organisationFields(creating, opts...)...)
}

// insuredOrganisationForm also takes what the platform knows about a company
// that is not identified.
func insuredOrganisationForm(name string, creating bool, opts ...form.Option) *form.Form {
	return form.New(name, append(organisationFields(creating, opts...),
		optionalText("company_name", "Company name."),
		optionalText("company_regnum", "Company registration number."),
		optionalText("company_address", "Company address."),
		optionalText("company_postcode", "Company postal/zip code."),
		optionalText("company_city", "Company city."),
		optionalText("company_state", "Company state."),
		form.Country("company_country", country.Lookup, form.Optional(), form.Blank(), form.Doc("Company country.")),
	)...)
}

// uniqueOrganisation refuses the identifier of another organisation.
var uniqueOrganisation = form.Unique("organisation.unique_id", party.OrganisationTaken)

// The forms of organisations. A repeated POST finds the organisation by its
// unique_id, so there it can not be taken.
var (
	createOrganisationForm = organisationForm("Organisation", true)
	repeatOrganisationForm = organisationForm("OrganisationRepeat", false)
	changeOrganisationForm = organisationForm("OrganisationChange", false, uniqueOrganisation)

	createInsuredOrganisationForm = insuredOrganisationForm("InsuredOrganisation", true)
	repeatInsuredOrganisationForm = insuredOrganisationForm("InsuredOrganisationRepeat", false)
	changeInsuredOrganisationForm = insuredOrganisationForm("InsuredOrganisationChange", false, uniqueOrganisation)

	// organisationKeyForm reads nothing but the identifier by which an
	// organisation is known.
	organisationKeyForm = form.New("", form.Char("unique_id", form.Optional()))

	eligibilityForm = form.New("EligibilityCheck",
		form.Choice("type", []string{asCreditor}, form.Doc("What to check: whether the organisation may be a seller.")))
)

const asCreditor = "as_creditor"

// insured tells whether a merchant belongs to the insurance family.
func insured(m merchant.Merchant) bool {
	return m.Profile == merchant.Insurance || m.Profile == merchant.InsuranceLegacy
}

// organisationFormFor is the form by which a request on organisations is read.
func organisationFormFor(m merchant.Merchant, method string, exists bool) *form.Form {
	forms := [...]*form.Form{createOrganisationForm, repeatOrganisationForm, changeOrganisationForm}
	if insured(m) {
		forms = [...]*form.Form{createInsuredOrganisationForm, repeatInsuredOrganisationForm, changeInsuredOrganisationForm}
	}
	switch {
	case !exists:
		return forms[0]
	case method == http.MethodPost:
		return forms[1]
	}
	return forms[2]
}

const organisationTag = "Organisations"

func (a *API) organisationRoutes() []api.Route {
	const collection, item = "/v1/organisations", "/v1/organisations/{organisation}"
	expand := []string{"company"}
	return []api.Route{
		{
			Method: http.MethodPost, Path: collection, Tag: organisationTag, Summary: "Create an organisation",
			Doc: "A repeated request with the same `unique_id` updates the existing organisation and answers 200.\n\n" +
				"Insurance merchants can also tell about a company that is not identified yet, in the fields `company_name`, " +
				"`company_regnum`, `company_address`, `company_postcode`, `company_city`, `company_state` and `company_country`.",
			Body: createOrganisationForm, Response: Organisation{}, Status: http.StatusCreated, Also: []int{http.StatusOK},
			Errors: []int{http.StatusBadRequest}, Write: a.createOrganisation,
		},
		{
			Method: http.MethodGet, Path: collection, Tag: organisationTag, Summary: "List organisations",
			Query: []api.Param{
				{Name: "unique_id", Doc: "Only the organisation with this identifier of your platform."},
				{Name: "ordering", Doc: "`created` or `-created`, the default."},
			},
			Expand: expand, Response: page.List[Organisation]{}, Status: http.StatusOK,
			Errors: []int{http.StatusBadRequest}, Read: a.listOrganisations,
		},
		{
			Method: http.MethodGet, Path: item, Tag: organisationTag, Summary: "View an organisation",
			Expand: expand, Response: Organisation{}, Status: http.StatusOK, Errors: []int{http.StatusNotFound}, Read: a.getOrganisation,
		},
		{
			Method: http.MethodPatch, Path: item, Tag: organisationTag, Summary: "Modify an organisation",
			Body: changeOrganisationForm, Response: Organisation{}, Status: http.StatusOK,
			Errors: []int{http.StatusBadRequest, http.StatusNotFound}, Write: a.changeOrganisation,
		},
		{
			Method: http.MethodDelete, Path: item, Tag: organisationTag, Summary: "Delete an organisation",
			Doc:    "An organisation that has payment-related objects attached to it, such as deferred payments or offers, can not be deleted.",
			Status: http.StatusNoContent, Errors: []int{http.StatusNotFound, http.StatusConflict}, Write: a.deleteOrganisation,
		},
		{
			Method: http.MethodPut, Path: item + "/eligibility-checks", Tag: organisationTag, Summary: "Check whether an organisation is eligible",
			Body: eligibilityForm, Response: Eligibility{}, Status: http.StatusOK,
			Errors: []int{http.StatusBadRequest, http.StatusNotFound}, Write: a.checkEligibility,
		},
	}
}

func (a *API) createOrganisation(c *api.Call, tx *db.Tx) (*api.Response, error) {
	key := keyOf(c, tx, organisationKeyForm, "unique_id")
	o, created, err := a.Parties.PutOrganisation(c, tx, c.Merchant.ID, key, c.Now, organisationChange(c, tx))
	if err != nil {
		return nil, err
	}
	objects, err := a.organisationObjects(c, tx, o)
	if err != nil {
		return nil, err
	}
	return api.Upserted(objects[0], created), nil
}

func (a *API) changeOrganisation(c *api.Call, tx *db.Tx) (*api.Response, error) {
	o, err := a.Parties.PatchOrganisation(c, tx, c.Merchant.ID, c.Path("organisation"), c.Now, organisationChange(c, tx))
	if err != nil {
		return nil, err
	}
	return a.showOrganisation(c, tx, o)
}

// organisationChange reads a request about an organisation once it is known
// whether there is one.
func organisationChange(c *api.Call, tx *db.Tx) party.ChangeOrganisation {
	return func(o *party.OrganisationDetails, exists bool) error {
		v, err := c.DecodeAs(tx, organisationFormFor(c.Merchant, c.Request.Method, exists))
		if err != nil {
			return err
		}
		setText(v, "unique_id", &o.UniqueID)
		setText(v, "name", &o.Name)
		setText(v, "company", &o.CompanyID)
		if v.Has("registered") {
			o.Registered = v.Time("registered")
		}
		if insured(c.Merchant) {
			setText(v, "company_name", &o.Business.Name)
			setText(v, "company_regnum", &o.Business.Regnum)
			setText(v, "company_address", &o.Business.Address)
			setText(v, "company_postcode", &o.Business.Postcode)
			setText(v, "company_city", &o.Business.City)
			setText(v, "company_state", &o.Business.State)
			setText(v, "company_country", &o.Business.Country)
		}
		return nil
	}
}

func (a *API) listOrganisations(c *api.Call, tx *db.Tx) (*api.Response, error) {
	f, err := filters(c, "unique_id")
	if err != nil {
		return nil, err
	}
	p := c.Page()
	all, count, err := a.Parties.ListOrganisations(c, tx, c.Merchant.ID, f["unique_id"], p)
	if err != nil {
		return nil, err
	}
	objects, err := a.organisationObjects(c, tx, all...)
	if err != nil {
		return nil, err
	}
	return api.OK(page.New(c.Request, p, count, objects)), nil
}

func (a *API) getOrganisation(c *api.Call, tx *db.Tx) (*api.Response, error) {
	o, err := a.Parties.GetOrganisation(c, tx, c.Merchant.ID, c.Path("organisation"))
	if err != nil {
		return nil, err
	}
	return a.showOrganisation(c, tx, o)
}

func (a *API) showOrganisation(c *api.Call, tx *db.Tx, o party.Organisation) (*api.Response, error) {
	objects, err := a.organisationObjects(c, tx, o)
	if err != nil {
		return nil, err
	}
	return api.OK(objects[0]), nil
}

func (a *API) deleteOrganisation(c *api.Call, tx *db.Tx) (*api.Response, error) {
	if err := a.Parties.DeleteOrganisation(c, tx, c.Merchant.ID, c.Path("organisation"), c.Now); err != nil {
		return nil, err
	}
	return api.NoContent(), nil
}

func (a *API) checkEligibility(c *api.Call, tx *db.Tx) (*api.Response, error) {
	o, err := a.Parties.GetOrganisation(c, tx, c.Merchant.ID, c.Path("organisation"))
	if err != nil {
		return nil, err
	}
	v, err := c.Decode(tx)
	if err != nil {
		return nil, err
	}
	if o.CompanyID == "" {
		return nil, apierr.Field("company", "The organisation has no company.")
	}
	status, reason, err := a.Eligibility(c, tx, c.Merchant, o.CompanyID, c.Locale())
	if err != nil {
		return nil, err
	}
	return api.OK(Eligibility{
		Type: v.String("type"), Organisation: o.ID, Company: o.CompanyID, Status: status, RejectionReason: reason,
	}), nil
}

// organisationObjects shows organisations the way the merchant's family of rules
// does. Each company that is to be expanded is looked up once.
func (a *API) organisationObjects(c *api.Call, tx *db.Tx, organisations ...party.Organisation) ([]any, error) {
	companies, err := a.companiesOf(c, tx, organisations)
	if err != nil {
		return nil, err
	}
	var policies map[string]bool
	if insured(c.Merchant) {
		if policies, err = a.Parties.InsuredAmong(c, tx, c.Merchant.ID, organisations...); err != nil {
			return nil, err
		}
	}
	out := make([]any, len(organisations))
	for i, o := range organisations {
		company, b := companies[o.CompanyID], o.Business
		if !insured(c.Merchant) {
			out[i] = Organisation{
				ID: o.ID, UniqueID: o.UniqueID, Registered: api.Time(o.Registered), Name: o.Name,
				Company: company, Users: organisationUsers(o.Users),
			}
			continue
		}
		out[i] = InsuredOrganisation{
			ID: o.ID, UniqueID: o.UniqueID, Registered: api.Time(o.Registered), Company: company,
			CompanyName: b.Name, CompanyRegnum: b.Regnum, CompanyAddress: b.Address, CompanyPostcode: b.Postcode,
			CompanyCity: b.City, CompanyState: b.State, CompanyCountry: b.Country,
			HasPurchasedPolicy: policies[o.ID], Users: organisationUsers(o.Users),
		}
	}
	return out, nil
}

// companiesOf is what stands for the company of each organisation: its
// identifier or, expanded, the company. One that is gone stays an identifier.
func (a *API) companiesOf(c *api.Call, tx *db.Tx, organisations []party.Organisation) (map[string]any, error) {
	expand := a.CompanyObject != nil && c.Expand().Has("company")
	out := map[string]any{"": nil}
	for _, o := range organisations {
		if _, known := out[o.CompanyID]; known {
			continue
		}
		out[o.CompanyID] = o.CompanyID
		if !expand {
			continue
		}
		object, err := a.CompanyObject(a.view(c), tx, o.CompanyID)
		switch {
		case err == nil:
			out[o.CompanyID] = object
		case !errors.Is(err, db.ErrNoRows):
			return nil, err
		}
	}
	return out, nil
}
