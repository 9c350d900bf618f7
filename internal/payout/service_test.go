package payout

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/bankfile"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/deferred"
	"tradecredit/internal/id"
	"tradecredit/internal/job"
	"tradecredit/internal/ledger"
	"tradecredit/internal/merchant"
)

// monday is when these tests begin.
var monday = time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC)

// till is a database with a merchant that sells.
type till struct {
	t *testing.T
	*db.DB
	Service
	merchant merchant.Merchant
	sold     int
}

func newTill(t *testing.T, d *db.DB, env merchant.Environment) *till {
	x := &till{t: t, DB: d}
	x.do(func(ctx context.Context, tx *db.Tx) error {
		m, err := merchant.Create(tx, merchant.New{Name: "Shop", Environment: env}, monday)
		m.Settings.InvoiceRequired = false
		x.merchant = m.Merchant
		if err != nil {
			return err
		}
		return merchant.Save(tx, m.Merchant)
	})
	return x
}

func (x *till) do(f func(ctx context.Context, tx *db.Tx) error) {
	x.t.Helper()
	ctx := context.Background()
	if err := x.Write(ctx, func(tx *db.Tx) error { return f(ctx, tx) }); err != nil {
		x.t.Fatal(err)
	}
}

// sell captures an amount, with the books.
func (x *till) sell(currency string, amount int64, now time.Time) {
	x.t.Helper()
	x.sold++
	after := deferred.Payment{
		MerchantID: x.merchant.ID, ID: fmt.Sprint("defpay-", x.sold), OrderID: fmt.Sprint("order-", x.sold),
		OrganisationID: "org-1", Currency: currency, State: deferred.State{
			Balances: deferred.Balances{ProtectedCaptures: amount}, OrderTotal: amount, MerchantFeeSum: amount / 50,
		},
	}
	before := after
	before.ProtectedCaptures = 0
	h := deferred.Happening{Before: before, After: after, ID: id.New(id.Event), Now: now}
	h.Entry.Type = deferred.EventCapture
	x.do(func(_ context.Context, tx *db.Tx) error {
		x.Follow(tx, []deferred.Happening{h}, now)
		return ledger.Post(tx, deferred.Book(before, after, h.ID, now))
	})
}

// run is the run of a date.
func (x *till) run(currency, day string) {
	x.t.Helper()
	x.do(func(ctx context.Context, tx *db.Tx) error {
		return x.RunDue(ctx, tx, job.Due{MerchantID: x.merchant.ID, Kind: RunKind, ObjectID: currency + "/" + day, Now: date(day)})
	})
}

// all are the payouts there are, oldest first.
func (x *till) all() (out []Payout) {
	x.t.Helper()
	x.do(func(ctx context.Context, tx *db.Tx) (err error) {
		out, err = ListDays(ctx, tx, Range{}, 100, 0)
		return err
	})
	return out
}

// clean holds payouts against the ledger.
func (x *till) clean() {
	x.t.Helper()
	x.do(func(ctx context.Context, tx *db.Tx) error {
		problems, err := Check(ctx, tx, x.merchant.ID)
		if len(problems) > 0 {
			x.t.Error(problems)
		}
		if err != nil {
			return err
		}
		owed, err := ledger.OfAccount(ctx, tx, x.merchant.ID, deferred.AccountMerchantPayable)
		if err != nil {
			return err
		}
		unpaid, err := Unpaid(ctx, tx, x.merchant.ID)
		for currency, amount := range unpaid {
			owed[currency] += amount
		}
		for currency, off := range owed {
			if off != 0 {
				x.t.Errorf("the ledger is off by %d %s", off, currency)
			}
		}
		return err
	})
}

var (
	german = Account{Currency: "EUR", Account: bankfile.Account{Name: "Müller & Söhne", IBAN: "DE89 3704 0044 0532 0130 00"}}
	lender = Account{Currency: "EUR", Account: bankfile.Account{Name: "Lender", IBAN: "BE68539007547034"}}
)

func (x *till) export(day string) (files []File, blocked []Blocked, err error) {
	ctx := context.Background()
	err = x.Write(ctx, func(tx *db.Tx) error {
		files, blocked, err = x.Export(ctx, tx, date(day), "EUR", monday)
		return err
	})
	return files, blocked, err
}

