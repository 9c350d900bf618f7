package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"tradecredit/internal/api"
	"tradecredit/internal/api/fuzz"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
	"tradecredit/internal/page"
)

// The answers of the made-up shop that most tests describe.
type (
	chair struct {
		ID       string          `json:"id"`
		URL      string          `json:"url"`
		Name     string          `json:"name" doc:"What it is called"`
		Status   string          `json:"status" enum:"new,used"`
		Price    int64           `json:"price"`
		Bought   api.Time        `json:"bought"`
		Sold     *api.Time       `json:"sold"`
		Legs     []leg           `json:"legs"`
		Seat     *leg            `json:"seat"`
		Note     *string         `json:"note,omitempty" example:"wobbly"`
		Owner    any             `json:"owner" doc:"Identifier of the owner, or the owner"`
		Maker    any             `json:"maker" ref:"maker"`
		Metadata json.RawMessage `json:"metadata"`
		Extra    api.Raw         `json:"extra"`
		Sizes    map[string]int  `json:"sizes"`
		Weight   grams           `json:"weight"`
		Color    *string         `json:"color" enum:"red,blue"`
		Nested   *chair          `json:"nested"`
		Scars    []string        `json:"scars" nullable:"true"`
		Secret   string          `json:"-"`
		base
	}
	base struct {
		Version int `json:"version"`
	}
	leg struct {
		Wood string `json:"wood"`
	}
	Maker struct {
		Name string `json:"name"`
	}
	grams int
)

func (grams) JSONSchema() map[string]any {
	return map[string]any{"type": "string", "examples": []any{"5 g"}}
}

func (g grams) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, `"%d g"`, int(g)), nil }

var chairForm = form.New("Chair",
	form.Char("name", form.Max(20), form.Example("Windsor"), form.Doc("What it is called.")),
	form.Integer("price", form.MinValue(1), form.Example(1200)),
	form.Decimal("rate", 5, 2),
	form.Choice("status", []string{"new", "used"}),
	form.Ref("owner", "user"),
	form.Date("made"), form.DateTime("sold", form.Optional(), form.Null()),
	form.Email("contact"), form.URL("link"), form.UUID("code"), form.Slug("slug"), form.Boolean("soft"),
	form.Regex("pin", `^[0-9]{4}(a|b)x?$`),
	form.Char("long", form.Min(30)),
	form.Objects("legs", form.New("Leg", form.Char("wood", form.Example("oak"))), form.MinItems(3)),
	form.List("tags", form.Char("tag"), form.Optional()),
	form.Refs("users", "user", form.Alias("usr")),
	form.Object("seat", form.New("Seat", form.Char("wood")), form.Optional(), form.Null()),
	form.JSON("metadata", form.Optional(), form.Null()),
	form.Char("id", form.ReadOnly()),
)

func work(*api.Call, *db.Tx) (*api.Response, error) { return api.NoContent(), nil }

