package bankfile

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"tradecredit/internal/money"
)

// DebitCode is the transaction code of a Bacs direct debit.
type DebitCode string

// The codes: the first debit of an instruction, a regular one, one that is
// presented again after it was returned unpaid, and the last.
const (
	FirstDebit   DebitCode = "01"
	RegularDebit DebitCode = "17"
	RepeatDebit  DebitCode = "18"
	LastDebit    DebitCode = "19"
)

// creditContra is the code of the credit that balances a day's debits.
const creditContra = "99"

// Submission is a file of direct debits for Bacs, as Standard 18 describes it.
type Submission struct {
	// Serial is different for every file of a day: up to six capitals and digits.
	Serial string
	// ServiceUser is the service user number: six digits.
	ServiceUser string
	// UserName is what payers read on their statements: 18 characters of it.
	UserName string
	Created  time.Time
	// Account is credited with the sum of each day.
	Account Account
	// Days are one or several. Several make a file of the multi-processing-day
	// format, whose records are longer by the date.
	Days []DebitDay
}

// DebitDay are the debits of one processing day. Payers are debited on the
// business day after it.
type DebitDay struct {
	Processing time.Time
	Debits     []Debit
}

// Debit is one direct debit.
type Debit struct {
	Code DebitCode
	// Pence is the amount.
	Pence int64
	Payer Account
	// Reference is how returns name the debit, the same for all of one instruction:
	// 6 to 18 capitals, digits, spaces, full stops, slashes, hyphens and ampersands,
	// six of them letters or digits that are not all the same.
	Reference string
}

// mostPence is the largest amount of one Bacs payment: £20 million.
const mostPence = 20_000_000_00

var (
	serialShape    = regexp.MustCompile(`^[A-Z0-9]{1,6}$`)
	referenceShape = regexp.MustCompile(`^[A-Z0-9][A-Z0-9 .&/-]{4,16}[A-Z0-9.&/-]$`)
)

func checkReference(ref string) error {
	core := strings.Map(func(r rune) rune {
		if isAlphanumeric(r) {
			return r
		}
		return -1
	}, ref)
	switch {
	case !referenceShape.MatchString(ref):
		return wrong("reference", "is not 6 to 18 capitals, digits and . & / - beginning with a capital or digit")
	case len(core) < 6 || strings.Count(core, core[:1]) == len(core):
		return wrong("reference", "has no six capitals and digits that differ")
	case strings.HasPrefix(ref, "DDIC"):
		return wrong("reference", "begins with DDIC, which is for indemnity claims")
	}
	return nil
}

func (d Debit) check() error {
	if !slices.Contains([]DebitCode{FirstDebit, RegularDebit, RepeatDebit, LastDebit}, d.Code) {
		return wrong("code", "%q is none of 01, 17, 18, 19", d.Code)
	}
	if d.Pence <= 0 || d.Pence > mostPence {
		return wrong("pence", "is not between 0.01 and 20000000.00 pounds")
	}
	if err := d.Payer.CheckUK(); err != nil {
		return within("payer", err)
	}
	return checkReference(d.Reference)
}

func (d DebitDay) total() (int64, error) {
	amounts := make([]int64, len(d.Debits))
	for i, debit := range d.Debits {
		amounts[i] = debit.Pence
	}
	total, err := money.Sum(amounts...)
	if err != nil || total > mostContra {
		return 0, wrong("debits", "sum to more than a record holds: split them over several files")
	}
	return total, nil
}

// mostContra is the largest sum that the eleven digits of a record hold.
const mostContra = 99_999_999_999

// Check tells what is wrong with a submission, with a FieldError. It does not know
// which days are business days.
func (s Submission) Check() error {
	switch {
	case !serialShape.MatchString(s.Serial) || strings.Trim(s.Serial, "0") == "":
		return wrong("serial", "is not up to six capitals and digits")
	case !sixDigits.MatchString(s.ServiceUser):
		return wrong("service_user", "is not six digits")
	case !readable(bacsName(s.UserName)):
		return wrong("user_name", "has no letter that a bank file can carry")
	case len(s.Days) == 0:
		return wrong("days", "is empty")
	}
	if err := checkDate("created", s.Created); err != nil {
		return err
	}
	if err := s.Account.CheckUK(); err != nil {
		return within("account", err)
	}
	n, all := 0, int64(0)
	for i, d := range s.Days {
		if err := d.checkAfter(s.Days[:i], s.Created); err != nil {
			return within(at("days", i), err)
		}
		total, err := d.total()
		if err != nil {
			return within(at("days", i), err)
		}
		n, all = n+len(d.Debits), all+total
	}
	if n > 9_999_999 || all > 9_999_999_999_999 {
		return wrong("days", "are too much for one file")
	}
	return nil
}

