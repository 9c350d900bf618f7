package house

import (
	"fmt"
	"go/ast"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// place is a package in the house: what stands on its own floor that it may
// import. Everything on lower floors it may import anyway.
type place struct {
	name  string
	knows []string
}

// floor is a storey of the house. Its places stand in an order in which none
// knows a later one, so there is no way round in a circle.
type floor struct {
	name string
	// below are the floors whose packages may be imported.
	below  []string
	places []place
}

// The floors from the ground up. A new package is written in here on the day
// that it is made; what it knows is a decision, so the list names no more than
// what a package needs to know about its neighbours by its nature.
var floors = []floor{
	{name: "files", places: []place{
		{name: "web"}, // what the pages are made of, embedded
	}},
	{name: "kernel", places: []place{
		{name: "internal/apierr"}, {name: "internal/clock"}, {name: "internal/country"}, {name: "internal/db"},
		{name: "internal/form"}, {name: "internal/id"}, {name: "internal/money"}, {name: "internal/page"},
		{name: "internal/pdf"},
		{name: "internal/bankfile", knows: []string{"internal/money"}},
		{name: "internal/calendar", knows: []string{"internal/db"}},
		{name: "internal/exchange", knows: []string{"internal/db", "internal/money"}},
		{name: "internal/event", knows: []string{"internal/db", "internal/id"}},
		{name: "internal/idempotency", knows: []string{"internal/apierr", "internal/db"}},
		{name: "internal/job", knows: []string{"internal/clock", "internal/db", "internal/id"}},
		{name: "internal/ledger", knows: []string{"internal/db"}},
		{name: "internal/secret", knows: []string{"internal/db", "internal/id"}},
		{name: "internal/mail", knows: []string{"internal/clock", "internal/db", "internal/id", "internal/job"}},
		{name: "internal/processor", knows: []string{"internal/money"}},
		{name: "internal/blob", knows: []string{"internal/id"}},
	}},
	{name: "domain", below: []string{"kernel"}, places: []place{
		{name: "internal/merchant"},
		{name: "internal/company", knows: []string{"internal/merchant"}},
		{name: "internal/party", knows: []string{"internal/merchant", "internal/company"}},
		{name: "internal/order", knows: []string{"internal/merchant", "internal/company", "internal/party"}},
		{name: "internal/document", knows: []string{"internal/order"}},
		{name: "internal/underwriting", knows: []string{"internal/merchant", "internal/company", "internal/party",
			"internal/order"}},
		{name: "internal/fraud", knows: []string{"internal/merchant", "internal/company", "internal/order", "internal/document",
			"internal/underwriting"}},
		{name: "internal/credit", knows: []string{"internal/merchant", "internal/underwriting"}},
		{name: "internal/offer", knows: []string{"internal/merchant", "internal/company", "internal/party",
			"internal/order", "internal/underwriting", "internal/credit"}},
		{name: "internal/deferred", knows: []string{"internal/merchant", "internal/company", "internal/party",
			"internal/order", "internal/underwriting", "internal/credit", "internal/offer"}},
		{name: "internal/fulfilment", knows: []string{"internal/order", "internal/deferred"}},
		{name: "internal/billing", knows: []string{"internal/merchant", "internal/deferred"}},
		{name: "internal/payout", knows: []string{"internal/merchant", "internal/deferred"}},
		{name: "internal/repayment", knows: []string{"internal/merchant", "internal/order", "internal/offer", "internal/deferred"}},
		// What the others say of themselves is added up at the end of a day.
		{name: "internal/closing", knows: []string{"internal/merchant", "internal/deferred"}},
		// Notifications live from events, not from those who write them: nobody
		// here knows webhook, and webhook knows nobody but the merchant.
		{name: "internal/webhook", knows: []string{"internal/merchant"}},
	}},
	{name: "pages", below: []string{"files", "kernel", "domain"}, places: []place{
		{name: "internal/web/assets"},
		{name: "internal/web/download"},
		{name: "internal/web/pay", knows: []string{"internal/web/assets"}},
		{name: "internal/web/checkout", knows: []string{"internal/web/assets", "internal/web/pay"}},
	}},
	{name: "wire", below: []string{"kernel", "domain"}, places: []place{
		{name: "internal/api"},
		{name: "internal/api/bnpl", knows: []string{"internal/api"}},
		// The sandbox drives what the other families offer.
		{name: "internal/api/sandbox", knows: []string{"internal/api", "internal/api/bnpl"}},
	}},
	{name: "composition", below: []string{"kernel", "domain", "pages", "wire"}, places: []place{
		{name: "internal/app"},
	}},
	// A shop of somebody else's, that knows the program by its addresses only.
	{name: "shop", below: []string{"kernel"}, places: []place{
		{name: "internal/demo"},
	}},
	{name: "commands", below: []string{"kernel", "domain", "pages", "wire", "composition", "shop"}, places: []place{
		{name: "cmd/tradecredit"},
	}},
	// What tests and measures the program. The program imports none of it.
	{name: "tests", below: []string{"files", "kernel", "domain", "pages", "wire", "composition"}, places: []place{
		{name: "internal/db/dbtest"},
		{name: "internal/api/apitest"},
		{name: "internal/api/fuzz"},
		{name: "internal/app/apptest", knows: []string{"internal/api/apitest", "internal/db/dbtest"}},
		{name: "internal/bench"},
		{name: "internal/bench/closing"},
		{name: "internal/crash"},
		{name: "internal/simulate", knows: []string{"internal/api/apitest", "internal/app/apptest", "internal/db/dbtest"}},
		{name: "internal/house"},
		{name: "e2e"},
	}},
}

// foreign are modules that one package keeps to itself, so that they can be
// replaced in one place. Those that nobody keeps are for tests.
var foreign = map[string]string{
	"database/sql":                "internal/db",
	"github.com/jackc/pgx":        "internal/db",
	"modernc.org/sqlite":          "internal/db",
	"github.com/pressly/goose":    "internal/db",
	"github.com/wneessen/go-mail": "internal/mail",
	"github.com/stripe":           "internal/processor",
	"github.com/emersion":         "internal/mail",
	"code.dny.dev/ssrf":           "internal/webhook",
	"golang.org/x/time/rate":      "internal/api",
	"github.com/biter777":         "internal/country",
	"github.com/minio/minio-go":   "internal/blob",
	"github.com/gabriel-vasile":   "internal/document",
	"github.com/rickar/cal":       "internal/calendar",
	"github.com/xuri/excelize":    "internal/payout",
	"codeberg.org/go-pdf":         "internal/pdf",
	"github.com/lithammer":        "internal/id",
	"cel.dev/cel-go":              "internal/underwriting",
	"github.com/govalues/decimal": "internal/underwriting",
	"math/rand":                   "internal/db",
	"pgregory.net/rapid":          "",
	"github.com/google/go-cmp":    "",
	"github.com/santhosh-tekuri":  "",
}

// storey tells on which floor a package stands.
func storey(folder string) (floor, place, bool) {
	for _, f := range floors {
		for _, p := range f.places {
			if p.name == folder {
				return f, p, true
			}
		}
	}
	return floor{}, place{}, false
}

// importsOf are the packages of this module that a file imports, by folder.
func importsOf(s *source) (own, others []string) {
	for _, spec := range s.file.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		if rest, ok := strings.CutPrefix(name, module+"/"); ok {
			own = append(own, rest)
		} else {
			others = append(others, name)
		}
	}
	return own, others
}

