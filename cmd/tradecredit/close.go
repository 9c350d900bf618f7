package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"tradecredit/internal/closing"
	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
)

// closeCommand groups what an operator does with daily closes.
type closeCommand struct {
	Day    closeDayCommand    `cmd:"" default:"withargs" help:"Close a day: add up what is open, by merchant and currency, and hold it against the ledger."`
	Report closeReportCommand `cmd:"" help:"Print the figures of a day that was closed."`
}

type closeDayCommand struct {
	storage
	Date     string `help:"The day, as 2026-11-20; every merchant's last day that has ended when empty."`
	Merchant string `help:"Close the day of this merchant alone."`
	Again    bool   `help:"Close a day again that was closed before. It is not possible once the next day is closed."`
	JSON     bool   `help:"Print JSON."`
}

// Run implements the command. It goes on behind what an earlier one has stored, and
// fails when the ledger says something else than the books.
func (c closeDayCommand) Run(sys *system) error {
	r := closing.Request{At: sys.clock.Now(), MerchantID: c.Merchant, Again: c.Again}
	if c.Date != "" {
		var err error
		if r.Day, err = parseDay(c.Date); err != nil {
			return err
		}
	}
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	start := sys.clock.Now()
	var differing []closing.Out
	s := &closing.Service{DB: d, Clock: sys.clock}
	sum, err := s.Close(sys.ctx, r, func(p closing.Progress) {
		if p.Closed == nil {
			fmt.Fprintf(os.Stderr, "%s  %d payments read\n", p.MerchantID, p.Payments)
			return
		}
		fmt.Fprintf(os.Stderr, "%s  closed: %d payments, %d differences\n", p.MerchantID, p.Payments, p.Closed.Differences)
		if p.Closed.Differences > 0 {
			differing = append(differing, p.Closed.Out())
		}
	})
	if errors.Is(err, db.ErrNoRows) {
		return fmt.Errorf("there is no merchant %s", c.Merchant)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		err = json.NewEncoder(os.Stdout).Encode(struct {
			closing.Summary
			Differing []closing.Out `json:"differing,omitempty"`
		}{sum, differing})
	} else {
		fmt.Printf("%d merchants closed, %d before; %d open payments in %s, %d differences to the ledger.\n",
			sum.Merchants, sum.Already, sum.Payments, sys.clock.Now().Sub(start).Round(time.Millisecond), sum.Differences)
		printDifferences(differing)
	}
	if err == nil && sum.Differences > 0 {
		err = fmt.Errorf("the ledger says something else than the books about %d payments", sum.Differences)
	}
	return err
}

func printDifferences(of []closing.Out) {
	for _, m := range of {
		for _, f := range m.Figures {
			for _, x := range f.Differing {
				fmt.Printf("  %s  %s  books %d  ledger %d  %s\n", m.MerchantID, x.Object, x.Books, x.Ledger, f.Currency)
			}
			if left := f.Differences - int64(len(f.Differing)); left > 0 {
				fmt.Printf("  %s  and %d more in %s\n", m.MerchantID, left, f.Currency)
			}
		}
	}
}

type closeReportCommand struct {
	storage
	Date     string `help:"The day, as 2026-11-20; every merchant's last day that has ended when empty."`
	Merchant string `help:"Print the day of this merchant alone."`
	Format   string `help:"csv or json." enum:"csv,json" default:"csv"`
}

// Run implements the command. It prints one line for each merchant and currency,
// or one JSON object for each merchant. Merchants whose day is not closed are left
// out.
func (c closeReportCommand) Run(sys *system) error {
	var day time.Time
	if c.Date != "" {
		var err error
		if day, err = parseDay(c.Date); err != nil {
			return err
		}
	}
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	show, flush := closeCSV(os.Stdout)
	if c.Format == "json" {
		out := json.NewEncoder(os.Stdout)
		show, flush = func(o closing.Out) error { return out.Encode(o) }, func() error { return nil }
	}
	err = d.Read(sys.ctx, func(tx *db.Tx) error {
		for after := ""; ; {
			page, err := merchant.List(sys.ctx, tx, after, 100)
			if err != nil || len(page) == 0 {
				return err
			}
			for _, m := range page {
				after = m.ID
				if c.Merchant != "" && c.Merchant != m.ID {
					continue
				}
				of := day
				if of.IsZero() {
					of = closing.LastDay(m.Now(sys.clock.Now()))
				}
				found, err := closing.Get(sys.ctx, tx, m.ID, of)
				if errors.Is(err, db.ErrNoRows) {
					continue
				}
				if err == nil {
					err = show(found.Out())
				}
				if err != nil {
					return err
				}
			}
		}
	})
	return errors.Join(err, flush())
}

