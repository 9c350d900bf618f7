package house

import (
	"go/ast"
	"go/token"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// statement is a constant of type db.SQL.
type statement struct {
	constant
	text string
}

// constant is a constant at the top of a package or within a function.
type constant struct {
	in    *source
	name  string
	spec  *ast.ValueSpec
	value ast.Expr
}

func (c constant) where() string { return c.in.path + " " + c.name }

func (c constant) finding(what string) finding { return c.in.found(c.spec, c.name, "%s", what) }

// library is what the packages of the module declare as constants, by folder.
type library map[string]map[string]constant

func libraryOf(files []*source) library {
	out := library{}
	for _, s := range files {
		of := out[s.folder()]
		if of == nil {
			of = map[string]constant{}
			out[s.folder()] = of
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			d, ok := n.(*ast.GenDecl)
			if !ok || d.Tok != token.CONST {
				return true
			}
			for _, spec := range d.Specs {
				v := spec.(*ast.ValueSpec)
				for i, name := range v.Names {
					if i < len(v.Values) {
						of[name.Name] = constant{s, name.Name, v, v.Values[i]}
					}
				}
			}
			return true
		})
	}
	return out
}

// text is the value of a string expression made of literals and constants.
func (l library) text(folder string, e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		v, err := strconv.Unquote(e.Value)
		return v, err == nil && e.Kind == token.STRING
	case *ast.ParenExpr:
		return l.text(folder, e.X)
	case *ast.CallExpr: // a conversion
		if len(e.Args) == 1 {
			return l.text(folder, e.Args[0])
		}
	case *ast.Ident:
		if c, ok := l[folder][e.Name]; ok {
			return l.text(folder, c.value)
		}
	case *ast.BinaryExpr:
		x, ok := l.text(folder, e.X)
		y, fine := l.text(folder, e.Y)
		return x + y, ok && fine && e.Op == token.ADD
	}
	return "", false
}

// isSQL tells whether an expression is of type db.SQL. names are those that are
// known to be, beside the constants of the folder.
func (l library) isSQL(s *source, e ast.Expr, names map[string]bool) bool {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return l.isSQL(s, e.X, names)
	case *ast.CallExpr:
		return isSQLType(s, e.Fun)
	case *ast.BinaryExpr:
		return l.isSQL(s, e.X, names) || l.isSQL(s, e.Y, names)
	case *ast.Ident:
		c, ok := l[s.folder()][e.Name]
		return names[e.Name] || ok && (isSQLType(c.in, c.spec.Type) || c.spec.Type == nil && l.isSQL(c.in, c.value, nil))
	}
	return false
}

func isSQLType(s *source, e ast.Expr) bool {
	return e != nil && member(s, e, module+"/internal/db") == "SQL"
}

// statements are all statements of the files, and the constants that they are
// made of.
func (l library) statements() (found []statement, parts map[*ast.ValueSpec]bool, broken []finding) {
	parts = map[*ast.ValueSpec]bool{}
	for _, folder := range slices.Sorted(maps.Keys(l)) {
		for _, name := range slices.Sorted(maps.Keys(l[folder])) {
			c := l[folder][name]
			if !l.isSQL(c.in, &ast.Ident{Name: name}, nil) {
				continue
			}
			text, ok := l.text(folder, c.value)
			if !ok {
				broken = append(broken, c.finding("cannot be read: a statement is made of literals and constants of its package"))
			}
			found = append(found, statement{c, text})
			l.mark(folder, c, parts)
		}
	}
	return found, parts, broken
}

func (l library) mark(folder string, c constant, parts map[*ast.ValueSpec]bool) {
	parts[c.spec] = true
	ast.Inspect(c.value, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if part, ok := l[folder][id.Name]; ok {
				l.mark(folder, part, parts)
			}
		}
		return true
	})
}

func TestStatementsAreFound(t *testing.T) {
	t.Parallel()
	found, _, broken := libraryOf(program(t)).statements()
	judge(t, broken, exceptions{})
	if len(found) < 100 {
		t.Errorf("only %d statements found: the tests look in the wrong place", len(found))
	}
	s := snippet(t, "internal/order/store.go", `import "tradecredit/internal/db"
		const columns = "a, b"
		const (
			one db.SQL = "SELECT " + columns + " FROM t"
			two        = one + " FOR UPDATE"
		)
		const three = db.SQL("DELETE FROM t")
		const none = "SELECT"`)
	found, _, broken = libraryOf([]*source{s}).statements()
	var got []string
	for _, f := range found {
		got = append(got, f.name+": "+f.text)
	}
	want := []string{"one: SELECT a, b FROM t", "three: DELETE FROM t", "two: SELECT a, b FROM t FOR UPDATE"}
	if !slices.Equal(got, want) || len(broken) != 0 {
		t.Errorf("got %q, %v", got, broken)
	}
}

