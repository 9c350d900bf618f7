package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
	"tradecredit/internal/money"
	"tradecredit/internal/payout"
)

// payoutsCommand groups what an operator does to pay merchants.
type payoutsCommand struct {
	List    payoutsListCommand    `cmd:"" help:"List the payouts of some days, or those that are not sent yet."`
	Show    payoutsShowCommand    `cmd:"" help:"Show a payout with its items and adjustments."`
	Sheet   payoutsSheetCommand   `cmd:"" help:"Write a payout as CSV or for Excel."`
	Run     payoutsRunCommand     `cmd:"" help:"Make the payouts that are due today. The workers make them by themselves on their day."`
	Adjust  payoutsAdjustCommand  `cmd:"" help:"Enter an adjustment for a merchant's next payout."`
	Account payoutsAccountCommand `cmd:"" help:"Show or set the account on which a merchant is paid."`
	Lender  payoutsLenderCommand  `cmd:"" name:"lender-account" help:"Show or set the account from which merchants are paid."`
	Export  payoutsExportCommand  `cmd:"" help:"Make the file for the bank of a day's payouts (pain.001), or the same file again."`
	Confirm payoutsConfirmCommand `cmd:"" help:"Read what the bank says about payouts: a status report (pain.002) or statements (camt.053)."`
	Reject  payoutsRejectCommand  `cmd:"" help:"Take back a payout that the bank has returned."`
}

// payoutOut is how a payout is shown.
type payoutOut struct {
	Merchant    string          `json:"merchant"`
	ID          string          `json:"id"`
	Reference   string          `json:"reference"`
	Date        string          `json:"date"`
	State       payout.State    `json:"state"`
	Amount      int64           `json:"amount"`
	Currency    string          `json:"currency"`
	Structure   string          `json:"type"`
	ItemsAmount int64           `json:"amount_from_payout_items"`
	Adjustments int64           `json:"amount_from_adjustments"`
	Fees        int64           `json:"fees"`
	Withheld    int64           `json:"withheld_amount"`
	Items       int64           `json:"items"`
	File        string          `json:"file,omitempty"`
	Reason      string          `json:"reason,omitempty"`
	Blocked     string          `json:"blocked,omitempty"`
	Lines       []payoutLineOut `json:"lines,omitempty"`
}

type payoutLineOut struct {
	ID       string `json:"id"`
	Type     string `json:"type"`
	Order    string `json:"order,omitempty"`
	UniqueID string `json:"order_unique_id,omitempty"`
	Date     string `json:"date"`
	Amount   int64  `json:"amount"`
	Fees     int64  `json:"fees"`
}

func newPayoutOut(p payout.Payout) payoutOut {
	return payoutOut{
		Merchant: p.MerchantID, ID: p.ID, Reference: p.Reference, Date: p.Date.Format(time.DateOnly), State: p.State,
		Amount: p.Amount, Currency: p.Currency, Structure: p.Structure, ItemsAmount: p.ItemsAmount, Adjustments: p.AdjustmentsAmount,
		Fees: p.Fees, Withheld: p.Withheld, Items: p.Count, File: p.FileID, Reason: p.Reason,
	}
}

func (p payoutOut) print(asJSON bool) error {
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(p)
	}
	line := fmt.Sprintf("%s  %s  %-8s %14s  %s  %s", p.Date, p.Reference, p.State, amount(p.Amount, p.Currency), p.Merchant, p.File)
	if p.Blocked != "" {
		line += "blocked: " + p.Blocked
	}
	fmt.Println(strings.TrimRight(line+p.Reason, " "))
	for _, l := range p.Lines {
		fmt.Printf("  %s  %-12s %14s  fees %s  %s\n", l.Date, l.Type, amount(l.Amount, p.Currency), amount(l.Fees, p.Currency), l.UniqueID)
	}
	return nil
}

// within runs f in a transaction of the database.
func (s storage) within(sys *system, f func(ctx context.Context, tx *db.Tx) error) error {
	d, err := s.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Write(sys.ctx, func(tx *db.Tx) error { return f(sys.ctx, tx) })
}

type payoutsListCommand struct {
	storage
	From    string `help:"The first day, as 2026-11-26."`
	To      string `help:"The last day."`
	Waiting bool   `help:"Only those that are not sent yet, of any day, and why."`
	JSON    bool   `help:"Print one JSON object a line."`
}

// Run implements the command.
func (c payoutsListCommand) Run(sys *system) error {
	var r payout.Range
	var err error
	if r.From, err = optionalDay("--from", c.From); err != nil {
		return err
	}
	if r.To, err = optionalDay("--to", c.To); err != nil {
		return err
	}
	const some = 10000
	var out []payoutOut
	err = c.within(sys, func(ctx context.Context, tx *db.Tx) error {
		out = nil
		if !c.Waiting {
			found, err := payout.ListDays(ctx, tx, r, some, 0)
			for _, p := range found {
				out = append(out, newPayoutOut(p))
			}
			return err
		}
		found, err := payout.Waiting(ctx, tx, some)
		if err != nil {
			return err
		}
		for _, p := range found {
			shown := newPayoutOut(p)
			if shown.Blocked, err = payout.WhyBlocked(ctx, tx, p); err != nil {
				return err
			}
			out = append(out, shown)
		}
		return nil
	})
	for _, p := range out {
		if err == nil {
			err = p.print(c.JSON)
		}
	}
	return err
}

// optionalDay reads a date that may be missing.
func optionalDay(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	day, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return day, fmt.Errorf("%s %q is no date like 2026-11-26", flag, text)
	}
	return day, nil
}

