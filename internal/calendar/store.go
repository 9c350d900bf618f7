package calendar

import (
	"context"
	"time"

	"tradecredit/internal/db"
)

const (
	selectHolidays db.SQL = `SELECT day, name, open FROM holidays WHERE country = $1 ORDER BY day`
	upsertHoliday  db.SQL = `INSERT INTO holidays (country, day, name, open) VALUES ($1, $2, $3, $4)
		ON CONFLICT (country, day) DO UPDATE SET name = excluded.name, open = excluded.open`
	deleteHoliday db.SQL = `DELETE FROM holidays WHERE country = $1 AND day = $2`
)

// Load returns the days of a country or of TARGET2 as the operator has changed
// them.
func Load(ctx context.Context, tx *db.Tx, country string) (Days, error) {
	changed, err := List(ctx, tx, country)
	if err != nil {
		return Days{}, err
	}
	return Of(country, changed...), nil
}

// List returns what the operator has changed in a calendar, by date.
func List(ctx context.Context, tx *db.Tx, country string) ([]Holiday, error) {
	return db.All(ctx, tx, selectHolidays, []any{country}, func(rows db.Rows) (Holiday, error) {
		h := Holiday{Country: country}
		var n int64
		err := rows.Scan(&n, &h.Name, &h.Open)
		h.Date = date(n)
		return h, err
	})
}

// Put keeps a holiday, in place of what was kept for its date. It returns the
// error of Check.
func Put(tx *db.Tx, h Holiday) error {
	if err := h.Check(); err != nil {
		return err
	}
	tx.Queue(upsertHoliday, h.Country, number(h.Date), h.Name, h.Open)
	return nil
}

// Delete forgets what was kept for a date, so that the national calendar counts
// again. It tells whether there was anything.
func Delete(ctx context.Context, tx *db.Tx, country string, day time.Time) (bool, error) {
	n, err := tx.Exec(ctx, deleteHoliday, country, number(day))
	return n > 0, err
}
