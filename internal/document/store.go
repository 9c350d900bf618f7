package document

import (
	"context"
	"fmt"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/page"
)

const (
	documentColumns = `merchant_id, id, order_id, doc_type, description, amount, metadata, filename, content_type, size, sha256, blob_key, created_at`
	buyerColumns    = `merchant_id, id, deferred_payment_id, kind, filename, content_type, size, sha256, blob_key, created_at`
)

const (
	insertDocument db.SQL = `INSERT INTO order_documents (` + documentColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`
	selectDocument db.SQL = `SELECT ` + documentColumns + ` FROM order_documents
		WHERE merchant_id = $1 AND order_id = $2 AND id = $3`
	selectLinked      db.SQL = `SELECT ` + documentColumns + ` FROM order_documents WHERE merchant_id = $1 AND id = $2`
	selectAnyDocument db.SQL = `SELECT ` + documentColumns + ` FROM order_documents WHERE id = $1`
	countDocuments    db.SQL = `SELECT count(*) FROM order_documents WHERE merchant_id = $1 AND order_id = $2`
	newestDocuments   db.SQL = `SELECT ` + documentColumns + ` FROM order_documents WHERE merchant_id = $1 AND order_id = $2
		ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4`
	oldestDocuments db.SQL = `SELECT ` + documentColumns + ` FROM order_documents WHERE merchant_id = $1 AND order_id = $2
		ORDER BY created_at, id LIMIT $3 OFFSET $4`

	insertBuyerDocument db.SQL = `INSERT INTO buyer_documents (` + buyerColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	selectAnyBuyerDocument db.SQL = `SELECT ` + buyerColumns + ` FROM buyer_documents WHERE id = $1`
	selectBuyerDocuments   db.SQL = `SELECT ` + buyerColumns + ` FROM buyer_documents
		WHERE merchant_id = $1 AND deferred_payment_id = $2 ORDER BY created_at, id`
	selectAnyBuyerDocuments db.SQL = `SELECT ` + buyerColumns + ` FROM buyer_documents
		WHERE deferred_payment_id = $1 ORDER BY created_at, id`

	insertUpload  db.SQL = `INSERT INTO blob_uploads (blob_key, abandoned, started_at) VALUES ($1, FALSE, $2)`
	useUpload     db.SQL = `DELETE FROM blob_uploads WHERE blob_key = $1 AND abandoned = FALSE`
	abandonUpload db.SQL = `UPDATE blob_uploads SET abandoned = TRUE WHERE blob_key = $1`
	forgetUpload  db.SQL = `DELETE FROM blob_uploads WHERE blob_key = $1`
	staleUploads  db.SQL = `SELECT blob_key FROM blob_uploads WHERE started_at < $1 ORDER BY started_at LIMIT $2`
)

func scanDocument(r db.Rows) (d Document, err error) {
	var metadata string
	var created int64
	err = r.Scan(&d.MerchantID, &d.ID, &d.OrderID, &d.Type, &d.Description, &d.Amount, &metadata,
		&d.File.Name, &d.File.ContentType, &d.File.Size, &d.File.SHA256, &d.File.Key, &created)
	d.Metadata, d.Created = []byte(metadata), db.Time(created)
	return d, err
}

func scanBuyerDocument(r db.Rows) (d BuyerDocument, err error) {
	var created int64
	err = r.Scan(&d.MerchantID, &d.ID, &d.DeferredPaymentID, &d.Kind,
		&d.File.Name, &d.File.ContentType, &d.File.Size, &d.File.SHA256, &d.File.Key, &created)
	d.Created = db.Time(created)
	return d, err
}

func insert(tx *db.Tx, d Document) {
	tx.Queue(insertDocument, d.MerchantID, d.ID, d.OrderID, d.Type, d.Description, d.Amount, string(d.Metadata),
		d.File.Name, d.File.ContentType, d.File.Size, d.File.SHA256, d.File.Key, db.Micros(d.Created))
}

func insertBuyer(tx *db.Tx, d BuyerDocument) {
	tx.Queue(insertBuyerDocument, d.MerchantID, d.ID, d.DeferredPaymentID, d.Kind,
		d.File.Name, d.File.ContentType, d.File.Size, d.File.SHA256, d.File.Key, db.Micros(d.Created))
}

// Get returns a document of an order, or db.ErrNoRows.
func Get(ctx context.Context, tx *db.Tx, merchantID, orderID, documentID string) (Document, error) {
	return db.One(ctx, tx, selectDocument, []any{merchantID, orderID, documentID}, scanDocument)
}

// List returns a page of the documents of an order and how many there are.
func List(ctx context.Context, tx *db.Tx, merchantID, orderID string, p page.Page) ([]Document, int64, error) {
	var count int64
	if err := tx.Get(ctx, countDocuments, []any{merchantID, orderID}, &count); err != nil {
		return nil, 0, err
	}
	query := newestDocuments
	if p.Oldest {
		query = oldestDocuments
	}
	found, err := db.All(ctx, tx, query, []any{merchantID, orderID, p.Limit, p.Offset}, scanDocument)
	return found, count, err
}

// Linked returns the document of a signed link, or db.ErrNoRows.
func Linked(ctx context.Context, tx *db.Tx, merchantID, documentID string) (Document, error) {
	return db.One(ctx, tx, selectLinked, []any{merchantID, documentID}, scanDocument)
}

// Find returns a document of any merchant, for the operator, or db.ErrNoRows.
func Find(ctx context.Context, tx *db.Tx, documentID string) (Document, error) {
	return db.One(ctx, tx, selectAnyDocument, []any{documentID}, scanDocument)
}

// FindBuyer returns what a buyer sent, for the operator, or db.ErrNoRows.
func FindBuyer(ctx context.Context, tx *db.Tx, documentID string) (BuyerDocument, error) {
	return db.One(ctx, tx, selectAnyBuyerDocument, []any{documentID}, scanBuyerDocument)
}

// ListBuyer returns what a buyer sent for a deferred payment, the oldest first.
func ListBuyer(ctx context.Context, tx *db.Tx, merchantID, paymentID string) ([]BuyerDocument, error) {
	return db.All(ctx, tx, selectBuyerDocuments, []any{merchantID, paymentID}, scanBuyerDocument)
}

// FindAllBuyer is ListBuyer for the operator, who knows the payment alone.
func FindAllBuyer(ctx context.Context, tx *db.Tx, paymentID string) ([]BuyerDocument, error) {
	return db.All(ctx, tx, selectAnyBuyerDocuments, []any{paymentID}, scanBuyerDocument)
}

// use makes a stored file belong to what tx writes.
func use(ctx context.Context, tx *db.Tx, key string) error {
	n, err := tx.Exec(ctx, useUpload, key)
	if err == nil && n != 1 {
		err = fmt.Errorf("document: the file %s was given up before it was used", key)
	}
	return err
}

// stale are the keys of files that came in before a time and belong to nothing.
func stale(ctx context.Context, tx *db.Tx, before time.Time, limit int) ([]string, error) {
	return db.All(ctx, tx, staleUploads, []any{db.Micros(before), limit}, func(r db.Rows) (key string, err error) {
		err = r.Scan(&key)
		return key, err
	})
}
