-- +goose Up

-- A debt that the buyer disputes is left alone until an operator says otherwise.
ALTER TABLE repayment_states ADD COLUMN disputed BOOLEAN NOT NULL DEFAULT FALSE;

-- The file to the bank that a repayment went out with, '' for none.
ALTER TABLE repayments ADD COLUMN file_id TEXT NOT NULL DEFAULT '';
CREATE INDEX repayments_waiting ON repayments (type, method, created_at, id) WHERE status = 'pending' AND file_id = '';

CREATE INDEX repayments_processed ON repayments (id) WHERE origin = 'processor';
CREATE INDEX repayments_reference ON repayments (reference, created_at, id) WHERE origin = 'processor';
CREATE INDEX repayments_of_credit ON repayments (merchant_id, reference, created_at, id) WHERE origin = 'credit';

-- The list of an operator reads one merchant's payments by status, or all of them.
CREATE INDEX repayment_states_payments ON repayment_states (status, merchant_id, deferred_payment_id);

-- Permissions of buyers to debit their accounts. The reference is the lender's and
-- therefore unlike that of every other mandate. debited is set by the first debit.
CREATE TABLE mandates (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    organisation_id TEXT NOT NULL,
    reference TEXT NOT NULL UNIQUE,
    scheme TEXT NOT NULL CHECK (scheme IN ('CORE', 'B2B', 'BACS')),
    holder TEXT NOT NULL,
    iban TEXT NOT NULL,
    bic TEXT NOT NULL,
    sort_code TEXT NOT NULL,
    account_number TEXT NOT NULL,
    signed_on TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('active', 'cancelled')),
    debited BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id)
) {{strict}};
CREATE INDEX mandates_organisation ON mandates (merchant_id, organisation_id, scheme, created_at, id) WHERE status = 'active';
CREATE INDEX mandates_list ON mandates (merchant_id, created_at, id);

-- Files that were made for the bank, as they were made. n numbers those of a day.
CREATE TABLE bank_files (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('debits', 'refunds')),
    format TEXT NOT NULL,
    currency TEXT NOT NULL,
    day TEXT NOT NULL,
    n BIGINT NOT NULL,
    orders BIGINT NOT NULL,
    total BIGINT NOT NULL,
    content TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (kind, format, currency, day, n)
) {{strict}};

-- What the bank is asked to do: debits of buyers' accounts and transfers to
-- buyers. The ID is the end-to-end identifier. object_id is the repayment, the
-- buyer's credit or the bank entry; merchant_id is '' for the latter. file_id is ''
-- until it is in a file.
CREATE TABLE bank_orders (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('debit', 'refund', 'credit', 'unmatched')),
    merchant_id TEXT NOT NULL,
    object_id TEXT NOT NULL,
    file_id TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('pending', 'sent', 'settled', 'failed', 'returned')),
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    holder TEXT NOT NULL,
    iban TEXT NOT NULL,
    bic TEXT NOT NULL,
    sort_code TEXT NOT NULL,
    account_number TEXT NOT NULL,
    remittance TEXT NOT NULL,
    mandate TEXT NOT NULL,
    batch TEXT NOT NULL,
    created_at BIGINT NOT NULL
) {{strict}};
CREATE INDEX bank_orders_pending ON bank_orders (currency, id) WHERE status = 'pending';
CREATE INDEX bank_orders_file ON bank_orders (file_id, id);
CREATE INDEX bank_orders_batch ON bank_orders (batch, id);
CREATE INDEX bank_orders_mandate ON bank_orders (mandate, amount, id) WHERE mandate <> '';

-- What account statements say, one row for each payment. entry_key is made of what
-- identifies it on the account, so that the same entry is never booked twice. open
-- is the part of it that nobody knows the purpose of.
CREATE TABLE bank_entries (
    id TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL,
    entry_key TEXT NOT NULL,
    credit BOOLEAN NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount >= 0),
    open BIGINT NOT NULL CHECK (open >= 0 AND open <= amount),
    booked_on TEXT NOT NULL,
    holder TEXT NOT NULL,
    iban TEXT NOT NULL,
    bic TEXT NOT NULL,
    sort_code TEXT NOT NULL,
    account_number TEXT NOT NULL,
    text TEXT NOT NULL,
    end_to_end_id TEXT NOT NULL,
    bank_reference TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('matched', 'unmatched', 'refunding', 'refunded', 'ignored')),
    note TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (account, entry_key),
    CHECK (status <> 'matched' OR open = 0)
) {{strict}};
CREATE INDEX bank_entries_open ON bank_entries (id) WHERE status IN ('unmatched', 'refunding');

-- Where the money of an entry went.
CREATE TABLE bank_allocations (
    entry_id TEXT NOT NULL,
    n BIGINT NOT NULL,
    kind TEXT NOT NULL,
    merchant_id TEXT NOT NULL,
    object_id TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount > 0),
    PRIMARY KEY (entry_id, n)
) {{strict}};

-- Whose money it is when it comes from an account or in a name: what was learned
-- from mandates, from transfers that named a payment, and from operators.
CREATE TABLE payer_keys (
    payer TEXT NOT NULL,
    merchant_id TEXT NOT NULL,
    organisation_id TEXT NOT NULL,
    PRIMARY KEY (payer, merchant_id, organisation_id)
) {{strict}};

-- Reports of the processor that were taken, each once.
CREATE TABLE processor_events (
    id TEXT NOT NULL PRIMARY KEY,
    type TEXT NOT NULL,
    created_at BIGINT NOT NULL
) {{strict}};

-- +goose Down
SELECT 1;
