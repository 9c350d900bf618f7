package db

import "context"

// Tx is one transaction. It must not be used after the function it was given to
// has returned, nor by two goroutines at once.
type Tx struct {
	session session
	engine  Engine
	after   []func()
}

// Rows walks over the rows of a query.
type Rows interface {
	Next() bool
	Scan(dest ...any) error
	Err() error
	Close()
}

// Exec runs a statement and returns how many rows it changed.
func (tx *Tx) Exec(ctx context.Context, q SQL, args ...any) (int64, error) {
	return tx.session.exec(ctx, q, args)
}

// Query runs a statement that returns rows. The caller closes them.
func (tx *Tx) Query(ctx context.Context, q SQL, args ...any) (Rows, error) {
	return tx.session.query(ctx, q, args)
}

// Get scans the first row of a query into dest. It returns ErrNoRows when there
// is none.
func (tx *Tx) Get(ctx context.Context, q SQL, args []any, dest ...any) error {
	rows, err := tx.session.query(ctx, q, args)
	if err != nil {
		return err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return ErrNoRows
	}
	if err := rows.Scan(dest...); err != nil {
		return err
	}
	rows.Close()
	return rows.Err()
}

// Many runs a statement over columns of values: slices of equal length
// ([]string, []int64, []bool, []*string, []*int64). The statement reads them as
// unnest($1::text[], $2::bigint[]) AS u(id, amount). PostgreSQL runs it once;
// SQLite, where a call costs no round trip, runs it once per row.
func (tx *Tx) Many(ctx context.Context, q SQL, columns ...any) (int64, error) {
	return tx.session.many(ctx, q, columns)
}

// Queue adds a statement whose result nobody needs. It runs before the next
// statement that is not queued, or with the commit, in one round trip with all
// others that were queued.
func (tx *Tx) Queue(q SQL, args ...any) { tx.session.queue(q, args) }

// QueueMany is Queue for Many.
func (tx *Tx) QueueMany(q SQL, columns ...any) { tx.session.queueMany(q, columns) }

// QueueQuery adds a statement whose rows are read by scan when it is sent: before
// the next statement that is not queued, or by Flush.
func (tx *Tx) QueueQuery(q SQL, scan func(Rows) error, args ...any) {
	tx.session.queueQuery(q, args, scan)
}

// Flush sends what is queued, in one round trip.
func (tx *Tx) Flush(ctx context.Context) error { return tx.session.flush(ctx) }

// AfterCommit registers f to run once the transaction is committed.
func (tx *Tx) AfterCommit(f func()) { tx.after = append(tx.after, f) }

// Engine tells which engine the transaction runs on. It is there for statements
// on full-text indexes, which have no common spelling; everything else is the
// same on both.
func (tx *Tx) Engine() Engine { return tx.engine }

// Prepare asks the engine to parse and plan q without running it.
func (tx *Tx) Prepare(ctx context.Context, q SQL) error { return tx.session.prepare(ctx, q) }

// Explain returns the engine's plan for q in its own words.
func (tx *Tx) Explain(ctx context.Context, q SQL) (string, error) { return tx.session.explain(ctx, q) }

// All collects what scan makes of every row of a query.
func All[T any](ctx context.Context, tx *Tx, q SQL, args []any, scan func(Rows) (T, error)) ([]T, error) {
	rows, err := tx.Query(ctx, q, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// One returns what scan makes of the first row of a query, or ErrNoRows.
func One[T any](ctx context.Context, tx *Tx, q SQL, args []any, scan func(Rows) (T, error)) (T, error) {
	var zero T
	rows, err := tx.Query(ctx, q, args...)
	if err != nil {
		return zero, err
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return zero, err
		}
		return zero, ErrNoRows
	}
	return scan(rows)
}

// Split prepares columns for a query over unnest: PostgreSQL takes them whole,
// SQLite row by row. Each element of the result is the arguments of one call.
func (tx *Tx) Split(columns ...any) [][]any {
	n, err := columnLength(columns)
	if err != nil || n == 0 {
		return nil
	}
	if tx.engine == Postgres {
		return [][]any{columns}
	}
	out := make([][]any, n)
	for i := range n {
		out[i] = make([]any, len(columns))
		for c := range columns {
			out[i][c] = columnValue(columns[c], i)
		}
	}
	return out
}

// Distinct prepares two columns for Split: the merchant, over and over, and each
// of the identifiers once, without empty ones.
func Distinct(merchantID string, ids []string) (merchants, distinct []string) {
	seen := make(map[string]bool, len(ids))
	for _, i := range ids {
		if i != "" && !seen[i] {
			seen[i] = true
			merchants, distinct = append(merchants, merchantID), append(distinct, i)
		}
	}
	return merchants, distinct
}
