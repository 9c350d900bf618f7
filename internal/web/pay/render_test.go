package pay

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"tradecredit/internal/web/assets"
)

func newRenderer(t *testing.T) *Renderer {
	t.Helper()
	r, err := NewRenderer()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func render(t *testing.T, p Page) string {
	t.Helper()
	var out bytes.Buffer
	if err := newRenderer(t).Render(&out, p); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestFixturesAreSoundPages(t *testing.T) {
	t.Parallel()
	for name, page := range Fixtures() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkSound(t, render(t, page))
		})
	}
}

func TestEveryStateHasAFixture(t *testing.T) {
	t.Parallel()
	seen := map[State]bool{}
	for _, page := range Fixtures() {
		seen[page.State] = true
	}
	for _, state := range []State{Offered, Declined, Expired, Cancelled, OrderChanged, AlreadyConfirmed, UnknownLink, Accepted,
		PendingReview, ActionRequired, PendingPayment, Rejected, Failure} {
		if !seen[state] {
			t.Errorf("no fixture for %s", state)
		}
	}
}

// checkSound holds a page against what every page promises: one h1, unique ids, fields with labels, references that
// lead somewhere, a language, and nothing the security policy would refuse.
func checkSound(t *testing.T, page string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	found := survey{ids: map[string]int{}, labels: map[string]bool{}}
	found.visit(doc)
	if found.h1 != 1 {
		t.Errorf("%d h1", found.h1)
	}
	if found.lang != "en-GB" {
		t.Errorf("lang is %q", found.lang)
	}
	if found.title == "" {
		t.Error("no title")
	}
	for id, n := range found.ids {
		if n > 1 {
			t.Errorf("id %q stands %d times", id, n)
		}
	}
	for _, ref := range found.refs {
		if found.ids[ref] == 0 {
			t.Errorf("reference to %q, which is not there", ref)
		}
	}
	for _, field := range found.fields {
		if !found.labels[field] {
			t.Errorf("field %q has no label", field)
		}
	}
	for _, forbidden := range found.forbidden {
		t.Errorf("forbidden: %s", forbidden)
	}
	for _, mark := range []string{"ZgotmplZ", "<no value>", "{{", "%!"} {
		if strings.Contains(page, mark) {
			t.Errorf("%q in the page", mark)
		}
	}
}

// survey is what one walk over a page finds.
type survey struct {
	h1               int
	lang, title      string
	ids              map[string]int
	labels           map[string]bool
	fields, refs     []string
	forbidden, links []string
}

func (s *survey) visit(n *html.Node) {
	if n.Type == html.ElementNode {
		s.element(n)
	}
	for child := n.FirstChild; child != nil; child = child.NextSibling {
		s.visit(child)
	}
}

func (s *survey) element(n *html.Node) {
	attrs := map[string]string{}
	for _, a := range n.Attr {
		attrs[a.Key] = a.Val
		if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
			s.forbidden = append(s.forbidden, n.Data+" "+a.Key)
		}
	}
	if id, ok := attrs["id"]; ok {
		s.ids[id]++
	}
	for _, key := range []string{"for", "aria-describedby", "aria-labelledby"} {
		s.refs = append(s.refs, strings.Fields(attrs[key])...)
	}
	switch n.Data {
	case "html":
		s.lang = attrs["lang"]
	case "title":
		if n.FirstChild != nil {
			s.title = n.FirstChild.Data
		}
	case "h1":
		s.h1++
	case "script", "style", "iframe", "object", "base":
		s.forbidden = append(s.forbidden, n.Data)
	case "label":
		s.labels[attrs["for"]] = true
	case "input":
		if attrs["type"] != "hidden" {
			s.fields = append(s.fields, attrs["id"])
		}
	case "a":
		s.links = append(s.links, attrs["href"])
		if fragment, ok := strings.CutPrefix(attrs["href"], "#"); ok {
			s.refs = append(s.refs, fragment)
		}
	}
}

