package party

import (
	"context"
	"errors"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
	"tradecredit/internal/id"
	"tradecredit/internal/page"
)

// ChangeUser fills in what a request says about a user, which is there already
// or is still to be created, and returns the roles that the request gives. An
// error of it ends the use case and is returned as it is.
type ChangeUser func(u *UserDetails, exists bool) ([]Grant, error)

// PutUser creates the user with an address, or changes the one who has it, and
// tells which of both it was. Addresses that differ in case alone are the same;
// the first spelling is kept. The grants are added to those the user has.
func (s *Service) PutUser(ctx context.Context, tx *db.Tx, merchantID, email string, now time.Time, change ChangeUser) (User, bool, error) {
	before, err := lockUserByEmail(ctx, tx, merchantID, emailKey(email))
	if err == nil {
		u, err := s.changeUser(ctx, tx, merchantID, before, now, change)
		return u, false, err
	}
	if !errors.Is(err, db.ErrNoRows) {
		return User{}, false, err
	}
	u := User{ID: id.New(id.User), Created: now, Modified: now}
	grants, err := change(&u.UserDetails, false)
	if err != nil {
		return User{}, false, err
	}
	u.Registered = moment(u.Registered)
	inserted, err := insertUser(ctx, tx, merchantID, u)
	if err != nil {
		return User{}, false, err
	}
	if !inserted {
		return User{}, false, db.ErrRetry
	}
	if err := grant(ctx, tx, merchantID, &u, grants, now); err != nil {
		return User{}, false, err
	}
	return u, true, record(tx, merchantID, "user.created", u.ID, u.snapshot(), now)
}

// PatchUser changes the user with an ID. It returns db.ErrNoRows when there is
// none.
func (s *Service) PatchUser(ctx context.Context, tx *db.Tx, merchantID, userID string, now time.Time, change ChangeUser) (User, error) {
	before, err := lockUser(ctx, tx, merchantID, userID)
	if err != nil {
		return User{}, err
	}
	return s.changeUser(ctx, tx, merchantID, before, now, change)
}

// changeUser changes a user who is locked. The address never changes.
func (s *Service) changeUser(ctx context.Context, tx *db.Tx, merchantID string, before User, now time.Time, change ChangeUser) (User, error) {
	if err := withGrants(ctx, tx, merchantID, &before); err != nil {
		return User{}, err
	}
	u := before
	grants, err := change(&u.UserDetails, true)
	if err != nil {
		return User{}, err
	}
	u.Email, u.Registered = before.Email, moment(u.Registered)
	if err := grant(ctx, tx, merchantID, &u, grants, now); err != nil {
		return User{}, err
	}
	if u.UserDetails == before.UserDetails && same(u.Organisations, before.Organisations) {
		return before, nil
	}
	u.Modified = now
	updateUser(tx, merchantID, u)
	return u, record(tx, merchantID, "user.updated", u.ID, u.snapshot(), now)
}

func same(a, b []Grant) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// DeleteUser removes a user and the memberships. It returns db.ErrNoRows when
// there is none, and a 409 when something that must stay hangs on the user.
func (s *Service) DeleteUser(ctx context.Context, tx *db.Tx, merchantID, userID string, now time.Time) error {
	u, err := lockUser(ctx, tx, merchantID, userID)
	if err != nil {
		return err
	}
	used, err := attached(ctx, tx, merchantID, userID, s.HasOrders)
	if err == nil && !used {
		used, err = ownsSoleTrader(ctx, tx, merchantID, userID)
	}
	if err != nil {
		return err
	}
	if used {
		return apierr.Conflict(userInUse)
	}
	if err := withGrants(ctx, tx, merchantID, &u); err != nil {
		return err
	}
	tx.Queue(deleteMembershipsOfUser, merchantID, userID)
	tx.Queue(deleteUser, merchantID, userID)
	return record(tx, merchantID, "user.deleted", u.ID, u.snapshot(), now)
}

