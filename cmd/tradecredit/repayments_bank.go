package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"tradecredit/internal/bankfile"
	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
	"tradecredit/internal/repayment"
)

// exportFlags say which file is made.
type exportFlags struct {
	storage
	Date     string `help:"Day on which the bank is to act." required:""`
	Out      string `help:"Where the file is written to; - is the standard output." required:""`
	Currency string `help:"Currency of the file." default:"EUR"`
	More     bool   `help:"Make another file for a day that has one already."`
	JSON     bool   `help:"Print JSON."`
}

// run makes a file and writes it.
func (f exportFlags) run(sys *system, in repayment.ExportRequest) error {
	var err error
	if in.Day, err = parseDay(f.Date); err != nil {
		return err
	}
	in.Currency, in.More = strings.ToUpper(f.Currency), f.More
	var made repayment.File
	err = f.collections(sys, func(ctx context.Context, tx *db.Tx, r *repayment.Service) (err error) {
		made, err = r.Export(ctx, tx, in)
		if errors.Is(err, db.ErrNoRows) {
			return fmt.Errorf("nobody has said which account of the lender is used for %s: see payouts lender-account", in.Currency)
		}
		return err
	})
	for _, s := range made.Skipped {
		fmt.Fprintln(os.Stderr, "left out:", s)
	}
	if err != nil {
		return err
	}
	if f.Out == "-" {
		_, err := os.Stdout.WriteString(made.Content)
		return err
	}
	if err := os.WriteFile(f.Out, []byte(made.Content), 0o600); err != nil {
		return err
	}
	if f.JSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{
			"file": made.ID, "kind": made.Kind, "format": made.Format, "currency": made.Currency, "date": made.Day, "n": made.N,
			"payments": made.Orders, "total": made.Total, "again": made.Existing, "left_out": len(made.Skipped),
		})
	}
	again := ""
	if made.Existing {
		again = ", as it was made before"
	}
	fmt.Printf("%s: %d payments of %d %s for %s%s\n", made.ID, made.Orders, made.Total, made.Currency, made.Day, again)
	return nil
}

type exportDebitsCommand struct {
	exportFlags
	Format      string `help:"sepa (pain.008) or bacs." enum:"sepa,bacs" default:"sepa"`
	CreditorID  string `name:"creditor-id" help:"SEPA creditor identifier of the lender." env:"TRADECREDIT_CREDITOR_ID"`
	ServiceUser string `help:"Bacs service user number of the lender." env:"TRADECREDIT_SERVICE_USER"`
}

// Run implements the command.
func (c exportDebitsCommand) Run(sys *system) error {
	if c.Format == repayment.FormatBacs {
		c.Currency = "GBP"
	}
	return c.run(sys, repayment.ExportRequest{
		Kind: repayment.FileDebits, Format: c.Format, CreditorID: c.CreditorID, ServiceUser: c.ServiceUser,
	})
}

type exportRefundsCommand struct{ exportFlags }

// Run implements the command.
func (c exportRefundsCommand) Run(sys *system) error {
	return c.run(sys, repayment.ExportRequest{Kind: repayment.FileRefunds, Format: repayment.FormatSEPA})
}

type readAnswerCommand struct {
	storage
	Files []string `arg:"" help:"Files of the bank." type:"existingfile"`
	JSON  bool     `help:"Print JSON."`
}

// Run implements the command. Reading a file again changes nothing.
func (c readAnswerCommand) Run(sys *system) error {
	return c.collecting(sys, func(ctx context.Context, d *db.DB, r *repayment.Service) error {
		for _, name := range c.Files {
			f, err := os.Open(name)
			if err != nil {
				return err
			}
			out, err := r.ReadAnswer(ctx, d, f)
			f.Close()
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if c.JSON {
				if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
					return err
				}
				continue
			}
			fmt.Printf("%d answers read, %d of them news\n", out.Read, out.Changed)
			for _, u := range out.Unknown {
				fmt.Println("  not ours:", u)
			}
		}
		return nil
	})
}

type confirmCommand struct {
	storage
	File string `arg:"" help:"Identifier of the file, as the export tells it."`
	JSON bool   `help:"Print JSON."`
}

