package bankfile

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"tradecredit/internal/money"
)

func sorted(s []string) []string {
	slices.Sort(s)
	return s
}

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

var created = time.Date(2027, 5, 4, 12, 30, 15, 0, time.UTC)

func eur(minor int64) money.Amount { return money.Amount{Minor: minor, Currency: "EUR"} }

var (
	germany = Account{Name: "Müller & Söhne GmbH", IBAN: "DE89370400440532013000", BIC: "COBADEFFXXX"}
	france  = Account{Name: "Société Générale d'Essais", IBAN: "FR1420041010050500013M02606"}
	britain = Account{Name: "Smith & Sons Ltd", SortCode: "200000", AccountNumber: "55779911"}
)

func transfers() CreditTransfer {
	return CreditTransfer{
		MessageID: "PAYOUT-2027-05-06", Created: created, Initiator: "Tradecredit", InitiatorID: "TC 1",
		Batches: []TransferBatch{{
			ID: "EUR-1", Debtor: germany, Execution: day("2027-05-06"), BookedAsOne: true,
			Transfers: []Transfer{
				{EndToEndID: "po-1", Amount: eur(1_234_56), Creditor: france, Remittance: "Payout of 6 May 2027 (7 orders)"},
				{EndToEndID: "po-2", Amount: eur(1), Creditor: germany, Reference: "RF18539007547034"},
			},
		}, {
			ID: "GBP-1", Debtor: britain, Execution: day("2027-05-07"),
			Transfers: []Transfer{{EndToEndID: "po-3", Amount: money.Amount{Minor: 99, Currency: "GBP"}, Creditor: britain, Remittance: "x"}},
		}},
	}
}

func debits() DirectDebit {
	return DirectDebit{
		MessageID: "DD-1", Created: created, Initiator: "Tradecredit",
		Batches: []CollectionBatch{{
			ID: "B2B-RCUR", Creditor: germany, CreditorID: "DE98ZZZ09999999999", Scheme: B2B, Sequence: Recurring,
			Collection: day("2027-05-10"),
			Collections: []Collection{{
				EndToEndID: "dd-1", Amount: eur(500_00), Debtor: france,
				Mandate: Mandate{ID: "MNDT-1", Signed: day("2027-01-31")}, Remittance: "Invoice 4711",
			}, {
				EndToEndID: "dd-2", Amount: eur(5), Debtor: germany,
				Mandate: Mandate{ID: "MNDT-2", Signed: day("2027-05-10")},
			}},
		}},
	}
}

