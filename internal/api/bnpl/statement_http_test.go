package bnpl_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"testing"

	"tradecredit/internal/app/apptest"
)

// seen is what tests look at of a statement.
type seen struct {
	ID, Number, Reference, Status, Currency string
	Start                                   string `json:"period_start"`
	End                                     string `json:"period_end"`
	CloseDate                               string `json:"close_date"`
	Due                                     string `json:"due_date"`
	Opening                                 int64  `json:"opening_balance"`
	Captures, Refunds, Fees, Payments       int64
	Discounts, Adjustments                  int64
	Closing                                 int64 `json:"closing_balance"`
	Amount                                  int64 `json:"amount_due"`
	Remaining                               int64 `json:"remaining_amount"`
	Lines                                   []struct {
		Type   string
		Amount int64
	}
	Items []struct {
		DeferredPayment   string `json:"deferred_payment"`
		Amount, Remaining int64
	}
}

func (s seen) String() string {
	return fmt.Sprintf("%s %s..%s: %d +%d %d +%d %d %d = %d, due %d by %s, %d left",
		s.Status, s.Start, s.End, s.Opening, s.Captures, s.Refunds, s.Fees, s.Payments, s.Adjustments, s.Closing, s.Amount, s.Due, s.Remaining)
}

// billed gives a shop's buyer an account.
func billed(shop *apptest.Shop, terms string, to ...string) string {
	if to == nil {
		to = []string{}
	}
	return shop.Do("POST", billingPath, map[string]any{
		"organisations": []string{shop.Organisation}, "payment_terms": terms, "emails": map[string]any{"to": to, "cc": []string{}},
	}).WantStatus(201).ID()
}

// statements are those of an account, oldest first.
func statements(shop *apptest.Shop, account string) []seen {
	var l struct{ Results []seen }
	shop.Do("GET", "/v1/payment/statements?ordering=created&limit=100&billing_account="+account, nil).WantStatus(200).Decode(&l)
	return l.Results
}

func wantStatement(t *testing.T, s seen, want string) {
	t.Helper()
	if s.String() != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}

func happens(shop *apptest.Shop, payment, action string, amount int64) {
	shop.Do("POST", apptest.PaymentPath(payment)+"/"+action, map[string]any{"amount": amount, "metadata": map[string]any{}}).WantStatus(201)
}

// TestStatement: purchases of a month, one mail with the files, one transfer.
func TestStatement(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		before := shop.Payment(5000)
		happens(shop, before, "capture", 5000)
		account := billed(shop, "7d", "invoices@restaurant.com")
		if got := statements(shop, account); len(got) != 0 {
			t.Fatalf("a statement of nothing: %v", got)
		}
		first, second := shop.Payment(10000), shop.Payment(20000)
		happens(shop, first, "capture", 10000)
		happens(shop, second, "capture", 15000)
		happens(shop, second, "refund", 5000)
		happens(shop, second, "void", 1000)
		open := statements(shop, account)
		if len(open) != 1 {
			t.Fatalf("%v", open)
		}
		wantStatement(t, open[0], "open 2026-03-02..2026-03-08: 0 +25000 -5000 +0 0 0 = 20000, due 0 by , 0 left")
		shop.Do("GET", "/v1/payment/statements/"+open[0].ID+"/pdf", nil).Want(409, `{"detail": "The statement is open. Its files are made when it is closed."}`)
		shop.Do("POST", "/v1/sandbox/statements/"+open[0].ID+"/transfer", `{"amount": 1}`).WantStatus(409)

		if ran := shop.Advance(7 * apptest.Day); ran["statement.close"] != 1 {
			t.Errorf("ran %v", ran)
		}
		all := statements(shop, account)
		if len(all) != 2 || all[0].ID != open[0].ID || all[0].CloseDate != "2026-03-09" {
			t.Fatalf("%v", all)
		}
		wantStatement(t, all[0], "closed 2026-03-02..2026-03-08: 0 +25000 -5000 +0 0 0 = 20000, due 20000 by 2026-03-23, 20000 left")
		wantStatement(t, all[1], "open 2026-03-09..2026-03-15: 20000 +0 0 +0 0 0 = 20000, due 0 by , 0 left")
		mailed(t, shop, all[0])

		// One transfer pays both purchases; what was bought before is not on it.
		var paid struct {
			Allocations []struct {
				DeferredPayment string `json:"deferred_payment"`
				Amount          int64
			}
			Rest      int64
			Statement seen
		}
		shop.Do("POST", "/v1/sandbox/statements/"+all[0].ID+"/transfer", `{"amount": 12000}`).WantStatus(200).Decode(&paid)
		if fmt.Sprint(paid.Allocations) != fmt.Sprintf("[{%s 10000} {%s 2000}]", first, second) || paid.Rest != 0 {
			t.Errorf("%+v", paid)
		}
		wantStatement(t, paid.Statement, "partially_paid 2026-03-02..2026-03-08: 0 +25000 -5000 +0 0 0 = 20000, due 20000 by 2026-03-23, 8000 left")
		shop.Do("POST", "/v1/sandbox/statements/"+all[0].ID+"/transfer", `{"amount": 9000}`).WantStatus(200).Decode(&paid)
		wantStatement(t, paid.Statement, "paid 2026-03-02..2026-03-08: 0 +25000 -5000 +0 0 0 = 20000, due 20000 by 2026-03-23, 0 left")
		if paid.Rest != 1000 {
			t.Errorf("%d are left over", paid.Rest)
		}
		shop.Advance(7 * apptest.Day)
		all = statements(shop, account)
		wantStatement(t, all[1], "paid 2026-03-09..2026-03-15: 20000 +0 0 +0 -20000 0 = 0, due 0 by 2026-03-30, 0 left")
		if len(all) != 2 {
			t.Errorf("a statement of nothing: %v", all)
		}
		shop.Advance(70 * apptest.Day)
		if all = statements(shop, account); len(all) != 2 {
			t.Errorf("%d statements though nothing happened", len(all))
		}
		s.Clean()
	})
}

