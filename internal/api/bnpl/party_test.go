package bnpl

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"tradecredit/internal/api"
	"tradecredit/internal/api/apitest"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/event"
	"tradecredit/internal/id"
	"tradecredit/internal/merchant"
	"tradecredit/internal/party"
)

// Identifiers of the documents' examples.
const (
	exampleCompany = "co-bqRyKAGaFrEEN8JMjWJiqk"
	exampleOrg     = "org-pHr6VCyzQJALUsePkatPBo"
	exampleUserOrg = "org-FEjrdMsmhdNp34HxaZ6n63"
	exampleUser    = "user-mECT3e5n9i7gVGrbn2Pd38"
	nobody         = "user-mECT3e5n9i7gVGrbn2Pd39"
	noOrganisation = "org-mECT3e5n9i7gVGrbn2Pd39"
)

// partyServer serves parties alone. The one company that exists is that of the
// examples; sole traders are looked up behind it.
func partyServer(t *testing.T, d *db.DB, a *API) *apitest.Server {
	t.Helper()
	if a.Parties == nil {
		a.Parties = &party.Service{}
	}
	return apitest.New(t, d, func(c *api.Config) {
		c.Routes = a.partyRoutes()
		c.References = api.References{id.User: a.Parties.UserExists, id.Organisation: a.Parties.OrganisationExists}
		c.References[id.Company] = func(ctx context.Context, tx *db.Tx, merchantID, companyID string) (bool, error) {
			if companyID == exampleCompany {
				return true, nil
			}
			_, found, err := party.SoleTraderCompany(ctx, tx, merchantID, companyID)
			return found, err
		}
		c.Taken = a.partyTaken()
	})
}

// eachParty runs a test on both engines with a merchant of a profile.
func eachParty(t *testing.T, profile merchant.Profile, test func(t *testing.T, c *apitest.Client)) {
	t.Helper()
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		test(t, partyServer(t, d, &API{}).Merchant(profile))
	})
}

// givenUser creates a user and an organisation they belong to, under the names
// that the examples of users have for them.
func givenUser(t *testing.T, c *apitest.Client) {
	t.Helper()
	org := c.Do("POST", "/v1/organisations", `{"unique_id": "o1", "registered": "2017-06-01T14:37:12Z"}`).WantStatus(201)
	c.Bind(exampleUserOrg, org.ID())
	user := c.Do("POST", "/v1/users", `{
		"name": "John", "email": "johnny@hokodo.co", "registered": "2017-06-01T14:37:12Z",
		"organisations": [{"id": "`+exampleUserOrg+`", "role": "member"}]}`).WantStatus(201)
	c.Bind(exampleUser, user.ID())
}

// partyEvents are the types of what happened to a merchant, in order.
func partyEvents(t *testing.T, d *db.DB, c *apitest.Client) []string {
	t.Helper()
	ctx := context.Background()
	var types []string
	err := d.Write(ctx, func(tx *db.Tx) error {
		if _, err := event.Chain(ctx, tx, c.Merchant.ID, 1000); err != nil {
			return err
		}
		all, err := event.Feed(ctx, tx, c.Merchant.ID, 0, 1000)
		types = nil
		for _, e := range all {
			types = append(types, e.Type)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return types
}

// TestSimultaneousUpserts posts the same objects from many sides at once: there
// is one object, made by one request, and every grant is there.
func TestSimultaneousUpserts(t *testing.T) {
	t.Parallel()
	const many = 32
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := partyServer(t, d, &API{}).Merchant(merchant.BNPL)
		orgs := make([]string, many)
		for i := range orgs {
			orgs[i] = c.Do("POST", "/v1/organisations",
				fmt.Sprintf(`{"unique_id": "o%d", "registered": "2020-01-01"}`, i)).WantStatus(201).ID()
		}
		same := func(path string, body func(i int) string) []string {
			ids, created := make([]string, many), 0
			var mu sync.Mutex
			var wg sync.WaitGroup
			for i := range many {
				wg.Add(1)
				go func() {
					defer wg.Done()
					r := c.Do("POST", path, body(i))
					mu.Lock()
					defer mu.Unlock()
					if r.Status == http.StatusCreated {
						created++
					} else if r.Status != http.StatusOK {
						t.Errorf("%s: %d %s", path, r.Status, r.Body)
						return
					}
					ids[i] = r.ID()
				}()
			}
			wg.Wait()
			if created != 1 {
				t.Errorf("%s: created %d times", path, created)
			}
			return ids
		}
		for _, got := range [][]string{
			same("/v1/organisations", func(int) string { return `{"unique_id": "same", "registered": "2020-01-01"}` }),
			same("/v1/users", func(i int) string {
				return fmt.Sprintf(`{"email": "same@example.com", "name": "S", "registered": "2020-01-01",
					"organisations": [{"id": %q, "role": "member"}]}`, orgs[i])
			}),
		} {
			for _, one := range got {
				if one != got[0] {
					t.Fatalf("two objects: %s and %s", one, got[0])
				}
			}
			if id.Has(id.User, got[0]) {
				var list struct{ Count int }
				c.Do("GET", "/v1/users/"+got[0]+"/organisations", nil).Decode(&list)
				if list.Count != many {
					t.Errorf("%d of %d memberships", list.Count, many)
				}
			}
		}
	})
}

// TestSimultaneousSoleTraders posts one identifier from many sides: one request
// wins, the others are refused as the document says.
func TestSimultaneousSoleTraders(t *testing.T) {
	eachParty(t, merchant.BNPL, func(t *testing.T, c *apitest.Client) {
		givenUser(t, c)
		var wg sync.WaitGroup
		var mu sync.Mutex
		statuses := map[int]int{}
		for range 16 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				r := c.Do("POST", "/v1/soletraders", exampleSoleTrader)
				mu.Lock()
				defer mu.Unlock()
				statuses[r.Status]++
				if r.Status != 201 && string(r.Body) != `{"unique_id":["sole trader with this Unique identifier on platform already exists."]}` {
					t.Errorf("%d %s", r.Status, r.Body)
				}
			}()
		}
		wg.Wait()
		if statuses[201] != 1 || statuses[400] != 15 {
			t.Errorf("%v", statuses)
		}
	})
}

