package company

import (
	"context"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"

	"tradecredit/internal/db"
)

// sandboxVersion names the companies that Sandbox makes. A test fails when they
// change and it does not: running installations load them again only then.
const sandboxVersion = "1"

// companiesPerCountry is how many fictional companies every country has, beside
// the special ones.
const companiesPerCountry = 500

// LoadSandbox makes the fictional companies of the sandbox known. It does nothing
// when they are already.
func LoadSandbox(ctx context.Context, d *db.DB) error {
	return Load(ctx, d, SourceSandbox, sandboxVersion, Sandbox())
}

// Sandbox returns the fictional companies of the sandbox: the two of the
// reference documents, one for every reason of rejection, and several thousand
// of eight countries, most of them creditworthy. They are the same every time.
func Sandbox() iter.Seq[Company] {
	return func(yield func(Company) bool) {
		for _, c := range Special() {
			if !yield(c) {
				return
			}
		}
		for _, l := range lands() {
			for c := range l.companies() {
				if !yield(c) {
					return
				}
			}
		}
	}
}

// Special returns the companies of the sandbox that are there for a purpose:
// those of the reference documents and those that are rejected.
func Special() []Company {
	out := []Company{
		{
			Country: "GB", Name: "Hokodo Ltd", Address: "35 Kingsland Road, London, E2 8AA", City: "London",
			Postcode: "E2 8AA", LegalForm: "Private limited with share capital", CreationDate: "2018-02-20",
			Sectors:     []Sector{{"SIC2007", "64999"}, {"SIC2007", "62012"}, {"SIC2007", "66220"}},
			Identifiers: []Identifier{{RegNumber, "GB", "11215527"}},
		},
		{
			Country: "GB", Name: "Hokodo Services Ltd", Address: "35 Kingsland Road, London, E2 8AA", City: "London",
			Postcode: "E2 8AA", LegalForm: "Private limited with share capital", CreationDate: "2018-05-09",
			Sectors: []Sector{}, Identifiers: []Identifier{{RegNumber, "GB", "11351988"}},
		},
	}
	limit := int64(10_000_000)
	for i := range out {
		out[i].AccountsType = "SMALL"
		out[i].Facts = Facts{CreditLimit: &limit, Currency: "GBP", Size: "SMALL"}
	}
	for i, r := range rejections() {
		out = append(out, rejected(i, r))
	}
	for i := range out {
		out[i].ID = ID(out[i].Country, out[i].Number())
		if out[i].Status == "" {
			out[i].Status = StatusActive
		}
	}
	return out
}

// rejected returns the company named after a reason of rejection.
func rejected(i int, r Rejection) Company {
	parts := strings.Split(r.Code, "-")
	for j, p := range parts {
		parts[j] = strings.ToUpper(p[:1]) + p[1:]
	}
	c := Company{
		Country: "GB", Name: strings.Join(parts, "-") + " Ltd", City: "London", Postcode: "EC1A 1AA",
		Address:   fmt.Sprintf("%d Refusal Row, London, EC1A 1AA", i+1),
		LegalForm: "Private limited with share capital", CreationDate: "2005-06-01", AccountsType: "SMALL",
		Sectors:     []Sector{{"SIC2007", "82990"}},
		Identifiers: []Identifier{{RegNumber, "GB", fmt.Sprintf("990000%02d", i+1)}},
		Facts:       Facts{Rejection: &r, Currency: "GBP", Size: "SMALL"},
	}
	// The company looks the way the sentence says, as far as that can be shown.
	switch strings.TrimPrefix(strings.TrimPrefix(r.Code, "buyer-"), "seller-") {
	case "status":
		c.Status = r.Params["debtor_status"] + r.Params["creditor_status"]
	case "accounts":
		c.AccountsType = r.Params["accounts_type"] + r.Params["creditor_accounts_type"]
	case "company-type":
		c.LegalForm = r.Params["legal_form"]
	case "size":
		c.Facts.Size = r.Params["company_size"]
	case "no-financials":
		c.AccountsType = "NO ACCOUNTS FILED"
	}
	return c
}

