// Package company knows the companies of the registers: it finds them by number
// or name, and takes in new editions of a register without ever interrupting the
// search. Companies are shared by all merchants.
//
// How a search works stands in search.go, how a generation of companies is
// loaded and switched in in load.go, the readers of the registers' files in
// import_*.go, and the fictional companies of the sandbox in sandbox*.go.
package company

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"tradecredit/internal/id"
)

// Kinds of identifier.
const (
	RegNumber = "reg_number"
	LEI       = "lei"
	VATNumber = "vat_number"
)

// Sector is what a company does, in a national classification such as SIC2007
// or NAF_2008.
type Sector struct {
	System string `json:"system"`
	Code   string `json:"code"`
}

// Identifier is an official number of a company. Type is one of the kinds of
// identifier above.
type Identifier struct {
	Type    string `json:"idtype"`
	Country string `json:"country"`
	Value   string `json:"value"`
}

// Company is a registered company as the API shows it, but for its url.
type Company struct {
	ID string `json:"id"`
	// Country is the alpha-2 code of the country the company is registered in.
	Country   string   `json:"country"`
	Name      string   `json:"name"`
	Address   string   `json:"address"`
	City      string   `json:"city"`
	Postcode  string   `json:"postcode"`
	LegalForm string   `json:"legal_form"`
	Sectors   []Sector `json:"sectors"`
	// CreationDate is a date such as 2018-02-20, or empty when it is not known.
	CreationDate string       `json:"creation_date"`
	Identifiers  []Identifier `json:"identifiers"`
	Email        string       `json:"email"`
	Phone        string       `json:"phone"`
	// Status is Active for a company that trades normally.
	Status string `json:"status"`
	// AccountsType is the kind of accounts last filed, as the register calls it;
	// empty when it is not known.
	AccountsType string `json:"accounts_type"`

	// Aliases are further names it is found by.
	Aliases []string `json:"-"`
	// Facts are for underwriting and never shown.
	Facts Facts `json:"-"`
}

// StatusActive is the status of a company that trades normally.
const StatusActive = "Active"

// Facts are what underwriting knows of a company beside what is shown. All of it
// may be missing.
type Facts struct {
	// CreditLimit is what the sandbox grants, in minor units of Currency. Nil
	// leaves it to the underwriting policy.
	CreditLimit *int64 `json:"credit_limit,omitempty"`
	Currency    string `json:"currency,omitempty"`
	// Rejection is what every request concerning the company is declined with in
	// the sandbox.
	Rejection *Rejection `json:"rejection,omitempty"`
	// Size is the class of size, such as MICRO, SMALL, MEDIUM, LARGE.
	Size string `json:"size,omitempty"`
	// AccountsMadeUpTo and AccountsDue are dates: of the latest accounts, and of
	// the day the next ones are due.
	AccountsMadeUpTo string `json:"accounts_made_up_to,omitempty"`
	AccountsDue      string `json:"accounts_due,omitempty"`
	// Financials are the latest known accounts.
	Financials *Financials `json:"financials,omitempty"`
}

// Rejection is a reason of the insurance document's table, with the parameters
// of its sentence.
type Rejection struct {
	Code   string            `json:"code"`
	Params map[string]string `json:"params,omitempty"`
}

// Financials are figures of a company's accounts, in minor units of Currency.
type Financials struct {
	Currency           string `json:"currency"`
	YearEnd            string `json:"year_end"`
	Turnover           int64  `json:"turnover"`
	ProfitBeforeTax    int64  `json:"profit_before_tax"`
	TotalAssets        int64  `json:"total_assets"`
	CurrentAssets      int64  `json:"current_assets"`
	CurrentLiabilities int64  `json:"current_liabilities"`
	TotalLiabilities   int64  `json:"total_liabilities"`
	Employees          int64  `json:"employees"`
}

// Number is the company's registration number in its own country, as the
// register writes it; empty when it has none.
func (c Company) Number() string {
	for _, i := range c.Identifiers {
		if i.Type == RegNumber && i.Country == c.Country {
			return i.Value
		}
	}
	return ""
}

// namespace makes the ids of companies: the same company has the same id in
// every edition of every register and in every installation.
var namespace = uuid.MustParse("5f0c3a54-0b6e-5c1d-9a77-2f6b8c1de0a4")

