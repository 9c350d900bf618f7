// Package calendar knows business days: of countries, of the settlement of
// currencies, and as an operator has changed them.
package calendar

import (
	"errors"
	"fmt"
	"regexp"
	"time"
)

// TARGET2 is the calendar on which payments in euro settle, wherever the accounts
// are.
const TARGET2 = "TARGET2"

// Days answers which days are business days somewhere. The zero value knows
// weekends only. It is safe for concurrent use and cheap to copy.
type Days struct {
	national map[int64]string
	changed  map[int64]Holiday
}

// Holiday is a day that differs from others of its weekday.
type Holiday struct {
	// Country is a two-letter code, or TARGET2.
	Country string `json:"country"`
	// Date is midnight UTC.
	Date time.Time `json:"date"`
	Name string    `json:"name"`
	// Open is a holiday of the national calendar that is worked.
	Open bool `json:"open"`
}

// Of returns the days of a country (ISO 3166-1 alpha-2) or of TARGET2, changed by
// what extra says about that country. A country that has no calendar works Monday
// to Friday; those are the same everywhere: no weekend is ever a business day.
func Of(country string, extra ...Holiday) Days {
	d := Days{national: holidays(country)}
	for _, h := range extra {
		if h.Country != country {
			continue
		}
		if d.changed == nil {
			d.changed = map[int64]Holiday{}
		}
		d.changed[number(h.Date)] = h
	}
	return d
}

// ForCurrency names the calendar on which payments of a currency settle for an
// account in a country.
func ForCurrency(currency, country string) string {
	switch currency {
	case "EUR":
		return TARGET2
	case "GBP":
		return "GB"
	case "USD":
		return "US"
	}
	return country
}

// Known lists the calendars there are besides Monday to Friday.
func Known() []string { return names() }

// number counts the days since 1970 of the date that t has in UTC.
func number(t time.Time) int64 {
	s := t.Unix()
	n := s / 86400
	if s%86400 < 0 {
		n--
	}
	return n
}

// date is the inverse of number.
func date(n int64) time.Time { return time.Unix(n*86400, 0).UTC() }

// weekday of a day by its number: 1 January 1970 was a Thursday.
func weekday(n int64) time.Weekday { return time.Weekday(((n+4)%7 + 7) % 7) }

func weekend(n int64) bool { return weekday(n) == time.Saturday || weekday(n) == time.Sunday }

func (d Days) is(n int64) bool {
	if weekend(n) {
		return false
	}
	if h, ok := d.changed[n]; ok {
		return h.Open
	}
	_, closed := d.national[n]
	return !closed
}

// seek returns the first business day from n on in steps of 1 or -1.
func (d Days) seek(n, step int64) int64 {
	for !d.is(n) {
		n += step
	}
	return n
}

// Is tells whether the date of t in UTC is a business day.
func (d Days) Is(t time.Time) bool { return d.is(number(t)) }

// OnOrAfter returns the first business day that is not before t, at midnight UTC.
func (d Days) OnOrAfter(t time.Time) time.Time { return date(d.seek(number(t), 1)) }

// OnOrBefore returns the last business day that is not after t, at midnight UTC.
func (d Days) OnOrBefore(t time.Time) time.Time { return date(d.seek(number(t), -1)) }

// Add returns the n-th business day after t, or before t when n is negative, at
// midnight UTC: one business day after a Saturday is the Monday. For 0 it is
// OnOrAfter.
func (d Days) Add(t time.Time, n int) time.Time {
	day, step := number(t), int64(1)
	if n == 0 {
		return date(d.seek(day, 1))
	}
	if n < 0 {
		n, step = -n, -1
	}
	for ; n > 0; n-- {
		day = d.seek(day+step, step)
	}
	return date(day)
}

// Closed lists the weekdays of a year that are no business days, in order, with
// the names of the holidays.
func (d Days) Closed(year int) []Holiday {
	var out []Holiday
	end := number(time.Date(year+1, time.January, 1, 0, 0, 0, 0, time.UTC))
	for n := number(time.Date(year, time.January, 1, 0, 0, 0, 0, time.UTC)); n < end; n++ {
		if weekend(n) || d.is(n) {
			continue
		}
		h := Holiday{Date: date(n), Name: d.national[n]}
		if c, ok := d.changed[n]; ok {
			h = c
		}
		out = append(out, h)
	}
	return out
}

var calendarName = regexp.MustCompile(`^([A-Z]{2}|TARGET2)$`)

// Check tells what is wrong with a holiday that is to be kept.
func (h Holiday) Check() error {
	switch {
	case !calendarName.MatchString(h.Country):
		return fmt.Errorf("country %q is neither a two-letter code nor %s", h.Country, TARGET2)
	case !h.Date.Equal(date(number(h.Date))):
		return errors.New("date is not midnight UTC")
	case h.Date.Year() < firstYear || h.Date.Year() > lastYear:
		return fmt.Errorf("date is not in the years %d to %d", firstYear, lastYear)
	case weekend(number(h.Date)):
		return fmt.Errorf("date %s is a %s: weekends are never business days", h.Date.Format(time.DateOnly), h.Date.Weekday())
	case len(h.Name) > 200:
		return errors.New("name is longer than 200 bytes")
	case !h.Open && h.Name == "":
		return errors.New("name is missing")
	}
	return nil
}
