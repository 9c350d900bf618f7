package company

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"tradecredit/internal/clock"
	"tradecredit/internal/db"
)

// Errors of an import. The companies found before are found unchanged after each
// of them.
var (
	// ErrNotThisFile is returned for a file that is not of the register named.
	ErrNotThisFile = errors.New("this is not a file of that register")
	// ErrBadRows is returned when more than one row in a hundred is unusable.
	ErrBadRows = errors.New("too many unusable rows")
	// ErrShrunk is returned when the file has less than half the companies of the
	// edition in use, as a truncated download would.
	ErrShrunk = errors.New("the file has less than half the companies of the edition in use")
	// ErrUnknownSource is returned for a source that is not imported from files.
	ErrUnknownSource = errors.New("unknown source of companies")
)

const (
	maxBadPercent = 1
	maxBadLines   = 100 // named in the report
	maxNameBytes  = 1000
	// sweepDelay lets the searches end that began before the switch.
	sweepDelay = time.Second
)

// Options of an import.
type Options struct {
	// Size is the length of the file in bytes, for the progress; 0 when it is
	// not known.
	Size int64
	// PackedSize is the length of the file as it is packed. Together with its
	// beginning it tells one edition from another.
	PackedSize int64
	// Establishments is, for Sirene, the file StockEtablissement, which has the
	// addresses. Both files must be in the order of their SIREN, as published.
	Establishments io.Reader
	// Progress is called about once for every 10,000 rows.
	Progress func(Progress)
	// Force imports a file although it was imported before or is much shorter
	// than the edition in use.
	Force bool
	// Clock is for the rate; the system's when nil.
	Clock clock.Clock

	segmentSize int64 // smaller in tests
	noDelay     bool
}

// Progress is how far an import has got.
type Progress struct {
	Rows  int64
	Bytes int64
	// Size is the length of the whole file, 0 when it is not known.
	Size          int64
	RowsPerSecond int64
}

// Report is the result of an import.
type Report struct {
	Source     Source `json:"source"`
	Generation int64  `json:"generation"`
	// Switched tells that the companies of the file are now the ones found.
	Switched bool `json:"switched"`
	// Unchanged tells that the file was imported before and nothing was done.
	Unchanged bool `json:"unchanged"`
	// ResumedAt is the row at which an earlier, interrupted run had got.
	ResumedAt int64 `json:"resumed_at_row"`
	Rows      int64 `json:"rows"`
	Imported  int64 `json:"imported"`
	// Skipped rows are fine but not wanted: what they are depends on the register.
	Skipped  int64     `json:"skipped"`
	Bad      int64     `json:"bad"`
	BadLines []BadLine `json:"bad_lines"`
	Bytes    int64     `json:"bytes"`
	Seconds  int64     `json:"seconds"`
}

// BadLine is a row that could not be used.
type BadLine struct {
	Line   int64  `json:"line"`
	Reason string `json:"reason"`
}

// progress is what is remembered of a run, in the database at the end of every
// segment.
type progress struct {
	Bytes    int64     `json:"bytes"`
	Line     int64     `json:"line"`
	Rows     int64     `json:"rows"`
	Imported int64     `json:"imported"`
	Skipped  int64     `json:"skipped"`
	Bad      int64     `json:"bad"`
	BadLines []BadLine `json:"bad_lines,omitempty"`
}

// format is how a register's file is read.
type format struct {
	required []string
	// company makes a company of a row. It returns errSkip for rows that are not
	// wanted; other errors are bad rows.
	company func(fields) (Company, error)
}

// errSkip is returned for a row that is not wanted.
var errSkip = errors.New("not wanted")

// Import takes in one edition of a register from r, unpacked, and switches it in
// when all of it has been read. Until then, and after any failure, the companies
// of the edition before are found. Memory does not grow with the file. An import
// that was interrupted goes on near where it stopped when it is called again with
// the same file; it may run beside the serving program.
func Import(ctx context.Context, d *db.DB, source Source, r io.Reader, o Options) (Report, error) {
	im, err := newImporter(d, source, r, o)
	if err != nil {
		return Report{Source: source, BadLines: []BadLine{}}, err
	}
	err = im.run(ctx)
	if errors.Is(err, ErrBadRows) || errors.Is(err, ErrShrunk) || errors.Is(err, ErrNotThisFile) {
		err = errors.Join(err, im.giveUp(ctx))
	}
	return im.report(), err
}

// ImportFile is Import for the file at path, and for Sirene the one at
// establishments unless that is empty. Both may be packed; see Open.
func ImportFile(ctx context.Context, d *db.DB, source Source, path, establishments string, o Options) (Report, error) {
	f, err := Open(path)
	if err != nil {
		return Report{Source: source, BadLines: []BadLine{}}, err
	}
	defer f.Close()
	o.Size, o.PackedSize = f.Size, f.PackedSize
	if establishments != "" {
		e, err := Open(establishments)
		if err != nil {
			return Report{Source: source, BadLines: []BadLine{}}, err
		}
		defer e.Close()
		o.Establishments = e
	}
	return Import(ctx, d, source, f, o)
}

