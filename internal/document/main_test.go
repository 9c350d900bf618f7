package document

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"tradecredit/internal/blob"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/event"
	"tradecredit/internal/form"
	"tradecredit/internal/merchant"
	"tradecredit/internal/order"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

var start = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

// hand is a clock that is moved by hand.
type hand struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hand) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hand) move(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// shelf is a store in memory that can be told to fail.
type shelf struct {
	mu      sync.Mutex
	blobs   map[string][]byte
	failing error
}

func (s *shelf) Put(_ context.Context, key string, r io.Reader, _ int64, _ string) error {
	b, err := io.ReadAll(r)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil {
		s.blobs[key] = b
	}
	return err
}

func (s *shelf) Get(_ context.Context, key string) (io.ReadCloser, blob.Info, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.blobs[key]
	if !ok {
		return nil, blob.Info{}, blob.ErrNotFound
	}
	return io.NopCloser(bytes.NewReader(b)), blob.Info{Size: int64(len(b))}, nil
}

func (s *shelf) Delete(_ context.Context, key string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failing != nil {
		return s.failing
	}
	delete(s.blobs, key)
	return nil
}

func (s *shelf) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = err
}

func (s *shelf) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.blobs)
}

// desk is a service with an order to add documents to.
type desk struct {
	*Service
	t     *testing.T
	shelf *shelf
	hand  *hand
	order string
}

const merchantID = "mer-1"

func each(t *testing.T, test func(t *testing.T, d *desk)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		k := &desk{t: t, shelf: &shelf{blobs: map[string][]byte{}}, hand: &hand{now: start}}
		k.Service = New(d, k.hand, k.shelf, 1<<20)
		k.write(func(tx *db.Tx) error {
			made, err := (&order.Service{}).Create(context.Background(), tx, merchant.Merchant{ID: merchantID}, order.Order{
				UniqueID: "1", Currency: "GBP", Status: order.StatusDraft, Metadata: []byte("{}"),
			}, start)
			k.order = made.ID
			return err
		})
		test(t, k)
	})
}

func (d *desk) write(f func(tx *db.Tx) error) {
	d.t.Helper()
	if err := d.db.Write(context.Background(), f); err != nil {
		d.t.Fatal(err)
	}
}

// keep stores a file that is accepted.
func (d *desk) keep(content string) *form.Upload {
	d.t.Helper()
	u := &form.Upload{Filename: "invoice.pdf"}
	if err := d.Keep(context.Background(), u, iotest.HalfReader(strings.NewReader(content))); err != nil || u.Problem != "" {
		d.t.Fatalf("%v %s", err, u.Problem)
	}
	return u
}

func (d *desk) uploads() (n int) {
	d.t.Helper()
	err := d.db.Read(context.Background(), func(tx *db.Tx) error {
		keys, err := stale(context.Background(), tx, start.AddDate(100, 0, 0), 100)
		n = len(keys)
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return n
}

// has demands how many files are stored, and how many of them belong to nothing.
func (d *desk) has(blobs, uploads int) {
	d.t.Helper()
	if b, u := d.shelf.count(), d.uploads(); b != blobs || u != uploads {
		d.t.Errorf("%d files are stored and %d wait, want %d and %d", b, u, blobs, uploads)
	}
}

const pdf = "%PDF-1.7\nan invoice"

func TestCreate(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *desk) {
		ctx, told := context.Background(), ""
		d.Added = func(_ context.Context, _ *db.Tx, m, o, docType string, now time.Time) error {
			told = m + " " + o + " " + docType + " " + now.Format(time.TimeOnly)
			return nil
		}
		u := d.keep(pdf)
		d.has(1, 1)
		amount := int64(10000)
		var made Document
		d.write(func(tx *db.Tx) (err error) {
			made, err = d.Create(ctx, tx, merchantID, d.order, Details{
				Type: TypeInvoice, Description: "Invoice", Amount: &amount, Metadata: []byte(`{"a":1}`),
			}, Stored(u), start)
			return err
		})
		d.has(1, 0)
		if want := merchantID + " " + d.order + " invoice 09:30:00"; told != want {
			t.Errorf("told %q, want %q", told, want)
		}
		d.Drop(ctx, u) // of a document that is there it takes nothing away
		d.has(1, 0)
		d.write(func(tx *db.Tx) error {
			got, err := Get(ctx, tx, merchantID, d.order, made.ID)
			if err != nil {
				return err
			}
			f := got.File
			if f.ContentType != "application/pdf" || f.Size != int64(len(pdf)) || f.Name != "invoice.pdf" || len(f.SHA256) != 64 || *got.Amount != 10000 {
				t.Errorf("the document is %+v", got)
			}
			if _, err := Get(ctx, tx, "mer-2", d.order, made.ID); !errors.Is(err, db.ErrNoRows) {
				t.Errorf("another merchant reads it: %v", err)
			}
			if _, err := Get(ctx, tx, merchantID, "order-2", made.ID); !errors.Is(err, db.ErrNoRows) {
				t.Errorf("it is read under another order: %v", err)
			}
			r, err := d.Open(ctx, f)
			if err != nil {
				return err
			}
			defer r.Close()
			if b, err := io.ReadAll(r); err != nil || string(b) != pdf {
				t.Errorf("the file holds %q, %v", b, err)
			}
			return nil
		})
	})
}

