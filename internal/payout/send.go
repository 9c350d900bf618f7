package payout

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tradecredit/internal/bankfile"
	"tradecredit/internal/db"
	"tradecredit/internal/id"
	"tradecredit/internal/job"
	"tradecredit/internal/ledger"
	"tradecredit/internal/merchant"
	"tradecredit/internal/money"
)

// ErrNoLender: nobody has said from which account the lender pays in a currency.
var ErrNoLender = errors.New("no account of the lender is known in this currency")

// fileDate is how files are named after their day.
const fileDate = "20060102"

// Blocked is a payout that cannot be sent, and why.
type Blocked struct {
	Payout
	Why string
}

// SetAccount says where a merchant is paid in a currency, with the commit of tx.
// It fails when no file could carry the account.
func SetAccount(tx *db.Tx, merchantID string, a Account) error {
	a, err := a.checked()
	if err == nil {
		saveAccount(tx, merchantID, a)
	}
	return err
}

// SetLenderAccount says from where the lender pays in a currency.
func SetLenderAccount(tx *db.Tx, a Account) error {
	a, err := a.checked()
	if err == nil {
		saveLender(tx, a)
	}
	return err
}

func (a Account) checked() (Account, error) {
	a.Account = a.Normalise()
	a.Currency, a.Country = strings.ToUpper(a.Currency), strings.ToUpper(a.Country)
	if _, ok := money.Exponent(a.Currency); !ok {
		return a, fmt.Errorf("currency %q is not known", a.Currency)
	}
	if a.Country == "" && len(a.IBAN) > 2 {
		a.Country = a.IBAN[:2]
	}
	if a.Country == "" && a.SortCode != "" {
		a.Country = "GB"
	}
	if a.Currency == "EUR" {
		return a, a.CheckIBAN()
	}
	return a, a.Account.Check()
}

// Export makes the file for the bank of all payouts of a date and currency that
// are ready, and marks them as sent. It returns the files of that day, the new one
// last: to export twice returns the same files. Payouts that cannot be sent are
// returned too. now is real time. It fails with ErrNoLender.
func (s *Service) Export(ctx context.Context, tx *db.Tx, date time.Time, currency string, now time.Time) ([]File, []Blocked, error) {
	ready, err := db.All(ctx, tx, readyPayouts, []any{dayOf(date), currency}, scanPayout)
	if err != nil {
		return nil, nil, err
	}
	files, err := Files(ctx, tx, date, currency)
	if err != nil || len(ready) == 0 {
		return files, nil, err
	}
	lender, err := LenderAccount(ctx, tx, currency)
	if errors.Is(err, db.ErrNoRows) {
		return files, nil, ErrNoLender
	}
	if err != nil {
		return files, nil, err
	}
	f := File{Date: midnight(date), Currency: currency, N: int64(len(files)) + 1, Created: now}
	f.ID = fmt.Sprintf("%s-%s-%d", f.Date.Format(fileDate), currency, f.N)
	batch := bankfile.TransferBatch{ID: f.ID, Debtor: lender.Account, Execution: f.Date}
	var sent []Payout
	var blocked []Blocked
	for _, p := range ready {
		transfer, why, err := transferOf(ctx, tx, p, lender)
		if err != nil {
			return files, nil, err
		}
		if why != "" {
			blocked = append(blocked, Blocked{p, why})
			continue
		}
		batch.Transfers, sent = append(batch.Transfers, transfer), append(sent, p)
		if f.Total, err = money.CheckedAdd(f.Total, p.Amount); err != nil {
			return files, nil, err
		}
	}
	if len(sent) == 0 {
		return files, blocked, nil
	}
	var text strings.Builder
	message := bankfile.CreditTransfer{MessageID: f.ID, Created: now, Initiator: lender.Name, Batches: []bankfile.TransferBatch{batch}}
	if err := message.Write(&text); err != nil {
		return files, blocked, err
	}
	f.Content, f.Payouts = text.String(), int64(len(sent))
	saveFile(tx, f)
	for _, p := range sent {
		p.State, p.FileID = Sent, f.ID
		saveState(tx, p)
		if err := record(tx, p, id.New(id.Event), "sent", now); err != nil {
			return files, blocked, err
		}
	}
	return append(files, f), blocked, nil
}

