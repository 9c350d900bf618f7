package closing

import (
	"context"
	"maps"
	"slices"
	"time"

	"tradecredit/internal/db"
)

// counter adds up what one merchant has open, at one moment. It walks over the
// open payments and over the receivables of the ledger side by side, both in the
// order of their identifiers, and never holds more than a chunk of either.
type counter struct {
	tx         *db.Tx
	merchantID string
	day        time.Time
	chunk      int
	figures    map[string]*Figures
	progress   func(payments int64)
	payments   int64
}

// walk is a list that is read chunk by chunk.
type walk[T any] struct {
	read  func(after string) ([]T, error)
	key   func(T) string
	chunk int
	rows  []T
	after string
	ended bool
}

// first is the row that comes next; ok is false at the end.
func (w *walk[T]) first() (row T, ok bool, err error) {
	if len(w.rows) == 0 && !w.ended {
		if w.rows, err = w.read(w.after); err != nil {
			return row, false, err
		}
		w.ended = len(w.rows) < w.chunk
		if n := len(w.rows); n > 0 {
			w.after = w.key(w.rows[n-1])
		}
	}
	if len(w.rows) == 0 {
		return row, false, nil
	}
	return w.rows[0], true, nil
}

func (w *walk[T]) next() { w.rows = w.rows[1:] }

// count returns the figures by currency.
func (k *counter) count(ctx context.Context) ([]Figures, error) {
	open := &walk[Open]{chunk: k.chunk, key: func(o Open) string { return o.ID }, read: func(after string) ([]Open, error) {
		rows, err := db.All(ctx, k.tx, selectOpen, []any{k.merchantID, after, k.chunk}, scanOpen)
		k.payments += int64(len(rows))
		k.progress(k.payments)
		if err == nil {
			err = ctx.Err() // SQLite's statements do not look at it
		}
		return rows, err
	}}
	ledger := &walk[booked]{chunk: k.chunk, key: func(b booked) string { return b.object }, read: func(after string) ([]booked, error) {
		return db.All(ctx, k.tx, selectBooked, []any{k.merchantID, after, k.chunk}, scanBooked)
	}}
	var rest []booked
	for {
		o, anyOpen, err := open.first()
		if err != nil {
			return nil, err
		}
		b, anyBooked, err := ledger.first()
		switch {
		case err != nil:
			return nil, err
		case !anyOpen && !anyBooked:
			err := k.settled(ctx, rest)
			return k.sorted(), err
		case anyOpen && (!anyBooked || o.ID < b.object):
			k.of(o.Currency).add(o, k.day, 0)
			open.next()
		case anyOpen && o.ID == b.object:
			k.of(o.Currency).add(o, k.day, k.in(o.Currency, b))
			open.next()
			ledger.next()
		default:
			if rest = append(rest, b); len(rest) == k.chunk {
				if err := k.settled(ctx, rest); err != nil {
					return nil, err
				}
				rest = rest[:0]
			}
			ledger.next()
		}
	}
}

// settled counts what the ledger has of objects that are no open payments.
func (k *counter) settled(ctx context.Context, rest []booked) error {
	known, err := payments(ctx, k.tx, k.merchantID, rest)
	if err != nil {
		return err
	}
	for _, b := range rest {
		if o, ok := known[b.object]; ok {
			k.of(o.Currency).addSettled(o, k.in(o.Currency, b))
		} else {
			k.of(b.currency).hold(b.object, 0, b.amount)
		}
	}
	return nil
}

// in is what the ledger has of an object in the currency of the books. Anything in
// another one is a difference there.
func (k *counter) in(currency string, b booked) int64 {
	if b.currency == currency && !b.mixed {
		return b.amount
	}
	k.of(b.currency).hold(b.object, 0, b.amount)
	return 0
}

// of are the figures in a currency.
func (k *counter) of(currency string) *Figures {
	f := k.figures[currency]
	if f == nil {
		f = newFigures(currency, k.day)
		k.figures[currency] = f
	}
	return f
}

func (k *counter) sorted() []Figures {
	out := make([]Figures, 0, len(k.figures))
	for _, currency := range slices.Sorted(maps.Keys(k.figures)) {
		out = append(out, *k.figures[currency])
	}
	return out
}
