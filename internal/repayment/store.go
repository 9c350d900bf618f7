package repayment

import (
	"context"
	"errors"
	"time"

	"tradecredit/internal/db"
)

const (
	insertRepayment db.SQL = `INSERT INTO repayments (merchant_id, id, deferred_payment_id, organisation_id, type, method, status,
		currency, amount, applied, due_date, attempt, reference, code, message, origin, created_at, settled_at, charge_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`
	updateRepayment db.SQL = `UPDATE repayments SET status = $3, applied = $4, reference = $5, code = $6, message = $7, settled_at = $8
		WHERE merchant_id = $1 AND id = $2`
	repaymentColumns = `merchant_id, id, deferred_payment_id, organisation_id, type, method, status,
		currency, amount, applied, due_date, attempt, reference, code, message, origin, created_at, settled_at, charge_id`
	selectRepayment db.SQL = `SELECT ` + repaymentColumns + ` FROM repayments WHERE merchant_id = $1 AND id = $2`
	lockRepayment   db.SQL = `SELECT ` + repaymentColumns + ` FROM repayments WHERE merchant_id = $1 AND id = $2 FOR UPDATE`
	selectOfPayment db.SQL = `SELECT ` + repaymentColumns + ` FROM repayments
		WHERE merchant_id = $1 AND deferred_payment_id = $2 ORDER BY created_at, id`
	selectOfPayments db.SQL = `SELECT r.merchant_id, r.id, r.deferred_payment_id, r.organisation_id, r.type, r.method, r.status,
		r.currency, r.amount, r.applied, r.due_date, r.attempt, r.reference, r.code, r.message, r.origin, r.created_at, r.settled_at, r.charge_id
		FROM unnest($1::text[], $2::text[]) AS u(m, p)
		JOIN repayments r ON r.merchant_id = u.m AND r.deferred_payment_id = u.p ORDER BY r.created_at, r.id`

	insertState db.SQL = `INSERT INTO repayment_states (merchant_id, deferred_payment_id, organisation_id, currency, method, token, status,
		next_date, late_since, attempts, retry_on, collecting, dunned_for, dunned_day, paused_until, promised_on, promised_amount, disputed, company_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
		ON CONFLICT (merchant_id, deferred_payment_id) DO NOTHING`
	updateState db.SQL = `UPDATE repayment_states SET method = $3, token = $4, status = $5, next_date = $6, late_since = $7, attempts = $8,
		retry_on = $9, collecting = $10, dunned_for = $11, dunned_day = $12, paused_until = $13, promised_on = $14, promised_amount = $15,
		disputed = $16
		WHERE merchant_id = $1 AND deferred_payment_id = $2`
	updateToken db.SQL = `UPDATE repayment_states SET token = $3 WHERE merchant_id = $1 AND deferred_payment_id = $2`
	selectState db.SQL = `SELECT merchant_id, deferred_payment_id, organisation_id, currency, method, token, status,
		next_date, late_since, attempts, retry_on, collecting, dunned_for, dunned_day, paused_until, promised_on, promised_amount, disputed
		FROM repayment_states WHERE merchant_id = $1 AND deferred_payment_id = $2`

	selectStatesByID db.SQL = `SELECT s.merchant_id, s.deferred_payment_id, s.organisation_id, s.currency, s.method, s.token, s.status,
		s.next_date, s.late_since, s.attempts, s.retry_on, s.collecting, s.dunned_for, s.dunned_day, s.paused_until, s.promised_on,
		s.promised_amount, s.disputed
		FROM unnest($1::text[], $2::text[]) AS u(m, p)
		JOIN repayment_states s ON s.merchant_id = u.m AND s.deferred_payment_id = u.p`

	insertCredit db.SQL = `INSERT INTO buyer_credits (merchant_id, id, organisation_id, currency, amount, used, origin, created_at)
		VALUES ($1, $2, $3, $4, $5, 0, $6, $7)`
)

func scanRepayment(r db.Rows) (Repayment, error) {
	var x Repayment
	var created int64
	var settled *int64
	err := r.Scan(&x.MerchantID, &x.ID, &x.PaymentID, &x.OrganisationID, &x.Type, &x.Method, &x.Status,
		&x.Currency, &x.Amount, &x.Applied, &x.DueDate, &x.Attempt, &x.Reference, &x.Code, &x.Message, &x.Origin, &created, &settled, &x.ChargeID)
	x.Created = db.Time(created)
	if settled != nil {
		at := db.Time(*settled)
		x.Settled = &at
	}
	return x, err
}

