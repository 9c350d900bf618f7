package bankfile

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"tradecredit/internal/money"
)

// StatementReader reads the statements of a file of camt.053, one entry at a
// time: versions .02 to .08 and those after it that have not moved what is read.
type StatementReader struct {
	d         *decoder
	root      bool
	inside    bool
	messageID string
	now       Statement
	pending   *xml.StartElement
	n         int
	err       error
}

// NewStatementReader reads from r as it is asked.
func NewStatementReader(r io.Reader) *StatementReader { return &StatementReader{d: newDecoder(r)} }

// ReadStatements reads a whole file. Use a StatementReader for files of any size.
func ReadStatements(r io.Reader) ([]Statement, error) {
	var all []Statement
	in := NewStatementReader(r)
	for {
		s, err := in.Next()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		for {
			e, err := in.Entry()
			if err == io.EOF {
				break
			}
			if err != nil {
				return all, err
			}
			s.Entries = append(s.Entries, e)
		}
		s.Closing, s.Totals = in.now.Closing, in.Totals()
		all = append(all, s)
	}
}

// Next returns the next statement without its entries, or io.EOF after the last.
// Entries of the one before that were not read are passed over.
func (r *StatementReader) Next() (Statement, error) {
	for r.inside {
		if _, err := r.Entry(); err != nil && err != io.EOF {
			return Statement{}, err
		}
	}
	if r.err != nil {
		return Statement{}, r.err
	}
	s, err := r.next()
	if err != nil {
		r.err = err
	}
	return s, err
}

