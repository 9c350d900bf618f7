package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
)

// merchantKeysCommand groups what is done with a merchant's keys.
type merchantKeysCommand struct {
	List   keysListCommand   `cmd:"" default:"withargs" help:"List the keys of a merchant: their beginnings, never the keys."`
	Create keysCreateCommand `cmd:"" help:"Make one more key and print it, once."`
	Revoke keysRevokeCommand `cmd:"" help:"Let a key be used no longer."`
}

// withMerchant opens the database and runs f for a merchant, in one transaction.
func (s storage) withMerchant(sys *system, merchantID string, f func(ctx context.Context, tx *db.Tx, m merchant.Merchant) error) error {
	d, err := s.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	err = d.Write(sys.ctx, func(tx *db.Tx) error {
		m, err := merchant.Lock(sys.ctx, tx, merchantID)
		if err != nil {
			return err
		}
		return f(sys.ctx, tx, m)
	})
	if errors.Is(err, db.ErrNoRows) {
		return fmt.Errorf("there is no merchant %s", merchantID)
	}
	return err
}

type keysListCommand struct {
	storage
	Merchant string `arg:"" help:"The merchant's id."`
	JSON     bool   `help:"Print one JSON object a line."`
}

// Run implements the command.
func (c keysListCommand) Run(sys *system) error {
	var keys []merchant.Key
	err := c.withMerchant(sys, c.Merchant, func(ctx context.Context, tx *db.Tx, m merchant.Merchant) (err error) {
		keys, err = merchant.Keys(ctx, tx, m.ID)
		return err
	})
	if err != nil {
		return err
	}
	for _, k := range keys {
		if !c.JSON {
			state := "active"
			if !k.Active {
				state = "revoked"
			}
			fmt.Printf("%s...  %-6s  %-7s  %s\n", k.Hint, k.Kind, state, k.Created.Format("2006-01-02 15:04:05"))
			continue
		}
		err := json.NewEncoder(os.Stdout).Encode(map[string]any{
			"hint": k.Hint, "kind": k.Kind, "active": k.Active, "created": k.Created, "origins": k.Origins,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

type keysCreateCommand struct {
	storage
	Merchant string   `arg:"" help:"The merchant's id."`
	Kind     string   `help:"secret or public." enum:"secret,public" default:"secret"`
	Origin   []string `help:"Web origin that may use a public key; may be repeated."`
	JSON     bool     `help:"Print JSON."`
}

// Run implements the command.
func (c keysCreateCommand) Run(sys *system) error {
	var key string
	err := c.withMerchant(sys, c.Merchant, func(_ context.Context, tx *db.Tx, m merchant.Merchant) error {
		key = merchant.AddKey(tx, m, merchant.KeyKind(c.Kind), sys.clock.Now())
		if len(c.Origin) > 0 {
			merchant.SetOrigins(tx, m.ID, merchant.HashKey(key), c.Origin)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]string{"merchant": c.Merchant, "kind": c.Kind, "key": key})
	}
	fmt.Println(key)
	return nil
}

type keysRevokeCommand struct {
	storage
	Merchant string `arg:"" help:"The merchant's id."`
	Key      string `arg:"" help:"The key, or as much of its beginning as keys list shows."`
	JSON     bool   `help:"Print JSON."`
}

// Run implements the command. Nodes that served the key a moment ago forget it
// within seconds.
func (c keysRevokeCommand) Run(sys *system) error {
	var revoked merchant.Key
	err := c.withMerchant(sys, c.Merchant, func(ctx context.Context, tx *db.Tx, m merchant.Merchant) error {
		keys, err := merchant.Keys(ctx, tx, m.ID)
		if err != nil {
			return err
		}
		revoked = merchant.Key{}
		for _, k := range keys {
			if !k.Active || !strings.HasPrefix(c.Key, k.Hint) || len(c.Key) > len(k.Hint) && k.Hash != merchant.HashKey(c.Key) {
				continue
			}
			if revoked.Hash != "" {
				return fmt.Errorf("%s is the beginning of several keys", c.Key)
			}
			revoked = k
		}
		if revoked.Hash == "" {
			return fmt.Errorf("the merchant has no active key that begins with %s", c.Key[:min(len(c.Key), 12)])
		}
		merchant.SetKeyActive(tx, m.ID, revoked.Hash, false)
		return nil
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]string{"merchant": c.Merchant, "revoked": revoked.Hint})
	}
	fmt.Printf("%s... is revoked\n", revoked.Hint)
	return nil
}
