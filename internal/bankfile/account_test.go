package bankfile

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// makeIBAN makes an IBAN with right check digits of a national part.
func makeIBAN(country, national string) string {
	return fmt.Sprintf("%s%02d%s", country, 98-mod97(national+country+"00"), national)
}

// genIBAN draws IBANs of all countries of SEPA.
func genIBAN() *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		var countries []string
		for c := range ibanLengths {
			countries = append(countries, c)
		}
		// The order of a map is no part of the draw.
		country := rapid.SampledFrom(sorted(countries)).Draw(t, "country")
		n := ibanLengths[country] - 4
		return makeIBAN(country, rapid.StringOfN(rapid.RuneFrom([]rune("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")), n, n, -1).Draw(t, "national"))
	})
}

func TestIBAN(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"GB29NWBK60161331926819", "DE89370400440532013000", "FR1420041010050500013M02606", "NL91ABNA0417164300",
		"IE29AIBK93115212345678", "ES9121000418450200051332", "IT60X0542811101000000123456", "BE68539007547034",
		"PT50000201231234567890154", "LU280019400644750000", "AT611904300234573201", "NO9386011117947",
		"MT84MALT011000012345MTLCAST001S", "CH9300762011623852957",
	} {
		if err := CheckIBAN(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for bad, want := range map[string]string{
		"":                             "missing",
		"GB29 NWBK 6016 1331 9268 19":  "two letters",
		"gb29nwbk60161331926819":       "two letters",
		"GB28NWBK60161331926819":       "check digits",
		"GB29NWBK6016133192681":        "has 21 characters; in GB it has 22",
		"US29NWBK60161331926819":       "no country of SEPA",
		"DE89370400440532013000DE8937": "has 28 characters",
	} {
		err := CheckIBAN(bad)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "iban: ") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// TestTypos changes one character of a good IBAN, or swaps two neighbours: the
// check digits are there to notice.
func TestTypos(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		iban := genIBAN().Draw(t, "iban")
		if err := CheckIBAN(iban); err != nil {
			t.Fatal(err)
		}
		typo := []byte(iban)
		i := rapid.IntRange(4, len(typo)-2).Draw(t, "at")
		if rapid.Bool().Draw(t, "swap") {
			typo[i], typo[i+1] = typo[i+1], typo[i]
		} else {
			typo[i] = rapid.SampledFrom([]byte("0123456789")).Draw(t, "digit")
		}
		// A letter for the digit that has its remainder is a pair that nobody types.
		letters := strings.IndexFunc(string(typo)+iban[4:], func(r rune) bool { return r >= 'A' }) >= 0
		if string(typo) != iban && CheckIBAN(string(typo)) == nil && !letters {
			t.Fatalf("%s passes for %s", typo, iban)
		}
	})
}

func TestCodes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		check     func(string) error
		field     string
		good, bad []string
	}{
		{CheckBIC, "bic", []string{"DEUTDEFF", "NEDSZAJJXXX", "1234GB2L"}, []string{"", "DEUTDEF", "DEUTDEFFX", "deutdeff", "DEUT1EFF"}},
		{CheckSortCode, "sort_code", []string{"200000", "089999"}, []string{"", "20-00-00", "20000", "000000"}},
		{CheckAccountNumber, "account_number", []string{"55779911", "00000001"}, []string{"", "5577991", "00000000", "5577991A"}},
		{CheckCreditorID, "creditor_id", []string{"DE98ZZZ09999999999", "FR72ZZZ123456", "DE98ABC09999999999", "NL12ZZZ091234560000", "ES97ZZZM23456789"},
			[]string{"", "DE97ZZZ09999999999", "DE98ZZZ", "de98zzz09999999999", "NL12ZZZ091234560001"}},
	} {
		for _, s := range c.good {
			// National identifiers of examples are not all ours to compute.
			if c.field == "creditor_id" {
				s = s[:2] + fmt.Sprintf("%02d", 98-mod97(s[7:]+s[:2]+"00")) + s[4:]
			}
			if err := c.check(s); err != nil {
				t.Errorf("%s: %v", s, err)
			}
		}
		for _, s := range c.bad {
			if err := c.check(s); err == nil || !strings.HasPrefix(err.Error(), c.field+": ") {
				t.Errorf("%q: %v", s, err)
			}
		}
	}
	// The example of the European Payments Council.
	if err := CheckCreditorID("DE98ZZZ09999999999"); err != nil {
		t.Error(err)
	}
}

