package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/app"
	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/fraud"
	"tradecredit/internal/merchant"
	"tradecredit/internal/page"
)

// reviewsCommand groups what an operator does with deferred payments that wait for a
// decision.
type reviewsCommand struct {
	List   reviewsListCommand   `cmd:"" help:"List the deferred payments that wait for a decision or for their buyer, with the reasons."`
	Accept reviewsAcceptCommand `cmd:"" help:"Accept a deferred payment."`
	Reject reviewsRejectCommand `cmd:"" help:"Reject a deferred payment for suspected fraud."`
	Ask    reviewsAskCommand    `cmd:"" name:"ask-documents" help:"Ask the buyer for documents."`
}

// review is a deferred payment that waits, as it is shown.
type review struct {
	Merchant        string    `json:"merchant"`
	DeferredPayment string    `json:"deferred_payment"`
	Number          string    `json:"number"`
	Order           string    `json:"order"`
	Organisation    string    `json:"organisation"`
	Company         string    `json:"company"`
	Status          string    `json:"status"`
	Amount          int64     `json:"amount"`
	Currency        string    `json:"currency"`
	Created         time.Time `json:"created"`
	// Decision is the one that led to it; empty when a pattern of the sandbox did.
	Decision  string        `json:"decision,omitempty"`
	Score     int64         `json:"score"`
	List      string        `json:"list,omitempty"`
	Signals   []fraud.Fired `json:"signals"`
	Documents []string      `json:"documents,omitempty"`
}

func (r review) line() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s  %s  %s  %-24s %14s  %s", r.Created.Format("2006-01-02 15:04"), r.DeferredPayment, r.Number, r.Status,
		amount(r.Amount, r.Currency), r.Organisation)
	for _, s := range r.Signals {
		fmt.Fprintf(&out, "\n    %3d  %s%s", s.Points, s.Name, facts(s.Facts))
	}
	if r.List != "" {
		fmt.Fprintf(&out, "\n         on the list %s", r.List)
	}
	if len(r.Documents) > 0 && r.Status == string(deferred.StatusCustomerActionRequired) {
		fmt.Fprintf(&out, "\n         asked for %s", strings.Join(r.Documents, ", "))
	}
	return out.String()
}

type reviewsListCommand struct {
	storage
	Merchant string `help:"Only those of this merchant."`
	Status   string `help:"Only those in this status." enum:",pending_review,customer_action_required" default:""`
	Limit    int    `help:"How many of each merchant and status to show, the oldest first." default:"200"`
	JSON     bool   `help:"Print one JSON object a line."`
}

// Run implements the command.
func (c reviewsListCommand) Run(sys *system) error {
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	statuses := []string{string(deferred.StatusPendingReview), string(deferred.StatusCustomerActionRequired)}
	if c.Status != "" {
		statuses = []string{c.Status}
	}
	return ofMerchants(sys, d, c.Merchant, func(id string) error {
		for _, status := range statuses {
			found, err := c.waiting(sys, d, id, status)
			if err != nil {
				return err
			}
			if err := printEach(found, c.JSON, review.line); err != nil {
				return err
			}
		}
		return nil
	})
}

// waiting are the payments of a merchant in a status, with why.
func (c reviewsListCommand) waiting(sys *system, d *db.DB, merchantID, status string) (out []review, err error) {
	err = d.Read(sys.ctx, func(tx *db.Tx) error {
		p := page.Page{Limit: min(max(c.Limit, 1), maxListed), Oldest: true}
		found, _, err := deferred.List(sys.ctx, tx, merchantID, deferred.Filter{Status: status}, p)
		if err != nil {
			return err
		}
		for _, p := range found {
			r, err := reviewOf(sys.ctx, tx, p)
			if err != nil {
				return err
			}
			out = append(out, r)
		}
		return nil
	})
	return out, err
}

