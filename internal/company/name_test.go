package company

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestWords(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Hokodo Ltd":                           "hokodo",
		"HOKODO LIMITED":                       "hokodo",
		"Hokodo Services Ltd.":                 "hokodo services",
		"  The   Dogfather,  PLC ":             "dogfather",
		"Smith & Sons LLP":                     "smith sons",
		"Smith and Sons":                       "smith sons",
		"J.P. Morgan & Co.":                    "jp morgan",
		"Sainsbury's":                          "sainsburys",
		"Écluse Menuiserie S.A.R.L.":           "ecluse menuiserie",
		"SARL Écluse":                          "ecluse",
		"S.à r.l. Étoile S.à r.l.":             "sa rl etoile",
		"Müller & Söhne GmbH & Co. KG":         "muller sohne",
		"Straßenbau Weiß AG":                   "strassenbau weiss",
		"Straßenbau UG (haftungsbeschränkt)":   "strassenbau",
		"Łódź Møbler A/S":                      "lodz mobler",
		"Peñalara S. L.":                       "penalara",
		"Peñalara, S.L.U.":                     "penalara",
		"Dell'Orto S.p.A.":                     "dellorto",
		"Van Oosten B.V.":                      "van oosten",
		"Knockrea Designated Activity Company": "knockrea",
		"Acme Public Limited Company":          "acme",
		"Acme Société par actions simplifiée":  "acme",
		"amazon.com Inc.":                      "amazon com",
		"3M":                                   "3m",
		"Limited Ltd":                          "limited",
		"SA":                                   "sa",
		"株式会社 日立":                              "株式会社 日立",
		"Ελληνική Εταιρεία ΑΕ":                 "ελληνικη εταιρεια αε",
		"":                                     "",
		"!!! — ???":                            "",
		"🚀🚀":                                   "",
		"e.on":                                 "eon",
		strings.Repeat("x", 100):               strings.Repeat("x", maxWordRunes),
		"\x00Nul\x00 Company\xff GmbH":         "nul company",
		"Private Company Limited By Shares Limited": "private company limited by shares",
	} {
		if got := strings.Join(words(name), " "); got != want {
			t.Errorf("words(%q) = %q, not %q", name, got, want)
		}
	}
}

func TestNameKeyIgnoresSpaces(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"A B C Ltd", "ABC Limited", "a.b.c.", "A-B C plc"} {
		if key := nameKey(words(name)); key != "abc" {
			t.Errorf("key of %q is %q", name, key)
		}
	}
	if key := nameKey(words(strings.Repeat("wörter ", 40))); utf8.RuneCountInString(key) != maxKeyRunes {
		t.Errorf("a long key has %d letters", utf8.RuneCountInString(key))
	}
}

func TestNumberKey(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ country, number, want string }{
		{"GB", "11215527", "11215527"}, {"GB", " 112 155 27 ", "11215527"},
		{"GB", "00445790", "445790"}, {"GB", "445790", "445790"},
		{"GB", "sc001234", "SC1234"}, {"GB", "SC 1234", "SC1234"}, {"GB", "GB11215527", "11215527"},
		{"FR", "552 100 554", "552100554"}, {"FR", "55210055400013", "552100554"}, {"FR", "FR 83 404833048", "404833048"},
		{"FR", "RCS Paris B 552 100 554", "552100554"}, {"FR", "005520135", "5520135"},
		{"DE", "HRB 012345", "HRB12345"}, {"DE", "hrb 12345 B", "HRB12345B"},
		{"ES", "ESB99000056", "B99000056"}, {"ES", "B-99000056", "B99000056"},
		{"IT", "IT00743110157", "743110157"}, {"BE", "BE 0403.170.701", "403170701"}, {"NL", "12345678", "12345678"},
		{"IE", "012345", "12345"}, {"GB", "000", ""}, {"GB", "", ""}, {"GB", "🚀\x00", ""},
		{"GB", strings.Repeat("9", 1000), strings.Repeat("9", maxNumber)},
	} {
		if got := NumberKey(c.country, c.number); got != c.want {
			t.Errorf("NumberKey(%s, %q) = %q, not %q", c.country, c.number, got, c.want)
		}
	}
	if ID("GB", "00445790") != ID("GB", "445790") || ID("GB", "445790") == ID("FR", "445790") {
		t.Error("ids do not follow country and number")
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b  string
		limit int
		want  int
	}{
		{"", "", 2, 0}, {"", "ab", 2, 2}, {"abc", "abc", 0, 0}, {"hokodo", "hokdo", 1, 1}, {"hokodo", "hkoodo", 1, 1},
		{"hokodo", "okodo", 1, 1}, {"hokodo", "hokodoo", 1, 1}, {"kitten", "sitting", 5, 3}, {"kitten", "sitting", 2, 3},
		{"müller", "mller", 1, 1}, {"abcdef", "ghijkl", 3, 4},
	} {
		if got := distance(c.a, c.b, c.limit); got != c.want {
			t.Errorf("distance(%q, %q, %d) = %d, not %d", c.a, c.b, c.limit, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.StringMatching(`[a-eé]{0,12}`).Draw(t, "a")
		b := rapid.StringMatching(`[a-eé]{0,12}`).Draw(t, "b")
		limit := rapid.IntRange(0, 12).Draw(t, "limit")
		if got, want := distance(a, b, limit), min(plainDistance([]rune(a), []rune(b)), limit+1); got != want {
			t.Fatalf("distance(%q, %q, %d) = %d, not %d", a, b, limit, got, want)
		}
	})
}

