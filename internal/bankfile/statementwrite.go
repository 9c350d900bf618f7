package bankfile

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tradecredit/internal/money"
)

// WriteStatements writes statements as camt.053.001.08, as a bank would: for a
// bank that is played, and for tests. The file is that of the first statement's
// MessageID and Created. What ReadStatements could not read back the same is a
// FieldError, and then nothing was written.
func WriteStatements(w io.Writer, statements []Statement) error {
	if len(statements) == 0 {
		return wrong("statements", "is empty")
	}
	for i, s := range statements {
		if err := s.check(); err != nil {
			return within(at("statements", i), err)
		}
	}
	return document(w, "camt.053.001.08", func(x *xmlFile) {
		x.in("BkToCstmrStmt", func() {
			x.in("GrpHdr", func() {
				x.leaf("MsgId", statements[0].MessageID)
				x.leaf("CreDtTm", dateTime(statements[0].Created))
			})
			for _, s := range statements {
				x.in("Stmt", func() { s.write(x) })
			}
		})
	})
}

// text is a field that is written as it is.
type text struct {
	field, value string
	most         int
	required     bool
}

func checkTexts(texts ...text) error {
	for _, t := range texts {
		switch {
		case t.value == "" && t.required:
			return wrong(t.field, "is missing")
		case utf8.RuneCountInString(t.value) > t.most:
			return wrong(t.field, "is longer than %d characters", t.most)
		case !utf8.ValidString(t.value) || strings.IndexFunc(t.value, func(r rune) bool {
			return r < ' ' || r == '\uFFFE' || r == '\uFFFF' || r == utf8.RuneError
		}) >= 0:
			return wrong(t.field, "has characters that XML does not carry")
		case strings.TrimSpace(t.value) != t.value:
			return wrong(t.field, "has spaces around it")
		}
	}
	return nil
}

func (s Statement) check() error {
	err := checkTexts(text{"message_id", s.MessageID, maxID, true}, text{"id", s.ID, maxID, true})
	if err == nil {
		err = checkDate("created", s.Created)
	}
	if err == nil {
		err = within("account", s.Account.checkShown(true))
	}
	if err != nil {
		return err
	}
	if _, ok := money.Exponent(s.Currency); !ok {
		return wrong("currency", "%q is no currency that is known", s.Currency)
	}
	if _, err := strconv.ParseUint(s.Sequence, 10, 63); s.Sequence != "" && err != nil {
		return wrong("sequence", "is no number")
	}
	if s.From.IsZero() != s.To.IsZero() {
		return wrong("from", "needs the other end of the period")
	}
	for _, b := range []Balance{s.Opening, s.Closing} {
		if !b.Known() || b.Minor > mostMinor || b.Minor < -mostMinor {
			return wrong("opening", "and closing need dates and at most 15 digits")
		}
	}
	for i, e := range s.Entries {
		if err := e.check(s.Currency); err != nil {
			return within(at("entries", i), err)
		}
	}
	return nil
}

// checkShown checks an account as statements show it: as much as there is.
func (a Account) checkShown(required bool) error {
	if err := checkTexts(text{"name", a.Name, 140, false}, text{"account_number", a.AccountNumber, 28, false}); err != nil {
		return err
	}
	switch {
	case required && a.IBAN == "" && a.AccountNumber == "":
		return wrong("iban", "is missing")
	case a.IBAN != "" && a.AccountNumber+a.SortCode != "":
		return wrong("account_number", "and IBAN exclude each other")
	case a.IBAN != "" && !ibanShape.MatchString(a.IBAN), len(a.IBAN) > 34:
		return wrong("iban", "is not two letters, two digits and more capitals and digits")
	case a.SortCode != "" && (CheckSortCode(a.SortCode) != nil || !eightDigits.MatchString(a.AccountNumber)):
		return wrong("sort_code", "is not six digits with an account number of eight")
	}
	if a.BIC == "" {
		return nil
	}
	return CheckBIC(a.BIC)
}

