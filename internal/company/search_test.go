package company

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

// some makes companies for a test: each is "country number name", and may go on
// with "; postcode; city; status".
func some(lines ...string) []Company {
	var out []Company
	for _, l := range lines {
		parts := append(strings.Split(l, "; "), "", "", "")
		first := strings.SplitN(parts[0], " ", 3)
		c := Company{
			ID: ID(first[0], first[1]), Country: first[0], Name: first[2], Postcode: parts[1], City: parts[2], Status: parts[3],
			Identifiers: []Identifier{{RegNumber, first[0], first[1]}}, Sectors: []Sector{},
		}
		if c.Status == "" {
			c.Status = StatusActive
		}
		out = append(out, c)
	}
	return out
}

func load(t *testing.T, d *db.DB, source Source, version string, companies []Company) {
	t.Helper()
	if err := Load(context.Background(), d, source, version, slices.Values(companies)); err != nil {
		t.Fatal(err)
	}
}

var ranked = some(
	"GB 11215527 Hokodo Ltd", "GB 11351988 Hokodo Services Ltd", "FR 552100554 Hokodo SAS",
	"GB 00000101 Kestrel Systems Limited; LS1 1AA; Leeds", "GB 00000102 Kestrel Systems LLP; M1 1AA; Manchester",
	"GB 00000103 Kestrel Systems PLC; SE1 1AA; London; Dissolved", "GB 00000104 Kestrel Systems and Cables Ltd",
	"GB SC001234 Écluse Café & Müller's Ltd", "GB 00000106 A.B.C. Limited", "GB 00000107 London Property Services Ltd",
	"GB 00000108 Jonson Property Services Ltd", "GB 00000109 The Old Company Ltd", "GB 00000110 Form Ltd",
	"GB 00000111 Farm Holdings Ltd", "GB 00000112 Zwischenwasserstrassenbau International Ltd",
	"DE HRB-12345 Straßenbau Weiß GmbH & Co. KG", "GB 00000114 株式会社 日立",
)

func TestSearchRanks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		load(t, d, SourceSandbox, "1", ranked)
		for _, c := range []struct {
			q    Query
			want []string // the first ones, in this order
		}{
			{Query{Country: "GB", Name: "Hokodo Ltd"}, []string{"Hokodo Ltd", "Hokodo Services Ltd"}},
			{Query{Country: "GB", Name: "hokodo"}, []string{"Hokodo Ltd", "Hokodo Services Ltd"}},
			{Query{Country: "GB", Name: "HOKODO SERVICES LIMITED"}, []string{"Hokodo Services Ltd"}},
			{Query{Country: "FR", Name: "Hokodo"}, []string{"Hokodo SAS"}},
			{Query{Country: "DE", Name: "Hokodo"}, nil},
			// The registration number comes before any name, however it is written.
			{Query{Country: "GB", Name: "Hokodo Ltd", Number: "113 519 88"}, []string{"Hokodo Services Ltd", "Hokodo Ltd"}},
			{Query{Country: "GB", Number: "sc1234"}, []string{"Écluse Café & Müller's Ltd"}},
			{Query{Country: "GB", Number: "SC 00 12 34"}, []string{"Écluse Café & Müller's Ltd"}},
			{Query{Country: "FR", Number: "55210055400013"}, []string{"Hokodo SAS"}},
			{Query{Country: "DE", Number: "HRB 012345"}, []string{"Straßenbau Weiß GmbH & Co. KG"}},
			{Query{Country: "GB", Number: "99999999"}, nil},
			{Query{Country: "FR", Number: "11215527"}, nil},
			{Query{Country: "GB", Number: "99999999", Name: "Form"}, []string{"Form Ltd"}},
			// Accents, punctuation, spaces and legal forms do not matter.
			{Query{Country: "GB", Name: "ecluse cafe and mullers"}, []string{"Écluse Café & Müller's Ltd"}},
			{Query{Country: "GB", Name: "ABC Ltd"}, []string{"A.B.C. Limited"}},
			{Query{Country: "GB", Name: "kestrelsystems"}, []string{"Kestrel Systems LLP"}},
			{Query{Country: "DE", Name: "strassenbau weiss"}, []string{"Straßenbau Weiß GmbH & Co. KG"}},
			{Query{Country: "GB", Name: "日立 株式会社"}, []string{"株式会社 日立"}},
			// Likeness, then the legal form, the address, and whether it trades.
			{Query{Country: "GB", Name: "Kestrel Systems LLP"}, []string{"Kestrel Systems LLP", "Kestrel Systems Limited", "Kestrel Systems PLC"}},
			{Query{Country: "GB", Name: "Kestrel Systems", Address: "1 High St, Leeds LS11AA"}, []string{"Kestrel Systems Limited", "Kestrel Systems LLP"}},
			{Query{Country: "GB", Name: "Kestrel Systems", Address: "MANCHESTER"}, []string{"Kestrel Systems LLP", "Kestrel Systems Limited", "Kestrel Systems PLC", "Kestrel Systems and Cables Ltd"}},
			// Slips of the pen.
			{Query{Country: "GB", Name: "Hokdo Ltd"}, []string{"Hokodo Ltd"}},
			{Query{Country: "GB", Name: "Hokodo Limted"}, []string{"Hokodo Ltd"}},
			{Query{Country: "GB", Name: "Jonsen Property Services"}, []string{"Jonson Property Services Ltd"}},
			{Query{Country: "GB", Name: "Jonson Porperty Services"}, []string{"Jonson Property Services Ltd"}},
			{Query{Country: "GB", Name: "Form Holdings"}, []string{"Farm Holdings Ltd"}}, // a slip that made another word
			{Query{Country: "GB", Name: "Zwischenwaserstrassenbau"}, []string{"Zwischenwasserstrassenbau International Ltd"}},
			// A word too many, words in another order, the beginning of a word.
			{Query{Country: "GB", Name: "Hokodo UK"}, []string{"Hokodo Ltd"}},
			{Query{Country: "GB", Name: "property services jonson"}, []string{"Jonson Property Services Ltd"}},
			{Query{Country: "GB", Name: "Hokodo Serv"}, []string{"Hokodo Services Ltd"}},
			{Query{Country: "GB", Name: "Non-existent-company"}, nil},
			{Query{Country: "GB", Name: "Wholly Different"}, nil},
		} {
			got := names(find(t, d, c.q, 10))
			if len(c.want) == 0 && len(got) > 0 || len(got) < len(c.want) || !slices.Equal(got[:len(c.want)], c.want) {
				t.Errorf("%+v finds %q, not %q first", c.q, got, c.want)
			}
		}
	})
}