// unused are the statements that no function names, not even by another
// statement.
func unused(files []*source) []finding {
	l := libraryOf(files)
	found, _, _ := l.statements()
	named := map[string]bool{} // folder and name
	var use func(folder, name string)
	use = func(folder, name string) {
		if key := folder + " " + name; !named[key] {
			named[key] = true
			if c, ok := l[folder][name]; ok {
				ast.Inspect(c.value, func(n ast.Node) bool {
					if id, ok := n.(*ast.Ident); ok {
						use(folder, id.Name)
					}
					return true
				})
			}
		}
	}
	for _, s := range files {
		ast.Inspect(s.file, func(n ast.Node) bool {
			if d, ok := n.(*ast.GenDecl); ok && d.Tok == token.CONST {
				return false
			}
			if id, ok := n.(*ast.Ident); ok {
				use(s.folder(), id.Name)
			}
			return true
		})
	}
	var out []finding
	for _, st := range found {
		if !named[st.in.folder()+" "+st.name] {
			out = append(out, st.finding("nobody uses this statement"))
		}
	}
	return out
}

func TestEveryStatementIsUsed(t *testing.T) {
	t.Parallel()
	judge(t, unused(program(t)), exceptions{})
	s := snippet(t, "internal/order/store.go", `import "tradecredit/internal/db"
		const (
			one   db.SQL = "SELECT 1"
			two   db.SQL = one + " FOR UPDATE"
			three db.SQL = two + " SKIP LOCKED"
			four  db.SQL = "SELECT 4"
		)
		func f() db.SQL { return two }`)
	if got := unused([]*source{s}); len(got) != 2 {
		t.Errorf("of three and four, these were seen to be unused: %v", got)
	}
}

var (
	// sqlStart begins a statement, sqlPart belongs to one.
	sqlStart = regexp.MustCompile(`^\s*(SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM|WITH \w+ AS|CREATE (TABLE|INDEX|UNIQUE)|ALTER TABLE|DROP (TABLE|INDEX)|TRUNCATE|ANALYZE|VACUUM|PRAGMA)\b`)
	sqlPart  = regexp.MustCompile(`(^|\s)(FROM \w+ |WHERE |AND |OR |ORDER BY |LIMIT |OFFSET |VALUES \()[^"]*\$\d|(^|\s)(ORDER BY \w|FOR UPDATE|LIMIT (\d|%|$)|WHERE \w+ (=|<|>|IN|IS))`)
)

// handmade are the places where SQL is something else than a constant.
func handmade(files []*source) []finding {
	l := libraryOf(files)
	_, parts, _ := l.statements()
	return inEach(files, func(s *source, d ast.Decl, name string) (out []finding) {
		if s.folder() == "internal/db" {
			return nil
		}
		names := map[string]bool{}
		ast.Inspect(d, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ValueSpec:
				if parts[n] {
					return false
				}
				if isSQLType(s, n.Type) {
					out = append(out, s.found(n, name, "a statement is a constant, not a variable"))
				}
			case *ast.Field: // of a parameter list
				if isSQLType(s, n.Type) {
					for _, id := range n.Names {
						names[id.Name] = true
					}
				}
			case *ast.CallExpr:
				if isSQLType(s, n.Fun) {
					out = append(out, s.found(n, name, "a text is made a statement"))
				}
			case *ast.BinaryExpr:
				if n.Op == token.ADD && l.isSQL(s, n, names) {
					out = append(out, s.found(n, name, "a statement is put together outside of a constant"))
				}
			case *ast.BasicLit:
				text, _ := strconv.Unquote(n.Value)
				if n.Kind == token.STRING && (sqlStart.MatchString(text) || sqlPart.MatchString(text)) {
					out = append(out, s.found(n, name, "SQL outside of a constant of type db.SQL: %.40q", text))
				}
			}
			return true
		})
		return out
	})
}

