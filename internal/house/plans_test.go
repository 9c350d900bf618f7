package house

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tradecredit/internal/db"
	"tradecredit/internal/db/dbtest"
)

var (
	ofUnnest = regexp.MustCompile(`(?i)unnest\([^()]*\)\s+AS\s+(\w+)`)
	// What is read from end to end, and by which index.
	sqliteScan   = regexp.MustCompile(`^SCAN (\w+)(?: USING (?:COVERING )?INDEX (\w+))?`)
	postgresScan = regexp.MustCompile(`Seq Scan on (\w+)|Index (?:Only )?Scan (?:Backward )?using (\w+) on (\w+)|Bitmap Index Scan on (\w+)`)
)

// partial are the indexes that hold some rows of their table only. To read one
// of them from end to end is no walk over the table.
func partial(t *testing.T) (names []string) {
	t.Helper()
	index := regexp.MustCompile(`CREATE (?:UNIQUE )?INDEX (\w+) ON [^;]*\) WHERE `)
	if err := walk(func(name, text string) error {
		for _, m := range index.FindAllStringSubmatch(text, -1) {
			if strings.HasPrefix(name, "internal/db/migrations/") {
				names = append(names, m[1])
			}
		}
		return nil
	}); err != nil || len(names) < 5 {
		t.Fatalf("partial indexes: %q, %v", names, err)
	}
	return names
}

// walks are the tables that a plan reads from one end to the other.
func walks(e db.Engine, statement, plan string, partial []string) (tables []string) {
	// What unnest gives is no table.
	given := []string{"CONSTANT"}
	for _, m := range ofUnnest.FindAllStringSubmatch(statement, -1) {
		given = append(given, m[1])
	}
	lines := append(strings.Split(plan, "\n"), "")
	for i, line := range lines {
		if e == db.SQLite {
			m := sqliteScan.FindStringSubmatch(line)
			if m != nil && !slices.Contains(given, m[1]) && !slices.Contains(partial, m[2]) {
				tables = append(tables, m[1])
			}
			continue
		}
		m := postgresScan.FindStringSubmatch(line)
		if m == nil || strings.Contains(lines[i+1], "Index Cond:") || slices.Contains(partial, m[2]+m[4]) {
			continue
		}
		tables = append(tables, m[1]+m[3]+m[4])
	}
	return tables
}

// sorts tells whether a plan of SQLite sorts everything there is before it shows
// a page of it. Sorting what is equal in an index already is little work.
func sorts(statement, plan string) bool {
	return strings.Contains(plan, "USE TEMP B-TREE FOR ORDER BY") && strings.Contains(statement, "LIMIT")
}

func TestPlansAreRead(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		engine     db.Engine
		plan, want string
	}{
		{db.SQLite, "SCAN jobs\n", "jobs"},
		{db.SQLite, "SCAN j USING INDEX jobs_lane\n", "j"},
		{db.SQLite, "SCAN j USING COVERING INDEX jobs_run\n", ""},
		{db.SQLite, "CO-ROUTINE u\nSCAN CONSTANT ROW\nSCAN u\nSEARCH t USING INDEX i (a=?)\n", ""},
		{db.Postgres, "Limit\n  ->  Seq Scan on jobs  (cost=0.00)\n        Filter: (a = 1)\n", "jobs"},
		{db.Postgres, "Index Scan using jobs_lane on jobs j\n  Filter: (a = 1)\n", "jobs"},
		{db.Postgres, "Index Scan using jobs_lane on jobs j\n  Index Cond: (a = 1)\n", ""},
		{db.Postgres, "Index Only Scan Backward using jobs_run on jobs\n", ""},
		{db.Postgres, "Bitmap Heap Scan on jobs\n  ->  Bitmap Index Scan on jobs_lane\n", "jobs_lane"},
		{db.Postgres, "Function Scan on unnest u\n", ""},
	} {
		got := strings.Join(walks(c.engine, "SELECT 1 FROM unnest($1::text[]) AS u(a)", c.plan, []string{"jobs_run"}), " ")
		if got != c.want {
			t.Errorf("%s %q: walks over %q, want %q", c.engine, c.plan, got, c.want)
		}
	}
	if !sorts("SELECT a FROM b ORDER BY a LIMIT 1", "SCAN b\nUSE TEMP B-TREE FOR ORDER BY\n") {
		t.Error("a sorted page was not seen")
	}
}

// planned asks the engine to parse a statement and how it would run it. The
// transaction ends without a trace.
func planned(d *db.DB, text string) (plan string, err error) {
	ctx, undo := context.Background(), errors.New("undo")
	err = d.Write(ctx, func(tx *db.Tx) error {
		if err := tx.Prepare(ctx, db.SQL(text)); err != nil {
			return err
		}
		if strings.HasPrefix(text, "ANALYZE") {
			return undo // has no plan
		}
		if plan, err = tx.Explain(ctx, db.SQL(text)); err != nil {
			return err
		}
		return undo
	})
	if errors.Is(err, undo) {
		return plan, nil
	}
	return plan, err
}

