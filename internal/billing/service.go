package billing

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/bankfile"
	"tradecredit/internal/db"
	"tradecredit/internal/event"
	"tradecredit/internal/form"
	"tradecredit/internal/id"
	"tradecredit/internal/job"
	"tradecredit/internal/mail"
	"tradecredit/internal/merchant"
	"tradecredit/internal/page"
)

// The kinds of due rows of this package.
const (
	// CloseKind closes the statements of an account at the end of its period.
	CloseKind = "statement.close"
	// OverdueKind looks at a statement on the day after its due date.
	OverdueKind = "statement.overdue"
	// SendKind mails a statement again.
	SendKind = "statement.send"
)

// Service is what can be done with billing accounts and statements. Its functions
// are questions that other parts of the house answer.
type Service struct {
	Mail *mail.Mailer
	// Lender is who statements are from.
	Lender Lender
	// Bank is the account that statements in a currency are paid to; the zero
	// account when there is none.
	Bank func(ctx context.Context, tx *db.Tx, currency string) (bankfile.Account, error)
	// Buyer is the name and address of an organisation.
	Buyer func(ctx context.Context, tx *db.Tx, m merchant.Merchant, organisationID string) (Buyer, error)
	// Hold keeps an organisation from being deleted until tx ends.
	Hold func(ctx context.Context, tx *db.Tx, merchantID, organisationID string) error
	// Open tells how deferred payments stand.
	Open func(ctx context.Context, tx *db.Tx, m merchant.Merchant, paymentIDs []string) (map[string]Open, error)
	// Settle books a part of a transfer as the payment of a deferred payment.
	// reference is the same for all parts of the transfer.
	Settle func(ctx context.Context, tx *db.Tx, m merchant.Merchant, paymentID string, amount int64, reference string, now time.Time) error
}

// Lender is who statements are from, as they say it.
type Lender struct {
	Name, Register, Contact string
}

// CreateAccount makes a billing account whose first period begins today. An
// organisation can be in one active account only; the 400 says which is not free.
func (s *Service) CreateAccount(ctx context.Context, tx *db.Tx, m merchant.Merchant, a Account, now time.Time) (Account, error) {
	now = db.Time(db.Micros(now))
	a.MerchantID, a.ID, a.Created, a.Modified = m.ID, id.New(id.BillingAccount), now, now
	a.Organisations = distinct(a.Organisations)
	taken := &form.Errors{}
	for _, o := range a.Organisations {
		if err := s.Hold(ctx, tx, m.ID, o); err != nil {
			return a, err
		}
		other, err := oneAccount(ctx, tx, activeAccountOf, m.ID, o, int64(forever))
		switch {
		case err == nil:
			taken.Add("organisations", fmt.Sprintf("Organisation \"%s\" already belongs to the active billing account \"%s\".", o, other.ID))
		case !errors.Is(err, db.ErrNoRows):
			return a, err
		}
	}
	if !taken.Empty() {
		return a, apierr.Invalid(taken)
	}
	if err := insertAccountRows(tx, a); err != nil {
		return a, err
	}
	if err := tx.Flush(ctx); db.IsUnique(err) {
		e := apierr.Field("organisations", "An organisation already belongs to an active billing account.")
		e.Cause = err
		return a, e
	} else if err != nil {
		return a, err
	}
	scheduleClose(tx, m, a)
	return a, record(tx, m.ID, "billing_account.created", a.ID, a.ID, a.snapshot(), now)
}

func scheduleClose(tx *db.Tx, m merchant.Merchant, a Account) {
	job.Schedule(tx, job.Due{MerchantID: m.ID, Kind: CloseKind, ObjectID: a.ID, At: a.Current().Close}, m.Offset)
}

