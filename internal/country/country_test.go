package country

import "testing"

func TestLookup(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"GB": "GB", "gb": "GB", "GBR": "GB", "826": "GB", "United Kingdom": "GB", "united kingdom": "GB",
		"FR": "FR", "France": "FR", "germany": "DE", "USA": "US", "Russia": "RU", "012": "DZ",
	} {
		if got, ok := Lookup(in); !ok || got != want {
			t.Errorf("Lookup(%q) = %q, %v", in, got, ok)
		}
	}
	for _, in := range []string{"", "XX", "Atlantis", " GB", "0", "Unknown", "None"} {
		if got, ok := Lookup(in); ok {
			t.Errorf("Lookup(%q) = %q", in, got)
		}
	}
}

func TestBuyersHaveNames(t *testing.T) {
	t.Parallel()
	for _, c := range Buyers() {
		if c.Name == "" || c.Name == c.Code || !IsBuyer(c.Code) {
			t.Errorf("%+v", c)
		}
	}
}
