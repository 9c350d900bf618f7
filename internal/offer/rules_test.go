package offer

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/money"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, template := range DefaultTemplates() {
		if err := template.Validate(); err != nil {
			t.Errorf("%s: %v", template.Name, err)
		}
	}
	for name, change := range map[string]func(*Template){
		"no name":          func(t *Template) { t.Name = "" },
		"no instalments":   func(t *Template) { t.Installments = nil },
		"unknown base":     func(t *Template) { t.RelativeTo = "shipping" },
		"99 percent":       func(t *Template) { t.Installments[1].Percentage = money.MustPercent("69") },
		"a zero part":      func(t *Template) { t.Installments[0].Percentage = money.Percent{} },
		"a negative part":  func(t *Template) { t.Installments[0].Percentage = money.MustPercent("-30") },
		"two due rules":    func(t *Template) { t.Installments[1].DueEndOfMonths = pointer(1) },
		"no due rule":      func(t *Template) { t.Installments[1].DueAfterDays = nil },
		"upfront, later":   func(t *Template) { t.Installments[0].DueAfterDays = pointer(3) },
		"due yesterday":    func(t *Template) { t.Installments[1].DueAfterDays = pointer(-1) },
		"due in an age":    func(t *Template) { t.Installments[1].DueAfterDays = pointer(1 << 40) },
		"months ago":       func(t *Template) { t.Installments[1] = endOfMonth(-1, "70") },
		"months to come":   func(t *Template) { t.Installments[1] = endOfMonth(1<<40, "70") },
		"a negative fee":   func(t *Template) { t.MerchantFee.Fixed = -1 },
		"a bonus":          func(t *Template) { t.CustomerFee = money.MustPercent("-1") },
		"no range":         func(t *Template) { t.MinAmount, t.MaxAmount = 10, 9 },
		"unknown method":   func(t *Template) { t.Methods = []string{"cash"} },
		"no method at all": func(t *Template) { t.Methods = nil },
	} {
		template := DefaultTemplates()[2]
		change(&template)
		if err := template.Validate(); !errors.Is(err, ErrTemplate) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestServes(t *testing.T) {
	t.Parallel()
	ranged := Template{Countries: []string{"GB", "FR"}, MinAmount: 100, MaxAmount: 200}
	for _, c := range []struct {
		template Template
		country  string
		total    int64
		want     bool
	}{
		{ranged, "GB", 100, true},
		{ranged, "FR", 200, true},
		{ranged, "DE", 150, false},
		{ranged, "GB", 99, false},
		{ranged, "GB", 201, false},
		{Template{}, "DE", 1 << 60, true},
	} {
		if got := c.template.Serves(c.country, c.total); got != c.want {
			t.Errorf("%s %d: %v", c.country, c.total, got)
		}
	}
}

func TestValidity(t *testing.T) {
	t.Parallel()
	made := time.Date(2020, 10, 20, 12, 0, 0, 0, time.UTC)
	end := ValidUntil(made, DefaultValidityDays)
	if want := time.Date(2020, 10, 27, 12, 0, 0, 0, time.UTC); !end.Equal(want) {
		t.Errorf("valid until %v", end)
	}
	plan := Plan{Status: StatusOffered, ValidUntil: end}
	before := end.Add(-time.Microsecond)
	if !plan.AcceptableAt(before) || plan.LapsedAt(before) || plan.AcceptableAt(end) || !plan.LapsedAt(end) {
		t.Error("the end of validity is not where it should be")
	}
	plan.Status = StatusCancelled
	if plan.AcceptableAt(before) || plan.LapsedAt(end) {
		t.Error("a cancelled plan is neither acceptable nor about to expire")
	}
}

func TestStoredOfferComesBack(t *testing.T) {
	t.Parallel()
	plan, err := BuildPlan(DefaultTemplates()[2], Terms{OrderTotal: 999, Currency: "GBP", BaseDate: date("2024-02-29"), ProtectedLimit: 999})
	if err != nil {
		t.Fatal(err)
	}
	plan.RejectionReason = &RejectionReason{Code: "buyer-country", Params: map[string]any{"debtor_country": "Ireland"}}
	want := Offer{Plans: []Plan{plan}, URLs: URLs{Success: "https://merchant.com/ok"}, Locale: "en-gb", Metadata: json.RawMessage(`{"a":1}`)}
	body, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Offer
	if err := json.Unmarshal(body, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, percent); diff != "" {
		t.Error(diff)
	}
}
