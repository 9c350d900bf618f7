package underwriting

import (
	"strings"
	"testing"
	"time"

	"tradecredit/internal/company"
)

// changed is the default policy with other parameters: pairs of a line and what
// stands in its place.
func changed(t *testing.T, pairs ...string) *Policy {
	t.Helper()
	p, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	text := p.Source
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("the default policy has no %q", pairs[i])
		}
		text = strings.Replace(text, pairs[i], pairs[i+1], 1)
	}
	if p, err = ParsePolicy("changed.yaml", []byte(text)); err != nil {
		t.Fatal(err)
	}
	return p
}

func date(text string) *string { return &text }

// good are accounts of a company in order.
func good() *company.Financials {
	return &company.Financials{
		Currency: "GBP", Turnover: 100_000_000, ProfitBeforeTax: 10_000_000, TotalAssets: 60_000_000,
		CurrentAssets: 40_000_000, CurrentLiabilities: 15_000_000, TotalLiabilities: 20_000_000,
	}
}

// TestEveryCodeFires fires every code about a buyer, an order or an invoice by
// itself, from the default policy with its parameters.
func TestEveryCodeFires(t *testing.T) {
	t.Parallel()
	far := time.Date(2028, 6, 1, 0, 0, 0, 0, time.UTC)
	none := History{}
	for _, c := range []struct {
		code   string
		change func(*Application)
		past   History
		params []string
		detail string
	}{
		{"buyer-country", func(a *Application) { a.Buyer.Country = "BR" }, none, nil, "Buyers domiciled in Brazil."},
		{"buyer-status", func(a *Application) { a.Buyer.Status = "Dissolved" }, none, nil, `"Dissolved"`},
		{"buyer-country-subdivision", func(a *Application) { a.Buyer.Postcode = "je2 3ab" }, none, nil, "Jersey."},
		{"buyer-company-type", func(a *Application) { a.Buyer.LegalForm = "Charitable incorporated organisation" }, none, nil, "Charitable incorporated organisation."},
		{"buyer-size", func(a *Application) { a.Buyer.Size = "micro" }, none, []string{"excluded_sizes: []", "excluded_sizes: [MICRO]"}, "MICRO."},
		{"buyer-sector", func(a *Application) { a.Buyer.Sectors = []string{"46190", "92000"} }, none, nil, ""},
		{"buyer-too-young", func(a *Application) { a.Buyer.Incorporated = day(2026, 1, 1) }, none, nil, "fewer than 1 years"},
		{"buyer-pre-approved", nil, none, []string{"pre_approval_required: false", "pre_approval_required: true"}, "via Shop"},
		{"common-parent", func(a *Application) { a.Buyer.LEIs = []string{"529900T8BM49AURSDO55"} }, none,
			[]string{"group_leis: []", "group_leis: [529900T8BM49AURSDO55]"}, ""},
		{"connected-companies", func(a *Application) { a.Buyer.Address = "35 Kingsland Road, London, E2 8AA" }, none,
			[]string{"own_email_domains: []", "own_email_domains: [shop.test]", "own_addresses: []", "own_addresses: [35kingslandroadlondone28aa]"}, ""},
		{"buyer-accounts", func(a *Application) { a.Buyer.AccountsType = "DORMANT" }, none, nil, "DORMANT."},
		{"buyer-accounts-overdue", func(a *Application) { a.Buyer.AccountsDue = "2026-07-01" }, none, nil, "more than 3 months"},
		{"buyer-accounts-too-old", func(a *Application) { a.Buyer.AccountsMadeUpTo = "2024-06-30" }, none, nil, "more than 730 days"},
		{"buyer-no-financials", nil, none, []string{"financials_required: false", "financials_required: true"}, ""},
		{"buyer-overdue-with-seller", nil, History{Orders: 1, Open: 1, Overdue: 1, MaxOverdueDays: 60}, nil, "60+ days"},
		{"buyer-uncreditworthy", func(a *Application) {
			a.Buyer.Financials = good()
			a.Buyer.Financials.TotalLiabilities, a.Buyer.Financials.ProfitBeforeTax = 61_000_000, -1
		}, none, nil, ""},
		{"buyer-high-risk", func(a *Application) {
			a.Buyer.Financials = &company.Financials{Currency: "GBP", TotalAssets: 100, CurrentLiabilities: 95, TotalLiabilities: 99, ProfitBeforeTax: -5}
		}, none, nil, ""},
		{"buyer-profile", func(a *Application) { a.Buyer.Incorporated, a.Amount = day(2025, 6, 1), 200_000 }, none,
			[]string{"young_amount: 50000000", "young_amount: 100000"}, ""},
		{"invoice-currency", func(a *Application) { a.Currency = "XOF" }, none, nil, "XOF."},
		{"invoice-too-large", func(a *Application) { a.Amount = 50_000_001 }, none, []string{"DEFAULT_LIMIT: 2500000", "DEFAULT_LIMIT: 99000000"}, "support@tradecredit.invalid"},
		{"invoice-too-early", func(a *Application) { a.Order.InvoiceDate = date("2026-12-21") }, none, nil, "up to 30 days"},
		{"invoice-too-late", func(a *Application) { a.Order.DueDate = date("2026-11-19") }, none, nil, "Today (2026-11-20)"},
		{"invoice-profile", nil, History{Orders: 5, Open: 5}, []string{"max_open_orders: 0", "max_open_orders: 5"}, ""},
		{"buyer-limit", func(a *Application) { a.InUse = 2_490_001 }, none, nil, ""},
		{"buyer-risk-appetite", func(a *Application) { a.InUse = 495_000 }, none, []string{"risk_appetite: 0", "risk_appetite: 500000"}, "GBP 50.00 at the moment"},
		{"buyer-high-risk-long-term", func(a *Application) { a.Plans = plans(a.Now.AddDate(0, 0, 31)) },
			History{Orders: 1, Open: 1, Overdue: 1, MaxOverdueDays: 3}, nil, "up to 30 days."},
		{"invoice-credit-terms", func(a *Application) { a.Plans = plans(far); a.Order.InvoiceDate = date("2026-09-01") }, none,
			[]string{"MAX_REMAINING_DAYS: 400", "MAX_REMAINING_DAYS: 900"}, "are 639 days"},
		{"invoice-remaining-terms", func(a *Application) { a.Plans = plans(far) }, none, []string{"MAX_CREDIT_TERMS_DAYS: 365", "MAX_CREDIT_TERMS_DAYS: 900"}, "are 559 days"},
		{"sector-accum-limit", func(a *Application) { a.Buyer.Sectors = []string{"46.90Z"} }, none, []string{"sector_cap: 0", "sector_cap: 100000"}, ""},
	} {
		p := changed(t, c.params...)
		a := application(c.change)
		a.Merchant.Name = "Shop"
		v, err := p.Decide(CaseOf(a, c.past), func(name string) (any, bool, error) {
			return int64(99_000), name == "exposure.sector_in_use", nil
		})
		if err != nil {
			t.Fatal(err)
		}
		r := v.Declined()
		if r == nil || r.Code != c.code || strings.ContainsAny(r.Detail, "{}") || !strings.Contains(r.Detail, c.detail) {
			t.Errorf("%s: %+v", c.code, r)
			continue
		}
		if found := v.results().Found; len(found) != 1 {
			t.Errorf("%s fires with others: %+v", c.code, found)
		}
		if v, err = p.Decide(CaseOf(application(nil), none), nil); err != nil || v.Declined() != nil && len(c.params) == 0 {
			t.Errorf("%s fires without its cause: %+v, %v", c.code, v.Declined(), err)
		}
	}
}

