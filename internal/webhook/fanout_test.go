package webhook

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/event"
	"tradecredit/internal/job"
	"tradecredit/internal/merchant"
)

func TestFanOut(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d, merchant.Sandbox)
		everything := h.endpoint(Input{URL: "https://shop.example/all"})
		orders := h.endpoint(Input{URL: "https://shop.example/orders", Events: []string{"order.*"}})
		h.payloads.set(func(p *fakePayloads) {
			p.urls["order-1"] = "https://shop.example/own?a=1&b=2"
			p.urls["order-2"] = everything.URL
			p.silent["user.created"] = true
		})
		h.happen("order.created", "order-1")
		h.happen("user.created", "user-1")
		h.happen("offer.created", "order-2")
		h.rounds(h.Service)
		type row struct{ event, root, endpoint, url, body string }
		var got []row
		for _, d := range h.deliveries() {
			r := row{d.EventType, d.RootID, "", d.URL, string(d.RequestBody)}
			if d.EndpointID != nil {
				r.endpoint = *d.EndpointID
			}
			if d.Status != Pending || len(d.Attempts) != 0 || d.ObjectID != "obj-"+d.RootID || d.EventID == "" {
				t.Errorf("a new delivery: %+v", d)
			}
			got = append(got, r)
		}
		body := func(root string, n int) string {
			return fmt.Sprintf(`{"data":{"order":{"id":%q,"note":"& < é"}},"n":%d}`, root, n)
		}
		want := []row{
			{"order.created", "order-1", everything.ID, everything.URL, body("order-1", 1)},
			{"order.created", "order-1", orders.ID, orders.URL, body("order-1", 1)},
			{"order.created", "order-1", "", "https://shop.example/own?a=1&b=2", body("order-1", 1)},
			{"offer.created", "order-2", everything.ID, everything.URL, body("order-2", 3)},
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("got  %v\nwant %v", got, want)
		}
		h.write(func(tx *db.Tx) error {
			page, n, err := h.ListDeliveries(context.Background(), tx, h.merchant.ID, 2, 1)
			if n != 4 || len(page) != 2 || page[0].URL != "https://shop.example/own?a=1&b=2" || page[1].URL != orders.URL {
				t.Errorf("the second page: %+v of %d", page, n)
			}
			other, n, err2 := h.ListDeliveries(context.Background(), tx, "mer-other", 2, 0)
			if n != 0 || len(other) != 0 {
				t.Errorf("another merchant's: %+v of %d", other, n)
			}
			return errors.Join(err, err2)
		})
	})
}

// TestOneDeliveryWithManyNodes lets several nodes look for events while others
// write them.
func TestOneDeliveryWithManyNodes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d, merchant.Sandbox)
		h.endpoint(Input{URL: "https://shop.example/all"})
		h.payloads.set(func(p *fakePayloads) { p.urls["order-0"] = "https://shop.example/own" })
		const writers, each = 3, 20
		var writing, looking sync.WaitGroup
		stop := make(chan struct{})
		for w := range writers {
			writing.Add(1)
			go func() {
				defer writing.Done()
				for range each {
					h.happen("order.changed", fmt.Sprintf("order-%d", w))
				}
			}()
		}
		for range 3 {
			looking.Add(1)
			go func() {
				defer looking.Done()
				node := h.node(clock.System{}, merchant.Sandbox)
				for {
					found, err := node.Round(context.Background())
					if err != nil {
						t.Error(err)
						return
					}
					select {
					case <-stop:
						if !found {
							return
						}
					default:
					}
				}
			}()
		}
		writing.Wait()
		close(stop)
		looking.Wait()
		type key struct{ event, url string }
		rows := map[key]int{}
		seqs := map[int64]bool{}
		for _, d := range h.deliveries() {
			rows[key{d.EventID, d.URL}]++
			seqs[d.Sequence] = true
		}
		for k, n := range rows {
			if n != 1 {
				t.Errorf("%v has %d deliveries", k, n)
			}
		}
		if len(seqs) != writers*each || len(rows) != writers*each+each {
			t.Errorf("%d events, %d deliveries", len(seqs), len(rows))
		}
	})
}

// TestBrokenPayload: an event whose notification cannot be written holds up
// nobody, is tried again, and is parked in the end.
func TestBrokenPayload(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		h := newHouse(t, d, merchant.Sandbox)
		h.endpoint(Input{URL: "https://shop.example/all"})
		h.payloads.set(func(p *fakePayloads) { p.broken["order.broken"] = true })
		h.happen("order.created", "order-1")
		h.happen("order.broken", "order-1")
		h.happen("order.changed", "order-2")
		h.rounds(h.Service)
		ds := h.deliveries()
		if len(ds) != 2 || ds[0].Sequence != 1 || ds[1].Sequence != 3 {
			t.Fatalf("deliveries beside the broken one: %+v", ds)
		}
		var broken event.Event
		h.write(func(tx *db.Tx) error {
			feed, err := event.Feed(ctx, tx, h.merchant.ID, 1, 1)
			broken = feed[0]
			return err
		})
		late := job.Job{MerchantID: h.merchant.ID, Kind: KindFanOut, Payload: []byte(`{"event":"` + broken.ID + `"}`), Attempt: 1}
		if out := h.fanOutLate(ctx, late); out.RetryAt.IsZero() {
			t.Errorf("a broken payload is not tried again: %+v", out)
		}
		late.Attempt = maxFanOuts
		if out := h.fanOutLate(ctx, late); out.Park == "" {
			t.Errorf("a broken payload is not parked: %+v", out)
		}
		h.payloads.set(func(p *fakePayloads) { p.broken["order.broken"] = false })
		for range 2 { // the second finds it done
			if out := h.fanOutLate(ctx, late); out.Park != "" || !out.RetryAt.IsZero() {
				t.Errorf("a mended payload: %+v", out)
			}
		}
		if ds = h.deliveries(); len(ds) != 3 || ds[2].Sequence != 2 {
			t.Errorf("deliveries with the mended one: %+v", ds)
		}
	})
}

// TestBrokenPayloadIsQueued drives the same through a queue.
func TestBrokenPayloadIsQueued(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d, merchant.Sandbox)
		r := newReceiver(t, ok)
		h.endpoint(Input{URL: r.URL})
		h.payloads.set(func(p *fakePayloads) { p.broken["order.broken"] = true })
		h.happen("order.broken", "order-1")
		h.happen("order.changed", "order-2")
		h.rounds(h.Service)
		h.payloads.set(func(p *fakePayloads) { p.broken["order.broken"] = false })
		h.run(h.Service)
		h.await("both deliveries", all(2, Delivered))
	})
}

// TestPlatformEvents: events without a merchant are numbered and told to nobody.
func TestPlatformEvents(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d, merchant.Sandbox)
		h.write(func(tx *db.Tx) error {
			event.Append(tx, event.Event{MerchantID: "", Type: "companies.imported", Data: []byte("{}"), Created: time.Unix(0, 0)})
			return nil
		})
		h.rounds(h.Service)
		if ds := h.deliveries(); len(ds) != 0 {
			t.Errorf("%+v", ds)
		}
	})
}
