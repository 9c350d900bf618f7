package company

import (
	"fmt"
	"slices"
	"strings"
)

// SandboxPage renders the page of the documentation that lists the companies of
// the sandbox one needs to know by name.
func SandboxPage() string {
	var b strings.Builder
	b.WriteString(`# Companies of the sandbox

The sandbox knows several thousand fictional companies in ` + "GB, FR, DE, ES, IT, NL, BE and IE" + `. They are the same in
every installation: names, registration numbers and ids never change. Most of them are creditworthy, each with a
credit limit of its own. Their numbers have the form of their country but lie where its register has given none.

This page is generated; ` + "`go test ./internal/company -run TestSandboxPage -args -update`" + ` writes it again.

## Companies of the reference documents

| name | country | registration number | id |
|---|---|---|---|
`)
	special := Special()
	for _, c := range special {
		if c.Facts.Rejection == nil {
			fmt.Fprintf(&b, "| %s | %s | %s | `%s` |\n", c.Name, c.Country, c.Number(), c.ID)
		}
	}
	b.WriteString(`
## Companies that are rejected

For every reason of rejection there is a company, in GB, that triggers it: as the seller for the codes that begin with
seller-, as the buyer for all others. It is named after the code.

| name | registration number | code | parameters | id |
|---|---|---|---|---|
`)
	for _, c := range special {
		if r := c.Facts.Rejection; r != nil {
			fmt.Fprintf(&b, "| %s | %s | `%s` | %s | `%s` |\n", c.Name, c.Number(), r.Code, paramList(r.Params), c.ID)
		}
	}
	b.WriteString(`
## Some creditworthy companies

| name | country | registration number | credit limit | id |
|---|---|---|---|---|
`)
	for _, l := range lands() {
		shown := 0
		for c := range l.companies() {
			if shown == 4 {
				break
			}
			if c.Status == StatusActive && c.Facts.CreditLimit != nil {
				shown++
				fmt.Fprintf(&b, "| %s | %s | %s | %s | `%s` |\n", c.Name, c.Country, c.Number(), limitText(c.Facts), c.ID)
			}
		}
	}
	b.WriteString(`
The e-mail address of the buyer can change the outcome as well, whatever the company: see the sandbox patterns of the
API reference. Companies of real registers are added with ` + "`tradecredit companies import`" + `.
`)
	return b.String()
}

func paramList(params map[string]string) string {
	var out []string
	for name, value := range params {
		out = append(out, fmt.Sprintf("`%s` = %s", name, value))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func limitText(f Facts) string {
	return fmt.Sprintf("%d.%02d %s", *f.CreditLimit/100, *f.CreditLimit%100, f.Currency)
}
