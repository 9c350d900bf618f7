package checkout_test

import (
	"html"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"tradecredit/internal/api/apitest"
	"tradecredit/internal/app/apptest"
)

// buyer is somebody with a browser and a link.
type buyer struct {
	t    *testing.T
	shop *apptest.Shop
}

func visit(t *testing.T, shop *apptest.Shop) buyer { return buyer{t, shop} }

func (b buyer) client() *apitest.Client {
	return b.shop.With("Authorization", "").With("Accept", "text/html")
}

// open opens a link and demands a status and a heading.
func (b buyer) open(link string, status int, heading string) string {
	b.t.Helper()
	r := b.client().Do("GET", strings.TrimPrefix(link, apptest.PublicURL), nil).WantStatus(status)
	return b.headed(r, heading)
}

var h1 = regexp.MustCompile(`(?s)<h1[^>]*>(.*?)</h1>`)

func (b buyer) headed(r *apitest.Response, heading string) string {
	b.t.Helper()
	body := string(r.Body)
	found := h1.FindStringSubmatch(body)
	if found == nil || strings.TrimSpace(html.UnescapeString(found[1])) != heading {
		b.t.Errorf("the heading is %q, want %q", found, heading)
	}
	return body
}

var attemptField = regexp.MustCompile(`name="attempt" value="([^"]+)"`)

// form is a filled form of a page.
func (b buyer) form(page, plan, method string) url.Values {
	b.t.Helper()
	attempt := attemptField.FindStringSubmatch(page)
	if attempt == nil {
		b.t.Fatal("the page has no form")
	}
	return url.Values{"plan": {plan}, "payment_method-" + plan: {method}, "terms": {"on"}, "attempt": {attempt[1]}}
}

func (b buyer) post(link string, form url.Values) *apitest.Response {
	b.t.Helper()
	return b.client().With("Content-Type", "application/x-www-form-urlencoded").Do("POST", strings.TrimPrefix(link, apptest.PublicURL), form.Encode())
}

// confirm confirms a plan of a page with a link and returns the answer.
func (b buyer) confirm(plan apptest.Plan, method string) *apitest.Response {
	b.t.Helper()
	return b.post(plan.PaymentURL, b.form(b.open(plan.PaymentURL, 200, choose), plan.ID, method)).WantStatus(303)
}

// The headings of the page.
const (
	choose    = "Choose when to pay"
	declined  = "We cannot offer payment terms for this order"
	expired   = "This offer has expired"
	withdrawn = "This offer was withdrawn"
	changed   = "This order has changed"
	already   = "This order is already confirmed"
	dead      = "This link does not work"
	confirmed = "Your order is confirmed"
	checking  = "We are checking your order"
	action    = "We need one more thing"
	transfer  = "Pay the first amount to start your order"
	rejected  = "We cannot accept this order"
)

// quiet is an offer without addresses, so that the page itself says what came of it.
func quiet(t *testing.T, shop *apptest.Shop, order string) (o apptest.Offer) {
	t.Helper()
	body := shop.OfferBody(order)
	body["urls"] = map[string]string{"success": "", "failure": "", "cancel": "", "notification": "", "merchant_terms": ""}
	shop.Do("POST", "/v1/payment/offers", body).WantStatus(201).Decode(&o)
	return o
}

// payments is how many deferred payments a shop has.
func payments(shop *apptest.Shop) int {
	var list struct{ Count int }
	shop.Do("GET", "/v1/payment/deferred_payments", nil).WantStatus(200).Decode(&list)
	return list.Count
}

