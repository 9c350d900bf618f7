package order

import (
	"encoding/json"
	"strings"
)

// Path is where the API shows orders.
const Path = "/v1/payment/orders/"

// Wire is an order as the API, the notifications and the event log show it.
// What can be expanded holds an id or the object itself.
type Wire struct {
	URL             string          `json:"url" doc:"API endpoint to access the order"`
	ID              string          `json:"id" doc:"API unique identifier of the order"`
	UniqueID        string          `json:"unique_id" doc:"Unique identifier of the order in your platform"`
	Customer        CustomerWire    `json:"customer" doc:"Customer making the order"`
	Created         string          `json:"created,omitempty" doc:"When the order was created; in notifications only" format:"date-time"`
	Status          string          `json:"status" doc:"Order status" enum:"draft,pending,unpaid,partially_paid,paid,cancelled,disputed"`
	PayMethod       string          `json:"pay_method" doc:"How an order was paid that was not sold on credit; unknown when not given" enum:"directdebit,bank,card,cash,cheque,paypal,other,unknown,"`
	Currency        string          `json:"currency" doc:"ISO 4217 code of the currency of all amounts of the order"`
	TotalAmount     int64           `json:"total_amount" doc:"Total amount including tax, in minor units"`
	TaxAmount       *int64          `json:"tax_amount" doc:"Total amount of the taxes, in minor units"`
	OrderDate       *string         `json:"order_date" doc:"Date of the order" format:"date"`
	InvoiceDate     *string         `json:"invoice_date" doc:"Date of the invoice, if different from the order date" format:"date"`
	DueDate         *string         `json:"due_date" doc:"Date when the order was due" format:"date"`
	PaidDate        *string         `json:"paid_date" doc:"Date when the order was paid in full" format:"date"`
	Items           []ItemWire      `json:"items" doc:"What the order consists of"`
	Metadata        json.RawMessage `json:"metadata" doc:"Your own data, echoed unchanged"`
	PONumber        string          `json:"po_number" doc:"Purchase order number of the customer"`
	PaymentOffer    any             `json:"payment_offer" ref:"offer" doc:"API unique identifier of the offer, or the offer when expanded"`
	DeferredPayment any             `json:"deferred_payment" ref:"deferred_payment" doc:"API unique identifier of the deferred payment, or the deferred payment when expanded"`
}

// CustomerWire is the customer of an order as the API shows it.
type CustomerWire struct {
	Type            string   `json:"type" doc:"Whether the customer is registered on your platform" enum:"registered,guest"`
	Organisation    any      `json:"organisation" doc:"API unique identifier of the organisation, or the organisation when expanded"`
	User            any      `json:"user" doc:"API unique identifier of the user, or the user when expanded"`
	DeliveryAddress *Address `json:"delivery_address" doc:"Where the goods go"`
	InvoiceAddress  *Address `json:"invoice_address,omitempty" doc:"Where the invoice goes; left out when not given"`
	BillingAddress  *Address `json:"billing_address,omitempty" doc:"The invoice address again; in notifications only"`
}

// ItemWire is one line of an order as the API shows it.
type ItemWire struct {
	ItemID            string          `json:"item_id" doc:"Your identifier of the line"`
	Type              string          `json:"type" doc:"Type of the item" enum:"product,service,digital,shipping,fee,discount"`
	Description       string          `json:"description"`
	Metadata          json.RawMessage `json:"metadata" doc:"Your own data, echoed unchanged"`
	Reference         string          `json:"reference" doc:"Reference number, SKU"`
	Category          string          `json:"category" doc:"Category of the item in your classification"`
	SupplierID        string          `json:"supplier_id"`
	SupplierName      string          `json:"supplier_name"`
	Quantity          string          `json:"quantity" doc:"Decimal with 3 places"`
	UnitPrice         Price           `json:"unit_price" doc:"Price of one unit including tax, in minor units; a decimal string when it is not whole"`
	TaxRate           string          `json:"tax_rate" doc:"Percentage with 2 places"`
	TotalAmount       int64           `json:"total_amount" doc:"Total of the line including tax, in minor units"`
	TaxAmount         int64           `json:"tax_amount" doc:"Tax of the line, in minor units"`
	FulfilledQuantity string          `json:"fulfilled_quantity" doc:"Number of items fulfilled, with 3 places"`
	FulfillmentInfo   *[]Movement     `json:"fulfillment_info"`
	CancelledQuantity string          `json:"cancelled_quantity" doc:"Number of items cancelled, with 3 places"`
	CancelledInfo     *[]Movement     `json:"cancelled_info"`
	ReturnedQuantity  string          `json:"returned_quantity" doc:"Number of items returned, with 3 places"`
	ReturnedInfo      *[]Movement     `json:"returned_info"`
}

// Price is a decimal number of minor units. It is written as an integer when it
// is whole and as a string otherwise, so that no reader loses a digit.
type Price string

// MarshalJSON implements json.Marshaler.
func (p Price) MarshalJSON() ([]byte, error) {
	if strings.Contains(string(p), ".") {
		return []byte(`"` + string(p) + `"`), nil
	}
	return []byte(p), nil
}

// JSONSchema says what a price looks like.
func (p Price) JSONSchema() map[string]any {
	return map[string]any{"type": []any{"integer", "string"}}
}

// Wire is the order with nothing expanded. base goes before the path of its
// url; "" makes it relative, as in notifications.
func (o Order) Wire(base string) Wire {
	w := Wire{
		URL: base + Path + o.ID, ID: o.ID, UniqueID: o.UniqueID, Customer: o.Customer.wire(),
		Status: o.Status, PayMethod: o.PayMethod, Currency: o.Currency,
		TotalAmount: o.TotalAmount, TaxAmount: o.TaxAmount,
		OrderDate: o.OrderDate, InvoiceDate: o.InvoiceDate, DueDate: o.DueDate, PaidDate: o.PaidDate,
		Items: make([]ItemWire, len(o.Items)), Metadata: o.Metadata, PONumber: o.PONumber,
		PaymentOffer: idOrNull(o.PaymentOffer), DeferredPayment: idOrNull(o.DeferredPayment),
	}
	for n, item := range o.Items {
		w.Items[n] = item.wire()
	}
	return w
}

func (c Customer) wire() CustomerWire {
	return CustomerWire{
		Type: c.Type, Organisation: idOrNull(c.Organisation), User: idOrNull(c.User),
		DeliveryAddress: c.DeliveryAddress, InvoiceAddress: c.InvoiceAddress,
	}
}

func (i Item) wire() ItemWire {
	i = i.Normalised()
	return ItemWire{
		ItemID: i.ItemID, Type: i.Type, Description: i.Description, Metadata: i.Metadata,
		Reference: i.Reference, Category: i.Category, SupplierID: i.SupplierID, SupplierName: i.SupplierName,
		Quantity: i.Quantity, UnitPrice: Price(i.UnitPrice), TaxRate: i.TaxRate,
		TotalAmount: i.TotalAmount, TaxAmount: i.TaxAmount,
		FulfilledQuantity: i.FulfilledQuantity, FulfillmentInfo: movements(i.FulfillmentInfo),
		CancelledQuantity: i.CancelledQuantity, CancelledInfo: movements(i.CancelledInfo),
		ReturnedQuantity: i.ReturnedQuantity, ReturnedInfo: movements(i.ReturnedInfo),
	}
}

// movements is null for an item that nothing has happened to.
func movements(m []Movement) *[]Movement {
	if m == nil {
		return nil
	}
	return &m
}

func idOrNull(objectID string) any {
	if objectID == "" {
		return nil
	}
	return objectID
}
