package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
)

// invoice is what the shop sends of what it invoices: a page that any reader of
// PDF takes for one.
const invoice = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"

// sendInvoice uploads the invoice of the order: without it nothing is paid out.
func (s *Shop) sendInvoice(ctx context.Context) (string, []Fact, error) {
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	for name, value := range map[string]string{"doc_type": "invoice", "description": "Invoice of the first delivery", "amount": fmt.Sprint(captured)} {
		if err := form.WriteField(name, value); err != nil {
			return "", nil, err
		}
	}
	file, err := form.CreateFormFile("file", "invoice.pdf")
	if err != nil {
		return "", nil, err
	}
	if _, err := io.WriteString(file, invoice); err != nil {
		return "", nil, err
	}
	if err := form.Close(); err != nil {
		return "", nil, err
	}
	path := "/v1/payment/orders/" + s.state.orderID + "/documents"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.program.URL+path, &body)
	if err != nil {
		return "", nil, err
	}
	r.Header.Set("Authorization", "Token "+s.program.SecretKey)
	r.Header.Set("Content-Type", form.FormDataContentType())
	answer, err := s.client.Do(r)
	if err != nil {
		return "", nil, err
	}
	defer answer.Body.Close()
	var made struct{ ID, File, DocType string }
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return "", nil, err
	}
	if answer.StatusCode != http.StatusCreated {
		return "", nil, fmt.Errorf("POST %s answered %d: %s", path, answer.StatusCode, text)
	}
	if err := json.Unmarshal(text, &made); err != nil {
		return "", nil, err
	}
	return "The shop uploads its invoice. What it has captured is paid out only once the invoice is there.",
		[]Fact{{"document", made.ID}, {"file", made.File}}, nil
}

// fee is what the plan costs the merchant, in pence: one percent of what it was
// paid for.
const fee = (captured - refunded) / 100

// payday reads what was paid out while the clock moved.
func (s *Shop) payday(ctx context.Context) (string, []Fact, error) {
	var payouts struct {
		Results []struct {
			ID, Type  string
			Reference string `json:"payout_reference_id"`
			Date      string `json:"payout_date"`
			Amount    int64
			Fees      int64
			Items     []struct{ Order string }
		}
	}
	if _, err := s.call(ctx, http.MethodGet, "/v1/payment/payouts", nil, http.StatusOK, &payouts); err != nil {
		return "", nil, err
	}
	for _, p := range payouts.Results {
		for _, item := range p.Items {
			if item.Order != s.state.orderID {
				continue
			}
			if err := same("the amount paid out", p.Amount, int64(captured-refunded-fee)); err != nil {
				return "", nil, err
			}
			return fmt.Sprintf("On %s, a payday, the shop was paid %s: what it captured less what it refunded and a fee of %s.", p.Date, pounds(p.Amount), pounds(p.Fees)),
				[]Fact{{"payout", p.ID}, {"reference", p.Reference}, {"payout_date", p.Date}, {"amount", p.Amount}, {"fees", p.Fees}}, nil
		}
	}
	return "", nil, fmt.Errorf("order %s was not paid out", s.state.orderID)
}

// repay lets the buyer's bank report that the buyer has paid.
func (s *Shop) repay(ctx context.Context) (string, []Fact, error) {
	var made struct{ ID, Status string }
	path := "/v1/sandbox/deferred_payments/" + s.state.payment.ID + "/repayments"
	_, err := s.call(ctx, http.MethodPost, path, object{"amount": captured - refunded, "outcome": "settled"}, http.StatusCreated, &made)
	if err != nil {
		return "", nil, err
	}
	var order struct{ Status string }
	if _, err := s.call(ctx, http.MethodGet, "/v1/payment/orders/"+s.state.orderID, nil, http.StatusOK, &order); err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("The buyer pays its invoice of %s by bank transfer, and owes nothing any more.", pounds(captured-refunded)),
		[]Fact{{"repayment", made.ID}, {"order_status", order.Status}}, same("the order's status", order.Status, "paid")
}
