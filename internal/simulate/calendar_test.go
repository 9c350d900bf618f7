package simulate

import (
	"slices"
	"strings"
	"time"
)

// holidays are the weekdays on which no money moves, by currency, as published.
var holidays = map[string]string{
	"GBP": `2026-01-01 2026-04-03 2026-04-06 2026-05-04 2026-05-25 2026-08-31 2026-12-25 2026-12-28
		2027-01-01 2027-03-26 2027-03-29 2027-05-03 2027-05-31 2027-08-30 2027-12-27 2027-12-28
		2028-01-03 2028-04-14 2028-04-17 2028-05-01 2028-05-29 2028-08-28 2028-12-25 2028-12-26
		2029-01-01 2029-03-30 2029-04-02 2029-05-07 2029-05-28 2029-08-27 2029-12-25 2029-12-26
		2030-01-01 2030-04-19 2030-04-22 2030-05-06 2030-05-27 2030-08-26 2030-12-25 2030-12-26`,
	"EUR": `2026-01-01 2026-04-03 2026-04-06 2026-05-01 2026-12-25
		2027-01-01 2027-03-26 2027-03-29
		2028-04-14 2028-04-17 2028-05-01 2028-12-25 2028-12-26
		2029-01-01 2029-03-30 2029-04-02 2029-05-01 2029-12-25 2029-12-26
		2030-01-01 2030-04-19 2030-04-22 2030-05-01 2030-12-25 2030-12-26`,
	"USD": `2026-01-01 2026-01-19 2026-02-16 2026-05-25 2026-06-19 2026-09-07 2026-10-12 2026-11-11 2026-11-26 2026-12-25
		2027-01-01 2027-01-18 2027-02-15 2027-05-31 2027-07-05 2027-09-06 2027-10-11 2027-11-11 2027-11-25
		2028-01-17 2028-02-21 2028-05-29 2028-06-19 2028-07-04 2028-09-04 2028-10-09 2028-11-23 2028-12-25
		2029-01-01 2029-01-15 2029-02-19 2029-05-28 2029-06-19 2029-07-04 2029-09-03 2029-10-08 2029-11-12 2029-11-22 2029-12-25
		2030-01-01 2030-01-21 2030-02-18 2030-05-27 2030-06-19 2030-07-04 2030-09-02 2030-10-14 2030-11-11 2030-11-28 2030-12-25`,
}

// lastYear is the last one of which the holidays stand above.
const lastYear = 2030

// buyersDays is the calendar of the buyers, who are all British.
const buyersDays = "GBP"

func dayOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

func text(t time.Time) string { return t.Format(time.DateOnly) }

func parse(date string) time.Time {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic(err)
	}
	return t
}

func worked(currency string, day time.Time) bool {
	return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday &&
		!slices.Contains(strings.Fields(holidays[currency]), text(day))
}

// workdayFrom is the first business day that is not before a day.
func workdayFrom(currency string, day time.Time) time.Time {
	for !worked(currency, day) {
		day = day.AddDate(0, 0, 1)
	}
	return day
}

// workdaysAfter is the n-th business day after a day; with n 0 the first that is
// not before it.
func workdaysAfter(currency string, day time.Time, n int64) time.Time {
	if n == 0 {
		return workdayFrom(currency, day)
	}
	for ; n > 0; n-- {
		day = workdayFrom(currency, day.AddDate(0, 0, 1))
	}
	return day
}
