package fraud

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
)

const (
	insertRules db.SQL = `INSERT INTO fraud_rules (merchant_id, hash, name, version, origin, source, loaded_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`
	selectCurrent db.SQL = `SELECT COALESCE(
		(SELECT hash FROM fraud_rules WHERE merchant_id = $1 ORDER BY n DESC LIMIT 1),
		(SELECT hash FROM fraud_rules WHERE merchant_id = '' ORDER BY n DESC LIMIT 1), '')`
	selectSource db.SQL = `SELECT source FROM fraud_rules WHERE merchant_id = $1 AND hash = $2 ORDER BY n DESC LIMIT 1`
	listRules    db.SQL = `SELECT merchant_id, hash, name, version, origin, loaded_at FROM fraud_rules
		WHERE merchant_id = $1 ORDER BY n DESC LIMIT $2`

	insertDecision db.SQL = `INSERT INTO fraud_decisions (merchant_id, id, company_id, organisation_id, order_id, plan_id,
		rules_hash, outcome, score, amount, currency, inputs, verdict, decided_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`
	decisionColumns = `merchant_id, id, company_id, organisation_id, order_id, plan_id, rules_hash, amount, currency, inputs,
		verdict, decided_at`
	selectDecision db.SQL = `SELECT ` + decisionColumns + ` FROM fraud_decisions WHERE merchant_id = $1 AND id = $2`
	listDecisions  db.SQL = `SELECT ` + decisionColumns + ` FROM fraud_decisions
		WHERE merchant_id = $1 ORDER BY decided_at DESC, id DESC LIMIT $2`
	listOfOutcome db.SQL = `SELECT ` + decisionColumns + ` FROM fraud_decisions
		WHERE merchant_id = $1 AND outcome = $2 ORDER BY decided_at DESC, id DESC LIMIT $3`
	listOfOrder db.SQL = `SELECT ` + decisionColumns + ` FROM fraud_decisions
		WHERE merchant_id = $1 AND order_id = $2 ORDER BY decided_at DESC, id DESC LIMIT $3`
	selectOfPlan db.SQL = `SELECT ` + decisionColumns + ` FROM fraud_decisions
		WHERE merchant_id = $1 AND plan_id = $2 ORDER BY decided_at DESC LIMIT 1`
	decisionsAfter db.SQL = `SELECT ` + decisionColumns + ` FROM fraud_decisions
		WHERE merchant_id = $1 AND id > $2 ORDER BY id LIMIT $3`
	purgeDecisions db.SQL = `DELETE FROM fraud_decisions WHERE decided_at < $1`

	upsertRequest db.SQL = `INSERT INTO fraud_requests (merchant_id, plan_id, kinds, asked_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (merchant_id, plan_id) DO UPDATE SET kinds = excluded.kinds, asked_at = excluded.asked_at`
	selectRequest db.SQL = `SELECT kinds FROM fraud_requests WHERE merchant_id = $1 AND plan_id = $2`

	// One writing a day is enough to know what is still in use.
	insertIdentifiers db.SQL = `INSERT INTO fraud_identifiers (kind, hash, company_id, merchant_id, seen_at)
		SELECT u.k, u.h, u.c, u.m, u.s FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) AS u(k, h, c, m, s)
		WHERE TRUE ON CONFLICT (kind, hash, company_id, merchant_id) DO UPDATE SET seen_at = excluded.seen_at
		WHERE fraud_identifiers.seen_at < excluded.seen_at - 86400000000`
	selectOthers db.SQL = `SELECT DISTINCT company_id FROM fraud_identifiers
		WHERE kind = $1 AND hash = $2 AND company_id <> $3 LIMIT 500`
	purgeIdentifiers db.SQL = `DELETE FROM fraud_identifiers WHERE seen_at < $1`

	insertAttempts db.SQL = `INSERT INTO fraud_attempts (kind, hash, seen_at, decision_id, merchant_id, currency, amount, accepted)
		SELECT u.k, u.h, u.s, u.d, u.m, u.y, u.a, u.x
		FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::boolean[])
		AS u(k, h, s, d, m, y, a, x)`
	selectAttempts db.SQL = `SELECT seen_at, currency, amount, accepted FROM fraud_attempts
		WHERE kind = $1 AND hash = $2 AND seen_at > $3 AND seen_at < $4 ORDER BY seen_at DESC LIMIT $5`
	purgeAttempts db.SQL = `DELETE FROM fraud_attempts WHERE seen_at < $1`

	insertLocks db.SQL = `INSERT INTO fraud_locks (slot) SELECT u.s FROM unnest($1::bigint[]) AS u(s) WHERE TRUE
		ON CONFLICT (slot) DO NOTHING`
	takeLocks db.SQL = `SELECT l.slot FROM unnest($1::bigint[]) AS u(s) JOIN fraud_locks l ON l.slot = u.s
		ORDER BY l.slot FOR UPDATE OF l`

	upsertListed db.SQL = `INSERT INTO fraud_lists (merchant_id, kind, hash, list, shown, note, added_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (merchant_id, kind, hash)
		DO UPDATE SET list = excluded.list, shown = excluded.shown, note = excluded.note, added_at = excluded.added_at`
	deleteListed db.SQL = `DELETE FROM fraud_lists WHERE merchant_id = $1 AND kind = $2 AND hash = $3`
	listListed   db.SQL = `SELECT merchant_id, kind, list, shown, note, added_at FROM fraud_lists
		WHERE merchant_id = $1 AND (added_at, kind, hash) > ($2, '', '') ORDER BY added_at, kind, hash LIMIT $3`
	findListed db.SQL = `SELECT l.kind, l.list FROM unnest($1::text[], $2::text[], $3::text[]) AS u(m, k, h)
		JOIN fraud_lists l ON l.merchant_id = u.m AND l.kind = u.k AND l.hash = u.h`

	selectOrder db.SQL = `SELECT body FROM orders WHERE merchant_id = $1 AND id = $2`
	selectUser  db.SQL = `SELECT u.id, u.email, u.phone, u.registered,
		(SELECT count(DISTINCT g.company_id) FROM memberships m
			JOIN organisations g ON g.merchant_id = m.merchant_id AND g.id = m.organisation_id
			WHERE m.merchant_id = u.merchant_id AND m.user_id = u.id AND g.company_id <> '')
		FROM orders o JOIN users u ON u.merchant_id = o.merchant_id AND u.id = o.user_id
		WHERE o.merchant_id = $1 AND o.id = $2`
	selectColleagues db.SQL = `SELECT u.email_key FROM memberships m
		JOIN users u ON u.merchant_id = m.merchant_id AND u.id = m.user_id
		WHERE m.merchant_id = $1 AND m.organisation_id = $2 LIMIT 50`
	selectEarlier db.SQL = `SELECT o.id,
		(SELECT count(*) FROM deferred_payments p WHERE p.merchant_id = o.merchant_id AND p.id = o.deferred_payment_id
			AND p.status NOT IN ('rejected', 'pending_review', 'customer_action_required', 'pending_payment')),
		COALESCE((SELECT max(d.decided_at) FROM underwriting_decisions d
			WHERE d.merchant_id = o.merchant_id AND d.order_id = o.id AND d.kind = 'assess' AND d.outcome = 'declined'), 0)
		FROM orders o WHERE o.merchant_id = $1 AND o.organisation_id = $2 ORDER BY o.created_at DESC LIMIT 100`
)

