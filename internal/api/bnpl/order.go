package bnpl

import (
	"errors"
	"net/http"

	"tradecredit/internal/api"
	"tradecredit/internal/apierr"
	"tradecredit/internal/db"
	"tradecredit/internal/order"
	"tradecredit/internal/page"
)

// Order is an order as the API shows it.
type Order order.Wire

// orderExpansions are what ?expand= may replace in an order.
var orderExpansions = []string{
	"customer", "customer.organisation", "customer.organisation.company", "customer.user",
	"payment_offer", "deferred_payment", "deferred_payment.payment_plan",
}

const orderTag = "Orders"

func (a *API) orderRoutes() []api.Route {
	const collection, item = "/v1/payment/orders", "/v1/payment/orders/{order}"
	return []api.Route{
		{
			Method: http.MethodPost, Path: collection, Tag: orderTag, Summary: "Create an order",
			Doc:  "An order is made to get an offer for it, or to tell about a purchase of the past.",
			Body: orderForm, Response: Order{}, Status: http.StatusCreated, Errors: []int{http.StatusBadRequest},
			Write: a.createOrder,
		},
		{
			Method: http.MethodGet, Path: collection, Tag: orderTag, Summary: "List orders",
			Query: []api.Param{
				{Name: "unique_id", Doc: "Only the order with this identifier of your platform."},
				{Name: "ordering", Doc: "`created` or `-created`, the default."},
			},
			Expand: orderExpansions, Response: page.List[Order]{}, Status: http.StatusOK, Errors: []int{http.StatusBadRequest},
			Read: a.listOrders,
		},
		{
			Method: http.MethodGet, Path: item, Tag: orderTag, Summary: "View an order",
			Expand: orderExpansions, Response: Order{}, Status: http.StatusOK, Errors: []int{http.StatusNotFound},
			Read: a.viewOrder,
		},
		a.changeRoute(http.MethodPatch, item, "Modify an order"),
		a.changeRoute(http.MethodPut, item, "Modify all of an order"),
		{
			Method: http.MethodDelete, Path: item, Tag: orderTag, Summary: "Delete an order",
			Doc:    "An order with a deferred payment can not be deleted. The offer of another one expires.",
			Status: http.StatusNoContent, Errors: []int{http.StatusNotFound, http.StatusConflict},
			Write: a.deleteOrder,
		},
	}
}

func (a *API) changeRoute(method, path, summary string) api.Route {
	return api.Route{
		Method: method, Path: path, Tag: orderTag, Summary: summary,
		Doc: "A change of anything but `unique_id`, `metadata` and `po_number` expires the order's offer. " +
			"Once there is a deferred payment only `unique_id` can be changed.",
		Body: orderForm, Response: Order{}, Status: http.StatusOK,
		Errors: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict},
		Write:  a.changeOrder,
	}
}

// orderTaken answer which identifiers of the platform other orders have than
// the one that a request is about.
func (a *API) orderTaken() map[string]func(c *api.Call, tx *db.Tx, value string) (bool, error) {
	return map[string]func(c *api.Call, tx *db.Tx, value string) (bool, error){
		"order.unique_id": func(c *api.Call, tx *db.Tx, uniqueID string) (bool, error) {
			return order.Taken(c, tx, c.Merchant.ID, uniqueID, c.Path("order"))
		},
	}
}

func (a *API) createOrder(c *api.Call, tx *db.Tx) (*api.Response, error) {
	v, err := c.Decode(tx)
	if err != nil {
		return nil, err
	}
	o, bad := readOrder(v, order.Order{PayMethod: order.PayMethodUnknown, Metadata: emptyObject()})
	if !bad.Empty() {
		return nil, apierr.Invalid(bad)
	}
	stored, err := a.Orders.Create(c, tx, c.Merchant, o, c.Now)
	if err != nil {
		return nil, err
	}
	object, err := a.orderObject(a.view(c), tx, stored, nil)
	response := api.Created(object)
	response.Location = object.URL
	return response, err
}

func (a *API) listOrders(c *api.Call, tx *db.Tx) (*api.Response, error) {
	p := c.Page()
	uniqueID := c.Query("unique_id")
	if uniqueID == "" && len(c.Expand()) == 0 {
		return a.listShown(c, tx, p)
	}
	var orders []order.Stored
	var count int64
	var err error
	if uniqueID != "" {
		orders, count, err = findOrder(c, tx, uniqueID, p)
	} else {
		orders, count, err = order.List(c, tx, c.Merchant.ID, p)
	}
	if err != nil {
		return nil, err
	}
	objects := make([]Order, len(orders))
	for i, o := range orders {
		if objects[i], err = a.orderObject(a.view(c), tx, o, c.Expand()); err != nil {
			return nil, err
		}
	}
	return api.OK(page.New(c.Request, p, count, objects)), nil
}

// listShown is a page of orders with nothing expanded.
func (a *API) listShown(c *api.Call, tx *db.Tx, p page.Page) (*api.Response, error) {
	orders, count, err := order.ListShown(c, tx, c.Merchant.ID, p)
	if err != nil {
		return nil, err
	}
	base := c.URL("")
	results := make([]func([]byte) []byte, len(orders))
	for i, o := range orders {
		results[i] = func(b []byte) []byte { return o.AppendJSON(b, base) }
	}
	return &api.Response{Status: http.StatusOK, Encoded: page.Append(c.Request, p, count, results)}, nil
}

// findOrder is the list of at most one order with this unique_id.
func findOrder(c *api.Call, tx *db.Tx, uniqueID string, p page.Page) ([]order.Stored, int64, error) {
	o, err := order.Find(c, tx, c.Merchant.ID, uniqueID)
	switch {
	case errors.Is(err, db.ErrNoRows):
		return nil, 0, nil
	case err != nil:
		return nil, 0, err
	case p.Offset > 0:
		return nil, 1, nil
	}
	return []order.Stored{o}, 1, nil
}

func (a *API) viewOrder(c *api.Call, tx *db.Tx) (*api.Response, error) {
	if len(c.Expand()) == 0 {
		o, err := order.GetShown(c, tx, c.Merchant.ID, c.Path("order"))
		return &api.Response{Status: http.StatusOK, Encoded: o.AppendJSON(nil, c.URL(""))}, err
	}
	o, err := order.Get(c, tx, c.Merchant.ID, c.Path("order"))
	if err != nil {
		return nil, err
	}
	object, err := a.orderObject(a.view(c), tx, o, c.Expand())
	return api.OK(object), err
}

// changeOrder is PATCH and PUT. What a PUT leaves out and need not have stays as
// it is, as with a PATCH.
func (a *API) changeOrder(c *api.Call, tx *db.Tx) (*api.Response, error) {
	before, err := order.Lock(c, tx, c.Merchant.ID, c.Path("order"))
	if err != nil {
		return nil, err
	}
	v, err := c.Decode(tx)
	if err != nil {
		return nil, err
	}
	after, bad := readOrder(v, before.Order)
	if !bad.Empty() {
		return nil, apierr.Invalid(bad)
	}
	stored, err := a.Orders.Update(c, tx, c.Merchant, before, after, c.Now)
	if err != nil {
		return nil, err
	}
	object, err := a.orderObject(a.view(c), tx, stored, nil)
	return api.OK(object), err
}

func (a *API) deleteOrder(c *api.Call, tx *db.Tx) (*api.Response, error) {
	o, err := order.Lock(c, tx, c.Merchant.ID, c.Path("order"))
	if err != nil {
		return nil, err
	}
	return api.NoContent(), a.Orders.Delete(c, tx, c.Merchant, o, c.Now)
}
