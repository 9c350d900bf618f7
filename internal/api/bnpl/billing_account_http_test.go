package bnpl_test

import (
	"fmt"
	"strings"
	"testing"

	"tradecredit/internal/api/apitest"
	"tradecredit/internal/app/apptest"
)

const (
	billingPath  = "/v1/payment/billing_accounts"
	exampleBA    = "ba-5SvfKbhh8WsFdCp8p54eie"
	exampleOrg   = "org-cPJRZJJiQ7prk4yHYQY6TK"
	billingStart = "2026-03-02T09:30:00Z"
)

// billingAccount is an account as the document shows it.
func billingAccount(id, active, modified, deactivated, organisations, to, cc, terms string) string {
	return fmt.Sprintf(`{"id": %q, "active": %s, "created": %q, "modified": %q, "deactivated": %s, "organisations": [%s],
		"emails": {"to": [%s], "cc": [%s]}, "payment_terms": %q}`, id, active, billingStart, modified, deactivated, organisations, to, cc, terms)
}

// TestBillingAccountExamples follows the examples of the document.
func TestBillingAccountExamples(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		shop.Bind(exampleOrg, shop.Organisation)
		const body = `{"organisations": ["` + exampleOrg + `"], "emails": {"to": ["invoices@restaurant.com"], "cc": ["secondary@restaurant.com"]}, "payment_terms": "1m"}`
		made := billingAccount(exampleBA, "true", billingStart, "null", `"`+exampleOrg+`"`, `"invoices@restaurant.com"`, `"secondary@restaurant.com"`, "1m")
		shop.Do("POST", billingPath, body).Want(201, made)
		shop.Do("GET", billingPath+"/"+exampleBA, nil).Want(200, made)
		shop.Do("GET", billingPath, nil).Want(200, `{"count": 1, "next": null, "previous": null, "results": [`+made+`]}`)

		// What is wrong is said all at once, the addresses by their place.
		shop.Do("PATCH", "/v1/sandbox/merchant", `{"billing_terms": ["14d", "1m"]}`).WantStatus(200)
		const unknown = "org-Gy4sQUpNddgyLAma3h8WQ3"
		shop.Do("POST", billingPath, `{"organisations": ["`+unknown+`"], "emails": {"to": ["no address"], "cc": []}, "payment_terms": "7d"}`).Want(400, `{
			"organisations": ["Invalid pk \"`+unknown+`\" - object does not exist."],
			"to": {"0": ["Enter a valid email address."]},
			"payment_terms": ["You don't have billing account terms set up for period '7d'"]}`)
		shop.Do("POST", billingPath, `{"organisations": [], "emails": {"to": ["a@b.example", "x"], "cc": ["", 5]}, "payment_terms": "2w"}`).Want(400, `{
			"organisations": ["This list may not be empty."],
			"to": {"1": ["Enter a valid email address."]}, "cc": {"0": ["This field may not be blank."], "1": ["Enter a valid email address."]},
			"payment_terms": ["\"2w\" is not a valid choice."]}`)
		shop.Do("POST", billingPath, nil).Want(400, `{"organisations": ["This field is required."], "emails": ["This field is required."],
			"payment_terms": ["This field is required."]}`)
		shop.Do("POST", billingPath, `{"organisations": ["`+exampleOrg+`"], "emails": {}, "payment_terms": "1m"}`).Want(400,
			`{"to": ["This field is required."], "cc": ["This field is required."]}`)
		shop.Do("POST", billingPath, body).Want(400,
			`{"organisations": ["Organisation \"`+exampleOrg+`\" already belongs to the active billing account \"`+exampleBA+`\"."]}`)
		shop.Do("DELETE", "/v1/organisations/"+shop.Organisation, nil).WantStatus(409)
		s.Clean()
	})
}

// TestBillingAccountChanges: addresses are replaced as a whole, and a deactivated
// account is read-only.
func TestBillingAccountChanges(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		shop.Bind(exampleOrg, shop.Organisation)
		shop.Bind(exampleBA, shop.Do("POST", billingPath, map[string]any{
			"organisations": []string{shop.Organisation, shop.Organisation}, "payment_terms": "1m",
			"emails": map[string]any{"to": []string{"a@restaurant.com"}, "cc": []string{"b@restaurant.com"}},
		}).WantStatus(201).ID())
		const path, org = billingPath + "/" + exampleBA, `"` + exampleOrg + `"`
		shop.Advance(60)
		const later = "2026-03-02T09:31:00Z"
		shop.Do("PATCH", path, `{"emails": {"to": ["a_mail@restaurant.com", "another_mail@restaurant.com"], "cc": []}}`).Want(200,
			billingAccount(exampleBA, "true", later, "null", org, `"a_mail@restaurant.com", "another_mail@restaurant.com"`, "", "1m"))
		shop.Do("PATCH", path, `{"emails": {"to": ["x"]}}`).Want(400, `{"to": {"0": ["Enter a valid email address."]}}`)
		shop.Do("PATCH", path, `{"emails": null}`).Want(400, `{"emails": ["This field may not be null."]}`)
		shop.Do("PATCH", path, `{"active": "perhaps"}`).Want(400, `{"active": ["Must be a valid boolean."]}`)
		// What cannot be changed is ignored, and so is what it is already.
		shop.Do("PATCH", path, `{"active": true, "payment_terms": "7d", "organisations": []}`).Want(200,
			billingAccount(exampleBA, "true", later, "null", org, `"a_mail@restaurant.com", "another_mail@restaurant.com"`, "", "1m"))
		shop.Do("PATCH", path, `{"active": false}`).Want(200,
			billingAccount(exampleBA, "false", later, `"`+later+`"`, org, `"a_mail@restaurant.com", "another_mail@restaurant.com"`, "", "1m"))
		for _, body := range []string{`{"active": false}`, `{"active": true}`, `{"emails": {"to": [], "cc": []}}`, `{"active": 5, "emails": 7}`} {
			shop.Do("PATCH", path, body).Want(409, `{"detail": "Billing account cannot be updated because it has been deactivated (2026-03-02 09:31:00+00:00)"}`)
		}
		shop.Do("PATCH", billingPath+"/ba-XepNnfJe3QQ4wXCfYY4Uq3", `{"active": false}`).Want(404, `{"detail": "Not found."}`)
		shop.Do("GET", billingPath+"/ba-XepNnfJe3QQ4wXCfYY4Uq3", nil).Want(404, `{"detail": "Not found."}`)
		// Its organisations are free for another one.
		shop.Do("POST", billingPath, `{"organisations": ["`+exampleOrg+`"], "emails": {"to": [], "cc": []}, "payment_terms": "7d"}`).WantStatus(201)
		s.Clean()
	})
}

