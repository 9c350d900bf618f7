package bnpl

import (
	"net/http"
	"strconv"

	"tradecredit/internal/api"
	"tradecredit/internal/apierr"
	"tradecredit/internal/db"
	"tradecredit/internal/event"
	"tradecredit/internal/page"
)

// Event is one entry of the log of everything that happened to a merchant's
// objects.
type Event struct {
	ID       string   `json:"id"`
	Sequence int64    `json:"sequence" doc:"Numbers the merchant's events from 1, without gaps"`
	Type     string   `json:"type" example:"deferred_payment.capture"`
	Object   string   `json:"object" doc:"Identifier of what changed"`
	Created  api.Time `json:"created"`
	Data     api.Raw  `json:"data" doc:"The object after the change"`
	Hash     string   `json:"hash" doc:"Covers this event and the hash of the one before it"`
}

// EventFeed is a part of the log, oldest first.
type EventFeed struct {
	Results []Event `json:"results"`
	// NextAfter is the sequence number to ask for next.
	NextAfter int64 `json:"next_after" doc:"Pass as after to read on"`
	HasMore   bool  `json:"has_more"`
}

func (a *API) eventRoutes() []api.Route {
	const tag = "Events"
	return []api.Route{
		{
			Method: http.MethodGet, Path: "/v1/events", Tag: tag, Summary: "Read the feed of events",
			Doc: "Everything that happened to the merchant's objects, in the order in which it was committed. " +
				"To catch up, ask again with `after` set to the last `next_after`.",
			Query:    []api.Param{{Name: "after", Doc: "Only events behind this sequence number."}, {Name: "limit", Doc: "At most so many, 25 by default and 100 at most."}},
			Response: EventFeed{}, Status: 200, Errors: []int{400}, Serve: a.readFeed,
		},
		{
			Method: http.MethodGet, Path: "/v1/events/{event}", Tag: tag, Summary: "View an event",
			Response: Event{}, Status: 200, Errors: []int{404}, Read: a.viewEvent,
		},
	}
}

// readFeed numbers what is not numbered yet before it reads, so that a merchant
// finds its own change in the feed at once.
func (a *API) readFeed(c *api.Call) (*api.Answer, error) {
	after := int64(0)
	if raw := c.Query("after"); raw != "" {
		n, err := strconv.ParseInt(raw, 10, 64)
		if err != nil || n < 0 {
			return nil, apierr.Field("after", "Enter a number.")
		}
		after = n
	}
	limit := page.Parse(c.Request.URL.Query()).Limit
	for {
		more, err := a.Webhooks.Chain(c, c.Merchant.ID)
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
	}
	feed := EventFeed{Results: []Event{}, NextAfter: after}
	err := a.DB.Read(c, func(tx *db.Tx) error {
		found, err := event.Feed(c, tx, c.Merchant.ID, after, limit+1)
		if len(found) > limit {
			feed.HasMore, found = true, found[:limit]
		}
		for _, e := range found {
			feed.Results, feed.NextAfter = append(feed.Results, showEvent(e)), e.Seq
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	body, err := api.Encode(feed)
	return &api.Answer{Status: http.StatusOK, Body: body}, err
}

func (a *API) viewEvent(c *api.Call, tx *db.Tx) (*api.Response, error) {
	e, err := event.Get(c, tx, c.Merchant.ID, c.Path("event"))
	if err != nil {
		return nil, err
	}
	return api.OK(showEvent(e)), nil
}

func showEvent(e event.Event) Event {
	return Event{
		ID: e.ID, Sequence: e.Seq, Type: e.Type, Object: e.ObjectID, Created: api.Time(e.Created), Data: api.Raw(e.Data), Hash: e.Hash,
	}
}
