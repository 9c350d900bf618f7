// Package bnpl is the wire of the buy-now-pay-later family: one file per
// resource, which decodes a request, calls a service and encodes the answer.
package bnpl

import (
	"context"
	"maps"
	"slices"

	"tradecredit/internal/api"
	"tradecredit/internal/billing"
	"tradecredit/internal/credit"
	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/document"
	"tradecredit/internal/event"
	"tradecredit/internal/fulfilment"
	"tradecredit/internal/id"
	"tradecredit/internal/mail"
	"tradecredit/internal/merchant"
	"tradecredit/internal/offer"
	"tradecredit/internal/order"
	"tradecredit/internal/party"
	"tradecredit/internal/repayment"
	"tradecredit/internal/secret"
	"tradecredit/internal/webhook"
)

// API is the family with the services that do its work. Its fields are set once
// by the program.
type API struct {
	DB         *db.DB
	Parties    *party.Service
	Orders     *order.Service
	Offers     *offer.Service
	Deferred   *deferred.Service
	Committer  *deferred.Committer
	Limits     *credit.Service
	Fulfilment *fulfilment.Service
	Documents  *document.Service
	Billing    *billing.Service
	Repayments *repayment.Service
	Webhooks   *webhook.Service
	Mail       *mail.Mailer
	// Links signs links to hosted pages, DocumentLinks those to files.
	Links         secret.Key
	DocumentLinks document.Links

	// CompanyObject, OfferObject and DeferredObject show objects of other
	// resources where they are expanded inside one of this family. With nil the
	// id stays.
	CompanyObject  func(v View, tx *db.Tx, companyID string) (any, error)
	OfferObject    func(v View, tx *db.Tx, offerID string, e api.Expand) (any, error)
	DeferredObject func(v View, tx *db.Tx, deferredPaymentID string, e api.Expand) (any, error)
	// Eligibility tells whether a company may sell on credit.
	Eligibility func(ctx context.Context, tx *db.Tx, m merchant.Merchant, companyID, locale string) (status string, reason any, err error)
}

// Connect lets the resources of the family show each other.
func (a *API) Connect() {
	a.CompanyObject, a.OfferObject, a.DeferredObject = a.companyByID, a.offerByID, a.deferredByID
}

// Routes is the table of the family.
func (a *API) Routes() []api.Route {
	return slices.Concat(
		[]api.Route{meRoute()}, a.companyRoutes(), a.partyRoutes(), a.orderRoutes(), a.fulfilmentRoutes(), a.documentRoutes(), a.offerRoutes(), a.templateRoutes(),
		a.creditLimitRoutes(), a.merchantLimitRoutes(), a.deferredRoutes(), a.mandateRoutes(), a.billingAccountRoutes(), a.statementRoutes(), a.payoutRoutes(), a.eventRoutes(), a.webhookRoutes(), a.secretRoutes(),
	)
}

// Types are the objects that others show when they are expanded.
func Types() []any {
	return []any{Order{}, Offer{}, Plan{}, DeferredPayment{}, Company{}, OrderOrganisation{}, OrderUser{}}
}

// Taken answers forms that want to know whether a value is free.
func (a *API) Taken() map[string]func(c *api.Call, tx *db.Tx, value string) (bool, error) {
	taken := a.partyTaken()
	maps.Copy(taken, a.orderTaken())
	return taken
}

// orderByID shows an order that is expanded inside another object.
func (a *API) orderByID(v View, tx *db.Tx, orderID string, e api.Expand) (any, error) {
	o, err := order.Get(v, tx, v.Merchant.ID, orderID)
	if err != nil {
		return nil, err
	}
	return a.orderObject(v, tx, o, e)
}

func (a *API) orderStored(v View, tx *db.Tx, orderID string) (order.Stored, error) {
	return order.Get(v, tx, v.Merchant.ID, orderID)
}

// notification is the body of a webhook.
type notification struct {
	Created api.Time `json:"created"`
	Data    struct {
		Order any `json:"order"`
	} `json:"data"`
}

// Notification is the body that tells of an event: the order it belongs to as it
// is now, expanded.
func (a *API) Notification(v View, tx *db.Tx, e event.Event) ([]byte, error) {
	n := notification{Created: api.Time(v.Now)}
	var err error
	if n.Data.Order, err = a.NotifiedOrder(v, tx, e.RootID); err != nil {
		return nil, err
	}
	return api.Encode(n)
}

// notifiedOrder is an order in a notification: everything but its own url.
type notifiedOrder struct {
	Order
	URL *string `json:"url,omitempty"`
}

// Addresses are where events are told: at the address that the offer names which
// an event is about, even one that was replaced or deleted, or else at that of
// the present offer of its order. Nobody is told of events that belong to no
// order, or to one that is gone.
func (a *API) Addresses(v View, tx *db.Tx, events []event.Event) ([]webhook.Address, error) {
	var orders []string
	for _, e := range events {
		if id.Has(id.Order, e.RootID) {
			orders = append(orders, e.RootID)
		}
	}
	present, err := order.OffersOf(v, tx, v.Merchant.ID, orders)
	if err != nil {
		return nil, err
	}
	offers := make([]string, len(events))
	for i, e := range events {
		if offers[i] = present[e.RootID]; id.Has(id.Offer, e.ObjectID) {
			offers[i] = e.ObjectID
		}
	}
	urls, err := offer.NotificationURLs(v, tx, v.Merchant.ID, offers)
	out := make([]webhook.Address, len(events))
	for i, e := range events {
		_, told := present[e.RootID]
		out[i] = webhook.Address{URL: urls[offers[i]], Told: told}
	}
	return out, err
}