// distinct drops repetitions.
func distinct(ids []string) []string {
	out := []string{}
	for _, i := range ids {
		if !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	return out
}

// Change is a modification of an account; what is nil stays.
type Change struct {
	Emails *Emails
	Active *bool
}

// ChangeAccount modifies an account. read is called once the account is locked
// and found to be active. It returns db.ErrNoRows for an account that does not
// exist and a 409 for one that was deactivated.
func (s *Service) ChangeAccount(ctx context.Context, tx *db.Tx, m merchant.Merchant, accountID string, read func() (Change, error), now time.Time) (Account, error) {
	a, err := oneAccount(ctx, tx, holdAccount, m.ID, accountID)
	if err != nil {
		return a, err
	}
	if !a.Active() {
		return a, apierr.Conflict("Billing account cannot be updated because it has been deactivated (" + pythonTime(*a.Deactivated) + ")")
	}
	change, err := read()
	if err != nil {
		return a, err
	}
	now = db.Time(db.Micros(now))
	if change.Emails != nil {
		a.Emails = *change.Emails
	}
	if change.Active != nil && !*change.Active {
		a.Deactivated = &now
	}
	a.Modified = now
	if err := saveAccount(tx, a); err != nil {
		return a, err
	}
	return a, record(tx, m.ID, "billing_account.updated", a.ID, a.ID, a.snapshot(), now)
}

// pythonTime writes an instant as the contract's sentence has it:
// 2023-09-01 14:09:52.100968+00:00.
func pythonTime(t time.Time) string {
	layout := "2006-01-02 15:04:05.000000-07:00"
	if t.Nanosecond() == 0 {
		layout = "2006-01-02 15:04:05-07:00"
	}
	return t.UTC().Format(layout)
}

// HasAccount tells whether an organisation is or was in a billing account.
func HasAccount(ctx context.Context, tx *db.Tx, merchantID, organisationID string) (bool, error) {
	var n int64
	err := tx.Get(ctx, hasAccount, []any{merchantID, organisationID}, &n)
	return n > 0, err
}

// GetAccount returns an account, or db.ErrNoRows.
func (s *Service) GetAccount(ctx context.Context, tx *db.Tx, merchantID, accountID string) (Account, error) {
	return oneAccount(ctx, tx, selectAccount, merchantID, accountID)
}

// Orderings are the fields that accounts can be ordered by.
var Orderings = []string{"created", "modified", "deactivated"}

// Filter says which accounts a list has.
type Filter struct {
	// Active is "true", "false" or "" for both; Terms payment terms or "".
	Active, Terms string
	// OrganisationID and CompanyID, unless "", name whose accounts they are.
	OrganisationID, CompanyID string
	// OrderBy is one of Orderings, "" for created.
	OrderBy    string
	Descending bool
}

// ListAccounts returns a page of the accounts that a filter leaves, and how many
// there are. In the order by deactivation, active accounts come after all others.
func (s *Service) ListAccounts(ctx context.Context, tx *db.Tx, merchantID string, f Filter, p page.Page) ([]Account, int64, error) {
	if f.OrganisationID != "" || f.CompanyID != "" {
		return accountsOfFew(ctx, tx, merchantID, f, p)
	}
	args := []any{f.Active, f.Terms, int64(forever)}
	var count int64
	if err := tx.Get(ctx, countAccounts, append([]any{merchantID}, args...), &count); err != nil {
		return nil, 0, err
	}
	q := accountsOldest
	switch {
	case f.OrderBy == "modified" && f.Descending:
		q = accountsChanged
	case f.OrderBy == "modified":
		q = accountsSettled
	case f.OrderBy == "deactivated" && f.Descending:
		q = accountsEnded
	case f.OrderBy == "deactivated":
		q = accountsEndFirst
	case f.Descending:
		q = accountsNewest
	}
	found, err := manyAccounts(ctx, tx, q, merchantID, append(args, p.Limit, p.Offset)...)
	return found, count, err
}

// accountsOfFew lists the accounts of an organisation or a company. They are few:
// one that is active for each organisation, and those before it.
func accountsOfFew(ctx context.Context, tx *db.Tx, merchantID string, f Filter, p page.Page) (found []Account, count int64, err error) {
	if f.OrganisationID != "" {
		found, err = manyAccounts(ctx, tx, accountsOfOrganisation, merchantID, f.OrganisationID)
	}
	if f.CompanyID != "" && err == nil {
		var of []Account
		of, err = manyAccounts(ctx, tx, accountsOfCompany, merchantID, f.CompanyID)
		if f.OrganisationID == "" {
			found = of
		} else {
			found = slices.DeleteFunc(found, func(a Account) bool {
				return !slices.ContainsFunc(of, func(b Account) bool { return a.ID == b.ID })
			})
		}
	}
	if err != nil {
		return nil, 0, err
	}
	found = slices.DeleteFunc(found, func(a Account) bool {
		return f.Active != "" && a.Active() != (f.Active == "true") || f.Terms != "" && a.Terms != f.Terms
	})
	slices.SortFunc(found, func(a, b Account) int {
		order := cmp.Or(a.key(f.OrderBy).Compare(b.key(f.OrderBy)), cmp.Compare(a.ID, b.ID))
		if f.Descending {
			return -order
		}
		return order
	})
	from := min(p.Offset, len(found))
	return found[from:min(from+p.Limit, len(found))], int64(len(found)), nil
}

// key is what accounts are ordered by.
func (a Account) key(field string) time.Time {
	switch {
	case field == "modified":
		return a.Modified
	case field == "deactivated" && a.Deactivated != nil:
		return *a.Deactivated
	case field == "deactivated":
		return db.Time(forever)
	}
	return a.Created
}

// snapshot is an account in the log.
func (a Account) snapshot() any {
	return struct {
		ID            string     `json:"id"`
		Active        bool       `json:"active"`
		Deactivated   *time.Time `json:"deactivated"`
		Organisations []string   `json:"organisations"`
		Emails        Emails     `json:"emails"`
		PaymentTerms  string     `json:"payment_terms"`
	}{a.ID, a.Active(), a.Deactivated, a.Organisations, a.Emails, a.Terms}
}

// record appends an event to the log.
func record(tx *db.Tx, merchantID, kind, objectID, rootID string, data any, now time.Time) error {
	body, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("event %s of %s: %w", kind, objectID, err)
	}
	event.Append(tx, event.Event{MerchantID: merchantID, Type: kind, ObjectID: objectID, RootID: rootID, Data: body, Created: now})
	return nil
}
