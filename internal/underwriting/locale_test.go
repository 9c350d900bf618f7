package underwriting

import (
	"slices"
	"strings"
	"testing"
)

// TestEverySentenceIsTranslated fails for a sentence about buyers or invoices
// that a language lacks, has other parameters in, or that nobody needs.
func TestEverySentenceIsTranslated(t *testing.T) {
	t.Parallel()
	all, err := translations()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range Locales[1:] {
		table := all[name]
		for code, english := range sentences {
			if strings.HasPrefix(code, "seller-") {
				continue
			}
			want, got := slots(english), slots(table[code])
			slices.Sort(want)
			slices.Sort(got)
			if table[code] == "" || table[code] == english || !slices.Equal(want, got) {
				t.Errorf("%s %s: %q", name, code, table[code])
			}
		}
		for code := range table {
			if code != "days" && sentences[code] == "" {
				t.Errorf("%s has %s, which no policy gives", name, code)
			}
		}
		if !strings.Contains(table["days"], "{n}") {
			t.Errorf("%s: days", name)
		}
	}
}

func TestIn(t *testing.T) {
	t.Parallel()
	long := *NewReason("buyer-high-risk-long-term", map[string]any{"max_term": "30 days"})
	seller := *NewReason("seller-limit", nil)
	for _, c := range []struct {
		r            Reason
		locale, want string
	}{
		{long, "fr-FR", "jusqu'à 30 jours."},
		{long, "de_AT", "bis zu 30 Tagen versichern."},
		{long, "nl,en;q=0.5", "tot 30 dagen verzekeren."},
		{long, "en-gb", "up to 30 days."},
		{long, "pl", "up to 30 days."},
		{long, "", "up to 30 days."},
		{seller, "fr", "as a Seller."},
	} {
		got := c.r.In(c.locale)
		if !strings.HasSuffix(got.Detail, c.want) || got.Code != c.r.Code || strings.Contains(got.Detail, "{") {
			t.Errorf("%s: %q", c.locale, got.Detail)
		}
	}
	if long.Detail != long.In("en").Detail {
		t.Error("English changed")
	}
}
