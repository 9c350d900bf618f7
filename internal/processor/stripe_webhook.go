package processor

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v85"

	"tradecredit/internal/money"
)

// EventKind is what a provider reports.
type EventKind string

// What is reported. Events of no concern to us are Ignored, and to be answered
// like the others.
const (
	Ignored              EventKind = ""
	ChargeSucceeded      EventKind = "charge.succeeded"
	ChargePending        EventKind = "charge.pending"
	ChargeActionRequired EventKind = "charge.action_required"
	ChargeFailed         EventKind = "charge.failed"
	// ChargeDisputed is a chargeback: the bank takes the amount back. Of one dispute
	// there may be two such reports, with the same DisputeReference.
	ChargeDisputed EventKind = "charge.disputed"
	// DisputeWon gives the amount back to us, DisputeLost leaves it with the buyer.
	DisputeWon    EventKind = "dispute.won"
	DisputeLost   EventKind = "dispute.lost"
	RefundDone    EventKind = "refund.succeeded"
	RefundPending EventKind = "refund.pending"
	RefundFailed  EventKind = "refund.failed"
)

// Event is a provider's report, whoever the provider is. One may come more than
// once, late, or before another that happened earlier.
type Event struct {
	// ID is the provider's, the same whenever the same report comes again.
	ID   string
	Kind EventKind
	// Type is what the provider calls it.
	Type    string
	Created time.Time
	// Live is false for events of the provider's test mode.
	Live bool
	// ChargeID is our ID of the charge, "" if the report does not say it, as those of
	// refunds and disputes; ChargeReference is the provider's.
	ChargeID        string
	ChargeReference string
	// RefundID is our ID of the refund; "" for refunds that were made at the
	// provider's by hand.
	RefundID        string
	RefundReference string
	// DisputeReference is the provider's ID of the dispute.
	DisputeReference string
	// Amount is what was charged, refunded or disputed, in minor units.
	Amount   int64
	Currency string
	// Result is that of the charge or the refund. Of a dispute it has the Code, which
	// is the reason.
	Result Result
}

// ErrSignature is the refusal of a report that does not prove who sent it, or
// that is too old.
var ErrSignature = errors.New("processor: the signature is not valid")

// Tolerance is how far the time of a signature may be from ours.
const Tolerance = 5 * time.Minute

// ParseWebhook checks and reads a report of Stripe: its body as it came, the
// header Stripe-Signature, and the secret of the endpoint ("whsec_…"). now is the
// real time. An error is ErrSignature, or the body is not an event that we
// understand.
func ParseWebhook(payload []byte, header, secret string, now time.Time) (Event, error) {
	if err := checkSignature(payload, header, secret, now); err != nil {
		return Event{}, err
	}
	var in struct {
		ID       string `json:"id"`
		Object   string `json:"object"`
		Type     string `json:"type"`
		Created  int64  `json:"created"`
		Livemode bool   `json:"livemode"`
		Data     struct {
			Object json.RawMessage `json:"object"`
		} `json:"data"`
	}
	if err := json.Unmarshal(payload, &in); err != nil {
		return Event{}, fmt.Errorf("processor: the event is not JSON: %w", err)
	}
	if in.Object != "event" || in.ID == "" {
		return Event{}, errors.New("processor: the body is not an event")
	}
	e := Event{ID: in.ID, Type: in.Type, Created: time.Unix(in.Created, 0).UTC(), Live: in.Livemode}
	var err error
	switch kind, _, _ := strings.Cut(in.Type, "."); {
	case kind == "payment_intent":
		err = e.readIntent(in.Data.Object)
	case kind == "refund":
		err = e.readRefund(in.Data.Object)
	case strings.HasPrefix(in.Type, "charge.dispute."):
		err = e.readDispute(in.Data.Object)
	}
	if err != nil {
		return Event{}, fmt.Errorf("processor: the event %s: %w", in.ID, err)
	}
	return e, nil
}

