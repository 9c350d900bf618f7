package repayment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"tradecredit/internal/bankfile"
	"tradecredit/internal/calendar"
	"tradecredit/internal/db"
	"tradecredit/internal/id"
	"tradecredit/internal/money"
)

// The kinds of bank files and their formats.
const (
	FileDebits  = "debits"
	FileRefunds = "refunds"
	FormatSEPA  = "sepa"
	FormatBacs  = "bacs"
)

// File is a file for the bank, as it was made.
type File struct {
	ID, Kind, Format, Currency string
	// Day is the day on which the bank is to act, N the number among the files of
	// the day.
	Day      string
	N        int64
	Orders   int64
	Total    int64
	Content  string
	Created  time.Time
	Existing bool
	// Skipped says what should be in the file and cannot be.
	Skipped []string
}

// ExportRequest asks for a file.
type ExportRequest struct {
	Kind, Format, Currency string
	Day                    time.Time
	// More makes another file when there is one for the day already; otherwise that
	// one is returned again.
	More bool
	// CreditorID is the SEPA creditor identifier, ServiceUser the Bacs service user
	// number, of six digits. Debits need one of them.
	CreditorID, ServiceUser string
}

// ErrNothing says that there is nothing to put in a file.
var ErrNothing = errors.New("nothing waits for this file")

// mostOrders bounds what goes into one file.
const mostOrders = 50_000

const (
	insertFile db.SQL = `INSERT INTO bank_files (id, kind, format, currency, day, n, orders, total, content, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`
	fileColumns        = `id, kind, format, currency, day, n, orders, total, content, created_at`
	selectFile  db.SQL = `SELECT ` + fileColumns + ` FROM bank_files WHERE id = $1`
	latestFile  db.SQL = `SELECT ` + fileColumns + ` FROM bank_files
		WHERE kind = $1 AND format = $2 AND currency = $3 AND day = $4 ORDER BY n DESC LIMIT 1`
	waitingRepayments db.SQL = `SELECT r.merchant_id, r.id, r.organisation_id, r.amount, r.charge_id, r.reference, d.number
		FROM repayments r JOIN deferred_payments d ON d.merchant_id = r.merchant_id AND d.id = r.deferred_payment_id
		WHERE r.status = 'pending' AND r.file_id = '' AND r.type = $1 AND r.method = $2 AND r.origin <> 'processor' AND r.currency = $3
		ORDER BY r.created_at, r.id LIMIT $4`
	setFile db.SQL = `UPDATE repayments SET file_id = $3 WHERE merchant_id = $1 AND id = $2`
)

func scanFile(r db.Rows) (File, error) {
	var f File
	var created int64
	err := r.Scan(&f.ID, &f.Kind, &f.Format, &f.Currency, &f.Day, &f.N, &f.Orders, &f.Total, &f.Content, &created)
	f.Created = db.Time(created)
	return f, err
}

// GetFile returns a bank file, or db.ErrNoRows.
func GetFile(ctx context.Context, tx *db.Tx, fileID string) (File, error) {
	return db.One(ctx, tx, selectFile, []any{fileID}, scanFile)
}

// waitingRow is a repayment that waits for a file.
type waitingRow struct {
	merchantID, id, organisationID string
	amount                         int64
	chargeID, reference, number    string
}

func scanWaiting(r db.Rows) (w waitingRow, err error) {
	return w, r.Scan(&w.merchantID, &w.id, &w.organisationID, &w.amount, &w.chargeID, &w.reference, &w.number)
}

// Export makes a file of what waits for the bank, or returns the one that was made
// for the day, the same to the byte. It fails with ErrNothing when nothing waits.
func (s *Service) Export(ctx context.Context, tx *db.Tx, in ExportRequest) (File, error) {
	f := File{
		Kind: in.Kind, Format: in.Format, Currency: in.Currency, Day: dateText(in.Day), ID: id.New(id.BankFile), Created: s.Clock.Now(), N: 1,
	}
	last, err := db.One(ctx, tx, latestFile, []any{f.Kind, f.Format, f.Currency, f.Day}, scanFile)
	if err == nil && !in.More {
		last.Existing = true
		return last, nil
	}
	if gone, err := missing(err); err != nil {
		return f, err
	} else if !gone {
		f.N = last.N + 1
	}
	days, err := calendar.Load(ctx, tx, calendar.ForCurrency(f.Currency, "GB"))
	if err != nil {
		return f, err
	}
	if !days.Is(in.Day) {
		return f, fmt.Errorf("%s is no business day; the next is %s", f.Day, dateText(days.OnOrAfter(in.Day)))
	}
	if s.Account == nil {
		return f, errors.New("the lender's account is not known")
	}
	lender, err := s.Account(ctx, tx, f.Currency)
	if err != nil {
		return f, err
	}
	var orders []BankOrder
	if in.Kind == FileDebits {
		orders, err = s.debits(ctx, tx, &f)
	} else {
		orders, err = s.transfers(ctx, tx, &f)
	}
	if err != nil {
		return f, err
	}
	if len(orders) == 0 {
		return f, ErrNothing
	}
	return f, s.write(ctx, tx, &f, in, lender, orders)
}

