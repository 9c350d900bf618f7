// Package deferred holds deferred payments: what a buyer has agreed to pay
// later, and everything that happens to it after the sale.
//
// A deferred payment is a small ledger. Seven buckets sum to the order's
// total for ever; every event moves money from one bucket to another. The
// rules here decide, given the balances, which event an action makes, or why
// it is refused. They have no side effect: an action that is refused has
// changed nothing.
package deferred

import (
	"errors"
	"fmt"
	"math"

	"tradecredit/internal/money"
)

// Balances are the buckets of a deferred payment, in minor units. Their sum is
// the order's total. All but Authorisation are zero or more; captures above
// the authorisation (overcaptures) drive Authorisation below zero.
type Balances struct {
	Authorisation        int64 `json:"authorisation"`
	ProtectedCaptures    int64 `json:"protected_captures"`
	UnprotectedCaptures  int64 `json:"unprotected_captures"`
	Refunds              int64 `json:"refunds"`
	VoidedAuthorisation  int64 `json:"voided_authorisation"`
	ExpiredAuthorisation int64 `json:"expired_authorisation"`
	Clawback             int64 `json:"clawback"`
}

// Changes are what one event does to the Balances; they sum to zero.
type Changes Balances

// FeeBalances tell where the customer fee of the plan stands, in minor units.
// They sum to the fee for ever and are never below zero. What is clawed back
// from the merchant leaves the buyer's fee where it is.
type FeeBalances struct {
	Authorisation        int64 `json:"authorisation"`
	Captures             int64 `json:"captures"`
	Refunds              int64 `json:"refunds"`
	VoidedAuthorisation  int64 `json:"voided_authorisation"`
	ExpiredAuthorisation int64 `json:"expired_authorisation"`
}

// FeeChanges are what one event does to the FeeBalances; they sum to zero.
type FeeChanges FeeBalances

// State is all the rules need to know of a deferred payment. It is a plain
// value: copying it is taking a snapshot.
type State struct {
	Balances
	CustomerFee     FeeBalances `json:"customer_fee"`
	Status          Status      `json:"status"`
	Version         Version     `json:"version"`
	OrderTotal      int64       `json:"order_total"`      // what the balances sum to
	ProtectedAmount int64       `json:"protected_amount"` // of the plan
	CustomerFeeSum  int64       `json:"customer_fee_sum"` // what the customer fee balances sum to

	CustomerDiscountSum int64 `json:"customer_discount_sum"` // of the plan, when everything is captured
	MerchantFeeSum      int64 `json:"merchant_fee_sum"`      // of the plan, when everything is captured
	Upfront             int64 `json:"upfront"`               // to be paid before anything is captured
	Repaid              int64 `json:"repaid"`                // paid by the buyer, less what was given back
	WrittenOff          int64 `json:"written_off"`           // given up
}

// Settings are those of the merchant that matter after the sale.
type Settings struct {
	Overcaptures bool // captures beyond the authorisation are taken, unprotected
}

// The types of a post-sale event.
const (
	EventCapture    = "capture"
	EventRefund     = "refund"
	EventVoid       = "void"
	EventExpiry     = "expiry"
	EventClawback   = "clawback"
	EventAdjustment = "adjustment"
)

// Event is one entry in the ledger of a deferred payment. Amount is the money
// moved, in minor units, above zero.
type Event struct {
	Type        string     `json:"type"`
	Amount      int64      `json:"amount"`
	Changes     Changes    `json:"changes"`
	CustomerFee FeeChanges `json:"customer_fee"`
	Version     Version    `json:"version"` // of the endpoint; none for our own events
	// Origin is the legacy order endpoint it came through: fulfill, cancel, return
	// or discount; "" for all other events.
	Origin string `json:"origin,omitempty"`
}

// ErrNothingToDo: a capture_remaining, void_remaining or expiry that finds
// nothing authorised. Not a failure: 200 without content.
var ErrNothingToDo = errors.New("deferred: no authorisation remains")

