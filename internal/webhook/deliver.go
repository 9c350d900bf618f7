package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/job"
	"tradecredit/internal/merchant"
)

// call is everything one attempt needs to know.
type call struct {
	Delivery
	merchant      merchant.Merchant
	authorization string
	keys          keys
	// problem, when set, is why the call cannot be made at all.
	problem string
}

// unavailable is how long an attempt waits when our own database failed.
const unavailable = 5 * time.Second

// Deliver makes one attempt at a delivery. It is the handler of jobs of
// KindDelivery.
func (s *Service) Deliver(ctx context.Context, j job.Job) job.Outcome {
	var p deliveryJob
	if err := json.Unmarshal(j.Payload, &p); err != nil {
		return job.Outcome{Park: err.Error()}
	}
	var c call
	err := s.db.Read(ctx, func(tx *db.Tx) (err error) {
		c, err = s.load(ctx, tx, j.MerchantID, p.Delivery)
		return err
	})
	switch {
	case errors.Is(err, db.ErrNoRows):
		return job.Outcome{Park: "the delivery or its merchant does not exist"}
	case err != nil:
		s.log.Error("loading a delivery", "delivery", p.Delivery, "error", err)
		return job.Outcome{RetryAt: s.clock.Now().Add(unavailable)}
	case c.jobID != j.ID || c.Status != Pending:
		return job.Outcome{} // a replay took over, or it is done
	}
	if c.problem != "" {
		return s.outcome(c, s.clock.Now(), 0, c.problem, false)
	}
	at := s.clock.Now()
	code, problem := s.send(ctx, c, at)
	return s.outcome(c, at, code, problem, true)
}

// load reads what an attempt needs. An endpoint's address and its authorization
// are taken together as they are now: the one is never sent to the other of an
// earlier day.
func (s *Service) load(ctx context.Context, tx *db.Tx, merchantID, deliveryID string) (c call, err error) {
	if c.Delivery, err = db.One(ctx, tx, selectDelivery, []any{merchantID, deliveryID}, scanDelivery); err != nil {
		return c, err
	}
	if c.merchant, err = merchant.Get(ctx, tx, merchantID); err != nil {
		return c, err
	}
	if c.EndpointID == nil {
		c.authorization = c.merchant.Settings.WebhookAuthorization
		c.keys, err = db.One(ctx, tx, selectMerchantKeys, []any{merchantID}, scanKeys)
	} else {
		var e Endpoint
		e, err = db.One(ctx, tx, selectEndpoint, []any{merchantID, *c.EndpointID}, scanEndpoint)
		switch {
		case errors.Is(err, db.ErrNoRows):
			c.problem = "the webhook endpoint does not exist any more"
			return c, nil
		case err != nil:
			return c, err
		case !e.Active:
			c.problem = "the webhook endpoint is not active"
			return c, nil
		}
		c.URL, c.authorization = e.URL, e.Authorization
		c.keys, err = db.One(ctx, tx, selectEndpointKeys, []any{merchantID, *c.EndpointID}, scanKeys)
	}
	c.problem = URLProblem(c.URL, s.environment(c.merchant))
	return c, err
}

// outcome says what follows from one attempt: done, another one after a pause,
// or given up. problem is "" when it succeeded, code 0 when there was no answer.
func (s *Service) outcome(c call, at time.Time, code int, problem string, retry bool) job.Outcome {
	a := Attempt{At: at}
	if code != 0 {
		a.StatusCode = &code
	}
	status := Delivered
	var out job.Outcome
	if problem != "" {
		a.Error, status = &problem, Failed
		if pause, more := s.retries(c.merchant).Pause(c.tries + 1); retry && more {
			status, out.RetryAt = Pending, s.clock.Now().Add(pause)
		}
	}
	out.Record = func(ctx context.Context, tx *db.Tx) error {
		d, err := db.One(ctx, tx, lockDelivery, []any{c.MerchantID, c.ID}, scanDelivery)
		if err != nil {
			return err
		}
		d.Attempts = append(d.Attempts, a)
		if d.jobID == c.jobID { // else a replay began while the call was made
			d.URL, d.Status, d.tries = c.URL, status, d.tries+1
		}
		return saveDelivery(tx, d)
	}
	return out
}

func (s *Service) retries(m merchant.Merchant) Retries {
	if m.Settings.WebhookRetries == "long" {
		return s.Long
	}
	return s.Short
}
