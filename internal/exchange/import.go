package exchange

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"tradecredit/internal/db"
	"tradecredit/internal/money"
)

// ErrNotThisFile is returned for a file that holds no reference rates.
var ErrNotThisFile = errors.New("this is no file of the euro reference rates")

// Report is the result of an import.
type Report struct {
	Days int64 `json:"days"`
	// Rates were read, Changed of them are new or other than before, Skipped are of
	// currencies that are not supported.
	Rates   int64  `json:"rates"`
	Changed int64  `json:"changed"`
	Skipped int64  `json:"skipped"`
	First   string `json:"first_day"`
	Last    string `json:"last_day"`
}

// chunk is how many rates are sent at once.
const chunk = 5000

// ImportFile imports a file of the euro reference rates as the European Central
// Bank publishes them: eurofxref or eurofxref-hist, as CSV, as a zip archive with
// the CSV in it, or as XML. What it is is told by its content. All of it is
// imported or, with an error that says where, nothing. Importing the same file
// again changes nothing. Rates that the operator has set stay. progress, unless it
// is nil, is told from time to time how far it has got.
func ImportFile(ctx context.Context, d *db.DB, path string, progress func(Report)) (Report, error) {
	f, err := os.Open(path)
	if err != nil {
		return Report{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Report{}, err
	}
	var report Report
	err = d.Write(ctx, func(tx *db.Tx) error {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		im := &importer{ctx: ctx, tx: tx, progress: progress, places: map[rateKey]int{}}
		err := im.file(f, info.Size())
		report = im.report
		return err
	})
	if err != nil {
		return Report{}, fmt.Errorf("%s: %w", path, err)
	}
	return report, nil
}

// importer reads one file in one transaction.
type importer struct {
	ctx      context.Context
	tx       *db.Tx
	progress func(Report)
	report   Report
	// waiting are rates that are not sent yet, places where each of them stands: a
	// file that names one twice means the last.
	waiting []Rate
	places  map[rateKey]int
}

// rateKey names a rate.
type rateKey struct {
	day      int64
	currency string
}

func (im *importer) file(f *os.File, size int64) error {
	r := bufio.NewReader(f)
	start, err := r.Peek(4)
	if err != nil && err != io.EOF {
		return err
	}
	if bytes.HasPrefix(start, []byte("PK\x03\x04")) {
		inside, err := unzip(f, size)
		if err != nil {
			return err
		}
		defer inside.Close()
		r = bufio.NewReader(inside)
	}
	if err := im.read(r); err != nil {
		return err
	}
	if im.report.Days == 0 {
		return ErrNotThisFile
	}
	return im.flush()
}

// unzip opens the one file of an archive that can hold rates.
func unzip(f *os.File, size int64) (io.ReadCloser, error) {
	z, err := zip.NewReader(f, size)
	if err != nil {
		return nil, err
	}
	var found *zip.File
	for _, entry := range z.File {
		if name := strings.ToLower(entry.Name); !strings.HasSuffix(name, ".csv") && !strings.HasSuffix(name, ".xml") {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("the archive holds more than one file of rates: %s, %s", found.Name, entry.Name)
		}
		found = entry
	}
	if found == nil {
		return nil, fmt.Errorf("the archive holds no CSV or XML file: %w", ErrNotThisFile)
	}
	return found.Open()
}

// read tells XML from CSV by its first character.
func (im *importer) read(r *bufio.Reader) error {
	if mark, err := r.Peek(3); err == nil && bytes.Equal(mark, []byte("\xef\xbb\xbf")) {
		if _, err := r.Discard(3); err != nil {
			return err
		}
	}
	for {
		c, err := r.ReadByte()
		if err == io.EOF {
			return ErrNotThisFile
		}
		if err != nil {
			return err
		}
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			continue
		}
		if err := r.UnreadByte(); err != nil {
			return err
		}
		if c == '<' {
			return im.xml(r)
		}
		return im.csv(r)
	}
}

