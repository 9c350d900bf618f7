package closing

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/id"
	"tradecredit/internal/merchant"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// now is right after the end of the day that is closed.
var (
	now = time.Date(2026, 11, 21, 0, 5, 0, 0, time.UTC)
	day = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
)

type still time.Time

func (s still) Now() time.Time { return time.Time(s) }

const (
	putPayment db.SQL = `INSERT INTO deferred_payments (merchant_id, id, number, order_id, payment_plan_id, organisation_id,
		company_id, currency, payment_method, rejection_code, status, version, order_total, protected_amount,
		authorisation, protected_captures, unprotected_captures, refunds, voided_authorisation, expired_authorisation, clawback,
		fee_sum, fee_authorisation, fee_captures, fee_refunds, fee_voided_authorisation, fee_expired_authorisation,
		event_count, created_at, repaid, written_off, customer_discount)
		VALUES ($1, $2, $2, $2, $2, 'org-1', 'co-1', $3, 'invoice', '', 'accepted', 'v2', $4, $5, $6, $7, $8, 0, $9, 0, $10,
			$11, $12, $13, 0, 0, 0, 1, 1, $14, $15, $16)`
	putState db.SQL = `INSERT INTO repayment_states (merchant_id, deferred_payment_id, organisation_id, currency, method, token, status,
		next_date, late_since, attempts, retry_on, collecting, dunned_for, dunned_day, paused_until, promised_on, promised_amount)
		VALUES ($1, $2, 'org-1', $3, 'invoice', '', $4, $5, '', 0, '', '', '', 0, '', '', 0)`
	putEntry db.SQL = `INSERT INTO ledger_entries (merchant_id, transaction_id, line, account, object_id, currency, amount, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 1)`
	tamper db.SQL = `UPDATE ledger_entries SET amount = amount + $3 WHERE merchant_id = $1 AND object_id = $2 AND line = 0`
)

// sample is a payment of the test with figures of its own making.
type sample struct {
	merchant, id, currency, state, next                                  string
	authorised, protectedCaptures, unprotected, void, clawback, total    int64
	protectedAmount, fee, feeCaptured, discount, repaid, off, receivable int64
}

// generate makes payments that obey the invariants of the tables and nothing else.
func generate(r *rand.Rand, merchantID string, n int) []sample {
	out := make([]sample, n)
	for i := range out {
		s := sample{merchant: merchantID, id: id.New(id.DeferredPayment), currency: "GBP", state: "open"}
		if r.IntN(3) == 0 {
			s.currency = "EUR"
		}
		s.authorised, s.protectedCaptures, s.unprotected = r.Int64N(5000)-500, r.Int64N(9000), r.Int64N(3000)
		s.void, s.clawback = r.Int64N(300), r.Int64N(2)*r.Int64N(400)
		s.total = s.authorised + s.protectedCaptures + s.unprotected + s.void + s.clawback
		if s.total < 1 {
			s.authorised += 1 - s.total
			s.total = 1
		}
		s.protectedAmount = r.Int64N(s.total + 1)
		s.fee = r.Int64N(200)
		s.feeCaptured = r.Int64N(s.fee + 1)
		financed := s.protectedCaptures + s.unprotected + s.clawback
		whole := r.Int64N(s.total/10 + 1)
		s.discount = whole
		earned := (whole*min(financed, s.total)*2 + s.total) / (2 * s.total)
		owed := financed + s.feeCaptured - earned
		s.repaid = r.Int64N(2) * r.Int64N(max(owed, 1)+200)
		s.off = r.Int64N(5) / 4 * r.Int64N(300)
		s.receivable = owed - s.repaid - s.off
		if r.IntN(5) == 0 {
			s.state = "closed"
		}
		if due := r.IntN(200) - 60; r.IntN(9) > 0 {
			s.next = day.AddDate(0, 0, -due).Format(time.DateOnly)
			if due > 0 && s.state == "open" {
				s.state = "late"
			}
		}
		out[i] = s
	}
	return out
}

