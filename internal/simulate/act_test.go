package simulate

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"slices"
	"time"
)

// The tokens that fail in the sandbox.
const (
	declinedCard   = "tok_chargeDeclined"
	failingMandate = "mandate_fail"
)

// turn lets one thing happen in a shop, and then lets time pass.
func (s *shop) turn() {
	s.w.t.Helper()
	did := ""
	for did == "" {
		did = s.act()
	}
	s.w.did[did]++
	s.until(s.later())
}

// later draws the time of the next step: mostly soon, sometimes at the end of a
// month or in weeks.
func (s *shop) later() time.Time {
	r := s.w.rng
	switch n := r.IntN(20); {
	case n < 5:
		return s.now.Add(time.Duration(1+r.IntN(3600)) * time.Second)
	case n < 10:
		return s.now.Add(day)
	case n < 15:
		return s.now.Add(time.Duration(2+r.IntN(6)) * day)
	case n == 15: // a minute after midnight on the last day of the month
		end := endOf(0, 1).due(s.now).Add(time.Minute)
		if end.After(s.now) {
			return end
		}
		return s.now.Add(day)
	case n == 16:
		return s.now.Add(time.Duration(20+r.IntN(30)) * day)
	}
	return s.now.Add(time.Duration(5+r.IntN(10)) * day)
}

// act does one thing at random and tells what. "" is nothing: it was not possible.
func (s *shop) act() string {
	d := s.any(func(d *debt) bool { return d.early != rejected })
	if open := s.any(func(d *debt) bool { return d.active() && d.Authorisation > 0 }); open != nil && s.w.rng.IntN(3) == 0 {
		d = open
	}
	switch n := s.w.rng.IntN(100); {
	case n < 7 || d == nil:
		return s.buy()
	case n < 10:
		return s.set()
	case n < 14:
		return s.transfer()
	case d.early == inReview || d.early == actionRequired:
		return d.review()
	case n < 30:
		return d.pay()
	case n < 36:
		return d.chargeBack()
	case n < 42:
		return d.invoice()
	case d.early != "":
		return ""
	case n < 47:
		return d.clawBackSome()
	case n < 52:
		return d.correct()
	case d.legacy:
		return d.moveGoods()
	}
	return d.postSale()
}

// any draws a debt, newer ones more often.
func (s *shop) any(fits func(*debt) bool) *debt {
	var found []*debt
	for _, d := range s.debts {
		if fits(d) {
			found = append(found, d)
		}
	}
	if len(found) == 0 {
		return nil
	}
	if n := len(found); s.w.rng.IntN(3) > 0 {
		return found[n-1-s.w.rng.IntN(min(n, 6))]
	}
	return found[s.w.rng.IntN(len(found))]
}

// seenPlan is a payment plan as the API shows it.
type seenPlan struct {
	ID, Name, Status string
	Protected        int64                  `json:"protected_amount"`
	Unprotected      int64                  `json:"unprotected_amount"`
	MerchantFee      struct{ Amount int64 } `json:"merchant_fee"`
	CustomerFee      struct{ Amount int64 } `json:"customer_fee"`
	Discount         struct{ Amount int64 } `json:"customer_discount"`
	Parts            []struct {
		Date             string
		Amount           int64
		DiscountedAmount int64 `json:"discounted_amount"`
	} `json:"scheduled_payments"`
}

