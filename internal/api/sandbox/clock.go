package sandbox

import (
	"net/http"
	"time"

	"tradecredit/internal/api"
	"tradecredit/internal/apierr"
	"tradecredit/internal/db"
	"tradecredit/internal/form"
	"tradecredit/internal/job"
	"tradecredit/internal/merchant"
)

// Clock is a merchant's time.
type Clock struct {
	Now           ClockTime      `json:"now" doc:"The merchant's time"`
	OffsetSeconds int64          `json:"offset_seconds" doc:"How far it is ahead of real time, in seconds"`
	Ran           map[string]int `json:"ran,omitempty" doc:"How many of each kind of due work were done on the way"`
}

// ClockTime is an instant with six digits of fraction, always.
type ClockTime time.Time

// MarshalJSON implements json.Marshaler.
func (t ClockTime) MarshalJSON() ([]byte, error) {
	return []byte(time.Time(t).UTC().Format(`"2006-01-02T15:04:05.000000Z"`)), nil
}

// longestYears is how far a clock may be moved in one call.
const longestYears = 10

var clockForm = form.New("MoveClock",
	form.Integer("advance_seconds", form.Optional(), form.MinValue(0), form.MaxValue(longestYears*366*24*3600), form.Doc("Move the clock by so many seconds"), form.Example(86400)),
	form.DateTime("now", form.Optional(), form.Doc("Move the clock to this time")),
).With(func(v *form.Values) *form.Errors {
	if v.Has("advance_seconds") == v.Has("now") {
		return form.NonField("Provide either advance_seconds or now.")
	}
	return nil
})

func (a *API) clockRoutes() []api.Route {
	const path = "/v1/sandbox/clock"
	return []api.Route{
		{
			Method: http.MethodGet, Path: path, Tag: tag, Summary: "View the merchant's time",
			Response: Clock{}, Status: 200,
			Read: func(c *api.Call, tx *db.Tx) (*api.Response, error) {
				m, err := merchant.Get(c, tx, c.Merchant.ID)
				if err != nil {
					return nil, err
				}
				now := c.Now.Add(m.Offset - c.Merchant.Offset)
				return api.OK(Clock{Now: ClockTime(now), OffsetSeconds: int64(m.Offset / time.Second)}), nil
			},
		},
		{
			Method: http.MethodPost, Path: path, Tag: tag, Summary: "Move the merchant's time forward",
			Doc:  "Answers once everything that became due for this merchant has happened, in the order of its due time.",
			Body: clockForm, Response: Clock{}, Status: 200, Serve: a.moveClock,
		},
	}
}

// moveClock does what becomes due on the way and then sets the new offset. The
// merchant's row is not held meanwhile: what is due takes its own locks.
func (a *API) moveClock(c *api.Call) (*api.Answer, error) {
	v, err := c.Decode(nil)
	if err != nil {
		return nil, err
	}
	var start time.Time
	err = a.DB.Read(c, func(tx *db.Tx) error {
		m, err := merchant.Get(c, tx, c.Merchant.ID)
		start = c.Now.Add(m.Offset - c.Merchant.Offset)
		return err
	})
	if err != nil {
		return nil, err
	}
	target, err := destination(v, start)
	if err != nil {
		return nil, err
	}
	ran, err := a.Queue.AdvanceDue(c, c.Merchant.ID, start, target)
	if err != nil {
		return nil, err
	}
	offset, err := a.setOffset(c, target.Sub(start))
	if err != nil {
		return nil, err
	}
	c.ForgetMerchant()
	c.Wake()
	body, err := api.Encode(struct {
		Now           ClockTime      `json:"now"`
		OffsetSeconds int64          `json:"offset_seconds"`
		Ran           map[string]int `json:"ran"`
	}{ClockTime(target), int64(offset / time.Second), ran})
	return &api.Answer{Status: http.StatusOK, Body: body}, err
}

// destination is the time to which the clock is asked to move.
func destination(v *form.Values, start time.Time) (time.Time, error) {
	field, target := "advance_seconds", start.Add(time.Duration(v.Int("advance_seconds"))*time.Second)
	if v.Has("now") {
		field, target = "now", v.Time("now")
	}
	if target.Before(start) {
		return target, apierr.Field(field, "The clock can only be moved forward.")
	}
	if target.After(start.AddDate(longestYears, 0, 0)) {
		return target, apierr.Field(field, "The clock can be moved by at most 10 years in one call.")
	}
	return target, nil
}

// setOffset moves the merchant's offset, and its due rows with it.
func (a *API) setOffset(c *api.Call, by time.Duration) (offset time.Duration, err error) {
	err = a.DB.Write(c, func(tx *db.Tx) error {
		m, err := merchant.Lock(c, tx, c.Merchant.ID)
		if err != nil {
			return err
		}
		m.Offset += by
		offset = m.Offset
		job.Shift(tx, m.ID, m.Offset)
		return merchant.Save(tx, m)
	})
	return offset, err
}