// WhyBlocked says why a payout cannot be sent, or "" when nothing stands in its
// way.
func WhyBlocked(ctx context.Context, tx *db.Tx, p Payout) (string, error) {
	lender, err := LenderAccount(ctx, tx, p.Currency)
	if errors.Is(err, db.ErrNoRows) {
		return ErrNoLender.Error(), nil
	}
	if err != nil {
		return "", err
	}
	_, why, err := transferOf(ctx, tx, p, lender)
	return why, err
}

// transferOf is the order to the bank to pay a payout, or why there can be none.
func transferOf(ctx context.Context, tx *db.Tx, p Payout, lender Account) (t bankfile.Transfer, why string, err error) {
	account, err := AccountOf(ctx, tx, p.MerchantID, p.Currency)
	if errors.Is(err, db.ErrNoRows) {
		return t, "no bank details", nil
	}
	if err != nil {
		return t, "", err
	}
	t = bankfile.Transfer{
		EndToEndID: p.Reference, Amount: money.Amount{Minor: p.Amount, Currency: p.Currency}, Creditor: account.Account,
		Remittance: "Payout " + p.Reference,
	}
	// A file is refused as a whole, so each payment is tried by itself.
	alone := bankfile.CreditTransfer{MessageID: p.Reference, Created: p.Date, Initiator: lender.Name, Batches: []bankfile.TransferBatch{
		{ID: p.Reference, Debtor: lender.Account, Execution: p.Date, Transfers: []bankfile.Transfer{t}},
	}}
	if err := alone.Check(); err != nil {
		return t, err.Error(), nil
	}
	return t, "", nil
}

// Confirm notes that the bank has paid a payout. It tells whether that is news.
func (s *Service) Confirm(ctx context.Context, tx *db.Tx, p Payout, now time.Time) (bool, error) {
	p, err := db.One(ctx, tx, lockPayout, []any{p.MerchantID, p.ID}, scanPayout)
	if err != nil || p.State == Paid {
		return false, err
	}
	if p.State == Returned {
		return false, fmt.Errorf("payout %s was returned", p.Reference)
	}
	p.State = Paid
	saveState(tx, p)
	return true, record(tx, p, id.New(id.Event), "paid", now)
}

// Return takes a payout back that the bank could not or will not pay: its items
// and adjustments wait for the next payout, and the books are as before it. It
// tells whether that is news. now is the merchant's time.
func (s *Service) Return(ctx context.Context, tx *db.Tx, m merchant.Merchant, payoutID, reason string, now time.Time) (bool, error) {
	p, err := db.One(ctx, tx, lockPayout, []any{m.ID, payoutID}, scanPayout)
	if err != nil || p.State == Returned {
		return false, err
	}
	if p.Amount == 0 {
		return false, fmt.Errorf("payout %s moved no money", p.Reference)
	}
	entries := Booked(p)
	for i := range entries {
		entries[i].Amount = -entries[i].Amount
	}
	p.State, p.Reason = Returned, reason
	eventID := id.New(id.Event)
	if err := ledger.Post(tx, ledger.Transaction{
		MerchantID: m.ID, ID: eventID, ObjectID: p.ID, Currency: p.Currency, At: now, Entries: entries,
	}); err != nil {
		return false, err
	}
	tx.Queue(unmarkAll, m.ID, dayOf(p.Date), p.ID)
	tx.Queue(releaseAdjustments, m.ID, p.ID)
	saveState(tx, p)
	job.ScheduleOnce(tx, planned(m.ID, p.Currency, now), m.Offset)
	return true, record(tx, p, eventID, "returned", now)
}
