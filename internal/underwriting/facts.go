package underwriting

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"cel.dev/cel-go/cel"
)

// Facts are what a decision is made on, by name. The values are those of the
// declared types: int64, string, bool, []string, time.Time and Decimal. A fact
// that was not looked at is not in it.
type Facts map[string]any

// Kind is the type of a fact, of a parameter or of an expression.
type Kind string

// The kinds.
const (
	Int     Kind = "int"
	Text    Kind = "string"
	Bool    Kind = "bool"
	Texts   Kind = "list(string)"
	Ints    Kind = "list(int)"
	Date    Kind = "timestamp"
	Number  Kind = "decimal"
	Unknown Kind = ""
)

// cel is the kind as the expression language knows it.
func (k Kind) cel() *cel.Type {
	switch k {
	case Int:
		return cel.IntType
	case Text:
		return cel.StringType
	case Bool:
		return cel.BoolType
	case Texts:
		return cel.ListType(cel.StringType)
	case Ints:
		return cel.ListType(cel.IntType)
	case Date:
		return cel.TimestampType
	case Number:
		return decimalType
	}
	return cel.DynType
}

// Fact describes one input of a policy.
type Fact struct {
	Name string
	Kind Kind
	// Doc says what it is; amounts are in minor units of the order's currency
	// unless it says otherwise.
	Doc string
	// After tells when it is known: "" from the beginning, "limit" once the limit
	// is, "plan" for rules about plans.
	After string
}

// Inputs lists every fact that an expression may use, in the order of the guide.
func Inputs() []Fact { return slices.Clone(inputs) }

var inputs = []Fact{
	{Name: "today", Kind: Date, Doc: "the merchant's day, midnight UTC"},
	{Name: "sandbox", Kind: Bool, Doc: "whether the merchant is one of a sandbox"},
	{Name: "merchant.id", Kind: Text, Doc: "the seller, mer-…"},
	{Name: "merchant.name", Kind: Text, Doc: "the seller's name"},

	{Name: "company.id", Kind: Text, Doc: "the buyer's company, co-… or st-…"},
	{Name: "company.name", Kind: Text, Doc: "as it is registered"},
	{Name: "company.number", Kind: Text, Doc: "its number in its own register; empty when it has none"},
	{Name: "company.country", Kind: Text, Doc: "alpha-2"},
	{Name: "company.country_name", Kind: Text, Doc: "in English"},
	{Name: "company.served", Kind: Bool, Doc: "whether companies of that country can be identified and so sold to"},
	{Name: "company.status", Kind: Text, Doc: "as the register writes it"},
	{Name: "company.legal_form", Kind: Text, Doc: "as the register writes it"},
	{Name: "company.size", Kind: Text, Doc: "MICRO, SMALL, MEDIUM or LARGE; empty when not known"},
	{Name: "company.sectors", Kind: Texts, Doc: "codes of the national classification"},
	{Name: "company.division", Kind: Text, Doc: "the first two digits of the first sector, which mean the same all over Europe; empty when not known"},
	{Name: "company.accounts_type", Kind: Text, Doc: "the kind of accounts last filed; empty when not known"},
	{Name: "company.postcode", Kind: Text, Doc: "of the registered office"},
	{Name: "company.postcode_area", Kind: Text, Doc: "the letters that the postcode begins with, such as JE"},
	{Name: "company.city", Kind: Text, Doc: "of the registered office"},
	{Name: "company.address", Kind: Text, Doc: "the registered office in small letters and digits only"},
	{Name: "company.leis", Kind: Texts, Doc: "legal entity identifiers that the register names with it"},
	{Name: "company.age_known", Kind: Bool, Doc: "whether the day of incorporation is known"},
	{Name: "company.age_years", Kind: Int, Doc: "full years; 0 when not known"},
	{Name: "company.age_days", Kind: Int, Doc: "days; 0 when not known"},
	{Name: "company.accounts_known", Kind: Bool, Doc: "whether the day of the latest accounts is known"},
	{Name: "company.accounts_age_days", Kind: Int, Doc: "days since that day; 0 when not known"},
	{Name: "company.accounts_overdue_months", Kind: Int, Doc: "full months since the next accounts were due; 0 when they are not overdue or nobody knows"},
	{Name: "company.has_limit", Kind: Bool, Doc: "whether a limit was set for the company itself"},
	{Name: "company.limit", Kind: Int, Doc: "that limit; 0 without one"},

	{Name: "financials.known", Kind: Bool, Doc: "whether figures of its accounts are known"},
	{Name: "financials.currency", Kind: Text, Doc: "the currency of the figures"},
	{Name: "financials.turnover", Kind: Int, Doc: "minor units of financials.currency, like all figures; 0 when not known"},
	{Name: "financials.profit_before_tax", Kind: Int, Doc: "may be below zero"},
	{Name: "financials.total_assets", Kind: Int, Doc: ""},
	{Name: "financials.current_assets", Kind: Int, Doc: ""},
	{Name: "financials.current_liabilities", Kind: Int, Doc: ""},
	{Name: "financials.total_liabilities", Kind: Int, Doc: "current ones included"},
	{Name: "financials.employees", Kind: Int, Doc: "0 when not known"},
	{Name: "financials.age_days", Kind: Int, Doc: "days since the year end; 0 when not known"},

	{Name: "score.value", Kind: Int, Doc: "1 (best) to 5"},
	{Name: "score.basis", Kind: Text, Doc: "accounts, history, age or none: what the score was made from"},
	{Name: "score.altman", Kind: Number, Doc: "Z'' without what is missing; 0 without accounts"},
	{Name: "score.springate", Kind: Number, Doc: "S; 0 without accounts"},
	{Name: "score.missing", Kind: Texts, Doc: "what the models ask for and nobody knows"},

	{Name: "history.orders", Kind: Int, Doc: "orders of the buyer with this seller, of the newest 100"},
	{Name: "history.open", Kind: Int, Doc: "of those, unpaid or partly paid"},
	{Name: "history.paid", Kind: Int, Doc: "of those, paid"},
	{Name: "history.paid_in_time", Kind: Int, Doc: "of those, paid on or before the due date"},
	{Name: "history.overdue", Kind: Int, Doc: "open ones that are past their due date"},
	{Name: "history.overdue_amount", Kind: Int, Doc: "their total, of those in the order's currency"},
	{Name: "history.max_overdue_days", Kind: Int, Doc: "the longest that one of them is overdue"},
	{Name: "history.since_days", Kind: Int, Doc: "days since the first of the orders; 0 without one"},

	{Name: "exposure.in_use", Kind: Int, Doc: "what the buyer has in use of its limit, over all merchants"},
	{Name: "exposure.limit", Kind: Int, Doc: "the buyer's limit", After: "limit"},
	{Name: "exposure.available", Kind: Int, Doc: "what is left of the limit, not below zero", After: "limit"},
	{Name: "exposure.sector_in_use", Kind: Int, Doc: "what all buyers of the same division have in use, in the order's currency; looked up only when an expression comes to it"},
	{Name: "exposure.all_in_use", Kind: Int, Doc: "what all buyers have in use, in the order's currency; looked up only when an expression comes to it"},

	{Name: "order.amount", Kind: Int, Doc: "the order's total"},
	{Name: "order.currency", Kind: Text, Doc: "ISO 4217"},
	{Name: "order.items", Kind: Int, Doc: "number of lines"},
	{Name: "order.invoice_in_days", Kind: Int, Doc: "days until the invoice date, or the order date without one; below zero when it is past"},
	{Name: "order.has_due_date", Kind: Bool, Doc: "whether the order names a due date"},
	{Name: "order.due_date", Kind: Text, Doc: "YYYY-MM-DD, empty without one"},
	{Name: "order.due_in_days", Kind: Int, Doc: "days until then; 0 without one"},

	{Name: "buyer.email", Kind: Text, Doc: "of the user who orders"},
	{Name: "buyer.email_domain", Kind: Text, Doc: "what stands behind the @, in small letters"},

	{Name: "plan.name", Kind: Text, Doc: "of the template", After: "plan"},
	{Name: "plan.due_in_days", Kind: Int, Doc: "days until the last instalment", After: "plan"},
	{Name: "plan.due_date", Kind: Text, Doc: "the day of the last instalment, YYYY-MM-DD", After: "plan"},
	{Name: "plan.credit_days", Kind: Int, Doc: "days from the invoice date to the last instalment", After: "plan"},
	{Name: "plan.instalments", Kind: Int, Doc: "how many there are", After: "plan"},
	{Name: "plan.upfront", Kind: Bool, Doc: "whether a part is paid at once", After: "plan"},
}

