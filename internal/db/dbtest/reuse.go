package dbtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A database on PostgreSQL is some hundred files, and making it costs more than
// most tests. So one that a test is done with is emptied and given to the next.

const (
	// shapeOf tells whether a test has changed the schema.
	shapeOf = `SELECT coalesce(md5(string_agg(c.relname::text || c.relkind::text, ',' ORDER BY c.relname)), '')
		FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace`
	// disconnect ends what a test has left behind, which could still commit.
	disconnect = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
		WHERE datname = current_database() AND pid <> pg_backend_pid()`
	emptyTables = `DO $$ DECLARE r record; BEGIN
		FOR r IN SELECT oid::regclass AS name FROM pg_class
			WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'goose_db_version'
		LOOP EXECUTE 'DELETE FROM ' || r.name; END LOOP;
		FOR r IN SELECT oid::regclass AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'S'
			AND relname NOT LIKE 'goose%'
		LOOP EXECUTE 'ALTER SEQUENCE ' || r.name || ' RESTART'; END LOOP;
	END $$`
)

var errChanged = errors.New("the test has changed the schema")

// take returns an emptied database, or "" when there is none.
func (s *server) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.free) == 0 {
		return ""
	}
	name := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	return name
}

// giveBack empties a database for the next test. One that cannot be emptied is
// dropped.
func (s *server) giveBack(name string) {
	if err := s.empty(name); err != nil {
		_ = s.exec("DROP DATABASE " + name + " WITH (FORCE)")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, name)
}

func (s *server) empty(name string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, withDatabase(s.url, name))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	for left := int64(1); left > 0; {
		if err := conn.QueryRow(ctx, disconnect).Scan(&left); err != nil {
			return fmt.Errorf("end connections: %w", err)
		}
	}
	var shape string
	if err := conn.QueryRow(ctx, shapeOf).Scan(&shape); err != nil {
		return err
	}
	if shape != s.shape {
		return errChanged
	}
	_, err = conn.Exec(ctx, emptyTables)
	return err
}
