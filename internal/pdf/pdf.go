// Package pdf lays out documents on A4 paper: headings, blocks of text side by
// side, panels, and tables that run over many pages.
//
// The same content makes the same bytes, always. The letters are those of Open
// Sans: Latin, Greek and Cyrillic; what it does not have is shown as a question
// mark. The files name their title and language; they carry no structure tags,
// which the library underneath does not write.
package pdf

import (
	"bytes"
	"embed"
	"fmt"
	"time"

	"codeberg.org/go-pdf/fpdf"
)

//go:embed fonts/OpenSans-Regular.ttf fonts/OpenSans-Semibold.ttf
var fonts embed.FS

// Sizes in millimetres, but for fonts, which are in points.
const (
	pageWidth, pageHeight = 210.0, 297.0
	margin                = 18.0
	top                   = 18.0
	bottom                = 24.0
	width                 = pageWidth - 2*margin

	family                 = "opensans"
	sizeTitle, sizeSection = 19.0, 11.0
	sizeText, sizeTable    = 9.0, 8.0
	sizeLabel, sizeFoot    = 7.0, 7.0
)

// colour is red, green and blue.
type colour [3]int

func ink() colour    { return colour{29, 36, 48} }
func muted() colour  { return colour{93, 103, 120} }
func accent() colour { return colour{23, 52, 102} }
func rule() colour   { return colour{205, 211, 221} }
func shade() colour  { return colour{243, 245, 249} }

// Info is what a document says about itself.
type Info struct {
	Title, Author, Subject string
	// Language is that of the text, as in "en-GB".
	Language string
	Created  time.Time
	// Foot stands at the foot of every page, before its number; Head at the top of
	// every page but the first.
	Head, Foot string
}

// Document is a document that is being laid out, from top to bottom.
type Document struct {
	f     *fpdf.Fpdf
	info  Info
	fonts map[string]*coverage
	// total is how many pages there will be.
	total int
}

// Make lays out a document. layout runs twice, the first time to count the pages.
func Make(info Info, layout func(d *Document)) ([]byte, error) {
	first, err := make1(info, 0, layout)
	if err != nil {
		return nil, err
	}
	second, err := make1(info, first.f.PageCount(), layout)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := second.f.Output(&out); err != nil {
		return nil, fmt.Errorf("pdf: %w", err)
	}
	return out.Bytes(), nil
}

func make1(info Info, total int, layout func(d *Document)) (*Document, error) {
	f := fpdf.New("P", "mm", "A4", "")
	d := &Document{f: f, info: info, total: total, fonts: map[string]*coverage{}}
	for style, name := range map[string]string{"": "OpenSans-Regular", "B": "OpenSans-Semibold"} {
		file, err := fonts.ReadFile("fonts/" + name + ".ttf")
		if err != nil {
			return nil, err
		}
		if d.fonts[style], err = coverageOf(file); err != nil {
			return nil, fmt.Errorf("pdf: %s: %w", name, err)
		}
		f.AddUTF8FontFromBytes(family, style, file)
	}
	f.SetCatalogSort(true)
	f.SetCreationDate(info.Created.UTC())
	f.SetModificationDate(info.Created.UTC())
	f.SetTitle(info.Title, true)
	f.SetAuthor(info.Author, true)
	f.SetSubject(info.Subject, true)
	f.SetCreator("Tradecredit", true)
	f.SetProducer("Tradecredit", true)
	f.SetLang(info.Language)
	f.SetMargins(margin, top, margin)
	f.SetCellMargin(0)
	f.SetAutoPageBreak(false, bottom)
	f.SetHeaderFunc(d.head)
	f.SetFooterFunc(d.foot)
	f.AddPage()
	layout(d)
	// The last page has its foot once the document is closed.
	f.Close()
	if err := f.Error(); err != nil {
		return nil, fmt.Errorf("pdf: %w", err)
	}
	return d, nil
}

// head draws the top of a page.
func (d *Document) head() {
	d.fill(accent())
	d.f.Rect(0, 0, pageWidth, 3, "F")
	if d.f.PageNo() > 1 {
		d.font("", sizeFoot, muted())
		d.put(margin, 9, width, 4, d.info.Head, "L")
		d.f.SetY(top)
	}
}

// foot draws the foot of a page.
func (d *Document) foot() {
	y := pageHeight - 15
	d.line(margin, y, margin+width, rule(), 0.2)
	d.font("", sizeFoot, muted())
	d.put(margin, y+2, width-30, 4, d.fit(d.info.Foot, width-30), "L")
	d.put(margin, y+2, width, 4, fmt.Sprintf("Page %d of %d", d.f.PageNo(), d.total), "R")
}

// need begins a new page when less than a height is left on this one.
func (d *Document) need(height float64) bool {
	if d.f.GetY()+height <= pageHeight-bottom {
		return false
	}
	d.f.AddPage()
	return true
}

func (d *Document) font(style string, size float64, c colour) {
	d.f.SetFont(family, style, size)
	d.f.SetTextColor(c[0], c[1], c[2])
}

func (d *Document) fill(c colour) { d.f.SetFillColor(c[0], c[1], c[2]) }

func (d *Document) line(x1, y, x2 float64, c colour, thick float64) {
	d.f.SetDrawColor(c[0], c[1], c[2])
	d.f.SetLineWidth(thick)
	d.f.Line(x1, y, x2, y)
}

// put writes one line of text into a box; align is L, R or C.
func (d *Document) put(x, y, w, h float64, text, align string) {
	d.f.SetXY(x, y)
	d.f.CellFormat(w, h, d.shown(text), "", 0, align+"M", false, 0, "")
}

// Space leaves millimetres free.
func (d *Document) Space(millimetres float64) { d.f.SetY(d.f.GetY() + millimetres) }

// Masthead is the head of the first page: who writes, and beside it further lines
// about them.
func (d *Document) Masthead(name string, lines ...string) {
	y := d.f.GetY()
	d.font("B", 13, accent())
	names := d.wrap(name, width*0.55)
	for i, l := range names {
		d.put(margin, y+float64(i)*6, width*0.55, 6, l, "L")
	}
	d.font("", sizeLabel+0.5, muted())
	at := y + 1
	for _, text := range lines {
		for _, l := range d.wrap(text, width*0.4) {
			d.put(margin+width*0.6, at, width*0.4, 3.8, l, "R")
			at += 3.8
		}
	}
	d.f.SetY(max(y+6*float64(len(names)), at) + 8)
}

// Title is the title on the first page.
func (d *Document) Title(text string) {
	d.font("B", sizeTitle, ink())
	for _, l := range d.wrap(text, width) {
		d.put(margin, d.f.GetY(), width, 9, l, "L")
		d.Space(9)
	}
	d.Space(3)
}

// Section is the heading of a part. It stays together with what follows: at least
// as many millimetres.
func (d *Document) Section(text string, follow float64) {
	d.need(12 + follow)
	d.font("B", sizeSection, accent())
	d.put(margin, d.f.GetY()+2, width, 6, text, "L")
	d.Space(9.5)
}

// Paragraph is running text.
func (d *Document) Paragraph(text string) {
	d.font("", sizeText, ink())
	for _, l := range d.wrap(text, width) {
		d.need(4.6)
		d.font("", sizeText, ink())
		d.put(margin, d.f.GetY(), width, 4.6, l, "L")
		d.Space(4.6)
	}
	d.Space(2)
}
