package agent

import (
	"hash/fnv"
	"time"
)

// snapTolerance is how far from its time on the schedule a scrape may begin and
// still get that time as its timestamp; never more than a tenth of the interval.
const snapTolerance = 50 * time.Millisecond

// schedule is when a target is scraped: once an interval, at an offset (the phase) that depends
// on its name. So scrapes of different targets are spread over the interval, and the phase is
// the same after a restart.
type schedule struct {
	interval time.Duration
	phase    time.Duration
}

func newSchedule(name string, interval time.Duration) schedule {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	phase := time.Duration(h.Sum64() % uint64(interval))
	return schedule{interval: interval, phase: phase.Truncate(time.Millisecond)} // as timestamps are
}

// before returns the last time on the schedule that is not after t.
func (s schedule) before(t time.Time) time.Time {
	since := (t.UnixNano() - int64(s.phase)) % int64(s.interval)
	if since < 0 {
		since += int64(s.interval)
	}
	return t.Add(-time.Duration(since))
}

// snap returns the schedule's time that t is near to, else t itself. The result is
// of whole milliseconds, as all timestamps of samples are.
func (s schedule) snap(t time.Time) time.Time {
	tolerance := min(snapTolerance, s.interval/10)
	before := s.before(t)
	after := before.Add(s.interval)
	switch {
	case t.Sub(before) <= tolerance:
		t = before
	case after.Sub(t) <= tolerance:
		t = after
	}
	return t.Truncate(time.Millisecond)
}

// next returns the first time on the schedule after t. If t is so shortly before a time on the
// schedule that it snaps to it, the scrape at t is the one of that time: next returns the one
// after it.
func (s schedule) next(t time.Time) time.Time {
	before := s.before(t)
	after := before.Add(s.interval)
	if after.Sub(t) <= min(snapTolerance, s.interval/10) {
		after = after.Add(s.interval)
	}
	return after
}
