package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"tradecredit/internal/app"
	"tradecredit/internal/db"
	"tradecredit/internal/repayment"
)

// bankCommand groups what is done with statements of the lender's account.
type bankCommand struct {
	Import    bankImportCommand `cmd:"" help:"Book the entries of account statements (camt.053)."`
	Unmatched unmatchedCommand  `cmd:"" help:"Decide about entries that nobody knows the purpose of."`
}

// collecting runs f with what can be done about repayments.
func (s storage) collecting(sys *system, f func(ctx context.Context, d *db.DB, r *repayment.Service) error) error {
	d, err := s.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	r, err := app.Collections(sys.ctx, s.config(), d, sys.clock, sys.log)
	if err != nil {
		return err
	}
	return f(sys.ctx, d, r)
}

type bankImportCommand struct {
	storage
	Files []string `arg:"" help:"Files of camt.053." type:"existingfile"`
	JSON  bool     `help:"Print one JSON object for each file."`
}

// Run implements the command. A file may be imported again.
func (c bankImportCommand) Run(sys *system) error {
	return c.collecting(sys, func(ctx context.Context, d *db.DB, r *repayment.Service) error {
		for _, name := range c.Files {
			f, err := os.Open(name)
			if err != nil {
				return err
			}
			out, err := r.Import(ctx, d, f)
			f.Close()
			if c.JSON {
				err = finish(err, json.NewEncoder(os.Stdout).Encode(out))
			} else {
				fmt.Printf("%s: %d entries, %d new: %d matched, %d unmatched\n", name, out.Entries, out.New, out.Matched, out.Unmatched)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if len(out.Problems) > 0 {
				return fmt.Errorf("%s: %s", name, strings.Join(out.Problems, "; "))
			}
		}
		return nil
	})
}

type unmatchedCommand struct {
	List   unmatchedListCommand   `cmd:"" default:"withargs" help:"List entries that nobody knows the purpose of, with suggestions."`
	Assign unmatchedAssignCommand `cmd:"" help:"Book an entry, or a part of it, for a deferred payment."`
	Refund unmatchedRefundCommand `cmd:"" help:"Send an entry back, with the next file of refunds."`
	Ignore unmatchedIgnoreCommand `cmd:"" help:"Take an entry off the list."`
}

// entryOut is how an entry is shown.
type entryOut struct {
	ID          string                 `json:"id"`
	Booked      string                 `json:"booked"`
	Credit      bool                   `json:"credit"`
	Amount      int64                  `json:"amount"`
	Open        int64                  `json:"open"`
	Currency    string                 `json:"currency"`
	Payer       string                 `json:"payer"`
	Account     string                 `json:"payer_account"`
	Text        string                 `json:"text"`
	Status      string                 `json:"status"`
	Suggestions []repayment.Suggestion `json:"suggestions"`
}

func shownEntry(e repayment.Entry, suggestions []repayment.Suggestion) entryOut {
	return entryOut{
		ID: e.ID, Booked: e.Booked, Credit: e.Credit, Amount: e.Amount, Open: e.Open, Currency: e.Currency, Payer: e.Payer.Name,
		Account: strings.TrimSpace(e.Payer.IBAN + e.Payer.SortCode + " " + e.Payer.AccountNumber), Text: e.Text, Status: e.Status, Suggestions: suggestions,
	}
}

func (o entryOut) print(asJSON bool) error {
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(o)
	}
	direction := "from"
	if !o.Credit {
		direction = "to"
	}
	fmt.Printf("%s  %s  %-9s  %d %s %s %s  %q\n", o.ID, o.Booked, o.Status, o.Open, o.Currency, direction, o.Payer, o.Text)
	for _, s := range o.Suggestions {
		fmt.Printf("    %s  outstanding %d %s: %s\n", s.Number, s.Outstanding, s.Currency, s.Why)
	}
	return nil
}

type unmatchedListCommand struct {
	storage
	JSON bool `help:"Print one JSON object a line."`
}

// Run implements the command.
func (c unmatchedListCommand) Run(sys *system) error {
	return c.collecting(sys, func(ctx context.Context, d *db.DB, r *repayment.Service) error {
		for after := ""; ; {
			var rows []entryOut
			err := d.Read(ctx, func(tx *db.Tx) error {
				rows = rows[:0]
				page, err := repayment.OpenEntries(ctx, tx, after, 200)
				if err != nil {
					return err
				}
				for _, e := range page {
					after = e.ID
					suggestions, err := r.Suggest(ctx, tx, e)
					if err != nil {
						return err
					}
					rows = append(rows, shownEntry(e, suggestions))
				}
				return nil
			})
			if err != nil || len(rows) == 0 {
				return err
			}
			for _, o := range rows {
				if err := o.print(c.JSON); err != nil {
					return err
				}
			}
		}
	})
}

type entryFlags struct {
	storage
	Entry string `arg:"" help:"The entry's id, as list shows it."`
	JSON  bool   `help:"Print JSON."`
}

// change decides about the entry and shows it then.
func (f entryFlags) change(sys *system, act func(ctx context.Context, tx *db.Tx, r *repayment.Service) error) error {
	var out entryOut
	err := f.collections(sys, func(ctx context.Context, tx *db.Tx, r *repayment.Service) error {
		if _, err := repayment.GetEntry(ctx, tx, f.Entry); errors.Is(err, db.ErrNoRows) {
			return fmt.Errorf("there is no entry %s", f.Entry)
		}
		if err := act(ctx, tx, r); err != nil {
			return err
		}
		e, err := repayment.GetEntry(ctx, tx, f.Entry)
		out = shownEntry(e, []repayment.Suggestion{})
		return err
	})
	if err != nil {
		return err
	}
	return out.print(f.JSON)
}

type unmatchedAssignCommand struct {
	entryFlags
	Payment string `arg:"" help:"Number of the deferred payment, such as P-7WR2-PR6S."`
	Amount  int64  `help:"Amount in minor units; all that is open when it is left out."`
}

// Run implements the command.
func (c unmatchedAssignCommand) Run(sys *system) error {
	return c.change(sys, func(ctx context.Context, tx *db.Tx, r *repayment.Service) error {
		merchantID, paymentID, err := repayment.ByNumber(ctx, tx, c.Payment)
		if errors.Is(err, db.ErrNoRows) {
			return fmt.Errorf("there is no deferred payment %s", c.Payment)
		}
		if err == nil {
			_, err = r.Assign(ctx, tx, c.Entry, merchantID, paymentID, c.Amount)
		}
		return err
	})
}

type unmatchedRefundCommand struct {
	entryFlags
	payeeFlags
}

// Run implements the command.
func (c unmatchedRefundCommand) Run(sys *system) error {
	return c.change(sys, func(ctx context.Context, tx *db.Tx, r *repayment.Service) error {
		_, err := r.SendBack(ctx, tx, c.Entry, c.payeeFlags.account())
		return err
	})
}

type unmatchedIgnoreCommand struct {
	entryFlags
	Reason string `help:"Why it is none of ours; it is kept." required:""`
}

// Run implements the command.
func (c unmatchedIgnoreCommand) Run(sys *system) error {
	return c.change(sys, func(ctx context.Context, tx *db.Tx, r *repayment.Service) error {
		_, err := r.Ignore(ctx, tx, c.Entry, c.Reason)
		return err
	})
}