// TestWeight keeps the first visit of a page, with its style sheet as it is sent, under 25 kB.
func TestWeight(t *testing.T) {
	t.Parallel()
	sheets, err := assets.New()
	if err != nil {
		t.Fatal(err)
	}
	for name, page := range Fixtures() {
		if weight := len(render(t, page)) + sheets.Weight("pay"); weight > 25_000 {
			t.Errorf("%s weighs %d bytes", name, weight)
		}
	}
}

func TestTitleIsStepAndSeller(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"offered":        "<title>Choose when to pay – Brightwell Trade Supplies</title>",
		"offered-errors": "<title>Error: Choose when to pay – Brightwell Trade Supplies</title>",
		"unknown-link":   "<title>This link does not work – Tradecredit</title>",
	}
	for name, want := range cases {
		if got := render(t, Fixtures()[name]); !strings.Contains(got, want) {
			t.Errorf("%s: no %s", name, want)
		}
	}
}

func TestUpload(t *testing.T) {
	t.Parallel()
	got := render(t, Fixtures()["customer-action-upload"])
	for _, want := range []string{
		`<form method="post" enctype="multipart/form-data"`, `name="attempt" value="kit-attempt"`, `<input type="file" id="file-bank_statement" name="file-bank_statement" multiple`,
		"Proof of identity", "Bank statements", "Another document", "up to 25 MB each",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q", want)
		}
	}
	got = render(t, Fixtures()["customer-action-upload-errors"])
	for _, want := range []string{
		"<title>Error: We need one more thing", `<a href="#file-identity">We cannot read passport.exe.`, `<a href="#upload">This page was open for too long. Choose your files again.`,
		`aria-describedby="upload-hint file-identity-problem-0 file-identity-problem-1" aria-invalid="true"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q", want)
		}
	}
	got = render(t, Fixtures()["pending-review-received"])
	if !strings.Contains(got, "We have received your documents") || !strings.Contains(got, "<li>passport.pdf</li>") {
		t.Error("the page does not say what was received")
	}
	if got = render(t, Fixtures()["pending-review"]); strings.Contains(got, "received") {
		t.Error("something was received that was not sent")
	}
}

func TestUnknownLinkShowsNothingOfAnybody(t *testing.T) {
	t.Parallel()
	page := fixtureOffered()
	page.State = UnknownLink
	got := render(t, page)
	for _, secret := range []string{page.Seller.Name, page.Company, page.Order.Reference, "£3,000.00"} {
		if strings.Contains(got, secret) {
			t.Errorf("%q is shown", secret)
		}
	}
}

func TestRenderRefusesHalfPages(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*Page){
		"no state":       func(p *Page) { p.State = "" },
		"unknown state":  func(p *Page) { p.State = "sold" },
		"no order":       func(p *Page) { p.Order = nil },
		"no plans":       func(p *Page) { p.Plans = nil },
		"no seller":      func(p *Page) { p.Seller.Name = "" },
		"no company":     func(p *Page) { p.Company = "" },
		"no attempt":     func(p *Page) { p.Form.Attempt = "" },
		"no terms":       func(p *Page) { p.Lender.TermsURL = "" },
		"no result":      func(p *Page) { p.State = Accepted },
		"no transfer":    func(p *Page) { p.State = PendingPayment; p.Result = &Result{} },
		"unknown method": func(p *Page) { p.Plans[0].Methods = []Method{"gold"} },
	}
	for name, spoil := range cases {
		page := fixtureOffered()
		spoil(&page)
		var out bytes.Buffer
		if err := newRenderer(t).Render(&out, page); err == nil {
			t.Errorf("%s: rendered", name)
		}
		if out.Len() > 0 {
			t.Errorf("%s: %d bytes written beside the error", name, out.Len())
		}
	}
}

// hostile fills every text of a page with one string.
func hostile(p Page, text string) Page {
	p.Seller.Name, p.Company, p.RequestID = text, text, text
	p.Lender = Lender{text, text, text, text, text, text, text}
	p.Links = Links{text, text, text, text, text, text}
	if p.Order != nil {
		p.Order.Reference, p.Order.PONumber, p.Order.Delivery, p.Order.Currency = text, text, text, text
		for i := range p.Order.Items {
			p.Order.Items[i].Description, p.Order.Items[i].Quantity = text, text
		}
	}
	for i := range p.Plans {
		p.Plans[i].ID, p.Plans[i].Title, p.Plans[i].FeePercent = text+string(rune('a'+i)), text, text
	}
	p.Form.Attempt = text
	if p.Upload != nil {
		p.Upload = &Upload{Attempt: text, Kinds: p.Upload.Kinds, Problems: []UploadProblem{{Problem: FileType, Kind: "other", File: text}}}
	}
	for i := range p.Received {
		p.Received[i] = text
	}
	p.Reason = &Reason{Code: "buyer-country", Detail: text, Params: map[string]string{"debtor_country": text}}
	if r := p.Result; r != nil {
		r.Status, r.Number, r.Email = text, text, text
		for i := range r.Tasks {
			r.Tasks[i].Kind, r.Tasks[i].URL = text, text
		}
		if r.Transfer != nil {
			*r.Transfer = Transfer{1, text, text, text, text, text, text}
		}
	}
	return p
}

func TestHostileTextIsEscaped(t *testing.T) {
	t.Parallel()
	texts := []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onfocus='alert(1)`, `javascript:alert(1)`,
		`</title></textarea><svg/onload=alert(1)>`, `{{.Lender}}{terms}{company}`, "\u202e\x00\ufeff<b>", `data:text/html,<script>alert(1)</script>`,
		strings.Repeat("Wienerwaldgesellschaft", 400),
	}
	for name := range Fixtures() {
		for _, text := range texts {
			got := render(t, hostile(Fixtures()[name], text))
			doc, err := html.Parse(strings.NewReader(got))
			if err != nil {
				t.Fatal(err)
			}
			found := survey{ids: map[string]int{}, labels: map[string]bool{}}
			found.visit(doc)
			if len(found.forbidden) > 0 || found.h1 != 1 {
				t.Errorf("%s with %.30q: %v, %d h1", name, text, found.forbidden, found.h1)
			}
			for _, href := range found.links {
				if strings.HasPrefix(href, "javascript:") || strings.HasPrefix(href, "data:") {
					t.Errorf("%s: link to %s", name, href)
				}
			}
		}
	}
}

