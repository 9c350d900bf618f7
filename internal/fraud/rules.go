package fraud

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"tradecredit/internal/document"
	"tradecredit/internal/merchant"
)

// Thresholds are the scores from which an outcome follows. They rise.
type Thresholds struct {
	CustomerActionRequired int64 `yaml:"customer_action_required"`
	PendingReview          int64 `yaml:"pending_review"`
	Rejected               int64 `yaml:"rejected"`
}

// Signal is one rule: what it looks at, its parameters, and its points. Which
// parameters it takes depends on the kind of signal.
type Signal struct {
	Name   string `yaml:"name"`
	Signal string `yaml:"signal"`
	// Points are added to the score; with 0 it is noted only.
	Points int64 `yaml:"points"`
	// Documents are what the buyer is asked for when the score leads to that.
	Documents []string `yaml:"documents"`

	Of       string `yaml:"of"`
	Counting string `yaml:"counting"`
	Hours    int64  `yaml:"hours"`
	MoreThan *int64 `yaml:"more_than"`
	// Amounts are in minor units by currency.
	Amounts        map[string]int64 `yaml:"amounts"`
	LimitPercent   int64            `yaml:"limit_percent"`
	RegisteredDays int64            `yaml:"registered_days"`
	AgeDays        int64            `yaml:"age_days"`
}

// content is the text of rules.
type content struct {
	Name       string     `yaml:"name"`
	Version    string     `yaml:"version"`
	Thresholds Thresholds `yaml:"thresholds"`
	// Documents are asked for when the signals that fired name none.
	Documents      []string `yaml:"documents"`
	FreeMail       []string `yaml:"free_mail"`
	DisposableMail []string `yaml:"disposable_mail"`
	Signals        []Signal `yaml:"signals"`
}

// Rules are checked rules. They never change and may be used by many at once.
type Rules struct {
	content
	// Hash is the SHA-256 of Source, in hexadecimal digits.
	Hash   string
	Source string
}

// String is the name and the version.
func (r *Rules) String() string { return r.Name + " " + r.Version }

// The bounds of rules.
const (
	maxText      = 256 << 10
	maxSignals   = 100
	maxPoints    = 1_000
	maxThreshold = 1_000_000
	// maxSightings is how many attempts of an identifier are looked at; what
	// more_than counts stays below it.
	maxSightings = 500
)

// Windows are the hours within which attempts are counted.
func Windows() []int64 { return []int64{1, 24, 168} }

//go:embed rules
var files embed.FS

var sandboxRules = sync.OnceValues(func() (*Rules, error) { return embedded("rules/sandbox.yaml") })

var productionRules = sync.OnceValues(func() (*Rules, error) { return embedded("rules/production.yaml") })

func embedded(name string) (*Rules, error) {
	text, err := files.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return Parse(text)
}

// Default are the rules that come with the program for an environment.
func Default(e merchant.Environment) (*Rules, error) {
	if e == merchant.Sandbox {
		return sandboxRules()
	}
	return productionRules()
}

// wholeNumber is how numbers are written: other readers take more zeros for octal.
// A text that looks like one is not taken for it.
var (
	wholeNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	numeric     = regexp.MustCompile(`^[-+]?[0-9][0-9_.]*([eE][-+]?[0-9]+)?$`)
)

// Parse reads and checks the text of rules. The error says what is wrong, one
// thing on a line.
func Parse(text []byte) (*Rules, error) {
	if len(text) > maxText {
		return nil, fmt.Errorf("the rules are longer than %d bytes", maxText)
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, errors.New(yaml.FormatError(err, false, true))
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, errors.New("the rules are not one YAML document")
	}
	plain := &plainness{}
	ast.Walk(plain, file.Docs[0].Body)
	if plain.err != nil {
		return nil, plain.err
	}
	sum := sha256.Sum256(text)
	r := &Rules{Hash: hex.EncodeToString(sum[:]), Source: string(text)}
	if err := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict()).Decode(&r.content); err != nil {
		return nil, errors.New(yaml.FormatError(err, false, true))
	}
	for i := range r.Signals {
		r.Signals[i].settle()
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return r, nil
}

// plainness looks for what rules have no use for: numbers with places, which the
// decoder would cut off, and references, which make a small text large.
type plainness struct{ err error }

// Visit implements ast.Visitor.
func (p *plainness) Visit(n ast.Node) ast.Visitor {
	value := n.GetToken().Value
	switch n := n.(type) {
	case *ast.MappingValueNode:
		text, ok := n.Value.(*ast.StringNode)
		if key := n.Key.String(); ok && numeric.MatchString(text.Value) && key != "name" && key != "version" {
			p.complain(text, text.Value+" is no whole number as it is written here")
		}
	case *ast.FloatNode:
		p.complain(n, value+" is no whole number; in quotes it is a text")
	case *ast.IntegerNode:
		if !wholeNumber.MatchString(value) {
			p.complain(n, value+" is no whole number as it is written here")
		}
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		p.complain(n, "anchors, aliases and tags are not read")
	}
	return p
}

