package bnpl_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"tradecredit/internal/app/apptest"
	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
	"tradecredit/internal/money"
	"tradecredit/internal/payout"
)

// payoutPath and payoutItems are the lists.
const payoutPath, payoutItems = "/v1/payment/payouts", "/v1/payment/payout_items"

// paidOut is what these tests look at of payouts and items.
type paidOut struct {
	ID        string
	Reference string `json:"payout_reference_id"`
	Date      string `json:"payout_date"`
	Items     int64  `json:"amount_from_payout_items"`
	Adjusted  int64  `json:"amount_from_adjustments"`
	Fees      int64
	Type      string
	Amount    int64
	Minimum   struct {
		Fixed, Relative, Actual int64
		Withheld                int64 `json:"withheld_amount"`
	} `json:"min_balance"`
	Parts       []paidItem `json:"items"`
	Adjustments []struct {
		Type   string
		Amount int64
	}
}

type paidItem struct {
	ID, Type, Status string
	Payout           *string
	Created          string  `json:"creation_date"`
	Earliest         string  `json:"earliest_payout_date"`
	Paid             *string `json:"actual_payout_date"`
	Amount, Fees     int64
	Net              int64 `json:"amount_net_of_fees"`
}

func payoutsOf(shop *apptest.Shop, query string) []paidOut {
	var list struct {
		Count   int
		Results []paidOut
	}
	shop.Do("GET", payoutPath+query, nil).WantStatus(200).Decode(&list)
	return list.Results
}

func itemsOf(shop *apptest.Shop, query string) []paidItem {
	var list struct{ Results []paidItem }
	shop.Do("GET", payoutItems+query, nil).WantStatus(200).Decode(&list)
	return list.Results
}

// orderOf is the order of a deferred payment.
func orderOf(shop *apptest.Shop, payment string) string {
	return shop.Do("GET", apptest.PaymentPath(payment), nil).WantStatus(200).Text("order")
}

// invoiced is what the upload of an order's invoice brings about.
func invoiced(t *testing.T, s *apptest.Server, shop *apptest.Shop, order string) {
	t.Helper()
	ctx := context.Background()
	err := s.DB.Write(ctx, func(tx *db.Tx) error {
		return (&payout.Service{}).Invoiced(ctx, tx, shop.Merchant.ID, order, "invoice", s.Clock.Now())
	})
	if err != nil {
		t.Fatal(err)
	}
}

// post makes a post-sale event.
func post(shop *apptest.Shop, payment, action string, amount int64) {
	shop.Do("POST", apptest.PaymentPath(payment)+"/"+action, map[string]any{
		"amount": amount, "metadata": map[string]string{"reference": "=batch 7"},
	}).WantStatus(201)
}

// TestPayout follows a sale from the capture to the payout on Thursday. The clock
// stands at Monday, 2 March 2026.
func TestPayout(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		first, second := shop.Payment(12000), shop.Payment(5000)
		order := orderOf(shop, first)
		post(shop, first, "capture", 10000)
		post(shop, first, "refund", 1000)
		post(shop, second, "capture", 5000)
		items := itemsOf(shop, "?order_id="+order)
		if len(items) != 2 || items[0].Type != "return" || items[1].Type != "fulfillment" || items[1].Status != "awaiting_document" {
			t.Fatalf("items %+v", items)
		}
		invoiced(t, s, shop, order)
		shop.Do("GET", payoutItems+"/"+items[1].ID, nil).Want(200, `{
			"url": "https://api.example/v1/payment/payout_items/`+items[1].ID+`", "id": "`+items[1].ID+`", "type": "fulfillment",
			"payout": null, "deferred_payment": "`+first+`", "order": "`+order+`", "status": "scheduled",
			"creation_date": "2026-03-02", "earliest_payout_date": "2026-03-05", "actual_payout_date": null,
			"amount": 10000, "fees": `+fmt.Sprint(items[1].Fees)+`, "amount_net_of_fees": `+fmt.Sprint(10000-items[1].Fees)+`, "currency": "GBP"}`)
		if got := payoutsOf(shop, ""); len(got) != 0 {
			t.Fatalf("paid before Thursday: %+v", got)
		}
		s.Clean()
		if ran := shop.Advance(7 * apptest.Day); ran["payout.plan"] != 1 || ran["payout.run"] != 1 {
			t.Errorf("ran %v", ran)
		}
		got := payoutsOf(shop, "")
		if len(got) != 1 {
			t.Fatalf("payouts %+v", got)
		}
		p := got[0]
		fees := items[0].Fees + items[1].Fees
		if p.Date != "2026-03-05" || p.Items != 9000 || p.Fees != fees || p.Type != "net_of_fees" || p.Amount != 9000-fees || len(p.Parts) != 2 {
			t.Errorf("payout %+v", p)
		}
		paid := itemsOf(shop, "?order_id="+order)[1]
		if paid.Status != "paid" || paid.Payout == nil || *paid.Payout != p.ID || *paid.Paid != "2026-03-05" || paid.Earliest != "2026-03-05" {
			t.Errorf("item %+v", paid)
		}
		// The other one waits for its invoice, and is paid a week after it came.
		if waits := itemsOf(shop, "?order_id="+orderOf(shop, second))[0]; waits.Status != "awaiting_document" {
			t.Errorf("without an invoice: %+v", waits)
		}
		invoiced(t, s, shop, orderOf(shop, second))
		shop.Advance(7 * apptest.Day)
		if got := payoutsOf(shop, ""); len(got) != 2 || got[0].Date != "2026-03-12" || got[0].Items != 5000 {
			t.Errorf("the second: %+v", got)
		}
		s.Clean()
		if ran := shop.Advance(60 * apptest.Day); ran["payout.run"] != 0 {
			t.Errorf("with nothing to pay: %v", ran)
		}
		if p.Reference != payoutsOf(shop, "?ordering=created")[0].Reference {
			t.Error("the oldest is not first")
		}
		filters(t, shop, p)
		sheets(t, shop, p)
	})
}

