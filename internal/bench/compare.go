package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/id"
	"tradecredit/internal/money"
)

// The same rows as a capture of the program writes, one statement after the
// other, as one would write them by hand.
const (
	handLock db.SQL = `SELECT protected_captures, event_count, merchant_fee, order_total, organisation_id, order_id
		FROM deferred_payments WHERE merchant_id = $1 AND id = $2 FOR UPDATE`
	handUpdate db.SQL = `UPDATE deferred_payments SET authorisation = authorisation - 1, protected_captures = protected_captures + 1,
		event_count = event_count + 1, status = 'part_captured', version = 'v2' WHERE merchant_id = $1 AND id = $2`
	handKey db.SQL = `INSERT INTO idempotency_keys (merchant_id, idem_key, operation, fingerprint, amount, status, location, body, created_at)
		VALUES ($1, $2, 'capture', $3, 1, 201, '', $4, $5)`
	handEntry db.SQL = `INSERT INTO deferred_payment_events (merchant_id, deferred_payment_id, n, id, type, version, amount,
		authorisation, protected_captures, unprotected_captures, refunds, voided_authorisation, expired_authorisation, clawback,
		fee_authorisation, fee_captures, fee_refunds, fee_voided_authorisation, fee_expired_authorisation, metadata, created_at)
		VALUES ($1, $2, $3, $4, 'capture', 'v2', 1, -1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{"shipment":"1"}', $5)`
	handEvent db.SQL = `INSERT INTO events (merchant_id, id, type, object_id, root_id, data, created_at)
		VALUES ($1, $2, 'deferred_payment.capture', $3, $4, $5, $6)`
	handOutbox db.SQL = `INSERT INTO event_outbox (merchant_id, event_id) VALUES ($1, $2)`
	handLedger db.SQL = `INSERT INTO ledger_entries (merchant_id, transaction_id, line, account, object_id, currency, amount, created_at)
		VALUES ($1, $2, $3, $4, $5, 'GBP', $6, $7)`
	handItem db.SQL = `INSERT INTO payout_items (merchant_id, id, deferred_payment_id, order_id, event_n, type, currency, amount, fees, awaiting, created_day)
		VALUES ($1, $2, $3, $4, $5, 'fulfillment', 'GBP', 1, $6, TRUE, $7)`
	handMerchant db.SQL = `SELECT merchant_id FROM api_keys WHERE kind = 'secret' LIMIT 1`
	handSettings db.SQL = `SELECT settings FROM merchants WHERE id = $1`
)

// byHand measures the write set of a capture without the program around it.
func byHand(ctx context.Context, s settings, o db.Options, m *material) (map[int]result, error) {
	d, err := db.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	var merchantID string
	err = d.Read(ctx, func(tx *db.Tx) error { return tx.Get(ctx, handMerchant, nil, &merchantID) })
	if err != nil {
		return nil, err
	}
	out := map[int]result{}
	for _, n := range clients {
		out[n], err = closedLoop(n, s.seconds, func(client int) (func(int) error, func(), error) {
			step := func(i int) error {
				payment := m.payments[(client*7919+i)%len(m.payments)]
				return d.Write(ctx, func(tx *db.Tx) error { return captureByHand(ctx, tx, merchantID, payment) })
			}
			return step, func() {}, nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func captureByHand(ctx context.Context, tx *db.Tx, merchantID, payment string) error {
	now := db.Micros(clock.System{}.Now())
	event, body := id.New(id.Event), `{"created":"2026-11-20T21:53:59.247481Z","type":"capture","amount":1,"currency":"GBP","metadata":{"shipment":"1"},"changes":{"authorisation":-1,"protected_captures":1,"unprotected_captures":0,"refunds":0,"voided_authorisation":0,"expired_authorisation":0,"clawback":0}}`
	var captures, count, fee, total int64
	var organisation, order, settings string
	if err := tx.Get(ctx, handLock, []any{merchantID, payment}, &captures, &count, &fee, &total, &organisation, &order); err != nil {
		return err
	}
	before, err := money.MulDiv(fee, captures, total)
	if err != nil {
		return err
	}
	after, err := money.MulDiv(fee, captures+1, total)
	if err != nil {
		return err
	}
	if err := tx.Get(ctx, handSettings, []any{merchantID}, &settings); err != nil {
		return err
	}
	for _, st := range []struct {
		q    db.SQL
		args []any
	}{
		{handKey, []any{merchantID, event, event + payment, body, now}},
		{handUpdate, []any{merchantID, payment}},
		{handEntry, []any{merchantID, payment, count + 1, event, now}},
		{handLedger, []any{merchantID, event, 0, "buyer_receivable:" + organisation, payment, 1, now}},
		{handLedger, []any{merchantID, event, 1, "merchant_payable", payment, -1, now}},
		{handItem, []any{merchantID, id.New(id.PayoutItem), payment, order, count + 1, after - before, now / (24 * 3600 * 1_000_000)}},
		{handEvent, []any{merchantID, event, payment, order, body + body, now}},
		{handOutbox, []any{merchantID, event}},
	} {
		if _, err := tx.Exec(ctx, st.q, st.args...); err != nil {
			return err
		}
	}
	return nil
}

var tps = regexp.MustCompile(`tps = ([0-9.]+)`)

// pgbench runs PostgreSQL's own benchmark on the same server.
func pgbench(s settings, c *dbtest.Cluster) (map[int]result, error) {
	tool := filepath.Join(c.Bin(), "pgbench")
	base := []string{"-h", c.Dir(), "-U", "postgres"}
	if out, err := exec.Command(tool, append(base, "-i", "-q", "-s", strconv.Itoa(s.scale), "postgres")...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("pgbench -i: %w: %s", err, out)
	}
	seconds := max(1, int(s.seconds/time.Second))
	out := map[int]result{}
	for _, n := range clients {
		text, err := exec.Command(tool, append(base, "-n", "-M", "prepared", "-T", strconv.Itoa(seconds), "-c", strconv.Itoa(n), "-j", "2", "postgres")...).CombinedOutput()
		if err != nil {
			return nil, fmt.Errorf("pgbench: %w: %s", err, text)
		}
		found := tps.FindSubmatch(text)
		if found == nil {
			return nil, fmt.Errorf("pgbench says nothing: %s", text)
		}
		rate, err := strconv.ParseFloat(string(found[1]), 64)
		if err != nil {
			return nil, err
		}
		out[n] = result{rate: rate}
	}
	return out, nil
}