// TestNoHandmadeSQL fails where a statement is anything but a constant: input
// reaches the engines through parameters only.
func TestNoHandmadeSQL(t *testing.T) {
	t.Parallel()
	judge(t, handmade(program(t)), exceptions{})
	for _, c := range []struct {
		code string
		want int
	}{
		{`const a db.SQL = "SELECT 1"`, 0},
		{`const b = "SELECT a FROM t"; const a db.SQL = b + " LIMIT $1"`, 0},
		{`func f() string { const a db.SQL = "SELECT 1"; return string(a) }`, 0},
		{`func f(q db.SQL) db.SQL { return q }`, 0},
		{`func f() string { return "Select a plan and update the order" }`, 0},
		{`var a db.SQL = "x"`, 1},
		{`func f(name string) string { return "DELETE FROM " + name }`, 1},
		{`func f(x string) db.SQL { return db.SQL(x) }`, 1},
		{`func f(q db.SQL) db.SQL { return q + " more" }`, 1},
		{`const a db.SQL = "SELECT 1"; func f() db.SQL { return a + " LIMIT 1" }`, 2},
		{`import "fmt"; func f(n int) string { return fmt.Sprintf("SELECT a FROM t LIMIT %d", n) }`, 1},
	} {
		imports := `import "tradecredit/internal/db"`
		if rest, ok := strings.CutPrefix(c.code, `import "fmt"; `); ok {
			imports, c.code = imports+"\n"+`import "fmt"`, rest
		}
		if got := handmade([]*source{snippet(t, "internal/order/store.go", imports+"\n"+c.code)}); len(got) != c.want {
			t.Errorf("%s: %d findings, want %d: %v", c.code, len(got), c.want, got)
		}
	}
}

var writes = regexp.MustCompile(`\b(?:INSERT INTO|DELETE FROM|(?:^|[^RO] )UPDATE)\s+(\w+)`)

// written are the tables that a statement changes.
func written(text string) (tables []string) {
	for _, m := range writes.FindAllStringSubmatch(strings.Join(strings.Fields(text), " "), -1) {
		tables = append(tables, m[1])
	}
	return tables
}

func TestWritten(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"INSERT INTO a (b) VALUES (1) ON CONFLICT (b) DO UPDATE SET c = 1": {"a"},
		"UPDATE a\n\tSET b = 1":                    {"a"},
		"SELECT b FROM a FOR UPDATE OF a":          {},
		"SELECT b FROM a FOR NO KEY UPDATE":        {},
		"DELETE FROM a WHERE b = 1":                {"a"},
		"WITH x AS (DELETE FROM a) UPDATE c SET d": {"a", "c"},
	} {
		if got := written(text); !slices.Equal(got, want) {
			t.Errorf("%q writes %q, want %q", text, got, want)
		}
	}
}

// rivals are the statements that write a table which another package writes.
// writer says whose every table is.
func rivals(found []statement) (out []finding, writer map[string]string) {
	writer = map[string]string{}
	for _, st := range found {
		for _, table := range written(st.text) {
			folder := st.in.folder()
			if other := writer[table]; other != "" && other != folder {
				out = append(out, st.finding("writes the table "+table+" like "+other))
			}
			writer[table] = folder
		}
	}
	return out, writer
}

// TestATableHasOneWriter fails when two packages write one table, and for a
// table that nobody writes.
func TestATableHasOneWriter(t *testing.T) {
	t.Parallel()
	found, _, _ := libraryOf(program(t)).statements()
	out, writer := rivals(found)
	judge(t, out, exceptions{})
	for table := range schema(t) {
		if writer[table] == "" {
			t.Errorf("the migrations make the table %s, which nobody writes", table)
		}
	}
	const imports = "import \"tradecredit/internal/db\"\n"
	found, _, _ = libraryOf([]*source{
		snippet(t, "internal/order/store.go", imports+`const a db.SQL = "INSERT INTO orders (id) VALUES ($1)"`),
		snippet(t, "internal/offer/store.go", imports+`const a db.SQL = "UPDATE orders SET id = $1"
			const b db.SQL = "SELECT id FROM orders FOR UPDATE"`),
	}).statements()
	if out, _ = rivals(found); len(out) != 1 {
		t.Errorf("a second writer was not seen: %v", out)
	}
}

