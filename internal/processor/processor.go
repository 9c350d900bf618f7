// Package processor is the seam through which money is collected from buyers and
// returned to them. It knows two others to talk to: Stripe, and a sandbox that
// decides by card number.
//
// A command is stored, with its own ID, before it is performed. That ID is the
// provider's idempotency key for ever, so that repeating a command moves no
// money twice. Perform and Next say how a job goes about it.
package processor

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"tradecredit/internal/money"
)

// The methods by which money is collected.
const (
	Card        = "card"
	DirectDebit = "direct_debit"
)

// Charge is the command to collect money.
type Charge struct {
	// ID is ours, and the provider's idempotency key for ever: a charge that is
	// repeated with the same ID must be the same in every other field, too. It has
	// up to 200 letters, digits and any of "-_.:".
	ID string
	// Amount is positive, in minor units of Currency.
	Amount   int64
	Currency string
	// Method is Card or DirectDebit.
	Method string
	// Token stands for the card or the mandate at the provider.
	Token string
	// CustomerReference is the provider's name for the buyer, if it has one, else
	// any reference of ours.
	CustomerReference string
	// Description is for those who look at the charge at the provider's;
	// StatementDescriptor for the buyer, on the statement of card or account.
	Description         string
	StatementDescriptor string
	// OffSession says that the buyer is not there to answer questions.
	OffSession bool
	// ReturnURL is where a buyer who is there is sent after the bank's questions.
	ReturnURL string
}

// Refund is the command to return money that a charge has collected.
type Refund struct {
	// ID is ours, and the provider's idempotency key for ever.
	ID string
	// ChargeID is our ID of the charge, ChargeReference that of the provider. One
	// of them may be missing; with the reference no search is needed.
	ChargeID        string
	ChargeReference string
	// Amount is positive, in minor units of Currency.
	Amount   int64
	Currency string
}

// Outcome is what came of a command.
type Outcome string

// The outcomes. Of these, only Succeeded and Pending may have moved money.
const (
	// Succeeded: the money was collected or returned.
	Succeeded Outcome = "succeeded"
	// Pending: the provider has taken the command and will tell, in days.
	Pending Outcome = "pending"
	// ActionRequired: the buyer must answer the bank first, at ActionURL. Without
	// an address the buyer was not there to be asked; the charge is over and
	// another one, with its own ID, must be made when the buyer is.
	ActionRequired Outcome = "action_required"
	// Declined: the bank said no. The same command will not succeed.
	Declined Outcome = "declined"
	// Failed: the command was not carried out, for no fault of the buyer's. See
	// Retryable.
	Failed Outcome = "failed"
)

// Result is a provider's answer to a command.
type Result struct {
	Outcome Outcome
	// Reference is the provider's ID, "" if it made none.
	Reference string
	// Code says why it was not Succeeded, in the provider's words, such as
	// "card_declined", "insufficient_funds" or "expired_card". Message is a
	// sentence that may be shown to the merchant.
	Code    string
	Message string
	// ActionURL is where the buyer must go, if ActionRequired.
	ActionURL string
	// Retryable says of Failed that the same command may succeed when it is
	// repeated with the same ID.
	Retryable bool
}

// The errors of a Processor. An error that is none of them is ErrAmbiguous in all
// but name.
var (
	// ErrAmbiguous: the money may have moved or not. Look the command up; then it
	// may be repeated with the same ID.
	ErrAmbiguous = errors.New("processor: the outcome is not known")
	// ErrUnreachable: the command did not get there.
	ErrUnreachable = errors.New("processor: cannot be reached")
	// ErrInvalid: the command cannot be performed as it is written, and was not
	// sent.
	ErrInvalid = errors.New("processor: not a valid command")
)

// Processor performs commands. Its methods may be called side by side. None of
// them is called while a transaction is open.
type Processor interface {
	// Charge collects money. After an error it is not known what happened, unless
	// it says so.
	Charge(ctx context.Context, c Charge) (Result, error)
	// Lookup finds a charge by our ID, or by the provider's reference. The second
	// result is false if there is none yet; a provider may need a while to find
	// one by our ID.
	Lookup(ctx context.Context, id string) (Result, bool, error)
	// Refund returns money.
	Refund(ctx context.Context, r Refund) (Result, error)
	// LookupRefund finds the refund with the ID of r.
	LookupRefund(ctx context.Context, r Refund) (Result, bool, error)
}

// Check returns an error that is ErrInvalid for a charge that no processor would
// take.
func (c Charge) Check() error {
	if err := checkCommand(c.ID, c.Amount, c.Currency); err != nil {
		return err
	}
	if c.Method != Card && c.Method != DirectDebit {
		return fmt.Errorf("%w: the method of %s is %q", ErrInvalid, c.ID, c.Method)
	}
	return nil
}

// Check returns an error that is ErrInvalid for a refund that no processor would
// take.
func (r Refund) Check() error {
	if err := checkCommand(r.ID, r.Amount, r.Currency); err != nil {
		return err
	}
	if r.ChargeID == "" && r.ChargeReference == "" {
		return fmt.Errorf("%w: the refund %s names no charge", ErrInvalid, r.ID)
	}
	if r.ChargeID != "" {
		return checkID(r.ChargeID)
	}
	return nil
}

func checkCommand(id string, amount int64, currency string) error {
	if err := checkID(id); err != nil {
		return err
	}
	if amount <= 0 {
		return fmt.Errorf("%w: the amount of %s is %d", ErrInvalid, id, amount)
	}
	if _, ok := money.Exponent(currency); !ok {
		return fmt.Errorf("%w: the currency of %s is %q", ErrInvalid, id, currency)
	}
	return nil
}

// longestID leaves room below the 255 characters of Stripe's idempotency keys.
const longestID = 200

// checkID keeps out what would have to be escaped in a header or in a query.
func checkID(id string) error {
	odd := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.:", r)
	}
	if id == "" || len(id) > longestID || strings.ContainsFunc(id, odd) {
		return fmt.Errorf("%w: the ID %q", ErrInvalid, id)
	}
	return nil
}
