package house

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// How long things may be, in lines.
const (
	longestFunction     = 70
	longestTestFunction = 120
	longestFile         = 600
)

func longFunctions(files []*source) []finding {
	return inEach(files, func(s *source, d ast.Decl, name string) []finding {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			return nil
		}
		lines := s.fset.Position(f.End()).Line - s.line(f) + 1
		if s.test && lines <= longestTestFunction || !s.test && lines <= longestFunction {
			return nil
		}
		return []finding{s.found(f, name, "%d lines do not fit on a screen", lines)}
	})
}

// TestFunctionsFitOnAScreen fails for a function that does not.
func TestFunctionsFitOnAScreen(t *testing.T) {
	t.Parallel()
	judge(t, longFunctions(all(t, true)), exceptions{})
	long := "func f() {" + strings.Repeat("\n", longestFunction) + "}"
	if got := longFunctions([]*source{snippet(t, "a.go", long)}); len(got) != 1 {
		t.Errorf("a long function was not seen: %v", got)
	}
	if got := longFunctions([]*source{snippet(t, "a_test.go", long)}); len(got) != 0 {
		t.Errorf("a test may be longer: %v", got)
	}
}

// TestFilesHaveOneSubject fails for a file that is too long to have one.
func TestFilesHaveOneSubject(t *testing.T) {
	t.Parallel()
	var out []finding
	for _, s := range all(t, true) {
		if n := strings.Count(s.text, "\n"); n > longestFile {
			out = append(out, finding{s.path, n, "too long to have one subject"})
		}
	}
	judge(t, out, exceptions{})
}

func undocumented(files []*source) []finding {
	return inEach(files, func(s *source, d ast.Decl, name string) (out []finding) {
		switch d := d.(type) {
		case *ast.FuncDecl:
			owner, method, _ := strings.Cut(name, ".")
			// What every Go programmer knows by its name needs no words.
			plain := slices.Contains([]string{"String", "Error", "Unwrap", "ServeHTTP", "MarshalJSON", "UnmarshalJSON"}, method)
			if ast.IsExported(owner) && (method == "" || ast.IsExported(method)) && d.Doc == nil && !plain {
				out = append(out, s.found(d, name, "is exported and says nothing about itself"))
			}
		case *ast.GenDecl:
			for _, one := range undocumentedSpecs(d) {
				out = append(out, s.found(d, one, "is exported and says nothing about itself"))
			}
		}
		return out
	})
}

// undocumentedSpecs names what a declaration exports without a comment. That of
// a group stands for all constants and variables in it.
func undocumentedSpecs(d *ast.GenDecl) (names []string) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if ast.IsExported(spec.Name.Name) && spec.Doc == nil && d.Doc == nil {
				names = append(names, spec.Name.Name)
			}
		case *ast.ValueSpec:
			for _, name := range spec.Names {
				if ast.IsExported(name.Name) && spec.Doc == nil && spec.Comment == nil && d.Doc == nil {
					names = append(names, name.Name)
				}
			}
		}
	}
	return names
}

// TestExportedThingsAreDocumented fails for what other packages may use without
// a word about it, and for packages that do not say what they are.
func TestExportedThingsAreDocumented(t *testing.T) {
	t.Parallel()
	out := undocumented(all(t, false))
	said := map[string]bool{}
	for _, s := range all(t, true) {
		said[s.folder()] = said[s.folder()] || s.file.Doc != nil
	}
	for folder, ok := range said {
		if !ok {
			out = append(out, finding{folder, 0, "the package does not say what it is"})
		}
	}
	judge(t, out, exceptions{})
	for code, want := range map[string]int{
		"func F() {}":                            1,
		"// F is.\nfunc F() {}":                  0,
		"func f() {}":                            0,
		"type t int\nfunc (t) F() {}":            0,
		"type T int":                             1,
		"// T is.\ntype T int\nfunc (T) F() {}":  1,
		"const (\n\tA = 1 // one\n\tB = 2\n)":    1,
		"// Both.\nconst (\n\tA = 1\n\tB = 2\n)": 0,
		"var X, y = 1, 2":                        1,
	} {
		if got := undocumented([]*source{snippet(t, "a.go", code)}); len(got) != want {
			t.Errorf("%q: %d findings, want %d: %v", code, len(got), want, got)
		}
	}
}

