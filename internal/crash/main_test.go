package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"tradecredit/internal/api"
	"tradecredit/internal/app"
	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/merchant"
)

// nodeVariable, when set, makes the test binary a server: its value is a
// nodeConfig.
const nodeVariable = "TRADECREDIT_CRASH_NODE"

// nodeConfig is what a server process is told.
type nodeConfig struct {
	DataDir     string
	DatabaseURL string
	// SecretKey and PublicKey are those of the demo merchant; "" lets it make them.
	SecretKey string
	PublicKey string
	// Lease is shorter than in the product, so that a test need not wait long for
	// the jobs of a node that was killed.
	Lease time.Duration
}

func TestMain(m *testing.M) {
	if config, ok := os.LookupEnv(nodeVariable); ok {
		if err := runNode(config); err != nil {
			fmt.Fprintln(os.Stderr, "node:", err)
			os.Exit(1)
		}
		return
	}
	dbtest.Main(m)
}

// runNode serves as the program does, until SIGTERM. It prints its address, and
// ends with the process that started it.
func runNode(text string) error {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(3)
	}()
	var n nodeConfig
	if err := json.Unmarshal([]byte(text), &n); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	c := app.Config{
		Listen: l.Addr().String(), DataDir: n.DataDir, DatabaseURL: n.DatabaseURL, Environment: merchant.Sandbox, Limits: noLimits,
		SecretKey: n.SecretKey, PublicKey: n.PublicKey,
	}
	o, err := c.Database()
	if err != nil {
		return err
	}
	d, err := db.Open(ctx, o)
	if err != nil {
		return err
	}
	defer d.Close()
	fmt.Println(c.Public())
	if _, err := app.Prepare(ctx, c, d, clock.System{}.Now()); err != nil {
		return err
	}
	a, err := app.New(ctx, c, d, clock.System{}, slog.New(slog.NewTextHandler(os.Stderr, nil)))
	if err != nil {
		return err
	}
	if n.Lease > 0 {
		a.Queue.Lease = n.Lease
	}
	return a.Serve(ctx, l)
}

// noLimits let the tests ask as often as they can.
var noLimits = api.Limits{
	SecretPerSecond: 1e6, SecretBurst: 1e6, PublicPerSecond: 1e6, PublicSearchesPerMinute: 1e6, AnonymousPerMinute: 1e6,
}