// TestBillingAccountLists: filters, orders and owners.
func TestBillingAccountLists(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		other := s.ShopOf(shop.Client, apptest.Buyer{Email: "joe@buyer.example"})
		names := map[string]string{}
		make := func(name, organisation, terms string) string {
			shop.Advance(60)
			made := shop.Do("POST", billingPath, map[string]any{
				"organisations": []string{organisation}, "payment_terms": terms, "emails": map[string]any{"to": []string{}, "cc": []string{}},
			}).WantStatus(201).ID()
			names[made] = name
			return made
		}
		first := make("first", shop.Organisation, "1m")
		shop.Do("PATCH", billingPath+"/"+first, `{"active": false}`).WantStatus(200)
		second := make("second", shop.Organisation, "7d")
		third := make("third", other.Organisation, "7d")
		shop.Advance(60)
		shop.Do("PATCH", billingPath+"/"+second, `{"emails": {"to": [], "cc": []}}`).WantStatus(200)
		shop.Do("PATCH", billingPath+"/"+third, `{"active": false}`).WantStatus(200)
		list := func(path string) string {
			var l struct {
				Count   int
				Results []struct{ ID string }
			}
			shop.Do("GET", billingPath+path, nil).WantStatus(200).Decode(&l)
			var out []string
			for _, r := range l.Results {
				out = append(out, names[r.ID])
			}
			return fmt.Sprint(l.Count, " ", strings.Join(out, " "))
		}
		company, organisation := "/company/"+shop.Company, "/organisation/"+shop.Organisation
		for path, want := range map[string]string{
			"": "3 third second first", "?ordering=created": "3 first second third", "?ordering=-modified&limit=2": "3 third second",
			"?ordering=modified": "3 first second third", "?ordering=deactivated": "3 first third second", "?ordering=-deactivated": "3 second third first",
			"?ordering=nonsense": "3 third second first", "?active=true": "1 second", "?active=false&ordering=deactivated": "2 first third",
			"?active=perhaps": "3 third second first", "?payment_terms=7d": "2 third second", "?payment_terms=14d": "0 ",
			"?organisation=" + shop.Organisation: "2 second first", "?organisation=" + shop.Organisation + "&active=true": "1 second",
			organisation: "2 second first", organisation + "?ordering=deactivated": "2 first second", organisation + "?payment_terms=1m": "1 first",
			organisation + "?limit=1&offset=1": "2 first", organisation + "?offset=7": "2 ",
			company: "3 third second first", company + "?ordering=-deactivated&active=false": "2 third first", company + "?organisation=" + other.Organisation: "1 third",
		} {
			if got := list(path); got != want {
				t.Errorf("%s: %s, want %s", path, got, want)
			}
		}
		shop.Do("GET", billingPath+"?payment_terms=2w", nil).Want(400,
			`{"payment_terms": ["Select a valid choice. 2w is not one of the available choices."]}`)
		shop.Do("GET", billingPath+"?organisation=org-x", nil).WantStatus(400)
		shop.Do("GET", billingPath+"/organisation/org-Gy4sQUpNddgyLAma3h8WQ3", nil).Want(404, `{"detail": "Not found."}`)
		shop.Do("GET", billingPath+"/company/co-Gy4sQUpNddgyLAma3h8WQ3", nil).Want(404, `{"detail": "Not found."}`)
		stranger := s.Shop(apptest.Buyer{})
		stranger.Do("GET", billingPath, nil).Want(200, `{"count": 0, "next": null, "previous": null, "results": []}`)
		stranger.Do("GET", billingPath+"/"+first, nil).WantStatus(404)
		stranger.Do("GET", billingPath+organisation, nil).WantStatus(404)
		s.Clean()
	})
}

// TestBillingAccountRace: of two accounts for one organisation at once, one is
// made.
func TestBillingAccountRace(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		answers := make(chan *apitest.Response, 6)
		for range cap(answers) {
			go func() {
				answers <- shop.Do("POST", billingPath, map[string]any{
					"organisations": []string{shop.Organisation}, "payment_terms": "7d", "emails": map[string]any{"to": []string{}, "cc": []string{}},
				})
			}()
		}
		made := 0
		for range cap(answers) {
			switch r := <-answers; r.Status {
			case 201:
				made++
			case 400:
			default:
				t.Errorf("%d %s", r.Status, r.Body)
			}
		}
		if made != 1 {
			t.Errorf("%d accounts were made", made)
		}
		s.Clean()
	})
}
