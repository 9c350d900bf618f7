package underwriting

import "testing"

// BenchmarkAssess decides on an order with four plans by the default policy, the
// score included, without a database.
func BenchmarkAssess(b *testing.B) {
	e := NewRules()
	a := application(func(a *Application) {
		a.Buyer.Financials, a.Buyer.Sectors = good(), []string{"46190", "62012"}
		for _, days := range []int{30, 60, 30, 122} {
			a.Plans = append(a.Plans, plans(a.Now.AddDate(0, 0, days))...)
		}
	})
	for b.Loop() {
		if _, err := e.Assess(b.Context(), nil, a); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParsePolicy reads and checks the default policy, as a node does once
// for each policy that it meets.
func BenchmarkParsePolicy(b *testing.B) {
	p, err := Default()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := ParsePolicy("default.yaml", []byte(p.Source)); err != nil {
			b.Fatal(err)
		}
	}
}