func reviewOf(ctx context.Context, tx *db.Tx, p deferred.Payment) (r review, err error) {
	r = review{
		Merchant: p.MerchantID, DeferredPayment: p.ID, Number: p.Number, Order: p.OrderID, Organisation: p.OrganisationID,
		Company: p.CompanyID, Status: string(p.Status), Amount: p.OrderTotal, Currency: p.Currency, Created: p.Created,
		Signals: []fraud.Fired{},
	}
	if r.Documents, err = fraud.Asked(ctx, tx, p.MerchantID, p.PlanID); err != nil {
		return r, err
	}
	d, err := fraud.OfPlan(ctx, tx, p.MerchantID, p.PlanID)
	if errors.Is(err, db.ErrNoRows) {
		return r, nil
	}
	r.Decision, r.Score, r.List, r.Signals = d.ID, d.Verdict.Score, d.Verdict.List, d.Verdict.Fired
	return r, err
}

// reviewed names a deferred payment to decide on.
type reviewed struct {
	storage
	DeferredPayment string `arg:"" help:"The deferred payment's id, defpay-…"`
	Merchant        string `help:"The merchant whose payment it is; all are searched when it is left out."`
	JSON            bool   `help:"Print JSON."`
}

// decide stores a decision. ask, which may be empty, are documents that the buyer is
// asked for.
func (c reviewed) decide(sys *system, outcome deferred.Status, ask []string) error {
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	owner, err := c.owner(sys, d)
	if err != nil {
		return err
	}
	service, err := app.OpenReviews(sys.ctx, c.storage.config(), d, sys.clock, sys.log)
	if err != nil {
		return err
	}
	var shown review
	err = d.Write(sys.ctx, func(tx *db.Tx) error {
		m, err := merchant.Get(sys.ctx, tx, owner)
		if err != nil {
			return err
		}
		now := m.Now(sys.clock.Now())
		p, err := service.Review(sys.ctx, tx, m, now, c.DeferredPayment, outcome)
		if err != nil {
			return err
		}
		if len(ask) > 0 {
			if err := fraud.Ask(tx, m.ID, p.PlanID, ask, now); err != nil {
				return err
			}
		}
		shown, err = reviewOf(sys.ctx, tx, p)
		return err
	})
	var refused *apierr.Error
	if errors.As(err, &refused) {
		text, _ := json.Marshal(refused.Body)
		return fmt.Errorf("%s is not decided upon: %s", c.DeferredPayment, text)
	}
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(shown)
	}
	fmt.Printf("%s is %s\n", shown.DeferredPayment, shown.Status)
	return nil
}

// owner finds the merchant of the payment.
func (c reviewed) owner(sys *system, d *db.DB) (owner string, err error) {
	err = ofMerchants(sys, d, c.Merchant, func(id string) error {
		if owner != "" {
			return nil
		}
		return d.Read(sys.ctx, func(tx *db.Tx) error {
			_, err := deferred.Get(sys.ctx, tx, id, c.DeferredPayment)
			if err == nil {
				owner = id
			}
			if errors.Is(err, db.ErrNoRows) {
				err = nil
			}
			return err
		})
	})
	if err == nil && owner == "" {
		err = fmt.Errorf("there is no deferred payment %s", c.DeferredPayment)
	}
	return owner, err
}

type reviewsAcceptCommand struct{ reviewed }

// Run implements the command.
func (c reviewsAcceptCommand) Run(sys *system) error {
	return c.decide(sys, deferred.StatusAccepted, nil)
}

type reviewsRejectCommand struct{ reviewed }

// Run implements the command.
func (c reviewsRejectCommand) Run(sys *system) error {
	return c.decide(sys, deferred.StatusRejected, nil)
}

type reviewsAskCommand struct {
	reviewed
	Kinds []string `name:"kind" help:"What to ask for; may be given more than once." enum:"identity,bank_statement,other" default:"identity"`
}

// Run implements the command.
func (c reviewsAskCommand) Run(sys *system) error {
	return c.decide(sys, deferred.StatusCustomerActionRequired, c.Kinds)
}
