package pay

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"io"

	"tradecredit/internal/web/assets"
	"tradecredit/web"
)

// Renderer turns Pages into HTML. It does not change after NewRenderer and may be used by many goroutines.
type Renderer struct {
	english    *locale
	templates  *template.Template
	stylesheet string
}

// NewRenderer reads the embedded templates and copy. An error means that the program was built wrong.
func NewRenderer() (*Renderer, error) {
	english, err := readTable(web.Files, "en")
	if err != nil {
		return nil, fmt.Errorf("pay: %w", err)
	}
	sheets, err := assets.New()
	if err != nil {
		return nil, fmt.Errorf("pay: %w", err)
	}
	r := &Renderer{english: localeEnGB(english), stylesheet: sheets.URL("pay")}
	r.templates, err = template.New("pay").Option("missingkey=error").
		Funcs(template.FuncMap{"t": r.copyFor}).ParseFS(web.Files, "templates/pay/*.html")
	if err != nil {
		return nil, fmt.Errorf("pay: %w", err)
	}
	return r, nil
}

// copyFor is the template function t: the sentence of a key.
func (r *Renderer) copyFor(key string, pairs ...string) (string, error) {
	w := &words{locale: r.english}
	sentence := w.text(key, pairs...)
	return sentence, w.err()
}

// Render writes the page. Nothing is written when it answers an error, which is then the caller's mistake: a state
// without the parts it needs. An error of the writer is answered too.
func (r *Renderer) Render(w io.Writer, p Page) error {
	if err := p.check(); err != nil {
		return err
	}
	words := &words{locale: r.english}
	v := newView(words, p)
	v.Stylesheet = r.stylesheet
	if err := words.err(); err != nil {
		return err
	}
	var out bytes.Buffer
	if err := r.templates.ExecuteTemplate(&out, "page", v); err != nil {
		return fmt.Errorf("pay: %s: %w", p.State, err)
	}
	_, err := w.Write(out.Bytes())
	return err
}

// check answers which parts of the page its state needs and has not.
func (p Page) check() error {
	var missing []error
	need := func(ok bool, part string) {
		if !ok {
			missing = append(missing, fmt.Errorf("pay: state %q needs %s", p.State, part))
		}
	}
	need(p.Lender.Name != "", "Lender.Name")
	switch p.State {
	case UnknownLink:
		return errors.Join(missing...)
	case Failure:
		need(p.Seller.Name != "", "Seller.Name")
		return errors.Join(missing...)
	case Offered:
		need(len(p.Plans) > 0, "Plans")
		need(p.Company != "", "Company")
		need(p.Form.Attempt != "", "Form.Attempt")
		need(p.Lender.TermsURL != "", "Lender.TermsURL")
	case Accepted, PendingReview, ActionRequired, AlreadyConfirmed:
		need(p.Result != nil, "Result")
		need(p.Upload == nil || p.Upload.Attempt != "", "Upload.Attempt")
	case PendingPayment:
		need(p.Result != nil && p.Result.Transfer != nil, "Result.Transfer")
	case Declined, Expired, Cancelled, OrderChanged, Rejected:
	default:
		return fmt.Errorf("pay: no state %q", p.State)
	}
	need(p.Seller.Name != "", "Seller.Name")
	need(p.Order != nil, "Order")
	return errors.Join(missing...)
}
