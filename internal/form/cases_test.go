package form

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

// recorded is one case of a real Django REST Framework application: a form of
// the one field "f", an input, and what it answered.
type recorded struct {
	ID     string  `json:"id"`
	Kind   string  `json:"kind"`
	Def    string  `json:"def"`
	Input  *string `json:"input"` // JSON of the field, nil when it is missing
	Mode   string  `json:"mode"`
	Status int     `json:"status"`
	Valid  bool    `json:"valid"`
	Errors string  `json:"errors"`
	Output string  `json:"output"`
}

func readCases(t testing.TB) []recorded {
	t.Helper()
	file, err := os.Open("testdata/cases.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	var cases []recorded
	lines := bufio.NewScanner(unzipped)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c recorded
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		cases = append(cases, c)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return cases
}

// body returns the request body of the case.
func (c recorded) body() string {
	if c.Input == nil {
		return "{}"
	}
	return `{"f":` + *c.Input + `}`
}

// stored is what the recorded application had in its database.
type stored struct{}

func (stored) Exists(prefix, id string) (bool, error) {
	return id == "user-MiCjjiWYbenKFjCVoH75sW" || id == "user-7svauEVQkqHRvCDG3rr9w8", nil
}

func (stored) Taken(name, value string) (bool, error) {
	switch name {
	case "unique_id":
		return value == "org-u-00", nil
	default:
		return strings.EqualFold(value, "user0@sample.co"), nil
	}
}

func recordedCountry(input string) (string, bool) {
	code, ok := map[string]string{
		"gb": "GB", "gbr": "GB", "826": "GB", "united kingdom": "GB", "fr": "FR", "france": "FR",
		"côte d'ivoire": "CI", "russia": "RU", "bolivia": "BO", "united states": "US", "usa": "US", "１２": "DZ",
		"dz": "DZ", "ci": "CI", "ru": "RU", "bo": "BO", "us": "US",
		"ie": "IE", "ireland": "IE", "no": "NO",
	}[strings.ToLower(input)]
	return code, ok
}

var (
	currencies = []string{"GBP", "EUR", "USD"}
	inner      = New("inner", Char("a"), Integer("n", Optional()))
	innerLoose = New("inner", Char("a", Optional()), Integer("n", Optional()))
	innerRule  = New("inner", Char("a")).With(func(v *Values) *Errors {
		switch v.String("a") {
		case "bad":
			return NonField("inner object is bad")
		case "badfield":
			return FieldError("a", "bad value")
		}
		return nil
	})
	outer    = New("outer", Object("inner", inner), Objects("inners", inner))
	anything = JSON("", Null())
	upper    = Pattern(`^[A-Z]+$`, "Uppercase only.")
)

// kinds are the recorded declarations in the terms of this package.
var kinds = map[string]Field{
	"char":                      Char("f"),
	"char_blank":                Char("f", Blank()),
	"char_opt":                  Char("f", Optional(), Blank()),
	"char_opt_noblank":          Char("f", Optional()),
	"char_null":                 Char("f", Null()),
	"char_opt_null":             Char("f", Optional(), Null(), Blank()),
	"char_default":              Char("f", Default("dflt")),
	"char_max10":                Char("f", Max(10)),
	"char_min3_max10":           Char("f", Min(3), Max(10)),
	"char_notrim":               Char("f", NoTrim()),
	"char_readonly":             Char("f", ReadOnly()),
	"readonlyfield":             Char("f", ReadOnly()),
	"char_writeonly":            Char("f", WriteOnly()),
	"char_regex_validator":      Char("f", upper),
	"char_two_errors":           Char("f", Max(5), upper),
	"char_unique":               Char("f", Unique("unique_id", "")),
	"email":                     Email("f"),
	"email_blank":               Email("f", Optional(), Blank()),
	"email_null":                Email("f", Null()),
	"email_max254":              Email("f", Max(254)),
	"email_unique":              Email("f", Unique("email", "")),
	"url":                       URL("f"),
	"url_blank":                 URL("f", Optional(), Blank()),
	"url_max200":                URL("f", Max(200)),
	"slug":                      Slug("f"),
	"uuid":                      UUID("f"),
	"regex":                     Regex("f", `^[A-Z]{3}$`),
	"ip":                        IP("f"),
	"int":                       Integer("f"),
	"int_null":                  Integer("f", Null()),
	"int_opt":                   Integer("f", Optional()),
	"int_default":               Integer("f", Default(7)),
	"int_min0":                  Integer("f", MinValue(0)),
	"int_1_100":                 Integer("f", MinValue(1), MaxValue(100)),
	"int_int32":                 Integer("f", MinValue(-2147483648), MaxValue(2147483647)),
	"float":                     Float("f"),
	"float_0_1":                 Float("f", MinValue(0), MaxValue(1)),
	"dec_10_2":                  Decimal("f", 10, 2),
	"dec_12_3":                  Decimal("f", 12, 3),
	"dec_5_2_pct":               Decimal("f", 5, 2, MinValue(0), MaxValue(100)),
	"dec_null":                  Decimal("f", 10, 2, Null()),
	"dec_round":                 Decimal("f", 10, 2),
	"date":                      Date("f"),
	"date_null":                 Date("f", Null()),
	"date_opt":                  Date("f", Optional()),
	"date_dj4":                  Date("f"),
	"datetime":                  DateTime("f"),
	"datetime_null":             DateTime("f", Null()),
	"datetime_dj4":              DateTime("f"),
	"time":                      Time("f"),
	"bool":                      Boolean("f"),
	"bool_null":                 Boolean("f", Null()),
	"bool_opt":                  Boolean("f", Optional()),
	"bool_default_true":         Boolean("f", Default(true)),
	"choice":                    Choice("f", currencies),
	"choice_blank":              Choice("f", currencies, Blank()),
	"choice_null":               Choice("f", currencies, Null()),
	"choice_opt":                Choice("f", currencies, Optional()),
	"multichoice":               MultipleChoice("f", currencies),
	"multichoice_nonempty":      MultipleChoice("f", currencies, NonEmpty()),
	"country":                   Country("f", recordedCountry),
	"dict":                      Dict("f"),
	"dict_opt":                  Dict("f", Optional()),
	"dict_null":                 Dict("f", Null()),
	"dict_nonempty":             Dict("f", NonEmpty()),
	"dict_char":                 DictOf("f", Char("")),
	"dict_int":                  DictOf("f", Integer("")),
	"json":                      JSON("f"),
	"json_null":                 JSON("f", Null()),
	"list":                      List("f", anything),
	"list_opt":                  List("f", anything, Optional()),
	"list_null":                 List("f", anything, Null()),
	"list_nonempty":             List("f", anything, NonEmpty()),
	"list_char":                 List("f", Char("")),
	"list_email":                List("f", Email("")),
	"list_int":                  List("f", Integer("")),
	"list_1_2":                  List("f", Char(""), MinItems(1), MaxItems(2)),
	"list_dict":                 List("f", Dict("")),
	"list_list_int":             List("f", List("", Integer(""))),
	"nested":                    Object("f", inner),
	"nested_opt":                Object("f", inner, Optional()),
	"nested_null":               Object("f", inner, Null()),
	"nested_alloptional":        Object("f", innerLoose),
	"nested_validate":           Object("f", innerRule),
	"nested_deep":               Object("f", outer),
	"many":                      Objects("f", inner),
	"many_opt":                  Objects("f", inner, Optional()),
	"many_null":                 Objects("f", inner, Null()),
	"many_nonempty":             Objects("f", inner, NonEmpty()),
	"many_1_2":                  Objects("f", inner, MinItems(1), MaxItems(2)),
	"many_validate":             Objects("f", innerRule),
	"file":                      File("f"),
	"file_opt":                  File("f", Optional()),
	"file_max10":                File("f", Max(10)),
	"file_emptyok":              File("f", AllowEmpty()),
	"pk_prefixed":               Ref("f", "user"),
	"pk_prefixed_null":          Ref("f", "user", Null()),
	"pk_prefixed_opt_null":      Ref("f", "user", Optional(), Null()),
	"pk_prefixed_many":          Refs("f", "user"),
	"pk_prefixed_many_nonempty": Refs("f", "user", NonEmpty()),
}

// leftOut are the recorded declarations this package has no field for.
var leftOut = map[string]string{
	"dec_nocoerce": "answers a decimal as a float; amounts never are",
	"dec_nolimit":  "a decimal without limits cannot be stored",
	"duration":     "no body has a duration",
	"choice_int":   "no body has numbered choices",
	"hstore":       "a database type of its own",
	"pk_int":       "ids are prefixed text",
	"pk_int_null":  "ids are prefixed text",
	"pk_int_many":  "ids are prefixed text",
	"pk_char":      "ids are prefixed text",
	"slugrel":      "objects are named by their id",
	"slugrel_many": "objects are named by their id",
	"hidden":       "a value the server sets is no part of the body",
}

func TestRecordedCases(t *testing.T) {
	t.Parallel()
	byKind := map[string][]recorded{}
	for _, c := range readCases(t) {
		byKind[c.Kind] = append(byKind[c.Kind], c)
	}
	if len(byKind) != len(kinds)+len(leftOut) {
		t.Errorf("%d kinds are recorded, %d declared and %d left out", len(byKind), len(kinds), len(leftOut))
	}
	for kind, cases := range byKind {
		field, ok := kinds[kind]
		if !ok {
			if leftOut[kind] == "" {
				t.Errorf("kind %s (%s) is neither declared nor left out", kind, cases[0].Def)
			}
			continue
		}
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			f := New("recorded", field)
			for _, c := range cases {
				checkCase(t, f, c)
			}
		})
	}
}

