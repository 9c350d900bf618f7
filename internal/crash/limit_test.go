package crash

import (
	"fmt"
	"net/http"
	"testing"

	"math/rand/v2"
)

// limit is the credit limit of Hokodo Ltd, in pence.
const limit = 10_000_000

// TestAcceptancesStayWithinTheLimit lets a crowd of buyers of one company accept
// plans at once that its limit would cover one by one, but not together. Who
// comes too late has a deferred payment that was rejected.
func TestAcceptancesStayWithinTheLimit(t *testing.T) {
	t.Parallel()
	eachCluster(t, func(t *testing.T, c *cluster) {
		random := seeded(t)
		totals, plans := make([]int64, crowd), make([]string, crowd)
		for i := range plans {
			totals[i] = 100_000 + random.Int64N(600_000)
			plans[i] = c.offered(t, fmt.Sprint("order ", i), totals[i])
		}
		answers := c.ask(t, func(i int) (string, string, any) { return acceptPath(plans[i]), "", byInvoice })
		payments := make([]deferredPayment, crowd)
		var used int64
		for i, a := range answers {
			if a.status != http.StatusCreated {
				t.Fatalf("an acceptance was answered %v", a)
			}
			a.decode(t, &payments[i])
			if payments[i].Status == "accepted" {
				used += totals[i]
			}
		}
		if used > limit {
			t.Errorf("%d of %d are in use", used, limit)
		}
		rejected := 0
		for i, p := range payments {
			switch {
			case p.Status == "accepted":
			case p.Status != "rejected" || p.RejectionReason == nil || p.RejectionReason.Code != "credit_limit_exceeded":
				t.Errorf("the loser is %+v", p)
			case totals[i] <= limit-used:
				t.Errorf("%d was rejected with %d left", totals[i], limit-used)
			default:
				rejected++
			}
		}
		if rejected == 0 || rejected == crowd {
			t.Errorf("%d of %d were rejected", rejected, crowd)
		}
		verify(t, c.db)
		c.release(t, payments, totals, random)
	})
}

// release voids some of the accepted payments while others are captured, and
// lets the crowd accept again: exactly what was voided has become free.
func (c *cluster) release(t *testing.T, payments []deferredPayment, totals []int64, random *rand.Rand) {
	t.Helper()
	var accepted []int
	var used int64
	for i, p := range payments {
		if p.Status == "accepted" {
			accepted = append(accepted, i)
		}
	}
	voided := map[int]bool{}
	for _, i := range accepted {
		voided[i] = random.IntN(2) == 0
		if !voided[i] {
			used += totals[i]
		}
	}
	together(len(accepted), func(n int) {
		i := accepted[n]
		action := "capture_remaining"
		if voided[i] {
			action = "void_remaining"
		}
		if a := c.node(n).post(t, actionPath(payments[i].ID, action), "", nil); a.status != http.StatusCreated {
			t.Errorf("%s: %v", action, a)
		}
	})
	const small = 100_000
	plans := make([]string, crowd)
	for i := range plans {
		plans[i] = c.offered(t, fmt.Sprint("second ", i), small)
	}
	answers := c.ask(t, func(i int) (string, string, any) { return acceptPath(plans[i]), "", byInvoice })
	var more int64
	for _, a := range answers {
		if a.text(t, "status") == "accepted" {
			more += small
		}
	}
	if want := min((limit-used)/small, crowd) * small; more != want {
		t.Errorf("%d were accepted again with %d left", more, limit-used)
	}
	verify(t, c.db)
}
