package company

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Bounds of what is read of a name.
const (
	maxNameRunes = 200
	maxWords     = 12
	maxWordRunes = 32
	maxKeyRunes  = 64
)

// words returns what a name is compared by: its words in lower case, without
// accents, punctuation, legal forms, and the words for "and". A name made of
// nothing else keeps them all.
func words(name string) []string {
	all := fold(name)
	kept := dropNoise(all)
	kept = dropTail(kept)
	kept = dropHead(kept)
	if len(kept) == 0 {
		kept = all
	}
	return kept[:min(len(kept), maxWords)]
}

// nameKey joins words without spaces: "A B C", "A.B.C." and "ABC" are one name.
func nameKey(words []string) string {
	key := strings.Join(words, "")
	if len(key) <= maxKeyRunes {
		return key
	}
	return truncate(key, maxKeyRunes)
}

func truncate(s string, runes int) string {
	n := 0
	for i := range s {
		if n == runes {
			return s[:i]
		}
		n++
	}
	return s
}

// folder splits a name into words.
type folder struct {
	out   []string
	word  strings.Builder
	runes int // of the word
	part  int // of the word since its last dot
}

// fold returns the words of s in lower case without accents. Apostrophes vanish,
// and so do the dots between single letters (S.A.R.L.), which separate
// otherwise (amazon.com).
func fold(s string) []string {
	s = truncate(s, maxNameRunes)
	if !ascii(s) {
		s = norm.NFKD.String(strings.ToValidUTF8(s, " "))
	}
	var f folder
	for _, r := range s {
		f.rune(r)
	}
	f.end()
	return f.out
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func (f *folder) rune(r rune) {
	switch {
	case r >= 'A' && r <= 'Z':
		f.letter(r + 'a' - 'A')
	case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
		f.letter(r)
	case r == '\'' || r == '’' || r == '‘' || r == '`' || r == '´' || unicode.Is(unicode.Mn, r):
	case (r == '.' || r == '/') && f.part == 1:
		f.part = 0
	case r >= utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)):
		if s, ok := spelled[unicode.ToLower(r)]; ok {
			for _, r := range s {
				f.letter(r)
			}
			return
		}
		f.letter(unicode.ToLower(r))
	default:
		f.end()
	}
}

func (f *folder) letter(r rune) {
	if f.runes < maxWordRunes {
		f.word.WriteRune(r)
	}
	f.runes++
	f.part++
}

func (f *folder) end() {
	if f.runes > 0 && len(f.out) < 2*maxWords {
		f.out = append(f.out, f.word.String())
	}
	f.word.Reset()
	f.runes, f.part = 0, 0
}

// spelled are letters that decomposition leaves alone.
var spelled = map[rune]string{
	'ß': "ss", 'æ': "ae", 'œ': "oe", 'ø': "o", 'ł': "l", 'đ': "d", 'ð': "d", 'þ': "th", 'ı': "i", 'ħ': "h",
}

// noise are the words for "and".
var noise = set("and und et")

func dropNoise(in []string) []string {
	out := make([]string, 0, len(in))
	for _, w := range in {
		if !noise[w] {
			out = append(out, w)
		}
	}
	return out
}

// dropTail removes legal forms from the end, however many there are ("GmbH & Co
// KG"), as long as a word is left.
func dropTail(in []string) []string {
	for {
		n := tailForm(in)
		if n == 0 || n >= len(in) {
			return in
		}
		in = in[:len(in)-n]
	}
}

// tailForm tells how many words at the end are a legal form.
func tailForm(in []string) int {
	for n := min(len(in), maxFormWords); n > 1; n-- {
		if longForms[strings.Join(in[len(in)-n:], " ")] {
			return n
		}
	}
	if len(in) > 0 && forms[in[len(in)-1]] {
		return 1
	}
	return 0
}

func dropHead(in []string) []string {
	if len(in) > 1 && in[0] == "the" {
		in = in[1:]
	}
	if len(in) > 1 && leadingForms[in[0]] {
		in = in[1:]
	}
	return in
}

// forms are legal forms of one word that end a name.
var forms = set(`ltd limited plc llp lp cic cio co inc incorporated corp corporation llc lllp
	sa sas sasu sarl eurl sci snc scs sca selarl selas scop gie scea earl gaec
	gmbh ag kg kgaa ohg gbr ug mbh ev eg se aktiengesellschaft kommanditgesellschaft haftungsbeschrankt
	sl slu slp slne sau sc scl srl srls spa sapa sagl scarl scpa onlus
	bv nv vof cv cvba bvba sprl sprlu scrl scri asbl vzw comm commv
	dac clg uc teo teoranta ab oy oyj as aps asa`)

// leadingForms begin French names.
var leadingForms = set("sarl sas sasu eurl sci snc selarl selas earl gaec scea")

const maxFormWords = 6

// longForms are legal forms of several words.
var longForms = lines(`public limited company
private limited company
private company limited by shares
private limited
company limited by guarantee
company limited by shares
limited liability partnership
limited liability company
limited partnership
limited company
designated activity company
unlimited company
community interest company
charitable incorporated organisation
societe anonyme
societe par actions simplifiee
societe par actions simplifiee unipersonnelle
societe a responsabilite limitee
societe civile immobiliere
societe en nom collectif
entreprise unipersonnelle a responsabilite limitee
gesellschaft mit beschrankter haftung
gesellschaft burgerlichen rechts
offene handelsgesellschaft
eingetragene genossenschaft
eingetragener verein
sociedad anonima
sociedad limitada
sociedad limitada unipersonal
sociedad de responsabilidad limitada
societa per azioni
societa a responsabilita limitata
societa a responsabilita limitata semplificata
societa in nome collettivo
societa in accomandita semplice
besloten vennootschap
naamloze vennootschap
sa rl
s a
s l
s r l
s p a
b v
n v
a s
s a r l
s a s`)

func set(text string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(text) {
		out[w] = true
	}
	return out
}

func lines(text string) map[string]bool {
	out := map[string]bool{}
	for l := range strings.Lines(text) {
		out[strings.TrimSpace(l)] = true
	}
	return out
}