// csv reads a header of currencies and lines of a day's rates. A currency that
// was not quoted on a day has N/A or nothing there.
func (im *importer) csv(r io.Reader) error {
	in := csv.NewReader(r)
	in.TrimLeadingSpace, in.ReuseRecord, in.FieldsPerRecord = true, true, -1
	record, err := in.Read()
	if err != nil || strings.TrimSpace(record[0]) != "Date" {
		return ErrNotThisFile
	}
	var header []string
	for _, name := range record {
		header = append(header, strings.TrimSpace(name))
	}
	for {
		record, err := in.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		line, _ := in.FieldPos(0)
		if len(record) > len(header) {
			return fmt.Errorf("line %d has %d fields, the header %d", line, len(record), len(header))
		}
		day, err := parseDay(strings.TrimSpace(record[0]))
		if err != nil {
			return fmt.Errorf("line %d: %w", line, err)
		}
		im.day(day)
		for i, rate := range record[1:] {
			rate = strings.TrimSpace(rate)
			if rate == "" || rate == "N/A" {
				continue
			}
			if err := im.rate(day, header[i+1], rate); err != nil {
				return fmt.Errorf("line %d: %w", line, err)
			}
		}
	}
}

// xml reads elements called Cube: one with a time for each day, in it one with a
// currency and a rate for each rate.
func (im *importer) xml(r io.Reader) error {
	in := xml.NewDecoder(r)
	var day time.Time
	for {
		token, err := in.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%w: %w", ErrNotThisFile, err)
		}
		element, ok := token.(xml.StartElement)
		if !ok || element.Name.Local != "Cube" {
			continue
		}
		line, _ := in.InputPos()
		values := map[string]string{}
		for _, a := range element.Attr {
			values[a.Name.Local] = a.Value
		}
		if text, ok := values["time"]; ok {
			if day, err = parseDay(text); err != nil {
				return fmt.Errorf("line %d: %w", line, err)
			}
			im.day(day)
		}
		if currency, ok := values["currency"]; ok {
			if day.IsZero() {
				return fmt.Errorf("line %d: a rate before any day: %w", line, ErrNotThisFile)
			}
			if err := im.rate(day, currency, values["rate"]); err != nil {
				return fmt.Errorf("line %d: %w", line, err)
			}
		}
	}
}

// parseDay reads a date as the files write it: 2026-11-20, or 20 November 2026 in
// the CSV of a single day.
func parseDay(text string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, "2 January 2006"} {
		if day, err := time.Parse(layout, text); err == nil {
			return day, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no date", text)
}

func (im *importer) day(day time.Time) {
	text := day.Format(time.DateOnly)
	im.report.Days++
	if im.report.First == "" || text < im.report.First {
		im.report.First = text
	}
	im.report.Last = max(im.report.Last, text)
}

func (im *importer) rate(day time.Time, currency, text string) error {
	if _, known := money.Exponent(currency); !known {
		im.report.Skipped++
		return nil
	}
	r, err := Parse(day, currency, text)
	if err != nil {
		return err
	}
	r.Source = Imported
	im.report.Rates++
	k := rateKey{number(day), currency}
	if at, twice := im.places[k]; twice {
		im.waiting[at] = r
		return nil
	}
	im.places[k] = len(im.waiting)
	im.waiting = append(im.waiting, r)
	if len(im.waiting) < chunk {
		return nil
	}
	return im.flush()
}

// flush sends the rates that wait.
func (im *importer) flush() error {
	if len(im.waiting) == 0 {
		return nil
	}
	currencies, days, values, sources := columns(im.waiting)
	n, err := im.tx.Many(im.ctx, importRates, currencies, days, values, sources)
	if err != nil {
		return err
	}
	im.report.Changed += n
	im.waiting = im.waiting[:0]
	clear(im.places)
	if im.progress != nil {
		im.progress(im.report)
	}
	return nil
}
