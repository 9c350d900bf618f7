package offer

import (
	"context"
	"encoding/json"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/page"
)

// Stored is an offer with what the database keeps beside its body.
type Stored struct {
	Offer
	MerchantID string
	ValidUntil time.Time
	Created    time.Time
}

// StoredPlan is one plan with what it belongs to.
type StoredPlan struct {
	Plan
	MerchantID string
	OfferID    string
	OrderID    string
}

const (
	insertTemplate db.SQL = `INSERT INTO plan_templates (merchant_id, id, position, active, body, created_at)
		VALUES ($1, $2, $3, $4, $5, $6)`
	updateTemplate  db.SQL = `UPDATE plan_templates SET active = $3, body = $4 WHERE merchant_id = $1 AND id = $2`
	selectTemplates db.SQL = `SELECT id, active, body, created_at FROM plan_templates
		WHERE merchant_id = $1 ORDER BY position, id LIMIT $2 OFFSET $3`
	countTemplates db.SQL = `SELECT count(*) FROM plan_templates WHERE merchant_id = $1`
	selectTemplate db.SQL = `SELECT id, active, body, created_at FROM plan_templates WHERE merchant_id = $1 AND id = $2`

	insertOffer db.SQL = `INSERT INTO offers (merchant_id, id, order_id, deleted, body, valid_until, created_at)
		VALUES ($1, $2, $3, FALSE, $4, $5, $6)`
	deleteOffer db.SQL = `UPDATE offers SET deleted = TRUE WHERE merchant_id = $1 AND id = $2`
	selectOffer db.SQL = `SELECT merchant_id, id, order_id, body, valid_until, created_at FROM offers
		WHERE merchant_id = $1 AND id = $2 AND deleted = FALSE`
	selectEvenDeleted db.SQL = `SELECT merchant_id, id, order_id, body, valid_until, created_at FROM offers
		WHERE merchant_id = $1 AND id = $2`
	selectManyEvenDeleted db.SQL = `SELECT o.merchant_id, o.id, o.order_id, o.body, o.valid_until, o.created_at
		FROM unnest($1::text[], $2::text[]) AS u(m, i) JOIN offers o ON o.merchant_id = u.m AND o.id = u.i`
	lockOffer db.SQL = `SELECT merchant_id, id, order_id, body, valid_until, created_at FROM offers
		WHERE merchant_id = $1 AND id = $2 AND deleted = FALSE FOR UPDATE`
	selectNewest db.SQL = `SELECT merchant_id, id, order_id, body, valid_until, created_at FROM offers
		WHERE merchant_id = $1 AND deleted = FALSE ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3`
	selectOldest db.SQL = `SELECT merchant_id, id, order_id, body, valid_until, created_at FROM offers
		WHERE merchant_id = $1 AND deleted = FALSE ORDER BY created_at, id LIMIT $2 OFFSET $3`
	countOffers   db.SQL = `SELECT count(*) FROM offers WHERE merchant_id = $1 AND deleted = FALSE`
	selectOfOrder db.SQL = `SELECT merchant_id, id, order_id, body, valid_until, created_at FROM offers
		WHERE merchant_id = $1 AND order_id = $2 AND deleted = FALSE ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4`
	countOfOrder db.SQL = `SELECT count(*) FROM offers WHERE merchant_id = $1 AND order_id = $2 AND deleted = FALSE`

	insertPlans db.SQL = `INSERT INTO payment_plans (merchant_id, id, offer_id, order_id, position, status, body)
		SELECT u.m, u.i, u.o, u.r, u.p, u.s, u.b
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[]) AS u(m, i, o, r, p, s, b)`
	selectPlans db.SQL = `SELECT merchant_id, id, offer_id, order_id, status, body FROM payment_plans
		WHERE merchant_id = $1 AND offer_id = $2 ORDER BY position`
	selectPlansOfMany db.SQL = `SELECT p.merchant_id, p.id, p.offer_id, p.order_id, p.status, p.body
		FROM unnest($1::text[], $2::text[]) AS u(m, o) JOIN payment_plans p ON p.merchant_id = u.m AND p.offer_id = u.o
		ORDER BY p.offer_id, p.position`
	selectPlansByID db.SQL = `SELECT p.merchant_id, p.id, p.offer_id, p.order_id, p.status, p.body
		FROM unnest($1::text[], $2::text[]) AS u(m, i) JOIN payment_plans p ON p.merchant_id = u.m AND p.id = u.i`
	selectPlan db.SQL = `SELECT merchant_id, id, offer_id, order_id, status, body FROM payment_plans WHERE id = $1`
	lockPlan   db.SQL = `SELECT merchant_id, id, offer_id, order_id, status, body FROM payment_plans
		WHERE merchant_id = $1 AND id = $2 FOR UPDATE`
	updatePlan db.SQL = `UPDATE payment_plans SET status = $3, body = $4 WHERE merchant_id = $1 AND id = $2`
)

