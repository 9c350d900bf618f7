-- +goose Up

-- The payments that are still at work, in the order in which the daily close
-- reads them: those that are closed grow without end and are not looked at.
CREATE INDEX repayment_states_open ON repayment_states (merchant_id, deferred_payment_id) WHERE status <> 'closed';

-- One row for each merchant and day that was closed. Days count from 1970 in the
-- merchant's time. A sealed day is never closed again.
CREATE TABLE daily_close_runs (
    merchant_id TEXT NOT NULL,
    day BIGINT NOT NULL,
    sealed BOOLEAN NOT NULL,
    payments BIGINT NOT NULL CHECK (payments >= 0),
    differences BIGINT NOT NULL CHECK (differences >= 0),
    closed_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, day)
) {{strict}};

-- The figures of a close in one currency, in minor units. The first CHECK is what
-- buyers owe, the second its ages, the third the ledger. differing is a JSON list
-- of the first objects that differ, next_due one of the days to come.
CREATE TABLE daily_closes (
    merchant_id TEXT NOT NULL,
    day BIGINT NOT NULL,
    currency TEXT NOT NULL,
    payments BIGINT NOT NULL CHECK (payments >= 0),
    late BIGINT NOT NULL CHECK (late >= 0 AND late <= payments),
    authorised BIGINT NOT NULL CHECK (authorised >= 0),
    protected_captures BIGINT NOT NULL CHECK (protected_captures >= 0),
    unprotected_captures BIGINT NOT NULL CHECK (unprotected_captures >= 0),
    clawback BIGINT NOT NULL CHECK (clawback >= 0),
    owed BIGINT NOT NULL,
    repaid BIGINT NOT NULL,
    written_off BIGINT NOT NULL,
    outstanding BIGINT NOT NULL CHECK (outstanding >= 0),
    overpaid BIGINT NOT NULL CHECK (overpaid >= 0),
    not_due BIGINT NOT NULL CHECK (not_due >= 0),
    overdue_30 BIGINT NOT NULL CHECK (overdue_30 >= 0),
    overdue_60 BIGINT NOT NULL CHECK (overdue_60 >= 0),
    overdue_90 BIGINT NOT NULL CHECK (overdue_90 >= 0),
    overdue_more BIGINT NOT NULL CHECK (overdue_more >= 0),
    not_due_payments BIGINT NOT NULL,
    overdue_30_payments BIGINT NOT NULL,
    overdue_60_payments BIGINT NOT NULL,
    overdue_90_payments BIGINT NOT NULL,
    overdue_more_payments BIGINT NOT NULL,
    exposure_protected BIGINT NOT NULL CHECK (exposure_protected >= 0),
    exposure_unprotected BIGINT NOT NULL CHECK (exposure_unprotected >= 0),
    settled BIGINT NOT NULL,
    settled_payments BIGINT NOT NULL,
    ledger BIGINT NOT NULL,
    difference BIGINT NOT NULL,
    differences BIGINT NOT NULL,
    differing TEXT NOT NULL,
    next_due TEXT NOT NULL,
    PRIMARY KEY (merchant_id, day, currency),
    CHECK (owed - repaid - written_off = outstanding - overpaid),
    CHECK (not_due + overdue_30 + overdue_60 + overdue_90 + overdue_more = outstanding),
    CHECK (ledger = outstanding - overpaid + settled + difference)
) {{strict}};

-- +goose Down
SELECT 1;
