// Package event is the log of everything that happens: append-only, written in
// the transaction of the change itself, numbered and hash-chained afterwards.
//
// Webhooks, mails and consoles live from it. A merchant reads it as a feed.
package event

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/id"
)

// Event is one change of one object.
type Event struct {
	MerchantID string
	ID         string
	// Seq numbers the events of a merchant from 1, without gaps; 0 until the
	// event is chained.
	Seq int64
	// Type is "<object>.<what happened>", for example deferred_payment.captured.
	Type string
	// ObjectID is what changed, RootID what it belongs to: the order, for
	// everything around an order. Events of one root keep their order.
	ObjectID string
	RootID   string
	// Data is the object after the change, as JSON.
	Data    []byte
	Created time.Time
	// Hash covers this event and the hash of the one before it.
	Hash string

	// n is its place in the outbox.
	n int64
}

const (
	insertEvents db.SQL = `INSERT INTO events (merchant_id, id, type, object_id, root_id, data, created_at)
		SELECT u.m, u.i, u.t, u.o, u.r, u.d, u.c
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[]) AS u(m, i, t, o, r, d, c)`
	insertOutbox db.SQL = `INSERT INTO event_outbox (merchant_id, event_id)
		SELECT u.m, u.i FROM unnest($1::text[], $2::text[]) AS u(m, i)`
	ensureChain db.SQL = `INSERT INTO event_chains (merchant_id, seq, hash) VALUES ($1, 0, '')
		ON CONFLICT (merchant_id) DO NOTHING`
	lockChain       db.SQL = `SELECT seq, hash FROM event_chains WHERE merchant_id = $1 FOR UPDATE`
	selectChain     db.SQL = `SELECT seq, hash FROM event_chains WHERE merchant_id = $1`
	updateChain     db.SQL = `UPDATE event_chains SET seq = $2, hash = $3 WHERE merchant_id = $1`
	selectUnchained db.SQL = `SELECT o.n, e.id, 0, e.type, e.object_id, e.root_id, e.data, e.created_at, ''
		FROM event_outbox o JOIN events e ON e.merchant_id = o.merchant_id AND e.id = o.event_id
		WHERE o.merchant_id = $1 ORDER BY o.n LIMIT $2`
	insertSequence db.SQL = `INSERT INTO event_sequence (merchant_id, seq, event_id, hash)
		SELECT u.m, u.s, u.i, u.h FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[]) AS u(m, s, i, h)`
	deleteOutbox db.SQL = `DELETE FROM event_outbox WHERE (merchant_id, n) IN
		(SELECT u.m, u.n FROM unnest($1::text[], $2::bigint[]) AS u(m, n))`
	selectWaiting db.SQL = `SELECT DISTINCT merchant_id FROM event_outbox LIMIT $1`
	selectFeed    db.SQL = `SELECT 0, e.id, s.seq, e.type, e.object_id, e.root_id, e.data, e.created_at, s.hash
		FROM event_sequence s JOIN events e ON e.merchant_id = s.merchant_id AND e.id = s.event_id
		WHERE s.merchant_id = $1 AND s.seq > $2 ORDER BY s.seq LIMIT $3`
	selectOne db.SQL = `SELECT 0, e.id, COALESCE(s.seq, 0), e.type, e.object_id, e.root_id, e.data, e.created_at, COALESCE(s.hash, '')
		FROM events e LEFT JOIN event_sequence s ON s.merchant_id = e.merchant_id AND s.event_id = e.id
		WHERE e.merchant_id = $1 AND e.id = $2`
)

// Append adds events to the log with the commit of tx. Their ID is made when it
// is empty.
func Append(tx *db.Tx, events ...Event) {
	k := len(events)
	merchants, ids, types := make([]string, k), make([]string, k), make([]string, k)
	objects, roots, data := make([]string, k), make([]string, k), make([]string, k)
	created := make([]int64, k)
	for i, e := range events {
		if e.ID == "" {
			e.ID = id.New(id.Event)
		}
		merchants[i], ids[i], types[i] = e.MerchantID, e.ID, e.Type
		objects[i], roots[i], data[i] = e.ObjectID, e.RootID, string(e.Data)
		created[i] = db.Micros(e.Created)
	}
	tx.QueueMany(insertEvents, merchants, ids, types, objects, roots, data, created)
	tx.QueueMany(insertOutbox, merchants, ids)
}

