// Package idempotency makes a repeated request answer what the first one did.
//
// The key is claimed, the work done and the answer stored in one transaction: a
// failed request leaves no key behind, and an answer that a client saw is never
// given up.
package idempotency

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/db"
)

// Retention is how long a key is kept at least.
const Retention = 45 * 24 * time.Hour

// Request is a request that carries a key.
type Request struct {
	MerchantID string
	Key        string
	// Operation names what is done: the type of the post-sale event, or else the
	// method and the pattern of the route.
	Operation string
	// Fingerprint covers all of the request: method, path and body.
	Fingerprint string
	// Amount is the amount of a post-sale event, in minor units.
	Amount *int64
}

// Answer is what the first request was answered.
type Answer struct {
	Status   int
	Location string
	Body     []byte
}

// events are the operations that make post-sale events. The sentences for them
// are the contract's.
var events = map[string]bool{"capture": true, "refund": true, "void": true}

const (
	claimKey db.SQL = `INSERT INTO idempotency_keys (merchant_id, idem_key, operation, fingerprint, amount, status, location, body, created_at)
		VALUES ($1, $2, $3, $4, $5, 0, '', '', $6) ON CONFLICT (merchant_id, idem_key) DO NOTHING`
	storeAnswer db.SQL = `UPDATE idempotency_keys SET status = $3, location = $4, body = $5
		WHERE merchant_id = $1 AND idem_key = $2`
	insertAnswers db.SQL = `INSERT INTO idempotency_keys (merchant_id, idem_key, operation, fingerprint, amount, status, location, body, created_at)
		SELECT u.m, u.k, u.o, u.f, u.a, u.s, '', u.b, u.c
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::text[], $8::bigint[]) AS u(m, k, o, f, a, s, b, c)`
	selectAnswer db.SQL = `SELECT operation, fingerprint, amount, status, location, body
		FROM idempotency_keys WHERE merchant_id = $1 AND idem_key = $2`
	selectAnswers db.SQL = `SELECT k.merchant_id, k.idem_key, k.operation, k.fingerprint, k.amount, k.status, k.location, k.body
		FROM unnest($1::text[], $2::text[]) AS u(m, k) JOIN idempotency_keys k ON k.merchant_id = u.m AND k.idem_key = u.k`
	purge db.SQL = `DELETE FROM idempotency_keys WHERE created_at < $1`
)

// Claim takes the key for this transaction. It returns the first answer when the
// key was used for the same request before, and a 400 when it was used for
// another. While another transaction holds the key it waits, and returns a 409
// when that takes too long.
func Claim(ctx context.Context, tx *db.Tx, r Request, now time.Time) (*Answer, error) {
	n, err := tx.Exec(ctx, claimKey, r.MerchantID, r.Key, r.Operation, r.Fingerprint, r.Amount, db.Micros(now))
	if errors.Is(err, db.ErrTimeout) {
		return nil, &apierr.Error{Status: http.StatusConflict, Cause: err, Body: map[string]string{
			"error": fmt.Sprintf("A request with the `Idempotency-Key` [%s] is still being processed.", r.Key),
		}}
	}
	if err != nil || n == 1 {
		return nil, err
	}
	var first Stored
	err = tx.Get(ctx, selectAnswer, []any{r.MerchantID, r.Key},
		&first.Operation, &first.Fingerprint, &first.Amount, &first.Status, &first.Location, &first.body)
	if err != nil {
		return nil, err
	}
	return first.Replay(r)
}

// Store keeps the answer to a claimed request with the commit of tx.
func Store(tx *db.Tx, r Request, a Answer) {
	tx.Queue(storeAnswer, r.MerchantID, r.Key, a.Status, a.Location, string(a.Body))
}

// Stored is a request that was answered before.
type Stored struct {
	Request
	Status   int
	Location string
	body     string
}

// Replay returns the stored answer for r, or a 400 with the contract's sentence
// when r is another request than the one that was answered.
func (s *Stored) Replay(r Request) (*Answer, error) {
	if s.Fingerprint == r.Fingerprint && s.Operation == r.Operation {
		return &Answer{Status: s.Status, Location: s.Location, Body: []byte(s.body)}, nil
	}
	return nil, clash(s.Request, r)
}

// clash is the 400 for a key that was used for another request.
func clash(first, second Request) error {
	text := fmt.Sprintf("Duplicate `Idempotency-Key` [%s] has been used for another request, the key cannot be used again.", second.Key)
	switch {
	case events[first.Operation] && events[second.Operation] && first.Operation != second.Operation:
		text = fmt.Sprintf("Duplicate `Idempotency-Key` [%s] has been used to create a `%s` event, the key cannot be used to create a `%s` event.",
			second.Key, first.Operation, second.Operation)
	case events[second.Operation] && first.Operation == second.Operation && !sameAmount(first.Amount, second.Amount):
		text = fmt.Sprintf("Duplicate `Idempotency-Key` [%s] cannot be used to create an event with a different `amount`.", second.Key)
	}
	return &apierr.Error{Status: http.StatusBadRequest, Body: map[string]string{"error": text}}
}

func sameAmount(a, b *int64) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

// Key identifies a request's key among those of all merchants.
type Key struct{ MerchantID, Key string }

// FindMany looks up the keys of many requests at once. The result is filled when
// tx sends what is queued.
func FindMany(tx *db.Tx, requests []Request) map[Key]*Stored {
	merchants, keys := make([]string, len(requests)), make([]string, len(requests))
	for i, r := range requests {
		merchants[i], keys[i] = r.MerchantID, r.Key
	}
	out := map[Key]*Stored{}
	read := func(rows db.Rows) error {
		for rows.Next() {
			var s Stored
			err := rows.Scan(&s.MerchantID, &s.Key, &s.Operation, &s.Fingerprint, &s.Amount, &s.Status, &s.Location, &s.body)
			if err != nil {
				return err
			}
			out[Key{s.MerchantID, s.Key}] = &s
		}
		return nil
	}
	for _, args := range tx.Split(merchants, keys) {
		tx.QueueQuery(selectAnswers, read, args...)
	}
	return out
}

// NewStored is a request with its answer, for StoreMany.
func NewStored(r Request, a Answer) *Stored {
	return &Stored{Request: r, Status: a.Status, Location: a.Location, body: string(a.Body)}
}

// StoreMany keeps many answers with the commit of tx. A key that another
// transaction has stored meanwhile makes the commit fail with an error for which
// db.IsUnique is true.
func StoreMany(tx *db.Tx, answers []*Stored, now time.Time) {
	k := len(answers)
	merchants, keys, operations, prints := make([]string, k), make([]string, k), make([]string, k), make([]string, k)
	amounts, statuses, bodies, created := make([]*int64, k), make([]int64, k), make([]string, k), make([]int64, k)
	for i, s := range answers {
		merchants[i], keys[i], operations[i], prints[i] = s.MerchantID, s.Key, s.Operation, s.Fingerprint
		amounts[i], statuses[i], bodies[i], created[i] = s.Amount, int64(s.Status), s.body, db.Micros(now)
	}
	tx.QueueMany(insertAnswers, merchants, keys, operations, prints, amounts, statuses, bodies, created)
}

// Purge forgets keys older than Retention.
func Purge(ctx context.Context, tx *db.Tx, now time.Time) (int64, error) {
	return tx.Exec(ctx, purge, db.Micros(now.Add(-Retention)))
}