// Get returns a repayment, or db.ErrNoRows.
func Get(ctx context.Context, tx *db.Tx, merchantID, repaymentID string) (Repayment, error) {
	return db.One(ctx, tx, selectRepayment, []any{merchantID, repaymentID}, scanRepayment)
}

// Lock is Get that keeps others from changing the repayment until tx ends.
func Lock(ctx context.Context, tx *db.Tx, merchantID, repaymentID string) (Repayment, error) {
	return db.One(ctx, tx, lockRepayment, []any{merchantID, repaymentID}, scanRepayment)
}

// Of returns the repayments of a deferred payment, oldest first.
func Of(ctx context.Context, tx *db.Tx, merchantID, paymentID string) ([]Repayment, error) {
	return db.All(ctx, tx, selectOfPayment, []any{merchantID, paymentID}, scanRepayment)
}

// OfMany returns the repayments of several deferred payments of a merchant, oldest
// first, by deferred payment.
func OfMany(ctx context.Context, tx *db.Tx, merchantID string, paymentIDs []string) (map[string][]Repayment, error) {
	out := map[string][]Repayment{}
	merchants := make([]string, len(paymentIDs))
	for i := range merchants {
		merchants[i] = merchantID
	}
	for _, args := range tx.Split(merchants, paymentIDs) {
		found, err := db.All(ctx, tx, selectOfPayments, args, scanRepayment)
		if err != nil {
			return nil, err
		}
		for _, r := range found {
			out[r.PaymentID] = append(out[r.PaymentID], r)
		}
	}
	return out, nil
}

func insert(tx *db.Tx, r Repayment) {
	tx.Queue(insertRepayment, r.MerchantID, r.ID, r.PaymentID, r.OrganisationID, r.Type, r.Method, r.Status,
		r.Currency, r.Amount, r.Applied, r.DueDate, r.Attempt, r.Reference, r.Code, r.Message, r.Origin, db.Micros(r.Created), micros(r.Settled), r.ChargeID)
}

func update(tx *db.Tx, r Repayment) {
	tx.Queue(updateRepayment, r.MerchantID, r.ID, r.Status, r.Applied, r.Reference, r.Code, r.Message, micros(r.Settled))
}

func micros(t *time.Time) *int64 {
	if t == nil {
		return nil
	}
	at := db.Micros(*t)
	return &at
}

func scanState(r db.Rows) (State, error) {
	var s State
	err := r.Scan(&s.MerchantID, &s.PaymentID, &s.OrganisationID, &s.Currency, &s.Method, &s.Token, &s.Status,
		&s.NextDate, &s.LateSince, &s.Attempts, &s.RetryOn, &s.Collecting, &s.DunnedFor, &s.DunnedDay, &s.PausedUntil, &s.PromisedOn, &s.PromisedAmount, &s.Disputed)
	return s, err
}

// StateOf returns how a deferred payment is repaid. It returns db.ErrNoRows for one
// that was never accepted. Who changes it holds the deferred payment locked.
func StateOf(ctx context.Context, tx *db.Tx, merchantID, paymentID string) (State, error) {
	return db.One(ctx, tx, selectState, []any{merchantID, paymentID}, scanState)
}

// StatesByID returns how several deferred payments of a merchant are repaid. Those
// that were never accepted are left out.
func StatesByID(ctx context.Context, tx *db.Tx, merchantID string, paymentIDs []string) (map[string]State, error) {
	out := map[string]State{}
	merchants, distinct := db.Distinct(merchantID, paymentIDs)
	for _, args := range tx.Split(merchants, distinct) {
		found, err := db.All(ctx, tx, selectStatesByID, args, scanState)
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			out[s.PaymentID] = s
		}
	}
	return out, nil
}

func saveNewState(tx *db.Tx, s State) {
	tx.Queue(insertState, s.MerchantID, s.PaymentID, s.OrganisationID, s.Currency, s.Method, s.Token, s.Status,
		s.NextDate, s.LateSince, s.Attempts, s.RetryOn, s.Collecting, s.DunnedFor, s.DunnedDay, s.PausedUntil, s.PromisedOn, s.PromisedAmount, s.Disputed, s.CompanyID)
}

func saveState(tx *db.Tx, s State) {
	tx.Queue(updateState, s.MerchantID, s.PaymentID, s.Method, s.Token, s.Status,
		s.NextDate, s.LateSince, s.Attempts, s.RetryOn, s.Collecting, s.DunnedFor, s.DunnedDay, s.PausedUntil, s.PromisedOn, s.PromisedAmount, s.Disputed)
}

// missing turns the absence of a row into false.
func missing(err error) (bool, error) {
	if errors.Is(err, db.ErrNoRows) {
		return true, nil
	}
	return false, err
}