// Waiting names up to limit merchants that have events which are not chained yet.
func Waiting(ctx context.Context, tx *db.Tx, limit int) ([]string, error) {
	return db.All(ctx, tx, selectWaiting, []any{limit}, func(r db.Rows) (m string, err error) {
		err = r.Scan(&m)
		return m, err
	})
}

// Chain numbers and hashes up to limit committed events of a merchant in the
// order in which they were written, and returns them. It holds the merchant's
// chain until tx ends, so that no two processes chain at once; writers of events
// are never held up by it.
func Chain(ctx context.Context, tx *db.Tx, merchantID string, limit int) ([]Event, error) {
	if _, err := tx.Exec(ctx, ensureChain, merchantID); err != nil {
		return nil, err
	}
	var seq int64
	var hash string
	if err := tx.Get(ctx, lockChain, []any{merchantID}, &seq, &hash); err != nil {
		return nil, err
	}
	events, err := db.All(ctx, tx, selectUnchained, []any{merchantID, limit}, scan(merchantID))
	if err != nil || len(events) == 0 {
		return nil, err
	}
	k := len(events)
	merchants, seqs, ids, hashes := make([]string, k), make([]int64, k), make([]string, k), make([]string, k)
	for i := range events {
		seq++
		events[i].Seq = seq
		hash = events[i].chained(hash)
		events[i].Hash = hash
		merchants[i], seqs[i], ids[i], hashes[i] = merchantID, seq, events[i].ID, hash
	}
	tx.QueueMany(insertSequence, merchants, seqs, ids, hashes)
	gone := make([]int64, k)
	for i := range events {
		gone[i] = events[i].n
	}
	tx.QueueMany(deleteOutbox, merchants, gone)
	tx.Queue(updateChain, merchantID, seq, hash)
	return events, nil
}

// chained is the hash of the event behind the hash of the one before it. Every
// part is hashed with its length, so that no two events read alike.
func (e Event) chained(before string) string {
	h := sha256.New()
	data := sha256.Sum256(e.Data)
	for _, part := range []string{
		before, e.ID, fmt.Sprint(e.Seq), e.Type, e.ObjectID, e.RootID,
		fmt.Sprint(db.Micros(e.Created)), hex.EncodeToString(data[:]),
	} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Feed returns up to limit chained events of a merchant behind the sequence
// number after.
func Feed(ctx context.Context, tx *db.Tx, merchantID string, after int64, limit int) ([]Event, error) {
	return db.All(ctx, tx, selectFeed, []any{merchantID, after, limit}, scan(merchantID))
}

// Get returns one event, or db.ErrNoRows.
func Get(ctx context.Context, tx *db.Tx, merchantID, eventID string) (Event, error) {
	return db.One(ctx, tx, selectOne, []any{merchantID, eventID}, scan(merchantID))
}

// Verify walks over the whole chain of a merchant and returns an error that
// names the first event that does not fit.
func Verify(ctx context.Context, tx *db.Tx, merchantID string) error {
	var seq int64
	var hash string
	for {
		page, err := Feed(ctx, tx, merchantID, seq, 1000)
		if err != nil {
			return err
		}
		for _, e := range page {
			if e.Seq != seq+1 {
				return fmt.Errorf("event %s: number %d follows %d", e.ID, e.Seq, seq)
			}
			if want := e.chained(hash); want != e.Hash {
				return fmt.Errorf("event %s (number %d): its hash does not fit its content", e.ID, e.Seq)
			}
			seq, hash = e.Seq, e.Hash
		}
		if len(page) == 0 {
			break
		}
	}
	var headSeq int64
	var headHash string
	err := tx.Get(ctx, selectChain, []any{merchantID}, &headSeq, &headHash)
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err == nil && (headSeq != seq || headHash != hash) {
		return fmt.Errorf("the chain of %s ends at number %d, its head says %d", merchantID, seq, headSeq)
	}
	return err
}

func scan(merchantID string) func(db.Rows) (Event, error) {
	return func(r db.Rows) (Event, error) {
		e := Event{MerchantID: merchantID}
		var created int64
		var data string
		err := r.Scan(&e.n, &e.ID, &e.Seq, &e.Type, &e.ObjectID, &e.RootID, &data, &created, &e.Hash)
		e.Data, e.Created = []byte(data), db.Time(created)
		return e, err
	}
}
