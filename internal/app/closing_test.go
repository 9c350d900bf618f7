package app_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"tradecredit/internal/app/apptest"
	"tradecredit/internal/closing"
	"tradecredit/internal/db"
)

// closed is the close of a merchant on a day of its time.
func closed(s *apptest.Server, merchantID string, day time.Time) (c closing.Close, err error) {
	ctx := context.Background()
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		c, err = closing.Get(ctx, tx, merchantID, day)
		return err
	})
	return c, err
}

// TestDailyClose: the day is closed by itself after midnight in real time, and the
// books and the ledger of real purchases agree. Years on a merchant's clock close
// nothing.
func TestDailyClose(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		captured, refunded := shop.Payment(12000), shop.Payment(7000)
		act(shop, captured, "capture", 10000)
		act(shop, refunded, "capture", 7000)
		act(shop, refunded, "refund", 1000)
		repay(shop, refunded, 7000, "settled", 201)
		if ran := shop.Advance(20 * apptest.Day); ran["daily_close"] != 0 {
			t.Errorf("the merchant's clock has closed days: %v", ran)
		}
		day := closing.LastDay(s.Clock.Now()).AddDate(0, 0, 1)
		s.Clock.Advance(24 * time.Hour)
		s.App.Queue.Wake()
		var c closing.Close
		apptest.Eventually(t, func() (err error) {
			c, err = closed(s, shop.Merchant.ID, day.AddDate(0, 0, 20))
			return err
		})
		if len(c.Figures) != 1 || c.Differences != 0 {
			t.Fatalf("%+v", c)
		}
		f := c.Figures[0]
		if f.Currency != "GBP" || f.Authorised != 2000 || f.Outstanding != 10000 || f.Ages.NotDue.Amount+f.Ages.Overdue() != 10000 {
			t.Errorf("%+v", f)
		}
		if _, err := closed(s, shop.Merchant.ID, day.AddDate(0, 0, 19)); !errors.Is(err, db.ErrNoRows) {
			t.Errorf("a day of the moved clock was closed: %v", err)
		}
		s.Clean()
	})
}
