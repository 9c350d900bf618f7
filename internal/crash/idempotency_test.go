package crash

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/merchant"
)

// cluster is one merchant's shop on one or more nodes of the program, all within
// the test process.
type cluster struct {
	*shop
	db       *db.DB
	merchant merchant.Created
	nodes    []*client
}

// eachCluster runs test on one node and on two, on both engines. Two nodes on
// one SQLite file are not how the program is meant to be run, but nothing may
// break there either.
func eachCluster(t *testing.T, test func(t *testing.T, c *cluster)) {
	for nodes := 1; nodes <= 2; nodes++ {
		t.Run(fmt.Sprintf("%d nodes", nodes), func(t *testing.T) {
			t.Parallel()
			dbtest.EachOptions(t, func(t *testing.T, o db.Options) { test(t, newCluster(t, o, nodes)) })
		})
	}
}

func newCluster(t *testing.T, o db.Options, nodes int) *cluster {
	t.Helper()
	c := &cluster{db: open(t, o)}
	c.merchant = stock(t, c.db)
	for n := range nodes {
		d := c.db
		if n > 0 {
			d = open(t, o)
		}
		c.nodes = append(c.nodes, newClient(serve(t, d), c.merchant.SecretKey))
	}
	c.shop = newShop(t, c.nodes[0])
	return c
}

// node is the one that the i-th client talks to.
func (c *cluster) node(i int) *client { return c.nodes[i%len(c.nodes)] }

// ask lets a crowd send requests, the i-th what request makes of i, and returns
// the answers.
func (c *cluster) ask(t *testing.T, request func(i int) (path, key string, body any)) []answer {
	answers := make([]answer, crowd)
	together(crowd, func(i int) {
		path, key, body := request(i)
		answers[i] = c.node(i).post(t, path, key, body)
	})
	return answers
}

// one demands that the answers are one and the same, with this status, and that
// all but one of them are marked as repeated.
func one(t *testing.T, answers []answer, status int) {
	t.Helper()
	if len(answers) == 0 {
		t.Fatal("nothing was answered")
	}
	fresh := 0
	for _, a := range answers {
		if a.status != status || a.body != answers[0].body {
			t.Fatalf("the answers differ: %s\n%v\n%v", tally(answers), answers[0], a)
		}
		if !a.replayed {
			fresh++
		}
	}
	if fresh != 1 {
		t.Errorf("%d of %d equal answers are not marked as repeated", fresh, len(answers))
	}
}

// TestRepeatedCapture sends copies of one capture of all there is: the copies
// that come late must not be refused for what the first one took.
func TestRepeatedCapture(t *testing.T) {
	t.Parallel()
	eachCluster(t, func(t *testing.T, c *cluster) {
		payments := []string{c.payment(t, "one", 10_000), c.payment(t, "two", 10_000)}
		for n := range 4 * soak() {
			payment, key := payments[n%2], fmt.Sprint("key ", n)
			one(t, c.ask(t, func(int) (string, string, any) {
				return actionPath(payment, "capture"), key, object{"amount": 10_000, "metadata": key}
			}), http.StatusCreated)
			one(t, c.ask(t, func(int) (string, string, any) {
				return actionPath(payment, "refund"), key + " back", object{"amount": 10_000}
			}), http.StatusCreated)
			payments[n%2] = c.payment(t, fmt.Sprint("next ", n), 10_000)
			if p := c.view(t, payment); len(p.Events) != 2 {
				t.Errorf("%d events came of one capture and one refund", len(p.Events))
			}
		}
		verify(t, c.db)
	})
}

// TestRepeatedNothing sends copies of requests that find nothing to do.
func TestRepeatedNothing(t *testing.T) {
	t.Parallel()
	eachCluster(t, func(t *testing.T, c *cluster) {
		payment := c.payment(t, "one", 10_000)
		one(t, c.ask(t, func(int) (string, string, any) { return actionPath(payment, "capture_remaining"), "all", nil }), http.StatusCreated)
		one(t, c.ask(t, func(int) (string, string, any) { return actionPath(payment, "capture_remaining"), "rest", nil }), http.StatusOK)
		verify(t, c.db)
	})
}

// TestRepeatedCreation sends copies of requests that make something.
func TestRepeatedCreation(t *testing.T) {
	t.Parallel()
	eachCluster(t, func(t *testing.T, c *cluster) {
		order := c.must(t, 201, "/v1/payment/orders", "", c.newOrder("offered", 10_000)).text(t, "id")
		for _, create := range []struct {
			path, event string
			body        any
		}{
			{"/v1/payment/orders", "order.created", c.newOrder("repeated", 10_000)},
			{"/v1/users", "", c.newUser("repeated@example.com")},
			{"/v1/payment/offers", "offer.created", c.newOffer(order)},
			{"/v1/webhook_endpoints", "", object{"url": "http://127.0.0.1:9999/"}},
		} {
			before := c.events(t, create.event)
			one(t, c.ask(t, func(int) (string, string, any) { return create.path, "key of " + create.path, create.body }), http.StatusCreated)
			if made := c.events(t, create.event) - before; create.event != "" && made != 1 {
				t.Errorf("%s made %d events", create.path, made)
			}
		}
		var users, endpoints struct {
			Count int `json:"count"`
		}
		c.get(t, "/v1/users", &users)
		c.get(t, "/v1/webhook_endpoints", &endpoints)
		if users.Count != 2 || endpoints.Count != 1 {
			t.Errorf("there are %d users and %d endpoints", users.Count, endpoints.Count)
		}
	})
}

