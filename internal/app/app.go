package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"tradecredit/internal/api"
	"tradecredit/internal/api/bnpl"
	"tradecredit/internal/api/sandbox"
	"tradecredit/internal/clock"
	"tradecredit/internal/company"
	"tradecredit/internal/country"
	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/document"
	"tradecredit/internal/event"
	"tradecredit/internal/fraud"
	"tradecredit/internal/fulfilment"
	"tradecredit/internal/id"
	"tradecredit/internal/job"
	"tradecredit/internal/mail"
	"tradecredit/internal/merchant"
	"tradecredit/internal/offer"
	"tradecredit/internal/order"
	"tradecredit/internal/party"
	"tradecredit/internal/repayment"
	"tradecredit/internal/secret"
	"tradecredit/internal/underwriting"
	"tradecredit/internal/web/assets"
	"tradecredit/internal/web/checkout"
	"tradecredit/internal/web/pay"
	"tradecredit/internal/webhook"
)

// App is the program: a handler and the workers behind it.
type App struct {
	DB        *db.DB
	Queue     *job.Queue
	Committer *deferred.Committer
	Routes    []api.Route
	Handler   http.Handler
	// Document describes Routes, as OpenAPI.
	Document []byte

	// followers do what follows from changes of deferred payments.
	followers []deferred.Follower
	requests  *api.RequestLog
	config    Config
	clock     clock.Clock
	log       *slog.Logger
	ready     atomic.Bool
}

// services are the parts that the composition wires to each other.
type services struct {
	parties    *party.Service
	orders     *order.Service
	offers     *offer.Service
	deferred   *deferred.Service
	repayments *repayment.Service
	webhooks   *webhook.Service
	mailer     *mail.Mailer
	links      secret.Key
	bnpl       *bnpl.API

	documents *document.Service
}

// New puts the program together on an open, migrated database.
func New(ctx context.Context, c Config, d *db.DB, k clock.Clock, log *slog.Logger) (*App, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	a := &App{DB: d, config: c, clock: k, log: log, Queue: job.New(d, k, log)}
	a.requests = api.NewRequestLog(d, func(err error) { log.Error("writing the request log", "error", err) })
	a.Committer = deferred.NewCommitter(d, k, bnpl.EncodeEntry, a.follow, a.Queue.Wake)
	s, err := a.services(ctx)
	if err != nil {
		return nil, err
	}
	a.handleWork(s)
	if a.Handler, err = a.handler(s); err != nil {
		return nil, err
	}
	if err := a.scheduleHousekeeping(ctx); err != nil {
		return nil, err
	}
	if err := a.closeDays(ctx); err != nil {
		return nil, err
	}
	a.ready.Store(true)
	return a, nil
}

// follow lets everybody who lives from deferred payments do what follows from
// changes, in their transaction.
func (a *App) follow(ctx context.Context, tx *db.Tx, happened []deferred.Happening) error {
	for _, f := range a.followers {
		if err := f(ctx, tx, happened); err != nil {
			return err
		}
	}
	return nil
}

func (a *App) services(ctx context.Context) (*services, error) {
	links, err := secret.Ensure(ctx, a.DB, "links")
	if err != nil {
		return nil, err
	}
	s := &services{links: links}
	if s.mailer, err = mail.New(a.clock, a.log, a.config.SMTP); err != nil {
		return nil, err
	}
	engine, err := a.engine(ctx)
	if err != nil {
		return nil, err
	}
	s.offers = &offer.Service{Engine: engine, Customer: a.customer, Locked: deferred.Locked}
	s.deferred = &deferred.Service{Engine: engine, Customer: a.customer, Follow: a.follow}
	if err := a.repayments(s); err != nil {
		return nil, err
	}
	s.orders = &order.Service{OfferChanged: s.offers.ExpireOf, Locked: deferred.Locked}
	s.parties = &party.Service{HasPayments: order.HasPayments, HasOrders: func(ctx context.Context, tx *db.Tx, merchantID, userID string) (bool, error) {
		n, err := order.CountOfUser(ctx, tx, merchantID, userID)
		return n > 0, err
	}}
	s.bnpl = &bnpl.API{
		DB: a.DB, Parties: s.parties, Orders: s.orders, Offers: s.offers, Deferred: s.deferred,
		Committer: a.Committer, Mail: s.mailer, Links: links, Eligibility: a.eligibility,
	}
	s.bnpl.Repayments = s.repayments
	s.bnpl.Fulfilment = &fulfilment.Service{Deferred: s.deferred}
	if s.bnpl.Limits, err = a.limits(ctx, engine); err != nil {
		return nil, err
	}
	if err := a.keepDocuments(s); err != nil {
		return nil, err
	}
	a.payMerchants(s)
	a.bills(s)
	s.bnpl.Connect()
	s.webhooks = webhook.New(a.DB, a.clock, a.log, a.config.Environment, payloads{a, s.bnpl})
	s.bnpl.Webhooks = s.webhooks
	return s, nil
}

