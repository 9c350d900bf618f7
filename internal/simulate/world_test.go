package simulate

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"tradecredit/internal/api/apitest"
	"tradecredit/internal/app"
	"tradecredit/internal/app/apptest"
	"tradecredit/internal/company"
	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
	"tradecredit/internal/money"
	"tradecredit/internal/offer"
)

// currencies are those in which the buyers buy, each in one of them.
var currencies = []string{"GBP", "EUR", "USD"}

// settings are those of a merchant that matter here. Percentages are in hundredths.
type settings struct {
	weekday                string
	delay, fixed, relative int64
	gross, invoices, over  bool
	expiry, attempts, gap  int64
	writeOff               int64 // 0 for never
}

// shop is a merchant with its books as they should be.
type shop struct {
	*apitest.Client
	w        *world
	name     string
	settings settings
	now      time.Time
	start    time.Time
	buyers   []*buyer
	debts    []*debt
	byID     map[string]*debt
	items    []*item
	payouts  []*payout
	carried  map[string]int64
	history  []string
}

// buyer is an organisation that buys.
type buyer struct {
	*apptest.Shop
	shop     *shop
	currency string
	kind     string // what its e-mail address says
	account  string // billing account
	credits  []*credit
}

// world is a number of merchants that share their buyers' companies.
type world struct {
	t      testing.TB
	server *apptest.Server
	rng    *rand.Rand
	seed   uint64
	shops  []*shop
	step   int
	did    map[string]int
	orders int
}

// companies are those that buy beside the sandbox's special ones. Their limits are
// low enough to be reached.
const companies = 9

func companyName(n int) string { return fmt.Sprintf("Simulated Purchases %c Ltd", 'A'+n) }

func theCompanies() iter.Seq[company.Company] {
	return func(yield func(company.Company) bool) {
		for n := range companies {
			limit := int64(400_000)
			number := fmt.Sprintf("7700%04d", n)
			ok := yield(company.Company{
				ID: company.ID("GB", number), Country: "GB", Name: companyName(n), Address: "1 Station Street, London", City: "London", Postcode: "SE11 6NQ",
				LegalForm: "Private limited with share capital", CreationDate: "2009-02-20", Status: company.StatusActive, AccountsType: "SMALL",
				Sectors:     []company.Sector{{System: "SIC2007", Code: "62012"}},
				Identifiers: []company.Identifier{{Type: company.RegNumber, Country: "GB", Value: number}},
				Facts:       company.Facts{CreditLimit: &limit, Currency: currencies[n%len(currencies)], Size: "SMALL"},
			})
			if !ok {
				return
			}
		}
	}
}

// newWorld starts the program with merchants on a database.
func newWorld(t testing.TB, d *db.DB, seed uint64, merchants int) *world {
	w := &world{t: t, seed: seed, rng: rand.New(rand.NewPCG(seed, 28)), did: map[string]int{}}
	w.server = apptest.Start(t, d, nil)
	if err := company.Load(context.Background(), d, company.SourceSandbox, "simulate", theCompanies()); err != nil {
		t.Fatal(err)
	}
	for n := range merchants {
		w.open(d, n)
	}
	return w
}

