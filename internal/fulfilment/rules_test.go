package fulfilment

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/deferred"
	"tradecredit/internal/money"
	"tradecredit/internal/order"
)

// walker is an order with its deferred payment on a random walk.
type walker struct {
	*rand.Rand
	order order.Order
	state deferred.State
	lines int // how many discounts were given
}

// places reads a decimal with 3 places.
func places(text string) int64 {
	v, err := money.ParseFixed(text, 3)
	if err != nil {
		panic(err)
	}
	return v
}

// start draws an order of a few items, some at prices that do not come out even,
// some discounts, and its payment.
func start(r *rand.Rand) *walker {
	w := &walker{Rand: r}
	for n := range 1 + r.IntN(4) {
		item := order.Item{
			ItemID: strconv.Itoa(n), Type: order.ItemProduct, TaxRate: "20", Quantity: strconv.Itoa(1 + r.IntN(9)),
			UnitPrice: money.FormatFixed(r.Int64N(500_000_00000), 5),
		}
		switch r.IntN(5) {
		case 0:
			item.Quantity = money.FormatFixed(1+r.Int64N(9999), 3)
		case 1:
			item.UnitPrice = money.FormatFixed(r.Int64N(3_00000), 5)
		}
		if n > 0 && r.IntN(3) == 0 {
			item.Type, item.UnitPrice = order.ItemDiscount, "-"+money.FormatFixed(r.Int64N(1000_00000), 5)
		}
		price, err := item.Price()
		if err != nil {
			panic(err)
		}
		item.TotalAmount = price + r.Int64N(3) - 1
		item.TaxAmount = item.TotalAmount / 6
		w.order.Items = append(w.order.Items, item.Normalised())
		w.order.TotalAmount += item.TotalAmount
	}
	if w.order.TotalAmount < 1 {
		return start(r)
	}
	var err error
	w.state, err = deferred.New(w.order.TotalAmount, r.Int64N(w.order.TotalAmount+1), w.order.TotalAmount/50, deferred.StatusAccepted)
	if err != nil {
		panic(err)
	}
	return w
}

// request draws something to do: mostly what is possible, sometimes not.
func (w *walker) request() Request {
	r := Request{Action: []Action{Fulfill, Cancel, Return, Discount}[w.IntN(4)], Day: "2026-03-02"}
	if r.Action == Discount {
		w.lines++
		price := -1 - w.Int64N(max(1, w.order.TotalAmount/4))
		r.Discounts = []order.Item{{
			ItemID: fmt.Sprintf("d%d", w.lines), Quantity: "1", UnitPrice: strconv.FormatInt(price, 10), TaxRate: "0", TotalAmount: price,
		}}
		return r
	}
	if w.IntN(60) == 0 {
		return r // all of it
	}
	for range 1 + w.IntN(3) {
		item := w.order.Items[w.IntN(len(w.order.Items))]
		quantity := 1 + w.Int64N(places(item.Quantity)+w.Int64N(2))
		if w.IntN(2) == 0 {
			quantity = min(places(item.Quantity), 1000)
		}
		part := order.Item{Quantity: money.FormatFixed(quantity, 3), UnitPrice: item.UnitPrice}
		price, err := part.Price()
		if err != nil {
			panic(err)
		}
		r.Lines = append(r.Lines, order.Line{ItemID: item.ItemID, Movement: order.Movement{
			Quantity: part.Quantity, TotalAmount: price + []int64{0, 0, 1, -1, 2}[w.IntN(5)],
		}})
	}
	return r
}

// totals are what has been moved of all goods, and what there is of them.
type totals struct{ goods, shipped, cancelled, returned, discounts int64 }

func sums(o order.Order) (t totals) {
	sum := func(info []order.Movement) (total int64) {
		for _, m := range info {
			total += m.TotalAmount
		}
		return total
	}
	for _, i := range o.Items {
		if i.AfterSale {
			t.discounts -= i.TotalAmount
			continue
		}
		t.goods += i.TotalAmount
		t.shipped += sum(i.FulfillmentInfo)
		t.cancelled += sum(i.CancelledInfo)
		t.returned += sum(i.ReturnedInfo)
	}
	return t
}