// TestEveryStatementFindsItsRowsByAnIndex prepares every statement of the
// program on both engines and reads its plan: none walks over a table, and none
// sorts everything there is to show a page of it.
func TestEveryStatementFindsItsRowsByAnIndex(t *testing.T) {
	t.Parallel()
	found, _, _ := libraryOf(program(t)).statements()
	some := partial(t)
	sorted := exceptions{
		"internal/party/membership_store.go newestColleagues": "sorts the members of one organisation, who are few",
		"internal/party/membership_store.go oldestColleagues": "sorts the members of one organisation, who are few",
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		if d.Engine() == db.Postgres {
			fill(t, d)
		}
		var walking, sorting []finding
		for _, st := range found {
			plan, err := planned(d, st.text)
			if err != nil {
				t.Errorf("%s: %v", st.where(), err)
				continue
			}
			if tables := walks(d.Engine(), st.text, plan, some); len(tables) > 0 {
				walking = append(walking, st.finding(fmt.Sprintf("walks over %q:\n%s\n%s", tables, st.text, plan)))
			}
			if d.Engine() == db.SQLite && sorts(st.text, plan) {
				sorting = append(sorting, st.finding(fmt.Sprintf("sorts everything for a page:\n%s\n%s", st.text, plan)))
			}
		}
		judge(t, walking, exceptions{
			"internal/event/event.go selectWaiting": "the outbox holds only what is not chained yet",
		})
		if d.Engine() == db.SQLite {
			judge(t, sorting, sorted)
		}
	})
}

const (
	listChecks db.SQL = `SELECT conrelid::regclass::text, conname FROM pg_constraint
		WHERE contype = 'c' AND connamespace = 'public'::regnamespace`
	listColumns db.SQL = `SELECT table_name, column_name, data_type, is_nullable = 'YES', COALESCE(column_default, '')
		FROM information_schema.columns
		WHERE table_schema = 'public' AND table_name NOT LIKE 'goose%' AND is_identity = 'NO'
		ORDER BY table_name, ordinal_position`
)

// column is one column of a table in PostgreSQL's catalogue.
type column struct {
	table, name, kind string
	null              bool
	byDefault         string
}

// value is an expression for the column's value in the row g: keys differ from
// row to row, words for a state come back, what has a default mostly has it.
func (c column) value() string {
	few := []string{"country", "currency", "kind", "type", "status", "state", "role", "source", "segment", "length"}
	switch {
	case c.byDefault != "" && !strings.HasPrefix(c.byDefault, "nextval"):
		return c.byDefault
	case c.name == "merchant_id":
		return "'m' || g % 20"
	case c.kind == "boolean":
		return "g % 2 = 0"
	case c.kind == "bytea":
		return `'\x00'::bytea`
	case c.kind == "text" && slices.Contains(few, c.name):
		return "'v' || g % 5"
	case c.kind == "text":
		return "'v' || g"
	case slices.Contains(few, c.name):
		return "g % 5"
	}
	return "g"
}

// fill puts rows into every table, so that PostgreSQL sees which index leads to
// few of them: on empty tables it takes any. What the rows say means nothing, so
// the checks of the tables go first.
func fill(t *testing.T, d *db.DB) {
	t.Helper()
	ctx := context.Background()
	err := d.Write(ctx, func(tx *db.Tx) error {
		checks, err := db.All(ctx, tx, listChecks, nil, func(r db.Rows) (q string, err error) {
			var table, name string
			err = r.Scan(&table, &name)
			return fmt.Sprintf(`ALTER TABLE %s DROP CONSTRAINT %s`, table, name), err
		})
		if err != nil {
			return err
		}
		columns, err := db.All(ctx, tx, listColumns, nil, func(r db.Rows) (c column, err error) {
			err = r.Scan(&c.table, &c.name, &c.kind, &c.null, &c.byDefault)
			return c, err
		})
		if err != nil {
			return err
		}
		for _, q := range slices.Concat(checks, rowsOf(columns), []string{"ANALYZE"}) {
			tx.Queue(db.SQL(q))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func rowsOf(columns []column) (statements []string) {
	for len(columns) > 0 {
		table, rows := columns[0].table, 500
		if table == "companies" {
			rows = 10000 // joined with a list, of which the planner expects ten
		}
		var names, values []string
		for len(columns) > 0 && columns[0].table == table {
			c := columns[0]
			v := c.value()
			if c.null {
				v = fmt.Sprintf("CASE WHEN g %% 50 <> 0 THEN %s END", v)
			}
			names, values, columns = append(names, c.name), append(values, v), columns[1:]
		}
		statements = append(statements, fmt.Sprintf(
			`INSERT INTO %s (%s) SELECT %s FROM generate_series(1, %d) AS g ON CONFLICT DO NOTHING`,
			table, strings.Join(names, ", "), strings.Join(values, ", "), rows))
	}
	return statements
}
