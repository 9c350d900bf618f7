package underwriting

import (
	"fmt"
	"strings"
)

// The codes that the program gives outside a policy.
const (
	BuyerProfile    = "buyer-profile"
	BuyerLimit      = "buyer-limit"
	InvoiceCurrency = "invoice-currency"
)

// Reason says why something is not offered. Detail has its parameters filled in
// and may be shown to the buyer.
type Reason struct {
	Code   string
	Detail string
	Params map[string]any
}

// sentences are the details of the contract, by code. One table serves payment
// plans and insurance; where the two documents word a code differently, the
// sentence of the payment plans stands here. Where a document names its own
// platform, "we" stands in its place.
var sentences = map[string]string{
	"seller-country":               "We're not currently able to insure Sellers domiciled in {creditor_country}.",
	"seller-profile":               "At this stage we are not able to insure sellers fitting your profile.",
	"seller-status":                "The status of the Seller on this invoice is registered as being {creditor_status} and so we cannot offer insurance.",
	"seller-accounts":              "We are not currently able to insure Sellers where the Seller's accounts have the status {creditor_accounts_type}.",
	"seller-country-subdivision":   "We are not currently able to insure Sellers in this location: {public_subdivision}.",
	"seller-too-young":             "We're not able to insure Sellers who incorporated fewer than {MIN_CREATION_YEARS} years ago.",
	"seller-accounts-overdue":      "We're not currently able to insure Sellers when their accounts are overdue by more than {MAX_ACCOUNTS_OVERDUE_MONTHS} months.",
	"seller-accounts-too-old":      "We're not currently able to insure you because your accounts are too old: they were published more than {MAX_AGE_LATEST_FINANCIALS} days ago.",
	"seller-invoices-overdue":      "We're unable to provide a quote because you have too many overdue invoices.",
	"seller-too-young-on-platform": "Invoice Protection is only available for users who have been registered on {platform_name} for at least {customer_min_registration_days} days.",
	"seller-sector":                "We're not presently able to offer insurance to companies in the sector you are registered as operating in.",
	"seller-company-type":          "We don't presently offer insurance to companies that are incorporated as {legal_form}.",
	"seller-limit":                 "This invoice would exceed the limit of the value of invoices that we can insure for your company as a Seller.",
	"buyer-too-young":              "We're not presently able to insure Buyer companies which incorporated fewer than {MIN_CREATION_YEARS} years ago.",
	"buyer-country":                "We're currently unable to provide payment plans to Buyers domiciled in {debtor_country}.",
	"buyer-profile":                "At this stage, we are not able to insure buyers fitting this profile.",
	"buyer-status":                 "The status of the Buyer on this invoice is registered as being \"{debtor_status}\" and so we cannot offer insurance.",
	"buyer-company-type":           "We don't presently insure invoices to companies that are incorporated as {legal_form}.",
	"buyer-overdue-with-seller":    "The Buyer on this invoice has a {OVERDUE_DAYS}+ days overdue invoice with the Seller, so we're not able to insure at present.",
	"buyer-accounts":               "We are not currently able to insure Buyers where the Buyer's accounts have the status {accounts_type}.",
	"buyer-accounts-overdue":       "We're not currently able to insure Buyers when their accounts are overdue by more than {MAX_ACCOUNTS_OVERDUE_MONTHS} months.",
	"buyer-accounts-too-old":       "We're not currently able to insure against Buyers whose accounts are too old: this Buyers accounts were published more than {MAX_AGE_LATEST_FINANCIALS} days ago.",
	"buyer-country-subdivision":    "We are not currently able to insure Buyers in this location: {public_subdivision}.",
	"buyer-size":                   "We are not presently able to insure companies of the size: {company_size}.",
	"buyer-pre-approved":           "This buyer has not been pre-approved for insurance via {platform_name}",
	"buyer-limit":                  "This invoice would exceed the limit of the value of invoices that we can insure for this company as a Buyer.",
	"buyer-no-financials":          "The buyer on this invoice hasn't published any financials yet or doesn't have any assets.",
	"buyer-uncreditworthy":         "We are unable to verify the creditworthiness of the buyer on this invoice.",
	"buyer-high-risk":              "We are unable to insure this buyer due their high risk profile.",
	"buyer-high-risk-long-term":    "We are unable to insure for this duration due to the buyer's high risk profile. We can insure durations up to {max_term}.",
	"buyer-sector":                 "We don't cover invoices against buyer operating in this sector.",
	"buyer-risk-appetite":          "It's only possible for us to cover invoices up to a value of {tx_currency} {debtor_risk_appetite} at the moment, and your request for cover would cause us to exceed that limit.",
	"common-parent":                "The Buyer and Seller companies on this invoice appear to be related and so we cannot offer insurance.",
	"connected-companies":          "The Buyer and Seller companies on this invoice appear to be related and so we cannot offer insurance.",
	"invoice-currency":             "We don't currently insure invoices in the currency {tx_currency}.",
	"invoice-too-early":            "At the moment, we can only insure invoices issued up to {future_dated_limit_days} days into the future.",
	"invoice-too-late":             "Today ({today}) is too close to, or past, the due date of the invoice ({tx_due_date}) for us to insure.",
	"invoice-too-large":            "Due to the size of this invoice, please contact {website_email} and we may be able to cover it manually.",
	"invoice-profile":              "We are not able to insure any further invoices of this profile at this time.",
	"invoice-remaining-terms":      "This invoice's remaining credit terms are {credit_terms_days} days, which is longer than the maximum we're presently able to insure.",
	"invoice-credit-terms":         "This invoice's credit terms are {credit_terms_days} days. At the moment, we can only insure a maximum credit term of {MAX_CREDIT_TERMS_DAYS} days.",
	"sector-accum-limit":           "We are not able to insure any further invoices in the sector that either the buyer or seller is registered as operating in.",
}

// Codes lists every code of the contract.
func Codes() []string {
	out := make([]string, 0, len(sentences))
	for code := range sentences {
		out = append(out, code)
	}
	return out
}

// NewReason returns the reason of a code. Of params, those that the sentence
// names are kept.
func NewReason(code string, params map[string]any) *Reason {
	r := &Reason{Code: code, Detail: sentences[code], Params: map[string]any{}}
	for name, value := range params {
		slot := "{" + name + "}"
		if !strings.Contains(r.Detail, slot) {
			continue
		}
		r.Params[name] = value
		r.Detail = strings.ReplaceAll(r.Detail, slot, fmt.Sprint(value))
	}
	return r
}