func (d DebitDay) checkAfter(before []DebitDay, created time.Time) error {
	if err := checkDate("processing", d.Processing); err != nil {
		return err
	}
	switch {
	case len(before) > 0 && isoDate(before[len(before)-1].Processing) >= isoDate(d.Processing):
		return wrong("processing", "is not after the day before in the file")
	case isoDate(d.Processing) < isoDate(created):
		return wrong("processing", "is before the file is made")
	case len(d.Debits) == 0:
		return wrong("debits", "is empty")
	}
	for i, debit := range d.Debits {
		if err := debit.check(); err != nil {
			return within(at("debits", i), err)
		}
	}
	return nil
}

// julian is a date as bYYDDD: a space, the year in its century and the day of the
// year.
func julian(t time.Time) string { return t.UTC().Format(" 06002") }

// bacsFile writes records and counts what the trailer tells.
type bacsFile struct {
	w                *bufio.Writer
	length           int
	debits, credits  int64
	nDebits, nCredit int
}

// put writes one record, filled up with spaces. Errors of the writer are returned
// by Flush.
func (f *bacsFile) put(width int, fields ...string) {
	_, _ = fmt.Fprintf(f.w, "%-*s\r\n", width, strings.Join(fields, ""))
}

func (f *bacsFile) label(fields ...string) { f.put(80, fields...) }

// Write writes the file, a record a line with CR and LF. What is wrong is a
// FieldError, and then nothing was written.
func (s Submission) Write(w io.Writer) error {
	if err := s.Check(); err != nil {
		return err
	}
	f := &bacsFile{w: bufio.NewWriter(w), length: 100}
	work := "1 DAILY  "
	if len(s.Days) > 1 {
		f.length, work = 106, "4 MULTI  "
	}
	serial := strings.Repeat("0", 6-len(s.Serial)) + s.Serial
	// The two file labels begin the file as HDR and end it as EOF.
	first := "A" + s.ServiceUser + "S  1" + s.ServiceUser + serial + "00010001" + spaces(6) +
		julian(s.Created) + julian(s.Days[len(s.Days)-1].Processing) + " 000000"
	second := fmt.Sprintf("F%05d%05d%s00", 20*f.length, f.length, spaces(35))

	f.label("VOL1", serial, spaces(31), s.ServiceUser, spaces(32), "1")
	f.label("HDR1", first)
	f.label("HDR2", second)
	f.label("UHL1", julian(s.Days[0].Processing), "999999    00000000", work, "001")
	for _, d := range s.Days {
		f.day(s, d)
	}
	f.label("EOF1", first)
	f.label("EOF2", second)
	f.label("UTL1", fmt.Sprintf("%013d%013d%07d%07d", f.debits, f.credits, f.nDebits, f.nCredit))
	return f.w.Flush()
}

// day writes the debits of a day and the credit that balances them.
func (f *bacsFile) day(s Submission, d DebitDay) {
	processing := ""
	if f.length > 100 {
		processing = julian(d.Processing)
	}
	own, user := s.Account.SortCode+s.Account.AccountNumber, bacsName(s.UserName)
	var total int64
	for _, debit := range d.Debits {
		f.put(f.length, debit.Payer.SortCode, debit.Payer.AccountNumber, "0", string(debit.Code), own, spaces(4),
			pence(debit.Pence), field(user), field(debit.Reference), field(bacsName(debit.Payer.Name)), processing)
		total += debit.Pence
	}
	f.put(f.length, own, "0", creditContra, own, spaces(4), pence(total), field(user), field("CONTRA"),
		field(bacsName(s.Account.Name)), processing)
	f.debits, f.credits = f.debits+total, f.credits+total
	f.nDebits, f.nCredit = f.nDebits+len(d.Debits), f.nCredit+1
}

func spaces(n int) string { return strings.Repeat(" ", n) }

func pence(n int64) string { return fmt.Sprintf("%011d", n) }

// field is a text of 18 characters, filled up.
func field(s string) string { return fmt.Sprintf("%-18s", s) }
