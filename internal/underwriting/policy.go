package underwriting

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"github.com/goccy/go-yaml/ast"
)

// Scope says what a rule is about.
type Scope string

// The scopes. Rules about the buyer and the order decide on all plans, those
// about a plan on one.
const (
	OfBuyer Scope = "buyer"
	OfOrder Scope = "order"
	OfPlan  Scope = "plan"
)

// Policy is a checked set of rules. It never changes and may be used by many at
// once.
type Policy struct {
	Name    string
	Version string
	// Hash is the SHA-256 of the text, in hexadecimal digits.
	Hash string
	// Source is the text.
	Source string

	parameters map[string]ref.Val
	limits     limits
	rules      []rule
}

// limits make a buyer's limit. They are whole numbers of minor units.
type limits struct {
	rules      []limitRule
	otherwise  expression
	maximum    expression
	hasMaximum bool
}

type limitRule struct {
	name        string
	when, limit expression
}

type rule struct {
	name, code string
	scope      Scope
	when       expression
	params     map[string]expression
}

// String is the name and the version.
func (p *Policy) String() string { return p.Name + " " + p.Version }

// RuleNames are the names of the rules of a scope in their order, or of all rules with
// no scope.
func (p *Policy) RuleNames(scopes ...Scope) (names []string) {
	for _, r := range p.rules {
		if len(scopes) == 0 || slices.Contains(scopes, r.scope) {
			names = append(names, r.name)
		}
	}
	return names
}

// RuleCodes are the codes that the policy can decline with, each once.
func (p *Policy) RuleCodes() (codes []string) {
	for _, r := range p.rules {
		if !slices.Contains(codes, r.code) {
			codes = append(codes, r.code)
		}
	}
	return codes
}

//go:embed policies/default.yaml
var policyFiles embed.FS

// Default is the policy that comes with the program.
var Default = sync.OnceValues(func() (*Policy, error) {
	text, err := policyFiles.ReadFile("policies/default.yaml")
	if err != nil {
		return nil, err
	}
	return ParsePolicy("default.yaml", text)
})

// ParsePolicy reads and checks the text of a policy. It returns a *Problems that
// names places in file when anything is wrong with it.
func ParsePolicy(file string, text []byte) (*Policy, error) {
	d := &document{problems: Problems{File: file}}
	sum := sha256.Sum256(text)
	p := &Policy{Hash: hex.EncodeToString(sum[:]), Source: string(text), parameters: map[string]ref.Val{}}
	root := d.root(text)
	if root == nil {
		return nil, d.err()
	}
	sections := map[string]ast.Node{}
	for _, e := range d.mapping(root, "the policy", "name", "version", "parameters", "limits", "rules") {
		sections[e.key] = e.value
	}
	for _, name := range []string{"name", "version", "limits", "rules"} {
		if sections[name] == nil {
			d.complain(root, "%q is missing", name)
		}
	}
	if d.err() != nil {
		return nil, d.err()
	}
	p.Name, p.Version = d.scalar(sections["name"], "name"), d.scalar(sections["version"], "version")
	if p.Name == "" || p.Version == "" || len(p.Name)+len(p.Version) > 200 {
		d.complain(root, "name and version must be short texts")
	}
	options := d.parameters(p, sections["parameters"])
	if err := d.compileAll(p, options, sections); err != nil {
		return nil, err
	}
	return p, d.err()
}

