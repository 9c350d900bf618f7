package form

import (
	"encoding/json"
	"errors"
	"testing"
)

func TestErrors(t *testing.T) {
	t.Parallel()
	nested := FieldError("city", "Bad.")
	other := FieldError("a", "Two.")
	other.AddNested("address", FieldError("city", "Worse."))
	other.AddRaw("raw", map[string]string{"x": "<y>"})
	for name, c := range map[string]struct {
		build func(*Errors)
		want  string
	}{
		"empty":      {func(*Errors) {}, `{}`},
		"in order":   {func(e *Errors) { e.Add("b", "1"); e.Add("a", "2"); e.Add("b", "3") }, `{"b":["1","3"],"a":["2"]}`},
		"no message": {func(e *Errors) { e.Add("b") }, `{}`},
		"nested":     {func(e *Errors) { e.AddNested("address", nested); e.AddNested("none", nil) }, `{"address":{"city":["Bad."]}}`},
		"items": {func(e *Errors) { e.AddItems("items", []*Errors{nil, FieldError("a", "1"), {}}) },
			`{"items":[{},{"a":["1"]},{}]}`},
		"good items": {func(e *Errors) { e.AddItems("items", []*Errors{nil, {}}) }, `{}`},
		"raw": {func(e *Errors) { e.AddRaw("items", []any{map[string]any{"total_amount": "<&>"}}); e.AddRaw("x", nil) },
			`{"items":[{"total_amount":"<&>"}]}`},
		"merged": {func(e *Errors) { e.Add("a", "One."); e.Merge(other); e.Merge(nil) },
			`{"a":["One.","Two."],"address":{"city":["Worse."]},"raw":{"x":"<y>"}}`},
	} {
		e := &Errors{}
		c.build(e)
		if got := string(e.JSON()); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
		if e.Empty() != (c.want == `{}`) || (e.Err() == nil) != e.Empty() {
			t.Errorf("%s: empty is %v, error %v", name, e.Empty(), e.Err())
		}
	}
	if got := string(other.JSON()); got != `{"a":["Two."],"address":{"city":["Worse."]},"raw":{"x":"<y>"}}` {
		t.Errorf("merging changed the source: %s", got)
	}
}

func TestErrorsAsError(t *testing.T) {
	t.Parallel()
	var none *Errors
	if !none.Empty() || none.Err() != nil || none.Has("a") || none.Messages("a") != nil || string(none.JSON()) != "{}" {
		t.Error("a nil *Errors is not empty")
	}
	err := NonField("No.").Err()
	var bad *Errors
	if !errors.As(err, &bad) || !bad.Has("non_field_errors") || bad.Messages("non_field_errors")[0] != "No." {
		t.Errorf("%v", err)
	}
	text, _ := json.Marshal(map[string]any{"errors": bad})
	if want := `{"errors":{"non_field_errors":["No."]}}`; string(text) != want {
		t.Errorf("got %s, want %s", text, want)
	}
}
