package bnpl

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"tradecredit/internal/api/apitest"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/merchant"
	"tradecredit/internal/party"
)

// TestOrganisationExamples follows the examples of the document.
func TestOrganisationExamples(t *testing.T) {
	eachParty(t, merchant.BNPL, func(t *testing.T, c *apitest.Client) {
		const body = `{
			"unique_id": "c105b862-f1ba-4197-9d97-57db63196b00",
			"registered": "2017-06-01T14:37:12Z",
			"name": "My organisation",
			"company": "co-bqRyKAGaFrEEN8JMjWJiqk"
		}`
		const shown = `{
			"id": "org-pHr6VCyzQJALUsePkatPBo",
			"unique_id": "c105b862-f1ba-4197-9d97-57db63196b00",
			"registered": "2017-06-01T14:37:12Z",
			"name": "My organisation",
			"company": "co-bqRyKAGaFrEEN8JMjWJiqk",
			"users": []
		}`
		first := c.Do("POST", "/v1/organisations", body).Want(201, shown)
		if first.Header.Get("Location") != "" {
			t.Error("an organisation has no url, so its creation has no Location")
		}
		c.Do("POST", "/v1/organisations/", body).Want(200, shown)
		c.Do("GET", "/v1/organisations", nil).Want(200, `{"count": 1, "next": null, "previous": null, "results": [`+shown+`]}`)
		c.Do("GET", "/v1/organisations/"+exampleOrg, nil).Want(200, shown)
		c.Do("PATCH", "/v1/organisations/"+exampleOrg, `{
			"unique_id": "c105b862-f1ba-4197-9d97-57db63196b01",
			"registered": "2018-06-01T14:37:12Z",
			"company": "co-bqRyKAGaFrEEN8JMjWJiqk"
		}`).Want(200, `{
			"id": "org-pHr6VCyzQJALUsePkatPBo",
			"unique_id": "c105b862-f1ba-4197-9d97-57db63196b01",
			"registered": "2018-06-01T14:37:12Z",
			"name": "My organisation",
			"company": "co-bqRyKAGaFrEEN8JMjWJiqk",
			"users": []
		}`)
		c.Do("DELETE", "/v1/organisations/"+exampleOrg, nil).Want(204, "")
		for _, method := range []string{"GET", "PATCH", "DELETE"} {
			c.Do(method, "/v1/organisations/"+exampleOrg, nil).Want(404, `{"detail": "Not found."}`)
		}
	})
}

func TestOrganisationUpsertAndErrors(t *testing.T) {
	eachParty(t, merchant.BNPL, func(t *testing.T, c *apitest.Client) {
		c.Do("POST", "/v1/organisations", nil).Want(400,
			`{"unique_id": ["This field is required."], "registered": ["This field is required."]}`)
		c.Do("POST", "/v1/organisations", `{"unique_id": "", "registered": null, "company": "nothing", "name": true}`).Want(400, `{
			"unique_id": ["This field may not be blank."], "registered": ["This field may not be null."],
			"name": ["Not a valid string."], "company": ["Bad prefix. Expected a UUID prefixed by \"co\", but got nothing."]}`)
		c.Do("POST", "/v1/organisations", `{"unique_id": 17, "registered": "2020-01-01", "company": "", "plan_type": "free"}`).Want(201, `{
			"id": "`+exampleOrg+`", "unique_id": "17", "registered": "2020-01-01T00:00:00Z", "name": "", "company": null, "users": []}`)
		c.Do("POST", "/v1/organisations", `{"unique_id": " 17 ", "company": "`+exampleCompany+`"}`).Want(200, `{
			"id": "`+exampleOrg+`", "unique_id": "17", "registered": "2020-01-01T00:00:00Z", "name": "",
			"company": "`+exampleCompany+`", "users": []}`)
		c.Do("POST", "/v1/organisations", `{"unique_id": "18", "registered": "2020-01-01"}`).WantStatus(201)
		c.Do("PATCH", "/v1/organisations/"+exampleOrg, `{"unique_id": "18"}`).Want(400,
			`{"unique_id": ["organisation with this Unique identifier on platform already exists."]}`)
		c.Do("PATCH", "/v1/organisations/"+exampleOrg, `{"unique_id": "17", "company": null}`).Want(200, `{
			"id": "`+exampleOrg+`", "unique_id": "17", "registered": "2020-01-01T00:00:00Z", "name": "", "company": null, "users": []}`)
		c.Do("PATCH", "/v1/organisations/"+noOrganisation, `{"unique_id": ""}`).Want(404, `{"detail": "Not found."}`)
		for query, want := range map[string]string{
			"": "2 18 17", "?unique_id=17": "1 17", "?unique_id=x": "0", "?unique_id=17&offset=1": "1", "?ordering=created": "2 17 18",
		} {
			var list struct {
				Count   int
				Results []struct {
					UniqueID string `json:"unique_id"`
				}
			}
			c.Do("GET", "/v1/organisations"+query, nil).WantStatus(200).Decode(&list)
			got := fmt.Sprint(list.Count)
			for _, o := range list.Results {
				got += " " + o.UniqueID
			}
			if got != want {
				t.Errorf("%s: %s, want %s", query, got, want)
			}
		}
	})
}

