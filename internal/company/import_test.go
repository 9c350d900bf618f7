package company

import (
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

const companiesHouseHeader = "CompanyName, CompanyNumber,RegAddress.CareOf,RegAddress.POBox,RegAddress.AddressLine1, RegAddress.AddressLine2," +
	"RegAddress.PostTown,RegAddress.County,RegAddress.Country,RegAddress.PostCode,CompanyCategory,CompanyStatus,CountryOfOrigin," +
	"DissolutionDate,IncorporationDate,Accounts.AccountRefDay,Accounts.AccountRefMonth,Accounts.NextDueDate,Accounts.LastMadeUpDate," +
	"Accounts.AccountCategory,SICCode.SicText_1,SICCode.SicText_2,SICCode.SicText_3,SICCode.SicText_4\n"

// british makes a file of Companies House with companies numbered from 1 on.
func british(names ...string) string {
	var b strings.Builder
	b.WriteString(companiesHouseHeader)
	for i, n := range names {
		fmt.Fprintf(&b, "%q,\"%08d\",,,1 HIGH STREET,,LONDON,,,E2 8AA,Private Limited Company,Active,United Kingdom,,20/02/2018,,,,,,,,,\n", n, i+1)
	}
	return b.String()
}

func importText(d *db.DB, source Source, text string, o Options) (Report, error) {
	o.noDelay = true
	o.Size = int64(len(text))
	return Import(context.Background(), d, source, strings.NewReader(text), o)
}

func TestImportCompaniesHouse(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		text := "\ufeff" + companiesHouseHeader +
			`"HOKODO ""QUOTED"" LTD","11215527","","","35 KINGSLAND ROAD","","LONDON","","","E2 8AA","Private Limited Company",` +
			`"Active","United Kingdom","","20/02/2018","31","12","30/09/2026","31/12/2024","TOTAL EXEMPTION FULL",` +
			`"64999 - Financial intermediation not elsewhere classified","62012 - Business and domestic software development","None Supplied",""` + "\r\n" +
			"\"TWO\nLINES LTD\",SC000002,,,,,,,,,,Active,,,,,,,,,,,,\n"
		report, err := importText(d, CompaniesHouse, text, Options{})
		if err != nil || report.Imported != 2 || !report.Switched || report.Bad != 0 || report.Bytes != int64(len(text)) {
			t.Fatalf("%+v, %v", report, err)
		}
		want := Company{
			ID: ID("GB", "11215527"), Country: "GB", Name: `HOKODO "QUOTED" LTD`, Address: "35 KINGSLAND ROAD, LONDON, E2 8AA",
			City: "LONDON", Postcode: "E2 8AA", LegalForm: "Private Limited Company", CreationDate: "2018-02-20", Status: "Active",
			AccountsType: "TOTAL EXEMPTION FULL", Sectors: []Sector{{"SIC2007", "64999"}, {"SIC2007", "62012"}},
			Identifiers: []Identifier{{RegNumber, "GB", "11215527"}},
			Facts:       Facts{AccountsMadeUpTo: "2024-12-31", AccountsDue: "2026-09-30"},
		}
		if got := find(t, d, Query{Country: "GB", Number: "11215527"}, 10); len(got) != 1 || !cmp.Equal(got[0].Company, want) {
			t.Errorf("%v", cmp.Diff(want, got[0].Company))
		}
		if got := names(find(t, d, Query{Country: "GB", Name: "two lines", Number: "SC2"}, 10)); !slices.Equal(got, []string{"TWO LINES LTD"}) {
			t.Errorf("found %q", got)
		}
	})
}

