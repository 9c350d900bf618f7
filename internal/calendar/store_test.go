package calendar

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

func TestKept(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		jubilee := Holiday{Country: "GB", Date: day("2027-05-04"), Name: "Jubilee"}
		worked := Holiday{Country: "GB", Date: day("2027-05-03"), Name: "Early May is worked", Open: true}
		err := d.Write(ctx, func(tx *db.Tx) error {
			for _, h := range []Holiday{
				jubilee, {Country: "GB", Date: worked.Date, Name: "x"}, worked,
				{Country: TARGET2, Date: day("2027-05-05"), Name: "Maintenance"},
			} {
				if err := Put(tx, h); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		err = d.Write(ctx, func(tx *db.Tx) error {
			got, err := List(ctx, tx, "GB")
			if diff := cmp.Diff([]Holiday{worked, jubilee}, got); diff != "" {
				t.Error(diff)
			}
			if err != nil {
				return err
			}
			days, err := Load(ctx, tx, "GB")
			if err != nil || !days.Is(worked.Date) || days.Is(jubilee.Date) || !days.Is(day("2027-05-05")) {
				t.Errorf("the days of GB: %v", err)
			}
			for i, want := range []bool{true, false} {
				if gone, err := Delete(ctx, tx, "GB", jubilee.Date); err != nil || gone != want {
					t.Errorf("deleting for the %d. time: %t, %v", i+1, gone, err)
				}
			}
			days, err = Load(ctx, tx, "GB")
			if err != nil || !days.Is(jubilee.Date) {
				t.Errorf("the deleted day is still closed: %v", err)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func TestCheck(t *testing.T) {
	t.Parallel()
	good := Holiday{Country: "GB", Date: day("2027-05-04"), Name: "x"}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(h *Holiday){
		"country":  func(h *Holiday) { h.Country = "gb" },
		"midnight": func(h *Holiday) { h.Date = h.Date.Add(time.Hour) },
		"Saturday": func(h *Holiday) { h.Date = day("2027-05-08") },
		"years":    func(h *Holiday) { h.Date = time.Time{} },
		"missing":  func(h *Holiday) { h.Name = "" },
		"longer":   func(h *Holiday) { h.Name = strings.Repeat("x", 201) },
	} {
		h := good
		change(&h)
		if err := h.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
		if err := Put(nil, h); err == nil {
			t.Errorf("%s is kept", want)
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	d, from := Of("GB"), day("2027-12-24")
	for b.Loop() {
		d.Add(from, 3)
	}
}
