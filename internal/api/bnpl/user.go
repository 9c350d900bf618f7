package bnpl

import (
	"net/http"

	"tradecredit/internal/api"
	"tradecredit/internal/apierr"
	"tradecredit/internal/country"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
	"tradecredit/internal/id"
	"tradecredit/internal/merchant"
	"tradecredit/internal/page"
	"tradecredit/internal/party"
)

// User is a user as a buy-now-pay-later merchant sees one.
type User struct {
	ID            string             `json:"id" doc:"API unique identifier for the user"`
	Email         string             `json:"email" doc:"Email of the user"`
	UniqueID      string             `json:"unique_id" doc:"Unique identifier of the user on your platform; not checked for being unique"`
	Name          string             `json:"name" doc:"Full name of the user"`
	Phone         string             `json:"phone" doc:"Phone number of the user"`
	Registered    api.Time           `json:"registered" doc:"Date of user registration on your platform"`
	Organisations []UserOrganisation `json:"organisations" doc:"Organisations to which the user is linked"`
}

// InsuredUser is a user as an insurance merchant sees one.
type InsuredUser struct {
	ID            string             `json:"id" doc:"API unique identifier for the user"`
	Email         string             `json:"email" doc:"Email of the user"`
	UniqueID      string             `json:"unique_id" doc:"Unique identifier of the user on your platform; not checked for being unique"`
	HasPassword   bool               `json:"has_password" doc:"True if the user has registered and created a password"`
	Name          string             `json:"name" doc:"Full name of the user"`
	Phone         string             `json:"phone" doc:"Phone number of the user"`
	Registered    api.Time           `json:"registered" doc:"Date of user registration on your platform"`
	Organisations []UserOrganisation `json:"organisations" doc:"Organisations to which the user is linked"`
}

// LegacyUser is a user of an insurance merchant without organisations.
type LegacyUser struct {
	ID             string   `json:"id" doc:"API unique identifier for the user"`
	Email          string   `json:"email" doc:"Email of the user"`
	UniqueID       string   `json:"unique_id" doc:"Unique identifier of the user on your platform; not checked for being unique"`
	HasPassword    bool     `json:"has_password" doc:"True if the user has registered and created a password"`
	Name           string   `json:"name" doc:"Full name of the user"`
	Phone          string   `json:"phone" doc:"Phone number of the user"`
	Registered     api.Time `json:"registered" doc:"Date of user registration on your platform"`
	Country        string   `json:"country" doc:"Country of the user"`
	Company        *string  `json:"company" doc:"API unique identifier of the company; null when it is not identified"`
	CompanyAddress string   `json:"company_address" doc:"Address of the company"`
	CompanyCountry string   `json:"company_country" doc:"Country of the company"`
	CompanyName    string   `json:"company_name" doc:"Name of the company"`
	CompanyRegnum  string   `json:"company_regnum" doc:"Registration number of the company"`
}

// userObject shows a user the way the merchant's family of rules does.
func userObject(profile merchant.Profile, u party.User) any {
	switch profile {
	case merchant.Insurance:
		return InsuredUser{
			ID: u.ID, Email: u.Email, UniqueID: u.UniqueID, Name: u.Name, Phone: u.Phone,
			Registered: api.Time(u.Registered), Organisations: userOrganisations(u.Organisations),
		}
	case merchant.InsuranceLegacy:
		return LegacyUser{
			ID: u.ID, Email: u.Email, UniqueID: u.UniqueID, Name: u.Name, Phone: u.Phone,
			Registered: api.Time(u.Registered), Country: u.Country, Company: orNull(u.CompanyID),
			CompanyAddress: u.Business.Address, CompanyCountry: u.Business.Country,
			CompanyName: u.Business.Name, CompanyRegnum: u.Business.Regnum,
		}
	}
	return User{
		ID: u.ID, Email: u.Email, UniqueID: u.UniqueID, Name: u.Name, Phone: u.Phone,
		Registered: api.Time(u.Registered), Organisations: userOrganisations(u.Organisations),
	}
}

// orNull is text of which nothing is told by null.
func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// needed leaves a field required on creation; afterwards it may be missing.
func needed(creating bool) form.Option {
	if creating {
		return func(*form.Field) {}
	}
	return form.Optional()
}

// userFields are what every user has. Without an email the fields change a user
// who is there.
func userFields(creating bool) []form.Field {
	return []form.Field{
		optionalText("unique_id", "Unique identifier of the user on your platform. It is not checked for being unique."),
		form.Char("name", needed(creating), form.Max(maxText), form.Doc("Full name of the user."), form.Example("John")),
		optionalText("phone", "Phone number of the user."),
		form.DateTime("registered", needed(creating), form.Doc("When the user registered on your platform."),
			form.Example("2017-06-01T14:37:12Z")),
		form.Char("plan_type", form.ReadOnly(), form.Doc("Deprecated: accepted and ignored.")),
	}
}

