package ledger

import (
	"context"

	"tradecredit/internal/db"
)

const selectAccount db.SQL = `SELECT currency, CAST(SUM(amount) AS BIGINT) FROM ledger_entries
	WHERE merchant_id = $1 AND account = $2 GROUP BY currency`

// OfAccount returns the balance of an account of a merchant, by currency. It adds
// up all entries of the merchant: it is for checks, not for requests.
func OfAccount(ctx context.Context, tx *db.Tx, merchantID, account string) (map[string]int64, error) {
	rows, err := db.All(ctx, tx, selectAccount, []any{merchantID, account}, func(r db.Rows) (e Entry, err error) {
		err = r.Scan(&e.Account, &e.Amount)
		return e, err
	})
	out := make(map[string]int64, len(rows))
	for _, e := range rows {
		out[e.Account] = e.Amount
	}
	return out, err
}
