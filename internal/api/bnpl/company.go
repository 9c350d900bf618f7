package bnpl

import (
	"errors"
	"net/http"

	"tradecredit/internal/api"
	"tradecredit/internal/company"
	"tradecredit/internal/country"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
	"tradecredit/internal/merchant"
	"tradecredit/internal/party"
)

// Company is a legal entity, or a sole trader.
type Company struct {
	URL          string               `json:"url" doc:"API endpoint to access the company"`
	ID           string               `json:"id" doc:"API unique identifier of the company"`
	Country      string               `json:"country" doc:"Country of registration"`
	Name         string               `json:"name"`
	Address      string               `json:"address" doc:"Full postal address"`
	City         string               `json:"city"`
	Postcode     string               `json:"postcode"`
	LegalForm    string               `json:"legal_form"`
	Sectors      []company.Sector     `json:"sectors" doc:"What the company does, in national classifications"`
	CreationDate *string              `json:"creation_date" doc:"Day of incorporation; null when it is not known"`
	Identifiers  []company.Identifier `json:"identifiers" doc:"Official identifiers: reg_number, lei, vat_number"`
	Email        string               `json:"email"`
	Phone        string               `json:"phone"`
	Status       string               `json:"status" doc:"Active for a company that trades normally"`
	AccountsType string               `json:"accounts_type"`
}

// CompanyMatch is a company that a search found.
type CompanyMatch struct {
	Company
	Confidence *company.Confidence `json:"confidence" doc:"How sure the match is, from 0 to 1; null when that is not known"`
}

// CompanyMatches is the answer to a search, best first.
type CompanyMatches struct {
	Matches []CompanyMatch `json:"matches"`
}

// maxMatches bounds the answer to a search.
const maxMatches = 10

var searchForm = form.New("CompanySearch",
	form.Country("country", country.Lookup, form.Doc("Country the company is registered in: a code or an English name"), form.Example("GB")),
	form.Char("name", form.Optional(), form.Blank(), form.Null(), form.Max(500), form.Doc("Name of the company"), form.Example("Hokodo Ltd")),
	form.Char("reg_number", form.Optional(), form.Blank(), form.Null(), form.Max(100), form.Doc("Registration number in the country")),
	form.Char("address", form.Optional(), form.Blank(), form.Null(), form.Max(1000), form.Doc("Address of the company")),
).With(func(v *form.Values) *form.Errors {
	if v.String("name") == "" && v.String("reg_number") == "" {
		return form.NonField("Not enough information to identify company. Provide at least country and either name or registration number.")
	}
	return nil
})

// companyRoutes is the table of companies and countries.
func (a *API) companyRoutes() []api.Route {
	const tag = "Companies"
	return []api.Route{
		{
			Method: http.MethodPost, Path: "/v1/companies/search", Tag: tag, Summary: "Search for a company",
			Doc:    "Finds companies by registration number or name. Also answers without credentials, at a lower rate.",
			Access: api.Anonymous, Body: searchForm, Response: CompanyMatches{}, Status: 200,
			Serve: a.searchCompanies,
		},
		{
			Method: http.MethodGet, Path: "/v1/companies/{company}", Tag: tag, Summary: "View a company",
			Response: Company{}, Status: 200, Errors: []int{404}, Read: a.viewCompany,
		},
		{
			Method: http.MethodGet, Path: "/v1/countries/debtor", Tag: "Countries", Summary: "List the countries of buyers",
			Access: api.Anonymous, Response: []country.Country{}, Status: 200, Read: listCountries,
		},
		{
			Method: http.MethodGet, Path: "/v1/countries/customer", Tag: "Countries", Summary: "List the countries of customers",
			Access: api.Anonymous, Response: []country.Country{}, Status: 200, Read: listCountries,
		},
	}
}

func listCountries(*api.Call, *db.Tx) (*api.Response, error) { return api.OK(country.Buyers()), nil }

// searchCompanies only reads although it is a POST, so it takes a reader.
func (a *API) searchCompanies(c *api.Call) (*api.Answer, error) {
	v, err := c.Decode(nil)
	if err != nil {
		return nil, err
	}
	q := company.Query{Country: v.String("country"), Name: v.String("name"), Number: v.String("reg_number"), Address: v.String("address")}
	out := CompanyMatches{Matches: []CompanyMatch{}}
	err = a.DB.Read(c, func(tx *db.Tx) error {
		found, err := company.Search(c, tx, q, maxMatches)
		for _, m := range found {
			out.Matches = append(out.Matches, CompanyMatch{showCompany(a.view(c), m.Company), m.Confidence})
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	body, err := api.Encode(out)
	return &api.Answer{Status: http.StatusOK, Body: body}, err
}

func (a *API) viewCompany(c *api.Call, tx *db.Tx) (*api.Response, error) {
	out, err := a.companyByID(a.view(c), tx, c.Path("company"))
	if err != nil {
		return nil, err
	}
	return api.OK(out), nil
}

// companyByID shows a company, or one of the merchant's sole traders.
func (a *API) companyByID(v View, tx *db.Tx, companyID string) (any, error) {
	co, err := FindCompany(v, tx, v.Merchant.ID, companyID)
	if err != nil {
		return nil, err
	}
	return showCompany(v, co), nil
}

// FindCompany returns a company, or one of a merchant's sole traders as a
// company, or db.ErrNoRows.
func FindCompany(v View, tx *db.Tx, merchantID, companyID string) (company.Company, error) {
	co, err := company.Get(v, tx, companyID)
	if !errors.Is(err, db.ErrNoRows) {
		return co, err
	}
	t, found, err := party.SoleTraderCompany(v, tx, merchantID, companyID)
	if err != nil {
		return co, err
	}
	if !found {
		return co, db.ErrNoRows
	}
	return company.Company{
		ID: t.CompanyID, Country: t.Trading.Country, Name: t.Trading.Name, Address: t.Trading.Address, City: t.Trading.City,
		Postcode: t.Trading.Postcode, LegalForm: "Sole trader", Sectors: []company.Sector{}, Identifiers: []company.Identifier{},
		Status: company.StatusActive,
	}, nil
}

func showCompany(v View, c company.Company) Company {
	out := Company{
		URL: v.PublicURL + "/v1/companies/" + c.ID, ID: c.ID, Country: c.Country, Name: c.Name, Address: c.Address, City: c.City,
		Postcode: c.Postcode, LegalForm: c.LegalForm, Sectors: c.Sectors, Identifiers: c.Identifiers,
		Email: c.Email, Phone: c.Phone, Status: c.Status, AccountsType: c.AccountsType,
	}
	if c.CreationDate != "" {
		out.CreationDate = &c.CreationDate
	}
	return out
}

// Me is the merchant behind a key.
type Me struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Environment string `json:"environment" enum:"sandbox,production"`
	Profile     string `json:"profile" enum:"bnpl,insurance,insurance_legacy"`
}

func meRoute() api.Route {
	return api.Route{
		Method: http.MethodGet, Path: "/v1/me", Tag: "Merchant", Summary: "View the merchant behind the key",
		Response: Me{}, Status: 200, Read: func(c *api.Call, _ *db.Tx) (*api.Response, error) { return api.OK(ShowMe(c.Merchant)), nil },
	}
}

// ShowMe is a merchant as it sees itself.
func ShowMe(m merchant.Merchant) Me {
	return Me{ID: m.ID, Name: m.Name, Environment: string(m.Environment), Profile: string(m.Profile)}
}
