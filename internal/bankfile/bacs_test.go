package bankfile

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var payer = Account{Name: "J. Smith & Co (Leeds) Limited", SortCode: "123456", AccountNumber: "12345678"}

func submission() Submission {
	return Submission{
		Serial: "42", ServiceUser: "123456", UserName: "Tradecredit Payments Ltd", Created: created, Account: britain,
		Days: []DebitDay{{Processing: day("2027-05-05"), Debits: []Debit{
			{Code: RegularDebit, Pence: 65_00, Payer: payer, Reference: "INV-4711-A"},
			{Code: FirstDebit, Pence: 1_000_01, Payer: payer, Reference: "INV-4712-B"},
		}}},
	}
}

func record(s string) string { return strings.ReplaceAll(s, "|", "") }

func TestSubmission(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := submission().Write(&b); err != nil {
		t.Fatal(err)
	}
	// Fields are set apart by bars, which are not in the file.
	want := strings.Join([]string{
		record("VOL|1|000042| |                    |      |    123456    |                            |1"),
		record("HDR|1|A123456S  1123456|000042|0001|0001|    |  | 27124| 27125| |000000|             |       "),
		record("HDR|2|F|02000|00100|                                   |00|                            "),
		record("UHL|1| 27125|999999    |00|000000|1 DAILY  |001|       |       |                          "),
		record("123456|12345678|0|17|200000|55779911|    |00000006500|TRADECREDIT PAYMEN|INV-4711-A        |J. SMITH & CO LEED"),
		record("123456|12345678|0|01|200000|55779911|    |00000100001|TRADECREDIT PAYMEN|INV-4712-B        |J. SMITH & CO LEED"),
		record("200000|55779911|0|99|200000|55779911|    |00000106501|TRADECREDIT PAYMEN|CONTRA            |SMITH & SONS LTD  "),
		record("EOF|1|A123456S  1123456|000042|0001|0001|    |  | 27124| 27125| |000000|             |       "),
		record("EOF|2|F|02000|00100|                                   |00|                            "),
		record("UTL|1|0000000106501|0000000106501|0000002|0000001|                                    "),
		"",
	}, "\r\n")
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Error(diff)
	}
}

func TestSeveralDays(t *testing.T) {
	t.Parallel()
	s := submission()
	s.Days = append(s.Days, DebitDay{Processing: day("2027-12-31"), Debits: []Debit{{Code: LastDebit, Pence: 1, Payer: payer, Reference: "INV-4713-C"}}})
	var b bytes.Buffer
	if err := s.Write(&b); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\r\n")
	if len(lines) != 13 {
		t.Fatal(b.String())
	}
	for i, end := range map[int]string{4: " 27125", 6: " 27125", 7: " 27365", 8: " 27365"} {
		if len(lines[i]) != 106 || !strings.HasSuffix(lines[i], end) {
			t.Errorf("record %d: %q", i, lines[i])
		}
	}
	if !strings.HasPrefix(lines[2], "HDR2F0212000106") || !strings.Contains(lines[3], "4 MULTI  ") {
		t.Errorf("%q\n%q", lines[2], lines[3])
	}
}

// TestSubmissionsAddUp reads random files back by their positions.
func TestSubmissionsAddUp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := submission()
		s.Days, s.UserName = nil, "X"+rapid.String().Draw(t, "user")
		for i := range rapid.IntRange(1, 3).Draw(t, "days") {
			d := DebitDay{Processing: day("2027-05-05").AddDate(0, 0, i)}
			for range rapid.IntRange(1, 5).Draw(t, "debits") {
				d.Debits = append(d.Debits, Debit{
					Code:      rapid.SampledFrom([]DebitCode{FirstDebit, RegularDebit, RepeatDebit, LastDebit}).Draw(t, "code"),
					Pence:     rapid.Int64Range(1, mostPence).Draw(t, "pence"),
					Payer:     Account{Name: "X" + rapid.String().Draw(t, "name"), SortCode: "123456", AccountNumber: "00000001"},
					Reference: "AB12" + rapid.StringMatching(`[A-Z0-9]{2,14}`).Draw(t, "reference"),
				})
			}
			s.Days = append(s.Days, d)
		}
		var b bytes.Buffer
		if err := s.Write(&b); err != nil {
			t.Fatal(err)
		}
		var debits, credits int64
		var n [2]int
		lines := strings.Split(strings.TrimSuffix(b.String(), "\r\n"), "\r\n")
		for i, l := range lines {
			width := 80
			if i >= 4 && i < len(lines)-3 {
				width = 100
				if len(s.Days) > 1 {
					width = 106
				}
				pence, err := strconv.ParseInt(l[35:46], 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				if l[15:17] == "99" {
					credits, n[1] = credits+pence, n[1]+1
				} else {
					debits, n[0] = debits+pence, n[0]+1
				}
			}
			if len(l) != width || strings.IndexFunc(l, func(r rune) bool { return !inBacs(r) }) >= 0 {
				t.Fatalf("record %d: %q", i, l)
			}
		}
		if want := fmt.Sprintf("UTL1%013d%013d%07d%07d", debits, credits, n[0], n[1]); debits != credits || !strings.HasPrefix(lines[len(lines)-1], want) {
			t.Fatalf("%s\nis not\n%s", lines[len(lines)-1], want)
		}
	})
}

