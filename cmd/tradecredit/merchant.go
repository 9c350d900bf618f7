package main

import (
	"encoding/json"
	"fmt"
	"os"

	"tradecredit/internal/app"
	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
)

// merchantCommand groups what is done with merchants.
type merchantCommand struct {
	Create merchantCreateCommand   `cmd:"" help:"Create a merchant and print its keys."`
	List   merchantListCommand     `cmd:"" help:"List the merchants."`
	Set    merchantSetCommand      `cmd:"" help:"Show or change the settings of a merchant."`
	Plan   merchantTemplateCommand `cmd:"" help:"Add a payment plan template to a merchant's offers."`
	Keys   merchantKeysCommand     `cmd:"" help:"List, make and revoke the keys of a merchant."`
}

type merchantCreateCommand struct {
	storage
	Name    string `help:"Name of the merchant." required:""`
	Profile string `help:"Family of rules." enum:"bnpl,insurance,insurance_legacy" default:"bnpl"`
	JSON    bool   `help:"Print JSON."`
}

// Run implements the command.
func (c merchantCreateCommand) Run(sys *system) error {
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	m, err := app.CreateMerchant(sys.ctx, d, merchant.New{
		Name: c.Name, Profile: merchant.Profile(c.Profile), Environment: merchant.Environment(c.Environment),
	}, sys.clock.Now())
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(struct {
			ID        string `json:"id"`
			Name      string `json:"name"`
			SecretKey string `json:"secret_key"`
			PublicKey string `json:"public_key"`
		}{m.ID, m.Name, m.SecretKey, m.PublicKey})
	}
	fmt.Printf("%s  %s\n  secret key  %s\n  public key  %s\n", m.ID, m.Name, m.SecretKey, m.PublicKey)
	return nil
}

type merchantListCommand struct {
	storage
	JSON bool `help:"Print one JSON object a line."`
}

// Run implements the command.
func (c merchantListCommand) Run(sys *system) error {
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	after := ""
	for {
		var page []merchant.Merchant
		err := d.Read(sys.ctx, func(tx *db.Tx) (err error) {
			page, err = merchant.List(sys.ctx, tx, after, 500)
			return err
		})
		if err != nil || len(page) == 0 {
			return err
		}
		for _, m := range page {
			after = m.ID
			if !c.JSON {
				fmt.Printf("%s  %-10s %-10s %s\n", m.ID, m.Environment, m.Profile, m.Name)
				continue
			}
			err := json.NewEncoder(os.Stdout).Encode(map[string]any{
				"id": m.ID, "name": m.Name, "profile": m.Profile, "environment": m.Environment, "created": m.Created, "settings": m.Settings,
			})
			if err != nil {
				return err
			}
		}
	}
}
