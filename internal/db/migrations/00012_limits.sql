-- +goose Up

-- What one euro costs in a currency on a day. day counts from 1970; rate has
-- eight decimal places.
CREATE TABLE exchange_rates (
    currency TEXT NOT NULL,
    day BIGINT NOT NULL,
    rate BIGINT NOT NULL CHECK (rate > 0),
    source TEXT NOT NULL,
    PRIMARY KEY (currency, day)
) {{strict}};

-- One row for each company that credit was ever reserved for. Whoever reserves
-- holds it, so that two reservations in different currencies never see the same
-- room.
CREATE TABLE credit_companies (
    company_id TEXT NOT NULL PRIMARY KEY
) {{strict}};

-- The limits that merchants give their buyers at their own risk. company_id is ''
-- for a merchant's default.
CREATE TABLE merchant_limits (
    merchant_id TEXT NOT NULL,
    company_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount >= 0),
    active BOOLEAN NOT NULL,
    PRIMARY KEY (merchant_id, company_id)
) {{strict}};

-- The lender's limit for a company as merchants have seen it. valid_to is NULL for
-- the one that counts.
CREATE TABLE credit_limits (
    merchant_id TEXT NOT NULL,
    company_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    valid_from BIGINT NOT NULL,
    valid_to BIGINT,
    amount BIGINT NOT NULL CHECK (amount >= 0),
    PRIMARY KEY (merchant_id, company_id, currency, valid_from),
    CHECK (valid_to > valid_from)
) {{strict}};

-- +goose Down
SELECT 1;
