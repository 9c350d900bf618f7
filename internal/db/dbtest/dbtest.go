// Package dbtest gives tests a migrated, empty database on both engines.
//
// PostgreSQL is the server of TEST_POSTGRES_URL or else a throw-away cluster of
// the server binaries found on the machine. Without either, the tests on it are
// skipped with a line that says so, unless TRADECREDIT_TEST_REQUIRE is set.
package dbtest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"tradecredit/internal/db"
)

// Main runs the tests of a package and stops the throw-away cluster, if one was
// started. A package that uses this one calls it from its TestMain.
func Main(m *testing.M) {
	code := m.Run()
	shared.stop()
	os.Exit(code)
}

// Each runs test as a parallel subtest on every engine, each time on a database
// of its own.
func Each(t *testing.T, test func(t *testing.T, d *db.DB)) {
	t.Helper()
	EachOptions(t, func(t *testing.T, o db.Options) { test(t, open(t, o)) })
}

// EachOptions is Each for tests that open the database themselves, for example
// in another process.
func EachOptions(t *testing.T, test func(t *testing.T, o db.Options)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, SQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, Postgres(t))
	})
}

func open(t testing.TB, o db.Options) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// SQLite names a new migrated SQLite database.
func SQLite(t testing.TB) db.Options {
	t.Helper()
	template, err := sqliteTemplate()
	if err != nil {
		t.Fatal(err)
	}
	o := db.Options{File: filepath.Join(t.TempDir(), "tradecredit.db"), MaxConns: 4}
	if err := os.WriteFile(o.File, template, 0o600); err != nil {
		t.Fatal(err)
	}
	return o
}

// Postgres names a new migrated database on PostgreSQL, or skips the test.
func Postgres(t testing.TB) db.Options {
	t.Helper()
	server, err := shared.start()
	if errors.Is(err, errNoServer) && os.Getenv("TRADECREDIT_TEST_REQUIRE") == "" {
		t.Skipf("skipped on PostgreSQL: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	name := shared.take()
	if name == "" {
		name = fmt.Sprintf("%s_%d", shared.prefix, shared.number.Add(1))
		if err := shared.exec("CREATE DATABASE " + name + " TEMPLATE " + shared.prefix); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { shared.giveBack(name) })
	return db.Options{URL: withDatabase(server, name), MaxConns: 8}
}

var sqliteTemplate = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "tradecredit-test-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "template.db")
	d, err := db.Open(context.Background(), db.Options{File: file, MaxConns: 1})
	if err != nil {
		return nil, err
	}
	err = d.Migrate(context.Background())
	d.Close()
	if err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

// server is the PostgreSQL that the tests of one process share.
type server struct {
	once    sync.Once
	mu      sync.Mutex // CREATE DATABASE wants its template for itself
	number  atomic.Int64
	prefix  string
	url     string
	err     error
	cluster *Cluster
	free    []string // databases that are empty again
	shape   string   // of the schema
}

// shared is the one piece of state of this package: a process that the tests of
// a package start once and stop in Main.
var shared server

func (s *server) start() (string, error) {
	s.once.Do(func() {
		s.prefix = fmt.Sprintf("tc_test_%d", os.Getpid())
		if s.url = os.Getenv("TEST_POSTGRES_URL"); s.url == "" {
			if s.cluster, s.err = StartCluster(careless...); s.err != nil {
				return
			}
			s.url = s.cluster.url
		}
		s.err = s.makeTemplate()
	})
	return s.url, s.err
}

func (s *server) makeTemplate() error {
	ctx := context.Background()
	if err := s.exec("CREATE DATABASE " + s.prefix); err != nil {
		return err
	}
	d, err := db.Open(ctx, db.Options{URL: withDatabase(s.url, s.prefix), MaxConns: 2})
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Migrate(ctx); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, withDatabase(s.url, s.prefix))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return conn.QueryRow(ctx, shapeOf).Scan(&s.shape)
}

func (s *server) exec(statement string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

func (s *server) stop() {
	for _, name := range s.free {
		if s.cluster == nil {
			_ = s.exec("DROP DATABASE " + name + " WITH (FORCE)")
		}
	}
	if s.url != "" && s.err == nil && s.cluster == nil {
		_ = s.exec("DROP DATABASE " + s.prefix + " WITH (FORCE)")
	}
	if s.cluster != nil {
		s.cluster.Stop()
	}
}

func withDatabase(server, name string) string {
	u, err := url.Parse(server)
	if err != nil {
		return server
	}
	u.Path = "/" + name
	return u.String()
}