// mailed looks at the mail that a statement came with, and at its files.
func mailed(t *testing.T, shop *apptest.Shop, st seen) {
	t.Helper()
	var outbox struct {
		Results []struct {
			To, Cc        []string
			Subject, Text string
			Attachments   []struct{ Filename, URL string }
		}
	}
	shop.Do("GET", "/v1/sandbox/emails?limit=100", nil).WantStatus(200).Decode(&outbox)
	found := 0
	for _, m := range outbox.Results {
		if !strings.Contains(m.Subject, st.Number) {
			continue
		}
		found++
		if m.To[0] != "invoices@restaurant.com" || !strings.Contains(m.Text, "GBP 200.00") || !strings.Contains(m.Text, "23 March 2026") || len(m.Attachments) != 2 {
			t.Errorf("the mail is %+v", m)
			continue
		}
		for i, kind := range []string{"pdf", "csv"} {
			r := shop.Do("GET", "/v1/payment/statements/"+st.ID+"/"+kind, nil).WantStatus(200)
			_, encoded, _ := strings.Cut(m.Attachments[i].URL, ";base64,")
			attached, err := base64.StdEncoding.DecodeString(encoded)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(attached, r.Body) {
				t.Errorf("the %s is another one than was sent", kind)
			}
			want := `attachment; filename="statement-` + st.Number + `.` + kind + `"`
			if got := r.Header.Get("Content-Disposition"); got != want || m.Attachments[i].Filename != "statement-"+st.Number+"."+kind {
				t.Errorf("the %s is called %s", kind, got)
			}
			sum := sha256.Sum256(r.Body)
			if !eventHas(t, shop, "statement.closed", hex.EncodeToString(sum[:])) {
				t.Errorf("the log does not know the %s", kind)
			}
		}
	}
	if found != 1 {
		t.Errorf("%d mails with statement %s", found, st.Number)
	}
	if !strings.HasPrefix(st.Reference, "RF") || !strings.HasSuffix(st.Reference, strings.ReplaceAll(st.Number, "-", "")) {
		t.Errorf("the reference of %s is %s", st.Number, st.Reference)
	}
}

// eventHas waits for an event of a type whose data hold a text.
func eventHas(t *testing.T, shop *apptest.Shop, kind, text string) bool {
	t.Helper()
	found := false
	apptest.Eventually(t, func() error {
		r := shop.Do("GET", "/v1/events?limit=100", nil).WantStatus(200)
		if !strings.Contains(string(r.Body), kind) {
			return fmt.Errorf("no %s yet", kind)
		}
		found = strings.Contains(string(r.Body), text)
		return nil
	})
	return found
}

