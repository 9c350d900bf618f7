package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/http/httpguts"

	"tradecredit/internal/apierr"
	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/event"
	"tradecredit/internal/id"
	"tradecredit/internal/job"
	"tradecredit/internal/merchant"
)

// Address is where one event is told, beside the endpoints of the merchant.
type Address struct {
	// URL is empty when no offer names one.
	URL string
	// Told is false when nobody at all is told of this event.
	Told bool
}

// Payloads writes the notifications. It is the seam to the packages whose
// objects the events are about.
type Payloads interface {
	// Addresses returns for each of the events where the offer it is about says
	// that it wants to be told.
	Addresses(ctx context.Context, tx *db.Tx, m merchant.Merchant, events []event.Event) ([]Address, error)
	// Payload returns the body that tells of an event, with its root as it is
	// now. It is asked for only when somebody is told.
	Payload(ctx context.Context, tx *db.Tx, m merchant.Merchant, e event.Event) (body []byte, err error)
}

// Service keeps endpoints and delivers notifications.
type Service struct {
	// Short and Long are the two schedules of retries that merchants choose
	// from; Timeout bounds one call, from the look-up of the host to the end of
	// the answer. They are not changed once the queue runs.
	Short, Long Retries
	Timeout     time.Duration

	db       *db.DB
	clock    clock.Clock
	log      *slog.Logger
	payloads Payloads
	env      merchant.Environment
	// open calls any address and takes any certificate; strict calls public
	// addresses with valid certificates only.
	open, strict *http.Transport
}

// New returns a service for a program that runs in the environment env. In
// production every call is strict, whatever the merchant.
func New(d *db.DB, c clock.Clock, log *slog.Logger, env merchant.Environment, p Payloads) *Service {
	return &Service{
		Short: shortRetries, Long: longRetries, Timeout: 10 * time.Second,
		db: d, clock: c, log: log, payloads: p, env: env,
		open: openTransport(net.DefaultResolver), strict: strictTransport(net.DefaultResolver, publicOnly(), nil),
	}
}

// Register lets a queue do the fan-out and the deliveries.
func (s *Service) Register(q *job.Queue) {
	q.HandleRound(s.Round)
	q.HandleJob(KindDelivery, s.Deliver)
	q.HandleJob(KindFanOut, s.fanOutLate)
}

// environment is the stricter of the program's and the merchant's.
func (s *Service) environment(m merchant.Merchant) merchant.Environment {
	if s.env == merchant.Production {
		return s.env
	}
	return m.Environment
}

// Input describes a new endpoint.
type Input struct {
	URL           string
	Authorization string
	Events        []string
	Active        bool
}

// Change is what is to change of an endpoint; nil leaves a field as it is.
type Change struct {
	URL           *string
	Authorization *string
	Events        *[]string
	Active        *bool
}

// maxEndpoints bounds the endpoints of one merchant.
const maxEndpoints = 100

// Create makes an endpoint. The secret it returns is not shown again.
func (s *Service) Create(ctx context.Context, tx *db.Tx, m merchant.Merchant, in Input) (NewEndpoint, error) {
	e := NewEndpoint{
		Endpoint: Endpoint{
			ID: id.New(id.WebhookEndpoint), MerchantID: m.ID, URL: in.URL, Authorization: in.Authorization,
			Events: in.Events, Active: in.Active, Created: m.Now(s.clock.Now()),
		},
		Secret: newSecret(),
	}
	if err := s.check(m, e.Endpoint); err != nil {
		return NewEndpoint{}, err
	}
	n, err := s.Count(ctx, tx, m.ID)
	if err != nil {
		return NewEndpoint{}, err
	}
	if n >= maxEndpoints {
		return NewEndpoint{}, apierr.Conflict(fmt.Sprintf("There are %d webhook endpoints already.", n))
	}
	addEndpoint(tx, e)
	return e, nil
}

func (s *Service) check(m merchant.Merchant, e Endpoint) error {
	if p := URLProblem(e.URL, s.environment(m)); p != "" {
		return apierr.Field("url", p)
	}
	if len(e.Authorization) > 4096 || !httpguts.ValidHeaderFieldValue(e.Authorization) {
		return apierr.Field("authorization", "Enter a valid header value.")
	}
	return CheckEvents(e.Events)
}

// Get returns an endpoint of a merchant, or a 404.
func (s *Service) Get(ctx context.Context, tx *db.Tx, merchantID, endpointID string) (Endpoint, error) {
	return s.one(ctx, tx, selectEndpoint, merchantID, endpointID)
}

func (s *Service) one(ctx context.Context, tx *db.Tx, q db.SQL, merchantID, endpointID string) (Endpoint, error) {
	e, err := db.One(ctx, tx, q, []any{merchantID, endpointID}, scanEndpoint)
	if errors.Is(err, db.ErrNoRows) {
		return e, apierr.NotFound()
	}
	return e, err
}

// List returns a page of the endpoints of a merchant, newest first.
func (s *Service) List(ctx context.Context, tx *db.Tx, merchantID string, limit, offset int) ([]Endpoint, error) {
	return db.All(ctx, tx, selectEndpoints, []any{merchantID, limit, offset}, scanEndpoint)
}

// Count returns how many endpoints a merchant has.
func (s *Service) Count(ctx context.Context, tx *db.Tx, merchantID string) (n int64, err error) {
	err = tx.Get(ctx, countEndpoints, []any{merchantID}, &n)
	return n, err
}

