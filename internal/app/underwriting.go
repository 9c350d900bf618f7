package app

import (
	"context"
	"time"

	"tradecredit/internal/company"
	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
	"tradecredit/internal/offer"
	"tradecredit/internal/repayment"
	"tradecredit/internal/underwriting"
)

// engine decides on credit by the merchants' policies; in the sandbox e-mail
// addresses decide first.
func (a *App) engine(ctx context.Context) (underwriting.Engine, error) {
	now := a.clock.Now()
	err := a.DB.Write(ctx, func(tx *db.Tx) error { return underwriting.EnsureDefault(ctx, tx, now) })
	if err != nil {
		return nil, err
	}
	rules := underwriting.NewRules()
	rules.Arrears = func(ctx context.Context, tx *db.Tx, x underwriting.Application) (payments, amount, days int64, err error) {
		late, err := repayment.ArrearsOf(ctx, tx, x.Merchant.ID, x.Buyer.CompanyID, x.Currency, x.Now)
		return late.Payments, late.Amount, late.Days, err
	}
	engine, err := a.doubting(ctx, rules)
	if err != nil {
		return nil, err
	}
	if a.config.Environment == merchant.Sandbox {
		engine = underwriting.Sandbox{Engine: engine}
	}
	return engine, nil
}

// describe copies what underwriting looks at of a company.
func describe(b *offer.Buyer, c company.Company) {
	b.CompanyID, b.Name, b.Country, b.Status, b.LegalForm = c.ID, c.Name, c.Country, c.Status, c.LegalForm
	b.Number, b.Address, b.Postcode, b.City = c.Number(), c.Address, c.Postcode, c.City
	b.Limit, b.Size, b.AccountsType = c.Facts.CreditLimit, c.Facts.Size, c.AccountsType
	b.LimitCurrency = c.Facts.Currency
	b.AccountsMadeUpTo, b.AccountsDue, b.Financials = c.Facts.AccountsMadeUpTo, c.Facts.AccountsDue, c.Facts.Financials
	for _, s := range c.Sectors {
		b.Sectors = append(b.Sectors, s.Code)
	}
	for _, i := range c.Identifiers {
		if i.Type == company.LEI {
			b.LEIs = append(b.LEIs, i.Value)
		}
	}
	if day, err := time.Parse(time.DateOnly, c.CreationDate); err == nil {
		b.Incorporated = &day
	}
	if r := c.Facts.Rejection; r != nil {
		b.RejectionCode, b.RejectionParams = r.Code, r.Params
	}
}
