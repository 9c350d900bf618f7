package billing

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"tradecredit/internal/bankfile"
)

// sample is a closed statement with n purchases.
func sample(n int, currency string) Details {
	closed := time.Date(2026, 4, 2, 0, 0, 0, 0, time.UTC)
	d := Details{Statement: Statement{
		MerchantID: "mer-1", ID: "stmt-1", AccountID: "ba-1", Currency: currency, Number: "S-7WR2-PR6S", DueDate: "2026-04-16",
		Period: PeriodOf("1m", time.Date(2026, 3, 2, 9, 30, 0, 0, time.UTC), 0), Closed: &closed, Status: StatusClosed,
		Document: Document{
			Lender: "Tradecredit Sandbox Lender", Register: "Registered in England and Wales 01234567", Contact: "help@lender.example",
			Merchant: "Großhandel Łódź & Søn", Orders: map[string]string{},
			Bank:   bankfile.Account{Name: "Tradecredit Sandbox Lender", IBAN: "GB33BUKB20201555555555", BIC: "BUKBGB22"},
			Buyers: []Buyer{{OrganisationID: "org-1", Name: "Ἀθηνᾶ Κρέπες & Żółć Брашно Ltd", Address: []string{"1 Station Street", "London SE11 6NQ", "United Kingdom"}}},
		},
	}}
	d.Opening = 125000
	balance := d.Opening
	for i := range n {
		number := fmt.Sprintf("P-%04d-PR6S", i)
		payment := fmt.Sprintf("defpay-%d", i)
		order := fmt.Sprintf("order-%d", i)
		d.Document.Orders[order] = fmt.Sprintf("WEB-2026-%05d", i)
		amount := int64(9999 + 12345*(i%97))
		if i%7 == 3 {
			d.Document.Orders[order] = "=HYPERLINK(\"http://x\") a rather long order number 0123456789012345678901234567890123456789 of ours"
		}
		add := func(kind string, amount int64) {
			balance += amount
			d.Lines = append(d.Lines, Line{
				EventID: fmt.Sprint("evt-", len(d.Lines)), Kind: kind, OrganisationID: "org-1", PaymentID: payment, Number: number,
				OrderID: order, Currency: currency, Amount: amount, At: time.Date(2026, 3, 2+i%30, 10, 0, 0, 0, time.UTC),
			})
		}
		add(KindCapture, amount)
		switch i % 5 {
		case 1:
			add(KindFee, 150)
			amount += 150
		case 2:
			add(KindRefund, -amount/3)
			amount -= amount / 3
		case 4:
			add(KindPayment, -amount)
			amount = 0
		}
		if amount != 0 {
			d.Items = append(d.Items, Item{PaymentID: payment, Number: number, Order: d.Document.Orders[order], DueDate: "2026-04-30", Balance: amount})
		}
	}
	d.Items = append(d.Items, Item{PaymentID: "defpay-x", Number: "P-OLD2-PR6S", Order: "WEB-2025-1", DueDate: "2026-03-30", Balance: 127500},
		Item{PaymentID: "defpay-y", Number: "P-PREP-PR6S", Order: "WEB-2026-9", Balance: -2500})
	var err error
	if d.Totals, err = Sum(d.Opening, kinds(d.Lines)); err != nil {
		panic(err)
	}
	for _, i := range d.Items {
		d.AmountDue += max(0, i.Balance)
	}
	d.Remaining = d.AmountDue
	return d
}

// TestFilesAreTheSame: what was sent can be made again.
func TestFilesAreTheSame(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lines    int
		currency string
	}{{0, "GBP"}, {1, "EUR"}, {12, "GBP"}, {500, "XOF"}} {
		d := sample(c.lines, c.currency)
		first, err := Render(d)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Render(sample(c.lines, c.currency))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.PDF, again.PDF) || !bytes.Equal(first.CSV, again.CSV) {
			t.Errorf("%v: another file the second time", c)
		}
		// For looking at them: TRADECREDIT_KEEP_FILES names a directory.
		if dir := os.Getenv("TRADECREDIT_KEEP_FILES"); dir != "" {
			name := fmt.Sprintf("%s/statement-%d-%s", dir, c.lines, c.currency)
			if err := os.WriteFile(name+".pdf", first.PDF, 0o644); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name+".csv", first.CSV, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	open := sample(1, "GBP")
	open.Status = StatusOpen
	if _, err := Render(open); err != ErrOpen {
		t.Errorf("an open statement has files: %v", err)
	}
}

// TestCSV: every line is there, the balance runs, and no text is a formula.
func TestCSV(t *testing.T) {
	t.Parallel()
	d := sample(12, "EUR")
	files, err := Render(d)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(files.CSV)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(d.Lines)+3 {
		t.Errorf("%d rows for %d lines", len(rows), len(d.Lines))
	}
	if got := rows[len(rows)-1][7]; got != Decimal(d.Closing, "EUR") {
		t.Errorf("closes with %s", got)
	}
	if before := rows[len(rows)-2][7]; before != Decimal(d.Closing, "EUR") {
		t.Errorf("the last line leaves %s", before)
	}
	formulas := 0
	for _, row := range rows[1:] {
		for i, cell := range row {
			if i != 6 && i != 7 && cell != "" && strings.ContainsRune("=+-@", rune(cell[0])) {
				t.Errorf("%q is a formula", cell)
			}
			if strings.HasPrefix(cell, "'=HYPERLINK") {
				formulas++
			}
		}
	}
	if formulas == 0 {
		t.Error("the sample has no formula to keep out")
	}
}

func TestAmounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		amount                   int64
		currency, plain, grouped string
	}{
		{0, "GBP", "0.00", "0.00"}, {5, "GBP", "0.05", "0.05"}, {-5, "GBP", "-0.05", "−0.05"},
		{123456789, "EUR", "1234567.89", "1,234,567.89"}, {-100000, "EUR", "-1000.00", "−1,000.00"},
		{1234, "XOF", "1234", "1,234"}, {-999, "XOF", "-999", "−999"}, {1234567, "TND", "1234.567", "1,234.567"},
		{-9223372036854775808, "GBP", "-92233720368547758.08", "−92,233,720,368,547,758.08"},
	} {
		if got := Decimal(c.amount, c.currency); got != c.plain {
			t.Errorf("%d %s is %s, want %s", c.amount, c.currency, got, c.plain)
		}
		if got := grouped(c.amount, c.currency); got != c.grouped {
			t.Errorf("%d %s is %s, want %s", c.amount, c.currency, got, c.grouped)
		}
	}
}
