package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/merchant"
	"tradecredit/internal/repayment"
)

// repaymentsCommand groups what an operator does about what buyers owe.
type repaymentsCommand struct {
	List      repaymentsListCommand      `cmd:"" help:"List deferred payments by how they are repaid."`
	Show      repaymentsShowCommand      `cmd:"" help:"Show how a deferred payment is repaid."`
	Record    repaymentsRecordCommand    `cmd:"" help:"Record money of the buyer that no statement of the bank shows."`
	Return    repaymentsReturnCommand    `cmd:"" help:"Take back a payment that the buyer's bank has taken back."`
	Pause     repaymentsPauseCommand     `cmd:"" help:"Leave the buyer alone for a while."`
	Resume    repaymentsResumeCommand    `cmd:"" help:"End a pause or a promise."`
	Promise   repaymentsPromiseCommand   `cmd:"" help:"Note that the buyer promised to pay, and leave it alone until then."`
	WriteOff  repaymentsWriteOffCommand  `cmd:"" help:"Give up a debt, or a part of it."`
	Dispute   repaymentsDisputeCommand   `cmd:"" help:"Note that the buyer disputes the debt: nothing is collected."`
	Undispute repaymentsUndisputeCommand `cmd:"" help:"End a dispute."`

	ExportDebits  exportDebitsCommand  `cmd:"" help:"Make the file for the bank of direct debits (pain.008 or Bacs), or the same file again."`
	ExportRefunds exportRefundsCommand `cmd:"" help:"Make the file for the bank of money that goes back to buyers (pain.001), or the same file again."`
	ReadAnswer    readAnswerCommand    `cmd:"" help:"Read what the bank says about a file: a status report (pain.002) or Bacs returns (ARUDD)."`
	Confirm       confirmCommand       `cmd:"" help:"Book a whole file as carried out, where the bank does not report each payment."`

	Mandates mandatesCommand `cmd:"" help:"Manage buyers' permissions to debit their accounts."`
	Credits  creditsCommand  `cmd:"" help:"Manage what buyers have paid without owing it."`
}

// collections runs f with what can be done about repayments, in a transaction.
func (s storage) collections(sys *system, f func(ctx context.Context, tx *db.Tx, r *repayment.Service) error) error {
	return s.collecting(sys, func(ctx context.Context, d *db.DB, r *repayment.Service) error {
		return d.Write(ctx, func(tx *db.Tx) error { return f(ctx, tx, r) })
	})
}

// paymentFlags name a deferred payment.
type paymentFlags struct {
	storage
	Payment string `arg:"" help:"Number of the deferred payment, such as P-7WR2-PR6S."`
	JSON    bool   `help:"Print JSON."`
}

// on runs f with the payment's merchant, and shows how the payment stands then.
func (p paymentFlags) on(sys *system, f func(ctx context.Context, tx *db.Tx, r *repayment.Service, m merchant.Merchant, paymentID string, now time.Time) error) error {
	var out repaymentOut
	err := p.collections(sys, func(ctx context.Context, tx *db.Tx, r *repayment.Service) error {
		merchantID, paymentID, err := repayment.ByNumber(ctx, tx, p.Payment)
		if errors.Is(err, db.ErrNoRows) {
			return fmt.Errorf("there is no deferred payment %s", p.Payment)
		}
		if err != nil {
			return err
		}
		m, err := merchant.Get(ctx, tx, merchantID)
		if err != nil {
			return err
		}
		if f != nil {
			if err := f(ctx, tx, r, m, paymentID, m.Now(sys.clock.Now())); err != nil {
				return err
			}
		}
		out, err = repaymentOf(ctx, tx, merchantID, paymentID)
		return err
	})
	if err != nil {
		return err
	}
	return out.print(p.JSON, true)
}

// repaymentOut is how a deferred payment is shown.
type repaymentOut struct {
	Merchant       string         `json:"merchant"`
	ID             string         `json:"deferred_payment"`
	Number         string         `json:"number"`
	Organisation   string         `json:"organisation"`
	Currency       string         `json:"currency"`
	Outstanding    int64          `json:"outstanding"`
	Repaid         int64          `json:"repaid"`
	WrittenOff     int64          `json:"written_off"`
	Status         string         `json:"status"`
	NextDate       string         `json:"next_date"`
	LateSince      string         `json:"late_since"`
	PausedUntil    string         `json:"paused_until"`
	PromisedOn     string         `json:"promised_on"`
	PromisedAmount int64          `json:"promised_amount"`
	Disputed       bool           `json:"disputed"`
	Repayments     []repaymentRow `json:"repayments,omitempty"`
}

