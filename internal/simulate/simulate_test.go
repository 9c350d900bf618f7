package simulate

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// The size of the run in the suite: merchants, and steps of each.
const (
	merchants = 3
	steps     = 130
)

// years is for how long each merchant does business.
const years = 2

// rich is what has to have happened in a run, and how often at least. A run that
// is not rich proves little.
var rich = map[string]int{
	"order by invoice": 5, "order by card": 3, "order by direct_debit": 3, "capture": 5, "capture_remaining": 1, "refund": 4, "void": 1,
	"fulfill": 3, "cancel": 1, "return": 1, "discount": 1, "clawback": 2, "adjustment": 1, "expiry": 3, "invoice": 3, "settings": 3,
	"collection": 5, "declined": 2, "exact transfer": 3, "partial transfer": 2, "over transfer": 1, "transfer failed": 1,
	"chargeback": 2, "statement": 5, "payout": 10, "repeated request": 5,
}

// soak is how many times longer than usual the runs are.
func soak() int {
	if n, err := strconv.Atoi(os.Getenv("TRADECREDIT_SOAK")); err == nil && n > 1 {
		return n
	}
	return 1
}

// seeds are those of runs that have failed once, and then new ones.
func seeds(t *testing.T) (out []uint64) {
	if seed, err := strconv.ParseUint(os.Getenv("TRADECREDIT_SEED"), 10, 64); err == nil {
		return []uint64{seed}
	}
	kept, err := os.Open("testdata/seeds.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer kept.Close()
	for lines := bufio.NewScanner(kept); lines.Scan(); {
		word, _, _ := strings.Cut(lines.Text(), " ")
		if seed, err := strconv.ParseUint(word, 10, 64); err == nil {
			out = append(out, seed)
		}
	}
	for range soak() {
		out = append(out, rand.Uint64()>>32)
	}
	return out
}

// TestYearsOfBusiness lets merchants do business at random for years, and holds
// every figure against the books of this package. A failing run names its seed:
// TRADECREDIT_SEED repeats it, and testdata/seeds.txt keeps it.
func TestYearsOfBusiness(t *testing.T) {
	t.Parallel()
	for _, seed := range seeds(t) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) { business(t, d, seed) })
		})
	}
}

func business(t *testing.T, d *db.DB, seed uint64) {
	begun := time.Now()
	w := newWorld(t, d, seed, merchants)
	for w.step = 1; w.step <= steps*merchants; w.step++ {
		s := w.shops[w.step%merchants]
		s.turn()
		if w.step%40 == 0 {
			s.audit()
		}
	}
	for _, s := range w.shops {
		if end := s.start.AddDate(years, 0, 0); s.now.Before(end) {
			s.until(end)
		}
		s.audit()
	}
	w.server.Clean()
	t.Logf("seed %d: %d steps in %s: %v", seed, w.step, time.Since(begun), w.did)
	for what, least := range rich {
		if w.did[what] < least {
			t.Errorf("seed %d: %q happened %d times, want %d at least", seed, what, w.did[what], least)
		}
	}
}
