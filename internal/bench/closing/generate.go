package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"tradecredit/internal/app"
	"tradecredit/internal/company"
	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
	"tradecredit/internal/offer"
	"tradecredit/internal/order"
)

// The payments are made in the database: figures first, in a table of our own,
// and from it the rows of the program, all consistent with each other. Every
// thirtieth falls due on each day of the coming month; three of ten are late, by 7
// to 120 days; every fifth is captured in part, every tenth half repaid.
const (
	makeDays      db.SQL = `CREATE TABLE bench_days (n BIGINT NOT NULL PRIMARY KEY, day TEXT NOT NULL)`
	makeMerchants db.SQL = `CREATE TABLE bench_merchants (n BIGINT NOT NULL PRIMARY KEY, id TEXT NOT NULL)`
	makePayments  db.SQL = `CREATE TABLE bench_payments (n BIGINT NOT NULL PRIMARY KEY, merchant TEXT NOT NULL, t TEXT NOT NULL,
		org TEXT NOT NULL, total BIGINT NOT NULL, captured BIGINT NOT NULL, repaid BIGINT NOT NULL, next_day BIGINT NOT NULL,
		next_date TEXT NOT NULL, wake BIGINT NOT NULL)`
	fillDay      db.SQL = `INSERT INTO bench_days (n, day) VALUES ($1, $2)`
	fillMerchant db.SQL = `INSERT INTO bench_merchants (n, id) VALUES ($1, $2)`
	// $1 payments, $2 merchants. Days are counted from today; the late ones are
	// looked at on a day on which their buyers are written to.
	fillPayments db.SQL = `INSERT INTO bench_payments (n, merchant, t, org, total, captured, repaid, next_day, next_date, wake)
		WITH RECURSIVE g(i) AS (SELECT CAST(0 AS BIGINT) UNION ALL SELECT i + 1 FROM g WHERE i + 1 < $1),
		a AS (SELECT i, i / $2 AS k, 10000 + (i * 7919) % 90000 AS total,
			CASE WHEN i % 10 IN (1, 4, 7) THEN CASE (i / $2) % 5 WHEN 0 THEN 7 WHEN 1 THEN 14 WHEN 2 THEN 30 WHEN 3 THEN 75 ELSE 120 END ELSE 0 END AS late FROM g),
		b AS (SELECT i, k, total, CASE WHEN i % 5 = 0 THEN total * 6 / 10 ELSE total END AS captured, k % 30 - late AS next_day, k % 30 AS wake FROM a)
		SELECT i, m.id, CAST(1000000000 + i AS TEXT), 'org-' || CAST(1000 + m.n AS TEXT) || '-' || CAST(10 + k % 20 AS TEXT), total, captured,
			CASE WHEN i % 10 = 3 THEN captured / 2 ELSE 0 END, next_day, d.day, wake
		FROM b JOIN bench_merchants m ON m.n = b.i % $2 JOIN bench_days d ON d.n = b.next_day`
	fillDeferred db.SQL = `INSERT INTO deferred_payments (merchant_id, id, number, order_id, payment_plan_id, organisation_id,
		company_id, currency, payment_method, rejection_code, status, version, order_total, protected_amount,
		authorisation, protected_captures, unprotected_captures, refunds, voided_authorisation, expired_authorisation, clawback,
		fee_sum, fee_authorisation, fee_captures, fee_refunds, fee_voided_authorisation, fee_expired_authorisation,
		event_count, created_at, repaid, invoiced)
		SELECT merchant, 'defpay-' || t, 'P-' || t, 'order-' || t, 'ppln-' || t, org, $1, 'GBP', 'invoice', '',
			CASE WHEN captured = total THEN 'captured' ELSE 'part_captured' END, 'v2', total, total,
			total - captured, captured, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, $2, repaid, TRUE FROM bench_payments`
	fillEvents db.SQL = `INSERT INTO deferred_payment_events (merchant_id, deferred_payment_id, n, id, type, version, amount,
		authorisation, protected_captures, unprotected_captures, refunds, voided_authorisation, expired_authorisation, clawback,
		fee_authorisation, fee_captures, fee_refunds, fee_voided_authorisation, fee_expired_authorisation, metadata, created_at)
		SELECT merchant, 'defpay-' || t, 1, 'evt-' || t, 'capture', 'v2', captured, -captured, captured, 0, 0, 0, 0, 0,
			0, 0, 0, 0, 0, '{}', $1 FROM bench_payments`
	fillLedger db.SQL = `INSERT INTO ledger_entries (merchant_id, transaction_id, line, account, object_id, currency, amount, created_at)
		SELECT merchant, 'evt-' || t, 0, 'buyer_receivable:' || org, 'defpay-' || t, 'GBP', captured, CAST($1 AS BIGINT) FROM bench_payments
		UNION ALL SELECT merchant, 'evt-' || t, 1, 'merchant_payable', 'defpay-' || t, 'GBP', -captured, CAST($1 AS BIGINT) FROM bench_payments
		UNION ALL SELECT merchant, 'evt-' || t || '-r', 0, 'buyer_receivable:' || org, 'defpay-' || t, 'GBP', -repaid, CAST($1 AS BIGINT) FROM bench_payments WHERE repaid > 0
		UNION ALL SELECT merchant, 'evt-' || t || '-r', 1, 'cash', 'defpay-' || t, 'GBP', repaid, CAST($1 AS BIGINT) FROM bench_payments WHERE repaid > 0`
	fillStates db.SQL = `INSERT INTO repayment_states (merchant_id, deferred_payment_id, organisation_id, currency, method, token, status,
		next_date, late_since, attempts, retry_on, collecting, dunned_for, dunned_day, paused_until, promised_on, promised_amount)
		SELECT merchant, 'defpay-' || t, org, 'GBP', 'invoice', '', CASE WHEN next_day < 0 THEN 'late' ELSE 'open' END,
			next_date, CASE WHEN next_day < 0 THEN next_date ELSE '' END, 0, '', '', '', 0, '', '', 0 FROM bench_payments`
	// Everything is due a month later at first, so that nothing runs before it is
	// measured.
	fillDue db.SQL = `INSERT INTO due (merchant_id, kind, object_id, due_at, clock_offset, run_at)
		SELECT merchant, 'repayment.due', 'defpay-' || t, $1 + (wake + 30) * 86400000000, 0, $1 + (wake + 30) * 86400000000 FROM bench_payments`

	// Orders, plans and buyers are there for the payments that are woken.
	fillOrders db.SQL = `INSERT INTO orders (merchant_id, id, unique_id, organisation_id, user_id, status, currency, total_amount,
		offer_id, deferred_payment_id, body, shown, created_at, updated_at)
		SELECT merchant, 'order-' || t, t, org, 'user' || substr(org, 4), 'fulfilled', 'GBP', total, 'offr-' || t, 'defpay-' || t,
			replace(replace($1, '@ORG@', org), '@USER@', 'user' || substr(org, 4)), '{}', $2, $2 FROM bench_payments WHERE wake = 0`
	fillPlans db.SQL = `INSERT INTO payment_plans (merchant_id, id, offer_id, order_id, position, status, body)
		SELECT merchant, 'ppln-' || t, 'offr-' || t, 'order-' || t, 0, 'accepted',
			replace(replace(replace($1, '@DATE@', next_date), '@PLAN@', 'ppln-' || t), '123456789', CAST(total AS TEXT)) FROM bench_payments WHERE wake = 0`
	fillOrganisations db.SQL = `INSERT INTO organisations (merchant_id, id, unique_id, registered, name, company_id, company_name,
		company_regnum, company_address, company_postcode, company_city, company_state, company_country, created_at, modified_at)
		SELECT DISTINCT merchant, org, org, CAST($2 AS BIGINT), 'Buyer', $1, '', '', '', '', '', '', '', CAST($2 AS BIGINT), CAST($2 AS BIGINT)
		FROM bench_payments WHERE wake = 0`
	fillUsers db.SQL = `INSERT INTO users (merchant_id, id, email, email_key, unique_id, name, phone, registered, country, company_id,
		company_name, company_regnum, company_address, company_country, created_at, modified_at)
		SELECT DISTINCT merchant, 'user' || substr(org, 4), org || '@buyer.example', org || '@buyer.example', org, 'Jane Doe', '', CAST($1 AS BIGINT), 'GB',
			'', '', '', '', '', CAST($1 AS BIGINT), CAST($1 AS BIGINT) FROM bench_payments WHERE wake = 0`

	analyse db.SQL = `VACUUM ANALYZE`
)

