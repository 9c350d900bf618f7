package bankfile

import (
	"strconv"
	"time"

	"tradecredit/internal/money"
)

// mostSEPA is the largest amount of a payment in SEPA, in cents.
const mostSEPA = 999_999_999_99

// mostMinor is the largest amount that is written in any currency: with five
// decimals it has the 18 digits that messages of ISO 20022 carry at most, with
// some to spare.
const mostMinor = 999_999_999_999_999

// checkAmount tells what is wrong with the amount of one payment. In euro the
// limits of SEPA hold.
func checkAmount(a money.Amount) error {
	switch _, ok := money.Exponent(a.Currency); {
	case !ok:
		return wrong("amount", "%q is no currency that is known", a.Currency)
	case a.Minor <= 0:
		return wrong("amount", "is not above zero")
	case a.Currency == "EUR" && a.Minor > mostSEPA:
		return wrong("amount", "is above 999999999.99")
	case a.Minor > mostMinor:
		return wrong("amount", "has too many digits")
	}
	return nil
}

// checkDate tells what is wrong with a date.
func checkDate(field string, t time.Time) error {
	if t.IsZero() || t.Year() < 1970 || t.Year() > 9999 {
		return wrong(field, "is missing")
	}
	return nil
}

// sum counts payments and adds them up in one unit for all currencies: the
// control sum of a message does not tell currencies apart.
type sum struct {
	places int
	n      int
	total  int64
}

// sumOf starts a sum of amounts in these currencies.
func sumOf(currencies ...string) *sum {
	s := &sum{}
	for _, c := range currencies {
		if places, ok := money.Exponent(c); ok {
			s.places = max(s.places, places)
		}
	}
	return s
}

// add takes in one amount of a known currency.
func (s *sum) add(a money.Amount) error {
	places, _ := money.Exponent(a.Currency)
	minor, err := a.Minor, error(nil)
	for ; places < s.places && err == nil; places++ {
		minor, err = money.CheckedMul(minor, 10)
	}
	if err == nil {
		s.total, err = money.CheckedAdd(s.total, minor)
	}
	// A control sum has 18 digits at most.
	if err != nil || s.total > 999_999_999_999_999_999 {
		return wrong("amount", "the sum of all has too many digits")
	}
	s.n++
	return nil
}

// write writes the two elements by which a bank checks that nothing was lost.
func (s *sum) write(x *xmlFile) {
	x.leaf("NbOfTxs", strconv.Itoa(s.n))
	x.leaf("CtrlSum", money.FormatFixed(s.total, s.places))
}

// seen refuses what comes twice.
type seen map[string]bool

func (s seen) add(field, id string) error {
	if s[id] {
		return wrong(field, "%s is there twice", id)
	}
	s[id] = true
	return nil
}

// header is the beginning of both kinds of message to the bank.
type header struct {
	messageID, initiator, initiatorID string
	created                           time.Time
}

func (h header) check() error {
	if err := checkID("message_id", h.messageID, maxID); err != nil {
		return err
	}
	if err := checkDate("created", h.created); err != nil {
		return err
	}
	if h.initiatorID != "" {
		if err := checkID("initiator_id", h.initiatorID, maxID); err != nil {
			return err
		}
	}
	if !readable(sepaName(h.initiator)) {
		return wrong("initiator", "has no letter that a bank file can carry")
	}
	return nil
}

func (h header) write(x *xmlFile, total *sum) {
	x.in("GrpHdr", func() {
		x.leaf("MsgId", h.messageID)
		x.leaf("CreDtTm", dateTime(h.created))
		total.write(x)
		x.in("InitgPty", func() {
			x.leaf("Nm", sepaName(h.initiator))
			x.leaf("Id/OrgId/Othr/Id", h.initiatorID)
		})
	})
}