var emailField = form.Email("email", form.Max(254), form.Doc("Email of the user. It can not be changed."),
	form.Example("john@example.com"))

// maxGrants bounds the organisations in one request.
const maxGrants = 1000

const organisationsDoc = "Organisations the user joins; the role in one that the user belongs to already becomes the one given."

// userForm declares a user with organisations.
func userForm(name string, creating bool, opts ...form.Option) *form.Form {
	fields := userFields(creating)
	if creating {
		fields = append([]form.Field{emailField}, fields...)
	}
	return form.New(name, append(fields, form.Objects("organisations", grantForm,
		append(opts, form.MaxItems(maxGrants), form.Doc(organisationsDoc))...))...)
}

// legacyUserForm declares a user with a company of their own.
func legacyUserForm(name string, creating bool) *form.Form {
	fields := userFields(creating)
	if creating {
		fields = append([]form.Field{emailField}, fields...)
	}
	return form.New(name, append(fields,
		form.Country("country", country.Lookup, form.Optional(), form.Blank(), form.Doc("Country of the user; that of the company unless it is given.")),
		form.Ref("company", string(id.Company), form.Optional(), form.Null(), form.Doc("Identifier of the user's company.")),
		optionalText("company_name", "Name of the user's company."),
		form.Country("company_country", country.Lookup, form.Optional(), form.Blank(), form.Doc("Country of the user's company.")),
		optionalText("company_regnum", "Registration number of the company in its country."),
		optionalText("company_address", "Address of the company."),
	)...)
}

// The forms of users: of each family, to create one and to change one.
var (
	createUserForm = userForm("User", true, form.Optional())
	changeUserForm = userForm("UserChange", false, form.Optional())

	createInsuredUserForm = userForm("InsuredUser", true)
	changeInsuredUserForm = form.New("InsuredUserChange", userFields(false)...)
	// An insurance merchant sets organisations once.
	repeatInsuredUserForm = form.New("InsuredUserRepeat", append(userFields(false),
		form.JSON("organisations", form.Optional(), form.Check(func(form.Value) []string {
			return []string{"You can't set this field for an existing user."}
		})))...)

	createLegacyUserForm = legacyUserForm("LegacyUser", true)
	changeLegacyUserForm = legacyUserForm("LegacyUserChange", false)

	// userKeyForm reads nothing but the address by which a user is known.
	userKeyForm = form.New("", form.Email("email", form.Optional()))
)

// userFormFor is the form by which a request on users is read.
func userFormFor(profile merchant.Profile, method string, exists bool) *form.Form {
	switch profile {
	case merchant.Insurance:
		switch {
		case !exists:
			return createInsuredUserForm
		case method == http.MethodPost:
			return repeatInsuredUserForm
		}
		return changeInsuredUserForm
	case merchant.InsuranceLegacy:
		if exists {
			return changeLegacyUserForm
		}
		return createLegacyUserForm
	}
	if exists {
		return changeUserForm
	}
	return createUserForm
}

const userTag = "Users"

var userFilters = []api.Param{
	{Name: "unique_id", Doc: "Only users with this identifier of your platform."},
	{Name: "email", Doc: "Only the user with this email."},
	{Name: "ordering", Doc: "`created` or `-created`, the default."},
}

func (a *API) userRoutes() []api.Route {
	const collection, item = "/v1/users", "/v1/users/{user}"
	return []api.Route{
		{
			Method: http.MethodPost, Path: collection, Tag: userTag, Summary: "Create a user",
			Doc: "A repeated request with the same email, in any case, is a partial update of the existing user and answers 200. " +
				"Organisations are appended, and the role in one that the user belongs to becomes the one given.\n\n" +
				"Insurance merchants must name the organisations of a new user and can not set them for an existing one.",
			Body: createUserForm, Response: User{}, Status: http.StatusCreated, Also: []int{http.StatusOK},
			Errors: []int{http.StatusBadRequest}, Write: a.createUser,
		},
		{
			Method: http.MethodGet, Path: collection, Tag: userTag, Summary: "List users", Query: userFilters,
			Response: page.List[User]{}, Status: http.StatusOK, Errors: []int{http.StatusBadRequest}, Read: a.listUsers,
		},
		{
			Method: http.MethodGet, Path: item, Tag: userTag, Summary: "Get a user",
			Response: User{}, Status: http.StatusOK, Errors: []int{http.StatusNotFound}, Read: a.getUser,
		},
		{
			Method: http.MethodPatch, Path: item, Tag: userTag, Summary: "Modify a user",
			Doc: "The email is read-only. Organisations are appended, and the role in one that the user belongs to becomes " +
				"the one given. Insurance merchants change memberships through their own addresses alone.",
			Body: changeUserForm, Response: User{}, Status: http.StatusOK,
			Errors: []int{http.StatusBadRequest, http.StatusNotFound}, Write: a.changeUser,
		},
		{
			Method: http.MethodDelete, Path: item, Tag: userTag, Summary: "Delete a user",
			Doc:    "A user who has orders, or owns a sole trader, can not be deleted.",
			Status: http.StatusNoContent, Errors: []int{http.StatusNotFound, http.StatusConflict}, Write: a.deleteUser,
		},
	}
}