func (p *plainness) complain(n ast.Node, what string) {
	if at := n.GetToken().Position; p.err == nil {
		p.err = fmt.Errorf("line %d: %s", at.Line, what)
	}
}

// settle fills in what has a default.
func (s *Signal) settle() {
	if s.Name == "" {
		s.Name = strings.TrimSpace(strings.ReplaceAll(s.Signal, "_", " ") + " " + s.Of)
	}
	if s.Counting == "" && s.Signal == signalVelocity {
		s.Counting = countAttempted
	}
}

func (r *Rules) check() error {
	var wrong []error
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	if r.Name == "" || r.Version == "" || len(r.Name)+len(r.Version) > 200 {
		bad("name and version must be short texts")
	}
	t := r.Thresholds
	if t.CustomerActionRequired < 1 || t.PendingReview < t.CustomerActionRequired || t.Rejected < t.PendingReview || t.Rejected > maxThreshold {
		bad("thresholds must rise from customer_action_required over pending_review to rejected, between 1 and %d", maxThreshold)
	}
	if len(r.Documents) == 0 {
		bad("documents must name at least one kind to ask for")
	}
	checkDocuments(r.Documents, "documents", bad)
	if len(r.Signals) > maxSignals {
		bad("there are more than %d signals", maxSignals)
	}
	seen := map[string]bool{}
	for i, s := range r.Signals {
		name := fmt.Sprintf("signal %d (%s)", i+1, s.Name)
		if seen[s.Name] {
			bad("%s: another signal has this name", name)
		}
		seen[s.Name] = true
		s.check(func(format string, args ...any) { bad(name+": "+format, args...) })
	}
	return errors.Join(wrong...)
}

func checkDocuments(kinds []string, what string, bad func(string, ...any)) {
	for _, k := range kinds {
		if !slices.Contains(document.Kinds(), k) {
			bad("%s: %q is none of %s", what, k, strings.Join(document.Kinds(), ", "))
		}
	}
}

// check complains of parameters that are missing, out of bounds, or of another
// kind of signal.
func (s Signal) check(bad func(string, ...any)) {
	k, ok := kinds[s.Signal]
	if !ok {
		bad("signal %q is unknown; known are %s", s.Signal, strings.Join(SignalKinds(), ", "))
		return
	}
	if s.Points < 0 || s.Points > maxPoints {
		bad("points are between 0 and %d", maxPoints)
	}
	checkDocuments(s.Documents, "documents", bad)
	all := s.given()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		given := all[name]
		switch {
		case given && !slices.Contains(k.takes, name) && !slices.Contains(k.may, name):
			bad("%s does not belong to it", name)
		case !given && slices.Contains(k.takes, name):
			bad("%s is missing", name)
		}
	}
	if s.Of != "" && !slices.Contains(k.of, s.Of) {
		bad("of is one of %s", strings.Join(k.of, ", "))
	}
	if s.Hours != 0 && !slices.Contains(Windows(), s.Hours) {
		bad("hours are 1, 24 or 168")
	}
	if s.MoreThan != nil && (*s.MoreThan < 0 || *s.MoreThan >= maxSightings-1) {
		bad("more_than is between 0 and %d", maxSightings-2)
	}
	if s.Counting != "" && s.Counting != countAttempted && s.Counting != countAccepted {
		bad("counting is %s or %s", countAttempted, countAccepted)
	}
	for currency, amount := range s.Amounts {
		if amount < 0 || len(currency) != 3 || strings.ToUpper(currency) != currency {
			bad("amounts are minor units, 0 or more, by currency")
		}
	}
	if s.LimitPercent < 0 || s.LimitPercent > 100_000 || s.RegisteredDays < 0 || s.AgeDays < 0 {
		bad("limit_percent, registered_days and age_days are not below zero, limit_percent not above 100000")
	}
	if k.large && len(s.Amounts) == 0 && s.LimitPercent == 0 {
		bad("amounts or limit_percent must say what is large")
	}
}

// given tells which parameters are there.
func (s Signal) given() map[string]bool {
	return map[string]bool{
		"of": s.Of != "", "counting": s.Counting != "", "hours": s.Hours != 0, "more_than": s.MoreThan != nil,
		"amounts": len(s.Amounts) > 0, "limit_percent": s.LimitPercent != 0, "registered_days": s.RegisteredDays != 0,
		"age_days": s.AgeDays != 0,
	}
}

// counted are the kinds of identifiers of which attempts are counted.
func (r *Rules) counted() (out []string) {
	for _, s := range r.Signals {
		if (s.Signal == signalVelocity || s.Signal == signalVelocityAmount) && !slices.Contains(out, s.Of) {
			out = append(out, s.Of)
		}
	}
	return out
}

// free tells whether anybody can have an address in a domain.
func (r *Rules) free(domain string) bool {
	return slices.Contains(r.FreeMail, domain) || r.disposable(domain)
}

func (r *Rules) disposable(domain string) bool { return slices.Contains(r.DisposableMail, domain) }
