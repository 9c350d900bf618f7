package bnpl

import (
	"net/http"

	"tradecredit/internal/api"
	"tradecredit/internal/apierr"
	"tradecredit/internal/country"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
	"tradecredit/internal/id"
	"tradecredit/internal/page"
	"tradecredit/internal/party"
)

// SoleTrader is a business in no register, as the API shows it.
type SoleTrader struct {
	ID                     string `json:"id" doc:"Unique company identifier, to be used where a company identifier is required"`
	Owner                  string `json:"owner" doc:"Unique identifier of the user associated to the sole trader"`
	SoleTraderID           string `json:"soletrader_id" doc:"Unique identifier of the sole trader"`
	TradingName            string `json:"trading_name" doc:"Company's name"`
	TradingAddress         string `json:"trading_address" doc:"Company's full address"`
	TradingAddressCity     string `json:"trading_address_city" doc:"Company's city"`
	TradingAddressPostcode string `json:"trading_address_postcode" doc:"Company's postcode"`
	TradingAddressCountry  string `json:"trading_address_country" doc:"Company's country"`
	ProprietorName         string `json:"proprietor_name" doc:"Proprietor's name"`
	ProprietorLine1        string `json:"proprietor_address_line1" doc:"Proprietor's address including house number"`
	ProprietorLine2        string `json:"proprietor_address_line2" doc:"Proprietor's address"`
	ProprietorLine3        string `json:"proprietor_address_line3" doc:"Proprietor's address"`
	ProprietorCity         string `json:"proprietor_address_city" doc:"Proprietor's city"`
	ProprietorPostcode     string `json:"proprietor_address_postcode" doc:"Proprietor's postcode"`
	ProprietorCountry      string `json:"proprietor_address_country" doc:"Proprietor's country"`
	VATNumber              string `json:"vat_number" doc:"VAT number of the sole trader if available"`
	UniqueID               string `json:"unique_id" doc:"Unique identifier of the sole trader at your platform"`
	DateOfBirth            string `json:"date_of_birth" doc:"Proprietor's date of birth, YYYY-MM-DD"`
}

func soleTraderObject(t party.SoleTrader) SoleTrader {
	a, p := t.Trading, t.Proprietor
	return SoleTrader{
		ID: t.CompanyID, Owner: t.OwnerID, SoleTraderID: t.ID, TradingName: a.Name, TradingAddress: a.Address,
		TradingAddressCity: a.City, TradingAddressPostcode: a.Postcode, TradingAddressCountry: a.Country,
		ProprietorName: p.Name, ProprietorLine1: p.Line1, ProprietorLine2: p.Line2, ProprietorLine3: p.Line3,
		ProprietorCity: p.City, ProprietorPostcode: p.Postcode, ProprietorCountry: p.Country,
		VATNumber: t.VATNumber, UniqueID: t.UniqueID, DateOfBirth: p.DateOfBirth,
	}
}

// requiredText is a text that must be there and say something.
func requiredText(name, doc, example string) form.Field {
	return form.Char(name, form.Max(maxText), form.Doc(doc), form.Example(example))
}

var soleTraderForm = form.New("SoleTrader",
	form.Ref("owner", string(id.User), form.Doc("Identifier of the user who is the proprietor.")),
	requiredText("trading_name", "Company's name.", "The Dogfather"),
	requiredText("trading_address", "Company's full address.", "123 Commercial St, Shoreditch"),
	requiredText("trading_address_city", "Company's city.", "London"),
	requiredText("trading_address_postcode", "Company's postcode.", "EC2A 8AB"),
	form.Country("trading_address_country", country.Lookup, form.Doc("Company's country."), form.Example("GB")),
	requiredText("proprietor_name", "Proprietor's name.", "John John"),
	requiredText("proprietor_address_line1", "Proprietor's address including house number.", "Flat 5"),
	requiredText("proprietor_address_line2", "Proprietor's address.", "10 Residential Street"),
	optionalText("proprietor_address_line3", "Proprietor's address."),
	requiredText("proprietor_address_city", "Proprietor's city.", "London"),
	requiredText("proprietor_address_postcode", "Proprietor's postcode.", "EC2 8AA"),
	form.Country("proprietor_address_country", country.Lookup, form.Doc("Proprietor's country."), form.Example("GB")),
	optionalText("vat_number", "VAT number of the sole trader if available."),
	form.Char("unique_id", form.Max(maxText), form.Unique("soletrader.unique_id", party.SoleTraderTaken),
		form.Doc("Unique identifier of the sole trader at your platform."), form.Example("0d201ab1-46df-4274-8c90-256eaa66c136")),
	form.Date("date_of_birth", form.Doc("Proprietor's date of birth, YYYY-MM-DD."), form.Example("1969-12-31")),
)

const soleTraderTag = "Sole traders"