// ErrNotActive: the payment is not accepted (yet, or at all). 409.
var ErrNotActive = errors.New("deferred: not accepted")

// ErrMixedVersions: the payment is handled through the other kind of
// post-sale endpoints. 409.
var ErrMixedVersions = errors.New("deferred: post-sale versions mixed")

// FieldError is a bad value in the request: the field and the sentence of the
// answer, {"<field>": ["<sentence>"]} with status 400.
type FieldError struct {
	Field    string
	Sentence string
}

// Error implements error.
func (e *FieldError) Error() string { return e.Field + ": " + e.Sentence }

// ConflictError is an action that the payment's state forbids (409). It wraps
// ErrNotActive, ErrMixedVersions or ErrReview; Detail is the sentence of the
// answer.
type ConflictError struct {
	Reason error
	Detail string
}

// Error implements error.
func (e *ConflictError) Error() string { return e.Detail }

// Unwrap returns the reason.
func (e *ConflictError) Unwrap() error { return e.Reason }

// New returns the state of a deferred payment at its creation: everything is
// authorised. All figures are in minor units; orderTotal is above zero, the
// others zero or more.
func New(orderTotal, protectedAmount, customerFee int64, status Status) (State, error) {
	s := State{
		Balances:        Balances{Authorisation: orderTotal},
		CustomerFee:     FeeBalances{Authorisation: customerFee},
		Status:          status,
		OrderTotal:      orderTotal,
		ProtectedAmount: protectedAmount,
		CustomerFeeSum:  customerFee,
	}
	return s, CheckInvariants(s)
}

// Action is something that can be asked of a deferred payment.
type Action string

// The actions. The first five are the merchant's, expiry comes with time,
// the last two are the operator's.
const (
	ActionCapture          Action = "capture"
	ActionCaptureRemaining Action = "capture_remaining"
	ActionRefund           Action = "refund"
	ActionVoid             Action = "void"
	ActionVoidRemaining    Action = "void_remaining"
	ActionExpiry           Action = "expiry"
	ActionClawback         Action = "clawback"
	ActionAdjustment       Action = "adjustment"
)

// Command is an action with its input.
type Command struct {
	Action  Action
	Amount  int64   // minor units; of capture, refund, void and clawback
	Version Version // through which endpoints the merchant acts; of the first five
	Origin  string  // of Version V1: which of the legacy order endpoints
	// The moves of an adjustment.
	Changes     Changes
	CustomerFee FeeChanges
}

// version is what the command stands for: our own actions go with both kinds
// of endpoints; a merchant's that does not say is of the present kind.
func (c Command) version() Version {
	switch c.Action {
	case ActionExpiry, ActionClawback, ActionAdjustment:
		return VersionNone
	}
	if c.Version == VersionNone {
		return V2
	}
	return c.Version
}

// Decide returns the event that a command makes of a state, or why it does
// not: *ConflictError, *FieldError or ErrNothingToDo. Apply makes the event
// happen. The state has to be sound (CheckInvariants).
func Decide(s State, set Settings, c Command) (Event, error) {
	c.Version = c.version()
	if err := admit(s, c.Version); err != nil {
		return Event{}, err
	}
	e, err := decide(s, set, c)
	e.Origin = c.Origin
	return e, err
}

func decide(s State, set Settings, c Command) (Event, error) {
	switch c.Action {
	case ActionCapture:
		return capture(s, set, c)
	case ActionRefund:
		return refund(s, c)
	case ActionVoid:
		return release(s, EventVoid, c)
	case ActionCaptureRemaining, ActionVoidRemaining, ActionExpiry:
		return remaining(s, c)
	case ActionClawback:
		return clawback(s, c.Amount)
	case ActionAdjustment:
		return adjust(s, c)
	}
	return Event{}, fmt.Errorf("deferred: no action %q", c.Action)
}

