package bankfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tradecredit/internal/money"
)

// statements is a file with a collection that came back, a batch, and a pending
// entry.
func statements() []Statement {
	return []Statement{{
		MessageID: "STMT-2027-05-04", ID: "2027-087", Sequence: "87", Created: created,
		From: day("2027-05-04"), To: day("2027-05-04"), Account: germany, Currency: "EUR",
		Opening: Balance{Minor: -100_00, Date: day("2027-05-04")}, Closing: Balance{Minor: 1_430_00, Date: day("2027-05-04")},
		Entries: []Entry{{
			Reference: "1", BankReference: "BANK-1", Amount: eur(1_500_00), Credit: true, Status: Booked,
			Booked: day("2027-05-04"), Value: day("2027-05-05"), Kind: "PMNT/RCDT/ESCT", Text: "SEPA-GUTSCHRIFT",
			Transactions: []Transaction{{
				Amount: eur(1_500_00), Credit: true, EndToEndID: "E2E-1", Debtor: france, Remittance: "Invoice 4711 <&> ü",
				TransactionID: "TX-1",
			}},
		}, {
			Reference: "2", Amount: eur(530_00), Credit: true, Status: Booked, Booked: day("2027-05-04"), Value: day("2027-05-04"), Kind: "177",
			Transactions: []Transaction{
				{Amount: eur(600_00), Credit: true, EndToEndID: "dd-1", MandateID: "MNDT-1", Reference: "RF18539007547034", Debtor: britain},
				{Amount: eur(70_00), InstructionID: "I-2", BankReference: "B-2", Text: "fee"},
			},
		}, {
			Reference: "3", Amount: eur(500_00), Reversal: true, Status: Booked, Booked: day("2027-05-04"), Kind: "PMNT/IDDT/UPDD",
			Transactions: []Transaction{{
				Amount: eur(500_00), EndToEndID: "dd-0", ReturnReason: "AM04", ReturnText: "insufficient funds",
				Debtor: Account{Name: "Zoë"}, Creditor: Account{IBAN: germany.IBAN, BIC: germany.BIC},
			}},
		}, {
			Reference: "4", Amount: eur(7), Status: Pending, Kind: "X",
		}},
		Totals: Totals{Entries: 3, Credits: 2_030_00, Debits: 500_00, Compared: true},
	}}
}

func TestStatementRoundTrip(t *testing.T) {
	t.Parallel()
	got, err := ReadStatements(strings.NewReader(written(t, statements())))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(statements(), got); diff != "" {
		t.Error(diff)
	}
	if err := got[0].Totals.Check(); err != nil {
		t.Error(err)
	}
}

// genText draws texts that a statement carries: anything but control characters
// and spaces around it.
func genText(most int) *rapid.Generator[string] {
	return rapid.Map(rapid.StringOfN(rapid.Rune().Filter(func(r rune) bool {
		return !unicode.IsControl(r) && r != 0xFFFD && r != 0xFFFE && r != 0xFFFF
	}), 0, most, -1), func(s string) string { return strings.Join(strings.Fields(s), " ") })
}

func genShown() *rapid.Generator[Account] {
	return rapid.Custom(func(t *rapid.T) Account {
		a := Account{Name: genText(140).Draw(t, "name")}
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			a.IBAN = genIBAN().Draw(t, "iban")
		case 1:
			a.SortCode, a.AccountNumber = "200000", "55779911"
		case 2:
			a.AccountNumber = rapid.StringMatching(`[A-Z0-9]{1,10}`).Draw(t, "number")
		}
		if rapid.Bool().Draw(t, "bic") {
			a.BIC = "COBADEFFXXX"
		}
		return a
	})
}

