package calendar

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

// every calls f with all days of 2020 to 2035.
func every(f func(time.Time)) {
	for t := day("2020-01-01"); t.Year() <= 2035; t = t.AddDate(0, 0, 1) {
		f(t)
	}
}

// easterSunday by the rule of the Gregorian calendar as Meeus and Butcher wrote
// it, to check the library's against.
func easterSunday(y int) time.Time {
	a, b, c := y%19, y/100, y%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return time.Date(y, time.Month(n/31), n%31+1, 0, 0, 0, 0, time.UTC)
}

func TestTARGET2(t *testing.T) {
	t.Parallel()
	d := Of(TARGET2)
	every(func(at time.Time) {
		easter := easterSunday(at.Year())
		closed := at.Weekday() == time.Saturday || at.Weekday() == time.Sunday ||
			at.Equal(easter.AddDate(0, 0, -2)) || at.Equal(easter.AddDate(0, 0, 1))
		switch at.Format("01-02") {
		case "01-01", "05-01", "12-25", "12-26":
			closed = true
		}
		if d.Is(at) == closed {
			t.Errorf("%s: business day %t", at.Format("Mon 2006-01-02"), !closed)
		}
	})
}

// closings are from the publications of the governments and central banks.
func TestClosed(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"GB 2020": "01-01 04-10 04-13 05-08 05-25 08-31 12-25 12-28",
		"GB 2021": "01-01 04-02 04-05 05-03 05-31 08-30 12-27 12-28",
		"GB 2022": "01-03 04-15 04-18 05-02 06-02 06-03 08-29 09-19 12-26 12-27",
		"GB 2023": "01-02 04-07 04-10 05-01 05-08 05-29 08-28 12-25 12-26",
		"GB 2024": "01-01 03-29 04-01 05-06 05-27 08-26 12-25 12-26",
		"GB 2025": "01-01 04-18 04-21 05-05 05-26 08-25 12-25 12-26",
		"GB 2026": "01-01 04-03 04-06 05-04 05-25 08-31 12-25 12-28",
		"GB 2027": "01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28",
		"GB 2028": "01-03 04-14 04-17 05-01 05-29 08-28 12-25 12-26",
		"FR 2024": "01-01 04-01 05-01 05-08 05-09 05-20 08-15 11-01 11-11 12-25",
		"DE 2024": "01-01 03-29 04-01 05-01 05-09 05-20 10-03 12-25 12-26",
		"ES 2024": "01-01 03-29 05-01 08-15 11-01 12-06 12-25",
		"IT 2024": "01-01 04-01 04-25 05-01 08-15 11-01 12-25 12-26",
		"IT 2027": "01-01 01-06 03-29 06-02 10-04 11-01 12-08",
		"NL 2022": "04-15 04-18 04-27 05-05 05-26 06-06 12-26",
		"BE 2024": "01-01 04-01 05-01 05-09 05-20 08-15 11-01 11-11 12-25",
		"IE 2024": "01-01 02-05 03-18 04-01 05-06 06-03 08-05 10-28 12-25 12-26",
		"IE 2022": "01-03 03-17 03-18 04-18 05-02 06-06 08-01 10-31 12-26 12-27",
		"AT 2024": "01-01 04-01 05-01 05-09 05-20 05-30 08-15 11-01 12-25 12-26",
		"PT 2024": "01-01 03-29 04-25 05-01 05-30 06-10 08-15 11-01 12-25",
		"LU 2024": "01-01 04-01 05-01 05-09 05-20 08-15 11-01 12-25 12-26",
		"US 2026": "01-01 01-19 02-16 05-25 06-19 09-07 10-12 11-11 11-26 12-25",
		"US 2027": "01-01 01-18 02-15 05-31 07-05 09-06 10-11 11-11 11-25",
		"XX 2024": "",
	} {
		name, year, _ := strings.Cut(key, " ")
		var y int
		if _, err := fmt.Sscan(year, &y); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, h := range Of(name).Closed(y) {
			got = append(got, h.Date.Format("01-02"))
			if h.Name == "" {
				t.Errorf("%s %s has no name", key, h.Date)
			}
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("%s:\n got %s\nwant %s", key, got, want)
		}
	}
}

