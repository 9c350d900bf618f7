package fraud

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/merchant"
	"tradecredit/internal/order"
	"tradecredit/internal/underwriting"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

const frame = `name: test
version: "1"
thresholds: {customer_action_required: 10, pending_review: 20, rejected: 30}
documents: [identity]
free_mail: [gmail.com]
disposable_mail: [mailinator.com]
signals:
`

// rules are those with these signals.
func rules(t testing.TB, signals ...string) *Rules {
	t.Helper()
	text := frame
	for _, s := range signals {
		text += "  - " + s + "\n"
	}
	r, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func number(n int64) *int64 { return &n }

// known is a buyer of whom nothing is suspicious.
func known() Inputs {
	return Inputs{
		Currency: "GBP", Amount: 100_000, CompanyCountry: "GB", DeliveryCountry: "GB", InvoiceCountry: "GB", CallingCode: "44",
		Domain: "acme.test", CompanyDomain: "acme.test", ColleagueDomains: []string{"acme.test"}, NameFits: true,
		CompanyDays: number(3000), RegisteredDays: number(400), Earlier: 3, Companies: 1,
		Declined: map[int64]int64{}, Seen: map[string]map[int64]Window{OfCompany: {}}, Shared: map[string]int64{},
	}
}

// TestSignals fires each signal by what it looks at, and not by what is just short
// of it.
func TestSignals(t *testing.T) {
	t.Parallel()
	tested := map[string]bool{}
	for name, c := range map[string]struct {
		signal string
		fires  func(in *Inputs)
		short  func(in *Inputs)
	}{
		"velocity": {"{signal: velocity, of: company, hours: 24, more_than: 2, points: 10}",
			func(in *Inputs) { in.Seen[OfCompany] = map[int64]Window{24: {Attempted: 2}} },
			func(in *Inputs) { in.Seen[OfCompany] = map[int64]Window{24: {Attempted: 1}, 168: {Attempted: 9}} }},
		"velocity of accepted": {"{signal: velocity, of: company, hours: 1, more_than: 1, counting: accepted, points: 10}",
			func(in *Inputs) { in.Seen[OfCompany] = map[int64]Window{1: {Attempted: 1, Accepted: 1}} },
			func(in *Inputs) { in.Seen[OfCompany] = map[int64]Window{1: {Attempted: 9}} }},
		"velocity_amount": {"{signal: velocity_amount, of: company, hours: 1, amounts: {GBP: 150000}, points: 10}",
			func(in *Inputs) {
				in.Seen[OfCompany] = map[int64]Window{1: {Amounts: map[string]int64{"GBP": 50_001}}}
			},
			func(in *Inputs) {
				in.Seen[OfCompany] = map[int64]Window{1: {Amounts: map[string]int64{"GBP": 50_000, "EUR": 900_000}}}
			}},
		"velocity_amount beyond all numbers": {"{signal: velocity_amount, of: company, hours: 1, amounts: {GBP: 9000000000000000000}, points: 10}",
			func(in *Inputs) {
				in.Seen[OfCompany] = map[int64]Window{1: {Amounts: map[string]int64{"GBP": 1<<63 - 1}}}
			}, func(*Inputs) {}},
		"first_order": {"{signal: first_order, amounts: {GBP: 99999}, points: 10}",
			func(in *Inputs) { in.Earlier = 0 }, func(in *Inputs) { in.Earlier, in.Amount = 0, 99_999 }},
		"first_order of the limit": {"{signal: first_order, limit_percent: 50, points: 10}",
			func(in *Inputs) { in.Earlier, in.Limit = 0, number(199_999) }, func(in *Inputs) { in.Earlier, in.Limit = 0, number(200_000) }},
		"first_order of the new": {"{signal: first_order, amounts: {GBP: 99999}, registered_days: 30, points: 10}",
			func(in *Inputs) { in.RegisteredDays = number(29) }, func(in *Inputs) { in.RegisteredDays = number(30) }},
		"young_company": {"{signal: young_company, age_days: 365, amounts: {GBP: 99999}, points: 10}",
			func(in *Inputs) { in.CompanyDays = number(364) }, func(in *Inputs) { in.CompanyDays = nil }},
		"delivery_country": {"{signal: delivery_country, points: 10}",
			func(in *Inputs) { in.DeliveryCountry = "FR" }, func(in *Inputs) { in.DeliveryCountry = "" }},
		"invoice_country": {"{signal: invoice_country, points: 10}",
			func(in *Inputs) { in.InvoiceCountry = "FR" }, func(in *Inputs) { in.InvoiceCountry = "" }},
		"address_countries": {"{signal: address_countries, points: 10}",
			func(in *Inputs) { in.InvoiceCountry = "FR" }, func(in *Inputs) { in.InvoiceCountry, in.DeliveryCountry = "FR", "FR" }},
		"phone_country": {"{signal: phone_country, points: 10}",
			func(in *Inputs) { in.CallingCode = "33" }, func(in *Inputs) { in.CallingCode = "" }},
		"free_mail": {"{signal: free_mail, points: 10}",
			func(in *Inputs) { in.Domain = "gmail.com" }, func(in *Inputs) { in.Domain = "mailinator.com" }},
		"disposable_mail": {"{signal: disposable_mail, points: 10}",
			func(in *Inputs) { in.Domain = "mailinator.com" }, func(in *Inputs) { in.Domain = "" }},
		"name_mail": {"{signal: name_mail, points: 10}",
			func(in *Inputs) { in.Domain, in.NameFits = "other.test", false },
			func(in *Inputs) {
				in.Domain, in.NameFits, in.CompanyDomain = "sales.other.test", false, ""
				in.ColleagueDomains = []string{"other.test"}
			}},
		"company_mail": {"{signal: company_mail, points: 10}",
			func(in *Inputs) { in.Domain = "notacme.test" }, func(in *Inputs) { in.Domain = "mail.acme.test" }},
		"colleague_mail": {"{signal: colleague_mail, points: 10}",
			func(in *Inputs) { in.Domain = "other.test" },
			func(in *Inputs) { in.Domain, in.ColleagueDomains = "other.test", []string{"gmail.com"} }},
		"shared": {"{signal: shared, of: email, more_than: 1, points: 10}",
			func(in *Inputs) { in.Shared[OfEmail] = 2 }, func(in *Inputs) { in.Shared[OfEmail], in.Shared[OfPhone] = 1, 7 }},
		"shared domain": {"{signal: shared, of: email_domain, more_than: 1, points: 10}",
			func(in *Inputs) { in.Shared[OfDomain] = 2 },
			func(in *Inputs) { in.Shared[OfDomain], in.Domain = 2, "gmail.com" }},
		"many_companies": {"{signal: many_companies, more_than: 2, points: 10}",
			func(in *Inputs) { in.Companies = 3 }, func(in *Inputs) { in.Companies = 2 }},
		"guest": {"{signal: guest, points: 10}", func(in *Inputs) { in.Guest = true }, func(*Inputs) {}},
		"declined_offers": {"{signal: declined_offers, hours: 24, more_than: 2, points: 10}",
			func(in *Inputs) { in.Declined[24] = 3 }, func(in *Inputs) { in.Declined[24], in.Declined[168] = 2, 9 }},
	} {
		r := rules(t, c.signal)
		tested[r.Signals[0].Signal] = true
		bad, fine := known(), known()
		c.fires(&bad)
		c.short(&fine)
		if v := r.Decide(known()); v.Score != 0 || len(v.Unseen) != 0 {
			t.Errorf("%s: a buyer like any other: %+v", name, v)
		}
		if v := r.Decide(fine); v.Score != 0 || v.Outcome != underwriting.Accepted {
			t.Errorf("%s: what is short of it: %+v", name, v)
		}
		v := r.Decide(bad)
		if v.Score != 10 || len(v.Fired) != 1 || v.Outcome != underwriting.CustomerActionRequired || v.Fired[0].Signal != r.Signals[0].Signal {
			t.Errorf("%s: %+v", name, v)
		}
	}
	for _, name := range SignalKinds() {
		if !tested[name] {
			t.Errorf("no test of %s", name)
		}
	}
}

func TestUnseen(t *testing.T) {
	t.Parallel()
	r := rules(t, "{signal: velocity, of: phone, hours: 1, more_than: 0, points: 10}", "{signal: shared, of: phone, more_than: 0, points: 10}")
	if v := r.Decide(known()); len(v.Unseen) != 1 || v.Score != 0 {
		t.Errorf("what was not counted: %+v", v)
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	r := rules(t,
		"{signal: guest, points: 10, documents: [other, bank_statement]}",
		"{signal: free_mail, points: 10, documents: [other]}", "{signal: many_companies, more_than: 1, points: 10}")
	for _, c := range []struct {
		change func(in *Inputs)
		want   underwriting.Outcome
		asked  []string
	}{
		{func(*Inputs) {}, underwriting.Accepted, nil},
		{func(in *Inputs) { in.Companies = 2 }, underwriting.CustomerActionRequired, []string{"identity"}},
		{func(in *Inputs) { in.Guest = true }, underwriting.CustomerActionRequired, []string{"bank_statement", "other"}},
		{func(in *Inputs) { in.Guest, in.Companies = true, 2 }, underwriting.PendingReview, nil},
		{func(in *Inputs) { in.Guest, in.Companies, in.Domain = true, 2, "gmail.com" }, underwriting.Rejected, nil},
		{func(in *Inputs) { in.Listed = []Listed{{ListReview, OfPhone}} }, underwriting.PendingReview, nil},
		{func(in *Inputs) { in.Listed = []Listed{{ListAllow, OfPhone}, {ListDeny, OfEmail}} }, underwriting.Rejected, nil},
		{func(in *Inputs) {
			in.Guest, in.Companies, in.Domain, in.Listed = true, 2, "gmail.com", []Listed{{ListAllow, OfCompany}}
		}, underwriting.Accepted, nil},
		{func(in *Inputs) {
			in.Guest, in.Companies, in.Domain, in.Listed = true, 2, "gmail.com", []Listed{{ListReview, OfCompany}}
		}, underwriting.Rejected, nil},
	} {
		in := known()
		c.change(&in)
		if v := r.Decide(in); v.Outcome != c.want || cmp.Diff(c.asked, v.Documents) != "" {
			t.Errorf("%+v: %+v, want %s and %v", in, v, c.want, c.asked)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	signal := func(s string) string { return frame + "  - " + s + "\n" }
	for text, want := range map[string]string{
		"":                                                                            "not one YAML document",
		"name: [":                                                                     "sequence",
		frame + "x: 1\n":                                                              "unknown field",
		frame + "name: again\n":                                                       "already defined",
		frame + "\n---\nname: b":                                                      "not one YAML document",
		signal("{signal: guest, points: 1.5}"):                                        "1.5 is no whole number",
		signal("{signal: guest, points: 2.0}"):                                        "2.0 is no whole number",
		signal("{signal: guest, points: 1e1}"):                                        "no whole number",
		signal("{signal: guest, points: '5'}"):                                        "no whole number",
		signal("{signal: guest, points: 010}"):                                        "no whole number",
		signal("{signal: guest, points: 0x10}"):                                       "no whole number",
		signal("{signal: guest, points: 1_0}"):                                        "no whole number",
		signal("{signal: guest, points: &a 1}"):                                       "anchors",
		signal("{signal: guest, points: -1}"):                                         "points are between",
		signal("{signal: guest, points: 1001}"):                                       "points are between",
		signal("{signal: gast, points: 1}"):                                           `"gast" is unknown`,
		signal("{signal: guest, hours: 1}"):                                           "hours does not belong",
		signal("{signal: many_companies}"):                                            "more_than is missing",
		signal("{signal: young_company, age_days: 3}"):                                "what is large",
		signal("{signal: guest, documents: [passport]}"):                              `"passport" is none of`,
		signal("{signal: velocity, of: company, hours: 2, more_than: 1}"):             "1, 24 or 168",
		signal("{signal: velocity, of: house, hours: 1, more_than: 1}"):               "of is one of",
		signal("{signal: velocity, of: company, hours: 1, more_than: 499}"):           "between 0 and 498",
		signal("{signal: shared, of: company, more_than: 1}"):                         "of is one of",
		signal("{signal: velocity, of: user, hours: 1, more_than: 1, counting: all}"): "counting is",
		signal("{signal: first_order, amounts: {gbp: 1}}"):                            "by currency",
		signal("{signal: guest}") + "  - {signal: guest}\n":                           "another signal has this name",
		strings.Replace(frame, "rejected: 30", "rejected: 3", 1):                      "must rise",
		strings.Replace(frame, "[identity]", "[]", 1):                                 "at least one kind",
		strings.Replace(frame, `"1"`, `""`, 1):                                        "name and version",
		strings.Repeat("#", maxText+1):                                                "longer than",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.300s\n%v, want %q", text, err, want)
		}
	}
}

// inputs are any.
func anyInputs(t *rapid.T) Inputs {
	amount := rapid.Int64Range(1, 1<<62)
	some := func(name string, values ...string) string { return rapid.SampledFrom(values).Draw(t, name) }
	in := Inputs{
		Currency: some("currency", "GBP", "EUR", "XOF"), Amount: amount.Draw(t, "amount"), Guest: rapid.Bool().Draw(t, "guest"),
		CompanyCountry: some("company", "GB", "FR", ""), DeliveryCountry: some("delivery", "GB", "US", ""),
		InvoiceCountry: some("invoice", "GB", "US", ""), CallingCode: some("code", "44", "33", "other", ""),
		Domain: some("domain", "gmail.com", "acme.test", "mailinator.com", ""), CompanyDomain: some("of the company", "acme.test", ""),
		ColleagueDomains: []string{some("of a colleague", "acme.test", "b.test")}, NameFits: rapid.Bool().Draw(t, "fits"),
		Earlier: rapid.Int64Range(0, 2).Draw(t, "earlier"), Companies: rapid.Int64Range(0, 9).Draw(t, "companies"),
		Declined: map[int64]int64{24: rapid.Int64Range(0, 9).Draw(t, "declined")},
		Seen:     map[string]map[int64]Window{}, Shared: map[string]int64{OfEmail: rapid.Int64Range(0, 9).Draw(t, "shared")},
	}
	if rapid.Bool().Draw(t, "limited") {
		in.Limit, in.CompanyDays, in.RegisteredDays = number(amount.Draw(t, "limit")), number(10), number(20)
	}
	for _, of := range Kinds() {
		n := rapid.Int64Range(0, 500).Draw(t, of)
		in.Seen[of] = map[int64]Window{1: {Attempted: n, Accepted: n / 2, Amounts: map[string]int64{in.Currency: amount.Draw(t, "seen")}}}
	}
	return in
}

var severity = map[underwriting.Outcome]int{
	underwriting.Accepted: 0, underwriting.CustomerActionRequired: 1, underwriting.PendingReview: 2, underwriting.Rejected: 3,
}

// TestMoreSignalsNeverHelp: with a signal more, no score is lower and no outcome
// milder; and the same inputs give the same verdict.
func TestMoreSignalsNeverHelp(t *testing.T) {
	t.Parallel()
	all, err := Default(merchant.Production)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		in := anyInputs(t)
		fewer := *all
		n := rapid.IntRange(0, len(all.Signals)).Draw(t, "signals")
		fewer.Signals = all.Signals[:n]
		v, w := fewer.Decide(in), all.Decide(in)
		if v.Score > w.Score || severity[v.Outcome] > severity[w.Outcome] {
			t.Fatalf("%d signals: %+v, all: %+v", n, v, w)
		}
		if diff := cmp.Diff(w, all.Decide(in)); diff != "" {
			t.Fatalf("again: %s", diff)
		}
	})
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	for _, e := range []merchant.Environment{merchant.Sandbox, merchant.Production} {
		r, err := Default(e)
		if err != nil {
			t.Fatal(err)
		}
		if v := r.Decide(known()); v.Outcome != underwriting.Accepted || v.Score != 0 || r.Name != string(e) {
			t.Errorf("%s: %+v", r, v)
		}
		// A small business with a mailbox at a large provider buys for the first time.
		in := known()
		in.Domain, in.CompanyDomain, in.ColleagueDomains, in.NameFits, in.Earlier = "gmail.com", "", nil, false, 0
		if v := r.Decide(in); v.Outcome != underwriting.Accepted {
			t.Errorf("%s: %+v", r, v)
		}
	}
	r, err := Default(merchant.Sandbox)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		if v := r.Decide(anyInputs(t)); v.Outcome != underwriting.Accepted {
			t.Fatalf("%+v", v)
		}
	})
}

