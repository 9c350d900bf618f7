package payout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"tradecredit/internal/bankfile"
	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
	"tradecredit/internal/money"
)

// Report is what the bank says about one payout.
type Report struct {
	Reference string
	// Paid or Returned; Reason says why the latter.
	State  State
	Reason string
	// Amount, unless zero, is what the bank says it is about.
	Amount money.Amount
	// FileID instead of Reference is a whole file that was refused.
	FileID string
}

// ReadReports reads what a bank says about payouts: a status report (pain.002) or
// account statements (camt.053). Payments of others are among those of a
// statement; who applies the reports looks which are known.
func ReadReports(text string) ([]Report, error) {
	if strings.Contains(text, "pain.002.001.") {
		return readStatus(text)
	}
	return readStatements(text)
}

func readStatus(text string) (out []Report, err error) {
	report, err := bankfile.ReadStatus(strings.NewReader(text), func(s bankfile.PaymentStatus) error {
		r := Report{Reference: s.EndToEndID, State: Returned, Reason: reasonText(s.Reasons)}
		switch {
		case s.Status == "ACSC" || s.Status == "ACCC":
			r.State = Paid
		case !s.Status.Rejected():
			return nil // on its way
		}
		if s.EndToEndID == "" {
			r.FileID = s.BatchID // a batch is named like its file
		}
		out = append(out, r)
		return nil
	})
	if err == nil && report.Status.Rejected() {
		out = append(out, Report{FileID: report.OriginalMessageID, State: Returned, Reason: reasonText(report.Reasons)})
	}
	return out, err
}

func reasonText(reasons []bankfile.StatusReason) string {
	var parts []string
	for _, r := range reasons {
		parts = append(parts, strings.TrimSpace(r.Code+" "+r.Text))
	}
	if len(parts) == 0 {
		return "refused by the bank"
	}
	return strings.Join(parts, "; ")
}

func readStatements(text string) ([]Report, error) {
	var out []Report
	in := bankfile.NewStatementReader(strings.NewReader(text))
	for {
		if _, err := in.Next(); err == io.EOF {
			return out, nil
		} else if err != nil {
			return nil, err
		}
		for {
			e, err := in.Entry()
			if err == io.EOF {
				break
			}
			if err != nil {
				return nil, err
			}
			if e.Status == bankfile.Booked {
				out = append(out, readEntry(e)...)
			}
		}
	}
}

func readEntry(e bankfile.Entry) (out []Report) {
	for _, t := range e.Items() {
		if t.EndToEndID == "" {
			continue
		}
		r := Report{Reference: t.EndToEndID, State: Paid, Amount: t.Amount}
		if t.Credit {
			// Money that left comes back under the same reference.
			r.State, r.Reason = Returned, strings.TrimSpace(t.ReturnReason+" "+t.ReturnText)
		}
		out = append(out, r)
	}
	return out
}

// Outcome is what became of a report.
type Outcome struct {
	Payout
	// Changed is false for what was known already.
	Changed bool
	// Problem says why a report was not applied; it is for people to look at.
	Problem string
}

// Apply applies what the bank says. Reports about payments that are no payouts are
// passed over. now is real time.
func (s *Service) Apply(ctx context.Context, tx *db.Tx, reports []Report, now time.Time) ([]Outcome, error) {
	var out []Outcome
	for _, r := range reports {
		about, err := s.about(ctx, tx, r)
		if err != nil {
			return out, err
		}
		for _, p := range about {
			o, err := s.apply(ctx, tx, p, r, now)
			if err != nil {
				return out, err
			}
			out = append(out, o)
		}
	}
	return out, nil
}

// about are the payouts that a report is about.
func (s *Service) about(ctx context.Context, tx *db.Tx, r Report) ([]Payout, error) {
	if r.FileID != "" {
		date, rest, _ := strings.Cut(r.FileID, "-")
		currency, _, _ := strings.Cut(rest, "-")
		day, err := time.Parse(fileDate, date)
		if err != nil {
			return nil, nil // not a file of payouts
		}
		return db.All(ctx, tx, payoutsOfFile, []any{dayOf(day), currency, r.FileID}, scanPayout)
	}
	p, err := Find(ctx, tx, r.Reference)
	if errors.Is(err, db.ErrNoRows) {
		return nil, nil
	}
	return []Payout{p}, err
}

func (s *Service) apply(ctx context.Context, tx *db.Tx, p Payout, r Report, now time.Time) (Outcome, error) {
	if r.Amount.Currency != "" && r.Amount != (money.Amount{Minor: p.Amount, Currency: p.Currency}) {
		return Outcome{Payout: p, Problem: fmt.Sprintf("the bank says %s, the payout is %d %s", r.Amount, p.Amount, p.Currency)}, nil
	}
	m, err := merchant.Get(ctx, tx, p.MerchantID)
	if err != nil {
		return Outcome{}, err
	}
	if r.State == Paid && p.State == Returned {
		return Outcome{Payout: p, Problem: "it was returned before"}, nil
	}
	var changed bool
	if r.State == Paid {
		changed, err = s.Confirm(ctx, tx, p, m.Now(now))
	} else {
		changed, err = s.Return(ctx, tx, m, p.ID, r.Reason, m.Now(now))
	}
	if err != nil {
		return Outcome{}, err
	}
	p, err = Get(ctx, tx, p.MerchantID, p.ID)
	return Outcome{Payout: p, Changed: changed}, err
}
