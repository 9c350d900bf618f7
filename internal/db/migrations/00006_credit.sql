-- +goose Up

-- What a company has in use of its credit limit, over all merchants.
CREATE TABLE credit_exposures (
    company_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    in_use BIGINT NOT NULL CHECK (in_use >= 0),
    PRIMARY KEY (company_id, currency)
) {{strict}};

-- Random secrets that all nodes share.
CREATE TABLE secrets (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) {{strict}};

CREATE TABLE plan_templates (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    position BIGINT NOT NULL,
    active BOOLEAN NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id)
) {{strict}};
CREATE INDEX plan_templates_list ON plan_templates (merchant_id, position, id);

CREATE TABLE offers (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    deleted BOOLEAN NOT NULL,
    body TEXT NOT NULL,
    valid_until BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id)
) {{strict}};
CREATE INDEX offers_list ON offers (merchant_id, created_at, id) WHERE deleted = FALSE;
CREATE INDEX offers_order ON offers (merchant_id, order_id);

CREATE TABLE payment_plans (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    offer_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    status TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (merchant_id, id)
) {{strict}};
CREATE UNIQUE INDEX payment_plans_id ON payment_plans (id);
CREATE INDEX payment_plans_offer ON payment_plans (merchant_id, offer_id, position);

-- Every post-sale event updates a row here, and no index holds what it changes:
-- with room on its page the new version stays there and no index is touched.
-- The figures are a cache of deferred_payment_events. The CHECKs are the
-- invariants of the contract: no fault in the program can store a payment that
-- breaks them.
CREATE TABLE deferred_payments (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    number TEXT NOT NULL,
    order_id TEXT NOT NULL,
    payment_plan_id TEXT NOT NULL,
    organisation_id TEXT NOT NULL,
    company_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    payment_method TEXT NOT NULL,
    rejection_code TEXT NOT NULL,
    status TEXT NOT NULL,
    version TEXT NOT NULL,
    order_total BIGINT NOT NULL CHECK (order_total > 0),
    protected_amount BIGINT NOT NULL CHECK (protected_amount >= 0),
    authorisation BIGINT NOT NULL,
    protected_captures BIGINT NOT NULL CHECK (protected_captures >= 0),
    unprotected_captures BIGINT NOT NULL CHECK (unprotected_captures >= 0),
    refunds BIGINT NOT NULL CHECK (refunds >= 0),
    voided_authorisation BIGINT NOT NULL CHECK (voided_authorisation >= 0),
    expired_authorisation BIGINT NOT NULL CHECK (expired_authorisation >= 0),
    clawback BIGINT NOT NULL CHECK (clawback >= 0),
    fee_sum BIGINT NOT NULL CHECK (fee_sum >= 0),
    fee_authorisation BIGINT NOT NULL CHECK (fee_authorisation >= 0),
    fee_captures BIGINT NOT NULL CHECK (fee_captures >= 0),
    fee_refunds BIGINT NOT NULL CHECK (fee_refunds >= 0),
    fee_voided_authorisation BIGINT NOT NULL CHECK (fee_voided_authorisation >= 0),
    fee_expired_authorisation BIGINT NOT NULL CHECK (fee_expired_authorisation >= 0),
    event_count BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CHECK (authorisation + protected_captures + unprotected_captures + refunds
        + voided_authorisation + expired_authorisation + clawback = order_total),
    CHECK (fee_authorisation + fee_captures + fee_refunds + fee_voided_authorisation
        + fee_expired_authorisation = fee_sum)
) {{strict}}{{postgres}}WITH (fillfactor = 50){{end}};
CREATE UNIQUE INDEX deferred_payments_number ON deferred_payments (number);
CREATE UNIQUE INDEX deferred_payments_plan ON deferred_payments (merchant_id, payment_plan_id);
CREATE INDEX deferred_payments_list ON deferred_payments (merchant_id, created_at, id);
CREATE INDEX deferred_payments_order ON deferred_payments (merchant_id, order_id);

CREATE TABLE deferred_payment_events (
    merchant_id TEXT NOT NULL,
    deferred_payment_id TEXT NOT NULL,
    n BIGINT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    version TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    authorisation BIGINT NOT NULL,
    protected_captures BIGINT NOT NULL,
    unprotected_captures BIGINT NOT NULL,
    refunds BIGINT NOT NULL,
    voided_authorisation BIGINT NOT NULL,
    expired_authorisation BIGINT NOT NULL,
    clawback BIGINT NOT NULL,
    fee_authorisation BIGINT NOT NULL,
    fee_captures BIGINT NOT NULL,
    fee_refunds BIGINT NOT NULL,
    fee_voided_authorisation BIGINT NOT NULL,
    fee_expired_authorisation BIGINT NOT NULL,
    metadata TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, deferred_payment_id, n),
    CHECK (authorisation + protected_captures + unprotected_captures + refunds
        + voided_authorisation + expired_authorisation + clawback = 0)
) {{strict}};

-- +goose Down
SELECT 1;