// kinds are the kinds of the facts by name.
func kinds() map[string]Kind {
	out := make(map[string]Kind, len(inputs))
	for _, f := range inputs {
		out[f.Name] = f.Kind
	}
	return out
}

// with returns the facts with others on top.
func (f Facts) with(more Facts) Facts {
	out := make(Facts, len(f)+len(more))
	for k, v := range f {
		out[k] = v
	}
	for k, v := range more {
		out[k] = v
	}
	return out
}

// UnmarshalJSON reads stored facts back into the types they had. Facts that this
// version of the program does not know are dropped.
func (f *Facts) UnmarshalJSON(b []byte) error {
	raw := map[string]json.RawMessage{}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	*f = make(Facts, len(raw))
	known := kinds()
	for name, text := range raw {
		kind, ok := known[name]
		if !ok {
			continue
		}
		v, err := readFact(kind, text)
		if err != nil {
			return fmt.Errorf("fact %s: %w", name, err)
		}
		(*f)[name] = v
	}
	return nil
}

func readFact(kind Kind, text json.RawMessage) (any, error) {
	switch kind {
	case Int:
		return readAs[int64](text)
	case Text:
		return readAs[string](text)
	case Bool:
		return readAs[bool](text)
	case Texts:
		return readAs[[]string](text)
	case Date:
		return readAs[time.Time](text)
	case Number:
		return readAs[Decimal](text)
	}
	return nil, fmt.Errorf("of no kind")
}

func readAs[T any](text json.RawMessage) (v T, err error) {
	in := json.NewDecoder(bytes.NewReader(text))
	return v, in.Decode(&v)
}
