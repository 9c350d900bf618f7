package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"tradecredit/internal/bankfile"
	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
	"tradecredit/internal/payout"
)

// accountFlags describe an account. Without a holder it is shown.
type accountFlags struct {
	Currency      string `help:"Currency that is paid from or to the account." required:""`
	Holder        string `help:"Name of the account's holder. Without it the account is shown."`
	IBAN          string `name:"iban" help:"IBAN; for euros there must be one."`
	BIC           string `name:"bic" help:"BIC; optional."`
	SortCode      string `help:"British sort code, instead of an IBAN."`
	AccountNumber string `help:"British account number."`
	Country       string `help:"Country of the bank, where the IBAN does not say it. It decides on business days."`
	JSON          bool   `help:"Print JSON."`
}

func (f accountFlags) account() payout.Account {
	return payout.Account{Currency: strings.ToUpper(f.Currency), Country: f.Country, Account: bankfile.Account{
		Name: f.Holder, IBAN: f.IBAN, BIC: f.BIC, SortCode: f.SortCode, AccountNumber: f.AccountNumber,
	}}
}

func (f accountFlags) print(a payout.Account) error {
	if f.JSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]string{
			"currency": a.Currency, "country": a.Country, "holder": a.Name, "iban": a.IBAN, "bic": a.BIC,
			"sort_code": a.SortCode, "account_number": a.AccountNumber,
		})
	}
	parts := []string{a.Currency, a.Name, a.IBAN, a.BIC, a.SortCode, a.AccountNumber, a.Country}
	fmt.Println(strings.Join(strings.Fields(strings.Join(parts, " ")), " "))
	return nil
}

type payoutsAccountCommand struct {
	storage
	Merchant string `arg:"" help:"The merchant's id."`
	accountFlags
}

// Run implements the command.
func (c payoutsAccountCommand) Run(sys *system) error {
	var out payout.Account
	err := c.withMerchant(sys, c.Merchant, func(ctx context.Context, tx *db.Tx, m merchant.Merchant) error {
		if c.Holder != "" {
			if err := payout.SetAccount(tx, m.ID, c.account()); err != nil {
				return err
			}
		}
		var err error
		out, err = payout.AccountOf(ctx, tx, m.ID, strings.ToUpper(c.Currency))
		return c.known(err)
	})
	if err != nil {
		return err
	}
	return c.print(out)
}

func (f accountFlags) known(err error) error {
	if errors.Is(err, db.ErrNoRows) {
		return fmt.Errorf("no account in %s is known", f.Currency)
	}
	return err
}

type payoutsLenderCommand struct {
	storage
	accountFlags
}

// Run implements the command.
func (c payoutsLenderCommand) Run(sys *system) error {
	var out payout.Account
	err := c.within(sys, func(ctx context.Context, tx *db.Tx) error {
		if c.Holder != "" {
			if err := payout.SetLenderAccount(tx, c.account()); err != nil {
				return err
			}
		}
		var err error
		out, err = payout.LenderAccount(ctx, tx, strings.ToUpper(c.Currency))
		return c.known(err)
	})
	if err != nil {
		return err
	}
	return c.print(out)
}

type payoutsExportCommand struct {
	storage
	Date     string `help:"The day of the payouts, as 2026-11-26." required:""`
	Currency string `help:"Currency of the payouts." required:""`
	File     int    `help:"Which file of the day, from 1; the last when missing."`
	Out      string `help:"File to write; the standard output when missing." type:"path"`
	JSON     bool   `help:"With --out, print JSON about it."`
}

// Run implements the command. What cannot be sent is named on the standard error
// output and stays for a later file.
func (c payoutsExportCommand) Run(sys *system) error {
	day, err := parseDay(c.Date)
	if err != nil {
		return err
	}
	var files []payout.File
	var blocked []payout.Blocked
	err = c.within(sys, func(ctx context.Context, tx *db.Tx) error {
		files, blocked, err = (&payout.Service{}).Export(ctx, tx, day, strings.ToUpper(c.Currency), sys.clock.Now())
		return err
	})
	if err != nil {
		return err
	}
	for _, b := range blocked {
		fmt.Fprintf(os.Stderr, "%s of %s over %s is not in the file: %s\n", b.Reference, b.MerchantID, amount(b.Amount, b.Currency), b.Why)
	}
	if c.File == 0 {
		c.File = len(files)
	}
	if c.File < 1 || c.File > len(files) {
		return fmt.Errorf("there is no such file: %d payouts in %s were made for %s", len(blocked), c.Currency, c.Date)
	}
	f := files[c.File-1]
	if err := output(c.Out, f.Content); err != nil || c.Out == "" {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{
			"id": f.ID, "date": c.Date, "currency": f.Currency, "payouts": f.Payouts, "total": f.Total, "out": c.Out, "blocked": len(blocked),
		})
	}
	fmt.Printf("%s: %d payouts, %s\n", f.ID, f.Payouts, amount(f.Total, f.Currency))
	return nil
}

type payoutsConfirmCommand struct {
	storage
	File string `arg:"" help:"The bank's file." type:"existingfile"`
	JSON bool   `help:"Print one JSON object a line."`
}

// Run implements the command. The same file may be read again.
func (c payoutsConfirmCommand) Run(sys *system) error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	reports, err := payout.ReadReports(string(text))
	if err != nil {
		return err
	}
	var outcomes []payout.Outcome
	err = c.within(sys, func(ctx context.Context, tx *db.Tx) error {
		outcomes, err = (&payout.Service{}).Apply(ctx, tx, reports, sys.clock.Now())
		return err
	})
	if err != nil {
		return err
	}
	problems := 0
	for _, o := range outcomes {
		out := newPayoutOut(o.Payout)
		if o.Problem != "" {
			problems++
			fmt.Fprintf(os.Stderr, "%s: %s\n", o.Reference, o.Problem)
			continue
		}
		if err := out.print(c.JSON); err != nil {
			return err
		}
	}
	if problems > 0 {
		return fmt.Errorf("%d payouts need to be looked at", problems)
	}
	return nil
}

type payoutsRejectCommand struct {
	storage
	Reference string `arg:"" help:"The payout's reference."`
	Reason    string `help:"Why the bank has returned it." required:""`
	JSON      bool   `help:"Print JSON."`
}

// Run implements the command.
func (c payoutsRejectCommand) Run(sys *system) error {
	var out payoutOut
	err := c.within(sys, func(ctx context.Context, tx *db.Tx) error {
		p, err := referred(ctx, tx, c.Reference)
		if err != nil {
			return err
		}
		m, err := merchant.Get(ctx, tx, p.MerchantID)
		if err != nil {
			return err
		}
		if _, err := (&payout.Service{}).Return(ctx, tx, m, p.ID, c.Reason, m.Now(sys.clock.Now())); err != nil {
			return err
		}
		p, err = payout.Get(ctx, tx, p.MerchantID, p.ID)
		out = newPayoutOut(p)
		return err
	})
	if err != nil {
		return err
	}
	return out.print(c.JSON)
}
