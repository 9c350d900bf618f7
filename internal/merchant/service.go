package merchant

import (
	"fmt"
	"strings"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/id"
)

// New describes a merchant that is to be created. Empty keys are made.
type New struct {
	Name        string
	Profile     Profile
	Environment Environment
	SecretKey   string
	PublicKey   string
}

// Created is a new merchant with its keys, which are never shown again.
type Created struct {
	Merchant
	SecretKey string
	PublicKey string
}

// Create writes a merchant and its two keys with the commit of tx.
func Create(tx *db.Tx, n New, now time.Time) (Created, error) {
	if strings.TrimSpace(n.Name) == "" {
		return Created{}, fmt.Errorf("a merchant needs a name")
	}
	if n.Profile == "" {
		n.Profile = BNPL
	}
	c := Created{
		Merchant: Merchant{
			ID: id.New(id.Merchant), Name: strings.TrimSpace(n.Name), Profile: n.Profile,
			Environment: n.Environment, Settings: DefaultSettings(), Created: now,
		},
		SecretKey: n.SecretKey,
		PublicKey: n.PublicKey,
	}
	if n.Environment == Production {
		c.Settings.MerchantLimits, c.Settings.SoleTraders = false, false
	}
	if c.SecretKey == "" {
		c.SecretKey = NewKey(SecretKey, n.Environment)
	}
	if c.PublicKey == "" {
		c.PublicKey = NewKey(PublicKey, n.Environment)
	}
	if err := save(tx, c.Merchant, true); err != nil {
		return Created{}, err
	}
	addKey(tx, c.ID, SecretKey, c.SecretKey, now)
	addKey(tx, c.ID, PublicKey, c.PublicKey, now)
	return c, nil
}

// NewKey makes a key: sk_ or pk_, test_ or live_, and 32 random characters.
func NewKey(kind KeyKind, env Environment) string {
	prefix, mode := "sk", "test"
	if kind == PublicKey {
		prefix = "pk"
	}
	if env == Production {
		mode = "live"
	}
	return prefix + "_" + mode + "_" + id.Secret(32)
}

func addKey(tx *db.Tx, merchantID string, kind KeyKind, key string, now time.Time) {
	hint := key[:min(len(key), 12)]
	tx.Queue(insertKey, HashKey(key), merchantID, string(kind), hint, "", db.Micros(now))
}

// AddKey writes one more key of a merchant with the commit of tx, and returns it.
func AddKey(tx *db.Tx, m Merchant, kind KeyKind, now time.Time) string {
	key := NewKey(kind, m.Environment)
	addKey(tx, m.ID, kind, key, now)
	return key
}

// SetKeyActive lets a key be used, or not any more. hash is the key's, as Keys
// returns it.
func SetKeyActive(tx *db.Tx, merchantID, hash string, active bool) {
	tx.Queue(setKeyActive, merchantID, hash, active)
}

// SetOrigins says from which web origins a public key may be used.
func SetOrigins(tx *db.Tx, merchantID, hash string, origins []string) {
	tx.Queue(setKeyOrigins, merchantID, hash, strings.Join(origins, " "))
}

// Save writes the changed fields of a merchant with the commit of tx.
func Save(tx *db.Tx, m Merchant) error { return save(tx, m, false) }
