package db

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
)

// regexpQuestion finds SQLite's numbered parameters.
var regexpQuestion = regexp.MustCompile(`\?(\d+)`)

type postgresDB struct {
	dialect dialect
	pool    *pgxpool.Pool
}

// planning keeps plans what they were when the statements were written: every
// one of them finds its rows by an index, whatever the server guesses about
// tables it has not analysed yet. Statements over arrays would otherwise read
// whole tables until the first ANALYZE, and be planned anew on every call; a page
// of a list would be the first of everything sorted; and a join of a few rows
// would compare each with all that a merchant has.
var planning = map[string]string{
	"plan_cache_mode":  "force_generic_plan",
	"enable_seqscan":   "off",
	"random_page_cost": "1.1",
	"enable_hashjoin":  "off",
	"enable_mergejoin": "off",
	"enable_material":  "off",
	"jit":              "off",
}

func openPostgres(ctx context.Context, o Options) (*postgresDB, error) {
	cfg, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		return nil, err
	}
	if o.MaxConns > 0 {
		cfg.MaxConns = int32(o.MaxConns)
	} else if cfg.MaxConns < 16 {
		cfg.MaxConns = 16
	}
	cfg.ConnConfig.RuntimeParams["application_name"] = "tradecredit"
	cfg.ConnConfig.RuntimeParams["lock_timeout"] = fmt.Sprint(timeoutOf.Milliseconds())
	cfg.ConnConfig.RuntimeParams["timezone"] = "UTC"
	for name, value := range planning {
		cfg.ConnConfig.RuntimeParams[name] = value
	}
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	d := &postgresDB{pool: pool}
	d.dialect.rewrite = postgresStatement
	return d, nil
}

func (d *postgresDB) begin(ctx context.Context, m mode) (session, error) {
	conn, err := d.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	s := &postgresSession{db: d, conn: conn, transaction: m != reading}
	switch m {
	case writing:
		// BEGIN travels with the first statements: one round trip less.
		s.queue("BEGIN", nil)
	case snapshot:
		s.queue("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", nil)
	case reading:
		// No transaction is needed: in READ COMMITTED each statement sees its own
		// snapshot with or without one.
	}
	return s, nil
}

func (d *postgresDB) ping(ctx context.Context) error { return d.pool.Ping(ctx) }

func (d *postgresDB) migrate(ctx context.Context) error {
	sqldb := stdlib.OpenDBFromPool(d.pool)
	defer sqldb.Close()
	return migrate(ctx, Postgres, sqldb)
}

func (d *postgresDB) retryable(err error) bool {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return true
	}
	return false
}

func (d *postgresDB) close() { d.pool.Close() }

type postgresSession struct {
	db   *postgresDB
	conn *pgxpool.Conn
	// transaction is set unless each statement stands for itself.
	transaction bool
	begun       bool
	queued      []queuedStatement
	closed      bool
}

// queuedStatement waits to be sent with others. scan reads its rows, if any are
// wanted.
type queuedStatement struct {
	q    SQL
	args []any
	scan func(Rows) error
}

// send sends what is queued, and last if it is not empty, in one round trip. It
// returns the open results, of which those of last are left to be read.
func (s *postgresSession) send(ctx context.Context, last SQL, args []any) (pgx.BatchResults, error) {
	queued := s.queued
	s.queued = nil
	s.begun = s.begun || s.transaction
	var b pgx.Batch
	for _, st := range queued {
		b.Queue(s.db.dialect.of(st.q), st.args...)
	}
	if last != "" {
		b.Queue(s.db.dialect.of(last), args...)
	}
	results := s.conn.SendBatch(ctx, &b)
	for _, st := range queued {
		if err := read(results, st.scan); err != nil {
			_ = results.Close()
			return nil, translatePostgres(err)
		}
	}
	return results, nil
}

func read(results pgx.BatchResults, scan func(Rows) error) error {
	if scan == nil {
		_, err := results.Exec()
		return err
	}
	rows, err := results.Query()
	if err != nil {
		return err
	}
	r := &postgresRows{Rows: rows}
	if err := scan(r); err != nil {
		rows.Close()
		return err
	}
	rows.Close()
	return rows.Err()
}

// flush sends what is queued.
func (s *postgresSession) flush(ctx context.Context) error {
	if len(s.queued) == 0 {
		return nil
	}
	results, err := s.send(ctx, "", nil)
	if err != nil {
		return err
	}
	return translatePostgres(results.Close())
}

func (s *postgresSession) exec(ctx context.Context, q SQL, args []any) (int64, error) {
	rows, err := s.query(ctx, q, args)
	if err != nil {
		return 0, err
	}
	rows.Close()
	return rows.(*postgresRows).affected(), rows.Err()
}

