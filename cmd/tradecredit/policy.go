package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
	"tradecredit/internal/underwriting"
)

// policyCommand groups what is done with the rules of underwriting.
type policyCommand struct {
	Check  policyCheckCommand  `cmd:"" help:"Check the file of a policy without loading it."`
	Load   policyLoadCommand   `cmd:"" help:"Check a policy and let it decide from now on."`
	List   policyListCommand   `cmd:"" help:"List the policies that were loaded, the newest first."`
	Show   policyShowCommand   `cmd:"" help:"Print the text of a policy."`
	Inputs policyInputsCommand `cmd:"" help:"List the facts that the expressions of a policy can name."`
}

type policyCheckCommand struct {
	File string `arg:"" help:"The policy, a YAML file." type:"existingfile"`
	JSON bool   `help:"Print JSON."`
}

// policySummary is a policy for programs.
type policySummary struct {
	Name    string   `json:"name"`
	Version string   `json:"version"`
	Hash    string   `json:"hash"`
	Rules   []string `json:"rules"`
	Codes   []string `json:"codes"`
	// Merchant is set when the policy was loaded for one.
	Merchant string `json:"merchant,omitempty"`
}

func summary(p *underwriting.Policy, merchantID string) policySummary {
	return policySummary{p.Name, p.Version, p.Hash, p.RuleNames(), p.RuleCodes(), merchantID}
}

// readPolicy reads and checks a file. What is wrong with it is said with its
// places, one on a line.
func readPolicy(file string) (*underwriting.Policy, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	p, err := underwriting.ParsePolicy(file, text)
	var bad *underwriting.Problems
	if errors.As(err, &bad) {
		fmt.Fprintln(os.Stderr, bad)
		return nil, fmt.Errorf("%s is refused: %d problems", file, len(bad.List))
	}
	return p, err
}

// Run implements the command.
func (c policyCheckCommand) Run() error {
	p, err := readPolicy(c.File)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(summary(p, ""))
	}
	fmt.Println(p.Describe())
	return nil
}

type policyLoadCommand struct {
	storage
	File     string `arg:"" help:"The policy, a YAML file." type:"existingfile"`
	Merchant string `help:"The merchant it is for; every merchant without one of its own when it is left out."`
	JSON     bool   `help:"Print JSON."`
}

// Run implements the command.
func (c policyLoadCommand) Run(sys *system) error {
	p, err := readPolicy(c.File)
	if err != nil {
		return err
	}
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Write(sys.ctx, func(tx *db.Tx) error {
		if err := merchantExists(sys.ctx, tx, c.Merchant); err != nil {
			return err
		}
		underwriting.Load(tx, c.Merchant, p, underwriting.FromOperator, sys.clock.Now())
		return nil
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(summary(p, c.Merchant))
	}
	whom := c.Merchant
	if whom == "" {
		whom = "every merchant without a policy of its own"
	}
	fmt.Printf("%s\nIt decides from now on for %s.\n", p.Describe(), whom)
	return nil
}

// merchantExists fails for the id of a merchant that there is not. No id is fine.
func merchantExists(ctx context.Context, tx *db.Tx, merchantID string) error {
	if merchantID == "" {
		return nil
	}
	_, err := merchant.Get(ctx, tx, merchantID)
	if errors.Is(err, db.ErrNoRows) {
		err = fmt.Errorf("there is no merchant %s", merchantID)
	}
	return err
}

type policyListCommand struct {
	storage
	Merchant string `help:"The policies of this merchant; those of all merchants when it is left out."`
	JSON     bool   `help:"Print one JSON object a line."`
}

// maxListed bounds one listing of policies.
const maxListed = 1000

// Run implements the command.
func (c policyListCommand) Run(sys *system) error {
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	var found []underwriting.Loaded
	err = d.Read(sys.ctx, func(tx *db.Tx) (err error) {
		if err = merchantExists(sys.ctx, tx, c.Merchant); err == nil {
			found, err = underwriting.Policies(sys.ctx, tx, c.Merchant, maxListed)
		}
		return err
	})
	if err != nil {
		return err
	}
	for i, l := range found {
		if c.JSON {
			if err := json.NewEncoder(os.Stdout).Encode(l); err != nil {
				return err
			}
			continue
		}
		mark := " "
		if i == 0 {
			mark = "*"
		}
		fmt.Printf("%s %s  %.12s  %-8s  %s %s\n", mark, l.LoadedAt.Format("2006-01-02 15:04:05"), l.Hash, l.Origin, l.Name, l.Version)
	}
	if !c.JSON && len(found) == 0 {
		fmt.Println("None was loaded here.")
	}
	return nil
}

type policyShowCommand struct {
	storage
	Hash     string `arg:"" optional:"" help:"The hash of a policy, or its beginning; the one that decides now when it is left out."`
	Merchant string `help:"The merchant whose policy it is."`
	Default  bool   `help:"Show the policy that comes with the program."`
}

// Run implements the command. It prints the text as it was loaded, so that it can
// be changed and loaded again.
func (c policyShowCommand) Run(sys *system) error {
	if c.Default {
		p, err := underwriting.Default()
		if err == nil {
			fmt.Print(p.Source)
		}
		return err
	}
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Read(sys.ctx, func(tx *db.Tx) error {
		p, err := storedPolicy(sys.ctx, tx, c.Merchant, c.Hash)
		if err == nil {
			fmt.Print(p.Source)
		}
		return err
	})
}

// storedPolicy finds a policy by the beginning of its hash, of a merchant or of
// all; without one it is the policy that counts.
func storedPolicy(ctx context.Context, tx *db.Tx, merchantID, hash string) (*underwriting.Policy, error) {
	if err := merchantExists(ctx, tx, merchantID); err != nil {
		return nil, err
	}
	if hash != "" {
		whole, err := wholeHash(ctx, tx, merchantID, hash)
		if err != nil {
			return nil, err
		}
		hash = whole
	}
	return underwriting.Find(ctx, tx, merchantID, hash)
}

func wholeHash(ctx context.Context, tx *db.Tx, merchantID, hash string) (string, error) {
	for _, owner := range []string{merchantID, ""} {
		found, err := underwriting.Policies(ctx, tx, owner, maxListed)
		if err != nil {
			return "", err
		}
		for _, l := range found {
			if strings.HasPrefix(l.Hash, hash) {
				return l.Hash, nil
			}
		}
	}
	return "", fmt.Errorf("there is no policy %s", hash)
}

type policyInputsCommand struct {
	JSON bool `help:"Print one JSON object a line."`
}

// Run implements the command.
func (c policyInputsCommand) Run() error {
	for _, f := range underwriting.Inputs() {
		if !c.JSON {
			fmt.Printf("%-34s %-13s %s\n", f.Name, f.Kind, f.Doc)
			continue
		}
		err := json.NewEncoder(os.Stdout).Encode(map[string]string{"name": f.Name, "type": string(f.Kind), "doc": f.Doc})
		if err != nil {
			return err
		}
	}
	return nil
}
