package party

import (
	"context"
	"errors"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/db"
	"tradecredit/internal/id"
	"tradecredit/internal/page"
)

// ChangeSoleTrader fills in what a request says about a sole trader. An error
// of it ends the use case and is returned as it is.
type ChangeSoleTrader func(t *SoleTraderDetails) error

// CreateSoleTrader creates a sole trader with a company identifier of its own.
// A platform's identifier that another one has is a 400.
func (s *Service) CreateSoleTrader(ctx context.Context, tx *db.Tx, merchantID string, d SoleTraderDetails, now time.Time) (SoleTrader, error) {
	t := SoleTrader{
		ID: id.New(id.SoleTrader), CompanyID: id.New(id.Company), SoleTraderDetails: d, Created: now, Modified: now,
	}
	if err := holdOwner(ctx, tx, merchantID, t.OwnerID); err != nil {
		return SoleTrader{}, err
	}
	inserted, err := insertSoleTrader(ctx, tx, merchantID, t)
	if err != nil {
		return SoleTrader{}, err
	}
	if !inserted {
		return SoleTrader{}, apierr.Field("unique_id", SoleTraderTaken)
	}
	return t, record(tx, merchantID, "soletrader.created", t.ID, t.snapshot(), now)
}

// PatchSoleTrader changes the sole trader with an ID of either kind. It returns
// db.ErrNoRows when there is none.
func (s *Service) PatchSoleTrader(ctx context.Context, tx *db.Tx, merchantID, anyID string, now time.Time, change ChangeSoleTrader) (SoleTrader, error) {
	q := holdSoleTrader
	if id.Has(id.Company, anyID) {
		q = holdSoleTraderByCompany
	}
	before, err := db.One(ctx, tx, q, []any{merchantID, anyID}, scanSoleTrader)
	if err != nil {
		return SoleTrader{}, err
	}
	t := before
	if err := change(&t.SoleTraderDetails); err != nil {
		return SoleTrader{}, err
	}
	if t == before {
		return before, nil
	}
	if t.OwnerID != before.OwnerID {
		if err := holdOwner(ctx, tx, merchantID, t.OwnerID); err != nil {
			return SoleTrader{}, err
		}
	}
	t.Modified = now
	if err := updateSoleTrader(ctx, tx, merchantID, t); err != nil {
		return SoleTrader{}, refuseTaken(err, SoleTraderTaken)
	}
	return t, record(tx, merchantID, "soletrader.updated", t.ID, t.snapshot(), now)
}

// holdOwner keeps the user who is to own a sole trader from being deleted until
// tx ends.
func holdOwner(ctx context.Context, tx *db.Tx, merchantID, userID string) error {
	_, err := lockUser(ctx, tx, merchantID, userID)
	return err
}

// GetSoleTrader returns the sole trader with an ID of either kind, or
// db.ErrNoRows.
func (s *Service) GetSoleTrader(ctx context.Context, tx *db.Tx, merchantID, anyID string) (SoleTrader, error) {
	q := selectSoleTrader
	if id.Has(id.Company, anyID) {
		q = selectSoleTraderByCompany
	}
	return db.One(ctx, tx, q, []any{merchantID, anyID}, scanSoleTrader)
}

// ListSoleTraders returns one page of sole traders and how many there are in all.
func (s *Service) ListSoleTraders(ctx context.Context, tx *db.Tx, merchantID string, p page.Page) ([]SoleTrader, int64, error) {
	return list(ctx, tx, p, countSoleTraders, newestSoleTraders, oldestSoleTraders, scanSoleTrader, merchantID)
}

// SoleTraderUniqueIDTaken tells whether a sole trader other than the given one
// (an ID of either kind) has a platform's identifier.
func (s *Service) SoleTraderUniqueIDTaken(ctx context.Context, tx *db.Tx, merchantID, uniqueID, butOf string) (bool, error) {
	return exists(ctx, tx, soleTraderTaken, merchantID, uniqueID, butOf)
}

// SoleTraderCompany returns the sole trader of a merchant who stands behind the
// identifier of a company, if there is one.
func SoleTraderCompany(ctx context.Context, tx *db.Tx, merchantID, companyID string) (SoleTrader, bool, error) {
	t, err := db.One(ctx, tx, selectSoleTraderByCompany, []any{merchantID, companyID}, scanSoleTrader)
	if errors.Is(err, db.ErrNoRows) {
		return SoleTrader{}, false, nil
	}
	return t, err == nil, err
}

// soleTraderSnapshot is a sole trader in an event.
type soleTraderSnapshot struct {
	ID           string `json:"id"`
	Owner        string `json:"owner"`
	SoleTraderID string `json:"soletrader_id"`
	TradingAddress
	Proprietor
	VATNumber string `json:"vat_number"`
	UniqueID  string `json:"unique_id"`
}

func (t SoleTrader) snapshot() soleTraderSnapshot {
	return soleTraderSnapshot{t.CompanyID, t.OwnerID, t.ID, t.Trading, t.Proprietor, t.VATNumber, t.UniqueID}
}
