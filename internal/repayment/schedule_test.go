package repayment

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tradecredit/internal/deferred"
	"tradecredit/internal/money"
	"tradecredit/internal/offer"
)

var friday = time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)

func percent(t failer, text string) money.Percent {
	p, err := money.ParsePercent(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// planOf makes a plan and the state of its deferred payment.
func planOf(t failer, total int64, change func(*offer.Template)) (offer.Plan, deferred.State) {
	thirty, sixty := 30, 60
	template := offer.Template{
		Name: "30/60", RelativeTo: offer.RelativeToOrderCreation, Methods: offer.Methods(),
		Installments: []offer.InstallmentRule{
			{DueAfterDays: &thirty, Percentage: percent(t, "50")}, {DueAfterDays: &sixty, Percentage: percent(t, "50")},
		},
	}
	if change != nil {
		change(&template)
	}
	plan, err := offer.BuildPlan(template, offer.Terms{OrderTotal: total, Currency: "GBP", BaseDate: friday, ProtectedLimit: 1 << 60})
	if err != nil {
		t.Fatal(err)
	}
	s, err := deferred.New(total, plan.ProtectedAmount, plan.CustomerFee.Amount, deferred.StatusAccepted)
	if err != nil {
		t.Fatal(err)
	}
	s.CustomerDiscountSum = plan.CustomerDiscount.Minor
	for _, sp := range plan.ScheduledPayments {
		if sp.DueDateConfig.Upfront {
			s.Upfront += sp.DiscountedAmount
		}
	}
	return plan, s
}

// history makes events of a state.
type history struct {
	t       failer
	s       deferred.State
	entries []deferred.Entry
}

func (h *history) do(at time.Time, action deferred.Action, amount int64) {
	e, err := deferred.Decide(h.s, deferred.Settings{Overcaptures: true}, deferred.Command{Action: action, Amount: amount})
	if err != nil {
		h.t.Fatal(err)
	}
	h.s = h.s.Apply(e)
	h.entries = append(h.entries, deferred.Entry{Event: e, N: int64(len(h.entries) + 1), Created: at})
}

func shown(s Schedule) (out []string) {
	for _, i := range s {
		text := i.Date.Format(time.DateOnly) + " " + money.FormatFixed(i.Amount, 2) + " " + money.FormatFixed(i.Paid, 2)
		if i.Upfront {
			text += " upfront"
		}
		out = append(out, text)
	}
	return out
}

func TestBuild(t *testing.T) {
	t.Parallel()
	upfront := func(template *offer.Template) {
		sixty := 60
		template.Installments = []offer.InstallmentRule{
			{Upfront: true, Percentage: percent(t, "30")}, {DueAfterDays: &sixty, Percentage: percent(t, "70")},
		}
	}
	relative := func(to string) func(*offer.Template) {
		return func(template *offer.Template) { template.RelativeTo = to }
	}
	later := friday.AddDate(0, 0, 10)
	for name, c := range map[string]struct {
		change func(*offer.Template)
		do     func(h *history)
		want   []string
	}{
		"nothing captured": {nil, func(*history) {}, nil},
		"all captured": {nil, func(h *history) { h.do(friday, deferred.ActionCapture, 10001) },
			[]string{"2026-12-20 50.01 0.00", "2027-01-19 50.00 0.00"}},
		"a part paid": {nil, func(h *history) { h.do(friday, deferred.ActionCapture, 10000); h.s.Repaid = 6000 },
			[]string{"2026-12-20 50.00 50.00", "2027-01-19 50.00 10.00"}},
		"captured after the first date": {nil, func(h *history) {
			h.do(friday, deferred.ActionCapture, 4000)
			h.do(friday.AddDate(0, 0, 40), deferred.ActionCapture, 6000)
		}, []string{"2026-12-20 20.00 0.00", "2026-12-30 30.00 0.00", "2027-01-19 50.00 0.00"}},
		"refunded: the newest capture first": {relative(offer.RelativeToEveryCapture), func(h *history) {
			h.do(friday, deferred.ActionCapture, 4000)
			h.do(later, deferred.ActionCapture, 6000)
			h.do(later, deferred.ActionRefund, 7000)
		}, []string{"2026-12-20 15.00 0.00", "2027-01-19 15.00 0.00"}},
		"from the first capture": {relative(offer.RelativeToFirstCapture), func(h *history) {
			h.do(later, deferred.ActionCapture, 4000)
			h.do(later.AddDate(0, 0, 5), deferred.ActionCapture, 6000)
		}, []string{"2026-12-30 50.00 0.00", "2027-01-29 50.00 0.00"}},
		"from every capture": {relative(offer.RelativeToEveryCapture), func(h *history) {
			h.do(friday, deferred.ActionCapture, 4000)
			h.do(later, deferred.ActionCapture, 6000)
		}, []string{"2026-12-20 20.00 0.00", "2026-12-30 30.00 0.00", "2027-01-19 20.00 0.00", "2027-01-29 30.00 0.00"}},
		"upfront, before a capture": {upfront, func(h *history) {},
			[]string{"2026-11-20 30.00 0.00 upfront"}},
		"upfront, paid and captured": {upfront, func(h *history) {
			h.s.Repaid = 3000
			h.do(friday, deferred.ActionCapture, 10000)
		}, []string{"2026-11-20 30.00 30.00 upfront", "2027-01-19 70.00 0.00"}},
		"upfront, captured in part and the rest given up": {upfront, func(h *history) {
			h.s.Repaid = 3000
			h.do(friday, deferred.ActionCapture, 2000)
			h.do(friday, deferred.ActionVoid, 8000)
		}, []string{"2026-11-20 20.00 20.00 upfront"}},
		"a clawback is still owed": {nil, func(h *history) {
			h.do(friday, deferred.ActionCapture, 10000)
			h.do(later, deferred.ActionClawback, 10000)
		}, []string{"2026-12-20 50.00 0.00", "2027-01-19 50.00 0.00"}},
		"fee and discount": {func(template *offer.Template) {
			template.CustomerFee, template.CustomerDiscount = percent(t, "1"), percent(t, "2")
		}, func(h *history) { h.do(friday, deferred.ActionCapture, 5000) },
			[]string{"2026-12-20 24.75 0.00", "2027-01-19 24.75 0.00"}},
	} {
		total := int64(10000)
		if name == "all captured" {
			total = 10001
		}
		plan, s := planOf(t, total, c.change)
		h := &history{t: t, s: s}
		c.do(h)
		if diff := cmp.Diff(c.want, shown(Build(plan, h.entries, h.s))); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestScheduleOfAnything holds for every history: the schedule sums to what is
// owed, or to what is paid upfront if that is more, is paid from the front, and
// asks for nothing before the day of its capture. Captured at once and in full it
// is the plan's.
func TestScheduleOfAnything(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(1, 1_000_000).Draw(t, "total")
		plan, s := planOf(t, total, func(template *offer.Template) {
			template.RelativeTo = rapid.SampledFrom(offer.RelativeTos()).Draw(t, "terms")
			template.CustomerFee = percent(t, rapid.SampledFrom([]string{"0", "0.40", "3"}).Draw(t, "fee"))
			template.CustomerDiscount = percent(t, rapid.SampledFrom([]string{"0", "2"}).Draw(t, "discount"))
			if rapid.Bool().Draw(t, "upfront") {
				template.Installments[0].Upfront, template.Installments[0].DueAfterDays = true, nil
			}
		})
		h := &history{t: t, s: s}
		at := friday
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			at = at.AddDate(0, 0, rapid.IntRange(0, 20).Draw(t, "days"))
			action := rapid.SampledFrom([]deferred.Action{deferred.ActionCapture, deferred.ActionRefund, deferred.ActionVoid, deferred.ActionClawback}).Draw(t, "action")
			amount := rapid.Int64Range(1, total).Draw(t, "amount")
			if _, err := deferred.Decide(h.s, deferred.Settings{}, deferred.Command{Action: action, Amount: amount}); err == nil {
				h.do(at, action, amount)
			}
		}
		h.s.Repaid = rapid.Int64Range(0, h.s.OwedAtMost()).Draw(t, "repaid")
		schedule := Build(plan, h.entries, h.s)
		want := max(h.s.Owed(), min(h.s.Upfront, h.s.OwedAtMost()))
		if schedule.Total() != want {
			t.Fatalf("the schedule sums to %d, owed are %d", schedule.Total(), want)
		}
		left := h.s.Repaid
		for i, part := range schedule {
			if part.Amount <= 0 || part.Paid != min(left, part.Amount) || i > 0 && part.Date.Before(schedule[i-1].Date) {
				t.Fatalf("%v", shown(schedule))
			}
			left -= part.Paid
			if len(h.entries) > 0 && !part.Upfront && part.Date.Before(day(h.entries[0].Created)) {
				t.Fatalf("due before anything was captured: %v", shown(schedule))
			}
		}
		if next, ok := schedule.Next(); ok != (schedule.Total() > h.s.Repaid) || ok && next.Open() <= 0 {
			t.Fatalf("next is %v, %v of %v", next, ok, shown(schedule))
		}
	})
}

// failer is a test, also one of rapid.
type failer interface{ Fatal(args ...any) }

func TestReminderDay(t *testing.T) {
	t.Parallel()
	due := day(friday)
	days := []int64{14, -3, 1, 7}
	for name, c := range map[string]struct {
		today   int
		sentFor string
		sentDay int64
		want    int64
		ok      bool
	}{
		"too early":                   {-4, "", 0, 0, false},
		"announced":                   {-3, "", 0, -3, true},
		"announced once":              {-2, "2026-11-20", -3, 0, false},
		"on the day itself":           {0, "", 0, 0, false},
		"late":                        {1, "2026-11-20", -3, 1, true},
		"late, sent":                  {6, "2026-11-20", 1, 0, false},
		"the newest only":             {9, "2026-11-20", -3, 7, true},
		"another due date":            {14, "2026-10-20", 14, 14, true},
		"after the last":              {100, "2026-11-20", 14, 0, false},
		"announced late in the day":   {-1, "", 0, -3, true},
		"a part of an old due date":   {1, "2026-10-20", 1, 1, true},
		"the first look is very late": {50, "", 0, 14, true},
	} {
		got, ok := ReminderDay(days, due, due.AddDate(0, 0, c.today), c.sentFor, c.sentDay)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%s: %d, %v", name, got, ok)
		}
	}
}

func TestGiveBack(t *testing.T) {
	t.Parallel()
	paid := func(id string, amount int64) Repayment {
		return Repayment{ID: id, Type: TypePayment, Status: StatusSettled, Amount: amount, Applied: amount}
	}
	all := []Repayment{
		paid("a", 50), paid("b", 30), {ID: "f", Type: TypePayment, Status: StatusFailed, Amount: 99, Applied: 0},
		{ID: "c", Type: TypeCustomerRefund, Status: StatusSettled, Amount: 10, ChargeID: "b"},
		{ID: "d", Type: TypeCustomerRefund, Status: StatusFailed, Amount: 10, ChargeID: "b"},
	}
	parts, rest := GiveBack(all, 25)
	if len(parts) != 2 || parts[0].Charge.ID != "b" || parts[0].Amount != 20 || parts[1].Charge.ID != "a" || parts[1].Amount != 5 || rest != 0 {
		t.Errorf("%+v, %d", parts, rest)
	}
	if _, rest := GiveBack(all, 100); rest != 30 {
		t.Errorf("the rest is %d", rest)
	}
}