// payloads lets the wire write notifications.
type payloads struct {
	app  *App
	bnpl *bnpl.API
}

// Addresses implements webhook.Payloads.
func (p payloads) Addresses(ctx context.Context, tx *db.Tx, m merchant.Merchant, events []event.Event) ([]webhook.Address, error) {
	return p.bnpl.Addresses(p.view(ctx, m), tx, events)
}

// Payload implements webhook.Payloads.
func (p payloads) Payload(ctx context.Context, tx *db.Tx, m merchant.Merchant, e event.Event) ([]byte, error) {
	return p.bnpl.Notification(p.view(ctx, m), tx, e)
}

func (p payloads) view(ctx context.Context, m merchant.Merchant) bnpl.View {
	return bnpl.View{Context: ctx, Merchant: m, PagesURL: p.app.config.Public(), Now: m.Now(p.app.clock.Now())}
}

// handleWork tells the queue who does what is due.
func (a *App) handleWork(s *services) {
	a.Queue.HandleDue(offer.ExpiryKind, s.offers.Expire)
	a.Queue.HandleDue(deferred.ExpiryKind, s.deferred.Expire)
	a.Queue.HandleDue(deferred.TimeoutKind, s.deferred.TimeOut)
	s.webhooks.Register(a.Queue)
	s.mailer.Register(a.Queue)
	s.documents.Register(a.Queue)
	a.Queue.HandleDue(housekeepingKind, a.housekeep)
}

func (a *App) handler(s *services) (http.Handler, error) {
	routes := slices.Concat(a.openRoutes(), a.processorRoutes(s), s.bnpl.Routes(), api.RequestRoutes())
	if a.config.Environment == merchant.Sandbox {
		control := &sandbox.API{DB: a.DB, BNPL: s.bnpl, Deferred: s.deferred, Repayments: s.repayments, Webhooks: s.webhooks, Queue: a.Queue}
		routes = append(routes, control.Routes()...)
	}
	info := api.Info{Title: "Tradecredit", Version: "v1", Server: a.config.Public(), Types: bnpl.Types()}
	document, err := api.DocumentRoutes(routes, info)
	if err != nil {
		return nil, err
	}
	routes = append(routes, document...)
	if a.Document, err = api.OpenAPI(routes, info); err != nil {
		return nil, err
	}
	a.Routes = routes
	pages, err := a.pages(s)
	if err != nil {
		return nil, err
	}
	return api.New(api.Config{
		DB: a.DB, Clock: a.clock, Log: a.log, Limits: a.config.Limits, PublicURL: a.config.Public(), Routes: routes,
		References: a.references(s), Taken: s.bnpl.Taken(), Requests: a.requests, Wake: a.Queue.Wake, Fallback: pages,
	})
}

// references answer whether the objects that bodies name exist.
func (a *App) references(s *services) api.References {
	return api.References{
		id.User:         s.parties.UserExists,
		id.Organisation: s.parties.OrganisationExists,
		id.Order:        order.Exists,
		id.Offer:        offer.Exists,
		id.Company: func(ctx context.Context, tx *db.Tx, merchantID, companyID string) (bool, error) {
			if found, err := company.Exists(ctx, tx, companyID); found || err != nil {
				return found, err
			}
			_, found, err := party.SoleTraderCompany(ctx, tx, merchantID, companyID)
			return found, err
		},
	}
}

// openRoutes answer to machines that watch over the program.
func (a *App) openRoutes() []api.Route {
	answer := func(status int, state string) (*api.Answer, error) {
		return &api.Answer{Status: status, Body: []byte(`{"status":"` + state + `"}`)}, nil
	}
	return []api.Route{
		{
			Method: http.MethodGet, Path: "/healthz", Tag: "Health", Summary: "Is the process serving?", Access: api.Open,
			Response: Health{}, Status: 200,
			Serve: func(*api.Call) (*api.Answer, error) { return answer(200, "ok") },
		},
		{
			Method: http.MethodGet, Path: "/readyz", Tag: "Health", Summary: "Does the database answer?", Access: api.Open,
			Response: Health{}, Status: 200, Errors: []int{503},
			Serve: func(c *api.Call) (*api.Answer, error) {
				ctx, cancel := context.WithTimeout(c, 2*time.Second)
				defer cancel()
				if !a.ready.Load() || a.DB.Ping(ctx) != nil {
					return answer(503, "not ready")
				}
				return answer(200, "ready")
			},
		},
	}
}

