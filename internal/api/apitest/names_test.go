package apitest

import "testing"

func TestMatch(t *testing.T) {
	t.Parallel()
	const a, b, x, y, org = "user-aaaaaaaaaaaaaaaaaaaaaa", "user-bbbbbbbbbbbbbbbbbbbbbb",
		"user-xxxxxxxxxxxxxxxxxxxxxx", "user-yyyyyyyyyyyyyyyyyyyyyy", "org-xxxxxxxxxxxxxxxxxxxxxx"
	for name, c := range map[string]struct {
		want, got string
		ok        bool
	}{
		"the same":               {`{"id":"` + x + `"}`, `{"id":"` + x + `"}`, true},
		"a bound one":            {a, x, true},
		"another than the bound": {a, y, false},
		"one for two":            {b, x, false},
		"a new one":              {b, y, true},
		"a new one twice":        {b + " " + b, y + " " + y, true},
		"two for one":            {b + " " + b, y + " " + x, false},
		"another prefix":         {b, org, false},
		"another text":           {b + " ", y, false},
		"fewer":                  {b + " " + b, y, false},
	} {
		n := &names{}
		n.bind(a, x)
		if err := n.match(c.want, c.got); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
	n := &names{}
	if err := n.match("["+a+"]", "["+x+"]"); err != nil {
		t.Fatal(err)
	}
	if got := n.replace("/v1/users/" + a + "?" + b); got != "/v1/users/"+x+"?"+b {
		t.Errorf("replaced to %s", got)
	}
}
