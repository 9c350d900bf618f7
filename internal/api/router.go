package api

import (
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"
)

// router finds routes by their segments. It redirects nothing and cleans
// nothing: a path matches as it is, with or without one slash at its end.
type router struct {
	root node
}

type node struct {
	literal map[string]*node
	param   *node
	name    string // of the parameter
	methods map[string]*Route
	// prefix is the first segment's family, for errors outside any route.
}

// methodOrder is the order of methods in Allow headers.
var methodOrder = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"}

func newRouter(routes []Route) (*router, error) {
	r := &router{}
	for i := range routes {
		if err := r.add(&routes[i]); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *router) add(route *Route) error {
	n := &r.root
	for _, seg := range segments(route.Path) {
		if name, ok := strings.CutPrefix(seg, "{"); ok {
			if n.param == nil {
				n.param = &node{}
			}
			n = n.param
			name = strings.TrimSuffix(name, "}")
			if n.name != "" && n.name != name {
				return fmt.Errorf("%s %s: the parameter is called %s elsewhere", route.Method, route.Path, n.name)
			}
			n.name = name
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
	if n.methods == nil {
		n.methods = map[string]*Route{}
	}
	if n.methods[route.Method] != nil {
		return fmt.Errorf("%s %s stands in the table twice", route.Method, route.Path)
	}
	n.methods[route.Method] = route
	return nil
}

func segments(path string) []string {
	path = strings.TrimPrefix(path, "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}

// find returns the methods of a path and its parameters, or nil.
func (r *router) find(path string) (map[string]*Route, map[string]string) {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok || !utf8.ValidString(path) || strings.ContainsRune(path, 0) {
		return nil, nil
	}
	rest = strings.TrimSuffix(rest, "/")
	params := map[string]string{}
	n := &r.root
	if rest == "" {
		return n.methods, params
	}
	for _, seg := range strings.Split(rest, "/") {
		switch {
		case n.literal[seg] != nil:
			n = n.literal[seg]
		case n.param != nil && seg != "" && !strings.Contains(seg, "."):
			n = n.param
			params[n.name] = seg
		default:
			return nil, nil
		}
	}
	return n.methods, params
}

// allow is the Allow header for a set of methods.
func allow(methods map[string]*Route) string {
	var out []string
	for _, m := range methodOrder {
		_, ok := methods[m]
		if ok || m == http.MethodOptions || m == http.MethodHead && methods[http.MethodGet] != nil {
			out = append(out, m)
		}
	}
	return strings.Join(out, ", ")
}
