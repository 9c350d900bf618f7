package apitest

import (
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// identifier is anything that looks like an identifier of the API, in the
// documents or in answers.
var identifier = regexp.MustCompile(`\b[a-z]{2,6}-[0-9A-Za-z]{22}\b`)

// names binds identifiers of the documents to real ones, each to one.
type names struct {
	mu         sync.Mutex
	real       map[string]string
	documented map[string]string
}

func (n *names) bind(documented, real string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.set(documented, real)
}

func (n *names) set(documented, real string) {
	if n.real == nil {
		n.real, n.documented = map[string]string{}, map[string]string{}
	}
	n.real[documented], n.documented[real] = real, documented
}

// replace puts the real identifiers in the place of those that are bound.
func (n *names) replace(text string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return identifier.ReplaceAllStringFunc(text, func(s string) string {
		if real, ok := n.real[s]; ok {
			return real
		}
		return s
	})
}

// match tells whether got is want but for identifiers, and binds those of want
// that are not bound yet. One identifier never stands for two.
func (n *names) match(want, got string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if identifier.ReplaceAllString(want, "#") != identifier.ReplaceAllString(got, "#") {
		return fmt.Errorf("another body")
	}
	wants, gots := identifier.FindAllString(want, -1), identifier.FindAllString(got, -1)
	for i, w := range wants {
		g := gots[i]
		bound, known := n.real[w]
		samePrefix := strings.Split(w, "-")[0] == strings.Split(g, "-")[0]
		if known && bound != g || !known && w != g && (n.documented[g] != "" || !samePrefix) {
			return fmt.Errorf("%s stands where %s is expected", g, w)
		}
		if !known && w != g {
			n.set(w, g)
		}
	}
	return nil
}
