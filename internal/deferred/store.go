package deferred

import (
	"context"

	"tradecredit/internal/db"
	"tradecredit/internal/page"
)

// paymentColumns are read by scanPayment; the statements below repeat them so
// that each can be read, and prepared, by itself.
const (
	insertPayment db.SQL = `INSERT INTO deferred_payments (merchant_id, id, number, order_id, payment_plan_id, organisation_id,
		company_id, currency, payment_method, rejection_code, status, version, order_total, protected_amount,
		authorisation, protected_captures, unprotected_captures, refunds, voided_authorisation, expired_authorisation, clawback,
		fee_sum, fee_authorisation, fee_captures, fee_refunds, fee_voided_authorisation, fee_expired_authorisation,
		event_count, created_at, repaid, written_off, customer_discount, merchant_fee, upfront, terms, invoiced)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29,
			$30, $31, $32, $33, $34, $35, $36)`
	paymentColumns = `d.merchant_id, d.id, d.number, d.order_id, d.payment_plan_id, d.organisation_id,
		d.company_id, d.currency, d.payment_method, d.rejection_code, d.status, d.version, d.order_total, d.protected_amount,
		d.authorisation, d.protected_captures, d.unprotected_captures, d.refunds, d.voided_authorisation, d.expired_authorisation, d.clawback,
		d.fee_sum, d.fee_authorisation, d.fee_captures, d.fee_refunds, d.fee_voided_authorisation, d.fee_expired_authorisation,
		d.event_count, d.created_at, d.repaid, d.written_off, d.customer_discount, d.merchant_fee, d.upfront, d.terms, d.invoiced`
	selectPayment db.SQL = `SELECT ` + paymentColumns + ` FROM deferred_payments d WHERE d.merchant_id = $1 AND d.id = $2`
	selectByPlan  db.SQL = `SELECT ` + paymentColumns + ` FROM deferred_payments d WHERE d.merchant_id = $1 AND d.payment_plan_id = $2`
	lockPayment   db.SQL = `SELECT ` + paymentColumns + ` FROM deferred_payments d WHERE d.merchant_id = $1 AND d.id = $2 FOR UPDATE`
	lockPayments  db.SQL = `SELECT ` + paymentColumns + `
		FROM unnest($1::text[], $2::text[]) AS u(m, i) JOIN deferred_payments d ON d.merchant_id = u.m AND d.id = u.i
		ORDER BY d.merchant_id, d.id FOR UPDATE OF d`
	selectNewest db.SQL = `SELECT ` + paymentColumns + ` FROM deferred_payments d
		WHERE d.merchant_id = $1 ORDER BY d.created_at DESC, d.id DESC LIMIT $2 OFFSET $3`
	selectOldest db.SQL = `SELECT ` + paymentColumns + ` FROM deferred_payments d
		WHERE d.merchant_id = $1 ORDER BY d.created_at, d.id LIMIT $2 OFFSET $3`
	selectOfOrder db.SQL = `SELECT ` + paymentColumns + ` FROM deferred_payments d
		WHERE d.merchant_id = $1 AND d.order_id = $2 AND ($3 = '' OR d.status = $3)
		ORDER BY d.created_at DESC, d.id DESC LIMIT $4 OFFSET $5`
	countOfOrder db.SQL = `SELECT count(*) FROM deferred_payments
		WHERE merchant_id = $1 AND order_id = $2 AND ($3 = '' OR status = $3)`
	selectNewestIn db.SQL = `SELECT ` + paymentColumns + ` FROM deferred_payments d
		WHERE d.merchant_id = $1 AND d.status = $2 ORDER BY d.created_at DESC, d.id DESC LIMIT $3 OFFSET $4`
	selectOldestIn db.SQL = `SELECT ` + paymentColumns + ` FROM deferred_payments d
		WHERE d.merchant_id = $1 AND d.status = $2 ORDER BY d.created_at, d.id LIMIT $3 OFFSET $4`
	countIn     db.SQL = `SELECT count(*) FROM deferred_payments WHERE merchant_id = $1 AND status = $2`
	selectAfter db.SQL = `SELECT ` + paymentColumns + ` FROM deferred_payments d
		WHERE d.merchant_id = $1 AND d.id > $2 ORDER BY d.id LIMIT $3`
	countPayments db.SQL = `SELECT count(*) FROM deferred_payments WHERE merchant_id = $1`
	numberTaken   db.SQL = `SELECT count(*) FROM deferred_payments WHERE number = $1`
	updateDecided db.SQL = `UPDATE deferred_payments SET status = $3, rejection_code = $4 WHERE merchant_id = $1 AND id = $2`
	updateSettled db.SQL = `UPDATE deferred_payments SET repaid = $3, written_off = $4, status = $5, rejection_code = $6
		WHERE merchant_id = $1 AND id = $2`
	updateInvoiced db.SQL = `UPDATE deferred_payments SET invoiced = TRUE WHERE merchant_id = $1 AND order_id = $2`
	updatePayments db.SQL = `UPDATE deferred_payments SET status = u.st, version = u.ve, authorisation = u.a,
		protected_captures = u.p, unprotected_captures = u.u, refunds = u.r, voided_authorisation = u.v,
		expired_authorisation = u.e, clawback = u.c, fee_authorisation = u.fa, fee_captures = u.fc, fee_refunds = u.fr,
		fee_voided_authorisation = u.fv, fee_expired_authorisation = u.fe, event_count = u.n
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
			$9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::bigint[], $17::bigint[])
			AS u(m, i, st, ve, a, p, u, r, v, e, c, fa, fc, fr, fv, fe, n)
		WHERE deferred_payments.merchant_id = u.m AND deferred_payments.id = u.i`
	insertEntries db.SQL = `INSERT INTO deferred_payment_events (merchant_id, deferred_payment_id, n, id, type, version, amount,
		authorisation, protected_captures, unprotected_captures, refunds, voided_authorisation, expired_authorisation, clawback,
		fee_authorisation, fee_captures, fee_refunds, fee_voided_authorisation, fee_expired_authorisation, metadata, created_at, origin)
		SELECT u.m, u.d, u.n, u.i, u.t, u.ve, u.am, u.a, u.p, u.u, u.r, u.v, u.e, u.c, u.fa, u.fc, u.fr, u.fv, u.fe, u.md, u.w, u.og
		FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[],
			$9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[], $14::bigint[], $15::bigint[],
			$16::bigint[], $17::bigint[], $18::bigint[], $19::bigint[], $20::text[], $21::bigint[], $22::text[])
			AS u(m, d, n, i, t, ve, am, a, p, u, r, v, e, c, fa, fc, fr, fv, fe, md, w, og)`
	selectEntries db.SQL = `SELECT merchant_id, deferred_payment_id, n, id, type, version, amount,
		authorisation, protected_captures, unprotected_captures, refunds, voided_authorisation, expired_authorisation, clawback,
		fee_authorisation, fee_captures, fee_refunds, fee_voided_authorisation, fee_expired_authorisation, metadata, created_at, origin
		FROM deferred_payment_events WHERE merchant_id = $1 AND deferred_payment_id = $2 ORDER BY n`
	selectEntriesOfMany db.SQL = `SELECT e.merchant_id, e.deferred_payment_id, e.n, e.id, e.type, e.version, e.amount,
		e.authorisation, e.protected_captures, e.unprotected_captures, e.refunds, e.voided_authorisation, e.expired_authorisation, e.clawback,
		e.fee_authorisation, e.fee_captures, e.fee_refunds, e.fee_voided_authorisation, e.fee_expired_authorisation, e.metadata, e.created_at, e.origin
		FROM unnest($1::text[], $2::text[]) AS u(m, d)
		JOIN deferred_payment_events e ON e.merchant_id = u.m AND e.deferred_payment_id = u.d ORDER BY e.deferred_payment_id, e.n`
)