// TestStatementsStandOnTheirFloors keeps SQL in the domain and the kernel.
func TestStatementsStandOnTheirFloors(t *testing.T) {
	t.Parallel()
	found, _, _ := libraryOf(program(t)).statements()
	var out []finding
	for _, st := range found {
		if f, _, _ := storey(st.in.folder()); f.name != "domain" && f.name != "kernel" {
			out = append(out, st.finding("a statement on the floor "+f.name))
		}
	}
	judge(t, out, exceptions{
		"internal/api/requestlog.go": "the log of requests is about the wire and nothing behind it",
	})
}

var (
	createTable = regexp.MustCompile(`(?s)CREATE TABLE (\w+) \((.*?)\n\)`)
	renameTable = regexp.MustCompile(`ALTER TABLE (\w+) RENAME TO (\w+)`)
	mentions    = regexp.MustCompile(`\b(?:FROM|JOIN|UPDATE|INTO)\s+(\w+)`)
)

// schema is what the migrations make: the text between the parentheses of every
// table.
func schema(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := walk(func(name, text string) error {
		if strings.HasPrefix(name, "internal/db/migrations/") {
			for _, m := range createTable.FindAllStringSubmatch(text, -1) {
				out[m[1]] = m[2]
			}
			for _, m := range renameTable.FindAllStringSubmatch(text, -1) {
				out[m[2]] = out[m[1]]
				delete(out, m[1])
			}
		}
		return nil
	})
	if err != nil || len(out) < 15 {
		t.Fatalf("%d tables found: %v", len(out), err)
	}
	return out
}

// crossing are the statements on tables of merchants that do not say which
// merchant.
func crossing(found []statement, tables map[string]string) (out []finding) {
	for _, st := range found {
		if strings.HasPrefix(st.text, "INSERT") || strings.Contains(st.text, "merchant_id = ") {
			continue
		}
		for _, m := range mentions.FindAllStringSubmatch(st.text, -1) {
			if strings.Contains(tables[m[1]], "merchant_id") {
				out = append(out, st.finding("reaches into "+m[1]+" of every merchant"))
				break
			}
		}
	}
	return out
}

// TestStatementsNameTheirMerchant fails for a statement that could show one
// merchant what belongs to another.
func TestStatementsNameTheirMerchant(t *testing.T) {
	t.Parallel()
	found, _, _ := libraryOf(program(t)).statements()
	judge(t, crossing(found, schema(t)), exceptions{
		"internal/api/requestlog.go purgeRequests":              "what is too old goes, whosever it is",
		"internal/credit/store.go selectAll":                    "verify adds up what is in use at all merchants",
		"internal/credit/store.go selectUses":                   "of the lender's limit is in use what all merchants have sold",
		"internal/deferred/store.go numberTaken":                "numbers for people are unique over all merchants; it counts",
		"internal/document/store.go selectAnyDocument":          "for the operator of the house",
		"internal/document/store.go selectAnyBuyerDocument":     "for the operator of the house",
		"internal/document/store.go selectAnyBuyerDocuments":    "for the operator of the house",
		"internal/event/event.go selectWaiting":                 "the chainer serves all merchants",
		"internal/event/event.go deleteOutbox":                  "names the merchant of each row",
		"internal/fraud/store.go selectOthers":                  "identifiers are compared over all merchants; it counts",
		"internal/fraud/store.go selectAttempts":                "identifiers are counted over all merchants; it shows amounts only",
		"internal/fraud/store.go purgeAttempts":                 "what is too old goes, whosever it is",
		"internal/fraud/store.go purgeDecisions":                "what is too old goes, whosever it is",
		"internal/fraud/store.go purgeIdentifiers":              "what is too old goes, whosever it is",
		"internal/idempotency/idempotency.go purge":             "what is too old goes, whosever it is",
		"internal/job/due.go waitingDue":                        "the runner serves all merchants",
		"internal/job/due.go parkedDue":                         "for the operator of the house",
		"internal/job/job.go parkedJobs":                        "for the operator of the house",
		"internal/job/job.go claimable":                         "the runner serves all merchants",
		"internal/job/job.go claimJobs":                         "changes what claimable found, by id",
		"internal/job/lease.go renewJobs":                       "changes what claimable found, by id",
		"internal/job/lease.go releaseJobs":                     "changes what claimable found, by id",
		"internal/job/job.go finishJob":                         "changes what claimable found, by id",
		"internal/job/job.go retryJob":                          "changes what claimable found, by id",
		"internal/job/job.go parkJob":                           "changes what claimable found, by id",
		"internal/job/job.go soonest":                           "the runner serves all merchants",
		"internal/billing/store_statement.go statementNumbered": "a transfer to the lender names a statement and no merchant",
		"internal/merchant/store.go selectKey":                  "the key says which merchant it is",
		"internal/offer/store.go selectPlan":                    "the hosted page knows nothing but the plan in its address",
		"internal/repayment/bank_store.go debtsNamed":           "a transfer to the lender names a number and no merchant",
		"internal/repayment/bankorder.go updateBankOrder":       "changes what was found by the bank's reference",
		"internal/repayment/bankorder.go lockBankOrder":         "the bank knows orders by their reference alone",
		"internal/repayment/bankorder.go bankOrdersByID":        "the bank knows orders by their reference alone",
		"internal/repayment/bankorder.go bankOrdersOf":          "a file for the bank is for all merchants",
		"internal/repayment/bankorder.go bankOrdersBatch":       "a file for the bank is for all merchants",
		"internal/repayment/bankorder.go pendingOrders":         "a file for the bank is for all merchants",
		"internal/repayment/bankorder.go mandateOrders":         "the bank knows debits by the reference of the mandate",
		"internal/repayment/mandate.go selectByMandate":         "references of mandates are unique over all merchants",
		"internal/repayment/promise.go selectStates":            "for the operator of the house",
		"internal/repayment/provider.go processedByID":          "the processor knows charges by their own identifiers",
		"internal/repayment/provider.go processedAs":            "the processor knows charges by its own references",
		"internal/payout/payout_store.go byReference":           "the bank knows payouts by their reference alone",
		"internal/payout/payout_store.go taken":                 "references are unique over all merchants; it counts",
		"internal/payout/payout_store.go payoutsOfDays":         "for the operator of the house",
		"internal/payout/payout_store.go payoutsOfFile":         "a file for the bank pays all merchants",
		"internal/payout/payout_store.go readyPayouts":          "a file for the bank pays all merchants",
		"internal/payout/payout_store.go waitingPayouts":        "for the operator of the house",
	})
}

