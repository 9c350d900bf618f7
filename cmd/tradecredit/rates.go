package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/exchange"
)

// ratesCommand groups what an operator does with exchange rates.
type ratesCommand struct {
	List   ratesListCommand   `cmd:"" default:"withargs" help:"List the rates that hold on a day."`
	Import ratesImportCommand `cmd:"" help:"Import the euro reference rates of the European Central Bank from their file."`
	Set    ratesSetCommand    `cmd:"" help:"Set one rate by hand. No import overwrites it."`
}

// ratesFlags are common to the commands about rates.
type ratesFlags struct {
	storage
	JSON bool `help:"Print JSON."`
}

// use runs f on the database. The rates that a sandbox starts with are put there
// by the program that serves it, never by a command: it may be one on the data of
// production whose environment was left out.
func (r ratesFlags) use(sys *system, f func(d *db.DB) error) error {
	d, err := r.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	return f(d)
}

// rateOut is how a rate is shown.
type rateOut struct {
	Currency string `json:"currency"`
	PerEuro  string `json:"per_euro"`
	Day      string `json:"day"`
	Source   string `json:"source"`
}

func (r ratesFlags) show(rate exchange.Rate) error {
	out := rateOut{Currency: rate.Currency, PerEuro: rate.String(), Day: rate.Day.Format(time.DateOnly), Source: string(rate.Source)}
	if r.JSON {
		return json.NewEncoder(os.Stdout).Encode(out)
	}
	fmt.Printf("%s  %s  %-12s  1 EUR = %s %s\n", out.Currency, out.Day, out.Source, out.PerEuro, out.Currency)
	return nil
}

type ratesListCommand struct {
	ratesFlags
	Day string `help:"The day, as 2026-11-20; today when empty."`
}

// Run implements the command.
func (c ratesListCommand) Run(sys *system) error {
	day := sys.clock.Now()
	if c.Day != "" {
		var err error
		if day, err = parseRateDay(c.Day); err != nil {
			return err
		}
	}
	return c.use(sys, func(d *db.DB) error {
		var found []exchange.Rate
		err := d.Read(sys.ctx, func(tx *db.Tx) (err error) {
			found, err = exchange.All(sys.ctx, tx, day)
			return err
		})
		if err != nil {
			return err
		}
		for _, r := range found {
			if err := c.show(r); err != nil {
				return err
			}
		}
		return nil
	})
}

type ratesImportCommand struct {
	ratesFlags
	File string `arg:"" help:"eurofxref or eurofxref-hist: the CSV, the zip archive or the XML file, as published." type:"existingfile"`
}

// Run implements the command. Importing a file again changes nothing.
func (c ratesImportCommand) Run(sys *system) error {
	return c.use(sys, func(d *db.DB) error {
		report, err := exchange.ImportFile(sys.ctx, d, c.File, func(r exchange.Report) {
			fmt.Fprintf(os.Stderr, "%d days  %d rates  %s\n", r.Days, r.Rates, r.First)
		})
		if err != nil {
			return err
		}
		if c.JSON {
			return json.NewEncoder(os.Stdout).Encode(report)
		}
		fmt.Printf("%d rates of %d days from %s to %s, %d of them new or changed; %d of other currencies left out.\n",
			report.Rates, report.Days, report.First, report.Last, report.Changed, report.Skipped)
		return nil
	})
}

type ratesSetCommand struct {
	ratesFlags
	Day      string `arg:"" help:"The first day on which the rate holds, as 2026-11-20."`
	Currency string `arg:"" help:"The currency, as GBP."`
	Rate     string `arg:"" help:"What one euro costs in it, as 0.8774."`
}

// Run implements the command. What was kept for the same day before is replaced.
func (c ratesSetCommand) Run(sys *system) error {
	day, err := parseRateDay(c.Day)
	if err != nil {
		return err
	}
	rate, err := exchange.Parse(day, c.Currency, c.Rate)
	if err != nil {
		return err
	}
	rate.Source = exchange.Operator
	return c.use(sys, func(d *db.DB) error {
		err := d.Write(sys.ctx, func(tx *db.Tx) error {
			exchange.Set(tx, rate)
			return nil
		})
		if err != nil {
			return err
		}
		return c.show(rate)
	})
}

func parseRateDay(s string) (time.Time, error) {
	day, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("the day %q is no date like 2026-11-20", s)
	}
	return day, nil
}