// step does one thing and checks all that must hold. It tells whether it was done.
func (w *walker) step(r Request) (bool, error) {
	before, was := sums(w.order), w.state
	kept := w.order
	kept.Items = slices.Clone(w.order.Items)
	d, err := Decide(w.order, w.state, deferred.Settings{}, r)
	if err != nil {
		return false, err
	}
	if !cmp.Equal(kept, w.order) {
		return false, errors.New("the order that was passed in has changed")
	}
	if len(d.Problems) > 0 {
		if d.Commands != nil || d.Order.Items != nil {
			return false, fmt.Errorf("refused with %v, and yet %+v", d.Problems, d)
		}
		return false, nil
	}
	for _, c := range d.Commands {
		e, err := deferred.Decide(w.state, deferred.Settings{}, c)
		if err != nil {
			return false, err
		}
		if c.Version != deferred.V1 || c.Origin != string(r.Action) {
			return false, fmt.Errorf("the command is %+v", c)
		}
		w.state = w.state.Apply(e)
	}
	w.order = d.Order
	if err := w.sound(); err != nil {
		return false, err
	}
	return true, w.agrees(r.Action, before, was)
}

// sound checks the order and the payment by themselves and against each other.
func (w *walker) sound() error {
	if err := deferred.CheckInvariants(w.state); err != nil {
		return err
	}
	if problems := order.CheckAmounts(w.order); len(problems) > 0 {
		return fmt.Errorf("the order is wrong: %v", problems)
	}
	for _, i := range w.order.Items {
		shipped, cancelled, returned := places(i.FulfilledQuantity), places(i.CancelledQuantity), places(i.ReturnedQuantity)
		if shipped+cancelled > places(i.Quantity) || returned > shipped || shipped < 0 || cancelled < 0 || returned < 0 {
			return fmt.Errorf("item %+v", i)
		}
		alone := sums(order.Order{Items: []order.Item{i}})
		if shipped+cancelled == places(i.Quantity) && alone.shipped+alone.cancelled != alone.goods || returned == shipped && alone.returned != alone.shipped {
			return fmt.Errorf("all of item %+v is gone, and something is left of its amount", i)
		}
	}
	t := sums(w.order)
	if open := t.goods - t.shipped - t.cancelled; w.state.Authorisation != open-w.order.DiscountWaiting {
		return fmt.Errorf("%d is open, %d of it waits as discount, and %d is authorised", open, w.order.DiscountWaiting, w.state.Authorisation)
	}
	if w.order.DiscountWaiting < 0 || t.goods-t.discounts != w.order.TotalAmount {
		return fmt.Errorf("%+v of %+v", t, w.order)
	}
	return nil
}

// agrees checks that what moved of the goods is what moved of the money.
func (w *walker) agrees(a Action, before totals, was deferred.State) error {
	after, s := sums(w.order), w.state
	captured := func(s deferred.State) int64 {
		return s.ProtectedCaptures + s.UnprotectedCaptures + s.Refunds
	}
	capture, void, refund := captured(s)-captured(was), s.VoidedAuthorisation-was.VoidedAuthorisation, s.Refunds-was.Refunds
	var fine bool
	switch a {
	case Fulfill: // less what was discounted before
		moved := after.shipped - before.shipped
		fine = capture <= moved && moved-capture <= before.discounts && void == 0 && refund == 0
	case Cancel:
		moved := after.cancelled - before.cancelled
		fine = void <= moved && (void == moved || s.Authorisation == 0) && capture == 0 && refund == 0
	case Return:
		moved := after.returned - before.returned
		fine = refund <= moved && (refund == moved || captured(s)-s.Refunds == 0) && capture == 0 && void == 0
	case Discount:
		fine = void+refund == after.discounts-before.discounts && capture == 0
	}
	if !fine {
		return fmt.Errorf("%s: captured %d, voided %d, refunded %d for %+v after %+v", a, capture, void, refund, after, before)
	}
	return nil
}

