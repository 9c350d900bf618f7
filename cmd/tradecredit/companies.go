package main

import (
	"encoding/json"
	"fmt"
	"os"

	"tradecredit/internal/company"
)

// companiesCommand groups what is done with the register of companies.
type companiesCommand struct {
	Import companiesImportCommand `cmd:"" help:"Import the companies of a public register from its file."`
}

type companiesImportCommand struct {
	storage
	Source         string `arg:"" help:"The register: companies-house, sirene or gleif." enum:"companies-house,sirene,gleif"`
	File           string `arg:"" help:"The register's CSV file, as published: plain, .zip or .gz." type:"existingfile"`
	Establishments string `help:"For sirene: the file StockEtablissement, which has the addresses." type:"existingfile"`
	Force          bool   `help:"Import a file that was imported before, or is much shorter than the edition in use."`
	JSON           bool   `help:"Print the report as JSON."`
}

// Run implements the command. An import that was interrupted goes on where it
// stopped when it is called again with the same file.
func (c companiesImportCommand) Run(sys *system) error {
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	report, err := company.ImportFile(sys.ctx, d, company.Source(c.Source), c.File, c.Establishments, company.Options{
		Force: c.Force, Clock: sys.clock, Progress: showProgress,
	})
	if c.JSON {
		return finish(err, json.NewEncoder(os.Stdout).Encode(report))
	}
	for _, bad := range report.BadLines {
		fmt.Fprintf(os.Stderr, "line %d: %s\n", bad.Line, bad.Reason)
	}
	switch {
	case err != nil:
		return err
	case report.Unchanged:
		fmt.Println("This file was imported before; nothing was changed.")
	default:
		fmt.Printf("%d rows read, %d companies imported, %d not wanted, %d unusable. The new edition is in use.\n",
			report.Rows, report.Imported, report.Skipped, report.Bad)
	}
	return nil
}

// finish returns the first of two errors.
func finish(first, second error) error {
	if first != nil {
		return first
	}
	return second
}

// showProgress tells how far an import has got, on the error stream.
func showProgress(p company.Progress) {
	if p.Size > 0 {
		fmt.Fprintf(os.Stderr, "%3d %%  %d rows  %d rows a second\n", p.Bytes*100/p.Size, p.Rows, p.RowsPerSecond)
		return
	}
	fmt.Fprintf(os.Stderr, "%d rows  %d rows a second\n", p.Rows, p.RowsPerSecond)
}