// shop is a table with one route of every sort.
func shop() []api.Route {
	const tag, all, one = "Chairs", "/v1/chairs", "/v1/chairs/{order}"
	return []api.Route{
		{
			Method: http.MethodPost, Path: all, Tag: tag, Summary: "Buy a chair", Doc: "At once.", Body: chairForm,
			Response: chair{}, Status: http.StatusCreated, Also: []int{http.StatusOK},
			Errors: []int{http.StatusBadRequest, http.StatusPaymentRequired}, Write: work,
		},
		{
			Method: http.MethodGet, Path: all, Tag: tag, Summary: "List chairs",
			Query:  []api.Param{{Name: "name", Doc: "Only those called so."}},
			Expand: []string{"owner", "nested.owner", "owner.friend"}, Response: page.List[chair]{},
			Status: http.StatusOK, Access: api.Public, Read: work,
		},
		{Method: http.MethodGet, Path: one, Tag: tag, Summary: "View a chair", Response: chair{}, Status: http.StatusOK,
			Access: api.Anonymous, Read: work},
		{Method: http.MethodPatch, Path: one, Tag: tag, Summary: "Change a chair", Body: chairForm, Response: chair{},
			Status: http.StatusOK, Write: work},
		{Method: http.MethodDelete, Path: one, Tag: tag, Summary: "Burn a chair", Status: http.StatusNoContent,
			Errors: []int{http.StatusConflict}, Write: work},
		{
			Method: http.MethodPost, Path: one + "/photos", Tag: "Photos", Summary: "Add a photo", Files: noFiles{},
			Body: form.New("Photo", form.File("file"), form.Char("title")), Response: leg{}, Status: http.StatusCreated, Write: work,
		},
		{
			Method: http.MethodGet, Path: one + "/photos/{photo}", Tag: "Photos", Summary: "Download a photo",
			ContentType: "image/png", Status: http.StatusOK,
			Serve: func(*api.Call) (*api.Answer, error) { return nil, nil },
		},
		{Method: http.MethodPut, Path: one + "/match-buyer", Tag: tag, Summary: "Match", Status: http.StatusOK, Write: work},
		{Method: http.MethodPut, Path: one + "/match_buyer", Tag: tag, Summary: "Match", Status: http.StatusOK, Write: work},
	}
}

var about = api.Info{
	Title: "Chairs", Version: "1", Description: "A shop.", Server: "https://api.example.com",
	Tags: map[string]string{"Chairs": "To sit on."}, Types: []any{Maker{}},
}

func describe(t *testing.T, routes []api.Route) []byte {
	t.Helper()
	document, err := api.OpenAPI(routes, about)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func parse(t *testing.T, text []byte) map[string]any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return v.(map[string]any)
}

