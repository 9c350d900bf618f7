package processor

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"unicode"

	"github.com/stripe/stripe-go/v85"

	"tradecredit/internal/money"
)

// stripePlaces are the currencies that Stripe counts with other decimal places
// than ISO 4217: those two had to stay with two when their smaller coins went.
// (docs.stripe.com/currencies, "Special cases".)
var stripePlaces = map[string]int{"ISK": 2, "UGX": 2}

// toStripe turns minor units into Stripe's. In currencies with three decimal
// places Stripe takes whole tens only.
func toStripe(amount int64, currency string) (int64, error) {
	ours, ok := money.Exponent(currency)
	if !ok {
		return 0, fmt.Errorf("the currency %q is not supported", currency)
	}
	if ours == 3 && amount%10 != 0 {
		return 0, fmt.Errorf("%d %s has more decimal places than cards have", amount, currency)
	}
	for theirs := stripePlaces[currency]; ours < theirs; ours++ {
		if amount > (1<<63-1)/10 {
			return 0, fmt.Errorf("%d %s is too much", amount, currency)
		}
		amount *= 10
	}
	return amount, nil
}

// fromStripe turns Stripe's units into minor units.
func fromStripe(amount int64, currency string) (int64, error) {
	ours, ok := money.Exponent(currency)
	if !ok {
		return 0, fmt.Errorf("the currency %q is not supported", currency)
	}
	for theirs := stripePlaces[currency]; ours < theirs; ours++ {
		if amount%10 != 0 {
			return 0, fmt.Errorf("%d are no whole units of %s", amount, currency)
		}
		amount /= 10
	}
	return amount, nil
}

// intentResult reads a payment intent.
func intentResult(i *stripe.PaymentIntent) (Result, error) {
	r := Result{Reference: i.ID}
	switch i.Status {
	case stripe.PaymentIntentStatusSucceeded:
		r.Outcome = Succeeded
	case stripe.PaymentIntentStatusProcessing, stripe.PaymentIntentStatusRequiresCapture:
		r.Outcome = Pending
	case stripe.PaymentIntentStatusRequiresAction:
		r.Outcome, r.Code = ActionRequired, string(stripe.ErrorCodeAuthenticationRequired)
		r.Message = "The bank asks the buyer to confirm the payment."
		if n := i.NextAction; n != nil && n.RedirectToURL != nil {
			r.ActionURL = n.RedirectToURL.URL
		}
	case stripe.PaymentIntentStatusCanceled:
		r.Outcome, r.Code, r.Message = Failed, "canceled", "The payment was cancelled at the processor."
	case stripe.PaymentIntentStatusRequiresPaymentMethod, stripe.PaymentIntentStatusRequiresConfirmation:
		if i.LastPaymentError != nil {
			return declined(i.LastPaymentError, i.ID), nil
		}
		// It was made and never confirmed, perhaps not yet.
		r.Outcome, r.Code, r.Retryable = Failed, string(i.Status), true
		r.Message = "The payment was not carried out at the processor."
	default:
		return Result{}, fmt.Errorf("%w: %s is %q", ErrAmbiguous, i.ID, i.Status)
	}
	return r, nil
}

// refundResult reads a refund.
func refundResult(f *stripe.Refund) (Result, error) {
	r := Result{Reference: f.ID}
	switch f.Status {
	case stripe.RefundStatusSucceeded:
		r.Outcome = Succeeded
	case stripe.RefundStatusPending, stripe.RefundStatusRequiresAction:
		r.Outcome = Pending
	case stripe.RefundStatusFailed:
		r.Outcome, r.Code, r.Message = Declined, string(f.FailureReason), "The bank did not take the refund."
	case stripe.RefundStatusCanceled:
		r.Outcome, r.Code, r.Message = Declined, "canceled", "The refund was cancelled at the processor."
	default:
		return Result{}, fmt.Errorf("%w: %s is %q", ErrAmbiguous, f.ID, f.Status)
	}
	return r, nil
}

// declined reads why a bank said no.
func declined(e *stripe.Error, reference string) Result {
	r := Result{Outcome: Declined, Reference: reference, Code: declineCode(e), Message: e.Msg}
	if r.Code == string(stripe.ErrorCodeAuthenticationRequired) {
		r.Outcome = ActionRequired
	}
	return r
}

