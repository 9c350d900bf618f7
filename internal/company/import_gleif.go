package company

import (
	"errors"
	"fmt"
	"strings"
)

// gleifFormat reads the golden copy of the Global LEI System, level 1
// (…-gleif-goldencopy-lei2-golden-copy.csv): companies of all countries that have
// a Legal Entity Identifier. Funds, branches and persons are skipped, and so are
// entities that have ceased.
func gleifFormat() format {
	return format{
		required: []string{"LEI", "Entity.LegalName", "Entity.LegalAddress.FirstAddressLine",
			"Entity.LegalAddress.City", "Entity.LegalAddress.Country", "Entity.LegalAddress.PostalCode",
			"Entity.RegistrationAuthority.RegistrationAuthorityID",
			"Entity.RegistrationAuthority.RegistrationAuthorityEntityID", "Entity.EntityStatus"},
		company: gleifCompany,
	}
}

// gleifRegisters are the registration authorities whose numbers are the
// registration numbers of a whole country. Elsewhere a number may belong to one
// of several registers (the courts of Germany, the charities of England), so the
// company is known by its LEI.
var gleifRegisters = map[string]string{
	"RA000585": "GB", "RA000586": "GB", "RA000587": "GB", // Companies House
	"RA000189": "FR", "RA000192": "FR", // SIRENE, Infogreffe
	"RA000463": "NL", // Kamer van Koophandel
	"RA000025": "BE", // Banque-Carrefour des Entreprises
}

func gleifCompany(f fields) (Company, error) {
	switch f.get("Entity.EntityCategory") {
	case "", "GENERAL", "INTERNATIONAL_ORGANIZATION", "RESIDENT_GOVERNMENT_ENTITY":
	default:
		return Company{}, errSkip
	}
	if f.get("Entity.EntityStatus") != "ACTIVE" {
		return Company{}, errSkip
	}
	lei := f.get("LEI")
	if len(lei) != 20 {
		return Company{}, fmt.Errorf("%.40q is not an LEI", lei)
	}
	// The register a company stands in may be of another country than its address.
	country, _, _ := strings.Cut(f.get("Entity.LegalJurisdiction"), "-")
	if country == "" {
		country = f.get("Entity.LegalAddress.Country")
	}
	if len(country) != 2 || country != strings.ToUpper(country) {
		return Company{}, errors.New("the country is no code of two letters")
	}
	created, err := isoDate(f.get("Entity.EntityCreationDate"))
	if err != nil {
		return Company{}, fmt.Errorf("Entity.EntityCreationDate: %w", err)
	}
	c := Company{
		ID: idOf("lei/" + lei), Country: country, Name: f.get("Entity.LegalName"),
		Address: joined(f.get("Entity.LegalAddress.FirstAddressLine"), f.get("Entity.LegalAddress.AdditionalAddressLine.1"),
			f.get("Entity.LegalAddress.AdditionalAddressLine.2"), f.get("Entity.LegalAddress.City"),
			f.get("Entity.LegalAddress.PostalCode")),
		City: f.get("Entity.LegalAddress.City"), Postcode: f.get("Entity.LegalAddress.PostalCode"),
		LegalForm: f.get("Entity.LegalForm.OtherLegalForm"), CreationDate: created, Status: StatusActive,
	}
	if c.LegalForm == "" {
		c.LegalForm = f.get("Entity.LegalForm.EntityLegalFormCode")
	}
	if number := f.get("Entity.RegistrationAuthority.RegistrationAuthorityEntityID"); NumberKey(country, number) != "" {
		c.Identifiers = append(c.Identifiers, Identifier{RegNumber, country, number})
		if gleifRegisters[f.get("Entity.RegistrationAuthority.RegistrationAuthorityID")] == country {
			c.ID = ID(country, number)
		}
	}
	c.Identifiers = append(c.Identifiers, Identifier{LEI, "", lei})
	return c, nil
}