// key names the case without its corpus: kind/case.
func (c recorded) key() string { return strings.TrimPrefix(c.ID, "field/") }

// want returns the expected answer: errors or output. ok is false when only
// "accepted" or "refused" can be expected.
func (c recorded) want() (answer string, ok bool) {
	answer, deliberate := deliberately(c)
	switch {
	case deliberate:
		return answer, true
	case !c.Valid:
		return c.Errors, c.Status != 500
	case c.Input == nil && (c.Mode == "partial" || strings.HasSuffix(c.Kind, "_opt_null")):
		// The recorded output is that of an object without the field.
		return "{}", true
	}
	return c.Output, c.Output != "null" && c.Kind != "char_writeonly"
}

func checkCase(t *testing.T, f *Form, c recorded) {
	t.Helper()
	body, err := Parse([]byte(c.body()))
	if err != nil {
		t.Errorf("%s: %v", c.ID, err)
		return
	}
	mode := Full
	if c.Mode == "partial" {
		mode = Partial
	}
	values, bad, err := f.Decode(body, mode, stored{})
	if err != nil {
		t.Errorf("%s: %v", c.ID, err)
		return
	}
	got := string(bad.JSON())
	if bad == nil {
		got = string(values.JSON())
	}
	want, ok := c.want()
	switch {
	case ok && got != want:
		t.Errorf("%s: %.200s\n got %.300s\nwant %.300s", c.ID, c.body(), got, want)
	case !ok && c.Valid != (bad == nil):
		t.Errorf("%s: %.200s: valid is %v: %.300s", c.ID, c.body(), bad == nil, got)
	case !json.Valid([]byte(got)) || !utf8.ValidString(got):
		t.Errorf("%s: %.200s: not JSON: %.300s", c.ID, c.body(), got)
	}
}