// remaining decides on the actions that take all authorisation there is.
func remaining(s State, c Command) (Event, error) {
	if s.Authorisation <= 0 {
		return Event{}, ErrNothingToDo
	}
	c.Amount = s.Authorisation
	switch c.Action {
	case ActionCaptureRemaining:
		return capture(s, Settings{}, c)
	case ActionVoidRemaining:
		return release(s, EventVoid, c)
	}
	return release(s, EventExpiry, c)
}

// Capture decides on the capture of an amount.
func Capture(s State, set Settings, amount int64) (Event, error) {
	return Decide(s, set, Command{Action: ActionCapture, Amount: amount, Version: V2})
}

// CaptureRemaining decides on capturing all that is authorised.
func CaptureRemaining(s State) (Event, error) {
	return Decide(s, Settings{}, Command{Action: ActionCaptureRemaining, Version: V2})
}

// Refund decides on the refund of an amount.
func Refund(s State, amount int64) (Event, error) {
	return Decide(s, Settings{}, Command{Action: ActionRefund, Amount: amount, Version: V2})
}

// Void decides on the release of an amount that will not be captured.
func Void(s State, amount int64) (Event, error) {
	return Decide(s, Settings{}, Command{Action: ActionVoid, Amount: amount, Version: V2})
}

// VoidRemaining decides on the release of all that is authorised.
func VoidRemaining(s State) (Event, error) {
	return Decide(s, Settings{}, Command{Action: ActionVoidRemaining, Version: V2})
}

// Expire decides on the release of all that is authorised because its time is
// up.
func Expire(s State) (Event, error) {
	return Decide(s, Settings{}, Command{Action: ActionExpiry})
}

// Clawback decides on taking an amount back from the merchant. Who may do so
// is the caller's to check.
func Clawback(s State, amount int64) (Event, error) {
	return Decide(s, Settings{}, Command{Action: ActionClawback, Amount: amount})
}

// Adjust decides on a correction by the operator.
func Adjust(s State, changes Changes, fee FeeChanges) (Event, error) {
	return Decide(s, Settings{}, Command{Action: ActionAdjustment, Changes: changes, CustomerFee: fee})
}

// admit refuses actions on a payment that is not accepted, and those through
// the other kind of endpoints than before. Our own events have no version and
// go with both.
func admit(s State, v Version) error {
	if !s.Status.Active() {
		detail := fmt.Sprintf("This action is not possible while the deferred payment is %s.", s.Status)
		return &ConflictError{Reason: ErrNotActive, Detail: detail}
	}
	if v != VersionNone && s.Version != VersionNone && v != s.Version {
		return &ConflictError{
			Reason: ErrMixedVersions,
			Detail: "Legacy order actions and deferred payment actions can not be combined on one deferred payment.",
		}
	}
	return nil
}

// capture moves money from the authorisation to the captures: protected first.
//
// What is captured within the authorisation is protected as long as the
// protected captures, as they stand now, are below the plan's protected
// amount. Now means net of refunds: "the amount that has been captured (and
// not refunded) is split" that way, says the reference. So after a refund of
// protected captures a later capture is protected again: the cover has been
// given back, and at no time is more protected than the plan promises.
//
// What is captured beyond the authorisation is never protected. After a void
// or an expiry nothing is authorised, so that is all of it.
func capture(s State, set Settings, c Command) (Event, error) {
	authorised := max(s.Authorisation, 0)
	most := authorised
	if set.Overcaptures {
		most = overcaptureLimit(s)
	}
	if err := bounded(c.Amount, most); err != nil {
		return Event{}, err
	}
	room := max(s.ProtectedAmount-s.ProtectedCaptures, 0)
	protected := min(c.Amount, authorised, room)
	changes := Changes{
		Authorisation:       -c.Amount,
		ProtectedCaptures:   protected,
		UnprotectedCaptures: c.Amount - protected,
	}
	fee := leavingAuthorisation(s, c.Amount)
	return Event{
		Type: EventCapture, Amount: c.Amount, Version: c.Version, Changes: changes,
		CustomerFee: FeeChanges{Authorisation: -fee, Captures: fee},
	}, nil
}