func scanOffer(r db.Rows) (Stored, error) {
	var s Stored
	var body string
	var until, created int64
	if err := r.Scan(&s.MerchantID, &s.ID, &s.Order, &body, &until, &created); err != nil {
		return s, err
	}
	err := json.Unmarshal([]byte(body), &s.Offer)
	s.ValidUntil, s.Created = db.Time(until), db.Time(created)
	return s, err
}

func scanPlan(r db.Rows) (StoredPlan, error) {
	var s StoredPlan
	var planID, status, body string
	if err := r.Scan(&s.MerchantID, &planID, &s.OfferID, &s.OrderID, &status, &body); err != nil {
		return s, err
	}
	err := json.Unmarshal([]byte(body), &s.Plan)
	s.ID, s.Status = planID, status
	return s, err
}

// Get returns an offer with its plans, or db.ErrNoRows.
func Get(ctx context.Context, tx *db.Tx, merchantID, offerID string) (Stored, error) {
	return withPlans(ctx, tx, selectOffer, merchantID, offerID)
}

// GetEvenDeleted is Get for whoever holds a link to an offer, or waits for news
// of it, that was taken back meanwhile.
func GetEvenDeleted(ctx context.Context, tx *db.Tx, merchantID, offerID string) (Stored, error) {
	return withPlans(ctx, tx, selectEvenDeleted, merchantID, offerID)
}

// Lock is Get that keeps others from changing the offer until tx ends.
func Lock(ctx context.Context, tx *db.Tx, merchantID, offerID string) (Stored, error) {
	return withPlans(ctx, tx, lockOffer, merchantID, offerID)
}

func withPlans(ctx context.Context, tx *db.Tx, q db.SQL, merchantID, offerID string) (Stored, error) {
	s, err := db.One(ctx, tx, q, []any{merchantID, offerID}, scanOffer)
	if err != nil {
		return s, err
	}
	s.Plans, err = plansOf(ctx, tx, merchantID, offerID)
	return s, err
}

func plansOf(ctx context.Context, tx *db.Tx, merchantID, offerID string) ([]Plan, error) {
	stored, err := db.All(ctx, tx, selectPlans, []any{merchantID, offerID}, scanPlan)
	plans := make([]Plan, len(stored))
	for i, p := range stored {
		plans[i] = p.Plan
	}
	return plans, err
}

// Exists tells whether a merchant has an offer.
func Exists(ctx context.Context, tx *db.Tx, merchantID, offerID string) (bool, error) {
	found, err := db.All(ctx, tx, selectOffer, []any{merchantID, offerID}, scanOffer)
	return len(found) > 0, err
}

// NotificationURLs are the addresses that offers name for news, also those of
// offers that were deleted. An offer may be named more than once.
func NotificationURLs(ctx context.Context, tx *db.Tx, merchantID string, offerIDs []string) (map[string]string, error) {
	out := map[string]string{}
	merchants, ids := db.Distinct(merchantID, offerIDs)
	read := func(r db.Rows) error {
		for r.Next() {
			o, err := scanOffer(r)
			if err != nil {
				return err
			}
			out[o.ID] = o.URLs.Notification
		}
		return nil
	}
	for _, args := range tx.Split(merchants, ids) {
		tx.QueueQuery(selectManyEvenDeleted, read, args...)
	}
	return out, tx.Flush(ctx)
}

// List returns one page of a merchant's offers with their plans, and how many
// offers there are.
func List(ctx context.Context, tx *db.Tx, merchantID string, p page.Page) ([]Stored, int64, error) {
	q := selectNewest
	if p.Oldest {
		q = selectOldest
	}
	var n int64
	if err := tx.Get(ctx, countOffers, []any{merchantID}, &n); err != nil {
		return nil, 0, err
	}
	found, err := db.All(ctx, tx, q, []any{merchantID, p.Limit, p.Offset}, scanOffer)
	if err != nil {
		return nil, 0, err
	}
	return found, n, fill(ctx, tx, found)
}

// ListOfOrder is List for the offers of one order, newest first.
func ListOfOrder(ctx context.Context, tx *db.Tx, merchantID, orderID string, p page.Page) ([]Stored, int64, error) {
	var n int64
	if err := tx.Get(ctx, countOfOrder, []any{merchantID, orderID}, &n); err != nil {
		return nil, 0, err
	}
	found, err := db.All(ctx, tx, selectOfOrder, []any{merchantID, orderID, p.Limit, p.Offset}, scanOffer)
	if err != nil {
		return nil, 0, err
	}
	return found, n, fill(ctx, tx, found)
}