func written(t interface{ Fatal(...any) }, m any) string {
	var b bytes.Buffer
	var err error
	switch m := m.(type) {
	case CreditTransfer:
		err = m.Write(&b)
	case DirectDebit:
		err = m.Write(&b)
	case []Statement:
		err = WriteStatements(&b, m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestGolden compares with files that were looked through by eye.
func TestGolden(t *testing.T) {
	t.Parallel()
	older := transfers()
	older.Older = true
	for name, m := range map[string]any{
		"pain.001.001.09.xml": transfers(), "pain.001.001.03.xml": older, "pain.008.001.08.xml": debits(),
		"camt.053.001.08.xml": statements(),
	} {
		got := written(t, m)
		if err := Validate(strings.NewReader(got)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		want, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatalf("%v\n%s", err, got)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func genID() *rapid.Generator[string] {
	return rapid.StringMatching(`[A-Za-z0-9]([A-Za-z0-9.:,'()+?-]{0,33}[A-Za-z0-9])?`)
}

func genName() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		return rapid.String().Draw(t, "before") + rapid.SampledFrom([]string{"x", "Ü", "Σ"}).Draw(t, "letter") + rapid.String().Draw(t, "after")
	})
}

func genAccount() *rapid.Generator[Account] {
	return rapid.Custom(func(t *rapid.T) Account {
		// The letter comes first where the name is cut.
		return Account{
			Name: "X" + rapid.OneOf(genName(), rapid.StringN(60, 200, -1)).Draw(t, "name"), IBAN: genIBAN().Draw(t, "iban"),
			BIC: rapid.SampledFrom([]string{"", "COBADEFF", "BNPAFRPPXXX"}).Draw(t, "bic"),
		}
	})
}

func genTransfer(currency string) *rapid.Generator[CreditTransfer] {
	return rapid.Custom(func(t *rapid.T) CreditTransfer {
		m := CreditTransfer{
			MessageID: genID().Draw(t, "message"), Created: created, Initiator: "X" + rapid.String().Draw(t, "initiator"),
			Older: rapid.Bool().Draw(t, "older"),
		}
		n := 0
		for i := range rapid.IntRange(1, 3).Draw(t, "batches") {
			b := TransferBatch{ID: strconv.Itoa(i), Debtor: genAccount().Draw(t, "debtor"), Execution: day("2028-02-29")}
			for range rapid.IntRange(1, 4).Draw(t, "transfers") {
				n++
				tr := Transfer{
					EndToEndID: strconv.Itoa(n), Creditor: genAccount().Draw(t, "creditor"),
					Amount: money.Amount{Minor: rapid.Int64Range(1, mostSEPA).Draw(t, "amount"), Currency: currency},
				}
				if rapid.Bool().Draw(t, "structured") {
					tr.Reference = genID().Draw(t, "reference")
				} else {
					tr.Remittance = rapid.String().Draw(t, "remittance")
				}
				b.Transfers = append(b.Transfers, tr)
			}
			m.Batches = append(m.Batches, b)
		}
		return m
	})
}

func TestTransfersAreValid(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := genTransfer(rapid.SampledFrom([]string{"EUR", "EUR", "GBP", "JPY", "TND", "XOF"}).Draw(t, "currency")).Draw(t, "message")
		out := written(t, m)
		if err := Validate(strings.NewReader(out)); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if again := written(t, m); again != out {
			t.Fatal("the same message makes another file")
		}
		// The sum, added up on another way.
		var total int64
		for _, b := range m.Batches {
			for _, tr := range b.Transfers {
				total += tr.Amount.Minor
			}
		}
		places, _ := money.Exponent(m.Batches[0].Transfers[0].Amount.Currency)
		if want := "<CtrlSum>" + money.FormatFixed(total, places) + "</CtrlSum>"; !strings.Contains(out, want) {
			t.Fatalf("no %s in\n%s", want, out)
		}
	})
}

func TestDebitsAreValid(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := DirectDebit{MessageID: genID().Draw(t, "message"), Created: created, Initiator: "X" + rapid.String().Draw(t, "initiator")}
		n := 0
		for i := range rapid.IntRange(1, 3).Draw(t, "batches") {
			b := CollectionBatch{
				ID: strconv.Itoa(i), Creditor: genAccount().Draw(t, "creditor"), CreditorID: "DE98ZZZ09999999999",
				Scheme:     rapid.SampledFrom([]Scheme{Core, B2B}).Draw(t, "scheme"),
				Sequence:   rapid.SampledFrom([]Sequence{First, Recurring, Final, OneOff}).Draw(t, "sequence"),
				Collection: day("2028-02-29"),
			}
			for range rapid.IntRange(1, 4).Draw(t, "debits") {
				n++
				b.Collections = append(b.Collections, Collection{
					EndToEndID: strconv.Itoa(n), Amount: eur(rapid.Int64Range(1, mostSEPA).Draw(t, "amount")),
					Debtor: genAccount().Draw(t, "debtor"), Remittance: rapid.String().Draw(t, "remittance"),
					Mandate: Mandate{ID: genID().Draw(t, "mandate"), Signed: day("2020-02-29")},
				})
			}
			m.Batches = append(m.Batches, b)
		}
		out := written(t, m)
		if err := Validate(strings.NewReader(out)); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	})
}

