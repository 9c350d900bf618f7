package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
	"tradecredit/internal/payout"
)

// merchantSetCommand changes a merchant's settings.
type merchantSetCommand struct {
	storage
	Merchant string `arg:"" help:"The merchant's id."`
	Settings string `arg:"" optional:"" help:"What is to change, as JSON, for example '{\"overcaptures\": true}'. Without it the settings are shown."`
}

// Run implements the command. It prints the settings as they are then, as JSON.
func (c merchantSetCommand) Run(sys *system) error {
	var after merchant.Settings
	err := c.withMerchant(sys, c.Merchant, func(ctx context.Context, tx *db.Tx, m merchant.Merchant) error {
		after = m.Settings
		if c.Settings == "" {
			return nil
		}
		in := json.NewDecoder(bytes.NewReader([]byte(c.Settings)))
		in.DisallowUnknownFields()
		if err := in.Decode(&m.Settings); err != nil {
			return fmt.Errorf("the settings: %w", err)
		}
		if err := m.Settings.Check(); err != nil {
			return err
		}
		after = m.Settings
		if err := merchant.Save(tx, m); err != nil {
			return err
		}
		return payout.Replan(ctx, tx, m, m.Now(sys.clock.Now()))
	})
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	return out.Encode(after)
}
