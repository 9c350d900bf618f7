package bnpl_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/app/apptest"
)

type feed struct {
	Results []struct {
		ID, Type, Object, Created, Hash string
		Sequence                        int64
		Data                            map[string]any
	}
	Next int64 `json:"next_after"`
	More bool  `json:"has_more"`
}

func TestEventFeed(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		read := func(query string) (f feed) {
			shop.Do("GET", "/v1/events"+query, nil).WantStatus(200).Decode(&f)
			return f
		}
		start := read("?limit=100").Next
		order := shop.Order(1000)
		offer := shop.Offer(order)
		payment := shop.Accept(offer.Plans[0].ID, "card").WantStatus(201).ID()
		shop.Do("POST", apptest.PaymentPath(payment)+"/capture", `{"amount": 600}`).WantStatus(201)
		shop.Do("POST", apptest.PaymentPath(payment)+"/refund", `{"amount": 100}`).WantStatus(201)
		shop.Advance(28 * apptest.Day)
		shop.Do("POST", "/v1/sandbox/deferred_payments/"+payment+"/clawback", `{"amount": 50}`).WantStatus(201)

		// What a merchant has just done is in its feed at once.
		all := read(fmt.Sprintf("?after=%d&limit=100", start))
		var types []string
		for i, e := range all.Results {
			types = append(types, e.Type)
			if e.Sequence != start+int64(i)+1 || e.Hash == "" || e.Data["id"] != e.Object {
				t.Errorf("event %d is %+v", i, e)
			}
			shop.Do("GET", "/v1/events/"+e.ID, nil).WantStatus(200)
		}
		want := []string{
			"order.created", "offer.created", "offer.changed", "deferred_payment.created", "order.updated",
			"deferred_payment.capture", "deferred_payment.refund", "deferred_payment.expiry", "deferred_payment.clawback",
		}
		if diff := cmp.Diff(want, types); diff != "" {
			t.Error(diff)
		}
		if all.More || all.Next != start+int64(len(want)) {
			t.Errorf("more %v, next after %d", all.More, all.Next)
		}
		var paged []string
		for page := (feed{Next: start, More: true}); page.More; {
			page = read(fmt.Sprintf("?limit=2&after=%d", page.Next))
			for _, e := range page.Results {
				paged = append(paged, e.Type)
			}
			if len(page.Results) > 2 {
				t.Fatalf("%d events on a page of 2", len(page.Results))
			}
		}
		if diff := cmp.Diff(want, paged); diff != "" {
			t.Error(diff)
		}
		if end := read(fmt.Sprintf("?after=%d", all.Next)); end.Next != all.Next || end.Results == nil || end.More {
			t.Errorf("the end of the feed is %+v", end)
		}
		for _, bad := range []string{"x", "-1", "1.5", "9223372036854775808"} {
			shop.Do("GET", "/v1/events?after="+bad, nil).Want(400, `{"after": ["Enter a number."]}`)
		}
		other := s.Merchant("bnpl")
		other.Do("GET", "/v1/events", nil).Want(200, `{"results": [], "next_after": 0, "has_more": false}`)
		other.Do("GET", "/v1/events/"+all.Results[0].ID, nil).Want(404, `{"detail": "Not found."}`)
		s.Clean()
	})
}
