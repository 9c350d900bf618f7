package bnpl

import (
	"errors"

	"tradecredit/internal/api"
	"tradecredit/internal/db"
	"tradecredit/internal/order"
	"tradecredit/internal/party"
)

// OrderOrganisation is the organisation inside an order: its users are ids.
type OrderOrganisation struct {
	ID         string   `json:"id" doc:"API unique identifier of the organisation"`
	UniqueID   string   `json:"unique_id" doc:"Unique identifier of the organisation in your platform"`
	Registered api.Time `json:"registered" doc:"When the organisation registered on your platform"`
	Name       string   `json:"name"`
	Company    any      `json:"company" doc:"API unique identifier of the company, or the company when expanded; null when it is not known"`
	Users      []string `json:"users" doc:"API unique identifiers of the users"`
}

// OrderUser is the user inside an order: without organisations, with the type
// of the order's customer.
type OrderUser struct {
	ID         string   `json:"id" doc:"API unique identifier of the user"`
	Email      string   `json:"email"`
	UniqueID   string   `json:"unique_id" doc:"Unique identifier of the user in your platform"`
	Name       string   `json:"name"`
	Phone      string   `json:"phone"`
	Registered api.Time `json:"registered" doc:"When the user registered on your platform"`
	Type       string   `json:"type" doc:"registered or guest"`
}

// orderObject shows an order, with the named parts of it expanded.
func (a *API) orderObject(v View, tx *db.Tx, o order.Stored, e api.Expand) (Order, error) {
	out := Order(o.Wire(v.PublicURL))
	if err := a.expandCustomer(v, tx, o, e, &out.Customer); err != nil {
		return Order{}, err
	}
	var err error
	if o.PaymentOffer != "" && e.Has("payment_offer") && a.OfferObject != nil {
		out.PaymentOffer, err = a.OfferObject(v, tx, o.PaymentOffer, e.Under("payment_offer"))
	}
	if err == nil && o.DeferredPayment != "" && e.Has("deferred_payment") && a.DeferredObject != nil {
		out.DeferredPayment, err = a.DeferredObject(v, tx, o.DeferredPayment, e.Under("deferred_payment"))
	}
	return out, err
}

// expandCustomer expands the parties of an order. The plain name "customer"
// stands for all of them, the company inside the organisation included. A party
// that is gone stays an id.
func (a *API) expandCustomer(v View, tx *db.Tx, o order.Stored, e api.Expand, into *order.CustomerWire) error {
	all := e["customer"]
	if o.Customer.Organisation != "" && (all || e.Has("customer.organisation")) {
		organisation, err := a.Parties.GetOrganisation(v, tx, o.MerchantID, o.Customer.Organisation)
		switch {
		case err == nil:
			into.Organisation, err = a.orderOrganisation(v, tx, organisation, all || e.Has("customer.organisation.company"))
			if err != nil {
				return err
			}
		case !errors.Is(err, db.ErrNoRows):
			return err
		}
	}
	if o.Customer.User != "" && (all || e.Has("customer.user")) {
		user, err := a.Parties.GetUser(v, tx, o.MerchantID, o.Customer.User)
		switch {
		case err == nil:
			into.User = orderUser(user, o.Customer.Type)
		case !errors.Is(err, db.ErrNoRows):
			return err
		}
	}
	return nil
}

func (a *API) orderOrganisation(v View, tx *db.Tx, o party.Organisation, withCompany bool) (OrderOrganisation, error) {
	out := OrderOrganisation{
		ID: o.ID, UniqueID: o.UniqueID, Registered: api.Time(o.Registered), Name: o.Name, Users: []string{},
	}
	for _, u := range o.Users {
		out.Users = append(out.Users, u.UserID)
	}
	if o.CompanyID == "" {
		return out, nil
	}
	out.Company = o.CompanyID
	if !withCompany || a.CompanyObject == nil {
		return out, nil
	}
	object, err := a.CompanyObject(v, tx, o.CompanyID)
	if err == nil {
		out.Company = object
	}
	if errors.Is(err, db.ErrNoRows) {
		err = nil
	}
	return out, err
}

func orderUser(u party.User, customerType string) OrderUser {
	return OrderUser{
		ID: u.ID, Email: u.Email, UniqueID: u.UniqueID, Name: u.Name, Phone: u.Phone,
		Registered: api.Time(u.Registered), Type: customerType,
	}
}

// notified is what is expanded in the order of a notification.
var notified = api.Expand{
	"customer.organisation": true, "customer.user": true,
	"payment_offer": true, "deferred_payment": true, "deferred_payment.payment_plan": true,
}

// NotifiedOrder is an order as notifications carry it: with its parties, its
// offer and its deferred payment in full, the moment of its making, the invoice
// address a second time under its old name, and without its url. It returns
// db.ErrNoRows when the order is gone.
func (a *API) NotifiedOrder(v View, tx *db.Tx, orderID string) (any, error) {
	o, err := order.Get(v, tx, v.Merchant.ID, orderID)
	if err != nil {
		return nil, err
	}
	out, err := a.orderObject(v, tx, o, notified)
	out.Created = api.FormatTime(o.Created)
	out.Customer.BillingAddress = out.Customer.InvoiceAddress
	return notifiedOrder{Order: out}, err
}