// buy takes an order to a deferred payment.
func (s *shop) buy() string {
	w := s.w
	b := s.buyers[w.rng.IntN(len(s.buyers))]
	g := goods{pieces: 1 + w.rng.Int64N(12), price: 1 + w.rng.Int64N(pick[int64](w, 3, 100, 5000, 20000, 20000))}
	total := g.pieces * g.price
	w.orders++
	body := b.OrderBody(total)
	body["unique_id"], body["currency"], body["tax_amount"] = fmt.Sprintf("%d order %d", w.seed, w.orders), b.currency, 0
	body["order_date"] = text(s.now)
	body["items"] = []object{{
		"item_id": "1", "type": "product", "description": "Chair", "quantity": fmt.Sprint(g.pieces), "unit_price": g.price,
		"tax_rate": "0.00", "total_amount": total, "tax_amount": 0,
	}}
	order := s.post(201, "/v1/payment/orders", body).ID()
	var offered struct {
		Plans []seenPlan `json:"offered_payment_plans"`
	}
	s.post(201, "/v1/payment/offers", b.OfferBody(order)).Decode(&offered)
	var open []int
	for i, p := range offered.Plans {
		s.comparePlan(total, p)
		if p.Status == "offered" {
			open = append(open, i)
		}
	}
	if len(offered.Plans) != len(templates) {
		s.fail("%d plans were offered, want %d", len(offered.Plans), len(templates))
	}
	if len(open) == 0 {
		return "declined offer"
	}
	i := open[w.rng.IntN(len(open))]
	method, token := pick(w, "invoice", "invoice", "card", "direct_debit"), ""
	if templates[i].name == "now" && method == "direct_debit" {
		method = "card"
	}
	if w.rng.IntN(3) == 0 {
		token = map[string]string{"card": declinedCard, "direct_debit": failingMandate}[method]
	}
	var made seen
	s.post(201, "/v1/sandbox/payment_plans/"+offered.Plans[i].ID+"/accept", object{"payment_method": method, "token": token}).Decode(&made)
	d := &debt{
		id: made.ID, order: order, plan: templates[i].of(total, s.now), covered: offered.Plans[i].Protected, buyer: b, shop: s,
		method: method, token: token, created: s.now, goods: g, legacy: w.rng.IntN(3) == 0, wokenAt: s.now,
	}
	d.Authorisation, d.fee.authorisation = total, d.plan.fee
	s.debts, s.byID[d.id] = append(s.debts, d), d
	if offered.Plans[i].Unprotected > 0 {
		w.did["unprotected plan"]++
	}
	d.begin(made.Status)
	return "order by " + method
}

// begin is the state in which a debt begins.
func (d *debt) begin(status string) {
	s := d.shop
	want := []string{"accepted"}
	if d.plan.upfront() > 0 && d.method == "invoice" {
		want = []string{awaitsUpfront}
	}
	switch d.buyer.kind {
	case "real":
		want = append(want, rejected)
	case "paymentplan_offered.dp_fraud_pending_review":
		want = []string{inReview}
	case "paymentplan_offered.dp_fraud_customer_action_required":
		want = []string{actionRequired}
	}
	if !slices.Contains(want, status) {
		s.fail("%s is %s, want one of %q", d.id, status, want)
	}
	d.early = status
	switch status {
	case "accepted":
		d.accept(s.now)
	case awaitsUpfront, actionRequired:
		d.timeout = s.now.AddDate(0, 0, 14)
	}
}

// comparePlan holds a plan that is offered against the template.
func (s *shop) comparePlan(total int64, p seenPlan) {
	s.w.t.Helper()
	i := slices.IndexFunc(templates, func(t terms) bool { return t.name == p.Name })
	a := templates[i].of(total, s.now)
	want := fmt.Sprint(a.cost, a.fee, a.discount, total+a.fee)
	got := fmt.Sprint(p.MerchantFee.Amount, p.CustomerFee.Amount, p.Discount.Amount, p.Protected+p.Unprotected)
	for k, part := range a.parts {
		want += fmt.Sprint(" ", text(part.due(a.offered)), " ", a.amounts[k], " ", a.pay[k])
	}
	for _, part := range p.Parts {
		got += fmt.Sprint(" ", part.Date, " ", part.Amount, " ", part.DiscountedAmount)
	}
	if got != want {
		s.fail("the plan %s for %d:\n got %s\nwant %s", p.Name, total, got, want)
	}
}

// set changes settings that may change at any time.
func (s *shop) set() string {
	switch s.w.rng.IntN(4) {
	case 0:
		s.settings.weekday = pick(s.w, "monday", "tuesday", "wednesday", "thursday", "friday")
	case 1:
		s.settings.delay = pick[int64](s.w, 0, 1, 2, 6)
	case 2:
		s.settings.invoices = !s.settings.invoices
	default:
		s.limits()
	}
	s.save()
	return "settings"
}

func (d *debt) path(action string) string {
	return "/v1/payment/deferred_payments/" + d.id + "/" + action
}

func (d *debt) sandbox(action string) string {
	return "/v1/sandbox/deferred_payments/" + d.id + "/" + action
}