func TestOrderSummary(t *testing.T) {
	t.Parallel()
	got := render(t, fixtureOffered())
	for _, want := range []string{"Show 2 more items", "-£150.00", "Tax included", "£500.00", "PO 7781", "Quantity: 120"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q", want)
		}
	}
	page := fixtureOffered()
	page.Order.Items = page.Order.Items[:5]
	page.Order.Tax = 0
	got = render(t, page)
	for _, unwanted := range []string{"<details", "Tax included"} {
		if strings.Contains(got, unwanted) {
			t.Errorf("%q is there", unwanted)
		}
	}
}

func TestEndsSoonIsSaidInTheLastTenMinutes(t *testing.T) {
	t.Parallel()
	page := fixtureSingle()
	for before, said := range map[time.Duration]bool{time.Hour: false, 10 * time.Minute: false, 9 * time.Minute: true, time.Second: true, 0: false, -time.Minute: false} {
		page.Now = page.Plans[0].ValidUntil.Add(-before)
		if got := strings.Contains(render(t, page), "This offer ends at 10:08 UTC."); got != said {
			t.Errorf("%v before the end: said is %v", before, got)
		}
	}
}

func TestTestModeBanner(t *testing.T) {
	t.Parallel()
	page := fixtureOffered()
	if !strings.Contains(render(t, page), "Test mode") {
		t.Error("no banner in test mode")
	}
	page.TestMode = false
	if strings.Contains(render(t, page), "Test mode") {
		t.Error("banner in live mode")
	}
}