func TestImportSirene(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		units := "siren,statutDiffusionUniteLegale,dateCreationUniteLegale,sigleUniteLegale,categorieEntreprise,etatAdministratifUniteLegale," +
			"nomUniteLegale,denominationUniteLegale,denominationUsuelle1UniteLegale,categorieJuridiqueUniteLegale," +
			"activitePrincipaleUniteLegale,nomenclatureActivitePrincipaleUniteLegale\n" +
			"005520135,O,1955-01-01,EDX,GE,A,,ÉLECTRICITÉ DE BELLEVUE,,5599,35.11Z,NAFRev2\n" + // its number begins with zeros
			"100000017,O,2001-01-01,,,A,DUPONT,,,1000,43.21A,NAFRev2\n" + // a person
			"100000025,O,2001-01-01,,,C,,FERMÉE,,5710,43.21A,NAFRev2\n" + // ceased
			"100000033,P,2001-01-01,,,A,,[ND],,5710,43.21A,NAFRev2\n" + // does not publish its name
			"100000041,O,2011-05-06,,PME,A,,MENUISERIE ÉCLUSE,,5710,43.32A,NAFRev2\n"
		offices := "siren,nic,siret,etablissementSiege,complementAdresseEtablissement,numeroVoieEtablissement,indiceRepetitionEtablissement," +
			"typeVoieEtablissement,libelleVoieEtablissement,codePostalEtablissement,libelleCommuneEtablissement\n" +
			"005520135,00001,00552013500001,false,,9,,RUE,FAUSSE,99999,NULLE PART\n" +
			"005520135,00002,00552013500002,true,BAT A,22,B,RUE,DE WAGRAM,75008,PARIS\n" +
			"100000017,00001,10000001700001,true,,1,,RUE,X,75001,PARIS\n" +
			"100000041,00001,10000004100001,true,,,,,[ND],44000,NANTES\n"
		report, err := importText(d, Sirene, units, Options{Establishments: strings.NewReader(offices)})
		if err != nil || report.Imported != 2 || report.Skipped != 3 || report.Bad != 0 {
			t.Fatalf("%+v, %v", report, err)
		}
		want := Company{
			ID: ID("FR", "005520135"), Country: "FR", Name: "ÉLECTRICITÉ DE BELLEVUE", Address: "BAT A, 22 B RUE DE WAGRAM, 75008 PARIS",
			City: "PARIS", Postcode: "75008", LegalForm: "SA à conseil d'administration (s.a.i.)", CreationDate: "1955-01-01",
			Status: "Active", Sectors: []Sector{{"NAF_2008", "35.11Z"}}, Identifiers: []Identifier{{RegNumber, "FR", "005520135"}},
			Aliases: []string{"EDX"}, Facts: Facts{Size: "GE"},
		}
		for _, q := range []Query{{Name: "edx"}, {Name: "electricite de bellevue"}, {Number: "5520135"}, {Number: "00552013500002"}} {
			q.Country = "FR"
			got := find(t, d, q, 10)
			if len(got) != 1 || !cmp.Equal(got[0].Company, want) {
				t.Errorf("%+v: %v", q, got)
			}
		}
		if got := find(t, d, Query{Country: "FR", Name: "menuiserie ecluse"}, 1); len(got) != 1 || got[0].Address != "44000 NANTES" {
			t.Errorf("%+v", got)
		}
	})
}

func TestImportGLEIF(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		head := "LEI,Entity.LegalName,Entity.LegalAddress.FirstAddressLine,Entity.LegalAddress.City,Entity.LegalAddress.Country," +
			"Entity.LegalAddress.PostalCode,Entity.RegistrationAuthority.RegistrationAuthorityID," +
			"Entity.RegistrationAuthority.RegistrationAuthorityEntityID,Entity.LegalJurisdiction,Entity.EntityCategory," +
			"Entity.LegalForm.EntityLegalFormCode,Entity.LegalForm.OtherLegalForm,Entity.EntityStatus,Entity.EntityCreationDate\n"
		text := head +
			`"5493001KJTIIGC8Y1R12","Alder Ltd","1 Road","London","GB","E1 1AA","RA000585","00000077","GB","GENERAL","H0PO","","ACTIVE","2001-02-03T00:00:00Z"` + "\n" +
			`"5493001KJTIIGC8Y1R13","Alder Trust","1 Road","London","GB","E1 1AA","RA000589","77","GB","GENERAL","","Charity","ACTIVE",""` + "\n" +
			`"5493001KJTIIGC8Y1R14","Kraft GmbH","Weg 1","München","DE","80331","RA000242","HRB 77","DE","GENERAL","2HBR","","ACTIVE",""` + "\n" +
			`"5493001KJTIIGC8Y1R15","Delaware Inc","1 Street","Dover","US","19901","RA000602","","US-DE","GENERAL","","","ACTIVE",""` + "\n" +
			`"5493001KJTIIGC8Y1R16","Some Fund","1 Street","Dublin","IE","D01","","","IE","FUND","","","ACTIVE",""` + "\n" +
			`"5493001KJTIIGC8Y1R17","Gone Ltd","1 Street","Dublin","IE","D01","","","IE","GENERAL","","","INACTIVE",""` + "\n"
		report, err := importText(d, GLEIF, text, Options{})
		if err != nil || report.Imported != 4 || report.Skipped != 2 {
			t.Fatalf("%+v, %v", report, err)
		}
		// The number of a company and that of a charity are no one's but their own.
		got := find(t, d, Query{Country: "GB", Number: "77"}, 10)
		if len(got) != 2 || got[0].ID == got[1].ID {
			t.Fatalf("%+v", got)
		}
		if ids := []string{got[0].ID, got[1].ID}; !slices.Contains(ids, ID("GB", "00000077")) {
			t.Errorf("the company of Companies House is not among %q", ids)
		}
		us := find(t, d, Query{Country: "US", Name: "delaware"}, 10)
		if len(us) != 1 || !cmp.Equal(us[0].Identifiers, []Identifier{{LEI, "", "5493001KJTIIGC8Y1R15"}}) {
			t.Errorf("%+v", us)
		}
	})
}