func TestRefusedTransfers(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(m *CreditTransfer){
		"message_id: is missing":                                    func(m *CreditTransfer) { m.MessageID = "" },
		"message_id: is longer":                                     func(m *CreditTransfer) { m.MessageID = strings.Repeat("x", 36) },
		"message_id: has characters":                                func(m *CreditTransfer) { m.MessageID = "ä" },
		"message_id: begins":                                        func(m *CreditTransfer) { m.MessageID = "a//b" },
		"message_id: has spaces":                                    func(m *CreditTransfer) { m.MessageID = "a " },
		"created: is missing":                                       func(m *CreditTransfer) { m.Created = time.Time{} },
		"initiator: has no letter":                                  func(m *CreditTransfer) { m.Initiator = "東京" },
		"initiator_id: is longer":                                   func(m *CreditTransfer) { m.InitiatorID = strings.Repeat("x", 36) },
		"batches: is empty":                                         func(m *CreditTransfer) { m.Batches = nil },
		"batches[0].id: is missing":                                 func(m *CreditTransfer) { m.Batches[0].ID = "" },
		"batches[1].id: EUR-1 is there twice":                       func(m *CreditTransfer) { m.Batches[1].ID = "EUR-1" },
		"batches[0].execution: is missing":                          func(m *CreditTransfer) { m.Batches[0].Execution = time.Time{} },
		"batches[0].debtor.iban: is missing":                        func(m *CreditTransfer) { m.Batches[0].Debtor = britain },
		"batches[0].transfers: is empty":                            func(m *CreditTransfer) { m.Batches[0].Transfers = nil },
		"batches[0].transfers[1].end_to_end_id: po-1 is there":      func(m *CreditTransfer) { m.Batches[0].Transfers[1].EndToEndID = "po-1" },
		"batches[1].transfers[0].end_to_end_id: po-1 is there":      func(m *CreditTransfer) { m.Batches[1].Transfers[0].EndToEndID = "po-1" },
		"batches[0].transfers[1].amount: is not above zero":         func(m *CreditTransfer) { m.Batches[0].Transfers[1].Amount.Minor = 0 },
		"batches[0].transfers[1].amount: is above 999999999.99":     func(m *CreditTransfer) { m.Batches[0].Transfers[1].Amount.Minor = mostSEPA + 1 },
		"batches[0].transfers[1].amount: is in GBP":                 func(m *CreditTransfer) { m.Batches[0].Transfers[1].Amount.Currency = "GBP" },
		"batches[0].transfers[1].amount: \"XXX\" is no currency":    func(m *CreditTransfer) { m.Batches[0].Transfers[1].Amount.Currency = "XXX" },
		"batches[1].transfers[0].amount: has too many digits":       func(m *CreditTransfer) { m.Batches[1].Transfers[0].Amount.Minor = mostMinor + 1 },
		"batches[0].transfers[1].creditor.iban: has wrong":          func(m *CreditTransfer) { m.Batches[0].Transfers[1].Creditor.IBAN = "DE88370400440532013000" },
		"batches[0].transfers[1].creditor.name: is missing":         func(m *CreditTransfer) { m.Batches[0].Transfers[1].Creditor.Name = " " },
		"batches[0].transfers[1].reference: excludes":               func(m *CreditTransfer) { m.Batches[0].Transfers[1].Remittance = "x" },
		"batches[0].transfers[1].reference: has characters":         func(m *CreditTransfer) { m.Batches[0].Transfers[1].Reference = "ä" },
		"batches[1].transfers[0].creditor.account_number: is not e": func(m *CreditTransfer) { m.Batches[1].Transfers[0].Creditor.AccountNumber = "1" },
	} {
		m := transfers()
		change(&m)
		var b bytes.Buffer
		err := m.Write(&b)
		if err == nil || !strings.HasPrefix(err.Error(), want) || b.Len() > 0 {
			t.Errorf("%s: %v, %d bytes", want, err, b.Len())
		}
		if m.Check() == nil {
			t.Errorf("%s: passes Check", want)
		}
	}
}

