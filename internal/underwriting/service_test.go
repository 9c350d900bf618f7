package underwriting_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/credit"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/merchant"
	"tradecredit/internal/order"
	"tradecredit/internal/underwriting"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// house is an engine on a database.
type house struct {
	t      *testing.T
	db     *db.DB
	engine *underwriting.Rules
}

func each(t *testing.T, test func(t *testing.T, h house)) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := house{t, d, underwriting.NewRules()}
		h.write(func(ctx context.Context, tx *db.Tx) error { return underwriting.EnsureDefault(ctx, tx, noon) })
		test(t, h)
	})
}

func (h house) write(fn func(ctx context.Context, tx *db.Tx) error) {
	h.t.Helper()
	ctx := context.Background()
	if err := h.db.Write(ctx, func(tx *db.Tx) error { return fn(ctx, tx) }); err != nil {
		h.t.Fatal(err)
	}
}

func application(orderID string, amount int64) underwriting.Application {
	return underwriting.Application{
		Merchant: merchant.Merchant{ID: "mer-1", Name: "Shop"}, Currency: "GBP", Amount: amount, Now: noon, OrderID: orderID, OfferID: "offr-1",
		OrganisationID: "org-1",
		Buyer:          underwriting.Buyer{CompanyID: "co-1", Country: "GB", Status: "Active", Sectors: []string{"46190"}, Email: "jo@shop.test"},
		Plans:          []underwriting.PlanTerms{{Name: "30d", Last: noon.AddDate(0, 0, 30), Instalments: 1}},
	}
}

func (h house) assess(a underwriting.Application) (out underwriting.Assessment) {
	h.t.Helper()
	h.write(func(ctx context.Context, tx *db.Tx) (err error) {
		out, err = h.engine.Assess(ctx, tx, a)
		return err
	})
	return out
}

func (h house) load(merchantID, text string) {
	h.t.Helper()
	p, err := underwriting.ParsePolicy("test.yaml", []byte(text))
	if err != nil {
		h.t.Fatal(err)
	}
	h.write(func(_ context.Context, tx *db.Tx) error {
		underwriting.Load(tx, merchantID, p, underwriting.FromOperator, noon)
		return nil
	})
}

// capped is a policy with one rule.
func capped(when string) string {
	return fmt.Sprintf("name: capped\nversion: '1'\nlimits: {default: 1000}\nrules:\n  - {code: invoice-profile, applies_to: order, when: %q}\n", when)
}

func code(a underwriting.Assessment) string {
	if a.Reason == nil {
		return ""
	}
	return a.Reason.Code
}

func TestDecisionsAreKept(t *testing.T) {
	each(t, func(t *testing.T, h house) {
		good, bad := h.assess(application("order-1", 10_000)), h.assess(application("order-2", 60_000_000))
		if good.Reason != nil || good.Plans[0] != nil || bad.Reason == nil || good.Limit != 2_500_000 {
			t.Fatalf("%+v, %+v", good, bad)
		}
		taken := application("order-1", 10_000)
		taken.PlanID = "ppln-1"
		taken.Now = noon.Add(time.Minute)
		h.assess(taken)
		question := h.assess(application("", 10_000))
		if question.Decision != "" {
			t.Errorf("of a question a record was kept: %+v", question)
		}
		h.write(func(ctx context.Context, tx *db.Tx) error {
			d, err := underwriting.GetRecord(ctx, tx, "mer-1", bad.Decision)
			if err != nil {
				return err
			}
			if d.Outcome != "declined" || d.Reason != "invoice-too-large" || d.Kind != "assess" || d.Amount != 60_000_000 || d.Offer != "offr-1" ||
				len(d.Results.Found) != 2 || d.Results.LimitRule != "default" || len(d.Results.Plans) != 1 || !d.DecidedAt.Equal(noon) {
				t.Errorf("%+v", d)
			}
			p, err := underwriting.Find(ctx, tx, "mer-1", d.Policy)
			if err != nil {
				return err
			}
			if e, err := p.Explain(d.Case); err != nil || e.Reason != d.Reason || e.Changes[0].To != int64(2_500_000) {
				t.Errorf("%+v, %v", e, err)
			}
			if _, err := underwriting.GetRecord(ctx, tx, "mer-2", bad.Decision); !errors.Is(err, db.ErrNoRows) {
				t.Errorf("another merchant sees it: %v", err)
			}
			of, err := underwriting.Records(ctx, tx, "mer-1", "order-1", 10)
			if err != nil || len(of) != 2 || of[0].Kind != "review" || of[0].Plan != "ppln-1" || of[1].ID != good.Decision {
				t.Errorf("%+v, %v", of, err)
			}
			all, err := underwriting.Records(ctx, tx, "mer-1", "", 2)
			if err != nil || len(all) != 2 {
				t.Errorf("%d, %v", len(all), err)
			}
			return err
		})
	})
}

