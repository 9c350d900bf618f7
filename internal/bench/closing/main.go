// Command closing measures the daily close and what falls due on a day, over
// deferred payments that it makes up in a throw-away database.
//
//	go run ./internal/bench/closing                       100,000 and 1,000,000 on PostgreSQL, 100,000 on SQLite
//	go run ./internal/bench/closing -payments 20000       a quick look
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

// settings of one run.
type settings struct {
	payments  string
	sqlite    int
	merchants int
	wakes     int
	workers   string
	child     string
	url, file string
}

func main() {
	var s settings
	flag.StringVar(&s.payments, "payments", "100000,1000000", "how many open deferred payments on PostgreSQL, one run for each number")
	flag.IntVar(&s.sqlite, "sqlite", 100000, "how many on SQLite; 0 leaves it out")
	flag.IntVar(&s.merchants, "merchants", 300, "over how many merchants")
	flag.IntVar(&s.wakes, "wakes", 10000, "how many due rows are measured with each number of workers")
	flag.StringVar(&s.workers, "workers", "1,8", "with how many workers due rows are measured on PostgreSQL")
	flag.StringVar(&s.child, "child", "", "for the program itself: what a process of its own measures")
	flag.StringVar(&s.url, "url", "", "for the program itself")
	flag.StringVar(&s.file, "file", "", "for the program itself")
	flag.Parse()
	err := run(context.Background(), s)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func systemNow() time.Time { return clock.System{}.Now().UTC() }

func run(ctx context.Context, s settings) error {
	if s.child != "" {
		return s.measureHere(ctx)
	}
	for _, text := range strings.Split(s.payments, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n == 0 {
			continue
		}
		if err := s.onPostgres(ctx, n); err != nil {
			return fmt.Errorf("postgres: %w", err)
		}
	}
	if s.sqlite == 0 {
		return nil
	}
	dir, err := os.MkdirTemp("", "tradecredit-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s.workers = "1"
	return s.on(ctx, "SQLite", db.Options{File: filepath.Join(dir, "bench.db")}, s.sqlite)
}

func (s settings) onPostgres(ctx context.Context, n int) error {
	// Every commit waits for the disk, as it does in service.
	cluster, err := dbtest.StartCluster("shared_buffers=2GB", "max_wal_size=4GB", "synchronous_commit=on", "checkpoint_timeout=30min")
	if err != nil {
		return err
	}
	defer cluster.Stop()
	return s.on(ctx, "PostgreSQL", db.Options{URL: cluster.URL()}, n)
}

// on measures one engine with n payments.
func (s settings) on(ctx context.Context, engine string, o db.Options, n int) error {
	start := systemNow()
	d, err := db.Open(ctx, o)
	if err != nil {
		return err
	}
	err = d.Migrate(ctx)
	if err == nil {
		err = generate(ctx, d, n, s.merchants)
	}
	d.Close()
	if err != nil {
		return err
	}
	fmt.Printf("%s, %d open deferred payments of %d merchants (made in %s)\n", engine, n, s.merchants, systemNow().Sub(start).Round(time.Second))
	s.url, s.file = o.URL, o.File
	for _, what := range []string{"close", "close again"} {
		r, err := s.inChild("close", "1")
		if err != nil {
			return err
		}
		fmt.Printf("  %-34s %8.2f s  %6.1f µs a payment   peak memory %d MB, %d MB its own   differences %d\n", what,
			r.Seconds, r.Seconds*1e6/float64(r.Count), r.PeakKB>>10, r.OwnKB>>10, r.Differences)
	}
	for i, workers := range strings.Split(s.workers, ",") {
		due := min(s.wakes, n/30/len(strings.Split(s.workers, ","))-1)
		if err := s.makeDue(ctx, o, i, due); err != nil {
			return err
		}
		r, err := s.inChild("wake", workers)
		if err != nil {
			return err
		}
		fmt.Printf("  %6d due rows, %s workers %22.2f s  %6.0f a second       peak memory %d MB, %d MB its own\n", r.Count, workers,
			r.Seconds, float64(r.Count)/r.Seconds, r.PeakKB>>10, r.OwnKB>>10)
	}
	return nil
}

// inChild measures in a process of its own, whose memory nothing else has used.
func (s settings) inChild(what, workers string) (r result, err error) {
	program, err := os.Executable()
	if err != nil {
		return r, err
	}
	cmd := exec.Command(program, "-child", what, "-url", s.url, "-file", s.file, "-workers", workers)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("%s: %w", what, err)
	}
	return r, json.Unmarshal(out, &r)
}
