package underwriting

import (
	"tradecredit/internal/company"
)

// Score says how likely a company is to pay, from 1 (best) to 5.
type Score struct {
	Value int64
	// Basis is what it was made from: accounts, history, age or none.
	Basis string
	// Altman and Springate are the figures of the models, 0 without accounts.
	Altman    Decimal
	Springate Decimal
	// Missing names what the models ask for and nobody knows, and so what the
	// score does not take into account.
	Missing []string
}

// What a score can be made from.
const (
	BasisAccounts = "accounts"
	BasisHistory  = "history"
	BasisAge      = "age"
	BasisNone     = "none"
)

// Known is what a score is made from.
type Known struct {
	Financials *company.Financials
	History    History
	// AgeYears is the company's age in full years, -1 when nobody knows.
	AgeYears int64
	Size     string
}

// ScoreOf scores a company by its accounts; without usable ones by how it paid
// this seller; without orders by its age and size. Overdue orders always count:
// whoever does not pay now is not redeemed by last year's accounts.
func ScoreOf(k Known) Score {
	s, ok := ofAccounts(k.Financials)
	if !ok {
		s.Value, s.Basis = withoutAccounts(k)
		s.Missing = []string{"accounts"}
	}
	if k.History.Overdue == 0 {
		return s
	}
	if !ok {
		s.Basis = BasisHistory
	}
	s.Value = max(s.Value, 4)
	if k.History.MaxOverdueDays > 60 {
		s.Value = 5
	}
	return s
}

func withoutAccounts(k Known) (int64, string) {
	h := k.History
	switch {
	case h.PaidInTime >= 3 && h.PaidInTime == h.Paid:
		return 2, BasisHistory
	case h.Paid > 0:
		return 3, BasisHistory
	case k.AgeYears < 0 && k.Size == "":
		return 4, BasisNone
	case k.AgeYears >= 10 && (k.Size == "LARGE" || k.Size == "MEDIUM"):
		return 2, BasisAge
	case k.AgeYears >= 3 || k.Size == "LARGE":
		return 3, BasisAge
	}
	return 4, BasisAge
}

// ratios are the figures that the models share, each exact to 19 digits.
type ratios struct {
	workingCapital    Decimal // (current assets - current liabilities) / total assets
	retained          Decimal // retained earnings / total assets, at most
	profit            Decimal // profit before tax / total assets
	equity            Decimal // book equity / total liabilities
	profitToLiability Decimal // profit before tax / current liabilities
	sales             Decimal // turnover / total assets
}

// most bounds the two ratios whose divisor may be next to nothing: a company
// almost without debts is good, not endlessly so.
const most = "10"

// coefficients are those of a model, as it was published.
type coefficients []struct {
	factor string
	of     func(ratios) Decimal
}

// altman is the Z″ of E. I. Altman for companies that are not manufacturers and
// not listed: Altman, Hartzell and Peck, "Emerging Markets Corporate Bonds: A
// Scoring System" (Salomon Brothers, 1995); Altman, "Predicting Financial
// Distress of Companies: Revisiting the Z-Score and ZETA Models" (2000). Above
// 2.60 is safe, below 1.10 distress.
//
// Two of its inputs are not in the accounts that we know. In place of earnings
// before interest and tax stands the profit before tax, which is lower: the
// interest counts against the company. Retained earnings are not known; they
// cannot be more than the equity, as capital that was paid in is never below
// zero. So a negative equity stands in their place, and otherwise the component
// is left out as 0. Profits that were kept thereby count for nothing. The
// cut-offs stay as they were published: a company seems worse than it is by
// this, but for one whose losses are hidden behind capital paid in, for which
// the other components must speak.
var altman = coefficients{
	{"6.56", func(r ratios) Decimal { return r.workingCapital }},
	{"3.26", func(r ratios) Decimal { return r.retained }},
	{"6.72", func(r ratios) Decimal { return r.profit }},
	{"1.05", func(r ratios) Decimal { return r.equity }},
}

// springate is the S of G. L. V. Springate, "Predicting the Possibility of
// Failure in a Canadian Firm" (Simon Fraser University, 1978): below 0.862 a
// company is classed as failing. Profit before tax stands for earnings before
// interest and tax here too. It speaks only when the turnover is known.
var springate = coefficients{
	{"1.03", func(r ratios) Decimal { return r.workingCapital }},
	{"3.07", func(r ratios) Decimal { return r.profit }},
	{"0.66", func(r ratios) Decimal { return r.profitToLiability }},
	{"0.40", func(r ratios) Decimal { return r.sales }},
}

