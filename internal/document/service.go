package document

import (
	"context"
	"time"

	"github.com/gabriel-vasile/mimetype"

	"tradecredit/internal/blob"
	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/event"
	"tradecredit/internal/id"
	"tradecredit/internal/order"
)

// Service keeps documents.
type Service struct {
	// MaxSize bounds a file, in bytes.
	MaxSize int64
	// Added, when set, is told of every new order document, in its transaction.
	Added func(ctx context.Context, tx *db.Tx, merchantID, orderID, docType string, now time.Time) error

	db    *db.DB
	clock clock.Clock
	blobs blob.Store
}

// New returns the service on a store of files.
func New(d *db.DB, k clock.Clock, blobs blob.Store, maxSize int64) *Service {
	// The setting is one of the whole program; nobody else uses the module.
	mimetype.SetLimit(sniffed)
	return &Service{MaxSize: maxSize, db: d, clock: k, blobs: blobs}
}

// EventCreated tells of a new order document.
const EventCreated = "order.document_created"

// Create adds a document with a file that Keep stored to an order. It returns
// db.ErrNoRows when the merchant has no such order.
func (s *Service) Create(ctx context.Context, tx *db.Tx, merchantID, orderID string, in Details, f File, now time.Time) (Document, error) {
	d := Document{
		MerchantID: merchantID, ID: id.New(id.OrderDocument), OrderID: orderID, Details: in, File: f, Created: now,
	}
	if _, err := order.Lock(ctx, tx, merchantID, orderID); err != nil {
		return d, err
	}
	if err := use(ctx, tx, f.Key); err != nil {
		return d, err
	}
	insert(tx, d)
	data, err := d.snapshot()
	if err != nil {
		return d, err
	}
	event.Append(tx, event.Event{
		MerchantID: merchantID, Type: EventCreated, ObjectID: d.ID, RootID: orderID, Data: data, Created: now,
	})
	if s.Added == nil {
		return d, nil
	}
	return d, s.Added(ctx, tx, merchantID, orderID, d.Type, now)
}

// AddBuyer adds what a buyer sent for a deferred payment, with a file that Keep
// stored.
func (s *Service) AddBuyer(ctx context.Context, tx *db.Tx, merchantID, paymentID, kind string, f File, now time.Time) (BuyerDocument, error) {
	d := BuyerDocument{
		MerchantID: merchantID, ID: id.New(id.BuyerDocument), DeferredPaymentID: paymentID, Kind: kind, File: f, Created: now,
	}
	if err := use(ctx, tx, f.Key); err != nil {
		return d, err
	}
	insertBuyer(tx, d)
	return d, nil
}
