package offer

import (
	"encoding/json"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tradecredit/internal/money"
)

func date(text string) time.Time {
	day, err := time.Parse(dateLayout, text)
	if err != nil {
		panic(err)
	}
	return day
}

func pointer[T any](v T) *T { return &v }

// percent lets go-cmp look into money.Percent.
var percent = cmp.Comparer(func(a, b money.Percent) bool { return a == b })

func TestPlanOfTheDocument(t *testing.T) {
	t.Parallel()
	template := DefaultTemplates()[3]
	template.ID, template.CustomerFee, template.Methods = "pptemp-RySHMoFqSxfmkcfrYC2VeF", money.MustPercent("0.40"), []string{MethodCard}
	plan, err := BuildPlan(template, Terms{OrderTotal: 100_000, Currency: "GBP", BaseDate: date("2020-09-16"), ProtectedLimit: 1_000_000})
	if err != nil {
		t.Fatal(err)
	}
	want := Plan{
		Name: "4xEOM", Template: "pptemp-RySHMoFqSxfmkcfrYC2VeF", Currency: "GBP", ProtectedAmount: 100_400,
		RelativeTo:       "order_creation",
		MerchantFee:      money.Amount{Minor: 2000, Currency: "GBP"},
		CustomerFee:      PlanFee{"GBP", money.MustPercent("0.40"), 400},
		CustomerDiscount: money.Amount{Currency: "GBP"},
		Status:           StatusOffered,
	}
	for months, day := range []string{"2020-09-30", "2020-10-31", "2020-11-30", "2020-12-31"} {
		want.ScheduledPayments = append(want.ScheduledPayments, ScheduledPayment{
			Date: day, Amount: 25_100, DiscountedAmount: 25_100,
			CustomerFee:           PaymentFee{money.MustPercent("0.40"), 100},
			AllowedPaymentMethods: []Method{{"card"}},
			DueDateConfig:         DueDateConfig{DueEndOfMonths: pointer(months), AmountPercentage: pointer("25.0")},
		})
	}
	if diff := cmp.Diff(want, plan, percent); diff != "" {
		t.Error(diff)
	}
}

func TestDefaultTemplates(t *testing.T) {
	t.Parallel()
	type payment struct {
		Date   string
		Amount int64
	}
	terms := Terms{OrderTotal: 100_000, Currency: "GBP", BaseDate: date("2020-09-16"), ProtectedLimit: 100_000}
	want := map[string][]payment{
		"30d":           {{"2020-10-16", 100_000}},
		"60d":           {{"2020-11-15", 100_000}},
		"30d + upfront": {{"2020-09-16", 30_000}, {"2020-10-16", 70_000}},
		"4xEOM":         {{"2020-09-30", 25_000}, {"2020-10-31", 25_000}, {"2020-11-30", 25_000}, {"2020-12-31", 25_000}},
	}
	for _, template := range DefaultTemplates() {
		plan, err := BuildPlan(template, terms)
		if err != nil {
			t.Fatal(template.Name, err)
		}
		var got []payment
		for _, p := range plan.ScheduledPayments {
			got = append(got, payment{p.Date, p.Amount})
		}
		if diff := cmp.Diff(want[template.Name], got); diff != "" {
			t.Errorf("%s: %s", template.Name, diff)
		}
		if plan.HasUpfrontPayment != (template.Name == "30d + upfront") {
			t.Errorf("%s: has_upfront_payment is %v", template.Name, plan.HasUpfrontPayment)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	template := DefaultTemplates()[0]
	template.CustomerFee = money.MustPercent("1")
	for name, c := range map[string]struct {
		protected, unprotected         int64
		wantProtected, wantUnprotected int64
		err                            error
	}{
		"all protected":           {200_000, 50_000, 101_000, 0, nil},
		"exactly":                 {101_000, 0, 101_000, 0, nil},
		"topped up":               {60_000, 41_000, 60_000, 41_000, nil},
		"merchant's limit alone":  {0, 101_000, 0, 101_000, nil},
		"overdrawn limit":         {-5, 101_000, 0, 101_000, nil},
		"one short":               {60_000, 40_999, 101_000, 0, ErrLimit},
		"nothing left":            {0, -1, 101_000, 0, ErrLimit},
		"limits without an end":   {math.MaxInt64, math.MaxInt64, 101_000, 0, nil},
		"the smallest limit ever": {math.MinInt64, math.MinInt64, 101_000, 0, ErrLimit},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan, err := BuildPlan(template, Terms{OrderTotal: 100_000, Currency: "GBP", BaseDate: date("2020-09-16"), ProtectedLimit: c.protected, UnprotectedLimit: c.unprotected})
			if !errors.Is(err, c.err) || plan.ProtectedAmount != c.wantProtected || plan.UnprotectedAmount != c.wantUnprotected {
				t.Errorf("%d + %d, %v", plan.ProtectedAmount, plan.UnprotectedAmount, err)
			}
			if declined := plan.Status == StatusDeclined; declined != (c.err != nil) || len(plan.ScheduledPayments) != 1 {
				t.Errorf("status %s, %d payments", plan.Status, len(plan.ScheduledPayments))
			}
		})
	}
}

