package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"tradecredit/internal/webhook"
)

var update = flag.Bool("update", false, "write the generated part of docs/operations.md")

const operationsPage = "../../docs/operations.md"

// TestSettingsPage keeps the table of settings the same as the flags of serve.
func TestSettingsPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(operationsPage)
	if err != nil {
		t.Fatal(err)
	}
	start := strings.Index(string(page), "<!-- settings:")
	end := strings.Index(string(page), "<!-- /settings -->")
	if start < 0 || end < start {
		t.Fatal("the page has no place for the settings")
	}
	start += strings.Index(string(page[start:]), "\n") + 1
	want := string(page[:start]) + settingsTable(t) + string(page[end:])
	if *update {
		if err := os.WriteFile(operationsPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != string(page) {
		t.Error("the settings on the page are not those of the program: run the test with -args -update")
	}
}

// settingsTable is the table of the flags of serve.
func settingsTable(t *testing.T) string {
	t.Helper()
	k, err := kong.New(&commands{})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	out.WriteString("| flag | environment | default | |\n|---|---|---|---|\n")
	at := slices.IndexFunc(k.Model.Children, func(n *kong.Node) bool { return n.Name == "serve" })
	for _, f := range k.Model.Children[at].Flags {
		if f.Hidden {
			continue
		}
		if len(f.Envs) != 1 || f.Help == "" {
			t.Errorf("--%s has no environment variable or no help", f.Name)
			continue
		}
		value := ""
		if f.Default != "" {
			value = "`" + f.Default + "`"
		}
		fmt.Fprintf(&out, "| `--%s` | `%s` | %s | %s |\n", f.Name, f.Envs[0], value, f.Help)
	}
	return out.String()
}

// TestPythonOnThePage runs the guide's Python code on what the program signs.
func TestPythonOnThePage(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("python3"); err != nil {
		if os.Getenv("TRADECREDIT_TEST_REQUIRE") != "" {
			t.Fatal(err)
		}
		t.Skip("skipped: no python3")
	}
	const secret, id, body = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "evt-1", `{"data": "ü"}`
	at := time.Unix(1_700_000_000, 0)
	signature, err := webhook.Sign(secret, id, at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	script := block(t, "../../docs/webhooks.md", "signature-python", "python") + fmt.Sprintf(`
headers = {"webhook-id": %q, "webhook-timestamp": "%d", "webhook-signature": "v1,other %s"}
body = %q.encode()
assert verify_signature(%q, headers, body, %d)
assert not verify_signature(%[5]q, headers, body + b" ", %[6]d)
assert not verify_signature(%[5]q, headers, body, %[6]d + 301)
`, id, at.Unix(), signature, body, secret, at.Unix())
	cmd := exec.CommandContext(t.Context(), "python3", "-")
	cmd.Stdin = strings.NewReader(script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestDependenciesPage fails for a direct dependency without a line on the page,
// and for a line about something that is not used any more.
func TestDependenciesPage(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	gomod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(gomod), "\n") {
		fields := strings.Fields(strings.TrimPrefix(line, "require "))
		if len(fields) == 2 && strings.HasPrefix(fields[1], "v") && !strings.Contains(string(page), fields[0]) {
			t.Errorf("no line about %s", fields[0])
		}
	}
	for _, m := range regexp.MustCompile("`((?:[a-z]+\\.)+[a-z]+/[^` ]+)`").FindAllStringSubmatch(string(page), -1) {
		if !strings.Contains(string(gomod), m[1]+" v") && !slices.Contains(notOurs, m[1]) {
			t.Errorf("%s is not in go.mod", m[1])
		}
	}
}

// notOurs are modules that the page names but the program does not use: what
// would replace one, and the tools.
var notOurs = []string{"github.com/mattn/go-sqlite3", "honnef.co/go/tools", "github.com/stripe/stripe-mock", "modernc.org/libc"}

// TestLinks fails for a link from one page to another that is not there.
func TestLinks(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	pages = append(pages, "../../README.md", "../../CONTRIBUTING.md", "../../CHANGELOG.md")
	link := regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)
	for _, name := range pages {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.HasPrefix(m[1], "https://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