type repaymentRow struct {
	ID        string `json:"id"`
	Date      string `json:"date"`
	Type      string `json:"type"`
	Method    string `json:"method"`
	Status    string `json:"status"`
	Amount    int64  `json:"amount"`
	Applied   int64  `json:"applied"`
	Reference string `json:"reference"`
	Code      string `json:"code"`
	Origin    string `json:"origin"`
}

func shownPayment(p deferred.Payment, s repayment.State) repaymentOut {
	return repaymentOut{
		Merchant: p.MerchantID, ID: p.ID, Number: p.Number, Organisation: p.OrganisationID, Currency: p.Currency,
		Outstanding: p.Outstanding(), Repaid: p.Repaid, WrittenOff: p.WrittenOff, Status: s.Status, NextDate: s.NextDate, LateSince: s.LateSince,
		PausedUntil: s.PausedUntil, PromisedOn: s.PromisedOn, PromisedAmount: s.PromisedAmount, Disputed: s.Disputed,
	}
}

func repaymentOf(ctx context.Context, tx *db.Tx, merchantID, paymentID string) (repaymentOut, error) {
	p, err := deferred.Get(ctx, tx, merchantID, paymentID)
	if err != nil {
		return repaymentOut{}, err
	}
	state, err := repayment.StateOf(ctx, tx, merchantID, paymentID)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return repaymentOut{}, err
	}
	out := shownPayment(p, state)
	all, err := repayment.Of(ctx, tx, merchantID, paymentID)
	for _, r := range all {
		out.Repayments = append(out.Repayments, repaymentRow{
			ID: r.ID, Date: r.Created.Format(time.DateOnly), Type: r.Type, Method: r.Method, Status: r.Status, Amount: r.Amount,
			Applied: r.Applied, Reference: r.Reference, Code: r.Code, Origin: r.Origin,
		})
	}
	return out, err
}

func (o repaymentOut) print(asJSON, all bool) error {
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(o)
	}
	notes := ""
	for _, n := range []struct{ name, value string }{
		{"next", o.NextDate}, {"late since", o.LateSince}, {"paused until", o.PausedUntil}, {"promised for", o.PromisedOn},
	} {
		if n.value != "" {
			notes += "  " + n.name + " " + n.value
		}
	}
	if o.Disputed {
		notes += "  disputed"
	}
	fmt.Printf("%s  %-6s  outstanding %d %s  repaid %d%s\n", o.Number, o.Status, o.Outstanding, o.Currency, o.Repaid, notes)
	if all {
		for _, r := range o.Repayments {
			fmt.Println(strings.TrimRight(fmt.Sprintf("  %s  %s  %s by %s  %s  %d  %s", r.Date, r.ID, r.Type, r.Method, r.Status, r.Amount, r.Code), " "))
		}
	}
	return nil
}

type repaymentsListCommand struct {
	storage
	Status   string `help:"open, late or closed." enum:"open,late,closed" default:"late"`
	Merchant string `help:"Only those of this merchant."`
	JSON     bool   `help:"Print one JSON object a line."`
}

// Run implements the command. It reads page after page.
func (c repaymentsListCommand) Run(sys *system) error {
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	var after repayment.State
	for {
		var rows []repaymentOut
		err := d.Read(sys.ctx, func(tx *db.Tx) error {
			rows = rows[:0]
			page, err := c.page(sys.ctx, tx, after)
			if err != nil {
				return err
			}
			for _, s := range page {
				after = s
				p, err := deferred.Get(sys.ctx, tx, s.MerchantID, s.PaymentID)
				if err != nil {
					return err
				}
				rows = append(rows, shownPayment(p, s))
			}
			return nil
		})
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, o := range rows {
			if err := o.print(c.JSON, false); err != nil {
				return err
			}
		}
	}
}

func (c repaymentsListCommand) page(ctx context.Context, tx *db.Tx, after repayment.State) ([]repayment.State, error) {
	if c.Merchant != "" {
		return repayment.StatesOf(ctx, tx, c.Merchant, c.Status, after.PaymentID, 200)
	}
	return repayment.States(ctx, tx, c.Status, after, 200)
}

type repaymentsShowCommand struct{ paymentFlags }

// Run implements the command.
func (c repaymentsShowCommand) Run(sys *system) error { return c.on(sys, nil) }

type repaymentsRecordCommand struct {
	paymentFlags
	Amount    int64  `help:"Amount in minor units." required:""`
	Reference string `help:"What the money is known by, such as the number of a cheque."`
}

