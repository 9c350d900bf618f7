package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"

	"tradecredit/internal/app"
	"tradecredit/internal/clock"
	"tradecredit/internal/demo"
)

// demoCommand serves a sandbox of its own and plays one purchase in it.
type demoCommand struct {
	DataDir     string `help:"Directory for the SQLite file and the keys; empty for one that is removed at the end." env:"TRADECREDIT_DATA_DIR" type:"path"`
	DatabaseURL string `help:"PostgreSQL address (postgres://...); empty for SQLite." env:"TRADECREDIT_DATABASE_URL"`
	Listen      string `help:"Address to listen on." default:"127.0.0.1:8080" env:"TRADECREDIT_LISTEN"`
	Once        bool   `help:"End after the purchase instead of serving on."`
	JSON        bool   `help:"Print one JSON object a step."`
}

// Run implements the command. It fails at the first step that does not go as
// told.
func (c demoCommand) Run(sys *system) error {
	if c.DataDir == "" {
		dir, err := os.MkdirTemp("", "tradecredit-demo-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		c.DataDir = dir
	}
	// What is told is the story; of the log only what went wrong.
	quiet := *sys
	quiet.log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	place := storage{DataDir: c.DataDir, DatabaseURL: c.DatabaseURL, Environment: "sandbox"}
	config := place.config()
	config.Listen = c.Listen
	s, err := start(&quiet, config)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%w; take another address with --listen 127.0.0.1:0", err)
	}
	if err != nil {
		return err
	}
	defer s.db.Close()
	ctx, stop := context.WithCancel(sys.ctx)
	var serving sync.WaitGroup
	var served error
	serving.Go(func() {
		defer stop()
		served = s.app.Serve(ctx, s.listener)
	})
	err = c.play(ctx, s, sys.clock)
	stop()
	serving.Wait()
	if err == nil {
		err = served
	}
	return err
}

// play tells the purchase and, unless it is to end there, waits to be stopped.
func (c demoCommand) play(ctx context.Context, s *server, clock clock.Clock) error {
	tell := c.teller(os.Stdout)
	tell(demo.Step{
		Name: "start", Text: "A sandbox of Tradecredit is running, with a demo shop beside it.",
		Facts: []demo.Fact{{Name: "address", Value: s.config.Public()}, {Name: "secret_key", Value: s.keys.SecretKey}, {Name: "public_key", Value: s.keys.PublicKey}},
	})
	shop, err := demo.Open(demo.Program{
		URL: s.config.Public(), SecretKey: s.keys.SecretKey, Clock: clock,
		Verify: func(ctx context.Context) ([]string, error) {
			r, err := app.Verify(ctx, s.db)
			return r.Problems, err
		},
	})
	if err != nil {
		return err
	}
	defer shop.Close()
	if err := shop.Run(ctx, tell); err != nil {
		return err
	}
	if c.Once {
		tell(demo.Step{Name: "end", Text: "That was the demo."})
		return nil
	}
	if err := shop.Leave(ctx, tell); err != nil {
		return err
	}
	tell(demo.Step{
		Name: "serving", Text: "The sandbox serves on until you press Ctrl-C. What you do with it is told here.",
		Facts: []demo.Fact{{Name: "openapi", Value: s.config.Public() + "/openapi.json"}, {Name: "events", Value: s.config.Public() + "/v1/events"}},
	})
	shop.Listen(ctx, tell)
	return nil
}

// teller prints steps as sentences or as JSON.
func (c demoCommand) teller(w io.Writer) func(demo.Step) {
	if c.JSON {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		return func(s demo.Step) { _ = encoder.Encode(s) }
	}
	n := 0
	return func(s demo.Step) {
		n++
		fmt.Fprintf(w, "%2d. %s\n", n, s.Text)
		for _, f := range s.Facts {
			value := f.Value
			if counts, ok := value.(map[string]int); ok {
				value = counted(counts)
			}
			fmt.Fprintf(w, "      %-22s %v\n", f.Name, value)
		}
	}
}

// counted writes counts for a person: "1 deferred_payment.expiry".
func counted(counts map[string]int) string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%d %s", counts[kind], kind))
	}
	return strings.Join(parts, ", ")
}