func genEntry(currency string) *rapid.Generator[Entry] {
	return rapid.Custom(func(t *rapid.T) Entry {
		amount := rapid.Map(rapid.Int64Range(0, mostMinor/1000), func(n int64) money.Amount {
			return money.Amount{Minor: n, Currency: currency}
		})
		e := Entry{
			Reference: genText(35).Draw(t, "reference"), BankReference: genText(35).Draw(t, "bank reference"),
			Amount: amount.Draw(t, "amount"), Credit: rapid.Bool().Draw(t, "credit"), Reversal: rapid.Bool().Draw(t, "reversal"),
			Status: rapid.SampledFrom([]string{Booked, Booked, Pending, Information}).Draw(t, "status"),
			Kind:   rapid.SampledFrom([]string{"PMNT/RCDT/ESCT", "177", "N/A"}).Filter(func(s string) bool { return s != "N/A" }).Draw(t, "kind"),
			Text:   genText(200).Draw(t, "text"),
		}
		if rapid.Bool().Draw(t, "dated") {
			e.Booked, e.Value = day("2028-02-29"), day("2028-03-01")
		}
		for range rapid.IntRange(0, 3).Draw(t, "transactions") {
			e.Transactions = append(e.Transactions, Transaction{
				Amount: amount.Draw(t, "amount"), Credit: rapid.Bool().Draw(t, "credit"),
				EndToEndID: genText(35).Draw(t, "e2e"), MandateID: genText(35).Draw(t, "mandate"), InstructionID: genText(35).Draw(t, "instruction"),
				Debtor: genShown().Draw(t, "debtor"), Creditor: genShown().Draw(t, "creditor"),
				Remittance: genText(140).Draw(t, "remittance"), Reference: genText(35).Draw(t, "structured"),
				ReturnReason: rapid.SampledFrom([]string{"", "AC04", "MD01"}).Draw(t, "reason"), ReturnText: genText(105).Draw(t, "return text"),
			})
		}
		return e
	})
}

func TestStatementsComeBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		currency := rapid.SampledFrom([]string{"EUR", "GBP", "JPY", "TND"}).Draw(t, "currency")
		var all []Statement
		for i := range rapid.IntRange(1, 3).Draw(t, "statements") {
			s := Statement{
				MessageID: "m", ID: fmt.Sprint(i), Created: created, Currency: currency,
				Account: Account{Name: genText(140).Draw(t, "owner"), IBAN: genIBAN().Draw(t, "iban")},
				Opening: Balance{Minor: rapid.Int64Range(-mostMinor/10, mostMinor/10).Draw(t, "opening"), Date: day("2028-02-29")},
				Entries: rapid.SliceOfN(genEntry(currency), 0, 4).Draw(t, "entries"),
			}
			if len(s.Entries) == 0 {
				s.Entries = nil
			}
			s.Closing = Balance{Minor: s.Opening.Minor, Date: day("2028-02-29")}
			s.Totals.Compared = true
			for _, e := range s.Entries {
				if e.Status == Booked {
					s.Closing.Minor += e.Signed()
					s.Totals.Entries++
					if e.Credit {
						s.Totals.Credits += e.Amount.Minor
					} else {
						s.Totals.Debits += e.Amount.Minor
					}
				}
			}
			off := rapid.SampledFrom([]int64{0, 0, 1, -5}).Draw(t, "off")
			s.Closing.Minor += off
			s.Totals.Difference = -off
			all = append(all, s)
		}
		out := written(t, all)
		if err := Validate(strings.NewReader(out)); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		got, err := ReadStatements(strings.NewReader(out))
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if diff := cmp.Diff(all, got); diff != "" {
			t.Fatalf("%s\n%s", diff, out)
		}
		for _, s := range got {
			if (s.Totals.Check() == nil) != (s.Totals.Difference == 0) {
				t.Fatal("a difference goes unnoticed")
			}
		}
	})
}

