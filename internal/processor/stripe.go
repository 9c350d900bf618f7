package processor

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v85"
)

// The keys of metadata under which Stripe keeps our IDs.
const (
	chargeKey   = "tradecredit_charge"
	refundKey   = "tradecredit_refund"
	customerKey = "tradecredit_customer"
)

// defaultTimeout is how long Stripe may take to answer. Banks that are asked for
// an authorisation take some seconds.
const defaultTimeout = 30 * time.Second

// StripeConfig is the account at Stripe through which money moves.
type StripeConfig struct {
	// Key is the secret or restricted API key. It is not shown by String.
	Key string
	// BaseURL is Stripe's API unless something stands in for it.
	BaseURL string
	// Timeout is how long one call may take; 30 seconds if it is zero.
	Timeout time.Duration
}

// String tells everything but the key.
func (c StripeConfig) String() string { return fmt.Sprintf("Stripe at %q", c.BaseURL) }

// GoString tells everything but the key, where %#v is asked for.
func (c StripeConfig) GoString() string { return c.String() }

// LogValue tells everything but the key.
func (c StripeConfig) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Stripe is the processor of that name. Charges are payment intents that are
// made and confirmed in one call.
//
// Nothing is repeated by the client itself; whoever repeats a command does so with
// the same idempotency key. For at least 24 hours after the first call Stripe
// answers such a repetition with the first answer, so that is the surest way to
// look a charge up. After that, Lookup is: it searches by our ID in the metadata,
// which lags behind by a minute, and an hour at worst. Perform looks first and then
// repeats, which is right within the day and after it.
type Stripe struct {
	client  *stripe.Client
	timeout time.Duration
}

var _ Processor = (*Stripe)(nil)

// NewStripe returns a processor for that account, or an error if the
// configuration cannot be right. It calls nobody.
func NewStripe(c StripeConfig) (*Stripe, error) {
	if strings.TrimSpace(c.Key) == "" {
		return nil, errors.New("processor: Stripe needs an API key")
	}
	if strings.HasPrefix(c.Key, "pk_") {
		return nil, errors.New("processor: that is Stripe's publishable key, not the secret one")
	}
	if c.BaseURL == "" {
		c.BaseURL = stripe.APIURL
	}
	if u, err := url.Parse(c.BaseURL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("processor: the address of Stripe is not a URL")
	}
	if c.Timeout <= 0 {
		c.Timeout = defaultTimeout
	}
	backends := stripe.NewBackendsWithConfig(&stripe.BackendConfig{
		URL: stripe.String(c.BaseURL),
		HTTPClient: &http.Client{
			Timeout:   c.Timeout,
			Transport: once{&http.Transport{ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute}},
			// An answer that sends us elsewhere is none of Stripe's.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		MaxNetworkRetries: stripe.Int64(0),
		EnableTelemetry:   stripe.Bool(false),
		// Errors are returned; what the library logs holds answers in full.
		LeveledLogger: &stripe.LeveledLogger{Level: stripe.LevelNull},
	})
	return &Stripe{client: stripe.NewClient(c.Key, stripe.WithBackends(backends)), timeout: c.Timeout}, nil
}

// once sends a request once. By itself http.Transport repeats requests that have an
// idempotency key when a connection breaks; if the repetition then finds no
// connection, it would look as if the command had never been sent.
type once struct{ next http.RoundTripper }

// RoundTrip sends the request without the means to begin its body anew.
func (o once) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.GetBody = nil
	return o.next.RoundTrip(r)
}

