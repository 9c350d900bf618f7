package bankfile

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"tradecredit/internal/money"
)

// Unpaid is a direct debit that was returned unpaid.
type Unpaid struct {
	// Reference is that of the debit.
	Reference string
	Code      DebitCode
	// Reason is 0 to 9, A or B; UnpaidReasons has them. Detail is the code as it
	// was in the report, which may have more digits.
	Reason      string
	Detail      string
	Description string
	Amount      money.Amount
	// Processed is the processing date of the debit, at midnight UTC.
	Processed time.Time
	Payer     Account
}

// UnpaidReasons says in English why a debit was returned (Bacs, ARUDD).
var UnpaidReasons = map[string]string{
	"0": "refer to payer",
	"1": "instruction cancelled",
	"2": "payer deceased",
	"3": "account transferred",
	"4": "advance notice disputed",
	"5": "no account or wrong account type",
	"6": "no instruction",
	"7": "amount differs",
	"8": "amount not yet due",
	"9": "presentation overdue",
	"A": "service user differs",
	"B": "account closed",
}

// UnpaidReport is what a report says besides the debits.
type UnpaidReport struct {
	ServiceUser string
	Number      string
	// Date is the processing date of the report, at midnight UTC.
	Date  time.Time
	Count int
	// Total is the sum in pounds.
	Total int64
}

type arudd struct {
	Header struct {
		Number string `xml:"adviceNumber,attr"`
		Date   string `xml:"currentProcessingDate,attr"`
	}
	License struct {
		User string `xml:"userNumber,attr"`
	}
	Item   aruddItem
	Totals aruddTotals
}

type aruddTotals struct {
	Count string `xml:"numberOf,attr"`
	Value string `xml:"valueOf,attr"`
}

type aruddItem struct {
	Ref         string `xml:"ref,attr"`
	Code        string `xml:"transCode,attr"`
	Return      string `xml:"returnCode,attr"`
	Description string `xml:"returnDescription,attr"`
	Processed   string `xml:"originalProcessingDate,attr"`
	Value       string `xml:"valueOf,attr"`
	Currency    string `xml:"currency,attr"`
	Payer       struct {
		Name   string `xml:"name,attr"`
		Number string `xml:"number,attr"`
		Sort   string `xml:"sortCode,attr"`
	} `xml:"PayerAccount"`
}

func (i aruddItem) unpaid() (Unpaid, error) {
	u := Unpaid{
		Reference: strings.TrimSpace(i.Ref), Code: DebitCode(i.Code), Detail: i.Return, Description: i.Description,
		Payer: Account{Name: i.Payer.Name, SortCode: i.Payer.Sort, AccountNumber: i.Payer.Number}.Normalise(),
	}
	if i.Currency != "" && i.Currency != "GBP" {
		return u, fmt.Errorf("a returned debit is in %s", i.Currency)
	}
	var err error
	if u.Amount, err = readAmount(i.Value, "GBP"); err != nil {
		return u, err
	}
	if u.Processed, err = readDate(i.Processed); err != nil {
		return u, err
	}
	// Four-digit codes begin with the reason.
	if len(i.Return) > 0 {
		u.Reason = strings.ToUpper(i.Return[:1])
	}
	if UnpaidReasons[u.Reason] == "" {
		return u, fmt.Errorf("the return code %q is not known", i.Return)
	}
	if u.Reference == "" {
		return u, errors.New("a returned debit has no reference")
	}
	return u, nil
}

// ReadUnpaid reads a report of debits returned unpaid (ARUDD) and calls each for
// every one of them, in order. It fails with the first error of each, and when
// the totals of the report are not those of its debits.
func ReadUnpaid(r io.Reader, each func(Unpaid) error) (UnpaidReport, error) {
	d := newDecoder(r)
	var report UnpaidReport
	var total int64
	count, found := 0, false
	err := d.walk(func(start xml.StartElement) error {
		var in arudd
		switch start.Name.Local {
		case "ARUDD":
			found = true
			return nil
		case "Header":
			return d.read(&in.Header, start, func() (err error) {
				report.Number = in.Header.Number
				report.Date, err = readDate(in.Header.Date)
				return err
			})
		case "ServiceLicenseInformation":
			return d.read(&in.License, start, func() error { report.ServiceUser = in.License.User; return nil })
		case "ReturnedDebitItem":
			return d.read(&in.Item, start, func() error {
				u, err := in.Item.unpaid()
				if err != nil {
					return err
				}
				report.Count++
				if report.Total, err = money.CheckedAdd(report.Total, u.Amount.Minor); err != nil {
					return err
				}
				return each(u)
			})
		case "Totals":
			return d.read(&in.Totals, start, func() error {
				n, err := strconv.Atoi(strings.TrimSpace(in.Totals.Count))
				if err != nil {
					return fmt.Errorf("the number of returned debits: %w", err)
				}
				a, err := readAmount(in.Totals.Value, "GBP")
				if err != nil {
					return err
				}
				count += n
				total, err = money.CheckedAdd(total, a.Minor)
				return err
			})
		}
		return nil
	})
	switch {
	case err != nil:
		return report, err
	case !found:
		return report, errors.New("this is no report of returned debits: it has no ARUDD")
	case count != report.Count || total != report.Total:
		return report, fmt.Errorf("the report has %d debits of %s and says %d of %s",
			report.Count, money.FormatFixed(report.Total, 2), count, money.FormatFixed(total, 2))
	}
	return report, nil
}
