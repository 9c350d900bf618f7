package deferred

import (
	"context"
	"encoding/json"
	"errors"
	"hash/fnv"
	"net/http"
	"runtime"
	"sync"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/clock"
	"tradecredit/internal/credit"
	"tradecredit/internal/db"
	"tradecredit/internal/event"
	"tradecredit/internal/id"
	"tradecredit/internal/idempotency"
	"tradecredit/internal/ledger"
	"tradecredit/internal/merchant"
	"tradecredit/internal/order"
)

// Request is a post-sale action that somebody waits for.
type Request struct {
	MerchantID string
	PaymentID  string
	Command    Command
	// Metadata is kept with the event, as JSON.
	Metadata []byte
	// Key makes the request idempotent; nil when it carries no key.
	Key *idempotency.Request
}

// Answer is what a request is answered once it is committed.
type Answer struct {
	idempotency.Answer
	Replayed bool
}

// Committer makes post-sale events. Requests that arrive while a commit is under
// way are decided and committed together in the next one: because the rules are
// pure, one transaction loads all their rows, decides each after the other in
// memory, and writes everything at once. A refused request is only an answer and
// never disturbs the others. An answer is given only after the commit.
type Committer struct {
	db     *db.DB
	clock  clock.Clock
	encode func(p Payment, e Entry) ([]byte, error)
	lanes  []chan *pending
	wait   sync.WaitGroup
	// follow does what follows from the events, in their transaction.
	follow Follower
	// committed is called after every commit.
	committed func()
}

type pending struct {
	Request
	ctx    context.Context
	answer Answer
	err    error
	done   chan struct{}
}

// maxGroup bounds how many requests one transaction decides.
const maxGroup = 128

// NewCommitter starts a committer. encode writes the body of the answer; follow,
// unless nil, does what follows from the events; committed is called when a change
// may have made work for others. Stop ends it.
func NewCommitter(d *db.DB, c clock.Clock, encode func(Payment, Entry) ([]byte, error), follow Follower, committed func()) *Committer {
	k := &Committer{db: d, clock: c, encode: encode, follow: follow, committed: committed}
	n := 1
	if d.Engine() == db.Postgres {
		// More groups side by side are smaller groups: on few processors they
		// cost more than they bring.
		n = max(1, runtime.NumCPU()/4)
	}
	for range n {
		lane := make(chan *pending, 4*maxGroup)
		k.lanes = append(k.lanes, lane)
		k.wait.Add(1)
		go k.run(lane)
	}
	return k
}

// Stop waits for the requests under way. No request may be submitted any more.
func (k *Committer) Stop() {
	for _, lane := range k.lanes {
		close(lane)
	}
	k.wait.Wait()
}

// Submit decides a request and returns its answer once it is committed. The
// error is an *apierr.Error, db.ErrNoRows for a payment that does not exist, or
// internal. When ctx ends first the request may still be committed.
func (k *Committer) Submit(ctx context.Context, r Request) (Answer, error) {
	p := &pending{Request: r, ctx: ctx, done: make(chan struct{})}
	select {
	case k.lane(r.PaymentID) <- p:
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	}
	select {
	case <-p.done:
		return p.answer, p.err
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	}
}

// lane keeps all requests for one payment in one queue, so that two groups never
// wait for each other's rows.
func (k *Committer) lane(paymentID string) chan *pending {
	h := fnv.New32a()
	_, _ = h.Write([]byte(paymentID))
	return k.lanes[int(h.Sum32())%len(k.lanes)]
}

func (k *Committer) run(lane chan *pending) {
	defer k.wait.Done()
	for first := range lane {
		group := []*pending{first}
	gather:
		for len(group) < maxGroup {
			select {
			case p, ok := <-lane:
				if !ok {
					break gather
				}
				group = append(group, p)
			default:
				break gather
			}
		}
		k.commit(group)
		for _, p := range group {
			close(p.done)
		}
		if k.committed != nil {
			k.committed()
		}
	}
}

// commit commits a group. When that fails for a reason of one request, which the
// rules should have made impossible, each is tried by itself. When it is not known
// whether it failed, only those are tried again that cannot happen twice: they
// have a key, or had been refused.
func (k *Committer) commit(group []*pending) {
	err := k.transact(group)
	if err == nil {
		return
	}
	unknown := errors.Is(err, db.ErrUnknown)
	for _, p := range group {
		again := len(group) > 1
		if unknown {
			again = p.Key != nil || p.err != nil
		}
		if !again {
			p.err = err
		} else if err := k.transact([]*pending{p}); err != nil {
			p.err = err
		}
	}
}

