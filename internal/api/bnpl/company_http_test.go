package bnpl_test

import (
	"fmt"
	"strings"
	"testing"

	"tradecredit/internal/app/apptest"
)

func TestCompanySearch(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := s.Merchant("bnpl")
		const path = "/v1/companies/search"
		const unidentified = `{"non_field_errors": ["Not enough information to identify company. Provide at least country and either name or registration number."]}`
		for body, want := range map[string]string{
			``:                                  `{"country": ["This field is required."]}`,
			`{"name": "Hokodo Ltd"}`:            `{"country": ["This field is required."]}`,
			`{"country": "GB"}`:                 unidentified,
			`{"country": "GB", "name": "  "}`:   unidentified,
			`{"country": "GB", "name": null}`:   unidentified,
			`{"country": "GB", "address": "x"}`: unidentified,
			`{"country": "XX", "name": "x"}`:    `{"country": ["\"XX\" is not a valid choice."]}`,
			`{"country": "", "name": "x"}`:      `{"country": ["\"\" is not a valid choice."]}`,
			`{"country": "GB", "name": true}`:   `{"name": ["Not a valid string."]}`,
			`{"country": "GB", "name": "` + strings.Repeat("x", 501) + `"}`: `{"name": ["Ensure this field has no more than 500 characters."]}`,
		} {
			c.Do("POST", path, body).Want(400, want)
		}
		shown := func(name, id, number, day string, sectors string) string {
			return fmt.Sprintf(`"url": "https://api.example/v1/companies/%s", "id": "%s", "country": "GB", "name": %q,
				"address": "35 Kingsland Road, London, E2 8AA", "city": "London", "postcode": "E2 8AA",
				"legal_form": "Private limited with share capital", "sectors": %s, "creation_date": %q,
				"identifiers": [{"idtype": "reg_number", "country": "GB", "value": %q}], "email": "", "phone": "", "status": "Active", "accounts_type": "SMALL"`,
				id, id, name, sectors, day, number)
		}
		const id = "co-EWzoaRqbvsdq8FW7dB6evL"
		hokodo := shown("Hokodo Ltd", id, "11215527", "2018-02-20",
			`[{"system": "SIC2007", "code": "64999"}, {"system": "SIC2007", "code": "62012"}, {"system": "SIC2007", "code": "66220"}]`)
		found := c.Do("POST", path, `{"reg_number": "11215527", "country": "GB"}`).WantStatus(200)
		var first struct{ Matches []struct{ ID string } }
		found.Decode(&first)
		confidence := string(found.Body)[strings.LastIndex(string(found.Body), `"confidence":`):]
		found.Want(200, `{"matches": [{`+hokodo+`, `+confidence)
		c.Do("GET", "/v1/companies/"+id, nil).Want(200, `{`+hokodo+`}`)
		c.Do("GET", "/v1/companies/co-bqRyKAGaFrEEN8JMjWJiqk", nil).Want(404, `{"detail": "Not found."}`)
		c.Do("GET", "/v1/companies/org-bqRyKAGaFrEEN8JMjWJiqk", nil).Want(404, `{"detail": "Not found."}`)
		c.Do("POST", path, `{"name": "No Such Thing At All", "country": "GB"}`).Want(200, `{"matches": []}`)
		c.Do("POST", path, `{"reg_number": "11215527", "country": "FR"}`).Want(200, `{"matches": []}`)

		// By name, however it is written; a country by its code or its name; the
		// answer is the same for everybody.
		anonymous := c.With("Authorization", "")
		for _, body := range []string{
			`{"name": "HOKODO LIMITED", "country": "United Kingdom"}`, `{"name": " hokodo, ltd. ", "country": "gb"}`, `{"name": "Hókodo", "country": "GBR"}`,
		} {
			var got struct {
				Matches []struct {
					ID         string
					Confidence *float64
				}
			}
			anonymous.Do("POST", path, body).WantStatus(200).Decode(&got)
			if len(got.Matches) < 2 || got.Matches[0].ID != first.Matches[0].ID || got.Matches[0].Confidence != nil && (*got.Matches[0].Confidence < 0 || *got.Matches[0].Confidence > 1) {
				t.Errorf("%s: %+v", body, got)
			}
		}
		anonymous.Do("GET", "/v1/companies/"+id, nil).WantStatus(401)
	})
}

func TestCountries(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := s.Merchant("bnpl")
		var list []struct{ Code, Name string }
		debtor := c.Do("GET", "/v1/countries/debtor", nil).WantStatus(200)
		debtor.Decode(&list)
		names := map[string]string{}
		for _, country := range list {
			names[country.Code] = country.Name
		}
		for code, name := range map[string]string{
			"GB": "United Kingdom", "FR": "France", "DE": "Germany", "ES": "Spain", "IT": "Italy", "NL": "Netherlands", "BE": "Belgium", "IE": "Ireland",
		} {
			if names[code] != name {
				t.Errorf("%s is %q", code, names[code])
			}
		}
		for _, who := range []string{"", "Token " + c.Merchant.PublicKey} {
			for _, path := range []string{"/v1/countries/debtor/", "/v1/countries/customer"} {
				c.With("Authorization", who).Do("GET", path, nil).Want(200, string(debtor.Body))
			}
		}
		c.Do("GET", "/v1/countries/seller", nil).WantStatus(404)
	})
}