func scanPayment(r db.Rows) (Payment, error) {
	var p Payment
	var created int64
	f := &p.CustomerFee
	err := r.Scan(&p.MerchantID, &p.ID, &p.Number, &p.OrderID, &p.PlanID, &p.OrganisationID,
		&p.CompanyID, &p.Currency, &p.PaymentMethod, &p.RejectionCode, &p.Status, &p.Version, &p.OrderTotal, &p.ProtectedAmount,
		&p.Authorisation, &p.ProtectedCaptures, &p.UnprotectedCaptures, &p.Refunds, &p.VoidedAuthorisation, &p.ExpiredAuthorisation, &p.Clawback,
		&p.CustomerFeeSum, &f.Authorisation, &f.Captures, &f.Refunds, &f.VoidedAuthorisation, &f.ExpiredAuthorisation,
		&p.EventCount, &created, &p.Repaid, &p.WrittenOff, &p.CustomerDiscountSum, &p.MerchantFeeSum, &p.Upfront, &p.Terms, &p.Invoiced)
	p.Created = db.Time(created)
	return p, err
}

func scanEntry(r db.Rows) (Entry, error) {
	var e Entry
	var created int64
	var metadata string
	c, f := &e.Changes, &e.CustomerFee
	err := r.Scan(&e.MerchantID, &e.PaymentID, &e.N, &e.ID, &e.Type, &e.Version, &e.Amount,
		&c.Authorisation, &c.ProtectedCaptures, &c.UnprotectedCaptures, &c.Refunds, &c.VoidedAuthorisation, &c.ExpiredAuthorisation, &c.Clawback,
		&f.Authorisation, &f.Captures, &f.Refunds, &f.VoidedAuthorisation, &f.ExpiredAuthorisation, &metadata, &created, &e.Origin)
	e.Metadata, e.Created = []byte(metadata), db.Time(created)
	return e, err
}

