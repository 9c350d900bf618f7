package form

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// TestParseErrors compares with the sentences of CPython 3.11.
func TestParseErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ body, want string }{
		{"{", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"},
		{"[", "Expecting value: line 1 column 2 (char 1)"},
		{"{\"a\"", "Expecting ':' delimiter: line 1 column 5 (char 4)"},
		{"{\"a\":", "Expecting value: line 1 column 6 (char 5)"},
		{"{\"a\" 1}", "Expecting ':' delimiter: line 1 column 6 (char 5)"},
		{"{\"a\":1,}", "Expecting property name enclosed in double quotes: line 1 column 8 (char 7)"},
		{"{\"a\":1 \"b\":2}", "Expecting ',' delimiter: line 1 column 8 (char 7)"},
		{"{'a':1}", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"},
		{"{a:1}", "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"},
		{"# comment", "Expecting value: line 1 column 1 (char 0)"},
		{"[1,]", "Expecting value: line 1 column 4 (char 3)"},
		{"[,]", "Expecting value: line 1 column 2 (char 1)"},
		{"[1 2]", "Expecting ',' delimiter: line 1 column 4 (char 3)"},
		{"{\"a\":1}x", "Extra data: line 1 column 8 (char 7)"},
		{"{\"a\":1} {}", "Extra data: line 1 column 9 (char 8)"},
		{"01", "Extra data: line 1 column 2 (char 1)"},
		{"1.", "Extra data: line 1 column 2 (char 1)"},
		{".5", "Expecting value: line 1 column 1 (char 0)"},
		{"+1", "Expecting value: line 1 column 1 (char 0)"},
		{"-", "Expecting value: line 1 column 1 (char 0)"},
		{"-a", "Expecting value: line 1 column 1 (char 0)"},
		{"0x1", "Extra data: line 1 column 2 (char 1)"},
		{"1e", "Extra data: line 1 column 2 (char 1)"},
		{"1_0", "Extra data: line 1 column 2 (char 1)"},
		{"tru", "Expecting value: line 1 column 1 (char 0)"},
		{"nullx", "Extra data: line 1 column 5 (char 4)"},
		{"undefined", "Expecting value: line 1 column 1 (char 0)"},
		{"\"abc", "Unterminated string starting at: line 1 column 1 (char 0)"},
		{"\"\t\"", "Invalid control character at: line 1 column 2 (char 1)"},
		{"\"\n\"", "Invalid control character at: line 1 column 2 (char 1)"},
		{"\"\\x\"", "Invalid \\escape: line 1 column 2 (char 1)"},
		{"\"\\u12\"", "Invalid \\uXXXX escape: line 1 column 3 (char 2)"},
		{"\"\\u12G4\"", "Invalid \\uXXXX escape: line 1 column 3 (char 2)"},
		{"\"\\ud800\\u12\"", "Invalid \\uXXXX escape: line 1 column 9 (char 8)"},
		{"\"\\", "Unterminated string starting at: line 1 column 1 (char 0)"},
		{"\"\\ud83d\\ude00", "Invalid \\uXXXX escape: line 1 column 9 (char 8)"},
		{"  ", "Expecting value: line 1 column 3 (char 2)"},
		{"\n", "Expecting value: line 2 column 1 (char 1)"},
		{" \n ", "Expecting value: line 2 column 2 (char 3)"},
		{"\n\n {\"a\":\n\"b\" 1}", "Expecting ',' delimiter: line 4 column 5 (char 13)"},
		{"{\"\u00e9\":\"\u65e5\",}", "Expecting property name enclosed in double quotes: line 1 column 10 (char 9)"},
		{"\ufeff{}", "Unexpected UTF-8 BOM (decode using utf-8-sig): line 1 column 1 (char 0)"},
		{"NaN", "Out of range float values are not JSON compliant: 'NaN'"},
		{"[NaN]", "Out of range float values are not JSON compliant: 'NaN'"},
		{"-Infinity", "Out of range float values are not JSON compliant: '-Infinity'"},
		{"{\"a\":Infinity}", "Out of range float values are not JSON compliant: 'Infinity'"},
		{"{\x22a\x22:\xff}", "'utf-8' codec can't decode byte 0xff in position 5: invalid start byte"},
		{"\x80", "'utf-8' codec can't decode byte 0x80 in position 0: invalid start byte"},
		{"\x22\xc3\x22", "'utf-8' codec can't decode byte 0xc3 in position 1: invalid continuation byte"},
		{"\x22\xe2\x82\x22", "'utf-8' codec can't decode bytes in position 1-2: invalid continuation byte"},
		{"\x22\xed\xa0\x80\x22", "'utf-8' codec can't decode byte 0xed in position 1: invalid continuation byte"},
		{"\x22\xf0\x9f\x98\x22", "'utf-8' codec can't decode bytes in position 1-3: invalid continuation byte"},
		{"\x22\xc0\x80\x22", "'utf-8' codec can't decode byte 0xc0 in position 1: invalid start byte"},
		{"\x22\xf4\x90\x80\x80\x22", "'utf-8' codec can't decode byte 0xf4 in position 1: invalid continuation byte"},
		{"\x22ab\xf0\x9f\x22c", "'utf-8' codec can't decode bytes in position 3-4: invalid continuation byte"},
		{"{}\xe2\x82", "'utf-8' codec can't decode bytes in position 2-3: unexpected end of data"},
	} {
		_, err := Parse([]byte(c.body))
		var parse *ParseError
		if !errors.As(err, &parse) {
			t.Errorf("%q: no ParseError but %v", c.body, err)
			continue
		}
		if want := "JSON parse error - " + c.want; parse.Detail != want {
			t.Errorf("%q:\n got %s\nwant %s", c.body, parse.Detail, want)
		}
	}
}

func TestParseValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ body, want, canonical string }{
		{"", "{}", "{}"},
		{" [ ] ", "[]", "[]"},
		{`{"b":1,"a":2}`, `{"b":1,"a":2}`, `{"a":2,"b":1}`},
		{`{"b":{"d":1,"c":2},"a":[{"f":1,"e":2}]}`, `{"b":{"d":1,"c":2},"a":[{"f":1,"e":2}]}`,
			`{"a":[{"e":2,"f":1}],"b":{"c":2,"d":1}}`},
		{`{"a":1,"b":2,"a":3}`, `{"a":3,"b":2}`, `{"a":3,"b":2}`},
		{`[-0,-0.0,1.0,1e2,1E-7,1e16,1e15,0.1]`, `[0,-0.0,1.0,100.0,1e-07,1e+16,1000000000000000.0,0.1]`, ""},
		{`123456789012345678901234567890`, `123456789012345678901234567890`, ""},
		{`"\u00e9\/\ud83d\ude00\b\f\n\r\t\u0001\u007f\u2028\u2029<&>"`,
			"\"é/😀" + `\b\f\n\r\t\u0001` + "\u007f" + `\u2028\u2029<&>"`, ""},
		{`"\ud800"`, "\"\ufffd\"", ""},
	} {
		v, err := Parse([]byte(c.body))
		if err != nil {
			t.Errorf("%q: %v", c.body, err)
			continue
		}
		if got := string(v.JSON()); got != c.want {
			t.Errorf("%q: got %s, want %s", c.body, got, c.want)
		}
		if c.canonical == "" {
			c.canonical = c.want
		}
		if got := string(v.Canonical()); got != c.canonical {
			t.Errorf("%q: canonical is %s, want %s", c.body, got, c.canonical)
		}
	}
}

