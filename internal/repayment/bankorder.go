package repayment

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"time"

	"tradecredit/internal/bankfile"
	"tradecredit/internal/db"
	"tradecredit/internal/ledger"
	"tradecredit/internal/merchant"
	"tradecredit/internal/processor"
)

// The kinds of bank orders: what was due is debited, what was paid too much goes
// back, and so do a buyer's credit and money that nobody knows the purpose of.
const (
	OrderDebit     = "debit"
	OrderRefund    = "refund"
	OrderCredit    = "credit"
	OrderUnmatched = "unmatched"
)

// The states of bank orders.
const (
	OrderPending  = "pending"
	OrderSent     = "sent"
	OrderSettled  = "settled"
	OrderFailed   = "failed"
	OrderReturned = "returned"
)

// BankOrder is what the bank is asked to do. Its ID is the end-to-end identifier.
type BankOrder struct {
	ID   string
	Kind string
	// MerchantID is "" for an order about unmatched money.
	MerchantID string
	ObjectID   string
	FileID     string
	Status     string
	Currency   string
	Amount     int64 // minor units
	Account    bankfile.Account
	Remittance string
	// Mandate is the reference of the mandate of a debit, Batch the identifier of the
	// batch in the file.
	Mandate, Batch string
	Created        time.Time
}

const (
	insertBankOrder db.SQL = `INSERT INTO bank_orders (id, kind, merchant_id, object_id, file_id, status, currency, amount,
		holder, iban, bic, sort_code, account_number, remittance, mandate, batch, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`
	updateBankOrder db.SQL = `UPDATE bank_orders SET status = $2, file_id = $3, batch = $4 WHERE id = $1`
	orderColumns           = `o.id, o.kind, o.merchant_id, o.object_id, o.file_id, o.status, o.currency, o.amount,
		o.holder, o.iban, o.bic, o.sort_code, o.account_number, o.remittance, o.mandate, o.batch, o.created_at`
	lockBankOrder   db.SQL = `SELECT ` + orderColumns + ` FROM bank_orders o WHERE o.id = $1 FOR UPDATE`
	bankOrdersByID  db.SQL = `SELECT ` + orderColumns + ` FROM unnest($1::text[]) AS u(i) JOIN bank_orders o ON o.id = u.i`
	bankOrdersOf    db.SQL = `SELECT ` + orderColumns + ` FROM bank_orders o WHERE o.file_id = $1 ORDER BY o.id`
	bankOrdersBatch db.SQL = `SELECT ` + orderColumns + ` FROM bank_orders o WHERE o.batch = $1 ORDER BY o.id`
	pendingOrders   db.SQL = `SELECT ` + orderColumns + ` FROM bank_orders o WHERE o.status = 'pending' AND o.currency = $1 ORDER BY o.id LIMIT $2`
	mandateOrders   db.SQL = `SELECT ` + orderColumns + ` FROM bank_orders o
		WHERE o.mandate = $1 AND o.amount = $2 AND o.mandate <> '' ORDER BY o.id DESC LIMIT 20`
)

func scanOrder(r db.Rows) (BankOrder, error) {
	var o BankOrder
	var created int64
	err := r.Scan(&o.ID, &o.Kind, &o.MerchantID, &o.ObjectID, &o.FileID, &o.Status, &o.Currency, &o.Amount,
		&o.Account.Name, &o.Account.IBAN, &o.Account.BIC, &o.Account.SortCode, &o.Account.AccountNumber, &o.Remittance, &o.Mandate, &o.Batch, &created)
	o.Created = db.Time(created)
	return o, err
}

func insertOrder(tx *db.Tx, o BankOrder) {
	tx.Queue(insertBankOrder, o.ID, o.Kind, o.MerchantID, o.ObjectID, o.FileID, o.Status, o.Currency, o.Amount,
		o.Account.Name, o.Account.IBAN, o.Account.BIC, o.Account.SortCode, o.Account.AccountNumber, o.Remittance, o.Mandate, o.Batch, db.Micros(o.Created))
}

func updateOrder(tx *db.Tx, o BankOrder) {
	tx.Queue(updateBankOrder, o.ID, o.Status, o.FileID, o.Batch)
}

// bankOrders reads orders by their IDs. IDs that are none are left out.
func bankOrders(ctx context.Context, tx *db.Tx, ids []string) (map[string]BankOrder, error) {
	ids = slices.DeleteFunc(ids, func(s string) bool { return s == "" })
	out := map[string]BankOrder{}
	for _, args := range tx.Split(ids) {
		found, err := db.All(ctx, tx, bankOrdersByID, args, scanOrder)
		if err != nil {
			return nil, err
		}
		for _, o := range found {
			out[o.ID] = o
		}
	}
	return out, nil
}

