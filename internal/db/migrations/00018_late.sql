-- +goose Up

-- Which companies are late, for decisions about their next orders.
ALTER TABLE repayment_states ADD COLUMN company_id TEXT NOT NULL DEFAULT '';
CREATE INDEX repayment_states_late ON repayment_states (merchant_id, company_id, late_since) WHERE status = 'late';

-- +goose Down
SELECT 1;
