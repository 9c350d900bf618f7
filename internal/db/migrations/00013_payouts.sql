-- +goose Up

-- What merchants are to be paid, or have to give back: one row for each change of
-- a deferred payment's figures. Days count from 1970 in the merchant's time.
-- awaiting is whether the order's invoice was missing when the item was made and
-- still is. paid_day is the day of the payout; an item of no payout has none.
CREATE TABLE payout_items (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    deferred_payment_id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    event_n BIGINT NOT NULL,
    type TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL,
    fees BIGINT NOT NULL,
    awaiting BOOLEAN NOT NULL,
    created_day BIGINT NOT NULL,
    payout_id TEXT NOT NULL DEFAULT '',
    paid_day BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (merchant_id, id),
    CHECK (amount <> 0 OR fees <> 0),
    CHECK ((payout_id = '') = (paid_day = 0))
) {{strict}};
CREATE INDEX payout_items_unpaid ON payout_items (merchant_id, currency, created_day, id) WHERE payout_id = '';
CREATE INDEX payout_items_paid ON payout_items (merchant_id, paid_day, id) WHERE payout_id <> '';
CREATE INDEX payout_items_order ON payout_items (merchant_id, order_id, id);

-- A payout is what one run paid a merchant in one currency. The CHECK is the
-- formula of the contract.
CREATE TABLE payouts (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    reference TEXT NOT NULL,
    currency TEXT NOT NULL,
    run_day BIGINT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('ready', 'sent', 'paid', 'returned')),
    structure TEXT NOT NULL CHECK (structure IN ('net_of_fees', 'gross_of_fees')),
    items BIGINT NOT NULL CHECK (items >= 0),
    items_amount BIGINT NOT NULL,
    fees BIGINT NOT NULL,
    adjustments_amount BIGINT NOT NULL,
    min_fixed BIGINT NOT NULL CHECK (min_fixed >= 0),
    min_relative BIGINT NOT NULL CHECK (min_relative >= 0),
    min_actual BIGINT NOT NULL CHECK (min_actual >= 0),
    withheld BIGINT NOT NULL CHECK (withheld >= 0),
    amount BIGINT NOT NULL CHECK (amount >= 0),
    file_id TEXT NOT NULL DEFAULT '',
    reason TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id),
    CHECK (amount = items_amount + adjustments_amount - withheld
        - CASE WHEN structure = 'net_of_fees' THEN fees ELSE 0 END)
) {{strict}};
CREATE UNIQUE INDEX payouts_reference ON payouts (reference);
-- However many runners there are, a merchant is paid once a day and currency.
CREATE UNIQUE INDEX payouts_once ON payouts (merchant_id, currency, run_day) WHERE state <> 'returned';
CREATE INDEX payouts_list ON payouts (merchant_id, run_day, id);
CREATE INDEX payouts_day ON payouts (run_day, currency, merchant_id, id);
CREATE INDEX payouts_ready ON payouts (merchant_id, id) WHERE state = 'ready';

-- Amounts that a payout is raised or lowered by. carried_by is the payout that
-- carried the amount over, '' for what an operator entered; payout_id is the one
-- that the adjustment is part of, '' as long as it waits for one. tax_rate is in
-- hundredths of a percent.
CREATE TABLE payout_adjustments (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    currency TEXT NOT NULL,
    net_amount BIGINT NOT NULL,
    tax_rate BIGINT NOT NULL CHECK (tax_rate >= 0 AND tax_rate <= 10000),
    amount BIGINT NOT NULL CHECK (amount <> 0),
    note TEXT NOT NULL,
    carried_by TEXT NOT NULL,
    payout_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id)
) {{strict}};
CREATE INDEX payout_adjustments_pending ON payout_adjustments (merchant_id, currency, id) WHERE payout_id = '';
CREATE INDEX payout_adjustments_payout ON payout_adjustments (merchant_id, payout_id, id);

-- Where merchants are paid, by currency.
CREATE TABLE payout_accounts (
    merchant_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    holder TEXT NOT NULL,
    country TEXT NOT NULL,
    iban TEXT NOT NULL,
    bic TEXT NOT NULL,
    sort_code TEXT NOT NULL,
    account_number TEXT NOT NULL,
    PRIMARY KEY (merchant_id, currency)
) {{strict}};

-- From where the lender pays, by currency.
CREATE TABLE lender_accounts (
    currency TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    country TEXT NOT NULL,
    iban TEXT NOT NULL,
    bic TEXT NOT NULL,
    sort_code TEXT NOT NULL,
    account_number TEXT NOT NULL
) {{strict}};

-- Files that were made for the bank, as they were made.
CREATE TABLE payout_files (
    id TEXT NOT NULL PRIMARY KEY,
    run_day BIGINT NOT NULL,
    currency TEXT NOT NULL,
    n BIGINT NOT NULL,
    payouts BIGINT NOT NULL,
    total BIGINT NOT NULL,
    content TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (run_day, currency, n)
) {{strict}};

-- Captures and refunds from before there were payouts are paid out too.
INSERT INTO payout_items (merchant_id, id, deferred_payment_id, order_id, event_n, type, currency, amount, fees, awaiting, created_day)
    SELECT e.merchant_id, 'poitm-' || substr(e.id, 5), d.id, d.order_id, e.n,
        CASE e.type WHEN 'capture' THEN 'fulfillment' WHEN 'refund' THEN 'return' WHEN 'clawback' THEN 'reversal' ELSE 'other' END,
        d.currency, e.protected_captures + e.unprotected_captures, 0, TRUE, e.created_at / 86400000000
    FROM deferred_payment_events e JOIN deferred_payments d ON d.merchant_id = e.merchant_id AND d.id = e.deferred_payment_id
    WHERE e.protected_captures + e.unprotected_captures <> 0;
INSERT INTO due (merchant_id, kind, object_id, due_at, clock_offset, run_at)
    SELECT m.id, 'payout.plan', i.currency || '/upgrade', MAX(i.created_day) * 86400000000 + 86400000000, m.clock_offset,
        MAX(i.created_day) * 86400000000 + 86400000000 - m.clock_offset
    FROM payout_items i JOIN merchants m ON m.id = i.merchant_id GROUP BY m.id, m.clock_offset, i.currency;

-- +goose Down
SELECT 1;
