package journal

import (
	"errors"
	"math"

	"fodc/messages"
	"fodc/recorder"
)

// Lacks reports whether scrapes of the window may have been lost: those of files that cannot be
// read, or those behind the damage of a segment that was not closed. A record that was torn is not
// lost: it was never whole. Damage of a closed segment is known only when it is read.
func (v *View) Lacks(w messages.Window) bool {
	from, to := recorder.Bounds(w)
	for i := range v.Unreadable {
		var damage *Damage
		if errors.As(v.Unreadable[i].Err, &damage) && damage.Torn {
			continue
		}
		if number, ok := parseSegmentName(v.Unreadable[i].Name); ok && v.lacksBehind(number, from, to) {
			return true
		}
	}
	for i := range v.Segments {
		if d := v.Segments[i].Damage; d != nil && !d.Torn && v.lacksBehind(v.Segments[i].Number, from, to) {
			return true
		}
	}
	return false
}

// lacksBehind reports whether the bounds have a time between the last scrape up to a segment and the
// first one of those after it.
func (v *View) lacksBehind(number, from, to int64) bool {
	last := int64(math.MinInt64)
	for i := range v.Segments {
		s := &v.Segments[i]
		switch {
		case s.LastNumber == 0:
		case s.Number <= number:
			last = s.MaxTime
		default:
			return last < to && from < s.MinTime
		}
	}
	return last < to
}
