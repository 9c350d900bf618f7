-- +goose Up

-- Files that came in and belong to nothing yet. A row is written before its file
-- and removed in the transaction that writes what the file belongs to; what is
-- left of a request that failed, or of a process that was killed, is found here
-- and swept up. An abandoned file is about to be deleted and can no longer be
-- used.
CREATE TABLE blob_uploads (
    blob_key TEXT NOT NULL PRIMARY KEY,
    abandoned BOOLEAN NOT NULL,
    started_at BIGINT NOT NULL
) {{strict}};
CREATE INDEX blob_uploads_started ON blob_uploads (started_at);

-- Invoices, credit notes and other papers about an order, from its merchant.
CREATE TABLE order_documents (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    order_id TEXT NOT NULL,
    doc_type TEXT NOT NULL,
    description TEXT NOT NULL,
    amount BIGINT,
    metadata TEXT NOT NULL,
    filename TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size BIGINT NOT NULL CHECK (size > 0),
    sha256 TEXT NOT NULL,
    blob_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id)
) {{strict}};
CREATE INDEX order_documents_list ON order_documents (merchant_id, order_id, created_at, id);
CREATE UNIQUE INDEX order_documents_id ON order_documents (id);

-- What buyers sent on the hosted page because a deferred payment asked for it.
CREATE TABLE buyer_documents (
    merchant_id TEXT NOT NULL,
    id TEXT NOT NULL,
    deferred_payment_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    filename TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size BIGINT NOT NULL CHECK (size > 0),
    sha256 TEXT NOT NULL,
    blob_key TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (merchant_id, id)
) {{strict}};
CREATE INDEX buyer_documents_list ON buyer_documents (merchant_id, deferred_payment_id, created_at, id);
CREATE INDEX buyer_documents_payment ON buyer_documents (deferred_payment_id, created_at, id);
CREATE UNIQUE INDEX buyer_documents_id ON buyer_documents (id);

-- +goose Down
SELECT 1;
