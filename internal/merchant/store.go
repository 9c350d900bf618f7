package merchant

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"tradecredit/internal/db"
)

const (
	insertMerchant db.SQL = `INSERT INTO merchants (id, name, profile, environment, settings, clock_offset, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`
	updateMerchant db.SQL = `UPDATE merchants SET name = $2, profile = $3, settings = $4, clock_offset = $5 WHERE id = $1`
	selectMerchant db.SQL = `SELECT id, name, profile, environment, settings, clock_offset, created_at
		FROM merchants WHERE id = $1`
	lockMerchant db.SQL = `SELECT id, name, profile, environment, settings, clock_offset, created_at
		FROM merchants WHERE id = $1 FOR UPDATE`
	selectMerchants db.SQL = `SELECT id, name, profile, environment, settings, clock_offset, created_at
		FROM merchants WHERE id > $1 ORDER BY id LIMIT $2`
	selectMany db.SQL = `SELECT m.id, m.name, m.profile, m.environment, m.settings, m.clock_offset, m.created_at
		FROM unnest($1::text[]) AS u(i) JOIN merchants m ON m.id = u.i`
	insertKey db.SQL = `INSERT INTO api_keys (hash, merchant_id, kind, hint, origins, active, created_at)
		VALUES ($1, $2, $3, $4, $5, TRUE, $6)`
	selectKey  db.SQL = `SELECT hash, merchant_id, kind, hint, origins, active, created_at FROM api_keys WHERE hash = $1`
	selectKeys db.SQL = `SELECT hash, merchant_id, kind, hint, origins, active, created_at FROM api_keys
		WHERE merchant_id = $1 ORDER BY created_at, hash`
	setKeyActive  db.SQL = `UPDATE api_keys SET active = $3 WHERE merchant_id = $1 AND hash = $2`
	setKeyOrigins db.SQL = `UPDATE api_keys SET origins = $3 WHERE merchant_id = $1 AND hash = $2`
)

func scanMerchant(r db.Rows) (Merchant, error) {
	var m Merchant
	var settings string
	var offset, created int64
	if err := r.Scan(&m.ID, &m.Name, &m.Profile, &m.Environment, &settings, &offset, &created); err != nil {
		return m, err
	}
	m.Offset, m.Created = time.Duration(offset)*time.Microsecond, db.Time(created)
	// A setting that came later has its default in older rows.
	m.Settings = DefaultSettings()
	return m, json.Unmarshal([]byte(settings), &m.Settings)
}

func scanKey(r db.Rows) (Key, error) {
	var k Key
	var origins string
	var created int64
	err := r.Scan(&k.Hash, &k.MerchantID, &k.Kind, &k.Hint, &origins, &k.Active, &created)
	if origins != "" {
		k.Origins = strings.Split(origins, " ")
	}
	k.Created = db.Time(created)
	return k, err
}

// Get returns a merchant, or db.ErrNoRows.
func Get(ctx context.Context, tx *db.Tx, merchantID string) (Merchant, error) {
	return db.One(ctx, tx, selectMerchant, []any{merchantID}, scanMerchant)
}

// Lock returns a merchant and keeps others from changing it until tx ends.
func Lock(ctx context.Context, tx *db.Tx, merchantID string) (Merchant, error) {
	return db.One(ctx, tx, lockMerchant, []any{merchantID}, scanMerchant)
}

// List returns up to limit merchants whose ID comes after the given one.
func List(ctx context.Context, tx *db.Tx, after string, limit int) ([]Merchant, error) {
	return db.All(ctx, tx, selectMerchants, []any{after, limit}, scanMerchant)
}

func save(tx *db.Tx, m Merchant, insert bool) error {
	settings, err := json.Marshal(m.Settings)
	if err != nil {
		return err
	}
	if insert {
		tx.Queue(insertMerchant, m.ID, m.Name, string(m.Profile), string(m.Environment), string(settings),
			m.Offset.Microseconds(), db.Micros(m.Created))
		return nil
	}
	tx.Queue(updateMerchant, m.ID, m.Name, string(m.Profile), string(settings), m.Offset.Microseconds())
	return nil
}

// FindKey returns the key with this hash, or db.ErrNoRows.
func FindKey(ctx context.Context, tx *db.Tx, hash string) (Key, error) {
	return db.One(ctx, tx, selectKey, []any{hash}, scanKey)
}

// FindMany looks up several merchants at once. The result is filled when tx
// sends what is queued.
func FindMany(tx *db.Tx, ids []string) map[string]Merchant {
	out := map[string]Merchant{}
	var distinct []string
	seen := map[string]bool{}
	for _, i := range ids {
		if !seen[i] {
			seen[i] = true
			distinct = append(distinct, i)
		}
	}
	read := func(rows db.Rows) error {
		for rows.Next() {
			m, err := scanMerchant(rows)
			if err != nil {
				return err
			}
			out[m.ID] = m
		}
		return nil
	}
	for _, args := range tx.Split(distinct) {
		tx.QueueQuery(selectMany, read, args...)
	}
	return out
}

// Keys returns the keys of a merchant, oldest first: their hashes and hints, not
// the keys themselves.
func Keys(ctx context.Context, tx *db.Tx, merchantID string) ([]Key, error) {
	return db.All(ctx, tx, selectKeys, []any{merchantID}, scanKey)
}