// checkSignature leaves the signature to the library, and the time, which it
// would ask the machine for, to the caller.
func checkSignature(payload []byte, header, secret string, now time.Time) error {
	if secret == "" {
		return fmt.Errorf("%w: there is no secret to check it with", ErrSignature)
	}
	if stripe.ValidatePayload(payload, header, secret, stripe.WithIgnoreTolerance()) != nil {
		return ErrSignature
	}
	var signed time.Time
	for part := range strings.SplitSeq(header, ",") {
		if value, ok := strings.CutPrefix(part, "t="); ok {
			seconds, err := strconv.ParseInt(value, 10, 64)
			if err != nil || !signed.IsZero() {
				return fmt.Errorf("%w: it has not one time", ErrSignature)
			}
			signed = time.Unix(seconds, 0)
		}
	}
	if age := now.Sub(signed); age > Tolerance || age < -Tolerance {
		return fmt.Errorf("%w: it was made at another time", ErrSignature)
	}
	return nil
}

func (e *Event) readIntent(object []byte) error {
	kinds := map[string]EventKind{
		"payment_intent.succeeded":       ChargeSucceeded,
		"payment_intent.processing":      ChargePending,
		"payment_intent.requires_action": ChargeActionRequired,
		"payment_intent.payment_failed":  ChargeFailed,
		"payment_intent.canceled":        ChargeFailed,
	}
	kind, ok := kinds[e.Type]
	if !ok {
		return nil
	}
	var i stripe.PaymentIntent
	if err := json.Unmarshal(object, &i); err != nil {
		return err
	}
	if i.Metadata[chargeKey] == "" {
		return nil // somebody else's, at the same account
	}
	r, err := intentResult(&i)
	if err != nil {
		return err
	}
	if r.Outcome == ActionRequired {
		kind = ChargeActionRequired
	}
	e.Kind, e.Result, e.ChargeID, e.ChargeReference = kind, r, i.Metadata[chargeKey], i.ID
	return e.setAmount(i.Amount, i.Currency)
}

func (e *Event) readRefund(object []byte) error {
	var f stripe.Refund
	if err := json.Unmarshal(object, &f); err != nil {
		return err
	}
	r, err := refundResult(&f)
	if err != nil {
		return err
	}
	kinds := map[Outcome]EventKind{Succeeded: RefundDone, Pending: RefundPending, Declined: RefundFailed}
	e.Kind, e.Result, e.RefundReference, e.RefundID = kinds[r.Outcome], r, f.ID, f.Metadata[refundKey]
	if f.PaymentIntent != nil {
		e.ChargeReference = f.PaymentIntent.ID
	}
	return e.setAmount(f.Amount, f.Currency)
}

func (e *Event) readDispute(object []byte) error {
	var d stripe.Dispute
	if err := json.Unmarshal(object, &d); err != nil {
		return err
	}
	switch {
	case e.Type == "charge.dispute.created":
		// An inquiry takes no money yet; if it becomes a dispute, funds are withdrawn.
		if strings.HasPrefix(string(d.Status), "warning_") {
			return nil
		}
		e.Kind = ChargeDisputed
	case e.Type == "charge.dispute.funds_withdrawn":
		e.Kind = ChargeDisputed
	case e.Type == "charge.dispute.closed" && d.Status == stripe.DisputeStatusWon:
		e.Kind = DisputeWon
	case e.Type == "charge.dispute.closed" && d.Status == stripe.DisputeStatusLost:
		e.Kind = DisputeLost
	default:
		return nil
	}
	e.DisputeReference, e.Result = d.ID, Result{Reference: d.ID, Code: string(d.Reason)}
	if d.PaymentIntent != nil {
		e.ChargeReference = d.PaymentIntent.ID
		e.ChargeID = d.PaymentIntent.Metadata[chargeKey]
	}
	return e.setAmount(d.Amount, d.Currency)
}

// setAmount reads an amount. What is in a currency that we do not support is
// somebody else's, at the same account.
func (e *Event) setAmount(amount int64, currency stripe.Currency) (err error) {
	e.Currency = strings.ToUpper(string(currency))
	if _, ok := money.Exponent(e.Currency); !ok {
		e.Kind = Ignored
		return nil
	}
	e.Amount, err = fromStripe(amount, e.Currency)
	return err
}
