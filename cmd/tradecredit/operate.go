package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime/debug"

	"tradecredit/internal/app"
)

type migrateCommand struct{ storage }

// Run implements the command.
func (c migrateCommand) Run(sys *system) error {
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	d.Close()
	fmt.Println("The database is up to date.")
	return nil
}

type verifyCommand struct {
	storage
	JSON bool `help:"Print JSON."`
}

// Run implements the command. It fails when there is any difference.
func (c verifyCommand) Run(sys *system) error {
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	r, err := app.Verify(sys.ctx, d)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
			return err
		}
	} else {
		fmt.Printf("%d merchants, %d deferred payments, %d post-sale events: %d problems\n",
			r.Merchants, r.DeferredPayments, r.PostSaleEvents, len(r.Problems))
		for _, p := range r.Problems {
			fmt.Println(" ", p)
		}
	}
	if len(r.Problems) > 0 {
		return fmt.Errorf("the books have %d problems", len(r.Problems))
	}
	return nil
}

type versionCommand struct{}

// Run implements the command.
func (versionCommand) Run() error {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				version += " " + s.Value
			}
		}
	}
	fmt.Println("tradecredit", version)
	return nil
}