// finish ships, or cancels, all that is left.
func (w *walker) finish() error {
	last := Request{Action: Fulfill, Day: "2026-03-03"}
	if w.IntN(3) == 0 {
		last.Action = Cancel
	}
	if done, err := w.step(last); err != nil || !done {
		return fmt.Errorf("the rest was not moved: %v, %w", done, err)
	}
	if w.state.Authorisation != 0 {
		return fmt.Errorf("%d is left of %+v", w.state.Authorisation, w.state)
	}
	if done, err := w.step(Request{Action: Return}); err != nil || !done {
		return fmt.Errorf("not all was returned: %v, %w", done, err)
	}
	if left := w.state.ProtectedCaptures + w.state.UnprotectedCaptures; left != 0 {
		return fmt.Errorf("%d is still owed for nothing", left)
	}
	if got := w.state.Status; got != deferred.StatusReversed && got != deferred.StatusCancelled && got != deferred.StatusAccepted {
		return fmt.Errorf("the payment is %s", got)
	}
	return nil
}

func TestRandomWalk(t *testing.T) {
	t.Parallel()
	const walks, steps = 600, 60
	done, waited := map[Action]int{}, 0
	for seed := range uint64(walks) {
		w := start(rand.New(rand.NewPCG(seed, 28)))
		for n := range steps {
			r := w.request()
			ok, err := w.step(r)
			if err != nil {
				t.Fatalf("walk %d, step %d, %+v on %+v: %v", seed, n, r, w.order, err)
			}
			if ok {
				done[r.Action]++
			}
			if w.order.DiscountWaiting > 0 {
				waited++
			}
		}
		if err := w.finish(); err != nil {
			t.Fatalf("walk %d: %v", seed, err)
		}
	}
	for _, a := range []Action{Fulfill, Cancel, Return, Discount} {
		if done[a] < 300 {
			t.Errorf("only %d of %s: the walk does not go everywhere (%v)", done[a], a, done)
		}
	}
	if waited < 300 {
		t.Errorf("a discount waited for a shipment at %d steps only", waited)
	}
}

// chairs is the order of the reference document and its payment.
func chairs(t *testing.T) (order.Order, deferred.State) {
	t.Helper()
	s, err := deferred.New(12000, 12000, 0, deferred.StatusAccepted)
	if err != nil {
		t.Fatal(err)
	}
	return order.Order{TotalAmount: 12000, Items: []order.Item{
		order.Item{ItemID: "1", Quantity: "10", UnitPrice: "1000", TotalAmount: 10000, TaxAmount: 2000}.Normalised(),
		order.Item{ItemID: "2", Quantity: "1", UnitPrice: "2000", TotalAmount: 2000, TaxAmount: 400}.Normalised(),
	}}, s
}

func moved(itemID, quantity string, total int64) []order.Line {
	return []order.Line{{ItemID: itemID, Movement: order.Movement{Quantity: quantity, TotalAmount: total}}}
}

func discounted(total int64) Request {
	return Request{Action: Discount, Discounts: []order.Item{{
		ItemID: "99", Quantity: "1", UnitPrice: strconv.FormatInt(total, 10), TaxRate: "0", TotalAmount: total,
	}}}
}

