// Package db runs one set of SQL statements on two engines: an embedded SQLite
// file and PostgreSQL.
//
// Statements are written once, in PostgreSQL's spelling, as constants of type
// SQL. What differs between the engines is rewritten in dialect.go and nowhere
// else. Everything that must be true together is written in one call of Write.
package db

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// SQL is a statement in PostgreSQL's dialect with $n parameters. It is always a
// constant: input reaches the engine through parameters only.
type SQL string

// Engine names a database engine.
type Engine string

// The engines a DB can run on.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// ErrNoRows is what Scan returns when a statement found nothing.
var ErrNoRows = errors.New("db: no rows")

// ErrTimeout is returned when a lock could not be had in time.
var ErrTimeout = errors.New("db: a lock could not be had in time")

// ErrRetry, wrapped by the error of a function given to Write, makes Write run
// the function again: it lost a race that it will not lose twice.
var ErrRetry = errors.New("db: lost a race")

// Options says where the data is. URL, when set, is a postgres:// address and
// wins over File, the path of the SQLite file.
type Options struct {
	URL  string
	File string
	// MaxConns bounds the connections to PostgreSQL or the readers of SQLite; 0
	// leaves the choice to the engine.
	MaxConns int
}

// DB is an open database. It is safe for concurrent use.
type DB struct {
	engine Engine
	conns  connector
}

// mode is what a transaction is for.
type mode int

const (
	reading mode = iota
	writing
	// snapshot reads everything as it was at one moment.
	snapshot
)

// connector is the seam between DB and the two engines.
type connector interface {
	begin(ctx context.Context, m mode) (session, error)
	ping(ctx context.Context) error
	migrate(ctx context.Context) error
	retryable(err error) bool
	close()
}

// session is one transaction on one engine. translate is applied by Tx.
type session interface {
	exec(ctx context.Context, q SQL, args []any) (int64, error)
	query(ctx context.Context, q SQL, args []any) (Rows, error)
	many(ctx context.Context, q SQL, columns []any) (int64, error)
	queue(q SQL, args []any)
	queueMany(q SQL, columns []any)
	queueQuery(q SQL, args []any, scan func(Rows) error)
	flush(ctx context.Context) error
	prepare(ctx context.Context, q SQL) error
	explain(ctx context.Context, q SQL) (string, error)
	commit(ctx context.Context) error
	rollback()
}

// Open opens the database that o names. It does not migrate it.
func Open(ctx context.Context, o Options) (*DB, error) {
	if o.URL != "" {
		c, err := openPostgres(ctx, o)
		if err != nil {
			return nil, fmt.Errorf("open postgres: %w", err)
		}
		return &DB{engine: Postgres, conns: c}, nil
	}
	c, err := openSQLite(o)
	if err != nil {
		return nil, fmt.Errorf("open sqlite: %w", err)
	}
	return &DB{engine: SQLite, conns: c}, nil
}

// Engine tells which engine the database runs on.
func (d *DB) Engine() Engine { return d.engine }

// Ping tells whether the database answers.
func (d *DB) Ping(ctx context.Context) error { return d.conns.ping(ctx) }

// Migrate brings the schema up to date. Several processes may call it at once.
func (d *DB) Migrate(ctx context.Context) error { return d.conns.migrate(ctx) }

// Close closes all connections.
func (d *DB) Close() { d.conns.close() }

// maxAttempts bounds how often Write runs its function again after a conflict
// between transactions.
const maxAttempts = 10

// Write runs fn in one read-write transaction and commits it when fn returns
// nil. After a deadlock, a serialization failure or a busy database the whole
// function runs again, so it must have no effect outside tx. The error of fn is
// returned as it is.
func (d *DB) Write(ctx context.Context, fn func(tx *Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := d.once(ctx, writing, fn)
		if err == nil || attempt == maxAttempts || !errors.Is(err, ErrRetry) && !d.conns.retryable(err) {
			return err
		}
		pause := time.Duration(attempt) * time.Millisecond * time.Duration(1+rand.IntN(4))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// Read runs fn in a read-only transaction. On PostgreSQL two statements of it may
// see what was committed between them.
func (d *DB) Read(ctx context.Context, fn func(tx *Tx) error) error {
	return d.once(ctx, reading, fn)
}

// Snapshot is Read whose statements all see the database as it was at one moment.
// It may keep the engine from cleaning up for as long as it takes.
func (d *DB) Snapshot(ctx context.Context, fn func(tx *Tx) error) error {
	return d.once(ctx, snapshot, fn)
}

func (d *DB) once(ctx context.Context, m mode, fn func(tx *Tx) error) (err error) {
	s, err := d.conns.begin(ctx, m)
	if err != nil {
		return err
	}
	tx := &Tx{session: s, engine: d.engine}
	done := false
	defer func() {
		if !done {
			s.rollback()
		}
	}()
	if err := fn(tx); err != nil {
		return err
	}
	if m != writing {
		return nil
	}
	// A commit that has begun is awaited even if the caller went away: whoever
	// asks again must find either all of it or nothing.
	if err := s.commit(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	done = true
	for _, f := range tx.after {
		f()
	}
	return nil
}

// Micros is how instants are stored: microseconds since 1970 in UTC.
func Micros(t time.Time) int64 { return t.UnixMicro() }

// Time is the inverse of Micros.
func Time(us int64) time.Time { return time.UnixMicro(us).UTC() }