// TestRepeatedAcceptance lets a crowd accept one plan, as buyers do who click
// twice.
func TestRepeatedAcceptance(t *testing.T) {
	t.Parallel()
	eachCluster(t, func(t *testing.T, c *cluster) {
		plan := c.offered(t, "keyed", 10_000)
		one(t, c.ask(t, func(int) (string, string, any) { return acceptPath(plan), "accept", byInvoice }), http.StatusCreated)
		plan = c.offered(t, "bare", 10_000)
		answers := c.ask(t, func(int) (string, string, any) { return acceptPath(plan), "", byInvoice })
		made := 0
		for _, a := range answers {
			if a.status == http.StatusCreated {
				made++
			} else if a.status != http.StatusConflict {
				t.Errorf("an acceptance was answered %v", a)
			}
		}
		if made != 1 || c.events(t, "deferred_payment.created") != 2 {
			t.Errorf("%d acceptances succeeded, %d deferred payments were made", made, c.events(t, "deferred_payment.created")-1)
		}
		verify(t, c.db)
	})
}

// events counts the merchant's events of a type, "" for all.
func (c *cluster) events(t *testing.T, kind string) (n int) {
	t.Helper()
	for _, e := range feed(t, c.client) {
		if e.Type == kind || kind == "" {
			n++
		}
	}
	return n
}

// logged is an event of the feed.
type logged struct {
	ID       string `json:"id"`
	Sequence int64  `json:"sequence"`
	Type     string `json:"type"`
	Object   string `json:"object"`
}

// feed reads all events of a merchant.
func feed(t testing.TB, c *client) (out []logged) {
	t.Helper()
	for more, after := true, int64(0); more; {
		var part struct {
			Results []logged `json:"results"`
			Next    int64    `json:"next_after"`
			More    bool     `json:"has_more"`
		}
		c.get(t, fmt.Sprintf("/v1/events?limit=100&after=%d", after), &part)
		out, after, more = append(out, part.Results...), part.Next, part.More
	}
	return out
}

// rivalry is two requests that carry the same key.
type rivalry struct {
	name string
	// request is the i-th request; even and odd ones differ.
	request func(i int) (path string, body any)
	// refusals are what the losers are told when the even or the odd ones win.
	refusals [2]string
}

// rivalries are pairs of requests that a client must not send with one key.
func rivalries(t *testing.T, c *cluster, key string) []rivalry {
	const duplicate = "{\"error\":\"Duplicate `Idempotency-Key` [%s] %s\"}"
	say := func(text string) string { return fmt.Sprintf(duplicate, key, text) }
	amount := say("cannot be used to create an event with a different `amount`.")
	other := say("has been used for another request, the key cannot be used again.")
	kind := func(first, second string) string {
		return say(fmt.Sprintf("has been used to create a `%s` event, the key cannot be used to create a `%s` event.", first, second))
	}
	payment, second := c.payment(t, key, 10_000), c.payment(t, key+" second", 10_000)
	pick := func(i int, even, odd any) any { return []any{even, odd}[i%2] }
	return []rivalry{
		{"amount", func(i int) (string, any) {
			return actionPath(payment, "capture"), object{"amount": pick(i, 10_000, 5_000)}
		}, [2]string{amount, amount}},
		{"type", func(i int) (string, any) {
			return actionPath(payment, pick(i, "capture", "void").(string)), object{"amount": 1000}
		}, [2]string{kind("capture", "void"), kind("void", "capture")}},
		{"payment", func(i int) (string, any) {
			return actionPath(pick(i, payment, second).(string), "capture"), object{"amount": 1000}
		}, [2]string{other, other}},
		{"body", func(i int) (string, any) {
			return "/v1/payment/orders", c.newOrder(pick(i, "even", "odd").(string), 10_000)
		}, [2]string{other, other}},
		{"route", func(i int) (string, any) {
			path := pick(i, actionPath(payment, "capture"), "/v1/payment/orders").(string)
			return path, pick(i, object{"amount": 1000}, c.newOrder("other route", 10_000))
		}, [2]string{other, other}},
	}
}

// TestRivalsWithOneKey sends two different requests with one key, many copies of
// each: one of the two happens, once, and the other is refused.
func TestRivalsWithOneKey(t *testing.T) {
	t.Parallel()
	eachCluster(t, func(t *testing.T, c *cluster) {
		for n := range rivalries(t, c, "count") {
			key := fmt.Sprint("rivals", n)
			r := rivalries(t, c, key)[n]
			before := c.events(t, "")
			answers := c.ask(t, func(i int) (string, string, any) {
				// Half of each kind goes to each node.
				path, body := r.request(i / 2)
				return path, key, body
			})
			var sorted [2][]answer
			for i, a := range answers {
				sorted[i/2%2] = append(sorted[i/2%2], a)
			}
			winner := 0
			if sorted[0][0].status != http.StatusCreated {
				winner = 1
			}
			one(t, sorted[winner], http.StatusCreated)
			for _, a := range sorted[1-winner] {
				if a.status != http.StatusBadRequest || strings.TrimSpace(a.body) != r.refusals[winner] {
					t.Errorf("%s: the loser was told %v\nwant %s", r.name, a, r.refusals[winner])
				}
			}
			if made := c.events(t, "") - before; made != 1 {
				t.Errorf("%s: %d events", r.name, made)
			}
		}
		verify(t, c.db)
	})
}