// TestDecide follows orders and the status and the balances of their payment:
// authorisation, captured, refunded, voided.
func TestDecide(t *testing.T) {
	t.Parallel()
	type step struct {
		r      Request
		status deferred.Status
		want   [4]int64
	}
	for name, steps := range map[string][]step{
		"shipped": {
			{Request{Action: Fulfill, Lines: moved("2", "1", 2000)}, deferred.StatusPartFulfilled, [4]int64{10000, 2000, 0, 0}},
			{Request{Action: Fulfill}, deferred.StatusFulfilled, [4]int64{0, 12000, 0, 0}},
			{Request{Action: Fulfill}, deferred.StatusFulfilled, [4]int64{0, 12000, 0, 0}},
			{discounted(-120), deferred.StatusFulfilled, [4]int64{0, 11880, 120, 0}},
			{Request{Action: Return, Lines: moved("1", "10", 10000)}, deferred.StatusFulfilled, [4]int64{0, 1880, 10120, 0}},
			{Request{Action: Return}, deferred.StatusReversed, [4]int64{0, 0, 12000, 0}},
		},
		"discount before shipment": {
			{discounted(-120), deferred.StatusAccepted, [4]int64{11880, 0, 0, 120}},
			{Request{Action: Cancel, Lines: moved("2", "1", 2000)}, deferred.StatusAccepted, [4]int64{9880, 0, 0, 2120}},
			{Request{Action: Fulfill, Lines: moved("1", "1", 1000)}, deferred.StatusPartFulfilled, [4]int64{9000, 880, 0, 2120}},
			{Request{Action: Cancel}, deferred.StatusFulfilled, [4]int64{0, 880, 0, 11120}},
		},
		"discount in between": {
			{Request{Action: Fulfill, Lines: moved("1", "0.1", 100)}, deferred.StatusPartFulfilled, [4]int64{11900, 100, 0, 0}},
			{discounted(-120), deferred.StatusPartFulfilled, [4]int64{11880, 0, 100, 20}},
			{Request{Action: Fulfill}, deferred.StatusFulfilled, [4]int64{0, 11880, 100, 20}},
		},
		"cancelled": {
			{discounted(-120), deferred.StatusAccepted, [4]int64{11880, 0, 0, 120}},
			{Request{Action: Cancel}, deferred.StatusCancelled, [4]int64{0, 0, 0, 12000}},
		},
		"given away": {
			{discounted(-12000), deferred.StatusCancelled, [4]int64{0, 0, 0, 12000}},
			{Request{Action: Fulfill}, deferred.StatusCancelled, [4]int64{0, 0, 0, 12000}},
		},
	} {
		o, s := chairs(t)
		w := &walker{order: o, state: s}
		for n, c := range steps {
			if done, err := w.step(c.r); err != nil || !done {
				t.Fatalf("%s, %d: %v, %v", name, n, done, err)
			}
			got := [4]int64{w.state.Authorisation, w.state.ProtectedCaptures, w.state.Refunds, w.state.VoidedAuthorisation}
			if got != c.want || w.state.Status != c.status {
				t.Errorf("%s, %d: %v %s, want %v %s", name, n, got, w.state.Status, c.want, c.status)
			}
		}
	}
}

func TestDecideRefuses(t *testing.T) {
	t.Parallel()
	o, _ := chairs(t)
	o.Items = append(o.Items, order.Item{ItemID: "3", Quantity: "1", UnitPrice: "-600", TotalAmount: -600}.Normalised())
	o.TotalAmount = 11400
	s, err := deferred.New(11400, 11400, 0, deferred.StatusAccepted)
	if err != nil {
		t.Fatal(err)
	}
	both := append(moved("1", "10", 10000), moved("2", "1", 2000)...)
	for a, sentence := range map[Action]string{
		Fulfill: "Sum of items total_amount [12000] is more than the deferred payment has left to fulfill [11400].",
		Cancel:  "Sum of items total_amount [12000] is more than the deferred payment has left to cancel [11400].",
	} {
		d, err := Decide(o, s, deferred.Settings{}, Request{Action: a, Lines: both})
		if want := []order.Problem{{Item: -1, Field: "items", Sentence: sentence}}; err != nil || !cmp.Equal(d.Problems, want) {
			t.Errorf("%s: %v, %v", a, d, err)
		}
	}
	expiry, err := deferred.Expire(s)
	if err != nil {
		t.Fatal(err)
	}
	expired := s.Apply(expiry)
	if d, err := Decide(o, expired, deferred.Settings{}, Request{Action: Fulfill}); err != nil || len(d.Problems) != 1 {
		t.Errorf("%v, %v", d, err)
	}
	if d, err := Decide(o, expired, deferred.Settings{Overcaptures: true}, Request{Action: Fulfill}); err != nil || len(d.Commands) != 1 {
		t.Errorf("%v, %v", d, err)
	}
	capture, err := deferred.Capture(s, deferred.Settings{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	rejected, err := deferred.New(11400, 11400, 0, deferred.StatusRejected)
	if err != nil {
		t.Fatal(err)
	}
	for reason, state := range map[error]deferred.State{deferred.ErrMixedVersions: s.Apply(capture), deferred.ErrNotActive: rejected} {
		for _, a := range []Action{Fulfill, Cancel, Return, Discount} {
			if _, err := Decide(o, state, deferred.Settings{}, Request{Action: a, Discounts: discounted(-1).Discounts}); !errors.Is(err, reason) {
				t.Errorf("%s: %v, want %v", a, err, reason)
			}
		}
	}
	if _, err := Decide(o, s, deferred.Settings{}, Request{Action: "ship"}); err == nil {
		t.Error("an action that does not exist was decided")
	}
}
