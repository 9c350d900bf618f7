package underwriting

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/env"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"tradecredit/internal/money"
)

// Bounds of an expression: of its text, and of the work that one evaluation may
// do, in the units of the expression language. Lists are short, so what needs
// more is a mistake.
const (
	maxExpression = 2000
	costLimit     = 20_000
)

// declared says which facts an expression may name: those known from the
// beginning, and those of the given stages.
func declared(stages ...string) []cel.EnvOption {
	var out []cel.EnvOption
	for _, f := range inputs {
		known := f.After == ""
		for _, s := range stages {
			known = known || f.After == s
		}
		if known {
			out = append(out, cel.Variable(f.Name, f.Kind.cel()))
		}
	}
	return out
}

// grammar is the language of policies without the facts: the standard one
// less everything about floating point and untyped values, with decimals.
var grammar = sync.OnceValues(func() (*cel.Env, error) {
	subset := env.NewLibrarySubset()
	subset.ExcludeFunctions = []*env.Function{env.NewFunction("double"), env.NewFunction("dyn"), env.NewFunction("uint"), env.NewFunction("type")}
	options := []cel.EnvOption{
		cel.StdLib(cel.StdLibSubset(subset)),
		cel.DefaultUTCTimeZone(true),
		cel.HomogeneousAggregateLiterals(),
		cel.ParserExpressionSizeLimit(maxExpression),
		cel.ParserRecursionLimit(60),
	}
	return cel.NewCustomEnv(append(options, decimals()...)...)
})

// decimals declare the arithmetic of decimals; the operations themselves are
// methods of Decimal.
func decimals() []cel.EnvOption {
	d, flag := decimalType, cel.BoolType
	binary := func(operator, name string, result *cel.Type) cel.EnvOption {
		return cel.Function(operator, cel.Overload(name+"_decimal", []*cel.Type{d, d}, result))
	}
	return []cel.EnvOption{
		binary(operators.Add, "add", d), binary(operators.Subtract, "subtract", d),
		binary(operators.Multiply, "multiply", d), binary(operators.Divide, "divide", d),
		binary(operators.Less, "less", flag), binary(operators.LessEquals, "less_equals", flag),
		binary(operators.Greater, "greater", flag), binary(operators.GreaterEquals, "greater_equals", flag),
		cel.Function(operators.Negate, cel.Overload("negate_decimal", []*cel.Type{d}, d)),
		cel.Function("decimal",
			cel.Overload("decimal_string", []*cel.Type{cel.StringType}, d, cel.UnaryBinding(func(v ref.Val) ref.Val {
				return orErr(ParseDecimal(string(v.(types.String))))
			})),
			cel.Overload("decimal_int", []*cel.Type{cel.IntType}, d, cel.UnaryBinding(func(v ref.Val) ref.Val {
				return orErr(whole(int64(v.(types.Int))))
			}))),
		cel.Function("string", cel.Overload("decimal_to_string", []*cel.Type{d}, cel.StringType, cel.UnaryBinding(func(v ref.Val) ref.Val {
			return v.ConvertToType(types.StringType)
		}))),
		cel.Function("percent", cel.Overload("percent_int_decimal", []*cel.Type{cel.IntType, d}, cel.IntType, cel.BinaryBinding(percent))),
		cel.Function("money", cel.Overload("money_int_string", []*cel.Type{cel.IntType, cel.StringType}, cel.StringType,
			cel.BinaryBinding(func(v, currency ref.Val) ref.Val {
				return types.String(major(int64(v.(types.Int)), string(currency.(types.String))))
			}))),
		cel.Function("day", cel.Overload("day_timestamp", []*cel.Type{cel.TimestampType}, cel.StringType, cel.UnaryBinding(func(v ref.Val) ref.Val {
			return types.String(v.(types.Timestamp).Format(time.DateOnly))
		}))),
		cel.Function("lower", cel.Overload("lower_string", []*cel.Type{cel.StringType}, cel.StringType, cel.UnaryBinding(func(v ref.Val) ref.Val {
			return types.String(strings.ToLower(string(v.(types.String))))
		}))),
		cel.Function("min", cel.Overload("min_int_int", []*cel.Type{cel.IntType, cel.IntType}, cel.IntType,
			cel.BinaryBinding(func(a, b ref.Val) ref.Val { return min(a.(types.Int), b.(types.Int)) }))),
		cel.Function("max", cel.Overload("max_int_int", []*cel.Type{cel.IntType, cel.IntType}, cel.IntType,
			cel.BinaryBinding(func(a, b ref.Val) ref.Val { return max(a.(types.Int), b.(types.Int)) }))),
	}
}

func orErr(d Decimal, err error) ref.Val {
	if err != nil {
		return types.NewErr("decimals: %v", err)
	}
	return d
}

// percent is so many percent of a whole number, rounded down to one.
func percent(v, p ref.Val) ref.Val {
	d, err := whole(int64(v.(types.Int)))
	if err == nil {
		d, err = d.mul(p.(Decimal))
	}
	if err == nil {
		var hundred Decimal
		if hundred, err = whole(100); err == nil {
			d, err = d.quo(hundred)
		}
	}
	if err != nil {
		return types.NewErr("decimals: %v", err)
	}
	n, _, ok := d.Floor(0).Int64(0)
	if !ok {
		return types.NewErr("integer overflow")
	}
	return types.Int(n)
}

