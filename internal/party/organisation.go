package party

import (
	"context"
	"errors"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/company"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
	"tradecredit/internal/id"
	"tradecredit/internal/page"
)

// ChangeOrganisation fills in what a request says about an organisation, which
// is there already or is still to be created. An error of it ends the use case
// and is returned as it is.
type ChangeOrganisation func(o *OrganisationDetails, exists bool) error

// PutOrganisation creates the organisation with a platform's identifier, or
// changes the one that has it, and tells which of both it was.
func (s *Service) PutOrganisation(ctx context.Context, tx *db.Tx, merchantID, uniqueID string, now time.Time, change ChangeOrganisation) (Organisation, bool, error) {
	before, err := lockOrganisationByUniqueID(ctx, tx, merchantID, uniqueID)
	if err == nil {
		o, err := s.changeOrganisation(ctx, tx, merchantID, before, now, change)
		return o, false, err
	}
	if !errors.Is(err, db.ErrNoRows) {
		return Organisation{}, false, err
	}
	o := Organisation{ID: id.New(id.Organisation), Created: now, Modified: now}
	if err := change(&o.OrganisationDetails, false); err != nil {
		return Organisation{}, false, err
	}
	o.Registered = moment(o.Registered)
	inserted, err := insertOrganisation(ctx, tx, merchantID, o)
	if err != nil {
		return Organisation{}, false, err
	}
	if !inserted {
		return Organisation{}, false, db.ErrRetry
	}
	if err := keepCompany(ctx, tx, o.CompanyID); err != nil {
		return Organisation{}, false, err
	}
	return o, true, record(tx, merchantID, "organisation.created", o.ID, o.snapshot(), now)
}

// PatchOrganisation changes the organisation with an ID. It returns db.ErrNoRows
// when there is none.
func (s *Service) PatchOrganisation(ctx context.Context, tx *db.Tx, merchantID, organisationID string, now time.Time, change ChangeOrganisation) (Organisation, error) {
	before, err := lockOrganisation(ctx, tx, merchantID, organisationID)
	if err != nil {
		return Organisation{}, err
	}
	return s.changeOrganisation(ctx, tx, merchantID, before, now, change)
}

// changeOrganisation changes an organisation that is locked.
func (s *Service) changeOrganisation(ctx context.Context, tx *db.Tx, merchantID string, before Organisation, now time.Time, change ChangeOrganisation) (Organisation, error) {
	if err := withColleagues(ctx, tx, merchantID, &before); err != nil {
		return Organisation{}, err
	}
	o := before
	if err := change(&o.OrganisationDetails, true); err != nil {
		return Organisation{}, err
	}
	o.Registered = moment(o.Registered)
	if o.OrganisationDetails == before.OrganisationDetails {
		return before, nil
	}
	o.Modified = now
	if err := updateOrganisation(ctx, tx, merchantID, o); err != nil {
		return Organisation{}, refuseTaken(err, OrganisationTaken)
	}
	if err := keepCompany(ctx, tx, o.CompanyID); err != nil {
		return Organisation{}, err
	}
	return o, record(tx, merchantID, "organisation.updated", o.ID, o.snapshot(), now)
}

// keepCompany lets a company outlive the edition of the register it came from:
// registers drop dissolved companies, and their debts remain. A sole trader is
// in no register.
func keepCompany(ctx context.Context, tx *db.Tx, companyID string) error {
	if companyID == "" {
		return nil
	}
	err := company.Keep(ctx, tx, companyID)
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	return err
}

// DeleteOrganisation removes an organisation and its memberships. It returns
// db.ErrNoRows when there is none, and a 409 when payments hang on it.
func (s *Service) DeleteOrganisation(ctx context.Context, tx *db.Tx, merchantID, organisationID string, now time.Time) error {
	o, err := lockOrganisation(ctx, tx, merchantID, organisationID)
	if err != nil {
		return err
	}
	used, err := attached(ctx, tx, merchantID, organisationID, s.HasPayments)
	if err != nil {
		return err
	}
	if used {
		return apierr.Conflict(organisationInUse)
	}
	if err := withColleagues(ctx, tx, merchantID, &o); err != nil {
		return err
	}
	tx.Queue(deleteMembershipsOfOrganisation, merchantID, organisationID)
	tx.Queue(deleteOrganisation, merchantID, organisationID)
	return record(tx, merchantID, "organisation.deleted", o.ID, o.snapshot(), now)
}

