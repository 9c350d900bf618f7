package id

import (
	"regexp"
	"testing"

	"github.com/google/uuid"
)

func TestNewSortsByTime(t *testing.T) {
	t.Parallel()
	shape := regexp.MustCompile(`^order-[2-9A-HJ-NP-Za-km-z]{22}$`)
	last := ""
	for range 10000 {
		s := New(Order)
		if !shape.MatchString(s) {
			t.Fatalf("%q is not well-formed", s)
		}
		if s <= last {
			t.Fatalf("%q does not sort after %q", s, last)
		}
		last = s
	}
}

func TestOfPutsTheMostSignificantDigitFirst(t *testing.T) {
	t.Parallel()
	one := uuid.UUID{15: 1}
	if got := Of(User, one); got != "user-2222222222222222222223" {
		t.Errorf("got %q", got)
	}
}

func TestHasAndCanonical(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{"user-x": true, "user-": false, "userx": false, "": false, "org-x": false} {
		if Has(User, s) != want {
			t.Errorf("Has(%q) is not %v", s, want)
		}
	}
	if Canonical("offer-abc") != "offr-abc" || Canonical("order-abc") != "order-abc" {
		t.Error("old prefixes are not read")
	}
}

func TestNumberAndSecret(t *testing.T) {
	t.Parallel()
	if n := Number("P"); !regexp.MustCompile(`^P-[2-9A-Z]{4}-[2-9A-Z]{4}$`).MatchString(n) {
		t.Errorf("number %q", n)
	}
	if s := Secret(43); len(s) != 43 || s == Secret(43) {
		t.Errorf("secret %q", s)
	}
}
