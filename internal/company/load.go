package company

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"
	"maps"
	"slices"
	"strings"

	"tradecredit/internal/db"
)

// Source is where companies come from.
type Source string

// The sources.
const (
	SourceSandbox  Source = "sandbox"
	CompaniesHouse Source = "companies-house"
	Sirene         Source = "sirene"
	GLEIF          Source = "gleif"
)

// precedence orders the sources that know the same company: the smallest speaks
// for it.
func (s Source) precedence() int64 {
	switch s {
	case SourceSandbox:
		return 1
	case GLEIF:
		return 9
	}
	return 5
}

// How much is written in one transaction. An import shares the database with
// the running program, which must not wait long for its turn.
const (
	rowsAtOnce   = 2_000
	wordsAtOnce  = 4_000
	maxSeenWords = 1_000_000
)

const (
	insertSegment db.SQL = `INSERT INTO company_segments (id, source, generation, precedence, country, state, companies)
		SELECT COALESCE(MAX(id), 0) + 1, $1, $2::bigint, $3::bigint, '', 'loading', 0 FROM company_segments RETURNING id`
	insertCompanies db.SQL = `INSERT INTO companies (n, segment, id, country, number_key, name_key, name, data)
		SELECT u.n, u.segment, u.id, u.country, u.number_key, u.name_key, u.name, u.data
		FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[]) AS u(
			n, segment, id, country, number_key, name_key, name, data)`
	insertWord db.SQL = `INSERT INTO company_words (segment, country, word, companies, places)
		VALUES ($1, $2, $3, $4, $5)`
	insertVocabulary db.SQL = `INSERT INTO company_vocabulary (country, length, word)
		SELECT u.country, u.length, u.word FROM unnest($1::text[], $2::bigint[], $3::text[]) AS u(country, length, word)
		WHERE TRUE ON CONFLICT DO NOTHING`
	finishSegment db.SQL = `UPDATE company_segments SET state = 'ready', country = $2, companies = $3 WHERE id = $1`

	retireLive db.SQL = `UPDATE company_segments SET state = 'old' WHERE source = $1 AND state = 'live'`
	switchIn   db.SQL = `UPDATE company_segments SET state = 'live'
		WHERE source = $1 AND state = 'ready' AND generation = $2`
	discard     db.SQL = `UPDATE company_segments SET state = 'old' WHERE source = $1 AND state IN ('loading', 'ready')`
	dropLoading db.SQL = `UPDATE company_segments SET state = 'old' WHERE source = $1 AND state = 'loading'`
	sumLive     db.SQL = `SELECT COALESCE(SUM(companies), 0)::bigint FROM company_segments WHERE source = $1 AND state = 'live'`
	sumReady    db.SQL = `SELECT COALESCE(SUM(companies), 0)::bigint FROM company_segments
		WHERE source = $1 AND state = 'ready' AND generation = $2`

	claimSource db.SQL = `INSERT INTO company_imports (source, run, generation, fingerprint, state, progress, updated_at)
		VALUES ($1, 0, 0, '', 'new', '{}', $2) ON CONFLICT (source) DO NOTHING`
	lockSource db.SQL = `SELECT run, generation, fingerprint, state, progress FROM company_imports WHERE source = $1 FOR UPDATE`
	saveSource db.SQL = `UPDATE company_imports
		SET run = $2, generation = $3, fingerprint = $4, state = $5, progress = $6, updated_at = $7 WHERE source = $1`
)

// ErrOvertaken is returned to an import when another one of the same source has
// begun since.
var ErrOvertaken = errors.New("another import of this source has begun")

// transact runs f in a transaction: its own each time for an import, the one
// around everything for Load.
type transact func(ctx context.Context, f func(tx *db.Tx) error) error

// writer fills segments with one generation of a source.
type writer struct {
	source     Source
	generation int64
	size       int64 // companies in a segment
	write      transact
	seen       map[uint64]struct{} // words known to be in the vocabulary
	seed       maphash.Seed
	segment    *segment
}

