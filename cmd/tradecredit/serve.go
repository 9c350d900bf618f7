package main

import (
	"fmt"
	"net"
	"os"
	"time"

	"tradecredit/internal/api"
	"tradecredit/internal/app"
	"tradecredit/internal/db"
	"tradecredit/internal/mail"
	"tradecredit/internal/merchant"
	"tradecredit/internal/web/pay"
)

// serveCommand serves until it is asked to stop.
type serveCommand struct {
	storage
	Listen    string `help:"Address to listen on." default:"127.0.0.1:8080" env:"TRADECREDIT_LISTEN"`
	PublicURL string `help:"Address under which the program is reached; derived from --listen when empty." env:"TRADECREDIT_PUBLIC_URL"`
	SecretKey string `help:"Secret key of the demo merchant." env:"TRADECREDIT_SANDBOX_SECRET_KEY" hidden:""`
	PublicKey string `help:"Public key of the demo merchant." env:"TRADECREDIT_SANDBOX_PUBLIC_KEY" hidden:""`

	LenderName    string `help:"Name of the lender, shown to buyers." env:"TRADECREDIT_LENDER_NAME"`
	LenderRegist  string `name:"lender-register" help:"Register and number of the lender." env:"TRADECREDIT_LENDER_REGISTER"`
	HelpEmail     string `help:"Where buyers write to." env:"TRADECREDIT_HELP_EMAIL"`
	HelpPhone     string `help:"Where buyers call." env:"TRADECREDIT_HELP_PHONE"`
	TermsURL      string `help:"Terms that buyers accept." env:"TRADECREDIT_TERMS_URL"`
	PrivacyURL    string `help:"Privacy notice." env:"TRADECREDIT_PRIVACY_URL"`
	ComplaintsURL string `help:"How to complain." env:"TRADECREDIT_COMPLAINTS_URL"`

	RateSecret    float64 `name:"rate-secret" default:"1000" env:"TRADECREDIT_RATE_SECRET" help:"Requests a second that a secret key may make."`
	RateBurst     int     `name:"rate-burst" default:"2000" env:"TRADECREDIT_RATE_BURST" help:"Requests that a secret key may make at once."`
	RatePublic    float64 `name:"rate-public" default:"20" env:"TRADECREDIT_RATE_PUBLIC" help:"Requests a second that a public key may make."`
	RateSearches  int     `name:"rate-searches" default:"30" env:"TRADECREDIT_RATE_SEARCHES" help:"Searches a minute that an address may make with a public key."`
	RateAnonymous int     `name:"rate-anonymous" default:"60" env:"TRADECREDIT_RATE_ANONYMOUS" help:"Requests a minute that an address may make without a key."`

	papers
	MaxFile  int64         `name:"documents-max-mb" default:"25" env:"TRADECREDIT_DOCUMENTS_MAX_MB" help:"Largest file of a document, in MB."`
	LinkLife time.Duration `name:"documents-link-life" default:"1h" env:"TRADECREDIT_DOCUMENTS_LINK_LIFE" help:"How long the link to a file can be followed."`

	BehindProxy bool `name:"behind-proxy" env:"TRADECREDIT_BEHIND_PROXY" help:"Take the last address of X-Forwarded-For for the caller's."`

	StripeKey           string `name:"stripe-key" help:"Secret key of the account at Stripe that collects from cards and accounts." env:"TRADECREDIT_STRIPE_KEY"`
	StripeURL           string `name:"stripe-url" help:"Address of Stripe's API, unless it is the real one." env:"TRADECREDIT_STRIPE_URL"`
	StripeWebhookSecret string `name:"stripe-webhook-secret" help:"Secret of the endpoint /v1/processor/stripe/webhook at Stripe." env:"TRADECREDIT_STRIPE_WEBHOOK_SECRET"`
	DirectDebit         string `name:"direct-debit" enum:"processor,file" default:"processor" env:"TRADECREDIT_DIRECT_DEBIT" help:"Who collects direct debits: the processor, or the bank by files."`

	SMTPHost     string `name:"smtp-host" help:"Mail server; in the sandbox mails are kept instead of sent when it is empty." env:"TRADECREDIT_SMTP_HOST"`
	SMTPPort     int    `name:"smtp-port" default:"587" env:"TRADECREDIT_SMTP_PORT" help:"Port of the mail server."`
	SMTPUser     string `name:"smtp-user" env:"TRADECREDIT_SMTP_USER" help:"User at the mail server."`
	SMTPPassword string `name:"smtp-password" env:"TRADECREDIT_SMTP_PASSWORD" help:"Password at the mail server."`
	SMTPFrom     string `name:"smtp-from" env:"TRADECREDIT_SMTP_FROM" help:"Sender of mails."`
	SMTPTLS      string `name:"smtp-tls" enum:"starttls,implicit,opportunistic,none" default:"starttls" env:"TRADECREDIT_SMTP_TLS" help:"How the connection to the mail server is protected."`
}

