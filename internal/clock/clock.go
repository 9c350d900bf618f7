// Package clock is the only place that asks the machine for the time.
//
// A merchant's time is real time plus the offset of its sandbox; it is worked
// out by package merchant. Nothing else calls time.Now.
package clock

import "time"

// Clock tells the real time, in UTC and whole microseconds.
type Clock interface {
	Now() time.Time
}

// System is the clock of the machine.
type System struct{}

// Now returns the current time in UTC, cut to microseconds, the resolution in
// which times are stored and shown.
func (System) Now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// Fixed is a clock that stands still, for tests.
type Fixed time.Time

// Now returns the time the clock was set to.
func (f Fixed) Now() time.Time { return time.Time(f).UTC().Truncate(time.Microsecond) }
