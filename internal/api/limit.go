package api

import (
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"tradecredit/internal/apierr"
	"tradecredit/internal/clock"
	"tradecredit/internal/merchant"
)

// Limits are the rates at which callers may ask. Each is held by one node.
type Limits struct {
	// SecretPerSecond and SecretBurst bound a secret key.
	SecretPerSecond float64
	SecretBurst     int
	// PublicPerSecond bounds a public key; PublicSearchesPerMinute and
	// AnonymousPerMinute bound an address.
	PublicPerSecond         float64
	PublicSearchesPerMinute int
	AnonymousPerMinute      int
	// BehindProxy is set when every request comes through a proxy that ends its
	// X-Forwarded-For with the caller's address. Else that header is anybody's
	// word, and the connection's address counts.
	BehindProxy bool
}

// DefaultLimits are the contract's.
func DefaultLimits() Limits {
	return Limits{
		SecretPerSecond: 1000, SecretBurst: 2000,
		PublicPerSecond: 20, PublicSearchesPerMinute: 30, AnonymousPerMinute: 60,
	}
}

// limiter keeps a bucket of tokens for each caller.
type limiter struct {
	limits  Limits
	clock   clock.Clock
	mu      sync.Mutex
	buckets map[string]*rate.Limiter
}

func newLimiter(l Limits, c clock.Clock) *limiter {
	return &limiter{limits: l, clock: c, buckets: map[string]*rate.Limiter{}}
}

// bucket returns the bucket of a caller. When there are too many, all are
// dropped: a fresh bucket is full, so nobody is refused for it.
func (l *limiter) bucket(name string, perSecond float64, burst int) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[name]
	if b == nil {
		if len(l.buckets) >= 100000 {
			l.buckets = map[string]*rate.Limiter{}
		}
		b = rate.NewLimiter(rate.Limit(perSecond), burst)
		l.buckets[name] = b
	}
	return b
}

// take counts a request, writes the RateLimit headers, and refuses with a 429
// when the caller has asked too often.
func (l *limiter) take(h http.Header, route *Route, who *identity, r *http.Request) error {
	if route.Access == Open {
		return nil
	}
	buckets := l.of(route, who, r)
	now := l.clock.Now()
	for _, b := range buckets {
		ok := b.AllowN(now, 1)
		left := b.TokensAt(now)
		perSecond := float64(b.Limit())
		h.Set("RateLimit-Limit", strconv.Itoa(b.Burst()))
		h.Set("RateLimit-Remaining", strconv.Itoa(max(0, int(left))))
		h.Set("RateLimit-Reset", strconv.Itoa(int(math.Ceil((float64(b.Burst())-left)/perSecond))))
		if !ok {
			wait := time.Duration((1 - left) / perSecond * float64(time.Second))
			return apierr.Throttled(max(wait, time.Millisecond))
		}
	}
	return nil
}

func (l *limiter) of(route *Route, who *identity, r *http.Request) []*rate.Limiter {
	switch {
	case who == nil:
		n := l.limits.AnonymousPerMinute
		return []*rate.Limiter{l.bucket("a:"+l.address(r), float64(n)/60, n)}
	case who.key.Kind == merchant.PublicKey:
		n := l.limits.PublicSearchesPerMinute
		key := l.bucket("k:"+who.key.Hash, l.limits.PublicPerSecond, int(l.limits.PublicPerSecond))
		if route.Access == Anonymous && route.Method == http.MethodPost {
			// A search: what the limit is there for.
			return []*rate.Limiter{key, l.bucket("s:"+who.key.Hash+l.address(r), float64(n)/60, n)}
		}
		return []*rate.Limiter{key}
	}
	return []*rate.Limiter{l.bucket("k:"+who.key.Hash, l.limits.SecretPerSecond, l.limits.SecretBurst)}
}

// address is where a request comes from.
func (l *limiter) address(r *http.Request) string {
	if forwarded := r.Header.Values("X-Forwarded-For"); l.limits.BehindProxy && len(forwarded) > 0 {
		hops := strings.Split(forwarded[len(forwarded)-1], ",")
		return strings.TrimSpace(hops[len(hops)-1])
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