// spec is where a file imports the package of that name.
func spec(s *source, name string) ast.Node {
	for _, spec := range s.file.Imports {
		if spec.Path.Value == strconv.Quote(name) {
			return spec
		}
	}
	return s.file
}

// mayImport returns why a file must not import a package, or nothing.
func mayImport(s *source, target string) string {
	from, here, ok := storey(s.folder())
	if !ok {
		return "" // named by TestEveryPackageHasItsFloor
	}
	to, _, ok := storey(target)
	switch {
	case !ok:
		return fmt.Sprintf("%s stands on no floor", target)
	case s.folder() == target || slices.Contains(here.knows, target) || slices.Contains(from.below, to.name):
		return ""
	case s.test && from.name != "kernel":
		return ""
	case s.test && (to.name == "kernel" || to.name == "tests"):
		return ""
	case from.name == "tests" && to.name == "tests":
		return ""
	case to.name == from.name:
		return fmt.Sprintf("%s is not to know its neighbour %s", s.folder(), target)
	}
	return fmt.Sprintf("the floor of %s is not below that of %s (%s, %s)", target, s.folder(), to.name, from.name)
}

func upward(files []*source) []finding {
	var out []finding
	for _, s := range files {
		own, _ := importsOf(s)
		for _, target := range own {
			if why := mayImport(s, target); why != "" {
				out = append(out, s.found(spec(s, module+"/"+target), target, "%s", why))
			}
		}
	}
	return out
}

