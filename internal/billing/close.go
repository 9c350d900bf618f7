package billing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/id"
	"tradecredit/internal/job"
	"tradecredit/internal/mail"
	"tradecredit/internal/merchant"
)

// Close is what is due at the end of a billing period: the statements of the
// account are closed and sent, and the next period begins. An account that was
// deactivated ends here.
func (s *Service) Close(ctx context.Context, tx *db.Tx, d job.Due) error {
	m, err := merchant.Get(ctx, tx, d.MerchantID)
	if err != nil {
		return err
	}
	a, err := oneAccount(ctx, tx, holdAccount, m.ID, d.ObjectID)
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	open, err := s.toClose(ctx, tx, a, d.Now)
	if err != nil {
		return err
	}
	var goOn []string // currencies in which something is owed
	for _, st := range open {
		closing, err := s.closeOne(ctx, tx, m, a, st, d.Now)
		if err != nil {
			return fmt.Errorf("billing: statement %s: %w", st.ID, err)
		}
		if closing != 0 {
			goOn = append(goOn, st.Currency)
		}
	}
	a.Period++
	if err := saveAccount(tx, a); err != nil {
		return err
	}
	if !a.Active() {
		tx.Queue(endMembers, m.ID, a.ID)
		return nil
	}
	if err := s.begin(ctx, tx, a, goOn, d.Now); err != nil {
		return err
	}
	scheduleClose(tx, m, a)
	return nil
}

// toClose are the open statements of an account, and those of currencies that
// have lines and, because of a race, no statement.
func (s *Service) toClose(ctx context.Context, tx *db.Tx, a Account, now time.Time) ([]Statement, error) {
	waiting, err := currencies(ctx, tx, a)
	if err != nil {
		return nil, err
	}
	openThem(tx, a, waiting, now)
	return manyStatements(ctx, tx, openOfAccount, a.MerchantID, a.ID)
}

// begin opens the statements of the period that begins: for what is still owed,
// and for what has happened in it already.
func (s *Service) begin(ctx context.Context, tx *db.Tx, a Account, goOn []string, now time.Time) error {
	waiting, err := currencies(ctx, tx, a)
	if err != nil {
		return err
	}
	for _, c := range waiting {
		if !slices.Contains(goOn, c) {
			goOn = append(goOn, c)
		}
	}
	openThem(tx, a, goOn, now)
	return nil
}

func openThem(tx *db.Tx, a Account, currencies []string, now time.Time) {
	for _, c := range currencies {
		tx.Queue(insertStatement, a.MerchantID, id.New(id.Statement), a.ID, c, a.Period, db.Micros(now))
	}
}

// currencies are those of lines that are on no statement yet.
func currencies(ctx context.Context, tx *db.Tx, a Account) ([]string, error) {
	return db.All(ctx, tx, waitingCurrencies, []any{a.MerchantID, a.ID}, func(r db.Rows) (c string, err error) {
		err = r.Scan(&c)
		return c, err
	})
}

// closeOne closes one statement, or drops it when nothing happened and nothing is
// owed, and returns its closing balance. The last statement of an account takes all
// lines there are.
func (s *Service) closeOne(ctx context.Context, tx *db.Tx, m merchant.Merchant, a Account, st Statement, now time.Time) (int64, error) {
	until := a.Current().Close
	if !a.Active() && now.After(until) {
		until = now
	}
	if _, err := tx.Exec(ctx, assignLines, m.ID, a.ID, st.Currency, st.ID, db.Micros(until)); err != nil {
		return 0, err
	}
	// From here on its lines are those that carry its identifier.
	st.Status = StatusClosed
	lines, err := readLines(ctx, tx, st)
	if err != nil {
		return 0, err
	}
	before, items, err := s.carry(ctx, tx, m, st, lines, &st.Document)
	if err != nil {
		return 0, err
	}
	if len(lines) == 0 && before.Closing == 0 {
		tx.Queue(deleteStatement, m.ID, st.ID)
		return 0, nil
	}
	if st.Totals, err = Sum(before.Closing, kinds(lines)); err != nil {
		return 0, err
	}
	for _, i := range items {
		st.AmountDue += max(0, i.Balance)
	}
	st.Remaining, st.Number, st.Closed = st.AmountDue, id.Number("S"), &now
	st.DueDate = a.Current().Close.AddDate(0, 0, int(m.Settings.StatementDueDays)).Format(time.DateOnly)
	st.Status = statusOf(st, now)
	if err := s.describe(ctx, tx, m, a, &st); err != nil {
		return 0, err
	}
	details := Details{st, lines, items}
	files, err := Render(details)
	if err != nil {
		return 0, err
	}
	st.PDFHash, st.CSVHash = files.PDFHash(), files.CSVHash()
	if err := saveClosed(tx, st); err != nil {
		return 0, err
	}
	addItems(tx, st, items)
	return st.Closing, s.announce(ctx, tx, m, a, st, before, files, now)
}

