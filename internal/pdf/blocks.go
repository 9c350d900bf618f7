package pdf

// Block is a label with lines below it. The first line stands out.
type Block struct {
	Label string
	Lines []string
}

// Columns sets blocks side by side, of equal width.
func (d *Document) Columns(blocks ...Block) {
	const gap, height = 8.0, 4.6
	w := (width - gap*float64(len(blocks)-1)) / float64(len(blocks))
	y, end := d.f.GetY(), d.f.GetY()
	for i, b := range blocks {
		x := margin + float64(i)*(w+gap)
		d.font("", sizeLabel, muted())
		d.put(x, y, w, 4, b.Label, "L")
		at := y + 4.5
		for n, text := range b.Lines {
			style := ""
			if n == 0 {
				style = "B"
			}
			d.font(style, sizeText, ink())
			for _, l := range d.wrap(text, w) {
				d.put(x, at, w, height, l, "L")
				at += height
			}
		}
		end = max(end, at)
	}
	d.f.SetY(end + 5)
}

// Row is a line of a panel: what it is, and how much.
type Row struct {
	Name, Value string
	// Strong sets a row apart from those above it.
	Strong bool
}

// Panels sets two panels with shaded ground side by side, the right one a little
// wider. Each has a heading and rows; long values go over several lines.
func (d *Document) Panels(left, right Panel) {
	const gap = 8.0
	w := (width - gap) * 0.43
	rest := width - gap - w
	h := max(d.panelHeight(left, w), d.panelHeight(right, rest))
	d.need(h + 4)
	y := d.f.GetY()
	d.panel(left, margin, y, w, h)
	d.panel(right, margin+w+gap, y, rest, h)
	d.f.SetY(y + h + 6)
}

// Panel is a shaded box.
type Panel struct {
	Heading string
	Rows    []Row
	// Note stands below the rows.
	Note string
}

// The measures of panels.
const (
	panelPad    = 4.0
	panelHead   = 8.0
	panelLine   = 4.6
	panelStrong = 8.0
)

// nameWidth is how much of a panel its names have: as much as they need.
func nameWidth(w float64) float64 { return min(30, (w-2*panelPad)*0.5) }

func (d *Document) rowLines(r Row, w float64) (names, values []string) {
	style, size := "", sizeText
	if r.Strong {
		style, size = "B", sizeText+2
	}
	d.font(style, size, ink())
	names = d.wrap(r.Name, nameWidth(w))
	values = d.wrap(r.Value, w-2*panelPad-nameWidth(w)-2)
	return names, values
}

func (d *Document) rowHeight(r Row, w float64) float64 {
	names, values := d.rowLines(r, w)
	line, pad := panelLine, 0.8
	if r.Strong {
		line, pad = 5.4, panelStrong-5.4
	}
	return line*float64(max(len(names), len(values))) + pad
}

func (d *Document) panelHeight(p Panel, w float64) float64 {
	h := panelPad + panelHead
	for _, r := range p.Rows {
		h += d.rowHeight(r, w)
	}
	if p.Note != "" {
		d.font("", sizeLabel+0.5, muted())
		h += 3.8*float64(len(d.wrap(p.Note, w-2*panelPad))) + 2
	}
	return h + panelPad - 1
}

func (d *Document) panel(p Panel, x, y, w, h float64) {
	d.fill(shade())
	d.f.Rect(x, y, w, h, "F")
	d.fill(accent())
	d.f.Rect(x, y, 0.8, h, "F")
	d.font("B", sizeText+0.5, accent())
	d.put(x+panelPad, y+panelPad-1, w-2*panelPad, 6, p.Heading, "L")
	at := y + panelPad + panelHead - 1
	for _, r := range p.Rows {
		d.panelRow(r, x, at, w)
		at += d.rowHeight(r, w)
	}
	if p.Note == "" {
		return
	}
	d.font("", sizeLabel+0.5, muted())
	at += 2
	for _, l := range d.wrap(p.Note, w-2*panelPad) {
		d.put(x+panelPad, at, w-2*panelPad, 3.8, l, "L")
		at += 3.8
	}
}

func (d *Document) panelRow(r Row, x, y, w float64) {
	names, values := d.rowLines(r, w)
	line := panelLine
	if r.Strong {
		d.line(x+panelPad, y+0.8, x+w-panelPad, rule(), 0.3)
		y, line = y+2.2, 5.4
	}
	c := muted()
	if r.Strong {
		c = ink()
	}
	style, size := "", sizeText
	if r.Strong {
		style, size = "B", sizeText+2
	}
	d.font(style, size, c)
	for i, l := range names {
		d.put(x+panelPad, y+float64(i)*line, nameWidth(w), line, l, "L")
	}
	d.font(style, size, ink())
	for i, l := range values {
		d.put(x+panelPad, y+float64(i)*line, w-2*panelPad, line, l, "R")
	}
}
