-- +goose Up

-- Accounts for which statements are made. ended_at is when an account was
-- deactivated, and the end of time before that, so that the lists by it need no
-- rule for what is absent. period numbers the billing period that is open, from
-- the first on.
CREATE TABLE billing_accounts (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    payment_terms TEXT NOT NULL CHECK (payment_terms IN ('7d', '14d', '1m')),
    emails_to TEXT NOT NULL,
    emails_cc TEXT NOT NULL,
    period BIGINT NOT NULL CHECK (period >= 0),
    created_at BIGINT NOT NULL,
    modified_at BIGINT NOT NULL,
    ended_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id)
) {{strict}};
CREATE INDEX billing_accounts_created ON billing_accounts (merchant_id, created_at, id);
CREATE INDEX billing_accounts_modified ON billing_accounts (merchant_id, modified_at, id);
CREATE INDEX billing_accounts_ended ON billing_accounts (merchant_id, ended_at, id);

-- Whose business goes onto the statements of an account. A row is active for as
-- long as it does: after the account is deactivated until its last statement is
-- closed. An organisation has one active row at most.
CREATE TABLE billing_account_organisations (
    merchant_id TEXT NOT NULL,
    billing_account_id TEXT NOT NULL,
    position BIGINT NOT NULL,
    organisation_id TEXT NOT NULL,
    active BOOLEAN NOT NULL,
    PRIMARY KEY (merchant_id, billing_account_id, position)
) {{strict}};
CREATE UNIQUE INDEX billing_account_organisations_active ON billing_account_organisations (merchant_id, organisation_id)
    WHERE active = TRUE;
CREATE INDEX billing_account_organisations_of ON billing_account_organisations (merchant_id, organisation_id, billing_account_id);

-- One row for each period and currency of an account in which there was
-- something. Figures are in minor units and, like the number, the due date and the
-- document, those of the close; before it they are zero and ''.
CREATE TABLE statements (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    billing_account_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    period BIGINT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('open', 'closed', 'partially_paid', 'paid', 'overdue')),
    number TEXT NOT NULL,
    due_date TEXT NOT NULL,
    opening BIGINT NOT NULL,
    captures BIGINT NOT NULL,
    refunds BIGINT NOT NULL,
    fees BIGINT NOT NULL,
    discounts BIGINT NOT NULL,
    payments BIGINT NOT NULL,
    adjustments BIGINT NOT NULL,
    closing BIGINT NOT NULL,
    amount_due BIGINT NOT NULL CHECK (amount_due >= 0 AND amount_due >= closing),
    remaining BIGINT NOT NULL CHECK (remaining >= 0 AND remaining <= amount_due),
    document TEXT NOT NULL,
    pdf_sha256 TEXT NOT NULL,
    csv_sha256 TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    closed_at BIGINT,
    PRIMARY KEY (merchant_id, id),
    CHECK (opening + captures + refunds + fees + discounts + payments + adjustments = closing)
) {{strict}};
CREATE UNIQUE INDEX statements_open ON statements (merchant_id, billing_account_id, currency) WHERE status = 'open';
CREATE UNIQUE INDEX statements_period ON statements (merchant_id, billing_account_id, currency, period);
CREATE UNIQUE INDEX statements_number ON statements (number) WHERE number <> '';
CREATE INDEX statements_list ON statements (merchant_id, created_at, id);
CREATE INDEX statements_account ON statements (merchant_id, billing_account_id, created_at, id);
CREATE INDEX statements_status ON statements (merchant_id, status, created_at, id);

-- What happened to the debts of an account's organisations. amount is what it
-- changed of what the buyer owes, debt_before and debt_after are what is owed of
-- the deferred payment around the whole event. statement_id is '' until the
-- statement is closed.
CREATE TABLE statement_lines (
    n {{serial}},
    merchant_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    billing_account_id TEXT NOT NULL,
    organisation_id TEXT NOT NULL,
    deferred_payment_id TEXT NOT NULL,
    number TEXT NOT NULL,
    order_id TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount BIGINT NOT NULL CHECK (amount <> 0),
    debt_before BIGINT NOT NULL,
    debt_after BIGINT NOT NULL,
    at BIGINT NOT NULL,
    statement_id TEXT NOT NULL,
    {{serial_pk merchant_id n}}
) {{strict}};
CREATE UNIQUE INDEX statement_lines_event ON statement_lines (merchant_id, event_id, kind);
CREATE INDEX statement_lines_statement ON statement_lines (merchant_id, billing_account_id, statement_id, currency, n);
CREATE INDEX statement_lines_payment ON statement_lines (merchant_id, deferred_payment_id, n);

-- What a closed statement asks for, by deferred payment. paid is what has been
-- paid or given up of it since; it may be more than was asked for.
CREATE TABLE statement_items (
    merchant_id TEXT NOT NULL,
    statement_id TEXT NOT NULL,
    deferred_payment_id TEXT NOT NULL,
    number TEXT NOT NULL,
    order_reference TEXT NOT NULL,
    due_date TEXT NOT NULL,
    balance BIGINT NOT NULL CHECK (balance <> 0),
    paid BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, statement_id, deferred_payment_id)
) {{strict}};
CREATE INDEX statement_items_payment ON statement_items (merchant_id, deferred_payment_id, statement_id);

-- +goose Down
SELECT 1;
