package bnpl

import (
	"errors"
	"net/http"

	"tradecredit/internal/api"
	"tradecredit/internal/apierr"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
	"tradecredit/internal/id"
	"tradecredit/internal/page"
	"tradecredit/internal/party"
)

// UserOrganisation is a membership as seen from the user.
type UserOrganisation struct {
	ID   string     `json:"id" doc:"API unique identifier for the organisation"`
	Role party.Role `json:"role" enum:"admin,member,read-only" doc:"Role of the user in the organisation"`
}

// OrganisationUser is a membership as seen from the organisation.
type OrganisationUser struct {
	ID    string     `json:"id" doc:"API unique identifier for the user"`
	Email string     `json:"email" doc:"Email of the user"`
	Role  party.Role `json:"role" enum:"admin,member,read-only" doc:"Role of the user in the organisation"`
}

func userOrganisations(grants []party.Grant) []UserOrganisation {
	out := make([]UserOrganisation, len(grants))
	for i, g := range grants {
		out[i] = UserOrganisation{g.OrganisationID, g.Role}
	}
	return out
}

func organisationUsers(colleagues []party.Colleague) []OrganisationUser {
	out := make([]OrganisationUser, len(colleagues))
	for i, m := range colleagues {
		out[i] = OrganisationUser{m.UserID, m.Email, m.Role}
	}
	return out
}

var roleField = form.Choice("role", party.Roles, form.Doc("Role of the user in the organisation."), form.Example("member"))

// The forms of memberships: from the side of the user, from the side of the
// organisation, and to change the role.
var (
	grantForm = form.New("UserOrganisation",
		form.Ref("id", string(id.Organisation), form.Doc("Identifier of the organisation.")), roleField)
	colleagueForm = form.New("OrganisationUser",
		form.Ref("id", string(id.User), form.Doc("Identifier of the user.")), roleField)
	roleForm = form.New("Role", roleField)
)

const required = "This field is required."

// readGrants reads the organisations of a user. A PATCH lets everything be
// missing, but half a membership says nothing.
func readGrants(v *form.Values) ([]party.Grant, error) {
	items := v.Objects("organisations")
	out, wrong := make([]party.Grant, len(items)), make([]*form.Errors, len(items))
	for i, item := range items {
		bad := &form.Errors{}
		for _, field := range []string{"id", "role"} {
			if !item.Has(field) {
				bad.Add(field, required)
			}
		}
		wrong[i] = bad
		out[i] = party.Grant{OrganisationID: item.String("id"), Role: party.Role(item.String("role"))}
	}
	bad := &form.Errors{}
	bad.AddItems("organisations", wrong)
	if !bad.Empty() {
		return nil, apierr.Invalid(bad)
	}
	return out, nil
}

const memberTag = "Memberships"

// side is one of the two sides from which memberships are managed.
type side struct {
	collection, item string
	// of and in name the sides in summaries.
	of, in   string
	body     *form.Form
	one      any
	list     any
	exists   func(c *api.Call, tx *db.Tx) (bool, error)
	add      func(v *form.Values, c *api.Call) (userID string, g party.Grant)
	show     func(organisationID string, m party.Colleague) any
	readPage func(c *api.Call, tx *db.Tx) (any, error)
}

func (a *API) membershipRoutes() []api.Route {
	return append(a.sideRoutes(a.ofUser()), a.sideRoutes(a.ofOrganisation())...)
}

// ofUser manages the organisations of a user.
func (a *API) ofUser() side {
	return side{
		collection: "/v1/users/{user}/organisations", item: "/v1/users/{user}/organisations/{organisation}",
		of: "organisation of a user", in: "a user to an organisation",
		body: grantForm, one: UserOrganisation{}, list: page.List[UserOrganisation]{},
		exists: func(c *api.Call, tx *db.Tx) (bool, error) {
			return a.Parties.UserExists(c, tx, c.Merchant.ID, c.Path("user"))
		},
		add: func(v *form.Values, c *api.Call) (string, party.Grant) {
			return c.Path("user"), party.Grant{OrganisationID: v.String("id"), Role: party.Role(v.String("role"))}
		},
		show: func(organisationID string, m party.Colleague) any { return UserOrganisation{organisationID, m.Role} },
		readPage: func(c *api.Call, tx *db.Tx) (any, error) {
			p := c.Page()
			grants, count, err := a.Parties.ListGrants(c, tx, c.Merchant.ID, c.Path("user"), p)
			return page.New(c.Request, p, count, userOrganisations(grants)), err
		},
	}
}

// ofOrganisation manages the users of an organisation.
func (a *API) ofOrganisation() side {
	return side{
		collection: "/v1/organisations/{organisation}/users", item: "/v1/organisations/{organisation}/users/{user}",
		of: "user of an organisation", in: "a user to an organisation",
		body: colleagueForm, one: OrganisationUser{}, list: page.List[OrganisationUser]{},
		exists: func(c *api.Call, tx *db.Tx) (bool, error) {
			return a.Parties.OrganisationExists(c, tx, c.Merchant.ID, c.Path("organisation"))
		},
		add: func(v *form.Values, c *api.Call) (string, party.Grant) {
			return v.String("id"), party.Grant{OrganisationID: c.Path("organisation"), Role: party.Role(v.String("role"))}
		},
		show: func(_ string, m party.Colleague) any { return OrganisationUser{m.UserID, m.Email, m.Role} },
		readPage: func(c *api.Call, tx *db.Tx) (any, error) {
			p := c.Page()
			colleagues, count, err := a.Parties.ListColleagues(c, tx, c.Merchant.ID, c.Path("organisation"), p)
			return page.New(c.Request, p, count, organisationUsers(colleagues)), err
		},
	}
}

