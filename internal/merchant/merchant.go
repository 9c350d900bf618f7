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
		WebhookRetries:  "short",
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