// TestAFailedDecisionLeavesNothing: the record goes with the transaction.
func TestAFailedDecisionLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, h house) {
		ctx, undo := context.Background(), errors.New("undo")
		err := h.db.Write(ctx, func(tx *db.Tx) error {
			if _, err := h.engine.Assess(ctx, tx, application("order-1", 1)); err != nil {
				return err
			}
			return undo
		})
		if !errors.Is(err, undo) {
			t.Fatal(err)
		}
		h.write(func(ctx context.Context, tx *db.Tx) error {
			found, err := underwriting.Records(ctx, tx, "mer-1", "", 1000)
			if n := len(found); n != 0 {
				t.Errorf("%d records", n)
			}
			return err
		})
	})
}

// TestWhosePolicyCounts: a merchant's own before that of all, the last one loaded
// before earlier ones, and at once for every engine.
func TestWhosePolicyCounts(t *testing.T) {
	each(t, func(t *testing.T, h house) {
		a, other := application("order-1", 500), application("order-1", 500)
		other.Merchant.ID = "mer-2"
		want := func(step, first, second string) {
			t.Helper()
			if one, two := code(h.assess(a)), code(h.assess(other)); one != first || two != second {
				t.Errorf("%s: %q and %q, want %q and %q", step, one, two, first, second)
			}
		}
		want("default", "", "")
		h.load("mer-1", capped("order.amount > 400"))
		want("of one", "invoice-profile", "")
		h.load("", capped("order.amount > 450"))
		want("of all", "invoice-profile", "invoice-profile")
		h.load("mer-1", capped("order.amount > 600"))
		want("another of one", "", "invoice-profile")
		h.load("mer-1", capped("order.amount > 400"))
		want("the first of one again", "invoice-profile", "invoice-profile")
		// A start of the program does not undo what an operator has loaded.
		h.write(func(ctx context.Context, tx *db.Tx) error { return underwriting.EnsureDefault(ctx, tx, noon) })
		want("after a start", "invoice-profile", "invoice-profile")
		h.write(func(ctx context.Context, tx *db.Tx) error {
			of, err := underwriting.Policies(ctx, tx, "mer-1", 10)
			all, err2 := underwriting.Policies(ctx, tx, "", 10)
			if len(of) != 3 || len(all) != 2 || all[0].Origin != underwriting.FromOperator || all[1].Origin != underwriting.FromProgram || of[0].Hash != of[2].Hash {
				t.Errorf("%+v\n%+v", of, all)
			}
			return errors.Join(err, err2)
		})
	})
}

func TestHistoryCounts(t *testing.T) {
	each(t, func(t *testing.T, h house) {
		svc := &order.Service{}
		day := func(text string) *string { return &text }
		asking := ""
		for i, o := range []order.Order{
			{Status: order.StatusUnpaid, DueDate: day("2026-01-01")}, // the one that asks
			{Status: order.StatusPaid, DueDate: day("2026-08-01"), PaidDate: day("2026-08-01")},
			{Status: order.StatusPaid, DueDate: day("2026-08-01"), PaidDate: day("2026-08-02")},
			{Status: order.StatusUnpaid, DueDate: day("2026-11-10")},
			{Status: order.StatusUnpaid, DueDate: day("2026-12-10")},
			{Status: order.StatusCancelled},
		} {
			o.UniqueID, o.Currency, o.TotalAmount, o.PayMethod = fmt.Sprint("u", i), "GBP", 700, "unknown"
			o.Customer = order.Customer{Type: "registered", Organisation: "org-1", User: "user-1"}
			h.write(func(ctx context.Context, tx *db.Tx) error {
				made, err := svc.Create(ctx, tx, merchant.Merchant{ID: "mer-1"}, o, noon.AddDate(0, 0, -20))
				if asking == "" {
					asking = made.ID
				}
				return err
			})
		}
		out := h.assess(application(asking, 100))
		h.write(func(ctx context.Context, tx *db.Tx) error {
			d, err := underwriting.GetRecord(ctx, tx, "mer-1", out.Decision)
			for name, want := range map[string]int64{
				"history.orders": 4, "history.paid": 2, "history.paid_in_time": 1, "history.open": 2, "history.overdue": 1,
				"history.overdue_amount": 700, "history.max_overdue_days": 10, "history.since_days": 20, "score.value": 4,
			} {
				if d.Case.Facts[name] != want {
					t.Errorf("%s is %v, want %d", name, d.Case.Facts[name], want)
				}
			}
			return err
		})
	})
}