// Get returns a payment, or db.ErrNoRows.
func Get(ctx context.Context, tx *db.Tx, merchantID, paymentID string) (Payment, error) {
	return db.One(ctx, tx, selectPayment, []any{merchantID, paymentID}, scanPayment)
}

// Lock is Get that keeps others from changing the payment until tx ends.
func Lock(ctx context.Context, tx *db.Tx, merchantID, paymentID string) (Payment, error) {
	return db.One(ctx, tx, lockPayment, []any{merchantID, paymentID}, scanPayment)
}

// OfPlan returns the payment that a plan was taken with, or db.ErrNoRows.
func OfPlan(ctx context.Context, tx *db.Tx, merchantID, planID string) (Payment, error) {
	return db.One(ctx, tx, selectByPlan, []any{merchantID, planID}, scanPayment)
}

// Entries returns the post-sale events of a payment, oldest first.
func Entries(ctx context.Context, tx *db.Tx, merchantID, paymentID string) ([]Entry, error) {
	return db.All(ctx, tx, selectEntries, []any{merchantID, paymentID}, scanEntry)
}

// Filter narrows a list; what is "" does not.
type Filter struct{ OrderID, Status string }

// List returns one page of a merchant's payments and how many there are. Those of
// one order come newest first, whatever the page says.
func List(ctx context.Context, tx *db.Tx, merchantID string, f Filter, p page.Page) ([]Payment, int64, error) {
	newest, oldest, count, args := selectNewest, selectOldest, countPayments, []any{merchantID}
	switch {
	case f.OrderID != "":
		newest, oldest, count, args = selectOfOrder, selectOfOrder, countOfOrder, []any{merchantID, f.OrderID, f.Status}
	case f.Status != "":
		newest, oldest, count, args = selectNewestIn, selectOldestIn, countIn, []any{merchantID, f.Status}
	}
	if p.Oldest {
		newest = oldest
	}
	var n int64
	if err := tx.Get(ctx, count, args, &n); err != nil {
		return nil, 0, err
	}
	found, err := db.All(ctx, tx, newest, append(args, p.Limit, p.Offset), scanPayment)
	return found, n, err
}

// After returns up to limit payments of a merchant whose ID comes after the
// given one.
func After(ctx context.Context, tx *db.Tx, merchantID, paymentID string, limit int) ([]Payment, error) {
	return db.All(ctx, tx, selectAfter, []any{merchantID, paymentID, limit}, scanPayment)
}

func insert(tx *db.Tx, p Payment) {
	f := p.CustomerFee
	tx.Queue(insertPayment, p.MerchantID, p.ID, p.Number, p.OrderID, p.PlanID, p.OrganisationID,
		p.CompanyID, p.Currency, p.PaymentMethod, p.RejectionCode, string(p.Status), string(p.Version), p.OrderTotal, p.ProtectedAmount,
		p.Authorisation, p.ProtectedCaptures, p.UnprotectedCaptures, p.Refunds, p.VoidedAuthorisation, p.ExpiredAuthorisation, p.Clawback,
		p.CustomerFeeSum, f.Authorisation, f.Captures, f.Refunds, f.VoidedAuthorisation, f.ExpiredAuthorisation,
		p.EventCount, db.Micros(p.Created), p.Repaid, p.WrittenOff, p.CustomerDiscountSum, p.MerchantFeeSum, p.Upfront, p.Terms, p.Invoiced)
}

