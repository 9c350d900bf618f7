package fuzz

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Sound fails a test whose OpenAPI document contradicts itself: a reference
// leads nowhere, a schema does not compile, an example is not valid by its own
// schema, two operations have one id, a parameter of a path is not described, or
// nothing refers to a schema.
func Sound(t testing.TB, document []byte) {
	t.Helper()
	for _, fault := range faults(document) {
		t.Error(fault)
	}
}

// inspection goes through a document.
type inspection struct {
	tree     map[string]any
	compiler *jsonschema.Compiler
	ids      map[string]string
	found    []string
}

func faults(document []byte) []string {
	parsed, err := jsonschema.UnmarshalJSON(bytes.NewReader(document))
	if err != nil {
		return []string{err.Error()}
	}
	tree, ok := parsed.(map[string]any)
	if !ok {
		return []string{"the document is no object"}
	}
	i := &inspection{tree: tree, compiler: jsonschema.NewCompiler(), ids: map[string]string{}}
	i.compiler.DefaultDraft(jsonschema.Draft2020)
	i.compiler.AssertFormat()
	if err := i.compiler.AddResource(resource, tree); err != nil {
		return []string{err.Error()}
	}
	i.references(tree, "#")
	schemas, _ := dig(tree, "components", "schemas").(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		i.schema("#/components/schemas/"+escape(name), schemas[name])
	}
	responses, _ := dig(tree, "components", "responses").(map[string]any)
	for name, response := range responses {
		i.content("#/components/responses/"+escape(name), response)
	}
	i.operations()
	return i.found
}

func (i *inspection) fault(format string, args ...any) {
	i.found = append(i.found, fmt.Sprintf(format, args...))
}

// references follows every $ref below v.
func (i *inspection) references(v any, at string) {
	switch v := v.(type) {
	case map[string]any:
		if ref, ok := v["$ref"].(string); ok {
			path, local := strings.CutPrefix(ref, "#/")
			if !local || dig(i.tree, strings.Split(path, "/")...) == nil {
				i.fault("%s: %s leads nowhere", at, ref)
			}
		}
		for name, inner := range v {
			i.references(inner, at+"/"+escape(name))
		}
	case []any:
		for n, inner := range v {
			i.references(inner, fmt.Sprintf("%s/%d", at, n))
		}
	}
}

// schema compiles a schema and holds the examples within it against their parts
// of it.
func (i *inspection) schema(at string, v any) {
	compiled, err := i.compiler.Compile(resource + at)
	if err != nil {
		i.fault("%s: %v", at, err)
		return
	}
	object, ok := v.(map[string]any)
	if !ok {
		return
	}
	if examples, ok := object["examples"].([]any); ok {
		for _, e := range examples {
			if err := compiled.Validate(e); err != nil {
				i.fault("%s: an example is not valid: %v", at, err)
			}
		}
	}
	if properties, ok := object["properties"].(map[string]any); ok {
		for name, p := range properties {
			i.schema(at+"/properties/"+escape(name), p)
		}
	}
	if items, ok := object["items"]; ok {
		i.schema(at+"/items", items)
	}
}

func (i *inspection) operations() {
	paths, _ := i.tree["paths"].(map[string]any)
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		for method, o := range paths[path].(map[string]any) {
			at := "#/paths/" + escape(path) + "/" + method
			operation := o.(map[string]any)
			id, _ := operation["operationId"].(string)
			if other := i.ids[id]; other != "" || id == "" {
				i.fault("%s and %s are both called %q", at, other, id)
			}
			i.ids[id] = at
			i.parameters(at, path, operation)
			i.content(at+"/requestBody", operation["requestBody"])
			responses, _ := operation["responses"].(map[string]any)
			for status, response := range responses {
				i.content(at+"/responses/"+status, response)
			}
		}
	}
}

// parameters demands those of the path, and no others.
func (i *inspection) parameters(at, path string, operation map[string]any) {
	var want, got []string
	for _, seg := range strings.Split(path, "/") {
		if name, ok := strings.CutPrefix(seg, "{"); ok {
			want = append(want, strings.TrimSuffix(name, "}"))
		}
	}
	list, _ := operation["parameters"].([]any)
	for _, p := range list {
		if name, ok := dig(p, "name").(string); ok && dig(p, "in") == "path" {
			got = append(got, name)
		}
	}
	if !slices.Equal(want, got) {
		i.fault("%s: the parameters of the path are %v, described are %v", at, want, got)
	}
}

// content holds the examples of a request or an answer against its schema.
func (i *inspection) content(at string, described any) {
	kinds, _ := dig(described, "content").(map[string]any)
	for kind, m := range kinds {
		at := at + "/content/" + escape(kind)
		media := m.(map[string]any)
		i.schema(at+"/schema", media["schema"])
		compiled, err := i.compiler.Compile(resource + at + "/schema")
		if err != nil {
			continue
		}
		examples := []any{}
		if e, ok := media["example"]; ok {
			examples = append(examples, e)
		}
		several, _ := media["examples"].(map[string]any)
		for _, e := range several {
			examples = append(examples, dig(e, "value"))
		}
		if len(examples) == 0 {
			i.fault("%s: there is no example", at)
		}
		for _, e := range examples {
			if err := compiled.Validate(e); err != nil {
				i.fault("%s: the example is not valid: %v", at, err)
			}
		}
	}
}
