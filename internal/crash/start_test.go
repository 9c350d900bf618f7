package crash

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

const countMerchants db.SQL = `SELECT count(*) FROM merchants`

// empty makes a database as it is before the first start.
func empty(t *testing.T, o db.Options) {
	t.Helper()
	if o.URL == "" {
		if err := os.Remove(o.File); err != nil {
			t.Fatal(err)
		}
		return
	}
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, o.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "DROP SCHEMA public CASCADE; CREATE SCHEMA public"); err != nil {
		t.Fatal(err)
	}
}

// TestKilledOnTheFirstStart kills the program while it migrates, loads companies
// and makes the demo merchant. When it comes up at last there is one merchant,
// whose keys are in the data directory.
func TestKilledOnTheFirstStart(t *testing.T) {
	t.Parallel()
	dbtest.EachOptions(t, func(t *testing.T, o db.Options) {
		random := seeded(t)
		empty(t, o)
		config := nodeOn(t, o)
		for range 5 * soak() {
			n := start(t, config)
			pause(time.Duration(random.IntN(200)) * time.Millisecond)
			n.kill()
		}
		n := start(t, config).mustBeReady()
		text, err := os.ReadFile(filepath.Join(config.DataDir, "sandbox-keys.json"))
		if err != nil {
			t.Fatal(err)
		}
		var keys struct {
			SecretKey string `json:"secret_key"`
		}
		if err := json.Unmarshal(text, &keys); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		s := newShop(t, newClient(n.url, keys.SecretKey))
		payment := s.payment(t, "first", 1000)
		s.must(t, 201, actionPath(payment, "capture"), "", object{"amount": 1000})
		d := open(t, o)
		if n := count(t, d, countMerchants); n != 1 {
			t.Errorf("there are %d merchants", n)
		}
		verify(t, d)
	})
}

// TestNodesStartTogether starts several nodes at once on a new PostgreSQL
// database, migrated and not, with the same keys for the demo merchant.
func TestNodesStartTogether(t *testing.T) {
	t.Parallel()
	for name, prepare := range map[string]func(*testing.T, db.Options){
		"empty":    empty,
		"migrated": func(*testing.T, db.Options) {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := dbtest.Postgres(t)
			prepare(t, o)
			nodes := make([]*node, 4)
			for i := range nodes {
				config := nodeOn(t, o)
				config.SecretKey, config.PublicKey = "sk_test_together", "pk_test_together"
				nodes[i] = start(t, config)
			}
			for _, n := range nodes {
				var me struct {
					Name string `json:"name"`
				}
				newClient(n.mustBeReady().url, "sk_test_together").get(t, "/v1/me", &me)
			}
			if n := count(t, open(t, o), countMerchants); n != 1 {
				t.Errorf("there are %d merchants", n)
			}
		})
	}
}