// TestImportsGoDown holds every import against the table of floors.
func TestImportsGoDown(t *testing.T) {
	t.Parallel()
	judge(t, upward(all(t, true)), exceptions{})
}

func TestImportsGoDownCanFail(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, target string
		allowed      bool
	}{
		{"internal/db/db.go", "internal/order", false},
		{"internal/db/db_test.go", "internal/order", false},
		{"internal/job/job_test.go", "internal/db/dbtest", true},
		{"internal/job/job.go", "internal/db/dbtest", false},
		{"internal/order/order.go", "internal/db", true},
		{"internal/order/order.go", "internal/merchant", true},
		{"internal/merchant/merchant.go", "internal/order", false},
		{"internal/order/order.go", "internal/deferred", false},
		{"internal/order/order_test.go", "internal/deferred", true},
		{"internal/order/order.go", "internal/webhook", false},
		{"internal/order/order.go", "internal/api", false},
		{"internal/web/pay/pay.go", "internal/api", false},
		{"internal/api/bnpl/order.go", "internal/web/pay", false},
		{"internal/api/bnpl/order.go", "internal/app", false},
		{"internal/order/order.go", "internal/nowhere", false},
		{"internal/order/order.go", "web", false},
		{"internal/web/pay/pay.go", "web", true},
		{"cmd/tradecredit/main.go", "internal/app", true},
		{"internal/app/app.go", "cmd/tradecredit", false},
	} {
		s := snippet(t, c.file, `import _ "tradecredit/`+c.target+`"`)
		if got := len(upward([]*source{s})) == 0; got != c.allowed {
			t.Errorf("%s imports %s: allowed = %v, want %v", c.file, c.target, got, c.allowed)
		}
	}
}

// TestEveryPackageHasItsFloor fails for a package that the table does not name,
// and for a name in the table without a package.
func TestEveryPackageHasItsFloor(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, s := range all(t, true) {
		if seen[s.folder()] {
			continue
		}
		seen[s.folder()] = true
		if _, _, ok := storey(s.folder()); !ok {
			t.Errorf("%s stands on no floor: give it a place in floors_test.go", s.folder())
		}
	}
	for _, f := range floors {
		for _, p := range f.places {
			if !seen[p.name] {
				t.Errorf("%s has a place on the floor %q and no package", p.name, f.name)
			}
		}
	}
}

// TestFloorsHaveNoCircle fails when a place knows one that stands after it.
func TestFloorsHaveNoCircle(t *testing.T) {
	t.Parallel()
	var lower []string
	for _, f := range floors {
		for _, name := range f.below {
			if !slices.Contains(lower, name) {
				t.Errorf("the floor %q stands on %q, which is not below it", f.name, name)
			}
		}
		lower = append(lower, f.name)
		var before []string
		for _, p := range f.places {
			for _, name := range p.knows {
				if !slices.Contains(before, name) {
					t.Errorf("%s knows %s, which does not stand before it on the floor %q", p.name, name, f.name)
				}
			}
			before = append(before, p.name)
		}
	}
}

