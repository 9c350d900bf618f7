package crash

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"math/rand/v2"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

// TestKilledAtRandom kills the program at random moments, while clients capture,
// refund and order, while notifications are on their way, and while it starts.
// The clients repeat what was not answered with the same key. In the end
// everything that was acknowledged has happened, everything has happened once,
// the books are in order, and every event was told of in its order.
func TestKilledAtRandom(t *testing.T) {
	t.Parallel()
	dbtest.EachOptions(t, func(t *testing.T, o db.Options) { newSiege(t, o, 1).run() })
}

// TestOneOfTwoKilledAtRandom kills now the one, now the other of two nodes while
// clients talk to both.
func TestOneOfTwoKilledAtRandom(t *testing.T) {
	t.Parallel()
	newSiege(t, dbtest.Postgres(t), 2).run()
}

// attackers is how many clients keep the program busy while it is killed.
const attackers = 8

// kills is how often the program is killed in one test, and load how many
// requests are sent meanwhile, each time.
const (
	kills = 8
	load  = 90
)

// siege is a program that is killed again and again under load.
type siege struct {
	t        *testing.T
	config   nodeConfig
	db       *db.DB
	merchant string
	random   *rand.Rand
	receiver *receiver
	*shop
	payments []string
	// delivering offers the moment in which a notification is being handled.
	delivering chan chan struct{}

	mu      sync.Mutex
	changed *sync.Cond
	nodes   []*node // nil while it is down
	acks    int
	// left is how many requests the clients may still begin before the next kill.
	left int
	over bool
	done map[string]deed // by key
}

// deed is a request that was acknowledged.
type deed struct {
	path   string
	body   any
	answer answer
}

func newSiege(t *testing.T, o db.Options, nodes int) *siege {
	s := &siege{
		t: t, db: open(t, o), config: nodeOn(t, o), random: seeded(t), receiver: newReceiver(t),
		delivering: make(chan chan struct{}), nodes: make([]*node, nodes), done: map[string]deed{},
	}
	s.changed = sync.NewCond(&s.mu)
	made := stock(t, s.db)
	s.merchant = made.ID
	s.receiver.answer = func(notified) int {
		over := make(chan struct{})
		select {
		case s.delivering <- over:
			<-over
		default:
		}
		return http.StatusOK
	}
	for i := range s.nodes {
		s.nodes[i] = start(t, s.config).mustBeReady()
	}
	s.shop = newShop(t, newClient(s.nodes[0].url, made.SecretKey))
	s.must(t, 201, "/v1/webhook_endpoints", "", object{"url": s.receiver.URL + "/hook"})
	for i := range 8 {
		s.payments = append(s.payments, s.payment(t, fmt.Sprint("besieged ", i), 1_000_000))
	}
	return s
}

func (s *siege) run() {
	begun := time.Now()
	var clients sync.WaitGroup
	for i := range attackers {
		clients.Add(1)
		seed := s.random.Uint64()
		go func() {
			defer clients.Done()
			s.attack(i, rand.New(rand.NewPCG(seed, 3)))
		}()
	}
	for range kills * soak() {
		s.killOnce()
	}
	s.finish()
	clients.Wait()
	loaded := time.Since(begun)
	idle(s.t, s.db)
	s.repeatAll()
	idle(s.t, s.db)
	s.checkEvents()
	s.checkOrders()
	s.checkNotifications()
	for _, n := range s.nodes {
		n.terminate()
		if code := n.wait(); code != 0 {
			s.t.Errorf("the node ended with %d", code)
		}
		if err := n.complained(); err != nil {
			s.t.Error(err)
		}
	}
	r := verify(s.t, s.db)
	s.t.Logf("%d requests acknowledged under %d kills in %s, %d post-sale events, %d notifications, all in %s",
		len(s.done), kills*soak(), loaded.Round(time.Millisecond), r.PostSaleEvents, len(s.receiver.all()), time.Since(begun).Round(time.Millisecond))
}