// review decides on a debt that waits for it.
func (d *debt) review() string {
	s := d.shop
	outcome := pick(s.w, "accepted", "accepted", rejected, actionRequired)
	if outcome == d.early {
		return ""
	}
	s.post(200, d.sandbox("review"), object{"outcome": outcome})
	switch outcome {
	case "accepted":
		d.accept(s.now)
	case rejected:
		d.reject(s.now)
	default:
		d.early, d.timeout = actionRequired, s.now.AddDate(0, 0, 14)
	}
	return "review"
}

// pay lets the buyer transfer money, or try to.
func (d *debt) pay() string {
	s := d.shop
	open := max(d.outstanding(), d.plan.upfront()-d.repaid, d.dueBy(dayOf(s.now)))
	kind, amount := pick(s.w, "exact", "exact", "exact", "partial", "partial", "over", "failed"), max(open, 1)
	switch kind {
	case "partial":
		amount = s.w.upTo(amount)
	case "over":
		amount += s.w.upTo(5000)
	}
	if open == 0 && kind != "over" || kind == "over" && s.w.rng.IntN(2) > 0 {
		return ""
	}
	outcome := "settled"
	if kind == "failed" {
		outcome = "failed"
	}
	var made struct {
		ID, Method string
		Applied    int64 `json:"applied_amount"`
	}
	s.post(201, d.sandbox("repayments"), object{"amount": amount, "outcome": outcome}).Decode(&made)
	p := &paymentOf{id: made.ID, kind: "payment", method: made.Method, status: outcome, amount: amount, manual: true, day: dayOf(s.now)}
	if outcome == "failed" {
		d.payments = append(d.payments, p)
		return "transfer failed"
	}
	d.settle(s.now, p)
	if p.use != made.Applied {
		s.fail("%s: %d of %d were applied, want %d", d.id, made.Applied, amount, p.use)
	}
	return kind + " transfer"
}

