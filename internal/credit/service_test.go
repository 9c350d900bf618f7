package credit

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/exchange"
	"tradecredit/internal/merchant"
	"tradecredit/internal/underwriting"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

var today = time.Date(2026, time.March, 2, 9, 30, 0, 0, time.UTC)

// write runs f in a transaction and returns its error.
func write(d *db.DB, f func(ctx context.Context, tx *db.Tx) error) error {
	ctx := context.Background()
	return d.Write(ctx, func(tx *db.Tx) error { return f(ctx, tx) })
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// inUse is everything that is in use, by its key.
func inUse(t testing.TB, d *db.DB) map[Key]int64 {
	t.Helper()
	out := map[Key]int64{}
	must(t, write(d, func(ctx context.Context, tx *db.Tx) error {
		return List(ctx, tx, func(k Key, v int64) { out[k] = v })
	}))
	return out
}

func reserve(d *db.DB, r Request) error {
	r.CompanyID, r.MerchantID, r.Day = "co-1", "mer-1", today
	return write(d, func(ctx context.Context, tx *db.Tx) error { return Reserve(ctx, tx, r) })
}

func TestReserve(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		must(t, exchange.LoadSandbox(context.Background(), d))
		for i, c := range []struct {
			r    Request
			fits bool
		}{
			{Request{Currency: "GBP", Protected: 60_00, Limit: 100_00}, true},
			{Request{Currency: "GBP", Protected: 40_01, Limit: 100_00}, false},
			// 60 pounds are 68.3839 euros, and so 68.39 of any limit in euros.
			{Request{Currency: "EUR", Protected: 31_61, Unprotected: 10_00, Limit: 100_00, MerchantLimit: 10_00}, true},
			{Request{Currency: "EUR", Protected: 1, Limit: 100_00}, false},
			// Both parts or neither.
			{Request{Currency: "USD", Protected: 1_00, Unprotected: 1_00, Limit: 1000_00, MerchantLimit: 11_00}, false},
			{Request{Currency: "USD", Protected: 1_00, Unprotected: 1_00, Limit: 100_00, MerchantLimit: 1000_00}, false},
			// Who takes nothing of a limit may have exceeded it.
			{Request{Currency: "USD", Unprotected: 5_00, Limit: 0, MerchantLimit: 1000_00}, true},
			{Request{Currency: "USD", Protected: 7_00, Unprotected: 2_00, Limit: Unlimited, MerchantLimit: Unlimited}, true},
		} {
			if err := reserve(d, c.r); c.fits && err != nil || !c.fits && !errors.Is(err, ErrExceeded) {
				t.Errorf("%d: %v", i, err)
			}
		}
		want := map[Key]int64{
			{"", "co-1", "GBP"}: 60_00, {"", "co-1", "EUR"}: 31_61, {"mer-1", "co-1", "EUR"}: 10_00,
			{"", "co-1", "USD"}: 7_00, {"mer-1", "co-1", "USD"}: 7_00,
		}
		if diff := cmp.Diff(want, inUse(t, d)); diff != "" {
			t.Error(diff)
		}
		// What is in use cannot fall below zero.
		err := write(d, func(_ context.Context, tx *db.Tx) error {
			Move(tx, map[Key]int64{{"", "co-1", "GBP"}: -60_01})
			return nil
		})
		if err == nil {
			t.Error("less than nothing is in use")
		}
	})
}

// TestReserveWithoutRates: in one currency none is needed; across two, nothing is
// promised without.
func TestReserveWithoutRates(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		must(t, reserve(d, Request{Currency: "GBP", Protected: 1, Limit: 100}))
		must(t, reserve(d, Request{Currency: "GBP", Protected: 1, Limit: 100}))
		if err := reserve(d, Request{Currency: "EUR", Protected: 1, Limit: 100}); !errors.Is(err, ErrExceeded) {
			t.Error(err)
		}
		must(t, reserve(d, Request{Currency: "EUR", Protected: 1, Limit: Unlimited}))
	})
}

