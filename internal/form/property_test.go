package form

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// everything has one field of each kind.
func everything(options ...Option) *Form {
	leaf := New("leaf", Char("a"), Integer("n", Optional()))
	fields := []Field{
		Char("char", append(options, Max(20))...), Email("email", options...), URL("url", options...),
		Slug("slug", options...), Regex("regex", "^[a-z]+$", options...), UUID("uuid", options...),
		IP("ip", options...), Integer("int", append(options, MaxValue(100))...), Float("float", options...),
		Decimal("decimal", 12, 3, append(options, MinValue(-5))...), Boolean("bool", options...),
		Choice("choice", currencies, options...), MultipleChoice("multi", currencies, options...),
		Country("country", recordedCountry, options...), Date("date", options...),
		DateTime("datetime", options...), Time("time", options...), Dict("dict", options...),
		DictOf("dict_of", Integer(""), options...), JSON("json", options...), List("list", Email(""), options...),
		Object("object", leaf, append(options, Flatten())...), Objects("objects", leaf, options...),
		Ref("ref", "user", append(options, Alias("usr"))...), Refs("refs", "user", options...),
		File("file", options...),
	}
	return New("everything", fields...)
}

// FuzzDecode checks that no body crashes, and that every answer is JSON.
func FuzzDecode(f *testing.F) {
	strict, loose := everything(), everything(Optional(), Null(), Blank())
	names := make([]string, 0, len(strict.Fields))
	for _, field := range strict.Fields {
		names = append(names, field.Name())
	}
	for i, c := range readCases(f) {
		if i%37 == 0 && c.Input != nil {
			f.Add([]byte(`{"`+names[i%len(names)]+`":`+*c.Input+`}`), i%2 == 0)
		}
	}
	f.Add([]byte(""), true)
	f.Add([]byte("\xff"), true)
	f.Fuzz(func(t *testing.T, body []byte, partial bool) {
		v, err := Parse(body)
		if err != nil {
			return
		}
		if again, err := Parse(v.Canonical()); err == nil && !bytes.Equal(again.Canonical(), v.Canonical()) {
			t.Errorf("canonical text is not stable: %s", v.Canonical())
		}
		mode := Full
		if partial {
			mode = Partial
		}
		for _, form := range []*Form{strict, loose} {
			values, bad, err := form.Decode(v, mode, nil)
			if err != nil {
				t.Fatal(err)
			}
			text := bad.JSON()
			if bad == nil {
				text = values.JSON()
			}
			if !json.Valid(text) {
				t.Errorf("not JSON: %s", text)
			}
		}
	})
}

// anyJSON generates a Go value that encoding/json can write.
func anyJSON(depth int) *rapid.Generator[any] {
	leaves := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.String().AsAny(), rapid.Int64().AsAny(),
		rapid.Float64Range(-1e20, 1e20).AsAny(),
	}
	if depth > 0 {
		leaves = append(leaves, rapid.SliceOfN(anyJSON(depth-1), 0, 4).AsAny(),
			rapid.MapOfN(rapid.String(), anyJSON(depth-1), 0, 4).AsAny())
	}
	return rapid.OneOf(leaves...)
}

// TestParseAgreesWithEncodingJSON: both read the same value, and the rendered
// text says the same as the one read.
func TestParseAgreesWithEncodingJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text, err := json.Marshal(anyJSON(3).Draw(t, "value"))
		if err != nil {
			t.Skip()
		}
		v, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if !sameJSON(t, text, v.JSON()) || !sameJSON(t, text, v.Canonical()) {
			t.Fatalf("%s became %s", text, v.JSON())
		}
	})
}

func sameJSON(t *rapid.T, a, b []byte) bool {
	var left, right any
	if json.Unmarshal(a, &left) != nil || json.Unmarshal(b, &right) != nil {
		return false
	}
	x, _ := json.Marshal(left)
	y, _ := json.Marshal(right)
	return bytes.Equal(x, y)
}

// TestDecimalKeepsItsValue: an accepted decimal has exactly its places and the
// value that was written; what is refused has too many digits.
func TestDecimalKeepsItsValue(t *testing.T) {
	t.Parallel()
	f := New("f", Decimal("f", 12, 3))
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[+-]?[0-9]{1,14}(\.[0-9]{0,5})?(e[+-]?[0-3])?`).Draw(t, "text")
		v, bad, _ := f.Decode(ObjectValue(Member{"f", StringValue(text)}), Full, nil)
		want, _ := new(big.Rat).SetString(text)
		if bad != nil {
			n, ok := readDecimal(text)
			total, whole, places := n.size()
			if !ok || total <= 12 && whole <= 9 && places <= 3 {
				t.Fatalf("%s: %s", text, bad.JSON())
			}
			return
		}
		got, ok := new(big.Rat).SetString(v.Decimal("f"))
		if !ok || got.Cmp(want) != 0 {
			t.Fatalf("%s became %s", text, v.Decimal("f"))
		}
		if _, fraction, _ := strings.Cut(v.Decimal("f"), "."); len(fraction) != 3 {
			t.Fatalf("%s has not 3 places", v.Decimal("f"))
		}
	})
}

// TestTimeRoundTrip: every moment is read back from its text, whatever offset
// it is written with.
func TestTimeRoundTrip(t *testing.T) {
	t.Parallel()
	f := New("f", DateTime("f"))
	first := time.Date(2, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	last := time.Date(9998, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	rapid.Check(t, func(t *rapid.T) {
		want := time.UnixMicro(rapid.Int64Range(first, last).Draw(t, "moment")).UTC()
		zone := time.FixedZone("", 60*rapid.IntRange(-23*60, 23*60).Draw(t, "offset"))
		for _, text := range []string{FormatTime(want), want.In(zone).Format("2006-01-02T15:04:05.000000Z07:00"),
			want.In(zone).Format("20060102 150405.000000-0700")} {
			v, bad, _ := f.Decode(ObjectValue(Member{"f", StringValue(text)}), Full, nil)
			if bad != nil || !v.Time("f").Equal(want) {
				t.Fatalf("%s: %s", text, bad.JSON())
			}
		}
	})
}

// TestIdempotent: what was accepted and normalised is accepted again, and
// stays as it is.
func TestIdempotent(t *testing.T) {
	t.Parallel()
	for _, c := range readCases(t) {
		field, ok := kinds[c.Kind]
		if !ok || field.readOnly || field.unique != nil {
			continue
		}
		f := New("f", field)
		first, bad, _ := f.Decode(mustParse(t, c.body()), Partial, stored{})
		if bad != nil || !first.Has("f") {
			continue
		}
		body := string(first.JSON())
		if got := answer(t, f, body, Partial); got != body {
			t.Errorf("%s: %s became %s", c.ID, body, got)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	body := []byte(`{"unique_id":"order-1234","customer":{"organisation":"org-o3kpeDua5Q9p6r5vcQT6T3",
		"user":"user-MiCjjiWYbenKFjCVoH75sW","delivery_address":{"city":"London"}},"total_amount":12345,
		"items":[{"description":"Boxes","total_amount":12345}],"currency":"GBP","note":"By the door",
		"metadata":{"a":1},"placed":"2018-10-31T16:53:00Z"}`)
	f := sale()
	b.ReportAllocs()
	for b.Loop() {
		v, err := Parse(body)
		if err != nil {
			b.Fatal(err)
		}
		if _, bad, err := f.Decode(v, Full, nil); bad != nil || err != nil {
			b.Fatal(bad, err)
		}
	}
}
