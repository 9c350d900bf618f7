package party

import (
	"context"
	"sort"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/page"
)

// grant adds roles to a user who is locked and whose organisations are loaded.
func grant(ctx context.Context, tx *db.Tx, merchantID string, u *User, given []Grant, now time.Time) error {
	all, added, changed := merge(u.Organisations, given)
	if err := lockOrganisations(ctx, tx, merchantID, append(append([]Grant(nil), added...), changed...)); err != nil {
		return err
	}
	for i, g := range added {
		tx.Queue(insertMembership, merchantID, g.OrganisationID, u.ID, string(g.Role), db.Micros(now), i)
		if err := recordMembership(tx, merchantID, "membership.created", u.ID, g, now); err != nil {
			return err
		}
	}
	for _, g := range changed {
		tx.Queue(setRole, merchantID, g.OrganisationID, u.ID, string(g.Role))
		if err := recordMembership(tx, merchantID, "membership.updated", u.ID, g, now); err != nil {
			return err
		}
	}
	u.Organisations = all
	return nil
}

// lockOrganisations keeps organisations from being deleted until tx ends.
func lockOrganisations(ctx context.Context, tx *db.Tx, merchantID string, grants []Grant) error {
	sort.Slice(grants, func(i, j int) bool { return grants[i].OrganisationID < grants[j].OrganisationID })
	for _, g := range grants {
		if _, err := lockOrganisation(ctx, tx, merchantID, g.OrganisationID); err != nil {
			return err
		}
	}
	return nil
}

// membershipSnapshot is a membership in an event. It has no identifier: its user
// is the event's object and its organisation the event's root.
type membershipSnapshot struct {
	Organisation string `json:"organisation"`
	User         string `json:"user"`
	Role         Role   `json:"role"`
}

func recordMembership(tx *db.Tx, merchantID, kind, userID string, g Grant, now time.Time) error {
	return recordIn(tx, merchantID, kind, userID, g.OrganisationID,
		membershipSnapshot{g.OrganisationID, userID, g.Role}, now)
}

// AddMember gives a user a role in an organisation, or another role to one who
// is a member, and tells whether the user is new there. It returns
// db.ErrNoRows when there is no such user or organisation.
func (s *Service) AddMember(ctx context.Context, tx *db.Tx, merchantID, userID string, g Grant, now time.Time) (Colleague, bool, error) {
	u, err := lockUser(ctx, tx, merchantID, userID)
	if err != nil {
		return Colleague{}, false, err
	}
	if err := withGrants(ctx, tx, merchantID, &u); err != nil {
		return Colleague{}, false, err
	}
	before := len(u.Organisations)
	if err := grant(ctx, tx, merchantID, &u, []Grant{g}, now); err != nil {
		return Colleague{}, false, err
	}
	return Colleague{UserID: u.ID, Email: u.Email, Role: g.Role}, len(u.Organisations) > before, nil
}

// SetRole gives a user who is a member another role. It returns db.ErrNoRows for
// anybody else.
func (s *Service) SetRole(ctx context.Context, tx *db.Tx, merchantID, userID string, g Grant, now time.Time) (Colleague, error) {
	if _, err := lockUser(ctx, tx, merchantID, userID); err != nil {
		return Colleague{}, err
	}
	if _, err := s.GetMember(ctx, tx, merchantID, g.OrganisationID, userID); err != nil {
		return Colleague{}, err
	}
	m, _, err := s.AddMember(ctx, tx, merchantID, userID, g, now)
	return m, err
}

// RemoveMember takes a user out of an organisation. It returns db.ErrNoRows when
// the user is no member.
func (s *Service) RemoveMember(ctx context.Context, tx *db.Tx, merchantID, organisationID, userID string, now time.Time) error {
	if _, err := lockUser(ctx, tx, merchantID, userID); err != nil {
		return err
	}
	m, err := s.GetMember(ctx, tx, merchantID, organisationID, userID)
	if err != nil {
		return err
	}
	tx.Queue(deleteMembership, merchantID, organisationID, userID)
	return recordMembership(tx, merchantID, "membership.deleted", userID, Grant{organisationID, m.Role}, now)
}

// GetMember returns a user's membership in an organisation, or db.ErrNoRows.
func (s *Service) GetMember(ctx context.Context, tx *db.Tx, merchantID, organisationID, userID string) (Colleague, error) {
	return db.One(ctx, tx, selectMember, []any{merchantID, organisationID, userID}, scanColleague)
}

// ListColleagues returns one page of the users of an organisation and how many
// there are in all.
func (s *Service) ListColleagues(ctx context.Context, tx *db.Tx, merchantID, organisationID string, p page.Page) ([]Colleague, int64, error) {
	return list(ctx, tx, p, countColleagues, newestColleagues, oldestColleagues, scanColleague, merchantID, organisationID)
}

// ListGrants returns one page of the organisations of a user and how many there
// are in all.
func (s *Service) ListGrants(ctx context.Context, tx *db.Tx, merchantID, userID string, p page.Page) ([]Grant, int64, error) {
	return list(ctx, tx, p, countGrants, newestGrants, oldestGrants, scanGrant, merchantID, userID)
}