var unfinished = regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b`)

// comments are what people say in a file of any kind: the comments of Go, the
// whole of everything else.
func comments(name, text string) (out []string) {
	if !strings.HasSuffix(name, ".go") {
		return strings.Split(text, "\n")
	}
	s, err := parse(name, text)
	if err != nil {
		return nil // TestMain's own parse says so
	}
	for _, g := range s.file.Comments {
		for _, c := range g.List {
			out = append(out, c.Text)
		}
	}
	return out
}

// TestNothingIsLeftForLater fails for a note that something is still to be done.
func TestNothingIsLeftForLater(t *testing.T) {
	t.Parallel()
	var out []finding
	err := walk(func(name, text string) error {
		if !unfinished.MatchString(text) {
			return nil
		}
		for i, c := range comments(name, text) {
			if m := unfinished.FindString(c); m != "" {
				out = append(out, finding{name + " " + m, i + 1, "do it or leave it"})
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	judge(t, out, exceptions{})
	if got := comments("a.go", "package a\n// TODO: x\nvar b = `XXX`\n"); len(got) != 1 {
		t.Errorf("comments: %q", got)
	}
}

var (
	// otherPeople are names of systems that this one is compatible with. They
	// belong to others, so they stand only where that is said.
	otherPeople = regexp.MustCompile(`(?i)hok` + `odo|\bhub` + `2\b`)
	// known are the companies of the sandbox, which bear such names in the
	// reference, and the buyer of its examples.
	known = regexp.MustCompile(`Hok` + `odo( Services)? (Ltd|SAS)|johnny@hok` + `odo\.co`)
)

// TestOtherPeoplesNames fails where such a name stands anywhere else.
func TestOtherPeoplesNames(t *testing.T) {
	t.Parallel()
	var out []finding
	err := walk(func(name, text string) error {
		for i, line := range strings.Split(text, "\n") {
			if otherPeople.MatchString(known.ReplaceAllString(line, "")) {
				out = append(out, finding{name, i + 1, strings.TrimSpace(line)})
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	const search = "companies of the sandbox are looked up by parts of their names"
	judge(t, out, exceptions{
		"README.md":                              "says what this is compatible with",
		"internal/api/bnpl/company_http_test.go": search,
		"internal/web/checkout/checkout_test.go": "the buyer's company must not be shown to a stranger",
		"internal/company/name_test.go":          search,
		"internal/company/search_test.go":        search,
		"internal/company/import_test.go":        "a line of the register as it is published",
		"internal/api/bnpl/user_test.go":         "addresses beside that of the buyer in the reference",
	})
}

// TestPackagesHaveAName fails for packages called after the fact that they hold
// things, and for files whose package is not called like their folder.
func TestPackagesHaveAName(t *testing.T) {
	t.Parallel()
	vague := []string{"util", "utils", "common", "helper", "helpers", "misc", "shared", "lib", "core", "types"}
	for _, s := range all(t, true) {
		name := strings.TrimSuffix(s.file.Name.Name, "_test")
		folder := path.Base(s.folder())
		if slices.Contains(vague, name) || slices.Contains(vague, folder) {
			t.Errorf("%s: %q says nothing", s.path, name)
		}
		if name != folder && name != "main" {
			t.Errorf("%s: package %s in folder %s", s.path, name, folder)
		}
	}
}

// TestNothingIsSwitchedOff fails for comments that silence a tool and for code
// that only some builds contain, of which there is no need here.
func TestNothingIsSwitchedOff(t *testing.T) {
	t.Parallel()
	off := regexp.MustCompile(`^//\s*(nolint|lint:ignore|go:linkname|go:build|\+build)`)
	var out []finding
	for _, s := range all(t, true) {
		for _, g := range s.file.Comments {
			for _, c := range g.List {
				if off.MatchString(c.Text) {
					out = append(out, finding{s.path, s.fset.Position(token.Pos(c.Slash)).Line, c.Text})
				}
			}
		}
	}
	judge(t, out, exceptions{
		"internal/db/dbtest/parent_other.go": "only Linux ends a child with its parent",
	})
}