// plainDistance is the definition, without bounds or shortcuts.
func plainDistance(a, b []rune) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		for j := range d[i] {
			if i == 0 || j == 0 {
				d[i][j] = i + j
				continue
			}
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}

// TestOneSlipLeavesHalf is why corrections finds every word one slip away.
func TestOneSlipLeavesHalf(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := rapid.StringMatching(`[a-f]{4,14}`).Draw(t, "word")
		seed := rapid.Uint64().Draw(t, "seed")
		wrong := slip(rand.New(rand.NewPCG(seed, 1)), w)
		n := len(wrong)
		if n < minCorrected {
			return
		}
		front, back := wrong[:n/2], wrong[n-(n-1-n/2):]
		if !strings.HasPrefix(w, front) && !strings.HasSuffix(w, back) {
			t.Fatalf("%q for %q shares neither %q nor %q", wrong, w, front, back)
		}
	})
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		sets := make([][]hit, 2)
		packed := make([][]wordPlaces, 2)
		for i := range sets {
			for segment := int64(1); segment <= 3; segment++ {
				var p places
				place := int64(-1)
				for range rapid.IntRange(0, 20).Draw(t, "count") {
					place += int64(rapid.IntRange(1, 5).Draw(t, "step"))
					p.add(place, int(place)%11+1)
					sets[i] = append(sets[i], hit(segment<<placeBits|place)<<wordBits|hit(min(int(place)%11+1, maxCounted)-1))
				}
				packed[i] = append(packed[i], wordPlaces{segment, p.packed})
			}
		}
		clone := func(l []wordPlaces) []wordPlaces { return append([]wordPlaces(nil), l...) }
		if diff := cmp.Diff(sets[0], unpack(clone(packed[0]), 1000)); diff != "" {
			t.Fatal(diff)
		}
		var both []hit
		for _, h := range sets[0] {
			for _, o := range sets[1] {
				if h == o {
					both = append(both, h)
				}
			}
		}
		if diff := cmp.Diff(both, intersect(sets[0], clone(packed[1]))); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestNearest(t *testing.T) {
	t.Parallel()
	var hits []hit
	for place, words := range []int{8, 1, 3, 2, 3, 5, 2, 4, 20} {
		hits = append(hits, hit(place+1)<<wordBits|hit(min(words, maxCounted)-1))
	}
	var order []int64
	for _, h := range nearest(hits, 3, 8) {
		order = append(order, h.n())
	}
	// As many words, one more, one less or two more, two less, and then the rest.
	if diff := cmp.Diff([]int64{3, 5, 8, 4, 6, 7, 2, 1}, order); diff != "" {
		t.Error(diff)
	}
}

func TestConfidenceIsANumber(t *testing.T) {
	t.Parallel()
	for c, want := range map[Confidence]string{0: "0", 1000: "1", 980: "0.98", 605: "0.605", 7: "0.007"} {
		b, err := c.MarshalJSON()
		if err != nil || string(b) != want {
			t.Errorf("%d is %s, not %s", c, b, want)
		}
		var back Confidence
		if err := back.UnmarshalJSON(b); err != nil || back != c {
			t.Errorf("%s is read as %d: %v", b, back, err)
		}
	}
}
