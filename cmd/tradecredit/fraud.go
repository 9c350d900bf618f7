package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"tradecredit/internal/app"
	"tradecredit/internal/db"
	"tradecredit/internal/fraud"
	"tradecredit/internal/merchant"
	"tradecredit/internal/secret"
)

// fraudCommand groups what decides on the plans that buyers accept.
type fraudCommand struct {
	Rules     fraudRulesCommand     `cmd:"" help:"Check, load and show the rules about fraud."`
	List      fraudListCommand      `cmd:"" help:"Change and show the lists of who is always rejected, reviewed or accepted."`
	Decisions fraudDecisionsCommand `cmd:"" help:"Show and explain the decisions on accepted plans."`
	Replay    fraudReplayCommand    `cmd:"" help:"Make all decisions again with other rules and count what would be different."`
}

type fraudRulesCommand struct {
	Check   fraudCheckCommand   `cmd:"" help:"Check a file of rules without loading it."`
	Load    fraudLoadCommand    `cmd:"" help:"Check rules and let them decide from now on."`
	Show    fraudShowCommand    `cmd:"" help:"Print the text of the rules that decide, or of others."`
	History fraudHistoryCommand `cmd:"" help:"List the rules that were loaded, the newest first."`
	Signals fraudSignalsCommand `cmd:"" help:"List the kinds of signals and their parameters."`
}

// readRules reads and checks a file.
func readRules(file string) (*fraud.Rules, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	r, err := fraud.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s is refused:\n%w", file, err)
	}
	return r, nil
}

// loadedRules are rules for programs.
type loadedRules struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	Hash    string   `json:"hash"`
	Signals []string `json:"signals"`
	// Merchant is set when they were loaded for one.
	Merchant string `json:"merchant,omitempty"`
}

func tellRules(r *fraud.Rules, merchantID string, asJSON bool) error {
	out := loadedRules{Name: r.Name, Version: r.Version, Hash: r.Hash, Merchant: merchantID}
	for _, s := range r.Signals {
		out.Signals = append(out.Signals, s.Name)
	}
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(out)
	}
	fmt.Printf("%s, %d signals, %.12s\n", r, len(r.Signals), r.Hash)
	return nil
}

type fraudCheckCommand struct {
	File string `arg:"" help:"The rules, a YAML file." type:"existingfile"`
	JSON bool   `help:"Print JSON."`
}

// Run implements the command.
func (c fraudCheckCommand) Run() error {
	r, err := readRules(c.File)
	if err != nil {
		return err
	}
	return tellRules(r, "", c.JSON)
}

type fraudLoadCommand struct {
	storage
	File     string `arg:"" help:"The rules, a YAML file." type:"existingfile"`
	Merchant string `help:"The merchant they are for; every merchant without rules of its own when it is left out."`
	JSON     bool   `help:"Print JSON."`
}

// Run implements the command.
func (c fraudLoadCommand) Run(sys *system) error {
	r, err := readRules(c.File)
	if err != nil {
		return err
	}
	err = c.storage.write(sys, func(ctx context.Context, tx *db.Tx) error {
		if err := merchantExists(ctx, tx, c.Merchant); err != nil {
			return err
		}
		fraud.Load(tx, c.Merchant, r, fraud.FromOperator, sys.clock.Now())
		return nil
	})
	if err != nil {
		return err
	}
	return tellRules(r, c.Merchant, c.JSON)
}

// write opens the database for one change.
func (s storage) write(sys *system, change func(ctx context.Context, tx *db.Tx) error) error {
	d, err := s.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Write(sys.ctx, func(tx *db.Tx) error { return change(sys.ctx, tx) })
}

type fraudShowCommand struct {
	storage
	Hash     string `arg:"" optional:"" help:"The hash of rules; those that decide now when it is left out."`
	Merchant string `help:"The merchant whose rules they are."`
	Default  string `help:"Show the rules that come with the program for sandbox or production." enum:",sandbox,production" default:""`
}

