package underwriting

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
)

const small = `name: small
version: "1"
parameters:
  MAX: 1000
  SHARE: 0.25
  codes: [a, b]
limits:
  default: 5000
rules:
  - code: invoice-too-large
    applies_to: order
    when: %s
    params:
      website_email: "'me@shop.test'"
`

// withWhen is a small policy with a condition.
func withWhen(when string) []byte { return []byte(fmt.Sprintf(small, when)) }

func TestExpressionsAreExact(t *testing.T) {
	t.Parallel()
	for when, want := range map[string]Result{
		`order.amount > params.MAX`:                                                Declined,
		`order.amount > params.MAX * 10`:                                           Passed,
		`decimal("0.1") + decimal("0.2") == decimal("0.3")`:                        Declined,
		`decimal("0.1") + decimal("0.2") != decimal("0.3")`:                        Passed,
		`params.SHARE * decimal(order.amount) == decimal(2500)`:                    Declined,
		`decimal("1") / decimal("3") < decimal("0.34")`:                            Declined,
		`-params.SHARE < decimal("0")`:                                             Declined,
		`percent(order.amount, decimal("33.333")) == 3333`:                         Declined,
		`percent(-1, decimal("50")) == -1`:                                         Declined,
		`string(params.SHARE) == "0.25"`:                                           Declined,
		`order.currency in ["GBP", "EUR"] && company.sectors.exists(s, s == "46")`: Passed,
		`today > timestamp("2026-01-01T00:00:00Z")`:                                Declined,
		`day(today) == "2026-11-20"`:                                               Declined,
		`money(1234567, "GBP") == "12,345.67" && money(-123, "JPY") == "-123"`:     Declined,
		`lower(company.status) == "active"`:                                        Declined,
		`min(order.amount, 3) + max(1, 2) == 5`:                                    Declined,
		// What cannot be worked out declines.
		`order.amount * 9223372036854775807 > 0`:                           Failed,
		`order.amount / (params.MAX - 1000) > 0`:                           Failed,
		`decimal("1") / decimal("0") > decimal("0")`:                       Failed,
		`decimal("9999999999999999999") + decimal("1") > decimal("0")`:     Failed,
		`decimal("0.123456789") * decimal("0.12345678901") > decimal("0")`: Failed,
		`[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, [1,2,3,4,5,6,7,8,9].all(d, a+b+c+d > 0))))`: Failed,
		// A fact that was not looked at decides nothing.
		`exposure.all_in_use > 5`:                      Unseen,
		`params.MAX > 5000 && exposure.all_in_use > 5`: Passed,
	} {
		p, err := ParsePolicy("test.yaml", withWhen(fmt.Sprintf("%q", when)))
		if err != nil {
			t.Errorf("%s: %v", when, err)
			continue
		}
		v, err := p.Decide(CaseOf(application(nil), History{}), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := v.outcomes[0].result; got != want {
			t.Errorf("%s: %s, want %s (%v)", when, got, want, v.outcomes[0].err)
		}
		if declines := want == Declined || want == Failed; declines != (v.Reason != nil) {
			t.Errorf("%s: reason %v", when, v.Reason)
		}
	}
}

// TestRefused holds every way to write a policy that cannot be right against
// what is said about it, and where.
func TestRefused(t *testing.T) {
	t.Parallel()
	good := string(withWhen("order.amount > 1"))
	if _, err := ParsePolicy("p.yaml", []byte(good)); err != nil {
		t.Fatal(err)
	}
	change := func(from, to string) string {
		if !strings.Contains(good, from) {
			t.Fatalf("no %q", from)
		}
		return strings.Replace(good, from, to, 1)
	}
	when := "order.amount > 1"
	for _, c := range []struct{ text, want string }{
		{change(when, "order.amount > 1.5"), "p.yaml:12:24: rule invoice-too-large: when: "},
		{change(when, "decimal('0.1') > decimal(0.1)"), "p.yaml:12:35: rule invoice-too-large: when: "},
		{change(when, "1.5 == 1.5"), "p.yaml:12:11: rule invoice-too-large: when: a part of type double"},
		{change(when, "double(order.amount) > double('1')"), "undeclared reference to 'double'"},
		{change(when, "'[1.5].size() > 0'"), "type list(double)"},
		{change(when, "dyn(order.amount) > 1"), "undeclared reference to 'dyn'"},
		{change(when, "1u == 1u"), "type uint"},
		{change(when, "order.amount"), "when: is of type int, which must be bool"},
		{change(when, "order.amout > 1"), "p.yaml:12:16: rule invoice-too-large: when: undeclared reference"},
		{change(when, "order.amount > 'x'"), "found no matching overload"},
		{change(when, "plan.instalments > 1"), "undeclared reference"},
		{change(when, "params.NONE > 1"), "undeclared reference"},
		{change(when, "order.amount >"), "p.yaml:12:"},
		{change("default: 5000", "default: exposure.available"), "limits: default: undeclared reference"},
		{change("default: 5000", "default: company.name"), "of type string, which must be int"},
		{change("default: 5000", "max: 5000"), `limits: "default" is missing`},
		{change("code: invoice-too-large", "code: invoice-too-big"), `p.yaml:10:11: rule invoice-too-big: unknown code "invoice-too-big"`},
		{change("code: invoice-too-large", "code: seller-limit"), "unknown code"},
		{change("website_email", "website"), `p.yaml:10:5: rule invoice-too-large: the sentence of invoice-too-large lacks its parameter "website_email"`},
		{change("website_email", "website"), `has no parameter "website"`},
		{change("applies_to: order", "applies_to: seller"), "applies_to is buyer, order or plan"},
		{change("applies_to", "aplies_to"), `unknown key "aplies_to"`},
		{change("name: small", "nme: small"), `unknown key "nme"`},
		{change("version: \"1\"\n", ""), `"version" is missing`},
		{change("MAX: 1000", "MAX: 99999999999999999999"), "whole number"},
		{change("MAX: 1000", "MAX: {a: 1}"), "parameter MAX must be"},
		{change("MAX: 1000", "MAX:"), "parameter MAX must be"},
		{change("SHARE: 0.25", "SHARE: .inf"), "parameter SHARE must be"},
		{change("[a, b]", "[a, 1]"), "not both"},
		{change("MAX: 1000", "MAX: 1000\n  MAX: 2"), "MAX"},
		{change("rules:\n", "rules: &x\n"), "rules must be a list"},
		{good + good[strings.Index(good, "  - code"):], "the name stands twice"},
		{"", "is not one YAML document"},
		{"a: [", "p.yaml:1:"},
		{"- a", "the policy must be a mapping"},
		{strings.Repeat("#", maxDocument+1), "longer than"},
	} {
		_, err := ParsePolicy("p.yaml", []byte(c.text))
		var problems *Problems
		if !errors.As(err, &problems) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\nsays %v, want %s", c.text, err, c.want)
		}
	}
}

// TestGuide checks the policy of the guide.
func TestGuide(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/underwriting.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```yaml\n")
	text, _, ok := strings.Cut(rest, "```")
	p, err := ParsePolicy("guide", []byte(text))
	if !ok || err != nil || p.Describe() != "mine 2027-03: 2 limit rules, 4 rules, 4 codes" {
		t.Error(p, err)
	}
	for _, f := range []string{"decimal(", "percent(", "min(", "max(", "lower(", "money(", "day("} {
		if !strings.Contains(string(page), "`"+f) {
			t.Errorf("the guide does not explain %s…)", f)
		}
	}
}

// FuzzPolicy feeds anything to the reader: it must refuse or accept, not fail.
func FuzzPolicy(f *testing.F) {
	p, err := Default()
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(p.Source)) // run it with -fuzzminimizetime 10x: making such a text smaller takes a minute
	f.Add(withWhen("order.amount > 1"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ParsePolicy("p.yaml", text)
		if (p == nil) == (err == nil) {
			t.Fatalf("%v, %v", p, err)
		}
	})
}
