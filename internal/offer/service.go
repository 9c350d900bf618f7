package offer

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/credit"
	"tradecredit/internal/db"
	"tradecredit/internal/event"
	"tradecredit/internal/form"
	"tradecredit/internal/id"
	"tradecredit/internal/job"
	"tradecredit/internal/merchant"
	"tradecredit/internal/order"
	"tradecredit/internal/page"
	"tradecredit/internal/underwriting"
)

// ExpiryKind is the kind of the due row that ends an offer.
const ExpiryKind = "offer.expiry"

// Buyer is what is known of an order's customer: for the decision, and for what
// the order still lacks.
type Buyer struct {
	underwriting.Buyer
	// HasCompany and UserIsMember are what order.MissingForOffer asks for.
	HasCompany   bool
	UserIsMember bool
	// UserName is the name of the user who orders.
	UserName string
}

// Service makes offers and ends them.
type Service struct {
	Engine underwriting.Engine
	// Customer looks up who is behind an order.
	Customer func(ctx context.Context, tx *db.Tx, merchantID, organisationID, userID string) (Buyer, error)
	// Locked tells whether a deferred payment keeps its order from a new offer.
	// With nil every deferred payment does.
	Locked func(ctx context.Context, tx *db.Tx, merchantID, deferredPaymentID string) (bool, error)
}

// Input is a request for an offer.
type Input struct {
	OrderID  string
	URLs     URLs
	Locale   string
	Metadata json.RawMessage
}

// InstallTemplates gives a new merchant the default templates.
func InstallTemplates(tx *db.Tx, merchantID string, now time.Time) error {
	for i, t := range DefaultTemplates() {
		t.ID = id.New(id.PlanTemplate)
		if err := saveTemplate(tx, merchantID, StoredTemplate{Template: t, Active: true, Created: now}, i, true); err != nil {
			return err
		}
	}
	return nil
}

// SetTemplateActive says whether new offers use a template, and returns it. It
// returns db.ErrNoRows when the merchant has no such template.
func SetTemplateActive(ctx context.Context, tx *db.Tx, merchantID, templateID string, active bool) (StoredTemplate, error) {
	t, err := GetTemplate(ctx, tx, merchantID, templateID)
	if err != nil {
		return t, err
	}
	t.Active = active
	return t, saveTemplate(tx, merchantID, t, 0, false)
}

// AddTemplate stores a new template behind the merchant's others. It returns an
// error that wraps ErrTemplate when no plan could be made from it.
func AddTemplate(ctx context.Context, tx *db.Tx, merchantID string, t Template, now time.Time) (StoredTemplate, error) {
	t.ID = id.New(id.PlanTemplate)
	s := StoredTemplate{Template: t, Active: true, Created: now}
	if err := t.Validate(); err != nil {
		return s, err
	}
	_, n, err := Templates(ctx, tx, merchantID, page.Page{Limit: 1})
	if err != nil {
		return s, err
	}
	if n >= maxTemplates {
		return s, apierr.Conflict("This merchant has as many plan templates as one can have.")
	}
	return s, saveTemplate(tx, merchantID, s, int(n), true)
}

// Create makes an offer for an order and expires the one before it. It returns a
// 409 for an order that is paid or has a deferred payment, and a 400 that names
// the fields that the order lacks.
func (s *Service) Create(ctx context.Context, tx *db.Tx, m merchant.Merchant, now time.Time, in Input) (Stored, error) {
	o, err := order.Lock(ctx, tx, m.ID, in.OrderID)
	if err != nil {
		return Stored{}, err
	}
	if err := s.open(ctx, tx, o); err != nil {
		return Stored{}, err
	}
	buyer, err := s.Customer(ctx, tx, m.ID, o.Customer.Organisation, o.Customer.User)
	if err != nil {
		return Stored{}, err
	}
	if missing := order.MissingForOffer(o.Order, order.Buyer{HasCompany: buyer.HasCompany, UserIsMember: buyer.UserIsMember}); len(missing) > 0 {
		return Stored{}, incomplete(missing)
	}
	if err := s.ExpireOf(ctx, tx, m, now, o.ID, o.PaymentOffer); err != nil {
		return Stored{}, err
	}
	out := Stored{
		Offer:      Offer{ID: id.New(id.Offer), Order: o.ID, URLs: in.URLs, Locale: in.Locale, Metadata: in.Metadata},
		MerchantID: m.ID, Created: now, ValidUntil: ValidUntil(now, int(m.Settings.OfferValidDays)),
	}
	if out.Plans, err = s.plans(ctx, tx, m, now, o, buyer.Buyer, out); err != nil {
		return Stored{}, err
	}
	if err := insert(tx, out); err != nil {
		return Stored{}, err
	}
	order.SetOffer(tx, m.ID, o.ID, out.ID)
	job.Schedule(tx, job.Due{MerchantID: m.ID, Kind: ExpiryKind, ObjectID: out.ID, At: out.ValidUntil}, m.Offset)
	return out, record(tx, "offer.created", out, now)
}

