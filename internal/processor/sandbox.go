package processor

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// The tokens at which the sandbox does something else than succeed. Card numbers
// may be written with spaces.
const (
	declinedNumber = "4000000000000002"
	secureNumber   = "4000000000003220"
	declinedToken  = "tok_chargeDeclined"
	declinedMethod = "pm_card_chargeDeclined"
	timeoutToken   = "tok_timeout"
	errorToken     = "tok_processorError"
	failedMandate  = "mandate_fail"
)

// sandboxMemory is how many commands a sandbox remembers for Lookup. Whatever it
// has forgotten, or another node has seen, comes out the same when it is repeated:
// the answer depends on the command only.
const sandboxMemory = 10_000

// Sandbox is a processor that moves no money. The token decides what comes of a
// charge; charges without one succeed, and so do all refunds.
type Sandbox struct {
	patience time.Duration
	mu       sync.Mutex
	charges  memory
	refunds  memory
}

var _ Processor = (*Sandbox)(nil)

// NewSandbox returns a sandbox. A charge that is never answered holds its caller
// up for patience, or until the context of the call ends.
func NewSandbox(patience time.Duration) *Sandbox {
	return &Sandbox{patience: patience, charges: newMemory(), refunds: newMemory()}
}

// Charge decides by the token.
func (s *Sandbox) Charge(ctx context.Context, c Charge) (Result, error) {
	if err := c.Check(); err != nil {
		return Result{}, err
	}
	token := cardToken(c)
	if token == timeoutToken {
		ctx, cancel := context.WithTimeout(ctx, s.patience)
		defer cancel()
		<-ctx.Done()
		return Result{}, fmt.Errorf("%w: no answer", ErrAmbiguous)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.charges.once(c.ID, fmt.Sprint(c.Amount, c.Currency, c.Method, " ", token), decide(c, token))
}

// cardToken is the token without the spaces of a card number.
func cardToken(c Charge) string {
	if c.Method != Card {
		return c.Token
	}
	return strings.ReplaceAll(c.Token, " ", "")
}

// decide answers a charge. It depends on nothing but the charge.
func decide(c Charge, token string) Result {
	reference := "sandbox_" + c.ID
	switch {
	case token == errorToken:
		return Result{Outcome: Failed, Code: "processor_error", Message: "The processor has a fault.", Retryable: true}
	case c.Method == DirectDebit && strings.HasPrefix(token, failedMandate):
		return Result{Outcome: Declined, Reference: reference, Code: "insufficient_funds", Message: "The account has insufficient funds."}
	case c.Method == DirectDebit:
		return Result{Outcome: Succeeded, Reference: reference}
	}
	switch token {
	case declinedNumber, declinedToken, declinedMethod:
		return Result{Outcome: Declined, Reference: reference, Code: "card_declined", Message: "The card was declined."}
	case secureNumber:
		return Result{
			Outcome: ActionRequired, Reference: reference, Code: "authentication_required",
			Message: "The bank asks the cardholder to confirm the payment (3-D Secure).", ActionURL: c.ReturnURL,
		}
	}
	return Result{Outcome: Succeeded, Reference: reference}
}

// Lookup finds a charge by our ID or by the sandbox's reference.
func (s *Sandbox) Lookup(ctx context.Context, id string) (Result, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, found := s.charges.kept[strings.TrimPrefix(id, "sandbox_")]
	return k.result, found, nil
}

// Refund succeeds.
func (s *Sandbox) Refund(ctx context.Context, r Refund) (Result, error) {
	if err := r.Check(); err != nil {
		return Result{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.refunds.once(r.ID, fmt.Sprint(r.Amount, r.Currency), Result{Outcome: Succeeded, Reference: "sandbox_" + r.ID})
}

// LookupRefund finds a refund by our ID.
func (s *Sandbox) LookupRefund(ctx context.Context, r Refund) (Result, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, found := s.refunds.kept[r.ID]
	return k.result, found, nil
}

// memory is what the sandbox did lately, by our ID.
type memory struct {
	kept map[string]performed
	// ring holds the IDs in the order of their coming; next is the place of the
	// oldest once it is full.
	ring []string
	next int
}

// performed is a command that was performed: what it said, and its result.
type performed struct {
	command string
	result  Result
}

func newMemory() memory { return memory{kept: map[string]performed{}} }

// once returns the first result of a command. Like at other providers, an ID that
// comes again with another command is an error, and says nothing about the first.
func (m *memory) once(id, command string, r Result) (Result, error) {
	if k, found := m.kept[id]; found {
		if k.command != command {
			return Result{}, fmt.Errorf("%w: %s came before with other parameters", ErrAmbiguous, id)
		}
		return k.result, nil
	}
	m.kept[id] = performed{command, r}
	if len(m.ring) < sandboxMemory {
		m.ring = append(m.ring, id)
		return r, nil
	}
	delete(m.kept, m.ring[m.next])
	m.ring[m.next] = id
	m.next = (m.next + 1) % sandboxMemory
	return r, nil
}