// answered books what an account statement says of an order.
func (s *Service) answered(ctx context.Context, tx *db.Tx, e Entry, o BankOrder, now time.Time) (bool, error) {
	o, err := db.One(ctx, tx, lockBankOrder, []any{o.ID}, scanOrder)
	if err != nil {
		return false, err
	}
	if o.Amount != e.Amount || o.Currency != e.Currency {
		return false, nil
	}
	allocated(tx, e.ID, "order", o.MerchantID, o.ID, o.Amount)
	forward := e.Credit == (o.Kind == OrderDebit)
	switch {
	case forward && o.Status == OrderSent:
		return true, s.orderSettled(ctx, tx, o, now)
	case forward && o.Status == OrderReturned, !forward && o.Status == OrderReturned:
		// Both ways are booked already, by another report of the bank.
		return true, nil
	case !forward && o.Kind == OrderUnmatched:
		// It came back, and nobody knows any better whose it is.
		return false, s.returned(ctx, tx, o, e.Code, e.Reason, now)
	case !forward && (o.Status == OrderSent || o.Status == OrderSettled):
		return true, s.returned(ctx, tx, o, e.Code, e.Reason, now)
	}
	return false, nil
}

// batchName finds the identifier of a batch in the text of a bank.
var batchName = regexp.MustCompile(`bfl-[0-9A-Za-z]{22}-[0-9A-Z]{1,6}`)

// answeredBatch books an entry that stands for all debits, or all transfers, of a
// batch: the bank names the batch, and the sum is that of its orders.
func (s *Service) answeredBatch(ctx context.Context, tx *db.Tx, e Entry, now time.Time) (bool, error) {
	name := batchName.FindString(e.EndToEndID + " " + e.Text + " " + e.BankReference)
	if name == "" {
		return false, nil
	}
	orders, err := db.All(ctx, tx, bankOrdersBatch, []any{name}, scanOrder)
	if err != nil || len(orders) == 0 {
		return false, err
	}
	var total int64
	for _, o := range orders {
		if o.Currency != e.Currency || e.Credit != (o.Kind == OrderDebit) {
			return false, nil
		}
		if o.Status != OrderFailed {
			total += o.Amount
		}
	}
	if total != e.Amount {
		return false, nil
	}
	return true, s.settleAll(ctx, tx, orders, now)
}

func (s *Service) settleAll(ctx context.Context, tx *db.Tx, orders []BankOrder, now time.Time) error {
	for _, o := range orders {
		o, err := db.One(ctx, tx, lockBankOrder, []any{o.ID}, scanOrder)
		if err != nil {
			return err
		}
		if o.Status != OrderSent {
			continue
		}
		if err := s.orderSettled(ctx, tx, o, now); err != nil {
			return err
		}
	}
	return nil
}

// owner is the merchant of an order and the merchant's time.
func owner(ctx context.Context, tx *db.Tx, o BankOrder, now time.Time) (merchant.Merchant, time.Time, error) {
	if o.MerchantID == "" {
		return merchant.Merchant{}, now, nil
	}
	m, err := merchant.Get(ctx, tx, o.MerchantID)
	return m, m.Now(now), err
}

// orderSettled books an order that the bank has carried out.
func (s *Service) orderSettled(ctx context.Context, tx *db.Tx, o BankOrder, now time.Time) error {
	m, at, err := owner(ctx, tx, o, now)
	if err != nil {
		return err
	}
	o.Status = OrderSettled
	updateOrder(tx, o)
	switch o.Kind {
	case OrderDebit, OrderRefund:
		r, err := s.waiting(ctx, tx, o)
		if err != nil || r.Status != StatusPending {
			return err
		}
		return s.tell(ctx, tx, m, r, processor.Result{Outcome: processor.Succeeded, Reference: o.ID}, at)
	case OrderUnmatched:
		e, err := db.One(ctx, tx, lockBankEntry, []any{o.ObjectID}, scanEntry)
		if err != nil {
			return err
		}
		e.Open, e.Status = 0, EntryRefunded
		updateEntry(tx, e)
	}
	return ledger.Post(tx, o.transaction(o.ID+"-settled", at, AccountOutgoing, AccountCash))
}