// classes turn Z″ into a score. 2.60 and 1.10 are the published zones; 3.75 and
// -0.05 are, less the constant of 3.25, where the bonds of companies with such a
// figure were rated AA- and CCC+ (Altman 2005, "An emerging market credit scoring
// system for corporate bonds").
var classes = []struct {
	from  string
	value int64
}{{"3.75", 1}, {"2.60", 2}, {"1.10", 3}, {"-0.05", 4}}

// ofAccounts scores by Z″. S is a second opinion: a company that it classes as
// failing is no better than 3, and below zero no better than 4.
func ofAccounts(f *company.Financials) (Score, bool) {
	s := Score{Basis: BasisAccounts}
	if f == nil || f.TotalAssets <= 0 || f.TotalLiabilities <= 0 && f.CurrentLiabilities <= 0 {
		return s, false
	}
	c := &calculation{}
	r := c.ratios(f)
	s.Missing = []string{"retained_earnings", "interest"}
	s.Altman = c.sum(altman, r)
	s.Value = 5
	for _, class := range classes {
		if c.atLeast(s.Altman, class.from) {
			s.Value = class.value
			break
		}
	}
	if f.Turnover > 0 {
		s.Springate = c.sum(springate, r)
		switch {
		case !c.atLeast(s.Springate, "0"):
			s.Value = max(s.Value, 4)
		case !c.atLeast(s.Springate, "0.862"):
			s.Value = max(s.Value, 3)
		}
	} else {
		s.Missing = append(s.Missing, "turnover")
	}
	return s, c.err == nil
}

// calculation keeps the first error of a row of operations.
type calculation struct{ err error }

func (c *calculation) got(d Decimal, err error) Decimal {
	if err != nil && c.err == nil {
		c.err = err
	}
	return d
}

func (c *calculation) ratio(a, b int64) Decimal {
	return c.got(c.got(whole(a)).quo(c.got(whole(b))))
}

// bounded is a ratio of at most most either way; over nothing it is the bound
// with the sign of a.
func (c *calculation) bounded(a, b int64) Decimal {
	limit := c.got(ParseDecimal(most))
	if b > 0 {
		r := c.ratio(a, b)
		if d, err := r.Clamp(limit.Neg(), limit.Decimal); err == nil {
			return Decimal{d}
		}
		return r
	}
	if a < 0 {
		return Decimal{limit.Neg()}
	}
	return limit
}

func (c *calculation) ratios(f *company.Financials) ratios {
	liabilities := max(f.TotalLiabilities, f.CurrentLiabilities)
	equity := c.less(f.TotalAssets, liabilities)
	return ratios{
		workingCapital:    c.ratio(c.less(f.CurrentAssets, f.CurrentLiabilities), f.TotalAssets),
		retained:          c.ratio(min(equity, 0), f.TotalAssets),
		profit:            c.ratio(f.ProfitBeforeTax, f.TotalAssets),
		equity:            c.bounded(equity, liabilities),
		profitToLiability: c.bounded(f.ProfitBeforeTax, f.CurrentLiabilities),
		sales:             c.ratio(f.Turnover, f.TotalAssets),
	}
}

// less is a - b of amounts.
func (c *calculation) less(a, b int64) int64 {
	d, err := c.got(whole(a)).sub(c.got(whole(b)))
	n, _, ok := d.Int64(0)
	if err != nil || !ok {
		c.got(d, errOutOfRange)
		return 0
	}
	return n
}

// sum is the weighted sum of a model. Ratios have up to 19 digits, so that the
// products are rounded, far behind what any cut-off can see.
func (c *calculation) sum(m coefficients, r ratios) (total Decimal) {
	for _, part := range m {
		weighted, err := c.got(ParseDecimal(part.factor)).Decimal.Mul(part.of(r).Decimal)
		c.got(Decimal{weighted}, err)
		next, err := total.Decimal.Add(weighted)
		total = c.got(Decimal{next}, err)
	}
	return Decimal{total.Round(6)}
}

func (c *calculation) atLeast(d Decimal, bound string) bool {
	return d.Cmp(c.got(ParseDecimal(bound)).Decimal) >= 0
}