// open opens a shop with its terms, settings and buyers.
func (w *world) open(d *db.DB, n int) {
	ctx := context.Background()
	made, err := app.CreateMerchant(ctx, d, merchant.New{Name: fmt.Sprint("Shop ", n), Profile: merchant.BNPL, Environment: merchant.Sandbox}, w.server.Clock.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	s := &shop{w: w, Client: w.server.Client(made), name: fmt.Sprint("shop ", n), now: w.server.Clock.Now(), byID: map[string]*debt{}, carried: map[string]int64{}}
	w.shops = append(w.shops, s)
	for _, t := range templates[4:] {
		err := d.Write(ctx, func(tx *db.Tx) error {
			_, err := offer.AddTemplate(ctx, tx, made.ID, t.template(), w.server.Clock.Now())
			return err
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	s.settings = settings{
		weekday: pick(w, "monday", "tuesday", "wednesday", "thursday", "friday"), delay: pick[int64](w, 0, 0, 1, 3, 5),
		gross: w.rng.IntN(3) == 0, invoices: w.rng.IntN(2) == 0, over: w.rng.IntN(2) == 0, expiry: pick[int64](w, 28, 28, 10, 0),
		attempts: 1 + w.rng.Int64N(4), gap: 1 + w.rng.Int64N(4), writeOff: pick[int64](w, 0, 60, 120),
	}
	if n == 0 {
		s.settings.expiry, s.settings.over = 28, true
	}
	s.limits()
	s.save()
	// The years have a leap day in them.
	s.start = time.Date(2026, time.Month(4+w.rng.IntN(20)), 1+w.rng.IntN(31), 6+w.rng.IntN(14), 5, 0, 0, time.UTC)
	s.post(200, "/v1/sandbox/clock", object{"now": s.start.Format(time.RFC3339)})
	s.now = s.start
	for i := range 4 {
		s.hire(n, i)
	}
	s.put("/v1/payment/merchant_limits/default", object{"currency": "GBP", "limit": 150_000, "is_active": true})
}

// hire gives the shop a buyer.
func (s *shop) hire(n, i int) {
	kind := pick(s.w, "paymentplan_offered.dp_fraud_accepted", "paymentplan_offered.dp_fraud_accepted", "real", "paymentplan_offered.dp_fraud_pending_review", "paymentplan_offered.dp_fraud_customer_action_required")
	if i < 2 {
		kind = "paymentplan_offered.dp_fraud_accepted"
	}
	c := (n + 2*i) % companies
	b := &buyer{shop: s, kind: kind, currency: currencies[c%len(currencies)]}
	b.Shop = s.w.server.ShopOf(s.Client, apptest.Buyer{Company: companyName(c), Email: fmt.Sprintf("%s.%d.%d@buyer.example", kind, n, i)})
	if i%2 == 0 {
		period := pick(s.w, "7d", "14d", "1m")
		b.account = s.post(201, "/v1/payment/billing_accounts", object{
			"organisations": []string{b.Organisation}, "emails": object{"to": []string{"a@buyer.example"}, "cc": []string{}}, "payment_terms": period,
		}).ID()
	}
	s.buyers = append(s.buyers, b)
}

// template is the template as an operator adds it.
func (t terms) template() offer.Template {
	percent := func(hundredths int64) money.Percent {
		return money.MustPercent(fmt.Sprintf("%d.%02d", hundredths/100, hundredths%100))
	}
	out := offer.Template{
		Name: t.name, RelativeTo: t.from, Methods: []string{"card", "direct_debit", "invoice"}, Countries: []string{},
		MerchantFee: offer.MerchantFee{Percentage: percent(t.merchantFee), Fixed: t.fixed},
		CustomerFee: percent(t.customerFee), CustomerDiscount: percent(t.discount),
	}
	for _, p := range t.parts {
		rule := offer.InstallmentRule{Percentage: percent(p.percent), Upfront: p.upfront()}
		switch days, months := int(p.days), int(p.months); {
		case days >= 0:
			rule.DueAfterDays = &days
		case months >= 0:
			rule.DueEndOfMonths = &months
		default:
			rule.Methods = []string{"card", "invoice"}
		}
		out.Installments = append(out.Installments, rule)
	}
	return out
}

// limits draws how much of the payouts is kept back.
func (s *shop) limits() {
	s.settings.fixed = pick[int64](s.w, 0, 0, 0, 5_000, 60_000)
	s.settings.relative = pick[int64](s.w, 0, 0, 0, 250, 1500)
}

// save sends the settings.
func (s *shop) save() {
	orNull := func(days int64) any {
		if days == 0 {
			return nil
		}
		return days
	}
	structure := "net_of_fees"
	if s.settings.gross {
		structure = "gross_of_fees"
	}
	x := s.settings
	s.patch("/v1/sandbox/merchant", object{
		"payout_weekday": x.weekday, "payout_delay_days": x.delay, "payout_structure": structure, "invoice_required": x.invoices,
		"minimum_balance": object{"fixed": x.fixed, "relative": fmt.Sprintf("%d.%02d", x.relative/100, x.relative%100)},
		"overcaptures":    x.over, "expiry_days": orNull(x.expiry), "collection_attempts": x.attempts, "collection_gap_days": x.gap,
		"write_off_days": orNull(x.writeOff), "offer_valid_days": 7,
	})
}

type object map[string]any

func (s *shop) post(status int, path string, body any) *apitest.Response {
	s.w.t.Helper()
	return s.send(s.Client, status, http.MethodPost, path, body)
}

func (s *shop) put(path string, body any) *apitest.Response {
	s.w.t.Helper()
	return s.send(s.Client, 200, http.MethodPut, path, body)
}

func (s *shop) patch(path string, body any) *apitest.Response {
	s.w.t.Helper()
	return s.send(s.Client, 200, http.MethodPatch, path, body)
}

func (s *shop) get(path string, into any) {
	s.w.t.Helper()
	s.send(s.Client, 200, http.MethodGet, path, nil).Decode(into)
}

// send makes a request that must have this answer. Now and then one that makes
// something is repeated, with its key, and must be answered again as it was.
func (s *shop) send(c *apitest.Client, status int, method, path string, body any) *apitest.Response {
	s.w.t.Helper()
	repeat := method == http.MethodPost && status == 201 && s.w.rng.IntN(6) == 0
	if repeat {
		s.w.orders++
		c = c.With("Idempotency-Key", fmt.Sprint("key ", s.w.seed, s.name, s.w.orders))
	}
	r := c.Do(method, path, body)
	if method != http.MethodGet {
		text, _ := json.Marshal(body)
		s.note("%s %s %s", strings.TrimPrefix(path, "/v1/"), text[:min(len(text), 120)], r.Body[:min(len(r.Body), 60)])
	}
	if r.Status != status {
		s.fail("%s %s: %d, want %d\n%s", method, path, r.Status, status, r.Body)
	}
	if repeat {
		again := c.Do(method, path, body)
		s.w.did["repeated request"]++
		if again.Status != status || string(again.Body) != string(r.Body) || again.Header.Get("Idempotency-Replayed") != "true" {
			s.fail("%s repeated: %d %s, first %s", path, again.Status, again.Body, r.Body)
		}
	}
	return r
}

// note keeps what was done, for whoever looks into a failure.
func (s *shop) note(format string, args ...any) {
	s.history = append(s.history, fmt.Sprintf("  %d %s %s", s.w.step, s.now.Format(time.DateTime), fmt.Sprintf(format, args...)))
}

// fail ends the test with what does not fit.
func (s *shop) fail(format string, args ...any) {
	s.w.t.Helper()
	what := fmt.Sprintf(format, args...)
	var led []string
	for _, line := range s.history {
		for _, d := range s.debts {
			if strings.Contains(what, d.id) && (strings.Contains(line, d.id) || strings.Contains(line, d.order)) {
				led = append(led, line)
			}
		}
	}
	s.w.t.Fatalf("seed %d, step %d, %s at %s: %s\nsettings %+v\nwhat led to it:\n%s\nlast:\n%s", s.w.seed, s.w.step, s.name, s.now.Format(time.DateTime), what, s.settings,
		strings.Join(led, "\n"), strings.Join(s.history[max(0, len(s.history)-8):], "\n"))
}

// pick draws one of several values.
func pick[T any](w *world, values ...T) T { return values[w.rng.IntN(len(values))] }

// upTo draws an amount from 1 to most.
func (w *world) upTo(most int64) int64 {
	if w.rng.IntN(5) == 0 {
		return most
	}
	return 1 + w.rng.Int64N(most)
}
