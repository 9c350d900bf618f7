package app_test

import (
	"context"
	"testing"

	"tradecredit/internal/app/apptest"
	"tradecredit/internal/db"
	"tradecredit/internal/underwriting"
)

// records are the decisions of a shop's merchant, the newest first.
func records(t *testing.T, shop *apptest.Shop) (out []underwriting.Record) {
	t.Helper()
	ctx := context.Background()
	err := shop.Server.DB.Read(ctx, func(tx *db.Tx) (err error) {
		out, err = underwriting.Records(ctx, tx, shop.Merchant.ID, "", 100)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestDecisionsOfAPurchase follows a purchase: the offer is decided once for all
// plans, the acceptance again, and both are kept.
func TestDecisionsOfAPurchase(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		offer := shop.Offer(shop.Order(10_000))
		shop.Accept(offer.Plans[0].ID, "invoice").WantStatus(201)
		found := records(t, shop)
		if len(found) != 2 {
			t.Fatalf("%d records", len(found))
		}
		for _, r := range found {
			plans, plan := len(offer.Plans), ""
			if r.Kind == underwriting.KindReview {
				plans, plan = 1, offer.Plans[0].ID
			}
			if r.Order != offer.Order || r.Offer != offer.ID || r.Plan != plan || r.Company != shop.Company || r.Outcome != "offered" ||
				r.Amount != 10_000 || r.Limit != 10_000_000 || len(r.Case.Plans) != plans || r.Case.Facts["company.division"] != "64" {
				t.Errorf("%+v", r)
			}
		}
	})
}

// TestALoadedPolicyDecides: the next offer is made by it, plan by plan, in the
// buyer's language.
func TestALoadedPolicyDecides(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		p, err := underwriting.ParsePolicy("short.yaml", []byte(`
name: short
version: 1
limits: {default: 1000, rules: [{name: set, when: company.has_limit, limit: company.limit}]}
rules:
  - code: buyer-high-risk-long-term
    applies_to: plan
    when: plan.due_in_days > 30
    params: {max_term: "'30 days'"}
`))
		if err != nil {
			t.Fatal(err)
		}
		err = s.DB.Write(context.Background(), func(tx *db.Tx) error {
			underwriting.Load(tx, shop.Merchant.ID, p, underwriting.FromOperator, s.Clock.Now())
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		body := shop.OfferBody(shop.Order(10_000))
		body["locale"] = "fr-FR"
		var offer apptest.Offer
		shop.Do("POST", "/v1/payment/offers", body).WantStatus(201).Decode(&offer)
		for _, plan := range offer.Plans {
			declined := plan.Name == "60d" || plan.Name == "4xEOM"
			if declined != (plan.Status == "declined") || declined != (plan.Rejection != nil) {
				t.Errorf("%s is %s", plan.Name, plan.Status)
			}
			const said = "Nous ne pouvons pas assurer cette durée en raison du profil de risque élevé de l'acheteur. Nous pouvons assurer des durées allant jusqu'à 30 jours."
			if declined && (plan.Rejection.Detail != said || plan.Rejection.Params["max_term"] != "30 days") {
				t.Errorf("%+v", plan.Rejection)
			}
		}
		if r := records(t, shop)[0]; r.Policy != p.Hash || r.Outcome != "offered" || len(r.Results.Found) != 2 {
			t.Errorf("%+v", r)
		}
		other := s.Shop(apptest.Buyer{Email: "joe@buyer.example"})
		for _, plan := range other.Offer(other.Order(10_000)).Plans {
			if plan.Status != "offered" {
				t.Errorf("of another merchant %s is %s", plan.Name, plan.Status)
			}
		}
	})
}

// TestMarkedCompanies: what the sandbox declines it declines with the sentence
// that belongs to it.
func TestMarkedCompanies(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{Company: "Buyer-Accounts-Too-Old Ltd"})
		offer := shop.Offer(shop.Order(10_000))
		for _, plan := range offer.Plans {
			if plan.Status != "declined" || plan.Rejection.Code != "buyer-accounts-too-old" || plan.Rejection.Params["MAX_AGE_LATEST_FINANCIALS"] != "730" {
				t.Errorf("%+v", plan.Rejection)
			}
		}
		if r := records(t, shop)[0]; r.Reason != "buyer-accounts-too-old" || r.Case.Rejection == nil {
			t.Errorf("%+v", r)
		}
	})
}