// GetUser returns a user, or db.ErrNoRows.
func (s *Service) GetUser(ctx context.Context, tx *db.Tx, merchantID, userID string) (User, error) {
	u, err := db.One(ctx, tx, selectUser, []any{merchantID, userID}, scanUser)
	if err != nil {
		return User{}, err
	}
	return u, withGrants(ctx, tx, merchantID, &u)
}

// FindUser returns the user with an address, or db.ErrNoRows.
func (s *Service) FindUser(ctx context.Context, tx *db.Tx, merchantID, email string) (User, error) {
	u, err := db.One(ctx, tx, selectUserByEmail, []any{merchantID, emailKey(email)}, scanUser)
	if err != nil {
		return User{}, err
	}
	return u, withGrants(ctx, tx, merchantID, &u)
}

// UserExists tells whether a merchant has a user with an ID.
func (s *Service) UserExists(ctx context.Context, tx *db.Tx, merchantID, userID string) (bool, error) {
	return exists(ctx, tx, userExists, merchantID, userID)
}

// UserFilter narrows a list of users; empty fields do not.
type UserFilter struct {
	Email    string
	UniqueID string
}

// ListUsers returns one page of users and how many there are in all.
func (s *Service) ListUsers(ctx context.Context, tx *db.Tx, merchantID string, f UserFilter, p page.Page) ([]User, int64, error) {
	var users []User
	var count int64
	var err error
	switch {
	case f.Email != "":
		users, count, err = usersWithEmail(ctx, tx, merchantID, f, p)
	case f.UniqueID != "":
		users, count, err = list(ctx, tx, p, countUsersByUniqueID, newestUsersByUniqueID, oldestUsersByUniqueID,
			scanUser, merchantID, f.UniqueID)
	default:
		users, count, err = list(ctx, tx, p, countUsers, newestUsers, oldestUsers, scanUser, merchantID)
	}
	if err != nil {
		return nil, 0, err
	}
	each := make([]*User, len(users))
	for i := range users {
		each[i] = &users[i]
	}
	return users, count, withGrants(ctx, tx, merchantID, each...)
}

// usersWithEmail is the list of at most one user who has an address.
func usersWithEmail(ctx context.Context, tx *db.Tx, merchantID string, f UserFilter, p page.Page) ([]User, int64, error) {
	u, err := db.One(ctx, tx, selectUserByEmail, []any{merchantID, emailKey(f.Email)}, scanUser)
	if errors.Is(err, db.ErrNoRows) || err == nil && f.UniqueID != "" && f.UniqueID != u.UniqueID {
		return nil, 0, nil
	}
	if err != nil || p.Offset > 0 {
		return nil, 1, err
	}
	return []User{u}, 1, nil
}

// userSnapshot is a user in an event.
type userSnapshot struct {
	ID            string          `json:"id"`
	Email         string          `json:"email"`
	UniqueID      string          `json:"unique_id"`
	Name          string          `json:"name"`
	Phone         string          `json:"phone"`
	Registered    string          `json:"registered"`
	Country       string          `json:"country,omitempty"`
	Company       *string         `json:"company,omitempty"`
	Business      *Business       `json:"business,omitempty"`
	Organisations []grantSnapshot `json:"organisations"`
}

type grantSnapshot struct {
	ID   string `json:"id"`
	Role Role   `json:"role"`
}

func (u User) snapshot() userSnapshot {
	s := userSnapshot{
		ID: u.ID, Email: u.Email, UniqueID: u.UniqueID, Name: u.Name, Phone: u.Phone,
		Registered: form.FormatTime(u.Registered), Country: u.Country, Company: optional(u.CompanyID),
		Business: u.Business.snapshot(), Organisations: []grantSnapshot{},
	}
	for _, g := range u.Organisations {
		s.Organisations = append(s.Organisations, grantSnapshot{g.OrganisationID, g.Role})
	}
	return s
}

// snapshot leaves out a business of which nothing is said.
func (b Business) snapshot() *Business {
	if b == (Business{}) {
		return nil
	}
	return &b
}
