package repayment

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"tradecredit/internal/bankfile"
)

func TestNumbersIn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text string
		want []string
	}{
		{"", nil},
		{"P-7WR2-PR6S", []string{"P-7WR2-PR6S"}},
		{"invoice p7wr2pr6s thank you", []string{"P-7WR2-PR6S"}},
		{"INV P 7WR2 PR 6S", []string{"P-7WR2-PR6S"}},
		{"refP-7WR2\nPR6S/2", []string{"P-7WR2-PR6S"}},
		{"P-7WR2-PR6S: P-ABCD-2345; P-7WR2-PR6S", []string{"P-7WR2-PR6S", "P-ABCD-2345"}},
		// Zeros, ones, I and O are in no number.
		{"P-7WR0-PR6S", nil}, {"P-7WR2-PR6", nil}, {"S-7WR2-PR6S", nil},
	} {
		// What is no number may look like one across words.
		got := NumbersIn(c.text)
		for _, want := range c.want {
			if !slices.Contains(got, want) {
				t.Errorf("%q names %s, and not only %q", c.text, want, got)
			}
		}
		if c.want == nil && len(got) > 0 {
			t.Errorf("%q names %q", c.text, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.StringOfN(rapid.RuneFrom([]rune(numberLetters)), 8, 8, -1).Draw(t, "body")
		number := "P-" + body[:4] + "-" + body[4:]
		var written strings.Builder
		for _, r := range number {
			if r == '-' {
				written.WriteString(rapid.SampledFrom([]string{"", "-", " ", " - ", "/"}).Draw(t, "dash"))
				continue
			}
			if rapid.Bool().Draw(t, "lower") {
				r = []rune(strings.ToLower(string(r)))[0]
			}
			written.WriteRune(r)
			written.WriteString(rapid.SampledFrom([]string{"", "", "", " ", "\n"}).Draw(t, "break"))
		}
		if got := NumbersIn("0 " + written.String() + " 0"); !slices.Contains(got, number) {
			t.Fatalf("%q has %v, not %s", written.String(), got, number)
		}
	})
}

func TestMatch(t *testing.T) {
	t.Parallel()
	debt := func(id string, outstanding int64, named, known bool) Debt {
		return Debt{MerchantID: "m", PaymentID: id, Number: "P-" + id, Currency: "EUR", Outstanding: outstanding, Named: named, Known: known}
	}
	dollars := debt("usd", 100, true, true)
	dollars.Currency = "USD"
	for _, c := range []struct {
		name   string
		amount int64
		debts  []Debt
		shares []Share
		ideas  []string
	}{
		{name: "nothing known", amount: 100},
		{name: "named", amount: 100, debts: []Debt{debt("a", 100, true, false)}, shares: []Share{{"m", "a", 100}}},
		{name: "named, in part", amount: 40, debts: []Debt{debt("a", 100, true, false)}, shares: []Share{{"m", "a", 40}}},
		{name: "named, too much", amount: 140, debts: []Debt{debt("a", 100, true, false)}, shares: []Share{{"m", "a", 140}}},
		{name: "named, paid before", amount: 100, debts: []Debt{debt("a", 0, true, false)}, shares: []Share{{"m", "a", 100}}},
		{name: "two named exactly", amount: 150, debts: []Debt{debt("a", 100, true, false), debt("b", 50, true, false)}, shares: []Share{{"m", "a", 100}, {"m", "b", 50}}},
		{name: "two named, less", amount: 140, debts: []Debt{debt("a", 100, true, false), debt("b", 50, true, false)}, ideas: []string{"P-a", "P-b"}},
		{name: "two named, one paid", amount: 100, debts: []Debt{debt("a", 100, true, false), debt("b", 0, true, false)}, ideas: []string{"P-a", "P-b"}},
		{name: "another currency", amount: 100, debts: []Debt{dollars}, ideas: []string{"P-usd"}},
		{name: "payer owes exactly this", amount: 100, debts: []Debt{debt("a", 100, false, true), debt("b", 70, false, true)}, shares: []Share{{"m", "a", 100}}},
		{name: "payer owes it twice", amount: 100, debts: []Debt{debt("b", 100, false, true), debt("a", 100, false, true), debt("c", 300, false, true), debt("d", 0, false, true)}, ideas: []string{"P-a", "P-b", "P-c"}},
		{name: "payer owes other amounts", amount: 100, debts: []Debt{debt("a", 99, false, true), debt("b", 101, false, true)}, ideas: []string{"P-b", "P-a"}},
		{name: "the name wins", amount: 100, debts: []Debt{debt("a", 500, true, false), debt("b", 100, false, true)}, shares: []Share{{"m", "a", 100}}},
		{name: "no money", amount: 0, debts: []Debt{debt("a", 100, true, true)}, ideas: []string{"P-a"}},
	} {
		shares, suggestions := Match(Item{Credit: true, Currency: "EUR", Amount: c.amount}, c.debts)
		var ideas []string
		for _, s := range suggestions {
			ideas = append(ideas, s.Number)
		}
		if diff := cmp.Diff(c.shares, shares); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
		if diff := cmp.Diff(c.ideas, ideas); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// TestMatchNeverLosesMoney: what is certain is the whole of an item.
func TestMatchNeverLosesMoney(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var debts []Debt
		for i := range rapid.IntRange(0, 6).Draw(t, "debts") {
			debts = append(debts, Debt{
				MerchantID: "m", PaymentID: string(rune('a' + i)), Currency: rapid.SampledFrom([]string{"EUR", "GBP"}).Draw(t, "currency"),
				Outstanding: rapid.Int64Range(0, 5).Draw(t, "outstanding"), Named: rapid.Bool().Draw(t, "named"), Known: rapid.Bool().Draw(t, "known"),
			})
		}
		item := Item{Credit: true, Currency: "EUR", Amount: rapid.Int64Range(0, 12).Draw(t, "amount")}
		shares, suggestions := Match(item, debts)
		var sum int64
		for _, s := range shares {
			if s.Amount <= 0 {
				t.Fatalf("a share of %d", s.Amount)
			}
			sum += s.Amount
		}
		if len(shares) > 0 && (sum != item.Amount || len(suggestions) > 0) {
			t.Fatalf("%d of %d, and %d suggestions", sum, item.Amount, len(suggestions))
		}
	})
}

