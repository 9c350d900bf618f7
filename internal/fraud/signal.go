package fraud

import (
	"maps"
	"slices"
	"strings"

	"tradecredit/internal/money"
)

// The kinds of signals that are named elsewhere.
const (
	signalVelocity       = "velocity"
	signalVelocityAmount = "velocity_amount"

	countAttempted = "attempted"
	countAccepted  = "accepted"
)

// finding is what a signal sees.
type finding struct {
	fires, unseen bool
	facts         map[string]any
}

func fires(yes bool, facts map[string]any) finding {
	if !yes {
		return finding{}
	}
	return finding{fires: true, facts: facts}
}

// kind is a kind of signal: which parameters it takes and may take, and what it
// looks at. large kinds say what is large by amounts or limit_percent.
type kind struct {
	doc   string
	takes []string
	may   []string
	of    []string
	large bool
	look  func(r *Rules, s Signal, in Inputs) finding
}

// SignalKinds lists the kinds of signals.
func SignalKinds() []string { return slices.Sorted(maps.Keys(kinds)) }

// SignalDoc says what a kind of signal looks at, and its parameters.
func SignalDoc(name string) (doc string, parameters []string) {
	k := kinds[name]
	return k.doc, append(slices.Clone(k.takes), k.may...)
}

var kinds = map[string]kind{
	signalVelocity: {
		doc:   "more than more_than plans accepted with the same identifier within hours, this one included",
		takes: []string{"of", "hours", "more_than"}, may: []string{"counting"}, of: Kinds(), look: velocity,
	},
	signalVelocityAmount: {
		doc:   "plans of more than amounts accepted with the same identifier within hours, this one included",
		takes: []string{"of", "hours", "amounts"}, of: Kinds(), look: velocityAmount,
	},
	"first_order": {
		doc: "the first purchase, or one of a user registered for less than registered_days, is above amounts or limit_percent of the company's limit",
		may: []string{"amounts", "limit_percent", "registered_days"}, large: true, look: firstOrder,
	},
	"young_company": {
		doc:   "a company younger than age_days orders for more than amounts or limit_percent of its limit",
		takes: []string{"age_days"}, may: []string{"amounts", "limit_percent"}, large: true, look: youngCompany,
	},
	"delivery_country":  {doc: "the delivery goes to another country than the company's", look: deliveryCountry},
	"invoice_country":   {doc: "the invoice goes to another country than the company's", look: invoiceCountry},
	"address_countries": {doc: "delivery and invoice go to different countries", look: addressCountries},
	"phone_country":     {doc: "the phone number is of another country than the company", look: phoneCountry},
	"free_mail":         {doc: "the e-mail address is one that anybody can have (free_mail)", look: freeMail},
	"disposable_mail":   {doc: "the e-mail address is one to throw away (disposable_mail)", look: disposableMail},
	"name_mail":         {doc: "the e-mail domain has nothing of the company's name and is nobody else's of it", look: nameMail},
	"company_mail":      {doc: "the e-mail domain is another than that of the company's address in the register", look: companyMail},
	"colleague_mail":    {doc: "the e-mail domain is another than that of all other users of the organisation", look: colleagueMail},
	"shared": {
		doc:   "the identifier was seen with more than more_than other companies, at any merchant",
		takes: []string{"of", "more_than"}, of: []string{OfEmail, OfDomain, OfPhone, OfAddress}, look: shared,
	},
	"many_companies": {doc: "the user can order for more than more_than companies", takes: []string{"more_than"}, look: manyCompanies},
	"guest":          {doc: "the buyer is not registered with the merchant", look: guest},
	"declined_offers": {
		doc:   "more than more_than offers to the organisation were declined within hours",
		takes: []string{"hours", "more_than"}, look: declinedOffers,
	},
}

// window is what was seen of the signal's identifier, and whether it was counted.
func (s Signal) window(in Inputs) (Window, bool) {
	windows, ok := in.Seen[s.Of]
	return windows[s.Hours], ok
}

func velocity(_ *Rules, s Signal, in Inputs) finding {
	w, ok := s.window(in)
	if !ok {
		return finding{unseen: true}
	}
	n := w.Attempted
	if s.Counting == countAccepted {
		n = w.Accepted
	}
	return fires(n+1 > *s.MoreThan, map[string]any{"of": s.Of, "hours": s.Hours, "count": n + 1})
}

func velocityAmount(_ *Rules, s Signal, in Inputs) finding {
	w, ok := s.window(in)
	if !ok {
		return finding{unseen: true}
	}
	most, ok := s.Amounts[in.Currency]
	if !ok {
		return finding{}
	}
	sum, err := money.CheckedAdd(w.Amounts[in.Currency], in.Amount)
	return fires(err != nil || sum > most, map[string]any{"of": s.Of, "hours": s.Hours, "amount": sum, "currency": in.Currency})
}