// TestWhatASectorOwes: what others in the sector have in use counts once their
// plans were accepted, and is looked up only by a policy that asks.
func TestWhatASectorOwes(t *testing.T) {
	each(t, func(t *testing.T, h house) {
		taken := application("order-1", 900)
		taken.PlanID = "ppln-1"
		h.assess(taken)
		h.write(func(ctx context.Context, tx *db.Tx) error {
			return credit.Reserve(ctx, tx, credit.Request{CompanyID: "co-1", MerchantID: "mer-1", Currency: "GBP", Protected: 900, Limit: 1000, Day: noon})
		})
		ask := application("order-2", 100)
		ask.Buyer.CompanyID = "co-2"
		for when, want := range map[string]string{
			"exposure.sector_in_use == 900": "invoice-profile", "exposure.all_in_use == 900": "invoice-profile",
			"order.amount > 5000 && exposure.sector_in_use > 0": "",
		} {
			h.load("mer-1", capped(when))
			out := h.assess(ask)
			h.write(func(ctx context.Context, tx *db.Tx) error {
				d, err := underwriting.GetRecord(ctx, tx, "mer-1", out.Decision)
				_, looked := d.Case.Facts["exposure.sector_in_use"]
				if code(out) != want || looked != (when == "exposure.sector_in_use == 900") {
					t.Errorf("%s: %q, looked up %v", when, code(out), looked)
				}
				return err
			})
		}
	})
}

func TestReplay(t *testing.T) {
	each(t, func(t *testing.T, h house) {
		for i := range 7 {
			h.assess(application(fmt.Sprint("order-", i), int64(100+i)))
		}
		p, err := underwriting.ParsePolicy("strict.yaml", []byte(capped("order.amount > 104")))
		if err != nil {
			t.Fatal(err)
		}
		got := underwriting.NewComparison(p)
		progress := int64(0)
		if err := underwriting.Replay(context.Background(), h.db, "mer-1", p, got, func(n int64) { progress = n }); err != nil {
			t.Fatal(err)
		}
		want := &underwriting.Comparison{
			Policy: "capped 1", Decisions: 7, NewlyDeclined: 2, LimitChanged: 5,
			DeclinedAmounts: map[string]int64{"GBP": 211}, OfferedAmounts: map[string]int64{},
			Reasons: map[string]*underwriting.ReasonCount{"invoice-profile": {Is: 2, New: 2}},
		}
		if diff := cmp.Diff(want, got); diff != "" || progress != 7 {
			t.Error(diff, progress)
		}
	})
}

// TestManyDecideAtOnce shares one engine between goroutines while policies are
// loaded; the race detector watches.
func TestManyDecideAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h house) {
		var all sync.WaitGroup
		for n := range 8 {
			all.Go(func() {
				for i := range 10 {
					a := application(fmt.Sprintf("order-%d-%d", n, i), 100)
					err := h.db.Write(context.Background(), func(tx *db.Tx) error {
						_, err := h.engine.Assess(context.Background(), tx, a)
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		h.load("mer-1", capped("order.amount > 5000"))
		all.Wait()
		h.write(func(ctx context.Context, tx *db.Tx) error {
			found, err := underwriting.Records(ctx, tx, "mer-1", "", 1000)
			if n := len(found); n != 80 {
				t.Errorf("%d records", n)
			}
			return err
		})
	})
}
