package api

import (
	"net/http/httptest"
	"testing"

	"tradecredit/internal/clock"
)

// TestCallersAddress: what a caller says about itself counts only behind a proxy
// that had the last word.
func TestCallersAddress(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		behindProxy bool
		forwarded   []string
		want        string
	}{
		"direct":                   {false, nil, "192.0.2.1"},
		"direct, with a claim":     {false, []string{"203.0.113.9"}, "192.0.2.1"},
		"behind a proxy":           {true, []string{"203.0.113.9"}, "203.0.113.9"},
		"behind, with a claim":     {true, []string{"198.51.100.7, 203.0.113.9"}, "203.0.113.9"},
		"behind, with two headers": {true, []string{"198.51.100.7", "203.0.113.9"}, "203.0.113.9"},
		"behind, without a header": {true, nil, "192.0.2.1"},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		for _, f := range c.forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		l := newLimiter(Limits{BehindProxy: c.behindProxy}, clock.System{})
		if got := l.address(r); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
