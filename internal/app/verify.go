package app

import (
	"context"
	"fmt"

	"tradecredit/internal/credit"
	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/event"
	"tradecredit/internal/ledger"
	"tradecredit/internal/merchant"
)

// Report is what Verify found.
type Report struct {
	Merchants        int      `json:"merchants"`
	DeferredPayments int      `json:"deferred_payments"`
	PostSaleEvents   int      `json:"post_sale_events"`
	Problems         []string `json:"problems"`
}

// Verify recomputes every figure from the events and the ledger entries, walks
// over every hash chain, and names every difference. It changes nothing, and it
// looks at one moment of the database, so that it may run while servers do.
func Verify(ctx context.Context, d *db.DB) (r Report, err error) {
	err = d.Snapshot(ctx, func(tx *db.Tx) error {
		r = Report{Problems: []string{}}
		return r.all(ctx, tx)
	})
	return r, err
}

// all verifies every merchant and then what companies have in use.
func (r *Report) all(ctx context.Context, tx *db.Tx) error {
	used := map[credit.Key]int64{}
	after := ""
	for {
		page, err := merchant.List(ctx, tx, after, 100)
		if err != nil {
			return err
		}
		if len(page) == 0 {
			if err := r.unmatched(ctx, tx); err != nil {
				return err
			}
			return r.exposures(ctx, tx, used)
		}
		for _, m := range page {
			after = m.ID
			r.Merchants++
			if err := r.merchant(ctx, tx, m, used); err != nil {
				return err
			}
		}
	}
}

func (r *Report) problem(format string, args ...any) {
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

// merchant verifies the chain, the ledger and the payments of one merchant.
func (r *Report) merchant(ctx context.Context, tx *db.Tx, m merchant.Merchant, used map[credit.Key]int64) error {
	if err := event.Verify(ctx, tx, m.ID); err != nil {
		r.problem("%s: %v", m.ID, err)
	}
	unbalanced, err := ledger.Unbalanced(ctx, tx, m.ID)
	if err != nil {
		return err
	}
	for _, t := range unbalanced {
		r.problem("%s: ledger transaction %s does not sum to zero", m.ID, t)
	}
	if err := r.billing(ctx, tx, m); err != nil {
		return err
	}
	if err := r.repayments(ctx, tx, m); err != nil {
		return err
	}
	if err := r.payouts(ctx, tx, m); err != nil {
		return err
	}
	after := ""
	for {
		page, err := deferred.After(ctx, tx, m.ID, after, 200)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, p := range page {
			if err := r.payment(ctx, tx, p); err != nil {
				return err
			}
			for limit, inUse := range p.Exposures() {
				used[limit] += inUse
			}
			after = p.ID
		}
	}
}

// payment holds a payment against its events and its ledger entries.
func (r *Report) payment(ctx context.Context, tx *db.Tx, p deferred.Payment) error {
	r.DeferredPayments++
	entries, err := deferred.Entries(ctx, tx, p.MerchantID, p.ID)
	if err != nil {
		return err
	}
	r.PostSaleEvents += len(entries)
	if err := deferred.CheckInvariants(p.State); err != nil {
		r.problem("%s: %v", p.ID, err)
	}
	events := make([]deferred.Event, len(entries))
	for i, e := range entries {
		events[i] = e.Event
		if e.N != int64(i+1) {
			r.problem("%s: event %s has the number %d, not %d", p.ID, e.ID, e.N, i+1)
		}
		if err := deferred.CheckEvent(e.Event); err != nil {
			r.problem("%s: event %s: %v", p.ID, e.ID, err)
		}
	}
	if int64(len(entries)) != p.EventCount {
		r.problem("%s: counts %d events and has %d", p.ID, p.EventCount, len(entries))
	}
	r.figures(p, events)
	booked, err := ledger.OfObject(ctx, tx, p.MerchantID, p.ID)
	if err != nil {
		return err
	}
	want := map[string]int64{}
	for _, e := range deferred.Booked(p) {
		want[e.Account] = e.Amount
	}
	for account, amount := range want {
		if booked[account] != amount {
			r.problem("%s: the ledger has %d on %s, the payment says %d", p.ID, booked[account], account, amount)
		}
	}
	for account, amount := range booked {
		if _, ok := want[account]; !ok && amount != 0 {
			r.problem("%s: the ledger has %d on %s, where nothing belongs", p.ID, amount, account)
		}
	}
	return nil
}

// figures recomputes a payment from its events.
func (r *Report) figures(p deferred.Payment, events []deferred.Event) {
	if len(events) == 0 {
		return
	}
	start, err := deferred.New(p.OrderTotal, p.ProtectedAmount, p.CustomerFeeSum, deferred.StatusAccepted)
	if err != nil {
		r.problem("%s: %v", p.ID, err)
		return
	}
	start.CustomerDiscountSum, start.MerchantFeeSum, start.Upfront = p.CustomerDiscountSum, p.MerchantFeeSum, p.Upfront
	start.Repaid, start.WrittenOff = p.Repaid, p.WrittenOff
	if got := deferred.Recompute(start, events); got != p.State {
		r.problem("%s: its events make %+v, it says %+v", p.ID, got, p.State)
	}
}

// exposures holds what companies have in use against their payments.
func (r *Report) exposures(ctx context.Context, tx *db.Tx, used map[credit.Key]int64) error {
	stored := map[credit.Key]int64{}
	if err := credit.List(ctx, tx, func(k credit.Key, inUse int64) { stored[k] = inUse }); err != nil {
		return err
	}
	for k, want := range used {
		if stored[k] != want {
			r.problem("%s has %d %s in use%s, its deferred payments say %d", k.CompanyID, stored[k], k.Currency, of(k), want)
		}
	}
	for k, inUse := range stored {
		if _, ok := used[k]; !ok && inUse != 0 {
			r.problem("%s has %d %s in use%s, and no deferred payment", k.CompanyID, inUse, k.Currency, of(k))
		}
	}
	return nil
}

// of names the limit of an exposure, when it is a merchant's own.
func of(k credit.Key) string {
	if k.MerchantID == "" {
		return ""
	}
	return " of the limit of " + k.MerchantID
}
