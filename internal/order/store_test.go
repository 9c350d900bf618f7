package order

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/apierr"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/event"
	"tradecredit/internal/merchant"
	"tradecredit/internal/page"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

var noon = time.Date(2026, time.March, 2, 12, 0, 0, 0, time.UTC)

const merchantID = "mer-1"

// stored makes orders of one merchant in a database.
type stored struct {
	t   *testing.T
	db  *db.DB
	svc *Service
}

func (s stored) write(fn func(ctx context.Context, tx *db.Tx) error) {
	s.t.Helper()
	ctx := context.Background()
	if err := s.db.Write(ctx, func(tx *db.Tx) error { return fn(ctx, tx) }); err != nil {
		s.t.Fatal(err)
	}
}

func (s stored) create(merchantID, uniqueID string, now time.Time) (out Stored) {
	s.t.Helper()
	o := documented()
	o.UniqueID, o.Items[0].Metadata = uniqueID, []byte(`{"of":"<b> & \u2028"}`)
	s.write(func(ctx context.Context, tx *db.Tx) (err error) {
		out, err = s.svc.Create(ctx, tx, merchant.Merchant{ID: merchantID}, o, now)
		return err
	})
	return out
}

func (s stored) get(orderID string) (out Stored) {
	s.t.Helper()
	s.write(func(ctx context.Context, tx *db.Tx) (err error) {
		out, err = Get(ctx, tx, merchantID, orderID)
		return err
	})
	return out
}

func (s stored) events() (out []string) {
	s.t.Helper()
	s.write(func(ctx context.Context, tx *db.Tx) error {
		events, err := event.Chain(ctx, tx, merchantID, 100)
		for _, e := range events {
			if e.ObjectID != e.RootID {
				return fmt.Errorf("%s of %s has the root %s", e.Type, e.ObjectID, e.RootID)
			}
			out = append(out, e.Type)
		}
		return err
	})
	return out
}

func TestWhatIsStoredComesBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := stored{t, d, &Service{}}
		made := s.create(merchantID, "a", noon)
		if diff := cmp.Diff(made, s.get(made.ID)); diff != "" {
			t.Error(diff)
		}
		s.write(func(ctx context.Context, tx *db.Tx) error {
			for _, lookup := range []func() (Stored, error){
				func() (Stored, error) { return Lock(ctx, tx, merchantID, made.ID) },
				func() (Stored, error) { return Find(ctx, tx, merchantID, "a") },
			} {
				found, err := lookup()
				if diff := cmp.Diff(made, found); diff != "" || err != nil {
					t.Error(diff, err)
				}
			}
			for _, unknown := range []string{"order-nothing", "", "order-\x00", "order-\xff"} {
				if _, err := Get(ctx, tx, merchantID, unknown); !errors.Is(err, db.ErrNoRows) {
					t.Errorf("%q: %v", unknown, err)
				}
				if found, err := Exists(ctx, tx, merchantID, unknown); found || err != nil {
					t.Errorf("%q: %v %v", unknown, found, err)
				}
			}
			if _, err := Get(ctx, tx, "mer-2", made.ID); !errors.Is(err, db.ErrNoRows) {
				t.Errorf("another merchant sees the order: %v", err)
			}
			found, err := Exists(ctx, tx, merchantID, made.ID)
			if !found || err != nil {
				t.Error(found, err)
			}
			return nil
		})
	})
}

func TestUniqueIDs(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := stored{t, d, &Service{}}
		first, second := s.create(merchantID, "a", noon), s.create(merchantID, "b", noon)
		s.create("mer-2", "a", noon)
		ctx := context.Background()
		refused := func(fn func(tx *db.Tx) error) {
			t.Helper()
			var e *apierr.Error
			if err := d.Write(ctx, fn); !errors.As(err, &e) || e.Status != 400 {
				t.Errorf("got %v", err)
			}
		}
		// The form asks beforehand; these are the two who asked at the same time.
		refused(func(tx *db.Tx) error {
			_, err := s.svc.Create(ctx, tx, merchant.Merchant{ID: merchantID}, first.Order, noon)
			return err
		})
		refused(func(tx *db.Tx) error {
			after := second.Order
			after.UniqueID = "a"
			_, err := s.svc.Update(ctx, tx, merchant.Merchant{ID: merchantID}, second, after, noon)
			return err
		})
		s.write(func(ctx context.Context, tx *db.Tx) error {
			for _, c := range []struct {
				merchantID, uniqueID, except string
				want                         bool
			}{
				{merchantID, "a", "", true}, {merchantID, "a", first.ID, false}, {merchantID, "a", second.ID, true},
				{merchantID, "c", "", false}, {"mer-2", "b", "", false}, {merchantID, "a", "\x00", true},
			} {
				if got, err := Taken(ctx, tx, c.merchantID, c.uniqueID, c.except); got != c.want || err != nil {
					t.Errorf("%+v: %v %v", c, got, err)
				}
			}
			return nil
		})
	})
}

