package billing

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"tradecredit/internal/bankfile"
	"tradecredit/internal/mail"
	"tradecredit/internal/money"
	"tradecredit/internal/pdf"
)

// ErrOpen is returned for files of a statement that is not closed yet.
var ErrOpen = errors.New("billing: the statement is open; its files are made when it is closed")

// Files are what is sent of a statement. They follow from what was stored when it
// was closed: made again, they are the same to the last byte.
type Files struct {
	// Name is that of both, without the ending.
	Name string
	PDF  []byte
	CSV  []byte
}

// PDFHash is the SHA-256 of the PDF, in hex.
func (f Files) PDFHash() string { return hash(f.PDF) }

// CSVHash is the SHA-256 of the CSV file, in hex.
func (f Files) CSVHash() string { return hash(f.CSV) }

func hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Render makes the files of a closed statement, or returns ErrOpen.
func Render(d Details) (Files, error) {
	if d.Status == StatusOpen || d.Closed == nil {
		return Files{}, ErrOpen
	}
	f := Files{Name: "statement-" + d.Number}
	var err error
	if f.PDF, err = renderPDF(d); err != nil {
		return f, err
	}
	f.CSV, err = renderCSV(d)
	return f, err
}

// kindNames are the kinds of lines as people read them.
func kindNames() map[string]string {
	return map[string]string{
		KindCapture: "Purchase", KindRefund: "Refund", KindFee: "Fee", KindDiscount: "Discount",
		KindPayment: "Payment received", KindPaymentReturned: "Payment returned", KindCustomerRefund: "Money paid back to you",
		KindAdjustment: "Correction", KindWriteOff: "Debt released",
	}
}

// Decimal writes an amount of minor units as a plain decimal number: -1234.50.
func Decimal(amount int64, currency string) string {
	places, ok := money.Exponent(currency)
	if !ok {
		places = 2
	}
	text := strconv.FormatInt(amount, 10)
	sign := ""
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		sign, text = "-", rest
	}
	if len(text) <= places {
		text = strings.Repeat("0", places-len(text)+1) + text
	}
	if places == 0 {
		return sign + text
	}
	return sign + text[:len(text)-places] + "." + text[len(text)-places:]
}

// grouped writes an amount for people: −1,234.50.
func grouped(amount int64, currency string) string {
	text := Decimal(amount, currency)
	sign := ""
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		sign, text = "−", rest
	}
	whole, part, fraction := strings.Cut(text, ".")
	var out strings.Builder
	for i, r := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			out.WriteByte(',')
		}
		out.WriteRune(r)
	}
	if fraction {
		return sign + out.String() + "." + part
	}
	return sign + out.String()
}

// amountOf is an amount with its currency.
func amountOf(amount int64, currency string) string {
	return currency + " " + grouped(amount, currency)
}

// longDate is a day as people read it: 2 March 2026.
func longDate(t time.Time) string { return t.UTC().Format("2 January 2006") }

func longDay(text string) string {
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return "–"
	}
	return longDate(t)
}

// renderPDF lays a statement out for people.
func renderPDF(d Details) ([]byte, error) {
	doc := d.Document
	info := pdf.Info{
		Title: "Statement of account " + d.Number, Author: doc.Lender, Language: "en-GB", Created: *d.Closed,
		Subject: "Account with " + doc.Merchant + ", " + longDate(d.Period.Start) + " to " + longDate(d.Period.Last()),
		Head:    "Statement of account " + d.Number, Foot: strings.Join(nonEmpty(doc.Lender, doc.Register), " · "),
	}
	return pdf.Make(info, func(p *pdf.Document) {
		p.Masthead(doc.Lender, nonEmpty(doc.Register, doc.Contact)...)
		p.Title("Statement of account")
		p.Columns(
			pdf.Block{Label: "Account of", Lines: addressee(doc)},
			pdf.Block{Label: "For purchases from", Lines: []string{doc.Merchant}},
			pdf.Block{Label: "Statement", Lines: []string{
				d.Number, longDate(*d.Closed),
				"for " + d.Period.Start.Format("02/01/2006") + " – " + d.Period.Last().Format("02/01/2006"),
			}},
		)
		p.Panels(summary(d), payment(d))
		p.Section("What happened", 30)
		p.Table(linesTable(d))
		if len(d.Items) > 0 {
			p.Section("What is to be paid, by purchase", 30)
			p.Table(itemsTable(d))
		}
		p.Paragraph("The file " + "statement-" + d.Number + ".csv holds the same lines for your bookkeeping." + contact(doc))
	})
}