func TestRefusedDebits(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(b *CollectionBatch){
		"batches[0].creditor_id: has wrong check digits":       func(b *CollectionBatch) { b.CreditorID = "DE97ZZZ09999999999" },
		"batches[0].scheme: \"COR1\"":                          func(b *CollectionBatch) { b.Scheme = "COR1" },
		"batches[0].sequence: \"\"":                            func(b *CollectionBatch) { b.Sequence = "" },
		"batches[0].collection: is missing":                    func(b *CollectionBatch) { b.Collection = time.Time{} },
		"batches[0].collections: is empty":                     func(b *CollectionBatch) { b.Collections = nil },
		"batches[0].creditor.iban: is missing":                 func(b *CollectionBatch) { b.Creditor = britain },
		"batches[0].collections[1].amount: is in GBP":          func(b *CollectionBatch) { b.Collections[1].Amount.Currency = "GBP" },
		"batches[0].collections[1].debtor.iban: is missing":    func(b *CollectionBatch) { b.Collections[1].Debtor = britain },
		"batches[0].collections[1].mandate.id: is missing":     func(b *CollectionBatch) { b.Collections[1].Mandate.ID = "" },
		"batches[0].collections[1].mandate.signed: is missing": func(b *CollectionBatch) { b.Collections[1].Mandate.Signed = time.Time{} },
		"batches[0].collections[1].mandate.signed: is after":   func(b *CollectionBatch) { b.Collections[1].Mandate.Signed = day("2027-05-11") },
		"batches[0].collections[1].end_to_end_id: dd-1":        func(b *CollectionBatch) { b.Collections[1].EndToEndID = "dd-1" },
	} {
		m := debits()
		change(&m.Batches[0])
		var b bytes.Buffer
		if err := m.Write(&b); err == nil || !strings.HasPrefix(err.Error(), want) || b.Len() > 0 {
			t.Errorf("%s: %v, %d bytes", want, err, b.Len())
		}
	}
}

func TestSumTooLarge(t *testing.T) {
	t.Parallel()
	s := sumOf("GBP", "TND")
	err := error(nil)
	for range 2000 {
		if err = s.add(money.Amount{Minor: mostMinor, Currency: "GBP"}); err != nil {
			break
		}
	}
	if err == nil {
		t.Errorf("the sum is %d", s.total)
	}
}

// failing is a writer that takes only so much.
type failing int

func (f *failing) Write(p []byte) (int, error) {
	if *f -= failing(len(p)); *f < 0 {
		return 0, os.ErrClosed
	}
	return len(p), nil
}

func TestWriterErrors(t *testing.T) {
	t.Parallel()
	f := failing(10)
	if err := transfers().Write(&f); err == nil {
		t.Error("a full disk goes unnoticed")
	}
}

// node is an element of a file that a test takes apart.
type node struct {
	XMLName  xml.Name
	Attr     []xml.Attr `xml:",any,attr"`
	Text     string     `xml:",chardata"`
	Children []*node    `xml:",any"`
}

func (n *node) print(b *strings.Builder) {
	b.WriteString("<" + n.XMLName.Local)
	for _, a := range n.Attr {
		fmt.Fprintf(b, " %s=%q", a.Name.Local, a.Value)
	}
	b.WriteString(">")
	if len(n.Children) == 0 {
		_ = xml.EscapeText(b, []byte(n.Text))
	}
	for _, c := range n.Children {
		c.print(b)
	}
	b.WriteString("</" + n.XMLName.Local + ">")
}

func (n *node) String() string {
	var b strings.Builder
	n.print(&b)
	return b.String()
}

func (n *node) each(f func(n *node)) {
	f(n)
	for _, c := range n.Children {
		c.each(f)
	}
}

