package bnpl

import (
	"encoding/json"
	"fmt"

	"tradecredit/internal/country"
	"tradecredit/internal/form"
	"tradecredit/internal/id"
	"tradecredit/internal/money"
	"tradecredit/internal/order"
)

// Bounds of what is stored. Amounts stay exact in every reader of JSON.
const (
	maxText     = 255
	maxLongText = 2000
	maxAmount   = 1 << 53
	maxMetadata = 16 << 10
)

// metadataField is a merchant's own data on an object: any JSON, echoed
// unchanged.
func metadataField(name string) form.Field {
	return form.JSON(name, form.Optional(), form.Null(),
		form.Doc(fmt.Sprintf("Your own data: any JSON of at most %d bytes.", maxMetadata)),
		form.Check(func(v form.Value) []string {
			if size := len(v.JSON()); size > maxMetadata {
				return []string{fmt.Sprintf("Ensure this field has no more than %d bytes (it has %d).", maxMetadata, size)}
			}
			return nil
		}))
}

// optionalText is a text that may be missing or blank and is then answered "".
func optionalText(name, doc string) form.Field {
	return form.Char(name, form.Optional(), form.Blank(), form.Max(maxText), form.Doc(doc))
}

// The required parts of an address. One that is written for the first time by
// a PATCH needs them all.
var addressParts = []string{"name", "address_line1", "city", "postcode", "country"}

var addressForm = form.New("NewAddress",
	form.Char("name", form.Max(maxText), form.Doc("Full name."), form.Example("John Smith")),
	optionalText("company_name", "Name of the company, for a delivery to another name than the legal entity's."),
	form.Char("address_line1", form.Max(maxText), form.Example("1 Station Street")),
	optionalText("address_line2", ""),
	optionalText("address_line3", ""),
	form.Char("city", form.Max(maxText), form.Example("London")),
	optionalText("region", "State or region."),
	form.Char("postcode", form.Max(maxText), form.Example("SE11 6NQ")),
	form.Country("country", country.Lookup, form.Example("GB")),
	optionalText("phone", "Phone number of the address."),
	form.Email("email", form.Optional(), form.Blank(), form.Max(maxText), form.Doc("E-mail address of the address.")),
)

var itemForm = form.New("NewOrderItem",
	form.Char("item_id", form.Max(maxText), form.Doc("Your identifier of the line, for example 1, 2, 3."), form.Example("1")),
	form.Choice("type", order.ItemTypes(), form.Doc("Type of the item."), form.Example(order.ItemProduct)),
	form.Char("description", form.Max(maxLongText), form.Example("Super ergonomic chair")),
	metadataField("metadata"),
	optionalText("reference", "Reference number, SKU."),
	optionalText("category", "Category of the item in your classification."),
	optionalText("supplier_id", "Your identifier of the supplier."),
	optionalText("supplier_name", "Name of the supplier."),
	form.Decimal("quantity", 15, 3, form.MinValue(0), form.Example("10.000")),
	form.Decimal("unit_price", 18, 5, form.Doc("Price of one unit including tax, in minor units. Negative for a discount."), form.Example(1000)),
	form.Decimal("tax_rate", 5, 2, form.MinValue(0), form.Doc("In percent."), form.Example("20.00")),
	form.Integer("total_amount", form.MinValue(-maxAmount), form.MaxValue(maxAmount),
		form.Doc("quantity times unit_price, including tax, in minor units."), form.Example(10000)),
	form.Integer("tax_amount", form.MinValue(-maxAmount), form.MaxValue(maxAmount),
		form.Doc("Tax of the line, in minor units."), form.Example(1667)),
)

// itemParts names what an item must have.
var itemParts = itemForm.Schema()["required"].([]string)

var customerForm = form.New("NewOrderCustomer",
	form.Choice("type", order.CustomerTypes(), form.Doc("Whether the customer is registered on your platform."), form.Example("registered")),
	form.Ref("organisation", string(id.Organisation), form.Doc("Organisation that buys.")),
	form.Ref("user", string(id.User), form.Doc("User who buys.")),
	form.Object("delivery_address", addressForm, form.Optional(), form.Null(), form.Doc("Where the goods go. An offer needs it.")),
	form.Object("invoice_address", addressForm, form.Optional(), form.Null(), form.Doc("Where the invoice goes. An offer needs it.")),
)

var orderForm = form.New("NewOrder",
	form.Char("unique_id", form.Max(maxText), form.Unique("order.unique_id", order.UniqueIDTaken),
		form.Doc("Unique identifier of the order in your platform."), form.Example("876987-987uinjojna-I8UH98Jnj")),
	form.Object("customer", customerForm, form.Flatten(), form.Doc("Who buys.")),
	form.Choice("status", order.Statuses(), form.Doc("Status of the order."), form.Example(order.StatusDraft)),
	form.Choice("pay_method", order.PayMethods(), form.Optional(), form.Blank(),
		form.Doc("How the order was paid, if it was not sold on credit. unknown when left out.")),
	form.Choice("currency", money.Currencies(), form.Doc("ISO 4217 code."), form.Example("GBP")),
	form.Integer("total_amount", form.MinValue(0), form.MaxValue(maxAmount),
		form.Doc("Total including tax, in minor units."), form.Example(12000)),
	form.Integer("tax_amount", form.MinValue(0), form.MaxValue(maxAmount),
		form.Doc("Total of the taxes, in minor units."), form.Example(2000)),
	form.Date("order_date", form.Example("2018-04-25")),
	form.Date("invoice_date", form.Optional(), form.Null(), form.Doc("Date of the invoice, if different from the order date.")),
	form.Date("due_date", form.Optional(), form.Null(), form.Doc("Date when the order was due.")),
	form.Date("paid_date", form.Optional(), form.Null(), form.Doc("Date when the order was paid in full.")),
	form.Objects("items", itemForm, form.Optional(), form.CheckItems(checkItems),
		form.Doc("What the order consists of. A historical order needs none; an offer needs them.")),
	metadataField("metadata"),
	optionalText("po_number", "Purchase order number of the customer."),
)