// column makes a column of numbers of a list of rows.
func column[T any](rows []T, value func(T) int64) []int64 {
	out := make([]int64, len(rows))
	for i, r := range rows {
		out[i] = value(r)
	}
	return out
}

// texts makes a column of texts of a list of rows.
func texts[T any](rows []T, value func(T) string) []string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = value(r)
	}
	return out
}

// update writes the figures of changed payments with the commit of tx.
func update(tx *db.Tx, ps []Payment) {
	tx.QueueMany(updatePayments,
		texts(ps, func(p Payment) string { return p.MerchantID }),
		texts(ps, func(p Payment) string { return p.ID }),
		texts(ps, func(p Payment) string { return string(p.Status) }),
		texts(ps, func(p Payment) string { return string(p.Version) }),
		column(ps, func(p Payment) int64 { return p.Authorisation }),
		column(ps, func(p Payment) int64 { return p.ProtectedCaptures }),
		column(ps, func(p Payment) int64 { return p.UnprotectedCaptures }),
		column(ps, func(p Payment) int64 { return p.Refunds }),
		column(ps, func(p Payment) int64 { return p.VoidedAuthorisation }),
		column(ps, func(p Payment) int64 { return p.ExpiredAuthorisation }),
		column(ps, func(p Payment) int64 { return p.Clawback }),
		column(ps, func(p Payment) int64 { return p.CustomerFee.Authorisation }),
		column(ps, func(p Payment) int64 { return p.CustomerFee.Captures }),
		column(ps, func(p Payment) int64 { return p.CustomerFee.Refunds }),
		column(ps, func(p Payment) int64 { return p.CustomerFee.VoidedAuthorisation }),
		column(ps, func(p Payment) int64 { return p.CustomerFee.ExpiredAuthorisation }),
		column(ps, func(p Payment) int64 { return p.EventCount }))
}

// insertAll writes new post-sale events with the commit of tx.
func insertAll(tx *db.Tx, es []Entry) {
	tx.QueueMany(insertEntries,
		texts(es, func(e Entry) string { return e.MerchantID }),
		texts(es, func(e Entry) string { return e.PaymentID }),
		column(es, func(e Entry) int64 { return e.N }),
		texts(es, func(e Entry) string { return e.ID }),
		texts(es, func(e Entry) string { return e.Type }),
		texts(es, func(e Entry) string { return string(e.Version) }),
		column(es, func(e Entry) int64 { return e.Amount }),
		column(es, func(e Entry) int64 { return e.Changes.Authorisation }),
		column(es, func(e Entry) int64 { return e.Changes.ProtectedCaptures }),
		column(es, func(e Entry) int64 { return e.Changes.UnprotectedCaptures }),
		column(es, func(e Entry) int64 { return e.Changes.Refunds }),
		column(es, func(e Entry) int64 { return e.Changes.VoidedAuthorisation }),
		column(es, func(e Entry) int64 { return e.Changes.ExpiredAuthorisation }),
		column(es, func(e Entry) int64 { return e.Changes.Clawback }),
		column(es, func(e Entry) int64 { return e.CustomerFee.Authorisation }),
		column(es, func(e Entry) int64 { return e.CustomerFee.Captures }),
		column(es, func(e Entry) int64 { return e.CustomerFee.Refunds }),
		column(es, func(e Entry) int64 { return e.CustomerFee.VoidedAuthorisation }),
		column(es, func(e Entry) int64 { return e.CustomerFee.ExpiredAuthorisation }),
		texts(es, func(e Entry) string { return string(e.Metadata) }),
		column(es, func(e Entry) int64 { return db.Micros(e.Created) }),
		texts(es, func(e Entry) string { return e.Origin }))
}

// EntriesOfMany returns the post-sale events of several payments of a merchant, oldest
// first, by payment.
func EntriesOfMany(ctx context.Context, tx *db.Tx, merchantID string, paymentIDs []string) (map[string][]Entry, error) {
	out := make(map[string][]Entry, len(paymentIDs))
	merchants := texts(paymentIDs, func(string) string { return merchantID })
	for _, args := range tx.Split(merchants, paymentIDs) {
		found, err := db.All(ctx, tx, selectEntriesOfMany, args, scanEntry)
		if err != nil {
			return nil, err
		}
		for _, e := range found {
			out[e.PaymentID] = append(out[e.PaymentID], e)
		}
	}
	return out, nil
}