// TestBanks reads files as banks send them: the older version, other balances, no
// amounts in a batch, foreign currencies.
func TestBanks(t *testing.T) {
	t.Parallel()
	older, err := os.Open("testdata/bank.camt.053.001.02.xml")
	if err != nil {
		t.Fatal(err)
	}
	defer older.Close()
	got, err := ReadStatements(older)
	if err != nil {
		t.Fatal(err)
	}
	want := []Statement{{
		MessageID: "053D2013-12-27T22:05:03.0N130000005", ID: "0352C5320131227220503", Sequence: "130000005",
		Created: created.Truncate(0), Account: Account{IBAN: "DE14740618130000033626", Name: "Testkonto Nummer 1", BIC: "GENODEF1PFK"},
		Currency: "EUR", Opening: Balance{Minor: 33_06, Date: day("2013-12-27")}, Closing: Balance{Minor: 23_06, Date: day("2013-12-27")},
		Totals: Totals{Entries: 2, Credits: 12_50, Debits: 22_50, Compared: true},
		Entries: []Entry{{
			Amount: eur(22_50), Status: Booked, Booked: day("2013-12-27"), Value: day("2013-12-27"),
			BankReference: "2013122710583600000", Kind: "NDDT+105+9310+997", Text: "Lastschrift",
			Transactions: []Transaction{{
				Amount: eur(22_50), EndToEndID: "", MandateID: "M-77", Remittance: "Line one line two",
				Debtor:   Account{Name: "Testkonto Nummer 1", IBAN: "DE14740618130000033626"},
				Creditor: Account{Name: "Shop AG", IBAN: "DE58740618130100033626", BIC: "GENODEF1PFK"},
			}},
		}, {
			Amount: eur(12_50), Credit: true, Reversal: true, Status: Booked, Booked: day("2013-12-27"), Value: day("2013-12-30"),
			BankReference: "2013122711513230000", Kind: "NTRF+166+9310+997",
			Transactions: []Transaction{
				{Amount: eur(10_00), Credit: true, EndToEndID: "A", ReturnReason: "AC01", ReturnText: "Konto falsch"},
				{Credit: true, EndToEndID: "B", ReturnReason: "SVWZ"},
			},
		}},
	}}
	want[0].Created = got[0].Created
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got[0].Created.Format("2006-01-02T15:04:05") != "2013-12-27T21:05:03" {
		t.Errorf("created %s", got[0].Created)
	}
	e := got[0].Entries[1]
	if e.Itemised() || len(e.Items()) != 1 || e.Items()[0].Amount != eur(12_50) || e.Items()[0].BankReference != e.BankReference {
		t.Errorf("%+v", e.Items())
	}
}

func TestItems(t *testing.T) {
	t.Parallel()
	e := Entry{Amount: eur(10), Credit: true, BankReference: "b", Text: "t"}
	if got := e.Items(); len(got) != 1 || got[0].Amount != eur(10) || !got[0].Credit || got[0].Text != "t" || got[0].BankReference != "b" {
		t.Errorf("without details: %+v", got)
	}
	e.Transactions = []Transaction{{Amount: eur(12), Credit: true, EndToEndID: "1"}, {Amount: eur(2), EndToEndID: "2"}}
	if got := e.Items(); len(got) != 2 || got[0].EndToEndID != "1" {
		t.Errorf("12 in and 2 out are 10: %+v", got)
	}
	e.Transactions[1].Credit = true
	if got := e.Items(); len(got) != 1 || got[0].EndToEndID != "" || got[0].Amount != eur(10) {
		t.Errorf("12 and 2 are not 10: %+v", got)
	}
	e.Transactions = []Transaction{{EndToEndID: "1"}}
	if got := e.Items(); len(got) != 1 || got[0].EndToEndID != "1" || got[0].Amount != eur(10) {
		t.Errorf("one without amount: %+v", got)
	}
}

