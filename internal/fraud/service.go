package fraud

import (
	"context"
	"fmt"
	"sync"

	"tradecredit/internal/db"
	"tradecredit/internal/id"
	"tradecredit/internal/secret"
	"tradecredit/internal/underwriting"
)

// Engine decides on accepted plans by the merchant's rules. It is safe for
// concurrent use.
type Engine struct {
	key      secret.Key
	mu       sync.Mutex
	compiled map[string]*Rules
}

// SecretName is the name of the secret that identifiers are hashed under.
const SecretName = "fraud"

// NewEngine returns the engine. key is the secret of SecretName.
func NewEngine(key secret.Key) *Engine { return &Engine{key: key, compiled: map[string]*Rules{}} }

// Review decides on an accepted plan and keeps a record of it in the transaction. It
// locks what it counts until the transaction ends. code is set when it rejects.
func (e *Engine) Review(ctx context.Context, tx *db.Tx, a underwriting.Application) (outcome underwriting.Outcome, code string, err error) {
	s, err := meet(ctx, tx, a)
	if err != nil {
		return "", "", err
	}
	r, err := e.rules(ctx, tx, a, s.rules)
	if err != nil {
		return "", "", err
	}
	in, all := s.inputs(), e.identifiers(s)
	if err := compare(ctx, tx, r, s, all, &in); err != nil {
		return "", "", err
	}
	d := Decision{
		ID: id.New(id.FraudDecision), Merchant: a.Merchant.ID, Company: a.Buyer.CompanyID, Organisation: a.OrganisationID,
		Order: a.OrderID, Plan: a.PlanID, Rules: r.Hash, Amount: a.Amount, Currency: a.Currency,
		Inputs: in, Verdict: r.Decide(in), DecidedAt: a.Now,
	}
	if err := insert(tx, d); err != nil {
		return "", "", err
	}
	remember(tx, r, s, all, d)
	switch d.Verdict.Outcome {
	case underwriting.CustomerActionRequired:
		err = Ask(tx, d.Merchant, d.Plan, d.Verdict.Documents, d.DecidedAt)
	case underwriting.Rejected:
		code = RejectionCode
	}
	return d.Verdict.Outcome, code, err
}

// rules returns those with a hash: the text is read only when this process has not
// read it yet. Without a hash they are those that come with the program.
func (e *Engine) rules(ctx context.Context, tx *db.Tx, a underwriting.Application, hash string) (*Rules, error) {
	if hash == "" {
		return Default(a.Merchant.Environment)
	}
	e.mu.Lock()
	r := e.compiled[hash]
	e.mu.Unlock()
	if r != nil {
		return r, nil
	}
	r, err := Find(ctx, tx, a.Merchant.ID, hash)
	if err != nil {
		return nil, fmt.Errorf("fraud: the rules %s: %w", hash, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.compiled) >= maxCompiled {
		clear(e.compiled)
	}
	e.compiled[hash] = r
	return r, nil
}

// maxCompiled bounds how many rules are kept ready.
const maxCompiled = 500
