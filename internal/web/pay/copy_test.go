package pay

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tradecredit/web"
)

// TestCopyIsUsed finds sentences nobody asks for any more. A key may be used whole, or through the part before its
// last separator where code puts the rest on (a state, a reason, a plural form).
func TestCopyIsUsed(t *testing.T) {
	t.Parallel()
	english, err := readTable(web.Files, "en")
	if err != nil {
		t.Fatal(err)
	}
	used := sources(t)
	for key := range english {
		if !keyIsUsed(used, key) {
			t.Errorf("copy %q is not used", key)
		}
	}
}

func keyIsUsed(used, key string) bool {
	for _, suffix := range []string{"", "_one", "_other", "_this", "_percent"} {
		if base, ok := strings.CutSuffix(key, suffix); ok && strings.Contains(used, `"`+base+`"`) {
			return true
		}
	}
	for _, prefix := range []string{"reason.", "problem.", "method.", "task.", "upload.", "already_confirmed.", "plan.days_", "due.", "due.month_", "due.days_"} {
		if strings.HasPrefix(key, prefix) && strings.Contains(used, `"`+prefix+`"`) {
			return true
		}
	}
	for _, suffix := range []string{".title", ".lead", ".email", ".no_email"} {
		if state, ok := strings.CutSuffix(key, suffix); ok && strings.Contains(used, `"`+state+`"`) && strings.Contains(used, `"`+suffix+`"`) {
			return true
		}
	}
	return false
}

// sources is the text of the package and its templates.
func sources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	goFiles, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range goFiles {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	templates, err := fs.Glob(web.Files, "templates/pay/*.html")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range templates {
		text, err := fs.ReadFile(web.Files, name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// TestCopyHasNoDuplicateKeys: encoding/json keeps the last of two equal keys without a word.
func TestCopyHasNoDuplicateKeys(t *testing.T) {
	t.Parallel()
	raw, err := fs.ReadFile(web.Files, "locales/en.json")
	if err != nil {
		t.Fatal(err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	seen := map[string]bool{}
	for i := 0; ; i++ {
		token, err := decoder.Token()
		if err != nil {
			break
		}
		if key, ok := token.(string); ok && i%2 == 1 {
			if seen[key] {
				t.Errorf("%q stands twice", key)
			}
			seen[key] = true
		}
	}
	if len(seen) < 100 {
		t.Fatalf("only %d keys read", len(seen))
	}
}

func TestMissingCopyIsAnError(t *testing.T) {
	t.Parallel()
	w := &words{locale: localeEnGB(table{})}
	w.text("b")
	w.text("a")
	w.text("a")
	if err := w.err(); err == nil || err.Error() != "pay: no copy for a, b in en-GB" {
		t.Errorf("got %v", err)
	}
}

func TestEmptyCopyIsRefused(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "locales"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "locales", "xx.json"), []byte(`{"a": " "}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readTable(os.DirFS(dir), "xx"); err == nil {
		t.Error("accepted")
	}
}
