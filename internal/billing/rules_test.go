package billing

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tradecredit/internal/deferred"
	"tradecredit/internal/merchant"
)

// TestPeriodsAreContiguous: over a decade, whatever day an account is made on,
// every period begins where the one before it ended, and none is empty or too long.
func TestPeriodsAreContiguous(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		terms := rapid.SampledFrom(merchant.BillingPeriods).Draw(t, "terms")
		created := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).
			Add(time.Duration(rapid.Int64Range(0, 6*366*24*3600).Draw(t, "seconds")) * time.Second)
		least, most := map[string]int{"7d": 7, "14d": 14, "1m": 28}[terms], map[string]int{"7d": 7, "14d": 14, "1m": 31}[terms]
		end := day(created)
		for n := int64(0); end.Before(created.AddDate(10, 0, 0)); n++ {
			p := PeriodOf(terms, created, n)
			if !p.Start.Equal(end) || p.N != n {
				t.Fatalf("period %d of %s begins on %s, the one before ended on %s", n, terms, p.Start, end)
			}
			if days := int(p.Close.Sub(p.Start).Hours() / 24); days < least || days > most {
				t.Fatalf("period %d of %s from %s has %d days", n, terms, p.Start, days)
			}
			if terms == "1m" && p.Close.Day() != created.Day() && p.Close.AddDate(0, 0, 1).Day() != 1 {
				t.Fatalf("a month from the %d. closes on %s", created.Day(), p.Close)
			}
			end = p.Close
		}
	})
}

func TestPeriods(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		terms, created string
		n              int64
		start, close   string
	}{
		{"7d", "2026-03-02", 0, "2026-03-02", "2026-03-09"},
		{"7d", "2026-12-28", 1, "2027-01-04", "2027-01-11"},
		{"14d", "2026-03-02", 2, "2026-03-30", "2026-04-13"},
		{"1m", "2026-03-02", 0, "2026-03-02", "2026-04-02"},
		{"1m", "2027-01-31", 0, "2027-01-31", "2027-02-28"},
		{"1m", "2027-01-31", 1, "2027-02-28", "2027-03-31"},
		{"1m", "2028-01-30", 0, "2028-01-30", "2028-02-29"},
		{"1m", "2028-02-29", 12, "2029-02-28", "2029-03-29"},
		{"1m", "2026-12-31", 0, "2026-12-31", "2027-01-31"},
	} {
		created, err := time.Parse(time.DateOnly, c.created)
		if err != nil {
			t.Fatal(err)
		}
		p := PeriodOf(c.terms, created.Add(23*time.Hour), c.n)
		if got := p.Start.Format(time.DateOnly) + " " + p.Close.Format(time.DateOnly); got != c.start+" "+c.close {
			t.Errorf("%s from %s, %d: %s", c.terms, c.created, c.n, got)
		}
		if !p.Last().Equal(p.Close.AddDate(0, 0, -1)) {
			t.Errorf("the last day of %s is %s", p.Close, p.Last())
		}
	}
}

// TestLinesSumToTheDebt: whatever happens to a deferred payment, its lines are what
// the debt changed by.
func TestLinesSumToTheDebt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(1, 1_000_000).Draw(t, "total")
		fee := rapid.Int64Range(0, 5000).Draw(t, "fee")
		state, err := deferred.New(total, total/2, fee, deferred.StatusAccepted)
		if err != nil {
			t.Fatal(err)
		}
		state.CustomerDiscountSum = rapid.Int64Range(0, total/10).Draw(t, "discount")
		p := deferred.Payment{State: state, ID: "defpay-1", Currency: "GBP"}
		var sum int64
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			h := deferred.Happening{Before: p, After: p, ID: "evt", Now: time.Unix(0, 0)}
			amount := rapid.Int64Range(1, total).Draw(t, "amount")
			action := rapid.SampledFrom([]string{"capture", "refund", "void", "clawback", "repayment", "repayment_returned", "written_off"}).Draw(t, "action")
			switch action {
			case "repayment", "repayment_returned", "written_off":
				repaid, writtenOff := amount, int64(0)
				if action == "repayment_returned" {
					repaid = -amount
				}
				if action == "written_off" {
					repaid, writtenOff = 0, amount
				}
				if h.After.State, err = deferred.ApplySettlement(p.State, repaid, writtenOff); err != nil {
					continue
				}
			default:
				e, err := deferred.Decide(p.State, deferred.Settings{Overcaptures: true}, deferred.Command{Action: deferred.Action(action), Amount: amount, Version: deferred.V2})
				if err != nil {
					continue
				}
				h.After.State, h.Entry = p.Apply(e), deferred.Entry{Event: e}
			}
			h.Kind = "deferred_payment." + action
			lines := Lines(h)
			for _, l := range lines {
				sum += l.Amount
				if l.DebtAfter != debt(h.After) || l.DebtBefore != debt(p) {
					t.Fatalf("%+v", l)
				}
			}
			if action == "clawback" && len(lines) != 0 {
				t.Fatalf("a clawback is the buyer's business: %+v", lines)
			}
			p = h.After
			if sum != p.Owed()-p.Repaid-p.WrittenOff {
				t.Fatalf("after %s the lines make %d, the debt is %d", action, sum, debt(p))
			}
		}
	})
}