// TestMembershipExamples follows the examples of the document from both sides.
func TestMembershipExamples(t *testing.T) {
	t.Parallel()
	sides := map[string]struct {
		parent, child, one, unknown string
	}{
		"organisations of a user": {
			parent: "/v1/users/" + exampleUser + "/organisations", child: exampleOrg, unknown: noOrganisation,
			one: `{"id": "` + exampleOrg + `", "role": "%s"}`,
		},
		"users of an organisation": {
			parent: "/v1/organisations/" + exampleOrg + "/users", child: exampleUser, unknown: nobody,
			one: `{"id": "` + exampleUser + `", "email": "johnny@hokodo.co", "role": "%s"}`,
		},
	}
	for name, s := range sides {
		t.Run(name, func(t *testing.T) {
			eachParty(t, merchant.BNPL, func(t *testing.T, c *apitest.Client) {
				c.Bind(exampleOrg, c.Do("POST", "/v1/organisations", `{"unique_id": "o", "registered": "2020-01-01"}`).WantStatus(201).ID())
				c.Bind(exampleUser, c.Do("POST", "/v1/users",
					`{"email": "johnny@hokodo.co", "name": "J", "registered": "2020-01-01"}`).WantStatus(201).ID())
				item := s.parent + "/" + s.child
				for _, method := range []string{"GET", "PATCH", "DELETE"} {
					c.Do(method, item, nil).Want(404, `{"detail": "Not found."}`)
				}
				admin := `{"id": "` + s.child + `", "role": "admin"}`
				c.Do("POST", s.parent, admin).Want(201, fmt.Sprintf(s.one, "admin"))
				c.Do("POST", s.parent, admin).Want(200, fmt.Sprintf(s.one, "admin"))
				c.Do("POST", s.parent, `{"id": "`+s.child+`", "role": "read-only"}`).Want(200, fmt.Sprintf(s.one, "read-only"))
				c.Do("POST", s.parent, `{"id": "`+s.unknown+`", "role": "reader"}`).Want(400, `{
					"id": ["Invalid pk \"`+s.unknown+`\" - object does not exist."], "role": ["\"reader\" is not a valid choice."]}`)
				c.Do("POST", s.parent, nil).Want(400, `{"id": ["This field is required."], "role": ["This field is required."]}`)
				c.Do("GET", s.parent, nil).Want(200,
					`{"count": 1, "next": null, "previous": null, "results": [`+fmt.Sprintf(s.one, "read-only")+`]}`)
				c.Do("GET", item, nil).Want(200, fmt.Sprintf(s.one, "read-only"))
				c.Do("PATCH", item, `{"role": "member"}`).Want(200, fmt.Sprintf(s.one, "member"))
				c.Do("PATCH", item, `{"role": "reader"}`).Want(400, `{"role": ["\"reader\" is not a valid choice."]}`)
				c.Do("PATCH", item, nil).Want(400, `{"role": ["This field is required."]}`)
				c.Do("GET", "/v1/organisations/"+exampleOrg, nil).Want(200, `{"id": "`+exampleOrg+`", "unique_id": "o",
					"registered": "2020-01-01T00:00:00Z", "name": "", "company": null,
					"users": [{"id": "`+exampleUser+`", "email": "johnny@hokodo.co", "role": "member"}]}`)
				c.Do("DELETE", item, nil).Want(204, "")
				c.Do("DELETE", item, nil).Want(404, `{"detail": "Not found."}`)
				c.Do("GET", s.parent, nil).Want(200, `{"count": 0, "next": null, "previous": null, "results": []}`)
			})
		})
	}
}

// TestInsuredOrganisations follows the examples of the insurance document.
func TestInsuredOrganisations(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		insuredNow := false
		a := &API{Parties: &party.Service{
			Insured: func(_ context.Context, _ *db.Tx, _ string, ids []string) (map[string]bool, error) {
				return map[string]bool{ids[0]: insuredNow}, nil
			},
		}}
		c := partyServer(t, d, a).Merchant(merchant.Insurance)
		const shown = `{"id": "org-pHr6VCyzQJALUsePkatPBo", "unique_id": "c105b862-f1ba-4197-9d97-57db63196b0%d",
			"registered": "201%d-06-01T14:37:12Z", "company": null, "company_name": "%s", "company_regnum": "",
			"company_address": "", "company_postcode": "", "company_city": "", "company_state": "",
			"company_country": "%s", "has_purchased_policy": %t, "users": []}`
		first := fmt.Sprintf(shown, 0, 7, "Test Ltd", "GB", false)
		body := `{"unique_id": "c105b862-f1ba-4197-9d97-57db63196b00", "registered": "2017-06-01T14:37:12Z",
			"company_name": "Test Ltd", "company_country": "GB"}`
		c.Do("POST", "/v1/organisations", body).Want(201, first)
		c.Do("POST", "/v1/organisations", body).Want(200, first)
		c.Do("GET", "/v1/organisations", nil).Want(200, `{"count": 1, "next": null, "previous": null, "results": [`+first+`]}`)
		insuredNow = true
		c.Do("PATCH", "/v1/organisations/"+exampleOrg, `{"unique_id": "c105b862-f1ba-4197-9d97-57db63196b01",
			"registered": "2018-06-01T14:37:12Z", "company_name": "Another Test Ltd", "company_country": "FR"}`).
			Want(200, fmt.Sprintf(shown, 1, 8, "Another Test Ltd", "FR", true))
	})
}