func contact(doc Document) string {
	if doc.Contact == "" {
		return ""
	}
	return " Questions about this statement: " + doc.Contact + "."
}

func nonEmpty(texts ...string) []string {
	return slices.DeleteFunc(texts, func(s string) bool { return s == "" })
}

// addressee is the first organisation, and how many others there are.
func addressee(doc Document) []string {
	if len(doc.Buyers) == 0 {
		return []string{"–"}
	}
	out := append([]string{doc.Buyers[0].Name}, doc.Buyers[0].Address...)
	switch more := len(doc.Buyers) - 1; {
	case more == 1:
		out = append(out, "and 1 other organisation")
	case more > 1:
		out = append(out, fmt.Sprintf("and %d other organisations", more))
	}
	return out
}

// summary is the sums of a statement. What does not occur is left out, but for
// what everybody looks for.
func summary(d Details) pdf.Panel {
	p := pdf.Panel{Heading: "Summary in " + d.Currency}
	for _, r := range []struct {
		name   string
		amount int64
		always bool
	}{
		{"Opening balance", d.Opening, true}, {"Purchases", d.Captures, true}, {"Refunds", d.Refunds, true},
		{"Fees", d.Fees, false}, {"Discounts", d.Discounts, false}, {"Payments", d.Payments, true},
		{"Corrections", d.Adjustments, false},
	} {
		if r.always || r.amount != 0 {
			p.Rows = append(p.Rows, pdf.Row{Name: r.name, Value: grouped(r.amount, d.Currency)})
		}
	}
	p.Rows = append(p.Rows, pdf.Row{Name: "Closing balance", Value: amountOf(d.Closing, d.Currency), Strong: true})
	if favour := d.AmountDue - d.Closing; favour > 0 {
		p.Note = amountOf(favour, d.Currency) + " of the balance is in your favour: paid in advance, or to be paid back. " +
			"It is not set off against other purchases."
	}
	return p
}

// payment says how the statement is paid: by one transfer.
func payment(d Details) pdf.Panel {
	if d.AmountDue == 0 {
		return pdf.Panel{Heading: "Nothing to pay", Note: "There is nothing to pay for this statement."}
	}
	bank := d.Document.Bank
	p := pdf.Panel{Heading: "How to pay", Note: "Pay the whole statement by one transfer and name the reference: it tells us what the money is for."}
	if bank == (bankfile.Account{}) {
		p.Note = "Please ask us for the account to pay to, and name the reference: it tells us what the money is for."
	}
	for _, r := range []pdf.Row{
		{Name: "Account holder", Value: bank.Name}, {Name: "IBAN", Value: FormatReference(bank.IBAN)}, {Name: "BIC", Value: bank.BIC},
		{Name: "Sort code", Value: sortCode(bank.SortCode)}, {Name: "Account number", Value: bank.AccountNumber},
		{Name: "Reference", Value: FormatReference(d.Reference())}, {Name: "Due date", Value: longDay(d.DueDate)},
	} {
		if r.Value != "" {
			p.Rows = append(p.Rows, r)
		}
	}
	p.Rows = append(p.Rows, pdf.Row{Name: "Amount due", Value: amountOf(d.AmountDue, d.Currency), Strong: true})
	return p
}

// sortCode writes six digits in pairs.
func sortCode(s string) string {
	if len(s) != 6 {
		return s
	}
	return s[:2] + "-" + s[2:4] + "-" + s[4:]
}

func linesTable(d Details) pdf.Table {
	t := pdf.Table{
		Columns: []pdf.Column{
			{Heading: "Date", Width: 23}, {Heading: "What", Width: 40}, {Heading: "Purchase", Width: 28}, {Heading: "Your order", Width: 42},
			{Heading: "Amount " + d.Currency, Width: 28, Right: true}, {Heading: "Balance " + d.Currency, Width: 30, Right: true},
		},
		First:   []string{d.Period.Start.Format("02/01/2006"), "Opening balance", "", "", "", grouped(d.Opening, d.Currency)},
		Last:    []string{d.Period.Last().Format("02/01/2006"), "Closing balance", "", "", "", grouped(d.Closing, d.Currency)},
		Carried: "What happened, continued",
	}
	names, balance := kindNames(), d.Opening
	for _, l := range d.Lines {
		balance += l.Amount
		what := names[l.Kind]
		if len(d.Document.Buyers) > 1 {
			what += ", " + buyerName(d.Document, l.OrganisationID)
		}
		t.Rows = append(t.Rows, []string{
			l.At.Format("02/01/2006"), what, l.Number, d.Document.Orders[l.OrderID],
			grouped(l.Amount, d.Currency), grouped(balance, d.Currency),
		})
	}
	return t
}

