package payout

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tradecredit/internal/calendar"
	"tradecredit/internal/deferred"
	"tradecredit/internal/merchant"
	"tradecredit/internal/money"
)

func TestComputeExamples(t *testing.T) {
	t.Parallel()
	net, gross := Terms{Structure: "net_of_fees"}, Terms{Structure: "gross_of_fees"}
	kept := net
	kept.Fixed, kept.Relative = 1000, money.MustPercent("5")
	for name, c := range map[string]struct {
		items       []Figure
		adjustments []int64
		terms       Terms
		unpaid      int64
		want        Figures
		held        []int
	}{
		"nothing": {terms: net},
		"net":     {items: []Figure{{1100, 100}, {1100, 100}}, terms: net, want: Figures{ItemsAmount: 2200, Fees: 200, Amount: 2000}},
		"gross":   {items: []Figure{{1100, 100}, {1100, 100}}, terms: gross, want: Figures{ItemsAmount: 2200, Fees: 200, Amount: 2200}},
		// The example of the reference, with what is withheld among the items.
		"the reference": {
			items: []Figure{{12000, 1000}, {2000, 200}}, adjustments: []int64{500, 500}, terms: kept, unpaid: 10000,
			want: Figures{ItemsAmount: 14000, AdjustmentsAmount: 1000, Fees: 1000, Withheld: 2000, Amount: 12000}, held: []int{1},
		},
		"relative": {
			items: []Figure{{500, 0}, {600, 0}, {700, 0}}, terms: kept, unpaid: 25000,
			want: Figures{ItemsAmount: 1800, Withheld: 1300, Amount: 500}, held: []int{2, 1},
		},
		"carried": {
			items: []Figure{{1000, 10}, {-3000, -30}}, adjustments: []int64{-100}, terms: net,
			want: Figures{ItemsAmount: -2000, Fees: -20, AdjustmentsAmount: 1980, Amount: 0, Carried: 2080},
		},
		// What is given back comes out of what would be withheld.
		"a return": {
			items: []Figure{{1500, 0}, {-1000, 0}, {400, 0}}, terms: kept,
			want: Figures{ItemsAmount: 900, Withheld: 400, Amount: 500}, held: []int{2},
		},
	} {
		got, _, held, err := Compute(c.items, c.adjustments, c.terms, c.unpaid)
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil || !slices.Equal(held, c.held) {
			t.Errorf("%s: %v, held %v: %s", name, err, held, diff)
		}
	}
}

func TestComputeProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Int64Range(-100_000, 100_000)
		items := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Figure {
			return Figure{amount.Draw(t, "amount"), rapid.Int64Range(-2000, 2000).Draw(t, "fees")}
		}), 0, 30).Draw(t, "items")
		adjustments := rapid.SliceOfN(amount, 0, 4).Draw(t, "adjustments")
		terms := Terms{
			Structure: rapid.SampledFrom(merchant.PayoutStructures).Draw(t, "structure"),
			Fixed:     rapid.Int64Range(0, 200_000).Draw(t, "fixed"),
		}
		terms.Relative, _ = money.NewPercent(rapid.Int64Range(0, 10_000).Draw(t, "relative"))
		f, minimum, held, err := Compute(items, adjustments, terms, rapid.Int64Range(0, 1_000_000).Draw(t, "unpaid"))
		if err != nil {
			t.Fatal(err)
		}
		var all, paid, fees, given, withheld int64
		for n, i := range items {
			all += i.Amount
			if slices.Contains(held, n) {
				withheld += i.Amount
				if i.Amount <= 0 {
					t.Fatalf("withheld %+v", i)
				}
				continue
			}
			paid, fees = paid+i.Amount, fees+i.Fees
		}
		for _, a := range adjustments {
			given += a
		}
		net := paid + given
		if terms.Structure == "net_of_fees" {
			net -= fees
		}
		want := Figures{ItemsAmount: all, AdjustmentsAmount: given + max(0, -net), Fees: fees, Withheld: withheld, Amount: max(0, net), Carried: max(0, -net)}
		if f != want {
			t.Fatalf("got %+v, want %+v", f, want)
		}
		if withheld > 0 && f.Carried > 0 {
			t.Fatalf("something is withheld and something owed: %+v", f)
		}
		if minimum.Actual != max(minimum.Fixed, minimum.Relative) {
			t.Fatalf("minimum %+v", minimum)
		}
		// Nothing is withheld beyond what is needed: without the oldest of what is
		// held, the balance is not reached.
		if len(held) > 0 && withheld-items[held[len(held)-1]].Amount >= minimum.Actual {
			t.Fatalf("%d withheld for %d", withheld, minimum.Actual)
		}
	})
}

