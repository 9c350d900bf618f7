// Command tradecredit sells to businesses on credit: an API, hosted pages and the
// workers behind them, on SQLite or PostgreSQL.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"tradecredit/internal/clock"
	"tradecredit/internal/db"
)

// commands is the command line.
type commands struct {
	Serve    serveCommand    `cmd:"" help:"Serve the API and the hosted pages."`
	Merchant merchantCommand `cmd:"" help:"Manage merchants."`

	Companies companiesCommand `cmd:"" help:"Manage the register of companies."`

	Policy    policyCommand    `cmd:"" help:"Check and load the rules of underwriting."`
	Decisions decisionsCommand `cmd:"" help:"Show, explain and replay the decisions of underwriting."`

	Fraud   fraudCommand   `cmd:"" help:"Say which accepted plans are suspicious, and show why."`
	Reviews reviewsCommand `cmd:"" help:"Decide on deferred payments that wait for a review."`

	Holidays holidaysCommand `cmd:"" help:"Change the calendars of business days."`

	Documents documentsCommand `cmd:"" help:"Show what buyers have sent, and fetch files."`

	Rates ratesCommand `cmd:"" help:"Import, set and list exchange rates."`

	Payouts payoutsCommand `cmd:"" help:"Pay merchants: runs, files for the bank, adjustments, accounts."`

	Statements statementsCommand `cmd:"" help:"Show, send and print statements of account."`

	Close closeCommand `cmd:"" help:"Close a day, and report on it."`

	Repayments repaymentsCommand `cmd:"" help:"Collect what buyers owe."`
	Bank       bankCommand       `cmd:"" help:"Book what statements of the lender's account say."`

	Migrate migrateCommand `cmd:"" help:"Bring the database up to date."`
	Verify  verifyCommand  `cmd:"" help:"Recompute every figure from the events and name any difference."`
	Jobs    jobsCommand    `cmd:"" help:"Show work that was given up."`
	OpenAPI openAPICommand `cmd:"" name:"openapi" help:"Print the OpenAPI document."`
	Demo    demoCommand    `cmd:"" help:"Serve a sandbox with a demo shop, and play one purchase in it from the search to the books."`
	Version versionCommand `cmd:"" help:"Print the version."`
}

// storage names the database. Every command that needs one takes these flags.
type storage struct {
	DataDir     string `help:"Directory for the SQLite file, documents and generated keys." default:"./data" env:"TRADECREDIT_DATA_DIR" type:"path"`
	DatabaseURL string `help:"PostgreSQL address (postgres://...); empty for SQLite in the data directory." env:"TRADECREDIT_DATABASE_URL"`
	Environment string `help:"sandbox or production." enum:"sandbox,production" default:"sandbox" env:"TRADECREDIT_ENVIRONMENT"`
}

// system is what commands need of the machine.
type system struct {
	ctx   context.Context
	clock clock.Clock
	log   *slog.Logger
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	sys := &system{ctx: ctx, clock: clock.System{}, log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	var c commands
	k := kong.Parse(&c,
		kong.Name("tradecredit"),
		kong.Description("Open, self-hostable software for selling to businesses on credit."),
		kong.UsageOnError(),
	)
	if err := k.Run(sys); err != nil {
		fmt.Fprintln(os.Stderr, "tradecredit:", err)
		stop()
		os.Exit(1)
	}
}

// open opens the database of a command and migrates it.
func (s storage) open(sys *system) (*db.DB, error) {
	o, err := s.config().Database()
	if err != nil {
		return nil, err
	}
	d, err := db.Open(sys.ctx, o)
	if err != nil {
		return nil, err
	}
	if err := d.Migrate(sys.ctx); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}