// Run implements the command.
func (c confirmCommand) Run(sys *system) error {
	n := 0
	err := c.collections(sys, func(ctx context.Context, tx *db.Tx, r *repayment.Service) (err error) {
		n, err = r.Confirm(ctx, tx, c.File)
		return err
	})
	if errors.Is(err, db.ErrNoRows) {
		return fmt.Errorf("there is no file %s", c.File)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{"file": c.File, "settled": n})
	}
	fmt.Printf("%d payments are settled\n", n)
	return nil
}

type mandatesCommand struct {
	Add    mandatesAddCommand    `cmd:"" help:"Register a mandate."`
	List   mandatesListCommand   `cmd:"" help:"List the mandates of a merchant's buyers."`
	Cancel mandatesCancelCommand `cmd:"" help:"Cancel a mandate."`
}

type mandatesAddCommand struct {
	storage
	Merchant      string `arg:"" help:"The merchant's id."`
	Organisation  string `arg:"" help:"The buyer's id."`
	Scheme        string `help:"CORE, B2B or BACS." enum:"CORE,B2B,BACS" required:""`
	Reference     string `help:"Unique reference of the mandate; one is made when it is left out."`
	Holder        string `help:"Name of the account's holder." required:""`
	IBAN          string `name:"iban" help:"IBAN, for CORE and B2B."`
	BIC           string `name:"bic" help:"BIC; optional."`
	SortCode      string `help:"British sort code, for BACS."`
	AccountNumber string `help:"British account number, for BACS."`
	Signed        string `help:"Date of the signature." required:""`
	JSON          bool   `help:"Print JSON."`
}

// Run implements the command.
func (c mandatesAddCommand) Run(sys *system) error {
	var made repayment.Mandate
	err := c.collections(sys, func(ctx context.Context, tx *db.Tx, r *repayment.Service) error {
		m, err := merchantNamed(ctx, tx, c.Merchant)
		if err != nil {
			return err
		}
		made, err = r.AddMandate(ctx, tx, m, repayment.Mandate{
			OrganisationID: c.Organisation, Scheme: c.Scheme, Reference: c.Reference, SignedOn: c.Signed,
			Account: bankfile.Account{Name: c.Holder, IBAN: c.IBAN, BIC: c.BIC, SortCode: c.SortCode, AccountNumber: c.AccountNumber},
		}, m.Now(sys.clock.Now()))
		return err
	})
	if err != nil {
		return err
	}
	return printMandate(made, c.JSON)
}

func merchantNamed(ctx context.Context, tx *db.Tx, merchantID string) (merchant.Merchant, error) {
	m, err := merchant.Get(ctx, tx, merchantID)
	if errors.Is(err, db.ErrNoRows) {
		return m, fmt.Errorf("there is no merchant %s", merchantID)
	}
	return m, err
}

func printMandate(m repayment.Mandate, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{
			"merchant": m.MerchantID, "id": m.ID, "organisation": m.OrganisationID, "reference": m.Reference, "scheme": m.Scheme,
			"holder": m.Account.Name, "iban": m.Account.IBAN, "bic": m.Account.BIC, "sort_code": m.Account.SortCode,
			"account_number": m.Account.AccountNumber, "signed_on": m.SignedOn, "status": m.Status, "debited": m.Debited,
		})
	}
	fmt.Printf("%s  %s  %-4s  %-9s  %s  %s%s %s\n", m.ID, m.Reference, m.Scheme, m.Status, m.Account.Name, m.Account.IBAN, m.Account.SortCode, m.Account.AccountNumber)
	return nil
}

type mandatesListCommand struct {
	storage
	Merchant string `arg:"" help:"The merchant's id."`
	JSON     bool   `help:"Print one JSON object a line."`
}

// Run implements the command.
func (c mandatesListCommand) Run(sys *system) error {
	return c.storage.read(sys, func(ctx context.Context, tx *db.Tx) error {
		for offset := 0; ; {
			page, _, err := repayment.Mandates(ctx, tx, c.Merchant, 200, offset)
			if err != nil || len(page) == 0 {
				return err
			}
			for _, m := range page {
				if err := printMandate(m, c.JSON); err != nil {
					return err
				}
			}
			offset += len(page)
		}
	})
}

