package credit

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tradecredit/internal/underwriting"
)

func TestApplying(t *testing.T) {
	t.Parallel()
	own, standard := MerchantLimit{CompanyID: "co-1", Amount: 5, Active: true}, MerchantLimit{Amount: 7, Active: true}
	off := func(l MerchantLimit) MerchantLimit { l.Active = false; return l }
	for name, c := range map[string]struct {
		limits []MerchantLimit
		want   *MerchantLimit
	}{
		"neither":                 {nil, nil},
		"the default":             {[]MerchantLimit{standard}, &standard},
		"the buyer's own":         {[]MerchantLimit{standard, own}, &own},
		"in another order":        {[]MerchantLimit{own, standard}, &own},
		"its own is switched off": {[]MerchantLimit{off(own), standard}, &standard},
		"the default is off":      {[]MerchantLimit{off(standard), own}, &own},
		"both are off":            {[]MerchantLimit{off(standard), off(own)}, nil},
	} {
		if diff := cmp.Diff(c.want, Applying("co-1", c.limits)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestRoom: a merchant's own limit stands in for the lender's and for no other
// reason.
func TestRoom(t *testing.T) {
	t.Parallel()
	limit, sector := underwriting.NewReason(underwriting.BuyerLimit, nil), underwriting.NewReason("buyer-sector", nil)
	for name, c := range map[string]struct {
		standing     Standing
		amount       int64
		marked       string
		want         Room
		refused, lim *underwriting.Reason
	}{
		"within the limit": {standing: Standing{Assessment: underwriting.Assessment{Available: 100}}, amount: 100,
			want: Room{Protected: 100}, lim: limit},
		"with a merchant's limit": {standing: Standing{Assessment: underwriting.Assessment{Available: 100}, MerchantLimit: 50, MerchantInUse: 20}, amount: 100,
			want: Room{Protected: 100, Unprotected: 30}, lim: limit},
		"topped up": {standing: Standing{Assessment: underwriting.Assessment{Reason: limit, Available: 100}, MerchantLimit: 50}, amount: 120,
			want: Room{Protected: 100, Unprotected: 50}, lim: limit},
		"both are overdrawn": {standing: Standing{Assessment: underwriting.Assessment{Reason: limit, Available: -5}, MerchantLimit: 50, MerchantInUse: 60}, amount: 1,
			want: Room{}, lim: limit},
		"another reason": {standing: Standing{Assessment: underwriting.Assessment{Reason: sector, Available: 100}, MerchantLimit: 50}, amount: 120,
			want: Room{Protected: Unlimited}, refused: sector},
		"limited whatever the sum": {standing: Standing{Assessment: underwriting.Assessment{Reason: limit, Available: 100}, MerchantLimit: 50}, amount: 20,
			want: Room{Unprotected: 50}, lim: limit},
		"a company that is marked": {standing: Standing{Assessment: underwriting.Assessment{Reason: limit, Available: 100}, MerchantLimit: 50}, amount: 120,
			marked: underwriting.BuyerLimit, want: Room{Unprotected: 50}, lim: limit},
		"offered by a pattern": {standing: Standing{Assessment: underwriting.Assessment{Bypassed: true}}, amount: 120,
			want: Room{Protected: Unlimited}},
		"declined by a pattern": {standing: Standing{Assessment: underwriting.Assessment{Bypassed: true, Reason: sector}}, amount: 120,
			want: Room{Protected: Unlimited}, refused: sector},
	} {
		c.standing.Application.Amount, c.standing.Application.Buyer.RejectionCode = c.amount, c.marked
		c.want.Refused, c.want.Exceeded = c.refused, c.lim
		if diff := cmp.Diff(c.want, c.standing.Room()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestRoomAndCeilings: what there is room for when a plan is made can be reserved
// when it is accepted at once, and nothing beyond.
func TestRoomAndCeilings(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sum := rapid.Int64Range(0, 1000)
		s := Standing{MerchantLimit: sum.Draw(t, "merchant's"), MerchantInUse: sum.Draw(t, "in use of it")}
		s.Limit, s.Application.InUse, s.Application.Amount = sum.Draw(t, "limit"), sum.Draw(t, "in use"), 1+sum.Draw(t, "amount")
		if s.Available = max(0, s.Limit-s.Application.InUse); s.Application.Amount > s.Available {
			s.Reason = underwriting.NewReason(underwriting.BuyerLimit, nil)
		}
		room := s.Room()
		protected := min(s.Application.Amount, room.Protected)
		unprotected := s.Application.Amount - protected
		lender, merchant := s.Ceilings()
		fits := (protected == 0 || protected <= lender-s.Application.InUse) && (unprotected == 0 || unprotected <= merchant-s.MerchantInUse)
		if offered := unprotected <= room.Unprotected; offered != fits {
			t.Fatalf("%+v: offered %v, could be reserved %v", s, offered, fits)
		}
	})
}

func TestActions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code               string
		overdue, reviewing bool
		want               []string
	}{
		{"", false, false, []string{}},
		{"", true, false, []string{PayOverdue}},
		{"", false, true, []string{AwaitCreditReview}},
		{"buyer-country", false, false, []string{NoActionPossible}},
		{"buyer-sector", true, false, []string{PayOverdue}},
		{"buyer-no-financials", false, false, []string{ProvideFinancials}},
		{"buyer-accounts-too-old", true, false, []string{PayOverdue, ProvideFinancials}},
		{"buyer-uncreditworthy", false, false, []string{ProvideBankStatements}},
		{"buyer-limit", false, false, []string{SubmitCreditReview}},
		{"buyer-limit", true, true, []string{PayOverdue, AwaitCreditReview}},
		{"buyer-overdue-with-seller", false, false, []string{PayOverdue}},
		{"buyer-overdue-with-seller", true, false, []string{PayOverdue}},
		{"buyer-profile", false, false, []string{EmailBuyerSupport}},
		{"invoice-currency", false, false, []string{NoActionPossible}},
		{"something-new", false, false, []string{EmailBuyerSupport}},
	} {
		if diff := cmp.Diff(c.want, Actions(c.code, c.overdue, c.reviewing)); diff != "" {
			t.Errorf("%+v: %s", c, diff)
		}
	}
	for _, code := range underwriting.Codes() {
		got := Actions(code, false, false)
		if len(got) != 1 || !slices.Contains(AllActions(), got[0]) {
			t.Errorf("%s: %q", code, got)
		}
	}
	for code := range remedies {
		if !slices.Contains(underwriting.Codes(), code) {
			t.Errorf("%s is no code", code)
		}
	}
}

func TestHomeCurrency(t *testing.T) {
	t.Parallel()
	for country, want := range map[string]string{"GB": "GBP", "FR": "EUR", "IE": "EUR", "US": "USD", "": "EUR"} {
		if got := HomeCurrency(country); got != want {
			t.Errorf("%s: %s", country, got)
		}
	}
}

func TestConverterIsCareful(t *testing.T) {
	t.Parallel()
	c := converter{to: "GBP"}
	if v := c.floor(5, "EUR"); v != 0 || !c.missing || c.err != nil {
		t.Errorf("without a rate: %d %+v", v, c)
	}
	c = converter{to: "GBP"}
	if v := c.sum(map[string]int64{"GBP": 3, "EUR": 0, "USD": 4}); v != 3 || !c.missing {
		t.Errorf("what is not known: %d %+v", v, c)
	}
	c = converter{to: "GBP"}
	if c.sum(map[string]int64{"GBP": math.MaxInt64}); c.err != nil || c.missing {
		t.Errorf("the largest: %+v", c)
	}
}
