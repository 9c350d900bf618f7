// Package merchant keeps the merchants of the platform: their keys, their
// settings and, in the sandbox, their time.
package merchant

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Profile selects the family of rules where the families differ.
type Profile string

// The profiles.
const (
	BNPL            Profile = "bnpl"
	Insurance       Profile = "insurance"
	InsuranceLegacy Profile = "insurance_legacy"
)

// Profiles lists every profile.
var Profiles = []string{string(BNPL), string(Insurance), string(InsuranceLegacy)}

// Environment is sandbox or production.
type Environment string

// The environments.
const (
	Sandbox    Environment = "sandbox"
	Production Environment = "production"
)

// Merchant is a business that sells on credit through the API.
type Merchant struct {
	ID          string
	Name        string
	Profile     Profile
	Environment Environment
	Settings    Settings
	// Offset is how far the merchant's time is ahead of real time.
	Offset  time.Duration
	Created time.Time
}

// Now is the merchant's time at the real time now.
func (m Merchant) Now(now time.Time) time.Time { return now.Add(m.Offset) }

// MinimumBalance is what is withheld from payouts.
type MinimumBalance struct {
	// Fixed is in minor units, Relative in percent of unpaid orders.
	Fixed    int64  `json:"fixed"`
	Relative string `json:"relative"`
}

// Settings is what an operator sets for a merchant.
type Settings struct {
	// Overcaptures allows captures above the authorisation, unprotected.
	Overcaptures bool `json:"overcaptures"`
	// MerchantLimits allows plans with an unprotected part.
	MerchantLimits bool `json:"merchant_limits"`
	// SoleTraders allows unregistered businesses as buyers.
	SoleTraders bool `json:"sole_traders"`
	// ExpiryDays is after how many days an authorisation expires; nil is never.
	ExpiryDays *int64 `json:"expiry_days"`
	// PayoutWeekday is the English name of the day of the weekly payout run.
	PayoutWeekday   string         `json:"payout_weekday"`
	PayoutStructure string         `json:"payout_structure"`
	MinimumBalance  MinimumBalance `json:"minimum_balance"`
	// InvoiceRequired holds payout items back until the order's invoice is there.
	InvoiceRequired bool `json:"invoice_required"`
	// PayoutDelayDays is how many business days lie between what a payout item is
	// for and the first day on which it may be paid out.
	PayoutDelayDays int64 `json:"payout_delay_days"`
	// CustomerActionDays and UpfrontDays are how long the buyer has to send what
	// was asked for, and to pay the upfront part.
	CustomerActionDays int64 `json:"customer_action_days"`
	UpfrontDays        int64 `json:"upfront_days"`
	// DunningDays are the days, counted from the due date, on which the buyer is
	// written to; below zero before it.
	DunningDays []int64 `json:"dunning_days"`
	// CollectionAttempts is how often a card or an account is charged for what is
	// due, CollectionGapDays how many business days lie between two attempts.
	CollectionAttempts int64 `json:"collection_attempts"`
	CollectionGapDays  int64 `json:"collection_gap_days"`
	// WriteOffDays is after how many days overdue a debt is written off; nil is
	// never by itself.
	WriteOffDays *int64 `json:"write_off_days"`
	// StatementDueDays is how many days after its close a statement is to be paid.
	StatementDueDays int64 `json:"statement_due_days"`
	// BillingTerms are the payment_terms that billing accounts may have.
	BillingTerms []string `json:"billing_terms"`
	// OfferValidDays is for how many days an offer may be accepted.
	OfferValidDays int64 `json:"offer_valid_days"`
	// WebhookRetries is "short" (after 0, 2 and 4 seconds) or "long" (to three
	// days).
	WebhookRetries string `json:"webhook_retries"`
	// WebhookAuthorization, when set, is the Authorization header of every
	// notification that is sent to an offer's own URL.
	WebhookAuthorization string `json:"webhook_authorization"`
}

// Weekdays are the values of PayoutWeekday, PayoutStructures and RetrySchedules
// those of the settings of their names.
var (
	Weekdays         = []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}
	PayoutStructures = []string{"net_of_fees", "gross_of_fees"}
	RetrySchedules   = []string{"short", "long"}
	// BillingPeriods are the payment_terms of billing accounts.
	BillingPeriods = []string{"7d", "14d", "1m"}
)

// MaxDays bounds the settings that count days.
const MaxDays = 3650

