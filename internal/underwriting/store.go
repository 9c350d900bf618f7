package underwriting

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/order"
)

const (
	insertPolicy db.SQL = `INSERT INTO underwriting_policies (merchant_id, hash, name, version, origin, source, loaded_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`
	selectCurrent db.SQL = `SELECT COALESCE(
		(SELECT hash FROM underwriting_policies WHERE merchant_id = $1 ORDER BY n DESC LIMIT 1),
		(SELECT hash FROM underwriting_policies WHERE merchant_id = '' ORDER BY n DESC LIMIT 1), '')`
	selectLatest db.SQL = `SELECT merchant_id, hash, name, version, origin, loaded_at FROM underwriting_policies
		WHERE merchant_id = $1 ORDER BY n DESC LIMIT 1`
	selectSource db.SQL = `SELECT source FROM underwriting_policies WHERE merchant_id = $1 AND hash = $2 ORDER BY n DESC LIMIT 1`
	listPolicies db.SQL = `SELECT merchant_id, hash, name, version, origin, loaded_at FROM underwriting_policies
		WHERE merchant_id = $1 ORDER BY n DESC LIMIT $2`

	insertDecision db.SQL = `INSERT INTO underwriting_decisions (merchant_id, id, kind, company_id, order_id, offer_id, plan_id,
		policy_hash, outcome, reason, amount, currency, credit_limit, available, inputs, results, decided_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`
	decisionColumns = `merchant_id, id, kind, company_id, order_id, offer_id, plan_id, policy_hash, outcome, reason, amount,
		currency, credit_limit, available, inputs, results, decided_at`
	selectDecision db.SQL = `SELECT ` + decisionColumns + ` FROM underwriting_decisions WHERE merchant_id = $1 AND id = $2`
	listDecisions  db.SQL = `SELECT ` + decisionColumns + ` FROM underwriting_decisions
		WHERE merchant_id = $1 ORDER BY decided_at DESC, id DESC LIMIT $2`
	listOfOrder db.SQL = `SELECT ` + decisionColumns + ` FROM underwriting_decisions
		WHERE merchant_id = $1 AND order_id = $2 ORDER BY decided_at DESC, id DESC LIMIT $3`
	streamDecisions db.SQL = `SELECT ` + decisionColumns + ` FROM underwriting_decisions
		WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3`

	insertSector db.SQL = `INSERT INTO underwriting_sectors (division, company_id)
		VALUES ($1, $2) ON CONFLICT (division, company_id) DO NOTHING`
	sumSector db.SQL = `SELECT COALESCE(SUM(e.in_use), 0)::bigint FROM underwriting_sectors s
		JOIN credit_exposures e ON e.merchant_id = '' AND e.company_id = s.company_id AND e.currency = $2 WHERE s.division = $1`

	selectHistory db.SQL = `SELECT status, currency, total_amount, created_at, body FROM orders
		WHERE merchant_id = $1 AND organisation_id = $2 AND id <> $3 ORDER BY created_at DESC LIMIT 100`
)

// everybody is the division that holds every company.
const everybody = "*"

// Loaded is a policy as it was loaded, without its text.
type Loaded struct {
	// Merchant is empty for a policy of all merchants.
	Merchant string    `json:"merchant"`
	Hash     string    `json:"hash"`
	Name     string    `json:"name"`
	Version  string    `json:"version"`
	Origin   string    `json:"origin"`
	LoadedAt time.Time `json:"loaded_at"`
}

// Where a policy comes from.
const (
	FromProgram  = "program"
	FromOperator = "operator"
)

func scanLoaded(r db.Rows) (l Loaded, err error) {
	var at int64
	err = r.Scan(&l.Merchant, &l.Hash, &l.Name, &l.Version, &l.Origin, &at)
	l.LoadedAt = db.Time(at)
	return l, err
}

// Load makes a policy the one that counts for a merchant, or with an empty
// merchantID for every merchant that has none of its own.
func Load(tx *db.Tx, merchantID string, p *Policy, origin string, now time.Time) Loaded {
	tx.Queue(insertPolicy, merchantID, p.Hash, p.Name, p.Version, origin, p.Source, db.Micros(now))
	return Loaded{Merchant: merchantID, Hash: p.Hash, Name: p.Name, Version: p.Version, Origin: origin, LoadedAt: now.UTC()}
}

// EnsureDefault stores the policy that comes with the program for all merchants,
// unless an operator has loaded another for them or it is there already.
func EnsureDefault(ctx context.Context, tx *db.Tx, now time.Time) error {
	p, err := Default()
	if err != nil {
		return err
	}
	last, err := db.One(ctx, tx, selectLatest, []any{""}, scanLoaded)
	switch {
	case errors.Is(err, db.ErrNoRows) || err == nil && last.Origin == FromProgram && last.Hash != p.Hash:
		Load(tx, "", p, FromProgram, now)
		return nil
	}
	return err
}

// Policies lists what was loaded for a merchant, or for all with an empty id, the
// newest first. The first one counts.
func Policies(ctx context.Context, tx *db.Tx, merchantID string, limit int) ([]Loaded, error) {
	return db.All(ctx, tx, listPolicies, []any{merchantID, limit}, scanLoaded)
}

