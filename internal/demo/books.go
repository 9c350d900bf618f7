package demo

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// told are the notifications of the purchase that must come, in their order.
// Others may come between them.
var told = []string{
	"order.created", "offer.created", "deferred_payment.created", "deferred_payment.capture",
	"deferred_payment.refund", "deferred_payment.void", "deferred_payment.expiry",
	"deferred_payment.repayment",
}

// hearNotifications waits until the shop has been told of every step.
func (s *Shop) hearNotifications(ctx context.Context) (string, []Fact, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var got []string
	seen := map[string]bool{}
	for len(got) == 0 || got[len(got)-1] != told[len(told)-1] {
		n, ok := s.receiver.next(ctx)
		if !ok {
			return "", nil, fmt.Errorf("after %s: %w", list(got), s.receiver.fault(ctx))
		}
		// At least once means that a notification may come twice.
		if n.order == s.state.orderID && !seen[n.id] {
			seen[n.id] = true
			got = append(got, n.event)
		}
	}
	if missing := missingIn(got, told); missing != "" {
		return "", nil, fmt.Errorf("%s was not told of, or not in its place, but %s", missing, list(got))
	}
	return fmt.Sprintf("The shop was told of every step, in order and with a signature that fits, in %d notifications: %s.", len(got), list(got)),
		[]Fact{{"notifications", len(got)}}, nil
}

// missingIn is the first of want that got does not have in the same order, or "".
func missingIn(got, want []string) string {
	for _, g := range got {
		if len(want) > 0 && g == want[0] {
			want = want[1:]
		}
	}
	if len(want) == 0 {
		return ""
	}
	return want[0]
}

// readEvents reads the feed to its end.
func (s *Shop) readEvents(ctx context.Context) (string, []Fact, error) {
	var events, after int64
	var last string
	for more := true; more; {
		var feed struct {
			Results []struct {
				Sequence   int64
				Type, Hash string
				Created    time.Time
			}
			NextAfter int64 `json:"next_after"`
			HasMore   bool  `json:"has_more"`
		}
		_, err := s.call(ctx, http.MethodGet, fmt.Sprintf("/v1/events?limit=100&after=%d", after), nil, http.StatusOK, &feed)
		if err != nil {
			return "", nil, err
		}
		for _, e := range feed.Results {
			events++
			last = e.Hash
			if err := same("the number of an event", e.Sequence, events); err != nil {
				return "", nil, err
			}
		}
		after, more = feed.NextAfter, feed.HasMore
	}
	if events < int64(len(told)) {
		return "", nil, fmt.Errorf("the feed has %d events only", events)
	}
	return fmt.Sprintf("The same history can be read as a feed: %d events, numbered without gaps, each chained to the one before by its hash.", events),
		[]Fact{{"events", events}, {"last_hash", last}}, nil
}

// verify lets the program recompute its books.
func (s *Shop) verify(ctx context.Context) (string, []Fact, error) {
	problems, err := s.program.Verify(ctx)
	if err != nil {
		return "", nil, err
	}
	if len(problems) > 0 {
		return "", nil, fmt.Errorf("%d problems: %s", len(problems), strings.Join(problems, "; "))
	}
	return "Every figure is recomputed from the events and the ledger, and the chain of events is walked: no difference.",
		[]Fact{{"problems", 0}}, nil
}
