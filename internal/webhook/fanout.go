package webhook

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"tradecredit/internal/db"
	"tradecredit/internal/event"
	"tradecredit/internal/id"
	"tradecredit/internal/job"
	"tradecredit/internal/merchant"
)

// The kinds of jobs of this package.
const (
	KindDelivery = "webhook"
	KindFanOut   = "webhook_fanout"
)

// Bounds of one round: how many merchants it serves and how many events of each
// it takes in one transaction.
const (
	roundMerchants = 50
	roundEvents    = 500
)

// Round numbers the new events of every merchant and writes the deliveries of
// each. It reports whether there were any. Several nodes may call it at once: a
// merchant's events are handled by one of them.
//
// An event whose notification cannot be written is set aside as a job of its own
// and tried again later, so that it holds up neither the merchant nor the others.
func (s *Service) Round(ctx context.Context) (found bool, err error) {
	var merchants []string
	err = s.db.Read(ctx, func(tx *db.Tx) error {
		merchants, err = event.Waiting(ctx, tx, roundMerchants)
		return err
	})
	if err != nil {
		return false, err
	}
	for _, m := range merchants {
		more, err := s.Chain(ctx, m)
		if err != nil {
			return found, err
		}
		found = found || more
	}
	return found, nil
}

// Chain is Round for one merchant: afterwards its oldest new events are in the
// feed. It reports whether there were any.
func (s *Service) Chain(ctx context.Context, merchantID string) (found bool, err error) {
	n, err := s.chain(ctx, merchantID, roundEvents)
	if err != nil && ctx.Err() == nil {
		s.log.Error("writing notifications", "merchant", merchantID, "error", err)
		// One by one, so that only the event at fault is set aside.
		if n, err = s.chain(ctx, merchantID, 1); err != nil {
			n, err = s.setAside(ctx, merchantID)
		}
	}
	return n > 0, err
}

// chain numbers up to limit events of a merchant and writes their deliveries, in
// one transaction. It returns how many events there were.
func (s *Service) chain(ctx context.Context, merchantID string, limit int) (n int, err error) {
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		events, err := event.Chain(ctx, tx, merchantID, limit)
		n = len(events)
		if err != nil || n == 0 {
			return err
		}
		m, err := merchant.Get(ctx, tx, merchantID)
		if errors.Is(err, db.ErrNoRows) {
			return nil // events of the platform itself: nobody is told
		}
		if err != nil {
			return err
		}
		return s.fanOut(ctx, tx, m, events)
	})
	return n, err
}

// setAside numbers one event and leaves its deliveries to a job.
func (s *Service) setAside(ctx context.Context, merchantID string) (n int, err error) {
	err = s.db.Write(ctx, func(tx *db.Tx) error {
		events, err := event.Chain(ctx, tx, merchantID, 1)
		n = len(events)
		for _, e := range events {
			payload, err := json.Marshal(fanOutJob{Event: e.ID})
			if err != nil {
				return err
			}
			job.Enqueue(tx, job.Job{MerchantID: merchantID, Kind: KindFanOut, Payload: payload}, s.clock.Now())
		}
		return err
	})
	return n, err
}

type fanOutJob struct {
	Event string `json:"event"`
}

// maxFanOuts is how often the deliveries of an event that was set aside are
// tried before it is parked with the reason.
const maxFanOuts = 10

// fanOutLate writes the deliveries of an event that was set aside.
func (s *Service) fanOutLate(ctx context.Context, j job.Job) job.Outcome {
	var p fanOutJob
	if err := json.Unmarshal(j.Payload, &p); err != nil {
		return job.Outcome{Park: err.Error()}
	}
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		var earlier string
		err := tx.Get(ctx, selectOfEvent, []any{j.MerchantID, p.Event}, &earlier)
		if !errors.Is(err, db.ErrNoRows) {
			return err // nil: an attempt before this one got as far as here
		}
		m, err := merchant.Get(ctx, tx, j.MerchantID)
		if err != nil {
			return err
		}
		e, err := event.Get(ctx, tx, j.MerchantID, p.Event)
		if err != nil {
			return err
		}
		return s.fanOut(ctx, tx, m, []event.Event{e})
	})
	switch {
	case err == nil:
		return job.Outcome{}
	case j.Attempt >= maxFanOuts:
		return job.Outcome{Park: err.Error()}
	}
	return job.Outcome{RetryAt: s.clock.Now().Add(time.Second << j.Attempt)}
}

// fanOut writes the deliveries of events, and the job of each.
func (s *Service) fanOut(ctx context.Context, tx *db.Tx, m merchant.Merchant, events []event.Event) error {
	endpoints, err := activeEndpoints(ctx, tx, m.ID)
	if err != nil {
		return err
	}
	now := s.clock.Now()
	var deliveries rows
	var own bool
	addresses, err := s.payloads.Addresses(ctx, tx, m, events)
	if err != nil {
		return err
	}
	for i, e := range events {
		told, body, err := s.notification(ctx, tx, m, e, endpoints, addresses[i])
		if err != nil {
			return fmt.Errorf("the notification of event %s (%s): %w", e.ID, e.Type, err)
		}
		for _, t := range told {
			d := Delivery{
				ID: id.New(id.Delivery), MerchantID: m.ID, EventID: e.ID, EventType: e.Type, ObjectID: e.ObjectID,
				RootID: e.RootID, Sequence: e.Seq, URL: t.url, RequestBody: body, Created: m.Now(now), jobID: orderedJobID(e.Seq),
			}
			if t.endpointID != "" {
				d.EndpointID = &t.endpointID
			}
			own = own || d.EndpointID == nil
			deliveries.add(d, t.key())
			enqueue(tx, d, t.key()+" "+e.RootID, now)
		}
	}
	if own {
		tx.Queue(ensureMerchantKeys, m.ID, newSecret())
	}
	deliveries.insert(tx)
	return nil
}

// notification is who is told of an event, and what. When it is nobody, nothing
// is written: most of the work is in the body.
func (s *Service) notification(ctx context.Context, tx *db.Tx, m merchant.Merchant, e event.Event, endpoints []Endpoint,
	a Address) ([]target, []byte, error) {
	if !a.Told {
		return nil, nil, nil
	}
	told := targets(endpoints, e.Type, a.URL)
	if len(told) == 0 {
		return nil, nil, nil
	}
	body, err := s.payloads.Payload(ctx, tx, m, e)
	return told, body, err
}

type deliveryJob struct {
	Delivery string `json:"delivery"`
}

// enqueue writes the job of a delivery. Jobs of one lane are done one after the
// other.
func enqueue(tx *db.Tx, d Delivery, lane string, now time.Time) {
	payload, err := json.Marshal(deliveryJob{Delivery: d.ID})
	if err != nil {
		panic(err) // a struct of one string
	}
	job.Enqueue(tx, job.Job{
		ID: d.jobID, MerchantID: d.MerchantID, Kind: KindDelivery, Payload: payload, Lane: lane,
	}, now)
}

// orderedJobID makes the ID of a job that comes after those of all earlier events
// of the merchant. IDs made from the time do not do: the clocks of two nodes
// differ, and a lane is worked off in the order of the IDs.
func orderedJobID(seq int64) string {
	var u uuid.UUID
	if _, err := rand.Read(u[:]); err != nil {
		panic(fmt.Sprintf("webhook: the machine has no random numbers: %v", err))
	}
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(seq))
	copy(u[:6], n[2:])
	u[6] = u[6]&0x0f | 0x80 // version 8: a layout of our own
	u[8] = u[8]&0x3f | 0x80
	return id.Of(id.Job, u)
}
