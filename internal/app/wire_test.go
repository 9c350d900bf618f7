package app_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tradecredit/internal/api/apitest"
	"tradecredit/internal/app"
	"tradecredit/internal/app/apptest"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/merchant"
)

const search = `{"name": "Hokodo Ltd", "country": "GB"}`

func basic(credentials string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(credentials))
}

func detail(text string) string { return fmt.Sprintf(`{"detail": %q}`, text) }

func TestCredentials(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := s.Merchant(merchant.BNPL)
		key := c.Merchant.SecretKey
		me := fmt.Sprintf(`{"id": %q, "name": "Shop", "environment": "sandbox", "profile": "bnpl"}`, c.Merchant.ID)
		for _, header := range []string{
			"Token " + key, "token " + key, "TOKEN\t " + key, basic(key), basic(key + ":"), basic(key + ":anything"), "basic " + basic(key)[6:],
		} {
			c.With("Authorization", header).Do("GET", "/v1/me", nil).Want(200, me)
		}
		const missing, unknown = "Authentication credentials were not provided.", "Invalid token."
		for header, sentence := range map[string]string{
			"":                                  missing,
			key:                                 missing,
			"Bearer " + key:                     missing,
			"Token nope":                        unknown,
			"Token " + strings.ToUpper(key):     unknown,
			"Token":                             "Invalid token header. No credentials provided.",
			"Token ":                            "Invalid token header. No credentials provided.",
			"Token a b":                         "Invalid token header. Token string should not contain spaces.",
			"Token \xff\xfe":                    "Invalid token header. Token string should not contain invalid characters.",
			basic("nope:"):                      "Invalid username/password.",
			"Basic":                             "Invalid basic header. No credentials provided.",
			"Basic a b":                         "Invalid basic header. Credentials string should not contain spaces.",
			"Basic abc":                         "Invalid basic header. Credentials not correctly base64 encoded.",
			"Basic " + strings.Repeat("A", 401): "Invalid basic header. Credentials not correctly base64 encoded.",
		} {
			r := c.With("Authorization", header).Do("GET", "/v1/me", nil).Want(401, detail(sentence))
			if got := r.Header.Get("WWW-Authenticate"); got != "Token" {
				t.Errorf("%q: WWW-Authenticate is %q", header, got)
			}
		}
		// Wrong credentials fail where none are needed; a scheme of others does not.
		c.With("Authorization", "Token nope").Do("POST", "/v1/companies/search", search).Want(401, detail(unknown))
		c.With("Authorization", "Bearer x").Do("POST", "/v1/companies/search", search).WantStatus(200)
		deactivate(t, s.DB, c.Merchant)
		s.Clock.Advance(time.Minute) // a node remembers a key for a moment
		c.Do("GET", "/v1/me", nil).Want(401, detail("User inactive or deleted."))
	})
}