// Run implements the command. It prints the text as it was loaded, so that it can be
// changed and loaded again.
func (c fraudShowCommand) Run(sys *system) error {
	var r *fraud.Rules
	var err error
	if c.Default != "" {
		r, err = fraud.Default(merchant.Environment(c.Default))
	} else {
		err = c.storage.read(sys, func(ctx context.Context, tx *db.Tx) (err error) {
			if err = merchantExists(ctx, tx, c.Merchant); err != nil {
				return err
			}
			r, err = fraud.Find(ctx, tx, c.Merchant, c.Hash)
			switch {
			case errors.Is(err, db.ErrNoRows) && c.Hash == "":
				// Nothing was served yet.
				r, err = fraud.Default(merchant.Environment(c.Environment))
			case errors.Is(err, db.ErrNoRows):
				err = fmt.Errorf("there are no rules %s", c.Hash)
			}
			return err
		})
	}
	if err == nil {
		fmt.Print(r.Source)
	}
	return err
}

type fraudHistoryCommand struct {
	storage
	Merchant string `help:"The rules of this merchant; those of all merchants when it is left out."`
	JSON     bool   `help:"Print one JSON object a line."`
}

// Run implements the command.
func (c fraudHistoryCommand) Run(sys *system) error {
	var found []fraud.Loaded
	err := c.storage.read(sys, func(ctx context.Context, tx *db.Tx) (err error) {
		if err = merchantExists(ctx, tx, c.Merchant); err == nil {
			found, err = fraud.AllLoaded(ctx, tx, c.Merchant, maxListed)
		}
		return err
	})
	if err != nil {
		return err
	}
	return printEach(found, c.JSON, func(l fraud.Loaded) string {
		return fmt.Sprintf("%s  %s  %-8s  %s %s", l.LoadedAt.Format("2006-01-02 15:04:05"), l.Hash, l.Origin, l.Name, l.Version)
	})
}

// printEach prints one line for each, for people or as JSON.
func printEach[T any](all []T, asJSON bool, line func(T) string) error {
	for _, x := range all {
		if !asJSON {
			fmt.Println(line(x))
		} else if err := json.NewEncoder(os.Stdout).Encode(x); err != nil {
			return err
		}
	}
	return nil
}

type fraudSignalsCommand struct {
	JSON bool `help:"Print one JSON object a line."`
}

// Run implements the command.
func (c fraudSignalsCommand) Run() error {
	type signal struct {
		Name       string   `json:"signal"`
		Parameters []string `json:"parameters"`
		Doc        string   `json:"doc"`
	}
	var all []signal
	for _, name := range fraud.SignalKinds() {
		doc, parameters := fraud.SignalDoc(name)
		all = append(all, signal{name, parameters, doc})
	}
	return printEach(all, c.JSON, func(s signal) string {
		return fmt.Sprintf("%-18s %s\n%18s %s", s.Name, s.Doc, "", strings.Join(s.Parameters, ", "))
	})
}

type fraudListCommand struct {
	Add    fraudAddCommand     `cmd:"" help:"Put somebody on a list, and take them off another."`
	Remove fraudRemoveCommand  `cmd:"" help:"Take somebody off a list."`
	Show   fraudEntriesCommand `cmd:"" help:"Show the lists, oldest entry first."`
}

// listed names an entry of a list.
type listed struct {
	Of       string `arg:"" help:"company, email_domain, email or phone." enum:"company,email_domain,email,phone"`
	Value    string `arg:"" help:"The company's id, the domain, the address, or the number with + and its country."`
	Merchant string `help:"The merchant that it counts for; every merchant when it is left out."`
}

// change opens the database and changes a list in a transaction.
func (l listed) change(sys *system, at storage, f func(ctx context.Context, tx *db.Tx, key secret.Key) error) error {
	d, err := at.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	key, err := app.FraudKey(sys.ctx, d)
	if err != nil {
		return err
	}
	return d.Write(sys.ctx, func(tx *db.Tx) error {
		if err := merchantExists(sys.ctx, tx, l.Merchant); err != nil {
			return err
		}
		return f(sys.ctx, tx, key)
	})
}

