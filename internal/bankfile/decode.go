package bankfile

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"tradecredit/internal/money"
)

// Bounds of what is read at once. A file may be as long as it likes; what would
// have to be kept in memory may not.
const (
	// mostToken is the longest text or tag, in bytes.
	mostToken = 1 << 20
	// mostPart is the longest part that is read at once, such as an entry of a
	// statement with all its transactions.
	mostPart = 32 << 20
	// mostElements is the most elements of a part. A transaction, which takes more
	// memory than its text, counts for heavy of them.
	mostElements = 1 << 20
	heavy        = 20
	mostDepth    = 64
)

// Errors of files that are refused whatever they say.
var (
	// ErrDTD: the file defines entities or a document type. Files of banks never do.
	ErrDTD = errors.New("bankfile: the XML has a document type definition")
	// ErrTooLarge: one part of the file is larger than any that banks send.
	ErrTooLarge = errors.New("bankfile: a part of the XML is too large")
)

// bounded counts what is read, so that a token or a part without end is noticed.
type bounded struct {
	r           io.Reader
	token, part int
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if b.token > mostToken || b.part > mostPart {
		return 0, ErrTooLarge
	}
	n, err := b.r.Read(p)
	b.token += n
	b.part += n
	return n, err
}

// tokens passes on the tokens of a file that are no danger.
type tokens struct {
	d        *xml.Decoder
	in       *bounded
	depth    int
	elements int
}

// Token implements xml.TokenReader.
func (t *tokens) Token() (xml.Token, error) {
	for {
		t.in.token = 0
		token, err := t.d.RawToken()
		if err != nil {
			return nil, err
		}
		switch token := token.(type) {
		case xml.Directive:
			return nil, ErrDTD
		case xml.ProcInst, xml.Comment:
			continue
		case xml.StartElement:
			t.depth++
			t.elements++
			if token.Name.Local == "TxDtls" {
				t.elements += heavy - 1
			}
			if t.depth > mostDepth || t.elements > mostElements {
				return nil, ErrTooLarge
			}
		case xml.EndElement:
			t.depth--
		}
		return token, nil
	}
}

// decoder reads a file part by part.
type decoder struct {
	*xml.Decoder
	tokens *tokens
}

func newDecoder(r io.Reader) *decoder {
	in := &bounded{r: r}
	t := &tokens{d: xml.NewDecoder(in), in: in}
	return &decoder{Decoder: xml.NewTokenDecoder(t), tokens: t}
}

// part begins a new part of the file.
func (d *decoder) part() { d.tokens.in.part, d.tokens.elements = 0, 0 }

// read reads the element that start begins into v and then calls use.
func (d *decoder) read(v any, start xml.StartElement, use func() error) error {
	d.part()
	if err := d.DecodeElement(v, &start); err != nil {
		return err
	}
	return use()
}

// walk calls visit at the beginning of every element that visit has not read
// itself, until the end of the file.
func (d *decoder) walk(visit func(start xml.StartElement) error) error {
	for {
		token, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if start, ok := token.(xml.StartElement); ok {
			d.part()
			if err := visit(start); err != nil {
				return err
			}
		}
	}
}

// readAmount reads an amount that must not be below zero.
func readAmount(text, currency string) (money.Amount, error) {
	places, ok := money.Exponent(currency)
	if !ok {
		return money.Amount{}, fmt.Errorf("the currency %q is not known", currency)
	}
	minor, err := money.ParseFixed(strings.TrimSpace(text), places)
	if err != nil || minor < 0 {
		return money.Amount{}, fmt.Errorf("%q is no amount in %s", text, currency)
	}
	return money.Amount{Minor: minor, Currency: currency}, nil
}

// readDate reads the date of a date or a time, whatever its zone. Nothing is the
// zero time.
func readDate(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.DateOnly, text[:min(len(text), len(time.DateOnly))])
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is no date", text)
	}
	return t, nil
}

// readTime reads a time; without a zone it counts as UTC. Nothing is the zero
// time.
func readTime(text string) (time.Time, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time", text)
}
