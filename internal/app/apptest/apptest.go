// Package apptest starts the whole program in a test, on a given database, with
// a clock that stands still, and plays a shop in it.
package apptest

import (
	"context"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tradecredit/internal/api"
	"tradecredit/internal/api/apitest"
	"tradecredit/internal/app"
	"tradecredit/internal/company"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/merchant"
	"tradecredit/internal/web/pay"
)

// PublicURL is the address that the program believes it is reached under.
const PublicURL = "https://api.example"

// Server is a running program.
type Server struct {
	*apitest.Server
	App *app.App

	t           testing.TB
	environment merchant.Environment
}

// Each runs test as a parallel subtest on every engine, with a sandbox of its
// own.
func Each(t *testing.T, test func(t *testing.T, s *Server)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) { test(t, Start(t, d, nil)) })
}

// Start starts a sandbox with the special companies and generous limits. change,
// when given, changes its configuration first.
func Start(t testing.TB, d *db.DB, change func(c *app.Config)) *Server {
	t.Helper()
	c := app.Config{
		DataDir: t.TempDir(), Environment: merchant.Sandbox, PublicURL: PublicURL,
		Limits: api.Limits{
			SecretPerSecond: 1e6, SecretBurst: 1e6, PublicPerSecond: 1e6,
			PublicSearchesPerMinute: 1e6, AnonymousPerMinute: 1e6,
		},
		Lender: pay.Lender{Name: "Lender", TermsURL: "https://lender.example/terms"},
	}
	if change != nil {
		change(&c)
	}
	ctx := context.Background()
	if err := company.Load(ctx, d, company.SourceSandbox, "apptest", companies()); err != nil {
		t.Fatal(err)
	}
	clock := apitest.NewClock()
	a, err := app.New(ctx, c, d, clock, slog.New(slog.NewTextHandler(testLog{t}, nil)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	work(t, a)
	return &Server{Server: apitest.Over(t, d, clock, a.Handler), App: a, t: t, environment: c.Environment}
}

func companies() iter.Seq[company.Company] { return slices.Values(company.Special()) }

// work lets the queue run until the test ends.
func work(t testing.TB, a *app.App) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Add(1)
	go func() {
		defer running.Done()
		a.Queue.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
}

// testLog shows what the program logs, which is only ever its own faults.
type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// Merchant creates a merchant with the plan templates that every merchant starts
// with, and returns a client with its secret key.
func (s *Server) Merchant(profile merchant.Profile) *apitest.Client {
	s.t.Helper()
	made, err := app.CreateMerchant(context.Background(), s.DB, merchant.New{
		Name: "Shop", Profile: profile, Environment: s.environment,
	}, s.Clock.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	return s.Client(made)
}

// Clean demands that every figure in the books is what its events make it.
func (s *Server) Clean() {
	s.t.Helper()
	report, err := app.Verify(context.Background(), s.DB)
	if err != nil {
		s.t.Fatal(err)
	}
	if len(report.Problems) > 0 {
		s.t.Fatalf("the books have problems:\n%s", strings.Join(report.Problems, "\n"))
	}
}

// patience is how long Eventually waits.
const patience = 30 * time.Second

// Eventually waits until try returns nil, for what the program does by itself. It
// fails the test with the last error when that takes too long.
func Eventually(t testing.TB, try func() error) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			t.Fatal(err)
		case <-tick.C:
		}
	}
}
