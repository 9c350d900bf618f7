package underwriting

import (
	"errors"
	"strings"
	"time"

	"tradecredit/internal/company"
	"tradecredit/internal/country"
	"tradecredit/internal/merchant"
)

var errOutOfRange = errors.New("underwriting: figures out of range")

// History is how a buyer's organisation paid this seller, by its newest orders.
// Amounts are in minor units of the application's currency.
type History struct {
	Orders, Open, Paid, PaidInTime int64
	// Overdue orders are open ones past their due date.
	Overdue, OverdueAmount, MaxOverdueDays int64
	// SinceDays is how long ago the first of the orders was made.
	SinceDays int64
}

// PlanTerms are what rules see of a plan that might be offered.
type PlanTerms struct {
	Name string
	// Last is the day of the last instalment.
	Last        time.Time
	Instalments int
	Upfront     bool
}

// OrderTerms are what rules see of an order beside its amount. The dates are
// written YYYY-MM-DD, nil when they are not given.
type OrderTerms struct {
	OrderDate, InvoiceDate, DueDate *string
	Items                           int
}

// midnight is the beginning of a day.
func midnight(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// days are the days from one midnight to another.
func days(from, to time.Time) int64 { return int64(to.Sub(from) / (24 * time.Hour)) }

// dated reads a date, and tells whether there is one.
func dated(text string) (time.Time, bool) {
	t, err := time.Parse(time.DateOnly, text)
	return t, err == nil
}

// factsOf puts down what is known of an application.
func factsOf(a Application, h History) Facts {
	today := midnight(a.Now)
	f := Facts{
		"today": today, "sandbox": a.Merchant.Environment == merchant.Sandbox,
		"merchant.id": a.Merchant.ID, "merchant.name": a.Merchant.Name,
		"exposure.in_use": a.InUse,
		"order.amount":    a.Amount, "order.currency": a.Currency, "order.items": int64(a.Order.Items),
		"buyer.email": a.Buyer.Email, "buyer.email_domain": domainOf(a.Buyer.Email),
		"history.orders": h.Orders, "history.open": h.Open, "history.paid": h.Paid, "history.paid_in_time": h.PaidInTime,
		"history.overdue": h.Overdue, "history.overdue_amount": h.OverdueAmount,
		"history.max_overdue_days": h.MaxOverdueDays, "history.since_days": h.SinceDays,
	}
	f.company(a.Buyer, today)
	f.accounts(a.Buyer, today)
	f.dates(a.Order, today)
	f.score(a.Buyer, h)
	return f
}

func (f Facts) company(b Buyer, today time.Time) {
	f["company.id"], f["company.name"], f["company.number"] = b.CompanyID, b.Name, b.Number
	f["company.country"], f["company.country_name"] = b.Country, country.Name(b.Country)
	f["company.served"] = country.IsBuyer(b.Country)
	f["company.status"], f["company.legal_form"], f["company.size"] = b.Status, b.LegalForm, strings.ToUpper(b.Size)
	f["company.sectors"], f["company.division"] = texts(b.Sectors), Division(b.Sectors)
	f["company.accounts_type"], f["company.postcode"], f["company.city"] = b.AccountsType, b.Postcode, b.City
	f["company.postcode_area"], f["company.address"] = areaOf(b.Postcode), plain(b.Address)
	f["company.leis"] = texts(b.LEIs)
	f["company.has_limit"], f["company.limit"] = b.Limit != nil, int64(0)
	if b.Limit != nil {
		f["company.limit"] = *b.Limit
	}
	f["company.age_known"], f["company.age_years"], f["company.age_days"] = b.Incorporated != nil, int64(0), int64(0)
	if b.Incorporated != nil {
		f["company.age_years"] = max(0, years(*b.Incorporated, today))
		f["company.age_days"] = max(0, days(midnight(*b.Incorporated), today))
	}
}

func (f Facts) accounts(b Buyer, today time.Time) {
	f["company.accounts_known"], f["company.accounts_age_days"], f["company.accounts_overdue_months"] = false, int64(0), int64(0)
	if t, ok := dated(b.AccountsMadeUpTo); ok {
		f["company.accounts_known"], f["company.accounts_age_days"] = true, max(0, days(t, today))
	}
	if t, ok := dated(b.AccountsDue); ok {
		f["company.accounts_overdue_months"] = max(0, months(t, today))
	}
	known := company.Financials{}
	if b.Financials != nil {
		known = *b.Financials
	}
	f["financials.known"], f["financials.currency"], f["financials.turnover"] = b.Financials != nil, known.Currency, known.Turnover
	f["financials.profit_before_tax"], f["financials.total_assets"] = known.ProfitBeforeTax, known.TotalAssets
	f["financials.current_assets"], f["financials.current_liabilities"] = known.CurrentAssets, known.CurrentLiabilities
	f["financials.total_liabilities"], f["financials.employees"] = known.TotalLiabilities, known.Employees
	f["financials.age_days"] = int64(0)
	if t, ok := dated(known.YearEnd); ok {
		f["financials.age_days"] = max(0, days(t, today))
	}
}

// dates are those of the order.
func (f Facts) dates(o OrderTerms, today time.Time) {
	f["order.invoice_in_days"], f["order.has_due_date"], f["order.due_date"], f["order.due_in_days"] = int64(0), false, "", int64(0)
	for _, text := range []*string{o.OrderDate, o.InvoiceDate} {
		if text == nil {
			continue
		}
		if t, ok := dated(*text); ok {
			f["order.invoice_in_days"] = days(today, t)
		}
	}
	if o.DueDate != nil {
		if t, ok := dated(*o.DueDate); ok {
			f["order.has_due_date"], f["order.due_date"], f["order.due_in_days"] = true, *o.DueDate, days(today, t)
		}
	}
}

func (f Facts) score(b Buyer, h History) {
	k := Known{Financials: b.Financials, History: h, AgeYears: -1, Size: strings.ToUpper(b.Size)}
	if f["company.age_known"] == true {
		k.AgeYears = f["company.age_years"].(int64)
	}
	s := ScoreOf(k)
	f["score.value"], f["score.basis"], f["score.missing"] = s.Value, s.Basis, texts(s.Missing)
	f["score.altman"], f["score.springate"] = s.Altman, s.Springate
}

// planFacts are those of a plan, on top of the facts of its order.
func planFacts(p PlanTerms, order Facts) Facts {
	today := order["today"].(time.Time)
	due := days(today, midnight(p.Last))
	return Facts{
		"plan.name": p.Name, "plan.due_in_days": due, "plan.due_date": p.Last.Format(time.DateOnly),
		"plan.credit_days": due - order["order.invoice_in_days"].(int64),
		"plan.instalments": int64(p.Instalments), "plan.upfront": p.Upfront,
	}
}

// years and months are full ones from one day to another.
func years(from, to time.Time) int64 { return months(from, to) / 12 }

func months(from, to time.Time) int64 {
	n := int64(to.Year()-from.Year())*12 + int64(to.Month()-from.Month())
	if to.Day() < from.Day() {
		n--
	}
	return n
}

// Division is the first two digits of the first of a company's sectors. The
// national classifications of Europe agree in them (NACE). It is empty when no
// sector is known.
func Division(sectors []string) string {
	if len(sectors) == 0 {
		return ""
	}
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, sectors[0])
	if len(digits) < 2 {
		return ""
	}
	return digits[:2]
}

func domainOf(email string) string {
	return strings.ToLower(email[strings.LastIndexByte(email, '@')+1:])
}

// areaOf is what a British postcode begins with.
func areaOf(postcode string) string {
	p := strings.ToUpper(strings.TrimSpace(postcode))
	end := strings.IndexFunc(p, func(r rune) bool { return r < 'A' || r > 'Z' })
	if end < 0 {
		end = len(p)
	}
	return p[:end]
}

// plain leaves the letters and digits of a text.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r > 127:
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return -1
	}, text)
}

// texts is never nil, so that it is a list in JSON.
func texts(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
