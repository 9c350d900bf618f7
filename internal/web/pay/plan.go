package pay

import (
	"strconv"
	"time"
)

// schedule is what the phrases about a plan are made of: its total, what is paid at once, and what is left.
type schedule struct {
	total, upfront int64
	rest           []Instalment
}

func scheduleOf(p Plan) schedule {
	var s schedule
	for _, in := range p.Instalments {
		s.total += in.Amount
		if in.Upfront {
			s.upfront += in.Amount
		} else {
			s.rest = append(s.rest, in)
		}
	}
	return s
}

// captured says whether due dates count from a capture, and so are not known yet.
func captured(r RelativeTo) bool { return r == FirstCapture || r == EveryCapture }

// planTitle is the name of a plan for buyers: "Pay in 30 days".
func (w *words) planTitle(p Plan, currency string) string {
	s := scheduleOf(p)
	switch {
	case p.Title != "":
		return p.Title
	case len(s.rest) == 0 && s.upfront > 0:
		return w.text("plan.now")
	case len(s.rest) == 1 && s.upfront > 0:
		return w.text("plan.upfront_rest", "amount", w.locale.amount(s.upfront, currency))
	case len(s.rest) > 1:
		return w.text("plan.instalments", "n", strconv.Itoa(len(p.Instalments)))
	case len(s.rest) == 0:
		return w.text("plan.later")
	}
	return w.singleTitle(p.RelativeTo, s.rest[0])
}

// singleTitle is the title of a plan with one payment, not today.
func (w *words) singleTitle(relativeTo RelativeTo, in Instalment) string {
	switch {
	case in.AfterDays != nil && captured(relativeTo):
		return w.count("plan.days_"+string(relativeTo), *in.AfterDays)
	case in.AfterDays != nil:
		return w.count("plan.days", *in.AfterDays)
	case in.EndOfMonths != nil && captured(relativeTo):
		return w.text("plan.end_of_month_capture")
	case in.EndOfMonths != nil && !in.Date.IsZero():
		return w.text("plan.end_of_month", "month", w.locale.month(in.Date))
	case captured(relativeTo) || in.Date.IsZero():
		return w.text("plan.later")
	}
	return w.text("plan.date", "date", w.locale.date(in.Date))
}

// planLead says in one sentence what the buyer pays today and later.
func (w *words) planLead(p Plan, currency string) string {
	s := scheduleOf(p)
	amount := func(minor int64) string { return w.locale.amount(minor, currency) }
	if len(s.rest) == 0 {
		return w.text("lead.now", "amount", amount(s.upfront))
	}
	first := s.rest[0]
	dated := !captured(p.RelativeTo) && !first.Date.IsZero()
	rest := amount(s.total - s.upfront)
	switch {
	case s.upfront > 0 && len(s.rest) > 1:
		return w.text("lead.upfront_many", "now", amount(s.upfront), "n", strconv.Itoa(len(s.rest)), "rest", rest)
	case s.upfront > 0 && dated:
		return w.text("lead.upfront_on", "now", amount(s.upfront), "rest", rest, "date", w.locale.date(first.Date))
	case s.upfront > 0:
		return w.text("lead.upfront_capture", "now", amount(s.upfront), "rest", rest)
	case len(s.rest) > 1 && dated:
		return w.text("lead.many_on", "n", strconv.Itoa(len(s.rest)), "total", rest,
			"amount", amount(first.Amount), "date", w.locale.date(first.Date))
	case len(s.rest) > 1:
		return w.text("lead.many_capture", "n", strconv.Itoa(len(s.rest)), "total", rest)
	case dated:
		return w.text("lead.single_on", "amount", rest, "date", w.locale.date(first.Date))
	}
	return w.text("lead.single_capture", "amount", rest)
}

// dueRule says when one instalment is due. Dates that count from a capture are a forecast until it happens, so the
// rule is shown and not the forecast.
func (w *words) dueRule(relativeTo RelativeTo, in Instalment) string {
	if in.Upfront {
		return w.text("due.today")
	}
	if !captured(relativeTo) {
		if in.Date.IsZero() {
			return w.text("due.later")
		}
		return w.text("due.on", "date", w.locale.date(in.Date))
	}
	switch {
	case in.AfterDays != nil:
		return w.count("due.days_"+string(relativeTo), *in.AfterDays)
	case in.EndOfMonths != nil && *in.EndOfMonths == 0:
		return w.text("due.month_" + string(relativeTo) + "_this")
	case in.EndOfMonths != nil:
		return w.count("due.month_"+string(relativeTo), *in.EndOfMonths)
	}
	return w.text("due." + string(relativeTo))
}

// feeLine says what the plan costs or saves, or that it costs nothing.
func (w *words) feeLine(p Plan, currency string) string {
	line := func(key string, minor int64, decimal string) string {
		amount := w.locale.amount(minor, currency)
		if share := percent(decimal); share != "" {
			return w.text(key+"_percent", "amount", amount, "percent", share)
		}
		return w.text(key, "amount", amount)
	}
	switch {
	case p.Fee > 0 && p.Discount > 0:
		return line("plan.fee", p.Fee, p.FeePercent) + ". " + line("plan.discount", p.Discount, p.DiscountPercent)
	case p.Fee > 0:
		return line("plan.fee", p.Fee, p.FeePercent)
	case p.Discount > 0:
		return line("plan.discount", p.Discount, p.DiscountPercent)
	}
	return w.text("plan.no_fees")
}

// button is the copy of the confirm button: what happens and what is paid today.
func (w *words) button(p Plan, currency string) string {
	if upfront := scheduleOf(p).upfront; upfront > 0 {
		return w.text("offered.confirm_now", "amount", w.locale.amount(upfront, currency))
	}
	return w.text("offered.confirm_later")
}

// endsSoon says until when the offer holds, once less than ten minutes are left; before that a clock would only
// hurry people.
func (w *words) endsSoon(now time.Time, plans []Plan) string {
	var earliest time.Time
	for _, p := range plans {
		if p.Declined == nil && !p.ValidUntil.IsZero() && (earliest.IsZero() || p.ValidUntil.Before(earliest)) {
			earliest = p.ValidUntil
		}
	}
	left := earliest.Sub(now)
	if earliest.IsZero() || now.IsZero() || left <= 0 || left >= 10*time.Minute {
		return ""
	}
	return w.text("offered.ends", "time", earliest.UTC().Format("15:04"))
}