// TestReserveTogether lets many clients reserve in two currencies at once. What
// they are promised never exceeds the limit, and the last one that was refused was
// refused because there was no room.
func TestReserveTogether(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		must(t, exchange.LoadSandbox(context.Background(), d))
		// 1000 pounds, or 1139.73 euros.
		limits := map[string]int64{"GBP": 1000_00, "EUR": 1139_73}
		var clients sync.WaitGroup
		var mu sync.Mutex
		granted, refused := map[string]int64{}, 0
		start := make(chan struct{})
		for i := range 24 {
			currency, amount := "GBP", int64(70_00+i)
			if i%2 == 0 {
				currency = "EUR"
			}
			clients.Add(1)
			go func() {
				defer clients.Done()
				<-start
				err := reserve(d, Request{Currency: currency, Protected: amount, Limit: limits[currency]})
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil:
					granted[currency] += amount
				case errors.Is(err, ErrExceeded):
					refused++
				default:
					t.Error(err)
				}
			}()
		}
		close(start)
		clients.Wait()
		used := inUse(t, d)
		rates, err := exchange.Sandbox()
		must(t, err)
		total, err := sum(granted, "GBP", exchange.Of(rates...))
		must(t, err)
		if total > 1000_00 || total < 1000_00-72_00 || refused == 0 {
			t.Errorf("%v were granted, %d pence, and %d refused", granted, total, refused)
		}
		want := map[Key]int64{{"", "co-1", "GBP"}: granted["GBP"], {"", "co-1", "EUR"}: granted["EUR"]}
		for k, v := range used {
			if want[k] != v {
				t.Errorf("%v: %d in use, %d granted", k, v, want[k])
			}
		}
	})
}

// fixed is an engine that grants what the buyer has, and keeps what it was asked.
type fixed struct {
	asked  []underwriting.Application
	reason *underwriting.Reason
}

func (f *fixed) Assess(_ context.Context, _ *db.Tx, a underwriting.Application) (underwriting.Assessment, error) {
	f.asked = append(f.asked, a)
	return underwriting.Assessment{Limit: *a.Buyer.Limit, Available: max(0, *a.Buyer.Limit-a.InUse), Reason: f.reason}, nil
}

func (f *fixed) Review(context.Context, *db.Tx, underwriting.Application) (underwriting.Outcome, string, error) {
	return underwriting.Accepted, "", nil
}

func application(currency string, limit int64) underwriting.Application {
	return underwriting.Application{
		Merchant: merchant.Merchant{ID: "mer-1", Settings: merchant.Settings{MerchantLimits: true}},
		Buyer:    underwriting.Buyer{CompanyID: "co-1", Country: "GB", Limit: &limit, LimitCurrency: "GBP"},
		Currency: currency, Amount: 1, Now: today,
	}
}

// TestAssess: the engine is shown everything in the currency of the order.
func TestAssess(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		must(t, exchange.LoadSandbox(context.Background(), d))
		must(t, reserve(d, Request{Currency: "GBP", Protected: 100_00, Limit: 100_00}))
		must(t, reserve(d, Request{Currency: "USD", Unprotected: 50_00, MerchantLimit: 50_00}))
		must(t, write(d, func(_ context.Context, tx *db.Tx) error {
			SetMerchantLimit(tx, "mer-1", MerchantLimit{Currency: "EUR", Amount: 300_00, Active: true})
			return nil
		}))
		ask := func(a underwriting.Application) (s Standing) {
			must(t, write(d, func(ctx context.Context, tx *db.Tx) (err error) {
				s, err = Assess(ctx, tx, &fixed{}, a)
				return err
			}))
			return s
		}
		for currency, want := range map[string][5]int64{
			//      limit   available in use   merchant's, in use
			"GBP": {2000_00, 1900_00, 100_00, 263_22, 37_92 + 1},
			"EUR": {2279_46, 2165_48, 113_98, 300_00, 43_21 + 1},
		} {
			s := ask(application(currency, 2000_00))
			got := [5]int64{s.Limit, s.Available, s.Application.InUse, s.MerchantLimit, s.MerchantInUse}
			if got != want || s.Reason != nil {
				t.Errorf("%s: %d, want %d, %v", currency, got, want, s.Reason)
			}
		}
		a := application("EUR", 2000_00)
		a.Merchant.Settings.MerchantLimits = false
		if s := ask(a); s.MerchantLimit != 0 {
			t.Errorf("a merchant without the setting has a limit of %d", s.MerchantLimit)
		}
		a = application("EUR", 2000_00)
		a.Buyer.LimitCurrency = ""
		if s := ask(a); s.Limit != 2000_00 {
			t.Errorf("a limit of no currency became %d", s.Limit)
		}
	})
}

// TestAssessWithoutRates: what cannot be converted cannot be financed, and the
// reason says so.
func TestAssessWithoutRates(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		must(t, reserve(d, Request{Currency: "EUR", Protected: 100_00, Limit: 100_00}))
		must(t, write(d, func(ctx context.Context, tx *db.Tx) error {
			s, err := Assess(ctx, tx, &fixed{}, application("EUR", 2000_00))
			if err != nil || s.Reason == nil || s.Reason.Code != "invoice-currency" || s.Reason.Params["tx_currency"] != "EUR" || s.Application.InUse != 100_00 {
				t.Errorf("%+v, %v", s, err)
			}
			if lender, own := s.Ceilings(); lender != 0 || own != 0 {
				t.Errorf("%d and %d could be reserved", lender, own)
			}
			return nil
		}))
	})
}

