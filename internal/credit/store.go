package credit

import (
	"context"
	"sort"
	"time"

	"tradecredit/internal/db"
)

const (
	selectUses db.SQL = `SELECT merchant_id, currency, in_use FROM credit_exposures
		WHERE company_id = $1 AND merchant_id IN ('', $2)`
	ensureCompany db.SQL = `INSERT INTO credit_companies (company_id) VALUES ($1) ON CONFLICT (company_id) DO NOTHING`
	lockCompany   db.SQL = `SELECT company_id FROM credit_companies WHERE company_id = $1 FOR UPDATE`
	addInUse      db.SQL = `UPDATE credit_exposures SET in_use = in_use + u.v
		FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[]) AS u(c, m, k, v)
		WHERE credit_exposures.company_id = u.c AND credit_exposures.merchant_id = u.m AND credit_exposures.currency = u.k`
	ensureRows db.SQL = `INSERT INTO credit_exposures (company_id, merchant_id, currency, in_use)
		SELECT u.c, u.m, u.k, 0 FROM unnest($1::text[], $2::text[], $3::text[]) AS u(c, m, k) WHERE TRUE
		ON CONFLICT (company_id, merchant_id, currency) DO NOTHING`
	selectAll db.SQL = `SELECT company_id, merchant_id, currency, in_use FROM credit_exposures
		WHERE (company_id, merchant_id, currency) > ($1, $2, $3) ORDER BY company_id, merchant_id, currency LIMIT $4`

	selectMerchantLimits db.SQL = `SELECT company_id, currency, amount, active FROM merchant_limits
		WHERE merchant_id = $1 AND company_id IN ('', $2)`
	selectMerchantLimit db.SQL = `SELECT company_id, currency, amount, active FROM merchant_limits
		WHERE merchant_id = $1 AND company_id = $2`
	upsertMerchantLimit db.SQL = `INSERT INTO merchant_limits (merchant_id, company_id, currency, amount, active)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT (merchant_id, company_id)
		DO UPDATE SET currency = excluded.currency, amount = excluded.amount, active = excluded.active`
	deleteMerchantLimit db.SQL = `DELETE FROM merchant_limits WHERE merchant_id = $1 AND company_id = $2`

	selectPeriods db.SQL = `SELECT valid_from, valid_to, amount FROM credit_limits
		WHERE merchant_id = $1 AND company_id = $2 AND currency = $3 ORDER BY valid_from DESC LIMIT $4`
	endPeriod db.SQL = `UPDATE credit_limits SET valid_to = $5
		WHERE merchant_id = $1 AND company_id = $2 AND currency = $3 AND valid_from = $4`
	dropPeriod db.SQL = `DELETE FROM credit_limits
		WHERE merchant_id = $1 AND company_id = $2 AND currency = $3 AND valid_from = $4`
	addPeriod db.SQL = `INSERT INTO credit_limits (merchant_id, company_id, currency, valid_from, amount)
		VALUES ($1, $2, $3, $4, $5)`
)

// lock holds a company until tx ends, with what is queued before the next read.
func lock(tx *db.Tx, companyID string) {
	tx.Queue(ensureCompany, companyID)
	tx.QueueQuery(lockCompany, func(db.Rows) error { return nil }, companyID)
}

// queueUses reads what a company has in use of the lender's limit and of that of a
// merchant, with what is queued.
func queueUses(tx *db.Tx, companyID, merchantID string) *Uses {
	u := &Uses{Lender: map[string]int64{}, Merchant: map[string]int64{}}
	tx.QueueQuery(selectUses, func(rows db.Rows) error {
		for rows.Next() {
			var holder, currency string
			var inUse int64
			if err := rows.Scan(&holder, &currency, &inUse); err != nil {
				return err
			}
			if holder == "" {
				u.Lender[currency] = inUse
			} else {
				u.Merchant[currency] = inUse
			}
		}
		return nil
	}, companyID, merchantID)
	return u
}

// queueLimits reads the limits that a merchant has set for a company and by
// default, with what is queued.
func queueLimits(tx *db.Tx, merchantID, companyID string) *[]MerchantLimit {
	out := &[]MerchantLimit{}
	tx.QueueQuery(selectMerchantLimits, func(rows db.Rows) error {
		for rows.Next() {
			l, err := scanLimit(rows)
			if err != nil {
				return err
			}
			*out = append(*out, l)
		}
		return nil
	}, merchantID, companyID)
	return out
}

func scanLimit(rows db.Rows) (l MerchantLimit, err error) {
	err = rows.Scan(&l.CompanyID, &l.Currency, &l.Amount, &l.Active)
	return l, err
}

