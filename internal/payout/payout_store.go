package payout

import (
	"context"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/page"
)

const (
	insertPayout db.SQL = `INSERT INTO payouts (merchant_id, id, reference, currency, run_day, state, structure, items, items_amount,
			fees, adjustments_amount, min_fixed, min_relative, min_actual, withheld, amount, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`
	payoutColumns = `p.merchant_id, p.id, p.reference, p.currency, p.run_day, p.state, p.structure, p.items, p.items_amount,
		p.fees, p.adjustments_amount, p.min_fixed, p.min_relative, p.min_actual, p.withheld, p.amount, p.file_id, p.reason, p.created_at`
	selectPayout  db.SQL = `SELECT ` + payoutColumns + ` FROM payouts p WHERE p.merchant_id = $1 AND p.id = $2`
	lockPayout    db.SQL = `SELECT ` + payoutColumns + ` FROM payouts p WHERE p.merchant_id = $1 AND p.id = $2 FOR UPDATE`
	byReference   db.SQL = `SELECT ` + payoutColumns + ` FROM payouts p WHERE p.reference = $1`
	newestPayouts db.SQL = `SELECT ` + payoutColumns + ` FROM payouts p
		WHERE p.merchant_id = $1 AND p.run_day BETWEEN $2 AND $3 AND ($4 = '' OR p.reference = $4) AND p.state IN ('sent', 'paid')
		ORDER BY p.run_day DESC, p.id DESC LIMIT $5 OFFSET $6`
	oldestPayouts db.SQL = `SELECT ` + payoutColumns + ` FROM payouts p
		WHERE p.merchant_id = $1 AND p.run_day BETWEEN $2 AND $3 AND ($4 = '' OR p.reference = $4) AND p.state IN ('sent', 'paid')
		ORDER BY p.run_day, p.id LIMIT $5 OFFSET $6`
	countPayouts db.SQL = `SELECT count(*) FROM payouts
		WHERE merchant_id = $1 AND run_day BETWEEN $2 AND $3 AND ($4 = '' OR reference = $4) AND state IN ('sent', 'paid')`
	payoutsAfter db.SQL = `SELECT ` + payoutColumns + ` FROM payouts p
		WHERE p.merchant_id = $1 AND p.id > $2 ORDER BY p.id LIMIT $3`
	payoutsOfDays db.SQL = `SELECT ` + payoutColumns + ` FROM payouts p
		WHERE p.run_day BETWEEN $1 AND $2 ORDER BY p.run_day, p.currency, p.merchant_id, p.id LIMIT $3 OFFSET $4`
	readyPayouts db.SQL = `SELECT ` + payoutColumns + ` FROM payouts p
		WHERE p.run_day = $1 AND p.currency = $2 AND p.state = 'ready' ORDER BY p.merchant_id, p.id FOR UPDATE`
	waitingPayouts db.SQL = `SELECT ` + payoutColumns + ` FROM payouts p
		WHERE p.state = 'ready' ORDER BY p.merchant_id, p.id LIMIT $1`
	payoutsOfFile db.SQL = `SELECT ` + payoutColumns + ` FROM payouts p
		WHERE p.run_day = $1 AND p.currency = $2 AND p.file_id = $3 ORDER BY p.merchant_id, p.id`
	runToday db.SQL = `SELECT EXISTS (SELECT 1 FROM payouts
		WHERE merchant_id = $1 AND currency = $2 AND run_day = $3 AND state <> 'returned')`
	setState db.SQL = `UPDATE payouts SET state = $3, file_id = $4, reason = $5 WHERE merchant_id = $1 AND id = $2`
	taken    db.SQL = `SELECT count(*) FROM payouts WHERE reference = $1`

	upsertAccount db.SQL = `INSERT INTO payout_accounts (merchant_id, currency, holder, country, iban, bic, sort_code, account_number)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (merchant_id, currency) DO UPDATE SET holder = excluded.holder,
		country = excluded.country, iban = excluded.iban, bic = excluded.bic, sort_code = excluded.sort_code,
		account_number = excluded.account_number`
	selectAccount db.SQL = `SELECT currency, holder, country, iban, bic, sort_code, account_number FROM payout_accounts
		WHERE merchant_id = $1 AND currency = $2`
	upsertLender db.SQL = `INSERT INTO lender_accounts (currency, holder, country, iban, bic, sort_code, account_number)
		VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (currency) DO UPDATE SET holder = excluded.holder,
		country = excluded.country, iban = excluded.iban, bic = excluded.bic, sort_code = excluded.sort_code,
		account_number = excluded.account_number`
	selectLender db.SQL = `SELECT currency, holder, country, iban, bic, sort_code, account_number FROM lender_accounts
		WHERE currency = $1`

	insertFile db.SQL = `INSERT INTO payout_files (id, run_day, currency, n, payouts, total, content, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`
	selectFiles db.SQL = `SELECT id, run_day, currency, n, payouts, total, content, created_at FROM payout_files
		WHERE run_day = $1 AND currency = $2 ORDER BY n`
)

