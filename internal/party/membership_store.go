package party

import (
	"context"

	"tradecredit/internal/db"
)

const (
	insertMembership db.SQL = `INSERT INTO memberships (merchant_id, organisation_id, user_id, role, created_at, place)
		VALUES ($1, $2, $3, $4, $5, $6)`
	setRole          db.SQL = `UPDATE memberships SET role = $4 WHERE merchant_id = $1 AND organisation_id = $2 AND user_id = $3`
	deleteMembership db.SQL = `DELETE FROM memberships WHERE merchant_id = $1 AND organisation_id = $2 AND user_id = $3`

	deleteMembershipsOfUser         db.SQL = `DELETE FROM memberships WHERE merchant_id = $1 AND user_id = $2`
	deleteMembershipsOfOrganisation db.SQL = `DELETE FROM memberships WHERE merchant_id = $1 AND organisation_id = $2`

	colleagues = `SELECT m.user_id, u.email, m.role FROM memberships m
		JOIN users u ON u.merchant_id = m.merchant_id AND u.id = m.user_id
		WHERE m.merchant_id = $1 AND m.organisation_id = $2`
	selectMember     db.SQL = colleagues + ` AND m.user_id = $3`
	countColleagues  db.SQL = `SELECT count(*) FROM memberships WHERE merchant_id = $1 AND organisation_id = $2`
	newestColleagues db.SQL = colleagues + ` ORDER BY m.created_at DESC, m.user_id DESC LIMIT $3 OFFSET $4`
	oldestColleagues db.SQL = colleagues + ` ORDER BY m.created_at, m.user_id LIMIT $3 OFFSET $4`

	grants              = `SELECT organisation_id, role FROM memberships WHERE merchant_id = $1 AND user_id = $2`
	countGrants  db.SQL = `SELECT count(*) FROM memberships WHERE merchant_id = $1 AND user_id = $2`
	newestGrants db.SQL = grants + ` ORDER BY created_at DESC, place DESC LIMIT $3 OFFSET $4`
	oldestGrants db.SQL = grants + ` ORDER BY created_at, place LIMIT $3 OFFSET $4`

	grantsOfUsers db.SQL = `SELECT m.user_id, m.organisation_id, m.role
		FROM unnest($1::text[], $2::text[]) AS u(merchant_id, id)
		JOIN memberships m ON m.merchant_id = u.merchant_id AND m.user_id = u.id
		ORDER BY m.created_at, m.place`
	colleaguesOfOrganisations db.SQL = `SELECT m.organisation_id, m.user_id, p.email, m.role
		FROM unnest($1::text[], $2::text[]) AS u(merchant_id, id)
		JOIN memberships m ON m.merchant_id = u.merchant_id AND m.organisation_id = u.id
		JOIN users p ON p.merchant_id = m.merchant_id AND p.id = m.user_id
		ORDER BY m.created_at, m.user_id`
)

func scanColleague(r db.Rows) (c Colleague, err error) {
	err = r.Scan(&c.UserID, &c.Email, &c.Role)
	return c, err
}

func scanGrant(r db.Rows) (g Grant, err error) {
	err = r.Scan(&g.OrganisationID, &g.Role)
	return g, err
}

// withGrants loads the organisations of users.
func withGrants(ctx context.Context, tx *db.Tx, merchantID string, users ...*User) error {
	byID := make(map[string]*User, len(users))
	merchants, ids := make([]string, len(users)), make([]string, len(users))
	for i, u := range users {
		byID[u.ID], merchants[i], ids[i] = u, merchantID, u.ID
		u.Organisations = nil
	}
	for _, args := range tx.Split(merchants, ids) {
		_, err := db.All(ctx, tx, grantsOfUsers, args, func(r db.Rows) (struct{}, error) {
			var userID string
			var g Grant
			if err := r.Scan(&userID, &g.OrganisationID, &g.Role); err != nil {
				return struct{}{}, err
			}
			u := byID[userID]
			u.Organisations = append(u.Organisations, g)
			return struct{}{}, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// withColleagues loads the users of organisations.
func withColleagues(ctx context.Context, tx *db.Tx, merchantID string, organisations ...*Organisation) error {
	byID := make(map[string]*Organisation, len(organisations))
	merchants, ids := make([]string, len(organisations)), make([]string, len(organisations))
	for i, o := range organisations {
		byID[o.ID], merchants[i], ids[i] = o, merchantID, o.ID
		o.Users = nil
	}
	for _, args := range tx.Split(merchants, ids) {
		_, err := db.All(ctx, tx, colleaguesOfOrganisations, args, func(r db.Rows) (struct{}, error) {
			var organisationID string
			var c Colleague
			if err := r.Scan(&organisationID, &c.UserID, &c.Email, &c.Role); err != nil {
				return struct{}{}, err
			}
			o := byID[organisationID]
			o.Users = append(o.Users, c)
			return struct{}{}, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
