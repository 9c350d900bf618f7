package house

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// calls finds what the declarations of the files take from an imported package.
func calls(files []*source, from, why string, names ...string) []finding {
	return inEach(files, func(s *source, d ast.Decl, name string) (out []finding) {
		ast.Inspect(d, func(n ast.Node) bool {
			what := member(s, n, from)
			for _, pattern := range names {
				prefix, open := strings.CutSuffix(pattern, "*")
				if what != "" && (what == pattern || open && strings.HasPrefix(what, prefix)) {
					out = append(out, s.found(n, name, "%s.%s: %s", from, what, why))
				}
			}
			return true
		})
		return out
	})
}

// builtins finds calls of functions of the language.
func builtins(files []*source, why string, names ...string) []finding {
	return inEach(files, func(s *source, d ast.Decl, name string) (out []finding) {
		ast.Inspect(d, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if f, ok := call.Fun.(*ast.Ident); ok && f.Obj == nil && slices.Contains(names, f.Name) {
				out = append(out, s.found(n, name, "%s: %s", f.Name, why))
			}
			return true
		})
		return out
	})
}

// without drops the files of floors or folders.
func without(files []*source, places ...string) []*source {
	return slices.DeleteFunc(slices.Clone(files), func(s *source) bool {
		f, _, _ := storey(s.folder())
		return slices.Contains(places, f.name) || slices.Contains(places, s.folder())
	})
}

// TestOnlyTheClockTellsTheTime keeps the sandbox's time whole: what asks the
// machine would not move with it.
func TestOnlyTheClockTellsTheTime(t *testing.T) {
	t.Parallel()
	files := without(all(t, false), "internal/clock")
	judge(t, calls(files, "time", "only package clock tells the time", "Now", "Since", "Until"), exceptions{
		"internal/db/dbtest/cluster.go Cluster.wait": "waits for a server to start, in real time",
		"internal/bench/client.go":                   "measures real time",
		"internal/bench/node.go":                     "measures real time",
	})
	bad := snippet(t, "internal/order/order.go", `import "time"
		func f() time.Duration { return time.Since(time.Now()) }
		func g(time struct{ Now int }) int { return time.Now }`)
	if got := calls([]*source{bad}, "time", "", "Now", "Since"); len(got) != 2 {
		t.Errorf("of two calls these were seen: %v", got)
	}
}

// TestNobodySleeps holds for tests too: what is waited for has a signal or a
// condition.
func TestNobodySleeps(t *testing.T) {
	t.Parallel()
	judge(t, calls(all(t, true), "time", "wait for a signal or a condition", "Sleep"), exceptions{
		"internal/db/dbtest/cluster.go Cluster.wait": "a server that starts gives no signal",
		"internal/bench/node.go node.restart":        "a program that starts gives no signal",
	})
}

// TestSettingsComeThroughTheFrontDoor fails where the environment is read
// anywhere but in a command: what a package needs it is given.
func TestSettingsComeThroughTheFrontDoor(t *testing.T) {
	t.Parallel()
	files := without(all(t, false), "commands", "tests")
	judge(t, calls(files, "os", "settings are given, not fetched", "Getenv", "LookupEnv", "Environ", "Setenv"), exceptions{})
	if got := calls([]*source{snippet(t, "internal/order/order.go", `import "os"
		var x = os.Getenv("X")`)}, "os", "", "Getenv"); len(got) != 1 {
		t.Errorf("a variable's initial value was not seen: %v", got)
	}
}

// TestOnlyCommandsTalk keeps output and the end of the program with the
// commands.
func TestOnlyCommandsTalk(t *testing.T) {
	t.Parallel()
	files := without(all(t, false), "commands", "internal/bench", "internal/bench/closing", "internal/crash")
	found := slices.Concat(
		calls(files, "fmt", "only commands print", "Print*"),
		calls(files, "log", "a log is given", "*"),
		calls(files, "log/slog", "a log is given", "Default", "SetDefault", "Info*", "Warn*", "Error*", "Debug*"),
		calls(files, "os", "only commands end the program", "Exit", "Stdout", "Stderr"),
		builtins(files, "only commands print", "print", "println"))
	judge(t, found, exceptions{
		"internal/db/dbtest/dbtest.go Main": "ends the tests of a package, as TestMain must",
	})
}