func (a *API) sideRoutes(s side) []api.Route {
	const doc = "The same memberships can be managed from the other side."
	return []api.Route{
		{
			Method: http.MethodPost, Path: s.collection, Tag: memberTag, Summary: "Add " + s.in,
			Doc:  "When the user belongs to the organisation already, the role becomes the one given and the answer is 200. " + doc,
			Body: s.body, Response: s.one, Status: http.StatusCreated, Also: []int{http.StatusOK},
			Errors: []int{http.StatusBadRequest, http.StatusNotFound},
			Write:  func(c *api.Call, tx *db.Tx) (*api.Response, error) { return a.addMember(c, tx, s) },
		},
		{
			Method: http.MethodGet, Path: s.collection, Tag: memberTag, Summary: "List every " + s.of,
			Query:    []api.Param{{Name: "ordering", Doc: "`created` or `-created`, the default."}},
			Response: s.list, Status: http.StatusOK, Errors: []int{http.StatusNotFound},
			Read: func(c *api.Call, tx *db.Tx) (*api.Response, error) { return listMembers(c, tx, s) },
		},
		{
			Method: http.MethodGet, Path: s.item, Tag: memberTag, Summary: "View an individual " + s.of,
			Response: s.one, Status: http.StatusOK, Errors: []int{http.StatusNotFound},
			Read: func(c *api.Call, tx *db.Tx) (*api.Response, error) { return a.getMember(c, tx, s) },
		},
		{
			Method: http.MethodPatch, Path: s.item, Tag: memberTag, Summary: "Modify the role of an individual " + s.of,
			Body: roleForm, Response: s.one, Status: http.StatusOK, Errors: []int{http.StatusBadRequest, http.StatusNotFound},
			Write: func(c *api.Call, tx *db.Tx) (*api.Response, error) { return a.changeMember(c, tx, s) },
		},
		{
			Method: http.MethodDelete, Path: s.item, Tag: memberTag, Summary: "Remove an individual " + s.of,
			Doc:    "Neither the user nor the organisation is deleted.",
			Status: http.StatusNoContent, Errors: []int{http.StatusNotFound}, Write: a.removeMember,
		},
	}
}

func (a *API) addMember(c *api.Call, tx *db.Tx, s side) (*api.Response, error) {
	if err := found(s.exists(c, tx)); err != nil {
		return nil, err
	}
	v, err := c.Decode(tx)
	if err != nil {
		return nil, err
	}
	userID, g := s.add(v, c)
	m, created, err := a.Parties.AddMember(c, tx, c.Merchant.ID, userID, g, c.Now)
	if err != nil {
		return nil, raced(err)
	}
	return api.Upserted(s.show(g.OrganisationID, m), created), nil
}

// raced is for the error of a use case behind a form: what the form has found
// and the use case does not was deleted in between. The second time, the form
// says so.
func raced(err error) error {
	if errors.Is(err, db.ErrNoRows) {
		return db.ErrRetry
	}
	return err
}

// found turns the answer no into a 404.
func found(exists bool, err error) error {
	if err == nil && !exists {
		return apierr.NotFound()
	}
	return err
}

func listMembers(c *api.Call, tx *db.Tx, s side) (*api.Response, error) {
	if err := found(s.exists(c, tx)); err != nil {
		return nil, err
	}
	list, err := s.readPage(c, tx)
	if err != nil {
		return nil, err
	}
	return api.OK(list), nil
}

func (a *API) getMember(c *api.Call, tx *db.Tx, s side) (*api.Response, error) {
	m, err := a.Parties.GetMember(c, tx, c.Merchant.ID, c.Path("organisation"), c.Path("user"))
	if err != nil {
		return nil, err
	}
	return api.OK(s.show(c.Path("organisation"), m)), nil
}

func (a *API) changeMember(c *api.Call, tx *db.Tx, s side) (*api.Response, error) {
	if _, err := a.Parties.GetMember(c, tx, c.Merchant.ID, c.Path("organisation"), c.Path("user")); err != nil {
		return nil, err
	}
	v, err := c.Decode(tx)
	if err != nil {
		return nil, err
	}
	if !v.Has("role") {
		return nil, apierr.Field("role", required)
	}
	g := party.Grant{OrganisationID: c.Path("organisation"), Role: party.Role(v.String("role"))}
	m, err := a.Parties.SetRole(c, tx, c.Merchant.ID, c.Path("user"), g, c.Now)
	if err != nil {
		return nil, err
	}
	return api.OK(s.show(g.OrganisationID, m)), nil
}

func (a *API) removeMember(c *api.Call, tx *db.Tx) (*api.Response, error) {
	err := a.Parties.RemoveMember(c, tx, c.Merchant.ID, c.Path("organisation"), c.Path("user"), c.Now)
	if err != nil {
		return nil, err
	}
	return api.NoContent(), nil
}
