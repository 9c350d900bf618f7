package crash

import (
	"context"
	"fmt"
	"testing"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/job"
	"tradecredit/internal/merchant"
)

// TestTwoNodesCollectAndPayOnce lets many payments fall due, and many payout items
// come, at one moment under two nodes: every buyer pays once, and everything is
// paid out once.
func TestTwoNodesCollectAndPayOnce(t *testing.T) {
	t.Parallel()
	c := newCollecting(t)
	c.passes(40 * 24 * time.Hour)
	c.finish()
}

// TestOneOfTwoNodesDiesWhileItCollects kills one of the nodes in the middle of
// that. The other one does what is left.
func TestOneOfTwoNodesDiesWhileItCollects(t *testing.T) {
	t.Parallel()
	c := newCollecting(t)
	c.passes(40 * 24 * time.Hour)
	c.await(debts / 10)
	c.nodes[0].kill()
	if n := c.collected(); n == debts {
		t.Log("everything was collected before the node was killed")
	}
	c.finish()
}

// debts is how many payments fall due at once.
const debts = 80

// collecting is a shop whose buyers owe by card, under two nodes.
type collecting struct {
	*shop
	t        *testing.T
	db       *db.DB
	merchant merchant.Created
	nodes    []*node
	payments []string
	totals   map[string]int64
}

func newCollecting(t *testing.T) *collecting {
	o := dbtest.Postgres(t)
	c := &collecting{t: t, db: open(t, o), totals: map[string]int64{}, payments: make([]string, debts)}
	c.merchant = stock(t, c.db)
	for range 2 {
		c.nodes = append(c.nodes, start(t, nodeOn(t, o)).mustBeReady())
	}
	c.shop = newShop(t, newClient(c.nodes[1].url, c.merchant.SecretKey))
	if a, err := c.send("PATCH", "/v1/sandbox/merchant", "", object{"invoice_required": false}); err != nil || a.status != 200 {
		t.Fatal(a, err)
	}
	together(attackers, func(i int) {
		for n := i; n < debts; n += attackers {
			c.payments[n] = c.owe(fmt.Sprint("due ", n), int64(1000+n), n%4 == 0)
		}
	})
	for n, id := range c.payments {
		c.totals[id] = int64(1000 + n)
	}
	idle(t, c.db)
	return c
}

// owe makes a payment that is captured and due in 30 days, by card. Of some, the
// merchant has to give everything back until the buyer pays.
func (c *collecting) owe(uniqueID string, total int64, clawback bool) string {
	payment := c.must(c.t, 201, acceptPath(c.offered(c.t, uniqueID, total)), "", object{"payment_method": "card"}).text(c.t, "id")
	c.must(c.t, 201, actionPath(payment, "capture_remaining"), "", nil)
	if clawback {
		c.must(c.t, 201, actionPath(payment, "clawback"), "", object{"amount": total})
	}
	return payment
}

// passes moves the merchant's time, and leaves what is due to the nodes.
func (c *collecting) passes(by time.Duration) {
	ctx := context.Background()
	err := c.db.Write(ctx, func(tx *db.Tx) error {
		m, err := merchant.Lock(ctx, tx, c.merchant.ID)
		if err != nil {
			return err
		}
		m.Offset += by
		job.Shift(tx, m.ID, m.Offset)
		return merchant.Save(tx, m)
	})
	if err != nil {
		c.t.Fatal(err)
	}
}

const countSettled db.SQL = `SELECT count(*) FROM repayments WHERE merchant_id = $1 AND status = 'settled'`

// collected is how many payments have come.
func (c *collecting) collected() int64 { return count(c.t, c.db, countSettled, c.merchant.ID) }

// await waits until that many payments have come.
func (c *collecting) await(n int64) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	late := time.After(patience)
	for c.collected() < n {
		select {
		case <-late:
			c.t.Fatalf("%d of %d payments were collected", c.collected(), n)
		case <-tick.C:
		}
	}
}

// finish waits for the payouts of everything, and checks that all came once.
func (c *collecting) finish() {
	c.t.Helper()
	idle(c.t, c.db)
	// What the buyers paid of what had been clawed back is paid out a week later.
	c.passes(10 * 24 * time.Hour)
	idle(c.t, c.db)
	for _, id := range c.payments {
		var p struct {
			Outstanding struct{ Amount int64 } `json:"outstanding_balance"`
			Payments    []struct {
				Type, Status, Method string
				Amount               int64
			}
		}
		c.get(c.t, "/v1/payment/deferred_payments/"+id, &p)
		if len(p.Payments) != 1 || p.Payments[0].Status != "settled" || p.Payments[0].Amount != c.totals[id] || p.Outstanding.Amount != 0 {
			c.t.Errorf("%s of %d: %+v", id, c.totals[id], p)
		}
	}
	c.checkPayouts()
	verify(c.t, c.db)
}

// payoutItem is what is looked at of a payout item.
type payoutItem struct {
	ID, Status   string
	Payment      string `json:"deferred_payment"`
	Payout       *string
	Amount, Fees int64
}

// checkPayouts demands that every item is in one payout, and that the payouts come
// to what was sold, less fees.
func (c *collecting) checkPayouts() {
	c.t.Helper()
	var payouts struct {
		Results []struct {
			ID     string
			Amount int64
			Items  []payoutItem
		}
	}
	c.get(c.t, "/v1/payment/payouts?limit=100", &payouts)
	var paid, want int64
	in := map[string]int{}
	for _, p := range payouts.Results {
		paid += p.Amount
		for _, i := range p.Items {
			in[i.ID]++
		}
	}
	var items struct {
		Count   int
		Results []payoutItem
	}
	seen := 0
	for offset := 0; offset == 0 || offset < items.Count; offset += 100 {
		c.get(c.t, fmt.Sprintf("/v1/payment/payout_items?limit=100&offset=%d", offset), &items)
		for _, i := range items.Results {
			seen++
			want += i.Amount - i.Fees
			if i.Status != "paid" || in[i.ID] != 1 {
				c.t.Errorf("an item in %d payouts: %+v", in[i.ID], i)
			}
		}
	}
	if len(in) != seen {
		c.t.Errorf("%d items were paid, and there are %d", len(in), seen)
	}
	var sold, fees int64
	for _, total := range c.totals {
		sold += total
		fees += (total*100 + 5000) / 10000
	}
	if paid != want || paid != sold-fees {
		c.t.Errorf("%d were paid out; the items come to %d, the sales less fees to %d", paid, want, sold-fees)
	}
}
