package bankfile

import (
	"encoding/xml"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tradecredit/internal/money"
)

// simpleTypes check the text of an element. Those of the first half are of
// ISO 20022, those of the second are what the guidelines of SEPA make of them.
var simpleTypes = map[string]func(string) error{
	"Code4":         length(1, 4),
	"Max35":         length(1, 35),
	"Max70":         length(1, 70),
	"Max105":        length(1, 105),
	"Max140":        length(1, 140),
	"Max500":        length(1, 500),
	"Max1025":       length(1, 1025),
	"Other34":       length(1, 34),
	"Count":         pattern(`[0-9]{1,15}`),
	"Number":        pattern(`[0-9]{1,18}`),
	"Sum":           decimalOf(18, 17),
	"Currency":      pattern(`[A-Z]{3}`),
	"Country":       pattern(`[A-Z]{2}`),
	"BIC":           pattern(`[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?`),
	"LEI":           pattern(`[A-Z0-9]{18}[0-9]{2}`),
	"UUID":          pattern(`[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}`),
	"IBAN":          xmlIBAN,
	"Bool":          oneOf("true", "false", "1", "0"),
	"Date":          xmlDate,
	"DateTime":      xmlDateTime,
	"CreditDebit":   oneOf("CRDT", "DBIT"),
	"Bearer":        oneOf("DEBT", "CRED", "SHAR", "SLEV"),
	"TransferKind":  oneOf("CHK", "TRF", "TRA"),
	"DebitKind":     oneOf("DD"),
	"SequenceKind":  oneOf("FRST", "RCUR", "FNAL", "OOFF", "RPRE"),
	"Priority":      oneOf("HIGH", "NORM"),
	"ReferenceKind": oneOf("RADM", "RPIN", "FXDR", "DISP", "PUOR", "SCOR"),

	"ID":   sepaID,
	"Name": sepa(maxName),
	"Text": sepa(maxRemittance),
	// In SEPA the codes and numbers are of the same characters.
	"SEPA4":  sepa(4),
	"SEPA5":  sepa(5),
	"SEPA34": sepa(34),
	"SEPA35": sepa(35),
}

func length(least, most int) func(string) error {
	return func(s string) error {
		if n := utf8.RuneCountInString(s); n < least || n > most {
			return fmt.Errorf("has %d characters and not %d to %d", n, least, most)
		}
		return nil
	}
}

func pattern(expression string) func(string) error {
	shape := regexp.MustCompile(`^(?:` + expression + `)$`)
	return func(s string) error {
		if !shape.MatchString(s) {
			return fmt.Errorf("is not %s", expression)
		}
		return nil
	}
}

func oneOf(codes ...string) func(string) error {
	return func(s string) error {
		if !slices.Contains(codes, s) {
			return fmt.Errorf("is none of %s", strings.Join(codes, ", "))
		}
		return nil
	}
}

func xmlIBAN(s string) error {
	if err := CheckIBAN(s); err != nil {
		return errors.New(err.(*FieldError).Reason)
	}
	return nil
}

func xmlDate(s string) error {
	_, err := time.Parse(time.DateOnly, s)
	return err
}

func xmlDateTime(s string) error {
	_, err := readTime(s)
	if s == "" {
		err = errors.New("is empty")
	}
	return err
}

func sepa(most int) func(string) error {
	check := length(1, most)
	return func(s string) error {
		if strings.IndexFunc(s, func(r rune) bool { return !inSEPA(r) }) >= 0 {
			return errors.New("has characters that SEPA files do not carry")
		}
		return check(s)
	}
}

func sepaID(s string) error {
	if err := checkID("id", s, maxID); err != nil {
		return errors.New(err.(*FieldError).Reason)
	}
	return nil
}

var decimalShape = regexp.MustCompile(`^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)$`)

