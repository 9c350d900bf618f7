package exchange

import (
	"context"
	"fmt"
	"time"

	"tradecredit/internal/db"
)

// illustrative are rates that nobody published: round figures of the right order
// of magnitude, and for pounds and dollars those at which the examples of the
// reference work out. Francs CFA and lev have their fixed parities.
var illustrative = [...]struct{ currency, rate string }{
	{"AUD", "1.77"}, {"BGN", "1.95583"}, {"CAD", "1.62"}, {"CDF", "2600"}, {"CHF", "0.93"}, {"CZK", "24.3"},
	{"DKK", "7.46"}, {"GBP", "0.8774"}, {"GHS", "12.6"}, {"GMD", "84"}, {"GNF", "10000"}, {"HUF", "385"},
	{"ISK", "146"}, {"JPY", "179"}, {"KES", "150"}, {"MAD", "10.7"}, {"NGN", "1680"}, {"NOK", "11.7"},
	{"NZD", "2.03"}, {"PLN", "4.25"}, {"RON", "5.09"}, {"RWF", "1680"}, {"SEK", "11"}, {"TND", "3.4"},
	{"TRY", "49"}, {"UGX", "4150"}, {"USD", "1.1569"}, {"XAF", "655.957"}, {"XOF", "655.957"}, {"ZAR", "20"},
	{"ZMW", "26"},
}

// illustrativeDay is before every day on which a sandbox looks for a rate, so
// that any imported rate is newer.
var illustrativeDay = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// Sandbox returns the rates that a sandbox starts with.
func Sandbox() ([]Rate, error) {
	out := make([]Rate, 0, len(illustrative))
	for _, i := range illustrative {
		r, err := Parse(illustrativeDay, i.currency, i.rate)
		if err != nil {
			return nil, fmt.Errorf("built-in rates: %w", err)
		}
		r.Source = Illustrative
		out = append(out, r)
	}
	return out, nil
}

// LoadSandbox keeps the rates that a sandbox starts with, unless they are there.
func LoadSandbox(ctx context.Context, d *db.DB) error {
	rates, err := Sandbox()
	if err != nil {
		return err
	}
	return d.Write(ctx, func(tx *db.Tx) error {
		currencies, days, values, sources := columns(rates)
		tx.QueueMany(addRates, currencies, days, values, sources)
		return nil
	})
}