type importer struct {
	db      *db.DB
	options Options
	clock   clock.Clock
	started time.Time
	csv     *csvReader
	format  format
	state   state
	writer  *writer

	resumed, first      int64 // rows, when this run began
	switched, unchanged bool
}

func newImporter(d *db.DB, source Source, r io.Reader, o Options) (*importer, error) {
	im := &importer{db: d, options: o, clock: o.Clock, state: state{source: source}}
	if im.clock == nil {
		im.clock = clock.System{}
	}
	im.started = im.clock.Now()
	switch source {
	case CompaniesHouse:
		im.format = companiesHouseFormat()
	case Sirene:
		f, err := sireneFormat(o.Establishments)
		if err != nil {
			return nil, err
		}
		im.format = f
	case GLEIF:
		im.format = gleifFormat()
	default:
		return nil, fmt.Errorf("%w: %q", ErrUnknownSource, source)
	}
	br := bufio.NewReaderSize(r, 1<<20)
	start, err := br.Peek(1 << 20)
	if err != nil && err != io.EOF {
		return nil, err
	}
	// The start of the file, its length and how it is read tell files apart.
	h := sha256.New()
	fmt.Fprintf(h, "%s %d %d %v\n", source, o.Size, o.PackedSize, o.Establishments != nil)
	h.Write(start)
	im.state.fingerprint = hex.EncodeToString(h.Sum(nil))
	im.csv = newCSVReader(br)
	return im, nil
}

func (im *importer) run(ctx context.Context) error {
	columns, err := im.header()
	if err != nil {
		return err
	}
	if err := im.begin(ctx); err != nil || im.unchanged {
		return err
	}
	if err := sweep(ctx, im.db, im.state.source); err != nil {
		return err
	}
	if p := im.state.progress; p.Rows > 0 {
		if err := im.csv.skipTo(p.Bytes, p.Line); err != nil {
			return err
		}
	}
	im.writer = newWriter(im.state.source, im.state.generation, im.fenced)
	if im.options.segmentSize > 0 {
		im.writer.size = im.options.segmentSize
	}
	if err := im.rows(ctx, columns); err != nil {
		return err
	}
	if err := im.switchIn(ctx); err != nil {
		return err
	}
	if !im.options.noDelay {
		select {
		case <-time.After(sweepDelay):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return sweep(ctx, im.db, im.state.source)
}

func (im *importer) header() (fields, error) {
	names, _, err := im.csv.next()
	if err == io.EOF || errors.Is(err, errMalformed) {
		return fields{}, fmt.Errorf("%w: it has no header", ErrNotThisFile)
	}
	if err != nil {
		return fields{}, err
	}
	return header(names, im.format.required)
}

// begin claims the source. An interrupted run of the same file is taken up.
func (im *importer) begin(ctx context.Context) error {
	return im.db.Write(ctx, func(tx *db.Tx) error {
		st, err := lockState(ctx, tx, im.state.source, db.Micros(im.started))
		if err != nil {
			return err
		}
		same := st.fingerprint == im.state.fingerprint
		if same && st.state == "done" && !im.options.Force {
			im.state, im.unchanged = st, true
			return nil
		}
		forget := discard
		if same && st.state == "running" {
			forget = dropLoading
		} else {
			st.generation++
			st.progress = progress{}
		}
		st.run, st.state, st.fingerprint = st.run+1, "running", im.state.fingerprint
		im.state = st
		im.resumed, im.first = st.progress.Rows, st.progress.Rows
		if _, err := tx.Exec(ctx, forget, string(st.source)); err != nil {
			return err
		}
		return st.save(ctx, tx, db.Micros(im.started))
	})
}

const stillMine db.SQL = `UPDATE company_imports SET updated_at = $3 WHERE source = $1 AND run = $2`

// fenced runs f in a transaction of its own, unless a later run has begun.
func (im *importer) fenced(ctx context.Context, f func(tx *db.Tx) error) error {
	return im.db.Write(ctx, func(tx *db.Tx) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := tx.Exec(ctx, stillMine, string(im.state.source), im.state.run, db.Micros(im.clock.Now()))
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrOvertaken
		}
		return f(tx)
	})
}

// rows reads the file to its end.
func (im *importer) rows(ctx context.Context, row fields) error {
	p := &im.state.progress
	for {
		values, line, err := im.csv.next()
		if err == io.EOF {
			return im.finishSegment(ctx)
		}
		if err != nil && !errors.Is(err, errMalformed) {
			return err
		}
		p.Rows++
		var c Company
		if err == nil {
			row.values = values
			c, err = im.company(row)
		}
		switch {
		case err == nil:
			p.Imported++
			full, err := im.writer.add(ctx, c)
			if err == nil && full {
				err = im.finishSegment(ctx)
			}
			if err != nil {
				return err
			}
		case errors.Is(err, errSkip):
			p.Skipped++
		default:
			p.Bad++
			if len(p.BadLines) < maxBadLines {
				p.BadLines = append(p.BadLines, BadLine{line, err.Error()})
			}
		}
		if err := im.step(); err != nil {
			return err
		}
	}
}