// wordKey is a word of the names of a country.
type wordKey struct{ country, word string }

// segment is what is known of the segment being written until it is finished.
type segment struct {
	id        int64
	companies int64
	countries map[string]bool
	words     map[wordKey]*places
	rows      columns
}

// columns are rows waiting to be written.
type columns struct {
	n, segment                               []int64
	id, country, number, nameKey, name, data []string
}

func (w *writer) begin(ctx context.Context) error {
	s := &segment{countries: map[string]bool{}, words: map[wordKey]*places{}}
	err := w.write(ctx, func(tx *db.Tx) error {
		return tx.Get(ctx, insertSegment, []any{string(w.source), w.generation, w.source.precedence()}, &s.id)
	})
	w.segment = s
	return err
}

// add puts a company into the current segment, beginning one when there is none.
// It tells whether the segment is full; the caller then finishes it.
func (w *writer) add(ctx context.Context, c Company) (full bool, err error) {
	if w.segment == nil {
		if err := w.begin(ctx); err != nil {
			return false, err
		}
	}
	s := w.segment
	for _, name := range append([]string{c.Name}, c.Aliases...) {
		if err := s.add(c, name); err != nil {
			return false, err
		}
	}
	if len(s.rows.n) >= rowsAtOnce {
		if err := w.flush(ctx); err != nil {
			return false, err
		}
	}
	return s.companies >= w.size, nil
}

func (s *segment) add(c Company, name string) error {
	data, err := c.encode(name)
	if err != nil {
		return err
	}
	place := s.companies
	s.companies++
	s.countries[c.Country] = true
	w := words(name)
	distinct := slices.Compact(slices.Sorted(slices.Values(w)))
	for _, word := range distinct {
		k := wordKey{c.Country, word}
		p := s.words[k]
		if p == nil {
			// The word is part of the name; a copy does not keep that alive.
			k.word = strings.Clone(word)
			p = &places{}
			s.words[k] = p
		}
		p.add(place, len(distinct))
	}
	r := &s.rows
	r.n = append(r.n, s.id<<placeBits|place)
	r.segment = append(r.segment, s.id)
	r.id = append(r.id, c.ID)
	r.country = append(r.country, c.Country)
	r.number = append(r.number, NumberKey(c.Country, c.Number()))
	r.nameKey = append(r.nameKey, nameKey(w))
	r.name = append(r.name, name)
	r.data = append(r.data, data)
	return nil
}

func (w *writer) flush(ctx context.Context) error {
	r := &w.segment.rows
	err := w.write(ctx, func(tx *db.Tx) error {
		_, err := tx.Many(ctx, insertCompanies, r.n, r.segment, r.id, r.country, r.number, r.nameKey, r.name, r.data)
		return err
	})
	r.n, r.segment = r.n[:0], r.segment[:0]
	r.id, r.country, r.number = r.id[:0], r.country[:0], r.number[:0]
	r.nameKey, r.name, r.data = r.nameKey[:0], r.name[:0], r.data[:0]
	return err
}

// finish writes what is left of the segment. also runs in the transaction that
// declares it ready.
func (w *writer) finish(ctx context.Context, also func(tx *db.Tx) error) error {
	s := w.segment
	if s == nil {
		return w.write(ctx, also)
	}
	if err := w.flush(ctx); err != nil {
		return err
	}
	keys := slices.SortedFunc(maps.Keys(s.words), func(a, b wordKey) int {
		if a.country != b.country {
			return strings.Compare(a.country, b.country)
		}
		return strings.Compare(a.word, b.word)
	})
	for chunk := range slices.Chunk(keys, wordsAtOnce) {
		if err := w.writeWords(ctx, chunk); err != nil {
			return err
		}
	}
	country := ""
	if len(s.countries) == 1 {
		country = slices.Collect(maps.Keys(s.countries))[0]
	}
	w.segment = nil
	return w.write(ctx, func(tx *db.Tx) error {
		if _, err := tx.Exec(ctx, finishSegment, s.id, country, s.companies); err != nil {
			return err
		}
		return also(tx)
	})
}