// TestPayoutDay is a day of an operator: details that are missing, the file, the
// same file again, and what the bank says.
func TestPayoutDay(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		x := newTill(t, d, merchant.Production)
		x.sell("EUR", 10000, monday)
		x.sell("EUR", 5000, monday.AddDate(0, 0, 4))
		x.run("EUR", "2026-03-05")
		if got := x.all(); len(got) != 1 || got[0].State != Ready || got[0].Amount != 9800 || got[0].Shown() {
			t.Fatalf("payouts %+v", got)
		}
		if _, _, err := x.export("2026-03-05"); !errors.Is(err, ErrNoLender) {
			t.Errorf("without an account of the lender: %v", err)
		}
		x.do(func(_ context.Context, tx *db.Tx) error { return SetLenderAccount(tx, lender) })
		if files, blocked, err := x.export("2026-03-05"); len(files) != 0 || len(blocked) != 1 || blocked[0].Why != "no bank details" || err != nil {
			t.Errorf("without bank details: %v, %+v, %v", files, blocked, err)
		}
		x.do(func(_ context.Context, tx *db.Tx) error { return SetAccount(tx, x.merchant.ID, german) })
		first, _, err := x.export("2026-03-05")
		if err != nil || len(first) != 1 || first[0].ID != "20260305-EUR-1" || first[0].Total != 9800 {
			t.Fatalf("%v: %+v", err, first)
		}
		p := x.all()[0]
		for _, part := range []string{p.Reference, "98.00", "2026-03-05", "DE89370400440532013000", "Mueller + Soehne"} {
			if !strings.Contains(first[0].Content, part) {
				t.Errorf("%s is not in %s", part, first[0].Content)
			}
		}
		again, _, err := x.export("2026-03-05")
		if diff := cmp.Diff(first, again); diff != "" || err != nil {
			t.Errorf("again: %v %s", err, diff)
		}
		if p.State != Sent || p.FileID != first[0].ID {
			t.Errorf("payout %+v", p)
		}
		x.clean()
		x.bankAnswers(p)
	})
}

// bankAnswers sends a payout back, pays it with the next one, and confirms that.
func (x *till) bankAnswers(p Payout) {
	x.t.Helper()
	x.report(status(p.Reference, "ACSP"), 0, "on its way")
	x.report(status("TC-NONE-NONE", "RJCT"), 0, "somebody else's")
	x.report(status(p.Reference, "RJCT"), 1, "refused")
	x.report(status(p.Reference, "RJCT"), 0, "refused again")
	if got := x.all()[0]; got.State != Returned || got.Reason != "AC04" {
		x.t.Errorf("returned: %+v", got)
	}
	x.clean()
	x.run("EUR", "2026-03-12")
	next := x.all()[1]
	if next.ItemsAmount != 15000 || next.Amount != 14700 {
		x.t.Errorf("the next: %+v", next)
	}
	files, _, err := x.export("2026-03-12")
	if err != nil || len(files) != 1 {
		x.t.Fatalf("%v: %v", err, files)
	}
	x.report(statement(next.Reference, "1.00"), 0, "another amount")
	x.report(statement(next.Reference, "147.00"), 1, "paid")
	x.report(statement(next.Reference, "147.00"), 0, "paid again")
	if got := x.all()[1]; got.State != Paid {
		x.t.Errorf("paid: %+v", got)
	}
	x.clean()
}

// report applies what the bank says and wants so many changes.
func (x *till) report(text string, want int, what string) {
	x.t.Helper()
	reports, err := ReadReports(text)
	if err != nil {
		x.t.Fatalf("%s: %v\n%s", what, err, text)
	}
	var changed int
	x.do(func(ctx context.Context, tx *db.Tx) error {
		changed = 0
		outcomes, err := x.Apply(ctx, tx, reports, monday)
		for _, o := range outcomes {
			if o.Changed {
				changed++
			}
		}
		return err
	})
	if changed != want {
		x.t.Errorf("%s: %d changed, want %d", what, changed, want)
	}
}

func status(reference, code string) string {
	return `<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>
<GrpHdr><MsgId>S</MsgId><CreDtTm>2026-03-05T10:00:00</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>M</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId></OrgnlGrpInfAndSts>
<OrgnlPmtInfAndSts><OrgnlPmtInfId>B</OrgnlPmtInfId><TxInfAndSts><OrgnlEndToEndId>` + reference + `</OrgnlEndToEndId>
<TxSts>` + code + `</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf></TxInfAndSts></OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>`
}

