package api

import (
	"net/http"
	"strings"

	"tradecredit/internal/apierr"
)

// acceptable refuses callers who do not take JSON.
func acceptable(r *http.Request) error {
	if f := r.URL.Query().Get("format"); f != "" && f != "json" {
		return apierr.NotFound()
	}
	values, present := r.Header["Accept"]
	if !present {
		return nil
	}
	for _, list := range values {
		for _, kind := range strings.Split(list, ",") {
			kind, _, _ = strings.Cut(kind, ";")
			switch strings.ToLower(strings.TrimSpace(kind)) {
			case "*/*", "application/*", "application/json":
				return nil
			}
		}
	}
	return apierr.Detail(http.StatusNotAcceptable, "Could not satisfy the request Accept header.")
}

// preflight answers a browser that asks whether a page of another origin may
// call. Only routes for public keys or for everybody may be called that way; the
// answers carry no cookies, so any origin may read them.
func preflight(h http.Header, r *http.Request, methods map[string]*Route) bool {
	if r.Header.Get("Origin") == "" {
		return false
	}
	wanted := r.Header.Get("Access-Control-Request-Method")
	asking := r.Method == http.MethodOptions && wanted != ""
	if !asking {
		wanted = r.Method
	}
	route := methods[wanted]
	if route == nil || route.Access == Secret {
		return false
	}
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Request-Id, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset")
	if asking {
		h.Set("Access-Control-Allow-Methods", wanted)
		h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key")
		h.Set("Access-Control-Max-Age", "86400")
	}
	return asking
}

// description is the answer to OPTIONS.
type description struct {
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Renders     []string       `json:"renders"`
	Parses      []string       `json:"parses"`
	Actions     map[string]any `json:"actions,omitempty"`
}

func describe(methods map[string]*Route) (*Answer, error) {
	d := description{Renders: []string{"application/json"}, Parses: []string{"application/json"}, Actions: map[string]any{}}
	for _, m := range methodOrder {
		r := methods[m]
		if r == nil {
			continue
		}
		if d.Name == "" {
			d.Name, d.Description = r.Tag, r.Summary
		}
		if r.Files != nil {
			d.Parses = []string{"multipart/form-data"}
		}
		if r.Body != nil {
			d.Actions[m] = r.Body.Schema()
		}
	}
	return OK(d).encode()
}