func TestConfirm(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		b := visit(t, shop)
		order := shop.Order(12000)
		body := shop.OfferBody(order)
		body["urls"].(map[string]string)["success"] = "https://merchant.example/ok?a=1&b=%20x&status=mine#top"
		var offer apptest.Offer
		shop.Do("POST", "/v1/payment/offers", body).WantStatus(201).Decode(&offer)
		link := offer.Plans[0].PaymentURL

		// Opening the page, however often and by whatever, changes nothing.
		page := b.open(link, 200, choose)
		b.open(link, 200, choose)
		b.client().Do("HEAD", strings.TrimPrefix(link, apptest.PublicURL), nil).Want(200, "")
		b.open(link+"&confirmed=1&plan="+offer.Plans[0].ID+"&payment_method=card&terms=on", 200, choose)
		if n := payments(shop); n != 0 {
			t.Fatalf("looking made %d deferred payments", n)
		}

		form := b.form(page, offer.Plans[1].ID, "invoice")
		first := b.post(link, form).WantStatus(303)
		target, err := url.Parse(first.Header.Get("Location"))
		if err != nil {
			t.Fatal(err)
		}
		q := target.Query()
		if target.Host != "merchant.example" || target.Path != "/ok" || target.Fragment != "top" || !strings.HasPrefix(target.RawQuery, "a=1&b=%20x&status=mine&") {
			t.Errorf("the buyer is sent to %s", target)
		}
		var list struct{ Results []struct{ ID, Status string } }
		shop.Do("GET", "/v1/payment/deferred_payments", nil).WantStatus(200).Decode(&list)
		if len(list.Results) != 1 || q.Get("deferred_payment") != list.Results[0].ID || q.Get("offer") != offer.ID || q.Get("order") != order ||
			q["status"][1] != "accepted" || q.Get("expires") != "2026-03-02T09:45:00Z" || q.Get("sig") == "" {
			t.Errorf("%s, %+v", target, list)
		}
		// Sent again, by a double click or the Back button, it leads to the same place.
		again := b.post(link, form).WantStatus(303)
		if got, want := again.Header.Get("Location"), first.Header.Get("Location"); got != want {
			t.Errorf("the second time the buyer is sent to %s, not %s", got, want)
		}
		// Whoever has not seen the page is sent to the page.
		form.Set("attempt", "x")
		if got := b.post(link, form).WantStatus(303).Header.Get("Location"); !strings.HasPrefix(got, "/plans/"+offer.Plans[0].ID+"?") {
			t.Errorf("without the page's token the buyer is sent to %s", got)
		}
		if n := payments(shop); n != 1 {
			t.Errorf("there are %d deferred payments", n)
		}
		if got := shop.OfferAgain(offer.ID).Plans[1].Status; got != "accepted" {
			t.Errorf("the plan is %s", got)
		}
		for _, p := range offer.Plans {
			b.open(p.PaymentURL, 200, already)
		}
		s.Clean()
	})
}

func TestProblems(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		b := visit(t, shop)
		offer, strange := shop.Offer(shop.Order(12000)), shop.Offer(shop.Order(500))
		link, plan := offer.Plans[0].PaymentURL, offer.Plans[0].ID
		page := b.open(link, 200, choose)
		for what, change := range map[string]func(f url.Values){
			"no terms":           func(f url.Values) { f.Del("terms") },
			"no plan":            func(f url.Values) { f.Del("plan") },
			"a strange plan":     func(f url.Values) { f.Set("plan", strange.Plans[0].ID) },
			"an impossible way":  func(f url.Values) { f.Set("payment_method-"+plan, "cash") },
			"no way to pay":      func(f url.Values) { f.Del("payment_method-" + plan) },
			"no attempt":         func(f url.Values) { f.Del("attempt") },
			"a strange attempt":  func(f url.Values) { f.Set("attempt", strings.Repeat("x", 43)) },
			"nothing at all":     func(f url.Values) { clear(f) },
			"a text that is bad": func(f url.Values) { f.Set("plan", "\xff<script>\x00") },
		} {
			form := b.form(page, plan, "card")
			change(form)
			r := b.post(link, form)
			if r.Status != 422 {
				t.Errorf("%s: status %d", what, r.Status)
				continue
			}
			shown := b.headed(r, choose)
			if !strings.Contains(shown, "There is a problem") || strings.Contains(shown, "<script") {
				t.Errorf("%s: the page does not say what is wrong", what)
			}
		}
		if n := payments(shop); n != 0 {
			t.Fatalf("%d deferred payments were made", n)
		}
		b.client().With("Content-Type", "application/x-www-form-urlencoded").Do("POST", strings.TrimPrefix(link, apptest.PublicURL), "%zz").WantStatus(400)
		b.client().Do("PUT", strings.TrimPrefix(link, apptest.PublicURL), nil).WantStatus(405)
	})
}

func TestLinks(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		b := visit(t, shop)
		offer := shop.Offer(shop.Order(12000))
		plan, other := offer.Plans[0], offer.Plans[1]
		_, key, _ := strings.Cut(plan.PaymentURL, "?key=")
		for _, link := range []string{
			"/plans/" + plan.ID, "/plans/" + plan.ID + "?key=", "/plans/" + plan.ID + "?key=x", "/plans/" + other.ID + "?key=" + key,
			"/plans/ppln-x?key=" + key, "/plans/", "/plans/%00?key=" + key, "/plans/%ff", "/plans/" + plan.ID + "/more?key=" + key,
		} {
			page := b.open(link, 404, dead)
			if strings.Contains(page, "Hokodo") || strings.Contains(page, "Chair") {
				t.Errorf("%s gives something away", link)
			}
			b.post(link, b.form(b.open(plan.PaymentURL, 200, choose), plan.ID, "card")).WantStatus(404)
		}
		b.open("/plans/"+plan.ID+"/?key="+key, 200, choose)
	})
}

