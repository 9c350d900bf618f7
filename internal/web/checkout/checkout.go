// Package checkout serves the hosted page on which a buyer looks at a payment
// plan and confirms it.
//
// Opening the page changes nothing: mail scanners and link previews open links.
// The deferred payment is made when the buyer confirms, once however often the
// confirmation is sent.
package checkout

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/document"
	"tradecredit/internal/merchant"
	"tradecredit/internal/offer"
	"tradecredit/internal/order"
	"tradecredit/internal/secret"
	"tradecredit/internal/web/pay"
	"tradecredit/internal/webhook"
)

// Prefix is the path below which the pages are served.
const Prefix = "/plans/"

// Handler serves the pages.
type Handler struct {
	DB       *db.DB
	Clock    clock.Clock
	Log      *slog.Logger
	Renderer *pay.Renderer
	Deferred *deferred.Service
	Webhooks *webhook.Service
	// Documents takes what a payment asks its buyer for. Asked tells which kinds the
	// rules about fraud ask for with a plan; every kind when it names none.
	Documents *document.Service
	Asked     func(ctx context.Context, tx *db.Tx, merchantID, planID string) ([]string, error)
	Links     secret.Key
	Lender    pay.Lender
	// Wake is called when a confirmation may have made work for the queue.
	Wake func()
}

// subject is everything a page is about.
type subject struct {
	plan     offer.StoredPlan
	offer    offer.Stored
	order    order.Stored
	buyer    offer.Buyer
	merchant merchant.Merchant
	payment  *deferred.Payment
	// sent are the documents that the buyer has sent for the payment.
	sent []document.BuyerDocument
	// asked are the kinds of documents that the buyer is asked for.
	asked []string
	// next is the plan to look at instead when the order has a newer offer; "" when
	// it has none.
	next string
	now  time.Time
}

// errUnknown is a link that leads nowhere.
var errUnknown = errors.New("checkout: no such link")

// maxForm bounds a posted form, in bytes.
const maxForm = 64 << 10

// ServeHTTP implements http.Handler. The Request-Id stands in the header already.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	requestID := w.Header().Get("Request-Id")
	planID := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, Prefix), "/")
	var err error
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		err = h.show(w, r, planID)
	case http.MethodPost:
		if isUpload(r) {
			err = h.receive(w, r, planID)
		} else {
			err = h.confirm(w, r, planID)
		}
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		http.Error(w, "Method not allowed.", http.StatusMethodNotAllowed)
		return
	}
	switch {
	case err == nil:
	case errors.Is(err, errUnknown):
		h.render(w, http.StatusNotFound, pay.Page{State: pay.UnknownLink, Locale: "en", Now: h.Clock.Now(), Lender: h.Lender}, nil)
	default:
		h.Log.Error("hosted page failed", "request", requestID, "plan", planID, "error", err)
		h.render(w, http.StatusInternalServerError, pay.Page{
			// Whose page it is may be what could not be read.
			State: pay.Failure, Locale: "en", Now: h.Clock.Now(), Lender: h.Lender, Seller: pay.Seller{Name: h.Lender.Name},
			RequestID: requestID, Links: pay.Links{Self: r.URL.RequestURI()},
		}, nil)
	}
}

// load reads what a link is about, or errUnknown for one that is wrong.
func (h *Handler) load(r *http.Request, tx *db.Tx, planID string) (s subject, err error) {
	if !h.Links.Check(planID, r.URL.Query().Get("key")) {
		return s, errUnknown
	}
	ctx := r.Context()
	if s.plan, err = offer.FindPlan(ctx, tx, planID); err != nil {
		return s, missing(err)
	}
	if s.merchant, err = merchant.Get(ctx, tx, s.plan.MerchantID); err != nil {
		return s, missing(err)
	}
	if s.offer, err = offer.GetEvenDeleted(ctx, tx, s.merchant.ID, s.plan.OfferID); err != nil {
		return s, missing(err)
	}
	if s.order, err = order.Get(ctx, tx, s.merchant.ID, s.plan.OrderID); err != nil {
		return s, missing(err)
	}
	s.now = s.merchant.Now(h.Clock.Now())
	c := s.order.Customer
	if s.buyer, err = h.Deferred.Customer(ctx, tx, s.merchant.ID, c.Organisation, c.User); err != nil {
		return s, err
	}
	if s.next, err = nextPlan(ctx, tx, s); err != nil {
		return s, err
	}
	if s.order.DeferredPayment == "" {
		return s, nil
	}
	p, err := deferred.Get(ctx, tx, s.merchant.ID, s.order.DeferredPayment)
	if err != nil {
		return s, missing(err)
	}
	s.payment = &p
	if s.sent, err = document.ListBuyer(ctx, tx, s.merchant.ID, p.ID); err != nil {
		return s, err
	}
	if h.Asked != nil && s.wanted() {
		if s.asked, err = h.Asked(ctx, tx, s.merchant.ID, p.PlanID); err != nil {
			return s, err
		}
	}
	if len(s.asked) == 0 {
		s.asked = document.Kinds()
	}
	return s, nil
}

// nextPlan is the first plan that can be taken of the newer offer of an order.
func nextPlan(ctx context.Context, tx *db.Tx, s subject) (string, error) {
	if s.order.PaymentOffer == s.offer.ID || s.order.PaymentOffer == "" {
		return "", nil
	}
	newer, err := offer.Get(ctx, tx, s.merchant.ID, s.order.PaymentOffer)
	if errors.Is(err, db.ErrNoRows) {
		return "", nil
	}
	for _, p := range newer.Plans {
		if p.AcceptableAt(s.now) {
			return p.ID, nil
		}
	}
	return "", err
}

