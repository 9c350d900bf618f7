package billing

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/id"
	"tradecredit/internal/job"
	"tradecredit/internal/merchant"
	"tradecredit/internal/page"
)

// Follow notes what happens to deferred payments on the statements of their
// organisations. It is a deferred.Follower: post-sale events cost two statements
// for a whole group, and read nothing; only money that comes or goes is looked at
// closer, for it may pay a statement.
func (s *Service) Follow(ctx context.Context, tx *db.Tx, happened []deferred.Happening) error {
	var merchants []string
	var lines []Line
	for _, h := range happened {
		if settles(h) {
			if err := holdOf(ctx, tx, h); err != nil {
				return err
			}
		}
		for _, l := range Lines(h) {
			merchants, lines = append(merchants, h.After.MerchantID), append(lines, l)
		}
	}
	if len(lines) > 0 {
		addLines(tx, merchants, lines, func() string { return id.New(id.Statement) })
	}
	for _, h := range happened {
		if settles(h) {
			if err := s.paid(ctx, tx, h); err != nil {
				return err
			}
		}
	}
	return nil
}

// settles tells whether money came or went, or was given up.
func settles(h deferred.Happening) bool {
	return h.After.Repaid != h.Before.Repaid || h.After.WrittenOff != h.Before.WrittenOff
}

// holdOf locks the account of a payment's organisation, if there is one, so that
// no statement is closed between the payment and its being noted on the items of
// those that are.
func holdOf(ctx context.Context, tx *db.Tx, h deferred.Happening) error {
	_, err := db.One(ctx, tx, holdAccountOf, []any{h.After.MerchantID, h.After.OrganisationID}, scanAccount(h.After.MerchantID))
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	return err
}

// paid notes money on the closed statements that ask for it.
func (s *Service) paid(ctx context.Context, tx *db.Tx, h deferred.Happening) error {
	p := h.After
	change := p.Repaid + p.WrittenOff - h.Before.Repaid - h.Before.WrittenOff
	n, err := tx.Exec(ctx, payItems, p.MerchantID, p.ID, change)
	if err != nil || n == 0 {
		return err
	}
	ids, err := db.All(ctx, tx, claiming, []any{p.MerchantID, p.ID}, func(r db.Rows) (statementID string, err error) {
		err = r.Scan(&statementID)
		return statementID, err
	})
	if err != nil {
		return err
	}
	for _, statementID := range ids {
		if err := evaluate(ctx, tx, p.MerchantID, statementID, nil, h.Now); err != nil {
			return err
		}
	}
	return nil
}

// evaluate works out what is still to be paid of a closed statement. open, unless
// nil, is how its deferred payments stand: what was refunded since is not asked for
// any more.
func evaluate(ctx context.Context, tx *db.Tx, merchantID, statementID string, open map[string]Open, now time.Time) error {
	st, err := oneStatement(ctx, tx, holdStatement, merchantID, statementID)
	if err != nil {
		return err
	}
	items, err := readItems(ctx, tx, merchantID, statementID)
	if err != nil {
		return err
	}
	before := st.Status
	st.Remaining = remaining(items)
	if open != nil {
		st.Remaining = 0
		for _, c := range claims(items, open) {
			st.Remaining += max(0, c.Amount)
		}
	}
	if st.Status = statusOf(st, now); st.Status == before && st.Status == StatusPaid {
		return nil
	}
	tx.Queue(updatePaid, merchantID, st.ID, st.Status, st.Remaining)
	if st.Status == StatusPaid {
		return record(tx, merchantID, "statement.paid", st.ID, st.AccountID, st.snapshot(), now)
	}
	return nil
}

// reevaluate is evaluate with a look at how the deferred payments stand.
func (s *Service) reevaluate(ctx context.Context, tx *db.Tx, m merchant.Merchant, statementID string, now time.Time) error {
	items, err := readItems(ctx, tx, m.ID, statementID)
	if err != nil {
		return err
	}
	open, err := s.Open(ctx, tx, m, paymentsOf(items))
	if err != nil {
		return err
	}
	return evaluate(ctx, tx, m.ID, statementID, open, now)
}