// filters narrows the lists by what the reference has.
func filters(t *testing.T, shop *apptest.Shop, p paidOut) {
	for query, want := range map[string]int{
		"?payout_reference_id=" + p.Reference: 1, "?payout_reference_id=TC-NONE": 0,
		"?start_date=2026-03-05": 2, "?start_date=2026-03-06": 1, "?end_date=2026-03-05": 1, "?end_date=3/4/2026": 0,
		"?start_date=2026-03-05&end_date=2026-03-05&payout_reference_id=" + p.Reference: 1,
	} {
		if got := payoutsOf(shop, query); len(got) != want {
			t.Errorf("%s: %d payouts", query, len(got))
		}
	}
	order := orderOf(shop, shop.Payment(100))
	for query, want := range map[string]int{
		"?start_date=2026-03-05": 3, "?end_date=2026-03-05": 2, "?start_date=2026-03-13": 0, "?order_id=order-none": 0,
		"?order_unique_id=none": 0, "?order_id=" + order: 0, "": 3,
	} {
		if got := itemsOf(shop, query); len(got) != want {
			t.Errorf("%s: %d items", query, len(got))
		}
	}
	var expanded struct {
		Results []struct {
			Order   struct{ ID string }
			Payment struct{ Status string } `json:"deferred_payment"`
		}
	}
	shop.Do("GET", payoutItems+"?expand=order,deferred_payment", nil).WantStatus(200).Decode(&expanded)
	if len(expanded.Results) != 3 || expanded.Results[2].Order.ID == "" || expanded.Results[2].Payment.Status != "captured" {
		t.Errorf("expanded %+v", expanded)
	}
	const invalid = `["Enter a valid date."]`
	shop.Do("GET", payoutPath+"?start_date=soon&end_date=2026-02-30", nil).Want(400, `{"start_date": `+invalid+`, "end_date": `+invalid+`}`)
	shop.Do("GET", payoutPath+"/po-none", nil).Want(404, `{"detail": "Not found."}`)
	shop.Do("GET", payoutItems+"/poitm-none", nil).Want(404, `{"detail": "Not found."}`)
	shop.Do("GET", payoutPath+"/po-none/export.csv", nil).Want(404, `{"detail": "Not found."}`)
	other := shop.Server.Shop(apptest.Buyer{})
	if len(payoutsOf(other, "")) != 0 || len(itemsOf(other, "")) != 0 {
		t.Error("another merchant sees them")
	}
	other.Do("GET", payoutPath+"/"+p.ID, nil).WantStatus(404)
}

