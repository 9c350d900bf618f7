package form

import (
	"strings"
	"time"
)

// Dates and times follow Django 4 and later on Python 3.11: ISO 8601 in all its
// usual spellings, with digits of any script.

const (
	badDate     = "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."
	badDateTime = "Datetime has wrong format. Use one of these formats instead: " +
		"YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
	badTime    = "Time has wrong format. Use one of these formats instead: hh:mm[:ss[.uuuuuu]]."
	outOfRange = "Datetime value out of range."
)

// maxTimeText is the longest text read as a date or a time.
const maxTimeText = 100

type dateKind struct{ common }

func (dateKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	if in.kind == KindString && len(in.text) <= maxTimeText {
		s := scanner{text: asciiDigits(in.text)}
		if day, ok := s.date(); ok && s.end() {
			return result{value: StringValue(day.Format(time.DateOnly))}, nil
		}
	}
	return result{}, messages(badDate)
}

type dateTimeKind struct{ common }

func (dateTimeKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	if in.kind != KindString || len(in.text) > maxTimeText {
		return result{}, messages(badDateTime)
	}
	moment, ok := parseDateTime(in.text)
	if !ok {
		return result{}, messages(badDateTime)
	}
	if year := moment.Year(); year < 1 || year > 9999 {
		return result{}, messages(outOfRange)
	}
	return result{value: StringValue(FormatTime(moment)), typed: moment}, nil
}

// FormatTime writes a moment the way answers do: UTC, "Z", and six digits of
// a second or none.
func FormatTime(t time.Time) string {
	t = t.UTC()
	if t.Nanosecond()/1000 == 0 {
		return t.Format("2006-01-02T15:04:05Z")
	}
	return t.Format("2006-01-02T15:04:05.000000Z")
}

// parseDateTime reads a moment; without an offset it is UTC, without a time
// midnight.
func parseDateTime(text string) (time.Time, bool) {
	s := scanner{text: asciiDigits(text)}
	day, ok := s.date()
	if !ok {
		return time.Time{}, false
	}
	if s.text == "" {
		return day, true
	}
	if !s.separator() {
		return time.Time{}, false
	}
	clock, ok := s.clock()
	if !ok {
		return time.Time{}, false
	}
	s.text = strings.TrimLeftFunc(s.text, isSpace)
	offset, ok := s.offset()
	if !ok || !s.end() {
		return time.Time{}, false
	}
	return day.Add(clock - offset), true
}

type timeKind struct{ common }

// decode ignores whatever follows the time, as the recorded application does.
func (timeKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	if in.kind == KindString && len(in.text) <= maxTimeText {
		s := scanner{text: asciiDigits(in.text)}
		hours := digits(s.text, 0)
		colon := hours <= 2 && strings.HasPrefix(s.text[hours:], ":")
		if clock, ok := s.clock(); ok && colon {
			return result{value: StringValue(formatClock(clock))}, nil
		}
	}
	return result{}, messages(badTime)
}

func formatClock(clock time.Duration) string {
	t := time.Time{}.Add(clock)
	if t.Nanosecond() == 0 {
		return t.Format("15:04:05")
	}
	return t.Format("15:04:05.000000")
}

// scanner takes parts off the front of text.
type scanner struct{ text string }

// number takes between least and most digits.
func (s *scanner) number(least, most int) (n int, ok bool) {
	i := 0
	for i < most && i < len(s.text) && isDigit(s.text[i]) {
		n = n*10 + int(s.text[i]-'0')
		i++
	}
	if i < least {
		return 0, false
	}
	s.text = s.text[i:]
	return n, true
}

func (s *scanner) take(c byte) bool {
	if s.text != "" && s.text[0] == c {
		s.text = s.text[1:]
		return true
	}
	return false
}

// end reports whether nothing is left. A single line break passes, as in the
// recorded application.
func (s *scanner) end() bool { return s.text == "" || s.text == "\n" }

// separator takes the one character between date and time.
func (s *scanner) separator() bool {
	for i, r := range s.text {
		if i > 0 {
			s.text = s.text[i:]
			return true
		}
		if '0' <= r && r <= '9' {
			return false
		}
	}
	return false
}

