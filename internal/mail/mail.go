// Package mail sends mails: in the sandbox into an outbox that the merchant can
// read, otherwise over SMTP. Either way a mail belongs to the transaction that
// causes it: it is sent if that is committed, and only then.
package mail

import (
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	netmail "net/mail"
	"net/url"
	"strings"
	"time"
	"unicode"
)

// Mail is a message to one or more people.
type Mail struct {
	// To and Cc hold addresses, with or without a name.
	To          []string     `json:"to"`
	Cc          []string     `json:"cc"`
	Subject     string       `json:"subject"`
	Text        string       `json:"text"`
	HTML        string       `json:"html"`
	Attachments []Attachment `json:"attachments"`
}

// Attachment is a file that comes with a mail: its content, or the address at
// which it is found.
type Attachment struct {
	Filename    string `json:"filename"`
	ContentType string `json:"content_type"`
	Content     []byte `json:"content,omitempty"`
	URL         string `json:"url"`
}

// Sent is a mail of the outbox.
type Sent struct {
	ID string
	Mail
	// Created is in the merchant's time.
	Created time.Time
}

// ErrAddress is wrapped by the refusal of a mail to an address that cannot be
// written to.
var ErrAddress = errors.New("mail: not an address")

// checked returns the mail as it may be sent. An address that is not one is an
// error; characters that could end a header line become spaces.
func (m Mail) checked() (Mail, error) {
	if len(m.To) == 0 {
		return m, errors.New("mail: nobody to send it to")
	}
	out := Mail{To: []string{}, Cc: []string{}, Subject: oneLine(m.Subject), Text: m.Text, HTML: m.HTML, Attachments: []Attachment{}}
	for _, a := range m.To {
		address, err := checkedAddress(a)
		if err != nil {
			return m, err
		}
		out.To = append(out.To, address)
	}
	for _, a := range m.Cc {
		address, err := checkedAddress(a)
		if err != nil {
			return m, err
		}
		out.Cc = append(out.Cc, address)
	}
	for _, a := range m.Attachments {
		a.Filename = oneLine(a.Filename)
		if a.Filename == "" {
			a.Filename = "attachment"
		}
		if _, _, err := mime.ParseMediaType(a.ContentType); err != nil {
			a.ContentType = "application/octet-stream"
		}
		if len(a.Content) == 0 && !isLink(a.URL) {
			return m, fmt.Errorf("mail: the attachment %q has neither content nor an address", a.Filename)
		}
		out.Attachments = append(out.Attachments, a)
	}
	return out, nil
}

func checkedAddress(a string) (string, error) {
	a = strings.TrimSpace(a)
	if strings.ContainsFunc(a, unicode.IsControl) {
		return "", fmt.Errorf("%w: %q", ErrAddress, a)
	}
	if _, err := netmail.ParseAddress(a); err != nil {
		return "", fmt.Errorf("%w: %q", ErrAddress, a)
	}
	return a, nil
}

// oneLine makes text fit for a header.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s))
}

func isLink(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}

// linked gives every attachment an address: content becomes a data URL, so that
// the outbox shows all attachments alike.
func (m Mail) linked() Mail {
	attachments := make([]Attachment, len(m.Attachments))
	for i, a := range m.Attachments {
		if a.URL == "" {
			a.URL = "data:" + a.ContentType + ";base64," + base64.StdEncoding.EncodeToString(a.Content)
		}
		a.Content = nil
		attachments[i] = a
	}
	m.Attachments = attachments
	return m
}
