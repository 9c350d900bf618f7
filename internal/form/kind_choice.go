package form

type booleanKind struct{ common }

func (booleanKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	switch in.kind {
	case KindBool:
		return result{value: in}, nil
	case KindInt, KindFloat:
		switch pythonText(in) {
		case "1", "1.0":
			return result{value: BoolValue(true)}, nil
		case "0", "0.0", "-0.0":
			return result{value: BoolValue(false)}, nil
		}
	case KindString:
		switch in.text {
		case "t", "T", "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", "1":
			return result{value: BoolValue(true)}, nil
		case "f", "F", "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", "0":
			return result{value: BoolValue(false)}, nil
		case "", "null", "Null", "NULL":
			if f.null {
				return result{}, nil
			}
		}
	}
	return result{}, messages("Must be a valid boolean.")
}

type choiceKind struct {
	common
	choices []string
	known   map[string]bool
}

func newChoiceKind(choices []string) choiceKind {
	k := choiceKind{choices: append([]string(nil), choices...), known: make(map[string]bool, len(choices))}
	for _, c := range choices {
		k.known[c] = true
	}
	return k
}

func notChoice(v Value) *detail {
	return messages(`"` + pythonText(v) + `" is not a valid choice.`)
}

func (k choiceKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	if in.kind == KindString && in.text == "" && f.blank {
		return result{value: in}, nil
	}
	text := pythonText(in)
	if !k.known[text] {
		return result{}, notChoice(in)
	}
	return result{value: StringValue(text)}, nil
}

type multipleChoiceKind struct{ choiceKind }

func (k multipleChoiceKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	items, wrong := iterate(in)
	if wrong != nil {
		return result{}, wrong
	}
	if len(items) == 0 && f.nonEmpty {
		return result{}, messages("This selection may not be empty.")
	}
	seen := make(map[string]bool, len(items))
	var chosen []Value
	for _, item := range items {
		r, wrong := k.choiceKind.decode(d, f, item)
		if wrong != nil {
			return result{}, wrong
		}
		if !seen[r.value.text] {
			seen[r.value.text] = true
			chosen = append(chosen, r.value)
		}
	}
	return result{value: ListValue(chosen...)}, nil
}

type countryKind struct {
	common
	codes func(input string) (alpha2 string, ok bool)
}

// decode also takes {"code": …}. Empty lists and objects, zero and false, which
// the recorded application lets through as "", are refused.
func (k countryKind) decode(d *decoding, f *Field, in Value) (result, *detail) {
	if code, ok := in.Get("code"); ok {
		in = code
	}
	switch in.kind {
	case KindString, KindInt:
		if in.text == "" && f.blank {
			return result{value: StringValue("")}, nil
		}
		if alpha2, ok := k.codes(in.text); ok {
			return result{value: StringValue(alpha2)}, nil
		}
	}
	return result{}, notChoice(in)
}
