package billing

import (
	"context"
	"encoding/json"
	"time"

	"tradecredit/internal/db"
)

// Accounts.
const (
	accountColumns = `b.id, b.payment_terms, b.emails_to, b.emails_cc, b.period, b.created_at, b.modified_at, b.ended_at`

	insertAccount db.SQL = `INSERT INTO billing_accounts (merchant_id, id, payment_terms, emails_to, emails_cc, period,
		created_at, modified_at, ended_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`
	updateAccount db.SQL = `UPDATE billing_accounts SET emails_to = $3, emails_cc = $4, period = $5, modified_at = $6, ended_at = $7
		WHERE merchant_id = $1 AND id = $2`
	insertMember db.SQL = `INSERT INTO billing_account_organisations (merchant_id, billing_account_id, position, organisation_id, active)
		VALUES ($1, $2, $3, $4, TRUE)`
	// What is left to an account that was deactivated goes to the one that takes
	// its place.
	releaseMember db.SQL = `UPDATE billing_account_organisations SET active = FALSE
		WHERE merchant_id = $1 AND organisation_id = $2 AND active = TRUE`
	endMembers db.SQL = `UPDATE billing_account_organisations SET active = FALSE WHERE merchant_id = $1 AND billing_account_id = $2`

	selectAccount db.SQL = `SELECT ` + accountColumns + ` FROM billing_accounts b WHERE b.merchant_id = $1 AND b.id = $2`
	holdAccount   db.SQL = selectAccount + ` FOR UPDATE`
	// The account whose statements an organisation's business goes onto, and only
	// as long as it is not deactivated.
	activeAccountOf db.SQL = `SELECT ` + accountColumns + ` FROM billing_account_organisations o
		JOIN billing_accounts b ON b.merchant_id = o.merchant_id AND b.id = o.billing_account_id
		WHERE o.merchant_id = $1 AND o.organisation_id = $2 AND o.active = TRUE AND b.ended_at = $3`
	holdAccountOf db.SQL = `SELECT ` + accountColumns + ` FROM billing_account_organisations o
		JOIN billing_accounts b ON b.merchant_id = o.merchant_id AND b.id = o.billing_account_id
		WHERE o.merchant_id = $1 AND o.organisation_id = $2 AND o.active = TRUE FOR UPDATE OF b`
	followed db.SQL = `SELECT o.billing_account_id FROM billing_account_organisations o
		WHERE o.merchant_id = $1 AND o.organisation_id = $2 AND o.active = TRUE`
	hasAccount db.SQL = `SELECT count(*) FROM billing_account_organisations WHERE merchant_id = $1 AND organisation_id = $2`

	accountsOfOrganisation db.SQL = `SELECT ` + accountColumns + ` FROM billing_account_organisations o
		JOIN billing_accounts b ON b.merchant_id = o.merchant_id AND b.id = o.billing_account_id
		WHERE o.merchant_id = $1 AND o.organisation_id = $2`
	accountsOfCompany db.SQL = `SELECT DISTINCT ` + accountColumns + ` FROM organisations g
		JOIN billing_account_organisations o ON o.merchant_id = g.merchant_id AND o.organisation_id = g.id
		JOIN billing_accounts b ON b.merchant_id = o.merchant_id AND b.id = o.billing_account_id
		WHERE g.merchant_id = $1 AND g.company_id = $2`
	selectMembers db.SQL = `SELECT o.billing_account_id, o.organisation_id
		FROM unnest($1::text[], $2::text[]) AS u(m, i)
		JOIN billing_account_organisations o ON o.merchant_id = u.m AND o.billing_account_id = u.i
		ORDER BY o.billing_account_id, o.position`

	// $2 is "true", "false" or "" for both, $3 payment terms or "", $4 the end of an
	// account that is active.
	accountFilter = ` WHERE b.merchant_id = $1 AND ($2 = '' OR (b.ended_at = $4) = ($2 = 'true')) AND ($3 = '' OR b.payment_terms = $3)`

	countAccounts    db.SQL = `SELECT count(*) FROM billing_accounts b` + accountFilter
	accountsNewest   db.SQL = `SELECT ` + accountColumns + ` FROM billing_accounts b` + accountFilter + ` ORDER BY b.created_at DESC, b.id DESC LIMIT $5 OFFSET $6`
	accountsOldest   db.SQL = `SELECT ` + accountColumns + ` FROM billing_accounts b` + accountFilter + ` ORDER BY b.created_at, b.id LIMIT $5 OFFSET $6`
	accountsChanged  db.SQL = `SELECT ` + accountColumns + ` FROM billing_accounts b` + accountFilter + ` ORDER BY b.modified_at DESC, b.id DESC LIMIT $5 OFFSET $6`
	accountsSettled  db.SQL = `SELECT ` + accountColumns + ` FROM billing_accounts b` + accountFilter + ` ORDER BY b.modified_at, b.id LIMIT $5 OFFSET $6`
	accountsEnded    db.SQL = `SELECT ` + accountColumns + ` FROM billing_accounts b` + accountFilter + ` ORDER BY b.ended_at DESC, b.id DESC LIMIT $5 OFFSET $6`
	accountsEndFirst db.SQL = `SELECT ` + accountColumns + ` FROM billing_accounts b` + accountFilter + ` ORDER BY b.ended_at, b.id LIMIT $5 OFFSET $6`
	accountsAfter    db.SQL = `SELECT ` + accountColumns + ` FROM billing_accounts b WHERE b.merchant_id = $1 AND b.id > $2 ORDER BY b.id LIMIT $3`
)

