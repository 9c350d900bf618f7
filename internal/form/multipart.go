package form

import (
	"fmt"
	"strconv"
	"strings"
)

// Upload is a file of a multipart body.
type Upload struct {
	// Filename is the name the client gave, without directories.
	Filename string
	// ContentType is what the client says it is, "" when it did not say.
	ContentType string
	// Content is the file; nil for one that is kept elsewhere.
	Content []byte

	// Size is the length in bytes of a file that is kept elsewhere, SHA256 its
	// digest in hex, and Kept what its keeper finds it by.
	Size   int64
	SHA256 string
	Kept   any
	// Problem is what its keeper found wrong with it, as a sentence for the caller.
	Problem string
}

// Multipart turns the parts of a form body (multipart or url-encoded) into a
// body for Decode. All text is text there, so a few things read differently:
// "" is null where null is allowed and missing where the field is optional, a
// missing boolean is false in mode Full, JSON is parsed, and text that is not
// JSON stands for itself. Of a repeated key the last value counts; a list takes
// them all, or name[0], name[1] … . Fields of a nested object are name.field;
// lists of objects cannot be sent this way.
func (f *Form) Multipart(text map[string][]string, files map[string]*Upload, mode Mode) Value {
	body := Value{kind: KindObject}
	for i := range f.Fields {
		field := &f.Fields[i]
		if v, ok := field.fromParts(text, files, mode); ok {
			body.list = append(body.list, StringValue(field.name), v)
			body.lone = body.lone || v.lone
		}
	}
	return body
}

func (f *Field) fromParts(text map[string][]string, files map[string]*Upload, mode Mode) (Value, bool) {
	switch k := f.kind.(type) {
	case fileKind:
		if file := files[f.name]; file != nil {
			return Value{kind: KindFile, file: file}, true
		}
	case listKind, refsKind, multipleChoiceKind:
		return f.fromRepeated(text, mode)
	case objectKind:
		return fromPrefixed(k.form, f.name+".", text, files, mode)
	}
	values := text[f.name]
	if len(values) == 0 {
		_, boolean := f.kind.(booleanKind)
		return BoolValue(false), boolean && mode == Full && !f.hasDefault
	}
	last := values[len(values)-1]
	switch f.kind.(type) {
	case jsonKind, dictKind:
		if v, err := Parse([]byte(last)); err == nil && last != "" {
			return v, true
		}
		return validText(last), true
	}
	if last == "" && !f.blank {
		if f.null {
			return Value{}, true
		}
		if f.optional || f.hasDefault {
			return Value{}, false
		}
	}
	return validText(last), true
}

// validText keeps bytes that are no UTF-8 out of values.
func validText(s string) Value { return StringValue(strings.ToValidUTF8(s, "\ufffd")) }

func (f *Field) fromRepeated(text map[string][]string, mode Mode) (Value, bool) {
	var items []Value
	for _, s := range text[f.name] {
		items = append(items, validText(s))
	}
	for len(text[f.name]) == 0 {
		values := text[f.name+"["+strconv.Itoa(len(items))+"]"]
		if len(values) == 0 {
			break
		}
		items = append(items, validText(values[len(values)-1]))
	}
	_, references := f.kind.(refsKind)
	return ListValue(items...), items != nil || references && mode == Full && !f.optional
}

func fromPrefixed(f *Form, prefix string, text map[string][]string, files map[string]*Upload, mode Mode) (Value, bool) {
	inner := map[string][]string{}
	for key, values := range text {
		if rest, ok := strings.CutPrefix(key, prefix); ok {
			inner[rest] = values
		}
	}
	innerFiles := map[string]*Upload{}
	for key, file := range files {
		if rest, ok := strings.CutPrefix(key, prefix); ok {
			innerFiles[rest] = file
		}
	}
	if len(inner)+len(innerFiles) == 0 {
		return Value{}, false
	}
	return f.Multipart(inner, innerFiles, mode), true
}

type fileKind struct{}

func (fileKind) missing() string { return "No file was submitted." }

func (fileKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	if in.kind != KindFile || in.file.Filename == "" {
		return result{}, messages("The submitted data was not a file. Check the encoding type on the form.")
	}
	if len(in.file.Content) == 0 && in.file.Size == 0 && !f.allowEmpty {
		return result{}, messages("The submitted file is empty.")
	}
	if n := len([]rune(in.file.Filename)); f.maxLength > 0 && n > f.maxLength {
		return result{}, messages(fmt.Sprintf("Ensure this filename has at most %d characters (it has %d).", f.maxLength, n))
	}
	if in.file.Problem != "" {
		return result{}, messages(in.file.Problem)
	}
	return result{value: in}, nil
}

// TakesFile tells whether the form has a field of this name that is a file.
func (f *Form) TakesFile(name string) bool {
	at := f.index(name)
	if at < 0 {
		return false
	}
	_, ok := f.Fields[at].kind.(fileKind)
	return ok
}