// checkItems refuses lines that are not whole, which only a PATCH lets through,
// and lines whose figures do not fit together.
func checkItems(items []*form.Values) any {
	bad, incomplete := make([]*form.Errors, len(items)), false
	lines := make([]order.Item, len(items))
	for n, item := range items {
		bad[n] = missing(item, itemParts)
		incomplete = incomplete || !bad[n].Empty()
		lines[n] = readItem(item)
	}
	if incomplete {
		return bad
	}
	return order.ItemErrors(order.CheckAmounts(order.Order{Items: lines}), len(lines))
}

// missing is an error for each of the fields that are not there.
func missing(v *form.Values, fields []string) *form.Errors {
	bad := &form.Errors{}
	for _, field := range fields {
		if !v.Has(field) {
			bad.Add(field, "This field is required.")
		}
	}
	return bad
}

// readOrder lays what a request says over an order. The error is an address
// that would be left with half of its parts.
func readOrder(v *form.Values, o order.Order) (order.Order, *form.Errors) {
	readText(v, "unique_id", &o.UniqueID)
	readText(v, "status", &o.Status)
	readText(v, "pay_method", &o.PayMethod)
	readText(v, "currency", &o.Currency)
	readText(v, "po_number", &o.PONumber)
	readDate(v, "order_date", &o.OrderDate)
	readDate(v, "invoice_date", &o.InvoiceDate)
	readDate(v, "due_date", &o.DueDate)
	readDate(v, "paid_date", &o.PaidDate)
	if v.Has("total_amount") {
		o.TotalAmount = v.Int("total_amount")
	}
	if v.Has("tax_amount") {
		o.TaxAmount = v.IntPtr("tax_amount")
	}
	if v.Has("items") {
		o.Items = []order.Item{}
		for _, item := range v.Objects("items") {
			o.Items = append(o.Items, readItem(item))
		}
	}
	if v.Has("metadata") {
		o.Metadata = v.Raw("metadata").JSON()
	}
	bad := &form.Errors{}
	if customer := v.Object("customer"); customer != nil {
		o.Customer = readCustomer(customer, o.Customer, bad)
	}
	return o, bad
}

func readText(v *form.Values, field string, into *string) {
	if v.Has(field) {
		*into = v.String(field)
	}
}

func readDate(v *form.Values, field string, into **string) {
	if v.Has(field) {
		*into = v.StringPtr(field)
	}
}

func readCustomer(v *form.Values, c order.Customer, bad *form.Errors) order.Customer {
	readText(v, "type", &c.Type)
	readText(v, "organisation", &c.Organisation)
	readText(v, "user", &c.User)
	readAddress(v, "delivery_address", &c.DeliveryAddress, bad)
	readAddress(v, "invoice_address", &c.InvoiceAddress, bad)
	return c
}

// readAddress lays an address over the one that is there, which stays as it is.
// Its errors stand beside those of the order, like all errors of a customer.
func readAddress(v *form.Values, field string, into **order.Address, bad *form.Errors) {
	switch parts := v.Object(field); {
	case parts != nil:
		var a order.Address
		if *into != nil {
			a = **into
		} else {
			bad.AddNested(field, missing(parts, addressParts))
		}
		readText(parts, "name", &a.Name)
		readText(parts, "company_name", &a.CompanyName)
		readText(parts, "address_line1", &a.AddressLine1)
		readText(parts, "address_line2", &a.AddressLine2)
		readText(parts, "address_line3", &a.AddressLine3)
		readText(parts, "city", &a.City)
		readText(parts, "region", &a.Region)
		readText(parts, "postcode", &a.Postcode)
		readText(parts, "country", &a.Country)
		readText(parts, "phone", &a.Phone)
		readText(parts, "email", &a.Email)
		*into = &a
	case v.Has(field):
		*into = nil
	}
}

func readItem(v *form.Values) order.Item {
	i := order.Item{
		ItemID: v.String("item_id"), Type: v.String("type"), Description: v.String("description"),
		Metadata: emptyObject(), Reference: v.String("reference"), Category: v.String("category"),
		SupplierID: v.String("supplier_id"), SupplierName: v.String("supplier_name"),
		Quantity: v.Decimal("quantity"), UnitPrice: v.Decimal("unit_price"), TaxRate: v.Decimal("tax_rate"),
		TotalAmount: v.Int("total_amount"), TaxAmount: v.Int("tax_amount"),
	}
	if v.Has("metadata") {
		i.Metadata = v.Raw("metadata").JSON()
	}
	return i.Normalised()
}

// emptyObject is the metadata of an object that came without.
func emptyObject() json.RawMessage { return json.RawMessage(`{}`) }
