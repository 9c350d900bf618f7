package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"html/template"
	netmail "net/mail"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// TLSPolicy says how the connection to a mail server is protected.
type TLSPolicy string

// The policies.
const (
	// StartTLS insists on STARTTLS; it is the default.
	StartTLS TLSPolicy = "starttls"
	// ImplicitTLS speaks TLS from the first byte, mostly on port 465.
	ImplicitTLS TLSPolicy = "implicit"
	// OpportunisticTLS uses STARTTLS if the server offers it.
	OpportunisticTLS TLSPolicy = "opportunistic"
	// NoTLS is for a server on the same machine.
	NoTLS TLSPolicy = "none"
)

// SMTP is the mail server to send over.
type SMTP struct {
	Host string
	Port int
	// User and Password are used if User is set. Without TLS the password is
	// never sent as it is: only a challenge that hides it is answered.
	User     string
	Password string
	// From is the sender: an address, with or without a name.
	From string
	TLS  TLSPolicy

	// config is for tests alone; nil trusts the certificates of the system.
	config *tls.Config
}

// refusedError says that the server will never take this mail.
type refusedError struct{ err error }

func (e *refusedError) Error() string { return "the mail server refused it: " + e.err.Error() }
func (e *refusedError) Unwrap() error { return e.err }

func (s *SMTP) check() error {
	if s.Host == "" || s.Port < 1 || s.Port > 65535 {
		return errors.New("mail: the server needs a host and a port")
	}
	if _, err := checkedAddress(s.From); err != nil {
		return fmt.Errorf("the sender: %w", err)
	}
	_, err := s.client(time.Second)
	return err
}

func (s *SMTP) client(timeout time.Duration) (*mail.Client, error) {
	options := []mail.Option{mail.WithPort(s.Port), mail.WithTimeout(timeout)}
	switch s.TLS {
	case StartTLS, "":
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case ImplicitTLS:
		options = append(options, mail.WithSSL())
	case OpportunisticTLS:
		options = append(options, mail.WithTLSPolicy(mail.TLSOpportunistic))
	case NoTLS:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		return nil, fmt.Errorf("mail: %q is not a TLS policy", s.TLS)
	}
	if s.config != nil {
		options = append(options, mail.WithTLSConfig(s.config))
	}
	if s.User != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover),
			mail.WithUsername(s.User), mail.WithPassword(s.Password))
	}
	return mail.NewClient(s.Host, options...)
}

// send hands a mail to the server. The error is a refusedError if there is no
// point in trying again.
func (s *SMTP) send(ctx context.Context, m Mail, key string, date time.Time, timeout time.Duration) error {
	message, err := s.message(m, key, date)
	if err != nil {
		return &refusedError{err}
	}
	client, err := s.client(timeout)
	if err != nil {
		return err
	}
	err = client.DialAndSendWithContext(ctx, message)
	if err == nil || message.IsDelivered() {
		return nil // a farewell that went wrong does not undo the delivery
	}
	var answer *mail.SendError
	if errors.As(err, &answer) && answer.ErrorCode() >= 500 {
		return &refusedError{err}
	}
	return err
}

// message writes a mail as it goes over the wire. What is attached by its
// address alone is listed below the text.
func (s *SMTP) message(m Mail, key string, date time.Time) (*mail.Msg, error) {
	out := mail.NewMsg()
	from, err := netmail.ParseAddress(s.From)
	if err != nil {
		return nil, err
	}
	out.FromMailAddress(from)
	if err := out.To(m.To...); err != nil {
		return nil, err
	}
	if err := out.Cc(m.Cc...); err != nil {
		return nil, err
	}
	out.Subject(m.Subject)
	out.SetDateWithValue(date)
	out.SetMessageIDWithValue(key + "@" + from.Address[strings.LastIndexByte(from.Address, '@')+1:])
	text, html := m.Text, m.HTML
	for _, a := range m.Attachments {
		if len(a.Content) == 0 {
			text += "\n" + a.Filename + ": " + a.URL + "\n"
			html = withLink(html, a)
			continue
		}
		// The content type was judged when the mail was made.
		err := out.AttachReader(a.Filename, bytes.NewReader(a.Content), mail.WithFileContentType(mail.ContentType(a.ContentType)))
		if err != nil {
			return nil, err
		}
	}
	out.SetBodyString(mail.TypeTextPlain, text)
	if html != "" {
		out.AddAlternativeString(mail.TypeTextHTML, html)
	}
	return out, nil
}

var link = template.Must(template.New("link").Parse(`<p><a href="{{.URL}}">{{.Filename}}</a></p>` + "\n"))

// withLink adds a link at the end of the body of a document.
func withLink(document string, a Attachment) string {
	if document == "" {
		return ""
	}
	var b strings.Builder
	if err := link.Execute(&b, a); err != nil {
		panic(fmt.Sprintf("mail: the link does not fit its attachment: %v", err))
	}
	if i := strings.LastIndex(document, "</body>"); i >= 0 {
		return document[:i] + b.String() + document[i:]
	}
	return document + b.String()
}
