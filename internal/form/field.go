package form

// Field declares one key of a body. It is built by a constructor and its
// options and does not change afterwards.
type Field struct {
	name string
	kind kind

	optional, null, blank bool
	readOnly, writeOnly   bool
	noTrim, nonEmpty      bool
	allowEmpty            bool
	flatten               bool

	minLength, maxLength int // characters; maxLength 0 is none
	minItems, maxItems   int // maxItems 0 is none
	minValue, maxValue   *int64

	hasDefault   bool
	defaultValue any
	fallback     slot // the decoded default

	patterns   []pattern
	unique     *unique
	checks     []func(Value) []string
	checkItems func([]*Values) any
	alias      []string

	doc     string
	example any
}

// kind is the behaviour of a family of fields.
type kind interface {
	// missing returns the sentence for a missing required field.
	missing() string
	// decode checks a value that is there and not null.
	decode(d *decoding, f *Field, in Value) (result, *detail)
	// schema describes what decode accepts, null apart.
	schema(f *Field, mode Mode) map[string]any
}

type unique struct{ name, message string }

// Option changes a field.
type Option func(*Field)

// Name returns the key of the field.
func (f Field) Name() string { return f.name }

// Optional lets the key be missing. Null is still refused.
func Optional() Option { return func(f *Field) { f.optional = true } }

// Null lets the value be null. The key must still be there.
func Null() Option { return func(f *Field) { f.null = true } }

// Blank lets a text or a choice be "".
func Blank() Option { return func(f *Field) { f.blank = true } }

// Default makes the field optional and gives it a value when the key is missing
// in mode Full: a string, int, int64, bool, nil (null), Value, or a list or map
// of them.
func Default(v any) Option {
	return func(f *Field) { f.hasDefault, f.defaultValue = true, v }
}

// Min is the least number of characters of a text.
func Min(n int) Option { return func(f *Field) { f.minLength = n } }

// Max is the greatest number of characters of a text or of a file name.
func Max(n int) Option { return func(f *Field) { f.maxLength = n } }

// MinValue is the least value of a number.
func MinValue(n int64) Option { return func(f *Field) { f.minValue = &n } }

// MaxValue is the greatest value of a number.
func MaxValue(n int64) Option { return func(f *Field) { f.maxValue = &n } }

// MinItems is the least number of items of a list.
func MinItems(n int) Option { return func(f *Field) { f.minItems = n } }

// MaxItems is the greatest number of items of a list.
func MaxItems(n int) Option { return func(f *Field) { f.maxItems = n } }

// NonEmpty refuses an empty list or dictionary.
func NonEmpty() Option { return func(f *Field) { f.nonEmpty = true } }

// AllowEmpty accepts an empty list, dictionary or file. Lists and dictionaries
// may be empty unless NonEmpty is given; files may not.
func AllowEmpty() Option {
	return func(f *Field) { f.nonEmpty, f.allowEmpty = false, true }
}

// NoTrim keeps the white space around a text.
func NoTrim() Option { return func(f *Field) { f.noTrim = true } }

// ReadOnly ignores the key, whatever its value.
func ReadOnly() Option { return func(f *Field) { f.readOnly = true } }

// WriteOnly marks a field that answers never show.
func WriteOnly() Option { return func(f *Field) { f.writeOnly = true } }

// Flatten lifts the errors of the fields of a nested object to the level of
// its parent. Errors of the nested object itself stay under its name.
func Flatten() Option { return func(f *Field) { f.flatten = true } }

// Pattern refuses a text that expression does not match, with message. It
// reports before the length of the text does. expression is Go's syntax; one
// that does not compile is a programming error.
func Pattern(expression, message string) Option {
	p := compilePattern(expression, message)
	return func(f *Field) { f.patterns = append(f.patterns, p) }
}

// Unique asks the Resolver whether the trimmed text is taken, and refuses it
// with message if so. An empty message is "This field must be unique.".
func Unique(name, message string) Option {
	if message == "" {
		message = "This field must be unique."
	}
	return func(f *Field) { f.unique = &unique{name, message} }
}

// Check adds a rule that runs once the field itself is satisfied. It gets the
// normalised value and returns what is wrong with it.
func Check(check func(v Value) []string) Option {
	return func(f *Field) { f.checks = append(f.checks, check) }
}

// CheckItems adds a rule for a list of objects. It runs once all items are good,
// even when other fields of the form failed. What it returns becomes the error
// of the field as it is: a []string, or any JSON; nil when all is well.
func CheckItems(check func(items []*Values) any) Option {
	return func(f *Field) { f.checkItems = check }
}

// Alias lets an id be written with another prefix, which is read as the field's.
func Alias(prefix string) Option {
	return func(f *Field) { f.alias = append(f.alias, prefix) }
}

// Doc describes the field in the schema.
func Doc(text string) Option { return func(f *Field) { f.doc = text } }

// Example shows a value in the schema.
func Example(v any) Option { return func(f *Field) { f.example = v } }
