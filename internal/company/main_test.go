package company

import (
	"context"
	"testing"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// find runs one search, as a request would.
func find(t testing.TB, d *db.DB, q Query, limit int) []Match {
	t.Helper()
	var out []Match
	err := d.Read(context.Background(), func(tx *db.Tx) (err error) {
		out, err = Search(context.Background(), tx, q, limit)
		return err
	})
	if err != nil {
		t.Fatalf("Search(%+v): %v", q, err)
	}
	return out
}

func names(matches []Match) []string {
	out := make([]string, len(matches))
	for i, m := range matches {
		out[i] = m.Name
	}
	return out
}
