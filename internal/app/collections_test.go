package app_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"tradecredit/internal/app"
	"tradecredit/internal/app/apptest"
	"tradecredit/internal/bankfile"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/merchant"
	"tradecredit/internal/money"
	"tradecredit/internal/payout"
	"tradecredit/internal/repayment"
)

// operator is what commands work with, on a server's database.
func operator(t testing.TB, s *apptest.Server) *repayment.Service {
	t.Helper()
	r, err := app.Collections(context.Background(), app.Config{DataDir: t.TempDir(), Environment: merchant.Sandbox}, s.DB, s.Clock, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// transfer is a payment on a statement that a test makes up.
type transfer struct {
	amount              int64 // below zero it goes out
	name, iban          string
	text, endToEnd, ref string
	code                string
}

var ourAccount = bankfile.Account{Name: "Lender", IBAN: "GB33BUKB20201555555555"}

// statementOf writes a statement as the bank would.
func statementOf(t testing.TB, transfers ...transfer) string {
	t.Helper()
	day := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	s := bankfile.Statement{
		MessageID: "stmt", ID: "stmt", Created: day.Add(20 * time.Hour), From: day, To: day, Account: ourAccount, Currency: "GBP",
		Opening: bankfile.Balance{Minor: 1_000_000_00, Date: day}, Closing: bankfile.Balance{Minor: 1_000_000_00, Date: day},
	}
	for _, x := range transfers {
		amount := money.Amount{Minor: max(x.amount, -x.amount), Currency: "GBP"}
		other := bankfile.Account{Name: x.name, IBAN: x.iban}
		p := bankfile.Transaction{Amount: amount, Credit: x.amount > 0, EndToEndID: x.endToEnd, Remittance: x.text, Debtor: other, ReturnReason: x.code}
		if x.amount < 0 {
			p.Debtor, p.Creditor = bankfile.Account{}, other
		}
		s.Closing.Minor += x.amount
		s.Entries = append(s.Entries, bankfile.Entry{
			BankReference: x.ref, Amount: amount, Credit: x.amount > 0, Status: bankfile.Booked, Booked: day, Value: day,
			Kind: "PMNT/RCDT/ESCT", Transactions: []bankfile.Transaction{p},
		})
	}
	var out bytes.Buffer
	if err := bankfile.WriteStatements(&out, []bankfile.Statement{s}); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func imported(t testing.TB, s *apptest.Server, r *repayment.Service, file string) string {
	t.Helper()
	out, err := r.Import(context.Background(), s.DB, strings.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Problems) > 0 {
		t.Error(out.Problems)
	}
	return fmt.Sprintf("%d entries, %d new, %d matched, %d unmatched", out.Entries, out.New, out.Matched, out.Unmatched)
}

func equal(t testing.TB, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func numberOf(s *apptest.Shop, payment string) string {
	return s.Do("GET", apptest.PaymentPath(payment), nil).WantStatus(200).Text("number")
}

const janeIBAN = "GB29NWBK60161331926819"

// TestBankImport books statements: by number, in part and too much, by what is
// known of the payer, and once however often they come.
func TestBankImport(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s, r := server.Shop(apptest.Buyer{}), operator(t, server)
		p, q := s.Payment(100_00), s.Payment(250_00)
		act(s, p, "capture", 100_00)
		act(s, q, "capture", 250_00)
		number := strings.ToLower(strings.ReplaceAll(numberOf(s, p), "-", " "))
		file := statementOf(t,
			transfer{amount: 40_00, name: "Somebody", iban: janeIBAN, text: "inv 17 " + number, ref: "B1"},
			transfer{amount: 80_00, name: "Nobody", iban: "DE89370400440532013000", text: "what for", ref: "B2"},
			transfer{amount: -3_00, name: "The bank", text: "fees", ref: "B3"},
		)
		equal(t, imported(t, server, r, file), "3 entries, 3 new, 1 matched, 2 unmatched")
		is(t, s, p, "captured, order partially_paid, partially_paid 6000 next 2026-04-01; payment bank_transfer settled 4000")
		server.Clean()
		equal(t, imported(t, server, r, file), "3 entries, 0 new, 0 matched, 0 unmatched")
		is(t, s, p, "captured, order partially_paid, partially_paid 6000 next 2026-04-01; payment bank_transfer settled 4000")

		// The account is known now, and of its holder one debt is 250.00. What comes
		// twice is paid once.
		file = statementOf(t,
			transfer{amount: 250_00, name: "J. Doe", iban: janeIBAN, text: "as agreed"},
			transfer{amount: 250_00, name: "J. Doe", iban: janeIBAN, text: "as agreed"},
		)
		equal(t, imported(t, server, r, file), "2 entries, 2 new, 1 matched, 1 unmatched")
		equal(t, imported(t, server, r, file), "2 entries, 0 new, 0 matched, 0 unmatched")
		is(t, s, q, "captured, order paid, paid 0 next -; payment bank_transfer settled 25000")
		server.Clean()

		// Too much becomes the buyer's credit.
		equal(t, imported(t, server, r, statementOf(t, transfer{amount: 75_00, text: numberOf(s, p), ref: "B9"})), "1 entries, 1 new, 1 matched, 0 unmatched")
		is(t, s, p, "captured, order paid, paid 0 next -; payment bank_transfer settled 4000; payment bank_transfer settled 7500")
		server.Clean()

		// It pays what the buyer owes next, when that is due.
		next := s.Payment(20_00)
		act(s, next, "capture", 20_00)
		s.Advance(30 * apptest.Day)
		is(t, s, next, "captured, order partially_paid, partially_paid 500 next 2026-04-01; payment buyer_credit settled 1500")
		server.Clean()
	})
}

// TestUnmatched lets an operator assign, send back and ignore what nobody knows
// the purpose of.
func TestUnmatched(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		ctx := context.Background()
		s, r := server.Shop(apptest.Buyer{}), operator(t, server)
		p := s.Payment(100_00)
		act(s, p, "capture", 100_00)
		equal(t, imported(t, server, r, statementOf(t,
			transfer{amount: 60_00, name: "Hokodo Ltd", iban: janeIBAN, text: "thanks", ref: "U1"},
			transfer{amount: 500_00, name: "A stranger", iban: "DE89370400440532013000", text: "by mistake", ref: "U2"},
			transfer{amount: 1_00, name: "Bank", text: "interest", ref: "U3"},
		)), "3 entries, 3 new, 0 matched, 3 unmatched")
		server.Clean()
		var open []repayment.Entry
		var ideas []repayment.Suggestion
		write := func(f func(tx *db.Tx) error) error { return server.DB.Write(ctx, f) }
		apptest.Eventually(t, func() error {
			err := write(func(tx *db.Tx) (err error) {
				if open, err = repayment.OpenEntries(ctx, tx, "", 10); err == nil && len(open) == 3 {
					ideas, err = r.Suggest(ctx, tx, open[0])
				}
				return err
			})
			// The buyer's name is learned when its payment is looked at first.
			if err == nil && (len(open) != 3 || len(ideas) != 1 || ideas[0].PaymentID != p || ideas[0].Why != "the payer owes more") {
				err = fmt.Errorf("%d entries, suggestions %+v", len(open), ideas)
			}
			return err
		})
		merchantID := s.Do("GET", "/v1/sandbox/merchant", nil).WantStatus(200).Text("id")
		assign := func(amount int64) error {
			return write(func(tx *db.Tx) error {
				_, err := r.Assign(ctx, tx, open[0].ID, merchantID, p, amount)
				return err
			})
		}
		for _, bad := range []int64{-1, 60_01} {
			if assign(bad) == nil {
				t.Errorf("%d of 6000 are assigned", bad)
			}
		}
		if err := assign(45_00); err != nil {
			t.Fatal(err)
		}
		server.Clean()
		if err := assign(0); err != nil {
			t.Fatal(err)
		}
		if assign(0) == nil {
			t.Error("an entry is assigned twice")
		}
		is(t, s, p, "captured, order partially_paid, partially_paid 4000 next 2026-04-01; payment bank_transfer settled 4500; payment bank_transfer settled 1500")

		err := write(func(tx *db.Tx) error {
			if _, err := r.SendBack(ctx, tx, open[1].ID, nil); err != nil {
				return err
			}
			_, err := r.Ignore(ctx, tx, open[2].ID, "interest")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		server.Clean()
		file := exported(t, server, r, repayment.ExportRequest{Kind: repayment.FileRefunds, Format: repayment.FormatSEPA, Currency: "GBP", Day: day(2026, 3, 3)})
		for _, want := range []string{"A stranger", "DE89370400440532013000", "500.00"} {
			if !strings.Contains(file.Content, want) {
				t.Errorf("the file lacks %s", want)
			}
		}
		order := between(file.Content, "<EndToEndId>", "<")
		sent := statementOf(t, transfer{amount: -500_00, name: "A stranger", endToEnd: order, ref: "U4"})
		equal(t, imported(t, server, r, sent), "1 entries, 1 new, 1 matched, 0 unmatched")
		server.Clean()
		// It comes back, and nobody knows any better.
		equal(t, imported(t, server, r, statementOf(t, transfer{amount: 500_00, endToEnd: order, ref: "U5", code: "AC04"})), "1 entries, 1 new, 0 matched, 1 unmatched")
		server.Clean()
	})
}

func day(year int, month time.Month, d int) time.Time {
	return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
}

func between(text, start, end string) string {
	_, rest, _ := strings.Cut(text, start)
	found, _, _ := strings.Cut(rest, end)
	return found
}

// exported makes a file, and makes sure that it is the same when it is asked for
// again.
func exported(t testing.TB, s *apptest.Server, r *repayment.Service, in repayment.ExportRequest) repayment.File {
	t.Helper()
	var f, again repayment.File
	ctx := context.Background()
	for _, out := range []*repayment.File{&f, &again} {
		err := s.DB.Write(ctx, func(tx *db.Tx) (err error) {
			*out, err = r.Export(ctx, tx, in)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if f.Content != again.Content || !again.Existing || f.Existing {
		t.Error("the same file is not the same again")
	}
	return f
}

// TestImportedAtOnce imports one statement by several at once.
func TestImportedAtOnce(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, server *apptest.Server) {
		s, r := server.Shop(apptest.Buyer{}), operator(t, server)
		var transfers []transfer
		var payments []string
		for i := range 12 {
			p := s.Payment(10_00)
			act(s, p, "capture", 10_00)
			payments = append(payments, p)
			transfers = append(transfers, transfer{amount: 10_00, name: "Jane", text: numberOf(s, p), ref: fmt.Sprint("C", i)})
		}
		file := statementOf(t, transfers...)
		var wait sync.WaitGroup
		fresh := make(chan int, 4)
		for range cap(fresh) {
			wait.Go(func() {
				out, err := r.Import(context.Background(), server.DB, strings.NewReader(file))
				if err != nil {
					t.Error(err)
				}
				fresh <- out.New
			})
		}
		wait.Wait()
		close(fresh)
		sum := 0
		for n := range fresh {
			sum += n
		}
		if sum != len(transfers) {
			t.Errorf("%d entries were new, want %d", sum, len(transfers))
		}
		for _, p := range payments {
			is(t, s, p, "captured, order paid, paid 0 next -; payment bank_transfer settled 1000")
		}
		server.Clean()
	})
}

// TestDebitFile collects by a mandate and a file of Bacs, and learns from a report
// that one debit was returned.
func TestDebitFile(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		server := apptest.Start(t, d, func(c *app.Config) { c.DebitFiles = true })
		s, r := server.Shop(apptest.Buyer{}), operator(t, server)
		err := server.DB.Write(context.Background(), func(tx *db.Tx) error {
			return payout.SetLenderAccount(tx, payout.Account{
				Currency: "GBP", Country: "GB", Account: bankfile.Account{Name: "Lender", SortCode: "200000", AccountNumber: "12345678"},
			})
		})
		if err != nil {
			t.Fatal(err)
		}
		mandate := map[string]any{
			"organisation": s.Organisation, "reference": "BUYER 1", "scheme": "BACS", "holder": "Jane Ltd", "sort_code": "20-00-00",
			"account_number": "55779911", "signed_on": "2026-01-31",
		}
		bad := map[string]any{}
		for k, v := range mandate {
			bad[k] = v
		}
		bad["sort_code"], bad["reference"] = "20", "x"
		s.Do("POST", "/v1/payment/mandates", bad).Want(400, `{"reference": ["The reference is not 6 to 18 capitals, digits and . & / - beginning with a capital or digit."]}`)
		bad["reference"] = "BUYER 2"
		s.Do("POST", "/v1/payment/mandates", bad).Want(400, `{"sort_code": ["The value is not six digits."]}`)
		s.Do("POST", "/v1/payment/mandates", mandate).WantStatus(201)
		s.Do("POST", "/v1/payment/mandates", mandate).Want(400, `{"reference": ["A mandate with this reference already exists."]}`)

		take := func(amount int64) string {
			p := s.Accept(s.Offer(s.Order(amount)).Plans[0].ID, "direct_debit").WantStatus(201).ID()
			act(s, p, "capture", amount)
			return p
		}
		p, q := take(100_00), take(70_00)
		s.Advance(31 * apptest.Day) // to 2 April
		is(t, s, p, "captured, order unpaid, unpaid 10000 next 2026-04-01; payment direct_debit pending 10000")
		in := repayment.ExportRequest{Kind: repayment.FileDebits, Format: repayment.FormatBacs, Currency: "GBP", Day: day(2026, 4, 3), ServiceUser: "123456"}
		err = server.DB.Write(context.Background(), func(tx *db.Tx) error {
			_, err := r.Export(context.Background(), tx, in)
			return err
		})
		if err == nil || !strings.Contains(err.Error(), "2026-04-07") {
			t.Errorf("Good Friday: %v", err)
		}
		in.Day = day(2026, 4, 7)
		f := exported(t, server, r, in)
		if f.Orders != 2 || f.Total != 170_00 || strings.Count(f.Content, "BUYER 1") != 2 {
			t.Errorf("%d debits of %d:\n%s", f.Orders, f.Total, f.Content)
		}
		confirm := func() (n int) {
			err := server.DB.Write(context.Background(), func(tx *db.Tx) (err error) {
				n, err = r.Confirm(context.Background(), tx, f.ID)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n, again := confirm(), confirm(); n != 2 || again != 0 {
			t.Errorf("%d settled, then %d", n, again)
		}
		is(t, s, q, "captured, order paid, paid 0 next -; payment direct_debit settled 7000")
		server.Clean()
		const arudd = `<?xml version="1.0"?><BACSDocument><Data><ARUDD><Header adviceNumber="001" currentProcessingDate="2026-04-09"/>
<AddresseeInformation name="Lender"/><ServiceLicenseInformation userName="Lender" userNumber="123456"/>
<Advice><OriginatingAccountRecords><OriginatingAccountRecord><ReturnedDebitItem ref="BUYER 1" transCode="17" returnCode="0" returnDescription="REFER TO PAYER"
 originalProcessingDate="2026-04-07" valueOf="70.00" currency="GBP"><PayerAccount number="55779911" ref="x" name="JANE LTD" sortCode="20-00-00"/></ReturnedDebitItem>
<Totals numberOf="1" valueOf="70.00"/></OriginatingAccountRecord></OriginatingAccountRecords></Advice></ARUDD></Data></BACSDocument>`
		for i, want := range []int{1, 0} {
			out, err := r.ReadAnswer(context.Background(), server.DB, strings.NewReader(arudd))
			if err != nil || out.Changed != want || len(out.Unknown) != 0 {
				t.Errorf("reading %d: %+v, %v", i, out, err)
			}
		}
		is(t, s, q, "captured, order unpaid, unpaid 7000 next 2026-04-01; payment direct_debit returned 7000")
		is(t, s, p, "captured, order paid, paid 0 next -; payment direct_debit settled 10000")
		server.Clean()
	})
}

// TestDebitFileSEPA collects in euro: the first debit of a mandate and the others,
// a rejection before the money, and a return after it.
func TestDebitFileSEPA(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		server := apptest.Start(t, d, func(c *app.Config) { c.DebitFiles = true })
		s, r := server.Shop(apptest.Buyer{}), operator(t, server)
		take := func(amount int64) string {
			body := s.OrderBody(amount)
			body["currency"] = "EUR"
			order := s.Do("POST", "/v1/payment/orders", body).WantStatus(201).ID()
			p := s.Accept(s.Offer(order).Plans[0].ID, "direct_debit").WantStatus(201).ID()
			act(s, p, "capture", amount)
			return p
		}
		p, q := take(60_00), take(90_00)
		s.Advance(30 * apptest.Day)
		is(t, s, p, "captured, order unpaid, unpaid 6000 next 2026-04-01")
		s.Do("POST", "/v1/payment/mandates", map[string]any{
			"organisation": s.Organisation, "reference": "MANDATE-1", "scheme": "CORE", "holder": "Jane GmbH", "iban": "DE89370400440532013000",
			"signed_on": "2026-03-20",
		}).WantStatus(201)
		s.Advance(1 * apptest.Day) // it is looked at again on the day after the due date
		is(t, s, p, "captured, order unpaid, unpaid 6000 next 2026-04-01; payment direct_debit pending 6000")
		f := exported(t, server, r, repayment.ExportRequest{
			Kind: repayment.FileDebits, Format: repayment.FormatSEPA, Currency: "EUR", Day: day(2026, 4, 7), CreditorID: "DE98ZZZ09999999999",
		})
		for _, want := range []string{"<SeqTp>FRST</SeqTp>", "<SeqTp>RCUR</SeqTp>", "<CtrlSum>150.00</CtrlSum>", "MANDATE-1", "2026-03-20"} {
			if !strings.Contains(f.Content, want) {
				t.Errorf("the file lacks %s:\n%s", want, f.Content)
			}
		}
		orders := map[string]string{}
		for _, payment := range []string{p, q} {
			var o owing
			s.Do("GET", apptest.PaymentPath(payment), nil).WantStatus(200).Decode(&o)
			orders[payment] = o.Payments[0].ID
		}
		status := `<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>
<GrpHdr><MsgId>B</MsgId><CreDtTm>2026-04-08T10:00:00</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>` + f.ID + `</OrgnlMsgId><OrgnlMsgNmId>pain.008.001.08</OrgnlMsgNmId></OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>x</OrgnlPmtInfId>
<TxInfAndSts><OrgnlEndToEndId>` + orders[p] + `</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf></TxInfAndSts>
<TxInfAndSts><OrgnlEndToEndId>` + orders[q] + `</OrgnlEndToEndId><TxSts>ACSP</TxSts></TxInfAndSts>
<TxInfAndSts><OrgnlEndToEndId>somebody-else</OrgnlEndToEndId><TxSts>RJCT</TxSts></TxInfAndSts>
</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>`
		for i, want := range []int{1, 0} {
			out, err := r.ReadAnswer(ctx, server.DB, strings.NewReader(status))
			if err != nil || out.Read != 3 || out.Changed != want || len(out.Unknown) != 1 {
				t.Errorf("reading %d: %+v, %v", i, out, err)
			}
		}
		is(t, s, p, "captured, order unpaid, unpaid 6000 next 2026-04-01; payment direct_debit failed 6000")
		euro := func(x transfer) string {
			file := statementOf(t, x)
			return strings.ReplaceAll(file, "GBP", "EUR")
		}
		equal(t, imported(t, server, r, euro(transfer{amount: 90_00, endToEnd: orders[q], ref: "E1"})), "1 entries, 1 new, 1 matched, 0 unmatched")
		is(t, s, q, "captured, order paid, paid 0 next -; payment direct_debit settled 9000")
		server.Clean()
		back := euro(transfer{amount: -90_00, endToEnd: orders[q], ref: "E2", code: "MD06"})
		equal(t, imported(t, server, r, back), "1 entries, 1 new, 1 matched, 0 unmatched")
		equal(t, imported(t, server, r, back), "1 entries, 0 new, 0 matched, 0 unmatched")
		is(t, s, q, "captured, order unpaid, unpaid 9000 next 2026-04-01; payment direct_debit returned 9000")
		server.Clean()
		// Both are tried again, after the gap.
		s.Advance(7 * apptest.Day)
		is(t, s, p, "captured, order unpaid, unpaid 6000 next 2026-04-01; payment direct_debit failed 6000; payment direct_debit pending 6000")
		is(t, s, q, "captured, order unpaid, unpaid 9000 next 2026-04-01; payment direct_debit returned 9000; payment direct_debit pending 9000")
	})
}
