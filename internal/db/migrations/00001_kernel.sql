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

-- The log of everything that happened. n numbers events in the order in which
-- they were written; seq and hash are set afterwards by the chainer, without
-- gaps for each merchant.
CREATE TABLE events (
    n {{serial}},
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    seq BIGINT,
    type TEXT NOT NULL,
    object_id TEXT NOT NULL,
    root_id TEXT NOT NULL,
    data TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    hash TEXT,
    {{serial_pk merchant_id n}}
) {{strict}};
CREATE UNIQUE INDEX events_seq ON events (merchant_id, seq);
CREATE UNIQUE INDEX events_id ON events (merchant_id, id);
-- seq is in it, though it is always NULL there: without, SQLite would look for
-- what is unchained in the whole of events_seq.
CREATE INDEX events_unchained ON events (merchant_id, n, seq) WHERE seq IS NULL;
CREATE INDEX events_object ON events (merchant_id, object_id, n);

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

-- Calls to the outside world that are still to be made.
CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY,
    merchant_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    lane TEXT NOT NULL,
    run_at BIGINT NOT NULL,
    attempt BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT NOT NULL DEFAULT 0,
    lease_by TEXT NOT NULL DEFAULT '',
    parked TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL
) {{strict}};
CREATE INDEX jobs_run ON jobs (run_at) WHERE parked = '';
CREATE INDEX jobs_parked ON jobs (merchant_id, run_at) WHERE parked <> '';
CREATE INDEX jobs_lane ON jobs (lane, id);

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
CREATE INDEX ledger_entries_account ON ledger_entries (merchant_id, account, currency);
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