// TestDeactivatedAccount: the open statement is closed and mailed on its day, and
// none comes after it.
func TestDeactivatedAccount(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		account := billed(shop, "14d", "invoices@restaurant.com")
		payment := shop.Payment(30000)
		happens(shop, payment, "capture", 10000)
		shop.Advance(2 * apptest.Day)
		shop.Do("PATCH", billingPath+"/"+account, `{"active": false}`).WantStatus(200)
		happens(shop, payment, "capture", 10000)
		shop.Advance(13 * apptest.Day)
		happens(shop, payment, "capture", 10000)
		shop.Advance(60 * apptest.Day)
		all := statements(shop, account)
		if len(all) != 1 {
			t.Fatalf("%v", all)
		}
		wantStatement(t, all[0], "overdue 2026-03-02..2026-03-15: 0 +20000 0 +0 0 0 = 20000, due 20000 by 2026-03-30, 20000 left")
		var outbox struct{ Results []struct{ Subject string } }
		shop.Do("GET", "/v1/sandbox/emails?limit=100", nil).WantStatus(200).Decode(&outbox)
		if mails := strings.Count(fmt.Sprint(outbox), "statement of account"); mails != 1 {
			t.Errorf("%d mails with statements", mails)
		}
		s.Clean()
	})
}

// TestStatementChain: each statement begins where the one before it ended; fees,
// payments, returned payments and debts that were given up stand on it; clawbacks
// do not.
func TestStatementChain(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		shop.Set(map[string]any{"expiry_days": nil})
		account := billed(shop, "1m")
		payment := shop.Payment(30000)
		happens(shop, payment, "capture", 20000)
		shop.Do("POST", "/v1/sandbox/deferred_payments/"+payment+"/clawback", `{"amount": 1000}`).WantStatus(201)
		shop.Advance(31 * apptest.Day)
		happens(shop, payment, "capture", 4000)
		happens(shop, payment, "refund", 1000)
		first := statements(shop, account)[0]
		wantStatement(t, first, "closed 2026-03-02..2026-04-01: 0 +20000 0 +0 0 0 = 20000, due 20000 by 2026-04-16, 20000 left")
		shop.Do("POST", "/v1/sandbox/statements/"+first.ID+"/transfer", `{"amount": 5000}`).WantStatus(200)
		shop.Advance(30 * apptest.Day)
		all := statements(shop, account)
		wantStatement(t, all[0], "overdue 2026-03-02..2026-04-01: 0 +20000 0 +0 0 0 = 20000, due 20000 by 2026-04-16, 15000 left")
		wantStatement(t, all[1], "closed 2026-04-02..2026-05-01: 20000 +4000 -1000 +0 -5000 0 = 18000, due 18000 by 2026-05-16, 18000 left")
		// A debt stands on both; what pays the later one pays the earlier one.
		shop.Do("POST", "/v1/sandbox/statements/"+all[1].ID+"/transfer", `{"amount": 18000}`).WantStatus(200)
		all = statements(shop, account)
		wantStatement(t, all[0], "paid 2026-03-02..2026-04-01: 0 +20000 0 +0 0 0 = 20000, due 20000 by 2026-04-16, 0 left")
		wantStatement(t, all[1], "paid 2026-04-02..2026-05-01: 20000 +4000 -1000 +0 -5000 0 = 18000, due 18000 by 2026-05-16, 0 left")
		for status, want := range map[string]int{"paid": 2, "open": 1, "overdue": 0, "closed": 0, "partially_paid": 0} {
			var l struct{ Count int }
			shop.Do("GET", "/v1/payment/statements?status="+status, nil).WantStatus(200).Decode(&l)
			if l.Count != want {
				t.Errorf("%d statements are %s, want %d", l.Count, status, want)
			}
		}
		shop.Do("GET", "/v1/payment/statements?status=lost", nil).Want(400, `{"status": ["Select a valid choice. lost is not one of the available choices."]}`)
		shop.Do("GET", "/v1/payment/statements?billing_account=ba-1", nil).WantStatus(400)
		for _, path := range []string{"", "/pdf", "/csv"} {
			s.Shop(apptest.Buyer{}).Do("GET", "/v1/payment/statements/"+first.ID+path, nil).Want(404, `{"detail": "Not found."}`)
		}
		s.Clean()
	})
}

