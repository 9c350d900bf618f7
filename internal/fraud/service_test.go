package fraud

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/merchant"
	"tradecredit/internal/underwriting"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// house is an engine on a database.
type house struct {
	t      *testing.T
	db     *db.DB
	engine *Engine
}

func each(t *testing.T, test func(t *testing.T, h house)) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(t, house{t, d, NewEngine("key")}) })
}

func (h house) write(fn func(ctx context.Context, tx *db.Tx) error) {
	h.t.Helper()
	ctx := context.Background()
	if err := h.db.Write(ctx, func(tx *db.Tx) error { return fn(ctx, tx) }); err != nil {
		h.t.Fatal(err)
	}
}

func (h house) load(merchantID string, signals ...string) *Rules {
	h.t.Helper()
	r := rules(h.t, signals...)
	h.write(func(_ context.Context, tx *db.Tx) error {
		Load(tx, merchantID, r, FromOperator, noon)
		return nil
	})
	return r
}

func application(merchantID, companyID, plan string) underwriting.Application {
	return underwriting.Application{
		Merchant: merchant.Merchant{ID: merchantID, Environment: merchant.Production}, Currency: "GBP", Amount: 1000, Now: noon,
		OrderID: "order-" + plan, PlanID: "ppln-" + plan, OrganisationID: "org-" + companyID,
		Buyer: underwriting.Buyer{CompanyID: companyID, Name: "Acme Ltd", Country: "GB", Email: "jo@acme.test"},
	}
}

func (h house) review(a underwriting.Application) (outcome underwriting.Outcome, code string) {
	h.t.Helper()
	h.write(func(ctx context.Context, tx *db.Tx) (err error) {
		outcome, code, err = h.engine.Review(ctx, tx, a)
		return err
	})
	return outcome, code
}

func (h house) of(a underwriting.Application) (d Decision) {
	h.t.Helper()
	h.write(func(ctx context.Context, tx *db.Tx) (err error) {
		d, err = OfPlan(ctx, tx, a.Merchant.ID, a.PlanID)
		return err
	})
	return d
}

