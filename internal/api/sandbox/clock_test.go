package sandbox_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/app/apptest"
)

const clock = "/v1/sandbox/clock"

func TestClock(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := s.Merchant("bnpl")
		c.Do("GET", clock, nil).Want(200, `{"now": "2026-03-02T09:30:00.000000Z", "offset_seconds": 0}`)
		c.Do("POST", clock, `{"advance_seconds": 60}`).Want(200, `{"now": "2026-03-02T09:31:00.000000Z", "offset_seconds": 60, "ran": {}}`)
		c.Do("POST", clock, `{"advance_seconds": 0}`).Want(200, `{"now": "2026-03-02T09:31:00.000000Z", "offset_seconds": 60, "ran": {}}`)
		c.Do("POST", clock, `{"now": "2026-03-02T11:31:00.5+01:00"}`).
			Want(200, `{"now": "2026-03-02T10:31:00.500000Z", "offset_seconds": 3660, "ran": {}}`)
		c.Do("GET", clock, nil).Want(200, `{"now": "2026-03-02T10:31:00.500000Z", "offset_seconds": 3660}`)
		// A bare date is its midnight.
		c.Do("POST", clock, `{"now": "2026-03-03"}`).Want(200, `{"now": "2026-03-03T00:00:00.000000Z", "offset_seconds": 52200, "ran": {}}`)
		// Real time goes on below it.
		s.Clock.Advance(time.Hour)
		c.Do("GET", clock, nil).Want(200, `{"now": "2026-03-03T01:00:00.000000Z", "offset_seconds": 52200}`)

		const either = `{"non_field_errors": ["Provide either advance_seconds or now."]}`
		const forward, far = `["The clock can only be moved forward."]`, `["The clock can be moved by at most 10 years in one call."]`
		for body, want := range map[string]string{
			`{}`: either, ``: either, `{"advance_seconds": 1, "now": "2026-03-04"}`: either,
			`{"advance_seconds": -1}`:          `{"advance_seconds": ["Ensure this value is greater than or equal to 0."]}`,
			`{"advance_seconds": 316000000}`:   `{"advance_seconds": ` + far + `}`,
			`{"advance_seconds": 99999999999}`: `{"advance_seconds": ["Ensure this value is less than or equal to 316224000."]}`,
			`{"advance_seconds": "soon"}`:      `{"advance_seconds": ["A valid integer is required."]}`,
			`{"now": "2026-03-03T00:59:59Z"}`:  `{"now": ` + forward + `}`,
			`{"now": "2036-03-03T01:00:01Z"}`:  `{"now": ` + far + `}`,
			`{"now": "9999-12-31T23:59:59Z"}`:  `{"now": ` + far + `}`,
			`{"now": null}`:                    `{"now": ["This field may not be null."]}`,
		} {
			c.Do("POST", clock, body).Want(400, want)
		}
		c.Do("POST", clock, `{"now": "2036-03-03T01:00:00Z"}`).WantStatus(200)
		// Another merchant's time is its own.
		s.Merchant("bnpl").Do("GET", clock, nil).Want(200, `{"now": "2026-03-02T10:30:00.000000Z", "offset_seconds": 0}`)
	})
}

// TestClockOrder: what becomes due happens in the order of its due time, each at
// its time, and the merchant's lists follow its clock.
func TestClockOrder(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		shop.Set(map[string]any{"expiry_days": 3})
		early, open := shop.Payment(1000), shop.Offer(shop.Order(100))
		shop.Advance(apptest.Day)
		late := shop.Payment(2000)
		shop.Set(map[string]any{"expiry_days": 30})
		untouched := shop.Payment(3000)
		if diff := cmp.Diff(map[string]int{"deferred_payment.expiry": 2, "offer.expiry": 1}, shop.Advance(20*apptest.Day)); diff != "" {
			t.Error(diff)
		}
		type seen struct{ Type, Object, Created string }
		var feed struct{ Results []seen }
		shop.Do("GET", "/v1/events?limit=100", nil).WantStatus(200).Decode(&feed)
		var got []seen
		for _, e := range feed.Results {
			if e.Type == "deferred_payment.expiry" || e.Type == "offer.expired" {
				got = append(got, e)
			}
		}
		want := []seen{
			{"deferred_payment.expiry", early, "2026-03-05T09:30:00Z"},
			{"deferred_payment.expiry", late, "2026-03-06T09:30:00Z"},
			{"offer.expired", open.ID, "2026-03-09T09:30:00Z"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if got := shop.Do("GET", apptest.PaymentPath(untouched), nil).Text("status"); got != "accepted" {
			t.Errorf("the last payment is %s", got)
		}
		// What is made now is made at the merchant's time, and is the newest.
		now := shop.Payment(4000)
		var list struct {
			Results []struct{ ID, Created string }
		}
		shop.Do("GET", "/v1/payment/deferred_payments", nil).WantStatus(200).Decode(&list)
		if list.Results[0].ID != now || list.Results[0].Created != "2026-03-23T09:30:00Z" || len(list.Results) != 4 {
			t.Errorf("%+v", list)
		}
		if got := shop.Offer(shop.Order(5)).Plans[0].ScheduledPayments[0].Date; got != "2026-04-22" {
			t.Errorf("30 days from now is %s", got)
		}
		s.Clean()
	})
}

// TestClockWithoutAdvance: what becomes due in real time happens by itself.
func TestClockWithoutAdvance(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		shop.Advance(3600)
		id := shop.Payment(1000)
		s.Clock.Advance(28 * 24 * time.Hour)
		path := apptest.PaymentPath(id)
		apptest.Eventually(t, func() error {
			if got := shop.Do("GET", path, nil).Text("status"); got != "expired" {
				return fmt.Errorf("the payment is %s", got)
			}
			return nil
		})
	})
}
