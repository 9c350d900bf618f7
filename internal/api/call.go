package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"tradecredit/internal/apierr"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
	"tradecredit/internal/id"
	"tradecredit/internal/merchant"
	"tradecredit/internal/page"
)

// Call is one request on its way through a handler.
type Call struct {
	// Context is the request's.
	context.Context
	Request *http.Request
	// Merchant is who calls; its zero value when nobody is authenticated.
	Merchant merchant.Merchant
	// Now is the merchant's time.
	Now   time.Time
	Route *Route

	server *Server
	params map[string]string
	body   []byte
	parsed *form.Value
	// uploads are the files of a multipart body, in their order.
	uploads []upload
}

// Path returns a parameter of the path. Old spellings of prefixes are read.
func (c *Call) Path(name string) string { return id.Canonical(c.params[name]) }

// Page is the part of a list that is asked for.
func (c *Call) Page() page.Page { return page.Parse(c.Request.URL.Query()) }

// Query returns the last value of a query parameter, trimmed, or "". What no stored
// text has, and a database may refuse to look for, is replaced in it.
func (c *Call) Query(name string) string {
	text := strings.ToValidUTF8(c.rawQuery(name), "\uFFFD")
	return strings.TrimSpace(strings.ReplaceAll(text, "\x00", "\uFFFD"))
}

// QueryHasNull tells whether a query parameter was sent with a null character.
func (c *Call) QueryHasNull(name string) bool { return strings.ContainsRune(c.rawQuery(name), 0) }

func (c *Call) rawQuery(name string) string {
	values := c.Request.URL.Query()[name]
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// URL is the public address of a path.
func (c *Call) URL(path string) string { return c.server.PublicURL + path }

// Locale is the language the caller asks for.
func (c *Call) Locale() string { return c.Request.Header.Get("Accept-Language") }

// Expand is the set of names that a read asks to have expanded. Writes expand
// nothing.
func (c *Call) Expand() Expand {
	if c.Request.Method != http.MethodGet && c.Request.Method != http.MethodHead {
		return nil
	}
	e := Expand{}
	for _, list := range c.Request.URL.Query()["expand"] {
		for _, name := range strings.Split(list, ",") {
			e[name] = true
		}
	}
	return e
}

// Expand is a set of dotted names.
type Expand map[string]bool

// Has tells whether a field is to be expanded: by its own name, or because
// something inside it is.
func (e Expand) Has(name string) bool {
	if e[name] {
		return true
	}
	for n := range e {
		if strings.HasPrefix(n, name+".") {
			return true
		}
	}
	return false
}

// Under is what is to be expanded inside a field.
func (e Expand) Under(name string) Expand {
	out := Expand{}
	for n := range e {
		if rest, ok := strings.CutPrefix(n, name+"."); ok {
			out[rest] = true
		}
	}
	return out
}

// BodyBytes is the body as it came.
func (c *Call) BodyBytes() []byte { return c.body }

// Decode reads the body by the route's form. The error is a 415 or a 400 that
// says what is wrong, all at once.
func (c *Call) Decode(tx *db.Tx) (*form.Values, error) { return c.DecodeAs(tx, c.Route.Body) }

// DecodeAs is Decode by another form.
func (c *Call) DecodeAs(tx *db.Tx, f *form.Form) (*form.Values, error) {
	v, err := c.parse()
	if err != nil {
		return nil, err
	}
	mode := form.Full
	if c.Request.Method == http.MethodPatch {
		mode = form.Partial
	}
	values, bad, err := f.Decode(v, mode, &resolver{c: c, tx: tx})
	if err != nil {
		return nil, err
	}
	if !bad.Empty() {
		return nil, apierr.Invalid(bad)
	}
	return values, nil
}

// parse reads the body as JSON once.
func (c *Call) parse() (form.Value, error) {
	if c.parsed != nil {
		return *c.parsed, nil
	}
	if err := c.acceptableType(); err != nil {
		return form.Value{}, err
	}
	v, err := form.Parse(c.body)
	if err != nil {
		var bad *form.ParseError
		if errors.As(err, &bad) {
			return v, apierr.BadRequest(bad.Detail)
		}
		return v, err
	}
	c.parsed = &v
	return v, nil
}

// acceptableType refuses bodies that are not JSON. What curl sends when nobody
// says otherwise is labelled as a form; the documents' examples rely on its
// being read all the same.
func (c *Call) acceptableType() error {
	if len(c.body) == 0 {
		return nil
	}
	header := c.Request.Header.Get("Content-Type")
	kind, _, err := mime.ParseMediaType(header)
	if err != nil {
		kind = strings.ToLower(strings.TrimSpace(strings.Split(header, ";")[0]))
	}
	switch kind {
	case "application/json", "application/*", "*/*":
		return nil
	case "application/x-www-form-urlencoded":
		if trimmed := strings.TrimSpace(string(c.body)); strings.HasPrefix(trimmed, "{") {
			return nil
		}
	}
	return apierr.Detail(http.StatusUnsupportedMediaType, `Unsupported media type "`+header+`" in request.`)
}

// Fingerprint covers the request: method, path and body, whatever the order of
// the body's keys, and files by their names and digests.
func (c *Call) Fingerprint() string { return c.FingerprintAs(c.Request.Method) }

// FingerprintAs is Fingerprint as if the request had come by another method, for
// routes that answer to two.
func (c *Call) FingerprintAs(method string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s\n", method, strings.TrimSuffix(c.Request.URL.Path, "/"))
	if v, err := c.parse(); err == nil {
		h.Write(v.Canonical())
	} else {
		h.Write(c.body)
	}
	for _, u := range c.uploads {
		fmt.Fprintf(h, "\n%q %q %s", u.field, u.Filename, u.SHA256)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// IdempotencyKey is the key that the request carries, under the header's name or
// the documents' misspelling of it.
func (c *Call) IdempotencyKey() string {
	if k := c.Request.Header.Get("Idempotency-Key"); k != "" {
		return k
	}
	return c.Request.Header.Get("Itempotency-Key")
}

// Wake lets the work queue look for work at once.
func (c *Call) Wake() { c.server.wake() }

// ForgetMerchant makes a change of the caller's settings known to this node.
func (c *Call) ForgetMerchant() { c.server.auth.forget(c.Merchant.ID) }

// References answers whether objects exist for a merchant, by their prefix.
type References map[id.Prefix]func(ctx context.Context, tx *db.Tx, merchantID, objectID string) (bool, error)

// resolver answers a form's questions about stored objects.
type resolver struct {
	c  *Call
	tx *db.Tx
}

// Exists implements form.Resolver.
func (r *resolver) Exists(prefix, objectID string) (bool, error) {
	exists := r.c.server.References[id.Prefix(prefix)]
	if exists == nil {
		return false, fmt.Errorf("api: nothing knows objects with the prefix %q", prefix)
	}
	return exists(r.c, r.tx, r.c.Merchant.ID, id.Canonical(objectID))
}

// Taken implements form.Resolver.
func (r *resolver) Taken(name, value string) (bool, error) {
	taken := r.c.server.Taken[name]
	if taken == nil {
		return false, fmt.Errorf("api: nothing knows who has taken %q", name)
	}
	return taken(r.c, r.tx, value)
}