func (r *StatementReader) next() (Statement, error) {
	for {
		token, err := r.d.Token()
		if err == io.EOF && !r.root {
			return Statement{}, errors.New("bankfile: this is no XML: it is empty")
		}
		if err != nil {
			return Statement{}, err
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		r.d.part()
		switch {
		case !r.root:
			if err := checkRoot(start, "camt.053.001."); err != nil {
				return Statement{}, err
			}
			r.root = true
		case start.Name.Local == "BkToCstmrStmt":
		case start.Name.Local == "GrpHdr":
			var h struct{ MsgId string }
			err = r.d.read(&h, start, func() error { r.messageID = strings.TrimSpace(h.MsgId); return nil })
		case start.Name.Local == "Stmt":
			return r.head()
		default:
			err = r.d.Skip()
		}
		if err != nil {
			return Statement{}, err
		}
	}
}

func checkRoot(start xml.StartElement, message string) error {
	version, ok := strings.CutPrefix(start.Name.Space, isoNamespace+message)
	if start.Name.Local != "Document" || !ok || len(version) != 2 {
		return fmt.Errorf("bankfile: this is <%s> of %q and not a Document of %s", start.Name.Local, start.Name.Space,
			strings.TrimSuffix(message, "."))
	}
	return nil
}

// head reads a statement to its first entry.
func (r *StatementReader) head() (Statement, error) {
	r.inside, r.n, r.pending = true, 0, nil
	r.now = Statement{MessageID: r.messageID}
	for r.inside && r.pending == nil {
		if err := r.step(); err != nil {
			return Statement{}, fmt.Errorf("statement %s: %w", r.now.ID, err)
		}
	}
	s := r.now
	s.Totals = Totals{}
	return s, nil
}

// step reads one element of a statement, stops before an entry and notices the
// end of the statement.
func (r *StatementReader) step() error {
	token, err := r.d.Token()
	if err != nil {
		return noEOF(err)
	}
	switch t := token.(type) {
	case xml.EndElement:
		r.inside = false
		return r.now.Totals.compare(r.now.Opening, r.now.Closing)
	case xml.StartElement:
		r.d.part()
		if t.Name.Local == "Ntry" {
			r.pending = &t
			return nil
		}
		return r.field(t)
	}
	return nil
}

// field reads one element of a statement that is no entry.
func (r *StatementReader) field(start xml.StartElement) error {
	var in statementXML
	s := &r.now
	return in.read(r.d, start, s)
}

// Entry returns the next entry of the statement, or io.EOF after the last.
func (r *StatementReader) Entry() (Entry, error) {
	for r.err == nil && r.inside && r.pending == nil {
		if err := r.step(); err != nil {
			r.inside, r.err = false, fmt.Errorf("statement %s: %w", r.now.ID, err)
		}
	}
	if r.err != nil {
		return Entry{}, r.err
	}
	if !r.inside {
		return Entry{}, io.EOF
	}
	r.n++
	var in entryXML
	var e Entry
	err := r.d.read(&in, *r.pending, func() (err error) {
		if e, err = in.entry(); err != nil {
			return err
		}
		return r.now.Totals.add(e)
	})
	r.pending = nil
	if err != nil {
		r.inside, r.err = false, fmt.Errorf("statement %s, entry %d: %w", r.now.ID, r.n, noEOF(err))
	}
	return e, r.err
}

// Totals are those of the entries read so far; after the last entry they are
// compared with the balances.
func (r *StatementReader) Totals() Totals { return r.now.Totals }

// noEOF keeps the end of a file that is cut off from looking like a good end.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

type amountXML struct {
	Text     string `xml:",chardata"`
	Currency string `xml:"Ccy,attr"`
}

func (a amountXML) amount() (money.Amount, error) { return readAmount(a.Text, a.Currency) }

// credit reads the indicator that says where the money went.
func credit(indicator string) (bool, error) {
	switch strings.TrimSpace(indicator) {
	case "CRDT":
		return true, nil
	case "DBIT":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither CRDT nor DBIT", indicator)
}

type dateXML struct {
	Dt   string
	DtTm string
}

func (d dateXML) text() string { return d.Dt + d.DtTm }

// partyXML is a party, which versions since .08 wrap once more.
type partyXML struct {
	Nm  string
	Pty struct{ Nm string }
}

type accountXML struct {
	IBAN  string `xml:"Id>IBAN"`
	Other string `xml:"Id>Othr>Id"`
	Ccy   string
	Owner string   `xml:"Ownr>Nm"`
	Agent agentXML `xml:"Svcr>FinInstnId"`
}

// agentXML is a bank, whose BIC has another name since .03.
type agentXML struct {
	BIC   string
	BICFI string
}

func (a agentXML) bic() string { return strings.TrimSpace(a.BIC + a.BICFI) }

// account makes an account. British numbers stand behind their sort code.
func (a accountXML) account(name string) Account {
	out := Account{Name: strings.TrimSpace(name), IBAN: strings.TrimSpace(a.IBAN)}
	if other := strings.TrimSpace(a.Other); len(other) == 14 && strings.Trim(other, "0123456789") == "" {
		out.SortCode, out.AccountNumber = other[:6], other[6:]
	} else {
		out.AccountNumber = other
	}
	return out
}

type balanceXML struct {
	Code string `xml:"Tp>CdOrPrtry>Cd"`
	Amt  amountXML
	Ind  string  `xml:"CdtDbtInd"`
	Dt   dateXML `xml:"Dt"`
}

// statementXML has one field for every element of a statement that is read.
type statementXML struct {
	account accountXML
	balance balanceXML
	period  struct {
		FrDt, ToDt, FrDtTm, ToDtTm string
	}
	text string
}

func (in *statementXML) read(d *decoder, start xml.StartElement, s *Statement) error {
	switch start.Name.Local {
	case "Id":
		return d.read(&in.text, start, func() error { s.ID = strings.TrimSpace(in.text); return nil })
	case "ElctrncSeqNb":
		return d.read(&in.text, start, func() error { s.Sequence = strings.TrimSpace(in.text); return nil })
	case "CreDtTm":
		return d.read(&in.text, start, func() (err error) { s.Created, err = readTime(in.text); return err })
	case "FrToDt":
		return d.read(&in.period, start, func() (err error) {
			if s.From, err = readDate(in.period.FrDt + in.period.FrDtTm); err == nil {
				s.To, err = readDate(in.period.ToDt + in.period.ToDtTm)
			}
			return err
		})
	case "Acct":
		return d.read(&in.account, start, func() error {
			s.Account = in.account.account(in.account.Owner)
			s.Account.BIC = in.account.Agent.bic()
			s.Currency = strings.TrimSpace(in.account.Ccy)
			return nil
		})
	case "Bal":
		return d.read(&in.balance, start, func() error { return in.balance.put(s) })
	}
	return d.Skip()
}

// put keeps a balance of a statement. The closing balance of the day before counts
// as the opening one when there is no other.
func (b balanceXML) put(s *Statement) error {
	var to *Balance
	switch code := strings.TrimSpace(b.Code); {
	case code == "CLBD":
		to = &s.Closing
	case code == "OPBD", code == "PRCD" && !s.Opening.Known():
		to = &s.Opening
	default:
		return nil
	}
	a, err := b.Amt.amount()
	if err != nil {
		return fmt.Errorf("balance %s: %w", b.Code, err)
	}
	in, err := credit(b.Ind)
	if err != nil {
		return fmt.Errorf("balance %s: %w", b.Code, err)
	}
	if s.Currency == "" {
		s.Currency = a.Currency
	}
	if a.Currency != s.Currency {
		return fmt.Errorf("balance %s: is in %s on an account in %s", b.Code, a.Currency, s.Currency)
	}
	to.Minor = signed(a.Minor, in)
	if to.Date, err = readDate(b.Dt.text()); err == nil && to.Date.IsZero() {
		err = errors.New("has no date")
	}
	if err != nil {
		return fmt.Errorf("balance %s: %w", b.Code, err)
	}
	return nil
}
