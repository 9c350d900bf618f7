package deferred

import (
	"fmt"
	"slices"

	"tradecredit/internal/money"
)

// InvariantError is a figure that cannot be: a mistake in the books, or an
// adjustment that would make one.
type InvariantError struct{ Sentence string }

// Error implements error.
func (e *InvariantError) Error() string { return "deferred: " + e.Sentence }

func broken(format string, values ...any) error {
	return &InvariantError{Sentence: fmt.Sprintf(format, values...)}
}

// CheckInvariants reports the first thing about a state that cannot be, as an
// *InvariantError; nil for a sound one. What holds for ever: the balances sum
// to the order's total; all but the authorisation are zero or more; protected
// captures stay within the plan's protected amount; the customer fee
// balances are zero or more and sum to the fee; and the status is what the
// balances make it.
func CheckInvariants(s State) error {
	if s.OrderTotal < 1 || s.ProtectedAmount < 0 || s.CustomerFeeSum < 0 {
		return broken("An order total of %d with %d protected and a customer fee of %d is not possible.", s.OrderTotal, s.ProtectedAmount, s.CustomerFeeSum)
	}
	if err := checkBalances(s); err != nil {
		return err
	}
	if err := checkFees(s); err != nil {
		return err
	}
	return checkStatus(s)
}

func checkBalances(s State) error {
	for n, value := range s.Balances.values() {
		if value < 0 && n > 0 { // 0 is the authorisation
			return broken("%s can not be below zero.", balanceNames()[n])
		}
	}
	if s.ProtectedCaptures > s.ProtectedAmount {
		return broken("protected_captures can not be above the protected amount of the plan, %d.", s.ProtectedAmount)
	}
	values := s.Balances.values()
	if sum, err := money.Sum(values[:]...); err != nil || sum != s.OrderTotal {
		return broken("The balances must sum to the order total, %d.", s.OrderTotal)
	}
	if _, err := money.CheckedSub(s.OrderTotal, s.Authorisation); err != nil {
		return broken("The balances are too large.")
	}
	return nil
}

func checkFees(s State) error {
	values := s.CustomerFee.values()
	if slices.Min(values[:]) < 0 {
		return broken("customer_fee can not be below zero.")
	}
	if sum, err := money.Sum(values[:]...); err != nil || sum != s.CustomerFeeSum {
		return broken("The balances of customer_fee must sum to the customer fee, %d.", s.CustomerFeeSum)
	}
	return nil
}

func checkStatus(s State) error {
	if s.Version != VersionNone && s.Version != V1 && s.Version != V2 {
		return broken("The post-sale version %q does not exist.", s.Version)
	}
	if s.Status.early() {
		if s.Authorisation != s.OrderTotal || s.CustomerFee.Authorisation != s.CustomerFeeSum || s.Version != VersionNone {
			return broken("A deferred payment that is %s can not have been captured, refunded or voided.", s.Status)
		}
		return nil
	}
	if want := activeStatus(s.Balances, s.Version); s.Status != want {
		return broken("The status is %q, the balances say %q.", s.Status, want)
	}
	return nil
}

// CheckEvent reports the first thing wrong with an event by itself, as an
// *InvariantError: every event moves an amount, out of some buckets and into
// others, so that its changes sum to zero.
func CheckEvent(e Event) error {
	amount, err := e.Changes.moved()
	if err != nil || amount != e.Amount || amount < 1 {
		return broken("The changes must move the amount of the event, at least 1.")
	}
	changes, fees := Balances(e.Changes).values(), FeeBalances(e.CustomerFee).values()
	if sum, err := money.Sum(changes[:]...); err != nil || sum != 0 {
		return broken("The changes must sum to zero.")
	}
	if sum, err := money.Sum(fees[:]...); err != nil || sum != 0 {
		return broken("The changes of customer_fee must sum to zero.")
	}
	return nil
}

// moved is how much the changes move: the sum of what buckets gain.
func (c Changes) moved() (int64, error) {
	gains := Balances(c).values()
	for n, gain := range gains {
		gains[n] = max(gain, 0)
	}
	return money.Sum(gains[:]...)
}

// overflows reports whether an adjustment drives a balance out of 64 bits.
func (s State) overflows(c Command) bool {
	balances, changes := s.Balances.values(), Balances(c.Changes).values()
	fees, feeChanges := s.CustomerFee.values(), FeeBalances(c.CustomerFee).values()
	return overflow(balances[:], changes[:]) || overflow(fees[:], feeChanges[:])
}

func overflow(balances, changes []int64) bool {
	for n, balance := range balances {
		if _, err := money.CheckedAdd(balance, changes[n]); err != nil {
			return true
		}
	}
	return false
}

// values lists the balances in the order of balanceNames.
func (b Balances) values() [7]int64 {
	return [7]int64{b.Authorisation, b.ProtectedCaptures, b.UnprotectedCaptures, b.Refunds, b.VoidedAuthorisation, b.ExpiredAuthorisation, b.Clawback}
}

func balanceNames() [7]string {
	return [7]string{"authorisation", "protected_captures", "unprotected_captures", "refunds", "voided_authorisation", "expired_authorisation", "clawback"}
}

func (b FeeBalances) values() [5]int64 {
	return [5]int64{b.Authorisation, b.Captures, b.Refunds, b.VoidedAuthorisation, b.ExpiredAuthorisation}
}