// major writes minor units as sentences do: 5,000.00.
func major(minor int64, currency string) string {
	digits := 2
	if n, ok := money.Exponent(currency); ok {
		digits = n
	}
	text := money.FormatFixed(minor, digits)
	end := len(text)
	if digits > 0 {
		end -= digits + 1
	}
	for i := end - 3; i > 0 && text[i-1] != '-'; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// expression is a checked expression, ready to be evaluated by many at once.
type expression struct {
	program cel.Program
	kind    Kind
	source  string
	// names are the facts and parameters that it names.
	names []string
}

// compile checks an expression. Its result must be of one of the kinds.
func compile(e *cel.Env, source string, want ...Kind) (expression, error) {
	checked, issues := e.Compile(source)
	if err := issues.Err(); err != nil {
		first := issues.Errors()[0]
		return expression{}, located{line: first.Location.Line() - 1, column: first.Location.Column(), err: errors.New(first.Message)}
	}
	native := checked.NativeRep()
	if err := exact(native); err != nil {
		return expression{}, err
	}
	out := expression{source: source, kind: kindOf(checked.OutputType())}
	allowed := false
	for _, k := range want {
		allowed = allowed || out.kind == k
	}
	if !allowed {
		return expression{}, fmt.Errorf("is of type %s, which must be %s", checked.OutputType(), oneOf(want))
	}
	for _, r := range native.ReferenceMap() {
		if r.Name != "" {
			out.names = append(out.names, r.Name)
		}
	}
	var err error
	out.program, err = e.Program(checked, cel.EvalOptions(cel.OptOptimize), cel.CostLimit(costLimit))
	return out, err
}

func oneOf(kinds []Kind) string {
	text := ""
	for i, k := range kinds {
		if i > 0 {
			text += " or "
		}
		text += string(k)
	}
	return text
}

func kindOf(t *cel.Type) Kind {
	for _, k := range []Kind{Int, Text, Bool, Texts, Ints, Date, Number} {
		if k.cel().IsExactType(t) {
			return k
		}
	}
	return Unknown
}

// exact refuses an expression with a part whose type is not one of those that
// are exact. The checker has given every part its type.
func exact(a *ast.AST) error {
	var wrong error
	ast.PreOrderVisit(a.Expr(), ast.NewExprVisitor(func(e ast.Expr) {
		t := a.GetType(e.ID())
		if wrong != nil || t == nil || isExact(t) {
			return
		}
		at := a.SourceInfo().GetStartLocation(e.ID())
		wrong = located{line: at.Line() - 1, column: at.Column(), err: fmt.Errorf("a part of type %s: use integers and decimal(\"…\")", t)}
	}))
	return wrong
}

func isExact(t *cel.Type) bool {
	switch t.Kind() {
	case types.IntKind, types.StringKind, types.BoolKind, types.TimestampKind, types.DurationKind:
		return true
	case types.OpaqueKind:
		return t.IsExactType(decimalType)
	case types.ListKind:
		return isExact(t.Parameters()[0]) || t.Parameters()[0].Kind() == types.DynKind
	}
	return false
}

// errNotLookedAt is the error of an expression that needs a fact which was not
// recorded.
var errNotLookedAt = errors.New("needs a fact that was not looked at")

// scope gives an expression the values of its names. It is for one goroutine.
type scope struct {
	facts  Facts
	params map[string]ref.Val
	// more are facts of a later stage: of the limit, and of one plan.
	more Facts
	// instead stand for facts and parameters, to see what would be if.
	instead map[string]any
	// lookUp finds facts that are looked up only when they are needed, and notes
	// them in facts. It may be nil.
	lookUp func(name string) (any, bool, error)
	// failed is the error of a lookup, missing the fact that nobody knows.
	failed  error
	missing string
}

// ResolveName implements cel.Activation.
func (s *scope) ResolveName(name string) (any, bool) {
	if v, ok := s.instead[name]; ok {
		return v, true
	}
	if v, ok := s.facts[name]; ok {
		return v, true
	}
	if v, ok := s.params[name]; ok {
		return v, true
	}
	if v, ok := s.more[name]; ok {
		return v, true
	}
	if s.lookUp != nil {
		v, ok, err := s.lookUp(name)
		if err != nil {
			s.failed = err
			return types.NewErr("looking up %s", name), true
		}
		if ok {
			s.facts[name] = v
			return v, true
		}
	}
	s.missing = name
	return types.NewErr("%s was not looked at", name), true
}

// int is a whole number among the values, 0 without it.
func (s *scope) int(name string) int64 {
	v, _ := s.ResolveName(name)
	switch v := v.(type) {
	case int64:
		return v
	case types.Int:
		return int64(v)
	}
	return 0
}

// Parent implements cel.Activation.
func (s *scope) Parent() cel.Activation { return nil }

// evaluate returns the value of an expression in the types of Facts.
func (e expression) evaluate(s *scope) (any, error) {
	s.missing = ""
	v, _, err := e.program.Eval(s)
	switch {
	case s.failed != nil:
		return nil, s.failed
	case err != nil && s.missing != "":
		return nil, fmt.Errorf("%w: %s", errNotLookedAt, s.missing)
	case err != nil:
		return nil, err
	}
	switch v := v.(type) {
	case types.Int:
		return int64(v), nil
	case types.String:
		return string(v), nil
	case types.Bool:
		return bool(v), nil
	case Decimal:
		return v, nil
	}
	return nil, fmt.Errorf("the result is a %s", v.Type().TypeName())
}

// located is an error at a place within a text: lines and columns from 0.
type located struct {
	line, column int
	err          error
}

func (l located) Error() string { return l.err.Error() }

func (l located) Unwrap() error { return l.err }
