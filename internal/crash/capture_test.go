package crash

import (
	"fmt"
	"net/http"
	"regexp"
	"testing"

	"math/rand/v2"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

// tooMuch is the documented refusal of an amount above what there is.
var tooMuch = regexp.MustCompile(`^\{"amount":\["Ensure this value is less than or equal to \d+\."\]\}$`)

// TestCapturesStayWithinTheAuthorisation lets a crowd capture one deferred
// payment, more than it has, in amounts that do not divide it.
func TestCapturesStayWithinTheAuthorisation(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		random := seeded(t)
		s := newShop(t, newClient(serve(t, d), stock(t, d).SecretKey))
		const total = 100_000
		payment := s.payment(t, "one", total)
		const each = 4
		amounts := make([]int64, crowd*each)
		for i := range amounts {
			amounts[i] = 1 + random.Int64N(2*total/int64(len(amounts))*2)
		}
		answers := make([]answer, len(amounts))
		together(crowd, func(i int) {
			for n := i * each; n < (i+1)*each; n++ {
				answers[n] = s.post(t, actionPath(payment, "capture"), "", object{"amount": amounts[n]})
			}
		})
		var captured int64
		for n, a := range answers {
			switch {
			case a.status == http.StatusCreated:
				captured += amounts[n]
			case a.status != http.StatusBadRequest || !tooMuch.MatchString(a.body):
				t.Errorf("a capture of %d was answered %v", amounts[n], a)
			}
		}
		p := s.view(t, payment)
		if got := p.ProtectedCaptures + p.UnprotectedCaptures; got != captured || p.sum("capture") != captured || captured > total || p.Authorisation != total-captured {
			t.Errorf("acknowledged %d, captured %d, events %d, authorisation %d of %d", captured, got, p.sum("capture"), p.Authorisation, total)
		}
		// Whoever was refused asked for more than is left even now.
		for n, a := range answers {
			if a.status == http.StatusBadRequest && amounts[n] <= p.Authorisation {
				t.Errorf("a capture of %d was refused with %d left", amounts[n], p.Authorisation)
			}
		}
		if captured < total/2 {
			t.Errorf("only %d were captured: %s", captured, tally(answers))
		}
		verify(t, d)
	})
}

// storm is one request of a storm.
type storm struct {
	action string
	amount int64
}

func (s storm) body() any {
	if s.amount == 0 {
		return nil
	}
	return object{"amount": s.amount}
}

func anyAction(r *rand.Rand) storm {
	n := 1 + r.Int64N(300)
	switch p := r.IntN(1000); {
	case p < 5:
		return storm{"capture_remaining", 0}
	case p < 10:
		return storm{"void_remaining", 0}
	case p < 100:
		return storm{"clawback", n}
	case p < 250:
		return storm{"void", n}
	case p < 500:
		return storm{"refund", n}
	}
	return storm{"capture", n}
}

// watch verifies the books again and again until it is told to stop: they are in
// order at every moment.
func watch(t *testing.T, d *db.DB) (stop func()) {
	end, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			verify(t, d)
			select {
			case <-end:
				return
			default:
			}
		}
	}()
	return func() {
		close(end)
		<-ended
	}
}

// TestStormOfActions lets a crowd do everything at once to a few deferred
// payments: what was acknowledged is what happened.
func TestStormOfActions(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		random := seeded(t)
		s := newShop(t, newClient(serve(t, d), stock(t, d).SecretKey))
		var payments []string
		for i := range 4 {
			payments = append(payments, s.payment(t, fmt.Sprint("storm", i), 200_000))
		}
		seeds := make([]uint64, crowd)
		for i := range seeds {
			seeds[i] = random.Uint64()
		}
		acknowledged := make([]map[string]int64, crowd) // payment and type: amount
		stop := watch(t, d)
		together(crowd, func(i int) {
			r := rand.New(rand.NewPCG(seeds[i], 2))
			sums := map[string]int64{}
			acknowledged[i] = sums
			for range 6 * soak() {
				payment, do := payments[r.IntN(len(payments))], anyAction(r)
				switch a := s.post(t, actionPath(payment, do.action), "", do.body()); {
				case a.status == http.StatusCreated:
					var e postSaleEvent
					a.decode(t, &e)
					sums[payment+e.Type] += e.Amount
				case a.status == http.StatusOK && a.body == "" && do.amount == 0:
				case a.status != http.StatusBadRequest || !tooMuch.MatchString(a.body):
					t.Errorf("%s of %d was answered %v", do.action, do.amount, a)
				}
			}
		})
		stop()
		for _, id := range payments {
			p := s.view(t, id)
			for _, kind := range []string{"capture", "refund", "void", "clawback"} {
				var want int64
				for _, sums := range acknowledged {
					want += sums[id+kind]
				}
				if got := p.sum(kind); got != want {
					t.Errorf("%s: events of type %s make %d, acknowledged were %d", id, kind, got, want)
				}
			}
			if p.Authorisation < 0 || p.Authorisation+p.ProtectedCaptures+p.UnprotectedCaptures+p.Refunds+p.VoidedAuthorisation+p.Clawback != 200_000 {
				t.Errorf("%s does not sum up: %+v", id, p)
			}
		}
		if r := verify(t, d); r.PostSaleEvents < crowd {
			t.Errorf("only %d events came of the storm", r.PostSaleEvents)
		}
	})
}