// write renders and stores a file, and marks what is in it.
func (s *Service) write(ctx context.Context, tx *db.Tx, f *File, in ExportRequest, lender bankfile.Account, orders []BankOrder) error {
	var out bytes.Buffer
	var err error
	switch {
	case f.Kind == FileRefunds:
		err = f.creditTransfer(in, lender, orders).Write(&out)
	case f.Format == FormatBacs:
		err = f.submission(in, lender, orders).Write(&out)
	default:
		var message bankfile.DirectDebit
		if message, err = f.directDebit(ctx, tx, in, lender, orders); err == nil {
			err = message.Write(&out)
		}
	}
	if err != nil {
		return err
	}
	f.Content, f.Orders = out.String(), int64(len(orders))
	for _, o := range orders {
		f.Total += o.Amount
		known := o.Status == OrderPending
		o.FileID, o.Status = f.ID, OrderSent
		if known {
			updateOrder(tx, o)
		} else {
			insertOrder(tx, o)
		}
		if o.Kind == OrderDebit || o.Kind == OrderRefund {
			tx.Queue(setFile, o.MerchantID, o.ObjectID, f.ID)
		}
	}
	tx.Queue(insertFile, f.ID, f.Kind, f.Format, f.Currency, f.Day, f.N, f.Orders, f.Total, f.Content, db.Micros(f.Created))
	return nil
}

// debits are the orders to debit what is due. A mandate's first debit goes into a
// batch of its own.
func (s *Service) debits(ctx context.Context, tx *db.Tx, f *File) ([]BankOrder, error) {
	rows, err := db.All(ctx, tx, waitingRepayments, []any{TypePayment, "direct_debit", f.Currency, mostOrders}, scanWaiting)
	if err != nil {
		return nil, err
	}
	mandates := map[[2]string]*Mandate{}
	var out []BankOrder
	for _, w := range rows {
		key := [2]string{w.merchantID, w.organisationID}
		m, ok := mandates[key]
		if !ok {
			found, err := mandateFor(ctx, tx, w.merchantID, w.organisationID, f.Currency)
			gone, err := missing(err)
			if err != nil {
				return nil, err
			}
			if !gone {
				m = &found
			}
			mandates[key] = m
		}
		if m == nil {
			f.Skipped = append(f.Skipped, w.id+": "+w.organisationID+" has no mandate")
			continue
		}
		batch := m.Scheme + sequenceOf(m)
		if !m.Debited {
			m.Debited = true
			tx.Queue(useMandate, m.MerchantID, m.ID)
		}
		out = append(out, BankOrder{
			ID: w.id, Kind: OrderDebit, MerchantID: w.merchantID, ObjectID: w.id, Currency: f.Currency, Amount: w.amount,
			Account: m.Account, Remittance: w.number, Mandate: m.Reference, Batch: f.ID + "-" + batch, Created: f.Created,
		})
	}
	return out, nil
}

// sequenceOf ends the name of a batch: F holds first debits.
func sequenceOf(m *Mandate) string {
	if m.Debited {
		return "R"
	}
	return "F"
}

// transfers are the orders to send money back: to the account that it came from.
func (s *Service) transfers(ctx context.Context, tx *db.Tx, f *File) ([]BankOrder, error) {
	out, err := db.All(ctx, tx, pendingOrders, []any{f.Currency, mostOrders}, scanOrder)
	if err != nil {
		return nil, err
	}
	for i := range out {
		out[i].Batch = f.ID + "-T"
	}
	for _, method := range []string{MethodBankTransfer, "direct_debit"} {
		rows, err := db.All(ctx, tx, waitingRepayments, []any{TypeCustomerRefund, method, f.Currency, mostOrders}, scanWaiting)
		if err != nil {
			return nil, err
		}
		for _, w := range rows {
			account, err := payerOf(ctx, tx, w.merchantID, w.chargeID)
			if err != nil {
				return nil, err
			}
			if nothing(account) {
				f.Skipped = append(f.Skipped, w.id+": the account that the payment came from is not known")
				continue
			}
			out = append(out, BankOrder{
				ID: w.id, Kind: OrderRefund, MerchantID: w.merchantID, ObjectID: w.id, Currency: f.Currency, Amount: w.amount,
				Account: account, Remittance: "Refund " + w.number, Batch: f.ID + "-T", Created: f.Created,
			})
		}
	}
	return out, nil
}