func (w *writer) writeWords(ctx context.Context, keys []wordKey) error {
	var countries, spelled []string
	var lengths []int64
	for _, k := range keys {
		if w.isKnown(k) {
			continue
		}
		n := int64(len([]rune(k.word)))
		countries = append(countries, k.country, k.country)
		lengths = append(lengths, n, n)
		spelled = append(spelled, ">"+k.word, "<"+reversed(k.word))
	}
	return w.write(ctx, func(tx *db.Tx) error {
		for _, k := range keys {
			p := w.segment.words[k]
			tx.Queue(insertWord, w.segment.id, k.country, k.word, p.companies, p.packed)
		}
		_, err := tx.Many(ctx, insertVocabulary, countries, lengths, spelled)
		return err
	})
}

// isKnown remembers the words already in the vocabulary, as many as memory
// allows: writing one again does no harm.
func (w *writer) isKnown(k wordKey) bool {
	h := maphash.Comparable(w.seed, k)
	if _, ok := w.seen[h]; ok {
		return true
	}
	if len(w.seen) < maxSeenWords {
		w.seen[h] = struct{}{}
	}
	return false
}

func newWriter(source Source, generation int64, write transact) *writer {
	return &writer{source: source, generation: generation, size: segmentSize, write: write,
		seen: map[uint64]struct{}{}, seed: maphash.MakeSeed()}
}

// state is the row of a source in company_imports.
type state struct {
	source      Source
	run         int64
	generation  int64
	fingerprint string
	state       string // new, running, done, failed
	progress    progress
}

// lockState reads the row of a source, making it first, and keeps others from it
// until tx ends. now is in microseconds.
func lockState(ctx context.Context, tx *db.Tx, source Source, now int64) (state, error) {
	tx.Queue(claimSource, string(source), now)
	st := state{source: source}
	var progress string
	err := tx.Get(ctx, lockSource, []any{string(source)}, &st.run, &st.generation, &st.fingerprint, &st.state, &progress)
	if err != nil {
		return st, err
	}
	return st, json.Unmarshal([]byte(progress), &st.progress)
}

func (st state) save(ctx context.Context, tx *db.Tx, now int64) error {
	progress, err := json.Marshal(st.progress)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, saveSource, string(st.source), st.run, st.generation, st.fingerprint, st.state, string(progress), now)
	return err
}

// Load makes companies, at most a few thousand, the one generation of a source:
// all in one transaction, and nothing at all when that version is loaded
// already. Several processes may call it at once.
func Load(ctx context.Context, d *db.DB, source Source, version string, companies iter.Seq[Company]) error {
	err := d.Write(ctx, func(tx *db.Tx) error {
		st, err := lockState(ctx, tx, source, 0)
		if err != nil || st.state == "done" && st.fingerprint == version {
			return err
		}
		st = state{source: source, run: st.run + 1, generation: st.generation + 1, fingerprint: version, state: "done"}
		if _, err := tx.Exec(ctx, discard, string(source)); err != nil {
			return err
		}
		w := newWriter(source, st.generation, func(_ context.Context, f func(tx *db.Tx) error) error { return f(tx) })
		for c := range companies {
			if full, err := w.add(ctx, c); err != nil {
				return err
			} else if full {
				return fmt.Errorf("company: more than %d companies of source %s at once", w.size, source)
			}
			st.progress.Imported++
		}
		return w.finish(ctx, func(tx *db.Tx) error {
			tx.Queue(retireLive, string(source))
			tx.Queue(switchIn, string(source), st.generation)
			return st.save(ctx, tx, 0)
		})
	})
	if err != nil {
		return err
	}
	return sweep(ctx, d, source)
}
