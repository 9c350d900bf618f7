package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"tradecredit/internal/billing"
	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
	"tradecredit/internal/page"
)

// statementsCommand groups what an operator does with statements of account.
type statementsCommand struct {
	List statementsListCommand `cmd:"" help:"List the statements of a merchant's buyers, newest first."`
	Show statementsShowCommand `cmd:"" help:"Show a statement with its lines and what it asks for."`
	Send statementsSendCommand `cmd:"" help:"Have a statement mailed again to the addresses of its billing account."`
	PDF  statementsPDFCommand  `cmd:"" name:"pdf" help:"Write a statement as PDF to the standard output."`
	CSV  statementsCSVCommand  `cmd:"" name:"csv" help:"Write the lines of a statement as CSV to the standard output."`
}

// statementOut is how a statement is shown.
type statementOut struct {
	Merchant       string `json:"merchant"`
	ID             string `json:"id"`
	BillingAccount string `json:"billing_account"`
	Number         string `json:"number"`
	Reference      string `json:"reference"`
	Status         string `json:"status"`
	Currency       string `json:"currency"`
	PeriodStart    string `json:"period_start"`
	PeriodEnd      string `json:"period_end"`
	DueDate        string `json:"due_date"`
	billing.Totals
	AmountDue int64         `json:"amount_due"`
	Remaining int64         `json:"remaining_amount"`
	PDFHash   string        `json:"pdf_sha256"`
	CSVHash   string        `json:"csv_sha256"`
	Lines     []lineOut     `json:"lines,omitempty"`
	Items     []billingItem `json:"items,omitempty"`
}

type lineOut struct {
	At              string `json:"at"`
	Type            string `json:"type"`
	DeferredPayment string `json:"deferred_payment"`
	Number          string `json:"number"`
	Amount          int64  `json:"amount"`
}

type billingItem struct {
	DeferredPayment string `json:"deferred_payment"`
	Number          string `json:"number"`
	Order           string `json:"order"`
	DueDate         string `json:"due_date"`
	Amount          int64  `json:"amount"`
	Remaining       int64  `json:"remaining_amount"`
}

func outOfStatement(s billing.Statement) statementOut {
	return statementOut{
		Merchant: s.MerchantID, ID: s.ID, BillingAccount: s.AccountID, Number: s.Number, Reference: s.Reference(), Status: s.Status,
		Currency: s.Currency, PeriodStart: s.Period.Start.Format(time.DateOnly), PeriodEnd: s.Period.Last().Format(time.DateOnly),
		DueDate: s.DueDate, Totals: s.Totals, AmountDue: s.AmountDue, Remaining: s.Remaining, PDFHash: s.PDFHash, CSVHash: s.CSVHash,
	}
}

func (o statementOut) print() {
	number, due := o.Number, o.DueDate
	if number == "" {
		number, due = o.ID, "–"
	}
	fmt.Printf("%s  %-14s  %s to %s  closing %s %s  due %s by %s  %s left\n", number, o.Status, o.PeriodStart, o.PeriodEnd,
		o.Currency, billing.Decimal(o.Closing, o.Currency), billing.Decimal(o.AmountDue, o.Currency), due, billing.Decimal(o.Remaining, o.Currency))
}

type statementsListCommand struct {
	storage
	Merchant string `arg:"" help:"The merchant's id."`
	Account  string `help:"Identifier of a billing account."`
	Status   string `help:"Only those in this state: open, closed, partially_paid, paid or overdue." enum:"open,closed,partially_paid,paid,overdue," default:""`
	JSON     bool   `help:"Print one JSON object a line."`
}

// Run implements the command.
func (c statementsListCommand) Run(sys *system) error {
	return c.withMerchant(sys, c.Merchant, func(ctx context.Context, tx *db.Tx, m merchant.Merchant) error {
		f := billing.StatementFilter{AccountID: c.Account, Status: c.Status}
		for p := (page.Page{Limit: page.MaxLimit}); ; p.Offset += p.Limit {
			found, _, err := (&billing.Service{}).ListStatements(ctx, tx, m.ID, f, p)
			if err != nil || len(found) == 0 {
				return err
			}
			for _, s := range found {
				out := outOfStatement(s)
				if !c.JSON {
					out.print()
				} else if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
					return err
				}
			}
		}
	})
}