func paymentsOf(items []Item) []string {
	out := make([]string, len(items))
	for i, it := range items {
		out[i] = it.PaymentID
	}
	return out
}

// Overdue is what is due on the day after a statement should have been paid.
func (s *Service) Overdue(ctx context.Context, tx *db.Tx, d job.Due) error {
	m, err := merchant.Get(ctx, tx, d.MerchantID)
	if err != nil {
		return err
	}
	return s.reevaluate(ctx, tx, m, d.ObjectID, d.Now)
}

// StatementFilter says which statements a list has; "" is any.
type StatementFilter struct {
	AccountID, Status string
}

// ListStatements returns a page of statements and how many there are.
func (s *Service) ListStatements(ctx context.Context, tx *db.Tx, merchantID string, f StatementFilter, p page.Page) (found []Statement, count int64, err error) {
	q, n := statementsNewest, countStatements
	var args []any
	switch {
	case f.AccountID != "":
		q, n, args = newestOfAccount, countOfAccount, []any{f.AccountID, f.Status}
		if p.Oldest {
			q = oldestOfAccount
		}
	case f.Status != "":
		q, n, args = newestInStatus, countInStatus, []any{f.Status}
		if p.Oldest {
			q = oldestInStatus
		}
	case p.Oldest:
		q = statementsOldest
	}
	if err := tx.Get(ctx, n, append([]any{merchantID}, args...), &count); err != nil {
		return nil, 0, err
	}
	found, err = manyStatements(ctx, tx, q, merchantID, append(args, p.Limit, p.Offset)...)
	for i := range found {
		if err == nil {
			found[i], err = current(ctx, tx, found[i])
		}
	}
	return found, count, err
}

// GetStatement returns a statement, or db.ErrNoRows. One that is open has the
// figures of this moment.
func (s *Service) GetStatement(ctx context.Context, tx *db.Tx, merchantID, statementID string) (Statement, error) {
	st, err := oneStatement(ctx, tx, selectStatement, merchantID, statementID)
	if err != nil {
		return st, err
	}
	return current(ctx, tx, st)
}

// current fills in the figures of a statement that is open.
func current(ctx context.Context, tx *db.Tx, st Statement) (Statement, error) {
	if st.Status != StatusOpen {
		return st, nil
	}
	lines, err := readLines(ctx, tx, st)
	if err != nil {
		return st, err
	}
	opening, err := openingOf(ctx, tx, st)
	if err != nil {
		return st, err
	}
	st.Totals, err = Sum(opening, kinds(lines))
	return st, err
}

// kinds sums lines by their kind.
func kinds(lines []Line) map[string]int64 {
	out := map[string]int64{}
	for _, l := range lines {
		out[l.Kind] += l.Amount
	}
	return out
}

// openingOf is what the last statement of the currency closed with.
func openingOf(ctx context.Context, tx *db.Tx, st Statement) (int64, error) {
	last, err := oneStatement(ctx, tx, lastClosed, st.MerchantID, st.AccountID, st.Currency, st.Period.N)
	if errors.Is(err, db.ErrNoRows) {
		return 0, nil
	}
	return last.Closing, err
}

// Details are a statement with what it is made of.
type Details struct {
	Statement
	Lines []Line
	Items []Item
}

// Details returns a statement with its lines and items, or db.ErrNoRows.
func (s *Service) Details(ctx context.Context, tx *db.Tx, merchantID, statementID string) (Details, error) {
	var d Details
	var err error
	if d.Statement, err = s.GetStatement(ctx, tx, merchantID, statementID); err != nil {
		return d, err
	}
	if d.Lines, err = readLines(ctx, tx, d.Statement); err != nil {
		return d, err
	}
	d.Items, err = readItems(ctx, tx, merchantID, statementID)
	return d, err
}

// FindByReference returns the statements that the text of a transfer to the
// lender names by their reference or number. Of numbers that nobody has there is
// nothing.
func FindByReference(ctx context.Context, tx *db.Tx, reference string) ([]Statement, error) {
	var out []Statement
	for _, number := range NumbersIn(reference) {
		found, err := db.One(ctx, tx, statementNumbered, []any{number}, func(r db.Rows) (f [2]string, err error) {
			err = r.Scan(&f[0], &f[1])
			return f, err
		})
		if errors.Is(err, db.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, err
		}
		st, err := oneStatement(ctx, tx, selectStatement, found[0], found[1])
		if err != nil {
			return nil, err
		}
		out = append(out, st)
	}
	return out, nil
}

