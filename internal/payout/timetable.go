package payout

import (
	"slices"
	"time"

	"tradecredit/internal/calendar"
	"tradecredit/internal/merchant"
)

// Timetable says on which days a merchant is paid in a currency. All dates are
// midnight UTC. A run happens at the beginning of its day, so it pays what was
// made on the days before.
type Timetable struct {
	// Weekday is that of the weekly run; when it is no business day the run is on
	// the next one.
	Weekday time.Weekday
	// Delay is how many business days lie between an item and its earliest payout.
	Delay int
	Days  calendar.Days
}

// NewTimetable is the timetable of a merchant's settings.
func NewTimetable(s merchant.Settings, days calendar.Days) Timetable {
	// Monday is the first of the settings and has the number 1.
	weekday := time.Weekday((slices.Index(merchant.Weekdays, s.PayoutWeekday) + 1) % 7)
	return Timetable{Weekday: weekday, Delay: int(s.PayoutDelayDays), Days: days}
}

// Next is the first run after a date.
func (t Timetable) Next(after time.Time) time.Time {
	// Holidays may move the runs of some weeks past the date.
	day := midnight(after).AddDate(0, 0, -28)
	day = day.AddDate(0, 0, (int(t.Weekday)-int(day.Weekday())+7)%7)
	for {
		if run := t.Days.OnOrAfter(day); run.After(after) {
			return run
		}
		day = day.AddDate(0, 0, 7)
	}
}

// OnOrAfter is the first run that is not before a date.
func (t Timetable) OnOrAfter(date time.Time) time.Time {
	return t.Next(midnight(date).AddDate(0, 0, -1))
}

// Earliest is the run that may pay an item of a date.
func (t Timetable) Earliest(created time.Time) time.Time {
	after := midnight(created)
	if matured := t.Days.Add(created, t.Delay).AddDate(0, 0, -1); matured.After(after) {
		after = matured
	}
	return t.Next(after)
}

// Cutoff is the last date of the items that may be paid on a date.
func (t Timetable) Cutoff(payDay time.Time) time.Time {
	created := midnight(payDay).AddDate(0, 0, -1)
	for t.Days.Add(created, t.Delay).After(payDay) {
		created = created.AddDate(0, 0, -1)
	}
	return created
}
