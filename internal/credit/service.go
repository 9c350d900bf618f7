package credit

import (
	"context"
	"errors"
	"slices"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/exchange"
	"tradecredit/internal/merchant"
	"tradecredit/internal/money"
	"tradecredit/internal/underwriting"
)

// Assess asks the engine about an application of which everything but the limits
// is filled in, and adds how the buyer stands towards them: what is in use in all
// currencies together, and the merchant's limit where the merchant may give one.
// Amounts in other currencies are converted at the rates of the application's
// day, limits rounded down and what is in use rounded up. Where a rate is missing,
// the currency is one in which nothing can be financed.
func Assess(ctx context.Context, tx *db.Tx, engine underwriting.Engine, a underwriting.Application) (Standing, error) {
	s, missing, err := stand(ctx, tx, a)
	if err != nil {
		return s, err
	}
	if s.Assessment, err = engine.Assess(ctx, tx, s.Application); err != nil {
		return s, err
	}
	if missing && !s.Bypassed {
		s.Reason = underwriting.NewReason(underwriting.InvoiceCurrency, map[string]any{"tx_currency": a.Currency})
		s.Limit, s.Available, s.MerchantLimit = 0, 0, 0
	}
	return s, nil
}

// stand fills in the limits of an application. missing tells that a rate for it is
// not known.
func stand(ctx context.Context, tx *db.Tx, a underwriting.Application) (s Standing, missing bool, err error) {
	s.Application = a
	uses, limits := queueUses(tx, a.Buyer.CompanyID, a.Merchant.ID), &[]MerchantLimit{}
	if a.Merchant.Settings.MerchantLimits {
		limits = queueLimits(tx, a.Merchant.ID, a.Buyer.CompanyID)
	}
	if err := tx.Flush(ctx); err != nil {
		return s, false, err
	}
	c := converter{to: a.Currency}
	own := MerchantLimit{Currency: a.Currency}
	if l := Applying(a.Buyer.CompanyID, *limits); l != nil {
		own = *l
	}
	limitCurrency := a.Buyer.LimitCurrency
	if a.Buyer.Limit == nil || limitCurrency == "" {
		limitCurrency = a.Currency
	}
	c.rates, err = exchange.On(ctx, tx, a.Now, append(uses.currencies(), a.Currency, limitCurrency, own.Currency)...)
	if err != nil {
		return s, false, err
	}
	s.Application.InUse, s.MerchantInUse = c.sum(uses.Lender), c.sum(uses.Merchant)
	s.MerchantLimit = c.floor(own.Amount, own.Currency)
	if a.Buyer.Limit != nil {
		limit := c.floor(*a.Buyer.Limit, limitCurrency)
		s.Application.Buyer.Limit, s.Application.Buyer.LimitCurrency = &limit, a.Currency
	}
	return s, c.missing, c.err
}

// converter converts one amount after the other into a currency.
type converter struct {
	rates exchange.Rates
	to    string
	// missing is set when a rate was not known: that amount counted as nothing.
	missing bool
	err     error
}

func (c *converter) note(v int64, err error) int64 {
	var none *exchange.NoRateError
	if errors.As(err, &none) {
		c.missing = true
	} else if err != nil && c.err == nil {
		c.err = err
	}
	return v
}

func (c *converter) sum(uses map[string]int64) int64 { return c.note(sum(uses, c.to, c.rates)) }

// floor rounds a limit down. One that is too large to be counted in the other
// currency is as good as none.
func (c *converter) floor(v int64, from string) int64 {
	v, err := c.rates.Convert(v, from, c.to, exchange.Floor)
	if errors.Is(err, money.ErrOverflow) {
		return Unlimited
	}
	return c.note(v, err)
}

// Request asks for a part of a company's limits. Amounts are in minor units of
// Currency.
type Request struct {
	CompanyID, MerchantID, Currency string
	// Protected is to come out of the lender's limit, Unprotected out of the
	// merchant's.
	Protected, Unprotected int64
	// Limit is the lender's limit, MerchantLimit the merchant's.
	Limit, MerchantLimit int64
	// Day is the one at whose rates other currencies count.
	Day time.Time
}

// Reserve takes both parts of a request out of a company's limits, or neither. It
// holds the company until tx ends, so that two reservations never see the same
// room, whatever their currencies. It returns ErrExceeded when a limit has no room,
// or when what is in use of it cannot be converted.
func Reserve(ctx context.Context, tx *db.Tx, r Request) error {
	lock(tx, r.CompanyID)
	uses := queueUses(tx, r.CompanyID, r.MerchantID)
	if err := tx.Flush(ctx); err != nil {
		return err
	}
	rates, err := exchange.On(ctx, tx, r.Day, append(uses.currencies(), r.Currency)...)
	if err != nil {
		return err
	}
	for _, part := range []struct {
		amount, limit int64
		uses          map[string]int64
	}{{r.Protected, r.Limit, uses.Lender}, {r.Unprotected, r.MerchantLimit, uses.Merchant}} {
		if part.amount <= 0 || part.limit >= Unlimited {
			continue // where nothing is taken or no limit counts, it may be exceeded
		}
		inUse, err := sum(part.uses, r.Currency, rates)
		var none *exchange.NoRateError
		if errors.As(err, &none) || errors.Is(err, money.ErrOverflow) || err == nil && part.amount > part.limit-inUse {
			return ErrExceeded
		}
		if err != nil {
			return err
		}
	}
	Move(tx, map[Key]int64{
		{CompanyID: r.CompanyID, Currency: r.Currency}:                           r.Protected,
		{MerchantID: r.MerchantID, CompanyID: r.CompanyID, Currency: r.Currency}: r.Unprotected,
	})
	return nil
}

