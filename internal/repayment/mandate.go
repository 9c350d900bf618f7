package repayment

import (
	"context"
	"fmt"
	"strings"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/bankfile"
	"tradecredit/internal/db"
	"tradecredit/internal/id"
	"tradecredit/internal/merchant"
)

// The schemes of mandates: those of SEPA, and Bacs.
const (
	SchemeCore = "CORE"
	SchemeB2B  = "B2B"
	SchemeBacs = "BACS"
)

// Schemes lists the schemes of mandates.
var Schemes = []string{SchemeCore, SchemeB2B, SchemeBacs}

// The states of mandates.
const (
	MandateActive    = "active"
	MandateCancelled = "cancelled"
)

// Mandate is the permission of a buyer to debit its account.
type Mandate struct {
	MerchantID     string
	ID             string
	OrganisationID string
	// Reference is the unique mandate reference, or the reference of a Bacs
	// instruction.
	Reference string
	Scheme    string
	Account   bankfile.Account
	// SignedOn is a date such as 2026-11-20.
	SignedOn string
	Status   string
	// Debited is set once the account was debited for the first time.
	Debited bool
	Created time.Time
}

const (
	insertMandate db.SQL = `INSERT INTO mandates (merchant_id, id, organisation_id, reference, scheme, holder, iban, bic,
		sort_code, account_number, signed_on, status, debited, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (reference) DO NOTHING`
	mandateColumns = `merchant_id, id, organisation_id, reference, scheme, holder, iban, bic,
		sort_code, account_number, signed_on, status, debited, created_at`
	selectMandate   db.SQL = `SELECT ` + mandateColumns + ` FROM mandates WHERE merchant_id = $1 AND id = $2`
	selectByMandate db.SQL = `SELECT ` + mandateColumns + ` FROM mandates WHERE reference = $1`
	activeMandates  db.SQL = `SELECT ` + mandateColumns + ` FROM mandates
		WHERE merchant_id = $1 AND organisation_id = $2 AND status = 'active' ORDER BY created_at DESC, id DESC`
	listMandates db.SQL = `SELECT ` + mandateColumns + ` FROM mandates
		WHERE merchant_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3`
	countMandates db.SQL = `SELECT count(*) FROM mandates WHERE merchant_id = $1`
	cancelMandate db.SQL = `UPDATE mandates SET status = 'cancelled' WHERE merchant_id = $1 AND id = $2 AND status = 'active'`
	useMandate    db.SQL = `UPDATE mandates SET debited = TRUE WHERE merchant_id = $1 AND id = $2`
)

func scanMandate(r db.Rows) (Mandate, error) {
	var m Mandate
	var created int64
	err := r.Scan(&m.MerchantID, &m.ID, &m.OrganisationID, &m.Reference, &m.Scheme, &m.Account.Name, &m.Account.IBAN, &m.Account.BIC,
		&m.Account.SortCode, &m.Account.AccountNumber, &m.SignedOn, &m.Status, &m.Debited, &created)
	m.Created = db.Time(created)
	return m, err
}

// GetMandate returns a mandate, or db.ErrNoRows.
func GetMandate(ctx context.Context, tx *db.Tx, merchantID, mandateID string) (Mandate, error) {
	return db.One(ctx, tx, selectMandate, []any{merchantID, mandateID}, scanMandate)
}

// Mandates returns a page of a merchant's mandates, newest first, and how many
// there are.
func Mandates(ctx context.Context, tx *db.Tx, merchantID string, limit, offset int) ([]Mandate, int64, error) {
	found, err := db.All(ctx, tx, listMandates, []any{merchantID, limit, offset}, scanMandate)
	if err != nil {
		return nil, 0, err
	}
	var n int64
	err = tx.Get(ctx, countMandates, []any{merchantID}, &n)
	return found, n, err
}

// mandateFor is the mandate by which an organisation is debited in a currency: the
// newest of those that serve it. It returns db.ErrNoRows when there is none.
func mandateFor(ctx context.Context, tx *db.Tx, merchantID, organisationID, currency string) (Mandate, error) {
	found, err := db.All(ctx, tx, activeMandates, []any{merchantID, organisationID}, scanMandate)
	if err != nil {
		return Mandate{}, err
	}
	for _, m := range found {
		if m.currency() == currency {
			return m, nil
		}
	}
	return Mandate{}, db.ErrNoRows
}

func (m Mandate) currency() string {
	if m.Scheme == SchemeBacs {
		return "GBP"
	}
	return "EUR"
}

// AddMandate stores a mandate. It returns a 400 that names what is wrong. now is
// the merchant's.
func (s *Service) AddMandate(ctx context.Context, tx *db.Tx, m merchant.Merchant, in Mandate, now time.Time) (Mandate, error) {
	in.MerchantID, in.ID, in.Status, in.Created = m.ID, id.New(id.Mandate), MandateActive, now
	in.Account = in.Account.Normalise()
	if in.Reference == "" {
		in.Reference = strings.ReplaceAll(id.Number("M"), "-", "")
	}
	if err := in.check(now); err != nil {
		return in, err
	}
	n, err := tx.Exec(ctx, insertMandate, in.MerchantID, in.ID, in.OrganisationID, in.Reference, in.Scheme, in.Account.Name, in.Account.IBAN,
		in.Account.BIC, in.Account.SortCode, in.Account.AccountNumber, in.SignedOn, in.Status, in.Debited, db.Micros(now))
	if err != nil {
		return in, err
	}
	if n == 0 {
		return in, apierr.Field("reference", "A mandate with this reference already exists.")
	}
	remember(tx, m.ID, in.OrganisationID, PayerKeys(in.Account))
	return in, nil
}

func (m Mandate) check(now time.Time) error {
	signed := date(m.SignedOn)
	switch {
	case signed.IsZero():
		return apierr.Field("signed_on", "Date has wrong format. Use one of these formats instead: YYYY-MM-DD.")
	case signed.After(now):
		return apierr.Field("signed_on", "The mandate is signed in the future.")
	}
	if err := bankfile.CheckMandate(m.Reference, m.Scheme == SchemeBacs); err != nil {
		return apierr.Field("reference", fmt.Sprintf("The reference %s.", reasonOf(err)))
	}
	err := m.Account.CheckIBAN()
	if m.Scheme == SchemeBacs {
		err = m.Account.CheckUK()
	}
	if err != nil {
		return fieldOf(err)
	}
	return nil
}

// fieldOf is a 400 about an account.
func fieldOf(err error) error {
	if e, ok := err.(*bankfile.FieldError); ok {
		if e.Field == "name" {
			return apierr.Field("holder", "The value "+e.Reason+".")
		}
		return apierr.Field(e.Field, "The value "+e.Reason+".")
	}
	return err
}

func reasonOf(err error) string {
	if e, ok := err.(*bankfile.FieldError); ok {
		return e.Reason
	}
	return err.Error()
}

// CancelMandate ends a mandate. It returns a 409 when it has ended already, and
// db.ErrNoRows when there is none.
func (s *Service) CancelMandate(ctx context.Context, tx *db.Tx, m merchant.Merchant, mandateID string) (Mandate, error) {
	if _, err := GetMandate(ctx, tx, m.ID, mandateID); err != nil {
		return Mandate{}, err
	}
	n, err := tx.Exec(ctx, cancelMandate, m.ID, mandateID)
	if err != nil {
		return Mandate{}, err
	}
	if n == 0 {
		return Mandate{}, apierr.Conflict("The mandate is cancelled already.")
	}
	return GetMandate(ctx, tx, m.ID, mandateID)
}
