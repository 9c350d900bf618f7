package bnpl

import (
	"net/http"

	"tradecredit/internal/api"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
	"tradecredit/internal/page"
	"tradecredit/internal/webhook"
)

// WebhookEndpoint is an address that is told of all of a merchant's events.
type WebhookEndpoint struct {
	ID            string   `json:"id"`
	URL           string   `json:"url"`
	Authorization string   `json:"authorization" doc:"Sent as the Authorization header"`
	Events        []string `json:"events" doc:"Types of events, or patterns such as order.*; empty for all"`
	Active        bool     `json:"active"`
	Created       api.Time `json:"created"`
	Secret        string   `json:"secret,omitempty" doc:"Signs notifications; shown when it is made and never again"`
}

var endpointForm = form.New("WebhookEndpoint",
	form.URL("url", form.Max(2000), form.Doc("Where notifications are sent"), form.Example("https://merchant.example/notifications")),
	form.Char("authorization", form.Optional(), form.Blank(), form.Max(4096), form.Doc("Sent as the Authorization header")),
	form.List("events", form.Char("event", form.Max(100)), form.Optional(), form.MaxItems(100), form.Doc("Types of events, or patterns such as order.*; empty for all")),
	form.Boolean("active", form.Default(true), form.Doc("Whether notifications are sent")),
)

func (a *API) webhookRoutes() []api.Route {
	const path, tag = "/v1/webhook_endpoints", "Webhook endpoints"
	return []api.Route{
		{
			Method: http.MethodPost, Path: path, Tag: tag, Summary: "Create a webhook endpoint",
			Doc:  "The signing secret is in the answer and is not shown again.",
			Body: endpointForm, Response: WebhookEndpoint{}, Status: 201, Errors: []int{409}, Write: a.createEndpoint,
		},
		{
			Method: http.MethodGet, Path: path, Tag: tag, Summary: "List webhook endpoints",
			Response: page.List[WebhookEndpoint]{}, Status: 200, Read: a.listEndpoints,
		},
		{
			Method: http.MethodGet, Path: path + "/{webhook_endpoint}", Tag: tag, Summary: "View a webhook endpoint",
			Response: WebhookEndpoint{}, Status: 200, Errors: []int{404}, Read: a.viewEndpoint,
		},
		{
			Method: http.MethodPatch, Path: path + "/{webhook_endpoint}", Tag: tag, Summary: "Modify a webhook endpoint",
			Body: endpointForm, Response: WebhookEndpoint{}, Status: 200, Errors: []int{404}, Write: a.changeEndpoint,
		},
		{
			Method: http.MethodDelete, Path: path + "/{webhook_endpoint}", Tag: tag, Summary: "Delete a webhook endpoint",
			Status: 204, Errors: []int{404}, Write: a.deleteEndpoint,
		},
		{
			Method: http.MethodPost, Path: path + "/{webhook_endpoint}/rotate_secret", Tag: tag, Summary: "Rotate the signing secret",
			Doc:      "For 24 hours notifications are signed with the old secret as well.",
			Response: WebhookEndpoint{}, Status: 200, Errors: []int{404}, Write: a.rotateEndpoint,
		},
	}
}

// NotificationSecret signs what is sent to addresses that offers name.
type NotificationSecret struct {
	Secret string `json:"secret" doc:"Standard Webhooks secret" example:"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"`
}

// secretRoutes is the table of the secret that belongs to no endpoint.
func (a *API) secretRoutes() []api.Route {
	const path, tag = "/v1/notification_secret", "Webhook endpoints"
	return []api.Route{
		{
			Method: http.MethodGet, Path: path, Tag: tag, Summary: "View the secret of offers' notifications",
			Doc:      "Signs the notifications to the URLs that offers name, and the parameters with which a buyer comes back to the shop.",
			Response: NotificationSecret{}, Status: 200,
			Serve: a.viewSecret,
		},
		{
			Method: http.MethodPost, Path: path + "/rotate", Tag: tag, Summary: "Rotate the secret of offers' notifications",
			Doc:      "For 24 hours notifications are signed with the old secret as well.",
			Response: NotificationSecret{}, Status: 200, Write: a.rotateSecret,
		},
	}
}

