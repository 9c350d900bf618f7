package demo

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// acceptOnPage is the buyer: it opens the hosted page, fills in the form and
// sends it, and is led back to the shop.
func (s *Shop) acceptOnPage(ctx context.Context) (string, []Fact, error) {
	plan := s.state.offer.Plans[0]
	page, _, err := s.browse(ctx, http.MethodGet, plan.PaymentURL, nil)
	if err != nil {
		return "", nil, err
	}
	attempt := hidden(page, "attempt")
	if attempt == "" || !strings.Contains(page, `value="`+plan.ID+`"`) {
		return "", nil, fmt.Errorf("the page of plan %s has no form to confirm it", plan.ID)
	}
	form := url.Values{"plan": {plan.ID}, "payment_method": {"invoice"}, "terms": {"yes"}, "attempt": {attempt}}
	_, end, err := s.browse(ctx, http.MethodPost, plan.PaymentURL, form)
	if err != nil {
		return "", nil, err
	}
	if got := end.Scheme + "://" + end.Host + end.Path; got != s.receiver.url+"/thanks" {
		return "", nil, fmt.Errorf("the buyer was led to %s, not back to the shop", got)
	}
	made := end.Query().Get("deferred_payment")
	if err := s.readPayment(ctx, made); err != nil {
		return "", nil, err
	}
	p := s.state.payment
	text := fmt.Sprintf("Alex Morgan opens the page, chooses %q paid by invoice, due on %s, accepts the terms and confirms. The deferred payment %s is %s over %s, and the browser is back in the shop.",
		plan.Name, plan.Payments[0].Date, p.Number, p.Status, pounds(p.Authorisation))
	if err := same("the deferred payment's status", p.Status, "accepted"); err != nil {
		return "", nil, err
	}
	return text, []Fact{{"deferred_payment", p.ID}, {"number", p.Number}, {"authorisation", p.Authorisation}},
		s.figures(figures{Authorisation: total})
}

// browse opens an address as a browser does and returns the page and where it
// ended.
func (s *Shop) browse(ctx context.Context, method, address string, form url.Values) (string, *url.URL, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return "", nil, err
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return "", nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s answered %d", method, answer.Request.URL.Path, answer.StatusCode)
	}
	return string(text), answer.Request.URL, err
}

var hiddenInput = regexp.MustCompile(`<input type="hidden" name="([a-z_]+)" value="([^"]*)">`)

// hidden is the value of a hidden field of a page, or "".
func hidden(page, name string) string {
	for _, m := range hiddenInput.FindAllStringSubmatch(page, -1) {
		if m[1] == name {
			return m[2]
		}
	}
	return ""
}