// isLarge tells whether the order is above what the signal allows, by its amount or
// by its part of the company's limit.
func (s Signal) isLarge(in Inputs) bool {
	if most, ok := s.Amounts[in.Currency]; ok && in.Amount > most {
		return true
	}
	if in.Limit == nil || s.LimitPercent == 0 {
		return false
	}
	most, err := money.MulDivDown(*in.Limit, s.LimitPercent, 100)
	return err == nil && in.Amount > most
}

func firstOrder(_ *Rules, s Signal, in Inputs) finding {
	young := in.RegisteredDays != nil && *in.RegisteredDays < s.RegisteredDays
	facts := map[string]any{"amount": in.Amount, "earlier": in.Earlier}
	if in.RegisteredDays != nil {
		facts["registered_days"] = *in.RegisteredDays
	}
	return fires((in.Earlier == 0 || young) && s.isLarge(in), facts)
}

func youngCompany(_ *Rules, s Signal, in Inputs) finding {
	if in.CompanyDays == nil {
		return finding{}
	}
	return fires(*in.CompanyDays < s.AgeDays && s.isLarge(in), map[string]any{"age_days": *in.CompanyDays, "amount": in.Amount})
}

// differ compares two things that must both be known.
func differ(nameA, a, nameB, b string) finding {
	return fires(a != "" && b != "" && a != b, map[string]any{nameA: a, nameB: b})
}

func deliveryCountry(_ *Rules, _ Signal, in Inputs) finding {
	return differ("delivery_country", in.DeliveryCountry, "company_country", in.CompanyCountry)
}

func invoiceCountry(_ *Rules, _ Signal, in Inputs) finding {
	return differ("invoice_country", in.InvoiceCountry, "company_country", in.CompanyCountry)
}

func addressCountries(_ *Rules, _ Signal, in Inputs) finding {
	return differ("delivery_country", in.DeliveryCountry, "invoice_country", in.InvoiceCountry)
}

func phoneCountry(_ *Rules, _ Signal, in Inputs) finding {
	return differ("calling_code", in.CallingCode, "company_calling_code", callingCodes[in.CompanyCountry])
}

func freeMail(r *Rules, _ Signal, in Inputs) finding {
	return fires(slices.Contains(r.FreeMail, in.Domain), map[string]any{"domain": in.Domain})
}

func disposableMail(r *Rules, _ Signal, in Inputs) finding {
	return fires(r.disposable(in.Domain), map[string]any{"domain": in.Domain})
}

func nameMail(r *Rules, _ Signal, in Inputs) finding {
	if in.Domain == "" || r.free(in.Domain) || in.NameFits || sameDomain(in.Domain, in.CompanyDomain) {
		return finding{}
	}
	for _, d := range in.ColleagueDomains {
		if sameDomain(in.Domain, d) {
			return finding{}
		}
	}
	return fires(true, map[string]any{"domain": in.Domain})
}

func companyMail(r *Rules, _ Signal, in Inputs) finding {
	known := in.Domain != "" && in.CompanyDomain != "" && !r.free(in.CompanyDomain)
	return fires(known && !sameDomain(in.Domain, in.CompanyDomain), map[string]any{"domain": in.Domain, "company_domain": in.CompanyDomain})
}

func colleagueMail(r *Rules, _ Signal, in Inputs) finding {
	others := 0
	for _, d := range in.ColleagueDomains {
		if sameDomain(in.Domain, d) {
			return finding{}
		}
		if !r.free(d) {
			others++
		}
	}
	return fires(in.Domain != "" && others > 0, map[string]any{"domain": in.Domain, "colleague_domains": others})
}

// sameDomain tells whether two domains are the same, or one is within the other.
func sameDomain(a, b string) bool {
	return a != "" && b != "" && (a == b || strings.HasSuffix(a, "."+b) || strings.HasSuffix(b, "."+a))
}

func shared(r *Rules, s Signal, in Inputs) finding {
	if in.Shared == nil {
		return finding{unseen: true}
	}
	if s.Of == OfDomain && r.free(in.Domain) {
		return finding{}
	}
	n := in.Shared[s.Of]
	return fires(n > *s.MoreThan, map[string]any{"of": s.Of, "other_companies": n})
}

func manyCompanies(_ *Rules, s Signal, in Inputs) finding {
	return fires(in.Companies > *s.MoreThan, map[string]any{"companies": in.Companies})
}

func guest(_ *Rules, _ Signal, in Inputs) finding { return fires(in.Guest, nil) }

func declinedOffers(_ *Rules, s Signal, in Inputs) finding {
	if in.Declined == nil {
		return finding{unseen: true}
	}
	n := in.Declined[s.Hours]
	return fires(n > *s.MoreThan, map[string]any{"hours": s.Hours, "declined": n})
}
