package simulate

import (
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

// size is how many merchants there are in a run, and how many steps each makes.
func size() (merchants, steps int) {
	if soak() > 1 {
		return 12, 200
	}
	return 3, 130
}

// years is for how long each merchant does business.
const years = 2

// rich is what has to have happened in a run, and how often at least. A run that
// is not rich proves little.
var rich = map[string]int{
	"order by invoice": 5, "order by card": 3, "order by direct_debit": 2, "capture": 5, "overcapture": 1, "refund": 5, "void": 2,
	"fulfill": 2, "return": 1, "discount": 1, "clawback": 3, "adjustment": 1, "expiry": 1, "timeout": 1, "invoice": 8, "settings": 5,
	"collection": 5, "declined": 1, "exact transfer": 5, "partial transfer": 3, "over transfer": 1, "transfer failed": 1, "credit used": 3,
	"chargeback": 3, "statement": 20, "payout": 15, "carried": 1, "awaiting invoice": 1, "repeated request": 10,
}

// soak is how many times longer than usual the runs are.
func soak() int {
	if n, err := strconv.Atoi(os.Getenv("TRADECREDIT_SOAK")); err == nil && n > 1 {
		return n
	}
	return 1
}

// failed are the seeds of runs that have failed once.
func failed(t *testing.T) (out []uint64) {
	kept, err := os.ReadFile("testdata/seeds.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(kept)) {
		word, _, _ := strings.Cut(line, " ")
		seed, err := strconv.ParseUint(word, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, seed)
	}
	return out
}

// TestYearsOfBusiness lets merchants do business at random for years, and holds
// every figure against the books of this package. A failing run names its seed:
// TRADECREDIT_SEED repeats it, and testdata/seeds.txt keeps it.
func TestYearsOfBusiness(t *testing.T) {
	t.Parallel()
	seed, err := strconv.ParseUint(os.Getenv("TRADECREDIT_SEED"), 10, 64)
	for range soak() {
		if err != nil {
			seed = rand.Uint64() >> 32
		}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			// The seeds of a long run come one after the other.
			if soak() == 1 {
				t.Parallel()
			}
			dbtest.Each(t, func(t *testing.T, d *db.DB) { business(t, d, seed, true) })
		})
	}
}

// TestRunsThatFailedOnce repeats runs that have found a fault.
func TestRunsThatFailedOnce(t *testing.T) {
	t.Parallel()
	for _, seed := range failed(t) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			d, err := db.Open(t.Context(), dbtest.SQLite(t))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(d.Close)
			business(t, d, seed, false)
		})
	}
}

func business(t *testing.T, d *db.DB, seed uint64, wantRich bool) {
	begun := time.Now()
	merchants, steps := size()
	w := newWorld(t, d, seed, merchants)
	for w.step = 1; w.step <= steps*merchants; w.step++ {
		s := w.shops[w.step%merchants]
		if s.now.Year() >= lastYear {
			continue // nobody knows the holidays after it
		}
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
	w.verify(d)
	t.Logf("seed %d: %d steps in %s: %v", seed, w.step, time.Since(begun), w.did)
	for what, least := range rich {
		if wantRich && w.did[what] < least {
			t.Errorf("seed %d: %q happened %d times, want %d at least", seed, what, w.did[what], least)
		}
	}
}
