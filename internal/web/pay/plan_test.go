package pay

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestAmountEnGB holds the values Intl.NumberFormat("en-GB") of Node 20 writes.
func TestAmountEnGB(t *testing.T) {
	t.Parallel()
	cases := []struct {
		minor    int64
		currency string
		want     string
	}{
		{123456789, "GBP", "£1,234,567.89"},
		{123456789, "EUR", "€1,234,567.89"},
		{123456789, "USD", "US$1,234,567.89"},
		{1234568, "XOF", "F\u202fCFA\u00a01,234,568"},
		{1234568, "XAF", "FCFA\u00a01,234,568"},
		{1234568, "GNF", "GNF\u00a01,234,568"},
		{1234568, "JPY", "JP¥1,234,568"},
		{1234567890, "TND", "TND\u00a01,234,567.890"},
		{123456789, "CHF", "CHF\u00a01,234,567.89"},
		{-2000, "GBP", "-£20.00"},
		{-20, "XOF", "-F\u202fCFA\u00a020"},
		{0, "GBP", "£0.00"},
		{5, "GBP", "£0.05"},
		{100000, "GBP", "£1,000.00"},
		{99999, "GBP", "£999.99"},
		{-9223372036854775808, "GBP", "-£92,233,720,368,547,758.08"},
	}
	for _, c := range cases {
		if got := amountEnGB(c.minor, c.currency); got != c.want {
			t.Errorf("%d %s: got %q, want %q", c.minor, c.currency, got, c.want)
		}
	}
}

