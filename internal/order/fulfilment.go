package order

import (
	"cmp"
	"fmt"
	"slices"

	"tradecredit/internal/money"
)

// Move is what can happen to the goods of an order after the sale.
type Move int

// The moves. Goods are shipped or cancelled, once; what was shipped can be
// returned.
const (
	Shipped Move = iota
	Cancelled
	Returned
)

// String is the verb of the sentences about a move.
func (m Move) String() string {
	return [...]string{"fulfil", "cancel", "return"}[m]
}

// Line is one line of a request that moves goods: (part of) the item with that
// item_id.
type Line struct {
	ItemID string
	Movement
}

// note writes a movement down.
func (i *Item) note(m Move, quantity int64, moved Movement) {
	sum, info := &i.FulfilledQuantity, &i.FulfillmentInfo
	switch m {
	case Cancelled:
		sum, info = &i.CancelledQuantity, &i.CancelledInfo
	case Returned:
		sum, info = &i.ReturnedQuantity, &i.ReturnedInfo
	}
	moved.Quantity = money.FormatFixed(quantity, quantityPlaces)
	*sum = money.FormatFixed(fixedQuantity(*sum)+quantity, quantityPlaces)
	*info = append(slices.Clip(*info), moved)
}

// fixedQuantity reads a quantity that was stored, in thousandths.
func fixedQuantity(text string) int64 {
	quantity, err := money.ParseFixed(text, quantityPlaces)
	if err != nil {
		return 0
	}
	return quantity
}

// part is some of an item: a quantity in thousandths, and minor units.
type part struct{ quantity, total, tax int64 }

func (p part) less(q part) part {
	return part{p.quantity - q.quantity, p.total - q.total, p.tax - q.tax}
}

// moved is what a kind of move has taken of the item. The totals taken never sum
// to more than the item's, so nothing here overflows but taxes, which are parts
// of the totals.
func (i Item) moved(m Move) part {
	quantity, info := i.FulfilledQuantity, i.FulfillmentInfo
	switch m {
	case Cancelled:
		quantity, info = i.CancelledQuantity, i.CancelledInfo
	case Returned:
		quantity, info = i.ReturnedQuantity, i.ReturnedInfo
	}
	sum := part{quantity: fixedQuantity(quantity)}
	for _, moved := range info {
		sum.total += moved.TotalAmount
		sum.tax += moved.TaxAmount
	}
	return sum
}

// left is what can still be moved of the item. A discount after the sale is no
// goods: it has taken effect when it was given.
func (i Item) left(m Move) part {
	shipped := i.moved(Shipped)
	switch {
	case i.AfterSale:
		return part{}
	case m == Returned:
		return shipped.less(i.moved(Returned))
	}
	all := part{fixedQuantity(i.Quantity), i.TotalAmount, i.TaxAmount}
	return all.less(shipped).less(i.moved(Cancelled))
}

// MoveGoods ships, cancels or returns what the lines say, one after the other, or
// all that is left when lines is nil. day is the day (YYYY-MM-DD) of shipments that
// name none. It returns the order afterwards and the sum of the amounts moved, in
// minor units, zero or more.
//
// What a line says must be right: quantity times unit price, with the tolerance
// of CheckAmounts. What is written down never exceeds what is left of the item,
// and what takes the last of it takes the rest: the movements of an item that is
// all gone sum to the item's total exactly.
//
// The problems, if any, are those of lines, by their index. The order that was
// passed in is left as it is.
func MoveGoods(o Order, m Move, lines []Line, day string) (Order, int64, []Problem) {
	o.Items = slices.Clone(o.Items)
	if lines == nil {
		return moveRest(o, m, day)
	}
	var problems []Problem
	amounts := make([]int64, 0, len(lines))
	named := byItemID(o.Items)
	for n, line := range lines {
		i := find(o.Items, named[line.ItemID], m, line)
		if problem := refuseLine(o.Items, i, m, line); problem != nil {
			problem.Item = n
			problems = append(problems, *problem)
			continue
		}
		item := &o.Items[i]
		quantity, left := fixedQuantity(line.Quantity), item.left(m)
		moved := Movement{TotalAmount: line.TotalAmount, TaxAmount: line.TaxAmount}
		if m == Shipped {
			moved.ShippingID, moved.ShippingProvider = line.ShippingID, line.ShippingProvider
			moved.ShippingDate = cmp.Or(line.ShippingDate, day)
		}
		moved.TotalAmount = between(moved.TotalAmount, left.total)
		if quantity == left.quantity {
			moved.TotalAmount = left.total
		}
		moved.TaxAmount = between(moved.TaxAmount, moved.TotalAmount)
		item.note(m, quantity, moved)
		amounts = append(amounts, moved.TotalAmount)
	}
	if len(problems) > 0 {
		return o, 0, problems
	}
	return summed(o, amounts)
}

// moveRest moves all that is left, one movement for each item.
func moveRest(o Order, m Move, day string) (Order, int64, []Problem) {
	var amounts []int64
	for i := range o.Items {
		item := &o.Items[i]
		left := item.left(m)
		// A line of no goods may still carry the unit of the tolerance.
		if left.quantity <= 0 && left.total == 0 {
			continue
		}
		moved := Movement{TotalAmount: left.total, TaxAmount: between(left.tax, left.total)}
		if m == Shipped {
			moved.ShippingDate = day
		}
		item.note(m, left.quantity, moved)
		amounts = append(amounts, left.total)
	}
	return summed(o, amounts)
}

