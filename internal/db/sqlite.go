package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// sqliteDB is one file: a single writing connection, because SQLite has one
// writer, and a pool of readers beside it. Taking a connection from its channel
// is fair and can be cancelled; waiting inside SQLite is neither.
type sqliteDB struct {
	dialect dialect
	file    string
	pools   []*sql.DB
	writer  chan *sqliteConn
	readers chan *sqliteConn
}

// sqliteConn is a connection with its prepared statements. Statements are
// constants and therefore few, so none is ever dropped.
type sqliteConn struct {
	conn  *sql.Conn
	stmts map[SQL]*sql.Stmt
}

func openSQLite(o Options) (*sqliteDB, error) {
	if o.File == "" {
		return nil, errors.New("no file named")
	}
	n := o.MaxConns
	if n == 0 {
		n = 8
	}
	d := &sqliteDB{file: o.File, writer: make(chan *sqliteConn, 1), readers: make(chan *sqliteConn, n)}
	d.dialect.rewrite = sqliteStatement
	if err := d.fill(d.writer, sqliteDSN(o.File)); err != nil {
		d.close()
		return nil, err
	}
	if err := d.fill(d.readers, sqliteDSN(o.File, "query_only(1)")); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func sqliteDSN(file string, pragmas ...string) string {
	v := url.Values{"_pragma": append([]string{
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
		"cache_size(-65536)", "mmap_size(1073741824)", "temp_store(MEMORY)",
	}, pragmas...)}
	return "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + v.Encode()
}

// fill opens as many connections as the channel holds.
func (d *sqliteDB) fill(conns chan *sqliteConn, dsn string) error {
	pool, err := sql.Open("sqlite", dsn)
	if err != nil {
		return err
	}
	d.pools = append(d.pools, pool)
	pool.SetMaxOpenConns(cap(conns))
	for range cap(conns) {
		c, err := pool.Conn(context.Background())
		if err != nil {
			return err
		}
		conns <- &sqliteConn{conn: c, stmts: map[SQL]*sql.Stmt{}}
	}
	return nil
}

func (d *sqliteDB) begin(ctx context.Context, m mode) (session, error) {
	// A reader's transaction is a snapshot in any case.
	home, start := d.readers, SQL("BEGIN")
	if m == writing {
		home, start = d.writer, "BEGIN IMMEDIATE"
	}
	select {
	case c := <-home:
		s := &sqliteSession{db: d, sqliteConn: c, home: home}
		if _, err := s.exec(ctx, start, nil); err != nil {
			home <- c
			return nil, err
		}
		return s, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (d *sqliteDB) ping(ctx context.Context) error {
	s, err := d.begin(ctx, reading)
	if err != nil {
		return err
	}
	s.rollback()
	return nil
}

func (d *sqliteDB) migrate(ctx context.Context) error {
	pool, err := sql.Open("sqlite", sqliteDSN(d.file))
	if err != nil {
		return err
	}
	defer pool.Close()
	pool.SetMaxOpenConns(1)
	// One process migrates at a time: the others wait here and find it done.
	c := <-d.writer
	defer func() { d.writer <- c }()
	return migrate(ctx, SQLite, pool)
}

func (d *sqliteDB) retryable(err error) bool {
	var e *sqlite.Error
	return errors.As(err, &e) && (e.Code()&0xff == sqlite3.SQLITE_BUSY || e.Code()&0xff == sqlite3.SQLITE_LOCKED)
}

func (d *sqliteDB) close() {
	for _, conns := range []chan *sqliteConn{d.writer, d.readers} {
		for range len(conns) {
			c := <-conns
			for _, st := range c.stmts {
				_ = st.Close()
			}
			_ = c.conn.Close()
		}
	}
	for _, p := range d.pools {
		_ = p.Close()
	}
}

type sqliteSession struct {
	*sqliteConn
	db   *sqliteDB
	home chan *sqliteConn
	err  error // of a queued statement
}

// stmt returns q prepared on this connection. The driver starts a goroutine for
// every statement whose context can end; the statements here are short, so they
// run without.
func (s *sqliteSession) stmt(q SQL) (*sql.Stmt, error) {
	if st := s.stmts[q]; st != nil {
		return st, nil
	}
	st, err := s.conn.PrepareContext(context.Background(), s.db.dialect.of(q))
	if err != nil {
		return nil, err
	}
	s.stmts[q] = st
	return st, nil
}

func (s *sqliteSession) exec(_ context.Context, q SQL, args []any) (int64, error) {
	if s.err != nil {
		return 0, s.err
	}
	st, err := s.stmt(q)
	if err != nil {
		return 0, err
	}
	res, err := st.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (s *sqliteSession) query(_ context.Context, q SQL, args []any) (Rows, error) {
	if s.err != nil {
		return nil, s.err
	}
	st, err := s.stmt(q)
	if err != nil {
		return nil, err
	}
	rows, err := st.QueryContext(context.Background(), args...)
	if err != nil {
		return nil, err
	}
	return sqliteRows{rows}, nil
}

func (s *sqliteSession) many(ctx context.Context, q SQL, columns []any) (int64, error) {
	n, err := columnLength(columns)
	if err != nil {
		return 0, err
	}
	var total int64
	args := make([]any, len(columns))
	for i := range n {
		for c, col := range columns {
			args[c] = columnValue(col, i)
		}
		k, err := s.exec(ctx, q, args)
		if err != nil {
			return total, err
		}
		total += k
	}
	return total, nil
}

func (s *sqliteSession) queue(q SQL, args []any) {
	if s.err == nil {
		_, s.err = s.exec(context.Background(), q, args)
	}
}

func (s *sqliteSession) queueQuery(q SQL, args []any, scan func(Rows) error) {
	if s.err != nil {
		return
	}
	rows, err := s.query(context.Background(), q, args)
	if err != nil {
		s.err = err
		return
	}
	defer rows.Close()
	if s.err = scan(rows); s.err == nil {
		s.err = rows.Err()
	}
}

func (s *sqliteSession) flush(context.Context) error { return s.err }

func (s *sqliteSession) queueMany(q SQL, columns []any) {
	if s.err == nil {
		_, s.err = s.many(context.Background(), q, columns)
	}
}

func (s *sqliteSession) prepare(_ context.Context, q SQL) error {
	_, err := s.stmt(q)
	return err
}

func (s *sqliteSession) explain(ctx context.Context, q SQL) (string, error) {
	text := s.db.dialect.of(q)
	highest := 0
	for _, m := range regexpQuestion.FindAllStringSubmatch(text, -1) {
		var n int
		if _, err := fmt.Sscan(m[1], &n); err == nil && n > highest {
			highest = n
		}
	}
	rows, err := s.conn.QueryContext(ctx, "EXPLAIN QUERY PLAN "+text, make([]any, highest)...)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	var out string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			return "", err
		}
		out += detail + "\n"
	}
	return out, rows.Err()
}

func (s *sqliteSession) commit(ctx context.Context) error {
	if _, err := s.exec(ctx, "COMMIT", nil); err != nil {
		return err
	}
	s.home <- s.sqliteConn
	s.home = nil
	return nil
}

func (s *sqliteSession) rollback() {
	if s.home == nil {
		return
	}
	s.err = nil
	_, _ = s.exec(context.Background(), "ROLLBACK", nil)
	s.home <- s.sqliteConn
	s.home = nil
}

// sqliteRows gives sql.Rows the shape of Rows.
type sqliteRows struct{ *sql.Rows }

func (r sqliteRows) Close() { _ = r.Rows.Close() }

// columnLength is the common length of the columns given to Many.
func columnLength(columns []any) (int, error) {
	n := -1
	for _, c := range columns {
		var l int
		switch c := c.(type) {
		case []string:
			l = len(c)
		case []int64:
			l = len(c)
		case []bool:
			l = len(c)
		case []*string:
			l = len(c)
		case []*int64:
			l = len(c)
		default:
			return 0, fmt.Errorf("db: a column of type %T", c)
		}
		if n >= 0 && l != n {
			return 0, fmt.Errorf("db: columns of %d and %d values", n, l)
		}
		n = l
	}
	return max(n, 0), nil
}

func columnValue(column any, i int) any {
	switch c := column.(type) {
	case []string:
		return c[i]
	case []int64:
		return c[i]
	case []bool:
		return c[i]
	case []*string:
		return c[i]
	case []*int64:
		return c[i]
	}
	return nil
}

// timeoutOf bounds how long a write may wait for a lock on PostgreSQL.
const timeoutOf = 10 * time.Second
