package calendar

import (
	"slices"
	"sync"
	"time"

	"github.com/rickar/cal/v2"
	"github.com/rickar/cal/v2/aa"
	"github.com/rickar/cal/v2/at"
	"github.com/rickar/cal/v2/be"
	"github.com/rickar/cal/v2/de"
	"github.com/rickar/cal/v2/ecb"
	"github.com/rickar/cal/v2/es"
	"github.com/rickar/cal/v2/fr"
	"github.com/rickar/cal/v2/gb"
	"github.com/rickar/cal/v2/ie"
	"github.com/rickar/cal/v2/it"
	"github.com/rickar/cal/v2/nl"
	"github.com/rickar/cal/v2/us"
)

// The years for which holidays are known. Before and after them only weekends
// count.
const (
	firstYear = 1990
	lastYear  = 2150
)

// tables has the holidays of every calendar by the number of the day, worked out
// when first asked for.
var tables = map[string]func() map[int64]string{
	"AT":    table(at.Holidays),
	"BE":    table(be.Holidays),
	"DE":    table(de.Holidays),
	"ES":    table(es.Holidays),
	"FR":    table(fr.Holidays),
	"GB":    table(gb.Holidays, britain()),
	"IE":    table(ie.Holidays, ireland()),
	"IT":    table(it.Holidays, italy()),
	"LU":    table(luxembourg()),
	"NL":    table(nl.Holidays),
	"PT":    table(portugal()),
	TARGET2: table(ecb.Holidays),
	"US":    table(fedwire()),
}

func names() []string {
	out := make([]string, 0, len(tables))
	for name := range tables {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// holidays are those of a calendar, or nil.
func holidays(name string) map[int64]string {
	if t, ok := tables[name]; ok {
		return t()
	}
	return nil
}

func table(lists ...[]*cal.Holiday) func() map[int64]string {
	return sync.OnceValue(func() map[int64]string {
		days := map[int64]string{}
		for _, h := range slices.Concat(lists...) {
			// A holiday of January may be observed in the December before.
			for year := firstYear; year <= lastYear+1; year++ {
				actual, observed := h.Calc(year)
				mark(days, actual, h.Name)
				mark(days, observed, h.Name)
			}
		}
		return days
	})
}

// mark enters a date. The dates are midnight in the time zone of the machine;
// what counts is the date and not the moment.
func mark(days map[int64]string, t time.Time, name string) {
	if t.IsZero() {
		return
	}
	y, m, d := t.Date()
	n := number(time.Date(y, m, d, 0, 0, 0, 0, time.UTC))
	if _, ok := days[n]; !ok && y >= firstYear && y <= lastYear {
		days[n] = name
	}
}

func fixed(name string, m time.Month, d, since int) *cal.Holiday {
	return &cal.Holiday{Name: name, Month: m, Day: d, StartYear: since, Func: cal.CalcDayOfMonth}
}

func named(h *cal.Holiday, name string) *cal.Holiday { return h.Clone(&cal.Holiday{Name: name}) }

// fedwire are the days on which the Federal Reserve Banks, and with them payments
// in dollars, rest. What falls on a Saturday is not observed on the Friday before,
// as it is by federal offices.
func fedwire() []*cal.Holiday {
	out := make([]*cal.Holiday, len(us.Holidays))
	for i, h := range us.Holidays {
		out[i] = h
		if h.Observed != nil {
			out[i] = h.Clone(&cal.Holiday{Observed: []cal.AltDay{{Day: time.Sunday, Offset: 1}}})
		}
	}
	return out
}

// britain is what the library does not list.
func britain() []*cal.Holiday {
	return []*cal.Holiday{
		{Name: "State funeral of Queen Elizabeth II", Month: time.September, Day: 19,
			StartYear: 2022, EndYear: 2022, Func: cal.CalcDayOfMonth},
	}
}

// ireland are the weekdays on which banks rest for holidays that fall on a
// weekend. The library has the dates themselves only.
func ireland() []*cal.Holiday {
	next := []cal.AltDay{{Day: time.Saturday, Offset: 2}, {Day: time.Sunday, Offset: 1}}
	return []*cal.Holiday{
		ie.NewYear.Clone(&cal.Holiday{Observed: next}),
		ie.SaintPatrickDay.Clone(&cal.Holiday{Observed: next}),
		ie.ChristmasDay.Clone(&cal.Holiday{Observed: next}),
		ie.SaintStephenDay.Clone(&cal.Holiday{Observed: gb.BoxingDay.Observed}),
	}
}

// italy is what came after the list of the library: law 151 of 8 October 2025.
func italy() []*cal.Holiday {
	return []*cal.Holiday{fixed("San Francesco d'Assisi", time.October, 4, 2026)}
}

func luxembourg() []*cal.Holiday {
	return []*cal.Holiday{
		named(aa.NewYear, "Neijoerschdag"), named(aa.EasterMonday, "Ouschterméindeg"),
		named(aa.WorkersDay, "Dag vun der Aarbecht"), fixed("Europadag", time.May, 9, 2019),
		named(aa.AscensionDay, "Christi Himmelfaart"), named(aa.PentecostMonday, "Péngschtméindeg"),
		fixed("Nationalfeierdag", time.June, 23, 0), named(aa.AssumptionOfMary, "Léiffrawëschdag"),
		named(aa.AllSaintsDay, "Allerhellgen"), named(aa.ChristmasDay, "Chrëschtdag"),
		named(aa.ChristmasDay2, "Stiefesdag"),
	}
}

func portugal() []*cal.Holiday {
	return []*cal.Holiday{
		named(aa.NewYear, "Ano Novo"), named(aa.GoodFriday, "Sexta-feira Santa"),
		fixed("Dia da Liberdade", time.April, 25, 0), named(aa.WorkersDay, "Dia do Trabalhador"),
		named(aa.CorpusChristi, "Corpo de Deus"), fixed("Dia de Portugal", time.June, 10, 0),
		named(aa.AssumptionOfMary, "Assunção de Nossa Senhora"),
		fixed("Implantação da República", time.October, 5, 0), named(aa.AllSaintsDay, "Todos os Santos"),
		fixed("Restauração da Independência", time.December, 1, 0),
		named(aa.ImmaculateConception, "Imaculada Conceição"), named(aa.ChristmasDay, "Natal"),
	}
}
