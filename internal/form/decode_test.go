package form

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func mustParse(t testing.TB, body string) Value {
	t.Helper()
	v, err := Parse([]byte(body))
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return v
}

// answer returns the values as JSON, or the errors.
func answer(t testing.TB, f *Form, body string, mode Mode) string {
	t.Helper()
	values, bad, err := f.Decode(mustParse(t, body), mode, nil)
	if err != nil {
		t.Fatal(err)
	}
	if (values == nil) == (bad == nil) {
		t.Fatalf("%s: values %v and errors %v", body, values, bad)
	}
	if bad != nil {
		return string(bad.JSON())
	}
	return string(values.JSON())
}

// sale is a form with a bit of everything.
func sale() *Form {
	address := New("address", Char("city", Max(10)), Char("note", Optional(), Blank()))
	customer := New("customer", Ref("organisation", "org"), Ref("user", "user", Optional()),
		Object("delivery_address", address, Optional())).With(func(v *Values) *Errors {
		if v.String("organisation") == "org-closed" {
			return NonField("The organisation is closed.")
		}
		return nil
	})
	item := New("item", Char("description"), Integer("total_amount"))
	return New("sale",
		Char("unique_id", Max(20)),
		Object("customer", customer, Flatten()),
		Integer("total_amount", MinValue(1)),
		Objects("items", item, NonEmpty(), CheckItems(func(items []*Values) any {
			for _, item := range items {
				if item.Int("total_amount") == 0 {
					return []any{map[string]string{"total_amount": "Item is for nothing."}}
				}
			}
			return nil
		})),
		Choice("currency", []string{"GBP", "EUR"}, Default("GBP")),
		Char("note", Optional(), Null(), Blank(), Check(func(v Value) []string {
			if v.Text() == "no" {
				return []string{"Not no."}
			}
			return nil
		})),
		JSON("metadata", Optional(), Null()),
		DateTime("placed", Optional()),
	)
}