func (s storage) config() app.Config {
	return app.Config{
		DataDir: s.DataDir, DatabaseURL: s.DatabaseURL, Environment: merchant.Environment(s.Environment), Limits: api.DefaultLimits(),
	}
}

func (c serveCommand) config() app.Config {
	out := c.storage.config()
	out.Listen, out.PublicURL, out.SecretKey, out.PublicKey = c.Listen, c.PublicURL, c.SecretKey, c.PublicKey
	out.Limits = api.Limits{
		SecretPerSecond: c.RateSecret, SecretBurst: c.RateBurst, PublicPerSecond: c.RatePublic,
		PublicSearchesPerMinute: c.RateSearches, AnonymousPerMinute: c.RateAnonymous, BehindProxy: c.BehindProxy,
	}
	out.Lender = pay.Lender{
		Name: c.LenderName, Register: c.LenderRegist, HelpEmail: c.HelpEmail, HelpPhone: c.HelpPhone,
		TermsURL: c.TermsURL, PrivacyURL: c.PrivacyURL, ComplaintsURL: c.ComplaintsURL,
	}
	out.Documents = c.papers.config()
	out.Documents.MaxSize, out.Documents.LinkLife = c.MaxFile<<20, c.LinkLife
	out.Stripe = app.StripeConfig{Key: c.StripeKey, URL: c.StripeURL, WebhookSecret: c.StripeWebhookSecret}
	out.DebitFiles = c.DirectDebit == "file"
	if c.SMTPHost != "" {
		out.SMTP = &mail.SMTP{
			Host: c.SMTPHost, Port: c.SMTPPort, User: c.SMTPUser, Password: c.SMTPPassword, From: c.SMTPFrom, TLS: mail.TLSPolicy(c.SMTPTLS),
		}
	}
	return out
}

// Run implements the command.
func (c serveCommand) Run(sys *system) error {
	s, err := start(sys, c.config())
	if err != nil {
		return err
	}
	defer s.db.Close()
	s.announce()
	return s.app.Serve(sys.ctx, s.listener)
}

// server is a program that is ready to serve.
type server struct {
	app      *app.App
	db       *db.DB
	listener net.Listener
	config   app.Config
	keys     *app.Keys
}

// start opens and prepares the database and listens.
func start(sys *system, c app.Config) (*server, error) {
	o, err := c.Database()
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return nil, err
	}
	c.Listen = l.Addr().String()
	s := &server{listener: l, config: c}
	if s.db, err = db.Open(sys.ctx, o); err != nil {
		return nil, err
	}
	if s.keys, err = app.Prepare(sys.ctx, c, s.db, sys.clock.Now()); err != nil {
		return nil, err
	}
	s.app, err = app.New(sys.ctx, c, s.db, sys.clock, sys.log)
	return s, err
}

// announce tells where the program is, and the demo keys once.
func (s *server) announce() {
	fmt.Fprintf(os.Stdout, "Tradecredit (%s) on %s\n", s.config.Environment, s.config.Public())
	if s.keys != nil && s.keys.New {
		fmt.Fprintf(os.Stdout, "Demo merchant's keys, shown once and kept in %s:\n  secret key  %s\n  public key  %s\n",
			s.config.DataDir, s.keys.SecretKey, s.keys.PublicKey)
	}
}