// Loaded are rules as they were loaded, without their text.
type Loaded struct {
	// Merchant is empty for rules of all merchants.
	Merchant string    `json:"merchant"`
	Hash     string    `json:"hash"`
	Name     string    `json:"name"`
	Version  string    `json:"version"`
	Origin   string    `json:"origin"`
	LoadedAt time.Time `json:"loaded_at"`
}

// Where rules come from.
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

// Load makes rules those that count for a merchant, or with an empty merchantID for
// every merchant that has none of its own.
func Load(tx *db.Tx, merchantID string, r *Rules, origin string, now time.Time) {
	tx.Queue(insertRules, merchantID, r.Hash, r.Name, r.Version, origin, r.Source, db.Micros(now))
}

// EnsureDefault stores the rules that come with the program for all merchants,
// unless an operator has loaded others for them or they are there already.
func EnsureDefault(ctx context.Context, tx *db.Tx, e merchant.Environment, now time.Time) error {
	r, err := Default(e)
	if err != nil {
		return err
	}
	last, err := db.One(ctx, tx, listRules, []any{"", 1}, scanLoaded)
	if errors.Is(err, db.ErrNoRows) || err == nil && last.Origin == FromProgram && last.Hash != r.Hash {
		Load(tx, "", r, FromProgram, now)
		return nil
	}
	return err
}

// AllLoaded lists what was loaded for a merchant, or for all with an empty id, the
// newest first.
func AllLoaded(ctx context.Context, tx *db.Tx, merchantID string, limit int) ([]Loaded, error) {
	return db.All(ctx, tx, listRules, []any{merchantID, limit}, scanLoaded)
}

