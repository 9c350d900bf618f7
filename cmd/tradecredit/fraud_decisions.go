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

	"tradecredit/internal/db"
	"tradecredit/internal/fraud"
)

type fraudDecisionsCommand struct {
	List    fraudDecisionsListCommand `cmd:"" help:"List the newest decisions of a merchant."`
	Show    fraudDecisionShowCommand  `cmd:"" help:"Print a decision with everything it was made on, as JSON."`
	Explain fraudExplainCommand       `cmd:"" help:"Tell what led to a decision, and what it would be with other rules."`
}

type fraudDecisionsListCommand struct {
	storage
	Merchant string `arg:"" help:"The merchant's id."`
	Order    string `help:"Only those on this order." xor:"only"`
	Outcome  string `help:"Only those with this outcome." enum:",accepted,pending_review,customer_action_required,rejected" default:"" xor:"only"`
	Limit    int    `help:"How many to show." default:"50"`
	JSON     bool   `help:"Print one JSON object a line."`
}

// Run implements the command.
func (c fraudDecisionsListCommand) Run(sys *system) error {
	var found []fraud.Decision
	err := c.storage.read(sys, func(ctx context.Context, tx *db.Tx) (err error) {
		if err = merchantExists(ctx, tx, c.Merchant); err == nil {
			found, err = fraud.List(ctx, tx, c.Merchant, c.Order, c.Outcome, min(max(c.Limit, 1), maxListed))
		}
		return err
	})
	if err != nil {
		return err
	}
	return printEach(found, c.JSON, func(d fraud.Decision) string {
		return fmt.Sprintf("%s  %s  %-24s %4d  %14s  %s", d.DecidedAt.Format("2006-01-02 15:04:05"), d.ID, d.Verdict.Outcome,
			d.Verdict.Score, amount(d.Amount, d.Currency), d.Order)
	})
}

// suspicion names a decision. The merchant is looked for when it is not given.
type suspicion struct {
	Decision string `arg:"" help:"The decision's id, frd-…"`
	Merchant string `help:"The merchant whose decision it is; all are searched when it is left out."`
}

func (s suspicion) find(sys *system, d *db.DB) (found fraud.Decision, err error) {
	err = ofMerchants(sys, d, s.Merchant, func(id string) error {
		if found.ID != "" {
			return nil
		}
		return d.Read(sys.ctx, func(tx *db.Tx) error {
			got, err := fraud.Get(sys.ctx, tx, id, s.Decision)
			if errors.Is(err, db.ErrNoRows) {
				return nil
			}
			found = got
			return err
		})
	})
	if err == nil && found.ID == "" {
		err = errNoDecision
	}
	return found, err
}

type fraudDecisionShowCommand struct {
	storage
	suspicion
}

// Run implements the command.
func (c fraudDecisionShowCommand) Run(sys *system) error {
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	found, err := c.find(sys, d)
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	return out.Encode(found)
}

type fraudExplainCommand struct {
	storage
	suspicion
	Rules string `help:"The file of other rules to decide with." type:"existingfile"`
	JSON  bool   `help:"Print JSON."`
}

// Run implements the command.
func (c fraudExplainCommand) Run(sys *system) error {
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	found, err := c.find(sys, d)
	if err != nil {
		return err
	}
	r, err := c.with(sys, d, found)
	if err != nil {
		return err
	}
	v := r.Decide(found.Inputs)
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(struct {
			Decision string        `json:"decision"`
			Rules    string        `json:"rules"`
			Verdict  fraud.Verdict `json:"verdict"`
		}{found.ID, r.String(), v})
	}
	fmt.Printf("%s on %s, %s, by the rules %s\n", found.ID, found.Order, amount(found.Amount, found.Currency), r)
	if v.List != "" {
		fmt.Printf("stands on the list %s\n", v.List)
	}
	for _, f := range v.Fired {
		fmt.Printf("  %4d  %s%s\n", f.Points, f.Name, facts(f.Facts))
	}
	t := r.Thresholds
	fmt.Printf("  %4d  %s (customer_action_required from %d, pending_review from %d, rejected from %d)\n",
		v.Score, v.Outcome, t.CustomerActionRequired, t.PendingReview, t.Rejected)
	if len(v.Documents) > 0 {
		fmt.Println("the buyer is asked for", strings.Join(v.Documents, ", "))
	}
	for _, name := range v.Unseen {
		fmt.Printf("  nobody looked at what %q looks at\n", name)
	}
	return nil
}

// with returns the rules to decide with: of the file, or those that decided.
func (c fraudExplainCommand) with(sys *system, d *db.DB, found fraud.Decision) (r *fraud.Rules, err error) {
	if c.Rules != "" {
		return readRules(c.Rules)
	}
	err = d.Read(sys.ctx, func(tx *db.Tx) error {
		r, err = fraud.Find(sys.ctx, tx, found.Merchant, found.Rules)
		return err
	})
	return r, err
}

// facts writes what a signal saw.
func facts(all map[string]any) string {
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&out, "  %s=%v", name, all[name])
	}
	return out.String()
}