func (a *API) soleTraderRoutes() []api.Route {
	const collection, item = "/v1/soletraders", "/v1/soletraders/{soletrader}"
	const either = "The sole trader is found by either of its identifiers, `st-…` or `co-…`."
	return []api.Route{
		{
			Method: http.MethodPost, Path: collection, Tag: soleTraderTag, Summary: "Create a sole trader",
			Doc: "Sole traders are businesses in no register. The function must be enabled for your platform. " +
				"The `id` of the answer can be used wherever the identifier of a company can.",
			Body: soleTraderForm, Response: SoleTrader{}, Status: http.StatusCreated,
			Errors: []int{http.StatusBadRequest, http.StatusForbidden}, Write: a.createSoleTrader,
		},
		{
			Method: http.MethodGet, Path: collection, Tag: soleTraderTag, Summary: "List sole traders",
			Query:    []api.Param{{Name: "ordering", Doc: "`created` or `-created`, the default."}},
			Response: page.List[SoleTrader]{}, Status: http.StatusOK, Errors: []int{http.StatusForbidden}, Read: a.listSoleTraders,
		},
		{
			Method: http.MethodGet, Path: item, Tag: soleTraderTag, Summary: "View a sole trader", Doc: either,
			Response: SoleTrader{}, Status: http.StatusOK, Errors: []int{http.StatusForbidden, http.StatusNotFound}, Read: a.getSoleTrader,
		},
		{
			Method: http.MethodPatch, Path: item, Tag: soleTraderTag, Summary: "Modify a sole trader", Doc: either,
			Body: soleTraderForm, Response: SoleTrader{}, Status: http.StatusOK,
			Errors: []int{http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound}, Write: a.changeSoleTrader,
		},
	}
}

// soleTradersOnly refuses merchants for whom the function is not enabled.
func soleTradersOnly(c *api.Call) error {
	if !c.Merchant.Settings.SoleTraders {
		return apierr.Forbidden()
	}
	return nil
}

func (a *API) createSoleTrader(c *api.Call, tx *db.Tx) (*api.Response, error) {
	if err := soleTradersOnly(c); err != nil {
		return nil, err
	}
	v, err := c.Decode(tx)
	if err != nil {
		return nil, err
	}
	var d party.SoleTraderDetails
	readSoleTrader(v, &d)
	t, err := a.Parties.CreateSoleTrader(c, tx, c.Merchant.ID, d, c.Now)
	if err != nil {
		return nil, raced(err)
	}
	return api.Created(soleTraderObject(t)), nil
}

func readSoleTrader(v *form.Values, d *party.SoleTraderDetails) {
	setText(v, "owner", &d.OwnerID)
	setText(v, "unique_id", &d.UniqueID)
	setText(v, "vat_number", &d.VATNumber)
	setText(v, "trading_name", &d.Trading.Name)
	setText(v, "trading_address", &d.Trading.Address)
	setText(v, "trading_address_city", &d.Trading.City)
	setText(v, "trading_address_postcode", &d.Trading.Postcode)
	setText(v, "trading_address_country", &d.Trading.Country)
	setText(v, "proprietor_name", &d.Proprietor.Name)
	setText(v, "proprietor_address_line1", &d.Proprietor.Line1)
	setText(v, "proprietor_address_line2", &d.Proprietor.Line2)
	setText(v, "proprietor_address_line3", &d.Proprietor.Line3)
	setText(v, "proprietor_address_city", &d.Proprietor.City)
	setText(v, "proprietor_address_postcode", &d.Proprietor.Postcode)
	setText(v, "proprietor_address_country", &d.Proprietor.Country)
	setText(v, "date_of_birth", &d.Proprietor.DateOfBirth)
}

func (a *API) listSoleTraders(c *api.Call, tx *db.Tx) (*api.Response, error) {
	if err := soleTradersOnly(c); err != nil {
		return nil, err
	}
	p := c.Page()
	all, count, err := a.Parties.ListSoleTraders(c, tx, c.Merchant.ID, p)
	if err != nil {
		return nil, err
	}
	objects := make([]SoleTrader, len(all))
	for i, t := range all {
		objects[i] = soleTraderObject(t)
	}
	return api.OK(page.New(c.Request, p, count, objects)), nil
}

func (a *API) getSoleTrader(c *api.Call, tx *db.Tx) (*api.Response, error) {
	if err := soleTradersOnly(c); err != nil {
		return nil, err
	}
	t, err := a.Parties.GetSoleTrader(c, tx, c.Merchant.ID, c.Path("soletrader"))
	if err != nil {
		return nil, err
	}
	return api.OK(soleTraderObject(t)), nil
}

func (a *API) changeSoleTrader(c *api.Call, tx *db.Tx) (*api.Response, error) {
	if err := soleTradersOnly(c); err != nil {
		return nil, err
	}
	t, err := a.Parties.PatchSoleTrader(c, tx, c.Merchant.ID, c.Path("soletrader"), c.Now,
		func(d *party.SoleTraderDetails) error {
			v, err := c.Decode(tx)
			if err != nil {
				return err
			}
			readSoleTrader(v, d)
			return nil
		})
	if err != nil {
		return nil, err
	}
	return api.OK(soleTraderObject(t)), nil
}