func deactivate(t *testing.T, d *db.DB, c merchant.Created) {
	t.Helper()
	err := d.Write(context.Background(), func(tx *db.Tx) error {
		merchant.SetKeyActive(tx, c.ID, merchant.HashKey(c.SecretKey), false)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := s.Merchant(merchant.BNPL)
		const orders, order = "/v1/payment/orders", "/v1/payment/orders/order-x"
		for _, x := range []struct {
			method, path string
			header       [2]string
			body         any
			status       int
			want         string
			allow        string
		}{
			{"GET", "/v1/nothing", [2]string{}, nil, 404, "Not found.", ""},
			{"GET", "//v1/me", [2]string{}, nil, 404, "Not found.", ""},
			{"GET", "/v1//me", [2]string{}, nil, 404, "Not found.", ""},
			{"GET", "/v1/me//", [2]string{}, nil, 404, "Not found.", ""},
			{"GET", "/v1/ME", [2]string{}, nil, 404, "Not found.", ""},
			{"GET", "/v1/me.json", [2]string{}, nil, 404, "Not found.", ""},
			{"GET", orders + "/a.b", [2]string{}, nil, 404, "Not found.", ""},
			{"GET", "/nowhere", [2]string{}, nil, 404, "Not found.", ""},
			{"GET", "/", [2]string{}, nil, 404, "Not found.", ""},
			// No route comes before everything else.
			{"GET", "/v1/nothing", [2]string{"Authorization", "Token nope"}, nil, 404, "Not found.", ""},
			{"GET", "/v1/me", [2]string{"Accept", "text/html"}, nil, 406, "Could not satisfy the request Accept header.", "GET, HEAD, OPTIONS"},
			{"GET", "/v1/me?format=xml", [2]string{}, nil, 404, "Not found.", "GET, HEAD, OPTIONS"},
			{"DELETE", "/v1/me", [2]string{}, nil, 405, `Method \"DELETE\" not allowed.`, "GET, HEAD, OPTIONS"},
			{"PUT", orders, [2]string{}, "{broken", 405, `Method \"PUT\" not allowed.`, "GET, POST, HEAD, OPTIONS"},
			{"HEAD", "/v1/companies/search", [2]string{}, nil, 405, "", "POST, OPTIONS"},
			{"PURGE", orders, [2]string{}, nil, 405, `Method \"PURGE\" not allowed.`, "GET, POST, HEAD, OPTIONS"},
			{"PATCH", "/v1/payment/deferred_payments/defpay-x/capture", [2]string{}, nil, 405, `Method \"PATCH\" not allowed.`, "POST, PUT, OPTIONS"},
			// An object that is missing comes before the body.
			{"PATCH", order, [2]string{}, "{broken", 404, "Not found.", "GET, PUT, PATCH, DELETE, HEAD, OPTIONS"},
			{"POST", orders, [2]string{"Content-Type", "text/plain"}, "x", 415, `Unsupported media type \"text/plain\" in request.`, "GET, POST, HEAD, OPTIONS"},
			{"POST", orders, [2]string{"Content-Type", `text/plain; charset="utf-8"`}, "x", 415, `Unsupported media type \"text/plain; charset=\"utf-8\"\" in request.`, ""},
			{"POST", orders, [2]string{"Content-Type", "application/vnd.api+json"}, "{}", 415, `Unsupported media type \"application/vnd.api+json\" in request.`, ""},
			{"POST", orders, [2]string{}, "{broken", 400, "JSON parse error - Expecting property name enclosed in double quotes: line 1 column 2 (char 1)", ""},
			{"POST", orders, [2]string{}, "  ", 400, "JSON parse error - Expecting value: line 1 column 3 (char 2)", ""},
		} {
			client := c
			if x.header[0] != "" {
				client = c.With(x.header[0], x.header[1])
			}
			r := client.Do(x.method, x.path, x.body).WantStatus(x.status)
			if want := `{"detail":"` + x.want + `"}`; x.want != "" && string(r.Body) != want {
				t.Errorf("%s %s: got %s, want %s", x.method, x.path, r.Body, want)
			}
			if got := r.Header.Get("Allow"); x.allow != "" && got != x.allow {
				t.Errorf("%s %s: Allow is %q, want %q", x.method, x.path, got, x.allow)
			}
			if r.Header.Get("Request-Id") == "" || r.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s %s: headers %v", x.method, x.path, r.Header)
			}
		}
		// Without credentials a wrong method is a 401.
		c.With("Authorization", "").Do("DELETE", "/v1/me", nil).WantStatus(401)
	})
}

