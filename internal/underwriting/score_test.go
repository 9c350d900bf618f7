package underwriting

import (
	"testing"

	"pgregory.net/rapid"

	"tradecredit/internal/company"
)

// TestPublishedModels works the models out by hand.
func TestPublishedModels(t *testing.T) {
	t.Parallel()
	f := &company.Financials{
		Turnover: 1500, ProfitBeforeTax: 100, TotalAssets: 1000, CurrentAssets: 600, CurrentLiabilities: 300, TotalLiabilities: 500,
	}
	s := ScoreOf(Known{Financials: f})
	// 6.56 × 0.3 + 6.72 × 0.1 + 1.05 × 1, and 1.03 × 0.3 + 3.07 × 0.1 + 0.66 / 3 + 0.4 × 1.5
	if !is(s.Altman, "3.69") || !is(s.Springate, "1.436") || s.Value != 2 || s.Basis != BasisAccounts {
		t.Errorf("%+v", s)
	}
	if len(s.Missing) != 2 {
		t.Errorf("missing %v", s.Missing)
	}
	// A negative equity stands for the retained earnings: -0.2 in both.
	f.TotalLiabilities, f.Turnover = 1200, 0
	s = ScoreOf(Known{Financials: f})
	// 6.56 × 0.3 - 3.26 × 0.2 + 6.72 × 0.1 - 1.05 / 6
	if !is(s.Altman, "1.813") || s.Value != 3 || len(s.Missing) != 3 {
		t.Errorf("%+v", s)
	}
}

func is(d Decimal, text string) bool {
	want, err := ParseDecimal(text)
	return err == nil && d.Cmp(want.Decimal) == 0
}

func TestScoresWithoutAccounts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		known Known
		value int64
		basis string
	}{
		"nothing":            {Known{AgeYears: -1}, 4, BasisNone},
		"young":              {Known{AgeYears: 1}, 4, BasisAge},
		"middle":             {Known{AgeYears: 5}, 3, BasisAge},
		"old and large":      {Known{AgeYears: 12, Size: "LARGE"}, 2, BasisAge},
		"pays":               {Known{AgeYears: -1, History: History{Paid: 3, PaidInTime: 3}}, 2, BasisHistory},
		"pays late":          {Known{AgeYears: 30, History: History{Paid: 3, PaidInTime: 2}}, 3, BasisHistory},
		"overdue":            {Known{AgeYears: 30, Size: "LARGE", History: History{Overdue: 1, MaxOverdueDays: 2}}, 4, BasisHistory},
		"long overdue":       {Known{Financials: good(), History: History{Overdue: 1, MaxOverdueDays: 61}}, 5, BasisAccounts},
		"no assets":          {Known{AgeYears: 5, Financials: &company.Financials{}}, 3, BasisAge},
		"figures out of use": {Known{AgeYears: 5, Financials: &company.Financials{TotalAssets: 5}}, 3, BasisAge},
	} {
		if s := ScoreOf(c.known); s.Value != c.value || s.Basis != c.basis || s.Basis != BasisAccounts && len(s.Missing) == 0 {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func anyFinancials(t *rapid.T) company.Financials {
	most := rapid.SampledFrom([]int64{1000, 1_000_000_000, 1 << 62}).Draw(t, "most")
	amount := func(name string) int64 { return rapid.Int64Range(0, most).Draw(t, name) }
	f := company.Financials{
		Turnover: amount("turnover"), TotalAssets: max(1, amount("assets")), TotalLiabilities: amount("liabilities"),
		ProfitBeforeTax: amount("profit") - amount("loss"),
	}
	f.CurrentAssets = rapid.Int64Range(0, f.TotalAssets).Draw(t, "current assets")
	f.CurrentLiabilities = rapid.Int64Range(0, max(1, f.TotalLiabilities)).Draw(t, "current liabilities")
	return f
}

// TestScoresAreMonotone: more profit, more current assets and less debt never
// make a score worse, whatever the figures.
func TestScoresAreMonotone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		worse := anyFinancials(t)
		better := worse
		switch rapid.SampledFrom([]string{"profit", "assets", "debt"}).Draw(t, "what") {
		case "profit":
			better.ProfitBeforeTax += rapid.Int64Range(0, 1<<61).Draw(t, "more")
		case "assets":
			better.CurrentAssets = rapid.Int64Range(worse.CurrentAssets, worse.TotalAssets).Draw(t, "more")
		case "debt":
			better.TotalLiabilities = rapid.Int64Range(max(1, worse.CurrentLiabilities), max(1, worse.CurrentLiabilities, worse.TotalLiabilities)).Draw(t, "less")
		}
		a, b := ScoreOf(Known{Financials: &worse}), ScoreOf(Known{Financials: &better})
		if a.Value < 1 || a.Value > 5 {
			t.Fatalf("%+v", a)
		}
		if a.Basis == b.Basis && b.Value > a.Value {
			t.Fatalf("%+v scores %d, the better %+v scores %d", worse, a.Value, better, b.Value)
		}
	})
}
