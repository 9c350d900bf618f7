package sandbox

import (
	"net/http"

	"golang.org/x/net/http/httpguts"

	"tradecredit/internal/api"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
	"tradecredit/internal/merchant"
	"tradecredit/internal/payout"
)

// Merchant is a merchant's settings as an operator sets them.
type Merchant struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Profile string `json:"profile" enum:"bnpl,insurance,insurance_legacy"`
	merchant.Settings
}

var merchantForm = form.New("MerchantSettings",
	form.Choice("profile", merchant.Profiles, form.Optional(), form.Doc("Which family of rules applies")),
	form.Boolean("overcaptures", form.Optional(), form.Doc("Captures above the authorisation are taken, unprotected")),
	form.Boolean("merchant_limits", form.Optional(), form.Doc("Plans may have an unprotected part")),
	form.Boolean("sole_traders", form.Optional(), form.Doc("Sole traders may buy")),
	form.Integer("expiry_days", form.Optional(), form.Null(), form.MinValue(1), form.MaxValue(merchant.MaxDays), form.Doc("After how many days an authorisation expires; null for never")),
	form.Choice("payout_weekday", merchant.Weekdays, form.Optional(), form.Doc("Day of the weekly payout run")),
	form.Choice("payout_structure", merchant.PayoutStructures, form.Optional(), form.Doc("Whether fees are taken off payouts")),
	form.Object("minimum_balance", form.New("MinimumBalance",
		form.Integer("fixed", form.Optional(), form.MinValue(0), form.Doc("Minor units")),
		form.Decimal("relative", 5, 2, form.Optional(), form.MinValue(0), form.MaxValue(100), form.Doc("Percent of unpaid orders")),
	), form.Optional(), form.Doc("What is withheld from payouts")),
	form.Boolean("invoice_required", form.Optional(), form.Doc("Payout items wait for the order's invoice")),
	form.Integer("payout_delay_days", form.Optional(), form.MinValue(0), form.MaxValue(90), form.Doc("Business days between what a payout item is for and its earliest payout")),
	form.Integer("customer_action_days", form.Optional(), form.MinValue(1), form.MaxValue(365), form.Doc("For how many days the buyer may send what was asked for")),
	form.Integer("upfront_days", form.Optional(), form.MinValue(1), form.MaxValue(365), form.Doc("For how many days the buyer may pay the upfront part")),
	form.List("dunning_days", form.Integer("", form.MinValue(-60), form.MaxValue(720)), form.Optional(), form.Doc("Days, counted from a due date, on which the buyer is written to")),
	form.Integer("collection_attempts", form.Optional(), form.MinValue(1), form.MaxValue(20), form.Doc("How often a card or an account is charged for what is due")),
	form.Integer("collection_gap_days", form.Optional(), form.MinValue(1), form.MaxValue(30), form.Doc("Business days between two attempts")),
	form.Integer("write_off_days", form.Optional(), form.Null(), form.MinValue(1), form.MaxValue(merchant.MaxDays), form.Doc("After how many days overdue a debt is written off; null for never")),
	form.Integer("statement_due_days", form.Optional(), form.MinValue(0), form.MaxValue(90), form.Doc("Days between the close of a statement and its due date")),
	form.List("billing_terms", form.Choice("", merchant.BillingPeriods), form.Optional(), form.Doc("The payment terms that billing accounts may have")),
	form.Integer("offer_valid_days", form.Optional(), form.MinValue(1), form.MaxValue(365), form.Doc("For how many days an offer may be accepted")),
	form.Choice("webhook_retries", merchant.RetrySchedules, form.Optional(), form.Doc("Retry after 0, 2 and 4 seconds, or for three days")),
	form.Char("webhook_authorization", form.Optional(), form.Blank(), form.Max(4096), form.Check(headerValue), form.Doc("Authorization header of notifications to the URLs of offers")),
)

