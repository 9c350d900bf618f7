package bnpl

import (
	"fmt"
	"testing"

	"tradecredit/internal/api/apitest"
	"tradecredit/internal/merchant"
)

const johnny = `{
  "id": "user-mECT3e5n9i7gVGrbn2Pd38",
  "email": "johnny@hokodo.co",
  "unique_id": "",
  "name": "John",
  "phone": "",
  "registered": "2017-06-01T14:37:12Z",
  "organisations": [
    {
      "id": "org-FEjrdMsmhdNp34HxaZ6n63",
      "role": "member"
    }
  ]
}`

// TestUserExamples follows the examples of the document.
func TestUserExamples(t *testing.T) {
	eachParty(t, merchant.BNPL, func(t *testing.T, c *apitest.Client) {
		c.Do("POST", "/v1/users", `{}`).Want(400, `{
			"email": ["This field is required."], "name": ["This field is required."], "registered": ["This field is required."]}`)
		givenUser(t, c)
		c.Do("GET", "/v1/users", nil).Want(200, `{"count": 1, "next": null, "previous": null, "results": [`+johnny+`]}`)
		c.Do("GET", "/v1/users/"+exampleUser+"/", nil).Want(200, johnny)
		c.Do("PATCH", "/v1/users/"+exampleUser, `{
			"id": "user-mECT3e5n9i7gVGrbn2Pd38",
			"unique_id": "some-unique-id",
			"name": "Johnny",
			"phone": "+1234567890",
			"registered": "2018-06-01T14:37:10Z"
		}`).Want(200, `{
			"id": "user-mECT3e5n9i7gVGrbn2Pd38",
			"email": "johnny@hokodo.co",
			"unique_id": "some-unique-id",
			"name": "Johnny",
			"phone": "+1234567890",
			"registered": "2018-06-01T14:37:10Z",
			"organisations": [{"id": "org-FEjrdMsmhdNp34HxaZ6n63", "role": "member"}]
		}`)
		c.Do("DELETE", "/v1/users/"+exampleUser, nil).Want(204, "")
		for _, method := range []string{"GET", "PATCH", "DELETE"} {
			c.Do(method, "/v1/users/"+exampleUser, nil).Want(404, `{"detail": "Not found."}`)
		}
		c.Do("GET", "/v1/organisations/"+exampleUserOrg+"/users", nil).
			Want(200, `{"count": 0, "next": null, "previous": null, "results": []}`)
	})
}

// TestUserUpsert posts the same address again.
func TestUserUpsert(t *testing.T) {
	eachParty(t, merchant.BNPL, func(t *testing.T, c *apitest.Client) {
		givenUser(t, c)
		const second = "org-22222222222222222222a2"
		c.Bind(second, c.Do("POST", "/v1/organisations", `{"unique_id": "o2", "registered": "2020-01-01"}`).WantStatus(201).ID())
		// A partial update: what is not there stays, the address as it was first given.
		c.Do("POST", "/v1/users", `{"email": " JOHNNY@hokodo.co ", "phone": 441234, "plan_type": ["x"], "organisations": [
			{"id": "`+second+`", "role": "read-only"}, {"id": "`+exampleUserOrg+`", "role": "admin"}]}`).Want(200, `{
			"id": "`+exampleUser+`", "email": "johnny@hokodo.co", "unique_id": "", "name": "John", "phone": "441234",
			"registered": "2017-06-01T14:37:12Z",
			"organisations": [{"id": "`+exampleUserOrg+`", "role": "admin"}, {"id": "`+second+`", "role": "read-only"}]}`)
		// An empty list takes nothing away, and the address cannot be changed.
		after := c.Do("PATCH", "/v1/users/"+exampleUser, `{"email": "other@hokodo.co", "registered": "2023-12-05", "organisations": []}`).
			Want(200, `{
			"id": "`+exampleUser+`", "email": "johnny@hokodo.co", "unique_id": "", "name": "John", "phone": "441234",
			"registered": "2023-12-05T00:00:00Z",
			"organisations": [{"id": "`+exampleUserOrg+`", "role": "admin"}, {"id": "`+second+`", "role": "read-only"}]}`)
		c.Do("PATCH", "/v1/users/"+exampleUser, nil).Want(200, string(after.Body))
		c.Do("PATCH", "/v1/users/"+exampleUser, `{"organisations": [{"id": "`+second+`", "role": "member"}]}`).WantStatus(200)
		c.Do("GET", "/v1/users/"+exampleUser+"/organisations/"+second, nil).Want(200, `{"id": "`+second+`", "role": "member"}`)
	})
}

