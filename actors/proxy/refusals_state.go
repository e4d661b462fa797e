package proxy

import (
	"maps"
	"time"
)

// Limits of what the log says of refused registrations.
const (
	// refusalsAgain is after what time a refusal that goes on is told again: an agent that
	// is refused comes back each few seconds, for ever.
	refusalsAgain = 10 * time.Minute
	// maxRefusals bounds how many different ones have a line of their own in that time.
	maxRefusals = 256
)

// refusals keeps track of the registrations that are refused, by who was refused and
// why. Those over maxRefusals are one, under no key.
type refusals map[string]*repeated

type repeated struct {
	since time.Time // the last line
	count int       // of those after it
}

// met takes note of a refusal, and returns how many of its key a line should speak of
// now: 0 is none.
func (r refusals) met(key string, now time.Time) (times int) {
	if r[key] == nil {
		if len(r) >= maxRefusals {
			maps.DeleteFunc(r, func(key string, e *repeated) bool {
				return key != "" && now.Sub(e.since) >= refusalsAgain
			})
		}
		if len(r) >= maxRefusals {
			key = ""
		}
	}
	e := r[key]
	if e == nil {
		e = &repeated{since: now.Add(-refusalsAgain)}
		r[key] = e
	}
	e.count++
	if now.Sub(e.since) < refusalsAgain {
		return 0
	}
	times = e.count
	e.since, e.count = now, 0
	return times
}
