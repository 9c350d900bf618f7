package bankfile

import (
	"io"
	"slices"
	"time"

	"tradecredit/internal/money"
)

// Scheme is one of the two direct debit schemes of SEPA.
type Scheme string

// The schemes. Debits of CORE can be taken back for eight weeks; those of B2B,
// which is for businesses only and needs the payer's bank to know the mandate,
// cannot.
const (
	Core Scheme = "CORE"
	B2B  Scheme = "B2B"
)

// Sequence is which of the debits of a mandate one is.
type Sequence string

// The sequences: first of several, one of several, last of several, the only one.
const (
	First     Sequence = "FRST"
	Recurring Sequence = "RCUR"
	Final     Sequence = "FNAL"
	OneOff    Sequence = "OOFF"
)

// DirectDebit is one message to a bank that asks it to collect: pain.008.
type DirectDebit struct {
	// MessageID is different for every message to a bank, 35 characters at most.
	MessageID string
	Created   time.Time
	// Initiator and InitiatorID are those of CreditTransfer.
	Initiator   string
	InitiatorID string
	Batches     []CollectionBatch
}

// CollectionBatch are the debits of one kind for one account on one day.
type CollectionBatch struct {
	// ID is different for every batch of a message, 35 characters at most.
	ID       string
	Creditor Account
	// CreditorID is the creditor identifier of SEPA, as CheckCreditorID wants it.
	CreditorID string
	Scheme     Scheme
	Sequence   Sequence
	// Collection is the date on which the payers' accounts are to be debited: a
	// business day of TARGET2, at least one ahead of the banks' deadline.
	Collection  time.Time
	BookedAsOne bool
	Collections []Collection
}

// Collection is one debit.
type Collection struct {
	// EndToEndID comes back in reports and returns; it is different for every debit
	// of a message, 35 characters at most.
	EndToEndID string
	// Amount is in euro.
	Amount  money.Amount
	Debtor  Account
	Mandate Mandate
	// Remittance is what the payer reads: 140 characters of it at most.
	Remittance string
}

// Mandate is the payer's permission to debit an account.
type Mandate struct {
	// ID is the unique mandate reference, 35 characters at most.
	ID string
	// Signed is the date of the signature.
	Signed time.Time
}

func (c Collection) check(collection time.Time) error {
	if err := checkID("end_to_end_id", c.EndToEndID, maxID); err != nil {
		return err
	}
	if err := checkAmount(c.Amount); err != nil {
		return err
	}
	if c.Amount.Currency != "EUR" {
		return wrong("amount", "is in %s; SEPA collects euro", c.Amount.Currency)
	}
	if err := c.Debtor.CheckIBAN(); err != nil {
		return within("debtor", err)
	}
	if err := checkID("id", c.Mandate.ID, maxID); err != nil {
		return within("mandate", err)
	}
	if err := checkDate("signed", c.Mandate.Signed); err != nil {
		return within("mandate", err)
	}
	if isoDate(c.Mandate.Signed) > isoDate(collection) {
		return wrong("mandate.signed", "is after the collection")
	}
	return nil
}

func (b CollectionBatch) check(ids seen) error {
	if err := checkID("id", b.ID, maxID); err != nil {
		return err
	}
	if err := b.Creditor.CheckIBAN(); err != nil {
		return within("creditor", err)
	}
	if err := CheckCreditorID(b.CreditorID); err != nil {
		return err
	}
	if !slices.Contains([]Scheme{Core, B2B}, b.Scheme) {
		return wrong("scheme", "%q is neither CORE nor B2B", b.Scheme)
	}
	if !slices.Contains([]Sequence{First, Recurring, Final, OneOff}, b.Sequence) {
		return wrong("sequence", "%q is none of FRST, RCUR, FNAL, OOFF", b.Sequence)
	}
	if err := checkDate("collection", b.Collection); err != nil {
		return err
	}
	if len(b.Collections) == 0 {
		return wrong("collections", "is empty")
	}
	for i, c := range b.Collections {
		if err := c.check(b.Collection); err != nil {
			return within(at("collections", i), err)
		}
		if err := ids.add("end_to_end_id", c.EndToEndID); err != nil {
			return within(at("collections", i), err)
		}
	}
	return nil
}