// generate fills an empty, migrated database.
func generate(ctx context.Context, d *db.DB, payments, merchants int) error {
	now := systemNow()
	special := company.Special()
	if err := company.Load(ctx, d, company.SourceSandbox, "bench", slices.Values(special)); err != nil {
		return err
	}
	for i := range merchants {
		made, err := app.CreateMerchant(ctx, d, merchant.New{Name: fmt.Sprintf("Shop %d", i), Profile: merchant.BNPL, Environment: merchant.Sandbox}, now)
		if err != nil {
			return err
		}
		err = d.Write(ctx, func(tx *db.Tx) error {
			if i == 0 {
				tx.Queue(makeDays)
				tx.Queue(makeMerchants)
				tx.Queue(makePayments)
			}
			if err := tx.Flush(ctx); err != nil {
				return err
			}
			tx.Queue(fillMerchant, i, made.ID)
			return nil
		})
		if err != nil {
			return err
		}
	}
	plan, body, err := bodies()
	if err != nil {
		return err
	}
	at, midnight := db.Micros(now.AddDate(0, -3, 0)), db.Micros(now.Truncate(24*time.Hour))
	steps := []struct {
		q    db.SQL
		args []any
	}{
		{fillPayments, []any{payments, merchants}},
		{fillDeferred, []any{special[0].ID, at}}, {fillEvents, []any{at}}, {fillLedger, []any{at}}, {fillStates, nil},
		{fillDue, []any{midnight}}, {fillOrders, []any{body, at}}, {fillPlans, []any{plan}},
		{fillOrganisations, []any{special[0].ID, at}}, {fillUsers, []any{at}},
	}
	err = d.Write(ctx, func(tx *db.Tx) error {
		for n := -150; n <= 60; n++ {
			tx.Queue(fillDay, n, now.AddDate(0, 0, n).Format(time.DateOnly))
		}
		return nil
	})
	for _, s := range steps {
		if err == nil {
			err = d.Write(ctx, func(tx *db.Tx) error {
				_, err := tx.Exec(ctx, s.q, s.args...)
				return err
			})
		}
	}
	if err != nil {
		return err
	}
	if d.Engine() == db.SQLite {
		return d.Write(ctx, func(tx *db.Tx) error {
			_, err := tx.Exec(ctx, analyseSQLite)
			return err
		})
	}
	// Outside of a transaction, where alone it may run.
	return d.Read(ctx, func(tx *db.Tx) error {
		_, err := tx.Exec(ctx, analyse)
		return err
	})
}