func TestIdentifiers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of, a, b, country string
		same              bool
	}{
		{OfEmail, "Jo@Acme.test", " jo+shop@acme.test", "", true},
		{OfEmail, "jo@acme.test", "joe@acme.test", "", false},
		{OfEmail, "+x@acme.test", "+y@acme.test", "", false},
		{OfPhone, "+44 (0)161 496-0000", "0161 496 0000", "GB", true},
		{OfPhone, "0044 161 4960000", "+441614960000", "FR", true},
		{OfPhone, "0161 496 0000", "+33 161 496 0000", "GB", false},
		{OfDomain, "Acme.Test", "acme.test.", "", true},
		{OfCompany, "co-1", "co-2", "", false},
	} {
		a, okA := Hash("key", c.of, c.a, c.country)
		b, okB := Hash("key", c.of, c.b, c.country)
		if !okA || !okB || (a == b) != c.same {
			t.Errorf("%s %q and %q: %v %v, same: %v", c.of, c.a, c.b, okA, okB, a == b)
		}
		if other, _ := Hash("another", c.of, c.a, c.country); other == a {
			t.Errorf("%s does not depend on the key", c.of)
		}
	}
	for of, value := range map[string]string{OfEmail: "jo", OfPhone: "12 34", OfDomain: " ", OfAddress: ""} {
		if i, ok := Hash("key", of, value, "GB"); ok {
			t.Errorf("%s %q is %+v", of, value, i)
		}
	}
	a := &order.Address{AddressLine1: "1, Station-Street", Postcode: "se11 6nq", Country: "gb"}
	b := &order.Address{AddressLine1: "1 STATION STREET", Postcode: "SE116NQ", Country: "GB"}
	if addressKey(a) != addressKey(b) || addressKey(a) == "" || addressKey(nil) != "" || addressKey(&order.Address{Postcode: "1"}) != "" {
		t.Errorf("%q and %q", addressKey(a), addressKey(b))
	}
	for phone, want := range map[string]string{"+44 161 496 0000": "44", "00353 1 234 5678": "353", "0161 496 0000": "", "+999 123456": "other", "+1": ""} {
		if got := callingCode(phone); got != want {
			t.Errorf("the code of %q is %q, want %q", phone, got, want)
		}
	}
}

func TestNameFits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, domain string
		want         bool
	}{
		{"Acme Widgets Limited", "acme.co.uk", true},
		{"Acme Widgets Limited", "shop.widgets.test", true},
		{"Acme Widgets Limited", "aw-supplies.test", true},
		{"Société Générale d'Outillage", "generale.fr", true},
		{"Acme Widgets Limited", "evil.test", false},
		{"The Company Ltd", "anything.test", true},
		{"3M", "3m.com", true},
		{"Acme", "gmail.com", false},
	} {
		if got := nameFits(c.name, c.domain); got != c.want {
			t.Errorf("%s and %s: %v", c.name, c.domain, got)
		}
	}
}
