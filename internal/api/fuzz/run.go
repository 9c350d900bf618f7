package fuzz

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Options say what is fuzzed and how.
type Options struct {
	Handler http.Handler
	// Seeds are requests that succeed, or did once. The documented example of
	// every operation is a seed as well.
	Seeds []Request
	// Reseed, when set, is asked for fresh seeds now and then: an exhausted object
	// refuses everything for one and the same reason.
	Reseed func() []Request
	// Key is a secret key.
	Key string
	// Requests is how many to send; 0 is TRADECREDIT_FUZZ_REQUESTS, or 20,000.
	Requests int
	// Seed starts the sequence; 0 is TRADECREDIT_FUZZ_SEED, or 1.
	Seed uint64
	// Document is what answers are held against; nil checks less.
	Document *Document
}

// Report is what came of it.
type Report struct {
	Seed     uint64
	Requests int
	Statuses map[int]int
	// Succeeded counts the answers of success of each operation, "POST /v1/orders".
	Succeeded map[string]int
	Failures  []Failure
}

// Failure is an answer that should not have been given, the first of its sort.
type Failure struct {
	// N numbers the request from 1.
	N       int
	Request Request
	Status  int
	Body    []byte
	Fault   string
}

func (f Failure) String() string {
	return fmt.Sprintf("request %d: %s\n%s\nanswered %d %s", f.N, f.Fault, f.Request, f.Status, shortened(string(f.Body)))
}

// The exploration asks for fresh seeds after so many requests, and stops after
// so many sorts of failures.
const (
	reseedEvery = 1000
	maxFailures = 25
)

// Run explores and fails the test for everything it finds. It also fails when
// nothing at all succeeded: then only the refusals were tested.
func Run(t testing.TB, o Options) Report {
	t.Helper()
	o.defaults(testing.Short())
	report := Explore(t.Context(), o)
	for _, f := range report.Failures {
		t.Errorf("%s", f)
	}
	if t.Failed() {
		t.Logf("to repeat: TRADECREDIT_FUZZ_SEED=%d TRADECREDIT_FUZZ_REQUESTS=%d", report.Seed, report.Requests)
	}
	if len(report.Succeeded) == 0 {
		t.Errorf("of %d requests none succeeded: %v", report.Requests, report.Statuses)
	}
	t.Logf("%d requests, answers by status %v", report.Requests, report.Statuses)
	if o.Document != nil {
		if never := o.Document.without(report.Succeeded); len(never) > 0 {
			t.Logf("never succeeded: %s", strings.Join(never, ", "))
		}
	}
	return report
}

func (o *Options) defaults(short bool) {
	if n, err := strconv.Atoi(os.Getenv("TRADECREDIT_FUZZ_REQUESTS")); o.Requests == 0 && err == nil {
		o.Requests = n
	}
	if n, err := strconv.ParseUint(os.Getenv("TRADECREDIT_FUZZ_SEED"), 10, 64); o.Seed == 0 && err == nil {
		o.Seed = n
	}
	if o.Requests == 0 {
		o.Requests = 20000
		if short {
			o.Requests = 2000
		}
	}
	o.Seed = cmp.Or(o.Seed, 1)
}

// explorer is an exploration on its way.
type explorer struct {
	Options
	report Report
	seen   map[string]bool // sorts of failures
	// reseedAt is after how many requests fresh seeds are due.
	reseedAt int
	// attempts counts the requests that no server would let through as well.
	attempts int
}