// Charge makes a payment intent and confirms it. The token is a payment method
// ("pm_…") or that of a card ("tok_…"), which Stripe takes once; for direct debits
// it is a payment method or a mandate ("mandate_…").
func (s *Stripe) Charge(ctx context.Context, c Charge) (Result, error) {
	if err := c.Check(); err != nil {
		return Result{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	p, err := intentOf(c)
	if err != nil {
		return Result{}, err
	}
	// Until the payment intent is made no money moves, whatever fails.
	if p.PaymentMethod, err = s.paymentMethod(ctx, c); err != nil {
		return refused(err)
	}
	intent, err := s.client.V1PaymentIntents.Create(ctx, p)
	if err != nil {
		return refused(err)
	}
	return intentResult(intent)
}

// paymentMethod is the payment method that a token stands for. That of a card's
// token is made with an idempotency key of its own, so that a charge that is
// repeated is the same.
func (s *Stripe) paymentMethod(ctx context.Context, c Charge) (*string, error) {
	switch {
	case strings.HasPrefix(c.Token, "tok_"):
		p := &stripe.PaymentMethodCreateParams{
			Type: stripe.String("card"), Card: &stripe.PaymentMethodCreateCardParams{Token: stripe.String(c.Token)},
		}
		p.SetIdempotencyKey(c.ID + ":method")
		m, err := s.client.V1PaymentMethods.Create(ctx, p)
		if err != nil {
			return nil, err
		}
		return stripe.String(m.ID), nil
	case strings.HasPrefix(c.Token, "mandate_"):
		m, err := s.client.V1Mandates.Retrieve(ctx, c.Token, nil)
		if err != nil {
			return nil, err
		}
		if m.PaymentMethod == nil {
			return nil, fmt.Errorf("%w: the mandate of %s has no payment method", ErrInvalid, c.ID)
		}
		return stripe.String(m.PaymentMethod.ID), nil
	}
	return stripe.String(c.Token), nil
}

// intentOf puts a charge into Stripe's words, all but the payment method. The same charge always becomes the
// same request, as its idempotency key demands.
func intentOf(c Charge) (*stripe.PaymentIntentCreateParams, error) {
	amount, err := toStripe(c.Amount, c.Currency)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrInvalid, c.ID, err)
	}
	kind, err := methodOf(c)
	if err != nil {
		return nil, err
	}
	p := &stripe.PaymentIntentCreateParams{
		Amount:             stripe.Int64(amount),
		Currency:           stripe.String(strings.ToLower(c.Currency)),
		Confirm:            stripe.Bool(true),
		PaymentMethodTypes: []*string{stripe.String(kind)},
		Metadata:           map[string]string{chargeKey: c.ID},
	}
	p.SetIdempotencyKey(c.ID)
	if strings.HasPrefix(c.Token, "mandate_") {
		p.Mandate = stripe.String(c.Token)
	}
	if c.OffSession {
		p.OffSession = stripe.Bool(true)
	} else if c.ReturnURL != "" {
		p.ReturnURL = stripe.String(c.ReturnURL)
	}
	if strings.HasPrefix(c.CustomerReference, "cus_") {
		p.Customer = stripe.String(c.CustomerReference)
	} else if c.CustomerReference != "" {
		p.Metadata[customerKey] = cut(c.CustomerReference, 500)
	}
	if c.Description != "" {
		p.Description = stripe.String(cut(c.Description, 500))
	}
	if d := descriptor(c.StatementDescriptor); d != "" && kind == "card" {
		// On card statements the account's name stands first.
		p.StatementDescriptorSuffix = stripe.String(d)
	} else if len(d) >= 5 {
		p.StatementDescriptor = stripe.String(d)
	}
	return p, nil
}

// methodOf is Stripe's name for how the money is collected. Each direct debit
// scheme has one currency.
func methodOf(c Charge) (string, error) {
	switch {
	case c.Token == "":
		return "", fmt.Errorf("%w: %s names no card or mandate", ErrInvalid, c.ID)
	case c.Method == Card:
		if strings.HasPrefix(c.Token, "mandate_") {
			return "", fmt.Errorf("%w: %s charges a card by a mandate", ErrInvalid, c.ID)
		}
		return "card", nil
	case strings.HasPrefix(c.Token, "tok_"):
		return "", fmt.Errorf("%w: %s is a direct debit from a card", ErrInvalid, c.ID)
	case c.Currency == "EUR":
		return "sepa_debit", nil
	case c.Currency == "GBP":
		return "bacs_debit", nil
	}
	return "", fmt.Errorf("%w: %s is a direct debit in %s", ErrInvalid, c.ID, c.Currency)
}