// headerValue refuses text that cannot be sent as a header.
func headerValue(v form.Value) []string {
	if !httpguts.ValidHeaderFieldValue(v.Text()) {
		return []string{"Enter a valid header value."}
	}
	return nil
}

func (a *API) merchantRoutes() []api.Route {
	const path = "/v1/sandbox/merchant"
	return []api.Route{
		{
			Method: http.MethodGet, Path: path, Tag: tag, Summary: "View the merchant's settings", Response: Merchant{}, Status: 200,
			Read: func(c *api.Call, tx *db.Tx) (*api.Response, error) {
				m, err := merchant.Get(c, tx, c.Merchant.ID)
				return api.OK(showMerchant(m)), err
			},
		},
		{
			Method: http.MethodPatch, Path: path, Tag: tag, Summary: "Change the merchant's settings",
			Doc:  "As an operator would. What is not sent stays as it is.",
			Body: merchantForm, Response: Merchant{}, Status: 200, Write: a.changeMerchant,
		},
	}
}

func showMerchant(m merchant.Merchant) Merchant {
	return Merchant{ID: m.ID, Name: m.Name, Profile: string(m.Profile), Settings: m.Settings}
}

func (a *API) changeMerchant(c *api.Call, tx *db.Tx) (*api.Response, error) {
	v, err := c.Decode(tx)
	if err != nil {
		return nil, err
	}
	m, err := merchant.Lock(c, tx, c.Merchant.ID)
	if err != nil {
		return nil, err
	}
	if v.Has("profile") {
		m.Profile = merchant.Profile(v.String("profile"))
	}
	apply(&m.Settings, v)
	if err := merchant.Save(tx, m); err != nil {
		return nil, err
	}
	if err := payout.Replan(c, tx, m, c.Now); err != nil {
		return nil, err
	}
	tx.AfterCommit(c.ForgetMerchant)
	return api.OK(showMerchant(m)), nil
}

// apply changes the settings that were sent.
func apply(s *merchant.Settings, v *form.Values) {
	for name, target := range map[string]*bool{
		"overcaptures": &s.Overcaptures, "merchant_limits": &s.MerchantLimits, "sole_traders": &s.SoleTraders,
		"invoice_required": &s.InvoiceRequired,
	} {
		if v.Has(name) {
			*target = v.Bool(name)
		}
	}
	for name, target := range map[string]*string{
		"payout_weekday": &s.PayoutWeekday, "payout_structure": &s.PayoutStructure,
		"webhook_retries": &s.WebhookRetries, "webhook_authorization": &s.WebhookAuthorization,
	} {
		if v.Has(name) {
			*target = v.String(name)
		}
	}
	if v.Has("write_off_days") {
		s.WriteOffDays = v.IntPtr("write_off_days")
	}
	if v.Has("expiry_days") {
		s.ExpiryDays = v.IntPtr("expiry_days")
	}
	for name, target := range map[string]*int64{
		"offer_valid_days": &s.OfferValidDays, "payout_delay_days": &s.PayoutDelayDays,
		"customer_action_days": &s.CustomerActionDays, "upfront_days": &s.UpfrontDays,
		"collection_attempts": &s.CollectionAttempts, "collection_gap_days": &s.CollectionGapDays,
		"statement_due_days": &s.StatementDueDays,
	} {
		if v.Has(name) {
			*target = v.Int(name)
		}
	}
	applyLists(s, v)
	if v.Has("minimum_balance") {
		b := v.Object("minimum_balance")
		if b.Has("fixed") {
			s.MinimumBalance.Fixed = b.Int("fixed")
		}
		if b.Has("relative") {
			s.MinimumBalance.Relative = b.Decimal("relative")
		}
	}
}

// applyLists changes the settings that are lists.
func applyLists(s *merchant.Settings, v *form.Values) {
	if v.Has("dunning_days") {
		s.DunningDays = v.Ints("dunning_days")
	}
	if v.Has("billing_terms") {
		s.BillingTerms = v.Strings("billing_terms")
	}
}
