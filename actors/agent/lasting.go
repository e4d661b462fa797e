package agent

import (
	"strings"
	"time"

	"fodc/actors/agent/mask"
)

// lasting keeps track of a failure that may last, so that it is told when it
// starts, when its cause changes and when it ends, and not each time it is met.
type lasting struct {
	on    bool
	cause string
	since time.Time
	times int
}

// met takes note of the failure, and reports whether that is news. A number that
// differs (a port, a duration) is not another cause.
func (l *lasting) met(cause string, now time.Time) (news bool) {
	cause = withoutNumbers(cause)
	if !l.on {
		*l = lasting{on: true, since: now}
	}
	l.times++
	news = l.times == 1 || cause != l.cause
	l.cause = cause
	return news
}

// over ends the failure. It returns how long it lasted and how often it was met;
// was is false if there was none.
func (l *lasting) over(now time.Time) (lasted time.Duration, times int, was bool) {
	if !l.on {
		return 0, 0, false
	}
	lasted, times = now.Sub(l.since), l.times
	*l = lasting{}
	return lasted, times, true
}

// withoutNumbers puts # in place of each run of digits.
func withoutNumbers(text string) string {
	out := make([]byte, 0, len(text))
	for i := range len(text) {
		c := text[i]
		if '0' <= c && c <= '9' {
			if n := len(out); n > 0 && out[n-1] == '#' {
				continue
			}
			c = '#'
		}
		out = append(out, c)
	}
	return string(out)
}

// note is a line for the log.
type note struct {
	warn bool
	text string
	// cause is empty where the line tells that all is well.
	cause string
	// lasted and times tell of a failure that has ended.
	lasted time.Duration
	times  int
}

// maxCauseBytes bounds what is told of a cause: it may quote what others have written.
const maxCauseBytes = 300

func shortCause(err error) string {
	text := mask.Text(err.Error())
	return strings.ToValidUTF8(text[:min(len(text), maxCauseBytes)], "")
}
