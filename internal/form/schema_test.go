package form

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compileSchema(t *testing.T, schema map[string]any) *jsonschema.Schema {
	t.Helper()
	text, err := json.Marshal(schema)
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	if err := compiler.AddResource("form.json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("form.json")
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return compiled
}

func TestSchema(t *testing.T) {
	t.Parallel()
	f := New("thing",
		Char("name", Max(5), Doc("What it is called."), Example("chair")),
		Integer("amount", MinValue(1), MaxValue(10)),
		Decimal("rate", 5, 2, Null()),
		Choice("currency", []string{"GBP"}, Blank(), Null(), Default("GBP")),
		Ref("offer", "offr", Alias("offer"), Optional()),
		Objects("items", inner, NonEmpty(), MaxItems(2), Optional()),
		JSON("metadata", Optional()),
		Char("id", ReadOnly()),
	)
	const good = `"name":"chair","amount":5,"rate":null`
	full, partial := compileSchema(t, f.Schema()), compileSchema(t, f.PartialSchema())
	for body, valid := range map[string][2]bool{
		`{` + good + `}`: {true, true},
		`{}`:             {false, true},
		`{` + good + `,"amount":"5","rate":"1.5"}`:         {true, true},
		`{` + good + `,"amount":11}`:                       {false, false},
		`{` + good + `,"amount":null}`:                     {false, false},
		`{` + good + `,"name":"wardrobe"}`:                 {false, false},
		`{` + good + `,"currency":null}`:                   {true, true},
		`{` + good + `,"currency":""}`:                     {true, true},
		`{` + good + `,"currency":"XXX"}`:                  {false, false},
		`{` + good + `,"offer":"offer-1"}`:                 {true, true},
		`{` + good + `,"offer":"user-1"}`:                  {false, false},
		`{` + good + `,"items":[]}`:                        {false, false},
		`{` + good + `,"items":[{"a":"x"},{},{}]}`:         {false, false},
		`{` + good + `,"items":[{}]}`:                      {false, true},
		`{` + good + `,"metadata":"any","id":"ignored-1"}`: {true, true},
	} {
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		for i, schema := range []*jsonschema.Schema{full, partial} {
			if err := schema.Validate(document); (err == nil) != valid[i] {
				t.Errorf("%s (schema %d): %v", body, i, err)
			}
		}
	}
	name := f.Schema()["properties"].(map[string]any)["name"].(map[string]any)
	if name["description"] != "What it is called." || name["examples"].([]any)[0] != "chair" {
		t.Errorf("%v", name)
	}
}

// TestSchemaAcceptsNormalisedValues: whatever a field accepted, its schema
// accepts once it is normalised.
func TestSchemaAcceptsNormalisedValues(t *testing.T) {
	t.Parallel()
	schemas := map[string]*jsonschema.Schema{}
	for kind, field := range kinds {
		schemas[kind] = compileSchema(t, New(kind, field).PartialSchema())
	}
	for _, c := range readCases(t) {
		field, ok := kinds[c.Kind]
		if !ok || field.readOnly {
			continue
		}
		values, bad, _ := New("f", field).Decode(mustParse(t, c.body()), Partial, stored{})
		if bad != nil {
			continue
		}
		document, err := jsonschema.UnmarshalJSON(bytes.NewReader(values.JSON()))
		if err != nil {
			t.Fatal(err)
		}
		if err := schemas[c.Kind].Validate(document); err != nil {
			t.Errorf("%s: %s: %v", c.ID, values.JSON(), err)
		}
	}
}