func statement(reference, amount string) string {
	return `<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>
<GrpHdr><MsgId>C</MsgId><CreDtTm>2026-03-13T06:00:00</CreDtTm></GrpHdr><Stmt><Id>1</Id>
<CreDtTm>2026-03-13T06:00:00</CreDtTm><Acct><Id><IBAN>BE68539007547034</IBAN></Id><Ccy>EUR</Ccy></Acct>
<Ntry><Amt Ccy="EUR">` + amount + `</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-03-12</Dt></BookgDt>
<NtryDtls><TxDtls><Refs><EndToEndId>` + reference + `</EndToEndId></Refs><Amt Ccy="EUR">` + amount + `</Amt><CdtDbtInd>DBIT</CdtDbtInd></TxDtls></NtryDtls>
</Ntry></Stmt></BkToCstmrStmt></Document>`
}

// TestRunnersPayOnce: however many run at once, one payout is made.
func TestRunnersPayOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		x := newTill(t, d, merchant.Sandbox)
		for range 20 {
			x.sell("GBP", 1000, monday)
		}
		ctx := context.Background()
		var all sync.WaitGroup
		for range 6 {
			all.Add(1)
			go func() {
				defer all.Done()
				err := d.Write(ctx, func(tx *db.Tx) error {
					_, err := x.Run(ctx, tx, x.merchant, "GBP", date("2026-03-05"), monday.AddDate(0, 0, 3))
					return err
				})
				if err != nil && !db.IsUnique(err) {
					t.Error(err)
				}
			}()
		}
		all.Wait()
		if got := x.all(); len(got) != 1 || got[0].Amount != 20*980 || got[0].Count != 20 || got[0].State != Paid {
			t.Errorf("payouts %+v", got)
		}
		x.clean()
	})
}

// TestRunIsWholeOrNothing: a run that is broken off at any statement leaves
// nothing behind, and the next one pays everything.
func TestRunIsWholeOrNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		x := newTill(t, d, merchant.Sandbox)
		x.sell("GBP", 1000, monday)
		ctx, broken := context.Background(), errors.New("broken off")
		err := d.Write(ctx, func(tx *db.Tx) error {
			if _, err := x.Run(ctx, tx, x.merchant, "GBP", date("2026-03-05"), monday); err != nil {
				return err
			}
			if err := tx.Flush(ctx); err != nil {
				return err
			}
			return broken
		})
		if !errors.Is(err, broken) || len(x.all()) != 0 {
			t.Fatalf("%v: %+v", err, x.all())
		}
		x.clean()
		x.run("GBP", "2026-03-05")
		if got := x.all(); len(got) != 1 || got[0].Amount != 980 {
			t.Errorf("payouts %+v", got)
		}
		x.clean()
	})
}

// TestReplay: the same event makes one item.
func TestReplay(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		x := newTill(t, d, merchant.Sandbox)
		h := deferred.Happening{ID: "evt-1", Now: monday, After: deferred.Payment{
			MerchantID: x.merchant.ID, Currency: "GBP", State: deferred.State{Balances: deferred.Balances{ProtectedCaptures: 5}, OrderTotal: 5},
		}}
		follow := func() error {
			return d.Write(context.Background(), func(tx *db.Tx) error {
				x.Follow(tx, []deferred.Happening{h}, monday)
				return nil
			})
		}
		if err := follow(); err != nil {
			t.Fatal(err)
		}
		if err := follow(); !db.IsUnique(err) {
			t.Errorf("twice: %v", err)
		}
	})
}

func TestAccountsAreChecked(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		x := newTill(t, d, merchant.Production)
		for name, a := range map[string]Account{
			"a wrong digit":     {Currency: "EUR", Account: bankfile.Account{Name: "A", IBAN: "DE88370400440532013000"}},
			"no IBAN for euros": {Currency: "EUR", Account: bankfile.Account{Name: "A", SortCode: "112233", AccountNumber: "12345678"}},
			"no holder":         {Currency: "GBP", Account: bankfile.Account{SortCode: "112233", AccountNumber: "12345678"}},
			"no currency":       {Account: bankfile.Account{Name: "A", IBAN: "DE89370400440532013000"}},
		} {
			err := d.Write(context.Background(), func(tx *db.Tx) error { return SetAccount(tx, x.merchant.ID, a) })
			if err == nil {
				t.Errorf("%s was taken", name)
			}
		}
		x.do(func(ctx context.Context, tx *db.Tx) error {
			british := Account{Currency: "gbp", Account: bankfile.Account{Name: "A", SortCode: "11-22-33", AccountNumber: "1234 5678"}}
			if err := SetAccount(tx, x.merchant.ID, british); err != nil {
				return err
			}
			got, err := AccountOf(ctx, tx, x.merchant.ID, "GBP")
			if got.SortCode != "112233" || got.Country != "GB" {
				t.Errorf("account %+v", got)
			}
			return err
		})
	})
}
