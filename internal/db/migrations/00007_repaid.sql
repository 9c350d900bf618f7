-- +goose Up

-- What the buyer paid and what was given up, and the terms that later steps need
-- without reading the plan again. repaid is settled payments less what was given
-- back; written_off is what nobody expects to be paid any more.
ALTER TABLE deferred_payments ADD COLUMN repaid BIGINT NOT NULL DEFAULT 0 CHECK (repaid >= 0);
ALTER TABLE deferred_payments ADD COLUMN written_off BIGINT NOT NULL DEFAULT 0 CHECK (written_off >= 0);
ALTER TABLE deferred_payments ADD COLUMN customer_discount BIGINT NOT NULL DEFAULT 0 CHECK (customer_discount >= 0);
ALTER TABLE deferred_payments ADD COLUMN merchant_fee BIGINT NOT NULL DEFAULT 0 CHECK (merchant_fee >= 0);
ALTER TABLE deferred_payments ADD COLUMN upfront BIGINT NOT NULL DEFAULT 0 CHECK (upfront >= 0);
ALTER TABLE deferred_payments ADD COLUMN terms TEXT NOT NULL DEFAULT 'order_creation';
ALTER TABLE deferred_payments ADD COLUMN invoiced BOOLEAN NOT NULL DEFAULT FALSE;

-- Through which legacy order endpoint an event came, '' for all others.
ALTER TABLE deferred_payment_events ADD COLUMN origin TEXT NOT NULL DEFAULT '';

-- What a company has in use: of the lender's limit where merchant_id is '', of
-- a merchant's own limit otherwise.
CREATE TABLE credit_exposures_next (
    merchant_id TEXT NOT NULL,
    company_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    in_use BIGINT NOT NULL CHECK (in_use >= 0),
    PRIMARY KEY (company_id, merchant_id, currency)
) {{strict}};
INSERT INTO credit_exposures_next (merchant_id, company_id, currency, in_use)
    SELECT '', company_id, currency, in_use FROM credit_exposures;
DROP TABLE credit_exposures;
ALTER TABLE credit_exposures_next RENAME TO credit_exposures;

-- +goose Down
SELECT 1;
