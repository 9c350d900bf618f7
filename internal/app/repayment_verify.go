package app

import (
	"context"

	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/job"
	"tradecredit/internal/ledger"
	"tradecredit/internal/merchant"
	"tradecredit/internal/repayment"
)

// repayments verifies that every deferred payment of a merchant is repaid by what
// its repayments say, that what is not closed is looked at again, and that the
// credits of buyers are what the ledger owes them.
func (r *Report) repayments(ctx context.Context, tx *db.Tx, m merchant.Merchant) error {
	for after := ""; ; {
		page, err := deferred.After(ctx, tx, m.ID, after, 200)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		ids := make([]string, len(page))
		for i, p := range page {
			ids[i] = p.ID
			after = p.ID
		}
		paid, err := repayment.OfMany(ctx, tx, m.ID, ids)
		if err != nil {
			return err
		}
		states, err := repayment.StatesByID(ctx, tx, m.ID, ids)
		if err != nil {
			return err
		}
		due, err := job.Has(ctx, tx, m.ID, repayment.WakeKind, ids)
		if err != nil {
			return err
		}
		for _, p := range page {
			if got := repayment.Repaid(paid[p.ID]); got != p.Repaid {
				r.problem("%s: its repayments make %d, it says %d is repaid", p.ID, got, p.Repaid)
			}
			state, known := states[p.ID]
			// Nothing may be left to do about a late one but to wait for money, and a
			// closed one may have just been opened again by an overcapture.
			if known && p.Status.Active() && state.Status == repayment.StateOpen && !due[p.ID] {
				r.problem("%s: its repayment is %q, a look at it is planned: %t", p.ID, state.Status, due[p.ID])
			}
		}
	}
	return r.credits(ctx, tx, m)
}

// credits holds the credits of a merchant's buyers against the ledger.
func (r *Report) credits(ctx context.Context, tx *db.Tx, m merchant.Merchant) error {
	left := map[string]map[string]int64{}
	for after := ""; ; {
		page, err := repayment.Credits(ctx, tx, m.ID, after, 500)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		for _, c := range page {
			after = c.ID
			if left[c.OrganisationID] == nil {
				left[c.OrganisationID] = map[string]int64{}
			}
			left[c.OrganisationID][c.Currency] += c.Left()
		}
	}
	for organisation, amounts := range left {
		booked, err := ledger.OfAccount(ctx, tx, m.ID, repayment.AccountBuyerCredit(organisation))
		if err != nil {
			return err
		}
		for currency, amount := range amounts {
			if booked[currency] != -amount {
				r.problem("%s: the ledger owes %s %d %s, its credits say %d", m.ID, organisation, -booked[currency], currency, amount)
			}
		}
	}
	return nil
}

// unmatched holds the money whose purpose nobody knows against the ledger.
func (r *Report) unmatched(ctx context.Context, tx *db.Tx) error {
	unbalanced, err := ledger.Unbalanced(ctx, tx, "")
	if err != nil {
		return err
	}
	for _, t := range unbalanced {
		r.problem("ledger transaction %s of no merchant does not sum to zero", t)
	}
	open, err := repayment.OpenTotals(ctx, tx)
	if err != nil {
		return err
	}
	booked, err := ledger.OfAccount(ctx, tx, "", repayment.AccountUnmatched)
	if err != nil {
		return err
	}
	for currency, amount := range open {
		booked[currency] += amount
	}
	for currency, off := range booked {
		if off != 0 {
			r.problem("the ledger has %d %s more or less unmatched than the bank entries say", off, currency)
		}
	}
	return nil
}