// current is the hash of the policy that counts for a merchant; empty when none
// was ever stored.
func current(ctx context.Context, tx *db.Tx, merchantID string) (hash string, err error) {
	err = tx.Get(ctx, selectCurrent, []any{merchantID}, &hash)
	return hash, err
}

// source is the text of a policy of a merchant or of all.
func source(ctx context.Context, tx *db.Tx, merchantID, hash string) (text string, err error) {
	err = tx.Get(ctx, selectSource, []any{merchantID, hash}, &text)
	if errors.Is(err, db.ErrNoRows) && merchantID != "" {
		err = tx.Get(ctx, selectSource, []any{"", hash}, &text)
	}
	return text, err
}

// Find returns the policy with a hash, of a merchant or of all, or the one that
// counts when the hash is empty. It returns db.ErrNoRows when there is none.
func Find(ctx context.Context, tx *db.Tx, merchantID, hash string) (*Policy, error) {
	if hash == "" {
		var err error
		if hash, err = current(ctx, tx, merchantID); err != nil {
			return nil, err
		}
	}
	if own, err := Default(); err != nil || hash == "" || hash == own.Hash {
		return own, err
	}
	text, err := source(ctx, tx, merchantID, hash)
	if err != nil {
		return nil, err
	}
	return ParsePolicy("policy "+hash[:min(12, len(hash))], []byte(text))
}

func scanRecord(r db.Rows) (d Record, err error) {
	var inputs, results string
	var at int64
	err = r.Scan(&d.Merchant, &d.ID, &d.Kind, &d.Company, &d.Order, &d.Offer, &d.Plan, &d.Policy, &d.Outcome, &d.Reason,
		&d.Amount, &d.Currency, &d.Limit, &d.Available, &inputs, &results, &at)
	if err != nil {
		return d, err
	}
	d.DecidedAt = db.Time(at)
	if err := json.Unmarshal([]byte(inputs), &d.Case); err != nil {
		return d, err
	}
	return d, json.Unmarshal([]byte(results), &d.Results)
}

func insertRecord(tx *db.Tx, d Record) error {
	inputs, err := db.JSON(d.Case)
	if err != nil {
		return err
	}
	results, err := db.JSON(d.Results)
	if err != nil {
		return err
	}
	tx.Queue(insertDecision, d.Merchant, d.ID, d.Kind, d.Company, d.Order, d.Offer, d.Plan, d.Policy, d.Outcome, d.Reason,
		d.Amount, d.Currency, d.Limit, d.Available, string(inputs), string(results), db.Micros(d.DecidedAt))
	return nil
}

// GetRecord returns a decision of a merchant, or db.ErrNoRows.
func GetRecord(ctx context.Context, tx *db.Tx, merchantID, decisionID string) (Record, error) {
	return db.One(ctx, tx, selectDecision, []any{merchantID, decisionID}, scanRecord)
}

// Records lists the newest decisions of a merchant, of one order only when it is
// named.
func Records(ctx context.Context, tx *db.Tx, merchantID, orderID string, limit int) ([]Record, error) {
	if orderID != "" {
		return db.All(ctx, tx, listOfOrder, []any{merchantID, orderID, limit}, scanRecord)
	}
	return db.All(ctx, tx, listDecisions, []any{merchantID, limit}, scanRecord)
}

// RecordsAfter returns a page of a merchant's decisions in the order of their
// identifiers.
func RecordsAfter(ctx context.Context, tx *db.Tx, merchantID, after string, limit int) ([]Record, error) {
	return db.All(ctx, tx, streamDecisions, []any{merchantID, after, limit}, scanRecord)
}

// joins notes the division of a company that will have credit in use.
func joins(tx *db.Tx, division, companyID string) {
	tx.Queue(insertSector, everybody, companyID)
	if division != "" {
		tx.Queue(insertSector, division, companyID)
	}
}

func inUseOf(ctx context.Context, tx *db.Tx, division, currency string) (sum int64, err error) {
	err = tx.Get(ctx, sumSector, []any{division, currency}, &sum)
	return sum, err
}

// history is how an organisation paid a merchant before, by its newest 100
// orders. Neither the order that asks for credit itself nor drafts and cancelled
// ones are among them.
func history(ctx context.Context, tx *db.Tx, a Application) (h History, err error) {
	if a.OrganisationID == "" {
		return h, nil
	}
	today := midnight(a.Now)
	_, err = db.All(ctx, tx, selectHistory, []any{a.Merchant.ID, a.OrganisationID, a.OrderID}, func(r db.Rows) (none struct{}, err error) {
		var o pastOrder
		var created int64
		var body string
		if err = r.Scan(&o.Status, &o.Currency, &o.Total, &created, &body); err != nil {
			return none, err
		}
		o.Created = db.Time(created)
		if err = json.Unmarshal([]byte(body), &o); err == nil && o.Status != order.StatusDraft && o.Status != order.StatusCancelled {
			h.add(o, a.Currency, today)
		}
		return none, err
	})
	return h, err
}