// Spread tells how one transfer pays what a statement asks for: the oldest due
// first. rest is what nothing was found for. It keeps the statement from being
// closed or paid meanwhile. It returns db.ErrNoRows for a statement that does not
// exist, a 400 for an amount that is not above zero and a 409 for a statement that
// is open.
func (s *Service) Spread(ctx context.Context, tx *db.Tx, m merchant.Merchant, statementID string, amount int64) (parts []Allocation, rest int64, err error) {
	st, err := oneStatement(ctx, tx, selectStatement, m.ID, statementID)
	if err != nil {
		return nil, 0, err
	}
	// First the account, as everywhere.
	if _, err := oneAccount(ctx, tx, holdAccount, m.ID, st.AccountID); err != nil {
		return nil, 0, err
	}
	switch {
	case amount < 1:
		return nil, 0, apierr.Field("amount", "Ensure this value is greater than or equal to 1.")
	case st.Status == StatusOpen:
		return nil, 0, apierr.Conflict("A statement can not be paid before it is closed.")
	}
	items, err := readItems(ctx, tx, m.ID, statementID)
	if err != nil {
		return nil, 0, err
	}
	open, err := s.Open(ctx, tx, m, paymentsOf(items))
	if err != nil {
		return nil, 0, err
	}
	parts, rest = Allocate(amount, claims(items, open))
	return parts, rest, nil
}

// Pay spreads one transfer over a statement, as Spread does, and settles each part.
// reference names the transfer.
func (s *Service) Pay(ctx context.Context, tx *db.Tx, m merchant.Merchant, statementID string, amount int64, reference string, now time.Time) (done []Allocation, rest int64, err error) {
	done, rest, err = s.Spread(ctx, tx, m, statementID, amount)
	if err != nil {
		return nil, 0, err
	}
	for _, a := range done {
		if err := s.Settle(ctx, tx, m, a.DeferredPaymentID, a.Amount, reference, now); err != nil {
			return nil, 0, fmt.Errorf("billing: %s of %s: %w", a.DeferredPaymentID, statementID, err)
		}
	}
	return done, rest, s.reevaluate(ctx, tx, m, statementID, now)
}

// snapshot is a statement in the log.
func (st Statement) snapshot() any {
	return struct {
		ID             string `json:"id"`
		BillingAccount string `json:"billing_account"`
		Number         string `json:"number"`
		Reference      string `json:"reference"`
		Status         string `json:"status"`
		Currency       string `json:"currency"`
		PeriodStart    string `json:"period_start"`
		PeriodEnd      string `json:"period_end"`
		DueDate        string `json:"due_date"`
		Totals
		AmountDue int64  `json:"amount_due"`
		Remaining int64  `json:"remaining_amount"`
		PDF       string `json:"pdf_sha256"`
		CSV       string `json:"csv_sha256"`
	}{
		st.ID, st.AccountID, st.Number, st.Reference(), st.Status, st.Currency, st.Period.Start.Format(time.DateOnly),
		st.Period.Last().Format(time.DateOnly), st.DueDate, st.Totals, st.AmountDue, st.Remaining, st.PDFHash, st.CSVHash,
	}
}

// carried are what the last statement asked for, with the lines of this one
// added: what this one asks for.
func carried(before []Item, lines []Line, orders map[string]string) []Item {
	at := map[string]int{}
	var out []Item
	for _, i := range before {
		i.DueDate, i.Paid = "", 0
		at[i.PaymentID] = len(out)
		out = append(out, i)
	}
	for _, l := range lines {
		i, ok := at[l.PaymentID]
		if !ok {
			i = len(out)
			at[l.PaymentID] = i
			out = append(out, Item{PaymentID: l.PaymentID, Number: l.Number, Order: orders[l.OrderID]})
		}
		out[i].Balance += l.Amount
	}
	return slices.DeleteFunc(out, func(i Item) bool { return i.Balance == 0 })
}
