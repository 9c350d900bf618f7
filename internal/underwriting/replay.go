package underwriting

import (
	"context"

	"tradecredit/internal/db"
)

// Comparison counts how decisions would have come out under another policy.
// Amounts are in minor units by currency.
type Comparison struct {
	Policy    string `json:"policy"`
	Decisions int64  `json:"decisions"`
	// Same came out the same in everything. The following five are the others,
	// each decision counted once, by the first that holds.
	Same          int64 `json:"same"`
	NewlyDeclined int64 `json:"newly_declined"`
	NewlyOffered  int64 `json:"newly_offered"`
	ReasonChanged int64 `json:"reason_changed"`
	PlansChanged  int64 `json:"plans_changed"`
	LimitChanged  int64 `json:"limit_changed"`
	// Unseen are those in which a rule needed a fact that was not looked at then;
	// it was taken to pass.
	Unseen int64 `json:"unseen"`

	DeclinedAmounts map[string]int64 `json:"declined_amounts"`
	OfferedAmounts  map[string]int64 `json:"offered_amounts"`
	// Reasons counts, for each code, what was and would be declined with it.
	Reasons map[string]*ReasonCount `json:"reasons"`
}

// ReasonCount is how often a code is the reason.
type ReasonCount struct {
	Was  int64 `json:"was"`
	Is   int64 `json:"is"`
	Lost int64 `json:"lost"`
	New  int64 `json:"new"`
}

// NewComparison begins a comparison with a policy.
func NewComparison(p *Policy) *Comparison {
	return &Comparison{
		Policy: p.String(), DeclinedAmounts: map[string]int64{}, OfferedAmounts: map[string]int64{},
		Reasons: map[string]*ReasonCount{},
	}
}

// reason is the count of a code.
func (c *Comparison) reason(code string) *ReasonCount {
	if c.Reasons[code] == nil {
		c.Reasons[code] = &ReasonCount{}
	}
	return c.Reasons[code]
}

// Add counts a decision and what it would be now.
func (c *Comparison) Add(was Record, is Verdict) {
	c.Decisions++
	code := ""
	if r := is.Declined(); r != nil {
		code = r.Code
	}
	if was.Reason != "" {
		c.reason(was.Reason).Was++
	}
	if code != "" {
		c.reason(code).Is++
	}
	if was.Reason != code {
		if was.Reason != "" {
			c.reason(was.Reason).Lost++
		}
		if code != "" {
			c.reason(code).New++
		}
	}
	for _, o := range is.outcomes {
		if o.result == Unseen {
			c.Unseen++
			break
		}
	}
	switch {
	case was.Reason == "" && code != "":
		c.NewlyDeclined++
		c.DeclinedAmounts[was.Currency] += was.Amount
	case was.Reason != "" && code == "":
		c.NewlyOffered++
		c.OfferedAmounts[was.Currency] += was.Amount
	case was.Reason != code:
		c.ReasonChanged++
	case code == "" && declinedPlans(was) != is.declinedPlans():
		c.PlansChanged++
	case was.Limit != is.Limit:
		c.LimitChanged++
	default:
		c.Same++
	}
}

// declinedPlans tells which plans a reason of their own declined.
func (v Verdict) declinedPlans() (mask string) {
	for _, r := range v.Plans {
		if r == nil {
			mask += "."
		} else {
			mask += "D"
		}
	}
	return mask
}

func declinedPlans(d Record) (mask string) {
	for _, plan := range d.Results.Plans {
		c := "."
		for _, r := range plan {
			if Result(r) == Declined || Result(r) == Failed {
				c = "D"
			}
		}
		mask += c
	}
	return mask
}

// replayPage is how many decisions are held at once.
const replayPage = 500

// Replay makes every decision of a merchant again with another policy and counts
// into the comparison. progress, which may be nil, is told now and then how many
// are done.
func Replay(ctx context.Context, d *db.DB, merchantID string, p *Policy, into *Comparison, progress func(done int64)) error {
	after := ""
	for {
		var page []Record
		err := d.Read(ctx, func(tx *db.Tx) (err error) {
			page, err = RecordsAfter(ctx, tx, merchantID, after, replayPage)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, r := range page {
			v, err := p.Decide(r.Case, nil)
			if err != nil {
				return err
			}
			into.Add(r, v)
			after = r.ID
		}
		if progress != nil {
			progress(into.Decisions)
		}
	}
}