// TestCallsOutHaveADeadline fails for clients and servers without timeouts, which
// the standard library has by default.
func TestCallsOutHaveADeadline(t *testing.T) {
	t.Parallel()
	judge(t, calls(all(t, false), "net/http", "has no deadline", "Get", "Post", "PostForm", "Head", "DefaultClient",
		"DefaultTransport", "DefaultServeMux", "Handle", "HandleFunc", "ListenAndServe*", "Serve"), exceptions{})
}

// TestWorkEndsWithWhoAskedForIt lists what goes on though the request that began
// it is over.
func TestWorkEndsWithWhoAskedForIt(t *testing.T) {
	t.Parallel()
	judge(t, calls(without(all(t, false), "commands", "tests"), "context", "pass on the context of who asks",
		"Background", "TODO"), exceptions{
		"internal/db/postgres.go postgresSession.rollback": "the end of the context may be the reason to go back",
		"internal/db/sqlite.go":                            "statements are short; the driver starts a goroutine for each that can be cancelled",
		"internal/deferred/group.go":                       "one transaction for the requests of many",
		"internal/api/requestlog.go":                       "writes down the requests of many, a moment later",
	})
}

// parallel are the functions of test files that call t.Parallel, by folder and
// name. What they call for themselves goes with them.
func parallel(files []*source) map[string]bool {
	out := map[string]bool{}
	inEach(files, func(s *source, d ast.Decl, name string) []finding {
		if f, ok := d.(*ast.FuncDecl); ok && s.test && f.Body != nil {
			for _, statement := range f.Body.List {
				if e, ok := statement.(*ast.ExprStmt); ok && called(e.X) == "Parallel" {
					out[s.folder()+" "+name] = true
				}
			}
		}
		return nil
	})
	return out
}

// called is the name of the function that an expression calls.
func called(e ast.Expr) string {
	if call, ok := e.(*ast.CallExpr); ok {
		switch f := call.Fun.(type) {
		case *ast.Ident:
			return f.Name
		case *ast.SelectorExpr:
			return f.Sel.Name
		}
	}
	return ""
}

func lonely(files []*source) []finding {
	side := parallel(files)
	return inEach(files, func(s *source, d ast.Decl, name string) []finding {
		f, ok := d.(*ast.FuncDecl)
		if !ok || !s.test || f.Recv != nil || !strings.HasPrefix(name, "Test") || name == "TestMain" || side[s.folder()+" "+name] {
			return nil
		}
		for _, statement := range f.Body.List {
			if e, ok := statement.(*ast.ExprStmt); ok && side[s.folder()+" "+called(e.X)] {
				return nil
			}
		}
		return []finding{s.found(f, name, "does not call t.Parallel")}
	})
}

// TestTestsRunSideBySide fails for a test that holds up the others.
func TestTestsRunSideBySide(t *testing.T) {
	t.Parallel()
	judge(t, lonely(all(t, true)), exceptions{})
	bad := snippet(t, "internal/order/order_test.go", `import "testing"
		func each(t *testing.T, f func()) { t.Parallel(); f() }
		func TestOne(t *testing.T) { t.Parallel() }
		func TestTwo(t *testing.T) { each(t, func() {}) }
		func TestThree(t *testing.T) { t.Run("x", func(t *testing.T) { t.Parallel() }) }`)
	if got := lonely([]*source{bad}); len(got) != 1 {
		t.Errorf("the third holds up the others: %v", got)
	}
}

// TestPanics lists what may end the program: only what cannot happen unless the
// program itself is wrong or the machine is broken. No input leads to it.
func TestPanics(t *testing.T) {
	t.Parallel()
	found := builtins(without(all(t, false), "tests"), "bad input is an error, never a panic", "panic")
	const broken, wrong = "the machine has no random numbers", "only if the source of the program is wrong: "
	judge(t, found, exceptions{
		"internal/id/id.go New":                    broken,
		"internal/id/id.go Number":                 broken,
		"internal/id/id.go Secret":                 broken,
		"internal/webhook/fanout.go orderedJobID":  broken,
		"internal/webhook/signature.go newSecret":  broken,
		"internal/money/percent.go MustPercent":    wrong + "for percentages that stand in it",
		"internal/form/form.go New":                wrong + "a field is declared twice",
		"internal/form/decode.go Field.setDefault": wrong + "a field refuses its own default",
		"internal/form/decode.go valueOf":          wrong + "a default is no JSON",
		"internal/form/errors.go marshalRaw":       wrong + "an error is made of texts",
		"internal/form/values.go":                  wrong + "a handler asks for a field that its form has not",
		"internal/mail/render.go Render":           wrong + "the layout is a constant",
		"internal/mail/smtp.go withLink":           wrong + "the template is a constant",
		"internal/webhook/fanout.go enqueue":       wrong + "a struct of one text becomes JSON",
		"internal/deferred/group.go snapshot":      wrong + "a struct of texts and numbers becomes JSON",
	})
	if got := builtins([]*source{snippet(t, "internal/order/order.go", `func f() { panic("x") }`)}, "", "panic"); len(got) != 1 {
		t.Errorf("a panic was not seen: %v", got)
	}
}

