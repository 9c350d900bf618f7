package pay

// notice fills the view of every state but Offered: what happened, why, and what to do next.
func (w *words) notice(v *view, p Page) {
	switch p.State {
	case UnknownLink:
		v.Lead = []string{w.text("unknown_link.lead"), w.text("unknown_link.hint")}
	case Failure:
		w.failure(v, p)
	case Declined, Rejected:
		w.refusal(v, p)
	case Expired, Cancelled, OrderChanged:
		w.outdated(v, p)
	default:
		w.result(v, p)
	}
}

// link is an action, or nil when there is no address to lead to.
func link(text, url string) *action {
	if url == "" {
		return nil
	}
	return &action{Text: text, URL: url}
}

func (w *words) failure(v *view, p Page) {
	v.Alert = true
	v.Lead = []string{w.text("failure.lead")}
	if p.RequestID != "" {
		v.RequestID = w.text("failure.request", "id", p.RequestID)
	}
	v.Primary = link(w.text("failure.again"), p.Links.Self)
	v.Secondary = link(w.text("step.other_method"), p.Links.Failure)
}

func (w *words) refusal(v *view, p Page) {
	neutralKey := "reason.neutral"
	if p.State == Rejected {
		neutralKey = "reason.neutral_order"
	}
	v.Lead = []string{w.text(string(p.State) + ".lead")}
	if reason := w.buyerReason(p.Reason, neutralKey); reason != w.text(neutralKey) {
		v.Reason = reason // the neutral sentence would only repeat the heading
	}
	v.SoftCheck = p.SoftCheck
	v.Steps = w.nextSteps(p)
	v.Primary = link(w.text("step.other_method"), p.Links.Failure)
	if p.Links.Cancel != p.Links.Failure {
		v.Secondary = link(w.text("return", "seller", p.Seller.Name), p.Links.Cancel)
	}
}

func (w *words) outdated(v *view, p Page) {
	newOffer := "expired.new_offer"
	switch {
	case p.State == OrderChanged && p.Change != nil && p.Change.OldTotal != p.Change.NewTotal:
		v.Lead = []string{w.text("order_changed.amounts", "seller", p.Seller.Name,
			"old", w.locale.amount(p.Change.OldTotal, p.Order.Currency),
			"new", w.locale.amount(p.Change.NewTotal, p.Order.Currency))}
		newOffer = "order_changed.new_offer"
	case p.State == OrderChanged:
		v.Lead = []string{w.text("order_changed.other", "seller", p.Seller.Name)}
		newOffer = "order_changed.new_offer"
	default:
		v.Lead = []string{w.text(string(p.State)+".lead", "seller", p.Seller.Name)}
	}
	back := link(w.text("return", "seller", p.Seller.Name), p.Links.Cancel)
	v.Primary, v.Secondary = link(w.text(newOffer), p.Links.NewOffer), back
	if v.Primary == nil {
		v.Primary, v.Secondary = back, nil
	}
}

// result fills the states in which a deferred payment exists.
func (w *words) result(v *view, p Page) {
	r := p.Result
	v.Lead = w.resultLead(p)
	v.Details = w.resultDetails(p)
	if r.Plan != nil && (p.State == Accepted || p.State == AlreadyConfirmed && tone(p) == "ok") {
		v.Schedule = w.scheduleRows(*r.Plan, p.Order.Currency)
	}
	for _, task := range r.Tasks {
		v.Tasks = append(v.Tasks, taskView{
			Text: w.taskText(task.Kind), State: string(task.State), StateText: w.text("task." + string(task.State)), URL: task.URL,
		})
	}
	if p.State == ActionRequired && p.Upload != nil {
		v.Upload = w.upload(*p.Upload)
	}
	if p.State == PendingReview {
		v.Received = p.Received
	}
	back := p.Links.Success
	if p.State == AlreadyConfirmed && r.Status == string(Rejected) {
		back = p.Links.Failure
	}
	v.Primary = link(w.text("return", "seller", p.Seller.Name), back)
	if v.Upload != nil {
		// The documents come first.
		v.Primary, v.Secondary = nil, v.Primary
	}
	if p.State == PendingReview {
		v.Primary = link(w.text("continue", "seller", p.Seller.Name), back)
	}
}

func (w *words) resultLead(p Page) []string {
	r := p.Result
	state := string(p.State)
	byEmail := func() string {
		if r.Email == "" {
			return w.text(state + ".no_email")
		}
		return w.text(state+".email", "email", r.Email)
	}
	switch p.State {
	case PendingReview:
		if len(p.Received) > 0 {
			return []string{w.text("pending_review.received"), w.text("pending_review.lead"), byEmail() + " " + w.text("pending_review.again")}
		}
		return []string{w.text("pending_review.lead"), byEmail() + " " + w.text("pending_review.again")}
	case ActionRequired:
		if p.Upload != nil {
			return []string{w.text("customer_action_required.lead"), w.text("customer_action_required.here")}
		}
		return []string{w.text("customer_action_required.lead"), byEmail()}
	case PendingPayment:
		return []string{w.text("pending_payment.lead", "amount", w.locale.amount(r.Transfer.Amount, p.Order.Currency))}
	case AlreadyConfirmed:
		switch r.Status {
		case string(PendingReview), string(ActionRequired), string(PendingPayment), string(Rejected):
			return []string{w.text("already_confirmed." + r.Status)}
		}
		return []string{w.text("already_confirmed.lead")}
	}
	lead := w.text("accepted.lead_later", "seller", p.Seller.Name)
	if r.Plan != nil {
		if upfront := scheduleOf(*r.Plan).upfront; upfront > 0 {
			lead = w.text("accepted.lead_today", "amount", w.locale.amount(upfront, p.Order.Currency), "seller", p.Seller.Name)
		}
	}
	if r.Email != "" {
		lead += " " + w.text("accepted.email", "email", r.Email)
	}
	return []string{lead}
}

// resultDetails is the summary list: the deferred payment's number and choices, or where to send the money.
func (w *words) resultDetails(p Page) []row {
	r := p.Result
	var rows []row
	add := func(key, value string, strong bool) {
		if value != "" {
			rows = append(rows, row{Term: w.text(key), Value: value, Strong: strong})
		}
	}
	if t := r.Transfer; t != nil && p.State == PendingPayment {
		add("pending_payment.amount", w.locale.amount(t.Amount, p.Order.Currency), true)
		add("pending_payment.reference", t.Reference, true)
		add("pending_payment.account_name", t.AccountName, false)
		add("pending_payment.sort_code", t.SortCode, false)
		add("pending_payment.account_number", t.AccountNumber, false)
		add("pending_payment.iban", t.IBAN, false)
		add("pending_payment.bic", t.BIC, false)
		return rows
	}
	add("result.number", r.Number, true)
	add("result.company", p.Company, false)
	if r.Plan != nil {
		add("result.plan", w.planTitle(*r.Plan, p.Order.Currency), false)
	}
	if r.Method != "" {
		add("result.method", w.text("method."+string(r.Method)), false)
	}
	return rows
}

// taskText is the name of a task; kinds without copy are "another document".
func (w *words) taskText(kind string) string {
	switch kind {
	case "bank_statements", "financial_statements", "proof_of_identity", "director_confirmation", "company_details":
		return w.text("task." + kind)
	}
	return w.text("task.other")
}