// date takes 2006-01-02 (month and day also with one digit), 20060102,
// 2006-W01[-1] or 2006W01[1].
func (s *scanner) date() (time.Time, bool) {
	year, ok := s.number(4, 4)
	if !ok || year < 1 {
		return time.Time{}, false
	}
	dashed := s.take('-')
	if s.take('W') {
		return s.week(year, dashed)
	}
	least := 2
	if dashed {
		least = 1
	}
	month, ok := s.number(least, 2)
	if !ok || dashed && !s.take('-') {
		return time.Time{}, false
	}
	day, ok := s.number(least, 2)
	if !ok || month < 1 || month > 12 || day < 1 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	return t, t.Day() == day
}

// week takes the rest of an ISO week date.
func (s *scanner) week(year int, dashed bool) (time.Time, bool) {
	week, ok := s.number(2, 2)
	if !ok || week < 1 || week > 53 {
		return time.Time{}, false
	}
	day := 1
	if dashed == strings.HasPrefix(s.text, "-") && s.text != "" {
		rest := scanner{text: strings.TrimPrefix(s.text, "-")}
		if n, ok := rest.number(1, 1); ok {
			day, *s = n, rest
		}
	}
	if day < 1 || day > 7 {
		return time.Time{}, false
	}
	// The fourth of January is always in week 1.
	fourth := time.Date(year, time.January, 4, 0, 0, 0, 0, time.UTC)
	monday := fourth.AddDate(0, 0, -(int(fourth.Weekday())+6)%7)
	t := monday.AddDate(0, 0, 7*(week-1)+day-1)
	isoYear, isoWeek := t.ISOWeek()
	return t, isoYear == year && isoWeek == week && t.Year() >= 1 && t.Year() <= 9999
}

// clock takes a time of day.
func (s *scanner) clock() (time.Duration, bool) {
	hour, minute, second, fraction, ok := s.parts()
	if !ok || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	return duration(hour, minute, second) + fraction, true
}

func duration(hours, minutes, seconds int) time.Duration {
	return time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute + time.Duration(seconds)*time.Second
}

// parts takes 15, 15:04, 15:04:05, 1504 or 150405, the seconds with a fraction.
func (s *scanner) parts() (hour, minute, second int, fraction time.Duration, ok bool) {
	least := 1
	hour, ok = s.number(1, 2)
	colons := s.take(':')
	if !colons {
		least = 2
	}
	if !ok || !colons && !s.digit() {
		return
	}
	minute, ok = s.number(least, 2)
	if !ok || colons && !s.take(':') || !colons && !s.digit() {
		return
	}
	second, ok = s.number(least, 2)
	return hour, minute, second, s.fraction(), ok
}

func (s *scanner) digit() bool { return s.text != "" && isDigit(s.text[0]) }

// fraction takes a fraction of a second, cut to microseconds.
func (s *scanner) fraction() time.Duration {
	if !s.take('.') && !s.take(',') {
		return 0
	}
	fraction, unit := time.Duration(0), 100*time.Millisecond
	for s.digit() {
		fraction += time.Duration(s.text[0]-'0') * unit
		unit /= 10
		s.text = s.text[1:]
	}
	return fraction.Truncate(time.Microsecond)
}

// offset takes Z or ±15[:]04[[:]05[.000000]]; nothing is UTC.
func (s *scanner) offset() (time.Duration, bool) {
	switch {
	case s.text == "" || s.take('Z'):
		return 0, true
	case s.take('+'):
		return s.zone()
	case s.take('-'):
		zone, ok := s.zone()
		return -zone, ok
	}
	return 0, false
}

// zone takes the size of an offset, less than a day.
func (s *scanner) zone() (time.Duration, bool) {
	if digits(s.text, 0) < 2 {
		return 0, false
	}
	hours, minutes, seconds, fraction, ok := s.parts()
	size := duration(hours, minutes, seconds) + fraction
	return size, ok && size < 24*time.Hour
}