// closeColumns are the columns of the report, in the order in which they are read.
var closeColumns = []struct {
	name  string
	value func(f closing.Figures) int64
}{
	{"payments", func(f closing.Figures) int64 { return f.Payments }},
	{"late", func(f closing.Figures) int64 { return f.Late }},
	{"authorised", func(f closing.Figures) int64 { return f.Authorised }},
	{"protected_captures", func(f closing.Figures) int64 { return f.ProtectedCaptures }},
	{"unprotected_captures", func(f closing.Figures) int64 { return f.UnprotectedCaptures }},
	{"clawback", func(f closing.Figures) int64 { return f.Clawback }},
	{"owed", func(f closing.Figures) int64 { return f.Owed }},
	{"repaid", func(f closing.Figures) int64 { return f.Repaid }},
	{"written_off", func(f closing.Figures) int64 { return f.WrittenOff }},
	{"outstanding", func(f closing.Figures) int64 { return f.Outstanding }},
	{"overpaid", func(f closing.Figures) int64 { return f.Overpaid }},
	{"not_due", func(f closing.Figures) int64 { return f.Ages.NotDue.Amount }},
	{"overdue_1_30", func(f closing.Figures) int64 { return f.Ages.To30.Amount }},
	{"overdue_31_60", func(f closing.Figures) int64 { return f.Ages.To60.Amount }},
	{"overdue_61_90", func(f closing.Figures) int64 { return f.Ages.To90.Amount }},
	{"overdue_over_90", func(f closing.Figures) int64 { return f.Ages.More.Amount }},
	{"not_due_payments", func(f closing.Figures) int64 { return f.Ages.NotDue.Payments }},
	{"overdue_1_30_payments", func(f closing.Figures) int64 { return f.Ages.To30.Payments }},
	{"overdue_31_60_payments", func(f closing.Figures) int64 { return f.Ages.To60.Payments }},
	{"overdue_61_90_payments", func(f closing.Figures) int64 { return f.Ages.To90.Payments }},
	{"overdue_over_90_payments", func(f closing.Figures) int64 { return f.Ages.More.Payments }},
	{"exposure_protected", func(f closing.Figures) int64 { return f.ExposureProtected }},
	{"exposure_unprotected", func(f closing.Figures) int64 { return f.ExposureUnprotected }},
	{"settled", func(f closing.Figures) int64 { return f.Settled }},
	{"settled_payments", func(f closing.Figures) int64 { return f.SettledPayments }},
	{"ledger", func(f closing.Figures) int64 { return f.Ledger }},
	{"difference", func(f closing.Figures) int64 { return f.Difference }},
	{"differences", func(f closing.Figures) int64 { return f.Differences }},
}

// closeCSV writes closes as lines under a head.
func closeCSV(to io.Writer) (show func(closing.Out) error, flush func() error) {
	w := csv.NewWriter(to)
	head := []string{"merchant", "date", "closed_at", "sealed", "currency"}
	for _, c := range closeColumns {
		head = append(head, c.name)
	}
	err := w.Write(head)
	show = func(o closing.Out) error {
		for _, f := range o.Figures {
			line := []string{o.MerchantID, o.Date, o.ClosedAt.Format(time.RFC3339), strconv.FormatBool(o.Sealed), f.Currency}
			for _, c := range closeColumns {
				line = append(line, strconv.FormatInt(c.value(f), 10))
			}
			if err := w.Write(line); err != nil {
				return err
			}
		}
		return nil
	}
	return show, func() error {
		w.Flush()
		return errors.Join(err, w.Error())
	}
}
