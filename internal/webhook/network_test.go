package webhook

import (
	"context"
	"crypto/x509"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/merchant"
)

// nameServer answers every question for an IPv4 address with the one it was
// given, and counts the questions.
func nameServer(t *testing.T, address [4]byte) (*net.Resolver, *atomic.Int64) {
	t.Helper()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pc.Close() })
	var asked atomic.Int64
	go func() {
		buf := make([]byte, 1500)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			q := m.Questions[0]
			reply := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true}, Questions: m.Questions}
			if q.Type == dnsmessage.TypeA {
				asked.Add(1)
				reply.Answers = []dnsmessage.Resource{{
					Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class},
					Body:   &dnsmessage.AResource{A: address},
				}}
			}
			if out, err := reply.Pack(); err == nil {
				_, _ = pc.WriteTo(out, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", pc.LocalAddr().String())
	}}, &asked
}

// TestRebinding: a name that leads to this machine when it is called is refused
// in production, though nothing about the name itself is wrong.
func TestRebinding(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := &receiver{}
		r.Server = httptest.NewTLSServer(r.handler(ok))
		defer r.Close()
		resolver, asked := nameServer(t, [4]byte{127, 0, 0, 1})
		_, port, _ := net.SplitHostPort(r.Listener.Addr().String())
		for _, c := range []struct {
			guard  control
			status Status
		}{{publicOnly(), Failed}, {nil, Delivered}} {
			h := newHouse(t, d, merchant.Production)
			roots := x509.NewCertPool()
			roots.AddCert(r.Certificate())
			// httptest's certificate is for example.com.
			h.strict = strictTransport(resolver, c.guard, roots)
			h.endpoint(Input{URL: "https://example.com:" + port})
			h.happen("order.created", "order-1")
			stop := h.run(h.Service)
			got := h.await("the outcome", all(1, c.status))[0]
			// The next one's notification is not for this one to send.
			stop()
			if c.status == Failed {
				if a := got.Attempts[0]; len(got.Attempts) != 4 || *a.Error != "the address is not a public one" || len(r.requests()) != 0 {
					t.Errorf("attempts: %+v, requests: %v", got.Attempts, r.requests())
				}
			}
		}
		if asked.Load() == 0 {
			t.Error("the name was not looked up")
		}
		if len(r.requests()) != 1 {
			t.Errorf("%d requests without the guard", len(r.requests()))
		}
	})
}

func TestAddressesRefusedInProduction(t *testing.T) {
	t.Parallel()
	guard := publicOnly()
	for _, address := range []string{
		"127.0.0.1:443", "127.8.8.8:443", "10.1.2.3:443", "172.16.0.1:443", "192.168.1.1:8443", "169.254.169.254:443",
		"0.0.0.0:443", "100.64.0.1:443", "198.18.0.1:443", "224.0.0.1:443", "255.255.255.255:443",
		"[::1]:443", "[::]:443", "[fe80::1]:443", "[fd00::1]:443", "[::ffff:127.0.0.1]:443", "[::ffff:8.8.8.8]:443",
		"[64:ff9b::7f00:1]:443", "[2002:7f00:1::]:443", "[2001:db8::1]:443", "[ff02::1]:443",
	} {
		network := "tcp4"
		if strings.HasPrefix(address, "[") {
			network = "tcp6"
		}
		if guard(network, address, nil) == nil {
			t.Errorf("%s may be called", address)
		}
	}
	for network, address := range map[string]string{"tcp4": "9.9.9.9:8443", "tcp6": "[2620:fe::fe]:443"} {
		if err := guard(network, address, nil); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	if guard("unix", "/run/x", nil) == nil {
		t.Error("a socket may be called")
	}
}

// TestCertificates: a self-signed certificate does in the sandbox alone.
func TestCertificates(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		r := &receiver{}
		r.Server = httptest.NewTLSServer(r.handler(ok))
		defer r.Close()
		sandbox := newHouse(t, d, merchant.Sandbox)
		sandbox.endpoint(Input{URL: r.URL})
		sandbox.happen("order.created", "order-1")
		stop := sandbox.run(sandbox.Service)
		sandbox.await("the delivery", all(1, Delivered))
		stop()
		production := newHouse(t, d, merchant.Production)
		production.strict = strictTransport(net.DefaultResolver, nil, nil)
		production.endpoint(Input{URL: r.URL})
		production.happen("order.created", "order-1")
		production.run(production.Service)
		got := production.await("the refusal", all(1, Failed))[0]
		if *got.Attempts[0].Error != "the certificate is not valid" || len(r.requests()) != 1 {
			t.Errorf("%+v", got.Attempts)
		}
	})
}

// TestPlainHTTPInProduction: an offer's address of another day that is not https
// is never called, nor is it tried again.
func TestPlainHTTPInProduction(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d, merchant.Production)
		h.strict = strictTransport(net.DefaultResolver, nil, nil)
		r := newReceiver(t, ok)
		h.payloads.set(func(p *fakePayloads) {
			p.urls["order-1"], p.urls["order-2"] = r.URL, "https://"+strings.Repeat("x", 4000)
		})
		h.happen("order.created", "order-1")
		h.happen("order.created", "order-2")
		h.run(h.Service)
		for _, d := range h.await("the refusals", all(2, Failed)) {
			if len(d.Attempts) != 1 {
				t.Errorf("%+v", d.Attempts)
			}
		}
		if len(r.requests()) != 0 {
			t.Error("it was called")
		}
	})
}

// TestErrorsTellNoSecrets: what a merchant reads of a failure holds no part of
// the address.
func TestErrorsTellNoSecrets(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d, merchant.Sandbox)
		h.open = openTransport(&net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.DNSError{Err: "no such host", Name: "x", Server: "10.0.0.2:53"}
		}})
		h.endpoint(Input{URL: "https://user:hidden@nowhere.example/?token=hidden", Authorization: "hidden"})
		h.happen("order.created", "order-1")
		h.run(h.Service)
		for _, a := range h.await("giving up", all(1, Failed))[0].Attempts {
			if *a.Error != "the host was not found" {
				t.Errorf("%q", *a.Error)
			}
		}
	})
}

// TestUserInfo: a name and password in the address become Basic authorization.
func TestUserInfo(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d, merchant.Sandbox)
		r := newReceiver(t, func(_ int, _ seen, w http.ResponseWriter, q *http.Request) {
			if name, password, _ := q.BasicAuth(); name != "shop" || password != "p&ss" {
				w.WriteHeader(http.StatusUnauthorized)
			}
		})
		h.endpoint(Input{URL: strings.Replace(r.URL, "http://", "http://shop:p%26ss@", 1)})
		h.happen("order.created", "order-1")
		h.run(h.Service)
		h.await("the delivery", all(1, Delivered))
	})
}
