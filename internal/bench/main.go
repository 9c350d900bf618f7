// Command bench measures the program in one run beside what it is compared
// with: the same writes by hand in SQL, a handler that does nothing, and
// pgbench's TPC-B-like script on the same PostgreSQL server. Ratios are what
// counts: the figures of one machine and one hour mean little by themselves.
//
//	go run ./internal/bench            both engines, a few minutes
//	go run ./internal/bench -short     a quick look
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

// settings of one run.
type settings struct {
	seconds  time.Duration
	payments int
	scale    int
	engines  string
	program  string
}

func main() {
	var s settings
	short := flag.Bool("short", false, "measure each figure for one second only")
	flag.DurationVar(&s.seconds, "for", 5*time.Second, "how long each figure is measured")
	flag.IntVar(&s.payments, "payments", 1000, "over how many deferred payments the spread load goes")
	flag.IntVar(&s.scale, "scale", 50, "pgbench's scale")
	flag.StringVar(&s.engines, "engines", "sqlite,postgres", "which engines to measure")
	flag.Parse()
	if *short {
		s.seconds, s.scale = time.Second, 10
	}
	if err := run(context.Background(), s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) error {
	dir, err := os.MkdirTemp("", "tradecredit-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	s.program = filepath.Join(dir, "tradecredit")
	if out, err := exec.Command("go", "build", "-o", s.program, "./cmd/tradecredit").CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w: %s", err, out)
	}
	nothing, err := measureNothing(s)
	if err != nil {
		return err
	}
	fmt.Printf("A handler that does nothing, requests a second:  1 client %.0f   8 clients %.0f   32 clients %.0f\n",
		nothing[1].rate, nothing[8].rate, nothing[32].rate)
	if strings.Contains(s.engines, "sqlite") {
		if err := measure(ctx, s, "SQLite", dir, "", nothing, nil); err != nil {
			return fmt.Errorf("sqlite: %w", err)
		}
	}
	if !strings.Contains(s.engines, "postgres") {
		return nil
	}
	// Every commit waits for the disk: that is what is sold.
	cluster, err := dbtest.StartCluster("shared_buffers=2GB", "max_wal_size=4GB", "synchronous_commit=on", "checkpoint_timeout=30min")
	if err != nil {
		return err
	}
	defer cluster.Stop()
	pg, err := pgbench(s, cluster)
	if err != nil {
		return err
	}
	if err := measure(ctx, s, "PostgreSQL", dir, cluster.URL(), nothing, pg); err != nil {
		return fmt.Errorf("postgres: %w", err)
	}
	return nil
}

// clients are the numbers of clients that figures are measured with.
var clients = []int{1, 8, 32}

// measure prints the figures of one engine.
func measure(ctx context.Context, s settings, name, dir, url string, nothing, pg map[int]result) error {
	node, err := startNode(s, filepath.Join(dir, strings.ToLower(name)), url)
	if err != nil {
		return err
	}
	defer node.stop()
	m, err := prepare(node, s.payments)
	if err != nil {
		return err
	}
	fmt.Printf("\n%s\n", name)
	header := "  %-42s %10s %9s %9s   %s\n"
	fmt.Printf(header, "captures over HTTP, each with its own key", "per second", "p50", "p99", "")
	rates := map[string]result{}
	for _, n := range clients {
		for _, kind := range []string{"spread", "one hot payment"} {
			r, err := load(node.address, n, s.seconds, m.captures(kind == "spread"))
			if err != nil {
				return err
			}
			rates[fmt.Sprint(n, kind)] = r
			fmt.Printf(header, fmt.Sprintf("%d clients, %s", n, kind), fmt.Sprintf("%.0f", r.rate), r.p50.Round(10*time.Microsecond).String(), r.p99.Round(10*time.Microsecond).String(), "")
		}
	}
	memory := node.memory()
	reads, err := measureReads(node, s, m)
	if err != nil {
		return err
	}
	for _, label := range []string{"one object by id, 8 clients", "a list of 25 orders, 8 clients"} {
		r := reads[label]
		fmt.Printf(header, label, fmt.Sprintf("%.0f", r.rate), r.p50.Round(10*time.Microsecond).String(), r.p99.Round(10*time.Microsecond).String(),
			fmt.Sprintf("%.2f × doing nothing", r.rate/nothing[8].rate))
	}
	node.stop()
	ready, err := node.restart(s)
	if err != nil {
		return err
	}
	node.stop()
	hand, err := byHand(ctx, s, node.options(), m)
	if err != nil {
		return err
	}
	for _, n := range clients {
		fmt.Printf(header, fmt.Sprintf("%d clients, by hand in SQL, one commit each", n), fmt.Sprintf("%.0f", hand[n].rate), hand[n].p50.Round(10*time.Microsecond).String(), hand[n].p99.Round(10*time.Microsecond).String(), "")
	}
	for _, n := range clients {
		if pg != nil {
			fmt.Printf(header, fmt.Sprintf("%d clients, pgbench TPC-B-like, scale %d", n, s.scale), fmt.Sprintf("%.0f", pg[n].rate), "", "", "")
		}
	}
	fmt.Println("  ratios")
	for _, n := range clients {
		for _, kind := range []string{"spread", "one hot payment"} {
			r := rates[fmt.Sprint(n, kind)]
			line := fmt.Sprintf("    %2d clients, %-16s %.2f × by hand", n, kind, r.rate/hand[n].rate)
			if pg != nil {
				line += fmt.Sprintf("   %.2f × pgbench", r.rate/pg[n].rate)
			}
			fmt.Println(line)
		}
	}
	fmt.Printf("  memory of the node under load %d MB, start to ready %s\n", memory>>20, ready.Round(time.Millisecond))
	return verify(ctx, s, node.options())
}

// verify holds the books after the load.
func verify(ctx context.Context, s settings, o db.Options) error {
	args := []string{"verify", "--data-dir", filepath.Dir(o.File)}
	if o.URL != "" {
		args = []string{"verify", "--data-dir", os.TempDir(), "--database-url", o.URL}
	}
	out, err := exec.CommandContext(ctx, s.program, args...).CombinedOutput()
	fmt.Printf("  verify: %s", out)
	return err
}
