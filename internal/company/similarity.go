package company

import (
	"slices"
	"unicode/utf8"
)

// distance counts the letters to be inserted, removed, replaced or swapped with
// their neighbour to make b of a. It gives up above limit and returns limit+1.
func distance(a, b string, limit int) int {
	if ascii(a) && ascii(b) {
		return editDistance([]byte(a), []byte(b), limit)
	}
	return editDistance([]rune(a), []rune(b), limit)
}

func editDistance[T byte | rune](a, b []T, limit int) int {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for len(a) > 0 && len(b) > 0 && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > limit || len(b) > maxKeyRunes {
		return limit + 1
	}
	if len(a) == 0 {
		return len(b)
	}
	var rows [3][maxKeyRunes + 1]int
	before, last, row := &rows[0], &rows[1], &rows[2]
	for j := 0; j <= len(a); j++ {
		last[j] = j
	}
	for i := 1; i <= len(b); i++ {
		row[0] = i
		best := i
		for j := 1; j <= len(a); j++ {
			cost := 1
			if b[i-1] == a[j-1] {
				cost = 0
			}
			v := min(row[j-1]+1, last[j]+1, last[j-1]+cost)
			if i > 1 && j > 1 && b[i-1] == a[j-2] && b[i-2] == a[j-1] {
				v = min(v, before[j-2]+1)
			}
			row[j] = v
			best = min(best, v)
		}
		if best > limit {
			return limit + 1
		}
		before, last, row = last, row, before
	}
	return min(last[len(a)], limit+1)
}

// Scores of a name, in thousandths. A name that is not written the same never
// scores above scoreSimilar.
const (
	scoreExact     = 1000 // the same words, legal form included
	scoreKey       = 980  // the same but for the legal form
	scoreSimilar   = 950
	scoreContained = 600 // all words of the query are words of the name, and more
	scoreGood      = 850 // good enough not to look for misspellings
	scoreAccepted  = 600
)

// query is a name to compare others with.
type query struct {
	all   []string // every word, legal form included
	words []string
	key   string
	runes int
}

func newQuery(name string) query {
	q := query{all: fold(name), words: queryWords(name)}
	q.key = nameKey(q.words)
	q.runes = utf8.RuneCountInString(q.key)
	return q
}

// queryWords is words with an eye for a misspelt legal form, which no register
// contains.
func queryWords(name string) []string {
	w := words(name)
	if n := len(w); n > 1 && (distance(w[n-1], "limited", 1) <= 1 || distance(w[n-1], "gmbh", 1) <= 1 && len(w[n-1]) > 2) {
		w = w[:n-1]
	}
	return w
}

// score compares the query with a name, in thousandths. complete tells that the
// name has every word of the query.
func (q query) score(name string) (score int, complete bool) {
	w := words(name)
	key := nameKey(w)
	if key == q.key {
		if slices.Equal(q.all, fold(name)) {
			return scoreExact, true
		}
		return scoreKey, true
	}
	n := utf8.RuneCountInString(key)
	longer := max(n, q.runes)
	if longer == 0 {
		return 0, false
	}
	similar := 0
	// Beyond 40 % of difference nobody is interested.
	if d := distance(q.key, key, longer*2/5); d <= longer*2/5 {
		similar = scoreSimilar * (longer - d) / longer
	}
	contained, complete := q.contained(w, n)
	return max(similar, contained), complete
}

// contained scores a name that has all words of the query: the more of the name
// they make up, the better; a misspelt word counts for less.
func (q query) contained(w []string, runes int) (score int, complete bool) {
	missed := 0
	for i, asked := range q.words {
		best := 2
		for _, have := range w {
			switch {
			case have == asked:
				best = 0
			case best > 1 && nearly(asked, have):
				best = 1
			case best > 1 && i == len(q.words)-1 && len(asked) >= 3 && len(have) > len(asked) && have[:len(asked)] == asked:
				best = 1
			}
			if best == 0 {
				break
			}
		}
		if best == 2 {
			return 0, false
		}
		missed += best
	}
	if len(q.words) == 0 || runes == 0 {
		return 0, false
	}
	return scoreContained + 300*min(q.runes, runes)/max(q.runes, runes) - 40*missed, missed == 0
}

// nearly tells whether one slip of the pen lies between two words. Words of less
// than four letters are too like one another for that.
func nearly(a, b string) bool {
	return len(a) >= 4 && len(b) >= 4 && distance(a, b, 1) <= 1
}
