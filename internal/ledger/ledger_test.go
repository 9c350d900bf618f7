package ledger

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

func transaction(id string, amounts ...int64) Transaction {
	t := Transaction{MerchantID: "m", ID: id, ObjectID: "o", Currency: "GBP", At: time.Unix(0, 0)}
	for i, a := range amounts {
		t.Entries = append(t.Entries, Entry{Account: string(rune('a' + i)), Amount: a})
	}
	return t
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, amounts := range [][]int64{{}, {0}, {5, -5}, {1, 2, -3}, {math.MaxInt64, -math.MaxInt64}} {
		if err := transaction("x", amounts...).Check(); err != nil {
			t.Errorf("%v: %v", amounts, err)
		}
	}
	for _, amounts := range [][]int64{{1}, {5, -4}, {math.MaxInt64, 1, math.MinInt64}, {math.MinInt64, -1, 1}} {
		if err := transaction("x", amounts...).Check(); err == nil {
			t.Errorf("%v passes", amounts)
		}
	}
}

func TestPost(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		post := func(ts ...Transaction) error {
			return d.Write(ctx, func(tx *db.Tx) error { return Post(tx, ts...) })
		}
		if err := post(transaction("1", 100, -100, 0), transaction("2", -30, 30)); err != nil {
			t.Fatal(err)
		}
		if err := post(transaction("3", 5, -5), transaction("4", 1)); err == nil {
			t.Error("what is off by one is posted")
		}
		if err := post(transaction("1", 100, -100)); !db.IsUnique(err) {
			t.Errorf("posted twice: %v", err)
		}
		err := d.Read(ctx, func(tx *db.Tx) error {
			of, err := OfObject(ctx, tx, "m", "o")
			if diff := cmp.Diff(map[string]int64{"a": 70, "b": -70}, of); diff != "" {
				t.Error(diff)
			}
			if err != nil {
				return err
			}
			unbalanced, err := Unbalanced(ctx, tx, "m")
			if len(unbalanced) != 0 {
				t.Errorf("unbalanced %v", unbalanced)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