func TestConfidenceFallsWithLikeness(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		load(t, d, SourceSandbox, "1", ranked)
		last := Confidence(1001)
		for _, name := range []string{"Hokodo Ltd", "Hokodo", "Hokodoo"} {
			m := find(t, d, Query{Country: "GB", Name: name}, 1)
			if len(m) != 1 || *m[0].Confidence >= last || *m[0].Confidence < scoreAccepted {
				t.Fatalf("%s: %+v after %d", name, m, last)
			}
			last = *m[0].Confidence
		}
		if m := find(t, d, Query{Country: "GB", Number: "11215527", Name: "Something Else"}, 1); *m[0].Confidence != 1000 {
			t.Errorf("a registration number has confidence %d", *m[0].Confidence)
		}
	})
}

// TestHostileQueries: no query makes an error, and none takes the limits apart.
func TestHostileQueries(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		load(t, d, SourceSandbox, "1", ranked)
		for _, text := range []string{
			"", " ", "\x00", "hokodo\x00ltd", "\xff\xfe", "🚀🚀🚀", "'; DROP TABLE companies; --", `"hokodo" OR "x"`,
			"hokodo*", "NEAR(a b)", "col:x", "%", "_", "a & | ! ( )", `\`, "$1", "?1", "{{end}}", "\U0010FFFF\U0010FFFF\U0010FFFF",
			strings.Repeat("a", 1_000_000), strings.Repeat("a ", 100_000), strings.Repeat("hokodo services ", 1000),
			strings.Repeat("\u0301", 10_000), strings.Repeat("é", 5000), "Z̸̢̛͓a̵͎l̶g̷o", "\u202Eodokoh", "ﬁnance ℌokodo", "0", "00000000",
			"ltd ltd ltd ltd ltd ltd ltd ltd ltd ltd ltd ltd ltd ltd ltd ltd ltd ltd ltd ltd ltd ltd ltd ltd ltd ltd ltd ltd",
		} {
			for _, q := range []Query{
				{Country: "GB", Name: text}, {Country: "GB", Number: text}, {Country: text, Name: "hokodo"},
				{Country: "GB", Name: "hokodo", Address: text}, {Country: text, Name: text, Number: text, Address: text},
			} {
				if strings.Contains(q.Country, "\x00") || strings.Contains(q.Country, "\xff") {
					continue // a country is checked before it comes here
				}
				find(t, d, q, 10)
			}
		}
		r := rand.New(rand.NewPCG(1, 1))
		for range 300 {
			b := make([]byte, r.IntN(60))
			for i := range b {
				b[i] = byte(r.Uint32())
			}
			find(t, d, Query{Country: "GB", Name: string(b), Number: string(b), Address: string(b)}, 10)
		}
	})
}

func TestSearchLimit(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var many []Company
		for i := range 90 {
			many = append(many, some(fmt.Sprintf("GB %d Common Trading Ltd", i+1))...)
		}
		load(t, d, SourceSandbox, "1", many)
		for limit, want := range map[int]int{-1: 1, 0: 1, 1: 1, 10: 10, 1000: MaxMatches} {
			if got := len(find(t, d, Query{Country: "GB", Name: "common trading"}, limit)); got != want {
				t.Errorf("limit %d: %d matches", limit, got)
			}
		}
	})
}

// TestWordTooMany: a word that none of the candidates has is passed over, however
// many candidates there are.
func TestWordTooMany(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var many []Company
		for i := range 300 {
			name := "Alpha Trading Ltd"
			if i >= 2*maxCandidates {
				name = "Beta Ltd"
			}
			many = append(many, some(fmt.Sprintf("GB %d %s", i+1, name))...)
		}
		load(t, d, SourceSandbox, "1", many)
		if got := names(find(t, d, Query{Country: "GB", Name: "alpha trading beta"}, 1)); !slices.Equal(got, []string{"Alpha Trading Ltd"}) {
			t.Errorf("found %q", got)
		}
	})
}

// TestSourcesShareCompanies: what several sources know is found once, as the
// first of them tells it, and by the names of all.
func TestSourcesShareCompanies(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		register, lei := some("GB 00000001 Alpha Trading Ltd"), some("GB 1 Alpha Trading International Ltd", "IE 1 Beta Ltd")
		lei[0].Identifiers = append(lei[0].Identifiers, Identifier{LEI, "", "5493001KJTIIGC8Y1R12"})
		register[0].Aliases = []string{"Omega"}
		load(t, d, GLEIF, "1", lei)
		load(t, d, CompaniesHouse, "1", register)
		for _, q := range []Query{{Name: "alpha trading"}, {Name: "alpha trading international"}, {Name: "omega"}, {Number: "1"}} {
			q.Country = "GB"
			if got := names(find(t, d, q, 10)); !slices.Equal(got, []string{"Alpha Trading Ltd"}) {
				t.Errorf("%+v finds %q", q, got)
			}
		}
		if got := names(find(t, d, Query{Country: "IE", Name: "beta"}, 10)); !slices.Equal(got, []string{"Beta Ltd"}) {
			t.Errorf("another country of a mixed segment: %q", got)
		}
	})
}

// complete has every detail, bare none.
func complete() Company {
	limit := int64(500)
	return Company{
		ID: ID("GB", "7"), Country: "GB", Name: "Complete Ltd", Address: "1 Road", City: "Town", Postcode: "AA1 1AA",
		LegalForm: "Private", Sectors: []Sector{{"SIC2007", "62012"}}, CreationDate: "2018-02-20",
		Identifiers: []Identifier{{RegNumber, "GB", "00000007"}, {VATNumber, "", "GB7"}}, Email: "a@b.example", Phone: "+44",
		Status: "Active", AccountsType: "SMALL", Aliases: []string{"Comp"},
		Facts: Facts{CreditLimit: &limit, Currency: "GBP", Rejection: &Rejection{"buyer-size", map[string]string{"company_size": "MICRO"}},
			Financials: &Financials{Currency: "GBP", Turnover: 7}},
	}
}

func bare() Company {
	return Company{ID: ID("GB", "8"), Country: "GB", Name: "Bare Ltd", Sectors: []Sector{}, Identifiers: []Identifier{}}
}

func TestGetAndExists(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		load(t, d, SourceSandbox, "1", []Company{complete(), bare()})
		err := d.Read(ctx, func(tx *db.Tx) error {
			for _, want := range []Company{complete(), bare()} {
				got, err := Get(ctx, tx, want.ID)
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Error(diff, err)
				}
			}
			if _, err := Get(ctx, tx, "co-nothing"); !errors.Is(err, db.ErrNoRows) {
				t.Errorf("a company that does not exist: %v", err)
			}
			found, err := GetMany(ctx, tx, []string{bare().ID, "co-nothing", complete().ID, bare().ID})
			if len(found) != 2 || err != nil {
				t.Errorf("found %v, %v", found, err)
			}
			yes, err := Exists(ctx, tx, complete().ID)
			no, err2 := Exists(ctx, tx, "co-nothing")
			if !yes || no {
				t.Errorf("exists: %v, %v", yes, no)
			}
			return errors.Join(err, err2)
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

// TestKeep: the register drops two companies; the one that was kept is still
// there, but no longer found by a search.
func TestKeep(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		load(t, d, SourceSandbox, "1", []Company{complete(), bare()})
		err := d.Write(ctx, func(tx *db.Tx) error {
			if err := Keep(ctx, tx, "co-nothing"); !errors.Is(err, db.ErrNoRows) {
				t.Errorf("keeping what does not exist: %v", err)
			}
			return errors.Join(Keep(ctx, tx, complete().ID), Keep(ctx, tx, complete().ID))
		})
		if err != nil {
			t.Fatal(err)
		}
		load(t, d, SourceSandbox, "2", some("GB 9 Other Ltd"))
		err = d.Read(ctx, func(tx *db.Tx) error {
			got, err := Get(ctx, tx, complete().ID)
			if diff := cmp.Diff(complete(), got); diff != "" {
				t.Error(diff)
			}
			if ok, _ := Exists(ctx, tx, bare().ID); ok {
				t.Error("a company nobody kept is still there")
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := find(t, d, Query{Country: "GB", Name: "Complete"}, 10); len(got) != 0 {
			t.Errorf("a company that left its register is found: %q", names(got))
		}
	})
}