func TestParseLimits(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth)
	if _, err := Parse([]byte(deep)); err != nil {
		t.Errorf("%d levels: %v", maxDepth, err)
	}
	for body, want := range map[string]string{
		"[" + deep + "]":             "JSON parse error - More than 200 levels of nesting: line 1 column 201 (char 200)",
		strings.Repeat(`{"a":`, 1e6): "JSON parse error - More than 200 levels of nesting: line 1 column 1001 (char 1000)",
		strings.Repeat("7", 4301):    "JSON parse error - Exceeds the limit (4300 digits) for integer string conversion: value has 4301 digits",
	} {
		if _, err := Parse([]byte(body)); err == nil || err.Error() != want {
			t.Errorf("%.20s…: got %v, want %s", body, err, want)
		}
	}
}

// TestParseLargeObject checks that repeated keys are found in objects that are
// searched by a map.
func TestParseLargeObject(t *testing.T) {
	t.Parallel()
	var body bytes.Buffer
	body.WriteString(`{"first":0`)
	for i := range 500 {
		body.WriteString(`,"k` + formatInt(int64(i%300)) + `":` + formatInt(int64(i)))
	}
	body.WriteString(`,"first":1}`)
	v, err := Parse(body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if v.Len() != 301 {
		t.Errorf("%d members, want 301", v.Len())
	}
	for key, want := range map[string]int64{"first": 1, "k0": 300, "k199": 499, "k299": 299} {
		if got, _ := v.Get(key); got.Text() != formatInt(want) {
			t.Errorf("%s is %s, want %d", key, got.Text(), want)
		}
	}
	if !json.Valid(v.JSON()) {
		t.Error("not JSON")
	}
}