// Check tells what is wrong with a message, with a FieldError.
func (m DirectDebit) Check() error {
	_, _, err := m.check()
	return err
}

func (m DirectDebit) check() (*sum, []*sum, error) {
	if err := m.header().check(); err != nil {
		return nil, nil, err
	}
	if len(m.Batches) == 0 {
		return nil, nil, wrong("batches", "is empty")
	}
	ids, batchIDs := seen{}, seen{}
	total, parts := sumOf("EUR"), make([]*sum, len(m.Batches))
	for i, b := range m.Batches {
		if err := b.check(ids); err != nil {
			return nil, nil, within(at("batches", i), err)
		}
		if err := batchIDs.add("id", b.ID); err != nil {
			return nil, nil, within(at("batches", i), err)
		}
		parts[i] = sumOf("EUR")
		for _, c := range b.Collections {
			if err := parts[i].add(c.Amount); err != nil {
				return nil, nil, within(at("batches", i), err)
			}
			if err := total.add(c.Amount); err != nil {
				return nil, nil, within(at("batches", i), err)
			}
		}
	}
	return total, parts, nil
}

func (m DirectDebit) header() header {
	return header{messageID: m.MessageID, created: m.Created, initiator: m.Initiator, initiatorID: m.InitiatorID}
}

// Write writes the message as pain.008.001.08, under the rules of
// CreditTransfer.Write.
func (m DirectDebit) Write(w io.Writer) error {
	total, parts, err := m.check()
	if err != nil {
		return err
	}
	return document(w, "pain.008.001.08", func(x *xmlFile) {
		x.in("CstmrDrctDbtInitn", func() {
			m.header().write(x, total)
			for i, b := range m.Batches {
				x.in("PmtInf", func() { b.write(x, parts[i]) })
			}
		})
	})
}

func (b CollectionBatch) write(x *xmlFile, total *sum) {
	x.leaf("PmtInfId", b.ID)
	x.leaf("PmtMtd", "DD")
	x.leaf("BtchBookg", boolean(b.BookedAsOne))
	total.write(x)
	x.in("PmtTpInf", func() {
		x.leaf("SvcLvl/Cd", "SEPA")
		x.leaf("LclInstrm/Cd", string(b.Scheme))
		x.leaf("SeqTp", string(b.Sequence))
	})
	x.leaf("ReqdColltnDt", isoDate(b.Collection))
	x.leaf("Cdtr/Nm", sepaName(b.Creditor.Name))
	x.account("CdtrAcct", b.Creditor)
	x.agent("CdtrAgt", b.Creditor, "BICFI")
	x.leaf("ChrgBr", "SLEV")
	x.in("CdtrSchmeId", func() {
		x.in("Id", func() {
			x.in("PrvtId", func() {
				x.in("Othr", func() {
					x.leaf("Id", b.CreditorID)
					x.leaf("SchmeNm/Prtry", "SEPA")
				})
			})
		})
	})
	for _, c := range b.Collections {
		x.in("DrctDbtTxInf", func() { c.write(x) })
	}
}

func (c Collection) write(x *xmlFile) {
	x.leaf("PmtId/EndToEndId", c.EndToEndID)
	x.amount("InstdAmt", c.Amount)
	x.in("DrctDbtTx", func() {
		x.in("MndtRltdInf", func() {
			x.leaf("MndtId", c.Mandate.ID)
			x.leaf("DtOfSgntr", isoDate(c.Mandate.Signed))
		})
	})
	x.agent("DbtrAgt", c.Debtor, "BICFI")
	x.leaf("Dbtr/Nm", sepaName(c.Debtor.Name))
	x.account("DbtrAcct", c.Debtor)
	x.remittance(c.Remittance, "")
}
