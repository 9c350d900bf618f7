package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"tradecredit/internal/app/apptest"
	"tradecredit/internal/db"
)

// TestStatementsCommand follows docs/statements.md: a statement is listed, shown,
// printed and sent again.
func TestStatementsCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, err := db.Open(t.Context(), db.Options{File: filepath.Join(dir, "tradecredit.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	if err := d.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	shop := apptest.Start(t, d, nil).Shop(apptest.Buyer{})
	shop.Do("POST", "/v1/payment/billing_accounts", map[string]any{
		"organisations": []string{shop.Organisation}, "payment_terms": "7d",
		"emails": map[string]any{"to": []string{"invoices@restaurant.com"}, "cc": []string{}},
	}).WantStatus(201)
	payment := shop.Payment(123400)
	shop.Do("POST", apptest.PaymentPath(payment)+"/capture", `{"amount": 123400}`).WantStatus(201)
	shop.Advance(8 * apptest.Day)

	run := func(want string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "tradecredit", append(append([]string{"statements"}, args...), "--data-dir", dir)...)
		var failed bytes.Buffer
		cmd.Stderr = &failed
		out, err := cmd.Output()
		if text := string(out) + failed.String(); !strings.Contains(text, want) || (err != nil) != strings.HasPrefix(failed.String(), "tradecredit:") {
			t.Errorf("statements %s: %v\n%s", strings.Join(args, " "), err, text)
		}
		return string(out)
	}
	m := shop.Merchant.ID
	list := run("closed", "list", m, "--status", "closed")
	number, _, _ := strings.Cut(list, " ")
	if !strings.Contains(list, "2026-03-02 to 2026-03-08  closing GBP 1234.00  due 1234.00 by 2026-03-23  1234.00 left") {
		t.Errorf("%s", list)
	}
	run(`"closing":123400`, "list", m, "--json")
	shown := run("opening balance 0.00\n  2026-03-02  capture ", "show", number)
	if !strings.Contains(shown, "reference RF") || !strings.Contains(shown, "closing balance 1234.00\n") || !strings.Contains(shown, "1234.00 left of 1234.00") {
		t.Errorf("%s", shown)
	}
	run(`"type":"capture"`, "show", "rf "+strings.ToLower(number), "--json")
	if pdf := run("%PDF-", "pdf", number); len(pdf) < 10_000 {
		t.Errorf("a PDF of %d bytes", len(pdf))
	}
	run("closing_balance", "csv", number)
	run(number+" will be mailed by the server.", "send", number)
	run(`"number":"`+number+`"`, "send", number, "--json")
	run("there is no statement S-2222-2222", "show", "S-2222-2222")
	run("the merchant has no statement stmt-1", "show", "stmt-1", "--merchant", m)
	run("there is no merchant mer-1", "list", "mer-1")
	var all struct{ Results []struct{ ID string } }
	shop.Do("GET", "/v1/payment/statements?status=open", nil).WantStatus(200).Decode(&all)
	run("its files are made when it is closed", "pdf", all.Results[0].ID, "--merchant", m)
	run("its files are made when it is closed", "send", all.Results[0].ID, "--merchant", m)
}
