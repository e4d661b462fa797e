package proxy

import (
	"cmp"
	"slices"
	"time"
)

// logInterval is the time in which an event may write logEvent.lines lines, and the time
// between two summaries of those that were suppressed.
const logInterval = 10 * time.Second

// logEvent is a kind of log line that a peer can cause without limit. The set of events is
// closed, so the memory of a logLimit is bounded.
type logEvent struct {
	name string
	// lines is how many lines of the event are written in a logInterval.
	lines int
}

// logLimit decides which lines are written. In a logInterval the first lines of an event are
// written and the others are suppressed. A summary at the end of the interval has their number
// and the last of them. While more lines come than an event may write, they are all suppressed,
// and there is a summary in each interval. L is the type of a line.
type logLimit[L any] map[logEvent]*logWindow[L]

// logWindow is a logInterval of an event.
type logWindow[L any] struct {
	since      time.Time
	written    int
	suppressed int
	last       L // the newest of the suppressed lines
}

// summary stands for suppressed lines.
type summary[L any] struct {
	event logEvent
	last  L
	lines int
}

// allow counts a line, and reports whether it is to be written.
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
	w.suppressed++
	w.last = line
	return false
}

// due returns the summaries of the intervals that have ended, sorted by event.
func (l logLimit[L]) due(now time.Time) []summary[L] {
	var all []summary[L]
	for e, w := range l {
		if now.Sub(w.since) < logInterval {
			continue
		}
		delete(l, e)
		if w.suppressed == 0 {
			continue
		}
		all = append(all, summary[L]{e, w.last, w.suppressed})
		if w.suppressed > e.lines {
			// Still too many: all lines of the next interval are suppressed.
			l[e] = &logWindow[L]{since: now, written: e.lines}
		}
	}
	return sorted(all)
}

// remaining ends all intervals and returns their summaries, sorted by event.
func (l logLimit[L]) remaining() []summary[L] {
	var all []summary[L]
	for e, w := range l {
		if w.suppressed > 0 {
			all = append(all, summary[L]{e, w.last, w.suppressed})
		}
	}
	clear(l)
	return sorted(all)
}

func sorted[L any](all []summary[L]) []summary[L] {
	slices.SortFunc(all, func(a, b summary[L]) int { return cmp.Compare(a.event.name, b.event.name) })
	return all
}
