package bnpl

import (
	"net/http"

	"tradecredit/internal/api"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
	"tradecredit/internal/offer"
	"tradecredit/internal/page"
)

// PlanTemplate is a pattern that offers make payment plans from.
type PlanTemplate struct {
	offer.Template
	Active  bool     `json:"active" doc:"Whether new offers use the template"`
	Created api.Time `json:"created"`
}

var templateForm = form.New("PlanTemplate",
	form.Boolean("active", form.Doc("Whether new offers use the template")),
)

// templateRoutes is the table of plan templates. Their terms are agreed with the
// lender; the merchant says which of them its offers use.
func (a *API) templateRoutes() []api.Route {
	const path, tag = "/v1/payment/plan_templates", "Plan templates"
	return []api.Route{
		{
			Method: http.MethodGet, Path: path, Tag: tag, Summary: "List plan templates",
			Response: page.List[PlanTemplate]{}, Status: 200, Read: a.listTemplates,
		},
		{
			Method: http.MethodGet, Path: path + "/{template}", Tag: tag, Summary: "View a plan template",
			Response: PlanTemplate{}, Status: 200, Errors: []int{404}, Read: a.viewTemplate,
		},
		{
			Method: http.MethodPatch, Path: path + "/{template}", Tag: tag, Summary: "Switch a plan template on or off",
			Body: templateForm, Response: PlanTemplate{}, Status: 200, Errors: []int{404}, Write: a.changeTemplate,
		},
	}
}

func showTemplate(t offer.StoredTemplate) PlanTemplate {
	return PlanTemplate{Template: t.Template, Active: t.Active, Created: api.Time(t.Created)}
}

func (a *API) listTemplates(c *api.Call, tx *db.Tx) (*api.Response, error) {
	p := c.Page()
	found, n, err := offer.Templates(c, tx, c.Merchant.ID, p)
	if err != nil {
		return nil, err
	}
	out := make([]PlanTemplate, len(found))
	for i, t := range found {
		out[i] = showTemplate(t)
	}
	return api.OK(page.New(c.Request, p, n, out)), nil
}

func (a *API) viewTemplate(c *api.Call, tx *db.Tx) (*api.Response, error) {
	t, err := offer.GetTemplate(c, tx, c.Merchant.ID, c.Path("template"))
	if err != nil {
		return nil, err
	}
	return api.OK(showTemplate(t)), nil
}

func (a *API) changeTemplate(c *api.Call, tx *db.Tx) (*api.Response, error) {
	t, err := offer.GetTemplate(c, tx, c.Merchant.ID, c.Path("template"))
	if err != nil {
		return nil, err
	}
	v, err := c.Decode(tx)
	if err != nil {
		return nil, err
	}
	if !v.Has("active") {
		return api.OK(showTemplate(t)), nil
	}
	t, err = offer.SetTemplateActive(c, tx, c.Merchant.ID, t.ID, v.Bool("active"))
	if err != nil {
		return nil, err
	}
	return api.OK(showTemplate(t)), nil
}
