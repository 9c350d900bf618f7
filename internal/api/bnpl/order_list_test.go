package bnpl

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

func TestOrderLists(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		server := orderServer(t, d, &API{})
		s, other := newShop(t, server), newShop(t, server)
		for n := range 5 {
			s.create("unique_id", fmt.Sprintf(`"%d"`, n))
			server.Clock.Advance(time.Minute)
		}
		other.create("unique_id", `"3"`)
		for query, want := range map[string]string{
			"":                       "5 43210 - -",
			"?limit=2":               "5 43 limit=2&offset=2 -",
			"?limit=2&offset=2":      "5 21 limit=2&offset=4 limit=2",
			"?limit=2&offset=4":      "5 0 - limit=2&offset=2",
			"?ordering=created":      "5 01234 - -",
			"?ordering=-created":     "5 43210 - -",
			"?limit=x&offset=-1":     "5 43210 - -",
			"?unique_id=3":           "1 3 - -",
			"?unique_id=3&offset=1":  "1  - limit=25&unique_id=3",
			"?unique_id=nothing":     "0  - -",
			"?unique_id=":            "5 43210 - -",
			"?unique_id=%00":         "0  - -",
			"?unique_id=%ff":         "0  - -",
			"?unique_id='%20OR%20''": "0  - -",
		} {
			var list struct {
				Count          int
				Next, Previous *string
				Results        []struct {
					UniqueID string `json:"unique_id"`
				}
			}
			s.Do("GET", "/v1/payment/orders"+query, nil).WantStatus(200).Decode(&list)
			got := fmt.Sprint(list.Count, " ")
			for _, o := range list.Results {
				got += o.UniqueID
			}
			for _, link := range []*string{list.Next, list.Previous} {
				if link == nil {
					got += " -"
				} else {
					_, query, _ := strings.Cut(*link, "?")
					got += " " + query
				}
			}
			if got != want {
				t.Errorf("%s: %s, want %s", query, got, want)
			}
		}
	})
}

func TestOrdersOfOthers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		server := orderServer(t, d, &API{})
		s, other := newShop(t, server), newShop(t, server)
		theirs := other.create()
		for _, method := range []string{"GET", "PATCH", "PUT", "DELETE"} {
			for _, orderID := range []string{theirs, "order-unknown", "user-x", "order-%00", "order-%ff", "%20"} {
				s.Do(method, "/v1/payment/orders/"+orderID, `{`).Want(404, `{"detail":"Not found."}`)
			}
		}
		s.Do("POST", "/v1/payment/orders", edited(t, draftOrder,
			"customer.organisation", `"`+other.organisation.ID+`"`, "customer.user", `"`+other.user.ID+`"`)).Want(400,
			`{"organisation": ["Invalid pk \"`+other.organisation.ID+`\" - object does not exist."],
			"user": ["Invalid pk \"`+other.user.ID+`\" - object does not exist."]}`)
		s.With("Authorization", "").Do("GET", "/v1/payment/orders", nil).WantStatus(401)
		s.With("Authorization", "Token "+s.Merchant.PublicKey).Do("GET", "/v1/payment/orders", nil).WantStatus(403)
		other.Do("GET", "/v1/payment/orders/"+theirs, nil).WantStatus(200)
	})
}

func TestRepeatedCreation(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := newShop(t, orderServer(t, d, &API{}))
		c := s.With("Idempotency-Key", "33871f6b-ff2f-4de3-9e10-ff42ef7af553")
		c.Do("POST", "/v1/payment/orders", edited(t, draftOrder, "status", `"x"`)).WantStatus(400)
		first := c.Do("POST", "/v1/payment/orders", draftOrder).Want(201, shownDraft)
		again := c.Do("POST", "/v1/payment/orders/", draftOrder).Want(201, shownDraft)
		for name, want := range map[string]string{"Idempotency-Replayed": "true", "Location": first.Header.Get("Location")} {
			if got := again.Header.Get(name); got != want || want == "" {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
		c.Do("POST", "/v1/payment/orders", edited(t, draftOrder, "unique_id", `"other"`)).Want(400,
			"{\"error\": \"Duplicate `Idempotency-Key` [33871f6b-ff2f-4de3-9e10-ff42ef7af553] has been used for another request, the key cannot be used again.\"}")
		if got := len(s.events()); got != 1 {
			t.Errorf("%d events", got)
		}
	})
}
