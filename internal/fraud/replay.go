package fraud

import (
	"context"

	"tradecredit/internal/db"
)

// Comparison counts how decisions would have come out with other rules. Amounts are
// in minor units by currency.
type Comparison struct {
	Rules     string `json:"rules"`
	Decisions int64  `json:"decisions"`
	// Same have the same outcome.
	Same int64 `json:"same"`
	// Changes are the others by "before → after".
	Changes map[string]*Change `json:"changes"`
	// Signals counts, for each, how often it fired and would have.
	Signals map[string]*SignalCount `json:"signals"`
	// Unseen are those in which a signal looks at something that nobody looked at
	// then; it was taken not to fire.
	Unseen int64 `json:"unseen"`
}

// Change counts decisions that would come out in another way.
type Change struct {
	Decisions int64            `json:"decisions"`
	Amounts   map[string]int64 `json:"amounts"`
}

// SignalCount is how often a signal fired.
type SignalCount struct {
	Was int64 `json:"was"`
	Is  int64 `json:"is"`
}

// NewComparison begins a comparison with rules.
func NewComparison(r *Rules) *Comparison {
	return &Comparison{Rules: r.String(), Changes: map[string]*Change{}, Signals: map[string]*SignalCount{}}
}

func (c *Comparison) signal(name string) *SignalCount {
	if c.Signals[name] == nil {
		c.Signals[name] = &SignalCount{}
	}
	return c.Signals[name]
}

// Add counts a decision and what it would be now.
func (c *Comparison) Add(was Decision, is Verdict) {
	c.Decisions++
	for _, f := range was.Verdict.Fired {
		c.signal(f.Name).Was++
	}
	for _, f := range is.Fired {
		c.signal(f.Name).Is++
	}
	if len(is.Unseen) > 0 {
		c.Unseen++
	}
	if was.Verdict.Outcome == is.Outcome {
		c.Same++
		return
	}
	name := string(was.Verdict.Outcome) + " → " + string(is.Outcome)
	if c.Changes[name] == nil {
		c.Changes[name] = &Change{Amounts: map[string]int64{}}
	}
	c.Changes[name].Decisions++
	c.Changes[name].Amounts[was.Currency] += was.Amount
}

// replayPage is how many decisions are held at once.
const replayPage = 500

// Replay makes every decision of a merchant again with other rules and counts into
// the comparison.
func Replay(ctx context.Context, d *db.DB, merchantID string, r *Rules, into *Comparison) error {
	for after := ""; ; {
		var page []Decision
		err := d.Read(ctx, func(tx *db.Tx) (err error) {
			page, err = db.All(ctx, tx, decisionsAfter, []any{merchantID, after, replayPage}, scanDecision)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, was := range page {
			into.Add(was, r.Decide(was.Inputs))
			after = was.ID
		}
	}
}
