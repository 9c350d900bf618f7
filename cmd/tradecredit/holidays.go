package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"tradecredit/internal/calendar"
	"tradecredit/internal/db"
)

// holidaysCommand groups what an operator does with the calendars of business
// days.
type holidaysCommand struct {
	List   holidaysListCommand   `cmd:"" default:"withargs" help:"List what was changed in a calendar, or every holiday of a year."`
	Add    holidaysAddCommand    `cmd:"" help:"Add a holiday to a calendar, or have one worked."`
	Remove holidaysRemoveCommand `cmd:"" help:"Take back what was added for a date."`
}

// calendarFlags name a calendar.
type calendarFlags struct {
	storage
	Country string `help:"Two-letter code of the country, or TARGET2 for payments in euro." required:""`
	JSON    bool   `help:"Print one JSON object a line."`
}

// holidayOut is how a holiday is shown.
type holidayOut struct {
	Country string `json:"country"`
	Date    string `json:"date"`
	Name    string `json:"name"`
	Open    bool   `json:"open"`
	// Added are holidays of the operator, in contrast to those of the country.
	Added bool `json:"added"`
}

func (c calendarFlags) show(h calendar.Holiday, added bool) error {
	out := holidayOut{Country: c.Country, Date: h.Date.Format(time.DateOnly), Name: h.Name, Open: h.Open, Added: added}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(out)
	}
	kind := "closed"
	if h.Open {
		kind = "open"
	}
	line := fmt.Sprintf("%s %s  %-6s  %s", h.Date.Format("Mon"), out.Date, kind, h.Name)
	fmt.Println(strings.TrimRight(line, " "))
	return nil
}

// write runs f in a transaction of the database.
func (c calendarFlags) write(sys *system, f func(tx *db.Tx) error) error {
	d, err := c.open(sys)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Write(sys.ctx, f)
}

type holidaysListCommand struct {
	calendarFlags
	Year int `help:"Show every weekday of this year that is no business day."`
}

// Run implements the command.
func (c holidaysListCommand) Run(sys *system) error {
	c.Country = strings.ToUpper(c.Country)
	var changed []calendar.Holiday
	err := c.write(sys, func(tx *db.Tx) (err error) {
		changed, err = calendar.List(sys.ctx, tx, c.Country)
		return err
	})
	if err != nil {
		return err
	}
	shown := changed
	if c.Year != 0 {
		shown = calendar.Of(c.Country, changed...).Closed(c.Year)
	}
	for _, h := range shown {
		if err := c.show(h, slices.ContainsFunc(changed, func(o calendar.Holiday) bool { return o.Date.Equal(h.Date) })); err != nil {
			return err
		}
	}
	return nil
}

type holidaysAddCommand struct {
	calendarFlags
	Date string `help:"The day, as 2027-05-04." required:""`
	Name string `help:"What the day is called."`
	Open bool   `help:"The day is a holiday of the country that is worked."`
}

// Run implements the command. What was added for the same day before is replaced.
func (c holidaysAddCommand) Run(sys *system) error {
	c.Country = strings.ToUpper(c.Country)
	day, err := parseDay(c.Date)
	if err != nil {
		return err
	}
	h := calendar.Holiday{Country: c.Country, Date: day, Name: c.Name, Open: c.Open}
	if c.Open && calendar.Of(c.Country).Is(day) {
		return fmt.Errorf("%s is a business day in %s anyway", c.Date, c.Country)
	}
	if err := c.write(sys, func(tx *db.Tx) error { return calendar.Put(tx, h) }); err != nil {
		return err
	}
	return c.show(h, true)
}

type holidaysRemoveCommand struct {
	calendarFlags
	Date string `help:"The day, as 2027-05-04." required:""`
}

// Run implements the command.
func (c holidaysRemoveCommand) Run(sys *system) error {
	c.Country = strings.ToUpper(c.Country)
	day, err := parseDay(c.Date)
	if err != nil {
		return err
	}
	err = c.write(sys, func(tx *db.Tx) error {
		gone, err := calendar.Delete(sys.ctx, tx, c.Country, day)
		if err == nil && !gone {
			return fmt.Errorf("nothing was added for %s in %s", c.Date, c.Country)
		}
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(map[string]string{"country": c.Country, "removed": c.Date})
	}
	fmt.Printf("%s in %s is as the calendar has it.\n", c.Date, c.Country)
	return nil
}

func parseDay(s string) (time.Time, error) {
	day, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("--date %q is no date like 2027-05-04", s)
	}
	return day, nil
}
