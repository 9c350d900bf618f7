package fuzz

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Document is an OpenAPI document against which answers are checked.
type Document struct {
	operations map[string]map[string]*operation // by path and method
	order      []string                         // the paths, sorted
	root       *node
}

// operation is what a document says of one method of one path.
type operation struct {
	method, path string
	target       string   // the path with the example of each parameter
	query        []string // the names of the parameters of the query
	body         []byte   // an example; nil when there is none
	bodyType     string
	answers      map[int]*answer
}

// answer is what a document says of one status.
type answer struct {
	contentType string // "" when there is no content
	schema      *jsonschema.Schema
}

// node is a segment of the paths.
type node struct {
	literal map[string]*node
	param   *node
	path    string // of the document, "" when none ends here
}

const resource = "openapi.json"

// NewDocument reads an OpenAPI document and compiles every schema in it that an
// operation uses. It demands more than the document does: an answer has no
// fields but those that are described.
func NewDocument(text []byte) (*Document, error) {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	tree, ok := parsed.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("fuzz: the document is no object")
	}
	seal(tree)
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	if err := compiler.AddResource(resource, tree); err != nil {
		return nil, err
	}
	d := &Document{operations: map[string]map[string]*operation{}, root: &node{}}
	paths, _ := tree["paths"].(map[string]any)
	for path, item := range paths {
		d.operations[path] = map[string]*operation{}
		d.insert(path)
		for method, o := range item.(map[string]any) {
			r := reader{tree: tree, compiler: compiler}
			op, err := r.operation(path, method, o.(map[string]any))
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
			d.operations[path][op.method] = op
		}
	}
	d.order = slices.Sorted(maps.Keys(d.operations))
	return d, nil
}

// seal closes every object that has properties to others.
func seal(v any) {
	switch v := v.(type) {
	case map[string]any:
		_, given := v["additionalProperties"]
		if _, ok := v["properties"].(map[string]any); ok && v["type"] == "object" && !given {
			v["additionalProperties"] = false
		}
		for _, inner := range v {
			seal(inner)
		}
	case []any:
		for _, inner := range v {
			seal(inner)
		}
	}
}

func (d *Document) insert(path string) {
	n := d.root
	for _, seg := range strings.Split(strings.TrimPrefix(path, "/"), "/") {
		if strings.HasPrefix(seg, "{") {
			if n.param == nil {
				n.param = &node{}
			}
			n = n.param
			continue
		}
		if n.literal == nil {
			n.literal = map[string]*node{}
		}
		if n.literal[seg] == nil {
			n.literal[seg] = &node{}
		}
		n = n.literal[seg]
	}
	n.path = path
}

// find returns the operations of an address, or nil.
func (d *Document) find(path string) map[string]*operation {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return nil
	}
	n := d.root
	for _, seg := range strings.Split(strings.TrimSuffix(rest, "/"), "/") {
		switch {
		case n.literal[seg] != nil:
			n = n.literal[seg]
		case n.param != nil && seg != "" && !strings.Contains(seg, "."):
			n = n.param
		default:
			return nil
		}
	}
	return d.operations[n.path]
}

// reader takes a document apart.
type reader struct {
	tree     map[string]any
	compiler *jsonschema.Compiler
}

