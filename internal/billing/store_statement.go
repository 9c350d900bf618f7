package billing

import (
	"context"
	"encoding/json"

	"tradecredit/internal/db"
)

// Statements.
const (
	statementColumns = `s.id, s.billing_account_id, s.currency, s.period, s.status, s.number, s.due_date, s.opening, s.captures,
		s.refunds, s.fees, s.discounts, s.payments, s.adjustments, s.closing, s.amount_due, s.remaining, s.document, s.pdf_sha256,
		s.csv_sha256, s.created_at, s.closed_at, b.payment_terms, b.created_at`
	fromStatements = ` FROM statements s JOIN billing_accounts b ON b.merchant_id = s.merchant_id AND b.id = s.billing_account_id`

	// A statement is there from the first thing that happens in its period. Most
	// organisations have no billing account: for them this finds nothing.
	openStatements db.SQL = `INSERT INTO statements (merchant_id, id, billing_account_id, currency, period, status, number, due_date,
			opening, captures, refunds, fees, discounts, payments, adjustments, closing, amount_due, remaining, document,
			pdf_sha256, csv_sha256, created_at)
		SELECT u.m, u.i, b.id, u.c, b.period, 'open', '', '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{}', '', '', u.t
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) AS u(m, i, o, c, t)
		JOIN billing_account_organisations o ON o.merchant_id = u.m AND o.organisation_id = u.o
		JOIN billing_accounts b ON b.merchant_id = o.merchant_id AND b.id = o.billing_account_id
		WHERE o.active = TRUE ON CONFLICT DO NOTHING`
	insertLines db.SQL = `INSERT INTO statement_lines (merchant_id, event_id, kind, billing_account_id, organisation_id,
			deferred_payment_id, number, order_id, currency, amount, debt_before, debt_after, at, statement_id)
		SELECT u.m, u.e, u.k, o.billing_account_id, u.o, u.p, u.nr, u.od, u.c, u.a, u.db, u.da, u.t, ''
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
			$9::bigint[], $10::bigint[], $11::bigint[], $12::bigint[], $13::bigint[]) AS u(m, e, k, o, p, nr, od, c, a, db, da, t, pos)
		JOIN billing_account_organisations o ON o.merchant_id = u.m AND o.organisation_id = u.o
		WHERE o.active = TRUE ORDER BY u.pos`

	insertStatement db.SQL = `INSERT INTO statements (merchant_id, id, billing_account_id, currency, period, status, number, due_date,
			opening, captures, refunds, fees, discounts, payments, adjustments, closing, amount_due, remaining, document,
			pdf_sha256, csv_sha256, created_at)
		VALUES ($1, $2, $3, $4, $5, 'open', '', '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '{}', '', '', $6) ON CONFLICT DO NOTHING`
	deleteStatement db.SQL = `DELETE FROM statements WHERE merchant_id = $1 AND id = $2 AND status = 'open'`
	closeStatement  db.SQL = `UPDATE statements SET status = $3, number = $4, due_date = $5, opening = $6, captures = $7, refunds = $8,
			fees = $9, discounts = $10, payments = $11, adjustments = $12, closing = $13, amount_due = $14, remaining = $15,
			document = $16, pdf_sha256 = $17, csv_sha256 = $18, closed_at = $19
		WHERE merchant_id = $1 AND id = $2`
	updatePaid db.SQL = `UPDATE statements SET status = $3, remaining = $4 WHERE merchant_id = $1 AND id = $2`

	selectStatement db.SQL = `SELECT ` + statementColumns + fromStatements + ` WHERE s.merchant_id = $1 AND s.id = $2`
	holdStatement   db.SQL = selectStatement + ` FOR UPDATE OF s`
	// A number is in the text of a transfer to the lender's account, which says
	// nothing of merchants.
	statementNumbered db.SQL = `SELECT s.merchant_id, s.id FROM statements s WHERE s.number = $1 AND s.number <> ''`
	openOfAccount     db.SQL = `SELECT ` + statementColumns + fromStatements + `
		WHERE s.merchant_id = $1 AND s.billing_account_id = $2 AND s.status = 'open' ORDER BY s.currency`
	lastClosed db.SQL = `SELECT ` + statementColumns + fromStatements + `
		WHERE s.merchant_id = $1 AND s.billing_account_id = $2 AND s.currency = $3 AND s.period < $4
		ORDER BY s.period DESC LIMIT 1`
	ofAccount db.SQL = `SELECT ` + statementColumns + fromStatements + `
		WHERE s.merchant_id = $1 AND s.billing_account_id = $2 ORDER BY s.currency, s.period`

	countStatements db.SQL = `SELECT count(*) FROM statements s WHERE s.merchant_id = $1`
	countOfAccount  db.SQL = `SELECT count(*) FROM statements s
		WHERE s.merchant_id = $1 AND s.billing_account_id = $2 AND ($3 = '' OR s.status = $3)`
	countInStatus    db.SQL = `SELECT count(*) FROM statements s WHERE s.merchant_id = $1 AND s.status = $2`
	statementsNewest db.SQL = `SELECT ` + statementColumns + fromStatements + `
		WHERE s.merchant_id = $1 ORDER BY s.created_at DESC, s.id DESC LIMIT $2 OFFSET $3`
	statementsOldest db.SQL = `SELECT ` + statementColumns + fromStatements + `
		WHERE s.merchant_id = $1 ORDER BY s.created_at, s.id LIMIT $2 OFFSET $3`
	newestOfAccount db.SQL = `SELECT ` + statementColumns + fromStatements + `
		WHERE s.merchant_id = $1 AND s.billing_account_id = $2 AND ($3 = '' OR s.status = $3)
		ORDER BY s.created_at DESC, s.id DESC LIMIT $4 OFFSET $5`
	oldestOfAccount db.SQL = `SELECT ` + statementColumns + fromStatements + `
		WHERE s.merchant_id = $1 AND s.billing_account_id = $2 AND ($3 = '' OR s.status = $3)
		ORDER BY s.created_at, s.id LIMIT $4 OFFSET $5`
	newestInStatus db.SQL = `SELECT ` + statementColumns + fromStatements + `
		WHERE s.merchant_id = $1 AND s.status = $2 ORDER BY s.created_at DESC, s.id DESC LIMIT $3 OFFSET $4`
	oldestInStatus db.SQL = `SELECT ` + statementColumns + fromStatements + `
		WHERE s.merchant_id = $1 AND s.status = $2 ORDER BY s.created_at, s.id LIMIT $3 OFFSET $4`
)