// TestVelocityIsExactAtOnce: of many who accept at once, with one merchant or
// another, exactly as many as may are let through.
func TestVelocityIsExactAtOnce(t *testing.T) {
	each(t, func(t *testing.T, h house) {
		h.load("",
			"{signal: velocity, of: company, hours: 1, more_than: 3, counting: accepted, points: 20}",
			"{signal: velocity, of: email, hours: 1, more_than: 400, points: 20}")
		const all = 12
		outcomes := make([]underwriting.Outcome, all)
		var clients sync.WaitGroup
		start := make(chan struct{})
		for i := range all {
			clients.Add(1)
			go func() {
				defer clients.Done()
				<-start
				a := application(fmt.Sprintf("mer-%d", i%3), "co-1", fmt.Sprint(i))
				err := h.db.Write(context.Background(), func(tx *db.Tx) (err error) {
					outcomes[i], _, err = h.engine.Review(context.Background(), tx, a)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}()
		}
		close(start)
		clients.Wait()
		count := map[underwriting.Outcome]int{}
		for _, o := range outcomes {
			count[o]++
		}
		if diff := cmp.Diff(map[underwriting.Outcome]int{underwriting.Accepted: 3, underwriting.PendingReview: all - 3}, count); diff != "" {
			t.Error(diff)
		}
		last := application("mer-9", "co-1", "last")
		h.review(last)
		want := Window{Attempted: all, Accepted: 3, Amounts: map[string]int64{"GBP": all * 1000}}
		if diff := cmp.Diff(want, h.of(last).Inputs.Seen[OfCompany][1]); diff != "" {
			t.Error(diff)
		}
	})
}

// TestWindows: what is older than a window is not in it.
func TestWindows(t *testing.T) {
	each(t, func(t *testing.T, h house) {
		h.load("", "{signal: velocity, of: email, hours: 1, more_than: 400, points: 20}")
		for i, ago := range []time.Duration{0, 30 * time.Minute, 2 * time.Hour, 30 * time.Hour, 8 * 24 * time.Hour} {
			a := application("mer-1", fmt.Sprint("co-", i), fmt.Sprint(i))
			a.Now = noon.Add(-ago)
			h.review(a)
		}
		a := application("mer-1", "co-1", "x")
		a.Buyer.Email = "JO+x@acme.test"
		h.review(a)
		seen := h.of(a).Inputs.Seen[OfEmail]
		if seen[1].Attempted != 2 || seen[24].Attempted != 3 || seen[168].Attempted != 4 {
			t.Errorf("%+v", seen)
		}
		if shared := h.of(a).Inputs.Shared[OfEmail]; shared != 4 {
			t.Errorf("the mailbox is shared with %d", shared)
		}
		h.write(func(ctx context.Context, tx *db.Tx) error {
			if n, err := Purge(ctx, tx, noon.Add(time.Second)); n != 1 || err != nil {
				t.Errorf("%d were purged, %v", n, err)
			}
			n, err := Purge(ctx, tx, noon.AddDate(10, 0, 0))
			if n != 5+10+6 { // attempts; mailboxes and domains by company; decisions
				t.Errorf("%d were purged", n)
			}
			return err
		})
	})
}

// TestDecisionsAreKept, without what they must not hold.
func TestDecisionsAreKept(t *testing.T) {
	each(t, func(t *testing.T, h house) {
		r := h.load("mer-1", "{signal: name_mail, points: 10, documents: [bank_statement]}", "{signal: disposable_mail, points: 30}")
		asked, rejected, other := application("mer-1", "co-1", "1"), application("mer-1", "co-1", "2"), application("mer-2", "co-1", "3")
		asked.Buyer.Email, rejected.Buyer.Email, other.Buyer.Email = "secretly@other.test", "secretly@mailinator.com", "secretly@other.test"
		if o, code := h.review(asked); o != underwriting.CustomerActionRequired || code != "" {
			t.Errorf("%s %s", o, code)
		}
		if o, code := h.review(rejected); o != underwriting.Rejected || code != RejectionCode {
			t.Errorf("%s %s", o, code)
		}
		if o, _ := h.review(other); o != underwriting.Accepted {
			t.Errorf("the rules of another merchant: %s", o)
		}
		d := h.of(asked)
		if d.Rules != r.Hash || d.Amount != 1000 || d.Company != "co-1" || !d.DecidedAt.Equal(noon) || len(d.Verdict.Fired) != 1 {
			t.Errorf("%+v", d)
		}
		h.write(func(ctx context.Context, tx *db.Tx) error {
			found, err := List(ctx, tx, "mer-1", "", "rejected", 10)
			if err != nil || len(found) != 1 || found[0].Plan != rejected.PlanID {
				t.Errorf("%+v, %v", found, err)
			}
			all, err := List(ctx, tx, "mer-1", "", "", 10)
			if err != nil || len(all) != 2 {
				t.Errorf("%+v, %v", all, err)
			}
			for _, d := range all {
				text, err := db.JSON(d)
				if err != nil || strings.Contains(string(text), "secretly") {
					t.Errorf("%s, %v", text, err)
				}
			}
			kinds, err := Asked(ctx, tx, "mer-1", asked.PlanID)
			if err != nil || cmp.Diff([]string{"bank_statement"}, kinds) != "" {
				t.Errorf("asked for %v, %v", kinds, err)
			}
			if err := Ask(tx, "mer-1", asked.PlanID, []string{"identity", "other"}, noon); err != nil {
				return err
			}
			if kinds, err = Asked(ctx, tx, "mer-1", asked.PlanID); err != nil || len(kinds) != 2 {
				t.Errorf("asked again for %v, %v", kinds, err)
			}
			kinds, err = Asked(ctx, tx, "mer-1", rejected.PlanID)
			if err != nil || kinds != nil {
				t.Errorf("%v, %v", kinds, err)
			}
			_, err = Get(ctx, tx, "mer-2", d.ID)
			if !errors.Is(err, db.ErrNoRows) {
				t.Errorf("another merchant reads it: %v", err)
			}
			return nil
		})
		h.replays(r)
	})
}

// replays makes the decisions of mer-1 again.
func (h house) replays(same *Rules) {
	h.t.Helper()
	ctx := context.Background()
	again := NewComparison(same)
	if err := Replay(ctx, h.db, "mer-1", same, again); err != nil {
		h.t.Fatal(err)
	}
	if again.Decisions != 2 || again.Same != 2 || len(again.Changes) != 0 || again.Unseen != 0 {
		h.t.Errorf("with the same rules: %+v", again)
	}
	strict := rules(h.t, "{signal: name_mail, points: 30}", "{signal: velocity, of: user, hours: 1, more_than: 0, points: 30}")
	changed := NewComparison(strict)
	if err := Replay(ctx, h.db, "mer-1", strict, changed); err != nil {
		h.t.Fatal(err)
	}
	want := map[string]*Change{
		"customer_action_required → rejected": {1, map[string]int64{"GBP": 1000}},
		"rejected → accepted":                 {1, map[string]int64{"GBP": 1000}},
	}
	if diff := cmp.Diff(want, changed.Changes); diff != "" || changed.Unseen != 2 {
		h.t.Errorf("%s\n%+v", diff, changed)
	}
}

func TestLists(t *testing.T) {
	each(t, func(t *testing.T, h house) {
		h.load("", "{signal: guest, points: 1}")
		put := func(e Entry) {
			h.write(func(_ context.Context, tx *db.Tx) error { return Put(tx, "key", e) })
		}
		ask := func(merchantID, companyID, email, plan string) underwriting.Outcome {
			a := application(merchantID, companyID, plan)
			a.Buyer.Email = email
			o, _ := h.review(a)
			return o
		}
		put(Entry{List: ListDeny, Of: OfEmail, Value: "Bad+1@acme.test", AddedAt: noon})
		put(Entry{List: ListReview, Of: OfDomain, Value: "odd.test", AddedAt: noon.Add(1000)})
		put(Entry{Merchant: "mer-1", List: ListDeny, Of: OfCompany, Value: "co-7", AddedAt: noon, Note: "chargebacks"})
		for i, c := range []struct {
			merchant, company, email string
			want                     underwriting.Outcome
		}{
			{"mer-1", "co-1", "bad@acme.test", underwriting.Rejected}, {"mer-1", "co-1", "good@acme.test", underwriting.Accepted},
			{"mer-2", "co-1", "x@odd.test", underwriting.PendingReview}, {"mer-1", "co-7", "x@a.test", underwriting.Rejected},
			{"mer-2", "co-7", "x@a.test", underwriting.Accepted},
		} {
			if got := ask(c.merchant, c.company, c.email, fmt.Sprint(i)); got != c.want {
				t.Errorf("%+v: %s", c, got)
			}
		}
		h.write(func(ctx context.Context, tx *db.Tx) error {
			found, err := Entries(ctx, tx, "", 10)
			if err != nil || len(found) != 2 || found[0].Value != "b…@acme.test" || found[1].Value != "odd.test" {
				t.Errorf("%+v, %v", found, err)
			}
			gone, err := Remove(ctx, tx, "key", "", OfEmail, "bad@ACME.test")
			again, _ := Remove(ctx, tx, "key", "", OfEmail, "bad@ACME.test")
			if !gone || again {
				t.Errorf("removed: %v, again: %v", gone, again)
			}
			return err
		})
		if got := ask("mer-1", "co-1", "bad@acme.test", "9"); got != underwriting.Accepted {
			t.Errorf("off the list: %s", got)
		}
		for _, e := range []Entry{
			{List: "grey", Of: OfEmail, Value: "a@b.c"}, {List: ListDeny, Of: OfAddress, Value: "x"},
			{List: ListDeny, Of: OfPhone, Value: "0161 496 0000"}, {List: ListDeny, Of: OfEmail, Value: "nobody"},
			{List: ListDeny, Of: OfCompany, Value: "co-1", Note: strings.Repeat("x", 1001)},
		} {
			h.write(func(_ context.Context, tx *db.Tx) error {
				if err := Put(tx, "key", e); err == nil {
					t.Errorf("%.100v is taken", e)
				}
				return nil
			})
		}
	})
}

func TestRulesThatCount(t *testing.T) {
	each(t, func(t *testing.T, h house) {
		find := func(merchantID, hash string) (r *Rules) {
			h.write(func(ctx context.Context, tx *db.Tx) (err error) {
				r, err = Find(ctx, tx, merchantID, hash)
				return err
			})
			return r
		}
		for range 2 {
			for _, e := range []merchant.Environment{merchant.Sandbox, merchant.Production} {
				h.write(func(ctx context.Context, tx *db.Tx) error { return EnsureDefault(ctx, tx, e, noon) })
				if r := find("mer-1", ""); r.Name != string(e) {
					t.Errorf("%s decides in %s", r, e)
				}
			}
		}
		own := h.load("mer-1", "{signal: guest}")
		every := h.load("", "{signal: free_mail}")
		h.write(func(ctx context.Context, tx *db.Tx) error { return EnsureDefault(ctx, tx, merchant.Sandbox, noon) })
		if a, b, c := find("mer-1", ""), find("mer-2", ""), find("mer-1", every.Hash); a.Hash != own.Hash || b.Hash != every.Hash || c.Hash != every.Hash {
			t.Errorf("%s, %s, %s", a.Hash, b.Hash, c.Hash)
		}
		h.write(func(ctx context.Context, tx *db.Tx) error {
			all, err := AllLoaded(ctx, tx, "", 10)
			if len(all) != 5 || all[0].Hash != every.Hash || all[0].Origin != FromOperator {
				t.Errorf("%+v", all)
			}
			return err
		})
	})
}
