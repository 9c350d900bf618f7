package company

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// maxRecord bounds one record of a register's file in bytes. The longest real ones
// have a few thousand.
const maxRecord = 32 << 10

// errMalformed is a record that cannot be read; the next one can.
var errMalformed = errors.New("the line is not comma-separated values")

// csvReader reads records of comma-separated values from a file of any size. It
// differs from encoding/csv in what a register's file needs: it knows the byte at
// which the next record starts, and a quotation mark that is never closed costs
// its line and not the rest of the file.
type csvReader struct {
	r      *bufio.Reader
	offset int64    // of the next record
	line   int64    // of the next record, counted from 1
	ahead  []string // lines read already, the first of them at offset
}

func newCSVReader(r *bufio.Reader) *csvReader { return &csvReader{r: r, line: 1} }

// skipTo goes on at a record whose offset and line are known from an earlier run.
func (c *csvReader) skipTo(offset, line int64) error {
	if _, err := io.CopyN(io.Discard, c.r, offset-c.offset); err != nil {
		return fmt.Errorf("the file is shorter than it was: %w", err)
	}
	c.offset, c.line = offset, line
	return nil
}

// next returns the fields of the next record and the line it starts on. After
// errMalformed the record after it can be read.
func (c *csvReader) next() (fields []string, line int64, err error) {
	for {
		text, err := c.peek(0)
		if err != nil {
			return nil, c.line, err
		}
		if strings.TrimRight(text, "\r\n") != "" {
			break
		}
		c.take(1, int64(len(text)))
	}
	line = c.line
	var record strings.Builder
	for used := 1; ; used++ {
		text, err := c.peek(used - 1)
		if err != nil && err != io.EOF {
			return nil, line, err
		}
		record.WriteString(text)
		fields, open, ok := split(strings.TrimRight(record.String(), "\r\n"))
		if ok {
			c.take(used, int64(record.Len()))
			return fields, line, nil
		}
		if !open || err == io.EOF || record.Len() > maxRecord {
			first, _ := c.peek(0)
			c.take(1, int64(len(first)))
			return nil, line, errMalformed
		}
	}
}

// peek returns the i-th line from the current one on, reading it if need be.
func (c *csvReader) peek(i int) (string, error) {
	for len(c.ahead) <= i {
		text, err := c.readLine()
		if err != nil {
			return "", err
		}
		c.ahead = append(c.ahead, text)
	}
	return c.ahead[i], nil
}

func (c *csvReader) take(lines int, bytes int64) {
	c.ahead = append(c.ahead[:0], c.ahead[lines:]...)
	c.offset += bytes
	c.line += int64(lines)
}

// readLine returns a line with its end. A line longer than any record is given
// in pieces: none of them will be a record.
func (c *csvReader) readLine() (string, error) {
	var b []byte
	for {
		part, err := c.r.ReadSlice('\n')
		b = append(b, part...)
		if err == nil || errors.Is(err, bufio.ErrBufferFull) && len(b) > maxRecord {
			return string(b), nil
		}
		if err == io.EOF && len(b) > 0 {
			return string(b), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return "", err
		}
	}
}

// split returns the fields of a record. open tells that the record ends inside
// quotation marks and may go on in the next line.
func split(record string) (fields []string, open, ok bool) {
	fields = make([]string, 0, 64)
	for {
		if !strings.HasPrefix(record, `"`) {
			field, rest, more := strings.Cut(record, ",")
			fields = append(fields, field)
			if !more {
				return fields, false, true
			}
			record = rest
			continue
		}
		field, rest, closed := quoted(record[1:])
		if !closed {
			return nil, true, false
		}
		fields = append(fields, field)
		if rest == "" {
			return fields, false, true
		}
		if rest[0] != ',' {
			return nil, false, false
		}
		record = rest[1:]
	}
}

// quoted reads a field up to its closing quotation mark; two stand for one.
func quoted(s string) (field, rest string, closed bool) {
	at := strings.IndexByte(s, '"')
	if at >= 0 && (at+1 == len(s) || s[at+1] != '"') {
		return s[:at], s[at+1:], true
	}
	var b strings.Builder
	for at >= 0 {
		b.WriteString(s[:at])
		if at+1 == len(s) || s[at+1] != '"' {
			return b.String(), s[at+1:], true
		}
		b.WriteByte('"')
		s = s[at+2:]
		at = strings.IndexByte(s, '"')
	}
	return "", "", false
}

// fields are a record with the names of its columns.
type fields struct {
	columns map[string]int
	width   int // how many columns there are
	values  []string
}

// header reads the names of the columns and makes sure that the required ones
// are there.
func header(values []string, required []string) (fields, error) {
	f := fields{columns: map[string]int{}, width: len(values)}
	for i, v := range values {
		f.columns[strings.TrimSpace(strings.TrimPrefix(v, "\ufeff"))] = i
	}
	for _, name := range required {
		if _, ok := f.columns[name]; !ok {
			return f, fmt.Errorf("%w: it has no column %s", ErrNotThisFile, name)
		}
	}
	return f, nil
}

// get returns the value of a column, cleaned; empty when there is none.
func (f fields) get(column string) string {
	i, ok := f.columns[column]
	if !ok || i >= len(f.values) {
		return ""
	}
	return clean(f.values[i])
}

// clean removes what neither engine nor any reader can use: control characters,
// bytes that are not UTF-8, spaces around and doubled.
func clean(s string) string {
	if ascii(s) && !strings.ContainsFunc(s, unicode.IsControl) && !strings.Contains(s, "  ") {
		return strings.TrimSpace(s)
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ")
}
