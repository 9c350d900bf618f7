package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"sync"
	"time"

	"tradecredit/internal/api"
	"tradecredit/internal/app"
	"tradecredit/internal/clock"
	"tradecredit/internal/closing"
	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
	"tradecredit/internal/web/pay"
)

// result is what a process of its own has measured.
type result struct {
	Seconds     float64 `json:"seconds"`
	Count       int64   `json:"count"`
	Differences int64   `json:"differences"`
	// PeakKB is the most memory that the process has used, OwnKB the most without
	// pages of files, such as the database that SQLite maps.
	PeakKB int64 `json:"peak_kb"`
	OwnKB  int64 `json:"own_kb"`
}

// measureHere measures in this process and prints the result.
func (s settings) measureHere(ctx context.Context) error {
	d, err := db.Open(ctx, db.Options{URL: s.url, File: s.file})
	if err != nil {
		return err
	}
	defer d.Close()
	own := sample()
	var r result
	switch s.child {
	case "close":
		r, err = closeHere(ctx, d)
	case "wake":
		r, err = s.wakeHere(ctx, d)
	default:
		err = errors.New("nothing to measure")
	}
	if err != nil {
		return err
	}
	r.OwnKB, r.PeakKB = own(), status(highWater)
	return json.NewEncoder(os.Stdout).Encode(r)
}

func closeHere(ctx context.Context, d *db.DB) (result, error) {
	s := &closing.Service{DB: d, Clock: clock.System{}}
	start := systemNow()
	sum, err := s.Close(ctx, closing.Request{At: start, Again: true}, func(closing.Progress) {})
	return result{Seconds: systemNow().Sub(start).Seconds(), Count: sum.Payments, Differences: sum.Differences}, err
}

const (
	// A batch of those that fall due today: $1 and $2 bound it.
	bringForward db.SQL = `UPDATE due SET due_at = $3, run_at = $3 WHERE kind = 'repayment.due' AND (merchant_id, object_id) IN
		(SELECT merchant, 'defpay-' || t FROM bench_payments WHERE wake = 0 ORDER BY n LIMIT $1 OFFSET $2)`
	countDue   db.SQL = `SELECT count(*) FROM due WHERE run_at <= $1 AND parked = '' AND kind = 'repayment.due'`
	countTried db.SQL = `SELECT count(*) FROM due WHERE failures > 0 OR parked <> ''`
)

// makeDue lets the n-th batch of payments fall due now.
func (s settings) makeDue(ctx context.Context, o db.Options, n, batch int) error {
	d, err := db.Open(ctx, o)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Write(ctx, func(tx *db.Tx) error {
		tx.Queue(bringForward, batch, n*batch, db.Micros(systemNow().Truncate(24*time.Hour)))
		return nil
	})
}

// wakeHere lets the program work off what is due.
func (s settings) wakeHere(ctx context.Context, d *db.DB) (r result, err error) {
	dir, err := os.MkdirTemp("", "tradecredit-bench-")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	c := app.Config{
		DataDir: dir, Environment: merchant.Sandbox, PublicURL: "https://api.example", Limits: api.Limits{},
		Lender: pay.Lender{Name: "Lender", TermsURL: "https://lender.example/terms"},
	}
	a, err := app.New(ctx, c, d, clock.System{}, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})))
	if err != nil {
		return r, err
	}
	defer a.Close()
	if a.Queue.Workers, err = strconv.Atoi(s.workers); err != nil {
		return r, err
	}
	count := func(q db.SQL, args ...any) (n int64, err error) {
		err = d.Read(ctx, func(tx *db.Tx) error { return tx.Get(ctx, q, args, &n) })
		return n, err
	}
	start := systemNow()
	if r.Count, err = count(countDue, db.Micros(start)); err != nil {
		return r, err
	}
	working, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Add(1)
	go func() {
		defer running.Done()
		a.Queue.Run(working)
	}()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for left := r.Count; left > 0 && err == nil; {
		<-tick.C
		left, err = count(countDue, db.Micros(start))
	}
	r.Seconds = systemNow().Sub(start).Seconds()
	stop()
	running.Wait()
	if err != nil {
		return r, err
	}
	failed, err := count(countTried)
	if err == nil && failed > 0 {
		err = fmt.Errorf("%d due rows failed", failed)
	}
	return r, err
}

var (
	highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)
	anonymous = regexp.MustCompile(`RssAnon:\s+(\d+) kB`)
)

// status is a figure that Linux has of this process, in kilobytes; 0 elsewhere.
func status(of *regexp.Regexp) int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	m := of.FindSubmatch(text)
	if m == nil {
		return 0
	}
	n, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// sample looks every 20 milliseconds at how much memory is the process's own. What
// it returns ends that and tells the most.
func sample() func() int64 {
	stop, most := make(chan struct{}), make(chan int64)
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		var peak int64
		for {
			peak = max(peak, status(anonymous))
			select {
			case <-tick.C:
			case <-stop:
				most <- peak
				return
			}
		}
	}()
	return func() int64 {
		close(stop)
		return <-most
	}
}
