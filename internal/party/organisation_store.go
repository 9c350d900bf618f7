package party

import (
	"context"

	"tradecredit/internal/db"
)

const organisationColumns = `id, unique_id, registered, name, company_id, company_name, company_regnum,
	company_address, company_postcode, company_city, company_state, company_country, created_at, modified_at`

const (
	addOrganisation db.SQL = `INSERT INTO organisations (merchant_id, id, unique_id, registered, name, company_id,
			company_name, company_regnum, company_address, company_postcode, company_city, company_state, company_country,
			created_at, modified_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
		ON CONFLICT (merchant_id, unique_id) DO NOTHING`
	setOrganisation db.SQL = `UPDATE organisations SET unique_id = $3, registered = $4, name = $5, company_id = $6,
			company_name = $7, company_regnum = $8, company_address = $9, company_postcode = $10, company_city = $11,
			company_state = $12, company_country = $13, modified_at = $14
		WHERE merchant_id = $1 AND id = $2`
	deleteOrganisation db.SQL = `DELETE FROM organisations WHERE merchant_id = $1 AND id = $2`

	organisationExists db.SQL = `SELECT 1 FROM organisations WHERE merchant_id = $1 AND id = $2`
	organisationTaken  db.SQL = `SELECT 1 FROM organisations WHERE merchant_id = $1 AND unique_id = $2 AND id <> $3`

	selectOrganisation      db.SQL = `SELECT ` + organisationColumns + ` FROM organisations WHERE merchant_id = $1 AND id = $2`
	holdOrganisation        db.SQL = selectOrganisation + ` FOR UPDATE`
	organisationsByUniqueID db.SQL = `SELECT ` + organisationColumns + ` FROM organisations
		WHERE merchant_id = $1 AND unique_id = $2 LIMIT $3 OFFSET $4`
	holdOrganisationByUniqueID db.SQL = `SELECT ` + organisationColumns + ` FROM organisations
		WHERE merchant_id = $1 AND unique_id = $2 FOR UPDATE`

	countOrganisations           db.SQL = `SELECT count(*) FROM organisations WHERE merchant_id = $1`
	countOrganisationsByUniqueID db.SQL = `SELECT count(*) FROM organisations WHERE merchant_id = $1 AND unique_id = $2`
	newestOrganisations          db.SQL = `SELECT ` + organisationColumns + ` FROM organisations WHERE merchant_id = $1
		ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3`
	oldestOrganisations db.SQL = `SELECT ` + organisationColumns + ` FROM organisations WHERE merchant_id = $1
		ORDER BY created_at, id LIMIT $2 OFFSET $3`
)

func scanOrganisation(r db.Rows) (Organisation, error) {
	var o Organisation
	var registered, created, modified int64
	b := &o.Business
	err := r.Scan(&o.ID, &o.UniqueID, &registered, &o.Name, &o.CompanyID, &b.Name, &b.Regnum,
		&b.Address, &b.Postcode, &b.City, &b.State, &b.Country, &created, &modified)
	o.Registered, o.Created, o.Modified = db.Time(registered), db.Time(created), db.Time(modified)
	return o, err
}

// insertOrganisation tells whether the platform's identifier was still free.
func insertOrganisation(ctx context.Context, tx *db.Tx, merchantID string, o Organisation) (bool, error) {
	b := o.Business
	n, err := tx.Exec(ctx, addOrganisation, merchantID, o.ID, o.UniqueID, db.Micros(o.Registered), o.Name, o.CompanyID,
		b.Name, b.Regnum, b.Address, b.Postcode, b.City, b.State, b.Country, db.Micros(o.Created), db.Micros(o.Modified))
	return n == 1, err
}

// updateOrganisation fails when another organisation has the identifier.
func updateOrganisation(ctx context.Context, tx *db.Tx, merchantID string, o Organisation) error {
	b := o.Business
	_, err := tx.Exec(ctx, setOrganisation, merchantID, o.ID, o.UniqueID, db.Micros(o.Registered), o.Name, o.CompanyID,
		b.Name, b.Regnum, b.Address, b.Postcode, b.City, b.State, b.Country, db.Micros(o.Modified))
	return err
}

func lockOrganisation(ctx context.Context, tx *db.Tx, merchantID, organisationID string) (Organisation, error) {
	return db.One(ctx, tx, holdOrganisation, []any{merchantID, organisationID}, scanOrganisation)
}

func lockOrganisationByUniqueID(ctx context.Context, tx *db.Tx, merchantID, uniqueID string) (Organisation, error) {
	return db.One(ctx, tx, holdOrganisationByUniqueID, []any{merchantID, uniqueID}, scanOrganisation)
}