// Shown are limits in several currencies; nil where a rate is not known.
type Shown map[string]*int64

// Show is a merchant's limit in the currencies that limits are set in, at the
// rates of a day, rounded down. In its own currency it is exact.
func Show(ctx context.Context, tx *db.Tx, l MerchantLimit, day time.Time) (Shown, error) {
	rates, err := exchange.On(ctx, tx, day, append(Currencies(), l.Currency)...)
	if err != nil {
		return nil, err
	}
	out := Shown{}
	for _, currency := range Currencies() {
		c := converter{rates: rates, to: currency}
		v := c.floor(l.Amount, l.Currency)
		if c.err != nil {
			return nil, c.err
		}
		if !c.missing {
			out[currency] = &v
		}
	}
	return out, nil
}

// Service tells companies' limits.
type Service struct {
	Engine underwriting.Engine
	// Buyer looks a company up for a merchant. It returns db.ErrNoRows when there is
	// none.
	Buyer func(ctx context.Context, tx *db.Tx, merchantID, companyID string) (underwriting.Buyer, error)
	// Overdue tells whether a company has overdue deferred payments with a merchant,
	// Reviewing whether its limit is being reviewed. With nil neither is known, and
	// the answer is no.
	Overdue, Reviewing func(ctx context.Context, tx *db.Tx, m merchant.Merchant, companyID string, now time.Time) (bool, error)
}

// Limit is what the lender grants a company now. Amounts are in minor units of
// Currency.
type Limit struct {
	CompanyID string
	Currency  string
	// Reason is why the company gets no credit; nil when it does.
	Reason *underwriting.Reason
	// Amount and Available count when there is no reason.
	Amount, Available, InUse int64
	// Actions are what can be done about it.
	Actions []string
}

// Limit assesses a company without any order. currency "" is that of its country.
// It returns db.ErrNoRows for a company that the merchant does not know.
//
// In the currency of its country the limit is noted in the company's history, but
// not in others, where it would change with every day's rates.
func (s *Service) Limit(ctx context.Context, tx *db.Tx, m merchant.Merchant, now time.Time, companyID, currency string) (Limit, error) {
	b, err := s.Buyer(ctx, tx, m.ID, companyID)
	if err != nil {
		return Limit{}, err
	}
	home := HomeCurrency(b.Country)
	if currency == "" {
		currency = home
	}
	standing, err := Assess(ctx, tx, s.Engine, underwriting.Application{Merchant: m, Buyer: b, Currency: currency, Now: now})
	if err != nil {
		return Limit{}, err
	}
	out := Limit{CompanyID: b.CompanyID, Currency: currency, Reason: standing.Reason, InUse: standing.Application.InUse}
	code := ""
	var noted *int64
	if out.Reason == nil {
		out.Amount, out.Available = standing.Limit, standing.Available
		noted = &out.Amount
	} else {
		code = out.Reason.Code
	}
	if currency == home {
		if err := note(ctx, tx, m.ID, b.CompanyID, currency, noted, now); err != nil {
			return Limit{}, err
		}
	}
	overdue, err := ask(ctx, tx, s.Overdue, m, b.CompanyID, now)
	if err != nil {
		return Limit{}, err
	}
	reviewing, err := ask(ctx, tx, s.Reviewing, m, b.CompanyID, now)
	out.Actions = Actions(code, overdue, reviewing)
	return out, err
}

// Limits is Limit for several companies, in their order. The companies are held in
// the order of their identifiers, as everywhere.
func (s *Service) Limits(ctx context.Context, tx *db.Tx, m merchant.Merchant, now time.Time, companies []string, currency string) ([]Limit, error) {
	known := make(map[string]Limit, len(companies))
	for _, companyID := range slices.Compact(slices.Sorted(slices.Values(companies))) {
		l, err := s.Limit(ctx, tx, m, now, companyID, currency)
		if err != nil {
			return nil, err
		}
		known[companyID] = l
	}
	out := make([]Limit, len(companies))
	for i, companyID := range companies {
		out[i] = known[companyID]
	}
	return out, nil
}

func ask(ctx context.Context, tx *db.Tx, f func(context.Context, *db.Tx, merchant.Merchant, string, time.Time) (bool, error),
	m merchant.Merchant, companyID string, now time.Time) (bool, error) {
	if f == nil {
		return false, nil
	}
	return f(ctx, tx, m, companyID, now)
}
