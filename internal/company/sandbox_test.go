package company

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

var update = flag.Bool("update", false, "write docs/sandbox-companies.md")

// TestSandboxVersion: installations load the companies again when the version
// changes, so the one must not change without the other.
func TestSandboxVersion(t *testing.T) {
	t.Parallel()
	h := sha256.New()
	for c := range Sandbox() {
		data, err := c.encode(c.Name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(h, c.ID, c.Country, c.Name, data)
	}
	got := sandboxVersion + " " + hex.EncodeToString(h.Sum(nil))[:16]
	if want := "1 5953a67e368e1a8e"; got != want {
		t.Errorf("the sandbox is %q, not %q: give it a new version", got, want)
	}
}

func TestSandboxCompanies(t *testing.T) {
	t.Parallel()
	ids, numbers := map[string]string{}, map[string]string{}
	count, granted := map[string]int{}, 0
	for c := range Sandbox() {
		key := c.Country + NumberKey(c.Country, c.Number())
		for _, taken := range []string{ids[c.ID], numbers[key]} {
			if taken != "" {
				t.Errorf("%s and %s have one id or number", taken, c.Name)
			}
		}
		ids[c.ID], numbers[key] = c.Name, c.Name
		count[c.Country]++
		if c.Facts.CreditLimit != nil && c.Status == StatusActive {
			granted++
		}
		if c.Name == "" || c.City == "" || c.Address == "" || c.Postcode == "" || c.LegalForm == "" || len(c.CreationDate) != 10 {
			t.Errorf("%+v is incomplete", c)
		}
		for _, text := range []string{c.Name, c.Address} {
			if strings.Contains(text, "%!") || strings.ContainsAny(text, "#@") {
				t.Errorf("%q is not finished", text)
			}
		}
		b, err := json.Marshal(c)
		if err != nil || strings.Contains(strings.ToLower(string(b)), "facts") || strings.Contains(string(b), "credit_limit") {
			t.Errorf("%s, %v: facts are not shown", b, err)
		}
	}
	if len(count) != 8 || len(ids) < 4000 || granted*10 < len(ids)*9 {
		t.Errorf("%d companies, %d creditworthy, in %v", len(ids), granted, count)
	}
}

// TestEveryRejectionHasItsCompany goes through the table of the insurance
// document: code and names of parameters.
func TestEveryRejectionHasItsCompany(t *testing.T) {
	t.Parallel()
	byCode := map[string]Company{}
	for _, c := range Special() {
		if r := c.Facts.Rejection; r != nil {
			byCode[r.Code] = c
			if words, want := strings.ToLower(c.Name), r.Code+" ltd"; words != want {
				t.Errorf("%s is not named after %s", c.Name, r.Code)
			}
		}
	}
	table := map[string]string{
		"seller-country": "creditor_country", "seller-profile": "", "seller-status": "creditor_status",
		"seller-accounts": "creditor_accounts_type", "seller-country-subdivision": "public_subdivision",
		"seller-too-young": "MIN_CREATION_YEARS", "seller-accounts-overdue": "MAX_ACCOUNTS_OVERDUE_MONTHS",
		"seller-accounts-too-old": "MAX_AGE_LATEST_FINANCIALS", "seller-invoices-overdue": "",
		"seller-too-young-on-platform": "customer_min_registration_days platform_name", "seller-sector": "",
		"seller-company-type": "legal_form", "seller-limit": "", "buyer-too-young": "MIN_CREATION_YEARS",
		"buyer-country": "debtor_country", "buyer-profile": "", "buyer-status": "debtor_status", "buyer-company-type": "legal_form",
		"buyer-overdue-with-seller": "OVERDUE_DAYS", "buyer-accounts": "accounts_type",
		"buyer-accounts-overdue": "MAX_ACCOUNTS_OVERDUE_MONTHS", "buyer-accounts-too-old": "MAX_AGE_LATEST_FINANCIALS",
		"buyer-country-subdivision": "public_subdivision", "buyer-size": "company_size", "buyer-pre-approved": "platform_name",
		"buyer-limit": "", "buyer-no-financials": "", "buyer-uncreditworthy": "", "buyer-high-risk": "",
		"buyer-high-risk-long-term": "max_term", "buyer-sector": "", "buyer-risk-appetite": "debtor_risk_appetite tx_currency",
		"common-parent": "", "connected-companies": "", "invoice-currency": "tx_currency",
		"invoice-too-early": "future_dated_limit_days", "invoice-too-late": "today tx_due_date", "invoice-too-large": "website_email",
		"invoice-profile": "", "invoice-remaining-terms": "credit_terms_days",
		"invoice-credit-terms": "MAX_CREDIT_TERMS_DAYS credit_terms_days", "sector-accum-limit": "",
	}
	if len(byCode) != len(table) {
		t.Errorf("%d codes have a company, of %d", len(byCode), len(table))
	}
	for code, params := range table {
		c, ok := byCode[code]
		if !ok {
			t.Errorf("no company triggers %s", code)
			continue
		}
		var names []string
		for name, value := range c.Facts.Rejection.Params {
			names = append(names, name)
			if value == "" {
				t.Errorf("%s: %s is empty", code, name)
			}
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != params {
			t.Errorf("%s has the parameters %q, not %q", code, got, params)
		}
	}
}

// TestLoadSandbox: several processes may start on one database at once.
func TestLoadSandbox(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := LoadSandbox(context.Background(), d); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		want := 0
		for c := range Sandbox() {
			if want++; want%97 != 1 {
				continue
			}
			got := find(t, d, Query{Country: c.Country, Name: c.Name}, 10)
			if len(got) == 0 || got[0].ID != c.ID || *got[0].Confidence != 1000 {
				t.Errorf("%s: %q", c.Name, names(got))
			}
			if got := find(t, d, Query{Country: c.Country, Number: c.Number()}, 10); len(got) != 1 || got[0].ID != c.ID {
				t.Errorf("%s: %q", c.Number(), names(got))
			}
		}
		expectRows(t, d, int64(want))
		m := find(t, d, Query{Country: "GB", Number: "11215527"}, 1)
		if len(m) != 1 || m[0].Name != "Hokodo Ltd" || m[0].CreationDate != "2018-02-20" || len(m[0].Sectors) != 3 {
			t.Errorf("%+v", m)
		}
	})
}

func TestSandboxPage(t *testing.T) {
	t.Parallel()
	const file = "../../docs/sandbox-companies.md"
	if *update {
		if err := os.WriteFile(file, []byte(SandboxPage()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil || string(have) != SandboxPage() {
		t.Errorf("%s is not what SandboxPage makes: run this test with -args -update (%v)", file, err)
	}
}
