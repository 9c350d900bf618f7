package bankfile

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// FieldError says which field is wrong, by its name in JSON, and why.
type FieldError struct {
	Field  string
	Reason string
}

// Error implements error.
func (e *FieldError) Error() string { return e.Field + ": " + e.Reason }

func wrong(field, format string, args ...any) *FieldError {
	return &FieldError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// within puts the field of an error below a place, as in "debtor.iban".
func within(place string, err error) error {
	if e, ok := err.(*FieldError); ok {
		return &FieldError{Field: place + "." + e.Field, Reason: e.Reason}
	}
	return err
}

func at(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// Account is an account with its holder: by IBAN, or in the United Kingdom by
// sort code and account number. Codes are without spaces and in capitals, as
// Normalise makes them.
type Account struct {
	// Name is the holder's. Files carry as much of it as their format allows.
	Name string `json:"name"`
	IBAN string `json:"iban,omitempty"`
	// BIC is optional; with an IBAN banks find it out themselves.
	BIC           string `json:"bic,omitempty"`
	SortCode      string `json:"sort_code,omitempty"`
	AccountNumber string `json:"account_number,omitempty"`
}

// Normalise removes what people write into codes for the eye.
func (a Account) Normalise() Account {
	plain := strings.NewReplacer(" ", "", "-", "", "\u00a0", "", ".", "").Replace
	a.Name = strings.TrimSpace(a.Name)
	a.IBAN, a.BIC = strings.ToUpper(plain(a.IBAN)), strings.ToUpper(plain(a.BIC))
	a.SortCode, a.AccountNumber = plain(a.SortCode), plain(a.AccountNumber)
	return a
}

// Check tells what is wrong with an account that is to be paid to or from by any
// kind of file.
func (a Account) Check() error {
	if a.IBAN == "" && a.SortCode+a.AccountNumber != "" {
		return a.CheckUK()
	}
	return a.CheckIBAN()
}

// CheckIBAN tells what is wrong with an account that is to be known by its IBAN,
// as in SEPA.
func (a Account) CheckIBAN() error {
	if err := checkName(a.Name, sepaName); err != nil {
		return err
	}
	if err := CheckIBAN(a.IBAN); err != nil {
		return err
	}
	if a.BIC == "" {
		return nil
	}
	return CheckBIC(a.BIC)
}

// CheckUK tells what is wrong with an account that is to be known by sort code and
// account number. Whether the two belong together only the bank knows: the rules
// for that (modulus checking) differ from bank to bank and change every month.
func (a Account) CheckUK() error {
	if err := checkName(a.Name, bacsName); err != nil {
		return err
	}
	if err := CheckSortCode(a.SortCode); err != nil {
		return err
	}
	return CheckAccountNumber(a.AccountNumber)
}

func checkName(name string, clean func(string) string) error {
	if strings.TrimSpace(name) == "" {
		return wrong("name", "is missing")
	}
	if !readable(clean(name)) {
		return wrong("name", "has no letter that a bank file can carry")
	}
	return nil
}

// ibanLengths of the countries of SEPA.
var ibanLengths = map[string]int{
	"AD": 24, "AL": 28, "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18,
	"EE": 20, "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GI": 23, "GR": 27, "HR": 21, "HU": 28, "IE": 22,
	"IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19,
	"MT": 31, "NL": 18, "NO": 15, "PL": 28, "PT": 25, "RO": 24, "RS": 22, "SE": 24, "SI": 19, "SK": 24,
	"SM": 27, "VA": 22,
}

var (
	ibanShape     = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[A-Z0-9]+$`)
	bicShape      = regexp.MustCompile(`^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$`)
	creditorShape = regexp.MustCompile(`^[A-Z]{2}[0-9]{2}[A-Z0-9]{3}[A-Z0-9]{1,28}$`)
	sixDigits     = regexp.MustCompile(`^[0-9]{6}$`)
	eightDigits   = regexp.MustCompile(`^[0-9]{8}$`)
)

// CheckIBAN checks shape, country, length and check digits of an IBAN.
func CheckIBAN(iban string) error {
	switch {
	case iban == "":
		return wrong("iban", "is missing")
	case !ibanShape.MatchString(iban):
		return wrong("iban", "is not two letters, two digits and more capitals and digits")
	}
	length, ok := ibanLengths[iban[:2]]
	switch {
	case !ok:
		return wrong("iban", "%s is no country of SEPA", iban[:2])
	case len(iban) != length:
		return wrong("iban", "has %d characters; in %s it has %d", len(iban), iban[:2], length)
	case mod97(iban[4:]+iban[:4]) != 1:
		return wrong("iban", "has wrong check digits")
	}
	return nil
}

// CheckBIC checks the shape of a BIC: 8 or 11 characters with a country.
func CheckBIC(bic string) error {
	if !bicShape.MatchString(bic) {
		return wrong("bic", "is not 8 or 11 capitals and digits with a country in the middle")
	}
	return nil
}

// CheckSortCode checks the shape of a British sort code.
func CheckSortCode(code string) error {
	if !sixDigits.MatchString(code) || code == "000000" {
		return wrong("sort_code", "is not six digits")
	}
	return nil
}

// CheckAccountNumber checks the shape of a British account number. Shorter ones
// are written with zeros in front.
func CheckAccountNumber(number string) error {
	if !eightDigits.MatchString(number) || number == "00000000" {
		return wrong("account_number", "is not eight digits")
	}
	return nil
}

// CheckCreditorID checks shape and check digits of a SEPA creditor identifier. The
// business code, its fifth to seventh characters, does not count.
func CheckCreditorID(id string) error {
	switch {
	case !creditorShape.MatchString(id):
		return wrong("creditor_id", "is not two letters, two digits, a business code of three and a national identifier")
	case mod97(id[7:]+id[:4]) != 1:
		return wrong("creditor_id", "has wrong check digits")
	}
	return nil
}

// mod97 is the remainder of ISO 7064: letters count as 10 to 35.
func mod97(s string) int {
	r := 0
	for _, c := range []byte(s) {
		if c >= 'A' {
			r = (r*100 + int(c-'A') + 10) % 97
		} else {
			r = (r*10 + int(c-'0')) % 97
		}
	}
	return r
}
