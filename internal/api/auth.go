package api

import (
	"context"
	"encoding/base64"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"tradecredit/internal/apierr"
	"tradecredit/internal/clock"
	"tradecredit/internal/db"
	"tradecredit/internal/merchant"
)

// identity is who calls: a merchant, by one of its keys.
type identity struct {
	key      merchant.Key
	merchant merchant.Merchant
}

// authenticator turns credentials into identities. It remembers them for a
// moment, so that a busy merchant costs no look-up on every request; that moment
// is how long a revoked key may still be used on another node.
type authenticator struct {
	db    *db.DB
	clock clock.Clock
	mu    sync.RWMutex
	known map[string]remembered
}

type remembered struct {
	identity
	until time.Time
}

// memory is how long an identity is remembered, and capacity how many are.
const (
	memory   = 2 * time.Second
	capacity = 10000
)

func unauthorized(text string) error { return apierr.Detail(http.StatusUnauthorized, text) }

// authenticate returns the identity behind a request, nil when it carries no
// credentials that are meant for us, or a 401.
func (a *authenticator) authenticate(r *http.Request) (*identity, error) {
	header := r.Header.Get("Authorization")
	scheme, rest, _ := strings.Cut(strings.ReplaceAll(header, "\t", " "), " ")
	parts := strings.Fields(rest)
	switch strings.ToLower(scheme) {
	case "token":
		return a.token(r.Context(), parts)
	case "basic":
		return a.basic(r.Context(), parts)
	}
	return nil, nil
}

func (a *authenticator) token(ctx context.Context, parts []string) (*identity, error) {
	switch {
	case len(parts) == 0:
		return nil, unauthorized("Invalid token header. No credentials provided.")
	case len(parts) > 1:
		return nil, unauthorized("Invalid token header. Token string should not contain spaces.")
	case !utf8.ValidString(parts[0]):
		return nil, unauthorized("Invalid token header. Token string should not contain invalid characters.")
	}
	return a.lookup(ctx, parts[0], "Invalid token.")
}

func (a *authenticator) basic(ctx context.Context, parts []string) (*identity, error) {
	switch {
	case len(parts) == 0:
		return nil, unauthorized("Invalid basic header. No credentials provided.")
	case len(parts) > 1:
		return nil, unauthorized("Invalid basic header. Credentials string should not contain spaces.")
	}
	decoded, err := base64.StdEncoding.DecodeString(parts[0])
	if err != nil {
		return nil, unauthorized("Invalid basic header. Credentials not correctly base64 encoded.")
	}
	// The key is the user name; what stands behind the colon does not matter.
	key, _, _ := strings.Cut(string(decoded), ":")
	return a.lookup(ctx, key, "Invalid username/password.")
}

func (a *authenticator) lookup(ctx context.Context, key, unknown string) (*identity, error) {
	hash, now := merchant.HashKey(key), a.clock.Now()
	a.mu.RLock()
	found, ok := a.known[hash]
	a.mu.RUnlock()
	if ok && now.Before(found.until) {
		return &found.identity, nil
	}
	var who identity
	err := a.db.Read(ctx, func(tx *db.Tx) (err error) {
		if who.key, err = merchant.FindKey(ctx, tx, hash); err != nil {
			return err
		}
		who.merchant, err = merchant.Get(ctx, tx, who.key.MerchantID)
		return err
	})
	switch {
	case errors.Is(err, db.ErrNoRows):
		return nil, unauthorized(unknown)
	case err != nil:
		return nil, err
	case !who.key.Active:
		return nil, unauthorized("User inactive or deleted.")
	}
	a.mu.Lock()
	if len(a.known) >= capacity {
		a.known = map[string]remembered{}
	}
	a.known[hash] = remembered{who, now.Add(memory)}
	a.mu.Unlock()
	return &who, nil
}

// forget drops what is remembered of a merchant, after its settings changed.
func (a *authenticator) forget(merchantID string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for hash, r := range a.known {
		if r.merchant.ID == merchantID {
			delete(a.known, hash)
		}
	}
}

// permit refuses a caller who may not use a route.
func permit(route *Route, who *identity, origin string) error {
	if route.Access == Open {
		return nil
	}
	if who == nil {
		if route.Access == Anonymous {
			return nil
		}
		return unauthorized("Authentication credentials were not provided.")
	}
	if who.key.Kind != merchant.PublicKey {
		return nil
	}
	if route.Access == Secret {
		return apierr.Forbidden()
	}
	if origin == "" || len(who.key.Origins) == 0 && who.merchant.Environment == merchant.Sandbox {
		return nil
	}
	for _, o := range who.key.Origins {
		if o == origin {
			return nil
		}
	}
	return apierr.Forbidden()
}
