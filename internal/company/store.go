package company

import (
	"context"
	"errors"

	"tradecredit/internal/db"
)

// Every statement of the search begins at the few live segments and asks the
// index of each. CROSS JOIN keeps SQLite to that order, and the subqueries keep
// PostgreSQL to it, whatever it knows of the tables.
const (
	selectByNumber db.SQL = `SELECT s.precedence, c.n, c.id, c.name, c.data
		FROM company_segments s CROSS JOIN companies c
		WHERE s.state = 'live' AND s.country IN ($1, '')
			AND c.segment = s.id AND c.country = $1 AND c.number_key = $2 LIMIT 32`
	selectByKey db.SQL = `SELECT s.precedence, c.n, c.id, c.name, c.data
		FROM company_segments s CROSS JOIN companies c
		WHERE s.state = 'live' AND s.country IN ($1, '')
			AND c.segment = s.id AND c.country = $1 AND c.name_key = $2 LIMIT 64`
	selectByPrefix db.SQL = `SELECT s.precedence, c.n, c.id, c.name, c.data
		FROM company_segments s CROSS JOIN companies c
		WHERE s.state = 'live' AND s.country IN ($1, '')
			AND c.segment = s.id AND c.country = $1 AND c.name_key > $2 AND c.name_key < $3 LIMIT 64`
	selectCounts db.SQL = `SELECT u.word, COALESCE((SELECT w.companies FROM company_words w
			WHERE w.segment = s.id AND w.country = $1 AND w.word = u.word), 0)
		FROM unnest($2::text[]) AS u(word) CROSS JOIN company_segments s
		WHERE s.state = 'live' AND s.country IN ($1, '')`
	selectPlaces db.SQL = `SELECT s.id, s.precedence, w.places
		FROM company_segments s CROSS JOIN company_words w
		WHERE s.state = 'live' AND s.country IN ($1, '')
			AND w.segment = s.id AND w.country = $1 AND w.word = $2 ORDER BY s.id`
	selectByPlace db.SQL = `SELECT 0::bigint, c.n, c.id, c.name, c.data
		FROM unnest($1::bigint[]) AS u(n) CROSS JOIN companies c WHERE c.n = u.n`
	selectVocabulary db.SQL = `SELECT word FROM company_vocabulary WHERE country = $1 AND length = $2 AND word >= $5 AND word < $6
		UNION ALL SELECT word FROM company_vocabulary WHERE country = $1 AND length = $3 AND word >= $5 AND word < $6
		UNION ALL SELECT word FROM company_vocabulary WHERE country = $1 AND length = $4 AND word >= $5 AND word < $6
		UNION ALL SELECT word FROM company_vocabulary WHERE country = $1 AND length = $2 AND word >= $7 AND word < $8
		UNION ALL SELECT word FROM company_vocabulary WHERE country = $1 AND length = $3 AND word >= $7 AND word < $8
		UNION ALL SELECT word FROM company_vocabulary WHERE country = $1 AND length = $4 AND word >= $7 AND word < $8
		LIMIT 12000`

	selectLive db.SQL = `SELECT c.id, c.country, c.name, c.data, s.precedence
		FROM unnest($1::text[]) AS u(id) CROSS JOIN company_segments s CROSS JOIN companies c
		WHERE s.state = 'live'
			AND c.n = (SELECT x.n FROM companies x WHERE x.segment = s.id AND x.id = u.id ORDER BY x.n LIMIT 1)`
	selectKept db.SQL = `SELECT k.id, k.country, k.name, k.data, 0::bigint
		FROM unnest($1::text[]) AS u(id) CROSS JOIN company_kept k WHERE k.id = u.id`
	insertKept db.SQL = `INSERT INTO company_kept (id, country, name, data) VALUES ($1, $2, $3, $4)
		ON CONFLICT (id) DO UPDATE SET country = excluded.country, name = excluded.name, data = excluded.data`
)

// row is a company as the statements of the search return it.
type row struct {
	precedence, n  int64
	id, name, data string
}

func scanRow(r db.Rows) (row, error) {
	var v row
	err := r.Scan(&v.precedence, &v.n, &v.id, &v.name, &v.data)
	return v, err
}

// Get returns a company, or db.ErrNoRows. One that its register no longer lists
// is found as long as it was kept.
func Get(ctx context.Context, tx *db.Tx, companyID string) (Company, error) {
	found, err := GetMany(ctx, tx, []string{companyID})
	if err != nil {
		return Company{}, err
	}
	c, ok := found[companyID]
	if !ok {
		return Company{}, db.ErrNoRows
	}
	return c, nil
}

// GetMany returns those of the companies that exist, by id.
func GetMany(ctx context.Context, tx *db.Tx, ids []string) (map[string]Company, error) {
	out := map[string]Company{}
	if err := get(ctx, tx, selectLive, ids, out); err != nil {
		return nil, err
	}
	var missing []string
	for _, companyID := range ids {
		if _, ok := out[companyID]; !ok {
			missing = append(missing, companyID)
		}
	}
	return out, get(ctx, tx, selectKept, missing, out)
}

func get(ctx context.Context, tx *db.Tx, q db.SQL, ids []string, out map[string]Company) error {
	best := map[string]int64{}
	for _, args := range tx.Split(ids) {
		_, err := db.All(ctx, tx, q, args, func(r db.Rows) (none struct{}, err error) {
			var companyID, country, name, data string
			var precedence int64
			if err := r.Scan(&companyID, &country, &name, &data, &precedence); err != nil {
				return none, err
			}
			if known, ok := best[companyID]; ok && known <= precedence {
				return none, nil
			}
			best[companyID] = precedence
			out[companyID], err = decode(companyID, country, name, data)
			return none, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Exists tells whether Get would return the company.
func Exists(ctx context.Context, tx *db.Tx, companyID string) (bool, error) {
	_, err := Get(ctx, tx, companyID)
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// Keep makes sure that Get finds the company for ever. Whoever stores a
// reference to a company calls it in the same transaction. It returns
// db.ErrNoRows when there is no such company.
func Keep(ctx context.Context, tx *db.Tx, companyID string) error {
	c, err := Get(ctx, tx, companyID)
	if err != nil {
		return err
	}
	data, err := c.encode(c.Name)
	if err != nil {
		return err
	}
	tx.Queue(insertKept, c.ID, c.Country, c.Name, data)
	return nil
}
