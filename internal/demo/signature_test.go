package demo

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// The example of the Standard Webhooks specification: its secret, its message,
// and the signature it gives for them.
const (
	exampleSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	exampleBody   = `{"test": 2432232314}`
)

func exampleHeader() http.Header {
	h := http.Header{}
	h.Set("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
	h.Set("webhook-timestamp", "1614265330")
	h.Set("webhook-signature", "v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	return h
}

func TestVerifySignature(t *testing.T) {
	t.Parallel()
	sent := time.Unix(1614265330, 0)
	for name, c := range map[string]struct {
		change func(h http.Header)
		secret string
		body   string
		now    time.Time
		fits   bool
	}{
		"as sent":         {now: sent, fits: true},
		"a little later":  {now: sent.Add(5 * time.Minute), fits: true},
		"too late":        {now: sent.Add(5*time.Minute + time.Second)},
		"from the future": {now: sent.Add(-6 * time.Minute)},
		"another body":    {now: sent, body: `{"test": 2432232315}`},
		"another secret":  {now: sent, secret: "whsec_" + "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"},
		"another id":      {now: sent, change: func(h http.Header) { h.Set("webhook-id", "msg_other") }},
		"another time":    {now: sent, change: func(h http.Header) { h.Set("webhook-timestamp", "1614265331") }},
		"no time":         {now: sent, change: func(h http.Header) { h.Del("webhook-timestamp") }},
		"no signature":    {now: sent, change: func(h http.Header) { h.Del("webhook-signature") }},
		"no secret":       {now: sent, secret: "whsec_!"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, secret, body := exampleHeader(), exampleSecret, exampleBody
			if c.change != nil {
				c.change(h)
			}
			if c.secret != "" {
				secret = c.secret
			}
			if c.body != "" {
				body = c.body
			}
			if err := verifySignature(secret, h, []byte(body), c.now); (err == nil) != c.fits {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestSignatureOnThePage keeps the guide's code the same as this package's.
func TestSignatureOnThePage(t *testing.T) {
	t.Parallel()
	code, err := os.ReadFile("signature.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	_, function, found := strings.Cut(string(code), "\n)\n\n")
	if !found || !strings.Contains(string(page), "```go\n"+function+"```\n") {
		t.Error("docs/webhooks.md does not show the code of signature.go")
	}
}