func TestComputeOverflows(t *testing.T) {
	t.Parallel()
	big := []Figure{{math.MaxInt64, 0}, {math.MaxInt64, 0}}
	if _, _, _, err := Compute(big, nil, Terms{Structure: "net_of_fees"}, 0); err == nil {
		t.Error("more than 64 bits were added up")
	}
	if _, err := NewWithholding(Terms{}, 0, Sums{Items: math.MaxInt64, Adjustments: 1}); err == nil {
		t.Error("more than 64 bits were paid")
	}
}

func TestItemTypes(t *testing.T) {
	t.Parallel()
	entry := func(kind, origin string) deferred.Entry {
		return deferred.Entry{Event: deferred.Event{Type: kind, Origin: origin}}
	}
	for _, c := range []struct {
		entry  deferred.Entry
		amount int64
		want   string
	}{
		{entry("capture", ""), 1, Fulfillment}, {entry("capture", "fulfill"), 1, Fulfillment},
		{entry("refund", ""), -1, Return}, {entry("refund", "return"), -1, Return},
		{entry("refund", "discount"), -1, Discount}, {entry("refund", "cancel"), -1, Cancellation},
		{entry("clawback", ""), -1, Reversal}, {entry("adjustment", ""), 5, OtherItem},
		{entry("", ""), 1, Settlement}, {entry("", ""), -1, Chargeback},
	} {
		if got := itemType(c.entry, c.amount); got != c.want {
			t.Errorf("%+v %d: %s, want %s", c.entry, c.amount, got, c.want)
		}
	}
}

// TestItemsSumUp: whatever happens, the items of a payment sum to what its
// merchant is owed.
func TestItemsSumUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(1, 100_000).Draw(t, "total")
		state, err := deferred.New(total, rapid.Int64Range(0, total).Draw(t, "protected"), 0, deferred.StatusAccepted)
		if err != nil {
			t.Fatal(err)
		}
		state.MerchantFeeSum = rapid.Int64Range(0, total/10).Draw(t, "fee")
		p := deferred.Payment{State: state, MerchantID: "mer-1", ID: "defpay-1", Currency: "GBP"}
		var sum, fees int64
		seen := map[string]bool{}
		for n := range rapid.IntRange(1, 20).Draw(t, "steps") {
			h := deferred.Happening{Before: p, ID: "evt-" + string(rune('a'+n)), Now: time.Unix(0, 0)}
			action := rapid.SampledFrom([]deferred.Action{
				deferred.ActionCapture, deferred.ActionCapture, deferred.ActionRefund, deferred.ActionClawback, deferred.ActionVoid, "",
			}).Draw(t, "action")
			amount := rapid.Int64Range(1, total).Draw(t, "amount")
			if action == "" {
				next, err := deferred.ApplySettlement(p.State, amount, 0)
				if err != nil {
					continue
				}
				p.State = next
			} else {
				e, err := deferred.Decide(p.State, deferred.Settings{}, deferred.Command{Action: action, Amount: amount, Version: deferred.V2})
				if err != nil {
					continue
				}
				p.State, h.Entry.Event = p.Apply(e), e
			}
			h.After = p
			if i, ok := ItemOf(h); ok {
				if seen[i.ID] {
					t.Fatalf("%s twice", i.ID)
				}
				seen[i.ID] = true
				sum, fees = sum+i.Amount, fees+i.Fees
			}
		}
		if sum != p.ForMerchant() || fees != p.MerchantFee() {
			t.Fatalf("items of %d and fees of %d for %d and %d", sum, fees, p.ForMerchant(), p.MerchantFee())
		}
	})
}