// Lookup finds a charge by our ID, or by the reference of the payment intent. See
// Stripe for how sure it is.
func (s *Stripe) Lookup(ctx context.Context, id string) (Result, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if strings.HasPrefix(id, "pi_") {
		return s.retrieve(ctx, id)
	}
	if err := checkID(id); err != nil {
		return Result{}, false, err
	}
	p := &stripe.PaymentIntentSearchParams{}
	p.Query = fmt.Sprintf("metadata['%s']:'%s'", chargeKey, id)
	p.Limit = stripe.Int64(100)
	var best *stripe.PaymentIntent
	for intent, err := range s.client.V1PaymentIntents.Search(ctx, p).All(ctx) {
		if err != nil {
			return Result{}, false, lookupError(err)
		}
		// One ID has one payment intent, unless it was repeated later than a day
		// after: then the one that moves money counts.
		if intent.Metadata[chargeKey] == id && (best == nil || weight(intent) > weight(best)) {
			best = intent
		}
	}
	if best == nil {
		return Result{}, false, nil
	}
	r, err := intentResult(best)
	return r, err == nil, err
}

func (s *Stripe) retrieve(ctx context.Context, reference string) (Result, bool, error) {
	intent, err := s.client.V1PaymentIntents.Retrieve(ctx, reference, nil)
	if missing(err) {
		return Result{}, false, nil
	}
	if err != nil {
		return Result{}, false, lookupError(err)
	}
	r, err := intentResult(intent)
	return r, err == nil, err
}

// weight orders payment intents by how likely they are to move money.
func weight(i *stripe.PaymentIntent) int {
	switch i.Status {
	case stripe.PaymentIntentStatusSucceeded:
		return 3
	case stripe.PaymentIntentStatusProcessing, stripe.PaymentIntentStatusRequiresCapture:
		return 2
	case stripe.PaymentIntentStatusRequiresAction:
		return 1
	}
	return 0
}

// Refund returns money of a payment intent.
func (s *Stripe) Refund(ctx context.Context, r Refund) (Result, error) {
	if err := r.Check(); err != nil {
		return Result{}, err
	}
	amount, err := toStripe(r.Amount, r.Currency)
	if err != nil {
		return Result{}, fmt.Errorf("%w: %s: %w", ErrInvalid, r.ID, err)
	}
	reference, err := s.charged(ctx, r)
	if err != nil {
		return Result{}, err
	}
	if reference == "" {
		return Result{Outcome: Failed, Code: "charge_not_found", Message: "The processor does not know the charge (yet).", Retryable: true}, nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	p := &stripe.RefundCreateParams{
		PaymentIntent: stripe.String(reference),
		Amount:        stripe.Int64(amount),
		Metadata:      map[string]string{refundKey: r.ID},
	}
	p.SetIdempotencyKey(r.ID)
	refund, err := s.client.V1Refunds.Create(ctx, p)
	if err != nil {
		return refused(err)
	}
	return refundResult(refund)
}

// charged is the payment intent of the charge that a refund is of, "" if it was
// not found.
func (s *Stripe) charged(ctx context.Context, r Refund) (string, error) {
	if r.ChargeReference != "" {
		return r.ChargeReference, nil
	}
	charge, found, err := s.Lookup(ctx, r.ChargeID)
	if err != nil {
		// Only a question was asked: no refund was made.
		return "", fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	if !found {
		return "", nil
	}
	return charge.Reference, nil
}

// LookupRefund goes through the refunds of the payment intent. Unlike a search, that
// is never behind.
func (s *Stripe) LookupRefund(ctx context.Context, r Refund) (Result, bool, error) {
	if err := r.Check(); err != nil {
		return Result{}, false, err
	}
	reference, err := s.charged(ctx, r)
	if err != nil || reference == "" {
		return Result{}, false, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	p := &stripe.RefundListParams{PaymentIntent: stripe.String(reference)}
	p.Limit = stripe.Int64(100)
	for refund, err := range s.client.V1Refunds.List(ctx, p).All(ctx) {
		if err != nil {
			return Result{}, false, lookupError(err)
		}
		if refund.Metadata[refundKey] == r.ID {
			result, err := refundResult(refund)
			return result, err == nil, err
		}
	}
	return Result{}, false, nil
}
