// Package app puts the program together: from the configuration a database, the
// services, the routes and the workers. It is the only place that knows
// everybody.
package app

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"

	"tradecredit/internal/api"
	"tradecredit/internal/db"
	"tradecredit/internal/mail"
	"tradecredit/internal/merchant"
	"tradecredit/internal/web/pay"
)

// Config is what an operator sets.
type Config struct {
	Listen      string
	DataDir     string
	DatabaseURL string
	Environment merchant.Environment
	PublicURL   string
	// SecretKey and PublicKey are those of the demo merchant; empty ones are made.
	SecretKey string
	PublicKey string
	Lender    pay.Lender
	SMTP      *mail.SMTP
	Limits    api.Limits
	Documents DocumentConfig
	// Stripe is who collects from cards, and from accounts unless DebitFiles says that
	// direct debits go to the bank in files.
	Stripe     StripeConfig
	DebitFiles bool
}

// Database names the database of the configuration and makes the data directory
// when it is absent.
func (c Config) Database() (db.Options, error) {
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return db.Options{}, fmt.Errorf("the data directory: %w", err)
	}
	if c.DatabaseURL != "" {
		return db.Options{URL: c.DatabaseURL}, nil
	}
	return db.Options{File: filepath.Join(c.DataDir, "tradecredit.db")}, nil
}

// Public is the address under which the program is reached.
func (c Config) Public() string {
	if c.PublicURL != "" {
		return c.PublicURL
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return "http://" + c.Listen
	}
	if host == "" || net.ParseIP(host) != nil && net.ParseIP(host).IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// check refuses configurations that would not be safe.
func (c Config) check() error {
	switch c.Environment {
	case merchant.Sandbox:
	case merchant.Production:
		if c.Lender.TermsURL == "" || c.Lender.Name == "" {
			return fmt.Errorf("production needs --lender-name and --terms-url: buyers accept the terms")
		}
	default:
		return fmt.Errorf("the environment is sandbox or production, not %q", c.Environment)
	}
	u, err := url.Parse(c.Public())
	if err != nil || u.Host == "" || u.Path != "" {
		return fmt.Errorf("the public URL %q is not of the form https://host", c.Public())
	}
	if c.Environment == merchant.Production && u.Scheme != "https" {
		return fmt.Errorf("production needs a --public-url that begins with https://")
	}
	return nil
}
