package exchange

import (
	"context"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/money"
)

const (
	selectRate db.SQL = `SELECT currency, day, rate, source FROM exchange_rates
		WHERE currency = $1 AND day <= $2 ORDER BY day DESC LIMIT 1`
	addRates db.SQL = `INSERT INTO exchange_rates (currency, day, rate, source)
		SELECT u.c, u.d, u.r, u.s FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[]) AS u(c, d, r, s) WHERE TRUE
		ON CONFLICT (currency, day) DO NOTHING`
	importRates db.SQL = `INSERT INTO exchange_rates (currency, day, rate, source)
		SELECT u.c, u.d, u.r, u.s FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[]) AS u(c, d, r, s) WHERE TRUE
		ON CONFLICT (currency, day) DO UPDATE SET rate = excluded.rate, source = excluded.source
		WHERE exchange_rates.source <> 'operator' AND (exchange_rates.rate <> excluded.rate OR exchange_rates.source <> excluded.source)`
	setRate db.SQL = `INSERT INTO exchange_rates (currency, day, rate, source) VALUES ($1, $2, $3, 'operator')
		ON CONFLICT (currency, day) DO UPDATE SET rate = excluded.rate, source = excluded.source`
)

// List returns the rates of currencies that hold on a day: those of that day, or
// else the last ones before it. A currency without any is left out.
func List(ctx context.Context, tx *db.Tx, day time.Time, currencies ...string) ([]Rate, error) {
	var out []Rate
	read := func(rows db.Rows) error {
		for rows.Next() {
			var r Rate
			var n int64
			if err := rows.Scan(&r.Currency, &n, &r.PerEuro, &r.Source); err != nil {
				return err
			}
			r.Day = date(n)
			out = append(out, r)
		}
		return nil
	}
	for _, c := range foreign(currencies) {
		tx.QueueQuery(selectRate, read, c, number(day))
	}
	return out, tx.Flush(ctx)
}

// All is List of every supported currency.
func All(ctx context.Context, tx *db.Tx, day time.Time) ([]Rate, error) {
	return List(ctx, tx, day, money.Currencies()...)
}

// On returns the rates of some currencies that hold on a day. When there are less
// than two different currencies, nothing is to be converted and nothing is read.
func On(ctx context.Context, tx *db.Tx, day time.Time, currencies ...string) (Rates, error) {
	for _, c := range currencies {
		if c != currencies[0] {
			rates, err := List(ctx, tx, day, currencies...)
			return Of(rates...), err
		}
	}
	return Rates{}, nil
}

// Set keeps a rate of the operator's, in place of what was kept for its day.
func Set(tx *db.Tx, r Rate) { tx.Queue(setRate, r.Currency, number(r.Day), r.PerEuro) }

// columns are rates as a statement takes many of them.
func columns(rates []Rate) (currencies []string, days, values []int64, sources []string) {
	for _, r := range rates {
		currencies, days = append(currencies, r.Currency), append(days, number(r.Day))
		values, sources = append(values, r.PerEuro), append(sources, string(r.Source))
	}
	return currencies, days, values, sources
}
