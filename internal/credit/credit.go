// Package credit keeps the limits of companies and what they have in use of them:
// of the lender's limit, over all merchants, and of the limits that merchants give
// their buyers on top at their own risk.
package credit

import (
	"errors"
	"slices"
	"time"

	"tradecredit/internal/exchange"
	"tradecredit/internal/money"
)

// ErrExceeded is returned when a reservation does not fit into the limits.
var ErrExceeded = errors.New("credit: the limit is exceeded")

// Unlimited is the limit where none counts, in minor units of any currency.
const Unlimited = 1 << 62

// Currencies are those that orders are financed in and merchants set limits in.
func Currencies() []string { return []string{"GBP", "EUR", "USD"} }

// HomeCurrency is the currency in which the limit of a company in a country is
// shown when nobody names one.
func HomeCurrency(country string) string {
	switch country {
	case "GB":
		return "GBP"
	case "US":
		return "USD"
	}
	return "EUR"
}

// Key names an exposure: what a company has in use in a currency, of the lender's
// limit, or with a MerchantID of the limit that the merchant itself gives it.
type Key struct{ MerchantID, CompanyID, Currency string }

// before is the order in which rows are locked.
func (k Key) before(other Key) bool {
	return slices.Compare([]string{k.CompanyID, k.MerchantID, k.Currency}, []string{other.CompanyID, other.MerchantID, other.Currency}) < 0
}

// Uses is what a company has in use by currency, in minor units: of the lender's
// limit, and of the limit of one merchant.
type Uses struct{ Lender, Merchant map[string]int64 }

// currencies are those in which anything is in use.
func (u Uses) currencies() (out []string) {
	for _, m := range []map[string]int64{u.Lender, u.Merchant} {
		for c, v := range m {
			if v != 0 {
				out = append(out, c)
			}
		}
	}
	return out
}

// sum is what is in use in all currencies together, each rounded up. It returns
// an exchange.NoRateError, beside the sum of what could be converted, and
// money.ErrOverflow.
func sum(uses map[string]int64, currency string, rates exchange.Rates) (total int64, err error) {
	for c, v := range uses {
		if v == 0 {
			continue
		}
		n, failed := rates.Convert(v, c, currency, exchange.Ceiling)
		var none *exchange.NoRateError
		if errors.As(failed, &none) {
			err = failed
			continue
		}
		if failed != nil {
			return 0, failed
		}
		if total, failed = money.CheckedAdd(total, n); failed != nil {
			return 0, failed
		}
	}
	return total, err
}

// MerchantLimit is what a merchant lends a buyer at its own risk, on top of the
// lender's limit.
type MerchantLimit struct {
	// CompanyID is "" for the merchant's default.
	CompanyID string
	Currency  string
	// Amount is in minor units of Currency.
	Amount int64
	// Active is false for a limit that does not apply.
	Active bool
}

// Applying is the limit that applies to a buyer: its own, or else the default.
// One that is not active counts as if it were not there. It is nil when there is
// none, and so nothing.
func Applying(companyID string, limits []MerchantLimit) *MerchantLimit {
	var out *MerchantLimit
	for i, l := range limits {
		if l.Active && (l.CompanyID == companyID || l.CompanyID == "" && out == nil) {
			out = &limits[i]
		}
	}
	return out
}

// Period is a time for which a limit counted.
type Period struct {
	Currency string
	Amount   int64 // minor units of Currency
	From     time.Time
	// To is nil for the limit that counts now.
	To *time.Time
}
