package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"tradecredit/internal/company"
	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
)

// drain is how long running requests may take once the program is asked to stop.
const drain = 20 * time.Second

// Serve answers requests on l until ctx ends, and works off what waits. Then it
// takes no new requests, lets running ones finish and releases its jobs.
func (a *App) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{Handler: a.Handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	working, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	var workers sync.WaitGroup
	workers.Add(1)
	go func() {
		defer workers.Done()
		a.Queue.Run(working)
	}()
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	a.ready.Store(false)
	// The queue stops beside the server, so that together they take no longer than
	// drain.
	stopWork()
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	err := server.Shutdown(closing)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("some requests did not finish within %s: %w", drain, err)
	}
	workers.Wait()
	if err == nil {
		a.Close()
	}
	return err
}

// Close ends what runs beside the requests and the queue, once both have ended:
// it waits for what is under way and writes what is left.
func (a *App) Close() {
	a.Committer.Stop()
	a.requests.Close()
}

// Keys are the demo merchant's, as they are kept in the data directory.
type Keys struct {
	Merchant  string `json:"merchant"`
	SecretKey string `json:"secret_key"`
	PublicKey string `json:"public_key"`
	// New is set when the keys were made just now.
	New bool `json:"-"`
}

// keyFile is the name of the file with the demo merchant's keys.
const keyFile = "sandbox-keys.json"

// Prepare migrates the database and, in the sandbox, loads the fictional
// companies and makes the demo merchant on the first start. It returns that
// merchant's keys; nil in production.
func Prepare(ctx context.Context, c Config, d *db.DB, now time.Time) (*Keys, error) {
	if err := d.Migrate(ctx); err != nil {
		return nil, err
	}
	if c.Environment != merchant.Sandbox {
		return nil, nil
	}
	if err := company.LoadSandbox(ctx, d); err != nil {
		return nil, fmt.Errorf("load the sandbox companies: %w", err)
	}
	return demoMerchant(ctx, c, d, now)
}

// demoMerchant finds the demo merchant by its key, or makes it. The keys are
// written before the merchant, so that a program that is killed in between finds
// them when it starts again.
func demoMerchant(ctx context.Context, c Config, d *db.DB, now time.Time) (*Keys, error) {
	keys, err := readKeys(c)
	if err != nil {
		return nil, err
	}
	if found, err := keys.find(ctx, d); err != nil || found {
		return keys, err
	}
	if keys.SecretKey == "" {
		keys.SecretKey = merchant.NewKey(merchant.SecretKey, merchant.Sandbox)
	}
	if keys.PublicKey == "" {
		keys.PublicKey = merchant.NewKey(merchant.PublicKey, merchant.Sandbox)
	}
	if err := keys.write(c); err != nil {
		return nil, err
	}
	made, err := CreateMerchant(ctx, d, merchant.New{
		Name: "Demo Shop", Environment: merchant.Sandbox, SecretKey: keys.SecretKey, PublicKey: keys.PublicKey,
	}, now)
	if db.IsUnique(err) {
		// Another node that was given the same keys was faster.
		_, err = keys.find(ctx, d)
		return keys, err
	}
	if err != nil {
		return nil, err
	}
	keys.Merchant, keys.New = made.ID, true
	return keys, keys.write(c)
}

// readKeys are those of the data directory and, before them, of the
// configuration; empty where there are none.
func readKeys(c Config) (*Keys, error) {
	path, keys := filepath.Join(c.DataDir, keyFile), &Keys{}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		if err := json.Unmarshal(text, keys); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	if c.SecretKey != "" {
		keys.SecretKey = c.SecretKey
	}
	if c.PublicKey != "" {
		keys.PublicKey = c.PublicKey
	}
	return keys, nil
}

// find looks up whose the secret key is, and reports whether it is anybody's.
func (k *Keys) find(ctx context.Context, d *db.DB) (bool, error) {
	if k.SecretKey == "" {
		return false, nil
	}
	err := d.Read(ctx, func(tx *db.Tx) error {
		found, err := merchant.FindKey(ctx, tx, merchant.HashKey(k.SecretKey))
		k.Merchant = found.MerchantID
		return err
	})
	if errors.Is(err, db.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// write keeps the keys in the data directory: all of them, or as they were.
func (k *Keys) write(c Config) error {
	text, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(c.DataDir, keyFile) // readable by its owner alone
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(text, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(c.DataDir, keyFile))
}
