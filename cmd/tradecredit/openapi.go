package main

import (
	"bytes"
	"encoding/json"
	"os"

	"tradecredit/internal/app"
	"tradecredit/internal/db"
)

// openAPICommand prints the OpenAPI document of the sandbox: production has the
// same API without the sandbox control calls.
type openAPICommand struct {
	PublicURL string `help:"Address that the document names." default:"http://127.0.0.1:8080" env:"TRADECREDIT_PUBLIC_URL"`
}

// Run implements the command. The routes come with the services behind them, so
// the program is put together on an empty database that is thrown away.
func (c openAPICommand) Run(sys *system) error {
	dir, err := os.MkdirTemp("", "tradecredit-openapi-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	config := storage{DataDir: dir, Environment: "sandbox"}.config()
	config.PublicURL = c.PublicURL
	o, err := config.Database()
	if err != nil {
		return err
	}
	d, err := db.Open(sys.ctx, o)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Migrate(sys.ctx); err != nil {
		return err
	}
	a, err := app.New(sys.ctx, config, d, sys.clock, sys.log)
	if err != nil {
		return err
	}
	defer a.Committer.Stop()
	var text bytes.Buffer
	if err := json.Indent(&text, a.Document, "", "  "); err != nil {
		return err
	}
	text.WriteByte('\n')
	_, err = text.WriteTo(os.Stdout)
	return err
}
