package repayment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"tradecredit/internal/bankfile"
	"tradecredit/internal/db"
	"tradecredit/internal/id"
	"tradecredit/internal/ledger"
	"tradecredit/internal/merchant"
)

// Accounts of the ledger for money on the lender's account that belongs to no
// merchant's books: the merchant of these is ”.
const (
	AccountCash = "cash"
	// AccountUnmatched is money whose purpose nobody knows yet.
	AccountUnmatched = "unmatched"
	// AccountOutgoing is money that was promised to somebody and has not left yet.
	AccountOutgoing = "outgoing"
	// AccountOther is money that an operator said is none of ours to match.
	AccountOther = "bank_other"
)

// The states of a bank entry.
const (
	EntryMatched   = "matched"
	EntryUnmatched = "unmatched"
	EntryRefunding = "refunding"
	EntryRefunded  = "refunded"
	EntryIgnored   = "ignored"
)

// Entry is one payment on the lender's account, as it was imported.
type Entry struct {
	ID string
	Item
	// Open is the part of it that nobody knows the purpose of, in minor units.
	Open    int64
	Status  string
	Note    string
	Created time.Time
}

// Imported is what came of importing account statements.
type Imported struct {
	Statements int `json:"statements"`
	// Entries are the payments in them, New those that were not imported before.
	Entries int `json:"entries"`
	New     int `json:"new"`
	// Matched are booked for what they are for; Unmatched wait for an operator.
	Matched   int `json:"matched"`
	Unmatched int `json:"unmatched"`
	// Problems are statements whose balances do not fit their entries.
	Problems []string `json:"problems"`
}

// importEach is how many entries are looked up at once.
const importEach = 250

// Import books the entries of a file of camt.053. A file may be imported again, by
// several at once too: an entry is booked once. It returns what it has done so far
// with the first error.
func (s *Service) Import(ctx context.Context, d *db.DB, r io.Reader) (Imported, error) {
	out := Imported{Problems: []string{}}
	in := bankfile.NewStatementReader(r)
	for {
		statement, err := in.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out.Statements++
		if err := s.importStatement(ctx, d, in, statement, &out); err != nil {
			return out, err
		}
		if err := in.Totals().Check(); err != nil {
			out.Problems = append(out.Problems, statement.ID+": "+err.Error())
		}
	}
}

func (s *Service) importStatement(ctx context.Context, d *db.DB, in *bankfile.StatementReader, statement bankfile.Statement, out *Imported) error {
	keys := keyring{account: accountName(statement.Account), seen: map[string]int{}}
	var items []Item
	flush := func() error {
		err := s.importItems(ctx, d, items, out)
		items = items[:0]
		return err
	}
	for {
		e, err := in.Entry()
		if errors.Is(err, io.EOF) {
			return flush()
		}
		if err != nil {
			return err
		}
		if e.Status != bankfile.Booked {
			continue
		}
		for i, t := range e.Items() {
			items = append(items, keys.item(e, i, t))
		}
		if len(items) >= importEach {
			if err := flush(); err != nil {
				return err
			}
		}
	}
}

// accountName is how an account is named among others.
func accountName(a bankfile.Account) string {
	a = a.Normalise()
	if a.IBAN != "" {
		return a.IBAN
	}
	return a.SortCode + a.AccountNumber
}

// keyring makes the keys of the entries of one statement.
type keyring struct {
	account string
	seen    map[string]int
}

// item is a payment with its key: the bank's reference of the entry with amount,
// direction and date, or without one all that is known of it. What is alike in
// every respect within one statement is numbered, so that it comes to the same
// keys when the statement is read again.
func (k keyring) item(e bankfile.Entry, n int, t bankfile.Transaction) Item {
	payer := t.Debtor
	if !t.Credit {
		payer = t.Creditor
	}
	if e.Reversal {
		payer = t.Debtor
	}
	item := Item{
		Account: k.account, Credit: t.Credit, Reversal: e.Reversal, Currency: t.Amount.Currency, Amount: t.Amount.Minor,
		Booked: e.Booked.Format(time.DateOnly), Payer: payer.Normalise(),
		Text:       strings.TrimSpace(strings.Join([]string{t.Reference, t.Remittance, t.Text}, " ")),
		EndToEndID: t.EndToEndID, BankReference: t.BankReference, Code: t.ReturnReason, Reason: t.ReturnText,
	}
	parts := []string{strconv.FormatBool(t.Credit), item.Currency, strconv.FormatInt(item.Amount, 10), item.Booked, strconv.Itoa(n)}
	switch reference := e.BankReference; {
	case reference != "" && reference != "NONREF" && reference != "NOTPROVIDED":
		parts = append(parts, reference)
	default:
		parts = append(parts, "", t.BankReference, t.TransactionID, t.EndToEndID, item.Text, payer.IBAN, payer.AccountNumber, payer.Name)
	}
	key := strings.Join(parts, "\x00")
	k.seen[key]++
	sum := sha256.Sum256([]byte(key + "\x00" + strconv.Itoa(k.seen[key])))
	item.Key = hex.EncodeToString(sum[:16])
	return item
}