func TestRefusedSubmissions(t *testing.T) {
	t.Parallel()
	for want, change := range map[string]func(s *Submission){
		"serial":                      func(s *Submission) { s.Serial = "0" },
		"service_user":                func(s *Submission) { s.ServiceUser = "12345" },
		"user_name":                   func(s *Submission) { s.UserName = "東京" },
		"created":                     func(s *Submission) { s.Created = time.Time{} },
		"account.sort_code":           func(s *Submission) { s.Account = germany },
		"days: is empty":              func(s *Submission) { s.Days = nil },
		"days[0].processing: is miss": func(s *Submission) { s.Days[0].Processing = time.Time{} },
		"days[0].processing: is befo": func(s *Submission) { s.Days[0].Processing = day("2027-05-03") },
		"days[1].processing: is not":  func(s *Submission) { s.Days = append(s.Days, s.Days[0]) },
		"days[0].debits: is empty":    func(s *Submission) { s.Days[0].Debits = nil },
		"days[0].debits[1].code":      func(s *Submission) { s.Days[0].Debits[1].Code = "99" },
		"days[0].debits[1].pence":     func(s *Submission) { s.Days[0].Debits[1].Pence = 0 },
		"days[0].debits[0].pence":     func(s *Submission) { s.Days[0].Debits[0].Pence = mostPence + 1 },
		"days[0].debits[1].payer.ac":  func(s *Submission) { s.Days[0].Debits[1].Payer.AccountNumber = "" },
		"days[0].debits: sum to more": func(s *Submission) {
			for range 60 {
				s.Days[0].Debits = append(s.Days[0].Debits, Debit{Code: RegularDebit, Pence: mostPence, Payer: payer, Reference: "INV-4711-A"})
			}
		},
	} {
		s := submission()
		change(&s)
		var b bytes.Buffer
		if err := s.Write(&b); err == nil || !strings.HasPrefix(err.Error(), want) || b.Len() > 0 {
			t.Errorf("%s: %v", want, err)
		}
	}
	for _, ref := range []string{"", "SHORT", "AAAAAA", "A-A-A-A-A-A-A", "DDICABCDEF", "lowercase", "-ABCDEF", "ABCDEF ", "TOO LONG A REFERENCE", "ABC_DEF"} {
		s := submission()
		s.Days[0].Debits[0].Reference = ref
		if err := s.Check(); err == nil || !strings.HasPrefix(err.Error(), "days[0].debits[0].reference: ") {
			t.Errorf("%q: %v", ref, err)
		}
	}
	for _, ref := range []string{"ABCDE1", "1.2/3-4&5 6", "ABCDEFGHIJKLMNOPQR"} {
		if err := checkReference(ref); err != nil {
			t.Errorf("%q: %v", ref, err)
		}
	}
}