func TestKindsOfLines(t *testing.T) {
	t.Parallel()
	at := func(captured, repaid, writtenOff int64) deferred.Payment {
		return deferred.Payment{State: deferred.State{
			Balances: deferred.Balances{ProtectedCaptures: captured}, OrderTotal: 100, Repaid: repaid, WrittenOff: writtenOff,
		}}
	}
	for _, c := range []struct {
		before, after deferred.Payment
		event, kind   string
		want          string
	}{
		{at(0, 0, 0), at(60, 0, 0), "capture", "capture", KindCapture},
		{at(60, 0, 0), at(40, 0, 0), "refund", "refund", KindRefund},
		{at(60, 0, 0), at(40, 0, 0), "adjustment", "adjustment", KindAdjustment},
		{at(40, 0, 0), at(60, 0, 0), "adjustment", "adjustment", KindAdjustment},
		{at(60, 0, 0), at(60, 30, 0), "", "repayment", KindPayment},
		{at(60, 30, 0), at(60, 10, 0), "", "repayment_returned", KindPaymentReturned},
		{at(60, 60, 0), at(60, 40, 0), "", "customer_refund", KindCustomerRefund},
		{at(60, 0, 0), at(60, 0, 60), "", "written_off", KindWriteOff},
	} {
		h := deferred.Happening{Before: c.before, After: c.after, Kind: "deferred_payment." + c.kind}
		h.Entry.Type = c.event
		lines := Lines(h)
		if len(lines) != 1 || lines[0].Kind != c.want {
			t.Errorf("%s makes %+v, want %s", c.kind, lines, c.want)
		}
	}
}

// TestSum: the closing balance is the opening one and every line.
func TestSum(t *testing.T) {
	t.Parallel()
	all := []string{KindCapture, KindRefund, KindFee, KindDiscount, KindPayment, KindPaymentReturned, KindCustomerRefund, KindAdjustment, KindWriteOff}
	rapid.Check(t, func(t *rapid.T) {
		opening := rapid.Int64Range(-1e12, 1e12).Draw(t, "opening")
		want, by := opening, map[string]int64{}
		for _, kind := range all {
			by[kind] = rapid.Int64Range(-1e12, 1e12).Draw(t, kind)
			want += by[kind]
		}
		got, err := Sum(opening, by)
		if err != nil || got.Closing != want ||
			got.Closing != got.Opening+got.Captures+got.Refunds+got.Fees+got.Discounts+got.Payments+got.Adjustments {
			t.Fatalf("%+v, %v, want %d", got, err, want)
		}
	})
	if _, err := Sum(1<<62, map[string]int64{KindCapture: 1 << 62}); err == nil {
		t.Error("a sum that leaves 64 bits is no error")
	}
}