// payerOf is the account that a payment came from, empty when nobody knows.
func payerOf(ctx context.Context, tx *db.Tx, merchantID, repaymentID string) (bankfile.Account, error) {
	r, err := Get(ctx, tx, merchantID, repaymentID)
	if gone, err := missing(err); gone || err != nil {
		return bankfile.Account{}, err
	}
	e, err := GetEntry(ctx, tx, r.Reference)
	if err == nil {
		return e.Payer, nil
	}
	if gone, err := missing(err); !gone || err != nil {
		return bankfile.Account{}, err
	}
	orders, err := bankOrders(ctx, tx, []string{r.ID})
	return orders[r.ID].Account, err
}

func (f *File) creditTransfer(in ExportRequest, lender bankfile.Account, orders []BankOrder) bankfile.CreditTransfer {
	batch := bankfile.TransferBatch{ID: f.ID + "-T", Debtor: lender, Execution: in.Day}
	for _, o := range orders {
		batch.Transfers = append(batch.Transfers, bankfile.Transfer{
			EndToEndID: o.ID, Amount: money.Amount{Minor: o.Amount, Currency: o.Currency}, Creditor: o.Account, Remittance: o.Remittance,
		})
	}
	return bankfile.CreditTransfer{MessageID: f.ID, Created: f.Created, Initiator: lender.Name, Batches: []bankfile.TransferBatch{batch}}
}

// directDebit is a message with one batch for each scheme and sequence.
func (f *File) directDebit(ctx context.Context, tx *db.Tx, in ExportRequest, lender bankfile.Account, orders []BankOrder) (bankfile.DirectDebit, error) {
	message := bankfile.DirectDebit{MessageID: f.ID, Created: f.Created, Initiator: lender.Name}
	for _, kind := range []struct {
		scheme   bankfile.Scheme
		sequence bankfile.Sequence
		name     string
	}{
		{bankfile.Core, bankfile.First, SchemeCore + "F"}, {bankfile.Core, bankfile.Recurring, SchemeCore + "R"},
		{bankfile.B2B, bankfile.First, SchemeB2B + "F"}, {bankfile.B2B, bankfile.Recurring, SchemeB2B + "R"},
	} {
		batch := bankfile.CollectionBatch{
			ID: f.ID + "-" + kind.name, Creditor: lender, CreditorID: in.CreditorID, Scheme: kind.scheme, Sequence: kind.sequence, Collection: in.Day,
		}
		for _, o := range orders {
			if o.Batch != batch.ID {
				continue
			}
			m, err := db.One(ctx, tx, selectByMandate, []any{o.Mandate}, scanMandate)
			if err != nil {
				return message, err
			}
			batch.Collections = append(batch.Collections, bankfile.Collection{
				EndToEndID: o.ID, Amount: money.Amount{Minor: o.Amount, Currency: o.Currency}, Debtor: o.Account,
				Mandate: bankfile.Mandate{ID: o.Mandate, Signed: date(m.SignedOn)}, Remittance: o.Remittance,
			})
		}
		if len(batch.Collections) > 0 {
			message.Batches = append(message.Batches, batch)
		}
	}
	return message, nil
}

func (f *File) submission(in ExportRequest, lender bankfile.Account, orders []BankOrder) bankfile.Submission {
	day := bankfile.DebitDay{Processing: in.Day}
	for _, o := range orders {
		code := bankfile.RegularDebit
		if o.Batch == f.ID+"-"+SchemeBacs+"F" {
			code = bankfile.FirstDebit
		}
		day.Debits = append(day.Debits, bankfile.Debit{Code: code, Pence: o.Amount, Payer: o.Account, Reference: o.Mandate})
	}
	return bankfile.Submission{
		Serial: strconv.FormatInt(f.N, 10), ServiceUser: in.ServiceUser, UserName: lender.Name, Created: f.Created,
		Account: lender, Days: []bankfile.DebitDay{day},
	}
}