// killOnce waits for a random moment, kills a random node and starts it again.
func (s *siege) killOnce() {
	i := s.random.IntN(len(s.nodes))
	release := s.moment()
	victim := s.take(i)
	victim.kill()
	release()
	if err := victim.complained(); err != nil {
		s.t.Error(err)
	}
	next := start(s.t, s.config)
	if s.random.IntN(4) == 0 {
		// Once more, somewhere on the way to being ready.
		pause(time.Duration(s.random.IntN(60_000)) * time.Microsecond)
		next.kill()
		next = start(s.t, s.config)
	}
	s.put(i, next.mustBeReady())
}

// moment waits for a random moment under load. What it returns is called once
// the node is dead.
func (s *siege) moment() (release func()) {
	s.allow()
	if s.random.IntN(3) == 0 {
		select {
		case over := <-s.delivering:
			return func() { close(over) }
		case <-time.After(time.Second): // nothing is being delivered
		}
		s.allow()
	}
	s.mu.Lock()
	for until := s.acks + 1 + s.random.IntN(load-attackers); s.acks < until; {
		s.changed.Wait()
	}
	s.mu.Unlock()
	pause(time.Duration(s.random.IntN(3000)) * time.Microsecond)
	return func() {}
}

// allow lets the clients send the requests of one more kill.
func (s *siege) allow() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = load
	s.changed.Broadcast()
}

// pause lets a random time pass: nothing is waited for.
func pause(d time.Duration) { <-time.After(d) }

// take marks a node as down and returns it.
func (s *siege) take(i int) *node {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.nodes[i]
	s.nodes[i] = nil
	return n
}

func (s *siege) put(i int, n *node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nodes[i] = n
	s.changed.Broadcast()
}

// finish tells the clients to end.
func (s *siege) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.changed.Broadcast()
}

// begin waits until one more request may be sent. It reports false when the siege
// is over.
func (s *siege) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.left == 0 && !s.over {
		s.changed.Wait()
	}
	if s.over {
		return false
	}
	s.left--
	return true
}

// up waits until a node is up and returns its address: that of the i-th node, if
// it is one of several that are.
func (s *siege) up(i int) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for k := range s.nodes {
			if n := s.nodes[(i+k)%len(s.nodes)]; n != nil {
				return n.url
			}
		}
		s.changed.Wait()
	}
}

