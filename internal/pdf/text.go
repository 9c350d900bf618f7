package pdf

import (
	"encoding/binary"
	"errors"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// coverage is which characters a font has.
type coverage struct{ starts, ends []uint16 }

// coverageOf reads the table of characters of a TrueType font: of the one for
// Unicode in two bytes (platform 3, encoding 1, format 4).
func coverageOf(font []byte) (*coverage, error) {
	table := tableOf(font, "cmap")
	if len(table) < 4 {
		return nil, errors.New("no table of characters")
	}
	for i := range int(binary.BigEndian.Uint16(table[2:])) {
		if len(table) < 4+8*(i+1) {
			break
		}
		entry := table[4+8*i:]
		at := int(binary.BigEndian.Uint32(entry[4:]))
		if binary.BigEndian.Uint16(entry) != 3 || binary.BigEndian.Uint16(entry[2:]) != 1 || at+14 > len(table) {
			continue
		}
		sub := table[at:]
		n := int(binary.BigEndian.Uint16(sub[6:])) / 2
		if binary.BigEndian.Uint16(sub) != 4 || len(sub) < 16+4*n {
			continue
		}
		c := &coverage{}
		for s := range n {
			c.ends = append(c.ends, binary.BigEndian.Uint16(sub[14+2*s:]))
			c.starts = append(c.starts, binary.BigEndian.Uint16(sub[16+2*n+2*s:]))
		}
		return c, nil
	}
	return nil, errors.New("no table of Unicode characters")
}

// tableOf finds a table of a TrueType font; nil when there is none.
func tableOf(font []byte, tag string) []byte {
	if len(font) < 12 {
		return nil
	}
	for i := range int(binary.BigEndian.Uint16(font[4:])) {
		if len(font) < 12+16*(i+1) {
			return nil
		}
		entry := font[12+16*i:]
		at, n := int(binary.BigEndian.Uint32(entry[8:])), int(binary.BigEndian.Uint32(entry[12:]))
		if string(entry[:4]) == tag && at+n <= len(font) {
			return font[at : at+n]
		}
	}
	return nil
}

func (c *coverage) has(r rune) bool {
	if r <= 0 || r >= 0xFFFF {
		return false
	}
	for i := range c.ends {
		if rune(c.ends[i]) >= r {
			return rune(c.starts[i]) <= r
		}
	}
	return false
}

// shown is text as the fonts can show it: composed, on one line, without what
// turns the direction of writing, and with question marks for what they lack.
func (d *Document) shown(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r), unicode.IsControl(r):
			return ' '
		case unicode.Is(unicode.Cf, r):
			return -1
		case d.has(r):
			return r
		}
		// Better the letter without its accents than no letter.
		if base := []rune(norm.NFKD.String(string(r)))[0]; d.has(base) {
			return base
		}
		return '?'
	}, norm.NFC.String(text))
}

func (d *Document) has(r rune) bool { return d.fonts[""].has(r) && d.fonts["B"].has(r) }

// wrap breaks text into lines of at most a width in the present font: between
// words, or within one that is too long for a line. There is at least one line.
func (d *Document) wrap(text string, w float64) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(d.shown(text)) {
		joined := strings.TrimSpace(line + " " + word)
		if d.f.GetStringWidth(joined) <= w {
			line = joined
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for d.f.GetStringWidth(word) > w {
			part := d.prefix(word, w)
			lines = append(lines, part)
			word = word[len(part):]
		}
		line = word
	}
	if line != "" || len(lines) == 0 {
		lines = append(lines, line)
	}
	return lines
}

// prefix is as much of a word as fits into a width; one character at least.
func (d *Document) prefix(word string, w float64) string {
	end := 0
	for i, r := range word {
		next := i + len(string(r))
		if end > 0 && d.f.GetStringWidth(word[:next]) > w {
			break
		}
		end = next
	}
	return word[:end]
}

// fit cuts text off to fit into a width.
func (d *Document) fit(text string, w float64) string {
	text = d.shown(text)
	if d.f.GetStringWidth(text) <= w {
		return text
	}
	return strings.TrimSpace(d.prefix(text, w-d.f.GetStringWidth("…"))) + "…"
}