func TestRefusedStatements(t *testing.T) {
	t.Parallel()
	good := written(t, statements())
	if _, err := ReadStatements(strings.NewReader(good)); err != nil {
		t.Fatal(err)
	}
	for want, in := range map[string]string{
		"empty":                       "",
		"not a Document of camt.053":  written(t, transfers()),
		"unexpected EOF":              good[:len(good)/2],
		"neither CRDT nor DBIT":       strings.Replace(good, "<CdtDbtInd>CRDT</CdtDbtInd>\n        <Sts>", "<CdtDbtInd>credit</CdtDbtInd>\n        <Sts>", 1),
		"entry 1: \"1500.001\" is no": strings.Replace(good, ">1500.00<", ">1500.001<", 1),
		"entry 1: \"-1500.00\" is no": strings.Replace(good, ">1500.00<", ">-1500.00<", 1),
		"currency \"EUX\"":            strings.Replace(good, `<Amt Ccy="EUR">1500.00<`, `<Amt Ccy="EUX">1500.00<`, 1),
		"balance OPBD: is in GBP":     strings.Replace(good, `<Amt Ccy="EUR">100.00<`, `<Amt Ccy="GBP">100.00<`, 1),
		"booking date":                strings.Replace(good, "<BookgDt>\n          <Dt>2027-05-04<", "<BookgDt>\n          <Dt>2027-02-29<", 1),
		"document type definition":    strings.Replace(good, "<Document", "<!DOCTYPE Document SYSTEM 'file:///etc/passwd'><Document", 1),
		"invalid character entity":    strings.Replace(good, "SEPA-GUTSCHRIFT", "&xxe;", 1),
		"is neither true nor false":   strings.Replace(good, "<RvslInd>true<", "<RvslInd>yes<", 1),
		"too large":                   strings.Replace(good, "SEPA-GUTSCHRIFT", strings.Repeat("x", 2*mostToken), 1),
		"part of the XML is too":      strings.Replace(good, "<Sts>", strings.Repeat("<a>", 100)+strings.Repeat("</a>", 100)+"<Sts>", 1),
	} {
		if in == good {
			t.Errorf("%s: nothing was changed", want)
		}
		_, err := ReadStatements(strings.NewReader(in))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if _, err := ReadStatements(strings.NewReader(strings.Replace(good, "<Document", "<!DOCTYPE x><Document", 1))); !errors.Is(err, ErrDTD) {
		t.Errorf("a DTD: %v", err)
	}
}

// endless is a statement that does not end.
type endless struct {
	head string
	body string
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if e.head == "" {
			e.head = e.body
		}
		c := copy(p[n:], e.head)
		n, e.head = n+c, e.head[c:]
	}
	e.read += n
	return n, nil
}

// TestStreams reads entries from a file that does not end: what was read of it is
// little more than what was asked for.
func TestStreams(t *testing.T) {
	t.Parallel()
	good := written(t, statements())
	head, rest, _ := strings.Cut(good, "      <Ntry>")
	entry, _, _ := strings.Cut(rest, "</Ntry>")
	in := &endless{head: head, body: "<Ntry>" + entry + "</Ntry>"}
	r := NewStatementReader(in)
	s, err := r.Next()
	if err != nil || s.ID != "2027-087" || !s.Opening.Known() || !s.Closing.Known() {
		t.Fatalf("%+v, %v", s, err)
	}
	const n = 2000
	for range n {
		if _, err := r.Entry(); err != nil {
			t.Fatal(err)
		}
	}
	if most := len(head) + n*len(in.body) + 1<<16; in.read > most {
		t.Errorf("%d bytes were read for what is in %d", in.read, most)
	}
	if r.Totals().Entries != n || r.Totals().Compared {
		t.Errorf("%+v", r.Totals())
	}
	// Nesting, an entry and a comment that do not end.
	for _, body := range []string{"<NtryDtls><TxDtls/>", "<TxDtls/>", "x"} {
		before := map[string]string{"x": "<!--"}[body]
		r := NewStatementReader(&endless{head: head + "<Ntry><NtryDtls>" + before, body: body})
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Entry(); !errors.Is(err, ErrTooLarge) {
			t.Errorf("%s%s without end: %v", before, body, err)
		}
	}
}