// insist sends a request until it is answered, always with the same key, and
// notes what was acknowledged.
func (s *siege) insist(client int, key, path string, body any) answer {
	for try := 0; ; try++ {
		a, err := s.at(s.up(client+try)).send(http.MethodPost, path, key, body)
		if err != nil {
			continue // the node was killed
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.acks++
		s.changed.Broadcast()
		if a.status == http.StatusCreated {
			s.done[key] = deed{path, body, a}
		}
		return a
	}
}

// attack is one client: it acts until the siege is over.
func (s *siege) attack(client int, r *rand.Rand) {
	for n := 0; s.begin(); n++ {
		key := fmt.Sprintf("%d-%d", client, n)
		switch p := r.IntN(10); {
		case p < 8:
			action := "capture"
			if p > 5 {
				action = "refund"
			}
			path := actionPath(s.payments[r.IntN(len(s.payments))], action)
			a := s.insist(client, key, path, object{"amount": 1 + r.Int64N(100), "metadata": object{"key": key}})
			if a.status != http.StatusCreated && !(action == "refund" && a.status == http.StatusBadRequest && tooMuch.MatchString(a.body)) {
				s.t.Errorf("%s: %v", action, a)
			}
		case p == 8:
			if a := s.insist(client, key, "/v1/payment/orders", s.newOrder(key, 500)); a.status != http.StatusCreated {
				s.t.Errorf("order: %v", a)
			}
		default:
			s.purchase(client, key)
		}
	}
}

// purchase is a whole purchase, each step with a key of its own.
func (s *siege) purchase(client int, key string) {
	var a answer
	step := func(name, path string, body any) bool {
		a = s.insist(client, key+" "+name, path, body)
		if a.status != http.StatusCreated {
			s.t.Errorf("%s: %v", name, a)
		}
		return a.status == http.StatusCreated
	}
	if !step("order", "/v1/payment/orders", s.newOrder(key, 500)) {
		return
	}
	if !step("offer", "/v1/payment/offers", s.newOffer(a.text(s.t, "id"))) {
		return
	}
	if !step("accept", acceptPath(planOf(s.t, a)), byInvoice) {
		return
	}
	payment := a.text(s.t, "id")
	step("capture", actionPath(payment, "capture"), object{"amount": 200, "metadata": object{"key": key + " capture"}})
	step("void", actionPath(payment, "void"), object{"amount": 300, "metadata": object{"key": key + " void"}})
}

// repeatAll sends every acknowledged request again: it is answered as it was.
func (s *siege) repeatAll() {
	keys := make(chan string, len(s.done))
	for key := range s.done {
		keys <- key
	}
	close(keys)
	together(attackers, func(i int) {
		for key := range keys {
			d := s.done[key]
			a := s.at(s.up(i)).post(s.t, d.path, key, d.body)
			if !a.replayed || a.status != d.answer.status || a.body != d.answer.body {
				s.t.Errorf("%s was acknowledged with\n%v\nand is answered now with\n%v (replayed: %v)", key, d.answer, a, a.replayed)
			}
		}
	})
}

// checkEvents counts the events of every key: those that were acknowledged once,
// and no other.
func (s *siege) checkEvents() {
	made := map[string]int{}
	var list struct {
		Count   int               `json:"count"`
		Results []deferredPayment `json:"results"`
	}
	for offset := 0; offset == 0 || offset < list.Count; offset += 100 {
		s.at(s.up(0)).get(s.t, fmt.Sprintf("/v1/payment/deferred_payments?limit=100&offset=%d", offset), &list)
		for _, p := range list.Results {
			for _, e := range p.Events {
				var m struct {
					Key string `json:"key"`
				}
				if err := json.Unmarshal(e.Metadata, &m); err != nil {
					s.t.Error(err)
				}
				made[m.Key]++
			}
		}
	}
	for key, n := range made {
		if _, ok := s.done[key]; !ok || n != 1 {
			s.t.Errorf("%s made %d events, acknowledged: %v", key, n, ok)
		}
	}
	for key, d := range s.done {
		if _, ok := d.body.(object)["amount"]; ok && made[key] != 1 {
			s.t.Errorf("%s was acknowledged and made %d events", key, made[key])
		}
	}
}

// checkOrders counts the orders: those that were acknowledged, and those of the
// payments that were there before.
func (s *siege) checkOrders() {
	want := len(s.payments)
	for _, d := range s.done {
		if d.path == "/v1/payment/orders" {
			want++
		}
	}
	var list struct {
		Count int `json:"count"`
	}
	s.at(s.up(0)).get(s.t, "/v1/payment/orders", &list)
	if list.Count != want {
		s.t.Errorf("there are %d orders, want %d", list.Count, want)
	}
}

// ofOrder tells whether an event is about an order, as those are that a merchant
// is told of.
func ofOrder(e logged) bool {
	kind, _, _ := strings.Cut(e.Type, ".")
	return kind == "order" || kind == "offer" || kind == "deferred_payment"
}

// checkNotifications demands that every event was told of, in order.
func (s *siege) checkNotifications() {
	arrived := s.receiver.all()
	told := map[string]bool{}
	for _, n := range arrived {
		told[n.eventID] = true
	}
	missing := 0
	events := feed(s.t, s.at(s.up(0)))
	for i, e := range events {
		if e.Sequence != int64(i+1) {
			s.t.Fatalf("event %d follows event %d", e.Sequence, i)
		}
		if !told[e.ID] && ofOrder(e) {
			missing++
		}
	}
	if missing > 0 {
		s.t.Errorf("%d of %d events were never told of", missing, len(events))
	}
	if len(told) > len(events) {
		s.t.Errorf("%d events were told of, and there are %d", len(told), len(events))
	}
	inOrder(s.t, arrived)
}