// summed adds up what was moved. A discount goes with what it is a discount on.
func summed(o Order, amounts []int64) (Order, int64, []Problem) {
	sum, err := money.Sum(amounts...)
	if err != nil {
		return o, 0, []Problem{{Item: -1, Field: "items", Sentence: "Sum of items total_amount is too large."}}
	}
	if sum < 0 {
		sentence := fmt.Sprintf("Sum of items total_amount [%d] is below zero: a discount goes together with the items it is for.", sum)
		return o, 0, []Problem{{Item: -1, Field: "items", Sentence: sentence}}
	}
	return o, sum, nil
}

// between is the amount as far as it lies between nothing and whole, which may be
// negative.
func between(amount, whole int64) int64 {
	return max(min(amount, max(whole, 0)), min(whole, 0))
}

// byItemID returns the indexes of the items by their item_id, which several may
// share.
func byItemID(items []Item) map[string][]int {
	named := map[string][]int{}
	for i, item := range items {
		named[item.ItemID] = append(named[item.ItemID], i)
	}
	return named
}

// find returns the index of the item that a line is about, -1 for none. Of those
// with its item_id it is the first of which enough is left, or else the last.
func find(items []Item, named []int, m Move, line Line) int {
	found := -1
	for _, i := range named {
		found = i
		if items[i].left(m).quantity >= fixedQuantity(line.Quantity) {
			break
		}
	}
	return found
}

// refuseLine says what is wrong with a line about the item with index i.
func refuseLine(items []Item, i int, m Move, line Line) *Problem {
	refused := func(field, format string, values ...any) *Problem {
		return &Problem{Field: field, Sentence: fmt.Sprintf(format, values...)}
	}
	if i < 0 {
		return refused("item_id", "Item %s is not in the order.", line.ItemID)
	}
	item := items[i]
	if item.AfterSale {
		return refused("item_id", "Item %s is a discount after the sale, which needs no further action.", line.ItemID)
	}
	left, quantity := item.left(m).quantity, fixedQuantity(line.Quantity)
	asked := Item{ItemID: line.ItemID, Quantity: line.Quantity, UnitPrice: item.UnitPrice, TotalAmount: line.TotalAmount}
	whole := quantity == fixedQuantity(item.Quantity) && line.TotalAmount == item.TotalAmount
	switch {
	case quantity <= 0:
		return refused("quantity", "Ensure this value is greater than 0.")
	case quantity > left:
		return refused("quantity", "Item %s quantity [%s] is more than there is left to %s [%s].",
			line.ItemID, money.FormatFixed(quantity, quantityPlaces), m, money.FormatFixed(left, quantityPlaces))
	case whole && line.TaxAmount == item.TaxAmount:
		return nil // in the words of the order itself
	case !whole && !asked.matches():
		return refused("total_amount", "%s", mismatch(asked))
	}
	if between(line.TaxAmount, line.TotalAmount) != line.TaxAmount {
		return refused("tax_amount", "Item %s tax_amount [%d] is not a part of total_amount [%d].",
			line.ItemID, line.TaxAmount, line.TotalAmount)
	}
	return nil
}

// GiveDiscount appends lines with a discount after the sale to an order, whose
// totals go down by it. It returns the order afterwards and the discount in minor
// units, above zero. The problems, if any, are those of lines, by their index.
func GiveDiscount(o Order, lines []Item) (Order, int64, []Problem) {
	var problems []Problem
	note := func(n int, field, format string, values ...any) {
		problems = append(problems, Problem{n, field, fmt.Sprintf(format, values...)})
	}
	o.Items = slices.Clone(o.Items)
	totals, taxes := []int64{o.TotalAmount}, []int64{}
	named := byItemID(o.Items)
	for n, line := range lines {
		line.Type, line.AfterSale = ItemDiscount, true
		switch {
		case named[line.ItemID] != nil:
			note(n, "item_id", "Item %s is in the order already.", line.ItemID)
		case line.TotalAmount >= 0:
			note(n, "total_amount", "Ensure this value is less than or equal to -1.")
		case !line.matches():
			note(n, "total_amount", "%s", mismatch(line))
		case between(line.TaxAmount, line.TotalAmount) != line.TaxAmount:
			note(n, "tax_amount", "Item %s tax_amount [%d] is not a part of total_amount [%d].", line.ItemID, line.TaxAmount, line.TotalAmount)
		}
		named[line.ItemID] = []int{len(o.Items)}
		o.Items = append(o.Items, line.Normalised())
		totals, taxes = append(totals, line.TotalAmount), append(taxes, line.TaxAmount)
	}
	if len(problems) > 0 {
		return o, 0, problems
	}
	before := o.TotalAmount
	total, err := money.Sum(totals...)
	if err != nil || total < 0 {
		note(-1, "items", "The discount is larger than the order's total_amount [%d].", before)
		return o, 0, problems
	}
	o.TotalAmount = total
	return lessTax(o, before-total, taxes)
}

// lessTax takes the taxes of discounts from the order's, where it has one.
func lessTax(o Order, discount int64, taxes []int64) (Order, int64, []Problem) {
	if o.TaxAmount == nil {
		return o, discount, nil
	}
	tax, err := money.Sum(append(taxes, *o.TaxAmount)...)
	if err != nil || tax < 0 {
		sentence := fmt.Sprintf("The tax_amount of the discount is larger than the order's [%d].", *o.TaxAmount)
		return o, 0, []Problem{{Item: -1, Field: "items", Sentence: sentence}}
	}
	o.TaxAmount = &tax
	return o, discount, checkTax(o)
}
