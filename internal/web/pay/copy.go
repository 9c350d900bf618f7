package pay

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// table is the copy of one language: key → sentence with {names} in it.
type table map[string]string

// readTable reads and checks one file of web/locales.
func readTable(files fs.FS, language string) (table, error) {
	raw, err := fs.ReadFile(files, "locales/"+language+".json")
	if err != nil {
		return nil, err
	}
	var t table
	if err := json.Unmarshal(raw, &t); err != nil {
		return nil, fmt.Errorf("locales/%s.json: %w", language, err)
	}
	for key, sentence := range t {
		if strings.TrimSpace(sentence) == "" {
			return nil, fmt.Errorf("locales/%s.json: %q is empty", language, key)
		}
	}
	return t, nil
}

// words gives out copy for one rendering and remembers the keys it did not find, so that a page with a hole in it
// is an error and not a page.
type words struct {
	locale  *locale
	missing []string
}

// text answers the sentence of a key with {name} replaced by values, given as name, value, name, value. Values are
// put in once: a value that looks like a placeholder stays as it is.
func (w *words) text(key string, pairs ...string) string {
	sentence, ok := w.locale.table[key]
	if !ok {
		w.missing = append(w.missing, key)
		return ""
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		pairs[i] = "{" + pairs[i] + "}"
	}
	return strings.NewReplacer(pairs...).Replace(sentence)
}

// count is text for a number of things: key_one or key_other, with {n} filled in.
func (w *words) count(key string, n int, pairs ...string) string {
	form := "_other"
	if n == 1 {
		form = "_one"
	}
	return w.text(key+form, append(pairs, "n", strconv.Itoa(n))...)
}

// part is a piece of a sentence; with a URL it is a link.
type part struct {
	Text, URL string
}

// parts splits the sentence of a key at the named links, so that the template can write each as an anchor and
// escape everything by its place. A link without an address becomes its text.
func (w *words) parts(key string, links map[string]part, pairs ...string) []part {
	sentence := w.text(key)
	values := map[string]string{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values[pairs[i]] = pairs[i+1]
	}
	var out []part
	for sentence != "" {
		before, rest, open := strings.Cut(sentence, "{")
		if before != "" {
			out = append(out, part{Text: before})
		}
		if !open {
			break
		}
		name, after, _ := strings.Cut(rest, "}")
		if link, ok := links[name]; ok {
			out = append(out, link)
		} else {
			out = append(out, part{Text: values[name]})
		}
		sentence = after
	}
	return out
}

// err answers the copy keys that were asked for and are not in the table.
func (w *words) err() error {
	if len(w.missing) == 0 {
		return nil
	}
	slices.Sort(w.missing)
	return fmt.Errorf("pay: no copy for %s in %s", strings.Join(slices.Compact(w.missing), ", "), w.locale.tag)
}