func TestBuildPlanRefuses(t *testing.T) {
	t.Parallel()
	sound := DefaultTemplates()[0]
	dear := sound
	dear.CustomerFee = money.MustPercent("100")
	costly := sound
	costly.MerchantFee.Fixed = math.MaxInt64
	for name, c := range map[string]struct {
		template Template
		total    int64
		err      error
	}{
		"nothing to pay":       {sound, 0, ErrOrderTotal},
		"a credit":             {sound, -100, ErrOrderTotal},
		"no template":          {Template{}, 100, ErrTemplate},
		"a fee beyond range":   {dear, math.MaxInt64 - 1, money.ErrOverflow},
		"a merchant's as well": {costly, 100, money.ErrOverflow},
	} {
		plan, err := BuildPlan(c.template, Terms{OrderTotal: c.total, Currency: "GBP", BaseDate: date("2020-09-16"), ProtectedLimit: math.MaxInt64})
		if !errors.Is(err, c.err) || !cmp.Equal(plan, Plan{}, percent) {
			t.Errorf("%s: %v, %+v", name, err, plan)
		}
	}
}

// drawTemplate draws any sound template.
func drawTemplate(t *rapid.T) Template {
	count := rapid.IntRange(1, 12).Draw(t, "instalments")
	cuts := rapid.SliceOfNDistinct(rapid.Int64Range(1, 9999), count-1, count-1, rapid.ID[int64]).Draw(t, "cuts")
	share := map[int64]bool{}
	for _, cut := range cuts {
		share[cut] = true
	}
	var rules []InstallmentRule
	var last int64
	for at := int64(1); at <= 10_000; at++ {
		if !share[at] && at != 10_000 {
			continue
		}
		part, err := money.NewPercent(at - last)
		if err != nil {
			t.Fatal(err)
		}
		rules, last = append(rules, drawRule(t, part)), at
	}
	fee := rapid.Int64Range(0, 10_000)
	customerFee, _ := money.NewPercent(fee.Draw(t, "customer fee"))
	discount, _ := money.NewPercent(fee.Draw(t, "discount"))
	return Template{
		Name: "drawn", Installments: rules, RelativeTo: rapid.SampledFrom(RelativeTos()).Draw(t, "relative to"),
		CustomerFee: customerFee, CustomerDiscount: discount, Methods: Methods(),
	}
}

func drawRule(t *rapid.T, part money.Percent) InstallmentRule {
	switch rapid.SampledFrom([]string{"upfront", "days", "months"}).Draw(t, "rule") {
	case "days":
		return InstallmentRule{Percentage: part, DueAfterDays: pointer(rapid.IntRange(0, 365).Draw(t, "days"))}
	case "months":
		return InstallmentRule{Percentage: part, DueEndOfMonths: pointer(rapid.IntRange(0, 24).Draw(t, "months"))}
	}
	return InstallmentRule{Percentage: part, Upfront: true}
}

func drawTerms(t *rapid.T) Terms {
	total := rapid.OneOf(rapid.Int64Range(1, 50), rapid.Int64Range(1, 1e9), rapid.Int64Range(1, math.MaxInt64/2)).Draw(t, "total")
	return Terms{
		OrderTotal: total, Currency: "EUR",
		BaseDate:       date("2020-01-01").AddDate(0, 0, rapid.IntRange(0, 3652).Draw(t, "day")),
		ProtectedLimit: rapid.Int64().Draw(t, "protected limit"), UnprotectedLimit: rapid.Int64().Draw(t, "unprotected limit"),
	}
}

func TestPlanFiguresAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		template, terms := drawTemplate(t), drawTerms(t)
		plan, err := BuildPlan(template, terms)
		if err != nil && !errors.Is(err, ErrLimit) {
			t.Fatal(err)
		}
		var amounts, discounted, fees int64
		for n, p := range plan.ScheduledPayments {
			amounts, discounted, fees = amounts+p.Amount, discounted+p.DiscountedAmount, fees+p.CustomerFee.Amount
			share := p.Amount - p.CustomerFee.Amount
			exact, _ := money.MulDivDown(terms.OrderTotal, template.Installments[n].Percentage.Hundredths(), 10_000)
			if over := share - exact; over < 0 || n > 0 && over != 0 || over >= int64(len(plan.ScheduledPayments)) {
				t.Fatalf("payment %d is %d of %d, its share %d", n, share, terms.OrderTotal, exact)
			}
			if p.CustomerFee.Amount < 0 || p.DiscountedAmount < p.CustomerFee.Amount || p.DiscountedAmount > p.Amount {
				t.Fatalf("payment %d: %+v", n, p)
			}
		}
		owed := terms.OrderTotal + plan.CustomerFee.Amount
		if fees != plan.CustomerFee.Amount || amounts != owed || discounted != owed-plan.CustomerDiscount.Minor {
			t.Fatalf("payments sum to %d, %d discounted, %d fees; plan %+v", amounts, discounted, fees, plan)
		}
		if plan.ProtectedAmount+plan.UnprotectedAmount != owed || plan.ProtectedAmount < 0 || plan.UnprotectedAmount < 0 {
			t.Fatalf("%d protected and %d not, of %d", plan.ProtectedAmount, plan.UnprotectedAmount, owed)
		}
		if err == nil && (plan.ProtectedAmount > max(terms.ProtectedLimit, 0) || plan.UnprotectedAmount > max(terms.UnprotectedLimit, 0)) {
			t.Fatalf("%d protected and %d not, limits %+v", plan.ProtectedAmount, plan.UnprotectedAmount, terms)
		}
	})
}