func TestPayerKeys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		account bankfile.Account
		want    []string
	}{
		{bankfile.Account{}, nil},
		{bankfile.Account{Name: "Müller & Söhne GmbH", IBAN: "de89 3704 0044 0532 0130 00"}, []string{"account:DE89370400440532013000", "name:MUELLER SOEHNE"}},
		{bankfile.Account{Name: "MUELLER + SOEHNE GMBH"}, []string{"name:MUELLER SOEHNE"}},
		{bankfile.Account{Name: "Acme Co. Ltd.", SortCode: "20-00-00", AccountNumber: "55779911"}, []string{"account:20000055779911", "name:ACME"}},
		{bankfile.Account{Name: "S.A.R.L."}, []string{"name:SARL"}},
	} {
		if diff := cmp.Diff(c.want, PayerKeys(c.account), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%+v: %s", c.account, diff)
		}
	}
}

func TestLevel(t *testing.T) {
	t.Parallel()
	days := []int64{-3, 1, 7, 14, 30}
	for day, want := range map[int64]string{-3: "before", 1: "overdue", 7: "firm", 14: "firm", 30: "final"} {
		if got := Level(days, day); got != want {
			t.Errorf("day %d: %s, want %s", day, got, want)
		}
	}
	if got := Level([]int64{5}, 5); got != "overdue" {
		t.Errorf("the only reminder is %s", got)
	}
}

// TestLetterTexts demands that every language says everything, and fills in the
// same.
func TestLetterTexts(t *testing.T) {
	t.Parallel()
	all, err := letterTexts()
	if err != nil {
		t.Fatal(err)
	}
	keys := []string{"hello", "link", "help", "closing", "transfer", "charge.card", "charge.direct_debit", "decimal", "date", "months",
		"account.holder", "account.sort_code", "account.number"}
	for _, level := range []string{"before", "overdue", "firm", "final", NoticeFailed, NoticeReturned, NoticeRefunded, NoticeDocuments, NoticeAccepted, NoticeRejected} {
		keys = append(keys, level+".subject", level+".text")
	}
	fields := []string{"{name}", "{merchant}", "{lender}", "{number}", "{amount}", "{date}", "{help}", "{d}", "{month}", "{y}"}
	for _, name := range Locales {
		if len(all[name]) != len(keys) {
			t.Errorf("%s has %d texts, want %d", name, len(all[name]), len(keys))
		}
		for _, key := range keys {
			text := all[name][key]
			if text == "" {
				t.Errorf("%s lacks %s", name, key)
			}
			for _, f := range fields {
				if strings.Contains(text, f) != strings.Contains(all["en"][key], f) {
					t.Errorf("%s: %s has %s, or lacks it, unlike in English", name, key, f)
				}
			}
			for _, f := range fields {
				text = strings.ReplaceAll(text, f, "")
			}
			if strings.ContainsAny(text, "{}") {
				t.Errorf("%s: %s has a field that nobody fills in", name, key)
			}
		}
		if n := len(strings.Split(all[name]["months"], ",")); n != 12 {
			t.Errorf("%s has %d months", name, n)
		}
	}
}