// mostOver bounds what a single capture may be above the authorisation, in minor
// units: figures of many payments are added up, and no sum of them may leave 64
// bits.
const mostOver = 1_000_000_000_000_000

// overcaptureLimit is the most that can be captured before a figure leaves 64
// bits: all buckets but the authorisation together hold order total less
// authorisation, and that has to stay below the largest number there is.
func overcaptureLimit(s State) int64 {
	most := math.MaxInt64 - (s.OrderTotal - s.Authorisation)
	if authorised := max(0, s.Authorisation); authorised < most-mostOver {
		return authorised + mostOver
	}
	return most
}

// refund takes captures back, unprotected ones first, so that as much as
// possible of what the buyer owes stays insured.
func refund(s State, c Command) (Event, error) {
	changes, err := takeCaptured(s, c.Amount)
	if err != nil {
		return Event{}, err
	}
	changes.Refunds = c.Amount
	fee := leavingCaptures(s, c.Amount)
	return Event{
		Type: EventRefund, Amount: c.Amount, Version: c.Version, Changes: changes,
		CustomerFee: FeeChanges{Captures: -fee, Refunds: fee},
	}, nil
}

// clawback moves captures to the clawback bucket, unprotected ones first: the
// merchant is liable for those.
func clawback(s State, amount int64) (Event, error) {
	changes, err := takeCaptured(s, amount)
	if err != nil {
		return Event{}, err
	}
	changes.Clawback = amount
	return Event{Type: EventClawback, Amount: amount, Changes: changes}, nil
}

// takeCaptured takes an amount out of the captures, unprotected ones first.
func takeCaptured(s State, amount int64) (Changes, error) {
	// Both captures are part of the buckets that overcaptureLimit bounds.
	if err := bounded(amount, s.ProtectedCaptures+s.UnprotectedCaptures); err != nil {
		return Changes{}, err
	}
	unprotected := min(amount, s.UnprotectedCaptures)
	return Changes{UnprotectedCaptures: -unprotected, ProtectedCaptures: unprotected - amount}, nil
}

// release gives up authorisation: a void, or an expiry.
func release(s State, event string, c Command) (Event, error) {
	if err := bounded(c.Amount, max(s.Authorisation, 0)); err != nil {
		return Event{}, err
	}
	fee := leavingAuthorisation(s, c.Amount)
	e := Event{
		Type: event, Amount: c.Amount, Version: c.Version,
		Changes:     Changes{Authorisation: -c.Amount},
		CustomerFee: FeeChanges{Authorisation: -fee},
	}
	if event == EventExpiry {
		e.Changes.ExpiredAuthorisation, e.CustomerFee.ExpiredAuthorisation = c.Amount, fee
	} else {
		e.Changes.VoidedAuthorisation, e.CustomerFee.VoidedAuthorisation = c.Amount, fee
	}
	return e, nil
}

// adjust lets the operator move money between buckets as long as every
// invariant holds afterwards. The customer fee moves only where told.
func adjust(s State, c Command) (Event, error) {
	refused := func(sentence string) (Event, error) {
		return Event{}, &FieldError{Field: "changes", Sentence: sentence}
	}
	amount, err := c.Changes.moved()
	if err != nil || s.overflows(c) {
		return refused("The changes are too large.")
	}
	e := Event{Type: EventAdjustment, Amount: amount, Changes: c.Changes, CustomerFee: c.CustomerFee}
	var broken *InvariantError
	if errors.As(CheckEvent(e), &broken) || errors.As(CheckInvariants(s.Apply(e)), &broken) {
		return refused(broken.Sentence)
	}
	return e, nil
}

