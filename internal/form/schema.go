package form

import "strings"

// Schema returns the JSON Schema (2020-12) of the body in mode Full. Numbers
// may also arrive as strings; the schema says so.
func (f *Form) Schema() map[string]any { return f.schema(Full) }

// PartialSchema returns the JSON Schema of the body in mode Partial: nothing is
// required, at any depth.
func (f *Form) PartialSchema() map[string]any { return f.schema(Partial) }

func (f *Form) schema(mode Mode) map[string]any {
	properties := make(map[string]any, len(f.Fields))
	var required []string
	for i := range f.Fields {
		field := &f.Fields[i]
		properties[field.name] = field.schema(mode)
		if mode == Full && !field.optional && !field.hasDefault && !field.readOnly {
			required = append(required, field.name)
		}
	}
	s := map[string]any{"type": "object", "properties": properties}
	if f.Name != "" {
		s["title"] = f.Name
	}
	if required != nil {
		s["required"] = required
	}
	return s
}

// schema describes the field: what its kind accepts, and its options.
func (f *Field) schema(mode Mode) map[string]any {
	s := f.kind.schema(f, mode)
	if f.null {
		allowNull(s)
	}
	if f.doc != "" {
		described, _ := s["description"].(string)
		s["description"] = strings.TrimSpace(f.doc + " " + described)
	}
	if f.example != nil {
		s["examples"] = []any{f.example}
	}
	if f.hasDefault {
		s["default"] = f.defaultValue
	}
	if f.readOnly {
		s["readOnly"] = true
	}
	if f.writeOnly {
		s["writeOnly"] = true
	}
	return s
}

// allowNull adds null to the types, and to the list of values if there is one.
func allowNull(s map[string]any) {
	switch types := s["type"].(type) {
	case string:
		s["type"] = []string{types, "null"}
	case []string:
		s["type"] = append(types[:len(types):len(types)], "null")
	}
	if values, ok := s["enum"].([]any); ok {
		s["enum"] = append(values[:len(values):len(values)], nil)
	}
}

// textSchema describes a string with the bounds of the field.
func textSchema(f *Field, format string) map[string]any {
	s := map[string]any{"type": "string"}
	if format != "" {
		s["format"] = format
	}
	if f.maxLength > 0 {
		s["maxLength"] = f.maxLength
	}
	if f.minLength > 0 {
		s["minLength"] = f.minLength
	} else if !f.blank {
		s["minLength"] = 1
	}
	if len(f.patterns) == 1 && !f.blank {
		s["pattern"] = f.patterns[0].expression.String()
	}
	return s
}

func (charKind) schema(f *Field, _ Mode) map[string]any  { return textSchema(f, "") }
func (emailKind) schema(f *Field, _ Mode) map[string]any { return textSchema(f, "email") }
func (urlKind) schema(f *Field, _ Mode) map[string]any   { return textSchema(f, "uri") }
func (ipKind) schema(f *Field, _ Mode) map[string]any    { return textSchema(f, "") }
func (uuidKind) schema(f *Field, _ Mode) map[string]any  { return textSchema(f, "uuid") }
func (dateKind) schema(f *Field, _ Mode) map[string]any  { return textSchema(f, "date") }

func (slugKind) schema(f *Field, _ Mode) map[string]any {
	s := textSchema(f, "")
	s["pattern"] = "^[-a-zA-Z0-9_]*$"
	return s
}

func (k regexKind) schema(f *Field, _ Mode) map[string]any {
	s := textSchema(f, "")
	if !f.blank {
		s["pattern"] = k.expression.String()
	}
	return s
}

func (dateTimeKind) schema(f *Field, _ Mode) map[string]any {
	s := textSchema(f, "date-time")
	s["description"] = "ISO 8601; UTC when there is no offset, midnight when there is no time."
	return s
}

func (timeKind) schema(f *Field, _ Mode) map[string]any {
	s := textSchema(f, "")
	s["description"] = "hh:mm[:ss[.uuuuuu]]"
	return s
}

func (integerKind) schema(f *Field, _ Mode) map[string]any {
	return numberSchema(f, "integer", "string")
}

func (floatKind) schema(f *Field, _ Mode) map[string]any {
	return numberSchema(f, "number", "string")
}

func numberSchema(f *Field, types ...string) map[string]any {
	s := map[string]any{"type": types}
	if f.minValue != nil {
		s["minimum"] = *f.minValue
	}
	if f.maxValue != nil {
		s["maximum"] = *f.maxValue
	}
	return s
}

func (k decimalKind) schema(f *Field, _ Mode) map[string]any {
	s := numberSchema(f, "string", "number")
	s["format"] = "decimal"
	s["description"] = "At most " + formatInt(int64(k.digits)) + " digits, " +
		formatInt(int64(k.places)) + " of them after the point."
	return s
}

func (booleanKind) schema(*Field, Mode) map[string]any { return map[string]any{"type": "boolean"} }

func (k choiceKind) schema(f *Field, _ Mode) map[string]any {
	values := make([]any, 0, len(k.choices)+1)
	for _, c := range k.choices {
		values = append(values, c)
	}
	if f.blank && !k.known[""] {
		values = append(values, "")
	}
	return map[string]any{"type": "string", "enum": values}
}

func (k multipleChoiceKind) schema(f *Field, mode Mode) map[string]any {
	return listSchema(f, k.choiceKind.schema(f, mode))
}

func (countryKind) schema(f *Field, _ Mode) map[string]any {
	s := textSchema(f, "")
	s["description"] = "ISO 3166-1 alpha-2 code; alpha-3, numeric code and English name are understood."
	return s
}

func listSchema(f *Field, items map[string]any) map[string]any {
	s := map[string]any{"type": "array", "items": items}
	switch {
	case f.minItems > 0:
		s["minItems"] = f.minItems
	case f.nonEmpty:
		s["minItems"] = 1
	}
	if f.maxItems > 0 {
		s["maxItems"] = f.maxItems
	}
	return s
}

func (k listKind) schema(f *Field, mode Mode) map[string]any {
	return listSchema(f, k.child.schema(mode))
}

func (k objectsKind) schema(f *Field, mode Mode) map[string]any {
	items := k.form.schema(mode)
	if f.null {
		allowNull(items)
	}
	return listSchema(f, items)
}

func (k objectKind) schema(_ *Field, mode Mode) map[string]any { return k.form.schema(mode) }

func (k dictKind) schema(f *Field, mode Mode) map[string]any {
	s := map[string]any{"type": "object"}
	if k.child != nil {
		s["additionalProperties"] = k.child.schema(mode)
	}
	if f.nonEmpty {
		s["minProperties"] = 1
	}
	return s
}

func (jsonKind) schema(*Field, Mode) map[string]any {
	return map[string]any{"description": "Any JSON."}
}

func (k refKind) schema(f *Field, _ Mode) map[string]any {
	prefixes := strings.Join(append([]string{k.prefix}, f.alias...), "|")
	return map[string]any{
		"type":    "string",
		"pattern": "^(" + prefixes + ")-[0-9A-Za-z]+$",
	}
}

func (k refsKind) schema(f *Field, mode Mode) map[string]any {
	return listSchema(f, k.refKind.schema(f, mode))
}

func (fileKind) schema(f *Field, _ Mode) map[string]any {
	return map[string]any{"type": "string", "format": "binary"}
}