func date(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

func TestTimetable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		weekday            string
		delay              int64
		country            string
		created, wantFirst string
	}{
		"a Monday":                          {"thursday", 0, "GB", "2026-03-02", "2026-03-05"},
		"a Wednesday":                       {"thursday", 0, "GB", "2026-03-04", "2026-03-05"},
		"on the day the run is over":        {"thursday", 0, "GB", "2026-03-05", "2026-03-12"},
		"two business days":                 {"thursday", 2, "GB", "2026-03-03", "2026-03-05"},
		"three":                             {"thursday", 3, "GB", "2026-03-03", "2026-03-12"},
		"Christmas moves the run":           {"friday", 0, "GB", "2026-12-23", "2026-12-29"},
		"and only there":                    {"thursday", 0, "GB", "2026-12-23", "2026-12-24"},
		"a Saturday run is on Monday":       {"saturday", 0, "GB", "2026-03-06", "2026-03-09"},
		"an item of the moved day waits":    {"saturday", 0, "GB", "2026-03-09", "2026-03-16"},
		"of the weekend it does not":        {"saturday", 0, "GB", "2026-03-08", "2026-03-09"},
		"a long delay":                      {"thursday", 90, "GB", "2026-03-02", "2026-07-16"},
		"leap day":                          {"tuesday", 1, "TARGET2", "2028-02-28", "2028-02-29"},
		"euro at Easter":                    {"monday", 0, "TARGET2", "2026-04-02", "2026-04-07"},
		"an unknown country has only weeks": {"thursday", 0, "XX", "2026-12-23", "2026-12-24"},
	} {
		s := merchant.DefaultSettings()
		s.PayoutWeekday, s.PayoutDelayDays = c.weekday, c.delay
		if got := NewTimetable(s, calendar.Of(c.country)).Earliest(date(c.created)); !got.Equal(date(c.wantFirst)) {
			t.Errorf("%s: %s", name, got.Format(time.DateOnly))
		}
	}
}

// TestTimetableAgrees: an item is among those of a run exactly when its earliest
// date is not later.
func TestTimetableAgrees(t *testing.T) {
	t.Parallel()
	days := calendar.Of("GB")
	rapid.Check(t, func(t *rapid.T) {
		s := merchant.DefaultSettings()
		s.PayoutWeekday = rapid.SampledFrom(merchant.Weekdays).Draw(t, "weekday")
		s.PayoutDelayDays = rapid.Int64Range(0, 30).Draw(t, "delay")
		table := NewTimetable(s, days)
		run := table.Next(dateOf(rapid.Int64Range(20_000, 24_000).Draw(t, "after")))
		created := run.AddDate(0, 0, -rapid.IntRange(-5, 60).Draw(t, "days before"))
		if !days.Is(run) || !table.OnOrAfter(run).Equal(run) {
			t.Fatalf("no run is on %s", run)
		}
		earliest := table.Earliest(created)
		if got, want := !created.After(table.Cutoff(run)), !earliest.After(run); got != want {
			t.Fatalf("made %s, run %s, earliest %s, cutoff %s", created, run, earliest, table.Cutoff(run))
		}
	})
}

func TestAdjustmentCheck(t *testing.T) {
	t.Parallel()
	a := Adjustment{Type: CreditReviewFee, Currency: "GBP", NetAmount: 333, TaxRate: money.MustPercent("19.5")}
	if err := a.Check(); err != nil || a.Amount != 398 {
		t.Errorf("%d, %v", a.Amount, err)
	}
	for name, bad := range map[string]Adjustment{
		"a carried balance": {Type: CarriedToNext, Currency: "GBP", NetAmount: 1},
		"no currency":       {Type: FXFee, NetAmount: 1},
		"nothing":           {Type: FXFee, Currency: "GBP"},
		"too much":          {Type: FXFee, Currency: "GBP", NetAmount: math.MaxInt64, TaxRate: money.MustPercent("20")},
		"a negative tax":    {Type: FXFee, Currency: "GBP", NetAmount: 1, TaxRate: money.MustPercent("-1")},
	} {
		if bad.Check() == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestFormulasAreTexts(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "ORD-1": "ORD-1", "=1+1": "'=1+1", "@x": "'@x", "-2": "'-2", "+3": "'+3", "\t=1": "'\t=1", `{"a":1}`: `{"a":1}`,
	} {
		if got := text(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