// TestImportSwitches: a new edition replaces the old one as a whole, ids stay,
// and nothing of the old one is left behind.
func TestImportSwitches(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if _, err := importText(d, CompaniesHouse, british("Alpha Ltd", "Beta Ltd", "Gamma Ltd"), Options{segmentSize: 2}); err != nil {
			t.Fatal(err)
		}
		before := find(t, d, Query{Country: "GB", Name: "alpha"}, 1)[0]
		second := british("Alpha International Ltd", "Beta Ltd")
		report, err := importText(d, CompaniesHouse, second, Options{segmentSize: 2})
		if err != nil || report.Generation != 2 {
			t.Fatalf("%+v, %v", report, err)
		}
		after := find(t, d, Query{Country: "GB", Name: "alpha"}, 10)
		if len(after) != 1 || after[0].Name != "Alpha International Ltd" || after[0].ID != before.ID {
			t.Errorf("before %+v, after %+v", before, after)
		}
		if got := find(t, d, Query{Country: "GB", Name: "gamma"}, 10); len(got) != 0 {
			t.Errorf("a company of the old edition is found: %+v", got)
		}
		expectRows(t, d, 2)
		report, err = importText(d, CompaniesHouse, second, Options{})
		if err != nil || !report.Unchanged || report.Switched {
			t.Errorf("the same file again: %+v, %v", report, err)
		}
		report, err = importText(d, CompaniesHouse, second, Options{Force: true})
		if err != nil || report.Unchanged || !report.Switched {
			t.Errorf("the same file, forced: %+v, %v", report, err)
		}
		expectRows(t, d, 2)
	})
}

const (
	countCompanies db.SQL = `SELECT count(*) FROM companies`
	countWords     db.SQL = `SELECT count(*) FROM company_words w WHERE NOT EXISTS
		(SELECT 1 FROM company_segments s WHERE s.id = w.segment AND s.state = 'live')`
)

// expectRows makes sure that there are so many companies and no stray words.
func expectRows(t *testing.T, d *db.DB, want int64) {
	t.Helper()
	var companies, strays int64
	ctx := context.Background()
	err := d.Read(ctx, func(tx *db.Tx) error {
		return errors.Join(tx.Get(ctx, countCompanies, nil, &companies), tx.Get(ctx, countWords, nil, &strays))
	})
	if err != nil || companies != want || strays != 0 {
		t.Errorf("%d companies, %d stray words, %v; want %d companies", companies, strays, err, want)
	}
}