func (a *API) createUser(c *api.Call, tx *db.Tx) (*api.Response, error) {
	u, created, err := a.Parties.PutUser(c, tx, c.Merchant.ID, keyOf(c, tx, userKeyForm, "email"), c.Now, a.userChange(c, tx))
	if err != nil {
		return nil, raced(err)
	}
	return api.Upserted(userObject(c.Merchant.Profile, u), created), nil
}

func (a *API) changeUser(c *api.Call, tx *db.Tx) (*api.Response, error) {
	u, err := a.Parties.PatchUser(c, tx, c.Merchant.ID, c.Path("user"), c.Now, a.userChange(c, tx))
	if err != nil {
		return nil, err
	}
	return api.OK(userObject(c.Merchant.Profile, u)), nil
}

// keyOf reads the one field by which an object may be known already. When it
// can not be read it is empty, and the whole form says what is wrong.
func keyOf(c *api.Call, tx *db.Tx, f *form.Form, field string) string {
	v, err := c.DecodeAs(tx, f)
	if err != nil {
		return ""
	}
	return v.String(field)
}

// userChange reads a request about a user once it is known whether there is one.
func (a *API) userChange(c *api.Call, tx *db.Tx) party.ChangeUser {
	return func(u *party.UserDetails, exists bool) ([]party.Grant, error) {
		v, err := c.DecodeAs(tx, userFormFor(c.Merchant.Profile, c.Request.Method, exists))
		if err != nil {
			return nil, err
		}
		readUser(v, u, exists)
		if c.Merchant.Profile == merchant.InsuranceLegacy {
			readUserCompany(v, u, exists)
			return nil, nil
		}
		if c.Merchant.Profile == merchant.Insurance && exists {
			return nil, nil
		}
		return readGrants(v)
	}
}

func readUser(v *form.Values, u *party.UserDetails, exists bool) {
	if !exists {
		u.Email = v.String("email")
	}
	setText(v, "unique_id", &u.UniqueID)
	setText(v, "name", &u.Name)
	setText(v, "phone", &u.Phone)
	if v.Has("registered") {
		u.Registered = v.Time("registered")
	}
}

func readUserCompany(v *form.Values, u *party.UserDetails, exists bool) {
	setText(v, "country", &u.Country)
	setText(v, "company", &u.CompanyID)
	setText(v, "company_name", &u.Business.Name)
	setText(v, "company_country", &u.Business.Country)
	setText(v, "company_regnum", &u.Business.Regnum)
	setText(v, "company_address", &u.Business.Address)
	if !exists && !v.Has("country") {
		u.Country = u.Business.Country
	}
}

// setText takes over a field that the request has; null empties it.
func setText(v *form.Values, name string, into *string) {
	if v.Has(name) {
		*into = v.String(name)
	}
}

func (a *API) listUsers(c *api.Call, tx *db.Tx) (*api.Response, error) {
	f, err := filters(c, "unique_id", "email")
	if err != nil {
		return nil, err
	}
	p := c.Page()
	users, count, err := a.Parties.ListUsers(c, tx, c.Merchant.ID, party.UserFilter{UniqueID: f["unique_id"], Email: f["email"]}, p)
	if err != nil {
		return nil, err
	}
	objects := make([]any, len(users))
	for i, u := range users {
		objects[i] = userObject(c.Merchant.Profile, u)
	}
	return api.OK(page.New(c.Request, p, count, objects)), nil
}

// filters reads query parameters that are compared with stored text. A NUL,
// which no text has, is refused.
func filters(c *api.Call, names ...string) (map[string]string, error) {
	out, bad := map[string]string{}, (*form.Errors)(nil)
	for _, name := range names {
		out[name] = c.Query(name)
		if c.QueryHasNull(name) {
			if bad == nil {
				bad = &form.Errors{}
			}
			bad.Add(name, "Null characters are not allowed.")
		}
	}
	if !bad.Empty() {
		return nil, apierr.Invalid(bad)
	}
	return out, nil
}

func (a *API) getUser(c *api.Call, tx *db.Tx) (*api.Response, error) {
	u, err := a.Parties.GetUser(c, tx, c.Merchant.ID, c.Path("user"))
	if err != nil {
		return nil, err
	}
	return api.OK(userObject(c.Merchant.Profile, u)), nil
}

func (a *API) deleteUser(c *api.Call, tx *db.Tx) (*api.Response, error) {
	if err := a.Parties.DeleteUser(c, tx, c.Merchant.ID, c.Path("user"), c.Now); err != nil {
		return nil, err
	}
	return api.NoContent(), nil
}