// statementFlags name a statement.
type statementFlags struct {
	storage
	Statement string `arg:"" help:"The statement's number or reference; or its id, with --merchant."`
	Merchant  string `help:"The merchant's id, when the statement is named by its own."`
}

// find returns the statement that is named.
func (c statementFlags) find(ctx context.Context, tx *db.Tx) (billing.Details, error) {
	s := &billing.Service{}
	if c.Merchant != "" {
		d, err := s.Details(ctx, tx, c.Merchant, c.Statement)
		if errors.Is(err, db.ErrNoRows) {
			err = fmt.Errorf("the merchant has no statement %s", c.Statement)
		}
		return d, err
	}
	found, err := billing.FindByReference(ctx, tx, c.Statement)
	if err != nil {
		return billing.Details{}, err
	}
	if len(found) != 1 {
		return billing.Details{}, fmt.Errorf("there is no statement %s; an id needs --merchant", c.Statement)
	}
	return s.Details(ctx, tx, found[0].MerchantID, found[0].ID)
}

func (c statementFlags) details(sys *system) (d billing.Details, err error) {
	err = c.read(sys, func(ctx context.Context, tx *db.Tx) (err error) {
		d, err = c.find(ctx, tx)
		return err
	})
	return d, err
}

type statementsShowCommand struct {
	statementFlags
	JSON bool `help:"Print JSON."`
}

// Run implements the command.
func (c statementsShowCommand) Run(sys *system) error {
	d, err := c.details(sys)
	if err != nil {
		return err
	}
	out := outOfStatement(d.Statement)
	for _, l := range d.Lines {
		out.Lines = append(out.Lines, lineOut{l.At.Format(time.RFC3339), l.Kind, l.PaymentID, l.Number, l.Amount})
	}
	for _, i := range d.Items {
		out.Items = append(out.Items, billingItem{i.PaymentID, i.Number, i.Order, i.DueDate, i.Balance, i.Open()})
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(out)
	}
	out.print()
	if out.Reference != "" {
		fmt.Println("reference", billing.FormatReference(out.Reference))
	}
	fmt.Println("opening balance", billing.Decimal(out.Opening, out.Currency))
	for _, l := range d.Lines {
		fmt.Printf("  %s  %-16s  %s  %s\n", l.At.Format(time.DateOnly), l.Kind, l.Number, billing.Decimal(l.Amount, out.Currency))
	}
	fmt.Println("closing balance", billing.Decimal(out.Closing, out.Currency))
	for _, i := range d.Items {
		fmt.Printf("  %s  %s left of %s\n", i.Number, billing.Decimal(i.Open(), out.Currency), billing.Decimal(i.Balance, out.Currency))
	}
	return nil
}

type statementsSendCommand struct {
	statementFlags
	JSON bool `help:"Print JSON."`
}

// Run implements the command. The mail is sent by the server.
func (c statementsSendCommand) Run(sys *system) error {
	var d billing.Details
	sent := false
	err := c.within(sys, func(ctx context.Context, tx *db.Tx) (err error) {
		if d, err = c.find(ctx, tx); err != nil {
			return err
		}
		m, err := merchant.Get(ctx, tx, d.MerchantID)
		if err != nil {
			return err
		}
		sent, err = billing.Resend(ctx, tx, m, d.ID, m.Now(sys.clock.Now()))
		return err
	})
	if err != nil {
		return err
	}
	if !sent {
		return fmt.Errorf("the billing account %s has no addresses", d.AccountID)
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]string{"statement": d.ID, "number": d.Number})
	}
	fmt.Printf("%s will be mailed by the server.\n", d.Number)
	return nil
}

type statementsPDFCommand struct{ statementFlags }

// Run implements the command.
func (c statementsPDFCommand) Run(sys *system) error {
	return c.write(sys, func(f billing.Files) []byte { return f.PDF })
}

type statementsCSVCommand struct{ statementFlags }

// Run implements the command.
func (c statementsCSVCommand) Run(sys *system) error {
	return c.write(sys, func(f billing.Files) []byte { return f.CSV })
}

// write makes the files of a statement and writes one of them.
func (c statementFlags) write(sys *system, which func(billing.Files) []byte) error {
	d, err := c.details(sys)
	if err != nil {
		return err
	}
	files, err := billing.Render(d)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(which(files))
	return err
}
