package crash

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/job"
	"tradecredit/internal/merchant"
)

// TestTwoNodesShareTheWork lets offers and deferred payments expire under two
// nodes: each expires once and each notification is sent once.
func TestTwoNodesShareTheWork(t *testing.T) {
	t.Parallel()
	s := newSharing(t)
	s.receiver.gather(t, moreThanOneNode, func() {})
	s.timePasses()
	idle(t, s.db)
	s.check()
	if sent, told := len(s.receiver.all()), s.told(); sent != told {
		t.Errorf("%d notifications were sent of %d events", sent, told)
	}
}

// TestOneOfTwoNodesDiesAtWork kills one of the nodes while both send
// notifications and expiries are still to come: the other one does what is left.
func TestOneOfTwoNodesDiesAtWork(t *testing.T) {
	t.Parallel()
	s := newSharing(t)
	s.receiver.gather(t, moreThanOneNode, s.nodes[0].kill)
	s.timePasses()
	idle(t, s.db)
	s.check()
}

// moreThanOneNode is a number of calls that one node does not make side by side.
const moreThanOneNode = 20

// sharing is a shop with work waiting for two nodes.
type sharing struct {
	*shop
	t        *testing.T
	db       *db.DB
	merchant merchant.Created
	receiver *receiver
	nodes    []*node
	payments []string
}

// shares is how many offers are left, and how many are taken.
const shares = 20

func newSharing(t *testing.T) *sharing {
	o := dbtest.Postgres(t)
	s := &sharing{t: t, db: open(t, o), receiver: newReceiver(t)}
	s.merchant = stock(t, s.db)
	for range 2 {
		s.nodes = append(s.nodes, start(t, nodeOn(t, o)).mustBeReady())
	}
	// The second node is the one that lives.
	s.shop = newShop(t, newClient(s.nodes[1].url, s.merchant.SecretKey))
	for i := range shares {
		s.offered(t, fmt.Sprint("left ", i), 1000)
		s.payments = append(s.payments, s.payment(t, fmt.Sprint("taken ", i), 1000))
	}
	s.must(t, 201, "/v1/webhook_endpoints", "", object{"url": s.receiver.URL})
	idle(t, s.db)
	return s
}

// timePasses moves the merchant's time past every expiry, as the clock of the
// sandbox does, but leaves what is due to the nodes.
func (s *sharing) timePasses() {
	ctx := context.Background()
	err := s.db.Write(ctx, func(tx *db.Tx) error {
		m, err := merchant.Lock(ctx, tx, s.merchant.ID)
		if err != nil {
			return err
		}
		m.Offset = 40 * 24 * time.Hour
		job.Shift(tx, m.ID, m.Offset)
		return merchant.Save(tx, m)
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// told counts the events that were told of.
func (s *sharing) told() int {
	distinct := map[string]bool{}
	for _, n := range s.receiver.all() {
		distinct[n.eventID] = true
	}
	return len(distinct)
}

// check demands that everything expired once and was told of in order.
func (s *sharing) check() {
	s.t.Helper()
	times := map[string]int{}
	ended := map[string]logged{}
	for _, e := range feed(s.t, s.client) {
		if e.Type == "offer.expired" || e.Type == "deferred_payment.expiry" {
			times[e.Object]++
			ended[e.ID] = e
		}
	}
	for object, n := range times {
		if n != 1 {
			s.t.Errorf("%s expired %d times", object, n)
		}
	}
	if len(times) != 2*shares {
		s.t.Errorf("%d objects of %d expired", len(times), 2*shares)
	}
	for _, id := range s.payments {
		if p := s.view(s.t, id); p.Status != "expired" || p.ExpiredAuthorisation != 1000 || len(p.Events) != 1 {
			s.t.Errorf("%+v", p)
		}
	}
	s.receiver.await(s.t, ended)
	inOrder(s.t, s.receiver.all())
	verify(s.t, s.db)
}

// gather holds notifications back until so many wait at once, calls met, and
// then lets all pass.
func (r *receiver) gather(t *testing.T, n int, met func()) {
	var mu sync.Mutex
	waiting, passed := 0, make(chan struct{})
	pass := sync.OnceFunc(func() { close(passed) })
	t.Cleanup(pass)
	r.answer = func(notified) int {
		mu.Lock()
		if waiting++; waiting == n {
			met()
			pass()
		}
		mu.Unlock()
		<-passed
		return http.StatusOK
	}
}