func scanPayout(r db.Rows) (Payout, error) {
	var p Payout
	var day, created int64
	err := r.Scan(&p.MerchantID, &p.ID, &p.Reference, &p.Currency, &day, &p.State, &p.Structure, &p.Count, &p.ItemsAmount,
		&p.Fees, &p.AdjustmentsAmount, &p.Minimum.Fixed, &p.Minimum.Relative, &p.Minimum.Actual, &p.Withheld, &p.Amount,
		&p.FileID, &p.Reason, &created)
	p.Date, p.Created = dateOf(day), db.Time(created)
	return p, err
}

func insert(tx *db.Tx, p Payout) {
	tx.Queue(insertPayout, p.MerchantID, p.ID, p.Reference, p.Currency, dayOf(p.Date), string(p.State), p.Structure, p.Count, p.ItemsAmount,
		p.Fees, p.AdjustmentsAmount, p.Minimum.Fixed, p.Minimum.Relative, p.Minimum.Actual, p.Withheld, p.Amount, db.Micros(p.Created))
}

func saveState(tx *db.Tx, p Payout) {
	tx.Queue(setState, p.MerchantID, p.ID, string(p.State), p.FileID, p.Reason)
}

// Get returns a payout in whatever state, or db.ErrNoRows.
func Get(ctx context.Context, tx *db.Tx, merchantID, payoutID string) (Payout, error) {
	return db.One(ctx, tx, selectPayout, []any{merchantID, payoutID}, scanPayout)
}

// Find returns the payout with a reference, whosever it is, or db.ErrNoRows.
func Find(ctx context.Context, tx *db.Tx, reference string) (Payout, error) {
	return db.One(ctx, tx, byReference, []any{reference}, scanPayout)
}

// Shown tells whether merchants see the payout.
func (p Payout) Shown() bool { return p.State == Sent || p.State == Paid }

// List returns a page of the payouts that were made to a merchant, newest first,
// and how many there are in all. reference narrows it to one, "" does not.
func List(ctx context.Context, tx *db.Tx, merchantID string, r Range, reference string, p page.Page) ([]Payout, int64, error) {
	from, to := r.days()
	args := []any{merchantID, from, to, reference}
	var n int64
	if err := tx.Get(ctx, countPayouts, args, &n); err != nil {
		return nil, 0, err
	}
	q := newestPayouts
	if p.Oldest {
		q = oldestPayouts
	}
	found, err := db.All(ctx, tx, q, append(args, p.Limit, p.Offset), scanPayout)
	return found, n, err
}

// ListDays returns payouts of all merchants in every state, by date, currency and
// merchant.
func ListDays(ctx context.Context, tx *db.Tx, r Range, limit, offset int) ([]Payout, error) {
	from, to := r.days()
	return db.All(ctx, tx, payoutsOfDays, []any{from, to, limit, offset}, scanPayout)
}