func TestPercent(t *testing.T) {
	t.Parallel()
	cases := map[string]string{"1.20": "1.2", "2.00": "2", "0.00": "", "0": "", "": "", "10": "10", "100.0": "100", "0.05": "0.05", "1e3": "", "NaN": "", "-1": "", ".5": "", "<b>": ""}
	for in, want := range cases {
		if got := percent(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func english(t *testing.T) *words {
	t.Helper()
	return &words{locale: newRenderer(t).english}
}

func TestPlanPhrases(t *testing.T) {
	t.Parallel()
	n := func(i int) *int { return &i }
	december := day(2026, 12, 16)
	days := Instalment{Date: december, Amount: 100000, AfterDays: n(30)}
	month := Instalment{Date: day(2026, 12, 31), Amount: 100000, EndOfMonths: n(1)}
	upfront := Instalment{Date: day(2026, 11, 16), Amount: 25000, Upfront: true}
	cases := []struct {
		name              string
		plan              Plan
		title, lead, when string
	}{
		{"30 days", Plan{RelativeTo: OrderCreation, Instalments: []Instalment{days}},
			"Pay in 30 days", "£1,000.00 on 16 December 2026. Nothing to pay today.", "16 December 2026"},
		{"one day", Plan{RelativeTo: OrderCreation, Instalments: []Instalment{{Date: december, Amount: 100, AfterDays: n(1)}}},
			"Pay in 1 day", "£1.00 on 16 December 2026. Nothing to pay today.", "16 December 2026"},
		{"end of month", Plan{RelativeTo: OrderCreation, Instalments: []Instalment{month}},
			"Pay at the end of December 2026", "£1,000.00 on 31 December 2026. Nothing to pay today.", "31 December 2026"},
		{"first capture", Plan{RelativeTo: FirstCapture, Instalments: []Instalment{days}},
			"Pay 30 days after the goods are sent", "£1,000.00. The date is set when the goods are sent. Nothing to pay today.", "30 days after the goods are sent"},
		{"every capture", Plan{RelativeTo: EveryCapture, Instalments: []Instalment{days}},
			"Pay 30 days after each delivery is sent", "£1,000.00. The date is set when the goods are sent. Nothing to pay today.", "30 days after each delivery is sent"},
		{"month of capture", Plan{RelativeTo: FirstCapture, Instalments: []Instalment{{Amount: 1, EndOfMonths: n(0)}}},
			"Pay at the end of a month", "£0.01. The date is set when the goods are sent. Nothing to pay today.", "End of the month in which the goods are sent"},
		{"month after capture", Plan{RelativeTo: FirstCapture, Instalments: []Instalment{month}},
			"Pay at the end of a month", "£1,000.00. The date is set when the goods are sent. Nothing to pay today.", "End of the month after the goods are sent"},
		{"upfront", Plan{RelativeTo: OrderCreation, Instalments: []Instalment{upfront, days}},
			"Pay £250.00 now, the rest later", "£250.00 today, then £1,000.00 on 16 December 2026.", "Today"},
		{"upfront, capture", Plan{RelativeTo: FirstCapture, Instalments: []Instalment{upfront, days}},
			"Pay £250.00 now, the rest later", "£250.00 today, then £1,000.00 after the goods are sent.", "Today"},
		{"instalments", Plan{RelativeTo: OrderCreation, Instalments: []Instalment{days, month}},
			"Pay in 2 instalments", "2 payments, £2,000.00 in all. The first is £1,000.00 on 16 December 2026.", "16 December 2026"},
		{"instalments, capture", Plan{RelativeTo: EveryCapture, Instalments: []Instalment{days, month}},
			"Pay in 2 instalments", "2 payments, £2,000.00 in all. The dates are set when the goods are sent.", "30 days after each delivery is sent"},
		{"upfront and instalments", Plan{RelativeTo: OrderCreation, Instalments: []Instalment{upfront, days, month}},
			"Pay in 3 instalments", "£250.00 today, then 2 more payments, £2,000.00 in all.", "Today"},
		{"all now", Plan{RelativeTo: OrderCreation, Instalments: []Instalment{upfront}}, "Pay now", "£250.00 today.", "Today"},
		{"by name", Plan{Title: "Spring terms", RelativeTo: OrderCreation, Instalments: []Instalment{days}},
			"Spring terms", "£1,000.00 on 16 December 2026. Nothing to pay today.", "16 December 2026"},
		{"by date", Plan{RelativeTo: OrderCreation, Instalments: []Instalment{{Date: december, Amount: 100}}},
			"Pay on 16 December 2026", "£1.00 on 16 December 2026. Nothing to pay today.", "16 December 2026"},
	}
	for _, c := range cases {
		w := english(t)
		got := [3]string{w.planTitle(c.plan, "GBP"), w.planLead(c.plan, "GBP"), w.dueRule(c.plan.RelativeTo, c.plan.Instalments[0])}
		if diff := cmp.Diff([3]string{c.title, c.lead, c.when}, got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		if err := w.err(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestFeeLine(t *testing.T) {
	t.Parallel()
	cases := []struct {
		plan Plan
		want string
	}{
		{Plan{}, "No fees or interest"},
		{Plan{Fee: 1200, FeePercent: "1.20"}, "Includes a £12.00 fee (1.2%)"},
		{Plan{Fee: 1200}, "Includes a £12.00 fee"},
		{Plan{Discount: 2000, DiscountPercent: "2.00"}, "You save £20.00 (2%)"},
		{Plan{Fee: 100, Discount: 200}, "Includes a £1.00 fee. You save £2.00"},
	}
	for _, c := range cases {
		if got := english(t).feeLine(c.plan, "GBP"); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// TestAnyScheduleHasCopy: no combination of due rules asks for a sentence that is not there.
func TestAnyScheduleHasCopy(t *testing.T) {
	t.Parallel()
	r := newRenderer(t)
	rapid.Check(t, func(t *rapid.T) {
		plan := Plan{
			ID: "ppln-1", RelativeTo: rapid.SampledFrom([]RelativeTo{OrderCreation, FirstCapture, EveryCapture}).Draw(t, "relative"),
			Fee: rapid.Int64Range(0, 100).Draw(t, "fee"), Discount: rapid.Int64Range(0, 100).Draw(t, "discount"),
		}
		for range rapid.IntRange(1, 5).Draw(t, "n") {
			in := Instalment{Amount: rapid.Int64Range(0, 1e12).Draw(t, "amount")}
			switch rapid.IntRange(0, 3).Draw(t, "rule") {
			case 0:
				in.Upfront = true
			case 1:
				in.AfterDays = new(rapid.IntRange(0, 365).Draw(t, "days"))
			case 2:
				in.EndOfMonths = new(rapid.IntRange(0, 12).Draw(t, "months"))
			}
			if rapid.Bool().Draw(t, "dated") {
				in.Date = day(2026, 12, 1).AddDate(0, 0, rapid.IntRange(0, 400).Draw(t, "date"))
			}
			plan.Instalments = append(plan.Instalments, in)
		}
		page := fixtureOffered()
		page.Plans = []Plan{plan}
		var out strings.Builder
		if err := r.Render(&out, page); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "{") {
			t.Fatal("a placeholder is left in the page")
		}
	})
}

func TestButtonFollowsTheChosenPlan(t *testing.T) {
	t.Parallel()
	got := render(t, fixtureOffered())
	for _, want := range []string{
		`<span class="by by-any">Confirm order</span>`, `<span class="by by-1">Confirm and pay later</span>`, `<span class="by by-3">Pay £900.00 now</span>`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s", want)
		}
	}
	many := fixtureOffered()
	for range 3 {
		many.Plans = append(many.Plans, fixturePlans()...)
	}
	if strings.Contains(render(t, many), "by-9") {
		t.Error("more plans than the style sheet can tell apart")
	}
	if got := render(t, fixtureSingle()); !strings.Contains(got, `id="confirm">Confirm and pay later</button>`) {
		t.Error("one plan: the button has no plain copy")
	}
}

func TestInput(t *testing.T) {
	t.Parallel()
	plans := fixturePartlyOffered().Plans
	open, declined := plans[0].ID, plans[1].ID
	cases := []struct {
		name, form string
		want       []Problem
	}{
		{"good", "plan=" + open + "&payment_method-" + open + "=invoice&terms=yes", nil},
		{"plain method", "plan=" + open + "&payment_method=card&terms=yes", nil},
		{"empty", "", []Problem{PlanMissing, TermsMissing}},
		{"no terms", "plan=" + open + "&payment_method=card", []Problem{TermsMissing}},
		{"no method", "plan=" + open + "&terms=yes", []Problem{MethodMissing}},
		{"method of another plan", "plan=" + open + "&payment_method-" + declined + "=invoice&terms=yes", []Problem{MethodMissing}},
		{"unknown method", "plan=" + open + "&payment_method=gold&terms=yes", []Problem{MethodMissing}},
		{"method this plan has not", "plan=" + plans[2].ID + "&payment_method=invoice&terms=yes", []Problem{MethodMissing}},
		{"declined plan", "plan=" + declined + "&payment_method=invoice&terms=yes", []Problem{PlanUnavailable}},
		{"foreign plan", "plan=ppln-1&payment_method=invoice&terms=yes", []Problem{PlanUnavailable}},
	}
	for _, c := range cases {
		form, err := url.ParseQuery(c.form)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, CheckInput(ReadInput(form), plans)); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	form, _ := url.ParseQuery("plan=a&payment_method-a=card&terms=on&attempt=x")
	if diff := cmp.Diff(Input{Plan: "a", Method: Card, Terms: true, Attempt: "x"}, ReadInput(form)); diff != "" {
		t.Error(diff)
	}
}

func TestProblemsAreShownAndInputIsKept(t *testing.T) {
	t.Parallel()
	page := fixtureOffered()
	page.Form.Input = Input{Plan: page.Plans[1].ID, Method: Card, Terms: true, Attempt: "kit-attempt"}
	page.Form.Problems = []Problem{PaymentFailed}
	got := render(t, page)
	for _, want := range []string{
		`value="` + page.Plans[1].ID + `" aria-describedby="plan-2-about" checked`, `id="method-2-3" name="payment_method-` + page.Plans[1].ID + `" value="card" aria-describedby="method-2-3-hint" checked`,
		`id="terms" name="terms" value="yes" aria-required="true" checked`, `href="#plan-1">The payment did not go through.`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s", want)
		}
	}
	page.Form.Input.Terms = false
	page.Form.Problems = []Problem{TermsMissing, PlanUnavailable}
	got = render(t, page)
	for _, want := range []string{`href="#terms"`, `aria-invalid="true" aria-describedby="terms-problem"`, `aria-invalid="true" aria-describedby="plan-problem"`, `role="alert"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestBuyersAreToldOnlyWhatIsSafe(t *testing.T) {
	t.Parallel()
	neutralText := "We cannot offer payment terms for this order."
	cases := []struct {
		reason *Reason
		want   string
	}{
		{nil, neutralText},
		{&Reason{Code: "buyer-high-risk", Detail: "score 1"}, neutralText},
		{&Reason{Code: "buyer-uncreditworthy", Detail: "score 1"}, neutralText},
		{&Reason{Code: "connected-companies", Detail: "related"}, neutralText},
		{&Reason{Code: "fraud", Detail: "device"}, neutralText},
		{&Reason{Code: "a-code-of-next-year", Detail: "secret"}, neutralText},
		{&Reason{Code: "buyer-country", Params: map[string]string{"debtor_country": "Ireland"}}, "We do not offer payment terms to companies in Ireland yet."},
		{&Reason{Code: "buyer-country", Detail: "Not to Ireland."}, "Not to Ireland."},
		{&Reason{Code: "buyer-country", Detail: "Not to {debtor_country}."}, neutralText},
		{&Reason{Code: "buyer-limit", Detail: "limit 10"}, "This order is above the credit available to your company."},
		{&Reason{Code: "buyer-too-young", Params: map[string]string{"MIN_CREATION_YEARS": "2"}}, "Your company is younger than the 2 years we ask for."},
	}
	for _, c := range cases {
		w := english(t)
		if got := w.buyerReason(c.reason, "reason.neutral"); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.reason, got, c.want)
		}
	}
	for _, name := range []string{"declined-risk", "rejected", "partly-offered"} {
		page := render(t, Fixtures()[name])
		for _, secret := range []string{"not shown", "Device", "creditworth", "fraud"} {
			body := strings.ReplaceAll(page, "to prevent fraud", "")
			if strings.Contains(body, secret) {
				t.Errorf("%s shows %q", name, secret)
			}
		}
	}
}

func TestEveryToldReasonHasCopy(t *testing.T) {
	t.Parallel()
	table := newRenderer(t).english.table
	told := 0
	for key := range table {
		if code, ok := strings.CutPrefix(key, "reason."); ok && kindOf(code) != neutral {
			told++
		}
	}
	if told != 20 {
		t.Errorf("%d reasons with copy; kindOf names 20", told)
	}
}

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	h := http.Header{}
	SecurityHeaders(h, []string{
		"https://shop.example/ok?a=1", "https://shop.example/cancel", "http://127.0.0.1:8081/x", "", "javascript:alert(1)", "//evil.example",
		"https://a.example; script-src *", "https://b.example'/", "data:text/html,x", "https://*.example/",
	})
	want := "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self' https://shop.example http://127.0.0.1:8081; base-uri 'none'; frame-ancestors 'none'"
	if got := h.Get("Content-Security-Policy"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for name, value := range map[string]string{"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex", "X-Content-Type-Options": "nosniff"} {
		if h.Get(name) != value {
			t.Errorf("%s is %q", name, h.Get(name))
		}
	}
}
