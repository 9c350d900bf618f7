package api

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode"
)

// Info is what the OpenAPI document says of the API as a whole.
type Info struct {
	Title       string
	Version     string
	Description string
	// Server is the public address, without a slash at its end; "" leaves it out.
	Server string
	// Tags says more about the tags of routes, by their names.
	Tags map[string]string
	// Types are values of further types that the document shall describe: what can
	// be expanded, so that `ref` tags find it.
	Types []any
}

// documentPath is where the document is served.
const documentPath = "/openapi.json"

// DocumentRoutes returns the routes that serve the OpenAPI document of routes
// and of themselves. The document is made once.
func DocumentRoutes(routes []Route, info Info) ([]Route, error) {
	own := []Route{{
		Method: http.MethodGet, Path: documentPath, Tag: "Documentation", Summary: "The OpenAPI document",
		Doc:    "This API as an OpenAPI 3.1 document.",
		Access: Open, Response: map[string]any{}, Status: http.StatusOK, Also: []int{http.StatusNotModified},
	}}
	document, err := OpenAPI(append(routes[:len(routes):len(routes)], own...), info)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(document)
	tag := `"` + hex.EncodeToString(sum[:16]) + `"`
	own[0].Serve = func(c *Call) (*Answer, error) {
		h := http.Header{}
		h.Set("ETag", tag)
		h.Set("Cache-Control", "no-cache")
		h.Set("Access-Control-Allow-Origin", "*")
		if c.Request.Header.Get("If-None-Match") == tag {
			return &Answer{Status: http.StatusNotModified, Header: h}, nil
		}
		return &Answer{Status: http.StatusOK, Header: h, Body: document}, nil
	}
	return own, nil
}

// OpenAPI describes routes as an OpenAPI 3.1 document. The same routes give the
// same bytes. The error names a route that cannot be described.
func OpenAPI(routes []Route, info Info) ([]byte, error) {
	d := &document{info: info, schemas: newSchemas(), operationIDs: map[string]bool{}, responses: map[int]bool{}}
	if err := d.collect(routes); err != nil {
		return nil, err
	}
	paths, err := d.paths(routes)
	if err != nil {
		return nil, err
	}
	about := object{{"title", info.Title}, {"version", info.Version}}
	if info.Description != "" {
		about.set("description", info.Description)
	}
	o := object{{"openapi", "3.1.1"}, {"info", about}}
	if info.Server != "" {
		o.set("servers", []any{object{{"url", info.Server}}})
	}
	o.set("tags", tags(routes, info.Tags))
	o.set("paths", paths)
	o.set("components", object{
		{"securitySchemes", securitySchemes()},
		{"schemas", d.schemas.components()},
		{"parameters", sharedParameters()},
		{"headers", sharedHeaders()},
		{"responses", d.errorResponses()},
	})
	return Encode(o)
}

// document is a document in the making.
type document struct {
	info         Info
	schemas      *schemas
	operationIDs map[string]bool
	responses    map[int]bool // statuses of refusal that some route answers
}

// collect names every type and form before anything refers to one.
func (d *document) collect(routes []Route) error {
	for i := range routes {
		r := &routes[i]
		d.schemas.declare(r.Response)
		d.schemas.expandable(r.Response, r.Expand)
		d.schemas.address(d.info.Server, r)
		if r.Body == nil {
			continue
		}
		d.schemas.remember(r.Tag, r.Body)
		if err := d.schemas.declareForm(r); err != nil {
			return fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
		}
	}
	for _, t := range d.info.Types {
		d.schemas.declare(t)
	}
	return d.schemas.build()
}

// paths holds the operations, paths and methods in the order of the table.
func (d *document) paths(routes []Route) (object, error) {
	out := object{}
	for i := range routes {
		r := &routes[i]
		operation, err := d.operation(r)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", r.Method, r.Path, err)
		}
		item, _ := out.get(r.Path).(object)
		item.set(strings.ToLower(r.Method), operation)
		out.set(r.Path, item)
	}
	return out, nil
}

func (d *document) operation(r *Route) (object, error) {
	o := object{{"operationId", d.operationID(r)}, {"tags", []string{r.Tag}}, {"summary", r.Summary}}
	if r.Doc != "" {
		o.set("description", r.Doc)
	}
	o.set("security", security(r.Access))
	if p := parameters(r); len(p) > 0 {
		o.set("parameters", p)
	}
	if r.Body != nil {
		o.set("requestBody", d.requestBody(r))
	}
	responses, err := d.successes(r)
	if err != nil {
		return nil, err
	}
	for _, status := range refusals(r) {
		d.responses[status] = true
		responses.set(strconv.Itoa(status), reference("responses", errorName(status)))
	}
	o.set("responses", responses)
	return o, nil
}