// Waiting returns payouts that are not sent yet, of all merchants.
func Waiting(ctx context.Context, tx *db.Tx, limit int) ([]Payout, error) {
	return db.All(ctx, tx, waitingPayouts, []any{limit}, scanPayout)
}

// Parts are what payouts consist of, by their identifiers.
type Parts struct {
	Items       map[string][]Item
	Adjustments map[string][]Adjustment
}

// PartsOf reads the items and adjustments of payouts of one merchant.
func PartsOf(ctx context.Context, tx *db.Tx, payouts []Payout) (Parts, error) {
	out := Parts{Items: map[string][]Item{}, Adjustments: map[string][]Adjustment{}}
	merchants, ids, days := make([]string, len(payouts)), make([]string, len(payouts)), make([]int64, len(payouts))
	for i, p := range payouts {
		merchants[i], ids[i], days[i] = p.MerchantID, p.ID, dayOf(p.Date)
	}
	items := func(r db.Rows) error {
		for r.Next() {
			i, err := scanItem(r)
			if err != nil {
				return err
			}
			out.Items[i.PayoutID] = append(out.Items[i.PayoutID], i)
		}
		return nil
	}
	adjustments := func(r db.Rows) error {
		for r.Next() {
			a, err := scanAdjustment(r)
			if err != nil {
				return err
			}
			out.Adjustments[a.PayoutID] = append(out.Adjustments[a.PayoutID], a)
		}
		return nil
	}
	for _, args := range tx.Split(merchants, days, ids) {
		tx.QueueQuery(itemsOfPayouts, items, args...)
	}
	for _, args := range tx.Split(merchants, ids) {
		tx.QueueQuery(adjustmentsOfPayouts, adjustments, args...)
	}
	return out, tx.Flush(ctx)
}

func scanAccount(r db.Rows) (a Account, err error) {
	err = r.Scan(&a.Currency, &a.Name, &a.Country, &a.IBAN, &a.BIC, &a.SortCode, &a.AccountNumber)
	return a, err
}

// AccountOf returns where a merchant is paid in a currency, or db.ErrNoRows.
func AccountOf(ctx context.Context, tx *db.Tx, merchantID, currency string) (Account, error) {
	return db.One(ctx, tx, selectAccount, []any{merchantID, currency}, scanAccount)
}

// LenderAccount returns from where the lender pays in a currency, or db.ErrNoRows.
func LenderAccount(ctx context.Context, tx *db.Tx, currency string) (Account, error) {
	return db.One(ctx, tx, selectLender, []any{currency}, scanAccount)
}

func saveAccount(tx *db.Tx, merchantID string, a Account) {
	tx.Queue(upsertAccount, merchantID, a.Currency, a.Name, a.Country, a.IBAN, a.BIC, a.SortCode, a.AccountNumber)
}

func saveLender(tx *db.Tx, a Account) {
	tx.Queue(upsertLender, a.Currency, a.Name, a.Country, a.IBAN, a.BIC, a.SortCode, a.AccountNumber)
}

// Files returns the files that were made for a date and currency, oldest first.
func Files(ctx context.Context, tx *db.Tx, date time.Time, currency string) ([]File, error) {
	return db.All(ctx, tx, selectFiles, []any{dayOf(date), currency}, func(r db.Rows) (f File, err error) {
		var day, created int64
		err = r.Scan(&f.ID, &day, &f.Currency, &f.N, &f.Payouts, &f.Total, &f.Content, &created)
		f.Date, f.Created = dateOf(day), db.Time(created)
		return f, err
	})
}

func saveFile(tx *db.Tx, f File) {
	tx.Queue(insertFile, f.ID, dayOf(f.Date), f.Currency, f.N, f.Payouts, f.Total, f.Content, db.Micros(f.Created))
}