func (k *Committer) transact(group []*pending) error {
	ctx := context.Background()
	for _, p := range group {
		p.answer, p.err = Answer{}, nil
	}
	err := k.db.Write(ctx, func(tx *db.Tx) error {
		b := &batch{now: k.clock.Now(), encode: k.encode}
		if err := b.load(ctx, tx, group); err != nil {
			return err
		}
		for _, p := range group {
			p.answer, p.err = b.decide(p.Request)
			if p.err != nil && !answered(p.err) {
				return p.err
			}
		}
		return b.write(ctx, tx, k.follow)
	})
	if err != nil && db.IsUnique(err) {
		// Another node has stored one of the keys meanwhile; now it is found.
		return k.again(group)
	}
	return err
}

// again is transact once more, without a third try.
func (k *Committer) again(group []*pending) error {
	if len(group) > 1 {
		for _, p := range group {
			if err := k.transact([]*pending{p}); err != nil {
				p.err = err
			}
		}
		return nil
	}
	ctx := context.Background()
	return k.db.Write(ctx, func(tx *db.Tx) error {
		b := &batch{now: k.clock.Now(), encode: k.encode}
		if err := b.load(ctx, tx, group); err != nil {
			return err
		}
		group[0].answer, group[0].err = b.decide(group[0].Request)
		return b.write(ctx, tx, k.follow)
	})
}

// answered tells a refusal from a fault of our own.
func answered(err error) bool {
	var e *apierr.Error
	return errors.As(err, &e) || errors.Is(err, db.ErrNoRows)
}

// paymentKey names a payment among those of all merchants.
type paymentKey struct{ merchantID, paymentID string }

// batch is what one group knows and changes.
type batch struct {
	now       time.Time
	encode    func(Payment, Entry) ([]byte, error)
	keys      map[idempotency.Key]*idempotency.Stored
	payments  map[paymentKey]*Payment
	merchants map[string]merchant.Merchant

	changed  map[paymentKey]bool
	order    []paymentKey // of changed, in the order in which they were locked
	entries  []Entry
	happened []Happening
	events   []event.Event
	books    []ledger.Transaction
	stored   []*idempotency.Stored
	credit   map[credit.Key]int64
}

// load reads everything the group needs in one round trip and locks the
// payments in the order of their keys. The keys are read behind the locks: a copy
// of a request that another node has just committed was waited for there, and is
// found now, while before it was not.
func (b *batch) load(ctx context.Context, tx *db.Tx, group []*pending) error {
	var keyed []idempotency.Request
	var merchants, ids []string
	seen := map[paymentKey]bool{}
	for _, p := range group {
		if p.Key != nil {
			keyed = append(keyed, *p.Key)
		}
		if k := (paymentKey{p.MerchantID, p.PaymentID}); !seen[k] {
			seen[k] = true
			merchants, ids = append(merchants, p.MerchantID), append(ids, p.PaymentID)
		}
	}
	b.payments, b.changed, b.credit = map[paymentKey]*Payment{}, map[paymentKey]bool{}, map[credit.Key]int64{}
	for _, args := range tx.Split(merchants, ids) {
		tx.QueueQuery(lockPayments, b.readPayments, args...)
	}
	b.keys = idempotency.FindMany(tx, keyed)
	b.merchants = merchant.FindMany(tx, merchants)
	return tx.Flush(ctx)
}

func (b *batch) readPayments(rows db.Rows) error {
	for rows.Next() {
		p, err := scanPayment(rows)
		if err != nil {
			return err
		}
		b.payments[paymentKey{p.MerchantID, p.ID}] = &p
	}
	return nil
}

