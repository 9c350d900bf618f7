package underwriting

import (
	"context"
	"fmt"
	"sync"

	"tradecredit/internal/db"
	"tradecredit/internal/id"
)

// Rules is the Engine that applies the merchant's policy. It is safe for
// concurrent use.
type Rules struct {
	// Arrears tells how many overdue deferred payments a company has with the seller,
	// what is outstanding of them in a currency, and for how many days the oldest is
	// overdue. Nil knows of none.
	Arrears func(ctx context.Context, tx *db.Tx, a Application) (payments, amount, days int64, err error)

	mu       sync.Mutex
	compiled map[string]*Policy
}

// NewRules returns the engine.
func NewRules() *Rules { return &Rules{compiled: map[string]*Policy{}} }

// lateDays is from how many days on an overdue deferred payment counts: before, it
// is reminded of, and says little about the buyer.
const lateDays = 30

// Assess implements Engine. It keeps a record of the decision in the transaction;
// an application without an order is a question, of which none is kept. Without a
// transaction the default policy decides, on the application alone.
func (e *Rules) Assess(ctx context.Context, tx *db.Tx, a Application) (Assessment, error) {
	if tx == nil {
		p, err := Default()
		if err != nil {
			return Assessment{}, err
		}
		v, err := p.Decide(CaseOf(a, History{}), nil)
		return assessment(v), err
	}
	p, err := e.policy(ctx, tx, a.Merchant.ID)
	if err != nil {
		return Assessment{}, err
	}
	h, err := history(ctx, tx, a)
	if err != nil {
		return Assessment{}, err
	}
	if e.Arrears != nil && a.Buyer.CompanyID != "" {
		payments, amount, days, err := e.Arrears(ctx, tx, a)
		if err != nil {
			return Assessment{}, err
		}
		if days >= lateDays {
			h.Overdue, h.OverdueAmount, h.MaxOverdueDays = h.Overdue+payments, h.OverdueAmount+amount, max(h.MaxOverdueDays, days)
		}
	}
	c := CaseOf(a, h)
	v, err := p.Decide(c, lookUp(ctx, tx, c.Facts))
	if err != nil {
		return Assessment{}, err
	}
	out := assessment(v)
	if a.OrderID == "" {
		return out, nil
	}
	out.Decision = id.New(id.Decision)
	if a.PlanID != "" {
		joins(tx, Division(a.Buyer.Sectors), a.Buyer.CompanyID)
	}
	return out, insertRecord(tx, keep(out.Decision, a, p, c, v))
}

// Review implements Engine: without a history there is nothing to suspect.
func (e *Rules) Review(context.Context, *db.Tx, Application) (Outcome, string, error) {
	return Accepted, "", nil
}

// CaseOf puts together what a policy decides on.
func CaseOf(a Application, h History) Case {
	c := Case{Facts: factsOf(a, h), Rejection: marked(a)}
	for _, p := range a.Plans {
		c.Plans = append(c.Plans, planFacts(p, c.Facts))
	}
	return c
}

func assessment(v Verdict) Assessment {
	return Assessment{Reason: v.Reason, Plans: v.Plans, Limit: v.Limit, Available: v.Available}
}

// lookUp finds the facts that cost more than the others, when a rule comes to
// them.
func lookUp(ctx context.Context, tx *db.Tx, f Facts) func(string) (any, bool, error) {
	return func(name string) (any, bool, error) {
		division := everybody
		switch name {
		case "exposure.all_in_use":
		case "exposure.sector_in_use":
			division, _ = f["company.division"].(string)
		default:
			return nil, false, nil
		}
		currency, _ := f["order.currency"].(string)
		sum, err := inUseOf(ctx, tx, division, currency)
		return sum, true, err
	}
}

// policy returns the policy that counts for a merchant: one read by an index, and
// the text only when this process has not compiled it yet.
func (e *Rules) policy(ctx context.Context, tx *db.Tx, merchantID string) (*Policy, error) {
	hash, err := current(ctx, tx, merchantID)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	p := e.compiled[hash]
	e.mu.Unlock()
	if p != nil {
		return p, nil
	}
	if p, err = Find(ctx, tx, merchantID, hash); err != nil {
		return nil, fmt.Errorf("underwriting: the policy %s: %w", hash, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.compiled) >= maxCompiled {
		clear(e.compiled)
	}
	e.compiled[hash] = p
	return p, nil
}

// maxCompiled bounds how many policies are kept ready. Each is a few hundred
// kilobytes.
const maxCompiled = 500