// TestLostCommit: whatever happens between a stored file and its document, the
// file is either used or goes.
func TestLostCommit(t *testing.T) {
	t.Parallel()
	lost := errors.New("the database is gone")
	each(t, func(t *testing.T, d *desk) {
		ctx := context.Background()
		create := func(u *form.Upload, orderID string, after error) error {
			return d.db.Write(ctx, func(tx *db.Tx) error {
				if _, err := d.Create(ctx, tx, merchantID, orderID, Details{Type: TypeOther, Metadata: []byte("{}")}, Stored(u), start); err != nil {
					return err
				}
				return after
			})
		}
		// The transaction fails and the process lives.
		u := d.keep(pdf)
		if err := create(u, d.order, lost); !errors.Is(err, lost) {
			t.Fatal(err)
		}
		d.has(1, 1)
		d.Drop(ctx, u)
		d.has(0, 0)
		// A file that was dropped can no longer be used.
		if err := create(u, d.order, nil); err == nil {
			t.Error("a document has a file that is gone")
		}
		if err := create(d.keep(pdf), "order-2", nil); !errors.Is(err, db.ErrNoRows) {
			t.Errorf("a document of no order: %v", err)
		}
		d.has(1, 1)
		// The process is killed: nobody drops anything. What is young is let be.
		d.hand.move(patience)
		if n, err := d.Sweep(ctx); n != 0 || err != nil {
			t.Errorf("%d were swept too early, %v", n, err)
		}
		late := d.keep(pdf)
		d.hand.move(time.Second)
		// A store that fails keeps its file in the list until it does not.
		d.shelf.fail(lost)
		if _, err := d.Sweep(ctx); !errors.Is(err, lost) {
			t.Errorf("the error of the store is %v", err)
		}
		d.has(2, 2)
		d.shelf.fail(nil)
		if n, err := d.Sweep(ctx); n != 1 || err != nil {
			t.Errorf("%d were swept, %v", n, err)
		}
		d.has(1, 1)
		if err := create(late, d.order, nil); err != nil {
			t.Error(err)
		}
		d.hand.move(2 * patience)
		if n, err := d.Sweep(ctx); n != 0 || err != nil {
			t.Errorf("%d were swept that are in use, %v", n, err)
		}
		d.has(1, 0)
		events(t, d, 2)
	})
}

// events demands how many events there are: refused documents make none.
func events(t *testing.T, d *desk, want int) {
	t.Helper()
	d.write(func(tx *db.Tx) error {
		found, err := event.Chain(context.Background(), tx, merchantID, 100)
		if err == nil && (len(found) != want || found[want-1].Type != EventCreated || found[want-1].RootID != d.order) {
			t.Errorf("the events are %+v", found)
		}
		return err
	})
}

func TestKeepRefuses(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *desk) {
		ctx := context.Background()
		for name, c := range map[string]struct{ content, problem, refused string }{
			"a page":    {"<!doctype html><p>x", "Files of the type text/html are not accepted", "type"},
			"a program": {"\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 60), "Files of the type application/x-elf are not accepted", "type"},
			"too large": {pdf + strings.Repeat("x", 1<<20), "The file is larger than 1048576 bytes.", "size"},
			"empty":     {"", "", "empty"},
		} {
			u := &form.Upload{Filename: "invoice.pdf"}
			if err := d.Keep(ctx, u, strings.NewReader(c.content)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if refused := Refused(u); string(refused) != c.refused {
				t.Errorf("%s is refused for %q", name, refused)
			}
			if !strings.HasPrefix(u.Problem, c.problem) || (u.Problem == "") != (c.problem == "") || u.Size == 0 != (c.content == "") {
				t.Errorf("%s: %q, %d bytes", name, u.Problem, u.Size)
			}
			d.Drop(ctx, u)
			d.has(0, 0)
		}
		gone := errors.New("the client is gone")
		u := &form.Upload{}
		if err := d.Keep(ctx, u, io.MultiReader(strings.NewReader(pdf), strings.NewReader(strings.Repeat("x", 2*sniffed)), iotest.ErrReader(gone))); !errors.Is(err, gone) {
			t.Errorf("the error is %v", err)
		}
		d.Drop(ctx, u)
		d.has(0, 0)
		// Exactly as large as it may be.
		d.keep(pdf + strings.Repeat("x", 1<<20-len(pdf)))
	})
}

func TestBuyerDocuments(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, d *desk) {
		ctx := context.Background()
		one, two := d.keep(pdf), d.keep("a,b\n1,2\n3,4\n")
		d.write(func(tx *db.Tx) error {
			for i, u := range []*form.Upload{one, two} {
				if _, err := d.AddBuyer(ctx, tx, merchantID, "defpay-1", Kinds()[i], Stored(u), start.Add(time.Duration(i)*time.Second)); err != nil {
					return err
				}
			}
			return nil
		})
		d.has(2, 0)
		d.write(func(tx *db.Tx) error {
			found, err := ListBuyer(ctx, tx, merchantID, "defpay-1")
			if err != nil || len(found) != 2 || found[0].Kind != KindIdentity || found[1].File.ContentType != "text/csv" {
				t.Errorf("%+v, %v", found, err)
				return err
			}
			again, err := FindBuyer(ctx, tx, found[1].ID)
			if again != found[1] {
				t.Errorf("%+v is not %+v", again, found[1])
			}
			return err
		})
	})
}
