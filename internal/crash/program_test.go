package crash

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"math/rand/v2"

	"tradecredit/internal/app"
	"tradecredit/internal/clock"
	"tradecredit/internal/company"
	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
)

// crowd is how many clients ask at once.
const crowd = 64

// soak is how many times longer than usual the runs are.
func soak() int {
	if n, err := strconv.Atoi(os.Getenv("TRADECREDIT_SOAK")); err == nil && n > 1 {
		return n
	}
	return 1
}

// seeded returns random numbers and prints what repeats them.
func seeded(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	if n, err := strconv.ParseUint(os.Getenv("TRADECREDIT_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("TRADECREDIT_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// open opens a database until the end of the test.
func open(t testing.TB, o db.Options) *db.DB {
	t.Helper()
	d, err := db.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

// stock puts the companies that are needed and a merchant into a database, and
// returns the merchant's secret key.
func stock(t testing.TB, d *db.DB) merchant.Created {
	t.Helper()
	ctx := context.Background()
	few := func(yield func(company.Company) bool) {
		for _, c := range company.Special()[:2] {
			if !yield(c) {
				return
			}
		}
	}
	if err := company.Load(ctx, d, company.SourceSandbox, "few", few); err != nil {
		t.Fatal(err)
	}
	m, err := app.CreateMerchant(ctx, d, merchant.New{Name: "Shop", Environment: merchant.Sandbox}, clock.System{}.Now())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// serve runs the program on d within the test process, until the end of the
// test, and returns its address.
func serve(t testing.TB, d *db.DB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	c := app.Config{Listen: l.Addr().String(), DataDir: t.TempDir(), Environment: merchant.Sandbox, Limits: noLimits}
	a, err := app.New(ctx, c, d, clock.System{}, slog.New(slog.NewTextHandler(testLog{t}, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- a.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return c.Public()
}

// testLog shows what the program logs, which is only ever its own faults.
type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

// verify demands that the books are in order.
func verify(t testing.TB, d *db.DB) app.Report {
	t.Helper()
	r, err := app.Verify(context.Background(), d)
	if err != nil {
		t.Error(err)
	}
	for _, p := range r.Problems {
		t.Errorf("verify: %s", p)
	}
	return r
}

// together runs f n times side by side, all let go at one moment, and waits for
// them.
func together(n int, f func(i int)) {
	var ready, done sync.WaitGroup
	begin := make(chan struct{})
	ready.Add(n)
	done.Add(n)
	for i := range n {
		go func() {
			defer done.Done()
			ready.Done()
			<-begin
			f(i)
		}()
	}
	ready.Wait()
	close(begin)
	done.Wait()
}

// tally counts answers by status.
func tally(answers []answer) string {
	counts := map[int]int{}
	for _, a := range answers {
		counts[a.status]++
	}
	return fmt.Sprint(counts)
}
