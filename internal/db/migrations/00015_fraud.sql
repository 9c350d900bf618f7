-- +goose Up

-- Rules as they were loaded. merchant_id is '' for those of all merchants. The last
-- ones loaded for a merchant count, or else the last ones for all. Rows are never
-- changed: decisions refer to them by hash.
CREATE TABLE fraud_rules (
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
CREATE INDEX fraud_rules_hash ON fraud_rules (merchant_id, hash, n);

-- Every decision on an accepted plan with what it was made on. inputs and verdict
-- are JSON, without e-mail addresses, phone numbers or streets.
CREATE TABLE fraud_decisions (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    company_id TEXT NOT NULL,
    organisation_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    plan_id TEXT NOT NULL,
    rules_hash TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('accepted', 'customer_action_required', 'pending_review', 'rejected')),
    score BIGINT NOT NULL CHECK (score >= 0),
    amount BIGINT NOT NULL,
    currency TEXT NOT NULL,
    inputs TEXT NOT NULL,
    verdict TEXT NOT NULL,
    decided_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id)
) {{strict}};
CREATE INDEX fraud_decisions_list ON fraud_decisions (merchant_id, decided_at, id);
CREATE INDEX fraud_decisions_outcome ON fraud_decisions (merchant_id, outcome, decided_at, id);
CREATE INDEX fraud_decisions_order ON fraud_decisions (merchant_id, order_id, decided_at, id);
CREATE INDEX fraud_decisions_plan ON fraud_decisions (merchant_id, plan_id, decided_at);
CREATE INDEX fraud_decisions_decided ON fraud_decisions (decided_at);

-- Which papers the buyer of an accepted plan was asked for. kinds is a JSON list.
CREATE TABLE fraud_requests (
    merchant_id TEXT NOT NULL,
    plan_id TEXT NOT NULL,
    kinds TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, plan_id)
) {{strict}};

-- Which companies an identifier was seen with. hash is an HMAC of the identifier.
-- It is looked for over all merchants.
CREATE TABLE fraud_identifiers (
    kind TEXT NOT NULL,
    hash TEXT NOT NULL,
    company_id TEXT NOT NULL,
    merchant_id TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    PRIMARY KEY (kind, hash, company_id, merchant_id)
) {{strict}};
CREATE INDEX fraud_identifiers_seen ON fraud_identifiers (seen_at);

-- The accepted plans of the last days by what they were made with, to count them.
CREATE TABLE fraud_attempts (
    kind TEXT NOT NULL,
    hash TEXT NOT NULL,
    seen_at BIGINT NOT NULL,
    decision_id TEXT NOT NULL,
    merchant_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    accepted BOOLEAN NOT NULL,
    PRIMARY KEY (kind, hash, seen_at, decision_id)
) {{strict}};
CREATE INDEX fraud_attempts_seen ON fraud_attempts (seen_at);

-- Locks: whoever counts an identifier holds its slot until the count is written.
CREATE TABLE fraud_locks (
    slot BIGINT NOT NULL PRIMARY KEY
) {{strict}};

-- Who is always rejected, reviewed or accepted. merchant_id is '' for all merchants.
-- shown is what may be shown of the value.
CREATE TABLE fraud_lists (
    merchant_id TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('company', 'email_domain', 'email', 'phone')),
    hash TEXT NOT NULL,
    list TEXT NOT NULL CHECK (list IN ('deny', 'review', 'allow')),
    shown TEXT NOT NULL,
    note TEXT NOT NULL,
    added_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, kind, hash)
) {{strict}};
CREATE INDEX fraud_lists_added ON fraud_lists (merchant_id, added_at, kind, hash);

-- +goose Down
SELECT 1;
