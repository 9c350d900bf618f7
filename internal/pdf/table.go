package pdf

// Column is a column of a table.
type Column struct {
	Heading string
	// Width is its part of the table's, in parts of the sum of all.
	Width float64
	// Right sets it flush right, as figures are.
	Right bool
}

// Table is a table. Its heading is repeated on every page.
type Table struct {
	Columns []Column
	Rows    [][]string
	// First and Last, when given, stand out above and below the rows.
	First, Last []string
	// Carried says on each further page that the table goes on.
	Carried string
}

// The measures of tables.
const (
	tableLine = 4.0
	tablePad  = 1.1
	tableGap  = 2.5 // between columns
)

// Table sets a table.
func (d *Document) Table(t Table) {
	widths := t.widths()
	d.tableHead(t, widths)
	if t.First != nil {
		d.tableRow(t, widths, t.First, true)
	}
	for _, row := range t.Rows {
		d.tableRow(t, widths, row, false)
	}
	if t.Last != nil {
		d.tableRow(t, widths, t.Last, true)
	}
	d.Space(4)
}

func (t Table) widths() []float64 {
	var sum float64
	for _, c := range t.Columns {
		sum += c.Width
	}
	out := make([]float64, len(t.Columns))
	for i, c := range t.Columns {
		out[i] = c.Width / sum * width
	}
	return out
}

func (d *Document) tableHead(t Table, widths []float64) {
	lines := make([][]string, len(t.Columns))
	n := 1
	d.font("B", sizeLabel+0.3, accent())
	for i, c := range t.Columns {
		lines[i] = d.wrap(c.Heading, widths[i]-tableGap)
		n = max(n, len(lines[i]))
	}
	h := float64(n)*3.6 + 2
	d.need(h + 2*(tableLine+2*tablePad))
	d.cells(t, widths, lines, 3.6, h, "B", sizeLabel+0.3, accent(), true)
	d.line(margin, d.f.GetY(), margin+width, accent(), 0.4)
	d.Space(0.4)
}

// tableRow sets a row, on the next page if there is no room for it on this one.
func (d *Document) tableRow(t Table, widths []float64, row []string, strong bool) {
	style := ""
	if strong {
		style = "B"
	}
	d.font(style, sizeTable, ink())
	lines := make([][]string, len(t.Columns))
	n := 1
	for i := range t.Columns {
		lines[i] = d.wrap(row[i], widths[i]-tableGap)
		n = max(n, len(lines[i]))
	}
	h := float64(n)*tableLine + 2*tablePad
	if d.need(h) {
		if t.Carried != "" {
			d.font("", sizeLabel, muted())
			d.put(margin, d.f.GetY(), width, 4, t.Carried, "L")
			d.Space(5)
		}
		d.tableHead(t, widths)
	}
	if strong {
		d.fill(shade())
		d.f.Rect(margin, d.f.GetY(), width, h, "F")
	}
	d.cells(t, widths, lines, tableLine, h, style, sizeTable, ink(), false)
	d.line(margin, d.f.GetY(), margin+width, rule(), 0.15)
}

// cells writes the lines of one row and goes below it.
func (d *Document) cells(t Table, widths []float64, lines [][]string, line, h float64, style string, size float64, c colour, low bool) {
	y := d.f.GetY()
	d.font(style, size, c)
	x := margin
	for i := range t.Columns {
		at := y + tablePad
		if low {
			at = y + h - 1 - float64(len(lines[i]))*line
		}
		left, w, align := x, widths[i]-tableGap, "L"
		if i == 0 {
			left += 1
		}
		if t.Columns[i].Right {
			align = "R"
			if i < len(t.Columns)-1 {
				w -= 1
			} else {
				w += tableGap - 1
			}
		}
		for n, l := range lines[i] {
			d.put(left, at+float64(n)*line, w, line, l, align)
		}
		x += widths[i]
	}
	d.f.SetY(y + h)
}