func TestUserErrors(t *testing.T) {
	eachParty(t, merchant.BNPL, func(t *testing.T, c *apitest.Client) {
		givenUser(t, c)
		const user = `"email": "a@b.co", "name": "A", "registered": "2020-01-01"`
		for body, want := range map[string]string{
			`{"email": "a", "name": " ", "registered": "yesterday"}`: `{
				"email": ["Enter a valid email address."], "name": ["This field may not be blank."],
				"registered": ["Datetime has wrong format. Use one of these formats instead: YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."]}`,
			`{` + user + `, "organisations": [{"id": "` + noOrganisation + `", "role": "reader"}]}`: `{"organisations": [{
				"id": ["Invalid pk \"` + noOrganisation + `\" - object does not exist."], "role": ["\"reader\" is not a valid choice."]}]}`,
			`{` + user + `, "organisations": [{"id": "` + exampleUserOrg + `", "role": "member"}, {}]}`: `{"organisations": [{}, {
				"id": ["This field is required."], "role": ["This field is required."]}]}`,
			`{` + user + `, "organisations": {"id": 1}}`:  `{"organisations": {"non_field_errors": ["Expected a list of items but got type \"dict\"."]}}`,
			`{"email": "johnny@hokodo.co", "name": null}`: `{"name": ["This field may not be null."]}`,
			`{"email": null}`: `{"email": ["This field may not be null."], "name": ["This field is required."], "registered": ["This field is required."]}`,
			`[]`:              `{"non_field_errors": ["Invalid data. Expected a dictionary, but got list."]}`,
			`{"email": `:      `{"detail": "JSON parse error - Expecting value: line 1 column 11 (char 10)"}`,
		} {
			c.Do("POST", "/v1/users", body).Want(400, want)
		}
		c.Do("PATCH", "/v1/users/"+exampleUser, `{"organisations": [{}, {"role": "admin"}, {"id": "`+exampleUserOrg+`"}]}`).Want(400, `{
			"organisations": [{"id": ["This field is required."], "role": ["This field is required."]},
				{"id": ["This field is required."]}, {"role": ["This field is required."]}]}`)
		// A missing object is told before a bad body.
		c.Do("PATCH", "/v1/users/"+nobody, `{`).Want(404, `{"detail": "Not found."}`)
		c.Do("GET", "/v1/users/"+exampleUserOrg, nil).Want(404, `{"detail": "Not found."}`)
		c.With("Authorization", "").Do("GET", "/v1/users", nil).
			Want(401, `{"detail": "Authentication credentials were not provided."}`)
	})
}

func TestUserList(t *testing.T) {
	eachParty(t, merchant.BNPL, func(t *testing.T, c *apitest.Client) {
		for i := range 5 {
			c.Do("POST", "/v1/users", fmt.Sprintf(
				`{"email": "U%d@example.com", "name": "U", "registered": "2020-01-01", "unique_id": "g%d"}`, i, i%2)).WantStatus(201)
		}
		for query, want := range map[string]string{
			"":                                   "5 U4 U3 U2 U1 U0",
			"?limit=2&offset=1":                  "5 U3 U2",
			"?ordering=created&limit=2":          "5 U0 U1",
			"?ordering=-created&offset=4":        "5 U0",
			"?offset=7":                          "5",
			"?unique_id=g1":                      "2 U3 U1",
			"?unique_id=g1&ordering=created":     "2 U1 U3",
			"?unique_id=g0&limit=1&offset=1":     "3 U2",
			"?unique_id=g":                       "0",
			"?unique_id=":                        "5 U4 U3 U2 U1 U0",
			"?email=u3@EXAMPLE.com":              "1 U3",
			"?email=u3@example.com&offset=1":     "1",
			"?email=u3@example.com&unique_id=g0": "0",
			"?email=u9@example.com":              "0",
			"?unique_id=%FF&nonsense=1":          "0",
		} {
			var list struct {
				Count   int
				Results []struct{ Email string }
			}
			c.Do("GET", "/v1/users"+query, nil).WantStatus(200).Decode(&list)
			got := fmt.Sprint(list.Count)
			for _, u := range list.Results {
				got += " " + u.Email[:2]
			}
			if got != want {
				t.Errorf("%s: %s, want %s", query, got, want)
			}
		}
		c.Do("GET", "/v1/users?unique_id=a%00&email=%00", nil).Want(400,
			`{"unique_id": ["Null characters are not allowed."], "email": ["Null characters are not allowed."]}`)
	})
}

