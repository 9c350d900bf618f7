package main

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/app/apptest"
	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/fraud"
	"tradecredit/internal/merchant"
)

// TestReviews decides on deferred payments from the command line, beside a program
// that serves.
func TestReviews(t *testing.T) {
	t.Parallel()
	ctx, dir := context.Background(), t.TempDir()
	d, err := db.Open(ctx, db.Options{File: filepath.Join(dir, "tradecredit.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	if err := d.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	s := apptest.Start(t, d, nil)
	shop := s.Shop(apptest.Buyer{Email: "x+dp_fraud_pending_review@buyer.example"})
	at := storage{DataDir: dir, Environment: string(merchant.Sandbox)}
	sys := &system{ctx: ctx, clock: s.Clock, log: quiet()}
	on := func(id string) reviewed { return reviewed{storage: at, DeferredPayment: id} }
	status := func(id string) (status string) {
		var p struct{ Status string }
		shop.Do("GET", apptest.PaymentPath(id), nil).WantStatus(http.StatusOK).Decode(&p)
		return p.Status
	}
	accepted, rejected, asked := shop.Payment(1000), shop.Payment(2000), shop.Payment(3000)
	for _, run := range []error{
		reviewsAcceptCommand{on(accepted)}.Run(sys),
		reviewsRejectCommand{on(rejected)}.Run(sys),
		reviewsAskCommand{on(asked), []string{"identity", "bank_statement"}}.Run(sys),
	} {
		if run != nil {
			t.Error(run)
		}
	}
	got := []string{status(accepted), status(rejected), status(asked)}
	if diff := cmp.Diff([]string{"accepted", "rejected", "customer_action_required"}, got); diff != "" {
		t.Error(diff)
	}
	if err := (reviewsAcceptCommand{on(rejected)}).Run(sys); err == nil || !strings.Contains(err.Error(), "rejected can not become accepted") {
		t.Errorf("accepted after all: %v", err)
	}
	list := reviewsListCommand{storage: at, Limit: 10}
	waiting, err := list.waiting(sys, d, shop.Merchant.ID, string(deferred.StatusCustomerActionRequired))
	if err != nil || len(waiting) != 1 || waiting[0].DeferredPayment != asked || waiting[0].Amount != 3000 {
		t.Fatalf("%+v, %v", waiting, err)
	}
	if diff := cmp.Diff([]string{"identity", "bank_statement"}, waiting[0].Documents); diff != "" {
		t.Error(diff)
	}
	if line := waiting[0].line(); !strings.Contains(line, "asked for identity, bank_statement") {
		t.Error(line)
	}
	s.Clean()
}

// TestReviewsTellWhy shows what fired beside a payment, and explains the decision.
func TestReviewsTellWhy(t *testing.T) {
	t.Parallel()
	ctx, dir := context.Background(), t.TempDir()
	d, err := db.Open(ctx, db.Options{File: filepath.Join(dir, "tradecredit.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	if err := d.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	s := apptest.Start(t, d, nil)
	at, sys := storage{DataDir: dir, Environment: string(merchant.Sandbox)}, &system{ctx: ctx, clock: s.Clock, log: quiet()}
	r, err := fraud.Default(merchant.Production)
	if err != nil {
		t.Fatal(err)
	}
	err = d.Write(ctx, func(tx *db.Tx) error {
		fraud.Load(tx, "", r, fraud.FromOperator, s.Clock.Now())
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	shop := s.Shop(apptest.Buyer{Email: "x@mailinator.com"})
	id := shop.Payment(1000)
	waiting, err := reviewsListCommand{storage: at, Limit: 10}.waiting(sys, d, shop.Merchant.ID, string(deferred.StatusPendingReview))
	if err != nil || len(waiting) != 1 || waiting[0].DeferredPayment != id || waiting[0].Score != 60 || !strings.Contains(waiting[0].line(), "disposable mail") {
		t.Fatalf("%+v, %v", waiting, err)
	}
	for _, run := range []error{
		fraudExplainCommand{storage: at, suspicion: suspicion{Decision: waiting[0].Decision}}.Run(sys),
		fraudExplainCommand{storage: at, suspicion: suspicion{Decision: waiting[0].Decision}, JSON: true}.Run(sys),
		fraudDecisionShowCommand{at, suspicion{Decision: waiting[0].Decision, Merchant: shop.Merchant.ID}}.Run(sys),
		fraudDecisionsListCommand{storage: at, Merchant: shop.Merchant.ID, Limit: 5}.Run(sys),
	} {
		if run != nil {
			t.Error(run)
		}
	}
}
