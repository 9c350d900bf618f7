package bnpl

import (
	"net/http"
	"time"

	"tradecredit/internal/api"
	"tradecredit/internal/apierr"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
	"tradecredit/internal/fulfilment"
	"tradecredit/internal/order"
)

// movedFields are what is said of goods that are shipped, cancelled or returned.
func movedFields() []form.Field {
	return []form.Field{
		form.Char("item_id", form.Max(maxText), form.Doc("Your identifier of the line of the order."), form.Example("1")),
		form.Decimal("quantity", 15, 3, form.MinValue(0), form.Doc("How many of the item."), form.Example("10.000")),
		form.Integer("total_amount", form.MinValue(-maxAmount), form.MaxValue(maxAmount),
			form.Doc("quantity times the unit_price of the item, including tax, in minor units."), form.Example(10000)),
		form.Integer("tax_amount", form.MinValue(-maxAmount), form.MaxValue(maxAmount),
			form.Doc("Tax of it, in minor units."), form.Example(1667)),
	}
}

var shippedItemForm = form.New("ShippedItem", append(movedFields(),
	optionalText("shipping_id", "Tracking id of the shipping provider."),
	optionalText("shipping_provider", "Name of the shipping provider."),
	form.Date("shipping_date", form.Optional(), form.Null(), form.Doc("Day of the shipment; today when left out.")),
)...)

var movedItemForm = form.New("MovedItem", movedFields()...)

var discountItemForm = form.New("AfterSaleDiscount",
	form.Char("item_id", form.Max(maxText), form.Doc("Your identifier of the new line."), form.Example("99")),
	form.Char("description", form.Max(maxLongText), form.Example("Discount following our email conversation")),
	metadataField("metadata"),
	optionalText("reference", "Reference number."),
	optionalText("category", "Category of the item in your classification."),
	optionalText("supplier_id", "Your identifier of the supplier."),
	optionalText("supplier_name", "Name of the supplier."),
	form.Decimal("quantity", 15, 3, form.MinValue(0), form.Example("1.000")),
	form.Decimal("unit_price", 18, 5, form.MaxValue(0), form.Doc("Negative, including tax, in minor units."), form.Example(-120)),
	form.Decimal("tax_rate", 5, 2, form.MinValue(0), form.Doc("In percent."), form.Example("20.00")),
	form.Integer("total_amount", form.MinValue(-maxAmount), form.MaxValue(-1),
		form.Doc("quantity times unit_price, including tax, in minor units."), form.Example(-120)),
	form.Integer("tax_amount", form.MinValue(-maxAmount), form.MaxValue(0), form.Doc("Tax of the line, in minor units."), form.Example(-20)),
)

// complete refuses lines that are not whole, which only a PATCH lets through.
func complete(f *form.Form) form.Option {
	parts := f.Schema()["required"].([]string)
	return form.CheckItems(func(items []*form.Values) any {
		bad, incomplete := make([]*form.Errors, len(items)), false
		for n, item := range items {
			bad[n] = missing(item, parts)
			incomplete = incomplete || !bad[n].Empty()
		}
		if incomplete {
			return bad
		}
		return nil
	})
}

// movedForm is the body of a request to move goods.
func movedForm(name string, item *form.Form) *form.Form {
	return form.New(name, form.Objects("items", item, form.Optional(), form.NonEmpty(), complete(item),
		form.Doc("Which goods. Left out, it is all that is left of the order.")))
}

// afterSale are the actions of a merchant on the goods of an order.
var afterSale = []struct {
	action       fulfilment.Action
	summary, doc string
	body         *form.Form
}{
	{fulfilment.Fulfill, "Fulfil an order", "Goods have been shipped or services provided: their amount is now due. " +
		"Without `items` all that is left of the order is fulfilled.", movedForm("Fulfillment", shippedItemForm)},
	{fulfilment.Cancel, "Cancel an order", "Goods that have not been shipped will not be. " +
		"Without `items` all that is left of the order is cancelled.", movedForm("Cancellation", movedItemForm)},
	{fulfilment.Return, "Return an order", "Goods that were shipped came back: the customer owes less. " +
		"Without `items` all that was shipped is returned.", movedForm("Return", movedItemForm)},
	{fulfilment.Discount, "Give a discount on an order", "The customer owes less without returning goods. The discount becomes a new line of the order.",
		form.New("Discount", form.Objects("items", discountItemForm, form.NonEmpty(), complete(discountItemForm),
			form.Doc("The new lines.")))},
}

// fulfilmentRoutes is the table of the legacy post-sale actions on orders. The
// reference documents PUT, its examples send PATCH.
func (a *API) fulfilmentRoutes() (routes []api.Route) {
	for _, what := range afterSale {
		for _, method := range []string{http.MethodPut, http.MethodPatch} {
			routes = append(routes, api.Route{
				Method: method, Path: "/v1/payment/orders/{order}/" + string(what.action), Tag: "Post-sale actions on orders (legacy)",
				Summary: what.summary, Body: what.body, Response: Order{}, Status: http.StatusOK,
				Doc: what.doc + " A deferred payment is handled either through its order or through its own post-sale actions: " +
					"both kinds can not be combined.",
				Errors: []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict},
				Write: func(c *api.Call, tx *db.Tx) (*api.Response, error) {
					return a.actOnOrder(c, tx, what.action)
				},
			})
		}
	}
	return routes
}

// actOnOrder is a request about the goods of an order.
func (a *API) actOnOrder(c *api.Call, tx *db.Tx, action fulfilment.Action) (*api.Response, error) {
	o, err := order.Lock(c, tx, c.Merchant.ID, c.Path("order"))
	if err != nil {
		return nil, err
	}
	v, err := c.Decode(tx)
	if err != nil {
		return nil, err
	}
	r := fulfilment.Request{Action: action, Day: c.Now.Format(time.DateOnly)}
	switch items := v.Objects("items"); {
	case action != fulfilment.Discount:
		r.Lines = readLines(items)
	case items == nil: // which only a PATCH lets through
		return nil, apierr.Field("items", "This field is required.")
	default:
		for _, item := range items {
			r.Discounts = append(r.Discounts, readDiscount(item))
		}
	}
	if o, err = a.Fulfilment.Act(c, tx, o, r, c.Now); err != nil {
		return nil, err
	}
	object, err := a.orderObject(a.view(c), tx, o, nil)
	return api.OK(object), err
}

func readLines(items []*form.Values) (lines []order.Line) {
	for _, item := range items {
		line := order.Line{ItemID: item.String("item_id"), Movement: order.Movement{
			Quantity: item.Decimal("quantity"), TotalAmount: item.Int("total_amount"), TaxAmount: item.Int("tax_amount"),
		}}
		if item.Form() == shippedItemForm {
			line.ShippingID, line.ShippingProvider = item.String("shipping_id"), item.String("shipping_provider")
			line.ShippingDate = item.Date("shipping_date")
		}
		lines = append(lines, line)
	}
	return lines
}

func readDiscount(v *form.Values) order.Item {
	i := order.Item{
		ItemID: v.String("item_id"), Description: v.String("description"), Metadata: emptyObject(),
		Reference: v.String("reference"), Category: v.String("category"),
		SupplierID: v.String("supplier_id"), SupplierName: v.String("supplier_name"),
		Quantity: v.Decimal("quantity"), UnitPrice: v.Decimal("unit_price"), TaxRate: v.Decimal("tax_rate"),
		TotalAmount: v.Int("total_amount"), TaxAmount: v.Int("tax_amount"),
	}
	if v.Has("metadata") {
		i.Metadata = v.Raw("metadata").JSON()
	}
	return i
}
