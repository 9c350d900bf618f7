package underwriting

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	p := changed(t)
	for name, c := range map[string]struct {
		change func(*Application)
		reason string
		want   []Change
	}{
		"offered": {nil, "", []Change{}},
		"too large": {func(a *Application) { a.Amount = 2_600_000 }, BuyerLimit, []Change{
			{"buyer-limit", "order.amount", int64(2_600_000), int64(2_500_000), true},
			{"buyer-limit", "exposure.available", int64(2_500_000), int64(2_600_000), true},
		}},
		"too young": {func(a *Application) { a.Buyer.Incorporated = day(2026, 1, 1) }, "buyer-too-young", []Change{
			{"buyer-too-young", "company.age_known", true, false, true},
			{"buyer-too-young", "company.age_years", int64(0), int64(1), true},
			{"buyer-too-young", "params.MIN_CREATION_YEARS", int64(1), int64(0), true},
		}},
		"two reasons": {func(a *Application) { a.Buyer.Incorporated = day(2026, 1, 1); a.Currency = "XOF" }, "buyer-too-young", []Change{
			{"buyer-too-young", "company.age_known", true, false, false},
			{"buyer-too-young", "company.age_years", int64(0), int64(1), false},
			{"buyer-too-young", "params.MIN_CREATION_YEARS", int64(1), int64(0), false},
		}},
		"all plans too long": {func(a *Application) { a.Plans = plans(a.Now.AddDate(0, 0, 370), a.Now.AddDate(0, 0, 390)) }, "invoice-credit-terms", []Change{
			{"invoice-credit-terms", "params.MAX_CREDIT_TERMS_DAYS", int64(365), int64(370), true},
			{"invoice-credit-terms", "plan.credit_days", int64(370), int64(365), true},
		}},
		"one plan too long": {func(a *Application) { a.Plans = plans(a.Now.AddDate(0, 0, 370), a.Now.AddDate(0, 0, 30)) }, "", []Change{}},
		"marked":            {func(a *Application) { a.Buyer.RejectionCode = "buyer-sector" }, "buyer-sector", []Change{}},
	} {
		e, err := p.Explain(CaseOf(application(c.change), History{}))
		if err != nil || e.Reason != c.reason || (e.Outcome == OutcomeDeclined) != (c.reason != "") {
			t.Errorf("%s: %s %s, %v", name, e.Outcome, e.Reason, err)
		}
		if diff := cmp.Diff(c.want, e.Changes); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if !e.Marked && len(e.Rules) < 25 {
			t.Errorf("%s: %d rules", name, len(e.Rules))
		}
	}
}

// TestExplainNamesValues holds the values that a rule saw against the case.
func TestExplainNamesValues(t *testing.T) {
	t.Parallel()
	e, err := changed(t).Explain(CaseOf(application(nil), History{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range e.Rules {
		if r.Rule == "buyer-limit" {
			want := map[string]any{"order.amount": int64(10000), "exposure.available": int64(2_500_000)}
			if diff := cmp.Diff(want, r.Values); diff != "" {
				t.Error(diff)
			}
		}
	}
}

// TestSmallestAmount: the amount that an explanation names is offered and the
// next larger one is not.
func TestSmallestAmount(t *testing.T) {
	t.Parallel()
	p := changed(t)
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.Int64Range(0, 60_000_000).Draw(t, "limit")
		a := application(func(a *Application) {
			a.Buyer.Limit = &limit
			a.InUse = rapid.Int64Range(0, 1_000_000).Draw(t, "in use")
			a.Amount = rapid.Int64Range(1, 120_000_000).Draw(t, "amount")
		})
		e, err := p.Explain(CaseOf(a, History{}))
		if err != nil {
			t.Fatal(err)
		}
		room := min(max(0, limit-a.InUse), 50_000_000)
		if (e.Outcome == OutcomeOffered) != (a.Amount <= room) {
			t.Fatalf("%d of %d: %s", a.Amount, room, e.Outcome)
		}
		if e.Outcome == OutcomeOffered || room == 0 {
			return
		}
		if x := e.Changes[0]; x.Name != "order.amount" || x.To != room || !x.Enough {
			t.Fatalf("%+v, want %d", x, room)
		}
	})
}

func TestNearest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.Int64().Draw(t, "from")
		bound := rapid.Int64Range(-1<<60, 1<<60).Draw(t, "bound")
		above := rapid.Bool().Draw(t, "above")
		ok := func(n int64) bool { return n >= bound == above }
		if ok(from) || from > 1<<60 || from < -1<<60 {
			return
		}
		want := bound
		if !above {
			want = bound - 1
		}
		if got, found := nearest(from, ok); !found || got != want {
			t.Fatalf("%d, %v, want %d", got, found, want)
		}
	})
	if _, found := nearest(5, func(int64) bool { return false }); found {
		t.Error("found nothing")
	}
}

