package app

import (
	"context"

	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/ledger"
	"tradecredit/internal/merchant"
	"tradecredit/internal/payout"
)

// payMerchants lets payouts live from what happens to deferred payments.
func (a *App) payMerchants(s *services) {
	payouts := &payout.Service{}
	a.followers = append(a.followers, func(_ context.Context, tx *db.Tx, happened []deferred.Happening) error {
		payouts.Follow(tx, happened, a.clock.Now())
		return nil
	})
	s.documents.Added = payouts.Invoiced
	a.Queue.HandleDue(payout.PlanKind, payouts.Plan)
	a.Queue.HandleDue(payout.RunKind, payouts.RunDue)
}

// payouts verifies that every change of the merchant's deferred payments is an
// item once, that payouts are what their parts make, and that the ledger owes the
// merchant what was not paid out.
func (r *Report) payouts(ctx context.Context, tx *db.Tx, m merchant.Merchant) error {
	for after := ""; ; {
		page, err := deferred.After(ctx, tx, m.ID, after, 200)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			break
		}
		merchants, orders, payments := make([]string, len(page)), make([]string, len(page)), make([]string, len(page))
		for i, p := range page {
			merchants[i], orders[i], payments[i] = m.ID, p.OrderID, p.ID
		}
		sums, err := payout.SumsOfPayments(ctx, tx, merchants, orders, payments)
		if err != nil {
			return err
		}
		for _, p := range page {
			after = p.ID
			want := payout.Figure{Amount: p.ForMerchant(), Fees: p.MerchantFee()}
			if sums[p.ID] != want {
				r.problem("%s: its payout items sum to %+v, the merchant is owed %+v", p.ID, sums[p.ID], want)
			}
		}
	}
	problems, err := payout.Check(ctx, tx, m.ID)
	if err != nil {
		return err
	}
	r.Problems = append(r.Problems, problems...)
	return r.payable(ctx, tx, m)
}

// payable holds what is still to be paid out against the ledger.
func (r *Report) payable(ctx context.Context, tx *db.Tx, m merchant.Merchant) error {
	unpaid, err := payout.Unpaid(ctx, tx, m.ID)
	if err != nil {
		return err
	}
	booked, err := ledger.OfAccount(ctx, tx, m.ID, deferred.AccountMerchantPayable)
	if err != nil {
		return err
	}
	for currency, amount := range unpaid {
		booked[currency] += amount
	}
	for currency, off := range booked {
		if off != 0 {
			r.problem("%s: the ledger owes the merchant %d %s more or less than is still to be paid out", m.ID, off, currency)
		}
	}
	return nil
}
