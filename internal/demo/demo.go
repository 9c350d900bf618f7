// Package demo plays one purchase on credit against a running program: the
// merchant's server, the buyer in front of the hosted page, and the address that
// hears of every step. It talks to the program over HTTP alone, as a stranger's
// shop would, and checks every answer.
package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"time"

	"tradecredit/internal/clock"
)

// Program is the running program.
type Program struct {
	// URL is its address without a slash at the end, SecretKey a sandbox
	// merchant's.
	URL       string
	SecretKey string
	// Verify recomputes the books and returns every difference it finds.
	Verify func(context.Context) ([]string, error)
	Clock  clock.Clock
}

// Step is one step of the purchase, in words and in figures.
type Step struct {
	// Name is a short name that stays the same, for machines.
	Name  string
	Text  string
	Facts []Fact
}

// Fact is an identifier, an amount or an address of a step.
type Fact struct {
	Name  string
	Value any
}

// MarshalJSON writes the step as one object.
func (s Step) MarshalJSON() ([]byte, error) {
	facts := map[string]any{}
	for _, f := range s.Facts {
		facts[f.Name] = f.Value
	}
	return json.Marshal(struct {
		Step  string         `json:"step"`
		Text  string         `json:"text"`
		Facts map[string]any `json:"facts"`
	}{s.Name, s.Text, facts})
}

// Shop is the merchant's side of the purchase.
type Shop struct {
	program  Program
	client   *http.Client
	receiver *receiver
	state    state
}

// state is what one step leaves to the next.
type state struct {
	run          string // makes the names of this run its own
	companyID    string
	organisation string
	userID       string
	orderID      string
	offer        offer
	payment      payment
}

// timeout bounds every call of the shop.
const timeout = 30 * time.Second

// Open starts the shop. Close ends it.
func Open(p Program) (*Shop, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	r, err := startReceiver(p.Clock)
	if err != nil {
		return nil, err
	}
	return &Shop{program: p, receiver: r, client: &http.Client{Timeout: timeout, Jar: jar}}, nil
}

// Close ends the shop.
func (s *Shop) Close() { s.receiver.close() }

// Run plays the purchase and tells of every step. It stops with an error at the
// first answer that is not the expected one.
func (s *Shop) Run(ctx context.Context, tell func(Step)) error {
	return play(ctx, s.story(), tell)
}

// Leave makes a second order, after Run, and leaves its offer for somebody else
// to accept.
func (s *Shop) Leave(ctx context.Context, tell func(Step)) error {
	return play(ctx, []step{{"open_offer", s.leaveOfferOpen}}, tell)
}

func play(ctx context.Context, story []step, tell func(Step)) error {
	for _, step := range story {
		text, facts, err := step.do(ctx)
		if err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		tell(Step{Name: step.name, Text: text, Facts: facts})
	}
	return nil
}

// Listen tells of every further notification until ctx ends.
func (s *Shop) Listen(ctx context.Context, tell func(Step)) {
	for {
		n, ok := s.receiver.next(ctx)
		if !ok {
			return
		}
		tell(Step{Name: "notification", Text: fmt.Sprintf("The shop is told of %s.", n.event), Facts: []Fact{{"order", n.order}}})
	}
}