// waiting is the repayment of an order. The deferred payment is locked before it,
// as everywhere where both change.
func (s *Service) waiting(ctx context.Context, tx *db.Tx, o BankOrder) (Repayment, error) {
	r, err := Get(ctx, tx, o.MerchantID, o.ObjectID)
	if err != nil {
		return r, err
	}
	if _, err := s.Deferred.LockBehindOrder(ctx, tx, o.MerchantID, r.PaymentID); err != nil {
		return r, err
	}
	return Lock(ctx, tx, o.MerchantID, o.ObjectID)
}

// tell stores what came of a repayment of either type.
func (s *Service) tell(ctx context.Context, tx *db.Tx, m merchant.Merchant, r Repayment, result processor.Result, now time.Time) error {
	if r.Type == TypeCustomerRefund {
		return s.refundOutcome(ctx, tx, m, r, result, now)
	}
	return s.outcome(ctx, tx, m, r, result, now)
}

// transaction moves the amount of an order to one account from another.
func (o BankOrder) transaction(transactionID string, at time.Time, to, from string) ledger.Transaction {
	return ledger.Transaction{
		MerchantID: o.MerchantID, ID: transactionID, ObjectID: o.ObjectID, Currency: o.Currency, At: at,
		Entries: []ledger.Entry{{Account: to, Amount: o.Amount}, {Account: from, Amount: -o.Amount}},
	}
}

// orderFailed books an order that the bank has not carried out.
func (s *Service) orderFailed(ctx context.Context, tx *db.Tx, o BankOrder, code, message string, now time.Time) error {
	m, at, err := owner(ctx, tx, o, now)
	if err != nil {
		return err
	}
	o.Status = OrderFailed
	updateOrder(tx, o)
	switch o.Kind {
	case OrderDebit, OrderRefund:
		r, err := s.waiting(ctx, tx, o)
		if err != nil || r.Status != StatusPending {
			return err
		}
		return s.tell(ctx, tx, m, r, processor.Result{Outcome: processor.Declined, Reference: o.ID, Code: code, Message: message}, at)
	case OrderCredit:
		return s.creditBack(ctx, tx, o, at)
	}
	e, err := db.One(ctx, tx, lockBankEntry, []any{o.ObjectID}, scanEntry)
	if err != nil {
		return err
	}
	e.Status, e.Note = EntryUnmatched, "could not be sent back: "+code+" "+message
	updateEntry(tx, e)
	return ledger.Post(tx, o.transaction(o.ID+"-failed", at, AccountOutgoing, AccountUnmatched))
}

// returned books an order that the bank has carried out and that was taken back, or
// came back, after all.
func (s *Service) returned(ctx context.Context, tx *db.Tx, o BankOrder, code, message string, now time.Time) error {
	m, at, err := owner(ctx, tx, o, now)
	if err != nil {
		return err
	}
	if o.Status == OrderSent {
		if err := s.orderSettled(ctx, tx, o, now); err != nil {
			return err
		}
	}
	o.Status = OrderReturned
	updateOrder(tx, o)
	if code == "" {
		code, message = "returned", "The bank has returned the payment."
	}
	switch o.Kind {
	case OrderDebit:
		_, err := s.Return(ctx, tx, m, o.ObjectID, code, message, at)
		return err
	case OrderUnmatched:
		return nil
	case OrderCredit:
		c, err := GetCredit(ctx, tx, o.MerchantID, o.ObjectID)
		if err != nil {
			return err
		}
		return credit(tx, Repayment{MerchantID: m.ID, ID: o.ID, OrganisationID: c.OrganisationID, Currency: o.Currency}, o.Amount, at)
	}
	r, err := Get(ctx, tx, o.MerchantID, o.ObjectID)
	if err != nil {
		return err
	}
	// The buyer is still owed what could not be sent.
	return credit(tx, r, o.Amount, at)
}

// Confirm books a whole file as carried out, for banks that do not report each
// payment. It returns how many orders that settled, and db.ErrNoRows when there is
// no such file.
func (s *Service) Confirm(ctx context.Context, tx *db.Tx, fileID string) (int, error) {
	if _, err := GetFile(ctx, tx, fileID); err != nil {
		return 0, err
	}
	orders, err := db.All(ctx, tx, bankOrdersOf, []any{fileID}, scanOrder)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, o := range orders {
		if o.Status == OrderSent {
			n++
		}
	}
	return n, s.settleAll(ctx, tx, orders, s.Clock.Now())
}

var errNotOurs = errors.New("this is none of our files")