// viewSecret makes the secret when it is first asked for, so that reading it
// takes a writer.
func (a *API) viewSecret(c *api.Call) (*api.Answer, error) {
	var out NotificationSecret
	err := a.DB.Write(c, func(tx *db.Tx) (err error) {
		out.Secret, err = a.Webhooks.OfferSecret(c, tx, c.Merchant.ID)
		return err
	})
	if err != nil {
		return nil, err
	}
	body, err := api.Encode(out)
	return &api.Answer{Status: http.StatusOK, Body: body}, err
}

func (a *API) rotateSecret(c *api.Call, tx *db.Tx) (*api.Response, error) {
	secret, err := a.Webhooks.RotateOfferSecret(c, tx, c.Merchant.ID)
	if err != nil {
		return nil, err
	}
	return api.OK(NotificationSecret{secret}), nil
}

func showEndpoint(e webhook.Endpoint, secret string) WebhookEndpoint {
	out := WebhookEndpoint{
		ID: e.ID, URL: e.URL, Authorization: e.Authorization, Events: e.Events, Active: e.Active, Created: api.Time(e.Created), Secret: secret,
	}
	if out.Events == nil {
		out.Events = []string{}
	}
	return out
}

func (a *API) createEndpoint(c *api.Call, tx *db.Tx) (*api.Response, error) {
	v, err := c.Decode(tx)
	if err != nil {
		return nil, err
	}
	e, err := a.Webhooks.Create(c, tx, c.Merchant, webhook.Input{
		URL: v.String("url"), Authorization: v.String("authorization"), Events: v.Strings("events"), Active: v.Bool("active"),
	})
	if err != nil {
		return nil, err
	}
	return api.Created(showEndpoint(e.Endpoint, e.Secret)), nil
}

func (a *API) listEndpoints(c *api.Call, tx *db.Tx) (*api.Response, error) {
	p := c.Page()
	n, err := a.Webhooks.Count(c, tx, c.Merchant.ID)
	if err != nil {
		return nil, err
	}
	found, err := a.Webhooks.List(c, tx, c.Merchant.ID, p.Limit, p.Offset)
	if err != nil {
		return nil, err
	}
	out := make([]WebhookEndpoint, len(found))
	for i, e := range found {
		out[i] = showEndpoint(e, "")
	}
	return api.OK(page.New(c.Request, p, n, out)), nil
}

func (a *API) viewEndpoint(c *api.Call, tx *db.Tx) (*api.Response, error) {
	e, err := a.Webhooks.Get(c, tx, c.Merchant.ID, c.Path("webhook_endpoint"))
	if err != nil {
		return nil, err
	}
	return api.OK(showEndpoint(e, "")), nil
}

func (a *API) changeEndpoint(c *api.Call, tx *db.Tx) (*api.Response, error) {
	if _, err := a.Webhooks.Get(c, tx, c.Merchant.ID, c.Path("webhook_endpoint")); err != nil {
		return nil, err
	}
	v, err := c.Decode(tx)
	if err != nil {
		return nil, err
	}
	var change webhook.Change
	change.URL, change.Authorization, change.Active = v.StringPtr("url"), v.StringPtr("authorization"), v.BoolPtr("active")
	if v.Has("events") {
		events := v.Strings("events")
		change.Events = &events
	}
	e, err := a.Webhooks.Update(c, tx, c.Merchant, c.Path("webhook_endpoint"), change)
	if err != nil {
		return nil, err
	}
	return api.OK(showEndpoint(e, "")), nil
}

func (a *API) deleteEndpoint(c *api.Call, tx *db.Tx) (*api.Response, error) {
	return api.NoContent(), a.Webhooks.Delete(c, tx, c.Merchant.ID, c.Path("webhook_endpoint"))
}

func (a *API) rotateEndpoint(c *api.Call, tx *db.Tx) (*api.Response, error) {
	e, err := a.Webhooks.Rotate(c, tx, c.Merchant.ID, c.Path("webhook_endpoint"))
	if err != nil {
		return nil, err
	}
	return api.OK(showEndpoint(e.Endpoint, e.Secret)), nil
}
