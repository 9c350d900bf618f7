// Package party keeps who buys on a merchant's platform: users, the
// organisations that group them, and sole traders.
//
// Everything here belongs to one merchant; another merchant's objects do not
// exist for it.
package party

import (
	"strings"
	"time"
)

// Role is what a user may do in an organisation.
type Role string

// The roles.
const (
	Admin    Role = "admin"
	Member   Role = "member"
	ReadOnly Role = "read-only"
)

// Roles lists every role.
var Roles = []string{string(Admin), string(Member), string(ReadOnly)}

// Grant is a user's role in an organisation, as seen from the user.
type Grant struct {
	OrganisationID string
	Role           Role
}

// Colleague is a user's role in an organisation, as seen from the organisation.
type Colleague struct {
	UserID string
	Email  string
	Role   Role
}

// Business is what a platform says about a company, in its own words. It
// matters as long as nobody has identified the company.
type Business struct {
	Name     string `json:"company_name"`
	Regnum   string `json:"company_regnum"`
	Address  string `json:"company_address"`
	Postcode string `json:"company_postcode"`
	City     string `json:"company_city"`
	State    string `json:"company_state"`
	// Country is an ISO 3166-1 alpha-2 code or empty.
	Country string `json:"company_country"`
}

// User is a person who buys on the platform.
type User struct {
	ID string
	UserDetails
	Created  time.Time
	Modified time.Time
	// Organisations are in the order in which the user joined them.
	Organisations []Grant
}

// UserDetails is what the platform tells about a user.
type UserDetails struct {
	Email    string
	UniqueID string
	Name     string
	Phone    string
	// Registered is when the user registered on the platform.
	Registered time.Time
	// Country, CompanyID and Business are set for users of the insurance family
	// that are linked to a company without an organisation. CompanyID is empty
	// when the company is not identified; of Business only the name, number,
	// address and country are kept.
	Country   string
	CompanyID string
	Business  Business
}

// Organisation is a group of users who buy for one company.
type Organisation struct {
	ID string
	OrganisationDetails
	Created  time.Time
	Modified time.Time
	// Users are in the order in which they joined.
	Users []Colleague
}

// OrganisationDetails is what the platform tells about an organisation.
type OrganisationDetails struct {
	UniqueID string
	// Registered is when the organisation registered on the platform.
	Registered time.Time
	Name       string
	// CompanyID is empty when the company is not identified.
	CompanyID string
	Business  Business
}

// SoleTrader is a business in no register, and the person who runs it.
type SoleTrader struct {
	ID string
	// CompanyID may stand wherever the identifier of a company may.
	CompanyID string
	SoleTraderDetails
	Created  time.Time
	Modified time.Time
}

// SoleTraderDetails is what the platform tells about a sole trader.
type SoleTraderDetails struct {
	// OwnerID is the user who is the proprietor.
	OwnerID    string
	UniqueID   string
	VATNumber  string
	Trading    TradingAddress
	Proprietor Proprietor
}

// TradingAddress is where and under which name a sole trader trades.
type TradingAddress struct {
	Name     string `json:"trading_name"`
	Address  string `json:"trading_address"`
	City     string `json:"trading_address_city"`
	Postcode string `json:"trading_address_postcode"`
	Country  string `json:"trading_address_country"`
}

// Proprietor is the person behind a sole trader, at home.
type Proprietor struct {
	Name     string `json:"proprietor_name"`
	Line1    string `json:"proprietor_address_line1"`
	Line2    string `json:"proprietor_address_line2"`
	Line3    string `json:"proprietor_address_line3"`
	City     string `json:"proprietor_address_city"`
	Postcode string `json:"proprietor_address_postcode"`
	Country  string `json:"proprietor_address_country"`
	// DateOfBirth is a calendar date, 2006-01-02.
	DateOfBirth string `json:"date_of_birth"`
}

// emailKey is what two spellings of one address have in common.
func emailKey(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// merge adds the grants that are given to those a user has: unknown
// organisations are appended, the role in a known one becomes the latest given.
// Nothing is ever taken away. It returns the result and, in it, what is new and
// what has another role than before.
func merge(has, given []Grant) (all, added, changed []Grant) {
	all = append([]Grant(nil), has...)
	at := make(map[string]int, len(has)+len(given))
	for i, g := range all {
		at[g.OrganisationID] = i
	}
	for _, g := range given {
		i, known := at[g.OrganisationID]
		if !known {
			at[g.OrganisationID] = len(all)
			all = append(all, g)
			continue
		}
		all[i].Role = g.Role
	}
	for i, g := range all {
		switch {
		case i >= len(has):
			added = append(added, g)
		case g.Role != has[i].Role:
			changed = append(changed, g)
		}
	}
	return all, added, changed
}
