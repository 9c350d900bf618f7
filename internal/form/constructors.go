package form

func newField(name string, k kind, opts []Option) Field {
	f := Field{name: name, kind: k}
	for _, opt := range opts {
		opt(&f)
	}
	f.setDefault()
	return f
}

// Char is a text. Numbers are accepted as their text.
func Char(name string, opts ...Option) Field { return newField(name, charKind{}, opts) }

// Email is a mail address.
func Email(name string, opts ...Option) Field { return newField(name, emailKind{}, opts) }

// URL is an absolute http, https, ftp or ftps URL.
func URL(name string, opts ...Option) Field { return newField(name, urlKind{}, opts) }

// Slug is letters, digits, underscores and hyphens.
func Slug(name string, opts ...Option) Field { return newField(name, slugKind{}, opts) }

// Regex is a text that matches pattern (Go's syntax), anywhere unless anchored.
func Regex(name, pattern string, opts ...Option) Field {
	return newField(name, newRegexKind(pattern), opts)
}

// UUID is a UUID, normalised to lower case with dashes.
func UUID(name string, opts ...Option) Field { return newField(name, uuidKind{}, opts) }

// IP is an IPv4 or IPv6 address.
func IP(name string, opts ...Option) Field { return newField(name, ipKind{}, opts) }

// Integer is a whole number within int64, as a number or as text.
func Integer(name string, opts ...Option) Field { return newField(name, integerKind{}, opts) }

// Float is a double. Never use it for money.
func Float(name string, opts ...Option) Field { return newField(name, floatKind{}, opts) }

// Decimal is a decimal number of at most digits digits, places of them after
// the point. It is normalised to text with exactly that many places.
func Decimal(name string, digits, places int, opts ...Option) Field {
	return newField(name, decimalKind{digits: digits, places: places}, opts)
}

// Boolean is true or false, or one of the words the recorded application knows.
func Boolean(name string, opts ...Option) Field { return newField(name, booleanKind{}, opts) }

// Choice is one of choices, spelt exactly.
func Choice(name string, choices []string, opts ...Option) Field {
	return newField(name, newChoiceKind(choices), opts)
}

// MultipleChoice is a list of choices; repetitions are dropped.
func MultipleChoice(name string, choices []string, opts ...Option) Field {
	return newField(name, multipleChoiceKind{newChoiceKind(choices)}, opts)
}

// Country is a country; codes turns what callers write into an ISO 3166-1
// alpha-2 code.
func Country(name string, codes func(input string) (alpha2 string, ok bool), opts ...Option) Field {
	return newField(name, countryKind{codes: codes}, opts)
}

// Date is a calendar date, normalised to "2006-01-02".
func Date(name string, opts ...Option) Field { return newField(name, dateKind{}, opts) }

// DateTime is a moment: with Z, an offset or neither (UTC), or a bare date
// (midnight UTC). It is normalised to UTC with microseconds.
func DateTime(name string, opts ...Option) Field { return newField(name, dateTimeKind{}, opts) }

// Time is a time of day, normalised to "15:04:05[.000000]".
func Time(name string, opts ...Option) Field { return newField(name, timeKind{}, opts) }

// Dict is an object with any keys and values.
func Dict(name string, opts ...Option) Field { return newField(name, dictKind{}, opts) }

// DictOf is an object with any keys whose values are all like child.
func DictOf(name string, child Field, opts ...Option) Field {
	return newField(name, dictKind{child: &child}, opts)
}

// JSON is any JSON value.
func JSON(name string, opts ...Option) Field { return newField(name, jsonKind{}, opts) }

// List is a list of values that are all like child.
func List(name string, child Field, opts ...Option) Field {
	return newField(name, listKind{child: &child}, opts)
}

// Object is a nested object.
func Object(name string, f *Form, opts ...Option) Field {
	return newField(name, objectKind{form: f}, opts)
}

// Objects is a list of objects.
func Objects(name string, f *Form, opts ...Option) Field {
	return newField(name, objectsKind{form: f}, opts)
}

// File is an uploaded file. A JSON body cannot carry one; see Form.Multipart.
func File(name string, opts ...Option) Field { return newField(name, fileKind{}, opts) }

// Ref is the id of a stored object, "<prefix>-…".
func Ref(name, prefix string, opts ...Option) Field {
	return newField(name, refKind{prefix: prefix}, opts)
}

// Refs is a list of ids of stored objects.
func Refs(name, prefix string, opts ...Option) Field {
	return newField(name, refsKind{refKind{prefix: prefix}}, opts)
}