// TestDueDatesOfADecade walks through every day from 2020 to 2029 and checks
// every rule against a calendar kept by hand.
func TestDueDatesOfADecade(t *testing.T) {
	t.Parallel()
	type day struct{ year, month, day int }
	lengths := []int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	length := func(year, month int) int {
		if month == 2 && (year%4 == 0 && year%100 != 0 || year%400 == 0) {
			return 29
		}
		return lengths[month-1]
	}
	var calendar []day // from 2020 on, long enough for the last due date
	for at := (day{2020, 1, 1}); at.year < 2033; {
		calendar = append(calendar, at)
		if at.day++; at.day > length(at.year, at.month) {
			at.day, at.month = 1, at.month+1
		}
		if at.month > 12 {
			at.month, at.year = 1, at.year+1
		}
	}
	check := func(base day, config DueDateConfig, want day) {
		t.Helper()
		got := DueDate(time.Date(base.year, time.Month(base.month), base.day, 23, 59, 0, 0, time.FixedZone("far", 14*3600)), config)
		if got != time.Date(want.year, time.Month(want.month), want.day, 0, 0, 0, 0, time.UTC) {
			t.Fatalf("%v with %+v is due %v, want %v", base, config, got, want)
		}
	}
	for n, base := range calendar {
		if base.year > 2029 {
			break
		}
		check(base, DueDateConfig{Upfront: true}, base)
		for _, days := range []int{0, 1, 7, 14, 28, 29, 30, 31, 45, 60, 90, 120, 180, 365, 366} {
			check(base, DueDateConfig{DueAfterDays: &days}, calendar[n+days])
		}
		for months := 0; months <= 24; months++ {
			year, month := base.year+(base.month-1+months)/12, (base.month-1+months)%12+1
			check(base, DueDateConfig{DueEndOfMonths: &months}, day{year, month, length(year, month)})
		}
	}
}

func TestRedate(t *testing.T) {
	t.Parallel()
	template := DefaultTemplates()[2]
	template.Installments[1].Percentage = money.MustPercent("40")
	template.Installments = append(template.Installments, endOfMonth(1, "30"))
	terms := Terms{OrderTotal: 100_000, Currency: "GBP", BaseDate: date("2023-12-15"), ProtectedLimit: 100_000}
	for relativeTo, want := range map[string][]string{
		RelativeToOrderCreation: {"2023-12-15", "2024-01-14", "2024-01-31"},
		RelativeToFirstCapture:  {"2023-12-15", "2024-03-01", "2024-02-29"},
		RelativeToEveryCapture:  {"2023-12-15", "2024-03-01", "2024-02-29"},
	} {
		template.RelativeTo = relativeTo
		plan, err := BuildPlan(template, terms)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range plan.Redate(date("2024-01-31")) {
			got = append(got, p.Date)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", relativeTo, diff)
		}
	}
}

func TestRedateChangesDatesOnly(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		template, terms := drawTemplate(t), drawTerms(t)
		terms.ProtectedLimit = math.MaxInt64
		plan, err := BuildPlan(template, terms)
		if err != nil {
			t.Fatal(err)
		}
		untouched, _ := json.Marshal(plan)
		captured := terms.BaseDate.AddDate(0, 0, rapid.IntRange(0, 400).Draw(t, "captured after"))
		again := plan
		again.ScheduledPayments = plan.Redate(captured)
		if after, _ := json.Marshal(plan); string(after) != string(untouched) {
			t.Fatal("the plan itself was changed")
		}
		if diff := cmp.Diff(again.ScheduledPayments, again.Redate(captured), percent); diff != "" {
			t.Fatalf("twice is not once: %s", diff)
		}
		terms.BaseDate = captured
		fresh, err := BuildPlan(template, terms)
		if err != nil {
			t.Fatal(err)
		}
		for n, p := range again.ScheduledPayments {
			kept, counted := plan.ScheduledPayments[n], fresh.ScheduledPayments[n]
			if p.DueDateConfig.Upfront || plan.RelativeTo == RelativeToOrderCreation {
				counted = kept
			}
			if diff := cmp.Diff(counted, p, percent); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}