var parameterName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,63}$`)

// parameters reads the parameters, which expressions name as params.NAME.
func (d *document) parameters(p *Policy, n ast.Node) (declared []cel.EnvOption) {
	if n == nil {
		return nil
	}
	for _, e := range d.mapping(n, "parameters") {
		if !parameterName.MatchString(e.key) {
			d.complain(e.name, "parameters: %q is no name", e.key)
			continue
		}
		v, kind := d.value(e.value, "parameter "+e.key)
		if kind == Unknown || v == nil {
			continue
		}
		name := "params." + e.key
		p.parameters[name] = types.DefaultTypeAdapter.NativeToValue(v)
		if dec, ok := v.(Decimal); ok {
			p.parameters[name] = dec
		}
		declared = append(declared, cel.Variable(name, kind.cel()))
	}
	return declared
}

// compileAll compiles every expression, each with the facts that are known when
// it is evaluated.
func (d *document) compileAll(p *Policy, parameters []cel.EnvOption, sections map[string]ast.Node) error {
	base, err := grammar()
	if err != nil {
		return err
	}
	if base, err = base.Extend(parameters...); err != nil {
		return err
	}
	environments := map[string]*cel.Env{}
	for name, stages := range map[string][]string{"limits": nil, "order": {"limit"}, "plan": {"limit", "plan"}} {
		if environments[name], err = base.Extend(declared(stages...)...); err != nil {
			return err
		}
	}
	p.limits = d.limits(environments["limits"], sections["limits"])
	taken := map[string]bool{}
	for _, n := range d.sequence(sections["rules"], "rules") {
		d.rule = ""
		r := d.readRule(environments, n)
		if r.name != "" && taken[r.name] {
			d.complain(n, "the name stands twice: give one of the rules another")
		}
		taken[r.name] = true
		p.rules = append(p.rules, r)
	}
	d.rule = ""
	return d.err()
}

// compile compiles the expression of a node; what is wrong with it is noted
// where it stands.
func (d *document) compile(e *cel.Env, n ast.Node, what string, want ...Kind) expression {
	source := d.scalar(n, what)
	if source == "" {
		d.complain(n, "%s is empty", what)
		return expression{}
	}
	x, err := compile(e, source, want...)
	if err == nil {
		return x
	}
	line, column := start(n)
	if l, ok := err.(located); ok {
		line += l.line
		column += l.column
	}
	d.note(line, column, what+": "+err.Error())
	return x
}

func (d *document) limits(e *cel.Env, n ast.Node) (out limits) {
	for _, s := range d.mapping(n, "limits", "rules", "default", "max") {
		switch s.key {
		case "default":
			out.otherwise = d.compile(e, s.value, "limits: default", Int)
		case "max":
			out.maximum, out.hasMaximum = d.compile(e, s.value, "limits: max", Int), true
		case "rules":
			for _, r := range d.sequence(s.value, "limits: rules") {
				out.rules = append(out.rules, d.limitRule(e, r))
			}
		}
	}
	if out.otherwise.source == "" {
		d.complain(n, "limits: \"default\" is missing")
	}
	return out
}

func (d *document) limitRule(e *cel.Env, n ast.Node) (out limitRule) {
	for _, s := range d.mapping(n, "a limit rule", "name", "when", "limit") {
		switch s.key {
		case "name":
			out.name = d.scalar(s.value, "name")
		case "when":
			out.when = d.compile(e, s.value, "when", Bool)
		case "limit":
			out.limit = d.compile(e, s.value, "limit", Int)
		}
	}
	if out.name == "" || out.when.source == "" || out.limit.source == "" {
		d.complain(n, "a limit rule has a name, when and limit")
	}
	return out
}

// readRule reads one rule and holds it against the sentence of its code.
func (d *document) readRule(environments map[string]*cel.Env, n ast.Node) (out rule) {
	found := map[string]ast.Node{}
	for _, s := range d.mapping(n, "a rule", "name", "code", "applies_to", "when", "params") {
		found[s.key] = s.value
	}
	if found["code"] == nil || found["when"] == nil || found["applies_to"] == nil {
		d.complain(n, "a rule has a code, applies_to and when")
		return out
	}
	out.code = d.scalar(found["code"], "code")
	out.name = out.code
	if found["name"] != nil {
		out.name = d.scalar(found["name"], "name")
	}
	d.rule = out.name
	if _, known := sentences[out.code]; !known || strings.HasPrefix(out.code, "seller-") {
		d.complain(found["code"], "unknown code %q", out.code)
	}
	out.scope = Scope(d.scalar(found["applies_to"], "applies_to"))
	e := environments["order"]
	switch out.scope {
	case OfPlan:
		e = environments["plan"]
	case OfBuyer, OfOrder:
	default:
		d.complain(found["applies_to"], "applies_to is buyer, order or plan, not %q", out.scope)
	}
	out.when = d.compile(e, found["when"], "when", Bool)
	out.params = map[string]expression{}
	wanted := slots(sentences[out.code])
	if found["params"] != nil {
		for _, s := range d.mapping(found["params"], "params") {
			if !slices.Contains(wanted, s.key) {
				d.complain(s.name, "the sentence of %s has no parameter %q", out.code, s.key)
			}
			out.params[s.key] = d.compile(e, s.value, "parameter "+s.key, Int, Text, Number)
		}
	}
	for _, name := range wanted {
		if _, ok := out.params[name]; !ok {
			d.complain(n, "the sentence of %s lacks its parameter %q", out.code, name)
		}
	}
	return out
}

var slot = regexp.MustCompile(`\{(\w+)\}`)

// slots are the parameters of a sentence.
func slots(sentence string) (names []string) {
	for _, m := range slot.FindAllStringSubmatch(sentence, -1) {
		names = append(names, m[1])
	}
	return names
}

// Describe tells what a policy is made of, for people.
func (p *Policy) Describe() string {
	return fmt.Sprintf("%s: %d limit rules, %d rules, %d codes", p, len(p.limits.rules), len(p.rules), len(p.RuleCodes()))
}