type fraudAddCommand struct {
	storage
	List string `arg:"" help:"deny, review or allow." enum:"deny,review,allow"`
	listed
	Note string `help:"Why; kept with the entry."`
}

// Run implements the command.
func (c fraudAddCommand) Run(sys *system) error {
	return c.listed.change(sys, c.storage, func(ctx context.Context, tx *db.Tx, key secret.Key) error {
		return fraud.Put(tx, key, fraud.Entry{
			Merchant: c.Merchant, List: c.List, Of: c.Of, Value: c.Value, Note: c.Note, AddedAt: sys.clock.Now(),
		})
	})
}

type fraudRemoveCommand struct {
	storage
	listed
}

// Run implements the command.
func (c fraudRemoveCommand) Run(sys *system) error {
	return c.listed.change(sys, c.storage, func(ctx context.Context, tx *db.Tx, key secret.Key) error {
		found, err := fraud.Remove(ctx, tx, key, c.Merchant, c.Of, c.Value)
		if err == nil && !found {
			err = fmt.Errorf("it stands on no list")
		}
		return err
	})
}

type fraudEntriesCommand struct {
	storage
	Merchant string `help:"The lists of this merchant; those of all merchants when it is left out."`
	JSON     bool   `help:"Print one JSON object a line."`
}

// maxEntries bounds one showing of a list.
const maxEntries = 100_000

// Run implements the command.
func (c fraudEntriesCommand) Run(sys *system) error {
	var found []fraud.Entry
	err := c.storage.read(sys, func(ctx context.Context, tx *db.Tx) (err error) {
		if err = merchantExists(ctx, tx, c.Merchant); err == nil {
			found, err = fraud.Entries(ctx, tx, c.Merchant, maxEntries)
		}
		return err
	})
	if err != nil {
		return err
	}
	return printEach(found, c.JSON, func(e fraud.Entry) string {
		return fmt.Sprintf("%s  %-6s  %-12s  %s  %s", e.AddedAt.Format("2006-01-02 15:04"), e.List, e.Of, e.Value, e.Note)
	})
}

type fraudReplayCommand struct {
	storage
	Rules    string `help:"The file of the other rules." type:"existingfile" required:""`
	Merchant string `help:"Only the decisions of this merchant."`
	JSON     bool   `help:"Print JSON."`
}

// Run implements the command.
func (c fraudReplayCommand) Run(sys *system) error {
	r, err := readRules(c.Rules)
	if err != nil {
		return err
	}
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	result := fraud.NewComparison(r)
	err = ofMerchants(sys, d, c.Merchant, func(id string) error { return fraud.Replay(sys.ctx, d, id, r, result) })
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(result)
	}
	fmt.Printf("%d decisions made again by the rules %s\n  the same  %d\n", result.Decisions, result.Rules, result.Same)
	for _, name := range slices.Sorted(maps.Keys(result.Changes)) {
		change := result.Changes[name]
		fmt.Printf("  %s  %d\n", name, change.Decisions)
		for _, currency := range slices.Sorted(maps.Keys(change.Amounts)) {
			fmt.Printf("      %s\n", amount(change.Amounts[currency], currency))
		}
	}
	if result.Unseen > 0 {
		fmt.Printf("  %d lack something that a signal looks at and nobody counted; it was taken not to fire\n", result.Unseen)
	}
	for _, name := range slices.Sorted(maps.Keys(result.Signals)) {
		fmt.Printf("  %-40s fired %d, would %d\n", name, result.Signals[name].Was, result.Signals[name].Is)
	}
	return nil
}

// ofMerchants calls f for one merchant, or for every one when none is named.
func ofMerchants(sys *system, d *db.DB, merchantID string, f func(id string) error) error {
	if merchantID == "" {
		return eachMerchant(sys, d, func(id string) (bool, error) { return true, f(id) })
	}
	if err := d.Read(sys.ctx, func(tx *db.Tx) error { return merchantExists(sys.ctx, tx, merchantID) }); err != nil {
		return err
	}
	return f(merchantID)
}
