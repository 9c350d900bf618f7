package payout

import (
	"context"
	"fmt"

	"tradecredit/internal/db"
	"tradecredit/internal/ledger"
)

// Check recomputes the payouts of a merchant from their items and adjustments,
// holds them against the ledger, and returns what does not fit.
func Check(ctx context.Context, tx *db.Tx, merchantID string) (problems []string, err error) {
	carried := map[string]int64{}
	mirrors := map[string]int64{}
	for after := ""; ; {
		page, err := db.All(ctx, tx, listAdjustments, []any{merchantID, after, 500}, scanAdjustment)
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			break
		}
		for _, a := range page {
			after = a.ID
			if a.CarriedBy != "" {
				carried[a.CarriedBy] += a.Amount
				mirrors[a.CarriedBy]++
			}
		}
	}
	for payoutID, sum := range carried {
		if sum != 0 || mirrors[payoutID] != 2 {
			problems = append(problems, fmt.Sprintf("%s: %d balances carried over sum to %d", payoutID, mirrors[payoutID], sum))
		}
	}
	for after := ""; ; {
		page, err := db.All(ctx, tx, payoutsAfter, []any{merchantID, after, 50}, scanPayout)
		if err != nil {
			return nil, err
		}
		if len(page) == 0 {
			return problems, nil
		}
		more, err := checkPage(ctx, tx, page)
		if err != nil {
			return nil, err
		}
		problems, after = append(problems, more...), page[len(page)-1].ID
	}
}

func checkPage(ctx context.Context, tx *db.Tx, payouts []Payout) (problems []string, err error) {
	var live []Payout
	for _, p := range payouts {
		if p.State != Returned {
			live = append(live, p)
		}
	}
	parts, err := PartsOf(ctx, tx, live)
	if err != nil {
		return nil, err
	}
	for _, p := range live {
		if got := recomputed(p, parts); got != p.Figures || int64(len(parts.Items[p.ID])) != p.Count {
			problems = append(problems, fmt.Sprintf("%s: %d items and %d adjustments make %+v, it says %+v of %d items",
				p.ID, len(parts.Items[p.ID]), len(parts.Adjustments[p.ID]), got, p.Figures, p.Count))
		}
	}
	for _, p := range payouts {
		booked, err := ledger.OfObject(ctx, tx, p.MerchantID, p.ID)
		if err != nil {
			return nil, err
		}
		for _, e := range Booked(p) {
			booked[e.Account] -= e.Amount
		}
		for account, off := range booked {
			if off != 0 {
				problems = append(problems, fmt.Sprintf("%s: the ledger is off by %d on %s", p.ID, off, account))
			}
		}
	}
	return problems, nil
}

// recomputed are the figures that the parts of a payout make. What was withheld
// is not a part of it and is taken as it is.
func recomputed(p Payout, parts Parts) Figures {
	f := Figures{Withheld: p.Withheld, ItemsAmount: p.Withheld}
	for _, i := range parts.Items[p.ID] {
		f.ItemsAmount, f.Fees = f.ItemsAmount+i.Amount, f.Fees+i.Fees
	}
	for _, a := range parts.Adjustments[p.ID] {
		f.AdjustmentsAmount += a.Amount
	}
	f.Amount = f.ItemsAmount + f.AdjustmentsAmount - f.Withheld
	if p.Structure == structureNetOfFees {
		f.Amount -= f.Fees
	}
	return f
}

// Unpaid is what a merchant is still to be paid, by currency: items of no payout,
// and adjustments that wait for one. It is what the ledger owes the merchant.
func Unpaid(ctx context.Context, tx *db.Tx, merchantID string) (map[string]int64, error) {
	sums, err := balances(ctx, tx, unpaidSums, merchantID)
	if err != nil {
		return nil, err
	}
	pending, err := balances(ctx, tx, pendingSums, merchantID)
	for currency, sum := range pending {
		sums[currency] += sum
	}
	return sums, err
}