// TestMutants changes every element of good files in every way that the rules
// forbid.
func TestMutants(t *testing.T) {
	t.Parallel()
	older := transfers()
	older.Older = true
	for name, m := range map[string]any{"001.09": transfers(), "001.03": older, "008.08": debits(), "053.08": statements()} {
		var root node
		if err := xml.Unmarshal([]byte(written(t, m)), &root); err != nil {
			t.Fatal(err)
		}
		if err := Validate(strings.NewReader(root.String())); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		must := func(what string) {
			if Validate(strings.NewReader(root.String())) == nil {
				t.Errorf("%s: %s passes", name, what)
			}
		}
		pain := name != "053.08"
		root.each(func(n *node) {
			for i := range n.Children {
				mutateChild(n, i, must)
			}
			if len(n.Children) > 0 {
				n.Children = append(n.Children, &node{XMLName: xml.Name{Local: "Alien"}})
				must("an unknown element in " + n.XMLName.Local)
				n.Children = n.Children[:len(n.Children)-1]
				return
			}
			mutateText(n, pain, must)
		})
	}
}

// dispensable are elements that may be left out, and repeatable those that may
// come again.
var (
	dispensable = []string{"BtchBookg", "ChrgBr", "PmtTpInf", "CdtrAgt", "RmtInf", "Strd", "Ustrd", "CdtrRefInf", "Tp", "Ref", "Id",
		"SvcLvl", "LclInstrm", "SeqTp", "Nm", "DrctDbtTx", "MndtRltdInf", "MndtId", "DtOfSgntr", "CdtrSchmeId", "Othr", "SchmeNm",
		"Cdtr", "CdtrAcct", "BICFI", "BIC", "ClrSysMmbId", "ClrSysId", "ElctrncSeqNb", "CreDtTm", "FrToDt", "Ccy", "Ownr", "Svcr", "Bal",
		"Ntry", "NtryRef", "RvslInd", "BookgDt", "ValDt", "AcctSvcrRef", "Domn", "NtryDtls", "AddtlNtryInf", "Btch", "TxDtls", "Refs",
		"Amt", "CdtDbtInd", "RltdPties", "RltdAgts", "RtrInf", "AddtlTxInf", "EndToEndId", "InstrId", "TxId", "NbOfTxs", "Dbtr", "DbtrAcct",
		"DbtrAgt", "Rsn", "AddtlInf", "Prtry"}
	repeatable = []string{"Bal", "Ntry", "NtryDtls", "TxDtls", "SvcLvl", "Ustrd", "Strd", "Othr", "AddtlInf", "Stmt"}
)

func mutateChild(n *node, i int, must func(string)) {
	c := n.Children[i]
	all := n.Children
	if i > 0 && all[i-1].XMLName.Local != c.XMLName.Local {
		all[i-1], all[i] = all[i], all[i-1]
		must(all[i-1].XMLName.Local + " before " + all[i].XMLName.Local)
		all[i-1], all[i] = all[i], all[i-1]
	}
	if !slices.Contains(dispensable, c.XMLName.Local) {
		n.Children = slices.Delete(slices.Clone(all), i, i+1)
		must(n.XMLName.Local + " without " + c.XMLName.Local)
	}
	if !slices.Contains(repeatable, c.XMLName.Local) {
		n.Children = slices.Insert(slices.Clone(all), i, c)
		must(c.XMLName.Local + " twice")
	}
	n.Children = all
}

