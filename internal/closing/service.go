package closing

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/event"
	"tradecredit/internal/merchant"
)

// chunk is how many payments, or objects of the ledger, are read at a time. It
// bounds the memory that a close needs.
const chunk = 5000

// Service closes days.
type Service struct {
	DB    *db.DB
	Clock clock.Clock
	// Chunk overrides how many rows are read at a time, when above zero.
	Chunk int
}

// Request says what is to be closed.
type Request struct {
	// At is the real time that the close is about. The day of a merchant is the
	// last one that had ended then in its own time.
	At time.Time
	// Day, when set, is the day of all merchants instead, midnight UTC.
	Day time.Time
	// MerchantID narrows the close to one merchant.
	MerchantID string
	// Again closes a day again that was closed before and is not sealed. Otherwise
	// it is left as it is, so that a close that was interrupted goes on where it
	// stood.
	Again bool
}

// Progress is told during a close: after every chunk, with the payments read so
// far of the merchant, and after every merchant, with Closed set.
type Progress struct {
	MerchantID string
	Payments   int64
	Closed     *Close
}

// Summary is what a close came to.
type Summary struct {
	// Merchants counts those closed now, Already those whose day was closed before.
	Merchants int64 `json:"merchants"`
	Already   int64 `json:"already"`
	Payments  int64 `json:"payments"`
	// Differences is for how many objects the ledger says something else.
	Differences int64 `json:"differences"`
}

// errAlready says that the day of a merchant was closed before.
var errAlready = errors.New("closing: the day is closed")

// Close closes a day for every merchant, or for one. Each merchant is read at one
// moment and stored by itself: what is stored stays when a later one fails or the
// process is killed, and the same request goes on behind it. Two closes at once
// store one result. It returns db.ErrNoRows for a merchant that does not exist.
//
// The figures are those of the moment of the close, whatever day it is about: run
// it right after the day has ended.
func (s *Service) Close(ctx context.Context, r Request, progress func(Progress)) (Summary, error) {
	var sum Summary
	after := ""
	for {
		page, err := s.merchants(ctx, r.MerchantID, after)
		if err != nil || len(page) == 0 {
			return sum, err
		}
		for _, m := range page {
			after = m.ID
			c, err := s.close(ctx, m, r, progress)
			switch {
			case errors.Is(err, errAlready):
				sum.Already++
			case err != nil:
				return sum, fmt.Errorf("closing: %s: %w", m.ID, err)
			default:
				sum.Merchants++
				sum.Payments += c.Payments
				sum.Differences += c.Differences
				progress(Progress{MerchantID: m.ID, Payments: c.Payments, Closed: &c})
			}
		}
		if r.MerchantID != "" {
			return sum, nil
		}
	}
}

func (s *Service) merchants(ctx context.Context, merchantID, after string) (page []merchant.Merchant, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		if merchantID != "" {
			m, err := merchant.Get(ctx, tx, merchantID)
			page = []merchant.Merchant{m}
			return err
		}
		page, err = merchant.List(ctx, tx, after, 100)
		return err
	})
	return page, err
}

// close closes the day of one merchant.
func (s *Service) close(ctx context.Context, m merchant.Merchant, r Request, progress func(Progress)) (Close, error) {
	c := Close{MerchantID: m.ID, Day: r.Day}
	if c.Day.IsZero() {
		c.Day = LastDay(m.Now(r.At))
	}
	if today := dayOf(m.Now(s.Clock.Now())); c.Day.After(today) {
		return c, fmt.Errorf("its %s has not come yet", c.Day.Format(time.DateOnly))
	}
	err := s.DB.Snapshot(ctx, func(tx *db.Tx) error {
		if err := mayClose(ctx, tx, c, r.Again); err != nil {
			return err
		}
		k := counter{tx: tx, merchantID: m.ID, day: c.Day, chunk: s.chunk(), figures: map[string]*Figures{}}
		k.progress = func(n int64) { progress(Progress{MerchantID: m.ID, Payments: n}) }
		var err error
		c.Figures, err = k.count(ctx)
		return err
	})
	if err != nil {
		return c, err
	}
	for _, f := range c.Figures {
		c.Payments += f.Payments
		c.Differences += f.Differences
	}
	c.At = m.Now(s.Clock.Now())
	return c, s.DB.Write(ctx, func(tx *db.Tx) error { return c.store(ctx, tx, r.Again) })
}

func (s *Service) chunk() int {
	if s.Chunk > 0 {
		return s.Chunk
	}
	return chunk
}

// mayClose refuses a day that is closed, or that lies before one that is: the
// figures would be of the wrong day.
func mayClose(ctx context.Context, tx *db.Tx, c Close, again bool) error {
	last, err := lastDay(ctx, tx, c.MerchantID)
	if err != nil || last.IsZero() || last.Before(c.Day) {
		return err
	}
	if _, err := Get(ctx, tx, c.MerchantID, c.Day); err != nil {
		if errors.Is(err, db.ErrNoRows) {
			return fmt.Errorf("%s comes before %s, which is closed: %w",
				c.Day.Format(time.DateOnly), last.Format(time.DateOnly), errLater)
		}
		return err
	}
	if last.Equal(c.Day) && again {
		return nil
	}
	return errAlready
}

// errLater says that a later day of the merchant is closed.
var errLater = errors.New("a day cannot be closed afterwards")

// store writes a close unless somebody else has done so meanwhile, seals the days
// before it and says so in the log.
func (c Close) store(ctx context.Context, tx *db.Tx, again bool) error {
	// A day that came later may have been closed since.
	if err := mayClose(ctx, tx, c, again); err != nil {
		return err
	}
	day := epochDay(c.Day)
	n, err := tx.Exec(ctx, insertRun, c.MerchantID, day, c.Payments, c.Differences, db.Micros(c.At))
	if err != nil {
		return err
	}
	if n == 0 {
		if !again {
			return errAlready
		}
		if n, err = tx.Exec(ctx, updateRun, c.MerchantID, day, c.Payments, c.Differences, db.Micros(c.At)); err != nil {
			return err
		}
		if n == 0 {
			return errAlready
		}
		tx.Queue(deleteFigures, c.MerchantID, day)
	}
	tx.Queue(sealRuns, c.MerchantID, day)
	for _, f := range c.Figures {
		if err := queueFigures(tx, c.MerchantID, c.Day, f); err != nil {
			return err
		}
	}
	data, err := db.JSON(c.Out())
	if err != nil {
		return err
	}
	event.Append(tx, event.Event{
		MerchantID: c.MerchantID, Type: "daily_close.completed", ObjectID: "close-" + c.Day.Format(time.DateOnly),
		RootID: c.MerchantID, Data: data, Created: c.At,
	})
	return nil
}

// Out is how a close is shown.
type Out struct {
	MerchantID  string    `json:"merchant"`
	Date        string    `json:"date"`
	ClosedAt    time.Time `json:"closed_at"`
	Sealed      bool      `json:"sealed"`
	Payments    int64     `json:"payments"`
	Differences int64     `json:"differences"`
	Figures     []Figures `json:"figures"`
}

// Out returns how the close is shown.
func (c Close) Out() Out {
	out := Out{
		MerchantID: c.MerchantID, Date: c.Day.Format(time.DateOnly), ClosedAt: c.At.UTC(), Sealed: c.Sealed,
		Payments: c.Payments, Differences: c.Differences, Figures: c.Figures,
	}
	if out.Figures == nil {
		out.Figures = []Figures{}
	}
	return out
}
