-- +goose Up

-- What buyers want to buy. body is the order itself as JSON, shown is most of
-- what the API answers for it; the columns beside them are what orders are found
-- by. offer_id and deferred_payment_id are '' as
-- long as there is none.
CREATE TABLE orders (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    unique_id TEXT NOT NULL,
    organisation_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    status TEXT NOT NULL,
    currency TEXT NOT NULL,
    total_amount BIGINT NOT NULL,
    offer_id TEXT NOT NULL,
    deferred_payment_id TEXT NOT NULL,
    body TEXT NOT NULL,
    shown TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id),
    UNIQUE (merchant_id, unique_id)
) {{strict}};
CREATE INDEX orders_created ON orders (merchant_id, created_at, id);
CREATE INDEX orders_organisation ON orders (merchant_id, organisation_id, created_at);
CREATE INDEX orders_user ON orders (merchant_id, user_id, created_at);

-- +goose Down
SELECT 1;