func TestUnpaid(t *testing.T) {
	t.Parallel()
	in, err := os.ReadFile("testdata/arudd.xml")
	if err != nil {
		t.Fatal(err)
	}
	read := func(in string) (UnpaidReport, []Unpaid, error) {
		var all []Unpaid
		r, err := ReadUnpaid(strings.NewReader(in), func(u Unpaid) error { all = append(all, u); return nil })
		return r, all, err
	}
	report, all, err := read(string(in))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(UnpaidReport{ServiceUser: "123456", Number: "999", Date: day("2027-05-06"), Count: 2, Total: 1_065_01}, report); diff != "" {
		t.Error(diff)
	}
	gbp := eur(65_00)
	gbp.Currency = "GBP"
	if diff := cmp.Diff(Unpaid{
		Reference: "INV-4711-A", Code: RegularDebit, Reason: "0", Detail: "0128", Description: "REFER TO PAYER", Amount: gbp,
		Processed: day("2027-05-04"), Payer: Account{Name: "J SMITH LTD", SortCode: "123456", AccountNumber: "12345678"},
	}, all[0]); diff != "" {
		t.Error(diff)
	}
	if all[1].Reason != "B" || all[1].Amount.Minor != 1_000_01 {
		t.Errorf("%+v", all[1])
	}
	for what, change := range map[string][2]string{
		"a wrong number":     {`numberOf="2"`, `numberOf="3"`},
		"no number":          {`numberOf="2"`, `numberOf=""`},
		"a wrong total":      {`valueOf="1065.01"`, `valueOf="1065.02"`},
		"an unknown reason":  {`returnCode="B"`, `returnCode="Z"`},
		"no reason":          {`returnCode="B"`, `returnCode=""`},
		"a broken amount":    {`valueOf="65.00"`, `valueOf="65.001"`},
		"a broken date":      {`originalProcessingDate="2027-05-04"`, `originalProcessingDate="4 May"`},
		"no reference":       {`ref="INV-4712-B"`, `ref=" "`},
		"another report":     {"ARUDD>", "AUDDIS>"},
		"a cut file":         {"</Data>", "<"},
		"an entity":          {"X LTD", "&x;"},
		"no totals":          {`<Totals numberOf="2" valueOf="1065.01" currency="GBP"/>`, ""},
		"a foreign currency": {`valueOf="65.00" currency="GBP"`, `valueOf="65.00" currency="EUR"`},
	} {
		bad := strings.ReplaceAll(string(in), change[0], change[1])
		if _, _, err := read(bad); err == nil || bad == string(in) {
			t.Errorf("%s passes", what)
		}
	}
	stop := fmt.Errorf("stop")
	if _, err := ReadUnpaid(bytes.NewReader(in), func(Unpaid) error { return stop }); err != stop {
		t.Errorf("the error of the caller: %v", err)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	in, err := os.ReadFile("testdata/pain.002.001.10.xml")
	if err != nil {
		t.Fatal(err)
	}
	read := func(in string) (StatusReport, []PaymentStatus, error) {
		var all []PaymentStatus
		r, err := ReadStatus(strings.NewReader(in), func(p PaymentStatus) error { all = append(all, p); return nil })
		return r, all, err
	}
	report, all, err := read(string(in))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(StatusReport{
		MessageID: "BANK-9", Created: time.Date(2027, 5, 6, 6, 0, 0, 0, time.UTC), OriginalMessageID: "PAYOUT-2027-05-06",
		OriginalMessage: "pain.001.001.09", Status: "PART",
	}, report); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]PaymentStatus{
		{BatchID: "EUR-1", EndToEndID: "po-1", InstructionID: "I-1", Status: "RJCT", Reasons: []StatusReason{{Code: "AC04", Text: "Account closed"}}},
		{BatchID: "EUR-1", EndToEndID: "po-2", Status: "ACSC"},
		{BatchID: "GBP-1", Status: "RJCT", Reasons: []StatusReason{{Code: "X1"}}},
		{BatchID: "GBP-1", EndToEndID: "po-3"},
	}, all); diff != "" {
		t.Error(diff)
	}
	if !all[0].Status.Rejected() || all[0].Status.Accepted() || !all[1].Status.Accepted() || all[3].Status.Accepted() || all[3].Status.Rejected() {
		t.Error("what is accepted and what rejected")
	}
	for what, change := range map[string][2]string{
		"another message": {"pain.002.001.10", "pain.001.001.09"},
		"no original":     {"OrgnlGrpInfAndSts", "Other"},
		"a broken time":   {"2027-05-06T08:00:00+02:00", "yesterday"},
		"a cut file":      {"<OrgnlPmtInfId>GBP-1", "<"},
		"a DTD":           {"<Document ", "<!DOCTYPE x><Document "},
	} {
		bad := strings.ReplaceAll(string(in), change[0], change[1])
		if _, _, err := read(bad); err == nil || bad == string(in) {
			t.Errorf("%s passes", what)
		}
	}
}

// FuzzReports looks for input that makes the other readers panic.
func FuzzReports(f *testing.F) {
	f.Add(`<ARUDD><ReturnedDebitItem ref="a" returnCode="0" valueOf="1.00"/><Totals numberOf="1" valueOf="1.00"/></ARUDD>`)
	f.Add(`<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><R><OrgnlGrpInfAndSts/><OrgnlPmtInfAndSts><PmtInfSts>RJCT</PmtInfSts>` +
		`<TxInfAndSts><StsRsnInf><Rsn><Cd>AC01</Cd></Rsn></StsRsnInf></TxInfAndSts></OrgnlPmtInfAndSts></R></Document>`)
	f.Add(`<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn><GrpHdr><MsgId>m</MsgId>` +
		`<CreDtTm>2027-05-04T12:30:15Z</CreDtTm><NbOfTxs>1</NbOfTxs><CtrlSum>1.00</CtrlSum></GrpHdr></CstmrCdtTrfInitn></Document>`)
	f.Fuzz(func(t *testing.T, in string) {
		_, _ = ReadUnpaid(strings.NewReader(in), func(u Unpaid) error {
			if UnpaidReasons[u.Reason] == "" || u.Amount.Minor < 0 {
				t.Errorf("%+v", u)
			}
			return nil
		})
		_, _ = ReadStatus(strings.NewReader(in), func(PaymentStatus) error { return nil })
		_ = Validate(strings.NewReader(in))
	})
}