func scanAccount(merchantID string) func(db.Rows) (Account, error) {
	return func(r db.Rows) (Account, error) {
		a := Account{MerchantID: merchantID}
		var to, cc string
		var created, modified, ended int64
		if err := r.Scan(&a.ID, &a.Terms, &to, &cc, &a.Period, &created, &modified, &ended); err != nil {
			return a, err
		}
		a.Created, a.Modified = db.Time(created), db.Time(modified)
		if ended != forever {
			at := db.Time(ended)
			a.Deactivated = &at
		}
		if err := json.Unmarshal([]byte(to), &a.Emails.To); err != nil {
			return a, err
		}
		return a, json.Unmarshal([]byte(cc), &a.Emails.Cc)
	}
}

// members fills in the organisations of accounts of one merchant.
func members(ctx context.Context, tx *db.Tx, accounts []Account) error {
	if len(accounts) == 0 {
		return nil
	}
	ids, at := make([]string, len(accounts)), map[string]int{}
	for i, a := range accounts {
		ids[i], at[a.ID] = a.ID, i
	}
	merchants, distinct := db.Distinct(accounts[0].MerchantID, ids)
	for _, args := range tx.Split(merchants, distinct) {
		found, err := db.All(ctx, tx, selectMembers, args, func(r db.Rows) (m [2]string, err error) {
			err = r.Scan(&m[0], &m[1])
			return m, err
		})
		if err != nil {
			return err
		}
		for _, m := range found {
			a := &accounts[at[m[0]]]
			a.Organisations = append(a.Organisations, m[1])
		}
	}
	return nil
}

// oneAccount reads the account that a statement finds, with its organisations.
func oneAccount(ctx context.Context, tx *db.Tx, q db.SQL, merchantID string, args ...any) (Account, error) {
	a, err := db.One(ctx, tx, q, append([]any{merchantID}, args...), scanAccount(merchantID))
	if err != nil {
		return a, err
	}
	one := []Account{a}
	err = members(ctx, tx, one)
	return one[0], err
}

func manyAccounts(ctx context.Context, tx *db.Tx, q db.SQL, merchantID string, args ...any) ([]Account, error) {
	found, err := db.All(ctx, tx, q, append([]any{merchantID}, args...), scanAccount(merchantID))
	if err != nil {
		return nil, err
	}
	return found, members(ctx, tx, found)
}

func insertAccountRows(tx *db.Tx, a Account) error {
	to, cc, err := encodeEmails(a.Emails)
	if err != nil {
		return err
	}
	tx.Queue(insertAccount, a.MerchantID, a.ID, a.Terms, to, cc, a.Period, db.Micros(a.Created), db.Micros(a.Modified), int64(forever))
	for i, o := range a.Organisations {
		tx.Queue(releaseMember, a.MerchantID, o)
		tx.Queue(insertMember, a.MerchantID, a.ID, int64(i), o)
	}
	return nil
}

func saveAccount(tx *db.Tx, a Account) error {
	to, cc, err := encodeEmails(a.Emails)
	if err != nil {
		return err
	}
	ended := int64(forever)
	if a.Deactivated != nil {
		ended = db.Micros(*a.Deactivated)
	}
	tx.Queue(updateAccount, a.MerchantID, a.ID, to, cc, a.Period, db.Micros(a.Modified), ended)
	return nil
}

func encodeEmails(e Emails) (to, cc string, err error) {
	first, err := db.JSON(e.To)
	if err != nil {
		return "", "", err
	}
	second, err := db.JSON(e.Cc)
	return string(first), string(second), err
}

// nullTime is a time as it is stored where it may be absent.
func nullTime(t *time.Time) any {
	if t == nil {
		return nil
	}
	return db.Micros(*t)
}
