// Package order holds what a buyer wants to buy: the order, its items, the
// arithmetic they must obey, and which changes an order still takes.
package order

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"tradecredit/internal/money"
)

// The states of an order.
const (
	StatusDraft         = "draft"
	StatusPending       = "pending"
	StatusUnpaid        = "unpaid"
	StatusPartiallyPaid = "partially_paid"
	StatusPaid          = "paid"
	StatusCancelled     = "cancelled"
	StatusDisputed      = "disputed"
)

// Statuses returns every order status.
func Statuses() []string {
	return []string{StatusDraft, StatusPending, StatusUnpaid, StatusPartiallyPaid, StatusPaid, StatusCancelled, StatusDisputed}
}

// PayMethodUnknown is the pay_method of an order that came without one.
const PayMethodUnknown = "unknown"

// PayMethods returns every accepted pay_method; the blank one is accepted too.
func PayMethods() []string {
	return []string{"directdebit", "bank", "card", "cash", "cheque", "paypal", "other", PayMethodUnknown, ""}
}

// The kinds of item. Prices of discounts are negative.
const (
	ItemProduct  = "product"
	ItemService  = "service"
	ItemDigital  = "digital"
	ItemShipping = "shipping"
	ItemFee      = "fee"
	ItemDiscount = "discount"
)

// ItemTypes returns every kind of item.
func ItemTypes() []string {
	return []string{ItemProduct, ItemService, ItemDigital, ItemShipping, ItemFee, ItemDiscount}
}

// CustomerTypes returns the two kinds of customer.
func CustomerTypes() []string { return []string{"registered", "guest"} }

// Order is an order as stored. Amounts are in minor units and include tax;
// dates are written YYYY-MM-DD, nil when not given. The fields without a JSON
// name live in key columns beside the stored body.
type Order struct {
	ID              string `json:"-"`
	PaymentOffer    string `json:"-"` // the latest offer, "" before the first
	DeferredPayment string `json:"-"` // "" until the buyer has accepted a plan

	UniqueID    string          `json:"unique_id"`
	Customer    Customer        `json:"customer"`
	Status      string          `json:"status"`
	PayMethod   string          `json:"pay_method"`
	Currency    string          `json:"currency"`
	TotalAmount int64           `json:"total_amount"`
	TaxAmount   *int64          `json:"tax_amount"` // nil: not given; 0 is a tax
	OrderDate   *string         `json:"order_date"`
	InvoiceDate *string         `json:"invoice_date"`
	DueDate     *string         `json:"due_date"`
	PaidDate    *string         `json:"paid_date"`
	Items       []Item          `json:"items"`
	Metadata    json.RawMessage `json:"metadata,omitempty"` // echoed unchanged
	PONumber    string          `json:"po_number"`

	// DiscountWaiting is the part of the discounts after the sale, in minor
	// units, that was released from the authorisation before shipment and is still
	// to be taken off shipments. It is not shown.
	DiscountWaiting int64 `json:"discount_waiting,omitempty"`
}

// Customer is who buys. Organisation and User are ids, "" when not given.
type Customer struct {
	Type            string   `json:"type"`
	Organisation    string   `json:"organisation"`
	User            string   `json:"user"`
	DeliveryAddress *Address `json:"delivery_address"`
	InvoiceAddress  *Address `json:"invoice_address"`
}

// Address is where goods or invoices go.
type Address struct {
	Name         string `json:"name"`
	CompanyName  string `json:"company_name"`
	AddressLine1 string `json:"address_line1"`
	AddressLine2 string `json:"address_line2"`
	AddressLine3 string `json:"address_line3"`
	City         string `json:"city"`
	Region       string `json:"region"`
	Postcode     string `json:"postcode"`
	Country      string `json:"country"`
	Phone        string `json:"phone"`
	Email        string `json:"email"`
}

// Item is one line of an order. Quantities are decimals with 3 places,
// UnitPrice is in minor units and may carry up to 5 places, TaxRate is a
// percentage with 2; amounts are in minor units and include tax.
type Item struct {
	ItemID            string          `json:"item_id"`
	Type              string          `json:"type"`
	Description       string          `json:"description"`
	Metadata          json.RawMessage `json:"metadata,omitempty"`
	Reference         string          `json:"reference"`
	Category          string          `json:"category"`
	SupplierID        string          `json:"supplier_id"`
	SupplierName      string          `json:"supplier_name"`
	Quantity          string          `json:"quantity"`
	UnitPrice         string          `json:"unit_price"`
	TaxRate           string          `json:"tax_rate"`
	TotalAmount       int64           `json:"total_amount"`
	TaxAmount         int64           `json:"tax_amount"`
	FulfilledQuantity string          `json:"fulfilled_quantity"`
	FulfillmentInfo   []Movement      `json:"fulfillment_info"`
	CancelledQuantity string          `json:"cancelled_quantity"`
	CancelledInfo     []Movement      `json:"cancelled_info"`
	ReturnedQuantity  string          `json:"returned_quantity"`
	ReturnedInfo      []Movement      `json:"returned_info"`

	// AfterSale marks a line that came as a discount after the sale. It is not
	// shown.
	AfterSale bool `json:"after_sale,omitempty"`
}

