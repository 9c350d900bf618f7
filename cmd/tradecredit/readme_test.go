package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tradecredit/internal/app"
	"tradecredit/internal/app/apptest"
	"tradecredit/internal/clock"
	"tradecredit/internal/merchant"
)

// TestReadme pastes the calls of the README into a shell and looks at what came
// of them.
func TestReadme(t *testing.T) {
	t.Parallel()
	s := serveSandbox(t)
	script := strings.Replace(block(t, "../../README.md", "journey", "bash"), "http://127.0.0.1:8080", s.config.Public(), 1)
	dir := t.TempDir()
	if err := os.Symlink(s.config.DataDir, filepath.Join(dir, "data")); err != nil {
		t.Fatal(err)
	}
	// Pasted twice it must work twice.
	for range 2 {
		cmd := exec.CommandContext(t.Context(), "bash", "-eu", "-o", "pipefail")
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(script)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		for _, want := range []string{
			"The buyer's page: " + s.config.Public() + "/plans/ppln-", `"type":"capture"`, `"type":"refund"`, `"type":"void"`,
			`"event_type":"offer.created"`,
		} {
			if !strings.Contains(string(out), want) {
				t.Errorf("no %s in\n%s", want, out)
			}
		}
	}
	awaitDelivery(t, s, "deferred_payment.capture")
	var list struct {
		Count   int
		Results []struct {
			Status        string
			Authorisation int64
			Protected     int64 `json:"protected_captures"`
			Refunds       int64
			Voided        int64 `json:"voided_authorisation"`
		}
	}
	fetch(t, s, "/v1/payment/deferred_payments", &list)
	if list.Count != 2 {
		t.Fatalf("%d deferred payments", list.Count)
	}
	for _, p := range list.Results {
		if p.Status != "captured" || p.Authorisation != 0 || p.Protected != 6500 || p.Refunds != 1500 || p.Voided != 4000 {
			t.Errorf("%+v", p)
		}
	}
}

// serveSandbox serves a sandbox on a free port until the test ends.
func serveSandbox(t *testing.T) *server {
	t.Helper()
	c := storage{DataDir: t.TempDir(), Environment: "sandbox"}.config()
	c.Listen = "127.0.0.1:0"
	s, err := start(&system{ctx: t.Context(), clock: clock.System{}, log: quiet()}, c)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.app.Serve(t.Context(), s.listener) }()
	t.Cleanup(func() {
		if err := <-served; err != nil {
			t.Error(err)
		}
		s.db.Close()
	})
	return s
}

// awaitDelivery waits until the shop was told of an event: that happens soon after
// the answer, not before it.
func awaitDelivery(t *testing.T, s *server, eventType string) {
	t.Helper()
	apptest.Eventually(t, func() error {
		var sent struct {
			Results []struct {
				EventType string `json:"event_type"`
			}
		}
		fetch(t, s, "/v1/sandbox/webhook_deliveries?limit=100", &sent)
		for _, d := range sent.Results {
			if d.EventType == eventType {
				return nil
			}
		}
		return fmt.Errorf("no delivery of %s", eventType)
	})
}

// newMerchant makes a merchant and returns its secret key.
func (s *server) newMerchant(t *testing.T) string {
	t.Helper()
	m, err := app.CreateMerchant(t.Context(), s.db, merchant.New{
		Name: t.Name(), Profile: merchant.BNPL, Environment: merchant.Sandbox,
	}, clock.System{}.Now())
	if err != nil {
		t.Fatal(err)
	}
	return m.SecretKey
}

// fetch reads a path of the API with the demo merchant's secret key.
func fetch(t *testing.T, s *server, path string, out any) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.config.Public()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Token "+s.keys.SecretKey)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("%s answered %d", path, answer.StatusCode)
	}
	if err := json.NewDecoder(answer.Body).Decode(out); err != nil {
		t.Fatal(err)
	}
}

// block is the one code block of a language that a page has between
// <!-- name --> and <!-- /name -->.
func block(t *testing.T, file, name, language string) string {
	t.Helper()
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "<!-- "+name+" -->\n```"+language+"\n")
	text, _, ended := strings.Cut(rest, "```\n<!-- /"+name+" -->")
	if !found || !ended {
		t.Fatalf("%s has no %s block called %q", file, language, name)
	}
	return text
}
