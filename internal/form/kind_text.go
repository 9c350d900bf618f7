package form

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// common is the behaviour most kinds share.
type common struct{}

func (common) missing() string { return required }

// text decodes what all fields of text have in common: numbers become text,
// white space is trimmed, "" is a mistake of its own. done is true when nothing
// is left to check: the text is blank and may be.
func (f *Field) text(in Value, wrongType string) (text Value, done bool, wrong *detail) {
	switch in.kind {
	case KindString:
		text = in
	case KindInt, KindFloat:
		text = StringValue(pythonText(in))
	default:
		return Value{}, false, messages(wrongType)
	}
	if !f.noTrim {
		text.text = trim(text.text)
	}
	if text.text == "" {
		if f.blank {
			return StringValue(""), true, nil
		}
		return Value{}, false, messages(notBlank)
	}
	return text, false, nil
}

// rules returns what the declared rules say about a text, in the recorded
// order: patterns, length, NUL, surrogates, and last the rule of the kind.
func (f *Field) rules(text Value, own string) []string {
	var found []string
	for i := range f.patterns {
		if !f.patterns[i].expression.MatchString(text.text) {
			found = append(found, f.patterns[i].message)
		}
	}
	if f.maxLength > 0 || f.minLength > 0 {
		n := textLength(text)
		if f.maxLength > 0 && n > f.maxLength {
			found = append(found, "Ensure this field has no more than "+strconv.Itoa(f.maxLength)+" characters.")
		}
		if n < f.minLength {
			found = append(found, "Ensure this field has at least "+strconv.Itoa(f.minLength)+" characters.")
		}
	}
	if strings.IndexByte(text.text, 0) >= 0 {
		found = append(found, "Null characters are not allowed.")
	}
	if text.lone {
		if sentence := surrogateSentence(text.text); sentence != "" {
			found = append(found, sentence)
		}
	}
	if own != "" {
		found = append(found, own)
	}
	return found
}

func surrogateSentence(s string) string {
	if r, ok := firstSurrogate(s); ok {
		return fmt.Sprintf("Surrogate characters are not allowed: U+%X.", r)
	}
	return ""
}

// finish applies the rules and asks whether the text is taken.
func (f *Field) finish(d *decoding, text Value, own string) (result, *detail) {
	if found := f.rules(text, own); found != nil {
		return result{}, messages(found...)
	}
	if f.unique != nil && d.resolver != nil {
		taken, err := d.resolver.Taken(f.unique.name, text.text)
		if err != nil {
			d.err = err
			return result{}, nil
		}
		if taken {
			return result{}, messages(f.unique.message)
		}
	}
	return result{value: text}, nil
}

// ruled decodes a text kind: wrongType is its sentence for values that are no
// text, and valid its own rule with the sentence broken.
func (f *Field) ruled(d *decoding, in Value, wrongType, broken string, valid func(string) bool) (result, *detail) {
	text, done, wrong := f.text(in, wrongType)
	if done || wrong != nil {
		return result{value: text}, wrong
	}
	if valid == nil || valid(text.text) {
		broken = ""
	}
	return f.finish(d, text, broken)
}

const notString = "Not a valid string."

type charKind struct{ common }

func (charKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	return f.ruled(d, in, notString, "", nil)
}

type emailKind struct{ common }

func (emailKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	const broken = "Enter a valid email address."
	return f.ruled(d, in, broken, broken, validEmail)
}

type urlKind struct{ common }

func (urlKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	const broken = "Enter a valid URL."
	return f.ruled(d, in, broken, broken, validURL)
}

type slugKind struct{ common }

func (slugKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	const broken = `Enter a valid "slug" consisting of letters, numbers, underscores or hyphens.`
	return f.ruled(d, in, broken, broken, validSlug)
}

func validSlug(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; !alphanumeric(c) && c != '-' && c != '_' {
			return false
		}
	}
	return s != ""
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// pattern is a regular expression and the sentence for texts it does not match.
type pattern struct {
	expression *regexp.Regexp
	message    string
}

func compilePattern(expression, message string) pattern {
	return pattern{expression: regexp.MustCompile(expression), message: message}
}

type regexKind struct {
	common
	pattern
}

func newRegexKind(expression string) regexKind {
	return regexKind{pattern: compilePattern(expression, "This value does not match the required pattern.")}
}

func (k regexKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	return f.ruled(d, in, k.message, k.message, k.expression.MatchString)
}