func TestAccountCheck(t *testing.T) {
	t.Parallel()
	sepaAccount := Account{Name: "Müller", IBAN: "DE89370400440532013000", BIC: "COBADEFFXXX"}
	uk := Account{Name: "Smith & Sons", SortCode: "200000", AccountNumber: "55779911"}
	for _, a := range []Account{
		sepaAccount, uk, {Name: "x", IBAN: sepaAccount.IBAN},
		Account{Name: " Smith ", IBAN: "de89 3704 0044 0532 0130 00", BIC: "cobadeff xxx"}.Normalise(),
		Account{Name: "Smith", SortCode: "20-00-00", AccountNumber: "5577 9911"}.Normalise(),
	} {
		if err := a.Check(); err != nil {
			t.Errorf("%+v: %v", a, err)
		}
	}
	for want, a := range map[string]Account{
		"name: is missing":         {IBAN: sepaAccount.IBAN},
		"name: has no letter":      {Name: "。。", IBAN: sepaAccount.IBAN},
		"iban: is missing":         {Name: "x"},
		"bic: is not":              {Name: "x", IBAN: sepaAccount.IBAN, BIC: "COBA"},
		"sort_code: is not":        {Name: "x", AccountNumber: "55779911"},
		"account_number: is not":   {Name: "x", SortCode: "200000"},
		"iban: has wrong check di": {Name: "x", IBAN: "DE88370400440532013000", SortCode: "200000"},
	} {
		if err := a.Check(); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if err := uk.CheckIBAN(); err == nil {
		t.Error("a British number passes for an IBAN")
	}
}

func TestSEPAText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Müller & Söhne GmbH":   "Mueller + Soehne GmbH",
		"Mu\u0308ller":          "Mueller",
		"Straße":                "Strasse",
		"Société Générale":      "Societe Generale",
		"Łódź Øresund Çelik":    "Lodz Oresund Celik",
		"Αθήνα":                 "Athina",
		"София":                 "Sofiya",
		"a\tb\r\n c":            "a b c",
		"“Quote” – [x] {y}_z":   "'Quote' - (x) (y)-z",
		"// a // b //":          "a / b",
		"東京":                    "..",
		"100 € @ home":          "100 EUR (at) home",
		"ﬁne ½":                 "fine 1/2",
		"":                      "",
		"Ça coûte 5;":           "Ca coute 5,",
		strings.Repeat("ß", 80): strings.Repeat("s", 70),
	} {
		if got := SEPAText(in, 70); got != want {
			t.Errorf("%q: %q, not %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"Müller & Söhne": "MUELLER & SOEHNE", "O'Brien (UK), Ltd.": "O BRIEN UK LTD.", "a+b": "A&B", "x@y.z": "X AT Y.Z",
	} {
		if got := bacsText(in, 18); got != want {
			t.Errorf("%q: %q, not %q", in, got, want)
		}
	}
}

func TestTextStaysInTheSet(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		in, most := rapid.String().Draw(t, "text"), rapid.IntRange(1, 140).Draw(t, "most")
		for name, f := range map[string]func(string, int) string{"sepa": SEPAText, "bacs": bacsText} {
			allowed := inSEPA
			if name == "bacs" {
				allowed = inBacs
			}
			got := f(in, most)
			if len(got) > most || strings.IndexFunc(got, func(r rune) bool { return !allowed(r) }) >= 0 {
				t.Fatalf("%s of %q is %q", name, in, got)
			}
			if again := f(got, most); again != got {
				t.Fatalf("%s of %q is %q and then %q", name, in, got, again)
			}
			if strings.Contains(got, "//") || strings.Contains(got, "  ") || strings.TrimSpace(got) != got {
				t.Fatalf("%s of %q is %q", name, in, got)
			}
		}
	})
}