// decimalOf checks a decimal of so many digits, so many of them behind the point.
// Zeros that change nothing do not count.
func decimalOf(total, fraction int) func(string) error {
	return func(s string) error {
		if !decimalShape.MatchString(s) {
			return errors.New("is no decimal")
		}
		whole, part, _ := strings.Cut(strings.TrimLeft(s, "+-"), ".")
		whole, part = strings.TrimLeft(whole, "0"), strings.TrimRight(part, "0")
		if len(part) > fraction || len(whole)+len(part) > total {
			return fmt.Errorf("has more than %d digits or %d of them behind the point", total, fraction)
		}
		return nil
	}
}

// checkXMLAmount checks an amount with its currency. What is to be paid is above
// zero and in whole minor units.
func checkXMLAmount(attributes []xml.Attr, text string, payable bool) error {
	if len(attributes) != 1 || attributes[0].Name.Local != "Ccy" || attributes[0].Name.Space != "" {
		return errors.New("has other attributes than Ccy")
	}
	currency := attributes[0].Value
	if err := simpleTypes["Currency"](currency); err != nil {
		return fmt.Errorf("has a Ccy %q that %w", currency, err)
	}
	if err := decimalOf(18, 5)(text); err != nil {
		return err
	}
	if strings.HasPrefix(text, "-") && strings.Trim(text, "-0.") != "" {
		return errors.New("is below zero")
	}
	places, known := money.Exponent(currency)
	if !payable || !known {
		return nil
	}
	a, err := money.ParseFixed(text, places)
	if err != nil {
		return fmt.Errorf("is no amount in %s", currency)
	}
	if err := checkAmount(money.Amount{Minor: a, Currency: currency}); err != nil {
		return errors.New(err.(*FieldError).Reason)
	}
	return nil
}

// control compares the numbers and sums of a payment message with its payments.
// Without one, as in a statement, there is nothing to compare.
type control struct {
	group, batch tally
	// euro: the batch goes by the rules of SEPA.
	euro bool
}

// tally is what a level says and what it has.
type tally struct {
	n       int
	sum     *big.Rat
	says    string
	saysSum string
}

func newControl() *control {
	return &control{group: tally{sum: new(big.Rat)}, batch: tally{sum: new(big.Rat)}}
}

// leaf takes note of an element with text.
func (c *control) leaf(v *validator, start xml.StartElement, text string) error {
	if c == nil || len(v.path) < 2 {
		return nil
	}
	parent := v.path[len(v.path)-2]
	level := &c.group
	if parent == "PmtInf" {
		level = &c.batch
	}
	switch path := parent + "/" + start.Name.Local; path {
	case "GrpHdr/NbOfTxs", "PmtInf/NbOfTxs":
		level.says = text
	case "GrpHdr/CtrlSum", "PmtInf/CtrlSum":
		level.saysSum = text
	case "SvcLvl/Cd":
		c.euro = text == "SEPA"
	case "Amt/InstdAmt", "DrctDbtTxInf/InstdAmt":
		amount, _ := new(big.Rat).SetString(text)
		for _, l := range []*tally{&c.group, &c.batch} {
			l.n++
			l.sum.Add(l.sum, amount)
		}
		if c.euro && start.Attr[0].Value != "EUR" {
			return v.fail("is in %s and not in euro", start.Attr[0].Value)
		}
	case "Othr/Id":
		if c.euro && len(v.path) > 3 && strings.HasSuffix(v.path[len(v.path)-4], "Acct") {
			return v.fail("an account in SEPA goes by its IBAN")
		}
	}
	return nil
}

// end compares when a level ends.
func (c *control) end(v *validator) error {
	if c == nil {
		return nil
	}
	switch v.path[len(v.path)-1] {
	case "PmtInf":
		err := c.batch.compare(v)
		c.batch, c.euro = tally{sum: new(big.Rat)}, false
		return err
	case "Document":
		return c.group.compare(v)
	}
	return nil
}

func (t *tally) compare(v *validator) error {
	n, err := strconv.Atoi(t.says)
	if err != nil || n != t.n {
		return v.fail("NbOfTxs is %q, there are %d", t.says, t.n)
	}
	sum, ok := new(big.Rat).SetString(t.saysSum)
	if !ok || sum.Cmp(t.sum) != 0 {
		return v.fail("CtrlSum is %q, the amounts sum to %s", t.saysSum, t.sum.FloatString(5))
	}
	return nil
}