// Run implements the command.
func (c repaymentsRecordCommand) Run(sys *system) error {
	if c.Amount < 1 {
		return errors.New("--amount is above zero")
	}
	return c.on(sys, func(ctx context.Context, tx *db.Tx, r *repayment.Service, m merchant.Merchant, paymentID string, now time.Time) error {
		_, err := r.Record(ctx, tx, m, repayment.Report{
			PaymentID: paymentID, Amount: c.Amount, Method: repayment.MethodBankTransfer, Settled: true, Reference: c.Reference, Origin: repayment.OriginOperator,
		}, now)
		return err
	})
}

type repaymentsReturnCommand struct {
	paymentFlags
	Repayment string `arg:"" help:"Identifier of the repayment, as show tells it."`
	Code      string `help:"Why, as a code." default:"returned"`
	Reason    string `help:"Why, as a sentence." default:"The bank has taken the payment back."`
}

// Run implements the command.
func (c repaymentsReturnCommand) Run(sys *system) error {
	return c.on(sys, func(ctx context.Context, tx *db.Tx, r *repayment.Service, m merchant.Merchant, paymentID string, now time.Time) error {
		found, err := repayment.Get(ctx, tx, m.ID, c.Repayment)
		if err == nil && found.PaymentID != paymentID {
			err = db.ErrNoRows
		}
		if errors.Is(err, db.ErrNoRows) {
			return fmt.Errorf("%s has no repayment %s", c.Payment, c.Repayment)
		}
		if err == nil {
			_, err = r.Return(ctx, tx, m, found.ID, c.Code, c.Reason, now)
		}
		return err
	})
}

type repaymentsPauseCommand struct {
	paymentFlags
	Until string `help:"Last day on which the buyer is left alone." required:""`
}

// Run implements the command.
func (c repaymentsPauseCommand) Run(sys *system) error {
	until, err := parseDay(c.Until)
	if err != nil {
		return err
	}
	return c.on(sys, func(ctx context.Context, tx *db.Tx, r *repayment.Service, m merchant.Merchant, paymentID string, now time.Time) error {
		_, err := r.Pause(ctx, tx, m, paymentID, until, now)
		return err
	})
}

type repaymentsResumeCommand struct{ paymentFlags }

// Run implements the command.
func (c repaymentsResumeCommand) Run(sys *system) error {
	return c.on(sys, func(ctx context.Context, tx *db.Tx, r *repayment.Service, m merchant.Merchant, paymentID string, now time.Time) error {
		_, err := r.Resume(ctx, tx, m, paymentID, now)
		return err
	})
}

type repaymentsPromiseCommand struct {
	paymentFlags
	Date   string `help:"Day by which the buyer will pay." required:""`
	Amount int64  `help:"Amount in minor units; all that is outstanding when it is left out."`
}

// Run implements the command.
func (c repaymentsPromiseCommand) Run(sys *system) error {
	day, err := parseDay(c.Date)
	if err != nil {
		return err
	}
	return c.on(sys, func(ctx context.Context, tx *db.Tx, r *repayment.Service, m merchant.Merchant, paymentID string, now time.Time) error {
		_, err := r.Promise(ctx, tx, m, paymentID, day, c.Amount, now)
		return err
	})
}

type repaymentsWriteOffCommand struct {
	paymentFlags
	Amount int64 `help:"Amount in minor units; all that is outstanding when it is left out."`
}

// Run implements the command.
func (c repaymentsWriteOffCommand) Run(sys *system) error {
	return c.on(sys, func(ctx context.Context, tx *db.Tx, r *repayment.Service, m merchant.Merchant, paymentID string, now time.Time) error {
		_, err := r.WriteOff(ctx, tx, m, paymentID, c.Amount, now)
		return err
	})
}

type repaymentsDisputeCommand struct{ paymentFlags }

// Run implements the command.
func (c repaymentsDisputeCommand) Run(sys *system) error {
	return c.on(sys, func(ctx context.Context, tx *db.Tx, r *repayment.Service, m merchant.Merchant, paymentID string, now time.Time) error {
		_, err := r.Dispute(ctx, tx, m, paymentID, now)
		return err
	})
}

type repaymentsUndisputeCommand struct{ paymentFlags }

// Run implements the command.
func (c repaymentsUndisputeCommand) Run(sys *system) error {
	return c.on(sys, func(ctx context.Context, tx *db.Tx, r *repayment.Service, m merchant.Merchant, paymentID string, now time.Time) error {
		_, err := r.Undispute(ctx, tx, m, paymentID, now)
		return err
	})
}