// GetOrganisation returns an organisation, or db.ErrNoRows.
func (s *Service) GetOrganisation(ctx context.Context, tx *db.Tx, merchantID, organisationID string) (Organisation, error) {
	o, err := db.One(ctx, tx, selectOrganisation, []any{merchantID, organisationID}, scanOrganisation)
	if err != nil {
		return Organisation{}, err
	}
	return o, withColleagues(ctx, tx, merchantID, &o)
}

// HoldOrganisation returns an organisation without its users and keeps it from
// being changed or deleted until tx ends: what refers to it is written under
// this lock.
func (s *Service) HoldOrganisation(ctx context.Context, tx *db.Tx, merchantID, organisationID string) (Organisation, error) {
	return lockOrganisation(ctx, tx, merchantID, organisationID)
}

// OrganisationExists tells whether a merchant has an organisation with an ID.
func (s *Service) OrganisationExists(ctx context.Context, tx *db.Tx, merchantID, organisationID string) (bool, error) {
	return exists(ctx, tx, organisationExists, merchantID, organisationID)
}

// OrganisationUniqueIDTaken tells whether an organisation other than the given
// one has a platform's identifier.
func (s *Service) OrganisationUniqueIDTaken(ctx context.Context, tx *db.Tx, merchantID, uniqueID, butOf string) (bool, error) {
	return exists(ctx, tx, organisationTaken, merchantID, uniqueID, butOf)
}

// ListOrganisations returns one page of organisations, of those with a
// platform's identifier alone unless it is empty, and how many there are in all.
func (s *Service) ListOrganisations(ctx context.Context, tx *db.Tx, merchantID, uniqueID string, p page.Page) ([]Organisation, int64, error) {
	var all []Organisation
	var count int64
	var err error
	if uniqueID != "" {
		all, count, err = list(ctx, tx, p, countOrganisationsByUniqueID, organisationsByUniqueID, organisationsByUniqueID,
			scanOrganisation, merchantID, uniqueID)
	} else {
		all, count, err = list(ctx, tx, p, countOrganisations, newestOrganisations, oldestOrganisations,
			scanOrganisation, merchantID)
	}
	if err != nil {
		return nil, 0, err
	}
	each := make([]*Organisation, len(all))
	for i := range all {
		each[i] = &all[i]
	}
	return all, count, withColleagues(ctx, tx, merchantID, each...)
}

// InsuredAmong tells which of some organisations have ever bought a policy.
func (s *Service) InsuredAmong(ctx context.Context, tx *db.Tx, merchantID string, organisations ...Organisation) (map[string]bool, error) {
	if s.Insured == nil || len(organisations) == 0 {
		return nil, nil
	}
	ids := make([]string, len(organisations))
	for i, o := range organisations {
		ids[i] = o.ID
	}
	return s.Insured(ctx, tx, merchantID, ids)
}

// organisationSnapshot is an organisation in an event.
type organisationSnapshot struct {
	ID         string              `json:"id"`
	UniqueID   string              `json:"unique_id"`
	Registered string              `json:"registered"`
	Name       string              `json:"name"`
	Company    *string             `json:"company"`
	Business   *Business           `json:"business,omitempty"`
	Users      []colleagueSnapshot `json:"users"`
}

type colleagueSnapshot struct {
	ID    string `json:"id"`
	Email string `json:"email"`
	Role  Role   `json:"role"`
}

func (o Organisation) snapshot() organisationSnapshot {
	s := organisationSnapshot{
		ID: o.ID, UniqueID: o.UniqueID, Registered: form.FormatTime(o.Registered), Name: o.Name,
		Company: optional(o.CompanyID), Business: o.Business.snapshot(), Users: []colleagueSnapshot{},
	}
	for _, c := range o.Users {
		s.Users = append(s.Users, colleagueSnapshot{c.UserID, c.Email, c.Role})
	}
	return s
}
