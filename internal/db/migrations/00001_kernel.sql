-- +goose Up

-- Every request that changed something, by the key its sender gave it.
CREATE TABLE idempotency_keys (
    merchant_id TEXT NOT NULL,
    idem_key TEXT NOT NULL,
    operation TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    amount BIGINT,
    status BIGINT NOT NULL,
    location TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, idem_key)
) {{strict}};
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);

-- The log of everything that happened. Rows are written once and never changed.
CREATE TABLE events (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    object_id TEXT NOT NULL,
    root_id TEXT NOT NULL,
    data TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id)
) {{strict}};

-- Events that are not in the chain yet. n numbers them in the order in which they
-- were written; whoever writes events of one object holds it locked, so its
-- events have the order in which they happened.
CREATE TABLE event_outbox (
    n {{serial}},
    merchant_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    {{serial_pk merchant_id n}}
) {{strict}};

-- The chain: every event with its number among those of the merchant, without
-- gaps, and the hash over it and all before it.
CREATE TABLE event_sequence (
    merchant_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    event_id TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (merchant_id, seq),
    UNIQUE (merchant_id, event_id)
) {{strict}};

CREATE TABLE event_chains (
    merchant_id TEXT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL
) {{strict}};

-- What must happen at a certain time. due_at is the merchant's time, clock_offset
-- how far that is ahead of real time, in microseconds, run_at when it is tried
-- next, in real time.
CREATE TABLE due (
    merchant_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    due_at BIGINT NOT NULL,
    clock_offset BIGINT NOT NULL,
    run_at BIGINT NOT NULL,
    failures BIGINT NOT NULL DEFAULT 0,
    parked TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (merchant_id, kind, object_id)
) {{strict}};
CREATE INDEX due_run ON due (run_at) WHERE parked = '';
CREATE INDEX due_merchant ON due (merchant_id, due_at) WHERE parked = '';
CREATE INDEX due_parked ON due (merchant_id, due_at) WHERE parked <> '';

-- Calls to the outside world that are still to be made. Of the jobs of a lane one
-- is its head, which alone may be claimed: however many wait behind it, nobody
-- looks at them. Jobs without a lane are all heads.
CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    merchant_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    lane TEXT NOT NULL,
    run_at BIGINT NOT NULL,
    head BOOLEAN NOT NULL,
    attempt BIGINT NOT NULL DEFAULT 0,
    lease_by TEXT NOT NULL DEFAULT '',
    parked TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL
) {{strict}};
CREATE INDEX jobs_run ON jobs (run_at) WHERE head;
CREATE INDEX jobs_parked ON jobs (merchant_id, run_at) WHERE parked <> '';
CREATE INDEX jobs_lane ON jobs (merchant_id, lane, id) WHERE parked = '';

-- A row for every lane that has jobs. Who adds a job to a lane and who takes one
-- away lock it, so that a lane never has jobs and no head.
CREATE TABLE job_lanes (
    merchant_id TEXT NOT NULL,
    lane TEXT NOT NULL,
    PRIMARY KEY (merchant_id, lane)
) {{strict}};

-- Double entries: append-only, summing to zero for every transaction and
-- currency.
CREATE TABLE ledger_entries (
    merchant_id TEXT NOT NULL,
    transaction_id TEXT NOT NULL,
    line BIGINT NOT NULL,
    account TEXT NOT NULL,
    object_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, transaction_id, line)
) {{strict}};
CREATE INDEX ledger_entries_object ON ledger_entries (merchant_id, object_id);

-- Mails of the sandbox, kept in place of being sent.
CREATE TABLE emails (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id)
) {{strict}};

-- The answers to requests, by request id, so that a merchant can look one up.
CREATE TABLE request_log (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    status BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id)
) {{strict}};
CREATE INDEX request_log_created ON request_log (created_at);

CREATE TABLE merchants (
    id TEXT NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    profile TEXT NOT NULL,
    environment TEXT NOT NULL,
    settings TEXT NOT NULL,
    clock_offset BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL
) {{strict}};

CREATE TABLE api_keys (
    hash TEXT NOT NULL PRIMARY KEY,
    merchant_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    hint TEXT NOT NULL,
    origins TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL
) {{strict}};
CREATE INDEX api_keys_merchant ON api_keys (merchant_id);

-- +goose Down
SELECT 1;
