package proxy

import (
	"cmp"
	"slices"
	"time"
)

// logInterval is the time in which an event writes no more lines than it may, and how often
// those that were left out are summed up in one line.
const logInterval = 10 * time.Second

// logEvent is a kind of line in the log that a peer can cause as often as it likes. The
// events are a closed set, so what is kept of them is bounded.
type logEvent struct {
	name string
	// lines is how many lines of the event are written in a logInterval.
	lines int
}

// logLimit decides which lines are written. Lines of an event are written until there are
// too many. From then on they are counted, and one line in each logInterval says how many
// there were, until they are few again. L is a line.
type logLimit[L any] map[logEvent]*logWindow[L]

// logWindow is a logInterval of an event.
type logWindow[L any] struct {
	since   time.Time
	written int
	left    int // lines that were left out
	last    L   // the newest of those
}

// summary stands for lines that were left out.
type summary[L any] struct {
	event logEvent
	last  L
	lines int
}

// allow takes note of a line, and reports whether it is to be written now.
func (l logLimit[L]) allow(e logEvent, line L, now time.Time) bool {
	w := l[e]
	if w == nil {
		w = &logWindow[L]{since: now}
		l[e] = w
	}
	if w.written < e.lines {
		w.written++
		return true
	}
	w.left++
	w.last = line
	return false
}

// due returns the sums of the intervals that are over, sorted by event.
func (l logLimit[L]) due(now time.Time) []summary[L] {
	var all []summary[L]
	for e, w := range l {
		if now.Sub(w.since) < logInterval {
			continue
		}
		delete(l, e)
		if w.left == 0 {
			continue
		}
		all = append(all, summary[L]{e, w.last, w.left})
		if w.left > e.lines {
			// It goes on: in the next interval the lines are counted only.
			l[e] = &logWindow[L]{since: now, written: e.lines}
		}
	}
	return sorted(all)
}

// rest returns the sums of all that was left out and not said yet, sorted by event.
func (l logLimit[L]) rest() []summary[L] {
	var all []summary[L]
	for e, w := range l {
		if w.left > 0 {
			all = append(all, summary[L]{e, w.last, w.left})
		}
	}
	clear(l)
	return sorted(all)
}

func sorted[L any](all []summary[L]) []summary[L] {
	slices.SortFunc(all, func(a, b summary[L]) int { return cmp.Compare(a.event.name, b.event.name) })
	return all
}
