package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"tradecredit/internal/api"
	"tradecredit/internal/apierr"
	"tradecredit/internal/bankfile"
	"tradecredit/internal/billing"
	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/deferred"
	"tradecredit/internal/job"
	"tradecredit/internal/mail"
	"tradecredit/internal/merchant"
	"tradecredit/internal/money"
	"tradecredit/internal/payout"
	"tradecredit/internal/processor"
	"tradecredit/internal/repayment"
)

// StripeConfig is the account at Stripe; without a key there is none.
type StripeConfig struct {
	Key string
	// URL is that of Stripe when it is empty, WebhookSecret that of the endpoint
	// /v1/processor/stripe/webhook.
	URL, WebhookSecret string
}

// repayments wires how buyers pay to the deferred payments that they pay.
func (a *App) repayments(s *services) error {
	s.repayments = &repayment.Service{
		Deferred: s.deferred, Clock: a.clock, File: a.config.DebitFiles,
		Account: a.lenderAccount, Statement: a.statement(s), Payout: paidOut,
	}
	switch {
	case a.config.Stripe.Key != "":
		stripe, err := processor.NewStripe(processor.StripeConfig{Key: a.config.Stripe.Key, BaseURL: a.config.Stripe.URL})
		if err != nil {
			return err
		}
		s.repayments.Processor = stripe
	case a.config.Environment == merchant.Sandbox:
		// It decides by the card number alone, so that moving a clock waits for nobody.
		s.repayments.Processor, s.repayments.Immediate = processor.NewSandbox(time.Millisecond), true
	}
	letters := &repayment.Letters{
		Mail: s.mailer, Lender: a.lender().Name, HelpEmail: a.config.Lender.HelpEmail, Account: a.lenderAccount,
	}
	if a.config.PublicURL != "" || a.config.Listen != "" {
		letters.Link = func(planID string) string {
			return a.config.Public() + "/plans/" + planID + "?key=" + s.links.Sign(planID)
		}
	}
	s.repayments.Remind, s.repayments.Notify = letters.Remind, letters.Notify
	a.followers = append(a.followers, s.repayments.Follow)
	s.deferred.Decided = s.repayments.Decided
	s.deferred.Entered = func(ctx context.Context, tx *db.Tx, m merchant.Merchant, p deferred.Payment, now time.Time) error {
		return s.repayments.Entered(ctx, tx, m, p, now)
	}
	s.repayments.Register(a.Queue, a.DB)
	return nil
}

// Collections returns what an operator's commands need to do with repayments. The
// mails that follow from it are left to the server to send.
func Collections(ctx context.Context, c Config, d *db.DB, k clock.Clock, log *slog.Logger) (*repayment.Service, error) {
	if c.Environment == merchant.Production {
		c.SMTP = &mail.SMTP{Host: "localhost", Port: 25, From: "tradecredit@localhost", TLS: "none"}
	}
	a := &App{DB: d, config: c, clock: k, log: log, Queue: job.New(d, k, log)}
	s, err := a.services(ctx)
	if err != nil {
		return nil, err
	}
	return s.repayments, nil
}

// lenderAccount is the lender's account in a currency: the one that an operator has
// set, or that of the configuration.
func (a *App) lenderAccount(ctx context.Context, tx *db.Tx, currency string) (bankfile.Account, error) {
	found, err := payout.LenderAccount(ctx, tx, currency)
	if err == nil || !errors.Is(err, db.ErrNoRows) {
		return found.Account, err
	}
	b := a.bankAccount()
	if b.IBAN == "" && b.AccountNumber == "" {
		return b, db.ErrNoRows
	}
	return b, nil
}

// statement finds out what a transfer pays that names a statement.
func (a *App) statement(s *services) func(context.Context, *db.Tx, repayment.Item) ([]repayment.Share, error) {
	return func(ctx context.Context, tx *db.Tx, item repayment.Item) ([]repayment.Share, error) {
		if s.bnpl == nil || s.bnpl.Billing == nil {
			return nil, nil
		}
		found, err := billing.FindByReference(ctx, tx, item.Text+" "+item.EndToEndID)
		if err != nil || len(found) != 1 || found[0].Currency != item.Currency || found[0].Status == billing.StatusOpen {
			return nil, err
		}
		m, err := merchant.Get(ctx, tx, found[0].MerchantID)
		if err != nil {
			return nil, err
		}
		parts, _, err := s.bnpl.Billing.Spread(ctx, tx, m, found[0].ID, item.Amount)
		var out []repayment.Share
		for _, p := range parts {
			out = append(out, repayment.Share{MerchantID: m.ID, PaymentID: p.DeferredPaymentID, Amount: p.Amount})
		}
		return out, err
	}
}

// paidOut books a payment on the lender's account that is a payout, or one that
// came back.
func paidOut(ctx context.Context, tx *db.Tx, item repayment.Item, now time.Time) (bool, error) {
	r := payout.Report{
		Reference: item.EndToEndID, State: payout.Paid, Amount: money.Amount{Minor: item.Amount, Currency: item.Currency},
	}
	if item.Credit {
		r.State, r.Reason = payout.Returned, item.Code+" "+item.Reason
	}
	done, err := (&payout.Service{}).Apply(ctx, tx, []payout.Report{r}, now)
	return err == nil && len(done) == 1 && done[0].Problem == "", err
}

// processorRoutes are where the processor reports what became of charges.
func (a *App) processorRoutes(s *services) []api.Route {
	if a.config.Stripe.Key == "" {
		return nil
	}
	return []api.Route{{
		Method: http.MethodPost, Path: "/v1/processor/stripe/webhook", Tag: "Processor", Summary: "Take an event of Stripe",
		Doc:    "For Stripe alone: the body is signed with the secret of the endpoint. The same event may come any number of times.",
		Access: api.Open, Response: Taken{}, Status: 200, Errors: []int{400},
		Serve: func(c *api.Call) (*api.Answer, error) { return a.processorEvent(c, s.repayments) },
	}}
}

// Taken is the answer to an event of the processor.
type Taken struct {
	// Taken is false for an event that was taken before, or that is none of ours.
	Taken bool `json:"taken"`
}

func (a *App) processorEvent(c *api.Call, repayments *repayment.Service) (*api.Answer, error) {
	body, err := io.ReadAll(io.LimitReader(c.Request.Body, 1<<20))
	if err != nil {
		return nil, apierr.BadRequest("The request body could not be read.")
	}
	e, err := processor.ParseWebhook(body, c.Request.Header.Get("Stripe-Signature"), a.config.Stripe.WebhookSecret, a.clock.Now())
	if err != nil {
		a.log.Warn("an event of the processor was refused", "error", err)
		return nil, apierr.BadRequest("The event is not signed as it should be, or can not be read.")
	}
	taken := false
	err = a.DB.Write(c, func(tx *db.Tx) (err error) {
		taken, err = repayments.Take(c, tx, e)
		return err
	})
	if err != nil {
		return nil, err
	}
	a.Queue.Wake()
	return &api.Answer{Status: http.StatusOK, Body: []byte(fmt.Sprintf(`{"taken":%t}`, taken))}, nil
}
