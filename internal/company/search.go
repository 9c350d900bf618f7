package company

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"tradecredit/internal/db"
)

// A search asks the cheap and precise questions first and relaxes only when they
// find too little:
//
//  1. the registration number, exactly;
//  2. the name without spaces, exactly, and names that begin with it;
//  3. companies whose names have all the words, starting from the rarest;
//  4. the same after words that no register has were replaced by known ones that
//     differ by one slip of the pen;
//  5. when no name has them all: the same with every word replaceable, for a
//     slip that made another word.
//
// What was found is then compared with the query letter by letter, and only
// what is alike enough is returned.

// Query describes a company that is looked for. Country is its alpha-2 code; of
// Name and Number (its registration number) one at least must be given. Address
// decides between companies of like names.
type Query struct {
	Country string
	Name    string
	Number  string
	Address string
}

// Bounds of the work one search does.
const (
	// MaxMatches is the most that Search returns.
	MaxMatches     = 50
	maxHits        = 200_000 // companies that have the rarest word
	maxCandidates  = 64      // names compared letter by letter, for each stage
	maxCorrections = 16      // known words tried for a misspelt one
	maxExpanded    = 3       // words replaced in the last stage
	minCorrected   = 4       // letters that a word to be corrected has at least
)

// Search returns up to limit companies that the query may mean, the likeliest
// first: those with the registration number, then by likeness of the name. A
// query that names nothing finds nothing.
func Search(ctx context.Context, tx *db.Tx, q Query, limit int) ([]Match, error) {
	limit = min(max(limit, 1), MaxMatches)
	s := search{ctx: ctx, tx: tx, country: q.Country, query: newQuery(q.Name),
		found: map[string]candidate{}, precedence: map[int64]int64{}}
	if key := NumberKey(q.Country, q.Number); key != "" {
		if err := s.byNumber(key); err != nil {
			return nil, err
		}
	}
	if s.query.key != "" {
		if err := s.byName(); err != nil {
			return nil, err
		}
	}
	return s.matches(q, limit)
}

type search struct {
	ctx        context.Context
	tx         *db.Tx
	country    string
	query      query
	found      map[string]candidate // by id
	precedence map[int64]int64      // of segments
	best       int                  // the best score of a name so far
	complete   bool                 // a name was found that has every word of the query
}

type candidate struct {
	row
	number bool // found by its registration number
	score  int
}

// add compares a row's name and notes it. A company may be found more than once:
// by another name, or from another source.
func (s *search) add(r row, number bool) {
	c := candidate{row: r, number: number}
	if s.query.key != "" {
		var complete bool
		c.score, complete = s.query.score(r.name)
		s.best, s.complete = max(s.best, c.score), s.complete || complete
	}
	if known, ok := s.found[r.id]; ok {
		c.number, c.score = c.number || known.number, max(c.score, known.score)
		if known.precedence <= r.precedence {
			c.row = known.row
		}
	}
	s.found[r.id] = c
}

func (s *search) addAll(q db.SQL, args []any, number bool) error {
	rows, err := db.All(s.ctx, s.tx, q, args, scanRow)
	for _, r := range rows {
		if p, ok := s.precedence[r.n>>placeBits]; ok {
			r.precedence = p
		}
		s.add(r, number)
	}
	return err
}

func (s *search) byNumber(key string) error {
	return s.addAll(selectByNumber, []any{s.country, key}, true)
}

// highest sorts behind every letter.
const highest = "\U0010FFFF"

func (s *search) byName() error {
	key := s.query.key
	if err := s.addAll(selectByKey, []any{s.country, key}, false); err != nil {
		return err
	}
	if s.query.runes >= 3 {
		if err := s.addAll(selectByPrefix, []any{s.country, key, key + highest}, false); err != nil {
			return err
		}
	}
	groups, err := s.groups()
	if err != nil {
		return err
	}
	if err := s.byWords(groups); err != nil || s.complete || s.best >= scoreGood {
		return err
	}
	return s.expanded(groups)
}

// group is a word of the query and the known words it may stand for.
type group struct {
	word      string
	words     []string
	companies int64
	corrected bool
}

// groups looks the words of the query up. Words that no company has are replaced
// by their corrections, or left out when there are none.
func (s *search) groups() (known []group, err error) {
	distinct := slices.Compact(slices.Sorted(slices.Values(s.query.words)))
	counts, err := s.counts(distinct)
	if err != nil {
		return nil, err
	}
	for _, w := range distinct {
		if counts[w] > 0 {
			known = append(known, group{word: w, words: []string{w}, companies: counts[w]})
			continue
		}
		g, err := s.corrected(group{word: w})
		if err != nil {
			return nil, err
		}
		if len(g.words) > 0 {
			known = append(known, g)
		}
	}
	return known, nil
}