// ID is the id of the company that has a registration number in a country. It
// does not depend on how the number is written.
func ID(country, number string) string { return idOf(country + "/" + NumberKey(country, number)) }

func idOf(name string) string { return id.Of(id.Company, uuid.NewSHA1(namespace, []byte(name))) }

// record is how the part of a company that has no column of its own is stored.
type record struct {
	// Name is the company's name where the column holds an alias.
	Name        string       `json:"name,omitempty"`
	Number      string       `json:"number,omitempty"`
	Address     string       `json:"address,omitempty"`
	City        string       `json:"city,omitempty"`
	Postcode    string       `json:"postcode,omitempty"`
	Form        string       `json:"form,omitempty"`
	Created     string       `json:"created,omitempty"`
	Status      string       `json:"status,omitempty"`
	Accounts    string       `json:"accounts,omitempty"`
	Email       string       `json:"email,omitempty"`
	Phone       string       `json:"phone,omitempty"`
	Sectors     []string     `json:"sectors,omitempty"`
	Identifiers []Identifier `json:"identifiers,omitempty"`
	Aliases     []string     `json:"aliases,omitempty"`
	Facts       *Facts       `json:"facts,omitempty"`
}

// encode returns the stored form of what is in no column, for a row that is
// found by the given name.
func (c Company) encode(name string) (string, error) {
	r := record{
		Number: c.Number(), Address: c.Address, City: c.City, Postcode: c.Postcode, Form: c.LegalForm,
		Created: c.CreationDate, Status: c.Status, Accounts: c.AccountsType, Email: c.Email, Phone: c.Phone,
		Aliases: c.Aliases,
	}
	if name != c.Name {
		r.Name = c.Name
	}
	for _, s := range c.Sectors {
		r.Sectors = append(r.Sectors, s.System+":"+s.Code)
	}
	for _, i := range c.Identifiers {
		if i.Type != RegNumber || i.Country != c.Country || i.Value != r.Number {
			r.Identifiers = append(r.Identifiers, i)
		}
	}
	if c.Facts != (Facts{}) {
		r.Facts = &c.Facts
	}
	b, err := json.Marshal(r)
	return string(b), err
}

// decode is the inverse of encode. Lists are never nil: the API shows them as [].
func decode(id, country, name, data string) (Company, error) {
	var r record
	if err := json.Unmarshal([]byte(data), &r); err != nil {
		return Company{}, fmt.Errorf("company %s: %w", id, err)
	}
	c := Company{
		ID: id, Country: country, Name: name, Address: r.Address, City: r.City, Postcode: r.Postcode,
		LegalForm: r.Form, CreationDate: r.Created, Status: r.Status, AccountsType: r.Accounts,
		Email: r.Email, Phone: r.Phone, Aliases: r.Aliases,
		Sectors: []Sector{}, Identifiers: []Identifier{},
	}
	if r.Name != "" {
		c.Name = r.Name
	}
	if r.Number != "" {
		c.Identifiers = append(c.Identifiers, Identifier{RegNumber, country, r.Number})
	}
	c.Identifiers = append(c.Identifiers, r.Identifiers...)
	for _, s := range r.Sectors {
		system, code, _ := strings.Cut(s, ":")
		c.Sectors = append(c.Sectors, Sector{system, code})
	}
	if r.Facts != nil {
		c.Facts = *r.Facts
	}
	return c, nil
}

// Confidence is how sure a match is, in thousandths: 1000 is certain. In JSON it
// is a number from 0 to 1.
type Confidence int

// MarshalJSON implements json.Marshaler.
func (c Confidence) MarshalJSON() ([]byte, error) {
	s := fmt.Sprintf("%d.%03d", int(c)/1000, int(c)%1000)
	s = strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
	return []byte(s), nil
}

// JSONSchema says what a confidence looks like.
func (c Confidence) JSONSchema() map[string]any {
	return map[string]any{"type": "number", "minimum": 0, "maximum": 1}
}

// UnmarshalJSON implements json.Unmarshaler.
func (c *Confidence) UnmarshalJSON(b []byte) error {
	whole, part, _ := strings.Cut(string(b), ".")
	n, err := strconv.Atoi(whole + (part + "000")[:3])
	*c = Confidence(n)
	return err
}

// Match is a company that a search found.
type Match struct {
	Company
	// Confidence is never nil in what Search returns.
	Confidence *Confidence `json:"confidence"`
}
