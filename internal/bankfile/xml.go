package bankfile

import (
	"bufio"
	"encoding/xml"
	"io"
	"strings"
	"time"

	"tradecredit/internal/money"
)

const isoNamespace = "urn:iso:std:iso:20022:tech:xsd:"

// xmlFile writes elements in the order in which they are asked for. The first
// error of the writer below is kept until the end.
type xmlFile struct {
	w      *bufio.Writer
	indent string
}

func newXMLFile(w io.Writer) *xmlFile {
	x := &xmlFile{w: bufio.NewWriter(w)}
	x.raw(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	return x
}

// document writes the whole of an ISO 20022 message.
func document(w io.Writer, message string, content func(x *xmlFile)) error {
	x := newXMLFile(w)
	x.in("Document", func() { content(x) }, "xmlns", isoNamespace+message)
	return x.w.Flush()
}

// Errors of the writer are returned by Flush.
func (x *xmlFile) raw(s string) { _, _ = x.w.WriteString(s) }

func (x *xmlFile) text(s string) { _ = xml.EscapeText(x.w, []byte(s)) }

func (x *xmlFile) begin(name string, attributes []string) {
	x.raw(x.indent + "<" + name)
	for i := 0; i+1 < len(attributes); i += 2 {
		x.raw(" " + attributes[i] + `="`)
		x.text(attributes[i+1])
		x.raw(`"`)
	}
	x.raw(">")
}

// in writes an element around what content writes. Attributes are names and
// values in turn.
func (x *xmlFile) in(name string, content func(), attributes ...string) {
	x.begin(name, attributes)
	x.raw("\n")
	x.indent += "  "
	content()
	x.indent = x.indent[2:]
	x.raw(x.indent + "</" + name + ">\n")
}

// leaf writes an element with a text. The path may name elements around it, as in
// "SvcLvl/Cd". Without a text nothing is written.
func (x *xmlFile) leaf(path, text string, attributes ...string) {
	if text == "" {
		return
	}
	if outer, inner, ok := strings.Cut(path, "/"); ok {
		x.in(outer, func() { x.leaf(inner, text, attributes...) })
		return
	}
	x.begin(path, attributes)
	x.text(text)
	x.raw("</" + path + ">\n")
}

// amount writes an element with an amount in the decimals of its currency.
func (x *xmlFile) amount(path string, a money.Amount) {
	x.leaf(path, decimal(a), "Ccy", a.Currency)
}

// decimal writes an amount of a known currency.
func decimal(a money.Amount) string {
	places, _ := money.Exponent(a.Currency)
	return money.FormatFixed(a.Minor, places)
}

func dateTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func isoDate(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// agent writes the bank of an account: by BIC, by sort code, or as not provided,
// which leaves it to the bank.
func (x *xmlFile) agent(name string, a Account, bicTag string) {
	x.in(name, func() {
		x.in("FinInstnId", func() {
			switch {
			case a.BIC != "":
				x.leaf(bicTag, a.BIC)
			case a.IBAN == "":
				x.in("ClrSysMmbId", func() {
					x.leaf("ClrSysId/Cd", "GBDSC")
					x.leaf("MmbId", a.SortCode)
				})
			default:
				x.leaf("Othr/Id", "NOTPROVIDED")
			}
		})
	})
}

// account writes the number of an account.
func (x *xmlFile) account(name string, a Account) {
	if a.IBAN != "" {
		x.leaf(name+"/Id/IBAN", a.IBAN)
		return
	}
	x.in(name, func() {
		x.in("Id", func() {
			x.in("Othr", func() {
				x.leaf("Id", a.AccountNumber)
				x.leaf("SchmeNm/Cd", "BBAN")
			})
		})
	})
}

// remittance writes what the payment is for: a text or a reference.
func (x *xmlFile) remittance(text, reference string) {
	if reference == "" {
		x.leaf("RmtInf/Ustrd", SEPAText(text, maxRemittance))
		return
	}
	x.in("RmtInf", func() {
		x.in("Strd", func() {
			x.in("CdtrRefInf", func() {
				x.leaf("Tp/CdOrPrtry/Cd", "SCOR")
				x.leaf("Ref", reference)
			})
		})
	})
}