// TestAllocate: a transfer is spread without loss, never beyond a claim, the
// oldest first.
func TestAllocate(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		claims := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) Claim {
			return Claim{
				DeferredPaymentID: rapid.StringMatching(`defpay-[a-z]{3}`).Draw(t, "id"),
				DueDate:           rapid.SampledFrom([]string{"", "2026-03-01", "2026-03-02", "2026-04-01"}).Draw(t, "due"),
				Amount:            rapid.Int64Range(-5, 1000).Draw(t, "claim"),
			}
		}), 0, 8, func(c Claim) string { return c.DeferredPaymentID }).Draw(t, "claims")
		amount := rapid.Int64Range(-10, 5000).Draw(t, "amount")
		out, rest := Allocate(amount, claims)
		var sum, all int64
		of := map[string]Claim{}
		for _, c := range claims {
			of[c.DeferredPaymentID] = c
			all += max(0, c.Amount)
		}
		for i, a := range out {
			sum += a.Amount
			c := of[a.DeferredPaymentID]
			if a.Amount < 1 || a.Amount > c.Amount {
				t.Fatalf("%+v of %+v", a, c)
			}
			if i < len(out)-1 && a.Amount != c.Amount {
				t.Fatalf("%s is paid in part before %s", a.DeferredPaymentID, out[i+1].DeferredPaymentID)
			}
			if i > 0 && dueRank(of[out[i-1].DeferredPaymentID].DueDate) > dueRank(c.DueDate) {
				t.Fatalf("%+v comes before %+v", out[i-1], a)
			}
		}
		if sum+rest != max(0, amount) || sum != min(max(0, amount), all) {
			t.Fatalf("%d of %d is spread, %d is left over claims of %d", sum, amount, rest, all)
		}
	})
}

func TestStatusOf(t *testing.T) {
	t.Parallel()
	today := time.Date(2026, 4, 16, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		due            string
		asked, remains int64
		want           string
	}{
		{"2026-04-16", 100, 100, StatusClosed}, {"2026-04-16", 100, 40, StatusPartiallyPaid}, {"2026-04-16", 100, 0, StatusPaid},
		{"2026-04-15", 100, 100, StatusOverdue}, {"2026-04-15", 100, 40, StatusOverdue}, {"2026-04-15", 100, 0, StatusPaid},
		{"2026-04-16", 0, 0, StatusPaid},
	} {
		if got := statusOf(Statement{DueDate: c.due, AmountDue: c.asked, Remaining: c.remains}, today); got != c.want {
			t.Errorf("%+v is %s", c, got)
		}
	}
}

func TestReferences(t *testing.T) {
	t.Parallel()
	// The example of the standard's literature.
	if !ValidReference("RF18 5390 0754 7034") || ValidReference("RF19 5390 0754 7034") || ValidReference("RF18") || ValidReference("DE18539007547034") {
		t.Error("references are judged wrongly")
	}
	if got := checkDigits("539007547034"); got != "18" {
		t.Errorf("check digits are %s", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.StringMatching(`S-[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}`).Draw(t, "number")
		reference := CreditorReference(number)
		if !ValidReference(reference) || !ValidReference(FormatReference(reference)) {
			t.Fatalf("%s is not valid", reference)
		}
		// One digit for another, or one letter for another, is noticed.
		at := rapid.IntRange(2, len(reference)-1).Draw(t, "at")
		wrong, slips := []byte(reference), "23456789"
		if reference[at] > '9' {
			slips = "ABCDEFGHJKLMNPQRSTUVWXYZ"
		}
		for wrong[at] == reference[at] {
			wrong[at] = rapid.SampledFrom([]byte(slips)).Draw(t, "slip")
		}
		if ValidReference(string(wrong)) {
			t.Fatalf("%s passes for %s", wrong, reference)
		}
		for _, text := range []string{
			reference, FormatReference(reference), number, "Invoice 4711 " + reference + " thanks", "ref:" + FormatReference(reference) + ", March", "pay " + number,
		} {
			if got := NumbersIn(text); !slices.Equal(got, []string{number}) {
				t.Fatalf("%q names %q, want %s", text, got, number)
			}
		}
		if got := NumbersIn(string(wrong)); len(got) != 0 {
			t.Fatalf("%q names %q", wrong, got)
		}
	})
	if got := NumbersIn("S-7WR2-PR6S and S 7WR3 PR6S, again s7wr2pr6s"); !slices.Equal(got, []string{"S-7WR2-PR6S", "S-7WR3-PR6S"}) {
		t.Errorf("%q", got)
	}
	if got := NumbersIn("P-7WR2-PR6S, supplier 4711"); len(got) != 0 {
		t.Errorf("%q", got)
	}
}