func TestStates(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		c := s.Merchant("bnpl")
		as := func(pattern string) (*apptest.Shop, buyer) {
			shop := s.ShopOf(c, apptest.Buyer{Email: "jane+" + pattern + "@buyer.example"})
			return shop, visit(t, shop)
		}
		shop, b := as("")
		partly, pb := as("paymentplan_partly_offered")
		offer := quiet(t, partly, partly.Order(12000))
		if page := pb.open(offer.Plans[0].PaymentURL, 200, choose); !strings.Contains(page, offer.Plans[0].ID) || strings.Contains(page, `value="`+offer.Plans[1].ID) {
			t.Error("a declined plan can be chosen")
		}
		pb.open(offer.Plans[1].PaymentURL, 200, choose)
		none, nb := as("paymentplan_declined")
		nb.open(quiet(t, none, none.Order(12000)).Plans[0].PaymentURL, 200, declined)

		// The order changed, once without and once with a newer offer.
		order := shop.Order(12000)
		offer = quiet(t, shop, order)
		shop.Do("PATCH", "/v1/payment/orders/"+order, `{"invoice_date": "2026-03-03"}`).WantStatus(200)
		b.open(offer.Plans[0].PaymentURL, 200, changed)
		newer := quiet(t, shop, order)
		if page := b.open(offer.Plans[0].PaymentURL, 200, changed); !strings.Contains(page, html.EscapeString(strings.TrimPrefix(newer.Plans[0].PaymentURL, apptest.PublicURL))) {
			t.Error("there is no way to the newer offer")
		}
		shop.Do("DELETE", "/v1/payment/offers/"+newer.ID, nil).WantStatus(204)
		b.open(newer.Plans[0].PaymentURL, 200, withdrawn)

		// Accepted, with and without an address to go back to.
		offer = quiet(t, shop, shop.Order(12000))
		back := b.confirm(offer.Plans[0], "card").Header.Get("Location")
		if page := b.open(back, 200, confirmed); !strings.Contains(page, "P-") {
			t.Error("the page does not show the number")
		}
		b.open(offer.Plans[0].PaymentURL, 200, already)

		// An upfront part by bank transfer.
		offer = quiet(t, shop, shop.Order(12001))
		page := b.open(b.confirm(offer.Plans[2], "invoice").Header.Get("Location"), 200, transfer)
		if !strings.Contains(page, "£36.01") || !strings.Contains(page, "P-") {
			t.Error("the page does not say what to pay with which reference")
		}
		for pattern, want := range map[string]string{
			"dp_fraud_pending_review": checking, "dp_fraud_customer_action_required": action, "dp_fraud_rejected": rejected,
		} {
			shop, b := as(pattern)
			offer := shop.Offer(shop.Order(12000)) // with addresses: there is still something to say
			b.open(b.confirm(offer.Plans[0], "card").Header.Get("Location"), 200, want)
			b.open(offer.Plans[0].PaymentURL, 200, want)
		}

		offer = quiet(t, shop, shop.Order(12000))
		shop.Advance(7 * apptest.Day)
		b.open(offer.Plans[0].PaymentURL, 200, expired)
		b.post(offer.Plans[0].PaymentURL, url.Values{}).WantStatus(303)
		s.Clean()
	})
}

func TestPageIsSafe(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop := s.Shop(apptest.Buyer{})
		b := visit(t, shop)
		const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
		body := shop.OrderBody(12000)
		body["unique_id"], body["po_number"] = evil, evil[:40]
		body["items"].([]map[string]any)[0]["description"] = evil
		body["customer"].(map[string]any)["delivery_address"].(map[string]string)["name"] = evil
		offer := shop.Offer(shop.Do("POST", "/v1/payment/orders", body).WantStatus(201).ID())
		r := b.client().Do("GET", strings.TrimPrefix(offer.Plans[0].PaymentURL, apptest.PublicURL), nil).WantStatus(200)
		page := b.headed(r, choose)
		if strings.Contains(page, "<script") || strings.Contains(page, "<img src=x") || !strings.Contains(page, "&lt;script&gt;") {
			t.Error("text of an order is not escaped")
		}
		policy := r.Header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self' https://merchant.example"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%q is not in the policy %s", want, policy)
			}
		}
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Content-Type": "text/html; charset=utf-8",
		} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s is %q", name, got)
			}
		}
		if r.Header.Get("Request-Id") == "" || r.Header.Get("Set-Cookie") != "" {
			t.Errorf("%v", r.Header)
		}
		for _, locale := range []string{"en_GB", "fr-FR", "", `"><script>`, "zz"} {
			request := shop.OfferBody(shop.Order(12000))
			request["locale"] = locale
			var o apptest.Offer
			shop.Do("POST", "/v1/payment/offers", request).WantStatus(201).Decode(&o)
			if page := b.open(o.Plans[0].PaymentURL, 200, choose); strings.Contains(page, "<script") {
				t.Errorf("the locale %q is not escaped", locale)
			}
		}
		// Where the buyer goes is what the offer says, whatever the link says.
		link := offer.Plans[0].PaymentURL + "&success=https://evil.example&url=//evil.example&confirmed=https://evil.example"
		form := b.form(page, offer.Plans[0].ID, "card")
		form.Set("success", "https://evil.example")
		if got := b.post(link, form).WantStatus(303).Header.Get("Location"); !strings.HasPrefix(got, "https://merchant.example/payment/ok?") {
			t.Errorf("the buyer is sent to %s", got)
		}
	})
}
