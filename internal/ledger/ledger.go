// Package ledger keeps double-entry books: transactions of entries that sum to
// zero, append-only.
//
// An account is a name such as "buyer_receivable:org-…"; its balance is the sum
// of its entries. Debits are positive, credits negative.
package ledger

import (
	"context"
	"fmt"
	"time"

	"tradecredit/internal/db"
)

// Entry moves an amount, in minor units, to (positive) or from (negative) an
// account.
type Entry struct {
	Account string
	Amount  int64
}

// Transaction is a set of entries in one currency that sum to zero.
type Transaction struct {
	MerchantID string
	// ID is the identifier of the event that made the transaction, so that none
	// is posted twice.
	ID       string
	ObjectID string
	Currency string
	At       time.Time
	Entries  []Entry
}

const (
	insertEntries db.SQL = `INSERT INTO ledger_entries (merchant_id, transaction_id, line, account, object_id, currency, amount, created_at)
		SELECT u.m, u.t, u.l, u.a, u.o, u.c, u.v, u.w
		FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bigint[]) AS u(m, t, l, a, o, c, v, w)`
	selectUnbalanced db.SQL = `SELECT transaction_id, currency FROM ledger_entries
		WHERE merchant_id = $1 GROUP BY transaction_id, currency HAVING SUM(amount) <> 0`
	selectObject db.SQL = `SELECT account, CAST(SUM(amount) AS BIGINT) FROM ledger_entries
		WHERE merchant_id = $1 AND object_id = $2 GROUP BY account ORDER BY account`
)

// Check returns an error unless the entries sum to zero without overflow.
func (t Transaction) Check() error {
	var sum int64
	for _, e := range t.Entries {
		next := sum + e.Amount
		if (e.Amount > 0 && next < sum) || (e.Amount < 0 && next > sum) {
			return fmt.Errorf("ledger: transaction %s overflows", t.ID)
		}
		sum = next
	}
	if sum != 0 {
		return fmt.Errorf("ledger: transaction %s is off by %d", t.ID, sum)
	}
	return nil
}

// Post writes transactions with the commit of tx. Entries of zero are left out.
// It returns an error, and writes nothing, if one does not sum to zero.
func Post(tx *db.Tx, transactions ...Transaction) error {
	var merchants, ids, accounts, objects, currencies []string
	var lines, amounts, at []int64
	for _, t := range transactions {
		if err := t.Check(); err != nil {
			return err
		}
		for i, e := range t.Entries {
			if e.Amount == 0 {
				continue
			}
			merchants, ids, accounts = append(merchants, t.MerchantID), append(ids, t.ID), append(accounts, e.Account)
			objects, currencies = append(objects, t.ObjectID), append(currencies, t.Currency)
			lines, amounts, at = append(lines, int64(i)), append(amounts, e.Amount), append(at, db.Micros(t.At))
		}
	}
	tx.QueueMany(insertEntries, merchants, ids, lines, accounts, objects, currencies, amounts, at)
	return nil
}

// OfObject returns the balance of every account that the transactions of one
// object touched.
func OfObject(ctx context.Context, tx *db.Tx, merchantID, objectID string) (map[string]int64, error) {
	rows, err := db.All(ctx, tx, selectObject, []any{merchantID, objectID}, func(r db.Rows) (e Entry, err error) {
		err = r.Scan(&e.Account, &e.Amount)
		return e, err
	})
	out := make(map[string]int64, len(rows))
	for _, e := range rows {
		out[e.Account] = e.Amount
	}
	return out, err
}

// Unbalanced names the transactions of a merchant that do not sum to zero. There
// are none unless somebody wrote to the database by hand.
func Unbalanced(ctx context.Context, tx *db.Tx, merchantID string) ([]string, error) {
	return db.All(ctx, tx, selectUnbalanced, []any{merchantID}, func(r db.Rows) (string, error) {
		var t, currency string
		err := r.Scan(&t, &currency)
		return t + " (" + currency + ")", err
	})
}