// operationID is a name for generated code, made of method and path. Where two
// spellings of one path stand in the table the later ones are numbered.
func (d *document) operationID(r *Route) string {
	name := strings.ToLower(r.Method)
	for _, seg := range segments(r.Path) {
		if seg == "v1" {
			continue
		}
		if param, ok := strings.CutPrefix(seg, "{"); ok {
			name += "By" + camel(strings.TrimSuffix(param, "}"))
			continue
		}
		name += camel(seg)
	}
	unique := name
	for n := 2; d.operationIDs[unique]; n++ {
		unique = name + strconv.Itoa(n)
	}
	d.operationIDs[unique] = true
	return unique
}

// camel writes words as one word, each with a capital.
func camel(s string) string {
	var b strings.Builder
	up := true
	for _, r := range s {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			up = true
		case up:
			b.WriteRune(unicode.ToUpper(r))
			up = false
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func (d *document) requestBody(r *Route) object {
	kind := "application/json"
	if r.Files != nil {
		kind = "multipart/form-data"
	}
	name := d.schemas.formName(r)
	schema := d.schemas.component(name)
	o := object{{"content", object{{kind, object{
		{"schema", reference("schemas", name)},
		{"example", d.schemas.example(r.Tag, false).of(schema, "")},
	}}}}}
	if schema.get("required") != nil {
		o.set("required", true)
	}
	return o
}

// successes describes the answers of success and of what else the route answers
// that is no refusal.
func (d *document) successes(r *Route) (object, error) {
	out := object{}
	for _, status := range append([]int{r.Status}, r.Also...) {
		if status < 200 || status > 399 {
			return nil, fmt.Errorf("%d is no status of success", status)
		}
		answer := object{{"description", successText(status)}, {"headers", d.headers(r, status)}}
		if content := d.content(r, status); content != nil {
			answer.set("content", content)
		}
		out.set(strconv.Itoa(status), answer)
	}
	return out, nil
}

func successText(status int) string {
	switch status {
	case http.StatusOK:
		return "Done."
	case http.StatusCreated:
		return "Created."
	case http.StatusNoContent:
		return "Done; there is nothing to show."
	}
	return http.StatusText(status) + "."
}

func (d *document) content(r *Route, status int) object {
	switch {
	case status == http.StatusNoContent || status >= 300:
		return nil
	case r.ContentType != "" && !strings.HasPrefix(r.ContentType, "application/json"):
		schema := object{{"type", "string"}}
		if !strings.HasPrefix(r.ContentType, "text/") {
			schema.set("format", "binary")
		}
		return object{{r.ContentType, object{{"schema", schema}, {"example", "…"}}}}
	case r.Response == nil:
		return nil
	}
	schema := d.schemas.of(r.Response)
	return object{{"application/json", object{
		{"schema", schema}, {"example", d.schemas.example(r.Tag, true).of(schema, "")},
	}}}
}

func (d *document) headers(r *Route, status int) object {
	names := []string{"Request-Id"}
	if r.Access != Open {
		names = append(names, "Allow", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
	}
	if r.Write != nil {
		names = append(names, "Idempotency-Replayed")
	}
	if status == http.StatusCreated && d.schemas.hasURL(r.Response) {
		names = append(names, "Location")
	}
	return headerReferences(names...)
}

// tags lists the tags in the order of the table.
func tags(routes []Route, docs map[string]string) []any {
	out, seen := []any{}, map[string]bool{}
	for i := range routes {
		name := routes[i].Tag
		if seen[name] {
			continue
		}
		seen[name] = true
		tag := object{{"name", name}}
		if docs[name] != "" {
			tag.set("description", docs[name])
		}
		out = append(out, tag)
	}
	return out
}

func security(a Access) []any {
	secret := []any{object{{"SecretKey", []string{}}}, object{{"Basic", []string{}}}}
	switch a {
	case Secret:
		return secret
	case Public:
		return append(secret, object{{"PublicKey", []string{}}})
	case Anonymous:
		return append(secret, object{{"PublicKey", []string{}}}, object{})
	}
	return []any{}
}

func securitySchemes() object {
	header := func(doc string) object {
		return object{{"type", "apiKey"}, {"in", "header"}, {"name", "Authorization"}, {"description", doc}}
	}
	return object{
		{"SecretKey", header("`Token <secret key>`. For servers alone: it may do everything.")},
		{"PublicKey", header("`Token <public key>`. For browsers, on the origins registered for the key.")},
		{"Basic", object{
			{"type", "http"}, {"scheme", "basic"},
			{"description", "The key as the user name; the password does not matter."},
		}},
	}
}

// reference points to a shared component.
func reference(section, name string) object {
	return object{{"$ref", "#/components/" + section + "/" + name}}
}