// TestDocumentIsOpenAPI holds the document against a schema of our own making
// for the parts of OpenAPI 3.1 that are used.
func TestDocumentIsOpenAPI(t *testing.T) {
	t.Parallel()
	file, err := os.Open("testdata/openapi.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rules, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("rules.json", rules); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("rules.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(parse(t, describe(t, shop()))); err != nil {
		t.Errorf("%#v", err)
	}
}

// TestDocumentIsSound: every reference leads somewhere, every schema compiles,
// every example is valid, no two operations have one id, every route is there.
func TestDocumentIsSound(t *testing.T) {
	t.Parallel()
	fuzz.Sound(t, describe(t, shop()))
	tree := parse(t, describe(t, shop()))
	for _, r := range shop() {
		item, _ := tree["paths"].(map[string]any)[r.Path].(map[string]any)
		if item[strings.ToLower(r.Method)] == nil {
			t.Errorf("%s %s is missing", r.Method, r.Path)
		}
	}
}

func TestDocumentIsDeterministic(t *testing.T) {
	t.Parallel()
	first := describe(t, shop())
	for range 5 {
		if diff := cmp.Diff(string(first), string(describe(t, shop()))); diff != "" {
			t.Fatal(diff)
		}
	}
}

func dig(t *testing.T, v any, path ...string) any {
	t.Helper()
	for _, name := range path {
		object, ok := v.(map[string]any)
		if !ok || object[name] == nil {
			t.Fatalf("nothing stands at %v", path)
		}
		v = object[name]
	}
	return v
}

func wantJSON(t *testing.T, got any, want string) {
	t.Helper()
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, []byte(want)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(compact.String(), string(text)); diff != "" {
		t.Error(diff)
	}
}

func TestDocumentDescribesTypes(t *testing.T) {
	t.Parallel()
	tree := parse(t, describe(t, shop()))
	chair := dig(t, tree, "components", "schemas", "Chair")
	for property, want := range map[string]string{
		"name":    `{"description":"What it is called","type":"string"}`,
		"status":  `{"enum":["new","used"],"type":"string"}`,
		"color":   `{"enum":["red","blue",null],"type":["string","null"]}`,
		"price":   `{"format":"int64","type":"integer"}`,
		"bought":  `{"format":"date-time","type":"string"}`,
		"sold":    `{"format":"date-time","type":["string","null"]}`,
		"legs":    `{"items":{"$ref":"#/components/schemas/Leg"},"type":"array"}`,
		"seat":    `{"anyOf":[{"$ref":"#/components/schemas/Leg"},{"type":"null"}]}`,
		"note":    `{"examples":["wobbly"],"type":["string","null"]}`,
		"owner":   `{"anyOf":[{"type":"string"},{"type":"object"},{"type":"null"}],"description":"Identifier of the owner, or the owner"}`,
		"maker":   `{"anyOf":[{"type":"string"},{"$ref":"#/components/schemas/Maker"},{"type":"null"}]}`,
		"sizes":   `{"additionalProperties":{"type":"integer"},"type":"object"}`,
		"weight":  `{"examples":["5 g"],"type":"string"}`,
		"version": `{"type":"integer"}`,
		"scars":   `{"items":{"type":"string"},"type":["array","null"]}`,
	} {
		wantJSON(t, dig(t, chair, "properties", property), want)
	}
	properties := chair.(map[string]any)["properties"].(map[string]any)
	for _, name := range []string{"metadata", "extra"} {
		wantJSON(t, properties[name], `{}`)
	}
	if _, ok := properties["Secret"]; ok || properties["-"] != nil {
		t.Error("a field that is not encoded is described")
	}
	required := dig(t, chair, "required").([]any)
	if slices.Contains(required, any("note")) || !slices.Contains(required, any("color")) {
		t.Errorf("required: %v", required)
	}
	patch := dig(t, tree, "components", "schemas", "ChairPatch").(map[string]any)
	if patch["required"] != nil {
		t.Errorf("a PATCH requires %v", patch["required"])
	}
}

func TestDocumentDescribesOperations(t *testing.T) {
	t.Parallel()
	paths := dig(t, parse(t, describe(t, shop())), "paths")
	create := dig(t, paths, "/v1/chairs", "post")
	wantJSON(t, dig(t, create, "operationId"), `"postChairs"`)
	wantJSON(t, dig(t, create, "security"), `[{"SecretKey":[]},{"Basic":[]}]`)
	wantJSON(t, dig(t, create, "parameters"), `[{"$ref":"#/components/parameters/Idempotency-Key"}]`)
	wantJSON(t, dig(t, create, "requestBody", "content", "application/json", "schema"), `{"$ref":"#/components/schemas/ChairRequest"}`)
	statuses := slices.Sorted(maps.Keys(dig(t, create, "responses").(map[string]any)))
	want := []string{"200", "201", "400", "401", "402", "403", "404", "405", "406", "409", "413", "415", "429", "500"}
	if diff := cmp.Diff(want, statuses); diff != "" {
		t.Error(diff)
	}
	headers := dig(t, create, "responses", "201", "headers").(map[string]any)
	for _, name := range []string{"Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset", "Idempotency-Replayed", "Location"} {
		if headers[name] == nil {
			t.Errorf("the header %s is not described", name)
		}
	}
	list := dig(t, paths, "/v1/chairs", "get")
	wantJSON(t, dig(t, list, "parameters"), `[
		{"description":"Only those called so.","in":"query","name":"name","schema":{"type":"string"}},
		{"$ref":"#/components/parameters/limit"},{"$ref":"#/components/parameters/offset"},{"$ref":"#/components/parameters/ordering"},
		{"description":"Fields that shall hold the object itself instead of its identifier, separated by commas.","explode":false,"in":"query","name":"expand",
			"schema":{"items":{"enum":["nested.owner","owner","owner.friend"],"type":"string"},"type":"array"},"style":"form"}]`)
	wantJSON(t, dig(t, list, "security"), `[{"SecretKey":[]},{"Basic":[]},{"PublicKey":[]}]`)
	wantJSON(t, dig(t, list, "responses", "200", "content", "application/json", "schema"), `{"$ref":"#/components/schemas/ChairList"}`)
	view := dig(t, paths, "/v1/chairs/{order}", "get")
	wantJSON(t, dig(t, view, "security"), `[{"SecretKey":[]},{"Basic":[]},{"PublicKey":[]},{}]`)
	for path, want := range map[string]string{"match-buyer": "putChairsByOrderMatchBuyer", "match_buyer": "putChairsByOrderMatchBuyer2"} {
		wantJSON(t, dig(t, paths, "/v1/chairs/{order}/"+path, "put", "operationId"), `"`+want+`"`)
	}
}

func TestDocumentKeepsOrder(t *testing.T) {
	t.Parallel()
	text := string(describe(t, shop()))
	_, schema, _ := strings.Cut(text, `"Chair":`)
	at := -1
	for _, field := range []string{"id", "url", "name", "status", "price", "version"} {
		next := strings.Index(schema, `"`+field+`":{`)
		if next < at {
			t.Errorf("%s does not stand where the struct has it", field)
		}
		at = next
	}
}

func TestDocumentRefusesContradictions(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(r *api.Route){
		"two forms of one name": func(r *api.Route) { r.Body = form.New("Chair", form.Char("other")) },
		"a form without a name": func(r *api.Route) { r.Body = form.New("", form.Char("other")) },
		"a status of refusal":   func(r *api.Route) { r.Status = http.StatusTeapot },
	} {
		routes := shop()
		second := routes[0]
		second.Path = "/v1/stools"
		change(&second)
		if _, err := api.OpenAPI(append(routes, second), about); err == nil {
			t.Errorf("%s is not refused", name)
		}
	}
}

// TestTypesOfOneNameStayApart: structs of one name and different fields are two
// schemas, those of the same fields are one.
func TestTypesOfOneNameStayApart(t *testing.T) {
	t.Parallel()
	type Maker struct {
		Founded time.Time `json:"founded"`
	}
	type renamed chair
	routes := shop()
	routes[2].Response = struct {
		Maker  Maker   `json:"maker"`
		Copies []chair `json:"copies"`
		Other  renamed `json:"other"`
	}{}
	fuzz.Sound(t, describe(t, routes))
	schemas := dig(t, parse(t, describe(t, routes)), "components", "schemas").(map[string]any)
	found := 0
	for name := range schemas {
		if strings.HasSuffix(name, "Maker") {
			found++
		}
	}
	if found != 2 {
		t.Errorf("%d schemas called Maker", found)
	}
}

func TestDocumentRoutes(t *testing.T) {
	t.Parallel()
	routes, err := api.DocumentRoutes(shop(), about)
	if err != nil {
		t.Fatal(err)
	}
	if len(routes) != 1 || routes[0].Path != "/openapi.json" || routes[0].Access != api.Open {
		t.Fatalf("%+v", routes)
	}
	ask := func(tag string) *api.Answer {
		request, err := http.NewRequest(http.MethodGet, "/openapi.json", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("If-None-Match", tag)
		answer, err := routes[0].Serve(&api.Call{Context: t.Context(), Request: request})
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	first := ask("")
	paths := dig(t, parse(t, first.Body), "paths").(map[string]any)
	if paths["/openapi.json"] == nil || paths["/v1/chairs"] == nil {
		t.Errorf("paths: %v", paths)
	}
	if again := ask(first.Header.Get("ETag")); again.Status != http.StatusNotModified || len(again.Body) > 0 {
		t.Errorf("%d with the tag of the document", again.Status)
	}
}

// noFiles is where files would go.
type noFiles struct{}

func (noFiles) MaxFile() int64                                      { return 0 }
func (noFiles) Keep(context.Context, *form.Upload, io.Reader) error { return nil }
func (noFiles) Drop(context.Context, *form.Upload)                  {}
