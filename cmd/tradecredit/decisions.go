package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"

	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
	"tradecredit/internal/money"
	"tradecredit/internal/underwriting"
)

// decisionsCommand groups what is done with the records of underwriting.
type decisionsCommand struct {
	List    decisionsListCommand    `cmd:"" help:"List the newest decisions of a merchant."`
	Show    decisionsShowCommand    `cmd:"" help:"Print a decision with everything it was made on, as JSON."`
	Explain decisionsExplainCommand `cmd:"" help:"Make a decision again and explain it, rule by rule."`
	Replay  decisionsReplayCommand  `cmd:"" help:"Make all decisions again with another policy and count what would be different."`
}

type decisionsListCommand struct {
	storage
	Merchant string `arg:"" help:"The merchant's id."`
	Order    string `help:"Only those on this order."`
	Limit    int    `help:"How many to show." default:"50"`
	JSON     bool   `help:"Print one JSON object a line."`
}

// Run implements the command.
func (c decisionsListCommand) Run(sys *system) error {
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	var found []underwriting.Record
	err = d.Read(sys.ctx, func(tx *db.Tx) (err error) {
		if err = merchantExists(sys.ctx, tx, c.Merchant); err == nil {
			found, err = underwriting.Records(sys.ctx, tx, c.Merchant, c.Order, min(max(c.Limit, 1), maxListed))
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, r := range found {
		if c.JSON {
			if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
				return err
			}
			continue
		}
		fmt.Printf("%s  %s  %-6s  %-8s %-26s %14s  %s\n", r.DecidedAt.Format("2006-01-02 15:04:05"), r.ID, r.Kind, r.Outcome,
			r.Reason, amount(r.Amount, r.Currency), r.Order)
	}
	return nil
}

// amount writes minor units for people.
func amount(minor int64, currency string) string {
	digits, ok := money.Exponent(currency)
	if !ok {
		digits = 2
	}
	return money.FormatFixed(minor, digits) + " " + currency
}

// one names a decision. The merchant is looked for when it is not given.
type one struct {
	Decision string `arg:"" help:"The decision's id, dec-…"`
	Merchant string `help:"The merchant whose decision it is; all are searched when it is left out."`
}

// find returns the record.
func (o one) find(sys *system, d *db.DB) (r underwriting.Record, err error) {
	if o.Merchant != "" {
		return o.of(sys, d, o.Merchant)
	}
	err = eachMerchant(sys, d, func(id string) (bool, error) {
		found, err := o.of(sys, d, id)
		if errors.Is(err, errNoDecision) {
			return true, nil
		}
		r = found
		return false, err
	})
	if err == nil && r.ID == "" {
		err = errNoDecision
	}
	return r, err
}

var errNoDecision = errors.New("there is no such decision")

func (o one) of(sys *system, d *db.DB, merchantID string) (r underwriting.Record, err error) {
	err = d.Read(sys.ctx, func(tx *db.Tx) (err error) {
		r, err = underwriting.GetRecord(sys.ctx, tx, merchantID, o.Decision)
		return err
	})
	if errors.Is(err, db.ErrNoRows) {
		err = errNoDecision
	}
	return r, err
}

// eachMerchant calls f for every merchant until it says no.
func eachMerchant(sys *system, d *db.DB, f func(id string) (more bool, err error)) error {
	after := ""
	for {
		var page []merchant.Merchant
		err := d.Read(sys.ctx, func(tx *db.Tx) (err error) {
			page, err = merchant.List(sys.ctx, tx, after, 500)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, m := range page {
			after = m.ID
			if more, err := f(m.ID); err != nil || !more {
				return err
			}
		}
	}
}

type decisionsShowCommand struct {
	storage
	one
}

// Run implements the command.
func (c decisionsShowCommand) Run(sys *system) error {
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	r, err := c.find(sys, d)
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	return out.Encode(r)
}

type decisionsExplainCommand struct {
	storage
	one
	against
	JSON bool `help:"Print JSON."`
}

// against names the policy to decide with.
type against struct {
	Policy string `help:"The file of another policy to decide with." type:"existingfile" xor:"policy"`
	Hash   string `help:"The hash of another loaded policy to decide with, or its beginning." xor:"policy"`
}

// find returns the policy; otherwise is the hash of the one when none is named.
func (a against) find(sys *system, d *db.DB, merchantID, otherwise string) (p *underwriting.Policy, err error) {
	if a.Policy != "" {
		return readPolicy(a.Policy)
	}
	hash := a.Hash
	if hash == "" {
		hash = otherwise
	}
	err = d.Read(sys.ctx, func(tx *db.Tx) error {
		p, err = storedPolicy(sys.ctx, tx, merchantID, hash)
		return err
	})
	return p, err
}

// Run implements the command.
func (c decisionsExplainCommand) Run(sys *system) error {
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	r, err := c.one.find(sys, d)
	if err != nil {
		return err
	}
	p, err := c.against.find(sys, d, r.Merchant, r.Policy)
	if err != nil {
		return err
	}
	e, err := p.Explain(r.Case)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(e)
	}
	explain(os.Stdout, r, e)
	return nil
}

// explain writes an explanation for people.
func explain(w io.Writer, r underwriting.Record, e underwriting.Explanation) {
	fmt.Fprintf(w, "%s on %s, %s, by the policy %s\n", r.ID, r.Order, amount(r.Amount, r.Currency), e.Policy)
	fmt.Fprintf(w, "limit %s (%s), available %s\n", amount(e.Limit, r.Currency), e.LimitRule, amount(e.Available, r.Currency))
	if e.Marked {
		fmt.Fprintln(w, "the sandbox declines every order of this company")
	}
	for _, x := range e.Rules {
		plan := ""
		if x.Plan != nil {
			plan = fmt.Sprintf(" (plan %d)", *x.Plan+1)
		}
		fmt.Fprintf(w, "  %-8s  %s%s\n", x.Result, x.Rule, plan)
		if x.Result == underwriting.Passed.String() {
			continue
		}
		fmt.Fprintf(w, "              when %s\n", x.When)
		for _, name := range slices.Sorted(maps.Keys(x.Values)) {
			fmt.Fprintf(w, "              %s = %v\n", name, x.Values[name])
		}
		if x.Error != "" {
			fmt.Fprintf(w, "              %s\n", x.Error)
		}
	}
	fmt.Fprintf(w, "%s %s\n", e.Outcome, e.Detail)
	for _, x := range e.Changes {
		suffices := "would let this rule pass"
		if x.Enough {
			suffices = "would have been enough"
		}
		fmt.Fprintf(w, "  %s: %v instead of %v %s (%s)\n", x.Name, x.To, x.From, suffices, x.Rule)
	}
}

type decisionsReplayCommand struct {
	storage
	against
	Merchant string `help:"Only the decisions of this merchant."`
	JSON     bool   `help:"Print JSON."`
}

// Run implements the command. How far it is stands on the standard error output.
func (c decisionsReplayCommand) Run(sys *system) error {
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	p, err := c.against.find(sys, d, c.Merchant, "")
	if err != nil {
		return err
	}
	result := underwriting.NewComparison(p)
	replay := func(id string) (bool, error) {
		return true, underwriting.Replay(sys.ctx, d, id, p, result, func(done int64) {
			if done%10_000 == 0 {
				fmt.Fprintf(os.Stderr, "%d decisions\n", done)
			}
		})
	}
	if c.Merchant != "" {
		_, err = replay(c.Merchant)
	} else {
		err = eachMerchant(sys, d, replay)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(result)
	}
	compare(os.Stdout, result)
	return nil
}

// compare writes a comparison for people.
func compare(w io.Writer, c *underwriting.Comparison) {
	fmt.Fprintf(w, "%d decisions made again by the policy %s\n", c.Decisions, c.Policy)
	fmt.Fprintf(w, "  the same         %d\n  newly declined   %d\n", c.Same, c.NewlyDeclined)
	for _, currency := range slices.Sorted(maps.Keys(c.DeclinedAmounts)) {
		fmt.Fprintf(w, "      %s\n", amount(c.DeclinedAmounts[currency], currency))
	}
	fmt.Fprintf(w, "  newly offered    %d\n", c.NewlyOffered)
	for _, currency := range slices.Sorted(maps.Keys(c.OfferedAmounts)) {
		fmt.Fprintf(w, "      %s\n", amount(c.OfferedAmounts[currency], currency))
	}
	fmt.Fprintf(w, "  another reason   %d\n  other plans      %d\n  another limit    %d\n", c.ReasonChanged, c.PlansChanged, c.LimitChanged)
	if c.Unseen > 0 {
		fmt.Fprintf(w, "  %d lack a fact that the policy asks for and nobody looked at; it was taken to pass\n", c.Unseen)
	}
	for _, code := range slices.Sorted(maps.Keys(c.Reasons)) {
		r := c.Reasons[code]
		fmt.Fprintf(w, "  %-28s was %d, would be %d (%d fewer, %d new)\n", code, r.Was, r.Is, r.Lost, r.New)
	}
}