// nearMoney are the packages in which no float may appear, those to come
// included.
var nearMoney = []string{"money", "ledger", "order", "underwriting", "credit", "offer", "deferred", "repayment", "payout",
	"processor", "fraud", "billing", "document", "intent", "insurance", "payin"}

func floats(files []*source) []finding {
	return inEach(files, func(s *source, d ast.Decl, name string) (out []finding) {
		first, _, _ := strings.Cut(strings.TrimPrefix(s.folder(), "internal/"), "/")
		if !slices.Contains(nearMoney, first) {
			return nil
		}
		ast.Inspect(d, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.Ident:
				if n.Obj == nil && (n.Name == "float64" || n.Name == "float32") {
					out = append(out, s.found(n, name, "%s near money", n.Name))
				}
			case *ast.BasicLit:
				if n.Kind == token.FLOAT {
					out = append(out, s.found(n, name, "%s near money", n.Value))
				}
			case *ast.SelectorExpr:
				if what := member(s, n, "strconv"); what == "ParseFloat" || what == "FormatFloat" {
					out = append(out, s.found(n, name, "strconv.%s near money", what))
				}
				if what := member(s, n, "math"); what != "" && !strings.HasPrefix(what, "M") {
					out = append(out, s.found(n, name, "math.%s near money", what))
				}
			}
			return true
		})
		return out
	})
}

// TestNoFloatsNearMoney allows whole numbers only where money is counted.
func TestNoFloatsNearMoney(t *testing.T) {
	t.Parallel()
	judge(t, floats(all(t, false)), exceptions{})
	bad := snippet(t, "internal/money/money.go", `import "math"
		func f(x float64) float32 { return float32(math.Floor(x * 1.5)) }
		const most = math.MaxInt64`)
	if got := floats([]*source{bad}); len(got) != 5 {
		t.Errorf("of five floats these were seen: %v", got)
	}
}

// globals are the variables at the top of packages, by folder.
func globals(files []*source) map[string]map[string]*ast.ValueSpec {
	out := map[string]map[string]*ast.ValueSpec{}
	for _, s := range files {
		for _, d := range s.file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			of := out[s.folder()]
			if of == nil {
				of = map[string]*ast.ValueSpec{}
				out[s.folder()] = of
			}
			for _, spec := range g.Specs {
				v := spec.(*ast.ValueSpec)
				for _, name := range v.Names {
					of[name.Name] = v
				}
			}
		}
	}
	return out
}

// base is the variable that an expression is a part of: x for x.a[1].
func base(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return base(e.X)
	case *ast.IndexExpr:
		return base(e.X)
	case *ast.SliceExpr:
		return base(e.X)
	case *ast.StarExpr:
		return base(e.X)
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok && x.Obj == nil {
			return e // of a package, or of a variable of this one
		}
		return base(e.X)
	}
	return e
}

// changes are the expressions that a statement writes to.
func changes(n ast.Node) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		if n.Tok != token.DEFINE {
			return n.Lhs
		}
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			return []ast.Expr{n.Key, n.Value}
		}
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			return []ast.Expr{n.X} // whoever has its address may write to it
		}
	case *ast.CallExpr:
		if f, ok := n.Fun.(*ast.Ident); ok && f.Obj == nil && len(n.Args) > 0 &&
			slices.Contains([]string{"delete", "clear", "copy"}, f.Name) {
			return n.Args[:1]
		}
	}
	return nil
}

// state finds variables at the top of packages that are changed after the start
// of the program, and those that are made to be.
func state(files []*source) []finding {
	vars := globals(files)
	return inEach(files, func(s *source, d ast.Decl, name string) (out []finding) {
		if g, ok := d.(*ast.GenDecl); ok {
			if g.Tok == token.VAR {
				if why := mutable(s, g.Specs[0].(*ast.ValueSpec)); why != "" {
					out = append(out, s.found(g, name, "%s", why))
				}
			}
			return out
		}
		ast.Inspect(d, func(n ast.Node) bool {
			for _, e := range changes(n) {
				if what := global(s, base(e), vars); what != "" {
					out = append(out, s.found(n, name, "writes to %s, which all share", what))
				}
			}
			return true
		})
		return out
	})
}