// sheets downloads a payout both ways.
func sheets(t *testing.T, shop *apptest.Shop, p paidOut) {
	answer := shop.Do("GET", payoutPath+"/"+p.ID+"/export.csv", nil).WantStatus(200)
	rows, err := csv.NewReader(bytes.NewReader(answer.Body)).ReadAll()
	if err != nil || len(rows) != 4 || answer.Header.Get("Content-Type") != "text/csv" {
		t.Fatalf("%v: %q", err, answer.Body)
	}
	if !strings.HasPrefix(rows[1][5], "order 1 of") || rows[1][8] != "10000" || rows[1][12] != `{"reference":"=batch 7"}` ||
		rows[3][3] != "total" || rows[3][10] != fmt.Sprint(p.Amount) {
		t.Errorf("%q", rows)
	}
	answer = shop.Do("GET", payoutPath+"/"+p.ID+"/export.xlsx", nil).WantStatus(200)
	book, err := excelize.OpenReader(bytes.NewReader(answer.Body))
	if err != nil {
		t.Fatal(err)
	}
	excel, err := book.GetRows("Payout")
	if err != nil {
		t.Fatal(err)
	}
	for n := range excel {
		for len(excel[n]) < len(rows[n]) {
			excel[n] = append(excel[n], "")
		}
	}
	if diff := cmp.Diff(rows, excel); diff != "" {
		t.Error(diff)
	}
}

// TestPayoutBelowZero: what a merchant owes is carried over.
func TestPayoutBelowZero(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		shop.Set(map[string]any{"invoice_required": false, "payout_weekday": "tuesday", "payout_structure": "gross_of_fees"})
		payment := shop.Payment(10000)
		post(shop, payment, "capture", 10000)
		shop.Advance(7 * apptest.Day)
		shop.Do("POST", "/v1/sandbox/deferred_payments/"+payment+"/clawback", map[string]any{"amount": 4000}).WantStatus(201)
		s.Clean()
		shop.Advance(7 * apptest.Day)
		got := payoutsOf(shop, "")
		if len(got) != 2 || got[1].Amount != 10000 || got[0].Amount != 0 || got[0].Items != -4000 || got[0].Adjusted != 4000 ||
			got[0].Parts[0].Type != "reversal" || got[0].Adjustments[0].Type != payout.CarriedToNext {
			t.Fatalf("payouts %+v", got)
		}
		s.Clean()
		// With nothing to take it from, it waits.
		shop.Advance(30 * apptest.Day)
		if len(payoutsOf(shop, "")) != 2 {
			t.Error("an empty payout")
		}
		next := shop.Payment(5000)
		post(shop, next, "capture", 5000)
		shop.Advance(7 * apptest.Day)
		if p := payoutsOf(shop, "")[0]; p.Amount != 1000 || p.Adjusted != -4000 || p.Adjustments[0].Type != payout.CarriedFromLast {
			t.Errorf("the next: %+v", p)
		}
		s.Clean()
	})
}

// TestPayoutMinimumBalance: the newest items are withheld, and paid once others
// are there to be withheld instead.
func TestPayoutMinimumBalance(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		shop.Set(map[string]any{"invoice_required": false, "minimum_balance": map[string]any{"fixed": 100, "relative": "10.00"}})
		payment := shop.Payment(20000)
		for _, amount := range []int64{4000, 3000, 2000, 1000} {
			post(shop, payment, "capture", amount)
		}
		shop.Advance(7 * apptest.Day)
		p := payoutsOf(shop, "")[0]
		if p.Minimum.Fixed != 100 || p.Minimum.Actual != p.Minimum.Relative || p.Minimum.Relative < 1000 || p.Items != 10000 ||
			p.Amount != p.Items-p.Fees-p.Minimum.Withheld || p.Minimum.Withheld < p.Minimum.Actual || len(p.Parts) == 4 {
			t.Errorf("payout %+v", p)
		}
		s.Clean()
		shop.Set(map[string]any{"minimum_balance": map[string]any{"fixed": 0, "relative": "0.00"}})
		shop.Advance(7 * apptest.Day)
		if rest := payoutsOf(shop, "")[0]; rest.Items != p.Minimum.Withheld || rest.Minimum.Withheld != 0 {
			t.Errorf("the rest: %+v", rest)
		}
		s.Clean()
	})
}

