package exchange

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

const (
	daily = "Date, USD, JPY, BRL, GBP, \n20 November 2026, 1.1569, 179.02, 6.1, 0.87740, \n"
	hist  = "Date,USD,JPY,BRL,GBP,\n2026-11-20,1.1569,179.02,6.1,0.8774,\n2026-11-19,1.16,N/A,6,0.88,\n2026-11-18,1.15,178,,0.87,\n"
	cubes = `<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
	<gesmes:subject>Reference rates</gesmes:subject>
	<gesmes:Sender><gesmes:name>European Central Bank</gesmes:name></gesmes:Sender>
	<Cube>
		<Cube time='2026-11-20'>
			<Cube currency='USD' rate='1.1569'/><Cube currency='JPY' rate='179.02'/><Cube currency='BRL' rate='6.1'/><Cube currency='GBP' rate='0.87740'/>
		</Cube>
		<Cube time="2026-11-19"><Cube currency="USD" rate="1.16"/><Cube currency="BRL" rate="6"/><Cube currency="GBP" rate="0.88"/></Cube>
		<Cube time="2026-11-18"><Cube currency="USD" rate="1.15"/><Cube currency="JPY" rate="178"/><Cube currency="GBP" rate="0.87"/></Cube>
	</Cube>
</gesmes:Envelope>`
)