// global names the variable at the top of a package that e is, if it is one.
func global(s *source, e ast.Expr, vars map[string]map[string]*ast.ValueSpec) string {
	switch e := e.(type) {
	case *ast.Ident:
		spec := vars[s.folder()][e.Name]
		if spec != nil && (e.Obj == nil || e.Obj.Decl == spec) {
			return e.Name
		}
	case *ast.SelectorExpr:
		x := e.X.(*ast.Ident)
		if vars[s.folder()][x.Name] != nil {
			return x.Name
		}
		for _, spec := range s.file.Imports {
			from, _ := strconv.Unquote(spec.Path.Value)
			if localName(s, from) == x.Name && vars[strings.TrimPrefix(from, module+"/")][e.Sel.Name] != nil {
				return x.Name + "." + e.Sel.Name
			}
		}
	}
	return ""
}

// mutable tells why a variable can only be there to be changed.
func mutable(s *source, v *ast.ValueSpec) string {
	if v.Names[0].Name == "_" {
		return ""
	}
	if member(s, v.Type, "embed") != "" {
		return ""
	}
	if sel, ok := v.Type.(*ast.SelectorExpr); ok {
		if x, ok := sel.X.(*ast.Ident); ok && (x.Name == "sync" || x.Name == "atomic") {
			return "a lock or counter that all share"
		}
	}
	if len(v.Values) == 0 {
		return "has no value of its own: somebody must set it"
	}
	switch e := v.Values[0].(type) {
	case *ast.CallExpr:
		if f, ok := e.Fun.(*ast.Ident); ok && (f.Name == "make" || f.Name == "new") {
			return "is made empty, to be filled"
		}
	case *ast.CompositeLit:
		if _, ok := e.Type.(*ast.MapType); ok && len(e.Elts) == 0 {
			return "is made empty, to be filled"
		}
	}
	return ""
}

// TestNoSharedState fails for a variable at the top of a package that anybody
// changes.
func TestNoSharedState(t *testing.T) {
	t.Parallel()
	judge(t, state(all(t, false)), exceptions{
		"internal/db/dbtest/dbtest.go shared": "the server that the tests of a process start once",
	})
	for code, want := range map[string]int{
		`var table = map[string]int{"a": 1}; func f() int { return table["a"] }`: 0,
		`var table = map[string]int{"a": 1}; func f() { table["b"] = 2 }`:        1,
		`var table = map[string]int{"a": 1}; func f() { delete(table, "a") }`:    1,
		`var n = 1; func f() { n++ }`:                                            1,
		`var n = 1; func f() { n := 2; n++; _ = n }`:                             0,
		`var n = 1; func f() *int { return &n }`:                                 1,
		`var s = struct{ a []int }{}; func f() { s.a[0] = 1 }`:                   1,
		`var n int`:                     1,
		`var m = map[string]int{}`:      1,
		`import "sync"; var m sync.Map`: 1,
		`import "errors"; var err = errors.New("x"); var _ error = err`:          0,
		`import "tradecredit/internal/snippet"; func f() { snippet.Shared = 1 }`: 1,
		`type t struct{ n int }; var x = t{}; func (x *t) f() { x.n = 1 }`:       0,
		`var a, b = 1, 2; func f() { for a, b = range []int{1} { _ = a } }`:      2,
		`import "sync"; var once = sync.OnceValue(func() int { return 1 })`:      0,
		`import "embed"; var files embed.FS`:                                     0,
	} {
		other := snippet(t, "internal/snippet/x.go", `var Shared = 1`)
		if got := state([]*source{snippet(t, "internal/order/order.go", code), other}); len(got) != want {
			t.Errorf("%s: %d findings, want %d: %v", code, len(got), want, got)
		}
	}
}

// TestNothingHappensByItself fails for functions that run when their package is
// merely imported.
func TestNothingHappensByItself(t *testing.T) {
	t.Parallel()
	judge(t, inEach(all(t, true), func(s *source, d ast.Decl, name string) []finding {
		if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			return []finding{s.found(d, name, "nothing happens by itself")}
		}
		return nil
	}), exceptions{})
}
