package sandbox

import (
	"net/http"

	"tradecredit/internal/api"
	"tradecredit/internal/db"
	"tradecredit/internal/mail"
	"tradecredit/internal/page"
	"tradecredit/internal/webhook"
)

// Email is a mail that the sandbox kept in place of sending it.
type Email struct {
	ID          string            `json:"id"`
	To          []string          `json:"to"`
	Cc          []string          `json:"cc"`
	Subject     string            `json:"subject"`
	Text        string            `json:"text"`
	HTML        string            `json:"html"`
	Attachments []mail.Attachment `json:"attachments"`
	Created     api.Time          `json:"created"`
}

// Delivery is a notification and the attempts to deliver it.
type Delivery struct {
	ID          string    `json:"id"`
	URL         string    `json:"url"`
	EventType   string    `json:"event_type"`
	ObjectID    string    `json:"object_id"`
	Status      string    `json:"status" enum:"pending,delivered,failed"`
	Attempts    []Attempt `json:"attempts"`
	RequestBody api.Raw   `json:"request_body" doc:"What was, or will be, sent"`
	Sequence    int64     `json:"sequence" doc:"The event's number in the merchant's feed"`
	Created     api.Time  `json:"created"`
}

// Attempt is one attempt to deliver a notification.
type Attempt struct {
	At         api.Time `json:"at" doc:"Real time"`
	StatusCode *int     `json:"status_code" doc:"What the endpoint answered; null when it did not"`
	Error      *string  `json:"error"`
}

func (a *API) outboxRoutes() []api.Route {
	const deliveries = "/v1/sandbox/webhook_deliveries"
	return []api.Route{
		{
			Method: http.MethodGet, Path: "/v1/sandbox/emails", Tag: tag, Summary: "List the mails that were sent",
			Response: page.List[Email]{}, Status: 200, Read: a.listEmails,
		},
		{
			Method: http.MethodGet, Path: deliveries, Tag: tag, Summary: "List the webhook deliveries",
			Response: page.List[Delivery]{}, Status: 200, Read: a.listDeliveries,
		},
		{
			Method: http.MethodGet, Path: deliveries + "/{delivery}", Tag: tag, Summary: "View a webhook delivery",
			Response: Delivery{}, Status: 200, Errors: []int{404}, Read: a.viewDelivery,
		},
		{
			Method: http.MethodPost, Path: deliveries + "/{delivery}/replay", Tag: tag, Summary: "Send a webhook again",
			Doc:      "Sends the same bytes again.",
			Response: Delivery{}, Status: 200, Errors: []int{404, 409}, Write: a.replay,
		},
	}
}

func (a *API) listEmails(c *api.Call, tx *db.Tx) (*api.Response, error) {
	p := c.Page()
	n, err := mail.Count(c, tx, c.Merchant.ID)
	if err != nil {
		return nil, err
	}
	found, err := mail.List(c, tx, c.Merchant.ID, p.Limit, p.Offset)
	if err != nil {
		return nil, err
	}
	out := make([]Email, len(found))
	for i, m := range found {
		out[i] = Email{
			ID: m.ID, To: list(m.To), Cc: list(m.Cc), Subject: m.Subject, Text: m.Text, HTML: m.HTML,
			Attachments: m.Attachments, Created: api.Time(m.Created),
		}
		if out[i].Attachments == nil {
			out[i].Attachments = []mail.Attachment{}
		}
	}
	return api.OK(page.New(c.Request, p, n, out)), nil
}

func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func (a *API) listDeliveries(c *api.Call, tx *db.Tx) (*api.Response, error) {
	p := c.Page()
	found, n, err := a.Webhooks.ListDeliveries(c, tx, c.Merchant.ID, p.Limit, p.Offset)
	if err != nil {
		return nil, err
	}
	out := make([]Delivery, len(found))
	for i, d := range found {
		out[i] = showDelivery(d)
	}
	return api.OK(page.New(c.Request, p, n, out)), nil
}

func (a *API) viewDelivery(c *api.Call, tx *db.Tx) (*api.Response, error) {
	d, err := a.Webhooks.GetDelivery(c, tx, c.Merchant.ID, c.Path("delivery"))
	return api.OK(showDelivery(d)), err
}

func (a *API) replay(c *api.Call, tx *db.Tx) (*api.Response, error) {
	d, err := a.Webhooks.Replay(c, tx, c.Merchant.ID, c.Path("delivery"))
	return api.OK(showDelivery(d)), err
}

func showDelivery(d webhook.Delivery) Delivery {
	out := Delivery{
		ID: d.ID, URL: d.URL, EventType: d.EventType, ObjectID: d.ObjectID, Status: string(d.Status),
		RequestBody: api.Raw(d.RequestBody), Sequence: d.Sequence, Created: api.Time(d.Created), Attempts: make([]Attempt, len(d.Attempts)),
	}
	for i, at := range d.Attempts {
		out.Attempts[i] = Attempt{At: api.Time(at.At), StatusCode: at.StatusCode, Error: at.Error}
	}
	return out
}