// Explore sends the requests and reports what it found. Requests and Seed must be
// set. One seed gives one sequence, as far as the handler answers alike.
func Explore(ctx context.Context, o Options) Report {
	e := &explorer{Options: o, seen: map[string]bool{}, reseedAt: reseedEvery, report: Report{
		Seed: o.Seed, Statuses: map[int]int{}, Succeeded: map[string]int{},
	}}
	m := &mutator{rnd: rand.New(rand.NewPCG(o.Seed, 0)), pool: newPool(), queries: queries}
	var documented []Request
	if o.Document != nil {
		documented = o.Document.seeds()
		known := o.Document.queries()
		m.queries, m.documented = append(known, queries...), len(known)
	}
	e.learn(m.pool, o.Seeds)
	// Every seed goes first as it is: what succeeds makes the objects that the
	// others need.
	all := slices.Concat(o.Seeds, documented)
	for _, r := range all {
		e.one(ctx, m.pool, Request{r.Method, string(m.bind([]byte(r.Target))), r.clone().Header, m.bind(r.Body)})
	}
	// Half of the requests go through all seeds value by value, the rest is chance.
	for _, b := range m.sweep(all) {
		if e.done(ctx, o.Requests/2) {
			break
		}
		e.reseed(m.pool)
		e.one(ctx, m.pool, m.strike(b))
	}
	for len(all) > 0 && !e.done(ctx, o.Requests) {
		e.reseed(m.pool)
		from := e.Seeds
		if len(from) == 0 || len(documented) > 0 && m.chance(50) {
			from = documented
		}
		e.one(ctx, m.pool, m.request(pick(m, from)))
	}
	return e.report
}

// done tells whether enough was sent, or enough was found.
func (e *explorer) done(ctx context.Context, requests int) bool {
	return e.report.Requests >= requests || e.attempts >= 20*requests || len(e.report.Failures) >= maxFailures || ctx.Err() != nil
}

// reseed asks for fresh seeds now and then.
func (e *explorer) reseed(p *pool) {
	if e.Reseed != nil && e.report.Requests >= e.reseedAt {
		e.reseedAt = e.report.Requests + reseedEvery
		e.Seeds = e.Reseed()
		e.learn(p, e.Seeds)
	}
}

func (e *explorer) learn(p *pool, seeds []Request) {
	for _, r := range seeds {
		p.learn([]byte(r.Target))
		p.learn(r.Body)
	}
}

// one sends a request and looks at the answer.
func (e *explorer) one(ctx context.Context, p *pool, r Request) {
	e.attempts++
	out, ok := r.sendable(ctx, e.Key)
	if !ok {
		return
	}
	e.report.Requests++
	a := send(e.Handler, out)
	e.report.Statuses[a.status]++
	if a.status >= 200 && a.status < 300 {
		e.report.Succeeded[e.operation(r)]++
		p.learn(a.body)
		p.learn([]byte(a.header.Get("Request-Id")))
	}
	fault := e.fault(r, a)
	sort := fmt.Sprintf("%s %d %s", e.operation(r), a.status, firstLines(fault))
	if fault == "" || e.seen[sort] {
		return
	}
	e.seen[sort] = true
	e.report.Failures = append(e.report.Failures, Failure{e.report.Requests, r, a.status, a.body, fault})
}

var digits = regexp.MustCompile(`[0-9]+`)

// firstLines is what two failures of one sort have in common: which item of a
// list it was does not matter.
func firstLines(fault string) string {
	lines := strings.SplitN(fault, "\n", 3)
	return digits.ReplaceAllString(strings.Join(lines[:min(2, len(lines))], "\n"), "#")
}

// operation names what a request is about: method and path of the document, or
// the method alone.
func (e *explorer) operation(r Request) string {
	method := strings.ToUpper(r.Method)
	if e.Document == nil {
		return method
	}
	for _, op := range e.Document.find(r.path()) {
		return method + " " + op.path
	}
	return method
}

// seeds are the documented requests.
func (d *Document) seeds() []Request {
	var out []Request
	for _, path := range d.order {
		for _, method := range []string{"POST", "GET", "PUT", "PATCH", "DELETE"} {
			op := d.operations[path][method]
			if op == nil {
				continue
			}
			r := Request{Method: method, Target: op.target, Header: http.Header{}, Body: op.body}
			if op.bodyType != "" {
				r.Header.Set("Content-Type", op.bodyType)
			}
			out = append(out, r)
		}
	}
	return out
}

// queries are the names of all parameters of queries, sorted.
func (d *Document) queries() []string {
	var out []string
	for _, path := range d.order {
		for _, method := range slices.Sorted(maps.Keys(d.operations[path])) {
			out = append(out, d.operations[path][method].query...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// without lists the operations that are not among those that succeeded.
func (d *Document) without(succeeded map[string]int) []string {
	var out []string
	for _, path := range d.order {
		for _, method := range slices.Sorted(maps.Keys(d.operations[path])) {
			if name := method + " " + path; succeeded[name] == 0 {
				out = append(out, name)
			}
		}
	}
	return out
}
