package underwriting

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
)

// Locales are the languages in which sentences about buyers and invoices can be
// said. English is the language of the contract.
var Locales = []string{"en", "fr", "de", "es", "it", "nl"}

//go:embed locales/*.json
var localeFiles embed.FS

// translations are the sentences of every language but English, by code. The
// code "days" is how a number of days is said.
var translations = sync.OnceValues(func() (map[string]map[string]string, error) {
	out := map[string]map[string]string{}
	for _, name := range Locales[1:] {
		text, err := localeFiles.ReadFile("locales/" + name + ".json")
		if err != nil {
			return nil, err
		}
		table := map[string]string{}
		if err := json.Unmarshal(text, &table); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out[name] = table
	}
	return out, nil
})

// language is the part of a locale such as fr-BE or fr_BE that names the
// language.
func language(locale string) string {
	locale, _, _ = strings.Cut(locale, ",")
	locale, _, _ = strings.Cut(locale, ";")
	locale = strings.ToLower(strings.TrimSpace(locale))
	if i := strings.IndexAny(locale, "-_"); i >= 0 {
		locale = locale[:i]
	}
	return locale
}

// In returns the reason with its sentence in the language of a locale, such as
// fr-BE or the first of an Accept-Language header. A language or a code without
// a translation leaves it in English.
func (r Reason) In(locale string) Reason {
	all, err := translations()
	if err != nil {
		return r
	}
	table := all[language(locale)]
	sentence, ok := table[r.Code]
	if !ok {
		return r
	}
	for name, value := range r.Params {
		said := fmt.Sprint(value)
		if n, ok := strings.CutSuffix(said, " days"); ok && name == "max_term" {
			said = strings.ReplaceAll(table["days"], "{n}", n)
		}
		sentence = strings.ReplaceAll(sentence, "{"+name+"}", said)
	}
	r.Detail = sentence
	return r
}