// TestFailedImportKeepsTheOldEdition: whatever is wrong with a file, what was
// found before is still found.
func TestFailedImportKeepsTheOldEdition(t *testing.T) {
	t.Parallel()
	many := make([]string, 40)
	for i := range many {
		many[i] = fmt.Sprintf("New %c%c Ltd", 'a'+i/26, 'a'+i%26)
	}
	good := british(many...)
	for name, c := range map[string]struct {
		text string
		err  error
	}{
		"empty file":        {"", ErrNotThisFile},
		"another file":      {"a,b,c\n1,2,3\n", ErrNotThisFile},
		"no companies":      {british(), ErrShrunk},
		"truncated":         {british(many[:4]...), ErrShrunk},
		"bad rows":          {good + "only,three,values\n", ErrBadRows},
		"bad dates":         {strings.Replace(good, "20/02/2018", "2018-02-20", 1), ErrBadRows},
		"no numbers":        {strings.ReplaceAll(good, "00000007", ""), ErrBadRows},
		"never closed":      {good + `"OPEN LTD,1,,,` + "\n" + strings.Repeat("x\n", 10), ErrBadRows},
		"not text":          {"\x00\x01\x02", ErrNotThisFile},
		"binary after all":  {companiesHouseHeader + strings.Repeat("\xff\x00\"\n", 50), ErrBadRows},
		"one gigantic line": {companiesHouseHeader + strings.Repeat("x", 3<<20), ErrBadRows},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, d *db.DB) {
				old := make([]string, 20)
				for i := range old {
					old[i] = fmt.Sprintf("Old %c Ltd", 'a'+i)
				}
				if _, err := importText(d, CompaniesHouse, british(old...), Options{}); err != nil {
					t.Fatal(err)
				}
				report, err := importText(d, CompaniesHouse, c.text, Options{segmentSize: 15})
				if !errors.Is(err, c.err) || report.Switched {
					t.Fatalf("%+v, %v; want %v", report, err, c.err)
				}
				if report.Bad > 0 && report.BadLines[0].Line < 2 {
					t.Errorf("bad lines %+v", report.BadLines)
				}
				if got := find(t, d, Query{Country: "GB", Name: "old b"}, 1); len(got) != 1 || got[0].Name != "Old b Ltd" {
					t.Errorf("the old edition: %+v", got)
				}
				if got := find(t, d, Query{Country: "GB", Name: "new ab"}, 1); len(got) != 0 {
					t.Errorf("the failed edition is found: %+v", got)
				}
				expectRows(t, d, 20)
				// A good file afterwards is taken in.
				if _, err := importText(d, CompaniesHouse, good, Options{}); err != nil {
					t.Fatal(err)
				}
				expectRows(t, d, 40)
			})
		})
	}
}

func TestBadRowsAreNamed(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		rows := make([]string, 400)
		for i := range rows {
			rows[i] = fmt.Sprintf("Row %c%c Ltd", 'a'+i/26, 'a'+i%26)
		}
		lines := strings.SplitAfter(british(rows...), "\n")
		lines[6] = "\n" + `"never closed,1` + "\n"                            // line 8, after an empty one
		lines[10] = strings.Replace(lines[10], "20/02/2018", "31/02/2018", 1) // line 12
		report, err := importText(d, CompaniesHouse, strings.Join(lines, ""), Options{})
		want := []BadLine{{8, errMalformed.Error()}, {12, `IncorporationDate: "31/02/2018" is not a date`}}
		if diff := cmp.Diff(want, report.BadLines); diff != "" || err != nil || report.Bad != 2 || report.Imported != 398 {
			t.Errorf("%s, %v, %+v", diff, err, report)
		}
	})
}

// cutReader breaks off after some bytes, as a killed process does.
type cutReader struct {
	r    io.Reader
	left int
}

var errCut = errors.New("cut")

func (c *cutReader) Read(b []byte) (int, error) {
	if c.left == 0 {
		return 0, errCut
	}
	n, err := c.r.Read(b[:min(len(b), c.left)])
	c.left -= n
	return n, err
}

// TestImportResumes: an import that was cut off goes on after the segments that
// were finished, and ends as if it had never been interrupted.
func TestImportResumes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		const n = 12_000 // well over the buffer, so that the beginning alone can be read
		rows := make([]string, n)
		for i := range rows {
			rows[i] = fmt.Sprintf("Company %s Ltd", invented(uint64(i)))
		}
		text := british(rows...)
		var last Report
		for cut := len(text) * 6 / 10; ; cut += len(text) / 8 {
			r := &cutReader{strings.NewReader(text), min(cut, len(text)+1)}
			if cut > len(text) {
				r.left = len(text) + 1
			}
			report, err := Import(context.Background(), d, CompaniesHouse, struct{ io.Reader }{r},
				Options{Size: int64(len(text)), segmentSize: 3000, noDelay: true})
			if err == nil {
				last = report
				break
			}
			if !errors.Is(err, errCut) {
				t.Fatal(err)
			}
			if got := find(t, d, Query{Country: "GB", Number: "1"}, 1); len(got) != 0 {
				t.Fatal("half an edition is found")
			}
		}
		if last.ResumedAt < 6000 || last.Imported != n || last.Rows != n || last.Generation != 1 || last.Bytes != int64(len(text)) {
			t.Errorf("%+v", last)
		}
		expectRows(t, d, n)
		for _, i := range []int{0, 2999, 3000, 8999, 9000, n - 1} {
			if got := find(t, d, Query{Country: "GB", Number: fmt.Sprint(i + 1)}, 5); len(got) != 1 || got[0].Name != rows[i] {
				t.Errorf("company %d: %+v", i, got)
			}
		}
	})
}