func strangers(files []*source) []finding {
	var out []finding
	for _, s := range files {
		if f, _, _ := storey(s.folder()); s.test || f.name == "tests" {
			continue
		}
		_, others := importsOf(s)
		for _, name := range others {
			for prefix, keeper := range foreign {
				if (name == prefix || strings.HasPrefix(name, prefix+"/")) && keeper != s.folder() {
					out = append(out, s.found(spec(s, name), name, "only %q imports %s", keeper, prefix))
				}
			}
		}
	}
	return out
}

// TestForeignModulesHaveOneKeeper fails when a module from outside is used by
// another package than the one that keeps it.
func TestForeignModulesHaveOneKeeper(t *testing.T) {
	t.Parallel()
	judge(t, strangers(all(t, false)), exceptions{
		"internal/company/sandbox.go math/rand/v2":       "makes the same companies up every time, from a fixed seed",
		"internal/company/sandbox_lands.go math/rand/v2": "makes the same companies up every time, from a fixed seed",
	})
	if got := strangers([]*source{snippet(t, "internal/order/order.go", `import "github.com/jackc/pgx/v5"`)}); len(got) != 1 {
		t.Errorf("a stranger was not seen: %v", got)
	}
}

// talkers use more of net/http than the names of the statuses, though they stand
// below the wire.
func talkers(files []*source) []finding {
	return inEach(files, func(s *source, d ast.Decl, name string) (out []finding) {
		if f, _, _ := storey(s.folder()); f.name != "kernel" && f.name != "domain" {
			return nil
		}
		ast.Inspect(d, func(n ast.Node) bool {
			if what := member(s, n, "net/http"); what != "" && !strings.HasPrefix(what, "Status") {
				out = append(out, s.found(n, name, "http.%s below the wire", what))
			}
			return true
		})
		return out
	})
}

// TestNoHTTPBelowTheWire keeps HTTP out of the domain and the kernel.
func TestNoHTTPBelowTheWire(t *testing.T) {
	t.Parallel()
	judge(t, talkers(all(t, false)), exceptions{
		"internal/blob/s3.go":                 "calls the store of files over HTTP",
		"internal/processor/stripe.go":        "calls Stripe, with deadlines of its own",
		"internal/page/page.go":               "a page names the addresses of its neighbours, made from its own",
		"internal/webhook/client.go":          "calls the addresses of merchants",
		"internal/webhook/service.go Service": "keeps the connections to the addresses of merchants",
	})
	if got := talkers([]*source{snippet(t, "internal/order/order.go",
		`import "net/http"
		func f(r *http.Request) int { return http.StatusOK }`)}); len(got) != 1 {
		t.Errorf("a request below the wire was not seen: %v", got)
	}
}

// thinkers are the files of a domain package that hold its rules: those without
// a store or use cases in them.
func thinkers(files []*source) []finding {
	var out []finding
	for _, s := range files {
		if f, _, _ := storey(s.folder()); f.name != "domain" || s.test || path.Base(s.path) != "rules.go" {
			continue
		}
		own, others := importsOf(s)
		for _, name := range append(own, others...) {
			if slices.Contains([]string{"context", "internal/db", "internal/clock", "internal/event", "internal/job"}, name) {
				out = append(out, s.found(s.file, name, "rules know neither context, database nor clock"))
			}
		}
	}
	return out
}

// TestRulesArePure keeps the outside away from rules.go.
func TestRulesArePure(t *testing.T) {
	t.Parallel()
	judge(t, thinkers(all(t, false)), exceptions{})
	if got := thinkers([]*source{snippet(t, "internal/order/rules.go", `import "context"`)}); len(got) != 1 {
		t.Errorf("a context in a rule was not seen: %v", got)
	}
}

// TestDomainFolders fails for a folder under internal that holds no Go file at
// all and is no container of packages: a floor plan with an empty room.
func TestDomainFolders(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(filepath.Join(root, "internal"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		found := slices.ContainsFunc(all(t, true), func(s *source) bool {
			return strings.HasPrefix(s.path, "internal/"+e.Name()+"/")
		})
		if e.IsDir() && !found {
			t.Errorf("internal/%s holds no package", e.Name())
		}
	}
}