// TestSimultaneousDeletions lets users join organisations while both are being
// deleted: nobody is told of a fault of ours, and no membership outlives a side.
func TestSimultaneousDeletions(t *testing.T) {
	eachParty(t, merchant.BNPL, func(t *testing.T, c *apitest.Client) {
		const many = 6
		users, orgs := make([]string, many), make([]string, many)
		for i := range many {
			orgs[i] = c.Do("POST", "/v1/organisations",
				fmt.Sprintf(`{"unique_id": "o%d", "registered": "2020-01-01"}`, i)).WantStatus(201).ID()
			users[i] = c.Do("POST", "/v1/users",
				fmt.Sprintf(`{"email": "u%d@b.co", "name": "U", "registered": "2020-01-01"}`, i)).WantStatus(201).ID()
		}
		var wg sync.WaitGroup
		send := func(method, path, body string) {
			wg.Add(1)
			go func() {
				defer wg.Done()
				if r := c.Do(method, path, body); r.Status >= 500 {
					t.Errorf("%s %s: %d %s", method, path, r.Status, r.Body)
				}
			}()
		}
		for i := range many {
			for j := range many {
				send("POST", "/v1/users", fmt.Sprintf(
					`{"email": "u%d@b.co", "name": "U", "registered": "2020-01-01", "organisations": [{"id": %q, "role": "member"}]}`, i, orgs[j]))
				send("POST", "/v1/organisations/"+orgs[j]+"/users", fmt.Sprintf(`{"id": %q, "role": "admin"}`, users[i]))
			}
			if i%2 == 0 {
				send("DELETE", "/v1/users/"+users[i], "")
				send("DELETE", "/v1/organisations/"+orgs[i], "")
			}
		}
		wg.Wait()
		var left struct {
			Results []struct {
				ID            string
				Organisations []struct{ ID string }
			}
		}
		c.Do("GET", "/v1/users", nil).Decode(&left)
		for _, u := range left.Results {
			for _, o := range u.Organisations {
				c.Do("GET", "/v1/organisations/"+o.ID+"/users/"+u.ID, nil).WantStatus(200)
				c.Do("GET", "/v1/organisations/"+o.ID, nil).WantStatus(200)
			}
		}
	})
}

// TestOtherMerchants tells that another merchant's objects do not exist.
func TestOtherMerchants(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := partyServer(t, d, &API{})
		theirs, mine := s.Merchant(merchant.BNPL), s.Merchant(merchant.BNPL)
		givenUser(t, theirs)
		trader := theirs.Do("POST", "/v1/soletraders", exampleSoleTrader).WantStatus(201)
		user := theirs.Do("GET", "/v1/users?email=johnny@hokodo.co", nil)
		var list struct {
			Results []struct {
				ID            string
				Organisations []struct{ ID string }
			}
		}
		user.Decode(&list)
		userID, orgID := list.Results[0].ID, list.Results[0].Organisations[0].ID

		givenUser(t, mine)
		ours := "/v1/organisations/" + exampleUserOrg + "/users"
		for _, path := range []string{
			"/v1/users/" + userID, "/v1/organisations/" + orgID, "/v1/soletraders/" + trader.ID(),
			"/v1/soletraders/" + trader.Text("soletrader_id"), ours + "/" + userID,
			"/v1/users/" + userID + "/organisations/" + orgID,
		} {
			for _, method := range []string{"GET", "PATCH"} {
				mine.Do(method, path, nil).Want(404, `{"detail": "Not found."}`)
			}
		}
		for _, path := range []string{"/v1/users/" + userID + "/organisations", "/v1/organisations/" + orgID + "/users"} {
			mine.Do("GET", path, nil).Want(404, `{"detail": "Not found."}`)
			mine.Do("POST", path, `{}`).Want(404, `{"detail": "Not found."}`)
		}
		mine.Do("POST", ours, `{"id": "`+userID+`", "role": "admin"}`).
			Want(400, `{"id": ["Invalid pk \"`+userID+`\" - object does not exist."]}`)
		mine.Do("POST", "/v1/organisations", `{"unique_id": "x", "registered": "2020-01-01", "company": "`+trader.ID()+`"}`).
			Want(400, `{"company": ["Invalid pk \"`+trader.ID()+`\" - object does not exist."]}`)
		mine.Do("DELETE", "/v1/users/"+userID, nil).Want(404, `{"detail": "Not found."}`)
		mine.Do("DELETE", "/v1/organisations/"+orgID, nil).Want(404, `{"detail": "Not found."}`)
		// The same address and the same identifiers are free for every merchant.
		mine.Do("POST", "/v1/soletraders", exampleSoleTrader).WantStatus(201)
	})
}