func TestLists(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := stored{t, d, &Service{}}
		for n := range 5 {
			s.create(merchantID, fmt.Sprint(n), noon.Add(time.Duration(n)*time.Hour))
		}
		s.create("mer-2", "9", noon)
		for _, c := range []struct {
			page page.Page
			want string
		}{
			{page.Page{Limit: 25}, "43210"},
			{page.Page{Limit: 2, Offset: 1}, "32"},
			{page.Page{Limit: 25, Oldest: true}, "01234"},
			{page.Page{Limit: 2, Offset: 4, Oldest: true}, "4"},
			{page.Page{Limit: 2, Offset: 5}, ""},
		} {
			s.write(func(ctx context.Context, tx *db.Tx) error {
				orders, count, err := List(ctx, tx, merchantID, c.page)
				got := ""
				for _, o := range orders {
					got += o.UniqueID
				}
				if got != c.want || count != 5 {
					t.Errorf("%+v: %s of %d", c.page, got, count)
				}
				return err
			})
		}
	})
}

func TestPaymentsOfAnOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := stored{t, d, &Service{}}
		o := s.create(merchantID, "a", noon)
		payments := func(want bool) {
			t.Helper()
			s.write(func(ctx context.Context, tx *db.Tx) error {
				got, err := HasPayments(ctx, tx, merchantID, o.Customer.Organisation)
				if got != want {
					t.Errorf("has payments: %v", got)
				}
				if other, err := HasPayments(ctx, tx, merchantID, "org-other"); other || err != nil {
					t.Error(other, err)
				}
				return err
			})
		}
		payments(false)
		s.write(func(_ context.Context, tx *db.Tx) error { SetOffer(tx, merchantID, o.ID, "offr-1"); return nil })
		payments(true)
		s.write(func(_ context.Context, tx *db.Tx) error {
			SetOffer(tx, merchantID, o.ID, "")
			SetDeferredPayment(tx, merchantID, o.ID, "defpay-1")
			return nil
		})
		payments(true)
		if got := s.get(o.ID); got.PaymentOffer != "" || got.DeferredPayment != "defpay-1" {
			t.Errorf("offer %q, deferred payment %q", got.PaymentOffer, got.DeferredPayment)
		}
		s.write(func(ctx context.Context, tx *db.Tx) error {
			of, err := CountOfUser(ctx, tx, merchantID, o.Customer.User)
			if of != 1 || err != nil {
				t.Error(of, err)
			}
			other, err := CountOfUser(ctx, tx, "mer-2", o.Customer.User)
			if other != 0 {
				t.Error(other)
			}
			return err
		})
	})
}

func TestSetStatus(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := stored{t, d, &Service{}}
		o := s.create(merchantID, "a", noon)
		later := noon.Add(time.Hour)
		for range 2 {
			s.write(func(ctx context.Context, tx *db.Tx) error {
				SetDeferredPayment(tx, merchantID, o.ID, "defpay-1")
				return SetStatus(ctx, tx, merchant.Merchant{ID: merchantID}, o.ID, StatusUnpaid, later)
			})
		}
		want := o
		want.Status, want.Updated, want.DeferredPayment = StatusUnpaid, later, "defpay-1"
		if diff := cmp.Diff(want, s.get(o.ID)); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{EventCreated, EventUpdated}, s.events()); diff != "" {
			t.Error(diff)
		}
		err := d.Write(context.Background(), func(tx *db.Tx) error {
			return SetStatus(context.Background(), tx, merchant.Merchant{ID: "mer-2"}, o.ID, StatusPaid, later)
		})
		if !errors.Is(err, db.ErrNoRows) {
			t.Errorf("another merchant's order: %v", err)
		}
	})
}

// TestLookUpsUseIndexes keeps every statement that finds orders from reading
// the whole table.
func TestLookUpsUseIndexes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := stored{t, d, &Service{}}
		for _, q := range []db.SQL{
			selectOrder, lockOrder, selectByUniqueID, selectNewest, selectOldest, countOrders, orderExists,
			orderIDTaken, hasPayments, countOfUser, updateOrder, deleteOrder, setOffer, setDeferred,
		} {
			s.write(func(ctx context.Context, tx *db.Tx) error {
				plan, err := tx.Explain(ctx, q)
				if strings.Contains(plan, "SCAN orders") || strings.Contains(plan, "Seq Scan") || strings.Contains(plan, "TEMP B-TREE") {
					t.Errorf("%s\n%s", q, plan)
				}
				return err
			})
		}
	})
}