// TestAgainstCounting compares with days that are counted one by one.
func TestAgainstCounting(t *testing.T) {
	t.Parallel()
	for _, name := range append(Known(), "XX") {
		d := Of(name)
		var business []time.Time
		every(func(at time.Time) {
			if d.Is(at) {
				business = append(business, at)
				if at.Weekday() == time.Saturday || at.Weekday() == time.Sunday {
					t.Errorf("%s works on %s", name, at.Format("Mon 2006-01-02"))
				}
			}
			if d.Is(at) != d.Is(at.Add(24*time.Hour-1)) || d.Is(at) != d.Is(at.In(time.FixedZone("", 7*3600))) {
				t.Errorf("%s: the time of day decides about %s", name, at)
			}
		})
		i := 0 // of the first business day that is not before at
		every(func(at time.Time) {
			for i < len(business) && business[i].Before(at) {
				i++
			}
			if i < 10 || i >= len(business)-10 {
				return
			}
			j := i // of the first after at
			if business[i].Equal(at) {
				j++
			}
			for n, want := range map[int]time.Time{
				0: business[i], 1: business[j], 2: business[j+1], 9: business[j+8], -1: business[i-1], -5: business[i-5],
			} {
				if got := d.Add(at, n); !got.Equal(want) || got.Location() != time.UTC {
					t.Fatalf("%s: %s plus %d is %s, not %s", name, at, n, got, want)
				}
			}
			before := business[i]
			if !before.Equal(at) {
				before = business[i-1]
			}
			if got := d.OnOrBefore(at.Add(13 * time.Hour)); !got.Equal(before) {
				t.Fatalf("%s: on or before %s: %s", name, at, got)
			}
			if got := d.OnOrAfter(at.Add(13 * time.Hour)); !got.Equal(business[i]) {
				t.Fatalf("%s: on or after %s: %s", name, at, got)
			}
		})
	}
}

func TestThereAndBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom(append(Known(), "XX")).Draw(t, "calendar")
		from := day("2020-01-01").AddDate(0, 0, rapid.IntRange(0, 16*366).Draw(t, "day"))
		changed := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Holiday {
			return Holiday{
				Country: name, Date: from.AddDate(0, 0, rapid.IntRange(-20, 20).Draw(t, "offset")), Name: "x",
				Open: rapid.Bool().Draw(t, "open"),
			}
		}), 0, 10).Draw(t, "changed")
		d := Of(name, changed...)
		n, m := rapid.IntRange(0, 60).Draw(t, "n"), rapid.IntRange(1, 60).Draw(t, "m")
		start := d.OnOrAfter(from)
		if got := d.Add(d.Add(start, n), -n); !got.Equal(start) {
			t.Fatalf("%s plus and minus %d is %s", start, n, got)
		}
		if !d.Add(d.Add(from, n), m).Equal(d.Add(d.Add(from, n+m), 0)) && n > 0 {
			t.Fatalf("%d and %d days after %s are not %d", n, m, from, n+m)
		}
		if got := d.Add(from, -m); !got.Before(from) || !d.Is(got) {
			t.Fatalf("%s minus %d is %s", from, m, got)
		}
	})
}

func TestChanged(t *testing.T) {
	t.Parallel()
	d := Of("GB",
		Holiday{Country: "GB", Date: day("2027-05-04"), Name: "Jubilee"},
		Holiday{Country: "GB", Date: day("2027-05-03"), Open: true},
		Holiday{Country: "GB", Date: day("2027-05-08"), Open: true},
		Holiday{Country: "FR", Date: day("2027-05-05"), Name: "of others"})
	for at, want := range map[string]bool{
		"2027-05-03": true, "2027-05-04": false, "2027-05-05": true, "2027-05-08": false,
	} {
		if d.Is(day(at)) != want {
			t.Errorf("%s: business day %t", at, !want)
		}
	}
	if got := d.Add(day("2027-05-03"), 1); !got.Equal(day("2027-05-05")) {
		t.Errorf("the day after is %s", got)
	}
	if got := d.Closed(2027); len(got) != 8 || got[3].Name != "Jubilee" {
		t.Errorf("%v", got)
	}
}

func TestLeapDays(t *testing.T) {
	t.Parallel()
	d := Of("GB")
	if !d.Is(day("2024-02-29")) || !d.Is(day("2028-02-29")) || d.Is(day("2032-02-29")) {
		t.Error("2024 and 2028 have leap days on working days, 2032 on a Sunday")
	}
	if got := d.Add(day("2028-02-28"), 1); !got.Equal(day("2028-02-29")) {
		t.Errorf("after 28 February 2028 comes %s", got)
	}
	if got := d.Add(day("2027-02-28"), 1); !got.Equal(day("2027-03-01")) {
		t.Errorf("after 28 February 2027 comes %s", got)
	}
}

func TestOutsideTheTables(t *testing.T) {
	t.Parallel()
	d := Of("GB")
	for at, want := range map[string]bool{
		"1969-12-31": true, "1970-01-03": false, "1900-01-01": true, "2200-12-25": true, "2150-12-25": false,
	} {
		if d.Is(day(at)) != want {
			t.Errorf("%s: business day %t", at, !want)
		}
	}
	var zero Days
	if !zero.Is(day("2027-12-27")) || zero.Is(day("2027-12-26")) {
		t.Error("the zero value knows weekends only")
	}
}

func TestForCurrency(t *testing.T) {
	t.Parallel()
	for _, c := range [][3]string{{"EUR", "GB", TARGET2}, {"GBP", "FR", "GB"}, {"USD", "", "US"}, {"SEK", "SE", "SE"}} {
		if got := ForCurrency(c[0], c[1]); got != c[2] {
			t.Errorf("%s in %s settles on %s", c[0], c[1], got)
		}
	}
}
