-- +goose Up

-- Where a merchant wants to be told of everything.
CREATE TABLE webhook_endpoints (
    n {{serial}},
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    url TEXT NOT NULL,
    auth_header TEXT NOT NULL,
    events TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    secret TEXT NOT NULL,
    previous_secret TEXT NOT NULL DEFAULT '',
    previous_until BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    {{serial_pk merchant_id n}}
) {{strict}};
CREATE UNIQUE INDEX webhook_endpoints_id ON webhook_endpoints (merchant_id, id);

-- What signs the notifications that go to addresses named by single offers.
CREATE TABLE webhook_secrets (
    merchant_id TEXT NOT NULL PRIMARY KEY,
    secret TEXT NOT NULL,
    previous_secret TEXT NOT NULL DEFAULT '',
    previous_until BIGINT NOT NULL DEFAULT 0
) {{strict}};

-- One row for every event and every address that is told of it. target is the
-- endpoint's id or, for an address that belongs to none, its hash. tries counts
-- the attempts since the last time the delivery was asked for; job_id is the job
-- that makes them.
CREATE TABLE webhook_deliveries (
    n {{serial}},
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    object_id TEXT NOT NULL,
    root_id TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    target TEXT NOT NULL,
    endpoint_id TEXT,
    url TEXT NOT NULL,
    request_body TEXT NOT NULL,
    status TEXT NOT NULL,
    attempts TEXT NOT NULL,
    tries BIGINT NOT NULL,
    job_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    {{serial_pk merchant_id n}}
) {{strict}};
CREATE UNIQUE INDEX webhook_deliveries_id ON webhook_deliveries (merchant_id, id);
CREATE UNIQUE INDEX webhook_deliveries_once ON webhook_deliveries (merchant_id, event_id, target);

-- The outbox of the sandbox is read newest first.
CREATE INDEX emails_created ON emails (merchant_id, created_at, id);

-- +goose Down
SELECT 1;
