package pay

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// KitPrefix is the path under which Kit is mounted.
const KitPrefix = "/kit/"

// Kit serves every fixture at /kit/<name>, and their names as JSON at /kit/, for tests in a browser and for whoever
// works on the pages. Its forms work: a POST is checked and answered like a real confirmation, but confirms nothing.
func Kit(r *Renderer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		fixtures := Fixtures()
		name := strings.TrimPrefix(req.URL.Path, KitPrefix)
		if name == "" {
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(slices.Sorted(maps.Keys(fixtures))) // the client is gone when this fails
			return
		}
		page, ok := fixtures[name]
		if !ok {
			http.NotFound(w, req)
			return
		}
		if req.Method == http.MethodPost && page.State == Offered {
			page = kitConfirm(page, req)
		}
		SecurityHeaders(w.Header(), []string{page.Links.Success, page.Links.Failure, page.Links.Cancel})
		if page.State == UnknownLink {
			w.WriteHeader(http.StatusNotFound)
		}
		if err := r.Render(w, page); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
}

// kitConfirm answers what a confirmation would show: the form with its problems, or the accepted order.
func kitConfirm(page Page, req *http.Request) Page {
	req.Body = http.MaxBytesReader(nil, req.Body, 64<<10)
	if err := req.ParseForm(); err != nil {
		return Fixtures()["failure"]
	}
	in := ReadInput(req.PostForm)
	page.Form.Input = in
	page.Form.Problems = CheckInput(in, page.Plans)
	if len(page.Form.Problems) > 0 {
		return page
	}
	plan := page.Plans[slices.IndexFunc(page.Plans, func(p Plan) bool { return p.ID == in.Plan })]
	page.State = Accepted
	page.Result = &Result{Status: string(Accepted), Number: "P-7WR2-PR0S", Plan: &plan, Method: in.Method}
	return page
}
