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
	"order by invoice": 10, "order by card": 4, "order by direct_debit": 4, "capture": 5, "capture_remaining": 1, "overcapture": 2,
	"refund": 8, "void": 3, "fulfill": 3, "cancel": 1, "return": 2, "discount": 2, "clawback": 4, "adjustment": 2, "expiry": 3,
	"timeout": 1, "invoice": 15, "settings": 10, "collection": 8, "declined": 3, "exact transfer": 5, "partial transfer": 4,
	"over transfer": 3, "transfer failed": 2, "credit used": 5, "chargeback": 5, "chargeback of credit": 1, "statement": 40,
	"statement paid": 1, "payout": 30, "withheld": 1, "carried": 3, "awaiting invoice": 1, "repeated request": 20,
}

// poor is what has not happened often enough yet.
func (w *world) poor() (out []string) {
	for what, least := range rich {
		if w.did[what] < least {
			out = append(out, fmt.Sprintf("%q happened %d times, want %d at least", what, w.did[what], least))
		}
	}
	return out
}

// soak is how many times longer than usual the runs are.
func soak() int {
	if n, err := strconv.Atoi(os.Getenv("TRADECREDIT_SOAK")); err == nil && n > 1 {
		return n
	}
	return 1
}

// run is a seed and how many steps are made.
type run struct {
	seed  uint64
	steps int
}

// failed are the runs that have failed once, as far as they came.
func failed(t *testing.T) (out []run) {
	kept, err := os.ReadFile("testdata/seeds.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(kept)) {
		var r run
		if _, err := fmt.Sscan(line, &r.seed, &r.steps); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		out = append(out, r)
	}
	return out
}

// TestYearsOfBusiness lets merchants do business at random for years, and holds
// every figure against the books of this package. The run of the test suite is the
// same every time, so that no change fails for a fault that it did not make; a long
// run takes new seeds. A failing run names its seed: TRADECREDIT_SEED repeats it,
// and testdata/seeds.txt keeps it.
func TestYearsOfBusiness(t *testing.T) {
	t.Parallel()
	seed, err := strconv.ParseUint(os.Getenv("TRADECREDIT_SEED"), 10, 64)
	for range soak() {
		switch {
		case err == nil:
		case soak() == 1:
			seed = 1
		default:
			seed = rand.Uint64() >> 32
		}
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			// The seeds of a long run come one after the other.
			if soak() == 1 {
				t.Parallel()
			}
			dbtest.Each(t, func(t *testing.T, d *db.DB) { business(t, d, run{seed: seed}) })
		})
	}
}

// TestRunsThatFailedOnce repeats runs that have found a fault.
func TestRunsThatFailedOnce(t *testing.T) {
	t.Parallel()
	for _, r := range failed(t) {
		t.Run(fmt.Sprint("seed ", r.seed), func(t *testing.T) {
			t.Parallel()
			d, err := db.Open(t.Context(), dbtest.SQLite(t))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(d.Close)
			business(t, d, r)
		})
	}
}

// business is one run. Without a number of steps it takes years, and goes on for
// longer when not enough has happened.
func business(t *testing.T, d *db.DB, r run) {
	begun := time.Now()
	merchants, steps := size()
	more := func(w *world) bool {
		return r.steps == 0 && (w.step <= steps*merchants || w.step <= 2*steps*merchants && len(w.poor()) > 0)
	}
	if r.steps > 0 {
		merchants = 3 // as when it failed
	}
	w := newWorld(t, d, r.seed, merchants)
	for w.step = 1; w.step <= r.steps || more(w); w.step++ {
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
		if end := s.start.AddDate(years, 0, 0); r.steps == 0 && s.now.Before(end) {
			s.until(end)
		}
		s.audit()
	}
	w.verify(d)
	t.Logf("seed %d: %d steps in %s: %v", r.seed, w.step-1, time.Since(begun), w.did)
	if r.steps > 0 {
		return
	}
	for _, what := range w.poor() {
		t.Errorf("seed %d: %s", r.seed, what)
	}
}
