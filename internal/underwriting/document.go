package underwriting

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxDocument bounds the text of a policy, maxProblems how many of its problems
// are told at once.
const (
	maxDocument = 256 << 10
	maxProblems = 20
)

// Problem is something wrong with a policy, and where. Lines and columns count
// from 1.
type Problem struct {
	Line   int
	Column int
	// Rule is the rule's name; empty outside the rules.
	Rule    string
	Message string
}

// Problems is the error of a policy that is refused.
type Problems struct {
	File string
	List []Problem
}

// Error names every problem on a line of its own, as compilers do.
func (p *Problems) Error() string {
	var b strings.Builder
	for i, x := range p.List {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s:%d:%d: ", p.File, x.Line, x.Column)
		if x.Rule != "" {
			fmt.Fprintf(&b, "rule %s: ", x.Rule)
		}
		b.WriteString(x.Message)
	}
	return b.String()
}

// document reads a policy's text and collects what is wrong with it.
type document struct {
	problems Problems
	rule     string
}

func (d *document) err() error {
	if len(d.problems.List) == 0 {
		return nil
	}
	slices.SortStableFunc(d.problems.List, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return &d.problems
}

// complain notes a problem at a node.
func (d *document) complain(at ast.Node, format string, args ...any) {
	line, column := 1, 1
	if m, ok := at.(*ast.MappingNode); ok && len(m.Values) > 0 {
		at = m.Values[0].Key // a mapping itself says it is at its first colon
	}
	if at != nil {
		line, column = place(at.GetToken())
	}
	d.note(line, column, fmt.Sprintf(format, args...))
}

func (d *document) note(line, column int, message string) {
	if len(d.problems.List) < maxProblems {
		d.problems.List = append(d.problems.List, Problem{Line: line, Column: column, Rule: d.rule, Message: message})
	}
}

func place(t *token.Token) (line, column int) {
	if t == nil || t.Position == nil {
		return 1, 1
	}
	return t.Position.Line, t.Position.Column
}

// root parses the text of one document without anchors and aliases, which a
// policy has no use for and which can make a small text very large.
func (d *document) root(text []byte) ast.Node {
	if len(text) > maxDocument {
		d.note(1, 1, fmt.Sprintf("longer than %d bytes", maxDocument))
		return nil
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		line, column := 1, 1
		var at interface{ GetToken() *token.Token }
		if errors.As(err, &at) {
			line, column = place(at.GetToken())
		}
		message, _, _ := strings.Cut(err.Error(), "\n")
		if _, rest, ok := strings.Cut(message, "] "); ok && strings.HasPrefix(message, "[") {
			message = rest
		}
		d.note(line, column, message)
		return nil
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		d.note(1, 1, "is not one YAML document")
		return nil
	}
	return file.Docs[0].Body
}

// entry is a key of a mapping with its value.
type entry struct {
	key   string
	name  ast.Node
	value ast.Node
}

// mapping returns the entries of a node that must be a mapping, each key once.
// With keys, no others are allowed.
func (d *document) mapping(n ast.Node, what string, keys ...string) []entry {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		d.complain(n, "%s must be a mapping", what)
		return nil
	}
	var out []entry
	seen := map[string]bool{}
	for _, v := range values {
		key, ok := v.Key.(ast.Node).(*ast.StringNode)
		switch {
		case !ok:
			d.complain(v.Key, "%s: a key must be plain text", what)
		case seen[key.Value]:
			d.complain(v.Key, "%s: %q stands twice", what, key.Value)
		case len(keys) > 0 && !slices.Contains(keys, key.Value):
			d.complain(v.Key, "%s: unknown key %q; known are %s", what, key.Value, strings.Join(keys, ", "))
		default:
			seen[key.Value] = true
			out = append(out, entry{key.Value, v.Key, v.Value})
		}
	}
	return out
}

// sequence returns the elements of a node that must be a list.
func (d *document) sequence(n ast.Node, what string) []ast.Node {
	s, ok := n.(*ast.SequenceNode)
	if !ok {
		d.complain(n, "%s must be a list", what)
		return nil
	}
	return s.Values
}

// scalar returns the text of a node that must be a single value, as it is
// written.
func (d *document) scalar(n ast.Node, what string) string {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return strings.TrimSpace(n.Value.Value)
	case *ast.IntegerNode, *ast.BoolNode, *ast.FloatNode:
		return n.GetToken().Value
	}
	d.complain(n, "%s must be one value", what)
	return ""
}

// start is where the text of a scalar begins: after its quote, or on the line
// below the bar.
func start(n ast.Node) (line, column int) {
	switch n := n.(type) {
	case *ast.LiteralNode:
		line, _ = place(n.Start)
		_, column = place(n.Value.GetToken())
		return line + 1, column
	case *ast.StringNode:
		line, column = place(n.Token)
		if t := n.Token.Type; t == token.SingleQuoteType || t == token.DoubleQuoteType {
			column++
		}
		return line, column
	}
	return place(n.GetToken())
}

var (
	// wholeNumber is how one is written: without needless zeros, which other
	// readers take for octal.
	wholeNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	numeric     = regexp.MustCompile(`^[-+]?[0-9][0-9_.,]*$`)
)

// value reads a parameter: a whole number, an exact decimal, a text, true or
// false, or a list of whole numbers or of texts. An empty list is one of texts.
func (d *document) value(n ast.Node, what string) (any, Kind) {
	switch n := n.(type) {
	case *ast.IntegerNode:
		v, err := strconv.ParseInt(n.Token.Value, 10, 64)
		if err != nil || !wholeNumber.MatchString(n.Token.Value) {
			d.complain(n, "%s: %q is no whole number of 64 bits", what, n.Token.Value)
		}
		return v, Int
	case *ast.FloatNode:
		v, err := ParseDecimal(n.Token.Value)
		if err != nil {
			d.complain(n, "%s: %v", what, err)
		}
		return v, Number
	case *ast.BoolNode:
		return n.Value, Bool
	case *ast.StringNode:
		if n.Token.Type == token.StringType && numeric.MatchString(n.Value) {
			d.complain(n, "%s: %q is no whole number of 64 bits and no decimal; in quotes it is a text", what, n.Value)
		}
		return n.Value, Text
	case *ast.SequenceNode:
		return d.list(n, what)
	}
	d.complain(n, "%s must be a number, a text, true or false, or a list", what)
	return nil, Unknown
}

func (d *document) list(n *ast.SequenceNode, what string) (any, Kind) {
	texts, numbers := []string{}, []int64{}
	for _, e := range n.Values {
		switch v, kind := d.value(e, what); kind {
		case Text:
			texts = append(texts, v.(string))
		case Int:
			numbers = append(numbers, v.(int64))
		default:
			d.complain(e, "%s: a list holds texts or whole numbers", what)
		}
	}
	if len(texts) > 0 && len(numbers) > 0 {
		d.complain(n, "%s: a list holds texts or whole numbers, not both", what)
	}
	if len(numbers) > 0 {
		return numbers, Ints
	}
	return texts, Texts
}
