package party

import (
	"context"

	"tradecredit/internal/db"
)

const soleTraderColumns = `id, company_id, owner_id, unique_id, vat_number, trading_name, trading_address,
	trading_address_city, trading_address_postcode, trading_address_country, proprietor_name,
	proprietor_address_line1, proprietor_address_line2, proprietor_address_line3, proprietor_address_city,
	proprietor_address_postcode, proprietor_address_country, date_of_birth, created_at, modified_at`

const (
	addSoleTrader db.SQL = `INSERT INTO sole_traders (merchant_id, ` + soleTraderColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)
		ON CONFLICT (merchant_id, unique_id) DO NOTHING`
	setSoleTrader db.SQL = `UPDATE sole_traders SET owner_id = $3, unique_id = $4, vat_number = $5, trading_name = $6,
			trading_address = $7, trading_address_city = $8, trading_address_postcode = $9,
			trading_address_country = $10, proprietor_name = $11, proprietor_address_line1 = $12,
			proprietor_address_line2 = $13, proprietor_address_line3 = $14, proprietor_address_city = $15,
			proprietor_address_postcode = $16, proprietor_address_country = $17, date_of_birth = $18, modified_at = $19
		WHERE merchant_id = $1 AND id = $2`

	soleTraderTaken db.SQL = `SELECT 1 FROM sole_traders
		WHERE merchant_id = $1 AND unique_id = $2 AND id <> $3 AND company_id <> $3`
	soleTraderOfOwner db.SQL = `SELECT 1 FROM sole_traders WHERE merchant_id = $1 AND owner_id = $2 LIMIT 1`

	selectSoleTrader          db.SQL = `SELECT ` + soleTraderColumns + ` FROM sole_traders WHERE merchant_id = $1 AND id = $2`
	selectSoleTraderByCompany db.SQL = `SELECT ` + soleTraderColumns + ` FROM sole_traders WHERE merchant_id = $1 AND company_id = $2`
	holdSoleTrader            db.SQL = selectSoleTrader + ` FOR UPDATE`
	holdSoleTraderByCompany   db.SQL = selectSoleTraderByCompany + ` FOR UPDATE`

	countSoleTraders  db.SQL = `SELECT count(*) FROM sole_traders WHERE merchant_id = $1`
	newestSoleTraders db.SQL = `SELECT ` + soleTraderColumns + ` FROM sole_traders WHERE merchant_id = $1
		ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3`
	oldestSoleTraders db.SQL = `SELECT ` + soleTraderColumns + ` FROM sole_traders WHERE merchant_id = $1
		ORDER BY created_at, id LIMIT $2 OFFSET $3`
)

func scanSoleTrader(r db.Rows) (SoleTrader, error) {
	var t SoleTrader
	var created, modified int64
	a, p := &t.Trading, &t.Proprietor
	err := r.Scan(&t.ID, &t.CompanyID, &t.OwnerID, &t.UniqueID, &t.VATNumber, &a.Name, &a.Address, &a.City, &a.Postcode,
		&a.Country, &p.Name, &p.Line1, &p.Line2, &p.Line3, &p.City, &p.Postcode, &p.Country, &p.DateOfBirth,
		&created, &modified)
	t.Created, t.Modified = db.Time(created), db.Time(modified)
	return t, err
}

// insertSoleTrader tells whether the platform's identifier was still free.
func insertSoleTrader(ctx context.Context, tx *db.Tx, merchantID string, t SoleTrader) (bool, error) {
	a, p := t.Trading, t.Proprietor
	n, err := tx.Exec(ctx, addSoleTrader, merchantID, t.ID, t.CompanyID, t.OwnerID, t.UniqueID, t.VATNumber,
		a.Name, a.Address, a.City, a.Postcode, a.Country, p.Name, p.Line1, p.Line2, p.Line3, p.City, p.Postcode,
		p.Country, p.DateOfBirth, db.Micros(t.Created), db.Micros(t.Modified))
	return n == 1, err
}

// updateSoleTrader fails when another sole trader has the identifier.
func updateSoleTrader(ctx context.Context, tx *db.Tx, merchantID string, t SoleTrader) error {
	a, p := t.Trading, t.Proprietor
	_, err := tx.Exec(ctx, setSoleTrader, merchantID, t.ID, t.OwnerID, t.UniqueID, t.VATNumber,
		a.Name, a.Address, a.City, a.Postcode, a.Country, p.Name, p.Line1, p.Line2, p.Line3, p.City, p.Postcode,
		p.Country, p.DateOfBirth, db.Micros(t.Modified))
	return err
}

// ownsSoleTrader tells whether a user is the proprietor of a sole trader.
func ownsSoleTrader(ctx context.Context, tx *db.Tx, merchantID, userID string) (bool, error) {
	return exists(ctx, tx, soleTraderOfOwner, merchantID, userID)
}