// Move adds amounts to, or takes them from, what companies have in use, with the
// commit of tx. The rows are changed in the order of their keys.
func Move(tx *db.Tx, amounts map[Key]int64) {
	keys := make([]Key, 0, len(amounts))
	for k, v := range amounts {
		if v != 0 {
			keys = append(keys, k)
		}
	}
	sort.Slice(keys, func(i, j int) bool {
		return keys[i].before(keys[j])
	})
	companies, merchants := make([]string, len(keys)), make([]string, len(keys))
	currencies, values := make([]string, len(keys)), make([]int64, len(keys))
	for i, k := range keys {
		companies[i], merchants[i], currencies[i], values[i] = k.CompanyID, k.MerchantID, k.Currency, amounts[k]
	}
	// An overcapture is the first to use a merchant's limit that nothing was reserved of.
	tx.QueueMany(ensureRows, companies, merchants, currencies)
	tx.QueueMany(addInUse, companies, merchants, currencies, values)
}

// List calls f for every exposure.
func List(ctx context.Context, tx *db.Tx, f func(Key, int64)) error {
	type row struct {
		Key
		inUse int64
	}
	var last Key
	for {
		rows, err := db.All(ctx, tx, selectAll, []any{last.CompanyID, last.MerchantID, last.Currency, 1000}, func(r db.Rows) (x row, err error) {
			err = r.Scan(&x.CompanyID, &x.MerchantID, &x.Currency, &x.inUse)
			return x, err
		})
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, x := range rows {
			f(x.Key, x.inUse)
			last = x.Key
		}
	}
}

// GetMerchantLimit returns the limit that a merchant has set for a company, or its
// default with companyID "", or db.ErrNoRows.
func GetMerchantLimit(ctx context.Context, tx *db.Tx, merchantID, companyID string) (MerchantLimit, error) {
	return db.One(ctx, tx, selectMerchantLimit, []any{merchantID, companyID}, scanLimit)
}

// SetMerchantLimit keeps a limit, in place of the one that was kept before.
func SetMerchantLimit(tx *db.Tx, merchantID string, l MerchantLimit) {
	tx.Queue(upsertMerchantLimit, merchantID, l.CompanyID, l.Currency, l.Amount, l.Active)
}

// DeleteMerchantLimit forgets a limit and returns it as it was, or db.ErrNoRows.
func DeleteMerchantLimit(ctx context.Context, tx *db.Tx, merchantID, companyID string) (MerchantLimit, error) {
	l, err := GetMerchantLimit(ctx, tx, merchantID, companyID)
	if err == nil {
		tx.Queue(deleteMerchantLimit, merchantID, companyID)
	}
	return l, err
}

// maxHistory bounds the history that is shown.
const maxHistory = 100

// History returns the limits that a company has had in a currency, as a merchant
// has seen them, newest first.
func History(ctx context.Context, tx *db.Tx, merchantID, companyID, currency string) ([]Period, error) {
	return periods(ctx, tx, merchantID, companyID, currency, maxHistory)
}

func periods(ctx context.Context, tx *db.Tx, merchantID, companyID, currency string, most int) ([]Period, error) {
	return db.All(ctx, tx, selectPeriods, []any{merchantID, companyID, currency, most}, func(rows db.Rows) (Period, error) {
		p := Period{Currency: currency}
		var from int64
		var to *int64
		err := rows.Scan(&from, &to, &p.Amount)
		p.From = db.Time(from)
		if to != nil {
			t := db.Time(*to)
			p.To = &t
		}
		return p, err
	})
}

// note keeps a limit in the history when it is another than the last one; nil is
// no limit at all. What is replaced at the moment at which it began was never
// seen, and is dropped.
func note(ctx context.Context, tx *db.Tx, merchantID, companyID, currency string, amount *int64, now time.Time) error {
	key := []any{merchantID, companyID, currency}
	same := func() (last *Period, same bool, err error) {
		found, err := periods(ctx, tx, merchantID, companyID, currency, 1)
		if err != nil || len(found) == 0 || found[0].To != nil {
			return nil, amount == nil, err
		}
		return &found[0], amount != nil && *amount == found[0].Amount, nil
	}
	if _, ok, err := same(); err != nil || ok {
		return err
	}
	// Another request may be about to note the same.
	lock(tx, companyID)
	last, ok, err := same()
	if err != nil || ok {
		return err
	}
	if last != nil && now.After(last.From) {
		tx.Queue(endPeriod, append(key, db.Micros(last.From), db.Micros(now))...)
	} else if last != nil {
		now = last.From
		tx.Queue(dropPeriod, append(key, db.Micros(last.From))...)
	}
	if amount != nil {
		tx.Queue(addPeriod, append(key, db.Micros(now), *amount)...)
	}
	return nil
}