// Find returns the rules with a hash, of a merchant or of all, or those that count
// when the hash is empty. It returns db.ErrNoRows when there are none.
func Find(ctx context.Context, tx *db.Tx, merchantID, hash string) (*Rules, error) {
	if hash == "" {
		if err := tx.Get(ctx, selectCurrent, []any{merchantID}, &hash); err != nil {
			return nil, err
		}
	}
	var text string
	err := tx.Get(ctx, selectSource, []any{merchantID, hash}, &text)
	if errors.Is(err, db.ErrNoRows) && merchantID != "" {
		err = tx.Get(ctx, selectSource, []any{"", hash}, &text)
	}
	if err != nil {
		return nil, err
	}
	return Parse([]byte(text))
}

func scanDecision(r db.Rows) (d Decision, err error) {
	var inputs, verdict string
	var at int64
	err = r.Scan(&d.Merchant, &d.ID, &d.Company, &d.Organisation, &d.Order, &d.Plan, &d.Rules, &d.Amount, &d.Currency,
		&inputs, &verdict, &at)
	if err != nil {
		return d, err
	}
	d.DecidedAt = db.Time(at)
	if err := json.Unmarshal([]byte(inputs), &d.Inputs); err != nil {
		return d, err
	}
	return d, json.Unmarshal([]byte(verdict), &d.Verdict)
}

func insert(tx *db.Tx, d Decision) error {
	inputs, err := db.JSON(d.Inputs)
	if err != nil {
		return err
	}
	verdict, err := db.JSON(d.Verdict)
	if err != nil {
		return err
	}
	tx.Queue(insertDecision, d.Merchant, d.ID, d.Company, d.Organisation, d.Order, d.Plan, d.Rules, string(d.Verdict.Outcome),
		d.Verdict.Score, d.Amount, d.Currency, string(inputs), string(verdict), db.Micros(d.DecidedAt))
	return nil
}

// Get returns a decision of a merchant, or db.ErrNoRows.
func Get(ctx context.Context, tx *db.Tx, merchantID, decisionID string) (Decision, error) {
	return db.One(ctx, tx, selectDecision, []any{merchantID, decisionID}, scanDecision)
}

// OfPlan returns the decision on an accepted plan, or db.ErrNoRows when none was
// made: a pattern of the sandbox decided.
func OfPlan(ctx context.Context, tx *db.Tx, merchantID, planID string) (Decision, error) {
	return db.One(ctx, tx, selectOfPlan, []any{merchantID, planID}, scanDecision)
}

// List returns the newest decisions of a merchant, only those on an order, or only
// those with an outcome, when one is named.
func List(ctx context.Context, tx *db.Tx, merchantID, orderID, outcome string, limit int) ([]Decision, error) {
	switch {
	case orderID != "":
		return db.All(ctx, tx, listOfOrder, []any{merchantID, orderID, limit}, scanDecision)
	case outcome != "":
		return db.All(ctx, tx, listOfOutcome, []any{merchantID, outcome, limit}, scanDecision)
	}
	return db.All(ctx, tx, listDecisions, []any{merchantID, limit}, scanDecision)
}

// Ask stores which kinds of documents the buyer of an accepted plan is asked for, in
// place of those asked for before.
func Ask(tx *db.Tx, merchantID, planID string, kinds []string, now time.Time) error {
	text, err := db.JSON(kinds)
	if err == nil {
		tx.Queue(upsertRequest, merchantID, planID, string(text), db.Micros(now))
	}
	return err
}

// Asked returns the kinds of documents that the buyer of an accepted plan is asked
// for; none when nothing special is.
func Asked(ctx context.Context, tx *db.Tx, merchantID, planID string) (kinds []string, err error) {
	var text string
	err = tx.Get(ctx, selectRequest, []any{merchantID, planID}, &text)
	if errors.Is(err, db.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return kinds, json.Unmarshal([]byte(text), &kinds)
}

// How long things are kept. A shared identifier counts as long as it was seen
// within the second, in days.
const (
	keepAttempts    = 8 * 24 * time.Hour
	keepIdentifiers = 400 * 24 * time.Hour
	keepDecisions   = 1096 * 24 * time.Hour
)

// Purge forgets what is older than it is kept, and tells how much that was.
func Purge(ctx context.Context, tx *db.Tx, now time.Time) (n int64, err error) {
	attempts, err := tx.Exec(ctx, purgeAttempts, db.Micros(now.Add(-keepAttempts)))
	if err != nil {
		return 0, err
	}
	identifiers, err := tx.Exec(ctx, purgeIdentifiers, db.Micros(now.Add(-keepIdentifiers)))
	if err != nil {
		return 0, err
	}
	decisions, err := tx.Exec(ctx, purgeDecisions, db.Micros(now.Add(-keepDecisions)))
	return attempts + identifiers + decisions, err
}