func mutateText(n *node, pain bool, must func(string)) {
	name, text := n.XMLName.Local, n.Text
	n.Text = ""
	must(name + " empty")
	n.Text = strings.Repeat("A", 1100)
	must(name + " of 1100 letters")
	if pain {
		n.Text = text + "ä"
		must(name + " with a foreign letter")
	}
	switch name {
	case "IBAN":
		n.Text = text[:len(text)-1] + string('0'+(text[len(text)-1]-'0'+1)%10)
		must("a wrong IBAN")
	case "NbOfTxs", "CtrlSum":
		if pain {
			n.Text = "1" + text
			must("a wrong " + name)
		}
	case "InstdAmt":
		for _, bad := range []string{text + "1", "-" + text, "0.00", "1e3", "1234567890123456789", text + ".0", "NaN", "1,00"} {
			n.Text = bad
			must("an amount of " + bad)
		}
	case "Amt":
		for _, bad := range []string{"-1", "1.000001", "1234567890123456789", "", "x"} {
			n.Text = bad
			must("an amount of " + bad)
		}
	case "Dt", "ReqdColltnDt", "DtOfSgntr", "CreDtTm":
		n.Text = "2027-02-29"
		must("a day that is not")
	}
	n.Text = text
	n.Children = []*node{{XMLName: xml.Name{Local: "Alien"}}}
	must("an element in " + name)
	n.Children = nil
	n.Attr = append(n.Attr, xml.Attr{Name: xml.Name{Local: "alien"}, Value: "x"})
	must("an attribute of " + name)
	n.Attr = n.Attr[:len(n.Attr)-1]
}

func TestValidateRefuses(t *testing.T) {
	t.Parallel()
	good := written(t, transfers())
	for what, in := range map[string]string{
		"nothing":              "",
		"another message":      strings.Replace(good, "pain.001.001.09", "pain.001.001.11", 1),
		"no namespace":         strings.Replace(good, isoNamespace, "", 1),
		"the older one's":      strings.Replace(good, "pain.001.001.09", "pain.001.001.03", 1),
		"a cut file":           good[:len(good)/2],
		"another root":         strings.ReplaceAll(good, "Document", "Dokument"),
		"more after it":        good + "<x></x>",
		"text in between":      strings.Replace(good, "<PmtInf>", "text<PmtInf>", 1),
		"dollars in SEPA":      strings.Replace(good, `Ccy="EUR"`, `Ccy="USD"`, 1),
		"no currency":          strings.Replace(good, ` Ccy="EUR"`, ``, 1),
		"a DTD":                strings.Replace(good, "<Document", "<!DOCTYPE x [<!ENTITY a 'b'>]><Document", 1),
		"an entity":            strings.Replace(good, "Tradecredit", "&a;", 1),
		"another namespace":    strings.Replace(good, "<GrpHdr>", `<GrpHdr xmlns="urn:x">`, 1),
		"British numbers":      strings.Replace(good, "<IBAN>DE89370400440532013000</IBAN>", "<Othr><Id>55779911</Id></Othr>", 1),
		"two of a choice":      strings.Replace(good, "<IBAN>DE89370400440532013000</IBAN>", "<IBAN>DE89370400440532013000</IBAN><Othr><Id>1</Id></Othr>", 1),
		"none of a choice":     strings.Replace(good, "<IBAN>DE89370400440532013000</IBAN>", "", 1),
		"a reference too long": strings.Replace(good, "<EndToEndId>po-1<", "<EndToEndId>"+strings.Repeat("x", 36)+"<", 1),
		"a name too long":      strings.Replace(good, "<Nm>Tradecredit<", "<Nm>"+strings.Repeat("x", 71)+"<", 1),
		"a text too long":      strings.Replace(good, "<Ustrd>", "<Ustrd>"+strings.Repeat("x", 140), 1),
	} {
		if in == good {
			t.Errorf("%s: nothing was changed", what)
		}
		if err := Validate(strings.NewReader(in)); err == nil {
			t.Errorf("%s passes", what)
		}
	}
}

func TestSchemasParse(t *testing.T) {
	t.Parallel()
	for name, load := range schemas {
		if _, err := load(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, bad := range []string{"A", "A = b", "A = b:", "A = b:C", "A = b:Max35 \nA = b:Max35", "A = b:Max35{x}", "A ~ b:Max35"} {
		if _, err := parseSchema(bad); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
}