// referred finds the payout that a reference names.
func referred(ctx context.Context, tx *db.Tx, reference string) (payout.Payout, error) {
	p, err := payout.Find(ctx, tx, reference)
	if errors.Is(err, db.ErrNoRows) {
		err = fmt.Errorf("there is no payout %s", reference)
	}
	return p, err
}

type payoutsShowCommand struct {
	storage
	Reference string `arg:"" help:"The payout's reference, as TC-7WR2-PR6S."`
	JSON      bool   `help:"Print JSON."`
}

// Run implements the command.
func (c payoutsShowCommand) Run(sys *system) error {
	var out payoutOut
	err := c.within(sys, func(ctx context.Context, tx *db.Tx) error {
		p, err := referred(ctx, tx, c.Reference)
		if err != nil {
			return err
		}
		out = newPayoutOut(p)
		return payout.EachLine(ctx, tx, p, func(l payout.Line) error {
			out.Lines = append(out.Lines, payoutLineOut{
				ID: l.ID, Type: l.Type, Order: l.OrderID, UniqueID: l.OrderUniqueID, Date: l.Created.Format(time.DateOnly),
				Amount: l.Amount, Fees: l.Fees,
			})
			return nil
		})
	})
	if err != nil {
		return err
	}
	return out.print(c.JSON)
}

type payoutsSheetCommand struct {
	storage
	Reference string `arg:"" help:"The payout's reference."`
	Format    string `help:"csv or xlsx." enum:"csv,xlsx" default:"csv"`
	Out       string `help:"File to write; the standard output when missing." type:"path"`
}

// Run implements the command.
func (c payoutsSheetCommand) Run(sys *system) error {
	write := payout.WriteCSV
	if c.Format == "xlsx" {
		write = payout.WriteExcel
	}
	var text strings.Builder
	err := c.within(sys, func(ctx context.Context, tx *db.Tx) error {
		text.Reset()
		p, err := referred(ctx, tx, c.Reference)
		if err != nil {
			return err
		}
		return write(ctx, tx, p, &text)
	})
	if err != nil {
		return err
	}
	return output(c.Out, text.String())
}

// output writes a file, or to the standard output without a name.
func output(name, text string) error {
	if name == "" {
		_, err := io.WriteString(os.Stdout, text)
		return err
	}
	return os.WriteFile(name, []byte(text), 0o600)
}

type payoutsRunCommand struct {
	storage
	Merchant string `help:"Only this merchant."`
	JSON     bool   `help:"Print one JSON object a line."`
}

// Run implements the command. Each merchant is paid in a transaction of its own.
func (c payoutsRunCommand) Run(sys *system) error {
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	ids := []string{c.Merchant}
	if c.Merchant == "" {
		if ids, err = merchantIDs(sys.ctx, d); err != nil {
			return err
		}
	}
	service := &payout.Service{}
	for _, merchantID := range ids {
		var made []payout.Payout
		err := d.Write(sys.ctx, func(tx *db.Tx) error {
			m, err := merchant.Get(sys.ctx, tx, merchantID)
			if errors.Is(err, db.ErrNoRows) {
				return fmt.Errorf("there is no merchant %s", merchantID)
			}
			if err != nil {
				return err
			}
			made, err = service.RunNow(sys.ctx, tx, m, m.Now(sys.clock.Now()))
			return err
		})
		if err != nil {
			return err
		}
		for _, p := range made {
			if err := newPayoutOut(p).print(c.JSON); err != nil {
				return err
			}
		}
	}
	return nil
}

func merchantIDs(ctx context.Context, d *db.DB) (ids []string, err error) {
	for after := ""; ; {
		var page []merchant.Merchant
		err := d.Read(ctx, func(tx *db.Tx) (err error) {
			page, err = merchant.List(ctx, tx, after, 500)
			return err
		})
		if err != nil || len(page) == 0 {
			return ids, err
		}
		for _, m := range page {
			after = m.ID
			ids = append(ids, m.ID)
		}
	}
}

type payoutsAdjustCommand struct {
	storage
	Merchant  string `arg:"" help:"The merchant's id."`
	Type      string `help:"balancing_item, minimum_fee, credit_review_fee, fee_discount, fx_fee or other." required:""`
	NetAmount int64  `help:"Without tax, in minor units; below zero takes from the merchant." required:""`
	TaxRate   string `help:"In percent." default:"0.00"`
	Currency  string `help:"Currency of the payout." required:""`
	Note      string `help:"Kept with the adjustment."`
	JSON      bool   `help:"Print JSON."`
}

// Run implements the command.
func (c payoutsAdjustCommand) Run(sys *system) error {
	rate, err := money.ParsePercent(c.TaxRate)
	if err != nil {
		return err
	}
	a := payout.Adjustment{Type: c.Type, Currency: strings.ToUpper(c.Currency), NetAmount: c.NetAmount, TaxRate: rate, Note: c.Note}
	var made payout.Adjustment
	err = c.withMerchant(sys, c.Merchant, func(_ context.Context, tx *db.Tx, m merchant.Merchant) error {
		made, err = (&payout.Service{}).Adjust(tx, m, a, m.Now(sys.clock.Now()))
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{
			"id": made.ID, "merchant": made.MerchantID, "type": made.Type, "net_amount": made.NetAmount,
			"tax_rate": made.TaxRate, "amount": made.Amount, "currency": made.Currency, "note": made.Note,
		})
	}
	fmt.Printf("%s  %s  %s\n", made.ID, made.Type, amount(made.Amount, made.Currency))
	return nil
}