func (r *reader) operation(path, method string, o map[string]any) (*operation, error) {
	op := &operation{method: strings.ToUpper(method), path: path, answers: map[int]*answer{}}
	op.target = path
	parameters, _ := o["parameters"].([]any)
	for _, p := range parameters {
		if ref, ok := dig(p, "$ref").(string); ok {
			p = dig(r.tree, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
		}
		name, _ := dig(p, "name").(string)
		switch dig(p, "in") {
		case "query":
			op.query = append(op.query, name)
		case "path":
			example, _ := dig(p, "example").(string)
			op.target = strings.ReplaceAll(op.target, "{"+name+"}", cmp.Or(example, "1"))
		}
	}
	if content, ok := dig(o, "requestBody", "content").(map[string]any); ok {
		for kind, media := range content {
			example, err := json.Marshal(media.(map[string]any)["example"])
			if err != nil {
				return nil, err
			}
			op.bodyType, op.body = kind, example
		}
	}
	responses, _ := o["responses"].(map[string]any)
	pointer := "#/paths/" + escape(path) + "/" + method + "/responses/"
	for status, response := range responses {
		code, err := strconv.Atoi(status)
		if err != nil {
			return nil, err
		}
		at := pointer + status
		described := response.(map[string]any)
		if ref, ok := described["$ref"].(string); ok {
			at = ref
			described, ok = dig(r.tree, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...).(map[string]any)
			if !ok {
				return nil, fmt.Errorf("%s leads nowhere", ref)
			}
		}
		if op.answers[code], err = r.answer(described, at); err != nil {
			return nil, err
		}
	}
	return op, nil
}

func (r *reader) answer(described map[string]any, at string) (*answer, error) {
	a := &answer{}
	content, _ := described["content"].(map[string]any)
	for kind := range content {
		a.contentType = kind
		if kind != "application/json" {
			continue
		}
		var err error
		a.schema, err = r.compiler.Compile(resource + at + "/content/" + escape(kind) + "/schema")
		if err != nil {
			return nil, err
		}
	}
	return a, nil
}

func dig(v any, path ...string) any {
	for _, name := range path {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

// escape writes a name as a part of a JSON pointer in an address.
func escape(s string) string {
	s = strings.NewReplacer("~", "~0", "/", "~1").Replace(s)
	return strings.NewReplacer("%", "%25", "{", "%7B", "}", "%7D", " ", "%20").Replace(s)
}

// undocumented are the statuses of requests that the document does not know: a
// path that is not there, a method that a path does not have.
var undocumented = []int{
	http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed,
	http.StatusNotAcceptable, http.StatusTooManyRequests,
}

// Check tells whether an answer is one that the document describes. path has no
// query. A HEAD is judged as the GET without its body,
// methods whatever their case.
func (d *Document) Check(method, path string, status int, body []byte) error {
	method = strings.ToUpper(method)
	operations := d.find(path)
	op := operations[method]
	switch {
	case op != nil:
	case method == http.MethodHead && operations[http.MethodGet] != nil:
		if len(body) > 0 {
			return fmt.Errorf("a HEAD is answered with a body")
		}
		if operations[http.MethodGet].answers[status] == nil {
			return fmt.Errorf("the status %d is not documented", status)
		}
		return nil
	case method == http.MethodOptions && operations != nil && status < 300:
		return nil
	default:
		return checkUndocumented(status, body)
	}
	a := op.answers[status]
	switch {
	case a == nil:
		return fmt.Errorf("the status %d is not documented", status)
	case a.contentType == "" && len(body) > 0:
		return fmt.Errorf("a %d has a body, but none is documented", status)
	case len(body) == 0 && a.contentType != "" && !op.mayBeEmpty(status):
		return fmt.Errorf("a %d has no body, but one is documented", status)
	case a.schema == nil || len(body) == 0:
		return nil
	}
	return validate(a.schema, body)
}

// mayBeEmpty tells whether a status of success may come without its body: a 200
// of a route that otherwise creates, when there was nothing to do.
func (o *operation) mayBeEmpty(status int) bool {
	return status == http.StatusOK && o.method != http.MethodGet && o.answers[http.StatusCreated] != nil
}

func checkUndocumented(status int, body []byte) error {
	if !slices.Contains(undocumented, status) {
		return fmt.Errorf("the status %d, but the document does not have the operation", status)
	}
	var detail struct{ Detail *string }
	if len(body) > 0 && (json.Unmarshal(body, &detail) != nil || detail.Detail == nil) {
		return fmt.Errorf("the body is no {\"detail\": …}")
	}
	return nil
}

func validate(schema *jsonschema.Schema, body []byte) error {
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("the body is not JSON: %w", err)
	}
	if err := schema.Validate(v); err != nil {
		return fmt.Errorf("the body is not as documented: %w", err)
	}
	return nil
}

// Conform fails a test whose answer is not one that the document describes.
func Conform(t testing.TB, d *Document, method, path string, status int, body []byte) {
	t.Helper()
	path, _, _ = strings.Cut(path, "?")
	if err := d.Check(method, path, status, body); err != nil {
		t.Errorf("%s %s: %v\n%s", method, path, err, body)
	}
}