func missing(err error) error {
	if errors.Is(err, db.ErrNoRows) {
		return errUnknown
	}
	return err
}

func (h *Handler) show(w http.ResponseWriter, r *http.Request, planID string) error {
	var s subject
	err := h.DB.Read(r.Context(), func(tx *db.Tx) (err error) {
		s, err = h.load(r, tx, planID)
		return err
	})
	if err != nil {
		return err
	}
	page := h.page(s, r)
	page.Form = pay.Form{Attempt: h.attempt(planID), Input: pay.Input{Plan: planID}}
	page.Upload = h.uploadForm(s, planID, nil)
	h.render(w, http.StatusOK, page, s.returns())
	return nil
}

// attempt is the token that a confirmation carries: whoever has it has seen the
// page.
func (h *Handler) attempt(planID string) string { return h.Links.Sign("attempt:" + planID) }

// confirm takes the plan that the buyer chose. Sent again it finds the payment
// that exists.
func (h *Handler) confirm(w http.ResponseWriter, r *http.Request, planID string) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		http.Error(w, "The form could not be read.", http.StatusBadRequest)
		return nil
	}
	in := pay.ReadInput(r.PostForm)
	var s subject
	var problems []pay.Problem
	var target string
	err := h.DB.Write(r.Context(), func(tx *db.Tx) (err error) {
		problems, target = nil, ""
		if s, err = h.load(r, tx, planID); err != nil {
			return err
		}
		if s.payment != nil && s.takenHere() && in.Attempt == h.attempt(planID) {
			// Sent again: where the first one led.
			target, err = h.target(r, tx, s, *s.payment, planID)
			return err
		}
		page := h.page(s, r)
		if page.State != pay.Offered {
			target = h.self(r, planID)
			return nil
		}
		if problems = h.check(in, planID, page.Plans); len(problems) > 0 {
			return nil
		}
		p, _, err := h.Deferred.Accept(r.Context(), tx, s.merchant, s.now, in.Plan, string(in.Method))
		if err != nil {
			return err
		}
		target, err = h.target(r, tx, s, p, planID)
		return err
	})
	var refused *apierr.Error
	switch {
	case errors.As(err, &refused):
		// The offer changed between the reading and the locking of it: the page
		// says how it stands now.
		target = h.self(r, planID)
	case err != nil:
		return err
	case len(problems) > 0:
		page := h.page(s, r)
		page.Form = pay.Form{Attempt: h.attempt(planID), Input: in, Problems: problems}
		h.render(w, http.StatusUnprocessableEntity, page, s.returns())
		return nil
	}
	if h.Wake != nil {
		h.Wake()
	}
	pay.SecurityHeaders(w.Header(), s.returns())
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

func (h *Handler) check(in pay.Input, planID string, plans []pay.Plan) []pay.Problem {
	problems := pay.CheckInput(in, plans)
	if in.Attempt != h.attempt(planID) {
		problems = append(problems, pay.AttemptInvalid)
	}
	return problems
}

// self is the page again, to show what came of the confirmation.
func (h *Handler) self(r *http.Request, planID string) string {
	return Prefix + planID + "?key=" + url.QueryEscape(r.URL.Query().Get("key")) + "&confirmed=1"
}

// target is where a buyer goes after the confirmation: to the shop when all is
// well, to the result here when something is still to be said.
func (h *Handler) target(r *http.Request, tx *db.Tx, s subject, p deferred.Payment, planID string) (string, error) {
	if p.Status != deferred.StatusAccepted || s.offer.URLs.Success == "" {
		return h.self(r, planID), nil
	}
	key, err := h.Webhooks.OfferSecret(r.Context(), tx, s.merchant.ID)
	if err != nil {
		return "", err
	}
	return returnURL(s.offer.URLs.Success, s.offer.ID, p, key, h.Clock.Now())
}

// returnURL adds what came of a purchase to the shop's address, and a signature
// by the merchant's notification secret over it. A shop still waits for the
// notification before it ships.
func returnURL(base, offerID string, p deferred.Payment, key string, now time.Time) (string, error) {
	u, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	v := url.Values{
		"offer": {offerID}, "order": {p.OrderID}, "deferred_payment": {p.ID}, "status": {string(p.Status)},
		"expires": {now.Add(15 * time.Minute).Format(time.RFC3339)},
	}
	v.Set("sig", secret.Key(key).Sign(v.Encode()))
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += v.Encode()
	return u.String(), nil
}

// returns are the addresses a form post may redirect to.
func (s subject) returns() []string {
	return []string{s.offer.URLs.Success, s.offer.URLs.Failure, s.offer.URLs.Cancel}
}

func (h *Handler) render(w http.ResponseWriter, status int, p pay.Page, returns []string) {
	var b bytes.Buffer
	if err := h.Renderer.Render(&b, p); err != nil {
		h.Log.Error("rendering a hosted page", "state", p.State, "error", err)
		http.Error(w, "Something went wrong.", http.StatusInternalServerError)
		return
	}
	pay.SecurityHeaders(w.Header(), returns)
	w.WriteHeader(status)
	// The buyer may be gone; there is nobody to tell.
	_, _ = b.WriteTo(w)
}