func TestNegotiation(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := s.Merchant(merchant.BNPL)
		me := c.Do("GET", "/v1/me", nil).WantStatus(200)
		for _, path := range []string{"/v1/me/", "/v1/me?format=json", "/v1/me?format=", "/v1/me/?x=1"} {
			c.Do("GET", path, nil).Want(200, string(me.Body))
		}
		for _, accept := range []string{"*/*", "application/*;q=0", "application/json; indent=2", "text/html, application/json"} {
			c.With("Accept", accept).Do("GET", "/v1/me", nil).WantStatus(200)
		}
		for _, kind := range []string{"application/json", "APPLICATION/JSON; charset=utf-8", "application/*", "*/*", "application/x-www-form-urlencoded"} {
			c.With("Content-Type", kind).Do("POST", "/v1/companies/search", search).WantStatus(200)
		}
		c.With("Content-Type", "application/json").Do("GET", "/v1/me", nil).WantStatus(200)
		c.Do("get", "/v1/me", nil).WantStatus(200)
		head := c.Do("HEAD", "/v1/me", nil).Want(200, "")
		if got, want := head.Header.Get("Content-Length"), fmt.Sprint(len(me.Body)); got != want {
			t.Errorf("HEAD: Content-Length %q, want %q", got, want)
		}
		var options map[string]any
		c.Do("OPTIONS", "/v1/payment/orders", nil).WantStatus(200).Decode(&options)
		for _, name := range []string{"name", "description", "renders", "parses", "actions"} {
			if _, ok := options[name]; !ok {
				t.Errorf("OPTIONS has no %s", name)
			}
		}
		c.With("Authorization", "").Do("OPTIONS", "/v1/payment/orders", nil).WantStatus(401)
		c.Do("POST", "/v1/companies/search", nil).Want(400, `{"country": ["This field is required."]}`)
		c.Do("POST", "/v1/companies/search", "null").Want(400, `{"non_field_errors": ["No data provided"]}`)
	})
}

func TestPublicKey(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := s.Merchant(merchant.BNPL)
		public := c.With("Authorization", "Token "+c.Merchant.PublicKey)
		public.Do("POST", "/v1/companies/search", search).WantStatus(200)
		public.Do("GET", "/v1/countries/debtor", nil).WantStatus(200)
		public.With("Authorization", basic(c.Merchant.PublicKey+":")).Do("POST", "/v1/companies/search", search).WantStatus(200)
		const forbidden = "You do not have permission to perform this action."
		for _, r := range s.App.Routes {
			if !strings.HasPrefix(r.Path, "/v1/") || strings.Contains(r.Path, "/countries/") || strings.HasSuffix(r.Path, "/search") {
				continue
			}
			public.Do(r.Method, r.Path, nil).Want(403, detail(forbidden))
		}
		// 403 comes before 405.
		public.Do("DELETE", "/v1/me", nil).Want(403, detail(forbidden))
		origin := public.With("Origin", "https://shop.example")
		if got := origin.Do("POST", "/v1/companies/search", search).WantStatus(200).Header.Get("Access-Control-Allow-Origin"); got != "*" {
			t.Errorf("Access-Control-Allow-Origin is %q", got)
		}
		preflight := origin.With("Authorization", "").With("Access-Control-Request-Method", "POST")
		preflight.Do("OPTIONS", "/v1/companies/search", nil).Want(204, "")
		preflight.Do("OPTIONS", "/v1/payment/orders", nil).WantStatus(401)
		register(t, s.DB, c.Merchant, "https://other.example")
		s.Clock.Advance(5e9)
		origin.Do("POST", "/v1/companies/search", search).Want(403, detail(forbidden))
		public.With("Origin", "https://other.example").Do("POST", "/v1/companies/search", search).WantStatus(200)
	})
}