// TestHistory: the limit is noted when it changes, in the currency of the
// company's country.
func TestHistory(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		must(t, exchange.LoadSandbox(context.Background(), d))
		limit := int64(100)
		engine := &fixed{}
		s := &Service{Engine: engine, Buyer: func(_ context.Context, _ *db.Tx, _, companyID string) (underwriting.Buyer, error) {
			v := limit
			return underwriting.Buyer{CompanyID: companyID, Country: "GB", Limit: &v, LimitCurrency: "GBP"}, nil
		}}
		m := merchant.Merchant{ID: "mer-1"}
		at := func(hours int, currency string) {
			t.Helper()
			must(t, write(d, func(ctx context.Context, tx *db.Tx) error {
				_, err := s.Limit(ctx, tx, m, today.Add(time.Duration(hours)*time.Hour), "co-1", currency)
				return err
			}))
		}
		history := func() (out []string) {
			must(t, write(d, func(ctx context.Context, tx *db.Tx) error {
				found, err := History(ctx, tx, "mer-1", "co-1", "GBP")
				for _, p := range found {
					to := "now"
					if p.To != nil {
						to = fmt.Sprint(p.To.Sub(today).Hours())
					}
					out = append(out, fmt.Sprintf("%v-%s %d", p.From.Sub(today).Hours(), to, p.Amount))
				}
				return err
			}))
			return out
		}
		at(0, "")
		at(1, "GBP") // unchanged
		limit = 200
		at(2, "EUR") // not its own currency
		at(3, "")
		limit = 300
		at(3, "") // what was never seen is forgotten
		engine.reason = underwriting.NewReason("buyer-sector", nil)
		at(5, "")
		at(6, "")
		if diff := cmp.Diff([]string{"3-5 300", "0-3 100"}, history()); diff != "" {
			t.Error(diff)
		}
		engine.reason = nil
		at(7, "")
		if diff := cmp.Diff([]string{"7-now 300", "3-5 300", "0-3 100"}, history()); diff != "" {
			t.Error(diff)
		}
	})
}

// TestHistoryTogether: two who see the same new limit note it once.
func TestHistoryTogether(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var clients sync.WaitGroup
		amount := int64(100)
		for i := range 8 {
			clients.Add(1)
			go func() {
				defer clients.Done()
				err := write(d, func(ctx context.Context, tx *db.Tx) error {
					return note(ctx, tx, "mer-1", "co-1", "GBP", &amount, today.Add(time.Duration(i)*time.Second))
				})
				if err != nil {
					t.Error(err)
				}
			}()
		}
		clients.Wait()
		must(t, write(d, func(ctx context.Context, tx *db.Tx) error {
			found, err := History(ctx, tx, "mer-1", "co-1", "GBP")
			if len(found) != 1 || found[0].To != nil {
				t.Errorf("%+v", found)
			}
			return err
		}))
	})
}

func TestLimitAsks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		yes := func(context.Context, *db.Tx, merchant.Merchant, string, time.Time) (bool, error) { return true, nil }
		limit := int64(100)
		s := &Service{Engine: &fixed{}, Overdue: yes, Reviewing: yes, Buyer: func(_ context.Context, _ *db.Tx, _, companyID string) (underwriting.Buyer, error) {
			if companyID != "co-1" {
				return underwriting.Buyer{}, db.ErrNoRows
			}
			return underwriting.Buyer{CompanyID: companyID, Country: "FR", Limit: &limit}, nil
		}}
		must(t, write(d, func(ctx context.Context, tx *db.Tx) error {
			l, err := s.Limit(ctx, tx, merchant.Merchant{ID: "mer-1"}, today, "co-1", "")
			want := Limit{CompanyID: "co-1", Currency: "EUR", Amount: 100, Available: 100, Actions: []string{PayOverdue, AwaitCreditReview}}
			if diff := cmp.Diff(want, l); diff != "" || err != nil {
				t.Error(diff, err)
			}
			if _, err := s.Limit(ctx, tx, merchant.Merchant{ID: "mer-1"}, today, "co-2", ""); !errors.Is(err, db.ErrNoRows) {
				t.Errorf("a company that is not there: %v", err)
			}
			return nil
		}))
	})
}
