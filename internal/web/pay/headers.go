package pay

import (
	"net/http"
	"net/url"
	"strings"
)

// SecurityHeaders sets what every hosted page answers with. returnOrigins are the addresses (or origins) a
// confirmation may redirect to: Chromium holds redirects after a form POST against form-action too. Entries that
// are no http or https address are left out, as they could smuggle in another directive.
func SecurityHeaders(h http.Header, returnOrigins []string) {
	action := []string{"'self'"}
	seen := map[string]bool{}
	for _, raw := range returnOrigins {
		origin := originOf(raw)
		if origin == "" || seen[origin] {
			continue
		}
		seen[origin] = true
		action = append(action, origin)
	}
	h.Set("Content-Security-Policy", strings.Join([]string{
		"default-src 'none'",
		"style-src 'self'",
		"img-src 'self' data:",
		"form-action " + strings.Join(action, " "),
		"base-uri 'none'",
		"frame-ancestors 'none'",
	}, "; "))
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Robots-Tag", "noindex")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
}

// originOf answers scheme://host[:port] of an address, or "" when it has none that may stand in a policy.
func originOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
		return ""
	}
	if strings.ContainsAny(u.Host, " ;,'\"\t\r\n*\\") {
		return ""
	}
	return u.Scheme + "://" + u.Host
}
