package app_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"tradecredit/internal/app/apptest"
	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
	"tradecredit/internal/repayment"
)

// creditsOf are the credits of a shop's buyers.
func creditsOf(t testing.TB, s *apptest.Shop) (out []repayment.Credit) {
	t.Helper()
	err := s.Server.DB.Read(context.Background(), func(tx *db.Tx) (err error) {
		out, err = repayment.Credits(context.Background(), tx, s.Merchant.ID, "", 100)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestCreditTakenBack: a payment comes back whose rest has paid another debt. Both
// are owed again, and the books agree.
func TestCreditTakenBack(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s := server.Shop(apptest.Buyer{})
		p, q := s.Payment(100_00), s.Payment(40_00)
		act(s, p, "capture", 100_00)
		act(s, q, "capture", 40_00)
		var made struct{ ID string }
		s.Do("POST", "/v1/sandbox/deferred_payments/"+p+"/repayments", map[string]any{"amount": 150_00, "outcome": "settled"}).WantStatus(201).Decode(&made)
		s.Advance(31 * apptest.Day)
		is(t, s, q, "captured, order paid, paid 0 next -; payment buyer_credit settled 4000")
		if c := creditsOf(t, s); len(c) != 1 || c[0].Left() != 10_00 {
			t.Errorf("credits %+v", c)
		}
		server.Clean()
		s.Do("POST", "/v1/sandbox/deferred_payments/"+p+"/repayments/"+made.ID+"/return", nil).WantStatus(200)
		is(t, s, p, "captured, order unpaid, unpaid 10000 next 2026-04-01; payment bank_transfer returned 15000")
		is(t, s, q, "captured, order unpaid, unpaid 4000 next 2026-04-01; payment buyer_credit returned 4000")
		if c := creditsOf(t, s); len(c) != 1 || c[0].Left() != 0 {
			t.Errorf("credits %+v", c)
		}
		server.Clean()

		// What was paid out of a credit goes back into it.
		repay(s, p, 130_00, "settled", 201)
		server.App.Queue.Wake()
		s.Advance(1)
		apptest.Eventually(t, func() error {
			if got := standing(s, q); !strings.HasSuffix(got, "payment buyer_credit settled 3000") {
				return fmt.Errorf("the credit has not paid what is late: %s", got)
			}
			return nil
		})
		act(s, q, "refund", 40_00)
		if c := creditsOf(t, s); len(c) != 2 || c[1].Left() != 30_00 {
			t.Errorf("credits %+v", c)
		}
		server.Clean()
	})
}

// TestMoneyBack sends back by bank file what a buyer has paid too much, and what is
// left of a credit, and learns that the bank could not.
func TestMoneyBack(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		ctx := context.Background()
		s, r := server.Shop(apptest.Buyer{}), operator(t, server)
		// As in production: nothing goes back by itself.
		r.Immediate, r.Processor = false, nil
		p := s.Payment(100_00)
		act(s, p, "capture", 100_00)
		equal(t, imported(t, server, r, statementOf(t,
			transfer{amount: 120_00, name: "Jane", iban: janeIBAN, text: numberOf(s, p), ref: "M1"})), "1 entries, 1 new, 1 matched, 0 unmatched")
		c := creditsOf(t, s)
		err := server.DB.Write(ctx, func(tx *db.Tx) error {
			m, err := merchant.Get(ctx, tx, s.Merchant.ID)
			if err != nil {
				return err
			}
			if _, err := r.RefundCredit(ctx, tx, m, c[0].ID, nil, server.Clock.Now()); err != nil {
				return err
			}
			_, err = r.RefundCredit(ctx, tx, m, c[0].ID, nil, server.Clock.Now())
			if err == nil {
				t.Error("a credit is sent back twice")
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		server.Clean()
		f := exported(t, server, r, repayment.ExportRequest{Kind: repayment.FileRefunds, Format: repayment.FormatSEPA, Currency: "GBP", Day: day(2026, 3, 3)})
		if f.Orders != 1 || f.Total != 20_00 || !strings.Contains(f.Content, janeIBAN) {
			t.Errorf("%+v", f)
		}
		status := `<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>
<GrpHdr><MsgId>B</MsgId><CreDtTm>2026-03-03T10:00:00</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>` + f.ID + `</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>RJCT</GrpSts></OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>`
		for i, want := range []int{1, 0} {
			out, err := r.ReadAnswer(ctx, server.DB, strings.NewReader(status))
			if err != nil || out.Changed != want {
				t.Errorf("reading %d: %+v, %v", i, out, err)
			}
		}
		if c := creditsOf(t, s); c[0].Left() != 20_00 {
			t.Errorf("after the refusal: %+v", c)
		}
		server.Clean()
	})
}

// TestBankImportOfManyEntries: looking up is done for many entries at once, so a
// long statement costs little more than what it books.
func TestBankImportOfManyEntries(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		r := operator(t, server)
		var transfers []transfer
		for i := range 1000 {
			transfers = append(transfers, transfer{amount: int64(i + 1), name: fmt.Sprint("Payer ", i), text: fmt.Sprint("invoice ", i), ref: fmt.Sprint("N", i)})
		}
		file := statementOf(t, transfers...)
		start := server.Clock.Now()
		equal(t, imported(t, server, r, file), "1000 entries, 1000 new, 0 matched, 1000 unmatched")
		equal(t, imported(t, server, r, file), "1000 entries, 0 new, 0 matched, 0 unmatched")
		if server.Clock.Now() != start {
			t.Error("the clock moved")
		}
		server.Clean()
	})
}
