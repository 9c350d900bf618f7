-- +goose Up

-- Policies as they were loaded. merchant_id is '' for those of all merchants. The
-- last one loaded for a merchant counts, or else the last one for all. Rows are
-- never changed: decisions refer to them by hash.
CREATE TABLE underwriting_policies (
    n {{serial}},
    merchant_id TEXT NOT NULL,
    hash TEXT NOT NULL,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('program', 'operator')),
    source TEXT NOT NULL,
    loaded_at BIGINT NOT NULL,
    {{serial_pk merchant_id n}}
) {{strict}};
CREATE INDEX underwriting_policies_hash ON underwriting_policies (merchant_id, hash, n);

-- Every decision with what it was made on. inputs and results are JSON. kind is
-- assess for an order that asks for an offer and review for a plan that the buyer
-- has accepted. reason is '' when something was offered. credit_limit and
-- available are minor units of currency, like amount.
CREATE TABLE underwriting_decisions (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('assess', 'review')),
    company_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    offer_id TEXT NOT NULL,
    plan_id TEXT NOT NULL,
    policy_hash TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('offered', 'declined')),
    reason TEXT NOT NULL CHECK ((outcome = 'declined') = (reason <> '')),
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    credit_limit BIGINT NOT NULL CHECK (credit_limit >= 0),
    available BIGINT NOT NULL CHECK (available >= 0),
    inputs TEXT NOT NULL,
    results TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id)
) {{strict}};
CREATE INDEX underwriting_decisions_list ON underwriting_decisions (merchant_id, decided_at, id);
CREATE INDEX underwriting_decisions_order ON underwriting_decisions (merchant_id, order_id, decided_at, id);

-- The division of every company that has accepted a plan, to add up what a sector
-- has in use. '*' holds all of them.
CREATE TABLE underwriting_sectors (
    division TEXT NOT NULL,
    company_id TEXT NOT NULL,
    PRIMARY KEY (division, company_id)
) {{strict}};

-- +goose Down
SELECT 1;
