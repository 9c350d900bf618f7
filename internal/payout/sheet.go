package payout

import (
	"context"
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"tradecredit/internal/db"
)

// Line is an item with what the merchant knows it by.
type Line struct {
	Item
	OrderUniqueID string
	// Metadata is what came with the post-sale event, as JSON.
	Metadata string
}

// EachLine calls f for every item of a payout, in the order of their making,
// without keeping them all.
func EachLine(ctx context.Context, tx *db.Tx, p Payout, f func(Line) error) error {
	const some = 500
	for after := ""; ; {
		page, err := db.All(ctx, tx, linesOfPayout, []any{p.MerchantID, dayOf(p.Date), p.ID, after, some}, func(r db.Rows) (Line, error) {
			var l Line
			created, paid, into := l.scan()
			err := r.Scan(append(into, &l.OrderUniqueID, &l.Metadata)...)
			l.dates(*created, *paid)
			return l, err
		})
		if err != nil {
			return err
		}
		for _, l := range page {
			after = l.ID
			if err := f(l); err != nil {
				return err
			}
		}
		if len(page) < some {
			return nil
		}
	}
}

// columns of both kinds of sheet, named as in the API. Amounts are in minor units.
var columns = []any{
	"payout_reference_id", "payout_date", "id", "type", "order", "order_unique_id", "deferred_payment", "creation_date",
	"amount", "fees", "amount_net_of_fees", "currency", "metadata",
}

// sheet takes the rows of a sheet: texts, and numbers as int64.
type sheet interface {
	row(cells []any) error
	close() error
}

// WriteCSV writes a payout as CSV: a row for each item and each adjustment, and one
// with the total.
func WriteCSV(ctx context.Context, tx *db.Tx, p Payout, w io.Writer) error {
	return write(ctx, tx, p, &csvSheet{csv.NewWriter(w)})
}

// WriteExcel writes the same as an Excel workbook.
func WriteExcel(ctx context.Context, tx *db.Tx, p Payout, w io.Writer) error {
	book := excelize.NewFile()
	defer func() { _ = book.Close() }() // removes temporary files only
	const name = "Payout"
	if err := book.SetSheetName("Sheet1", name); err != nil {
		return err
	}
	stream, err := book.NewStreamWriter(name)
	if err != nil {
		return err
	}
	return write(ctx, tx, p, &excelSheet{book: book, stream: stream, out: w})
}

func write(ctx context.Context, tx *db.Tx, p Payout, out sheet) error {
	if err := out.row(columns); err != nil {
		return err
	}
	date := p.Date.Format(time.DateOnly)
	err := EachLine(ctx, tx, p, func(l Line) error {
		return out.row([]any{
			p.Reference, date, l.ID, l.Type, l.OrderID, text(l.OrderUniqueID), l.PaymentID, l.Created.Format(time.DateOnly),
			l.Amount, l.Fees, l.Amount - l.Fees, l.Currency, text(metadata(l.Metadata)),
		})
	})
	if err != nil {
		return err
	}
	parts, err := PartsOf(ctx, tx, []Payout{{MerchantID: p.MerchantID, ID: p.ID}})
	if err != nil {
		return err
	}
	for _, a := range parts.Adjustments[p.ID] {
		made := a.Created.Format(time.DateOnly)
		row := []any{p.Reference, date, a.ID, a.Type, "", "", "", made, a.Amount, int64(0), a.Amount, a.Currency, text(a.Note)}
		if err := out.row(row); err != nil {
			return err
		}
	}
	gross := p.ItemsAmount - p.Withheld + p.AdjustmentsAmount
	total := []any{p.Reference, date, p.ID, "total", "", "", "", "", gross, gross - p.Amount, p.Amount, p.Currency, ""}
	if err := out.row(total); err != nil {
		return err
	}
	return out.close()
}

// metadata is "" where there is none.
func metadata(raw string) string {
	if raw == "{}" {
		return ""
	}
	return raw
}

// text keeps a spreadsheet from taking somebody's text for a formula.
func text(s string) string {
	if strings.ContainsAny(s[:min(len(s), 1)], "=+-@\t\r\n") {
		return "'" + s
	}
	return s
}

type csvSheet struct{ w *csv.Writer }

func (s *csvSheet) row(cells []any) error {
	out := make([]string, len(cells))
	for i, c := range cells {
		switch c := c.(type) {
		case string:
			out[i] = c
		case int64:
			out[i] = strconv.FormatInt(c, 10)
		}
	}
	return s.w.Write(out)
}

func (s *csvSheet) close() error {
	s.w.Flush()
	return s.w.Error()
}

type excelSheet struct {
	book   *excelize.File
	stream *excelize.StreamWriter
	out    io.Writer
	n      int
}

func (s *excelSheet) row(cells []any) error {
	s.n++
	first, err := excelize.CoordinatesToCellName(1, s.n)
	if err != nil {
		return err
	}
	return s.stream.SetRow(first, cells)
}

func (s *excelSheet) close() error {
	if err := s.stream.Flush(); err != nil {
		return err
	}
	return s.book.Write(s.out)
}
