package app

import (
	"context"
	"fmt"
	"time"

	"tradecredit/internal/api/bnpl"
	"tradecredit/internal/credit"
	"tradecredit/internal/db"
	"tradecredit/internal/exchange"
	"tradecredit/internal/merchant"
	"tradecredit/internal/offer"
	"tradecredit/internal/repayment"
	"tradecredit/internal/underwriting"
)

// limits tells companies' credit limits. In the sandbox there are exchange rates
// from the beginning.
func (a *App) limits(ctx context.Context, engine underwriting.Engine) (*credit.Service, error) {
	if a.config.Environment == merchant.Sandbox {
		if err := exchange.LoadSandbox(ctx, a.DB); err != nil {
			return nil, fmt.Errorf("load the sandbox exchange rates: %w", err)
		}
	}
	overdue := func(ctx context.Context, tx *db.Tx, m merchant.Merchant, companyID string, now time.Time) (bool, error) {
		late, err := repayment.ArrearsOf(ctx, tx, m.ID, companyID, "", now)
		return late.Payments > 0, err
	}
	return &credit.Service{Engine: engine, Buyer: limitedBuyer, Overdue: overdue}, nil
}

// limitedBuyer is a company as underwriting sees it, without any user.
func limitedBuyer(ctx context.Context, tx *db.Tx, merchantID, companyID string) (underwriting.Buyer, error) {
	var b offer.Buyer
	v := bnpl.View{Context: ctx, Merchant: merchant.Merchant{ID: merchantID}}
	c, err := bnpl.FindCompany(v, tx, merchantID, companyID)
	if err == nil {
		describe(&b, c)
	}
	return b.Buyer, err
}
