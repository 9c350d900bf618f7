package simulate

import "fmt"

// goods are what an order is of: pieces at one price.
type goods struct {
	pieces, price                int64
	shipped, cancelled, returned int64
	// waiting is what was discounted before it was shipped.
	waiting   int64
	discounts int
}

// moveGoods is an action of the merchant on the order.
func (d *debt) moveGoods() string {
	s, g := d.shop, &d.goods
	captured := d.Protected + d.Unprotected
	left := g.pieces - g.shipped - g.cancelled
	// What expired can be neither shipped nor cancelled any more.
	open := left > 0 && d.Authorisation == left*g.price-g.waiting
	switch s.w.rng.IntN(6) {
	case 0, 1:
		if open {
			return d.ship(1 + s.w.rng.Int64N(left))
		}
	case 2:
		if open {
			return d.cancel(1 + s.w.rng.Int64N(left))
		}
	case 3:
		if back := g.shipped - g.returned; back > 0 {
			return d.takeBack(1+s.w.rng.Int64N(back), captured)
		}
	case 4:
		if most := (max(0, d.Authorisation) + captured) / 4; most > 0 && (open || captured > 0) {
			return d.rebate(s.w.upTo(most), captured)
		}
	}
	return ""
}

// ask sends a legacy action for so many pieces.
func (d *debt) ask(action string, pieces int64) {
	d.shop.put("/v1/payment/orders/"+d.order+"/"+action, object{"items": []object{{
		"item_id": "1", "quantity": fmt.Sprint(pieces), "total_amount": pieces * d.goods.price, "tax_amount": 0,
	}}})
	d.touched = d.touched || pieces > 0
}

func (d *debt) ship(pieces int64) string {
	d.ask("fulfill", pieces)
	amount := pieces * d.goods.price
	off := min(amount, d.goods.waiting)
	d.goods.shipped += pieces
	d.goods.waiting -= off
	if amount > off {
		d.capture(d.shop.now, amount-off)
	}
	return "fulfill"
}

func (d *debt) cancel(pieces int64) string {
	d.ask("cancel", pieces)
	amount := pieces * d.goods.price
	off := min(max(amount-max(d.Authorisation, 0), 0), d.goods.waiting)
	d.goods.cancelled += pieces
	d.goods.waiting -= off
	if amount > off {
		d.release(d.shop.now, amount-off, &d.Voided)
	}
	return "cancel"
}

func (d *debt) takeBack(pieces, captured int64) string {
	d.ask("return", pieces)
	d.goods.returned += pieces
	if amount := min(pieces*d.goods.price, captured); amount > 0 {
		d.refund(d.shop.now, amount, "return")
	}
	return "return"
}

// rebate is a discount after the sale: off what was shipped first.
func (d *debt) rebate(amount, captured int64) string {
	d.goods.discounts++
	d.shop.put("/v1/payment/orders/"+d.order+"/discount", object{"items": []object{{
		"item_id": fmt.Sprint("d", d.goods.discounts), "description": "Rebate", "quantity": "1", "unit_price": -amount, "tax_rate": "0.00",
		"total_amount": -amount, "tax_amount": 0, "metadata": object{},
	}}})
	d.touched = true
	back := min(amount, captured)
	if back > 0 {
		d.refund(d.shop.now, back, "discount")
	}
	if rest := amount - back; rest > 0 {
		d.goods.waiting += rest
		d.release(d.shop.now, rest, &d.Voided)
	}
	return "discount"
}