// chargeBack takes a payment back.
func (d *debt) chargeBack() string {
	s := d.shop
	var found []*paymentOf
	for _, p := range d.payments {
		if p.status == "settled" && !p.refund {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return ""
	}
	p := found[s.w.rng.IntN(len(found))]
	s.note("%s: %d of %d paid this debt, repaid %d, credits %s", d.id, p.use, p.amount, d.repaid, d.buyer)
	s.post(200, d.sandbox("repayments/"+p.id+"/return"), nil)
	d.chargeback(s.now, p)
	if p.credit != nil {
		return "chargeback of credit"
	}
	return "chargeback"
}

// invoice sends a document of the order, mostly the invoice.
func (d *debt) invoice() string {
	s := d.shop
	kind := pick(s.w, "invoice", "invoice", "invoice", "shipping")
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	_ = form.WriteField("doc_type", kind)
	part, err := form.CreateFormFile("file", "invoice.pdf")
	if err != nil {
		s.w.t.Fatal(err)
	}
	_, _ = part.Write([]byte("%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"))
	_ = form.Close()
	c := s.Client.With("Content-Type", form.FormDataContentType())
	s.send(c, 201, "POST", "/v1/payment/orders/"+d.order+"/documents", body.String())
	d.invoiced = d.invoiced || kind == "invoice"
	return kind
}

// clawBackSome takes something back from the merchant.
func (d *debt) clawBackSome() string {
	captured := d.Protected + d.Unprotected
	if captured == 0 {
		return ""
	}
	amount := d.shop.w.upTo(captured)
	d.shop.post(201, d.sandbox("clawback"), object{"amount": amount})
	d.clawBack(d.shop.now, amount)
	return "clawback"
}

// correct is a correction of the operator.
func (d *debt) correct() string {
	s := d.shop
	type way struct {
		name, to string
		out, in  *int64
		most     int64
	}
	ways := []way{
		{"protected_captures", "unprotected_captures", &d.Protected, &d.Unprotected, d.Protected},
		{"unprotected_captures", "refunds", &d.Unprotected, &d.Refunds, d.Unprotected},
		{"clawback", "unprotected_captures", &d.Clawback, &d.Unprotected, d.Clawback},
		{"refunds", "unprotected_captures", &d.Refunds, &d.Unprotected, d.Refunds},
		{"authorisation", "voided_authorisation", &d.Authorisation, &d.Voided, d.Authorisation},
		{"unprotected_captures", "protected_captures", &d.Unprotected, &d.Protected, min(d.Unprotected, d.covered-d.Protected)},
	}
	k := ways[s.w.rng.IntN(len(ways))]
	if k.most <= 0 || d.legacy {
		return ""
	}
	amount := s.w.upTo(k.most)
	s.post(201, d.sandbox("adjustment"), object{"changes": object{k.name: -amount, k.to: amount}})
	d.adjust(s.now, k.out, k.in, amount)
	return "adjustment"
}

// postSale is an action of the merchant on the deferred payment.
func (d *debt) postSale() string {
	s, r := d.shop, d.shop.w.rng
	authorised, captured := max(0, d.Authorisation), d.Protected+d.Unprotected
	act := func(action string, amount int64, done func()) string {
		if amount <= 0 {
			return ""
		}
		var body any
		if action[len(action)-1] != 'g' { // …_remaining
			body = object{"amount": amount, "metadata": object{"step": s.w.step}}
		}
		s.post(201, d.path(action), body)
		d.touched = true
		done()
		return action
	}
	switch n := r.IntN(20); {
	case n < 7 && authorised > 0:
		amount := s.w.upTo(authorised)
		return act("capture", amount, func() { d.capture(s.now, amount) })
	case n < 9:
		return act("capture_remaining", authorised, func() { d.capture(s.now, authorised) })
	case n < 11 && s.settings.over:
		amount := authorised + s.w.upTo(d.plan.total/3+1)
		if act("capture", amount, func() { d.capture(s.now, amount) }) != "" {
			return "overcapture"
		}
	case n < 16 && captured > 0:
		amount := s.w.upTo(captured)
		return act("refund", amount, func() { d.refund(s.now, amount, "return") })
	case n < 18 && authorised > 0:
		amount := s.w.upTo(authorised)
		return act("void", amount, func() { d.release(s.now, amount, &d.Voided) })
	case n == 18:
		return act("void_remaining", authorised, func() { d.release(s.now, authorised, &d.Voided) })
	}
	return ""
}

// transfer pays a statement by one transfer.
func (s *shop) transfer() string {
	b := s.buyers[s.w.rng.IntN(len(s.buyers))]
	if b.account == "" {
		return ""
	}
	var open []seenStatement
	for _, st := range all[seenStatement](s, "/v1/payment/statements?billing_account="+b.account+"&") {
		if st.Status != "open" && st.Remaining > 0 {
			open = append(open, st)
		}
	}
	if len(open) == 0 {
		return ""
	}
	st := open[s.w.rng.IntN(len(open))]
	amount := max(1, st.Remaining+pick[int64](s.w, 0, 0, -1, -st.Remaining/2, 100))
	var made struct {
		Allocations []struct {
			Payment string `json:"deferred_payment"`
			Amount  int64
		}
		Rest int64
	}
	s.post(200, "/v1/sandbox/statements/"+st.ID+"/transfer", object{"amount": amount}).Decode(&made)
	sum := made.Rest
	for _, a := range made.Allocations {
		d := s.byID[a.Payment]
		sum += a.Amount
		if a.Amount > d.outstanding() {
			s.fail("%d of a transfer went to %s, which owes %d", a.Amount, d.id, d.outstanding())
		}
		p := &paymentOf{kind: "payment", method: "bank_transfer", amount: a.Amount, manual: true}
		d.settle(s.now, p)
		s.identify(d, p)
	}
	if sum != amount {
		s.fail("%d of a transfer of %d went somewhere: %+v", sum, amount, made)
	}
	return "statement paid"
}

// identify finds the identifier of a payment that was made elsewhere.
func (s *shop) identify(d *debt, p *paymentOf) {
	var shown seen
	s.get("/v1/payment/deferred_payments/"+d.id, &shown)
	for _, k := range shown.Payments {
		known := slices.ContainsFunc(d.payments, func(p *paymentOf) bool { return p.id == k.ID })
		if !known && k.Type == p.kind && k.Method == p.method && k.Amount == p.amount {
			p.id = k.ID
			return
		}
	}
	s.fail("%s does not show the payment of %d: %+v", d.id, p.amount, shown.Payments)
}
