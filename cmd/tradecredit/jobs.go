package main

import (
	"encoding/json"
	"fmt"
	"os"

	"tradecredit/internal/db"
	"tradecredit/internal/job"
)

// jobsCommand groups what is done with work that was given up.
type jobsCommand struct {
	List  jobsListCommand  `cmd:"" default:"withargs" help:"List what was given up, with the reasons."`
	Retry jobsRetryCommand `cmd:"" help:"Put work that was given up back, to be done now."`
}

// maxParked bounds one listing.
const maxParked = 1000

func parked(sys *system, d *db.DB) (out []job.Parked, err error) {
	err = d.Read(sys.ctx, func(tx *db.Tx) error {
		out, err = job.ListParked(sys.ctx, tx, maxParked)
		return err
	})
	return out, err
}

type jobsListCommand struct {
	storage
	JSON bool `help:"Print one JSON object a line."`
}

// Run implements the command.
func (c jobsListCommand) Run(sys *system) error {
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	found, err := parked(sys, d)
	if err != nil {
		return err
	}
	for _, p := range found {
		if c.JSON {
			if err := json.NewEncoder(os.Stdout).Encode(p); err != nil {
				return err
			}
			continue
		}
		fmt.Printf("%s  %s  %s  %s  %s\n", p.At.Format("2006-01-02 15:04:05"), p.MerchantID, p.Kind, p.ObjectID, p.Reason)
	}
	if !c.JSON {
		fmt.Printf("%d parked\n", len(found))
	}
	return nil
}

type jobsRetryCommand struct {
	storage
	Object string `arg:"" optional:"" help:"The object, as jobs list shows it; everything when it is left out."`
	JSON   bool   `help:"Print one JSON object a line."`
}

// Run implements the command.
func (c jobsRetryCommand) Run(sys *system) error {
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	found, err := parked(sys, d)
	if err != nil {
		return err
	}
	count := 0
	for _, p := range found {
		if c.Object != "" && p.ObjectID != c.Object {
			continue
		}
		var done bool
		err := d.Write(sys.ctx, func(tx *db.Tx) (err error) {
			done, err = job.Retry(sys.ctx, tx, p, sys.clock.Now())
			return err
		})
		if err != nil {
			return err
		}
		if !done {
			continue
		}
		count++
		if c.JSON {
			if err := json.NewEncoder(os.Stdout).Encode(p); err != nil {
				return err
			}
		}
	}
	if !c.JSON {
		fmt.Printf("%d put back\n", count)
	}
	if c.Object != "" && count == 0 {
		return fmt.Errorf("nothing is parked for %s", c.Object)
	}
	return nil
}
