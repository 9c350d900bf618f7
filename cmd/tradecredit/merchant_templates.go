package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
	"tradecredit/internal/offer"
)

// merchantTemplateCommand adds to the plans that a merchant's offers are made of.
// The merchant itself lists them, and switches them on and off, by the API.
type merchantTemplateCommand struct {
	storage
	Merchant string `arg:"" help:"The merchant's id."`
	Template string `arg:"" help:"The plan template, as JSON of the form that /v1/payment/plan_templates shows."`
}

// Run implements the command. It prints the template with its id, as JSON.
func (c merchantTemplateCommand) Run(sys *system) error {
	var t offer.Template
	in := json.NewDecoder(bytes.NewReader([]byte(c.Template)))
	in.DisallowUnknownFields()
	if err := in.Decode(&t); err != nil {
		return fmt.Errorf("the template: %w", err)
	}
	var added offer.StoredTemplate
	err := c.withMerchant(sys, c.Merchant, func(ctx context.Context, tx *db.Tx, m merchant.Merchant) (err error) {
		added, err = offer.AddTemplate(ctx, tx, m.ID, t, sys.clock.Now())
		return err
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(added.Template)
}