func (s *search) counts(words []string) (map[string]int64, error) {
	out := map[string]int64{}
	for _, args := range s.tx.Split(words) {
		_, err := db.All(s.ctx, s.tx, selectCounts, append([]any{s.country}, args...), func(r db.Rows) (none struct{}, err error) {
			var w string
			var n int64
			err = r.Scan(&w, &n)
			out[w] += n
			return none, err
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// corrected adds to a group the known words that differ from its own by one slip.
func (s *search) corrected(g group) (group, error) {
	g.corrected = true
	near, err := s.corrections(g.word)
	if err != nil || len(near) == 0 {
		return g, err
	}
	counts, err := s.counts(near)
	if err != nil {
		return g, err
	}
	near = slices.DeleteFunc(near, func(w string) bool { return counts[w] == 0 })
	slices.SortFunc(near, func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	for _, w := range near[:min(len(near), maxCorrections)] {
		g.words = append(g.words, w)
		g.companies += counts[w]
	}
	return g, nil
}

// corrections returns words of the vocabulary that are one slip away from word.
// A slip leaves the first half of a word or its last half as it was, so words
// that share either are looked through. The halves are short of the whole by one
// letter because a swap of two neighbours may touch both.
func (s *search) corrections(word string) ([]string, error) {
	n := utf8.RuneCountInString(word)
	if n < minCorrected {
		return nil, nil
	}
	front := ">" + truncate(word, n/2)
	back := "<" + truncate(reversed(word), n-1-n/2)
	rows, err := db.All(s.ctx, s.tx, selectVocabulary,
		[]any{s.country, n - 1, n, n + 1, front, front + highest, back, back + highest},
		func(r db.Rows) (w string, err error) {
			err = r.Scan(&w)
			return w, err
		})
	if err != nil {
		return nil, err
	}
	var out []string
	for _, w := range rows {
		known := w[1:]
		if w[0] == '<' {
			known = reversed(known)
		}
		if known != word && distance(word, known, 1) <= 1 {
			out = append(out, known)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func reversed(s string) string {
	r := []rune(s)
	slices.Reverse(r)
	return string(r)
}

// expanded is the last stage: a slip may have made another word that exists.
func (s *search) expanded(groups []group) error {
	slices.SortFunc(groups, func(a, b group) int { return cmp.Compare(a.companies, b.companies) })
	changed := false
	for i := range groups[:min(len(groups), maxExpanded)] {
		if groups[i].corrected {
			continue
		}
		g, err := s.corrected(groups[i])
		if err != nil {
			return err
		}
		changed = changed || len(g.words) > len(groups[i].words)
		groups[i] = g
	}
	if !changed {
		return nil
	}
	return s.byWords(groups)
}

// byWords finds companies whose names have a word of every group, beginning with
// the rarest. A group that would leave none is passed over: a name typed with a
// word too many is still found by the others.
func (s *search) byWords(groups []group) error {
	if len(groups) == 0 {
		return nil
	}
	groups = slices.Clone(groups)
	slices.SortFunc(groups, func(a, b group) int { return cmp.Compare(a.companies, b.companies) })
	var hits []hit
	for i, g := range groups {
		if i > 0 && len(hits) <= maxCandidates {
			break
		}
		var merged []hit
		for _, w := range g.words {
			lists, err := s.places(w)
			if err != nil {
				return err
			}
			if i == 0 {
				merged = append(merged, unpack(lists, maxHits-len(merged))...)
			} else {
				merged = append(merged, intersect(hits, lists)...)
			}
		}
		if len(g.words) > 1 {
			merged = union(merged)
		}
		if i == 0 || len(merged) > 0 {
			hits = merged
		}
	}
	return s.compare(nearest(hits, len(s.query.words), maxCandidates))
}

func (s *search) places(word string) ([]wordPlaces, error) {
	return db.All(s.ctx, s.tx, selectPlaces, []any{s.country, word}, func(r db.Rows) (p wordPlaces, err error) {
		var precedence int64
		err = r.Scan(&p.segment, &precedence, &p.packed)
		s.precedence[p.segment] = precedence
		return p, err
	})
}

// compare reads the companies of the hits.
func (s *search) compare(hits []hit) error {
	numbers := make([]int64, len(hits))
	for i, h := range hits {
		numbers[i] = h.n()
	}
	for _, args := range s.tx.Split(numbers) {
		if err := s.addAll(selectByPlace, args, false); err != nil {
			return err
		}
	}
	return nil
}

// matches orders what was found and drops what is not alike enough.
func (s *search) matches(q Query, limit int) ([]Match, error) {
	type ranked struct {
		candidate
		Company
		address int
	}
	var all []ranked
	for _, c := range s.found {
		if !c.number && c.score < scoreAccepted {
			continue
		}
		full, err := decode(c.id, s.country, c.name, c.data)
		if err != nil {
			return nil, err
		}
		all = append(all, ranked{c, full, addressScore(full, q.Address)})
	}
	slices.SortFunc(all, func(a, b ranked) int {
		return cmp.Or(
			before(a.number, b.number),
			cmp.Compare(b.score, a.score),
			cmp.Compare(b.address, a.address),
			before(a.Status == StatusActive, b.Status == StatusActive),
			cmp.Compare(len(a.Name), len(b.Name)),
			strings.Compare(a.Name, b.Name),
			strings.Compare(a.ID, b.ID),
		)
	})
	all = all[:min(limit, len(all))]
	out := make([]Match, len(all))
	var others []string // told by a source that another one may overrule
	for i, r := range all {
		confidence := Confidence(r.score)
		if r.number {
			confidence = 1000
		}
		out[i] = Match{r.Company, &confidence}
		if r.precedence > CompaniesHouse.precedence() {
			others = append(others, r.ID)
		}
	}
	if len(others) == 0 {
		return out, nil
	}
	told, err := GetMany(s.ctx, s.tx, others)
	for i := range out {
		if c, ok := told[out[i].ID]; ok {
			out[i].Company = c
		}
	}
	return out, err
}

// before orders true before false.
func before(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// addressScore is 2 when the address holds the company's postcode, plus 1 when
// it holds the town.
func addressScore(c Company, address string) int {
	if address == "" {
		return 0
	}
	score, have := 0, strings.Join(fold(address), "")
	if p := strings.Join(fold(c.Postcode), ""); p != "" && strings.Contains(have, p) {
		score += 2
	}
	if t := strings.Join(fold(c.City), ""); t != "" && strings.Contains(have, t) {
		score++
	}
	return score
}
