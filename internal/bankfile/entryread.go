package bankfile

import (
	"fmt"
	"strings"
)

// entryXML is an entry of a statement, as versions .02 and .08 have it.
type entryXML struct {
	NtryRef string
	Amt     amountXML
	Ind     string `xml:"CdtDbtInd"`
	Rvsl    string `xml:"RvslInd"`
	Sts     struct {
		Text string `xml:",chardata"`
		Cd   string
	}
	BookgDt dateXML
	ValDt   dateXML
	Ref     string `xml:"AcctSvcrRef"`
	Kind    struct {
		Domain string `xml:"Domn>Cd"`
		Family string `xml:"Domn>Fmly>Cd"`
		Sub    string `xml:"Domn>Fmly>SubFmlyCd"`
		Own    string `xml:"Prtry>Cd"`
	} `xml:"BkTxCd"`
	Details []transactionXML `xml:"NtryDtls>TxDtls"`
	Text    string           `xml:"AddtlNtryInf"`
}

type transactionXML struct {
	Refs struct {
		AcctSvcrRef string
		InstrId     string
		EndToEndId  string
		TxId        string
		MndtId      string
	}
	Amt   *amountXML
	Ind   string     `xml:"CdtDbtInd"`
	TxAmt *amountXML `xml:"AmtDtls>TxAmt>Amt"`

	Debtor          partyXML   `xml:"RltdPties>Dbtr"`
	DebtorAccount   accountXML `xml:"RltdPties>DbtrAcct"`
	Creditor        partyXML   `xml:"RltdPties>Cdtr"`
	CreditorAccount accountXML `xml:"RltdPties>CdtrAcct"`
	DebtorAgent     agentXML   `xml:"RltdAgts>DbtrAgt>FinInstnId"`
	CreditorAgent   agentXML   `xml:"RltdAgts>CdtrAgt>FinInstnId"`

	Ustrd     []string `xml:"RmtInf>Ustrd"`
	Reference string   `xml:"RmtInf>Strd>CdtrRefInf>Ref"`

	ReturnCode string   `xml:"RtrInf>Rsn>Cd"`
	ReturnOwn  string   `xml:"RtrInf>Rsn>Prtry"`
	ReturnText []string `xml:"RtrInf>AddtlInf"`
	Text       string   `xml:"AddtlTxInf"`
}

func (in entryXML) entry() (Entry, error) {
	e := Entry{
		Reference: strings.TrimSpace(in.NtryRef), BankReference: strings.TrimSpace(in.Ref),
		Status: strings.TrimSpace(in.Sts.Cd), Text: strings.TrimSpace(in.Text), Kind: in.kind(),
	}
	if e.Status == "" {
		e.Status = strings.TrimSpace(in.Sts.Text)
	}
	var err error
	if e.Amount, err = in.Amt.amount(); err != nil {
		return e, err
	}
	if e.Credit, err = credit(in.Ind); err != nil {
		return e, err
	}
	if e.Reversal, err = readBool(in.Rvsl); err != nil {
		return e, err
	}
	if e.Booked, err = readDate(in.BookgDt.text()); err != nil {
		return e, fmt.Errorf("booking date: %w", err)
	}
	if e.Value, err = readDate(in.ValDt.text()); err != nil {
		return e, fmt.Errorf("value date: %w", err)
	}
	for i, t := range in.Details {
		tx, err := t.transaction(e)
		if err != nil {
			return e, fmt.Errorf("transaction %d: %w", i+1, err)
		}
		e.Transactions = append(e.Transactions, tx)
	}
	if len(e.Transactions) == 1 && e.Transactions[0].Amount.Currency == "" {
		e.Transactions[0].Amount = e.Amount
	}
	return e, nil
}

func (in entryXML) kind() string {
	if in.Kind.Domain == "" {
		return strings.TrimSpace(in.Kind.Own)
	}
	return strings.TrimSpace(in.Kind.Domain) + "/" + strings.TrimSpace(in.Kind.Family) + "/" + strings.TrimSpace(in.Kind.Sub)
}

func (in transactionXML) transaction(e Entry) (Transaction, error) {
	t := Transaction{
		Credit:     e.Credit,
		EndToEndID: strings.TrimSpace(in.Refs.EndToEndId), InstructionID: strings.TrimSpace(in.Refs.InstrId),
		TransactionID: strings.TrimSpace(in.Refs.TxId), MandateID: strings.TrimSpace(in.Refs.MndtId),
		BankReference: strings.TrimSpace(in.Refs.AcctSvcrRef),
		Debtor:        in.DebtorAccount.account(in.Debtor.Nm + in.Debtor.Pty.Nm),
		Creditor:      in.CreditorAccount.account(in.Creditor.Nm + in.Creditor.Pty.Nm),
		Remittance:    joined(in.Ustrd), Reference: strings.TrimSpace(in.Reference),
		ReturnReason: strings.TrimSpace(in.ReturnCode), ReturnText: joined(in.ReturnText),
		Text: strings.TrimSpace(in.Text),
	}
	t.Debtor.BIC, t.Creditor.BIC = in.DebtorAgent.bic(), in.CreditorAgent.bic()
	if t.EndToEndID == "NOTPROVIDED" {
		t.EndToEndID = ""
	}
	if t.ReturnReason == "" {
		t.ReturnReason = strings.TrimSpace(in.ReturnOwn)
	}
	var err error
	if in.Ind != "" {
		if t.Credit, err = credit(in.Ind); err != nil {
			return t, err
		}
	}
	// The amount of the transaction in the entry's currency; what was instructed in
	// another one does not add up to the entry.
	for _, a := range []*amountXML{in.Amt, in.TxAmt} {
		if t.Amount.Currency == "" && a != nil && a.Currency == e.Amount.Currency {
			if t.Amount, err = a.amount(); err != nil {
				return t, err
			}
		}
	}
	return t, nil
}

func readBool(text string) (bool, error) {
	switch strings.TrimSpace(text) {
	case "true", "1":
		return true, nil
	case "", "false", "0":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", text)
}