// want adds up by plain arithmetic what a close must find.
func want(all []sample, merchantID string) []Figures {
	found := map[string]*Figures{}
	for _, s := range all {
		if s.merchant != merchantID {
			continue
		}
		f := found[s.currency]
		if f == nil {
			f = newFigures(s.currency, day)
			found[s.currency] = f
		}
		f.Ledger += s.receivable
		if s.state == "closed" {
			if s.receivable != 0 {
				f.Settled += s.receivable
				f.SettledPayments++
			}
			continue
		}
		s.count(f)
	}
	var out []Figures
	for _, currency := range slices.Sorted(maps.Keys(found)) {
		out = append(out, *found[currency])
	}
	return out
}

func (s sample) count(f *Figures) {
	f.Payments++
	if s.state == "late" {
		f.Late++
	}
	authorised := max(s.authorised, 0)
	f.Authorised += authorised
	f.ProtectedCaptures += s.protectedCaptures
	f.UnprotectedCaptures += s.unprotected
	f.Clawback += s.clawback
	f.Owed += s.receivable + s.repaid + s.off
	f.Repaid += s.repaid
	f.WrittenOff += s.off
	out := max(s.receivable, 0)
	f.Outstanding += out
	f.Overpaid += out - s.receivable
	earned := s.protectedCaptures + s.unprotected + s.clawback + s.feeCaptured - (s.receivable + s.repaid + s.off)
	covered := min(authorised, max(0, s.protectedAmount-s.protectedCaptures))
	f.ExposureProtected += max(0, s.protectedCaptures+covered-s.repaid-earned)
	f.ExposureUnprotected += max(0, s.unprotected+authorised-covered-max(0, s.repaid+earned-s.protectedCaptures-covered))
	if out == 0 {
		return
	}
	over := 0
	if s.next != "" {
		next, _ := time.Parse(time.DateOnly, s.next)
		over = int(day.Sub(next).Hours()) / 24
	}
	b := &f.Ages.NotDue
	switch {
	case over > 90:
		b = &f.Ages.More
	case over > 60:
		b = &f.Ages.To90
	case over > 30:
		b = &f.Ages.To60
	case over > 0:
		b = &f.Ages.To30
	}
	b.Payments++
	b.Amount += out
	if over < 0 && over >= -30 {
		f.NextDue[-over-1].Payments++
		f.NextDue[-over-1].Outstanding += out
	}
}

func write(t *testing.T, d *db.DB, f func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	ctx := context.Background()
	if err := d.Write(ctx, func(tx *db.Tx) error { return f(ctx, tx) }); err != nil {
		t.Fatal(err)
	}
}

func put(tx *db.Tx, s sample) {
	tx.Queue(putPayment, s.merchant, s.id, s.currency, s.total, s.protectedAmount, s.authorised, s.protectedCaptures, s.unprotected,
		s.void, s.clawback, s.fee, s.fee-s.feeCaptured, s.feeCaptured, s.repaid, s.off, s.discount)
	tx.Queue(putState, s.merchant, s.id, s.currency, s.state, s.next)
	// In two entries, beside one on another account and one of another object.
	half := s.receivable / 2
	tx.Queue(putEntry, s.merchant, "t1-"+s.id, 0, "buyer_receivable:org-1", s.id, s.currency, half)
	tx.Queue(putEntry, s.merchant, "t2-"+s.id, 1, "buyer_receivable:org-1", s.id, s.currency, s.receivable-half)
	tx.Queue(putEntry, s.merchant, "t2-"+s.id, 2, "buyer_receivables", s.id, s.currency, 7)
	tx.Queue(putEntry, s.merchant, "t3-"+s.id, 3, "cash", "po-"+s.id, s.currency, 9)
}

// world makes merchants with payments.
func world(t *testing.T, d *db.DB, merchants, each int) (ids []string, all []sample) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, uint64(each)))
	write(t, d, func(_ context.Context, tx *db.Tx) error {
		for range merchants {
			m, err := merchant.Create(tx, merchant.New{Name: "Shop", Environment: merchant.Sandbox}, now)
			if err != nil {
				return err
			}
			ids = append(ids, m.ID)
			for _, s := range generate(r, m.ID, each) {
				put(tx, s)
				all = append(all, s)
			}
		}
		return nil
	})
	slices.Sort(ids)
	return ids, all
}

