package bnpl

import (
	"tradecredit/internal/api"
	"tradecredit/internal/db"
)

// partyRoutes are the routes of users, organisations, memberships and sole
// traders.
func (a *API) partyRoutes() []api.Route {
	var routes []api.Route
	for _, more := range [][]api.Route{
		a.soleTraderRoutes(), a.organisationRoutes(), a.userRoutes(), a.membershipRoutes(),
	} {
		routes = append(routes, more...)
	}
	return routes
}

// partyTaken answer which identifiers of the platform are taken.
func (a *API) partyTaken() map[string]func(c *api.Call, tx *db.Tx, value string) (bool, error) {
	return map[string]func(c *api.Call, tx *db.Tx, value string) (bool, error){
		"organisation.unique_id": func(c *api.Call, tx *db.Tx, value string) (bool, error) {
			return a.Parties.OrganisationUniqueIDTaken(c, tx, c.Merchant.ID, value, c.Path("organisation"))
		},
		"soletrader.unique_id": func(c *api.Call, tx *db.Tx, value string) (bool, error) {
			return a.Parties.SoleTraderUniqueIDTaken(c, tx, c.Merchant.ID, value, c.Path("soletrader"))
		},
	}
}
