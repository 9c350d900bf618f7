package repayment

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/bankfile"
	"tradecredit/internal/db"
	"tradecredit/internal/id"
	"tradecredit/internal/ledger"
)

// ByNumber finds a deferred payment by its number for people, however it is
// written, or by its identifier. It returns db.ErrNoRows when there is none.
func ByNumber(ctx context.Context, tx *db.Tx, text string) (merchantID, paymentID string, err error) {
	numbers := NumbersIn(text)
	if len(numbers) != 1 {
		return "", "", db.ErrNoRows
	}
	found, err := grouped(ctx, tx, debtsNamed, numbers)
	if err != nil {
		return "", "", err
	}
	for _, of := range found[numbers[0]] {
		return of.merchantID, of.paymentID, nil
	}
	return "", "", db.ErrNoRows
}

// unmatchedEntry locks an entry that waits for somebody to say what it is for.
func unmatchedEntry(ctx context.Context, tx *db.Tx, entryID string) (Entry, error) {
	e, err := db.One(ctx, tx, lockBankEntry, []any{entryID}, scanEntry)
	if err == nil && e.Status != EntryUnmatched {
		err = apierr.Conflict(fmt.Sprintf("The entry is %s already.", e.Status))
	}
	return e, err
}

// Assign books an entry that is not matched, or an amount of it when that is above
// zero, for a deferred payment. What the buyer does not owe becomes its credit. It
// returns db.ErrNoRows for an entry that does not exist and a 409 for one that is
// not open or is money that went out.
func (s *Service) Assign(ctx context.Context, tx *db.Tx, entryID, merchantID, paymentID string, amount int64) (Entry, error) {
	e, err := unmatchedEntry(ctx, tx, entryID)
	if err != nil {
		return e, err
	}
	if !e.Credit {
		return e, apierr.Conflict("The entry is money that went out: it pays nothing.")
	}
	if amount == 0 {
		amount = e.Open
	}
	if amount < 1 || amount > e.Open {
		return e, apierr.Field("amount", fmt.Sprintf("Ensure this value is between 1 and %d.", e.Open))
	}
	now := s.Clock.Now()
	if err := s.assign(ctx, tx, e, Share{merchantID, paymentID, amount}, now); err != nil {
		return e, err
	}
	if e.Open -= amount; e.Open == 0 {
		e.Status = EntryMatched
	}
	updateEntry(tx, e)
	return e, ledger.Post(tx, moved(e, amount, AccountUnmatched, AccountCash, now))
}

// moved takes money of an entry from one account of nobody's merchant to another:
// out of the first of the two for money that came in.
func moved(e Entry, amount int64, from, to string, now time.Time) ledger.Transaction {
	amount = e.signed(amount)
	return platform(id.New(id.Event), e, now, ledger.Entry{Account: from, Amount: amount}, ledger.Entry{Account: to, Amount: -amount})
}

// Ignore takes an entry off the list: it is none of ours to match. The reason is
// kept.
func (s *Service) Ignore(ctx context.Context, tx *db.Tx, entryID, reason string) (Entry, error) {
	if strings.TrimSpace(reason) == "" {
		return Entry{}, apierr.Field("reason", "This field may not be blank.")
	}
	e, err := unmatchedEntry(ctx, tx, entryID)
	if err != nil {
		return e, err
	}
	open := e.Open
	e.Open, e.Status, e.Note = 0, EntryIgnored, reason
	updateEntry(tx, e)
	return e, ledger.Post(tx, moved(e, open, AccountUnmatched, AccountOther, s.Clock.Now()))
}

// SendBack has the rest of an entry sent back with the next file of refunds, to the
// account that it came from or to another.
func (s *Service) SendBack(ctx context.Context, tx *db.Tx, entryID string, to *bankfile.Account) (BankOrder, error) {
	e, err := unmatchedEntry(ctx, tx, entryID)
	if err != nil {
		return BankOrder{}, err
	}
	if !e.Credit {
		return BankOrder{}, apierr.Conflict("The entry is money that went out: there is nothing to send back.")
	}
	account := e.Payer
	if to != nil {
		account = to.Normalise()
	}
	if err := account.Check(); err != nil {
		return BankOrder{}, apierr.Field("account", fmt.Sprintf("The account to send it to: %v.", err))
	}
	now := s.Clock.Now()
	o := BankOrder{
		ID: id.New(id.BankOrder), Kind: OrderUnmatched, ObjectID: e.ID, Status: OrderPending, Currency: e.Currency, Amount: e.Open,
		Account: account, Remittance: "Your transfer of " + e.Booked, Created: now,
	}
	insertOrder(tx, o)
	e.Status = EntryRefunding
	updateEntry(tx, e)
	return o, ledger.Post(tx, o.transaction(o.ID, now, AccountUnmatched, AccountOutgoing))
}
