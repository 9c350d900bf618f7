package app

import (
	"context"
	"errors"
	"strings"
	"time"

	"tradecredit/internal/api/bnpl"
	"tradecredit/internal/bankfile"
	"tradecredit/internal/billing"
	"tradecredit/internal/country"
	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/merchant"
	"tradecredit/internal/offer"
	"tradecredit/internal/party"
	"tradecredit/internal/repayment"
)

// bills lets statements live from what happens to deferred payments. It comes
// before the other followers: what those book in turn comes after what it follows
// from on the statement too.
func (a *App) bills(s *services) {
	lender := a.lender()
	accounts := &billing.Service{
		Mail:   s.mailer,
		Lender: billing.Lender{Name: lender.Name, Register: lender.Register, Contact: strings.Join(nonEmpty(lender.HelpEmail, lender.HelpPhone), ", ")},
		Bank:   a.payTo,
		Buyer:  a.billed,
		Hold: func(ctx context.Context, tx *db.Tx, merchantID, organisationID string) error {
			_, err := s.parties.HoldOrganisation(ctx, tx, merchantID, organisationID)
			return err
		},
		Open: standing,
		Settle: func(ctx context.Context, tx *db.Tx, m merchant.Merchant, paymentID string, amount int64, reference string, now time.Time) error {
			_, err := s.repayments.Record(ctx, tx, m, repayment.Report{
				PaymentID: paymentID, Amount: amount, Method: repayment.MethodBankTransfer, Settled: true, Reference: reference, Origin: "statement",
			}, now)
			return err
		},
	}
	a.followers = append([]deferred.Follower{accounts.Follow}, a.followers...)
	keeps := s.parties.HasPayments
	s.parties.HasPayments = func(ctx context.Context, tx *db.Tx, merchantID, organisationID string) (bool, error) {
		found, err := billing.HasAccount(ctx, tx, merchantID, organisationID)
		if found || err != nil {
			return found, err
		}
		return keeps(ctx, tx, merchantID, organisationID)
	}
	s.bnpl.Billing = accounts
	a.Queue.HandleDue(billing.CloseKind, accounts.Close)
	a.Queue.HandleDue(billing.OverdueKind, accounts.Overdue)
	a.Queue.HandleDue(billing.SendKind, accounts.SendDue)
}

func nonEmpty(texts ...string) (out []string) {
	for _, t := range texts {
		if t != "" {
			out = append(out, t)
		}
	}
	return out
}

// bankAccount is the account that buyers pay to as long as an operator has set
// none: an example in the sandbox, none in production.
func (a *App) bankAccount() bankfile.Account {
	if a.config.Environment != merchant.Sandbox {
		return bankfile.Account{}
	}
	return bankfile.Account{Name: a.lender().Name, IBAN: "GB33BUKB20201555555555", BIC: "BUKBGB22"}
}

// payTo is the account that statements in a currency are paid to; the zero account
// when there is none.
func (a *App) payTo(ctx context.Context, tx *db.Tx, currency string) (bankfile.Account, error) {
	found, err := a.lenderAccount(ctx, tx, currency)
	if errors.Is(err, db.ErrNoRows) {
		return bankfile.Account{}, nil
	}
	return found, err
}

// billed is an organisation as a statement is addressed to it.
func (a *App) billed(ctx context.Context, tx *db.Tx, m merchant.Merchant, organisationID string) (billing.Buyer, error) {
	b := billing.Buyer{OrganisationID: organisationID, Name: organisationID}
	o, err := (&party.Service{}).GetOrganisation(ctx, tx, m.ID, organisationID)
	if errors.Is(err, db.ErrNoRows) {
		return b, nil
	}
	if err != nil {
		return b, err
	}
	b.Name = o.Name
	street, city, postcode, land := o.Business.Address, o.Business.City, o.Business.Postcode, o.Business.Country
	if o.Business.Name != "" {
		b.Name = o.Business.Name
	}
	if o.CompanyID != "" {
		c, err := bnpl.FindCompany(bnpl.View{Context: ctx, Merchant: m}, tx, m.ID, o.CompanyID)
		if err != nil && !errors.Is(err, db.ErrNoRows) {
			return b, err
		}
		if err == nil {
			b.Name, street, city, postcode, land = c.Name, c.Address, c.City, c.Postcode, c.Country
		}
	}
	if b.Name == "" {
		b.Name = organisationID
	}
	place := strings.TrimSpace(city + " " + postcode)
	if land != "" {
		land = country.Name(land)
	}
	b.Address = nonEmpty(street, place, land)
	return b, nil
}

// standing tells how deferred payments stand: what is expected of the buyer, and
// when the next part of it falls due.
func standing(ctx context.Context, tx *db.Tx, m merchant.Merchant, paymentIDs []string) (map[string]billing.Open, error) {
	out := map[string]billing.Open{}
	for _, paymentID := range paymentIDs {
		p, err := deferred.Get(ctx, tx, m.ID, paymentID)
		if err != nil {
			return nil, err
		}
		o := billing.Open{Outstanding: p.Outstanding()}
		if o.Outstanding > 0 {
			entries, err := deferred.Entries(ctx, tx, m.ID, paymentID)
			if err != nil {
				return nil, err
			}
			plan, err := offer.FindPlan(ctx, tx, p.PlanID)
			if err != nil {
				return nil, err
			}
			if next, ok := repayment.Build(plan.Plan, entries, p.State).Next(); ok {
				o.DueDate = next.Date.Format(time.DateOnly)
			}
		}
		out[paymentID] = o
	}
	return out, nil
}

// billing holds statements against their lines, and lines against the debts of the
// deferred payments they are about.
func (r *Report) billing(ctx context.Context, tx *db.Tx, m merchant.Merchant) error {
	problems, err := billing.Check(ctx, tx, m.ID, func(paymentID string) (int64, error) {
		p, err := deferred.Get(ctx, tx, m.ID, paymentID)
		return p.Owed() - p.Repaid - p.WrittenOff, err
	})
	r.Problems = append(r.Problems, problems...)
	return err
}