// fill reads the plans of offers of one merchant.
func fill(ctx context.Context, tx *db.Tx, offers []Stored) error {
	merchants, ids := make([]string, len(offers)), make([]string, len(offers))
	at := make(map[string]int, len(offers))
	for i := range offers {
		merchants[i], ids[i], at[offers[i].ID] = offers[i].MerchantID, offers[i].ID, i
		offers[i].Plans = []Plan{}
	}
	for _, args := range tx.Split(merchants, ids) {
		found, err := db.All(ctx, tx, selectPlansOfMany, args, scanPlan)
		if err != nil {
			return err
		}
		for _, p := range found {
			o := &offers[at[p.OfferID]]
			o.Plans = append(o.Plans, p.Plan)
		}
	}
	return nil
}

// PlansByID returns plans of a merchant.
func PlansByID(ctx context.Context, tx *db.Tx, merchantID string, planIDs []string) (map[string]Plan, error) {
	out := make(map[string]Plan, len(planIDs))
	merchants, ids := db.Distinct(merchantID, planIDs)
	for _, args := range tx.Split(merchants, ids) {
		found, err := db.All(ctx, tx, selectPlansByID, args, scanPlan)
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			out[p.ID] = p.Plan
		}
	}
	return out, nil
}

// FindPlan returns a plan by its ID alone, for whoever holds a link to it, or
// db.ErrNoRows.
func FindPlan(ctx context.Context, tx *db.Tx, planID string) (StoredPlan, error) {
	return db.One(ctx, tx, selectPlan, []any{planID}, scanPlan)
}

// LockPlan returns a plan of a merchant and keeps others from changing it until
// tx ends, or db.ErrNoRows.
func LockPlan(ctx context.Context, tx *db.Tx, merchantID, planID string) (StoredPlan, error) {
	return db.One(ctx, tx, lockPlan, []any{merchantID, planID}, scanPlan)
}

func insert(tx *db.Tx, s Stored) error {
	body, err := db.JSON(Offer{URLs: s.URLs, Locale: s.Locale, Metadata: s.Metadata})
	if err != nil {
		return err
	}
	tx.Queue(insertOffer, s.MerchantID, s.ID, s.Order, string(body), db.Micros(s.ValidUntil), db.Micros(s.Created))
	k := len(s.Plans)
	merchants, ids, offers, orders := make([]string, k), make([]string, k), make([]string, k), make([]string, k)
	positions, statuses, bodies := make([]int64, k), make([]string, k), make([]string, k)
	for i, p := range s.Plans {
		plan, err := db.JSON(p)
		if err != nil {
			return err
		}
		merchants[i], ids[i], offers[i], orders[i] = s.MerchantID, p.ID, s.ID, s.Order
		positions[i], statuses[i], bodies[i] = int64(i), p.Status, string(plan)
	}
	tx.QueueMany(insertPlans, merchants, ids, offers, orders, positions, statuses, bodies)
	return nil
}

// SavePlan writes a changed plan with the commit of tx.
func SavePlan(tx *db.Tx, merchantID string, p Plan) error {
	body, err := db.JSON(p)
	if err != nil {
		return err
	}
	tx.Queue(updatePlan, merchantID, p.ID, p.Status, string(body))
	return nil
}

// StoredTemplate is a template with whether new offers use it.
type StoredTemplate struct {
	Template
	Active  bool
	Created time.Time
}

func scanTemplate(r db.Rows) (StoredTemplate, error) {
	var t StoredTemplate
	var templateID, body string
	var created int64
	if err := r.Scan(&templateID, &t.Active, &body, &created); err != nil {
		return t, err
	}
	err := json.Unmarshal([]byte(body), &t.Template)
	t.ID, t.Created = templateID, db.Time(created)
	return t, err
}

// maxTemplates bounds how many templates one offer is made from.
const maxTemplates = 100

// Templates returns one page of a merchant's templates in their order, and how
// many there are.
func Templates(ctx context.Context, tx *db.Tx, merchantID string, p page.Page) ([]StoredTemplate, int64, error) {
	found, err := db.All(ctx, tx, selectTemplates, []any{merchantID, p.Limit, p.Offset}, scanTemplate)
	if err != nil {
		return nil, 0, err
	}
	var n int64
	err = tx.Get(ctx, countTemplates, []any{merchantID}, &n)
	return found, n, err
}

// GetTemplate returns a template of a merchant, or db.ErrNoRows.
func GetTemplate(ctx context.Context, tx *db.Tx, merchantID, templateID string) (StoredTemplate, error) {
	return db.One(ctx, tx, selectTemplate, []any{merchantID, templateID}, scanTemplate)
}

func saveTemplate(tx *db.Tx, merchantID string, t StoredTemplate, position int, isNew bool) error {
	body, err := db.JSON(t.Template)
	if err != nil {
		return err
	}
	if isNew {
		tx.Queue(insertTemplate, merchantID, t.ID, position, t.Active, string(body), db.Micros(t.Created))
		return nil
	}
	tx.Queue(updateTemplate, merchantID, t.ID, t.Active, string(body))
	return nil
}
