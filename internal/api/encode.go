package api

import (
	"time"

	"tradecredit/internal/db"
)

// Encode writes v as the body of an answer.
func Encode(v any) ([]byte, error) { return db.JSON(v) }

// Time is an instant as the API writes it: UTC, with six digits of fraction or
// none.
type Time time.Time

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) { return []byte(`"` + FormatTime(time.Time(t)) + `"`), nil }

// FormatTime writes an instant as the API does.
func FormatTime(t time.Time) string {
	t = t.UTC()
	if t.Nanosecond() == 0 {
		return t.Format("2006-01-02T15:04:05Z")
	}
	return t.Format("2006-01-02T15:04:05.000000Z")
}

// Raw is JSON that is passed on as it was stored; null when it is empty.
type Raw []byte

// MarshalJSON implements json.Marshaler.
func (r Raw) MarshalJSON() ([]byte, error) {
	if len(r) == 0 {
		return []byte("null"), nil
	}
	return r, nil
}
