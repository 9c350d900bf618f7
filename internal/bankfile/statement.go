package bankfile

import (
	"fmt"
	"strings"
	"time"

	"tradecredit/internal/money"
)

// Statement is what happened on one account in one period.
type Statement struct {
	// MessageID is the identifier of the file, ID that of the statement.
	MessageID string
	ID        string
	// Sequence is the electronic sequence number, if the bank counts.
	Sequence string
	Created  time.Time
	// From and To are dates, at midnight UTC.
	From, To time.Time
	Account  Account
	Currency string
	// Opening and Closing are the booked balances.
	Opening, Closing Balance
	// Entries are empty when the statement is read piece by piece.
	Entries []Entry
	// Totals compare the entries with the balances.
	Totals Totals
}

// Balance of an account, in minor units, below zero when it is overdrawn. Without
// a date the bank gave none.
type Balance struct {
	Minor int64
	Date  time.Time
}

// Known tells whether the bank gave the balance.
func (b Balance) Known() bool { return !b.Date.IsZero() }

// Totals of the booked entries of a statement, in minor units.
type Totals struct {
	Entries         int
	Credits, Debits int64
	// Compared tells whether both balances are known; Difference is then what the
	// opening balance and the entries have more than the closing balance.
	Compared   bool
	Difference int64
}

// Check returns an error when the balances and the entries do not go together.
func (t Totals) Check() error {
	if t.Compared && t.Difference != 0 {
		return fmt.Errorf("bankfile: the opening balance and the entries differ from the closing balance by %d minor units", t.Difference)
	}
	return nil
}

func (t *Totals) add(e Entry) (err error) {
	if e.Status != Booked {
		return nil
	}
	t.Entries++
	if e.Credit {
		t.Credits, err = money.CheckedAdd(t.Credits, e.Amount.Minor)
	} else {
		t.Debits, err = money.CheckedAdd(t.Debits, e.Amount.Minor)
	}
	return err
}

func (t *Totals) compare(opening, closing Balance) (err error) {
	if !opening.Known() || !closing.Known() {
		return nil
	}
	t.Compared = true
	t.Difference, err = money.Sum(opening.Minor, t.Credits, -t.Debits, -closing.Minor)
	return err
}

// Statuses of entries. Only what is booked has happened.
const (
	Booked      = "BOOK"
	Pending     = "PDNG"
	Information = "INFO"
)

// Entry is one line of a statement.
type Entry struct {
	// Reference is the entry's in the statement, BankReference the bank's own.
	Reference     string
	BankReference string
	// Amount is not below zero; Credit tells whether it came in.
	Amount money.Amount
	Credit bool
	// Reversal is an entry that takes an earlier one back: with Credit, a debit was
	// returned.
	Reversal bool
	// Status is Booked, Pending or Information.
	Status string
	// Booked and Value are dates, at midnight UTC.
	Booked, Value time.Time
	// Kind is the bank transaction code: domain, family and subfamily between
	// slashes, as PMNT/RCDT/ESCT, or the bank's own code.
	Kind string
	// Text is what the bank adds.
	Text string
	// Transactions are what the bank says about the payments behind the entry.
	Transactions []Transaction
}

// Signed is the amount as it changes the balance, in minor units.
func (e Entry) Signed() int64 { return signed(e.Amount.Minor, e.Credit) }

func signed(minor int64, credit bool) int64 {
	if credit {
		return minor
	}
	return -minor
}

// Transaction is one payment behind an entry.
type Transaction struct {
	// Amount has no currency when the bank does not tell it.
	Amount money.Amount
	Credit bool
	// EndToEndID is empty when the payer gave none.
	EndToEndID    string
	InstructionID string
	TransactionID string
	MandateID     string
	BankReference string
	Debtor        Account
	Creditor      Account
	// Remittance are the lines of text, with spaces between them, Reference the
	// structured reference of the creditor.
	Remittance string
	Reference  string
	// ReturnReason is the code for which a payment came back (ISO 20022, such as
	// AC04, AM04, MD01), ReturnText what is said about it.
	ReturnReason string
	ReturnText   string
	Text         string
}

// Itemised tells whether the transactions of an entry have amounts that make up
// the entry's.
func (e Entry) Itemised() bool {
	amounts := make([]int64, len(e.Transactions))
	for i, t := range e.Transactions {
		if t.Amount.Currency != e.Amount.Currency {
			return false
		}
		amounts[i] = signed(t.Amount.Minor, t.Credit)
	}
	total, err := money.Sum(amounts...)
	return err == nil && len(amounts) > 0 && total == e.Signed()
}

// Items are the payments of an entry: its transactions, or when they do not make
// up its amount, one that stands for all of it.
func (e Entry) Items() []Transaction {
	if e.Itemised() {
		return e.Transactions
	}
	var whole Transaction
	if len(e.Transactions) == 1 {
		whole = e.Transactions[0]
	}
	whole.Amount, whole.Credit = e.Amount, e.Credit
	if whole.BankReference == "" {
		whole.BankReference = e.BankReference
	}
	if whole.Text == "" {
		whole.Text = e.Text
	}
	return []Transaction{whole}
}

// joined puts the lines of a text together.
func joined(lines []string) string {
	var kept []string
	for _, l := range lines {
		if l = strings.TrimSpace(l); l != "" {
			kept = append(kept, l)
		}
	}
	return strings.Join(kept, " ")
}