type mandatesCancelCommand struct {
	storage
	Merchant string `arg:"" help:"The merchant's id."`
	Mandate  string `arg:"" help:"The mandate's id."`
	JSON     bool   `help:"Print JSON."`
}

// Run implements the command.
func (c mandatesCancelCommand) Run(sys *system) error {
	var out repayment.Mandate
	err := c.collections(sys, func(ctx context.Context, tx *db.Tx, r *repayment.Service) error {
		m, err := merchantNamed(ctx, tx, c.Merchant)
		if err == nil {
			out, err = r.CancelMandate(ctx, tx, m, c.Mandate)
		}
		return err
	})
	if errors.Is(err, db.ErrNoRows) {
		return fmt.Errorf("there is no mandate %s", c.Mandate)
	}
	if err != nil {
		return err
	}
	return printMandate(out, c.JSON)
}

type creditsCommand struct {
	List   creditsListCommand   `cmd:"" help:"List the credits of a merchant's buyers."`
	Refund creditsRefundCommand `cmd:"" help:"Send back what is left of a credit, with the next file of refunds."`
}

type creditsListCommand struct {
	storage
	Merchant string `arg:"" help:"The merchant's id."`
	JSON     bool   `help:"Print one JSON object a line."`
}

// Run implements the command.
func (c creditsListCommand) Run(sys *system) error {
	return c.storage.read(sys, func(ctx context.Context, tx *db.Tx) error {
		for after := ""; ; {
			page, err := repayment.Credits(ctx, tx, c.Merchant, after, 200)
			if err != nil || len(page) == 0 {
				return err
			}
			for _, cr := range page {
				after = cr.ID
				if c.JSON {
					err := json.NewEncoder(os.Stdout).Encode(map[string]any{
						"id": cr.ID, "organisation": cr.OrganisationID, "currency": cr.Currency, "amount": cr.Amount, "left": cr.Left(),
						"created": cr.Created.Format(time.DateOnly),
					})
					if err != nil {
						return err
					}
					continue
				}
				fmt.Printf("%s  %s  %s  %d of %d %s left\n", cr.Created.Format(time.DateOnly), cr.ID, cr.OrganisationID, cr.Left(), cr.Amount, cr.Currency)
			}
		}
	})
}

// payeeFlags are another account than the one that money came from.
type payeeFlags struct {
	Holder        string `help:"Name of the holder of another account than the one that the money came from."`
	IBAN          string `name:"iban" help:"IBAN of that account."`
	SortCode      string `help:"British sort code of that account."`
	AccountNumber string `help:"British account number of that account."`
}

func (p payeeFlags) account() *bankfile.Account {
	if p == (payeeFlags{}) {
		return nil
	}
	return &bankfile.Account{Name: p.Holder, IBAN: p.IBAN, SortCode: p.SortCode, AccountNumber: p.AccountNumber}
}

type creditsRefundCommand struct {
	storage
	Merchant string `arg:"" help:"The merchant's id."`
	Credit   string `arg:"" help:"The credit's id."`
	payeeFlags
	JSON bool `help:"Print JSON."`
}

// Run implements the command.
func (c creditsRefundCommand) Run(sys *system) error {
	var o repayment.BankOrder
	err := c.collections(sys, func(ctx context.Context, tx *db.Tx, r *repayment.Service) error {
		m, err := merchantNamed(ctx, tx, c.Merchant)
		if err == nil {
			o, err = r.RefundCredit(ctx, tx, m, c.Credit, c.account(), m.Now(sys.clock.Now()))
		}
		return err
	})
	if errors.Is(err, db.ErrNoRows) {
		return fmt.Errorf("there is no credit %s", c.Credit)
	}
	if err != nil {
		return err
	}
	return printOrder(o, c.JSON)
}

func printOrder(o repayment.BankOrder, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]any{
			"id": o.ID, "amount": o.Amount, "currency": o.Currency, "holder": o.Account.Name, "status": o.Status,
		})
	}
	fmt.Printf("%s: %d %s go to %s with the next file of refunds\n", o.ID, o.Amount, o.Currency, o.Account.Name)
	return nil
}
