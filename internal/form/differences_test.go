package form

import (
	"slices"
	"strings"
	"testing"
)

// difference is a set of recorded cases this package answers in another way.
type difference struct {
	why     string
	kinds   []string          // of the recorded declarations
	answers map[string]string // case name to what stands under "f"
}

const (
	integerNeeded = `["A valid integer is required."]`
	numberNeeded  = `["A valid number is required."]`
)

// differences are all deliberate departures from the recorded application,
// crashes apart.
var differences = []difference{
	{
		why:   "integers are 64 bits wide",
		kinds: []string{"int", "int_null", "int_min0"},
		answers: map[string]string{
			"int64max_p1": integerNeeded, "int30d": integerNeeded, "s_digits1000": integerNeeded,
		},
	},
	{
		why:     "integers are 64 bits wide",
		kinds:   []string{"int_opt", "int_default"},
		answers: map[string]string{"int64max_p1": integerNeeded, "int30d": integerNeeded},
	},
	{
		why:     "integers are 64 bits wide",
		kinds:   []string{"dict_int"},
		answers: map[string]string{"bigint": `{"a":` + integerNeeded + `}`},
	},
	{
		why:     "infinity is not a number, whatever the bounds",
		kinds:   []string{"float_0_1"},
		answers: map[string]string{"n1e400": numberNeeded, "s_inf": numberNeeded},
	},
	{
		why:   "dates follow Django 4 (recorded as date_dj4)",
		kinds: []string{"date", "date_null"},
		answers: map[string]string{
			"d16": `"2018-10-31"`,
			"d19": `"2018-10-31"`,
		},
	},
	{
		why:     "datetimes follow Django 4 (recorded as datetime_dj4)",
		kinds:   []string{"datetime", "datetime_null"},
		answers: map[string]string{"s_date": `"2018-10-31T00:00:00Z"`},
	},
	{
		why:   "datetimes follow Django 4 (recorded as datetime_dj4)",
		kinds: []string{"datetime"},
		answers: map[string]string{
			"dt03": `"2018-10-31T16:00:00Z"`,
			"dt16": `"2018-10-31T16:53:00Z"`,
			"dt30": `"2018-10-31T14:22:45Z"`,
			"dt31": `"2018-10-31T16:53:00Z"`,
			"dt32": `"2018-10-31T14:53:00Z"`,
			"dt43": `"2018-10-31T16:53:00Z"`,
			"dt44": `"2018-10-31T16:53:00Z"`,
			"dt45": `"2018-10-31T16:53:00Z"`,
			"dt46": `"2018-10-31T00:00:00Z"`,
			"dt47": `"2018-10-31T10:00:00Z"`,
			"dt66": `"2018-10-31T16:53:00Z"`,
			"dt70": `"2018-01-05T01:02:03Z"`,
			"dt71": `"2018-10-31T14:53:00Z"`,
		},
	},
	{
		why:     "a row of digits is not a datetime",
		kinds:   []string{"datetime_dj4"},
		answers: map[string]string{"digits1001": `["` + badDateTime + `"]`},
	},
	{
		why:   "zero, false and empty values are no country",
		kinds: []string{"country"},
		answers: map[string]string{
			"n0":              `["\"0\" is not a valid choice."]`,
			"n_neg0":          `["\"0\" is not a valid choice."]`,
			"false":           `["\"False\" is not a valid choice."]`,
			"l_empty":         `["\"[]\" is not a valid choice."]`,
			"partial_l_empty": `["\"[]\" is not a valid choice."]`,
			"d_empty":         `["\"{}\" is not a valid choice."]`,
			"partial_d_empty": `["\"{}\" is not a valid choice."]`,
			"d_ab":            `["\"{'a': 'b'}\" is not a valid choice."]`,
			"partial_d_n_bad": `["\"{'n': 'x'}\" is not a valid choice."]`,
		},
	},
}

// deliberately returns the answer to a case that differs on purpose.
func deliberately(c recorded) (answer string, ok bool) {
	name := strings.TrimPrefix(c.key(), c.Kind+"/")
	for _, d := range differences {
		if field, ok := d.answers[name]; ok && slices.Contains(d.kinds, c.Kind) {
			return `{"f":` + field + `}`, true
		}
	}
	return "", false
}

// TestDifferences keeps the list honest: every entry names a recorded case, and
// one that is answered otherwise.
func TestDifferences(t *testing.T) {
	t.Parallel()
	cases := map[string]recorded{}
	for _, c := range readCases(t) {
		cases[c.key()] = c
	}
	for _, d := range differences {
		for _, kind := range d.kinds {
			for name := range d.answers {
				c, ok := cases[kind+"/"+name]
				if !ok {
					t.Errorf("%s/%s is not recorded", kind, name)
					continue
				}
				if answer, _ := deliberately(c); answer == c.Errors || answer == c.Output {
					t.Errorf("%s does not differ", c.ID)
				}
			}
		}
	}
}