func register(t *testing.T, d *db.DB, c merchant.Created, origin string) {
	t.Helper()
	err := d.Write(context.Background(), func(tx *db.Tx) error {
		merchant.SetOrigins(tx, c.ID, merchant.HashKey(c.PublicKey), []string{origin})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestRateLimits(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := apptest.Start(t, d, func(c *app.Config) {
			c.Limits.SecretPerSecond, c.Limits.SecretBurst = 2, 4
			c.Limits.PublicPerSecond, c.Limits.PublicSearchesPerMinute, c.Limits.AnonymousPerMinute = 20, 3, 2
		})
		c := s.Merchant(merchant.BNPL)
		for range 4 {
			c.Do("GET", "/v1/me", nil).WantStatus(200)
		}
		r := c.Do("GET", "/v1/me", nil).Want(429, detail("Request was throttled. Expected available in 1 second."))
		wantHeaders(t, r, "Retry-After", "1", "RateLimit-Limit", "4", "RateLimit-Remaining", "0", "RateLimit-Reset", "2")
		// 429 comes before 405, and 401 before 429.
		c.Do("DELETE", "/v1/me", nil).WantStatus(429)
		s.Clock.Advance(1e9)
		r = c.Do("GET", "/v1/me", nil).WantStatus(200)
		wantHeaders(t, r, "Retry-After", "", "RateLimit-Limit", "4", "RateLimit-Remaining", "1", "RateLimit-Reset", "2")

		anonymous := c.With("Authorization", "")
		anonymous.Do("POST", "/v1/companies/search", search).WantStatus(200)
		anonymous.Do("GET", "/v1/countries/debtor", nil).WantStatus(200)
		r = anonymous.Do("POST", "/v1/companies/search", search).Want(429, detail("Request was throttled. Expected available in 30 seconds."))
		wantHeaders(t, r, "Retry-After", "30")
		anonymous.Do("GET", "/v1/me", nil).WantStatus(401)

		public := c.With("Authorization", "Token "+c.Merchant.PublicKey)
		for range 3 {
			public.Do("POST", "/v1/companies/search", search).WantStatus(200)
		}
		r = public.Do("POST", "/v1/companies/search", search).WantStatus(429)
		wantHeaders(t, r, "Retry-After", "20", "RateLimit-Limit", "3")
		public.Do("GET", "/v1/countries/debtor", nil).WantStatus(200)
	})
}

func wantHeaders(t *testing.T, r *apitest.Response, pairs ...string) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if got := r.Header.Get(pairs[i]); got != pairs[i+1] {
			t.Errorf("%s is %q, want %q", pairs[i], got, pairs[i+1])
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := s.Merchant(merchant.BNPL).With("Authorization", "Token nope").With("Accept", "text/html")
		c.Do("GET", "/healthz", nil).Want(200, `{"status": "ok"}`)
		c.Do("GET", "/readyz", nil).Want(200, `{"status": "ready"}`)
	})
}

// TestProduction holds that nothing of the sandbox is left in production.
func TestProduction(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := apptest.Start(t, d, func(c *app.Config) { c.Environment = merchant.Production })
		shop := s.Shop(apptest.Buyer{Email: "jane+paymentplan_declined_dp_fraud_rejected@buyer.example"})
		for _, x := range [][2]string{
			{"GET", "/v1/sandbox/clock"}, {"POST", "/v1/sandbox/clock"}, {"GET", "/v1/sandbox/emails"},
			{"GET", "/v1/sandbox/webhook_deliveries"}, {"GET", "/v1/sandbox/merchant"}, {"PATCH", "/v1/sandbox/merchant"},
			{"POST", "/v1/sandbox/payment_plans/ppln-x/accept"}, {"POST", "/v1/sandbox/deferred_payments/defpay-x/review"},
			{"GET", "/legal/terms"},
		} {
			shop.Do(x[0], x[1], nil).Want(404, `{"detail": "Not found."}`)
		}
		for _, r := range s.App.Routes {
			if strings.Contains(r.Path, "sandbox") {
				t.Errorf("%s %s is there", r.Method, r.Path)
			}
		}
		offer := shop.Offer(shop.Order(12000))
		if got := offer.Plans[0].Status; got != "offered" {
			t.Errorf("the plan is %s: an address decided", got)
		}
		if got := shop.Do("GET", "/v1/me", nil).Text("environment"); got != "production" {
			t.Errorf("environment is %s", got)
		}
		https := `["Enter a URL that begins with https://."]`
		body := shop.OfferBody(shop.Order(100))
		body["urls"] = map[string]string{"success": "", "failure": "", "cancel": "", "notification": "http://merchant.example/n", "merchant_terms": ""}
		shop.Do("POST", "/v1/payment/offers", body).Want(400, `{"urls": {"notification": `+https+`}}`)
		body["urls"] = map[string]string{"success": "http://merchant.example/ok", "failure": "", "cancel": "", "notification": "", "merchant_terms": ""}
		shop.Do("POST", "/v1/payment/offers", body).Want(400, `{"urls": {"success": `+https+`}}`)
		shop.Do("POST", "/v1/webhook_endpoints", `{"url": "http://merchant.example/n"}`).Want(400, `{"url": `+https+`}`)
		shop.Do("POST", "/v1/webhook_endpoints", `{"url": "https://merchant.example/n"}`).WantStatus(http.StatusCreated)
	})
}