func TestExpandedCompany(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		looked := 0
		a := &API{CompanyObject: func(v View, _ *db.Tx, companyID string) (any, error) {
			looked++
			return map[string]string{"id": companyID, "name": v.Merchant.Name}, nil
		}}
		c := partyServer(t, d, a).Merchant(merchant.BNPL)
		for i := range 3 {
			c.Do("POST", "/v1/organisations?expand=company",
				fmt.Sprintf(`{"unique_id": "%d", "registered": "2020-01-01", "company": %q}`, i, exampleCompany)).WantStatus(201)
		}
		if looked != 0 {
			t.Error("a write expanded something")
		}
		c.Do("GET", "/v1/organisations?expand=company&limit=1", nil).Want(200, `{"count": 3,
			"next": "`+c.URL("/v1/organisations?expand=company&limit=1&offset=1")+`", "previous": null, "results": [
			{"id": "`+exampleOrg+`", "unique_id": "2", "registered": "2020-01-01T00:00:00Z", "name": "",
			"company": {"id": "`+exampleCompany+`", "name": "Shop"}, "users": []}]}`)
		c.Do("GET", "/v1/organisations/"+exampleOrg+"?expand=company", nil).Want(200, `{
			"id": "`+exampleOrg+`", "unique_id": "2", "registered": "2020-01-01T00:00:00Z", "name": "",
			"company": {"id": "`+exampleCompany+`", "name": "Shop"}, "users": []}`)
		looked = 0
		c.Do("GET", "/v1/organisations?expand=company", nil).WantStatus(200)
		if looked != 1 {
			t.Errorf("one company was looked up %d times", looked)
		}
	})
}

func TestEligibilityChecks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var answer any
		a := &API{Eligibility: func(_ context.Context, _ *db.Tx, m merchant.Merchant, companyID, locale string) (string, any, error) {
			if answer == nil {
				return "eligible", nil, nil
			}
			return "declined", map[string]string{"merchant": m.Name, "company": companyID, "locale": locale}, nil
		}}
		c := partyServer(t, d, a).Merchant(merchant.BNPL)
		c.Do("POST", "/v1/organisations", `{"unique_id": "o", "registered": "2020-01-01"}`).Want(201,
			`{"id": "`+exampleOrg+`", "unique_id": "o", "registered": "2020-01-01T00:00:00Z", "name": "", "company": null, "users": []}`)
		path := "/v1/organisations/" + exampleOrg + "/eligibility-checks"
		c.Do("PUT", path, `{"type": "as_creditor"}`).Want(400, `{"company": ["The organisation has no company."]}`)
		c.Do("PATCH", "/v1/organisations/"+exampleOrg, `{"company": "`+exampleCompany+`"}`).WantStatus(200)
		c.Do("PUT", path, `{"type": "as_creditor"}`).Want(200, `{"type": "as_creditor", "organisation": "`+exampleOrg+`",
			"company": "`+exampleCompany+`", "status": "eligible", "rejection_reason": null}`)
		answer = true
		c.With("Accept-Language", "fr").Do("PUT", path+"/", `{"type": "as_creditor"}`).Want(200, `{"type": "as_creditor",
			"organisation": "`+exampleOrg+`", "company": "`+exampleCompany+`", "status": "declined",
			"rejection_reason": {"company": "`+exampleCompany+`", "locale": "fr", "merchant": "Shop"}}`)
		c.Do("PUT", path, `{"type": "as_debtor"}`).Want(400, `{"type": ["\"as_debtor\" is not a valid choice."]}`)
		c.Do("PUT", path, nil).Want(400, `{"type": ["This field is required."]}`)
		c.Do("PUT", "/v1/organisations/"+noOrganisation+"/eligibility-checks", nil).Want(404, `{"detail": "Not found."}`)
		r := c.Do("GET", path, nil).Want(http.StatusMethodNotAllowed, `{"detail": "Method \"GET\" not allowed."}`)
		if r.Header.Get("Allow") != "PUT, OPTIONS" {
			t.Errorf("Allow: %s", r.Header.Get("Allow"))
		}
	})
}