// decide answers one request and notes what it changes.
func (b *batch) decide(r Request) (Answer, error) {
	if r.Key != nil {
		if first := b.keys[idempotency.Key{MerchantID: r.MerchantID, Key: r.Key.Key}]; first != nil {
			a, err := first.Replay(*r.Key)
			if err != nil {
				return Answer{}, err
			}
			return Answer{Answer: *a, Replayed: true}, nil
		}
	}
	k := paymentKey{r.MerchantID, r.PaymentID}
	p, ok := b.payments[k]
	if !ok {
		return Answer{}, db.ErrNoRows
	}
	m, ok := b.merchants[r.MerchantID]
	if !ok {
		return Answer{}, db.ErrNoRows
	}
	answer := idempotency.Answer{Status: http.StatusOK}
	e, err := Decide(p.State, Settings{Overcaptures: m.Settings.Overcaptures}, r.Command)
	switch {
	case errors.Is(err, ErrNothingToDo):
	case err != nil:
		return Answer{}, Refusal(err)
	default:
		entry := b.apply(k, p, e, r.Metadata, m.Now(b.now))
		if answer.Body, err = b.encode(*p, entry); err != nil {
			return Answer{}, err
		}
		answer.Status = http.StatusCreated
	}
	if r.Key != nil {
		s := idempotency.NewStored(*r.Key, answer)
		b.stored = append(b.stored, s)
		b.keys[idempotency.Key{MerchantID: r.MerchantID, Key: r.Key.Key}] = s
	}
	return Answer{Answer: answer}, nil
}

// apply makes an event happen in memory.
func (b *batch) apply(k paymentKey, p *Payment, e Event, metadata []byte, now time.Time) Entry {
	before := *p
	p.State = p.Apply(e)
	p.EventCount++
	entry := Entry{
		Event: e, MerchantID: p.MerchantID, PaymentID: p.ID, N: p.EventCount,
		ID: id.New(id.Event), Metadata: metadata, Created: now,
	}
	if len(metadata) == 0 {
		entry.Metadata = []byte("{}")
	}
	if !b.changed[k] {
		b.changed[k] = true
		b.order = append(b.order, k)
	}
	b.entries = append(b.entries, entry)
	b.events = append(b.events, logged(*p, entry))
	b.books = append(b.books, Book(before, *p, entry.ID, now))
	b.happened = append(b.happened, Happening{
		Before: before, After: *p, Entry: entry, ID: entry.ID, Kind: "deferred_payment." + entry.Type, Now: now,
	})
	for limit, change := range moved(before, *p) {
		b.credit[limit] += change
	}
	return entry
}

// logged is the log's event for a post-sale event: the same ID, and the payment
// as it is afterwards.
func logged(p Payment, e Entry) event.Event {
	return event.Event{
		MerchantID: p.MerchantID, ID: e.ID, Type: "deferred_payment." + e.Type,
		ObjectID: p.ID, RootID: p.OrderID, Data: snapshot(p), Created: e.Created,
	}
}

// snapshot is a payment's figures as JSON. It cannot fail: they are numbers and
// plain texts.
func snapshot(p Payment) []byte {
	data, err := json.Marshal(struct {
		ID       string `json:"id"`
		Number   string `json:"number"`
		Order    string `json:"order"`
		Plan     string `json:"payment_plan"`
		Currency string `json:"currency"`
		Sequence int64  `json:"sequence"`
		State
	}{p.ID, p.Number, p.OrderID, p.PlanID, p.Currency, p.EventCount, p.State})
	if err != nil {
		panic(err)
	}
	return data
}

// write queues all changes, which are sent with the commit, and lets follow do
// the rest.
func (b *batch) write(ctx context.Context, tx *db.Tx, follow Follower) error {
	changed := make([]Payment, len(b.order))
	for i, k := range b.order {
		changed[i] = *b.payments[k]
	}
	idempotency.StoreMany(tx, b.stored, b.now)
	update(tx, changed)
	insertAll(tx, b.entries)
	if err := ledger.Post(tx, b.books...); err != nil {
		return err
	}
	credit.Move(tx, b.credit)
	event.Append(tx, b.events...)
	for _, h := range b.happened {
		if status := OrderStatus(h.After.State); status != OrderStatus(h.Before.State) {
			m := merchant.Merchant{ID: h.After.MerchantID}
			if err := order.SetStatus(ctx, tx, m, h.After.OrderID, status, h.Now); err != nil {
				return err
			}
		}
	}
	if follow == nil || len(b.happened) == 0 {
		return nil
	}
	return follow(ctx, tx, b.happened)
}

// Refusal turns the errors of the rules into their answers: a 400 for a bad
// value, a 409 for a state that forbids the action.
func Refusal(err error) error {
	var field *FieldError
	if errors.As(err, &field) {
		return apierr.Field(field.Field, field.Sentence)
	}
	var conflict *ConflictError
	if errors.As(err, &conflict) {
		return apierr.Conflict(conflict.Detail)
	}
	return err
}