// Movement is one shipment, cancellation or return of (part of) an item. The
// shipping fields belong to shipments alone.
type Movement struct {
	Quantity         string `json:"quantity"`
	TotalAmount      int64  `json:"total_amount"`
	TaxAmount        int64  `json:"tax_amount"`
	ShippingID       string `json:"shipping_id,omitempty"`
	ShippingProvider string `json:"shipping_provider,omitempty"`
	ShippingDate     string `json:"shipping_date,omitempty"`
}

// Decimal places of an item's figures.
const (
	quantityPlaces  = 3
	unitPricePlaces = 5
	taxRatePlaces   = 2

	// quantity × unit price counts in 10^-(3+5) minor units.
	productScale = 100_000_000

	// itemTolerance: shops that round each unit, or net before gross, are one
	// minor unit off.
	itemTolerance = 1

	zeroQuantity = "0.000"
)

// Normalised returns the item with its decimals in their stored form
// (quantities "10.000", rate "20.00", price without needless zeros) and the
// quantities moved so far, when absent, at "0.000". A decimal that cannot be
// read is left for CheckAmounts to refuse.
func (i Item) Normalised() Item {
	if v, err := money.ParseFixed(i.Quantity, quantityPlaces); err == nil {
		i.Quantity = money.FormatFixed(v, quantityPlaces)
	}
	if v, err := money.ParseFixed(i.UnitPrice, unitPricePlaces); err == nil {
		i.UnitPrice = money.FormatTrimmed(v, unitPricePlaces, 0)
	}
	if v, err := money.ParseFixed(i.TaxRate, taxRatePlaces); err == nil {
		i.TaxRate = money.FormatFixed(v, taxRatePlaces)
	}
	for _, quantity := range []*string{&i.FulfilledQuantity, &i.CancelledQuantity, &i.ReturnedQuantity} {
		if *quantity == "" {
			*quantity = zeroQuantity
		}
	}
	return i
}

// Price returns quantity × unit_price in minor units, rounded half away from
// zero. It fails with money.ErrDecimal or money.ErrOverflow.
func (i Item) Price() (int64, error) {
	quantity, err := money.ParseFixed(i.Quantity, quantityPlaces)
	if err != nil {
		return 0, fmt.Errorf("quantity: %w", err)
	}
	unitPrice, err := money.ParseFixed(i.UnitPrice, unitPricePlaces)
	if err != nil {
		return 0, fmt.Errorf("unit_price: %w", err)
	}
	return money.MulDiv(quantity, unitPrice, productScale)
}

// matches reports whether the item's total is its price, give or take the
// tolerance.
func (i Item) matches() bool {
	price, err := i.Price()
	if err != nil {
		return false
	}
	off, err := money.CheckedSub(i.TotalAmount, price)
	return err == nil && -itemTolerance <= off && off <= itemTolerance
}

// Problem is something wrong with an order's figures: the field and the
// sentence of the answer. Item is the index of the item that Field belongs
// to, or -1 when it is a field of the order.
type Problem struct {
	Item     int
	Field    string
	Sentence string
}

// CheckAmounts holds an order's figures against the rules: every item's total
// is its quantity times its unit price (one unit of tolerance), the items sum
// to the order's total, and the tax is not larger than the total. Tax sums of
// items are not checked: shops disagree on whether rates apply to net or
// gross, and the reference documents do too. An order without items, a
// historical one, has nothing to sum. The sum is looked at only once every
// item is right. The result is empty for a sound order.
func CheckAmounts(o Order) []Problem {
	var problems []Problem
	for n, item := range o.Items {
		if !item.matches() {
			problems = append(problems, Problem{Item: n, Field: "total_amount", Sentence: mismatch(item)})
		}
	}
	if len(problems) == 0 && len(o.Items) > 0 {
		problems = append(problems, checkSum(o)...)
	}
	return append(problems, checkTax(o)...)
}

// mismatch words the error of an item as the reference document does.
func mismatch(i Item) string {
	i = i.Normalised()
	return fmt.Sprintf("Item %s unit_price [%s] and quantity [%s] does not match total_amount [%d].", i.ItemID, i.UnitPrice, i.Quantity, i.TotalAmount)
}

func checkSum(o Order) []Problem {
	totals := make([]int64, len(o.Items))
	for n, item := range o.Items {
		totals[n] = item.TotalAmount
	}
	sum, err := money.Sum(totals...)
	if err != nil {
		return []Problem{{Item: -1, Field: "total_amount", Sentence: "Sum of items total_amount is too large."}}
	}
	if sum == o.TotalAmount {
		return nil
	}
	sentence := fmt.Sprintf("Sum of items total_amount [%d] does not match order total_amount [%d].", sum, o.TotalAmount)
	return []Problem{{Item: -1, Field: "total_amount", Sentence: sentence}}
}