// step reports the progress now and then, and does not go on for hours with a
// file that is of no use.
func (im *importer) step() error {
	p := &im.state.progress
	if im.options.Progress != nil && p.Rows%10_000 == 0 {
		im.options.Progress(im.progress())
	}
	if p.Rows%50_000 == 0 {
		return p.usable()
	}
	return nil
}

// company makes a company of a row that passes what holds for every register.
func (im *importer) company(row fields) (Company, error) {
	if len(row.values) != row.width {
		return Company{}, fmt.Errorf("%d values for %d columns", len(row.values), row.width)
	}
	c, err := im.format.company(row)
	switch {
	case err != nil:
	case c.Name == "":
		err = errors.New("the company has no name")
	case len(c.Name) > maxNameBytes:
		err = fmt.Errorf("the name has %d bytes", len(c.Name))
	}
	return c, err
}

// finishSegment writes the segment and, with it, how far the file has been read.
func (im *importer) finishSegment(ctx context.Context) error {
	im.state.progress.Bytes, im.state.progress.Line = im.csv.offset, im.csv.line
	err := im.writer.finish(ctx, func(tx *db.Tx) error {
		return im.state.save(ctx, tx, db.Micros(im.clock.Now()))
	})
	if err != nil {
		return err
	}
	return im.state.progress.usable()
}

// usable refuses a file of which too much cannot be read.
func (p progress) usable() error {
	if p.Bad*100 > p.Rows*maxBadPercent {
		return fmt.Errorf("%w: %d of %d", ErrBadRows, p.Bad, p.Rows)
	}
	return nil
}

// switchIn makes the new generation the one that is searched.
func (im *importer) switchIn(ctx context.Context) error {
	if im.state.progress.Imported == 0 {
		return fmt.Errorf("%w: it has no companies", ErrShrunk)
	}
	source, done := string(im.state.source), im.state
	done.state = "done"
	err := im.fenced(ctx, func(tx *db.Tx) error {
		var live, ready int64
		if err := tx.Get(ctx, sumLive, []any{source}, &live); err != nil {
			return err
		}
		if err := tx.Get(ctx, sumReady, []any{source, done.generation}, &ready); err != nil {
			return err
		}
		if ready*2 < live && !im.options.Force {
			return fmt.Errorf("%w: %d, not %d", ErrShrunk, ready, live)
		}
		tx.Queue(retireLive, source)
		tx.Queue(switchIn, source, done.generation)
		return done.save(ctx, tx, db.Micros(im.clock.Now()))
	})
	if err != nil {
		return err
	}
	im.state, im.switched = done, true
	return im.analyze(ctx)
}

const (
	analyzeCompanies  db.SQL = `ANALYZE companies`
	analyzeWords      db.SQL = `ANALYZE company_words`
	analyzeVocabulary db.SQL = `ANALYZE company_vocabulary`
)

// analyze tells PostgreSQL's planner about the new rows before it would look by
// itself. SQLite plans the statements of the search well without.
func (im *importer) analyze(ctx context.Context) error {
	if im.db.Engine() != db.Postgres {
		return nil
	}
	return im.db.Write(ctx, func(tx *db.Tx) error {
		tx.Queue(analyzeCompanies)
		tx.Queue(analyzeWords)
		tx.Queue(analyzeVocabulary)
		return nil
	})
}

// giveUp forgets what was read of a file that is no good.
func (im *importer) giveUp(ctx context.Context) error {
	if im.state.run == 0 {
		return nil
	}
	failed := im.state
	failed.state = "failed"
	err := im.fenced(ctx, func(tx *db.Tx) error {
		tx.Queue(discard, string(failed.source))
		return failed.save(ctx, tx, db.Micros(im.clock.Now()))
	})
	if err != nil {
		return err
	}
	return sweep(ctx, im.db, failed.source)
}

func (im *importer) progress() Progress {
	p := Progress{Rows: im.state.progress.Rows, Bytes: im.csv.offset, Size: im.options.Size}
	if took := im.clock.Now().Sub(im.started); took > 0 {
		p.RowsPerSecond = int64(time.Duration(p.Rows-im.first) * time.Second / took)
	}
	return p
}

func (im *importer) report() Report {
	p := im.state.progress
	r := Report{
		Source: im.state.source, Generation: im.state.generation, Switched: im.switched, Unchanged: im.unchanged,
		ResumedAt: im.resumed, Rows: p.Rows, Imported: p.Imported, Skipped: p.Skipped, Bad: p.Bad,
		BadLines: p.BadLines, Bytes: p.Bytes, Seconds: int64(im.clock.Now().Sub(im.started) / time.Second),
	}
	if r.BadLines == nil {
		r.BadLines = []BadLine{}
	}
	return r
}
