package house

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// required finds which version of a module a go.mod file requires.
func required(gomod, name string) string {
	line := regexp.MustCompile(`(?m)^(?:require)?\s*` + regexp.QuoteMeta(name) + ` (v\S+)`)
	if m := line.FindStringSubmatch(gomod); m != nil {
		return m[1]
	}
	return ""
}

// TestLibcFitsSQLite fails when the C library below SQLite is not the one it was
// translated for: the two go together, and another version may corrupt data.
func TestLibcFitsSQLite(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("go", "list", "-m", "-json", "modernc.org/sqlite")
	cmd.Dir = root
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var sqlite struct{ Version, GoMod string }
	if err := json.Unmarshal(out, &sqlite); err != nil {
		t.Fatal(err)
	}
	theirs, err := os.ReadFile(sqlite.GoMod)
	if err != nil {
		t.Fatal(err)
	}
	ours := gomod(t)
	want, got := required(string(theirs), "modernc.org/libc"), required(ours, "modernc.org/libc")
	if want == "" || got != want {
		t.Errorf("modernc.org/sqlite %s wants modernc.org/libc %q, go.mod has %q", sqlite.Version, want, got)
	}
	if v := required(ours, "modernc.org/sqlite"); v != sqlite.Version {
		t.Errorf("go.mod has modernc.org/sqlite %s, the build takes %s", v, sqlite.Version)
	}
}

// TestModulesAreWhatTheySay fails for modules that are replaced by others, and
// for versions without a sum.
func TestModulesAreWhatTheySay(t *testing.T) {
	t.Parallel()
	mod := gomod(t)
	for _, word := range []string{"replace", "exclude", "retract"} {
		if regexp.MustCompile(`(?m)^` + word + `\b`).MatchString(mod) {
			t.Errorf("go.mod has a %s directive", word)
		}
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^(?:require)?\s+(\S+) (v\S+)`).FindAllStringSubmatch(mod, -1) {
		if !strings.Contains(string(sums), m[1]+" "+m[2]+"/go.mod h1:") {
			t.Errorf("go.sum has no sum for %s %s", m[1], m[2])
		}
	}
}

func gomod(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
