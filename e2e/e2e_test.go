// Package e2e tests the hosted pages in a real browser. The tests need Node and Chromium, and say in one line what is
// missing; with TRADECREDIT_TEST_REQUIRE=1 what is missing is a failure.
package e2e

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"tradecredit/internal/web/assets"
	"tradecredit/internal/web/pay"
)

// TestPages visits every state of the plan page.
func TestPages(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	renderer, err := pay.NewRenderer()
	if err != nil {
		t.Fatal(err)
	}
	sheets, err := assets.New()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(pay.KitPrefix, pay.Kit(renderer))
	mux.Handle(assets.Prefix, sheets)
	server := httptest.NewServer(mux)
	defer server.Close()
	node(t, nil, "pages.mjs", server.URL)
}

// TestJourneyScript holds journey.mjs itself against a small stand-in of the plan page, so that a journey that fails
// against the real program fails because of the program.
func TestJourneyScript(t *testing.T) {
	t.Parallel()
	requireBrowser(t)
	for name, c := range map[string]struct {
		plan *planStandIn
		env  []string
	}{
		"led back to the shop": {&planStandIn{end: pay.Accepted, redirect: true}, []string{"RETURN_URL=https://shop.example/ok", "DOUBLE=1"}},
		"shown on the page":    {&planStandIn{end: pay.PendingReview}, []string{"EXPECT=pending_review", "PAYMENT_METHOD=card"}},
		"nothing to confirm":   {&planStandIn{start: pay.Expired}, []string{"EXPECT=expired"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, c.plan)
			node(t, append(c.env, "PLAN_URL="+server.URL+"/plans/ppln-1"), "journey.mjs")
		})
	}
}

// planStandIn is one plan page that remembers its confirmation.
type planStandIn struct {
	start, end pay.State // start is pay.Offered when empty
	redirect   bool      // to the shop, once confirmed
	renderer   *pay.Renderer
	mu         sync.Mutex
	confirmed  bool
}

func (s *planStandIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	page := pay.Fixtures()["offered"]
	result := &pay.Result{Status: string(s.end), Number: "P-7WR2-PR0S", Plan: &page.Plans[0]}
	if s.start != "" {
		page.State = s.start
	}
	if s.confirmed {
		page.State, page.Result = pay.AlreadyConfirmed, result
	}
	if r.Method == http.MethodPost && page.State == pay.Offered {
		_ = r.ParseForm() // a broken form has no fields, which is a problem of its own
		page.Form.Input = pay.ReadInput(r.PostForm)
		page.Form.Problems = pay.CheckInput(page.Form.Input, page.Plans)
		if len(page.Form.Problems) == 0 {
			s.confirmed = true
			page.State, page.Result = s.end, result
		}
	}
	pay.SecurityHeaders(w.Header(), []string{page.Links.Success})
	if s.confirmed && s.redirect && r.Method == http.MethodPost {
		http.Redirect(w, r, page.Links.Success+"?status="+string(s.end), http.StatusSeeOther)
		return
	}
	if err := s.renderer.Render(w, page); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// serve starts a server with the stand-in and the style sheets.
func serve(t *testing.T, plan *planStandIn) *httptest.Server {
	t.Helper()
	var err error
	if plan.renderer, err = pay.NewRenderer(); err != nil {
		t.Fatal(err)
	}
	sheets, err := assets.New()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/plans/", plan)
	mux.Handle(assets.Prefix, sheets)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

// node runs a script of this folder with more environment, and fails the test with what it printed.
func node(t *testing.T, env []string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", args[0], err, out)
	}
	t.Logf("%s", out)
}

// requireBrowser skips the test, or fails it where skipping is forbidden, when there is no browser to test with.
func requireBrowser(t *testing.T) {
	t.Helper()
	missing := installOnce()
	switch {
	case missing == "":
	case os.Getenv("TRADECREDIT_TEST_REQUIRE") == "1":
		t.Fatalf("browser tests: %s", missing)
	default:
		t.Skipf("browser tests skipped: %s", missing)
	}
}

// installOnce answers what is missing for the browser tests, after it fetched the pinned packages where they are not
// there yet. It works once for all tests of the package.
var installOnce = sync.OnceValue(func() string {
	chromium := os.Getenv("CHROMIUM")
	if chromium == "" {
		chromium = "/usr/bin/chromium"
	}
	if _, err := exec.LookPath(chromium); err != nil {
		return "no Chromium at " + chromium + " (set CHROMIUM)"
	}
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			return "no " + tool
		}
	}
	if _, err := os.Stat(filepath.Join("node_modules", ".package-lock.json")); err == nil {
		return ""
	}
	if out, err := exec.Command("npm", "ci").CombinedOutput(); err != nil {
		return "npm ci: " + err.Error() + "\n" + string(out)
	}
	return ""
})
