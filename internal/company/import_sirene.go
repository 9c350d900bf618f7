package company

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// sireneFormat reads StockUniteLegale of INSEE's SIRENE, which lists the legal
// units of France, and beside it, when it is given, StockEtablissement, which has
// the addresses of their establishments. Legal persons that are active are taken
// in; persons trading in their own name, units that have ceased, and those that
// do not publish their name are skipped.
//
// Both files are published in the order of their SIREN and are read side by side.
func sireneFormat(establishments io.Reader) (format, error) {
	f := format{
		required: []string{"siren", "statutDiffusionUniteLegale", "dateCreationUniteLegale", "etatAdministratifUniteLegale",
			"denominationUniteLegale", "categorieJuridiqueUniteLegale", "activitePrincipaleUniteLegale"},
		company: sireneCompany,
	}
	if establishments == nil {
		return f, nil
	}
	e, err := newHeadOffices(establishments)
	if err != nil {
		return f, err
	}
	f.company = func(row fields) (Company, error) {
		c, err := sireneCompany(row)
		if err != nil {
			return c, err
		}
		return c, e.address(row.get("siren"), &c)
	}
	return f, nil
}

// soleTrader is the legal category of persons who trade in their own name.
const soleTrader = "1000"

func sireneCompany(f fields) (Company, error) {
	siren, name := f.get("siren"), f.get("denominationUniteLegale")
	if len(siren) != 9 || digits(siren) != 9 {
		return Company{}, fmt.Errorf("%.40q is not a SIREN", siren)
	}
	category := f.get("categorieJuridiqueUniteLegale")
	if category == soleTrader || f.get("etatAdministratifUniteLegale") != "A" ||
		f.get("statutDiffusionUniteLegale") == "N" || hidden(name) {
		return Company{}, errSkip
	}
	created, err := isoDate(f.get("dateCreationUniteLegale"))
	if err != nil {
		return Company{}, fmt.Errorf("dateCreationUniteLegale: %w", err)
	}
	c := Company{
		ID: ID("FR", siren), Country: "FR", Name: name, LegalForm: sireneForm(category), CreationDate: created,
		Status: StatusActive, Identifiers: []Identifier{{RegNumber, "FR", siren}},
		Facts: Facts{Size: f.get("categorieEntreprise")},
	}
	if code := f.get("activitePrincipaleUniteLegale"); code != "" {
		system := "NAF_2008"
		if n := f.get("nomenclatureActivitePrincipaleUniteLegale"); n != "" && n != "NAFRev2" {
			system = n
		}
		c.Sectors = []Sector{{system, code}}
	}
	for _, column := range []string{"sigleUniteLegale", "denominationUsuelle1UniteLegale"} {
		alias := f.get(column)
		if alias != "" && !hidden(alias) && nameKey(words(alias)) != nameKey(words(name)) {
			c.Aliases = append(c.Aliases, alias)
		}
	}
	return c, nil
}

// hidden tells whether a value is not published.
func hidden(s string) bool { return s == "" || s == "[ND]" }

// sireneForm is the legal form of a legal category: in words for the commonest,
// by its code otherwise.
func sireneForm(category string) string {
	switch category {
	case "5202":
		return "Société en nom collectif"
	case "5498":
		return "SARL unipersonnelle"
	case "5499":
		return "Société à responsabilité limitée (sans autre indication)"
	case "5599":
		return "SA à conseil d'administration (s.a.i.)"
	case "5699":
		return "SA à directoire (s.a.i.)"
	case "5710":
		return "SAS, société par actions simplifiée"
	case "5720":
		return "Société par actions simplifiée à associé unique ou société par actions simplifiée unipersonnelle"
	case "6540":
		return "Société civile immobilière"
	case "9220":
		return "Association déclarée"
	}
	return category
}

// headOffices walks through StockEtablissement beside StockUniteLegale.
type headOffices struct {
	csv     *csvReader
	row     fields
	siren   string // of the current row
	started bool
	done    bool
}

func newHeadOffices(r io.Reader) (*headOffices, error) {
	h := &headOffices{csv: newCSVReader(bufio.NewReaderSize(r, 1<<18))}
	names, _, err := h.csv.next()
	if err == io.EOF || errors.Is(err, errMalformed) {
		return nil, fmt.Errorf("%w: the establishments have no header", ErrNotThisFile)
	}
	if err != nil {
		return nil, err
	}
	h.row, err = header(names, []string{"siren", "etablissementSiege", "codePostalEtablissement", "libelleCommuneEtablissement"})
	return h, err
}

// address fills in the address of the head office of a company.
func (h *headOffices) address(siren string, c *Company) error {
	for !h.done && (!h.started || h.siren < siren) {
		if err := h.advance(); err != nil {
			return err
		}
	}
	for !h.done && h.siren == siren {
		if h.row.get("etablissementSiege") == "true" {
			h.fill(c)
			return nil
		}
		if err := h.advance(); err != nil {
			return err
		}
	}
	return nil
}

func (h *headOffices) advance() error {
	values, _, err := h.csv.next()
	for errors.Is(err, errMalformed) {
		values, _, err = h.csv.next()
	}
	h.started = true
	if err == io.EOF {
		h.done = true
		return nil
	}
	if err != nil {
		return err
	}
	h.row.values = values
	h.siren = h.row.get("siren")
	return nil
}

func (h *headOffices) fill(c *Company) {
	get := func(column string) string {
		if v := h.row.get(column); v != "[ND]" {
			return v
		}
		return ""
	}
	street := strings.Join(strings.Fields(get("numeroVoieEtablissement")+" "+get("indiceRepetitionEtablissement")+" "+
		get("typeVoieEtablissement")+" "+get("libelleVoieEtablissement")), " ")
	c.City, c.Postcode = get("libelleCommuneEtablissement"), get("codePostalEtablissement")
	c.Address = joined(get("complementAdresseEtablissement"), street, strings.TrimSpace(c.Postcode+" "+c.City))
}
