package party

import (
	"context"

	"tradecredit/internal/db"
	"tradecredit/internal/page"
)

const userColumns = `id, email, unique_id, name, phone, registered, country, company_id,
	company_name, company_regnum, company_address, company_country, created_at, modified_at`

const (
	addUser db.SQL = `INSERT INTO users (merchant_id, id, email, email_key, unique_id, name, phone, registered,
			country, company_id, company_name, company_regnum, company_address, company_country, created_at, modified_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
		ON CONFLICT (merchant_id, email_key) DO NOTHING`
	setUser db.SQL = `UPDATE users SET unique_id = $3, name = $4, phone = $5, registered = $6, country = $7,
			company_id = $8, company_name = $9, company_regnum = $10, company_address = $11, company_country = $12,
			modified_at = $13
		WHERE merchant_id = $1 AND id = $2`
	deleteUser db.SQL = `DELETE FROM users WHERE merchant_id = $1 AND id = $2`

	userExists        db.SQL = `SELECT 1 FROM users WHERE merchant_id = $1 AND id = $2`
	selectUser        db.SQL = `SELECT ` + userColumns + ` FROM users WHERE merchant_id = $1 AND id = $2`
	selectUserByEmail db.SQL = `SELECT ` + userColumns + ` FROM users WHERE merchant_id = $1 AND email_key = $2`
	holdUser          db.SQL = selectUser + ` FOR UPDATE`
	holdUserByEmail   db.SQL = selectUserByEmail + ` FOR UPDATE`

	countUsers  db.SQL = `SELECT count(*) FROM users WHERE merchant_id = $1`
	newestUsers db.SQL = `SELECT ` + userColumns + ` FROM users WHERE merchant_id = $1
		ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3`
	oldestUsers db.SQL = `SELECT ` + userColumns + ` FROM users WHERE merchant_id = $1
		ORDER BY created_at, id LIMIT $2 OFFSET $3`
	countUsersByUniqueID  db.SQL = `SELECT count(*) FROM users WHERE merchant_id = $1 AND unique_id = $2`
	newestUsersByUniqueID db.SQL = `SELECT ` + userColumns + ` FROM users WHERE merchant_id = $1 AND unique_id = $2
		ORDER BY created_at DESC, id DESC LIMIT $3 OFFSET $4`
	oldestUsersByUniqueID db.SQL = `SELECT ` + userColumns + ` FROM users WHERE merchant_id = $1 AND unique_id = $2
		ORDER BY created_at, id LIMIT $3 OFFSET $4`
)

func scanUser(r db.Rows) (User, error) {
	var u User
	var registered, created, modified int64
	err := r.Scan(&u.ID, &u.Email, &u.UniqueID, &u.Name, &u.Phone, &registered, &u.Country, &u.CompanyID,
		&u.Business.Name, &u.Business.Regnum, &u.Business.Address, &u.Business.Country, &created, &modified)
	u.Registered, u.Created, u.Modified = db.Time(registered), db.Time(created), db.Time(modified)
	return u, err
}

// insertUser tells whether the address was still free.
func insertUser(ctx context.Context, tx *db.Tx, merchantID string, u User) (bool, error) {
	n, err := tx.Exec(ctx, addUser, merchantID, u.ID, u.Email, emailKey(u.Email), u.UniqueID, u.Name, u.Phone,
		db.Micros(u.Registered), u.Country, u.CompanyID, u.Business.Name, u.Business.Regnum, u.Business.Address,
		u.Business.Country, db.Micros(u.Created), db.Micros(u.Modified))
	return n == 1, err
}

func updateUser(tx *db.Tx, merchantID string, u User) {
	tx.Queue(setUser, merchantID, u.ID, u.UniqueID, u.Name, u.Phone, db.Micros(u.Registered), u.Country,
		u.CompanyID, u.Business.Name, u.Business.Regnum, u.Business.Address, u.Business.Country, db.Micros(u.Modified))
}

func lockUser(ctx context.Context, tx *db.Tx, merchantID, userID string) (User, error) {
	return db.One(ctx, tx, holdUser, []any{merchantID, userID}, scanUser)
}

func lockUserByEmail(ctx context.Context, tx *db.Tx, merchantID, key string) (User, error) {
	return db.One(ctx, tx, holdUserByEmail, []any{merchantID, key}, scanUser)
}

// exists tells whether a statement finds anything.
func exists(ctx context.Context, tx *db.Tx, q db.SQL, args ...any) (bool, error) {
	rows, err := tx.Query(ctx, q, args...)
	if err != nil {
		return false, err
	}
	defer rows.Close()
	found := rows.Next()
	return found, rows.Err()
}

// list returns one page and the number of all. The statements take args; the
// two that list take the limit and the offset behind them.
func list[T any](ctx context.Context, tx *db.Tx, p page.Page, count, newest, oldest db.SQL,
	scan func(db.Rows) (T, error), args ...any) ([]T, int64, error) {
	var n int64
	if err := tx.Get(ctx, count, args, &n); err != nil {
		return nil, 0, err
	}
	if int64(p.Offset) >= n {
		return nil, n, nil
	}
	q := newest
	if p.Oldest {
		q = oldest
	}
	all, err := db.All(ctx, tx, q, append(append([]any(nil), args...), p.Limit, p.Offset), scan)
	return all, n, err
}
