package processor

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// stripeMock starts Stripe's own stand-in, which holds requests against the
// published description of the API and answers with examples. It returns its
// address. Without the module the test is skipped, unless TRADECREDIT_TEST_REQUIRE
// is 1.
func stripeMock(t *testing.T) string {
	t.Helper()
	skip := func(why string, err error) {
		t.Helper()
		if os.Getenv("TRADECREDIT_TEST_REQUIRE") == "1" {
			t.Fatalf("%s: %v", why, err)
		}
		t.Skipf("skipped: %s: %v", why, err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	// Builds it into Go's cache, once, and says where.
	find := exec.CommandContext(t.Context(), "go", "tool", "-modfile="+filepath.Join(root, "tools/go.mod"), "-n", "stripe-mock")
	find.Dir = root
	find.Stderr = os.Stderr
	program, err := find.Output()
	if err != nil {
		skip("stripe-mock cannot be built", err)
	}
	mock := exec.CommandContext(t.Context(), strings.TrimSpace(string(program)), "-http-addr", "127.0.0.1:0", "-https-addr", "127.0.0.1:0")
	mock.Stderr = os.Stderr
	out, err := mock.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := mock.Start(); err != nil {
		skip("stripe-mock cannot be started", err)
	}
	t.Cleanup(func() {
		_ = mock.Process.Kill()
		_ = mock.Wait()
	})
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if _, address, ok := strings.Cut(lines.Text(), "Listening for HTTP at address: "); ok {
			return "http://" + address
		}
	}
	t.Fatalf("stripe-mock has not started: %v", lines.Err())
	return ""
}

// TestStripeMock holds every request that we make against the description of
// Stripe's API. What is answered are examples, of payment intents that were
// declined.
func TestStripeMock(t *testing.T) {
	t.Parallel()
	s, err := NewStripe(StripeConfig{Key: "sk_test_123", BaseURL: stripeMock(t)})
	if err != nil {
		t.Fatal(err)
	}
	full := Charge{
		ID: "c-1", Amount: 1250, Currency: "EUR", Method: Card, Token: "pm_card_visa", CustomerReference: "cus_1", OffSession: true,
		Description: "Instalment 1 of 3", StatementDescriptor: "Tradecredit 17",
	}
	present, token, debit, bacs, mandate := full, full, full, full, full
	present.OffSession, present.ReturnURL, present.CustomerReference = false, "https://pay.example/back", "org-1"
	token.Token = "tok_visa"
	debit.Method, debit.Token = DirectDebit, "pm_1"
	bacs.Method, bacs.Token, bacs.Currency = DirectDebit, "pm_1", "GBP"
	mandate.Method, mandate.Token = DirectDebit, "mandate_1"
	for i, c := range []Charge{full, present, token, debit, bacs, mandate} {
		c.ID = fmt.Sprintf("c-%d", i)
		r, err := s.Charge(t.Context(), c)
		if err != nil || !strings.HasPrefix(r.Reference, "pi_") || r.Outcome != Declined {
			t.Errorf("%+v: %+v, %v", c, r, err)
		}
	}
	if r, found, err := s.Lookup(t.Context(), "pi_1"); err != nil || !found || r.Reference == "" {
		t.Errorf("by reference: %+v, %v, %v", r, found, err)
	}
	// The example that is found bears another ID than ours.
	if r, found, err := s.Lookup(t.Context(), "c-1"); err != nil || found {
		t.Errorf("by our ID: %+v, %v, %v", r, found, err)
	}
	refund := Refund{ID: "r-1", ChargeReference: "pi_1", Amount: 5, Currency: "EUR"}
	if r, err := s.Refund(t.Context(), refund); err != nil || r.Outcome != Succeeded || !strings.HasPrefix(r.Reference, "re_") {
		t.Errorf("a refund: %+v, %v", r, err)
	}
	if r, found, err := s.LookupRefund(t.Context(), refund); err != nil || found {
		t.Errorf("looking for a refund: %+v, %v, %v", r, found, err)
	}
}