func day(y int, m time.Month, d int) *time.Time {
	t := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	return &t
}

func plans(last ...time.Time) (out []PlanTerms) {
	for _, t := range last {
		out = append(out, PlanTerms{Name: "plan", Last: t, Instalments: 1})
	}
	return out
}

// TestDefaultKnowsEveryCode fails for a code of the contract about a buyer, an
// order or an invoice that the default policy cannot give.
func TestDefaultKnowsEveryCode(t *testing.T) {
	t.Parallel()
	known := strings.Join(changed(t).RuleCodes(), " ") + " "
	for _, code := range Codes() {
		if !strings.HasPrefix(code, "seller-") && !strings.Contains(known, code+" ") {
			t.Errorf("no rule gives %s", code)
		}
	}
}

// TestLimits holds the limits of the default policy against the accounts.
func TestLimits(t *testing.T) {
	t.Parallel()
	set := int64(7)
	for name, c := range map[string]struct {
		change func(*Application)
		want   int64
		rule   string
	}{
		"nothing known":             {nil, 2_500_000, "default"},
		"set":                       {func(a *Application) { a.Buyer.Limit = &set; a.Buyer.Financials = good() }, 7, "set for the company"},
		"good accounts":             {func(a *Application) { a.Buyer.Financials = good(); a.Buyer.Financials.Turnover = 1_000_000_000 }, 20_000_000, "good accounts"},
		"at least the default":      {func(a *Application) { a.Buyer.Financials = good() }, 2_500_000, "good accounts"},
		"at most the maximum":       {func(a *Application) { a.Buyer.Financials = good(); a.Buyer.Financials.Turnover = 90_000_000_000 }, 100_000_000, "good accounts"},
		"accounts in other money":   {func(a *Application) { a.Buyer.Financials = good(); a.Buyer.Financials.Currency = "EUR" }, 2_500_000, "default"},
		"accounts of a bad company": {func(a *Application) { a.Buyer.Financials = good(); a.Buyer.Financials.CurrentLiabilities = 58_000_000 }, 625_000, "poor score"},
	} {
		v, err := changed(t).Decide(CaseOf(application(c.change), History{}), nil)
		if err != nil || v.Limit != c.want || v.LimitRule != c.rule {
			t.Errorf("%s: %d by %s, want %d by %s (%v)", name, v.Limit, v.LimitRule, c.want, c.rule, err)
		}
	}
}

// TestSandboxCompaniesAreCreditworthy holds the default policy against the
// fictional companies: those that are not there to be declined are offered what
// they are known for.
func TestSandboxCompaniesAreCreditworthy(t *testing.T) {
	t.Parallel()
	p := changed(t)
	offered, all := 0, 0
	for c := range company.Sandbox() {
		if c.Facts.Rejection != nil || c.Status != company.StatusActive {
			continue
		}
		all++
		a := application(func(a *Application) {
			a.Buyer = Buyer{CompanyID: c.ID, Country: c.Country, Status: c.Status, LegalForm: c.LegalForm, Postcode: c.Postcode,
				AccountsType: c.AccountsType, Size: c.Facts.Size, Limit: c.Facts.CreditLimit, Financials: c.Facts.Financials}
			for _, s := range c.Sectors {
				a.Buyer.Sectors = append(a.Buyer.Sectors, s.Code)
			}
			a.Plans = plans(a.Now.AddDate(0, 0, 30), a.Now.AddDate(0, 0, 122))
		})
		if v, err := p.Decide(CaseOf(a, History{}), nil); err == nil && v.Declined() == nil && v.Plans[1] == nil && v.Limit == *c.Facts.CreditLimit {
			offered++
		} else {
			t.Errorf("%s: %+v, %v", c.Name, v.Declined(), err)
		}
	}
	if all < 3000 || offered != all {
		t.Errorf("%d of %d", offered, all)
	}
}