// TestInsuredUsers follows the examples of the insurance document.
func TestInsuredUsers(t *testing.T) {
	eachParty(t, merchant.Insurance, func(t *testing.T, c *apitest.Client) {
		const shown = `{
			"id": "user-mECT3e5n9i7gVGrbn2Pd38", "email": "johnny@hokodo.co", "unique_id": "", "has_password": false,
			"name": "John", "phone": "", "registered": "2017-06-01T14:37:12Z",
			"organisations": [{"id": "org-FEjrdMsmhdNp34HxaZ6n63", "role": "member"}]}`
		c.Do("POST", "/v1/users", nil).Want(400, `{"email": ["This field is required."], "name": ["This field is required."],
			"registered": ["This field is required."], "organisations": ["This field is required."]}`)
		givenUser(t, c)
		c.Do("GET", "/v1/users/"+exampleUser, nil).Want(200, shown)
		c.Do("GET", "/v1/users", nil).Want(200, `{"count": 1, "next": null, "previous": null, "results": [`+shown+`]}`)
		for _, organisations := range []string{`[]`, `"x"`, `[{"id": "` + exampleUserOrg + `", "role": "admin"}]`} {
			c.Do("POST", "/v1/users", `{"email": "johnny@hokodo.co", "organisations": `+organisations+`}`).
				Want(400, `{"organisations": ["You can't set this field for an existing user."]}`)
		}
		c.Do("POST", "/v1/users", `{"email": "Johnny@hokodo.co"}`).Want(200, shown)
		c.Do("PATCH", "/v1/users/"+exampleUser, `{"organisations": [{"id": "`+exampleUserOrg+`", "role": "admin"}]}`).Want(200, shown)
	})
}

// TestLegacyUsers follows the examples of the insurance document.
func TestLegacyUsers(t *testing.T) {
	eachParty(t, merchant.InsuranceLegacy, func(t *testing.T, c *apitest.Client) {
		const required = `{"email": ["This field is required."], "name": ["This field is required."], "registered": ["This field is required."]}`
		c.Do("POST", "/v1/users", `{}`).Want(400, required)
		shown := `{
			"id": "user-mECT3e5n9i7gVGrbn2Pd38", "email": "johnny@hokodo.co", "unique_id": "", "has_password": false,
			"name": "John", "phone": "", "registered": "2017-06-01T14:37:12Z", "country": "GB", "company": null,
			"company_address": "", "company_country": "GB", "company_name": "Hokodo Ltd", "company_regnum": ""}`
		c.Do("POST", "/v1/users", `{"name": "John", "email": "johnny@hokodo.co", "company_name": "Hokodo Ltd",
			"company_country": "GB", "registered": "2017-06-01T14:37:12Z", "client_type": "free"}`).Want(201, shown)
		c.Do("GET", "/v1/users/"+exampleUser, nil).Want(200, shown)
		c.Do("GET", "/v1/users", nil).Want(200, `{"count": 1, "next": null, "previous": null, "results": [`+shown+`]}`)
		c.Do("POST", "/v1/users", `{"email": "johnny@hokodo.co", "company": "`+exampleCompany+`", "company_regnum": "11215527",
			"country": "France", "organisations": [{}]}`).Want(200, `{
			"id": "user-mECT3e5n9i7gVGrbn2Pd38", "email": "johnny@hokodo.co", "unique_id": "", "has_password": false,
			"name": "John", "phone": "", "registered": "2017-06-01T14:37:12Z", "country": "FR", "company": "`+exampleCompany+`",
			"company_address": "", "company_country": "GB", "company_name": "Hokodo Ltd", "company_regnum": "11215527"}`)
		c.Do("PATCH", "/v1/users/"+exampleUser, `{"company": null, "country": "GB", "company_regnum": ""}`).Want(200, shown)
		c.Do("PATCH", "/v1/users/"+exampleUser, `{"country": "Nowhere", "company": "co-x"}`).Want(400,
			`{"country": ["\"Nowhere\" is not a valid choice."], "company": ["Invalid pk \"co-x\" - object does not exist."]}`)
	})
}
