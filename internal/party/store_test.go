package party

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

func TestMain(m *testing.M) { dbtest.Main(m) }

// statements are all of the package's, by name.
var statements = map[string]db.SQL{
	"addUser": addUser, "setUser": setUser, "deleteUser": deleteUser, "userExists": userExists,
	"selectUser": selectUser, "selectUserByEmail": selectUserByEmail, "holdUser": holdUser,
	"holdUserByEmail": holdUserByEmail, "countUsers": countUsers, "newestUsers": newestUsers,
	"oldestUsers": oldestUsers, "countUsersByUniqueID": countUsersByUniqueID,
	"newestUsersByUniqueID": newestUsersByUniqueID, "oldestUsersByUniqueID": oldestUsersByUniqueID,

	"insertMembership": insertMembership, "setRole": setRole, "deleteMembership": deleteMembership,
	"deleteMembershipsOfUser":         deleteMembershipsOfUser,
	"deleteMembershipsOfOrganisation": deleteMembershipsOfOrganisation,
	"selectMember":                    selectMember, "countColleagues": countColleagues,
	"newestColleagues": newestColleagues, "oldestColleagues": oldestColleagues, "countGrants": countGrants,
	"newestGrants": newestGrants, "oldestGrants": oldestGrants, "grantsOfUsers": grantsOfUsers,
	"colleaguesOfOrganisations": colleaguesOfOrganisations,

	"addOrganisation": addOrganisation, "setOrganisation": setOrganisation,
	"deleteOrganisation": deleteOrganisation, "organisationExists": organisationExists,
	"organisationTaken": organisationTaken, "selectOrganisation": selectOrganisation,
	"holdOrganisation": holdOrganisation, "organisationsByUniqueID": organisationsByUniqueID,
	"holdOrganisationByUniqueID": holdOrganisationByUniqueID, "countOrganisations": countOrganisations,
	"countOrganisationsByUniqueID": countOrganisationsByUniqueID, "newestOrganisations": newestOrganisations,
	"oldestOrganisations": oldestOrganisations,

	"addSoleTrader": addSoleTrader, "setSoleTrader": setSoleTrader, "soleTraderTaken": soleTraderTaken,
	"soleTraderOfOwner": soleTraderOfOwner, "selectSoleTrader": selectSoleTrader,
	"selectSoleTraderByCompany": selectSoleTraderByCompany, "holdSoleTrader": holdSoleTrader,
	"holdSoleTraderByCompany": holdSoleTraderByCompany, "countSoleTraders": countSoleTraders,
	"newestSoleTraders": newestSoleTraders, "oldestSoleTraders": oldestSoleTraders,
}

// TestStatements prepares every statement on both engines. None may walk over a
// whole table, and no list may be sorted that an index could give in order.
func TestStatements(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		for name, q := range statements {
			// The engine plans for unknown parameters inside a transaction only.
			err := d.Write(ctx, func(tx *db.Tx) error {
				if err := tx.Prepare(ctx, q); err != nil {
					return err
				}
				plan, err := tx.Explain(ctx, q)
				if err != nil {
					return err
				}
				return judge(d.Engine(), name, plan)
			})
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

func judge(e db.Engine, name, plan string) error {
	sorted := strings.Contains(plan, "TEMP B-TREE") || strings.Contains(plan, "Sort")
	// The members of one organisation are few enough to be sorted.
	mayBeSorted := strings.Contains(name, "olleagues") || name == "grantsOfUsers"
	for _, line := range strings.Split(plan, "\n") {
		scans := strings.Contains(line, "Seq Scan")
		if e == db.SQLite {
			scans = strings.HasPrefix(line, "SCAN ") && line != "SCAN CONSTANT ROW" && line != "SCAN u" // the rows of unnest
		}
		if scans {
			return fmt.Errorf("walks over a whole table:\n%s", plan)
		}
	}
	if sorted && !mayBeSorted {
		return fmt.Errorf("sorts:\n%s", plan)
	}
	return nil
}