func scanStatement(merchantID string) func(db.Rows) (Statement, error) {
	return func(r db.Rows) (Statement, error) {
		s := Statement{MerchantID: merchantID}
		var document, terms string
		var created, accountCreated int64
		var closed *int64
		err := r.Scan(&s.ID, &s.AccountID, &s.Currency, &s.Period.N, &s.Status, &s.Number, &s.DueDate, &s.Opening, &s.Captures,
			&s.Refunds, &s.Fees, &s.Discounts, &s.Payments, &s.Adjustments, &s.Closing, &s.AmountDue, &s.Remaining, &document, &s.PDFHash,
			&s.CSVHash, &created, &closed, &terms, &accountCreated)
		if err != nil {
			return s, err
		}
		s.Period, s.Created = PeriodOf(terms, db.Time(accountCreated), s.Period.N), db.Time(created)
		if closed != nil {
			at := db.Time(*closed)
			s.Closed = &at
		}
		return s, json.Unmarshal([]byte(document), &s.Document)
	}
}

func oneStatement(ctx context.Context, tx *db.Tx, q db.SQL, merchantID string, args ...any) (Statement, error) {
	return db.One(ctx, tx, q, append([]any{merchantID}, args...), scanStatement(merchantID))
}

func manyStatements(ctx context.Context, tx *db.Tx, q db.SQL, merchantID string, args ...any) ([]Statement, error) {
	return db.All(ctx, tx, q, append([]any{merchantID}, args...), scanStatement(merchantID))
}

// saveClosed stores a statement with all its figures.
func saveClosed(tx *db.Tx, s Statement) error {
	document, err := db.JSON(s.Document)
	if err != nil {
		return err
	}
	tx.Queue(closeStatement, s.MerchantID, s.ID, s.Status, s.Number, s.DueDate, s.Opening, s.Captures, s.Refunds, s.Fees,
		s.Discounts, s.Payments, s.Adjustments, s.Closing, s.AmountDue, s.Remaining, string(document), s.PDFHash, s.CSVHash, nullTime(s.Closed))
	return nil
}

// Lines and items.
const (
	lineColumns = `l.event_id, l.kind, l.billing_account_id, l.organisation_id, l.deferred_payment_id, l.number, l.order_id,
		l.currency, l.amount, l.debt_before, l.debt_after, l.at`

	assignLines db.SQL = `UPDATE statement_lines SET statement_id = $4
		WHERE merchant_id = $1 AND billing_account_id = $2 AND statement_id = '' AND currency = $3 AND at < $5`
	linesOf db.SQL = `SELECT ` + lineColumns + ` FROM statement_lines l
		WHERE l.merchant_id = $1 AND l.billing_account_id = $2 AND l.statement_id = $3 AND l.currency = $4 ORDER BY l.n`
	waitingCurrencies db.SQL = `SELECT DISTINCT currency FROM statement_lines
		WHERE merchant_id = $1 AND billing_account_id = $2 AND statement_id = '' ORDER BY currency`
	linesAfter db.SQL = `SELECT ` + lineColumns + `, l.n FROM statement_lines l
		WHERE l.merchant_id = $1 AND (l.deferred_payment_id, l.n) > ($2, $3)
		ORDER BY l.deferred_payment_id, l.n LIMIT $4`

	insertItems db.SQL = `INSERT INTO statement_items (merchant_id, statement_id, deferred_payment_id, number, order_reference,
			due_date, balance, paid)
		SELECT u.m, u.s, u.p, u.nr, u.od, u.due, u.b, 0
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[]) AS u(m, s, p, nr, od, due, b)`
	itemsOf db.SQL = `SELECT i.deferred_payment_id, i.number, i.order_reference, i.due_date, i.balance, i.paid
		FROM statement_items i WHERE i.merchant_id = $1 AND i.statement_id = $2 ORDER BY i.deferred_payment_id`
	// A debt stands on every statement until it is paid, and a payment pays it on
	// each.
	payItems db.SQL = `UPDATE statement_items SET paid = paid + $3 WHERE merchant_id = $1 AND deferred_payment_id = $2`
	claiming db.SQL = `SELECT statement_id FROM statement_items WHERE merchant_id = $1 AND deferred_payment_id = $2 ORDER BY statement_id`

	orderReferences db.SQL = `SELECT o.id, o.unique_id FROM unnest($1::text[], $2::text[]) AS u(m, i)
		JOIN orders o ON o.merchant_id = u.m AND o.id = u.i`
)