func TestNextPassesOver(t *testing.T) {
	t.Parallel()
	two := append(statements(), statements()...)
	two[1].ID = "second"
	r := NewStatementReader(strings.NewReader(written(t, two)))
	for _, id := range []string{"2027-087", "second"} {
		if s, err := r.Next(); err != nil || s.ID != id {
			t.Fatalf("%s: %+v, %v", id, s, err)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("after the last: %v", err)
	}
	if _, err := r.Entry(); err != io.EOF {
		t.Errorf("after the last: %v", err)
	}
}

func TestRefusedToWrite(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(s *Statement){
		"statements[0].id: is missing":           func(s *Statement) { s.ID = "" },
		"statements[0].message_id: is longer":    func(s *Statement) { s.MessageID = strings.Repeat("x", 36) },
		"statements[0].account.iban: is missing": func(s *Statement) { s.Account = Account{} },
		"statements[0].currency":                 func(s *Statement) { s.Currency = "EUX" },
		"statements[0].sequence: is no number":   func(s *Statement) { s.Sequence = "x" },
		"statements[0].opening":                  func(s *Statement) { s.Opening = Balance{} },
		"statements[0].from": func(s *Statement) {
			s.To = day("2027-05-04").AddDate(-3000, 0, 0).Truncate(0)
			s.From = s.To
			s.To = Statement{}.To
		},
		"statements[0].entries[0].amount: is no amount in EUR":        func(s *Statement) { s.Entries[0].Amount.Minor = -1 },
		"statements[0].entries[0].status":                             func(s *Statement) { s.Entries[0].Status = "" },
		"statements[0].entries[0].kind":                               func(s *Statement) { s.Entries[0].Kind = "A/B" },
		"statements[0].entries[0].text: has characters":               func(s *Statement) { s.Entries[0].Text = "\x00" },
		"statements[0].entries[0].transactions[0].remittance: has sp": func(s *Statement) { s.Entries[0].Transactions[0].Remittance = " x" },
		"statements[0].entries[0].transactions[0].amount":             func(s *Statement) { s.Entries[0].Transactions[0].Amount.Currency = "" },
		"statements[0].entries[0].transactions[0].debtor.bic":         func(s *Statement) { s.Entries[0].Transactions[0].Debtor.BIC = "x" },
	} {
		all := statements()
		change(&all[0])
		var b bytes.Buffer
		if err := WriteStatements(&b, all); err == nil || !strings.HasPrefix(err.Error(), want) || b.Len() > 0 {
			t.Errorf("%s: %v", want, err)
		}
	}
	if err := WriteStatements(io.Discard, nil); err == nil {
		t.Error("no statement is written")
	}
}

// FuzzStatements looks for input that makes the readers panic or go on for ever.
func FuzzStatements(f *testing.F) {
	// Seeds are short, because what is found is made as short as it can be.
	const head = `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>m</MsgId></GrpHdr><Stmt>`
	f.Add(head + `<Id>1</Id><Acct><Id><IBAN>x</IBAN></Id></Acct><Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1.00</Amt>` +
		`<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2027-05-04</Dt></Dt></Bal></Stmt></BkToCstmrStmt></Document>`)
	f.Add(head + `<Ntry><Amt Ccy="EUR">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><NtryDtls><TxDtls><Refs><EndToEndId>e</EndToEndId>` +
		`</Refs><RmtInf><Ustrd>u</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>`)
	f.Add("<!DOCTYPE x><Document/>")
	f.Fuzz(func(t *testing.T, in string) {
		all, err := ReadStatements(strings.NewReader(in))
		if err != nil {
			return
		}
		for _, s := range all {
			for _, e := range s.Entries {
				if len(e.Items()) == 0 || e.Amount.Minor < 0 {
					t.Errorf("%+v", e)
				}
			}
		}
	})
}
