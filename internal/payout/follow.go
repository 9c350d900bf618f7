package payout

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"tradecredit/internal/calendar"
	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/event"
	"tradecredit/internal/job"
	"tradecredit/internal/merchant"
)

// The kinds of due rows. Their objects are a currency and a date, EUR/2026-11-26:
// a run never holds up whoever makes the items of the next one.
const (
	// PlanKind finds out, at the end of a day on which there were items, when they
	// are paid: whoever makes items does not read the merchant's settings.
	PlanKind = "payout.plan"
	// RunKind makes the payout of a merchant and currency.
	RunKind = "payout.run"
)

// Service makes payouts.
type Service struct {
	// Prefix begins the references of payouts; "" is TC.
	Prefix string
}

// Follow makes the items of changes, with the commit of tx and without reading
// anything. now is the real time.
func (s *Service) Follow(tx *db.Tx, happened []deferred.Happening, now time.Time) {
	var items []Item
	plans := map[string]job.Due{}
	offsets := map[string]time.Duration{}
	for _, h := range happened {
		i, ok := ItemOf(h)
		if !ok {
			continue
		}
		items = append(items, i)
		d := planned(i.MerchantID, i.Currency, h.Now)
		key := i.MerchantID + " " + d.ObjectID
		// The merchant's clock is ahead by whole seconds; what is left over is the
		// age of this transaction.
		plans[key], offsets[key] = d, h.Now.Sub(now).Round(time.Second)
	}
	if len(items) == 0 {
		return
	}
	addItems(tx, items)
	// In one order everywhere, so that no two transactions wait for each other.
	keys := make([]string, 0, len(plans))
	for key := range plans {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		job.ScheduleOnce(tx, plans[key], offsets[key])
	}
}

// planned is the due row that looks at the items of a day when it is over.
func planned(merchantID, currency string, now time.Time) job.Due {
	at := midnight(now).AddDate(0, 0, 1)
	return job.Due{MerchantID: merchantID, Kind: PlanKind, ObjectID: currency + "/" + at.Format(time.DateOnly), At: at}
}

func running(merchantID, currency string, at time.Time) job.Due {
	return job.Due{MerchantID: merchantID, Kind: RunKind, ObjectID: currency + "/" + at.Format(time.DateOnly), At: at}
}

// Plan is what is due after a day with items: the next run is scheduled. When it
// comes late, so does the run, but it is not left out.
func (s *Service) Plan(ctx context.Context, tx *db.Tx, d job.Due) error {
	m, err := merchant.Get(ctx, tx, d.MerchantID)
	if err != nil {
		return err
	}
	currency, _, _ := strings.Cut(d.ObjectID, "/")
	t, err := TimetableOf(ctx, tx, m, currency)
	if err != nil {
		return err
	}
	job.ScheduleOnce(tx, running(m.ID, currency, t.OnOrAfter(d.At)), m.Offset)
	return nil
}

// Replan looks again at when a merchant is paid, after its settings have changed.
func Replan(ctx context.Context, tx *db.Tx, m merchant.Merchant, now time.Time) error {
	currencies, err := db.All(ctx, tx, unpaidCurrencies, []any{m.ID}, func(r db.Rows) (c string, err error) {
		err = r.Scan(&c)
		return c, err
	})
	for _, c := range currencies {
		job.ScheduleOnce(tx, planned(m.ID, c, now), m.Offset)
	}
	return err
}

// TimetableOf is when a merchant is paid in a currency.
func TimetableOf(ctx context.Context, tx *db.Tx, m merchant.Merchant, currency string) (Timetable, error) {
	name := calendar.ForCurrency(currency, "")
	if name == "" {
		account, err := AccountOf(ctx, tx, m.ID, currency)
		if err != nil && !errors.Is(err, db.ErrNoRows) {
			return Timetable{}, err
		}
		name = calendar.ForCurrency(currency, account.Country)
	}
	days, err := calendar.Load(ctx, tx, name)
	return NewTimetable(m.Settings, days), err
}

// Invoiced is what follows from a new document of an order: with its invoice the
// items of the order need not wait any more. docType is the document's.
func (s *Service) Invoiced(_ context.Context, tx *db.Tx, merchantID, orderID, docType string, _ time.Time) error {
	if docType != "invoice" {
		return nil
	}
	// First the payment, whose row a capture under way holds: behind it the items
	// of that capture are there.
	deferred.SetInvoiced(tx, merchantID, orderID)
	tx.Queue(arrived, merchantID, orderID)
	return nil
}

// record appends an event about a payout to the log.
func record(tx *db.Tx, p Payout, eventID, what string, now time.Time) error {
	data, err := json.Marshal(struct {
		ID          string `json:"id"`
		Reference   string `json:"payout_reference_id"`
		Date        string `json:"payout_date"`
		State       State  `json:"state"`
		Currency    string `json:"currency"`
		Items       int64  `json:"amount_from_payout_items"`
		Adjustments int64  `json:"amount_from_adjustments"`
		Fees        int64  `json:"fees"`
		Withheld    int64  `json:"withheld_amount"`
		Amount      int64  `json:"amount"`
		Type        string `json:"type"`
	}{p.ID, p.Reference, p.Date.Format(time.DateOnly), p.State, p.Currency, p.ItemsAmount, p.AdjustmentsAmount, p.Fees,
		p.Withheld, p.Amount, p.Structure})
	event.Append(tx, event.Event{
		MerchantID: p.MerchantID, ID: eventID, Type: "payout." + what, ObjectID: p.ID, RootID: p.ID, Data: data, Created: now,
	})
	return err
}