func scanLine(r db.Rows, more ...any) (Line, error) {
	var l Line
	var at int64
	err := r.Scan(append([]any{&l.EventID, &l.Kind, &l.AccountID, &l.OrganisationID, &l.PaymentID, &l.Number, &l.OrderID,
		&l.Currency, &l.Amount, &l.DebtBefore, &l.DebtAfter, &at}, more...)...)
	l.At = db.Time(at)
	return l, err
}

// readLines returns the lines of a statement in the order in which they happened.
func readLines(ctx context.Context, tx *db.Tx, s Statement) ([]Line, error) {
	statementID := s.ID
	if s.Status == StatusOpen {
		statementID = ""
	}
	return db.All(ctx, tx, linesOf, []any{s.MerchantID, s.AccountID, statementID, s.Currency}, func(r db.Rows) (Line, error) {
		return scanLine(r)
	})
}

func readItems(ctx context.Context, tx *db.Tx, merchantID, statementID string) ([]Item, error) {
	return db.All(ctx, tx, itemsOf, []any{merchantID, statementID}, func(r db.Rows) (i Item, err error) {
		err = r.Scan(&i.PaymentID, &i.Number, &i.Order, &i.DueDate, &i.Balance, &i.Paid)
		return i, err
	})
}

// addLines queues lines, each if its organisation has an account, and the
// statements they open. merchants has the merchant of each line.
func addLines(tx *db.Tx, merchants []string, lines []Line, ids func() string) {
	k := len(lines)
	events, kinds, organisations, payments := make([]string, k), make([]string, k), make([]string, k), make([]string, k)
	numbers, orders, currencies := make([]string, k), make([]string, k), make([]string, k)
	amounts, before, after, at, position := make([]int64, k), make([]int64, k), make([]int64, k), make([]int64, k), make([]int64, k)
	type opened struct{ merchant, organisation, currency string }
	seen := map[opened]bool{}
	var om, oi, oo, oc []string
	var ot []int64
	for i, l := range lines {
		events[i], kinds[i], organisations[i], payments[i] = l.EventID, l.Kind, l.OrganisationID, l.PaymentID
		numbers[i], orders[i], currencies[i] = l.Number, l.OrderID, l.Currency
		amounts[i], before[i], after[i], at[i], position[i] = l.Amount, l.DebtBefore, l.DebtAfter, db.Micros(l.At), int64(i)
		if o := (opened{merchants[i], l.OrganisationID, l.Currency}); !seen[o] {
			seen[o] = true
			om, oi, oo, oc, ot = append(om, o.merchant), append(oi, ids()), append(oo, o.organisation), append(oc, o.currency), append(ot, at[i])
		}
	}
	tx.QueueMany(insertLines, merchants, events, kinds, organisations, payments, numbers, orders, currencies, amounts, before, after, at, position)
	tx.QueueMany(openStatements, om, oi, oo, oc, ot)
}

func addItems(tx *db.Tx, s Statement, items []Item) {
	k := len(items)
	merchants, statements, payments := make([]string, k), make([]string, k), make([]string, k)
	numbers, orders, due, balances := make([]string, k), make([]string, k), make([]string, k), make([]int64, k)
	for i, it := range items {
		merchants[i], statements[i], payments[i] = s.MerchantID, s.ID, it.PaymentID
		numbers[i], orders[i], due[i], balances[i] = it.Number, it.Order, it.DueDate, it.Balance
	}
	if k > 0 {
		tx.QueueMany(insertItems, merchants, statements, payments, numbers, orders, due, balances)
	}
}

// references are the merchant's identifiers of orders.
func references(ctx context.Context, tx *db.Tx, merchantID string, orderIDs []string) (map[string]string, error) {
	out := map[string]string{}
	merchants, distinct := db.Distinct(merchantID, orderIDs)
	for _, args := range tx.Split(merchants, distinct) {
		found, err := db.All(ctx, tx, orderReferences, args, func(r db.Rows) (f [2]string, err error) {
			err = r.Scan(&f[0], &f[1])
			return f, err
		})
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			out[f[0]] = f[1]
		}
	}
	return out, nil
}