// open refuses orders for which no offer can be had any more.
func (s *Service) open(ctx context.Context, tx *db.Tx, o order.Stored) error {
	switch {
	case !order.TakesOffer(o.Status):
		return apierr.Conflict("An offer can't be obtained as the order has already been paid.")
	case o.Status == order.StatusCancelled:
		return apierr.Conflict("An offer can't be obtained as the order has been cancelled.")
	case o.DeferredPayment == "":
		return nil
	}
	locked := true
	if s.Locked != nil {
		var err error
		if locked, err = s.Locked(ctx, tx, o.MerchantID, o.DeferredPayment); err != nil {
			return err
		}
	}
	if locked {
		return apierr.Conflict("An offer can't be obtained as the order already has a deferred payment.")
	}
	return nil
}

// incomplete names what an order lacks, on the level on which the contract
// reports errors of an order.
func incomplete(missing []string) error {
	bad := &form.Errors{}
	for _, field := range missing {
		bad.Add(field[strings.LastIndexByte(field, '.')+1:], "This field is required.")
	}
	return apierr.Invalid(bad)
}

// plans makes a plan for an offer of every template that serves the order,
// offered or declined.
func (s *Service) plans(ctx context.Context, tx *db.Tx, m merchant.Merchant, now time.Time, o order.Stored, b underwriting.Buyer, out Stored) ([]Plan, error) {
	templates, _, err := Templates(ctx, tx, m.ID, page.Page{Limit: maxTemplates})
	if err != nil {
		return nil, err
	}
	templates = serving(templates, b.Country, o.TotalAmount)
	decision, err := credit.Assess(ctx, tx, s.Engine, underwriting.Application{
		Merchant: m, Buyer: b, Currency: o.Currency, Amount: o.TotalAmount, Now: now,
		OrganisationID: o.Customer.Organisation, OrderID: o.ID, OfferID: out.ID,
		Order: OrderTerms(o.Order), Plans: planTerms(templates, now),
	})
	if err != nil {
		return nil, err
	}
	room := decision.Room()
	decision.Reason = room.Refused
	terms := Terms{
		OrderTotal: o.TotalAmount, Currency: o.Currency, BaseDate: now,
		ProtectedLimit: room.Protected, UnprotectedLimit: room.Unprotected,
	}
	plans := []Plan{}
	for i, t := range templates {
		p, err := BuildPlan(t.Template, terms)
		if err != nil && !errors.Is(err, ErrLimit) {
			return nil, err
		}
		reason := decision.ReasonOf(i)
		switch {
		case errors.Is(err, ErrLimit) && reason == nil:
			reason = room.Exceeded
		case decision.OnlyFirst && len(plans) > 0:
			reason = underwriting.NewReason(underwriting.BuyerLimit, nil)
		}
		p.ID, p.ValidUntil, p.Status = id.New(id.PaymentPlan), out.ValidUntil, StatusOffered
		if reason != nil {
			p.Status = StatusDeclined
			p.RejectionReason = said(*reason, out.Locale)
		}
		plans = append(plans, p)
	}
	return plans, nil
}