func TestStatementsNameTheirMerchantCanFail(t *testing.T) {
	t.Parallel()
	found, _, _ := libraryOf([]*source{snippet(t, "internal/order/store.go", `import "tradecredit/internal/db"
		const a db.SQL = "SELECT 1 FROM orders WHERE merchant_id = $1 AND id = $2"
		const b db.SQL = "SELECT 1 FROM orders WHERE id = $1"
		const c db.SQL = "SELECT 1 FROM companies WHERE id = $1"`)}).statements()
	if got := crossing(found, schema(t)); len(got) != 1 {
		t.Errorf("of the three, b reaches too far: %v", got)
	}
}

// TestMerchantLeadsEveryKey fails for a table of merchants whose primary key
// does not begin with the merchant: a distributed PostgreSQL shards by it.
func TestMerchantLeadsEveryKey(t *testing.T) {
	t.Parallel()
	key := regexp.MustCompile(`PRIMARY KEY \((\w+)|\{\{serial_pk (\w+)|(\w+) (?:TEXT|BIGINT) NOT NULL PRIMARY KEY`)
	except := map[string]string{
		"api_keys": "is read before the merchant is known",
		"jobs":     "is a queue of the whole house",
		// A buyer's exposure to the lender is over all merchants.
		"credit_exposures": "is found by the company",
		// Whoever cheats one merchant goes on to the next.
		"fraud_identifiers": "is found by the identifier",
		"fraud_attempts":    "is found by the identifier",
		// The bank knows no merchants.
		"bank_orders":      "is found by the bank's reference",
		"bank_allocations": "is part of a bank entry",
		"payer_keys":       "is found by the payer",
	}
	for table, body := range schema(t) {
		m := key.FindStringSubmatch(body)
		if m == nil {
			t.Errorf("%s has no primary key", table)
			continue
		}
		lead := m[1] + m[2] + m[3]
		strays := strings.Contains(body, "merchant_id TEXT") && lead != "merchant_id"
		if !strays && except[table] != "" {
			t.Errorf("%s needs no exception any more", table)
		}
		if strays && except[table] == "" {
			t.Errorf("the key of %s is led by %s, not by the merchant", table, lead)
		}
	}
}