func file(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// packed is a zip archive of files by their names.
func packed(t testing.TB, files ...[2]string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		w, err := z.Create(f[0])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(f[1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func day(text string) time.Time {
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return d
}

// held are the rates of some currencies that hold on a day.
func held(t testing.TB, d *db.DB, on string, currencies ...string) (out []string) {
	t.Helper()
	ctx := context.Background()
	err := d.Read(ctx, func(tx *db.Tx) error {
		rates, err := List(ctx, tx, day(on), currencies...)
		for _, r := range rates {
			out = append(out, fmt.Sprintf("%s %s %s %s", r.Day.Format(time.DateOnly), r.Currency, r, r.Source))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestImport reads every form in which the rates are published.
func TestImport(t *testing.T) {
	t.Parallel()
	whole := Report{Days: 3, Rates: 8, Changed: 8, Skipped: 2, First: "2026-11-18", Last: "2026-11-20"}
	single := Report{Days: 1, Rates: 3, Changed: 3, Skipped: 1, First: "2026-11-20", Last: "2026-11-20"}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		for i, c := range []struct {
			name, text string
			want       Report
		}{
			{"eurofxref.csv", daily, single},
			{"eurofxref.zip", packed(t, [2]string{"eurofxref.csv", daily}), single},
			{"eurofxref-hist.csv", hist, whole},
			{"mark.csv", "\xef\xbb\xbf" + strings.ReplaceAll(hist, "\n", "\r\n"), whole},
			{"eurofxref-hist.zip", packed(t, [2]string{"readme.txt", "x"}, [2]string{"eurofxref-hist.csv", hist}), whole},
			{"eurofxref-hist.xml", cubes, whole},
		} {
			path := file(t, c.name, c.text)
			got, err := ImportFile(ctx, d, path, nil)
			if c.want.Days == 3 && i > 2 || i == 1 {
				c.want.Changed = 0 // the same rates, in another form
			} else if i == 2 {
				c.want.Changed = 5
			}
			if err != nil || got != c.want {
				t.Errorf("%s: %+v, %v, want %+v", c.name, got, err, c.want)
			}
		}
		twice := "Date,USD,\n2026-11-16,1.2,\n2026-11-16,1.3,\n"
		if got, err := ImportFile(ctx, d, file(t, "twice.csv", twice), nil); err != nil || got.Changed != 1 {
			t.Errorf("a day that stands twice: %+v, %v", got, err)
		}
		for on, want := range map[string][]string{
			"2026-12-24": {"2026-11-20 GBP 0.8774 ecb", "2026-11-20 JPY 179.02 ecb"},
			"2026-11-19": {"2026-11-19 GBP 0.88 ecb", "2026-11-18 JPY 178 ecb"},
			"2026-11-17": {"2026-11-16 USD 1.3 ecb"},
		} {
			currencies := []string{"JPY", "EUR", "GBP", "JPY"}
			if on == "2026-11-17" {
				currencies = append(currencies, "USD")
			}
			if diff := cmp.Diff(want, held(t, d, on, currencies...)); diff != "" {
				t.Errorf("%s: %s", on, diff)
			}
		}
	})
}

// TestBadFiles: an import that fails says where, and leaves nothing.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		long := "Date,USD,\n"
		for i := range chunk + 10 {
			long += day("2026-11-20").AddDate(0, 0, -i).Format(time.DateOnly) + ",1.1,\n"
		}
		for name, c := range map[string]struct{ text, want string }{
			"empty":                {"", ErrNotThisFile.Error()},
			"blank":                {" \n ", ErrNotThisFile.Error()},
			"another table":        {"Currency,Rate\nUSD,1\n", ErrNotThisFile.Error()},
			"a header alone":       {"Date,USD\n", ErrNotThisFile.Error()},
			"another document":     {"<html><body>Not found</body></html>", ErrNotThisFile.Error()},
			"a page":               {"<html><br></html>", ErrNotThisFile.Error()},
			"cut off":              {cubes[:len(cubes)-60], ErrNotThisFile.Error()},
			"a rate below zero":    {hist + "2026-11-17,-1,1,1,1,\n", "line 5"},
			"no number":            {hist + "2026-11-17,x,1,1,1,\n", "line 5"},
			"no date":              {hist + "17.11.2026,1,1,1,1,\n", "line 5"},
			"more than the header": {hist + "2026-11-17,1,1,1,1,1,1\n", "line 5"},
			"late":                 {long + "2026-11-17,x,\n", fmt.Sprintf("line %d", chunk+12)},
			"no rate in a cube":    {strings.Replace(cubes, "rate='1.1569'", "", 1), "line 7"},
			"a rate of no day":     {strings.Replace(cubes, "time='2026-11-20'", "", 1), "line 7"},
			"an archive of none":   {packed(t, [2]string{"readme.txt", hist}), "no CSV or XML"},
			"an archive of two":    {packed(t, [2]string{"a.csv", hist}, [2]string{"b.csv", hist}), "more than one"},
			"a broken archive":     {packed(t, [2]string{"a.csv", hist})[:40], "zip"},
		} {
			got, err := ImportFile(context.Background(), d, file(t, "file", c.text), nil)
			if err == nil || !strings.Contains(err.Error(), c.want) || got != (Report{}) {
				t.Errorf("%s: %+v, %v, want %q", name, got, err, c.want)
			}
		}
		if left := held(t, d, "2030-01-01", "USD", "GBP", "JPY"); len(left) > 0 {
			t.Errorf("left %q", left)
		}
	})
}

// TestOperatorsRates: what an operator has set stays, and the sandbox's rates
// count only before others.
func TestOperatorsRates(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		if err := errors.Join(LoadSandbox(ctx, d), LoadSandbox(ctx, d)); err != nil {
			t.Fatal(err)
		}
		own, err := Parse(day("2026-11-19"), "USD", "1.5")
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Write(ctx, func(tx *db.Tx) error { Set(tx, own); return nil }); err != nil {
			t.Fatal(err)
		}
		var told []Report
		report, err := ImportFile(ctx, d, file(t, "hist.csv", hist), func(r Report) { told = append(told, r) })
		if err != nil || report.Changed != 7 || len(told) != 1 {
			t.Errorf("%+v, %+v, %v", report, told, err)
		}
		for on, want := range map[string]string{
			"2026-11-20": "2026-11-20 USD 1.1569 ecb", "2026-11-19": "2026-11-19 USD 1.5 operator",
			"2026-11-18": "2026-11-18 USD 1.15 ecb", "2026-11-17": "2000-01-01 USD 1.1569 illustrative",
		} {
			if diff := cmp.Diff([]string{want}, held(t, d, on, "USD")); diff != "" {
				t.Error(diff)
			}
		}
		err = d.Read(ctx, func(tx *db.Tx) error {
			rates, err := On(ctx, tx, day("2026-11-20"), "GBP", "GBP")
			if err != nil || rates.perEuro != nil {
				t.Errorf("rates were read for one currency: %v, %v", rates, err)
			}
			rates, err = On(ctx, tx, day("2026-11-20"), "GBP", "USD")
			if v, e := rates.Convert(200000, "GBP", "USD", Floor); v != 263710 || e != nil {
				t.Errorf("%d, %v", v, e)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