func (e Entry) check(currency string) error {
	err := checkTexts(text{"reference", e.Reference, maxID, false}, text{"bank_reference", e.BankReference, maxID, false},
		text{"text", e.Text, 500, false}, text{"kind", e.Kind, maxID, true})
	switch {
	case err != nil:
		return err
	case e.Amount.Currency != currency || e.Amount.Minor < 0 || e.Amount.Minor > mostMinor:
		return wrong("amount", "is no amount in %s", currency)
	case e.Status != Booked && e.Status != Pending && e.Status != Information:
		return wrong("status", "%q is none of BOOK, PDNG, INFO", e.Status)
	}
	if parts := strings.Split(e.Kind, "/"); len(parts) > 1 && (len(parts) != 3 || len(parts[0]) != 4 || len(parts[1]) != 4 || len(parts[2]) != 4) {
		return wrong("kind", "is no code of three times four characters")
	}
	for i, t := range e.Transactions {
		if err := t.check(currency); err != nil {
			return within(at("transactions", i), err)
		}
	}
	return nil
}

func (t Transaction) check(currency string) error {
	err := checkTexts(text{"end_to_end_id", t.EndToEndID, maxID, false}, text{"instruction_id", t.InstructionID, maxID, false},
		text{"transaction_id", t.TransactionID, maxID, false}, text{"mandate_id", t.MandateID, maxID, false},
		text{"bank_reference", t.BankReference, maxID, false}, text{"remittance", t.Remittance, maxRemittance, false},
		text{"reference", t.Reference, maxID, false}, text{"return_reason", t.ReturnReason, 4, false},
		text{"return_text", t.ReturnText, 105, false}, text{"text", t.Text, 500, false})
	if err == nil {
		err = within("debtor", t.Debtor.checkShown(false))
	}
	if err == nil {
		err = within("creditor", t.Creditor.checkShown(false))
	}
	switch {
	case err != nil:
		return err
	case t.EndToEndID == "NOTPROVIDED":
		return wrong("end_to_end_id", "NOTPROVIDED means that there is none")
	case t.Amount.Currency != currency || t.Amount.Minor < 0 || t.Amount.Minor > mostMinor:
		return wrong("amount", "is no amount in %s", currency)
	}
	return nil
}

func (s Statement) write(x *xmlFile) {
	x.leaf("Id", s.ID)
	x.leaf("ElctrncSeqNb", s.Sequence)
	x.leaf("CreDtTm", dateTime(s.Created))
	if !s.From.IsZero() {
		x.in("FrToDt", func() {
			x.leaf("FrDtTm", dateTime(s.From))
			x.leaf("ToDtTm", dateTime(s.To.Add(24*time.Hour-time.Second)))
		})
	}
	x.in("Acct", func() {
		x.shown(s.Account)
		x.leaf("Ccy", s.Currency)
		x.leaf("Ownr/Nm", s.Account.Name)
		x.leaf("Svcr/FinInstnId/BICFI", s.Account.BIC)
	})
	x.balance("OPBD", s.Opening, s.Currency)
	x.balance("CLBD", s.Closing, s.Currency)
	for _, e := range s.Entries {
		x.in("Ntry", func() { e.write(x) })
	}
}

// shown writes the number of an account on a statement, if it has one.
func (x *xmlFile) shown(a Account) {
	x.leaf("Id/IBAN", a.IBAN)
	if a.IBAN == "" {
		x.leaf("Id/Othr/Id", a.SortCode+a.AccountNumber)
	}
}

func (x *xmlFile) balance(code string, b Balance, currency string) {
	x.in("Bal", func() {
		x.leaf("Tp/CdOrPrtry/Cd", code)
		x.signed(b.Minor, currency)
		x.leaf("Dt/Dt", isoDate(b.Date))
	})
}