// declineCode is the most exact reason that may be told. Whoever uses a card that
// was reported is not to learn that it was; Stripe's advice is to say that it was
// declined.
func declineCode(e *stripe.Error) string {
	switch e.DeclineCode {
	case "", "generic_decline", "fraudulent", "lost_card", "merchant_blacklist", "pickup_card", "restricted_card",
		"security_violation", "stolen_card":
	case stripe.DeclineCodeAuthenticationRequired:
		return string(e.DeclineCode)
	default:
		if e.Code == stripe.ErrorCodeCardDeclined {
			return string(e.DeclineCode)
		}
	}
	if e.Code == "" {
		return string(stripe.ErrorCodeCardDeclined)
	}
	return string(e.Code)
}

// refused reads the error of a command. The library's errors are not passed on:
// they hold the whole answer.
func refused(err error) (Result, error) {
	var e *stripe.Error
	if errors.Is(err, ErrInvalid) {
		return Result{}, err
	}
	if !errors.As(err, &e) {
		return Result{}, transport(err)
	}
	reference := ""
	if e.PaymentIntent != nil {
		reference = e.PaymentIntent.ID
	}
	code := string(e.Code)
	switch status := e.HTTPStatusCode; {
	case status == http.StatusTooManyRequests:
		if code == "" {
			code = string(stripe.ErrorCodeRateLimit)
		}
		return Result{Outcome: Failed, Code: code, Message: "The processor has too much to do.", Retryable: true}, nil
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Result{
			Outcome: Failed, Code: "processor_credentials",
			Message: "The processor does not accept the configured key.", Retryable: true,
		}, nil
	case status == http.StatusConflict, e.Type == stripe.ErrorTypeIdempotency:
		// The key belongs to a call that is still under way, or to another command.
		return Result{}, fmt.Errorf("%w: the processor knows the idempotency key: %s", ErrAmbiguous, e.Type)
	case e.Type == stripe.ErrorTypeCard, status == http.StatusPaymentRequired:
		return declined(e, reference), nil
	case status >= 400 && status < 500 && e.Type == stripe.ErrorTypeInvalidRequest:
		return Result{Outcome: Failed, Reference: reference, Code: code, Message: e.Msg}, nil
	}
	// A fault of Stripe's: the bank may have been asked by then.
	return Result{}, fmt.Errorf("%w: the processor answered %d %s", ErrAmbiguous, e.HTTPStatusCode, e.Type)
}

// transport names what went wrong on the way. Only what never was connected is
// sure not to have arrived.
func transport(err error) error {
	var op *net.OpError
	var dns *net.DNSError
	var network net.Error
	switch {
	case errors.As(err, &dns):
		return fmt.Errorf("%w: the host was not found", ErrUnreachable)
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Errorf("%w: no connection", ErrUnreachable)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%w: the call was broken off", ErrAmbiguous)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return fmt.Errorf("%w: no answer in time", ErrAmbiguous)
	}
	return fmt.Errorf("%w: the answer could not be read", ErrAmbiguous)
}

// lookupError is the error of a question that was not answered.
func lookupError(err error) error {
	var e *stripe.Error
	if errors.As(err, &e) {
		return fmt.Errorf("%w: the processor answered %d %s to a question", ErrAmbiguous, e.HTTPStatusCode, e.Code)
	}
	return transport(err)
}

func missing(err error) bool {
	var e *stripe.Error
	return errors.As(err, &e) && e.HTTPStatusCode == http.StatusNotFound
}

// descriptor makes a text fit for a card statement: up to 22 plain characters with
// a letter among them, without those that Stripe refuses; "" if nothing is left.
func descriptor(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || strings.ContainsRune(`<>\'"*`, r) {
			return -1
		}
		return r
	}, s)
	s = strings.TrimSpace(cut(strings.Join(strings.Fields(s), " "), 22))
	if !strings.ContainsFunc(s, unicode.IsLetter) {
		return ""
	}
	return s
}

// cut shortens a text to a number of characters.
func cut(s string, most int) string {
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most])
	}
	return s
}
