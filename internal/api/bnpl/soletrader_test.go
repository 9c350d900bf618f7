package bnpl

import (
	"strings"
	"testing"

	"tradecredit/internal/api/apitest"
	"tradecredit/internal/merchant"
)

// exampleSoleTrader is the body of the document's example.
const exampleSoleTrader = `{
  "owner": "user-mECT3e5n9i7gVGrbn2Pd38",
  "trading_name": "The Dogfather",
  "trading_address": "123 Commercial St, Shoreditch",
  "trading_address_city": "London",
  "trading_address_postcode": "EC2A 8AB",
  "trading_address_country": "GB",
  "proprietor_name": "John John",
  "proprietor_address_line1": "Flat 5",
  "proprietor_address_line2": "10 Residential Street",
  "proprietor_address_line3": "Hackney",
  "proprietor_address_city": "London",
  "proprietor_address_postcode": "EC2 8AA",
  "proprietor_address_country": "GB",
  "vat_number": "15141312",
  "unique_id": "0d201ab1-46df-4274-8c90-256eaa66c136",
  "date_of_birth": "1969-12-31"
}`

const shownSoleTrader = `{
  "id": "co-5oh3SJKQBaKMov9PYR7BkA",
  "owner": "user-mECT3e5n9i7gVGrbn2Pd38",
  "soletrader_id": "st-Vdrisa6GZnSp49ZaqMDssR",
  "trading_name": "The Dogfather",
  "trading_address": "123 Commercial St, Shoreditch",
  "trading_address_city": "London",
  "trading_address_postcode": "EC2A 8AB",
  "trading_address_country": "GB",
  "proprietor_name": "John John",
  "proprietor_address_line1": "Flat 5",
  "proprietor_address_line2": "10 Residential Street",
  "proprietor_address_line3": "Hackney",
  "proprietor_address_city": "London",
  "proprietor_address_postcode": "EC2 8AA",
  "proprietor_address_country": "GB",
  "vat_number": "15141312",
  "unique_id": "0d201ab1-46df-4274-8c90-256eaa66c136",
  "date_of_birth": "1969-12-31"
}`

// TestSoleTraderExamples follows the examples of the document.
func TestSoleTraderExamples(t *testing.T) {
	eachParty(t, merchant.BNPL, func(t *testing.T, c *apitest.Client) {
		givenUser(t, c)
		c.Do("POST", "/v1/soletraders", exampleSoleTrader).Want(201, shownSoleTrader)
		const unknown = "user-KZcuB2oT6BPTjmQJiHm7hb"
		c.Do("POST", "/v1/soletraders", strings.Replace(exampleSoleTrader, exampleUser, unknown, 1)).Want(400, `{
			"owner": ["Invalid pk \"`+unknown+`\" - object does not exist."],
			"unique_id": ["sole trader with this Unique identifier on platform already exists."]}`)
		c.Do("GET", "/v1/soletraders", nil).Want(200, `{"count": 1, "next": null, "previous": null, "results": [`+shownSoleTrader+`]}`)
		shown := shownSoleTrader
		for _, path := range []string{"/v1/soletraders/co-5oh3SJKQBaKMov9PYR7BkA", "/v1/soletraders/st-Vdrisa6GZnSp49ZaqMDssR"} {
			c.Do("GET", path, nil).Want(200, shown)
			shown = strings.NewReplacer("Dogfather", "Catfather", "John John", "Johnny John").Replace(shownSoleTrader)
			// Its own identifier is not taken by another.
			c.Do("PATCH", path, `{"trading_name": "The Catfather", "proprietor_name": "Johnny John",
				"unique_id": "0d201ab1-46df-4274-8c90-256eaa66c136"}`).Want(200, shown)
			c.Do("GET", path, nil).Want(200, shown)
		}
		c.Do("GET", "/v1/soletraders/st-Vdrisa6GZnSp49ZaqMDssS", nil).Want(404, `{"detail": "Not found."}`)
		c.Do("PATCH", "/v1/soletraders/co-Vdrisa6GZnSp49ZaqMDssS", `{`).Want(404, `{"detail": "Not found."}`)
		c.Do("DELETE", "/v1/soletraders/st-Vdrisa6GZnSp49ZaqMDssR", nil).Want(405, `{"detail": "Method \"DELETE\" not allowed."}`)
	})
}

func TestSoleTraderRules(t *testing.T) {
	eachParty(t, merchant.BNPL, func(t *testing.T, c *apitest.Client) {
		givenUser(t, c)
		first := c.Do("POST", "/v1/soletraders", exampleSoleTrader).WantStatus(201)
		second := c.Do("POST", "/v1/soletraders", strings.Replace(exampleSoleTrader, "c136", "c137", 1)).WantStatus(201)
		c.Do("PATCH", "/v1/soletraders/"+second.ID(), `{"unique_id": "`+first.Text("unique_id")+`"}`).Want(400,
			`{"unique_id": ["sole trader with this Unique identifier on platform already exists."]}`)
		c.Do("PATCH", "/v1/soletraders/"+second.ID(), `{"owner": "", "date_of_birth": "31.12.1969", "trading_address_country": "XX",
			"vat_number": "", "proprietor_address_line2": ""}`).Want(400, `{
			"owner": ["This field may not be null."], "trading_address_country": ["\"XX\" is not a valid choice."],
			"proprietor_address_line2": ["This field may not be blank."],
			"date_of_birth": ["Date has wrong format. Use one of these formats instead: YYYY-MM-DD."]}`)
		c.Do("POST", "/v1/soletraders", nil).Want(400, `{
			"owner": ["This field is required."], "trading_name": ["This field is required."],
			"trading_address": ["This field is required."], "trading_address_city": ["This field is required."],
			"trading_address_postcode": ["This field is required."], "trading_address_country": ["This field is required."],
			"proprietor_name": ["This field is required."], "proprietor_address_line1": ["This field is required."],
			"proprietor_address_line2": ["This field is required."], "proprietor_address_city": ["This field is required."],
			"proprietor_address_postcode": ["This field is required."], "proprietor_address_country": ["This field is required."],
			"unique_id": ["This field is required."], "date_of_birth": ["This field is required."]}`)
		// Its company identifier is one wherever a company's is wanted.
		c.Do("POST", "/v1/organisations", `{"unique_id": "x", "registered": "2020-01-01", "company": "`+first.ID()+`"}`).WantStatus(201)
		c.Configure(func(m *merchant.Merchant) { m.Settings.SoleTraders = false })
		for _, r := range []*apitest.Response{
			c.Do("POST", "/v1/soletraders", exampleSoleTrader), c.Do("GET", "/v1/soletraders", nil),
			c.Do("GET", "/v1/soletraders/"+first.ID(), nil), c.Do("PATCH", "/v1/soletraders/"+first.ID(), nil),
		} {
			r.Want(403, `{"detail": "You do not have permission to perform this action."}`)
		}
	})
}