// importItems books a number of payments. What they may be for is read for all of
// them at once; each is then booked by itself, so that nobody waits for the rest.
func (s *Service) importItems(ctx context.Context, d *db.DB, items []Item, out *Imported) error {
	if len(items) == 0 {
		return nil
	}
	var found findings
	err := d.Read(ctx, func(tx *db.Tx) (err error) {
		found, err = s.find(ctx, tx, items)
		return err
	})
	if err != nil {
		return err
	}
	for i, item := range items {
		out.Entries++
		if found.known[i] {
			continue
		}
		var done booked
		err := d.Write(ctx, func(tx *db.Tx) (err error) {
			done, err = s.book(ctx, tx, item, found.debts[i], found.orders[i])
			return err
		})
		if err != nil {
			return fmt.Errorf("the payment of %s over %d %s: %w", item.Booked, item.Amount, item.Currency, err)
		}
		switch done {
		case bookedMatched:
			out.New, out.Matched = out.New+1, out.Matched+1
		case bookedUnmatched:
			out.New, out.Unmatched = out.New+1, out.Unmatched+1
		}
	}
	return nil
}

// booked says what came of one payment.
type booked int

const (
	bookedBefore booked = iota
	bookedMatched
	bookedUnmatched
)

// book books one payment, once.
func (s *Service) book(ctx context.Context, tx *db.Tx, item Item, debts []Debt, o *BankOrder) (booked, error) {
	now := s.Clock.Now()
	e := Entry{ID: id.New(id.BankEntry), Item: item, Open: item.Amount, Status: EntryUnmatched, Created: now}
	fresh, err := insertEntry(ctx, tx, e)
	if err != nil || !fresh {
		return bookedBefore, err
	}
	if item.Amount == 0 {
		e.Status = EntryIgnored
		updateEntry(tx, e)
		return bookedMatched, nil
	}
	matched, err := s.place(ctx, tx, e, debts, o, now)
	if err != nil {
		return bookedBefore, err
	}
	if matched {
		e.Open, e.Status = 0, EntryMatched
		updateEntry(tx, e)
		return bookedMatched, nil
	}
	return bookedUnmatched, ledger.Post(tx, platform(e.ID, e, now, ledger.Entry{Account: AccountCash, Amount: e.signed(e.Amount)},
		ledger.Entry{Account: AccountUnmatched, Amount: -e.signed(e.Amount)}))
}

func (e Entry) signed(amount int64) int64 {
	if e.Credit {
		return amount
	}
	return -amount
}

// platform is a transaction in the books of nobody's merchant.
func platform(transactionID string, e Entry, now time.Time, entries ...ledger.Entry) ledger.Transaction {
	return ledger.Transaction{ID: transactionID, ObjectID: e.ID, Currency: e.Currency, At: now, Entries: entries}
}

// place finds out what a payment is for, and books that.
func (s *Service) place(ctx context.Context, tx *db.Tx, e Entry, debts []Debt, o *BankOrder, now time.Time) (bool, error) {
	if o != nil {
		return s.answered(ctx, tx, e, *o, now)
	}
	if matched, err := s.answeredBatch(ctx, tx, e, now); matched || err != nil {
		return matched, err
	}
	if s.Payout != nil && e.EndToEndID != "" {
		if matched, err := s.Payout(ctx, tx, e.Item, now); matched || err != nil {
			return matched, err
		}
	}
	if !e.Credit || e.Reversal {
		return false, nil
	}
	if s.Statement != nil {
		shares, err := s.Statement(ctx, tx, e.Item)
		if err != nil {
			return false, err
		}
		if len(shares) > 0 {
			return true, s.allocate(ctx, tx, e, shares, now)
		}
	}
	shares, _ := Match(e.Item, debts)
	if len(shares) == 0 {
		return false, nil
	}
	if !slices.ContainsFunc(debts, func(d Debt) bool { return d.Named }) {
		// Nothing but the amount speaks for it, and that may have been paid meanwhile.
		p, err := s.Deferred.LockBehindOrder(ctx, tx, shares[0].MerchantID, shares[0].PaymentID)
		if err != nil || p.Outstanding() != e.Amount {
			return false, err
		}
	}
	return true, s.allocate(ctx, tx, e, shares, now)
}

// allocate books parts of a payment for debts. What is left over of the whole pays
// more than the last of them owes, and becomes its buyer's credit.
func (s *Service) allocate(ctx context.Context, tx *db.Tx, e Entry, shares []Share, now time.Time) error {
	rest := e.Open
	for _, share := range shares {
		rest -= share.Amount
	}
	if rest < 0 {
		return fmt.Errorf("more is allocated than the %d of %s", e.Open, e.ID)
	}
	shares[len(shares)-1].Amount += rest
	for _, share := range shares {
		if err := s.assign(ctx, tx, e, share, now); err != nil {
			return err
		}
	}
	return nil
}

// assign books a part of a payment for one debt, and remembers who paid.
func (s *Service) assign(ctx context.Context, tx *db.Tx, e Entry, share Share, now time.Time) error {
	m, err := merchant.Get(ctx, tx, share.MerchantID)
	if err != nil {
		return err
	}
	r, err := s.Record(ctx, tx, m, Report{
		PaymentID: share.PaymentID, Amount: share.Amount, Method: MethodBankTransfer, Settled: true,
		Reference: e.ID, Origin: OriginBank,
	}, m.Now(now))
	if err != nil {
		return err
	}
	remember(tx, m.ID, r.OrganisationID, PayerKeys(e.Payer))
	allocated(tx, e.ID, "repayment", m.ID, r.ID, share.Amount)
	return nil
}
