package db

import (
	"regexp"
	"strings"
	"sync"
)

// dialect rewrites statements for one engine and remembers the result. All
// differences between the engines stand in this file.
type dialect struct {
	rewrite func(string) string
	known   sync.Map // SQL → string
}

func (d *dialect) of(q SQL) string {
	if s, ok := d.known.Load(q); ok {
		return s.(string)
	}
	s := d.rewrite(string(q))
	d.known.Store(q, s)
	return s
}

var (
	placeholder = regexp.MustCompile(`\$(\d+)`)
	cast        = regexp.MustCompile(`::[a-z]+(\[\])?`)
	forUpdate   = regexp.MustCompile(`(?i)\s+FOR (NO KEY )?UPDATE( OF [a-z_, ]+)?( SKIP LOCKED| NOWAIT)?`)
	unnestCall  = regexp.MustCompile(`(?is)unnest\(([^()]*)\)\s+AS\s+(\w+)\s*\(([^()]*)\)`)
)

// sqliteStatement turns PostgreSQL's spelling into SQLite's: numbered
// parameters, no row locks (there is one writer), no casts, and one row at a
// time in place of unnest.
func sqliteStatement(q string) string {
	q = unnestCall.ReplaceAllStringFunc(q, func(call string) string {
		m := unnestCall.FindStringSubmatch(call)
		values, names := strings.Split(m[1], ","), strings.Split(m[3], ",")
		cols := make([]string, len(names))
		for i := range names {
			cols[i] = strings.TrimSpace(values[i]) + " AS " + strings.TrimSpace(names[i])
		}
		return "(SELECT " + strings.Join(cols, ", ") + ") AS " + m[2]
	})
	q = forUpdate.ReplaceAllString(q, "")
	q = cast.ReplaceAllString(q, "")
	return placeholder.ReplaceAllString(q, "?$1")
}

func postgresStatement(q string) string { return q }

// Tokens of the migrations.
//
//	{{strict}}      SQLite's STRICT, so that a column keeps its type there too
//	{{serial}}      a column that numbers rows in the order of their insertion
//	{{serial_pk m}} the primary key of a table numbered by {{serial}}, led by m
//	{{sqlite}} … {{end}}, {{postgres}} … {{end}}   text for one engine alone
var (
	onlySQLite   = regexp.MustCompile(`(?s)\{\{sqlite\}\}(.*?)\{\{end\}\}`)
	onlyPostgres = regexp.MustCompile(`(?s)\{\{postgres\}\}(.*?)\{\{end\}\}`)
	serialKey    = regexp.MustCompile(`\{\{serial_pk (\w+) (\w+)\}\}`)
)

func migrationFor(e Engine, text string) string {
	if e == Postgres {
		text = onlySQLite.ReplaceAllString(text, "")
		text = onlyPostgres.ReplaceAllString(text, "$1")
		text = serialKey.ReplaceAllString(text, "PRIMARY KEY ($1, $2)")
		return strings.NewReplacer(
			"{{strict}}", "",
			"{{serial}}", "BIGINT GENERATED ALWAYS AS IDENTITY",
			// Texts sort by their bytes, as on SQLite, whatever the locale of the
			// server: the order of identifiers is the order of their making.
			" TEXT", ` TEXT COLLATE "C"`,
		).Replace(text)
	}
	text = onlyPostgres.ReplaceAllString(text, "")
	text = onlySQLite.ReplaceAllString(text, "$1")
	text = serialKey.ReplaceAllString(text, "UNIQUE ($1, $2)")
	return strings.NewReplacer(
		"{{strict}}", "STRICT",
		"{{serial}}", "INTEGER PRIMARY KEY AUTOINCREMENT",
		" BIGINT", " INTEGER",
		" BOOLEAN", " INTEGER",
		" BYTEA", " BLOB",
	).Replace(text)
}