func TestPartyEvents(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := partyServer(t, d, &API{}).Merchant(merchant.BNPL)
		givenUser(t, c)
		user, org := "/v1/users/"+exampleUser, "/v1/organisations/"+exampleUserOrg
		c.Do("PATCH", user, `{"name": "Johnny"}`).WantStatus(200)
		c.Do("PATCH", user, `{"name": "Johnny"}`).WantStatus(200) // nothing happens
		c.Do("PATCH", org, `{"name": "Team"}`).WantStatus(200)
		c.Do("PATCH", org+"/users/"+exampleUser, `{"role": "admin"}`).WantStatus(200)
		c.Do("DELETE", org+"/users/"+exampleUser, nil).WantStatus(204)
		c.Do("DELETE", org, nil).WantStatus(204)
		trader := c.Do("POST", "/v1/soletraders", exampleSoleTrader).WantStatus(201)
		c.Do("PATCH", "/v1/soletraders/"+trader.ID(), `{"vat_number": "1"}`).WantStatus(200)
		other := c.Do("POST", "/v1/users", `{"email": "a@b.co", "name": "A", "registered": "2020-01-01"}`).WantStatus(201)
		c.Do("DELETE", "/v1/users/"+other.ID(), nil).WantStatus(204)
		want := []string{
			"organisation.created", "membership.created", "user.created", "user.updated", "organisation.updated",
			"membership.updated", "membership.deleted", "organisation.deleted", "soletrader.created",
			"soletrader.updated", "user.created", "user.deleted",
		}
		if got := fmt.Sprint(partyEvents(t, d, c)); got != fmt.Sprint(want) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

// TestReplay sends requests again under their key.
func TestReplay(t *testing.T) {
	eachParty(t, merchant.BNPL, func(t *testing.T, c *apitest.Client) {
		keyed := c.With("Idempotency-Key", "33871f6b-ff2f-4de3-9e10-ff42ef7af553")
		body := `{"unique_id": "o1", "registered": "2020-01-01"}`
		first := keyed.Do("POST", "/v1/organisations", body).WantStatus(201)
		again := keyed.Do("POST", "/v1/organisations", `{"registered": "2020-01-01", "unique_id": "o1"}`).WantStatus(201)
		if string(again.Body) != string(first.Body) || again.Header.Get("Idempotency-Replayed") != "true" {
			t.Errorf("%s after %s, headers %v", again.Body, first.Body, again.Header)
		}
		keyed.Do("POST", "/v1/organisations", `{"unique_id": "o2", "registered": "2020-01-01"}`).WantStatus(400)
	})
}

// TestDeletionIsRefused asks the questions that other parts of the house answer.
func TestDeletionIsRefused(t *testing.T) {
	t.Parallel()
	yes := func(context.Context, *db.Tx, string, string) (bool, error) { return true, nil }
	broken := func(context.Context, *db.Tx, string, string) (bool, error) { return false, errors.New("broken") }
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		parties := &party.Service{HasPayments: yes, HasOrders: yes}
		c := partyServer(t, d, &API{Parties: parties}).Merchant(merchant.BNPL)
		givenUser(t, c)
		user, org := "/v1/users/"+exampleUser, "/v1/organisations/"+exampleUserOrg
		c.Do("DELETE", org, nil).Want(409, `{"detail": "Organisation has undeletable objects attached, it cannot be deleted."}`)
		c.Do("DELETE", user, nil).Want(409, `{"detail": "User has undeletable objects attached, it cannot be deleted."}`)
		c.Do("GET", org+"/users/"+exampleUser, nil).WantStatus(200)
		parties.HasPayments, parties.HasOrders = broken, nil
		c.Do("DELETE", org, nil).Want(500, `{"error": "Server Error (500)"}`)
		c.Do("POST", "/v1/soletraders", exampleSoleTrader).WantStatus(201)
		c.Do("DELETE", user, nil).Want(409, `{"detail": "User has undeletable objects attached, it cannot be deleted."}`)
	})
}