// query sends what is queued and the statement itself in one round trip.
func (s *postgresSession) query(ctx context.Context, q SQL, args []any) (Rows, error) {
	if len(s.queued) == 0 {
		rows, err := s.conn.Query(ctx, s.db.dialect.of(q), args...)
		if err != nil {
			return nil, translatePostgres(err)
		}
		return &postgresRows{Rows: rows}, nil
	}
	results, err := s.send(ctx, q, args)
	if err != nil {
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		_ = results.Close()
		return nil, translatePostgres(err)
	}
	return &postgresRows{Rows: rows, results: results}, nil
}

func (s *postgresSession) many(ctx context.Context, q SQL, columns []any) (int64, error) {
	if n, err := columnLength(columns); err != nil || n == 0 {
		return 0, err
	}
	return s.exec(ctx, q, columns)
}

func (s *postgresSession) queue(q SQL, args []any) {
	s.queued = append(s.queued, queuedStatement{q: q, args: args})
}

func (s *postgresSession) queueQuery(q SQL, args []any, scan func(Rows) error) {
	s.queued = append(s.queued, queuedStatement{q, args, scan})
}

func (s *postgresSession) queueMany(q SQL, columns []any) {
	if n, err := columnLength(columns); err == nil && n == 0 {
		return
	}
	s.queue(q, columns)
}

func (s *postgresSession) prepare(ctx context.Context, q SQL) error {
	if err := s.flush(ctx); err != nil {
		return err
	}
	_, err := s.conn.Conn().PgConn().Prepare(ctx, "", s.db.dialect.of(q), nil)
	return err
}

func (s *postgresSession) explain(ctx context.Context, q SQL) (string, error) {
	if err := s.flush(ctx); err != nil {
		return "", err
	}
	// A generic plan needs no values for the parameters.
	res := s.conn.Conn().PgConn().Exec(ctx, "SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = force_generic_plan")
	if err := res.Close(); err != nil {
		return "", err
	}
	sd, err := s.conn.Conn().PgConn().Prepare(ctx, "explained", s.db.dialect.of(q), nil)
	if err != nil {
		return "", err
	}
	defer func() { _ = s.conn.Conn().PgConn().Exec(ctx, "DEALLOCATE explained").Close() }()
	text := "EXPLAIN EXECUTE explained"
	for i := range sd.ParamOIDs {
		if i == 0 {
			text += "(NULL"
		} else {
			text += ", NULL"
		}
	}
	if len(sd.ParamOIDs) > 0 {
		text += ")"
	}
	results, err := s.conn.Conn().PgConn().Exec(ctx, text).ReadAll()
	if err != nil {
		return "", err
	}
	var out string
	for _, r := range results {
		for _, row := range r.Rows {
			out += string(row[0]) + "\n"
		}
	}
	return out, nil
}

func (s *postgresSession) commit(ctx context.Context) error {
	results, err := s.send(ctx, "COMMIT", nil)
	if err != nil {
		return uncertain(err)
	}
	tag, err := results.Exec()
	if closed := results.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return uncertain(translatePostgres(err))
	}
	s.closed = true
	s.conn.Release()
	if tag.String() != "COMMIT" {
		// PostgreSQL takes COMMIT for ROLLBACK after an error, and calls it success.
		return ErrAborted
	}
	return nil
}

// uncertain marks the error of a commit with ErrUnknown unless it is known that
// nothing was committed: because the server says so and lives, or because
// nothing was sent.
func uncertain(err error) error {
	var e *pgconn.PgError
	if errors.As(err, &e) && e.SeverityUnlocalized == "ERROR" || pgconn.SafeToRetry(err) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnknown, err)
}

func (s *postgresSession) rollback() {
	if s.closed {
		return
	}
	s.closed = true
	if s.begun {
		// The caller's context may be the reason for the rollback.
		_, _ = s.conn.Exec(context.Background(), "ROLLBACK")
	}
	s.conn.Release()
}

// postgresRows gives pgx.Rows the shape of Rows and ends the batch they came in.
type postgresRows struct {
	pgx.Rows
	results pgx.BatchResults
}

func (r *postgresRows) Close() {
	r.Rows.Close()
	if r.results != nil {
		_ = r.results.Close()
		r.results = nil
	}
}

func (r *postgresRows) Err() error { return translatePostgres(r.Rows.Err()) }

func (r *postgresRows) affected() int64 { return r.Rows.CommandTag().RowsAffected() }

func translatePostgres(err error) error {
	var e *pgconn.PgError
	if errors.As(err, &e) && e.Code == "55P03" { // lock_not_available
		return fmt.Errorf("%w: %w", ErrTimeout, err)
	}
	return err
}
