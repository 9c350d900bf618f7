package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"code.dny.dev/ssrf"

	"tradecredit/internal/merchant"
)

// userAgent names this program to receivers.
const userAgent = "Tradecredit-Webhook/1"

// maxAnswer is how much of an answer is read. Nothing in it is used; reading it
// lets the connection be used again.
const maxAnswer = 64 << 10

// send makes the call. It returns the status code, 0 without an answer, and what
// went wrong, "" if nothing.
func (s *Service) send(ctx context.Context, c call, at time.Time) (code int, problem string) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, bytes.NewReader(c.RequestBody))
	if err != nil {
		return 0, "the address cannot be called"
	}
	signature, err := c.keys.header(c.EventID, at, c.RequestBody)
	if err != nil {
		return 0, err.Error()
	}
	if user := r.URL.User; user != nil {
		password, _ := user.Password()
		r.SetBasicAuth(user.Username(), password)
	}
	if c.authorization != "" {
		r.Header.Set("Authorization", c.authorization)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", userAgent)
	r.Header.Set("Webhook-Id", c.EventID)
	r.Header.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	r.Header.Set("Webhook-Signature", signature)
	r.Header.Set("Tradecredit-Event-Type", c.EventType)
	r.Header.Set("Tradecredit-Event-Sequence", strconv.FormatInt(c.Sequence, 10))
	transport := s.open
	if s.environment(c.merchant) == merchant.Production {
		transport = s.strict
	}
	// A transport makes exactly one call: it follows no redirect.
	answer, err := transport.RoundTrip(r)
	if err != nil {
		return 0, describe(err, s.Timeout)
	}
	defer answer.Body.Close()
	// The status has arrived: whatever happens to the rest, it was received.
	_, _ = io.CopyN(io.Discard, answer.Body, maxAnswer)
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return answer.StatusCode, fmt.Sprintf("the answer was %d", answer.StatusCode)
	}
	return answer.StatusCode, ""
}

// describe puts the reason of a failed call into words that give away neither
// the address with its query, nor anything about our own network.
func describe(err error, timeout time.Duration) string {
	var network net.Error
	var dns *net.DNSError
	var verify *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	var record tls.RecordHeaderError
	switch {
	case errors.Is(err, ssrf.ErrProhibitedIP), errors.Is(err, ssrf.ErrProhibitedNetwork), errors.Is(err, ssrf.ErrProhibitedPort):
		return "the address is not a public one"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return fmt.Sprintf("no answer within %s", timeout)
	case errors.As(err, &dns):
		return "the host was not found"
	case errors.As(err, &verify), errors.As(err, &unknown):
		return "the certificate is not valid"
	case errors.As(err, &record):
		return "the answer was not TLS"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "the connection was refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.EPIPE):
		return "the connection was closed without an answer"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "the host cannot be reached"
	}
	return "the call failed"
}

// control judges an address after its name was looked up and before it is
// called, so that a name cannot lead elsewhere between the two.
type control func(network, address string, c syscall.RawConn) error

// publicOnly refuses loopback, private, link-local and all other addresses that
// are not on the public internet.
func publicOnly() control { return ssrf.New(ssrf.WithAnyPort()).Safe }

// openTransport is for the sandbox: any address, any certificate.
func openTransport(resolver *net.Resolver) *http.Transport {
	// Receivers in a sandbox may use self-signed certificates; the reference
	// says so.
	return newTransport(resolver, nil, &tls.Config{InsecureSkipVerify: true})
}

// strictTransport is for production. roots is nil for those of the system.
func strictTransport(resolver *net.Resolver, c control, roots *x509.CertPool) *http.Transport {
	return newTransport(resolver, c, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})
}

// newTransport returns a transport that uses no proxy and keeps connections for
// the length of a burst only: one that the other side closed in the meantime
// would cost an attempt.
func newTransport(resolver *net.Resolver, c control, config *tls.Config) *http.Transport {
	dialer := &net.Dialer{Resolver: resolver, Control: c}
	return &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        config,
		MaxIdleConnsPerHost:    8,
		MaxIdleConns:           64,
		IdleConnTimeout:        time.Second,
		MaxResponseHeaderBytes: maxAnswer,
		DisableCompression:     true,
	}
}