// carry is the statement before, and what this one asks for. It notes the
// merchant's identifiers of the orders.
func (s *Service) carry(ctx context.Context, tx *db.Tx, m merchant.Merchant, st Statement, lines []Line, doc *Document) (before Statement, items []Item, err error) {
	before, err = oneStatement(ctx, tx, lastClosed, m.ID, st.AccountID, st.Currency, st.Period.N)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return before, nil, err
	}
	if before.ID != "" {
		if items, err = readItems(ctx, tx, m.ID, before.ID); err != nil {
			return before, nil, err
		}
	}
	ids := make([]string, len(lines))
	for i, l := range lines {
		ids[i] = l.OrderID
	}
	if doc.Orders, err = references(ctx, tx, m.ID, ids); err != nil {
		return before, nil, err
	}
	items = carried(items, lines, doc.Orders)
	if len(items) == 0 {
		return before, items, nil
	}
	open, err := s.Open(ctx, tx, m, paymentsOf(items))
	for i := range items {
		if items[i].Balance > 0 {
			items[i].DueDate = open[items[i].PaymentID].DueDate
		}
	}
	return before, items, err
}

// describe fills in what the files say beside the figures.
func (s *Service) describe(ctx context.Context, tx *db.Tx, m merchant.Merchant, a Account, st *Statement) (err error) {
	st.Document.Lender, st.Document.Register, st.Document.Contact = s.Lender.Name, s.Lender.Register, s.Lender.Contact
	st.Document.Merchant = m.Name
	if st.Document.Bank, err = s.Bank(ctx, tx, st.Currency); err != nil {
		return err
	}
	for _, organisationID := range a.Organisations {
		b, err := s.Buyer(ctx, tx, m, organisationID)
		if err != nil {
			return err
		}
		st.Document.Buyers = append(st.Document.Buyers, b)
	}
	return nil
}

// announce tells the world that a statement is closed. The one before it is looked
// at again, for refunds may have made less of it.
func (s *Service) announce(ctx context.Context, tx *db.Tx, m merchant.Merchant, a Account, st, before Statement, files Files, now time.Time) error {
	if err := record(tx, m.ID, "statement.closed", st.ID, a.ID, st.snapshot(), now); err != nil {
		return err
	}
	if st.Status == StatusPaid {
		if err := record(tx, m.ID, "statement.paid", st.ID, a.ID, st.snapshot(), now); err != nil {
			return err
		}
	} else {
		due, err := time.Parse(time.DateOnly, st.DueDate)
		if err != nil {
			return err
		}
		job.Schedule(tx, job.Due{MerchantID: m.ID, Kind: OverdueKind, ObjectID: st.ID, At: due.AddDate(0, 0, 1)}, m.Offset)
	}
	if before.ID != "" && before.Status != StatusPaid {
		if err := s.reevaluate(ctx, tx, m, before.ID, now); err != nil {
			return err
		}
	}
	_, err := s.send(tx, m, a, st, files, now)
	return err
}

// send mails a statement to the addresses of its account. It returns false when
// there are none.
func (s *Service) send(tx *db.Tx, m merchant.Merchant, a Account, st Statement, files Files, now time.Time) (bool, error) {
	to, cc := a.Emails.To, a.Emails.Cc
	if len(to) == 0 {
		to, cc = cc, nil
	}
	if len(to) == 0 {
		return false, nil
	}
	subject, paragraphs := message(st)
	text, html := mail.Render(subject, paragraphs)
	_, err := s.Mail.Send(tx, m.ID, mail.Mail{
		To: to, Cc: cc, Subject: subject, Text: text, HTML: html,
		Attachments: []mail.Attachment{
			{Filename: files.Name + ".pdf", ContentType: "application/pdf", Content: files.PDF},
			{Filename: files.Name + ".csv", ContentType: "text/csv; charset=utf-8", Content: files.CSV},
		},
	}, now)
	return true, err
}

// Resend has a closed statement mailed again by the server. It returns
// db.ErrNoRows for a statement that does not exist, ErrOpen for one that is open,
// and false when its account has no addresses.
func Resend(ctx context.Context, tx *db.Tx, m merchant.Merchant, statementID string, now time.Time) (bool, error) {
	st, err := oneStatement(ctx, tx, selectStatement, m.ID, statementID)
	if err != nil {
		return false, err
	}
	if st.Status == StatusOpen {
		return false, ErrOpen
	}
	a, err := oneAccount(ctx, tx, selectAccount, m.ID, st.AccountID)
	if err != nil || len(a.Emails.To)+len(a.Emails.Cc) == 0 {
		return false, err
	}
	job.Schedule(tx, job.Due{MerchantID: m.ID, Kind: SendKind, ObjectID: statementID, At: now}, m.Offset)
	return true, nil
}

// SendDue is what is due when a statement is to be mailed again.
func (s *Service) SendDue(ctx context.Context, tx *db.Tx, due job.Due) error {
	m, err := merchant.Get(ctx, tx, due.MerchantID)
	if err != nil {
		return err
	}
	d, err := s.Details(ctx, tx, m.ID, due.ObjectID)
	if err != nil {
		return err
	}
	a, err := s.GetAccount(ctx, tx, m.ID, d.AccountID)
	if err != nil {
		return err
	}
	files, err := Render(d)
	if err != nil {
		return err
	}
	_, err = s.send(tx, m, a, d.Statement, files, due.Now)
	return err
}
