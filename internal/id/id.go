// Package id makes and reads the identifiers of the API: a prefix that names the
// kind of object, a dash, and a UUID of version 7 in 22 characters.
//
// The 22 characters are base 57, most significant digit first, so identifiers
// sort by the time of their making and keep indexes compact.
package id

import (
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/lithammer/shortuuid/v4"
)

// Prefix names a kind of object.
type Prefix string

// The prefixes of the API.
const (
	Company            Prefix = "co"
	SoleTrader         Prefix = "st"
	Organisation       Prefix = "org"
	User               Prefix = "user"
	Order              Prefix = "order"
	Offer              Prefix = "offr"
	WebhookEndpoint    Prefix = "whe"
	PaymentPlan        Prefix = "ppln"
	PlanTemplate       Prefix = "pptemp"
	DeferredPayment    Prefix = "defpay"
	OrderDocument      Prefix = "odoc"
	Payout             Prefix = "po"
	PayoutItem         Prefix = "poitm"
	PayoutAdjustment   Prefix = "poadj"
	BillingAccount     Prefix = "ba"
	Statement          Prefix = "stmt"
	Transaction        Prefix = "trns"
	Quote              Prefix = "quo"
	Policy             Prefix = "pol"
	Collection         Prefix = "coll"
	CollectionDocument Prefix = "cdoc"
	PolicyDocument     Prefix = "pmnt"
	PaymentIntent      Prefix = "pint"

	Merchant Prefix = "mer"
	Event    Prefix = "evt"
	Delivery Prefix = "whd"
	Email    Prefix = "eml"
	Job      Prefix = "job"
	// Repayment and BuyerCredit are ours: the documents show payments without them.
	Repayment   Prefix = "rpmt"
	BuyerCredit Prefix = "bcr"
	// BankEntry is a line of an account statement, BankFile a file for the bank,
	// BankOrder what the bank is to do, Mandate a buyer's permission to debit it.
	BankEntry Prefix = "ben"
	BankFile  Prefix = "bfl"
	BankOrder Prefix = "bord"
	Mandate   Prefix = "mand"
	Request   Prefix = "req"
	Decision  Prefix = "dec"
	// FraudDecision is a decision on an accepted plan.
	FraudDecision Prefix = "frd"
	// BuyerDocument is what a buyer sends for a deferred payment.
	BuyerDocument Prefix = "bdoc"
)

// New returns a new identifier. It sorts after those made before it on the same
// machine.
func New(p Prefix) string {
	u, err := uuid.NewV7()
	if err != nil {
		panic(fmt.Sprintf("id: the machine has no random numbers: %v", err))
	}
	return Of(p, u)
}

// Of returns the identifier that u has under the prefix p.
func Of(p Prefix, u uuid.UUID) string {
	return string(p) + "-" + shortuuid.DefaultEncoder.Encode(u)
}

// Has tells whether s carries the prefix p. What follows the prefix is not
// judged: identifiers of the reference documents are not all well-formed, and an
// unknown one is simply not found.
func Has(p Prefix, s string) bool {
	rest, ok := strings.CutPrefix(s, string(p)+"-")
	return ok && rest != ""
}

// Canonical returns s with an old spelling of its prefix replaced: offers were
// once called offer-….
func Canonical(s string) string {
	if rest, ok := strings.CutPrefix(s, "offer-"); ok {
		return string(Offer) + "-" + rest
	}
	return s
}

// humanAlphabet has no characters that are taken for one another.
const humanAlphabet = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"

// Number returns a number for people, such as P-7WR2-PR6S: a letter and twice
// four random characters. The caller makes sure that it is not taken.
func Number(letter string) string {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		panic(fmt.Sprintf("id: the machine has no random numbers: %v", err))
	}
	for i, v := range b {
		b[i] = humanAlphabet[int(v)%len(humanAlphabet)]
	}
	return fmt.Sprintf("%s-%s-%s", letter, b[:4], b[4:])
}

// Secret returns n random characters of the identifier alphabet, for keys and
// links that nobody can guess. 43 characters carry 250 bits.
func Secret(n int) string {
	const alphabet = shortuuid.DefaultAlphabet
	out := make([]byte, 0, n)
	var b [64]byte
	for len(out) < n {
		if _, err := rand.Read(b[:]); err != nil {
			panic(fmt.Sprintf("id: the machine has no random numbers: %v", err))
		}
		for _, v := range b {
			// Refuse the last, partial run of the alphabet so that every
			// character is equally likely.
			if int(v) < 256/len(alphabet)*len(alphabet) && len(out) < n {
				out = append(out, alphabet[int(v)%len(alphabet)])
			}
		}
	}
	return string(out)
}