// TestRefundAfterStatement: what was refunded after the close is not asked for any
// more, and a refund of something that was paid goes back to the buyer.
func TestRefundAfterStatement(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		account := billed(shop, "7d")
		first, second := shop.Payment(10000), shop.Payment(20000)
		happens(shop, first, "capture", 10000)
		happens(shop, second, "capture", 20000)
		shop.Advance(7 * apptest.Day)
		st := statements(shop, account)[0]
		happens(shop, first, "refund", 10000)
		var paid struct {
			Rest      int64
			Statement seen
		}
		shop.Do("POST", "/v1/sandbox/statements/"+st.ID+"/transfer", `{"amount": 30000}`).WantStatus(200).Decode(&paid)
		wantStatement(t, paid.Statement, "paid 2026-03-02..2026-03-08: 0 +30000 0 +0 0 0 = 30000, due 30000 by 2026-03-23, 0 left")
		if paid.Rest != 10000 {
			t.Errorf("%d are left over", paid.Rest)
		}
		happens(shop, second, "refund", 5000)
		shop.Advance(7 * apptest.Day)
		all := statements(shop, account)
		if last := all[1]; last.Opening != 30000 || last.Refunds != -15000 || last.Closing != last.Opening+last.Refunds+last.Payments {
			t.Errorf("%s", last)
		}
		s.Clean()
	})
}

// TestManyOrganisations: an account of several organisations has one statement for
// each currency, and says on each line whose it is.
func TestManyOrganisations(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		other := s.ShopOf(shop.Client, apptest.Buyer{Email: "joe@buyer.example"})
		account := shop.Do("POST", billingPath, map[string]any{
			"organisations": []string{shop.Organisation, other.Organisation}, "payment_terms": "7d",
			"emails": map[string]any{"to": []string{}, "cc": []string{"copy@restaurant.com"}},
		}).WantStatus(201).ID()
		happens(shop, shop.Payment(1000), "capture", 1000)
		happens(shop, other.Payment(2000), "capture", 2000)
		shop.Advance(7 * apptest.Day)
		all := statements(shop, account)
		wantStatement(t, all[0], "closed 2026-03-02..2026-03-08: 0 +3000 0 +0 0 0 = 3000, due 3000 by 2026-03-23, 3000 left")
		lines := string(shop.Do("GET", "/v1/payment/statements/"+all[0].ID, nil).WantStatus(200).Body)
		if !strings.Contains(lines, shop.Organisation) || !strings.Contains(lines, other.Organisation) {
			t.Errorf("%s", lines)
		}
		if mails := string(shop.Do("GET", "/v1/sandbox/emails", nil).WantStatus(200).Body); !strings.Contains(mails, `"to":["copy@restaurant.com"]`) {
			t.Errorf("%s", mails[:200])
		}
		s.Clean()
	})
}

// TestStatementRace: whatever is captured, refunded and paid while statements are
// closed stands on exactly one.
func TestStatementRace(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		shop.Set(map[string]any{"expiry_days": nil})
		account := billed(shop, "7d")
		var payments []string
		for range 4 {
			payments = append(payments, shop.Payment(10000))
		}
		var busy sync.WaitGroup
		for _, p := range payments {
			busy.Add(1)
			go func() {
				defer busy.Done()
				for range 20 {
					shop.Do("POST", apptest.PaymentPath(p)+"/capture", `{"amount": 100}`)
					shop.Do("POST", apptest.PaymentPath(p)+"/refund", `{"amount": 40}`)
				}
			}()
		}
		for range 6 {
			shop.Advance(5 * apptest.Day)
			for _, st := range statements(shop, account) {
				if st.Status != "open" {
					shop.Do("POST", "/v1/sandbox/statements/"+st.ID+"/transfer", `{"amount": 90}`).WantStatus(200)
				}
			}
		}
		busy.Wait()
		shop.Advance(14 * apptest.Day)
		var captured, refunded int64
		for _, st := range statements(shop, account) {
			captured, refunded = captured+st.Captures, refunded+st.Refunds
		}
		if captured != 4*20*100 || refunded != -4*20*40 {
			t.Errorf("%d captured and %d refunded on statements", captured, refunded)
		}
		s.Clean()
	})
}