// rejections are the reasons of the insurance document's table, in its order,
// with parameters for their sentences.
func rejections() []Rejection {
	params := func(pairs ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(pairs); i += 2 {
			m[pairs[i]] = pairs[i+1]
		}
		return m
	}
	return []Rejection{
		{"seller-country", params("creditor_country", "Ireland")},
		{"seller-profile", nil},
		{"seller-status", params("creditor_status", "Dissolved")},
		{"seller-accounts", params("creditor_accounts_type", "DORMANT")},
		{"seller-country-subdivision", params("public_subdivision", "Northern Ireland")},
		{"seller-too-young", params("MIN_CREATION_YEARS", "2")},
		{"seller-accounts-overdue", params("MAX_ACCOUNTS_OVERDUE_MONTHS", "3")},
		{"seller-accounts-too-old", params("MAX_AGE_LATEST_FINANCIALS", "730")},
		{"seller-invoices-overdue", nil},
		{"seller-too-young-on-platform", params("platform_name", "the platform", "customer_min_registration_days", "30")},
		{"seller-sector", nil},
		{"seller-company-type", params("legal_form", "Community interest company")},
		{"seller-limit", nil},
		{"buyer-too-young", params("MIN_CREATION_YEARS", "2")},
		{"buyer-country", params("debtor_country", "Ireland")},
		{"buyer-profile", nil},
		{"buyer-status", params("debtor_status", "Dissolved")},
		{"buyer-company-type", params("legal_form", "Charitable incorporated organisation")},
		{"buyer-overdue-with-seller", params("OVERDUE_DAYS", "30")},
		{"buyer-accounts", params("accounts_type", "DORMANT")},
		{"buyer-accounts-overdue", params("MAX_ACCOUNTS_OVERDUE_MONTHS", "3")},
		{"buyer-accounts-too-old", params("MAX_AGE_LATEST_FINANCIALS", "730")},
		{"buyer-country-subdivision", params("public_subdivision", "Northern Ireland")},
		{"buyer-size", params("company_size", "MICRO")},
		{"buyer-pre-approved", params("platform_name", "the platform")},
		{"buyer-limit", nil},
		{"buyer-no-financials", nil},
		{"buyer-uncreditworthy", nil},
		{"buyer-high-risk", nil},
		{"buyer-high-risk-long-term", params("max_term", "30 days")},
		{"buyer-sector", nil},
		{"buyer-risk-appetite", params("tx_currency", "GBP", "debtor_risk_appetite", "5,000.00")},
		{"common-parent", nil},
		{"connected-companies", nil},
		{"invoice-currency", params("tx_currency", "JPY")},
		{"invoice-too-early", params("future_dated_limit_days", "14")},
		{"invoice-too-late", params("today", "2026-01-15", "tx_due_date", "2026-01-14")},
		{"invoice-too-large", params("website_email", "support@example.com")},
		{"invoice-profile", nil},
		{"invoice-remaining-terms", params("credit_terms_days", "180")},
		{"invoice-credit-terms", params("credit_terms_days", "180", "MAX_CREDIT_TERMS_DAYS", "120")},
		{"sector-accum-limit", nil},
	}
}

// companies returns the fictional companies of a country.
func (l land) companies() iter.Seq[Company] {
	return func(yield func(Company) bool) {
		r := rand.New(rand.NewPCG(uint64(l.code[0])<<8|uint64(l.code[1]), 2026))
		taken := map[string]bool{}
		for i := 0; i < companiesPerCountry; {
			c := l.company(r, i)
			if key := nameKey(words(c.Name)); taken[key] {
				continue
			} else {
				taken[key] = true
			}
			i++
			if !yield(c) {
				return
			}
		}
	}
}

func pick[T any](r *rand.Rand, from []T) T { return from[r.IntN(len(from))] }

func (l land) company(r *rand.Rand, i int) Company {
	form, city := pick(r, l.forms), pick(r, l.cities)
	name := fmt.Sprintf(pick(r, l.patterns), pick(r, l.names), pick(r, l.trades))
	c := Company{
		Country: l.code, City: city.name, Postcode: city.postcode(r), LegalForm: form.full,
		CreationDate: fmt.Sprintf("%d-%02d-%02d", 1975+r.IntN(48), 1+r.IntN(12), 1+r.IntN(28)),
		Sectors:      []Sector{{l.system, pick(r, l.sectors)}},
		Identifiers:  []Identifier{{RegNumber, l.code, l.number(i)}},
		Email:        "accounts@" + strings.Join(fold(name), "-") + ".example",
		Status:       StatusActive, AccountsType: "SMALL",
	}
	if form.first {
		c.Name = form.short + " " + name
	} else {
		c.Name = name + " " + form.short
	}
	c.Address = l.address(fmt.Sprintf(pick(r, l.streets), 1+r.IntN(180)), c.Postcode, c.City)
	c.ID = ID(l.code, c.Number())
	c.Facts = l.facts(r)
	// A few are there to be turned down.
	switch {
	case i%40 == 17:
		c.Facts = Facts{Currency: l.currency, Size: "SMALL", Rejection: &Rejection{Code: "buyer-uncreditworthy"}}
	case i%50 == 23:
		c.Status = "Dissolved"
	}
	return c
}

// facts are those of a creditworthy company.
func (l land) facts(r *rand.Rand) Facts {
	size := pick(r, []string{"MICRO", "SMALL", "SMALL", "MEDIUM", "LARGE"})
	scale := map[string]int64{"MICRO": 300_000_00, "SMALL": 2_500_000_00, "MEDIUM": 20_000_000_00, "LARGE": 120_000_000_00}[size]
	percent := func(of int64, from, to int64) int64 { return of / 100 * (from + r.Int64N(to-from)) }
	turnover := percent(scale, 50, 150)
	assets := percent(turnover, 40, 90)
	current := percent(assets, 45, 75)
	f := &Financials{
		Currency: l.currency, Turnover: turnover, ProfitBeforeTax: percent(turnover, 3, 14), TotalAssets: assets,
		CurrentAssets: current, CurrentLiabilities: percent(current, 35, 75), Employees: 1 + turnover/12_000_000,
	}
	f.TotalLiabilities = f.CurrentLiabilities + percent(assets-current, 5, 40)
	limit := max(turnover/200/100_000*100_000, 25_000_00)
	return Facts{CreditLimit: &limit, Currency: l.currency, Size: size, Financials: f}
}
