package company

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// companiesHouseFormat reads BasicCompanyDataAsOneFile of Companies House, which
// lists every live company of the United Kingdom.
func companiesHouseFormat() format {
	return format{
		required: []string{"CompanyName", "CompanyNumber", "RegAddress.AddressLine1", "RegAddress.PostTown",
			"RegAddress.PostCode", "CompanyCategory", "CompanyStatus", "IncorporationDate"},
		company: companiesHouseCompany,
	}
}

func companiesHouseCompany(f fields) (Company, error) {
	number := f.get("CompanyNumber")
	if NumberKey("GB", number) == "" {
		return Company{}, errors.New("the company has no number")
	}
	created, err := britishDate(f.get("IncorporationDate"))
	if err != nil {
		return Company{}, fmt.Errorf("IncorporationDate: %w", err)
	}
	made, err := britishDate(f.get("Accounts.LastMadeUpDate"))
	if err != nil {
		return Company{}, fmt.Errorf("Accounts.LastMadeUpDate: %w", err)
	}
	due, err := britishDate(f.get("Accounts.NextDueDate"))
	if err != nil {
		return Company{}, fmt.Errorf("Accounts.NextDueDate: %w", err)
	}
	c := Company{
		ID: ID("GB", number), Country: "GB", Name: f.get("CompanyName"),
		Address: joined(f.get("RegAddress.CareOf"), f.get("RegAddress.POBox"), f.get("RegAddress.AddressLine1"),
			f.get("RegAddress.AddressLine2"), f.get("RegAddress.PostTown"), f.get("RegAddress.County"),
			f.get("RegAddress.PostCode")),
		City: f.get("RegAddress.PostTown"), Postcode: f.get("RegAddress.PostCode"),
		LegalForm: f.get("CompanyCategory"), CreationDate: created, Status: f.get("CompanyStatus"),
		AccountsType: f.get("Accounts.AccountCategory"),
		Identifiers:  []Identifier{{RegNumber, "GB", number}},
		Facts:        Facts{AccountsMadeUpTo: made, AccountsDue: due},
	}
	for _, column := range []string{"SICCode.SicText_1", "SICCode.SicText_2", "SICCode.SicText_3", "SICCode.SicText_4"} {
		// "62012 - Business and domestic software development"
		code, _, _ := strings.Cut(f.get(column), " ")
		if code != "" && digits(code) == len(code) {
			c.Sectors = append(c.Sectors, Sector{"SIC2007", code})
		}
	}
	return c, nil
}

// britishDate turns 20/02/2018 into 2018-02-20.
func britishDate(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	t, err := time.Parse("02/01/2006", s)
	if err != nil {
		return "", fmt.Errorf("%.40q is not a date", s)
	}
	return t.Format(time.DateOnly), nil
}

// isoDate returns the date that an ISO date or time begins with.
func isoDate(s string) (string, error) {
	if s == "" {
		return "", nil
	}
	if len(s) > 10 {
		s = s[:10]
	}
	if _, err := time.Parse(time.DateOnly, s); err != nil {
		return "", fmt.Errorf("%.40q is not a date", s)
	}
	return s, nil
}

// joined puts the parts of an address that are there on one line.
func joined(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, ", ")
}
