package bankfile

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
)

// Status is a bank's answer to a message, a batch or a payment, in its own code.
type Status string

// Rejected tells whether the payment will not be made.
func (s Status) Rejected() bool { return s == "RJCT" || s == "CANC" }

// Accepted tells whether the bank has taken the payment on, though it may not have
// made it yet.
func (s Status) Accepted() bool {
	return slices.Contains([]Status{"ACCP", "ACSP", "ACSC", "ACCC", "ACTC", "ACWC", "ACWP"}, s)
}

// StatusReason is why a bank gave its answer.
type StatusReason struct {
	// Code is of ISO 20022, such as AC01 or AM04, or the bank's own.
	Code string
	Text string
}

// PaymentStatus is the answer to one payment, or, without EndToEndID, to a whole
// batch.
type PaymentStatus struct {
	BatchID       string
	EndToEndID    string
	InstructionID string
	Status        Status
	Reasons       []StatusReason
}

// StatusReport is the answer to a whole message: pain.002.
type StatusReport struct {
	MessageID string
	Created   time.Time
	// OriginalMessageID is that of the CreditTransfer or DirectDebit.
	OriginalMessageID string
	// OriginalMessage is its kind, such as pain.001.001.09.
	OriginalMessage string
	// Status may be empty, or PART: then those of the payments count.
	Status  Status
	Reasons []StatusReason
}

// mostReasons a bank may give for one batch.
const mostReasons = 1000

type reasonXML struct {
	Cd    string   `xml:"Rsn>Cd"`
	Prtry string   `xml:"Rsn>Prtry"`
	Text  []string `xml:"AddtlInf"`
}

func reasons(in []reasonXML) []StatusReason {
	var out []StatusReason
	for _, r := range in {
		code := strings.TrimSpace(r.Cd)
		if code == "" {
			code = strings.TrimSpace(r.Prtry)
		}
		out = append(out, StatusReason{Code: code, Text: joined(r.Text)})
	}
	return out
}

type statusXML struct {
	header struct {
		MsgId   string
		CreDtTm string
	}
	group struct {
		OrgnlMsgId   string
		OrgnlMsgNmId string
		GrpSts       string
		StsRsnInf    []reasonXML
	}
	payment struct {
		OrgnlInstrId    string
		OrgnlEndToEndId string
		TxSts           string
		StsRsnInf       []reasonXML
	}
	text   string
	reason reasonXML
}

// ReadStatus reads a report and calls each for every payment in it, and for every
// batch to which the bank answers as a whole, before its payments. It fails with
// the first error of each.
func ReadStatus(r io.Reader, each func(PaymentStatus) error) (StatusReport, error) {
	d := newDecoder(r)
	var report StatusReport
	root, original := false, false
	err := d.walk(func(start xml.StartElement) error {
		if !root {
			root = true
			return checkRoot(start, "pain.002.001.")
		}
		var in statusXML
		switch start.Name.Local {
		case "GrpHdr":
			return d.read(&in.header, start, func() (err error) {
				report.MessageID = strings.TrimSpace(in.header.MsgId)
				report.Created, err = readTime(in.header.CreDtTm)
				return err
			})
		case "OrgnlGrpInfAndSts":
			original = true
			return d.read(&in.group, start, func() error {
				report.OriginalMessageID = strings.TrimSpace(in.group.OrgnlMsgId)
				report.OriginalMessage = strings.TrimSpace(in.group.OrgnlMsgNmId)
				report.Status = Status(strings.TrimSpace(in.group.GrpSts))
				report.Reasons = reasons(in.group.StsRsnInf)
				return nil
			})
		case "OrgnlPmtInfAndSts":
			return batchStatus(d, each)
		case "CstmrPmtStsRpt":
			return nil
		}
		return d.Skip()
	})
	if err == nil && !original {
		err = errors.New("bankfile: the report does not say which message it is about")
	}
	return report, err
}

// batchStatus reads the answers of one batch.
func batchStatus(d *decoder, each func(PaymentStatus) error) error {
	var batch PaymentStatus
	told := false
	tell := func() error {
		if told || batch.Status == "" {
			return nil
		}
		told = true
		return each(batch)
	}
	for {
		token, err := d.Token()
		if err != nil {
			return noEOF(err)
		}
		if _, ok := token.(xml.EndElement); ok {
			return tell()
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		d.part()
		var in statusXML
		switch start.Name.Local {
		case "OrgnlPmtInfId":
			err = d.read(&in.text, start, func() error { batch.BatchID = strings.TrimSpace(in.text); return nil })
		case "PmtInfSts":
			err = d.read(&in.text, start, func() error { batch.Status = Status(strings.TrimSpace(in.text)); return nil })
		case "StsRsnInf":
			err = d.read(&in.reason, start, func() error {
				if len(batch.Reasons) == mostReasons {
					return ErrTooLarge
				}
				batch.Reasons = append(batch.Reasons, reasons([]reasonXML{in.reason})...)
				return nil
			})
		case "TxInfAndSts":
			if err = tell(); err == nil {
				err = d.read(&in.payment, start, func() error { return each(in.status(batch)) })
			}
		default:
			err = d.Skip()
		}
		if err != nil {
			return err
		}
	}
}

func (in statusXML) status(batch PaymentStatus) PaymentStatus {
	return PaymentStatus{
		BatchID: batch.BatchID, EndToEndID: strings.TrimSpace(in.payment.OrgnlEndToEndId),
		InstructionID: strings.TrimSpace(in.payment.OrgnlInstrId),
		Status:        Status(strings.TrimSpace(in.payment.TxSts)), Reasons: reasons(in.payment.StsRsnInf),
	}
}
