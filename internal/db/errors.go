package db

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// ErrUnknown is returned when the connection was lost while a transaction was
// being committed: nobody knows whether it happened.
var ErrUnknown = errors.New("db: the outcome of the commit is not known")

// ErrAborted is returned when a statement of a transaction had failed before its
// commit, so that PostgreSQL rolled all of it back.
var ErrAborted = errors.New("db: the transaction was rolled back, one of its statements had failed")

// IsUnique tells whether err says that a row with the same key exists already.
func IsUnique(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505"
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return false
}
