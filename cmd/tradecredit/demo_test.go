package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"tradecredit/internal/clock"
	"tradecredit/internal/demo"
)

// TestDemoFindsFaults holds the demo against a program whose answers are changed
// on the way: it must stop at the step that is wrong, and name it.
func TestDemoFindsFaults(t *testing.T) {
	t.Parallel()
	s := serveSandbox(t)
	for name, c := range map[string]struct {
		old, new string
		problems []string
		want     string
	}{
		"all is well":             {},
		"another company":         {old: `"value":"11215527"`, new: `"value":"11215528"`, want: "company: "},
		"another total":           {old: `"total_amount":12000`, new: `"total_amount":12001`, want: "order: "},
		"no plan is offered":      {old: `"status":"offered"`, new: `"status":"declined"`, want: "offer: "},
		"the payment waits":       {old: `"status":"accepted","currency"`, new: `"status":"pending_review","currency"`, want: "acceptance: "},
		"another capture":         {old: `"type":"capture","amount":8000`, new: `"type":"capture","amount":8001`, want: "capture: "},
		"a refund that is lost":   {old: `"refunds":1500,"voided`, new: `"refunds":0,"voided`, want: "refund: "},
		"a gap in the feed":       {old: `"sequence":3,`, new: `"sequence":4,`, want: "events: "},
		"the books are not right": {problems: []string{"one is off"}, want: "verify: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := demo.Program{
				URL: changing(t, s.config.Public(), c.old, c.new), SecretKey: s.newMerchant(t), Clock: clock.System{},
				Verify: func(context.Context) ([]string, error) { return c.problems, nil },
			}
			shop, err := demo.Open(p)
			if err != nil {
				t.Fatal(err)
			}
			defer shop.Close()
			err = shop.Run(t.Context(), func(demo.Step) {})
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestDemoWithoutVerify fails when the books cannot be read.
func TestDemoWithoutVerify(t *testing.T) {
	t.Parallel()
	s := serveSandbox(t)
	broken := errors.New("broken")
	shop, err := demo.Open(demo.Program{
		URL: s.config.Public(), SecretKey: s.newMerchant(t), Clock: clock.System{},
		Verify: func(context.Context) ([]string, error) { return nil, broken },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer shop.Close()
	if err := shop.Run(t.Context(), func(demo.Step) {}); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

// changing is the address of a proxy that replaces a text in every answer.
func changing(t *testing.T, address, old, text string) string {
	t.Helper()
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.ModifyResponse = func(r *http.Response) error {
		body, err := io.ReadAll(r.Body)
		if err != nil || old == "" {
			r.Body = io.NopCloser(bytes.NewReader(body))
			return err
		}
		body = bytes.ReplaceAll(body, []byte(old), []byte(text))
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.Header.Set("Content-Length", strconv.Itoa(len(body)))
		return nil
	}
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}