// signed writes an amount and where it went.
func (x *xmlFile) signed(minor int64, currency string) {
	indicator := "CRDT"
	if minor < 0 {
		indicator, minor = "DBIT", -minor
	}
	x.amount("Amt", money.Amount{Minor: minor, Currency: currency})
	x.leaf("CdtDbtInd", indicator)
}

func direction(credit bool) string {
	if credit {
		return "CRDT"
	}
	return "DBIT"
}

func (e Entry) write(x *xmlFile) {
	x.leaf("NtryRef", e.Reference)
	x.amount("Amt", e.Amount)
	x.leaf("CdtDbtInd", direction(e.Credit))
	if e.Reversal {
		x.leaf("RvslInd", "true")
	}
	x.leaf("Sts/Cd", e.Status)
	if !e.Booked.IsZero() {
		x.leaf("BookgDt/Dt", isoDate(e.Booked))
	}
	if !e.Value.IsZero() {
		x.leaf("ValDt/Dt", isoDate(e.Value))
	}
	x.leaf("AcctSvcrRef", e.BankReference)
	x.in("BkTxCd", func() {
		if parts := strings.Split(e.Kind, "/"); len(parts) == 3 {
			x.in("Domn", func() {
				x.leaf("Cd", parts[0])
				x.in("Fmly", func() {
					x.leaf("Cd", parts[1])
					x.leaf("SubFmlyCd", parts[2])
				})
			})
		} else {
			x.leaf("Prtry/Cd", e.Kind)
		}
	})
	if len(e.Transactions) > 0 {
		x.in("NtryDtls", func() {
			if len(e.Transactions) > 1 {
				x.leaf("Btch/NbOfTxs", fmt.Sprint(len(e.Transactions)))
			}
			for _, t := range e.Transactions {
				x.in("TxDtls", func() { t.write(x) })
			}
		})
	}
	x.leaf("AddtlNtryInf", e.Text)
}

func (t Transaction) write(x *xmlFile) {
	x.in("Refs", func() {
		x.leaf("AcctSvcrRef", t.BankReference)
		x.leaf("InstrId", t.InstructionID)
		if t.EndToEndID == "" {
			x.leaf("EndToEndId", "NOTPROVIDED")
		}
		x.leaf("EndToEndId", t.EndToEndID)
		x.leaf("TxId", t.TransactionID)
		x.leaf("MndtId", t.MandateID)
	})
	x.amount("Amt", t.Amount)
	x.leaf("CdtDbtInd", direction(t.Credit))
	x.parties(t)
	if t.Remittance+t.Reference != "" {
		x.in("RmtInf", func() {
			x.leaf("Ustrd", t.Remittance)
			x.leaf("Strd/CdtrRefInf/Ref", t.Reference)
		})
	}
	if t.ReturnReason+t.ReturnText != "" {
		x.in("RtrInf", func() {
			x.leaf("Rsn/Cd", t.ReturnReason)
			x.leaf("AddtlInf", t.ReturnText)
		})
	}
	x.leaf("AddtlTxInf", t.Text)
}

func (x *xmlFile) parties(t Transaction) {
	if t.Debtor.Name+t.Debtor.IBAN+t.Debtor.AccountNumber+t.Creditor.Name+t.Creditor.IBAN+t.Creditor.AccountNumber != "" {
		x.in("RltdPties", func() {
			x.party("Dbtr", t.Debtor)
			x.party("Cdtr", t.Creditor)
		})
	}
	if t.Debtor.BIC+t.Creditor.BIC != "" {
		x.in("RltdAgts", func() {
			x.leaf("DbtrAgt/FinInstnId/BICFI", t.Debtor.BIC)
			x.leaf("CdtrAgt/FinInstnId/BICFI", t.Creditor.BIC)
		})
	}
}

func (x *xmlFile) party(name string, a Account) {
	x.leaf(name+"/Pty/Nm", a.Name)
	if a.IBAN+a.AccountNumber != "" {
		x.in(name+"Acct", func() { x.shown(a) })
	}
}
