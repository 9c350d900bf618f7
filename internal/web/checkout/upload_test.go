package checkout_test

import (
	"bytes"
	"context"
	"encoding/json"
	"html"
	"io"
	"mime/multipart"
	"strings"
	"testing"

	"tradecredit/internal/api/apitest"
	"tradecredit/internal/app"
	"tradecredit/internal/app/apptest"
	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
	"tradecredit/internal/document"
	"tradecredit/internal/fraud"
)

// paper is a file that a buyer chooses in a field of the form.
type paper struct{ kind, name, content string }

// send posts the form for documents, as a browser does: a field in which nothing
// was chosen is there all the same.
func (b buyer) send(link, attempt string, papers ...paper) *apitest.Response {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	if err := w.WriteField("attempt", attempt); err != nil {
		b.t.Fatal(err)
	}
	for _, p := range append(papers, paper{"other", "", ""}) {
		part, err := w.CreateFormFile("file-"+p.kind, p.name)
		if err != nil {
			b.t.Fatal(err)
		}
		if _, err := io.WriteString(part, p.content); err != nil {
			b.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.t.Fatal(err)
	}
	return b.client().With("Content-Type", w.FormDataContentType()).Do("POST", strings.TrimPrefix(link, apptest.PublicURL), body.String())
}

// asked is a shop with a deferred payment that asks its buyer for documents, and
// the link to it.
func asked(t *testing.T, s *apptest.Server) (*apptest.Shop, buyer, string, string) {
	shop := s.Shop(apptest.Buyer{Email: "jane+dp_fraud_customer_action_required@buyer.example"})
	b := visit(t, shop)
	offer := shop.Offer(shop.Order(12000))
	b.confirm(offer.Plans[0], "card")
	page := b.open(offer.Plans[0].PaymentURL, 200, action)
	attempt := attemptField.FindStringSubmatch(page)
	if attempt == nil {
		t.Fatal("the page has no form")
	}
	return shop, b, offer.Plans[0].PaymentURL, html.UnescapeString(attempt[1])
}

// only is the one deferred payment of a shop.
func only(t *testing.T, shop *apptest.Shop) (id, status string) {
	t.Helper()
	var list struct{ Results []struct{ ID, Status string } }
	shop.Do("GET", "/v1/payment/deferred_payments", nil).WantStatus(200).Decode(&list)
	if len(list.Results) != 1 {
		t.Fatalf("there are %d deferred payments", len(list.Results))
	}
	return list.Results[0].ID, list.Results[0].Status
}

func sent(t *testing.T, s *apptest.Server, payment string) (all []document.BuyerDocument) {
	t.Helper()
	err := s.DB.Read(context.Background(), func(tx *db.Tx) (err error) {
		all, err = document.FindAllBuyer(context.Background(), tx, payment)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

const scan = "%PDF-1.4\npassport"

func TestUpload(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop, b, link, attempt := asked(t, s)
		to := b.send(link, attempt, paper{"identity", "passport.pdf", scan}, paper{"bank_statement", "may.csv", "a,b\n1,2\n"},
			paper{"bank_statement", "<june>.csv", "a,b\n1,2\n"}).WantStatus(303).Header.Get("Location")
		page := b.open(to, 200, checking)
		for _, want := range []string{"We have received your documents", "passport.pdf", "may.csv", "&lt;june&gt;.csv"} {
			if !strings.Contains(page, want) {
				t.Errorf("no %q on the page", want)
			}
		}
		payment, status := only(t, shop)
		if status != "pending_review" {
			t.Errorf("the payment is %s", status)
		}
		all := sent(t, s, payment)
		if len(all) != 3 || all[0].Kind != "identity" || all[0].File.ContentType != "application/pdf" || all[2].Kind != "bank_statement" {
			t.Errorf("these were received: %+v", all)
		}
		// Sent again, it changes nothing.
		b.send(link, attempt, paper{"identity", "other.pdf", scan}).WantStatus(303)
		if again := sent(t, s, payment); len(again) != 3 {
			t.Errorf("%d documents are there", len(again))
		}
		// Asked for more, the buyer can send more.
		shop.Do("POST", "/v1/sandbox/deferred_payments/"+payment+"/review", map[string]string{"outcome": "customer_action_required"}).WantStatus(200)
		b.open(link, 200, action)
		b.send(link, attempt, paper{"other", "letter.txt", "Dear Sirs"}).WantStatus(303)
		if more := sent(t, s, payment); len(more) != 4 {
			t.Errorf("%d documents are there", len(more))
		}
		var feed struct {
			Results []struct {
				Type string
				Data json.RawMessage
			}
		}
		shop.Do("GET", "/v1/events?limit=100", nil).WantStatus(200).Decode(&feed)
		var changes int
		for _, e := range feed.Results {
			if e.Type == "deferred_payment.status_changed" {
				changes++
			}
		}
		if changes != 3 {
			t.Errorf("the status changed %d times", changes)
		}
		s.Clean()
	})
}

func TestUploadProblems(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := apptest.Start(t, d, func(c *app.Config) { c.Documents.MaxSize = 2 << 20 })
		shop, b, link, attempt := asked(t, s)
		good := paper{"identity", "passport.pdf", scan}
		var many []paper
		for range 21 {
			many = append(many, good)
		}
		for name, c := range map[string]struct {
			attempt string
			papers  []paper
			want    string
		}{
			"nothing":       {attempt, nil, "Choose at least one file."},
			"another field": {attempt, []paper{{"passport", "passport.pdf", scan}}, "Choose at least one file."},
			"a page":        {attempt, []paper{good, {"other", "x.pdf", "<html>"}}, "We cannot read x.pdf."},
			"empty":         {attempt, []paper{{"other", "x.pdf", ""}}, "There is nothing in x.pdf."},
			"too large":     {attempt, []paper{{"other", "x.pdf", scan + strings.Repeat("x", 2<<20)}}, "x.pdf is larger than 2 MB."},
			"too many":      {attempt, many, "That is too much for once."},
			"no attempt":    {"", []paper{good}, "This page was open for too long. Choose your files again."},
			"foreign":       {strings.Repeat("x", 43), []paper{good}, "This page was open for too long. Choose your files again."},
		} {
			page := b.headed(b.send(link, c.attempt, c.papers...).WantStatus(422), action)
			if !strings.Contains(page, "There is a problem") || !strings.Contains(page, c.want) || !strings.Contains(page, attempt) {
				t.Errorf("%s: the page does not say %q", name, c.want)
			}
		}
		multi := b.client().With("Content-Type", "multipart/form-data; boundary=X")
		path := strings.TrimPrefix(link, apptest.PublicURL)
		multi.Do("POST", path, "--X\r\nmad\r\n\r\n--X--").WantStatus(400)
		multi.Do("POST", path, "").WantStatus(422)
		multi.Do("POST", path[:len(path)-1], "--X--").WantStatus(404)
		payment, status := only(t, shop)
		if all := sent(t, s, payment); len(all) > 0 || status != "customer_action_required" {
			t.Errorf("the payment is %s with %d documents", status, len(all))
		}
		// Where nothing is asked for, nothing is taken.
		other := s.Shop(apptest.Buyer{})
		ob := visit(t, other)
		offered := other.Offer(other.Order(12000)).Plans[0]
		ob.send(offered.PaymentURL, attempt, good).WantStatus(303)
		ob.open(offered.PaymentURL, 200, choose)
		s.Clean()
	})
}

// TestUploadAsksForSome asks for those documents only that a review has named.
func TestUploadAsksForSome(t *testing.T) {
	t.Parallel()
	apptest.Each(t, func(t *testing.T, s *apptest.Server) {
		shop, b, link, _ := asked(t, s)
		payment, _ := only(t, shop)
		var p struct {
			Plan string `json:"payment_plan"`
		}
		shop.Do("GET", apptest.PaymentPath(payment), nil).WantStatus(200).Decode(&p)
		err := s.DB.Write(context.Background(), func(tx *db.Tx) error {
			return fraud.Ask(tx, shop.Client.Merchant.ID, p.Plan, []string{"bank_statement"}, s.Clock.Now())
		})
		if err != nil {
			t.Fatal(err)
		}
		page := b.open(link, 200, action)
		if !strings.Contains(page, `name="file-bank_statement"`) || strings.Contains(page, `name="file-identity"`) {
			t.Error("the page asks for something else")
		}
	})
}
