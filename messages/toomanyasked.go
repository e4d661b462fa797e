package messages

import (
	"strings"
	"time"
)

// AskedIncident is an incident that somebody has asked for, and that is open.
type AskedIncident struct {
	ID string
	// Left is after which time it ends.
	Left time.Duration
}

// TooManyAsked is the error of one more: it names those that are open, and when the first one ends.
func TooManyAsked(open []AskedIncident, most int) *Error {
	var ids []string
	first := open[0].Left
	for _, o := range open {
		ids = append(ids, o.ID)
		first = min(first, o.Left)
	}
	first = wholeSeconds(first)
	return Errorf(ErrUnavailable, "%d incidents that were asked for are open, at most %d may be, and the first one ends in %s: try again then, or use the evidence of these: %s",
		len(open), most, first, strings.Join(ids, ", ")).TryAgain(first)
}

// TooManyAskedInAnHour is the error of one more; oldest is how long ago the first of them was asked for.
func TooManyAskedInAnHour(asked, most int, oldest time.Duration) *Error {
	after := wholeSeconds(time.Hour - oldest)
	return Errorf(ErrUnavailable, "%d incidents were asked for within an hour, at most %d may be: try again in %s", asked, most, after).TryAgain(after)
}

// wholeSeconds rounds up, to at least a second.
func wholeSeconds(d time.Duration) time.Duration {
	return max((d + time.Second - 1).Truncate(time.Second), time.Second)
}
