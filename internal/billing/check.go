package billing

import (
	"context"
	"errors"
	"fmt"

	"tradecredit/internal/db"
)

// Check holds the statements of a merchant against their lines, and the lines
// against the debts of the deferred payments, and names every difference. debt
// tells what is owed of a deferred payment now.
func Check(ctx context.Context, tx *db.Tx, merchantID string, debt func(paymentID string) (int64, error)) ([]string, error) {
	var problems []string
	after := ""
	for {
		page, err := manyAccounts(ctx, tx, accountsAfter, merchantID, after, 100)
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			break
		}
		for _, a := range page {
			after = a.ID
			found, err := checkAccount(ctx, tx, a)
			if err != nil {
				return nil, err
			}
			problems = append(problems, found...)
		}
	}
	if after == "" {
		return nil, nil
	}
	found, err := checkLines(ctx, tx, merchantID, debt)
	return append(problems, found...), err
}

// checkAccount walks over the statements of an account: each begins where the one
// before it ended, and its lines and its items make its closing balance.
func checkAccount(ctx context.Context, tx *db.Tx, a Account) (problems []string, err error) {
	all, err := manyStatements(ctx, tx, ofAccount, a.MerchantID, a.ID)
	if err != nil {
		return nil, err
	}
	last := map[string]int64{}
	for _, s := range all {
		if s.Status == StatusOpen {
			continue
		}
		report := func(format string, args ...any) {
			problems = append(problems, fmt.Sprintf("%s: ", s.ID)+fmt.Sprintf(format, args...))
		}
		lines, err := readLines(ctx, tx, s)
		if err != nil {
			return nil, err
		}
		if s.Opening != last[s.Currency] {
			report("opens with %d, the statement before closed with %d", s.Opening, last[s.Currency])
		}
		last[s.Currency] = s.Closing
		if want, err := Sum(s.Opening, kinds(lines)); err != nil || want != s.Totals {
			report("its lines make %+v, it says %+v", want, s.Totals)
		}
		items, err := readItems(ctx, tx, a.MerchantID, s.ID)
		if err != nil {
			return nil, err
		}
		var sum, due int64
		for _, i := range items {
			sum, due = sum+i.Balance, due+max(0, i.Balance)
		}
		if sum != s.Closing || due != s.AmountDue {
			report("its items make %d and ask for %d, it says %d and %d", sum, due, s.Closing, s.AmountDue)
		}
	}
	return problems, nil
}

// debtOf follows the lines of one deferred payment.
type debtOf struct {
	payment, account, event, organisation string
	// sum is what the lines of the event make so far.
	sum           int64
	before, after int64
}

// checkLines walks over the lines of every deferred payment: the lines of an event
// sum to what it changed, each event begins where the one before it ended, and the
// last one ends at what is owed now if the account still follows the organisation.
func checkLines(ctx context.Context, tx *db.Tx, merchantID string, debt func(string) (int64, error)) (problems []string, err error) {
	var d debtOf
	report := func(format string, args ...any) {
		problems = append(problems, fmt.Sprintf("%s: ", d.payment)+fmt.Sprintf(format, args...))
	}
	settle := func() {
		if d.event != "" && d.sum != d.after-d.before {
			report("the lines of %s sum to %d, it changed the debt by %d", d.event, d.sum, d.after-d.before)
		}
	}
	finish := func() error {
		settle()
		if d.payment == "" {
			return nil
		}
		follows, err := db.One(ctx, tx, followed, []any{merchantID, d.organisation}, func(r db.Rows) (accountID string, err error) {
			err = r.Scan(&accountID)
			return accountID, err
		})
		if errors.Is(err, db.ErrNoRows) || err == nil && follows != d.account {
			return nil
		}
		if err != nil {
			return err
		}
		now, err := debt(d.payment)
		if err == nil && now != d.after {
			report("its lines leave a debt of %d, it says %d", d.after, now)
		}
		return err
	}
	payment, n := "", int64(0)
	for {
		page, err := db.All(ctx, tx, linesAfter, []any{merchantID, payment, n, 1000}, func(r db.Rows) (Line, error) { return scanLine(r, &n) })
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			return problems, finish()
		}
		for _, l := range page {
			payment = l.PaymentID
			switch {
			case l.PaymentID != d.payment:
				if err := finish(); err != nil {
					return nil, err
				}
			case l.EventID != d.event:
				settle()
				if l.AccountID == d.account && l.DebtBefore != d.after {
					report("%s begins with a debt of %d, %s left %d", l.EventID, l.DebtBefore, d.event, d.after)
				}
			default:
				d.sum += l.Amount
				continue
			}
			d = debtOf{l.PaymentID, l.AccountID, l.EventID, l.OrganisationID, l.Amount, l.DebtBefore, l.DebtAfter}
		}
	}
}
