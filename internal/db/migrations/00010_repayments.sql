-- +goose Up

-- Money that came from buyers for a deferred payment, or went back to them: asked
-- for by us (pending until the outcome is known) or reported by a bank.
CREATE TABLE repayments (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    deferred_payment_id TEXT NOT NULL,
    organisation_id TEXT NOT NULL,
    type TEXT NOT NULL CHECK (type IN ('payment', 'customer_refund')),
    method TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'settled', 'failed', 'returned')),
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    applied BIGINT NOT NULL CHECK (applied >= 0 AND applied <= amount),
    due_date TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    reference TEXT NOT NULL,
    code TEXT NOT NULL,
    message TEXT NOT NULL,
    origin TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    settled_at BIGINT,
    charge_id TEXT NOT NULL,
    PRIMARY KEY (merchant_id, id)
) {{strict}};
CREATE INDEX repayments_payment ON repayments (merchant_id, deferred_payment_id, created_at, id);
CREATE INDEX repayments_pending ON repayments (merchant_id, type, method, created_at, id) WHERE status = 'pending';

-- What is known of the way in which a deferred payment is repaid, one row for
-- each that was accepted or waits for its upfront part. Dates are texts such as
-- 2026-11-20, '' for none.
CREATE TABLE repayment_states (
    merchant_id TEXT NOT NULL,
    deferred_payment_id TEXT NOT NULL,
    organisation_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    method TEXT NOT NULL,
    token TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('open', 'late', 'closed')),
    next_date TEXT NOT NULL,
    late_since TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    retry_on TEXT NOT NULL,
    collecting TEXT NOT NULL,
    dunned_for TEXT NOT NULL,
    dunned_day BIGINT NOT NULL,
    paused_until TEXT NOT NULL,
    promised_on TEXT NOT NULL,
    promised_amount BIGINT NOT NULL CHECK (promised_amount >= 0),
    PRIMARY KEY (merchant_id, deferred_payment_id)
) {{strict}};
CREATE INDEX repayment_states_list ON repayment_states (merchant_id, status, next_date, deferred_payment_id);
CREATE INDEX repayment_states_buyer ON repayment_states (merchant_id, organisation_id, status);

-- Money of buyers that no debt was found for, or that was too much.
CREATE TABLE buyer_credits (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    organisation_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    used BIGINT NOT NULL CHECK (used >= 0 AND used <= amount),
    origin TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id)
) {{strict}};
CREATE INDEX buyer_credits_buyer ON buyer_credits (merchant_id, organisation_id, currency, created_at, id);

-- +goose Down
SELECT 1;