// TestImportIsOvertaken: of two imports of a source, the later one wins.
func TestImportIsOvertaken(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		rows := make([]string, 11_000)
		for i := range rows {
			rows[i] = fmt.Sprintf("First %d Ltd", i)
		}
		overtaken := false
		_, err := importText(d, CompaniesHouse, british(rows...), Options{segmentSize: 3000, Progress: func(p Progress) {
			if overtaken {
				return
			}
			overtaken = true
			if _, err := importText(d, CompaniesHouse, british("Second Ltd"), Options{}); err != nil {
				t.Error(err)
			}
		}})
		if !overtaken || !errors.Is(err, ErrOvertaken) {
			t.Errorf("overtaken %v, %v", overtaken, err)
		}
		if got := names(find(t, d, Query{Country: "GB", Name: "second"}, 5)); !slices.Equal(got, []string{"Second Ltd"}) {
			t.Errorf("found %q", got)
		}
	})
}

func TestImportStops(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx, cancel := context.WithCancel(context.Background())
		rows := make([]string, 30_000)
		for i := range rows {
			rows[i] = fmt.Sprintf("Stopped %d Ltd", i)
		}
		_, err := Import(ctx, d, CompaniesHouse, strings.NewReader(british(rows...)), Options{noDelay: true, Progress: func(p Progress) { cancel() }})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if _, err := importText(d, "post office", "", Options{}); !errors.Is(err, ErrUnknownSource) {
			t.Errorf("%v", err)
		}
	})
}

func TestOpen(t *testing.T) {
	t.Parallel()
	text := british("Alpha Ltd", "Beta Ltd")
	var packed, archive, two bytes.Buffer
	gz := gzip.NewWriter(&packed)
	_, _ = gz.Write([]byte(text))
	_ = gz.Close()
	pack := func(b *bytes.Buffer, names ...string) {
		z := zip.NewWriter(b)
		for _, n := range names {
			w, _ := z.Create(n)
			_, _ = w.Write([]byte(text))
		}
		_ = z.Close()
	}
	pack(&archive, "readme.txt", "BasicCompanyDataAsOneFile.csv")
	pack(&two, "a.csv", "b.csv")
	dir := t.TempDir()
	for name, c := range map[string]struct {
		content string
		ok      bool
	}{
		"plain.csv": {text, true}, "packed.csv.gz": {packed.String(), true}, "archive.zip": {archive.String(), true},
		"named-wrongly.txt": {archive.String(), true}, "two.zip": {two.String(), false}, "cut.zip": {archive.String()[:100], false},
		"cut.gz": {packed.String()[:packed.Len()-12], false},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := Open(path)
		var got []byte
		if err == nil {
			got, err = io.ReadAll(f)
			f.Close()
		}
		if ok := err == nil && string(got) == text; ok != c.ok {
			t.Errorf("%s: %v, %d bytes", name, err, len(got))
		}
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		report, err := ImportFile(context.Background(), d, CompaniesHouse, filepath.Join(dir, "archive.zip"), "", Options{noDelay: true})
		if err != nil || report.Imported != 2 || report.Bytes != int64(len(text)) {
			t.Errorf("%+v, %v", report, err)
		}
		_, err = ImportFile(context.Background(), d, CompaniesHouse, filepath.Join(dir, "cut.gz"), "", Options{noDelay: true})
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("a truncated file: %v", err)
		}
		expectRows(t, d, 2)
	})
	if _, err := Open(filepath.Join(dir, "nothing")); err == nil {
		t.Error("a file that is not there is opened")
	}
}