// bounded holds an amount against its bounds. The sentences are those of the
// recorded validation errors.
func bounded(amount, most int64) error {
	switch {
	case amount < 1:
		return &FieldError{Field: "amount", Sentence: "Ensure this value is greater than or equal to 1."}
	case amount > most:
		return &FieldError{Field: "amount", Sentence: fmt.Sprintf("Ensure this value is less than or equal to %d.", most)}
	}
	return nil
}

// leavingAuthorisation is the part of the customer fee that leaves the
// authorisation with an amount of the order. What stays is worked out from
// the authorisation that stays, not from the amount: however many small steps
// it takes, the roundings do not add up and the last step takes the rest.
// Overcaptures carry no fee, for none was agreed.
func leavingAuthorisation(s State, amount int64) int64 {
	left := max(s.Authorisation, 0) - min(amount, max(s.Authorisation, 0))
	return s.CustomerFee.Authorisation - min(s.CustomerFee.Authorisation, share(s.CustomerFeeSum, left, s.OrderTotal))
}

// leavingCaptures is the part of the customer fee that is refunded with an
// amount, again worked out from the sums: refunded fee is to all fee that was
// ever captured as refunds are to everything that was ever captured. Since
// overcaptures add to the latter but not to the former, it can come out below
// what has been refunded already; then nothing moves.
func leavingCaptures(s State, amount int64) int64 {
	refunds := s.Refunds + amount
	// A part of the buckets that overcaptureLimit bounds: it does not overflow.
	captured := s.ProtectedCaptures + s.UnprotectedCaptures + s.Clawback + s.Refunds
	target := share(s.CustomerFee.Captures+s.CustomerFee.Refunds, refunds, captured)
	return min(max(target-s.CustomerFee.Refunds, 0), s.CustomerFee.Captures)
}

// share is total × part ÷ whole, rounded; nothing of nothing. With
// 0 ≤ part ≤ whole, as here always, it cannot overflow.
func share(total, part, whole int64) int64 {
	result, err := money.MulDiv(total, part, whole)
	if err != nil {
		return 0
	}
	return result
}

// Apply returns the state after an event. It only adds; whether the event may
// happen is Decide's to say, and whether the result is sound,
// CheckInvariants'.
func (s State) Apply(e Event) State {
	s.Balances = s.Balances.plus(e.Changes)
	s.CustomerFee = s.CustomerFee.plus(e.CustomerFee)
	if s.Version == VersionNone {
		s.Version = e.Version
	}
	s.Status = activeStatus(s.Balances, s.Version)
	return s
}

func (b Balances) plus(c Changes) Balances {
	return Balances{
		Authorisation:        b.Authorisation + c.Authorisation,
		ProtectedCaptures:    b.ProtectedCaptures + c.ProtectedCaptures,
		UnprotectedCaptures:  b.UnprotectedCaptures + c.UnprotectedCaptures,
		Refunds:              b.Refunds + c.Refunds,
		VoidedAuthorisation:  b.VoidedAuthorisation + c.VoidedAuthorisation,
		ExpiredAuthorisation: b.ExpiredAuthorisation + c.ExpiredAuthorisation,
		Clawback:             b.Clawback + c.Clawback,
	}
}

func (b FeeBalances) plus(c FeeChanges) FeeBalances {
	return FeeBalances{
		Authorisation:        b.Authorisation + c.Authorisation,
		Captures:             b.Captures + c.Captures,
		Refunds:              b.Refunds + c.Refunds,
		VoidedAuthorisation:  b.VoidedAuthorisation + c.VoidedAuthorisation,
		ExpiredAuthorisation: b.ExpiredAuthorisation + c.ExpiredAuthorisation,
	}
}

// Recompute returns the state that a history of events leads to. Stored
// figures are a cache of it.
func Recompute(initial State, events []Event) State {
	for _, e := range events {
		initial = initial.Apply(e)
	}
	return initial
}