// Update changes an endpoint. What is on its way goes to its new address.
func (s *Service) Update(ctx context.Context, tx *db.Tx, m merchant.Merchant, endpointID string, c Change) (Endpoint, error) {
	e, err := s.one(ctx, tx, lockEndpoint, m.ID, endpointID)
	if err != nil {
		return e, err
	}
	if c.URL != nil {
		e.URL = *c.URL
	}
	if c.Authorization != nil {
		e.Authorization = *c.Authorization
	}
	if c.Events != nil {
		e.Events = *c.Events
	}
	if c.Active != nil {
		e.Active = *c.Active
	}
	if err := s.check(m, e); err != nil {
		return Endpoint{}, err
	}
	saveEndpoint(tx, e)
	return e, nil
}

// Delete removes an endpoint. What was to be sent to it fails.
func (s *Service) Delete(ctx context.Context, tx *db.Tx, merchantID, endpointID string) error {
	n, err := tx.Exec(ctx, deleteEndpoint, merchantID, endpointID)
	if err == nil && n == 0 {
		return apierr.NotFound()
	}
	return err
}

// Rotate gives an endpoint a new secret and returns it. For 24 hours every
// notification carries a signature by the secret before it, too.
func (s *Service) Rotate(ctx context.Context, tx *db.Tx, merchantID, endpointID string) (NewEndpoint, error) {
	e, err := s.one(ctx, tx, lockEndpoint, merchantID, endpointID)
	if err != nil {
		return NewEndpoint{}, err
	}
	k, err := db.One(ctx, tx, selectEndpointKeys, []any{merchantID, endpointID}, scanKeys)
	if err != nil {
		return NewEndpoint{}, err
	}
	k = k.rotate(s.clock.Now())
	tx.Queue(updateEndpointKeys, merchantID, endpointID, k.secret, k.previous, db.Micros(k.until))
	return NewEndpoint{Endpoint: e, Secret: k.secret}, nil
}

// OfferSecret returns the secret that signs the notifications to addresses which
// offers name. It is made when it is first needed.
func (s *Service) OfferSecret(ctx context.Context, tx *db.Tx, merchantID string) (string, error) {
	tx.Queue(ensureMerchantKeys, merchantID, newSecret())
	k, err := db.One(ctx, tx, selectMerchantKeys, []any{merchantID}, scanKeys)
	return k.secret, err
}

// RotateOfferSecret is Rotate for the secret of OfferSecret.
func (s *Service) RotateOfferSecret(ctx context.Context, tx *db.Tx, merchantID string) (string, error) {
	tx.Queue(ensureMerchantKeys, merchantID, newSecret())
	k, err := db.One(ctx, tx, lockMerchantKeys, []any{merchantID}, scanKeys)
	if err != nil {
		return "", err
	}
	k = k.rotate(s.clock.Now())
	tx.Queue(updateMerchantKeys, merchantID, k.secret, k.previous, db.Micros(k.until))
	return k.secret, nil
}

// GetDelivery returns a delivery of a merchant, or a 404.
func (s *Service) GetDelivery(ctx context.Context, tx *db.Tx, merchantID, deliveryID string) (Delivery, error) {
	return s.delivery(ctx, tx, selectDelivery, merchantID, deliveryID)
}

func (s *Service) delivery(ctx context.Context, tx *db.Tx, q db.SQL, merchantID, deliveryID string) (Delivery, error) {
	d, err := db.One(ctx, tx, q, []any{merchantID, deliveryID}, scanDelivery)
	if errors.Is(err, db.ErrNoRows) {
		return d, apierr.NotFound()
	}
	return d, err
}

// ListDeliveries returns a page of the deliveries of a merchant, newest first,
// and how many there are in all.
func (s *Service) ListDeliveries(ctx context.Context, tx *db.Tx, merchantID string, limit, offset int) ([]Delivery, int64, error) {
	var n int64
	if err := tx.Get(ctx, countDeliveries, []any{merchantID}, &n); err != nil {
		return nil, 0, err
	}
	page, err := db.All(ctx, tx, selectDeliveries, []any{merchantID, limit, offset}, scanDelivery)
	return page, n, err
}

// Replay sends a delivery again, at once and with the same bytes, and begins its
// schedule anew. It does not wait for other notifications of the same order, and
// takes the place of attempts that were still to come. The endpoint must exist
// and be active, else 409.
func (s *Service) Replay(ctx context.Context, tx *db.Tx, merchantID, deliveryID string) (Delivery, error) {
	d, err := s.delivery(ctx, tx, lockDelivery, merchantID, deliveryID)
	if err != nil {
		return d, err
	}
	if d.EndpointID != nil {
		e, err := db.One(ctx, tx, selectEndpoint, []any{merchantID, *d.EndpointID}, scanEndpoint)
		if errors.Is(err, db.ErrNoRows) {
			return d, apierr.Conflict("The webhook endpoint of this delivery does not exist any more.")
		}
		if err != nil {
			return d, err
		}
		if !e.Active {
			return d, apierr.Conflict("The webhook endpoint of this delivery is not active.")
		}
	}
	d.jobID = id.New(id.Job)
	d.Status, d.tries = Pending, 0
	if err := saveDelivery(tx, d); err != nil {
		return d, err
	}
	enqueue(tx, d, "", s.clock.Now())
	return d, nil
}