// TestAdjustedWhileItRuns enters adjustments while payouts are made: each is part of
// one payout, or of the next, and never of none.
func TestAdjustedWhileItRuns(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		shop.Set(map[string]any{"invoice_required": false})
		ctx := context.Background()
		write := func(do func(tx *db.Tx, m merchant.Merchant) error) {
			err := s.DB.Write(ctx, func(tx *db.Tx) error {
				m, err := merchant.Get(ctx, tx, shop.Merchant.ID)
				if err != nil {
					return err
				}
				return do(tx, m)
			})
			if err != nil {
				t.Error(err)
			}
		}
		payouts := &payout.Service{}
		adjust := func() {
			write(func(tx *db.Tx, m merchant.Merchant) error {
				a := payout.Adjustment{Type: payout.FeeDiscount, Currency: "GBP", NetAmount: 1, TaxRate: money.MustPercent("0")}
				_, err := payouts.Adjust(tx, m, a, m.Now(s.Clock.Now()))
				return err
			})
		}
		adjust()
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 10 {
					adjust()
				}
			})
		}
		all.Go(func() {
			write(func(tx *db.Tx, m merchant.Merchant) error {
				_, err := payouts.RunNow(ctx, tx, m, m.Now(s.Clock.Now()))
				return err
			})
		})
		all.Wait()
		s.Clean()
		shop.Advance(7 * apptest.Day)
		var sum int64
		for _, p := range payoutsOf(shop, "") {
			sum += p.Amount
		}
		if sum != 41 {
			t.Errorf("%d were paid, want 41", sum)
		}
		s.Clean()
	})
}

// TestPayoutAdjustments: what an operator enters is part of the next payout.
func TestPayoutAdjustments(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		ctx := context.Background()
		err := s.DB.Write(ctx, func(tx *db.Tx) error {
			m, err := merchant.Get(ctx, tx, shop.Merchant.ID)
			if err != nil {
				return err
			}
			a := payout.Adjustment{Type: payout.FeeDiscount, Currency: "GBP", NetAmount: 400, TaxRate: money.MustPercent("25")}
			_, err = (&payout.Service{}).Adjust(tx, m, a, m.Now(s.Clock.Now()))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Clean()
		shop.Advance(7 * apptest.Day)
		p := payoutsOf(shop, "")[0]
		if p.Amount != 500 || p.Adjusted != 500 || len(p.Parts) != 0 {
			t.Errorf("payout %+v", p)
		}
		var body struct{ Adjustments []map[string]any }
		shop.Do("GET", payoutPath+"/"+p.ID, nil).WantStatus(200).Decode(&body)
		delete(body.Adjustments[0], "id")
		want := map[string]any{"type": "fee_discount", "net_amount": 400.0, "tax_rate": "25.00", "amount": 500.0, "currency": "GBP"}
		if diff := cmp.Diff(want, body.Adjustments[0]); diff != "" {
			t.Error(diff)
		}
		s.Clean()
	})
}

// TestPayoutRunsByItself: the workers pay without anybody moving a clock.
func TestPayoutRunsByItself(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		shop.Set(map[string]any{"invoice_required": false})
		post(shop, shop.Payment(700), "capture", 700)
		// The run of Thursday comes late, on Saturday, so it pays on Monday.
		s.Clock.Advance(5 * 24 * time.Hour)
		s.App.Queue.Wake()
		apptest.Eventually(t, func() error {
			if got := payoutsOf(shop, ""); len(got) != 1 || got[0].Date != "2026-03-09" {
				return fmt.Errorf("payouts %+v", got)
			}
			return nil
		})
		s.Clean()
	})
}

// TestPayoutOfSettlements: what the buyer pays of an amount that was clawed back is
// the merchant's, and is taken back when the bank takes it back.
func TestPayoutOfSettlements(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		shop.Set(map[string]any{"invoice_required": false})
		payment := shop.Payment(1000)
		post(shop, payment, "capture", 1000)
		const control = "/v1/sandbox/deferred_payments/"
		shop.Do("POST", control+payment+"/clawback", map[string]any{"amount": 400}).WantStatus(201)
		repayment := shop.Do("POST", control+payment+"/repayments", map[string]any{"amount": 1000, "outcome": "settled"}).WantStatus(201).ID()
		shop.Do("POST", control+payment+"/repayments/"+repayment+"/return", map[string]any{}).WantStatus(200)
		type part struct {
			Type   string
			Amount int64
		}
		var got []part
		for _, i := range itemsOf(shop, "?ordering=created") {
			got = append(got, part{i.Type, i.Amount})
		}
		want := []part{{"fulfillment", 1000}, {"reversal", -400}, {"settlement", 400}, {"chargeback", -400}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		s.Clean()
		shop.Advance(4 * apptest.Day)
		if p := payoutsOf(shop, "")[0]; p.Items != 600 {
			t.Errorf("payout %+v", p)
		}
		s.Clean()
	})
}