const analyseSQLite db.SQL = `ANALYZE`

// bodies are the JSON of a plan and of an order, with marks where they differ.
func bodies() (plan, body string, err error) {
	thirty := 30
	p := offer.Plan{
		ID: "@PLAN@", Name: "30 days", Template: "pptemp-bench", Currency: "GBP", ProtectedAmount: 123456789, RelativeTo: "order_creation",
		Status: "accepted", ScheduledPayments: []offer.ScheduledPayment{{
			Date: "@DATE@", Amount: 123456789, DiscountedAmount: 123456789, AllowedPaymentMethods: []offer.Method{{Type: offer.MethodInvoice}},
			PaymentMethod: &offer.Method{Type: offer.MethodInvoice}, DueDateConfig: offer.DueDateConfig{DueAfterDays: &thirty},
		}},
	}
	address := order.Address{Name: "Jane Doe", AddressLine1: "1 Station Street", City: "London", Postcode: "SE11 6NQ", Country: "GB"}
	o := order.Order{
		UniqueID: "bench", Status: "fulfilled", Currency: "GBP", TotalAmount: 1, Customer: order.Customer{
			Type: "registered", Organisation: "@ORG@", User: "@USER@", DeliveryAddress: &address, InvoiceAddress: &address,
		},
	}
	plans, err := json.Marshal(p)
	if err != nil {
		return "", "", err
	}
	orders, err := json.Marshal(o)
	return string(plans), string(orders), err
}
