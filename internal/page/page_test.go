package page

import (
	"net/http/httptest"
	"net/url"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]Page{
		"":                              {25, 0, false},
		"limit=10&offset=50":            {10, 50, false},
		"limit=5&limit=7":               {7, 0, false},
		"limit=+5&offset=%2B05":         {5, 5, false},
		"limit=1_0":                     {10, 0, false},
		"limit=%EF%BC%95":               {5, 0, false},
		"limit=0&offset=-3":             {25, 0, false},
		"limit=abc&offset=1.0":          {25, 0, false},
		"limit=1e1":                     {25, 0, false},
		"limit=1__0":                    {25, 0, false},
		"limit=1000":                    {100, 0, false},
		"limit=99999999999999999999999": {100, 0, false},
		"ordering=created":              {25, 0, true},
		"ordering=zzz,-created,created": {25, 0, false},
	} {
		q, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		if got := Parse(q); got != want {
			t.Errorf("%s: %+v, want %+v", query, got, want)
		}
	}
}

func TestLinks(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest("GET", "http://shop.test/v1/users/?x&limit=10&offset=10&a=b+c~%2C", nil)
	l := New(r, Parse(r.URL.Query()), 30, []int{1})
	if *l.Next != "http://shop.test/v1/users/?a=b+c~%2C&limit=10&offset=20&x=" {
		t.Errorf("next %s", *l.Next)
	}
	if *l.Previous != "http://shop.test/v1/users/?a=b+c~%2C&limit=10&x=" {
		t.Errorf("previous %s", *l.Previous)
	}
	l = New[int](r, Page{Limit: 25}, 25, nil)
	if l.Next != nil || l.Previous != nil || l.Results == nil {
		t.Errorf("%+v", l)
	}
}
