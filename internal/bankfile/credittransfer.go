package bankfile

import (
	"io"
	"time"

	"tradecredit/internal/money"
)

// CreditTransfer is one message to a bank that asks it to pay: pain.001.
type CreditTransfer struct {
	// MessageID is different for every message to a bank, 35 characters at most.
	MessageID string
	Created   time.Time
	// Initiator is the name of who sends the message, InitiatorID how the bank
	// knows it, where the bank wants to be told.
	Initiator   string
	InitiatorID string
	// Older writes version 3 of the message, for banks that do not take version 9.
	Older   bool
	Batches []TransferBatch
}

// TransferBatch are the payments from one account on one day, in one currency.
type TransferBatch struct {
	// ID is different for every batch of a message, 35 characters at most.
	ID     string
	Debtor Account
	// Execution is the date on which the bank is to pay.
	Execution time.Time
	// Booked as one: the account statement shows the sum instead of each payment.
	BookedAsOne bool
	Transfers   []Transfer
}

// Transfer is one payment.
type Transfer struct {
	// EndToEndID goes with the money to the creditor and comes back in reports; it
	// is different for every payment of a message, 35 characters at most.
	EndToEndID string
	Amount     money.Amount
	Creditor   Account
	// Remittance is what the creditor reads: 140 characters of it at most.
	Remittance string
	// Reference is a reference that the creditor gave, instead of Remittance.
	Reference string
}

func (t Transfer) check(currency string) error {
	if err := checkID("end_to_end_id", t.EndToEndID, maxID); err != nil {
		return err
	}
	if err := checkAmount(t.Amount); err != nil {
		return err
	}
	if t.Amount.Currency != currency {
		return wrong("amount", "is in %s and not in %s like others of the batch", t.Amount.Currency, currency)
	}
	if err := checkParty(t.Creditor, currency); err != nil {
		return within("creditor", err)
	}
	if t.Reference == "" {
		return nil
	}
	if t.Remittance != "" {
		return wrong("reference", "excludes a remittance text")
	}
	return checkID("reference", t.Reference, maxID)
}

// checkParty checks an account of either side. In euro it is known by IBAN.
func checkParty(a Account, currency string) error {
	if currency == "EUR" {
		return a.CheckIBAN()
	}
	return a.Check()
}

func (b TransferBatch) check(ids seen) error {
	if err := checkID("id", b.ID, maxID); err != nil {
		return err
	}
	if err := checkDate("execution", b.Execution); err != nil {
		return err
	}
	if len(b.Transfers) == 0 {
		return wrong("transfers", "is empty")
	}
	currency := b.Transfers[0].Amount.Currency
	for i, t := range b.Transfers {
		if err := t.check(currency); err != nil {
			return within(at("transfers", i), err)
		}
		if err := ids.add("end_to_end_id", t.EndToEndID); err != nil {
			return within(at("transfers", i), err)
		}
	}
	if err := checkParty(b.Debtor, currency); err != nil {
		return within("debtor", err)
	}
	return nil
}

// Check tells what is wrong with a message, with a FieldError.
func (m CreditTransfer) Check() error {
	_, _, err := m.check()
	return err
}

// check returns the sums of the message and of its batches.
func (m CreditTransfer) check() (*sum, []*sum, error) {
	if err := m.header().check(); err != nil {
		return nil, nil, err
	}
	if len(m.Batches) == 0 {
		return nil, nil, wrong("batches", "is empty")
	}
	ids, batchIDs := seen{}, seen{}
	var currencies []string
	for i, b := range m.Batches {
		if err := b.check(ids); err != nil {
			return nil, nil, within(at("batches", i), err)
		}
		if err := batchIDs.add("id", b.ID); err != nil {
			return nil, nil, within(at("batches", i), err)
		}
		currencies = append(currencies, b.Transfers[0].Amount.Currency)
	}
	total, parts := sumOf(currencies...), make([]*sum, len(m.Batches))
	for i, b := range m.Batches {
		parts[i] = sumOf(currencies[i])
		for _, t := range b.Transfers {
			if err := parts[i].add(t.Amount); err != nil {
				return nil, nil, within(at("batches", i), err)
			}
			if err := total.add(t.Amount); err != nil {
				return nil, nil, within(at("batches", i), err)
			}
		}
	}
	return total, parts, nil
}

func (m CreditTransfer) header() header {
	return header{messageID: m.MessageID, created: m.Created, initiator: m.Initiator, initiatorID: m.InitiatorID}
}

// Write writes the message as pain.001.001.09, or .03. Names and texts are
// written as SEPAText has them; what cannot be mended is a FieldError, and then
// nothing was written. The same message makes the same file.
func (m CreditTransfer) Write(w io.Writer) error {
	total, parts, err := m.check()
	if err != nil {
		return err
	}
	message, bicTag := "pain.001.001.09", "BICFI"
	if m.Older {
		message, bicTag = "pain.001.001.03", "BIC"
	}
	return document(w, message, func(x *xmlFile) {
		x.in("CstmrCdtTrfInitn", func() {
			m.header().write(x, total)
			for i, b := range m.Batches {
				x.in("PmtInf", func() { b.write(x, parts[i], m.Older, bicTag) })
			}
		})
	})
}

func (b TransferBatch) write(x *xmlFile, total *sum, older bool, bicTag string) {
	sepa := b.Transfers[0].Amount.Currency == "EUR"
	x.leaf("PmtInfId", b.ID)
	x.leaf("PmtMtd", "TRF")
	x.leaf("BtchBookg", boolean(b.BookedAsOne))
	total.write(x)
	if sepa {
		x.leaf("PmtTpInf/SvcLvl/Cd", "SEPA")
	}
	if older {
		x.leaf("ReqdExctnDt", isoDate(b.Execution))
	} else {
		x.leaf("ReqdExctnDt/Dt", isoDate(b.Execution))
	}
	x.leaf("Dbtr/Nm", sepaName(b.Debtor.Name))
	x.account("DbtrAcct", b.Debtor)
	x.agent("DbtrAgt", b.Debtor, bicTag)
	if sepa {
		x.leaf("ChrgBr", "SLEV")
	} else {
		x.leaf("ChrgBr", "SHAR")
	}
	for _, t := range b.Transfers {
		x.in("CdtTrfTxInf", func() { t.write(x, bicTag) })
	}
}

func (t Transfer) write(x *xmlFile, bicTag string) {
	x.leaf("PmtId/EndToEndId", t.EndToEndID)
	x.in("Amt", func() { x.amount("InstdAmt", t.Amount) })
	if t.Creditor.BIC != "" || t.Creditor.IBAN == "" {
		x.agent("CdtrAgt", t.Creditor, bicTag)
	}
	x.leaf("Cdtr/Nm", sepaName(t.Creditor.Name))
	x.account("CdtrAcct", t.Creditor)
	x.remittance(t.Remittance, t.Reference)
}

func boolean(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
