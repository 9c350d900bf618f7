package simulate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tradecredit/internal/app"
	"tradecredit/internal/db"
)

// compareItems holds every payout item against the books.
func (s *shop) compareItems() {
	s.w.t.Helper()
	var got, want []string
	for _, i := range all[seenItem](s, "/v1/payment/payout_items?") {
		paid := "-"
		if i.Payout != nil {
			paid = *i.Payout + " " + *i.Paid
		}
		got = append(got, fmt.Sprint(i.Payment, " ", i.Type, " ", i.Amount, " ", i.Fees, " ", i.Currency, " ", i.Created, " ", i.Status, " ", paid))
	}
	for _, i := range s.items {
		status, paid := "scheduled", "-"
		switch {
		case i.payout != nil:
			status, paid = "paid", i.payout.id+" "+text(i.payout.day)
		case s.settings.invoices && !i.debt.invoiced:
			status = "awaiting_document"
			s.w.did["awaiting invoice"]++
		}
		want = append(want, fmt.Sprint(i.debt.id, " ", i.kind, " ", i.amount, " ", i.fee, " ", i.debt.buyer.currency, " ", text(i.day), " ", status, " ", paid))
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		only := func(a, b []string) (out []string) {
			for _, x := range a {
				if !slices.Contains(b, x) {
					out = append(out, x)
				}
			}
			return out
		}
		s.fail("%d payout items, want %d; only there\n%q\nonly in the books\n%q", len(got), len(want), only(got, want), only(want, got))
	}
}

// compareLimit holds what a company has in use against the debts that it has with
// all merchants.
func (s *shop) compareLimit(b *buyer) {
	s.w.t.Helper()
	var want int64
	for _, other := range s.w.shops {
		for _, d := range other.debts {
			if d.buyer.Company == b.Company {
				want += d.inUse()
			}
		}
	}
	var shown struct {
		Limit struct {
			InUse int64 `json:"amount_in_use"`
		} `json:"credit_limit"`
	}
	s.post(200, "/v1/payment/credit_limits/company/"+b.Company, object{"currency": b.currency}).Decode(&shown)
	if shown.Limit.InUse != want {
		s.fail("%s has %d in use, want %d", b.Company, shown.Limit.InUse, want)
	}
}

// seenStatement is a statement of account as the API shows it.
type seenStatement struct {
	ID, Status, Currency string
	Start                string `json:"period_start"`
	Opening              int64  `json:"opening_balance"`
	Captures             int64
	Refunds              int64
	Fees                 int64
	Discounts            int64
	Payments             int64
	Adjustments          int64
	Closing              int64 `json:"closing_balance"`
	Remaining            int64 `json:"remaining_amount"`
}

// compareStatements demands that statements follow from each other, and that the
// last one closes with what the buyer owes.
func (s *shop) compareStatements(b *buyer) {
	s.w.t.Helper()
	if b.account == "" {
		return
	}
	var want, before int64
	for _, d := range s.debts {
		if d.buyer == b {
			want += d.owed() - d.repaid - d.lost
		}
	}
	found := all[seenStatement](s, "/v1/payment/statements?billing_account="+b.account+"&")
	slices.SortFunc(found, func(x, y seenStatement) int {
		if x.Start < y.Start {
			return -1
		}
		return 1
	})
	for i, st := range found {
		s.w.did["statement"]++
		if st.Opening != before || st.Closing != st.Opening+st.Captures+st.Refunds+st.Fees+st.Discounts+st.Payments+st.Adjustments {
			s.fail("statement %d of %s does not add up after one that closed with %d: %+v", i, b.account, before, st)
		}
		before = st.Closing
	}
	if before != want {
		s.fail("the statements of %s close with %d, and the buyer owes %d", b.account, before, want)
	}
	if len(found) > 0 {
		s.compareLines(b, found[s.w.rng.IntN(len(found))])
	}
}

// compareLines holds a statement against its own lines.
func (s *shop) compareLines(b *buyer, st seenStatement) {
	var shown struct {
		seenStatement
		Lines []struct{ Amount int64 }
	}
	s.get("/v1/payment/statements/"+st.ID, &shown)
	sum := st.Opening
	for _, l := range shown.Lines {
		sum += l.Amount
	}
	if sum != st.Closing || shown.seenStatement != st {
		s.fail("the lines of statement %s make %d: %+v", st.ID, sum, shown)
	}
}

const sumCredits db.SQL = `SELECT CAST(COALESCE(SUM(amount - used), 0) AS BIGINT) FROM buyer_credits
	WHERE merchant_id = $1 AND organisation_id = $2 AND currency = $3 AND used < amount`

// total holds what the merchant got and still gets against what it sold, and the
// buyers' credits against the books.
func (s *shop) total() {
	s.w.t.Helper()
	got, want := map[string]int64{}, map[string]int64{}
	for _, p := range all[seenPayout](s, "/v1/payment/payouts?") {
		got[p.Currency] += p.Amount
	}
	for _, i := range s.items {
		if i.payout == nil {
			got[i.debt.buyer.currency] += s.pays(i)
		}
	}
	for _, d := range s.debts {
		want[d.buyer.currency] += d.forMerchant()
		if !s.settings.gross {
			want[d.buyer.currency] -= d.merchantFee()
		}
	}
	for currency, carried := range s.carried {
		got[currency] += carried
	}
	for _, currency := range currencies {
		if got[currency] != want[currency] {
			s.fail("the merchant got or gets %d %s, and is to get %d", got[currency], currency, want[currency])
		}
	}
	ctx := context.Background()
	for _, b := range s.buyers {
		var left int64
		err := s.w.server.DB.Read(ctx, func(tx *db.Tx) error {
			return tx.Get(ctx, sumCredits, []any{s.Merchant.ID, b.Organisation, b.currency}, &left)
		})
		if err != nil {
			s.w.t.Fatal(err)
		}
		if left != b.credit() {
			s.fail("%s has credits of %d, want %d", b.Organisation, left, b.credit())
		}
	}
}

// verify lets the program check its own books.
func (w *world) verify(d *db.DB) {
	w.t.Helper()
	report, err := app.Verify(context.Background(), d)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, problem := range report.Problems {
		for _, s := range w.shops {
			if id, _, _ := strings.Cut(problem, ":"); s.byID[id] != nil {
				s.fail("verify: %s: %+v", problem, *s.byID[id])
			}
		}
		w.t.Errorf("seed %d: verify: %s", w.seed, problem)
	}
}