func checkTax(o Order) []Problem {
	if o.TaxAmount == nil || within(*o.TaxAmount, o.TotalAmount) {
		return nil
	}
	sentence := fmt.Sprintf("Order tax_amount [%d] is larger than total_amount [%d].", *o.TaxAmount, o.TotalAmount)
	return []Problem{{Item: -1, Field: "tax_amount", Sentence: sentence}}
}

// within reports |part| ≤ |whole|. It compares negative numbers, because the
// smallest int64 has no positive counterpart.
func within(part, whole int64) bool {
	return min(part, -part) >= min(whole, -whole)
}

// Buyer is what MissingForOffer needs to know of the customer beside the ids
// in the order.
type Buyer struct {
	HasCompany   bool // the organisation is attached to a company
	UserIsMember bool // the user belongs to the organisation
}

// MissingForOffer names what an order lacks before an offer can be made of
// it, in the order of the document's fields; nothing when it is complete. An
// offer needs: customer (organisation with a company, user in that
// organisation, both addresses), currency, totals, order date, items.
func MissingForOffer(o Order, b Buyer) []string {
	missing := []string{}
	need := func(present bool, field string) {
		if !present {
			missing = append(missing, field)
		}
	}
	organisation := o.Customer.Organisation != ""
	need(organisation, "customer.organisation")
	need(!organisation || b.HasCompany, "customer.organisation.company")
	need(o.Customer.User != "" && (!organisation || b.UserIsMember), "customer.user")
	need(o.Customer.DeliveryAddress != nil, "customer.delivery_address")
	need(o.Customer.InvoiceAddress != nil, "customer.invoice_address")
	need(o.Currency != "", "currency")
	need(o.TotalAmount > 0, "total_amount")
	need(o.TaxAmount != nil, "tax_amount")
	need(o.OrderDate != nil && *o.OrderDate != "", "order_date")
	need(len(o.Items) > 0, "items")
	return missing
}

// KeepsOffer reports whether a field may change without expiring the order's
// offer, because it does not affect the terms.
func KeepsOffer(field string) bool {
	return field == "unique_id" || field == "metadata" || field == "po_number"
}

// ExpiresOffer reports whether any of the changed fields ends the order's
// offer.
func ExpiresOffer(changed []string) bool {
	return slices.ContainsFunc(changed, func(field string) bool { return !KeepsOffer(field) })
}

// Locked returns those of the changed fields that may not change once the
// order has a deferred payment: all but unique_id.
func Locked(changed []string) []string {
	return slices.DeleteFunc(slices.Clone(changed), func(field string) bool { return field == "unique_id" })
}

// ChangedFields names the fields a merchant may write that differ between two
// versions of an order. Sending a field again with the value it already has
// is no change, so it neither expires an offer nor is refused.
func ChangedFields(before, after Order) []string {
	changed := []string{}
	note := func(same bool, field string) {
		if !same {
			changed = append(changed, field)
		}
	}
	note(before.UniqueID == after.UniqueID, "unique_id")
	note(reflect.DeepEqual(before.Customer, after.Customer), "customer")
	note(before.Status == after.Status, "status")
	note(before.PayMethod == after.PayMethod, "pay_method")
	note(before.Currency == after.Currency, "currency")
	note(before.TotalAmount == after.TotalAmount, "total_amount")
	note(equal(before.TaxAmount, after.TaxAmount), "tax_amount")
	note(equal(before.OrderDate, after.OrderDate), "order_date")
	note(equal(before.InvoiceDate, after.InvoiceDate), "invoice_date")
	note(equal(before.DueDate, after.DueDate), "due_date")
	note(equal(before.PaidDate, after.PaidDate), "paid_date")
	note(slices.EqualFunc(before.Items, after.Items, sameItem), "items")
	note(sameJSON(before.Metadata, after.Metadata), "metadata")
	note(before.PONumber == after.PONumber, "po_number")
	return changed
}

func equal[T comparable](a, b *T) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

// sameItem compares what a merchant may write of an item; what has been
// shipped, cancelled and returned is ours.
func sameItem(a, b Item) bool {
	metadata := sameJSON(a.Metadata, b.Metadata)
	return metadata && reflect.DeepEqual(writable(a), writable(b))
}

func writable(i Item) Item {
	i = i.Normalised()
	i.Metadata = nil
	i.FulfilledQuantity, i.FulfillmentInfo = zeroQuantity, nil
	i.CancelledQuantity, i.CancelledInfo = zeroQuantity, nil
	i.ReturnedQuantity, i.ReturnedInfo = zeroQuantity, nil
	i.AfterSale = false
	return i
}

// sameJSON compares two JSON texts without their white space; nothing and
// null are the same.
func sameJSON(a, b json.RawMessage) bool { return bytes.Equal(compact(a), compact(b)) }

func compact(raw json.RawMessage) []byte {
	var buffer bytes.Buffer
	if json.Compact(&buffer, raw) != nil || buffer.String() == "null" {
		return nil
	}
	return buffer.Bytes()
}

// TakesOffer reports whether an order in this status can still get an offer;
// one that is paid cannot (409).
func TakesOffer(status string) bool { return status != StatusPaid }