func get(t *testing.T, d *db.DB, merchantID string, on time.Time) Close {
	t.Helper()
	var c Close
	err := d.Read(context.Background(), func(tx *db.Tx) (err error) {
		c, err = Get(context.Background(), tx, merchantID, on)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func silent(Progress) {}

func service(d *db.DB) *Service { return &Service{DB: d, Clock: still(now), Chunk: 7} }

// events are the data of the closes in the log.
const closeEvents db.SQL = `SELECT count(*) FROM events WHERE merchant_id = $1 AND type = 'daily_close.completed'`

func eventsOf(t *testing.T, d *db.DB, merchantID string) (n int64) {
	t.Helper()
	ctx := context.Background()
	err := d.Read(ctx, func(tx *db.Tx) error { return tx.Get(ctx, closeEvents, []any{merchantID}, &n) })
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestClose: every figure is what plain arithmetic over the payments makes it, for
// chunks that end anywhere.
func TestClose(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ids, all := world(t, d, 3, 120)
		for n, chunk := range []int{1, 7, 120, 5000} {
			s := service(d)
			s.Chunk = chunk
			sum, err := s.Close(context.Background(), Request{At: now, Again: true}, silent)
			if err != nil {
				t.Fatal(err)
			}
			if sum.Merchants != 3 || sum.Differences != 0 {
				t.Errorf("%+v", sum)
			}
			for _, m := range ids {
				c := get(t, d, m, day)
				if diff := cmp.Diff(want(all, m), c.Figures); diff != "" {
					t.Errorf("chunks of %d: %s", chunk, diff)
				}
				if got := eventsOf(t, d, m); got != int64(n+1) {
					t.Errorf("%d events", got)
				}
			}
		}
	})
}

// TestNothingOpen: a merchant without payments has a close without figures.
func TestNothingOpen(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ids, _ := world(t, d, 1, 0)
		if _, err := service(d).Close(context.Background(), Request{At: now}, silent); err != nil {
			t.Fatal(err)
		}
		if c := get(t, d, ids[0], day); len(c.Figures) != 0 || !c.At.Equal(now) {
			t.Errorf("%+v", c)
		}
		_, err := service(d).Close(context.Background(), Request{At: now, MerchantID: "mer-nobody"}, silent)
		if !errors.Is(err, db.ErrNoRows) {
			t.Errorf("nobody's close: %v", err)
		}
	})
}

// TestDifference: whoever changes, adds or removes money on a receivable account
// is found, by the object.
func TestDifference(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ids, all := world(t, d, 1, 60)
		byState := map[string]sample{}
		for _, s := range all {
			if s.receivable != 0 && s.currency == "GBP" {
				byState[s.state] = s
			}
		}
		open, closed := byState["open"], byState["closed"]
		write(t, d, func(_ context.Context, tx *db.Tx) error {
			tx.Queue(tamper, ids[0], open.id, 5)
			tx.Queue(tamper, ids[0], closed.id, -3)
			tx.Queue(putEntry, ids[0], "stray", 0, "buyer_receivable:org-9", "zzz-stray", "GBP", 11)
			tx.Queue(putEntry, ids[0], "foreign", 0, "buyer_receivable:org-1", byState["late"].id, "USD", 1)
			return nil
		})
		sum, err := service(d).Close(context.Background(), Request{At: now}, silent)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]Difference{}
		var gbp Figures
		for _, f := range get(t, d, ids[0], day).Figures {
			if f.Currency == "GBP" {
				gbp = f
			}
			for _, x := range f.Differing {
				found[x.Object] = x
			}
		}
		for _, x := range []Difference{
			{open.id, open.receivable, open.receivable + 5}, {closed.id, closed.receivable, closed.receivable - 3}, {"zzz-stray", 0, 11},
		} {
			if found[x.Object] != x {
				t.Errorf("%+v was found as %+v", x, found[x.Object])
			}
		}
		if _, ok := found[byState["late"].id]; !ok {
			t.Error("money in another currency was not found")
		}
		if sum.Differences < 4 || gbp.Ledger != gbp.Outstanding-gbp.Overpaid+gbp.Settled+gbp.Difference {
			t.Errorf("%+v %+v", sum, gbp)
		}
	})
}

