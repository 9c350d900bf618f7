package party

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/db"
	"tradecredit/internal/event"
)

// Service is what can be done with parties. Its zero value works; the fields
// are questions that other parts of the house answer.
//
// Locks are taken in the order user, organisation, membership.
type Service struct {
	// HasPayments tells whether an organisation has orders, offers or deferred
	// payments. It must then not be deleted.
	HasPayments func(ctx context.Context, tx *db.Tx, merchantID, organisationID string) (bool, error)
	// HasOrders tells the same of a user.
	HasOrders func(ctx context.Context, tx *db.Tx, merchantID, userID string) (bool, error)
	// Insured tells which of the organisations have ever bought a policy.
	Insured func(ctx context.Context, tx *db.Tx, merchantID string, organisationIDs []string) (map[string]bool, error)
}

// attached asks a question that may have nobody to answer it.
func attached(ctx context.Context, tx *db.Tx, merchantID, objectID string,
	ask func(context.Context, *db.Tx, string, string) (bool, error)) (bool, error) {
	if ask == nil {
		return false, nil
	}
	return ask(ctx, tx, merchantID, objectID)
}

// Sentences of refusals. That for organisations is documented; the one for users
// is its like.
const (
	organisationInUse = "Organisation has undeletable objects attached, it cannot be deleted."
	userInUse         = "User has undeletable objects attached, it cannot be deleted."

	// OrganisationTaken and SoleTraderTaken refuse an identifier of the platform
	// that another object has.
	OrganisationTaken = "organisation with this Unique identifier on platform already exists."
	SoleTraderTaken   = "sole trader with this Unique identifier on platform already exists."
)

// refuseTaken turns a violated unique index into the refusal of a field.
func refuseTaken(err error, sentence string) error {
	if db.IsUnique(err) {
		e := apierr.Field("unique_id", sentence)
		e.Cause = err
		return e
	}
	return err
}

// record appends one event about an object that belongs to nothing else.
func record(tx *db.Tx, merchantID, kind, objectID string, data any, now time.Time) error {
	return recordIn(tx, merchantID, kind, objectID, objectID, data, now)
}

// recordIn appends one event about a part of another object.
func recordIn(tx *db.Tx, merchantID, kind, objectID, rootID string, data any, now time.Time) error {
	body, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("event %s of %s: %w", kind, objectID, err)
	}
	event.Append(tx, event.Event{
		MerchantID: merchantID, Type: kind, ObjectID: objectID, RootID: rootID, Data: body, Created: now,
	})
	return nil
}

// moment cuts a time to what is stored, so that unchanged times compare equal.
func moment(t time.Time) time.Time { return db.Time(db.Micros(t)) }

// optional is text that the wire writes as null when it is empty.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