// ExpireOf ends the offer that an order has, because the order changed or a new
// offer takes its place. Without an offer it does nothing.
func (s *Service) ExpireOf(ctx context.Context, tx *db.Tx, m merchant.Merchant, now time.Time, orderID, offerID string) error {
	if offerID == "" {
		return nil
	}
	o, err := Lock(ctx, tx, m.ID, offerID)
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.end(tx, o, StatusExpired, "offer.expired", now)
}

// Expire is what is due when the validity of an offer ends.
func (s *Service) Expire(ctx context.Context, tx *db.Tx, d job.Due) error {
	o, _, err := lockWithOrder(ctx, tx, d.MerchantID, d.ObjectID)
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.end(tx, o, StatusExpired, "offer.expired", d.Now)
}

// lockWithOrder locks an offer behind its order, which may be gone: everywhere
// the order comes first, so that nobody waits for the other in a circle.
func lockWithOrder(ctx context.Context, tx *db.Tx, merchantID, offerID string) (Stored, order.Stored, error) {
	found, err := Get(ctx, tx, merchantID, offerID)
	if err != nil {
		return Stored{}, order.Stored{}, err
	}
	of, err := order.Lock(ctx, tx, merchantID, found.Order)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return Stored{}, order.Stored{}, err
	}
	o, err := Lock(ctx, tx, merchantID, offerID)
	return o, of, err
}

// end gives every plan that is still offered another status. When there is none
// it does nothing.
func (s *Service) end(tx *db.Tx, o Stored, status, eventType string, now time.Time) error {
	changed := false
	for i := range o.Plans {
		if o.Plans[i].Status != StatusOffered {
			continue
		}
		o.Plans[i].Status, changed = status, true
		if err := SavePlan(tx, o.MerchantID, o.Plans[i]); err != nil {
			return err
		}
	}
	job.Cancel(tx, o.MerchantID, ExpiryKind, o.ID)
	if !changed {
		return nil
	}
	return record(tx, eventType, o, now)
}

// Delete takes an offer back. It returns db.ErrNoRows when the merchant has no
// such offer, and a 409 when it was accepted.
func (s *Service) Delete(ctx context.Context, tx *db.Tx, m merchant.Merchant, now time.Time, offerID string) error {
	o, current, err := lockWithOrder(ctx, tx, m.ID, offerID)
	if err != nil {
		return err
	}
	for _, p := range o.Plans {
		if p.Status == StatusAccepted {
			return apierr.Conflict("Offer has already been accepted, it cannot be deleted.")
		}
	}
	if err := s.end(tx, o, StatusCancelled, "offer.changed", now); err != nil {
		return err
	}
	if current.PaymentOffer == o.ID {
		order.SetOffer(tx, m.ID, o.Order, "")
	}
	tx.Queue(deleteOffer, m.ID, o.ID)
	return nil
}

// Settle marks one plan of an offer as taken and the others that are offered as
// cancelled.
func (s *Service) Settle(ctx context.Context, tx *db.Tx, merchantID string, taken StoredPlan, now time.Time) error {
	o, err := Lock(ctx, tx, merchantID, taken.OfferID)
	if err != nil {
		return err
	}
	for i := range o.Plans {
		switch {
		case o.Plans[i].ID == taken.ID:
			o.Plans[i] = taken.Plan
		case o.Plans[i].Status == StatusOffered:
			o.Plans[i].Status = StatusCancelled
		default:
			continue
		}
		if err := SavePlan(tx, merchantID, o.Plans[i]); err != nil {
			return err
		}
	}
	job.Cancel(tx, merchantID, ExpiryKind, o.ID)
	return record(tx, "offer.changed", o, now)
}

// record appends an event with the offer as it is now.
func record(tx *db.Tx, kind string, o Stored, now time.Time) error {
	data, err := db.JSON(struct {
		ID    string `json:"id"`
		Order string `json:"order"`
		Offer
	}{o.ID, o.Order, o.Offer})
	if err != nil {
		return err
	}
	event.Append(tx, event.Event{MerchantID: o.MerchantID, Type: kind, ObjectID: o.ID, RootID: o.Order, Data: data, Created: now})
	return nil
}