func buyerName(doc Document, organisationID string) string {
	for _, b := range doc.Buyers {
		if b.OrganisationID == organisationID {
			return b.Name
		}
	}
	return organisationID
}

// sortedItems are the items by due date; what is in favour of the buyer comes
// last.
func sortedItems(items []Item) []Item {
	items = slices.Clone(items)
	slices.SortStableFunc(items, func(a, b Item) int {
		switch {
		case a.Balance > 0 && b.Balance < 0:
			return -1
		case a.Balance < 0 && b.Balance > 0:
			return 1
		}
		return cmp.Or(cmp.Compare(dueRank(a.DueDate), dueRank(b.DueDate)), cmp.Compare(a.PaymentID, b.PaymentID))
	})
	return items
}

func itemsTable(d Details) pdf.Table {
	t := pdf.Table{
		Columns: []pdf.Column{
			{Heading: "Purchase", Width: 30}, {Heading: "Your order", Width: 70}, {Heading: "Next due on", Width: 40},
			{Heading: "Amount " + d.Currency, Width: 34, Right: true},
		},
		Last:    []string{"Closing balance", "", "", grouped(d.Closing, d.Currency)},
		Carried: "What is to be paid, continued",
	}
	for _, i := range sortedItems(d.Items) {
		due := longDay(i.DueDate)
		if i.Balance < 0 {
			due = "In your favour"
		}
		t.Rows = append(t.Rows, []string{i.Number, i.Order, due, grouped(i.Balance, d.Currency)})
	}
	return t
}

// renderCSV writes the lines of a statement for bookkeeping: amounts as plain
// decimal numbers, above zero when more is owed. Text is kept from being taken for
// a formula.
func renderCSV(d Details) ([]byte, error) {
	var out bytes.Buffer
	w := csv.NewWriter(&out)
	w.UseCRLF = true
	rows := [][]string{
		{"date", "type", "deferred_payment", "number", "order", "organisation", "amount", "balance", "currency", "statement"},
		{d.Period.Start.Format(time.DateOnly), "opening_balance", "", "", "", "", "", Decimal(d.Opening, d.Currency), d.Currency, d.Number},
	}
	balance := d.Opening
	for _, l := range d.Lines {
		balance += l.Amount
		rows = append(rows, []string{
			l.At.Format(time.DateOnly), l.Kind, l.PaymentID, l.Number, harmless(d.Document.Orders[l.OrderID]),
			harmless(buyerName(d.Document, l.OrganisationID)), Decimal(l.Amount, d.Currency), Decimal(balance, d.Currency), d.Currency, d.Number,
		})
	}
	rows = append(rows, []string{
		d.Period.Last().Format(time.DateOnly), "closing_balance", "", "", "", "", "", Decimal(d.Closing, d.Currency), d.Currency, d.Number,
	})
	if err := w.WriteAll(rows); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// harmless keeps a spreadsheet from reading text as a formula: an apostrophe goes
// before what could begin one.
func harmless(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n|%＝＋－＠", []rune(text)[0]) {
		return "'" + text
	}
	return text
}

// message is the mail that a statement comes with.
func message(st Statement) (subject string, paragraphs []mail.Paragraph) {
	doc := st.Document
	subject = "Your statement of account " + st.Number + " for purchases from " + doc.Merchant
	period := "This is your statement for " + longDate(st.Period.Start) + " to " + longDate(st.Period.Last()) + "."
	if st.AmountDue == 0 {
		return subject, []mail.Paragraph{{Text: period}, {Text: "There is nothing to pay. The statement is attached as a PDF, and its lines as a CSV file."}}
	}
	var how []string
	for _, r := range [][2]string{
		{"Account holder", doc.Bank.Name},
		{"IBAN", FormatReference(doc.Bank.IBAN)}, {"BIC", doc.Bank.BIC}, {"Sort code", sortCode(doc.Bank.SortCode)},
		{"Account number", doc.Bank.AccountNumber}, {"Reference", FormatReference(st.Reference())},
	} {
		if r[1] != "" {
			how = append(how, r[0]+": "+r[1])
		}
	}
	return subject, []mail.Paragraph{
		{Text: period + " The amount due is " + amountOf(st.AmountDue, st.Currency) + ", to be paid by " + longDay(st.DueDate) + "."},
		{Text: "Pay it by one transfer and name the reference:"},
		{Text: strings.Join(how, "\n")},
		{Text: "The statement is attached as a PDF, and its lines as a CSV file."},
		{Text: strings.Join(nonEmpty(doc.Lender, doc.Contact), "\n")},
	}
}