// TestResume: a close that ends within a merchant keeps those before it, goes on
// with that one from its start, and comes to the same figures.
func TestResume(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ids, all := world(t, d, 4, 30)
		ctx, stop := context.WithCancel(context.Background())
		_, err := service(d).Close(ctx, Request{At: now}, func(p Progress) {
			if p.MerchantID == ids[2] && p.Payments > 7 {
				stop()
			}
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("the close went on: %v", err)
		}
		sum, err := service(d).Close(context.Background(), Request{At: now}, silent)
		if err != nil || sum.Merchants != 2 || sum.Already != 2 {
			t.Fatalf("%+v, %v", sum, err)
		}
		for _, m := range ids {
			if diff := cmp.Diff(want(all, m), get(t, d, m, day).Figures); diff != "" {
				t.Error(diff)
			}
			if n := eventsOf(t, d, m); n != 1 {
				t.Errorf("%d events", n)
			}
		}
	})
}

// TestTwoAtOnce: of two closes of a day one is stored, whichever it is.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ids, _ := world(t, d, 6, 20)
		var wg sync.WaitGroup
		sums, errs := make([]Summary, 3), make([]error, 3)
		for i := range sums {
			wg.Add(1)
			go func() {
				defer wg.Done()
				sums[i], errs[i] = service(d).Close(context.Background(), Request{At: now}, silent)
			}()
		}
		wg.Wait()
		var total Summary
		for i := range sums {
			total.Merchants += sums[i].Merchants
			total.Already += sums[i].Already
		}
		if err := errors.Join(errs...); err != nil || total.Merchants != 6 || total.Already != 12 {
			t.Errorf("%+v, %v", total, err)
		}
		for _, m := range ids {
			if n := eventsOf(t, d, m); n != 1 {
				t.Errorf("%d events", n)
			}
		}
	})
}

// TestSealed: a day may be closed again until the next one is closed, and never
// after that.
func TestSealed(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ids, _ := world(t, d, 1, 20)
		ctx, s := context.Background(), service(d)
		steps := []struct {
			request Request
			sum     Summary
			fails   bool
		}{
			{Request{At: now}, Summary{Merchants: 1}, false},
			{Request{At: now}, Summary{Already: 1}, false},
			{Request{At: now, Again: true}, Summary{Merchants: 1}, false},
			{Request{Day: day.AddDate(0, 0, 1)}, Summary{Merchants: 1}, false},
			{Request{At: now, Again: true}, Summary{Already: 1}, false},
			{Request{Day: day.AddDate(0, 0, -1)}, Summary{}, true},
			{Request{Day: day.AddDate(0, 0, 2)}, Summary{}, true},
		}
		for i, step := range steps {
			sum, err := s.Close(ctx, step.request, silent)
			sum.Payments = 0
			if sum != step.sum || (err != nil) != step.fails {
				t.Errorf("step %d: %+v, %v", i, sum, err)
			}
		}
		if !get(t, d, ids[0], day).Sealed || get(t, d, ids[0], day.AddDate(0, 0, 1)).Sealed {
			t.Error("the wrong day is sealed")
		}
	})
}

// TestMerchantTime: the day of a merchant whose clock is ahead is its own.
func TestMerchantTime(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]string{
		"2026-11-21T00:00:00Z": "2026-11-20", "2026-11-21T23:59:59Z": "2026-11-20", "2027-03-01T00:05:00Z": "2027-02-28",
	} {
		moment, _ := time.Parse(time.RFC3339, at)
		if got := LastDay(moment).Format(time.DateOnly); got != want {
			t.Errorf("%s: %s, not %s", at, got, want)
		}
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var m merchant.Created
		write(t, d, func(ctx context.Context, tx *db.Tx) (err error) {
			m, err = merchant.Create(tx, merchant.New{Name: "Ahead", Environment: merchant.Sandbox}, now)
			tx.Queue(moveClock, m.ID, (40 * 24 * time.Hour).Microseconds())
			return err
		})
		if _, err := service(d).Close(context.Background(), Request{At: now}, silent); err != nil {
			t.Fatal(err)
		}
		get(t, d, m.ID, day.AddDate(0, 0, 40))
	})
}

const moveClock db.SQL = `UPDATE merchants SET clock_offset = $2 WHERE id = $1`