// Health is the answer of the health checks.
type Health struct {
	Status string `json:"status"`
}

// pages are the surfaces for people.
func (a *App) pages(s *services) (http.Handler, error) {
	renderer, err := pay.NewRenderer()
	if err != nil {
		return nil, err
	}
	files, err := assets.New()
	if err != nil {
		return nil, err
	}
	plans := &checkout.Handler{
		DB: a.DB, Clock: a.clock, Log: a.log, Renderer: renderer, Deferred: s.deferred, Webhooks: s.webhooks, Documents: s.documents, Asked: fraud.Asked,
		Links: s.links, Lender: a.lender(), Wake: a.Queue.Wake,
	}
	downloads := a.downloads(s)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, checkout.Prefix):
			plans.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, document.LinkPrefix):
			downloads.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, assets.Prefix):
			files.ServeHTTP(w, r)
		case r.URL.Path == legalPath && a.config.Environment == merchant.Sandbox:
			serveSandboxTerms(w)
		default:
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"detail":"Not found."}`))
		}
	}), nil
}

// lender is who buyers owe, with an example in the sandbox.
func (a *App) lender() pay.Lender {
	l := a.config.Lender
	if l.Name == "" {
		l.Name = "Tradecredit Sandbox Lender"
	}
	if l.TermsURL == "" {
		l.TermsURL = a.config.Public() + legalPath
	}
	return l
}

// customer finds out who is behind an order.
func (a *App) customer(ctx context.Context, tx *db.Tx, merchantID, organisationID, userID string) (offer.Buyer, error) {
	var b offer.Buyer
	s := &party.Service{}
	organisation, err := s.GetOrganisation(ctx, tx, merchantID, organisationID)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return b, err
	}
	user, err := s.GetUser(ctx, tx, merchantID, userID)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return b, err
	}
	b.Email, b.UserName = user.Email, user.Name
	for _, u := range organisation.Users {
		b.UserIsMember = b.UserIsMember || u.UserID == userID
	}
	if organisation.CompanyID == "" {
		return b, nil
	}
	v := bnpl.View{Context: ctx, Merchant: merchant.Merchant{ID: merchantID}}
	c, err := bnpl.FindCompany(v, tx, merchantID, organisation.CompanyID)
	if errors.Is(err, db.ErrNoRows) {
		return b, nil
	}
	b.HasCompany = err == nil
	describe(&b, c)
	return b, err
}

// eligibility tells whether a company may sell on credit: one that trades
// normally, in a country that is served.
func (a *App) eligibility(ctx context.Context, tx *db.Tx, m merchant.Merchant, companyID, _ string) (string, any, error) {
	v := bnpl.View{Context: ctx, Merchant: m}
	c, err := bnpl.FindCompany(v, tx, m.ID, companyID)
	if err != nil {
		return "", nil, err
	}
	var reason *underwriting.Reason
	switch {
	case !country.IsBuyer(c.Country):
		reason = underwriting.NewReason("seller-country", map[string]any{"creditor_country": country.Name(c.Country)})
	case c.Status != company.StatusActive:
		reason = underwriting.NewReason("seller-status", map[string]any{"creditor_status": c.Status})
	case c.Facts.Rejection != nil && strings.HasPrefix(c.Facts.Rejection.Code, "seller-"):
		params := map[string]any{}
		for name, value := range c.Facts.Rejection.Params {
			params[name] = value
		}
		reason = underwriting.NewReason(c.Facts.Rejection.Code, params)
	}
	if reason == nil {
		return "eligible", nil, nil
	}
	return "declined", bnpl.RejectionReason{Code: reason.Code, Detail: reason.Detail, Params: reason.Params}, nil
}

// CreateMerchant makes a merchant with the default plan templates.
func CreateMerchant(ctx context.Context, d *db.DB, n merchant.New, now time.Time) (c merchant.Created, err error) {
	err = d.Write(ctx, func(tx *db.Tx) error {
		if c, err = merchant.Create(tx, n, now); err != nil {
			return err
		}
		return offer.InstallTemplates(tx, c.ID, now)
	})
	if err != nil {
		err = fmt.Errorf("create merchant: %w", err)
	}
	return c, err
}