func TestDecode(t *testing.T) {
	t.Parallel()
	const good = `"customer":{"organisation":"org-1"},"total_amount":5,"items":[{"description":"x","total_amount":5}]`
	f := sale()
	for _, c := range []struct {
		name, body string
		mode       Mode
		want       string
	}{
		{"good", `{"unique_id":" a ",` + good + `,"zzz":1}`, Full,
			`{"unique_id":"a","customer":{"organisation":"org-1"},"total_amount":5,` +
				`"items":[{"description":"x","total_amount":5}],"currency":"GBP"}`},
		{"nothing", `{}`, Full,
			`{"unique_id":["This field is required."],"customer":["This field is required."],` +
				`"total_amount":["This field is required."],"items":["This field is required."]}`},
		{"nothing to change", `{}`, Partial, `{}`},
		{"no missing fields at any depth", `{"customer":{"delivery_address":{}},"items":[{}]}`, Partial,
			`{"items":[{"total_amount":"Item is for nothing."}]}`},
		{"not an object", `[1]`, Full, `{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}`},
		{"null", `null`, Full, `{"non_field_errors":["No data provided"]}`},
		{"errors of the customer are lifted, in the place of the customer",
			`{"unique_id":"","customer":{"organisation":"x","delivery_address":{"city":"Llanfairpwllgwyngyll"}},"total_amount":0,"items":[]}`, Full,
			`{"unique_id":["This field may not be blank."],` +
				`"organisation":["Bad prefix. Expected a UUID prefixed by \"org\", but got x."],` +
				`"delivery_address":{"city":["Ensure this field has no more than 10 characters."]},` +
				`"total_amount":["Ensure this value is greater than or equal to 1."],` +
				`"items":{"non_field_errors":["This list may not be empty."]}}`},
		{"errors of the customer as a whole are not", `{"unique_id":"a",` + good + `,"customer":{"organisation":"org-closed"}}`, Full,
			`{"customer":{"non_field_errors":["The organisation is closed."]}}`},
		{"a customer that is a list", `{"unique_id":"a",` + good + `,"customer":[]}`, Full,
			`{"customer":{"non_field_errors":["Invalid data. Expected a dictionary, but got list."]}}`},
		{"items are checked although another field failed",
			`{"unique_id":null,` + good + `,"items":[{"description":"x","total_amount":0}]}`, Full,
			`{"unique_id":["This field may not be null."],"items":[{"total_amount":"Item is for nothing."}]}`},
		{"a rule of the form", `{"note":" no "}`, Partial, `{"note":["Not no."]}`},
		{"null and blank", `{"note":null,"metadata":null}`, Partial, `{"note":null,"metadata":null}`},
		{"any metadata", `{"note":"","metadata":["a",{"b":1.50}]}`, Partial, `{"note":"","metadata":["a",{"b":1.5}]}`},
		{"a bare date", `{"placed":"2023-12-05"}`, Partial, `{"placed":"2023-12-05T00:00:00Z"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, answer(t, f, c.body, c.mode)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestGetters(t *testing.T) {
	t.Parallel()
	f := New("all", Char("char"), Integer("int"), Boolean("bool"), Decimal("decimal", 10, 3), Date("date"),
		DateTime("time"), Dict("dict"), Object("object", inner), Objects("objects", inner, Null()),
		Refs("refs", "user"), List("ints", Integer("")), Char("null", Null()), Char("absent", Optional()),
		Char("default", Default("d")), Integer("nothing", Default(nil), Null()))
	v, bad, err := f.Decode(mustParse(t, `{"char":5,"int":"7","bool":"yes","decimal":10,"date":"2018-1-5",
		"time":"2018-10-31T16:53:00.1234567+02:00","dict":{"z":1,"a":2},"object":{"a":"x"},"objects":[{"a":"y","n":3},null],
		"refs":["user-1","user-2"],"ints":[1,"2"],"null":null}`), Full, nil)
	if err != nil || bad != nil {
		t.Fatal(err, bad)
	}
	one, yes, text := int64(7), true, "5"
	moment := time.Date(2018, 10, 31, 14, 53, 0, 123456000, time.UTC)
	for _, c := range []struct{ name, got, want any }{
		{"String", v.String("char"), "5"},
		{"StringPtr", v.StringPtr("char"), &text},
		{"Int", v.Int("int"), one},
		{"IntPtr", v.IntPtr("int"), &one},
		{"Bool", v.Bool("bool"), yes},
		{"BoolPtr", v.BoolPtr("bool"), &yes},
		{"Decimal", v.Decimal("decimal"), "10.000"},
		{"Date", v.Date("date"), "2018-01-05"},
		{"Time", v.Time("time"), moment},
		{"TimePtr", v.TimePtr("time"), &moment},
		{"Raw", string(v.Raw("dict").JSON()), `{"z":1,"a":2}`},
		{"Object", v.Object("object").String("a"), "x"},
		{"Objects", v.Objects("objects")[0].Int("n"), int64(3)},
		{"Objects null", v.Objects("objects")[1] == nil, true},
		{"Raw of objects", string(v.Raw("objects").JSON()), `[{"a":"y","n":3},null]`},
		{"Strings", v.Strings("refs"), []string{"user-1", "user-2"}},
		{"Ints", v.Ints("ints"), []int64{1, 2}},
		{"null", []any{v.Has("null"), v.Null("null"), v.String("null"), v.StringPtr("null")}, []any{true, true, "", (*string)(nil)}},
		{"absent", []any{v.Has("absent"), v.Null("absent"), v.String("absent")}, []any{false, false, ""}},
		{"default", []any{v.Has("default"), v.String("default")}, []any{true, "d"}},
		{"null default", []any{v.Has("nothing"), v.Null("nothing"), v.Int("nothing"), v.IntPtr("nothing")}, []any{true, true, int64(0), (*int64)(nil)}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

func TestProgrammingErrorsPanic(t *testing.T) {
	t.Parallel()
	v, _, _ := New("f", Char("a")).Decode(mustParse(t, `{"a":"x"}`), Full, nil)
	for name, broken := range map[string]func(){
		"unknown field":  func() { v.String("b") },
		"other type":     func() { v.Int("a") },
		"no object":      func() { v.Object("a") },
		"no time":        func() { v.Time("a") },
		"no list":        func() { v.Strings("a") },
		"no file":        func() { v.File("a") },
		"declared twice": func() { New("f", Char("a"), Char("a")) },
		"bad default":    func() { Integer("a", Default("x")) },
		"bad pattern":    func() { Regex("a", "(") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			broken()
		}()
	}
}

// failing is a Resolver whose storage is gone.
type failing struct{}

var errGone = errors.New("gone")

func (failing) Exists(_, _ string) (bool, error) { return false, errGone }
func (failing) Taken(_, _ string) (bool, error)  { return false, errGone }

func TestResolverErrors(t *testing.T) {
	t.Parallel()
	nested := New("n", Ref("user", "user"))
	for name, field := range map[string]Field{
		`{"f":"user-1"}`:            Ref("f", "user"),
		`{"f":["user-1"]}`:          Refs("f", "user"),
		`{"f":"x"}`:                 Char("f", Unique("x", "")),
		`{"f":{"user":"user-1"}}`:   Object("f", nested),
		`{"f":[{"user":"user-1"}]}`: Objects("f", nested),
	} {
		values, bad, err := New("f", field).Decode(mustParse(t, name), Full, failing{})
		if !errors.Is(err, errGone) || values != nil || bad != nil {
			t.Errorf("%s: %v, %v, %v", name, values, bad, err)
		}
	}
}

// counting counts the questions and answers yes.
type counting struct{ asked []string }

func (c *counting) Exists(prefix, id string) (bool, error) {
	c.asked = append(c.asked, prefix+" "+id)
	return true, nil
}

func (c *counting) Taken(name, value string) (bool, error) {
	c.asked = append(c.asked, name+" "+value)
	return false, nil
}

func TestRefsAreCountedFirst(t *testing.T) {
	t.Parallel()
	r := &counting{}
	f := New("f", Refs("users", "user", MaxItems(1)))
	_, bad, _ := f.Decode(mustParse(t, `{"users":["user-1","user-2"]}`), Full, r)
	want := `{"users":["Ensure this field has no more than 1 elements."]}`
	if got := string(bad.JSON()); got != want || r.asked != nil {
		t.Errorf("got %s after asking %v, want %s", got, r.asked, want)
	}
}

func TestResolverIsAskedOnlyWhatItCanKnow(t *testing.T) {
	t.Parallel()
	f := New("f", Ref("offer", "offr", Alias("offer")), Char("unique_id", Max(5), Unique("key", "")))
	r := &counting{}
	for _, body := range []string{
		`{"offer":"offer-1","unique_id":" a "}`,
		`{"offer":"offr-2","unique_id":"toolong"}`,
		`{"offer":"offr-","unique_id":"a\u0000"}`,
		`{"offer":"offr-a b","unique_id":""}`,
		`{"offer":"other-1","unique_id":"\ud800"}`,
	} {
		if _, _, err := f.Decode(mustParse(t, body), Full, r); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"offr offr-1", "key a", "offr offr-2"}, r.asked); diff != "" {
		t.Error(diff)
	}
}