// Check returns an error that names the first setting which is out of bounds.
func (s Settings) Check() error {
	switch {
	case s.ExpiryDays != nil && (*s.ExpiryDays < 1 || *s.ExpiryDays > MaxDays):
		return fmt.Errorf("expiry_days is between 1 and %d, or null", MaxDays)
	case s.OfferValidDays < 1 || s.OfferValidDays > 365:
		return fmt.Errorf("offer_valid_days is between 1 and 365")
	case outside(s.PayoutDelayDays, 0, 90):
		return fmt.Errorf("payout_delay_days is between 0 and 90")
	case outside(s.CustomerActionDays, 1, 365):
		return fmt.Errorf("customer_action_days is between 1 and 365")
	case outside(s.UpfrontDays, 1, 365):
		return fmt.Errorf("upfront_days is between 1 and 365")
	case len(s.DunningDays) > 20 || slices.ContainsFunc(s.DunningDays, func(d int64) bool { return outside(d, -60, 720) }):
		return fmt.Errorf("dunning_days are at most 20 numbers between -60 and 720")
	case outside(s.CollectionAttempts, 1, 20):
		return fmt.Errorf("collection_attempts is between 1 and 20")
	case outside(s.CollectionGapDays, 1, 30):
		return fmt.Errorf("collection_gap_days is between 1 and 30")
	case s.WriteOffDays != nil && outside(*s.WriteOffDays, 1, MaxDays):
		return fmt.Errorf("write_off_days is between 1 and %d, or null", MaxDays)
	case outside(s.StatementDueDays, 0, 90):
		return fmt.Errorf("statement_due_days is between 0 and 90")
	case slices.ContainsFunc(s.BillingTerms, func(t string) bool { return !slices.Contains(BillingPeriods, t) }):
		return fmt.Errorf("billing_terms are some of %s", strings.Join(BillingPeriods, ", "))
	case !slices.Contains(Weekdays, s.PayoutWeekday):
		return fmt.Errorf("payout_weekday is one of %s", strings.Join(Weekdays, ", "))
	case !slices.Contains(PayoutStructures, s.PayoutStructure):
		return fmt.Errorf("payout_structure is one of %s", strings.Join(PayoutStructures, ", "))
	case !slices.Contains(RetrySchedules, s.WebhookRetries):
		return fmt.Errorf("webhook_retries is one of %s", strings.Join(RetrySchedules, ", "))
	case s.MinimumBalance.Fixed < 0:
		return fmt.Errorf("minimum_balance.fixed is not below zero")
	case !percentage.MatchString(s.MinimumBalance.Relative):
		return fmt.Errorf("minimum_balance.relative is a percentage such as 12.50")
	case strings.ContainsAny(s.WebhookAuthorization, "\r\n\x00"):
		return fmt.Errorf("webhook_authorization is one line")
	}
	return nil
}

func outside(v, least, most int64) bool { return v < least || v > most }

var percentage = regexp.MustCompile(`^(100\.00|[0-9]{1,2}\.[0-9]{2})$`)

// DefaultSettings are those of a new merchant.
func DefaultSettings() Settings {
	expiry := int64(28)
	return Settings{
		MerchantLimits:  true,
		SoleTraders:     true,
		ExpiryDays:      &expiry,
		PayoutWeekday:   "thursday",
		PayoutStructure: "net_of_fees",
		MinimumBalance:  MinimumBalance{Relative: "0.00"},
		OfferValidDays:  7,

		InvoiceRequired:    true,
		CustomerActionDays: 14,
		UpfrontDays:        14,
		DunningDays:        []int64{-3, 1, 7, 14, 30},
		CollectionAttempts: 3,
		CollectionGapDays:  3,
		StatementDueDays:   14,
		BillingTerms:       slices.Clone(BillingPeriods),
		WebhookRetries:     "short",
	}
}

// KeyKind says what a key may do.
type KeyKind string

// The kinds of keys.
const (
	SecretKey KeyKind = "secret"
	PublicKey KeyKind = "public"
)

// Key is an API key as it is stored: its hash, never the key itself.
type Key struct {
	Hash       string
	MerchantID string
	Kind       KeyKind
	// Hint is the start of the key, enough to tell it from others.
	Hint string
	// Origins, for a public key, are the web origins that may use it; none
	// registered means any, in the sandbox only.
	Origins []string
	Active  bool
	Created time.Time
}

// HashKey is how a key is stored and looked up. Keys carry 190 random bits, so a
// plain hash cannot be turned back.
func HashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}
