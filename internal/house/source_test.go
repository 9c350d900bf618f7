package house

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"tradecredit/internal/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

const (
	module = "tradecredit"
	root   = "../.." // of the module, seen from the folder of this package
)

// source is one Go file of the module.
type source struct {
	path string // from the root of the module, with slashes
	test bool
	text string
	file *ast.File
	fset *token.FileSet
}

// folder is the folder of the file, which is also its import path below the
// name of the module.
func (s *source) folder() string { return path.Dir(s.path) }

func (s *source) line(n ast.Node) int { return s.fset.Position(n.Pos()).Line }

// sources are all Go files of the module, parsed once.
var sources = sync.OnceValues(func() ([]*source, error) {
	var out []*source
	err := walk(func(name, text string) error {
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		s, err := parse(name, text)
		out = append(out, s)
		return err
	})
	return out, err
})

// walk calls f with every text file of the module that somebody wrote: not what
// was built, fetched or recorded.
func walk(f func(name, text string) error) error {
	built := []string{".git", "bin", "data", "dist", "node_modules", "out", "testdata", "vendor"}
	return filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && slices.Contains(built, d.Name()) {
			return filepath.SkipDir
		}
		switch path.Ext(d.Name()) {
		case ".go", ".sql", ".md", ".html", ".css", ".js", ".ts", ".json", ".yaml", ".yml", ".toml", ".txt", ".mod":
		default:
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		return f(filepath.ToSlash(name), string(text))
	})
}

func parse(name, text string) (*source, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, name, text, parser.ParseComments)
	return &source{path: name, test: strings.HasSuffix(name, "_test.go"), text: text, file: file, fset: fset}, err
}

// all returns the Go files of the module, with or without its tests.
func all(t *testing.T, tests bool) []*source {
	t.Helper()
	found, err := sources()
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 100 {
		t.Fatalf("only %d Go files found: the tests look in the wrong place", len(found))
	}
	if tests {
		return found
	}
	return slices.DeleteFunc(slices.Clone(found), func(s *source) bool { return s.test })
}

// program returns the Go files of which the program consists: without tests and
// without what is there for them.
func program(t *testing.T) []*source {
	t.Helper()
	return slices.DeleteFunc(all(t, false), func(s *source) bool {
		f, _, _ := storey(s.folder())
		return f.name == "tests"
	})
}

// snippet parses a piece of Go as if it stood in the file of that name.
func snippet(t *testing.T, name, text string) *source {
	t.Helper()
	s, err := parse(name, "package snippet\n"+text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// finding is one place that leaves the plan. where is the file and, after a
// space, the declaration or word in it that an exception may name.
type finding struct {
	where string
	line  int
	what  string
}

// found is a finding at a node of a file, within the declaration of that name.
func (s *source) found(n ast.Node, name, format string, args ...any) finding {
	return finding{where: s.path + " " + name, line: s.line(n), what: fmt.Sprintf(format, args...)}
}

func (f finding) String() string {
	file, name, _ := strings.Cut(f.where, " ")
	if name != "" {
		name += ": "
	}
	return fmt.Sprintf("%s:%d: %s%s", file, f.line, name, f.what)
}

// exceptions says where a check does not apply, and why. A place is a file, or a
// file and a declaration in it.
type exceptions map[string]string

// judge fails the test for every finding without an exception and for every
// exception without a finding.
func judge(t *testing.T, findings []finding, except exceptions) {
	t.Helper()
	used := map[string]bool{}
	for _, f := range findings {
		file, _, _ := strings.Cut(f.where, " ")
		_, whole := except[file]
		_, one := except[f.where]
		if used[file], used[f.where] = true, true; !whole && !one {
			t.Error(f)
		}
	}
	for _, where := range slices.Sorted(maps.Keys(except)) {
		if !used[where] {
			t.Errorf("%s: the exception is not needed any more (%s)", where, except[where])
		}
		if len(except[where]) < 10 {
			t.Errorf("%s: the exception has no reason", where)
		}
	}
}

// inEach calls check for every declaration at the top of the files, with a name
// for it: a function is Name or Type.Name, variables and constants have the
// first name they declare.
func inEach(files []*source, check func(s *source, d ast.Decl, name string) []finding) []finding {
	var out []finding
	for _, s := range files {
		for _, d := range s.file.Decls {
			if g, ok := d.(*ast.GenDecl); ok && len(g.Specs) > 0 && g.Tok != token.IMPORT {
				for _, spec := range g.Specs {
					one := &ast.GenDecl{Doc: g.Doc, TokPos: spec.Pos(), Tok: g.Tok, Specs: []ast.Spec{spec}}
					out = append(out, check(s, one, specName(spec))...)
				}
				continue
			}
			if f, ok := d.(*ast.FuncDecl); ok {
				out = append(out, check(s, d, funcName(f))...)
			}
		}
	}
	return out
}

func specName(spec ast.Spec) string {
	switch spec := spec.(type) {
	case *ast.ValueSpec:
		return spec.Names[0].Name
	case *ast.TypeSpec:
		return spec.Name.Name
	}
	return ""
}

func funcName(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return f.Name.Name
	}
	return receiver(f.Recv.List[0].Type) + "." + f.Name.Name
}

func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.IndexListExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}

// member is the name that n takes from the imported package of that path: Now
// for time.Now. It is empty for anything else.
func member(s *source, n ast.Node, from string) string {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := sel.X.(*ast.Ident)
	if !ok || x.Obj != nil || x.Name != localName(s, from) {
		return ""
	}
	return sel.Sel.Name
}

// localName is what a file calls an imported package.
func localName(s *source, from string) string {
	for _, spec := range s.file.Imports {
		if spec.Path.Value != strconv.Quote(from) {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		base := path.Base(from)
		if len(base) > 1 && base[0] == 'v' && base[1] >= '0' && base[1] <= '9' {
			base = path.Base(path.Dir(from))
		}
		return base
	}
	return ""
}