// TestCasesSurviveJSON: a decision made again on what was stored comes out the
// same.
func TestCasesSurviveJSON(t *testing.T) {
	t.Parallel()
	p := changed(t)
	a := application(func(a *Application) {
		a.Buyer.Financials, a.Buyer.Sectors = good(), []string{"46190"}
		a.Plans = plans(a.Now.AddDate(0, 0, 30), a.Now.AddDate(2, 0, 0))
	})
	c := CaseOf(a, History{Orders: 3, Paid: 2, PaidInTime: 1})
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var again Case
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, again, cmp.Comparer(func(a, b Decimal) bool { return a.Cmp(b.Decimal) == 0 })); diff != "" {
		t.Error(diff)
	}
	one, err := p.Decide(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	two, err := p.Decide(again, nil)
	if diff := cmp.Diff(one.results(), two.results()); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for _, f := range Inputs() {
		if _, known := c.Facts[f.Name]; !known && f.After == "" && f.Name != "exposure.all_in_use" && f.Name != "exposure.sector_in_use" {
			t.Errorf("%s is declared and never known", f.Name)
		}
		if v, known := c.Plans[0][f.Name]; f.After == "plan" && (!known || v == nil) {
			t.Errorf("%s is declared and never known", f.Name)
		}
	}
	if err := json.Unmarshal([]byte(`{"facts":{"order.amount":"x"}}`), &again); err == nil {
		t.Error("a text was taken for an amount")
	}
}

func TestComparison(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	old, strict := changed(t), changed(t, "MAX_AMOUNT: 50000000", "MAX_AMOUNT: 5000", "MIN_CREATION_YEARS: 1", "MIN_CREATION_YEARS: 0",
		"DEFAULT_LIMIT: 2500000", "DEFAULT_LIMIT: 2400000", "MAX_CREDIT_TERMS_DAYS: 365", "MAX_CREDIT_TERMS_DAYS: 100")
	c := NewComparison(strict)
	limit := int64(9000)
	for _, change := range []func(*Application){
		func(a *Application) { a.Amount = 5001 },                                                             // newly declined
		func(a *Application) { a.Amount, a.Currency = 7000, "EUR" },                                          // newly declined
		func(a *Application) { a.Amount, a.Buyer.Incorporated = 100, day(2026, 10, 1) },                      // newly offered
		func(a *Application) { a.Amount, a.Buyer.Incorporated = 6000, day(2026, 10, 1) },                     // another reason
		func(a *Application) { a.Amount, a.Plans = 1, plans(now.AddDate(0, 0, 30), now.AddDate(0, 0, 200)) }, // other plans
		func(a *Application) { a.Amount = 1 },                                                                // another limit
		func(a *Application) { a.Amount, a.Buyer.Limit = 1, &limit },                                         // the same
		func(a *Application) { a.Buyer.RejectionCode = "buyer-profile"; a.Buyer.Limit = &limit },             // the same
	} {
		a := application(change)
		stored := CaseOf(a, History{})
		v, err := old.Decide(stored, nil)
		if err != nil {
			t.Fatal(err)
		}
		is, err := strict.Decide(stored, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.Add(keep("dec-1", a, old, stored, v), is)
	}
	want := &Comparison{
		Policy: "default 1", Decisions: 8, Same: 2, NewlyDeclined: 2, NewlyOffered: 1, ReasonChanged: 1, PlansChanged: 1, LimitChanged: 1,
		DeclinedAmounts: map[string]int64{"GBP": 5001, "EUR": 7000}, OfferedAmounts: map[string]int64{"GBP": 100},
		Reasons: map[string]*ReasonCount{
			"invoice-too-large": {Is: 3, New: 3}, "buyer-too-young": {Was: 2, Lost: 2}, "buyer-profile": {Was: 1, Is: 1},
		},
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
}
